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

import json
import os
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar


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
    return list(value) if isinstance(value, tuple) else value


Loaded = TypeVar("Loaded")


def load_config(folder: Path, kind: type[Loaded]) -> tuple[str, Loaded]:
    """
    The preset and the configuration of the run in `folder`, the latter as a `kind`, the class that
    it was saved from. Raises `RunFailed` if there is none.
    """
    path = folder / "config.json"
    try:
        saved = json.loads(path.read_text("utf-8"))
        preset, values = saved["preset"], saved["config"]
    except (OSError, ValueError, KeyError) as error:
        raise RunFailed(
            f"{path} cannot be read ({error}); --resume takes the folder of a "
            "run, such as runs/20260131-120000-quick"
        ) from error
    paths = {"data_dir", "out"}
    return preset, kind(
        **{
            name: Path(value)
            if name in paths and value is not None
            else tuple(value)
            if isinstance(value, list)
            else value
            for name, value in values.items()
        }
    )


def write_json(path: Path, values: Any) -> None:
    """
    ## Writing and cutting

    Writes `values` to the file at `path`, to be read by people too.
    """
    write_whole(path, json.dumps(values, indent=2) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Writes `text` to the file at `path`, which is always whole, the old one or the new one."""
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
        except ValueError:
            continue
    path.write_text("".join(line + "\n" for line in kept), "utf-8")


def new_folder(preset: str) -> Path:
    """A folder for a new run, named after the time and the `preset`."""
    return Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S}-{preset}"
