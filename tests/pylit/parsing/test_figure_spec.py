"""Charts and tables: from YAML and recorded results to what a reader sees."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import Write
from figure_sources import CHART, RECORD, RUNS, TABLE
from rendering import render

from pylit.errors import Report
from pylit.figures.data import Point, curve, numbers, parse_record, select, tick, written
from pylit.figures.svg_chart import make_axis
from pylit.i18n.blocks import blocks
from pylit.parsing.figure_spec import Chart, FigureError, FigureKind, Table, figure_texts, parse_figure
from pylit.parsing.source import read_source
from pylit.site.view import View


def page(kind: str, text: str) -> str:
    return f'"""\n# Title\n\n```{kind}\n{text}```\n"""\n\nx = 1\n'


def show(
    write: Write, tmp_path: Path, kind: str, text: str, record: object = RECORD, lang: str = "en"
) -> tuple[str, Report]:
    write("runs/quick.json", json.dumps(record))
    write("pkg/a.py", page(kind, text))
    view, report = render(tmp_path, lang=lang, languages=("en", "zh"), translations=tmp_path / "t")
    assert isinstance(view, View)
    return view.body.rows[0].prose, report


def problem(write: Write, tmp_path: Path, kind: str, text: str, record: object = RECORD) -> str:
    _, report = show(write, tmp_path, kind, text, record)
    (found,) = report.errors
    return str(found)


def test_a_chart_has_axes_a_line_a_band_and_a_legend(write: Write, tmp_path: Path) -> None:
    html, report = show(write, tmp_path, "chart", CHART)
    assert not report.problems
    figure = ElementTree.fromstring(html[html.index("<figure") : html.index("</figure>") + 9])
    svg = figure[0]
    assert svg.attrib["role"] == "img" and svg.attrib["aria-label"] == "Accuracy by epoch"
    words = [text.text for text in svg.iter("text")]
    assert words[:5] == ["50 %", "60 %", "70 %", "80 %", "90 %"]
    assert words[5:] == ["1", "1.2", "1.4", "1.6", "1.8", "2", "epoch", "accuracy"]
    paths = {path.attrib["class"]: path.attrib["d"] for path in svg.iter("path")}
    # The means are 0.6 and 0.85 on an axis from 0.5 at the bottom (254) to 0.9 at the top (34).
    assert paths["line line-1"] == "M52.0 199.0L426.0 61.5"
    assert paths["band line-1"] == "M52.0 144.0L426.0 34.0L426.0 89.0L52.0 254.0Z"
    assert [item.text for item in figure[1]] == ["quick"]
    assert figure[2].text == "Accuracy by epoch"


def test_a_table_shows_mean_and_deviation(write: Write, tmp_path: Path) -> None:
    write("runs/other.json", json.dumps({"name": "<b>other", "runs": []}))
    html, report = show(write, tmp_path, "table", TABLE)
    assert not report.problems
    cells = [
        cell.text
        for cell in ElementTree.fromstring(html[html.index("<table") : html.index("</div>")]).iter("td")
    ]
    assert cells == ["<b>other", "–", "–", "quick", "85.00 ± 7.07 %", "2"]
    many = TABLE.replace("../runs/*.json", "[../runs/quick.json#runs]").replace("runs.accuracy", "accuracy")
    html, report = show(
        write, tmp_path, "table", many.replace("value: name", "value: curve.epoch"), {"runs": RUNS}
    )
    assert not report.problems
    assert html.count("<tr>") == 3
    assert "<td>1, 2</td>" in html


def test_recorded_words_have_names_for_readers(write: Write, tmp_path: Path) -> None:
    named = TABLE.replace(
        "value: name\n", "value: name\n    names: {quick: in a *hurry*, slow: at leisure}\n"
    )
    html, report = show(write, tmp_path, "table", named)
    assert not report.problems
    assert "<td>in a <em>hurry</em></td>" in html
    words = [text.text for text in figure_texts(parse_figure(FigureKind.TABLE, named))]
    assert words == ["Network", "in a *hurry*", "at leisure", "Test accuracy", "Runs"]


def test_words_of_figures_are_translated(write: Write, tmp_path: Path) -> None:
    write(
        "t/zh/pkg/a.po",
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        + "".join(
            f'msgid "{word}"\nmsgstr "{word}的中文"\n\n' for word in ("Title", "epoch", "Accuracy by epoch")
        ),
    )
    html, _ = show(write, tmp_path, "chart", CHART, lang="zh")
    assert ">epoch的中文</text>" in html and 'aria-label="Accuracy by epoch的中文"' in html
    assert '<span class="t">Accuracy by epoch的中文</span><span class="o" lang="en">' in html
    assert '<figure class="picture chart">' in html
    source = read_source(tmp_path / "pkg/a.py", "pkg/a.py")
    found = [(block.text, block.line) for block in blocks(source)]
    assert found[1:] == [("Accuracy by epoch", 5), ("epoch", 6), ("accuracy", 7), ("quick", 10)]


def test_a_chart_that_is_not_translated_says_so(write: Write, tmp_path: Path) -> None:
    html, _ = show(write, tmp_path, "chart", CHART, lang="zh")
    assert '<figure class="picture chart" lang="en">' in html
    html, _ = show(write, tmp_path, "chart", CHART)
    assert '<figure class="picture chart">' in html


# The kind of figure, what is changed into what, then line, message and hint.
LIES = r"""
chart | caption: A | A: [ | 6 | the chart is not valid YAML: .* | Quote text
chart | caption: | captoin: | 5 | the chart has an unknown key `captoin` | Did you mean `caption`
chart | format: percent | colour: red | 8 | the chart has an unknown key `colour` | Allowed: caption, x, y, lines
chart | x: epoch | format: number | 5 | the chart has no `x` | Add `x: some words`
chart | x: epoch | x: | 6 | `x` of the chart must be some words |
chart | percent | per cent | 8 | `format` of the chart must be one of number, percent, integer, not `per cent` |
chart | quick.json | slow.json | 10 | the file `../runs/slow.json` does not exist | Looked for `runs/slow.json`
chart | ../runs/quick.json | ../../passwd | 10 | the file `../../passwd` does not exist | Looked for `../passwd`
chart | curve.accuracy | curve.acuracy | 10 | .* not found in the record: it has no key `acuracy` | Did you mean
chart | y: runs.curve.accuracy | y: name | 10 | expected numbers at `name`, got quick |
chart | x: runs.curve.epoch | x: runs.accuracy | 10 | the numbers at .* differ in count |
table | ../runs/*.json | ../walks/*.json | 5 | no files match `../walks/\*.json` | Looked for `walks/\*.json`
table | ../runs/*.json | ../runs/quick.json#name | 5 | the value at `name` is not a list | To make one row
table | value: name | value: title | 7 | `title` not found in the record: it has no key `title` | Keys: name, runs
table | value: runs.accuracy | value: name | 9 | expected numbers at `name`, got quick |
"""


@pytest.mark.parametrize("lie", LIES.strip().splitlines())
def test_what_is_wrong_is_said_with_its_line(write: Write, tmp_path: Path, lie: str) -> None:
    kind, old, new, line, message, hint = (part.strip(" ") for part in lie.replace("\\\\", "\\").split("|"))
    text = CHART if kind == "chart" else TABLE
    assert old in text
    found = problem(write, tmp_path, kind, text.replace(old, new, 1))
    assert re.match(rf"pkg/a\.py:{line}: error: {message}(\n    {hint}.*)?$", found), found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- one\n", "5: error: the chart is not a mapping\n    Write `key: value` lines."),
        (CHART + "    z: 1\n", "14: error: item 1 of `lines` has an unknown key `z`"),
        (CHART.replace("    y: runs.curve.accuracy\n", ""), "10: error: item 1 of `lines` has no `y`"),
        (CHART[: CHART.index("lines:")] + "lines: none\n", "9: error: `lines` of the chart must be a list"),
        (CHART[: CHART.index("lines:")] + "lines: [quick]\n", "9: error: item 1 of `lines` is not a mapping"),
    ],
)
def test_what_is_missing_is_named(write: Write, tmp_path: Path, text: str, message: str) -> None:
    assert problem(write, tmp_path, "chart", text).startswith(f"pkg/a.py:{message}")


@pytest.mark.parametrize("content", ["{", "NaN", '{"x": Infinity}', "[" * 100_000])
def test_a_record_that_cannot_be_read_is_named(content: str) -> None:
    with pytest.raises(FigureError, match=r"the file `r\.json` cannot be read: "):
        parse_record(content.encode(), "r.json")


def test_a_logarithmic_axis_refuses_zero(write: Write, tmp_path: Path) -> None:
    record = {"x": [1, 2], "y": [0, 1]}
    text = CHART.replace("runs.curve.epoch", "x").replace("runs.curve.accuracy", "y") + "y_scale: log\n"
    assert "a logarithmic axis cannot show 0\n    Use `linear`" in problem(
        write, tmp_path, "chart", text, record
    )


@pytest.mark.parametrize(
    ("values", "scale", "ticks"),
    [
        ([0.0, 1.0], "linear", [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ([3.0, 3.0], "linear", [0, 5]),
        ([0.0, 0.0], "linear", [0, 1]),
        ([-7.0, 12.0], "linear", [-10, -5, 0, 5, 10, 15]),
        ([0.02, 30.0], "log", [0.01, 0.1, 1, 10, 100]),
        ([1.0, 1.0], "log", [1, 10]),
        ([1e-9, 1e9], "log", [1e-9, 1e-6, 1e-3, 1, 1e3, 1e6, 1e9]),
    ],
)
def test_ticks_are_round(values: list[float], scale: str, ticks: list[float]) -> None:
    axis = make_axis(values, 0, 100, scale)  # type: ignore[arg-type]
    assert axis.ticks == pytest.approx(ticks)
    assert all(-1e-9 <= axis.place(value) <= 100 + 1e-9 for value in [*values, *axis.ticks])


def test_numbers_are_written_as_readers_like_them() -> None:
    def write(value: object, form: str) -> str:
        return written(value, form, "path", lambda text: text)  # type: ignore[arg-type]

    assert write(0.1234, "percent") == "12.34 %"
    assert write([0.1, 0.2], "percent") == "15.00 ± 7.07 %"
    assert write(1234567, "integer") == "1,234,567"
    assert write(0.000123456, "number") == "0.0001235"
    assert write(1.234, "ratio") == "1.23×"
    assert write(493.4, "seconds") == "493 s"
    assert write(["a", "b", "a"], "text") == "a, b"
    assert write(None, "number") == write([], "percent") == "–"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.001, "0.001"),
        (0.0001, "10⁻⁴"),
        (10_000, "10000"),
        (1e25, "10²⁵"),
        (2e25, "2e+25"),
        (0, "0"),
        (-1, "-1"),
    ],
)
def test_ticks_are_short(number: float, text: str) -> None:
    assert tick(number, "number", lambda text: text) == text


def test_a_curve_is_the_mean_of_runs_where_they_have_numbers() -> None:
    assert curve([1, 2], [3, 4], "p") == [Point(1, 3, 3, 3), Point(2, 4, 4, 4)]
    assert curve([[2, 1], [1]], [[4, 3], [5]], "p") == [Point(1, 4, 3, 5), Point(2, 4, 4, 4)]
    with pytest.raises(FigureError, match="the numbers at `p` and those of the other axis differ in count"):
        curve([1, 2], [3], "p")
    with pytest.raises(FigureError, match="there are no numbers at `p`"):
        curve([], [], "p")


def test_a_path_goes_through_lists() -> None:
    record = {"a": [{"b": 1}, {"b": None}, {"b": 3}]}
    assert select(record, "a.b") == [1, 3]
    assert select(record, "") == record
    with pytest.raises(FigureError, match="expected numbers at `p`, got True"):
        numbers(True, "p")


def test_texts_come_in_order() -> None:
    chart, table = (
        parse_figure(FigureKind.CHART, CHART),
        parse_figure(FigureKind.TABLE, "caption: All of them\n" + TABLE),
    )
    assert isinstance(chart, Chart) and isinstance(table, Table)
    assert [text.text for text in figure_texts(chart)] == ["Accuracy by epoch", "epoch", "accuracy", "quick"]
    assert [text.text for text in figure_texts(table)] == ["All of them", "Network", "Test accuracy", "Runs"]
