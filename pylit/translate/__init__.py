"""The work of translators: update catalogs, save and accept translations, count them.

Never loses a translation: one without a source is kept in its catalog as obsolete.
"""

from .add_language import add_language
from .changes import write_changes
from .exchange import export_changes, import_changes
from .passages import CatalogReader, ConflictError, Passage, PassageCatalog, RefusedError, save_translation
from .platforms import platform_changes
from .progress import site_progress, total_progress, unfinished_entries
from .review import StaleEntry, accept, stale_entries
from .templates import orphan_templates, template_changes, template_folder
from .three_way import merge_catalogs
from .update import (
    interface_changes,
    page_changes,
    pages_without_catalog,
    site_changes,
)

__all__ = [
    "CatalogReader",
    "ConflictError",
    "Passage",
    "PassageCatalog",
    "RefusedError",
    "StaleEntry",
    "accept",
    "add_language",
    "export_changes",
    "import_changes",
    "interface_changes",
    "merge_catalogs",
    "orphan_templates",
    "page_changes",
    "pages_without_catalog",
    "platform_changes",
    "save_translation",
    "site_changes",
    "site_progress",
    "stale_entries",
    "template_changes",
    "template_folder",
    "total_progress",
    "unfinished_entries",
    "write_changes",
]
