r"""Expands the macros of authors in formulas: KaTeX's binding takes none, and other renderers do not know them.

A macro comes from a configuration, from front matter, or from a `\newcommand`, `\renewcommand`, `\providecommand`,
`\def`, `\let` or `\DeclareMathOperator` in a formula. It may have up to nine arguments, the first with a default.
Expansion has limits, so that no macro can grow without end.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import FormulaError

MAX_CALLS = 1000
"""Maximum number of calls of macros in a formula."""
MAX_EXPANDED = 20_000
"""Maximum number of characters that macros may add to a formula."""

_TOKEN = re.compile(r"\\[A-Za-z@]+|\\.|#[1-9]|\s+|.", re.DOTALL)
_NAME = re.compile(r"\\?([A-Za-z]+)")
_TAIL = re.compile(r"(\[[0-9]\].*)\{(.*)\}\s*", re.DOTALL)
_COMMANDS = frozenset(
    r"\newcommand \renewcommand \providecommand \def \gdef \let \DeclareMathOperator".split()
)
DEFINES = re.compile(
    r"\\(?:(?:re|provide)?newcommand|providecommand|g?def|let|DeclareMathOperator)(?![A-Za-z])"
)
"""What every formula that defines a macro contains."""


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro."""

    body: tuple[str, ...]
    """Tokens, with `#1` for the first argument."""
    arguments: int = 0
    default: tuple[str, ...] | None = None
    """The value of the first argument if it is left out, which must be in brackets then."""


@dataclass
class Macros:
    """The macros of a page: those known from its start, and those that its formulas define."""

    _known: dict[str, tuple[list[int], list[Macro]]] = field(default_factory=dict)
    """Command -> the lines from which its definitions apply, in order, and the definitions."""
    room: int = 50_000
    """Number of characters that may still be added to formulas: otherwise short ones could make an endless page."""

    def __bool__(self) -> bool:
        return bool(self._known)

    def add(self, name: str, macro: Macro, line: int = 0) -> None:
        """Add a macro that applies from a line of the page on. Lines must not decrease."""
        lines, macros = self._known.setdefault(name, ([], []))
        lines.append(max(line, lines[-1]) if lines else line)
        macros.append(macro)

    def find(self, name: str, line: int) -> Macro | None:
        """Return the macro that a command means on a line."""
        if not (found := self._known.get(name)):
            return None
        place = bisect_right(found[0], line)
        return found[1][place - 1] if place else None


def tokens_of(tex: str) -> list[str]:
    """Split TeX into commands, parameters, spaces and characters."""
    return _TOKEN.findall(tex)


def joined(tokens: Sequence[str]) -> str:
    """Return tokens as TeX, with a space where a letter would become part of the command before it."""
    parts: list[str] = []
    for token in tokens:
        if parts and token[:1].isalpha() and _is_word(parts[-1]):
            parts.append(" ")
        parts.append(token)
    return "".join(parts)


def _is_word(token: str) -> bool:
    return len(token) > 1 and token[0] == "\\" and token[1].isalpha()


def read_macro(name: str, value: str) -> tuple[str, Macro]:
    r"""Return a macro that an author has set outside of formulas: `R` or `\R`, and `\mathbb{R}` or `[1][2]{#1^{#2}}`.

    Raises:
        FormulaError: if it is not valid; its text says why.
    """
    match = _NAME.fullmatch(name.strip())
    if not match:
        raise FormulaError("its name must be a command of letters, such as `\\R`")
    command = f"\\{match[1]}"
    if _TAIL.fullmatch(value.strip()):
        reader = _Reader(tokens_of(f"\\newcommand{{{command}}}{value.strip()}"))
        found = reader.definition(reader.take())
        if reader.left:
            raise FormulaError("something follows its definition; expected `[2][x]{…}`")
        return command, found[1]
    body = tuple(tokens_of(value.strip()))
    _check_balance(body)
    used = [int(token[1]) for token in body if len(token) == 2 and token[0] == "#"]
    return command, Macro(body, max(used, default=0))


def take_definitions(tex: str) -> tuple[str, list[tuple[str, Macro]]]:
    """Return a formula without the macros that it defines, and these.

    Raises:
        FormulaError: if a definition is not valid.
    """
    if not DEFINES.search(tex):
        return tex, []
    reader = _Reader(tokens_of(tex))
    rest: list[str] = []
    found: list[tuple[str, Macro]] = []
    while reader.left:
        token = reader.take()
        if token in _COMMANDS:
            found.append(reader.definition(token))
        else:
            rest.append(token)
    return joined(rest), found


def expand(tex: str, macros: Macros, line: int = 0) -> str:
    """Return a formula on a line of a page with its macros expanded.

    Raises:
        FormulaError: if a macro lacks an argument or grows too much, or if those of the page have grown too much.
    """
    if not macros or "\\" not in tex:
        return tex
    reader = _Reader(tokens_of(tex))
    try:
        return _expanded(reader, macros, line)
    finally:
        macros.room -= reader.cost


def _expanded(reader: _Reader, macros: Macros, line: int) -> str:
    out: list[str] = []
    while reader.left:
        token = reader.take()
        macro = macros.find(token, line) if token[0] == "\\" else None
        if macro is None:
            out.append(token)
            continue
        if macros.room <= 0:
            raise FormulaError(
                "macros have added too much to the formulas before it; use fewer or shorter ones"
            )
        body = list(macro.body) if not macro.arguments else list(_filled(macro, reader, token))
        reader.calls += 1
        reader.cost += sum(map(len, body)) + 1
        if reader.calls > MAX_CALLS or reader.cost > MAX_EXPANDED:
            raise FormulaError(
                f"its macros, such as {token}, call each other without end or grow too much; at most"
                f" {MAX_CALLS:,} calls and {MAX_EXPANDED:,} characters are allowed"
            )
        if not macro.arguments:
            reader.skip_space()
        reader.left += reversed(body)
    return joined(out)


def _filled(macro: Macro, reader: _Reader, name: str) -> Iterator[str]:
    """Return the body of a macro with the arguments that follow its call."""
    values: list[Sequence[str]] = []
    if macro.default is not None:
        values.append(reader.bracketed() or macro.default)
    while len(values) < macro.arguments:
        values.append(reader.argument(f"the macro {name}"))
    for token in macro.body:
        if len(token) == 2 and token[0] == "#":
            number = int(token[1])
            yield from values[number - 1] if number <= len(values) else ()
        else:
            yield token


def _check_balance(tokens: Sequence[str]) -> None:
    depth = 0
    for token in tokens:
        depth += (token == "{") - (token == "}")
        if depth < 0:
            break
    if depth:
        raise FormulaError("the braces of its definition do not match")


class _Reader:
    """Reads tokens from their start."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.left = list(reversed(tokens))
        self.calls = 0
        """Number of macros called so far."""
        self.cost = 0
        """Number of characters that they have added, and of calls."""

    def take(self) -> str:
        """Return the next token."""
        return self.left.pop()

    def skip_space(self) -> None:
        """Skip spaces."""
        while self.left and self.left[-1].isspace():
            self.left.pop()

    def argument(self, what: str) -> list[str]:
        """Return the next argument, without its braces.

        Raises:
            FormulaError: if there is none.
        """
        self.skip_space()
        if not self.left or self.left[-1] == "}":
            raise FormulaError(f"{what} lacks an argument")
        token = self.take()
        return self._until("}", "{", what) if token == "{" else [token]

    def bracketed(self) -> list[str] | None:
        """Return what is in brackets, if there are brackets next."""
        self.skip_space()
        if not self.left or self.left[-1] != "[":
            return None
        self.take()
        return self._until("]", "", "an argument in brackets")

    def _until(self, closing: str, opening: str, what: str) -> list[str]:
        found: list[str] = []
        depth = 0
        while self.left:
            token = self.take()
            if token == closing and not depth:
                return found
            if opening:
                depth += (token == opening) - (token == closing)
            else:  # brackets end outside of braces
                depth += (token == "{") - (token == "}")
            found.append(token)
        raise FormulaError(f"{what} has no end")

    def definition(self, command: str) -> tuple[str, Macro]:
        """Return the macro that `command` defines.

        Raises:
            FormulaError: if it is not valid.
        """
        if self.left and self.left[-1] == "*":
            self.take()
            is_starred = True
        else:
            is_starred = False
        name = "".join(self.argument(command)).strip()
        if not _NAME.fullmatch(name) or name[0] != "\\":
            raise FormulaError(f"{command} must be followed by a command of letters, such as \\R")
        if command == r"\let":
            self.skip_space()
            if self.left and self.left[-1] == "=":
                self.take()
            return name, Macro(tuple(self.argument(f"{command}{name}")))
        if command == r"\DeclareMathOperator":
            operator = r"\operatorname*" if is_starred else r"\operatorname"
            return name, Macro((*tokens_of(operator), "{", *self.argument(f"{command}{name}"), "}"))
        count, default = 0, None
        if command in (r"\def", r"\gdef"):
            while self.left and self.left[-1] != "{":
                token = self.take()
                if token != f"#{count + 1}":
                    raise FormulaError(
                        f"the parameters of {name} must be #1, #2 and so on, without separators"
                    )
                count += 1
        elif (number := self.bracketed()) is not None:
            if not re.fullmatch("[0-9]", digit := "".join(number).strip()):
                raise FormulaError(f"{name} has the number of arguments `{digit[:20]}`; expected 0 to 9")
            count, default = int(digit), self.bracketed()
        body = tuple(self.argument(f"{command}{{{name}}}"))
        if any(len(token) == 2 and token[0] == "#" and int(token[1]) > count for token in body):
            raise FormulaError(f"{name} uses an argument that it does not take")
        return name, Macro(body, count, tuple(default) if default is not None and count else None)


def known_macros(given: Mapping[str, str], macros: Macros) -> Iterator[str]:
    """Add macros that an author has set outside of formulas, and yield what is wrong with others."""
    for name, value in given.items():
        try:
            macros.add(*read_macro(name, value))
        except FormulaError as error:
            yield f"the macro `{name[:50]}` is not valid: {error}"
