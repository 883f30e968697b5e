"""Records the questions that a page asks about the rest of its site, so that it is made again only if an answer
changes.

Everything that can change a page and is not in its own file must come from a question: a method decorated with
`question`. Each question is recorded with its answer while a page is made; asking again shows whether the page is up
to date.

Below the questions are observations: what was seen of the file system for an answer, such as the content of a file.
As long as no observation has changed, no question has to be asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, update_wrapper
from inspect import getmembers_static
from types import MethodType
from typing import Any, Concatenate, ParamSpec, TypeVar

from .digests import canonical, digest

Question = tuple[str, ...]
"""Name of a method, and its arguments."""
Observation = tuple[str, str]
"""A kind of observation, and what was observed: `("content", file)`."""
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
        self._answers: dict[Question, tuple[Any, str, frozenset[Observation]]] = {}
        self._notes: Notes | None = None
        self._seen: set[Observation] | None = None
        self.observed: dict[Observation, Any] = {}
        """All observations, each with what was seen the first time."""
        self.torn: set[Observation] = set()
        """Observations that were made twice and differed."""

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

    def observe(self, kind: str, about: str, value: Any) -> None:
        """Record an observation."""
        observation = kind, about
        if self.observed.setdefault(observation, value) != value:
            self.torn.add(observation)
        if self._seen is not None:
            self._seen.add(observation)

    @contextmanager
    def observing(self) -> Iterator[set[Observation]]:
        """Collect the observations made in the `with` statement, directly or for answers that are known already."""
        before, self._seen = self._seen, set()
        seen = self._seen
        try:
            yield seen
        finally:
            self._seen = before
            if before is not None:
                before |= seen

    @contextmanager
    def unobserved(self) -> Iterator[None]:
        """Collect no observations in the `with` statement."""
        before, self._seen = self._seen, None
        try:
            yield
        finally:
            self._seen = before

    def remembering(self, function: Callable[..., Answer], maxsize: int) -> Callable[..., Answer]:
        """Return `function` with a cache of its results, and of the observations made for them."""

        @lru_cache(maxsize=maxsize)
        def found(*arguments: Any) -> tuple[Answer, frozenset[Observation]]:
            with self.observing() as seen:
                value = function(*arguments)
            return value, frozenset(seen)

        def call(*arguments: Any) -> Answer:
            value, seen = found(*arguments)
            if self._seen is not None:
                self._seen |= seen
            return value

        return call

    def note_answer(self, name: str, *arguments: str, value: Any) -> None:
        """Record a question whose answer `value` was found without asking it."""
        question, answer = (name, *arguments), canonical(value)
        known = self._answers.setdefault(question, (value, answer, frozenset([(name, arguments[0])])))
        if self._notes is not None:
            self._notes.add(question, answer)
            self._notes.is_torn |= known[1] != answer

    def ask(self, question: Question) -> Any:
        """Record a question and return its answer."""
        value, answer, seen = self._answers.get(question) or self._answer(question)
        if self._seen is not None:
            self._seen |= seen
        if self._notes is not None:
            self._notes.add(question, answer)
        return value

    def answers_now(self, asked: Iterable[Question]) -> str:
        """Return the digest of the current answers to some questions."""
        return _digest_of(self._answer_now(question) for question in asked)

    def _answer_now(self, question: Question) -> str:
        _, answer, seen = self._answers.get(question) or self._answer(question)
        if self._seen is not None:
            self._seen |= seen
        return answer

    def is_question(self, value: Any) -> bool:
        """Return whether `value`, read from a cache, is a valid question."""
        if not isinstance(value, list) or not value or not all(isinstance(part, str) for part in value):
            return False
        method = self._methods.get(value[0])
        return method is not None and method.__code__.co_argcount == len(value)

    def _answer(self, question: Question) -> tuple[Any, str, frozenset[Observation]]:
        name, *arguments = question
        with self.unnoted(), self.observing() as seen:
            value = self._methods[name](*arguments)
        if len(self._answers) >= ANSWERS:
            self._answers.clear()
        found = self._answers[question] = (value, canonical(value), frozenset(seen))
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
