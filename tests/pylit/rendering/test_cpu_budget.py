"""A budget of the processor's time ends what would never end, and nothing else."""

from __future__ import annotations

import gc
import re
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pygments.lexer import Lexer, RegexLexer
from pygments.token import Text
from sampling import thinned

from pylit.errors import Report, Severity
from pylit.rendering import code_html as highlight
from pylit.rendering.code_html import ListingError
from pylit.rendering.cpu_budget import OverBudget, budget
from pylit.site.discovery import find_pages
from pylit.site.page import render_page
from pylit.site.settings import Settings

LONG = 10.0**9
ENDLESS = re.compile("(a+)+b")


def state() -> tuple[Any, tuple[float, float]]:
    return signal.getsignal(signal.SIGVTALRM), signal.getitimer(signal.ITIMER_VIRTUAL)


def test_a_single_call_that_would_take_for_ever_is_cut_off() -> None:
    before = state()
    with pytest.raises(OverBudget), budget(0.01):
        ENDLESS.match("a" * 60)
    assert state() == before


def test_no_finalizer_of_garbage_is_interrupted() -> None:
    class Node:
        def __init__(self) -> None:
            self.itself = self

    def act(check: Callable[[], None]) -> None:
        while len(finished) < 1000:
            Node()
            check()

    finished: list[int] = []
    for number in range(1000):
        weakref.finalize(Node(), finished.append, number)
    with pytest.raises(OverBudget), budget(0.05) as check:
        act(check)  # would end if a collection took place
    assert gc.isenabled()
    gc.collect()
    assert sorted(finished) == list(range(1000))


def test_nothing_takes_it_for_a_mistake() -> None:
    def act() -> None:
        with suppress(Exception):
            ENDLESS.match("a" * 60)

    with pytest.raises(OverBudget), budget(0.01):
        act()


def test_what_ends_in_time_is_left_alone_and_nothing_rings_later() -> None:
    before = state()
    with budget(LONG) as check:
        check()
    assert state() == before
    check()


def test_what_is_raised_inside_comes_out() -> None:
    before = state()
    with pytest.raises(KeyError), budget(LONG):
        raise KeyError
    assert state() == before


def test_a_check_after_the_end_says_nothing() -> None:
    with pytest.raises(OverBudget), budget(0) as check:
        check()
    check()


def test_one_in_another_ends_by_itself_and_the_other_goes_on() -> None:
    before = state()
    with budget(LONG) as outer:
        for _ in range(2):
            with pytest.raises(OverBudget), budget(0.01):
                ENDLESS.match("a" * 60)
            assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] > LONG / 2
            outer()
    assert state() == before


def test_on_other_threads_it_is_checked_between_calls() -> None:
    """No signal comes there, and setting one would be refused."""
    found: list[str] = []

    def act() -> None:
        try:
            with budget(0) as check:
                check()
        except OverBudget:
            found.append("over")

    before = state()
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()
    assert found == ["over"] and state() == before


class Backtracking(RegexLexer):
    """One whose single match never ends."""

    name = "backtracking"
    tokens: ClassVar[dict[str, Any]] = {"root": [(r"(a+)+b", Text), (r".|\n", Text)]}


class Many(Lexer):
    """One whose tokens never end."""

    name = "many"

    def get_tokens(self, text: str, unfiltered: bool = False) -> Iterator[tuple[Any, str]]:
        while True:
            yield Text, ""


@pytest.mark.parametrize("lexer", thinned([Backtracking, Many], 2))
def test_a_listing_that_takes_too_long_is_shown_plain_and_the_rest_in_colours(
    lexer: type[Lexer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = highlight._lexer
    monkeypatch.setattr(
        highlight, "_lexer", lambda language: lexer() if language == "slow" else own(language)
    )
    text = f"# T\n\nFirst.\n\n```slow\n{'a' * 60} <b>\n```\n\n```python\nimport a\n```\n"
    (tmp_path / "a.md").write_text(text, "utf-8")
    site = find_pages(Settings(base=tmp_path, roots=(("a.md", ""),)))
    monkeypatch.setattr(highlight, "PATIENCE", 0.5)
    for _ in range(2):  # as in another language: it is told each time, and tried once
        report = Report()
        with monkeypatch.context() as patch:
            patch.setattr(highlight, "PATIENCE", 0.05)
            with pytest.raises(ListingError, match=r"takes more than 0\.05 seconds to colour as `slow`"):
                highlight.highlight(f"{'a' * 60} <b>", "slow")
        view = render_page(site, site.pages[0], "en", report)
        assert view
        assert f"<code>{'a' * 60} &lt;b&gt;</code>" in view.body.rows[0].prose
        assert '<span class="k">import</span>' in view.body.rows[0].prose
        (problem,) = report.problems
        assert (problem.file, problem.line, problem.severity) == ("a.md", 5, Severity.WARNING)
        assert "to colour as `slow`" in problem.message and "`text`" in problem.hint
