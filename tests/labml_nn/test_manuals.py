"""Names that lead to a manual exist in what is installed, so that no link is guessed."""

from __future__ import annotations

import importlib
from functools import reduce
from pathlib import Path

import pytest

from pylit.api import open_configuration, open_site
from pylit.resolve.external_docs import documentation_of

SITE = open_site(open_configuration(Path(__file__).parents[2] / "pyproject.toml"), is_kept=False)
NAMES = sorted(
    {
        use.full
        for page in SITE.pages
        if (facts := SITE.sources.facts(page.file))
        for use in facts.used
        if not SITE.definitions.index.find(use.full) and documentation_of(use.full, SITE.settings.manuals)
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
    address = documentation_of(full, SITE.settings.manuals)
    assert address.startswith("https://") and "{" not in address
