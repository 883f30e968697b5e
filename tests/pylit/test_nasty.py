"""One bad value costs its own page at most: each of many is put into each place that takes one."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from conftest import Write
from sampling import thinned

from pylit.builder.builder import build
from pylit.errors import PylitError, Report
from pylit.site.discovery import find_pages
from pylit.site.page import render_page
from pylit.site.settings import Settings
from pylit.site.site import Site
from pylit.site.templates import document, extra_file

LONG = 300
NASTY = [
    "\0", "a\0b", "\x1b[2J", "\r", "a\rb", "\n", "\u2028", "\x85", "\ufeff", "\uffff", "\ue0000\ue001", "\u202e",
    "%00", "a%00b", "%ff", "%ed%a0%80", "%zz", "..", "/", "//", "\\", "\\UFFFFFFFF", "\\uD800", "\\x00", "&#xD800;",
    "&#x110000;", "http://[", "https://[::1", "http://a:99999", "**x.json", "***", "*" * 60, "[", "{", "1e999",
    "-1e999", "nan", "Infinity", "1e-320", "9" * 5000, "0 0 1.2.3 9", "x" * LONG, "/".join("x" * 60), "null", "[]",
    "[[[[]]]]", "2020-99-99", "&a [*a]", "*a", "<<: *x", "%YAML 9.9", "---", "? [a]", ": :", '"', "'", "`", "$",
    "<", "]]>", "<!DOCTYPE x>", "{{ x }}", "%(x)s", "{0}", "nplurals=3000000000", "__import__('os')", "-1", "",
]  # fmt: skip
"""Values that something takes for what it is not."""


def quoted(value: str) -> str:
    """As gettext and JSON write text."""
    return json.dumps(value, ensure_ascii=False)


HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
CHART = "caption: C\nx: X\ny: Y\nlines:\n  - {label: L, data: DATA, x: x, y: y}\n"
TABLE = "rows: ROWS\ncolumns:\n  - {head: H, value: VALUE, format: FORMAT}\n"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="BOX">'
SVG += '<path d="M0 0" fill="FILL" id="ID"/><text>TEXT</text></svg>'


def places(base: Path, value: str) -> None:
    """A site in which `value` is everywhere, in each place once, each on a page of its own."""
    line = value.replace("\n", " ")

    def write(file: str, text: str) -> None:
        path = base / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))

    def page(name: str, text: str) -> None:
        write(f"pkg/{name}.md", f"# Page {name}\n\n{text}\n")

    page("good", "Good.")
    page("prose", value)
    page("link", f"[a]({line})")
    page("pointed", f"[a](<{line}>)")
    page("anchor", f"[a](good.md#{line})")
    page("autolink", f"<{line}>")
    page("picture", f"![a]({line})")
    page("formula", f"${line}$")
    page("listing", f"```{line}\n{value}\n```")
    page("cell", f"| a |\n|---|\n| {line} |")
    page("entity", f"&{line};")
    write("pkg/title.md", f"---\ntitle: {value}\n---\nx\n")
    write("pkg/quoted.md", f'---\ntitle: "{value}"\n---\nx\n')
    write("pkg/symbols.md", f"---\nsymbols: {{{value}: {value}}}\n---\nx\n")
    write("pkg/module.py", f'"""\n# Module\n\n{line}\n"""\n\n# {line}\nx = {line!r}\n')
    write("pkg/cookie.py", f'# coding: {line}\n"""\n# Cookie\n"""\n')
    page("caption", f"```chart\n{CHART.replace('DATA', 'd.json').replace('C', value, 1)}```")
    page("data", f"```chart\n{CHART.replace('DATA', quoted(value))}```")
    page(
        "rows",
        f"```table\n{TABLE.replace('ROWS', quoted(value)).replace('VALUE', 'x').replace('FORMAT', 'text')}```",
    )
    page(
        "value",
        f"```table\n{TABLE.replace('ROWS', 'd.json').replace('VALUE', quoted(value)).replace('FORMAT', 'text')}```",
    )
    page(
        "format",
        f"```table\n{TABLE.replace('ROWS', 'd.json').replace('VALUE', 'x').replace('FORMAT', quoted(value))}```",
    )
    page("glossary", f"```glossary\n{line}\n```")
    write("pkg/d.json", '{"x": [1, 2], "y": [1, 2]}')
    for name, text in {"raw": value, "text": quoted(value)}.items():
        write(f"pkg/{name}.json", f'{{"x": [1, {text}], "y": [1, {text}]}}')
        page(f"{name}-record", f"```chart\n{CHART.replace('DATA', f'{name}.json')}```")
        shown = TABLE.replace("ROWS", f"{name}.json").replace("VALUE", "x").replace("FORMAT", "text")
        page(f"{name}-shown", f"```table\n{shown}```")
    for name, old in {"box": "BOX", "fill": "FILL", "id": "ID", "words": "TEXT"}.items():
        text = SVG.replace(old, value).replace("BOX", "0 0 9 9").replace("FILL", "red").replace("ID", "i")
        write(f"pkg/{name}.svg", text)
        page(f"drawing-{name}", f"![a]({name}.svg)")
    for name in ("string", "entry", "header", "plural", "previous"):
        page(name, "Words.")
    write("t/zh/pkg/string.po", HEADER + f'msgid "Words."\nmsgstr {quoted(value)}\n')
    write("t/zh/pkg/entry.po", HEADER + f"msgid {value}\nmsgstr {value}\n")
    write(
        "t/zh/pkg/header.po",
        f'msgid ""\nmsgstr {quoted(f"Language: {value}")}\n\nmsgid "Words."\nmsgstr "x"\n',
    )
    write(
        "t/zh/pkg/plural.po",
        f'msgid ""\nmsgstr {quoted(f"Plural-Forms: {value};")}\n\nmsgid "Words."\nmsgstr "x"\n',
    )
    previous = f'#, fuzzy\n#| msgid {quoted(value)}\nmsgid "Words."\nmsgstr {quoted(value)}\n'
    write("t/zh/pkg/previous.po", HEADER + previous)
    write("t/zh/glossary.yml", f"- {{term: {value}, use: [{value}]}}\n")
    write("pkg/traced.py", '"""\n# Traced\n"""\n\nx = 1\n')
    write(
        "traces/pkg/traced.json",
        f'{{"lines": [{{"in": {value}, "line": {value}, "code": "x = 1", "tensors": {{}}}}]}}',
    )


def site_of(base: Path) -> Site:
    settings = Settings(
        base=base,
        roots=(("pkg", ""),),
        languages=("en", "zh"),
        translations=base / "t",
        traces=base / "traces",
        notebooks=True,
    )
    return find_pages(settings)


TEXTS = (
    "title",
    "repository",
    "branch",
    "site_url",
    "katex_css",
    "katex_integrity",
    "requirement",
    "translating",
)


@pytest.mark.parametrize("setting", TEXTS)
def test_a_bad_setting_is_named_or_harmless(write: Write, tmp_path: Path, setting: str) -> None:
    write("pkg/good.md", "# Good\n\n[code](d.json)\n")
    write("pkg/d.json", "{}")
    refused: list[str] = []
    for value in [*NASTY[:36], "\ud800", "http://a:b"]:
        report = Report()
        try:
            site = find_pages(Settings(base=tmp_path, roots=(("pkg", ""),), **{setting: value}))  # type: ignore[arg-type]
        except PylitError as error:
            refused.append(str(error))
            continue
        view = render_page(site, site.pages[0], "en", report)
        assert view and document(view).encode()
        assert extra_file(site, "404.html").encode() and extra_file(site, "sitemap.xml").encode()
    assert len(refused) >= 5
    assert all(setting in told or "is the value of `translating`" in told for told in refused)


def test_roots_lie_in_the_project(write: Write, tmp_path: Path) -> None:
    write("outside/a.md", "# Outside\n")
    write("tree/pkg/a.md", "# Inside\n")
    for root in ("../outside", str(tmp_path / "outside"), "pkg/../../outside"):
        with pytest.raises(PylitError, match="is outside the project"):
            find_pages(Settings(base=tmp_path / "tree", roots=((root, ""),)))


@pytest.mark.slow
@pytest.mark.parametrize("start", thinned(range(0, len(NASTY), 17), 4))
def test_a_bad_value_costs_its_own_page_at_most(tmp_path: Path, start: int) -> None:
    for number, value in enumerate(NASTY[start : start + 17]):
        base = tmp_path / str(number)
        places(base, value)
        report = build(site_of(base), base / "out", jobs=1, keep_going=True)
        for problem in report.problems:
            assert not problem.traceback, f"{value!r}: {problem}\n{problem.traceback}"
            assert (base / problem.file).exists(), f"{value!r}: {problem}"
            is_whole = problem.file.endswith((".json", ".yml")) or "the shapes of" in problem.message
            assert problem.line or is_whole, f"{value!r}: {problem}"
        assert "Good." in (base / "out/good.html").read_text("utf-8"), value
        assert "Good." in (base / "out/zh/good.html").read_text("utf-8"), value
        wrong = {problem.file for problem in report.errors}
        assert "pkg/good.md" not in wrong
        for page in (base / "out").rglob("*.html"):
            assert not re.search("[\0\ud800-\udfff]", page.read_text("utf-8", "surrogatepass")), (value, page)


NAMES = [b"\xff.py", b"a\nb.md", b"a\x1bb.py", b"a\tb.md", b"x" * 250 + b".md", b"\xc3\x28.md"]


def test_names_that_no_address_can_have(write: Write, tmp_path: Path) -> None:
    write("pkg/good.md", "# Good\n")
    for name in NAMES:
        (tmp_path / "pkg" / os.fsdecode(name)).write_text("# Bad\n")
    report = build(
        find_pages(Settings(base=tmp_path, roots=(("pkg", ""),))), tmp_path / "out", keep_going=True
    )
    assert len(report.errors) == len(NAMES)
    assert {problem.message.partition(":")[0] for problem in report.errors} == {"cannot become a page"}
    assert all(str(problem).isprintable() or "\n    Rename it." in str(problem) for problem in report.errors)
    assert sorted(path.name for path in (tmp_path / "out").glob("*.html")) == [
        "404.html",
        "good.html",
        "index.html",
    ]
