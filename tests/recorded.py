"""What tests of recorded runs share."""

from __future__ import annotations

from types import ModuleType

from labml_nn.data import DRAWS

AGAIN = "record it again: python -m experiments.record"


def is_marked(draws: int, page: ModuleType) -> bool:
    """Whether runs with these draws may be shown: they are drawn as today, or the page calls their seeds related."""
    return draws == DRAWS or f"      {draws}: related\n" in (page.__doc__ or "")
