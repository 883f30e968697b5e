"""Finds the files that become the pages of a site, and their addresses."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

from ..cache import Store
from ..errors import Problem, PylitError
from ..filesystem import is_below
from ..i18n import LANGUAGE, is_alias
from ..notebook import check_requirement
from ..parsing import refused_character
from ..tex import Macros, known_macros
from .addresses import assign_addresses
from .code_host import check_link
from .files import named_from
from .ignore_rules import exclude_rules
from .run_links import check_run
from .settings import Settings, page_url
from .site import Site
from .theme_folder import check_theme
from .walk import Walk
from .workbench import Workbench

ARCHIVE = re.compile(r"[\w-][\w.-]*\.zip")
LONGEST = 240
"""Maximum length in bytes of each part of a page's path, which leaves room for the suffixes of derived files."""


def find_pages(settings: Settings, store: Store | None = None, workbench: Workbench | None = None) -> Site:
    """Find all pages of a site.

    Args:
        settings: The settings of the site.
        store: The cache for results; by default none.
        workbench: In-memory cache; by default a new one.

    Raises:
        PylitError: if a root does not exist, two files would become the same page, the archive cannot be made, or
        notebooks would install something that is not pinned.
    """
    if name := settings.archive:
        if not ARCHIVE.fullmatch(name):
            hint = "Name it like my-site.zip; it is written to the root of the site."
            raise PylitError(Problem(f"archive `{name}`", 0, "is not a valid name for a zip file", hint))
        if not settings.site_url:
            hint = "Set `site_url`: pages in the archive link to the site for a newer one."
            raise PylitError(Problem(f"archive `{name}`", 0, "needs the URL of the site", hint))
    check_texts(settings)
    check_requirement(settings.requirement)
    for position, lang in enumerate(settings.languages):
        same = [other for other in settings.languages[:position] if is_alias(other, lang)]
        if not LANGUAGE.fullmatch(lang) or same:
            reason = f"is listed twice, also as {same[0]}" if same and same[0] != lang else "is listed twice"
            reason = reason if LANGUAGE.fullmatch(lang) else "is not a valid language code"
            hint = "List each language once, by a code such as zh or pt-BR."
            raise PylitError(Problem(f"language `{lang}`", 0, reason, hint))
    walk = Walk(settings.base, exclude_rules(settings.exclude, settings.base))
    found: dict[str, tuple[str, str]] = {}
    for root, prefix in settings.roots:
        path = settings.base / root
        if reason := _no_root(path):
            raise PylitError(Problem(root, 0, reason, "Name a Python file or a folder of them."))
        if not is_below(os.path.abspath(path), os.path.abspath(settings.base)):
            hint = f"Name a folder in {settings.base}, or a Python file."
            raise PylitError(Problem(root, 0, "is outside the project", hint))
        for file in walk.files(path):
            name = file.relative_to(settings.base).as_posix()
            if name in settings.excluded:
                continue
            if reason := _unusable(name, page_url(name, ((root, prefix),))):
                shown = name.encode("utf-8", "backslashreplace").decode()
                walk.problems.append(Problem(shown, 0, f"cannot become a page: {reason}", "Rename it."))
                continue
            found.setdefault(name, (root, prefix))  # it may be below two roots
    pages, clashes = assign_addresses(found, settings.languages)
    problems = [*walk.problems, *clashes]
    for message in known_macros(settings.macros, Macros()):
        hint = "Write it like R = '\\mathbb{R}'. Formulas are typeset without it."
        problems.append(Problem("setting macros", 0, message, hint))
    files = {page.file for page in pages}
    rank = {file: position for position, file in enumerate(settings.order)}
    for name in settings.order:
        if name not in files:
            raise PylitError(Problem(name, 0, "is in the reading order, but is not a page", "Fix the order."))
    if settings.translating and settings.translating not in files:
        hint = "Name a page of the site, or remove the option."
        raise PylitError(
            Problem(settings.translating, 0, "is the value of `translating`, but is not a page", hint)
        )
    ordered = sorted(pages, key=lambda p: (rank.get(p.file, len(rank)), _by_folder(p.url)))
    site = Site(settings, ordered, store, problems, workbench)
    check_theme(site)
    return site


def _no_root(path: Path) -> str:
    """Return the reason why a path cannot be a root; empty if it can."""
    try:
        if path.is_file() or path.is_dir():
            return ""
        return "is neither a file nor a folder" if path.exists() else "does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _unusable(name: str, url: str) -> str:
    """Return the reason why a file with this name cannot become a page; empty if it can."""
    if any(
        "\udc80" <= character <= "\udcff" for character in name
    ):  # Python's representation of an undecodable byte
        return "its name is not UTF-8"
    if any(character < " " or refused_character(character) for character in name):
        return "its name has a control character"
    if any(len(part.encode()) > LONGEST for part in url.split("/")):
        return f"its name is longer than {LONGEST} bytes"
    return ""


def check_texts(settings: Settings) -> None:
    """Refuse settings that a page cannot contain, and addresses that are not valid.

    Raises:
        PylitError: naming the setting.
    """
    if not settings.languages:
        raise PylitError(Problem("setting languages", 0, "is empty", "Write it like [en, zh]."))
    texts = {field.name: getattr(settings, field.name) for field in fields(settings)}
    named = [(name, text) for name, text in texts.items() if isinstance(text, str)]
    for name, path in texts.items():
        if isinstance(path, Path) and name != "base":
            named.append((name, named_from(path, settings.base)))
    named += [(f"run `{name}`", f"{name} {template}") for name, template in settings.run.items()]
    named += [(f"manuals `{pattern}`", address) for pattern, address in settings.manuals.items()]
    for name, text in named:
        if character := refused_character(text):
            raise PylitError(Problem(f"setting {name}", 0, f"contains {character}, which a page cannot show"))
        try:
            if name in ("site_url", "repository", "katex_css", "source_link", "edit_link"):
                _ = urlsplit(text).port
        except ValueError as error:
            hint = "Write it like https://example.org/."
            raise PylitError(
                Problem(f"setting {name}", 0, f"`{text}` is not an address: {error}", hint)
            ) from error
        if name in ("source_link", "edit_link") and text:
            check_link(name, text)
    for name, template in settings.run.items():
        check_run(name, template, settings.site_url)


def find_loop(folder: Path) -> Path | None:
    """Return a symlink below `folder` that leads back to one of its parents, so that following it never ends."""
    done: set[str] = set()

    def look(path: Path, above: frozenset[str]) -> Path | None:
        place = os.path.realpath(path)
        if any(is_below(one, place) for one in above):
            return path
        if place in done:
            return None
        done.add(place)
        with suppress(OSError):  # a folder that cannot be read contributes no pages
            for child in sorted(path.iterdir()):
                if child.is_dir() and (found := look(child, above | {place})):
                    return found
        return None

    return look(folder, frozenset())


def _by_folder(url: str) -> list[tuple[bool, str]]:
    parts = url.split("/")
    return [(part != "index.html", part) for part in parts]
