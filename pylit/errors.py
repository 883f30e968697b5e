"""Errors and warnings about the input, worded so that its author can fix it.

A stage raises `PylitError` when it cannot continue and adds a `Problem` to a `Report` when it can, so that a single
run reports everything that is wrong. Bugs in pylit itself raise ordinary exceptions.
"""

from __future__ import annotations

import traceback
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

REPORT = "Please report it; --debug shows where it happened (with MkDocs, --verbose)."
SHOWN = 300
"""Maximum number of characters quoted from an unexpected exception."""

LONGEST = 1000
"""Maximum length of a message or hint in characters: they quote the input, which may be huge."""


def plural(number: int, word: str) -> str:
    """Format a count: `1 page`, `2 pages`."""
    return f"{number} {word}{'s' * (number != 1)}"


class Severity(Enum):
    """How bad a problem is."""

    ERROR = "error"
    """The page cannot be made as intended: the build fails."""
    WARNING = "warning"
    """The page is correct but incomplete, for example because a translation was left out."""
    NOTE = "note"
    """Nothing is wrong, but the user may want to know, for example that a folder was skipped. Never fails a build."""


@dataclass(frozen=True, order=True)
class Problem:
    """A problem in the input: where it is, what it is, and how to fix it."""

    file: str
    """The file to edit, named as the user would name it."""
    line: int
    """Line number, counted from 1; 0 if the problem concerns the whole file."""
    message: str
    """The faulty value or state, and why it is not accepted."""
    hint: str = ""
    """How to fix it."""
    severity: Severity = field(default=Severity.ERROR, compare=False)
    traceback: str = field(default="", compare=False, repr=False)
    """Traceback of a bug in pylit, for its developers; empty for all other problems."""

    def __post_init__(self) -> None:
        for name in ("message", "hint"):
            text = getattr(self, name)
            if len(text) > LONGEST:
                object.__setattr__(self, name, f"{text[:LONGEST]}…")

    def __str__(self) -> str:
        file = printable(self.file).replace("\n", "\\n")
        where = f"{file}:{self.line}" if self.line else file
        hint = f"\n    {self.hint}" if self.hint else ""
        return f"{where}: {self.severity.value}: {printable(self.message + hint)}"

    def as_json(self) -> list[str | int]:
        """Return the problem as a JSON-serializable list."""
        return [self.file, self.line, self.message, self.hint, self.severity.value]

    @staticmethod
    def from_json(value: Any) -> Problem:
        """Restore a problem from the result of `as_json`.

        Raises:
            ValueError: if `value` has another form.
        """
        match value:
            case [str() as file, int() as line, str() as message, str() as hint, str() as severity] if (
                line >= 0
            ):
                return Problem(file, int(line), message, hint, Severity(severity))
        raise ValueError("not a problem")


def printable(text: str) -> str:
    """Escape characters of `text` that would move a terminal's cursor or reorder its output."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


class PylitError(Exception):
    """Input that makes it impossible to continue with a file, or with the whole run."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem

    def __reduce__(self) -> tuple[type[PylitError], tuple[Problem]]:
        return (type(self), (self.problem,))  # exceptions cross process boundaries by this


@contextmanager
def unexpected(file: str, what: str) -> Iterator[None]:
    """Turn unexpected exceptions into a problem with `file`, so that only this file loses its page.

    Expected exceptions pass through, and so do those caused by the machine: out of memory, disk full.

    Args:
        file: The file being processed.
        what: What it was being made into, for the message.

    Raises:
        PylitError: naming `file` and `what`.
    """
    try:
        yield
    except (PylitError, OSError, MemoryError):
        raise
    except Exception as error:
        message = str(error).strip().partition("\n")[0]
        reason = f"{type(error).__name__}: {message}" if message else type(error).__name__
        message = f"cannot be made into {what}, because of a bug in pylit: {reason[:SHOWN]}"
        trace = "".join(traceback.format_exception(error))
        raise PylitError(Problem(file, 0, message, REPORT, traceback=trace)) from error


class FormulaError(ValueError):
    """A formula that cannot be typeset."""


@dataclass
class Report:
    """The problems found so far, without duplicates."""

    problems: dict[Problem, None] = field(default_factory=dict)
    depends: set[str] = field(default_factory=set)
    """Files that the build looked at, even if missing, relative to the base of the site; and glob patterns."""
    missing: set[str] = field(default_factory=set)
    """Files without a page, because it could not be made."""

    def add(self, problem: Problem) -> None:
        """Add `problem`, unless it is already in the report."""
        self.problems.setdefault(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Add all of `problems`."""
        for problem in problems:
            self.add(problem)

    def tolerate(self, serious: Collection[str] = ()) -> None:
        """Turn errors into warnings, as each affects only the element that has it.

        Bugs in pylit stay errors, and so do those of `serious` files.
        """
        self.problems = {
            replace(problem, severity=Severity.WARNING)
            if problem.severity is Severity.ERROR and not problem.traceback and problem.file not in serious
            else problem: None
            for problem in self.problems
        }

    @property
    def errors(self) -> list[Problem]:
        """The problems that fail a build, sorted by file and line."""
        return sorted(p for p in self.problems if p.severity is Severity.ERROR)

    @property
    def notes(self) -> list[Problem]:
        """The problems that never fail a build, sorted by file and line."""
        return sorted(p for p in self.problems if p.severity is Severity.NOTE)

    @property
    def warnings(self) -> list[Problem]:
        """The problems that fail only a strict build, sorted by file and line."""
        return sorted(p for p in self.problems if p.severity is Severity.WARNING)
