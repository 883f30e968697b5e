"""Writes blocks of reStructuredText as tokens like those of the Markdown parser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from docutils import nodes
from docutils.utils import Reporter
from markdown_it.token import Token

from ...nearest import short
from .. import escape
from ..figure_spec import FigureKind
from ..math_delimiters import labelled
from ..syntax import may_be_python
from ..token_writer import TokenWriter
from .directives import BOXES, VERSIONS, Box, Description, Group, Names
from .field_lists import Field, elements, known_fields
from .inline import InlineWriter
from .references import References
from .tables import first_line, write_table

_FIGURES = frozenset(kind.value for kind in FigureKind)
_ITEM = "*"
_ROMAN = dict(
    zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        "M CM D CD C XC L XL X IX V IV I".split(),
        strict=True,
    )
)
_AS_CODE = "It is shown as code."
_AS_LISTING = "It is shown as it is written."


class BlockWriter:
    """A writer of the blocks of a text."""

    def __init__(self, references: References, line: int) -> None:
        self.references = references
        self.line = line
        self.out = TokenWriter()
        self.inline = InlineWriter(references, self._unknown_role)

    def _unknown_role(self, name: str) -> None:
        self.out.notice(f"the role `{name}` is not known", _AS_CODE, self.line)

    def blocks(self, parent: nodes.Node, *, tight: bool = False) -> None:
        """Write the blocks in `parent`."""
        for is_note, run in groupby(
            parent.children, lambda node: isinstance(node, nodes.footnote | nodes.citation)
        ):
            if is_note:
                self._footnotes([node for node in run if isinstance(node, nodes.Element)])
                continue
            for node in run:
                self._block(node, tight=tight)

    def _at(self, line: int | None) -> int:
        """Move on to a line. Lines before the current one are ignored: some nodes have a number in their piece only."""
        self.line = max(self.line, line or 0)
        return self.line

    def _block(self, node: nodes.Node, *, tight: bool) -> None:
        self._at(node.line)
        match node:
            case nodes.section():
                self._section(node)
            case nodes.paragraph():
                self._paragraph(node.children, tight=tight)
            case nodes.bullet_list() | nodes.enumerated_list():
                self._list(node)
            case nodes.definition_list():
                self._definitions(node)
            case nodes.field_list():
                self._fields(node)
            case nodes.option_list():
                self._options(node)
            case nodes.literal_block():
                self._listing(node)
            case nodes.doctest_block():
                self.out.doctest(node.astext(), self.line)
            case nodes.math_block():
                self._formulas(node.astext(), node.get("label", ""))
            case nodes.block_quote():
                self._wrapped("blockquote", "blockquote", node, markup=">")
            case nodes.attribution():
                text, tokens = self.inline.block([nodes.Text("— "), *node.children])
                self.out.paragraph(text, self.line, tokens)
            case nodes.line_block():
                self._lines(node)
            case nodes.table():
                self._table(node)
            case nodes.image():
                self._picture(node)
            case nodes.figure():
                self._figure(node)
            case nodes.rubric():
                self.out.own_label(*self._said(node.children))
            case nodes.transition():
                self.out.leaf("hr", "hr", self.line, markup="---")
            case Box():
                self._box(node)
            case Names():
                self._names(node["names"])
            case Description():
                self._description(node)
            case nodes.system_message():
                self._message(node)
            case nodes.comment() if _is_misspelled(node.astext()):
                self._paragraph([nodes.Text(node.astext())])
            case nodes.comment() | nodes.target() | nodes.substitution_definition() | nodes.title():
                pass
            case nodes.reference() if any(isinstance(child, nodes.image) for child in node.children):
                self._paragraph([node])
            case Group() | nodes.Element() if not isinstance(node, nodes.TextElement):
                self.blocks(node)
            case nodes.Text() if not str(node).strip():
                pass
            case _:
                self._paragraph([node])

    def _said(self, children: Sequence[nodes.Node]) -> tuple[str, int, Sequence[Token]]:
        """Return the text of a block, its line and its tokens."""
        text, tokens = self.inline.block(children)
        return text, self.line, tokens

    def _section(self, node: nodes.section) -> None:
        level = min(6, self.references.level(node.get("style", "")))
        title = next(child for child in node.children if isinstance(child, nodes.title))
        mark = "#" * level
        text, tokens = self.inline.block(title.children)
        self.out.open("heading", f"h{level}", self.line, markup=mark)
        self.out.inline(text, self.line, tokens)
        self.out.close("heading", f"h{level}", self.line, markup=mark)
        self.blocks(node)

    def _paragraph(self, children: Sequence[nodes.Node], *, tight: bool = False) -> None:
        text, tokens = self.inline.block(children)
        if text:
            kept = escape.paragraph(text)
            self.out.paragraph(kept, self.line, tokens if kept == text else None, tight=tight)

    def _wrapped(
        self, name: str, tag: str, node: nodes.Node, *, markup: str = "", tight: bool = False
    ) -> None:
        self.out.open(name, tag, self.line, markup=markup)
        self.blocks(node, tight=tight)
        self.out.close(name, tag, self.line, markup=markup)

    def _list(self, node: nodes.Element) -> None:
        if words := _initial(node):
            item = node.children[0]
            if isinstance(item.children[0], nodes.paragraph):
                item.children[0].insert(0, nodes.Text(words))
                self.blocks(item)
                return
        is_ordered = isinstance(node, nodes.enumerated_list)
        name, tag, mark = ("ordered_list", "ol", ".") if is_ordered else ("bullet_list", "ul", _ITEM)
        first = int(node.get("start", 1)) if is_ordered else 1
        opened = self.out.open(name, tag, self.line, markup=mark)
        if first != 1:
            opened.attrSet("start", first)
        is_tight = all(_is_tight(item) for item in node.children)
        for number, item in enumerate(node.children, first):
            self._at(item.line or first_line(item))
            self.out.open("list_item", "li", self.line, markup=mark, info=str(number) if is_ordered else "")
            self.blocks(item, tight=is_tight)
            self.out.close("list_item", "li", self.line, markup=mark)
        self.out.close(name, tag, self.line, markup=mark)

    def _definitions(self, node: nodes.definition_list) -> None:
        self.out.open("dl", "dl", self.line)
        for item in node.children:
            self._at(item.line)
            for child in item.children:
                if isinstance(child, nodes.term):
                    self._term([*_without_colons(child.children), *_classified(item)])
                elif isinstance(child, nodes.definition):
                    self._wrapped("dd", "dd", child, tight=_is_tight(child))
        self.out.close("dl", "dl", self.line)

    def _term(self, children: Sequence[nodes.Node]) -> None:
        text, tokens = self.inline.block(children)
        self.out.open("dt", "dt", self.line)
        self.out.inline(text, self.line, tokens)
        self.out.close("dt", "dt", self.line)

    def _fields(self, node: nodes.field_list) -> None:
        known, others = known_fields(node)
        first = min((field.line for fields in known.values() for field in fields), default=0)
        is_first = bool(others) and (not known or (others[0].line or 0) < first)
        if is_first:
            self._other_fields(others)
        for kind, fields in known.items():
            self._known_fields(kind, fields)
        if others and not is_first:
            self._other_fields(others)

    def _other_fields(self, others: Sequence[nodes.Element]) -> None:
        self.out.open("dl", "dl", self.line)
        for other in others:
            name, body = other.children
            self._at(other.line)
            self._term([nodes.strong("", "", *name.children)])
            self._wrapped("dd", "dd", body, tight=_is_tight(body))
        self.out.close("dl", "dl", self.line)

    def _known_fields(self, kind: str, fields: Sequence[Field]) -> None:
        self.out.label(kind, fields[0].line)
        for field in fields:
            if not (field.names or field.type):
                self._field_body(field)
        fields = [field for field in fields if field.names or field.type]
        if not fields:
            return
        opened = self.out.open("dl", "dl", fields[0].line)
        opened.attrSet("class", "fields")
        for field in fields:
            self.line = field.line
            type_ = self.inline.block(field.type)[0]
            if type_ and not any(isinstance(child, nodes.Element) for child in field.type):
                type_ = escape.type_name("".join(child.astext() for child in field.type))
            names = ", ".join(field.names)
            self.out.leaf("field", "dt", field.line, kind=kind, names=names, type=type_)
            self.out.open("dd", "dd", field.line)
            self._field_body(field)
            self.out.close("dd", "dd", field.line)
        self.out.close("dl", "dl", self.line)

    def _field_body(self, field: Field) -> None:
        self.line = field.line
        if field.body is not None:
            self.blocks(field.body, tight=_is_tight(field.body) and bool(field.names or field.type))

    def _options(self, node: nodes.option_list) -> None:
        self.out.open("dl", "dl", self.line)
        for item in node.children:
            self._at(item.line or first_line(item))
            group, description = item.children
            names = [nodes.literal("", option.astext()) for option in group.children]
            self._term([part for name in names for part in (nodes.Text(", "), name)][1:])
            self._wrapped("dd", "dd", description, tight=_is_tight(description))
        self.out.close("dl", "dl", self.line)

    def _listing(self, node: nodes.literal_block) -> None:
        text = node.astext()
        if unknown := node.get("unknown"):
            self.out.notice(f"the directive `{unknown}` is not known", _AS_LISTING, self.line)
            self.out.listing(text, "", self.line)
            return
        language = str(node.get("language", ""))
        if text.lstrip().startswith(">>>") and language in (
            "",
            "python",
            "pycon",
            "python3",
            "ipython",
            "default",
        ):
            self.out.doctest(text, self.line)
            return
        if not language and "language" not in node and may_be_python(text):
            language = "python"
        self.out.listing(text, "" if language in _FIGURES else language, self.line)

    def _formulas(self, text: str, label: str = "") -> None:
        parts = [part for part in map(str.strip, text.split("\n\n")) if part]
        for position, part in enumerate(parts, 1):
            if ("\\\\" in part or "&" in part) and "\\begin" not in part:
                part = f"\\begin{{aligned}}\n{part}\n\\end{{aligned}}"
            tex = labelled(f"\n{part}\n", label if position == len(parts) and r"\label" not in text else "")
            self.out.leaf("math_block", "math", self.line, tex, markup="$$")

    def _lines(self, node: nodes.line_block) -> None:
        lines = [self.inline.block(line.children)[0] for line in node.findall(nodes.line)]
        text = "\\\n".join(line for line in lines if line)
        if text:
            self.out.paragraph(escape.paragraph(text), self.line)

    def _picture(self, node: nodes.Element, title: str = "") -> None:
        if text := self.inline.picture(node, title):
            self.out.paragraph(text, self.line)

    def _figure(self, node: nodes.figure) -> None:
        image, *others = elements(node)
        caption = others.pop(0) if others and isinstance(others[0], nodes.paragraph) else None
        self._picture(image, caption.astext() if caption is not None else "")
        for other in others:
            self._block(other, tight=False)

    def _box(self, node: Box) -> None:
        self.out.open("box", "div", self.line, kind=node["kind"], version=node["version"])
        title = next((child for child in node.children if isinstance(child, nodes.title)), None)
        if title is not None:
            self.out.own_label(*self._said(title.children))
        self.blocks(node)
        self.out.close("box", "div", self.line)

    def _names(self, names: Sequence[str]) -> None:
        self.out.open("bullet_list", "ul", self.line, markup=_ITEM)
        for name in names:
            self.out.open("list_item", "li", self.line, markup=_ITEM)
            self.out.paragraph(escape.code_span(name.lstrip("~")), self.line, tight=True)
            self.out.close("list_item", "li", self.line, markup=_ITEM)
        self.out.close("bullet_list", "ul", self.line, markup=_ITEM)

    def _description(self, node: Description) -> None:
        self.out.open("dl", "dl", self.line)
        for name in node["names"]:
            self._term([nodes.literal("", name)])
        self._wrapped("dd", "dd", node)
        self.out.close("dl", "dl", self.line)

    def _footnotes(self, found: Sequence[nodes.Element]) -> None:
        self._at(max(map(first_line, found[0].children), default=0))
        self.out.open("dl", "dl", self.line).attrSet("class", "notes")
        for note in found:
            self._at(max(map(first_line, note.children), default=0))
            self.out.leaf("note", "dt", self.line, label=self.references.footnote(note))
            self.out.open("dd", "dd", self.line)
            body = [child for child in note.children if not isinstance(child, nodes.label)]
            for child in body:
                self._block(child, tight=len(body) == 1)
            self.out.close("dd", "dd", self.line)
        self.out.close("dl", "dl", self.line)

    def _table(self, node: nodes.table) -> None:
        title = next((child for child in node.children if isinstance(child, nodes.title)), None)
        if title is not None:
            self.out.own_label(*self._said(title.children))
        self.line = write_table(node, self.out, self.inline, self.line)

    def _message(self, node: nodes.system_message) -> None:
        """Write what the parser could not read: as a listing. Of what it only warns, nothing is lost."""
        if node["level"] < Reporter.ERROR_LEVEL:
            return
        for child in node.children:
            if isinstance(child, nodes.literal_block):
                reason = " ".join(node.children[0].astext().split()).rstrip(".")
                self._at(node.get("line"))
                self.out.notice(
                    f"this reStructuredText cannot be read: {short(reason)}", _AS_LISTING, self.line
                )
                self.out.listing(child.astext(), "", self.line)


def _initial(node: nodes.Element) -> str:
    """Return the letter at the start of a list if it rather is the initial of a name, or a sign: `A. Author`, `(c)`."""
    style = str(node.get("enumtype", "arabic"))
    if len(node.children) != 1 or style == "arabic" or not node.children[0].children:
        return ""
    number = int(node.get("start", 1))
    letters = _roman(number) if style.endswith("roman") else chr(ord("A") + number - 1)
    letters = letters.lower() if style.startswith("lower") else letters
    return f"{node.get('prefix', '')}{letters}{node.get('suffix', '')} "


def _roman(number: int) -> str:
    found = ""
    for value, letters in _ROMAN.items():
        found += letters * (number // value)
        number %= value
    return found


def _is_misspelled(comment: str) -> bool:
    """Return whether a comment was meant to be a directive, with a second colon: `.. note: this`."""
    name = comment.partition(":")[0].lower()
    return ":" in comment and (name in BOXES or name in VERSIONS)


def _without_colons(children: Sequence[nodes.Node]) -> list[nodes.Node]:
    """Return a term without the signs of a listing, which it is not without an empty line below."""
    *before, last = children
    if isinstance(last, nodes.Text) and last.astext().endswith("::"):
        last = nodes.Text(last.astext().removesuffix(":"))
    return [*before, last]


def _classified(item: nodes.Node) -> Iterator[nodes.Node]:
    for child in item.children:
        if isinstance(child, nodes.classifier):
            yield nodes.Text(" : ")
            yield nodes.emphasis("", "", *child.children)


def _is_tight(item: nodes.Node) -> bool:
    """Return whether an item is only a paragraph, or one with a list."""
    kinds = [
        child for child in item.children if not isinstance(child, nodes.Invisible | nodes.system_message)
    ]
    return (
        len(kinds) <= 2
        and all(isinstance(child, nodes.paragraph) for child in kinds[:1])
        and all(isinstance(child, nodes.bullet_list | nodes.enumerated_list) for child in kinds[1:])
    )
