"""Watches the functions of a file run, and notes every tensor that a line binds, returns or yields.

Uses Python's tracing hook, which reports the start of a line, entering and leaving a function, and exceptions. A
tensor is any object with a shape and a dtype. Bodies of modules and classes, lambdas, comprehensions and other threads
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
from .format import MORE

MANY = 8
"""Maximum number of distinct shapes noted per name and line."""
FEW = 4
"""Maximum length of a tuple or list of tensors that is noted."""
_FUNCTION = inspect.CO_OPTIMIZED
"""Flag of code objects of functions, as opposed to bodies of modules and classes."""
_YIELD = dis.opmap["YIELD_VALUE"]
_RETURN = {dis.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in dis.opmap}
_COPY, _POP_EXCEPT, _RERAISE = (dis.opmap[name] for name in ("COPY", "POP_EXCEPT", "RERAISE"))
_MISSING = object()


class TensorWatcher:
    """A watcher of the functions of a file, under whatever name it is imported."""

    def __init__(self, path: Path, bindings: Bindings) -> None:
        self.bindings = bindings
        self.seen: dict[int, dict[str, dict[str, None]]] = {}
        """Line -> name -> distinct values, in order of first appearance."""
        self._path = os.path.realpath(path)
        self._ours: dict[CodeType, bool] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the current thread; restore the previous tracing function at the end."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def note(self, line: int, name: str, value: object) -> None:
        """Note `value` if it is a tensor or a few of them."""
        if text := describe(value):
            seen = self.seen.setdefault(line, {}).setdefault(name, {})
            seen.setdefault(text if len(seen) < MANY or text in seen else MORE)

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
            return frame.f_trace  # a generator that is resumed
        for name, line in self.bindings.parameters.get((code.co_firstlineno, code.co_name), ()):
            self.note(line, name, frame.f_locals.get(name))
        return _Call(self)


class _Call:
    """A watched call of a function."""

    def __init__(self, watcher: TensorWatcher) -> None:
        self.watcher = watcher
        self.step: Step | None = None
        """The step of the current line; `None` if an exception has left it."""
        self.before: dict[str, object] = {}
        """The values of its names when it started."""
        self.doubtful = False
        """Whether an exception may have left the step."""
        self.returns = 0
        """Line of the last `return`. Other lines may run after it: `finally`, the end of a `with`."""

    def __call__(self, frame: FrameType, event: str, arg: Any) -> _Call:
        match event:
            case "line" if _is_cleanup(frame):
                self._end(frame, 0)
                self.step = None
            case "line":
                self._line(frame)
            case "exception" if issubclass(arg[0], StopIteration):
                self.doubtful = True  # `await` and `yield from` end with one internally
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
        """Note the values bound by the last step, now that `line` begins; 0 at the end of the function."""
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
    """Return whether an exception is being passed on. Python may then report the last line of `finally` without
    running it.
    """
    now, then = _instruction(frame), _instruction(frame, 1)
    return now == _RERAISE or (now == _COPY and then == _POP_EXCEPT)


def _instruction(frame: FrameType, offset: int = 0) -> int:
    """Return the current instruction of a frame, or one next to it: since Python 3.13, it is already past a `yield`."""
    code, at = frame.f_code.co_code, frame.f_lasti + 2 * offset
    return code[at] if at < len(code) else -1


def describe(value: object) -> str:
    """Format a tensor, or a short tuple or list of them: `2×16 float32`, `[] int64, 4 bool`; empty otherwise."""
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
    except Exception:  # an object whose attributes cannot be read is not a tensor
        return _MISSING
