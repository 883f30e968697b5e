"""Finds the files that become the pages of a site, and where each goes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .cache import Store
from .errors import Problem, PylitError
from .settings import Page, Settings, page_url
from .site import Site

ARCHIVE = re.compile(r"[\w-][\w.-]*\.zip")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
IGNORED = frozenset("__pycache__ node_modules site-packages build dist venv env".split())
"""Folders that are never looked into, as are those whose names begin with a dot."""


def find_pages(settings: Settings, store: Store | None = None) -> Site:
    """Find all pages of a site, which keeps what it makes of its files in `store`.

    Raises:
        PylitError: if a root does not exist, two files would become one page, or the archive cannot be made.
    """
    if name := settings.archive:
        if not ARCHIVE.fullmatch(name):
            hint = "Name it like my-site.zip; it lies at the root of the site."
            raise PylitError(Problem(f"archive `{name}`", 0, "is no name of a zip file", hint))
        if not settings.site_url:
            hint = "Set the site's URL: pages in the archive link there for a newer one."
            raise PylitError(Problem(f"archive `{name}`", 0, "needs a site with an address", hint))
    for position, lang in enumerate(settings.languages):
        if not LANGUAGE.fullmatch(lang) or lang in settings.languages[:position]:
            reason = "is no language code" if not LANGUAGE.fullmatch(lang) else "is there already"
            hint = "Each language is named once, by a code such as zh or pt-BR."
            raise PylitError(Problem(f"language `{lang}`", 0, reason, hint))
    pages: dict[str, Page] = {}
    own = Page("", "404.html")
    taken = {own.url: own}
    for root, prefix in settings.roots:
        path = settings.base / root
        if not path.exists():
            raise PylitError(Problem(root, 0, "does not exist", "Name a Python file or a folder of them."))
        for found in sorted(_files(path)):
            name = found.relative_to(settings.base).as_posix()
            url = page_url(name, ((root, prefix),))
            page = Page(name, url)
            for address in (url, *(f"{lang}/{url}" for lang in settings.languages[1:])):
                # Some file systems do not tell capitals from small letters.
                other = taken.setdefault(address.casefold(), page)
                if other is not page:
                    owner = f"`{other.file}`" if other.file else "pylit's own"
                    reason = f"becomes the page `{address}`, as does {owner}"
                    raise PylitError(Problem(name, 0, reason, "Rename one."))
            pages[url] = page
    rank = {file: position for position, file in enumerate(settings.order)}
    for file in settings.order:
        if file not in {page.file for page in pages.values()}:
            raise PylitError(Problem(file, 0, "is in the reading order, but is no page", "Mend the order."))
    if settings.translating and settings.translating not in {page.file for page in pages.values()}:
        hint = "Name a page of the site, or leave the option out."
        raise PylitError(
            Problem(settings.translating, 0, "is to tell how to translate, but is no page", hint)
        )
    ordered = sorted(pages.values(), key=lambda p: (rank.get(p.file, len(rank)), _by_folder(p.url)))
    return Site(settings, ordered, store)


def find_loop(folder: Path) -> Path | None:
    """A link below `folder` that leads back to where it was reached from, so that who follows links never ends."""
    done: set[str] = set()

    def look(path: Path, above: frozenset[str]) -> Path | None:
        place = os.path.realpath(path)
        if any(one == place or one.startswith(os.path.join(place, "")) for one in above):
            return path
        if place in done:
            return None
        done.add(place)
        with suppress(OSError):  # a folder that cannot be read holds no page
            for child in sorted(path.iterdir()):
                if child.is_dir() and (found := look(child, above | {place})):
                    return found
        return None

    return look(folder, frozenset())


def _by_folder(url: str) -> list[tuple[bool, str]]:
    parts = url.split("/")
    return [(part != "index.html", part) for part in parts]


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        yield path
        return
    for child in path.iterdir():
        if child.name.startswith(".") or child.is_symlink():
            continue
        if child.is_dir():
            if child.name not in IGNORED:
                yield from _files(child)
        elif child.suffix in (".py", ".md") and child.is_file():
            yield child
