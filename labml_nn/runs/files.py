r"""
---
title: The files of a run
summary:
  Reading and writing the configuration, the metrics and the result of a training run, so that a
  crash cannot leave half a file.
---

# The files of a run

What a [run](run.py) writes is plain JSON, to be read by people, by `--resume`, and by whoever
compares runs. What it reads may have come from somebody else.
"""

import itertools
import json
import math
import os
import re
import socket
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin
from typing import get_type_hints as type_hints

from filelock import FileLock, Timeout

from labml_nn.printing import printable, printable_lines


class RunFailed(Exception):
    """A run cannot go on. The message says why, and what to do."""


def print_error(error: object) -> None:
    """Prints the message of an `error`, which may have several lines, to the terminal.

    What it quotes from files should be printable already; here, at the last moment, we make sure of
    it.
    """
    text = printable_lines(str(error) or repr(error))
    print(f"error: {text}", file=sys.stderr)


def to_plain(config: Any) -> dict[str, Any]:
    """The fields of `config` as values that JSON knows."""
    return {
        field.name: _plain(getattr(config, field.name))
        for field in fields(config)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return list(map(_plain, value)) if isinstance(value, tuple) else value


def path_fields(kind: type) -> set[str]:
    """The names of those fields of the configuration class `kind` that are paths, by their types.

    >>> from labml_nn.runs.config import Config
    >>> sorted(path_fields(Config))
    ['data_dir', 'init', 'out']
    """
    return {name for name, hint in type_hints(kind).items() if _has_path(hint)}


def _has_path(hint: Any) -> bool:
    return hint is Path or any(map(_has_path, get_args(hint)))


Loaded = TypeVar("Loaded")


def load_module(folder: Path) -> str:
    """The name of the module that the run in `folder` belongs to.

    Raises `RunFailed` if there is no run.
    """
    with reading_config(folder) as saved:
        return str(_checked(saved["module"], str, "module"))


def load_config(
    folder: Path, kinds: Mapping[str, type[Loaded]]
) -> tuple[str, str, Loaded]:
    """The module, the preset and the configuration of the run in `folder`.

    `kinds` are the classes of configurations, each with the name of the module that it belongs to.
    Raises `RunFailed` if there is none, if it belongs to another module, or if a value is not of
    the kind that its field asks for.
    """
    with reading_config(folder) as saved:
        module, preset = saved["module"], _checked(saved["preset"], str)
        if module not in kinds:
            known = " or ".join(kinds)
            raise RunFailed(
                f"{printable(folder)} is a run of {printable(module)}, "
                f"not of {known}."
            )
        hints = type_hints(kinds[module])
        values = {
            name: _checked(value, hints.get(name, NoneType), name)
            for name, value in saved["config"].items()
        }
        try:
            config = kinds[module](**values)
        except RunFailed as error:
            raise ValueError(str(error)) from error
    return module, preset, config


@contextmanager
def reading_config(folder: Path) -> Iterator[dict[str, Any]]:
    """Gives what the `config.json` in `folder` holds.

    Whatever turns out to be wrong with it inside of this context is a `RunFailed`.
    """
    path = folder / "config.json"
    try:
        # JSON itself knows neither infinity nor NaN. Python writes and reads them all the same.
        yield json.loads(
            read_small(path),
            parse_constant=lambda name: _not_valid(name, "a finite number"),
        )
    # A field that we do not know is a `TypeError`, and so is a list where a dictionary should be.
    # Brackets in brackets in brackets are a `RecursionError`.
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise RunFailed(
            f"{printable(path)} cannot be read ({printable(error)}); expected "
            "the folder of a run, such as runs/20260131-120000-quick"
        ) from error


def read_small(path: Path) -> str:
    """The text of the file at `path`. Raises `ValueError` for a pipe, and for what is large."""
    if path.exists() and not path.is_file():
        raise ValueError("it is not a regular file")
    with path.open("rb") as file:
        data = file.read(2**20 + 1)
    if len(data) > 2**20:
        raise ValueError("it has more than a million bytes")
    return data.decode("utf-8")


def _not_valid(value: object, expected: str, name: str = "") -> Any:
    where = f"{name} is " if name else ""
    raise ValueError(f"{where}{value!r:.100}, expected {expected}")


def _checked(value: Any, kind: Any, name: str = "preset") -> Any:
    """The `value` of the field `name` as `kind` says, which is the type of the field.

    Lists become tuples again, and texts become paths. In Python, `True` is a whole number, but here
    it is not.
    """
    parts = get_args(kind)
    match get_origin(kind) or kind:
        case origin if origin in (Union, UnionType):
            if value is None and NoneType in parts:
                return None
            (kind,) = (part for part in parts if part is not NoneType)
            return _checked(value, kind, name)
        case origin if origin is Literal and value in parts:
            return value
        case origin if origin is tuple and isinstance(value, list):
            if parts[1:] == (Ellipsis,):
                parts = parts[:1] * len(value)
            if len(parts) == len(value):
                pairs = zip(value, parts, strict=True)
                return tuple(_checked(item, part, name) for item, part in pairs)
        case origin if origin is bool and isinstance(value, bool):
            return value
        case origin if origin in (int, float) and type(value) in (int, origin):
            # A whole number may be too large to be compared with infinity.
            if type(value) is int or math.isfinite(value):
                return value
        case origin if origin in (str, Path) and isinstance(value, str):
            if value.isprintable() and len(value) <= 4096:
                return origin(value)
    expected = str(kind).removeprefix("typing.") if parts else kind.__name__
    return _not_valid(value, expected, name)


def check_folder(folder: Path) -> None:
    """Raises `RunFailed` if a file of the run in `folder` is something else.

    The folder may come from somebody else. Who reads from a pipe waits for ever, and who writes
    through a link writes to wherever it leads.
    """
    names = "config.json metrics.jsonl result.json running.json failed.json "
    names += "test_uses.jsonl"
    kinds = {
        **dict.fromkeys(names.split(), (stat.S_ISREG, "a regular file")),
        "checkpoints": (stat.S_ISDIR, "a folder"),
    }
    for name, (is_right, expected) in kinds.items():
        path = folder / name
        try:
            mode = path.lstat().st_mode
        except OSError:
            # It is missing, or whoever opens it will say why it cannot be read.
            continue
        if not is_right(mode):
            found = "a link" if stat.S_ISLNK(mode) else "something else"
            raise RunFailed(
                f"{path} is {found}, expected {expected}. Remove it, or choose "
                "another folder."
            )


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Inside of this context nobody else can enter it for `folder`.

    Two runs in one folder would overwrite each other's checkpoints. A note in `running.json` tells
    the second one why. Raises `RunFailed` if somebody else is inside.

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
        note = json.loads(read_small(path))
        pid, host, started = (
            printable(note[name], 64) for name in ("pid", "host", "started")
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        # It is just being written.
        return "another process"
    return f"process {pid} on {host}, since {started}"


# What a file is called while it is written, by `write_whole` here and by `save` for checkpoints
LEFTOVER = re.compile(
    r"\.(step-\d{8,}\.pt|best\.pt|\w+\.jsonl?)\.\d+", re.ASCII
)


def remove_leftovers(folder: Path) -> None:
    """Removes from the `folder` of a run and its checkpoints what killed runs have left.

    A file is written under a name of its own and then renamed. Whoever is killed in between leaves
    the first one, and that of a checkpoint is large. Call it inside of `alone`: nobody else writes
    there then, so no file of such a name is still in use.
    """
    for place in (folder, folder / "checkpoints"):
        if not place.is_dir():
            continue
        with writing(place):
            for path in list(place.iterdir()):
                if LEFTOVER.fullmatch(path.name) and path.is_file():
                    path.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Inside of this context an `OSError` becomes a `RunFailed` that names `path`.

    The system itself says no more than "No space left on device".
    """
    try:
        yield
    except OSError as error:
        raise RunFailed(
            f"{path} cannot be written: {error.strerror or error}. Make room "
            "on its disk, or see to the permissions. What was saved before is "
            "whole; a run goes on from it with --resume."
        ) from error


@contextmanager
def note_failure(folder: Path) -> Iterator[None]:
    """Inside of this context, an error leaves a note in `failed.json` in the `folder` of the run.

    It says why the run ended. The note of an earlier attempt is removed. If the disk is full, there
    is no note; the error itself matters more.
    """
    note = folder / "failed.json"
    with writing(note):
        note.unlink(missing_ok=True)
    try:
        yield
    except Exception as error:
        when = f"{datetime.now():%Y-%m-%d %H:%M:%S}"
        text = str(error) or repr(error)
        with suppress(RunFailed):
            write_json(note, {"error": text[:2000], "when": when})
        raise


def write_json(path: Path, values: Any) -> None:
    """Writes `values` to the file at `path`, to be read by people too."""
    write_whole(path, to_json(values, indent=2) + "\n")


def to_json(values: Any, indent: int | None = None) -> str:
    """The text of `values` in JSON, in one line or with this `indent`.

    JSON has no word for infinity and NaN. They become `null`.

    >>> to_json({'loss.valid': float('nan'), 'sides': [1.5, float('inf')]})
    '{"loss.valid": null, "sides": [1.5, null]}'
    """

    def finite(value: Any) -> Any:
        match value:
            case dict():
                return {key: finite(item) for key, item in value.items()}
            case list() | tuple():
                return [finite(item) for item in value]
            case float() if not math.isfinite(value):
                return None
        return value

    return json.dumps(finite(values), indent=indent, allow_nan=False)


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes `content` to the file at `path`, which is always whole, the old one or the new one.

    Raises `RunFailed` if it cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            # Under this name too there may be a link to somewhere else.
            temporary.unlink(missing_ok=True)
            if isinstance(content, bytes):
                temporary.write_bytes(content)
            else:
                temporary.write_text(content, "utf-8")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def append_line(path: Path, line: str) -> None:
    """Adds a `line` to the file at `path`. Raises `RunFailed` if that cannot be done."""
    with writing(path), path.open("a") as file:
        file.write(line + "\n")


def forget_after(path: Path, step: int) -> None:
    """Removes from the file at `path` what was noted after `step`, where the run goes on from.

    Half a line that a killed process left goes too.
    """
    if not path.exists():
        return
    kept = []
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    write_whole(path, "".join(line + "\n" for line in kept))


def new_folder(preset: str) -> Path:
    """Makes a folder for a new run, named after the time and the `preset`. Returns its path.

    Runs that start in the same second get a number too.
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
