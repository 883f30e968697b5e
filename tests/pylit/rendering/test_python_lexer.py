"""Modules are coloured as Pygments would colour them."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest
from pygments.lexers.python import PythonLexer
from sampling import thinned

from pylit.parsing.source import decode_python, parse_python, split_lines
from pylit.parsing.syntax import python_tokens
from pylit.rendering.code_html import ColouredCode, _css
from pylit.rendering.python_lexer import NAMES, colours
from pylit.resolve.uses import find_uses

LIBRARY = Path(sysconfig.get_path("stdlib"))
FILES = sorted(
    path
    for package in ("asyncio", "email", "json", "logging", "unittest")
    for path in (LIBRARY / package).glob("*.py")
)


def ours(text: str) -> dict[tuple[int, int], str]:
    """The class of each character that has one, by line and column."""
    lines = split_lines(text)
    found = {}
    last = (1, 0)
    for place, end, css, _ in colours(python_tokens(text), lines):
        assert place >= last, "pieces are in order and do not overlap"
        assert place[1] < end <= len(lines[place[0] - 1])
        last = (place[0], end)
        found.update({(place[0], column): css for column in range(place[1], end) if css})
    return {place: css for place, css in found.items() if not lines[place[0] - 1][place[1]].isspace()}


def theirs(text: str) -> dict[tuple[int, int], str]:
    found, line, column = {}, 1, 0
    for kind, value in PythonLexer(stripnl=False, ensurenl=False).get_tokens(text):
        for character in value:
            if (css := _css(kind)) and not character.isspace():
                found[line, column] = css
            line, column = (line + 1, 0) if character == "\n" else (line, column + 1)
    return found


def names(text: str) -> dict[tuple[int, int], str]:
    """The name or number that each character belongs to."""
    lines = split_lines(text)
    return {
        (place[0], column): lines[place[0] - 1][place[1] : end]
        for place, end, css, is_name in colours(python_tokens(text), lines)
        if is_name or css == "m"
        for column in range(place[1], end)
    }


@pytest.mark.parametrize("path", thinned(FILES, 3, 6), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_as_pygments(path: Path) -> None:
    """Where Pygments has lists, we have rules: for methods with underscores, builtins, and imaginary numbers."""
    text = decode_python(path.read_bytes(), path.name)
    mine, other, word = ours(text), theirs(text), names(text)
    for place in mine.keys() | other.keys():
        if mine.get(place) != other.get(place):
            name = word.get(place, "")
            is_ruled = (
                name.startswith("__") or name in ("case", "sentinel") or name in NAMES or name.endswith("j")
            )
            assert is_ruled, (place, text.split("\n")[place[0] - 1], mine.get(place), other.get(place))


def test_every_kind_of_string() -> None:
    for text in (
        """x = "a\\n%s {name} {{}} \\x41" + 'b\\'' + r"\\d\\n" + rb"\\0" + b"\\x00\\101" + u"\\N{BULLET}"\n""",
        """x = f"{a!r:>{width}} {{no}} {b['k']} {c:%Y} {d = } \\n"\n""",
        '''x = f"""{\na +\n len("x")}\n\\t{b}"""\n''',
        """x = rf"\\d{a}" + fr'{b}\\n' + F"{lambda_(1)}{x if y else None}{not z}"\n""",
        """x = f"{'a' 'b'}{f'{c}'}{[i for i in range(3)]}{d != e}"\n""",
        """x = "%(name)s %5.2f %% %" % {}\n""",
    ):
        ast.parse(text)
        assert ours(text) == theirs(text), text


def test_strings_over_several_lines() -> None:
    text = "x = (f'''a\n{b\n}c\n''',\n     '''\n%s\n''')\n"
    assert ours(text) == theirs(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "match x:\n    case [a, _]:\n        pass\n    case _: y = 1\n",
            {(1, 0), (2, 4), (2, 13), (3, 8), (4, 4), (4, 9)},
        ),
        ("match = case = 1\nmatch.case(x)\nmatch, y = 1, 2\n", set()),
        ("match: int = 1\nmatch[1:2] = x\ncase(x)\n", set()),
        ("match (x):\n    case {'a': 1}: pass\n", {(1, 0), (2, 4), (2, 19)}),
    ],
)
def test_match_is_a_keyword_where_it_is_one(text: str, expected: set[tuple[int, int]]) -> None:
    ast.parse(text)
    pieces = colours(python_tokens(text), split_lines(text))
    assert {piece.place for piece in pieces if piece.css == "k"} == expected


def test_decorators_lead_to_their_definitions() -> None:
    source = parse_python("import abc\n\n\n@abc.abstractmethod\ndef f(): pass\n", "a.py")
    lines = ColouredCode(source, find_uses(source)).lines()
    assert lines[3] == '<span class="nd">@</span><span class="nd" data-n="0">abc</span>.abstractmethod'


def test_keyword_arguments_and_attributes_are_no_builtins() -> None:
    assert ours("x.len(help=1, file=y.print)\n") == {(1, 11): "m"}


@pytest.mark.parametrize(
    ("text", "css"),
    [
        ("type X = int\n", {"type": "k", "X": "nc", "int": "nb"}),
        ("type X[T] = list[T]\n", {"type": "k", "X": "nc", "list": "nb"}),
        ("if x: type Y = int\n", {"if": "k", "type": "k", "Y": "nc", "int": "nb"}),
        ("type type = type\n", {"type": "nb"}),  # the last one
        ("type(x)\n", {"type": "nb"}),
        ("type = 3\n", {"type": "nb", "3": "m"}),
        ("type[x] = 3\n", {"type": "nb", "3": "m"}),
        ("type in x\n", {"type": "nb", "in": "k"}),
        ("x: type = 3\n", {"type": "nb", "3": "m"}),
        ("type", {"type": "nb"}),
    ],
)
def test_statements_of_types(text: str, css: dict[str, str]) -> None:
    """Pygments does not know them yet. Nor does Python before 3.12, but its tokenizer takes them."""
    lines = split_lines(text)
    found = {
        lines[place[0] - 1][place[1] : end]: kind
        for place, end, kind, _ in colours(python_tokens(text), lines)
        if kind
    }
    assert found == css
