"""Records traces: runs the examples of modules while `TensorWatcher` notes the tensors on their lines.

This is the only part of pylit that runs the code it documents, at the request of the user of `pylit trace`. Pages are
made without it. The output of examples is not checked; that is the job of tests.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import Problem, PylitError
from ..filesystem import resolve_path, write_file
from ..parsing import Source, read_source, syntax_tree
from .bindings import find_bindings
from .format import NoTraceError, read_trace, trace_command, trace_text
from .tensor_watcher import TensorWatcher


def write_trace(path: Path, text: str) -> bool:
    """Write a trace, or remove it if `text` is empty; return whether anything has changed.

    Raises:
        PylitError: if the file exists and is not a trace.
    """
    is_there = path.is_file() and not path.is_symlink()
    before = path.read_text("utf-8", errors="replace") if is_there else ""
    if before == text:
        return False
    if before and not is_trace(path):
        hint = "Remove it if it is not needed, or record traces to another folder."
        raise PylitError(
            Problem(path.as_posix(), 0, "is not overwritten, because it is not a valid trace", hint)
        )
    if not text:
        path.unlink()
        return True
    write_file(path, text.encode())
    return True


def is_trace(path: Path) -> bool:
    """Return whether the file at `path` is a valid trace."""
    try:
        read_trace(path)
    except NoTraceError:
        return False
    return True


def record_trace(path: Path, file: str) -> str:
    """Run the examples of the module at `path`, and return its trace; empty if no line has a tensor.

    Raises:
        PylitError: if the module cannot be read or imported, or an example raises an unexpected exception.
    """
    source = read_source(path, file)
    if ">>> " not in source.text:
        return ""
    path = resolve_path(path)
    tree = syntax_tree(source.text)
    watcher = TensorWatcher(path, find_bindings(tree))
    with import_fresh(path, file) as module:
        tests = doctest.DocTestFinder(exclude_empty=True).find(module)
        # By its own guess, doctest takes a function that is wrapped for one of the wrapper's file.
        lines = dict(_definitions(tree, module.__name__))
        for test in sorted(tests, key=lambda test: (lines.get(test.name, 0), test.name)):
            try:
                with watcher.watching():
                    _Runner().run(test, out=lambda text: None)
            except doctest.UnexpectedException as error:
                raise PylitError(_failed(error, source)) from error.exc_info[1]
    return trace_text(source, watcher.seen)


def _definitions(node: ast.AST, name: str) -> Iterator[tuple[str, int]]:
    """Yield the full name and the line of each class and function, those in classes too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name}.{child.name}", child.lineno
            yield from _definitions(child, f"{name}.{child.name}")


class _Runner(doctest.DocTestRunner):
    """A runner that does not check the output of examples."""

    def report_failure(self, *_: object) -> None:
        pass

    def report_unexpected_exception(
        self, out: object, test: doctest.DocTest, example: doctest.Example, exc_info: Any
    ) -> None:
        raise doctest.UnexpectedException(test, example, exc_info)


def _failed(error: doctest.UnexpectedException, source: Source) -> Problem:
    exception = error.exc_info[1]
    first = error.example.source.split("\n")[0]
    near = (error.test.lineno or 0) + error.example.lineno + 1  # only a guess by doctest
    same = [number for number, line in enumerate(source.lines, 1) if line.strip() == f">>> {first}"]
    line = min(same, key=lambda number: abs(number - near), default=near)
    message = f"the example `{first}` raised {type(exception).__name__}: {exception}"
    return Problem(source.file, line, message, f"Fix it, then run `{trace_command(source.file)}` again.")


@contextmanager
def import_fresh(path: Path, file: str) -> Iterator[ModuleType]:
    """Import the module at `path` and its package afresh, so that their caches are empty.

    Restores the previously imported modules at the end.
    """
    name, root = module_name(path)
    package = name.partition(".")[0]
    paths, others = sys.path[:], _take_out(package)
    sys.path.insert(0, str(root))
    try:
        yield _import(name, path, file)
    finally:
        sys.path[:] = paths
        _take_out(package)
        sys.modules.update(others)


def module_name(path: Path) -> tuple[str, Path]:
    """Return the full name of the module at `path`, and the folder that its package is in."""
    parts = [path.stem] if path.stem != "__init__" else []
    root = path.parent
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    return ".".join(parts), root


def _take_out(package: str) -> dict[str, ModuleType]:
    """Remove the modules of a package from `sys.modules`, and return them."""
    names = [name for name in sys.modules if name == package or name.startswith(package + ".")]
    return {name: sys.modules.pop(name) for name in names}


def _import(name: str, path: Path, file: str) -> ModuleType:
    try:
        importlib.invalidate_caches()
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        line = next((frame.lineno for frame in reversed(frames) if frame.filename == str(path)), 0)
        reason = f"cannot be imported: {type(error).__name__}: {error}"
        hint = f"Fix it, or install what it needs; then run `{trace_command(file)}` again."
        raise PylitError(Problem(file, line or 0, reason, hint)) from error
    found = getattr(module, "__file__", None)
    if os.path.realpath(found or "") != str(path):
        reason = f"cannot be imported: `{name}` is {found or 'part of Python itself'}"
        raise PylitError(Problem(file, 0, reason, "Rename it."))
    return module
