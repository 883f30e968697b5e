"""Keeps what is expensive to make in a folder, under keys that say all that it was made of. Knows nothing of pages.

The folder may be deleted at any time, and shared between branches, machines and builds that run at once. An entry is
written whole or not at all; one that is cut off, damaged or under the wrong key counts as not there. Nothing in it is
ever unpickled or run. When it grows too large, the entries that were not used for longest go.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from .errors import Problem, PylitError

LIMIT = 1 << 30
"""Bytes that all entries together may take."""
FRESH = 3600.0
"""Seconds in which an entry that was used is never removed, and between two times that old ones are looked for."""
_MAGIC = b"pylit cache 1\n"
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Made by pylit; may be deleted. See https://bford.info/cachedir/\n"


def digest(*parts: str | bytes) -> str:
    """What stands for `parts`, in this order and number: two keys are alike only if all their parts are."""
    found = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        found.update(b"%d:" % len(data))
        found.update(data)
    return found.hexdigest()[:40]


def canonical(value: Any) -> str:
    """`value` as JSON, the same for all values that are equal."""
    return _ENCODER.encode(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def open_store(folder: Path | None, *, is_asked: bool) -> Store:
    """A store in `folder`; if that cannot be written and nobody has asked for it, one that keeps nothing.

    Raises:
        PylitError: if it cannot be written.
    """
    try:
        return Store(folder)
    except OSError as error:
        if not is_asked:
            return Store(None)
        hint = "Choose another folder for the cache, or none."
        raise PylitError(Problem(str(folder), 0, f"cannot be written: {error.strerror}", hint)) from error


class Store:
    """The entries in a folder; without one, nothing is kept."""

    def __init__(self, folder: Path | None, limit: int = LIMIT) -> None:
        self.folder = folder
        self.limit = limit
        self.has_grown = False
        """Whether anything was put into it."""
        if folder is not None and not (folder / "CACHEDIR.TAG").is_file():
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / ".gitignore", b"*\n")
            _write(folder / "CACHEDIR.TAG", _TAG.encode())
        elif folder is not None and not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:1] / key[1:]

    def get(self, key: str) -> bytes | None:
        """What was put under `key`; nothing when it is not there, or not as it was put."""
        if self.folder is None:
            return None
        path = self._path(key)
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_mtime < time.time() - FRESH:
                    os.utime(path)  # it was used
                data = file.read()
        except OSError:  # most often, it is not there; if it cannot be read, the page is made anew
            return None
        head = len(_MAGIC) + 20
        if not data.startswith(_MAGIC) or data[len(_MAGIC) : head] != _seal(key, data[head:]):
            return None
        try:
            return zlib.decompress(data[head:])
        except zlib.error:  # sealed, but by somebody else
            return None

    def put(self, key: str, data: bytes) -> None:
        """Keep `data` under `key`."""
        if self.folder is not None:
            packed = zlib.compress(data, 1)
            path, entry = self._path(key), _MAGIC + _seal(key, packed) + packed
            try:
                _write(path, entry)
            except FileNotFoundError:
                path.parent.mkdir(exist_ok=True)
                _write(path, entry)
            self.has_grown = True

    def has(self, key: str) -> bool:
        """Whether there is an entry under `key`, right or not."""
        return self.folder is not None and self._path(key).is_file()

    def get_json(self, key: str) -> Any:
        """What was put under `key` as JSON, which nobody may change; nothing when it is not there."""
        try:
            return _decoded(data) if (data := self.get(key)) is not None else None
        except (ValueError, RecursionError):  # sealed, but by somebody else
            return None

    def put_json(self, key: str, value: Any) -> None:
        """Keep `value`, which JSON can hold, under `key`."""
        self.put(key, canonical(value).encode())

    def get_content(self, key: str) -> bytes | None:
        """What was kept by `put_content`."""
        data = self.get(key)
        return data if data is not None and digest(data) == key else None

    def put_content(self, data: bytes) -> str:
        """Keep `data` under its own digest, and return that."""
        key = digest(data)
        if not self.has(key) or self.get_content(key) is None:
            self.put(key, data)
        return key

    def prune(self) -> None:
        """Remove what was not used for longest if there is too much, at most once an hour."""
        if self.folder is None or not self.has_grown:
            return
        stamp, now = self.folder / "pruned", time.time()
        if stamp.exists() and 0 <= now - stamp.stat().st_mtime < FRESH:
            return
        _write(stamp, b"")
        entries = sorted(self._entries())
        size = sum(bytes_ for _, bytes_, _ in entries)
        for used, bytes_, path in entries:
            if used > now - FRESH or (size <= self.limit and not _is_temporary(path)):
                continue
            path.unlink(missing_ok=True)  # another build may have been faster
            size -= bytes_

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """Yield when each file of the store was used last, its size, and where it lies."""
        assert self.folder is not None
        for folder in self.folder.iterdir():
            if len(folder.name) == 1 and folder.is_dir():
                for entry in os.scandir(folder):
                    with suppress(FileNotFoundError):  # another build removed it
                        status = entry.stat()
                        yield status.st_mtime, status.st_size, Path(entry.path)


@lru_cache(maxsize=512)  # a preview asks for the same again and again
def _decoded(data: bytes) -> Any:
    return json.loads(data)


def _seal(key: str, packed: bytes) -> bytes:
    return hashlib.sha256(key.encode() + packed).digest()[:20]


def _is_temporary(path: Path) -> bool:
    """Whether a file was being written when its build was stopped."""
    return path.name.endswith(".new")


def _write(path: Path, data: bytes) -> None:
    """Write a file so that it is always whole."""
    temporary = f"{path}.{os.urandom(8).hex()}.new"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
