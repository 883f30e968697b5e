r"""
---
title: Recorded runs
summary:
  Keeping what a finished run measured as a small file, from which the pages draw their tables and
  curves.
---

# Recorded runs

No result on these pages is typed by hand. With `--record` a finished run adds itself to a file in
`experiments/`: its accuracies, its curves, how long it took and on what. The tables and charts of
the pages are drawn from these files, so they cannot say anything but what was measured.

There is one file for each preset, with a run for each seed. Mean and standard deviation over
the seeds are computed when a page is built.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labml_nn.runs.files import write_whole


class RecordError(Exception):
    """A run cannot be recorded. The message names the file and says what to do."""


@dataclass(frozen=True)
class Record:
    """Where a run is recorded."""

    # The file for runs like this one
    path: Path
    # What these runs have in common: the name of the preset, its configuration, the paper's result
    about: dict[str, Any]

    def add(self, result: dict[str, Any], metrics: Path) -> str:
        """Adds a run, given its `result` and the file with its `metrics`.

        It takes the place of an earlier one with the same seed. If the recipe has changed, the runs
        that are there are no longer comparable, and go. Returns a sentence for the user. Raises
        `RecordError` if the file is there and cannot be read, and `RunFailed` if it cannot be
        written.
        """
        lines = metrics.read_text("utf-8").splitlines()
        epochs = [json.loads(line) for line in lines]
        entry = {
            **{name: result[name] for name in KEPT},
            # Not what was measured within epochs
            "curve": curve([line for line in epochs if "interval" not in line]),
        }
        runs = self.runs()
        kind = "final" if result["final"] else "held_out"
        others = [run for run in runs[kind] if run["seed"] != result["seed"]]
        runs[kind] = sorted([*others, entry], key=lambda run: run["seed"])
        write_whole(self.path, as_text({**self.about, **runs}))
        n = len(runs[kind])
        number = f"{n} such run{'s' if n > 1 else ''}"
        return f"Recorded in {self.path}, which holds {number} now."

    def runs(self) -> dict[str, list[dict[str, Any]]]:
        """The runs of this recipe that are recorded: `held_out` and `final`.

        They are kept apart because they differ in the number of images they train on. Raises
        `RecordError` for a damaged file.
        """
        try:
            record = json.loads(self.path.read_text("utf-8"))
            runs = {kind: record.pop(kind) for kind in ("held_out", "final")}
        except FileNotFoundError:
            return {"held_out": [], "final": []}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RecordError(
                f"{self.path} is no record of runs ({error!r}); "
                "restore it with git, or remove it"
            ) from error
        return runs if record == self.about else {"held_out": [], "final": []}


def as_text(record: dict[str, Any]) -> str:
    """The `record` as JSON. A line for each run keeps changes of the file readable.

    >>> print(as_text({'preset': 'quick', 'held_out': [{'seed': 0}, {'seed': 1}]}), end='')
    {
      "preset": "quick",
      "held_out": [
        {"seed": 0},
        {"seed": 1}
      ]
    }
    """
    parts = []
    for key, value in record.items():
        text = json.dumps(value)
        if isinstance(value, list) and value:
            lines = ",\n    ".join(json.dumps(item) for item in value)
            text = f"[\n    {lines}\n  ]"
        parts.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


# What is kept of a result. The rest follows from the preset.
KEPT = (
    "seed",
    "epochs",
    "seconds",
    "images_per_second",
    "valid_accuracy",
    "test_accuracy",
    "machine",
    "precision",
    "versions",
)


def curve(metrics: list[dict[str, float]]) -> dict[str, list[float]]:
    """The `metrics` of all epochs as lists of numbers, one for each quantity.

    Four digits are more than a picture can show.

    >>> curve([{'epoch': 1, 'loss.train': 2.30261}, {'epoch': 2, 'loss.train': 1.5}])
    {'epoch': [1, 2], 'loss_train': [2.303, 1.5]}
    """
    names = dict.fromkeys(name for line in metrics for name in line)
    wanted = [n for n in names if n == "epoch" or n.startswith(("loss", "acc"))]
    return {
        name.replace(".", "_"): [
            float(f"{line[name]:.4g}") if name != "epoch" else line[name]
            for line in metrics
            if name in line
        ]
        for name in wanted
    }
