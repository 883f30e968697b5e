"""Cuts a docstring in NumPy's dialect: underlined sections, with `name : type` and the indented lines below it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ..escape import is_expression
from ..model import ProseLine
from .kinds import NUMPY, WITH_NAMES, WITH_TYPES
from .parts import Entry, Part, dedented, described, indent, split_entries, split_outside

MOST_WORDS = 2
"""Maximum number of words of a name without a type."""
MOST_WORDS_OF_A_TYPE = 7
"""Maximum number of words of an entry that has no colon."""
_RULE = re.compile(r"[ \t]*(?:-{3,}|={3,})[ \t]*$")
_NAME = re.compile(r"(?:\\?\*){0,2}[A-Za-z_][\w.]*(?:\[[^\]]*\])?|\.\.\.|…|`[^`]+`|:\w+:`[^`]+`")
_TARGET = re.compile(r":[\w:]+:`[^`]+`|`[^`]+`|[\w.~!]+(?:\(\))?")


def cut(lines: Sequence[ProseLine]) -> Iterator[Part]:
    """Yield the parts of a docstring."""
    heads = [n for n in range(len(lines) - 1) if _is_head(lines, n)]
    before = dedented(lines[: heads[0]] if heads else lines)
    if before:
        yield Part("", "", before[0].number, before)
    for head, end in pairwise([*heads, len(lines)]):
        yield from _part(lines[head], dedented(lines[head + 2 : end]))


def _is_head(lines: Sequence[ProseLine], position: int) -> bool:
    title, rule = lines[position].text, lines[position + 1].text
    if (
        not title.strip()
        or not _RULE.match(rule)
        or title.lstrip()[0] in "-=*.>|+"
        or indent(title) != indent(rule)
    ):
        return False
    if _name(title) in NUMPY:
        return True
    is_over = position > 0 and _RULE.match(lines[position - 1].text)
    return not is_over and indent(title) == 0 and abs(len(title.strip()) - len(rule.strip())) <= 3


def _name(title: str) -> str:
    return title.strip().removesuffix(":").rstrip().lower()


def _part(head: ProseLine, body: tuple[ProseLine, ...]) -> Iterator[Part]:
    title = head.text.strip()
    kind = NUMPY.get(_name(title), "")
    if not kind:
        yield Part("own", title, head.number, body)
        return
    entries: tuple[Entry, ...] = ()
    body, after = _split_text(body) if kind in WITH_NAMES or kind in WITH_TYPES else (body, ())
    if kind == "seealso":
        entries = tuple(_related(run) for run in split_entries(body))
        entries = entries if all(entry.names for entry in entries) else ()
    elif kind in WITH_NAMES:
        entries = tuple(_named(run) for run in split_entries(body))
        if any(map(_is_sentence, entries)) or not any(
            entry.text or entry.type or _is_names(entry.names) for entry in entries
        ):
            entries = ()
    elif kind in WITH_TYPES:
        runs = split_entries(body)
        if len(runs) > 1 or any(len(run) > 1 for run in runs) or (runs and _is_alone(runs[0][0].text)):
            entries = tuple(_typed(run, kind) for run in runs)
    yield Part(kind, "", head.number, () if entries else body, entries)
    if after:
        yield Part("", "", after[0].number, after)


def _split_text(body: tuple[ProseLine, ...]) -> tuple[tuple[ProseLine, ...], tuple[ProseLine, ...]]:
    """Split a section before the first directive or paragraph that stands where an entry would; it is about all."""
    runs = split_entries(body)
    position = next(
        (
            n
            for n in range(1, len(runs))
            if runs[n][0].text.startswith(".. ")
            or (not runs[n - 1][-1].text.strip() and _is_paragraph(runs[n][0].text))
        ),
        len(runs),
    )
    end = sum(map(len, runs[:position]))
    return body[:end], body[end:]


def _is_paragraph(text: str) -> bool:
    """Return whether a line is rather a sentence than a name or a type."""
    return len(text.split()) > MOST_WORDS_OF_A_TYPE and " : " not in text and not split_outside(text, ":")


def _is_sentence(entry: Entry) -> bool:
    """Return whether an entry is rather a sentence than a name."""
    return not entry.type and "," not in entry.names and len(entry.names.split()) > MOST_WORDS


def _is_names(names: str) -> bool:
    return all(_NAME.fullmatch(name.strip()) for name in names.split(","))


def _is_alone(text: str) -> bool:
    """Return whether a single line is a type rather than a sentence."""
    return " : " in text or is_expression(text.strip())


def _named(run: Sequence[ProseLine]) -> Entry:
    first = run[0]
    names, type_ = split_outside(first.text, ":") or (first.text, "")
    if first.text.startswith(":"):
        names, type_ = first.text, ""
    return Entry(first.number, _plain(names), type_.strip(), described("", first.number, run[1:]))


def _typed(run: Sequence[ProseLine], kind: str) -> Entry:
    first = run[0]
    split = split_outside(first.text, " : ") if not first.text.startswith(":") else None
    if split and kind in ("raises", "warns"):
        return Entry(first.number, "", split[0].strip(), described(split[1].strip(), first.number, run[1:]))
    names, type_ = split or ("", first.text)
    return Entry(first.number, _plain(names), type_.strip(), described("", first.number, run[1:]))


def _related(run: Sequence[ProseLine]) -> Entry:
    """Read an entry of `See Also`: names, and maybe what they are."""
    first = run[0]
    text = first.text.strip()
    names, end = [], 0
    while match := _TARGET.match(text, end):
        names.append(match[0])
        end = match.end()
        rest = text[end:].lstrip()
        if not rest.startswith(","):
            break
        end = len(text) - len(rest[1:].lstrip())
    description = text[end:].strip()
    if not names or (description and not description.startswith(":")):
        return Entry(first.number, "", "", tuple(run))
    plain = [re.sub(r"^:[\w:]+:|[`~!]", "", name) for name in names]
    return Entry(
        first.number, ", ".join(plain), "", described(description[1:].strip(), first.number, run[1:])
    )


def _plain(names: str) -> str:
    return names.replace("\\", "").replace("`", "").strip()
