"""Formulas while KaTeX's own files arrive early, late or never: each is shown once, all alike, and nothing moves."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Page
from sampling import thinned
from site_fixtures import Open, before_paint, open_warm, remember, wait

PAGES = ("resnet/index.html", "zh/training/muon.html")
SAMPLER = """() => {
    const samples = window.samples = [];
    let readFrom;
    const size = (element) => {
        const { width, height } = element.getBoundingClientRect();
        return getComputedStyle(element).display !== "none" && width > 2 && height > 2;
    };
    const isRead = () => document.readyState !== "loading"
        && performance.getEntriesByName("first-contentful-paint").length > 0;
    window.look = () => {
        const seen = { html: 0, mathml: 0, both: 0, none: 0 };
        const places = {};
        for (const [index, formula] of [...document.getElementsByClassName("katex")].entries()) {
            if (!formula.checkVisibility({ contentVisibilityAuto: true })) continue; // the other language, or far away
            if (!formula.querySelector(".katex-html")) continue; // half of it has arrived
            const html = size(formula.querySelector(".katex-html"));
            const mathml = size(formula.querySelector(".katex-mathml"));
            seen[html && mathml ? "both" : html ? "html" : mathml ? "mathml" : "none"] += 1;
            const box = formula.getBoundingClientRect();
            if (box.bottom <= 0 || box.top >= innerHeight) continue; // rows above may still be laid out
            places[index] = [box.x, box.y, box.width, box.height].map(Math.round).join();
        }
        if (isRead()) readFrom ??= performance.now();
        return { ...seen, places: isRead() ? places : {} };
    };
    const sample = () => { // once the frame is painted, or what other scripts still do before it would be missed
        if (document.getElementsByClassName("katex").length) setTimeout(() => samples.push(look()));
        requestAnimationFrame(sample);
    };
    requestAnimationFrame(sample);
    new MutationObserver(() => samples.length && samples.push(look())).observe(
        document, { attributes: true, subtree: true, attributeFilter: ["class", "media", "rel", "style"] });
    // While a page arrives, its columns are balanced anew. From then on nothing moves.
    const shifts = [];
    const observer = new PerformanceObserver((list) => shifts.push(...list.getEntries()));
    observer.observe({ type: "layout-shift", buffered: true });
    window.moved = () => shifts.filter((entry) => entry.startTime > readFrom).map((entry) => entry.value);
}"""
"""Looks at every formula after each frame, and whenever something changes."""


def watch(page: Page) -> None:
    page.add_init_script(f"({SAMPLER})()")


def painted(page: Page) -> None:
    """Wait until formulas have been painted, as they were twice before a frame."""
    wait(
        page, "window.samples.length > 2 && performance.getEntriesByName('first-contentful-paint').length > 0"
    )


def check(page: Page, kind: str) -> None:
    """See that formulas were of one kind from the first frame to the last, and stood where they stand now."""
    before = page.evaluate("samples.length")
    wait(page, f"samples.length > {before + 2}")
    samples: list[dict[str, Any]] = page.evaluate("samples")
    other = "mathml" if kind == "html" else "html"
    for sample in samples:
        assert sample["both"] == sample["none"] == sample[other] == 0, (kind, sample)
    assert page.evaluate("document.documentElement.classList.contains('katex-ready')") == (kind == "html")
    for sample in samples:  # of the page as a whole: it is laid out anew while it arrives
        assert sample["places"] in ({}, samples[-1]["places"])
    assert page.evaluate("moved()") == []


def scroll(page: Page, to: str) -> None:
    """Go somewhere else once all heights are known, wait until what is there is drawn, and begin to look anew."""
    known = "e => e.style.contentVisibility === 'visible'"
    wait(page, f"[...document.querySelectorAll('.row, .part, .pair')].every({known})")
    page.evaluate(f"scrollTo(0, {to})")
    before = page.evaluate("samples.length")
    wait(page, f"samples.length > {before + 3}")
    page.evaluate("samples.length = 0")


@pytest.fixture(params=thinned([1440, 390], 2))
def width(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


@pytest.mark.parametrize("path", PAGES)
def test_first_visit_shows_mathml_and_the_second_has_katex(read: Open, path: str, width: int) -> None:
    """Whatever of KaTeX arrives, at once or while somebody reads."""
    reader = read("404.html", width=width)
    page, cdn = reader.page, reader.cdn
    address = page.url.removesuffix("404.html") + path
    watch(page)
    cdn.holding = {"css", "woff2"}
    page.goto(address)
    painted(page)
    wait(page, "document.querySelectorAll('link[media]').length === 1")
    cdn.release("css")
    check(page, "mathml")
    cdn.release("woff2")
    wait(page, "localStorage.getItem('katex') !== null")
    check(page, "mathml")
    scroll(page, "innerHeight * 3")
    check(page, "mathml")
    fonts = page.evaluate("document.getElementById(':first').dataset.fonts.split(' ')")
    assert sorted(cdn.asked) == sorted(["katex.min.css", *(f"fonts/KaTeX_{name}.woff2" for name in fonts)])
    assert not reader.errors

    cdn.asked.clear()
    open_warm(page, address)
    check(page, "html")
    scroll(page, "document.documentElement.scrollHeight")
    check(page, "html")
    assert len(cdn.asked) == len(set(cdn.asked)) == len(fonts) + 1  # and no other font is needed
    assert not reader.errors


@pytest.mark.parametrize("late", ["css", "woff2"])
@pytest.mark.parametrize("path", PAGES)
def test_what_comes_late_waits_for_the_next_page(read: Open, path: str, width: int, late: Any) -> None:
    reader = read("404.html", width=width)
    page, cdn = reader.page, reader.cdn
    remember(page)
    watch(page)
    cdn.holding = {late}
    page.goto(page.url.removesuffix("404.html") + path, wait_until="commit")
    painted(page)
    check(page, "mathml")
    cdn.release(late)
    wait(page, "window.katexIsHere")
    page.wait_for_load_state()
    check(page, "mathml")
    assert not reader.errors


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize("path", PAGES)
def test_blocked_for_good(read: Open, path: str, width: int, seen: bool) -> None:
    reader = read("404.html", width=width, katex="blocked")
    page = reader.page
    if seen:
        remember(page)
    watch(page)
    page.goto(page.url.removesuffix("404.html") + path)
    painted(page)
    wait(page, "document.querySelectorAll('link[media]').length === 1")
    check(page, "mathml")
    assert "katex.min.css" in reader.cdn.asked
    assert not reader.errors


def test_fonts_alone_blocked(read: Open) -> None:
    """A stylesheet without its fonts draws letters that are too wide, and roots that do not meet."""
    reader = read("404.html")
    page, cdn = reader.page, reader.cdn
    remember(page)
    watch(page)
    cdn.holding = {"woff2"}
    with before_paint(page):
        page.goto(page.url.removesuffix("404.html") + PAGES[0], wait_until="commit")
        wait(page, "document.querySelector('link[media]')?.sheet != null")
    painted(page)
    cdn.blocked = True
    cdn.release("woff2")
    check(page, "mathml")


@pytest.mark.parametrize(
    ("path", "katex", "dark"), thinned(product(PAGES, ["cold", "warm", "blocked"], [False, True]), 5)
)
def test_one_kind_in_every_view_and_in_print(read: Open, path: str, katex: str, dark: bool) -> None:
    page = read(path, katex=katex, dark=dark).page
    page.evaluate(SAMPLER)
    page.evaluate(
        "document.querySelectorAll('.row, .part').forEach(e => { e.style.contentVisibility = 'visible'; })"
    )
    kind, other = ("html", "mathml") if katex == "warm" else ("mathml", "html")
    views = page.locator("input[name=view]")
    for view in [None, *range(views.count())]:
        if view is not None:
            views.nth(view).check()
        for media in ("print", "screen"):
            page.emulate_media(media=media)
            found = page.evaluate("look()")
            assert found[kind] > 0 and found["both"] == found["none"] == found[other] == 0, (
                view,
                media,
                found,
            )


@pytest.mark.parametrize("blocked", [False, True])
@pytest.mark.parametrize("path", PAGES)
def test_without_scripts_there_is_mathml_alone(read: Open, path: str, width: int, blocked: bool) -> None:
    reader = read(path, width=width, scripts=False, katex="blocked" if blocked else "cold")
    reader.page.evaluate(SAMPLER)
    found = reader.page.evaluate("look()")
    assert found["mathml"] > 0 and found["both"] == found["none"] == found["html"] == 0
    assert reader.cdn.asked == []


def test_only_what_is_on_a_page_is_asked_for(read: Open) -> None:
    reader = read("guide/index.html")
    reader.page.wait_for_load_state("networkidle")
    assert reader.cdn.asked == []
