"""How pages are laid out: prose and code beside each other, what stands in the margin, small screens, paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from columns import NO_GUESS, measure
from conftest import COMPLETE
from playwright.sync_api import Page, expect
from sampling import thinned
from site_fixtures import Open, resnet_line

from pylit.api import open_configuration, open_site

SITE = open_site(open_configuration(Path(__file__).parents[2] / "pyproject.toml"), is_kept=False)
ALL = [SITE.navigation.address(page, lang) for lang in ("en", *COMPLETE) for page in SITE.pages]
LARGEST = {
    "resnet/index.html": 12_100,
    "runs/run.html": 8_300,
    "training/loop.html": 8_100,
    "data/cifar10.html": 5_500,
    "guide/speed.html": 4_000,
}
"""Pages and the most pixels that each may be high; before prose and code stayed side by side, it was a third more."""


@pytest.mark.parametrize("path", LARGEST)
def test_pages_are_short(read: Open, path: str) -> None:
    assert measure(read(path).page).height < LARGEST[path]


@pytest.mark.parametrize("path", thinned(ALL, 24))
def test_little_is_blank(read: Open, path: str) -> None:
    found = measure(read(path).page)
    assert found.prose < 0.05
    assert found.code < 0.05


def test_what_belongs_to_the_first_words_stands_beside_them(read: Open) -> None:
    """And not beside the title."""
    for path in ("resnet/finetune.html", "zh/resnet/predict.html"):
        page = read(path).page
        words, command = (page.locator(place).first.bounding_box() for place in ("main .text p", ".side pre"))
        assert words and command and words["x"] + words["width"] < command["x"]
        assert abs(words["y"] - command["y"]) < 30


def test_long_prose_with_little_beside_it_stands_in_the_middle(read: Open) -> None:
    for path in ("normalization/index.html", "zh/resnet/index.html", "guide/reading.html"):
        page = read(path).page
        assert page.locator(".article .side").count() == 0
        whole = page.locator("main").bounding_box()
        boxes = page.locator(".article :is(h1, .strip, .part > p)").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect()).map(b => [b.left, b.right])"
        )
        assert whole and len(boxes) > 10
        middle = whole["x"] + whole["width"] / 2
        assert all(abs((left + right) / 2 - middle) < 12 for left, right in boxes)


@pytest.mark.parametrize("path", ["resnet/pitfalls.html", "data/index.html"])
def test_prose_with_code_beside_it_keeps_its_column(read: Open, path: str) -> None:
    page = read(path).page
    page.evaluate(NO_GUESS)
    places = page.locator(".row:not(.essay) .prose :is(p, li):not(:is(.side, .code-box) *)").evaluate_all(
        """all => all.filter((e) => e.offsetParent).map((e) => {
            const [box, row] = [e, e.closest(".row")].map((one) => one.getBoundingClientRect());
            return [Math.round(box.left - row.left), box.right - row.left, row.width];
        })"""
    )
    assert len(places) > 40
    assert min(left for left, *_ in places) == 20
    assert all(right < 0.46 * width for _, right, width in places)


def test_a_picture_stays_while_its_listing_passes(read: Open) -> None:
    page = read("guide/gallery.html").page
    pair = page.locator(".pair").first
    pair.evaluate("e => scrollTo(0, e.getBoundingClientRect().bottom + scrollY - innerHeight / 2)")
    expect(pair.locator("img:visible")).to_be_in_viewport(ratio=0.9)


def test_code_stands_in_one_column_from_the_first_line_to_the_last(read: Open) -> None:
    page = read("resnet/index.html").page
    page.evaluate(NO_GUESS)
    edges = page.locator(".row:not(.essay) .code").evaluate_all(
        "all => [...new Set(all.map(e => Math.round(e.getBoundingClientRect().left)).filter(left => left > 0))]"
    )
    assert len(edges) == 1
    rows = page.locator(".row:not(.essay)").evaluate_all("""rows => rows.map((row) => {
        const top = (name) => row.querySelector(name).getBoundingClientRect().top;
        return [row.id, Math.abs(top(".prose") - top(".code-box"))];
    })""")
    assert len(rows) > 30
    assert [name for name, distance in rows if distance > 12] == []


@pytest.mark.parametrize("name", ["ResNetBase", "cifar_resnet", "_conv"])
def test_an_example_stands_below_the_code_and_beside_the_prose(read: Open, name: str) -> None:
    page = read("resnet/index.html").page
    page.evaluate(NO_GUESS)
    row = page.locator(f"[id='{name}']")
    code, example = row.locator(".code-box").bounding_box(), row.locator(".example").first.bounding_box()
    text = row.locator(".text").first.bounding_box()
    assert code and example and text
    assert example["y"] >= code["y"] + code["height"]
    assert example["x"] > text["x"] + text["width"] - 1


def test_essays_have_one_measure(read: Open) -> None:
    for path in ("resnet/index.html", "guide/writing.html"):
        page = read(path).page
        widths = page.locator(":is(.essay, .guide) .prose p:not(.label)").evaluate_all(
            "all => all.filter(e => !e.closest('.side, .full')).map(e => e.getBoundingClientRect().width)"
        )
        assert widths
        assert max(widths) <= 38 * 16 + 1
        assert page.evaluate("[...document.styleSheets[0].cssRules].some(r => r.style?.columnCount)") is False


def test_the_shorter_side_stays_while_the_longer_one_passes(read: Open) -> None:
    page = read("runs/run.html").page
    row = page.locator(".row").filter(has=page.locator("[id='L300']"))
    row.evaluate("row => scrollTo(0, row.getBoundingClientRect().bottom + scrollY - innerHeight / 2)")
    expect(row.locator(".prose > *").first).to_be_in_viewport()


def opened(page: Page, line: int) -> bool:
    return bool(page.evaluate("id => document.getElementById(id).closest('details').open", f"L{line}"))


@pytest.mark.parametrize("scripts", [True, False])
def test_folded_imports_open_for_links_and_by_hand(read: Open, scripts: bool) -> None:
    line = resnet_line("from collections.abc import Sequence")
    page = read("resnet/index.html", scripts=scripts).page
    fold = page.locator("details.quiet").filter(has_text="imports")
    expect(fold.locator("summary")).to_have_text("imports · 3 lines")
    expect(page.locator(f"#L{line}")).to_be_hidden()
    fold.locator("summary").press("Enter")  # a click could meet a page that is still being laid out
    expect(page.locator(f"#L{line}")).to_be_visible()
    for address in (f"#L{line}", f"#L{line}-L{line + 1}") if scripts else (f"#L{line}",):
        page = read(f"resnet/index.html{address}", scripts=scripts).page
        expect(page.locator(f"#L{line}")).to_be_visible()
        expect(page.locator(f"#L{line}")).to_be_in_viewport()


def test_on_paper_nothing_is_cut_and_links_have_addresses(read: Open) -> None:
    """Imports are one line, unless the reader has opened them."""
    page = read("resnet/index.html", width=700).page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    imports = page.locator(f"#L{resnet_line('from collections.abc import Sequence')}")
    expect(imports).to_be_hidden()
    page.locator("details.quiet > summary").first.evaluate("e => e.click()")
    expect(imports).to_be_visible()
    link = page.locator(".prose a[href^='https://arxiv.org']").first
    after = link.evaluate("e => getComputedStyle(e, '::after').content")
    assert link.get_attribute("href") in after.replace("attr(href)", link.get_attribute("href") or "")
    page = read("guide/speed.html", width=700).page
    page.emulate_media(media="print")
    for table in page.locator(".table").all():
        assert table.evaluate("e => e.scrollWidth <= e.clientWidth + 1")


def test_a_chip_shows_one_shape_and_all_when_asked(read: Open) -> None:
    page = read("resnet/index.html").page
    chip = page.locator("[id='ResidualBlock.residual'] .chips [tabindex]").first
    more = chip.locator("span")
    page.evaluate(NO_GUESS)
    expect(more).to_be_hidden()
    assert chip.inner_text() == "x: 2×16×8×8"
    chip.focus()
    expect(more).to_be_visible()
    assert "x: 4×32×16×16 float32" in more.inner_text()
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(
            "document.getElementById('shapes').checked || document.getElementById('shapes').click()"
        )
        cut = page.locator(".chips > span").evaluate_all(
            """all => all.filter((chip) => {
                const pre = chip.closest("pre").getBoundingClientRect(), box = chip.getBoundingClientRect();
                return box.width && (box.right > pre.right + 1 || box.left < pre.left);
            }).length"""
        )
        assert cut == 0, width


@pytest.mark.parametrize("scripts", [True, False])
def test_a_phone_has_contents_and_display_one_tap_away(read: Open, scripts: bool) -> None:
    page = read("zh/resnet/index.html", width=390, scripts=scripts).page
    contents = page.locator("nav.toc")
    expect(contents).to_be_hidden()
    page.get_by_role("button", name="目录").click()
    expect(contents).to_be_visible()
    if scripts:
        contents.get_by_role("link", name="残差块", exact=True).click()
        expect(contents).to_be_hidden()
        assert page.url.endswith("#ResidualBlock")
    else:
        page.keyboard.press("Escape")
    page.get_by_role("button", name="显示").click()
    for name in ("形状", "编辑"):
        expect(page.get_by_role("checkbox", name=name)).to_be_visible()
    if scripts:
        page.locator("#view-o").check()
        expect(page.locator("main .o").first).to_be_visible()
    else:
        expect(page.locator(".view")).to_be_hidden()
    page.get_by_role("navigation", name="语言").locator("summary").click()
    page.get_by_role("link", name="English").click()
    assert page.url.endswith("/resnet/index.html") or "/resnet/index.html#" in page.url
    expect(page.locator(".crumbs")).to_contain_text("Residual Networks (ResNet)")
    for name in ("Run it: notebook", "Source"):
        expect(page.get_by_role("link", name=name)).to_be_visible()


def test_contents_are_in_the_language_of_the_view(read: Open) -> None:
    page = read("zh/resnet/index.html").page
    entry = page.locator("nav.toc a[href='#residual-learning']")
    assert entry.inner_text() == "残差学习"
    page.locator("#view-b").check()
    assert entry.inner_text() == "残差学习"
    page.locator("#view-o").check()
    assert entry.inner_text() == "Residual learning"


@pytest.mark.parametrize("width", [390, 1440])
def test_the_copy_button_covers_no_code(read: Open, width: int) -> None:
    page = read("resnet/index.html", width=width).page
    page.locator("[id='ResidualBlock']").scroll_into_view_if_needed()
    button = page.locator("[id='ResidualBlock'] .copy").first
    expect(button).to_be_attached()
    left = button.evaluate("e => e.getBoundingClientRect().left")
    assert left >= page.locator("[id='ResidualBlock'] pre").first.evaluate(
        "e => e.getBoundingClientRect().right"
    )


@pytest.mark.parametrize("width", [320, 720, 1024, 1280, 2560])
@pytest.mark.parametrize("path", thinned(["resnet/index.html", "zh/guide/speed.html"], 2))
def test_nothing_is_wider_than_the_screen(read: Open, path: str, width: int) -> None:
    """At 720 pixels it is also what one sees of 1,440 at 200 %."""
    page = read(path, width=width).page
    page.evaluate(NO_GUESS)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    bar = page.locator(".bar").bounding_box()
    assert bar and (width <= 720 or bar["height"] <= 56)


def test_heights_are_known_when_the_browser_has_had_time(read: Open) -> None:
    """A page that became shorter while one reads would move the mark of how far one has come."""
    page = read("resnet/index.html", width=390).page
    page.wait_for_timeout(3000)
    height = "document.documentElement.scrollHeight"
    before = page.evaluate(height)
    for place in range(0, before, 3000):
        page.evaluate(f"scrollTo(0, {place})")
        page.wait_for_timeout(30)
    assert abs(page.evaluate(height) - before) < 0.01 * before
