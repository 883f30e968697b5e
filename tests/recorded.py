"""What tests of recorded runs share."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

from labml_nn.data import DRAWS
from labml_nn.runs.command import Experiment

AGAIN = "record it again: python -m experiments.record"


def read_record(path: Path) -> dict[str, Any]:
    """What a file in `experiments/` holds."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def assert_runs_are_of_the_preset(experiment: Experiment[Any], preset: str, path: Path) -> None:
    """The record in `path` is of the preset as it is, with three seeds, each held out and final."""
    record = read_record(path)
    runs = {kind: record.pop(kind) for kind in ("held_out", "final")}
    about = experiment.record(preset, experiment.presets[preset].config).about
    assert record == json.loads(json.dumps(about)), AGAIN
    for kind in runs:
        assert [each["seed"] for each in runs[kind]] == [0, 1, 2]


def is_marked(draws: int, page: ModuleType) -> bool:
    """Whether runs with these draws may be shown: they are drawn as today, or the page calls their seeds related."""
    return draws == DRAWS or f"      {draws}: related\n" in (page.__doc__ or "")
