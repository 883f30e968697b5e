"""Knows which engine this is: pages made by another one, or with other libraries, are not the same pages."""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from pathlib import Path

from .cache import digest

PACKAGE = Path(__file__).parent
THEME = PACKAGE / "theme"
LIBRARIES = frozenset(
    "babel imagesize jinja2 markdown-it-py markupsafe mdit-py-plugins mdurl nh3 pygments pykatex pyyaml".split()
)
"""What pages are made with."""
_METADATA = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info")


@cache  # what runs is what was loaded first, whatever is saved since
def engine() -> str:
    """What stands for the code of the engine, its libraries and Python."""
    paths = sorted(path for path in PACKAGE.iterdir() if path.suffix in (".py", ".js"))
    code = [(path.name, path.read_bytes()) for path in paths]
    python = f"{sys.implementation.name} {sys.version_info[:3]}"
    return digest(python, *versions(LIBRARIES), *(part for named in code for part in named))


def files(*folders: Path) -> str:
    """What stands for the templates and catalogs in some folders, which a preview reads again when they change."""
    found = [
        (path.relative_to(folder).as_posix(), path)
        for folder in folders
        for path in sorted(folder.rglob("*"))
    ]
    kept = [(name, path) for name, path in found if path.suffix in (".html", ".xml", ".po")]
    return digest(*(part for name, path in kept for part in (name, path.read_bytes())))


def versions(names: frozenset[str]) -> list[str]:
    """The names and versions of distributions, in order. `importlib.metadata` would take ten times as long.

    One that cannot be found might be any: it is never the same twice.
    """
    found: dict[str, str] = {}
    for folder in map(Path, dict.fromkeys(sys.path)):
        for entry in os.listdir(folder) if folder.is_dir() else ():
            if match := _METADATA.fullmatch(entry):
                name = re.sub(r"[-_.]+", "-", match["name"]).lower()
                found.setdefault(name, match["version"])
    return [f"{name} {found.get(name) or os.urandom(16).hex()}" for name in sorted(names)]
