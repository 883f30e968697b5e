"""Renders charts, tables and glossaries as HTML: recorded numbers, and texts in the language of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from markupsafe import Markup

from ..errors import PylitError
from ..i18n import Gettext, Glossary, Term, native_name, turned
from ..parsing import Chart, Column, Figure, FigureError, Format, Table, Terms, Text
from ..resolve import LinkError, Links
from .data import curve, parse_record, select, written
from .svg_chart import CHART_COLORS, draw

MAX_ROWS = 1000
"""Maximum number of rows of a table."""


@dataclass(frozen=True)
class FigureContext:
    """The page that figures are rendered for."""

    links: Links
    block: Callable[[Text], Markup]
    """Renders a text of a figure as HTML in the language of the page."""
    words: Callable[[Text], str]
    """The same as plain text."""
    marked: Callable[[Text], Markup]
    """Returns the `lang` attribute for a text that is not translated."""
    gettext: Gettext
    lang: str
    source_lang: str
    glossaries: Callable[[], Mapping[str, Glossary]]
    """Reads the glossaries of all languages."""


def render_figure(figure: Figure, page: FigureContext) -> Markup:
    """Render a figure as HTML.

    Raises:
        FigureError: with its line, if a file or a value in it is not found.
    """
    match figure:
        case Chart():
            return _chart(figure, page)
        case Table():
            return _table(figure, page)
        case Terms():
            return _terms(page)


def _chart(chart: Chart, page: FigureContext) -> Markup:
    drawing = chart_drawing(chart, page.links, page.words, page.gettext)
    legend = Markup().join(
        Markup('<li class="line-{}">{}</li>').format(number % CHART_COLORS + 1, page.block(line.label))
        for number, line in enumerate(chart.lines)
    )
    return Markup(
        '<figure class="picture chart"{}>{}<ul class="legend">{}</ul><figcaption>{}</figcaption></figure>\n'
    ).format(page.marked(chart.caption), drawing, legend, page.block(chart.caption))


def chart_drawing(chart: Chart, links: Links, words: Callable[[Text], str], gettext: Gettext) -> Markup:
    """Draw a chart as SVG, without legend and caption; `words` returns its texts in the language of the page.

    Raises:
        FigureError: with its line, if a file or a value in it is not found.
    """
    curves = []
    for line in chart.lines:
        with _at(line.place):
            record = _record(_files(line.data, links)[0], links)
            curves.append(curve(select(record, line.x), select(record, line.y), line.y))
    label, x, y = (words(text) for text in (chart.caption, chart.x, chart.y))
    return draw(curves, label, x, y, chart.x_scale, chart.y_scale, chart.format, gettext)


def _table(table: Table, page: FigureContext) -> Markup:
    heads = Markup("").join(
        Markup("<th{}>{}</th>").format(_side(column.format), page.block(column.head))
        for column in table.columns
    )
    body = Markup().join(
        Markup("<tr>{}</tr>\n").format(
            Markup().join(
                Markup("<td{}>{}</td>").format(
                    _side(column.format), page.block(cell) if isinstance(cell, Text) else cell
                )
                for column, cell in zip(table.columns, row, strict=True)
            )
        )
        for row in recorded_cells(table, page.links, page.gettext)
    )
    caption = Markup("<caption>{}</caption>").format(page.block(table.caption)) if table.caption else ""
    html = Markup("<table>{}<thead><tr>{}</tr></thead><tbody>\n{}</tbody></table>").format(
        caption, heads, body
    )
    return Markup('<div class="table recorded" tabindex="0">{}</div>\n').format(html)


def recorded_cells(table: Table, links: Links, gettext: Gettext) -> list[list[Text | str]]:
    """Return the rows of a table: formatted values, and texts that are still to be translated.

    Raises:
        FigureError: with its line, if a file or a value in it is not found.
    """
    with _at(table.place):
        rows = list(islice((row for pattern in table.rows for row in _rows(pattern, links)), MAX_ROWS + 1))
        if len(rows) > MAX_ROWS:
            raise FigureError(f"the table has more than {MAX_ROWS:,} rows", "Select fewer files or rows.")
    return [[_cell(row, column, gettext) for column in table.columns] for row in rows]


def _cell(row: Any, column: Column, gettext: Gettext) -> Text | str:
    with _at(column.place):
        text = written(select(row, column.value), column.format, column.value, gettext)
    return column.names.get(text, text)


def _terms(page: FigureContext) -> Markup:
    """Render a glossary: with all languages on a page in the language of the sources, else the page's language in
    detail.
    """
    try:
        glossaries = page.glossaries()
    except PylitError as error:
        raise FigureError(f"the glossary cannot be shown: {error}") from error
    gettext = page.gettext
    if own := glossaries.get(page.lang):
        names = [gettext("Term"), gettext("Use"), gettext("Never"), gettext("Why")]
        heads = [Markup.escape(name) for name in names]
        rows = [_term(term, page) for term in own.terms]
    else:
        mark = Markup('<span lang="{}"{}>{}</span>')
        heads = [
            Markup.escape(gettext("Term")),
            *(mark.format(lang, turned(lang, page.lang), native_name(lang)) for lang in glossaries),
        ]
        renderings = {lang: {t.term: t.use for t in found.terms} for lang, found in glossaries.items()}
        terms = dict.fromkeys(term for found in renderings.values() for term in found)
        rows = [
            [
                Markup.escape(term),
                *(
                    mark.format(lang, turned(lang, page.lang), " / ".join(found.get(term, ())))
                    for lang, found in renderings.items()
                ),
            ]
            for term in terms
        ]
    head = Markup().join(Markup("<th>{}</th>").format(cell) for cell in heads)
    body = Markup().join(
        Markup("<tr>{}</tr>\n").format(Markup().join(Markup("<td>{}</td>").format(cell) for cell in row))
        for row in rows
    )
    return Markup(
        '<div class="table terms" tabindex="0"><table><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table></div>\n'
    ).format(head, body)


def _term(term: Term, page: FigureContext) -> Sequence[Markup]:
    never = Markup(" / ").join(Markup("<s>{}</s>").format(wrong) for wrong in term.never)
    side = turned(page.source_lang, page.lang)
    original = Markup('<span lang="{}"{}>{}</span>').format(page.source_lang, side, term.term)
    return original, Markup.escape(" / ".join(term.use)), never, Markup.escape(term.why)


def _rows(pattern: str, links: Links) -> Iterator[Any]:
    """Yield the data of each row: a file, or the items of a list in it."""
    pattern, _, path = pattern.partition("#")
    for file in _files(pattern, links):
        found = select(_record(file, links), path)
        if path and not isinstance(found, list):
            raise FigureError(
                f"the value at `{path}` is not a list", "To make one row of a file, name the file alone."
            )
        yield from found if path else [found]


def _files(pattern: str, links: Links) -> list[str]:
    """Return the files that match `pattern`."""
    try:
        return links.find_files(pattern)
    except LinkError as error:
        raise FigureError(str(error), error.hint) from error


def _record(file: str, links: Links) -> Any:
    try:
        return parse_record(links.read(file), file)
    except LinkError as error:
        raise FigureError(str(error), error.hint) from error


def _side(form: Format) -> Markup:
    return Markup("") if form == "text" else Markup(' class="n"')


@contextmanager
def _at(line: int) -> Iterator[None]:
    """Set the line of errors to the line of the figure that they come from."""
    try:
        yield
    except FigureError as error:
        error.line = error.line or line
        raise
