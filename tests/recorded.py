"""What tests of recorded runs share."""

from __future__ import annotations

from types import ModuleType

from labml_nn.data import DRAWS

AGAIN = "record it again: python -m experiments.record"


def is_marked(draws: int, page: ModuleType) -> bool:
    """Whether runs with these draws may be shown: they are drawn as today, or the page says that they are older."""
    return draws == DRAWS or f"      {draws}: recorded before\n" in (page.__doc__ or "")
