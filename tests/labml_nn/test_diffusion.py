"""The closed forms are those of the steps, the two samplers agree where they should, and the record fits the pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from recorded import read_record
from torch import nn

from labml_nn.data.small import load_digits
from labml_nn.diffusion import Diffusion, experiment
from labml_nn.diffusion.experiment import (
    EVERY,
    IMAGES,
    MOMENTS,
    PICTURES,
    RECORD,
    SAMPLERS,
    SEEDS,
    about,
    draw,
    learn,
    main,
    pictures,
    to_bytes,
    to_pixels,
)
from labml_nn.diffusion.unet import TimedBlock, TimeEmbedding, UNet
from labml_nn.normalization import GroupNorm

DOUBLE = torch.float64
SHORT = Diffusion(steps=12, first=0.01, last=0.4)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def test_schedule_is_the_papers() -> None:
    d = Diffusion()
    assert d.beta.shape == d.alpha.shape == d.alpha_bar.shape == (1001,)
    expected = np.concatenate([[0], np.linspace(1e-4, 0.02, 1000)])
    np.testing.assert_allclose(d.beta, expected, rtol=1e-12)
    np.testing.assert_allclose(d.alpha_bar, np.cumprod(1 - expected), rtol=1e-12)


def test_closed_form_is_the_composition_of_the_steps() -> None:
    factor, variance = 1.0, 0.0
    x, zero = torch.ones(1, 1, 1, 1, dtype=DOUBLE), torch.zeros(1, 1, 1, 1, dtype=DOUBLE)
    for t in range(1, SHORT.steps + 1):
        beta = SHORT.beta[t].item()
        factor, variance = (1 - beta) ** 0.5 * factor, (1 - beta) * variance + beta
        step = torch.tensor([t])
        assert SHORT.noised(x, step, zero).item() == pytest.approx(factor, rel=1e-12)
        assert SHORT.noised(zero, step, x).item() ** 2 == pytest.approx(variance, rel=1e-12)
    assert torch.equal(SHORT.noised(x, torch.tensor([0]), 7 * x), x)


@pytest.mark.parametrize("t", [1, 2, 7, 12])
def test_step_back_is_that_of_bayes_rule(t: int) -> None:
    """The product of the two densities, q(x_t | x_s) as a function of x_s and q(x_s | x_0), on a fine grid."""
    x0, eps = 0.3, -0.8
    x = SHORT.alpha_bar[t].sqrt() * x0 + (1 - SHORT.alpha_bar[t]).sqrt() * eps
    mean = (x - SHORT.beta[t] / (1 - SHORT.alpha_bar[t]).sqrt() * eps) / SHORT.alpha[t].sqrt()
    if t == 1:  # the image itself
        assert mean.item() == pytest.approx(x0)
        assert SHORT.posterior_variance(t).item() == 0
        return
    grid = torch.linspace(-8, 8, 200_001, dtype=DOUBLE)
    before = SHORT.alpha_bar[t - 1]
    log = -((x - SHORT.alpha[t].sqrt() * grid) ** 2) / (2 * SHORT.beta[t])
    log = log - (grid - before.sqrt() * x0) ** 2 / (2 * (1 - before))
    density = log.softmax(0)
    found = (density * grid).sum()
    assert found.item() == pytest.approx(mean.item(), abs=1e-9)
    variance = (density * (grid - found) ** 2).sum()
    assert variance.item() == pytest.approx(SHORT.posterior_variance(t).item(), rel=1e-9)


def test_weighted_loss_is_the_divergence() -> None:
    """The fraction of equation 12 turns the squared error of the noise into that of the mean."""
    d, (x, eps, guess) = SHORT, torch.randn(3, dtype=DOUBLE)
    for t in range(2, d.steps + 1):
        variance = d.posterior_variance(t)
        means = [
            (x - d.beta[t] / (1 - d.alpha_bar[t]).sqrt() * noise) / d.alpha[t].sqrt()
            for noise in (eps, guess)
        ]
        p, q = (torch.distributions.Normal(mean, variance.sqrt()) for mean in means)
        weight = d.beta[t] ** 2 / (2 * variance * d.alpha[t] * (1 - d.alpha_bar[t]))
        divergence = torch.distributions.kl_divergence(p, q)
        torch.testing.assert_close(weight * (eps - guess) ** 2, divergence)


def test_loss_is_that_of_the_noise_that_was_added() -> None:
    seen: list[torch.Tensor] = []

    def model(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append(t)
        return (
            SHORT.alpha_bar[t].view(-1, 1, 1, 1).rsqrt() * 0
            + x / (1 - SHORT.alpha_bar[t]).view(-1, 1, 1, 1).sqrt()
        )

    # Of black images, x_t is noise alone, and this model knows how much of it.
    loss = SHORT.loss(model, torch.zeros(500, 2, 3, 4, dtype=DOUBLE))
    assert loss.shape == (500,)
    assert loss.max().item() == pytest.approx(0, abs=1e-12)
    assert sorted(set(seen[0].tolist())) == list(range(1, 13))


def some(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """A function of both."""
    return torch.tanh(x) * (t / 20).view(-1, 1, 1, 1)


@pytest.mark.parametrize(
    "make", [lambda: SHORT, lambda: Diffusion(30, 0.001, 0.2), lambda: Diffusion(1, 0.5, 0.5)]
)
def test_ddim_with_all_steps_and_chance_is_ddpm(make: Callable[[], Diffusion]) -> None:
    d, noise = make(), torch.randn(2, 1, 2, 3, dtype=DOUBLE)
    watched: list[list[int]] = [[], []]
    ddpm = d.sample(some, noise, torch.Generator().manual_seed(1), lambda t, x: watched[0].append(t))
    ddim = d.sample_ddim(
        some, noise, d.steps, 1.0, torch.Generator().manual_seed(1), lambda t, x: watched[1].append(t)
    )
    torch.testing.assert_close(ddpm, ddim, rtol=1e-8, atol=1e-8)
    assert watched[0] == watched[1] == list(range(d.steps))[::-1]


def test_ddim_without_chance_always_draws_the_same() -> None:
    noise = torch.randn(2, 1, 2, 3)
    assert torch.equal(SHORT.sample_ddim(some, noise, 5), SHORT.sample_ddim(some, noise, 5))


@pytest.mark.parametrize("steps", [1, 5, 12])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_keeps_how_each_step_is_distributed(steps: int, eta: float) -> None:
    """With one image in the world the right noise is known, and every way leads to that image."""
    image = torch.rand(1, 1, 2, 3, dtype=DOUBLE).expand(20_000, -1, -1, -1)

    def right(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        kept = SHORT.alpha_bar[t].view(-1, 1, 1, 1)
        return (x - kept.sqrt() * image) / (1 - kept).sqrt()

    spread: dict[int, float] = {}

    def watch(t: int, x: torch.Tensor) -> None:
        spread[t] = (x - SHORT.alpha_bar[t].sqrt() * image).square().mean().item()

    last = torch.full((20_000,), SHORT.steps)
    noise = SHORT.noised(image, last, torch.randn(20_000, 1, 2, 3, dtype=DOUBLE))
    drawn = SHORT.sample_ddim(right, noise, steps, eta, watch=watch)
    torch.testing.assert_close(drawn, image)
    for t, found in spread.items():
        assert found == pytest.approx(1 - SHORT.alpha_bar[t].item(), rel=0.02, abs=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Diffusion(0), "steps must be at least 1, got 0"),
        (lambda: Diffusion(9, 0.5, 0.1), r"0 < first <= last < 1 must hold, got \(0.5, 0.1\)"),
        (lambda: SHORT.sample_ddim(some, torch.randn(1, 1, 2, 2), 13), "steps must be 1 to 12, got 13"),
        (
            lambda: SHORT.sample_ddim(some, torch.randn(1, 1, 2, 2), 3, 2.0),
            "eta must be from 0 to 1, got 2.0",
        ),
        (lambda: TimeEmbedding(5), "features must be even and at least 2, got 5"),
        (lambda: TimedBlock(8, 12, 4), "groups must divide 12, got 8"),
        (lambda: UNet(channels=()), r"channels must not be empty, got \(\)"),
        (
            lambda: UNet()(torch.randn(1, 1, 8, 6), torch.ones(1).long()),
            r"height and width must be multiples of 4, got \(8, 6\)",
        ),
    ],
)
def test_wrong_arguments(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# The U-Net


def awake(module: nn.Module) -> nn.Module:
    """With weights that are nowhere zero."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.2)
    return module.double()


def test_time_embedding_is_written_out() -> None:
    embedding = TimeEmbedding(6)
    t = torch.tensor([3, 70])
    rows = [[f(each * 10_000 ** (-i / 3)) for f in (np.sin, np.cos) for i in range(3)] for each in t.tolist()]
    expected = torch.tensor(rows, dtype=torch.float32)
    for linear in (embedding.linear1, embedding.linear2):
        expected = nn.functional.silu(linear(expected))
    torch.testing.assert_close(embedding(t), expected)


def test_block_is_that_of_pytorchs_layers() -> None:
    block = awake(TimedBlock(8, 16, 6, groups=4))
    x, time = torch.randn(2, 8, 3, 5, dtype=DOUBLE), torch.randn(2, 6, dtype=DOUBLE)
    first, second = nn.GroupNorm(4, 8).double(), nn.GroupNorm(4, 16).double()
    first.load_state_dict(block.norm1.state_dict())  # type: ignore[union-attr]
    second.load_state_dict(block.norm2.state_dict())  # type: ignore[union-attr]
    hidden = block.conv1(nn.functional.silu(first(x)))  # type: ignore[operator]
    hidden = hidden + block.time(time).view(2, 16, 1, 1)  # type: ignore[operator]
    expected = block.conv2(nn.functional.silu(second(hidden))) + block.shortcut(x)  # type: ignore[operator]
    torch.testing.assert_close(block(x, time), expected)


def test_a_number_that_a_group_has_in_common_is_normalized_away() -> None:
    block = awake(TimedBlock(8, 16, 6, groups=4))
    x, times = torch.randn(1, 8, 3, 5, dtype=DOUBLE), torch.randn(2, 1, 6, dtype=DOUBLE)
    assert not torch.allclose(block(x, times[0]), block(x, times[1]))
    weight = torch.randn(4, 6, dtype=DOUBLE).repeat_interleave(4, dim=0)
    block.time.weight.data.copy_(weight)  # type: ignore[union-attr, operator]
    torch.testing.assert_close(block(x, times[0]), block(x, times[1]))


def test_everything_in_the_network_takes_part() -> None:
    net = awake(UNet(2, (8, 16, 8), features=6, groups=4))
    x = torch.randn(3, 2, 8, 16, dtype=DOUBLE)
    y = net(x, torch.tensor([1, 60, 199]))
    assert y.shape == x.shape
    torch.autograd.backward(y.square().sum())
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())


def test_images_and_times_of_a_batch_do_not_mix() -> None:
    net = awake(UNet(1, (8, 16), features=6))
    x, t = torch.randn(3, 1, 8, 8, dtype=DOUBLE), torch.tensor([5, 80, 5])
    y = net(x, t)
    for k in range(3):
        torch.testing.assert_close(net(x[k : k + 1], t[k : k + 1]), y[k : k + 1])
    other = net(x, torch.tensor([6, 80, 5]))
    assert not torch.allclose(other[0], y[0])
    assert torch.equal(other[1:], y[1:])


def test_skip_connections_bring_the_same_size() -> None:
    net = UNet(1, (8, 16), features=6)
    sizes: list[tuple[int, ...]] = []
    for block in [*net.down, net.middle, *net.up]:
        block.register_forward_hook(lambda _, given, y: sizes.append((*given[0].shape[1:], y.shape[1])))
    net(torch.randn(1, 1, 8, 8), torch.tensor([5]))
    assert sizes == [(8, 8, 8, 8), (8, 4, 4, 16), (16, 2, 2, 16), (32, 4, 4, 16), (24, 8, 8, 8)]
    assert sum(isinstance(module, GroupNorm) for module in net.modules()) == 11


def test_network_begins_with_no_noise() -> None:
    assert not UNet()(torch.randn(2, 1, 8, 8), torch.tensor([1, 2])).any()


# The experiment


def recorded() -> dict[str, Any]:
    return read_record(RECORD)


STALE = f"{RECORD} is stale; run: python -m labml_nn.diffusion.experiment digits --record"


def test_images_are_those_of_the_training_set() -> None:
    train, _ = load_digits()
    assert len(train) == IMAGES
    assert [x.item() for x in to_pixels(train.images).aminmax()] == [-1, 1]
    assert torch.equal(to_bytes(torch.tensor([[[[-3.0, 3.0]]]])), torch.tensor([[[[0, 255]]]]).byte())


def test_record_is_fresh(tmp_path: Path) -> None:
    """The first epochs are trained again. Rounding differs a little between machines."""
    record = recorded()
    assert record["about"] == about(), STALE
    (run, *_) = record["runs"]
    _, again = learn(run["seed"], tmp_path / "run", EVERY)
    assert again["epoch"] == run["epoch"][:1], STALE
    assert again["loss"][0] == pytest.approx(run["loss"][0], rel=0.02), STALE


def pixels(path: Path) -> np.ndarray[Any, Any]:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_pictures_are_those_of_the_record() -> None:
    record = recorded()
    for name, picture in pictures(record).items():
        path = PICTURES / name
        assert np.array_equal(pixels(path), np.asarray(picture)), STALE
        assert path.stat().st_size < 12_000


def test_same_noise_same_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "DIFFUSION", SHORT)
    monkeypatch.setattr(experiment, "SAMPLERS", {"ddpm": 12, "ddim3": 3})
    for sampler in experiment.SAMPLERS:
        assert torch.equal(draw(some, sampler, 1, 2), draw(some, sampler, 1, 2))


def mean(sampler: str, what: str) -> float:
    (row,) = (row for row in recorded()["samplers"] if row["name"] == sampler)
    return fmean(run[what] for run in row["runs"])


def test_record_shows_what_the_page_says() -> None:
    record = recorded()
    assert [run["seed"] for run in record["runs"]] == list(SEEDS)
    assert record["judge"]["accuracy"] > 0.98
    right = round(360 * record["judge"]["accuracy"])
    text = " ".join(Path(experiment.__file__).read_text("utf-8").split())
    assert f"names {right} of them correctly" in text
    # DDPM is best and worse than the real digits, and the number of steps of DDIM hardly matters.
    ddim = [mean(name, "recognized") for name in ("ddim50", "ddim20", "ddim10")]
    assert mean("real", "recognized") > mean("ddpm", "recognized") + 0.05
    assert mean("ddpm", "recognized") > max(ddim) + 0.03
    assert max(ddim) - min(ddim) < 0.02
    assert all(mean(name, "distance") > mean("real", "distance") for name in SAMPLERS)
    # All ten digits occur, with the counts of seed 1 that the page mentions.
    for run in record["classes"]["drawn"]:
        assert sum(run["count"]) == record["about"]["drawn"] == 360
        assert min(run["count"]) > 10
    zeros, nines = (record["classes"]["drawn"][1]["count"][digit] for digit in (0, 9))
    assert f"draws {zeros} zeros and {nines} nines" in text


def test_command_trains_draws_and_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "IMAGES": 128,
        "EPOCHS": 0.1,
        "EVERY": 1,
        "JUDGE_STEPS": 1,
        "DRAWN": 3,
        "SHOWN": 3,
        "ACROSS": 3,
        "SEEDS": (5,),
        "DIFFUSION": Diffusion(4, 0.1, 0.5),
        "SAMPLERS": {"ddpm": 4, "ddim2": 2},
        "MOMENTS": (4, 2, 0),
        "RECORD": tmp_path / "new" / "digits.json",
        "PICTURES": tmp_path,
    }.items():
        monkeypatch.setattr(experiment, name, value)
    assert main(["digits", "--out", str(tmp_path / "run")]) == 0
    assert pixels(tmp_path / "run" / "drawn.png").shape[1::-1] == (3 * 52 - 4, 48)
    assert main(["--record"]) == 0
    found = json.loads((tmp_path / "new" / "digits.json").read_text("utf-8"))
    assert [row["name"] for row in found["samplers"]] == ["real", "ddpm", "ddim2"]
    assert len(found["pictures"]["emerging"]) == 4 * 3
    assert pixels(tmp_path / "emerging.png").shape[1::-1] == (3 * 68 - 4, 4 * 68 - 4)
    assert "seed 5 ddpm" in capsys.readouterr().out


def test_settings_are_those_that_the_pages_name() -> None:
    short, paper = experiment.DIFFUSION, Diffusion()
    assert (short.steps, len(MOMENTS), experiment.ROWS, experiment.SHOWN) == (200, 7, 4, 40)
    assert MOMENTS[0] == short.steps == SAMPLERS["ddpm"] == paper.steps / 5
    assert MOMENTS[-1] == 0
    torch.testing.assert_close(short.beta[[1, -1]], 5 * paper.beta[[1, -1]])
    # About as much noise in the end
    assert short.alpha_bar[-1].item() == pytest.approx(paper.alpha_bar[-1].item(), abs=2e-5)
    assert experiment.WARM_UP == 100 * experiment.BATCH_SIZE
