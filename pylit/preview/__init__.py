"""A live preview of a site: rebuilt on each save, served to this machine only, and showing the problems of its pages.

Provides `run_preview` and its server, with an editor of translations on the pages, and the rules that decide which
requests previews answer. Refuses requests for other hosts, of other sites, and for files outside the built site.
"""

from .hosts import is_allowed, is_hidden, refusal
from .preview import run_preview
from .server import PreviewServer, find_listen_address

__all__ = ["PreviewServer", "find_listen_address", "is_allowed", "is_hidden", "refusal", "run_preview"]
