"""Code that is commented out is code, and sentences are not."""

from __future__ import annotations

import pytest
from cutting import checked, code, prose

from pylit.defaults import Conventions
from pylit.parsing.source import parse_python

FILE = "import torch\n\nx = model = torch.zeros(1)\n"
CODE = [
    "x = old(a, b)",
    "x, y = old(a)",
    "x: int = 3",
    "x += 1",
    "self.x[0] = 1",
    "import os",
    "import torch",
    "import a.b",
    "import a as b",
    "from a import b",
    "print(x)",
    "loss.backward()",
    "f(x, key=1)",
    "f('a')",
    "await f('a')",
    "return f(x)",
    "return x + 1",
    "raise ValueError",
    "raise ValueError('a')",
    "assert x == 1",
    "del x",
    "for i in range(3):\n    print(i)",
    "for i in range(3):",
    "if x > 1:",
    "if a:\n    f(1)\nelse:\n    g(2)",
    "else:\n    f(1)",
    "elif x > 1:\n    f(1)",
    "except ValueError:\n    f(1)",
    "try:\n    f(1)\nfinally:\n    g(1)",
    "with open('a') as f:\n    pass",
    "while True:\n    x = 1",
    "def f(x):\n    return x",
    "class A(B):\n    x = 1",
    "class A:",
    "@torch.jit.script",
    "x = [\n    1,\n\n    2,\n]",
    "f(\n    a,\n    b=1,\n)",
    "global x",
    "{\n    'a': 1,\n}",
    "{'a': 1, 'b': 2}",
]


@pytest.mark.parametrize("text", CODE)
@pytest.mark.parametrize("sign", ["#", "# ", "    # "])
def test_code(text: str, sign: str) -> None:
    body = "\n".join(f"{sign}{line}" for line in text.split("\n"))
    source = checked(
        f"{FILE}if x:\n    y = 1\n{body}\n    z = 2\n" if sign[0] == " " else f"{FILE}{body}\ny = 1\n"
    )
    assert prose(source) == []
    assert set(body.split("\n")) <= set(code(source)) | {sign, sign.rstrip()}


SENTENCES = [
    "x",
    "return early",
    "return None",
    "raise early",
    "assert sanity",
    "pass",
    "continue",
    "import libraries",
    "note: remember",
    "x: (B, T)",
    "(B, T, C)",
    "x == 1",
    "N = batch",
    "if needed: skip",
    "if training:",
    "with care: do",
    "while true: loop",
    "class imbalance: weights",
    "for example: this",
    "softmax(q)",
    "e.g. f(x)",
    "print it",
    "Then call f(x).",
    "see f(x) for more",
    "x = 5 percent",
    "1 + 1",
    "'quoted'",
    "def ined",
    "...",
    "a, b",
    "not yet",
    "yield",
    "lambda: x",
]


@pytest.mark.parametrize("text", SENTENCES)
def test_sentences(text: str) -> None:
    assert prose(checked(f"{FILE}# {text}\ny = 1\n")) == [text]


def test_a_name_of_the_file_makes_the_difference() -> None:
    assert prose(checked("N = size\nsize = 1\n# N = size\n")) == []
    assert prose(checked("softmax = 1\n# softmax(q)\n")) == []
    assert prose(checked("batch = 1\n# for x in batch:\n")) == []


def test_what_nothing_parts_from_its_sign_is_taken_for_code_sooner() -> None:
    assert prose(checked("#import libraries\nx = 1\n")) == []


def test_code_among_sentences() -> None:
    source = checked("# The old way:\n# x = f(1)\n# print(x)\n# Now do it right.\nx = g(1)\n")
    assert prose(source) == ["The old way:", "Now do it right."]
    assert code(source) == ["# x = f(1)", "# print(x)", "x = g(1)"]


def test_a_call_in_the_middle_of_a_sentence() -> None:
    assert prose(checked("# Before that, one must use\n# a.b.f()\n# again.\nx = 1\n")) == [
        "Before that, one must use",
        "a.b.f()",
        "again.",
    ]


@pytest.mark.parametrize(
    "text", ["```python\nx = f(1)\n```", ">>> x = f(1)\n>>> print(x)\n1", "* x\n\n      x = f(1)"]
)
def test_code_in_markdown(text: str) -> None:
    comment = "\n".join(f"# {line}" for line in text.split("\n"))
    assert [line for line in prose(checked(f"{comment}\nx = 1\n")) if line] == [
        line for line in text.split("\n") if line
    ]


def test_code_that_ends_wrong_is_code_up_to_there() -> None:
    source = checked("# x = f(1)\n# y = (g\n# z = h h\ny = 1\n")
    assert code(source)[0] == "# x = f(1)"
    assert prose(source) == ["y = (g", "z = h h"]


@pytest.mark.parametrize("text", ["x = (" * 300, "x = \0", "x = a" + ".b" * 10_000, "f("])
def test_what_the_parser_does_not_take_is_prose(text: str) -> None:
    if "\0" not in text:  # no file of Python holds one
        assert prose(checked(f"# {text}\ny = 1\n")) == [text]


def test_it_can_be_switched_off() -> None:
    source = parse_python("# x = f(1)\ny = 1\n", "a.py", Conventions(dead_code=False))
    assert prose(source) == ["x = f(1)"]
