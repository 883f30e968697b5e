"""Jupyter notebooks: Markdown is prose, code is one module, and outputs are shown if they are small and do nothing."""

from __future__ import annotations

import base64
import json
from typing import Any

import nbformat
import pytest
from cutting import check_lossless, check_prose_is_prose, code, prose, rows
from hypothesis import given
from hypothesis import strategies as st

from pylit.defaults import Conventions
from pylit.errors import Problem, PylitError
from pylit.parsing.jupyter import HINT, MAX_PICTURE, MAX_PICTURES, MAX_TEXT
from pylit.parsing.model import Output, OutputKind
from pylit.parsing.source import Source, parse_source


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "a", "metadata": {}, "source": source.splitlines(True)}


def cell(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    found = {"cell_type": "code", "id": "b", "metadata": {}, "source": source, "outputs": list(outputs)}
    return {**found, "execution_count": None}


def shown(data: dict[str, Any], kind: str = "display_data") -> dict[str, Any]:
    return {"output_type": kind, "data": data, "metadata": {}}


def printed(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text.splitlines(True)}


def notebook(*cells: dict[str, Any], **metadata: Any) -> bytes:
    found = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(found).encode()


def read(*cells: dict[str, Any], **metadata: Any) -> Source:
    source = parse_source(notebook(*cells, **metadata), "a.ipynb")
    check_lossless(source)
    check_prose_is_prose(source)
    return source


def outputs(*found: dict[str, Any]) -> list[Output]:
    return [output for part in read(cell("x = 1", *found)).outputs.values() for output in part]


def test_cells_are_rows() -> None:
    source = read(
        markdown("# Title\n\nWords."),
        markdown("More."),
        cell("import a\n\n\ndef f():\n    # Inside.\n    return 1\n"),
        cell("\n"),
        cell("# %% no mark\nx = f()"),
        cell("# Another.\ny = 2"),
        markdown("The end."),
    )
    assert rows(source) == [
        ("module", ["# Title", "", "Words."], []),
        ("module:more", ["More."], ["import a"]),
        ("f", [], ["def f():"]),
        ("f:inside", ["Inside."], ["    return 1"]),
        ("module:no-mark", ["%% no mark"], ["x = f()"]),
        ("module:another", ["Another."], ["y = 2"]),
        ("module:the-end", ["The end."], []),
    ]
    assert source.cells == (range(1, 7), range(7, 9), range(9, 11))
    assert source.is_python


def test_what_is_written_is_a_notebook() -> None:
    data = notebook(markdown("a"), cell("x = 1", printed("1"), shown({"text/plain": "1"})))
    nbformat.validate(nbformat.reads(data.decode(), 4))  # type: ignore[no-untyped-call]


def test_comments_at_the_borders_of_cells_stay_apart() -> None:
    assert [text for _, text, _ in rows(read(cell("x = 1\n# end"), cell("# begin\ny = 1")))] == [
        [],
        ["end"],
        ["begin"],
    ]


def test_magics_and_mistakes() -> None:
    source = read(
        cell("%time x = 1\n!ls"), cell("%%bash\nls '"), cell("print 'old'"), cell("  y = 1"), cell("z = 1")
    )
    assert code(source) == ["%time x = 1", "!ls", "%%bash", "ls '", "print 'old'", "  y = 1", "z = 1"]
    assert [(run.first, run.last, run.language) for run in source.foreign] == [
        (1, 1, "python"),
        (2, 2, "bash"),
        (3, 4, "bash"),
        (5, 5, "python"),
        (6, 6, "python"),
    ]


@pytest.mark.parametrize(
    "metadata",
    [{"language_info": {"name": "R"}}, {"kernelspec": {"language": "r", "name": "ir", "display_name": "R"}}],
)
def test_other_languages(metadata: dict[str, Any]) -> None:
    source = read(cell("x <- '1"), **metadata)
    assert [run.language for run in source.foreign] == ["r"]
    assert source.text.strip() == ""


def test_titles() -> None:
    assert read(cell("x = 1"), title="The *title*").meta.title == "The *title*"
    assert read(markdown("# Its own"), title="T").meta.title == ""
    assert read(markdown("Words."), title=["T"]).meta.title == ""


def test_raw_cells_are_listings() -> None:
    raw = {"cell_type": "raw", "metadata": {}, "source": "a ``` b"}
    front = {"cell_type": "raw", "metadata": {}, "source": "---\ntitle: a\n---"}
    assert prose(read(front, raw)) == ["````", "a ``` b", "````"]


def test_format_3() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Title"]},
        {
            "cell_type": "code",
            "input": ["x = 1"],
            "outputs": [
                {"output_type": "pyout", "text": ["1"]},
                {"output_type": "pyerr", "ename": "E", "evalue": "v", "traceback": []},
            ],
        },
    ]
    data = json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3, "metadata": {"name": ""}}).encode()
    source = parse_source(data, "a.ipynb")
    assert rows(source) == [("module", ["## Title"], ["x = 1"])]
    assert source.outputs == {1: (Output(OutputKind.TEXT, "1"), Output(OutputKind.ERROR, "E: v"))}


PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG = base64.b64encode(PIXEL).decode()
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>'

OUTPUTS: list[tuple[dict[str, Any], Output]] = [
    (printed("a\nb\n"), Output(OutputKind.TEXT, "a\nb")),
    (printed("\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x08"), Output(OutputKind.TEXT, "red link")),
    (printed("10%\r50%\r100%\r\ndone"), Output(OutputKind.TEXT, "100%\ndone")),
    (printed("a\0b\ufffe"), Output(OutputKind.TEXT, "ab\ufffd")),
    (printed("x" * 3 * MAX_TEXT), Output(OutputKind.TEXT, "x" * MAX_TEXT + "\n…")),
    (shown({"text/plain": ["a\n", "b"], "text/html": "<b>"}), Output(OutputKind.TEXT, "a\nb")),
    (shown({"text/latex": "$x$"}), Output(OutputKind.TEXT, "$x$")),
    (shown({"text/html": "<script>"}), Output(OutputKind.LEFT_OUT, "text/html")),
    (shown({"application/\0" + "x" * 200: {}}), Output(OutputKind.LEFT_OUT, "application/\ufffd" + "x" * 87)),
    (
        shown({"image/png": PNG, "text/plain": "<Figure>"}),
        Output(OutputKind.PICTURE, "<Figure>", PIXEL, ".png"),
    ),
    (shown({"image/png": f"{PNG[:9]}\n{PNG[9:]}\n"}), Output(OutputKind.PICTURE, "", PIXEL, ".png")),
    (shown({"image/svg+xml": [SVG], "image/png": PNG}), Output(OutputKind.PICTURE, "", SVG.encode(), ".svg")),
    (shown({"image/png": "n*"}), Output(OutputKind.LEFT_OUT, "image/png")),
    (shown({"image/png": ""}), Output(OutputKind.LEFT_OUT, "image/png")),
    (shown({"image/png": "A" * 3 * MAX_PICTURE}), Output(OutputKind.LEFT_OUT, "image/png")),
    (shown({"image/svg+xml": "x" * (MAX_PICTURE + 1)}), Output(OutputKind.LEFT_OUT, "image/svg+xml")),
    (
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[0mone", "two"]},
        Output(OutputKind.ERROR, "one\ntwo"),
    ),
]


@pytest.mark.parametrize(("output", "right"), OUTPUTS, ids=range(len(OUTPUTS)))
def test_outputs(output: dict[str, Any], right: Output) -> None:
    assert outputs(output) == [right]


def test_what_is_printed_piece_by_piece_is_one_output() -> None:
    found = outputs(printed("a"), printed("b\n", "stderr"), shown({"text/plain": "c"}), printed("d"))
    assert [output.text for output in found] == ["ab", "c", "d"]


def test_all_pictures_together_are_limited() -> None:
    large = "x" * MAX_PICTURE
    found = outputs(*[shown({"image/svg+xml": large})] * 12)
    assert [output.kind for output in found].count(OutputKind.PICTURE) == MAX_PICTURES // MAX_PICTURE == 10


def attached(source: str, **pictures: bytes) -> dict[str, Any]:
    files = {f"{name}.png": {"image/png": base64.b64encode(data).decode()} for name, data in pictures.items()}
    return {**markdown(source), "attachments": files}


def test_attachments_of_one_name_in_several_cells() -> None:
    source = read(
        attached("![one](attachment:a.png)", a=b"1"),
        attached("![two](attachment:a.png) and again ![two](attachment:a.png)", a=b"2"),
        attached('<img src="attachment:a.png">', a=b"1"),
        attached("![three](attachment:a.png)", a=b"3", unused=b"4"),
    )
    text = prose(source)
    assert "![two](attachment:2-a.png) and again ![two](attachment:2-a.png)" in text
    assert "![one](attachment:a.png)" in text and '<img src="attachment:a.png">' in text
    assert {name: output.data for name, output in source.attachments.items()} == {
        "a.png": b"1",
        "2-a.png": b"2",
        "3-a.png": b"3",
    }
    assert "![three](attachment:3-a.png)" in text


def test_attachments_are_limited() -> None:
    source = read(
        attached("![](attachment:a.png)", a=b"0" * (MAX_PICTURE + 1)),
        {**markdown("![](attachment:b%20c.pdf)"), "attachments": {"b c.pdf": {"application/pdf": "AAAA"}}},
        {**markdown("![](attachment:d.png)"), "attachments": {"d.png": {"image/png": "no base64!"}, "e": 5}},
    )
    assert source.attachments == dict.fromkeys(["a.png", "d.png"], Output(OutputKind.LEFT_OUT, "image/png"))


def test_outputs_can_be_left_out() -> None:
    data = notebook(cell("x = 1", printed("a")))
    assert parse_source(data, "a.ipynb", Conventions(outputs=False)).outputs == {}


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"{}", 0, "is not a notebook: it has no list of cells"),
        (b"[]", 0, "is not a notebook: it has no list of cells"),
        (b'{"cells": 1}', 0, "is not a notebook: it has no list of cells"),
        (b'{"worksheets": [1]}', 0, "is not a notebook: it has no list of cells"),
        (b'{"cells": [\n', 2, "is not a notebook: Expecting value: line 2 column 1 (char 12)"),
        (b"\n\xff", 2, "is not a notebook: it is not UTF-8: invalid start byte"),
        (b'{"cells": [], "x": NaN}', 1, "is not a notebook: NaN is not a valid JSON number"),
    ],
)
def test_what_is_no_notebook(data: bytes, line: int, message: str) -> None:
    with pytest.raises(PylitError) as error:
        parse_source(data, "a.ipynb")
    assert error.value.problem == Problem("a.ipynb", line, message, HINT)


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.text(max_size=5),
        st.sampled_from(["code", "markdown", "\0", "a\x0cb"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                "cell_type source input outputs output_type data text metadata text/plain image/png".split()
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=5))
def test_any_json_is_a_notebook_or_none(cells: list[Any]) -> None:
    source = parse_source(json.dumps({"cells": cells}).encode(), "a.ipynb")
    check_lossless(source)
    check_prose_is_prose(source)
