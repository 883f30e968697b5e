"""Translations: catalogs of prose, glossaries of terms, and the strings of the interface.

Provides the translation of a block, or the reason why there is none. Refuses a translation that loses a formula, code
or a link of its original.
"""

from .blocks import OBJECT, Block, blocks, entry_id, is_translatable, leading_code, ordered_parts, words
from .catalog import (
    NO_LINKS,
    Catalog,
    Counts,
    State,
    catalog_as_json,
    catalog_from_json,
    catalog_path,
    count_states,
    load_catalog,
    misfits,
    parse_catalog,
)
from .glossary import Glossary, Term, load_glossary, parse_glossary
from .languages import (
    LANGUAGE,
    canonical_code,
    direction,
    is_alias,
    native_name,
)
from .marks import marked, turned
from .numbers import changed_numbers
from .po import parse_po, po_language, read_po
from .po_catalog import PoCatalog
from .po_writer import po_text
from .ui_strings import BUTTONS, LOCALE, Gettext, catalog_file, catalog_files, interface, translator

__all__ = [
    "BUTTONS",
    "LANGUAGE",
    "LOCALE",
    "NO_LINKS",
    "OBJECT",
    "Block",
    "Catalog",
    "Counts",
    "Gettext",
    "Glossary",
    "PoCatalog",
    "State",
    "Term",
    "blocks",
    "canonical_code",
    "catalog_as_json",
    "catalog_file",
    "catalog_files",
    "catalog_from_json",
    "catalog_path",
    "changed_numbers",
    "count_states",
    "direction",
    "entry_id",
    "interface",
    "is_alias",
    "is_translatable",
    "leading_code",
    "load_catalog",
    "load_glossary",
    "marked",
    "misfits",
    "native_name",
    "ordered_parts",
    "parse_catalog",
    "parse_glossary",
    "parse_po",
    "po_language",
    "po_text",
    "read_po",
    "translator",
    "turned",
    "words",
]
