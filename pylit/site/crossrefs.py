"""Links from names on a page to their definitions: on the site, in another project's documentation, or in Python's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from ..resolve import Reference, documentation_of, relative_link
from .definitions import Described
from .site import Site

NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True)
class CrossReferences:
    """The cross-references of one page in one language."""

    site: Site
    file: str
    lang: str

    def refer(self, full: str) -> Reference | None:
        """Return the link target for a full name."""
        if place := self.site.definitions.definition(full, self.lang):
            return self._to(place, full)
        href = documentation_of(full, self.site.settings.manuals)
        return Reference(full, href, full.removeprefix("builtins.")) if href else None

    def in_prose(self, code: str, within: str) -> Reference | None:
        """Return the link target for inline code in the prose of the definition `within`.

        Returns `None` if the code refers to that definition itself, or is unknown.
        """
        name = code.removesuffix("()")
        facts = self.site.sources.facts(self.file) if NAME.fullmatch(name) else None
        if not facts or facts.takes(within, name.partition(".")[0]):
            return None
        full = self.site.definitions.meaning(self.file, within, name)
        if not full:
            is_error = name[:1].isupper() and "exceptions" in documentation_of(f"builtins.{name}", {})
            return self.refer(f"builtins.{name}") if is_error else None
        place = self.site.definitions.definition(full, self.lang)
        is_around = place and (not place.name or f"{within}.".startswith(f"{place.name}."))
        return None if place and place.file == self.file and is_around else self.refer(full)

    def users(self, name: str) -> Iterator[Reference]:
        """Yield links to the definitions that use the definition `name` of this page."""
        for place in self.site.definitions.users(self.file, name, self.lang):
            module = self.site.sources.module_name(place.file).module.rpartition(".")[2]
            yield self._to(place, place.name if place.file == self.file else f"{module}.{place.name}")

    def _to(self, place: Described, text: str) -> Reference:
        here, target = (self.site.navigation.url(file, self.lang) for file in (self.file, place.file))
        fragment = f"#{quote(place.anchor, safe=':.')}" if place.anchor else ""
        href = fragment if target == here and fragment else relative_link(target, here) + fragment
        return Reference(text, href, place.title)
