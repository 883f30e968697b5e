"""From a tree of files to a site: addresses, languages, and what is said when something is wrong."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polib
import pytest
from conftest import Write
from rendering import render, site

from pylit.api import open_configuration
from pylit.builder.builder import build
from pylit.errors import PylitError, Report, Severity
from pylit.i18n import entry_id
from pylit.site.discovery import find_pages
from pylit.site.make_settings import site_settings
from pylit.site.page import preview_page, render_page
from pylit.site.site import Settings
from pylit.site.templates import document, documents
from pylit.site.view import contents_page
from pylit.translate.interface import interface_strings
from pylit.translate.update import update, update_pages

MODULE = '"""\n# Title\n\nText with $x$.\n"""\n\nx = 1\n'


def test_addresses(write: Write, tmp_path: Path) -> None:
    for name in (
        "pkg/__init__.py",
        "pkg/b.py",
        "pkg/a/__init__.py",
        "pkg/a/c.py",
        "docs/guide/x.md",
        "docs/index.md",
    ):
        write(name, "")
    for name in ("pkg/.hidden/x.py", "pkg/__pycache__/x.py", "pkg/data.txt"):
        write(name, "")
    found = find_pages(Settings(base=tmp_path, roots=(("pkg", ""), ("docs", "docs"))))
    assert [(page.file, page.url) for page in found.pages] == [
        ("pkg/__init__.py", "index.html"),
        ("pkg/a/__init__.py", "a/index.html"),
        ("pkg/a/c.py", "a/c.html"),
        ("pkg/b.py", "b.html"),
        ("docs/index.md", "docs/index.html"),
        ("docs/guide/x.md", "docs/guide/x.html"),
    ]


def test_reading_order_comes_first(write: Write, tmp_path: Path) -> None:
    for name in ("pkg/a.py", "pkg/b.py", "pkg/c.py"):
        write(name, "")
    assert [page.file for page in site(tmp_path, order=("pkg/c.py",)).pages] == [
        "pkg/c.py",
        "pkg/a.py",
        "pkg/b.py",
    ]
    with pytest.raises(PylitError, match=r"pkg/d\.py: error: is in the reading order, but is not a page"):
        site(tmp_path, order=("pkg/d.py",))


def test_two_files_for_one_page(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", "")
    write("pkg/a.md", "")
    found = site(tmp_path)
    assert {page.file: page.url for page in found.pages} == {"pkg/a.py": "a.html", "pkg/a.md": "a.md.html"}
    (problem,) = found.problems
    assert (problem.file, problem.severity) == ("pkg/a.md", Severity.ERROR)
    assert problem.message == "would be the page `a.html`, as is `pkg/a.py`; its page is `a.md.html`"


@pytest.mark.parametrize(
    ("files", "urls"),
    [
        ("README.md a.py", "index.html a.html"),
        ("readme.md sub/Readme.md", "index.html sub/index.html"),
        ("README.md __init__.py", "README.html index.html"),
        ("README.md index.md", "README.html index.html"),
        ("README.py a.py", "README.html a.html"),
        ("README.md sub/__init__.py", "index.html sub/index.html"),
        ("__init__.py index.py", "index.html index.py.html"),
        ("__init__.py index.py index.md README.md", "index.html index.py.html index.md.html README.html"),
        ("README.md readme.md", "index.html readme.md.html"),
        ("a.py a.md a.md.py", "a.html a.md-2.html a.md.html"),
        ("A.py a.py", "A.html a.py.html"),
    ],
)
def test_every_file_has_an_address(write: Write, tmp_path: Path, files: str, urls: str) -> None:
    for file in files.split():
        write(f"pkg/{file}", "")
    found = {page.file.removeprefix("pkg/"): page.url for page in site(tmp_path).pages}
    assert found == dict(zip(files.split(), urls.split(), strict=True))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            ("pkg/a.py", "pkg/zh/a.py"),
            "would be the page `zh/a.html`, as is `pkg/a.py`; its page is `zh/a.py.html`",
        ),
        (("pkg/404.py",), "would be the page `404.html`, as is pylit's own; its page is `404.py.html`"),
        (("pkg/A.py", "pkg/a.py"), "would be the page `a.html`, as is `pkg/A.py`; its page is `a.py.html`"),
    ],
)
def test_addresses_that_are_taken(write: Write, tmp_path: Path, files: tuple[str, ...], message: str) -> None:
    for file in files:
        write(file, "")
    found = site(tmp_path, languages=("en", "zh"))
    assert [problem.message for problem in found.problems] == [message]
    addresses = [
        found.navigation.address(page, lang).casefold() for page in found.pages for lang in ("en", "zh")
    ]
    assert len(set(addresses)) == len(addresses)


@pytest.mark.parametrize(
    ("languages", "message"),
    [
        (("en", "../x"), "language `../x`: error: is not a valid language code"),
        (("en", "/abs"), "language `/abs`: error: is not a valid language code"),
        (("en", ""), "language ``: error: is not a valid language code"),
        (("en", "en"), "language `en`: error: is listed twice"),
    ],
)
def test_languages_that_are_none(
    write: Write, tmp_path: Path, languages: tuple[str, ...], message: str
) -> None:
    write("pkg/a.py", "")
    with pytest.raises(PylitError, match=message):
        site(tmp_path, languages=languages)


def test_odd_file_names_make_links_that_work(write: Write, tmp_path: Path) -> None:
    for name in ("a#b", "c?d", "e%41", "co:lon", "javascript:alert(1)"):
        write(f"pkg/{name}.py", "")
    view = contents_page(site(tmp_path), "en")
    links = re.findall('href="([^"]*)"', str(view.body.rows[0].prose))
    assert links == [
        "a%23b.html",
        "c%3Fd.html",
        "co%3Alon.html",
        "e%2541.html",
        "javascript%3Aalert%281%29.html",
    ]


def test_root_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(PylitError, match="pkg: error: does not exist"):
        site(tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = (\n", 1, "is not valid Python"),
        ('"""\n---\ntitel: x\n---\n"""\n', 3, "unknown key `titel`"),
        (
            '"""\nText.\n\n$$\\nonsense$$\n"""\n',
            4,
            r"the formula `\nonsense` is not valid: Undefined control sequence",
        ),
        ("# One.\n\n# Two $\\frac$.\nx = 1\n", 3, r"the formula `\frac` is not valid"),
        ('"""\n[x](missing.py)\n"""\n', 2, "the link `missing.py` is broken"),
        ('"""\n[x](a.py#f)\n"""\n', 2, "the anchor of `a.py#f` does not exist"),
        ('"""\n[x](#f)\n"""\n', 2, "the anchor of `#f` does not exist"),
        (
            '"""\n---\nsymbols: {z: f}\n---\n$x$\n"""\ndef f(): ...\n',
            3,
            "the symbol `z` is not used in any formula",
        ),
        (
            '"""\n---\nsymbols: {x: g}\n---\n$x$\n"""\ndef f(): ...\n',
            3,
            "represents `g`, which is not in the code",
        ),
        ('"""\n![x](missing.png)\n"""\n', 2, "the picture `missing.png` does not exist"),
        (
            "def f(): ...\n\n\ndef f(): ...\n",
            4,
            "two definitions have the anchor `f`; the other is in line 1",
        ),
    ],
)
def test_errors_have_file_and_line(write: Write, tmp_path: Path, text: str, line: int, message: str) -> None:
    write("pkg/a.py", text)
    _, report = render(tmp_path)
    (problem,) = report.errors
    assert (problem.file, problem.line) == ("pkg/a.py", line)
    assert message in problem.message


def test_drawing_that_cannot_be_shown(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\nText.\n\n![x](a.svg)\n"""\n')
    write("pkg/a.svg", "<svg/>")
    _, report = render(tmp_path)
    assert str(report.errors[0]).startswith("pkg/a.py:4: error: the picture `a.svg` cannot be shown: ")


def test_definitions_that_share_a_name_on_purpose(write: Write, tmp_path: Path) -> None:
    write(
        "pkg/a.py",
        "class A:\n    @property\n    def x(self): ...\n    @x.setter\n    def x(self, v): ...\n"
        "if A:\n    def f(): ...\nelse:\n    def f(): ...\n",
    )
    view, report = render(tmp_path)
    assert view and not report.problems
    assert [row.anchor for row in view.body.rows] == [
        "A",
        "A.x",
        "A.x-2",
        "module:if-a",
        "f",
        "module:else",
        "f-2",
    ]


def test_catalog_that_does_not_parse(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", MODULE)
    write("t/zh/pkg/a.po", 'msgid "Title"\nmsgstr "标题\n')
    view, report = render(tmp_path, lang="zh", languages=("en", "zh"), translations=tmp_path / "t")
    assert view is not None
    assert str(report.errors[0]).startswith("t/zh/pkg/a.po:2: error: does not parse")


PO = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def zh(write: Write, tmp_path: Path, entries: str) -> tuple[str, Report]:
    write("pkg/a.py", MODULE)
    write("t/zh/pkg/a.po", PO + entries)
    view, report = render(tmp_path, lang="zh", languages=("en", "zh"), translations=tmp_path / "t")
    assert view
    return str(view.body.rows[0].prose), report


def test_translated_block_is_on_the_page_and_its_original_beside_it(write: Write, tmp_path: Path) -> None:
    html, report = zh(write, tmp_path, 'msgid "Title"\nmsgstr "标题"\n')
    original = '<span class="o" lang="en">Title</span>'
    assert f'<h1 id="title"><span class="t">标题</span><!--o-->{original}<!--/o--></h1>' in html
    assert '<p><span class="u" lang="en">Text with ' in html
    assert not report.problems
    options: dict[str, Any] = {"languages": ("en", "zh"), "translations": tmp_path / "t"}
    view, _ = render(tmp_path, lang="zh", **options)
    assert view
    files = documents(view)
    assert list(files) == ["zh/a.html", "zh/a.originals.js"]
    page, script = files.values()
    assert '<h1 id="title"><span class="t">标题</span></h1>' in page and original not in page
    assert script.startswith(f"pylitOriginals = {json.dumps([original])};\n")
    assert re.search(r' data-originals="a\.originals\.js\?[0-9a-f]{8}"', page)
    view, _ = render(tmp_path, **options)
    assert view and list(documents(view)) == ["a.html"]


def test_page_names_the_originals_that_fit_it(write: Write, tmp_path: Path) -> None:
    """What a browser has kept of an older build would stand behind other translations."""

    def address(text: str) -> str:
        write("pkg/a b.py", f'"""\n# {text}\n"""\n')
        write("t/zh/pkg/a b.po", PO + f'msgid "{text}"\nmsgstr "标题"\n')
        options: dict[str, object] = {"languages": ("en", "zh"), "translations": tmp_path / "t"}
        view, _ = render(tmp_path, "pkg/a b.py", "zh", **options)
        assert view
        (found,) = re.findall('data-originals="([^"]*)"', document(view))
        return str(found)

    first, second = address("Title"), address("Another")
    assert first.partition("?")[0] == second.partition("?")[0] == "a%20b.originals.js"
    assert first != second == address("Another")


def test_anchors_of_a_passage_are_those_of_its_translation(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\nSee this.[^n]\n\n[^n]: A note.\n"""\n')
    write("t/zh/pkg/a.po", PO + 'msgid "See this.[^n]"\nmsgstr "见此。[^n]"\n')
    view, _ = render(tmp_path, lang="zh", languages=("en", "zh"), translations=tmp_path / "t")
    assert view
    page, script = documents(view).values()
    (back,) = re.findall(r'<dt[^>]*><a href="#([^"]*-ref)"', page)
    assert f'id="{back}"' in page and f'id="{back}"' not in script


def test_page_that_nobody_has_begun_to_translate_says_so(write: Write, tmp_path: Path) -> None:
    for folder in ("pkg", "pkg/sub"):
        write(f"{folder}/__init__.py", '"""\n# Home\n"""\n')
        write(f"{folder}/a.py", '"""\n# Title\n\nText.\n\n## Part\n\n## `code`\n\n![Alt](a.svg)\n"""\n')
        write(f"{folder}/a.svg", "<svg viewBox='0 0 1 1' xmlns='http://www.w3.org/2000/svg'/>")
    options: dict[str, object] = {"languages": ("en", "ja"), "translations": tmp_path / "t", "title": "T"}
    view, report = render(tmp_path, "pkg/sub/a.py", "ja", **options)
    assert view and not report.problems
    page = document(view)
    assert "このページはまだ翻訳されていません。全 4 箇所" in page
    assert 'name="view"' not in page  # nothing to choose from
    assert '<figure class="picture" tabindex="0" lang="en">' in page
    assert '<li><a href="index.html" lang="en">Home</a></li>' in page
    assert '<li aria-current="page" lang="en">Title</li>' in page
    assert '<a href="#part" lang="en">Part</a>' in page
    assert '<a href="#code">code</a>' in page
    assert re.search(r'<a rel="prev" [^>]*><span>前のページ</span> <span lang="en">Home</span>', page)
    write(
        "t/ja/pkg/sub/a.po",
        PO + 'msgid "Title"\nmsgstr "題"\n\nmsgid "![Alt](a.svg)"\nmsgstr "![図](a.svg)"\n',
    )
    view, _ = render(tmp_path, "pkg/sub/a.py", "ja", **options)
    assert view
    page = document(view)
    assert "全 4 箇所のうち、2 箇所が翻訳済み、0 箇所は訳の更新待ちです。" in page
    assert 'name="view"' in page
    assert '<figure class="picture" tabindex="0">' in page
    assert '<li aria-current="page">題</li>' in page


def test_stale_block_shows_both_with_a_mark(write: Write, tmp_path: Path) -> None:
    html, _ = zh(write, tmp_path, '#, fuzzy\n#| msgid "Tile"\nmsgid "Title"\nmsgstr "标题"\n')
    assert '<span class="t stale">标题 <span class="mark"' in html
    assert f"({entry_id('Title')})" in html
    assert '<span class="o stale" lang="en">Title</span>' in html


def test_broken_translation_shows_english_and_is_reported(write: Write, tmp_path: Path) -> None:
    html, report = zh(write, tmp_path, 'msgid "Text with $x$."\nmsgstr "文字<script>alert(1)</script>"\n')
    assert "文字" not in html
    assert "alert" not in html
    assert [str(problem).split(": ")[0] for problem in report.warnings] == ["t/zh/pkg/a.po:5"]


def test_titles_of_neighbours_are_translated(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", MODULE)
    write("pkg/b.py", '"""\n---\ntitle: Second\n---\n"""\n')
    write("t/zh/pkg/b.po", PO + 'msgid "Second"\nmsgstr "第二页"\n')
    view, _ = render(tmp_path, lang="zh", languages=("en", "zh"), translations=tmp_path / "t")
    assert view and view.next
    assert (view.next.title, view.next.href) == ("第二页", "b.html")
    assert view.previous is None


def test_no_heading_level_is_skipped(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\n# T\n\n### A\n\n##### B\n\n# C\n"""\n')
    view, _ = render(tmp_path)
    assert view
    assert re.findall(r"<h(\d)", str(view.body.rows[0].prose)) == ["1", "2", "3", "2"]


def test_page_without_a_heading_gets_its_file_name(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", "x = 1\n")
    view, _ = render(tmp_path)
    assert view
    assert view.body.title == view.body.heading == "a"


@pytest.mark.parametrize(
    ("prose", "html"),
    [
        ("a <b>c</b> d", "a <b>c</b> d"),
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("a <script>alert(1)</script>", "a &lt;script&gt;alert(1)&lt;/script&gt;"),
        ('a <b onclick="x()">c</b>', "a <b>c</b>"),
        ("a <b>unclosed", "a &lt;b&gt;unclosed"),
        ("stray</b> x", "stray&lt;/b&gt; x"),
        ("a <Foo> b", "a &lt;Foo&gt; b"),
        ("<div onclick='x()'>c</div>", "<div>c</div>"),
        ('a <a href="javascript:alert(1)" onclick=x>b</a> c', "a <a>b</a> c"),
        ("a <img src=x onerror=alert(1) alt=b> c", "a b c"),
        ("<img src=x onerror=alert(1) alt=b>", "b"),
        ('<a id="b" onclick="x" style="color:red">c</a>', '<a id="b"></a><a>c</a>'),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("`<b>`", "&lt;b&gt;"),
    ],
)
def test_html_in_prose(write: Write, tmp_path: Path, prose: str, html: str) -> None:
    write("pkg/a.py", f'r"""\nText.\n\n{prose}\n"""\n')
    view, _ = render(tmp_path)
    assert view
    page = document(view)
    assert html in page
    assert "<script>alert" not in page
    assert not re.search(r"<[^>&]* on\w+=", page)


def test_every_line_is_on_the_page_once(write: Write, tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "pylit" / "parsing" / "sections.py").read_text("utf-8")
    write("pkg/a.py", text)
    view, report = render(tmp_path)
    assert view and not report.problems
    shown = [line.number for row in view.body.rows for line in row.code]
    assert len(shown) == len(set(shown))
    prose = {n for s in site(tmp_path).sources.source("pkg/a.py").sections for n in s.prose}
    assert sorted({*shown, *prose}) == list(range(1, len(text.splitlines()) + 1))


class Words(HTMLParser):
    """Collects what a page says outside of code, formulas and originals; a translated block as one piece."""

    VOID = frozenset("meta link br img input hr wbr".split())

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.code: list[str] = []
        self.tags: list[str] = []
        self.silent = [False]
        self.in_block = [False]
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attributes}
        classes = set(has.get("class", "").split())
        silent = (
            self.silent[-1]
            or tag in ("code", "pre", "kbd", "math", "script")
            or ("svg" in self.tags and "chart" not in self.tags and tag == "text")  # names of layers
            or (tag == "tspan" and "chart" in self.tags)  # lines of a name, which is in the table as a whole
            or has.get("lang", "xx") != "xx"
            or has.get("translate") == "no"  # papers
            or bool({"katex-html", "recorded", "terms"} & classes)  # words that were recorded, and terms
        )
        if not silent:
            if tag == "a" and "title" in has:  # a name or signature, and below it what that is
                has["title"] = has["title"].partition("\n")[2]
            self.found[:0] = [has[name] for name in ("title", "aria-label", "alt", "summary") if name in has]
            if tag == "meta" and has.get("name") in ("description", "twitter:title"):
                self.found.append(has["content"])
        starts = "t" in classes and not silent
        if starts:
            self.found.append("")
        if tag == "code":
            self.code.append("")
        if tag not in self.VOID:
            self.tags.append("chart" if "chart" in classes else tag)
            self.silent.append(silent)
            self.in_block.append(self.in_block[-1] or starts)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            self.tags.pop()
            self.silent.pop()
            self.in_block.pop()

    def handle_data(self, data: str) -> None:
        if "code" in self.tags:
            self.code[-1] += data
        if not self.silent[-1]:
            if not self.in_block[-1]:
                self.found.append("")
            self.found[-1] += data


@pytest.mark.slow
@pytest.mark.process
def test_fake_language_proves_that_whole_pages_go_through_the_catalog(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bars, buttons, tooltips, descriptions and all."""
    settings = replace(
        site_settings(open_configuration(root / "pyproject.toml")),
        languages=("en", "xx"),
        translations=tmp_path / "t",
    )
    pages = find_pages(settings)
    monkeypatch.setattr("pylit.i18n.ui_strings.LOCALE", tmp_path / "locale")
    update(tmp_path / "locale/xx.po", "xx", interface_strings())
    update_pages(pages, "xx", pages.pages)
    for path in tmp_path.rglob("*.po"):
        catalog = polib.pofile(str(path))
        for entry in catalog:
            text = entry.msgid
            is_picture = text.startswith("![")  # with its title
            entry.msgstr = text.replace("![", "![⟦").replace(' "', ' "⟦') if is_picture else f"⟦{text}⟧"
        catalog.save()
    for page in pages.pages:
        report = Report()
        view = render_page(pages, page, "xx", report)
        assert view and not report.problems
        words = Words(document(view))
        said = [piece for piece in words.found if piece not in ("xx", *words.code)]  # xx is its own name
        assert len(said) > 20
        for piece in said:
            assert not any(map(str.isalpha, piece)) or "⟦" in piece or "⟧" in piece, (page.file, piece)


def test_preview_shows_what_is_wrong(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", "x = (\n")
    write("pkg/b.py", '"""\n$\\nonsense$\n"""\n')
    found, report = site(tmp_path), Report()
    broken, wrong = (document(preview_page(found, page, "en", report)) for page in found.pages)
    assert "pkg/a.py:1: error: is not valid Python" in broken
    assert "pkg/b.py:2: error: the formula `\\nonsense` is not valid" in wrong
    assert len(report.errors) == 2


def test_symbols_are_tied_to_the_code_they_stand_for(write: Write, tmp_path: Path) -> None:
    symbols = "symbols:\n  W_s: A.conv\n  \\mathcal F: f"
    write(
        "pkg/a.py",
        f'r"""\n---\n{symbols}\n---\n$W_s \\mathcal{{F}}$\n"""\nclass A:\n    conv = 1\ndef f(): ...\n',
    )
    view, report = render(tmp_path)
    assert view and not report.problems
    tied = view.body.symbols
    assert set(tied) == {"W_s", r"\mathcal{F}"}
    code = "".join(str(line.html) for row in view.body.rows for line in row.code)
    assert f'<span data-n="{tied["W_s"]}">conv</span>' in code
    assert f'<span class="nf" data-n="{tied[chr(92) + "mathcal{F}"]}">f</span>' in code


def test_index_page_lists_the_pages_below_it_that_it_does_not_link_to(write: Write, tmp_path: Path) -> None:
    write("pkg/__init__.py", '"""\n[a](a.py)\n"""\n')
    for name in ("a", "b", "sub/__init__", "sub/c"):
        write(f"pkg/{name}.py", "")
    view, _ = render(tmp_path, "pkg/__init__.py")
    assert view
    assert [link.href for link in view.below] == ["b.html", "sub/index.html"]


def test_contents_page_for_a_tree_without_an_index(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", MODULE)
    build(site(tmp_path), tmp_path / "out")
    assert '<li><a href="a.html">Title</a></li>' in (tmp_path / "out/index.html").read_text("utf-8")
