"""Enormous and hostile files take work and memory in proportion to their size, or are refused with their line.

Work is counted, never timed: how many functions are called, Python's and C's, while a page is made.
"""

from __future__ import annotations

import gc
import re
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import SECRET, Write
from counting import work
from sampling import thinned

from pylit.builder.builder import build
from pylit.cache.store import Store
from pylit.errors import PylitError, Report
from pylit.parsing.source import parse_python
from pylit.resolve.collect import collect_facts
from pylit.resolve.uses import find_uses
from pylit.site.discovery import find_pages
from pylit.site.page import render_notebook, render_page
from pylit.site.site import Settings
from pylit.site.templates import document


def page(path: Path) -> tuple[str, Report]:
    """The whole document that is made of one file, empty if there is none."""
    report = Report()
    site = find_pages(Settings(base=path.parent, roots=((path.name, ""),)))
    view = render_page(site, site.pages[0], "en", report)
    return document(view) if view else "", report


def doc(text: str) -> str:
    return f'r"""\n# T\n\n{text}\n"""\nx = 1\n'


GROWING: dict[str, tuple[int, Callable[[int], str]]] = {
    "lines of code": (250, lambda n: "x = 1\n" * n),
    "blank lines": (250, lambda n: "\n" * n),
    "comments beside code": (250, lambda n: "# Say why.\nx = 1\n" * n),
    "one comment of many lines": (250, lambda n: "# word\n" * n + "x = 1\n"),
    "definitions": (50, lambda n: "".join(f"def f{i}(a):\n    return f{i}(a)\n\n\n" for i in range(n))),
    "definitions of one name": (50, lambda n: "def f(a):\n    return a\n\n\n" * n),
    "names on one line": (250, lambda n: "x = [" + ", ".join(f"n{i}" for i in range(n)) + "]\n"),
    "names after letters that are not ASCII": (250, lambda n: "x = ['é', " + "abc, " * n + "]\n"),
    "parameters": (100, lambda n: "def f(" + ", ".join(f"a{i}" for i in range(n)) + "): ...\n"),
    "imports": (100, lambda n: "from a import (" + ", ".join(f"a{i}" for i in range(n)) + ")\n"),
    "statements on one line": (150, lambda n: "x = 1; " * n + "\n"),
    "operators on one line": (250, lambda n: "x = [" + "~1," * n + "]\n"),
    "lines of a string": (250, lambda n: "x = '''" + "a\n" * n + "'''\n"),
    "fields in strings": (100, lambda n: "x = '" + "%s {a.b[c]:>5} {{}}" * n + "'\n"),
    "f-strings on one line": (100, lambda n: "x = [" + 'f"{a!r:>{b}} {c}", ' * n + "]\n"),
    "fields in an f-string": (100, lambda n: "x = f'" + "a {b} " * n + "'\n"),
    "lines of an f-string": (100, lambda n: "x = f'''" + "a {b}\n" * n + "'''\n"),
    "strings like docstrings on one line": (150, lambda n: "x = (" + '"""a"""' * n + ")\n"),
    "names that may be keywords": (100, lambda n: "match(x)\ncase(x)\n" * n),
    "matches": (100, lambda n: "match x:\n    case [a]: y\n" * n),
    "decorators": (100, lambda n: "@a.b\n" * n + "def f(): ...\n"),
    "users of a definition": (
        50,
        lambda n: "def f(): ...\n" + "".join(f"def g{i}():\n    f()\n" for i in range(n)),
    ),
    "lines of a docstring": (250, lambda n: doc("word\n" * n)),
    "paragraphs": (100, lambda n: doc("A paragraph.\n\n" * n)),
    "headings": (50, lambda n: doc("## A heading\n\n" * n)),
    "doctests": (250, lambda n: doc(">>> f(x)\n" * n)),
    "formulas": (50, lambda n: doc("".join(f"Here is $x_{{{i}}}$.\n\n" for i in range(n)))),
    "formulas in one paragraph": (50, lambda n: doc(" ".join(f"$y_{{{i}}}$" for i in range(n)))),
    "wrong formulas": (25, lambda n: doc("".join(f"Here is $x_{{{i}$.\n\n" for i in range(n)))),
    "opening displays": (150, lambda n: doc("$$x\n\n" * n)),
    "opening displays in one paragraph": (150, lambda n: doc("$$x\n" * n)),
    "opening displays and one end": (150, lambda n: doc("$$x\n\n" * n + "x$$\n\n" + "$$x\n\n" * n)),
    "dollars": (250, lambda n: doc("a$ " * n)),
    "opening brackets": (250, lambda n: doc("[" * n)),
    "opening links": (150, lambda n: doc("[a](" * n)),
    "opening emphasis": (150, lambda n: doc("**a *b " * n)),
    "backticks": (150, lambda n: doc("` `` " * n)),
    "angle brackets": (250, lambda n: doc("<a " * n)),
    "raw tags": (100, lambda n: doc("a " + "<kbd>" * n + "</kbd>" * n)),
    "quotes in quotes": (250, lambda n: doc(">" * n + " a")),
    "links": (50, lambda n: doc("[a](https://example.org/) " * n)),
}


@pytest.mark.parametrize("name", thinned(GROWING, 2, 5))
def test_twice_the_input_takes_twice_the_work(name: str, tmp_path: Path) -> None:
    count, make = GROWING[name]
    counted = []
    for factor in (0, 1, 2, 4):  # the first fills what is filled once
        path = tmp_path / f"a{factor}.py"
        path.write_text(make(max(1, factor) * count), "utf-8")
        counted.append(work(lambda path=path: page(path)))  # type: ignore[misc]
    _, one, two, four = counted
    assert four - two <= 2.3 * (two - one) + 2000, counted


REMEMBERED = ("lines of code", "definitions", "paragraphs")


@pytest.mark.slow
@pytest.mark.parametrize("name", thinned(REMEMBERED, 3))
def test_twice_the_input_takes_twice_the_memory(name: str, tmp_path: Path) -> None:
    count, make = GROWING[name]
    peaks: list[int] = []
    for factor in (1, 1, 2, 4):
        path = tmp_path / f"b{len(peaks)}.py"
        path.write_text(make(factor * count), "utf-8")
        gc.collect()
        tracemalloc.start()
        try:
            page(path)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    _, one, two, four = peaks
    assert four - two <= 2.3 * (two - one) + 500_000, peaks


@pytest.mark.slow
@pytest.mark.parametrize("is_known", [False, True])
def test_twice_the_pages_take_twice_the_work(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    """Also where each uses what one of them defines, whether they are made or found in the cache.

    A list of all pages is on each page of a small site only, and not here.
    """
    monkeypatch.setattr("pylit.site.page_links.MANY", 0)
    for clock in (
        "COARSE",
        "FINE",
    ):  # however long it takes, files are as good as just written, and read again
        monkeypatch.setattr(f"pylit.filesystem.signatures.{clock}", 10**18)
    counted = []
    for number, count in enumerate((10, 10, 20, 40)):
        write(f"p{number}/all.py", '"""\n# All\n"""\n\n\ndef f():\n    """Do it."""\n')
        for module in range(count):
            text = f'"""\n# M{module}\n\n$x$ and `f`\n"""\nfrom p{number}.all import f\n\nf()\n'
            write(f"p{number}/m{module}.py", text)
        settings = Settings(base=tmp_path, roots=((f"p{number}", ""),))
        store, out = tmp_path / f"cache{number}", tmp_path / f"out{number}"

        def action(settings: Settings = settings, store: Path = store, out: Path = out) -> None:
            assert not build(find_pages(settings, Store(store, SECRET)), out, jobs=1).problems

        if is_known:
            action()
        counted.append(work(action))
        assert (out / f"m{count - 1}.html").is_file()
    _, one, two, four = counted
    assert four - two <= 2.3 * (two - one) + 2000, counted


HUGE = {
    "50,000 lines": "x = 1\n" * 50_000,
    "50,000 lines of prose": doc("word\n" * 50_000),
    "a line of 100,000 characters": "x = '" + "a" * 100_000 + "'\n",
    "a line of 100,000 characters of code": "x = [" + "abc, " * 20_000 + "]\n",
    "a line of 100,000 letters that are not ASCII": "x = ['" + "残" * 100_000 + "', " + "a, " * 1000 + "]\n",
    "a comment of 100,000 characters": "# " + "a" * 100_000 + "\nx = 1\n",
    "10,000 brackets": "x = [" + "(), " * 10_000 + "]\n",
    "5,000 formulas": doc(" ".join(f"$x_{{{i}}}$" for i in range(5000))),
    "a field of 1,000,000 digits": "x = '%" + "0" * 1_000_000 + "'\n",
    "1,000,000 keys that do not end": "x = '" + "{a[" * 333_333 + "'\n",
    "a listing of 1,000,000 digits": doc("```python\nx = '%" + "0" * 1_000_000 + "'\n```"),
    "words of code of 1,000,000 digits": doc("`'%" + "0" * 1_000_000 + "'`"),
}
"""Some would keep a regular expression that tries all ways to match for longer than anybody would wait."""


@pytest.mark.slow
@pytest.mark.parametrize("name", thinned(HUGE, 3))
def test_huge_files_become_pages(name: str, write: Write, tmp_path: Path) -> None:
    """A build from nothing and one from the cache give the same."""
    text = HUGE[name]
    path = write("pkg/a.py", text)
    found = []
    for attempt in range(2):
        site = find_pages(Settings(base=tmp_path, roots=(("pkg", ""),)), Store(tmp_path / "cache", SECRET))
        assert not build(site, tmp_path / f"out{attempt}", jobs=1).problems
        found.append((tmp_path / f"out{attempt}/a.html").read_text("utf-8"))
    assert found[0] == found[1]
    code = sum(len(section.code) for section in parse_python(text, path.name).sections)
    assert len(re.findall(r'class="l[ "]', found[0])) == code
    assert found[0].count("<math") == text.count("$") // 2


DEEP = {
    "brackets": ("x = " + "(" * 10_000 + ")" * 10_000 + "\n", "too many nested parentheses"),
    "operators": ("x = " + "-" * 10_000 + "1\n", "is nested too deeply for Python's own parser"),
    "sums": ("x = 1" + " + 1" * 10_000 + "\n", "is nested too deeply for Python's own parser"),
    "attributes": ("x = a" + ".b" * 10_000 + "\n", "is nested too deeply for Python's own parser"),
    "calls": ("x = a" + "()" * 10_000 + "\n", "is nested too deeply for Python's own parser"),
    "branches": ("if x: ...\n" + "elif x: ...\n" * 10_000, "is nested too deeply for Python's own parser"),
    "blocks": (
        "".join(" " * i + "if x:\n" for i in range(200)) + " " * 200 + "x\n",
        "too many levels of indent",
    ),
    "numbers": ("x = " + "9" * 5000 + "\n", "Exceeds the limit"),
    "front matter": (
        '"""\n---\ntitle: ' + "[" * 1000 + '\n---\n"""\n',
        "not valid YAML: it is nested too deeply",
    ),
}


@pytest.mark.parametrize("name", DEEP)
def test_what_is_nested_too_deep_is_refused_with_its_line(name: str) -> None:
    text, message = DEEP[name]
    try:
        (problem,) = parse_python(text, "a.py").problems
    except PylitError as error:
        problem = error.problem
    assert re.search(message, str(problem))
    assert problem.file == "a.py" and problem.line > 0 and problem.hint
    assert len(str(problem)) < 400


@pytest.mark.parametrize(
    "text",
    [
        "def f(a=" + "-" * 800 + "1): ...\n",
        "def f(*, a=b" + ".c" * 800 + "): ...\n",
        "class A:\n    def __init__(self, a=1" + "+1" * 800 + "): ...\n",
        "class A(b" + ".c" * 800 + "): ...\n",
        "def f() -> " + "a[" * 80 + "int" + "]" * 80 + ": ...\n",
        "def f(a=0x" + "f" * 10_000 + "): ...\n",
        "def f(a='" + "f" * 10_000 + "', *, b=b'" + "f" * 10_000 + "'): ...\n",
        "def f(a=[" + "1," * 10_000 + "]): ...\n",
        "def f(" + "a" * 10_000 + "): ...\n",
        "def f(a=(1, [-0x" + "f" * 10_000 + "])): ...\n",
    ],
)
def test_deep_expressions_in_signatures_become_pages(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(text, "utf-8")
    html, report = page(path)
    assert html and not report.problems
    source = parse_python(text, "a.py")
    facts = collect_facts(source, "a", find_uses(source, "a"))
    signatures = [info.signature for info in facts.definitions.values()]
    assert all(0 < len(signature) < 600 for signature in signatures)


@pytest.mark.parametrize("depth", [90, 900, 1000, 1500])
@pytest.mark.parametrize("before", ["x = ", "def f(): ...\nx = f(), ", "@(", "def f(a="])
def test_functions_in_functions_become_pages_and_notebooks(
    depth: int, before: str, write: Write, tmp_path: Path
) -> None:
    """Names are looked up in each of them."""
    end = {"@(": ")\nclass A: ...", "def f(a=": "): ..."}.get(before, "")
    write("pkg/a.py", f"{before}{'lambda: ' * depth}y{end}\n")
    site = find_pages(Settings(base=tmp_path, roots=(("pkg", ""),), notebooks=True))
    report = Report()
    assert render_page(site, site.pages[0], "en", report)
    assert render_notebook(site, site.pages[0], "en", report)
    assert not report.problems


@pytest.mark.parametrize(
    "code", ["-" * 3500 + "1", "a" + ".b" * 3500, "lambda: " * 1000 + "1", "(" * 500 + ")" * 500]
)
def test_examples_that_are_nested_too_deep_are_shown_as_they_are(
    code: str, write: Write, tmp_path: Path
) -> None:
    write("pkg/a.py", f'"""\n# T\n\n>>> {code}\n1\n"""\n')
    site = find_pages(Settings(base=tmp_path, roots=(("pkg", ""),), notebooks=True))
    report = Report()
    book = render_notebook(site, site.pages[0], "en", report)
    assert book and code in book and not report.problems


def test_a_name_that_is_too_long_is_refused_with_its_line(tmp_path: Path) -> None:
    """It stands in the address of each line of what it names."""
    path = tmp_path / "a.py"
    path.write_text(f"x = 1\n\n\nclass {'A' * 250}:\n    class {'B' * 249}: ...\n", "utf-8")
    html, report = page(path)
    assert html and not report.problems
    path.write_text(f"x = 1\n\n\nclass {'A' * 250}:\n    class {'B' * 250}: ...\n", "utf-8")
    html, report = page(path)
    (problem,) = report.problems
    assert "A" * 250 in html and problem.line == 5
    assert problem.message == f"the name `{'A' * 200}…` is longer than 500 characters"


def test_lists_in_lists_of_front_matter_do_not_multiply() -> None:
    names = "abcdefghij"
    bomb = ["&a [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"&{b} [" + ", ".join([f"*{a}"] * 10) + "]" for a, b in pairwise(names)]
    (problem,) = parse_python(f'"""\n---\ntitle: [{", ".join(bomb)}]\n---\n"""\n', "a.py").problems
    assert problem.line == 3 and "aliases such as `*name` are not allowed" in problem.message
    assert len(str(problem)) < 400


@pytest.mark.slow
def test_a_file_that_is_refused_takes_no_other_page_down(write: Write, tmp_path: Path) -> None:
    for number, (text, _) in enumerate(DEEP.values()):
        write(f"pkg/bad{number}.py", text)
    write("pkg/good.py", doc("Good."))
    site = find_pages(Settings(base=tmp_path, roots=(("pkg", ""),)))
    report = build(site, tmp_path / "out", jobs=1, keep_going=True)
    assert {problem.file for problem in report.errors} == {f"pkg/bad{n}.py" for n in range(len(DEEP))}
    assert "Good." in (tmp_path / "out/good.html").read_text("utf-8")
