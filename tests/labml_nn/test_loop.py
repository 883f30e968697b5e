"""The training loop by itself: without a command, a folder of notes or a progress bar."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small_runs import CPU
from torch import nn

from labml_nn.data.small import make_synthetic
from labml_nn.training import CheckpointFolder, Diverged, Loop, Normalize, Recipe, Trainer, loop

TRAIN, HELD_OUT = make_synthetic(256, 64, side=4)


def recipe(learning_rate: float = 0.01) -> Recipe:
    return Recipe(
        steps=12,
        batch_size=64,
        learning_rate=learning_rate,
        momentum=0.9,
        weight_decay=1e-4,
        milestones=(),
        schedule="cosine",
        warmup_steps=0,
        warmup_factor=1,
        padding=1,
        flip=True,
        seed=3,
    )


def new_loop(folder: Path, learning_rate: float = 0.01, checkpoint_steps: int | None = None) -> Loop:
    torch.manual_seed(0)
    drop = nn.Dropout(0.5)  # draws in every step
    layers = nn.Flatten(), nn.Linear(48, 32), drop, nn.Linear(32, 10)
    model = nn.Sequential(Normalize(*TRAIN.mean_and_std()), *layers)
    trainer = Trainer(model, TRAIN, recipe(learning_rate), CPU)
    return Loop(trainer, CheckpointFolder(folder, keep=9), HELD_OUT, checkpoint_steps=checkpoint_steps)


def after(steps: int, of: Loop) -> Callable[[], bool]:
    return lambda: of.trainer.step >= steps


def test_all_steps_are_taken_and_told(tmp_path: Path) -> None:
    whole = new_loop(tmp_path)
    steps: list[int] = []
    epochs: list[tuple[int, set[str]]] = []
    assert whole.run(
        on_step=lambda: steps.append(whole.trainer.step),
        on_epoch=lambda step, values: epochs.append((step, set(values))),
    )
    assert steps == list(range(1, 13))
    names = {"loss.train", "accuracy.train", "loss.valid", "accuracy.valid", "learning_rate"}
    assert epochs == [(step, names | {"images_per_second"}) for step in (4, 8, 12)]
    assert whole.checkpoints.load_last().step == 12
    assert whole.checkpoints.best.exists()
    assert whole.run()  # nothing is left to do


def test_without_images_held_out_nothing_is_measured_on_them(tmp_path: Path) -> None:
    whole = new_loop(tmp_path)
    whole.held_out = None
    assert whole.run(on_epoch=lambda step, values: values.pop("loss.train"))
    assert not whole.checkpoints.best.exists()
    assert whole.progress.keys() == {"seconds", "best", "learning_rate"}


@pytest.mark.parametrize("at", [0, 1, 5, 8, 11])
def test_a_loop_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path, at: int) -> None:
    whole = new_loop(tmp_path / "whole")
    assert whole.run()
    parts = new_loop(tmp_path / "parts")
    assert not parts.run(should_stop=after(at, parts))
    assert parts.checkpoints.load_last().step == at
    fresh = new_loop(tmp_path / "parts")
    torch.rand(7)  # whatever was drawn in between does not matter
    fresh.resume()
    assert fresh.trainer.step == at
    assert fresh.run()
    one, two = (each.trainer.plain_model.state_dict() for each in (whole, fresh))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert whole.progress["best"] == fresh.progress["best"]


def test_weights_that_are_no_longer_numbers_are_not_saved(tmp_path: Path) -> None:
    diverging = new_loop(tmp_path, learning_rate=1e30, checkpoint_steps=1)
    with pytest.raises(Diverged, match="the loss is no longer a number, since step") as caught:
        diverging.run()
    step = int(str(caught.value).rpartition(" ")[2])
    assert [path.name for path in diverging.checkpoints.paths()] == [
        f"step-{saved:08d}.pt" for saved in range(1, step + 1)
    ]


def code_lines(path: Path) -> int:
    """How many lines hold code, and not only prose."""
    text = path.read_text("utf-8")
    prose = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    nothing = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
    }  # fmt: skip
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in nothing
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - prose)


def test_the_loop_is_as_short_as_the_map_says() -> None:
    assert 300 < code_lines(Path(str(loop.__file__))) < 340


def test_training_can_be_read_without_the_rest() -> None:
    """It knows no command line and no progress bar. That it imports no runs is a contract of `make lint` too."""
    for path in Path(str(loop.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                name = (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
                assert not name.startswith(("labml_nn.runs", "labml_nn.resnet", "tyro", "tqdm", "labml.")), (
                    path
                )
