"""Going on with a run: what may change, what that does, and what stays as if nothing had happened."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import CPU, last, metrics
from torch import nn

from labml_nn.data import batch_indices
from labml_nn.data.small import load_digits, make_synthetic
from labml_nn.resnet import experiment, speedrun
from labml_nn.resnet.experiment import PRESETS, ResNetConfig
from labml_nn.runs.command import Experiment
from labml_nn.runs.config import FREE, NOTED, find_changes
from labml_nn.runs.files import RunFailed
from labml_nn.training import CheckpointFolder, Loop, Normalize, Recipe, Trainer
from labml_nn.training.checkpoint import load, save
from labml_nn.training.machine import Machine

MAIN = experiment.EXPERIMENT.main
SMALL = "digits --blocks 1 --channels 2 2 2 --valid-images 64 --precision float32 --schedule cosine".split()


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def stop_after(step: int, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run a command, which gets a signal after this step."""
    plain = Trainer.take_step

    def take(trainer: Trainer) -> None:
        plain(trainer)
        if trainer.step == step:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "take_step", take)
        return MAIN(list(arguments))


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The folder of a run that was to take 8 steps of 64 images, and was stopped after 4."""
    assert stop_after(4, monkeypatch, *SMALL, "--steps", "8", "--out", "run") == 130
    capsys.readouterr()
    return Path("run")


def saved(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "config.json").read_text())["config"]
    return found


def result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return found


def files_of(folder: Path) -> dict[Path, bytes]:
    """What a run has written. labml's own thread may write its logs a little later."""
    paths = (path for path in folder.rglob("*") if path.is_file() and "logs" not in path.parts)
    return {path: path.read_bytes() for path in paths}


# --- Every option


@pytest.mark.parametrize("each", [experiment.EXPERIMENT, speedrun.EXPERIMENT], ids=["experiment", "speedrun"])
def test_it_is_decided_for_every_option_whether_it_may_change(each: Experiment[Any]) -> None:
    config = each.presets[each.default].config
    rules = config.resume_rules()
    assert set(rules) == {field.name for field in fields(config)}
    assert all(rule in (FREE, NOTED) or rule.count(" ") > 2 for rule in rules.values())
    refused = {name for name, rule in rules.items() if rule not in (FREE, NOTED)}
    assert refused == {"data", "image_side", "valid_images", "final", "seed", "init", "out"}
    result_depends = set(config.result_depends_on())
    assert not {name for name, rule in rules.items() if rule == FREE} & result_depends


def test_an_option_that_nobody_has_decided_on_may_not_change() -> None:
    config = ResNetConfig()
    before = {"momentum": 0.5, "keep": 1, "gone": 3}
    assert find_changes(config, before) == {"momentum": (0.5, 0.9)}

    class Undecided(ResNetConfig):
        def resume_rules(self) -> dict[str, str]:
            return {}

    with pytest.raises(RunFailed, match="--momentum cannot change when a run goes on: nobody has said"):
        find_changes(Undecided(), {"momentum": 0.5})


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (
            "--final",
            "--final cannot change when a run goes on: the run would be measured with images that it ",
        ),
        ("--valid-images 32", "--valid-images cannot change when a run goes on: the run would be measured"),
        ("--data synthetic", "--data cannot change when a run goes on: the run would be measured"),
        ("--seed 3", "--seed cannot change when a run goes on: no seed could repeat the result"),
        ("--out other", "--out cannot change when a run goes on: a run stays in its folder"),
    ],
)
def test_what_may_not_change_is_refused_with_a_sentence(
    options: str, what: str, stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_of(stopped)
    assert MAIN(["--resume", "run", *options.split()]) == 1
    error = capsys.readouterr().err
    assert what in error and "Leave it out, or start anew with another --out." in error
    assert files_of(stopped) == before


def test_a_run_may_move_but_keeps_its_images(
    stopped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder named in another way is no change; other files under the same name are."""
    stopped.rename("moved")
    plain = load_digits

    def other() -> Any:
        train, test = plain()
        train.images[7, 0, 3, 3] ^= 1
        return train, test

    with monkeypatch.context() as patch:
        patch.setattr("labml_nn.runs.config.load_digits", other)
        assert MAIN(["--resume", "moved"]) == 1
    error = capsys.readouterr().err
    assert "moved was trained on 1,373 images of 1 × 8 × 8 with hash " in error and "but these are" in error
    assert MAIN(["--resume", str(Path("moved").absolute())]) == 0
    assert result(Path("moved"))["changes"] == []


def test_a_folder_that_was_not_named_is_gone_on_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stop_after(2, monkeypatch, *SMALL, "--steps", "4") == 130
    (folder,) = Path("runs").iterdir()
    assert MAIN(["--resume", str(folder)]) == 0


def test_a_final_run_stays_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Also if somebody has edited its configuration: what the checkpoint says counts."""
    assert stop_after(2, monkeypatch, *SMALL, "--steps", "4", "--final", "--out", "run") == 130
    assert MAIN(["--resume", "run", "--no-final"]) == 1
    assert "--final cannot change when a run goes on" in capsys.readouterr().err
    path = Path("run/config.json")
    path.write_text(path.read_text().replace('"final": true', '"final": false'))
    assert MAIN(["--resume", "run"]) == 1
    assert "--final cannot change when a run goes on" in capsys.readouterr().err


def test_changed_options_have_an_effect_and_are_in_the_history(
    stopped: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[dict[str, Any]] = []
    plain = Trainer.take_step

    def take(trainer: Trainer) -> None:
        plain(trainer)
        seen.append(trainer.optimizer.param_groups[0])

    monkeypatch.setattr(Trainer, "take_step", take)
    assert MAIN(["--resume", "run", "--weight-decay", "0.25", "--momentum", "0.5", "--keep", "2"]) == 0
    assert {(group["weight_decay"], group["momentum"]) for group in seen} == {(0.25, 0.5)} and len(seen) == 4
    changes = ["after step 4: --momentum 0.9 → 0.5", "after step 4: --weight-decay 0.0005 → 0.25"]
    assert last(stopped).progress["changes"] == result(stopped)["changes"] == changes
    assert saved(stopped)["weight_decay"] == 0.25
    assert all(line in capsys.readouterr().out for line in changes[:1])


def test_a_longer_schedule_says_what_happens_to_the_learning_rate(
    stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert MAIN(["--resume", "run", "--steps", "12"]) == 0
    out = capsys.readouterr().out
    assert "after step 4: --steps 8 → 12" in out
    # Half a cosine wave over 8 steps, after three of them, and over 12 after four
    assert "The learning rate was 0.0691 in the last step and is 0.075 in the next." in out


def test_the_options_of_an_attempt_that_fails_do_not_stay(
    stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (stopped / "config.json").read_text()
    assert MAIN(["--resume", "run", "--learning-rate", "1e6", "--weight-decay", "1e6"]) == 1
    assert "the loss is no longer a number" in capsys.readouterr().err
    assert (stopped / "config.json").read_text() == before
    assert MAIN(["--resume", "run"]) == 0
    assert result(stopped)["changes"] == []
    assert result(stopped)["config"]["learning_rate"] == 0.1


def test_a_run_that_was_changed_is_not_recorded(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = last(stopped)
    changed = {**found.progress, "changes": ["after step 2: --steps 9 → 8"]}
    save(replace(found, progress=changed), stopped / "checkpoints/step-00000004.pt")
    config = PRESETS["digits"].config
    for path in [stopped / "config.json"]:
        values = json.loads(path.read_text())
        path.write_text(json.dumps({**values, "config": {**values["config"], "blocks": 1}}))
    assert config.blocks == 3
    assert MAIN(["--resume", "run", "--record"]) == 1
    assert "--record is for runs of a preset as it is" in capsys.readouterr().err


# --- The position


@pytest.mark.parametrize("batch", [32, 48, 128])
def test_another_batch_size_goes_on_after_the_same_images(
    batch: int, stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the images were seen, half of the rate is gone, and as many images are left as before."""
    seen: list[int] = []
    rates: list[float] = []
    plain = Recipe.draw

    def draw(recipe: Recipe, *arguments: Any) -> Any:
        seen.append(arguments[3])
        return plain(recipe, *arguments)

    monkeypatch.setattr(Recipe, "draw", draw)
    monkeypatch.setattr(Recipe, "set_rates", lambda recipe, optimizer, step: rates.append(recipe.rate(step)))
    assert MAIN(["--resume", "run", "--batch-size", str(batch)]) == 0
    assert seen == list(range(4 * 64, 8 * 64, batch))
    assert rates[-len(seen)] == pytest.approx(0.05, rel=0.15 if batch == 48 else 1e-9)
    found = last(stopped)
    assert found.step == 4 + len(seen)
    assert found.images == 4 * 64 + len(seen) * batch
    assert saved(stopped)["steps"] == round(8 * 64 / batch)
    done = result(stopped)
    assert (done["steps"], done["epochs"]) == (found.step, round(found.images / 1373, 2))
    assert metrics(stopped)[-1]["epoch"] == done["epochs"]
    assert "after step 4: --batch-size 64 → " + str(batch) in done["changes"]
    assert MAIN(["--resume", "run"]) == 0
    assert last(stopped).step == found.step


def test_lengths_on_the_command_line_are_in_the_new_batches(stopped: Path) -> None:
    assert MAIN(["--resume", "run", "--batch-size", "32", "--steps", "9"]) == 0
    assert last(stopped).images == 9 * 32


def test_the_speed_run_goes_on_where_it_was() -> None:
    """It was at step 200 of 428, and at step 200 of 855 then."""
    config = speedrun.PRESETS["speedrun"].config
    whole, half = config.recipe(45_000), replace(config, batch_size=500).recipe(45_000)
    assert abs(whole.images - half.images) <= 500
    seen = 200 * whole.batch_size
    assert half.rate(seen / 500) == pytest.approx(whole.rate(200), rel=2e-3)
    assert half.side(seen / 500) == whole.side(200)
    one = batch_indices(45_000, 1000, 200, 0)
    two = [batch_indices(45_000, 500, step, 0, seen + 500 * k) for k, step in enumerate((200, 201))]
    assert torch.equal(torch.cat(two), one)


def new_loop(folder: Path, machine: Machine = CPU) -> Loop:
    train, held_out = make_synthetic(256, 64, side=4)
    torch.manual_seed(0)
    layers = nn.Flatten(), nn.Linear(48, 32), nn.Dropout(0.5), nn.Linear(32, 10)
    model = nn.Sequential(Normalize(*train.mean_and_std()), *layers)
    recipe = replace(PRESETS["digits"].config.recipe(), steps=9, batch_size=64)
    return Loop(Trainer(model, train, recipe, machine), CheckpointFolder(folder, 9), held_out)


def measured(loop: Loop, should_stop: Callable[[], bool] = lambda: False) -> list[dict[str, float]]:
    found: list[dict[str, float]] = []
    loop.run(should_stop, on_epoch=lambda step, values: found.append(values))
    return [{name: line[name] for name in line if name != "images_per_second"} for line in found]


@pytest.mark.parametrize("at", [1, 4, 6, 7])
def test_an_epoch_that_was_interrupted_has_the_same_loss(at: int, tmp_path: Path) -> None:
    """The sums before the checkpoint were lost: 2.508 instead of 2.395."""
    whole = measured(new_loop(tmp_path / "whole"))
    first = new_loop(tmp_path / "parts")
    begun = measured(first, lambda: first.trainer.step >= at)
    second = new_loop(tmp_path / "parts")
    second.resume()
    assert begun + measured(second) == whole


def test_speed_counts_the_seconds_before_a_checkpoint_too(tmp_path: Path) -> None:
    loop = new_loop(tmp_path)
    loop.trainer.take_step()
    loop.trainer.totals.started -= 100
    loop.save()
    again = new_loop(tmp_path)
    again.resume()
    assert again.trainer.read_totals(start_anew=False)["images_per_second"] < 1


def test_checkpoints_from_before_are_read(stopped: Path) -> None:
    """They had no position, no sums, and one state of generators, with Python's in a list."""
    path = stopped / "checkpoints/step-00000004.pt"
    values = vars(load(path))
    state = dict(values["random"][0])
    version, words, gauss = state["python"]
    del state["device"]
    old = {**values, "random": {**state, "python": [version, words.tolist(), gauss], "cuda": []}}
    for name in ("images", "totals", "scaler"):
        del old[name]
    torch.save(old, path)
    found = load(path)
    assert (found.images, found.totals, found.scaler) == (4 * 64, {}, {})
    assert torch.equal(found.random[0]["python"][1], words)
    assert MAIN(["--resume", "run"]) == 0


# --- One command


AUTO = [*SMALL, "--steps", "6", "--out", "run", "--resume", "auto"]


def test_one_command_starts_goes_on_and_says_that_it_is_finished(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert MAIN([*SMALL, "--steps", "6", "--out", "whole"]) == 0
    assert stop_after(2, monkeypatch, *AUTO) == 130
    assert last(Path("run")).step == 2
    assert stop_after(5, monkeypatch, *AUTO) == 130
    assert MAIN(AUTO) == 0
    one, two = last(Path("whole")), last(Path("run"))
    assert two.step == 6 and all(torch.equal(one.model[name], two.model[name]) for name in one.model)
    before = files_of(Path("run"))
    capsys.readouterr()
    assert MAIN(AUTO) == 0
    assert "run is finished; its result is in result.json." in capsys.readouterr().out
    assert files_of(Path("run")) == before
    # A longer one is not finished.
    assert MAIN([*AUTO, "--steps", "7"]) == 0
    assert last(Path("run")).step == 7


@pytest.mark.parametrize("again", [AUTO, ["--resume", "run"], ["--resume=run"]], ids=["auto", "run", "=run"])
def test_a_run_that_was_killed_before_its_first_checkpoint_is_started(
    again: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(trainer: Trainer) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "take_step", die)
        with pytest.raises(KeyboardInterrupt):
            MAIN(AUTO)
    assert Path("run/config.json").exists() and not list(Path("run").rglob("*.pt"))
    assert MAIN(again) == 0
    assert last(Path("run")).step == 6


def test_a_best_checkpoint_alone_is_not_written_over(
    stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (stopped / "checkpoints/step-00000004.pt").rename(stopped / "checkpoints/best.pt")
    assert MAIN(["--resume", "run"]) == 1
    assert "holds no checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--resume=run"], ["digits", "--resume", "run"], ["digits", "--resume=run"]]
)
def test_the_preset_of_the_run_may_be_named(words: list[str], stopped: Path) -> None:
    assert MAIN(words) == 0
    assert last(stopped).step == 8


def test_auto_needs_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert MAIN([*SMALL, "--resume", "auto"]) == 1
    assert "--resume auto needs --out, the folder to go on in" in capsys.readouterr().err


def test_help_mentions_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        MAIN(["--help"])
    assert "--resume auto" in " ".join(capsys.readouterr().out.replace("│", " ").split())


@pytest.mark.parametrize(
    ("environment", "start"),
    [
        ({}, "python"),
        ({"TORCHELASTIC_RUN_ID": "x", "LOCAL_WORLD_SIZE": "4"}, "torchrun --nproc-per-node=4"),
        (
            {"TORCHELASTIC_RUN_ID": "x", "LOCAL_WORLD_SIZE": "2", "GROUP_WORLD_SIZE": "3"},
            "torchrun --nproc-per-node=2 (as before, on all machines)",
        ),
    ],
)
def test_the_whole_command_is_said(
    environment: dict[str, str],
    start: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert stop_after(1, monkeypatch, *SMALL, "--steps", "6", "--out", "a run") == 130
    out = capsys.readouterr().out
    assert f"Go on with: {start} -m labml_nn.resnet.experiment --resume 'a run'\n" in out
