"""The temporary folder in which a site is built, next to its output folder. Only one build at a time can use it.

The holder of its lock owns everything in it. The system releases the lock when a build is killed, and the next build
removes its leftovers.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import Problem
from ..signals import undisturbed

SUFFIX = ".pylit-new"
"""Suffix of the folder's name: `.site.pylit-new` is next to `site`."""
LOCK = "lock"
PATIENCE = 1.0
"""Seconds of waiting after which the user is notified."""
_POLL = 0.05


class Unwritable(OSError):
    """An `OSError` whose file name is that of the folder that cannot be written."""


if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _take(file: int) -> bool:
        """Lock a file, unless another process holds the lock."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """Wait until no other build is writing the site `out`, and provide an empty folder next to it.

    Files can be moved from there to `out` atomically. The folder is in `out` if that is a mount point or its parent is
    not writable.

    Raises:
        OSError: naming the folder that cannot be written.
    """
    out = Path(os.path.realpath(out))
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(out))
    if out.exists() and not os.access(out, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(out))
    lock = _Lock(out)
    try:
        lock.acquire()
        with naming(lock.place):
            _clear(lock.place)
            (lock.place / ".gitignore").write_bytes(b"*\n")
        yield lock.place
    finally:
        lock.release()


@contextmanager
def naming(folder: Path) -> Iterator[None]:
    """Make an `OSError` name the folder that cannot be written, instead of a temporary file."""
    try:
        yield
    except Unwritable:
        raise
    except OSError as error:
        raise Unwritable(error.errno, error.strerror or str(error), str(folder)) from error


def unwritable(error: OSError, out: Path, cache: Path | None = None) -> Problem:
    """Make a problem of an `OSError` raised while writing to the folder `out`."""
    folder = Path(error.filename or out)
    hint = "Choose another folder, or free space there and make it writable."
    if places := [path for path in [folder, *folder.parents] if path.name.endswith(SUFFIX)]:
        folder = places[-1]
        hint = f"The new site is built there before it replaces the old one. {hint}"
    elif folder == cache:
        hint = f"This is the cache folder. {hint} The site can also be built without a cache."
    return Problem(str(folder), 0, f"cannot be written: {error.strerror or error}", hint)


class _Lock:
    """The lock of the site `out`, and the folder that contains it."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.place = Path()
        self.file: int | None = None

    def acquire(self) -> None:
        """Create the folder and wait for its lock."""
        announced, start = False, time.monotonic()
        while True:
            with undisturbed():
                self._try()
            if self.file is not None:
                return
            if not announced and time.monotonic() > start + PATIENCE:
                announced = True
                print(f"Another build is writing {self.out}; waiting for it to end.", file=sys.stderr)
            time.sleep(_POLL)

    def release(self) -> None:
        """Remove the folder and release the lock. The next build removes what cannot be removed now."""
        with undisturbed():
            if self.file is None:
                return
            with suppress(OSError):
                _clear(self.place)
            if sys.platform == "win32":  # which cannot remove open files
                os.close(self.file)
            with suppress(OSError):
                (self.place / LOCK).unlink()
                self.place.rmdir()  # fails if another build has created its lock there
            if sys.platform != "win32":
                os.close(self.file)
            self.file = None

    def _try(self) -> None:
        """Try to take the lock in the first usable location."""
        with suppress(OSError):  # if this fails, the folder itself may still be usable
            self.place = self.out.parent / f".{self.out.name}{SUFFIX}"
            self.file = _open(self.place)
            if self.file is None or _can_move(self.place, self.out):
                return
            self.release()
        self.place = self.out / SUFFIX
        with naming(self.out if self.out.exists() else self.out.parent):
            self.file = _open(self.place)


def _open(place: Path) -> int | None:
    """Open the lock in the folder `place`; return `None` if another process holds it."""
    if place.is_symlink():  # not created by pylit
        place.unlink()
    place.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        place.mkdir(0o700)
    try:
        file = os.open(place / LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except FileNotFoundError:  # the previous build has just removed the folder
        return None
    try:
        if hasattr(os, "geteuid") and os.stat(place).st_uid != os.geteuid():  # they could replace its files
            raise PermissionError(errno.EACCES, "it belongs to another user", str(place))
        # The previous build may have removed the lock after it was opened.
        if _take(file) and os.path.samestat(os.fstat(file), os.stat(place / LOCK)):
            return file
    except FileNotFoundError:
        pass
    except BaseException:
        os.close(file)
        raise
    os.close(file)
    return None


def _clear(place: Path) -> None:
    for path in place.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def _can_move(place: Path, out: Path) -> bool:
    """Return whether files can be moved from `place` to `out`: not across mount points, even on the same disk."""
    try:
        os.rename(place / "nothing", out / "nothing")
    except OSError as error:  # ENOENT is raised only after the folders were compared
        return error.errno != errno.EXDEV and (not out.exists() or place.stat().st_dev == out.stat().st_dev)
    return True
