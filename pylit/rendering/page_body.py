"""Makes the body of a page in one language: rows of prose and code, and the data that templates need around them.

Keeps no state between pages. The surroundings of the page (neighbours, other languages) come from `site`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from markdown_it.token import Token
from markupsafe import Markup

from ..errors import FormulaError, Severity
from ..i18n import State
from ..nearest import Guesses
from ..parsing import (
    HIDDEN_HINT,
    Prose,
    Section,
    Source,
    figure_kind,
    find_lookalikes,
    plain_text,
    python_tokens,
    show_hidden,
    suspicion,
    title_position,
)
from ..resolve import Reference
from ..tracing import Chip
from .context import Context
from .outputs import render_outputs
from .prose_html import ProseRenderer, narrow_lines, with_title

SIMPLE = frozenset("paragraph_open inline paragraph_close heading_open heading_close".split())
"""Types of tokens whose height depends only on the length of their text, except images."""
CHARACTERS_PER_LINE = 58
"""Characters in a line of prose at its usual width."""


@dataclass(frozen=True, slots=True)
class ContentsEntry:
    """A line of the table of contents."""

    level: int
    anchor: str
    text: str
    lang: str
    """The language of the text; empty for code."""


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line of code as HTML."""

    number: int
    html: str
    chips: tuple[Chip, ...] = ()
    """Shapes of its tensors."""
    is_quiet: bool = False
    """Whether it is folded."""


@dataclass(frozen=True, slots=True)
class Row:
    """A section as HTML."""

    anchor: str
    prose: Markup
    code: tuple[CodeLine, ...]
    is_wide: bool
    """Whether its prose is too long for the space next to its code, and takes the full width above it."""
    within: str = ""
    """The top-level class or function that it belongs to."""
    users: tuple[Reference, ...] = ()
    """The users of the definition that it opens."""
    prose_lines: int = 0
    """Approximate number of lines of its prose in a narrow column, for browsers that lay out a page incrementally."""
    outputs: str = ""
    """Outputs of its code, if it is a cell of a notebook."""


@dataclass(frozen=True, slots=True)
class Body:
    """The content of a page in one language."""

    title: str
    """Plain text, for the head of the page and for links to it."""
    title_lang: str
    """The language of the title."""
    heading: Markup
    """The page's title as HTML; empty if its prose starts with one."""
    summary: str
    rows: tuple[Row, ...]
    contents: tuple[ContentsEntry, ...]
    blocks: int
    """Number of translatable blocks."""
    translated: int
    """Number of blocks with an up-to-date translation."""
    stale: int
    symbols: Mapping[str, int] = field(default_factory=dict)
    """Symbol in formulas -> number of the name in the code that it represents."""
    links: frozenset[str] = frozenset()
    """Addresses that its prose links to."""
    has_chips: bool = False
    """Whether some lines have shapes of tensors."""


def render_body(
    source: Source,
    context: Context,
    lines: Sequence[str] = (),
    names: Mapping[str, int] = MappingProxyType({}),
    chips: Mapping[int, tuple[Chip, ...]] = MappingProxyType({}),
    users: Callable[[str], Iterable[Reference]] = lambda name: (),
) -> Body:
    """Render the page of `source` in the language of `context`, which collects the problems.

    Args:
        source: The file.
        context: The context of the page.
        lines: The lines of code as HTML.
        names: Name -> its number in the code.
        chips: Line number -> shapes to show at the end of the line.
        users: Returns the users of a definition.
    """
    renderer = ProseRenderer(context)
    _report_disguises(source, context)
    pieces, title = source.prose, source.title
    heading = Markup()
    first = next((prose.tokens for prose in pieces if prose.tokens), ())
    if title_position(first) is None:
        context.last_level = 1
        heading = renderer.block(title, source.meta.title_line) if source.meta.title else Markup.escape(title)
    rows: list[Row] = []
    for prose in pieces:
        tokens = with_title(prose.tokens) if prose.tokens is first else prose.tokens
        numbered = tuple(
            CodeLine(number, lines[number - 1], chips.get(number, ()), number in source.quiet)
            for number in prose.section.code
        )
        wide = source.is_python and _is_wide(prose, len(numbered))
        section = prose.section
        context.within = section.within
        html = renderer.parts(tokens) if wide else renderer.prose(tokens)
        used = users(section.name) if section.opens and section.opens.name == section.name else ()
        within = section.within.partition(".")[0]
        if source.problem and not rows:
            html = Markup('<p class="wrong">{}</p>\n').format(str(source.problem)) + html
        rows.append(
            Row(
                section.name,
                html,
                numbered,
                wide,
                within,
                tuple(used),
                narrow_lines(tokens),
                _outputs(source, section, context) if source.outputs else "",
            )
        )
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


def _outputs(source: Source, section: Section, context: Context) -> Markup:
    """Return the outputs of the cell that ends in a section."""
    context.line = max(section.code, default=0)
    return render_outputs(source.outputs.get(context.line, ()), context)


def _report_disguises(source: Source, context: Context) -> None:
    """Report misleading code: invisible characters, and names that look like others."""
    for section in source.sections:
        for context.line in section.code:
            if reason := suspicion(source.lines[context.line - 1]):
                context.problem(reason, HIDDEN_HINT, Severity.WARNING)
    if source.text.isascii() or not source.is_python:
        return
    for context.line, reason in find_lookalikes(python_tokens(source.text)):
        context.problem(reason, "Write it in letters of one script.", Severity.WARNING)


def _symbols(
    source: Source, pieces: Iterable[Prose], names: Mapping[str, int], context: Context
) -> Mapping[str, int]:
    """Return the symbols of the front matter, as marked in formulas, with the numbers of their names in the code."""
    if not source.meta.symbols:
        return {}
    from ..tex import find_symbols

    used: set[str] = set()
    for prose in pieces:
        for block in prose.tokens:
            for token in [block, *(block.children or [])]:
                if token.type.startswith("math"):
                    used.update(find_symbols(_prepared(token, block.meta["line"], context)))
    found = {}
    guesses = Guesses()
    context.line = source.meta.symbols_line
    for symbol, name in source.meta.symbols.items():
        key = "".join(find_symbols(symbol)) or symbol
        if key not in used:
            context.problem(f"the symbol `{symbol}` is not used in any formula", "Use or remove it.")
        elif name not in names:
            hint = guesses.suggest(name, lambda: names, "Name a class, function, method or attribute.")
            context.problem(f"the symbol `{symbol}` represents `{name}`, which is not in the code", hint)
        else:
            found[key] = names[name]
    return found


def _prepared(token: Token, line: int, context: Context) -> str:
    """Return the TeX of a formula as it is typeset; as it was written if that is reported elsewhere."""
    display = token.type != "math_inline"
    try:
        return context.equations.prepare(token.content, line, display=display).tex
    except FormulaError:
        return token.content


def _contents(
    pieces: Iterable[Prose], first: Sequence[Token], renderer: ProseRenderer
) -> Iterable[ContentsEntry]:
    for prose in pieces:
        opens = prose.section.opens
        headings = list(prose.headings)
        if prose.tokens is first and title_position(first) is not None:
            headings.pop(0)
        own = 2 + opens.depth if opens else 2
        if opens and prose.section.name == opens.name:
            titled = bool(headings) and headings[0].anchor == opens.name
            if titled:
                yield ContentsEntry(own, opens.name, *renderer.words(headings.pop(0).text))
            elif prose.tokens or opens.depth == 0:
                yield ContentsEntry(own, opens.name, show_hidden(opens.name.rpartition(".")[2]), "")
        for heading in headings:
            level = max(own + bool(opens), heading.level)
            yield ContentsEntry(level, heading.anchor, *renderer.words(heading.text))


def _is_wide(prose: Prose, code_lines: int) -> bool:
    """Return whether prose next to its code would leave much of the screen empty."""
    if len(prose.tokens) < 12 and all(
        token.type in SIMPLE and len(token.content) < 2 * CHARACTERS_PER_LINE and "![" not in token.content
        for token in prose.tokens
    ):
        return False  # a fast path for most sections
    height = 0.0
    for token in prose.tokens:
        match token.type:
            case "inline" if [child.type for child in token.children or []] == ["image"]:
                height += 12
            case "inline":
                height += len(plain_text(token.content)) / CHARACTERS_PER_LINE + 1
            case "fence" if figure_kind(token):
                height += 14
            case "math_block":
                height += 3
            case "field" | "label":
                height += 1
            case "doctest" | "fence" | "code_block":
                height += token.content.count("\n") + 2
    return height > 12 and height > 1.6 * code_lines


def hidden_definitions(sections: Iterable[Section]) -> list[tuple[Section, Section]]:
    """Return pairs of sections that define the same name, where the second hides the first.

    Decorated definitions are ignored: overloads, properties and their setters share a name on purpose.
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
