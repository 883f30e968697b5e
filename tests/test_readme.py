"""The README shows what it speaks of."""

from __future__ import annotations

import re
from pathlib import Path

from readme_picture import LARGEST, MODES, picture

from pylit.filesystem import picture_type


def test_readme_shows_a_page_in_both_themes(root: Path) -> None:
    text = (root / "README.md").read_text("utf-8")
    shown = {root / path for path in re.findall(r'(?:src|srcset)="([^"]+)"', text)}
    assert shown == {picture(mode) for mode in MODES}
    assert all(picture_type(path.name, path.read_bytes()) == "webp" for path in shown)
    assert sum(path.stat().st_size for path in shown) <= LARGEST
