"""Publishes files in the folder of guides that are not pages: images, papers, data, `robots.txt`.

Only allowed formats are published; others are reported, with the reason. Drawings (SVG) are inlined in pages, so only
those in `assets` are copied.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from ..errors import Problem, Report, Severity
from ..filesystem import AddressError, parse_address, read_file, resolves_below
from ..rendering import PICTURE_HINT, PictureError, checked_copy
from ..site import SUFFIXES, Site, extra_copies

Load = Callable[[], bytes]


def guide_files(site: Site, report: Report) -> Mapping[str, Load]:
    """Return the published files next to the guides of a site, by address.

    A file that is not published is reported as a warning in `report`.
    """
    found: dict[str, Load] = {}
    if not site.settings.guides:
        return found
    folder, theme = site.files.path(site.settings.guides), site.settings.theme
    own = extra_copies(site.settings)
    for name in sorted(_names(folder)):
        if name in own or (theme is not None and resolves_below(folder / name, theme)):
            continue  # the theme publishes it
        try:
            copy = checked_copy(folder, parse_address(name), site.files.base)
        except (PictureError, AddressError) as error:
            if reason := str(error):
                shown = f"{site.settings.guides}/{name}".encode("utf-8", "backslashreplace").decode()
                report.add(Problem(shown, 0, f"is not published: {reason}", PICTURE_HINT, Severity.WARNING))
        else:
            found[name] = (
                partial(read_file, folder / name, site.files.base) if copy is None else partial(bytes, copy)
            )
    return found


def _names(folder: Path) -> Iterator[str]:
    """Yield the names of all files in a folder, except pages and hidden files."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and Path(name).suffix not in SUFFIXES:
                yield (Path(parent) / name).relative_to(folder).as_posix()
