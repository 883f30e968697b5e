"""Traces: which tensors a module's examples put on each line of its code, as recorded in a JSON file.

`tracer` writes these files and pages show them. A line is known by the definition it stands in, its place among that
definition's own lines of code, and its text, so that editing prose leaves traces alone, and a line of code that has
changed loses its shapes instead of showing wrong ones. Runs nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import Problem, Severity
from .model import Source

SHOWN = 3
"""Different shapes of one name that a page shows; those beyond are in the chip's title."""
MORE = "…"
"""Stands for shapes that are left out."""
USUAL = " float32"
"""The type that a chip does not mention."""
ARROWS = ("return", "yield")
"""What stands for a name where a statement hands out a tensor."""

Place = tuple[str, int]
"""A definition, and the number of a line among its own lines of code, from 1."""


class NoTraceError(Exception):
    """A file that is no trace."""


@dataclass(frozen=True, slots=True)
class TracedLine:
    """A line of code and the tensors on it."""

    place: Place
    code: str
    """The line without its indentation."""
    tensors: Mapping[str, tuple[str, ...]]
    """A name, or `return` or `yield` -> what was seen, each once: `2×16 float32`, `[] int64`, or several tensors with
    commas between them."""


@dataclass(frozen=True, slots=True)
class Chip:
    """What a page shows at the end of a line about one name."""

    text: str
    title: str
    """Everything that was seen, types included."""


def trace_path(folder: Path, file: str) -> Path:
    """Where the trace of a file lies."""
    return (folder / file).with_suffix(".json")


def trace_text(source: Source, seen: Mapping[int, Mapping[str, Iterable[str]]]) -> str:
    """The trace of a module as the text of its file, given what was seen on its lines; empty if that is nothing."""
    places = _places(source)
    rows = [
        {
            "in": places[number][0],
            "line": places[number][1],
            "code": source.lines[number - 1].strip(),
            "tensors": {name: list(values) for name, values in seen[number].items()},
        }
        for number in sorted(seen)
    ]
    if not rows:
        return ""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f'{{"recorded_by": {json.dumps(command(source.file))}, "lines": [\n{lines}\n]}}\n'


def command(file: str) -> str:
    """What to type to record the trace of a file."""
    return f"pylit trace {file}"


def read_trace(path: Path) -> list[TracedLine]:
    """The lines of the trace at `path`; a file that is not there holds none.

    Raises:
        NoTraceError: if it is there and is none.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NoTraceError(f"is no trace: {error}") from error
    return parse_trace(data)


def parse_trace(data: bytes) -> list[TracedLine]:
    """The lines of a trace.

    Raises:
        NoTraceError: if it is none.
    """
    try:
        rows = json.loads(data.decode("utf-8"))["lines"]
        return [_line(row) for row in rows]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise NoTraceError(f"is no trace: {error or type(error).__name__}") from error


def _line(row: Any) -> TracedLine:
    tensors = {str(name): tuple(map(str, values)) for name, values in row["tensors"].items()}
    return TracedLine((str(row["in"]), int(row["line"])), str(row["code"]), tensors)


def chips(source: Source, lines: Iterable[TracedLine]) -> tuple[dict[int, tuple[Chip, ...]], list[Problem]]:
    """What to show at the ends of a module's lines, and a problem for each definition that has changed since."""
    numbers = {place: number for number, place in _places(source).items()}
    found: dict[int, tuple[Chip, ...]] = {}
    stale: dict[str, Problem] = {}
    for line in lines:
        number = numbers.get(line.place, 0)
        if number and source.lines[number - 1].strip() == line.code:
            found[number] = tuple(_chip(name, values) for name, values in line.tensors.items())
            continue
        within = line.place[0]
        first = next((d.line for d in source.definitions if d.name == within), 0)
        message = f"the shapes of `{within}` are stale: its line `{line.code}` has changed"
        hint = f"Record them again: `{command(source.file)}`."
        stale.setdefault(within, Problem(source.file, number or first, message, hint, Severity.WARNING))
    return found, list(stale.values())


def _chip(name: str, values: Sequence[str]) -> Chip:
    label = "→" if name in ARROWS else f"{name}:"
    short = [_short(value) for value in values]
    shown = short[:SHOWN] + [MORE] * (len(short) > SHOWN)
    return Chip(f"{label} {' | '.join(shown)}", f"{label} {' | '.join(values)}")


def _short(value: str) -> str:
    tensors = [tensor.removesuffix(USUAL) for tensor in value.split(", ")]
    return tensors[0] if len(tensors) == 1 else f"({', '.join(tensors)})"


def _places(source: Source) -> dict[int, Place]:
    """Where each line of code stands among those of its definition."""
    counts: Counter[str] = Counter()
    places = {}
    for section in source.sections:
        for number in section.code:
            if source.lines[number - 1].strip():
                counts[section.within] += 1
                places[number] = (section.within, counts[section.within])
    return places
