"""How far the pages of a site are translated, for a page that shows it, and badges that tell it in a picture."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import east_asian_width

from markupsafe import escape

from ..errors import PylitError
from ..figures import LanguageStanding, PageStanding
from ..i18n import Counts
from ..resolve import relative_link
from .site import Page, Site

BADGES = "translations"
"""The folder of the badges on the site."""
_STEPS = ((90, "#2e7d32"), (50, "#8a6d00"), (0, "#b3401f"))
"""Percentage from which a badge has a colour."""


def find_standing(site: Site, page: Page, lang: str) -> list[LanguageStanding]:
    """Return how far the site is translated into each language, with addresses as seen from `page` in `lang`."""
    here = site.navigation.address(page, lang)
    return [
        LanguageStanding(
            other,
            site.translations.locale(other).name,
            relative_link(badge_url(other), here) if has_badges(site) else "",
            _terms(site, other),
            tuple(_pages(site, other, here, lang)),
        )
        for other in site.settings.languages[1:]
    ]


def _terms(site: Site, lang: str) -> int:
    try:
        return len(site.translations.glossary(lang).terms)
    except PylitError:  # reported by `check`
        return 0


def _pages(site: Site, lang: str, here: str, shown: str) -> Iterator[PageStanding]:
    progress = site.translations.progress(lang)
    for file in site.navigation.files():
        history = site.history.catalog(file, lang)
        title = site.translations.title(file, shown)
        counts = Counts(*progress.get(file, ()))
        yield PageStanding(
            relative_link(site.navigation.url(file, lang), here),
            title.text,
            title.lang,
            counts,
            site.files.has_file(site.translations.catalog_of(file, lang)),
            history.waiting,
            history.changed,
            history.people,
        )


def has_badges(site: Site) -> bool:
    """Return whether a site has badges: one for each language into which it is translated."""
    settings = site.settings
    return settings.translations is not None and len(settings.languages) > 1 and not settings.preview


def badge_url(lang: str) -> str:
    """Return the address of a language's badge, relative to the root of the site."""
    return f"{BADGES}/{lang}.svg"


def badge(site: Site, lang: str) -> str:
    """Draw the badge of a language: its name, and how much of the site is translated."""
    name, percent = site.translations.locale(lang).name, site.translations.percentage(lang)
    colour = next(colour for least, colour in _STEPS if percent >= least)
    value = f"{percent}%"
    left, right = _width(name) + 12, _width(value) + 12
    label = escape(f"{name}: {value}")
    side = ' direction="rtl"' if site.translations.locale(lang).direction == "rtl" else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20"'
        f' viewBox="0 0 {left + right} 20" role="img" aria-label="{label}"><title>{label}</title>'
        f'<rect width="{left + right}" height="20" rx="3" fill="#444"/>'
        f'<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{right - 3}z" fill="{colour}"/>'
        '<g fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14"{side} lang="{lang}">{escape(name)}</text>'
        f'<text x="{left + right / 2:g}" y="14">{value}</text></g></svg>\n'
    )


def _width(text: str) -> int:
    """Return about how many pixels a text is wide."""
    return sum(12 if east_asian_width(character) in "WF" else 7 for character in text)
