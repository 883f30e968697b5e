"""Measures pages as a browser lays them out: how high they are, and where a column is blank beside the other one.

    python tests/columns.py SITE [PAGE ...]

What has two columns is a row of code with its prose, or a paragraph with what stands in the margin beside it. Each
height of it is brought to where one reads, a third of the screen from its top. A column is blank there if it shows
nothing within `REACH` of that height while the other one does. `still` is what is blank if nothing stays in view.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from browser import FLAGS, find_browser
from cdn import Cdn
from playwright.sync_api import Page, sync_playwright
from servers import serving
from site_fixtures import QuietHandler

WIDTH, HEIGHT = 1440, 900
STEP = 24
"""Pixels from one height that is looked at to the next: a line."""
REACH = 300
"""Pixels that one sees at a glance, above and below."""
GAP = 48
"""Pixels between two paragraphs that are no blank."""
MEASURE = """([step, reach, gap]) => {
    const bar = document.querySelector(".bar").offsetHeight;
    const ignored = "svg, math, .katex-mathml, .permalink, .copy, .zoom";
    const ink = (element) => { // the boxes of lines, formulas and pictures
        const found = [];
        const walk = document.createTreeWalker(element, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
        for (let node = walk.nextNode(); node; node = walk.nextNode()) {
            if (node.nodeType === Node.TEXT_NODE) {
                if (!node.data.trim() || node.parentElement.closest(ignored)) continue;
                const range = document.createRange();
                range.selectNodeContents(node);
                found.push(...range.getClientRects());
            } else if (node.matches("svg, img, math, .katex-html")) found.push(node.getBoundingClientRect());
        }
        return found.filter((box) => box.width > 1 && box.height > 1);
    };
    const split = (boxes, edge) => [true, false].map(
        (isLeft) => boxes.filter((box) => ((box.left + box.right) / 2 < edge) === isLeft));
    const isAt = (boxes, y, distance) => boxes.some((box) => box.top <= y + distance && box.bottom >= y - distance);
    const found = { height: document.documentElement.scrollHeight, prose: 0, code: 0, still: 0 };
    for (const unit of document.querySelectorAll("main .row:not(.essay), .essay .pair, .guide .pair")) {
        const box = unit.getBoundingClientRect(), right = unit.querySelector(".code-box, .side");
        const edge = right?.getBoundingClientRect().left;
        if (!right || edge < box.left + 100) continue;
        const [top, end] = [box.top + scrollY, box.bottom + scrollY];
        for (let y = top; y < end; y += step) {
            const height = Math.min(step, end - y), middle = y + height / 2;
            scrollTo({ top: 0, behavior: "instant" });
            const still = split(ink(unit), edge).map((boxes) => isAt(boxes, middle, gap / 2));
            if (still[0] !== still[1]) found.still += height;
            const place = bar + (innerHeight - bar) / 3;
            scrollTo({ top: middle - place, behavior: "instant" });
            const seen = split(ink(unit).filter((b) => b.bottom > bar && b.top < innerHeight), edge)
                .map((boxes) => isAt(boxes, middle - scrollY, reach));
            if (seen[0] !== seen[1]) found[seen[0] ? "code" : "prose"] += height;
        }
    }
    scrollTo({ top: 0, behavior: "instant" });
    return found;
}"""
NO_GUESS = """() => document.querySelectorAll(".row, .part, .pair").forEach(
    (element) => { element.style.contentVisibility = "visible"; })"""

ALL_IMAGES = """() => Promise.all([...document.images].filter((image) => image.offsetParent).map((image) => {
    image.loading = "eager";
    return image.decode();
}))"""
"""Loads the images that are shown, which have their size from then on."""


@dataclass(frozen=True)
class Columns:
    """A page as it is laid out."""

    height: int
    """In pixels."""
    prose: float
    """Share of the height where the column of prose is blank beside code."""
    code: float
    """Share where the column of code, or the margin that something stands in, is blank beside prose."""
    still: float
    """Share where one of both is blank if nothing stays in view."""


def measure(page: Page) -> Columns:
    """Measure the page that is open."""
    page.evaluate(NO_GUESS)
    page.evaluate(ALL_IMAGES)
    found = page.evaluate(MEASURE, [STEP, REACH, GAP])
    height = found["height"]
    return Columns(height, *(found[name] / height for name in ("prose", "code", "still")))


def _language(html: str) -> str:
    found = re.search('<html lang="([^"]*)"', html)
    return found[1] if found else ""


def main() -> None:
    """Measure pages of a site that has been built, all of its first language if none are named."""
    site, *names = sys.argv[1:]
    folder = Path(site)
    every = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.html")}
    language = _language(every["index.html"])
    pages = names or sorted(
        name for name, text in every.items() if _language(text) == language and name != "404.html"
    )
    with serving(partial(QuietHandler, directory=site)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce")
        Cdn(context)
        page = context.new_page()
        print(f"{'page':<34}{'height':>7}{'prose':>8}{'code':>8}{'still':>8}")
        for name in pages:
            page.goto(address + name)
            found = measure(page)
            shares = "".join(f"{share:8.1%}" for share in (found.prose, found.code, found.still))
            print(f"{name:<34}{found.height:>7}{shares}", flush=True)
        page.wait_for_load_state()
        browser.close()


if __name__ == "__main__":
    main()
