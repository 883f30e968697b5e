"""Holds what the pre-activation page says: equations, blocks and networks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from labml_nn.resnet import ResidualBlock, ShortcutKind, ShortcutPadding, cifar_resnet, preactivation
from labml_nn.resnet.preactivation import (
    PreActivation,
    PreActivationBlock,
    PreActivationBottleneckBlock,
    PreActivationResNet,
    ScaledBlock,
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
