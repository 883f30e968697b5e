r"""Numbers, labels, references and macros of the formulas of a page, and of its notebook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Write
from notebooks import HEADER, text_of
from rendering import render, site

from pylit.site.settings import Settings
from pylit.tex import number


def shown(write: Write, base: Path, text: str, **options: Any) -> tuple[str, list[tuple[int, str]]]:
    """The prose of a guide, each formula as its TeX, and what is wrong with it."""
    write("pkg/a.md", text)
    view, report = render(base, "pkg/a.md", **options)
    assert view
    html = "".join(row.prose for row in view.body.rows)
    html = re.sub(r"<math.*?<annotation[^>]*>(.*?)</annotation>.*?</math>", r"{\1}", html, flags=re.DOTALL)
    html = re.sub(r'<span class="katex-html".*?(?=</p>|</div>| |,)', "", html, flags=re.DOTALL)
    return html, [(problem.line, problem.message) for problem in report.problems]


def numbered(
    tex: str, *, display: bool = True, has_labels: bool = True, first: int = 1
) -> tuple[str, dict[str, str], int]:
    found = number(tex, first, display=display, has_labels=has_labels)
    return " ".join(found.tex.split()), dict(found.labels), found.following


@pytest.mark.parametrize(
    ("tex", "wanted", "labels", "following"),
    [
        (r"x", r"x", {}, 1),
        (r"x \label{a}", r"x\tag{1}", {"a": "1"}, 2),
        (r"x \tag{A} \label{a}", r"x\tag{A}", {"a": "A"}, 1),
        (r"x \tag*{A}", r"x\tag*{A}", {}, 1),
        (r"\begin{equation}x\end{equation}", r"\begin{equation}x\tag{1}\end{equation}", {}, 2),
        (r"\begin{equation*}x\label{a}\end{equation*}", r"\begin{equation*}x\end{equation*}", {"a": ""}, 1),
        (
            r"\begin{align}a\label{a}\\b\notag\\c\tag{C}\label{c}\\d\label{d}\end{align}",
            r"\begin{align}a\tag{1}\\b\notag\\c\tag{C}\\d\tag{2}\end{align}",
            {"a": "1", "c": "C", "d": "2"},
            3,
        ),
        (r"\begin{align}a\\b\\ \end{align}", r"\begin{align}a\tag{1}\\b\tag{2}\\ \end{align}", {}, 3),
        (
            r"\begin{align}\begin{cases}a\\b\end{cases}\\{c\\d}\end{align}",
            r"\begin{align}\begin{cases}a\\b\end{cases}\tag{1}\\{c\\d}\tag{2}\end{align}",
            {},
            3,
        ),
        (r"\begin{gather*}a\\b\end{gather*}", r"\begin{gather*}a\\b\end{gather*}", {}, 1),
        (
            r"\begin{multline}a\\b\label{m}\end{multline}",
            r"\begin{equation}\begin{gathered}a\\b\end{gathered}\tag{1}\end{equation}",
            {"m": "1"},
            2,
        ),
        (
            r"\begin{eqnarray}a&=&b\label{e}\\c&{=&}&d\end{eqnarray}",
            r"\begin{align}a&=b\tag{1}\\c&{=&}d\tag{2}\end{align}",
            {"e": "1"},
            3,
        ),
        (r"\begin{flalign*}a&=b\end{flalign*}", r"\begin{align*}a&=b\end{align*}", {}, 1),
        (r"\begin{alignat}{2}a&=b\end{alignat}", r"\begin{alignat}{2}a&=b\tag{1}\end{alignat}", {}, 2),
        (r"\begin{IEEEeqnarray}{rCl}a&=&b\end{IEEEeqnarray}", r"\begin{align}a&=b\tag{1}\end{align}", {}, 2),
        (r"\begin{displaymath}a\end{displaymath}", "a", {}, 1),
        (
            r"\begin{subequations}\begin{align}a\end{align}\end{subequations}",
            r"\begin{align}a\tag{1}\end{align}",
            {},
            2,
        ),
        (
            r"\begin{equation}a\end{equation}\label{a}",
            r"\begin{equation}a\tag{1}\end{equation}",
            {"a": "1"},
            2,
        ),
        (
            r"\begin{aligned}a\\b\end{aligned}\label{a}",
            r"\begin{aligned}a\\b\end{aligned}\tag{1}",
            {"a": "1"},
            2,
        ),
        (r"\begin{align}a", r"\begin{align}a", {}, 1),
        (r"a \label", r"a \label", {}, 1),
    ],
)
def test_numbers(tex: str, wanted: str, labels: dict[str, str], following: int) -> None:
    assert numbered(tex) == (wanted, labels, following)


@pytest.mark.parametrize(
    ("tex", "wanted"),
    [
        (r"\begin{align}a&=b\end{align}", r"\begin{aligned}a&=b\end{aligned}"),
        (r"\begin{gather*}a\\b\end{gather*}", r"\begin{gather*}a\\b\end{gather*}"),
        (r"\begin{equation}a\end{equation}", "a"),
        (r"\begin{eqnarray}a&=&b\end{eqnarray}", r"\begin{aligned}a&=b\end{aligned}"),
    ],
)
def test_environments_in_a_line_of_text(tex: str, wanted: str) -> None:
    assert numbered(tex, display=False)[0].replace("gathered", "gather*") == wanted


def test_a_page_without_labels_is_numbered_by_the_style_sheet() -> None:
    assert numbered(r"\begin{align}a\\b\end{align}", has_labels=False)[0] == r"\begin{align}a\\b\end{align}"


GUIDE = r"""# T

\begin{align}
a &= b \label{eq:first}\\
c &= d \tag{A} \label{eq:second}
\end{align}

By \eqref{eq:first}, $\ref{eq:second}$ and $x = \eqref{eq:third}$.

$$y \label{eq:third}$$
"""


def test_references(write: Write, tmp_path: Path) -> None:
    html, problems = shown(write, tmp_path, GUIDE)
    assert not problems
    assert '<div class="formula" tabindex="0"><a id="eq-first"></a><a id="eq-second"></a>' in html
    assert '<a id="eq-third"></a>' in html
    assert '<a href="#eq-first">(1)</a>' in html
    assert '<a href="#eq-second">A</a>' in html
    assert r"{x = \text{(2)}}" in html
    assert r"y\tag{2}" in html and r"a &amp;= b\tag{1}" in html


def test_a_reference_in_a_formula_is_a_link(write: Write, tmp_path: Path) -> None:
    write("pkg/a.md", GUIDE)
    view, _ = render(tmp_path, "pkg/a.md")
    assert view
    html = str(view.body.rows[0].prose)
    assert re.search(
        r'<a href="#eq-third">(?:<span[^>]*>)*<span class="mord">\(2\)',
        html.replace(' class="mord text"', ""),
    )
    assert "r:" not in html and "pylitref" not in html


def test_notebooks_have_numbers_that_every_renderer_knows(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", f'r"""\n{GUIDE}"""\n')
    text, report = text_of(site(tmp_path), "pkg/a.py")
    assert not report.problems
    assert r"By (1), A and $x = \\text{(2)}$." in text
    assert r"\\tag{1}" in text and r"\\label" not in text and "pylitref" not in text


def test_references_in_a_translation(write: Write, tmp_path: Path) -> None:
    write("pkg/a.md", GUIDE)
    msgid = r"By \\eqref{eq:first}, $\\ref{eq:second}$ and $x = \\eqref{eq:third}$."
    msgstr = r"由 $\\ref{eq:second}$、\\eqref{eq:first} 与 $x = \\eqref{eq:third}$。"
    write("t/zh/pkg/a.po", f'{HEADER}msgid "{msgid}"\nmsgstr "{msgstr}"\n')
    view, report = render(tmp_path, "pkg/a.md", "zh", languages=("en", "zh"), translations=tmp_path / "t")
    assert view and not report.problems
    html = str(view.body.rows[0].prose)
    assert html.count('href="#eq-first">(1)</a>') == 2
    ids = re.findall(r'id="(eq-[^"]*)"', html)
    assert sorted(ids) == ["eq-first", "eq-second", "eq-third"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (r"By \eqref{none}.", 3, "no equation of this page has the label `none`"),
        (r"By $\ref{none}$.", 3, "no equation of this page has the label `none`"),
        (r"$$a \label{x}$$" + "\n\n" + r"$$b \label{x}$$", 5, "the label `x` is set more than once"),
        (r"$\newcommand{\a}[1]{x}\a$", 3, r"the macro \a lacks an argument"),
        (r"$\newcommand{a}{x}$", 3, "must be followed by a command of letters"),
        (r"$\def\a{\href{javascript:x}{y}}\a$", 3, r"\href is not allowed in a formula"),
        (r"$\def\a{\htmlData}\a{onclick=x}{y}$", 3, r"\htmlData is not allowed in a formula"),
    ],
)
def test_one_problem_with_its_line(write: Write, tmp_path: Path, text: str, line: int, message: str) -> None:
    html, ((number, told),) = shown(write, tmp_path, f"# T\n\n{text}\n\nThe *rest*.\n")
    assert number == line and message in told
    assert "<em>rest</em>" in html


def test_the_link_of_a_reference_leads_nowhere_else(write: Write, tmp_path: Path) -> None:
    html, _ = shown(
        write, tmp_path, "# T\n\n" + r"$\pylitref{javascript:alert(1)}{x}$ $\pylitref{a\"onclick=b}{x}$"
    )
    assert "href=" not in re.sub(r'href="#', "", html) and "onclick=" not in re.sub(r"#[^\s]*", "", html)


FRONT = r"""---
title: T
macros:
  R: '\mathbb{R}'
---

# On $\R$

$x \in \R$ $\E$

$$\newcommand{\E}[1]{\mathbb{E}[#1]}$$

$\E{x}$
"""


def test_macros_of_a_page(write: Write, tmp_path: Path) -> None:
    html, ((line, message),) = shown(write, tmp_path, FRONT)
    assert line == 9 and r"Undefined control sequence: \E" in message
    assert r"{x \in \mathbb{R}}" in html and r"{\mathbb{E}[x]}" in html
    assert html.count('class="formula"') == 0  # a formula that only defines macros is not shown


def test_macros_of_a_site_are_the_weakest(write: Write, tmp_path: Path) -> None:
    text = "---\nmacros: {R: B}\n---\n" + r"$\R \S$" + "\n\n" + r"$\def\R{C} \R$" + "\n"
    html, problems = shown(write, tmp_path, text, macros={"R": "A", "S": "D"})
    assert not problems and "{BD}" in html and "{C}" in html


def test_a_wrong_macro_is_one_problem(write: Write, tmp_path: Path) -> None:
    text = "---\ntitle: T\nmacros: {R: '{', S: x}\n---\n" + r"$\S$ $\S$" + "\n"
    html, ((line, message),) = shown(write, tmp_path, text)
    assert line == 3 and "the macro `R` is not valid: the braces" in message and html.count("{x}") == 2
    write("pkg/b.md", "# B\n")
    (problem,) = site(tmp_path, "pkg/b.md", macros={"1": "x"}).problems
    assert "the macro `1` is not valid" in problem.message


def test_pages_depend_on_the_macros_of_their_site(tmp_path: Path) -> None:
    keys = {Settings(tmp_path, (), macros=macros).key() for macros in ({}, {"R": "a"}, {"R": "b"})}
    assert len(keys) == 3


def test_symbols_in_macros_are_tied_to_code(write: Write, tmp_path: Path) -> None:
    write(
        "pkg/a.py",
        'r"""\n---\nmacros: {w: W_s}\nsymbols: {W_s: conv}\n---\n# T\n\n$\\w x$\n"""\nconv = 1\n',
    )
    view, report = render(tmp_path)
    assert view and not report.problems
    assert view.body.symbols == {"W_s": 0}


@pytest.mark.parametrize(
    "text",
    [
        "$$\nx\n$$ (a)\n\n{eq}`a`",
        "```{math}\n:label: a\nx\n```\n\n\\eqref{a}",
        "\\eqref{a}\n\n$$ x $$ (a)",
    ],
)
def test_labels_as_myst_has_them(write: Write, tmp_path: Path, text: str) -> None:
    html, problems = shown(write, tmp_path, f"# T\n\n{text}\n")
    assert '<a class="ref" href="#a">(1)</a>' in html or '<a href="#a">(1)</a>' in html
    assert r"{x\tag{1}}" in html
    assert not problems
