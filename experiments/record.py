"""Records again what is missing, or what was recorded before the draws changed: one run after the other, in a queue.

    python -m experiments.record --runs ../runs --data ../data

It may be stopped or killed at any time; the same command goes on where it was, from the last checkpoint. Every run has
a folder of its own below `--runs`. A file in `experiments/` is written when all of its runs are complete, so it never
holds some old runs and some new ones. Until then, what a complete run measured waits in `experiments/unfinished/`, so
that another machine can go on with the others. `--list` shows what is left, `--stop` stops a queue that is at work.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from benchmarks.speedrun import renew_accuracies
from labml_nn.convnext import experiment as convnext
from labml_nn.data import DRAWS
from labml_nn.resnet import experiment, signals, speedrun
from labml_nn.runs.command import Experiment
from labml_nn.runs.files import RunFailed, alone, write_whole
from labml_nn.runs.record import KEPT, Record
from labml_nn.transformers import experiment as transformers

ROOT = Path(__file__).parents[1]
SEEDS = (0, 1, 2)
BETWEEN_CHECKPOINTS = 60.0
"""Seconds."""
STOPPED = 130
"""The status of a run that was asked to stop."""


@dataclass(frozen=True)
class Sheet:
    """A file of recorded runs: a preset with each seed."""

    experiment: Experiment[Any]
    preset: str
    kinds: tuple[str, ...]
    """`held_out`, `final` or both."""

    @property
    def record(self) -> Record:
        """The file, with what its runs have in common today."""
        found = self.experiment.record(self.preset, self.experiment.presets[self.preset].config)
        return replace(found, path=ROOT / found.path)

    def is_due(self) -> bool:
        """Whether the file is missing, incomplete, or of another recipe or other draws than today's."""
        found = self.record.runs()
        return any(not set(SEEDS) <= {run["seed"] for run in found[kind]} for kind in self.kinds)

    def arguments(self) -> Iterator[tuple[str, list[str]]]:
        """The name of each run, and what to tell the experiment."""
        for kind in self.kinds:
            for seed in SEEDS:
                # Those of residual networks have had their names since there were no others.
                module = self.experiment.module.removeprefix("labml_nn.").removeprefix("resnet.")
                name = f"{module.replace('.', '-')}-{self.preset}-{kind}-{seed}"
                final = ["--final"] if kind == "final" else []
                yield name, [self.preset, "--seed", str(seed), *final]


def steps_of_the_speed_run() -> list[Sheet]:
    """All rows of its table. Only the last one is measured on the test set."""
    return [
        Sheet(speedrun.EXPERIMENT, name, ("final",) if name == "speedrun" else ("held_out",))
        for name in speedrun.PRESETS
    ]


QUEUE = (
    Sheet(experiment.EXPERIMENT, "digits", ("held_out", "final")),
    Sheet(transformers.EXPERIMENT, "digits", ("held_out", "final")),
    *(Sheet(convnext.EXPERIMENT, name, ("held_out", "final")) for name in ("digits", "digits_scale")),
    *steps_of_the_speed_run(),
    Sheet(experiment.EXPERIMENT, "quick", ("held_out", "final")),
)


def result_of(folder: Path) -> dict[str, Any] | None:
    """The result in the folder of a run that is complete, if it was drawn as runs are drawn today."""
    path = folder / "result.json"
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found if found.get("draws") == DRAWS else None


def waiting(name: str) -> Path:
    """The file in which the result of a run waits until the other runs of its sheet are complete."""
    return ROOT / "experiments/unfinished" / f"{name}.json"


def keep(sheet: Sheet, folder: Path) -> None:
    """Keep what the complete run in a folder has measured."""
    metrics = (folder / "metrics.jsonl").read_text("utf-8").splitlines()
    result = result_of(folder)
    assert result is not None
    # Nothing of the machine's folders, which are in the configuration of the run.
    needed = {name: result[name] for name in (*KEPT, "final", "draws")}
    found = {"about": sheet.record.about, "result": needed, "metrics": metrics}
    path = waiting(folder.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(found, indent=1) + "\n")


def fetch(sheet: Sheet, folder: Path) -> None:
    """Bring what was kept of a run back into its folder, if it was of today's recipe."""
    path = waiting(folder.name)
    if result_of(folder) is not None or not path.is_file():
        return
    found = json.loads(path.read_text("utf-8"))
    if found["about"] == json.loads(json.dumps(sheet.record.about)):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "metrics.jsonl", "".join(f"{line}\n" for line in found["metrics"]))
        write_whole(folder / "result.json", json.dumps(found["result"]))


def take(sheet: Sheet, arguments: Sequence[str], folder: Path, more: Sequence[str]) -> int:
    """Start a run, or go on with it; return its status."""
    if list(folder.glob("checkpoints/step-*.pt")):
        return sheet.experiment.main(["--resume", str(folder), *more])
    if folder.exists():
        shutil.rmtree(folder)  # it was killed before its first checkpoint
    return sheet.experiment.main([*arguments, "--out", str(folder), *more])


def write(sheet: Sheet, folders: Sequence[Path]) -> None:
    """Record the complete runs in `folders`. The first one takes the place of those recorded before."""
    for folder in folders:
        result = result_of(folder)
        assert result is not None
        say(sheet.record.add(result, folder / "metrics.jsonl"))
        waiting(folder.name).unlink(missing_ok=True)
    if sheet.experiment is speedrun.EXPERIMENT:
        renew_accuracies()


def work(queue: Sequence[Sheet], runs: Path, more: Sequence[str]) -> int:
    """Work through the queue; return 0 when nothing is left, 1 if a run has failed, 130 if it was stopped."""
    status = 0
    if signals_are_due():
        say("signals")
        signals.main(["--record"])
    for sheet in queue:
        if not sheet.is_due():
            continue
        each = [(runs / name, arguments) for name, arguments in sheet.arguments()]
        for folder, arguments in each:
            fetch(sheet, folder)
            if result_of(folder) is not None:
                continue
            say(folder.name)
            found = take(sheet, arguments, folder, more)
            if found == STOPPED:
                return STOPPED
            if found:
                say(f"{folder.name} has failed; the others go on")
                status = 1
            else:
                keep(sheet, folder)
        if all(result_of(folder) is not None for folder, _ in each):
            write(sheet, [folder for folder, _ in each])
    return status


def signals_are_due() -> bool:
    """Whether the signals of the page on pre-activation were recorded with other draws, or never."""
    path = signals.RECORD
    return not path.is_file() or json.loads(path.read_text("utf-8"))["about"].get("draws") != DRAWS


def show(queue: Sequence[Sheet], runs: Path, tell: Callable[[str], object] = print) -> None:
    """Print what is left, and how far each run is."""
    tell(f"signals: {'to be recorded' if signals_are_due() else 'recorded'}")
    for sheet in queue:
        tell(f"{sheet.preset}: {'to be recorded' if sheet.is_due() else 'recorded'}")
        for name, _ in sheet.arguments() if sheet.is_due() else ():
            fetch(sheet, runs / name)
            saved = sorted((runs / name).glob("checkpoints/step-*.pt"))
            begun = f"saved after {saved[-1].stem}" if saved else "not begun"
            tell(f"  {name}: {'complete' if result_of(runs / name) else begun}")


def stop(runs: Path) -> int:
    """Ask the queue that is at work in `runs` to stop, and wait until its run has saved a checkpoint."""
    lock = FileLock(runs / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        number = int(json.loads((runs / "running.json").read_text("utf-8"))["pid"])
        os.kill(number, signal.SIGTERM)
        say(f"asked process {number} to stop")
        lock.acquire()
        say("stopped; the same command without --stop goes on")
    else:
        say(f"no queue is at work in {runs}")
    lock.release()
    return 0


def say(text: str) -> None:
    """Print a line with the time, at once."""
    print(f"[{time.strftime('%Y-%m-%d %H:%M:%S')}] {text}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.record",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=Path, required=True, help="folder for the runs, outside of the tree")
    parser.add_argument(
        "--data", type=Path, default=Path("data"), help="folder of CIFAR-10 (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="threads to compute with (default: %(default)s)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--list", action="store_true", help="show what is left, and do nothing")
    how.add_argument("--stop", action="store_true", help="stop the queue that is at work in the folder")
    options = parser.parse_args(arguments)
    runs = options.runs.resolve()
    if options.list:
        show(QUEUE, runs)
        return 0
    runs.mkdir(parents=True, exist_ok=True)
    if options.stop:
        return stop(runs)
    more = ["--data-dir", str(options.data.resolve()), "--checkpoint-seconds", str(BETWEEN_CHECKPOINTS)]
    torch.set_num_threads(options.threads)
    # Where an experiment looks for its records, and writes its notes.
    os.chdir(ROOT)
    try:
        with alone(runs):
            return work(QUEUE, runs, more)
    except RunFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
