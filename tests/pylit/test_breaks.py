"""Tests of `pylit.breaks`."""

import pytest

from pylit.breaks import keep_together
from pylit.prose import parse_inline


def kept(text: str) -> list[str]:
    """The text and the formulas of a block, each formula with what is kept beside it."""
    tokens = keep_together(parse_inline(text))
    return [
        "{before}[{content}]{after}".format(content=token.content, **token.meta)
        if token.type == "math_inline"
        else token.content
        for token in tokens
        if token.content
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("with $p$, the rest", ["with ", "[p],", " the rest"]),
        ("权重为 $\\gamma$，平移为 $\\beta$。", ["权重为 ", "[\\gamma]，", "平移为 ", "[\\beta]。"]),
        ("two letters ($a$ and $b$).", ["two letters ", "([a]", " and ", "[b])."]),
        ("$a$", ["[a]"]),
        ("$a$ and $b$", ["[a]", " and ", "[b]"]),
        ("**$a$**, then", ["[a]", ", then"]),
    ],
)
def test_punctuation_stays_with_its_formula(text: str, parts: list[str]) -> None:
    assert kept(text) == parts


def test_numbers_stay_with_their_per_cent() -> None:
    assert kept("18 % of 3 × 4, and a % sign") == ["18\xa0% of 3\xa0× 4, and a % sign"]
