"""Decides how a block, a link, an image and a figure are shown, and reports what cannot be shown. For raw HTML,
see `raw_html`.

Pages and notebooks share these decisions, and write the result in their own formats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import TypeVar
from urllib.parse import unquote

from markdown_it.token import Token

from ..errors import Severity
from ..filesystem import file_suffix
from ..i18n import State, is_translatable
from ..parsing import Figure, FigureError, FigureKind, Output, OutputKind, parse_figure
from ..resolve import EXTERNAL, LinkError
from .context import MAX_DRAWN, Context
from .foreign_svg import svg_address
from .images import DrawnLink, PictureError, link_targets

_CROWDED = (
    "the links of this page repeat long addresses too often",
    "Shorten the addresses and titles that are defined once and used often.",
)
FULL = (
    f"figures and drawings of this page have more than {MAX_DRAWN:,} characters",
    "show fewer, or make them smaller",
)
"""Message and hint for a page whose figures are too large."""

_MESSAGE = re.compile(r"[A-Za-z]+(?: [\w().,;']+){2,}")
_THEMED = re.compile(r"#gh-(dark|light)-mode-only\Z")
"""How GitHub marks a picture for one of its themes."""
ATTACHMENT = "attachment:"
"""What targets of images begin with that are part of a notebook."""
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


def lone_picture(children: Sequence[Token]) -> Token | None:
    """Return the picture that is all of a paragraph, maybe in a link; `None` if there is more or none.

    One on another server is a link itself, so that it stays text if there is a link round it.
    """
    if len(children) not in (1, 3):
        return None
    kinds = [child.type for child in children]
    if kinds == ["image"]:
        return children[0]
    is_linked = kinds == ["link_open", "image", "link_close"]
    return children[1] if is_linked and not is_elsewhere(str(children[1].attrGet("src") or "")) else None


def picture_theme(target: str) -> str:
    """Return the theme that the target of a picture is marked for; empty if it is for both."""
    found = _THEMED.search(target)
    return found[1] if found else ""


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
        if attached := find_attachment(context, target):
            file, data = f"attachment{attached.suffix}", attached.data
            if not is_drawing(file) and not context.draws(len(data) * 4 // 3):
                raise PictureError("; ".join(FULL))
        else:
            file = find_picture(context, target)
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


def find_picture(context: Context, target: str) -> str:
    """Return the file of an image; that for the language of a translated page, such as `name.zh.svg`, if there is one.

    Raises:
        LinkError: if it does not exist.
    """
    file = context.links.find_file(target)
    return file if context.lang == context.source_lang else context.links.localized(file)


def find_attachment(context: Context, target: str) -> Output | None:
    """Return the image that `target` means if it is part of the notebook; `None` if it is a file.

    Raises:
        PictureError: if it is too large.
    """
    name = unquote(target)
    found = context.attachments.get(name.removeprefix(ATTACHMENT)) if name.startswith(ATTACHMENT) else None
    if found and found.kind is OutputKind.LEFT_OUT:
        raise PictureError(
            f"{found.text} of this size is not shown; save it as a file, and name it by its path"
        )
    return found


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


def find_tied(context: Context, file: str, target: str) -> tuple[str, str]:
    """Return the attribute and value that tie a part of the drawing `file` to what `target` names: a class, function,
    method or attribute of the page, or a symbol of its formulas between dollar signs.

    Nothing is tied on a page without code. What is not there is reported, and not tied.
    """
    names = context.names
    if names is None:
        return "", ""
    if target in names:
        return "data-n", str(names[target])
    if is_symbol := len(target) > 2 and target[0] == target[-1] == "$":
        from ..tex import find_symbols

        symbol = "".join(find_symbols(target[1:-1]))
        if symbol in context.symbols():
            return "data-sym", symbol
    if is_symbol:
        reason, hint = "which is in no formula", "Name a symbol that is in a formula of this page."
    else:
        reason = "which is not in the code"
        hint = context.links.guesses.suggest(
            target, lambda: names, "Name what the code mentions twice or more: `Block`, `Block.conv1`."
        )
    message = f"the drawing `{file}` ties a part to `{target}`, {reason}"
    context.problem(message, hint, Severity.WARNING)
    return "", ""


def drawn_links(context: Context, data: bytes) -> dict[str, DrawnLink]:
    """Return where the links in a drawing lead; those that are broken are reported."""
    links = {}
    for target in link_targets(data):
        if href := resolve_link(context, target, ""):
            links[target] = DrawnLink(href, context.title(target) or target)
    return links


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


def is_message(code: str) -> bool:
    """Return whether inline code is a sentence, such as the message of an error, and no Python."""
    return _MESSAGE.fullmatch(code) is not None and not iskeyword(code.partition(" ")[0])
