"""Pictures of tensors: what the expressions of a function yield, recorded while an example runs. Needs no torch."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Write
from rendering import render

from pylit.cli.main import main
from pylit.errors import PylitError
from pylit.site.templates import document
from pylit.tracing.format import NoTraceError
from pylit.tracing.picture_recorder import LEVELS, PALETTE, record_pictures
from pylit.tracing.pictures import parse_pictures

MODULE = """\
'''
# Images

With $x$.
'''


class Batch:
    def __init__(self, numbers):
        self.numbers = numbers
        self.shape = (1, len(numbers), len(numbers[0]), len(numbers[0][0]))
        self.dtype = "float32"

    def __getitem__(self, index):
        return self

    def tolist(self):
        return self.numbers

    def map(self, change):
        return Batch([[[change(n) for n in row] for row in rows] for rows in self.numbers])

    def __add__(self, other):
        return self.map(lambda n: n + 1)


class Block:
    def __init__(self):
        self.halve = lambda x: x.map(lambda n: n / 2)

    def forward(self, x):
        '''What it does.'''
        # Halve it, and add.
        y: Batch = self.halve(x) + x
        return y
"""
EXAMPLE = """\
from pkg.a import Batch, Block

PICTURED = ("Block.forward",)


def main():
    block = Block()
    block.forward(Batch([[[0, 2], [-1, 1]], [[0, 0], [0, 4]]]))
    block.forward(Batch([[[9]]]))
"""


@pytest.fixture
def pkg(write: Write, tmp_path: Path) -> Path:
    write("pkg/__init__.py", "")
    write("pkg/a.py", MODULE)
    write("example.py", EXAMPLE)
    return tmp_path


def record(base: Path) -> dict[str, bytes]:
    return record_pictures(base / "pkg/a.py", "pkg/a.py", base / "example.py", "pylit trace …")


def test_the_first_call_is_recorded_expression_by_expression(pkg: Path) -> None:
    found = parse_pictures(record(pkg)["index.json"])
    assert [(step.place.within, step.expression, step.shape) for step in found.steps] == [
        ("Block.forward", "x", "1×2×2×2 float32"),
        ("Block.forward", "self.halve(x)", "1×2×2×2 float32"),
        ("Block.forward", "self.halve(x) + x", "1×2×2×2 float32"),
    ]
    first, halved, total = found.steps
    assert (first.mean, first.zeros, first.low, first.high) == (0.75, 0.5, -1, 4)
    assert first.deviation == pytest.approx(1.479)
    assert (halved.low, halved.high) == (-0.5, 2)
    assert (total.low, total.high, total.zeros) == (0.5, 3, 0)
    assert first.code == "def forward(self, x):" and halved.code == "y: Batch = self.halve(x) + x"
    assert sum(first.histogram) == 8


def pixels(png: bytes) -> list[bytes]:
    """The rows of pixels of a PNG file that the engine has written."""
    width, height = struct.unpack(">II", png[16:24])
    start = png.index(b"IDAT") + 4
    data = zlib.decompressobj().decompress(png[start:])
    return [data[y * (width + 1) + 1 : (y + 1) * (width + 1)] for y in range(height)]


def test_a_picture_has_a_tile_for_each_channel(pkg: Path) -> None:
    files = record(pkg)
    step = parse_pictures(files["index.json"]).steps[0]
    rows = pixels(files[step.picture])
    factor = 22  # from two tiles of 2×2 to the width of a picture
    assert (len(rows), len(rows[0])) == (2 * factor, 4 * factor + 1)
    corners = [[row[x * factor] for x in (0, 1)] for row in (rows[0], rows[factor])]
    zero, strongest = LEVELS, 2 * LEVELS
    assert corners == [[zero, zero + 11], [zero - 5, zero + 5]]  # of 0, 2, -1, 1, where 3 is the strongest
    assert rows[0][2 * factor] == len(PALETTE) - 1  # the line between the tiles
    assert rows[factor][-1] == strongest


def test_records_are_the_same_each_time(pkg: Path) -> None:
    assert record(pkg) == record(pkg)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('("Block.forward",)', '("Block.backward",)', "there is no function `Block.backward`"),
        ('("Block.forward",)', "[]", "has no tuple `PICTURED`"),
        ("block.forward(", "print(", "the example does not call `Block.forward`"),
        ("    block = Block()", "    1 / 0", "raised ZeroDivisionError: division by zero"),
        ("def main", "def main(:", "cannot be read: invalid syntax"),
    ],
)
def test_what_is_wrong_with_an_example_is_told(pkg: Path, before: str, after: str, message: str) -> None:
    example = pkg / "example.py"
    example.write_text(EXAMPLE.replace(before, after), "utf-8")
    with pytest.raises(PylitError, match=re.escape(message)):
        record(pkg)


def command(base: Path, *arguments: str) -> str:
    result = CliRunner().invoke(main, ["trace", *arguments], catch_exceptions=False)
    return result.output


def test_command_writes_pictures_and_a_page_shows_them(pkg: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pkg)
    folder = pkg / "traces/pkg/a.pictures"
    folder.mkdir(parents=True)
    (folder / "000000000000.png").write_bytes(b"of before")
    options = ("pkg/a.py", "--traces", "traces", "--pictures", "example.py")
    assert "5 files changed" in command(pkg, *options)
    assert "0 files changed" in command(pkg, *options)
    assert len([*folder.glob("*.png")]) == 3
    view, report = render(pkg, traces=pkg / "traces")
    assert view and not report.problems
    assert len(view.pictures) == 3 and view.body.has_pictures
    html = document(view)
    assert html.count("<img ") == 3
    assert html.count('class="look" href="#Block.forward') == 2  # two lines have some
    assert '<li id="Block.forward:picture-1"><code translate="no" data-sym="x">x</code>' in html
    assert "mean 0.75, deviation 1.48, zeros 50 %" in html
    assert 'alt="self.halve(x), shape 1×2×2×2, as a picture"' in html


def test_pictures_of_a_line_that_has_changed_are_not_shown(
    pkg: Path, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    monkeypatch.chdir(pkg)
    command(pkg, "pkg/a.py", "--traces", "traces", "--pictures", "example.py")
    write("pkg/a.py", MODULE.replace("self.halve(x) + x", "self.halve(x)"))
    view, report = render(pkg, traces=pkg / "traces")
    assert view and not view.pictures
    (problem,) = report.problems
    assert "the pictures of `Block.forward` are stale" in problem.message
    assert problem.hint == "Record them again: `pylit trace pkg/a.py --pictures example.py`."


def test_a_file_and_an_example_belong_together(pkg: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pkg)
    assert "--pictures needs one file" in command(pkg, "--pictures", "example.py")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"picture": "', '"picture": "../'),
        ('"expression": "x"', '"expression": "\\u0000"'),
        ('"expression": "x"', '"expression": "x +"'),
        ('"expression": "x"', f'"expression": "{"(" * 5000}"'),
        ('"scale": ', '"scal": '),
        ('"histogram": [', '"histogram": [null, '),
    ],
)
def test_a_damaged_record_is_told_and_not_shown(
    pkg: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str
) -> None:
    monkeypatch.chdir(pkg)
    command(pkg, "pkg/a.py", "--traces", "traces", "--pictures", "example.py")
    index = pkg / "traces/pkg/a.pictures/index.json"
    text = index.read_text("utf-8")
    index.write_text(text.replace(before, after, 1), "utf-8")
    with pytest.raises(NoTraceError, match="describes no pictures"):
        parse_pictures(index.read_bytes())
    view, report = render(pkg, traces=pkg / "traces")
    assert view and not view.pictures
    (problem,) = report.problems
    assert problem.file == "traces/pkg/a.pictures/index.json" and "describes no pictures" in problem.message


def test_a_picture_that_is_missing_is_told(pkg: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pkg)
    command(pkg, "pkg/a.py", "--traces", "traces", "--pictures", "example.py")
    step = parse_pictures((pkg / "traces/pkg/a.pictures/index.json").read_bytes()).steps[0]
    (pkg / "traces/pkg/a.pictures" / step.picture).unlink()
    view, report = render(pkg, traces=pkg / "traces")
    assert view and len(view.pictures) == 2
    assert f"{step.picture}` cannot be shown" in str(*report.problems)
