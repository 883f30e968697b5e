"""KaTeX runs in a process of its own: no formula ends the build, and none keeps it waiting."""

from __future__ import annotations

import gc
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
from sampling import thinned

from pylit.builder import build
from pylit.checks import check_site
from pylit.errors import Report
from pylit.site.discovery import find_pages
from pylit.site.page import render_page
from pylit.site.site import Settings
from pylit.site.workbench import Workbench
from pylit.tex import katex_process as katex
from pylit.tex.katex_process import Katex, KatexError, serve
from pylit.tex.typeset import MAX_CELLS, MAX_LENGTH, FormulaError, Typesetter

typeset_formula = Typesetter().typeset

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


@pytest.mark.parametrize("tex", thinned(DEEP, quick=4))
def test_formula_that_takes_all_the_stack_is_refused_and_the_next_one_is_right(own: Katex, tex: str) -> None:
    good = own.render("x", False)
    for _ in range(3):
        with pytest.raises(KatexError, match="nested too deeply or takes too long for KaTeX"):
            own.render(tex, False)
        assert own.render("x", False) == good


@pytest.mark.parametrize("tex", thinned([*DEEP, *BOMBS], quick=3))
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


@pytest.mark.slow
def test_enormous_formula_is_cut_off_before_katex_sees_it(own: Katex) -> None:
    longest = "x+" * (MAX_LENGTH // 2 - 1) + "x"
    assert typeset_formula(longest, True).count('data-sym="x"') == MAX_LENGTH
    with pytest.raises(FormulaError, match="it has 5,003 characters; at most 5,000 are allowed; split it"):
        typeset_formula(longest + "+xxx", True)


@pytest.mark.process
def test_formula_that_takes_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock where it does nothing, and by the time of the processor where it is busy."""
    monkeypatch.setattr(katex, "PATIENCE", 0.01)
    endless = Katex([sys.executable, "-c", ENDLESS])
    with pytest.raises(KatexError, match="takes too long for KaTeX"):
        endless.render("x", False)


def test_formula_that_keeps_katex_busy_is_cut_off_and_not_tried_again(
    own: Katex, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.render("x", False)
    tried: list[str] = []
    answered = own._ask

    def ask(request: str, seconds: float) -> dict[str, object] | None:
        tried.append(request)
        return answered(request, seconds)

    monkeypatch.setattr(own, "_ask", ask)
    monkeypatch.setattr(katex, "PATIENCE", 1e-3)
    with pytest.raises(FormulaError, match="takes too long for KaTeX"):
        Typesetter(own).typeset(r"\begin{matrix}" + "&" * MAX_CELLS + r"\end{matrix}", True)
    assert len(tried) == 1


def test_another_attempt_has_only_what_the_first_one_has_left(
    own: Katex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KaTeX may reject our marks, so that a formula is tried twice."""
    answers = io.StringIO()
    serve([json.dumps([r"\nonsense", False, 0.5])], answers)
    assert 0 < json.loads(answers.getvalue())["left"] < 0.51  # the system rounds up
    asked: list[float] = []

    def reject(request: str, seconds: float) -> dict[str, object]:
        asked.append(json.loads(request)[2])
        return {"html": "", "wrong": "no", "left": 7.0}

    monkeypatch.setattr(own, "_ask", reject)
    with pytest.raises(FormulaError, match="no"):
        Typesetter(own).typeset("x", False)
    assert asked == [katex.PATIENCE, 7.0]


@pytest.mark.parametrize("tex", ["&" * 4900, r"\\&" * 1600, "a&" * 2000])
def test_tables_of_enormous_size_are_refused(tex: str) -> None:
    with pytest.raises(FormulaError, match="`&`; at most 1,000 are allowed; split its tables"):
        typeset_formula(rf"\begin{{matrix}}{tex}\end{{matrix}}", True)


def test_ampersands_that_are_text_are_no_cells() -> None:
    assert "<math" in typeset_formula(r"\&" * (MAX_CELLS + 1), False)


ABSENT = "import sys; sys.modules['pykatex'] = None"
EMPTY = "import sys, types; sys.modules['pykatex'] = types.ModuleType('pykatex')"


@pytest.mark.parametrize(
    ("binding", "reason"), [(ABSENT, "import of pykatex halted"), (EMPTY, "cannot import name")]
)
def test_missing_katex_is_one_error_that_says_what_to_install(
    write: Write, tmp_path: Path, binding: str, reason: str
) -> None:
    """Not installed, or in one of the releases that there are for other platforms, which lack half of it."""
    program = f"{binding}\nfrom pylit.tex import katex_process\nkatex_process.main()"
    lacking = Katex([sys.executable, "-c", program])
    workbench = Workbench(Typesetter(lacking))
    write("pkg/a.py", '"""\n# A\n\nBoth $u_1$ and $u_2$.\n"""\n')
    write("pkg/b.py", '"""\n# B\n\n$u_3$\n"""\n')
    site = find_pages(Settings(base=tmp_path, roots=(("pkg", ""),)), workbench=workbench)
    report = build(site, tmp_path / "out", jobs=1)
    [problem] = check_site(site, site.pages).errors
    lacking.close()
    assert report.errors == [problem]
    assert problem.message.startswith(f"formulas cannot be typeset without pykatex==0.1.1: {reason}")
    assert problem.hint.startswith(
        "Run `pip install pykatex==0.1.1`; without a wheel, this needs a C compiler"
    )


@pytest.mark.process
@pytest.mark.parametrize("program", [DEAF, CUT, "raise SystemExit(3)"])
def test_process_that_dies_is_a_refusal(program: str) -> None:
    dying = Katex([sys.executable, "-c", program])
    for _ in range(2):
        with pytest.raises(KatexError, match="too long for KaTeX"):
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


@pytest.mark.process
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
    serve([json.dumps([tex, False, 20]) for tex in ("x", r"\nonsense")], answers)
    found = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert "<math" in found[0]["html"] and not found[0]["wrong"]
    assert "Undefined control sequence" in found[1]["wrong"] and not found[1]["html"]


def test_the_other_process_ends_when_it_has_run_out_of_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    import pykatex

    def exhausted(*arguments: object, **options: object) -> str:
        raise pykatex.ParseError("size exceeded")

    monkeypatch.setattr(pykatex, "renderToString", exhausted)
    answers = io.StringIO()
    serve([json.dumps(["x", False, 20])] * 3, answers)
    assert [json.loads(line)["wrong"] for line in answers.getvalue().splitlines()] == ["size exceeded"]


def pid(found: Katex) -> int:
    (process,) = found._running
    return process.pid


def wait_for_end(process: int) -> None:
    """Wait until a process that is not ours has ended."""
    state = Path(f"/proc/{process}/stat")
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)


def test_it_starts_with_the_first_formula_and_leaves_no_thread(own: Katex) -> None:
    """While there are threads, processes cannot be forked safely."""
    before = threading.active_count()
    assert not own._running
    for _ in range(20):
        own.render("x", False)
        assert threading.active_count() == before


FORKED = """\
import json, os
from pylit.tex.katex_process import Katex

katex = Katex()
html = katex.render("y", False)
ours = katex._running[0].pid
if os.fork() == 0:
    katex.close()
    is_alike = katex.render("y", False) == html
    print(json.dumps([is_alike, katex._running[0].pid, ours]), flush=True)
    os._exit(0)
os.wait()
assert katex.render("y", False) == html and katex._running[0].pid == ours
"""


def test_forked_process_has_its_own() -> None:
    """In a process that has no threads, as it is with builds."""
    result = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True)
    is_alike, theirs, ours = json.loads(result.stdout)
    assert is_alike and theirs != ours
    for process in (theirs, ours):
        wait_for_end(process)


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_process_that_is_killed(way: int) -> None:
    code = (
        "import sys, time; from pylit.tex.katex_process import Katex\n"
        "katex = Katex(); katex.render('x', False); print(katex._running[0].pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        theirs = int(process.stdout.readline())
        process.send_signal(way)
    wait_for_end(theirs)


def test_the_other_process_ends_itself_if_nobody_is_there_to_do_so() -> None:
    """As when the build was killed while KaTeX was busy, and cannot notice."""
    code = (
        "import io, sys, pykatex; from pylit.tex import katex_process as katex\n"
        "def busy(*arguments, **options):\n    while True: pass\n"
        "pykatex.renderToString = busy\n"
        "katex.serve(['[\"x\", false, 0.1]'], sys.stdout)"
    )
    result = subprocess.run([sys.executable, "-c", code], check=False)
    assert result.returncode == -signal.SIGPROF


def test_it_ends_with_the_one_that_owns_it() -> None:
    owner = Katex()
    owner.render("x", False)
    theirs = pid(owner)
    del owner
    gc.collect()
    assert not Path(f"/proc/{theirs}").exists()
