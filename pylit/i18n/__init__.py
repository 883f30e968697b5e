"""Translations: catalogs of prose, glossaries of terms, and the strings of the interface.

Provides the translation of a block, or the reason why there is none. Refuses a translation that loses a formula, code
or a link of its original.
"""

from .blocks import OBJECT, Block, blocks, entry_id, is_translatable, leading_code, ordered_parts, words
from .catalog import (
    Catalog,
    State,
    catalog_as_json,
    catalog_from_json,
    catalog_path,
    load_catalog,
    misfits,
    parse_catalog,
)
from .glossary import Glossary, Term, parse_glossary
from .languages import (
    LANGUAGE,
    canonical_code,
    direction,
    is_alias,
    native_name,
)
from .marks import marked, turned
from .numbers import changed_numbers
from .po import po_language, read_po
from .po_catalog import PoCatalog
from .po_writer import po_text
from .ui_strings import LOCALE, Gettext, catalog_file, catalog_files, interface, translator

__all__ = [
    "LANGUAGE",
    "LOCALE",
    "OBJECT",
    "Block",
    "Catalog",
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
    "direction",
    "entry_id",
    "interface",
    "is_alias",
    "is_translatable",
    "leading_code",
    "load_catalog",
    "marked",
    "misfits",
    "native_name",
    "ordered_parts",
    "parse_catalog",
    "parse_glossary",
    "po_language",
    "po_text",
    "read_po",
    "translator",
    "turned",
    "words",
]
