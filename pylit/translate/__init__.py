"""The work of the translators' commands: update catalogs, accept translations, count them.

Never loses a translation: one without a source is kept in its catalog as obsolete.
"""

from .add_language import add_language
from .changes import write_changes
from .progress import site_progress, total_progress
from .update import (
    accept,
    interface_changes,
    page_changes,
    pages_without_catalog,
    site_changes,
    stale_entries,
)

__all__ = [
    "accept",
    "add_language",
    "interface_changes",
    "page_changes",
    "pages_without_catalog",
    "site_changes",
    "site_progress",
    "stale_entries",
    "total_progress",
    "write_changes",
]
