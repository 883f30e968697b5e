"""The context in which the prose of a page is rendered, and the data collected while rendering."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from ..errors import Problem, Report, Severity
from ..i18n import Catalog, Gettext, State
from ..parsing import Output
from ..resolve import Links, Reference
from .equations import Equations
from .memo import Fragments

if TYPE_CHECKING:
    from ..figures import LanguageStanding
    from ..i18n import Glossary


MAX_DRAWN = 10_000_000
"""Maximum number of characters of all figures and drawings of a page, since one file can be shown many times."""
SHORT = 200
"""Maximum number of characters of an address and its title that does not count towards `Context.room`."""
_WORD = re.compile("[^ #]")
"""What a line of prose has that does not end its block."""


@dataclass(frozen=True, slots=True)
class PageCard:
    """A page, as maps show it."""

    href: str
    title: str
    title_lang: str
    hook: str
    """One line about it; empty if its author has written none."""
    hook_lang: str
    pictogram: bytes = b""
    """The drawing that stands for it, if it has one."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The body of a function in a module of the site."""

    name: str
    href: str
    """Where it stands."""
    lines: tuple[str, ...]
    """The lines as HTML, without their common indentation."""


@dataclass
class Context:
    """The context in which the prose of a page is rendered."""

    file: str
    url: str
    """Address of the page, relative to the root of the site."""
    lang: str
    source_lang: str
    catalog: Catalog
    links: Links
    picture: Callable[[str], str]
    """Returns the address of an image file as seen from this page."""
    gettext: Gettext
    report: Report
    in_prose: Callable[[str, str], Reference | None] = lambda code, within: None
    """Returns the link target for inline code in the prose of a definition."""
    refer: Callable[[str], Reference | None] = lambda full: None
    """Returns the link target for a full name."""
    entry: Callable[[str, int], str] = lambda text, line: ""
    """Returns where the translation of a block can be edited, given its line in the catalog; empty if nowhere."""
    origin: Callable[[int], str] = lambda line: ""
    """Returns the address of a line of the page's file on the code host; empty if there is none."""
    glossaries: Callable[[], Mapping[str, Glossary]] = dict
    """Reads the glossaries of all languages."""
    standing: Callable[[], Sequence[LanguageStanding]] = tuple
    """Returns how far the pages of the site are translated."""
    title: Callable[[str], str] = lambda target: ""
    """Returns the title of the page that a link leads to; empty if it does not lead to a page."""
    cards: Callable[[Sequence[str]], Sequence[PageCard]] = lambda patterns: ()
    """Returns the pages whose files match patterns, in reading order."""
    excerpt: Callable[[str, Mapping[str, int]], Excerpt] = lambda target, numbers: Excerpt(target, "", ())
    """Returns the body of a function in a module of the site, with numbers for some names."""
    fragments: Fragments = field(default_factory=Fragments)
    """Typesets formulas and highlights code."""
    equations: Equations = field(default_factory=Equations)
    """Macros, numbers and labels of the page's formulas."""
    lines: Sequence[str] = ()
    """The lines of the file."""
    attachments: Mapping[str, Output] = field(default_factory=dict)
    """Name -> image that is part of the file, which is a notebook."""
    names: Mapping[str, int] | None = None
    """Name -> its number in the code of the page; `None` if it has no code."""
    symbols: Callable[[], Collection[str]] = tuple
    """Returns the symbols in the formulas of the page."""
    within: str = ""
    """The definition whose prose is being rendered."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Label of a footnote that this prose refers to -> the footnote's anchor; empty if there is no such footnote."""
    line: int = 0
    """The line of the block that is being rendered."""
    pictures: dict[str, None] = field(default_factory=dict)
    """Image files that the page shows, and that are published with it: only those that have been checked."""
    targets: set[str] = field(default_factory=set)
    """Addresses that the page links to."""
    anchors: set[str] = field(default_factory=set)
    """Anchors that raw HTML may still set: each once."""
    room: int = 100_000
    """Number of characters of long addresses that may still be written: links that share a definition multiply it."""
    drawn: int = 0
    """Number of characters of figures and drawings so far."""
    drawings: int = 0
    """Number of drawings so far."""
    line_styles: dict[str, int] = field(default_factory=dict)
    """Name of a line in the charts so far -> the number of its colour and dash."""
    last_level: int = 1
    """Level of the last heading, so that no level is skipped."""
    tied: dict[str, int] = field(default_factory=dict)
    """Symbols of formulas in specimens -> the number of names in the code beside them."""
    seen: dict[str, State] = field(default_factory=dict)
    """The blocks rendered so far, and their states in this language."""

    def takes(self, *addresses: str) -> bool:
        """Use up room for these addresses, and return whether there was enough. Short ones are always allowed."""
        excess = max(0, sum(map(len, addresses)) - SHORT)
        self.room -= excess
        return not excess or self.room >= 0

    def claims_anchor(self, anchor: str) -> bool:
        """Return whether an element may have this anchor; no other one may have it then."""
        if anchor not in self.anchors:
            return False
        self.anchors.remove(anchor)
        return True

    def draws(self, size: int) -> bool:
        """Count `size` more characters of figures and drawings, and return whether they are allowed."""
        self.drawn += size
        return self.drawn <= MAX_DRAWN

    def problem(
        self, message: str, hint: str = "", severity: Severity = Severity.ERROR, about: str = ""
    ) -> None:
        """Report a problem with the current block, on the line that contains `about`."""
        numbers = range(self.line - 1, len(self.lines)) if about and self.line else range(0)
        block = takewhile(_WORD.search, (self.lines[number] for number in numbers))
        offset = next((n for n, line in enumerate(block) if about in line), 0)
        self.report.add(Problem(self.file, self.line + offset, message, hint, severity))
