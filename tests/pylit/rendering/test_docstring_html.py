"""How docstrings in other dialects and boxes look on a page and in a notebook, in each language."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import Write
from rendering import render, site

from pylit.errors import Report, Severity
from pylit.site.page import render_notebook
from pylit.site.templates import document

GOOGLE = '''"""Module."""


class Loader:
    """Loads."""


def f(stride, y: int = 3):
    """Do it.

    Args:
        stride (Loader): how far
        y: *why* not

    Raises:
        ValueError: if not

    Note:
        Take care.

    Examples:
        >>> f(1)
        2
    """
    return stride
'''


def page(base: Path, lang: str = "en", **options: object) -> str:
    view, report = render(base, "pkg/a.py", lang, **options)
    assert view is not None and not report.problems
    return document(view)


def test_parameters(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", GOOGLE)
    html = page(tmp_path)
    assert '<p class="label">Parameters</p>\n<dl class="fields">\n<dt><span data-sym="stride">' in html
    assert '<a class="ref" href="#Loader"' in html.partition('data-sym="stride"')[2].partition("</dt>")[0]
    shown = html.partition('data-sym="y"')[2].partition("</dd>")[0]
    assert (
        '<span class="default">default <code translate="no"><span class="m">3</span></code></span>' in shown
    )
    assert shown.endswith("<dd><em>why</em> not")
    assert '/exceptions.html#ValueError"><code' in html.partition(">Raises<")[2].partition("</dt>")[0]
    assert '<div class="box note">\n<p class="label">Note</p>\n<p>Take care.</p>\n</div>' in html
    assert (
        '<p class="label">Examples</p>\n</div><div class="side" style="--h:3"><div class="listing-box example">'
        in html
    )


def test_labels_are_in_the_language_of_the_page(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", GOOGLE)
    (tmp_path / "po").mkdir()
    html = page(tmp_path, "zh", languages=("en", "zh"), translations=tmp_path / "po")
    for label in ("参数", "抛出", "注意", "示例"):
        assert f'<p class="label">{label}</p>' in html
    assert "默认 <code" in html


def test_texts_are_translated(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", GOOGLE)
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Language: zh\\n"\n\n'
    write("po/zh/pkg/a.po", f'{header}#: pkg/a.py:f\nmsgid "how far"\nmsgstr "多远"\n')
    view, _ = render(tmp_path, "pkg/a.py", "zh", languages=("en", "zh"), translations=tmp_path / "po")
    assert view is not None
    assert '<span class="t">多远</span>' in document(view)


def test_headings_of_parts_are_not_in_the_contents(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", GOOGLE)
    view, _ = render(tmp_path)
    assert view is not None
    assert [entry.text for entry in view.body.contents] == ["Loader", "f"]


def test_notebook(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", GOOGLE)
    found = site(tmp_path, notebooks=True)
    book = json.loads(render_notebook(found, found.pages[0], "en", Report()))
    cells = ["".join(cell["source"]) for cell in book["cells"]]
    text = next(cell for cell in cells if "Parameters" in cell)
    assert text.startswith(
        "Do it.\n\n**Parameters**\n\n* `stride`, `Loader`\n\n  how far\n\n* `y`, `int`, default `3`\n\n  *why* not"
    )
    assert "> **Note**\n>\n> Take care." in text
    assert "f(1)" in cells


def test_tables_without_a_head_in_a_notebook(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '""":mod:`a`\n\n== ==\na  b\n== ==\n"""\n')
    found = site(tmp_path, notebooks=True)
    book = json.loads(render_notebook(found, found.pages[0], "en", Report()))
    assert any("|  |  |\n| --- | --- |\n| a | b |" in "".join(cell["source"]) for cell in book["cells"])


def test_docstrings_among_code_stay_as_they_are(write: Write, tmp_path: Path) -> None:
    write(
        "pkg/a.py",
        '"""M."""\n\n\nclass A:\n    """A."""\n\n'
        '    def f(self, x):\n        """See :func:`g`.\n\n        :param x: `y <z>`_\n        """\n',
    )
    found = site(tmp_path, notebooks=True)
    book = render_notebook(found, found.pages[0], "en", Report())
    assert ":param x: `y <z>`_" in book


def test_what_is_not_known_is_a_warning_with_its_line(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""M.\n\n.. note::\n   b\n\n.. other:: a\n\n:odd:`c` :class:`d`\n"""\n')
    view, report = render(tmp_path)
    assert view is not None
    assert [(p.line, p.message, p.severity) for p in report.problems] == [
        (6, "the directive `other` is not known", Severity.WARNING),
        (8, "the role `odd` is not known", Severity.WARNING),
    ]
    html = document(view)
    assert ".. other:: a</code></pre>" in html and '<code translate="no">c</code>' in html


def test_short_names_lead_to_what_they_are_short_for(write: Write, tmp_path: Path) -> None:
    write("pkg/__init__.py", '"""P."""\n')
    write("pkg/b.py", '"""B."""\n\n\nclass C:\n    """C."""\n')
    write("pkg/a.py", '"""See :class:`~pkg.b.C`."""\n\nimport pkg.b\n')
    html = page(tmp_path)
    assert '<a class="ref" href="b.html#C"' in html and '<code translate="no">C</code></a>' in html


def test_full_names_lead_to_what_the_module_does_not_import(write: Write, tmp_path: Path) -> None:
    write("pkg/__init__.py", '"""P."""\n')
    write("pkg/b.py", '"""B."""\n\n\nclass C:\n    """C."""\n')
    write("pkg/a.py", '"""See :class:`~pkg.b.C`, :func:`math.sin` and :class:`x.y`."""\n')
    html = page(tmp_path)
    assert '<a class="ref" href="b.html#C"' in html
    assert 'href="https://docs.python.org/3/library/math.html#math.sin"' in html
    assert '<code translate="no">x.y</code>.</p>' in html


def test_the_title_of_a_box_replaces_its_name(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""M.\n\n:::danger Do *not*\nIt is hot.\n:::\n"""\n')
    html = page(tmp_path)
    assert '<div class="box danger">\n<p class="label">Do <em>not</em></p>\n<p>It is hot.</p>\n</div>' in html
    found = site(tmp_path, notebooks=True)
    assert "> Do *not*" not in (book := render_notebook(found, found.pages[0], "en", Report()))
    assert "> **Do *not***" in book and "Danger" not in book


def test_nothing_of_html_is_left_in_restructured_text(write: Write, tmp_path: Path) -> None:
    write(
        "pkg/a.py",
        '""":mod:`a` <script>alert(1)</script>\n\n.. raw:: html\n\n   <script>alert(2)</script>\n"""\n',
    )
    view, _ = render(tmp_path)
    assert view is not None
    html = document(view).partition("<main")[2].partition("</main>")[0]
    assert "<script" not in html and html.count("&lt;script&gt;alert") == 2


def test_folded_code_has_no_caption(write: Write, tmp_path: Path) -> None:
    """What is folded says itself what it is; others are named after their first line that is shown."""
    cell = "@app.cell\ndef _():\n    {}\n    return\n\n\n"
    cells = cell.format("x = 1") + cell.format('mo.md("""Words.""")') + cell.format("pass")
    write("pkg/a.py", f"import marimo\n\napp = marimo.App()\n\n\n{cells}".replace("    pass\n", ""))
    captions = page(tmp_path).split('<p class="caption">')[1:]
    assert ['<code translate="no">x</code>' in caption for caption in captions] == [True]
