"""Records traces: runs the examples of modules while `watcher` notes the tensors on their lines.

This is the one part of pylit that runs the code it documents, because the user of `pylit trace` asks for just that. No
page is made with it. What the examples print is for the tests to look at.
"""

from __future__ import annotations

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

from .bindings import find_bindings
from .errors import Problem, PylitError
from .model import Source
from .site import Site
from .source import read_source, syntax_tree
from .traces import NoTraceError, command, read_trace, trace_path, trace_text
from .watcher import Watcher


def trace_site(site: Site, folder: Path) -> Iterator[Path | PylitError]:
    """Record the traces of all modules of `site` in `folder`, and remove those of modules that are gone.

    Yields each file that changed, and what is wrong with a module, whose trace is then left as it was.
    """
    expected = set()
    for page in site.pages:
        if page.file.endswith(".py"):
            path = trace_path(folder, page.file)
            expected.add(path)
            try:
                if _write(path, record(site.path(page.file), page.file)):
                    yield path
            except PylitError as error:
                yield error
    for root, _ in site.settings.roots:
        for path in sorted((folder / root).rglob("*.json")):
            if path not in expected and _is_trace(path):
                path.unlink()
                yield path


def _write(path: Path, text: str) -> bool:
    """Write a trace, or remove it if `text` is empty; return whether anything has changed."""
    before = path.read_text("utf-8", errors="replace") if path.is_file() else ""
    if before == text:
        return False
    if before and not _is_trace(path):
        hint = "Remove it if it is not needed, or record traces in another folder."
        raise PylitError(Problem(path.as_posix(), 0, "is not overwritten, as it is no trace", hint))
    if not text:
        path.unlink()
        return True
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")
    return True


def _is_trace(path: Path) -> bool:
    try:
        read_trace(path)
    except NoTraceError:
        return False
    return True


def record(path: Path, file: str) -> str:
    """Run the examples of the module at `path`, and return its trace; empty if they bring no tensor to its lines.

    Raises:
        PylitError: if it cannot be read or imported, or if an example fails with an exception.
    """
    source = read_source(path, file)
    if ">>> " not in source.text:
        return ""
    path = path.resolve()
    watcher = Watcher(path, find_bindings(syntax_tree(source.text)))
    with _imported(path, file) as module:
        tests = doctest.DocTestFinder(exclude_empty=True).find(module)
        for test in sorted(tests, key=lambda test: (test.lineno or 0, test.name)):
            try:
                with watcher.watching():
                    _Runner().run(test, out=lambda text: None)
            except doctest.UnexpectedException as error:
                raise PylitError(_failed(error, source)) from error.exc_info[1]
    return trace_text(source, watcher.seen)


class _Runner(doctest.DocTestRunner):
    """Runs examples without looking at what they print."""

    def report_failure(self, *_: object) -> None:
        pass

    def report_unexpected_exception(
        self, out: object, test: doctest.DocTest, example: doctest.Example, exc_info: Any
    ) -> None:
        raise doctest.UnexpectedException(test, example, exc_info)


def _failed(error: doctest.UnexpectedException, source: Source) -> Problem:
    exception = error.exc_info[1]
    first = error.example.source.split("\n")[0]
    near = (error.test.lineno or 0) + error.example.lineno + 1  # which doctest only guesses
    same = [number for number, line in enumerate(source.lines, 1) if line.strip() == f">>> {first}"]
    line = min(same, key=lambda number: abs(number - near), default=near)
    message = f"the example `{first}` raised {type(exception).__name__}: {exception}"
    return Problem(source.file, line, message, f"Mend it, then run `{command(source.file)}` again.")


@contextmanager
def _imported(path: Path, file: str) -> Iterator[ModuleType]:
    """The module at `path`, freshly imported with the package that it is in, whose caches are therefore empty.

    Afterwards everything is imported that was before, and nothing else of that name.
    """
    parts = [path.stem] if path.stem != "__init__" else []
    root = path.parent
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    paths, others = sys.path[:], _take_out(parts[0])
    sys.path.insert(0, str(root))
    try:
        yield _import(".".join(parts), path, file)
    finally:
        sys.path[:] = paths
        _take_out(parts[0])
        sys.modules.update(others)


def _take_out(package: str) -> dict[str, ModuleType]:
    """Forget that the modules of a package were imported, and return them."""
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
        hint = f"Mend it, or install what it needs; then run `{command(file)}` again."
        raise PylitError(Problem(file, line or 0, reason, hint)) from error
    found = getattr(module, "__file__", None)
    if os.path.realpath(found or "") != str(path):
        reason = f"cannot be imported: `{name}` is {found or 'part of Python itself'}"
        raise PylitError(Problem(file, 0, reason, "Rename it."))
    return module
