"""Shows how far the pages of a site are translated: a table of the languages, and one of the pages for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..i18n import Counts, Gettext, marked


@dataclass(frozen=True, slots=True)
class PageStanding:
    """How far a page is translated into a language."""

    href: str
    """The address of the translated page."""
    title: str
    title_lang: str
    counts: Counts
    is_begun: bool
    """Whether it has a catalog."""
    waiting: str
    """Date since when something is out of date or not translated; empty if that is not known."""
    changed: str
    """Date of the last change of the translation; empty if that is not known."""
    people: tuple[str, ...]
    """Who has changed it, the last one first."""


@dataclass(frozen=True, slots=True)
class LanguageStanding:
    """How far a site is translated into a language."""

    lang: str
    name: str
    """The name of the language in that language."""
    badge: str
    """The address of its badge."""
    terms: int
    """Number of terms in its glossary."""
    pages: tuple[PageStanding, ...]

    @property
    def counts(self) -> Counts:
        """The numbers of all pages."""
        return sum((page.counts for page in self.pages), Counts())


def render_standing(languages: Sequence[LanguageStanding], gettext: Gettext, lang: str) -> Markup:
    """Render how far a site is translated, on a page in the language `lang`; its own table is open at first."""
    heads = [
        gettext("Language"),
        *_count_heads(gettext),
        gettext("Waiting since"),
        gettext("Last change"),
        gettext("Terms in the glossary"),
    ]
    rows = [
        [
            Markup('<a href="#{}"{}>{}</a>').format(_anchor(one.lang), marked(one.lang, lang), one.name),
            *_counts(one.counts),
            Markup.escape(min((page.waiting for page in one.pages if page.waiting), default="")),
            Markup.escape(max((page.changed for page in one.pages), default="")),
            Markup.escape(one.terms),
        ]
        for one in languages
    ]
    parts = [_table(heads, rows)]
    parts += [_pages(one, gettext, lang, is_open=one.lang == lang) for one in languages]
    return Markup().join(parts)


def _pages(one: LanguageStanding, gettext: Gettext, lang: str, *, is_open: bool) -> Markup:
    heads = [
        gettext("Page"),
        *_count_heads(gettext),
        gettext("Waiting since"),
        gettext("Last change"),
        gettext("By"),
    ]
    rows = [
        [
            Markup('<a href="{}"{}>{}</a>').format(page.href, marked(page.title_lang, lang), page.title),
            *_counts(page.counts),
            Markup.escape(page.waiting if page.is_begun else gettext("not begun")),
            Markup.escape(page.changed),
            Markup.escape(", ".join(page.people)),
        ]
        for page in one.pages
    ]
    badge = Markup('<img src="{}" alt="" height="20" loading="lazy">').format(one.badge) if one.badge else ""
    summary = Markup("<span{}>{}</span> {}").format(marked(one.lang, lang), one.name, badge)
    return Markup('<details class="standing"{}><summary>{}</summary>\n{}</details>\n').format(
        Markup(" open") if is_open else "", summary, _table(heads, rows, _anchor(one.lang))
    )


def _anchor(lang: str) -> str:
    """Return an anchor that no heading has."""
    return f":translations-{lang}"


def _count_heads(gettext: Gettext) -> list[str]:
    return [gettext("Passages"), gettext("Translated"), gettext("Out of date"), gettext("Missing")]


def _counts(counts: Counts) -> list[Markup]:
    percent = int(100 * counts.share)
    translated = Markup('<bdi dir="ltr">{} ({}%)</bdi>').format(counts.translated, percent)
    numbers = [counts.blocks, translated, counts.stale, counts.missing + counts.broken]
    return [Markup.escape(number) for number in numbers]


def _table(heads: Iterable[str], rows: Iterable[Sequence[Markup]], anchor: str = "") -> Markup:
    head = Markup().join(Markup("<th>{}</th>").format(cell) for cell in heads)
    body = Markup().join(
        Markup("<tr>{}</tr>\n").format(Markup().join(Markup("<td>{}</td>").format(cell) for cell in row))
        for row in rows
    )
    own = Markup(' id="{}"').format(anchor) if anchor else ""
    return Markup(
        '<div class="table standing"{} tabindex="0">'
        "<table><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table></div>\n"
    ).format(own, head, body)
