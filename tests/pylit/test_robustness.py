"""The guide on robustness counts what the tests do."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path
from types import ModuleType

import polib
import pytest

from pylit import highlight, katex, math


def examples(test: object) -> int:
    """How many examples Hypothesis makes for a test."""
    return int(test._hypothesis_internal_use_settings.max_examples)  # type: ignore[attr-defined]


@pytest.fixture
def tests(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """The modules of tests that the guide speaks of, by their names without `test_`."""
    for folder in ("tests", "tests/pylit", "tests/site", "tests/labml_nn"):
        monkeypatch.syspath_prepend(root / folder)
    names = (
        "attacks hostile limits katex sections incremental publish serving data failures supply_chain".split()
    )
    return {name: import_module(f"test_{name}") for name in names}


@pytest.mark.parametrize("guide", ["docs/guide/robustness.md", "translations/zh/docs/guide/robustness.po"])
def test_counts_are_those_of_the_tests(root: Path, tests: dict[str, ModuleType], guide: str) -> None:
    """Each of these numbers stands in the guide once, and no other does."""
    sections, limits, hostile = tests["sections"], tests["limits"], tests["hostile"]
    incremental, publish, serving = tests["incremental"], tests["publish"], tests["serving"]
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    generated = examples(sections.test_any_program_is_cut_without_loss)
    mutated = examples(sections.test_mutated_real_files_are_cut_without_loss)
    counts = {
        "programs": generated + mutated,
        "kinds of growth": len(limits.GROWING),
        "kinds of growth of memory": len(limits.REMEMBERED),
        "enormous files": len(limits.HUGE),
        "ways to nest": len(limits.DEEP),
        "attacks": len(tests["attacks"].ATTACKS),
        "pages": examples(hostile.test_any_prose_in_any_place_becomes_a_page),
        "formulas that run away": len(tests["katex"].DEEP + tests["katex"].BOMBS),
        "formulas": examples(hostile.test_any_formula_is_typeset_or_refused),
        "characters of a formula": math.MAX_LENGTH,
        "groups": math.MAX_DEPTH,
        "seconds": int(katex.PATIENCE),
        "characters of a listing": highlight.MAX_CODE,
        "characters of a line": highlight.MAX_LINE,
        "killed builds": publish.KILLED * len(publish.JOBS),
        "changes to a site": len(incremental.MUTATIONS) + len(incremental.SETTINGS),
        "ways to write dots": len(serving.DOTS),
        "ways to write slashes": len(serving.SLASHES),
        "saves": serving.SAVES,
        "sick mirrors": len(tests["data"].SICK),
        "attacks by pickle": len(tests["failures"].ATTACKS),
        "flipped bits": tests["failures"].FLIPS,
        "locks": len(tests["supply_chain"].LOCKS),
        "coverage": settings["tool"]["coverage"]["report"]["fail_under"],
    }
    path = root / guide
    text = path.read_text("utf-8").partition("---\n\n")[2]
    if path.suffix == ".po":
        text = " ".join(entry.msgstr for entry in polib.pofile(str(path)) if not entry.obsolete)
    found = list(map(int, re.findall(r"\d+", text)))
    assert {name: count for name, count in counts.items() if count not in found} == {}
    assert sorted(found) == sorted(counts.values())
