"""What the tests of cutting share: rows of a file in short, and oracles that know nothing of how it was cut."""

from __future__ import annotations

import io
import tokenize
from textwrap import dedent

from pylit.parsing.source import Source, parse_python


def cut(text: str, file: str = "example.py") -> Source:
    return parse_python(dedent(text), file)


def rows(source: Source) -> list[tuple[str, list[str], list[str]]]:
    """Name, prose and code of each section, the code as it is shown, without blank lines."""
    return [
        (
            section.name,
            [line.text for line in section.text],
            [source.shown(n) for n in section.code if source.lines[n - 1].strip()],
        )
        for section in source.sections
    ]


def prose(source: Source) -> list[str]:
    """All prose, line by line, without blank lines."""
    return [line.text for section in source.sections for line in section.text if line.text]


def code(source: Source) -> list[str]:
    """All code that is not folded, line by line, without blank lines."""
    numbers = sorted(n for section in source.sections for n in section.code if n not in source.quiet)
    return [source.shown(n) for n in numbers if source.shown(n).strip()]


def check_lossless(source: Source) -> None:
    numbers = sorted(n for section in source.sections for n in section.prose + section.code)
    assert numbers == list(range(1, len(source.lines) + 1))
    names = [section.name for section in source.sections]
    assert len(set(names)) == len(names)
    for section in source.sections:
        assert list(section.prose) == sorted(section.prose)
        assert list(section.code) == sorted(section.code)


def check_prose_is_prose(source: Source) -> None:
    """An oracle that knows tokens only: what stands on a prose line is a comment or a lone string."""
    found = {n for section in source.sections for n in section.prose}
    layout = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type in layout or not token.string.strip():
            continue
        if any(n in found for n in range(token.start[0], token.end[0] + 1)):
            assert token.type in (tokenize.COMMENT, tokenize.STRING), (source.file, token)
            assert not source.lines[token.start[0] - 1][: token.start[1]].strip(), (source.file, token)


def checked(text: str, file: str = "example.py") -> Source:
    """Cut a text, and check that nothing is lost."""
    source = cut(text, file)
    check_lossless(source)
    check_prose_is_prose(source)
    return source
