r"""
---
title: Measuring a run again
summary:
  Reproduces the recorded accuracy of a run from its file alone, and keeps a record of each further
  use of the test set.
---

# Measuring a run again

A number that is reported should be what the saved file yields, to the last digit. Here the network
is loaded from its checkpoint and measured on the same images as before.

The test set is a measure only as long as nobody chooses by it. A run for it, with `--final`, is
measured on it once, at its end. Each further use is noted in `test_uses.jsonl` in the folder of the
run, before the number is shown, and [the ledger](ledger.py) says how many there were.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import get_args

from labml_nn.data import ImageData
from labml_nn.printing import printable
from labml_nn.runs.command import machine_for
from labml_nn.runs.config import Config, check_limits, load_data
from labml_nn.runs.files import (
    RunFailed,
    append_line,
    check_folder,
    load_config,
    to_json,
)
from labml_nn.runs.ledger import Run, number
from labml_nn.runs.loading import find_experiment
from labml_nn.training.checkpoint import Checkpoint, CheckpointFolder, load
from labml_nn.training.machine import Precision
from labml_nn.training.measuring import evaluate
from labml_nn.training.processes import contents_of
from labml_nn.training.verify import Expected

HELD_OUT, TEST = "images held out", "test set"


@dataclass(frozen=True)
class Measured:
    """A measurement, and what was recorded."""

    # The file of the checkpoint, and the images
    checkpoint: Path
    images: str
    loss: float
    accuracy: float
    # The accuracy that the run recorded, if it did
    recorded: float | None

    @property
    def verdict(self) -> str:
        """Whether it is the number that was recorded."""
        if self.recorded is None:
            return "nothing was recorded to compare it with"
        if self.accuracy == self.recorded:
            return "exactly what was recorded"
        return f"DIFFERS from what was recorded, {self.recorded!r}"


def measure(
    run: Run,
    *,
    test: bool,
    module: str | None = None,
    device: str | None = None,
    data_dir: Path | None = None,
    data: str | None = None,
) -> list[Measured]:
    """Measures the last and the best checkpoint of `run` again, each if it is there.

    * `test` is whether to use the test set. Of a run that was not made for it, the best checkpoint
      is measured, or the last if there is no best
    * `module` has the experiment, if it is one that does not belong to this package
    * `device`, `data_dir` and `data` are used instead of those of the run. The images have to be
      the same wherever they are

    Raises `RunFailed` if there is nothing to measure with, `CheckpointError` if no checkpoint can
    be used, and `DataError` if the images cannot be had.
    """
    folder = run.folder
    check_folder(folder)
    experiment = find_experiment(run.module, module)
    _, _, config = load_config(folder, {run.module: experiment.config})
    check_limits(config)
    if config.final and not test:
        raise RunFailed(
            f"{printable(folder)} was trained on all images, so only the test "
            "set is left to measure it with: --test"
        )
    # What was chosen then is chosen now, whatever this machine would choose.
    precision = run.result.get("precision")
    if config.precision == "auto" and precision in get_args(Precision):
        config = replace(config, precision=precision)
    config = replace(
        config,
        final=test,
        device=device or config.device,
        data_dir=data_dir or config.data_dir,
        data=data or config.data,
    )
    machine = machine_for(config)
    train, images = load_data(config, experiment.load)
    _check_images(run, config, train, images)
    model = config.build(train)
    machine.prepare(model)
    found = []
    for path, checkpoint in _checkpoints(folder, best_only=test):
        expected = Expected(model.state_dict())
        expected.check(path, checkpoint)
        model.load_state_dict({**model.state_dict(), **checkpoint.model})
        loss, accuracy = evaluate(model, images, machine)
        recorded = _recorded(run, path, checkpoint, test)
        name = TEST if test else HELD_OUT
        found.append(Measured(path, name, loss, accuracy, recorded))
    if test:
        for each in found:
            note_test(run, each)
    return found


def _check_images(
    run: Run, config: Config, train: ImageData, images: ImageData
) -> None:
    """Raises `RunFailed` if these are not the images that `run` was trained and measured with."""
    pairs = [(run.measured_with, contents_of(images))]
    if run.config.get("final") != config.final:
        # It was measured with others then, and trained on fewer or more of the same.
        return
    pairs.append((run.data, contents_of(train)))
    for then, now in pairs:
        if then not in ("", now):
            raise RunFailed(
                f"these are other images than those of {printable(run.folder)}: "
                f"{now}, then {then}. Say by --data where the same are."
            )


def _checkpoints(
    folder: Path, best_only: bool
) -> list[tuple[Path, Checkpoint]]:
    """The best checkpoint and the last one, or with `best_only` the one that counts."""
    checkpoints = CheckpointFolder(folder / "checkpoints", keep=1)
    found = []
    if checkpoints.best.exists():
        found.append((checkpoints.best, load(checkpoints.best)))
    if not found or not best_only:
        last = checkpoints.load_last()
        found.append((checkpoints.path(last.step), last))
    return found


def _recorded(
    run: Run, path: Path, checkpoint: Checkpoint, test: bool
) -> float | None:
    """The accuracy that was recorded for this checkpoint."""
    if test:
        return run.test
    if path.name == "best.pt":
        return number(checkpoint.progress.get("best"))
    at_step = [
        line.get("accuracy.valid")
        for line in run.epochs
        if line["step"] == checkpoint.step
    ]
    return at_step[-1] if at_step else None


def uses_before(run: Run) -> int:
    """How often the test set was used for `run` up to now: at its end, and since."""
    return int(run.test is not None) + run.tests


def note_test(run: Run, measured: Measured) -> None:
    """Writes on the record of `run` that the test set was used once more, and what was `measured`.

    Raises `RunFailed` if that cannot be written.
    """
    append_line(
        run.folder / "test_uses.jsonl",
        to_json(
            {
                "use": uses_before(run) + 1,
                "when": f"{datetime.now():%Y-%m-%d %H:%M:%S}",
                "checkpoint": measured.checkpoint.name,
                "test_accuracy": measured.accuracy,
            }
        ),
    )


def report(run: Run, found: list[Measured], *, as_json: bool) -> int:
    """Prints what was `found` for `run`, and says so if the test set had been used before.

    With `as_json`, it is printed for programs. Returns 0 if every number that was recorded came out
    again, and 1 otherwise.
    """
    before = uses_before(run)
    test = any(each.images == TEST for each in found)
    if as_json:
        rows = [
            {
                "checkpoint": each.checkpoint.name,
                "images": each.images,
                "loss": each.loss,
                "accuracy": each.accuracy,
                "recorded": each.recorded,
                "test_set_uses": before + test,
            }
            for each in found
        ]
        print(to_json(rows, indent=2))
    for each in [] if as_json else found:
        print(
            f"{each.checkpoint.name} on the {each.images}: accuracy "
            f"{each.accuracy!r}, loss {each.loss!r}; {each.verdict}"
        )
        if test and before:
            print(
                f"This is use {before + 1} of the test set for this run, which "
                "is now on its record. A choice made by it is no longer "
                "measured by it."
            )
    wrong = [
        each for each in found if each.recorded not in (None, each.accuracy)
    ]
    return int(bool(wrong))
