"""What stands beside the prose, and where."""

from __future__ import annotations

import pytest

from pylit.parsing.prose import parse_prose
from pylit.parsing.source import parse_markdown
from pylit.rendering.beside import arrange, split_blocks
from pylit.rendering.page_body import with_title
from pylit.rendering.row_layout import RowLayout, lay_out

LONG = "Words that go on for a line or so, and then for another one. " * 8
EXAMPLE = ">>> f(1)\n2"
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"


def layout(markdown: str, *, is_essay: bool = True, code: float = 0.0) -> str:
    """The runs of each group by their first letters, the groups with a bar between them."""
    (prose,) = parse_prose(parse_markdown(markdown, "a.md").sections, is_module=True)
    tokens = with_title(prose.tokens)
    blocks = list(split_blocks(tokens, 70, is_essay=is_essay))
    assert [token for block in blocks for token in block.tokens] == tokens
    groups = arrange(blocks, code, is_essay=is_essay)
    runs = [run for group in groups for run in group.runs]
    assert [token for run in runs for token in run.tokens] == tokens, "in the order of the file"
    return "|".join("".join(run.place.name[0] for run in group.runs) for group in groups)


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        (LONG, "T"),
        (f"{LONG}\n\n{EXAMPLE}", "TS"),
        (f"{LONG}\n\n{EXAMPLE}\n\n{LONG}", "TS|T"),
        (f"{LONG}\n\nIn short:\n\n{EXAMPLE}\n\n{LONG}", "T|TST"),
        (f"# A\n\nIn short:\n\n{EXAMPLE}\n\n{LONG}", "T|TST"),
        (f"# A\n\n{EXAMPLE}\n\n{LONG}", "TS|T"),
        (f"## A\n\nIn short:\n\n{EXAMPLE}\n\n{LONG}", "TS|T"),
        (f"{LONG}\n\n![x](a.png#gh-light-mode-only)\n\n![x](b.png#gh-dark-mode-only)\n\n{LONG}", "TST"),
        (f"{LONG}\n\n![x](a.png#gh-light-mode-only)\n\n![x](b.png#gh-light-mode-only)", "T|TS"),
        (f"# A\n\n{LONG}\n\n## B\n\n{LONG}", "T|T"),
        (f"{LONG}\n\n{TABLE}\n\n{LONG}", "TS|T"),
        (f"{LONG}\n\n![x](x.svg)\n\n{LONG}\n\n{LONG}", "TST|T"),
        (f"{LONG}\n\n> [!NOTE]\n> Few words.\n\n{LONG}", "TS|T"),
        ("<div>\n\n" + EXAMPLE + "\n\n</div>", "T"),
        (f"- {LONG}\n\n  {TABLE}".replace("\n| ", "\n  | ").replace("\n|-", "\n  |-"), "T"),
    ],
)
def test_places(markdown: str, expected: str) -> None:
    assert layout(markdown) == expected


def test_what_is_too_high_for_a_margin_stands_in_the_text() -> None:
    listing = "```\n" + "line\n" * 30 + "```"
    assert layout(f"Few words:\n\n{listing}\n\nFew words.") == "T"
    rows = "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 30
    assert layout(f"Few words:\n\n{rows}\n\nFew words.") == "T|F|T"


def test_what_is_too_wide_for_a_margin_has_the_width_of_the_page() -> None:
    wide = "| " + " | ".join(["a column of words"] * 5) + " |"
    table = f"{wide}\n{'|---' * 5}|\n{wide}"
    assert layout(f"{LONG}\n\n{table}\n\n{LONG}") == "T|F|T"
    assert layout(f"{LONG}\n\n{table}\n\n{LONG}", is_essay=False) == "TS|T", "a column of code is wider"


def test_beside_code_everything_stands_below_it() -> None:
    listing = "```\n" + "line\n" * 30 + "```"
    assert layout(f"Few words:\n\n{listing}", is_essay=False, code=9) == "TS"
    assert layout(f"{LONG}\n\n{EXAMPLE}\n\n{LONG}\n\n{LONG}", is_essay=False, code=20) == "TST"


def test_a_heading_is_not_torn_from_its_text() -> None:
    """It would be if text after it had to wait for the end of what is beside the text before it."""
    high = "```\n" + "line\n" * 12 + "```"
    assert layout(f"{LONG}\n\n{high}\n\n## B\n\n{EXAMPLE}\n\n{LONG}") == "TS|TS|T"
    words, more = "Words. " * 30, "Words. " * 45
    assert layout(f"{words}\n\n{high}\n\n{more}\n\n## B\n\n{LONG}") == "TST|T"  # the heading is with the text
    assert layout(f"{more}\n\n{high}\n\n## B\n\nIn short:\n\n{EXAMPLE}\n\n{LONG}") == "TS|TS|T"


def test_two_charts_stand_side_by_side() -> None:
    chart = "```chart\nlines: []\n```"
    assert layout(f"In short:\n\n{chart}\n\n{chart}\n\n{LONG}") == "T|TS|T"
    assert layout(f"{LONG}\n\n{LONG}\n\n{chart}\n\n{LONG}") == "T|TST"


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        (f"# A\n\n{LONG}\n\n{EXAMPLE}", RowLayout.ESSAY),  # not a screen
        ("# A\n\n" + f"{LONG}\n\n" * 6, RowLayout.ARTICLE),
        ("# A\n\n" + f"{LONG}\n\n" * 6 + EXAMPLE, RowLayout.ARTICLE),
        ("# A\n\n" + f"{LONG}\n\n>>> x = 1\n{EXAMPLE}\n\n" * 6, RowLayout.ESSAY),
    ],
)
def test_long_prose_with_little_for_a_margin_has_none(markdown: str, expected: RowLayout) -> None:
    (prose,) = parse_prose(parse_markdown(markdown, "a.md").sections, is_module=True)
    found, groups, _ = lay_out(prose, with_title(prose.tokens), 0, has_code=False)
    assert found is expected
    assert any(group.has_side for group in groups) == (EXAMPLE in markdown and expected is RowLayout.ESSAY)
