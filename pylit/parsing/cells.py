"""Finds the cells of notebooks stored as scripts, by the comments that mark them.

Supports `# %%` and its variants (Jupytext, Spyder, Visual Studio Code, sphinx-gallery), Jupytext's `# +` and `# -`, the
formats of nbconvert (`# In[3]:`) and Databricks (`# COMMAND ----------`, `# MAGIC %md`), and editor regions. A marker
is a comment on a line of its own, so strings contain none.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from .layout import Comment, Layout, groups
from .magics import LANGUAGES, MAGICS, PYTHON_CELLS, language
from .model import Foreign
from .syntax import is_string
from .values import ValuesError, read_yaml

_HINT = re.compile(
    r"#\s*(?:%%|In\s?\[|Out\s?\[|\+(?:$|\s)|-$|-{3}\s*$|<\w+cell|<nbformat|COMMAND -|MAGIC\b|endregion|#{19})"
)
"""Matches at least one comment in every file that has cells."""
_PERCENT = re.compile(r"#\s*%%(?P<more>%*)(?:[ \t]+(?P<rest>.*))?$")
_KIND = re.compile(r"[ \t]*(?:\[(?P<kind>markdown|md|raw|code)\]|(?=\{)|(?=\b[\w.-]+=)|$)")
_EXPORTED = re.compile(r"\A(?:auto|\S+\.ipynb)(?:[ ]#?\w+)?$")
"""Matches the name of the cell of a notebook that nbdev exports."""
_LANGUAGE = re.compile(r"""\blanguage=["'](?P<name>\w+)["']""")
_LIGHT = re.compile(r"#[ ]?\+(?P<rest>[ \t]+(?:\[\w+\]|\{|[\w.-]+=).*)?$")
_EXPORT = re.compile(r"#\s*In\s?\[[\d*\s]*\]:?\s*$")
_OUTPUT = re.compile(r"#\s*Out\s?\[[\d*\s]*\]:?\s*$")
_TAG = re.compile(r"#\s*<(?P<kind>code|markdown|raw|heading|html)cell(?:\s[^>]*)?>\s*$")
_FORMAT = re.compile(r"#\s*<nbformat>.*</nbformat>\s*$")
_COMMAND = re.compile(r"# COMMAND -{10,}\s*$")
_MAGIC = re.compile(r"# ?MAGIC(?:$|[ \t](?P<text>.*))")
_BRICK_TITLE = re.compile(r"# DBTITLE \d+,(?P<title>.*)$")
_BRICKS = "# Databricks notebook source"
_REGION = re.compile(r"#\s?region\b[ \t]*(?P<title>.*)$")
_END = re.compile(r"#\s?endregion\b")
_RULE = re.compile(r"#{20,}\s*$")
_LINE_MAGIC = re.compile(r"#[ ]?(?:(?P<sign>%{1,2})(?P<name>[A-Za-z]\w*)|!{1,2}[A-Za-z./~]|\?{1,2}[A-Za-z])")
_UNDERLINE = re.compile(r"""([=\-~^"'*+#<>`:.])\1{2,}\s*$""", re.MULTILINE)


LONG = 300
"""Maximum number of characters of a marker that are read."""


class Kind(Enum):
    """The kind of a cell."""

    CODE = auto()
    PROSE = auto()
    RAW = auto()
    OUTPUT = auto()
    OTHER = auto()
    """Code in another language, in comments."""
    NONE = auto()
    """None: the marker ends a cell."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A comment that divides a file into cells."""

    line: int
    column: int
    kind: Kind = Kind.CODE
    title: str = ""
    level: int = 2
    language: str = ""
    """The magic that the cell starts with."""
    is_export: bool = False
    """Whether prose follows the code of a cell without a marker of its own."""
    divides: bool = True
    """Whether it divides the file into cells, and not only into rows."""


def may_be_mark(comment: Comment) -> bool:
    """Return whether a file with this comment may have cells. A quick test."""
    return bool(_HINT.match(comment.string))


def find_cells(layout: Layout, tree: ast.Module) -> set[int]:
    """Record in `layout` how markers divide a file. Return the lines of comments that are finished."""
    header = _header(layout, tree)
    layout.markup = "rst" if _is_gallery(layout, tree) else ""
    marks = list(_marks(layout, header))
    done = {mark.line for mark in marks} | header.keys() | _bricks(layout)
    layout.tools.update(header)
    layout.frame.update(header)
    for mark in marks:
        title = mark.title.strip() if re.search(r"\w", mark.title) else ""
        layout.dividers[mark.line] = f"{'#' * min(6, mark.level)} {title}" if title else ""
        (layout.ends if mark.kind is Kind.NONE else layout.starts).add(mark.line)
    if not (marks or header):
        return done
    top = [Mark(0, 0, Kind.NONE), *(mark for mark in marks if mark.column == 0 and mark.divides)]
    last = max([*layout.own, *(node.end_lineno or 0 for node in tree.body)], default=0) + 1
    found: list[list[Comment]] = [[] for _ in top]
    at = [mark.line for mark in top]
    for comment in layout.own.values():
        if comment.column == 0 and comment.line not in done:
            found[bisect_right(at, comment.line) - 1].append(comment)
    for mark, comments in zip(top, found, strict=True):
        done |= _cell(layout, mark, comments)
    ends = [mark.line + 1 for mark in top]
    for number in [*(node.end_lineno or 0 for node in tree.body), *layout.shown]:
        position = bisect_right(at, number) - 1
        ends[position] = max(ends[position], number + 1)
    for mark, code_end, end in zip(top, ends, [*at[1:], last], strict=True):
        if mark.kind in (Kind.CODE, Kind.OTHER):
            layout.cells.append(range(mark.line, code_end if mark.is_export else end))
    for node in tree.body:
        if is_string(node) and top[bisect_right(at, node.lineno) - 1].kind is Kind.PROSE:
            layout.strings.append(node)
    return done


def _header(layout: Layout, tree: ast.Module) -> dict[int, str]:
    """Return the lines of the YAML that Jupytext writes at the top of a file, without comment signs."""
    first = tree.body[0].lineno if tree.body else len(layout.own) + 1_000_000
    group = next((g for g in groups(layout.own) if any(c.text.rstrip() == "---" for c in g)), [])
    rules = [n for n, comment in enumerate(group) if comment.text.rstrip() == "---"]
    if len(rules) < 2 or group[0].line > first:
        return {}
    lines = {comment.line: comment.text for comment in group[rules[0] : rules[1] + 1]}
    inside = list(lines.values())[1:-1]
    if not any(text.startswith(("jupyter:", "jupytext:", "kernelspec:")) for text in inside):
        return {}
    if any(text.startswith("title:") for text in inside):
        try:
            found = read_yaml("\n".join(inside))
        except ValuesError:  # it is a header even so, for Jupytext to judge
            return lines
        content = found.content if found else None
        title = content["title"].value.content if isinstance(content, Mapping) and "title" in content else ""
        layout.title = title if isinstance(title, str) else ""
    return lines


def _is_gallery(layout: Layout, tree: ast.Module) -> bool:
    """Return whether this is a sphinx-gallery example: comments divide it, and its docstring has a title."""
    if not (tree.body and is_string(tree.body[0]) and isinstance(tree.body[0].value, ast.Constant)):
        return False
    return bool(_UNDERLINE.search(str(tree.body[0].value.value))) and any(
        comment.column == 0 and (_RULE.match(comment.string) or _PERCENT.match(comment.string))
        for comment in layout.own.values()
    )


def _marks(layout: Layout, header: Mapping[int, str]) -> Iterator[Mark]:
    """Yield the comments that divide a file."""
    strings = {comment.string for comment in layout.own.values()}
    is_light = any("format_name: light" in text for text in header.values()) or any(
        _LIGHT.match(string) for string in strings
    )
    has_regions = any(_END.match(string) for string in strings)
    for comment in layout.own.values():
        string, place = comment.string, (comment.line, comment.column)
        if found := _PERCENT.match(string):
            yield _percent(found["rest"] or "", 2 + len(found["more"]), *place)
        elif layout.markup and _RULE.match(string) and not _is_box(layout, comment.line):
            yield Mark(*place)
        elif is_light and (found := _LIGHT.match(string)):
            yield _percent(found["rest"] or "", 2, *place)
        elif is_light and string in ("# -", "#-"):
            yield Mark(*place, Kind.NONE)
        elif _EXPORT.match(string):
            yield Mark(*place, is_export=True)
        elif _COMMAND.match(string):
            yield Mark(*place)
        elif _OUTPUT.match(string):
            yield Mark(*place, Kind.OUTPUT)
        elif found := _TAG.match(string):
            kind = {"code": Kind.CODE, "raw": Kind.RAW}.get(found["kind"], Kind.PROSE)
            yield Mark(*place, kind)
        elif (found := _BRICK_TITLE.match(string)) or (has_regions and (found := _REGION.match(string))):
            yield Mark(*place, title=found["title"], divides=False)
        elif string == _BRICKS or _FORMAT.match(string) or (has_regions and _END.match(string)):
            yield Mark(*place, Kind.NONE, divides=False)


def _is_box(layout: Layout, line: int) -> bool:
    """Return whether the line below or above a rule also ends in a sign, as in a box."""
    return any(
        (other := layout.own.get(line + step)) and other.string.rstrip().endswith("#") for step in (-1, 1)
    )


def _percent(rest: str, level: int, line: int, column: int) -> Mark:
    """Parse the marker with the text `rest`: a title, the kind of its cell, and options for tools."""
    if rest.strip() in ("markdown", "md"):  # as Hydrogen writes it
        return Mark(line, column, Kind.PROSE)
    rest = rest[:LONG]
    end = _KIND.search(rest)
    assert end is not None  # it matches the end if nothing else
    title, kind = _EXPORTED.sub("", rest[: end.start()]), Kind.CODE
    if '"cell_type": "markdown"' in rest or end["kind"] in ("markdown", "md"):
        kind = Kind.PROSE
    elif end["kind"] == "raw":
        kind = Kind.RAW
    elif other := _LANGUAGE.search(rest):
        return Mark(line, column, Kind.OTHER, title, level, other["name"])
    return Mark(line, column, kind, title, level)


def _cell(layout: Layout, mark: Mark, comments: Sequence[Comment]) -> set[int]:
    """Record the kinds of the unindented comments of a cell. Return the lines that are finished."""
    match mark.kind:
        case Kind.PROSE:
            layout.prose.update((comment.line, comment.text) for comment in comments)
        case Kind.RAW:
            layout.tools.update(comment.line for comment in comments)
        case Kind.OUTPUT:
            comments = next(groups({comment.line: comment for comment in comments}), [])
            layout.tools.update(comment.line for comment in comments)
        case Kind.OTHER:
            for group in groups({comment.line: comment for comment in comments}):
                name = LANGUAGES.get(mark.language, mark.language.lower())
                _uncomment(layout, group, name, f"%%{mark.language}")
        case _:
            text: list[Comment] = []
            # What is above the first marker is no cell: a shebang, an encoding, a licence.
            if layout.markup and mark.line and comments and comments[0].line == mark.line + 1:
                text = next(groups({comment.line: comment for comment in comments}))
                layout.prose.update((comment.line, comment.text) for comment in text)
            return {comment.line for comment in text} | _magics(layout, comments[len(text) :])
    return {comment.line for comment in comments}


def _magics(layout: Layout, comments: Sequence[Comment]) -> set[int]:
    """Record commented-out magics, which make the file valid Python. Return their lines."""
    done: set[int] = set()
    for position, comment in enumerate(comments):
        found = _LINE_MAGIC.match(comment.string)
        if comment.line == 1 and comment.string.startswith("#!"):
            continue  # a shebang
        if not found or comment.line in done or (found["name"] and found["name"] not in MAGICS):
            continue
        end = position + 1
        if found["sign"] == "%%" and found["name"] not in PYTHON_CELLS:
            while end < len(comments) and comments[end].line == comments[end - 1].line + 1:
                end += 1
        run = comments[position:end]
        _uncomment(layout, run, language(comment.text))
        done |= {other.line for other in run}
    return done


def _uncomment(layout: Layout, comments: Sequence[Comment], name: str, magic: str = "") -> None:
    """Show comments as the code that they contain."""
    layout.shown.update((comment.line, comment.text) for comment in comments)
    layout.foreign.append(Foreign(comments[0].line, comments[-1].line, name, magic))


def _bricks(layout: Layout) -> set[int]:
    """Record the comments of Databricks cells: prose after `%md`, otherwise code. Return their lines."""
    found = {line: comment for line, comment in layout.own.items() if _MAGIC.match(comment.string)}
    for group in groups(found):
        texts = [_MAGIC.sub(r"\g<text>", comment.string) for comment in group]
        first = texts[0].lstrip()
        if first.startswith("%md"):
            texts[0] = first.partition(" ")[2]
            layout.prose.update(zip((comment.line for comment in group), texts, strict=True))
        else:
            layout.shown.update(zip((comment.line for comment in group), texts, strict=True))
            name = language("%" + first) if first.startswith("%") else "python"
            layout.foreign.append(Foreign(group[0].line, group[-1].line, name))
    return set(found)
