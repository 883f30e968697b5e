"""Whatever YAML and JSON hold, values come out that a page can show, or the reason why not, with its line."""

from __future__ import annotations

import random

import pytest
from sampling import SHARE

from pylit.parsing.values import ValuesError, read_json, read_yaml, refused_character


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('a: b\nc: "\\UFFFFFFFF"', 1, "it contains an escape beyond Unicode"),
        ('a: "\\U00110000"', 0, "a value is not valid: chr"),
        ('a: b\n\nc: "\\uD800"', 2, "it contains the character U+D800"),
        ('a: "\\0"', 0, "it contains the character U+0000"),
        ('a: "\\e[2J"', 0, "it contains the character U+001B"),
        ("a: b\nc: \x07", 1, "unacceptable character #x0007"),
        ("%YAML " + "9" * 5000 + ".1\n---\na", 0, "a value is not valid: Exceeds the limit"),
        ("a: &a [*a]", 0, "aliases such as `*name` are not allowed"),
        ("b: c\n? [a]\n: d", 1, "found unhashable key"),
        ("a: &b c\nd: *b", 1, "aliases such as `*name` are not allowed"),
        ("a\u2028b\u2029: c\nd: [", 1, "expected the node content"),
        ("[" * 1000, 0, "it is nested too deeply"),
        ("{a: " * 60 + "b" + "}" * 60, 0, "it is nested too deeply"),
    ],
)
def test_yaml_that_is_refused(text: str, line: int, reason: str) -> None:
    with pytest.raises(ValuesError, match=r".") as error:
        read_yaml(text)
    assert str(error.value).startswith(reason)
    assert error.value.line == line


def test_all_values_of_yaml_are_text() -> None:
    node = read_yaml("a: 404\nb: [true, ~, 2020-01-01, 1e999, 0x1f]\nc: &c {d: e}")
    assert node is not None
    found = {"a": "404", "b": ["true", "~", "2020-01-01", "1e999", "0x1f"], "c": {"d": "e"}}
    assert node.plain == found
    assert read_yaml("# nothing") is None


PIECES = [
    "a", "b", ":", " ", "- ", '"', "\\U", "\\x", "FF", "\n", "  ", "&a", "*a", "!", "!!", "{", "}", "[", "]", "|",
    ">", "%", "#", "?", "---", "...", "\t", "'", "<<", ",", "\\u", "D800", "\u2028", "\x85", "0", "%YAML", "%TAG",
    "\0", "\ud800", "\ufeff",
]  # fmt: skip


def test_any_text_is_yaml_or_refused() -> None:
    chance = random.Random(0)
    read, refused = 0, []
    for _ in range(3000 // SHARE):
        text = "".join(chance.choices(PIECES, k=chance.randrange(1, 16)))
        try:
            node = read_yaml(text)
        except ValuesError as error:
            refused.append((error.line <= text.count("\n"), str(error)))
            continue
        read += 1
        assert not refused_character(str(node.plain) if node else "")
    assert read > 300 // SHARE
    assert all(is_in_it and told for is_in_it, told in refused)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"x": 1e999}', "the number 1e999 is too large"),
        (b"[-1e400]", "the number -1e400 is too large"),
        (b"[NaN]", "NaN is not a valid JSON number"),
        (b"9" * 5000, "Exceeds the limit"),
        (b"\xff", "it is not UTF-8"),
        (b"[" * 60 + b"]" * 60, "it is nested more than 50 levels deep"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b"[1,", "Expecting value"),
    ],
)
def test_json_that_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValuesError, match=r".") as error:
        read_json(data)
    assert str(error.value).startswith(reason)
