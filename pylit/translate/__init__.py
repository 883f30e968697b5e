"""The work of the translators' commands: update catalogs, accept translations, count them.

Never loses a translation: one without a source is kept in its catalog as obsolete.
"""

from .add_language import add_language
from .changes import write_changes
from .progress import site_progress, total_progress, unfinished_entries
from .review import StaleEntry, accept, stale_entries
from .update import (
    interface_changes,
    page_changes,
    pages_without_catalog,
    site_changes,
)

__all__ = [
    "StaleEntry",
    "accept",
    "add_language",
    "interface_changes",
    "page_changes",
    "pages_without_catalog",
    "site_changes",
    "site_progress",
    "stale_entries",
    "total_progress",
    "unfinished_entries",
    "write_changes",
]
