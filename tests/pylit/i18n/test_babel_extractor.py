"""Babel's own tools find the blocks of our files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polib
import pytest
from conftest import Write

from pylit.errors import PylitError
from pylit.i18n.babel_extractor import extract
from pylit.i18n.blocks import blocks
from pylit.parsing.source import read_source


@pytest.mark.process
def test_pybabel_finds_what_pylit_finds(root: Path, tmp_path: Path) -> None:
    template = tmp_path / "messages.pot"
    command = ["babel.messages.frontend", "extract", "-F", "pyproject.toml", "-o", str(template)]
    subprocess.run([sys.executable, "-W", "error", "-m", *command, "."], cwd=root, check=True)
    found = {entry.msgid for entry in polib.pofile(str(template))}
    files = [
        path
        for folder in ("labml_nn", "docs/guide")
        for path in (root / folder).rglob("*")
        if path.suffix in (".py", ".md")
    ]
    assert len(files) > 20
    assert found == {block.text for path in files for block in blocks(read_source(path))}


def test_a_block_has_its_line_and_the_code_beside_it(write: Write) -> None:
    path = write("a.py", "# Add one.\nx += 1\n\n# Stop.\nbreak_here()\n")
    with path.open("rb") as file:
        assert list(extract(file, (), (), {})) == [
            (1, None, "Add one.", ["x += 1"]),
            (4, None, "Stop.", ["break_here()"]),
        ]


def test_a_file_that_is_no_python(write: Write) -> None:
    path = write("a.py", "def\n")
    with path.open("rb") as file, pytest.raises(PylitError, match=r"a\.py:1"):
        list(extract(file, (), (), {}))
