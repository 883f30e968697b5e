"""Checks all that can be known of a site without running its code. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import PylitError, Report
from .parameters import check_parameters
from .site import Page, Site
from .view import check_page


def check_site(site: Site, pages: Iterable[Page]) -> Report:
    """Check `pages` of a site in all its languages."""
    report = Report()
    for page in pages:
        check_page(site, page, report)
        if any(
            page.file.startswith(f"{folder}/") or page.file == folder for folder in site.settings.documented
        ):
            try:
                report.extend(check_parameters(site.source(page.file)))
            except PylitError:  # reported above, when the page was made
                continue
    return report
