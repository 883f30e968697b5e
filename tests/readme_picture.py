"""The picture of a page in the README, light and dark; run as a script, it draws both anew."""

from __future__ import annotations

import io
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs/pictures"
PAGE = "resnet/index.html#ResidualBlock"
SYMBOL = "[id='ResidualBlock'] .formula .katex-html [data-sym$='{F}']"
"""What is pointed at, so that the code lights up."""
LARGEST = 150_000
"""Bytes of both pictures together."""
WIDTH, HEIGHT = 1280, 760
"""Of the window."""
SCALE = 1.25
"""Pixels of a picture for one of the window; a code host shows it at about 0.65."""
QUALITY = 38
Mode = Literal["light", "dark"]
MODES: tuple[Mode, ...] = ("light", "dark")


def picture(mode: Mode) -> Path:
    """Where the picture for a theme is."""
    return FOLDER / f"page-{mode}.webp"


def draw(address: str) -> None:
    """Draw a page of the site that is served at `address` in both themes."""
    from browser import FLAGS, find_browser
    from PIL import Image
    from playwright.sync_api import sync_playwright
    from site_fixtures import open_warm

    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        for mode in MODES:
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=mode, device_scale_factor=SCALE
            )
            open_warm(page, address + PAGE)
            page.evaluate("document.fonts.ready")
            page.locator(SYMBOL).first.hover(force=True)
            data = io.BytesIO()
            with Image.open(io.BytesIO(page.screenshot())) as shot:
                shot.convert("RGB").save(data, "WEBP", quality=QUALITY, method=6)
            picture(mode).write_bytes(data.getvalue())
            print(f"drew {picture(mode).name}, {data.tell():,} bytes")
        browser.close()
    if (size := sum(picture(mode).stat().st_size for mode in MODES)) > LARGEST:
        raise ValueError(f"the pictures have {size:,} bytes; lower the quality")


def main() -> None:
    """Build the site, and draw a page of it."""
    from servers import serving
    from site_fixtures import QuietHandler

    with TemporaryDirectory() as site:
        command = [sys.executable, "-m", "pylit", "build", "--out", site, "--force"]
        subprocess.run(command, cwd=ROOT, check=True)
        with serving(partial(QuietHandler, directory=site)) as address:
            draw(address)


if __name__ == "__main__":
    main()
