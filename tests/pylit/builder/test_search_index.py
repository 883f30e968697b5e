"""The index that readers search by."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Write

from pylit.builder.search_index import CUT, index_files, prepared
from pylit.cli.main import main
from pylit.errors import PylitError


def test_code_between_prose_comes_after_it() -> None:
    """Or prose would be found as a part of the line above it."""
    code = '<div class="code-box"><div class="stay"><pre></pre></div></div>\n'
    row = '<section style="--p:1" class="row beside" id="a"><div class="prose">{}</div>\n{}</section>'
    assert prepared(row.format(f"<h2>A</h2>{code}<p>Words.</p>", "")) == row.format(
        "<h2>A</h2><p>Words.</p>", code
    )


def test_definitions_weigh_more_and_glossaries_less() -> None:
    page = '<main id=":main"><span class="nf" data-n="1">f</span><a class="nf">f</a><div class="table terms">'
    assert prepared(page) == (
        '<main data-pagefind-body id=":main"><span data-pagefind-weight="9" class="nf" data-n="1">f</span>'
        '<a class="nf">f</a><div class="table terms" data-pagefind-weight="0.2">'
    )


@pytest.mark.parametrize(
    ("lang", "html", "expected"),
    [
        ("en", "<code>nn.Linear(3)</code> a.b", f"<code>nn{CUT}.Linear{CUT}(3{CUT})</code> a.b"),
        ("en", "<code><b>self</b>.x &lt; 2</code>", f"<code><b>self</b>{CUT}.x &lt; 2</code>"),
        ("en", '<span id="L12" class="l">x</span>', '<a id="L12"></a><span class="l">x</span>'),
        ("en", "归一化", "归一化"),
        ("zh", "归一化，ReLU层", f"归{CUT}一{CUT}化，ReLU{CUT}层"),
        ("ja", "残差ブ", f"残{CUT}差{CUT}ブ"),
    ],
)
def test_names_and_characters_are_words(lang: str, html: str, expected: str) -> None:
    page = f'<html lang="{lang}"><main id=":main">{html}</main>'
    assert prepared(page) == f'<html lang="{lang}"><main data-pagefind-body id=":main">{expected}</main>'


@pytest.mark.process
def test_render_makes_an_index_unless_told_not_to(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\n# Title\n\nSome words.\n"""\n\nx = 1\n')
    out = tmp_path / "out"
    for option, there in (("--no-search", False), ("--search", True), ("--strict", True)):
        result = CliRunner().invoke(main, ["render", str(tmp_path / "pkg"), "--out", str(out), option])
        assert result.exit_code == 0, result.output
        assert (out / "pagefind/pagefind.js").is_file() == there
        assert ('id=":search"' in (out / "a.html").read_text("utf-8")) == there
    assert not list(out.glob("pagefind/*ui*")) and not list(out.glob("pagefind/*highlight*"))


def test_without_pagefind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pagefind.index", None)
    with pytest.raises(PylitError, match="Pagefind is not installed\n    Install it, `pip install"):
        index_files([])


def test_index_that_is_not_whole_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = '{"b": 1, "a": 2}'
    left = [(b"", entry), (b"whole", ""), (b"whole", entry), (b"", entry), (b"", entry), (b"", entry)]

    async def index(folder: Path, pages: object) -> None:
        data, text = left.pop(0)
        (folder / "a.pagefind").write_bytes(data)
        (folder / "pagefind-entry.json").write_text(text)

    monkeypatch.setattr("pylit.builder.search_index._index", index)
    assert index_files([]) == {
        "pagefind/a.pagefind": b"whole",
        "pagefind/pagefind-entry.json": b'{"a":2,"b":1}',
    }
    with pytest.raises(
        PylitError, match="search: error: Pagefind wrote empty files 3 times\n    Build again"
    ):
        index_files([])
