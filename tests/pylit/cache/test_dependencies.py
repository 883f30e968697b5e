"""Whatever a page reads that is not its own, it has asked for."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET
from sampling import EVERYTHING

from pylit.api import open_configuration
from pylit.builder.targets import make_files, site_jobs
from pylit.cache.dependencies import ANSWERS, Answerer, Questions, question
from pylit.cache.store import Store
from pylit.rendering.memo import Fragments
from pylit.site.discovery import find_pages
from pylit.site.make_settings import site_settings
from pylit.site.site import Site

opened: list[str] | None = None
"""What is opened or listed, while somebody wants to know."""
_EVENTS = ("open", "os.listdir", "os.scandir", "glob.glob")


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if opened is not None and event in _EVENTS and isinstance(arguments[0], str | Path):
        opened.append(str(arguments[0]))


sys.addaudithook(_note)  # there is no way to remove it


@contextmanager
def watched() -> Iterator[list[str]]:
    global opened
    found: list[str] = []
    opened = found
    try:
        yield found
    finally:
        opened = None


@pytest.mark.slow
def test_pages_read_nothing_that_they_have_not_asked_for(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files that are opened on the way to a page are its own, the engine's, or the answer to a question."""
    settings = replace(site_settings(open_configuration(root / "pyproject.toml")), search=False)
    store = Store(tmp_path, SECRET)
    answer = Questions._answer

    def unwatched(self: Questions, asked: tuple[str, ...]) -> Any:
        """Answer; what is read on the way to an answer is in the answer."""
        global opened
        before, opened = opened, None
        try:
            return answer(self, asked)
        finally:
            opened = before

    monkeypatch.setattr(Questions, "_answer", unwatched)
    pages = find_pages(settings, store)
    ours = tuple(map(str, (tmp_path, root / "pylit", sys.prefix, sys.base_prefix, "/dev", "/proc")))
    for job in islice(site_jobs(pages), 0, None, 1 if EVERYTHING else 16):
        make_files(job, pages, Fragments())  # which imports what it needs
        site = Site(settings, pages.pages, store)  # one that has no answers yet
        with site.questions.noting() as notes, watched() as found:
            make_files(job, site, Fragments())
        asked = {about[0] for name, *about in notes.asked if name in ("content", "matches")}
        own = {job.file, site.translations.catalog_of(job.file, job.lang) if job.file else ""}
        files = {Path(file).resolve() for file in found if not file.startswith(ours)}
        # Python looks for the line of a syntax error, here in a comment that may be code, in a file of this name.
        names = {site.files.name(file) for file in files} - {"<unknown>"}
        assert names <= asked | own, job
        assert not notes.is_torn


def test_pages_look_at_the_rest_of_the_site_only_by_asking(root: Path) -> None:
    """The stages that make pages use nothing of a site that is not noted."""
    unnoted = {"pages", "by_file", "by_url", "by_folder", "packages", "index", "order", "base"}
    modules = "site/crossrefs site/page site/view site/templates resolve/links figures/html"
    rendering = "passage_html prose_html page_body rows tensor_pictures"
    for name in [*modules.split(), *(f"rendering/{name}" for name in rendering.split())]:
        tree = ast.parse((root / "pylit" / f"{name}.py").read_text("utf-8"))
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not used & unnoted, name


class Sums(Answerer):
    """Answers questions about numbers."""

    def __init__(self) -> None:
        super().__init__(Questions())
        self.calls = 0

    @question
    def double(self, number: str) -> int:
        """Twice the number."""
        self.calls += 1
        return 2 * int(number)

    @question
    def quadruple(self, number: str) -> int:
        """Four times the number."""
        return self.double(str(self.double(number)))


def test_answers_are_remembered_and_noted() -> None:
    sums = Sums()
    with sums.questions.noting() as notes:
        assert [sums.double("2"), sums.double("2"), sums.quadruple("2")] == [4, 4, 8]
    assert sums.calls == 2
    assert notes.asked == {("double", "2"): "4", ("quadruple", "2"): "8"}
    assert notes.answers == Sums().questions.answers_now([("double", "2"), ("quadruple", "2")])
    assert notes.answers != Sums().questions.answers_now([("double", "2"), ("quadruple", "3")])
    with sums.questions.noting() as notes, sums.questions.unnoted():
        sums.double("3")
    assert not notes.asked
    assert sums.double("4") == 8  # outside, nothing is noted


def test_answers_that_contradict_each_other_are_torn() -> None:
    sums = Sums()
    with sums.questions.noting() as notes:
        sums.questions.note_answer("double", "2", value=4)
        sums.questions.note_answer("double", "2", value=4)
    assert not notes.is_torn
    with sums.questions.noting() as notes:
        sums.questions.note_answer("double", "2", value=5)
    assert notes.is_torn
    sums = Sums()
    with sums.questions.noting() as notes:
        notes.add(("double", "2"), "4")
        notes.add(("double", "2"), "5")
    assert notes.is_torn


def test_not_all_answers_are_remembered_for_ever() -> None:
    sums = Sums()
    for number in range(ANSWERS + 2):
        sums.questions.note_answer("double", str(number), value=1) if number < ANSWERS else sums.double(
            str(number)
        )
    assert len(sums.questions._answers) < 10


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "double",
        [],
        ["double"],
        ["double", 2],
        ["double", "1", "2"],
        ["calls", "1"],
        ["answer", "1"],
        [["x"]],
    ],
)
def test_what_is_no_question(value: object) -> None:
    questions = Sums().questions
    assert questions.is_question(["double", "2"])
    assert not questions.is_question(value)
