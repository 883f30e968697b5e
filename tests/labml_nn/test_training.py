"""Training: the same weights however often a run is killed, and the same curve on any number of processes."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import time
import typing
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from sampling import EVERYTHING
from small_runs import CPU, TINY, checkpoint, command, environment, execute, last, metrics
from torch import nn

from labml_nn.data import DataError, batch_indices, random_generator
from labml_nn.data.pictures import read_picture
from labml_nn.data.small import make_synthetic
from labml_nn.resnet import experiment, predict, speedrun
from labml_nn.resnet.experiment import PRESETS, ResNetConfig
from labml_nn.runs.command import Experiment
from labml_nn.runs.config import check_limits
from labml_nn.runs.loading import load_model
from labml_nn.training import Diverged, Recipe, Totals, Trainer, ends_epoch, evaluate
from labml_nn.training.checkpoint import (
    Checkpoint,
    CheckpointError,
    CheckpointFolder,
    load,
    random_state,
    save,
    set_random_state,
)
from labml_nn.training.machine import Machine, find_machine
from labml_nn.training.schedule import part_left


def recipe(**values: object) -> Recipe:
    return ResNetConfig(**values).recipe()  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_papers_learning_rate() -> None:
    paper = PRESETS["resnet110"].config.recipe()
    assert [paper.rate(step) for step in (0, 399, 400, 31_999)] == pytest.approx([0.01, 0.01, 0.1, 0.1])
    assert [paper.rate(step) for step in (32_000, 47_999, 48_000)] == pytest.approx([0.01, 0.01, 0.001])


def test_the_papers_presets() -> None:
    for name in ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"):
        config = PRESETS[name].config
        assert name == f"resnet{6 * config.blocks + 2}"
        assert (config.batch_size, config.learning_rate, config.momentum) == (128, 0.1, 0.9)
        assert (config.steps, config.weight_decay, config.shortcut) == (64_000, 1e-4, "pad")


def test_cosine_falls_to_zero() -> None:
    cosine = recipe(steps=100, learning_rate=1.0, schedule="cosine")
    assert [cosine.rate(step) for step in (0, 50, 100)] == pytest.approx([1, 0.5, 0])


def formulas(steps: int, rate: float) -> dict[str, Callable[[int], float]]:
    """How the rates of runs were computed that are recorded, and of checkpoints that were saved."""
    return {
        "steps": lambda step: rate * 0.1 ** sum(step >= at for at in (3, 200)),
        "cosine": lambda step: rate / 2 * (1 + math.cos(math.pi * step / steps)),
        "linear": lambda step: rate * (1 - step / steps),
    }


@pytest.mark.parametrize("word", ["steps", "cosine", "linear"])
@pytest.mark.parametrize(("steps", "rate"), [(2816, 0.1), (437, 0.17), (7, 3e-4)])
def test_rates_are_those_of_the_formulas_to_the_bit(word: str, steps: int, rate: float) -> None:
    plan = replace(recipe(), steps=steps, learning_rate=rate, milestones=(3, 200), warmup_steps=2)
    plan = replace(plan, schedule=word)
    formula = formulas(steps, rate)[word]
    assert plan.rate(1) == rate * 0.1
    assert [plan.rate(step) for step in range(2, steps)] == [formula(step) for step in range(2, steps)]


@pytest.mark.parametrize("word", ["cosin", "Steps", "", "linear "])
def test_an_unknown_schedule_is_refused(word: str) -> None:
    """Also where the warm-up would have hidden it. It was once taken for milestones."""
    message = f"the schedule {word!r} is not known; choose one of steps, cosine, linear"
    with pytest.raises(ValueError, match=message):
        replace(recipe(warmup_steps=10), schedule=word)
    with pytest.raises(ValueError, match=message):
        part_left(word, 0, 1, ())


def epoch_ends(of: Recipe, n: int) -> list[int]:
    return [step for step in range(1, of.steps + 1) if ends_epoch(of, n, step)]


def test_epochs_end_where_all_images_were_seen() -> None:
    assert epoch_ends(recipe(steps=10, batch_size=3), 10) == [4, 7, 10]
    assert epoch_ends(recipe(steps=5, batch_size=5), 10) == [2, 4, 5]
    assert epoch_ends(recipe(steps=3, batch_size=64), 10_000) == [3]
    # A last epoch of one step is none.
    assert epoch_ends(recipe(steps=1408, batch_size=256), 45_000)[-2:] == [1231, 1408]
    # Nothing is listed beforehand: a run may have any number of epochs.
    endless = recipe(steps=10**18, batch_size=10**18)
    assert ends_epoch(endless, 1, 1) and ends_epoch(endless, 1, 10**18)


def test_totals_find_the_first_bad_step() -> None:
    totals = Totals.on(torch.device("cpu"))
    logits, labels = torch.eye(4), torch.tensor([0, 1, 2, 0])
    totals.add(7, torch.tensor(1.5), logits, labels)
    loss, accuracy, _ = totals.read(CPU)
    assert (loss, accuracy) == (1.5, 0.75)
    for step in (8, 9):
        totals.add(step, torch.tensor(float("nan")), logits, labels)
    with pytest.raises(Diverged, match="the loss is no longer a number, since step 8"):
        totals.read(CPU)


def test_totals_of_nothing_can_be_read() -> None:
    """A run may be stopped right after an epoch, when the next one has seen no image yet."""
    assert Totals.on(torch.device("cpu")).read(CPU)[:2] == (0, 0)


def model_for(config: ResNetConfig) -> nn.Module:
    return config.build(make_synthetic(8, 8)[0])


def test_a_step_is_that_of_the_formula() -> None:
    """Momentum, weight decay and learning rate as the page writes them, on a model of one weight matrix."""
    train, _ = make_synthetic(64, 10, side=4)
    plan = recipe(steps=10, batch_size=16, learning_rate=0.1, weight_decay=0.01, padding=0, flip=False)
    linear = nn.Linear(48, 10, bias=False)
    model = nn.Sequential(nn.Flatten(), linear)

    class Floats(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = model(x.float() / 255)
            return out

    whole = Floats()
    whole.inner = model
    weight = linear.weight.detach().clone().double()
    velocity = torch.zeros_like(weight)
    trainer = Trainer(whole, train, plan, CPU)
    for step in range(3):
        indices = batch_indices(64, 16, step, 0)
        x = train.images[indices].flatten(1).double() / 255
        p = (x @ weight.T).softmax(dim=1)
        p[torch.arange(16), train.labels[indices]] -= 1
        velocity = 0.9 * velocity + p.T @ x / 16 + 0.01 * weight
        weight = weight - 0.1 * velocity
        trainer.take_step()
        torch.testing.assert_close(linear.weight.detach().double(), weight, atol=1e-5, rtol=1e-4)


@pytest.mark.thorough
def test_digits_reach_98_percent(tmp_path: Path) -> None:
    assert experiment.EXPERIMENT.main(["digits", "--out", "run"]) == 0
    result = json.loads(Path("run/result.json").read_text())
    assert result["valid_accuracy"] >= 0.98
    keys = {"config", "data", "seed", "versions", "machine", "seconds", "images_per_second", "epochs"}
    assert keys | {"valid_accuracy", "test_accuracy"} <= set(result)
    assert result["test_accuracy"] is None
    assert result["epochs"] == pytest.approx(600 * 64 / (1437 - 360), abs=0.01)
    assert len(metrics(Path("run"))) == len(epoch_ends(PRESETS["digits"].config.recipe(), 1437 - 360))

    Image.fromarray(
        __import__("sklearn.datasets").datasets.load_digits().images[0].astype("uint8") * 15
    ).resize((64, 64)).save("zero.png")
    model, classes, channels, side = load_model(Path("run"))
    probabilities = predict.predict(model, read_picture(Path("zero.png"), channels, side))
    assert classes[int(probabilities.argmax())] == "0"
    assert float(probabilities.sum()) == pytest.approx(1)


def test_final_touches_the_test_set_once_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def spy(*arguments: object) -> tuple[float, float]:
        seen.append(arguments)
        return evaluate(*arguments)  # type: ignore[arg-type]

    for module in ("labml_nn.training.loop", "labml_nn.runs.run"):
        monkeypatch.setattr(f"{module}.evaluate", spy)
    assert experiment.EXPERIMENT.main([*TINY, "--steps", "70", "--final", "--out", "run"]) == 0
    assert len(seen) == 1
    result = json.loads(Path("run/result.json").read_text())
    assert result["valid_accuracy"] is None
    assert 0 <= result["test_accuracy"] <= 1


def assert_same_weights(one: Checkpoint, two: Checkpoint) -> None:
    assert one.step == two.step
    assert one.model.keys() == two.model.keys()
    for name, tensor in one.model.items():
        assert torch.equal(tensor, two.model[name]), name


def test_resumed_run_has_the_weights_of_an_uninterrupted_one() -> None:
    options = [*TINY, "--steps", "90", "--checkpoint-steps", "7"]
    assert execute(*options, "--out", "whole").returncode == 0
    process = subprocess.Popen(
        command(*options, "--out", "parts"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    while not list(Path("parts").glob("checkpoints/step-*.pt")):
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Go on with: python -m labml_nn.resnet.experiment --resume parts\n" in output
    assert 0 < last(Path("parts")).step < 90
    assert execute("--resume", "parts").returncode == 0
    assert_same_weights(last(Path("whole")), last(Path("parts")))
    steps = [line["step"] for line in metrics(Path("parts"))]
    assert steps == [line["step"] for line in metrics(Path("whole"))]


def test_killed_at_random_again_and_again_the_weights_are_the_same() -> None:
    options = [*TINY, "--steps", "240", "--checkpoint-steps", "3"]
    assert execute(*options, "--out", "whole").returncode == 0
    draw = random.Random(0)
    kills, arguments = 0, [*options, "--out", "killed"]
    while kills < (5 if EVERYTHING else 1):
        process = subprocess.Popen(
            command(*arguments), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        before = {path.name for path in Path("killed").glob("checkpoints/step-*.pt")}
        while process.poll() is None:
            if {path.name for path in Path("killed").glob("checkpoints/step-*.pt")} - before:
                break
            time.sleep(0.005)
        assert process.poll() is None, "the run was over before it could be killed often enough"
        time.sleep(draw.uniform(0, 0.12))
        process.kill()
        process.wait()
        kills += 1
        reached = last(Path("killed")).step
        assert reached < 240
        arguments = ["--resume", "killed"]
    assert execute("--resume", "killed").returncode == 0
    assert_same_weights(last(Path("whole")), last(Path("killed")))
    assert not list(Path("killed").rglob(".*.pt.*"))


@pytest.mark.thorough
def test_two_processes_follow_the_curve_of_one() -> None:
    options = [*TINY[:5], "--channels", "8", "16", "16", "--batch-size", "128", *TINY[-6:]]
    options += ["--steps", "96", "--learning-rate", "0.2"]
    assert execute(*options, "--out", "one").returncode == 0
    launcher = ("torch.distributed.run", "--nproc-per-node=2", "--standalone")
    result = execute(*options, "--out", "two", launcher=launcher)
    assert result.returncode == 0, result.stderr[-2000:]
    one, two = ([line["loss.train"] for line in metrics(Path(name))] for name in ("one", "two"))
    assert len(one) == len(two) >= 8
    assert two == pytest.approx(one, abs=0.1)  # their normalizations see halves of the batch
    assert one[-1] < one[0] - 0.5
    assert json.loads(Path("two/result.json").read_text())["machine"].startswith("2 × ")


def test_batch_that_cannot_be_shared(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "labml_nn.runs.command.find_machine", lambda *a: Machine(torch.device("cpu"), world=3)
    )
    monkeypatch.setattr(
        "labml_nn.runs.command.process_group", lambda machine: __import__("contextlib").nullcontext()
    )
    assert experiment.EXPERIMENT.main([*TINY, "--out", "run"]) == 1
    assert "a batch of 32 cannot be shared by 3 processes; choose a multiple" in capsys.readouterr().err


def test_diverging_run_names_the_step_and_the_last_good_checkpoint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = [*TINY, "--steps", "64", "--checkpoint-steps", "2", "--learning-rate", "1e6", "--out", "run"]
    assert experiment.EXPERIMENT.main(options) == 1
    error = capsys.readouterr().err
    assert "the loss is no longer a number, since step" in error
    assert "Try a smaller --learning-rate" in error
    for path in Path("run/checkpoints").glob("*.pt"):
        assert f"The last good checkpoint is {path.parent}" in error


def test_second_run_in_a_folder_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert experiment.EXPERIMENT.main([*TINY, "--steps", "2", "--out", "run"]) == 0
    assert experiment.EXPERIMENT.main([*TINY, "--steps", "2", "--out", "run"]) == 1
    assert "run holds another run; go on with it by --resume run" in capsys.readouterr().err
    assert experiment.EXPERIMENT.main(["--resume", "run", "--steps", "1"]) == 1
    assert "run has taken 2 steps already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume", "nowhere"], "nowhere/config.json cannot be read"),
        (["--resume"], "--resume needs the folder of a run"),
        (["digits", "--device", "cuda:77"], "the device 'cuda:77' is not there"),
        (["digits", "--device", "cpu", "--sync-bn"], "--sync-bn works on CUDA devices only, got 'cpu'"),
        (["digits", "--keep", "0", "--out", "x"], "--keep must be from 1 to 1,000,000, got 0"),
        (["digits", "--device", "meta"], "the device 'meta' is not there"),
        (["--resume=nowhere"], "nowhere/config.json cannot be read"),
    ],
)
def test_what_cannot_be_run_is_said(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert experiment.EXPERIMENT.main(arguments) == 1
    assert message in capsys.readouterr().err


def kinds_in(hint: Any) -> set[Any]:
    parts = typing.get_args(hint)
    return set().union(*map(kinds_in, parts)) if parts else {hint}


NUMBERS = [
    (each, name)
    for each in (experiment.EXPERIMENT, speedrun.EXPERIMENT)
    for name, hint in typing.get_type_hints(each.config).items()
    if {int, float} & kinds_in(hint) and typing.get_origin(hint) is not typing.ClassVar
]


@pytest.mark.parametrize(("each", "name"), NUMBERS, ids=[f"{e.module[13:]} {name}" for e, name in NUMBERS])
def test_numbers_that_make_no_sense_are_named(
    each: Experiment[Any], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the command line, and in the folder of a run. Every field that is a number has limits."""
    config = each.presets[each.default].config
    low, high = config.limits()[name]
    kind = typing.get_type_hints(each.config)[name]
    count = 3 if name == "channels" else 1
    data = ["--data", "folder:pictures"] if name == "image_side" else []

    def option(value: float) -> list[str]:
        words = ["32", str(value)] if name == "sides" else [str(value)] * count
        return [each.default, *data, f"--{name.replace('_', '-')}", *words]

    for value in (low - 1, high * 2 if high > 0 else high + 1):
        assert each.main([*option(value), "--out", "x"]) == 1
        assert f"error: --{name.replace('_', '-')} must be from " in capsys.readouterr().err
    assert not Path("x").exists()
    if kind is float:
        assert each.main(option(math.nan)) == 1
        assert "got nan" in capsys.readouterr().err
    bad: Any = [[1, -1]] if name == "sides" else [-1] * 3 if name == "channels" else -(2**70)
    bad = [bad] if name == "milestones" else bad
    saved = {name: bad, **({"data": data[1]} if data else {})}
    Path("config.json").write_text(
        json.dumps({"module": each.module, "preset": each.default, "config": saved})
    )
    assert each.main(["--resume", "."]) == 1
    assert f"error: --{name.replace('_', '-')} must be from " in capsys.readouterr().err


@pytest.mark.parametrize("each", [experiment.EXPERIMENT, speedrun.EXPERIMENT], ids=["experiment", "speedrun"])
def test_every_preset_is_within_the_limits(each: Experiment[Any]) -> None:
    for preset in each.presets.values():
        check_limits(preset.config)
    assert {name for other, name in NUMBERS if other is each} == set(preset.config.limits())


def test_the_speed_run_needs_a_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert speedrun.EXPERIMENT.main("speedrun --data synthetic --sides".split()) == 1
    assert "--sides needs at least one pair, got none" in capsys.readouterr().err


def test_unknown_option_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        experiment.EXPERIMENT.main(["digits", "--lerning-rate", "1"])
    assert "--learning-rate" in capsys.readouterr().err


def test_without_a_preset_it_is_resnet20() -> None:
    assert experiment.EXPERIMENT.parse(["--seed", "3"])[:2] == ("resnet20", ResNetConfig(seed=3))


def test_every_field_has_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        experiment.EXPERIMENT.main(["quick", "--help"])
    shown = capsys.readouterr().out
    for field in fields(ResNetConfig):
        assert f"--{field.name.replace('_', '-')}" in shown or f"--no-{field.name.replace('_', '-')}" in shown


def test_no_more_checkpoints_are_removed_than_are_too_many(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, keep=4)
    for step in range(6):
        folder.save(checkpoint(step))
        assert len(folder.paths()) == min(step + 1, 4)


def test_last_and_best_checkpoints_are_kept(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, keep=2)
    for step in range(5):
        folder.save(checkpoint(step), is_best=step == 1)
    assert [path.name for path in folder.paths()] == ["step-00000003.pt", "step-00000004.pt"]
    assert load(folder.best).step == 1


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_damaged_checkpoints_with_higher_numbers_take_nobodys_place(tmp_path: Path, keep: int) -> None:
    """A run that goes on from before them saves steps with lower numbers than theirs, which have to stay."""
    folder = CheckpointFolder(tmp_path, keep)
    folder.save(checkpoint(10))
    for step in range(20, 20 + keep):
        (tmp_path / f"step-{step:08d}.pt").write_text("damaged")
    (tmp_path / "step-notes.pt").write_text("not ours")
    for step in (11, 12, 13, 14):
        assert folder.save(checkpoint(step)).exists()
        with pytest.warns(UserWarning, match=r"step-00000020\.pt is no checkpoint of ours"):
            assert folder.load_last().step == step
    good = [path.name for path in folder.paths() if path.name < "step-00000020.pt"]
    assert good == [f"step-{step:08d}.pt" for step in range(15 - keep, 15)]
    # Once the run is past the damaged ones, they are removed like all that are older.
    for step in (30, 31, 32):
        folder.save(checkpoint(step))
    assert [load(path).step for path in folder.paths()[1:]] == [30, 31, 32][-keep:]
    assert (tmp_path / "step-notes.pt").read_text() == "not ours"


def test_checkpoints_are_in_the_order_of_their_steps(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, keep=2)
    (tmp_path / "step-00000001.pt").mkdir()
    for step in (99_999_998, 99_999_999, 100_000_000, 100_000_001):
        folder.save(checkpoint(step))
    assert folder.load_last().step == 100_000_001
    assert [path.name for path in folder.paths()[1:]] == ["step-100000000.pt", "step-100000001.pt"]


def test_names_of_folders_are_harmless_on_a_terminal(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path / "a\x1b]0;title\x07\u202e\x9b2J\r", keep=2)
    folder.save(checkpoint(1))
    (folder.folder / "step-00000002.pt").write_text("x")
    with pytest.warns(UserWarning, match=r"(?s)a\\x1b\]0;title\\x07\\u202e\\x9b2J.*Going on from") as caught:
        assert folder.load_last().step == 1
    assert all(line.isprintable() for line in str(caught[0].message).split("\n"))


def test_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, keep=3)
    folder.save(checkpoint(1))
    path = folder.save(checkpoint(2))
    whole = path.read_bytes()
    for cut in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(CheckpointError, match="is no checkpoint of ours, or it is damaged"):
            load(path)
        with pytest.warns(UserWarning, match="(?s)is damaged.*Going on from .*step-00000001.pt"):
            assert folder.load_last().step == 1


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (open, ("harm", "w"))  # type: ignore[return-value]


def test_pickle_in_a_checkpoint_is_never_run(tmp_path: Path) -> None:
    torch.save({"step": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match="is no checkpoint of ours"):
        load(tmp_path / "evil.pt")
    assert not Path("harm").exists()
    with pytest.raises(CheckpointError, match="does not exist"):
        load(tmp_path / "none.pt")
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        CheckpointFolder(tmp_path / "empty", 1).load_last()


def test_full_disk_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pt"
    save(checkpoint(1), path)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"a\.pt cannot be written: No space left"):
        save(checkpoint(2), path)
    assert load(path).step == 1
    assert [file.name for file in tmp_path.iterdir()] == ["a.pt"]


def test_random_state_comes_back() -> None:
    import numpy as np

    state = random_state()
    drawn = torch.rand(3), np.random.rand(), random.random()
    set_random_state(state)
    again = torch.rand(3), np.random.rand(), random.random()
    assert torch.equal(drawn[0], again[0])
    assert drawn[1:] == again[1:]


def test_devices() -> None:
    assert find_machine("cpu", "float32").bfloat16 is False
    assert find_machine("cpu", "bfloat16").bfloat16 is True
    with pytest.raises(ValueError, match="the device 'nonsense' is not there"):
        find_machine("nonsense")


@pytest.mark.parametrize("picture", ["missing.png", "text.png"])
def test_what_is_no_picture(picture: str) -> None:
    Path("text.png").write_text("no picture")
    with pytest.raises(DataError, match=r"missing\.png does not exist|text\.png is not a picture"):
        read_picture(Path(picture), 3, 32)


def test_unwritable_logs_do_not_stop_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**arguments: object) -> None:
        raise PermissionError("logs/")

    monkeypatch.setattr("labml.experiment.create", fail)
    with pytest.warns(UserWarning, match="labml keeps no notes of this run: PermissionError"):
        assert experiment.EXPERIMENT.main([*TINY, "--steps", "2", "--out", "run"]) == 0
    assert Path("run/result.json").is_file()


def test_a_server_that_is_not_there_does_not_stop_a_run(tmp_path: Path) -> None:
    """In a process of its own, because labml's settings are global."""
    arguments = [*TINY, "--steps", "2", "--out", "run", "--app-url", "http://127.0.0.1:9/api"]
    found = subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        env=environment() | {"PYTHONWARNINGS": "default"},
        timeout=120,
    )
    assert found.returncode == 0, found.stderr
    assert "the labml server at http://127.0.0.1:9/api does not answer" in found.stderr
    assert Path("run/result.json").is_file()


def test_seeds_decide() -> None:
    assert torch.equal(
        torch.rand(2, generator=random_generator(1, 2)), torch.rand(2, generator=random_generator(1, 2))
    )
    one, two = (model_for(ResNetConfig(blocks=1, seed=seed)) for seed in (0, 1))
    assert not torch.equal(next(one.parameters()), next(two.parameters()))
