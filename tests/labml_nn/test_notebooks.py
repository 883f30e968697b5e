"""The notebooks of the site run from top to bottom in a real Jupyter kernel, and show what the pages say they show."""

from __future__ import annotations

import ast
import doctest
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from sampling import EVERYTHING

from pylit.api import open_configuration, open_site
from pylit.errors import Report
from pylit.notebook.cells import bare
from pylit.site.page import render_notebook
from pylit.site.site import Page

ROOT = Path(__file__).parents[2]
SITE = open_site(open_configuration(ROOT / "pyproject.toml"), is_kept=False)
MODULES = [page for page in SITE.pages if page.file.endswith(".py")]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def notebook(page: Page, lang: str = "en") -> Any:
    report = Report()
    text = render_notebook(SITE, page, lang, report)
    assert not report.problems
    return nbformat.reads(text, 4)  # type: ignore[no-untyped-call]


def shown(outputs: list[Any]) -> str:
    """What a reader sees below a cell."""
    parts = []
    for output in outputs:
        match output.output_type:
            case "stream":
                parts.append(output.text)
            case "execute_result":
                parts.append(output.data["text/plain"] + "\n")
            case "error":
                parts.append(f"{output.ename}: {output.evalue}\n")
    return "".join(parts)


def test_run_from_top_to_bottom(tmp_path: Path) -> None:
    """In a folder with nothing in it, without a network.

    One kernel runs all notebooks, so that torch is imported once. In between it forgets all names.
    """
    cells: list[Any] = []
    ran = {}
    tried = MODULES if EVERYTHING else MODULES[::6]
    for page in tried:
        cells.append(nbformat.v4.new_code_cell("%reset -f"))  # type: ignore[no-untyped-call]
        ran[page] = notebook(page).cells
        for cell in ran[page]:
            cell.id = f"c{len(cells)}"
            cells.append(cell)
    environment = {"PYTHONPATH": str(ROOT), "PIP_NO_INDEX": "1", "IPYTHONDIR": str(tmp_path)}
    one_thread = {"OMP_NUM_THREADS": "1"}  # what they compute is small, and other tests want the other cores
    together = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(together, timeout=600, allow_errors=True, resources=resources)
    client.execute(env={**os.environ, **environment, **one_thread})
    wrong = [problem for page in tried for problem in differences(page, ran[page])]
    assert not wrong, "\n".join(wrong)


def differences(page: Page, ran: list[Any]) -> Iterator[str]:
    """What a notebook shows that its page does not."""
    for cell, after in zip(notebook(page).cells, ran, strict=True):
        if cell.cell_type == "code":
            wanted, got = shown(cell.outputs), shown(after.outputs)
            raised = any(output.output_type == "error" for output in after.outputs)
            if raised != ("raises-exception" in cell.metadata.get("tags", [])) or not (
                doctest.OutputChecker().check_output(wanted, got, FLAGS)
            ):
                yield f"{page.file} {cell.id}:\n{cell.source}\nwanted:\n{wanted}\ngot:\n{got}"


def test_all_examples_are_run() -> None:
    runs = [cell for page in MODULES for cell in notebook(page).cells if cell.get("outputs")]
    wanted = [
        example
        for page in MODULES
        for node in ast.walk(ast.parse((ROOT / page.file).read_text("utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        for example in doctest.DocTestParser().get_examples(ast.get_docstring(node) or "")
        if example.want
    ]
    assert len(runs) == len(wanted) > 90


@pytest.mark.parametrize("lang", SITE.settings.languages[1:])
def test_same_program_in_every_language(lang: str) -> None:
    for page in MODULES:
        english, other = notebook(page).cells, notebook(page, lang).cells
        assert [cell.id for cell in english] == [cell.id for cell in other]
        for cell, translated in zip(english, other, strict=True):
            if cell.cell_type == "code" and "%pip" not in cell.source:
                assert bare(cell.source) == bare(translated.source), (page.file, cell.id)
            assert cell.get("outputs") == translated.get("outputs")
