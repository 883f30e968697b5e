"""Finds values in files of recorded results, and writes them as a reader likes them.

A path such as `runs.valid_accuracy` goes through the keys of a JSON file, and through all items of a list on its way.
Several numbers become their mean and standard deviation.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from .figures import FigureError, Format
from .interface import Gettext

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def parse_record(data: bytes, name: str) -> Any:
    """What the JSON file that holds `data` says; `name` is how its user calls it.

    Raises:
        FigureError: if it cannot be read.
    """
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FigureError(f"the file `{name}` cannot be read: {error}", "Record it again.") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def select(record: Any, path: str) -> Any:
    """The value at `path`; of a list on the way, those of all its items that are not null.

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
        near = get_close_matches(key, keys, 1)
        meant = f"Did you mean `{near[0]}`?" if near else f"There: {', '.join(keys) or 'no keys'}."
        raise FigureError(f"nothing is recorded at `{path}`: there is no `{key}`", meant)
    return value[key]


def numbers(value: Any, path: str) -> list[float]:
    """`value` as numbers.

    Raises:
        FigureError: if it is something else.
    """
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in items):
        raise FigureError(f"what is recorded at `{path}` must be numbers, got {str(value)[:40]}")
    return [float(item) for item in items]


def written(value: Any, form: Format, path: str, gettext: Gettext) -> str:
    """A value of a table as text: several numbers by mean and standard deviation, and a dash for none.

    Raises:
        FigureError: if it is no number and should be one.
    """
    if value is None or value == []:
        return "–"
    if form == "text":
        items = value if isinstance(value, list) else [value]
        return ", ".join(dict.fromkeys(str(item) for item in items))
    if form == "count":
        return str(len(value) if isinstance(value, list) else 1)
    import statistics

    found = numbers(value, path)
    mean = statistics.fmean(found)
    if len(found) == 1:
        return _unit(_digits(mean, form), form, gettext)
    deviation = statistics.stdev(found)
    return _unit(f"{_digits(mean, form)} ± {_digits(deviation, form)}", form, gettext)


def tick(number: float, form: Format, gettext: Gettext) -> str:
    """A number at the axis of a chart; a large or small power of ten as one."""
    if number > 0 and not 1e-3 <= number < 1e5 and (power := math.log10(number)).is_integer():
        return "10" + str(int(power)).translate(SUPERSCRIPTS)
    return _unit(f"{100 * number:.4g}" if form == "percent" else f"{number:.6g}", form, gettext)


def _digits(number: float, form: Format) -> str:
    match form:
        case "percent":
            return f"{100 * number:.2f}"
        case "integer" | "seconds":
            return f"{number:,.0f}"
        case "ratio":
            return f"{number:.2f}"
        case _:
            return f"{number:.4g}"


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


Point = tuple[float, float, float, float]
"""x, the mean of y, and the smallest and largest y."""


def curve(xs: Any, ys: Any, path: str) -> list[Point]:
    """The points of a line: lists of numbers, or several such lists, of which the mean is drawn.

    Raises:
        FigureError: if they are not, or if the lists differ in length.
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
        raise FigureError(f"no numbers are recorded at `{path}`")
    return [(x, statistics.fmean(y), min(y), max(y)) for x, y in sorted(found.items())]


def _as_long(xs: Any, ys: Any, path: str) -> bool:
    if not isinstance(xs, Sequence) or len(xs) != len(ys):
        raise FigureError(f"the numbers at `{path}` are not as many as those of the other axis")
    return True
