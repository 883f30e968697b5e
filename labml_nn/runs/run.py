r"""
---
title: A run
summary:
  Gives a training loop a folder, from its start or from a checkpoint to its result, and says what
  to do when it cannot go on.
---

# A run

The [training loop](../training/loop.py) only knows of steps. Here it gets a
[folder](__init__.py), a progress bar, and an end: all steps, a signal, or an error that says how to
go on.
"""

import json
import os
import platform
import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import distributed, nn

from labml_nn.data import DRAWS, ImageData
from labml_nn.printing import printable
from labml_nn.runs.code_version import code_of_run
from labml_nn.runs.config import Config, find_changes, option
from labml_nn.runs.files import (
    RunFailed,
    alone,
    append_line,
    check_folder,
    forget_after,
    new_folder,
    note_failure,
    path_fields,
    remove_leftovers,
    to_json,
    to_plain,
    write_json,
)
from labml_nn.runs.intervals import Intervals
from labml_nn.runs.record import Record
from labml_nn.runs.screen import Screen
from labml_nn.runs.tracking import Tracker
from labml_nn.training.checkpoint import CheckpointFolder
from labml_nn.training.loop import Loop, Recipe, Trainer
from labml_nn.training.machine import Machine, keep_memory
from labml_nn.training.measuring import Diverged, evaluate
from labml_nn.training.processes import (
    check_agreement,
    contents_of,
    hash_of_code,
    hash_of_files,
)


@dataclass(frozen=True)
class Task:
    """A network, its images, and how to train it."""

    # The module that was started, and the name of the preset
    module: str
    preset: str
    # Bytes in, logits out
    model: nn.Module
    train: ImageData
    # The images to measure with: held out of the training set, or the test set, if there are any
    held_out: ImageData | None
    recipe: Recipe
    config: Config
    # Where to record the result for the site, if at all
    record: Record | None = None
    # What the network begins with, in a sentence, if not with random weights
    started_from: str = ""
    # Whether the command may be one that is given again and again
    auto: bool = False
    # The function that was called instead of a command, if it was
    call: str | None = None
    # What is called after each step with their number, and after each epoch with what was measured
    on_step: Callable[[int], object] | None = None
    on_epoch: Callable[[int, dict[str, float]], object] | None = None
    # What is asked before each step whether to stop
    should_stop: Callable[[], bool] | None = None

    @property
    def name(self) -> str:
        """The name of the experiment, for the notes."""
        return f"{self.module.removeprefix('labml_nn.')}.{self.preset}"

    def command(self, folder: Path, batch_size: int | None = None) -> str:
        """The whole command that goes on with the run in `folder`, with this `batch_size`."""
        if self.call is not None:
            less = f", batch_size={batch_size}" if batch_size else ""
            return f"{self.call}(…, out={str(folder)!r}{less})"
        start = "python"
        if "TORCHELASTIC_RUN_ID" in os.environ:
            here = os.environ.get("LOCAL_WORLD_SIZE", "1")
            start = f"torchrun --nproc-per-node={here}"
        if os.environ.get("GROUP_WORLD_SIZE", "1") != "1":
            start += " (as before, on all machines)"
        path = printable(shlex.quote(str(folder)))
        less = f" --batch-size {batch_size}" if batch_size else ""
        return f"{start} -m {self.module} --resume {path}{less}"


@dataclass(frozen=True)
class Outcome:
    """What became of a run."""

    # 0 when it is complete and 130 when it was asked to stop
    status: int
    folder: Path
    loop: Loop


def run(task: Task, machine: Machine, resumed: Path | None = None) -> Outcome:
    """Takes all steps of `task` on `machine`, or those that are left of the run in `resumed`.

    A run that was stopped before its first checkpoint is started again. Raises `RunFailed` if the
    loss is no longer a number, if the memory does not suffice, if another process is at work in the
    folder, if a file in it is a link or a pipe, or if a file cannot be written; `Disagreement` if
    processes that share the run differ in what they are to do; and `CheckpointError` if no
    checkpoint is there that fits, or one cannot be written.
    """
    if folder := resumed or task.config.out:
        check_folder(folder)
    if distributed.is_initialized():
        check_agreement(machine, _facts(task, machine, resumed))
    batch = task.recipe.batch_size
    if batch % machine.world:
        raise RunFailed(
            f"a batch of {batch} cannot be shared by "
            f"{machine.world} processes; choose a multiple"
        )
    if not machine.is_main:
        # The other processes write nothing, so the folder is not theirs to hold.
        return _run(task, machine, folder or Path("runs"), resumed)
    folder = folder or new_folder(task.preset)
    with alone(folder):
        remove_leftovers(folder)
        return _run(task, machine, folder, resumed)


def _facts(
    task: Task, machine: Machine, resumed: Path | None
) -> dict[str, str]:
    """The facts that [processes must agree on](../training/processes.py#Disagreement).

    Everything that a result depends on: the command, the data, the code, and where the run goes on.
    Paths are free. Machines keep their files where they like, as long as these are the same. Only
    the folder of the run has to have the same name.
    """
    free = path_fields(type(task.config))
    options = to_plain(task.config)
    facts = {
        "experiment": f"{task.module} {task.preset}",
        **{
            option(name): json.dumps(value)
            for name, value in options.items()
            if name not in free
        },
        # Neither is it said by the path of one's own images what is in them.
        "--data": options["data"].partition(":")[0],
        "folder of the run": str(resumed or task.config.out),
        "images to train on": contents_of(task.train),
        "images to measure with": "none"
        if task.held_out is None
        else contents_of(task.held_out),
        # With `auto`, machines choose for themselves.
        "device": machine.device.type,
        "precision": machine.precision,
        "code": hash_of_code(),
        "PyTorch": torch.__version__,
        "begins": "from the start",
    }
    if resumed is not None:
        saved = hash_of_files(resumed / "checkpoints", "step-*.pt")
        facts["begins"] = f"from checkpoints with hash {saved}"
    return facts


def _run(
    task: Task, machine: Machine, folder: Path, resumed: Path | None
) -> Outcome:
    config, recipe = task.config, task.recipe
    if resumed is None and (folder / "config.json").exists():
        raise RunFailed(
            f"{folder} holds another run; go on with it by --resume {folder}, "
            "or choose another --out"
        )
    held_out = None if config.final else task.held_out
    if recipe.extras.patience and held_out is None:
        raise RunFailed(
            "--patience needs images held out, to know when the accuracy does "
            "not rise any more; leave it out"
        )
    checkpoints = CheckpointFolder(folder / "checkpoints", config.keep)
    if machine.device.type == "cpu":
        keep_memory()
    plain = to_plain(config)
    begun = resumed is not None and any(checkpoints.folder.glob("*.pt"))
    trainer = Trainer(task.model, task.train, recipe, machine)
    loop = Loop(
        trainer,
        checkpoints,
        # With `final` these are the test set, which is left alone until the end.
        held_out=held_out,
        checkpoint_seconds=config.checkpoint_seconds,
        checkpoint_steps=config.checkpoint_steps,
        config=plain,
    )
    if begun:
        last = loop.resume()
        if task.auto and machine.any(
            loop.is_over and (folder / "result.json").exists()
        ):
            if machine.is_main and not config.quiet:
                print(f"{folder} is finished; its result is in result.json.")
            return Outcome(0, folder, loop)
        # A batch of another size may have gone a little too far.
        if trainer.seen >= recipe.images + recipe.batch_size:
            raise RunFailed(
                f"{folder} has taken {trainer.step} steps already; "
                f"--steps must be more than that, got {recipe.steps}"
            )
        # The folder may have moved.
        before = {**last.config, "out": plain["out"]}
        _note_changes(task, loop, find_changes(config, before))
    images = contents_of(task.train)
    measured_with = (
        "none" if task.held_out is None else contents_of(task.held_out)
    )
    for name, done, now in (
        ("data", "trained on", images),
        ("measured_with", "measured with", measured_with),
    ):
        if loop.progress.setdefault(name, now) != now:
            raise RunFailed(
                f"{folder} was {done} {printable(loop.progress[name])}, but "
                f"these are {now}. Go on with the same, or start anew with "
                "another --out."
            )
    if task.started_from:
        loop.progress.setdefault("started_from", task.started_from)
    classes = dict(zip(task.train.classes, task.train.counts(), strict=True))

    code = (
        code_of_run(folder, task.module, trainer.step)
        if machine.is_main
        else []
    )

    def write_config() -> None:
        if machine.is_main:
            saved = {
                "config": plain,
                "data": images,
                "measured_with": measured_with,
                "started_from": loop.progress.get("started_from"),
                # So many would make a file that nobody reads.
                "classes": classes if len(classes) <= 2000 else {},
                "code": code,
            }
            write_json(
                folder / "config.json",
                {"module": task.module, "preset": task.preset, **saved},
            )

    if not begun:
        write_config()
    if machine.is_main:
        forget_after(folder / "metrics.jsonl", trainer.step)
    tracker = Tracker(
        task.name, plain, machine, folder, config.app_url, is_quiet=config.quiet
    )
    failures = note_failure(folder) if machine.is_main else nullcontext()
    with (
        failures,
        stop_on_signals() as signals,
        tracker,
        explain_memory(recipe.batch_size, machine, checkpoints, task.command),
        explain_divergence(checkpoints),
    ):
        complete = _train(task, loop, folder, tracker, signals, write_config)
    if not complete:
        if machine.is_main:
            print(f"\nStopped after step {trainer.step}, which is saved.")
            print(f"Go on with: {task.command(folder)}")
        return Outcome(130, folder, loop)
    result = _result(task, loop)
    if machine.is_main:
        result |= {"images_to_train_on": images, "code": code}
        write_json(folder / "result.json", result)
        if not config.quiet:
            print_summary(result, folder)
        if task.record is not None:
            print(task.record.add(result, folder / "metrics.jsonl"))
    return Outcome(0, folder, loop)


def _note_changes(
    task: Task, loop: Loop, changes: Mapping[str, tuple[Any, Any]]
) -> None:
    """Notes in the history of the run which options of `task` are others from now on.

    What is saved with the next checkpoint is the history and the options, or neither: those of an
    attempt that fails do not stay. Raises `RunFailed` if the run is to be recorded as one of its
    preset, which it no longer is.
    """
    trainer = loop.trainer
    history = list(loop.progress.get("changes", []))
    for name, values in changes.items():
        old, new = (printable(value, 60) for value in values)
        history.append(
            f"after step {trainer.step}: {option(name)} {old} → {new}"
        )
    if task.record is not None and history:
        raise RunFailed(
            "--record is for runs of a preset as it is, and this one was "
            f"changed {printable('; '.join(history), 300)}"
        )
    if not changes:
        return
    loop.progress["changes"] = history
    if trainer.machine.is_main and not task.config.quiet:
        for line in history[-len(changes) :]:
            print(line)
        before = loop.progress.get("learning_rate")
        if before is not None and trainer.seen < task.recipe.images:
            rate = task.recipe.rate(trainer.position)
            print(
                f"The learning rate was {before:.3g} in the last step and is "
                f"{rate:.3g} in the next."
            )


def _train(
    task: Task,
    loop: Loop,
    folder: Path,
    tracker: Tracker,
    signals: list[int],
    on_save: Callable[[], object],
) -> bool:
    """Runs the `loop`, shows how it goes, and notes what it measures."""
    trainer, recipe = loop.trainer, task.recipe
    # The last batch may be one that is not needed as a whole.
    steps = trainer.step - (trainer.seen - recipe.images) // recipe.batch_size
    machine = trainer.machine
    # A run may begin on one machine and go on on another.
    machines = loop.progress.setdefault("machines", [])
    here = machine.describe()
    if trainer.step < steps and here not in machines:
        machines.append(here)

    def write(step: int, values: dict[str, float]) -> None:
        if machine.is_main:
            images = trainer.seen
            digits = 4 if "interval" in values else 2
            epoch = round(images / len(task.train), digits)
            where = {"step": step, "images": images, "epoch": epoch}
            append_line(folder / "metrics.jsonl", to_json({**where, **values}))

    def note(step: int, values: dict[str, float]) -> None:
        write(step, values)
        if not tracker.report(step, values):
            epoch = round(trainer.seen / len(task.train), 2)
            screen.epoch(epoch, step, values)
        if task.on_epoch is not None:
            task.on_epoch(step, values)

    def should_stop() -> bool:
        asked = task.should_stop is not None and task.should_stop()
        return asked or bool(signals)

    quiet = task.config.quiet or not machine.is_main
    with Screen(steps, trainer.step, is_quiet=quiet) as screen:
        intervals = Intervals(loop, task.config.metrics_steps, write)

        def on_step() -> None:
            screen.after_step()
            intervals.after_step()
            if task.on_step is not None:
                task.on_step(trainer.step)

        return loop.run(should_stop, on_step, note, on_save)


def _result(task: Task, loop: Loop) -> dict[str, Any]:
    """The result of the run, and everything one has to know to judge it.

    Accuracies are fractions; what was not measured is `None`.
    """
    recipe, trainer = task.recipe, loop.trainer
    machine, images = trainer.machine, trainer.seen
    seconds = loop.progress["seconds"]
    test_accuracy = None
    if task.config.final and task.held_out is not None:
        _, test_accuracy = evaluate(task.model, task.held_out, machine)
    return {
        "name": task.name,
        "preset": task.preset,
        "config": loop.config,
        "data": task.config.data,
        "seed": recipe.seed,
        "draws": DRAWS,
        "final": task.config.final,
        "parameters": sum(p.numel() for p in task.model.parameters()),
        "steps": trainer.step,
        "stopped_early": images < recipe.images,
        "images": images,
        "epochs": round(images / len(task.train), 2),
        "seconds": round(seconds, 1),
        # A checkpoint of somebody else's may say that it took no time.
        "images_per_second": round(images / seconds, 1) if seconds else 0.0,
        "valid_accuracy": loop.progress.get("valid_accuracy"),
        "best_valid_accuracy": best
        if (best := loop.progress["best"]) >= 0
        else None,
        "test_accuracy": test_accuracy,
        "machine": " + ".join(loop.progress["machines"]),
        "precision": machine.precision,
        # Options that were changed on the way
        "changes": loop.progress.get("changes", []),
        "started_from": loop.progress.get("started_from"),
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in ("torch", "numpy", "labml")},
        },
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        # labml is not needed to train.
        return None


@contextmanager
def explain_memory(
    batch_size: int,
    machine: Machine,
    checkpoints: CheckpointFolder,
    command: Callable[[Path, int], str],
) -> Iterator[None]:
    """Inside of this context, an error for want of memory on `machine` says what to do.

    Most of the memory that training needs is for the outputs of all layers, which are kept for the
    gradients, and these grow with the batch. So the error becomes a `RunFailed` that says how to
    halve the `batch_size`, and how to go on with that if there are `checkpoints`: by the `command`
    for the folder of the run.

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
            advice = (
                "You can go on with half of it: "
                f"{command(checkpoints.folder.parent, half)}"
            )
        raise RunFailed(
            f"the memory of {machine.device} does not suffice for a batch of "
            f"{batch_size} images. {advice}"
        ) from error


@contextmanager
def explain_divergence(checkpoints: CheckpointFolder) -> Iterator[None]:
    """Inside of this context, `Diverged` becomes a `RunFailed` that says what to do.

    It names the last of the `checkpoints`: all of them are from before.
    """
    try:
        yield
    except Diverged as error:
        good = checkpoints.paths()
        last = f" The last good checkpoint is {good[-1]}." if good else ""
        raise RunFailed(
            f"{error}.{last} Try a smaller --learning-rate, "
            "or --precision float32."
        ) from error


@contextmanager
def stop_on_signals() -> Iterator[list[int]]:
    """Inside of this context, signals that ask to stop are only noted, in the list that it gives.

    Clusters announce the end of a machine with SIGTERM, users press a key, which is SIGINT. The
    loop sees it after the step it is in. A second Ctrl+C ends the process at once. A second SIGTERM
    means nothing: a cluster sends it to every process, `torchrun` passes it on to those it has
    started, and so they get it twice.

    Signals go to the main thread of a program. In another one there is nothing to be noted.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

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
    """Prints what matters most of `result`, and the `folder` where everything is."""
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
        print(f"{name:>15}  {printable(value)}")
