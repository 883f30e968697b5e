"""Traces: the tensors on each line of a module's code while its examples run, stored as JSON.

`recorder` writes these files and pages show them. A line is identified by its definition, its number among the lines
of that definition, and its text. So editing prose does not affect traces, and a changed line of code loses its shapes
instead of showing wrong ones. Runs nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Problem, Severity
from ..filesystem import read_file
from ..parsing import Source, read_json, refused_character

MORE = "…"
"""Replaces shapes that are left out."""
USUAL = " float32"
"""The type that chips omit."""
ARROWS = ("return", "yield")
"""Keys used instead of a name where a statement returns or yields a tensor."""


class NoTraceError(Exception):
    """A file is not a valid trace."""


@dataclass(frozen=True, slots=True)
class LinePlace:
    """The position of a line of code."""

    within: str
    """The definition that it belongs to; empty for the module."""
    number: int
    """Its number among the lines of code of that definition, counted from 1."""


@dataclass(frozen=True, slots=True)
class TracedLine:
    """A line of code, and the tensors on it."""

    place: LinePlace
    code: str
    """The line without its indentation."""
    tensors: Mapping[str, tuple[str, ...]]
    """Name, `return` or `yield` -> distinct values: `2×16 float32`, `[] int64`, or several tensors separated by
    commas.
    """


@dataclass(frozen=True, slots=True)
class Chip:
    """The shapes of one name, shown at the end of a line."""

    text: str
    """The shape in the first example that came to this line."""
    values: tuple[str, ...]
    """The values in all examples, with types."""


def trace_path(folder: Path, file: str) -> Path:
    """Return the path of a file's trace."""
    return (folder / file).with_suffix(".json")


def trace_text(source: Source, seen: Mapping[int, Mapping[str, Iterable[str]]]) -> str:
    """Format the trace of a module from the values seen on its lines; return an empty string if there are none."""
    places = line_places(source)
    rows = [
        {
            "in": places[number].within,
            "line": places[number].number,
            "code": source.lines[number - 1].strip(),
            "tensors": {name: list(values) for name, values in seen[number].items()},
        }
        for number in sorted(seen)
    ]
    if not rows:
        return ""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f'{{"recorded_by": {json.dumps(trace_command(source.file))}, "lines": [\n{lines}\n]}}\n'


def trace_command(file: str) -> str:
    """Return the command that records the trace of a file."""
    return f"pylit trace {file}"


def read_trace(path: Path) -> list[TracedLine]:
    """Return the lines of the trace at `path`; none if it does not exist.

    Raises:
        NoTraceError: if the file is not a valid trace.
    """
    try:
        data = read_file(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NoTraceError(f"is not a valid trace: {error}") from error
    return parse_trace(data)


def parse_trace(data: bytes) -> list[TracedLine]:
    """Parse the lines of a trace.

    Raises:
        NoTraceError: if `data` is not a valid trace.
    """
    try:
        rows = read_json(data)["lines"]
        return [_line(row) for row in rows]
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise NoTraceError(f"is not a valid trace: {error or type(error).__name__}") from error


def _line(row: Any) -> TracedLine:
    tensors = {str(name): tuple(map(str, values)) for name, values in row["tensors"].items()}
    texts = [
        str(row["in"]),
        str(row["code"]),
        *tensors,
        *(text for found in tensors.values() for text in found),
    ]
    if character := refused_character("".join(texts)):
        raise ValueError(f"it contains {character}, which a page cannot show")
    return TracedLine(LinePlace(str(row["in"]), int(row["line"])), str(row["code"]), tensors)


def parse_chips(
    source: Source, lines: Iterable[TracedLine]
) -> tuple[dict[int, tuple[Chip, ...]], list[Problem]]:
    """Return the chips of a module's lines, and a problem for each definition that has changed since."""
    numbers = line_numbers(source)
    found: dict[int, tuple[Chip, ...]] = {}
    stale: dict[str, Problem] = {}
    starts = {d.name: d.line for d in reversed(source.definitions)}
    for line in lines:
        number = numbers.get(line.place, 0)
        if number and source.lines[number - 1].strip() == line.code:
            found[number] = tuple(_chip(name, values) for name, values in line.tensors.items())
            continue
        within = line.place.within
        message = f"the shapes of `{within}` are stale: its line `{line.code}` has changed"
        hint = f"Record them again: `{trace_command(source.file)}`."
        stale.setdefault(
            within, Problem(source.file, number or starts.get(within, 0), message, hint, Severity.WARNING)
        )
    return found, list(stale.values())


def _chip(name: str, values: Sequence[str]) -> Chip:
    label = "→" if name in ARROWS else f"{name}:"
    return Chip(f"{label} {_short(values[0])}", tuple(f"{label} {value}" for value in values))


def _short(value: str) -> str:
    tensors = [tensor.removesuffix(USUAL) for tensor in value.split(", ")]
    return tensors[0] if len(tensors) == 1 else f"({', '.join(tensors)})"


def line_numbers(source: Source) -> dict[LinePlace, int]:
    """Return the number of each line of code by its position."""
    return {place: number for number, place in line_places(source).items()}


def line_places(source: Source) -> dict[int, LinePlace]:
    """Return the position of each line of code by its number."""
    counts: Counter[str] = Counter()
    places = {}
    for section in source.sections:
        for number in section.code:
            if source.lines[number - 1].strip():
                counts[section.within] += 1
                places[number] = LinePlace(section.within, counts[section.within])
    return places
