"""Digests of the engine and its libraries: pages made by another version are not reused."""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from pathlib import Path

from ..filesystem import read_file
from .digests import digest

PACKAGE = Path(__file__).parent.parent
THEME = PACKAGE / "theme"
LIBRARIES = frozenset(
    "babel docutils imagesize jinja2 markdown-it-py markupsafe mdit-py-plugins mdurl nh3 pygments pykatex"
    " pyyaml".split()
)
"""Distributions that affect the content of pages."""
TEMPLATES = (".html", ".svg", ".txt", ".xml")
"""Suffixes of templates."""
_METADATA = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info")


@cache  # the running code is the one loaded first, even if a file is saved later
def engine_digest() -> str:
    """Return the digest of the engine's code, its libraries and Python."""
    paths = sorted(path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".js"))
    code = [(path.relative_to(PACKAGE).as_posix(), path.read_bytes()) for path in paths]
    python = f"{sys.implementation.name} {sys.version_info[:3]}"
    return digest(python, *library_versions(LIBRARIES), *(part for named in code for part in named))


def folders_digest(*folders: Path) -> str:
    """Return the digest of the templates and catalogs in some folders, which a preview reads again on change."""
    found = [
        (path.relative_to(folder).as_posix(), path, folder)
        for folder in folders
        for path in sorted(folder.rglob("*"))
    ]
    kept = [one for one in found if one[1].suffix in (*TEMPLATES, ".po")]
    return digest(*(part for name, path, folder in kept for part in (name, _data(path, folder))))


def _data(path: Path, folder: Path) -> str | bytes:
    try:
        return read_file(path, folder)
    except OSError:  # reported by the page that needs it
        return "cannot be read"


def library_versions(names: frozenset[str]) -> list[str]:
    """Return names and versions of distributions, sorted; `importlib.metadata` would take ten times as long.

    A distribution that is not found gets a random version, so that no cached result matches.
    """
    found: dict[str, str] = {}
    for folder in map(Path, dict.fromkeys(sys.path)):
        for entry in os.listdir(folder) if folder.is_dir() else ():
            if match := _METADATA.fullmatch(entry):
                name = re.sub(r"[-_.]+", "-", match["name"]).lower()
                found.setdefault(name, match["version"])
    return [f"{name} {found.get(name) or os.urandom(16).hex()}" for name in sorted(names)]
