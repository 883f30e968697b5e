"""Notes what a page asks of the rest of its site, so that it is made again when an answer changes, and only then.

Whatever can change a page and is not in its own file comes to it as the answer to a question: a `question` of its site.
Each is noted with its answer while a page is made. Asked again, they tell whether the page is still what it would be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

from .cache import canonical, digest

Question = tuple[str, ...]
"""Its name and what it is about."""
ANSWERS = 50_000
"""Answers that are remembered at a time."""

Answer = TypeVar("Answer")
About = ParamSpec("About")


@dataclass
class Notes:
    """What was asked while a page was made."""

    asked: dict[Question, str] = field(default_factory=dict)
    """Each question, and its answer as JSON."""
    is_torn: bool = False
    """Whether a file changed meanwhile, so that the page may be put together from two states of the site."""

    def add(self, question: Question, answer: str) -> None:
        """Note a question."""
        if self.asked.setdefault(question, answer) != answer:
            self.is_torn = True

    @property
    def answers(self) -> str:
        """What stands for all answers."""
        return _all(self.asked.values())


class Asked:
    """Something of which questions are asked. Its answers must not change while it is there."""

    def __init__(self) -> None:
        self._answers: dict[Question, tuple[Any, str]] = {}
        self._notes: Notes | None = None

    @contextmanager
    def noting(self) -> Iterator[Notes]:
        """Note all questions that are asked meanwhile."""
        before, self._notes = self._notes, Notes()
        try:
            yield self._notes
        finally:
            self._notes = before

    @contextmanager
    def unnoted(self) -> Iterator[None]:
        """Note nothing meanwhile: what is asked on the way to an answer is in the answer."""
        before, self._notes = self._notes, None
        try:
            yield
        finally:
            self._notes = before

    def told(self, name: str, *about: str, value: Any) -> None:
        """Note that a question was answered in passing, with `value`."""
        question, answer = (name, *about), canonical(value)
        known = self._answers.setdefault(question, (value, answer))
        if self._notes is not None:
            self._notes.add(question, answer)
            self._notes.is_torn |= known[1] != answer

    def asked(self, question: Question) -> Any:
        """The answer to a question, which is noted."""
        value, answer = self._answers.get(question) or self._answer(question)
        if self._notes is not None:
            self._notes.add(question, answer)
        return value

    def still(self, asked: Iterable[Question]) -> str:
        """What stands for the answers to some questions, as they are now."""
        known = self._answers.get
        return _all((known(question) or self._answer(question))[1] for question in asked)

    def _answer(self, question: Question) -> tuple[Any, str]:
        name, *about = question
        before, self._notes = self._notes, None
        try:
            value = _QUESTIONS[name](self, *about)
        finally:
            self._notes = before
        if len(self._answers) >= ANSWERS:
            self._answers.clear()
        found = self._answers[question] = (value, canonical(value))
        return found


def _all(answers: Iterable[str]) -> str:
    return digest("\n".join(answers))  # which JSON on one line does not have


_QUESTIONS: dict[str, Callable[..., Any]] = {}


def question(
    method: Callable[Concatenate[Any, About], Answer],
) -> Callable[Concatenate[Any, About], Answer]:
    """Make a method a question. It takes text, and gives what JSON can hold."""
    _QUESTIONS[method.__name__] = method

    def ask(self: Any, /, *about: About.args, **named: About.kwargs) -> Answer:
        assert not named
        value: Answer = self.asked((method.__name__, *about))
        return value

    update_wrapper(ask, method)
    return ask


def is_question(value: Any) -> bool:
    """Whether `value`, which a cache holds, is a question that can be asked."""
    if not isinstance(value, list) or not value or not all(isinstance(part, str) for part in value):
        return False
    method = _QUESTIONS.get(value[0])
    return method is not None and method.__code__.co_argcount == len(value)
