"""Plain and residual networks differ by the shortcut alone, and the record says what the page says."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from recorded import read_record
from torch import nn

from labml_nn.data import DRAWS
from labml_nn.resnet import ResidualBlock, ResNetBase, degradation
from labml_nn.resnet.degradation import (
    BLOCKS,
    EVERY,
    LAYERS,
    LONGER,
    RECORD,
    SEEDS,
    STEPS,
    PlainBlock,
    digits_trainer,
    learn,
    main,
    make_network,
    network_of,
)


def test_plain_block_has_no_shortcut() -> None:
    plain, x = PlainBlock(8, 8, 1), torch.randn(2, 8, 5, 5)
    assert torch.equal(plain(x), torch.relu(plain.residual(x)))


def test_only_the_blocks_of_the_network_are_exchanged() -> None:
    network = network_of(ResidualBlock, 2)
    blocks = [block for stage in network.base.stages for block in stage]  # type: ignore[attr-defined]
    assert [(b.conv1.in_channels, b.conv1.out_channels, b.conv1.stride[0]) for b in blocks] == [
        (8, 8, 1),
        (8, 8, 1),
        (8, 16, 2),
        (16, 16, 1),
        (16, 32, 2),
        (32, 32, 1),
    ]
    right = ResNetBase([2] * 3, [8, 16, 32], None, 1, 3, first_stride=1, first_pool=False)
    right.load_state_dict(network.base.state_dict())
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(network.eval().base(x), right.eval()(x))
    with pytest.raises(ValueError, match=r"n_blocks must be at least 1, got \[0, 0, 0\]"):
        network_of(ResidualBlock, 0)


@pytest.mark.parametrize("layers", LAYERS)
def test_both_networks_have_the_same_weights_and_layers(layers: int) -> None:
    plain, residual = (make_network(name, layers, seed=1).state_dict() for name in BLOCKS)
    assert plain.keys() == residual.keys()
    assert all(torch.equal(plain[key], residual[key]) for key in plain)
    network = make_network("plain", layers, seed=1)
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in network.modules()) == layers


def test_both_networks_see_the_same_batches() -> None:
    seen: dict[str, list[torch.Tensor]] = {}
    for name in BLOCKS:
        trainer, valid = digits_trainer(make_network(name, 8, seed=1), steps=2, seed=1)
        inputs = seen.setdefault(name, [])
        trainer.model.register_forward_pre_hook(lambda _, given, inputs=inputs: inputs.append(given[0]))
        trainer.take_step()
        trainer.take_step()
        assert (len(trainer.data), len(valid)) == (1077, 360)
    assert len(seen["plain"]) == 2
    assert all(torch.equal(a, b) for a, b in zip(seen["plain"], seen["residual"], strict=True))


# The record


def recorded() -> dict[str, Any]:
    return read_record(RECORD)


STALE = f"{RECORD} is stale; run: python -m labml_nn.resnet.degradation --record"


def test_record_is_fresh() -> None:
    """The smallest of its networks is trained again. Rounding differs a little between machines."""
    record = recorded()
    assert record["about"] == {
        "layers": list(LAYERS),
        "seeds": list(SEEDS),
        "steps": STEPS,
        "longer": LONGER,
        "draws": DRAWS,
    }, STALE
    (run, *_) = record["residual"]["8"]["runs"]
    again = learn("residual", 8, run["seed"])
    assert again["step"] == run["step"] == list(range(EVERY, STEPS + 1, EVERY)), STALE
    assert again["train"][-1] == pytest.approx(run["train"][-1], abs=0.01), STALE


def mean(name: str, layers: int, steps: int = STEPS, kind: str = "train") -> float:
    (row,) = [
        row
        for row in recorded()["networks"]
        if (row["network"], row["layers"], row["steps"]) == (name, layers, steps)
    ]
    return fmean(run[kind] for run in row["runs"])


def test_record_shows_what_the_page_says() -> None:
    assert mean("plain", 8) > mean("plain", 20) - 0.002 > mean("plain", 56) + 0.2
    assert min(mean("residual", layers) for layers in LAYERS) > 0.98
    # Held out images tell the same.
    assert mean("plain", 8, kind="valid") > mean("plain", 56, kind="valid") + 0.2
    # With more time the deep plain network learns, and not more than the other in a quarter of it.
    assert mean("plain", 56) + 0.2 < mean("plain", 56, LONGER * STEPS) < mean("residual", 56) + 0.02


def test_command_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(degradation, "LAYERS", (8,))
    monkeypatch.setattr(degradation, "SEEDS", (0,))
    monkeypatch.setattr(degradation, "STEPS", 2)
    monkeypatch.setattr(degradation, "EVERY", 1)
    monkeypatch.setattr(degradation, "RECORD", tmp_path / "new" / "degradation.json")
    assert main([]) == 0
    assert not (tmp_path / "new").exists()
    assert main(["--record"]) == 0
    found = json.loads((tmp_path / "new" / "degradation.json").read_text("utf-8"))
    assert found["plain"]["8"]["runs"][0]["step"] == [1, 2]
    assert len(found["plain"]["8"]["runs"][0]["train"]) == 2
    assert [(row["network"], row["steps"]) for row in found["networks"]] == [
        ("plain", 2),
        ("residual", 2),
        ("plain", 6),
    ]
    assert "plain      8 layers     2 steps:" in capsys.readouterr().out
