"""Renders charts, tables and glossaries as HTML: recorded numbers, and texts in the language of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from markupsafe import Markup

from ..errors import PylitError
from ..i18n import Gettext, Glossary, Term, native_name, turned
from ..parsing import Chart, Column, FigureError, Format, Standing, Table, Terms, Text
from ..resolve import LinkError, Links
from .data import Point, curve, numbers, parse_record, select, value_text, written
from .digits import common_decimals, places, scientific
from .line_names import find_styles
from .standing import LanguageStanding, render_standing
from .svg_chart import CHART_COLORS, WIDTH, Drawn, draw

MAX_ROWS = 1000
"""Maximum number of rows of a table."""
MAX_STEPS = 60
"""Maximum number of rows of the table of a chart."""


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
    line_styles: dict[str, int] = field(default_factory=dict)
    """Name of a line in the charts of the page so far -> the number of its colour and dash."""
    standing: Callable[[], Sequence[LanguageStanding]] = tuple
    """Returns how far the pages of the site are translated."""


def render_figure(figure: Chart | Table | Terms | Standing, page: FigureContext) -> Markup:
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
        case Standing():
            return render_standing(page.standing(), page.gettext, page.lang)


def _chart(chart: Chart, page: FigureContext) -> Markup:
    drawing = chart_drawing(chart, page.links, page.words, page.gettext, page.line_styles)
    legend = Markup()
    if not drawing.drawn.has_names:
        items = Markup().join(
            Markup('<li class="line-{}">{}</li>').format(style, page.block(line.label))
            for style, line in zip(drawing.styles, chart.lines, strict=True)
        )
        legend = Markup('<ul class="legend">{}</ul>').format(items)
    return Markup(
        '<figure class="picture chart"{}><div class="plot">{}{}</div>{}<figcaption>{}</figcaption>{}</figure>\n'
    ).format(
        page.marked(chart.caption),
        drawing.drawn.svg,
        _walk(chart, drawing, page),
        legend,
        page.block(chart.caption),
        _values(chart, drawing, page),
    )


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart as SVG, and what it was drawn from."""

    drawn: Drawn
    curves: tuple[list[Point], ...]
    styles: tuple[int, ...]
    """The numbers of the colours and dashes of its lines."""

    def steps(self) -> list[float]:
        """Return the places on the horizontal axis where there are points: as many, evenly, as a table holds."""
        found = sorted({point.x for points in self.curves for point in points})
        if len(found) <= MAX_STEPS:
            return found
        return [found[round(n * (len(found) - 1) / (MAX_STEPS - 1))] for n in range(MAX_STEPS)]


def chart_drawing(
    chart: Chart,
    links: Links,
    words: Callable[[Text], str],
    gettext: Gettext,
    line_styles: dict[str, int],
) -> Drawing:
    """Draw a chart as SVG, without caption; `words` returns its texts in the language of the page.

    `line_styles` are the colours and dashes of the names on the page, to which those of the chart are added.

    Raises:
        FigureError: with its line, if a file or a value in it is not found.
    """
    curves = []
    for line in chart.lines:
        with _at(line.place):
            record = _record(_files(line.data, links)[0], links)
            curves.append(curve(select(record, line.x), select(record, line.y), line.y))
    styles = find_styles([line.label.text for line in chart.lines], line_styles, CHART_COLORS)
    drawn = draw(
        curves,
        [words(line.label) for line in chart.lines],
        styles,
        (words(chart.caption), words(chart.x), words(chart.y)),
        (chart.x_scale, chart.y_scale),
        chart.format,
        gettext,
    )
    return Drawing(drawn, tuple(curves), tuple(styles))


def _walk(chart: Chart, drawing: Drawing, page: FigureContext) -> Markup:
    """Return a slider along the horizontal axis, for browsers with scripts. It reads the values from the table."""
    steps = drawing.steps()
    last = len(steps) - 1
    if not last:
        return Markup()
    start, end = (100 * drawing.drawn.across.place(steps[n]) / WIDTH for n in (0, last))
    place = f"--from:{start:.1f}%;--to:{100 - end:.1f}%"
    return Markup(
        '<input class="walk" type="range" max="{0}" value="{0}" autocomplete="off" aria-label="{1}" style="{2}">'
        '<p class="at"></p>'
    ).format(last, page.words(chart.x), place)


def _values(chart: Chart, drawing: Drawing, page: FigureContext) -> Markup:
    """Return the table of the numbers in a chart, each with its place in the drawing."""
    across, up = drawing.drawn.across, drawing.drawn.up
    heads = Markup().join(
        Markup('<th class="n" data-line="{}" data-name="{}">{}</th>').format(
            style, page.words(line.label), page.block(line.label)
        )
        for style, line in zip(drawing.styles, chart.lines, strict=True)
    )
    found = [{point.x: point for point in points} for points in drawing.curves]
    steps = drawing.steps()
    decimals = [
        common_decimals([y for x in steps if (p := points.get(x)) for y in (p.mean, p.low, p.high)])
        for points in found
    ]
    names = places(steps) if chart.x_scale == "linear" else list(map(scientific, steps))
    rows = Markup()
    for x, name in zip(steps, names, strict=True):
        cells = Markup()
        for points, digits in zip(found, decimals, strict=True):
            point = points.get(x)
            place = Markup(' data-y="{:.0f}"').format(up.place(point.mean)) if point else Markup()
            cells += Markup('<td class="n"{}>{}</td>').format(
                place, _value(point, chart.format, page.gettext, digits)
            )
        rows += Markup('<tr data-x="{:.0f}"><th class="n">{}</th>{}</tr>\n').format(
            across.place(x), name, cells
        )
    table = Markup(
        '<table><thead><tr><th class="n" data-name="{}">{}</th>{}</tr></thead><tbody>\n{}</tbody></table>'
    ).format(page.words(chart.x), page.block(chart.x), heads, rows)
    return Markup(
        '<details class="values"><summary>{}</summary><div class="table recorded" tabindex="0">{}</div></details>'
    ).format(page.gettext("Values"), table)


def _value(point: Point | None, form: Format, gettext: Gettext, decimals: int | None) -> str:
    """Format the mean at a point, and the smallest and largest value if there are several."""
    if not point:
        return "–"
    mean, low, high = (
        value_text(number, form, gettext, decimals) for number in (point.mean, point.low, point.high)
    )
    return mean if point.low == point.high else f"{mean} ({low} – {high})"


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
    columns = [_cells(rows, column, gettext) for column in table.columns]
    return [list(cells) for cells in zip(*columns, strict=True)]


def _cells(rows: Sequence[Any], column: Column, gettext: Gettext) -> list[Text | str]:
    """Return the cells of a column. Its numbers have equally many decimals."""
    with _at(column.place):
        path = column.value
        values = [select(row, path) for row in rows]
        decimals = None
        if column.format == "number":
            found = [numbers(value, path) for value in values if value is not None]
            decimals = common_decimals([sum(items) / len(items) for items in found if items])
        texts = [written(value, column.format, path, gettext, decimals) for value in values]
    return [column.names.get(text, text) for text in texts]


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
