"""Makes the body of a page in one language: rows of prose and code, and the data that templates need around them.

Keeps no state between pages. The surroundings of the page (neighbours, other languages) come from `site`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from types import MappingProxyType

from markdown_it.token import Token
from markupsafe import Markup

from ..errors import FormulaError, Severity
from ..i18n import State
from ..nearest import Guesses
from ..parsing import (
    HIDDEN_HINT,
    Fold,
    Paper,
    Prose,
    Section,
    Source,
    find_lookalikes,
    has_hidden,
    plain_text,
    python_tokens,
    show_hidden,
    suspicion,
    title_position,
)
from ..resolve import Reference
from ..tracing import Chip
from .context import Context
from .decisions import is_drawing, show_picture
from .images import PictureError
from .outputs import render_outputs
from .prose_html import ProseRenderer
from .row_layout import RowLayout, arranged, lay_out, narrow_lines
from .tensor_pictures import NO_PICTURES, Pictures, render_pictures

NOTHING = Markup()
WORDS_PER_MINUTE = 200
CODE_LINES_PER_MINUTE = 30
"""How fast people read; code that is explained beside it is read faster than code alone."""


@dataclass(frozen=True, slots=True)
class ContentsEntry:
    """A line of the table of contents."""

    level: int
    anchor: str
    text: str
    lang: str
    """The language of the text; empty for code."""
    original: str = ""
    """The text in the language of the sources; empty for code."""


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line of code as HTML."""

    number: int
    html: str
    chips: tuple[Chip, ...] = ()
    """Shapes of its tensors."""
    picture: str = ""
    """Anchor of the pictures of its tensors; empty if there are none."""
    fold: Fold | None = None
    """What it holds, if it is folded."""


@dataclass(frozen=True, slots=True)
class Row:
    """A section as HTML."""

    anchor: str
    prose: Markup
    code: tuple[CodeLine, ...]
    layout: RowLayout = RowLayout.PLAIN
    within: str = ""
    """The top-level class or function that it belongs to."""
    users: tuple[Reference, ...] = ()
    """The users of the definition that it opens."""
    prose_lines: int = 0
    """Approximate number of lines of its prose in a narrow column, for browsers that lay out a page incrementally."""
    outputs: str = ""
    """Outputs of its code, if it is a cell of a notebook, and pictures of its tensors."""
    code_at: int = 0
    """Where its code stands in the HTML of its prose, if its layout is `BESIDE`."""
    is_right_longer: bool = False
    """Whether what stands beside the prose ends below it, if its layout is `BESIDE`."""
    caption: str = ""
    """What stands beside its code if it has no prose: the definition that it belongs to, or its first name."""
    target: str = ""
    """The anchor of the caption."""


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
    has_pictures: bool = False
    """Whether some lines have pictures of tensors."""
    has_charts: bool = False
    """Whether it has charts, whose values a script shows."""
    papers: tuple[Paper, ...] = ()
    """The papers that it explains."""
    before: Markup = NOTHING
    """What a reader needs to know before."""
    next: Markup = NOTHING
    """What to read next and why."""
    minutes: int = 0
    """Estimated time for reading it in minutes."""
    is_front: bool = False
    """Whether it shows the cards of other pages."""
    code_lines: int = 0
    """Number of lines of code that a reader sees, without empty ones."""


def render_body(
    source: Source,
    context: Context,
    lines: Sequence[str] = (),
    names: Mapping[str, int] = MappingProxyType({}),
    chips: Mapping[int, tuple[Chip, ...]] = MappingProxyType({}),
    users: Callable[[str], Iterable[Reference]] = lambda name: (),
    pictures: Pictures = NO_PICTURES,
) -> Body:
    """Render the page of `source` in the language of `context`, which collects the problems.

    Args:
        source: The file.
        context: The context of the page.
        lines: The lines of code as HTML.
        names: Name -> its number in the code.
        chips: Line number -> shapes to show at the end of the line.
        users: Returns the users of a definition.
        pictures: Pictures of tensors to show below the code.
    """
    renderer = ProseRenderer(context)
    _report_disguises(source, context)
    pieces, title = source.prose, source.title
    find_used = cache(lambda: _used_symbols(pieces, context))
    context.names, context.symbols = names if source.is_python else None, find_used
    heading = Markup()
    first = next((prose.tokens for prose in pieces if prose.tokens), ())
    if title_position(first) is None:
        context.last_level = 1
        heading = renderer.block(title, source.meta.title_line) if source.meta.title else Markup.escape(title)
    rows: list[Row] = []
    for prose in pieces:
        tokens = with_title(prose.tokens) if prose.tokens is first else prose.tokens
        section = prose.section
        looks = pictures.anchors(section.name, section.code)
        numbered = tuple(
            CodeLine(
                number,
                lines[number - 1],
                chips.get(number, ()),
                looks.get(number, ""),
                source.folds.get(number),
            )
            for number in section.code
        )
        context.within, context.notes = section.within, prose.notes
        shown = sum(not line.fold for line in numbered)
        layout, groups, code_after = lay_out(prose, tokens, shown, has_code=bool(numbered))
        html, code_at = arranged(groups, code_after, renderer) if groups else (renderer.prose(tokens), 0)
        used = users(section.name) if section.opens and section.opens.name == section.name else ()
        within = section.within.partition(".")[0]
        if source.problem and not rows:
            message = Markup('<p class="wrong">{}</p>\n').format(str(source.problem))
            html, code_at = message + html, code_at + len(message)
        rows.append(
            Row(
                section.name,
                html,
                numbered,
                layout,
                within,
                tuple(used),
                narrow_lines(tokens),
                (_outputs(source, section, context) if source.outputs else "")
                + render_pictures(pictures, section.name, section.code, context),
                code_at,
                bool(groups) and groups[-1].right > groups[-1].left,
                *_caption(source, section),
            )
        )
    context.within, context.notes = "", {}
    contents = tuple(_contents(pieces, first, renderer))
    tied = {**_symbols(source, find_used, names, context), **context.tied}
    _check_pictogram(source, context)
    meta = source.meta
    before, after = (
        renderer.block(getattr(meta, key), meta.lines[key]) if getattr(meta, key) else Markup()
        for key in ("before", "next")
    )
    code_lines = sum(bool(line.html) and line.fold is None for row in rows for line in row.code)
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
        bool(pictures.steps),
        bool(context.line_styles),
        meta.papers,
        before,
        after,
        _minutes(pieces, code_lines),
        any('<ul class="cards">' in row.prose for row in rows),
        code_lines,
    )


def _check_pictogram(source: Source, context: Context) -> None:
    """Report what is wrong with the drawing that stands for the page. Other pages show it."""
    if not source.meta.pictogram:
        return
    context.line = source.meta.lines["pictogram"]

    def check(file: str, data: bytes) -> str:
        if not is_drawing(file):
            raise PictureError("a pictogram is a drawing; save it as SVG")
        return context.fragments.drawing(data, "", "")

    show_picture(context, source.meta.pictogram, "", check, lambda address: "")


def _minutes(pieces: Iterable[Prose], code_lines: int) -> int:
    """Estimate how long it takes to read a page, the same in all languages: the words of its original, and its code."""
    words = sum(
        len(token.content.split()) for prose in pieces for token in prose.tokens if token.type == "inline"
    )
    return ceil(words / WORDS_PER_MINUTE + code_lines / CODE_LINES_PER_MINUTE)


def _outputs(source: Source, section: Section, context: Context) -> Markup:
    """Return the outputs of the cell that ends in a section."""
    context.line = max(section.code, default=0)
    return render_outputs(source.outputs.get(context.line, ()), context)


def _report_disguises(source: Source, context: Context) -> None:
    """Report misleading code: invisible characters, and names that look like others."""
    if any(map(has_hidden, source.lines)):  # its text lacks what only IPython understands
        for section in source.sections:
            for context.line in section.code:
                if reason := suspicion(source.lines[context.line - 1]):
                    context.problem(reason, HIDDEN_HINT, Severity.WARNING)
    if source.text.isascii() or not source.is_python:
        return
    for context.line, reason in find_lookalikes(python_tokens(source.text)):
        context.problem(reason, "Write it in letters of one script.", Severity.WARNING)


def _used_symbols(pieces: Iterable[Prose], context: Context) -> frozenset[str]:
    """Return the symbols in all formulas, as marked there."""
    from ..tex import find_symbols

    return frozenset(
        symbol
        for prose in pieces
        for block in prose.tokens
        for token in [block, *(block.children or [])]
        if token.type.startswith("math")
        for symbol in find_symbols(_prepared(token, block.meta["line"], context))
    )


def _symbols(
    source: Source, find_used: Callable[[], Collection[str]], names: Mapping[str, int], context: Context
) -> Mapping[str, int]:
    """Return the symbols of the front matter, as marked in formulas, with the numbers of their names in the code."""
    if not source.meta.symbols:
        return {}
    from ..tex import find_symbols

    used, found = find_used(), {}
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
                yield _entry(own, opens.name, headings.pop(0).text, renderer)
            elif prose.tokens or opens.depth == 0:
                yield ContentsEntry(own, opens.name, show_hidden(opens.name.rpartition(".")[2]), "")
        for heading in headings:
            level = max(own + bool(opens), heading.level)
            yield _entry(level, heading.anchor, heading.text, renderer)


def _entry(level: int, anchor: str, text: str, renderer: ProseRenderer) -> ContentsEntry:
    return ContentsEntry(level, anchor, *renderer.words(text), plain_text(text))


def _caption(source: Source, section: Section) -> tuple[str, str]:
    """Return the caption of code without prose, and its anchor. What is folded has none, as it says what it is."""
    shown = [n for n in section.code if n not in source.folds]
    if not shown:
        return "", section.name
    if section.within:
        return section.within, section.opens.name if section.opens else section.within
    first = next((source.shown(n) for n in shown if source.lines[n - 1].strip()), "")
    return first.partition(" = ")[0].partition("(")[0].strip(), section.name


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


def with_title(tokens: Sequence[Token]) -> list[Token]:
    """Mark the page's title in its first prose."""
    found = list(tokens)
    if (position := title_position(tokens)) is not None:
        found[position] = found[position].copy(meta={**found[position].meta, "title": True})
    return found
