"""Leads from the names on a page to their definitions: on the site, in its own documentation, or in Python's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from .links import relative
from .manuals import manual
from .references import Reference
from .site import Described, Site

NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True)
class CrossReferences:
    """The references of one page in one language."""

    site: Site
    file: str
    lang: str

    def refer(self, full: str) -> Reference | None:
        """Where a full name leads to."""
        if place := self.site.definition(full, self.lang):
            return self._to(place, full)
        href = manual(full, self.site.settings.manuals)
        return Reference(full, href, full.removeprefix("builtins.")) if href else None

    def in_prose(self, code: str, within: str) -> Reference | None:
        """Where inline code in the prose of a definition leads to; `None` if that is the same one, or unknown."""
        name = code.removesuffix("()")
        facts = self.site.facts(self.file) if NAME.fullmatch(name) else None
        if not facts or name.partition(".")[0] in facts.parameters(within):
            return None
        full = self.site.meaning(self.file, within, name)
        if not full:
            is_error = name[:1].isupper() and "exceptions" in manual(f"builtins.{name}", {})
            return self.refer(f"builtins.{name}") if is_error else None
        if place := self.site.definition(full, self.lang):
            file, defined, _, _ = place
            if file == self.file and (not defined or f"{within}.".startswith(f"{defined}.")):
                return None
        return self.refer(full)

    def users(self, name: str) -> Iterator[Reference]:
        """The definitions that use the definition `name` of this page."""
        for place in self.site.users(self.file, name, self.lang):
            file, user, _, _ = place
            module = self.site.module(file)[0].rpartition(".")[2]
            yield self._to(place, user if file == self.file else f"{module}.{user}")

    def _to(self, place: Described, text: str) -> Reference:
        file, _, anchor, told = place
        here, target = (self.site.url(one, self.lang) for one in (self.file, file))
        fragment = f"#{quote(anchor, safe=':.')}" if anchor else ""
        href = fragment if target == here and fragment else relative(target, here) + fragment
        return Reference(text, href, told)
