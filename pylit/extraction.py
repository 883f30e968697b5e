"""Babel's extraction method `pylit`: lets `pybabel extract` find the blocks of modules and guides.

Registered as an entry point, so that tools which only know Babel get the same msgids as `pylit update`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any

from .prose import blocks
from .source import decode_python, decode_utf8, parse_markdown, parse_python


def extract(
    file: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: dict[str, Any]
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Yield the line and the text of each block of `file`, and the code beside it as a comment.

    `keywords`, `comment_tags` and `options` are what Babel passes to every method; prose has no use for them.

    Raises:
        PylitError: if the file is no Python, or not in UTF-8.
    """
    name, data = file.name, file.read()
    if Path(name).suffix == ".md":
        source = parse_markdown(decode_utf8(data, name), name)
    else:
        source = parse_python(decode_python(data, name), name)
    for block in blocks(source):
        yield block.line, None, block.text, [line for line in block.code.split("\n") if line.strip()]
