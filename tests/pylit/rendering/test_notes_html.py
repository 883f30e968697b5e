"""References lead to their footnotes, and these lead back; pictures with a target are links."""

from __future__ import annotations

import json
import re
from pathlib import Path

from conftest import Write
from notebooks import HEADER, PIXEL
from rendering import render, site

from pylit.errors import Report
from pylit.site.page import render_notebook
from pylit.site.templates import document


def page(base: Path, lang: str = "en", file: str = "pkg/a.py") -> str:
    view, report = render(base, file, lang, languages=("en", "zh"), translations=base / "t")
    assert view is not None and not report.problems, report.problems
    return document(view)


def links(html: str) -> list[tuple[str, str, str]]:
    """Target, id and text of each link to a footnote or back."""
    found = []
    for before, tag, text in re.findall(r"(<dt[^>]*>)?<a ([^>]*)>(\[[^<]*)</a>", html):
        names = [re.search(rf'{name}="([^"]*)"', before + tag) for name in ("href", "id")]
        found.append((*(name[1] if name else "" for name in names), text))
    return found


NUMPY = '''"""Module.

.. [All] Of all.
"""


def f(x):
    """Do it [1]_, [1]_ as in [Own2002]_ and [None]_.

    Parameters
    ----------
    x : int
        As in [2]_.

    References
    ----------
    .. [1] A.
    .. [2] B.
    .. [Own2002] C.
    .. [4] D.
    """


def g(x):
    """Do more [1]_ [#b]_, see [All]_ and [4]_.

    .. [1] E.
    .. [#b] F.
    """
'''


def test_docstrings(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", NUMPY)
    html = page(tmp_path)
    assert links(html) == [
        ("#module-note-All-ref", "module-note-All", "[All]"),
        ("#f-note-1", "f-note-1-ref", "[1]"),
        ("#f-note-1", "", "[1]"),
        ("#f-note-Own2002", "f-note-Own2002-ref", "[Own2002]"),
        ("#f-note-2", "f-note-2-ref", "[2]"),
        ("#f-note-1-ref", "f-note-1", "[1]"),
        ("#f-note-2-ref", "f-note-2", "[2]"),
        ("#f-note-Own2002-ref", "f-note-Own2002", "[Own2002]"),
        ("#g-note-1", "g-note-1-ref", "[1]"),
        ("#g-note-2", "g-note-2-ref", "[2]"),
        ("#module-note-All", "module-note-All-ref", "[All]"),
        ("#g-note-1-ref", "g-note-1", "[1]"),
        ("#g-note-2-ref", "g-note-2", "[2]"),
    ]
    assert (
        "and [None].</p>" in html and "and [4].</p>" in html
    )  # nobody has defined it, or only somebody else
    assert '<dt id="f-note-4">[4]</dt>' in html  # nobody refers to it
    assert len(set(ids := re.findall(r' id="([^"]*)"', html))) == len(ids)


def test_an_example_with_its_notes_at_the_end(write: Write, tmp_path: Path) -> None:
    rule = "#" * 30
    write(
        "pkg/a.py",
        f'"""\nTitle\n=====\n\nBy [Abc99]_.\n"""\nx = 1\n\n{rule}\n# More :math:`x` [Abc99]_\n\ny = 2\n\n'
        f"{rule}\n# .. [Abc99] A book :cite:`x`.\n\nz = 3\n",
    )
    view, _ = render(tmp_path, "pkg/a.py", "en")
    assert view is not None
    first, second, note = links(document(view))
    assert first[0] == second[0] == f"#{note[1]}" and first[1] == note[0][1:] and second[1] == ""


def test_markdown(write: Write, tmp_path: Path) -> None:
    write(
        "pkg/a.md",
        "# A\n\nOne[^1] [b], another[^long-name], `[^1]`, [^a-z] and [^9].\n\n[^1]: B\n[^long-name]: C\n\n[b]: https://b.c\n",
    )
    html = page(tmp_path, file="pkg/a.md")
    assert [text for _, _, text in links(html)] == ["[1]", "[long-name]", "[1]", "[long-name]"]
    assert "</code>, [^a-z] and [9].</p>" in html


def test_translations_keep_their_references(write: Write, tmp_path: Path) -> None:
    write("pkg/a.md", "# A\n\nOne[^1].\n\n[^1]: B\n")
    write("t/zh/pkg/a.po", f'{HEADER}msgid "One[^1]."\nmsgstr "一[^1]。"\n')
    html = page(tmp_path, "zh", "pkg/a.md")
    assert '<span class="t">一<a class="cite" href="#page-note-1"' in html
    assert html.count('id="page-note-1-ref"') == 1
    write("t/zh/pkg/a.po", f'{HEADER}msgid "One[^1]."\nmsgstr "一。"\n')
    _, report = render(tmp_path, "pkg/a.md", "zh", languages=("en", "zh"), translations=tmp_path / "t")
    assert "reference `[^1]`" in next(iter(report.problems)).message


def test_notebooks_have_no_anchors(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", NUMPY)
    found = site(tmp_path, notebooks=True)
    book = json.loads(render_notebook(found, found.pages[0], "en", Report()))
    text = "\n".join("".join(cell["source"]) for cell in book["cells"])
    assert "Do it [1], [1] as in [Own2002] and [None]." in text and "* \\[Own2002\\]" in text
    assert "[^" not in text


def test_pictures_with_a_target(write: Write, tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/p.png").write_bytes(PIXEL)
    write("pkg/b.py", '"""B."""\n')
    text = (
        "|icon| here.\n\n.. |icon| image:: p.png\n   :alt: I\n   :target: b.py\n\n"
        ".. image:: p.png\n   :alt: J\n   :target: `the page`_\n\n.. _the page: b.py\n\n"
        ".. figure:: p.png\n   :alt: K\n   :target: https://a.b/c\n\n   Words.\n"
    )
    write("pkg/a.py", f'"""A.\n\n{text}"""\n')
    html = page(tmp_path)

    def picture(alternative: str) -> str:
        return f'<img src="p.png" alt="{alternative}" width="1" height="1" loading="lazy"></a>'

    assert f'<p><a href="b.html">{picture("I")} here.</p>' in html
    assert f'<figure class="picture" tabindex="0"><a href="b.html">{picture("J")}</figure>' in html
    caption = "<figcaption>Words.</figcaption></figure>"
    assert f'<a href="https://a.b/c" rel="noopener">{picture("K")}{caption}' in html
