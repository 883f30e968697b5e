"""The front matter: YAML between `---` lines at the start of a module's docstring or of a guide.

Accepts the keys in `KEYS`. Everything else is ignored, and reported.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import Problem
from ..nearest import short, suggest
from .model import Meta, Paper, ProseLine
from .values import ValuesError, read_yaml

TEXTS = ("title", "summary", "hook", "pictogram", "before", "next")
"""Keys whose values are strings."""
KEYS = (*TEXTS, "papers", "symbols", "macros")
_PAPER = ("title", "authors", "year", "arxiv", "url")
_ARXIV = re.compile(r"\d{4}\.\d{4,5}(v\d+)?|[a-z-]+(\.[A-Z]{2})?/\d{7}(v\d+)?")
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
    texts = {key: " ".join(found.get(key, "").split()) for key in TEXTS}
    places = {key: line for key, line in lines.items() if key in found}
    meta = Meta(
        texts["title"],
        places.get("title", 0),
        texts["summary"],
        places.get("summary", 0),
        found.get("symbols") or {},
        places.get("symbols", 0),
        found.get("macros") or {},
        places.get("macros", 0),
        texts["hook"],
        texts["pictogram"],
        tuple(map(_paper, found.get("papers") or ())),
        texts["before"],
        texts["next"],
        places,
    )
    return FrontMatter(meta, rest, problems)


def _wrong_values(values: Mapping[Any, Any], lines: Mapping[Any, int], file: str) -> Iterator[Problem]:
    """Yield the problems of the values of front matter, whose keys are on `lines`."""
    for key, line in lines.items():
        if key not in KEYS:
            hint = suggest(str(key), KEYS, then=f"Allowed: {', '.join(KEYS)}.")
            yield Problem(file, line, f"the front matter has an unknown key `{short(str(key))}`", hint)
    for key in TEXTS:
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
    for position, reason in _wrong_papers(values.get("papers") or ()):
        example = "- {title: …, authors: [A. Author, B. Author], year: 2015, arxiv: 1512.03385}"
        hint = f"Write `{example}`, or give its `url`."
        yield Problem(file, lines["papers"], f"{position} of the front matter {reason}", hint)


def _wrong_papers(papers: Any) -> Iterator[tuple[str, str]]:
    """Yield which papers cannot be used, and why."""
    if not isinstance(papers, list | tuple):
        yield "`papers`", "must be a list"
        return
    for number, paper in enumerate(papers, 1):
        name = f"paper {number}"
        if not isinstance(paper, dict):
            yield name, f"must be a mapping, not {_BRIEF.repr(paper)}"
            continue
        if unknown := [key for key in paper if key not in _PAPER]:
            yield name, f"has an unknown key `{short(str(unknown[0]))}`; allowed: {', '.join(_PAPER)}"
        elif missing := [key for key in ("title", "authors", "year") if not paper.get(key)]:
            yield name, f"has no `{missing[0]}`"
        elif not _are_texts(paper["authors"]) or not all(
            isinstance(paper.get(key, ""), str) for key in _PAPER if key != "authors"
        ):
            yield name, "must have strings, and a list of strings for `authors`"
        elif not re.fullmatch(r"\d{4}", paper["year"]):
            yield name, f"has the year `{short(paper['year'])}`; expected four digits"
        elif not _ARXIV.fullmatch(paper.get("arxiv", "0000.0000")):
            yield name, f"has `{short(paper['arxiv'])}` for `arxiv`; expected a number such as 1512.03385"
        elif not paper.get("url", "https://").startswith(("https://", "http://")):
            yield name, f"has the address `{short(paper['url'])}`; expected one that starts with https://"


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) and item for item in value)


def _paper(values: Mapping[str, Any]) -> Paper:
    return Paper(
        " ".join(values["title"].split()),
        tuple(values["authors"]),
        values["year"],
        values.get("arxiv", ""),
        values.get("url", ""),
    )
