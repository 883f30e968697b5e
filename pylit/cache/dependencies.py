"""Records the questions that a page asks about the rest of its site, so that it is made again only if an answer
changes.

Everything that can change a page and is not in its own file must come from a question: a method decorated with
`question`. Each question is recorded with its answer while a page is made; asking again shows whether the page is up
to date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import update_wrapper
from inspect import getmembers_static
from types import MethodType
from typing import Any, Concatenate, ParamSpec, TypeVar

from .digests import canonical, digest

Question = tuple[str, ...]
"""Name of a method, and its arguments."""
ANSWERS = 50_000
"""Maximum number of answers kept in memory."""

Answer = TypeVar("Answer")
Arguments = ParamSpec("Arguments")


@dataclass
class Notes:
    """The questions asked while a page was made."""

    asked: dict[Question, str] = field(default_factory=dict)
    """Question -> answer as JSON."""
    is_torn: bool = False
    """Whether a file changed in the meantime, so that the page may mix two states of the site."""

    def add(self, question: Question, answer: str) -> None:
        """Record a question and its answer."""
        if self.asked.setdefault(question, answer) != answer:
            self.is_torn = True

    @property
    def answers(self) -> str:
        """Digest of all answers."""
        return _digest_of(self.asked.values())


class Questions:
    """All questions about a site. Answers must not change during its lifetime."""

    def __init__(self) -> None:
        self._methods: dict[str, MethodType] = {}
        self._answers: dict[Question, tuple[Any, str]] = {}
        self._notes: Notes | None = None

    def register(self, answerer: Answerer) -> None:
        """Add the questions of `answerer`. Their names must be unique."""
        for name, member in getmembers_static(type(answerer)):
            if method := getattr(member, _MARK, None):
                assert name not in self._methods, name
                self._methods[name] = MethodType(method, answerer)

    @contextmanager
    def noting(self) -> Iterator[Notes]:
        """Record all questions asked in the `with` statement."""
        before, self._notes = self._notes, Notes()
        try:
            yield self._notes
        finally:
            self._notes = before

    @contextmanager
    def unnoted(self) -> Iterator[None]:
        """Record no questions in the `with` statement: nested questions are part of the answer of the outer one."""
        before, self._notes = self._notes, None
        try:
            yield
        finally:
            self._notes = before

    def note_answer(self, name: str, *arguments: str, value: Any) -> None:
        """Record a question whose answer `value` was found without asking it."""
        question, answer = (name, *arguments), canonical(value)
        known = self._answers.setdefault(question, (value, answer))
        if self._notes is not None:
            self._notes.add(question, answer)
            self._notes.is_torn |= known[1] != answer

    def ask(self, question: Question) -> Any:
        """Record a question and return its answer."""
        value, answer = self._answers.get(question) or self._answer(question)
        if self._notes is not None:
            self._notes.add(question, answer)
        return value

    def answers_now(self, asked: Iterable[Question]) -> str:
        """Return the digest of the current answers to some questions."""
        known = self._answers.get
        return _digest_of((known(question) or self._answer(question))[1] for question in asked)

    def is_question(self, value: Any) -> bool:
        """Return whether `value`, read from a cache, is a valid question."""
        if not isinstance(value, list) or not value or not all(isinstance(part, str) for part in value):
            return False
        method = self._methods.get(value[0])
        return method is not None and method.__code__.co_argcount == len(value)

    def _answer(self, question: Question) -> tuple[Any, str]:
        name, *arguments = question
        with self.unnoted():
            value = self._methods[name](*arguments)
        if len(self._answers) >= ANSWERS:
            self._answers.clear()
        found = self._answers[question] = (value, canonical(value))
        return found


def _digest_of(answers: Iterable[str]) -> str:
    return digest("\n".join(answers))  # canonical JSON contains no newlines


class Answerer:
    """Base class for objects with methods that are questions."""

    def __init__(self, questions: Questions) -> None:
        self.questions = questions
        questions.register(self)


_MARK = "_answers_question"


def question(
    method: Callable[Concatenate[Any, Arguments], Answer],
) -> Callable[Concatenate[Any, Arguments], Answer]:
    """Make a method of an `Answerer` a question. Arguments must be strings, and answers serializable by `canonical`."""

    def ask(self: Any, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
        assert not named
        value: Answer = self.questions.ask((method.__name__, *arguments))
        return value

    update_wrapper(ask, method)
    setattr(ask, _MARK, method)
    return ask
