"""What the tracer records of examples. Needs no torch."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest
from conftest import Write

from pylit.errors import PylitError
from pylit.tracing.recorder import record_trace
from pylit.tracing.tensor_watcher import describe

Seen = dict[str, dict[str, str]]
"""A line of code -> a name -> the shapes it had."""
Trace = Callable[..., Seen]


@pytest.fixture
def trace(write: Write) -> Trace:
    """Record the trace of a module, given its examples and the code below them."""

    def trace_module(examples: str, code: str, name: str = "module.py") -> Seen:
        path = write(name, module(examples, code))
        text = record_trace(path, name)
        return shown(text)

    return trace_module


def module(examples: str, code: str) -> str:
    lines = "".join(f">>> {line}\n" for line in examples.splitlines())
    return f'"""\n{lines}"""\nfrom fake_tensors import Tensor\n\n\n{textwrap.dedent(code)}'


def shown(text: str) -> Seen:
    rows = json.loads(text)["lines"] if text else []
    return {row["code"]: {name: short(values) for name, values in row["tensors"].items()} for row in rows}


def short(values: list[str]) -> str:
    return " | ".join(value.removesuffix(" float32") for value in values)


STATEMENTS = {
    "assignment": ("y = x.view(3)", {"y": "3"}),
    "annotated": ("y: Tensor = x.view(3)", {"y": "3"}),
    "only annotated": ("y: Tensor", {}),
    "augmented, in place": ("x += 1", {"x": "2×2"}),
    "several targets": ("y = z = x.view(3)", {"y": "3", "z": "3"}),
    "unpacking": ("y, (z, *w) = x, (x.view(4), x, x)", {"y": "2×2", "z": "4", "w": "2×2 float32, 2×2"}),
    "tuple": ("y = (x, x.view(4))", {"y": "2×2 float32, 4"}),
    "list of one": ("y = [x]", {"y": "2×2"}),
    "many": ("y = [x] * 5", {}),
    "partly tensors": ("y = (x, 1)", {}),
    "attribute": ("box.y = x.view(3)", {"box.y": "3"}),
    "element": ("boxes[0] = x", {}),
    "walrus": ("print(y := x.view(3))", {"y": "3"}),
    "walrus that is left out": ("print(False and (x := x.view(3)))", {}),
    "two on a line": ("y = x; z = x.view(3)", {"y": "2×2", "z": "3"}),
    "scalar": ("y = x.view()", {"y": "[]"}),
    "empty": ("y = x.view(0, 4)", {"y": "0×4"}),
    "lambda": ("y = (lambda y: y.view(3))(x)", {"y": "3"}),
    "generator expression": ("y = tuple(y for y in [x, x.view(3)])", {"y": "2×2 float32, 3"}),
    "comprehension": ("y = [z for z in [x]]", {"y": "2×2"}),
    "comprehension over itself": ("x = [(z, 1) for z in [x, x]]", {}),
    "walrus in a comprehension": ("y = [(z := w) for w in [x]]", {"z": "2×2", "y": "2×2"}),
    "one-line if": ("if x: y = x.view(3)", {"y": "3"}),
    "one-line if that is left out": ("if not x: x = x.view(3)", {}),
    "one-line return": ("if x: return x", {"return": "2×2"}),
    "one-line for": ("for z in (x, x.view(3)): y = z", {"z": "2×2 | 3", "y": "2×2 | 3"}),
    "global": ("global y; y = x", {}),
    "number": ("y = 1", {}),
}


@pytest.mark.parametrize(("line", "tensors"), STATEMENTS.values(), ids=STATEMENTS)
def test_what_a_statement_binds(trace: Trace, line: str, tensors: dict[str, str]) -> None:
    code = f"""
        class Box: pass

        def f(x, box, boxes):
            {line}
            pass
    """
    seen = trace("f(Tensor(2, 2), Box(), [1])", code)
    assert seen.get(line, {}) == tensors
    seen.pop(line, None)
    assert seen == {"def f(x, box, boxes):": {"x": "2×2"}}


def test_a_line_shows_what_it_leaves_behind_and_not_what_was_there(trace: Trace) -> None:
    code = """
        def f(x):
            x = (
                x.view(
                    3
                )
            )
            x = x.view(4)
            return (
                x
            )
    """
    assert trace("f(Tensor(2))", code) == {
        "def f(x):": {"x": "2"},
        "x = (": {"x": "3"},
        "x = x.view(4)": {"x": "4"},
        "return (": {"return": "4"},
    }


def test_several_examples_show_each_shape_once_in_order(trace: Trace) -> None:
    examples = "_ = f(Tensor(2)), f(Tensor(3, 4)), f(Tensor(2))\n_ = f(Tensor(3, dtype='int64')), f(None)"
    assert trace(examples, "def f(x):\n    return x\n") == {
        "def f(x):": {"x": "2 | 3×4 | 3 int64"},
        "return x": {"return": "2 | 3×4 | 3 int64"},
    }


def test_examples_of_definitions_count_too_in_the_order_of_their_lines(trace: Trace) -> None:
    code = '''
        class z:
            """
            >>> z().run(Tensor(2))
            """
            def run(self, x):
                self.x = x

        def a(x):
            """
            >>> z().run(Tensor(3))
            """
    '''
    assert trace("z().run(Tensor(1))", code)["self.x = x"] == {"self.x": "1 | 2 | 3"}


def test_only_so_many_shapes_are_kept(trace: Trace) -> None:
    seen = trace("for n in range(20): f(Tensor(n))", "def f(x):\n    return 1\n")
    assert seen == {"def f(x):": {"x": "0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | …"}}


def test_parameters_stand_on_lines_of_their_own(trace: Trace) -> None:
    code = """
        def f(
            a, /,
            b,
            *c,
            d=Tensor(5),
            **e,
        ):
            pass
    """
    assert trace("f(Tensor(1), Tensor(2), Tensor(3), Tensor(4), e=Tensor(6))", code) == {
        "a, /,": {"a": "1"},
        "b,": {"b": "2"},
        "*c,": {"c": "3 float32, 4"},
        "d=Tensor(5),": {"d": "5"},
    }


def test_loops(trace: Trace) -> None:
    code = """
        def f(x, sizes):
            for y in [Tensor(n) for n in sizes]:
                x = y
            while (z := x.view(*x.shape[1:])).shape:
                x = z
            for x in []:
                pass
            return None
    """
    assert trace("f(Tensor(7, 8), [])", code) == {
        "def f(x, sizes):": {"x": "7×8"},
        "while (z := x.view(*x.shape[1:])).shape:": {"z": "8 | []"},
        "x = z": {"x": "8"},
    }
    assert trace("f(Tensor(7, 8), [2, 3])", code) == {
        "def f(x, sizes):": {"x": "7×8"},
        "for y in [Tensor(n) for n in sizes]:": {"y": "2 | 3"},
        "x = y": {"x": "2 | 3"},
        "while (z := x.view(*x.shape[1:])).shape:": {"z": "[]"},
    }


def test_heads_of_several_lines(trace: Trace) -> None:
    code = """
        from contextlib import nullcontext

        def f(x):
            for y in [
                x,
                x.view(3),
            ]:
                with (
                    nullcontext(x) as a,
                    nullcontext(y) as b,
                ):
                    x = x
            match y:
                case z:
                    x = x.view(4)
                    x = x.view(5)
    """
    assert trace("f(Tensor(2))", code) == {
        "def f(x):": {"x": "2"},
        "for y in [": {"y": "2 | 3"},
        "with (": {"a": "2", "b": "2 | 3"},
        "x = x": {"x": "2"},
        "x = x.view(4)": {"x": "4"},
        "x = x.view(5)": {"x": "5"},
    }


def test_a_loop_of_one_line_without_a_head(trace: Trace) -> None:
    code = """
        def f(xs):
            try:
                while True:
                    x = next(xs)
            except StopIteration:
                pass
    """
    assert trace("f(iter([Tensor(1), Tensor(2), Tensor(3)]))", code) == {"x = next(xs)": {"x": "1 | 2 | 3"}}


def test_the_end_of_with_binds_nothing(trace: Trace) -> None:
    code = """
        from contextlib import nullcontext

        def f(x):
            while x:
                with nullcontext(x.view(3)) as y, nullcontext(), nullcontext(x.view(4)) as z:
                    y = x
                    return y
    """
    assert trace("_ = f(Tensor(2))", code) == {
        "def f(x):": {"x": "2"},
        "with nullcontext(x.view(3)) as y, nullcontext(), nullcontext(x.view(4)) as z:": {"y": "3", "z": "4"},
        "y = x": {"y": "2"},
        "return y": {"return": "2"},
    }


def test_what_stands_after_return_takes_nothing_from_it(trace: Trace) -> None:
    code = """
        def f(x):
            try:
                return x
            finally:
                x = x.view(3)
    """
    assert trace("_ = f(Tensor(2))", code) == {
        "def f(x):": {"x": "2"},
        "return x": {"return": "2"},
        "x = x.view(3)": {"x": "3"},
    }


def test_an_exception_that_is_caught_binds_nothing(trace: Trace) -> None:
    code = """
        def fail(x):
            raise ValueError

        def f(x, xs):
            try:
                x = fail(x.view(3))
            except ValueError as error:
                y = x
            try:
                x = next(xs)
            except StopIteration:
                pass
            try:
                return fail(x)
            except ValueError:
                return y
    """
    assert trace("_ = f(Tensor(2), iter([]))", code) == {
        "def fail(x):": {"x": "3 | 2"},
        "def f(x, xs):": {"x": "2"},
        "y = x": {"y": "2"},
        "return y": {"return": "2"},
    }


def test_the_end_of_finally_is_no_line_that_ran(trace: Trace) -> None:
    code = """
        from contextlib import suppress

        def fail():
            raise ValueError

        def skipped(x):
            with suppress(ValueError):
                try:
                    fail()
                finally:
                    if not x:
                        x = x.view(3)

        def broken(x):
            with suppress(ValueError):
                try:
                    fail()
                finally:
                    for _ in range(2):
                        fail()
                    x = x.view(4)

        def left(x):
            try:
                fail()
            finally:
                if not x:
                    x = x.view(5)
    """
    examples = "skipped(Tensor(2))\nbroken(Tensor(2))\nwith suppress(ValueError): left(Tensor(2))\n"
    assert trace(examples, code) == {
        "def skipped(x):": {"x": "2"},
        "def broken(x):": {"x": "2"},
        "def left(x):": {"x": "2"},
    }


def test_an_exception_that_is_expected_is_none(trace: Trace) -> None:
    code = '''
        def f(x):
            """
            >>> f(Tensor(2))
            Traceback (most recent call last):
            ValueError
            """
            raise ValueError
    '''
    assert trace("", code) == {"def f(x):": {"x": "2"}}


def test_generators(trace: Trace) -> None:
    code = """
        def pairs(x):
            y = x.view(1)
            z = yield y
            w = x
            yield z
            yield from [x.view(5), x.view(6)]

        def f(x):
            found = pairs(x)
            a = next(found)
            b = found.send(x.view(9))
            for c in found:
                pass
    """
    assert trace("f(Tensor(2))", code) == {
        "def pairs(x):": {"x": "2"},
        "y = x.view(1)": {"y": "1"},
        "z = yield y": {"yield": "1", "z": "9"},
        "w = x": {"w": "2"},
        "yield z": {"yield": "9"},
        "yield from [x.view(5), x.view(6)]": {"yield": "5 | 6"},
        "def f(x):": {"x": "2"},
        "a = next(found)": {"a": "1"},
        "b = found.send(x.view(9))": {"b": "9"},
        "for c in found:": {"c": "5 | 6"},
    }


def test_what_a_generator_returns_and_a_coroutine(trace: Trace) -> None:
    code = """
        import asyncio

        def inner(x):
            yield 1
            return x.view(3)

        def outer(x):
            y = yield from inner(x)
            x = y
            x = x

        async def slow(x):
            await asyncio.sleep(0)
            return x.view(4)

        async def wait(x):
            x = await slow(x)
    """
    assert trace("_ = list(outer(Tensor(2)))\nasyncio.run(wait(Tensor(2)))", code) == {
        "def inner(x):": {"x": "2"},
        "return x.view(3)": {"return": "3"},
        "def outer(x):": {"x": "2"},
        "y = yield from inner(x)": {"y": "3"},
        "x = y": {"x": "3"},
        "x = x": {"x": "3"},
        "async def slow(x):": {"x": "2"},
        "return x.view(4)": {"return": "4"},
        "async def wait(x):": {"x": "2"},
        "x = await slow(x)": {"x": "4"},
    }


def test_a_generator_that_is_closed_binds_nothing_more(trace: Trace) -> None:
    code = """
        def inner(x):
            yield x.view(3)

        def outer(x):
            x = yield from inner(x)

        def f(x):
            found = outer(x)
            next(found)
            found.close()
    """
    assert trace("f(Tensor(2))", code)["x = yield from inner(x)"] == {"yield": "3"}


def test_recursion_and_nested_functions(trace: Trace) -> None:
    code = """
        def f(x):
            if not x.shape:
                return x
            y = f(x.view(*x.shape[1:]))
            def inner(z):
                nonlocal y
                y = z
            inner(x)
            return y
    """
    assert trace("_ = f(Tensor(3, 2))", code) == {
        "def f(x):": {"x": "3×2 | 2 | []"},
        "return x": {"return": "[]"},
        "y = f(x.view(*x.shape[1:]))": {"y": "[] | 2"},
        "def inner(z):": {"z": "2 | 3×2"},
        "y = z": {"y": "2 | 3×2"},
        "return y": {"return": "2 | 3×2"},
    }


def test_decorated_functions(trace: Trace) -> None:
    code = """
        import functools

        def doubled(function):
            @functools.wraps(function)
            def wrapper(*args):
                return function(*args), 2
            return wrapper

        class A:
            @staticmethod
            @doubled
            def f(x):
                return x
    """
    assert trace("_ = A.f(Tensor(2))", code) == {
        "def wrapper(*args):": {"args": "2"},
        "def f(x):": {"x": "2"},
        "return x": {"return": "2"},
    }


def test_only_functions_of_the_file_are_watched(trace: Trace) -> None:
    code = """
        first = Tensor(1)

        def f():
            class B:
                second = Tensor(2)
            return 1
    """
    assert trace("third = first\ndef g(x): return x\n\n_ = g(Tensor(3)), f()", code) == {}


def test_a_module_that_is_imported_under_another_name(trace: Trace) -> None:
    examples = """\
import importlib.util
spec = importlib.util.spec_from_file_location("other", __file__)
other = importlib.util.module_from_spec(spec)
spec.loader.exec_module(other)
_ = other.f(Tensor(2))"""
    assert trace(examples, "def f(x):\n    return x\n") == {
        "def f(x):": {"x": "2"},
        "return x": {"return": "2"},
    }


def test_modules_of_packages_import_each_other(trace: Trace, write: Write) -> None:
    write("pkg/__init__.py", "")
    write("pkg/sub/__init__.py", "from ..other import g\n")
    write("pkg/other.py", "from fake_tensors import Tensor\n\ndef g():\n    return Tensor(5)\n")
    code = "from . import g\n\ndef f():\n    x = g()\n"
    assert trace("f()", code, "pkg/sub/module.py") == {"x = g()": {"x": "5"}}
    assert not [name for name in sys.modules if name.partition(".")[0] == "pkg"]


def test_what_was_imported_before_is_so_afterwards(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("module")
    monkeypatch.setitem(sys.modules, "module", other)
    monkeypatch.setitem(sys.modules, "module.part", other)
    before = sys.path[:]
    assert trace("f(Tensor(2))", "def f(x): ...\n") == {"def f(x): ...": {"x": "2"}}
    assert sys.modules["module"] is sys.modules["module.part"] is other
    assert sys.path == before


def test_caches_of_an_earlier_run_leave_no_gap(trace: Trace, write: Write) -> None:
    code = "import functools\n\n@functools.cache\ndef f():\n    x = Tensor(2)\n"
    assert trace("f()", code) == trace("f()", code) == {"x = Tensor(2)": {"x": "2"}}


def test_the_same_text_every_time(write: Write) -> None:
    code = "def f(b, a):\n    c, d = b, a\n    return c\n\ndef g(x):\n    y = x\n"
    path = write("module.py", module("f(Tensor(2), Tensor(3))\ng(Tensor(4))", code))
    assert (
        record_trace(path, "module.py")
        == record_trace(path, "module.py")
        == textwrap.dedent("""\
        {"recorded_by": "pylit trace module.py", "lines": [
        {"in": "f", "line": 1, "code": "def f(b, a):", "tensors": {"b": ["2 float32"], "a": ["3 float32"]}},
        {"in": "f", "line": 2, "code": "c, d = b, a", "tensors": {"c": ["2 float32"], "d": ["3 float32"]}},
        {"in": "f", "line": 3, "code": "return c", "tensors": {"return": ["2 float32"]}},
        {"in": "g", "line": 1, "code": "def g(x):", "tensors": {"x": ["4 float32"]}},
        {"in": "g", "line": 2, "code": "y = x", "tensors": {"y": ["4 float32"]}}
        ]}
        """)
    )


@pytest.mark.parametrize("examples", ["f(Tensor(2))", "f(Tensor(2)); 1 / 0"])
def test_whoever_was_tracing_before_does_so_afterwards(trace: Trace, examples: str) -> None:
    calls: list[str] = []

    def other(frame: FrameType, event: str, arg: object) -> Any:
        calls.append(frame.f_code.co_name)

    before = sys.gettrace()
    sys.settrace(other)
    try:
        if "/" in examples:
            with pytest.raises(PylitError):
                trace(examples, "def f(x): ...\n")
        else:
            trace(examples, "def f(x): ...\n")
        assert sys.gettrace() is other
    finally:
        sys.settrace(before)
    assert "record_trace" in calls


def test_a_module_without_examples_or_tensors_has_no_trace(trace: Trace, write: Write) -> None:
    assert record_trace(write("evil.py", "raise SystemExit('imported')\n"), "evil.py") == ""
    assert trace("f(1)", "def f(x):\n    y = x\n") == {}


class Stubborn:
    """Cannot be asked for anything."""

    @property
    def shape(self) -> object:
        raise RuntimeError


class Named:
    shape = [2, 3]  # noqa: RUF012

    class dtype:
        name = "datetime64 [ns]"


class Frame:
    shape = (2, 3)


class Symbolic:
    shape = ("batch", 3)
    dtype = "float32"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Named(), "2×3 datetime64[ns]"),
        ((), ""),
        (None, ""),
        (Stubborn(), ""),
        (Frame(), ""),
        (Symbolic(), ""),
        ((1, 2), ""),
        ([Named()] * 4, ", ".join(["2×3 datetime64[ns]"] * 4)),
    ],
)
def test_what_is_a_tensor(value: object, text: str) -> None:
    assert describe(value) == text


def failure(path: Path) -> str:
    with pytest.raises(PylitError) as caught:
        record_trace(path, path.name)
    return str(caught.value)


def test_an_example_that_fails_says_where(write: Write) -> None:
    text = module("x = 1\nf(Tensor(2))\nx", "def f(x):\n    raise ValueError('no such size')\n")
    assert failure(write("module.py", text)) == (
        "module.py:3: error: the example `f(Tensor(2))` raised ValueError: no such size\n"
        "    Fix it, then run `pylit trace module.py` again."
    )


def test_of_two_examples_alike_the_one_that_fails_is_named(write: Write) -> None:
    code = 'def f(x):\n    """\n    >>> 1 / x\n    """\n'
    path = write("module.py", module("x = 1\n1 / x", code + "\nx = 0\n"))
    assert failure(path).startswith("module.py:10: error: the example `1 / x` raised ZeroDivisionError")


def test_a_module_that_cannot_be_imported_says_where(write: Write) -> None:
    path = write("module.py", '">>> 1"\n\nimport nothing.like.this\n')
    assert failure(path) == (
        "module.py:3: error: cannot be imported: ModuleNotFoundError: No module named 'nothing'\n"
        "    Fix it, or install what it needs; then run `pylit trace module.py` again."
    )
    path = write("leaves.py", '">>> 1"\nraise SystemExit(2)\n')
    assert failure(path).startswith("leaves.py:2: error: cannot be imported: SystemExit: 2")


def test_a_name_that_belongs_to_python(write: Write) -> None:
    message = "time.py: error: cannot be imported: `time` is part of Python itself\n    Rename it."
    assert failure(write("time.py", '">>> 1"\n')) == message
    import time

    assert sys.modules["time"] is time
