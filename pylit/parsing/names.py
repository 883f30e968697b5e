"""Names of sections and headings, used in addresses: they do not depend on surrounding text, so links survive edits."""

from __future__ import annotations

import re


def slug(text: str) -> str:
    """Return the first words of `text` in a form for addresses: `Why it helps` -> `why-it-helps`."""
    return "-".join(re.findall(r"\w+", text.lower())[:6])[:48].strip("-_")


def unused_name(name: str, taken: set[str], counts: dict[str, int]) -> str:
    """Return `name`, with the lowest number that makes it unique if necessary.

    Args:
        name: The wanted name.
        taken: Names in use.
        counts: Last number tried for each name, updated here.
    """
    number, result = counts.get(name, 1), name
    while result in taken:
        number += 1
        result = f"{name}-{number}"
    counts[name] = number
    return result


class HostSlugs:
    """The ids that GitHub gives to the headings of a file, by which authors link to them."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def slug(self, text: str) -> str:
        """Return the id of the next heading, given its plain text: `What's new?` -> `whats-new`."""
        base = result = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        while result in self._counts:
            self._counts[base] += 1
            result = f"{base}-{self._counts[base]}"
        self._counts[result] = 0
        return result
