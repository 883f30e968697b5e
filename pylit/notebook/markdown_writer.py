"""Writes the prose of a page as self-contained Markdown in one language, for notebooks.

Recorded figures are embedded. Raw HTML is sanitized as on the page itself, and problems are reported in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import unescape

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup

from ..figures import FigureContext, chart_drawing, recorded_cells, render_figure
from ..parsing import (
    Chart,
    Figure,
    FigureKind,
    Format,
    Pages,
    Specimen,
    Standing,
    Terms,
    Text,
    code_span,
    figure_kind,
    split_names,
    without_directives,
)
from ..rendering import (
    box_label,
    default_label,
    excerpts,
    find_cards,
    optional_label,
    part_label,
    show_figure,
)
from . import escaping
from .inline_markdown import InlineWriter, picture_tag, plain
from .standalone_svg import embedded_chart
from .wrapping import wrap


class MarkdownWriter(InlineWriter):
    """A writer of the prose of one page."""

    def cell(self, tokens: Sequence[Token]) -> str:
        """Return prose as the text of a cell."""
        text = self._blocks(SyntaxTreeNode(tokens), 0)
        end = self.raw.end()
        return f"{text}\n\n{end}" if end else text

    def comment(self, tokens: Sequence[Token], width: int) -> list[str] | None:
        """Return prose as lines between those of code, at most `width` columns wide; `None` if it is unchanged."""
        self.in_code = True
        try:
            if not any(self._changes(token) for token in tokens if token.type == "inline"):
                return None
            return self._blocks(SyntaxTreeNode(tokens), width).split("\n")
        finally:
            self.in_code = False

    def _changes(self, token: Token) -> bool:
        self.context.line = token.meta["line"]
        return self.inline(token.content, references=token.meta.get("references")) != token.content

    def _blocks(self, parent: SyntaxTreeNode, width: int) -> str:
        """Return the content of a block, separated by empty lines except in tight lists."""
        text = ""
        for before, node in zip([None, *parent.children], parent.children, strict=False):
            between = "" if before is None else "\n" if before.hidden else "\n\n"
            text += between + self._block(node, width)
        return text

    def _block(self, node: SyntaxTreeNode, width: int) -> str:
        self.context.line = node.meta.get("line", self.context.line)
        match node.type:
            case "heading":
                return f"{'#' * self._level(node)} {escaping.one_line(self._text(node))}"
            case "paragraph":
                return wrap(self._paragraph(node), width)
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
                example = without_directives(node.content.rstrip("\n"))
                return example if self.in_code else escaping.fenced(example, "pycon")
            case "math_block":
                if self.in_code:
                    return f"$${node.content}$$"
                tex = self.formula(node.content, display=True)
                return f"$${escaping.formula(tex)}$$" if tex else "<!-- -->"
            case "html_block":
                return self._html(node)
            case "label":
                return f"**{part_label(node.meta['kind'], self.context.gettext)}**"
            case "summary":
                return f"<summary>{Markup.escape(self.words(node.children[0].content))}</summary>"
            case "title":
                return f"**{escaping.one_line(self._text(node))}**"
            case "box":
                return self._box(node, width)
            case "dl":
                return self._terms_of(node, width)
            case "notice":
                return ""
            case _:  # a thematic break: there are no other blocks
                return "---"

    def _text(self, node: SyntaxTreeNode, *, in_table: bool = False) -> str:
        """Return the text of a heading, a paragraph or a table cell."""
        (inline,) = node.children
        self.context.line = inline.meta["line"]
        return self.inline(inline.content, in_table=in_table, references=inline.meta.get("references"))

    def _paragraph(self, node: SyntaxTreeNode) -> str:
        text = self._text(node)
        is_foreign = self.context.lang != self.context.source_lang and not self.in_code
        return escaping.paragraph(text) if is_foreign else text

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

    def _box(self, node: SyntaxTreeNode, width: int) -> str:
        """Return a box as a quotation."""
        label = box_label(node.meta["kind"], node.meta["version"], self.context.gettext)
        is_titled = bool(node.children) and node.children[0].type == "title"
        head = f"**{label}**\n\n" if label and not is_titled else ""
        return _indented(head + self._blocks(node, max(width - 2, 0)), "> ", "> ")

    def _terms_of(self, node: SyntaxTreeNode, width: int) -> str:
        """Return terms and their descriptions as a list."""
        items: list[str] = []
        for child in node.children:
            if child.type == "dt":
                items.append(f"* {escaping.one_line(self._text(child))}")
            elif child.type == "note":
                items.append(f"* \\[{escaping.one_line(child.meta['label'])}\\]")
            elif child.type == "field":
                items.append(f"* {self._field(child)}")
            elif text := self._blocks(child, max(width - 2, 0)):
                items[-1] += "\n\n" + _indented(text, "  ", "  ")
        return "\n\n".join(items)

    def _field(self, node: SyntaxTreeNode) -> str:
        meta = node.meta
        parts = [", ".join(code_span(name) for name in split_names(meta["names"]))] if meta["names"] else []
        if meta["type"]:
            parts.append(meta["type"])
        if meta.get("optional"):
            parts.append(optional_label(self.context.gettext))
        if value := meta.get("default"):
            parts.append(f"{default_label(self.context.gettext)} {code_span(value)}")
        return ", ".join(parts)

    def _fence(self, node: SyntaxTreeNode) -> str:
        token = node.token
        assert token is not None
        kind = figure_kind(token)
        if kind and not self.in_code and (shown := self._figure(kind, token)):
            return shown
        content = token.content.removesuffix("\n") + "\n" if token.content else ""
        return f"{token.markup}{token.info}\n{content}{token.markup}"

    def _figure(self, kind: FigureKind, token: Token) -> str:
        context, first = self.context, self.context.line

        def words(text: Text) -> str:
            context.line = first + text.line
            return self.words(text.text)

        def written(text: Text) -> str:
            context.line = first + text.line
            return self.inline(text.text)

        def write(figure: Figure) -> str:
            if isinstance(figure, Pages):
                return self._pages(figure)
            if isinstance(figure, Specimen):
                return self._specimen(figure, written(figure.caption))
            if isinstance(figure, Terms | Standing):
                return self._terms(figure)
            if isinstance(figure, Chart):
                drawing = chart_drawing(figure, context.links, words, context.gettext, context.line_styles)
                labels = [] if drawing.drawn.has_names else [words(line.label) for line in figure.lines]
                address = embedded_chart(drawing.drawn.svg, labels, drawing.styles)
                return f"{picture_tag(address, words(figure.caption))}\n\n<em>{written(figure.caption)}</em>"
            rows = [
                [written(cell) if isinstance(cell, Text) else plain(cell) for cell in row]
                for row in recorded_cells(figure, context.links, context.gettext)
            ]
            heads = [written(column.head) for column in figure.columns]
            sides = [_rule(column.format) for column in figure.columns]
            caption = f"\n\n<em>{written(figure.caption)}</em>" if figure.caption else ""
            return _rows([heads, sides, *rows]) + caption

        return show_figure(context, kind, token, write)

    def _pages(self, pages: Pages) -> str:
        """Return links to pages as a list."""
        found = find_cards(pages, self.context)
        return "\n".join(
            f"* [{plain(card.title)}]({self.address(card.href)})"
            + (f": {plain(card.hook)}" if card.hook else "")
            for card in found
        )

    def _specimen(self, specimen: Specimen, caption: str) -> str:
        """Return a formula, and below it the code that computes it, as it stands in the module."""
        code = "\n".join(
            f"# {part.name}\n" + "\n".join(unescape(Markup(line).striptags()) for line in part.lines)
            for part in excerpts(specimen, self.context)
        )
        return f"$${specimen.formula}$$\n\n```python\n{code}\n```\n\n<em>{caption}</em>"

    def _terms(self, figure: Terms | Standing) -> str:
        """Return a glossary, or how far the site is translated, as HTML, which can mark the language of each term."""
        context = self.context
        page = FigureContext(
            links=context.links,
            block=lambda text: Markup.escape(text.text),
            words=lambda text: text.text,
            marked=lambda text: Markup(),
            gettext=context.gettext,
            lang=context.lang,
            source_lang=context.source_lang,
            glossaries=context.glossaries,
            standing=context.standing,
        )
        return escaping.html_block(str(render_figure(figure, page)))

    def _table(self, node: SyntaxTreeNode) -> str:
        rows: list[list[str]] = []
        if node.children[0].type != "thead":  # a table without a head, which Markdown does not have
            width = len(node.children[0].children[0].children)
            rows += [[""] * width, ["---"] * width]
        for part in node.children:
            for row in part.children:
                cells = [escaping.one_line(self._text(cell, in_table=True)) for cell in row.children]
                width = len(rows[0]) if rows else len(cells)
                rows.append(
                    [*cells[: width - 1], r" \| ".join(cells[width - 1 :])]
                )  # Jupyter drops extra cells
                if part.type == "thead" and len(rows) == 1:
                    rows.append([_align(str(cell.attrs.get("style", ""))) for cell in row.children])
        return _rows(rows)

    def _html(self, node: SyntaxTreeNode) -> str:
        content = node.content.rstrip("\n")
        if self.in_code:
            return content
        opens, closes = node.meta.get("opens", ()), node.meta.get("closes", ())
        return escaping.html_block(self.raw.block(content, opens, closes))


def _rows(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _rule(form: Format) -> str:
    return "---" if form == "text" else "---:"


def _align(style: str) -> str:
    """Return the delimiter below the head of a column."""
    side = style.removeprefix("text-align:")
    return {"left": ":---", "right": "---:", "center": ":---:"}.get(side, "---")


def _indented(text: str, first: str, others: str) -> str:
    lines = text.split("\n")
    marks = [first, *[others] * (len(lines) - 1)]
    return "\n".join(mark + line if line else mark.rstrip() for mark, line in zip(marks, lines, strict=True))
