"""What is made of a text, and the work that it takes, grow no faster than the text, whatever it is made of.

Work is the number of calls of functions, Python's and C's. What happens inside of one call, such as a regular
expression, does not show in it: so each construct is tried once more, so large that work in proportion to the square of
its length takes minutes and more, in a process whose own time is limited. Nothing depends on how busy the machine is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from counting import work
from growth import GRAMMARS
from sampling import thinned

CONSTRUCTS = [(name, construct) for name, grammar in GRAMMARS.items() for construct in grammar.constructs]
LARGEST = 150
"""Characters of a page for one of its text: short formulas, and lines of code that are empty, take most."""


@pytest.mark.parametrize(("name", "construct"), thinned(CONSTRUCTS, 18))
def test_twice_the_text_makes_twice_the_work_and_twice_the_output(name: str, construct: str) -> None:
    grammar = GRAMMARS[name]
    counted, sizes = [], []
    for factor in (0, 1, 2, 4):  # the first fills what is filled once
        text = grammar.constructs[construct](max(1, factor) * grammar.size)
        found: list[int] = []
        counted.append(work(lambda text=text, found=found: found.append(len(grammar.act(text)))))  # type: ignore[misc]
        sizes += found
    for _, one, two, four in (counted, sizes):
        assert four - two <= 2.3 * abs(two - one) + 5000, (counted, sizes)


@pytest.mark.process
@pytest.mark.timeout(0)  # the process has a limit of its own, whatever the clock says
@pytest.mark.parametrize("name", thinned(sorted(GRAMMARS, key=lambda name: len(GRAMMARS[name].tried)), 15))
def test_enormous_texts_are_done_with_in_time(name: str) -> None:
    here = Path(__file__).parent.parent
    paths = os.pathsep.join([str(here), str(here.parent)])
    result = subprocess.run(
        [sys.executable, str(here / "growth.py"), name],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )
    done = [line.split("\t") for line in result.stdout.splitlines()]
    assert [construct for construct, _, _ in done] == GRAMMARS[name].tried, result.stderr[-2000:]
    assert result.returncode == 0
    assert not [line for line in done if int(line[2]) > LARGEST * int(line[1]) + 100_000]
