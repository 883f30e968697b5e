"""Translations: catalogs of prose, glossaries of terms, and the strings of the interface.

Provides the translation of a block, or the reason why there is none. Refuses a translation that loses a formula, code
or a link of its original.
"""

from .blocks import OBJECT, Block, blocks, is_translatable, words
from .catalog import (
    Catalog,
    State,
    catalog_as_json,
    catalog_from_json,
    catalog_path,
    load_catalog,
    parse_catalog,
)
from .glossary import Glossary, Term, parse_glossary
from .po import po_language, po_text, read_po
from .ui_strings import LOCALE, Gettext, catalog_file, direction, interface, native_name, translator

__all__ = [
    "LOCALE",
    "OBJECT",
    "Block",
    "Catalog",
    "Gettext",
    "Glossary",
    "State",
    "Term",
    "blocks",
    "catalog_as_json",
    "catalog_file",
    "catalog_from_json",
    "catalog_path",
    "direction",
    "interface",
    "is_translatable",
    "load_catalog",
    "native_name",
    "parse_catalog",
    "parse_glossary",
    "po_language",
    "po_text",
    "read_po",
    "translator",
    "words",
]
