"""Updates catalogs from the sources: adds new blocks, marks changed ones, and keeps removed ones as obsolete.

No translator's work is lost, and a second run changes nothing. References name definitions instead of lines, so that
editing code does not change catalogs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from ..errors import Problem, PylitError
from ..filesystem import is_entry, leads_away, locate, read_file
from ..i18n import BUTTONS, LOCALE, Block, PoCatalog, blocks, catalog_path, parse_po, po_text, read_po
from ..parsing import decode_utf8
from ..site import Page, Site, orphan_catalogs
from .changes import Change, write_changes
from .entries import MARKDOWN, PLAIN, Details
from .interface import interface_strings
from .merge import merge
from .renames import moved_catalogs

EMPTY: Mapping[str, str] = MappingProxyType({})


def site_changes(site: Site) -> list[Change]:
    """Return the changes that bring the existing catalogs of `site` in line with its sources, in all its languages.

    Catalogs of pages whose translation has not been started are not created; those of pages whose files were moved
    are moved too.

    Raises:
        PylitError: if a source or a catalog cannot be read.
    """
    changes = []
    for lang in site.settings.languages[1:]:
        moved = moved_catalogs(site, lang, site.pages)
        without = frozenset(pages_without_catalog(site, lang)) - moved.keys()
        pages = [page for page in site.pages if page not in without]
        changes += page_changes(site, lang, pages, moved)
    return changes


def update_pages(site: Site, lang: str, pages: Iterable[Page]) -> list[Path]:
    """Update or create the catalogs of `pages` in a language, and that of the site's title.

    Returns those that changed.

    Raises:
        PylitError: if a source or a catalog cannot be read. Then no catalog is changed.
    """
    return write_changes(page_changes(site, lang, pages))


def page_changes(
    site: Site, lang: str, pages: Iterable[Page], moved: Mapping[Page, Path] = MappingProxyType({})
) -> list[Change]:
    """Return the changes that update or create the catalogs of `pages` in a language, and that of the site's title.

    Catalogs in `moved` are those of the pages' earlier files.

    Raises:
        PylitError: if a source or a catalog cannot be read.
    """
    folder = site.settings.translations
    assert folder is not None
    changes = []
    name = project_name(site)
    base = site.files.root(folder)
    memory = translation_memory(memory_paths(site, lang), lang, base)
    details = catalog_details(site)
    for page in pages:
        found = list(blocks(site.sources.source(page.file)))
        path = place(site, lang, page.file)
        changes += updated(path, lang, found, name, memory, base, moved.get(page), details)
    if file := site.settings.title_file:
        changes += updated(
            place(site, lang, file), lang, title_blocks(site), name, base=base, details=details
        )
    return changes


def title_blocks(site: Site) -> list[Block]:
    """Return the texts of the settings that readers see."""
    return [Block(text, site.settings.title_file, 0, "") for text in site.settings.texts]


def catalog_details(site: Site) -> Details:
    """Return what entries of a site's catalogs tell of their blocks: by default little, so that few lines change."""
    settings = site.settings
    details = full_details(site) if settings.catalog_hints else PLAIN
    return replace(details, has_lines=settings.catalog_lines)


def full_details(site: Site) -> Details:
    """Return all that entries can tell of their blocks: that they are Markdown, and where the site shows them."""

    def address(block: Block) -> str:
        page = site.navigation.absolute(site.navigation.url(block.file, site.settings.languages[0]))
        anchor = site.sources.anchor(block.file, block.within) if page and block.within else ""
        return f"{page}#{anchor}" if anchor else page

    return Details(site.settings.catalog_lines, (MARKDOWN,), address=address)


INTERFACE_DETAILS = Details(limits=BUTTONS)


def project_name(site: Site) -> str:
    """Return the name of the project for new catalogs."""
    return site.settings.title or "pylit"


def memory_paths(site: Site, lang: str) -> list[Path]:
    """Return the catalogs of a language whose translations are known, whether they exist or not."""
    folder = site.settings.translations
    assert folder is not None
    catalogs = [catalog_path(folder, lang, page.file) for page in site.pages]
    return [*catalogs, *orphan_catalogs(site, lang)]


def place(site: Site, lang: str, file: str) -> Path:
    """Return the path of a file's catalog, for writing.

    Raises:
        PylitError: if it is outside the folder of translations.
    """
    folder = site.settings.translations
    assert folder is not None
    return site.files.locate(folder, catalog_path(PurePosixPath(), lang, file).as_posix())


def translation_memory(
    paths: Iterable[Path],
    lang: str,
    base: Path | None = None,
    read: Callable[[Path, str, Path | None], PoCatalog] = read_po,
) -> dict[str, str]:
    """Return the translations in the catalogs at `paths` below `base` by original text; obsolete ones have the lowest
    priority. Catalogs are read by `read`.

    Raises:
        PylitError: if a catalog does not parse.
    """
    catalogs = [read(path, lang, base) for path in paths if is_entry(path)]
    messages = [message for catalog in catalogs for message in catalog]
    messages += [message for catalog in catalogs for message in catalog.obsolete.values()]
    memory: dict[str, str] = {}
    for message in messages:
        if message.id and message.string and not message.fuzzy:
            memory.setdefault(str(message.id), str(message.string))
    return memory


def pages_without_catalog(site: Site, lang: str) -> list[Page]:
    """Return the pages whose translation into a language has not been started."""
    folder = site.settings.translations
    assert folder is not None
    return [page for page in site.pages if not catalog_path(folder, lang, page.file).is_file()]


def interface_changes(languages: Sequence[str]) -> list[Change]:
    """Return the changes that update the catalogs of the pages' own interface."""
    strings = list(interface_strings())
    return [
        change
        for lang in languages
        for change in updated(locate(LOCALE, f"{lang}.po"), lang, strings, details=INTERFACE_DETAILS)
    ]


def update(
    path: Path,
    lang: str,
    found: Iterable[Block],
    project: str = "pylit",
    memory: Mapping[str, str] = EMPTY,
    base: Path | None = None,
) -> list[Path]:
    """Update the catalog at `path`, as `updated` describes; return it in a list if it changed."""
    return write_changes(updated(path, lang, found, project, memory, base))


def updated(
    path: Path,
    lang: str,
    found: Iterable[Block],
    project: str = "pylit",
    memory: Mapping[str, str] = EMPTY,
    base: Path | None = None,
    moved_from: Path | None = None,
    details: Details = PLAIN,
) -> list[Change]:
    """Return the catalog at `path`, below `base`, in line with the blocks `found`; an empty list if it is already.

    Args:
        path: The catalog; it need not exist.
        lang: Its language.
        found: The blocks of the source.
        project: Name of the project for a new catalog.
        memory: Known translations; a new block gets one as a suggestion, marked fuzzy and without a previous msgid.
        base: The folder that the path must not leave.
        moved_from: The catalog of the source's earlier file, which this one replaces.
        details: What entries tell of their blocks.

    Raises:
        PylitError: if it does not parse, or is outside `base`.
    """
    catalog, text = read_existing(path, lang, base, moved_from)
    before = meaning(catalog)
    merge(catalog, found, memory, details)
    catalog.complete_header(project)
    is_layout = bool(text) and meaning(catalog) == before
    if po_text(catalog) == text and not moved_from:
        return []
    if text and not is_layout:
        catalog.revise()
    return [Change(path, po_text(catalog).encode(), is_layout and not moved_from, moved_from)]


def read_existing(
    path: Path, lang: str, base: Path | None = None, moved_from: Path | None = None
) -> tuple[PoCatalog, str]:
    """Return the catalog at `path`, or the one that it replaces, and its text; an empty one if there is none.

    Raises:
        PylitError: if it does not parse, or is outside `base`.
    """
    if base and leads_away(path, base):
        hint = "Remove the symlink, or name its target."
        raise PylitError(Problem(path.as_posix(), 0, "leads out of the project", hint))
    known = moved_from or path
    text = decode_utf8(read_file(known, base), known.as_posix()) if moved_from or is_entry(path) else ""
    if not text:
        return PoCatalog(lang, comment=[f"{path.stem}, {lang}"]), ""
    return parse_po(text.encode(), known.as_posix(), lang), text


def meaning(catalog: PoCatalog) -> object:
    """Return what a catalog says, without its layout: the translations, their state, and what they translate."""
    return (
        {text: (one.string, one.fuzzy, one.previous_id) for text, one in catalog.entries.items()},
        {text: one.string for text, one in catalog.obsolete.items() if one.string},
    )
