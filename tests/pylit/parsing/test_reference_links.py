"""Links and pictures whose addresses stand elsewhere in the prose, by their names; and anchors that look like lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Write
from notebooks import HEADER, PIXEL, read, sources, text_of
from rendering import site

from pylit.errors import Report
from pylit.site.page import render_page
from pylit.site.site import Site

PROSE = """# T

A [link][l] and an inline ![x][r] picture.

![alone][r]

![r]

[r]: a.png "Title"
[l]: https://example.org
"""


@pytest.fixture
def found(write: Write, tmp_path: Path) -> Site:
    write("pkg/a.py", f'"""\n{PROSE}"""\n')
    write("pkg/b.md", PROSE)
    (tmp_path / "pkg/a.png").write_bytes(PIXEL)
    catalog = (
        f'{HEADER}msgid "![alone][r]"\nmsgstr "![单独][r]"\n\n'
        'msgid "A [link][l] and an inline ![x][r] picture."\nmsgstr "一个[链接][l]和一张图 ![x][r]。"\n'
    )
    write("t/zh/pkg/a.po", catalog)
    write("t/zh/pkg/b.po", catalog)
    return site(tmp_path, languages=("en", "zh"), translations=tmp_path / "t")


def html_of(found: Site, file: str, lang: str = "en") -> str:
    report = Report()
    view = render_page(found, found.pages[found.navigation.by_file[file]], lang, report)
    assert view and not report.problems, report.problems
    return "".join(str(row.prose) for row in view.body.rows)


@pytest.mark.parametrize("file", ["pkg/a.py", "pkg/b.md"])
def test_pictures_and_links_by_name(found: Site, file: str) -> None:
    html = html_of(found, file)
    assert html.count('<img src="a.png"') == 3
    assert html.count('<figure class="picture"') == 2
    assert 'alt="alone"' in html
    assert '<a href="https://example.org" rel="noopener">link</a>' in html
    assert "[" not in html


@pytest.mark.parametrize("file", ["pkg/a.py", "pkg/b.md"])
def test_translations_use_the_same_names(found: Site, file: str) -> None:
    html = html_of(found, file, "zh")
    assert 'alt="单独"' in html
    assert ">链接</a>" in html
    assert "][" not in html


@pytest.mark.parametrize(("lang", "words"), [("en", "link"), ("zh", "链接")])
def test_notebooks_have_addresses(found: Site, lang: str, words: str) -> None:
    text, _ = text_of(found, "pkg/a.py", lang)
    prose = "\n".join(source for _, source in sources(read(text)))
    assert f"[{words}](https://example.org)" in prose
    assert prose.count("<img alt=") == 3
    assert "][" not in prose


def anchors_of(write: Write, tmp_path: Path, text: str) -> tuple[list[str], list[str]]:
    """The anchors of a module's rows, and what is wrong with its page."""
    write("pkg/a.py", text)
    report = Report()
    found = site(tmp_path)
    view = render_page(found, found.pages[0], "en", report)
    assert view
    return [row.anchor for row in view.body.rows], [problem.message for problem in report.problems]


def test_a_class_with_the_name_of_a_line_that_has_no_code(write: Write, tmp_path: Path) -> None:
    text = (
        '"""See [the loss](#L1), [another](#L2) and [line 4](#L4)."""\n\n\n'
        'class L1:\n    """The loss."""\n\n\nclass L2:\n    """Another."""\n'
    )
    assert anchors_of(write, tmp_path, text) == (["module", "L1", "L2"], [])


def test_a_class_with_the_name_of_a_line_of_code(write: Write, tmp_path: Path) -> None:
    """Both can be reached: the line as lines are, the class by its name with a number."""
    text = 'import os\n\n\nclass L1:\n    """See [line 1](#L1), [this](#L1-2), and `L1`."""\n\n\nx = L1()\n'
    names, problems = anchors_of(write, tmp_path, text)
    assert names == ["module", "L1-2", "module:x-l1"]
    assert problems == []


def test_what_uses_such_a_class_leads_to_it(write: Write, tmp_path: Path) -> None:
    write("pkg/__init__.py", "")
    write("pkg/a.py", "import os\n\n\nclass L1:\n    pass\n")
    write("pkg/b.py", "from pkg.a import L1\n\nx = L1()\n")
    found = site(tmp_path)
    view = render_page(found, found.pages[found.navigation.by_file["pkg/b.py"]], "en", Report())
    assert view
    code = "".join(line.html for row in view.body.rows for line in row.code)
    assert 'href="a.html#L1-2"' in code and 'href="a.html#L1"' not in code


def test_a_line_without_code_is_still_no_place(write: Write, tmp_path: Path) -> None:
    _, problems = anchors_of(write, tmp_path, '"""See [line](#L1) and [line](#L9)."""\n\nx = 1\n')
    assert problems == ["the anchor of `#L1` does not exist", "the anchor of `#L9` does not exist"]


@pytest.mark.parametrize("state", ["", '#, fuzzy\n#| msgid "Other [words][l]."\n'])
def test_a_translation_has_no_name_that_its_original_lacks(write: Write, tmp_path: Path, state: str) -> None:
    """On the page and in the notebook; neither is there the picture that stands beside it."""
    write("pkg/a.py", f'"""\n{PROSE.replace("![r]", "![r]", 1)}\nWords.\n\nSee [l].\n"""\n')
    (tmp_path / "pkg/a.png").write_bytes(PIXEL)
    write(
        "t/zh/pkg/a.po",
        f'{HEADER}{state}msgid "Words."\nmsgstr "词[语][l]。"\n\n'
        'msgid "See [l]."\nmsgstr "见[此处][l]、[彼处][r]。"\n',
    )
    found = site(tmp_path, languages=("en", "zh"), translations=tmp_path / "t")
    html = html_of(found, "pkg/a.py", "zh")
    assert "词[语][l]。" in html
    assert '见<a href="https://example.org" rel="noopener">此处</a>、[彼处][r]。' in html
    text, _ = text_of(found, "pkg/a.py", "zh")
    assert text.count("](https://example.org)") == 2


def test_a_translation_that_uses_another_name_is_not_shown(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", f'"""\n{PROSE}"""\n')
    (tmp_path / "pkg/a.png").write_bytes(PIXEL)
    write("t/zh/pkg/a.po", f'{HEADER}msgid "![alone][r]"\nmsgstr "![图][l]"\n')
    found = site(tmp_path, languages=("en", "zh"), translations=tmp_path / "t")
    report = Report()
    view = render_page(found, found.pages[found.navigation.by_file["pkg/a.py"]], "zh", report)
    (problem,) = report.problems
    assert problem.message == "a translation lacks the link `[…][r]`"
    assert view
    html = "".join(str(row.prose) for row in view.body.rows)
    assert 'alt="alone"' in html and "图" not in html
