"""Blocks are deleted and change places as the page says, and the record says what the page says."""

from __future__ import annotations

import json
import math
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from recorded import read_record
from torch import nn

from labml_nn.data import DRAWS
from labml_nn.resnet import ResidualBlock, ensemble
from labml_nn.resnet.degradation import PlainBlock, network_of
from labml_nn.resnet.ensemble import (
    BLOCKS,
    CHOICES,
    NETWORKS,
    RECORD,
    SEEDS,
    STEPS,
    StochasticDepthBlock,
    blocks_of,
    decay_linearly,
    free_blocks,
    gradients_by_length,
    main,
    make_network,
    measure,
    reordered,
    responses,
    without,
)

IMAGES = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([1, 5, 9])


def settled(network: nn.Module) -> nn.Module:
    """With statistics and factors that differ from those at the start."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.2)
            nn.init.normal_(module.bias, 0, 0.2)
            nn.init.normal_(module.running_mean, 0, 0.2)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
    return network.eval()


# Stochastic depth


def test_a_block_that_survives_is_a_residual_block_and_one_that_does_not_is_its_shortcut() -> None:
    block = StochasticDepthBlock(4, 8, 2)
    same = ResidualBlock(4, 8, 2)
    same.load_state_dict(block.state_dict())
    x = torch.rand(2, 4, 6, 6)
    block.survival = 1.0
    assert torch.equal(block(x), same(x))
    block.survival = 0.0
    assert torch.equal(block(x), torch.relu(block.shortcut(x)))
    for survival in (0.0, 0.3, 1.0):
        block.eval().survival = survival
        same.eval().load_state_dict(block.state_dict())
        expected = torch.relu(survival * same.residual(x) + same.shortcut(x))
        assert torch.equal(block(x), expected)


def test_a_block_that_is_left_out_has_gradients_of_zero() -> None:
    block, x = StochasticDepthBlock(4, 4, 1), torch.rand(2, 4, 5, 5, requires_grad=True)
    block.survival = 0.0
    block(x).sum().backward()
    assert x.grad is not None and torch.equal(x.grad, torch.ones_like(x))
    assert all(p.grad is not None and not p.grad.any() for p in block.parameters())


def test_all_images_of_a_batch_share_a_draw() -> None:
    torch.manual_seed(0)
    block, x = StochasticDepthBlock(4, 4, 1), torch.rand(8, 4, 5, 5)
    block.survival = 0.5
    for _ in range(20):
        same = [torch.equal(a, b) for a, b in zip(block(x), x, strict=True)]
        assert all(same) or not any(same)


def test_survival_falls_in_a_straight_line() -> None:
    network = make_network("stochastic", 20, seed=0)
    survivals = [block.survival for block in blocks_of(network)]
    assert survivals == pytest.approx([1 - i / 18 for i in range(1, 10)])
    decay_linearly(network, last=1.0)
    assert {block.survival for block in blocks_of(network)} == {1.0}
    with pytest.raises(ValueError, match=r"last must be from 0 to 1, got 1\.5"):
        decay_linearly(network, last=1.5)


# Deletion and order


def test_all_networks_start_with_the_same_weights() -> None:
    one, *others = (make_network(name, 20, seed=1).state_dict() for name in BLOCKS)
    for other in others:
        assert one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize("block", [ResidualBlock, PlainBlock])
def test_a_deleted_block_leaves_its_shortcut(block: type[ResidualBlock]) -> None:
    network = settled(network_of(block, 2))
    before = network(IMAGES)
    seen: list[torch.Tensor] = []
    edited = without(network, {1, 3})
    blocks = [b for stage in edited.base.stages for b in stage]  # type: ignore[union-attr]
    assert [isinstance(b, nn.Identity) for b in blocks] == [False, True, False, True, False, False]
    blocks[2].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    blocks[0].register_forward_hook(lambda _, given, y: seen.append(y))
    edited(IMAGES)
    assert torch.equal(*seen)
    # The network itself is as it was.
    assert torch.equal(network(IMAGES), before)
    assert torch.equal(without(network, set())(IMAGES), before)


def test_without_residuals_a_residual_network_is_the_one_without_blocks() -> None:
    network = settled(network_of(ResidualBlock, 2))
    for block in blocks_of(network):
        nn.init.zeros_(block.bn2.weight)
        nn.init.zeros_(block.bn2.bias)
    deleted = [1, 3, 5]
    torch.testing.assert_close(without(network, deleted)(IMAGES), network(IMAGES))


def test_blocks_change_places_within_a_stage_only() -> None:
    network = settled(network_of(ResidualBlock, 3))
    assert free_blocks(network) == [[0, 1, 2], [4, 5], [7, 8]]
    order = [2, 0, 1, 3, 5, 4, 6, 8, 7]
    blocks = blocks_of(network)
    moved = blocks_of(reordered(network, order))
    assert all(torch.equal(moved[i].conv1.weight, blocks[j].conv1.weight) for i, j in enumerate(order))
    assert torch.equal(reordered(network, range(9))(IMAGES), network(IMAGES))


# Paths


@pytest.mark.parametrize("block", [ResidualBlock, StochasticDepthBlock])
def test_gradients_along_paths_add_up(block: type[ResidualBlock]) -> None:
    """Item 0 is the gradient with all residuals cut off, and all together are the gradient."""
    network = settled(network_of(block, 2)).double()
    if block is StochasticDepthBlock:
        decay_linearly(network)
    images = IMAGES.double()
    parts = gradients_by_length(network, images, LABELS)  # type: ignore[arg-type]
    blocks = blocks_of(network)

    def gradient(factor: float) -> torch.Tensor:
        """With derivatives of residuals multiplied by a factor, and their values left alone."""

        def scale(x: torch.Tensor) -> torch.Tensor:
            return factor * x + (1 - factor) * x.detach()

        hooks = [b.bn2.register_forward_hook(lambda _, x, y: scale(y)) for b in blocks]
        base = network.base
        start = base.act(base.bn(base.conv(images))).detach().requires_grad_()  # type: ignore[operator,union-attr]
        x = start
        for b in blocks:
            x = b(x)
        logits = network.linear(x.mean(dim=(2, 3)))  # type: ignore[operator]
        loss = nn.functional.cross_entropy(logits, LABELS, reduction="sum")
        found: torch.Tensor = torch.autograd.grad(loss, start)[0]
        for hook in hooks:
            hook.remove()
        return found

    # A polynomial in the factor, whose coefficients are the parts.
    for factor in (0.0, 0.5, 1.0, 2.0):
        expected = sum(factor**k * part for k, part in enumerate(parts))
        torch.testing.assert_close(gradient(factor), expected)


def test_responses_are_those_of_the_normalizations() -> None:
    network = settled(network_of(ResidualBlock, 1))
    seen: list[float] = []
    for block in blocks_of(network):
        for bn in (block.bn1, block.bn2):
            bn.register_forward_hook(lambda _, x, y: seen.append(y.std().item()))
    network(IMAGES)
    expected = list(seen)
    sizes, relative = responses(network, IMAGES)  # type: ignore[arg-type]
    assert sizes == pytest.approx(expected)
    assert len(relative) == 3


# The record


def recorded() -> dict[str, Any]:
    return read_record(RECORD)


STALE = f"{RECORD} is stale; run: python -m labml_nn.resnet.ensemble --record"


def mean(name: str, layers: int, key: str) -> Any:
    values = [run[key] for run in recorded()[name][str(layers)]["runs"]]
    if isinstance(values[0], list):
        return [fmean(each) for each in zip(*values, strict=True)]
    return fmean(values)


def test_record_belongs_to_the_code() -> None:
    record = recorded()
    assert record["about"] == {
        "seeds": list(SEEDS),
        "steps": STEPS,
        "choices": CHOICES,
        "draws": DRAWS,
    }, STALE
    assert [(row["network"], row["layers"]) for row in record["networks"]] == list(NETWORKS), STALE
    for name, layers in NETWORKS:
        runs = record[name][str(layers)]["runs"]
        assert [run["seed"] for run in runs] == list(SEEDS)
        n = (layers - 2) // 2
        for run in runs:
            assert run["several"][0] == run["whole"]
            assert len(run["one"]) == n and len(run["response"]) == 2 * n
            if name != "plain":
                assert sum(run["share"]) == pytest.approx(1, abs=0.01)
        assert record[name][str(layers)]["paths"] == [round(math.comb(n, k) / 2**n, 4) for k in range(n + 1)]


def test_record_shows_what_the_page_says() -> None:
    plain, residual = mean("plain", 20, "one"), mean("residual", 20, "one")
    assert max(plain) < 0.2
    assert min(residual[3:]) > 0.8 and fmean(residual[3:]) > 0.94
    # The first two blocks are missed most, then the fourth, and the seventh a little.
    assert residual[0] < 0.5 and max(residual[:2]) < min(residual[2:])
    assert residual[3] + 0.05 < min(residual[2], residual[4])
    assert residual[5] > residual[6] < residual[7]
    # Six blocks of 27, and two of nine.
    few, many = (
        dict(zip(mean("residual", n, "deleted"), mean("residual", n, "several"), strict=True))
        for n in (20, 56)
    )
    assert few[0] - few[2] == pytest.approx(many[0] - many[6], abs=0.1)
    for name, layers in NETWORKS[1:]:
        whole, swapped, shuffled = (mean(name, layers, k) for k in ("whole", "swapped", "shuffled"))
        assert whole - 0.06 < swapped < whole
        assert swapped - 0.05 > shuffled > 0.5


def test_record_shows_short_paths() -> None:
    for run in recorded()["residual"]["56"]["runs"]:
        length = sum(k * share for k, share in enumerate(run["share"]))
        assert 2 < length < 4.5
    assert sum(mean("residual", 56, "share")[9:]) < 0.05


def test_record_shows_stochastic_depth() -> None:
    without_it, with_it = mean("residual", 20, "several"), mean("stochastic", 20, "several")
    assert all(a < b for a, b in zip(without_it, with_it, strict=True))
    assert with_it[4] > 0.5 > without_it[4]
    gain = mean("stochastic", 56, "whole") - mean("residual", 56, "whole")
    assert 0.005 < gain < 0.02


def test_record_shows_responses() -> None:
    plain, residual = mean("plain", 20, "response"), mean("residual", 20, "response")
    assert fmean(residual) / fmean(plain) == pytest.approx(1, abs=0.1)
    shallow, deep = mean("residual", 20, "relative"), mean("residual", 56, "relative")
    assert min(shallow[0], deep[0]) > 0.95 and max(shallow[0], deep[0]) < 1.2
    assert fmean(shallow[2:]) == pytest.approx(0.5, abs=0.05)
    assert fmean(deep[4:]) < 1 / 3
    for ratios, stages in ((shallow, (3, 6)), (deep, (9, 18))):
        assert all(ratios[i - 1] < ratios[i] > ratios[i + 1] for i in stages)
    missed = mean("residual", 56, "one")
    assert all(missed[i - 1] > missed[i] < missed[i + 1] for i in (9, 18))


def test_command_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ensemble, "NETWORKS", (("plain", 14), ("stochastic", 14)))
    monkeypatch.setattr(ensemble, "SEEDS", (0,))
    monkeypatch.setattr(ensemble, "STEPS", 2)
    monkeypatch.setattr(ensemble, "CHOICES", 1)
    monkeypatch.setattr(ensemble, "RECORD", tmp_path / "new" / "ensemble.json")
    assert main([]) == 0
    assert not (tmp_path / "new").exists()
    assert main(["--record"]) == 0
    found = json.loads((tmp_path / "new" / "ensemble.json").read_text("utf-8"))
    assert found["plain"]["14"]["runs"][0]["block"] == [1, 2, 3, 4, 5, 6]
    assert len(found["stochastic"]["14"]["runs"][0]["share"]) == 7
    assert "plain       14 layers: whole" in capsys.readouterr().out


def test_a_measurement_repeats_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "STEPS", 2)
    monkeypatch.setattr(ensemble, "CHOICES", 1)
    assert measure("stochastic", 14, seed=3) == measure("stochastic", 14, seed=3)
