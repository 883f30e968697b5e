"""Writes the text of a block as self-contained Markdown in one language, for notebooks.

Links become absolute, images are embedded, and text that other renderers would interpret (a lone `$`, a forbidden tag,
a link to a script) is escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence

from ..errors import FormulaError
from ..parsing import (
    References,
    Span,
    SpanKind,
    Tag,
    cjk_marks,
    find_spans,
    formula_at,
    parse_inline,
    plain_text,
)
from ..rendering import (
    Context,
    RawHtml,
    RawPicture,
    balance,
    is_elsewhere,
    link_to_picture,
    resolve_link,
    show_picture,
    translate,
)
from ..tex import REFERS
from . import escaping
from .standalone_svg import embedded_picture

_REFERENCE = re.compile(r"\\pylitref\{[^{}\\]*\}\{([^{}\\]*)\}")
MakeAbsolute = Callable[[str], str]
"""Makes an address on the page absolute."""


class InlineWriter:
    """A writer of the text of the blocks of one page."""

    def __init__(self, context: Context, address: MakeAbsolute) -> None:
        self.context = context
        self.address = address
        self.in_code = False
        """Whether the text goes between lines of code, where nothing is typeset."""
        self.raw = RawHtml(context, self._raw_picture, address, has_anchors=False)

    def words(self, text: str) -> str:
        """Return a block in the page's language as plain text."""
        return plain_text(self._translated(text))

    def _translated(self, text: str) -> str:
        """Return a block in the page's language; the original if the translation is stale."""
        shown = translate(self.context, text).current
        is_original = shown is text
        return shown if is_original or self.in_code else escaping.one_line(shown)

    def inline(self, text: str, *, in_table: bool = False, references: References | None = None) -> str:
        """Return the text of a block in the page's language, with absolute links and embedded images."""
        text = self._translated(text)
        pieces: dict[int, tuple[int, str]] = {}
        taken: list[tuple[int, int]] = []
        found = find_spans(text, references)
        standing = _standing(text, found)
        in_link = bytearray(len(text))
        for span in found:
            if span.kind is SpanKind.LINK:
                in_link[span.start : span.label] = b"\1" * (span.label - span.start)
        for span in found:
            match span.kind:
                case SpanKind.LINK:
                    href = self._link(span)
                    pieces[span.label] = (span.end, f"]({href})" if href else "")
                    if not href:
                        pieces[span.start] = (span.start + 1, "")
                    taken.append((span.label, span.end))
                case SpanKind.IMAGE:
                    pieces[span.start] = (span.end, self._picture(span, is_in_link=bool(in_link[span.start])))
                    taken.append((span.start, span.end))
                case SpanKind.HTML if not self.in_code:
                    if tag := standing.get(span.start):
                        new = self.raw.tag(tag, is_in_link=bool(in_link[span.start]))
                        pieces[span.start] = (span.end, new)
                    else:
                        continue  # escaped below, like text that only looks like a tag
                    taken.append((span.start, span.end))
                case SpanKind.FORMULA if not self.in_code:
                    pieces[span.start] = (span.end, self._in_dollars(text, span, in_table=in_table))
                    taken.append((span.start, span.end))
                case SpanKind.NOTE if not self.in_code:
                    pieces[span.start] = (span.end, self._note(text[span.start : span.end]))
                    taken.append((span.start, span.end))
                case _:
                    taken.append((span.start, span.end))
        if not self.in_code:
            # Jupyter knows neither how such emphasis begins and ends nor that slanted characters are hard to read.
            for start, end, is_opening in cjk_marks(parse_inline(text, references)):
                pieces[start] = (end, "<strong>" if is_opening else "</strong>")
            covered = bytearray(len(text))
            for start, end in taken:
                covered[start:end] = b"\1" * (end - start)
            for place, is_tag in escaping.live(text):
                if not covered[place if is_tag else place - 1]:
                    pieces.setdefault(place, (place, "\\"))
            for mark in "$|" if in_table else "$":
                for place in _places(mark, text, 0, len(text)):
                    if mark == "|" or not covered[place]:
                        pieces.setdefault(place, (place, "\\"))
        return _replaced(text, pieces)

    def _note(self, reference: str) -> str:
        """Return a reference to a footnote as text: Jupyter knows no footnotes, and cells have no anchors."""
        label = reference[2:-1]
        return f"[{label}]" if label.isdecimal() or label in self.context.notes else reference

    def _link(self, span: Span) -> str:
        """Return the target of a link and its title; empty if the link is broken."""
        href = resolve_link(self.context, span.target, span.title)
        if not href:
            return ""
        href = self.address(href)
        href = href if self.in_code else escaping.address(href)
        return f"{href} {escaping.title(span.title)}" if span.title else href

    def _picture(self, span: Span, *, is_in_link: bool) -> str:
        if self.in_code:
            return span.words
        if is_elsewhere(span.target):
            href = link_to_picture(self.context, span.target, span.title)
            words = plain(span.words or span.title or span.target)
            return f"[{words}]({escaping.address(href)})" if href and not is_in_link else words
        address = show_picture(self.context, span.target, span.title, embedded_picture, str)
        if address is None:
            return plain(span.words)
        picture = picture_tag(address, span.words)
        return f"{picture}\n\n<em>{plain(span.title)}</em>" if span.title else picture

    def formula(self, tex: str, *, display: bool) -> str:
        """Return a formula that needs no macros, labels and style sheets; as written if the page reports it."""
        try:
            found = self.context.equations.prepare(tex, self.context.line, display=display)
        except FormulaError:
            return tex
        return found.link[1] if found.link else _REFERENCE.sub(r"\\text{\1}", found.tex)

    def _in_dollars(self, text: str, span: Span, *, in_table: bool) -> str:
        """Return a formula with the delimiters that Jupyter knows."""
        found = formula_at(text, span.start)
        assert found is not None
        tex = self.formula(found.tex, display=found.display)
        if REFERS.fullmatch(found.tex.strip()) and tex != found.tex:
            return tex
        if not tex:
            return ""
        is_ours = not found.markup.startswith("$")
        tex = escaping.formula(tex.strip() if is_ours else tex)
        mark = "$$" if found.display else "$"
        if in_table:
            tex = _without_bars(tex) if is_ours else re.sub(r"(?<!\\)\|", r"\\vert ", tex)
        return mark + tex + mark

    def _raw_picture(self, picture: RawPicture) -> str:
        """Return a picture of raw HTML: a notebook has one for both themes."""
        if picture.mode == "dark":
            return ""
        target = picture.target
        if is_elsewhere(target):
            href = link_to_picture(self.context, target, picture.title)
            words = html.escape(picture.alternative or picture.title or target)
            return (
                f'<a href="{html.escape(self.address(href))}">{words}</a>'
                if href and not picture.is_in_link
                else words
            )
        address = show_picture(self.context, target, picture.title, embedded_picture, str)
        if address is None:
            return html.escape(picture.alternative)
        width = f' width="{picture.share or picture.width}"' if picture.share or picture.width else ""
        return picture_tag(address, picture.alternative, width)


def _without_bars(tex: str) -> str:
    """Return a formula for a table cell, which a `|` would end."""
    return tex.replace(r"\|", r"\Vert ").replace("|", r"\vert ")


def _replaced(text: str, pieces: dict[int, tuple[int, str]]) -> str:
    """Return `text` with pieces replaced: start -> end and new text."""
    out, done = [], 0
    for start, (end, new) in sorted(pieces.items()):
        if start >= done:
            out += [text[done:start], new]
            done = end
    return "".join([*out, text[done:]])


def _places(mark: str, text: str, start: int, end: int) -> Iterator[int]:
    """Yield the positions of `mark` in a part of `text` where it is not escaped."""
    for match in re.compile(r"(?<!\\)" + re.escape(mark)).finditer(text, start, end):
        yield match.start()


def _standing(text: str, found: Sequence[Span]) -> dict[int, Tag]:
    """Return the raw tags of a block that are allowed, as on its page, by their positions."""
    raw = [token for token in balance(parse_inline(text)) if token.type == "html_inline"]
    tags = sorted(span.start for span in found if span.kind is SpanKind.HTML)
    assert len(raw) == len(tags)  # both come from the same parser
    return {start: token.meta["tag"] for start, token in zip(tags, raw, strict=True) if "tag" in token.meta}


def picture_tag(address: str, alternative: str, size: str = "") -> str:
    """Return an image as HTML, since Jupyter does not show attached drawings or those in Markdown syntax."""
    return f'<img alt="{html.escape(escaping.one_line(alternative))}" src="{address}"{size}>'


def plain(text: str) -> str:
    """Escape plain text for Markdown."""
    return re.sub(r"([\\`*_$|\[\]])", r"\\\1", html.escape(escaping.one_line(text), quote=False))
