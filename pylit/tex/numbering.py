r"""Numbers equations as LaTeX does, finds their labels, and writes environments that KaTeX lacks in those that it has.

KaTeX knows neither `\label` nor `\ref`, nor `multline`, `eqnarray` and `flalign`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .macros import joined, tokens_of

REFERS = re.compile(r"\\(eqref|ref)\s*\{([^{}]{1,200})\}")
"""A reference to an equation."""
_ROWS = frozenset("align alignat flalign gather eqnarray IEEEeqnarray".split())
"""Environments that have a number for each row."""
_SINGLE = frozenset("equation multline".split())
"""Environments that have one number."""
_RENAMED = {"flalign": "align", "eqnarray": "align", "IEEEeqnarray": "align"}
_DROPPED = frozenset("displaymath math subequations".split())
_INLINE = {"align": "aligned", "gather": "gathered", "flalign": "aligned", "eqnarray": "aligned"}
_REWRITTEN = re.compile(
    r"\\(?:label\s*\{|begin\s*\{(?:multline|flalign|eqnarray|IEEEeqnarray|displaymath|math|subequations)\*?\})"
)
_IN_TEXT = re.compile(r"\\begin\s*\{(?:align|gather|equation|flalign|eqnarray)\*?\}")
_GROUP_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Numbered:
    """A formula with its numbers."""

    tex: str
    labels: tuple[tuple[str, str], ...] = ()
    """Labels, and the numbers that they stand for."""
    following: int = 1
    """The number of the next equation."""


@dataclass
class _Row:
    """A row under construction."""

    tokens: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    tag: str = ""
    has_number: bool = True


def needs_numbering(tex: str, *, display: bool) -> bool:
    """Return whether `number` would change a formula of a page without labels."""
    return bool(_REWRITTEN.search(tex) or (not display and _IN_TEXT.search(tex)))


def number(
    tex: str, first: int, *, display: bool, has_labels: bool, plain: Callable[[str], str] = str
) -> Numbered:
    r"""Return a formula without labels, in environments that KaTeX has.

    Args:
        tex: The formula.
        first: The number of the next equation.
        display: Whether it stands alone; only such formulas have numbers.
        has_labels: Whether its page has labels. If so, every number is written as a `\tag`, so that it is the one that
            references show; otherwise no number is shown.
        plain: Returns the text of a tag.
    """
    return _Numberer(first, display, has_labels, plain).formula(tokens_of(tex))


class _Numberer:
    def __init__(self, first: int, display: bool, has_labels: bool, plain: Callable[[str], str]) -> None:
        self.next = first
        self.display = display
        self.has_labels = has_labels
        self.plain = plain
        self.labels: list[tuple[str, str]] = []

    def formula(self, tokens: list[str]) -> Numbered:
        tokens = list(_without_environments(tokens, _DROPPED))
        found = _outermost(tokens)
        if found is None:
            row = self._row(tokens)
            # As in MathJax, a formula between dollars has a number only if its author asks for one.
            row.has_number = bool(row.labels)
            out = self._closed(row)
        else:
            start, inner, end, stop, name = found
            first = self.next
            before, after = self._row(tokens[:start]), self._row(tokens[stop:])
            out = [*before.tokens, *self._environment(name, tokens[inner:end]), *after.tokens]
            self.labels += ((label, str(first)) for label in [*before.labels, *after.labels])
        return Numbered(joined(out).strip(), tuple(self.labels), self.next)

    def _environment(self, name: str, tokens: list[str]) -> Iterator[str]:
        """Yield an environment with numbers, of which `tokens` are the content."""
        star = "*" if name.endswith("*") else ""
        base = name.removesuffix("*")
        if base in _SINGLE:
            row = self._row(tokens)
            row.has_number = row.has_number and not star
            if base == "multline":
                row.tokens = [*_edge("begin", "gathered"), *row.tokens, *_edge("end", "gathered")]
            if not self.display:
                yield from row.tokens
                return
            yield from _edge("begin", f"equation{star}")
            yield from self._closed(row)
            yield from _edge("end", f"equation{star}")
            return
        arguments: list[str] = []
        if base in ("alignat", "IEEEeqnarray"):
            arguments, tokens = _argument(tokens)
        wanted = _RENAMED.get(base, base) + star if self.display else _INLINE.get(base, base)
        yield from _edge("begin", wanted)
        yield from arguments if base == "alignat" else ()
        for place, (row_tokens, separator) in enumerate(_rows(tokens)):
            row = self._row(row_tokens)
            if base in ("eqnarray", "IEEEeqnarray"):
                row.tokens = _without_second(row.tokens)
            is_empty = not "".join(row.tokens).strip() and not row.labels and not row.tag
            if is_empty and not separator and place:  # nothing follows the last separator
                yield from row.tokens
                continue
            row.has_number = row.has_number and not star and self.display
            yield from self._closed(row)
            yield from separator
        yield from _edge("end", wanted)

    def _row(self, tokens: list[str]) -> _Row:
        r"""Return a row without its `\label`, and without a `\tag`, which `_closed` writes."""
        row = _Row()
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token in (r"\label", r"\tag"):
                is_starred = token == r"\tag" and tokens[at + 1 : at + 2] == ["*"]
                group = _group(tokens, at + 1 + is_starred)
                if group is not None:
                    text = "".join(tokens[at + 2 + is_starred : group - 1]).strip()
                    if token == r"\label":
                        row.labels.append(text)
                    else:
                        row.tag = r"\tag" + "*" * is_starred + f"{{{text}}}"
                    at = group
                    continue
            if token in (r"\notag", r"\nonumber"):
                row.has_number = False
            row.tokens.append(token)
            at += 1
        return row

    def _closed(self, row: _Row) -> list[str]:
        """Return the tokens of a row with its tag, and note its labels."""
        tag = row.tag
        if tag:
            shown = self.plain(tag[tag.index("{") + 1 : -1])
        elif row.has_number:
            shown = str(self.next)
            self.next += 1
            tag = rf"\tag{{{shown}}}" if self.has_labels else ""
        else:
            shown = ""
        self.labels += ((label, shown) for label in row.labels)
        if not tag or not self.display:
            return row.tokens
        content = row.tokens
        space = len(content)
        while space and content[space - 1].isspace():
            space -= 1
        return [*content[:space], tag, *content[space:]]


def _edge(kind: str, name: str) -> list[str]:
    return [f"\\{kind}", "{", *name, "}"]


def _group(tokens: list[str], at: int) -> int | None:
    """Return the end of the group in braces at a position; `None` if there is none."""
    if tokens[at : at + 1] != ["{"]:
        return None
    depth = 0
    for place in range(at, min(len(tokens), at + _GROUP_LIMIT)):
        depth += (tokens[place] == "{") - (tokens[place] == "}")
        if not depth:
            return place + 1
    return None


def _argument(tokens: list[str]) -> tuple[list[str], list[str]]:
    """Split off an argument in braces."""
    start = next((at for at, token in enumerate(tokens) if not token.isspace()), 0)
    end = _group(tokens, start)
    return (tokens[:end], tokens[end:]) if end is not None else ([], tokens)


def _edges(tokens: list[str]) -> Iterator[tuple[int, int, bool, str]]:
    r"""Yield each `\begin{…}` and `\end{…}`: its start, its end, whether it begins, and the name."""
    for at, token in enumerate(tokens):
        if token in (r"\begin", r"\end"):
            start = at + 1
            while start < len(tokens) and tokens[start].isspace():
                start += 1
            name: list[str] = []
            end = start + 1
            while tokens[start : start + 1] == ["{"] and end < len(tokens) and len(name) < 20:
                if tokens[end] == "}":
                    yield at, end + 1, token == r"\begin", "".join(name).strip()
                    break
                name.append(tokens[end])
                end += 1


def _without_environments(tokens: list[str], names: frozenset[str]) -> Iterator[str]:
    """Yield tokens without the edges of some environments."""
    at = 0
    for start, end, _, name in _edges(tokens):
        if name.removesuffix("*") in names:
            yield from tokens[at:start]
            at = end
    yield from tokens[at:]


def _outermost(tokens: list[str]) -> tuple[int, int, int, int, str] | None:
    """Return where the first environment with numbers and its content start and end, and its name."""
    opened: tuple[int, int, str] | None = None
    depth = 0
    for start, end, is_begin, name in _edges(tokens):
        if opened is None:
            if is_begin and name.removesuffix("*") in _ROWS | _SINGLE:
                opened = start, end, name
            continue
        if name == opened[2]:
            if is_begin:
                depth += 1
            elif depth:
                depth -= 1
            else:
                return opened[0], opened[1], start, end, name
    return None


def _rows(tokens: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    r"""Yield the rows of an environment, each with the `\\` after it; the last one has none."""
    edges = {start: is_begin for start, _, is_begin, _ in _edges(tokens)}
    row: list[str] = []
    depth = braces = 0
    for at, token in enumerate(tokens):
        if at in edges:
            depth += 1 if edges[at] else -1
        braces += (token == "{") - (token == "}")
        if token == r"\\" and not depth and not braces:
            yield row, [token]
            row = []
        else:
            row.append(token)
    yield row, []


def _without_second(tokens: list[str]) -> list[str]:
    """Return a row of three columns as one of two, with the relation in the second one."""
    out: list[str] = []
    count = depth = 0
    for token in tokens:
        depth += (token == "{") - (token == "}")
        if token == "&" and not depth:
            count += 1
            if count == 2:
                continue
        out.append(token)
    return out
