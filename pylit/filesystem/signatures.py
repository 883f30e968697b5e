"""Signatures of files: if a file's signature is the same, so is its content, and it need not be read again.

As in git's index, a signature consists of size, times and identity of a file. It tells nothing if the file was changed
so recently that another change could leave its times the same: file systems count time in steps.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

Signature = tuple[int, int, int, int, int]
"""Size, time of the last change of the content and of the file in nanoseconds, inode and device."""
COARSE, FINE = 2_500_000_000, 100_000_000
"""Nanoseconds within which two changes may have the same time: on any file system (FAT counts in steps of 2 s), and on
one that counts in less than microseconds (the clock of the system still ticks in milliseconds)."""


def signature(path: Path | str, *, follow: bool = True) -> Signature | None:
    """Return the signature of a regular file; `None` if there is none, or it was changed just now or in the future.

    It has to be taken before the file is read.
    """
    try:
        status = os.stat(path, follow_symlinks=follow)
    except (OSError, ValueError):
        return None
    return _settled(status, time.time_ns()) if stat.S_ISREG(status.st_mode) else None


def moved_signature(path: Path, before: os.stat_result) -> Signature | None:
    """Return the signature of a file that was just moved here, given its status before; `None` if it is another one.

    The move itself is a change of the file, but not of its content, which would have a new time.
    """
    try:
        status = os.lstat(path)
    except OSError:
        return None
    known = (before.st_size, before.st_mtime_ns, before.st_ino, before.st_dev)
    if known != (status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev):
        return None
    return _settled(before, time.time_ns()) and _of(status)


def _settled(status: os.stat_result, now: int) -> Signature | None:
    is_fine = status.st_mtime_ns % 1000 or status.st_ctime_ns % 1000
    last = max(status.st_mtime_ns, status.st_ctime_ns)
    if last > now - (FINE if is_fine else COARSE):
        return None
    return _of(status)


def _of(status: os.stat_result) -> Signature:
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
