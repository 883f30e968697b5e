"""The extras of training: each does what its page says, is off by default, and goes on to the bit after a stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import CPU, TINY, last, metrics, two_processes
from test_many_processes import measured
from torch import nn

from labml_nn.data import ImageData, random_generator
from labml_nn.data.small import make_synthetic
from labml_nn.resnet import finetune, speedrun
from labml_nn.resnet.experiment import EXPERIMENT, PRESETS, ResNetConfig
from labml_nn.runs import compare
from labml_nn.runs.__main__ import main as ledger
from labml_nn.runs.files import RunFailed, to_plain
from labml_nn.runs.ledger import read_run
from labml_nn.runs.loading import load_model
from labml_nn.training import CheckpointFolder, Loop, Normalize, Recipe, Trainer
from labml_nn.training.extras import AveragedModel, Batch, Extras, cutmix, erase, mixup
from labml_nn.training.machine import Machine

TRAIN, HELD_OUT = make_synthetic(256, 64, side=4)
ALL = Extras(
    mixup=0.4, cutmix=1, erase=0.5, label_smoothing=0.1, accumulate=3, clip=0.5, ema=0.9, patience=50
)
EACH = {
    name: replace(Extras(), **{name: value}) for name, value in vars(ALL).items() if name != "patience"
} | {"all": ALL}


def recipe(extras: Extras, steps: int = 12, learning_rate: float = 0.01) -> Recipe:
    return Recipe(
        steps=steps, batch_size=64, learning_rate=learning_rate, momentum=0.9, weight_decay=1e-4, milestones=(),
        schedule="cosine", warmup_steps=0, warmup_factor=1, padding=1, flip=True, seed=3, extras=extras,
    )  # fmt: skip


def new_loop(folder: Path, extras: Extras, learning_rate: float = 0.01, steps: int = 12) -> Loop:
    torch.manual_seed(0)
    layers = nn.Flatten(), nn.Linear(48, 32), nn.BatchNorm1d(32), nn.Dropout(0.5), nn.Linear(32, 10)
    model = nn.Sequential(Normalize(*TRAIN.mean_and_std()), *layers)
    trainer = Trainer(model, TRAIN, recipe(extras, steps, learning_rate), CPU)
    return Loop(trainer, CheckpointFolder(folder, keep=9), HELD_OUT)


def bytes_of(n: int, side: int = 8) -> Batch:
    images = torch.randint(256, (n, 3, side, side), generator=torch.Generator().manual_seed(0)).byte()
    return Batch(images, torch.arange(n) % 10)


def test_all_are_off_unless_asked_for() -> None:
    assert ResNetConfig().extras() == Extras() == recipe(Extras()).extras
    assert not Extras().change_images
    values = vars(Extras())
    assert {name for name, value in values.items() if value} == {"accumulate"} and values["accumulate"] == 1
    batch = bytes_of(5)
    assert list(batch.parts(1)) == [batch] and batch.others is None


# --- Images


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_blends_each_image_with_the_one_opposite(alpha: float) -> None:
    batch = bytes_of(6)
    for k in range(5):
        mixed = mixup(batch, alpha, random_generator(k, "test"))
        assert mixed.images.dtype == torch.uint8 and mixed.others is not None
        assert 0.5 <= mixed.share <= 1
        swapped = torch.equal(mixed.labels, batch.labels.flip(0))
        first = batch.images.flip(0) if swapped else batch.images
        assert torch.equal(mixed.others, batch.labels if swapped else batch.labels.flip(0))
        expected = mixed.share * first.float() + (1 - mixed.share) * first.flip(0).float()
        assert (mixed.images.float() - expected).abs().max() <= 0.501


def test_shares_are_drawn_from_the_beta_distribution() -> None:
    """Its variance is 1 / (8 alpha + 4), which for 0.5 is 0.125."""
    from labml_nn.training.extras import draw_share

    shares = torch.tensor([draw_share(0.5, random_generator(k, "mix", 0)) for k in range(2000)])
    assert shares.mean() == pytest.approx(0.5, abs=0.03)
    assert shares.var() == pytest.approx(0.125, abs=0.01)


def test_cutmix_counts_the_area_that_is_seen() -> None:
    dark, light = torch.zeros(4, 3, 9, 7).byte(), torch.full((4, 3, 9, 7), 255).byte()
    batch = Batch(torch.cat([dark, light]), torch.tensor([0] * 4 + [1] * 4))
    shares = set()
    for k in range(40):
        mixed = cutmix(batch, 1, random_generator(k, "test"))
        own = mixed.images[0, 0] == (0 if mixed.labels[0] == 0 else 255)
        assert own.float().mean().item() == pytest.approx(mixed.share)
        assert mixed.share >= 0.5 and mixed.images[4, 0, 0, 0] != mixed.images[0, 0, 0, 0]
        shares.add(round(mixed.share, 6))
    assert len(shares) > 15


def test_a_coin_decides_between_blending_and_pasting() -> None:
    dark, light = torch.zeros(2, 1, 8, 8).byte(), torch.full((2, 1, 8, 8), 255).byte()
    batch = Batch(torch.cat([dark, light]), torch.tensor([0, 0, 1, 1]))
    both = Extras(mixup=1, cutmix=1)
    blended = [
        bool(((changed := both.change(batch, 0, step).images) % 255 != 0).any())
        and len({*changed.flatten().tolist()}) == 2
        for step in range(60)
    ]
    assert 15 < sum(blended) < 45


@pytest.mark.parametrize("side", [8, 32])
def test_erasing_overwrites_one_rectangle(side: int) -> None:
    images = torch.zeros(400, 1, side, side)
    erased = erase(images, 0.5, random_generator(0, "test"))
    hit = erased[:, 0] != 0
    chosen = hit.flatten(1).any(1)
    assert 150 < chosen.sum() < 250
    for mask in hit[chosen]:
        rows, columns = mask.any(1), mask.any(0)
        assert int(rows.sum()) * int(columns.sum()) == int(mask.sum())  # all of it, and nothing else
        assert 1 <= mask.sum() <= 0.45 * side * side + 2 * side
    area = hit[chosen].float().mean().item()
    assert 0.1 < area < 0.25  # its mean is 0.21, less what is cut off
    assert torch.equal(erase(images, 0, random_generator(0, "test")), images)
    noise = erase(torch.zeros(64, 3, side, side).byte(), 1, random_generator(1, "test"))
    assert noise.dtype == torch.uint8 and noise.flatten(1).any(1).all()
    assert len({*noise.flatten().tolist()}) == 256


def test_processes_share_the_batch_that_one_would_draw() -> None:
    plan = recipe(ALL)

    def drawn(rank: int, world: int) -> Batch:
        machine = Machine(torch.device("cpu"), rank=rank, world=world)
        return ALL.draw(plan.draw, plan.seed, TRAIN, 5, machine, 5 * 64)

    whole, parts = drawn(0, 1), [drawn(rank, 3) for rank in range(3)]
    assert torch.equal(torch.cat([part.images for part in parts]), whole.images)
    assert torch.equal(torch.cat([part.labels for part in parts]), whole.labels)
    assert {part.share for part in parts} == {whole.share}
    plain, _ = plan.draw(TRAIN, 5, CPU, 5 * 64)
    assert not torch.equal(plain, whole.images)


# --- The loss and the step


def test_the_loss_of_a_mixture_is_that_of_both_in_proportion() -> None:
    logits = torch.randn(4, 10, generator=torch.Generator().manual_seed(0))
    labels, others = torch.tensor([1, 2, 3, 4]), torch.tensor([4, 3, 2, 1])
    batch = Batch(torch.zeros(4, 1), labels, others, 0.7)
    function = recipe(Extras()).loss
    expected = 0.7 * function(logits, labels) + 0.3 * function(logits, others)
    torch.testing.assert_close(batch.loss(function, logits), expected)
    soft = torch.zeros(4, 10)
    soft[torch.arange(4), labels] += 0.7
    soft[torch.arange(4), others] += 0.3
    torch.testing.assert_close(expected, nn.functional.cross_entropy(logits, soft))


def step(extras: Extras, norm: bool = False) -> Trainer:
    """A trainer with plain gradient descent after one step."""
    torch.manual_seed(0)
    layers = [nn.Flatten(), nn.Linear(48, 32), nn.BatchNorm1d(32) if norm else nn.ReLU(), nn.Linear(32, 10)]
    model = nn.Sequential(Normalize(*TRAIN.mean_and_std()), *layers)
    trainer = Trainer(model, TRAIN, recipe(extras), CPU)
    trainer.take_step()
    return trainer


@pytest.mark.parametrize("n", [2, 3, 64, 1000])
def test_a_batch_in_parts_gives_the_same_step(n: int) -> None:
    whole, parts = step(Extras()), step(Extras(accumulate=n))
    for one, two in zip(whole.plain_model.parameters(), parts.plain_model.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(whole.totals.sums, parts.totals.sums, rtol=1e-6, atol=1e-4)
    assert (parts.step, parts.seen) == (1, 64)


def gradient(model: nn.Module) -> torch.Tensor:
    """That of all weights, in one row."""
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def test_long_gradients_are_shortened_and_keep_their_direction() -> None:
    free, tied, loose = step(Extras()), step(Extras(clip=0.01)), step(Extras(clip=1e6))
    grads = [gradient(each.plain_model) for each in (free, tied, loose)]
    assert grads[0].norm() > 0.1
    assert grads[1].norm().item() == pytest.approx(0.01, rel=1e-3)
    assert nn.functional.cosine_similarity(grads[0], grads[1], dim=0).item() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(grads[0], grads[2])


def test_float16_gradients_are_made_small_again_before_they_are_measured() -> None:
    torch.manual_seed(0)
    machine = Machine(torch.device("cpu"), float16=True)
    model = nn.Sequential(Normalize(*TRAIN.mean_and_std()), nn.Flatten(), nn.Linear(48, 10))
    trainer = Trainer(model, TRAIN, recipe(Extras(clip=0.01)), machine)
    trainer.scaler.load_state_dict({**trainer.scaler.state_dict(), "scale": 1024.0})
    trainer.take_step()
    assert gradient(model).norm().item() == pytest.approx(0.01, rel=1e-2)


# --- Averages


def test_averaged_weights_are_those_of_the_formula() -> None:
    model = nn.BatchNorm1d(2)
    averaged = AveragedModel(model, 0.3)
    expected = torch.ones(2)
    for k in range(5):
        with torch.no_grad():
            model.weight.fill_(k + 2.0)
            model.running_mean.fill_(k * 1.0)  # type: ignore[union-attr]
            model.num_batches_tracked.fill_(k)  # type: ignore[union-attr]
        averaged.update(k)
        beta = min(0.3, (1 + k) / (10 + k))
        expected = beta * expected + (1 - beta) * (k + 2.0)
        torch.testing.assert_close(averaged.model.get_parameter("weight"), expected, check_stride=False)
    assert averaged.model.get_buffer("num_batches_tracked") == 4
    assert not averaged.model.get_parameter("weight").requires_grad
    assert 3 < averaged.model.get_buffer("running_mean")[0] < 4


def test_what_is_measured_and_saved_is_the_average(tmp_path: Path) -> None:
    loop = new_loop(tmp_path, Extras(ema=0.9))
    assert loop.run()
    saved = loop.checkpoints.load_last()
    average, plain = loop.trainer.measured.state_dict(), loop.trainer.plain_model.state_dict()
    assert all(torch.equal(saved.model[name], average[name]) for name in average)
    assert all(torch.equal(saved.trained[name], plain[name]) for name in plain)
    assert not torch.equal(average["2.weight"], plain["2.weight"])


def test_averages_begin_and_end_in_the_middle(tmp_path: Path) -> None:
    """A run may go on with the average or without it, and goes on from the weights that were trained."""
    plain = new_loop(tmp_path, Extras())
    plain.run(should_stop=lambda: plain.trainer.step >= 4)
    averaged = new_loop(tmp_path, Extras(ema=0.9))
    averaged.resume()
    one, two = averaged.trainer.measured.state_dict(), averaged.trainer.plain_model.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    averaged.run(should_stop=lambda: averaged.trainer.step >= 8)
    again = new_loop(tmp_path, Extras())
    again.resume()
    after = again.trainer.plain_model.state_dict()
    assert all(torch.equal(after[name], two[name]) for name in two)
    assert not torch.equal(after["2.weight"], one["2.weight"])


@pytest.mark.parametrize("damage", ["shape", "name", "nan"])
def test_trained_weights_that_do_not_fit_are_refused(tmp_path: Path, damage: str) -> None:
    loop = new_loop(tmp_path, Extras(ema=0.9))
    loop.run(should_stop=lambda: loop.trainer.step >= 2)
    saved = loop.checkpoints.load_last()
    match damage:
        case "shape":
            saved.trained["2.weight"] = torch.zeros(3)
        case "name":
            saved.trained["other"] = torch.zeros(3)
        case "nan":
            saved.trained["2.weight"] = torch.full_like(saved.trained["2.weight"], torch.nan)
    loop.checkpoints.save(saved)
    with pytest.raises(Exception, match=r"does not fit the model: trained\."):
        new_loop(tmp_path, Extras(ema=0.9)).resume()


# --- Patience


def flat(tmp_path: Path, patience: int) -> Loop:
    """A loop that learns nothing, with three epochs of four steps."""
    return new_loop(tmp_path, Extras(patience=patience), learning_rate=0.0)


def test_a_run_without_progress_stops_and_knows_it_when_it_is_resumed(tmp_path: Path) -> None:
    loop = flat(tmp_path, 1)
    # Normalizations learn in their own way.
    for module in loop.trainer.plain_model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.momentum = 0.0
    assert loop.run()
    assert loop.trainer.step == 8 and loop.is_over
    assert loop.progress["since_best"] == 1
    assert loop.checkpoints.load_last().step == 8
    same = flat(tmp_path, 1)
    same.resume()
    assert same.is_over and same.run() and same.trainer.step == 8
    longer = flat(tmp_path, 2)
    longer.resume()
    assert not longer.is_over


def test_without_patience_all_steps_are_taken(tmp_path: Path) -> None:
    loop = flat(tmp_path, 0)
    assert loop.run() and loop.trainer.step == 12


# --- Going on, several processes, records


def after(steps: int, of: Loop) -> Callable[[], bool]:
    return lambda: of.trainer.step >= steps


@pytest.mark.parametrize("name", EACH)
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path, name: str) -> None:
    extras = EACH[name]
    whole = new_loop(tmp_path / "whole", extras)
    assert whole.run()
    parts = new_loop(tmp_path / "parts", extras)
    parts.run(should_stop=after(5, parts))
    fresh = new_loop(tmp_path / "parts", extras)
    torch.rand(7)
    fresh.resume()
    assert fresh.run()
    for one, two in (
        (whole.trainer.plain_model, fresh.trainer.plain_model),
        (whole.trainer.measured, fresh.trainer.measured),
    ):
        again = two.state_dict()
        assert all(torch.equal(value, again[key]) for key, value in one.state_dict().items())
    assert whole.progress["best"] == fresh.progress["best"]
    assert whole.progress["since_best"] == fresh.progress["since_best"]
    plain = new_loop(tmp_path / "plain", Extras())
    plain.run()
    same = plain.trainer.measured.state_dict()
    assert not all(torch.equal(v, same[k]) for k, v in whole.trainer.measured.state_dict().items()), (
        "it changes nothing"
    )


OPTIONS = (
    "--mixup 0.4 --cutmix 1 --erase 0.5 --label-smoothing 0.1 --accumulate 3 --clip 0.5 --ema 0.9"
    " --patience 50"
).split()


@pytest.fixture
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.thorough
@pytest.mark.process
@pytest.mark.slow
@pytest.mark.usefixtures("in_an_empty_folder")
def test_what_two_processes_report_is_what_the_file_yields_in_one() -> None:
    said = two_processes(*TINY, "--steps", "40", "--out", "run", *OPTIONS)
    assert [status for status, *_ in said] == [0, 0], said
    noted = metrics(Path("run"))
    loss, accuracy = measured(CheckpointFolder(Path("run/checkpoints"), 1).paths()[-1], final=False)
    assert accuracy == noted[-1]["accuracy.valid"]
    assert loss == pytest.approx(noted[-1]["loss.valid"], rel=1e-6)


CONFIGS = [ResNetConfig(warmup_steps=400), speedrun.SpeedConfig(), finetune.FinetuneConfig()]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_every_experiment_has_them_and_goes_on_with_smaller_batches(config: Any) -> None:
    assert replace(config, **vars(ALL)).recipe(45_000).extras == ALL
    half = replace(config, batch_size=config.batch_size // 2)
    same = replace(config.in_batches_of(half), batch_size=half.batch_size).recipe(45_000)
    before = config.recipe(45_000)
    assert abs(same.images - before.images) <= config.batch_size
    assert same.warmup_steps == 2 * before.warmup_steps
    assert same.milestones == tuple(2 * step for step in before.milestones)


@pytest.mark.usefixtures("in_an_empty_folder")
def test_they_are_recorded_and_the_file_yields_the_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert EXPERIMENT.main([*TINY, "--steps", "30", "--out", "run", *OPTIONS]) == 0
    config = json.loads(Path("run/config.json").read_text())["config"]
    assert {name: config[name] for name in vars(ALL)} == vars(ALL)
    result = json.loads(Path("run/result.json").read_text())
    assert result["stopped_early"] is False
    assert ledger(["evaluate", "run", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.partition("\n[")[2].join(["[", ""]))
    assert [row["accuracy"] == row["recorded"] for row in rows] == [True, True]
    model, *_ = load_model(Path("run"))
    weights = model.state_dict()
    best = CheckpointFolder(Path("run/checkpoints"), 1)
    from labml_nn.training.checkpoint import load

    assert all(torch.equal(weights[name], value) for name, value in load(best.best).model.items())


@pytest.mark.usefixtures("in_an_empty_folder")
def test_a_run_of_the_command_stops_early_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    options = [*TINY, "--learning-rate", "0", "--steps", "400", "--out", "run", "--patience", "1"]
    assert EXPERIMENT.main([*options, "--resume", "auto"]) == 0
    result = json.loads(Path("run/result.json").read_text())
    assert result["stopped_early"] is True and result["steps"] < 400
    capsys.readouterr()
    assert EXPERIMENT.main([*options, "--resume", "auto"]) == 0
    assert "run is finished" in capsys.readouterr().out
    assert last(Path("run")).step == result["steps"]
    assert EXPERIMENT.main([*TINY, "--final", "--patience", "3", "--out", "other"]) == 1
    assert "--patience needs images held out" in capsys.readouterr().err


def test_a_preset_with_an_extra_is_not_recorded_as_the_preset() -> None:
    config = PRESETS["quick"].config
    assert not set(vars(ALL)) & set(config.result_depends_on())
    with pytest.raises(RunFailed, match="--ema changes quick"):
        EXPERIMENT.record("quick", replace(config, ema=0.999))
    assert speedrun.SpeedConfig().result_depends_on()["label_smoothing"] == 0.2
    assert speedrun.WIDE.result_depends_on()["label_smoothing"] == 0


def test_labels_of_the_speed_run_are_smooth_as_before() -> None:
    assert speedrun.SpeedConfig().recipe(5000).extras == Extras(label_smoothing=0.2)
    plain: dict[str, Any] = to_plain(speedrun.WIDE)
    assert plain["label_smoothing"] == 0


def test_runs_from_before_there_were_extras_are_runs_without_them(tmp_path: Path) -> None:
    assert vars(Extras()) == compare.OFF
    groups = []
    for name, options in {"old": {}, "new": vars(Extras()), "other": vars(Extras(ema=0.9))}.items():
        (tmp_path / name).mkdir()
        config = {"module": "a", "preset": "b", "config": {"steps": 3, "seed": len(name), **options}}
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        groups.append(read_run(tmp_path / name))
    found = compare.group_runs(groups)
    assert [len(group.runs) for group in found] == [2, 1]
    assert compare.differing(found) == ["ema"]


def test_a_batch_of_one_image_is_one_part() -> None:
    data = ImageData(TRAIN.images[:1], TRAIN.labels[:1], TRAIN.classes)
    batch = Batch(data.images, data.labels)
    assert [len(part) for part in batch.parts(4)] == [1]
