"""Runs that take a second, for the tests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from labml_nn.resnet import experiment
from labml_nn.runs.command import Experiment
from labml_nn.training.checkpoint import (
    Checkpoint,
    CheckpointFolder,
    load,
    random_state,
)
from labml_nn.training.machine import Machine

TINY = (
    "resnet20 --data synthetic --blocks 1 --channels 4 4 4 --batch-size 32 --valid-images 64 --precision float32"
    " --schedule cosine"
).split()


CPU = Machine(torch.device("cpu"))


def command(*arguments: str | Path, launcher: tuple[str, ...] = ()) -> list[str]:
    start = [sys.executable, "-m", *(launcher or ()), *(["-m"] if launcher else [])]
    return [*start, "labml_nn.resnet.experiment", *map(str, arguments)]


def environment() -> dict[str, str]:
    root = str(Path(experiment.__file__).parents[2])
    return {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


def execute(*arguments: str | Path, launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments, launcher=launcher), capture_output=True, text=True, env=environment(), timeout=300
    )


def two_processes(*arguments: str | Path, warn: bool = False) -> list[tuple[int, str, str]]:
    """How the two processes of one run ended, started as `torchrun` does: the status, the output and the errors."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    processes = [
        subprocess.Popen(
            command(*arguments),
            env=environment()
            | ({"PYTHONWARNINGS": "default"} if warn else {})
            | {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        said = [process.communicate(timeout=300) for process in processes]
        return [(process.returncode, *each) for process, each in zip(processes, said, strict=True)]
    finally:
        for process in processes:
            process.kill()


def assert_goes_on_to_the_bit(command: Experiment[Any], folder: Path) -> None:
    """The run in `folder`, which is complete, gets to the same weights from its last checkpoint but one."""
    path = CheckpointFolder(folder / "checkpoints", 1).paths()[-1]
    expected = dict(load(path).model)
    path.unlink()
    (folder / "result.json").unlink()
    assert command.main(["--resume", str(folder), "--quiet"]) == 0
    again = dict(load(path).model)
    assert all(torch.equal(expected[name], again[name]) for name in expected)


def last(folder: Path) -> Checkpoint:
    return CheckpointFolder(folder / "checkpoints", 1).load_last()


def metrics(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def checkpoint(step: int = 1) -> Checkpoint:
    return Checkpoint(step, 32 * step, {"w": torch.ones(2)}, {}, {}, {}, {}, [random_state()])
