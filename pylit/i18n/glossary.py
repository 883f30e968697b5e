"""Glossaries of terms: reads `glossary.yml`, and finds renderings that it forbids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from ..errors import Problem, PylitError
from ..filesystem import read_file
from ..parsing import ValuesError, YamlValue, decode_utf8, read_yaml

MAX_WORDS = 10_000
"""Maximum number of terms and renderings in a glossary."""
KEYS = ("term", "use", "never", "why")


@dataclass(frozen=True)
class Term:
    """A term in the language of the sources."""

    term: str
    use: tuple[str, ...]
    """Correct renderings."""
    never: tuple[str, ...]
    """Wrong renderings."""
    why: str
    line: int

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the term in singular and plural."""
        return re.compile(rf"(?<!\w){re.escape(self.term)}(?:e?s)?(?!\w)", re.IGNORECASE)


@dataclass(frozen=True)
class Glossary:
    """The terms of a language."""

    terms: tuple[Term, ...] = ()

    def violations(self, original: str, translation: str) -> Iterator[tuple[Term, str]]:
        """Yield the terms of `original` that `translation` renders wrongly, each with the wrong rendering.

        Both texts are without markup. A wrong rendering that is part of a correct one is allowed.
        """
        for term in self.terms:
            for wrong in term.never:
                if wrong not in translation or not term.pattern.search(original):
                    continue
                right = [use for use in term.use if wrong in use]
                if wrong in (
                    re.sub("|".join(map(re.escape, right)), "\0", translation) if right else translation
                ):
                    yield term, wrong


def load_glossary(path: Path) -> Glossary:
    """Read the glossary at `path`; return an empty one if it does not exist.

    Raises:
        PylitError: with the line, if it is not a list of terms.
    """
    if not path.is_file():
        return Glossary()
    return parse_glossary(read_file(path), path.as_posix())


@lru_cache(maxsize=8)
def parse_glossary(data: bytes, file: str) -> Glossary:
    """Parse the content `data` of a glossary.

    Raises:
        PylitError: with the line, if it is not a list of terms.
    """
    try:
        found = read_yaml(decode_utf8(data, file))
    except ValuesError as error:
        raise PylitError(Problem(file, error.line + 1, f"is not valid YAML: {error}")) from error
    if found is None:
        return Glossary()
    if not isinstance(found.content, tuple):
        hint = "Start each with `- term: …`."
        raise PylitError(Problem(file, found.line + 1, "is not a list of terms", hint))
    terms = tuple(_term(item, file) for item in found.content)
    if (count := sum(1 + len(term.use) + len(term.never) for term in terms)) > MAX_WORDS:
        hint = f"At most {MAX_WORDS:,} are allowed: each block of a translation is searched for all of them."
        raise PylitError(Problem(file, 1, f"has {count:,} terms and renderings", hint))
    return Glossary(terms)


def _term(found: YamlValue, file: str) -> Term:
    line = found.line + 1
    example = "For example `{term: residual, use: [残差], never: [剩余], why: …}`."
    if not isinstance(found.content, Mapping):
        raise PylitError(Problem(file, line, "this is not a term", example))
    values: dict[str, list[str]] = {}
    for key, (at, value) in found.content.items():
        if key not in KEYS:
            allowed = f"Allowed: {', '.join(KEYS)}."
            raise PylitError(Problem(file, at + 1, f"unknown key `{key}`", allowed))
        items = value.content if isinstance(value.content, tuple) else [value]
        values[key] = [item.content for item in items if item.content and isinstance(item.content, str)]
    if not values.get("term") or not values.get("use"):
        raise PylitError(Problem(file, line, "a term needs `term` and `use`", example))
    why = " ".join(values.get("why", []))
    return Term(values["term"][0], tuple(values["use"]), tuple(values.get("never", [])), why, line)
