"""What the prose of a page needs to know of its surroundings, and what is noted while it is rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from .catalog import Catalog, State
from .errors import Problem, Report, Severity
from .fragments import Fragments
from .interface import Gettext
from .links import Links
from .references import Reference

if TYPE_CHECKING:
    from .glossary import Glossary


@dataclass
class Context:
    """What the prose of a page needs to know of its surroundings."""

    file: str
    url: str
    """Address of the page from the root of the site."""
    lang: str
    source_lang: str
    catalog: Catalog
    links: Links
    picture: Callable[[str], str]
    """Address, on this page, of a picture file."""
    gettext: Gettext
    report: Report
    in_prose: Callable[[str, str], Reference | None] = lambda code, within: None
    """Finds what inline code means, in the prose of a definition."""
    entry: Callable[[int], str] = lambda line: ""
    """Address of a line of the page's catalog, on the code host; empty when there is none."""
    origin: Callable[[int], str] = lambda line: ""
    """Address of a line of the page's file, on the code host; empty when there is none."""
    glossaries: Callable[[], Mapping[str, Glossary]] = dict
    """Reads the glossaries of all languages."""
    fragments: Fragments = field(default_factory=Fragments)
    """Typesets formulas and colours code."""
    lines: Sequence[str] = ()
    """The lines of the file."""
    within: str = ""
    """The definition whose prose is being rendered."""
    line: int = 0
    """The line of the block that is being rendered."""
    targets: set[str] = field(default_factory=set)
    """The addresses it links to."""
    drawings: int = 0
    """How many drawings there are so far."""
    last_level: int = 1
    """The level of the last heading, so that none is skipped."""
    seen: dict[str, State] = field(default_factory=dict)
    """The blocks rendered so far and how each stands in this language."""

    def problem(
        self, message: str, hint: str = "", severity: Severity = Severity.ERROR, about: str = ""
    ) -> None:
        """Report what is wrong with the block that is being rendered, in the line with the words `about`."""
        numbers = range(self.line - 1, len(self.lines)) if about and self.line else range(0)
        block = takewhile(lambda line: line.strip(" #"), (self.lines[number] for number in numbers))
        offset = next((n for n, line in enumerate(block) if about in line), 0)
        self.report.add(Problem(self.file, self.line + offset, message, hint, severity))
