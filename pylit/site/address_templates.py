"""Templates of addresses on the web, with placeholders in braces: `https://host/{path}#L{line}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import Problem, PylitError
from ..nearest import suggest

_PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class TemplateKind:
    """What a template must have, and how messages name it."""

    places: tuple[str, ...]
    """The placeholders that it may have."""
    needed: frozenset[str]
    """Those of which it must have one."""
    example: str
    no_address: str
    """What is wrong with a template that is no web address."""
    lacking: str
    """What is wrong with one that has none of the needed placeholders."""


def check_template(where: str, template: str, kind: TemplateKind) -> frozenset[str]:
    """Check that a template produces valid addresses, and return its placeholders.

    Raises:
        PylitError: naming `where` it is set, if it is not a web address, lacks a placeholder, or has an unknown one.
    """
    hint = f"Write it like {kind.example}."

    def wrong(reason: str, hint: str = hint) -> PylitError:
        return PylitError(Problem(where, 0, f"`{template}` {reason}", hint))

    parts = urlsplit(template)
    if parts.scheme not in ("http", "https") or not parts.netloc or _PLACE.search(parts.netloc):
        raise wrong(kind.no_address)
    names = _PLACE.findall(template)
    for found in names:
        if found not in kind.places:
            allowed = ", ".join(f"`{{{place}}}`" for place in kind.places)
            other = suggest(found, kind.places, then=f"Allowed: {allowed}.", shown="{{{}}}".format)
            raise wrong(f"has an unknown placeholder `{{{found}}}`", other)
    if not kind.needed & set(names):
        raise wrong(kind.lacking)
    if set("{}") & set(_PLACE.sub("", template)):
        raise wrong("has an unmatched brace")
    return frozenset(names)


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return the address that a template produces. What is no placeholder stays as it is."""
    return _PLACE.sub(lambda match: values.get(match[1], match[0]), template)
