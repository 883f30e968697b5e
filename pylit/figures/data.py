"""Selects values from files of recorded results, and formats them for readers.

A path such as `runs.valid_accuracy` follows the keys of a JSON file, and all items of lists on the way. Several
numbers are shown as mean and standard deviation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..i18n import Gettext
from ..nearest import listed, suggest
from ..parsing import FigureError, Format, ValuesError, read_json, refused_character
from .digits import fixed, is_plain, power_of_ten, scientific, tick_decimals

MAX_SIZE = 20_000_000
"""Maximum size of a file in bytes."""
MAX_POINTS = 5000
"""Maximum number of points of a line in a chart, which is a few hundred pixels wide."""
MAX_TEXT = 1000
"""Maximum number of characters in a table cell."""
SMALLEST, LARGEST = 1e-100, 1e100
"""Range of absolute values that can be shown, except 0: their squares neither overflow nor underflow."""


def parse_record(data: bytes, name: str) -> Any:
    """Parse the JSON content `data` of the file `name`.

    Raises:
        FigureError: if it cannot be read.
    """
    if len(data) > MAX_SIZE:
        raise FigureError(
            f"the file `{name}` has {len(data):,} bytes; at most {MAX_SIZE:,} are allowed", "Record less."
        )
    try:
        return read_json(data)
    except ValuesError as error:
        raise FigureError(f"the file `{name}` cannot be read: {error}", "Record it again.") from error


def select(record: Any, path: str) -> Any:
    """Return the value at `path`. For a list on the way, return a list of the values of its items that are not null.

    Raises:
        FigureError: if there is none.
    """
    value = record
    for key in filter(None, path.split(".")):
        value = _step(value, key, path)
    return value


def _step(value: Any, key: str, path: str) -> Any:
    if isinstance(value, list):
        found = [_step(item, key, path) for item in value]
        return [item for item in found if item is not None]
    if not isinstance(value, dict) or key not in value:
        keys = list(value) if isinstance(value, dict) else []
        hint = suggest(key, keys, f"Keys: {listed(keys) or 'none'}.")
        raise FigureError(f"`{path}` not found in the record: it has no key `{key}`", hint)
    return value[key]


def numbers(value: Any, path: str) -> list[float]:
    """Return a value as a list of numbers.

    Raises:
        FigureError: if it is not a number or a list of numbers.
    """
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in items):
        raise FigureError(f"expected numbers at `{path}`, got {str(value)[:40]}")
    for item in items:
        if item and not SMALLEST <= abs(item) <= LARGEST:
            size = "large" if abs(item) > 1 else "small"
            hint = f"Allowed: 0, and absolute values from {SMALLEST:g} to {LARGEST:g}."
            raise FigureError(f"a number at `{path}` is too {size}: {_brief(item)}", hint)
    return [float(item) for item in items]


def _brief(number: float) -> str:
    """Format a number for a message, however many digits it has."""
    return f"about 2^{number.bit_length() - 1}" if isinstance(number, int) else f"{number:g}"


def written(value: Any, form: Format, path: str, gettext: Gettext, decimals: int | None = None) -> str:
    """Format a value for a table: several numbers as mean and standard deviation, none as a dash.

    `decimals` is how many decimals the numbers of its column have, if its format does not say that.

    Raises:
        FigureError: if a number is expected, and it is not one.
    """
    if value is None or value == []:
        return "–"
    if form == "text":
        items = value if isinstance(value, list) else [value]
        text = ", ".join(dict.fromkeys(str(item) for item in items))
        if len(text) > MAX_TEXT:
            reason = f"the value at `{path}` has {len(text):,} characters"
            raise FigureError(reason, f"At most {MAX_TEXT:,} are allowed in a cell. Select a part of it.")
        if character := refused_character(text):
            raise FigureError(f"the value at `{path}` contains {character}, which a page cannot show")
        return text
    if form == "count":
        return str(len(value) if isinstance(value, list) else 1)
    import statistics

    found = numbers(value, path)
    mean = statistics.fmean(found)
    if len(found) == 1:
        return _unit(_digits(mean, form, decimals), form, gettext)
    deviation = statistics.stdev(found)
    text = f"{_digits(mean, form, decimals)} ± {_digits(deviation, form, decimals)}"
    return _unit(text, form, gettext)


def ticks(values: Sequence[float], form: Format, gettext: Gettext) -> list[str]:
    """Format the numbers at the axis of a chart: all powers of ten as powers if one of them is large or small.

    Those at equal distances have equally many decimals.
    """
    powers = [math.log10(value) if value > 0 else math.nan for value in values]
    if all(power.is_integer() for power in powers) and not all(is_plain(value) for value in values):
        return [power_of_ten(int(power)) for power in powers]
    shown = [100 * value for value in values] if form == "percent" else values
    texts = [f"{value:.4g}" if form == "percent" else scientific(value, 6) for value in shown]
    gaps = [after - before for before, after in pairwise(values)]
    if all(math.isclose(gap, gaps[0]) for gap in gaps) and all(map(is_plain, shown)):
        decimals = tick_decimals(texts)
        texts = [fixed(value, decimals) for value in shown]
    return [_unit(text, form, gettext) for text in texts]


def value_text(number: float, form: Format, gettext: Gettext, decimals: int | None = None) -> str:
    """Format a number of a line of a chart, with so many decimals if its format does not say how many."""
    return _unit(_digits(number, form, decimals), form, gettext)


def _digits(number: float, form: Format, decimals: int | None) -> str:
    match form:
        case "percent":
            return f"{100 * number:.2f}"
        case "integer" | "seconds":
            return f"{number:,.0f}"
        case "ratio":
            return f"{number:.2f}"
        case _:
            return fixed(number, decimals)


def _unit(text: str, form: Format, gettext: Gettext) -> str:
    match form:
        case "percent":
            return gettext("%(number)s %%") % {"number": text}
        case "seconds":
            return gettext("%(number)s s") % {"number": text}
        case "ratio":
            return f"{text}×"
        case _:
            return text


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a line: mean and range of the values of several runs."""

    x: float
    mean: float
    low: float
    high: float


def curve(xs: Any, ys: Any, path: str) -> list[Point]:
    """Return the points of a line from lists of numbers, or from several lists each, whose values are combined.

    Raises:
        FigureError: if they are not numbers, or the lists differ in length.
    """
    import statistics

    many = isinstance(ys, list) and any(isinstance(y, list) for y in ys)
    found: dict[float, list[float]] = {}
    for x, y in zip(xs, ys, strict=True) if many and _as_long(xs, ys, path) else [(xs, ys)]:
        up, across = numbers(y, path), numbers(x, path)
        if _as_long(across, up, path):
            for at, value in zip(across, up, strict=True):
                found.setdefault(at, []).append(value)
    if not found:
        raise FigureError(f"there are no numbers at `{path}`")
    if len(found) > MAX_POINTS:
        reason = f"there are {len(found):,} points at `{path}`; at most {MAX_POINTS:,} are allowed"
        raise FigureError(reason, "Record fewer.")
    return [Point(x, statistics.fmean(y), min(y), max(y)) for x, y in sorted(found.items())]


def _as_long(xs: Any, ys: Any, path: str) -> bool:
    if not isinstance(xs, Sequence) or len(xs) != len(ys):
        raise FigureError(f"the numbers at `{path}` and those of the other axis differ in count")
    return True
