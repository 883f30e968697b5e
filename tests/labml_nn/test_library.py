"""The training loop as a library: any module, tensors, optimizer and schedule, wherever it is called from."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from small_runs import environment, last, metrics
from torch import nn

from labml_nn.data.small import make_synthetic
from labml_nn.runs.__main__ import main as ledger
from labml_nn.runs.files import RunFailed
from labml_nn.runs.library import Trained, train
from labml_nn.training import Normalize

GENERATOR = torch.Generator().manual_seed(0)
INPUTS = torch.rand(96, 3, generator=GENERATOR)
LABELS = (3 * INPUTS[:, 0]).long()
DATA = INPUTS[:64], LABELS[:64]
HELD_OUT = INPUTS[64:], LABELS[64:]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


Make = Callable[[Any], torch.optim.Optimizer]
OPTIMIZERS: dict[str, Make] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd with momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, amsgrad=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1),
    "adadelta": lambda p: torch.optim.Adadelta(p, lr=1.0),
    "adamax": lambda p: torch.optim.Adamax(p, lr=0.01),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.01),
    "radam": lambda p: torch.optim.RAdam(p, lr=0.01),
    "asgd": lambda p: torch.optim.ASGD(p, lr=0.1),
    "rprop": lambda p: torch.optim.Rprop(p, lr=0.01),
    "adafactor": lambda p: torch.optim.Adafactor(p, lr=0.01),
}


def new_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))


def fit(make: Make = OPTIMIZERS["adam"], out: str = "run", **options: Any) -> Trained:
    model = new_model()
    settings: dict[str, Any] = {"epochs": 3, "batch_size": 16, "quiet": True, "precision": "float32"}
    return train(model, DATA, make(model.parameters()), out=out, **settings | options)


def stop_after(steps: int) -> dict[str, Any]:
    seen: list[int] = []
    return {"on_step": seen.append, "should_stop": lambda: len(seen) >= steps}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_any_optimizer_goes_on_to_the_same_weights(name: str) -> None:
    make = OPTIMIZERS[name]
    whole = fit(make, "whole", schedule=lambda images: 1 - images / 300)
    assert whole.complete and last(whole.folder).step == 12
    part = fit(make, schedule=lambda images: 1 - images / 300, **stop_after(5))
    assert not part.complete and last(part.folder).step == 5
    again = fit(make, schedule=lambda images: 1 - images / 300)
    assert again.complete
    one, two = whole.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(one[key], two[key]) for key in one)
    start = new_model().state_dict()
    assert not torch.equal(start["0.weight"], one["0.weight"])


def test_it_is_what_a_loop_of_ones_own_would_compute() -> None:
    """Plain gradient descent over the same batches, written down in five lines."""
    from labml_nn.data import batch_indices

    model, copy = nn.Linear(3, 3), nn.Linear(3, 3)
    copy.load_state_dict(model.state_dict())
    train(
        model, DATA, torch.optim.SGD(model.parameters(), lr=0.5), out="run", epochs=2, batch_size=16, quiet=True,
        precision="float32", schedule=lambda images: 0.5 if images >= 64 else 1.0,
    )  # fmt: skip
    for step in range(8):
        mine = batch_indices(64, 16, step, 0)
        loss = nn.functional.cross_entropy(copy(DATA[0][mine]), DATA[1][mine])
        gradients = torch.autograd.grad(loss, list(copy.parameters()))
        for weights, gradient in zip(copy.parameters(), gradients, strict=True):
            weights.data -= (0.25 if step >= 4 else 0.5) * gradient
    torch.testing.assert_close(model.weight, copy.weight)


def test_what_comes_out_is_in_the_files_and_in_the_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    trained = fit(held_out=HELD_OUT, ema=0.5)
    noted = metrics(trained.folder)
    assert [line["step"] for line in noted] == [4, 8, 12]
    assert trained.accuracy == noted[-1]["accuracy.valid"]
    assert trained.best_accuracy == max(line["accuracy.valid"] for line in noted)
    predicted = trained.model.eval()(HELD_OUT[0]).argmax(1)
    assert (predicted == HELD_OUT[1]).float().mean().item() == pytest.approx(trained.accuracy)
    config = json.loads(Path("run/config.json").read_text())["config"]
    assert config["optimizer"].startswith("Adam(lr=0.01, betas=(0.9, 0.999)")
    assert config["ema"] == 0.5
    assert ledger(["list", "run"]) == 0
    assert "finished" in capsys.readouterr().out


def test_functions_are_called_and_each_group_has_its_rate() -> None:
    steps: list[int] = []
    epochs: list[tuple[int, float]] = []
    rates: list[list[float]] = []
    model = new_model()
    groups = [{"params": model[0].parameters(), "lr": 1.0}, {"params": model[4].parameters(), "lr": 0.5}]  # type: ignore[index]
    adam = torch.optim.SGD(groups, lr=0.1)

    def on_step(step: int) -> None:
        steps.append(step)
        rates.append([group["lr"] for group in adam.param_groups])

    train(
        model, DATA, adam, out="run", epochs=2, batch_size=16, quiet=True, schedule=lambda images: images / 100,
        on_step=on_step,
        on_epoch=lambda step, values: epochs.append((step, values["learning_rate"])),
    )  # fmt: skip
    assert steps == list(range(1, 9))
    assert rates == [pytest.approx([16 * k / 100, 8 * k / 100]) for k in range(8)]
    assert [step for step, _ in epochs] == [4, 8]
    assert [rate for _, rate in epochs] == pytest.approx([0.48, 1.12])


def test_a_loss_of_ones_own() -> None:
    calls: list[tuple[int, ...]] = []

    def focal(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        calls.append(tuple(logits.shape))
        losses = nn.functional.cross_entropy(logits, labels, reduction="none")
        return ((1 - torch.exp(-losses)) * losses).mean()

    trained = fit(loss=focal)
    assert calls == [(16, 3)] * 12
    config = json.loads((trained.folder / "config.json").read_text())["config"]
    assert config["loss"].endswith("focal") and config["schedule"] == "constant"


def test_images_are_cropped_and_weights_may_be_frozen() -> None:
    images, _ = make_synthetic(64, 16, side=4)
    for stop in (3, 99):
        torch.manual_seed(0)
        model = nn.Sequential(Normalize(*images.mean_and_std()), nn.Flatten(), nn.Linear(48, 10))
        model[2].bias.requires_grad_(False)
        adam = torch.optim.Adam(model.parameters(), lr=0.1)
        trained = train(
            model, images, adam, out="run", epochs=2, batch_size=16, padding=1, flip=True, quiet=True,
            **stop_after(stop),
        )  # fmt: skip
    assert trained.complete and len(last(trained.folder).optimizer["state"]) == 1


def test_a_change_is_in_the_history(capsys: pytest.CaptureFixture[str]) -> None:
    fit(**stop_after(4))
    fit(OPTIMIZERS["adam"], schedule=abs, quiet=False, epochs=4)
    said = capsys.readouterr().out
    assert "after step 4: --schedule constant → abs" in said
    assert len(json.loads(Path("run/result.json").read_text())["changes"]) == 2


def test_how_to_go_on_is_a_call(capsys: pytest.CaptureFixture[str]) -> None:
    fit(**stop_after(4))
    assert "Go on with: train(…, out='run')\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"data": (INPUTS, LABELS.float())}, ValueError, r"labels must be int64 of shape \[96\], got torch.float32"),
        ({"data": (INPUTS[:9], LABELS)}, ValueError, r"labels must be .* of shape \[9\], got .* of shape \[96\]"),
        ({"data": (INPUTS[:0], LABELS[:0])}, ValueError, "one input at least"),
        ({"held_out": (INPUTS, LABELS + 5)}, ValueError, "labels must be from 0 to 2, got 5 to 7"),
        ({"data": (INPUTS, LABELS - 1)}, ValueError, "labels must be from 0 to"),
        ({"cutmix": 1.0}, ValueError, r"cutmix is for images of shape .*, got \[64, 3\]"),
        ({"flip": True}, ValueError, "flip is for images"),
        ({"learning_rate": 1}, TypeError, "learning_rate"),
        ({"batch_size": 0}, RunFailed, "--batch-size must be from 1"),
        ({"image_side": 64}, RunFailed, "image_side is no option here, .*; got 64"),
        ({"init": Path("weights.pt")}, RunFailed, r"init is no option here, .*; got weights\.pt"),
        ({"patience": 3}, RunFailed, "--patience needs images held out"),
        ({"optimizer": torch.optim.LBFGS(nn.Linear(1, 1).parameters())}, ValueError, "L-BFGS computes the loss"),
        ({"optimizer": torch.optim.SGD(nn.Linear(1, 1).parameters())}, ValueError, "2 of the optimizer's 2 parameters"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("unchecked")
def test_what_does_not_fit_is_said(change: dict[str, Any], kind: type[Exception], message: str) -> None:
    model = new_model()
    adam = torch.optim.Adam(model.parameters())
    values: dict[str, Any] = {"data": DATA, "optimizer": adam, "out": "run", "quiet": True} | change
    with pytest.raises(kind, match=message):
        train(model, values.pop("data"), values.pop("optimizer"), **values)
    assert not Path("run/checkpoints").exists()


def test_a_folder_with_another_experiment_is_left_alone() -> None:
    Path("run").mkdir()
    Path("run/config.json").write_text(
        '{"module": "labml_nn.resnet.experiment", "preset": "quick", "config": {}}'
    )
    with pytest.raises(RunFailed, match=r"run is a run of labml_nn\.resnet\.experiment"):
        fit()


# --- Where it is called from


def test_a_thread_trains_without_signals() -> None:
    before = signal.getsignal(signal.SIGINT)
    found: list[Trained] = []
    stop = threading.Event()
    thread = threading.Thread(
        target=lambda: found.append(
            fit(epochs=10**6, should_stop=stop.is_set, on_step=lambda step: stop.set() if step >= 6 else None)
        )
    )
    thread.start()
    thread.join(120)
    assert [each.complete for each in found] == [False]
    assert last(found[0].folder).step == 6
    assert signal.getsignal(signal.SIGINT) is before


PROGRAM = """
import sys
import torch
from torch import nn
from labml_nn.runs.library import train

torch.manual_seed(0)
inputs = torch.rand(64, 3)
labels = (3 * inputs[:, 0]).long()
model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 3))
run = train(model, (inputs, labels), torch.optim.AdamW(model.parameters(), lr=0.01), held_out=(inputs, labels),
            epochs=3, batch_size=16, out="run", device="cpu", precision="float32", mixup=0.3, accumulate=2, ema=0.9)
print("weights", float(run.model[0].weight.sum()), "accuracy", run.accuracy)
"""


@pytest.mark.thorough
@pytest.mark.process
@pytest.mark.slow
def test_torchrun_trains_the_network_that_one_process_would() -> None:
    Path("mine.py").write_text(PROGRAM.replace('"run"', "sys.argv[1]"))
    launcher = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        "mine.py",
        "two",
    ]
    env = environment() | {"TORCHELASTIC_LOG_LEVEL": "ERROR"}
    two = subprocess.run(launcher, capture_output=True, text=True, env=env, timeout=300)
    one = subprocess.run(
        [sys.executable, "mine.py", "one"], capture_output=True, text=True, env=env, timeout=300
    )
    assert (two.returncode, one.returncode) == (0, 0), two.stderr + one.stderr
    weights = [
        float(line.split()[1])
        for line in (one.stdout + two.stdout).splitlines()
        if line.startswith("weights")
    ]
    assert len(weights) == 3 and weights[1] == weights[2] == pytest.approx(weights[0], rel=1e-5)
    assert two.stdout.count("epoch 1 ") == 1
    one_by_one = zip(metrics(Path("one")), metrics(Path("two")), strict=True)
    assert all(a["loss.valid"] == pytest.approx(b["loss.valid"], rel=1e-5) for a, b in one_by_one)


@pytest.mark.process
@pytest.mark.slow
def test_a_notebook_shows_the_losses_and_labml_keeps_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though labml imports `display` from where IPython 9 has it no longer."""
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    monkeypatch.setenv("HOME", os.getcwd())
    cell = nbformat.v4.new_code_cell(PROGRAM)  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    (outputs,) = (cell.outputs for cell in notebook.cells)
    assert {output.name for output in outputs} == {"stdout"}
    text = "".join(output.text for output in outputs)
    (notes,) = Path("run/logs").rglob("run.yaml")
    assert "train" in notes.read_text("utf-8") and not Path("logs").exists()
    assert text.count("loss.train") == 3 and "\x1b" not in text and "\r" not in text
    assert "accuracy.valid" in text and "files  run" in text
    assert len(metrics(Path("run"))) == 3
