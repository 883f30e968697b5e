"""The guide on robustness names the tests that hold its promises, and counts their cases."""

from __future__ import annotations

import re
from collections.abc import Sized
from importlib import import_module
from math import prod
from pathlib import Path

import polib
import pytest
from conftest import ROOT
from sampling import SHARE

NAME = re.compile(r"`(\w+)\.(\w+)`(?: \(([\d ]+)\)|（([\d ]+)）)?")
"""A test, or a constant of one or of the engine, and how many cases it has."""


@pytest.fixture
def folders(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in {path.parent for path in (root / "tests").rglob("test_*.py")}:
        monkeypatch.syspath_prepend(folder)


def cases(module: str, name: str) -> int:
    """How many cases a test has, how many items are in a constant, or what number it is."""
    if not module.startswith("test_"):
        [path] = ROOT.glob(f"pylit/*/{module}.py")
        module = f"pylit.{path.parent.name}.{module}"
    found = getattr(import_module(module), name)
    if isinstance(found, int | float):
        return int(found)
    if isinstance(found, Sized):
        return len(found)
    marks = getattr(found, "pytestmark", [])
    lengths = [len(mark.args[1]) for mark in marks if mark.name == "parametrize"]
    settings = getattr(found, "_hypothesis_internal_use_settings", None)
    is_generated = hasattr(found, "hypothesis")
    return prod(lengths) * (settings.max_examples * SHARE if settings and is_generated else 1)


# It imports all tests: what was imported anew to be traced has other classes for the checker than now.
@pytest.mark.usefixtures("unchecked")
@pytest.mark.slow
@pytest.mark.process  # one of the modules that it imports asks the system what can be mounted
@pytest.mark.usefixtures("folders")
@pytest.mark.parametrize("guide", ["docs/guide/robustness.md", "translations/zh/docs/guide/robustness.po"])
def test_named_tests_are_there_and_have_as_many_cases(root: Path, guide: str) -> None:
    path = root / guide
    text = path.read_text("utf-8")
    if path.suffix == ".po":
        text = " ".join(entry.msgstr for entry in polib.pofile(str(path)) if not entry.obsolete)
    named = {(match[1], match[2]): match[3] or match[4] for match in NAME.finditer(text)}
    assert len(named) > (90 if path.suffix == ".md" else 0)
    right = {name: count for name in named if (count := cases(*name)) > 1}
    told = {name: int(count.replace(" ", "")) for name, count in named.items() if count}
    assert told == right


def test_every_promise_names_a_test(root: Path) -> None:
    text = (root / "docs/guide/robustness.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and line != "| promise | tests |"]
    assert len(rows) > 40
    for row in rows:
        assert NAME.search(row.split(" | ")[1]), row
