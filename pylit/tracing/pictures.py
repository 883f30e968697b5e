"""Pictures of tensors: what the expressions of a function make of one image, kept as JSON and small PNG files.

`picture_recorder` writes them, in a folder beside the module's trace, and pages show them. A line is identified as in
a trace, so a changed line loses its pictures. Runs nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import Problem, Severity
from ..parsing import Source, is_expression, read_json, refused_character
from .format import LinePlace, NoTraceError, line_numbers

INDEX = "index.json"
"""The file in the folder that describes the pictures."""
_NAME = re.compile(r"[0-9a-f]{12}\.png")


@dataclass(frozen=True, slots=True)
class PicturedStep:
    """The value of an expression, or of a parameter, in one call of a function."""

    place: LinePlace
    code: str
    """The line without its indentation."""
    expression: str
    """The expression: `self.conv1(x)`, or the name of a parameter."""
    shape: str
    """`1×16×8×8 float32`"""
    mean: float
    deviation: float
    zeros: float
    """Share of numbers that are 0, from 0 to 1."""
    low: float
    high: float
    histogram: tuple[int, ...]
    """Counts of the numbers in intervals of the same width, from `-scale` to `scale`; what is beyond is in the last."""
    picture: str
    """The name of the file, whose tiles are the channels of the first image of the batch."""


@dataclass(frozen=True, slots=True)
class TensorPictures:
    """The pictures of a module."""

    command: str
    """The command that records them."""
    scale: float
    """The number that has the strongest colour, in all pictures."""
    steps: tuple[PicturedStep, ...]


def pictures_path(folder: Path, file: str) -> Path:
    """Return the folder of the pictures of a file's tensors, given the folder of traces."""
    return (folder / file).with_suffix(".pictures")


def parse_pictures(data: bytes) -> TensorPictures:
    """Parse the description of a module's pictures.

    Raises:
        NoTraceError: if `data` does not describe pictures.
    """
    try:
        found = read_json(data)
        steps = tuple(_step(row) for row in found["steps"])
        return TensorPictures(_text(found["recorded_by"]), float(found["scale"]), steps)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise NoTraceError(f"describes no pictures: {error or type(error).__name__}") from error


def _step(row: Any) -> PicturedStep:
    if not _NAME.fullmatch(row["picture"]):
        raise ValueError(f"the picture {row['picture']!r} does not have a name of ours")
    numbers = (float(row[name]) for name in ("mean", "deviation", "zeros", "low", "high"))
    mean, deviation, zeros, low, high = numbers
    return PicturedStep(
        LinePlace(_text(row["in"]), int(row["line"])),
        _text(row["code"]),
        _expression(row["expression"]),
        _text(row["shape"]),
        mean,
        deviation,
        zeros,
        low,
        high,
        tuple(map(int, row["histogram"])),
        row["picture"],
    )


def _expression(value: Any) -> str:
    text = _text(value)
    if not is_expression(text):
        raise ValueError(f"`{text[:40]}` is not an expression")
    return text


def _text(value: Any) -> str:
    text = str(value)
    if character := refused_character(text):
        raise ValueError(f"it contains {character}, which a page cannot show")
    return text


def place_pictures(
    source: Source, pictures: TensorPictures
) -> tuple[dict[int, list[PicturedStep]], list[Problem]]:
    """Return the steps on each line of a module, and a problem for each definition that has changed since."""
    numbers = line_numbers(source)
    found: dict[int, list[PicturedStep]] = {}
    stale: dict[str, Problem] = {}
    for step in pictures.steps:
        number = numbers.get(step.place, 0)
        if number and source.lines[number - 1].strip() == step.code:
            found.setdefault(number, []).append(step)
            continue
        within = step.place.within
        message = f"the pictures of `{within}` are stale: its line `{step.code}` has changed"
        hint = f"Record them again: `{pictures.command}`."
        stale.setdefault(within, Problem(source.file, number, message, hint, Severity.WARNING))
    kept = {number: steps for number, steps in found.items() if steps[0].place.within not in stale}
    return kept, list(stale.values())
