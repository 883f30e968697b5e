"""Whatever prose, formulas and catalogs say, a page is made whose tags balance and hold only what may stand there."""

from __future__ import annotations

import os
import re
import shutil
import socket
from contextlib import chdir
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import polib
import pytest
from conftest import Write
from hypothesis import example, given
from hypothesis import strategies as st
from sampling import examples, thinned

from pylit.builder.builder import build
from pylit.errors import PylitError, Report
from pylit.filesystem.reading import LARGEST
from pylit.i18n.blocks import blocks
from pylit.i18n.catalog import misfits
from pylit.parsing.source import parse_markdown, parse_python
from pylit.site.discovery import find_pages
from pylit.site.page import render_page
from pylit.site.site import Settings, Site
from pylit.site.templates import document, documents, extra_file
from pylit.tex.typeset import FormulaError, Typesetter
from pylit.translate.update import update_pages

typeset_formula = Typesetter().typeset

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
        assert data in ("o", "/o"), "a comment that is not around an original"


def check_html(html: str) -> None:
    balance = Balance()
    balance.feed(html)
    balance.close()
    assert balance.open == []


@pytest.mark.slow
@examples(100)
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
                    made = documents(view)  # an original is in the file beside its page
                    assert "The last." in "".join(made.values()) or not page.file.endswith(".py")
                    assert made == documents(render_page(site, page, lang, Report()) or view)


@examples(250)
@given(TEX, st.booleans())
def test_any_formula_is_typeset_or_refused(tex: str, display: bool) -> None:
    try:
        html = typeset_formula(tex, display)
    except FormulaError:
        with pytest.raises(FormulaError, match=r"^(?!.*href)."):  # it has its reason, without our marks
            typeset_formula(tex, display)
        return
    check_html(html)
    assert html == typeset_formula.__wrapped__(tex, display)


@examples(300)
@given(PROSE, PROSE)
def test_prose_is_parsed_the_same_each_time_and_a_block_fits_itself(one: str, two: str) -> None:
    text = "x" + one if one.startswith("---") else one
    source = parse_markdown(text, "a.md")
    found = [(block.text, block.line) for block in blocks(source)]
    assert all(1 <= line <= max(1, len(source.lines)) for _, line in found)
    assert found == [(block.text, block.line) for block in blocks(parse_markdown(text, "a.md"))]
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


SECRET = "this line is a secret"
PLACES = {
    "a catalog": "t/zh/pkg/a.po",
    "a glossary": "t/zh/glossary.yml",
    "a trace": "traces/pkg/b.json",
    "a record": "pkg/record.json",
    "a picture": "pkg/picture.gif",
    "a drawing": "pkg/drawing.svg",
    "a template": "theme/main.html",
}


def linked(write: Write, tmp_path: Path) -> Site:
    """A site that has all these files."""
    write("base/pkg/good.md", "# Good\n")
    write(
        "base/pkg/a.md",
        "# A\n\nWords.\n\n![p](picture.gif)\n\n![d](drawing.svg)\n\n"
        "```table\nrows: record.json\ncolumns:\n  - {head: H, value: x}\n```\n\n```glossary\n```\n",
    )
    write("base/pkg/b.py", "x = 1\n")
    write("base/t/zh/pkg/good.po", 'msgid "Good"\nmsgstr "x"\n')
    write("base/theme/x.html", "")
    base = tmp_path / "base"
    for name in PLACES.values():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        base=base,
        roots=(("pkg", ""),),
        languages=("en", "zh"),
        translations=base / "t",
        traces=base / "traces",
        theme=base / "theme",
    )
    return find_pages(settings)


def make(kind: str, path: Path, outside: Path) -> None:
    """Put something that is not to be read where a file is expected."""
    match kind:
        case "link":
            path.symlink_to(outside)
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "socket":
            with socket.socket(socket.AF_UNIX) as one, chdir(path.parent):
                one.bind(path.name)
        case "folder":
            path.mkdir()
        case "nothing":
            path.symlink_to("nowhere")
        case "loop":
            path.symlink_to(path.name)
        case _:
            with path.open("wb") as file:
                file.truncate(LARGEST + 1)


@pytest.mark.parametrize(
    "kind", thinned(["link", "pipe", "device", "socket", "folder", "nothing", "loop", "huge"], quick=4)
)
def test_only_regular_files_of_the_project_are_read(write: Write, tmp_path: Path, kind: str) -> None:
    """Nothing of what is outside is on a page or in a message, and nothing waits for a pipe."""
    site, outside = linked(write, tmp_path), write("outside", f"{SECRET}\nmsgid {SECRET}\n")
    for name in PLACES.values():
        if name.startswith("theme/"):
            continue
        make(kind, tmp_path / "base" / name, outside)
    site = find_pages(site.settings)
    report = build(site, tmp_path / "out", jobs=1, keep_going=True)
    told = "\n".join(map(str, report.problems))
    assert SECRET not in told
    assert not [problem for problem in report.problems if problem.traceback]
    assert {"t/zh/pkg/a.po", "pkg/a.md"} <= {problem.file for problem in report.problems}
    assert kind == "nothing" or "traces/pkg/b.json" in {problem.file for problem in report.problems}
    out = tmp_path / "out"
    pages = {path.relative_to(out).as_posix(): path.read_text("utf-8") for path in out.rglob("*.html")}
    assert "Good" in pages["good.html"] and not [name for name, html in pages.items() if SECRET in html]
    for lang in ("zh",):
        with pytest.raises(PylitError, match=r"t/zh/pkg/a\.po"):
            update_pages(site, lang, site.pages)


@pytest.mark.parametrize("kind", ["link", "pipe", "device", "folder"])
def test_templates_are_files_of_their_folder(write: Write, tmp_path: Path, kind: str) -> None:
    site = linked(write, tmp_path)
    make(kind, tmp_path / "base/theme/main.html", write("outside", SECRET))
    report = build(site, tmp_path / "out", jobs=1)
    assert not (tmp_path / "out/good.html").exists()
    told = [str(problem) for problem in report.errors if problem.file.endswith("main.html")]
    assert told and all("main.html: error: cannot be read" in text and SECRET not in text for text in told)


def test_template_that_is_not_valid(write: Write, tmp_path: Path) -> None:
    site = linked(write, tmp_path)
    write("base/theme/main.html", "\n{% if %}\n")
    report = build(site, tmp_path / "out", jobs=1)
    assert "main.html:2: error: the template is not valid: " in "".join(map(str, report.errors))


def test_folders_of_a_language_do_not_lead_away(write: Write, tmp_path: Path) -> None:
    site = linked(write, tmp_path)
    write("outside/pkg/good.po", f"{SECRET}\n")
    shutil.rmtree(tmp_path / "base/t/zh")
    (tmp_path / "base/t/zh").symlink_to(tmp_path / "outside")
    report = build(site, tmp_path / "out", jobs=1, keep_going=True)
    assert any(
        str(p).startswith("t/zh/pkg/good.po: error: cannot be read: it leads out") for p in report.errors
    )
    assert SECRET not in "".join(map(str, report.problems))
    with pytest.raises(PylitError, match="out of the project"):
        update_pages(site, "zh", site.pages[:1])
    assert [path.name for path in (tmp_path / "outside/pkg").iterdir()] == ["good.po"]


def test_folders_that_the_user_names_may_lie_elsewhere(write: Write, tmp_path: Path) -> None:
    write(
        "elsewhere/zh/pkg/good.po",
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Good"\nmsgstr "好"\n',
    )
    site = linked(write, tmp_path)
    site = find_pages(replace(site.settings, translations=tmp_path / "elsewhere"))
    build(site, tmp_path / "out", jobs=1, keep_going=True)
    assert "好" in (tmp_path / "out/zh/good.html").read_text("utf-8")


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ sitemap.append(1) }}",
        "{{ self.__init__.__globals__ }}",
        "{% set _ = lang.__init__.__globals__ %}",
    ],
)
def test_templates_of_a_project_run_no_code(write: Write, tmp_path: Path, template: str) -> None:
    """A configuration comes with its project and is found by itself, and may name a folder of templates."""
    write("pkg/a.py", "")
    write("theme/sitemap.xml", template)
    site = find_pages(Settings(base=tmp_path, roots=(("pkg", ""),), theme=tmp_path / "theme"))
    with pytest.raises(PylitError, match=r"sitemap\.xml:1: error: the template is not valid: .* is unsafe"):
        extra_file(site, "sitemap.xml")
