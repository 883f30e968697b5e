"""The front matter: YAML between `---` lines at the start of a module's docstring or of a guide.

Accepts `title`, `summary`, `symbols` and `macros`. Everything else is ignored, and reported.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import Problem
from ..nearest import short, suggest
from .model import Meta, ProseLine
from .values import ValuesError, read_yaml

KEYS = ("title", "summary", "symbols", "macros")
_BRIEF = reprlib.Repr()
_BRIEF.maxlevel = 2


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The front matter of a file, and the remaining prose."""

    meta: Meta
    rest: tuple[ProseLine, ...]
    """The prose that follows."""
    problems: tuple[Problem, ...] = ()
    """Problems of the front matter. Values that cannot be used are ignored."""


def split_front_matter(prose: Sequence[ProseLine], file: str) -> FrontMatter:
    """Split the front matter off `prose`, if it starts with one that has an end and is a mapping."""
    if not prose or prose[0].text.rstrip() != "---":
        return FrontMatter(Meta(), tuple(prose))
    end = next((i for i, line in enumerate(prose[1:], 1) if line.text.rstrip() == "---"), None)
    first = prose[0].number
    if end is None:
        problem = Problem(file, first, "the front matter has no end", "Close it with a line of `---`.")
        return FrontMatter(Meta(), tuple(prose), (problem,))
    text = "\n".join(line.text for line in prose[1:end])
    rest = tuple(prose[end + 1 :])
    try:
        value = read_yaml(text)  # all values are text: a title may be 404
    except ValuesError as error:
        hint = "Quote text that has a colon in it."
        line = prose[min(1 + error.line, end)].number
        problem = Problem(file, line, f"the front matter is not valid YAML: {error}", hint)
        return FrontMatter(Meta(), rest, (problem,))
    if value is None:
        return FrontMatter(Meta(), rest)
    if not isinstance(value.content, Mapping):
        hint = f"Write `key: value`; keys: {', '.join(KEYS)}."
        problem = Problem(file, first + 1, "the front matter is not a mapping", hint)
        return FrontMatter(Meta(), tuple(prose), (problem,))
    values = value.plain
    lines = {key: prose[1 + entry.line].number for key, entry in value.content.items()}
    problems = tuple(_wrong_values(values, lines, file))
    wrong = {problem.line for problem in problems}
    found = {key: value for key, value in values.items() if key in KEYS and lines[key] not in wrong}
    meta = Meta(
        " ".join(found.get("title", "").split()),
        lines.get("title", 0) if "title" in found else 0,
        " ".join(found.get("summary", "").split()),
        lines.get("summary", 0) if "summary" in found else 0,
        found.get("symbols") or {},
        lines.get("symbols", 0) if "symbols" in found else 0,
        found.get("macros") or {},
        lines.get("macros", 0) if "macros" in found else 0,
    )
    return FrontMatter(meta, rest, problems)


def _wrong_values(values: Mapping[Any, Any], lines: Mapping[Any, int], file: str) -> Iterator[Problem]:
    """Yield the problems of the values of front matter, whose keys are on `lines`."""
    for key, line in lines.items():
        if key not in KEYS:
            hint = suggest(str(key), KEYS, then=f"Allowed: {', '.join(KEYS)}.")
            yield Problem(file, line, f"the front matter has an unknown key `{short(str(key))}`", hint)
    for key in ("title", "summary"):
        if not isinstance(values.get(key, ""), str):
            message = f"`{key}` of the front matter must be a string, not {_BRIEF.repr(values[key])}"
            yield Problem(file, lines[key], message, "Put it in quotes.")
    for key, what, hint in (
        ("symbols", "symbols to names", "For example `symbols: {W_s: ShortcutProjection.conv}`."),
        ("macros", "names to TeX", "For example `macros: {R: '\\mathbb{R}'}`."),
    ):
        found = values.get(key) or {}
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            yield Problem(file, lines[key], f"`{key}` of the front matter must map {what}", hint)
