"""The names of sections in docstrings, and what they contain."""

from __future__ import annotations

_COMMON = {
    "parameters": "parameters",
    "other parameters": "others",
    "attributes": "attributes",
    "methods": "methods",
    "returns": "returns",
    "yields": "yields",
    "receives": "receives",
    "raises": "raises",
    "warns": "warns",
    "examples": "examples",
    "notes": "notes",
    "references": "references",
    "see also": "seealso",
}
NUMPY = {
    **_COMMON,
    **dict.fromkeys(["args", "arguments", "params"], "parameters"),
    **dict.fromkeys(["keyword args", "keyword arguments"], "keywords"),
    "warnings": "warnings",
    "example": "examples",
    "note": "notes",
    "return": "returns",
    "yield": "yields",
}
"""Name of an underlined section in lower case -> its kind."""
BOXES = frozenset("attention caution danger error hint important note tip todo warning".split())
"""Google's sections that are boxes."""
GOOGLE = {
    **_COMMON,
    **dict.fromkeys(["args", "arguments", "params"], "parameters"),
    **dict.fromkeys(["keyword args", "keyword arguments", "other args", "other arguments"], "keywords"),
    **dict.fromkeys(["return"], "returns"),
    **dict.fromkeys(["yield"], "yields"),
    **dict.fromkeys(["raise", "exceptions"], "raises"),
    **dict.fromkeys(["warn"], "warns"),
    **dict.fromkeys(["example"], "examples"),
    "warnings": "warnings",
    **{name: name for name in BOXES},
}
"""Name of a section that ends in a colon, in lower case -> its kind."""
STRUCTURED = frozenset(
    "args arguments parameters params attributes methods returns return yields yield raises raise receives warns"
    " exceptions".split()
) | {"keyword args", "keyword arguments", "other parameters", "other args", "other arguments", "see also"}
"""Names that are hardly ever headings of something else."""
WITH_NAMES = frozenset("parameters others keywords attributes methods seealso".split())
"""Kinds of sections with names, each with a type and a text."""
WITH_TYPES = frozenset("returns yields receives raises warns".split())
"""Kinds of sections with types, each with a text."""
