"""The Vision Transformer goes through the loop of the other experiments: it trains, resumes, loads and is recorded."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from peers import pytorchs_multiply_adds
from recorded import assert_runs_are_of_the_preset, read_record
from small_runs import assert_goes_on_to_the_bit
from torch import nn

from labml_nn.data import ImageData
from labml_nn.data.small import load_digits, make_synthetic
from labml_nn.resnet import experiment as resnet
from labml_nn.runs.config import FREE, NOTED
from labml_nn.runs.files import RunFailed
from labml_nn.runs.loading import find_experiment, load_model
from labml_nn.transformers import experiment
from labml_nn.transformers.experiment import EXPERIMENT, PRESETS, ViTConfig
from labml_nn.transformers.vit import VisionTransformer

ROOT = Path(experiment.__file__).parents[2]
TINY = (
    "digits --layers 1 --features 4 --heads 2 --valid-images 64 --batch-size 32 --precision float32".split()
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# The recipe


def test_the_rate_grows_in_equal_steps_then_falls_along_a_cosine() -> None:
    recipe = ViTConfig(steps=100, warmup_steps=4, learning_rate=2.0).recipe()
    assert [recipe.rate(step) for step in range(4)] == [0.5, 1.0, 1.5, 2.0]
    assert recipe.rate(50) == pytest.approx(1 + math.cos(math.pi / 2))
    assert recipe.rate(100) == pytest.approx(0)
    assert ViTConfig(steps=100, warmup_steps=0, learning_rate=2.0).recipe().rate(0) == 2


def test_only_matrices_decay() -> None:
    model = ViTConfig(layers=1).build(make_synthetic(8)[0])
    optimizer = ViTConfig(weight_decay=0.25, momentum=0.8).recipe().optimizer(model)
    assert isinstance(optimizer, torch.optim.AdamW)
    decays, rests = optimizer.param_groups
    assert (decays["weight_decay"], rests["weight_decay"]) == (0.25, 0)
    assert decays["betas"] == rests["betas"] == (0.8, 0.999)
    assert {p.ndim for p in rests["params"]} == {1}
    assert isinstance(model, nn.Sequential)
    network = model[1]
    assert isinstance(network, VisionTransformer)
    kept = [network.class_token, network.encoder.pos_embedding]
    found = {id(p) for p in decays["params"]}
    assert all(id(p) in found for p in kept)
    assert len(decays["params"]) + len(rests["params"]) == len(list(model.parameters()))


def test_it_is_decided_for_every_option_whether_it_may_change() -> None:
    config = PRESETS["digits"].config
    rules = config.resume_rules()
    assert set(rules) == {field.name for field in fields(config)}
    assert rules["patch"] == NOTED and rules["device"] == FREE
    numbers = {f.name for f in fields(ViTConfig) if f.type in (int, float)}
    assert {name for name in numbers if name not in config.limits()} == set()


# The model


def multiply_adds(config: Any) -> int:
    """For one image."""
    data = load_digits()[0]
    return pytorchs_multiply_adds(config.build(data).eval(), data.images[:1])


def test_both_networks_for_digits_cost_the_same() -> None:
    ours, theirs = (multiply_adds(each.PRESETS["digits"].config) for each in (experiment, resnet))
    assert ours == pytest.approx(theirs, rel=0.04)
    assert experiment.__doc__
    text = " ".join(experiment.__doc__.split())
    assert f"{ours / 1e6:.2f} million multiply-adds" in text
    assert f"{theirs / 1e6:.2f} million" in text
    steps = {each.PRESETS["digits"].config.steps for each in (experiment, resnet)}
    assert len(steps) == 1, "and take as many steps"


def test_the_seed_decides_on_the_weights() -> None:
    data = load_digits()[0]
    config = PRESETS["digits"].config
    first, same, other = (replace(config, seed=seed).build(data).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["1.conv_proj.weight"], other["1.conv_proj.weight"])


def test_images_that_do_not_fit_are_refused() -> None:
    wide = ImageData(torch.zeros(2, 1, 8, 12, dtype=torch.uint8), torch.tensor([0, 1]), ("a", "b"))
    with pytest.raises(RunFailed, match="takes square images, got 8 × 12"):
        ViTConfig().build(wide)
    with pytest.raises(RunFailed, match="patch must divide 8, got 3"):
        ViTConfig(patch=3).build(load_digits()[0])


# Runs


def run(*arguments: str) -> int:
    return EXPERIMENT.main([*TINY, "--quiet", *arguments])


def test_a_run_goes_on_to_the_bit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("--steps", "4", "--checkpoint-steps", "2", "--out", "whole") == 0
    assert_goes_on_to_the_bit(EXPERIMENT, Path("whole"))


@pytest.mark.parametrize(("data", "side"), [("digits", 8), ("synthetic", 32)])
def test_a_trained_network_is_found_by_its_module(folder: Path, data: str, side: int) -> None:
    assert run("--steps", "2", "--data", data, "--out", "run") == 0
    assert find_experiment("labml_nn.transformers.experiment") is EXPERIMENT
    model, classes, channels, found = load_model(folder / "run")
    assert (len(classes), found) == (10, side)
    logits = model(torch.zeros(1, channels, side, side, dtype=torch.uint8))
    assert logits.shape == (1, 10)
    assert isinstance(model, nn.Sequential) and isinstance(model[1], VisionTransformer)


# The record

RECORD = ROOT / "experiments/transformers/runs/digits.json"


def test_recorded_runs_are_of_the_preset_as_it_is() -> None:
    assert_runs_are_of_the_preset(EXPERIMENT, "digits", RECORD)


def mean(path: Path) -> float:
    return fmean(run["test_accuracy"] for run in read_record(path)["final"])


def test_record_shows_what_the_page_says() -> None:
    """The residual network does better on images that neither has seen, by a few of 360."""
    difference = mean(ROOT / "experiments/resnet/runs/digits.json") - mean(RECORD)
    assert 2 <= 360 * difference <= 5
