"""Shows the raw HTML of READMEs: links, anchors, alignment and pictures, by the same rules as those in Markdown.

Pages and notebooks share it, and pass how they write a picture. Nothing else of an attribute is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from markdown_it.token import Token
from markupsafe import escape

from ..parsing import Tag, alignment, parse_tag
from ..resolve import EXTERNAL
from .context import Context
from .decisions import is_elsewhere, resolve_link
from .sanitize import INLINE_TAGS, RENAMED, as_text, clean_block
from .tidy_html import MAX_DEPTH, HtmlError

_LENGTH = re.compile(r"([1-9][0-9]{0,3})(?:px)?")
_SHARE = re.compile(r"([1-9][0-9]?|100)%")
_SPAN = re.compile(r"[1-9][0-9]?")
_MODE = re.compile(r"prefers-color-scheme:\s*(dark|light)")
_ASIDE = re.compile("\ue000([0-9]{1,9})\ue001")
_TABLE = frozenset("table thead tbody tr".split())
_CELLS = frozenset(["td", "th"])
_MARKS = re.compile("[\ue000\ue001]")


@dataclass(frozen=True, slots=True)
class RawPicture:
    """A picture in raw HTML."""

    target: str
    alternative: str = ""
    title: str = ""
    width: int = 0
    """In pixels; 0 if it is not given."""
    height: int = 0
    share: str = ""
    """Its width as a share of that of the text, such as `50%`; empty if it is not given."""
    mode: str = ""
    """The theme, `dark` or `light`, that it is for; empty for both."""
    is_in_link: bool = False

    @property
    def style(self) -> str:
        """The attribute for its share of the width."""
        return f' style="width:{self.share}"' if self.share else ""


WritePicture = Callable[[RawPicture], str]
"""Returns a picture, or a link in its place, as HTML that is safe."""


@dataclass
class RawHtml:
    """Shows raw HTML on one page or in one notebook."""

    context: Context
    picture: WritePicture
    address: Callable[[str], str] = lambda href: href
    """Returns an address as it is written in a link."""
    has_anchors: bool = True
    _aside: list[str] = field(default_factory=list)
    """Trusted HTML that placeholders represent while a block is sanitized."""
    _sources: dict[str, str] = field(default_factory=dict)
    """Theme -> address of the picture for it, in a `<picture>`."""
    _links: int = 0
    """Number of links that are open."""
    _open: list[str] = field(default_factory=list)
    """Elements that one block has opened and another one should close."""

    def block(self, content: str, opens: Sequence[str] = (), closes: Sequence[str] = ()) -> str:
        """Sanitize a block; return it as text if it cannot be shown, which is reported.

        Args:
            content: The block.
            opens: Elements that start in it and end in another block, outermost first.
            closes: Elements that start in another block and end in it, outermost first.
        """
        outer, closes = self._closable(closes)
        opens = _with_bodies(outer, opens)
        if not _TABLE.isdisjoint(outer[-1:]) or not _CELLS.isdisjoint(
            (*opens, *closes)
        ):  # parts of tables exist in tables only
            outer = outer[_last(outer, "table") :]
        else:
            outer = []
        before = "".join(f"<{name}>" for name in (*outer, *closes))
        after = "".join(f"</{name}>" for name in reversed((*outer, *opens)))
        self._aside, self._sources, self._links = [], {}, 0
        try:
            # Alone, each half would be completed or dropped.
            html = clean_block(before + _MARKS.sub("", content), self, (*opens, *closes))
            if outer and not (html.startswith(before) and html.rstrip().endswith(after)):
                raise HtmlError("it has text in a table, but outside of its cells")
        except HtmlError as error:
            self.context.problem(f"this HTML cannot be shown: {error}", "Close its tags, or nest fewer.")
            html = before + as_text(content) if closes else as_text(content)
            return html.removeprefix(before) + "".join(f"</{name}>" for name in reversed(closes))
        html = html.removeprefix(before)
        if (opens or outer) and html.rstrip().endswith(after):
            html = html.rstrip().removesuffix(after) + "\n"
            self._open += opens
        aside = self._aside
        return _ASIDE.sub(lambda match: aside[int(match[1])], html)

    def _closable(self, closes: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the innermost elements that stay open, and those of the elements to close that are open."""
        place = len(self._open)
        for name in reversed(closes):
            end = place - (name == "table" and self._open[place - 1 : place] == ["tbody"])
            if self._open[max(end - 1, 0) : end] != [name]:
                break
            place = end - 1
        closed = self._open[place:]
        del self._open[place:]
        return self._open[-MAX_DEPTH:], closed

    def end(self) -> str:
        """Close what blocks have opened and none has closed."""
        html = "".join(f"</{name}>" for name in reversed(self._open))
        self._open = []
        return html

    def replace(self, tag: Tag) -> str | None:
        """Return the HTML in place of a tag of a block: a picture, as a placeholder."""
        if tag.name == "a":
            self._links = 0 if tag.is_end else 1
        html = self._picture(tag)
        if not html:
            return html
        self._aside.append(html)
        return f"\ue000{len(self._aside) - 1}\ue001"

    def _picture(self, tag: Tag, *, is_in_link: bool = False) -> str | None:
        """Return the HTML in place of a tag that belongs to a picture; `None` for other tags."""
        if tag.name == "picture":
            self._sources = {}
        elif tag.name == "source" and not tag.is_end:
            mode = _MODE.search(tag.attributes.get("media", ""))
            target = tag.attributes.get("srcset", "").strip().partition(",")[0].split()
            if mode and target:
                self._sources.setdefault(mode[1], target[0])
        elif tag.name == "img" and not tag.is_end:
            found = _picture(tag, is_in_link=is_in_link or self._links > 0)
            themed, self._sources = self._sources, {}
            return "".join(self.picture(picture) for picture in _themed(found, themed))
        return "" if tag.name in ("picture", "source", "img") else None

    def attributes(self, tag: Tag) -> str:
        """Return the attributes of an element of a block."""
        found = self._anchor(tag)
        if side := alignment(tag):
            found += f' style="text-align:{side}"'
        if tag.name == "a":
            found += self._target(tag)
        for name in ("colspan", "rowspan") if tag.name in ("td", "th") else ():
            if _SPAN.fullmatch(tag.attributes.get(name, "")):
                found += f' {name}="{tag.attributes[name]}"'
        return found + (" open" if tag.name == "details" and "open" in tag.attributes else "")

    def _anchor(self, tag: Tag) -> str:
        anchor = tag.anchor
        return f' id="{escape(anchor)}"' if self.has_anchors and self.context.claims_anchor(anchor) else ""

    def _target(self, tag: Tag) -> str:
        target = tag.attributes.get("href", "").strip()
        href = resolve_link(self.context, target, "", about=target) if target else ""
        if not href:
            return ""
        rel = ' rel="noopener"' if href.startswith(EXTERNAL) else ""
        return f' href="{escape(self.address(href))}"{rel}'

    def tag(self, tag: Tag, *, is_in_link: bool = False) -> str:
        """Return a tag in text, which `balance` has allowed; see there. Anchors are written by `anchors`."""
        html = self._picture(tag, is_in_link=is_in_link)
        if html is not None:
            return html
        if tag.name == "a":
            self._links = 0 if tag.is_end else 1
        name = RENAMED.get(tag.name, tag.name)
        if name not in INLINE_TAGS:
            return ""
        return f"</{name}>" if tag.is_end else f"<{name}{self._target(tag) if name == 'a' else ''}>"

    def anchors(self, tokens: Sequence[Token]) -> str:
        """Return the anchors that tags in a text set."""
        tags = (parse_tag(token.content) for token in tokens if token.type == "html_inline")
        found = (self._anchor(tag) for tag in tags if tag)
        return "".join(f"<a{anchor}></a>" for anchor in found if anchor)


def _with_bodies(outer: Sequence[str], opens: Sequence[str]) -> list[str]:
    """Return the elements that are opened, with the body that HTML adds to a table."""
    found = list(outer)
    for name in opens:
        found += ["tbody", name] if name == "tr" and found[-1:] == ["table"] else [name]
    return found[len(outer) :]


def _last(names: Sequence[str], name: str) -> int:
    return max((place for place, other in enumerate(names) if other == name), default=len(names))


def _picture(tag: Tag, *, is_in_link: bool) -> RawPicture:
    texts = {
        name: " ".join(tag.attributes.get(name, "").split()) for name in ("alt", "title", "width", "height")
    }
    width, height = (_LENGTH.fullmatch(texts[name]) for name in ("width", "height"))
    share = _SHARE.fullmatch(texts["width"])
    return RawPicture(
        tag.attributes.get("src", "").strip(),
        texts["alt"],
        texts["title"],
        int(width[1]) if width else 0,
        int(height[1]) if height else 0,
        share[0] if share else "",
        is_in_link=is_in_link,
    )


def _themed(picture: RawPicture, sources: dict[str, str]) -> list[RawPicture]:
    """Return a picture for each theme, if there are several."""
    if not sources:
        return [picture]
    targets = {"light": sources.get("light", picture.target), "dark": sources.get("dark", picture.target)}
    if len(set(targets.values())) == 1 or all(map(is_elsewhere, targets.values())):  # one link is enough
        return [picture]
    return [replace(picture, target=target, mode=mode) for mode, target in targets.items()]
