"""Writes several files, or none: when one cannot be written, the others are as they were."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import Problem, PylitError
from ..filesystem import write_file


@dataclass(frozen=True)
class Change:
    """New content of a file."""

    path: Path
    data: bytes
    is_layout: bool = False
    """Whether only the layout of a catalog is new: its entries are the same as before."""
    moved_from: Path | None = None
    """The file that this one replaces, which is removed."""


def write_changes(changes: Iterable[Change]) -> list[Path]:
    """Write all changes, or none; return the paths.

    Raises:
        PylitError: if a file cannot be written.
    """
    changes = list(changes)
    moved = [change.moved_from for change in changes if change.moved_from]
    paths = [*(change.path for change in changes), *moved]
    before = {path: path.read_bytes() if path.is_file() else None for path in paths}
    folders = {folder for path in before for folder in path.parents if not os.path.lexists(folder)}
    done: list[Path] = []
    try:
        for change in changes:
            write_file(change.path, change.data)
            done.append(change.path)
        for path in moved:
            path.unlink()
            done.append(path)
    except BaseException as error:
        for path in done:
            _restore(path, before[path])
        for folder in sorted(folders, reverse=True):
            with suppress(OSError):  # it was not made
                folder.rmdir()
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            name = str(error.filename or "catalog")
            raise PylitError(
                Problem(name, 0, f"cannot be written: {reason}", "Nothing was changed.")
            ) from error
        raise
    for path in moved:
        with suppress(OSError):  # the folder is not empty
            path.parent.rmdir()
    return [change.path for change in changes]


def _restore(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink(missing_ok=True)
    else:
        write_file(path, data)
