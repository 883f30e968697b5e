"""Parses the specifications of figures: YAML fences called `chart`, `table`, `glossary`, `pages`, `specimen` or
`translations`.

They refer to files (recorded results, pages, code), so that nothing on a page is typed twice. Only the YAML is parsed
here; `figures` reads the files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal, get_args

from ..nearest import listed, suggest
from .values import ValuesError, YamlEntry, YamlValue, read_yaml

MAX_LINES = 24
"""Maximum number of lines in a chart."""
Scale = Literal["linear", "log"]
Format = Literal["text", "integer", "number", "percent", "ratio", "seconds", "count"]


class FigureKind(StrEnum):
    """The kind of a figure, by the name of its fence."""

    CHART = "chart"
    TABLE = "table"
    GLOSSARY = "glossary"
    PAGES = "pages"
    SPECIMEN = "specimen"
    TRANSLATIONS = "translations"


class FigureError(ValueError):
    """A figure that cannot be drawn; its text says why, `hint` how to fix it."""

    def __init__(self, message: str, hint: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.hint = hint
        self.line = line
        """Line of the error, relative to the first line of the fence."""


@dataclass(frozen=True, slots=True)
class Text:
    """A translatable text of a figure, and its line relative to the fence."""

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
    """Paths of the numbers in the file: keys separated by dots."""
    place: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with lines over two axes."""

    caption: Text
    x: Text
    y: Text
    """Titles of the axes."""
    lines: tuple[Line, ...]
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"
    format: Format = "number"
    """Format of the numbers on the vertical axis."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    head: Text
    value: str
    """Path of its value in the data of a row."""
    format: Format
    place: int
    names: Mapping[str, Text] = field(default_factory=dict)
    """Recorded value -> translatable text shown in its place."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of recorded results."""

    caption: Text | None
    rows: tuple[str, ...]
    """Files, relative to the page's source, one row each; `*` matches any name. After `#`, a list in the file."""
    columns: tuple[Column, ...]
    place: int


@dataclass(frozen=True, slots=True)
class Terms:
    """The glossary of the page's language; on a page in the language of the sources, of all languages."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far each page is translated into each language."""


PagesStyle = Literal["cards", "rows"]


@dataclass(frozen=True, slots=True)
class Pages:
    """A part of a map: links to pages, in reading order."""

    style: PagesStyle
    """Cards have a pictogram; rows are smaller."""
    patterns: tuple[str, ...]
    """Files, relative to the page's source; `*` matches any name."""
    place: int


@dataclass(frozen=True, slots=True)
class Specimen:
    """A formula beside the code that computes it, which stands in a module."""

    formula: str
    code: tuple[str, ...]
    """Functions whose bodies are shown: `resnet/__init__.py#ResidualBlock.forward`, relative to the page's source."""
    symbols: Mapping[str, tuple[str, ...]]
    """TeX of a symbol -> names in the code that light up together with it."""
    caption: Text
    place: int
    formula_place: int
    symbols_place: int


Figure = Chart | Table | Terms | Pages | Specimen | Standing


@lru_cache(maxsize=128)  # shared by all languages
def parse_figure(kind: FigureKind, text: str) -> Figure:
    """Parse the `text` of a fence.

    Raises:
        FigureError: with its line, if it is not valid YAML, or a key is unknown, missing or of the wrong type.
    """
    if kind in (FigureKind.GLOSSARY, FigureKind.TRANSLATIONS):
        if text.strip():
            raise FigureError(f"the {kind} {_HAVE[kind]} no options", "Leave the fence empty.", 1)
        return Terms() if kind is FigureKind.GLOSSARY else Standing()
    try:
        value = read_yaml(text)
    except ValuesError as error:
        hint = "Quote text with a colon in it."
        raise FigureError(f"the {kind} is not valid YAML: {error}", hint, 1 + error.line) from error
    keys = _Keys(value, f"the {kind}", 1)
    read: dict[FigureKind, Callable[[_Keys], Figure]] = {
        FigureKind.CHART: _chart,
        FigureKind.TABLE: _table,
        FigureKind.PAGES: _pages,
        FigureKind.SPECIMEN: _specimen,
    }
    return read[kind](keys)


_HAVE = {FigureKind.GLOSSARY: "has", FigureKind.TRANSLATIONS: "have"}


def figure_texts(figure: Figure) -> Iterator[Text]:
    """Yield all texts of a figure in order."""
    if isinstance(figure, Terms | Pages | Standing):
        return
    if figure.caption:
        yield figure.caption
    if isinstance(figure, Chart):
        yield figure.x
        yield figure.y
        yield from (line.label for line in figure.lines)
    elif isinstance(figure, Table):
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
    if len(lines) > MAX_LINES:
        line = lines[MAX_LINES].place
        raise FigureError(
            f"the chart has {len(lines)} lines; at most {MAX_LINES} are allowed", "Split it.", line
        )
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


def _pages(keys: _Keys) -> Pages:
    style = keys.choice("style", get_args(PagesStyle), "cards")
    patterns = keys.words("pages")
    keys.finish()
    return Pages(style, patterns, keys.found["pages"].line)


def _specimen(keys: _Keys) -> Specimen:
    formula, code, caption = keys.word("formula"), keys.words("code"), keys.text("caption")
    symbols = keys.lists("symbols")
    keys.finish()
    places = (keys.found[name].line if name in keys.found else 0 for name in ("code", "formula", "symbols"))
    return Specimen(formula, code, symbols, caption, *places)


@dataclass
class _Keys:
    """A YAML mapping whose keys are each read once; keys that are left over at the end are unknown."""

    given: YamlValue | None
    name: str
    line: int
    asked: dict[str, None] = field(default_factory=dict)
    children: list[_Keys] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.given is None or not isinstance(self.given.content, Mapping):
            raise FigureError(f"{self.name} is not a mapping", "Write `key: value` lines.", self.line)
        self.found = {
            key: YamlEntry(1 + entry.line, entry.value) for key, entry in self.given.content.items()
        }

    def _get(self, key: str, accept: Callable[[Any], Any], wanted: str) -> tuple[int, Any]:
        self.asked[key] = None
        if key not in self.found:
            self.finish(missing=key)
            raise FigureError(f"{self.name} has no `{key}`", f"Add `{key}: {wanted}`.", self.line)
        line, given = self.found[key]
        value = accept(given)
        if not value:
            raise FigureError(f"`{key}` of {self.name} must be {wanted}", "", line)
        return line, value

    def text(self, key: str) -> Text:
        line, value = self._get(key, _text, "some words")
        return Text(" ".join(value.split()), line)

    def word(self, key: str) -> str:
        return str(self._get(key, _text, "a path")[1])

    def words(self, key: str) -> tuple[str, ...]:
        def accept(value: YamlValue) -> tuple[str, ...]:
            values = value.content if isinstance(value.content, tuple) else [value]
            found = tuple(map(_text, values))
            return found if all(found) else ()

        return tuple(self._get(key, accept, "a path or a list of paths")[1])

    def choice(self, key: str, allowed: tuple[str, ...], default: str) -> Any:
        self.asked[key] = None
        if key not in self.found:
            return default
        line, value = self._get(key, _text, f"one of {', '.join(allowed)}")
        if value not in allowed:
            message = f"`{key}` of {self.name} must be one of {', '.join(allowed)}, not `{value}`"
            raise FigureError(message, "", line)
        return value

    def names(self) -> Mapping[str, Text]:
        self.asked["names"] = None
        if "names" not in self.found:
            return {}
        line, value = self.found["names"]
        keys = _Keys(value, "`names`", line)
        return {key: keys.text(key) for key in keys.found}

    def lists(self, key: str) -> Mapping[str, tuple[str, ...]]:
        """Return a mapping of names to words or lists of words; empty if it is not there."""
        self.asked[key] = None
        if key not in self.found:
            return {}
        line, value = self.found[key]
        keys = _Keys(value, f"`{key}`", line)
        return {name: keys.words(name) for name in keys.found}

    def each(self, key: str) -> Iterator[_Keys]:
        def accept(value: YamlValue) -> tuple[YamlValue, ...]:
            return value.content if isinstance(value.content, tuple) else ()

        for number, value in enumerate(self._get(key, accept, "a list, each item after a `-`")[1], 1):
            child = _Keys(value, f"item {number} of `{key}`", 1 + value.line)
            yield child
            child.finish()

    def finish(self, missing: str = "") -> None:
        """Refuse keys that were not read. One of them may be a misspelling of the `missing` key."""
        known = [missing] if missing else list(self.asked)
        allowed = f"Allowed: {listed(known)}." if not missing else ""
        for key, (line, _) in self.found.items():
            if key not in self.asked and (hint := suggest(key, known, then=allowed)):
                raise FigureError(f"{self.name} has an unknown key `{key}`", hint, line)


def _text(value: YamlValue) -> str:
    return value.content.strip() if isinstance(value.content, str) else ""
