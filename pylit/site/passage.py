"""Renders a translation of a single passage of a page that is not in the catalog yet."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from ..errors import Problem, Report
from ..i18n import blocks
from ..parsing import References, Source
from ..rendering import ProseRenderer
from .crossrefs import CrossReferences
from .page import open_page
from .site import Page, Site


@dataclass(frozen=True)
class RenderedPassage:
    """The translation of a passage as HTML that is safe to show."""

    html: Markup
    problems: tuple[Problem, ...]
    """Those that the original does not have, such as a formula that is not valid."""


def render_passage(site: Site, page: Page, lang: str, text: str, translation: str) -> RenderedPassage:
    """Render a translation of the block `text` of a page into `lang`, as the page would show it.

    Raises:
        PylitError: if the page's file cannot be read or parsed.
    """
    source = site.sources.source(page.file)
    found = open_page(site, page, lang, Report())
    assert found is not None, "the file was just read"
    context = found.context
    if source.is_python:
        references = CrossReferences(site, page.file, lang)
        context.in_prose, context.refer = references.in_prose, references.refer
    context.line, context.within, defined = _place(source, text)
    context.report, context.anchors = Report(), set()  # both are the page's own
    renderer = ProseRenderer(context)
    renderer.original(text, defined)
    known = context.report.problems.copy()
    html = renderer.translation(translation, defined)
    return RenderedPassage(html, tuple(one for one in context.report.problems if one not in known))


def _place(source: Source, text: str) -> tuple[int, str, References | None]:
    """Return the line of a block, the definition that it belongs to, and the links that are defined for it."""
    for prose in source.prose:
        for token in prose.tokens:
            if token.type == "inline" and token.content == text:
                return token.meta["line"], prose.section.within, token.meta.get("references")
    found = next((block for block in blocks(source) if block.text == text), None)
    return (found.line, found.within, None) if found else (0, "", None)
