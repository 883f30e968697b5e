"""Puts a site into a folder: writes what is not there yet, and removes what only an earlier build has put there.

Every file is the old one or the new one, whenever a build is stopped and however many run at once. A manifest in the
folder names the files that are ours; one that somebody has changed since is left alone.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .cache import canonical, digest

MANIFEST = ".pylit-manifest.json"
STAGED = ".pylit-new-"
"""What the names of folders begin with that hold files while they are written."""
ABANDONED = 3600.0
"""Seconds after which such a folder belongs to no build any more."""


@dataclass(frozen=True)
class Item:
    """A file of the site."""

    digest: str
    """Of what it holds."""
    load: Callable[[], bytes]
    owner: str
    """What it belongs to: when that could not be made, its old files stay."""


def publish(out: Path, items: Mapping[str, Item], unmade: Collection[str] = ()) -> None:
    """Make the folder `out` hold `items`, by address, and nothing else that a build of ours has put there.

    The old files of the owners in `unmade` stay.

    Raises:
        OSError: if it cannot be written.
    """
    _clear(out)
    before = _manifest(out)
    stay = {url: entry for url, entry in before.items() if url not in items and entry[1] in unmade}
    after = {url: (item.digest, item.owner) for url, item in items.items()} | stay
    changed = [url for url, item in items.items() if not _holds(out / url, item.digest)]
    gone = [url for url in before if url not in after]
    if not changed and before == after:
        return
    with _staging(out) as staged:
        # Named before it is there and until it is gone, so that nothing is forgotten when the build is stopped.
        _replace(staged, out / MANIFEST, canonical({"files": before | after}).encode())
        for url in changed:
            (out / url).parent.mkdir(parents=True, exist_ok=True)
            _replace(staged, out / url, items[url].load())
        for url in gone:
            _remove(out, url, before[url][0], items)
        _replace(staged, out / MANIFEST, canonical({"files": after}).encode())


def published(out: Path) -> list[str]:
    """The addresses of what is ours in the folder `out`."""
    return list(_manifest(out))


def _manifest(out: Path) -> dict[str, tuple[str, str]]:
    """What earlier builds have put into the folder: the digest and the owner of each file; nothing if unknown."""
    try:
        found = json.loads((out / MANIFEST).read_bytes())["files"]
        return {str(url): (str(key), str(owner)) for url, (key, owner) in found.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):  # not ours, or damaged
        return {}


def _holds(path: Path, key: str) -> bool:
    try:
        return digest(path.read_bytes()) == key
    except OSError:  # most often, it is not there; if it cannot be read, writing it will tell
        return False


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """A folder inside of `out`, so that files can be moved even where `out` is a file system of its own."""
    try:
        staged = Path(tempfile.mkdtemp(prefix=STAGED, dir=out))
    except OSError as error:
        error.filename = str(out)  # what it would have been called is of no use to anybody
        raise
    try:
        yield staged
    finally:
        shutil.rmtree(staged)


def _replace(staged: Path, path: Path, data: bytes) -> None:
    """Write a file so that it is the old one or the new one."""
    temporary = staged / "file"
    temporary.write_bytes(data)
    os.replace(temporary, path)


def _clear(out: Path) -> None:
    """Remove what builds that were killed have left behind."""
    for folder in out.glob(f"{STAGED}*"):
        with suppress(FileNotFoundError):  # its build was only slow, and has just removed it
            if folder.stat().st_mtime < time.time() - ABANDONED:
                shutil.rmtree(folder)


def _remove(out: Path, url: str, key: str, items: Mapping[str, Item]) -> None:
    """Remove a file that was ours, and the folders that it leaves empty."""
    path, parts = out / url, PurePosixPath(url).parts
    if not parts or ".." in parts or "\0" in url or PurePosixPath(url).is_absolute():
        return  # whoever wrote that into the manifest, it was not us
    folders = [out.joinpath(*parts[:end]) for end in range(1, len(parts))]
    if any(folder.is_symlink() for folder in [*folders, path]) or not _holds(path, key):
        return
    twins = [out / other for other in items if other.casefold() == url.casefold()]
    if any(twin.exists() and twin.samefile(path) for twin in twins):
        return  # some file systems do not tell capitals from small letters
    path.unlink()
    for folder in reversed(folders):
        with suppress(OSError):  # not empty
            folder.rmdir()
