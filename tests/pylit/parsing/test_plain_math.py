"""Titles, contents and attributes show formulas as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylit.parsing.markdown import plain_text
from pylit.parsing.plain_math import LONGEST, plain_formula
from pylit.parsing.source import parse_python

FORMULAS = {
    "x^2": "x²",
    "x_{i+1}": "xᵢ₊₁",
    "W_s": "Wₛ",
    "W_{out}": "W_out",
    "x^{a+b}": "x^(a+b)",
    "x'": "x′",
    "k^*": "k*",
    "A^\\top": "A⊤",
    "\\alpha \\cdot W_s": "α · Wₛ",
    "\\beta_1, \\beta_2": "β₁, β₂",
    "\\Lambda\\lambda": "Λλ",
    "\\frac{1}{2}": "1/2",
    "\\frac{a+b}{c}": "(a+b)/c",
    "\\frac12": "1/2",
    "\\sqrt{d_k}": "√dₖ",
    "\\sqrt{a+b}": "√(a+b)",
    "\\mathbb{R}^n": "ℝⁿ",
    "\\mathbb{A}\\mathbb{1}": "𝔸1",
    "\\mathcal{O}(n^2)": "O(n²)",
    "\\hat{y}": "y\u0302",
    "\\bar{xy}": "xy",
    "\\operatorname{softmax}(x)": "softmax(x)",
    "\\log x": "log x",
    "\\textcolor{red}{p_\\theta}(x)": "p_θ(x)",
    "{\\color{red} x} + \\colorbox{white}{$y$}": "x + $y$",
    "\\left(\\frac{a}{b}\\right)": "(a/b)",
    "3 \\times 3": "3 × 3",
    "a\\,b\\;c\\!d~e": "a b cd e",
    "\\{a\\} 10\\%": "{a} 10%",
    "\\|x\\|": "‖x‖",
    "\\begin{align}a&=b\\\\c&=d\\end{align}": "a =b c =d",
    "": "",
    "}": "",
    "x^": "x^()",
    "\\": "\\",
}


@pytest.mark.parametrize("tex", FORMULAS)
def test_formulas(tex: str) -> None:
    assert plain_formula(tex) == FORMULAS[tex]


def test_what_is_too_long_or_deep_is_shown_as_it_was_typed() -> None:
    assert plain_formula("x" * (LONGEST + 1)) == "x" * (LONGEST + 1)
    assert plain_formula("{" * 30) == "{" * 30


@given(st.text(alphabet="\\{}^_abfrac12 $&", max_size=60))
def test_any_text_gives_some(tex: str) -> None:
    assert isinstance(plain_formula(tex), str)


def test_titles_and_the_words_of_blocks() -> None:
    assert (
        plain_text("Scaling by $\\frac{1}{\\sqrt{d_k}}$ and *more* $$x^2$$")
        == "Scaling by 1/(√dₖ) and more x²"
    )
    source = parse_python('"""# Of $x^2$"""\n', "a.py")
    assert plain_text(source.title) == "Of x²"
