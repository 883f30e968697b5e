"""The speed run: its optimizer, its batches, and that what is recorded was run with the presets of today."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from recorded import AGAIN, is_marked
from sampling import thinned
from torch import nn

from labml_nn.data import DRAWS, ImageData, batch_indices
from labml_nn.data.small import load_digits, make_synthetic
from labml_nn.resnet import predict, speedrun
from labml_nn.resnet.speedrun import (
    EXPERIMENT,
    PRESETS,
    SixViews,
    SpeedConfig,
    SpeedNet,
    SpeedRecipe,
    resize,
)
from labml_nn.runs.record import KEPT
from labml_nn.training import Recipe, Trainer
from labml_nn.training.checkpoint import CheckpointFolder
from labml_nn.training.machine import Machine
from labml_nn.training.muon import Muon, orthogonalize

CPU = Machine(torch.device("cpu"))
TINY = (
    "speedrun --data synthetic --channels 4 8 8 --batch-size 32 --valid-images 64 --precision float32".split()
)


def recipe(n: int = 64, **values: object) -> SpeedRecipe:
    return SpeedConfig(**{"batch_size": 16, **values}).recipe(n)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (6, 6), (1, 5)])
def test_orthogonalized_matrices_keep_their_singular_vectors(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    inside = u.T @ orthogonalize(matrix, rounds=5) @ v.T
    torch.testing.assert_close(inside, inside.diag().diag(), atol=1e-5, rtol=0)
    assert ((inside.diag() > 0.65) & (inside.diag() < 1.25)).all()


def test_orthogonalizing_does_not_depend_on_the_length() -> None:
    matrix = torch.randn(5, 7)
    torch.testing.assert_close(orthogonalize(matrix), orthogonalize(1e4 * matrix))
    assert orthogonalize(torch.zeros(3, 4)).abs().max() == 0


def test_a_step_of_muon_is_that_of_the_formula() -> None:
    torch.manual_seed(0)
    weights = nn.Parameter(torch.randn(6, 2, 3, 3))
    optimizer = Muon([weights], [], rate=0.1, momentum=0.7)
    expected, velocity = weights.detach().clone(), torch.zeros_like(weights)
    for _ in range(3):
        gradient = torch.randn_like(weights)
        weights.grad = gradient.clone()
        optimizer.step()
        velocity = 0.7 * velocity + gradient
        change = orthogonalize((gradient + 0.7 * velocity).reshape(6, 18)).reshape(6, 2, 3, 3)
        expected = expected * 6**0.5 / expected.square().sum().sqrt() - 0.1 * change
        torch.testing.assert_close(weights.detach(), expected)


def test_other_parameters_take_the_steps_of_gradient_descent() -> None:
    ours, theirs = (nn.Parameter(torch.ones(3)) for _ in range(2))
    group = {"params": [ours], "lr": 0.1, "momentum": 0.85, "weight_decay": 0.3}
    optimizer = Muon([nn.Parameter(torch.ones(2, 2, 1, 1))], [group], rate=0.1, momentum=0.7)
    reference = torch.optim.SGD([theirs], lr=0.1, momentum=0.85, weight_decay=0.3, nesterov=True)
    for step in range(4):
        ours.grad, theirs.grad = (torch.tensor([1.0, step, -2.0]) for _ in range(2))
        optimizer.step()
        reference.step()
        torch.testing.assert_close(ours, theirs)


def test_a_closure_is_called() -> None:
    weights = nn.Parameter(torch.randn(2, 2, 1, 1))

    def closure() -> float:
        weights.grad = 2 * weights.detach()
        return float(weights.detach().square().sum())

    expected = float(weights.detach().square().sum())
    assert Muon([weights], [], 0.1, 0.7).step(closure) == pytest.approx(expected)


def test_every_parameter_that_learns_is_in_one_group() -> None:
    """What the gradient reaches is moved, what does not learn is not: the filters that whiten and the scales."""
    train, _ = make_synthetic(64)
    model = SpeedConfig(channels=(4, 8, 8)).build(train)
    trainer = Trainer(model, train, recipe(sides=((32, 1),)), CPU)
    grouped = [p for group in trainer.optimizer.param_groups for p in group["params"]]
    learning = {name for name, p in model.named_parameters() if p.requires_grad}
    assert {id(p) for p in grouped} == {id(p) for p in model.parameters() if p.requires_grad}
    assert len(grouped) == len(learning)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    trainer.take_step()
    changed = {name for name, p in model.named_parameters() if not p.equal(before[name])}
    assert changed == learning
    assert not any("first.weight" in name or "norm1.weight" in name for name in changed)


def test_alternating_images_show_both_sides_in_two_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten images in batches of four: batches begin and end inside of epochs."""
    images = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1) * 2 + torch.tensor([0, 1]).byte()
    data = ImageData(images.expand(10, 1, 2, 2).contiguous(), torch.zeros(10).long(), ("a",))
    alternating = recipe(10, batch_size=4, sides=((2, 4),), padding=0)
    seen: list[tuple[int, bool]] = []
    for step in range(10):
        batch, _ = alternating.draw(data, step, CPU)
        numbers = batch[:, 0, 0, :].int()
        assert (numbers // 2)[:, 0].tolist() == batch_indices(10, 4, step, 0).tolist()
        seen += [(int(left) // 2, bool(left % 2)) for left in numbers[:, 0]]
    for first in (0, 10, 20):
        assert len(set(seen[first : first + 20])) == 20
    assert len(set(seen[:10])) == 10
    assert len({side for _, side in seen[:10]}) == 2


@pytest.mark.parametrize("flip", ["never", "random"])
def test_other_images_are_mirrored_at_random_or_never(flip: str) -> None:
    train, _ = make_synthetic(64)
    batches = [recipe(flip=flip, padding=0, sides=((32, 1),)).draw(train, 0, CPU)[0] for _ in range(2)]
    assert batches[0].equal(batches[1])
    original = train.images[batch_indices(64, 16, 0, 0)]
    same = (batches[0] == original).flatten(1).all(dim=1)
    mirrored = (batches[0] == original.flip(3)).flatten(1).all(dim=1)
    assert (same | mirrored).all()
    assert bool(mirrored.any()) == (flip == "random")


def test_processes_share_what_one_would_draw() -> None:
    train, _ = make_synthetic(64)
    plan = recipe(sides=((25, 1),))
    images, labels = plan.draw(train, 3, CPU)
    parts = [plan.draw(train, 3, Machine(torch.device("cpu"), rank=rank, world=3)) for rank in range(3)]
    assert torch.cat([part[0] for part in parts]).equal(images)
    assert torch.cat([part[1] for part in parts]).equal(labels)


def test_images_grow() -> None:
    plan = recipe(sides=((25, 1), (29, 2), (32, 0.5)))
    assert [plan.side(step) for step in (0, 3, 4, 11, 12, 13)] == [25, 25, 29, 29, 32, 32]
    assert plan.steps == 14
    train, _ = make_synthetic(64)
    assert [plan.draw(train, step, CPU)[0].shape[-1] for step in (3, 4, 12)] == [25, 29, 32]


def test_resized_images_are_means() -> None:
    """A pattern finer than the new pixels turns into grey, not into a coarser pattern."""
    pattern = (torch.arange(32)[:, None] + torch.arange(32)) % 2 * 200
    small = resize(pattern.byte().expand(1, 3, 32, 32), 16)
    assert small.shape == (1, 3, 16, 16)
    assert small.dtype == torch.uint8
    assert (small[..., 2:-2, 2:-2].int() - 100).abs().max() <= 1


def test_smooth_labels_and_rates() -> None:
    plan = recipe(label_smoothing=0.2, batch_size=1000, n=10_000)
    logits, labels = torch.randn(5, 10), torch.arange(5)
    goal = torch.full((5, 10), 0.02)
    goal[torch.arange(5), labels] += 0.8
    expected = -(goal * logits.log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(plan.loss(logits, labels), expected)
    optimizer = plan.optimizer(SpeedNet(3, 10, (4, 4, 4)))
    start = [group["lr"] for group in optimizer.param_groups]
    assert start == [0.17, 53.0, 0.8]
    for step in (0, plan.steps // 2, plan.steps):
        plan.set_rates(optimizer, step)
        expected_rates = [rate * (1 - step / plan.steps) for rate in start]
        assert [group["lr"] for group in optimizer.param_groups] == pytest.approx(expected_rates)


def test_gradient_descent_for_the_first_steps_of_the_table() -> None:
    optimizer = PRESETS["wide"].config.recipe(64).optimizer(SpeedNet(3, 10, (4, 4, 4), prepared=False))
    assert isinstance(optimizer, torch.optim.SGD)


def test_six_views_are_shifts_by_a_pixel_and_mirror_images() -> None:
    torch.manual_seed(0)
    network = SpeedNet(3, 10, (4, 4, 4)).eval()
    views, images = SixViews(network).eval(), torch.randn(2, 3, 32, 32)
    columns = torch.arange(32)
    shifted = [images[:, :, at][:, :, :, at] for at in ((columns + d).abs().clamp(max=31) for d in (-1, 1))]
    # The edge that a shift uncovers is the line beside it, as in a mirror.
    shifted[1][:, :, 31] = shifted[1][:, :, 29]
    shifted[1][..., 31] = shifted[1][..., 29]
    looks = [(network(x) + network(x.flip(3))) / 2 for x in (images, *shifted)]
    torch.testing.assert_close(views(images), looks[0] / 2 + (looks[1] + looks[2]) / 4)
    views.train()
    network.eval()
    assert views(images).equal(network(images))


def test_what_is_prepared() -> None:
    """Whitening filters, and convolutions whose first outputs are their inputs."""
    train, _ = make_synthetic(64)
    prepared, other = (SpeedConfig(prepared=choice).build(train) for choice in (True, False))
    networks = [next(m for m in model.modules() if isinstance(m, SpeedNet)) for model in (prepared, other)]
    image = torch.randn(1, 24, 8, 8)
    convolutions = [
        next(m for m in network.groups.modules() if isinstance(m, nn.Conv2d)) for network in networks
    ]
    copies = [convolution(image)[:, :24].allclose(image) for convolution in convolutions]
    assert copies == [True, False]
    assert [network.first.weight.requires_grad for network in networks] == [False, True]


@pytest.mark.parametrize("preset", thinned(sorted(PRESETS, key="speedrun".__ne__), 3))
def test_presets_learn(preset: str) -> None:
    """Every step of the table trains: in seconds, on digits that are made as large and as coloured as CIFAR-10."""
    digits, _ = load_digits()
    large = digits.images[:1024].repeat_interleave(4, 2).repeat_interleave(4, 3).expand(-1, 3, -1, -1)
    train = ImageData(large.contiguous(), digits.labels[:1024], digits.classes)
    config = PRESETS[preset].config
    config = replace(config, batch_size=32, channels=(16, 16, 16), sides=((25, 1), (32, 1)), flip="never")
    trainer = Trainer(config.build(train), train, config.recipe(len(train)), CPU)
    for _ in range(trainer.recipe.steps - 8):
        trainer.take_step()
    trainer.read_totals(start_anew=True)
    for _ in range(8):
        trainer.take_step()
    accuracy = trainer.read_totals(start_anew=True)["accuracy.train"]
    assert accuracy > 0.35  # chance is 0.1; the order in which threads add differs between machines


def test_a_run_goes_on_to_the_bit_and_predicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sides = ["--sides", "25", "0.5", "32", "0.5"]
    assert EXPERIMENT.main([*TINY, *sides, "--out", "whole"]) == 0
    taken, steps = Trainer.take_step, 0

    def interrupted(trainer: Trainer) -> None:
        nonlocal steps
        steps += 1
        if steps == 18:
            raise KeyboardInterrupt
        taken(trainer)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "take_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            EXPERIMENT.main([*TINY, *sides, "--checkpoint-steps", "10", "--out", "parts"])
    assert EXPERIMENT.main(["--resume", "parts"]) == 0
    whole, parts = (CheckpointFolder(Path(f) / "checkpoints", 1).load_last() for f in ("whole", "parts"))
    assert all(value.equal(parts.model[name]) for name, value in whole.model.items())
    Image.new("RGB", (50, 40), "red").save("red.png")
    capsys.readouterr()
    monkeypatch.setattr("sys.argv", ["predict", "whole", "red.png"])
    assert predict.main() == 0
    assert "pattern" in capsys.readouterr().out


def test_a_run_of_another_experiment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run").mkdir()
    Path("run/config.json").write_text(
        '{"module": "labml_nn.resnet.experiment", "preset": "x", "config": {}}'
    )
    assert EXPERIMENT.main(["--resume", "run"]) == 1
    expected = "run is a run of labml_nn.resnet.experiment, not of labml_nn.resnet.speedrun"
    assert expected in capsys.readouterr().err


RECORDS = sorted((Path(speedrun.__file__).parents[2] / EXPERIMENT.records).glob("*.json"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_recorded_runs_are_of_the_presets_as_they_are(path: Path) -> None:
    """If this fails: `python -m experiments.record`, which `experiments/README.md` explains."""
    record = json.loads(path.read_text("utf-8"))
    runs = {kind: record.pop(kind) for kind in ("held_out", "final")}
    about = EXPERIMENT.record(path.stem, PRESETS[path.stem].config).about
    assert is_marked(record["draws"], speedrun), f"{path} is stale; {AGAIN}"
    assert record | {"draws": DRAWS} == json.loads(json.dumps(about)), f"{path} is stale; {AGAIN}"
    for run in runs["held_out"] + runs["final"]:
        assert set(run) == {*KEPT, "curve"}


def test_the_recipe_of_every_training_is_as_it_was() -> None:
    """A batch of the speed run that is neither resized nor alternates is that of any other training."""
    train, _ = make_synthetic(64)
    plan = recipe(flip="random", sides=((32, 1),))
    mine, other = plan.draw(train, 1, CPU), Recipe.draw(plan, train, 1, CPU)
    assert mine[0].equal(other[0])
    assert mine[1].equal(other[1])
