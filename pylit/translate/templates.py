"""Templates of catalogs, from which platforms and gettext's tools begin a translation: a `.pot` file for each page.

Their entries tell all that can be told of a block: flags, the code beside it, where it is shown. A template is written
only when its entries change.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ..errors import Problem, PylitError
from ..filesystem import is_entry, leads_away, locate, read_file
from ..i18n import LOCALE, Block, PoCatalog, blocks, parse_po, po_text
from ..parsing import decode_utf8
from ..site import Site
from .changes import Change
from .entries import Details, template
from .interface import interface_strings
from .update import INTERFACE_DETAILS, full_details, project_name, title_blocks

TEMPLATES = "templates"
"""The folder of the templates, beside those of the languages; no language has this code."""
INTERFACE = "pylit.pot"
"""The template of the interface, beside its catalogs."""


def template_folder(site: Site) -> Path:
    """Return the usual folder of a site's templates."""
    assert site.settings.translations is not None
    return site.settings.translations / TEMPLATES


def template_name(file: str) -> str:
    """Return the name of a file's template in their folder: `labml_nn/a.py` -> `labml_nn/a.pot`."""
    return PurePosixPath(file).with_suffix(".pot").as_posix()


def template_texts(site: Site) -> dict[str, list[Block]]:
    """Return the files of a site that have a template, with their blocks.

    Raises:
        PylitError: if a source cannot be read.
    """
    found = {page.file: list(blocks(site.sources.source(page.file))) for page in site.pages}
    if site.settings.title_file:
        found[site.settings.title_file] = title_blocks(site)
    return {file: texts for file, texts in found.items() if texts}


def orphan_templates(site: Site, folder: Path) -> list[Path]:
    """Return the templates in `folder` that belong to no file of the site.

    Raises:
        PylitError: if a source cannot be read.
    """
    known = {folder / template_name(file) for file in template_texts(site)}
    return sorted(path for path in folder.rglob("*.pot") if path not in known)


def template_changes(site: Site, folder: Path) -> list[Change]:
    """Return the changes that bring the templates in `folder` in line with the sources.

    Raises:
        PylitError: if a source or a template cannot be read, or `folder` has a file that is in the way.
    """
    details, name = full_details(site), project_name(site)
    changes: list[Change] = []
    for file, texts in template_texts(site).items():
        changes += _written(locate(folder, template_name(file)), texts, name, details, folder)
    if site.owns_engine and folder == template_folder(site):
        changes += _written(LOCALE / INTERFACE, interface_strings(), name, INTERFACE_DETAILS, LOCALE)
    return changes


def _written(path: Path, found: Iterable[Block], project: str, details: Details, base: Path) -> list[Change]:
    """Return a template as a change; an empty list if it has these entries already."""
    if leads_away(path, base):
        hint = "Remove the symlink, or name its target."
        raise PylitError(Problem(path.as_posix(), 0, "leads out of the folder", hint))
    before = decode_utf8(read_file(path, base), path.as_posix()) if is_entry(path) else ""
    catalog = PoCatalog("", comment=[f"Template of {path.stem}; `pylit update` writes it."])
    if before:
        catalog.header = parse_po(before.encode(), path.as_posix(), "en").header
    catalog.entries = template(found, details)
    catalog.complete_template_header(project)
    if po_text(catalog) == before:
        return []
    if before:
        catalog.revise_template()
    return [Change(path, po_text(catalog).encode(), is_layout=_ids(before, path) == list(catalog.entries))]


def _ids(text: str, path: Path) -> list[str]:
    return list(parse_po(text.encode(), path.as_posix(), "en").entries) if text else []
