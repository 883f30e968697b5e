"""Networks with post-norm and pre-norm differ by the place of the norm, and the record says what the page says."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from recorded import read_record

from labml_nn.data import DRAWS
from labml_nn.transformers import prenorm
from labml_nn.transformers.prenorm import (
    BATCH,
    BLOCKS,
    DEPTHS,
    EVERY,
    PLACES,
    RATES,
    RECORD,
    SEEDS,
    SHOWN,
    STEPS,
    WARMUPS,
    config,
    first_step,
    main,
    make_network,
    measure,
)


def test_networks_differ_by_the_place_of_the_norm() -> None:
    post, pre = (make_network(place, 1, 2) for place in PLACES)
    assert all(torch.equal(a, b) for a, b in zip(post.parameters(), pre.parameters(), strict=True))
    network: Any = pre[1]
    theirs: Any = post[1]
    assert [layer.norm_first for layer in network.encoder.layers] == [True, True]
    assert [layer.norm_first for layer in theirs.encoder.layers] == [False, False]
    assert (network.encoder.ln.weight == 1).all() and (theirs.encoder.ln.weight == 1).all()


def test_warm_up_is_all_that_differs_in_the_recipe() -> None:
    without, with_one = (config("post", 0, warmup=warmup).recipe() for warmup in WARMUPS)
    assert without.rate(0) == SHOWN and with_one.rate(0) == SHOWN / 50
    assert [without.rate(step) for step in range(50, STEPS)] == [
        with_one.rate(step) for step in range(50, STEPS)
    ]


def test_post_norm_keeps_the_stream_at_one_and_pre_norm_adds() -> None:
    post, pre = (measure(place, 1, 12) for place in PLACES)
    assert post["signal"] == pytest.approx([1] * 12, abs=1e-3)
    assert pre["signal"] == sorted(pre["signal"])


def test_one_step_changes_post_norm_more() -> None:
    assert first_step("post", 3, 0.001) > 1.5 * first_step("pre", 3, 0.001)


# The record


def recorded() -> dict[str, Any]:
    return read_record(RECORD)


STALE = f"{RECORD} is stale; run: python -m labml_nn.transformers.prenorm --record"


def test_record_is_fresh() -> None:
    """What is measured before training is measured again, up to rounding."""
    record = recorded()
    assert record["about"] == {
        "depths": list(DEPTHS),
        "batch": BATCH,
        "seeds": list(SEEDS),
        "blocks": BLOCKS,
        "steps": STEPS,
        "warmups": list(WARMUPS),
        "rates": list(RATES),
        "shown": SHOWN,
        "draws": DRAWS,
    }, STALE
    for place in PLACES:
        for run in record[place]["start"]["12"]["runs"]:
            again = measure(place, run["seed"], 12)
            assert again["signal"] == pytest.approx(run["signal"], rel=0.01), STALE
            assert again["gradient"] == pytest.approx(run["gradient"], rel=0.02), STALE
        for warmup in map(str, WARMUPS):
            for run in record[place]["curves"][warmup]["runs"]:
                assert run["step"] == list(range(EVERY, STEPS + 1, EVERY)), STALE
            for run in record[place]["rates"][warmup]["runs"]:
                assert run["rate"] == list(RATES), STALE


def last_gradient(place: str, blocks: int) -> float:
    return fmean(run["gradient"][-1] for run in recorded()[place]["start"][str(blocks)]["runs"])


def test_gradients_are_what_the_page_says() -> None:
    post, pre = ([last_gradient(place, blocks) for blocks in DEPTHS] for place in PLACES)
    assert max(post) < 1.2 * min(post)
    assert pre == sorted(pre, reverse=True)
    assert pre[-1] == pytest.approx(0.5 * pre[0], rel=0.1)
    first = {
        place: [run["gradient"][0] for run in recorded()[place]["start"]["48"]["runs"]] for place in PLACES
    }
    assert max(first["post"]) > 2 * min(first["post"]) and max(first["pre"]) < 1.2 * min(first["pre"])


def accuracies(place: str, warmup: int, rate: float, kind: str = "train") -> list[float]:
    runs = recorded()[place]["rates"][str(warmup)]["runs"]
    return [run[kind][run["rate"].index(rate)] for run in runs]


def test_accuracies_are_what_the_page_says() -> None:
    failed, learned = 0.4, 0.85
    for kind in ("train", "valid"):
        # At the rate of the curves
        assert max(accuracies("post", 0, SHOWN, kind)) == pytest.approx(0.1, abs=0.01)
        for place, warmup in (("post", 50), ("pre", 0), ("pre", 50)):
            assert min(accuracies(place, warmup, SHOWN, kind)) > learned
        # One of three seeds fails at smaller rates.
        for rate in (0.001, 0.002):
            assert [value < failed for value in accuracies("post", 0, rate, kind)].count(True) == 1
            assert min(accuracies("post", 50, rate, kind)) > learned
        assert sorted(value > failed for value in accuracies("post", 50, 0.008, kind)) == [False, False, True]
        assert max(accuracies("post", 50, 0.008, kind)) < learned
        for warmup in WARMUPS:
            assert min(min(accuracies("pre", warmup, rate, kind)) for rate in RATES) > 0.8
    assert max(accuracies("pre", 50, 0.001)) < min(accuracies("post", 50, 0.001))


def test_command_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small: dict[str, Any] = {
        "DEPTHS": (1, 2),
        "SEEDS": (0,),
        "STEPS": 2,
        "EVERY": 1,
        "RATES": (SHOWN,),
        "BLOCKS": 1,
    }
    small["WARMUPS"] = (50,)
    for name, value in small.items():
        monkeypatch.setattr(prenorm, name, value)
    monkeypatch.setattr(prenorm, "RECORD", tmp_path / "new/prenorm.json")
    assert main([]) == 0
    assert not (tmp_path / "new").exists()
    assert main(["--record"]) == 0
    found = json.loads((tmp_path / "new/prenorm.json").read_text("utf-8"))
    assert found["pre"]["start"]["2"]["runs"][0]["block"] == [1, 2]
    assert found["post"]["curves"]["50"]["runs"][0]["step"] == [1, 2]
    assert found["post"]["rates"]["50"]["runs"][0]["rate"] == [SHOWN]
    assert "pre -norm, 50 steps of warm-up, rate 0.004:" in capsys.readouterr().out
