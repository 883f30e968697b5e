"""Shows the outputs of the cells of a notebook. Nothing of them runs, and the rules for images apply."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from ..errors import Severity
from ..parsing import Output, OutputKind
from .context import Context
from .images import PictureError, data_address, sized_image


def render_outputs(outputs: Iterable[Output], context: Context) -> Markup:
    """Return the outputs of a cell as HTML. An image that cannot be shown is omitted, with a note."""
    return Markup().join(_output(output, context) for output in outputs)


def _output(output: Output, context: Context) -> Markup:
    match output.kind:
        case OutputKind.TEXT | OutputKind.ERROR:
            css = " failed" if output.kind is OutputKind.ERROR else ""
            pre = Markup('<pre class="listing" tabindex="0" translate="no"><code>{}</code></pre>').format(
                output.text
            )
            return Markup('<div class="listing-box output{}">{}</div>\n').format(css, pre)
        case OutputKind.PICTURE:
            try:
                picture = _picture(output, context)
            except PictureError as error:
                context.problem(f"a picture in the outputs cannot be shown: {error}", severity=Severity.NOTE)
                return _left_out(f"image/{output.suffix[1:]}", context)
            return Markup('<figure class="picture output" tabindex="0">{}</figure>\n').format(picture)
    return _left_out(output.text, context)


def _picture(output: Output, context: Context) -> Markup:
    """Return an image as part of the page.

    Raises:
        PictureError: if it cannot be shown.
    """
    alternative = context.gettext("Output")
    if not context.draws(len(output.data) * 4 // 3):
        raise PictureError("the page has too many of them")
    if output.suffix == ".svg":
        context.drawings += 1
        return Markup(context.fragments.drawing(output.data, alternative, f"drawing-{context.drawings}-"))
    return sized_image(output.data, data_address(f"output{output.suffix}", output.data), alternative)


def _left_out(kind: str, context: Context) -> Markup:
    message = context.gettext("Left out: %(what)s").replace("%(what)s", kind)
    return Markup('<p class="output">{}</p>\n').format(escape(message))
