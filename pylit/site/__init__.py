"""Sites: which files become pages, at which addresses, in which languages, and how pages relate to each other.

Provides the user's `Configuration`, a `Site` found by `find_pages` from `Settings`, and complete pages. Records what
each page asks about the others, so that a build knows which pages to make again.
"""

from .config import (
    CONFIG_NAMES,
    OWN,
    Configuration,
    check_same,
    find_config,
    find_toml,
    key_line,
    parse_config,
    read_config,
    table_name,
)
from .definitions import STRUCTURE
from .discovery import find_loop, find_pages
from .files import CONTENT, files_asked, named_from
from .history import HEAD, head_state
from .make_settings import pages_settings, site_languages, site_settings, site_store
from .options import FILES, NAMES, PATHS, WHOLE, Given, StrPath, check_options
from .orphans import ORPHAN, orphan_catalogs
from .page import EDIT, check_page, listing_page, preview_page, render_notebook, render_page
from .passage import render_passage
from .settings import Page, Script, Settings
from .site import Site
from .standing import badge, badge_url, has_badges
from .starter import check_unconfigured, guess_project, write_project
from .templates import document, documents, extra_file, originals_url
from .theme_folder import extra_copies, theme_files
from .view import contents_page
from .walk import SUFFIXES
from .workbench import Workbench

__all__ = [
    "CONFIG_NAMES",
    "CONTENT",
    "EDIT",
    "FILES",
    "HEAD",
    "NAMES",
    "ORPHAN",
    "OWN",
    "PATHS",
    "STRUCTURE",
    "SUFFIXES",
    "WHOLE",
    "Configuration",
    "Given",
    "Page",
    "Script",
    "Settings",
    "Site",
    "StrPath",
    "Workbench",
    "badge",
    "badge_url",
    "check_options",
    "check_page",
    "check_same",
    "check_unconfigured",
    "contents_page",
    "document",
    "documents",
    "extra_copies",
    "extra_file",
    "files_asked",
    "find_config",
    "find_loop",
    "find_pages",
    "find_toml",
    "guess_project",
    "has_badges",
    "head_state",
    "key_line",
    "listing_page",
    "named_from",
    "originals_url",
    "orphan_catalogs",
    "pages_settings",
    "parse_config",
    "preview_page",
    "read_config",
    "render_notebook",
    "render_page",
    "render_passage",
    "site_languages",
    "site_settings",
    "site_store",
    "table_name",
    "theme_files",
    "write_project",
]
