"""The controls of a page in a real browser: search, keys, marked lines, and what a phone makes of them."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sampling import thinned
from servers import serving
from site_fixtures import Open, QuietHandler, choose_language, resnet_line

RESNET = "resnet/index.html"


def wait(page: Page, condition: str) -> None:
    """Wait until `condition` is true. Playwright's own way of doing it meets the page's security policy."""
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def ask(page: Page, words: str) -> None:
    field = page.get_by_role("searchbox")
    if not field.is_visible():
        page.keyboard.press("/")
    field.fill(words)


@pytest.mark.parametrize(
    ("start", "words", "title", "target", "shown"),
    thinned(
        [
            (
                "guide/index.html",
                "degradation problem",
                "The degradation problem, measured",
                "#",
                "degradation",
            ),
            ("guide/index.html", "ResidualBlock", "Residual Networks", "#L", "class ResidualBlock"),
            ("guide/index.html", "take_step", "A training loop", "#L", "def take_step"),
            ("index.html", "in_channels", "Residual Networks", "#", "in_channels"),
            ("index.html", "shortcuts", "The degradation problem, measured", "#", "shortcut"),
            (
                "zh/guide/index.html",
                "恒等映射",
                "残差网络",
                "#what-the-identity-does",
                "恒等映射对梯度的作用",
            ),
            ("zh/index.html", "残差", "残差网络", "#", "残差"),
            ("zh/index.html", "批量归一化", "从零实现批量归一化", "#", "批量归一化"),
            ("zh/index.html", "ResidualBlock", "残差网络", "#L", "class ResidualBlock"),
        ],
        3,
    ),
)
def test_search_finds(read: Open, start: str, words: str, title: str, target: str, shown: str) -> None:
    reader = read(start)
    page = reader.page
    assert not any("pagefind" in url for url in reader.requests)  # nothing is loaded before it is used
    ask(page, words)
    hit = page.locator(".hits > li").first
    expect(hit.locator("> a")).to_contain_text(title)
    line = hit.locator("ul a").first
    expect(line).to_contain_text(shown)
    assert line.locator("mark").count() > 0
    assert target in (line.get_attribute("href") or "")
    assert not reader.errors


@pytest.mark.parametrize("lang", thinned(["zh/", "", "ja/"], 3))
def test_search_finds_every_page_that_uses_a_name(read: Open, site: Path, lang: str) -> None:
    """By its last part, by a part of that, and as it is written."""
    using = [
        path.relative_to(site).as_posix()
        for path in (site / lang).rglob("*.html")
        if re.search(
            r"BatchNorm.?.?.?2d", re.sub(r'title="[^"]*"', "", path.read_text("utf-8").partition("<main")[2])
        )
        and (lang or path.relative_to(site).parts[0] not in ("zh", "ja"))
    ]
    assert len(using) >= 5
    page = read(f"{lang}guide/speed.html").page
    for words in ("nn.BatchNorm2d", "BatchNorm2d", "BatchNorm"):
        ask(page, "")
        expect(page.locator(".hits > li")).to_have_count(0)
        ask(page, words)
        for name in using:
            expect(page.locator(f".hits > li > a[href$='/{name}']")).to_be_visible()


def test_excerpts_have_formulas_and_say_their_class_or_heading(read: Open) -> None:
    page = read("index.html").page
    ask(page, "add the input")
    expect(page.locator(".hits ul a").first).to_be_visible()
    ask(page, "copying layer of the thought experiment")
    place = page.locator(".hits ul a", has_text="copying layer").first
    expect(place.locator("small")).to_have_text("ResidualBlock")
    expect(place).to_contain_text("ℱ(x)=0")
    ask(page, "adding x gives the mapping back")
    place = page.locator(".hits ul a", has_text="mapping back").first
    expect(place.locator("small")).to_have_text("Residual learning")
    assert place.inner_text().count("Residual learning") == 1


def test_words_that_only_begin_alike_are_not_found(read: Open) -> None:
    page = read("index.html").page
    ask(page, "zzzz")
    expect(page.get_by_role("status")).to_have_text("Nothing was found for “zzzz”.")
    expect(page.locator(".hits li")).to_have_count(0)


def test_chinese_words_inside_sentences_are_found(browser: Browser, tmp_path: Path) -> None:
    """On a site whose source is Chinese, where a word may have been cut in another way."""
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/__init__.py").write_text(
        '"""\n# 首页\n\n这里讲解批量归一化如何让网络更容易训练。\n"""\n', "utf-8"
    )
    (tmp_path / "pylit.toml").write_text('sources = ["pkg"]\nlanguages = ["zh"]\nsearch = true\n', "utf-8")
    command = [sys.executable, "-m", "pylit", "build", "--strict", "--out", "out"]
    subprocess.run(command, cwd=tmp_path, check=True)
    page = browser.new_page()
    with serving(partial(QuietHandler, directory=str(tmp_path / "out"))) as address:
        page.goto(address + "index.html")
        for words in ("归一化", "批量归一", "量归", "训练"):
            ask(page, "")
            expect(page.locator(".hits li")).to_have_count(0)
            ask(page, words)
            expect(page.locator(".hits ul mark").first).to_be_visible()
            assert "".join(page.locator(".hits ul mark").all_inner_texts()) == words
        ask(page, "归化")
        expect(page.locator(".hits li")).to_have_count(0)
    page.close()


def test_map_and_menus(read: Open) -> None:
    """Behind the site's name are all pages; one key or a click elsewhere closes what is open."""
    page = read("resnet/pitfalls.html").page
    tree = page.get_by_role("navigation", name="All pages")
    expect(tree).to_be_hidden()
    page.locator(".tree > summary").click()
    expect(tree).to_be_visible()
    assert tree.get_by_role("link").count() >= 48
    expect(tree.locator("[aria-current]")).to_have_text("Bugs in residual blocks")
    page.keyboard.press("Escape")
    expect(tree).to_be_hidden()
    page.locator(".menu > summary").click()
    expect(page.get_by_role("link", name="中文")).to_be_visible()
    page.locator("h1").click()
    expect(page.get_by_role("link", name="中文")).to_be_hidden()
    choose_language(page, "中文")
    page.wait_for_url("**/zh/resnet/pitfalls.html")


def test_specimen_lights_up(read: Open) -> None:
    page = read("index.html").page
    page.locator(".specimen math [data-sym$='{F}']").first.hover()
    lit = page.locator(".specimen .listing .lit")
    assert lit.all_inner_texts() == ["act1", "bn1", "conv1", "bn2", "conv2", "residual"]


def test_front_page_leads_everywhere(read: Open, site: Path) -> None:
    page = read("index.html", scripts=False).page
    links = {str(a.get_attribute("href")) for a in page.locator("main a").all()}
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    others = {name for name in pages if not name.startswith(("zh/", "ja/"))} - {"404.html", "index.html"}
    assert others <= links


def test_search_by_keyboard_alone(read: Open) -> None:
    page = read("index.html").page
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("ShortcutProjection")
    first = page.locator(".hits a").first
    expect(first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/resnet/index\.html#"))
    expect(page.locator(":target")).to_have_id(f"L{resnet_line('class ShortcutProjection')}")
    page.go_back()
    assert page.url.endswith("/index.html")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox")).to_be_hidden()


def test_search_says_when_there_is_nothing(read: Open) -> None:
    page = read(RESNET).page
    page.get_by_role("button", name="Search").click()
    ask(page, "жук")  # of a word that begins like another, Pagefind finds the other
    expect(page.get_by_role("status")).to_have_text("Nothing was found for “жук”.")
    ask(page, "")
    expect(page.get_by_role("status")).to_have_text("")


def test_search_says_when_its_index_does_not_come(read: Open) -> None:
    page = read(RESNET).page
    page.route("**/pagefind/**", lambda route: route.abort())
    ask(page, "residual")
    expect(page.get_by_role("status")).to_contain_text("needs the site to be served")


def test_keys(read: Open) -> None:
    page = read("zh/resnet/index.html").page
    for checked in ("view-b", "view-o", "view-t"):
        page.keyboard.press("v")
        expect(page.locator(f"#{checked}")).to_be_checked()
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.keyboard.press("s")
    expect(page.locator("html")).to_have_attribute("data-shapes", "off")
    page.keyboard.press("e")
    expect(page.locator("main .edit").first).to_be_visible()
    page.keyboard.press("n")
    page.wait_for_url("**/zh/resnet/degradation.html")
    page.keyboard.press("p")
    page.wait_for_url("**/zh/resnet/index.html")
    page.keyboard.press("l")
    page.wait_for_url("**/ja/resnet/index.html")


def test_sheet_of_keys_and_switching_them_off(read: Open) -> None:
    page = read(RESNET).page
    sheet = page.get_by_role("dialog", name="Keys")
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    sheet.get_by_label("Use keys").uncheck()
    sheet.get_by_role("button", name="Close").click()
    page.reload()
    page.keyboard.press("t")
    expect(page.locator("html")).not_to_have_attribute("data-theme", "light")
    page.keyboard.press("?")
    expect(sheet.get_by_label("Use keys")).not_to_be_checked()


def wait_marked(page: Page, *lines: str) -> None:
    """Wait until exactly these lines are marked. A page hears of a new fragment a moment after it has changed."""
    marked = "[...document.querySelectorAll('.marked')].map(e => e.id).join()"
    wait(page, f"{marked} === {','.join(lines)!r}")


def click_number(page: Page, line: int, **how: Any) -> None:
    """Click the number of a line, which is a link once the pointer is on the line."""
    page.locator(f"#L{line}").hover(position={"x": 5, "y": 5})
    page.locator(f"#L{line} > .no").click(**how)


def test_links_to_several_lines(read: Open) -> None:
    """Lines of prose in between have no number, and no mark."""
    first = resnet_line("class ShortcutPadding")
    above, code = first - 3, first - 12  # `return x` of the class before it, and its signature
    page = read(f"{RESNET}#L{code}-L{above}").page
    wait_marked(page, *(f"L{line}" for line in (code, code + 1, code + 2, above - 1, above)))
    top = page.locator(f"#L{code}").bounding_box()
    assert top and 0 <= top["y"] < 400
    click_number(page, first)
    wait_marked(page)
    page.wait_for_url(f"**#L{first}")
    click_number(page, above, modifiers=["Shift"])
    page.wait_for_url(f"**#L{above}-L{first}")
    wait_marked(page, *(f"L{line}" for line in range(above, first + 1)))
    page.go_back()
    wait_marked(page)
    page.wait_for_url(f"**#L{first}")


@pytest.mark.parametrize("path", [RESNET, "zh/resnet/index.html"])
def test_phone_controls_are_at_hand_and_large_enough(read: Open, path: str) -> None:
    page = read(path, width=390).page
    page.evaluate("document.getElementById('ResidualBlock').scrollIntoView()")
    expect(page.locator("button.find")).to_be_in_viewport()
    for control in page.locator(".controls :is(a, button, label)").all():
        if not control.is_visible():
            continue
        box = control.bounding_box()
        assert box and box["height"] >= 24 and box["width"] >= 24, control.inner_text()
        assert box["y"] > 700  # in the lower part of the screen


def test_controls_that_need_scripts_are_not_there_without(read: Open) -> None:
    page = read("zh/resnet/index.html", scripts=False).page
    for name in ("find", "theme", "help"):
        expect(page.locator(f"button.{name}")).to_be_hidden()
    page.locator("#shapes").uncheck()
    expect(page.locator(".chips").first).to_be_hidden()


def test_reading_progress(read: Open) -> None:
    page = read(RESNET).page
    width = "new DOMMatrix(getComputedStyle(document.querySelector('.bar'), '::after').transform).a"
    assert page.evaluate(width) == 0
    page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    wait(page, f"{width} > 0.99")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("anchor", thinned(["ResidualBlock.forward", "ResNetClassifier"], 2))
def test_reloading_and_going_back_keep_the_place(read: Open, width: int, anchor: str) -> None:
    page = read(RESNET, width=width).page
    top = f"document.getElementById('{anchor}').getBoundingClientRect().top"
    page.evaluate(f"document.getElementById('{anchor}').scrollIntoView({{behavior: 'instant'}})")
    page.wait_for_timeout(300)
    before = page.evaluate(top)
    assert 0 <= before < 200
    page.reload()
    wait(page, f"Math.abs({top} - {before}) < 60")
    page.goto(page.url.replace("resnet/index.html", "index.html"))
    page.go_back()
    wait(page, f"Math.abs({top} - {before}) < 60")


@pytest.mark.parametrize("width", thinned([1440, 390], 2))
def test_nothing_moves_when_the_rest_is_laid_out(read: Open, width: int) -> None:
    """Heights are guesses until a row comes near; the row that one looks at stays where it is."""
    page = read(f"{RESNET}#ResNetClassifier", width=width).page
    top = "document.getElementById('ResNetClassifier').getBoundingClientRect().top"
    page.wait_for_timeout(500)
    assert 0 <= page.evaluate(top) < 200
    page.mouse.move(300, 400)
    for _ in range(8):
        before = page.evaluate(top)
        while (
            page.evaluate(top) - before < 300
        ):  # a busy page may lose a turn of the wheel, or do two at once
            page.mouse.wheel(0, -600)
            page.wait_for_timeout(1000)
        wait(page, f"Math.abs(({top} - {before} + 300) % 600 - 300) < 5")


def test_the_site_opens_in_the_language_chosen_last(read: Open) -> None:
    page = read("index.html").page
    home = page.url
    choose_language(page, "中文")
    page.wait_for_url("**/zh/index.html")
    page.goto("about:blank")
    page.goto(home)
    page.wait_for_url("**/zh/index.html")
    choose_language(page, "English")  # who asks for another page gets it
    page.wait_for_url(home)
    page.goto("about:blank")
    page.goto(home.replace("index.html", "zh/resnet/index.html"))
    assert page.locator("html").get_attribute("lang") == "zh"
