"""The page and the notebook show the same, and report the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Write
from notebooks import HEADER, text_of
from rendering import render, site

from pylit.errors import Severity
from pylit.rendering.context import MAX_DRAWN
from pylit.rendering.tidy_html import MAX_DEPTH

WRONG = {
    "a link to nowhere": "[a](nowhere.py)",
    "a link without an address": "[a]()",
    "a link of another kind": "[a](ftp://example.org)",
    "an anchor that is not there": "[a](#nothing)",
    "a picture that is not there": "![a](nowhere.png)",
    "a picture that is damaged": "![a](a.png)",
    "a drawing that could run": "![a](a.svg)",
    "a drawing that is none": "![a](b.svg)",
    "a picture on another server": "![a](https://example.org/a.png)",
    "a figure without data": "```table\nrows: nowhere.json\ncolumns: [{head: A, value: a}]\n```",
    "a figure that is not valid": "```chart\nx: y\n```",
    "HTML that is nested too deeply": "<div>" * (MAX_DEPTH + 1),
    "addresses that are repeated": "".join(f"[a][l]{n} " for n in range(999))
    + "\n\n[l]: https://x.org/"
    + "y" * 9000,
}


@pytest.mark.parametrize("name", WRONG)
def test_page_and_notebook_report_the_same(write: Write, tmp_path: Path, name: str) -> None:
    write("pkg/a.py", f'"""\n# T\n\n{WRONG[name]}\n"""\n')
    write("pkg/a.png", "no picture")
    write("pkg/a.svg", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script/></svg>')
    write("pkg/b.svg", '<html xmlns="http://www.w3.org/1999/xhtml"/>')
    _, page = render(tmp_path)
    _, notebook = text_of(site(tmp_path), "pkg/a.py")
    assert page.problems and set(page.problems) == set(notebook.problems)


def test_drawings_have_one_budget(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\n# T\n\n![a](a.svg)\n\n![b](a.svg)\n"""\n')
    start = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">'
    write("pkg/a.svg", f"{start}<text>{'x' * (MAX_DRAWN // 2)}</text></svg>")
    (_, page), (_, notebook) = render(tmp_path), text_of(site(tmp_path), "pkg/a.py")
    (problem,) = page.problems
    assert f"figures and drawings of this page have more than {MAX_DRAWN:,} characters" in problem.message
    assert set(page.problems) == set(notebook.problems)


@pytest.mark.parametrize(
    ("state", "on_page", "in_notebook"),
    [("", "词", "词"), ('#, fuzzy\n#| msgid "Word."\n', "词", "Words."), ("#, fuzzy\n", "Words.", "Words.")],
)
def test_a_stale_translation_is_shown_beside_its_original_or_not_at_all(
    write: Write, tmp_path: Path, state: str, on_page: str, in_notebook: str
) -> None:
    """A notebook has no place for both."""
    write("pkg/a.py", '"""\n# T\n\nWords.\n"""\n')
    write("t/zh/pkg/a.po", f'{HEADER}{state}msgid "Words."\nmsgstr "词"\n')
    options: dict[str, Any] = {"languages": ("en", "zh"), "translations": tmp_path / "t"}
    view, _ = render(tmp_path, lang="zh", **options)
    assert view and f">{on_page}" in "".join(row.prose for row in view.body.rows)
    text, _ = text_of(site(tmp_path, **options), "pkg/a.py", "zh")
    assert in_notebook in text and ("词" in text) == (in_notebook == "词")


TIED = """
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><g data-of="Block.conv"><text>conv</text></g>\
<text data-of="$x$">x</text><text>data-of="not an attribute"</text></svg>
"""
BLOCK = """\
r\"\"\"
# T

![a block](a.svg) and $y = W x$
\"\"\"

class Block:
    def __init__(self):
        self.conv = 1

    def forward(self, x):
        return self.conv * x
"""


def test_parts_of_a_drawing_are_tied_to_code_and_symbols(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", BLOCK)
    write("pkg/a.svg", TIED.strip())
    view, report = render(tmp_path)
    assert view and not report.problems
    code = re.search(r'<span data-n="([0-9]+)">conv</span>', view.body.rows[-1].code[-1].html)
    assert code
    html = str(view.body.rows[0].prose)
    assert f'<g data-n="{code[1]}"><text>conv</text></g><text data-sym="x">x</text>' in html
    assert '<text>data-of="not an attribute"</text>' in html


@pytest.mark.parametrize(
    ("target", "message", "hint"),
    [
        ("Block.conv1", "to `Block.conv1`, which is not in the code", "Did you mean `Block.conv`?"),
        ("$z$", "to `$z$`, which is in no formula", "Name a symbol that is in a formula of this page."),
        ("$x", "to `$x`, which is not in the code", "Name what the code mentions twice or more"),
    ],
)
def test_what_a_drawing_names_must_be_there(
    write: Write, tmp_path: Path, target: str, message: str, hint: str
) -> None:
    write("pkg/a.py", BLOCK)
    write("pkg/a.svg", TIED.strip().replace("Block.conv", target))
    view, report = render(tmp_path)
    assert view and "data-of=" not in str(view.body.rows[0].prose).replace('data-of="not', "")
    (problem,) = report.problems
    assert f"the drawing `pkg/a.svg` ties a part {message}" in problem.message
    assert problem.hint.startswith(hint) and problem.severity is Severity.WARNING and problem.line == 4


def test_a_drawing_in_a_guide_is_tied_to_nothing(write: Write, tmp_path: Path) -> None:
    write("pkg/a.md", "# T\n\n![a block](a.svg)\n")
    write("pkg/a.svg", TIED.strip())
    view, report = render(tmp_path, "pkg/a.md")
    assert view and not report.problems
    assert "<g><text>conv</text></g><text>x</text>" in str(view.body.rows[0].prose)
