"""Holds what the pre-activation page says: equations, networks, the measurement and its record."""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import pi, sqrt
from pathlib import Path
from statistics import fmean, geometric_mean
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from labml_nn.data import DRAWS, seed_generators
from labml_nn.resnet import ResidualBlock, ShortcutKind, ShortcutPadding, cifar_resnet, preactivation
from labml_nn.resnet.preactivation import (
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
    PreActivation,
    PreActivationBlock,
    PreActivationBottleneckBlock,
    PreActivationResNet,
    ScaledBlock,
    curve,
    main,
    make_stack,
    measure,
)

FOLDER = Path(preactivation.__file__).parent
KINDS: tuple[ShortcutKind, ...] = ("projection", "pad")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def one_thread_and_seed() -> Iterator[None]:
    """Tensors here are so small that several threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def blocks(
    in_channels: int,
    out_channels: int,
    stride: int,
    shortcut: ShortcutKind = "projection",
    first: bool = False,
) -> list[PreActivation]:
    """A block of each kind."""
    return [
        PreActivationBlock(in_channels, out_channels, stride, shortcut=shortcut, first=first),
        PreActivationBottleneckBlock(in_channels, 4, out_channels, stride, shortcut=shortcut, first=first),
    ]


def blocks_of(model: PreActivationResNet) -> Iterator[PreActivation]:
    for module in model.modules():
        if isinstance(module, PreActivation):
            yield module


def silence(model: nn.Module) -> None:
    """Make all residuals zero."""
    for module in model.modules():
        if isinstance(module, PreActivationBottleneckBlock):
            nn.init.zeros_(module.conv3.weight)
        elif isinstance(module, PreActivationBlock):
            nn.init.zeros_(module.conv2.weight)


# Blocks


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("in_channels", "out_channels", "stride", "size"),
    [(8, 8, 1, (7, 8)), (8, 16, 1, (7, 8)), (8, 16, 2, (4, 4)), (8, 8, 3, (3, 3))],
)
def test_block_shape(
    in_channels: int, out_channels: int, stride: int, size: tuple[int, int], kind: ShortcutKind
) -> None:
    x = torch.randn(2, in_channels, 7, 8)
    for block in blocks(in_channels, out_channels, stride, kind):
        assert block.activate(x).shape == x.shape
        assert block.residual(block.activate(x)).shape == (2, out_channels, *size)
        assert block(x).shape == (2, out_channels, *size)


@pytest.mark.parametrize(
    ("stride", "kind", "first", "activated"),
    [
        (1, "projection", False, False),
        (1, "pad", False, False),
        (1, "projection", True, True),
        (1, "pad", True, True),
        (2, "projection", False, True),
        (2, "pad", False, False),
        (2, "pad", True, True),
    ],
)
def test_where_the_shortcut_begins(stride: int, kind: ShortcutKind, first: bool, activated: bool) -> None:
    x = torch.randn(2, 8, 6, 6)
    for block in blocks(8, 8, stride, kind, first):
        start = block.activate(x) if activated else x
        other = x if activated else block.activate(x)
        residual = block.residual(block.activate(x))
        torch.testing.assert_close(block(x), block.shortcut(start) + residual)
        assert not torch.allclose(block(x), block.shortcut(other) + residual)


def test_activation_is_normalization_and_relu() -> None:
    x = 3 + 2 * torch.randn(4, 8, 5, 5)
    for block in blocks(8, 16, 2):
        torch.testing.assert_close(block.activate(x), torch.relu(nn.BatchNorm2d(8)(x)))


def test_shortcuts() -> None:
    for block in blocks(8, 8, 1):
        assert type(block.shortcut) is nn.Identity
    for block in blocks(8, 16, 2, "pad"):
        assert type(block.shortcut) is ShortcutPadding
    for block in blocks(8, 16, 2):  # a bare convolution, with no normalization behind it
        assert isinstance(block.shortcut, nn.Conv2d)
        assert (block.shortcut.kernel_size, block.shortcut.stride) == ((1, 1), (2, 2))
        assert block.shortcut.bias is None


def test_layers_are_those_of_the_first_paper() -> None:
    ours = dict(PreActivationBlock(8, 8, 1).named_children())
    theirs = dict(ResidualBlock(8, 8, 1).named_children())
    assert {name: repr(layer) for name, layer in ours.items()} == {
        name: repr(layer) for name, layer in theirs.items()
    }
    assert list(ours) != list(theirs)


def test_every_convolution_gets_an_activated_input() -> None:
    for block in blocks(8, 16, 2):
        seen: list[torch.Tensor] = []
        for module in block.modules():
            if isinstance(module, nn.Conv2d):
                module.register_forward_pre_hook(lambda _module, x, seen=seen: seen.append(x[0]))
        block(torch.randn(4, 8, 6, 6))
        assert len(seen) == (3 if isinstance(block, PreActivationBlock) else 4)
        for x in seen:
            assert x.min() == 0


def test_stride_sits_where_the_page_says() -> None:
    basic, bottleneck = PreActivationBlock(8, 16, 2), PreActivationBottleneckBlock(8, 4, 16, 2)
    assert [basic.conv1.stride, basic.conv2.stride] == [(2, 2), (1, 1)]
    strides = [bottleneck.conv1.stride, bottleneck.conv2.stride, bottleneck.conv3.stride]
    assert strides == [(1, 1), (2, 2), (1, 1)]


def test_block_without_residual_is_identity_for_all_x() -> None:
    for block in blocks(8, 8, 1):
        silence(block)
        x = torch.randn(2, 8, 5, 5, requires_grad=True)
        y = block(x)
        y.sum().backward()
        assert torch.equal(y, x)
        assert x.grad is not None
        assert torch.equal(x.grad, torch.ones_like(x))


def test_nothing_follows_the_addition() -> None:
    x = torch.randn(2, 8, 5, 5)
    for block in blocks(8, 8, 1):
        assert block.residual(block.activate(x)).min() < 0
        assert block(x).min() < 0


# Equations


def outputs(chain: list[nn.Module], x: torch.Tensor) -> list[torch.Tensor]:
    found = [x]
    for block in chain:
        found.append(block(found[-1]))
    return found


def test_equation_4_and_5() -> None:
    chain = [PreActivationBlock(8, 8, 1) for _ in range(6)]
    x = outputs(list(chain), torch.randn(2, 8, 6, 6, requires_grad=True))
    between = torch.stack(
        [block.residual(block.activate(x_i)) for block, x_i in zip(chain, x[:-1], strict=True)]
    ).sum(dim=0)
    torch.testing.assert_close(x[-1], x[0] + between)
    sent = torch.randn_like(x[-1])
    (whole,) = torch.autograd.grad(x[-1], x[0], sent, retain_graph=True)
    (through_weights,) = torch.autograd.grad(between, x[0], sent)
    torch.testing.assert_close(whole, sent + through_weights)


def test_equation_7_and_8() -> None:
    chain = [ScaledBlock(8, 8, 1) for _ in range(6)]
    x = outputs(list(chain), torch.randn(2, 8, 6, 6, requires_grad=True))
    assert ScaledBlock.scale == 0.5
    between = torch.stack(
        [0.5 ** (len(chain) - 1 - i) * block.residual(block.activate(x[i])) for i, block in enumerate(chain)]
    ).sum(dim=0)
    torch.testing.assert_close(x[-1], 0.5**6 * x[0] + between)
    sent = torch.randn_like(x[-1])
    (whole,) = torch.autograd.grad(x[-1], x[0], sent, retain_graph=True)
    (through_weights,) = torch.autograd.grad(between, x[0], sent)
    torch.testing.assert_close(whole, 0.5**6 * sent + through_weights)


@pytest.mark.parametrize("bottleneck", [False, True])
def test_padded_direct_path_leads_through_the_whole_network(bottleneck: bool) -> None:
    model = PreActivationResNet(2, bottleneck=bottleneck, shortcut="pad")
    silence(model)
    images = torch.randn(2, 3, 32, 32)
    first = next(blocks_of(model))
    expected = first.activate(model.conv(images))[:, :, ::4, ::4]
    x = model.conv(images)
    for stage in model.stages:
        x = stage(x)
    assert torch.equal(x[:, :16], expected)
    assert not x[:, 16:].any()


# Networks


@pytest.mark.parametrize(
    ("n", "bottleneck", "layers", "millions"),
    [(18, False, 110, "1.7"), (18, True, 164, "1.7"), (111, True, 1001, "10.2")],
)
def test_layers_and_parameters_of_table_4(n: int, bottleneck: bool, layers: int, millions: str) -> None:
    with torch.device("meta"):
        model = PreActivationResNet(n, bottleneck=bottleneck)
    counted = [
        name
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear) and "shortcut" not in name
    ]
    assert len(counted) == layers == (9 if bottleneck else 6) * n + 2
    scales_and_shifts = sum(n_parameters(m) for m in model.modules() if isinstance(m, nn.BatchNorm2d))
    assert f"{(n_parameters(model) - scales_and_shifts) / 1e6:.1f}" == millions
    if layers == 1001:
        assert n_parameters(model) == 10_327_706
        assert n_parameters(model) - scales_and_shifts == 10_178_490


@pytest.mark.parametrize("n", [1, 3, 9])
def test_padded_network_has_as_many_parameters_as_the_first_papers(n: int) -> None:
    with torch.device("meta"):
        assert n_parameters(PreActivationResNet(n)) == n_parameters(cifar_resnet(n))


def test_shortcut_is_the_papers_unless_told_otherwise() -> None:
    def kinds(model: PreActivationResNet) -> set[type[nn.Module]]:
        return {type(block.shortcut) for block in blocks_of(model)}

    assert kinds(PreActivationResNet(2)) == {nn.Identity, ShortcutPadding}
    assert kinds(PreActivationResNet(2, bottleneck=True)) == {nn.Identity, nn.Conv2d}
    assert kinds(PreActivationResNet(2, shortcut="projection")) == {nn.Identity, nn.Conv2d}
    padded = PreActivationResNet(2, bottleneck=True, shortcut="pad")
    assert kinds(padded) == {nn.Identity, ShortcutPadding}


@pytest.mark.parametrize(("bottleneck", "width"), [(False, 1), (True, 4)])
def test_sizes_of_the_stages(bottleneck: bool, width: int) -> None:
    model = PreActivationResNet(2, 7, bottleneck=bottleneck, img_channels=1)
    x = model.conv(torch.randn(2, 1, 32, 32))
    assert x.shape == (2, 16, 32, 32)
    seen = []
    for stage in model.stages:
        x = stage(x)
        seen.append(tuple(x.shape[1:]))
    assert seen == [(16 * width, 32, 32), (32 * width, 16, 16), (64 * width, 8, 8)]
    assert model(torch.randn(2, 1, 32, 32)).shape == (2, 7)


def test_both_ends_of_the_network() -> None:
    model = PreActivationResNet(2)
    assert type(model.conv) is nn.Conv2d
    assert [block.shortcut_is_activated for block in blocks_of(model)] == [True] + 5 * [False]
    features: list[torch.Tensor] = []
    model.linear.register_forward_hook(lambda _module, received, _y: features.append(received[0]))
    images = torch.randn(4, 3, 32, 32)
    model(images)
    x = model.conv(images)
    for stage in model.stages:
        x = stage(x)
    expected = torch.relu(nn.BatchNorm2d(64)(x)).flatten(2).mean(dim=2)
    torch.testing.assert_close(features[0], expected)


@pytest.mark.parametrize("bottleneck", [False, True])
def test_overfits_one_batch(bottleneck: bool) -> None:
    model = PreActivationResNet(1, 4, bottleneck=bottleneck)
    images, labels = torch.randn(16, 3, 8, 8), torch.arange(16) % 4
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(40):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        torch.autograd.backward(loss)
        optimizer.step()
    assert loss.item() < 0.05
    assert torch.equal(model(images).argmax(dim=1), labels)


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
    stale = f"{RECORD} is stale; run: python -m labml_nn.resnet.preactivation --record"
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
    monkeypatch.setattr(preactivation, "record", lambda: small)
    monkeypatch.setattr(preactivation, "RECORD", tmp_path / "new" / "signal.json")
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    assert main([]) == 0
    assert not (tmp_path / "new").exists()
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["pre        1 blocks: gradient       1.5", "pre        2 blocks: gradient      2.25"]
    assert main(["--record"]) == 0
    assert json.loads((tmp_path / "new" / "signal.json").read_text()) == small
    assert threads == [1, 1]


def test_record_holds_what_the_page_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preactivation, "DEPTHS", (1, 2))
    monkeypatch.setattr(preactivation, "SCALED_DEPTHS", (2,))
    again = preactivation.record()
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

    monkeypatch.setattr(preactivation, "make_stack", wrapped)
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
        (lambda: PreActivationBlock(0, 8, 1), "in_channels must be at least 1, got 0"),
        (lambda: PreActivationBlock(8, 0, 1), "out_channels must be at least 1, got 0"),
        (lambda: PreActivationBlock(8, 8, 0), "stride must be at least 1, got 0"),
        (
            lambda: PreActivationBlock(8, 8, 1, shortcut="none"),  # type: ignore[arg-type]
            "shortcut must be 'projection' or 'pad', got 'none'",
        ),
        (
            lambda: PreActivationBlock(8, 4, 1, shortcut="pad"),
            "out_channels of a padded shortcut must be at least 8, got 4",
        ),
        (lambda: PreActivationBottleneckBlock(0, 4, 8, 1), "in_channels must be at least 1, got 0"),
        (lambda: PreActivationBottleneckBlock(8, 0, 8, 1), "bottleneck_channels must be at least 1, got 0"),
        (lambda: PreActivationBottleneckBlock(8, 4, 0, 1), "out_channels must be at least 1, got 0"),
        (lambda: PreActivationBottleneckBlock(8, 4, 8, -1), "stride must be at least 1, got -1"),
        (
            lambda: PreActivationBottleneckBlock(8, 4, 16, 1, shortcut="none"),  # type: ignore[arg-type]
            "shortcut must be 'projection' or 'pad', got 'none'",
        ),
        (lambda: PreActivationResNet(0), "n must be at least 1, got 0"),
        (lambda: PreActivationResNet(1, 0), "n_classes must be at least 1, got 0"),
        (lambda: PreActivationResNet(1, img_channels=0), "img_channels must be at least 1, got 0"),
        (
            lambda: PreActivationResNet(1, shortcut="none"),  # type: ignore[arg-type]
            "shortcut must be 'projection' or 'pad', got 'none'",
        ),
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


# The drawing


def test_labels_of_the_drawing_are_the_layers_in_the_order_they_run() -> None:
    drawing = ElementTree.parse(FOLDER / "preactivation-block.svg")
    texts = [
        ("".join(text.itertext()), "monospace" in text.get("font-family", ""))
        for text in drawing.iter(f"{SVG}text")
    ]
    block = PreActivationBlock(8, 8, 1)
    ran: list[str] = []
    for name, layer in block.named_children():
        layer.register_forward_hook(lambda _module, _received, _y, name=name: ran.append(name))
    block(torch.randn(2, 8, 4, 4))
    ran.remove("shortcut")
    code = [label for label, is_code in texts if is_code]
    assert code == ["shortcut", *ran]
    assert [label for label, is_code in texts if not is_code] == ["x", "x", "ℱ", "3×3", "3×3", "y"]
    assert {block.conv1.kernel_size, block.conv2.kernel_size} == {(3, 3)}
