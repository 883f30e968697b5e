"""Tables: bars in formulas and behind backslashes divide no cells, and no cell is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Write
from markdown_it import MarkdownIt
from notebooks import HEADER, text_of
from rendering import site

from pylit.errors import Report, Severity
from pylit.parsing.markdown import markdown
from pylit.parsing.tables import _cells, split_row
from pylit.site.page import render_page


def rows(text: str) -> list[list[str]]:
    """The cells of all rows of a table."""
    found: list[list[str]] = []
    for token in markdown().parse(text):
        if token.type == "tr_open":
            found.append([])
        elif token.type == "inline" and found:
            found[-1].append(token.content)
    return found


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| Bayes | $P(A|B)$ | kept? |", ["Bayes", "$P(A|B)$", "kept?"]),
        (r"| \(P(A|B)\) | \[a|b\] | $$a|b$$ |", [r"\(P(A|B)\)", r"\[a|b\]", "$$a|b$$"]),
        (r"| \begin{matrix}a|b\end{matrix} | b | c |", [r"\begin{matrix}a|b\end{matrix}", "b", "c"]),
        ("a|b|$c|d$", ["a", "b", "$c|d$"]),
        (r"| `a\|b` | c | d |", ["`a|b`", "c", "d"]),
        (r"| ``a`\|b`` | c\|d | $a\|b$ |", ["``a`|b``", "c|d", "$a|b$"]),
        ("| `$a` | `b$` | c |", ["`$a`", "`b$`", "c"]),
        ("| `$a | b$` | c |", ["`$a", "b$`", "c"]),
        (r"| \$a | b$ | c |", [r"\$a", "b$", "c"]),
        ("| $5 | $6 | $7 |", ["$5", "$6", "$7"]),
        ("|$HOME|$USER|$PATH|", ["$HOME", "$USER", "$PATH"]),
        ("|$x$|$y$|$z$|", ["$x$", "$y$", "$z$"]),
        ("| $x|y$ | z |", ["$x", "y$", "z"]),  # as on GitHub, as it fits
        (r"| \( | opens | \) |", [r"\(", "opens", r"\)"]),
        ("| a | b", ["a", "b", ""]),
        ("| a | | c |", ["a", "", "c"]),
        ("| | | |", ["", "", ""]),
        ("|", ["", "", ""]),
        (r"| a \\| b | c |", [r"a \| b", "c", ""]),
        ("| a | b | c | d |", ["a", "b", "c", "d"]),
        ("| $a|b$ | c | $d|e$ | f | g |", ["$a|b$", "c", "$d|e$", "f", "g"]),
    ],
)
def test_cells(row: str, cells: list[str]) -> None:
    assert rows(f"| x | y | z |\n|---|---|---|\n{row}\n") == [["x", "y", "z"], cells]


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|:-:|\n| c | d |\n\ne\n",
        "a | b\n- | -\nc | d\ne\n",
        "a | b\n-|-\n",
        "| a |\n|:--|\n| b |\n> c\n",
        "| a |\n| --: |\n# b\n",
        "x\n| a | b |\n|---|---|\n",
        "| a | b |\n|---|\n| c | d |\n",
        "| a | b |\n|---|---||\n",
        "| a | b |\n|-+-|---|\n",
        "| a | b |\n|   |---|\n",
        "a\n---\n",
        "| a\n---\n",
        "|\n|\n",
        "| a | b |\n    |---|---|\n",
        "    | a | b |\n|---|---|\n",
        "* | a | b |\n  |---|---|\n  | c | d |\n| e | f |\n",
        "* | a | b |\n|---|---|\n",
        "> | a | b |\n> |---|---|\n> | c | d |\ne\n",
        "| a | b |\n|---|---|\n    code\n",
        "| a \\| b | c |\n|---|---|\n| `d \\| e` | f |\n",
        "| a | b |\n|---|---|\n| c\n| d | e |\n",
        "\N{NO-BREAK SPACE}| a | b |\n|---|---|\n| c | d |\n",
    ],
)
def test_all_else_is_as_in_markdown(text: str) -> None:
    """Where rows have as many cells as heads at most, and no formulas."""
    ours = [(t.type, t.content, t.map, t.attrs) for t in markdown().parse(text)]
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    assert ours == [(t.type, t.content, t.map, t.attrs) for t in parser.parse(text)]


@pytest.mark.slow
def test_a_table_does_not_grow_beyond_measure() -> None:
    head = "| " + "a | " * 300
    text = head + "\n|" + "---|" * 300 + "\n" + "| b |\n" * 300
    assert len(rows(text)) < 250


def test_cells_beyond_the_head_are_shown_and_told(write: Write, tmp_path: Path) -> None:
    table = "| law | formula |\n|---|---|\n| a | b | kept | too |\n| c | d | also |\n"
    write("pkg/a.py", f'"""\n# T\n\n{table}"""\n')
    found, report = site(tmp_path), Report()
    view = render_page(found, found.pages[0], "en", report)
    assert view
    html = str(view.body.rows[0].prose)
    assert all(f"<td>{cell}</td>" in html for cell in ("b", "kept", "too", "also"))
    first, second = report.problems
    assert (first.file, first.line, first.severity) == ("pkg/a.py", 6, Severity.WARNING)
    assert first.message == "this row has 2 cells more than the head of the table"
    assert (second.line, second.message) == (7, "this row has 1 cell more than the head of the table")
    assert "`\\|`" in first.hint


def test_cells_beyond_the_head_are_translated_and_in_notebooks(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\n# T\n\n| a | b |\n|---|---|\n| c | d | kept |\n"""\n')
    write("t/zh/pkg/a.po", HEADER + 'msgid "kept"\nmsgstr "留下"\n')
    found = site(tmp_path, languages=("en", "zh"), translations=tmp_path / "t")
    text, _ = text_of(found, "pkg/a.py", "zh")
    assert r"| c | d \\| 留下 |" in text


def test_two_readings_of_a_row() -> None:
    assert split_row("$a|b$|c", 2) == ["$a|b$", "c"]
    assert split_row("$a|b$|c", 3) == ["$a", "b$", "c"]
    assert split_row("$a|b$|c", 4) == ["$a|b$", "c"]
    assert _cells("", with_formulas=True) == []
