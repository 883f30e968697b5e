"""A file that cannot be cut is a page with a listing, written when pages are although there are errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Write
from rendering import site

from pylit.builder.builder import build
from pylit.errors import PylitError

FILES = {
    "bad.py": (b"x = 1\ny = = 2\n", "is not valid Python: invalid syntax", ["x", "y"]),
    "old.py": (b"print 'a'\n", "is written for Python 2", ["print"]),
    "raw.py": (b"\xff\xfe\x00\x01", "cannot be decoded", ["\\xff\\xfe"]),
    "script": (b"all:\n\tmake\n", "is not valid Python", ["make"]),
    "bad.ipynb": (b'{"a": 1}', "is not a notebook", ["a"]),
    "bad.md": (b"# T\n\xff\n", "is not UTF-8", ["# T"]),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_cut_is_a_listing(name: str, write: Write, tmp_path: Path) -> None:
    data, message, words = FILES[name]
    write("pkg/good.md", f"# Good\n\n[that](../pkg/{name})\n")
    (tmp_path / "pkg" / name).write_bytes(data)
    found = site(tmp_path, "pkg/good.md", f"pkg/{name}", notebooks=True)
    report = build(found, tmp_path / "out", jobs=1)
    assert [problem.file for problem in report.errors] == [f"pkg/{name}"]
    assert message in report.errors[0].message
    assert not (tmp_path / "out").exists()
    build(found, tmp_path / "out", jobs=1, keep_going=True)
    html = (tmp_path / "out" / f"{Path(name).stem}.html").read_text()
    assert message in html.partition('<p class="wrong">')[2].partition("</p>")[0]
    assert all(word in html for word in words)
    assert ".ipynb" not in html.replace("bad.ipynb", "")
    assert "good.html" in {path.name for path in (tmp_path / "out").iterdir()}


def test_its_translations_are_left_alone(write: Write, tmp_path: Path) -> None:
    """For who asks for its prose is told that there is none to be had."""
    write("pkg/a.py", "x = = 1\n")
    with pytest.raises(PylitError, match="is not valid Python"):
        site(tmp_path).sources.source("pkg/a.py")
