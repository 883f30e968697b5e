"""Notices that files were saved, created or removed.

The system reports changes immediately, through `watchfiles`, but not all of them: it ignores network drives, forgets a
folder that was removed and recreated, and drops events that come too fast. So changes are detected by listing the
files, and reports of the system only trigger that.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

STEP = 20
"""Milliseconds without a change after which a save is considered complete."""
LONGEST = 200
"""Maximum time in milliseconds to wait for that."""
SKIPPED = frozenset(["__pycache__", "node_modules", "site-packages"])
"""Folders without sources."""
ENVIRONMENT = frozenset(["pyvenv.cfg", "conda-meta"])
"""Files at the top of a virtual environment, which contains no sources either."""

Stamp = tuple[int, ...]
"""A value that changes whenever a file does."""


@dataclass(frozen=True)
class Watched:
    """Watched paths, whether they exist or not."""

    folders: frozenset[Path] = frozenset()
    """Folders watched with their contents, except hidden files and folders without sources; may be files."""
    files: frozenset[Path] = frozenset()
    """Single files; for a folder, only whether it exists."""
    skipped: frozenset[Path] = frozenset()
    """Folders that a build writes to, whose contents are ignored."""

    def __or__(self, other: Watched) -> Watched:
        return Watched(self.folders | other.folders, self.files | other.files, self.skipped | other.skipped)


@dataclass(frozen=True)
class Listing:
    """The existing watched files. Two listings are equal unless something has changed."""

    files: Mapping[str, Stamp]
    folders: Mapping[str, Stamp]
    """Folders in which something can change, each with its identity on disk."""


def look(watched: Watched) -> Listing:
    """List the existing watched files."""
    found = _Look(frozenset(map(os.path.abspath, watched.skipped)))
    for path in watched.folders:
        found.folder(os.path.abspath(path))
    for path in watched.files:
        found.file(os.path.abspath(path))
    return Listing(found.files, found.folders)


@dataclass
class _Look:
    skipped: Collection[str]
    files: dict[str, Stamp] = field(default_factory=dict)
    folders: dict[str, Stamp] = field(default_factory=dict)

    def folder(self, path: str) -> None:
        self.above(path)
        if (status := _status(path)) is None:
            return
        if os.path.isdir(path):
            self.walk(path, is_named=True)
        else:
            self.files[path] = _stamp(status)

    def walk(self, path: str, *, is_named: bool = False) -> None:
        """Add a folder and its contents. Symlinks to folders are not followed: they contain no pages."""
        if path in self.files or path in self.skipped:
            return
        status = _status(path)
        if status is None:
            return
        try:
            entries = list(os.scandir(path))
        except OSError:  # its permissions may change
            self.files[path] = (status.st_mode,)
            return
        if not is_named and ENVIRONMENT.intersection(entry.name for entry in entries):
            return
        self.files[path] = (status.st_mode,)
        self.folders[path] = (status.st_dev, status.st_ino)
        for entry in entries:
            if entry.name.startswith(".") or entry.name in SKIPPED or entry.name.endswith((".pyc", "~")):
                continue
            if entry.is_dir(follow_symlinks=False):
                self.walk(entry.path)
            elif (found := _status(entry.path)) is not None:
                self.files[entry.path] = _stamp(found)

    def file(self, path: str) -> None:
        self.above(path)
        if (status := _status(path)) is not None and path not in self.files:
            self.files[path] = (status.st_mode,) if os.path.isdir(path) else _stamp(status)

    def above(self, path: str) -> None:
        """Add the nearest existing parent folder of a path."""
        while path != (parent := os.path.dirname(path)):
            path = parent
            if path in self.folders:
                return
            if (status := _status(path)) is not None and os.path.isdir(path):
                if os.access(path, os.R_OK):
                    self.folders[path] = (status.st_dev, status.st_ino)
                return


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):  # it does not exist, or its name is not valid
        return None


def _stamp(status: os.stat_result) -> Stamp:
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_mode)


def _is_text(path: str) -> bool:
    """Return whether a path is UTF-8, as `watchfiles` expects."""
    return path.isprintable() or path.encode("utf-8", "replace") == path.encode("utf-8", "surrogatepass")


class Watcher:
    """A thread that receives the system's reports of changes in some folders."""

    def __init__(self) -> None:
        self.failure = ""
        """The reason why the system does not report changes."""
        self._folders: Mapping[str, Stamp] = {}
        self._told = threading.Condition()
        self._touched: set[str] = set()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def follow(self, folders: Mapping[str, Stamp], touched: Collection[str] = ()) -> bool:
        """Watch exactly these folders, not recursively; return whether they are new.

        Changes made at the same time may be missed.

        Args:
            folders: The folders, each with its identity on disk.
            touched: Paths that have changed; a folder among them may have been replaced.
        """
        if folders == self._folders and not folders.keys() & touched:
            return False
        self._stop.set()
        self._stop, self._folders, self.failure = threading.Event(), dict(folders), ""
        named = sorted(filter(_is_text, folders))
        thread = threading.Thread(target=self._listen, args=(named, self._stop), daemon=True)
        self._threads = [*(old for old in self._threads if old.is_alive()), thread]
        thread.start()
        return True

    def wait(self, seconds: float) -> frozenset[str]:
        """Wait for changes for at most `seconds`; return the changed paths."""
        with self._told:
            self._told.wait_for(lambda: self._touched, seconds)
            touched, self._touched = frozenset(self._touched), set()
            return touched

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():  # a signal may have come before it was started
                thread.join()

    def _listen(self, folders: Iterable[str], stop: threading.Event) -> None:
        from watchfiles import watch

        try:
            for changes in watch(
                *folders,
                watch_filter=None,
                debounce=LONGEST,
                step=STEP,
                stop_event=stop,
                rust_timeout=0,
                recursive=False,
                raise_interrupt=False,
                ignore_permission_denied=False,  # otherwise other errors are not reported either
            ):
                self._note(path for _, path in changes)
        except FileNotFoundError:  # a folder was just removed; the next listing finds the others
            self._folders = {}
            self._note([""])
        except (OSError, RuntimeError) as error:
            self.failure = str(error)
            self._note([""])

    def _note(self, paths: Iterable[str]) -> None:
        with self._told:
            self._touched.update(paths)
            self._told.notify_all()
