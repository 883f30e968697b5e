"""Formulas: typeset twice over, their symbols marked, wrong and dangerous ones refused."""

from __future__ import annotations

import re

import pytest

from pylit.tex.symbols import find_symbols, mark
from pylit.tex.typeset import FormulaError, Typesetter

TYPESETTER = Typesetter()
typeset_formula = TYPESETTER.typeset


def keys(html: str) -> list[str]:
    return re.findall(r'data-sym="([^"]*)"', html)


def test_html_and_mathml_with_symbols_in_both() -> None:
    html = typeset_formula("y = W_s x", False)
    mathml, visual = html.split('<span class="katex-html"')
    assert keys(mathml) == keys(visual) == ["y", "W_s", "x"]
    assert "href" not in html
    assert ">y = W_s x</annotation>" in mathml


def test_letters_in_fonts_are_what_browsers_draw() -> None:
    html = typeset_formula(r"\mathcal{F} \mathcal{G} \mathbb{R} \mathfrak{C} \mathbf{x} \mathrm{d}", False)
    mathml = html.split("<annotation")[0]
    assert re.findall(r"<mi[^>]*>(.)</mi>", mathml) == list("ℱ𝒢ℝℭ𝐱d")
    assert "mathvariant" not in mathml.replace('mathvariant="normal"', "")
    assert keys(mathml)[0] == r"\mathcal{F}"


def test_display() -> None:
    assert 'display="block"' in typeset_formula("x", True)
    assert 'display="block"' not in typeset_formula("x", False)


@pytest.mark.parametrize(
    ("tex", "found"),
    [
        (r"y = \mathcal{F}(x, \{W_i\}) + W_s x^2", ["y", r"\mathcal{F}", "x", "W_i", "W_s", "x"]),
        (r"\frac{\partial y}{\partial x}", ["y", "x"]),
        (r"\frac ab", []),
        (r"x_{l+1}", ["l", "x"]),
        (r"x_\text{out} + x_\mathrm{in}", ["x_out", "x_in"]),
        (r"\hat x_i'", [r"\hat{x}_i"]),
        (r"\text{no} \operatorname{Var}[x]", ["x"]),
        (r"\sigma(W_1 x)", [r"\sigma", "W_1", "x"]),
        (r"\begin{aligned} y &= x \\ &= z \end{aligned}", ["y", "x", "z"]),
        (r"\sqrt[n]{x} \left( a \right)", ["x", "a"]),
        (r"56\,\% + 3 \times 3", []),
        (r"\mathbf{12} \color{red} x", ["x"]),
        (r"\sum_{i=1}^{L} x_i^2", ["i", "L", "x_i"]),
    ],
)
def test_symbols(tex: str, found: list[str]) -> None:
    assert find_symbols(tex) == found
    typeset_formula(tex, True)


@pytest.mark.parametrize("tex", ["{", "x_", r"\mathbf", "a^{b", r"\text", "}", r"\sqrt[3", "x_{"])
def test_unfinished_formulas_are_left_to_katex(tex: str) -> None:
    assert isinstance(mark(tex, lambda key, text: text), str)
    with pytest.raises(FormulaError):
        typeset_formula(tex, False)


def test_superscripts_and_primes_stay_with_their_letter() -> None:
    assert mark("x^2 + x' + W_s^{T}", lambda key, text: f"<{text}>") == "<x^2> + <x'> + <W_s^{<T>}>"


@pytest.mark.parametrize(
    "tex",
    [
        r"\frac{a}{b} + \sum_{i=1}^n x_i + 2^{x^y}",
        r"W^Q_i + x'_{t-1} + \mathcal{L}^{(i)}_{CE} + \theta_i'^{2}",
        r"\underset{x}{a} \overset{a}{=} \underbrace a_b \color{red} x",
        r"\begin{array}{cc} x_{0} & y \\ z & w \end{array}",
        r"\mathop{\rm argmax}_x \mathscr L_i \acute x 90^\circ x_+",
    ],
)
def test_marks_change_nothing_of_the_layout(tex: str) -> None:
    """Tags balance, and every length that KaTeX computes is the one it computes without marks."""
    html, plain = typeset_formula(tex, False), TYPESETTER.katex.render(tex, False)
    lengths = r"(?:top|height|margin-[a-z]+|vertical-align):[^;\"]*"
    assert re.findall(lengths, html) == re.findall(lengths, plain)
    assert html.count("<span") == html.count("</span>")
    assert "<a" not in html.replace("<annotation", "")


@pytest.mark.parametrize("tex", ["x_i_j", "x^a^b", "x^2'"])
def test_marks_do_not_make_wrong_formulas_right(tex: str) -> None:
    with pytest.raises(FormulaError, match="Double su"):
        typeset_formula(tex, False)


@pytest.mark.parametrize(
    ("tex", "message"),
    [
        (r"\frac{1}{" * 25 + "x" + "}" * 25, "groups are nested more than 20 levels deep"),
        (r"\left(" * 25 + "x" + r"\right)" * 25, "groups are nested more than 20 levels deep"),
        (r"\begin{array}{{c}}x\end{array}", "the columns of an array must be letters, not groups"),
    ],
)
def test_formulas_that_katex_would_not_survive_are_refused(tex: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        typeset_formula(tex, True)


def test_rejected_formula_says_why_without_our_marks() -> None:
    with pytest.raises(
        FormulaError, match=r"Undefined control sequence: \\nonsense at position 5: x \+ \\nonsense"
    ) as e:
        typeset_formula(r"x + \nonsense y", False)
    assert "href" not in str(e.value)


@pytest.mark.parametrize(
    "tex",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\url{javascript:alert(1)}",
        r"\includegraphics{https://example.org/x.png}",
        r"\htmlData{a=b}{x}",
        r"\htmlId{a}{x}",
        r"\def\a{\a\a}\a",
        r"\newcommand{\a}{b}",
        r"\gdef\a{b}",
    ],
)
def test_commands_that_could_load_or_loop_are_refused(tex: str) -> None:
    with pytest.raises(FormulaError, match="is not allowed in a formula"):
        typeset_formula(tex, False)


def test_text_in_formulas_is_escaped() -> None:
    html = typeset_formula(r"\text{<script>alert(1)</script> x}", False)
    assert "<script" not in html


def test_operators_of_several_elements_are_rows() -> None:
    r"""Browsers would draw the letters of `\mathop{max}` one below the other."""
    mathml = typeset_formula(r"\mathop{max} \underset{x}{\mathop{\mathop{min} f}} < y", True).split(
        "<annotation"
    )[0]
    assert "<mo><m" not in mathml and mathml.count("<mrow>") == mathml.count("</mrow>")
    assert mathml.count("<mo>") + mathml.count("<mo ") == mathml.count("</mo>") == 1
    assert "<mo>&lt;</mo>" in mathml
