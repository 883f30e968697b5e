"""Records pictures of tensors: imports a module so that its functions report what their expressions yield.

They are called by an example: a Python file with a tuple `PICTURED`, their qualified names, and a function `main`,
which calls them on an image. Of each function, the first call is recorded, and of that, each expression once.
A tensor is recorded if it is a batch of images: four sizes, of which the second counts the channels.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ..errors import Problem, PylitError
from ..filesystem import resolve_path, write_file
from ..parsing import Source, is_expression, parameters, read_source
from .format import line_places
from .pictures import INDEX
from .png import Colour, write_png
from .recorder import import_fresh, module_name
from .tensor_watcher import describe

REPORT = "_pylit_report"
"""The name under which the code finds the function that it reports to."""
LEVELS = 16
"""Number of colours on each side of zero."""
BINS = 24
"""Number of intervals of a histogram."""
SIDE = 128
"""Width in pixels that a picture should at least have: its pixels are enlarged by a whole number."""
STRONGEST = 0.99
"""Share of all numbers whose colours can be told apart; the largest ones have the strongest colour."""
NEGATIVE: Colour = (33, 84, 160)
ZERO: Colour = (247, 246, 242)
POSITIVE: Colour = (176, 60, 10)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Numbers = list[list[list[float]]]
"""Channel -> row -> column."""


@dataclass
class _Seen:
    """What the functions of a module have reported."""

    calls: dict[str, int] = field(default_factory=dict)
    steps: dict[tuple[str, int, str], tuple[str, _Numbers]] = field(default_factory=dict)
    """Function, line and expression -> shape, and the first image of the batch."""

    def report(self, function: str, line: int, expression: str, value: object) -> object:
        """Note the `value` of an expression, and return it. Without an expression, a call begins."""
        if not expression:
            self.calls[function] = self.calls.get(function, 0) + 1
        elif self.calls[function] == 1 and (function, line, expression) not in self.steps:
            shape: Any = getattr(value, "shape", ())
            if len(shape) == 4 and (text := describe(value)):
                self.steps[function, line, expression] = text, value[0].tolist()  # type: ignore[index]
        return value


class _Reporter(ast.NodeTransformer):
    """Rewrites functions so that they report parameters, calls and results of operators."""

    def __init__(self, text: str, wanted: Sequence[str]) -> None:
        self.text = text
        self.wanted = wanted
        self.found: list[str] = []
        self.path: list[str] = []
        self.function = ""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._inside(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._inside(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._inside(node)

    def _inside(self, node: ast.ClassDef | _Function) -> ast.AST:
        if self.function:
            return node  # functions in a function are not recorded
        self.path.append(node.name)
        name = ".".join(self.path)
        if not isinstance(node, ast.ClassDef) and name in self.wanted:
            self.found.append(name)
            self.function = name
            body = [self.visit(statement) for statement in node.body]
            begin = [self._report(node.lineno, "", ast.Constant(None))]
            begin += [self._report(a.lineno, a.arg, ast.Name(a.arg, ast.Load())) for a in parameters(node)]
            is_documented = ast.get_docstring(node, clean=False) is not None
            node.body = body[:is_documented] + [ast.Expr(call) for call in begin] + body[is_documented:]
            self.function = ""
        elif isinstance(node, ast.ClassDef):
            node.body = [self.visit(statement) for statement in node.body]
        self.path.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value:
            node.value = self.visit(node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return self._wrapped(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        return self._wrapped(node)

    def _wrapped(self, node: ast.Call | ast.BinOp) -> ast.AST:
        if not self.function:
            return node
        expression = " ".join((ast.get_source_segment(self.text, node) or "").split())
        line = node.lineno
        self.generic_visit(node)
        return self._report(line, expression, node) if is_expression(expression) else node

    def _report(self, line: int, expression: str, value: ast.expr) -> ast.Call:
        about = [ast.Constant(self.function), ast.Constant(line), ast.Constant(expression)]
        return ast.Call(ast.Name(REPORT, ast.Load()), [*about, value], [])


class _Loader(SourceFileLoader):
    """Loads a module with functions that report."""

    def __init__(self, name: str, path: str, wanted: Sequence[str], seen: _Seen) -> None:
        super().__init__(name, path)
        self.wanted = wanted
        self.seen = seen
        self.missing: set[str] = set()

    def get_code(self, fullname: str) -> CodeType:
        text = Path(self.path).read_text("utf-8")
        reporter = _Reporter(text, self.wanted)
        tree = ast.fix_missing_locations(reporter.visit(ast.parse(text)))
        self.missing = {*self.wanted} - {*reporter.found}
        code: CodeType = compile(tree, self.path, "exec", dont_inherit=True)
        return code

    def exec_module(self, module: ModuleType) -> None:
        vars(module)[REPORT] = self.seen.report
        super().exec_module(module)


def record_pictures(path: Path, file: str, example: Path, command: str) -> dict[str, bytes]:
    """Run an example with the module at `path`, and return the files of its pictures by their names.

    Args:
        path: The module.
        file: Its name.
        example: The file of the example.
        command: The command that does this, for the record.

    Raises:
        PylitError: if the module or the example cannot be read, imported or run, or a function is not called.
    """
    source = read_source(path, file)
    path = resolve_path(path)
    seen = _Seen()
    wanted = _wanted(example)
    loader = _Loader(module_name(path)[0], str(path), wanted, seen)
    with _finding(loader), import_fresh(path, file):
        if loader.missing:
            name = min(loader.missing)
            hint = f"Correct `PICTURED` in {example.name}."
            raise PylitError(Problem(file, 0, f"there is no function `{name}` to take pictures of", hint))
        _run(example)
    if missing := [name for name in wanted if name not in seen.calls]:
        reason = f"the example does not call `{missing[0]}`"
        raise PylitError(Problem(example.as_posix(), 0, reason, "Call it, or take it out of `PICTURED`."))
    return _files(source, seen, command)


@contextmanager
def _finding(loader: _Loader) -> Iterator[None]:
    """Let imports of the module use `loader`."""

    class Finder:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
            if name != loader.name:
                return None
            return importlib.util.spec_from_file_location(name, loader.path, loader=loader)

    sys.meta_path.insert(0, Finder)
    try:
        yield
    finally:
        sys.meta_path.remove(Finder)


def _wanted(example: Path) -> tuple[str, ...]:
    """Return the functions that an example names."""
    try:
        tree = ast.parse(example.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError) as error:
        raise PylitError(Problem(example.as_posix(), 0, f"cannot be read: {error}")) from error
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == ["PICTURED"]:
            names = ast.literal_eval(node.value)
            if names and isinstance(names, tuple) and all(isinstance(name, str) for name in names):
                return names
    hint = 'Write it on a line of its own: PICTURED = ("Block.forward",)'
    raise PylitError(Problem(example.as_posix(), 0, "has no tuple `PICTURED` of names of functions", hint))


def _run(example: Path) -> None:
    """Run the function `main` of an example."""
    spec = importlib.util.spec_from_file_location("_pylit_example", example)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        module.main()
    except Exception as error:
        reason = f"raised {type(error).__name__}: {error}"
        raise PylitError(Problem(example.as_posix(), 0, reason, "Fix it, and record again.")) from error


def _files(source: Source, seen: _Seen, command: str) -> dict[str, bytes]:
    """Return the files that keep what was seen."""
    flat = {key: [n for rows in image for row in rows for n in row] for key, (_, image) in seen.steps.items()}
    sizes = sorted(abs(number) for numbers in flat.values() for number in numbers)
    scale = float(f"{sizes[int(STRONGEST * (len(sizes) - 1))] or 1.0:.3g}") if sizes else 1.0
    places = line_places(source)
    rows, files = [], {}
    for (function, line, expression), (shape, image) in sorted(
        seen.steps.items(), key=lambda item: item[0][1]
    ):
        numbers = flat[function, line, expression]
        picture = write_png(_tiles(image, scale), PALETTE)
        name = f"{hashlib.sha256(picture).hexdigest()[:12]}.png"
        files[name] = picture
        counts = [0] * BINS
        for number in numbers:
            counts[min(max(int((number / scale + 1) / 2 * BINS), 0), BINS - 1)] += 1
        rows.append(
            {
                "in": function,
                "line": places[line].number,
                "code": source.lines[line - 1].strip(),
                "expression": expression,
                "shape": shape,
                "mean": _rounded(statistics.fmean(numbers)),
                "deviation": _rounded(statistics.pstdev(numbers)),
                "zeros": _rounded(numbers.count(0) / len(numbers)),
                "low": _rounded(min(numbers)),
                "high": _rounded(max(numbers)),
                "histogram": counts,
                "picture": name,
            }
        )
    steps = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    index = f'{{"recorded_by": {json.dumps(command)}, "scale": {scale}, "steps": [\n{steps}\n]}}\n'
    return {INDEX: index.encode(), **files}


def _rounded(number: float) -> float:
    return round(number, 3) + 0.0


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Return the colour between two, `share` of the way."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


PALETTE = [
    *(_mixed(ZERO, NEGATIVE, level / LEVELS) for level in range(LEVELS, 0, -1)),
    *(_mixed(ZERO, POSITIVE, level / LEVELS) for level in range(LEVELS + 1)),
    (128, 128, 128),
]
"""Colours from the most negative number to the most positive, and the one between tiles."""


def _tiles(image: _Numbers, scale: float) -> list[bytes]:
    """Return the rows of a picture with the channels of an image side by side, as squarely as possible."""
    gap = len(PALETTE) - 1
    height, width = len(image[0]), len(image[0][0])
    across = next(n for n in range(1, len(image) + 1) if n * n >= len(image))
    factor = max(1, -(-SIDE // (across * (width + 1))))
    rows = []
    for start in range(0, len(image), across):
        tiles = image[start : start + across]
        if start:
            rows.append(bytes([gap]) * (across * (width * factor + 1) - 1))
        for y in range(height):
            parts = [bytes(level for n in tile[y] for level in [_level(n, scale)] * factor) for tile in tiles]
            parts += [bytes([LEVELS]) * (width * factor)] * (across - len(tiles))
            rows += [bytes([gap]).join(parts)] * factor
    return rows


def _level(number: float, scale: float) -> int:
    """Return the colour of a number. Only zero has that of zero."""
    level = min(round(abs(number) / scale * LEVELS), LEVELS)
    return LEVELS + (max(level, 1) if number > 0 else -max(level, 1) if number < 0 else 0)


def write_pictures(folder: Path, files: dict[str, bytes]) -> list[Path]:
    """Write the files of some pictures in `folder`, remove others of ours that are there, and return what changed."""
    changed = []
    for path in sorted(folder.glob("*.png")):
        if path.name not in files and not path.is_symlink():
            path.unlink()
            changed.append(path)
    for name, data in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != data:
            write_file(path, data)
            changed.append(path)
    return changed
