"""Figures that answer: parts of drawings, code, formulas and shapes light up together, in a real browser."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from sampling import thinned
from site_fixtures import Open, wait

RESNET = ("resnet/index.html", "zh/resnet/index.html")


def drawing(page: Page) -> Locator:
    """The drawing of the residual block."""
    found = page.locator("[id='ResidualBlock'] figure svg")
    found.scroll_into_view_if_needed()
    return found


def part(page: Page, name: str) -> Locator:
    """The part of that drawing with this name."""
    return drawing(page).locator("g", has_text=name)


def lit(page: Page, selector: str) -> list[str]:
    """The texts of what is lit and matches `selector`."""
    return [text.strip() for text in page.locator(f"{selector}.lit").all_text_contents()]


def assert_bn1_is_lit(page: Page) -> None:
    assert lit(page, "svg g") == ["bn1"]
    assert lit(page, ".code [data-n]") == ["bn1", "bn1"]
    (shape,) = lit(page, ".chips span")  # of the line that uses it
    assert shape.startswith("x: ")


@pytest.mark.parametrize("path", RESNET)
def test_pointing_at_a_part_of_a_drawing_lights_its_code_and_shape(read: Open, path: str) -> None:
    page = read(path).page
    part(page, "bn1").hover()
    assert_bn1_is_lit(page)
    page.mouse.move(0, 0)
    assert not lit(page, "")


@pytest.mark.parametrize("path", RESNET)
def test_pointing_at_code_lights_the_part_of_the_drawing(read: Open, path: str) -> None:
    page = read(path).page
    page.locator("[id='ResidualBlock.residual'] .code [data-n]", has_text="bn1").hover()
    assert_bn1_is_lit(page)


def test_a_formula_and_a_drawing_light_up_together(read: Open) -> None:
    page = read(RESNET[0]).page
    part(page, "conv1").hover()
    assert lit(page, "svg g") == ["conv13×3"]
    assert "W1" in lit(page, ".formula [data-sym='W_1']")
    page.mouse.move(0, 0)
    page.locator("[id='ResidualBlock'] .formula [data-sym='W_2']:visible").first.hover()
    assert lit(page, "svg g") == ["conv23×3"]


def test_pointing_at_a_shape_lights_what_made_it(read: Open) -> None:
    page = read(RESNET[0]).page
    line = page.locator("[id='ResidualBlock.residual'] .l", has_text="self.act1")
    line.locator(".chips span").first.hover()
    assert lit(page, "svg g") == ["conv13×3", "bn1", "act1"]


@pytest.mark.parametrize("path", RESNET)
def test_a_part_of_a_drawing_by_keyboard(read: Open, path: str) -> None:
    page = read(path).page
    part(page, "conv1").focus()
    page.keyboard.press("Tab")
    assert_bn1_is_lit(page)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert_bn1_is_lit(page)  # it is kept
    page.keyboard.press("Escape")
    assert not lit(page, "")


def test_what_a_finger_touches_stays_lit(read: Open) -> None:
    page = read(RESNET[0], width=390).page
    part(page, "bn1").dispatch_event("pointerover", {"pointerType": "touch"})
    part(page, "bn1").dispatch_event("click")
    assert_bn1_is_lit(page)
    assert not page.locator("dialog.large").count()  # as a touch beside the parts would do
    drawing(page).dispatch_event("click")
    assert page.locator("dialog.large").count()


def visible(page: Page, selector: str) -> list[bool]:
    found: list[bool] = page.evaluate(
        "s => [...document.querySelectorAll(s)].map(e => e.getBoundingClientRect())"
        ".map(r => r.bottom > 0 && r.top < innerHeight)",
        selector,
    )
    return found


@pytest.mark.parametrize(("path", "words"), [(RESNET[0], "Off the screen:"), (RESNET[1], "屏幕之外：")])
def test_a_pill_tells_of_uses_off_the_screen_and_jumps_there(read: Open, path: str, words: str) -> None:
    page = read(path).page
    page.set_viewport_size({"width": 1440, "height": 320})
    uses = ".code [data-n].lit"
    drawing(page)
    pill = page.locator(".pill")
    assert pill.is_hidden()
    part(page, "bn1").click()
    pill.wait_for()
    count = visible(page, uses).count(False)
    assert count and pill.text_content() == f"{words} {count} ↓".replace("： ", "：")
    pill.click()
    page.wait_for_timeout(300)
    assert visible(page, uses)[2 - count]  # the next one
    page.keyboard.press("u")
    page.wait_for_timeout(300)
    assert visible(page, uses)[1] or visible(page, "svg .lit")[0]
    assert lit(page, "svg g") == ["bn1"]
    page.keyboard.press("Escape")
    pill.wait_for(state="hidden")


def pictures(page: Page) -> Locator:
    """The pictures of what the residual makes of an image."""
    return page.locator("[id='ResidualBlock.residual'] .looks")


@pytest.mark.parametrize("path", RESNET)
def test_a_chip_opens_what_its_line_makes_of_an_image(read: Open, path: str) -> None:
    page = read(path).page
    link = page.locator("[id='ResidualBlock.residual'] .l", has_text="self.conv2").locator(".look")
    assert not pictures(page).locator("img").first.is_visible()
    link.focus()
    page.keyboard.press("Enter")
    step = page.locator("[id='ResidualBlock.residual:picture-5']")
    expect(step.locator("img")).to_be_visible()
    assert page.evaluate("document.querySelector(':target').id") == "ResidualBlock.residual:picture-5"
    wait(page, "document.querySelector(':target img').naturalWidth > 100")
    assert "self.conv2(x)" in str(step.text_content())
    step.locator("img").hover()
    assert lit(page, "svg g") == ["conv23×3"]
    assert "conv2" in lit(page, ".code [data-n]")


@pytest.mark.parametrize("path", RESNET)
def test_one_switch_hides_the_pictures_and_print_has_none(read: Open, path: str) -> None:
    page = read(path).page

    def shown() -> set[str]:
        found: list[str] = page.evaluate(
            "[...document.querySelectorAll('.looks, .look')].map(e => getComputedStyle(e).display)"
        )
        return set(found)

    assert "none" not in shown()
    page.locator("#pictures").uncheck()
    assert shown() == {"none"}
    page.reload()
    assert shown() == {"none"}  # it is remembered
    page.locator("#pictures").check()
    assert "none" not in shown()
    page.emulate_media(media="print")
    assert not pictures(page).is_visible()


def test_pictures_without_scripts(read: Open) -> None:
    page = read(RESNET[0], scripts=False).page
    pictures(page).locator("summary").press("Enter")
    expect(pictures(page).locator("img").first).to_be_visible()
    assert pictures(page).locator("li").count() == 6
    page.locator("#pictures").uncheck()
    assert not pictures(page).is_visible()


def test_pictures_are_loaded_when_they_are_opened(read: Open) -> None:
    reader = read(RESNET[0])
    reader.page.wait_for_timeout(500)
    assert not [url for url in reader.requests if ".pictures/" in url]
    pictures(reader.page).locator("summary").click()
    reader.page.wait_for_timeout(500)
    assert len([url for url in reader.requests if ".pictures/" in url]) == 6


@pytest.mark.parametrize("width", thinned([390, 1440], 2))
def test_open_pictures_are_accessible(read: Open, width: int) -> None:
    page = read(RESNET[1], width=width).page
    page.evaluate("document.querySelectorAll('.looks').forEach((e) => { e.open = true; })")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    result = Axe().run(page, options={"preload": False, "resultTypes": ["violations"]})
    assert not result.violations_count, result.generate_report()


CHARTS = ("resnet/signals.html", "zh/resnet/signals.html")
AT_100 = ("blocks 100", "plain 1.6×10¹³", "scaled 5.484×10¹⁰", "post-activation 109.0", "pre-activation 67.0")


def chart(page: Page) -> Locator:
    """The chart of gradients."""
    found = page.locator("figure.chart").nth(1)
    found.scroll_into_view_if_needed()
    return found


def values(page: Page) -> list[str]:
    """What the chart says of the place where its slider stands."""
    found: list[str] = chart(page).locator(".at").evaluate("e => [...e.childNodes].map(n => n.textContent)")
    return found


@pytest.mark.parametrize("path", CHARTS)
def test_a_pointer_and_the_arrow_keys_walk_through_a_chart(read: Open, path: str) -> None:
    page = read(path).page
    slider = chart(page).locator(".walk")
    assert values(page)[0].endswith(" 200")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    told = values(page)
    assert [text.rpartition(" ")[2] for text in told] == [text.rpartition(" ")[2] for text in AT_100]
    assert slider.get_attribute("aria-valuetext") == ", ".join(told)
    assert chart(page).locator("circle").count() == 4
    box = chart(page).locator("svg").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.13, box["y"] + 100)
    assert values(page)[0].endswith(" 1")
    chart(page).locator("svg").dispatch_event(
        "pointerdown", {"clientX": box["x"] + box["width"], "clientY": box["y"] + 9, "pointerType": "touch"}
    )
    assert values(page)[0].endswith(" 200")


@pytest.mark.parametrize("path", CHARTS)
def test_a_table_stands_behind_a_chart(read: Open, path: str) -> None:
    page = read(path, scripts=False).page
    assert not chart(page).locator(".walk").is_visible()
    chart(page).locator(".values summary").press("Enter")
    row = chart(page).locator(".values tbody tr").nth(5)
    assert row.locator("th, td").all_text_contents() == [text.rpartition(" ")[2] for text in AT_100]


def test_a_name_has_one_colour_in_all_charts_of_a_page(read: Open) -> None:
    page = read(CHARTS[0]).page
    found: list[list[str]] = page.evaluate(
        "[...document.querySelectorAll('.chart .name')].map(e => [e.textContent, getComputedStyle(e).fill])"
    )
    colours: dict[str, set[str]] = {}
    for name, colour in found:
        colours.setdefault(name, set()).add(colour)
    networks = {"plain", "scaled", "post-activation", "pre-activation"}
    assert colours.keys() == networks | {f"{n} blocks" for n in (20, 60, 200)}
    assert {len(each) for each in colours.values()} == {1}
    assert len(set.union(*(colours[name] for name in networks))) == 4


@pytest.mark.parametrize("width", thinned([390, 1440], 2))
def test_charts_with_their_tables_open_are_accessible(read: Open, width: int) -> None:
    page = read(CHARTS[0], width=width).page
    page.evaluate("document.querySelectorAll('.values').forEach((e) => { e.open = true; })")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    result = Axe().run(page, options={"preload": False, "resultTypes": ["violations"]})
    assert not result.violations_count, result.generate_report()
