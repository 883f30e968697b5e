"""Files of the user's theme folder other than templates, and the user's style sheets and scripts.

All files of the folder are published under the same paths, except templates and files that are not meant for readers.
Refuses style sheets and scripts that are not files of the project.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from ..cache import TEMPLATES, THEME
from ..errors import Problem, PylitError
from ..filesystem import AddressError, is_below, parse_address
from ..nearest import suggest
from .files import named_from
from .settings import Settings, file_url
from .site import Site

STYLES, SCRIPTS = (".css",), (".js", ".mjs")
"""Suffixes of style sheets; scripts' are in `SCRIPTS`."""
_TEMPLATES_ONLY = "partials"
"""A folder that contains only templates."""
_NOT_PUBLISHED = (".html", ".md", ".py", ".pyc")


@dataclass(frozen=True, slots=True)
class ScriptTag:
    """A user's script, as a page loads it."""

    address: str
    """Address relative to the root of the site."""
    is_module: bool
    is_async: bool


def theme_files(theme: Path | None) -> Iterator[str]:
    """Yield the addresses of the published files of a theme folder, in order.

    Raises:
        PylitError: if a file has a name that cannot be an address.
    """
    if theme is None:
        return
    ours = {path.name for path in THEME.iterdir() if path.suffix in TEMPLATES} | {"mkdocs_theme.yml"}
    for parent, folders, files in os.walk(theme):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        if Path(parent) == theme and _TEMPLATES_ONLY in folders:
            folders.remove(_TEMPLATES_ONLY)
        for name in sorted(files):
            path = PurePosixPath(Path(parent, name).relative_to(theme).as_posix())
            if name.startswith(".") or path.suffix in _NOT_PUBLISHED or str(path) in ours:
                continue
            try:
                yield parse_address(str(path))
            except AddressError as error:
                raise PylitError(
                    Problem(str(theme / path), 0, f"cannot be published: {error}", "Rename it.")
                ) from error


def style_addresses(settings: Settings) -> tuple[str, ...]:
    """Return the addresses of the user's style sheets, quoted, relative to the root of the site."""
    return tuple(quote(_address(settings, file)) for file in settings.styles)


def script_tags(settings: Settings) -> tuple[ScriptTag, ...]:
    """Return the user's scripts, with quoted addresses relative to the root of the site."""
    return tuple(
        ScriptTag(quote(_address(settings, script.file)), script.is_module, script.is_async)
        for script in settings.scripts
    )


def extra_copies(settings: Settings) -> dict[str, str]:
    """Return the style sheets and scripts outside the theme folder: address -> file."""
    files = [*settings.styles, *(script.file for script in settings.scripts)]
    return {_address(settings, file): file for file in files if not _in_theme(settings, file)}


def _in_theme(settings: Settings, file: str) -> str:
    """Return the address of a file of the theme folder; empty if it is not in there."""
    if settings.theme is None:
        return ""
    place, theme = os.path.abspath(settings.base / file), os.path.abspath(settings.theme)
    return Path(place).relative_to(theme).as_posix() if is_below(place, theme) else ""


def _address(settings: Settings, file: str) -> str:
    return _in_theme(settings, file) or file_url(file, settings.roots)


def check_theme(site: Site) -> None:
    """Check that the theme folder and the user's style sheets and scripts exist.

    Raises:
        PylitError: naming the first that does not.
    """
    settings = site.settings
    if settings.theme is not None and not settings.theme.is_dir():
        hint = "Name a folder of templates, style sheets and other files, or remove the option."
        raise PylitError(Problem(named_from(settings.theme, settings.base), 0, "is not a folder", hint))
    for file in settings.styles:
        _check(site, file, "style sheet", STYLES)
    for script in settings.scripts:
        _check(site, script.file, "script", SCRIPTS)


def _check(site: Site, file: str, kind: str, endings: tuple[str, ...]) -> None:
    if "://" in file or file.startswith("//"):
        reason = f"is on another host; a {kind} must be a file of the site"
        hint = "Download it to the folder of guides, and name that file: pages may not load files from other hosts."
        raise PylitError(Problem(file, 0, reason, hint))
    if not file.endswith(endings):
        raise PylitError(
            Problem(
                file, 0, f"is not a {kind}: its name does not end in {' or '.join(endings)}", "Rename it."
            )
        )
    if address := _in_theme(site.settings, file):
        is_there = address in theme_files(site.settings.theme)
    else:
        is_there = site.files.is_publishable(file)
    if is_there:
        return
    hint = suggest(file, _alike(site, endings), f"Create the {kind}, or remove it from the list.")
    raise PylitError(Problem(file, 0, f"{kind} not found", hint))


def _alike(site: Site, endings: tuple[str, ...]) -> Iterator[str]:
    """Yield the names of files with these endings below the site's roots and in its theme folder."""
    folders = [site.settings.base / root for root, _ in site.settings.roots]
    for folder in [*folders, *filter(None, [site.settings.theme])]:
        for path in sorted(folder.rglob("*")):
            if path.suffix in endings:
                yield named_from(path, site.settings.base)
