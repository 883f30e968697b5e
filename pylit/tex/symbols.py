r"""Finds the symbols of a formula and marks them, so that the page can highlight every use of one.

A symbol is a letter, a Greek letter or a letter in a font (`\mathcal{F}`, `\hat{x}`), with its subscript if
that is a name (`W_s`). Text, names of operators, sizes and colours are ignored. Works on TeX source only; a formula
that it cannot parse is returned unmarked, and KaTeX decides whether it is valid.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\s+|.", re.DOTALL)

GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi varpi rho"
    " varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon"
    " Phi Psi Omega ell".split()
)
DECORATED = frozenset(
    "mathcal mathbf mathbb mathfrak mathsf mathit mathrm mathscr mathtt boldsymbol bm hat tilde bar vec dot ddot"
    " acute grave check breve mathring widehat widetilde widecheck overline underline cancel bcancel xcancel".split()
)
"""Commands that form one symbol with their argument, if that is a single letter."""

OPAQUE = {
    **dict.fromkeys(
        "text textbf textit textrm texttt operatorname operatornamewithlimits mathop end color hspace tag label ref"
        " eqref url kern mkern hskip".split(),
        1,
    ),
    **dict.fromkeys(
        "textcolor href pylitref htmlData htmlClass htmlId htmlStyle colorbox rule raisebox".split(), 2
    ),
    **dict.fromkeys("def gdef newcommand renewcommand let".split(), 3),
}
"""Command -> number of its arguments that are not formulas."""

BARE = frozenset(
    "cdot times div pm mp ast star circ bullet oplus ominus otimes odot cup cap wedge vee setminus in notin ni subset"
    " subseteq supset supseteq le leq ge geq ll gg lt gt ne neq equiv approx sim simeq cong propto to gets rightarrow"
    " leftarrow Rightarrow Leftarrow longrightarrow leftrightarrow iff implies mapsto partial nabla infty sum prod int"
    " oint forall exists mid parallel perp ldots cdots dots vdots ddots quad qquad log ln exp sin cos tan tanh min max"
    " arg lim sup inf det dim ker Pr gcd top bot langle rangle lVert rVert lvert rvert lfloor rfloor lceil rceil vert"
    " Vert displaystyle textstyle scriptstyle limits nolimits colon bmod lbrace rbrace hline prime land lor neg"
    " emptyset varnothing Re Im".split()
)
"""Commands without arguments. A token after any other command may be its argument, and is marked only in braces."""

LOSING = frozenset("rm bf it cal sf tt verb atop over above choose".split())
"""Commands that change the meaning of their surroundings."""

TAKES_DELIMITER = frozenset("left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr".split())
COLUMNS = frozenset("array darray subarray alignat alignat* alignedat".split())
"""Environments that take an argument."""


@dataclass(frozen=True, slots=True)
class _Atom:
    end: int
    key: str
    """Key of the symbol; empty if it is none."""


class _Lost(Exception):
    """The structure of the formula is not understood."""


def mark(tex: str, wrap: Callable[[str, str], str]) -> str:
    """Return `tex` with each symbol replaced by `wrap(key, tex of the symbol)`."""
    tokens = [match.group() for match in TOKEN.finditer(tex)]
    try:
        return _Marker(tokens, wrap).span(0, len(tokens))
    except (_Lost, RecursionError):
        return tex


def find_symbols(tex: str) -> list[str]:
    r"""Return the keys of all symbols in `tex`, in order.

    >>> symbols(r"y = \mathcal{F}(x, \{W_i\}) + W_s x^2")
    ['y', '\\mathcal{F}', 'x', 'W_i', 'W_s', 'x']
    """
    return list(_symbols(tex))


@lru_cache(maxsize=4096)
def _symbols(tex: str) -> tuple[str, ...]:
    found: list[str] = []

    def note(key: str, text: str) -> str:
        found.append(key)
        return text

    mark(tex, note)
    return tuple(found)


class _Marker:
    def __init__(self, tokens: list[str], wrap: Callable[[str, str], str]) -> None:
        self.tokens = tokens
        self.wrap = wrap

    def span(self, at: int, stop: int) -> str:
        """Return the tokens from `at` to `stop` with marked symbols."""
        out: list[str] = []
        while at < stop:
            token = self.tokens[at]
            name = token[1:] if token.startswith("\\") else ""
            if name in LOSING:
                raise _Lost
            if name == "begin":
                text, at = self._environment(at)
            elif count := OPAQUE.get(name.rstrip("*"), 0):
                end = at + 1
                for _ in range(count):
                    end = self._argument_end(end)
                text, at = self._text(at, end), end
            elif token in ("^", "_"):
                text, at = self._script(at)
            elif (atom := self._atom(at)).key:
                text, at = self._symbol(at, atom)
            elif name in DECORATED or name in TAKES_DELIMITER:
                end = self._argument_end(at + 1)
                text, at = self._text(at, end), end
            elif name.isalpha() and name not in BARE:
                text, at = self._command(at)
            else:
                text, at = token, at + 1
            out.append(text)
        return "".join(out)

    def _text(self, start: int, end: int) -> str:
        return "".join(self.tokens[start:end])

    def _skip_space(self, at: int) -> int:
        while at < len(self.tokens) and self.tokens[at].isspace():
            at += 1
        return at

    def _next(self, at: int) -> tuple[int, str]:
        """Return the position and text of the next token that is not a space; an empty text at the end."""
        at = self._skip_space(at)
        return at, self.tokens[at] if at < len(self.tokens) else ""

    def _closing(self, at: int, opening: str, closing: str) -> int:
        """Return the end of the group that opens at `at`."""
        depth = 0
        for position in range(at, len(self.tokens)):
            depth += {opening: 1, closing: -1}.get(self.tokens[position], 0)
            if depth == 0:
                return position + 1
        raise _Lost

    def _argument_end(self, at: int) -> int:
        at, token = self._next(at)
        if not token or token == "}":
            raise _Lost
        if token == "{":
            return self._closing(at, "{", "}")
        end = at + 1
        for _ in range(1 if token[1:] in DECORATED else OPAQUE.get(token[1:], 0)):
            end = self._argument_end(end)
        return end

    def _atom(self, at: int) -> _Atom:
        """Return the letter, or the command with a letter, that starts at `at`."""
        token = self.tokens[at]
        if (token.isascii() and token.isalpha()) or token[1:] in GREEK:
            return _Atom(at + 1, token)
        if token[1:] in DECORATED:
            end = self._argument_end(at + 1)
            inner = re.sub(r"[{}\s]", "", self._text(at + 1, end))
            letter = (len(inner) == 1 and inner.isalpha()) or inner[1:] in GREEK
            return _Atom(end, f"{token}{{{inner}}}" if letter else "")
        return _Atom(at + 1, "")

    def _symbol(self, at: int, atom: _Atom) -> tuple[str, int]:
        """Return a symbol with its primes, subscripts and superscripts, whose position depends on it, and its end."""
        key, end = atom.key, atom.end
        text = self._text(at, end)
        seen = set()
        while (after := self._next(end))[1] in ("'", "^", "_"):
            position, kind = after
            if kind == "'":
                while self._next(position)[1] == "'":
                    position = self._next(position)[0] + 1
                text += self._text(end, position)
                end = position
                kind = "^"
            else:
                script_end = self._argument_end(position + 1)
                name = self._script_name(end, script_end) if kind == "_" else ""
                if name:
                    key = f"{key}_{name}"
                text += self._text(end, script_end) if name else self._script(position)[0]
                end = script_end
            if kind in seen:
                raise _Lost
            seen.add(kind)
        return self.wrap(key, text), end

    def _script_name(self, start: int, end: int) -> str:
        r"""Return the subscript in these tokens if it is a name: `s` for `_{s}`, `out` for `_\\text{out}`."""
        text = self._text(start, end).strip().removeprefix("_")
        inner = re.sub(r"[{}\s]|\\(?:text|mathrm|textrm|mathit)\b", "", text)
        return inner if re.fullmatch(r"\w+|\\[A-Za-z]+", inner) else ""

    def _script(self, at: int) -> tuple[str, int]:
        """Return a subscript or superscript, and its end; symbols are marked only in braces."""
        end = self._argument_end(at + 1)
        inner, token = self._next(at + 1)
        if token != "{":
            return self._text(at, end), end
        return self._text(at, inner) + "{" + self.span(inner + 1, end - 1) + "}", end

    def _environment(self, at: int) -> tuple[str, int]:
        r"""Return `\\begin{…}` with its arguments that are not formulas, and its end."""
        end = self._argument_end(at + 1)
        name = re.sub(r"[{}\s]", "", self._text(at + 1, end))
        position, token = self._next(end)
        if token == "[":
            end = self._closing(position, "[", "]")
            position, token = self._next(end)
        if name in COLUMNS:
            end = self._argument_end(end)
        return self._text(at, end), end

    def _command(self, at: int) -> tuple[str, int]:
        """Return a command with its arguments, and its end; symbols are marked only in braces."""
        out = [self.tokens[at]]
        end, first = at + 1, True
        while True:
            position, token = self._next(end)
            if token == "[" and first:
                end = self._closing(position, "[", "]")
                out.append(self._text(position, end))
            elif token == "{":
                closing = self._closing(position, "{", "}")
                out.append("{" + self.span(position + 1, closing - 1) + "}")
                end = closing
            else:
                break
            first = False
        if first and token and token not in ("}", "&", "^", "_", "\\\\", ")", "]"):
            bare = self._argument_end(end)
            out.append(self._text(end, bare))
            end = bare
            if self._next(end)[1] not in ("", "}", "&") and out[0] in (
                r"\frac",
                r"\dfrac",
                r"\tfrac",
                r"\binom",
            ):
                bare = self._argument_end(end)
                out.append(self._text(end, bare))
                end = bare
        return "".join(out), end
