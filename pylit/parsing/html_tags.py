"""Reads the tags of raw HTML: their names and attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)((?:\s|/)[^<>]*)?>", re.DOTALL)
_QUOTED = re.compile(
    r"""<(/?)([A-Za-z][A-Za-z0-9-]*)(\s(?>[^>=]+|=\s*+(?>"[^"]*+"|'[^']*+')?)*+)>""", re.DOTALL
)
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]++)(?:\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of raw HTML."""

    name: str
    """In lower case."""
    is_end: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Name in lower case -> value without entities; of several with one name, the first."""

    @property
    def anchor(self) -> str:
        """The anchor that it sets; empty if there is none."""
        return self.attributes.get("id", "") or (self.attributes.get("name", "") if self.name == "a" else "")


@lru_cache(maxsize=1024)
def parse_tag(text: str) -> Tag | None:
    """Return the tag that `text` is; `None` if it is something else, such as a comment."""
    match = _TAG.fullmatch(text) or _QUOTED.fullmatch(text)
    if not match:
        return None
    return Tag(match[2].lower(), bool(match[1]), parse_attributes(match[3] or ""))


def parse_attributes(text: str) -> Mapping[str, str]:
    """Return the attributes in `text`, which is what a tag has after its name."""
    found: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), unescape("".join(values)))
    return found
