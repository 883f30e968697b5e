"""Files that cannot be cut are listings, and say which version of Python they need."""

from __future__ import annotations

import pytest
from cutting import check_lossless

from pylit.errors import Problem, PylitError
from pylit.parsing.listing import MANY_CHARACTERS, MANY_LINES, listing
from pylit.parsing.python_versions import NEWER, needed_version
from pylit.parsing.source import parse_python, parse_source

PROBLEM = Problem("a.py", 2, "is not valid Python: invalid syntax", "Fix it.")

NEEDED = {
    "type X = int": "3.12",
    "type X[T] = list[T]": "3.12",
    "def f[T](x: T): ...": "3.12",
    "async def f[T](x: T): ...": "3.12",
    "class A[T]: ...": "3.12",
    "class A[T = int]: ...": "3.13",
    "type X[T = int] = T": "3.13",
    'f"{x["a"]}"': "3.12",
    "x = f'{y['a']}'": "3.12",
    't"{x}"': "3.14",
    "x = rt'{y}'": "3.14",
    "except A, B:": "3.14",
    "lazy import x": "3.15",
    "print 'a'": "2",
    "print >>f, x": "2",
    "exec 'x'": "2",
    "raise E, 'm'": "2",
    "except A, e:": "2",
    "x = 0777": "2",
    "x = 10L": "2",
    "if a <> b: pass": "2",
    "x = `y`": "2",
    "x = ur'a'": "2",
    "x = = 1": "",
    "def f(:": "",
    "x = 0.07 7": "",
}


@pytest.mark.parametrize("line", NEEDED)
def test_versions(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", (3, 11, 7))
    assert needed_version(line, "invalid syntax") == NEEDED[line]


def test_a_version_that_is_running_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.version_info", (3, 20))
    assert needed_version("type X = = 1", "invalid syntax") == ""
    assert needed_version('f"{', "f-string: expecting '}'") == ""
    monkeypatch.setattr("sys.version_info", (3, 11))
    assert needed_version('x = f"{', "f-string: expecting '}'") == "3.12"
    assert [version for version, _ in NEWER] == sorted((version for version, _ in NEWER), reverse=True)


def test_what_a_version_needs_is_said() -> None:
    with pytest.raises(PylitError) as error:
        parse_python("x = 1\nprint x\n", "a.py")
    reason = "Missing parentheses in call to 'print'. Did you mean print(...)?"
    hint = "Convert it, for example with 2to3, or exclude the file."
    assert error.value.problem == Problem("a.py", 2, f"is written for Python 2: {reason}", hint)
    with pytest.raises(PylitError) as error:
        parse_python("lazy import x\n", "a.py")
    hint = "Install pylit for Python 3.15, or exclude the file."
    assert error.value.problem == Problem("a.py", 1, "needs Python 3.15 or newer: invalid syntax", hint)


LISTED = {
    b"x = 1\nx = = 1\n": ["x = 1", "x = = 1"],
    b"\xef\xbb\xbfx\r\ny\rz": ["x", "y", "z"],
    b"": [],
    b"\n": [""],
    b"a\xffb\n": ["a\\xffb"],
    b"\x7fELF\x00\x01\n\x1b": ["\u2421ELF\u2400\u2401", "\u241b"],
}


@pytest.mark.parametrize("data", LISTED)
@pytest.mark.parametrize("file", ["a.py", "a", "a.ipynb", "a.md"])
def test_listings(data: bytes, file: str) -> None:
    source = listing(data, file, PROBLEM)
    assert list(source.lines) == LISTED[data]
    assert (source.problem, source.definitions) == (PROBLEM, ())
    check_lossless(source)
    assert parse_python(source.text, "a.py").definitions == ()
    if file == "a.md":
        assert [line.text for line in source.sections[0].text] == ["```text", *LISTED[data], "```"]


def test_fences_in_a_guide_do_not_end_its_listing() -> None:
    source = listing(b"````\n\xff\n", "a.md", PROBLEM)
    assert source.sections[0].text[0].text == "`````text"


@pytest.mark.parametrize(
    "data", [b"x\n" * 2 * MANY_LINES, b"x" * 2 * MANY_CHARACTERS, b"\0" * 10 * MANY_CHARACTERS]
)
def test_enormous_files_are_cut(data: bytes) -> None:
    source = listing(data, "a", PROBLEM)
    assert len(source.lines) <= MANY_LINES + 1
    assert sum(map(len, source.lines)) <= MANY_CHARACTERS + 1
    assert source.lines[-1] == "…"


def test_notebook_that_is_none() -> None:
    with pytest.raises(PylitError) as error:
        parse_source(b'{"cells": [\n', "a.ipynb")
    assert error.value.problem.message.startswith("is not a notebook: Expecting value")
    assert listing(b'{"cells": [\n', "a.ipynb", error.value.problem).foreign[0].language == "json"
