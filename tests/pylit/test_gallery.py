"""The guide "A gallery" shows its examples and what pylit makes of them. `make pictures` draws its pictures."""

from __future__ import annotations

import re

import pytest
from gallery import GUIDE, LARGEST, MODES, PICTURES, Example, examples, is_current, read_notes

SHOWN = re.compile(
    r"^`(?P<file>[\w.]+)`[^\n]*\n(?:[^\n]+\n)*\n"
    r"```(?P<language>\w+)\n(?P<text>.*?)^```\n"
    r"\n!\[(?P<alternative>[^\]\n]+)\]\((?P<light>[^)\n]+)\)\n"
    r"\n!\[(?P=alternative)\]\((?P<dark>[^)\n]+)\)\n",
    re.MULTILINE | re.DOTALL,
)
"""An example in the guide: the name of a file, its text, and its pictures for both themes."""
SHORT = 25
"""Lines of an example."""


def shown() -> dict[str, re.Match[str]]:
    return {match["file"]: match for match in SHOWN.finditer(GUIDE.read_text("utf-8"))}


def test_guide_shows_all_examples() -> None:
    assert sorted(shown()) == sorted(example.source.name for example in examples())
    assert len(list(SHOWN.finditer(GUIDE.read_text("utf-8")))) == GUIDE.read_text("utf-8").count("```") / 2


@pytest.mark.parametrize("example", examples(), ids=lambda example: str(example.name))
def test_example(example: Example) -> None:
    match, text = shown()[example.source.name], example.source.read_text("utf-8")
    assert match["text"] == text, "the guide shows another text than the file has"
    assert text.count("\n") <= SHORT
    for mode in MODES:
        picture = example.picture(mode)
        assert match[mode] == f"{PICTURES.name}/{picture.name}#gh-{mode}-mode-only"
        assert picture.stat().st_size <= LARGEST
    assert is_current(example, read_notes()), "if its page is right, run `make pictures`"


def test_no_picture_is_left_over() -> None:
    drawn = {example.picture(mode) for example in examples() for mode in MODES}
    assert set(PICTURES.iterdir()) == drawn


def test_pictures_of_another_page_are_out_of_date() -> None:
    example, notes = examples()[0], read_notes()
    assert is_current(example, notes)
    for key, value in notes[example.name].items():
        assert not is_current(example, {example.name: notes[example.name] | {key: value[::-1]}})
    assert not is_current(example, {})
