"""The file formats that may be published next to pages. A file's suffix and its content must agree.

A browser goes by the media type that the server derives from the suffix, and without one, by the first bytes. So both
must indicate the same format, one that runs no code; and no suffix before the last one may indicate a format that
does, as some servers consider all of them. Content after the first bytes does not matter: an image that is also a
valid page is still shown as an image. Everything else is refused: HTML pages and drawings that are not ours, scripts,
style sheets, XML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

_Test = Callable[[bytes], bool]


def _begins(*starts: bytes) -> _Test:
    return lambda data: data.startswith(starts)


def _is_text(data: bytes) -> bool:
    """Return whether `data` is text that no browser takes for HTML or XML, even without a media type."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return "\0" not in text and not text.lstrip("\t\n\x0c\r ").startswith("<")


PICTURES: Mapping[str, tuple[str, _Test]] = {
    ".png": ("png", _begins(b"\x89PNG\r\n\x1a\n")),
    ".jpg": ("jpeg", _begins(b"\xff\xd8\xff")),
    ".jpeg": ("jpeg", _begins(b"\xff\xd8\xff")),
    ".gif": ("gif", _begins(b"GIF87a", b"GIF89a")),
    ".webp": ("webp", lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP"),
}
"""Suffix of an image -> its media subtype, and a test of its first bytes."""
_ALLOWED: Mapping[str, _Test] = {
    **{suffix: test for suffix, (_, test) in PICTURES.items()},
    ".ico": _begins(b"\0\0\1\0"),
    ".pdf": _begins(b"%PDF-"),
    ".zip": _begins(b"PK\3\4"),
    ".gz": _begins(b"\x1f\x8b\x08"),
    ".woff": _begins(b"wOFF"),
    ".woff2": _begins(b"wOF2"),
    **dict.fromkeys(
        [".txt", ".csv", ".tsv", ".bib", ".json", ".jsonl", ".ipynb", ".yml", ".yaml", ".toml"], _is_text
    ),
}
_RUNNING = re.compile(
    r"\.(?:[sx]?html?|xht|stm|hta|htc|mht|mhtml|xml|xslt?|svgz?|[mc]?js|css|wasm|swf|php\d?|phtml|phar|f?cgi|pl|aspx?|jsp|var)"
    r"(?=\.)",
    re.IGNORECASE,
)
"""A suffix of an executable format before the last suffix: a server that does not know the last one goes by it (as
Apache does), and unpacks `.gz` files.
"""
_NAMED = {"CNAME": re.compile(rb"[A-Za-z0-9.-]+\s*")}
"""Files without a suffix that hosts of sites read."""


def file_suffix(file: str) -> str:
    """Return the suffix of a file's name in lower case."""
    return PurePosixPath(file).suffix.lower()


def picture_type(file: str, data: bytes) -> str:
    """Return the media subtype of an image; empty if its suffix and its first bytes do not agree."""
    name, test = PICTURES.get(file_suffix(file), ("", lambda _: False))
    return name if test(data) and not _RUNNING.search(PurePosixPath(file).name) else ""


def format_error(file: str, data: bytes) -> str:
    """Return the reason why a file may not be published; empty if it may."""
    if (pattern := _NAMED.get(file)) and pattern.fullmatch(data):
        return ""
    kind = file_suffix(file)
    if kind not in _ALLOWED:
        return (
            f"files that end in `{kind}` are not published"
            if kind
            else "files without a suffix are not published"
        )
    if found := _RUNNING.search(PurePosixPath(file).name):
        return f"some servers treat it as a `{found[0]}` file; rename it"
    return "" if _ALLOWED[kind](data) else f"its content is not in the format that `{kind}` indicates"


def allowed_formats() -> str:
    """Return all allowed suffixes, for messages."""
    return ", ".join(_ALLOWED)
