"""Renders the pictures of a function's tensors: its expressions one after the other, each with what it yields."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from markupsafe import Markup

from ..resolve import LinkError
from ..tracing import PicturedStep
from .code_html import escaped
from .context import Context
from .images import PictureError, linked_image

BAR, TALL = 5, 30
"""Width and height of the bars of a histogram."""


@dataclass(frozen=True)
class Pictures:
    """The pictures of the tensors of a module."""

    folder: str = ""
    """The folder of their files."""
    scale: float = 1.0
    """The number that has the strongest colour."""
    steps: Mapping[int, Sequence[PicturedStep]] = field(default_factory=dict)
    """Line -> what its expressions yield."""

    def on(self, lines: Sequence[int]) -> list[PicturedStep]:
        """Return the steps on some lines."""
        return list(chain.from_iterable(self.steps.get(line, ()) for line in lines))

    def anchors(self, anchor: str, lines: Sequence[int]) -> dict[int, str]:
        """Return the anchor of the first step on each of the lines of a section, which has an `anchor` itself."""
        found, number = {}, 1
        for line in lines:
            if steps := self.steps.get(line):
                found[line] = _anchor(anchor, number)
                number += len(steps)
        return found


NO_PICTURES = Pictures()


def _anchor(anchor: str, number: int) -> str:
    return f"{anchor}:picture-{number}"


def render_pictures(pictures: Pictures, anchor: str, lines: Sequence[int], context: Context) -> Markup:
    """Render the pictures of the lines of a section; nothing if there are none."""
    steps = pictures.on(lines)
    if not steps:
        return Markup()
    gettext = context.gettext
    items = Markup().join(
        _item(pictures, step, _anchor(anchor, number), context) for number, step in enumerate(steps, 1)
    )
    key = gettext("A tile is a channel: blue below zero, white zero, red above, strongest from %(scale)s on.")
    key = key.replace("%(scale)s", f"{pictures.scale:.2g}")
    return Markup('<details class="looks"><summary>{}</summary><p>{}</p><ol>{}</ol></details>').format(
        gettext("What these lines make of an image"), key, items
    )


def _item(pictures: Pictures, step: PicturedStep, anchor: str, context: Context) -> Markup:
    """Render a step; without its picture if that cannot be shown, which is reported."""
    gettext, file = context.gettext, f"{pictures.folder}/{step.picture}"
    alternative = (
        gettext("%(code)s, shape %(shape)s, as a picture")
        .replace("%(shape)s", step.shape.partition(" ")[0])
        .replace("%(code)s", step.expression)
    )
    try:
        image = linked_image(context.links.read(file), context.picture(file), alternative)
        context.pictures[file] = None
    except (LinkError, PictureError) as error:
        context.problem(f"the picture `{file}` cannot be shown: {error}")
        image = Markup()
    numbers = (
        gettext("mean %(mean)s, deviation %(deviation)s, zeros %(zeros)s")
        .replace("%(mean)s", _number(step.mean))
        .replace("%(deviation)s", _number(step.deviation))
        .replace("%(zeros)s", gettext("%(number)s %%") % {"number": f"{100 * step.zeros:.0f}"})
    )
    name = Markup('<code translate="no"{}>{}</code>').format(
        _tied(step, context), Markup(escaped(step.expression).replace("(", "(<wbr>"))
    )
    return Markup('<li id="{}">{}{}{}<small>{}</small></li>\n').format(
        anchor, name, image, _bars(step.histogram), numbers
    )


def _tied(step: PicturedStep, context: Context) -> Markup:
    """Return the attribute that lets an expression light up with what it calls, or a parameter with its symbol."""
    owner = step.place.within.rpartition(".")[0]
    match ast.parse(step.expression, mode="eval").body:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)):
            number = (context.names or {}).get(f"{owner}.{name}")
            return Markup(' data-n="{}"').format(number) if number is not None else Markup()
        case ast.Name(id=name) if name in context.symbols():
            return Markup(' data-sym="{}"').format(name)
    return Markup()


def _bars(counts: Sequence[int]) -> Markup:
    """Draw a histogram, with a line at zero in its middle. The numbers beside it say the same."""
    highest = max(counts, default=0) or 1
    heights = (max(1, round(TALL * (count / highest) ** 0.5)) if count else 0 for count in counts)
    bars = f"M0 {TALL}" + "".join(f"V{TALL - height}h{BAR}" for height in heights) + f"V{TALL}z"
    width = BAR * len(counts)
    return Markup(
        '<svg viewBox="0 0 {0} {1}" aria-hidden="true"><path d="{2}"/><path class="zero" d="M{3} 0v{1}"/></svg>'
    ).format(width, TALL, bars, width / 2)


def _number(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")
