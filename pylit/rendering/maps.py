"""Renders the parts of a front page: maps of the site's pages, and a formula beside the code that computes it.

What they show of other pages, the context asks the site for; only files that become pages can be named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from markupsafe import Markup, escape

from ..errors import FormulaError
from ..i18n import marked
from ..parsing import FigureError, Pages, Specimen, Text
from ..resolve import LinkError
from .context import Context, Excerpt, PageCard
from .images import PictureError

TIED = 1_000_000
"""The first number of names in specimens, which no name in the code of a page has."""


def render_map(figure: Pages | Specimen, block: Callable[[Text], Markup], context: Context) -> Markup:
    """Render a part of a front page; `block` renders a text of it in the language of the page.

    Raises:
        FigureError: with its line, if something that it names is not found.
    """
    if isinstance(figure, Pages):
        return render_pages(figure, context)
    return render_specimen(figure, block(figure.caption), context)


def render_pages(pages: Pages, context: Context) -> Markup:
    """Render links to pages as cards or rows.

    Raises:
        FigureError: with its line, if a pattern matches no page.
    """
    items = [_card(card, context, pages.style == "cards") for card in find_cards(pages, context)]
    return Markup('<ul class="{}">\n{}</ul>\n').format(pages.style, Markup().join(items))


def find_cards(pages: Pages, context: Context) -> Sequence[PageCard]:
    """Return the pages that a part of a map links to, in reading order, and note that the page links to them.

    Raises:
        FigureError: with its line, if a pattern matches no page.
    """
    try:
        cards = context.cards(pages.patterns)
    except LinkError as error:
        raise FigureError(str(error), error.hint, pages.place) from error
    context.targets.update(card.href for card in cards)
    return cards


def _card(card: PageCard, context: Context, has_pictogram: bool) -> Markup:
    picture = pictogram(card.pictogram, context) if has_pictogram and card.pictogram else Markup()
    hook = Markup("<span{}>{}</span>").format(marked(card.hook_lang, context.lang), card.hook)
    title = Markup("<b{}>{}</b>").format(marked(card.title_lang, context.lang), card.title)
    return Markup('<li><a href="{}">{}{}{}</a></li>\n').format(
        card.href, picture, title, hook if card.hook else ""
    )


def pictogram(data: bytes, context: Context) -> Markup:
    """Return the drawing that stands for a page; empty if it cannot be shown, which its own page reports."""
    if not context.draws(len(data)):
        return Markup()
    context.drawings += 1
    try:
        html = context.fragments.drawing(data, "", f"drawing-{context.drawings}-")
    except PictureError:
        return Markup()
    return Markup('<span class="pictogram">{}</span>').format(Markup(html))


def render_specimen(specimen: Specimen, caption: Markup, context: Context) -> Markup:
    """Render a formula beside the code that computes it, with symbols and names that light up together.

    Raises:
        FigureError: with its line, if the formula is not valid, or the code or a name is not found.
    """
    try:
        formula = Markup(context.fragments.formula(specimen.formula, True))
    except FormulaError as error:
        raise FigureError(f"the formula is not valid: {error}", "", specimen.formula_place) from error
    parts = Markup("\n").join(
        Markup('<a class="from" href="{}"><code translate="no">{}</code></a>\n{}').format(
            excerpt.href, excerpt.name, Markup("\n").join(map(Markup, excerpt.lines))
        )
        for excerpt in excerpts(specimen, context)
    )
    return Markup(
        '<figure class="specimen"><div class="formula" tabindex="0">{}</div>\n'
        '<div class="listing-box"><pre class="listing" tabindex="0" translate="no"><code>{}</code></pre></div>\n'
        "<figcaption>{}</figcaption></figure>\n"
    ).format(formula, parts, caption)


def excerpts(specimen: Specimen, context: Context) -> list[Excerpt]:
    """Return the code of a specimen, and note which of its names belong to which symbol.

    Raises:
        FigureError: with its line, if the code, or a name or symbol in it, is not found.
    """
    numbers = dict(_numbers(specimen, context))
    try:
        found = [context.excerpt(target, numbers) for target in specimen.code]
    except LinkError as error:
        raise FigureError(str(error), error.hint, specimen.place) from error
    for name, number in numbers.items():
        if not any(f'data-n="{number}">{escape(name)}<' in line for part in found for line in part.lines):
            hint = "Write a name as it stands there."
            raise FigureError(f"`{name}` is not in the code of the specimen", hint, specimen.symbols_place)
    return found


def _numbers(specimen: Specimen, context: Context) -> Iterator[tuple[str, int]]:
    """Yield the number of each name that belongs to a symbol."""
    from ..tex import find_symbols

    used = find_symbols(specimen.formula)
    for symbol, names in specimen.symbols.items():
        key = "".join(find_symbols(symbol)) or symbol
        if key not in used:
            reason = f"the symbol `{symbol}` is not in the formula of the specimen"
            raise FigureError(reason, "Use or remove it.", specimen.symbols_place)
        number = context.tied.setdefault(key, TIED + len(context.tied))
        yield from dict.fromkeys(names, number).items()
