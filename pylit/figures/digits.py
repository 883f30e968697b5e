"""Decides how many digits of a number readers see: by itself, in a column, or as a place on an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

SMALL, LARGE = 1e-3, 1e5
"""Range of absolute values that are written without a power of ten."""
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
DIGITS = 4
"""Significant digits of a number, and of the largest one of a column."""
NEAR = 0.1
"""Largest error of a place on an axis, relative to the distance of two places."""


def is_plain(number: float) -> bool:
    """Return whether a number is best written without a power of ten."""
    return number == 0 or SMALL <= abs(number) < LARGE


def power_of_ten(power: int) -> str:
    """Return `10²⁶`."""
    return f"10{str(power).translate(SUPERSCRIPTS)}"


def scientific(number: float, digits: int = DIGITS) -> str:
    """Format a number with so many significant digits: `0.25`, `4.525×10²⁶`."""
    text = f"{number:.{digits}g}"
    if is_plain(number) or "e" not in text:
        return f"{float(text):.0f}" if "e" in text else text
    mantissa, _, power = f"{number:.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}×{power_of_ten(int(power))}"


def fixed(number: float, decimals: int | None) -> str:
    """Format a number with so many decimals; with as many as it has by itself if that is `None`."""
    if decimals is None:
        return scientific(number)
    text = f"{number:.{decimals}f}"
    return text.removeprefix("-") if not float(text) else text


def common_decimals(numbers: Sequence[float]) -> int | None:
    """Return how many decimals all numbers of a column have.

    None is right for all if the column has powers of ten, or if a small number would keep fewer than two of its digits.
    Where some numbers are negative, those near zero are small by chance, and may.
    """
    found = [abs(number) for number in numbers if number]
    if not found or not all(map(is_plain, found)):
        return None
    own = [_decimals(scientific(number)) for number in found]
    before = math.floor(math.log10(max(found))) + 1
    decimals = min(max(own), max(0, DIGITS - before))
    is_lost = any(
        its > decimals and number * 10**decimals < 9.5 for number, its in zip(found, own, strict=True)
    )
    return None if is_lost and min(numbers) >= 0 else decimals


def tick_decimals(texts: Sequence[str]) -> int:
    """Return how many decimals the numbers at an axis have, given each of them by itself."""
    return max(map(_decimals, texts))


def places(numbers: Sequence[float]) -> list[str]:
    """Format places on a linear axis, in ascending order: as finely as it takes to tell them from the next ones.

    Where most are whole, these are written so, such as `8` for the 8.01 epochs after so many steps of a batch.
    """
    if len(numbers) < 2 or not all(map(is_plain, numbers)):
        return [scientific(number) for number in numbers]
    distance = sorted(after - before for before, after in pairwise(numbers))[(len(numbers) - 1) // 2]
    found = [_needed(number, NEAR * distance) for number in numbers]
    finest = max(found)
    is_whole = 2 * found.count(0) > len(found)
    return [
        f"{number:.{0 if is_whole and not its else finest}f}"
        for number, its in zip(numbers, found, strict=True)
    ]


def _needed(number: float, error: float) -> int:
    """Return how many decimals bring a number within an error; at most as many as make up four digits."""
    own = _decimals(scientific(number))
    return next((its for its in range(own) if abs(round(number, its) - number) <= error), own)


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])
