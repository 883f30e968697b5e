"""Leads from the names on a page to their definitions: on the site, in its own documentation, or in Python's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from .links import relative
from .manuals import manual
from .prose import plain
from .references import Place, Reference
from .site import Site

NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_SENTENCE = re.compile(r"(?<=[.!?])\s|(?<=[。！？])")


@dataclass(frozen=True)
class CrossReferences:
    """The references of one page in one language."""

    site: Site
    file: str
    lang: str

    def refer(self, full: str) -> Reference | None:
        """Where a full name leads to."""
        if place := self.site.index.find(full):
            return self._to(place, full)
        href = manual(full, self.site.settings.manuals)
        return Reference(full, href, full.removeprefix("builtins.")) if href else None

    def in_prose(self, code: str, within: str) -> Reference | None:
        """Where inline code in the prose of a definition leads to; `None` if that is the same one, or unknown."""
        facts = self.site.facts(self.file)
        name = code.removesuffix("()")
        if not facts or not NAME.fullmatch(name) or name.partition(".")[0] in facts.parameters(within):
            return None
        full = self.site.index.meaning(name, facts, within)
        if not full:
            is_error = name[:1].isupper() and "exceptions" in manual(f"builtins.{name}", {})
            return self.refer(f"builtins.{name}") if is_error else None
        place = self.site.index.find(full)
        if (
            place
            and place.file == self.file
            and (not place.name or f"{within}.".startswith(f"{place.name}."))
        ):
            return None
        return self.refer(full)

    def users(self, name: str) -> Iterator[Reference]:
        """The definitions that use the definition `name` of this page."""
        for place in self.site.index.users.get((self.file, name), ()):
            text = place.name
            if place.file != self.file and (facts := self.site.facts(place.file)):
                text = f"{facts.module.rpartition('.')[2]}.{place.name}"
            yield self._to(place, text)

    def _to(self, place: Place, text: str) -> Reference:
        site = self.site
        here = site.address(site.pages[site.by_file[self.file]], self.lang)
        target = site.address(site.pages[site.by_file[place.file]], self.lang)
        anchor = f"#{quote(place.about.anchor, safe=':.')}" if place.about.anchor else ""
        href = anchor if target == here and anchor else relative(target, here) + anchor
        if not place.name:
            return Reference(text, href, site.title(place.file, self.lang)[0])
        return Reference(text, href, "\n".join(filter(None, [place.about.signature, self._sentence(place)])))

    def _sentence(self, place: Place) -> str:
        """The first sentence of a definition's prose, in the language of the page."""
        summary = place.about.summary
        if not summary:
            return ""
        found = self.site.quiet_catalog(place.file, self.lang).lookup(summary)
        return _SENTENCE.split(plain(found.text or summary), maxsplit=1)[0].strip()
