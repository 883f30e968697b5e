"""Starting from what another network has learned, and networks under torchvision's names."""

from __future__ import annotations

import json
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Train
from safetensors.torch import save_file
from small_runs import TINY, last
from test_imagenet import TORCHVISION, fingerprint
from torch import nn

from labml_nn.data.small import make_synthetic
from labml_nn.resnet import experiment, finetune, models
from labml_nn.resnet.finetune import MEAN, STD, FinetuneConfig
from labml_nn.resnet.imagenet import NETWORKS, ResNet
from labml_nn.resnet.models import get_model, list_models
from labml_nn.runs import __main__ as ledger
from labml_nn.training import Normalize
from labml_nn.training.checkpoint import CheckpointError
from labml_nn.training.weights import find_weights, start_from


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def net(n_classes: int, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, n_classes))
    return nn.Sequential(Normalize(torch.rand(3), torch.rand(3) + 1), layers)


def state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def equal(a: Any, b: Any, *names: str) -> list[bool]:
    return [torch.equal(a[name], b[name]) for name in names or a]


HEAD = ["1.3.weight", "1.3.bias"]


def test_all_weights_are_taken_where_all_fit() -> None:
    source, model = net(5), net(5, seed=1)
    assert start_from(state(source), model, "it") == []
    assert all(equal(state(source), state(model)))


def test_another_number_of_classes_begins_with_a_new_head_and_the_rest_of_the_weights() -> None:
    source, model = net(5), net(3, seed=1)
    random = state(model)
    assert start_from(state(source), model, "it") == HEAD
    taken = state(model)
    assert all(equal(random, taken, *HEAD))
    assert all(equal(state(source), taken, *(name for name in taken if name not in HEAD)))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("1.0.weight", torch.zeros(4, 3, 5, 5), r"1\.0\.weight: \[4, 3, 5, 5\] in the file, \[4, 3, 3, 3\] in"),
        ("1.3.weight", torch.zeros(5, 9), r"1\.3\.weight: \[5, 9\] in the file, \[5, 4\] in the network"),
        ("1.3.bias", None, r"1\.3\.bias: nothing in the file, \[5\] in the network"),
        ("more", torch.zeros(2), r"more: \[2\] in the file, nothing in the network"),
        ("1.1.weight", torch.full((4,), float("nan")), r"1\.1\.weight is not finite everywhere"),
    ],
    ids=str,
)  # fmt: skip
def test_weights_that_do_not_fit_are_named_and_none_is_taken(name: str, value: Any, message: str) -> None:
    wrong = {**state(net(5)), name: value}
    wrong = {key: tensor for key, tensor in wrong.items() if tensor is not None}
    model = net(5, seed=1)
    before = state(model)
    with pytest.raises(CheckpointError, match=message):
        start_from(wrong, model, "it")
    assert all(equal(before, state(model)))


def test_weights_are_found_in_runs_checkpoints_and_files(train: Train) -> None:
    run = train("--steps", "4")
    best = find_weights(run)
    assert all(equal(best, find_weights(run / "checkpoints/best.pt")))
    (run / "checkpoints/best.pt").unlink()
    assert all(equal(last(run).model, find_weights(run)))
    plain = dict(best)
    torch.save(plain, "new.pth")
    torch.save(plain, "old.pth", _use_new_zipfile_serialization=False)
    save_file({name: value.contiguous() for name, value in plain.items()}, "a.safetensors")
    for name in ("new.pth", "old.pth", "a.safetensors"):
        found = find_weights(Path(name))
        assert list(found) and all(equal(best, found))


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch evil",)


def test_files_that_hold_no_weights(train: Train) -> None:
    train("--steps", "2")
    torch.save([1, 2], "list.pth")
    torch.save({"a": 1}, "numbers.pth")
    torch.save({"a": torch.tensor(float("inf"))}, "infinite.pth")
    torch.save({"a": Evil()}, "evil.pth")
    torch.save({"a": Evil()}, "old evil.pth", _use_new_zipfile_serialization=False)
    Path("text.pth").write_text("no weights")
    Path("bad.safetensors").write_bytes(b"\xff" * 100)
    Path("empty").mkdir()
    os.mkfifo("pipe.pth")
    with zipfile.ZipFile("zip.pth", "w") as archive:
        archive.writestr("a/other", "")
    for name, message in {
        "list.pth": "must hold tensors by name, got list",
        "numbers.pth": "must hold tensors by name, got a: int",
        "infinite.pth": "a is not finite everywhere",
        "evil.pth": "cannot be read: ",
        "old evil.pth": "cannot be read: ",
        "text.pth": "cannot be read: ",
        "zip.pth": r"cannot be read: it holds no data\.pkl",
        "bad.safetensors": "cannot be read: ",
        "pipe.pth": "cannot be read: it is not a regular file",
        "empty": "holds no checkpoint",
        "nowhere": "nowhere does not exist. Pass the folder of a run, or a file of weights",
    }.items():
        with pytest.raises(CheckpointError, match=message) as caught:
            find_weights(Path(name))
        assert "\x1b" not in str(caught.value)
    assert not Path("evil").exists()


def test_without_safetensors_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    save_file({"a": torch.zeros(2)}, "a.safetensors")
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(CheckpointError, match="to read it takes a package: pip install safetensors"):
        find_weights(Path("a.safetensors"))


# --- Commands


def test_a_run_starts_from_another_run(train: Train, capsys: pytest.CaptureFixture[str]) -> None:
    first = train("--steps", "4")
    shutil.copytree(first, "first")
    assert (
        experiment.EXPERIMENT.main(
            [*TINY, "--steps", "1", "--learning-rate", "0", "--init", "first", "--out", "b"]
        )
        == 0
    )
    assert "starts with all weights of first" in capsys.readouterr().out
    # With a learning rate of 0, all weights stay as they began.
    trained = [name for name in last(Path("b")).model if "running" not in name and "num_batches" not in name]
    assert all(equal(find_weights(Path("first")), last(Path("b")).model, *trained))
    # Where it began stays known when it goes on, and the other run is not needed for that.
    shutil.rmtree("first")
    assert experiment.EXPERIMENT.main(["--resume", "b", "--steps", "2"]) == 0
    for name in ("config.json", "result.json"):
        assert json.loads(Path("b", name).read_text())["started_from"] == "starts with all weights of first"
    capsys.readouterr()
    assert experiment.EXPERIMENT.main(["--resume", "b", "--steps", "3", "--init", "run"]) == 1
    assert (
        "--init cannot change when a run goes on: it only says where a run begins" in capsys.readouterr().err
    )
    assert ledger.main(["evaluate", "b"]) == 0


def test_a_run_for_other_classes_says_that_its_head_is_new(
    train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    train("--steps", "2")
    torch.manual_seed(0)
    np.savez("a.npz", images=np.zeros((40, 32, 32, 3), np.uint8), labels=np.arange(40) % 3)
    assert (
        experiment.EXPERIMENT.main(
            [*TINY, "--data", "npz:a.npz", "--steps", "2", "--init", "run", "--out", "b"]
        )
        == 0
    )
    said = "starts with the weights of run, but for another number of classes: 1.linear is new"
    assert said in capsys.readouterr().out
    assert experiment.EXPERIMENT.main([*TINY, "--blocks", "2", "--init", "run", "--out", "c"]) == 1
    error = capsys.readouterr().err
    assert "run does not fit the network. Differences" in error and "nothing in the file" in error
    assert experiment.EXPERIMENT.main(["quick", "--pretrained", "run"]) == 1
    assert "--pretrained is not an option here. Did you mean --init?" in capsys.readouterr().err
    assert experiment.EXPERIMENT.main(["quick", "--init", "run", "--record"]) == 1
    assert "--init changes quick" in capsys.readouterr().err


# --- The ImageNet family

SMALL = "resnet18 --data synthetic --steps 1 --batch-size 8 --precision float32 --valid-images 16".split()


def test_a_file_of_torchvision_is_a_start_with_its_own_normalization(
    capsys: pytest.CaptureFixture[str],
) -> None:
    torch.manual_seed(3)
    theirs = ResNet("resnet18")
    torch.save(theirs.state_dict(), "resnet18-f37072fd.pth")
    config = FinetuneConfig()
    train, _ = make_synthetic(64, 8)
    model = config.build(train)
    new = start_from(config.adapt(find_weights(Path("resnet18-f37072fd.pth"))), model, "it")
    assert new == ["1.fc.weight", "1.fc.bias"]
    # What their users are told to do with pixels, done by hand
    images = train.images[:2]
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    expected = theirs.eval().features((images.float() / 255 - mean) / std)
    normalize, network = model.eval()[0], model[1]  # type: ignore[index]
    assert torch.allclose(network.features(normalize(images)), expected, atol=1e-5)
    words = [*SMALL, "--init", "resnet18-f37072fd.pth", "--out", "run", "--learning-rate", "0"]
    assert finetune.EXPERIMENT.main(words) == 0
    assert "but for another number of classes: 1.fc is new" in capsys.readouterr().out
    run = last(Path("run")).model
    assert torch.equal(run["1.layer4.0.conv1.weight"], theirs.state_dict()["layer4.0.conv1.weight"])
    assert torch.equal(run["0.mean"].flatten(), torch.tensor(MEAN))
    # A file for another network of the family is refused.
    assert (
        finetune.EXPERIMENT.main(["resnet34", *words[1:-4], "--init", "resnet18-f37072fd.pth", "--out", "b"])
        == 1
    )
    assert "resnet18-f37072fd.pth does not fit the network" in capsys.readouterr().err


def test_the_family_wants_colours_and_has_a_preset_for_each_network(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert finetune.EXPERIMENT.main([*SMALL, "--data", "digits"]) == 1
    assert "the networks for ImageNet take images with 3 channels, got 1" in capsys.readouterr().err
    assert list(finetune.PRESETS) == list(NETWORKS)
    assert [preset.config.network for preset in finetune.PRESETS.values()] == list(NETWORKS)
    assert FinetuneConfig.default_side == 128


@pytest.mark.parametrize("name", NETWORKS)
def test_builders_have_torchvisions_names_and_its_weights(name: str) -> None:
    builder = getattr(models, name)
    with torch.device("meta"):
        model, other = builder(), get_model(name.upper(), num_classes=7)
    # From torchvision's own networks
    assert fingerprint(model.state_dict()) == TORCHVISION[name]
    assert other.fc.out_features == 7
    assert list_models() == sorted(TORCHVISION)


def test_builders_load_files() -> None:
    torch.manual_seed(0)
    source = ResNet("resnet18", 12).eval()
    torch.save(source.state_dict(), "a.pth")
    x = torch.randn(1, 3, 64, 64)
    for options in ({}, {"num_classes": 12}):
        assert torch.equal(models.resnet18(weights="a.pth", **options).eval()(x), source(x))
    with pytest.raises(
        CheckpointError, match=r"fc\.weight: \[12, 512\] in the file, \[10, 512\] in the model"
    ):
        models.resnet18(weights=Path("a.pth"), num_classes=10)
    with pytest.raises(CheckpointError, match="it seems to be for resnet18"):
        models.resnet34(weights="a.pth")
    with pytest.raises(CheckpointError, match=r"none\.pth cannot be read"):
        models.resnet18(weights="none.pth")
    with pytest.raises(
        ValueError, match=r"weights must be the path of a file, got 'DEFAULT'; nothing is downloaded"
    ):
        models.resnet18(weights="DEFAULT")
    with pytest.raises(ValueError, match=r"name must be one of resnet101, .* got 'vgg16'"):
        get_model("vgg16")
    weights = models.resnet18(zero_init_residual=True).state_dict()
    assert weights["layer1.0.bn2.weight"].abs().sum() == 0
