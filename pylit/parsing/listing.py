"""Makes a listing of a file that cannot be split into prose and code, so that its page at least shows its content."""

from __future__ import annotations

import re

from ..errors import Problem
from .jupyter import is_notebook
from .model import FileKind, Foreign, Meta, ProseLine, Section, file_kind
from .source import Source

MANY_LINES = 5000
"""Maximum number of lines that are shown."""
MANY_CHARACTERS = 300_000
"""Maximum number of characters that are shown."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NEWLINE = re.compile(r"\r\n|\r|\n")


def listing(data: bytes, file: str, problem: Problem) -> Source:
    """Return a listing of a file with the content `data`, and the `problem` that makes it one.

    Bytes that are not text are shown as escapes, and characters that pages cannot contain as pictures of them. Very
    large files are truncated.
    """
    whole = data[: 4 * MANY_CHARACTERS].decode("utf-8-sig", "backslashreplace")
    text = whole[:MANY_CHARACTERS]
    text = _CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])) if found[0] < "\x7f" else "\u2421", text)
    lines = _NEWLINE.split(text)
    if not lines[-1]:
        lines.pop()
    if len(data) > 4 * MANY_CHARACTERS or len(whole) > MANY_CHARACTERS or len(lines) > MANY_LINES:
        lines = [*lines[:MANY_LINES], "…"]
    numbers = tuple(range(1, len(lines) + 1))
    if file_kind(file) is FileKind.GUIDE:
        ticks = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
        fenced = zip((1, *numbers, len(lines)), (f"{ticks}text", *lines, ticks), strict=True)
        sections = (Section("page", 1, numbers, (), tuple(ProseLine(*line) for line in fenced)),)
    else:
        sections = (Section("module", 1, (), numbers, ()),)
    language = "json" if is_notebook(file) else "text" if "\0" in data.decode("latin-1") else "python"
    foreign = (Foreign(1, len(lines), language),) if lines else ()
    return Source(
        file, tuple(lines), sections, (), Meta(), "\n" * len(lines), foreign=foreign, problem=problem
    )
