"""Glossaries of terms: reads `glossary.yml`, and finds renderings that it forbids, and terms that are not rendered.

A glossary may also list links and pictures that translations replace by others, in the language of the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from ..errors import Problem, PylitError
from ..filesystem import read_file
from ..parsing import ValuesError, YamlValue, decode_utf8, markdown, read_yaml

MAX_WORDS = 10_000
"""Maximum number of terms and renderings in a glossary."""
KEYS = ("term", "link", "use", "never", "why", "always")


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
    forms: tuple[str, ...] = ()
    """Other forms of the term than its plural."""
    is_always: bool = True
    """Whether one of the correct renderings has to be there wherever the term is."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the term in singular and plural, and its other forms.

        A term with a capital letter is matched as it is written, others in any case.
        """
        found = "|".join(map(_in_numbers, (self.term, *self.forms)))
        flags = re.IGNORECASE if self.term.islower() else re.NOFLAG
        return re.compile(rf"(?<!\w)(?:{found})(?!\w)", flags)

    def is_rendered(self, translation: str) -> bool:
        """Whether a correct rendering is in the translation, or the term itself, as in a title that stays as it is."""
        lower = translation.lower()
        return any(use.lower() in lower for use in self.use) or bool(self.pattern.search(translation))


def _in_numbers(term: str) -> str:
    """Return a pattern for a term in singular and plural."""
    if term[-1:] == "y" and term[-2:-1] not in "aeiou":
        return rf"{re.escape(term[:-1])}(?:y|ies)"
    return rf"{re.escape(term)}(?:e?s)?"


@dataclass(frozen=True)
class Glossary:
    """The terms of a language."""

    terms: tuple[Term, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    """Target of a link or picture in translations -> the one in the original that it may replace."""

    def terms_in(self, original: str) -> list[Term]:
        """Return the terms that occur in `original`, a text without markup."""
        return [term for term in self.terms if term.pattern.search(original)]

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

    def missing(self, original: str, translation: str) -> Iterator[Term]:
        """Yield the terms of `original` that have to be rendered and are not in `translation`, not even wrongly."""
        for term in self.terms_in(original):
            is_named = term.is_rendered(translation) or any(wrong in translation for wrong in term.never)
            if term.is_always and not is_named:
                yield term


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
    links: dict[str, str] = {}
    terms = []
    for item in found.content:
        values = _values(item, file)
        if "link" in values:
            links |= _links(values, item.line + 1, file)
        else:
            terms.append(_term(values, item, file))
    if (count := sum(1 + len(term.use) + len(term.never) for term in terms)) > MAX_WORDS:
        hint = f"At most {MAX_WORDS:,} are allowed: each block of a translation is searched for all of them."
        raise PylitError(Problem(file, 1, f"has {count:,} terms and renderings", hint))
    return Glossary(tuple(terms), links)


_EXAMPLE = "For example `{term: residual, use: [残差], never: [剩余], why: …}`."


def _values(found: YamlValue, file: str) -> dict[str, list[str]]:
    """Return the keys and values of an entry.

    Raises:
        PylitError: with the line, if it has others than these.
    """
    if not isinstance(found.content, Mapping):
        raise PylitError(Problem(file, found.line + 1, "this is not a term", _EXAMPLE))
    values: dict[str, list[str]] = {}
    for key, (at, value) in found.content.items():
        if key not in KEYS:
            allowed = f"Allowed: {', '.join(KEYS)}."
            raise PylitError(Problem(file, at + 1, f"unknown key `{key}`", allowed))
        items = value.content if isinstance(value.content, tuple) else [value]
        values[key] = [item.content for item in items if item.content and isinstance(item.content, str)]
    return values


def _links(values: Mapping[str, list[str]], line: int, file: str) -> dict[str, str]:
    """Return the targets that may replace a link, each with the link.

    Raises:
        PylitError: with the line, if there are none, or it is about something else too.
    """
    original, others = values["link"], values.get("use", [])
    if len(original) != 1 or not others or not values.keys() <= {"link", "use", "why"}:
        hint = "For example `{link: https://example.org/en, use: [https://example.org/zh], why: …}`."
        raise PylitError(Problem(file, line, "a link needs `use`, and may have `why`", hint))
    normal = markdown().normalizeLink  # as the parser writes them
    return {normal(other): normal(original[0]) for other in others}


def _term(values: Mapping[str, list[str]], found: YamlValue, file: str) -> Term:
    line, example = found.line + 1, _EXAMPLE
    if not values.get("term") or not values.get("use"):
        raise PylitError(Problem(file, line, "a term needs `term` and `use`", example))
    name, *forms = values["term"]
    always = values.get("always", ["true"])
    if always not in (["true"], ["false"]):
        assert isinstance(found.content, Mapping)
        at = found.content["always"][0] + 1
        raise PylitError(Problem(file, at, "`always` is neither true nor false", "By default it is true."))
    return Term(
        term=name,
        use=tuple(values["use"]),
        never=tuple(values.get("never", [])),
        why=" ".join(values.get("why", [])),
        line=line,
        forms=tuple(forms),
        is_always=always == ["true"],
    )
