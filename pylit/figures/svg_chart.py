"""Draws charts as SVG that takes its colours from the page: lines over two axes, with the range of several runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..i18n import Gettext
from ..parsing import FigureError, Format, Scale
from .data import Point, ticks
from .line_names import place_names

WIDTH, HEIGHT = 480, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 34, 46
"""Margins around the plot, for labels; without the names of lines."""
FINEST = 1e-9
"""Minimum distance of two ticks relative to the largest number: closer ones would have the same labels."""
CHART_COLORS = 6
"""Number of line styles in the stylesheet."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of a chart: maps numbers to coordinates."""

    low: float
    high: float
    start: float
    end: float
    """Coordinates of the lowest and the highest number."""
    scale: Scale
    ticks: tuple[float, ...]

    def place(self, number: float) -> float:
        """Return the coordinate of `number`."""
        low, high, number = (_scaled(value, self.scale) for value in (self.low, self.high, number))
        return self.start + (number - low) / (high - low) * (self.end - self.start)


def make_axis(numbers: Sequence[float], start: float, end: float, scale: Scale) -> Axis:
    """Make an axis that covers `numbers`, with round numbers at its ticks.

    Raises:
        FigureError: if the axis is logarithmic and a number is not positive.
    """
    low, high = min(numbers), max(numbers)
    if scale == "log":
        if low <= 0:
            raise FigureError(f"a logarithmic axis cannot show {low:g}", "Use `linear`.")
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        last = max(last, first + 1)
        if last - first == 1:  # with two powers alone, nobody could read what is between them
            found = tuple(factor * 10.0**first for factor in (1, 2, 5, 10))
            return Axis(found[0], found[-1], start, end, scale, found)
        if last - first == 2:
            steps = [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]
            lowest = max(step for step in steps if step <= low * (1 + 1e-9))
            highest = min(step for step in steps if step >= high * (1 - 1e-9))
            found = tuple(step for step in steps if lowest <= step <= highest)
            return Axis(lowest, highest, start, end, scale, found)
        powers = range(first, last + 1, max(1, -(-(last - first) // 6)))
        return Axis(10.0**first, 10.0**last, start, end, scale, tuple(10.0**power for power in powers))
    size = max(abs(low), abs(high))
    step = _round_step(max((high - low) / 5, size * FINEST) if high > low else size or 1.0)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    steps = [number * step for number in range(first, max(last, first + 1) + 1)]
    return Axis(steps[0], steps[-1], start, end, scale, tuple(steps))


def _round_step(step: float) -> float:
    """Return the smallest of 1, 2, 5, 10 times a power of ten that is not less than `step`."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if step <= factor * power * (1 + 1e-9))


def _scaled(number: float, scale: Scale) -> float:
    return math.log10(number) if scale == "log" else number


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart as SVG."""

    svg: Markup
    across: Axis
    up: Axis
    has_names: bool
    """Whether the names of the lines are at their ends. Many lines need a legend."""


def draw(
    curves: Sequence[Sequence[Point]],
    names: Sequence[str],
    styles: Sequence[int],
    titles: tuple[str, str, str],
    scales: tuple[Scale, Scale],
    form: Format,
    gettext: Gettext,
) -> Drawn:
    """Draw a chart of `curves`: lines through the means, with bands from the smallest to the largest value.

    Args:
        curves: The points of each line.
        names: The name of each line; none if they are elsewhere.
        styles: The number of its colour and dash, from 1.
        titles: Accessible name, and titles of the horizontal and the vertical axis.
        scales: Scales of the horizontal and the vertical axis.
        form: Format of the numbers on the vertical axis.
        gettext: Translates units.

    Raises:
        FigureError: if an axis is logarithmic and a number is not positive.
    """
    up = make_axis(
        [y for curve in curves for p in curve for y in (p.low, p.high)], HEIGHT - BOTTOM, TOP, scales[1]
    )
    ends = [up.place(curve[-1].mean) for curve in curves] if names else []
    placed = place_names(names, ends, TOP - 12, HEIGHT - BOTTOM + 12) if names else None
    right = WIDTH - RIGHT - (placed.width if placed else 0)
    across = make_axis([p.x for curve in curves for p in curve], LEFT, right, scales[0])
    label, x_title, y_title = titles
    parts = [*_grid(across, up, form, gettext), *_titles(across, x_title, y_title)]
    for curve, style in zip(curves, styles, strict=True):
        parts += _line(curve, across, up, f"line-{style}")
    if placed:
        for name, curve, style in zip(placed.names, curves, styles, strict=True):
            end = across.place(curve[-1].x), up.place(curve[-1].mean)
            parts.append(name.drawn(end, right + 12, f"line-{style}"))
    svg = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}" font-size="14">{}</svg>').format(
        WIDTH, HEIGHT, label, Markup("").join(parts)
    )
    return Drawn(svg, across, up, placed is not None)


def _grid(across: Axis, up: Axis, form: Format, gettext: Gettext) -> list[Markup]:
    rule = Markup('<path class="grid" d="{}"/>')
    text = Markup('<text class="muted" x="{:.0f}" y="{:.0f}" text-anchor="{}">{}</text>')
    lines = [f"M{LEFT} {up.place(y):.1f}H{across.end:.1f}" for y in up.ticks]
    marks = [f"M{across.place(x):.1f} {HEIGHT - BOTTOM}v5" for x in across.ticks]
    found = [rule.format("".join(lines + marks))]
    labels = zip(up.ticks, ticks(up.ticks, form, gettext), strict=True)
    found += [text.format(LEFT - 8, up.place(y) + 5, "end", label) for y, label in labels]
    labels = zip(across.ticks, ticks(across.ticks, "number", gettext), strict=True)
    bottom = HEIGHT - BOTTOM + 20
    return found + [text.format(across.place(x), bottom, "middle", label) for x, label in labels]


def _titles(across: Axis, x: str, y: str) -> list[Markup]:
    return [
        Markup('<text x="{:.0f}" y="{}" text-anchor="middle">{}</text>').format(
            (across.start + across.end) / 2, HEIGHT - 6, x
        ),
        Markup('<text x="2" y="16">{}</text>').format(y),
    ]


def _line(curve: Sequence[Point], across: Axis, up: Axis, css: str) -> list[Markup]:
    upper = [f"{across.place(p.x):.1f} {up.place(p.high):.1f}" for p in curve]
    lower = [f"{across.place(p.x):.1f} {up.place(p.low):.1f}" for p in curve]
    means = [f"{across.place(p.x):.1f} {up.place(p.mean):.1f}" for p in curve]
    found = []
    if upper != lower:
        found.append(Markup('<path class="band {}" d="M{}Z"/>').format(css, "L".join(upper + lower[::-1])))
    if len(means) == 1:
        x, _, y = means[0].partition(" ")
        return [*found, Markup('<circle class="dot {}" cx="{}" cy="{}" r="4"/>').format(css, x, y)]
    return [*found, Markup('<path class="line {}" d="M{}"/>').format(css, "L".join(means))]
