"""Makes one page in one language: rows of prose and code, with all that the templates need around them.

Holds no state between pages. What surrounds the page (its neighbours, the other languages) comes from `site`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType

from markdown_it.token import Token
from markupsafe import Markup

from .catalog import State
from .context import Context
from .highlight import highlight_lines
from .markup import ProseRenderer, narrow_lines, with_title
from .model import Section, Source
from .prose import Prose, begins_with_title, figure_kind, parse_prose, plain, title_text
from .references import Reference
from .traces import Chip

CodeLines = tuple[list[str], Mapping[str, int]]
SIMPLE = frozenset("paragraph_open inline paragraph_close heading_open heading_close".split())
"""Kinds of tokens that are as high as their text is long, but for pictures."""
CHARACTERS_PER_LINE = 58
"""Of prose, at its usual width."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of contents."""

    level: int
    anchor: str
    text: str
    lang: str
    """The language that the text is in; empty for code."""


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line of code as HTML."""

    number: int
    html: str
    chips: tuple[Chip, ...] = ()
    """The tensors on it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One section as HTML."""

    anchor: str
    prose: Markup
    code: tuple[CodeLine, ...]
    is_wide: bool
    """Whether its prose is too long to stand beside its code, and takes the whole width above it."""
    within: str = ""
    """The class or function that it belongs to, not the one that this is in."""
    users: tuple[Reference, ...] = ()
    """What uses the definition that it opens."""
    prose_lines: int = 0
    """About how many lines its prose takes in a narrow column, for browsers that lay a page out bit by bit."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a page says, in one language."""

    title: str
    """Without markup, for the head of the page and for links to it."""
    title_lang: str
    """The language that the title is in."""
    heading: Markup
    """The page's title as HTML; empty when its prose begins with one."""
    summary: str
    rows: tuple[Row, ...]
    contents: tuple[Entry, ...]
    blocks: int
    """How many blocks there are to translate."""
    translated: int
    """How many of them are."""
    stale: int
    symbols: Mapping[str, int] = field(default_factory=dict)
    """Symbols of formulas -> the number of the name in the code that they stand for."""
    links: frozenset[str] = frozenset()
    """The addresses that its prose links to."""
    has_chips: bool = False
    """Whether shapes of tensors are shown on some of its lines."""


def render_body(
    source: Source,
    context: Context,
    code: CodeLines | None = None,
    chips: Mapping[int, tuple[Chip, ...]] = MappingProxyType({}),
    users: Callable[[str], Iterable[Reference]] = lambda name: (),
) -> Body:
    """Render the page of `source` in the language of `context`, reporting what is wrong to it.

    `code` are its lines as HTML with the numbers of its names, `chips` what to show at the ends of lines, by their
    numbers, and `users` finds what uses a definition.
    """
    renderer = ProseRenderer(context)
    pieces = parse_prose(source)
    lines, names = code or (highlight_lines(source) if source.is_python else ([], {}))
    title = title_text(source, pieces)
    heading = Markup()
    first = next((prose.tokens for prose in pieces if prose.tokens), ())
    if not begins_with_title(first):
        context.last_level = 1
        heading = renderer.block(title, source.meta.title_line) if source.meta.title else Markup.escape(title)
    rows = []
    for prose in pieces:
        tokens = with_title(prose.tokens) if prose.tokens is first else prose.tokens
        numbered = tuple(
            CodeLine(number, lines[number - 1], chips.get(number, ())) for number in prose.section.code
        )
        wide = source.is_python and _is_wide(prose, len(numbered))
        section = prose.section
        context.within = section.within
        html = renderer.parts(tokens) if wide else renderer.prose(tokens)
        used = users(section.name) if section.opens and section.opens.name == section.name else ()
        within = section.within.partition(".")[0]
        rows.append(Row(section.name, html, numbered, wide, within, tuple(used), narrow_lines(tokens)))
    context.within = ""
    contents = tuple(_contents(pieces, first, renderer))
    tied = _symbols(source, pieces, names, context)
    summary = renderer.words(source.meta.summary)[0] if source.meta.summary else ""
    counts = list(context.seen.values())
    return Body(
        *renderer.words(title),
        heading,
        summary,
        tuple(rows),
        contents,
        len(counts),
        counts.count(State.TRANSLATED),
        counts.count(State.STALE),
        tied,
        frozenset(context.targets),
        bool(chips),
    )


def _symbols(
    source: Source, pieces: Iterable[Prose], names: Mapping[str, int], context: Context
) -> Mapping[str, int]:
    """The front matter's symbols as they are marked in formulas, each with the number of its name in the code."""
    if not source.meta.symbols:
        return {}
    from .symbols import symbols

    used = {
        key
        for prose in pieces
        for block in prose.tokens
        for token in [block, *(block.children or [])]
        if token.type.startswith("math")
        for key in symbols(token.content)
    }
    found = {}
    context.line = source.meta.symbols_line
    for symbol, name in source.meta.symbols.items():
        key = "".join(symbols(symbol)) or symbol
        if key not in used:
            context.problem(f"the symbol `{symbol}` stands in no formula", "Use or remove it.")
        elif name not in names:
            near = get_close_matches(name, names, 1)
            meant = f"Did you mean `{near[0]}`?" if near else "Name a class, function, method or attribute."
            context.problem(f"the symbol `{symbol}` stands for `{name}`, which is not in the code", meant)
        else:
            found[key] = names[name]
    return found


def _contents(pieces: Iterable[Prose], first: Sequence[Token], renderer: ProseRenderer) -> Iterable[Entry]:
    for prose in pieces:
        opens = prose.section.opens
        headings = list(prose.headings)
        if prose.tokens is first and begins_with_title(first):
            headings.pop(0)
        own = 2 + opens.depth if opens else 2
        if opens and prose.section.name == opens.name:
            titled = bool(headings) and headings[0].anchor == opens.name
            if titled:
                yield Entry(own, opens.name, *renderer.words(headings.pop(0).text))
            elif prose.tokens or opens.depth == 0:
                yield Entry(own, opens.name, opens.name.rpartition(".")[2], "")
        for heading in headings:
            level = max(own + bool(opens), heading.level)
            yield Entry(level, heading.anchor, *renderer.words(heading.text))


def _is_wide(prose: Prose, code_lines: int) -> bool:
    """Whether prose beside its code would leave much of the screen empty."""
    if len(prose.tokens) < 12 and all(
        token.type in SIMPLE and len(token.content) < 2 * CHARACTERS_PER_LINE and "![" not in token.content
        for token in prose.tokens
    ):
        return False  # so it is with most, which need no closer look
    height = 0.0
    for token in prose.tokens:
        match token.type:
            case "inline" if [child.type for child in token.children or []] == ["image"]:
                height += 12
            case "inline":
                height += len(plain(token.content)) / CHARACTERS_PER_LINE + 1
            case "fence" if figure_kind(token):
                height += 14
            case "math_block":
                height += 3
            case "doctest" | "fence" | "code_block":
                height += token.content.count("\n") + 2
    return height > 12 and height > 1.6 * code_lines


def hidden_definitions(sections: Iterable[Section]) -> list[tuple[Section, Section]]:
    """Pairs of sections whose definitions have one name, the second always hiding the first.

    Decorated ones are left alone: overloads, properties and their setters share a name on purpose.
    """
    seen: dict[str, Section] = {}
    pairs = []
    for section in sections:
        if opens := section.opens:
            before = seen.get(opens.name)
            other = before.opens if before else None
            decorated = opens.first != opens.line or (other and other.first != other.line)
            if before and other and other.suite == opens.suite and not decorated:
                pairs.append((before, section))
            seen[opens.name] = section
    return pairs
