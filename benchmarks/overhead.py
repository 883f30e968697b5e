"""What tracking, checkpoints and the progress bar cost: the time of a run that goes to anything but steps.

ResNet-20 is trained for an epoch of CIFAR-10's size, as `python -m labml_nn.resnet.experiment` does it, with a clock
at every step, measurement, checkpoint and note. The images are noise with a pattern, which takes as long as others.
What none of these parts explains is the rest: the progress bar, files, and the start and the end of tracking.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from labml_nn.data.small import make_synthetic
from labml_nn.resnet.experiment import EXPERIMENT, PRESETS
from labml_nn.runs import run as running
from labml_nn.runs.tracking import Tracker
from labml_nn.training import Loop, Trainer, loop
from labml_nn.training.machine import find_machine

from .measure import Row, alternate, arguments, ask, finish, machine, parse, summary

BATCH = 256
IMAGES = 50_000
"""An epoch of CIFAR-10."""
PARTS: dict[str, tuple[Any, str]] = {
    "steps": (Trainer, "take_step"),
    "measuring": (loop, "evaluate"),
    "checkpoints": (Loop, "save"),
    "tracking": (Tracker, "report"),
}
"""Where the clocks are."""
REST = "rest"


def main() -> None:
    """Measure, print and write."""
    parser = arguments("overhead", __doc__, rounds=3)
    parser.add_argument("--images", type=int, help=argparse.SUPPRESS)
    options = parse(parser)
    if options.images:
        with contextlib.redirect_stdout(sys.stderr):
            seconds = parts_of_a_run(options.images)
        print(json.dumps(seconds))
        return
    on = machine()
    images = BATCH if options.quick else IMAGES
    runs = alternate({"a run": lambda: in_process(images)}, options.rounds)["a run"]
    finish(
        "overhead", rows(runs), "part n seconds share".split(), options, on, peers=["torch", "labml", "tqdm"]
    )


def rows(runs: list[dict[str, float]]) -> list[Row]:
    """The results: what each part takes, and which share of the time of the steps that is."""
    return [
        {
            "part": part,
            "n": len(runs),
            "seconds": summary([one[part] for one in runs])["median"],
            "share": summary([one[part] / one["steps"] for one in runs])["median"],
        }
        for part in runs[0]
    ]


def in_process(images: int) -> dict[str, float]:
    """What `parts_of_a_run` returns, from a process in a folder of its own: labml writes to where it is."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        seconds: dict[str, float] = ask("overhead", Path(folder), "--images", str(images))
    return seconds


def parts_of_a_run(images: int) -> dict[str, float]:
    """Train on so many images, and return the seconds that each part has taken."""
    train, held_out = make_synthetic(images, images // 10)
    config = replace(
        PRESETS["quick"].config,
        data="synthetic",
        batch_size=BATCH,
        steps=images // BATCH,
        out=Path("run"),
    )
    model = config.build(train)
    task = running.Task(EXPERIMENT.module, "quick", model, train, held_out, config.recipe(), config)
    # PyTorch loads its compiler with the first optimizer, for which every program has to wait.
    task.recipe.optimizer(model)
    with ExitStack() as clocks:
        spent = {part: clocks.enter_context(clock(*place)) for part, place in PARTS.items()}
        start = time.perf_counter()
        status = running.run(task, find_machine("cpu")).status
        total = time.perf_counter() - start
    if status:
        raise RuntimeError(f"the run ended with the status {status}")
    seconds = {part: sum(each) for part, each in spent.items()}
    return {**seconds, REST: total - sum(seconds.values())}


@contextlib.contextmanager
def clock(owner: Any, name: str) -> Iterator[list[float]]:
    """Inside of this context, the seconds of each call of a function of `owner` are added to a list."""
    plain, seconds = getattr(owner, name), []

    def timed(*values: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return plain(*values, **options)
        finally:
            seconds.append(time.perf_counter() - start)

    with patch.object(owner, name, timed):
        yield seconds


if __name__ == "__main__":
    main()
