"""The names of the parts of docstrings and of boxes, in the language of a page."""

from __future__ import annotations

from ..i18n import Gettext


def part_label(kind: str, gettext: Gettext) -> str:
    """Return the heading of a part of a docstring."""
    match kind:
        case "parameters":
            return gettext("Parameters")
        case "others":
            return gettext("Other parameters")
        case "keywords":
            return gettext("Keyword arguments")
        case "attributes":
            return gettext("Attributes")
        case "methods":
            return gettext("Methods")
        case "returns":
            return gettext("Returns")
        case "yields":
            return gettext("Yields")
        case "receives":
            return gettext("Receives")
        case "raises":
            return gettext("Raises")
        case "warns":
            return gettext("Warns")
        case "examples":
            return gettext("Examples")
        case "notes":
            return gettext("Notes")
        case "references":
            return gettext("References")
        case _:  # there are no others
            return gettext("See also")


def box_label(kind: str, version: str, gettext: Gettext) -> str:
    """Return the heading of a box; empty if it has none but the author's own."""
    match kind:
        case "admonition":
            return ""
        case "tip" | "hint":
            return gettext("Tip")
        case "important":
            return gettext("Important")
        case "warning" | "attention":
            return gettext("Warning")
        case "caution":
            return gettext("Caution")
        case "danger" | "error":
            return gettext("Danger")
        case "seealso":
            return gettext("See also")
        case "todo":
            return gettext("To do")
        case "added":
            return gettext("Added in version %(version)s").replace("%(version)s", version)
        case "changed":
            return gettext("Changed in version %(version)s").replace("%(version)s", version)
        case "deprecated":
            return gettext("Deprecated since version %(version)s").replace("%(version)s", version)
        case "removed":
            return gettext("Removed in version %(version)s").replace("%(version)s", version)
        case _:
            return gettext("Note")


def default_label(gettext: Gettext) -> str:
    """Return the word before the default of a parameter."""
    return gettext("default")


def optional_label(gettext: Gettext) -> str:
    """Return the word for a parameter that may be left out."""
    return gettext("optional")


_COLOURS = {
    **dict.fromkeys(["tip", "hint", "added"], "tip"),
    **dict.fromkeys(["warning", "attention", "caution", "changed", "deprecated", "removed"], "warning"),
    **dict.fromkeys(["danger", "error"], "danger"),
    "important": "important",
}


def box_class(kind: str) -> str:
    """Return the CSS class for the colour of a box."""
    return _COLOURS.get(kind, "note")
