"""Notebooks of marimo: cells are rows, their functions are folded, and `mo.md` is prose."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from cutting import checked, code, prose

from pylit.defaults import Conventions
from pylit.parsing.source import parse_python

NOTEBOOK = '''\
# /// script
# dependencies = ["marimo"]
# ///

import marimo

__generated_with = "0.23.15"
app = marimo.App(width="medium")

with app.setup:
    import math


@app.cell(hide_code=True)
def intro(mo):
    mo.md(r"""
    # Title

    Some *text* with $\\frac{1}{2}$.
    """)
    return


@app.cell
def _(
    mo,
    slider,
):
    # Twice it.
    x = 2 * slider.value
    text = """
    as it is
"""

    def double(y):
        """Twice y."""
        return 2 * y

    mo.md(f"It is {x}, {double(x)!r} and {text}.").center()
    return double, x


@app.function
def triple(y):
    return 3 * y


@app.cell
async def _():
    await triple(1)


@app.cell
def _():
    import marimo as mo

    return (mo,)


app._unparsable_cell(
    r"""
    x = = 1
    """,
    name="_",
)


if __name__ == "__main__":
    app.run()
'''


def test_a_notebook() -> None:
    source = checked(NOTEBOOK, "a.py")
    assert prose(source) == [
        "# Title",
        "Some *text* with $\\frac{1}{2}$.",
        "Twice it.",
        "Twice y.",
        "It is `x`, `…` and `text`.",
    ]
    assert code(source) == [
        "import math",
        "x = 2 * slider.value",
        'text = """',
        "    as it is",
        '"""',
        "def double(y):",
        "    return 2 * y",
        "def triple(y):",
        "    return 3 * y",
        "await triple(1)",
        "import marimo as mo",
    ]
    assert [definition.name for definition in source.definitions] == ["double", "triple"]
    shown = [line for line in source.lines if line.strip()]
    assert [line.strip() for line in shown] == [
        line.strip() for line in NOTEBOOK.splitlines() if line.strip()
    ]
    ast.parse(source.text)
    assert len(source.cells) == 6


def test_cells_are_rows() -> None:
    source = checked(NOTEBOOK, "a.py")
    for cell in source.cells:
        assert any(section.line == cell.start or cell.start in section.code for section in source.sections)


def test_it_can_be_switched_off() -> None:
    source = parse_python(NOTEBOOK, "a.py", Conventions(cells=False))
    assert source.text == NOTEBOOK
    assert [definition.name for definition in source.definitions][:2] == ["intro", "_"]


@pytest.mark.parametrize(
    "text",
    [
        "import marimo\nx = 1\n",
        "def cell(): ...\n@cell\ndef _():\n    mo.md('a')\n    return\nx = 'marimo'\n",
    ],
)
def test_other_modules_are_left_alone(text: str) -> None:
    source = checked(text, "a.py")
    assert (source.text, source.quiet) == (text, frozenset())


HEAD = "import marimo\napp = marimo.App()\n\n"
CELLS = {
    "@app.cell\ndef _(): return\n": ([], ["@app.cell", "def _(): return"]),
    "@app.cell\ndef _(mo):\n    mo.md('a'); x = 1\n    return\n": ([], ["mo.md('a'); x = 1"]),
    "@app.cell\ndef _(mo):\n    mo.md('a')  # why\n    return\n": (["a"], []),
    "@app.cell\ndef _(mo):\n    mo.md('# A\\n\\nb')\n    return\n": (["# A", "b"], []),
    "@app.cell\ndef _(mo):\n    mo.md(text)\n    return\n": ([], ["mo.md(text)"]),
    "@app.cell\ndef _(mo):\n    mo.hstack([mo.md('a')])\n    return\n": ([], ["mo.hstack([mo.md('a')])"]),
    "@app.cell\ndef _():\n    pass\n": ([], []),
    "@app.cell\ndef _():\n    return\n": ([], []),
    "@app.cell\ndef _():\n    # Say it.\n\n    x = 1\n    return (x,)\n": (["Say it."], ["x = 1"]),
    "@app.cell\ndef _():\n    if x:\n        return\n    return\n": ([], ["if x:", "    return"]),
    "@app.class_definition\nclass A:\n    x = 1\n": ([], ["class A:", "    x = 1"]),
    "@other\ndef f():\n    return\n": ([], ["@other", "def f():", "    return"]),
}


@pytest.mark.parametrize("cell", CELLS)
def test_cells(cell: str) -> None:
    source = checked(f'{HEAD}{cell}\n\nif __name__ == "__main__":\n    app.run()\n', "a.py")
    assert (prose(source), code(source)) == CELLS[cell]


def test_file_of_a_package_that_only_speaks_of_it(tmp_path: Path) -> None:
    assert checked('"""About marimo.App."""\nimport marimo\n', "a.py").cells == ()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a `b = {x}` {y}", "a `b = x` `y`"),
        ("- `refs: {mo.refs()}`", "- `refs: …`"),
        ("$a = {n_x.value}$ and {z}", "$a = \\texttt{n\\_x.value}$ and `z`"),
        ("an ` alone\\n\\n{x}", "an ` alone\n\n`x`"),
        ("{x}{y}", "`x``y`"),
    ],
)
def test_what_is_put_in_is_code_where_it_stands(text: str, shown: str) -> None:
    cell = f'    mo.md(f"{text}")\n    return\n'
    source = checked(f"import marimo\napp = marimo.App()\n\n@app.cell\ndef _(mo):\n{cell}")
    assert prose(source) == [line for line in shown.split("\n") if line]
