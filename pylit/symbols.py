r"""Finds the symbols of a formula and marks them, so that the page can light up every use of one.

A symbol is a letter, a Greek letter or a letter in a font (`\mathcal{F}`, `\hat{x}`), with its subscript if
that is a name (`W_s`). Text, operators' names, sizes and colours are left alone. Works on TeX alone; a formula
it cannot follow is returned unmarked, and whether it is right is for KaTeX to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\s+|.", re.DOTALL)

GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi "
    "varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda "
    "Xi Pi Sigma Upsilon Phi Psi Omega ell".split()
)
DECORATED = frozenset(
    "mathcal mathbf mathbb mathfrak mathsf mathit mathrm boldsymbol bm hat tilde bar vec dot ddot "
    "widehat widetilde overline".split()
)
"""Commands that make one symbol of their argument, if that is a single letter."""

OPAQUE = {
    **dict.fromkeys(
        "text textbf textit textrm texttt operatorname begin end color hspace tag label ref url".split(), 1
    ),
    **dict.fromkeys("textcolor href htmlData htmlClass htmlId htmlStyle colorbox rule raisebox".split(), 2),
    **dict.fromkeys("def gdef newcommand renewcommand let".split(), 3),
}
"""Commands whose arguments, so many of them, are not formulas."""


@dataclass(frozen=True, slots=True)
class _Atom:
    start: int
    end: int
    key: str
    """What it is, if it may be a symbol; else empty."""


class _Lost(Exception):
    """The formula is not built as expected."""


def mark(tex: str, wrap: Callable[[str, str], str]) -> str:
    """Return `tex` with `wrap(key, tex of the symbol)` in place of each symbol."""
    tokens = [match.group() for match in TOKEN.finditer(tex)]
    try:
        return _Marker(tokens, wrap).run()
    except _Lost:
        return tex


def symbols(tex: str) -> list[str]:
    r"""The keys of all symbols in `tex`, in order.

    >>> symbols(r"y = \mathcal{F}(x, \{W_i\}) + W_s x^2")
    ['y', '\\mathcal{F}', 'x', 'W_i', 'W_s', 'x']
    """
    found: list[str] = []

    def note(key: str, text: str) -> str:
        found.append(key)
        return text

    mark(tex, note)
    return found


class _Marker:
    def __init__(self, tokens: list[str], wrap: Callable[[str, str], str]) -> None:
        self.tokens = tokens
        self.wrap = wrap

    def run(self) -> str:
        return self._span(0, len(self.tokens))

    def _text(self, start: int, end: int) -> str:
        return "".join(self.tokens[start:end])

    def _skip_space(self, at: int) -> int:
        while at < len(self.tokens) and self.tokens[at].isspace():
            at += 1
        return at

    def _group_end(self, at: int) -> int:
        """The end of the group that opens at `at`."""
        depth = 0
        for position in range(at, len(self.tokens)):
            depth += {"{": 1, "}": -1}.get(self.tokens[position], 0)
            if depth == 0:
                return position + 1
        raise _Lost

    def _argument_end(self, at: int) -> int:
        at = self._skip_space(at)
        if at >= len(self.tokens):
            raise _Lost
        if self.tokens[at] == "{":
            return self._group_end(at)
        name = self.tokens[at][1:]
        end = at + 1
        for _ in range(1 if name in DECORATED else OPAQUE.get(name, 0)):
            end = self._argument_end(end)
        return end

    def _atom(self, at: int) -> _Atom:
        """The single token, command with a letter, or group that starts at `at`."""
        token = self.tokens[at]
        if (token.isascii() and token.isalpha()) or token[1:] in GREEK:
            return _Atom(at, at + 1, token)
        if token[1:] in DECORATED:
            end = self._argument_end(at + 1)
            inner = re.sub(r"[{}\s]", "", self._text(at + 1, end))
            letter = (len(inner) == 1 and inner.isalpha()) or inner[1:] in GREEK
            return _Atom(at, end, f"{token}{{{inner}}}" if letter else "")
        return _Atom(at, at + 1, "")

    def _span(self, at: int, stop: int) -> str:
        out: list[str] = []
        while at < stop:
            token = self.tokens[at]
            if count := OPAQUE.get(token[1:].rstrip("*")) if token.startswith("\\") else 0:
                end = at + 1
                for _ in range(count):
                    end = self._argument_end(end)
                out.append(self._text(at, end))
                at = end
            elif (atom := self._atom(at)).key:
                text, at = self._symbol(atom)
                out.append(text)
            elif token[1:] in DECORATED:
                out.append(self._text(at, atom.end))
                at = atom.end
            elif token in "^_":
                end = self._argument_end(at + 1)
                inner = self._skip_space(at + 1)
                braced = self.tokens[inner] == "{"
                content = self._span(inner + braced, end - braced) if braced else self._text(inner, end)
                out.append(f"{token}{{{content}}}")
                at = end
            elif token.startswith("\\") and len(token) > 1 and token[1].isalpha():
                at = self._command(out, at)
            else:
                out.append(token)
                at += 1
        return "".join(out)

    def _command(self, out: list[str], at: int) -> int:
        """Copy a command whose next token must not be wrapped, unless it stands in braces."""
        out.append(self.tokens[at])
        at += 1
        while (after := self._skip_space(at)) < len(self.tokens) and self.tokens[after] in "[{":
            if self.tokens[after] == "[":
                end = next((i for i in range(after, len(self.tokens)) if self.tokens[i] == "]"), None)
                if end is None:
                    break
                out.append(self._text(at, end + 1))
                at = end + 1
            else:
                end = self._group_end(after)
                out.append("{" + self._span(after + 1, end - 1) + "}")
                at = end
        if (
            at < len(self.tokens)
            and self.tokens[at - 1].startswith("\\")
            and self.tokens[at - 1][1:] in TAKES_TOKEN
        ):
            end = self._argument_end(at)
            out.append(self._text(at, end))
            at = end
        return at

    def _symbol(self, atom: _Atom) -> tuple[str, int]:
        key, end = atom.key, atom.end
        after = self._skip_space(end)
        if after < len(self.tokens) and self.tokens[after] == "_":
            sub_end = self._argument_end(after + 1)
            sub = re.sub(r"[{}\s]|\\(?:text|mathrm|textrm|mathit)\b", "", self._text(after + 1, sub_end))
            if re.fullmatch(r"\w+|\\[A-Za-z]+", sub):
                key, end = f"{key}_{sub}", sub_end
        text = self._text(atom.start, end)
        after = self._skip_space(end)
        if after < len(self.tokens) and (self.tokens[after] == "^" or self.tokens[after] == "'"):
            # Primes and superscripts must stay with the letter, or they would be set too high.
            if self.tokens[after] == "^":
                sup_end = self._argument_end(after + 1)
            else:
                sup_end = after
                while sup_end < len(self.tokens) and self.tokens[sup_end] == "'":
                    sup_end += 1
            inner = self._text(after, sup_end)
            return self.wrap(key, text + inner), sup_end
        return self.wrap(key, text), end


TAKES_TOKEN = frozenset(
    "left right big Big bigg Bigg bigl bigr Bigl Bigr frac sqrt dfrac tfrac binom".split()
)
"""Commands that take the very next token, which therefore must not be wrapped."""
