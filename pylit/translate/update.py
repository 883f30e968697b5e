"""Updates catalogs from the sources: adds new blocks, marks changed ones, and keeps removed ones as obsolete.

No translator's work is lost, and a second run changes nothing. References name definitions instead of lines, so that
editing code does not change catalogs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from babel.messages.catalog import Catalog as BabelCatalog
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from ..cache import PACKAGE, THEME
from ..errors import Problem, PylitError
from ..filesystem import is_entry, leads_away, locate, read_file, write_file
from ..i18n import LOCALE, Block, blocks, catalog_path, native_name, po_language, po_text, read_po
from ..parsing import decode_utf8
from ..site import Page, Site

EMPTY: Mapping[str, str] = MappingProxyType({})
CODE_LINES = 6
"""Maximum number of lines of code shown to the translator with a block."""


def update_site(site: Site) -> list[Path]:
    """Update the existing catalogs of `site` in all its languages; return those that changed.

    Catalogs of pages whose translation has not been started are not created.

    Raises:
        PylitError: if a source or a catalog cannot be read.
    """
    changed = []
    for lang in site.settings.languages[1:]:
        without = frozenset(pages_without_catalog(site, lang))
        changed += update_pages(site, lang, (page for page in site.pages if page not in without))
    return changed


def update_pages(site: Site, lang: str, pages: Iterable[Page]) -> list[Path]:
    """Update or create the catalogs of `pages` in a language, and that of the site's title.

    Returns those that changed.

    Raises:
        PylitError: if a source or a catalog cannot be read.
    """
    folder = site.settings.translations
    assert folder is not None
    changed = []
    name = site.settings.title or "pylit"
    base = site.files.root(folder)
    memory = translation_memory([catalog_path(folder, lang, page.file) for page in site.pages], lang, base)
    for page in pages:
        found = list(blocks(site.sources.source(page.file)))
        changed += update(_place(site, lang, page.file), lang, found, name, memory, base)
    if file := site.settings.title_file:
        texts = [Block(text, file, 0, "") for text in site.settings.texts]
        changed += update(_place(site, lang, file), lang, texts, name, base=base)
    return changed


def _place(site: Site, lang: str, file: str) -> Path:
    """Return the path of a file's catalog, for writing.

    Raises:
        PylitError: if it is outside the folder of translations.
    """
    folder = site.settings.translations
    assert folder is not None
    return site.files.locate(folder, catalog_path(PurePosixPath(), lang, file).as_posix())


def translation_memory(paths: Iterable[Path], lang: str, base: Path | None = None) -> dict[str, str]:
    """Return the translations in the catalogs at `paths` below `base` by original text; obsolete ones have the lowest
    priority.

    Raises:
        PylitError: if a catalog does not parse.
    """
    catalogs = [read_po(path, lang, base) for path in paths if is_entry(path)]
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


def update_interface(languages: Sequence[str]) -> list[Path]:
    """Update the catalogs of the pages' own interface; return those that changed."""
    strings = list(interface_strings())
    return [path for lang in languages for path in update(locate(LOCALE, f"{lang}.po"), lang, strings)]


def interface_strings() -> Iterator[Block]:
    """Yield the strings of the theme's templates, and those that the engine writes on pages."""
    environment = Environment()
    for path in sorted(THEME.rglob("*.html")):
        tree = environment.parse(path.read_text("utf-8"))
        for line, _, message in extract_from_ast(tree, gettext_functions=("_", "gettext")):
            if isinstance(message, str):
                yield Block(message, f"pylit/theme/{path.relative_to(THEME).as_posix()}", line, "")
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text("utf-8")
        for match in re.finditer(r'gettext(?:\(lang\))?\(\s*"([^"]+)"\s*\)', text):
            yield Block(match.group(1), f"pylit/{path.name}", 0, "")


def update(
    path: Path,
    lang: str,
    found: Iterable[Block],
    project: str = "pylit",
    memory: Mapping[str, str] = EMPTY,
    base: Path | None = None,
) -> list[Path]:
    """Update the catalog at `path`, below `base`, from the blocks `found`; return it in a list if it changed.

    Args:
        path: The catalog; created if it does not exist.
        lang: Its language.
        found: The blocks of the source.
        project: Name of the project for a new catalog.
        memory: Known translations; a new block gets one as a suggestion, marked fuzzy and without a previous msgid.
        base: The folder that the path must not leave.

    Raises:
        PylitError: if it does not parse, or is outside `base`.
    """
    if base and leads_away(path, base):
        hint = "Remove the symlink, or name its target."
        raise PylitError(Problem(path.as_posix(), 0, "leads out of the project", hint))
    template = BabelCatalog(locale=lang, fuzzy=False)
    for block in found:
        reference = f"{block.file}:{block.within}" if block.within else block.file
        template.add(block.text, locations=[(reference, None)], auto_comments=_code(block))  # type: ignore[list-item]
    before = ""
    if is_entry(path):
        catalog = read_po(path, lang, base)
        before = decode_utf8(read_file(path, base), path.as_posix())
    if not before:
        catalog = BabelCatalog(locale=lang, fuzzy=False)
    if not before:
        catalog.project, catalog.version = project, "1"
        # Without these addresses, every tool would ask for them.
        catalog.last_translator = f"{project} translators <noreply@example.org>"
        catalog.language_team = f"{native_name(lang)} <noreply@example.org>"
        catalog.msgid_bugs_address = "noreply@example.org"
        catalog.header_comment = f"# {path.stem}, {catalog.locale_identifier}"
    for gone, message in list(catalog.obsolete.items()):
        if catalog.get(gone) is None:
            catalog[gone] = message  # it may have returned, or match a similar block
    catalog.obsolete.clear()
    dates = catalog.creation_date, catalog.revision_date
    previous = {
        message.id: message.previous_id for message in catalog if message.fuzzy and message.previous_id
    }
    catalog.update(template)
    for message in catalog:
        if not message.fuzzy:
            continue
        # The previous msgid is the original that the translation was correct for, not one in between.
        last = message.previous_id[0] if message.previous_id else message.id
        message.previous_id = previous.get(last, message.previous_id)
        if message.previous_id == [message.id]:
            message.flags.discard("fuzzy")  # the original was restored
            message.previous_id = []
    for message in catalog:
        if message.id and not message.string and (known := memory.get(str(message.id))):
            message.string = known
            message.flags.add("fuzzy")
    for gone, message in list(catalog.obsolete.items()):
        if not message.string:
            del catalog.obsolete[gone]  # there is no translation to lose
    catalog.creation_date, catalog.revision_date = dates
    text = po_text(catalog)
    if text == before:
        return []
    catalog.revision_date = datetime.now(UTC)
    write_file(path, po_text(catalog).encode())
    return [path]


@dataclass(frozen=True)
class StaleEntry:
    """A translation whose original has changed."""

    line: int
    """Its line in the catalog."""
    text: str
    """The current original."""


def stale_entries(path: Path) -> list[StaleEntry]:
    """Return the stale entries of the catalog at `path`.

    Raises:
        PylitError: if it does not parse.
    """
    messages = read_po(path, po_language(path))
    return [
        StaleEntry(message.lineno or 0, str(message.id))
        for message in messages
        if message.id and message.fuzzy and message.string
    ]


def accept(path: Path, lines: Collection[int]) -> int:
    """Mark the stale entries of a catalog that start at `lines` as correct; return their number.

    Raises:
        PylitError: if it does not parse.
    """
    catalog = read_po(path, po_language(path))
    accepted = 0
    for message in catalog:
        if message.id and message.fuzzy and message.lineno in lines:
            message.flags.discard("fuzzy")
            message.previous_id = []
            accepted += 1
    if accepted:
        catalog.revision_date = datetime.now(UTC)
        write_file(path, po_text(catalog).encode())
    return accepted


def _code(block: Block) -> list[str]:
    lines = [line for line in block.code.split("\n") if line.strip()]
    return lines[:CODE_LINES] + ["…"] * (len(lines) > CODE_LINES)
