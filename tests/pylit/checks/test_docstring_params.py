"""Docstrings name the parameters that a function has, all of them and no others."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from pylit.checks.docstring_params import check_parameters
from pylit.parsing.source import parse_markdown, parse_python


def problems(text: str) -> list[str]:
    """What is wrong with a module, each as the user reads it."""
    return [f"{p.line}: {p.message}. {p.hint}" for p in check_parameters(parse_python(dedent(text), "a.py"))]


def left_out(line: int, function: str, parameter: str) -> str:
    message = f"the docstring of `{function}` does not mention the parameter `{parameter}`"
    return f"{line}: {message}. Describe it: * `{parameter}` is …"


def test_every_parameter_is_named() -> None:
    text = """
    def f(a, /, b: int, *, c=1):
        \"\"\"Multiplies `b` by two.\"\"\"
    """
    assert problems(text) == [left_out(2, "f", "a"), left_out(2, "f", "c")]
    assert problems(text.replace("by two", "by `a` and `c`")) == []
    assert problems(text.replace("by two", "by a and c")) == problems(text)
    assert problems(text.replace("by two", "by `a + c`")) == []


def test_what_is_named_is_there() -> None:
    text = """
    def f(stride, padding):
        \"\"\"
        * `stride` is one number
        * `strides` and `padding` are others
        * `dilation` is a third
        \"\"\"
    def g():
        \"\"\"
        * `x` is nothing
        \"\"\"
    """
    assert problems(text) == [
        "5: `f` has no parameter `strides`. Did you mean `stride`?",
        "6: `f` has no parameter `dilation`. Its parameters: stride, padding.",
        "10: `g` has no parameter `x`. Its parameters: none.",
    ]


@pytest.mark.parametrize(
    "docstring",
    [
        "Args:\n        a: A.\n        x: X.",
        "Parameters\n    ----------\n    a, x : int",
        ":param a: A.\n    :param x: X.",
    ],
)
def test_dialects(docstring: str) -> None:
    found = problems(f'def f(a, b):\n    """Do.\n\n    {docstring}\n    """\n')
    assert [line.partition(". ")[0].partition(": ")[2] for line in found] == [
        "`f` has no parameter `x`",
        "the docstring of `f` does not mention the parameter `b`",
    ]


def test_only_the_heads_of_items_are_taken_for_parameters() -> None:
    text = """
    def f(a, b, c):
        \"\"\"
        `z` is no parameter.

        * `a`, `b`, and `c` are like `y`
        * **`x`** and plain words are no heads
        * `a + y` is no name
        \"\"\"
    """
    assert problems(text) == []


def test_any_number_of_arguments() -> None:
    text = """
    def f(*numbers, **options):
        \"\"\"
        * `*numbers` and `**options` are passed on
        \"\"\"
    def g(*numbers, **options):
        \"\"\"Adds them.\"\"\"
    """
    assert problems(text) == [left_out(6, "g", "numbers"), left_out(6, "g", "options")]


@pytest.mark.parametrize(
    ("decorator", "signature"),
    [
        ("", "(self, a)"),
        ("@classmethod", "(cls, a)"),
        ("@staticmethod", "(a)"),
        ("@torch.no_grad()", "(self, /, a)"),
    ],
)
@pytest.mark.parametrize("name", ["f", "__init__"])
def test_methods(decorator: str, signature: str, name: str) -> None:
    method = f'{decorator or "#"}\ndef {name}{signature}:\n    "Nothing."\n'
    assert problems("class A:\n" + indent(method, "    ")) == [left_out(3, f"A.{name}", "a")]
    inner = "class A:\n    class B:\n" + indent(method.replace("Nothing", "`a`"), " " * 8)
    assert problems(inner) == []


def test_functions_that_wait() -> None:
    assert problems('async def f(a):\n    "Nothing."') == [left_out(1, "f", "a")]


@pytest.mark.parametrize(
    "text",
    [
        'def _f(a):\n    "Nothing."',
        "def f(a):\n    pass",
        'def f(a): "This is code, as it stands on the line of the function."',
        'def f(_):\n    "Nothing."',
        'class _A:\n    def f(self, a):\n        "Nothing."',
        'class A:\n    def _f(self, a):\n        "Nothing."',
        'class A:\n    def __call__(self, a):\n        "Nothing."',
        'class A:\n    @property\n    def x(self):\n        "Nothing."',
        'class A:\n    @x.setter\n    def x(self, value):\n        "Nothing."',
        'def f():\n    def g(a, b):\n        "Nothing."',
    ],
)
def test_what_is_left_alone(text: str) -> None:
    assert problems(text) == []


def test_guides_have_no_functions() -> None:
    assert list(check_parameters(parse_markdown("* `a` is …", "a.md"))) == []


def test_another_definition_may_name_them() -> None:
    text = """\
    class B(A):
        def f(self, x, y):
            \"\"\"The arguments are those of `A.f`.\"\"\"
    """
    assert problems(text) == []
    assert len(problems(text.replace("those of", "like"))) == 2
