"""Replaces files atomically: others see the old or the new content, never a part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path, mark: str = "") -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` at the end. A symlink there is replaced, not followed.

    Args:
        path: The file to write.
        mark: 8 characters in the name of the temporary file, by which it can be found if this process is killed.

    Raises:
        OSError: if it cannot be written, naming `path`.
    """
    temporary = path.with_name(f".{mark or os.urandom(4).hex()}{os.urandom(4).hex()}.new")
    is_complete = False
    try:
        try:
            file = temporary.open("xb")
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = temporary.open("xb")
        with file:
            try:
                yield file
            except OSError as error:
                is_complete = error.filename is not None or error.errno is None  # it is complete already
                raise
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):  # it does not exist, or cannot be removed because of the error being raised
            os.unlink(temporary)
        if isinstance(error, OSError) and not is_complete:
            error.filename, error.filename2 = str(path), None  # hide the name of the temporary file
        raise


def write_file(path: Path, data: bytes, mark: str = "") -> None:
    """Write a file atomically; see `replacing`."""
    with replacing(path, mark) as file:
        file.write(data)
