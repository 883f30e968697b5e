"""Brings catalogs in line with the sources: new blocks are added, changed ones marked, gone ones kept aside.

Nothing a translator wrote is lost, and a second run changes nothing. References name definitions and not lines, so
that editing code leaves catalogs alone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from babel.messages.catalog import Catalog as BabelCatalog
from babel.messages.pofile import normalize, write_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from .catalog import catalog_path, read_messages
from .engine import THEME
from .interface import LOCALE, native_name
from .model import Block
from .prose import blocks
from .site import Page, Site

WIDTH = 100
"""Columns of a catalog."""
EMPTY: Mapping[str, str] = MappingProxyType({})
CODE_LINES = 6
"""Lines of code shown to the translator beside a block."""


def update_site(site: Site) -> list[Path]:
    """Update the catalogs that `site` has, in all its languages; return those that changed.

    A page that nobody has begun to translate needs no catalog, and gets none here.

    Raises:
        PylitError: if a source or a catalog cannot be read.
    """
    changed = []
    for lang in site.settings.languages[1:]:
        without = frozenset(pages_without_catalog(site, lang))
        changed += update_pages(site, lang, (page for page in site.pages if page not in without))
    return changed


def update_pages(site: Site, lang: str, pages: Iterable[Page]) -> list[Path]:
    """Update the catalogs of `pages` in a language, and that of the site's title, or make them.

    Returns those that changed.

    Raises:
        PylitError: if a source or a catalog cannot be read.
    """
    folder = site.settings.translations
    assert folder is not None
    changed = []
    name = site.settings.title or "pylit"
    memory = translation_memory([catalog_path(folder, lang, page.file) for page in site.pages], lang)
    for page in pages:
        found = list(blocks(site.source(page.file)))
        changed += update(catalog_path(folder, lang, page.file), lang, found, name, memory)
    if file := site.settings.title_file:
        title = [Block(site.settings.title, file, 0, "")]
        changed += update(catalog_path(folder, lang, file), lang, title, name)
    return changed


def translation_memory(paths: Iterable[Path], lang: str) -> dict[str, str]:
    """What the catalogs at `paths` translate, by its English; what they only keep aside comes last.

    Raises:
        PylitError: if one does not parse.
    """
    catalogs = [read_messages(path, lang) for path in paths if path.is_file()]
    messages = [message for catalog in catalogs for message in catalog]
    messages += [message for catalog in catalogs for message in catalog.obsolete.values()]
    memory: dict[str, str] = {}
    for message in messages:
        if message.id and message.string and not message.fuzzy:
            memory.setdefault(str(message.id), str(message.string))
    return memory


def pages_without_catalog(site: Site, lang: str) -> list[Page]:
    """The pages that nobody has begun to translate into a language."""
    folder = site.settings.translations
    assert folder is not None
    return [page for page in site.pages if not catalog_path(folder, lang, page.file).is_file()]


def update_interface(languages: Sequence[str]) -> list[Path]:
    """Update the catalogs of the pages' own interface; return those that changed."""
    strings = list(interface_strings())
    return [path for lang in languages for path in update(LOCALE / f"{lang}.po", lang, strings)]


def interface_strings() -> Iterator[Block]:
    """Yield the strings of the theme's templates, and those that the engine itself says on pages."""
    environment = Environment()
    for path in sorted(THEME.glob("*.html")):
        tree = environment.parse(path.read_text("utf-8"))
        for line, _, message in extract_from_ast(tree, gettext_functions=("_", "gettext")):
            if isinstance(message, str):
                yield Block(message, f"pylit/theme/{path.name}", line, "")
    for path in sorted(Path(__file__).parent.glob("*.py")):
        text = path.read_text("utf-8")
        for match in re.finditer(r'gettext(?:\(lang\))?\(\s*"([^"]+)"\s*\)', text):
            yield Block(match.group(1), f"pylit/{path.name}", 0, "")


def update(
    path: Path,
    lang: str,
    found: Iterable[Block],
    project: str = "pylit",
    memory: Mapping[str, str] = EMPTY,
) -> list[Path]:
    """Bring the catalog at `path` in line with `found`; return it in a list if it changed.

    `project` is what a new catalog says it belongs to. A block that is new here and known to `memory` is given that
    translation as a suggestion: it is fuzzy, without the mark of what it was before.

    Raises:
        PylitError: if it does not parse.
    """
    template = BabelCatalog(locale=lang, fuzzy=False)
    for block in found:
        reference = f"{block.file}:{block.within}" if block.within else block.file
        template.add(block.text, locations=[(reference, None)], auto_comments=_code(block))  # type: ignore[list-item]
    before = path.read_text("utf-8") if path.is_file() else ""
    catalog = read_messages(path, lang) if before else BabelCatalog(locale=lang, fuzzy=False)
    if not before:
        catalog.project, catalog.version = project, "1"
        # Addresses that nobody reads would only be asked for again by every tool.
        catalog.last_translator = f"{project} translators <noreply@example.org>"
        catalog.language_team = f"{native_name(lang)} <noreply@example.org>"
        catalog.msgid_bugs_address = "noreply@example.org"
        catalog.header_comment = f"# {path.stem}, {catalog.locale_identifier}"
    for gone, message in list(catalog.obsolete.items()):
        if catalog.get(gone) is None:
            catalog[gone] = message  # it may have come back, or help to translate something like it
    catalog.obsolete.clear()
    dates = catalog.creation_date, catalog.revision_date
    previous = {
        message.id: message.previous_id for message in catalog if message.fuzzy and message.previous_id
    }
    catalog.update(template)
    for message in catalog:
        if not message.fuzzy:
            continue
        # What a translation translates is the English it was last right for, not one in between.
        last = message.previous_id[0] if message.previous_id else message.id
        message.previous_id = previous.get(last, message.previous_id)
        if message.previous_id == [message.id]:
            message.flags.discard("fuzzy")  # the English is again what it was
            message.previous_id = []
    for message in catalog:
        if message.id and not message.string and (known := memory.get(str(message.id))):
            message.string = known
            message.flags.add("fuzzy")
    for gone, message in list(catalog.obsolete.items()):
        if not message.string:
            del catalog.obsolete[gone]  # nobody wrote anything that could be lost
    catalog.creation_date, catalog.revision_date = dates
    text = _text(catalog)
    if text == before:
        return []
    catalog.revision_date = datetime.now(UTC)
    write_whole(path, _text(catalog))
    return [path]


@dataclass(frozen=True)
class StaleEntry:
    """A translation whose English has changed since."""

    line: int
    """Its line in the catalog."""
    text: str
    """The English as it is now."""


def stale_entries(path: Path) -> list[StaleEntry]:
    """The stale entries of the catalog at `path`.

    Raises:
        PylitError: if it does not parse.
    """
    messages = read_messages(path, _language(path))
    return [
        StaleEntry(message.lineno or 0, str(message.id))
        for message in messages
        if message.id and message.fuzzy and message.string
    ]


def accept(path: Path, lines: Collection[int]) -> int:
    """Take the stale entries of a catalog that begin at `lines` for right as they are; return how many were.

    Raises:
        PylitError: if it does not parse.
    """
    catalog = read_messages(path, _language(path))
    accepted = 0
    for message in catalog:
        if message.id and message.fuzzy and message.lineno in lines:
            message.flags.discard("fuzzy")
            message.previous_id = []
            accepted += 1
    if accepted:
        catalog.revision_date = datetime.now(UTC)
        write_whole(path, _text(catalog))
    return accepted


def _language(path: Path) -> str:
    """The language that a catalog says it is in."""
    found = re.search(r'^"Language: ([\w-]+)', path.read_text("utf-8-sig"), re.MULTILINE)
    return found.group(1).replace("_", "-") if found else "en"


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is always whole, the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(text, "utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _code(block: Block) -> list[str]:
    lines = [line for line in block.code.split("\n") if line.strip()]
    return lines[:CODE_LINES] + ["…"] * (len(lines) > CODE_LINES)


def _text(catalog: BabelCatalog) -> str:
    """The catalog as a file.

    Babel would wrap the previous msgids like comments, through the middle of their strings, so they are put in here.
    """
    for message in catalog:
        message.flags -= {"python-format", "python-brace-format"}  # Babel's guess, from "3.57 % on ImageNet"
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=WIDTH)
    text = buffer.getvalue().decode()
    for message in catalog:
        if message.id and message.previous_id and message.fuzzy:
            entry = f"\nmsgid {normalize(str(message.id), width=WIDTH)}\n"
            previous = f"msgid {normalize(message.previous_id[0], width=WIDTH)}"
            assert text.count(entry) == 1
            text = text.replace(entry, "".join(f"\n#| {line}" for line in previous.split("\n")) + entry)
    return text
