"""Reads what a page says of its charts and tables: fences of YAML, marked `chart`, `table` or `glossary`.

They name files of recorded results, so that no figure on a page is typed by hand. Here only the YAML is read; what the
files hold is for `records`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Literal, get_args

import yaml

Scale = Literal["linear", "log"]
Format = Literal["text", "integer", "number", "percent", "ratio", "seconds", "count"]


class FigureError(ValueError):
    """A figure that cannot be drawn; its text says why, `hint` how to mend it."""

    def __init__(self, message: str, hint: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.hint = hint
        self.line = line
        """How many lines below the fence's first line it is wrong."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words of a figure, which are translated, and how many lines below the fence they stand."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart."""

    label: Text
    data: str
    """The file with its numbers, relative to the page's source."""
    x: str
    y: str
    """Where in the file the numbers are: keys with dots between them."""
    place: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over two axes."""

    caption: Text
    x: Text
    y: Text
    """What the axes show."""
    lines: tuple[Line, ...]
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"
    format: Format = "number"
    """How the numbers of the upright axis are written."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    head: Text
    value: str
    """Where in a row's data its value is."""
    format: Format
    place: int
    names: Mapping[str, Text] = field(default_factory=dict)
    """Recorded words -> what readers are shown for them, which is translated."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of recorded results."""

    caption: Text | None
    rows: tuple[str, ...]
    """Files, relative to the page's source, one row each; `*` stands for any name. After `#`, a list in the file."""
    columns: tuple[Column, ...]
    place: int


@dataclass(frozen=True, slots=True)
class Terms:
    """The glossary of the page's language; on a page in the language of the sources, of all languages."""


Figure = Chart | Table | Terms


@lru_cache(maxsize=128)  # in one language after the other
def parse_figure(kind: str, text: str) -> Figure:
    """Read the `text` of a fence.

    Raises:
        FigureError: with its line, if it is no YAML, or a key is unknown, missing or of a wrong kind.
    """
    if kind == "glossary":
        if text.strip():
            raise FigureError("the glossary takes nothing", "Leave the fence empty.", 1)
        return Terms()
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        deep = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        reason = getattr(error, "problem", None) or deep
        line = 1 + (mark.line if mark else 0)
        raise FigureError(
            f"the {kind} is no YAML: {reason}", "Quote text with a colon in it.", line
        ) from error
    keys = _Keys(node, f"the {kind}", 1)
    return _chart(keys) if kind == "chart" else _table(keys)


def texts(figure: Figure) -> Iterator[Text]:
    """Yield all words of a figure, in order."""
    if isinstance(figure, Terms):
        return
    if figure.caption:
        yield figure.caption
    if isinstance(figure, Chart):
        yield figure.x
        yield figure.y
        yield from (line.label for line in figure.lines)
    else:
        for column in figure.columns:
            yield column.head
            yield from column.names.values()


def _chart(keys: _Keys) -> Chart:
    caption, x, y = keys.text("caption"), keys.text("x"), keys.text("y")
    lines = tuple(
        Line(line.text("label"), line.word("data"), line.word("x"), line.word("y"), line.line)
        for line in keys.each("lines")
    )
    x_scale = keys.choice("x_scale", get_args(Scale), "linear")
    y_scale = keys.choice("y_scale", get_args(Scale), "linear")
    form = keys.choice("format", ("number", "percent", "integer"), "number")
    keys.finish()
    return Chart(caption, x, y, lines, x_scale, y_scale, form)


def _table(keys: _Keys) -> Table:
    caption = keys.text("caption") if "caption" in keys.found else None
    rows = keys.words("rows")
    columns = tuple(
        Column(
            c.text("head"), c.word("value"), c.choice("format", get_args(Format), "text"), c.line, c.names()
        )
        for c in keys.each("columns")
    )
    keys.finish()
    return Table(caption, rows, columns, keys.line)


@dataclass
class _Keys:
    """A mapping of YAML, each key to be asked for once; what is left over in the end is unknown."""

    node: yaml.Node | None
    name: str
    line: int
    asked: dict[str, None] = field(default_factory=dict)
    children: list[_Keys] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not isinstance(self.node, yaml.MappingNode):
            raise FigureError(f"{self.name} is no mapping", "Write `key: value` lines.", self.line)
        self.found: Mapping[str, tuple[int, yaml.Node]] = {
            str(key.value): (1 + key.start_mark.line, value) for key, value in self.node.value
        }

    def _get(self, key: str, accept: Callable[[Any], Any], wanted: str) -> tuple[int, Any]:
        self.asked[key] = None
        if key not in self.found:
            self.finish(missing=key)
            raise FigureError(f"{self.name} has no `{key}`", f"Add `{key}: {wanted}`.", self.line)
        line, node = self.found[key]
        value = accept(node)
        if not value:
            raise FigureError(f"`{key}` of {self.name} must be {wanted}", "", line)
        return line, value

    def text(self, key: str) -> Text:
        line, value = self._get(key, _scalar, "some words")
        return Text(" ".join(value.split()), line)

    def word(self, key: str) -> str:
        return str(self._get(key, _scalar, "a path")[1])

    def words(self, key: str) -> tuple[str, ...]:
        def accept(node: yaml.Node) -> tuple[str, ...]:
            nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
            found = tuple(_scalar(n) for n in nodes)
            return found if all(found) else ()

        return tuple(self._get(key, accept, "a path or a list of paths")[1])

    def choice(self, key: str, allowed: tuple[str, ...], default: str) -> Any:
        self.asked[key] = None
        if key not in self.found:
            return default
        line, value = self._get(key, _scalar, f"one of {', '.join(allowed)}")
        if value not in allowed:
            message = f"`{key}` of {self.name} must be one of {', '.join(allowed)}, not `{value}`"
            raise FigureError(message, "", line)
        return value

    def names(self) -> Mapping[str, Text]:
        self.asked["names"] = None
        if "names" not in self.found:
            return {}
        line, node = self.found["names"]
        keys = _Keys(node, "`names`", line)
        return {key: keys.text(key) for key in keys.found}

    def each(self, key: str) -> Iterator[_Keys]:
        def accept(node: yaml.Node) -> list[yaml.Node]:
            return list(node.value) if isinstance(node, yaml.SequenceNode) else []

        for number, node in enumerate(self._get(key, accept, "a list, each item after a `-`")[1], 1):
            child = _Keys(node, f"item {number} of `{key}`", 1 + node.start_mark.line)
            yield child
            child.finish()

    def finish(self, missing: str = "") -> None:
        """Refuse what was not asked for. A key that is `missing` may be meant by one that is misspelt."""
        for key, (line, _) in self.found.items():
            near = get_close_matches(key, [missing] if missing else list(self.asked), 1)
            if key not in self.asked and (near or not missing):
                meant = f"Did you mean `{near[0]}`? " if near else ""
                allowed = f"Allowed: {', '.join(self.asked)}." if not missing else ""
                raise FigureError(f"{self.name} has an unknown key `{key}`", (meant + allowed).strip(), line)


def _scalar(node: yaml.Node) -> str:
    return str(node.value).strip() if isinstance(node, yaml.ScalarNode) else ""
