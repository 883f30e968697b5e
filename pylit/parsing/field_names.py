"""The names of Sphinx's fields, and the parts of a docstring that they belong to."""

from __future__ import annotations

FIELDS = {
    **dict.fromkeys("param parameter arg argument".split(), "parameters"),
    **dict.fromkeys("key keyword kwarg kwparam paramtype".split(), "keywords"),
    **dict.fromkeys("ivar cvar var attribute attr".split(), "attributes"),
    **dict.fromkeys("return returns".split(), "returns"),
    **dict.fromkeys("yield yields".split(), "yields"),
    **dict.fromkeys("raise raises except exception throws".split(), "raises"),
    **dict.fromkeys(["warns", "warn"], "warns"),
}
"""Name of a field of Sphinx -> the part that it belongs to."""
TYPES = {
    "type": "parameters",
    "vartype": "attributes",
    "kwtype": "keywords",
    "rtype": "returns",
    "ytype": "yields",
}
"""Name of a field with a type -> the part with the field that it is the type of."""
NAMED = ("parameters", "keywords", "attributes")
"""Kinds of fields with names, any of which `:type x:` may be about."""
ORDER = ("parameters", "keywords", "attributes", "returns", "yields", "raises", "warns")
WITHOUT_NAMES = ("returns", "yields")
"""Kinds of fields that have no argument, or a type."""
TYPES_ONLY = ("raises", "warns")
"""Kinds of fields whose argument is a type."""
