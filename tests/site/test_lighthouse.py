"""What Lighthouse says of the ResNet pages on a phone and on a desktop"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from sampling import thinned

from benchmarks.lighthouse import hosted, lighthouse

MOST_BYTES = 400_000
"""Of everything that a page loads, KaTeX's stylesheet and fonts included."""
MOST_REQUESTS = 24
MOST_SHIFT = 0.001
"""Of the layout; a hundredth of what counts as good. A busy machine paints a long page in pieces."""


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    with hosted(site) as address:
        yield address


@pytest.mark.parametrize(
    ("path", "form"), thinned(product(["zh/resnet/index.html", "resnet/index.html"], ["phone", "desktop"]), 4)
)
def test_full_marks(served: str, tmp_path: Path, path: str, form: str) -> None:
    """The marks that time does not decide, and budgets in the place of the one that it does.

    What Lighthouse makes of speed depends on how busy the machine is; bytes, requests, nodes and shifts do not. It is
    measured by `python -m benchmarks.lighthouse`.
    """
    report = lighthouse(served + path, form, tmp_path / "report.json")
    audits = report["audits"]
    scores = {name: round(100 * category["score"]) for name, category in report["categories"].items()}
    weak = [name for name, audit in audits.items() if audit["score"] not in (1, None)]
    del scores["performance"]
    assert scores == {"accessibility": 100, "best-practices": 100, "seo": 100}, weak
    assert audits["cumulative-layout-shift"]["numericValue"] < MOST_SHIFT
    assert audits["total-byte-weight"]["numericValue"] <= MOST_BYTES
    assert len(audits["network-requests"]["details"]["items"]) <= MOST_REQUESTS
