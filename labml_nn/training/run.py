r"""
---
title: A run
summary:
  The way from the first step to the result file, with measurements, checkpoints on time and on
  demand, and a clean way to stop.
---

# A run

A run has a folder of its own. Everything that is known about it is there:

| file | what it holds |
|---|---|
| `config.json` | the configuration, and the module and the preset it came from |
| `metrics.jsonl` | one line for each epoch: losses, accuracies, learning rate, speed |
| `checkpoints/` | the last states of the run, and the best |
| `result.json` | what came out of it, once it is complete |
| `running.json` | which process is at work here, while one is |
"""

import json
import platform
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from labml_nn.data import ImageData
from labml_nn.training import Diverged, Recipe, Trainer, epoch_ends, evaluate
from labml_nn.training.checkpoint import (
    Checkpoint,
    CheckpointError,
    CheckpointFolder,
    random_state,
    set_random_state,
)
from labml_nn.training.config import Config
from labml_nn.training.files import (
    RunFailed,
    alone,
    forget_after,
    new_folder,
    to_plain,
    write_json,
    writing,
)
from labml_nn.training.machine import Machine, keep_memory
from labml_nn.training.record import Record
from labml_nn.training.tracking import Tracker


@dataclass(frozen=True)
class Task:
    """
    ## What to do
    """

    # The module that was started, and the name of the preset
    module: str
    preset: str
    # Bytes in, logits out
    model: nn.Module
    train: ImageData
    # The images to measure with: held out of the training set, or the test set
    held_out: ImageData
    recipe: Recipe
    config: Config
    # Where to record the result for the site, if at all
    record: Record | None = None

    @property
    def name(self) -> str:
        """The name of the experiment, for the notes."""
        return f"{self.module.removeprefix('labml_nn.')}.{self.preset}"


def run(task: Task, machine: Machine, resumed: Path | None = None) -> int:
    """
    ## Running

    Takes all steps of `task` on `machine`, or those that are left of the run in the folder
    `resumed`. Returns 0 when the run is complete and 130 when it was asked to stop. Raises
    `RunFailed` if the loss is no longer a number, if the memory does not suffice, if another
    process is at work in the folder, or if a file cannot be written, and `CheckpointError` if there
    is nothing to resume or a checkpoint cannot be written.
    """
    batch = task.recipe.batch_size
    if batch % machine.world:
        raise RunFailed(
            f"a batch of {batch} cannot be shared by "
            f"{machine.world} processes; choose a multiple"
        )
    folder = resumed or task.config.out
    if not machine.is_main:
        # The other processes write nothing, so the folder is not theirs to hold.
        return _run(task, machine, folder or Path("runs"), resumed)
    folder = folder or new_folder(task.preset)
    with alone(folder):
        return _run(task, machine, folder, resumed)


def _run(
    task: Task, machine: Machine, folder: Path, resumed: Path | None
) -> int:
    config, recipe = task.config, task.recipe
    if resumed is None and (folder / "config.json").exists():
        raise RunFailed(
            f"{folder} holds another run; go on with it by --resume {folder}, "
            "or choose another --out"
        )
    checkpoints = CheckpointFolder(folder / "checkpoints", config.keep)
    if machine.device.type == "cpu":
        keep_memory()
    trainer = Trainer(task.model, task.train, recipe, machine)
    progress: dict[str, Any] = {"seconds": 0.0, "best": -1.0}
    if resumed is not None:
        last = checkpoints.load_last(machine.device)
        _restore(trainer, last, checkpoints.folder)
        progress = last.progress
        if trainer.step > recipe.steps:
            raise RunFailed(
                f"{folder} has taken {trainer.step} steps already; "
                f"--steps must be more than that, got {recipe.steps}"
            )
    plain = to_plain(config)
    if machine.is_main:
        write_json(
            folder / "config.json",
            {"module": task.module, "preset": task.preset, "config": plain},
        )
        forget_after(folder / "metrics.jsonl", trainer.step)
    tracker = Tracker(task.name, plain, machine, config.app_url)
    session = _Session(
        task, machine, trainer, checkpoints, folder, tracker, plain, progress
    )
    with (
        stop_on_signals() as signals,
        tracker,
        explain_memory(recipe.batch_size, machine, checkpoints),
    ):
        stopped = session.train(signals)
    if stopped:
        if machine.is_main:
            print(f"\nStopped after step {trainer.step}, which is saved.")
            print(f"Go on with: --resume {folder}")
        return 130
    result = session.result()
    if machine.is_main:
        write_json(folder / "result.json", result)
        print_summary(result, folder)
        if task.record is not None:
            print(task.record.add(result, folder / "metrics.jsonl"))
    return 0


def _restore(trainer: Trainer, last: Checkpoint, folder: Path) -> None:
    """
    Goes on from the checkpoint `last`. Raises `CheckpointError` if it is one of another model.
    """
    try:
        trainer.load_state(last.step, last.model, last.optimizer)
        set_random_state(last.random)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        # PyTorch raises errors of many kinds here, depending on what does not fit.
        raise CheckpointError(
            f"{folder}/step-{last.step:08d}.pt does not fit the model: "
            f"{str(error)[:300]}\nLeave out options that change the network, "
            "or start anew with another --out."
        ) from error


@contextmanager
def explain_memory(
    batch_size: int, machine: Machine, checkpoints: CheckpointFolder
) -> Iterator[None]:
    """
    ## When the memory does not suffice

    Most of the memory that training needs is for the outputs of all layers, which are kept for the
    gradients, and these grow with the batch. Inside of this context an error for want of memory on
    `machine` becomes a `RunFailed` that says how to halve the `batch_size`, and how to go on with
    that if there are `checkpoints`.

    PyTorch has a class of error for devices. On the CPU it raises one that is known by its text
    alone.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        kinds = (MemoryError, torch.OutOfMemoryError)
        if not isinstance(error, kinds) and "can't allocate" not in str(error):
            raise
        half = batch_size // 2 // machine.world * machine.world
        advice = f"To start again, halve it: --batch-size {half}."
        if half == 0:
            advice = "Choose a smaller network or another --device."
        elif checkpoints.paths():
            run_folder = checkpoints.folder.parent
            advice = (
                "You can go on with half of it: "
                f"--resume {run_folder} --batch-size {half}"
            )
        raise RunFailed(
            f"the memory of {machine.device} does not suffice for a batch of "
            f"{batch_size} images. {advice}"
        ) from error


@dataclass
class _Session:
    """
    ## Between the steps

    One sitting of a run, from its start or from a checkpoint to its end or to a signal.
    """

    task: Task
    machine: Machine
    trainer: Trainer
    checkpoints: CheckpointFolder
    folder: Path
    tracker: Tracker
    plain_config: dict[str, Any]
    progress: dict[str, Any]

    def train(self, signals: list[int]) -> bool:
        """
        Takes the steps that are left. Returns whether it was asked to stop before the last one.
        Raises `RunFailed` if the loss is no longer a number.
        """
        recipe, trainer = self.task.recipe, self.trainer
        machines = self.progress.setdefault("machines", [])
        here = self.machine.describe()
        # A run may begin on one machine and go on on another.
        if trainer.step < recipe.steps and here not in machines:
            machines.append(here)
        ends = set(epoch_ends(recipe, len(self.task.train)))
        bar = tqdm(
            total=recipe.steps,
            initial=trainer.step,
            unit="step",
            disable=not self.machine.is_main,
        )
        saved = clock = time.perf_counter()
        with bar:
            while trainer.step < recipe.steps:
                stop = self._should_stop(signals)
                if not stop:
                    trainer.take_step()
                    bar.update()
                at_end = not stop and trainer.step in ends
                is_due = stop or self._is_due(saved)
                if not (at_end or is_due):
                    continue
                # Losses are looked at before anything is saved: weights that are no longer numbers
                # must not take the place of good ones.
                values = self._read(start_anew=at_end)
                self.progress["seconds"] += time.perf_counter() - clock
                is_best = at_end and self._measure(values)
                if is_best or is_due or trainer.step == recipe.steps:
                    if self.machine.is_main:
                        self.save(is_best=is_best)
                    saved = time.perf_counter()
                if stop:
                    return True
                # Measuring and saving do not count as training.
                clock = time.perf_counter()
        return False

    def _should_stop(self, signals: list[int]) -> bool:
        """
        Processes that share a batch have to stop after the same step, or those that go on wait for
        the others for ever. They compare notes every ten steps.
        """
        if self.machine.world == 1:
            return bool(signals)
        if self.trainer.step % 10:
            return False
        return self.machine.any(bool(signals))

    def _is_due(self, saved: float) -> bool:
        """Whether it is time for a checkpoint."""
        config = self.task.config
        if config.checkpoint_steps:
            return self.trainer.step % config.checkpoint_steps == 0
        is_late = time.perf_counter() - saved > config.checkpoint_seconds
        if self.machine.world == 1:
            return is_late
        # Clocks of several processes differ, and all have to look at their losses together.
        return self.trainer.step % 10 == 0 and self.machine.any(is_late)

    def _read(self, *, start_anew: bool) -> dict[str, float]:
        """What was measured in this epoch so far; the next one starts anew."""
        try:
            return self.trainer.read_totals(start_anew=start_anew)
        except Diverged as error:
            good = self.checkpoints.paths()
            last = f"The last good checkpoint is {good[-1]}." if good else ""
            raise RunFailed(
                f"{error}. {last} Try a smaller --learning-rate, "
                "or --precision float32."
            ) from error

    def _measure(self, values: dict[str, float]) -> bool:
        """
        Measures on the images held out, notes everything, and returns whether the network is the
        best so far. With `final` these images are the test set, which is left alone until the end.
        """
        task, trainer = self.task, self.trainer
        is_best = False
        if not task.config.final:
            loss, accuracy = evaluate(task.model, task.held_out, self.machine)
            values |= {"loss.valid": loss, "accuracy.valid": accuracy}
            is_best = accuracy > self.progress["best"]
            self.progress["best"] = max(accuracy, self.progress["best"])
            self.progress["valid_accuracy"] = accuracy
        if self.machine.is_main:
            images = trainer.step * task.recipe.batch_size
            epoch = round(images / len(task.train), 2)
            place = {"step": trainer.step, "epoch": epoch}
            line = json.dumps({**place, **values})
            path = self.folder / "metrics.jsonl"
            with writing(path), path.open("a") as file:
                file.write(line + "\n")
        self.tracker.report(trainer.step, values)
        return is_best

    def save(self, *, is_best: bool = False) -> Path:
        """Saves a checkpoint, and returns its path."""
        checkpoint = Checkpoint(
            **self.trainer.state(),
            config=self.plain_config,
            about={
                "classes": list(self.task.train.classes),
                "channels": self.task.train.channels,
                "side": self.task.train.images.shape[-1],
            },
            progress=dict(self.progress),
            random=random_state(),
        )
        return self.checkpoints.save(checkpoint, is_best=is_best)

    def result(self) -> dict[str, Any]:
        """
        ### The result

        What came out of the run, and everything one has to know to judge it. Accuracies are
        fractions; what was not measured is `None`.
        """
        task, recipe = self.task, self.task.recipe
        images = recipe.steps * recipe.batch_size
        seconds = self.progress["seconds"]
        test_accuracy = None
        if task.config.final:
            _, test_accuracy = evaluate(task.model, task.held_out, self.machine)
        return {
            "name": task.name,
            "preset": task.preset,
            "config": self.plain_config,
            "data": task.config.data,
            "seed": recipe.seed,
            "final": task.config.final,
            "parameters": sum(p.numel() for p in task.model.parameters()),
            "steps": recipe.steps,
            "epochs": round(images / len(task.train), 2),
            "seconds": round(seconds, 1),
            "images_per_second": round(images / seconds, 1),
            "valid_accuracy": self.progress.get("valid_accuracy"),
            "test_accuracy": test_accuracy,
            "machine": " + ".join(self.progress["machines"]),
            "precision": "bfloat16" if self.machine.bfloat16 else "float32",
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in ("torch", "numpy", "labml")},
            },
        }


@contextmanager
def stop_on_signals() -> Iterator[list[int]]:
    """
    ## Stopping

    Clusters announce the end of a machine with SIGTERM, users press a key, which is SIGINT. Inside
    of this context a signal is only noted; the loop sees it after the step it is in. Who presses
    the key a second time is tired of waiting, and the process ends at once. A second SIGTERM means
    nothing: a cluster sends it to every process, `torchrun` passes it on to those it has started,
    and so they get it twice.
    """
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if received.count(signal.SIGINT) > 1:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    names = (signal.SIGINT, signal.SIGTERM)
    before = {name: signal.signal(name, note) for name in names}
    try:
        yield received
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def print_summary(result: dict[str, Any], folder: Path) -> None:
    """
    ## The summary

    Prints what matters most of `result`, and the `folder` where everything is.
    """
    rows = {
        "network": f"{result['preset']}, {result['parameters']:,} parameters",
        "data": f"{result['data']}, {result['epochs']} epochs",
        "time": f"{result['seconds']:,.0f} s of training, "
        f"{result['images_per_second']:,.0f} images/s",
        "machine": result["machine"],
    }
    for name in ("valid", "test"):
        accuracy = result[f"{name}_accuracy"]
        if accuracy is not None:
            rows[f"{name} accuracy"] = f"{accuracy:.2%}"
    rows["files"] = str(folder)
    print()
    for name, value in rows.items():
        print(f"{name:>15}  {value}")
