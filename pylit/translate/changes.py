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


def write_changes(changes: Iterable[Change]) -> list[Path]:
    """Write all changes, or none; return the paths.

    Raises:
        PylitError: if a file cannot be written.
    """
    changes = list(changes)
    before = {change.path: change.path.read_bytes() if change.path.is_file() else None for change in changes}
    folders = {folder for path in before for folder in path.parents if not os.path.lexists(folder)}
    done: list[Path] = []
    try:
        for change in changes:
            write_file(change.path, change.data)
            done.append(change.path)
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
    return done


def _restore(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink()
    else:
        write_file(path, data)
