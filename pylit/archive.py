"""Packs a site into one archive, to be read from a disk: every link on a page is relative, so no server is needed.

The same site always gives the same bytes: files are sorted, and all have the same date.
"""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from .search import FOLDER

FOR_SERVERS = frozenset(["404.html", "sitemap.xml", "sitemap.xml.gz", FOLDER])
"""What only a web server has a use for. (Nor is an index for searching the same twice.)"""
DATE = (1980, 1, 1, 0, 0, 0)
"""The first that an archive can hold."""


def write_archive(folder: Path, name: str) -> None:
    """Pack the site in `folder` into the archive `name` there, in a folder that is called like it."""
    target = folder / name
    files = [path for path in folder.rglob("*") if path.is_file() and path != target]
    temporary = target.with_name(f".{name}.new")
    try:
        with ZipFile(temporary, "w", ZIP_DEFLATED, compresslevel=9) as archive:
            for file, path in sorted((path.relative_to(folder).as_posix(), path) for path in files):
                if file.partition("/")[0] not in FOR_SERVERS:
                    info = ZipInfo(f"{target.stem}/{file}", DATE)
                    info.create_system, info.external_attr = (
                        3,
                        0o644 << 16,
                    )  # as Unix has it, wherever it is made
                    info.compress_type = ZIP_DEFLATED
                    archive.writestr(info, path.read_bytes(), compresslevel=9)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
