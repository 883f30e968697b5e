"""Gradients and their autocorrelation are right, and the record says what the page says."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import torch
from recorded import read_record
from torch import nn

from labml_nn.data import DRAWS
from labml_nn.resnet import ResidualBlock, shattering
from labml_nn.resnet.degradation import EVERY, STEPS, make_network
from labml_nn.resnet.degradation import RECORD as DEGRADATION
from labml_nn.resnet.shattering import (
    LAGS,
    LAYERS,
    LINES,
    NETWORKS,
    POINTS,
    RECORD,
    SEEDS,
    SkipInitBlock,
    autocorrelation,
    gradients_along,
    main,
    settle,
    shatter,
    without_normalization,
)


def test_gradients_are_those_of_finite_differences() -> None:
    network = make_network("residual", 8, seed=0)
    settle(network, torch.randn(50, 1, 8, 8))
    network.double()
    a, b = torch.randn(2, 1, 8, 8, dtype=torch.double)
    found = gradients_along(network, a, b, points=5)
    step = 1e-4
    t = torch.linspace(0, 1, 5, dtype=torch.double)
    ends = (a + (t + sign * step)[:, None, None, None] * (b - a) for sign in (1, -1))
    with torch.no_grad():
        above, below = (network(x)[:, 0] for x in ends)
    torch.testing.assert_close(found.double(), (above - below) / (2 * step), rtol=1e-2, atol=1e-3)


def test_autocorrelation_is_that_of_numpy() -> None:
    g = torch.randn(100, dtype=torch.double)
    centred = (g - g.mean()).numpy()
    products = np.correlate(centred, centred, mode="full")[len(g) - 1 :]
    expected = torch.from_numpy(products / products[0])
    torch.testing.assert_close(autocorrelation(g, 20), expected[:21])


def test_settled_normalizations_have_the_statistics_of_the_images() -> None:
    images = torch.randn(60, 2, 8, 8)
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    settle(network, images)
    y = network(images)
    torch.testing.assert_close(y.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.std(dim=(0, 2, 3)), torch.ones(3), atol=1e-4, rtol=0)


def test_skipinit_multiplies_the_residual() -> None:
    block = SkipInitBlock(4, 8, 2, alpha=0.3)
    x = torch.rand(2, 4, 6, 6)
    inner = block.conv2(torch.relu(block.conv1(x)))
    torch.testing.assert_close(block(x), torch.relu(0.3 * inner + block.shortcut(x)))


@pytest.mark.parametrize(("name", "learns"), [("skipinit", True), ("bare", False)])
def test_networks_without_normalization(name: Any, learns: bool) -> None:
    network = without_normalization(name, 20, seed=1)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    blocks = [m for m in network.modules() if isinstance(m, SkipInitBlock)]
    assert len(blocks) == 9
    assert {block.alpha.requires_grad for block in blocks} == {learns}
    assert {block.alpha.item() for block in blocks} == {0.0 if learns else 1.0}
    # The convolutions start as those of the other networks.
    other = [m for m in make_network("residual", 20, seed=1).modules() if isinstance(m, ResidualBlock)]
    for mine, theirs in zip(blocks, other, strict=True):
        assert torch.equal(mine.conv1.weight, theirs.conv1.weight)
        assert torch.equal(mine.conv2.weight, theirs.conv2.weight)


# The record


def recorded() -> dict[str, Any]:
    return read_record(RECORD)


STALE = f"{RECORD} is stale; run: python -m labml_nn.resnet.shattering --record"


def test_record_belongs_to_the_code() -> None:
    record = recorded()
    assert record["about"] == {
        "seeds": list(SEEDS),
        "lines": LINES,
        "points": POINTS,
        "steps": STEPS,
        "layers": LAYERS,
        "draws": DRAWS,
    }, STALE
    again = shatter("plain", 8, SEEDS[0])
    run = record["plain"]["8"]["runs"][0]
    assert again["lag"] == run["lag"] == list(range(LAGS + 1)), STALE
    assert again["correlation"] == pytest.approx(run["correlation"], abs=0.05), STALE
    rows = json.loads(DEGRADATION.read_text("utf-8"))["networks"]
    assert [row for row in rows if (row["layers"], row["steps"]) == (LAYERS, STEPS)] == record["networks"][
        :2
    ], STALE
    for name in ("skipinit", "bare"):
        assert all(run["step"] == list(range(EVERY, STEPS + 1, EVERY)) for run in record[name]["runs"])


def test_record_shows_what_the_page_says() -> None:
    record = recorded()
    at = {
        (name, layers): [
            fmean(each)
            for each in zip(*(r["correlation"] for r in record[name][str(layers)]["runs"]), strict=True)
        ]
        for name, layers in NETWORKS
    }
    assert abs(at["plain", 56][1]) < 0.1
    assert at["plain", 8][1] > at["residual", 56][1] > at["plain", 20][1] > 0.4
    for lag in range(1, 5):
        assert at["plain", 8][lag] > at["residual", 56][lag] > at["plain", 20][lag] + 0.05
    last = {
        row["network"]: [fmean(run[kind] for run in row["runs"]) for kind in ("train", "valid")]
        for row in record["networks"]
    }
    assert list(last) == ["plain", "residual", "skipinit", "bare"]
    assert min(last["residual"] + last["skipinit"]) > 0.95
    assert max(last["bare"]) < 0.15 < max(last["plain"]) < 0.5


def test_residuals_that_start_large_blow_up() -> None:
    images = torch.randn(4, 1, 8, 8)
    with torch.no_grad():
        large, small = (
            without_normalization(name, LAYERS, seed=0).base(images).abs().max().item()
            for name in ("bare", "skipinit")
        )
    assert large > 100 * small


def test_command_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shattering, "NETWORKS", (("plain", 8),))
    monkeypatch.setattr(shattering, "SEEDS", (0,))
    monkeypatch.setattr(shattering, "LAYERS", 8)
    monkeypatch.setattr(shattering, "LINES", 1)
    short = shattering.learn
    monkeypatch.setattr(shattering, "learn", lambda name, layers, seed: short(name, layers, seed, EVERY))
    monkeypatch.setattr(shattering, "RECORD", tmp_path / "new" / "shattering.json")
    assert main([]) == 0
    assert not (tmp_path / "new").exists()
    assert main(["--record"]) == 0
    found = json.loads((tmp_path / "new" / "shattering.json").read_text("utf-8"))
    assert len(found["plain"]["8"]["line"]["gradient"]) == POINTS
    assert found["skipinit"]["runs"][0]["step"] == [EVERY]
    assert "plain      8 layers: neighbors" in capsys.readouterr().out
