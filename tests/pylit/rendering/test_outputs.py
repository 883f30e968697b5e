"""What notebooks have printed stands below their code, what is not for readers is folded, and nothing of it runs."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Write
from notebooks import PIXEL
from rendering import render, site

from pylit.defaults import Conventions
from pylit.errors import Problem, Report, Severity
from pylit.i18n.catalog import Catalog
from pylit.parsing.listing import listing
from pylit.rendering.context import Context
from pylit.rendering.page_body import render_body
from pylit.resolve.definitions import ModuleName
from pylit.site.templates import document
from pylit.site.workbench import ParsedModule


def page(base: Path, file: str, **options: object) -> tuple[str, Report]:
    view, report = render(base, file, "en", **options)
    assert view is not None
    return document(view), report


def notebook(write: Write, *outputs: dict[str, Any]) -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": "x = 1", "outputs": list(outputs)}
    write("pkg/a.ipynb", json.dumps({"cells": [cell], "metadata": {}}))


def shown(kind: str, data: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {kind: data}, "metadata": {}}


def output(html: str) -> str:
    """What stands after the code."""
    return html.partition("</pre>")[2].partition("</section>")[0]


def test_texts(write: Write, tmp_path: Path) -> None:
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["<b>"]}
    notebook(write, shown("text/plain", "<script>alert(1)</script>"), error)
    html = output(page(tmp_path, "pkg/a.ipynb")[0])
    assert "<code>&lt;script&gt;alert(1)&lt;/script&gt;</code>" in html
    assert (
        '<div class="listing-box output failed"><pre class="listing" tabindex="0" translate="no"><code>&lt;b&gt;'
        in html
    )


def test_attached_pictures(write: Write, tmp_path: Path) -> None:
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 2"><path d="M0 0"/></svg>'
    png = base64.b64encode(PIXEL).decode()
    files = {
        "a b.png": {"image/png": png},
        "c.svg": {"image/svg+xml": drawing},
        "d": {"image/png": base64.b64encode(b"<script>").decode()},
        "e.svg": {"image/svg+xml": "<svg><script>1</script></svg>"},
        "f.png": {"image/png": png + "A" * 700_000},
    }
    text = (
        "![A](attachment:a%20b.png)\n\n![C](attachment:c.svg)\n\n![D](attachment:d)\n\n![E](attachment:e.svg)\n\n"
        "![F](attachment:f.png)\n\n![G](attachment:g.png)\n\n<img src='attachment:a b.png' width='9'>\n\n"
        "[H](attachment:a.pdf)"
    )
    cell = {"cell_type": "markdown", "metadata": {}, "source": text, "attachments": files}
    write("pkg/a.ipynb", json.dumps({"cells": [cell], "metadata": {}}))
    html, report = page(tmp_path, "pkg/a.ipynb")
    picture = f'<img src="data:image/png;base64,{png}" alt="A" width="1" height="1" loading="lazy">'
    assert picture in html
    assert '<path d="M0 0" /></svg>' in html and html.count("<img") == 2
    assert f'<img src="data:image/png;base64,{png}" alt="" width="9" height="9"' in html
    assert (
        "attachment:" not in html.partition("<main")[2].partition("</main")[0]
        and ">D<" in html
        and ">G<" in html
    )
    assert [problem.message.partition("`")[2].partition("`")[0] for problem in report.problems] == [
        "attachment:d",
        "attachment:e.svg",
        "attachment:f.png",
        "attachment:g.png",
        "attachment:a.pdf",
    ]


def test_pictures(write: Write, tmp_path: Path) -> None:
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 2"><path d="M0 0"/></svg>'
    png = base64.b64encode(PIXEL).decode()
    notebook(write, shown("image/png", png), shown("image/svg+xml", drawing))
    html, report = page(tmp_path, "pkg/a.ipynb")
    assert f'<img src="data:image/png;base64,{png}" alt="Output" width="1" height="1" loading="lazy">' in html
    assert '<path d="M0 0"' in output(html)
    assert report.problems == {}


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        (
            "image/png",
            base64.b64encode(b"GIF89a").decode(),
            "the picture is not in the format that `.png` indicates",
        ),
        ("image/png", base64.b64encode(PIXEL[:20]).decode(), "the picture is damaged"),
        ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" onload="f()"/>', "the drawing has onload"),
        ("image/svg+xml", "<svg", "the drawing is not valid XML"),
    ],
)
def test_pictures_that_break_the_rules_are_left_out(
    kind: str, data: str, reason: str, write: Write, tmp_path: Path
) -> None:
    notebook(write, shown(kind, data))
    html, report = page(tmp_path, "pkg/a.ipynb")
    (problem,) = report.notes
    assert problem.message.startswith(f"a picture in the outputs cannot be shown: {reason}")
    assert problem.line == 1
    assert f'<p class="output">Left out: {kind.removesuffix("+xml")}</p>' in html


def test_many_pictures(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylit.rendering.context.MAX_DRAWN", 100)
    notebook(write, *[shown("image/png", base64.b64encode(PIXEL).decode())] * 2)
    html, report = page(tmp_path, "pkg/a.ipynb")
    assert html.count("<img") == 1
    assert report.notes[0].message.endswith("the page has too many of them")


def test_what_cannot_be_shown_is_named(write: Write, tmp_path: Path) -> None:
    notebook(write, shown("application/<b>", ""))
    assert '<p class="output">Left out: application/&lt;b&gt;</p>' in page(tmp_path, "pkg/a.ipynb")[0]


def test_what_is_not_for_readers_is_folded(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", "#!/usr/bin/python\n# Copyright 2024 <b>\n# fmt: off\n\nx = 1\n")
    html = page(tmp_path, "pkg/a.py")[0]
    (folded,) = re.findall(r'<details class="quiet">(.*?)</details>', html, re.DOTALL)
    assert folded.startswith(
        '<summary><code translate="no"><span class="c">#!/usr/bin/python</span></code> <span>· 3 lines</span></summary>'
    )
    assert re.findall(r'id="(L\d+)"', folded) == ["L1", "L2", "L3", "L4"]
    assert (
        '<div class="code-part"><pre class="code" tabindex="0" translate="no"><code>'
        '<span id="L5" class="l" style="counter-set:l 5">' in html
    )
    assert "--c:1" in html
    assert "<details" not in page(tmp_path, "pkg/a.py", conventions=Conventions(fold_noise=False))[0]


def test_line_that_opens_a_fold_has_no_links(write: Write, tmp_path: Path) -> None:
    code = "class Limits:\n    pass\n\n\ndef _require(limits: Limits) -> None:\n" + "    assert limits\n" * 9
    write("pkg/a.py", code)
    html = page(tmp_path, "pkg/a.py")[0]
    (summary,) = re.findall(r"<details class=\"quiet\"><summary>(.*?)</summary>", html)
    assert "_require" in summary and "Limits" in summary and "<a" not in summary
    assert '<a href="#Limits"' in html


def test_folded_line_that_stands_alone(write: Write, tmp_path: Path) -> None:
    cell = "@app.cell\ndef _():\n    x = 1\n    return (x,)\n"
    write("pkg/a.py", f"import marimo\n\napp = marimo.App()\n\n\n{cell}")
    html = page(tmp_path, "pkg/a.py")[0]
    summaries = re.findall(r"<summary>(.*?)</summary>", html)
    assert [re.sub("<[^>]*>", "", summary) for summary in summaries] == [
        "import marimo · 4 lines",
        "return (x,)",
    ]
    assert "<span>" not in summaries[1]


def test_settings_decide_how_comments_are_read(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", "# %% Title\n# x = f(1)\nx = 1\n")
    assert "<h2" in page(tmp_path, "pkg/a.py")[0]
    assert "%% Title" in page(tmp_path, "pkg/a.py", conventions=Conventions(cells=False))[0]
    assert "<p>x = f(1)" not in page(tmp_path, "pkg/a.py")[0]
    assert "<p>x = f(1)" in page(tmp_path, "pkg/a.py", conventions=Conventions(dead_code=False))[0]
    (tmp_path / "pkg/a.py").unlink()
    notebook(write, shown("text/plain", "printed"))
    assert "printed" in page(tmp_path, "pkg/a.ipynb")[0]
    assert "printed" not in page(tmp_path, "pkg/a.ipynb", conventions=Conventions(outputs=False))[0]


def test_other_languages_have_their_colours(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", "# %%\n# %%bash\n# for x in y; do\n#   echo $x\n# done\n")
    html = page(tmp_path, "pkg/a.py")[0]
    assert '"><span class="k">for</span> x <span class="k">in</span>' in html
    assert html.count('class="l"') == 4


def test_a_listing_says_what_is_wrong(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", "x = 1\n")
    found = site(tmp_path)
    for file in ("a.py", "a.md"):
        problem = Problem(file, 2, "is not valid: <b>", "Fix it.")
        module = ParsedModule(listing(b"x = 1\nx = = 1\n", file, problem), ModuleName("a", ""))
        links = found.links(file, "en")
        context = Context(file, "a.html", "en", "en", Catalog("en"), links, str, str, Report())
        body = render_body(module.source, context, module.coloured.lines())
        html = str(body.rows[0].prose)
        assert html.startswith(
            f'<p class="wrong">{file}:2: error: is not valid: &lt;b&gt;\n    Fix it.</p>\n'
        )
        assert body.title == "a"
        if file == "a.py":
            assert [line.number for line in body.rows[0].code] == [1, 2]
            assert '<span class="m">1</span>' in body.rows[0].code[0].html
        else:
            assert "x = = 1" in html


def test_titles_and_contents_show_no_tex(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", 'r"""# Of $x^2$\n\n## And $\\alpha$\n\n## And\n"""\nx = 1\n')
    html, report = page(tmp_path, "pkg/a.py")
    assert "<title>Of x²</title>" in html
    assert re.search(r'<a href="#and-alpha"[^>]*>And α</a>', html)
    assert not [problem for problem in report.problems if problem.severity is Severity.ERROR]
