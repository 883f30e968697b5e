"""Front matter: three keys, and an error with a line for everything else."""

from __future__ import annotations

import pytest

from pylit.errors import PylitError
from pylit.model import Meta
from pylit.source import parse_markdown, parse_python


def meta(yaml: str) -> Meta:
    return parse_python(f'r"""\n---\n{yaml}\n---\n# Heading\n"""\n', "x.py").meta


def test_keys() -> None:
    found = meta("title: A title\nsummary:\n  One\n  sentence.\nsymbols:\n  W_s: A.conv")
    assert found == Meta("A title", 3, "One sentence.", 4, {"W_s": "A.conv"}, 7)


@pytest.mark.parametrize("title", ["404", "2020-13-45", "yes", "!!int abc"])
def test_every_value_is_text(title: str) -> None:
    assert meta(f"title: {title}").title == title.removeprefix("!!int ")


def test_prose_begins_after_it() -> None:
    source = parse_python('"""\n---\ntitle: T\n---\n# Heading\n"""\nx = 1\n', "x.py")
    assert [(line.number, line.text) for line in source.sections[0].text] == [(5, "# Heading")]
    assert source.sections[0].prose == (1, 2, 3, 4, 5, 6)


def test_guides_have_it_too() -> None:
    source = parse_markdown("---\ntitle: T\n---\n\n# Heading\n", "x.md")
    assert source.meta.title == "T"
    assert [line.text for line in source.sections[0].text] == ["", "# Heading"]


def test_none_or_empty() -> None:
    assert parse_python('"""Only prose."""\n', "x.py").meta == Meta()
    assert meta("# nothing but a comment") == Meta()
    assert parse_python('"""\nProse\n\n---\n\nmore\n"""\n', "x.py").meta == Meta()


@pytest.mark.parametrize(
    ("yaml", "line", "message"),
    [
        ("title: [", 3, "the front matter is no YAML: .*expected the node content"),
        ("title: a: b", 3, "the front matter is no YAML: mapping values are not allowed here"),
        ("just text", 3, "the front matter is no mapping"),
        ("title: T\ntitel: U", 4, "the front matter has an unknown key `titel`"),
        ("title: {a: b}", 3, "`title` of the front matter must be text, not {'a': 'b'}"),
        ("title: " + "[" * 3000, 3, "the front matter is no YAML: "),
        ("summary: [a]", 3, r"`summary` of the front matter must be text, not \['a'\]"),
        ("summary: [[a]]", 3, r"`summary` of the front matter must be text, not \[\['a'\]\]"),
        ("symbols: {x: y, [a]: b}", 3, "the front matter is no YAML: found unhashable key"),
        ("symbols: [a]", 3, "`symbols` of the front matter must map symbols to names"),
    ],
)
def test_wrong_front_matter(yaml: str, line: int, message: str) -> None:
    with pytest.raises(PylitError, match=message) as error:
        meta(yaml)
    assert error.value.problem.line == line
    assert error.value.problem.hint


def test_unknown_key_names_the_nearest() -> None:
    with pytest.raises(PylitError, match="Did you mean `summary`"):
        meta("sumary: x")


def test_without_an_end() -> None:
    with pytest.raises(PylitError, match=r"x\.py:2: error: the front matter does not end"):
        parse_python('"""\n---\ntitle: T\n"""\n', "x.py")
