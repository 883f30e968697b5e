"""What is wrong with the input, said so that its author can mend it.

A stage raises `PylitError` when it cannot go on and hands a `Problem` to a `Report` when it can, so that
one run tells everything that is wrong. Our own mistakes are not reported here; they are ordinary exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum


class Severity(Enum):
    """How bad a problem is."""

    ERROR = "error"
    """The page cannot be made as it was meant: the build fails."""
    WARNING = "warning"
    """The page is right but not complete: a translation was left out, say."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, where it is, and how to mend it."""

    file: str
    """The file to edit, as the user would name it."""
    line: int
    """Its line, counted from 1; 0 when the whole file is meant."""
    message: str
    """What was received and why it is not accepted."""
    hint: str = ""
    """How to mend it."""
    severity: Severity = field(default=Severity.ERROR, compare=False)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        hint = f"\n    {self.hint}" if self.hint else ""
        return f"{where}: {self.severity.value}: {self.message}{hint}"


class PylitError(Exception):
    """Input that makes it impossible to go on with a file, or with the whole run."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem

    def __reduce__(self) -> tuple[type[PylitError], tuple[Problem]]:
        return (type(self), (self.problem,))  # exceptions cross process boundaries by this


class FormulaError(ValueError):
    """A formula that cannot be typeset."""


@dataclass
class Report:
    """The problems found so far, each kept once."""

    problems: dict[Problem, None] = field(default_factory=dict)

    def add(self, problem: Problem) -> None:
        """Keep `problem`, unless it is known already."""
        self.problems.setdefault(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Keep all of `problems`."""
        for problem in problems:
            self.add(problem)

    @property
    def errors(self) -> list[Problem]:
        """The problems that fail a build, in order of file and line."""
        return sorted(p for p in self.problems if p.severity is Severity.ERROR)

    @property
    def warnings(self) -> list[Problem]:
        """The problems that do not, in order of file and line."""
        return sorted(p for p in self.problems if p.severity is Severity.WARNING)
