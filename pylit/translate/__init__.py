"""The work of the translators' commands: update catalogs, accept translations, count them.

Never loses a translation: one without a source is kept in its catalog as obsolete.
"""

from .add_language import add_language
from .progress import site_progress, total_progress
from .update import accept, pages_without_catalog, stale_entries, update_interface, update_pages, update_site

__all__ = [
    "accept",
    "add_language",
    "pages_without_catalog",
    "site_progress",
    "stale_entries",
    "total_progress",
    "update_interface",
    "update_pages",
    "update_site",
]
