"""What is typed by mistake is answered in one line; a mistake in somebody's module keeps its traceback."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from labml_nn.resnet import experiment, speedrun
from labml_nn.resnet.experiment import ResNetConfig
from labml_nn.runs.command import Experiment, Preset
from labml_nn.runs.files import to_json, write_json
from labml_nn.training import Recipe


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


SPEED = "speedrun --data digits --batch-size 50"


@pytest.mark.parametrize(
    ("each", "arguments", "message"),
    [
        (experiment, "digits --steps 0", "--steps must be from 1 to 1,000,000,000, got 0"),
        (experiment, "digits --batch-size 0", "--batch-size must be from 1 to 1,000,000, got 0"),
        (experiment, "digits --padding -1", "--padding must be from 0 to 1,000, got -1"),
        (experiment, f"digits --seed {2**64}", "--seed must be from -9,223,372,036,854,775,808 to "),
        (
            speedrun,
            SPEED,
            "the speed run is for images with 3 channels, got 1; use --data cifar10 or synthetic",
        ),
        (speedrun, f"{SPEED} --network resnet20", "the speed run is for images with 3 channels, got 1"),
        (experiment, "digits --out=", "--out must be a path, got an empty text"),
        (experiment, "digits --data-dir=", "--data-dir must be a path, got an empty text"),
        (experiment, "digits --resume=", "--resume needs the folder of a run."),
        (experiment, "digits --lr 0.1", "--lr is not an option here. Did you mean --learning-rate?"),
        (experiment, "digits --lr=0.1", "--lr is not an option here. Did you mean --learning-rate?"),
        (experiment, "digits --epochs 3", "--epochs is not an option here. Did you mean --steps?"),
        (speedrun, "wide --epochs 3", "--epochs is not an option here. Did you mean --sides?"),
        (experiment, "--resume nowhere --wd 3", "--wd is not an option here. Did you mean --weight-decay?"),
        (
            experiment,
            "digits --precision tf32 --device cpu",
            "--precision tf32 works on CUDA devices only, got",
        ),
    ],
)
def test_one_line_says_what_is_allowed(
    each: Any, arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert each.EXPERIMENT.main(arguments.split()) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1
    assert not list(Path().glob("*/checkpoints"))


def test_an_empty_word_is_no_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """It would have been the folder that the command was started in."""
    assert experiment.EXPERIMENT.main(["digits", "--out", ""]) == 1
    assert "error: --out must be a path, got an empty text" in capsys.readouterr().err
    assert list(Path().iterdir()) == []


@dataclass(frozen=True)
class Broken(ResNetConfig):
    """Somebody's experiment, which has a mistake in one of its parts."""

    where: str = "build"

    def recipe(self, n: int | None = None) -> Recipe:
        if self.where == "recipe":
            raise ValueError("a bug")
        return super().recipe(n)

    def build(self, train: Any) -> nn.Module:
        if self.where == "build":
            raise ValueError("a bug")
        if self.where == "forward":

            class Wrong(nn.Module):
                def __init__(self) -> None:
                    super().__init__()
                    self.weight = nn.Parameter(torch.ones(1))

                def forward(self, images: torch.Tensor) -> torch.Tensor:
                    raise ValueError("a bug")

            return Wrong()
        return super().build(train)


@pytest.mark.parametrize("where", ["recipe", "build", "forward"])
def test_a_bug_keeps_its_traceback(where: str) -> None:
    config = Broken(data="digits", where=where)
    theirs = Experiment("theirs", "Theirs.", Broken, {"it": Preset("It.", config)}, "it", Path("records"))
    with pytest.raises(ValueError, match="a bug") as caught:
        theirs.main(["it", "--out", "run"])
    assert caught.traceback[-1].name == where


def test_what_is_no_number_is_still_json() -> None:
    values = {"a": float("nan"), "b": [float("-inf"), (1, 2.5)], "c": {"d": float("inf"), "e": "NaN"}}
    expected = {"a": None, "b": [None, [1, 2.5]], "c": {"d": None, "e": "NaN"}}
    assert json.loads(to_json(values)) == expected
    write_json(Path("a.json"), values)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    assert json.loads(Path("a.json").read_text(), parse_constant=refuse) == expected
