"""Turns the prose of a page back into Markdown, in one language, that stands on its own: for notebooks.

Links become whole addresses, pictures and recorded figures part of the text, and what only our pages read as text
(a lone `$`, a tag that may not stand) is escaped. What cannot be shown is reported as on the page itself.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup

from .catalog import State
from .context import Context
from .drawings import embedded_chart, embedded_picture
from .exhibits import Surroundings, chart_drawing, exhibit, recorded_cells
from .figures import Chart, FigureError, Format, Terms, Text, parse_figure
from .links import LinkError
from .pictures import PictureError
from .prose import figure_kind, is_translatable, plain
from .spans import Span, spans
from .tags import BLOCK_TAGS, INLINE_TAGS
from .wrapping import wrap

Address = Callable[[str], str]
"""Makes an address on the page into one that holds anywhere."""


class MarkdownWriter:
    """Writes the prose of one page."""

    def __init__(self, context: Context, address: Address) -> None:
        self.context = context
        self.address = address
        self.in_code = False
        """Whether what is written goes between lines of code, where nothing is typeset."""

    def cell(self, tokens: Sequence[Token]) -> str:
        """Prose as a text of its own."""
        return self._blocks(SyntaxTreeNode(tokens), 0)

    def words(self, text: str) -> str:
        """The words of a block in the page's language, without markup."""
        return plain(self._translated(text))

    def comment(self, tokens: Sequence[Token], width: int) -> list[str] | None:
        """Prose as lines between those of code, at most `width` columns each; `None` if it may stay as it is."""
        self.in_code = True
        try:
            if not any(self._changes(token) for token in tokens if token.type == "inline"):
                return None
            return self._blocks(SyntaxTreeNode(tokens), width).split("\n")
        finally:
            self.in_code = False

    def _changes(self, token: Token) -> bool:
        self.context.line = token.meta["line"]
        return self.inline(token.content) != token.content

    def _blocks(self, parent: SyntaxTreeNode, width: int) -> str:
        """What is in a block, with empty lines between, except in lists that have none."""
        text = ""
        for before, node in zip([None, *parent.children], parent.children, strict=False):
            between = "" if before is None else "\n" if before.hidden else "\n\n"
            text += between + self._block(node, width)
        return text

    def _block(self, node: SyntaxTreeNode, width: int) -> str:
        self.context.line = node.meta.get("line", self.context.line)
        match node.type:
            case "heading":
                return f"{'#' * self._level(node)} {self._text(node)}"
            case "paragraph":
                return wrap(self._text(node), width)
            case "bullet_list" | "ordered_list":
                return self._list(node, width)
            case "blockquote":
                return _indented(self._blocks(node, max(width - 2, 0)), "> ", "> ")
            case "table":
                return self._table(node)
            case "fence":
                return self._fence(node)
            case "code_block":
                return _indented(node.content.rstrip("\n"), "    ", "    ")
            case "doctest":
                example = node.content.rstrip("\n")
                return example if self.in_code else f"```pycon\n{example}\n```"
            case "math_block":
                return f"$${node.content}$$"
            case "html_block":
                return self._html(node.content.rstrip("\n"))
            case _:  # a rule: the parser makes no other blocks
                return "---"

    def _text(self, node: SyntaxTreeNode, *, in_table: bool = False) -> str:
        """The words of a heading, a paragraph or a cell."""
        (inline,) = node.children
        self.context.line = inline.meta["line"]
        return self.inline(inline.content, in_table=in_table)

    def _level(self, node: SyntaxTreeNode) -> int:
        return 1 if node.meta.get("title") else max(2, int(node.tag[1]))

    def _list(self, node: SyntaxTreeNode, width: int) -> str:
        items = []
        loose = False
        for item in node.children:
            mark = f"{item.info}{item.markup} " if node.type == "ordered_list" else f"{item.markup} "
            text = self._blocks(item, max(width - len(mark), 0))
            items.append(_indented(text, mark, " " * len(mark)))
            loose = loose or any(child.type == "paragraph" and not child.hidden for child in item.children)
        return ("\n\n" if loose else "\n").join(items)

    def _fence(self, node: SyntaxTreeNode) -> str:
        token = node.token
        assert token is not None
        kind = figure_kind(token)
        if kind and not self.in_code and (shown := self._figure(kind, token)):
            return shown
        return f"{token.markup}{token.info}\n{token.content}{token.markup}"

    def _figure(self, kind: str, token: Token) -> str:
        context, first = self.context, self.context.line

        def words(text: Text) -> str:
            context.line = first + text.line
            return self.words(text.text)

        def written(text: Text) -> str:
            context.line = first + text.line
            return self.inline(text.text)

        try:
            figure = parse_figure(kind, token.content)
            if isinstance(figure, Terms):
                return self._terms(figure)
            if isinstance(figure, Chart):
                drawing = chart_drawing(figure, context.links, words, context.gettext)
                address = embedded_chart(drawing, [words(line.label) for line in figure.lines])
                return f"{_image(address, words(figure.caption))}\n\n<em>{written(figure.caption)}</em>"
            rows = [
                [written(cell) if isinstance(cell, Text) else _escaped(cell) for cell in row]
                for row in recorded_cells(figure, context.links, context.gettext)
            ]
            heads = [written(column.head) for column in figure.columns]
            sides = [_rule(column.format) for column in figure.columns]
            caption = f"\n\n<em>{written(figure.caption)}</em>" if figure.caption else ""
            return _rows([heads, sides, *rows]) + caption
        except FigureError as error:
            context.line = first + error.line
            context.problem(str(error), error.hint)
            return ""

    def _terms(self, figure: Terms) -> str:
        """A glossary as HTML, for it tells the language of each of its words."""
        context = self.context
        page = Surroundings(
            links=context.links,
            block=lambda text: Markup.escape(text.text),
            words=lambda text: text.text,
            marked=lambda text: Markup(),
            gettext=context.gettext,
            lang=context.lang,
            source_lang=context.source_lang,
            glossaries=context.glossaries,
        )
        return str(exhibit(figure, page)).strip()

    def _table(self, node: SyntaxTreeNode) -> str:
        rows = []
        for part in node.children:
            for row in part.children:
                rows.append([self._text(cell, in_table=True) for cell in row.children])
                if part.type == "thead":
                    rows.append([_align(str(cell.attrs.get("style", ""))) for cell in row.children])
        return _rows(rows)

    def _html(self, content: str) -> str:
        first = re.match(r"\s*<(\w+)", content)
        stands = first and first.group(1).lower() in BLOCK_TAGS | INLINE_TAGS
        return content if stands or self.in_code else html.escape(content, quote=False)

    def _translated(self, text: str) -> str:
        """A block in the page's language. A translation that is out of date gives way to the English."""
        context = self.context
        if context.lang == context.source_lang or not is_translatable(text):
            return text
        found = context.catalog.lookup(text)
        return found.text if found.state is State.TRANSLATED else text

    def inline(self, text: str, *, in_table: bool = False) -> str:
        """The words of a block in the page's language, with links and pictures that hold anywhere."""
        text = self._translated(text)
        pieces: dict[int, tuple[int, str]] = {}
        taken: list[tuple[int, int]] = []
        for span in spans(text):
            match span.kind:
                case "link":
                    href = self._link(span)
                    pieces[span.label] = (span.end, f"]({href})" if href else "")
                    if not href:
                        pieces[span.start] = (span.start + 1, "")
                    taken.append((span.label, span.end))
                case "image":
                    pieces[span.start] = (span.end, self._picture(span))
                    taken.append((span.start, span.end))
                case "html_inline" if not _may_stand(text[span.start : span.end]) and not self.in_code:
                    pieces[span.start] = (span.start, "\\")
                case _:
                    taken.append((span.start, span.end))
                    if in_table and span.kind == "math_inline":
                        for place in _places("|", text, span.start, span.end):
                            pieces[place] = (place + 1, "\\vert ")
        if not self.in_code:
            for mark in "$|" if in_table else "$":
                for place in _places(mark, text, 0, len(text)):
                    if mark == "|" or not any(start <= place < end for start, end in taken):
                        pieces.setdefault(place, (place, "\\"))
        return _replaced(text, pieces)

    def _link(self, span: Span) -> str:
        """Where a link leads, and its title; nothing if it leads nowhere."""
        context = self.context
        try:
            href = self.address(context.links.resolve(span.target, context.url))
        except LinkError as error:
            context.problem(str(error), error.hint, error.severity, about=f"({span.target}")
            return ""
        return f'{href} "{span.title}"' if span.title else href

    def _picture(self, span: Span) -> str:
        context = self.context
        if self.in_code:
            return span.words
        try:
            file = context.links.find_file(span.target)
            picture = _image(embedded_picture(context.links.read(file), file), span.words)
            return f"{picture}\n\n<em>{html.escape(span.title)}</em>" if span.title else picture
        except LinkError as error:
            context.problem(str(error), error.hint)
        except PictureError as error:
            context.problem(f"the picture `{span.target}` cannot be shown: {error}")
        return span.words


def _replaced(text: str, pieces: dict[int, tuple[int, str]]) -> str:
    """`text` with what stands from each place to another replaced."""
    out, done = [], 0
    for start, (end, new) in sorted(pieces.items()):
        if start >= done:
            out += [text[done:start], new]
            done = end
    return "".join([*out, text[done:]])


def _places(mark: str, text: str, start: int, end: int) -> Iterator[int]:
    """Yield where `mark` stands in a part of `text` without a backslash before it."""
    for match in re.compile(r"(?<!\\)" + re.escape(mark)).finditer(text, start, end):
        yield match.start()


def _may_stand(tag: str) -> bool:
    match = re.fullmatch(r"</?([a-z]+)\s*/?>", tag)
    return match is not None and match.group(1) in INLINE_TAGS


def _image(address: str, alternative: str) -> str:
    """A picture as HTML, as Jupyter shows no drawing that is attached, or named in Markdown's own way."""
    return f'<img alt="{html.escape(alternative)}" src="{address}">'


def _escaped(text: str) -> str:
    """Plain words as Markdown."""
    return re.sub(r"([\\`*_$|<\[\]])", r"\\\1", text)


def _rows(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _rule(form: Format) -> str:
    return "---" if form == "text" else "---:"


def _align(style: str) -> str:
    """What stands below the head of a column."""
    side = style.removeprefix("text-align:")
    return {"left": ":---", "right": "---:", "center": ":---:"}.get(side, "---")


def _indented(text: str, first: str, others: str) -> str:
    lines = text.split("\n")
    marks = [first, *[others] * (len(lines) - 1)]
    return "\n".join(mark + line if line else mark.rstrip() for mark, line in zip(marks, lines, strict=True))
