"""Reads files, all through one function: only regular files, of limited size, below a given folder.

A symlink may lead anywhere, a pipe blocks, and a device never ends, so none of them is opened. Files outside the
project are never read, so their content cannot appear in a message.
"""

from __future__ import annotations

import errno
import os
import stat
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

LARGEST = 64 << 20
"""Maximum size of a file in bytes."""
_FLAGS = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY", "O_CLOEXEC")
)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


def read_file(path: Path, base: Path | None = None) -> bytes:
    """Return the content of a regular file below the folder `base`, symlinks resolved; anywhere, if `base` is `None`.

    Raises:
        OSError: with the reason as its `strerror`, if it cannot be read, is outside `base`, too large, or not a
            regular
        file.
    """
    try:
        place = os.path.realpath(path)
        if base is not None and not is_below(place, os.path.realpath(base)):
            raise _refused(path, "it leads out of the project")
        _check(path, os.stat(place))
        with open_regular(place) as file:
            _check(path, os.fstat(file.fileno()))
            data = file.read(LARGEST + 1)
    except ValueError as error:  # a NUL or a lone surrogate in its name
        raise _refused(path, "its name is not valid") from error
    if len(data) > LARGEST:
        raise _refused(path, f"it is larger than {LARGEST >> 20} MiB")
    return data


def _check(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise _refused(path, "it is a pipe, a socket or a device, not a regular file")
    if status.st_size > LARGEST:
        raise _refused(path, f"it is larger than {LARGEST >> 20} MiB")


def _refused(path: Path, reason: str) -> OSError:
    return OSError(errno.EACCES, reason, str(path))


def open_regular(path: Path | str, *, follow: bool = False) -> BinaryIO:
    """Open a regular file for reading. Never blocks on a pipe; a symlink is followed only with `follow`.

    Raises:
        OSError: if it cannot be opened, or is not a regular file.
    """
    if not follow and not _NOFOLLOW and os.path.islink(path):  # Windows has no such flag
        raise OSError(errno.ELOOP, "Is a symlink", str(path))
    descriptor = os.open(path, _FLAGS | (0 if follow else _NOFOLLOW))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return open(descriptor, "rb")


def is_below(place: str, folder: str) -> bool:
    """Return whether an absolute path is `folder` or below it."""
    return place == folder or place.startswith(folder.rstrip(os.sep) + os.sep)


def resolves_below(path: Path, folder: Path) -> bool:
    """Return whether `path` is `folder` or below it, symlinks resolved."""
    return is_below(os.path.realpath(path), os.path.realpath(folder))


def leads_away(path: Path, base: Path) -> bool:
    """Return whether a path below `base` leads out of it through a symlink."""
    is_told, is_there = (is_below(place(path), place(base)) for place in (os.path.abspath, os.path.realpath))
    return is_told and not is_there


def resolve_path(path: Path) -> Path:
    """Resolve all symlinks. Unlike `Path.resolve`, never raises: a path with a symlink loop is returned as a path to
    nothing.
    """
    return Path(os.path.realpath(path))


class PathKind(StrEnum):
    """The kind of file at a path."""

    FILE = "file"
    FOLDER = "folder"
    NONE = "none"
    """Nothing, or a symlink that leads out of the project."""


def is_entry(path: Path) -> bool:
    """Return whether there is anything at `path`, even a broken symlink."""
    try:
        return os.path.lexists(path)
    except ValueError:  # the name is not valid
        return False
