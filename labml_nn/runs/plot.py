r"""
---
title: Drawing runs
summary:
  Writes one HTML page with the curves of runs, which needs no other file and no network.
---

# Drawing runs

The page is one file, to be sent to somebody or opened beside a run that trains. While it
[follows](__main__.py#follow) runs it asks the browser to load it again every few seconds, which
needs no script. Its charts are drawn by the engine that draws those of the site, and its colors
suit a light or a dark screen, whichever the reader prefers.
"""

import json
import statistics
from collections.abc import Sequence

from markupsafe import Markup
from pylit.figures.data import LARGEST, SMALLEST, Point
from pylit.figures.svg_chart import CHART_COLORS, draw

from labml_nn.printing import printable
from labml_nn.runs.compare import Group, differing
from labml_nn.runs.files import RunFailed

# Points of a line at most: more than a chart has pixels
MOST_POINTS = 1000

# The charts: what is drawn, the title, and whether it is a part of one
CHARTS = (
    ("accuracy.valid", "Accuracy on images held out", True),
    ("accuracy.train", "Accuracy on training images", True),
    ("loss.valid", "Loss on images held out", False),
    ("loss.train", "Loss on training images", False),
    ("learning_rate", "Learning rate", False),
)

STYLE = """
:root { color-scheme: light dark; --page: light-dark(#fdfcfa, #14171a);
  --text: light-dark(#22262a, #dde1e3); --soft: light-dark(#5d6166, #9aa4aa);
  --line: light-dark(#dedad0, #30383e); }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--page);
  color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); }
figure { margin: 0; } figcaption { text-align: center; }
svg { overflow: visible; display: block; width: 100%; height: auto; }
svg text { fill: var(--text); } svg text.muted { fill: var(--soft); }
svg path.muted { stroke: var(--soft); }
svg .grid { fill: none; stroke: var(--line); }
svg .line { fill: none; stroke: var(--c); stroke-width: 2.2;
  stroke-dasharray: var(--dash, none); stroke-linejoin: round; }
svg .lead { fill: none; stroke: var(--c); }
svg .band { fill: var(--c); opacity: 0.18; } svg .dot { fill: var(--c); }
li { list-style: none; overflow-wrap: anywhere; }
li::before { content: ""; display: inline-block; width: 1.8rem;
  margin-inline-end: 0.5rem; vertical-align: middle;
  border-top: 3px solid var(--c); }
.line-1 { --c: light-dark(#0b6556, #5fd0b8); }
.line-2 { --c: light-dark(#b0480f, #f5a56b); --dash: 7 4; }
.line-3 { --c: light-dark(#2f55b5, #92b4ff); --dash: 2 4; }
.line-4 { --c: light-dark(#8a2a5b, #f29ac2); --dash: 10 3 2 3; }
.line-5 { --c: light-dark(#6a5a00, #d9c44c); --dash: 14 5; }
.line-6 { --c: light-dark(#5d6166, #9aa4aa); --dash: 4 2; }
"""


def points(group: Group, name: str) -> list[Point]:
    """The line of what was measured under this `name` in the runs of a `group`, by epoch.

    It goes through the means over the runs, and its band from the smallest to the largest.
    """
    found: dict[float, tuple[float, list[float]]] = {}
    for run in group.runs:
        parts = [line for line in run.intervals if name in line]
        for line in parts or run.epochs:
            epoch, value = line.get("epoch"), line.get(name)
            if epoch is None or value is None:
                continue
            sizes = [abs(size) for size in (epoch, value) if size]
            if all(SMALLEST <= size <= LARGEST for size in sizes):
                step = line["step"] or 0
                found.setdefault(step, (epoch, []))[1].append(value)
    every = -(-len(found) // MOST_POINTS) or 1
    return [
        Point(epoch, statistics.fmean(values), min(values), max(values))
        for _, (epoch, values) in sorted(found.items())[::every]
    ]


def as_html(
    groups: Sequence[Group],
    *,
    reload: float | None = None,
    may_be_empty: bool = False,
) -> str:
    """A page with the curves of `groups`.

    With `reload`, the browser loads it again after so many seconds. Raises `RunFailed` if nothing
    was measured, unless the page reloads or `may_be_empty`.
    """
    charts = []
    for name, title, is_part in CHARTS:
        found = [points(group, name) for group in groups]
        shown = [at for at, line in enumerate(found) if line]
        if shown:
            drawing = draw(
                [found[at] for at in shown],
                [f"{at + 1}" for at in shown],
                [at % CHART_COLORS + 1 for at in shown],
                (title, "epoch", ""),
                ("linear", "linear"),
                "percent" if is_part else "number",
                str,
            )
            charts.append(
                Markup(
                    "<figure>{}<figcaption>{}</figcaption></figure>\n"
                ).format(drawing.svg, title)
            )
    if not charts:
        if reload is None and not may_be_empty:
            raise RunFailed("nothing was measured in these runs yet")
        charts = [Markup("<p>Nothing was measured yet.</p>\n")]
    refresh = (
        Markup()
        if reload is None
        else Markup('<meta http-equiv="refresh" content="{:g}">\n').format(
            reload
        )
    )
    names = differing(groups)
    legend = Markup().join(
        Markup('<li class="line-{}">{}: {}</li>\n').format(
            at % CHART_COLORS + 1, at + 1, _label(group, names)
        )
        for at, group in enumerate(groups)
    )
    return str(
        Markup(
            '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
            '<meta http-equiv="Content-Security-Policy" content="'
            "default-src 'none'; style-src 'unsafe-inline'\">\n"
            '<meta name="viewport" content="width=device-width">\n{}'
            "<title>Runs</title>\n<style>{}</style>\n<h1>Runs</h1>\n"
            "<ul>\n{}</ul>\n<main>\n{}</main>\n</html>\n"
        ).format(refresh, Markup(STYLE), legend, Markup().join(charts))
    )


def _label(group: Group, names: Sequence[str]) -> str:
    """What is special about `group`: its values of the facts `names`, and its folders."""
    facts = [
        f"{name} {json.dumps(group.facts.get(name))}"
        for name in names
        if name != "code"
    ]
    folders = ", ".join(str(run.folder) for run in group.runs[:5])
    more = f" and {len(group.runs) - 5} more" if len(group.runs) > 5 else ""
    band = "; mean, smallest and largest" if len(group.runs) > 1 else ""
    return printable("; ".join([*facts, folders + more]) + band, 500)
