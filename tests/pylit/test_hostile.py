"""Whatever prose, formulas and catalogs say, a page is made whose tags balance and hold only what may stand there."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import polib
import pytest
from conftest import Write
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pylit.catalog import misfits
from pylit.discovery import find_pages
from pylit.document import document
from pylit.errors import PylitError, Report
from pylit.math import FormulaError, typeset
from pylit.prose import blocks, parse_prose
from pylit.site import Settings
from pylit.source import parse_markdown, parse_python
from pylit.view import render_page

FRAGMENTS = [
    "word", "残差", " ", "\n", "\n\n", "# ", "## ", "* ", "1. ", "> ", ">>> f(x)", "    ", "\t", "---", "***", "```",
    "```chart\n", "```table\nrows: x\n", "```glossary\n", "~~~", "`", "``", "$", "$$", "\\", "\\$", "*", "**", "_",
    "~~", "[", "]", "](", ")", "[a](b.py#c)", "[a]: b", "![", "<", ">", "</", "/>", "<b>", "</b>", "<b onclick=x>",
    "<script>", "</script>", "<details>", "</details>", "<summary>", "<div>", "</div>", "<p", "<!--", "-->", "<?", "?>",
    "<![CDATA[", "]]>", "&", "&lt;", "&#0;", "&#x110000;", "|", "|a|b|\n|---|---|\n", "\ue0000\ue001", "\u202e",
    "\u200b",
    "x_1", "\\frac", "{", "}", "\\left(", "\\right)", "\\text{", "\\href{javascript:x}{y}", "^", "%", "\\tiny ",
    "\\begin{array}", "{c}", "\\end{array}", "\\\\", "'", '"', "javascript:x", "data:x", "https://[", "%00", "..", "/",
]  # fmt: skip
PROSE = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)
TEX = st.lists(
    st.sampled_from(
        [
            *"xyab012+-=(){}[]^_'&% ", "\\frac", "\\sqrt", "\\hat", "\\mathbf", "\\text", "\\alpha", "\\sum", "\\left",
            "\\right", "\\big", "\\begin{matrix}", "\\end{matrix}", "\\\\", "\\over", "\\tiny", "\\rm", "\\color{red}",
            "\\not", "\\operatorname", "\\limits", "\\kern1em", "\\rule{1em}{2em}", "\\tag{1}", "<", ">", '"', "$",
            "残",
            "\\mathchoice", "\\char`x", "\\verb|x|", "\\hline", "\\,", "\\phantom", "\\cr", "\\boxed", "\\underbrace",
        ]
    ),
    max_size=12,
).map(" ".join)  # fmt: skip

VOID = {"br", "wbr", "hr", "img", "meta", "link", "path", "input"}
NEVER = {"script", "iframe", "object", "embed", "style", "link", "meta", "base", "form", "input", "template"}


class Balance(HTMLParser):
    """Checks that every tag is closed where it must be, and that none could do any harm."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in NEVER, tag
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            if name in ("href", "src", "action", "data"):
                assert not re.match(r"\s*(javascript|vbscript|data):", value or "", re.IGNORECASE), value
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open and self.open.pop() == tag, tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def check_html(html: str) -> None:
    balance = Balance()
    balance.feed(html)
    balance.close()
    assert balance.open == []


@settings(max_examples=100, deadline=None)
@given(PROSE, PROSE, PROSE, PROSE)
@example("", "", "---", "")
def test_any_prose_in_any_place_becomes_a_page(one: str, two: str, three: str, wrong: str) -> None:
    with TemporaryDirectory() as folder:
        base = Path(folder)
        comment = "".join(f"    # {line}\n" for line in two.split("\n"))
        text = f"'''\nT\n\n{one.replace(chr(39), '')}\n'''\n\n\ndef f():\n{comment}    x = 1\n\n\n# The last.\ny = 2\n"
        try:
            parse_python(text, "a.py")
        except PylitError:  # a lone backslash before the closing quotes, say
            return
        (base / "pkg").mkdir()
        (base / "pkg/a.py").write_text(text, "utf-8")
        (base / "pkg/b.md").write_text(three, "utf-8")
        site = find_pages(
            Settings(base=base, roots=(("pkg", ""),), languages=("en", "zh"), translations=base / "t")
        )
        for page in site.pages:
            try:
                sources = (
                    parse_python(text, page.file)
                    if page.file.endswith(".py")
                    else parse_markdown(three, page.file)
                )
            except PylitError:  # front matter without an end
                report = Report()
                assert render_page(site, page, "en", report) is None
                assert report.problems
                continue
            po = polib.POFile()
            po.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
            for block in {block.text: block for block in blocks(sources)}.values():
                po.append(polib.POEntry(msgid=block.text, msgstr=wrong))
            (base / "t/zh/pkg").mkdir(parents=True, exist_ok=True)
            po.save(str((base / "t/zh" / page.file).with_suffix(".po")))
        for page in site.pages:
            for lang in ("en", "zh"):
                report = Report()
                view = render_page(site, page, lang, report)
                assert all(problem.line >= 0 and problem.message for problem in report.problems)
                if view:
                    for row in view.body.rows:
                        check_html(str(row.prose))
                    html = document(view)
                    assert "The last." in html or not page.file.endswith(".py")
                    assert html == document(render_page(site, page, lang, Report()) or view)


@settings(max_examples=250, deadline=None)
@given(TEX, st.booleans())
def test_any_formula_is_typeset_or_refused(tex: str, display: bool) -> None:
    try:
        html = typeset(tex, display)
    except FormulaError:
        with pytest.raises(FormulaError, match=r"^(?!.*href)."):  # it has its reason, without our marks
            typeset(tex, display)
        return
    check_html(html)
    assert html == typeset.__wrapped__(tex, display)


@settings(max_examples=300, deadline=None)
@given(PROSE, PROSE)
def test_prose_is_parsed_the_same_each_time_and_a_block_fits_itself(one: str, two: str) -> None:
    source = parse_markdown(one, "a.md") if not one.startswith("---") else parse_markdown("x" + one, "a.md")
    found = [(block.text, block.line) for block in blocks(source)]
    assert all(1 <= line <= max(1, len(source.lines)) for _, line in found)
    parse_prose.cache_clear()
    assert found == [(block.text, block.line) for block in blocks(source)]
    assert all("invisible" in reason for text, _ in found for reason in misfits(text, text))


def test_nothing_from_outside_of_the_project_comes_onto_a_page(
    write: Write, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither by way of a path that leads out of it, nor of a link in it that does."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><text>secret</text></svg>')
    (outside / "a.json").write_text('{"x": "secret"}')
    (outside / "a.py").write_text('"""secret"""')
    (outside / "a.md").write_text("secret")
    write(
        "pkg/inside.svg", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>mine</text></svg>'
    )
    for number, place in enumerate((outside, outside / "a.svg", outside / "a.json", outside / "a.py")):
        (tmp_path / f"pkg/link{number}{place.suffix}").symlink_to(place)
    (tmp_path / "pkg/link9.svg").symlink_to("inside.svg")
    pictures = [
        "link0/a.svg",
        "link1.svg",
        f"../../{outside.name}/a.svg",
        str(outside / "a.svg"),
        "/etc/passwd",
    ]
    tables = ["link0/*.json", "link0/a.json", "link2.json", "*.json", f"../../{outside.name}/*.json"]
    prose = "".join(f"![a]({path})\n\n" for path in [*pictures, "link9.svg"])
    prose += "".join(
        f"```table\nrows: '{path}'\ncolumns:\n  - {{head: X, value: x}}\n```\n\n" for path in tables
    )
    write("pkg/a.md", f"# A\n\n{prose}[a](link0/a.md) [b](link3.py)\n")
    site = find_pages(Settings(base=tmp_path, roots=(("pkg", ""),)))
    assert [page.file for page in site.pages] == ["pkg/a.md"]
    report = Report()
    view = render_page(site, site.pages[0], "en", report)
    assert len(report.errors) == len(pictures) + len(tables) + 2
    assert view and "mine" in document(view) and "secret" not in document(view)
