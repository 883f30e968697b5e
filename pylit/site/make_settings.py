"""Makes the settings of a site from its configuration: of the whole site, or of some of its files only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..cache import Store, open_store
from ..defaults import CACHE, KATEX_CSS, KATEX_INTEGRITY, KATEX_LOCAL, Conventions
from ..filesystem import resolve_path
from ..notebook import resolve_requirement
from .config import Configuration
from .files import named_from
from .settings import Script, Settings


def site_settings(configuration: Configuration, *, preview: bool = False) -> Settings:
    """Make the settings of a whole site.

    Raises:
        PylitError: if notebooks need the URL of the repository, and it is not set.
    """
    options, base = configuration.options, resolve_path(configuration.base)
    guides = configuration.folder("docs_dir")
    if guides and "docs_dir" not in configuration.given and not guides.is_dir():
        guides = None
    docs = named_from(resolve_path(guides), base) if guides else ""
    settings = Settings(
        base=base,
        roots=(*((source, "") for source in options.sources), *([(docs, "")] if docs else [])),
        guides=docs,
        preview=preview,
        **_shared(configuration, preview=preview),
    )
    return configuration.added(settings) if configuration.added else settings


def pages_settings(paths: Sequence[Path], configuration: Configuration) -> Settings:
    """Make the settings of a site that contains only the files or folders `paths`.

    A single folder becomes the root of the site; several folders keep their names.

    Raises:
        PylitError: if notebooks need the URL of the repository, and it is not set.
    """
    base = resolve_path(configuration.base)
    full = [resolve_path(path) for path in paths]
    if not all(path.is_relative_to(base) for path in full):
        base = Path(os.path.commonpath([path.parent for path in full]))
    names = [path.relative_to(base).as_posix() for path in full]
    if len(full) == 1:
        roots: tuple[tuple[str, str], ...] = ((names[0], ""),)
    else:
        roots = tuple(
            (name, "" if path.is_file() else path.name) for name, path in zip(names, full, strict=True)
        )
    settings = Settings(base=base, roots=roots, **_shared(configuration, preview=False))
    if configuration.added is None:
        return settings
    whole = configuration.added(settings)
    return replace(settings, styles=whole.styles, scripts=whole.scripts)


def site_languages(configuration: Configuration) -> tuple[str, ...]:
    """Return the languages of a site, the language of the sources first."""
    source = configuration.options.source_lang
    if not source:
        return configuration.options.languages
    return (source, *(lang for lang in configuration.given.get("languages", ()) if lang != source))


def _shared(configuration: Configuration, *, preview: bool) -> dict[str, Any]:
    """Return the settings that do not depend on which files become pages."""
    options = configuration.options
    translations = configuration.folder("translations")
    named = configuration.given.get("title")
    commit = options.commit
    katex = options.katex_css or (KATEX_CSS if options.katex == "cdn" else KATEX_LOCAL)
    integrity = options.katex_integrity
    if integrity is None:
        integrity = KATEX_INTEGRITY if katex == KATEX_CSS else ""
    return {
        "languages": site_languages(configuration),
        "translations": translations if translations and os.path.isdir(translations) else None,
        "title": options.title,
        "title_file": configuration.path.name if configuration.path and named else "",
        "order": options.order,
        "exclude": options.exclude,
        "translating": options.translating,
        "catalog_lines": options.catalog_lines,
        "catalog_hints": options.catalog_hints,
        "site_url": options.site_url,
        "archive": options.archive,
        "repository": options.repository,
        "branch": options.branch,
        "source_link": options.source_link.replace("{commit}", commit or "{branch}"),
        "edit_link": options.edit_link.replace("{commit}", commit or "{branch}"),
        "katex_css": katex,
        "katex_integrity": integrity,
        "documented": options.documented,
        "manuals": options.manuals,
        "macros": options.macros,
        "conventions": Conventions(
            options.cells, options.fold_noise, options.dead_code, options.outputs, options.docstrings
        ),
        "search": find_spec("pagefind") is not None if options.search is None else options.search,
        "traces": configuration.folder("traces"),
        # Notebooks take as long as pages, and a preview shows pages.
        "notebooks": options.notebooks and not preview,
        "requirement": resolve_requirement(options.requirement, options.repository, commit),
        "run": {
            name: template.replace("{commit}", commit or "{branch}") for name, template in options.run.items()
        },
        "theme": configuration.folder("theme_dir"),
        "styles": options.extra_css,
        "scripts": tuple(Script(file, file.endswith(".mjs")) for file in options.extra_javascript),
    }


def site_store(configuration: Configuration) -> Store:
    """Open the cache of a site.

    Raises:
        PylitError: if the user has set a cache folder that cannot be used.
    """
    cache = configuration.options.cache
    folder = resolve_path(configuration.base) / CACHE if cache is None else configuration.folder("cache")
    return open_store(folder, configuration.base, is_asked=cache is not None)
