"""Caches results in a folder, under keys derived from all their inputs. Knows nothing about pages.

The folder may be deleted at any time, and shared between branches, machines and concurrent builds. An entry is written
atomically and sealed with a secret that is not in the folder. An entry that is truncated, damaged, under the wrong key
or sealed with another secret is ignored. Entries are never unpickled or executed. When the folder grows too large, the
least recently used entries are removed.

A folder that is not empty and lacks our tag is never written to. In a tagged folder, files that are not entries are
left alone, and symlinks are not followed.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from pathlib import Path
from typing import Any

from ..errors import Problem, PylitError
from ..filesystem import open_regular, write_file
from .digests import canonical, digest
from .key import NoKeyError, find_key

LIMIT = 1 << 30
"""Maximum total size of all entries in bytes."""
LARGEST = 1 << 28
"""Maximum size of an entry in bytes, compressed and uncompressed."""
FRESH = 3600.0
"""Seconds for which a used entry is never removed, and minimum interval between two removals."""
FOLDERS = "0123456789abcdef"
"""Names of the folders that contain entries."""
_MAGIC = b"pylit cache 2\n"
_ANY_MAGIC = b"pylit cache "
_SEAL = 32
"""Length of a seal in bytes."""
_ENTRY = re.compile(r"[0-9a-f]{39}|(?:[0-9a-f]{39})?\.[0-9a-f]{16}\.new")
"""Names of entries, and of temporary files left by a build that was stopped."""
_PENDING = re.compile(r"\.[0-9a-f]{16}\.new")
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Made by pylit; may be deleted. See https://bford.info/cachedir/\n"


def open_store(folder: Path | None, base: Path, *, is_asked: bool) -> Store:
    """Open a store in `folder` for the project in `base`.

    If the folder cannot be used and was not configured, or the user has no key, the returned store keeps nothing, and
    its note says why.

    Args:
        folder: The cache folder; `None` for no cache.
        base: The folder of the project.
        is_asked: Whether the user has configured the folder.

    Raises:
        PylitError: if the user has configured `folder` and it cannot be used, or the environment provides a key that
        is not
        safe.
    """
    if folder is None:
        return Store(None)
    shown = os.path.relpath(folder)
    try:
        if folder.is_symlink() and not is_asked:  # it may have been shipped with the project
            raise _refused(shown, "is a symlink")
        if folder.is_dir():
            _check_owner(folder)
        secret = find_key(base, folder)
        return Store(folder, secret)
    except NoKeyError as error:
        return Store(None, note=f"note: {shown} is not used, and everything is built again: {error}.")
    except _ForeignFolderError as error:
        if is_asked:
            raise
        return Store(
            None,
            note=f"note: {shown} is not used, and everything is built again: it {error.problem.message}.",
        )
    except OSError as error:
        if not is_asked:
            return Store(None)
        hint = "Choose another folder for the cache, or none."
        raise PylitError(Problem(shown, 0, f"cannot be written: {error.strerror}", hint)) from error


class _ForeignFolderError(PylitError):
    """The folder was not created by pylit."""


def _refused(folder: str, reason: str) -> _ForeignFolderError:
    hint = "Choose another cache folder: a new one, an empty one, or one created by pylit."
    return _ForeignFolderError(Problem(folder, 0, reason, hint))


class Store:
    """The entries in a folder; without a folder, nothing is kept."""

    def __init__(
        self, folder: Path | None, secret: bytes | None = None, limit: int = LIMIT, note: str = ""
    ) -> None:
        """Open `folder`, which is created if it does not exist. Without a `secret`, only this store can read its
        entries.

        Raises:
            OSError: if it cannot be written.
            PylitError: if it was not created by pylit.
        """
        self.folder = folder
        self.secret = secret or os.urandom(32)
        self.level = 1 if secret else 0
        """How much entries are compressed: not at all if only this build reads them."""
        self.limit = limit
        self.mark = os.urandom(4).hex()
        """Part of the names of all temporary files of this store, in all processes of a build."""
        self.note = note
        """Message for the user."""
        self.has_grown = False
        """Whether an entry was added."""
        if folder is not None:
            _claim(folder)

    def _path(self, key: str) -> str:
        """Return the path of an entry. It depends on the secret, so entries of different users do not collide."""
        name = blake2b(key.encode(), key=self.secret, digest_size=20, person=b"pylit name").hexdigest()
        return f"{self.folder}{os.sep}{name[:1]}{os.sep}{name[1:]}"

    def _seal(self, key: str, packed: bytes) -> bytes:
        seal = blake2b(
            b"%d:%s" % (len(key), key.encode()), key=self.secret, digest_size=_SEAL, person=b"pylit seal"
        )
        seal.update(packed)
        return seal.digest()

    def get(self, key: str) -> bytes | None:
        """Return the data stored under `key`, or `None` if there is no valid entry."""
        if self.folder is None:
            return None
        head = len(_MAGIC) + _SEAL
        try:
            with open_regular(self._path(key)) as file:
                status = os.fstat(file.fileno())
                if status.st_size > LARGEST + head:
                    return None
                data = file.read()
                if not data.startswith(_MAGIC):
                    return None
                if not compare_digest(data[len(_MAGIC) : head], self._seal(key, data[head:])):
                    return None
                if status.st_mtime < time.time() - FRESH:
                    with suppress(PermissionError):  # written by another user
                        os.utime(
                            file.fileno() if os.utime in os.supports_fd else file.name
                        )  # mark it as used
        except OSError:  # usually, it does not exist; if it cannot be read, the page is made again
            return None
        return _unpacked(data[head:])

    def put(self, key: str, data: bytes) -> None:
        """Store `data` under `key`.

        Raises:
            OSError: if it cannot be written, or is too large.
        """
        if self.folder is not None:
            if len(data) > LARGEST:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(self.folder))
            path, packed = Path(self._path(key)), zlib.compress(data, self.level)
            if not path.parent.is_dir():  # also if the cache was just deleted
                _claim(self.folder)
            write_file(path, _MAGIC + self._seal(key, packed) + packed, self.mark)
            self.has_grown = True

    def has(self, key: str) -> bool:
        """Return whether there is an entry under `key`, valid or not."""
        return self.folder is not None and _is_regular(self._path(key))

    def get_json(self, key: str) -> Any:
        """Return the JSON value stored under `key`, which must not be modified; `None` if there is no valid entry."""
        try:
            return _decoded(data) if (data := self.get(key)) is not None else None
        except (ValueError, RecursionError):  # sealed with our key, but not JSON
            return None

    def put_json(self, key: str, value: Any) -> None:
        """Store `value`, which must be serializable by `canonical`, under `key`."""
        self.put(key, canonical(value).encode())

    def get_content(self, key: str) -> bytes | None:
        """Return the data stored by `put_content`, or `None`."""
        data = self.get(key)
        return data if data is not None and digest(data) == key else None

    def put_content(self, data: bytes) -> str:
        """Store `data` under its own digest, and return the digest."""
        key = digest(data)
        if not self.has(key) or self.get_content(key) is None:
            self.put(key, data)
        return key

    def sweep(self) -> None:
        """Remove temporary files of processes of this build that were killed."""
        for _, _, path in _entries(self.folder) if self.folder else ():
            if os.path.basename(path).startswith(f".{self.mark}"):
                with suppress(FileNotFoundError):
                    os.unlink(path)

    def prune(self) -> None:
        """Remove the least recently used entries if the cache is too large; at most once an hour."""
        if self.folder is None or not self.has_grown:
            return
        stamp, now = self.folder / "pruned", time.time()
        with suppress(OSError):  # it does not exist yet
            if 0 <= now - stamp.lstat().st_mtime < FRESH:
                return
        with suppress(IsADirectoryError):  # there is a folder of that name
            write_file(stamp, b"")
        entries = sorted(_entries(self.folder))
        size = sum(bytes_ for _, bytes_, _ in entries)
        for used, bytes_, path in entries:
            if used > now - FRESH or (size <= self.limit and not path.endswith(".new")):
                continue
            with suppress(
                FileNotFoundError, PermissionError
            ):  # removed by another build; owned by another user
                if _is_entry(path):
                    os.unlink(path)
                    size -= bytes_


def _claim(folder: Path) -> None:
    """Make `folder` a cache, unless it is one already.

    Raises:
        OSError: if it cannot be written.
        PylitError: if it was not created by pylit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not _check_owner(folder):
        write_file(folder / "CACHEDIR.TAG", _TAG.encode())
    with suppress(FileExistsError), open(folder / ".gitignore", "x") as file:
        file.write("*\n")
    for path in [folder, *(folder / name for name in FOLDERS)]:
        if path != folder and (path.is_symlink() or (path.exists() and not path.is_dir())):
            raise _refused(os.path.relpath(folder), f"contains `{path.name}`, which is not a folder")
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _check_owner(folder: Path) -> bool:
    """Return whether `folder` is a cache created by pylit; `False` if it is empty.

    Raises:
        OSError: if it cannot be read.
        PylitError: if it is not empty and not a cache.
    """
    if _has_tag(folder):
        return True
    others = [name for name in os.listdir(folder) if not _PENDING.fullmatch(name)]
    if others and not _has_tag(folder):  # another build may have just created it
        raise _refused(
            os.path.relpath(folder), f"is not a cache created by pylit, and contains `{min(others)}`"
        )
    return bool(others)


def _has_tag(folder: Path) -> bool:
    try:
        with open_regular(folder / "CACHEDIR.TAG") as file:
            return file.read(len(_TAG) + 1) == _TAG.encode()
    except OSError:  # missing, or not a regular file
        return False


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _entries(folder: Path) -> Iterator[tuple[float, int, str]]:
    """Yield the time of last use, size and path of each file that may be an entry."""
    for name in FOLDERS:
        with suppress(FileNotFoundError):
            if not stat.S_ISDIR(os.lstat(folder / name).st_mode):
                continue
            for entry in os.scandir(folder / name):
                with suppress(FileNotFoundError):  # another build removed it
                    if _ENTRY.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        yield status.st_mtime, status.st_size, entry.path


def _is_entry(path: str) -> bool:
    """Return whether a file starts like an entry, of this or an earlier release, or is a temporary file."""
    with open_regular(path) as file:
        data = file.read(len(_ANY_MAGIC))
    return data == _ANY_MAGIC or (path.endswith(".new") and _ANY_MAGIC.startswith(data))


def _unpacked(packed: bytes) -> bytes | None:
    """Decompress `packed`; return `None` if the result is too large, or the data is damaged."""
    unpack = zlib.decompressobj()
    try:
        data = unpack.decompress(packed, LARGEST)
    except zlib.error:
        return None
    return data if unpack.eof and not unpack.unused_data else None


@lru_cache(maxsize=512)  # a preview reads the same entries repeatedly
def _decoded(data: bytes) -> Any:
    value = json.loads(data)
    if b"\\ud" in data.lower():  # perhaps a lone surrogate, which is never stored and cannot be encoded
        canonical(value).encode()
    return value
