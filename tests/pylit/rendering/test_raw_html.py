"""Raw HTML as READMEs use it: what is shown of it, by the rules for Markdown, and what is not."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import Write
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.token import Token
from notebooks import HEADER, PIXEL, text_of
from rendering import render, site

from pylit.errors import Report
from pylit.parsing.html_tags import parse_tag
from pylit.parsing.markdown import parse_text
from pylit.parsing.model import ProseLine
from pylit.site.page import render_page
from pylit.site.view import View

PICTURE = '<img src="a.png" alt="{}" width="{}" height="{}" loading="lazy">'
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 4"><path d="M0 0"/></svg>'


def page(write: Write, base: Path, text: str) -> tuple[View, list[str]]:
    write("pkg/a.md", text)
    write("pkg/b.md", "# B\n")
    write("pkg/d.svg", SVG)
    (base / "pkg/a.png").write_bytes(PIXEL)
    view, report = render(base, "pkg/a.md")
    assert view
    return view, [problem.message for problem in report.problems]


def shown(write: Write, base: Path, text: str) -> tuple[str, list[str]]:
    view, problems = page(write, base, f"# T\n\n{text}\n")
    html = "".join(row.prose for row in view.body.rows).partition("</h1>")[2]
    return re.sub(r"\s*\n\s*", "", html), problems


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ('<p align="center">a</p>', '<p style="text-align:center">a</p>'),
        ("<center>a</center>", '<div style="text-align:center">a</div>'),
        ("<div align=justify>a</div>", "<div>a</div>"),
        (
            "a<br>b <kbd>Ctrl</kbd> H<sub>2</sub>O x<sup>2</sup>",
            "<p>a<br>b <kbd>Ctrl</kbd> H<sub>2</sub>O x<sup>2</sup></p>",
        ),
        ('a <span style="color:red">b</span> <font size=2>c</font>', "<p>a b c</p>"),
        ("a <code>b *c*</code>", "<p>a <code>b <em>c</em></code></p>"),
        (
            "<details open><summary>a</summary>b</details>",
            '<details open=""><summary>a</summary>b</details>',
        ),
        (
            '<table><tr><th colspan="2" onclick="x">a</th></tr><tr><td align=right>b</td>'
            "<td rowspan=x>c</td></tr></table>",
            '<table><tbody><tr><th colspan="2">a</th></tr>'
            '<tr><td style="text-align:right">b</td><td>c</td></tr></tbody></table>',
        ),
        ("a <a href='b.md'>c</a>", '<p>a <a href="b.html">c</a></p>'),
        ("<p><a href='https://b.c/'>d</a></p>", '<p><a href="https://b.c/" rel="noopener">d</a></p>'),
        (
            "a <a href='https://b.c/'>d <b>e</b></a>",
            '<p>a <a href="https://b.c/" rel="noopener">d <b>e</b></a></p>',
        ),
        (
            "<p><a href='https://b.c/'>d<a href='b.md'>e</a></p>",
            '<p><a href="https://b.c/" rel="noopener">d</a><a href="b.html">e</a></p>',
        ),
        ("a <img src=a.png alt=b> c", f"<p>a {PICTURE.format('b', 1, 1)} c</p>"),
        ("<img src=a.png alt='b \"c\"'></img>", f"<p>{PICTURE.format('b &#34;c&#34;', 1, 1)}</p>"),
        (
            '<p align=center><img width="300px" src="a.png"/></p>',
            f'<p style="text-align:center">{PICTURE.format("", 300, 300)}</p>',
        ),
        ('<img src="a.png" height=20 width=10>', PICTURE.format("", 10, 20)),
        ('<img src="a.png" height=20>', PICTURE.format("", 20, 20)),
        ('<img width="50%" src="a.png">', PICTURE.format("", 1, 1).replace("<img", '<img style="width:50%"')),
        ("<img src=a.png width=1e9 onerror=x style='y'>", PICTURE.format("", 1, 1)),
        ("<video src=a.mp4 autoplay>No film</video> a", "<p>No film a</p>"),
        (
            "a <Foo> List<int> <T> <source> b",
            "<p>a &lt;Foo&gt; List&lt;int&gt; &lt;T&gt; &lt;source&gt; b</p>",
        ),
        ("a </img> b", "<p>a  b</p>"),
    ],
)
def test_elements_and_attributes(write: Write, tmp_path: Path, text: str, html: str) -> None:
    found, problems = shown(write, tmp_path, text)
    assert found == html and not problems


CODE = '<div class="listing-box"><pre class="listing" tabindex="0" translate="no"><code>x</code></pre></div>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "<table><tr><th>A</th><th>B</th></tr>\n<tr><td align=center>\n\n**a**\n\n```\nx\n```\n\n"
            "</td><td>\n\n* b\n\n</td></tr></table>\n\nc",
            "<table><tbody><tr><th>A</th><th>B</th></tr>"
            f'<tr><td style="text-align:center"><p><strong>a</strong></p>{CODE}</td><td><ul><li>b</li></ul>'
            "</td></tr></tbody></table><p>c</p>",
        ),
        (
            "<table>\n\n<thead><tr><th>\n\n*A*\n\n</th></tr></thead>\n\n<tr>\n<td>\n\na\n\n</td>\n</tr>\n\n<tr><td>b</td></tr>"
            "\n\n</table>\n\nc",
            "<table><thead><tr><th><p><em>A</em></p></th></tr></thead><tbody><tr><td><p>a</p></td></tr>"
            "<tr><td>b</td></tr></tbody></table><p>c</p>",
        ),
        (
            "<table><tr><td>\n\na\n\n<td>\n\nb\n\n<tr><td>\n\nc\n\n</table>",
            "<table><tbody><tr><td><p>a</p></td><td><p>b</p></td></tr><tr><td><p>c</p></td></tr></tbody></table>",
        ),
        (
            "<table><tr><td>\n\n<table><tr><td>\n\na\n\n</td></tr></table>\n\n<details>\n\nb\n\n</details>\n\n"
            "</td></tr></table>",
            "<table><tbody><tr><td><table><tbody><tr><td><p>a</p></td></tr></tbody></table>"
            "<details><p>b</p></details></td></tr></tbody></table>",
        ),
        ("<ul><li>\n\n*a*\n\n</li></ul>", "<ul><li><p><em>a</em></p></li></ul>"),
        ("<td>\n\na\n\n</td>", "<p>a</p>"),
        ("<table><tr><td>\n\na\n\n</td></tr>", "<table><tbody><tr><td></td></tr></tbody></table><p>a</p>"),
    ],
)
def test_markdown_in_tables(write: Write, tmp_path: Path, text: str, html: str) -> None:
    found, problems = shown(write, tmp_path, text)
    assert found == html and not problems


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("| | a |\n|:-:|---|\n| b | c |", '<td style="text-align:center"></td><th>a</th>'),
        ("<table><tr><th colspan=2> <th align=right><th>a</table>", '<td colspan="2"> </td><td style='),
    ],
)
def test_heads_without_content_are_ordinary_cells(write: Write, tmp_path: Path, text: str, html: str) -> None:
    found, problems = shown(write, tmp_path, text)
    assert html in found and "</th></tr>" in found and not problems


def test_text_outside_of_cells(write: Write, tmp_path: Path) -> None:
    html, (problem,) = shown(
        write, tmp_path, "<table><tr><td>\n\na\n\n</td> b <td>\n\nc\n\n</td></tr></table>"
    )
    assert "outside of its cells" in problem and "<p>&lt;/td&gt; b &lt;td&gt;</p>" in html


@pytest.mark.parametrize("around", ["<p>{}</p>", "a {} b"])
def test_pictures_on_other_servers_are_links(write: Write, tmp_path: Path, around: str) -> None:
    html, (problem,) = shown(write, tmp_path, around.format('<img src="https://b.c/d.svg" alt="Build">'))
    assert '<a href="https://b.c/d.svg" rel="noopener">Build</a>' in html and "<img" not in html
    assert "is on another server" in problem
    badge = '<a href="https://b.c/"><img src="https://b.c/d.svg" alt="Build"></a>'
    html, _ = shown(write, tmp_path, around.format(badge))
    assert '<a href="https://b.c/" rel="noopener">Build</a>' in html


@pytest.mark.parametrize("around", ["<p>{}</p>", "a {} b"])
def test_a_picture_on_another_server_is_one_link(write: Write, tmp_path: Path, around: str) -> None:
    """For both themes, and by the name of its file if it has no words."""
    dark = '<source media="(prefers-color-scheme: dark)" srcset="https://b.c/d.png">'
    text = f'<picture>{dark}<img src="https://b.c/a.png?x=1"></picture>'
    html, (_problem,) = shown(write, tmp_path, around.format(text))
    assert html.count("<a ") == 1 and '<a href="https://b.c/a.png?x=1" rel="noopener">a.png</a>' in html


@pytest.mark.parametrize("around", ["<p>{}</p>", "a {} b"])
def test_what_is_missing_is_told_and_costs_itself(write: Write, tmp_path: Path, around: str) -> None:
    html, problems = shown(
        write, tmp_path, around.format('<img src="no.png" alt="A <b>"> <a href="no.py">c</a>')
    )
    assert "A &lt;b&gt;" in html and "<a>c</a>" in html
    assert [problem.split("`")[1] for problem in problems] == ["no.png", "no.py"]


@pytest.mark.parametrize("around", ["{}", "a {} b"])
def test_pictures_for_each_theme(write: Write, tmp_path: Path, around: str) -> None:
    text = (
        '<picture><source media="(prefers-color-scheme: dark)" srcset="d.svg 1x, x.svg 2x">'
        '<source media="(prefers-color-scheme: light)" srcset="a.png"><img alt="b" src="a.png"></picture>'
    )
    html, problems = shown(write, tmp_path, around.format(text))
    assert not problems
    assert f'<span class="light-only">{PICTURE.format("b", 1, 1)}</span><span class="dark-only"><svg' in html
    text = '<picture><source media="(min-width: 9em)" srcset="x.png"><img alt="b" src="a.png"></picture>'
    assert "-only" not in shown(write, tmp_path, around.format(text))[0]


def test_the_width_of_a_drawing(write: Write, tmp_path: Path) -> None:
    html, _ = shown(write, tmp_path, "<img src=d.svg width=400 alt=b>")
    assert 'style="--w:400"' in html and 'aria-label="b"' in html


ANCHORS = """\
<a id="one"></a> Words. <a name="two"></a>

<div id="three">

a

</div>

<h3 id="four">Four</h3>

## Five

<a id="five"></a><a id="one"></a><a id="L3"></a>

[1](#one) [2](#two) [3](#three) [4](#four) [5](#five)
"""


def test_anchors(write: Write, tmp_path: Path) -> None:
    html, problems = shown(write, tmp_path, ANCHORS)
    assert not problems
    ids = re.findall(r' id="([^"]*)"', html)
    assert sorted(ids) == ["five", "four", "one", "three", "two"]  # each once: the heading has its own
    assert [f'href="#{name}"' in html for name in ids] == [True] * 5


def test_anchors_can_be_reached_from_other_pages(write: Write, tmp_path: Path) -> None:
    write("pkg/c.py", '"""\n# C\n\n<a id="here"></a> There.\n"""\n')
    html, problems = shown(write, tmp_path, "[c](c.py#here) [c](c.html#here) [d](c.py#away)")
    assert html.count('<a href="c.html#here">') == 2
    assert problems == ["the anchor of `c.py#away` does not exist"]


def test_an_anchor_before_the_words_of_a_section_does_not_name_it(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\n# T\n"""\n\nx = 1\n# ### <a id="mha"></a> The heads\ny = 1\n')
    view, report = render(tmp_path)
    assert view and not report.problems
    html = str(view.body.rows[1].prose)
    assert 'id="the-heads"' in html and '<a id="mha"></a>' in html
    assert view.body.rows[1].anchor == "module:the-heads"


def test_anchors_in_a_translation_are_where_both_languages_see_them(write: Write, tmp_path: Path) -> None:
    text = '<a id="x"></a> Words <a href="b.md">there</a>.'
    write("pkg/b.md", "# B\n")
    write("pkg/a.md", f"# T\n\n{text}\n")
    msgid = text.replace('"', '\\"')
    msgstr = msgid.replace("Words", "词").replace("there", "那里")
    write("t/zh/pkg/a.po", f'{HEADER}msgid "{msgid}"\nmsgstr "{msgstr}"\n')
    found = site(tmp_path, languages=("en", "zh"), translations=tmp_path / "t")
    report = Report()
    view = render_page(found, found.pages[found.navigation.by_file["pkg/a.md"]], "zh", report)
    assert view and not report.problems
    html = str(view.body.rows[0].prose)
    assert html.count('id="x"') == 1 and html.index('id="x"') < html.index("词")
    assert html.count('href="../zh/b.html"') + html.count('href="b.html"') == 2


@pytest.mark.parametrize(
    ("text", "title", "headings"),
    [
        ("<h1 align='center'>The &amp; title</h1>\n\na\n", "The & title", []),
        ("<div align='center'>\n<img src='a.png'>\n<h1>A<br>B</h1>\n<p>c</p>\n</div>\n\n## D\n", "AB", ["D"]),
        ("<div align='center'>\n\n# A\n\n</div>\n", "A", []),
        ("![logo](a.png)\n\n# A\n", "A", []),
        ("[![build](a.png)](b.md) ![x](a.png)\n\n<!-- c -->\n\nA\n=\n", "A", []),
        ("https://b.c/film.mp4\n\n[docs](b.md)\n\n# A\n", "A", []),
        ("[docs](b.md) first\n\n# A\n", "a", ["A"]),
        ("<h1><img src='a.png' alt='Logo of it'></h1>\n\na\n", "Logo of it", []),
        ("<h1><a href='b.md'>A</a> *b* $c$ <code>d</code></h1>\n", "A *b* $c$ d", []),
        ("Words.\n\n# A\n", "a", ["A"]),
        ("> # A\n", "a", ["A"]),
        ("<h2>B</h2>\n\n# A\n", "a", ["B", "A"]),
        ("<table><tr><td><h1>A</h1></td></tr></table>\n\na\n", "a", []),
        ("# A\n\n<h2 id='x'>B\nC</h2>\n\n<H2>D</H2><h2></h2>\n", "A", ["B C", "D"]),
    ],
)  # fmt: skip
def test_headings_in_html_are_headings_of_the_page(
    write: Write, tmp_path: Path, text: str, title: str, headings: list[str]
) -> None:
    view, problems = page(write, tmp_path, text)
    assert not problems
    assert (view.body.title, [entry.text for entry in view.body.contents]) == (title, headings)
    html = "".join(row.prose for row in view.body.rows)
    assert html.count("<h1") == (title != "a")
    for heading in headings:
        assert re.search(rf"<h[23][^>]*>(?:<a [^>]*></a>)?{heading}</h", html)
    assert (str(view.body.heading) == "a") == (title == "a")


def test_the_line_of_a_problem_in_html(write: Write, tmp_path: Path) -> None:
    write(
        "pkg/a.md",
        "# T\n\n<div>\n<h2>A</h2>\n\n<h2>\nB <img src=no.png>\n</h2>\n<p>\n<a href=no.py>c</a></p>\n",
    )
    _, report = render(tmp_path, "pkg/a.md")
    assert [problem.line for problem in report.errors] == [6, 10]


def test_notebooks(write: Write, tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/a.png").write_bytes(PIXEL)
    text = (
        '# T\n\n<a id="x"></a> See <a href="https://b.c/" onclick="d">it</a>, <kbd class=e>F</kbd> and'
        ' <img src=a.png alt=g width=9>.\n\n<p align=center><img src="https://b.c/d.png" alt="h"></p>\n'
    )
    write("pkg/a.py", f'"""\n{text}"""\n')
    found, report = text_of(site(tmp_path), "pkg/a.py")
    assert [problem.message.split("`")[1] for problem in report.problems] == ["https://b.c/d.png"]
    assert (
        r"See <a href=\"https://b.c/\" rel=\"noopener\">it</a>, <kbd>F</kbd> and <img alt=\"g\" src=\"data:"
        in found
    )
    assert r"width=\"9\">." in found and "onclick" not in found
    assert r"<p style=\"text-align:center\"><a href=\"https://b.c/d.png\">h</a></p>" in found


@pytest.mark.parametrize(
    ("text", "name", "attributes"),
    [
        ("<img src=a alt='b c'/>", "img", {"src": "a", "alt": "b c"}),
        ('<IMG SRC="a>b" src=c disabled>', "img", {"src": "a>b", "disabled": ""}),
        ("<a href=a&amp;b>", "a", {"href": "a&b"}),
        ("<a href='x\ny'>", "a", {"href": "x\ny"}),
        ("</b >", "b", {}),
    ],
)
def test_tags(text: str, name: str, attributes: dict[str, str]) -> None:
    tag = parse_tag(text)
    assert tag and (tag.name, dict(tag.attributes), tag.is_end) == (name, attributes, text.startswith("</"))


@pytest.mark.parametrize("text", ["<!-- a -->", "< a>", "<1>", "a", "<a", "<a> "])
def test_what_is_no_tag(text: str) -> None:
    assert parse_tag(text) is None


VOID = frozenset("br hr img wbr input".split())


class Balance(HTMLParser):
    """Notes tags that do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass  # `<hr />`

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


PIECES = [
    *(
        f"<{slash}{name}>"
        for name in "div p details a b h1 table tr td center img span li".split()
        for slash in ("", "/")
    ),
    *["\n\n", "\n", "a ", "* ", "> ", "<div align=center id=x>", "<a href='b.md' id=y>", "<img src=a.png>"],
    *["<!--", "-->", "# b\n", "`", "<div" * 3, "\ue0000\ue001", '<p title=">', "**"],
    "<picture><source media='prefers-color-scheme: dark' srcset=a>",
]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_any_html_leaves_the_page_balanced(text: str) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "pkg").mkdir()
        (base / "pkg/a.md").write_text(f"# T\n\n{text}\n", "utf-8")
        view, _ = render(base, "pkg/a.md")
        assert view
        html = "".join(row.prose for row in view.body.rows)
    found = Balance()
    found.feed(html)
    assert not found.wrong and not found.open, html
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids))


def test_blocks_that_cannot_be_shown_leave_nothing_open(write: Write, tmp_path: Path) -> None:
    html, (problem,) = shown(
        write, tmp_path, "<div>\n\n" + "<p>" + "<div>" * 60 + "\n\na\n\n</div>\n\n</p></div>\n\nb"
    )
    assert "levels deep" in problem and html.endswith("<p>b</p>")
    found = Balance()
    found.feed(html)
    assert not found.wrong and not found.open


def test_tokens_of_headings_have_the_lines_of_the_file() -> None:
    lines = [
        ProseLine(5 + number, text)
        for number, text in enumerate(["<div>", "<h2>a", "b</h2>", "<p>c</p></div>"])
    ]
    tokens: list[Token] = parse_text(lines)
    assert [(token.type, token.meta["line"]) for token in tokens] == [
        ("html_block", 5),
        ("heading_open", 6),
        ("inline", 6),
        ("heading_close", 6),
        ("html_block", 8),
    ]
