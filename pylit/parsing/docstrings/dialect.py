"""Recognizes the dialect of a docstring and its markup by what only this dialect has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from ..model import Dialect, DocstringForm, ProseLine
from .keras import has_sections
from .kinds import GOOGLE, NUMPY, STRUCTURED
from .sphinx import has_fields

_HINT = re.compile(
    r":[ \t]*$|^[ \t]*[:@]\w|-{3}|={2}|\.\. |:`|`_|::$|[CL]\{\w"
    r"|^# (?:[A-Z][A-Za-z ]+:?[ \t]*\n[ \t]{2}|Examples?:?[ \t]*$)",
    re.MULTILINE,
)
"""Matches at least once in every docstring that is not Markdown."""


def _any(names: Sequence[str]) -> str:
    return "|".join(re.escape(name).replace(r"\ ", "[ ]") for name in sorted(names, key=len, reverse=True))


_GOOGLE = re.compile(
    rf"^(?P<indent>[ \t]*)(?P<name>{_any(list(GOOGLE))}):{{1,2}}[ \t]*\n(?:[ \t]*\n)?(?P=indent)[ \t]+\S",
    re.MULTILINE | re.IGNORECASE,
)
_NUMPY = re.compile(
    rf"^[ \t]*(?P<name>{_any(list(NUMPY))}):?[ \t]*\n[ \t]*(?:-{{3,}}|={{3,}})[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_FIELD = re.compile(
    r"^[ \t]*:(?:(?:param|parameter|arg|argument|key|keyword|type|raises?|except|exception|ivar|cvar|var|vartype)"
    r"[ \t][^:\n]{1,200}|returns?|rtype|yields?|ytype|raises|meta[ \t][\w-]{1,50}):(?:[ \t]|$)",
    re.MULTILINE,
)
_EPYTEXT_FIELD = re.compile(
    r"^[ \t]*@(?:(?:param|arg|keyword|kwarg|type|raises?|except|exception|ivar|cvar|var)[ \t][^:\n]{1,200}"
    r"|returns?|rtype|yields?):(?:[ \t]|$)",
    re.MULTILINE,
)
_EPYTEXT = re.compile(r"(?<![\w\\$])[CL]\{[A-Za-z_][\w.]*(?:\(\))?\}")
_FORMULA = re.compile(r"\$|\\[A-Za-z]|`")
_STRONG = re.compile(
    r"""
    :(?:py:)?[a-z]{2,20}:`[^`\n]                              # a role
    | ^[ \t]*\.\.[ ][\w:+-]{2,40}::(?:[ \t]|$)                # a directive
    | ^[ \t]*\.\.[ ](?:\[[^\]\n]{1,40}\][ ]|_[^\n:]{1,80}:|\|[^|\n]{1,80}\|[ ])
    | (?<![:\S]):{2}[ \t]*\n[ \t]*\n[ \t]+\S                  # a listing
    | (?<=[^\s:]):{2}[ \t]*\n(?:[ \t]*\n)?[ \t]+\S
    """,
    re.MULTILINE | re.VERBOSE,
)
_STRONG_MARKS = (":`", "::", ".. ")
"""One of these is in every match."""
_WEAK = re.compile(
    r"""
    ^[ \t]*:\w[\w .-]{0,40}:(?:[ \t]|$)               # a field
    | ^[ \t]*(?:={2,}(?:[ ]+={2,})+|\+(?:[-=]+\+)+)[ \t]*$      # a table
    | [^`\s]>`__?(?!\w) | \w`__?(?!\w)                        # a link
    | (?<=[\s(])\[(?:[0-9]{1,4}|\#[\w-]{0,40})\]_(?!\w)       # a reference to a footnote
    """,
    re.MULTILINE | re.VERBOSE,
)
_OVERLINED = re.compile(r"^([=\-~^\"*+#])\1{2,}[ \t]*\n[^\n]*\w[^\n]*\n\1{3,}[ \t]*$", re.MULTILINE)
_UNDERLINED = re.compile(r"\A[^\n]*\w[^\n]*\n={3,}[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~[ ]*\w)", re.MULTILINE)
_MARKDOWN = re.compile(
    r"^[ \t]{0,3}(?:```|~~~[ ]*\w|\#{1,6}[ ]\S)|\]\([^)\s]{1,500}\)|(?<![\w$])\$(?=\S)[^$\n]{0,200}\S\$(?![\w$])",
    re.MULTILINE,
)


def find_dialect(
    lines: Sequence[ProseLine], within: str, *, is_rst: bool, setting: str
) -> DocstringForm | None:
    """Return how a docstring is read; `None` if it is Markdown.

    Args:
        lines: Its lines, one at least.
        within: The definition that it documents; empty for the module.
        is_rst: Whether the prose of its file is reStructuredText.
        setting: What the user has set: `auto` or a dialect.
    """
    if setting == "markdown" or not lines:
        return None
    text = "\n".join(line.text for line in lines)
    if setting == "auto" and not is_rst and not _HINT.search(text):
        return None
    place = range(lines[0].number, lines[-1].number + 1)
    if setting == "numpy":
        return DocstringForm(Dialect.NUMPY, place, within, is_rst=not is_markdown(text))
    if setting == "google":
        return DocstringForm(Dialect.GOOGLE, place, within, is_rst=is_rst or is_restructured(text))
    if setting in ("sphinx", "restructuredtext"):
        return DocstringForm(Dialect.SPHINX, place, within, is_rst=True)
    # A look for a few characters takes a hundredth of the time of a pattern that needs them.
    named = (
        {match["name"].lower() for match in _NUMPY.finditer(text)} if "--" in text or "==" in text else set()
    )
    if named and (within or named & STRUCTURED):
        return DocstringForm(Dialect.NUMPY, place, within, is_rst=not is_markdown(text))
    if "# " in text and has_sections(lines, within=within):
        return DocstringForm(Dialect.KERAS, place, within, is_rst=False)
    if ("@" in text and _EPYTEXT_FIELD.search(text)) or has_epytext(text):
        return DocstringForm(Dialect.EPYTEXT, place, within, is_rst=False)
    if ":" in text and any(match["name"].lower() in STRUCTURED for match in _GOOGLE.finditer(text)):
        return DocstringForm(Dialect.GOOGLE, place, within, is_rst=is_rst or is_restructured(text))
    if is_restructured(text) or (is_rst and not _MARKDOWN.search(text)):
        return DocstringForm(Dialect.SPHINX, place, within, is_rst=True)
    if text.count(":") > 1 and _FIELD.search(text) and (not _FENCE.search(text) or has_fields(lines)):
        return DocstringForm(Dialect.SPHINX, place, within, is_rst=not _MARKDOWN.search(text))
    return None


def has_epytext(text: str) -> bool:
    """Return whether a text has inline markup of epytext, and no formula that it could be in."""
    return "{" in text and bool(_EPYTEXT.search(text)) and not _FORMULA.search(text)


def is_markdown(text: str) -> bool:
    """Return whether a text has marks of Markdown, and none of reStructuredText."""
    return bool(_MARKDOWN.search(text)) and not is_restructured(text)


@lru_cache(maxsize=16)
def is_restructured(text: str, *, is_module: bool = False) -> bool:
    """Return whether a text has marks of reStructuredText that mean nothing in Markdown, and none of Markdown.

    The underlined title of a module is such a mark if no Markdown is in the text.
    """
    if not _HINT.search(text):
        return False
    if any(mark in text for mark in _STRONG_MARKS) and _STRONG.search(text):
        return not _FENCE.search(text)
    if _MARKDOWN.search(text):
        return False
    return bool(_WEAK.search(text) or _OVERLINED.search(text) or (is_module and _UNDERLINED.search(text)))
