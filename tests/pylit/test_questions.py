"""Whatever a page reads that is not its own, it has asked for."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pylit.cache import Store
from pylit.discovery import find_pages
from pylit.fragments import Fragments
from pylit.jobs import do, site_jobs
from pylit.plugin import load_settings
from pylit.questions import ANSWERS, Asked, is_question, question
from pylit.site import Site

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


def test_pages_read_nothing_that_they_have_not_asked_for(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files that are opened on the way to a page are its own, the engine's, or the answer to a question."""
    settings = replace(load_settings(str(root / "mkdocs.yml")), search=False)
    store = Store(tmp_path)
    answer = Asked._answer

    def unwatched(self: Asked, asked: tuple[str, ...]) -> Any:
        """Answer; what is read on the way to an answer is in the answer."""
        global opened
        before, opened = opened, None
        try:
            return answer(self, asked)
        finally:
            opened = before

    monkeypatch.setattr(Asked, "_answer", unwatched)
    pages = find_pages(settings, store)
    ours = tuple(map(str, (tmp_path, root / "pylit", sys.prefix, sys.base_prefix, "/dev", "/proc")))
    for job in site_jobs(pages):
        do(job, pages, Fragments())  # which imports what it needs
        site = Site(settings, pages.pages, store)  # one that has no answers yet
        with site.noting() as notes, watched() as found:
            do(job, site, Fragments())
        asked = {about[0] for name, *about in notes.asked if name in ("content", "matches")}
        own = {job.file, site.catalog_of(job.file, job.lang) if job.file else ""}
        files = {Path(file).resolve() for file in found if not file.startswith(ours)}
        assert {site.name(file) for file in files} <= asked | own, job
        assert not notes.is_torn


def test_pages_look_at_the_rest_of_the_site_only_by_asking(root: Path) -> None:
    """The stages that make pages use nothing of a site that is not noted."""
    unnoted = {"pages", "by_file", "by_url", "by_folder", "packages", "index", "order", "base"}
    for name in ("crossref", "links", "markup", "exhibits", "render", "view", "rows", "document"):
        tree = ast.parse((root / "pylit" / f"{name}.py").read_text("utf-8"))
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not used & unnoted, name


class Sums(Asked):
    """Answers questions about numbers."""

    def __init__(self) -> None:
        super().__init__()
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
    with sums.noting() as notes:
        assert [sums.double("2"), sums.double("2"), sums.quadruple("2")] == [4, 4, 8]
    assert sums.calls == 2
    assert notes.asked == {("double", "2"): "4", ("quadruple", "2"): "8"}
    assert notes.answers == Sums().still([("double", "2"), ("quadruple", "2")])
    assert notes.answers != Sums().still([("double", "2"), ("quadruple", "3")])
    with sums.noting() as notes, sums.unnoted():
        sums.double("3")
    assert not notes.asked
    assert sums.double("4") == 8  # outside, nothing is noted


def test_answers_that_contradict_each_other_are_torn() -> None:
    sums = Sums()
    with sums.noting() as notes:
        sums.told("double", "2", value=4)
        sums.told("double", "2", value=4)
    assert not notes.is_torn
    with sums.noting() as notes:
        sums.told("double", "2", value=5)
    assert notes.is_torn
    sums = Sums()
    with sums.noting() as notes:
        notes.add(("double", "2"), "4")
        notes.add(("double", "2"), "5")
    assert notes.is_torn


def test_not_all_answers_are_remembered_for_ever() -> None:
    sums = Sums()
    for number in range(ANSWERS + 2):
        sums.told("double", str(number), value=1) if number < ANSWERS else sums.double(str(number))
    assert len(sums._answers) < 10


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
    assert is_question(["double", "2"])
    assert not is_question(value)
