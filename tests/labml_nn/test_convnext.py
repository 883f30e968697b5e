"""ConvNeXt and the ladder to it: names, shapes, numbers and gradients are those of other people's networks."""

from __future__ import annotations

import copy
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from peers import pytorchs_multiply_adds, torchvision
from torch import Tensor, nn

import labml_nn.convnext as page
from labml_nn.convnext import (
    SIZES,
    ConvNeXt,
    ConvNeXtBlock,
    StochasticDepth,
    convnext,
    ladder,
    load_torchvision,
)
from labml_nn.convnext.ladder import CHANGES, LADDER, Design, LadderBlock, build
from labml_nn.resnet import imagenet
from labml_nn.resnet.imagenet import count_multiply_adds
from labml_nn.training.checkpoint import CheckpointError
from labml_nn.transformers import Block

FOLDER = Path(page.__file__ or "").parent
# From the state dictionaries of torchvision 0.29.1. `fingerprint` is applied to both.
TORCHVISION = {
    "convnext_tiny": "923f285139243a72",
    "convnext_small": "5f3bc2c6bb725d84",
    "convnext_base": "75f0b5c3e8dad4cd",
    "convnext_large": "764d70d6d1135d67",
}
# What torchvision documents, in billions.
OPERATIONS = {
    "convnext_tiny": 4.456,
    "convnext_small": 8.684,
    "convnext_base": 15.355,
    "convnext_large": 34.361,
}
# From torchvision's `ConvNeXt` with two stages of 1 and 2 blocks, 4 and 8 channels and 5 classes, with the weights and
# images below: the logits, and the norm of the gradient of the sum of their squares for each parameter.
LOGITS = [
    [0.550494, 1.377723, 1.577506, 1.058565, 0.057231],
    [0.658827, 1.49084, 1.644634, 1.04957, -0.023848],
]
GRADIENTS = [2.210794, 0.983304, 8.74359, 11.329978]
GRADIENTS += [7.544285, 1.187768, 1.006918, 0.926083, 1.826824, 1.799686, 3.240265, 5.025961, 4.781065]
GRADIENTS += [5.407461, 7.710325, 2.004435, 1.569063]
GRADIENTS += [2.174605, 0.481107, 0.308749, 1.327062, 1.652494, 0.419828, 0.451608, 0.754813, 0.56962]
GRADIENTS += [9.732592, 0.346653, 0.232928, 1.083982, 1.5657, 0.787531, 0.580233, 2.814314, 0.611663]
GRADIENTS += [16.601002, 15.351021, 16.453572, 9.90326]


@pytest.fixture(autouse=True)
def one_thread_and_seed() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


@cache
def on_meta(name: str) -> nn.Module:
    with torch.device("meta"):
        return convnext(name) if name in SIZES else build(LADDER[name])


def n_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def fingerprint(state: dict[str, Tensor]) -> str:
    """Of all names and shapes, in their order."""
    lines = [f"{key} {list(tensor.shape)}" for key, tensor in state.items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def fill(model: nn.Module) -> None:
    """Weights that need no generator."""
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(torch.sin(torch.arange(p.numel(), dtype=torch.float64) * 0.7 + i).view_as(p) * 0.5)


def images() -> Tensor:
    return torch.cos(torch.arange(2 * 3 * 16 * 24, dtype=torch.float64) ** 1.5).view(2, 3, 16, 24)


def small(**options: Any) -> ConvNeXt:
    values = {"blocks": [1, 2], "width": 4, "n_classes": 5, "scale": 1.0}
    return ConvNeXt(**{**values, **options}).double()


def rows(text: str | None) -> list[list[str]]:
    """The rows of the first table of a page, without its head."""
    lines = [line.strip("| ").split(" | ") for line in (text or "").splitlines() if line.startswith("|")]
    return lines[2:]


# Against torchvision


@pytest.mark.parametrize("name", SIZES)
def test_names_and_shapes_are_those_of_torchvision(name: str) -> None:
    assert fingerprint(on_meta(name).state_dict()) == TORCHVISION[name]


def test_outputs_and_gradients_are_those_of_torchvision() -> None:
    model = small()
    fill(model)
    logits = model(images())
    torch.testing.assert_close(logits, torch.tensor(LOGITS).double(), rtol=0, atol=2e-6)
    logits.square().sum().backward()
    found = [p.grad.norm().item() for p in model.parameters() if p.grad is not None]
    assert found == pytest.approx(GRADIENTS, rel=1e-5, abs=2e-6)


def test_training_is_that_of_torchvision_itself() -> None:
    theirs = torchvision("models.convnext")
    setting = [theirs.CNBlockConfig(4, 8, 1), theirs.CNBlockConfig(8, None, 2)]
    their = theirs.ConvNeXt(setting, 0.5, 1.0, 5).double()
    our = small(depth_rate=0.5)
    our.load_state_dict(their.state_dict())
    fill(our)
    fill(their)
    many = images().repeat(8, 1, 1, 1)
    for model in (our, their):
        model.train()
        torch.manual_seed(3)
        model(many).square().sum().backward()
    for p, q in zip(our.parameters(), their.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad)


@pytest.mark.parametrize("name", SIZES)
def test_table_of_networks_is_measured(name: str) -> None:
    (row,) = (row for row in rows(page.__doc__) if row[0] == f"`{name}`")
    size = SIZES[name]
    assert row[1] == ", ".join(map(str, size.blocks))
    assert row[2] == f"{size.width} … {8 * size.width}"
    assert row[3] == f"{n_parameters(on_meta(name)):,}"
    found = count_multiply_adds(on_meta(name)) / 1e9
    assert row[4] == f"{found:.3f}" and found == pytest.approx(OPERATIONS[name], abs=6e-4)


# Against PyTorch's own modules


def test_block_is_a_transformer_block_with_a_convolution_in_place_of_attention() -> None:
    """The parts of our Transformer block, which equals PyTorch's, do the second half."""
    block = ConvNeXtBlock(8, scale=0.3).double()
    transformer: Any = Block(8, 2, 32, eps=1e-6).double()
    fill(block)
    parts = [block.block[2], block.block[3], block.block[5]]
    for theirs, ours in zip((transformer.ln_2, transformer.mlp[0], transformer.mlp[3]), parts, strict=True):
        theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 8, 5, 6, dtype=torch.float64, requires_grad=True)
    conv: Any = block.block[0]
    mixed = nn.functional.conv2d(x, conv.weight, conv.bias, padding=3, groups=8)
    positions = mixed.flatten(2).transpose(1, 2)
    residual = transformer.mlp(transformer.ln_2(positions)).transpose(1, 2).view_as(x)
    expected, found = x + block.layer_scale * residual, block(x)
    torch.testing.assert_close(found, expected)
    sent = torch.randn_like(x)
    inputs = (x, conv.weight, block.layer_scale)
    torch.testing.assert_close(
        torch.autograd.grad(found, inputs, sent), torch.autograd.grad(expected, inputs, sent)
    )


def test_a_block_starts_close_to_the_identity() -> None:
    block, x = ConvNeXtBlock(8), torch.randn(2, 8, 9, 9, requires_grad=True)
    y = block(x)
    assert 0 < (y - x).abs().max() < 1e-5
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.ones_like(x), atol=1e-4, rtol=0)


def test_depth_grows_stochastic_along_a_line() -> None:
    model = small(blocks=[1, 2, 2], depth_rate=0.4)
    found = [m.survival for m in model.modules() if isinstance(m, StochasticDepth)]
    assert found == pytest.approx([1, 0.9, 0.8, 0.7, 0.6])
    block = ConvNeXtBlock(4, scale=1.0, survival=0.5)
    x = torch.randn(64, 4, 3, 3)
    whole = block.eval()(x) - x
    some = block.train()(x) - x
    kept = some.flatten(1).abs().sum(1) > 0
    assert 16 < kept.sum() < 48
    torch.testing.assert_close(some[kept], 2 * whole[kept])


# The ladder


def test_first_rung_is_resnet_50() -> None:
    """The same weights in the same order give the same gradients, bit for bit."""
    blocks = (1, 2, 2, 2)
    ours = build(Design(blocks=blocks), 5)
    theirs = imagenet.ResNet(imagenet.Network(imagenet.Bottleneck, blocks), 5)
    assert [p.shape for p in ours.parameters()] == [p.shape for p in theirs.parameters()]
    with torch.no_grad():
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            p.copy_(q)
    x = torch.randn(2, 3, 64, 64)
    for model in (ours, theirs):
        model(x).square().sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(p.grad, q.grad)  # type: ignore[arg-type]
    with torch.device("meta"):
        resnet50 = imagenet.ResNet("resnet50")
    assert n_parameters(resnet50) == n_parameters(on_meta("ResNet-50"))


def test_last_rung_is_convnext_t() -> None:
    assert isinstance(on_meta("separate downsampling"), ConvNeXt)
    assert fingerprint(on_meta("separate downsampling").state_dict()) == TORCHVISION["convnext_tiny"]


def test_block_of_the_last_rung_but_one_computes_what_convnexts_does() -> None:
    below, block = LadderBlock(8, 8, 1, LADDER["layer normalization"]), ConvNeXtBlock(8, scale=1.0)
    fill(below)
    weights = [p.flatten() for p in below.parameters()]
    with torch.no_grad():
        for p, q in zip(block.block.parameters(), weights, strict=True):
            p.copy_(q.view_as(p))
    x = torch.randn(2, 8, 9, 9)
    torch.testing.assert_close(below(x), block(x), atol=1e-4, rtol=1e-4)


def test_each_rung_changes_one_thing() -> None:
    designs = list(LADDER.values())
    assert list(LADDER) == ["ResNet-50", *CHANGES] and len(CHANGES) == 12
    for below, design, change in zip(designs[:-1], designs[1:], CHANGES.values(), strict=True):
        changed = {f.name for f in fields(Design) if getattr(below, f.name) != getattr(design, f.name)}
        assert changed == set(change) and len(changed) == 1


@pytest.mark.parametrize("rung", LADDER)
def test_table_of_the_ladder_is_measured(rung: str) -> None:
    (row,) = (row for row in rows(ladder.__doc__) if row[0] == rung)
    model = on_meta(rung)
    assert row[1] == f"{n_parameters(model) / 1e6:.2f}"
    assert row[2] == f"{count_multiply_adds(model) / 1e9:.2f}"


@pytest.mark.parametrize("rung", ["ResNet-50", "layer normalization", "separate downsampling"])
def test_multiply_adds_are_those_that_pytorch_counts(rung: str) -> None:
    model = copy.deepcopy(on_meta(rung)).eval()
    images = torch.empty(1, 3, 224, 224, device="meta")
    assert pytorchs_multiply_adds(model, images) == count_multiply_adds(model)


def test_what_the_page_says_about_the_ladder() -> None:
    """Counts that agree with the paper's table 10, and differences of its accuracies."""
    found = rows(ladder.__doc__)
    assert [row[0] for row in found] == list(LADDER)
    assert [i for i, row in enumerate(found) if row[2] != row[3]] == [11, 12], "eleven agree"
    accuracy = {row[0]: float(row[4].rstrip(" %")) for row in found}
    steps = list(accuracy.values())
    worse = [name for name, below, here in zip(CHANGES, steps, steps[1:], strict=False) if here < below]
    assert worse == ["depthwise convolution", "depthwise first"]
    assert round(steps[-1] - 76.13, 1) == 5.8 and round(steps[0] - 76.13, 1) == 2.7
    micro = list(CHANGES)[7:]
    gains = dict(zip(CHANGES, (b - a for a, b in itertools.pairwise(steps)), strict=True))
    assert max(micro, key=gains.__getitem__) == "fewer activations"
    costs = {row[0]: float(row[2]) for row in found}
    assert costs["depthwise convolution"] / costs["patchify stem"] == pytest.approx(0.53, abs=0.01)


def test_every_rung_learns() -> None:
    """A step of gradient descent along the gradient of every weight lowers the loss."""
    x, y = torch.randn(4, 3, 64, 64), torch.tensor([0, 1, 2, 3])
    for design in LADDER.values():
        model = build(replace(design, blocks=(1, 1), width=8), 4)
        loss = nn.functional.cross_entropy(model(x), y)
        weights = list(model.parameters())
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.sub_(0.01 * gradient)
        assert nn.functional.cross_entropy(model(x), y) < loss


# Loading and refusing


def test_published_files_load(tmp_path: Path) -> None:
    source: Any = small()
    other: Any = small(n_classes=3)
    fill(source)
    torch.save(source.state_dict(), tmp_path / "convnext.pth")
    model = small()
    assert load_torchvision(tmp_path / "convnext.pth", model) is model
    assert torch.equal(model(images()), source(images()))
    kept = other.classifier[2].weight.clone()
    load_torchvision(str(tmp_path / "convnext.pth"), other)
    assert torch.equal(other.classifier[2].weight, kept)
    assert torch.equal(other.classifier[0].weight, source.classifier[0].weight)
    with pytest.raises(CheckpointError, match="does not fit the network"):
        load_torchvision(tmp_path / "convnext.pth", small(blocks=[1, 1]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small(blocks=[]), r"blocks must hold a number, got \[\]"),
        (lambda: small(blocks=[1, 0]), r"blocks must be at least 1, got \[1, 0\]"),
        (lambda: small(kernel=4), "kernel must be odd, got 4"),
        (lambda: small(depth_rate=1.0), "depth_rate must be at least 0 and less than 1, got 1.0"),
        (lambda: StochasticDepth(0.0), "survival must be above 0 and at most 1, got 0.0"),
        (lambda: convnext("convnext"), r"name must be one of \['convnext_tiny', .*\], got 'convnext'"),
        (lambda: Design(blocks=()), r"blocks must hold a number, got \(\)"),
        (lambda: Design(kernel=2), "kernel must be odd, got 2"),
        (lambda: Design(patch=0), "patch must be at least 1, got 0"),
        (lambda: Design(separate=True), "separate must come after all other changes"),
        (lambda: replace(LADDER["fewer norms"], separate=True), "separate must come after all other changes"),
        (lambda: LadderBlock(4, 0, 1, Design()), "out_channels must be at least 1, got 0"),
    ],
)
def test_bad_arguments_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# Drawings


def test_path_is_that_of_the_table() -> None:
    """Its circles have one scale for multiply-adds and one for accuracies."""
    root = ElementTree.parse(FOLDER / "walk.svg").getroot()
    circles = [e for e in root.iter() if e.tag.endswith("circle") and e.get("class") == "accent"]
    table = rows(ladder.__doc__)
    assert len(circles) == len(table) == 13
    for circle, row in zip(circles, table, strict=True):
        x, y = float(circle.get("cx", "")), float(circle.get("cy", ""))
        assert x == pytest.approx(64 + 180 * (float(row[2]) - 2), abs=0.1)
        assert y == pytest.approx(372 - 84 * (float(row[4].rstrip(" %")) - 78), abs=0.1)
    words = {e.text for e in root.iter() if e.tag.endswith("text")}
    assert {*list(LADDER)[:-1], "ConvNeXt-T"} <= words
    for number in ("78 %", "82 %"):
        (label,) = (e for e in root.iter() if e.text == number)
        assert float(label.get("y", "")) - 5 == 372 - 84 * (int(number[:2]) - 78)


def test_widths_in_the_drawing_of_blocks_are_those_of_the_first_stage() -> None:
    root = ElementTree.parse(FOLDER / "blocks.svg").getroot()
    bars = [e for e in root.iter() if e.tag.endswith("rect") and e.get("height") == "8"]
    widths = [2 * float(e.get("width", "")) for e in bars]
    resnet = build(LADDER["ResNet-50"]).get_submodule("5")
    assert isinstance(resnet, LadderBlock)
    narrow = [m.out_channels for m in resnet.block if isinstance(m, nn.Conv2d)]
    assert widths[:4] == [256, *narrow] == [256, 64, 64, 256]
    assert widths[4:8] == [96, 96, 384, 96]
    assert widths[8:] == [96, 96, 96, 384, 96]
    names = {e.get("data-of") for e in root.iter()} - {None}
    assert names == {"ConvNeXtBlock", "ConvNeXtBlock.layer_scale"}
