"""Tests of `pylit.rendering.line_breaks`."""

import pytest

from pylit.parsing.markdown import parse_inline
from pylit.rendering.line_breaks import breakable, breakable_name, is_joined, keep_together


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


def test_numbers_stay_with_what_they_are_the_number_of() -> None:
    assert kept("(section 4.1; a table 2 m wide, equation 3)，见（表 2）") == [
        "(section\xa04.1; a table\xa02 m wide, equation\xa03)，见（表\xa02）"
    ]


@pytest.mark.parametrize("name", ["ResNet-50", "CIFAR-10", "--final", "--batch-size", "Wide-ResNet-101-2"])
def test_short_names_are_not_broken_at_hyphens(name: str) -> None:
    assert is_joined(name)


@pytest.mark.parametrize(
    "name", ["pre-activation", "well-known", "-", "--", "a --final b", "--a" + "-b" * 20]
)
def test_words_are_broken_at_hyphens(name: str) -> None:
    assert not is_joined(name)


@pytest.mark.parametrize(
    ("html", "right"),
    [
        ("functional.relu_", "functional.relu_"),
        (
            "test_sections.test_standard_library_is_lossless",
            "test_|sections.|test_|standard_|library_|is_|lossless",
        ),
        (
            '<b>torch</b><i class="o">.</i><b>nn_functional_and_more_of_it</b>',
            '<b>torch</b><i class="o">.|</i><b>nn_|functional_|and_|more_|of_|it</b>',
        ),
        ('f(<a href="some/very/long_address/of_a_page.html">x</a>)',) * 2,
        ("__init__of_a_class_with_dunders__", "__init__|of_|a_|class_|with_|dunders__"),
        ("a &lt; b and some words that are short", "a &lt; b and some words that are short"),
        ("labml_nn/resnet/experiment-of-ours.py x", "labml_|nn/|resnet/|experiment-|of-|ours.|py x"),
        ("IDeprecatedHTTPChannelToRequest2Interface", "I|Deprecated|HTTP|Channel|To|Request2|Interface"),
        ("a" * 99, "a" * 99),
        ("<" * 50, "<" * 50),
    ],
)
def test_very_long_names_may_be_broken_at_their_joints(html: str, right: str) -> None:
    assert breakable(html) == right.replace("|", "<wbr>")


def test_names_in_narrow_lists() -> None:
    assert breakable_name("skip_large<HTTPUpdates>") == "skip_<wbr>large&lt;HTTP<wbr>Updates&gt;"
    assert breakable_name("__init__") == "__init__"
