"""Our normalizations compute what PyTorch's do, gradients included, and can take their place in a network."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from torch import nn

from labml_nn.data import DRAWS
from labml_nn.normalization import BatchNorm, GroupNorm, LayerNorm, RMSNorm, batch_size, standardize
from labml_nn.normalization.batch_size import BATCHES, IMAGES, KINDS, RECORD, SEEDS, accuracy, exchange, main
from labml_nn.resnet import ResidualBlock, cifar_resnet
from labml_nn.resnet.degradation import network_of

IMAGE, TEXT = (4, 6, 3, 5), (4, 3, 6)
PAIRS: list[tuple[Callable[[], nn.Module], Callable[[], nn.Module], tuple[int, ...]]] = [
    (lambda: BatchNorm(6), lambda: nn.BatchNorm2d(6), IMAGE),
    (lambda: BatchNorm(6, eps=0.1, momentum=0.5), lambda: nn.BatchNorm2d(6, eps=0.1, momentum=0.5), IMAGE),
    (lambda: LayerNorm(6), lambda: nn.LayerNorm(6), TEXT),
    (lambda: GroupNorm(6, 1), lambda: nn.GroupNorm(1, 6), IMAGE),
    (lambda: GroupNorm(6, 2), lambda: nn.GroupNorm(2, 6), IMAGE),
    (lambda: GroupNorm(6, 6), lambda: nn.GroupNorm(6, 6), IMAGE),
    (lambda: RMSNorm(6), lambda: nn.RMSNorm(6, eps=1e-6), TEXT),
]


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def run(layer: nn.Module, x: torch.Tensor, up: torch.Tensor) -> list[torch.Tensor]:
    """Output, gradients of input and parameters."""
    x = x.clone().requires_grad_()
    y = layer(x)
    inputs = [x, *layer.parameters()]
    return [y, *torch.autograd.grad(y, inputs, up)]


@pytest.mark.parametrize(("ours", "theirs", "shape"), PAIRS)
@pytest.mark.parametrize("training", [True, False])
def test_equal_to_pytorch(
    ours: Callable[[], nn.Module], theirs: Callable[[], nn.Module], shape: tuple[int, ...], training: bool
) -> None:
    a, b = ours().double(), theirs().double()
    assert a.state_dict().keys() == b.state_dict().keys()
    for parameter in b.parameters():
        nn.init.normal_(parameter, mean=1)
    a.load_state_dict(b.state_dict())
    for _ in range(3):  # averages move
        x = 3 * torch.randn(shape, dtype=torch.float64) + 2
        a(x), b(x)
    a.train(training), b.train(training)
    x, up = 3 * torch.randn(shape, dtype=torch.float64) + 2, torch.randn(shape, dtype=torch.float64)
    for found, expected in zip(run(a, x, up), run(b, x, up), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(a.state_dict(), b.state_dict(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dims", [(0,), (-1,), (0, 2), (0, 1, 2)])
def test_gradient_by_hand_is_that_of_finite_differences(dims: tuple[int, ...]) -> None:
    x = torch.randn(3, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: standardize(x, dims), x)


def test_gradient_has_no_part_in_what_changes_nothing() -> None:
    x = torch.randn(64, dtype=torch.float64, requires_grad=True)
    (dx,) = torch.autograd.grad(standardize(x, (0,), eps=0), x, torch.randn(64, dtype=torch.float64))
    assert dx.sum().item() == pytest.approx(0, abs=1e-9)
    assert (dx * (x - x.mean())).sum().item() == pytest.approx(0, abs=1e-9)


def test_a_resnet_does_the_same_with_them() -> None:
    theirs = cifar_resnet(1).double()
    ours = copy.deepcopy(theirs)
    exchange(ours, "batch")
    ours.double().load_state_dict(theirs.state_dict())
    images = torch.randn(4, 3, 32, 32, dtype=torch.float64)
    for model in (ours, theirs):
        torch.autograd.backward(model(images).square().sum())
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert p.grad is not None
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-6, atol=1e-8, msg=name)
    torch.testing.assert_close(ours.eval()(images), theirs.eval()(images))


def test_one_value_is_refused_in_training_only() -> None:
    layer = BatchNorm(3)
    with pytest.raises(ValueError, match=r"more than one value per channel, got \(1, 3, 1, 1\)"):
        layer(torch.randn(1, 3, 1, 1))
    assert layer.eval()(torch.randn(1, 3, 1, 1)).shape == (1, 3, 1, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BatchNorm(0), "channels must be at least 1, got 0"),
        (lambda: BatchNorm(3, momentum=2), "momentum must be from 0 to 1, got 2"),
        (lambda: LayerNorm(0), "features must be at least 1, got 0"),
        (lambda: GroupNorm(6, 4), "groups must divide 6, got 4"),
        (lambda: RMSNorm(0), "features must be at least 1, got 0"),
    ],
)
def test_wrong_arguments(make: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# How small a batch may be


@pytest.mark.parametrize("kind", KINDS)
def test_all_normalizations_are_exchanged(kind: Any) -> None:
    network = network_of(ResidualBlock)
    exchange(network, kind)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    assert network(torch.randn(2, 1, 8, 8)).shape == (2, 10)


def mean(kind: str, images: int) -> float:
    runs = json.loads(RECORD.read_text("utf-8"))[kind]["runs"]
    return fmean(run["accuracy"][run["images"].index(images)] for run in runs)


STALE = f"{RECORD} is stale; run: python -m labml_nn.normalization.batch_size --record"


def test_record_is_fresh() -> None:
    record = json.loads(RECORD.read_text("utf-8"))
    assert record["about"] == {"images": IMAGES, "seeds": list(SEEDS), "draws": DRAWS}, STALE
    for kind in KINDS:
        assert [run["images"] for run in record[kind]["runs"]] == [list(BATCHES)] * len(SEEDS), STALE
    assert accuracy("group", 64, 0) == pytest.approx(record["group"]["runs"][0]["accuracy"][0], abs=0.02), (
        STALE
    )


def test_command_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(batch_size, "BATCHES", (4, 2))
    monkeypatch.setattr(batch_size, "IMAGES", 8)
    monkeypatch.setattr(batch_size, "RECORD", tmp_path / "new" / "batch_size.json")
    assert main([]) == 0
    assert not (tmp_path / "new").exists()
    assert main(["--record"]) == 0
    found = json.loads((tmp_path / "new" / "batch_size.json").read_text("utf-8"))
    assert [run["images"] for run in found["none"]["runs"]] == [[4, 2]] * 3
    assert "group   2 images:" in capsys.readouterr().out
