"""The guide on robustness counts what the tests do."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path

import polib
import pytest

from pylit import katex, math


def examples(test: object) -> int:
    """How many examples Hypothesis makes for a test."""
    return int(test._hypothesis_internal_use_settings.max_examples)  # type: ignore[attr-defined]


@pytest.mark.parametrize("guide", ["docs/guide/robustness.md", "translations/zh/docs/guide/robustness.po"])
def test_counts_are_those_of_the_tests(root: Path, monkeypatch: pytest.MonkeyPatch, guide: str) -> None:
    for folder in ("pylit", "site"):
        monkeypatch.syspath_prepend(root / "tests" / folder)
    attacks, hostile, limits = (import_module(f"test_{name}") for name in ("attacks", "hostile", "limits"))
    formulas, sections = import_module("test_katex"), import_module("test_sections")
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    generated = examples(sections.test_any_program_is_cut_without_loss)
    mutated = examples(sections.test_mutated_real_files_are_cut_without_loss)
    counts = {
        "files": sections.SAMPLE,
        "programs": generated + mutated,
        "kinds of growth": len(limits.GROWING),
        "ways to nest": len(limits.DEEP),
        "attacks": len(attacks.ATTACKS),
        "pages": examples(hostile.test_any_prose_in_any_place_becomes_a_page),
        "formulas that run away": len(formulas.DEEP + formulas.BOMBS),
        "formulas": examples(hostile.test_any_formula_is_typeset_or_refused),
        "characters": math.MAX_LENGTH,
        "groups": math.MAX_DEPTH,
        "seconds": int(katex.PATIENCE),
        "coverage": settings["tool"]["coverage"]["report"]["fail_under"],
    }
    path = root / guide
    text = path.read_text("utf-8")
    if path.suffix == ".po":
        text = " ".join(entry.msgstr for entry in polib.pofile(str(path)))
    found = set(map(int, re.findall(r"\d+", text)))
    assert {name: count for name, count in counts.items() if count not in found} == {}
