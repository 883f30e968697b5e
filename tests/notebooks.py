"""Notebooks of small modules, for the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from conftest import Write
from rendering import site

from pylit.errors import Report
from pylit.site.page import render_notebook
from pylit.site.site import Site

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d4944415478da63fccfc0f01f0005050201a3e6ed5c0000000049454e44ae426082"
)


HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def text_of(found: Site, file: str, lang: str = "en") -> tuple[str, Report]:
    report = Report()
    return render_notebook(found, found.pages[found.navigation.by_file[file]], lang, report), report


def read(text: str) -> list[Any]:
    """The cells of a notebook that is as `nbformat` itself would write it."""
    found = nbformat.reads(text, 4)  # type: ignore[no-untyped-call]
    nbformat.validate(found)
    assert nbformat.writes(found) + "\n" == text  # type: ignore[no-untyped-call]
    cells: list[Any] = found.cells
    return cells


def make(
    write: Write,
    tmp_path: Path,
    code: str,
    lang: str = "en",
    file: str = "pkg/a.py",
    catalog: dict[str, str] | None = None,
    **options: Any,
) -> list[Any]:
    """The cells of a module, without the first, which tells of the notebook itself."""
    write(file, code)
    if catalog:
        entries = "".join(f"msgid {quoted(a)}\nmsgstr {quoted(b)}\n\n" for a, b in catalog.items())
        write(f"t/{lang}/{Path(file).with_suffix('.po')}", HEADER + entries)
        options |= {"languages": ("en", lang), "translations": tmp_path / "t"}
    text, report = text_of(site(tmp_path, **options), file, lang)
    assert not report.problems, report.problems
    return read(text)[1:]


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def sources(cells: list[Any]) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in cells]


def code(cells: list[Any]) -> str:
    (found,) = [cell.source for cell in cells if cell.cell_type == "code"]
    return str(found)


def markdown(write: Write, tmp_path: Path, prose: str, **options: Any) -> str:
    """A docstring of the module, as the one cell that it becomes."""
    (cell,) = make(write, tmp_path, f'r"""\n# Title\n\n#### Words\n\n{prose}\n"""\n', **options)
    return str(cell.source).removeprefix("#### Words\n\n")
