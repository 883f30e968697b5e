"""Babel's extraction method `pylit`, with which `pybabel extract` finds the blocks of modules and guides.

Registered as an entry point, so that tools based on Babel get the same msgids as `pylit update`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any

from ..parsing import decode_python, decode_utf8, parse_markdown, parse_python
from .blocks import blocks


def extract(
    file: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: dict[str, Any]
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Yield the line and text of each block of `file`, with the code next to it as a comment.

    Babel passes `keywords`, `comment_tags` and `options` to every method; they are not used for prose.

    Raises:
        PylitError: if the file is not valid Python, or not UTF-8.
    """
    name, data = file.name, file.read()
    if Path(name).suffix == ".md":
        source = parse_markdown(decode_utf8(data, name), name)
    else:
        source = parse_python(decode_python(data, name), name)
    for block in blocks(source):
        yield block.line, None, block.text, [line for line in block.code.split("\n") if line.strip()]
