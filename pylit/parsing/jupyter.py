"""Reads a Jupyter notebook: its Markdown is prose, its code one module with lines numbered across cells.

Parses the JSON of the formats 3 and 4 itself. The outputs of a cell are shown below it, including small images. For
outputs that would have to run (widgets, HTML with scripts), the plain text in the notebook is used instead.
"""

from __future__ import annotations

import ast
import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..errors import Problem, PylitError
from .layout import Layout
from .magics import mask, may_hold_magics
from .model import NOTEBOOK, Foreign, Output, OutputKind, ProseLine
from .values import NO_TEXT, ValuesError, read_json

MAX_TEXT = 10_000
"""Maximum number of characters of an output that are shown."""
MAX_PICTURE = 500_000
"""Maximum size of an image in bytes."""
MAX_PICTURES = 5_000_000
"""Maximum size of all images of a notebook in bytes."""
PICTURES = {"image/svg+xml": ".svg", "image/png": ".png", "image/jpeg": ".jpg"}
"""Formats of images that are shown, the best first."""
_ATTACHED = {**PICTURES, "image/gif": ".gif", "image/webp": ".webp"}

_CONTROL = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_NEWLINE = re.compile(r"\r\n|\r|\n")
HINT = "Open it with Jupyter, and save it again."


@dataclass(slots=True)
class Notebook:
    """A notebook as one module."""

    lines: list[str] = field(default_factory=list)
    """The lines of all code cells."""
    python: list[str] = field(default_factory=list)
    """The same lines, as Python reads them."""
    layout: Layout = field(default_factory=Layout)
    outputs: dict[int, tuple[Output, ...]] = field(default_factory=dict)
    attachments: dict[str, Output] = field(default_factory=dict)
    """Name -> image, for all cells."""
    title: str = ""
    room: int = MAX_PICTURES


def is_notebook(file: str) -> bool:
    """Return whether a file is a notebook, judging by its name."""
    return file.lower().endswith(NOTEBOOK)


def read_notebook(data: bytes, file: str) -> Notebook:
    """Parse a notebook with the content `data`.

    Raises:
        PylitError: with the line, if it is not a notebook.
    """
    try:
        found = read_json(data)
    except ValuesError as error:
        raise PylitError(Problem(file, error.line + 1, f"is not a notebook: {error}", HINT)) from error
    cells = _cells(found)
    if cells is None:
        raise PylitError(Problem(file, 0, "is not a notebook: it has no list of cells", HINT))
    metadata = _mapping(found.get("metadata"))
    language = _language(metadata)
    notebook = Notebook()
    for cell in cells:
        if cell.get("cell_type") == "code":
            _add_code(notebook, cell, language)
        else:
            _add_prose(notebook, cell)
    title = metadata.get("title")
    first = next(iter(notebook.layout.inserted.values()), [()])[0]
    if isinstance(title, str) and not (first and first[0].text.startswith("# ")):
        notebook.title = " ".join(NO_TEXT.sub("\ufffd", title).split())
    return notebook


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _cells(found: Any) -> list[Mapping[str, Any]] | None:
    """Return the cells of a notebook; `None` if it is not one."""
    found = _mapping(found)
    parts = [found] if "cells" in found else found.get("worksheets")
    if not isinstance(parts, list) or not all(
        isinstance(_mapping(part).get("cells"), list) for part in parts
    ):
        return None
    return [_mapping(cell) for part in parts for cell in part["cells"]]


def _language(metadata: Mapping[str, Any]) -> str:
    """Return the language of the code of a notebook, as Pygments calls it."""
    names = (
        _mapping(metadata.get("language_info")).get("name"),
        _mapping(metadata.get("kernelspec")).get("language"),
    )
    found = next((name.lower() for name in names if isinstance(name, str) and name), "python")
    return "python" if found in ("ipython", "python3", "sage", "python") else found


def _text(value: Any) -> str:
    """Return a text, which may be stored as a list of lines."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _lines(text: str) -> list[str]:
    lines = _NEWLINE.split(NO_TEXT.sub("\ufffd", text))
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _add_prose(notebook: Notebook, cell: Mapping[str, Any]) -> None:
    """Add a Markdown cell, a heading, or text for another program, before the code that follows."""
    lines = _lines(_text(cell.get("source")))
    match cell.get("cell_type"):
        case "heading":
            level = cell.get("level")
            lines = [f"{'#' * min(6, max(1, level if isinstance(level, int) else 1))} {' '.join(lines)}"]
        case "raw" | "html":
            if lines[:1] == ["---"]:  # front matter, such as for Quarto
                return
            ticks = max([3, *(len(run) + 1 for run in re.findall("`+", "\n".join(lines)))])
            lines = ["`" * ticks, *lines, "`" * ticks] if lines else []
    found = _mapping(cell.get("attachments"))
    if found:
        lines = _attached(notebook, found, "\n".join(lines)).split("\n")
    if any(line.strip() for line in lines):
        number = len(notebook.lines) + 1
        text = tuple(ProseLine(number, line) for line in lines)
        notebook.layout.inserted.setdefault(number, []).append(text)


def _attached(notebook: Notebook, found: Mapping[str, Any], text: str) -> str:
    """Add the images that are attached to a cell, and return its text.

    A name is known to its cell only. If another cell has a different image of that name, the text gets a new one.
    """
    for name, data in found.items():
        written = [form for form in dict.fromkeys((name, quote(name))) if f"attachment:{form}" in text]
        picture = _attachment(notebook, _mapping(data)) if written else None
        if picture is None:
            continue
        new, number = name, 1
        while notebook.attachments.setdefault(new, picture) != picture:
            number += 1
            new = f"{number}-{name}"
        for form in written if new != name else ():
            text = text.replace(f"attachment:{form}", f"attachment:{quote(new)}")
    return text


def _attachment(notebook: Notebook, data: Mapping[str, Any]) -> Output | None:
    for kind, suffix in _ATTACHED.items():
        if kind in data:
            picture = _picture(_text(data[kind]), suffix)
            if picture and len(picture) <= min(MAX_PICTURE, notebook.room):
                notebook.room -= len(picture)
                return Output(OutputKind.PICTURE, "", picture, suffix)
            return Output(OutputKind.LEFT_OUT, kind)
    return None


def _add_code(notebook: Notebook, cell: Mapping[str, Any], language: str) -> None:
    lines = _lines(_text(cell.get("source", cell.get("input"))))
    first = len(notebook.lines) + 1
    if not lines:
        return
    magic = _mapping(_mapping(cell.get("metadata")).get("vscode")).get("languageId")
    language = magic if isinstance(magic, str) and magic else language
    python, foreign = _python(lines, first) if language == "python" else ([""] * len(lines), [])
    if not any(python) and not foreign:
        foreign = [Foreign(first, first + len(lines) - 1, language)]
    notebook.lines += lines
    notebook.python += python
    layout = notebook.layout
    layout.foreign += foreign
    layout.starts.add(first)
    layout.cells.append(range(first, first + len(lines)))
    found = cell.get("outputs")
    outputs = tuple(_outputs(notebook, found)) if isinstance(found, list) else ()
    if outputs:
        notebook.outputs[first + len(lines) - 1] = outputs


def _python(lines: list[str], first: int) -> tuple[list[str], list[Foreign]]:
    """Return the part of a cell that Python can read, and the parts that it cannot; both empty if it reads nothing."""
    if _is_python(lines):
        return lines, []
    if may_hold_magics("\n".join(lines)):
        masked = mask(lines)
        if _is_python(masked.lines):
            return list(masked.lines), [
                Foreign(run.first + first - 1, run.last + first - 1, run.language) for run in masked.foreign
            ]
    return [""] * len(lines), []


def _is_python(lines: Sequence[str]) -> bool:
    try:
        ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _outputs(notebook: Notebook, found: Sequence[Any]) -> Iterator[Output]:
    """Yield the outputs of a cell that are shown; text printed piece by piece is one output."""
    printed: list[str] = []
    for output in map(_mapping, found):
        kind = output.get("output_type")
        if kind == "stream":
            printed.append(_text(output.get("text")))
            continue
        if printed:
            yield _shown(OutputKind.TEXT, "".join(printed))
            printed = []
        if kind in ("error", "pyerr"):
            name, value = _text(output.get("ename")), _text(output.get("evalue"))
            yield _shown(
                OutputKind.ERROR,
                _text("\n".join(map(str, _list(output.get("traceback"))))) or f"{name}: {value}",
            )
        elif kind in ("execute_result", "display_data", "pyout"):
            data = _mapping(output.get("data")) or _old(output)
            if data:
                yield _data(notebook, data)
    if printed:
        yield _shown(OutputKind.TEXT, "".join(printed))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _old(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the content of an output of format 3."""
    names = {
        "text": "text/plain",
        "png": "image/png",
        "jpeg": "image/jpeg",
        "svg": "image/svg+xml",
        "html": "text/html",
    }
    return {kind: output[name] for name, kind in names.items() if name in output}


def _data(notebook: Notebook, data: Mapping[str, Any]) -> Output:
    """Return the best form of an output that can be shown."""
    for kind, suffix in PICTURES.items():
        if kind in data:
            picture = _picture(_text(data[kind]), suffix)
            if picture and len(picture) <= min(MAX_PICTURE, notebook.room):
                notebook.room -= len(picture)
                return Output(OutputKind.PICTURE, _text(data.get("text/plain")), picture, suffix)
            return Output(OutputKind.LEFT_OUT, kind)
    for kind in ("text/plain", "text/latex", "text/markdown"):
        if kind in data:
            return _shown(OutputKind.TEXT, _text(data[kind]))
    return Output(OutputKind.LEFT_OUT, NO_TEXT.sub("\ufffd", next(iter(data)))[:100])


def _picture(text: str, suffix: str) -> bytes:
    """Return the bytes of an image; none if they are not valid."""
    if suffix == ".svg":
        return text.encode("utf-8", "replace")
    if len(text) > 2 * MAX_PICTURE:
        return b""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _shown(kind: OutputKind, text: str) -> Output:
    """Return a text as a terminal shows it: without colours, and without lines that were overwritten."""
    lines = [
        line.rstrip("\r").rpartition("\r")[2] for line in _CONTROL.sub("", text[: 4 * MAX_TEXT]).split("\n")
    ]
    shown = NO_TEXT.sub("\ufffd", "\n".join(lines)).rstrip()
    if len(shown) > MAX_TEXT or len(text) > 4 * MAX_TEXT:
        shown = f"{shown[:MAX_TEXT]}\n…"
    return Output(kind, shown)
