"""The examples of the guide "A gallery": their pages, and pictures of these; run as a script, it draws the pictures.

An example is a file in `pylit/pages/gallery`, with the page that is expected of it beside it. A picture shows that
page, so it is out of date as soon as the page differs from the one whose digest was noted with it.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests/pylit/pages/gallery"
GUIDE = ROOT / "docs/guide/gallery.md"
PICTURES = ROOT / "docs/guide/gallery"
NOTES = FOLDER / "pictures.json"
"""For each example, digests of the page that was drawn and of its pictures."""
LARGEST = 40_000
"""Bytes of a picture."""
WIDTH = 1000
"""Of the window: the narrowest round number with prose and code side by side."""
COLOURS = 64
SCALE = 1.5
"""Pixels of a picture for one of the window; a guide shows it at about 0.7."""
PREPARE = """() => {
    const main = document.querySelector("main");
    for (const details of main.querySelectorAll("details:not(.quiet)")) details.open = true;
    main.style.boxShadow = "inset 0 0 0 1px var(--line)";
    return document.fonts.ready;
}"""
"""Opens what readers can open, and draws a frame."""
Mode = Literal["light", "dark"]
MODES: tuple[Mode, ...] = ("light", "dark")


@dataclass(frozen=True)
class Example:
    """A file of the gallery."""

    source: Path

    @property
    def name(self) -> str:
        return self.source.stem

    @property
    def expected(self) -> Path:
        """The page that is expected of it."""
        return self.source.with_suffix(".html")

    @cached_property
    def page_digest(self) -> str:
        """Digest of what the picture shows of the page."""
        html = self.expected.read_text("utf-8")
        return digest(html[html.index("<main") : html.index("</main>")].encode())

    def picture(self, mode: Mode) -> Path:
        return PICTURES / f"{self.name}-{mode}.png"


def examples() -> list[Example]:
    """All examples, by name."""
    return [Example(path) for path in sorted(FOLDER.iterdir()) if path.suffix in (".py", ".md")]


def digest(data: bytes) -> str:
    """The first half of the SHA-256 of `data`, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()[:32]


def is_current(example: Example, notes: dict[str, dict[str, str]]) -> bool:
    """Whether the pictures of an example are those that were drawn of its page as it is now."""
    return notes.get(example.name) == noted(example)


def noted(example: Example) -> dict[str, str]:
    """The digests of an example's page and of its pictures as they are now."""
    files = ((mode, example.picture(mode)) for mode in MODES)
    return {"page": example.page_digest} | {
        mode: digest(path.read_bytes()) if path.is_file() else "" for mode, path in files
    }


def read_notes() -> dict[str, dict[str, str]]:
    """The digests that were noted when the pictures were drawn."""
    return json.loads(NOTES.read_text("utf-8")) if NOTES.is_file() else {}


def draw(browser: Browser, address: str, mode: Mode) -> bytes:
    """Return a picture of the main part of the page at an address.

    Raises:
        ValueError: if it is larger than a picture in the guide may be.
    """
    from cdn import Cdn
    from PIL import Image
    from site_fixtures import open_warm

    context = browser.new_context(
        viewport={"width": WIDTH, "height": 2000}, color_scheme=mode, device_scale_factor=SCALE
    )
    try:
        Cdn(context)
        page = context.new_page()
        open_warm(page, address)
        page.evaluate(PREPARE)
        shot = page.locator("main").screenshot(animations="disabled")
    finally:
        context.close()
    data = io.BytesIO()
    with Image.open(io.BytesIO(shot)) as picture:
        few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(data, "PNG", optimize=True)
    if (size := data.tell()) > LARGEST:
        raise ValueError(f"the picture of {address} would have {size} bytes; shorten the example")
    return data.getvalue()


def main() -> None:
    """Draw the pictures that are out of date, or all of them if asked to, and remove those of no example."""
    from browser import FLAGS, find_browser
    from playwright.sync_api import sync_playwright
    from servers import serving
    from site_fixtures import QuietHandler

    from pylit.cache import THEME

    notes = {} if "--all" in sys.argv[1:] else read_notes()
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as site, serving(partial(QuietHandler, directory=site)) as address:
        shutil.copytree(THEME / "assets", Path(site, "assets"))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
            for example in examples():
                if is_current(example, notes):
                    continue
                shutil.copy(example.expected, site)
                for mode in MODES:
                    picture = draw(browser, f"{address}{example.expected.name}", mode)
                    example.picture(mode).write_bytes(picture)
                print(f"drew {example.name}")
            browser.close()
    kept = {example.picture(mode) for example in examples() for mode in MODES}
    for path in set(PICTURES.iterdir()) - kept:
        path.unlink()
    NOTES.write_text(json.dumps({it.name: noted(it) for it in examples()}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
