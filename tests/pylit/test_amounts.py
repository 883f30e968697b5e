"""What would be enormous, or no number that can be drawn, is refused where it stands, and costs its own place alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Write

from pylit import nearest
from pylit.errors import LONGEST, Problem, PylitError, Report
from pylit.figures import html as exhibits
from pylit.figures.data import MAX_POINTS, MAX_SIZE, curve, numbers, parse_record, ticks, written
from pylit.figures.svg_chart import make_axis
from pylit.i18n.glossary import MAX_WORDS, parse_glossary
from pylit.nearest import Guesses, listed, short
from pylit.parsing import values as values
from pylit.parsing.figure_spec import MAX_LINES, FigureError, FigureKind, parse_figure
from pylit.rendering import context as context
from pylit.site.discovery import find_pages
from pylit.site.page import render_page
from pylit.site.settings import Settings
from pylit.site.templates import document

TABLE = "```table\nrows: a.json\ncolumns:\n  - {head: X, value: x}\n```\n\n"
CHART = "```chart\ncaption: A\nx: X\ny: Y\nlines:\n  - {label: L, data: a.json, x: x, y: y}\n```\n\n"


def page(folder: Path) -> tuple[str, list[tuple[int, str]]]:
    report = Report()
    site = find_pages(Settings(base=folder, roots=(("a.md", ""),)))
    view = render_page(site, site.pages[0], "en", report)
    assert view
    return document(view), [(problem.line, problem.message) for problem in report.problems]


@pytest.mark.parametrize(
    "number",
    [
        "1e101",
        "-1e308",
        "1e-101",
        "5e-324",
        "1e999",
        "-1e999",
        "1" + "0" * 400,
        "1" + "0" * 4000,
        "1" + "0" * 9000,
        "NaN",
    ],
)
def test_number_that_cannot_be_drawn_is_told_with_its_line_and_the_rest_is_shown(
    number: str, write: Write, tmp_path: Path
) -> None:
    write("a.json", f'{{"x": [0, {number}], "y": [1, {number}]}}')
    write("a.md", f"# T\n\nBefore.\n\n{CHART}After.\n")
    html, problems = page(tmp_path)
    assert "Before." in html and "After." in html
    ((line, message),) = problems
    assert 5 <= line <= 12 and ("number at" in message or "cannot be read" in message)


@pytest.mark.parametrize("form", ["number", "percent", "integer", "ratio", "seconds"])
@pytest.mark.parametrize(
    "value", [1e100, -1e100, 1e-100, 0, 10**100, [1e100, -1e100], [1e-100, 1e100], [0.0, 1e-100]]
)
def test_the_largest_and_smallest_numbers_are_written(form: str, value: object) -> None:
    assert len(written(value, form, "x", lambda text: text)) < 400  # type: ignore[arg-type]


ENDS = [0.0, 1e-100, 1e-5, 1.0, 1.0 + 2**-52, 1e16, 1e16 + 2, 1e100, -1.0, -1e16, -1e100]


@pytest.mark.parametrize("low", ENDS)
@pytest.mark.parametrize("high", ENDS)
def test_axis_over_any_range_has_some_ticks_and_room_for_all(low: float, high: float) -> None:
    low, high = sorted((low, high))
    for scale in ("linear", "log"):
        if scale == "log" and low <= 0:
            continue
        axis = make_axis([low, high], 0, 100, scale)
        assert 2 <= len(axis.ticks) <= 9
        assert list(axis.ticks) == sorted(set(axis.ticks))
        assert -0.1 <= axis.place(low) <= axis.place(high) <= 100.1
        assert all(len(text) < 20 for text in ticks(axis.ticks, "number", lambda text: text))


def test_records_are_bounded() -> None:
    with pytest.raises(
        FigureError, match=r"the file `a` has 20,000,001 bytes; at most 20,000,000 are allowed"
    ):
        parse_record(b" " * (MAX_SIZE + 1), "a")
    many = list(range(1, MAX_POINTS + 2))
    with pytest.raises(FigureError, match=r"there are 5,001 points at `y`; at most 5,000 are allowed"):
        curve(many, many, "y")
    with pytest.raises(FigureError, match=r"the value at `x` has 1,001 characters"):
        written("a" * 1001, "text", "x", lambda text: text)
    with pytest.raises(FigureError, match="a number at `x` is too large: about"):
        numbers([10**5000], "x")


def test_figures_are_bounded(monkeypatch: pytest.MonkeyPatch, write: Write, tmp_path: Path) -> None:
    lines = "- {label: a, data: b, x: c, y: d}\n" * (MAX_LINES + 1)
    with pytest.raises(FigureError, match="the chart has 25 lines; at most 24 are allowed") as error:
        parse_figure(FigureKind.CHART, f"caption: a\nx: b\ny: c\nlines:\n{lines}")
    assert error.value.line == 4 + MAX_LINES + 1
    monkeypatch.setattr(exhibits, "MAX_ROWS", 2)
    write("a.json", json.dumps({"list": [{"x": 1}] * 3}))
    write("a.md", f"# T\n\n{TABLE.replace('a.json', 'a.json#list')}After.\n")
    html, problems = page(tmp_path)
    assert problems == [(4, "the table has more than 2 rows")] and "After." in html


@pytest.mark.parametrize("text", ["title: &a b\nsummary: *a", "title: &a [*a]", "a: &a {b: c}\n<<: *a"])
def test_aliases_are_refused_with_their_line(text: str) -> None:
    with pytest.raises(values.ValuesError, match=r"aliases such as `\*name` are not allowed") as error:
        values.read_yaml(text)
    assert error.value.line == text.count("\n", 0, text.index("*"))


def test_yaml_and_glossaries_are_bounded() -> None:
    with pytest.raises(values.ValuesError, match="it has 500,001 characters; at most 500,000 are allowed"):
        values.read_yaml("a" * (values.MAX_LENGTH + 1))
    text = "- term: a\n  use: [" + "b," * MAX_WORDS + "]\n"
    with pytest.raises(PylitError, match=r"has 10,001 terms and renderings") as error:
        parse_glossary(text.encode(), "g.yml")
    assert "At most 10,000" in error.value.problem.hint


def test_addresses_that_are_repeated_have_some_room(write: Write, tmp_path: Path) -> None:
    address = "https://a.b/" + "c" * 5000
    write("a.md", f"# T\n\n{'[a] ' * 50}\n\n[short](https://a.b)\n\n[a]: {address}\n")
    html, problems = page(tmp_path)
    assert problems == [(3, "the links of this page repeat long addresses too often")]
    assert 20 <= html.count(address) < 50 and 'href="https://a.b"' in html


def test_drawings_and_figures_that_are_repeated_have_some_room(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "MAX_DRAWN", 2000)
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>' + "drawn " * 100 + "</text></svg>"
    )
    write("a.svg", drawing)
    write("a.json", '{"x": 1}')
    write("a.md", "# T\n\n" + "![a](a.svg)\n\n" * 5 + TABLE + "After.\n")
    html, problems = page(tmp_path)
    assert [line for line, _ in problems][:2] == [7, 9] and all(
        "of this page have more than" in m for _, m in problems
    )
    assert html.count("<svg viewBox") == 2 and "After." in html


@pytest.mark.parametrize(
    "text",
    [
        "*a _" * 60 + "x" + "_ b*" * 60,
        "a " + "<b>" * 60 + "x" + "</b>" * 60,
        "**a *" * 40 + "x" + "* b**" * 40,
    ],
)
def test_words_that_are_nested_too_deep_are_shown_without_their_markup(
    text: str, write: Write, tmp_path: Path
) -> None:
    write("a.md", f"# T\n\nBefore *it*.\n\n{text}\n")
    html, problems = page(tmp_path)
    assert problems == [(5, "emphasis, links and tags are nested more than 50 levels deep in this passage")]
    assert "x" in html and "<em>it</em>" in html and html.count("<em>") == 1


def test_raw_html_that_is_nested_too_deep_is_shown_as_text(write: Write, tmp_path: Path) -> None:
    write("a.md", f"# T\n\nBefore.\n\n{'<div>' * 100}\n\nAfter.\n")
    html, problems = page(tmp_path)
    assert problems == [(5, "this HTML cannot be shown: its elements are nested more than 50 levels deep")]
    assert "&lt;div&gt;" in html and "After." in html


def test_hints_take_some_tries_and_no_more() -> None:
    guesses = Guesses()
    assert guesses.suggest("abce", lambda: ["abcd", "x"], "none") == "Did you mean `abcd`?"
    for _ in range(nearest.TRIES):
        assert guesses.suggest("a", list, "none") == "none"
    assert guesses.suggest("abce", lambda: pytest.fail("it looked"), "none") == "none"
    assert nearest.nearest("a" * 201, ["a" * 201]) == "" == nearest.nearest("abce", ["abcd"] * 5001)
    assert listed(["a"] * 11) == "a, " * 10 + "… (11 in all)" and listed(["a", "b"]) == "a, b"
    assert short("a" * 201) == "a" * 200 + "…"


def test_messages_are_bounded() -> None:
    problem = Problem("a", 1, "b" * 10**6, "c" * 10**6)
    assert len(problem.message) == len(problem.hint) == LONGEST + 1
