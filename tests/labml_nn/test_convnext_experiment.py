"""ConvNeXt goes through the loop of the other experiments, and its records are of the code as it is."""

from __future__ import annotations

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

from labml_nn.convnext import ConvNeXt, experiment
from labml_nn.convnext.experiment import EXPERIMENT, PRESETS, ConvNeXtConfig
from labml_nn.data import ImageData
from labml_nn.data.small import load_digits, make_synthetic
from labml_nn.resnet import experiment as resnet
from labml_nn.runs.config import FREE, NOTED
from labml_nn.runs.files import RunFailed
from labml_nn.runs.loading import find_experiment, load_model
from labml_nn.transformers import experiment as transformers

ROOT = Path(experiment.__file__).parents[2]
TINY = "digits --blocks 1 1 --width 4 --valid-images 64 --batch-size 32 --precision float32".split()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_layer_scale_does_not_decay() -> None:
    model = ConvNeXtConfig(blocks=(1, 1)).build(make_synthetic(8)[0])
    optimizer = ConvNeXtConfig(weight_decay=0.25, momentum=0.8).recipe().optimizer(model)
    decays, rests = optimizer.param_groups
    assert (decays["weight_decay"], rests["weight_decay"]) == (0.25, 0)
    named = {id(p): name for name, p in model.named_parameters()}
    assert {named[id(p)].rpartition(".")[2] for p in decays["params"]} == {"weight"}
    rest = {named[id(p)] for p in rests["params"]}
    assert {name for name in named.values() if name.endswith(("bias", "layer_scale"))} <= rest
    assert len(decays["params"]) + len(rests["params"]) == len(named)


def test_it_is_decided_for_every_option_whether_it_may_change() -> None:
    config = PRESETS["digits"].config
    rules = config.resume_rules()
    assert set(rules) == {field.name for field in fields(config)}
    assert rules["blocks"] == NOTED and rules["device"] == FREE
    numbers = {f.name for f in fields(ConvNeXtConfig) if f.type in (int, float, tuple[int, ...])}
    assert {name for name in numbers if name not in config.limits()} == set()


def multiply_adds(config: Any, data: ImageData) -> int:
    """For one image."""
    return pytorchs_multiply_adds(config.build(data).eval(), data.images[:1])


def test_networks_for_digits_cost_the_same() -> None:
    digits = load_digits()[0]
    presets = [each.PRESETS["digits"].config for each in (experiment, resnet, transformers)]
    ours, *theirs = (multiply_adds(config, digits) for config in presets)
    assert theirs == pytest.approx([ours, ours], rel=0.02)
    assert f"{ours / 1e6:.2f} million multiply-adds" in " ".join((experiment.__doc__ or "").split())
    assert len({config.steps * config.batch_size for config in presets}) == 1, "and see as many images"


def test_network_for_cifar10_costs_a_little_more_than_resnet_20() -> None:
    data = make_synthetic(8)[0]
    ours, theirs = (multiply_adds(c, data) for c in (ConvNeXtConfig(), resnet.ResNetConfig()))
    assert 1.1 < ours / theirs < 1.25


def test_the_seed_decides_on_the_weights() -> None:
    data = load_digits()[0]
    config = PRESETS["digits"].config
    first, same, other = (replace(config, seed=seed).build(data).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["1.features.0.0.weight"], other["1.features.0.0.weight"])


def test_images_that_do_not_fit_are_refused() -> None:
    flat = ImageData(torch.zeros(2, 1, 3, 12, dtype=torch.uint8), torch.tensor([0, 1]), ("a", "b"))
    with pytest.raises(RunFailed, match="at least 4 pixels on each side for these patches and stages, got 3"):
        PRESETS["digits"].config.build(flat)
    with pytest.raises(RunFailed, match="kernel must be odd, got 2"):
        ConvNeXtConfig(kernel=2).build(load_digits()[0])


def test_a_run_goes_on_to_the_bit_and_is_found(folder: Path) -> None:
    arguments = [*TINY, "--quiet", "--steps", "4", "--checkpoint-steps", "2", "--out", "run"]
    assert EXPERIMENT.main([*arguments, "--depth-rate", "0.5"]) == 0
    assert_goes_on_to_the_bit(EXPERIMENT, Path("run"))
    assert find_experiment("labml_nn.convnext.experiment") is EXPERIMENT
    model, classes, channels, side = load_model(folder / "run")
    assert (len(classes), channels, side) == (10, 1, 8)
    assert isinstance(model, nn.Sequential) and isinstance(model[1], ConvNeXt)


# The records


def record_path(preset: str, folder: str = "convnext") -> Path:
    return ROOT / "experiments" / folder / "runs" / f"{preset}.json"


@pytest.mark.parametrize("preset", ["digits", "digits_scale"])
def test_recorded_runs_are_of_the_preset_as_it_is(preset: str) -> None:
    assert_runs_are_of_the_preset(EXPERIMENT, preset, record_path(preset))


def mistakes(folder: str, kind: str = "final", preset: str = "digits") -> list[int]:
    """Of 360 images, with each seed."""
    name = "test_accuracy" if kind == "final" else "valid_accuracy"
    return [round(360 * (1 - run[name])) for run in read_record(record_path(preset, folder))[kind]]


def test_records_show_what_the_page_says() -> None:
    found = {name: mistakes(name) for name in ("resnet", "convnext", "transformers")}
    text = " ".join((experiment.__doc__ or "").split())
    resnet, ours, vit = (f"{fmean(values):.1f}" for values in found.values())
    assert (
        f"wrong on {resnet} of 360 test images, ConvNeXt on {ours}, and the Vision Transformer on {vit}."
        in text
    )
    assert {max(values) - min(values) for values in found.values()} == {3, 4}
    # A larger layer scale is better on the images held out.
    scaled = mistakes("convnext", "held_out", "digits_scale")
    assert max(mistakes("convnext", "held_out")) < min(scaled)


def test_curves_show_what_the_page_says() -> None:
    def curve(folder: str) -> list[float]:
        runs = read_record(record_path("digits", folder))["held_out"]
        return [fmean(values) for values in zip(*(r["curve"]["accuracy_valid"] for r in runs), strict=True)]

    resnet, ours, vit = (curve(name) for name in ("resnet", "convnext", "transformers"))
    half = len(ours) // 2
    assert all(vit[i] > ours[i] for i in range(2, 10)), "ahead at first"
    assert max(vit[half:]) - vit[half] < 0.002, "no longer improves"
    assert ours[-1] - ours[half] > 0.01 and resnet[-1] - ours[-1] < 0.005 < ours[-1] - vit[-1]
