"""Decides how a block, a link, an image and a figure are shown, and reports what cannot be shown. For raw HTML,
see `raw_html`.

Pages and notebooks share these decisions, and write the result in their own formats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from markdown_it.token import Token

from ..errors import Severity
from ..filesystem import file_suffix
from ..i18n import State, is_translatable
from ..parsing import Figure, FigureError, FigureKind, parse_figure
from ..resolve import EXTERNAL, LinkError
from .context import MAX_DRAWN, Context
from .foreign_svg import svg_address
from .images import PictureError

_CROWDED = (
    "the links of this page repeat long addresses too often",
    "Shorten the addresses and titles that are defined once and used often.",
)
FULL = (
    f"figures and drawings of this page have more than {MAX_DRAWN:,} characters",
    "show fewer, or make them smaller",
)
"""Message and hint for a page whose figures are too large."""

Written = TypeVar("Written")


@dataclass(frozen=True, slots=True)
class Shown:
    """A block in the language of a page."""

    original: str
    text: str
    """Markdown: the translation, or the original if there is none to show."""
    state: State
    lang: str
    """The language of the text."""
    line: int = 0
    """The line of the translation in its catalog; 0 if it has no entry."""

    @property
    def current(self) -> str:
        """The translation if it is up to date, otherwise the original."""
        return self.text if self.state is State.TRANSLATED else self.original


def translate(context: Context, text: str) -> Shown:
    """Return the block `text` in the language of the page. The source language and formulas need no translation."""
    if context.lang == context.source_lang or not is_translatable(text):
        return Shown(text, text, State.TRANSLATED, context.lang)
    found = context.catalog.lookup(text)
    context.seen[text] = found.state
    is_original = found.state in (State.MISSING, State.BROKEN)
    lang = context.source_lang if is_original else context.lang
    return Shown(text, found.text or text, found.state, lang, found.line)


def resolve_link(context: Context, target: str, title: str, about: str = "") -> str:
    """Return the address of a link's target on the page; empty if it is broken, which is reported.

    The line is that of the text `about`, by default of the target in Markdown.
    """
    if not context.takes(target, title):
        context.problem(*_CROWDED)
        return ""
    try:
        href = context.links.resolve(target, context.url)
    except LinkError as error:
        context.problem(str(error), error.hint, error.severity, about=about or f"({target}")
        return ""
    context.targets.add(href.partition("#")[0])
    return href


def is_elsewhere(target: str) -> bool:
    """Return whether an image is on another server, from which no page loads anything."""
    return target.startswith(("//", *(f"{scheme}:" for scheme in EXTERNAL)))


def link_to_picture(context: Context, target: str, title: str) -> str:
    """Return the address of an image on another server, for a link; empty if it is broken. Both are reported."""
    hint = "Put the file beside this one, and name it by its path."
    message = f"the picture `{target}` is on another server; the page has a link to it"
    context.problem(message, hint, Severity.WARNING, about=target)
    return resolve_link(context, f"https:{target}" if target.startswith("//") else target, title)


def is_drawing(file: str) -> bool:
    """Return whether an image is a drawing, which is inlined in the page."""
    return file_suffix(file) == ".svg"


def show_picture(
    context: Context,
    target: str,
    title: str,
    write: Callable[[str, bytes], Written],
    write_separate: Callable[[str], Written],
) -> Written | None:
    """Pass the name and content of an image to `write` and return its result; `None` if it cannot be shown.

    A drawing that `write` refuses is an image of its own: its address, which contains all of it, is passed to
    `write_separate`. Both are reported.
    """
    if not context.takes(target, title):
        context.problem(*_CROWDED)
        return None
    try:
        file = context.links.find_file(target)
        data = context.links.read(file)
        if is_drawing(file) and not context.draws(len(data)):
            raise PictureError("; ".join(FULL))
        try:
            return write(file, data)
        except PictureError as reason:
            if not is_drawing(file):
                raise
            return write_separate(_separate_drawing(context, target, data, reason))
    except LinkError as error:
        context.problem(str(error), error.hint)
    except PictureError as error:
        context.problem(f"the picture `{target}` cannot be shown: {error}")
    return None


def _separate_drawing(context: Context, target: str, data: bytes, reason: PictureError) -> str:
    """Return the address of a drawing as an image of its own, since it cannot be part of the page for a `reason`.

    Raises:
        PictureError: if it cannot be shown at all.
    """
    address = svg_address(data)
    if not context.draws(len(address)):
        raise PictureError("; ".join(FULL))
    message = f"the picture `{target}` does not follow the colours of the page: {reason}"
    context.problem(message, "It is shown as an image of its own.", Severity.WARNING)
    return address


def show_figure(context: Context, kind: FigureKind, token: Token, write: Callable[[Figure], str]) -> str:
    """Pass the figure that a fence describes to `write` and return its result; empty if it cannot be shown, which is
    reported.
    """
    first = context.line
    try:
        return write(parse_figure(kind, token.content))
    except FigureError as error:
        context.line = first + error.line
        context.problem(str(error), error.hint)
        return ""
