"""Terms and how they are rendered in a language: reads `glossary.yml`, and finds renderings that it forbids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import Problem, PylitError

if TYPE_CHECKING:
    import yaml

KEYS = ("term", "use", "never", "why")


@dataclass(frozen=True)
class Term:
    """One term of the language of the sources."""

    term: str
    use: tuple[str, ...]
    """Its renderings."""
    never: tuple[str, ...]
    """Renderings that are wrong."""
    why: str
    line: int

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Finds it in the singular and the plural."""
        return re.compile(rf"(?<!\w){re.escape(self.term)}(?:e?s)?(?!\w)", re.IGNORECASE)


@dataclass(frozen=True)
class Glossary:
    """All terms of a language."""

    terms: tuple[Term, ...] = ()

    def violations(self, original: str, translation: str) -> Iterator[tuple[Term, str]]:
        """Yield the terms of `original` that `translation` renders as it must not, each with the rendering.

        Both are words without markup. What is only a part of a right rendering is no violation.
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
    """Read the glossary at `path`; one that does not exist is empty.

    Raises:
        PylitError: with the line, if it is no list of terms.
    """
    if not path.is_file():
        return Glossary()
    return parse_glossary(path.read_bytes(), path.as_posix())


@lru_cache(maxsize=8)
def parse_glossary(data: bytes, file: str) -> Glossary:
    """Read the glossary in a file that holds `data`.

    Raises:
        PylitError: with the line, if it is no list of terms.
    """
    import yaml

    from .source import decode_utf8

    try:
        node = yaml.compose(decode_utf8(data, file), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise PylitError(Problem(file, line, f"is no YAML: {getattr(error, 'problem', error)}")) from error
    if node is None:
        return Glossary()
    if not isinstance(node, yaml.SequenceNode):
        hint = "Begin each with `- term: …`."
        raise PylitError(Problem(file, node.start_mark.line + 1, "is no list of terms", hint))
    return Glossary(tuple(_term(item, file) for item in node.value))


def _term(node: yaml.Node, file: str) -> Term:
    import yaml

    line = node.start_mark.line + 1
    example = "For example `{term: residual, use: [残差], never: [剩余], why: …}`."
    if not isinstance(node, yaml.MappingNode):
        raise PylitError(Problem(file, line, "this is no term", example))
    values: dict[str, list[str]] = {}
    for key, value in node.value:
        if key.value not in KEYS:
            allowed = f"Allowed: {', '.join(KEYS)}."
            raise PylitError(Problem(file, key.start_mark.line + 1, f"unknown key `{key.value}`", allowed))
        items = value.value if isinstance(value, yaml.SequenceNode) else [value]
        values[key.value] = [item.value for item in items if isinstance(item, yaml.ScalarNode) and item.value]
    if not values.get("term") or not values.get("use"):
        raise PylitError(Problem(file, line, "a term needs `term` and `use`", example))
    why = " ".join(values.get("why", []))
    return Term(values["term"][0], tuple(values["use"]), tuple(values.get("never", [])), why, line)
