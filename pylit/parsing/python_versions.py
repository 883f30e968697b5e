"""Finds the version of Python that a file needs, if the running one cannot parse it.

The parser reports only where it stopped. The text there is compared with the syntax that each version has added, and
with the syntax that ended with Python 2.
"""

from __future__ import annotations

import re
import sys

LONG = 1000
"""Maximum number of characters of a line that are read."""
NEWER: tuple[tuple[tuple[int, int], re.Pattern[str]], ...] = (
    ((3, 15), re.compile(r"\s*lazy\s+(?:import|from)\s")),
    ((3, 14), re.compile(r".*(?<!\w)(?:[tT][rR]?|[rR][tT])[\"']")),
    ((3, 14), re.compile(r"\s*except\*?\s+[A-Z][\w.]*(?:\s*,\s*[A-Z][\w.]*)+\s*:")),
    ((3, 13), re.compile(r"\s*(?:(?:async\s+)?def|class|type)\s+\w+\s*\[[^\]=]*=")),
    ((3, 12), re.compile(r"\s*type\s+\w+\s*(?:\[.*\])?\s*=")),
    ((3, 12), re.compile(r""".*\b[fF][rR]?(?:"[^"]*\{[^}"]*"[^"]*"|'[^']*\{[^}']*'[^']*')""")),
    ((3, 12), re.compile(r"\s*(?:(?:async\s+)?def|class)\s+\w+\s*\[")),
    ((3, 11), re.compile(r"\s*except\s*\*")),
    ((3, 10), re.compile(r"\s*(?:match|case)\b.*:\s*$")),
)
"""The versions that added a piece of syntax, the latest first."""
OLD = re.compile(
    r"\s*print\s+(?:[\"'\w%(]|>>)|\s*exec\s+[\"'\w]|\s*raise\s+\w[\w.]*\s*,|\s*except\s+[\w.(), ]+,\s*\w+\s*:"
    r"|.*(?:`[^`]+`|\S\s*<>\s*\S|(?<![\w.])(?:0[0-7]+\b(?!\.)|\d+[lL]\b|[uU][rR][\"']))"
)
"""Matches lines that only Python 2 accepts."""


def needed_version(line: str, reason: str) -> str:
    """Return the version of Python that a line needs on which the running one stopped; empty if unknown."""
    line = line[:LONG]
    for version, pattern in NEWER:
        if version > sys.version_info[:2] and pattern.match(line):
            return ".".join(map(str, version))
    if reason.startswith("f-string") and sys.version_info < (3, 12):
        return "3.12"
    return "2" if OLD.match(line) else ""
