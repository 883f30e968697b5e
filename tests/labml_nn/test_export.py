"""A network in another program's hands yields what it yields here, or is not written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from conftest import Train
from onnx.reference import ReferenceEvaluator
from safetensors import safe_open
from sampling import thinned
from small_runs import TINY, environment
from torch import nn

from labml_nn.data.small import make_synthetic
from labml_nn.resnet import experiment, finetune, speedrun
from labml_nn.runs import __main__ as ledger
from labml_nn.runs.loading import load_model
from labml_nn.training import Normalize
from labml_nn.training import export as exporting
from labml_nn.training.export import ExportError, export, largest_difference


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


IMAGES = torch.randint(256, (5, 3, 32, 32), generator=torch.Generator().manual_seed(1)).byte()


@torch.no_grad()
def logits(model: nn.Module) -> torch.Tensor:
    found: torch.Tensor = model(IMAGES)
    return found


def close(there: Any, model: nn.Module) -> bool:
    return largest_difference(logits(model), torch.as_tensor(there).detach()) < 1e-5


def test_a_run_becomes_a_file_of_each_format(train: Train, capsys: pytest.CaptureFixture[str]) -> None:
    run = train("--steps", "4")
    model, classes, *_ = load_model(run)
    for to in ("onnx", "torch.export", "safetensors"):
        capsys.readouterr()
        assert ledger.main(["export", "run", "--to", to]) == 0
        shown = capsys.readouterr()
        assert "takes bytes of shape [batch, 3, 32, 32] and returns logits for 10 classes" in shown.out
        assert shown.out.count("\n") == 1 and shown.err == ""
    # Read by other means than those that the export itself compares with
    graph = onnx.load("run/model.onnx")
    (found,) = ReferenceEvaluator(graph).run(["logits"], {"images": IMAGES.numpy()})
    assert close(found, model)
    assert json.loads(graph.metadata_props[0].value) == list(classes)
    names: dict[str, Any] = {"classes.json": ""}
    loaded = torch.export.load("run/model.pt2", extra_files=names)
    assert close(loaded.module()(IMAGES), model) and json.loads(names["classes.json"]) == list(classes)
    with safe_open("run/model.safetensors", "pt") as file:
        assert json.loads(file.metadata()["classes"]) == list(classes)
        saved = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert saved.keys() == model.state_dict().keys()
    assert all(torch.equal(value, saved[name]) for name, value in model.state_dict().items())
    # What was exported can be started from.
    words = ["--steps", "1", "--init", "run/model.safetensors", "--out", "again"]
    assert experiment.EXPERIMENT.main([*TINY, *words]) == 0
    assert not list(Path("run").glob(".model*"))


def test_the_other_name_of_the_command(train: Train) -> None:
    train("--steps", "2")
    command = [
        sys.executable,
        "-m",
        "labml_nn.training.export",
        "run",
        "--to",
        "safetensors",
        "--out",
        "a/b.st",
    ]
    ended = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0 and "Wrote a/b.st." in ended.stdout, ended.stderr
    assert Path("a/b.st").stat().st_size > 1000


@pytest.mark.parametrize("module", thinned([finetune, speedrun], 2))
def test_the_other_networks_can_be_exported(module: Any) -> None:
    train, _ = make_synthetic(64, 8)
    name = {speedrun: "both-sides", finetune: "resnet18"}[module]
    model = module.PRESETS[name].config.build(train)
    assert export(model, IMAGES, train.classes, Path("a.onnx"), "onnx") < 1e-4
    (found,) = ReferenceEvaluator("a.onnx").run(["logits"], {"images": IMAGES.numpy()})
    assert close(found, model)


def test_without_the_runtime_the_standards_own_implementation_compares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    model = nn.Sequential(Normalize(torch.rand(3), torch.ones(3)), nn.Flatten(), nn.Linear(3 * 32 * 32, 2))
    assert export(model, IMAGES, ("a", "b"), Path("a.onnx"), "onnx") < 1e-4


class Forgetful(nn.Module):
    """Has a weight that is not in its state, so that a file cannot hold it."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.ones(2))
        self.register_buffer("hidden", torch.ones(2), persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        hidden: Any = self.hidden
        found: torch.Tensor = images.float().mean((1, 2, 3))[:, None] + self.bias * hidden
        return found


def test_a_file_that_yields_something_else_is_not_kept() -> None:
    Path("a.safetensors").write_text("the old one")
    with pytest.raises(ExportError, match="the file yields other logits than the network, by up to"):
        export(Forgetful(), IMAGES, ("a", "b"), Path("a.safetensors"), "safetensors")
    assert Path("a.safetensors").read_text() == "the old one"
    assert [path.name for path in Path().iterdir()] == ["a.safetensors"]


def test_networks_that_compute_what_is_no_number_are_not_exported() -> None:
    model = nn.Sequential(Normalize(torch.rand(3), torch.zeros(3)), nn.Flatten(), nn.Linear(3 * 32 * 32, 2))
    with pytest.raises(ExportError, match="by up to nan"):
        export(model, IMAGES, ("a", "b"), Path("a.safetensors"), "safetensors")


@pytest.mark.parametrize(
    ("to", "missing"), [("onnx", "onnx"), ("onnx", "onnxscript"), ("safetensors", "safetensors.torch")]
)
def test_what_is_missing_is_said(
    to: str, missing: str, train: Train, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    train("--steps", "2")
    monkeypatch.setitem(sys.modules, missing, None)
    assert ledger.main(["export", "run", "--to", to]) == 1
    error = capsys.readouterr().err
    assert f"--to {to} needs: pip install onnx onnxruntime onnxscript safetensors" in error


def test_what_cannot_be_exported_or_written(train: Train, capsys: pytest.CaptureFixture[str]) -> None:
    train("--steps", "2")
    Path("file").write_text("")
    assert ledger.main(["export", "run", "--to", "safetensors", "--out", "file/x"]) == 1
    assert "error: file/x cannot be written: " in capsys.readouterr().err
    assert ledger.main(["export", "nowhere", "--to", "onnx"]) == 1
    assert "nowhere" in capsys.readouterr().err
    with pytest.raises(
        ExportError, match=r"--to must be one of onnx, torch\.export, safetensors, got coreml"
    ):
        export(Forgetful(), IMAGES, ("a", "b"), Path("a"), "coreml")
    assert exporting.SUFFIXES.keys() == exporting.WRITERS.keys()


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize("module", [experiment, speedrun, finetune])
def test_networks_can_be_traced_and_the_page_says_why_they_cannot_be_scripted(
    module: Any, unchecked: None
) -> None:
    train, _ = make_synthetic(64, 8)
    name = {experiment: "resnet20", speedrun: "speedrun", finetune: "resnet18"}[module]
    model = module.PRESETS[name].config.build(train).eval()
    traced: Any = torch.jit.trace(model, IMAGES[:2])  # type: ignore[no-untyped-call]
    assert torch.equal(traced(IMAGES), logits(model))
    with pytest.raises(Exception, match="try blocks aren't supported"):
        torch.jit.script(model[1])
