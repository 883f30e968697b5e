"""Packs a site into one archive for offline reading: all links on a page are relative, so no server is needed.

The same site always produces the same bytes: files are sorted and have a fixed date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from ..filesystem import locate, locate_all, replacing
from .search_index import FOLDER

FOR_SERVERS = frozenset(["404.html", "sitemap.xml", "sitemap.xml.gz", FOLDER])
"""Files that need a web server. (The search index also differs from build to build.)"""
DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest date that an archive can contain."""


def write_archive(folder: Path, name: str) -> None:
    """Pack the site in `folder` into the archive `name` there, under a top-level folder of the same name.

    Symlinks are skipped: their targets may not belong to the site.

    Raises:
        PylitError: if `name` or the name of a file is not valid on all systems.
        OSError: if the archive cannot be written.
    """
    target = locate(folder, name)
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    names = [path.relative_to(folder).as_posix() for path in paths if path != target]
    files = {file: path.read_bytes for file, path in locate_all(folder, names).items()}
    with replacing(target) as file:
        pack(file, files, target.stem)


def is_packed(file: str) -> bool:
    """Return whether a file of a site, given by its address, belongs in the archive."""
    return file.partition("/")[0] not in FOR_SERVERS


def pack(target: BinaryIO, files: Mapping[str, Callable[[], bytes]], top: str) -> None:
    """Write an archive of `files` (address -> function that returns the content) under a folder `top`."""
    with ZipFile(target, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for file, load in sorted(files.items()):
            if is_packed(file):
                info = ZipInfo(f"{top}/{file}", DATE)
                info.create_system, info.external_attr = 3, 0o644 << 16  # Unix permissions on every system
                info.compress_type = ZIP_DEFLATED
                archive.writestr(info, load(), compresslevel=9)
