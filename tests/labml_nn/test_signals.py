"""Holds what the page on signals says: stacks, what is measured in them, and the record."""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import pi, sqrt
from pathlib import Path
from statistics import fmean, geometric_mean
from typing import Any

import pytest
import torch
from torch import nn

from labml_nn.data import DRAWS, seed_generators
from labml_nn.resnet import ResidualBlock, signals
from labml_nn.resnet.signals import (
    BATCH,
    BLOCKS,
    CHANNELS,
    DEPTHS,
    RECORD,
    SCALED_DEPTHS,
    SCALES,
    SEEDS,
    SIZE,
    NetworkName,
    curve,
    main,
    make_stack,
    measure,
)


@pytest.fixture(autouse=True)
def one_thread_and_seed() -> Iterator[None]:
    """Tensors here are so small that several threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


# Stacks


def weights(stack: nn.Module) -> list[torch.Tensor]:
    return [m.weight for m in stack.modules() if isinstance(m, nn.Conv2d)]


def test_all_stacks_have_the_same_weights() -> None:
    stacks: list[list[torch.Tensor]] = []
    for name, n_blocks in (*((name, 3) for name in BLOCKS), ("pre", 2)):
        torch.manual_seed(1)
        stacks.append(weights(make_stack(name, n_blocks)))
    assert [len(stack) for stack in stacks] == [7, 7, 7, 7, 5]
    for stack in stacks[1:]:  # a lower stack is the beginning of a higher one
        for weight, expected in zip(stack, stacks[0], strict=False):
            assert torch.equal(weight, expected)


@pytest.mark.parametrize("name", BLOCKS)
def test_stack_without_normalization(name: NetworkName) -> None:
    def normalizations(stack: nn.Module) -> int:
        return sum(isinstance(m, nn.BatchNorm2d) for m in stack.modules())

    bare, whole = make_stack(name, 3, normalized=False), make_stack(name, 3)
    assert (normalizations(bare), normalizations(whole)) == (0, 7)
    assert bare(torch.randn(2, 3, 8, 8)).shape == (2, CHANNELS, 8, 8)


@pytest.mark.parametrize("name", BLOCKS)
def test_measured_gradient_is_the_slope(name: NetworkName) -> None:
    """The norm of the gradient, found again from differences of the output."""
    seed_generators(3, "signals")
    images = torch.randn(BATCH, 3, SIZE, SIZE)
    stem, *chain = make_stack(name, 3).requires_grad_(False)
    start = stem(images)
    above = nn.Sequential(*chain).double()
    sent = torch.randn_like(start)
    sent /= sent.norm()
    start = start.double().requires_grad_()
    (arrived,) = torch.autograd.grad(above(start), start, sent.double())
    step = 1e-6 * arrived / arrived.norm()
    slope = ((above(start + step) - above(start - step)) * sent).sum() / 2e-6
    assert measure(name, 3, seed=3).gradient == pytest.approx(slope.item(), rel=1e-3)


def test_open_share_is_where_the_direct_path_lets_the_gradient_pass() -> None:
    seed_generators(3, "signals")
    images = torch.randn(BATCH, 3, SIZE, SIZE)
    stem, *chain = make_stack("post", 5)
    start = stem(images).detach().requires_grad_()
    x = start
    for block in chain:
        assert isinstance(block, ResidualBlock)
        x = block.act2(block.residual(x).detach() + block.shortcut(x))
    x.sum().backward()
    assert start.grad is not None
    assert set(start.grad.unique().tolist()) == {0.0, 1.0}
    assert measure("post", 5, seed=3).open == pytest.approx(start.grad.mean().item(), abs=1e-4)


@pytest.mark.parametrize(("name", "share"), [("plain", 0), ("scaled", 1), ("pre", 1)])
def test_other_direct_paths_have_no_relu(name: NetworkName, share: int) -> None:
    assert measure(name, 5, seed=0).open == share


# The record


def recorded() -> dict[str, Any]:
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


def test_record_is_fresh() -> None:
    """Measures some of the points again: at depths where rounding errors stay small."""
    record = recorded()
    stale = f"{RECORD} is stale; run: python -m labml_nn.resnet.signals --record"
    assert record["about"] == {
        "channels": CHANNELS,
        "size": SIZE,
        "batch": BATCH,
        "seeds": list(SEEDS),
        "draws": DRAWS,
    }, stale
    assert record["blocks"] == list(DEPTHS), stale
    assert list(record["normalized"]) == list(BLOCKS), stale
    assert list(record["bare"]) == ["plain", "post", "pre"], stale
    for name in BLOCKS:
        depths = (1, 20, 200) if name in ("post", "pre") else (1, 20)
        places = [record["blocks"].index(n) for n in depths]
        for field, values in curve(name, depths).items():
            kept = [record["normalized"][name][field][i] for i in places]
            assert kept == pytest.approx(values, rel=0.01), stale
    for name in record["bare"]:
        values = curve(name, (1, 20), normalized=False)["signal"]
        assert record["bare"][name]["signal"][:2] == pytest.approx(values, rel=0.01), stale


def test_record_of_factors_is_fresh() -> None:
    record = recorded()
    assert record["scales"] == list(SCALES)
    assert list(record["by_scale"]) == [str(n) for n in SCALED_DEPTHS]
    # The factor 1 is plain pre-activation, and 0.5 is what the other figures call scaled.
    for depth in record["by_scale"]:
        for name, gradient in (
            ("scaled", record["by_scale"][depth][0]),
            ("pre", record["by_scale"][depth][-1]),
        ):
            kept = record["normalized"][name]["gradient"][record["blocks"].index(int(depth))]
            assert gradient == pytest.approx(kept, rel=0.01)
    again = geometric_mean(measure("scaled", 20, seed, scale=0.9).gradient for seed in SEEDS)
    assert record["by_scale"]["20"][SCALES.index(0.9)] == pytest.approx(again, rel=0.01)


def test_nearly_the_identity_is_not_near_enough() -> None:
    by_scale = recorded()["by_scale"]
    shallow, deep = (dict(zip(SCALES, by_scale[n], strict=True)) for n in ("20", "200"))
    assert shallow[0.95] / shallow[1.0] == pytest.approx(1, abs=0.05)
    assert deep[0.95] / deep[1.0] == pytest.approx(300, rel=0.05)
    assert deep[0.9] / deep[1.0] == pytest.approx(200_000, rel=0.1)
    for scale in (0.5, 0.9, 0.95):
        signal = fmean(measure("scaled", 60, seed, scale=scale).signal for seed in SEEDS)
        assert signal == pytest.approx((1 - scale**2) ** -0.5, rel=0.1)


def test_record_is_small() -> None:
    assert RECORD.stat().st_size < 8000


def test_curve_is_the_mean_over_the_seeds() -> None:
    found = curve("pre", (2, 4))
    runs = [measure("pre", 4, seed) for seed in SEEDS]
    product = 1.0
    for run in runs:
        product *= run.gradient
    assert found["gradient"][1] == pytest.approx(product ** (1 / len(runs)), rel=1e-3)
    assert found["least_gradient"][1] == pytest.approx(min(r.gradient for r in runs), rel=1e-3)
    assert found["greatest_gradient"][1] == pytest.approx(max(r.gradient for r in runs), rel=1e-3)
    for values in found.values():
        assert [float(f"{value:.4g}") for value in values] == values
        assert len(values) == 2


def test_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = {"blocks": [1, 2], "normalized": {"pre": {"gradient": [1.5, 2.25]}}}
    threads: list[int] = []
    monkeypatch.setattr(signals, "record", lambda: small)
    monkeypatch.setattr(signals, "RECORD", tmp_path / "new" / "signal.json")
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    assert main([]) == 0
    assert not (tmp_path / "new").exists()
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["pre        1 blocks: gradient       1.5", "pre        2 blocks: gradient      2.25"]
    assert main(["--record"]) == 0
    assert json.loads((tmp_path / "new" / "signal.json").read_text()) == small
    assert threads == [1, 1]


def test_record_holds_what_the_page_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "DEPTHS", (1, 2))
    monkeypatch.setattr(signals, "SCALED_DEPTHS", (2,))
    again = signals.record()
    kept = recorded()
    assert again.keys() == kept.keys()
    for part in ("normalized", "bare"):
        assert again[part].keys() == kept[part].keys()
        for name, values in again[part].items():
            assert values.keys() == kept[part][name].keys()
            assert values["signal"][0] == pytest.approx(kept[part][name]["signal"][0], rel=0.01)


# What the page says about the record


def at(name: str, field: str, n_blocks: int) -> float:
    record = recorded()
    value: float = record["normalized"][name][field][record["blocks"].index(n_blocks)]
    return value


def growth(name: str, field: str = "gradient") -> float:
    """The factor for each block, between 20 and 200 blocks."""
    factor: float = (at(name, field, 200) / at(name, field, 20)) ** (1 / 180)
    return factor


def test_signals_that_the_page_quotes() -> None:
    record = recorded()
    plain = record["normalized"]["plain"]["signal"]
    assert plain == pytest.approx(len(DEPTHS) * [sqrt(1 / 2)], rel=0.1)
    assert f"{sqrt(1 / 2 + 200):.1f}" == "14.2"
    assert f"{at('pre', 'signal', 200):.1f}" == "13.6"
    for name in ("post", "pre"):
        sizes = [sqrt(1 / 2 + n) for n in DEPTHS]
        assert record["normalized"][name]["signal"] == pytest.approx(sizes, rel=0.15)
    assert record["normalized"]["scaled"]["signal"] == pytest.approx(len(DEPTHS) * [1], rel=0.15)


def test_gradients_that_the_page_quotes() -> None:
    assert f"{growth('plain'):.2f}" == "1.36"
    assert f"{at('plain', 'gradient', 200):.0e}" == "5e+26"
    assert f"{at('pre', 'gradient', 200):.0f}" == "130"
    assert f"{at('post', 'gradient', 200):.0f}" == "236"
    for name in ("pre", "post"):  # in proportion to the depth
        each = [at(name, "gradient", n) / n for n in DEPTHS[1:]]
        assert max(each) < 1.3 * min(each)
    assert 1 < growth("scaled") < growth("plain")
    assert at("scaled", "gradient", 200) > 1e20
    assert f"{0.5**200:.0e}" == "6e-61"
    assert f"{pi / (pi - 1):.2f}" == "1.47"
    assert f"{(pi - 1) / pi:.2f}" == "0.68"


def test_seeds_agree() -> None:
    """What is said of the means holds for every seed."""
    for name in BLOCKS:
        for n_blocks in DEPTHS:
            least, greatest = (at(name, f"{end}_gradient", n_blocks) for end in ("least", "greatest"))
            assert least <= at(name, "gradient", n_blocks) <= greatest
    spread = {
        name: max(at(name, "greatest_gradient", n) / at(name, "least_gradient", n) for n in DEPTHS)
        for name in BLOCKS
    }
    assert 1.2 < max(spread["post"], spread["pre"]) < 4 / 3
    assert round(spread["plain"], -2) == 3400
    assert at("scaled", "least_gradient", 200) > 1e17 * at("post", "greatest_gradient", 200)
    assert at("plain", "least_gradient", 200) > 100 * at("scaled", "greatest_gradient", 200)
    assert at("post", "greatest_gradient", 200) < 300


def test_open_shares_that_the_page_quotes() -> None:
    assert f"{at('post', 'open', 20):.0%}" == "19%"
    assert f"{at('post', 'open', 200):.0%}" == "6%"
    assert set(recorded()["normalized"]["pre"]["open"]) == {1}


def test_signals_without_normalization_that_the_page_quotes() -> None:
    bare = recorded()["bare"]
    assert f"{bare['plain']['signal'][-1]:.0e}" == "5e-16"
    for name in ("post", "pre"):
        signal = bare[name]["signal"]
        assert all(b > 10 * a for a, b in pairwise(signal))


def wrap(stack: nn.Module) -> None:
    """Let convolutions wrap around the feature map instead of adding zeros."""
    for module in stack.modules():
        if isinstance(module, nn.Conv2d):
            module.padding_mode = "circular"


def test_growth_without_borders_is_nearly_that_of_a_wide_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrapped(*args: Any, **kwargs: Any) -> nn.Sequential:
        stack = make_stack(*args, **kwargs)
        wrap(stack)
        return stack

    monkeypatch.setattr(signals, "make_stack", wrapped)
    found = curve("plain", (1, 10))["gradient"]
    assert f"{(found[1] / found[0]) ** (1 / 9):.2f}" == "1.46"


def test_borders_take_some_of_the_signal_without_normalization() -> None:
    sizes = []
    for wraps in (False, True):
        torch.manual_seed(0)
        images = torch.randn(BATCH, 3, SIZE, SIZE)
        stack = make_stack("plain", 50, normalized=False)
        if wraps:
            wrap(stack)
        with torch.no_grad():
            sizes.append(stack(images).norm().item())
    assert sizes[0] < 0.5 * sizes[1] < 0.1 * images.norm().item()


@pytest.mark.parametrize(("name", "n_blocks", "difference"), [("plain", 60, 0.85), ("pre", 200, 1e-5)])
def test_differences_grow_like_gradients(name: NetworkName, n_blocks: int, difference: float) -> None:
    images = torch.randn(BATCH, 3, SIZE, SIZE)
    stem, *chain = make_stack(name, n_blocks)
    with torch.no_grad():
        x = stem(images)
        change = torch.randn_like(x)
        changed = x + 1e-6 * x.norm() / change.norm() * change
        for block in chain:
            x, changed = block(x), block(changed)
    assert ((x - changed).norm() / x.norm()).item() == pytest.approx(difference, rel=0.2)


# Errors


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: make_stack("residual", 3),  # type: ignore[arg-type]
            r"network must be one of \['plain', 'scaled', 'post', 'pre'\], got 'residual'",
        ),
        (lambda: make_stack("pre", 0), "n_blocks must be at least 1, got 0"),
        (lambda: measure("pre", 0, seed=0), "n_blocks must be at least 1, got 0"),
        (lambda: curve("pre", (1, 0)), "n_blocks must be at least 1, got 0"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_arguments(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        build()
