"""Watches the functions of one file run, and notes every tensor that a line of it binds or hands out.

Uses Python's tracing hook, which tells when a line begins, a function is entered or left, and an exception passes by. A
tensor is whatever has a shape and a dtype. Bodies of modules and classes, lambdas, comprehensions and other threads
are not watched.
"""

from __future__ import annotations

import dis
import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from .bindings import Bindings, Step, When
from .traces import MORE

KEPT = 8
"""Different shapes of one name on one line that are noted."""
FEW = 4
"""Tensors of a tuple or list that are noted."""
_FUNCTION = inspect.CO_OPTIMIZED
"""The flag that functions have, and the bodies of modules and classes do not."""
_YIELD = dis.opmap["YIELD_VALUE"]
_RETURN = {dis.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in dis.opmap}
_COPY, _POP_EXCEPT, _RERAISE = (dis.opmap[name] for name in ("COPY", "POP_EXCEPT", "RERAISE"))
_MISSING = object()


class Watcher:
    """Watches the functions of a file, whatever name it is imported under."""

    def __init__(self, path: Path, bindings: Bindings) -> None:
        self.bindings = bindings
        self.seen: dict[int, dict[str, dict[str, None]]] = {}
        """Line -> name -> what was seen, in the order of its first appearance."""
        self._path = os.path.realpath(path)
        self._ours: dict[CodeType, bool] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what this thread does; whoever was watching before does so again afterwards."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def note(self, line: int, name: str, value: object) -> None:
        """Note that `value` was seen, if it is a tensor or a few of them."""
        if text := describe(value):
            seen = self.seen.setdefault(line, {}).setdefault(name, {})
            seen.setdefault(text if len(seen) < KEPT or text in seen else MORE)

    def _enter(self, frame: FrameType, event: str, arg: object) -> Any:
        code = frame.f_code
        if code not in self._ours:
            self._ours[code] = bool(
                code.co_flags & _FUNCTION
                and not code.co_name.startswith("<")
                and os.path.realpath(code.co_filename) == self._path
            )
        if not self._ours[code]:
            return None
        if frame.f_trace is not None:
            return frame.f_trace  # a generator that goes on
        for name, line in self.bindings.parameters.get((code.co_firstlineno, code.co_name), ()):
            self.note(line, name, frame.f_locals.get(name))
        return _Call(self)


class _Call:
    """Watches one call of a function."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.step: Step | None = None
        """What the line that began last does; none if it was left by an exception."""
        self.before: dict[str, object] = {}
        """What its names held when it began."""
        self.doubtful = False
        """Whether an exception passed by that may or may not have left it."""
        self.returns = 0
        """The last line with a `return`. Others may run after it: `finally`, the end of a `with`."""

    def __call__(self, frame: FrameType, event: str, arg: Any) -> _Call:
        match event:
            case "line" if _is_cleanup(frame):
                self._end(frame, 0)
                self.step = None
            case "line":
                self._line(frame)
            case "exception" if issubclass(arg[0], StopIteration):
                self.doubtful = True  # `await` and `yield from` end with one that nobody else gets to see
            case "exception":
                self.step = None
            case "return" if _instruction(frame) in _RETURN:
                self._end(frame, 0)
                if self.returns:
                    self.watcher.note(self.returns, "return", arg)
            case "return" if _YIELD in (_instruction(frame), _instruction(frame, -1)):
                if self.step:
                    self.watcher.note(self.step.lines.start, "yield", arg)
            case "return":  # by an exception
                self.doubtful = True
                self._end(frame, 0)
        return self

    def _line(self, frame: FrameType) -> None:
        line = frame.f_lineno
        step = self.watcher.bindings.steps.get(line)
        if step is not None and step is self.step and not step.restarts:
            return
        self._end(frame, line)
        self.step, self.doubtful = step, False
        if step:
            self.returns = step.returns or self.returns
            self.before = {b.name: frame.f_locals.get(b.name, _MISSING) for b in step.bindings}

    def _end(self, frame: FrameType, line: int) -> None:
        """Note what the last step has bound, now that `line` begins, or nothing more."""
        for binding in self.step.bindings if self.step else ():
            assert self.step is not None
            if binding.when is When.INSIDE and line not in self.step.body:
                continue
            owner, _, attribute = binding.name.rpartition(".")
            value = frame.f_locals.get(owner or attribute, _MISSING)
            if binding.when is When.CHANGED or self.doubtful:
                if owner or value is self.before[binding.name]:
                    continue
            elif owner:
                value = _attribute(value, attribute)
            self.watcher.note(binding.line, binding.name, value)


def _is_cleanup(frame: FrameType) -> bool:
    """Whether an exception is only passed on. Python may announce the last line of `finally` then, and not run it."""
    now, then = _instruction(frame), _instruction(frame, 1)
    return now == _RERAISE or (now == _COPY and then == _POP_EXCEPT)


def _instruction(frame: FrameType, offset: int = 0) -> int:
    """The instruction that a frame has come to, or one beside it: from Python 3.13 on it is already past a `yield`."""
    code, at = frame.f_code.co_code, frame.f_lasti + 2 * offset
    return code[at] if at < len(code) else -1


def describe(value: object) -> str:
    """A tensor, or the few of a tuple or list, as text: `2×16 float32`, `[] int64, 4 bool`; empty for anything else."""
    if isinstance(value, tuple | list):
        texts = [_tensor(item) for item in value[:FEW]] if len(value) <= FEW else []
        return ", ".join(texts) if all(texts) else ""
    return _tensor(value)


def _tensor(value: object) -> str:
    shape, dtype = _attribute(value, "shape"), _attribute(value, "dtype")
    if not isinstance(shape, tuple | list) or dtype is None or dtype is _MISSING:
        return ""
    if not all(isinstance(size, int) for size in shape):
        return ""
    name = getattr(dtype, "name", None) or str(dtype).rpartition(".")[2]
    return f"{'×'.join(map(str, shape)) or '[]'} {''.join(str(name).split())}"


def _attribute(value: object, name: str) -> object:
    try:
        return getattr(value, name, _MISSING)
    except Exception:  # an object whose attributes cannot be read is no tensor
        return _MISSING
