"""Holds what the ResNet page says: shapes, strides, parameters, gradients, errors, drawings."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from labml_nn import resnet
from labml_nn.resnet import (
    BottleneckResidualBlock,
    ResidualBlock,
    ResNetBase,
    ResNetClassifier,
    ShortcutKind,
    ShortcutPadding,
    ShortcutProjection,
    cifar_resnet,
    make_shortcut,
)

FOLDER = Path(resnet.__file__).parent
DRAWINGS = sorted(FOLDER.glob("*.svg"))
KINDS: tuple[ShortcutKind, ...] = ("projection", "pad")
BASIC = [64, 128, 256, 512]
WIDE = [256, 512, 1024, 2048]
IMAGENET = {
    18: ([2, 2, 2, 2], BASIC, None),
    34: ([3, 4, 6, 3], BASIC, None),
    50: ([3, 4, 6, 3], WIDE, BASIC),
    101: ([3, 4, 23, 3], WIDE, BASIC),
    152: ([3, 8, 36, 3], WIDE, BASIC),
}


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def imagenet(layers: int, shortcut: ShortcutKind = "projection") -> ResNetBase:
    """A network of the paper's table 1, on the meta device: it has shapes but no numbers."""
    n_blocks, n_channels, bottlenecks = IMAGENET[layers]
    with torch.device("meta"):
        return ResNetBase(n_blocks, n_channels, bottlenecks, shortcut=shortcut)


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def weighted_layers(model: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    """The layers that the paper counts: convolutions and linear layers, without projections."""
    return [
        layer
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear) and "shortcut" not in name
    ]


def shapes(model: nn.Module, names: list[str], x: torch.Tensor) -> dict[str, torch.Size]:
    """The shapes that the submodules with these names return."""
    seen: dict[str, torch.Size] = {}

    def watch(name: str) -> Callable[[nn.Module, object, torch.Tensor], None]:
        return lambda _module, _received, y: seen.update({name: y.shape})

    handles = [model.get_submodule(name).register_forward_hook(watch(name)) for name in names]
    model(x)
    for handle in handles:
        handle.remove()
    return seen


# Examples


def test_home_page_does_not_import_torch() -> None:
    code = 'import sys, labml_nn; sys.exit("torch" in sys.modules)'
    assert subprocess.run([sys.executable, "-c", code], cwd=FOLDER.parents[1]).returncode == 0


# Shortcuts


@pytest.mark.parametrize("shortcut", [ShortcutProjection, ShortcutPadding])
@pytest.mark.parametrize(("stride", "size"), [(1, (7, 8)), (2, (4, 4)), (3, (3, 3))])
def test_shortcut_shape(shortcut: type[nn.Module], stride: int, size: tuple[int, int]) -> None:
    assert shortcut(4, 6, stride)(torch.randn(2, 4, 7, 8)).shape == (2, 6, *size)


def test_projection_is_linear_with_normalization_only() -> None:
    projection = ShortcutProjection(4, 6, 2).eval()
    assert [type(layer) for layer in projection.children()] == [nn.Conv2d, nn.BatchNorm2d]
    assert projection.conv.kernel_size == (1, 1)
    x, y = torch.randn(2, 1, 4, 5, 5)
    torch.testing.assert_close(projection(x + 2 * y), projection(x) + 2 * projection(y))


def test_padding_is_strided_identity_and_zeros() -> None:
    padding = ShortcutPadding(4, 7, 2)
    assert not list(padding.parameters()) and not list(padding.buffers())
    x = torch.randn(2, 4, 7, 8)
    y = padding(x)
    assert torch.equal(y[:, :4], x[:, :, ::2, ::2])
    assert not y[:, 4:].any()


@pytest.mark.parametrize("kind", KINDS)
def test_shortcut_is_identity_unless_the_shape_changes(kind: ShortcutKind) -> None:
    changed = {"projection": ShortcutProjection, "pad": ShortcutPadding}[kind]
    assert type(make_shortcut(8, 8, 1, kind)) is nn.Identity
    assert type(make_shortcut(8, 8, 2, kind)) is changed
    assert type(make_shortcut(8, 16, 1, kind)) is changed


# Blocks


def blocks(
    in_channels: int, out_channels: int, stride: int, shortcut: ShortcutKind = "projection"
) -> list[ResidualBlock | BottleneckResidualBlock]:
    """A block of each kind."""
    return [
        ResidualBlock(in_channels, out_channels, stride, shortcut=shortcut),
        BottleneckResidualBlock(in_channels, 4, out_channels, stride, shortcut=shortcut),
    ]


def last_normalization(block: nn.Module) -> nn.BatchNorm2d:
    layer = block.bn2 if isinstance(block, ResidualBlock) else block.bn3
    assert isinstance(layer, nn.BatchNorm2d)
    return layer


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
        assert block.residual(x).shape == (2, out_channels, *size)
        assert block(x).shape == (2, out_channels, *size)


def test_block_is_relu_of_residual_plus_shortcut() -> None:
    x = torch.randn(2, 8, 6, 6)
    for block in blocks(8, 16, 2):
        y = block(x)
        assert torch.equal(y, torch.relu(block.residual(x) + block.shortcut(x)))
        assert block.residual(x).min() < 0  # no ReLU before the addition


def test_stride_sits_where_the_page_says() -> None:
    basic, bottleneck = ResidualBlock(8, 16, 2), BottleneckResidualBlock(8, 4, 16, 2)
    assert [basic.conv1.stride, basic.conv2.stride] == [(2, 2), (1, 1)]
    strides = [bottleneck.conv1.stride, bottleneck.conv2.stride, bottleneck.conv3.stride]
    assert strides == [(1, 1), (2, 2), (1, 1)]


def test_bottleneck_channels_and_kernels() -> None:
    block = BottleneckResidualBlock(256, 64, 512, 1)
    convolutions = [block.conv1, block.conv2, block.conv3]
    assert [c.out_channels for c in convolutions] == [64, 64, 512]
    assert [c.kernel_size for c in convolutions] == [(1, 1), (3, 3), (1, 1)]


def test_bottleneck_cost() -> None:
    bottleneck = BottleneckResidualBlock(256, 64, 256, 1)
    cost = sum(layer.weight.numel() for layer in weighted_layers(bottleneck))
    full = sum(layer.weight.numel() for layer in weighted_layers(ResidualBlock(256, 256, 1)))
    assert round(full / cost) == 17
    assert ShortcutProjection(256, 256, 1).conv.weight.numel() == 65_536 < cost


def test_convolutions_have_no_bias_and_he_initialisation() -> None:
    for layer in weighted_layers(cifar_resnet(1, shortcut="projection").base):
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is None
        fan_out = layer.out_channels * layer.kernel_size[0] * layer.kernel_size[1]
        assert layer.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.2)


# Identity and gradients


def test_block_without_residual_is_identity() -> None:
    for block in blocks(8, 8, 1):
        nn.init.zeros_(last_normalization(block).weight)
        x = torch.rand(2, 8, 5, 5)
        assert torch.equal(block(x), x)


def test_gradient_through_identity_where_relu_passes() -> None:
    for block in blocks(8, 8, 1):
        nn.init.zeros_(last_normalization(block).weight)
        x = torch.randn(2, 8, 5, 5, requires_grad=True)
        block(x).sum().backward()
        assert x.grad is not None
        assert torch.equal(x.grad, (x > 0).float())


def test_gradient_is_that_of_the_residual_plus_identity() -> None:
    for block in blocks(8, 8, 1):
        x = torch.randn(2, 8, 5, 5, requires_grad=True)
        y = block(x)
        passed = torch.randn_like(y)
        (whole,) = torch.autograd.grad(y, x, passed)
        passed = passed * (y > 0)  # the ReLU after the addition
        (residual,) = torch.autograd.grad(block.residual(x), x, passed)
        torch.testing.assert_close(whole, residual + passed)


def test_deep_stack_keeps_the_gradient() -> None:
    stack = nn.Sequential(*(ResidualBlock(4, 4, 1) for _ in range(50)))
    for block in stack:
        nn.init.zeros_(last_normalization(block).weight)
    x = torch.rand(2, 4, 4, 4, requires_grad=True)
    y = stack(x)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(y, x)
    assert torch.equal(x.grad, torch.ones_like(x))


# The network


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bottlenecks", [None, [4, 8]])
def test_base_shape(bottlenecks: list[int] | None, kind: ShortcutKind) -> None:
    base = ResNetBase([2, 1], [16, 32], bottlenecks, img_channels=1, shortcut=kind)
    assert base(torch.randn(2, 1, 33, 47)).shape == (2, 32)
    assert base.out_channels == 32


def test_arguments_may_be_tuples() -> None:
    assert ResNetBase((1, 1), (8, 16), (2, 4))(torch.randn(2, 3, 32, 32)).shape == (2, 16)


def test_base_averages_over_positions() -> None:
    base = ResNetBase([1], [8], first_kernel_size=3, first_stride=1, first_pool=False).eval()
    seen: list[torch.Tensor] = []
    base.stages[0].register_forward_hook(lambda _module, _received, y: seen.append(y))
    features = base(torch.randn(2, 3, 5, 6))
    torch.testing.assert_close(features, seen[0].flatten(2).mean(dim=2))


@pytest.mark.parametrize("layers", IMAGENET)
def test_imagenet_sizes(layers: int) -> None:
    base = imagenet(layers)
    names = ["conv", "pool", *(f"stages.{i}" for i in range(4))]
    seen = shapes(base, names, torch.empty(1, 3, 224, 224, device="meta"))
    assert [seen[name][-1] for name in names] == [112, 56, 56, 28, 14, 7]
    assert [seen[name][1] for name in names] == [64, 64, *IMAGENET[layers][1]]


def test_cifar_sizes() -> None:
    base = cifar_resnet(1).base
    names = ["conv", "pool", *(f"stages.{i}" for i in range(3))]
    seen = shapes(base, names, torch.randn(1, 3, 32, 32))
    assert [tuple(seen[name][1:]) for name in names] == [
        (16, 32, 32),
        (16, 32, 32),
        (16, 32, 32),
        (32, 16, 16),
        (64, 8, 8),
    ]
    assert isinstance(base.pool, nn.Identity)
    assert base.conv.kernel_size == (3, 3)


@pytest.mark.parametrize("bottlenecks", [None, [4, 8, 16]])
def test_stride_two_in_the_first_block_of_every_stage_but_the_first(bottlenecks: list[int] | None) -> None:
    base = ResNetBase([3, 2, 3], [16, 32, 64], bottlenecks)
    strides = []
    for stage in base.stages:
        assert isinstance(stage, nn.Sequential)
        strides.append(
            [
                max(layer.stride[0] for layer in weighted_layers(block) if isinstance(layer, nn.Conv2d))
                for block in stage
            ]
        )
    assert strides == [[1, 1, 1], [2, 1], [2, 1, 1]]


@pytest.mark.parametrize("layers", IMAGENET)
def test_number_in_the_name_counts_layers(layers: int) -> None:
    assert len(weighted_layers(imagenet(layers))) + 1 == layers


def test_every_layer_of_the_stages_costs_the_same() -> None:
    base = imagenet(34)
    names = [
        name
        for name, layer in base.named_modules()
        if isinstance(layer, nn.Conv2d) and name.endswith("conv2")
    ]
    seen = shapes(base, names, torch.empty(1, 3, 224, 224, device="meta"))
    costs = {base.get_submodule(name).get_parameter("weight").numel() * seen[name][-1] ** 2 for name in names}
    assert len(names) == 16
    assert costs == {115_605_504}


@pytest.mark.parametrize(("layers", "shortcut", "billions"), [(18, "pad", 1.8), (34, "pad", 3.6)])
def test_multiply_adds_of_table_1(layers: int, shortcut: ShortcutKind, billions: float) -> None:
    base = imagenet(layers, shortcut)
    names = [name for name, layer in base.named_modules() if isinstance(layer, nn.Conv2d)]
    seen = shapes(base, names, torch.empty(1, 3, 224, 224, device="meta"))
    cost = (
        sum(base.get_submodule(name).get_parameter("weight").numel() * seen[name][-1] ** 2 for name in names)
        + 512 * 1000
    )
    assert round(cost / 1e9, 1) == billions


@pytest.mark.parametrize(
    ("layers", "expected"),
    [(18, 11_176_512), (34, 21_284_672), (50, 23_508_032), (101, 42_500_160), (152, 58_143_808)],
)
def test_imagenet_parameters(layers: int, expected: int) -> None:
    assert n_parameters(imagenet(layers)) == expected


@pytest.mark.parametrize(
    ("n", "layers", "millions"),
    [(3, 20, "0.27"), (5, 32, "0.46"), (7, 44, "0.66"), (9, 56, "0.85"), (18, 110, "1.7")],
)
def test_cifar_layers_and_parameters_of_table_6(n: int, layers: int, millions: str) -> None:
    with torch.device("meta"):
        model = cifar_resnet(n)
    assert len(weighted_layers(model)) == layers == 6 * n + 2
    decimals = len(millions.partition(".")[2])
    assert f"{n_parameters(model) / 1e6:.{decimals}f}" == millions


def test_padding_adds_no_parameters_to_the_plain_network() -> None:
    model = cifar_resnet(3)
    assert n_parameters(model) == 269_722
    assert not any("shortcut" in name for name, _ in model.named_parameters())
    assert n_parameters(cifar_resnet(3, shortcut="projection")) == 272_474


def test_classifier_shape() -> None:
    assert cifar_resnet(1, 7)(torch.randn(2, 3, 32, 32)).shape == (2, 7)


@pytest.mark.parametrize("bottlenecks", [None, [4, 8]])
def test_overfits_one_batch(bottlenecks: list[int] | None) -> None:
    base = ResNetBase([1, 1], [16, 32], bottlenecks, first_kernel_size=3, first_stride=1, first_pool=False)
    model = ResNetClassifier(base, 4)
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
        (lambda: ShortcutProjection(0, 8, 1), "in_channels must be at least 1, got 0"),
        (lambda: ShortcutProjection(8, -1, 1), "out_channels must be at least 1, got -1"),
        (lambda: ShortcutProjection(8, 8, 0), "stride must be at least 1, got 0"),
        (lambda: ShortcutPadding(0, 8, 1), "in_channels must be at least 1, got 0"),
        (lambda: ShortcutPadding(8, 8, 0), "stride must be at least 1, got 0"),
        (lambda: ShortcutPadding(8, 4, 1), "out_channels of a padded shortcut must be at least 8, got 4"),
        (
            lambda: make_shortcut(8, 8, 1, "none"),  # type: ignore[arg-type]
            "shortcut must be 'projection' or 'pad', got 'none'",
        ),
        (lambda: ResidualBlock(0, 8, 1), "in_channels must be at least 1, got 0"),
        (lambda: ResidualBlock(8, 0, 1), "out_channels must be at least 1, got 0"),
        (lambda: ResidualBlock(8, 8, 0), "stride must be at least 1, got 0"),
        (
            lambda: ResidualBlock(8, 8, 1, shortcut="none"),  # type: ignore[arg-type]
            "shortcut must be 'projection' or 'pad', got 'none'",
        ),
        (lambda: BottleneckResidualBlock(0, 4, 8, 1), "in_channels must be at least 1, got 0"),
        (lambda: BottleneckResidualBlock(8, 0, 8, 1), "bottleneck_channels must be at least 1, got 0"),
        (lambda: BottleneckResidualBlock(8, 4, 0, 1), "out_channels must be at least 1, got 0"),
        (lambda: BottleneckResidualBlock(8, 4, 8, 0), "stride must be at least 1, got 0"),
        (
            lambda: BottleneckResidualBlock(8, 4, 8, 1, shortcut="none"),  # type: ignore[arg-type]
            "shortcut must be 'projection' or 'pad', got 'none'",
        ),
        (lambda: ResNetBase([], []), r"n_blocks must hold at least one number, got \[\]"),
        (lambda: ResNetBase([1, 1], [8]), r"n_channels must have length 2, got \[8\]"),
        (lambda: ResNetBase([1], [8], []), r"bottlenecks must have length 1, got \[\]"),
        (lambda: ResNetBase([1, 1], [8, 8], [4]), r"bottlenecks must have length 2, got \[4\]"),
        (lambda: ResNetBase([1, 0], [8, 8]), r"n_blocks must be at least 1, got \[1, 0\]"),
        (lambda: ResNetBase([1, 1], [8, 0]), r"n_channels must be at least 1, got \[8, 0\]"),
        (lambda: ResNetBase([1], [8], [0]), r"bottlenecks must be at least 1, got \[0\]"),
        (lambda: ResNetBase([1], [8], img_channels=0), "img_channels must be at least 1, got 0"),
        (lambda: ResNetBase([1], [8], first_stride=0), "first_stride must be at least 1, got 0"),
        (lambda: ResNetBase([1], [8], first_kernel_size=-1), "first_kernel_size must be at least 1, got -1"),
        (lambda: ResNetBase([1], [8], first_kernel_size=4), "first_kernel_size must be odd, got 4"),
        (
            lambda: ResNetBase([1], [8], shortcut="none"),  # type: ignore[arg-type]
            "shortcut must be 'projection' or 'pad', got 'none'",
        ),
        (
            lambda: ResNetBase([1, 1], [8, 4], shortcut="pad"),
            "out_channels of a padded shortcut must be at least 8, got 4",
        ),
        (lambda: ResNetClassifier(ResNetBase([1], [8]), 0), "n_classes must be at least 1, got 0"),
        (lambda: cifar_resnet(0), "n must be at least 1, got 0"),
        (lambda: cifar_resnet(1, 0), "n_classes must be at least 1, got 0"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_arguments(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        build()


# Drawings


def elements(drawing: Path) -> Iterator[tuple[str, ElementTree.Element]]:
    for element in ElementTree.parse(drawing).iter():
        yield element.tag.removeprefix("{http://www.w3.org/2000/svg}"), element


def labels(drawing: Path) -> Iterator[tuple[str, bool]]:
    """The texts of a drawing, and whether they name code."""
    for tag, element in elements(drawing):
        if tag == "text":
            yield "".join(element.itertext()), "monospace" in element.get("font-family", "")


def test_every_drawing_is_on_one_page() -> None:
    names = {drawing.name for drawing in DRAWINGS}
    assert names >= {"bottleneck-block.svg", "family.svg", "residual-block.svg", "stages.svg"}
    sources = [page.read_text(encoding="utf-8") for page in sorted(FOLDER.glob("*.py"))]
    for name in names:
        assert sum(source.count(f"]({name})") for source in sources) == 1


def test_the_map_shows_as_many_pages_as_its_words_say() -> None:
    pages = [element.get("href", "") for tag, element in elements(FOLDER / "family.svg") if tag == "a"]
    assert "![A map: arrows lead from this page to seven others.]" in (resnet.__doc__ or "")
    assert len(set(pages)) == 7
    assert all((FOLDER / page).is_file() for page in pages)


@pytest.mark.parametrize(
    ("drawing", "model"),
    [
        ("residual-block.svg", ResidualBlock(4, 4, 1)),
        ("bottleneck-block.svg", BottleneckResidualBlock(4, 2, 4, 1)),
        ("stages.svg", ResNetBase([1] * 4, [4] * 4)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_labels_are_the_layers(drawing: str, model: nn.Module) -> None:
    code = [label for label, is_code in labels(FOLDER / drawing) if is_code]
    for label in code:
        model.get_submodule(label.replace("[", ".").replace("]", ""))
    if not isinstance(model, ResNetBase):  # the blocks are drawn whole, in the order they run
        assert sorted(code) == sorted(name for name, _ in model.named_children())
    words = [label for label, is_code in labels(FOLDER / drawing) if not is_code]
    assert not [word for word in words if set(word) - set("ℱxy()+ ×0123456789")]


def test_kernels_and_channels_of_the_drawings() -> None:
    def numbers(drawing: str) -> list[str]:
        return [label for label, _ in labels(FOLDER / drawing) if label[0].isdigit()]

    assert numbers("residual-block.svg") == ["3×3", "3×3"]
    assert numbers("bottleneck-block.svg") == ["256", "1×1", "64", "3×3", "64", "1×1", "256"]
    names = ["conv", "pool", *(f"stages.{i}" for i in range(4))]
    seen = shapes(imagenet(34), names, torch.empty(1, 3, 224, 224, device="meta"))
    expected = ["3", "224×224"]
    for _, channels, height, width in (seen[name] for name in names):
        expected += [str(channels), f"{height}×{width}"]
    assert numbers("stages.svg") == expected
    times = [label for label, _ in labels(FOLDER / "stages.svg") if label.startswith("×")]
    assert times == [f"×{n}" for n in IMAGENET[34][0]]


def test_drawings_can_be_inlined() -> None:
    ids: list[str] = []
    for drawing in DRAWINGS:
        for tag, element in elements(drawing):
            assert tag in {"svg", "a", "g", "defs", "marker", "path", "rect", "circle", "text", "tspan"}
            assert not {"style", "color"} & set(element.keys())
            assert element.get("href") is None or tag == "a"
            assert element.get("class") in {None, "accent", "accent-fill", "muted", "title"}
            if name := element.get("id"):
                assert tag == "marker"
                ids.append(name)
        assert "currentColor" in drawing.read_text(encoding="utf-8")
    assert len(ids) == len(set(ids)) > 0
