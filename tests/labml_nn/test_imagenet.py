"""Holds what the ImageNet page says: figures, names, strides, equality with other code, loading, errors."""

import copy
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from peers import pytorchs_multiply_adds, torchvision
from sampling import thinned
from torch import nn

from labml_nn.resnet import (
    BottleneckResidualBlock,
    ResidualBlock,
    ResNetBase,
    ShortcutProjection,
    imagenet,
)
from labml_nn.resnet.imagenet import (
    NETWORKS,
    BasicBlock,
    Bottleneck,
    Network,
    ResNet,
    count_multiply_adds,
    load_torchvision,
)
from labml_nn.training.checkpoint import CheckpointError

PARAMETERS = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "resnext50_32x4d": 25_028_904,
    "resnext101_32x8d": 88_791_336,
    "resnext101_64x4d": 83_455_272,
    "wide_resnet50_2": 68_883_240,
    "wide_resnet101_2": 126_886_696,
}
# From the state dictionaries of torchvision 0.29.2, whose networks gave the same numbers bit for bit when they were
# compared. `fingerprint` is applied to both.
TORCHVISION = {
    "resnet18": "66b04efc1dfd4b80",
    "resnet34": "4aa3e2bbbdc5e2fd",
    "resnet50": "614cd53ddf849669",
    "resnet101": "593b3bde446ee903",
    "resnet152": "9ce3831312550858",
    "resnext50_32x4d": "5157aafec2a2c5e4",
    "resnext101_32x8d": "98e3cd7345111310",
    "resnext101_64x4d": "945d960d03b26b2a",
    "wide_resnet50_2": "bf71ae35ce444195",
    "wide_resnet101_2": "2f1e7d726d1251d2",
}
DILATIONS = [(False, False, True), (False, True, True), (True, False, True), (True, True, True)]
# Small, with a block in each stage and more than one where it matters
SMALL = Network(Bottleneck, (1, 2, 2, 2))


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def on_meta(network: Network | str, **options: Any) -> ResNet:
    """A network on the meta device: it has shapes but no numbers."""
    with torch.device("meta"):
        return ResNet(network, **options)


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def stages(model: ResNet) -> list[nn.Sequential]:
    return [model.layer1, model.layer2, model.layer3, model.layer4]


def fingerprint(state: dict[str, torch.Tensor]) -> str:
    """Of all names and shapes, in their order."""
    lines = [f"{key} {list(tensor.shape)}" for key, tensor in state.items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def randomize(module: nn.Module) -> None:
    """Makes normalizations do something, also in evaluation."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None and layer.running_var is not None
            nn.init.uniform_(layer.weight, 0.5, 1)
            nn.init.normal_(layer.bias, std=0.2)
            nn.init.normal_(layer.running_mean, std=0.2)
            nn.init.uniform_(layer.running_var, 0.5, 2)


# Figures


def test_there_are_ten_networks() -> None:
    assert list(NETWORKS) == list(PARAMETERS)


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters(name: str) -> None:
    assert n_parameters(on_meta(name)) == PARAMETERS[name]


@pytest.mark.parametrize("name", NETWORKS)
def test_number_in_the_name_counts_layers(name: str) -> None:
    layers = [
        key
        for key, layer in on_meta(name).named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear) and "downsample" not in key
    ]
    number = re.search(r"\d+", name)
    assert number and len(layers) == int(number[0])


@cache
def multiply_adds(name: str) -> int:
    return count_multiply_adds(on_meta(name))


@pytest.mark.parametrize("name", thinned(NETWORKS, 3))
def test_multiply_adds_as_pytorch_counts_them(name: str) -> None:
    images = torch.empty(1, 3, 224, 224, device="meta")
    assert multiply_adds(name) == pytorchs_multiply_adds(on_meta(name), images)


def rows_of_the_page() -> list[list[str]]:
    assert imagenet.__doc__
    rows = [line.strip("| ").split(" | ") for line in imagenet.__doc__.splitlines() if line.startswith("| ")]
    assert rows.pop(0) == ["network", "parameters", "published", "multiply-adds", "published"]
    return rows


def test_table_is_measured() -> None:
    rows = rows_of_the_page()
    titles = [re.sub(r"[-_ ]", "", row[0].replace("×", "x").lower()) for row in rows]
    assert titles == [name.replace("_", "") for name in NETWORKS]
    for name, row in zip(NETWORKS, rows, strict=True):
        assert row[1] == f"{n_parameters(on_meta(name)):,}"
        assert row[3] == f"{multiply_adds(name) / 1e9:.3f}"


def agrees(published: str, measured: float) -> bool:
    """Whether a measurement, rounded or cut off like a published number, is that number."""
    decimals = len(published.partition(".")[2])
    return bool(abs(float(published) - measured) < 1.1 * 10**-decimals)


def test_published_figures_are_those_measured() -> None:
    seen = set()
    for name, row in zip(NETWORKS, rows_of_the_page(), strict=True):
        model = on_meta(name)
        for figure in row[2].split(", ") if "M" in row[2] else [row[2]]:
            number, source = figure[:-1], figure[-1]
            if number.endswith(" M"):
                assert agrees(number.removesuffix(" M"), n_parameters(model) / 1e6)
            else:
                assert number == f"{n_parameters(model):,}"
            seen.add(source)
        for figure in row[4].split(", "):
            number, source = figure[:-1], figure[-1]
            if source == "ʰ":
                # These networks of the paper are a little different, see the next tests.
                assert float(number) <= multiply_adds(name) / 1e9
            elif source == "ᵗ":
                assert number == f"{multiply_adds(name) / 1e9:.2f}"
            else:
                assert agrees(number, multiply_adds(name) / 1e9)
            seen.add(source)
    assert seen == set("ʰˣʷᵗ")
    assert imagenet.__doc__ and all(f"* {letter} [" in imagenet.__doc__ for letter in seen)


def stride_in_the_first(model: ResNet) -> ResNet:
    """Moves the stride to where the paper's authors have it."""
    for stage in stages(model)[1:]:
        assert isinstance(stage[0], Bottleneck)
        assert (stage[0].conv1.stride, stage[0].conv2.stride) == ((1, 1), (2, 2))
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return model


@pytest.mark.parametrize(
    ("name", "measured", "paper"),
    [("resnet50", "3.86", "3.8"), ("resnet101", "7.57", "7.6"), ("resnet152", "11.28", "11.3")],
)
def test_multiply_adds_with_the_stride_of_the_paper(name: str, measured: str, paper: str) -> None:
    billions = count_multiply_adds(stride_in_the_first(on_meta(name))) / 1e9
    assert f"{billions:.2f}" == measured
    assert agrees(paper, billions)
    assert f"{paper}ʰ" in rows_of_the_page()[list(NETWORKS).index(name)][4]


@pytest.mark.parametrize(
    ("name", "measured", "paper"), [("resnet18", "1.79", "1.8"), ("resnet34", "3.64", "3.6")]
)
def test_multiply_adds_without_projections(name: str, measured: str, paper: str) -> None:
    model = on_meta(name)
    total = count_multiply_adds(model)
    for stage, side in zip(stages(model)[1:], (28, 14, 7), strict=True):
        total -= stage[0].get_parameter("downsample.0.weight").numel() * side**2
    assert f"{total / 1e9:.2f}" == measured
    assert f"{total / 1e9:.1f}" == paper
    assert f"{paper}ʰ" in rows_of_the_page()[list(NETWORKS).index(name)][4]


def test_place_of_the_stride_is_the_whole_difference() -> None:
    model = on_meta("resnet50")
    ours = count_multiply_adds(model)
    # Three blocks whose first convolution works on 56, 28 and 14 instead of half of it
    extra = sum(
        stage[0].get_parameter("conv1.weight").numel() * (side**2 - (side // 2) ** 2)
        for stage, side in zip(stages(model)[1:], (56, 28, 14), strict=True)
    )
    assert ours - count_multiply_adds(stride_in_the_first(model)) == extra


def test_counting_leaves_the_model_alone() -> None:
    model = ResNet(SMALL)
    before = copy.deepcopy(model.state_dict())
    assert count_multiply_adds(model, side=32) == count_multiply_adds(on_meta(SMALL), side=32)
    assert count_multiply_adds(model, side=64) < count_multiply_adds(model, side=65)
    after = model.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert not any(layer._forward_hooks for layer in model.modules())


# Names


@pytest.mark.parametrize("name", ["resnet18", "resnext50_32x4d"])
def test_training_is_that_of_torchvision_itself(name: str) -> None:
    theirs, ours = torchvision("models").get_model(name), ResNet(name)
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, 64, 64)
    for model in (ours, theirs):
        model(images).square().mean().backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-3, atol=1e-5)
    assert all(map(torch.equal, ours.buffers(), theirs.buffers()))


@pytest.mark.parametrize("name", NETWORKS)
def test_names_and_shapes_are_those_of_torchvision(name: str) -> None:
    assert fingerprint(on_meta(name).state_dict()) == TORCHVISION[name]


def test_names_of_resnet50() -> None:
    names = [name for name, _ in on_meta("resnet50").named_parameters()]
    block = [f"{layer}{i}" for i in (1, 2, 3) for layer in ("conv", "bn")]
    assert names[:3] == ["conv1.weight", "bn1.weight", "bn1.bias"]
    assert list(dict.fromkeys(".".join(name.split(".")[2:-1]) for name in names[3:33])) == [
        *block,
        "downsample.0",
        "downsample.1",
    ]
    assert next(name for name in names if name.startswith("layer4.2.")) == "layer4.2.conv1.weight"
    assert names[-2:] == ["fc.weight", "fc.bias"]


# Equality


def name_here(name: str) -> str:
    """What a weight of `ResNetBase` is called in `ResNet`."""
    name = name.replace("shortcut.conv", "downsample.0").replace("shortcut.bn", "downsample.1")
    name = re.sub(r"^(conv|bn)\.", r"\g<1>1.", name)
    return re.sub(r"^stages\.(\d)", lambda found: f"layer{int(found[1]) + 1}", name)


def base_of(name: str) -> ResNetBase:
    """The same trunk, written with the classes of the first page."""
    network = NETWORKS[name]
    planes = [64, 128, 256, 512]
    channels = [network.block.expansion * p for p in planes]
    return ResNetBase(network.n_blocks, channels, None if network.block is BasicBlock else planes)


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"])
def test_weights_of_resnet_base_are_the_same(name: str) -> None:
    with torch.device("meta"):
        theirs = base_of(name).state_dict()
    ours = on_meta(name).state_dict()
    assert [*map(name_here, theirs), "fc.weight", "fc.bias"] == list(ours)
    assert all(ours[name_here(key)].shape == tensor.shape for key, tensor in theirs.items())


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
@pytest.mark.parametrize("training", [True, False])
def test_trunk_equals_resnet_base(name: str, training: bool) -> None:
    base, model = base_of(name), ResNet(name)
    randomize(base)
    state = {name_here(key): tensor for key, tensor in base.state_dict().items()}
    model.load_state_dict({**model.state_dict(), **state})
    maps: list[torch.Tensor] = []
    base.stages[-1].register_forward_hook(lambda _module, _received, y: maps.append(y))
    x = torch.randn(2, 3, 64, 96)
    features, theirs = model.train(training).features(x), base.train(training)(x)
    assert torch.equal(features, maps[0])
    torch.testing.assert_close(model.avgpool(features).flatten(1), theirs)


def test_basic_block_equals_residual_block() -> None:
    for in_channels, stride in [(64, 1), (32, 1), (32, 2)]:
        ours, theirs = BasicBlock(in_channels, 64, stride), ResidualBlock(in_channels, 64, stride)
        randomize(theirs)
        ours.load_state_dict({name_here(key): tensor for key, tensor in theirs.state_dict().items()})
        x = torch.randn(2, in_channels, 9, 8)
        assert torch.equal(ours(x), theirs(x))


def test_one_group_of_width_64_is_the_plain_bottleneck() -> None:
    for in_channels, stride in [(256, 1), (64, 1), (128, 2)]:
        ours = Bottleneck(in_channels, 64, stride, groups=1, base_width=64)
        assert repr(ours) == repr(Bottleneck(in_channels, 64, stride))
        theirs = BottleneckResidualBlock(in_channels, 64, 256, stride)
        randomize(theirs)
        ours.load_state_dict({name_here(key): tensor for key, tensor in theirs.state_dict().items()})
        x = torch.randn(2, in_channels, 9, 8)
        assert torch.equal(ours(x), theirs(x))


def test_shortcut_is_the_projection() -> None:
    ours, theirs = imagenet.make_downsample(8, 16, 2, nn.BatchNorm2d), ShortcutProjection(8, 16, 2)
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    x = torch.randn(2, 8, 5, 6)
    assert torch.equal(ours(x), theirs(x))
    empty = imagenet.make_downsample(8, 8, 1, nn.BatchNorm2d)
    assert empty(x) is x and not empty.state_dict()


def test_groups_are_narrow_paths_added_up() -> None:
    block = Bottleneck(256, 64, groups=32, base_width=4)
    randomize(block)
    block.eval()
    x = torch.randn(2, 256, 6, 6)
    reduced = block.relu(block.bn1(block.conv1(x)))
    bn2 = block.bn2
    assert isinstance(bn2, nn.BatchNorm2d) and bn2.running_mean is not None and bn2.running_var is not None
    paths = []
    for i in range(32):
        path = slice(4 * i, 4 * i + 4)
        small = nn.functional.conv2d(reduced[:, path], block.conv2.weight[path], padding=1)
        moments = bn2.running_mean[path], bn2.running_var[path]
        small = nn.functional.batch_norm(small, *moments, bn2.weight[path], bn2.bias[path])
        paths.append(nn.functional.conv2d(small.relu(), block.conv3.weight[:, path]))
    torch.testing.assert_close(block(x), torch.relu(block.bn3(sum(paths)) + x))


# Blocks


@pytest.mark.parametrize(
    ("planes", "groups", "base_width", "width"),
    [
        (64, 1, 64, 64),
        (64, 32, 4, 128),
        (64, 32, 8, 256),
        (64, 64, 4, 256),
        (64, 1, 128, 128),
        (96, 2, 25, 74),
    ],
)
def test_width(planes: int, groups: int, base_width: int, width: int) -> None:
    block = Bottleneck(32, planes, groups=groups, base_width=base_width)
    assert width == int(planes * (base_width / 64)) * groups
    convolutions = [block.conv1, block.conv2, block.conv3]
    assert [c.out_channels for c in convolutions] == [width, width, 4 * planes]
    assert [c.groups for c in convolutions] == [1, groups, 1]
    assert [c.kernel_size for c in convolutions] == [(1, 1), (3, 3), (1, 1)]


@pytest.mark.parametrize(("stride", "size"), [(1, (7, 8)), (2, (4, 4)), (3, (3, 3))])
def test_block_shape(stride: int, size: tuple[int, int]) -> None:
    x = torch.randn(2, 16, 7, 8)
    assert BasicBlock(16, 24, stride)(x).shape == (2, 24, *size)
    assert Bottleneck(16, 24, stride, groups=4, base_width=32, dilation=2)(x).shape == (2, 96, *size)


def test_stride_sits_where_the_page_says() -> None:
    basic, bottleneck = BasicBlock(8, 16, 2), Bottleneck(8, 16, 2)
    assert [basic.conv1.stride, basic.conv2.stride] == [(2, 2), (1, 1)]
    strides = [bottleneck.conv1.stride, bottleneck.conv2.stride, bottleneck.conv3.stride]
    assert strides == [(1, 1), (2, 2), (1, 1)]


def test_convolutions_have_no_bias_and_he_initialisation_by_shape() -> None:
    model = ResNet(Network(Bottleneck, (1, 1, 1, 1), groups=32, base_width=4))
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            assert layer.bias is None
            fan_out = layer.out_channels * layer.kernel_size[0] ** 2
            assert layer.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.1)
            # With groups, the fan-out is really smaller, and the variance of He's rule larger.
            true_fan_out = fan_out / layer.groups
            variance = layer.weight.var().item()
            assert variance * layer.groups == pytest.approx(2 / true_fan_out, rel=0.2)


# The network


def test_sizes_of_the_maps() -> None:
    for name in ("resnet18", "resnext50_32x4d"):
        model = on_meta(name)
        x = torch.empty(1, 3, 224, 224, device="meta")
        sizes = []
        for layer in (model.conv1, model.maxpool, *stages(model)):
            x = layer(x)
            sizes.append((x.shape[1] // NETWORKS[name].block.expansion, x.shape[-1]))
        assert [side for _, side in sizes] == [112, 56, 56, 28, 14, 7]
        assert [planes for planes, _ in sizes[2:]] == [64, 128, 256, 512]


@pytest.mark.parametrize("size", [(64, 64), (33, 70), (224, 160)])
def test_output_shape(size: tuple[int, int]) -> None:
    model = on_meta("resnet18", n_classes=7)
    x = torch.empty(2, 3, *size, device="meta")
    height, width = (-(-side // 32) for side in size)
    assert model.features(x).shape == (2, 512, height, width)
    assert model(x).shape == (2, 7)


def test_logits_come_from_the_mean_of_the_map() -> None:
    model = ResNet(SMALL, n_classes=5).eval()
    x = torch.randn(2, 3, 64, 96)
    torch.testing.assert_close(model(x), model.fc(model.features(x).mean(dim=(2, 3))))


def test_a_row_and_its_name_are_the_same_network() -> None:
    assert repr(on_meta("resnext50_32x4d")) == repr(on_meta(NETWORKS["resnext50_32x4d"]))


def test_every_weight_learns() -> None:
    model = ResNet(SMALL, n_classes=3)
    torch.autograd.backward(model(torch.randn(4, 3, 64, 64)).square().sum())
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


# Dilation


@pytest.mark.parametrize("replace", DILATIONS)
def test_dilation_gives_the_strides_it_should(replace: tuple[bool, bool, bool]) -> None:
    plain, model = on_meta("resnet50"), on_meta("resnet50", replace_stride_with_dilation=replace)
    assert fingerprint(model.state_dict()) == fingerprint(plain.state_dict())
    x = torch.empty(1, 3, 224, 224, device="meta")
    output_stride = 32 // 2 ** sum(replace)
    assert model.features(x).shape == (1, 2048, 224 // output_stride, 224 // output_stride)

    dilation = 1
    for stage, dilated in zip(stages(model), (False, *replace), strict=True):
        before, dilation = dilation, 2 * dilation if dilated else dilation
        for j, block in enumerate(stage):
            assert isinstance(block, Bottleneck)
            halves = j == 0 and stage is not model.layer1 and not dilated
            assert block.conv2.stride == ((2, 2) if halves else (1, 1))
            expected = before if j == 0 else dilation
            assert block.conv2.dilation == block.conv2.padding == (expected, expected)


@pytest.mark.parametrize("replace", DILATIONS)
@pytest.mark.parametrize("size", [(64, 64), (70, 101)])
def test_dilation_keeps_what_the_stride_computes(
    replace: tuple[bool, bool, bool], size: tuple[int, int]
) -> None:
    strided, dilated = ResNet(SMALL).eval(), ResNet(SMALL, replace_stride_with_dilation=replace).eval()
    randomize(strided)
    dilated.load_state_dict(strided.state_dict())
    x = torch.randn(1, 3, *size)
    coarse, fine = strided.features(x), dilated.features(x)
    step = 2 ** sum(replace)
    assert fine.shape[-1] > coarse.shape[-1]
    torch.testing.assert_close(fine[:, :, ::step, ::step], coarse, rtol=1e-3, atol=1e-3)


# Options


def test_norm_layer_is_used_everywhere() -> None:
    model = ResNet(SMALL, norm_layer=partial(nn.GroupNorm, 16))
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in model.modules())
    plain = [name for name, layer in ResNet(SMALL).named_modules() if isinstance(layer, nn.BatchNorm2d)]
    assert [name for name, layer in model.named_modules() if isinstance(layer, nn.GroupNorm)] == plain
    assert model(torch.randn(1, 3, 32, 32)).shape == (1, 1000)


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_zero_init_residual_starts_as_the_identity(block: type[BasicBlock] | type[Bottleneck]) -> None:
    model = ResNet(Network(block, (2, 1, 1, 2)), zero_init_residual=True).eval()
    last = "bn2" if block is BasicBlock else "bn3"
    zeros = [
        name for name, p in model.named_parameters() if p.dim() == 1 and "weight" in name and not p.any()
    ]
    assert zeros == [name for name, _ in model.named_parameters() if name.endswith(f".{last}.weight")]
    assert len(zeros) == 6
    for stage in (model.layer1, model.layer4):
        x = torch.rand(1, 512 * block.expansion if stage is model.layer4 else 64 * block.expansion, 5, 5)
        assert torch.equal(stage[1](x), x)
    assert all(
        p.any() for name, p in ResNet(Network(block, (1, 1, 1, 1))).named_parameters() if "weight" in name
    )


def test_zero_init_residual_with_another_normalization() -> None:
    model = ResNet(SMALL, zero_init_residual=True, norm_layer=partial(nn.GroupNorm, 8))
    assert not model.layer2[1].get_parameter("bn3.weight").any()


# Loading


def save(state: object, path: Path, *, legacy: bool = False) -> Path:
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    return path


@pytest.fixture(scope="module")
def trained() -> ResNet:
    """A network with weights unlike those of a new one."""
    torch.manual_seed(1)
    model = ResNet("resnet18").eval()
    randomize(model)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.num_batches_tracked = torch.tensor(17)
    return model


@pytest.mark.parametrize("legacy", [False, True])
def test_loads_without_being_told_the_network(trained: ResNet, tmp_path: Path, legacy: bool) -> None:
    path = save(trained.state_dict(), tmp_path / "resnet18.pth", legacy=legacy)
    model = load_torchvision(str(path)).eval()
    assert all(torch.equal(tensor, model.state_dict()[key]) for key, tensor in trained.state_dict().items())
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(model(x), trained(x))


def test_loads_into_a_network(trained: ResNet, tmp_path: Path) -> None:
    model = ResNet("resnet18", zero_init_residual=True).eval()
    assert load_torchvision(save(trained.state_dict(), tmp_path / "w.pth"), model) is model
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(model(x), trained(x))


def test_loads_into_a_dilated_network(tmp_path: Path) -> None:
    source = ResNet("resnet50")
    model = ResNet("resnet50", replace_stride_with_dilation=(False, True, True))
    load_torchvision(save(source.state_dict(), tmp_path / "w.pth"), model)
    assert torch.equal(
        model.layer4[2].get_parameter("conv2.weight"), source.layer4[2].get_parameter("conv2.weight")
    )


def test_loads_old_files_with_parameters_and_without_counters(trained: ResNet, tmp_path: Path) -> None:
    old = OrderedDict(
        (key, nn.Parameter(tensor) if "running" not in key else tensor)
        for key, tensor in trained.state_dict().items()
        if not key.endswith("num_batches_tracked")
    )
    model = load_torchvision(save(old, tmp_path / "w.pth", legacy=True)).eval()
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(model(x), trained(x))
    assert isinstance(model.bn1, nn.BatchNorm2d)
    assert model.bn1.num_batches_tracked == 0


class Strict(nn.BatchNorm2d):
    """A normalization that counts batches, and does not forgive a file that does not."""

    def _load_from_state_dict(self, *received: Any) -> None:
        nn.Module._load_from_state_dict(self, *received)


class Frozen(Strict):
    """A normalization that counts no batches, and does not forgive a file that does."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.num_batches_tracked = None


@pytest.mark.parametrize(("norm_layer", "counted"), [(Frozen, True), (Strict, False)])
def test_numbers_of_batches_may_be_on_one_side_only(
    trained: ResNet, tmp_path: Path, norm_layer: type[nn.BatchNorm2d], counted: bool
) -> None:
    state = {key: t for key, t in trained.state_dict().items() if counted or "num_batches" not in key}
    model = ResNet("resnet18", norm_layer=norm_layer).eval()
    assert any("num_batches" in key for key in model.state_dict()) != counted
    load_torchvision(save(state, tmp_path / "w.pth"), model)
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(model(x), trained(x))


def test_loads_other_numbers_of_classes_and_types(tmp_path: Path) -> None:
    source = ResNet("resnet18", n_classes=10).half()
    model = load_torchvision(save(source.state_dict(), tmp_path / "w.pth"))
    assert model.fc.out_features == 10
    assert model.fc.weight.dtype == torch.float32
    assert torch.equal(model.fc.weight, source.fc.weight.float())


@pytest.mark.parametrize("name", thinned(NETWORKS, 4))
def test_tells_the_networks_apart(name: str) -> None:
    assert imagenet._recognise(on_meta(name, n_classes=3).state_dict()) == name


def test_a_file_without_the_last_layer_is_recognised_and_refused(trained: ResNet, tmp_path: Path) -> None:
    trunk = {key: tensor for key, tensor in trained.state_dict().items() if not key.startswith("fc.")}
    path = save(trunk, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"seems to be for resnet18\. Differences \(2\):") as caught:
        load_torchvision(path)
    assert "fc.weight: nothing in the file, [1000, 512] in the model\n" in str(caught.value)


def test_a_mismatch_names_weights_and_network(trained: ResNet, tmp_path: Path) -> None:
    path = save(trained.state_dict(), tmp_path / "w.pth")
    model = ResNet("resnet50")
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(CheckpointError) as caught:
        load_torchvision(path, model)
    first, *lines = str(caught.value).split("\n")
    found, wanted = trained.state_dict(), model.state_dict()
    differing = [
        key
        for key in {**found, **wanted}
        if not key.endswith("num_batches_tracked")
        and (key not in found or key not in wanted or found[key].shape != wanted[key].shape)
    ]
    assert first == (
        f"{path} does not fit the model, it seems to be for resnet18. Differences ({len(differing)}):"
    )
    assert lines[0] == "layer1.0.conv1.weight: [64, 64, 3, 3] in the file, [64, 64, 1, 1] in the model"
    assert "layer1.0.conv3.weight: nothing in the file, [256, 64, 1, 1] in the model" in lines
    assert len(lines) == 9
    # Nothing has been loaded.
    assert all(torch.equal(tensor, wanted[key]) for key, tensor in before.items())


def test_a_mismatch_names_what_is_too_much(trained: ResNet, tmp_path: Path) -> None:
    path = save({**trained.state_dict(), "extra": torch.zeros(2)}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"seems to be for none of ours\. Differences \(1\):") as caught:
        load_torchvision(path, ResNet("resnet18"))
    assert str(caught.value).endswith("\nextra: [2] in the file, nothing in the model")


def test_an_unknown_network_is_refused(trained: ResNet, tmp_path: Path) -> None:
    wrapped = {f"module.{key}": tensor for key, tensor in trained.state_dict().items()}
    path = save(wrapped, tmp_path / "w.pth")
    message = (
        r"fits none of resnet18, .*, wide_resnet101_2\. The first names in it are module\.conv1\.weight, "
    )
    with pytest.raises(CheckpointError, match=message):
        load_torchvision(path)


@pytest.mark.parametrize(
    ("content", "received"),
    [
        ({"state_dict": {}, "epoch": 3}, "state_dict: dict, epoch: int"),
        ({0: torch.zeros(1)}, "0: Tensor"),
        (torch.zeros(3), "Tensor"),
    ],
)
def test_other_contents_are_refused(content: object, received: str, tmp_path: Path) -> None:
    path = save(content, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=rf"w\.pth must hold tensors by name, got {received}$"):
        load_torchvision(path)


def test_unreadable_files_are_refused(trained: ResNet, tmp_path: Path) -> None:
    path = save(trained.state_dict(), tmp_path / "w.pth")
    path.write_bytes(path.read_bytes()[:100_000])
    for unreadable in (path, tmp_path, tmp_path / "missing.pth"):
        with pytest.raises(CheckpointError, match=rf"^{re.escape(str(unreadable))} cannot be read: "):
            load_torchvision(unreadable)


@pytest.mark.parametrize(
    ("other", "legacy", "reason"),
    [
        (torch.full((64,), torch.nan), False, "bn1.weight is not finite everywhere"),
        (torch.full((64,), torch.inf), True, "bn1.weight is not finite everywhere"),
        (torch.ones(1).expand(10**6, 10**6), False, r"a tensor of shape \[1000000, 1000000\] does not fit"),
        (
            torch.ones(1).expand(10**6, 10**6),
            True,
            "bn1.weight is not a plain tensor with all of its numbers",
        ),
        (torch.ones(64).to_sparse(), True, "bn1.weight is not a plain tensor"),
        (torch.ones(64).to_sparse(), False, "'torch.serialization _get_layout' may not be called"),
    ],
)
@pytest.mark.filterwarnings("ignore:Sparse")
def test_tensors_that_are_not_plain_are_refused(
    trained: ResNet, tmp_path: Path, other: torch.Tensor, legacy: bool, reason: str
) -> None:
    path = save({**trained.state_dict(), "bn1.weight": other}, tmp_path / "w.pth", legacy=legacy)
    with pytest.raises(CheckpointError, match=rf"w\.pth cannot be read: .*{reason}"):
        load_torchvision(path)


def test_names_from_a_file_are_printable(trained: ResNet, tmp_path: Path) -> None:
    for state in (
        {**trained.state_dict(), "\x1b[2J": torch.ones(1)},
        {"\x1b[2J": torch.ones(1)},
        {"\x1b[2J": 1},
    ):
        with pytest.raises(CheckpointError, match=r"\\x1b\[2J") as caught:
            load_torchvision(save(state, tmp_path / "w.pth"), ResNet("resnet18") if len(state) > 1 else None)
        assert all(line.isprintable() for line in str(caught.value).splitlines())


class Trap:
    """Runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_a_file_cannot_run_code(tmp_path: Path) -> None:
    path = save({"conv1.weight": Trap(tmp_path / "touched")}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="cannot be read: "):
        load_torchvision(path)
    assert not (tmp_path / "touched").exists()
    torch.load(path, weights_only=False)
    assert (tmp_path / "touched").exists()  # the trap works


# Errors

NORM = "norm_layer must be a class or function such as nn.BatchNorm2d, got "


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: BasicBlock(0, 8), "in_channels must be at least 1, got 0"),
        (lambda: BasicBlock(8, 0), "planes must be at least 1, got 0"),
        (lambda: BasicBlock(8, 8, 0), "stride must be at least 1, got 0"),
        (
            lambda: BasicBlock(8, 8, groups=32),
            "groups and base_width of a BasicBlock must be 1 and 64, got (32, 64)",
        ),
        (
            lambda: BasicBlock(8, 8, base_width=128),
            "groups and base_width of a BasicBlock must be 1 and 64, got (1, 128)",
        ),
        (lambda: BasicBlock(8, 8, norm_layer="batch"), NORM + "'batch'"),  # type: ignore[arg-type]
        (lambda: Bottleneck(0, 64), "in_channels must be at least 1, got 0"),
        (lambda: Bottleneck(64, 0), "planes must be at least 1, got 0"),
        (lambda: Bottleneck(64, 64, 0), "stride must be at least 1, got 0"),
        (lambda: Bottleneck(64, 64, groups=0), "groups must be at least 1, got 0"),
        (lambda: Bottleneck(64, 64, base_width=0), "base_width must be at least 1, got 0"),
        (lambda: Bottleneck(64, 64, dilation=0), "dilation must be at least 1, got 0"),
        (lambda: Bottleneck(64, 8, base_width=7), "width must be at least 1, got 0"),
        (lambda: Bottleneck(64, 64, norm_layer=None), NORM + "None"),  # type: ignore[arg-type]
        (lambda: Bottleneck(64, 64, norm_layer=nn.Identity()), NORM + "Identity()"),
        (
            lambda: Network(Bottleneck, (3, 4, 6)),
            "n_blocks must hold 4 numbers of at least 1, one for each stage, got (3, 4, 6)",
        ),
        (
            lambda: Network(Bottleneck, (3, 4, 0, 3)),
            "n_blocks must hold 4 numbers of at least 1, one for each stage, got (3, 4, 0, 3)",
        ),
        (lambda: ResNet("resnet20"), f"network must be one of {', '.join(PARAMETERS)}, got 'resnet20'"),
        (lambda: ResNet(SMALL, 0), "n_classes must be at least 1, got 0"),
        (
            lambda: ResNet(SMALL, replace_stride_with_dilation=(True, True)),
            "replace_stride_with_dilation must hold 3 values, got (True, True)",
        ),
        (lambda: ResNet(SMALL, norm_layer=3), NORM + "3"),  # type: ignore[arg-type]
        (
            lambda: ResNet(SMALL, zero_init_residual=True, norm_layer=nn.Identity),
            "zero_init_residual needs norm_layer with weight, got Identity()",
        ),
        (
            lambda: ResNet(Network(BasicBlock, (1, 1, 1, 1), groups=2)),
            "groups and base_width of a BasicBlock must be 1 and 64, got (2, 64)",
        ),
        (lambda: count_multiply_adds(on_meta(SMALL), side=0), "side must be at least 1, got 0"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_arguments(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        build()


@pytest.mark.parametrize(
    ("build", "dilation"),
    [
        (lambda: BasicBlock(8, 8, dilation=2), 2),
        (lambda: BasicBlock(8, 8, dilation=0), 0),
        (lambda: on_meta("resnet18", replace_stride_with_dilation=(False, True, True)), 2),
    ],
)
def test_basic_blocks_have_no_dilation(build: Callable[[], object], dilation: int) -> None:
    with pytest.raises(NotImplementedError, match=f"^dilation of a BasicBlock must be 1, got {dilation}$"):
        build()


# The drawing


def test_labels_of_the_drawing_are_the_networks() -> None:
    drawing = Path(imagenet.__file__).parent / "three-bottlenecks.svg"
    texts = ["".join(e.itertext()) for e in ElementTree.parse(drawing).iter() if e.tag.endswith("}text")]
    expected = []
    for name in ("resnet50", "resnext50_32x4d", "wide_resnet50_2"):
        block = on_meta(name).layer1[1]
        assert isinstance(block, Bottleneck)
        convolutions = [block.conv1, block.conv2, block.conv3]
        channels = [block.conv1.in_channels, *(c.out_channels for c in convolutions)]
        kernels = [f"{c.kernel_size[0]}×{c.kernel_size[1]}" for c in convolutions]
        expected += [*map(str, channels[:3]), *kernels, str(channels[3]), name]
    assert texts == expected
    strands = [
        e.get("d", "").count("M") for e in ElementTree.parse(drawing).iter() if e.tag.endswith("}path")
    ]
    assert strands == [1, 1, 1, 1, 32, 1, 1, 1, 1]
