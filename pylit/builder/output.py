"""Publishes a site to a folder: writes new and changed files, and removes those that only an earlier build has
written.

Every file is either the old or the new version, even if the build is stopped, and the folder is not touched before all
files have been written next to it. A manifest lists our files, so that no others are overwritten or removed.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..cache import canonical, digest
from ..errors import Problem, PylitError
from ..filesystem import (
    Signature,
    check_address,
    is_address,
    locate,
    moved_signature,
    open_regular,
    signature,
)
from .workplace import naming

MANIFEST = ".pylit-manifest.json"
ALLOWED = "CNAME"
"""A file that may be in the folder before the first build, besides hidden files: the domain of a GitHub Pages site."""
NAMED = 5
"""Maximum number of files listed in a message."""
Signed = tuple[str, Signature]
"""Digest and signature of a file."""
_Alike = Mapping[str, list[str]]


class ManifestEntry(NamedTuple):
    """One of our files in a manifest."""

    digest: str
    """Digest of its content."""
    owner: str
    """Name of the job that it belongs to."""


@dataclass(frozen=True)
class Item:
    """A file of the site."""

    digest: str
    """Digest of its content."""
    made: Callable[[], bytes] | Path
    """Returns its content; or a file that can be moved."""
    owner: str
    """Name of the job that it belongs to; if that job failed, its old files are kept."""

    def load(self) -> bytes:
        """Return its content.

        Raises:
            OSError: if it is a file that cannot be read.
        """
        return self.made.read_bytes() if isinstance(self.made, Path) else self.made()


def publish(
    out: Path,
    items: Mapping[str, Item],
    place: Path,
    unmade: Collection[str] = (),
    *,
    force: bool = False,
    stale: Collection[str] = (),
    signed: dict[str, Signed] | None = None,
) -> None:
    """Make the folder `out` contain `items`, and remove other files that earlier builds have written.

    Args:
        out: The output folder.
        items: Address -> file.
        place: The workplace of `out`.
        unmade: Owners whose old files are kept.
        force: Whether to overwrite files that pylit did not write.
        stale: Addresses of files to remove, even if pylit did not write them.
        signed: Digest and signature of files in `out`, which are not read if they still have it. It is updated.

    Raises:
        PylitError: naming files that would be overwritten, an address that is not clean or is both a file and a
            folder, or
        a symlink that leads out of `out`; nothing has been written then.
        OSError: naming the folder that cannot be written.
    """
    for url in items:
        check_address(out, url)
    _check_folders(items.keys())
    manifest = _manifest(out)
    signed = {} if signed is None else signed
    held = _all_held(out, {*items, *manifest.files, *manifest.former}, signed)
    ours = {
        url: entry
        for entries in (manifest.former, manifest.files)
        for url, entry in entries.items()
        if held[url] == entry.digest
    }
    changed = [url for url, item in items.items() if held[url] != item.digest]
    if not force:
        check_folder(out)
        old = _alike(ours)
        files = {file for url in changed for file in _foreign_files(out, url, ours, old)}
        _refuse(out, sorted(files), "overwrite them")
    stay = {url: entry for url, entry in ours.items() if url not in items and entry.owner in unmade}
    after = {url: ManifestEntry(item.digest, item.owner) for url, item in items.items()} | stay
    gone = [url for url in ours if url not in after]
    if not changed and not stale and manifest == _Manifest(after, {}):
        return
    changed.sort(key=lambda url: url.endswith(".html"))  # images are written before the pages that show them
    staged = _stage(place, [items[url] for url in changed], after, ours)
    new = _alike(items)
    folders = {parent.as_posix() for url in changed for parent in PurePosixPath(url).parents}
    with naming(out):
        Path(os.path.realpath(out)).mkdir(parents=True, exist_ok=True)
        # At any time, the manifest lists all our files, even if the build is stopped.
        _move(staged / "before", out / MANIFEST)
        for url in gone:  # a file that becomes a folder, or the other way round
            if url in folders or any(parent.as_posix() in items for parent in PurePosixPath(url).parents):
                _remove(out, url, new)
        for number, url in enumerate(changed):
            _make_way(out, url, force=force)
            source, target = staged / str(number), locate(out, url)
            before = os.lstat(source) if source.exists() else None
            _move(source, target)
            if before and (now := moved_signature(target, before)):
                signed[url] = (items[url].digest, now)
        for url in gone:
            if _held(out, url) == ours[url].digest:
                _remove(out, url, new)
        for url in stale:
            _remove(out, url, new)
        _move(staged / "after", out / MANIFEST)


def _check_folders(urls: Collection[str]) -> None:
    """Check that no address is both a file and a folder.

    Raises:
        PylitError: naming both.
    """
    for url in urls:
        for parent in PurePosixPath(url).parents:
            if parent.as_posix() in urls:
                message = f"would be both a file of the site and the folder of `{url}`"
                hint = "Rename the source of one of them."
                raise PylitError(Problem(parent.as_posix(), 0, message, hint))


def published(out: Path) -> dict[str, str]:
    """Return our files in the folder `out`: address -> owner."""
    return {url: entry.owner for url, entry in _manifest(out).files.items()}


def published_digests(out: Path) -> dict[str, str]:
    """Return our files in the folder `out`: address -> digest."""
    return {url: key for url, (key, _) in _manifest(out).files.items()}


def check_folder(out: Path) -> None:
    """Check that a site can be written to the folder `out` without endangering other files.

    Raises:
        PylitError: if it contains files and no manifest.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        if not _manifest(out).files:
            names = sorted(path.name for path in out.iterdir())
            files = [name for name in names if not name.startswith(".") and name != ALLOWED]
            _refuse(out, files, "write there anyway and overwrite files with the same names")


def held(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the address and digest of every file in a folder."""
    for url in files_below(folder):
        yield url, _held(folder, url)


def files_below(folder: Path) -> Iterator[str]:
    """Yield the addresses of all files in a folder. Symlinks count as files, even those to folders."""
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in sorted([*files, *links]):
            yield Path(parent, name).relative_to(folder).as_posix()


@dataclass(frozen=True)
class _Manifest:
    files: Mapping[str, ManifestEntry]
    former: Mapping[str, ManifestEntry]
    """Files from before a build that was stopped: each file on disk is the new or the former version."""


def _manifest(out: Path) -> _Manifest:
    """Return the manifest of a folder; empty if it is missing or damaged."""
    try:
        with open_regular(out / MANIFEST) as file:
            found = json.loads(file.read())
        both = [
            {
                url: ManifestEntry(str(key), str(owner))
                for url, (key, owner) in entries.items()
                if is_address(url)
            }
            for entries in (found["files"], found.get("former", {}))
        ]
        return _Manifest(*both)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return _Manifest({}, {})  # missing, not ours, or damaged


def _all_held(out: Path, urls: Iterable[str], signed: dict[str, Signed]) -> dict[str, str]:
    """Return the digest of the file at each address, as `_held` does; update what is `signed`."""
    links = cache(lambda folder: folder.is_symlink())
    held, known = {}, dict(signed)
    signed.clear()
    for url in urls:
        found = "" if any(map(links, _parents(out, url))) else None
        now = signature(out / url, follow=False) if found is None else None
        if found is None:
            digest_then, then = known.get(url, ("", None))
            found = digest_then if now is not None and now == then else _held(out, url)
        if now:
            signed[url] = (found, now)
        held[url] = found
    return held


def _held(out: Path, url: str) -> str:
    """Return the digest of the file at an address; empty if there is none, or if it is behind a symlink."""
    path = out / url
    try:
        if any(folder.is_symlink() for folder in _parents(out, url)):
            return ""
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return digest("link", os.readlink(path))
        with open_regular(path) as file:
            return digest(file.read())
    except OSError:  # usually, it does not exist; if it cannot be read, writing it will fail
        return ""


def _parents(out: Path, url: str) -> list[Path]:
    """Return the folders between `out` and the file at an address, outermost first."""
    parts = PurePosixPath(url).parts
    return [out.joinpath(*parts[:end]) for end in range(1, len(parts))]


def _foreign_files(out: Path, url: str, ours: Mapping[str, ManifestEntry], alike: _Alike) -> Iterator[str]:
    """Yield the names of files that are not ours and would be lost by writing a file at `url`."""
    for path in [*_parents(out, url), out / url]:
        name = path.relative_to(out).as_posix()
        if path.is_dir() and not path.is_symlink():
            if path == out / url:
                yield from (f"{name}/{file}" for file in files_below(path) if f"{name}/{file}" not in ours)
        elif os.path.lexists(path):
            if name not in ours and not _has_twin(out, name, alike):
                yield name
            return


def _alike(urls: Iterable[str]) -> _Alike:
    """Group addresses that differ only in case, as some file systems ignore it."""
    found: dict[str, list[str]] = {}
    for url in urls:
        found.setdefault(url.casefold(), []).append(url)
    return found


def _has_twin(out: Path, url: str, alike: _Alike) -> bool:
    """Return whether another of these addresses is the same file as `url` on a case-insensitive file system."""
    twins = [out / twin for twin in alike.get(url.casefold(), ())]
    return any(
        os.path.lexists(twin) and os.path.samestat(twin.lstat(), (out / url).lstat()) for twin in twins
    )


def _refuse(out: Path, files: list[str], force: str) -> None:
    """Raise an error if `files` is not empty.

    Args:
        out: The output folder.
        files: Files that pylit did not write.
        force: What --force would do, for the hint.

    Raises:
        PylitError: naming the files.
    """
    if files:
        names = ", ".join(f"`{name}`" for name in files[:NAMED])
        more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
        message = f"contains files that pylit did not write, or that were changed since: {names}{more}"
        hint = f"Nothing was written. Choose another folder for the pages, or use --force to {force}."
        raise PylitError(Problem(str(out), 0, message, hint))


def _stage(
    place: Path, items: Iterable[Item], after: Mapping[str, ManifestEntry], ours: Mapping[str, ManifestEntry]
) -> Path:
    """Write all changed files next to `out`, so that a full disk is noticed before any file is replaced."""
    staged = place / "staged"
    with naming(place):
        staged.mkdir()
        for number, item in enumerate(items):
            if isinstance(item.made, Path):
                os.replace(item.made, staged / str(number))
            else:
                (staged / str(number)).write_bytes(item.made())
        (staged / "before").write_bytes(canonical({"files": after, "former": ours}).encode())
        (staged / "after").write_bytes(canonical({"files": after}).encode())
    return staged


def _make_way(out: Path, url: str, *, force: bool) -> None:
    """Create the folders of an address. With `force`, remove anything that is in the way."""
    for folder in _parents(out, url):
        if force and (folder.is_symlink() or not folder.is_dir()):
            folder.unlink(missing_ok=True)
        folder.mkdir(exist_ok=True)
    path = out / url
    if path.is_dir() and not path.is_symlink():
        if force:
            shutil.rmtree(path)
        else:
            path.rmdir()


def _move(source: Path, target: Path) -> None:
    with naming(target.parent if os.path.lexists(source) else source.parent.parent):
        os.replace(source, target)


def _remove(out: Path, url: str, new: _Alike) -> None:
    """Remove a file and the folders that become empty."""
    path, folders = out / url, _parents(out, url)
    if any(folder.is_symlink() for folder in folders) or not os.path.lexists(path):
        return
    if _has_twin(out, url, new) or (path.is_dir() and not path.is_symlink()):
        return  # a new file has this name
    path.unlink()
    for folder in reversed(folders):
        with suppress(OSError):  # not empty
            folder.rmdir()
