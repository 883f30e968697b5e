r"""
---
title: The files of a run
summary:
  Reading and writing the configuration, the metrics and the result of a training run, so that a
  crash cannot leave half a file.
---

# The files of a run

What a [run](run.py) writes is plain JSON, to be read by people, by `--resume`, and by whoever
compares runs.
"""

import itertools
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout


class RunFailed(Exception):
    """
    ## When a run cannot go on

    The message says why, and what to do.
    """


def to_plain(config: Any) -> dict[str, Any]:
    """
    ## The configuration

    The fields of `config` as values that JSON knows.
    """
    return {
        field.name: _plain(getattr(config, field.name))
        for field in fields(config)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return list(map(_plain, value)) if isinstance(value, tuple) else value


Loaded = TypeVar("Loaded")


def load_config(
    folder: Path, kinds: Mapping[str, type[Loaded]]
) -> tuple[str, str, Loaded]:
    """
    The module, the preset and the configuration of the run in `folder`. `kinds` are the classes of
    configurations, each with the name of the module that it belongs to. Raises `RunFailed` if there
    is none, or if it belongs to another module.
    """
    path = folder / "config.json"
    paths = {"data_dir", "out"}
    try:
        saved = json.loads(path.read_text("utf-8"))
        module = saved["module"]
        if module not in kinds:
            known = " or ".join(kinds)
            raise RunFailed(f"{folder} is a run of {module}, not of {known}.")
        return (
            module,
            saved["preset"],
            kinds[module](
                **{
                    name: Path(value)
                    if name in paths and value is not None
                    else _as_tuple(value)
                    for name, value in saved["config"].items()
                }
            ),
        )
    # A field that we do not know is a `TypeError`, and so is a list where a dictionary should be.
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunFailed(
            f"{path} cannot be read ({error}); --resume takes the folder of a "
            "run, such as runs/20260131-120000-quick"
        ) from error


def _as_tuple(value: Any) -> Any:
    """Lists become tuples again, and so do lists in lists."""
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """
    ## One run at a time

    Two runs in one folder would overwrite each other's checkpoints. Inside of this context nobody
    else can enter it for `folder`; a note in `running.json` tells them why. Raises `RunFailed` if
    somebody else is inside.

    The lock belongs to the process, not to the note: the system frees it when the process ends,
    even if it is killed. So `--resume` works right after a crash, and there is nothing to clean up.
    """
    note = folder / "running.json"
    lock = FileLock(folder / ".lock")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise RunFailed(
                f"{folder} is in use by {_read_note(note)}. "
                "Wait for it, stop it, or choose another --out."
            ) from error
    try:
        started = f"{datetime.now():%Y-%m-%d %H:%M:%S}"
        host = socket.gethostname()
        write_json(note, {"pid": os.getpid(), "host": host, "started": started})
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _read_note(path: Path) -> str:
    try:
        note = json.loads(path.read_text("utf-8"))
        pid, host, started = note["pid"], note["host"], note["started"]
    except (OSError, ValueError, KeyError, TypeError):
        # It is just being written.
        return "another process"
    return f"process {pid} on {host}, since {started}"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """
    ## Writing and cutting

    Inside of this context an `OSError` becomes a `RunFailed` that names `path`. The system itself
    says no more than "No space left on device".
    """
    try:
        yield
    except OSError as error:
        raise RunFailed(
            f"{path} cannot be written: {error.strerror or error}. Make room "
            "on its disk, or see to the permissions. What was saved before is "
            "whole; a run goes on from it with --resume."
        ) from error


def write_json(path: Path, values: Any) -> None:
    """

    Writes `values` to the file at `path`, to be read by people too.
    """
    write_whole(path, json.dumps(values, indent=2) + "\n")


def write_whole(path: Path, text: str) -> None:
    """
    Writes `text` to the file at `path`, which is always whole, the old one or the new one. Raises
    `RunFailed` if it cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            temporary.write_text(text, "utf-8")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def forget_after(path: Path, step: int) -> None:
    """
    Removes from the file at `path` what was noted after `step`, where the run goes on from, and
    half a line that a killed process left.
    """
    if not path.exists():
        return
    kept = []
    for line in path.read_text("utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (ValueError, KeyError, TypeError):
            continue
    write_whole(path, "".join(line + "\n" for line in kept))


def new_folder(preset: str) -> Path:
    """
    Makes a folder for a new run, named after the time and the `preset`. Returns its path. Runs that
    start in the same second get a number too.
    """
    name = f"{datetime.now():%Y%m%d-%H%M%S}-{preset}"
    for number in itertools.count(1):
        folder = Path("runs") / (name if number == 1 else f"{name}-{number}")
        try:
            with writing(folder):
                folder.mkdir(parents=True)
            break
        except RunFailed as error:
            if not isinstance(error.__cause__, FileExistsError):
                raise
    return folder
