"""Names that lead to a manual exist in what is installed, so that no link is guessed."""

from __future__ import annotations

import importlib
from functools import reduce
from pathlib import Path

import pytest

from pylit.discovery import find_pages
from pylit.manuals import manual
from pylit.plugin import load_settings

SITE = find_pages(load_settings(str(Path(__file__).parents[2] / "mkdocs.yml")))
NAMES = sorted(
    {
        full
        for page in SITE.pages
        if (facts := SITE.facts(page.file))
        for full, _ in facts.used
        if not SITE.index.find(full) and manual(full, SITE.settings.manuals)
    }
)


def exists(full: str) -> bool:
    """Whether a full name is that of a module, or of something in one."""
    parts = full.split(".")
    for end in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        try:
            reduce(getattr, parts[end:], module)
        except AttributeError:
            return False
        return True
    return False


def test_names_are_found() -> None:
    assert {"torch.nn.Conv2d", "torch.no_grad", "collections.abc.Sequence", "pathlib.Path"} <= set(NAMES)


@pytest.mark.parametrize("full", NAMES)
def test_a_name_with_a_manual_exists(full: str) -> None:
    assert exists(full)
    # A page of its own is for functions and classes; modules and values stand on the page of their module.
    address = manual(full, SITE.settings.manuals)
    assert address.startswith("https://") and "{" not in address
