"""KaTeX runs in a process of its own: no formula ends the build, and none keeps it waiting."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Write

from pylit import katex
from pylit.discovery import find_pages
from pylit.errors import Report
from pylit.katex import Katex, KatexError, serve
from pylit.math import MAX_LENGTH, FormulaError, typeset
from pylit.site import Settings
from pylit.view import render_page

ENDLESS = "import sys, time; sys.stdin.readline(); time.sleep(600)"
DEAF = "import sys; sys.stdin.close()"
SLOW = """\
import json, sys, time
for line in sys.stdin:
    time.sleep(0.3)
    print(json.dumps({"html": json.loads(line)[0], "wrong": ""}), flush=True)
"""
CUT = "import sys; sys.stdin.readline(); sys.stdout.write('{\"html\": ')"

DEEP = [
    r"\tiny\Huge " * 200 + "x",  # sizes nest without braces, and the binding's memory is corrupt after it
    r"\color{red}" * 300 + "x",
    r"\displaystyle " * 300 + "x",
    r"\rm " * 600 + "x",
]
BOMBS = [
    r"\not" * 1500 + "x",
    r"\Set" * 600 + "x",
    r"\mathchoice" * 20 + "x" * 1000,
    r"\hat" * 1000,
    r"x^" * 1000,
    r"\sqrt[" * 500,
    r"\char" + "9" * 4000,
]


@pytest.fixture
def own() -> Iterator[Katex]:
    """A process for this test alone."""
    found = Katex()
    yield found
    found.close()


@pytest.mark.parametrize("tex", DEEP)
def test_formula_that_takes_all_the_stack_is_refused_and_the_next_one_is_right(own: Katex, tex: str) -> None:
    good = own.render("x", False)
    for _ in range(3):
        with pytest.raises(KatexError, match="nested so deep, or takes so long, that KaTeX gives up"):
            own.render(tex, False)
        assert own.render("x", False) == good


@pytest.mark.parametrize("tex", [*DEEP, *BOMBS])
def test_runaway_formula_takes_nothing_else_of_its_page_down(write: Write, tmp_path: Path, tex: str) -> None:
    write("pkg/a.py", f'r"""\n# A\n\nBefore $y$.\n\nBad\n${tex}$.\n\nAfter $z$.\n"""\n')
    write("pkg/b.py", '"""\n# B\n\nAnother page, with $w$.\n"""\n')
    site = find_pages(Settings(base=tmp_path, roots=(("pkg", ""),)))
    report = Report()
    views = [render_page(site, page, "en", report) for page in site.pages]
    assert [(problem.file, problem.line) for problem in report.problems] == [("pkg/a.py", 7)]
    prose = [view.body.rows[0].prose for view in views if view]
    assert [text.count("<math") for text in prose] == [2, 1]
    assert len(str(report.errors[0])) < 600


def test_enormous_formula_is_cut_off_before_katex_sees_it(own: Katex) -> None:
    longest = "x+" * (MAX_LENGTH // 2 - 1) + "x"
    assert typeset(longest, True).count('data-sym="x"') == MAX_LENGTH
    with pytest.raises(
        FormulaError, match="it has 5,003 characters, and at most 5,000 are allowed; split it"
    ):
        typeset(longest + "+xxx", True)


def test_formula_that_takes_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(katex, "PATIENCE", 0.01)
    endless = Katex([sys.executable, "-c", ENDLESS])
    with pytest.raises(KatexError, match="takes so long, that KaTeX gives up"):
        endless.render("x", False)


@pytest.mark.parametrize("program", [DEAF, CUT, "raise SystemExit(3)"])
def test_process_that_dies_is_a_refusal(program: str) -> None:
    dying = Katex([sys.executable, "-c", program])
    for _ in range(2):
        with pytest.raises(KatexError, match="KaTeX gives up"):
            dying.render("x" * 200_000, False)


def test_characters_that_katex_does_not_take_are_refused(own: Katex) -> None:
    with pytest.raises(KatexError, match="embedded null character"):
        own.render("a\0b", False)
    with pytest.raises(KatexError, match="surrogates not allowed"):
        own.render("a\ud800b", False)
    assert "<math" in own.render("x", False)


def test_what_katex_prints_is_no_answer(own: Katex) -> None:
    """It warns of letters that its font for names does not have."""
    good = own.render("x", False)
    for _ in range(3):
        assert "α" in own.render(r"\operatorname{\alpha}", False)
        assert own.render("x", False) == good


def test_formula_after_one_that_was_interrupted_gets_its_own_answer() -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    slow = Katex([sys.executable, "-c", SLOW])
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        slow.render("a", False)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            slow.render("b", False)
        assert slow.render("c", False) == "c"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        slow.close()


def test_closing_twice_is_no_mistake(own: Katex) -> None:
    own.render("x", False)
    own.close()
    own.close()
    assert "<math" in own.render("x", False)


def test_the_other_process_answers_each_request_with_a_line() -> None:
    answers = io.StringIO()
    serve([json.dumps([tex, False]) for tex in ("x", r"\nonsense")], answers)
    found = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert "<math" in found[0]["html"] and not found[0]["wrong"]
    assert "Undefined control sequence" in found[1]["wrong"] and not found[1]["html"]


def test_the_other_process_ends_when_it_has_run_out_of_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    import pykatex

    def exhausted(*arguments: object, **options: object) -> str:
        raise pykatex.ParseError("size exceeded")

    monkeypatch.setattr(pykatex, "renderToString", exhausted)
    answers = io.StringIO()
    serve([json.dumps(["x", False])] * 3, answers)
    assert [json.loads(line)["wrong"] for line in answers.getvalue().splitlines()] == ["size exceeded"]


def pid(found: Katex) -> int:
    assert found._process
    return found._process.pid


def wait_for_end(process: int) -> None:
    """Wait until a process that is not ours has ended."""
    state = Path(f"/proc/{process}/stat")
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)


def test_it_starts_with_the_first_formula_and_leaves_no_thread(own: Katex) -> None:
    """While there are threads, processes cannot be forked safely."""
    before = threading.active_count()
    assert own._process is None
    for _ in range(20):
        own.render("x", False)
        assert threading.active_count() == before


FORKED = """\
import json, os
from pylit.katex import KATEX

html = KATEX.render("y", False)
ours = KATEX._process.pid
if os.fork() == 0:
    is_forgotten = KATEX._process is None
    is_alike = KATEX.render("y", False) == html
    print(json.dumps([is_forgotten, is_alike, KATEX._process.pid, ours]), flush=True)
    os._exit(0)
os.wait()
assert KATEX.render("y", False) == html and KATEX._process.pid == ours
"""


def test_forked_process_has_its_own() -> None:
    """In a process that has no threads, as it is with builds."""
    result = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True)
    is_forgotten, is_alike, theirs, ours = json.loads(result.stdout)
    assert is_forgotten and is_alike and theirs != ours
    for process in (theirs, ours):
        wait_for_end(process)


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_process_that_is_killed(way: int) -> None:
    code = (
        "import sys, time; from pylit.katex import KATEX\n"
        "KATEX.render('x', False); print(KATEX._process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        theirs = int(process.stdout.readline())
        process.send_signal(way)
    wait_for_end(theirs)


def test_the_other_process_ends_itself_if_nobody_is_there_to_do_so() -> None:
    """As when the build was killed while KaTeX was busy, and cannot notice."""
    code = (
        "import io, sys, pykatex; from pylit import katex; katex.PATIENCE = 0.1\n"
        "def busy(*arguments, **options):\n    while True: pass\n"
        "pykatex.renderToString = busy\n"
        "katex.serve(['[\"x\", false]'], sys.stdout)"
    )
    result = subprocess.run([sys.executable, "-c", code], check=False)
    assert result.returncode == -signal.SIGALRM
