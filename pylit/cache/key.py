"""Finds the secret key that cache entries are sealed with; entries sealed with another key are never used.

The key belongs to the user and is kept outside of all projects, so that a cache shipped with a project cannot have a
valid seal. Machines that trust each other can share a key through the environment.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
from contextlib import suppress
from pathlib import Path

from ..errors import Problem, PylitError
from ..filesystem import open_regular, resolves_below

KEY, KEY_FILE = "PYLIT_CACHE_KEY", "PYLIT_CACHE_KEY_FILE"
"""Environment variables: a shared key, or a file that contains one. An empty value counts as not set."""
SHORTEST = 32
"""Minimum length of a shared key in characters."""
DISTINCT = 8
"""Minimum number of different characters in it."""
LONGEST = 4096
"""Maximum size of a key file in bytes."""
_OWN = re.compile(rb"[0-9a-f]{64}\n")
_HINT = "Give it a random key, such as the output of `openssl rand -hex 32`, or unset it."


class NoKeyError(Exception):
    """The user's own key cannot be stored, for the given reason."""


def find_key(base: Path, cache: Path) -> bytes:
    """Return the key for the cache folder `cache` in a build of the project in `base`.

    Raises:
        PylitError: if the environment provides a key that is not safe.
        NoKeyError: if it provides none, and the user's own key cannot be stored.
    """
    given, file = os.environ.get(KEY, "").strip(), os.environ.get(KEY_FILE, "").strip()
    if given and file:
        raise PylitError(Problem(KEY, 0, f"is set together with {KEY_FILE}", "Set only one of them."))
    if given:
        return _shared(KEY, given.encode("utf-8", "surrogateescape"))
    if file:
        path = Path(file).absolute()
        try:
            _check_place(path, base, cache)
            return _shared(KEY_FILE, _read(path, follow=True).strip())
        except NoKeyError as error:
            raise PylitError(Problem(KEY_FILE, 0, f"cannot be used: {error}", _HINT)) from error
    return _own(own_key_file(), base, cache)


def own_key_file() -> Path:
    """Return the path of the user's own key.

    Raises:
        NoKeyError: if the user has no home folder.
    """
    home = os.path.expanduser("~")
    given = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_STATE_HOME", "")
    if os.path.isabs(given):
        folder = Path(given)
    elif not os.path.isabs(home) or not os.path.isdir(home):
        raise NoKeyError("there is no home folder to store a key in")
    elif os.name == "nt":
        folder = Path(home, "AppData", "Local")
    elif sys.platform == "darwin":
        folder = Path(home, "Library", "Application Support")
    else:
        folder = Path(home, ".local", "state")
    return folder / "pylit" / "cache-key"


def _own(path: Path, base: Path, cache: Path) -> bytes:
    """Return the key in `path`, which is created if it does not exist."""
    _check_place(path, base, cache)
    if not os.path.lexists(path):
        try:
            _create(path)
        except OSError as error:
            raise NoKeyError(f"cannot store a key in `{path}`: {error.strerror}") from error
    data = _read(path)
    if not _OWN.fullmatch(data):
        raise NoKeyError(f"`{path}` does not contain a key; remove it, and the next build creates one")
    return bytes.fromhex(data.decode())


def _shared(name: str, text: bytes) -> bytes:
    if len(text) < SHORTEST:
        reason = f"has a key of {len(text)} characters; expected at least {SHORTEST}"
        raise PylitError(Problem(name, 0, reason, _HINT))
    if len(set(text)) < DISTINCT:
        reason = f"has a key of {len(set(text))} different characters; expected at least {DISTINCT}"
        raise PylitError(Problem(name, 0, reason, _HINT))
    return hashlib.blake2b(text, digest_size=32, person=b"pylit shared key").digest()


def _check_place(path: Path, base: Path, cache: Path) -> None:
    """Check that a key is not in a folder that may have been shipped together with the project."""
    for folder, way in (
        (base, "run pylit in the folder of the project itself"),
        (_clone(base), "name a file outside it"),
        (cache, "choose another cache"),
    ):
        if resolves_below(path, folder):
            raise NoKeyError(f"the key `{path}` would be in `{folder}`, where others may have put it; {way}")


def _clone(base: Path) -> Path:
    """Return the root of the repository that contains a project; the project itself if there is none.

    The user's home folder does not count, even if it is a repository.
    """
    place, home = os.path.realpath(base), os.path.realpath(os.path.expanduser("~"))
    for folder in (Path(place), *Path(place).parents):
        if str(folder) == home:
            break
        if any(os.path.lexists(folder / mark) for mark in (".git", ".hg", ".svn", ".jj")):
            return folder
    return base


def _read(path: Path, *, follow: bool = False) -> bytes:
    """Read a file that no other user can read or write.

    Raises:
        NoKeyError: if it cannot be read, or others can access it.
    """
    try:
        with open_regular(path, follow=follow) as file:
            status = os.fstat(file.fileno())
            if os.name != "nt":  # Windows has no such modes; files in the user's folder belong to the user
                if status.st_uid != os.geteuid():
                    raise NoKeyError(f"`{path}` belongs to another user; remove it or name another file")
                if stat.S_IMODE(status.st_mode) & 0o077:
                    reason = f"others can read or write `{path}` (mode {stat.S_IMODE(status.st_mode):03o})"
                    raise NoKeyError(f"{reason}; replace it with a new key that only you can read")
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise NoKeyError(f"`{path}` cannot be read: {error.strerror}") from error
    if len(data) > LONGEST:
        raise NoKeyError(f"`{path}` has more than {LONGEST} bytes; name a file that contains only a key")
    return data


def _create(path: Path) -> None:
    """Create a key. If several builds do so at the same time, one of them wins and all use its key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary, data = path.with_name(f".{os.urandom(8).hex()}.new"), os.urandom(32).hex().encode() + b"\n"
    try:
        _write_new(temporary, data)
        try:
            os.link(temporary, path)  # never overwrites
        except FileExistsError:
            pass
        except OSError:  # the file system has no hard links
            with suppress(FileExistsError):
                _write_new(path, data)
    finally:
        temporary.unlink(missing_ok=True)


def _write_new(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
