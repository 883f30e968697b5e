r"""Macros of authors: what they expand to, what is wrong with them, and that none grows without end."""

from __future__ import annotations

import pytest

from pylit.errors import FormulaError
from pylit.tex import Macros, expand, known_macros, take_definitions
from pylit.tex.macros import MAX_CALLS, MAX_EXPANDED


def expanded(tex: str, **given: str) -> str:
    """A formula with the macros that it defines and those that are given."""
    macros = Macros()
    assert not list(known_macros(given, macros))
    rest, found = take_definitions(tex)
    for name, macro in found:
        macros.add(name, macro)
    return expand(rest, macros)


@pytest.mark.parametrize(
    ("tex", "wanted"),
    [
        (r"\newcommand{\R}{\mathbb{R}}x \in \R", r"x \in \mathbb{R}"),
        (r"\newcommand\R{\mathbb{R}}\R", r"\mathbb{R}"),
        (r"\newcommand*{\R}{\mathbb R}\R x", r"\mathbb Rx"),
        (r"\renewcommand{\vec}[1]{\mathbf{#1}}\vec{v} + \vec v", r"\mathbf{v} + \mathbf{v}"),
        (r"\providecommand{\a}[2][z]{#1#2}\a{x} \a[y]{x} \a[{]}] x", "zx yx {]}x"),
        (r"\newcommand{\f}[2]{\frac{#2}{#1}}\f ab \f{a b}{c}", r"\frac{b}{a} \frac{c}{a b}"),
        (r"\def\a#1#2{#2#1}\a xy", "yx"),
        (r"\gdef\a{b}\a", "b"),
        (r"\let\a=\beta\let\b\gamma \a\b", r"\beta\gamma"),
        (r"\DeclareMathOperator{\argmax}{arg\,max}\argmax_x", r"\operatorname{arg\,max}_x"),
        (r"\DeclareMathOperator*{\argmax}{arg\,max}\argmax_x", r"\operatorname*{arg\,max}_x"),
        (r"\def\a{\b}\def\b{c}\a", "c"),
        (r"\def\a{\alpha}\a x \a{x}", r"\alpha x \alpha{x}"),  # a letter is not part of the command before it
        (r"\def\a{b}\ab \a", r"\ab b"),
        (r"\def\a{#}\a", "#"),
        (r"\newcommand{\a}[1]{\left( #1 \right)}\a{\a{x}}", r"\left( \left( x \right) \right)"),
        (r"\newcommand{\a}{}x\a y", "xy"),
        (r"\delta \define \letter", r"\delta \define \letter"),
        (r"x^2 \\ y", r"x^2 \\ y"),
    ],
)
def test_definitions_and_calls(tex: str, wanted: str) -> None:
    assert expanded(tex).strip() == wanted


@pytest.mark.parametrize(
    ("name", "value", "tex", "wanted"),
    [
        ("R", r"\mathbb{R}", r"\R", r"\mathbb{R}"),
        ("\\R", r"\mathbb{R}", r"\R", r"\mathbb{R}"),
        ("norm", r"\lVert #1 \rVert", r"\norm{x}", r"\lVert x \rVert"),
        (
            "norm",
            r"[2][2]{\lVert #2 \rVert_{#1}}",
            r"\norm{x}\norm[1]{x}",
            r"\lVert x \rVert_{2}\lVert x \rVert_{1}",
        ),
        ("two", "[0]{2}", r"\two", "2"),
        ("e", "", r"a\e b", "ab"),
    ],
)
def test_macros_of_front_matter_and_configuration(name: str, value: str, tex: str, wanted: str) -> None:
    assert expanded(tex, **{name: value}) == wanted


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("a1", "x", "its name must be a command of letters"),
        ("", "x", "its name must be a command of letters"),
        ("a", "{x", "the braces of its definition do not match"),
        ("a", "}{", "the braces of its definition do not match"),
        ("a", "[1]{#2}", r"\a uses an argument that it does not take"),
        ("a", "[1]{x}{y}", "something follows its definition"),
    ],
)
def test_macros_that_are_not_valid_are_left_out(name: str, value: str, message: str) -> None:
    macros = Macros()
    (problem,) = known_macros({name: value, "b": "c"}, macros)
    assert f"the macro `{name}` is not valid" in problem and message in problem
    assert expand(r"\a \b", macros) == r"\a c"


@pytest.mark.parametrize(
    ("tex", "message"),
    [
        (r"\newcommand{R}{x}", r"\newcommand must be followed by a command of letters"),
        (r"\newcommand", r"\newcommand lacks an argument"),
        (r"\newcommand{\a}", r"\newcommand{\a} lacks an argument"),
        (r"\newcommand{\a}{x", r"\newcommand{\a} has no end"),
        (r"\newcommand{\a}[x]{y}", r"\a has the number of arguments `x`; expected 0 to 9"),
        (r"\newcommand{\a}[1", "an argument in brackets has no end"),
        (r"\newcommand{\a}[1]{#2}", r"\a uses an argument that it does not take"),
        (r"\def\a#1.{x}", r"the parameters of \a must be #1, #2 and so on"),
        (r"\def\a#2{x}", r"the parameters of \a must be #1, #2 and so on"),
        (r"\newcommand{\a}[1]{x}\a", r"the macro \a lacks an argument"),
        (r"\newcommand{\a}[1]{x}{\a}", r"the macro \a lacks an argument"),
        (r"\newcommand{\a}[1]{x}\a{", r"the macro \a has no end"),
        (r"\def\a{\a}\a", f"at most {MAX_CALLS:,} calls"),
        (r"\def\a{\b\b}\def\b{\a\a}\a", f"at most {MAX_CALLS:,} calls"),
        (r"\def\a{" + "x" * 1000 + "}" + r"\a" * 30, f"{MAX_EXPANDED:,} characters are allowed"),
    ],
)
def test_what_is_wrong_is_told(tex: str, message: str) -> None:
    with pytest.raises(FormulaError) as caught:
        expanded(tex)
    assert message in str(caught.value)


def test_arguments_do_not_grow_without_end() -> None:
    bomb = r"\newcommand{\a}[1]{#1#1}" + r"\a{" * 20 + "x" * 100 + "}" * 20
    with pytest.raises(FormulaError, match="grow too much"):
        expanded(bomb)


def test_a_definition_applies_from_its_line_on() -> None:
    macros = Macros()
    for line, tex in ((3, r"\def\a{b}"), (7, r"\def\a{c}")):
        for name, macro in take_definitions(tex)[1]:
            macros.add(name, macro, line)
    assert [expand(r"\a", macros, line) for line in (1, 3, 6, 7, 9)] == [r"\a", "b", "b", "c", "c"]
