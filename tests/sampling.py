"""Few of many cases for `make quick`, some for `make test`, and all of them for the check of a change."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings

EVERYTHING = bool(os.environ.get("EVERYTHING"))
"""Whether all cases are asked for, as in `EVERYTHING=1 make test`."""


def thinned(cases: Iterable[Any], every: int = 1, quick: int = 1) -> list[Any]:
    """The same `cases`, some of which are marked.

    All but one in `every` are `thorough`, and `make test` leaves them out. Of the others, all but one in `quick` are
    `slow`, and `make quick` leaves them out.
    """
    return [_marked(case, number, every, quick) for number, case in enumerate(cases)]


def _marked(case: Any, number: int, every: int, quick: int) -> Any:
    if number % every:
        mark = pytest.mark.thorough
    elif number // every % quick:
        mark = pytest.mark.slow
    else:
        return case
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=mark)


SHARE = 1 if EVERYTHING else 5
"""Of cases that are drawn by chance, one in so many is tried."""


def examples(count: int) -> settings:
    """Settings by which Hypothesis tries `count` examples, or a share of them."""
    return settings(max_examples=count // SHARE, deadline=None)
