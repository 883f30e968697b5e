"""Turns charts, tables and glossaries into HTML: recorded numbers, and words in the language of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from .charts import COLORS, draw
from .errors import PylitError
from .figures import Chart, Column, Figure, FigureError, Format, Table, Terms, Text
from .glossary import Glossary, Term
from .interface import Gettext, native_name
from .links import LinkError, Links
from .records import curve, parse_record, select, written


@dataclass(frozen=True)
class Surroundings:
    """What figures need to know of the page they stand on."""

    links: Links
    block: Callable[[Text], Markup]
    """Words of a figure as HTML, in the language of the page."""
    words: Callable[[Text], str]
    """The same without markup."""
    marked: Callable[[Text], Markup]
    """The attribute that tells their language where they are not translated."""
    gettext: Gettext
    lang: str
    source_lang: str
    glossaries: Callable[[], Mapping[str, Glossary]]
    """Reads the glossaries of all languages."""


def exhibit(figure: Figure, page: Surroundings) -> Markup:
    """A figure as HTML.

    Raises:
        FigureError: with its line, if there are no such files, or not in them what it asks for.
    """
    match figure:
        case Chart():
            return _chart(figure, page)
        case Table():
            return _table(figure, page)
        case Terms():
            return _terms(page)


def _chart(chart: Chart, page: Surroundings) -> Markup:
    drawing = chart_drawing(chart, page.links, page.words, page.gettext)
    legend = Markup().join(
        Markup('<li class="line-{}">{}</li>').format(number % COLORS + 1, page.block(line.label))
        for number, line in enumerate(chart.lines)
    )
    return Markup(
        '<figure class="picture chart"{}>{}<ul class="legend">{}</ul><figcaption>{}</figcaption></figure>\n'
    ).format(page.marked(chart.caption), drawing, legend, page.block(chart.caption))


def chart_drawing(chart: Chart, links: Links, words: Callable[[Text], str], gettext: Gettext) -> Markup:
    """A chart as SVG, without its legend and caption; `words` gives its texts in the language of the page.

    Raises:
        FigureError: with its line, if there are no such files, or not in them what it asks for.
    """
    curves = []
    for line in chart.lines:
        with _at(line.place):
            record = _record(_files(line.data, links)[0], links)
            curves.append(curve(select(record, line.x), select(record, line.y), line.y))
    label, x, y = (words(text) for text in (chart.caption, chart.x, chart.y))
    return draw(curves, label, x, y, chart.x_scale, chart.y_scale, chart.format, gettext)


def _table(table: Table, page: Surroundings) -> Markup:
    heads = Markup("").join(
        Markup("<th{}>{}</th>").format(_side(column.format), page.block(column.head))
        for column in table.columns
    )
    body = Markup()
    for row in recorded_cells(table, page.links, page.gettext):
        cells = Markup()
        for column, cell in zip(table.columns, row, strict=True):
            shown = page.block(cell) if isinstance(cell, Text) else cell
            cells += Markup("<td{}>{}</td>").format(_side(column.format), shown)
        body += Markup("<tr>{}</tr>\n").format(cells)
    caption = Markup("<caption>{}</caption>").format(page.block(table.caption)) if table.caption else ""
    html = Markup("<table>{}<thead><tr>{}</tr></thead><tbody>\n{}</tbody></table>").format(
        caption, heads, body
    )
    return Markup('<div class="table recorded" tabindex="0">{}</div>\n').format(html)


def recorded_cells(table: Table, links: Links, gettext: Gettext) -> list[list[Text | str]]:
    """The rows of a table: recorded values as they are written, and words that are still to be translated.

    Raises:
        FigureError: with its line, if there are no such files, or not in them what it asks for.
    """
    with _at(table.place):
        rows = [row for pattern in table.rows for row in _rows(pattern, links)]
    return [[_cell(row, column, gettext) for column in table.columns] for row in rows]


def _cell(row: Any, column: Column, gettext: Gettext) -> Text | str:
    with _at(column.place):
        text = written(select(row, column.value), column.format, column.value, gettext)
    return column.names.get(text, text)


def _terms(page: Surroundings) -> Markup:
    """A page in the language of the sources lists the renderings in all languages; any other tells more of its own."""
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
        mark = Markup('<span lang="{}">{}</span>')
        heads = [
            Markup.escape(gettext("Term")),
            *(mark.format(lang, native_name(lang)) for lang in glossaries),
        ]
        renderings = {lang: {t.term: t.use for t in found.terms} for lang, found in glossaries.items()}
        terms = dict.fromkeys(term for found in renderings.values() for term in found)
        rows = [
            [
                Markup.escape(term),
                *(mark.format(lang, " / ".join(found.get(term, ()))) for lang, found in renderings.items()),
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


def _term(term: Term, page: Surroundings) -> Sequence[Markup]:
    never = Markup(" / ").join(Markup("<s>{}</s>").format(wrong) for wrong in term.never)
    original = Markup('<span lang="{}">{}</span>').format(page.source_lang, term.term)
    return original, Markup.escape(" / ".join(term.use)), never, Markup.escape(term.why)


def _rows(pattern: str, links: Links) -> Iterator[Any]:
    """Yield the data of each row: a file's, or the items of a list in it."""
    pattern, _, path = pattern.partition("#")
    for file in _files(pattern, links):
        found = select(_record(file, links), path)
        if path and not isinstance(found, list):
            raise FigureError(f"what is recorded at `{path}` is no list", "Name the file alone for one row.")
        yield from found if path else [found]


def _files(pattern: str, links: Links) -> list[str]:
    """The files named by `pattern`."""
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
    """Give errors the line of the figure that they come from."""
    try:
        yield
    except FigureError as error:
        error.line = error.line or line
        raise
