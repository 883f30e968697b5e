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
from pylit.figures.data import Point, curve, numbers, parse_record, select, ticks, value_text, written
from pylit.figures.digits import common_decimals, fixed, places
from pylit.figures.line_names import break_name, find_styles, place_names
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


def figures(html: str) -> list[ElementTree.Element]:
    """The figures in HTML, whose sliders are not XML."""
    slider = re.compile(r"<input ([^>]*) autocomplete=\"off\"([^>]*)>")
    return [
        ElementTree.fromstring(slider.sub(r"<input \1\2/>", "<figure" + part[: part.index("</figure>") + 9]))
        for part in str(html).split("<figure")[1:]
    ]


def test_a_chart_has_axes_a_line_a_band_and_its_name(write: Write, tmp_path: Path) -> None:
    html, report = show(write, tmp_path, "chart", CHART)
    assert not report.problems
    (figure,) = figures(html)
    svg, slider, at = figure[0]
    assert svg.attrib["role"] == "img" and svg.attrib["aria-label"] == "Accuracy by epoch"
    words = [
        text.text for text in svg.iter("text") if "class" not in text.attrib or "m" in text.attrib["class"][0]
    ]
    assert words[:5] == ["50 %", "60 %", "70 %", "80 %", "90 %"]
    assert words[5:] == ["1.0", "1.2", "1.4", "1.6", "1.8", "2.0", "epoch", "accuracy"]
    assert [(name.attrib["class"], name[0].text) for name in svg.iter("text") if len(name)] == [
        ("name line-1", "quick")
    ]
    paths = {path.attrib["class"]: path.attrib["d"] for path in svg.iter("path")}
    # The means are 0.6 and 0.85 on an axis from 0.5 at the bottom (254) to 0.9 at the top (34).
    assert paths["line line-1"] == "M56.0 199.0L413.0 61.5"
    assert paths["band line-1"] == "M56.0 144.0L413.0 34.0L413.0 89.0L56.0 254.0Z"
    assert paths["lead line-1"] == "M413.0 61.5L425.0 61.5"
    assert (slider.attrib["max"], slider.attrib["aria-label"]) == ("1", "epoch") and at.text is None
    assert figure[1].text == "Accuracy by epoch"
    rows = [
        (row.attrib["data-x"], row[0].text, row[1].attrib["data-y"], row[1].text)
        for row in figure[2].iter("tr")
        if "data-x" in row.attrib
    ]
    assert rows == [
        ("56", "1", "199", "60.00 % (50.00 % – 70.00 %)"),
        ("413", "2", "61", "85.00 % (80.00 % – 90.00 %)"),
    ]


def test_a_name_has_one_colour_on_a_page(write: Write, tmp_path: Path) -> None:
    def lines(*names: str) -> str:
        line = "  - label: quick\n    data: ../runs/quick.json\n    x: x\n    y: y\n"
        head = "caption: A\nx: X\ny: Y\nlines:\n"
        return f"```chart\n{head}{''.join(line.replace('quick', name, 1) for name in names)}```"

    text = "\n\n".join([lines("plain", "post", "pre"), lines("pre", "post"), lines("new", "plain")])
    write("runs/quick.json", json.dumps({"x": [1, 2], "y": [3, 4]}))
    write("pkg/a.py", f'"""\n# Title\n\n{text}\n"""\n')
    view, report = render(tmp_path)
    assert view and not report.problems
    found = [
        [(name.attrib["class"][-1], name[0].text) for name in figure.iter("text") if len(name)]
        for figure in figures(str(view.body.rows[0].prose))
    ]
    assert found == [
        [("1", "plain"), ("2", "post"), ("3", "pre")],
        [("3", "pre"), ("2", "post")],
        [("4", "new"), ("1", "plain")],
    ]
    assert view.body.has_charts


def test_lines_of_a_chart_differ_as_long_as_there_are_styles() -> None:
    known: dict[str, int] = {}
    assert find_styles(["a", "b", "c"], known, 4) == [1, 2, 3]
    assert find_styles(["d", "e"], known, 4) == [4, 1]
    assert find_styles(["e", "f"], known, 4) == [1, 2]  # `e` keeps its own
    assert find_styles(["g", "h", "i"], {}, 2) == [1, 2, 1]


def test_names_stand_one_below_the_other() -> None:
    placed = place_names(["a", "b", "c"], [50, 52, 200], 20, 260)
    assert placed
    middles = [name.middle for name in placed.names]
    assert middles == [50, 67, 200]
    placed = place_names(["a", "b"], [255, 250], 20, 260)
    assert placed and [name.middle for name in placed.names] == [251.5, 234.5]
    assert place_names(["a"] * 20, [100] * 20, 20, 260) is None  # a legend then


def test_long_names_are_broken_between_words_and_chinese_characters() -> None:
    assert break_name("quick") == ("quick",)
    assert break_name("training images, cropped and mirrored") == (
        "training",
        "images, cropped",
        "and mirrored",
    )
    assert break_name("训练图像（经裁剪和翻转），每轮") == ("训练图像（经裁剪", "和翻转），每轮")
    assert break_name("unbreakable" * 3) == ("unbreakable" * 3,)


def test_many_lines_have_a_legend(write: Write, tmp_path: Path) -> None:
    line = CHART[CHART.index("  - label") :]
    many = CHART + "".join(line.replace("quick\n", f"line {n}\n", 1) for n in range(20))
    html, report = show(write, tmp_path, "chart", many)
    assert not report.problems
    assert html.count('<li class="line-') == 21 and "<tspan" not in html


def test_a_table_of_many_points_has_some_of_them(write: Write, tmp_path: Path) -> None:
    record = {"x": list(range(1000)), "y": list(range(1000))}
    text = CHART.replace("runs.curve.epoch", "x").replace("runs.curve.accuracy", "y")
    html, report = show(write, tmp_path, "chart", text, record)
    assert not report.problems
    rows = [row[0].text for row in figures(html)[0].iter("tr") if "data-x" in row.attrib]
    assert len(rows) == 60 and rows[0] == "0" and rows[-1] == "999"


def test_a_table_shows_mean_and_deviation(write: Write, tmp_path: Path) -> None:
    write("runs/other.json", json.dumps({"name": "<b>other", "runs": []}))
    html, report = show(write, tmp_path, "table", TABLE)
    assert not report.problems
    cells = [
        cell.text
        for cell in ElementTree.fromstring(html[html.index("<table") : html.index("</table>") + 8]).iter("td")
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
    assert '<span class="t">Accuracy by epoch的中文</span>' in html
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
        ([1.0, 1.0], "log", [1, 2, 5, 10]),
        ([0.1, 1.0], "log", [0.1, 0.2, 0.5, 1]),
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
    ("numbers", "texts"),
    [
        ([0.001, 0.1, 10], ["0.001", "0.1", "10"]),
        ([0.01, 1, 100, 1e4], ["0.01", "1", "100", "10000"]),
        ([0.1, 1, 1e5], ["10⁻¹", "10⁰", "10⁵"]),  # powers throughout
        ([1e-4, 1e-2], ["10⁻⁴", "10⁻²"]),
        ([0, 2e25], ["0", "2×10²⁵"]),
        ([-1, 0], ["-1", "0"]),
        ([0, 0.5, 1], ["0.0", "0.5", "1.0"]),
        ([0.5, 1, 2], ["0.5", "1", "2"]),
    ],
)
def test_ticks_are_short_and_of_one_kind(numbers: list[float], texts: list[str]) -> None:
    assert ticks(numbers, "number", lambda text: text) == texts


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.7318, "0.7318"), (38180, "38180"), (1.6e13, "1.6×10¹³"), (4.525e-26, "4.525×10⁻²⁶"), (8.0, "8")],
)
def test_values_of_a_chart_have_four_digits(number: float, text: str) -> None:
    assert value_text(number, "number", lambda text: text) == text


@pytest.mark.parametrize(
    ("numbers", "decimals"),
    [
        ([98.7, 100], 1),
        ([1.2, 6.88, 8], 2),
        ([3, 1, 2], 0),
        ([0.3469, 0.1144, 0.09613], 4),  # the largest has four digits
        ([1.08, 4.139, 158.2], 1),
        ([0.15, 0.5, 1], 2),
        ([1, 0.6153, 0.003667], None),  # 0.004 would have lost too much
        ([1, 0.6153, 0.003667, -0.007], 3),  # but not where numbers are near zero by chance
        ([58.4, 0.0206], None),
        ([0.001, 0.5], 3),
        ([1, 2e5], None),
        ([0, 0], None),
        ([], None),
    ],
)
def test_numbers_of_a_column_have_equally_many_decimals(numbers: list[float], decimals: int | None) -> None:
    assert common_decimals(numbers) == decimals


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8.01], "1 2 3 4 5 6 7 8"),
        ([1.01, 2.02, 3.06, 4, 4.66], "1 2 3 4 4.7"),  # the last one is not whole
        ([0.5, 0.55, 0.6, 1], "0.50 0.55 0.60 1.00"),
        ([0, 0.0157, 0.0353, 0.051, 1], "0.000 0.016 0.035 0.051 1.000"),
        ([0, 50, 1000], "0 50 1000"),
        ([0.333333, 1.333333], "0.3 1.3"),
        ([1, 1e6], "1 1×10⁶"),
        ([0.123456], "0.1235"),
    ],
)
def test_places_are_as_fine_as_their_distances(numbers: list[float], texts: str) -> None:
    assert places(numbers) == texts.split()


def test_negative_zero_has_no_sign() -> None:
    assert fixed(-0.001, 2) == "0.00" and fixed(-0.01, 2) == "-0.01"


def test_a_table_has_equal_decimals(write: Write, tmp_path: Path) -> None:
    record = {"runs": [{"name": n, "score": s} for n, s in (("a", [98.7, 98.9]), ("b", 100), ("c", None))]}
    text = (
        "rows: ../runs/quick.json#runs\ncolumns:\n  - head: Name\n    value: name\n"
        "  - head: Score\n    value: score\n    format: number\n"
    )
    html, report = show(write, tmp_path, "table", text, record)
    assert not report.problems
    assert re.findall(r'<td class="n">(.*?)</td>', html) == ["98.8 ± 0.1", "100.0", "–"]


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
