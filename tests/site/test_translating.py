"""Passages are translated on the page where they are read, in a browser, and what is written is never lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import polib
import pytest
from cdn import Cdn
from conftest import Write
from playwright.sync_api import Browser, BrowserContext, Page, expect
from previews import Preview, previewing
from site_fixtures import wait

pytestmark = [pytest.mark.process, pytest.mark.slow]
CONFIG = """\
site_name: Test
theme: {name: pylit}
plugins:
  - pylit: {sources: [pkg], languages: [en, zh, ar], search: false}
"""
SOURCE = '''"""
# Home

A residual adds $x$ to what `f` returns.

Nobody has translated this passage yet.

1. A step of a list.
   * A step of the step.
"""


def f(x: int) -> int:
    """Return `x` as it is, for $x \\\\ge 0$."""
    return x
'''
ZH = """\
msgid "Home"
msgstr "首页"

#, fuzzy
#| msgid "A residual adds $x$ to what `f` gives."
msgid "A residual adds $x$ to what `f` returns."
msgstr "残差把 $x$ 加到 `f` 的结果上。"
"""
RESIDUAL, NOBODY = "A residual adds $x$ to what `f` returns.", "Nobody has translated this passage yet."
GLOSSARY = "- {term: residual, use: [残差], never: [剩余], why: As in the paper.}\n"


@pytest.fixture
def preview(write: Write, tmp_path: Path) -> Iterator[Preview]:
    write("mkdocs.yml", CONFIG)
    write("docs/guide.md", "# Guide\n")
    write("pkg/__init__.py", SOURCE)
    write("translations/zh/pkg/__init__.po", ZH)
    write("translations/zh/glossary.yml", GLOSSARY)
    with previewing(tmp_path, "pylit") as preview:
        preview.get("zh/index.html", "首页")
        yield preview


@pytest.fixture
def context(browser: Browser, preview: Preview) -> Iterator[BrowserContext]:
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1440, "height": 900})
    Cdn(context)
    yield context
    context.close()


@pytest.fixture
def opened(context: BrowserContext, preview: Preview) -> Iterator[Callable[[str], Page]]:
    """Open a page of the preview, on which the security policy stops nothing, and nothing goes wrong."""
    wrong: list[str] = []

    def open_page(path: str) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None,
        )
        page.goto(f"http://127.0.0.1:{preview.port}/{path}")
        return page

    yield open_page
    assert not wrong


def edit(page: Page, words: str) -> None:
    """Open the passage with some words by its pencil."""
    passage = page.locator("main :is(p, li, h1)", has_text=re.compile(words)).first
    passage.hover()
    passage.locator("a.edit").first.click()
    expect(page.locator(".pylit-edit textarea")).to_be_focused()


def entries(folder: Path, lang: str = "zh") -> dict[str, str]:
    return {
        one.msgid: one.msgstr for one in polib.pofile(str(folder / f"translations/{lang}/pkg/__init__.po"))
    }


def test_passage_is_translated_in_place(opened: Callable[[str], Page], tmp_path: Path) -> None:
    page = opened("zh/index.html")
    loaded: list[Page] = []
    page.on("load", lambda page: loaded.append(page))
    edit(page, "残差把")
    panel = page.locator(".pylit-edit")
    expect(panel.locator(".changes")).to_have_text("A residual adds $x$ to what `f` givesreturns.")
    expect(panel.locator("del")).to_have_text("gives")
    expect(panel.locator(".terms")).to_contain_text("residual → 残差 不要用 剩余")
    field = panel.locator("textarea")
    expect(field).to_have_value("残差把 $x$ 加到 `f` 的结果上。")
    # It is tried as it is typed.
    field.fill("剩余把 $y$ 加到 `f` 的返回值上。")
    expect(panel.locator(".fault").nth(1)).to_have_text("lacks the formula `x`")
    expect(panel.locator(".hint")).to_contain_text("Use 残差. As in the paper.")
    field.fill("残差把 $x$ 加到 `f` 的返回值上。")
    expect(panel.locator(".shown .katex")).to_be_visible()
    expect(panel.locator(".fine")).to_be_visible()
    # Saved, it is on the page, which is not loaded again, and the next passage is open.
    page.keyboard.press("Control+Enter")
    expect(panel.locator(".source")).to_have_text(NOBODY)
    assert entries(tmp_path)[RESIDUAL] == "残差把 $x$ 加到 `f` 的返回值上。"
    expect(page.locator("main p .t", has_text="返回值上")).to_be_visible()
    panel.locator("textarea").fill("这段还没有人翻译。")
    page.keyboard.press("Control+s")
    expect(panel.locator(".news")).to_have_text("已保存。")
    assert entries(tmp_path)[NOBODY] == "这段还没有人翻译。" and not loaded
    page.keyboard.press("Escape")
    expect(page.locator("main p .t", has_text="还没有人")).to_be_visible()
    expect(panel).to_have_count(0)


def test_saved_passage_of_a_list_is_on_the_page_while_its_panel_is_open(
    opened: Callable[[str], Page],
) -> None:
    """The panel is in the item, and so is a list in it; neither is replaced."""
    page = opened("zh/index.html")
    loaded: list[Page] = []
    page.on("load", lambda page: loaded.append(page))
    edit(page, "A step of a list")
    field = page.locator("li > .pylit-edit textarea")
    for text in ("列表中的一步。", "列表里的一步。"):
        field.fill(text)
        page.keyboard.press("Control+s")
        expect(page.locator("main li > .t")).to_have_text(re.compile(text))
        expect(field).to_have_value(text)
    expect(page.locator("li > .pylit-edited + .pylit-edit")).to_have_count(1)
    expect(page.locator("main li > .o")).to_have_count(0)  # originals come when they are asked for
    page.keyboard.press("Alt+ArrowDown")  # the item in it
    nested = page.locator("li li > .pylit-edit textarea")
    nested.fill("其中的一步。")
    page.keyboard.press("Control+s")
    expect(page.locator("main li li > .t")).to_have_text(re.compile("其中的一步。"))
    expect(page.locator("main ol > li > .t")).to_have_text(re.compile("列表里的一步。"))
    assert not loaded


def test_help_stands_apart_from_the_buttons(opened: Callable[[str], Page]) -> None:
    page = opened("zh/index.html")
    edit(page, "残差把")
    panel = page.locator(".pylit-edit")
    expect(panel.locator(".terms")).to_be_visible()
    head, foot = (panel.locator(name).bounding_box() for name in (".help h2", "footer"))
    assert head and foot and head["y"] - foot["y"] - foot["height"] >= 20


def test_keyboard_leads_from_passage_to_passage(opened: Callable[[str], Page], tmp_path: Path) -> None:
    page = opened("zh/index.html")
    edit(page, "首页")
    source = page.locator(".pylit-edit .source")
    for key, words in (
        ("Alt+u", NOBODY),
        ("Alt+u", "A step of a list."),
        ("Alt+o", RESIDUAL),
        ("Alt+ArrowDown", NOBODY),
        ("Alt+ArrowUp", RESIDUAL),
        ("Alt+ArrowUp", "Home"),
    ):
        page.keyboard.press(key)
        expect(source).to_have_text(words)
        expect(page.locator(".pylit-edit textarea")).to_be_focused()
    page.keyboard.press("Alt+o")
    page.get_by_role("button", name="译文仍然正确").click()
    expect(page.locator(".pylit-edit .state")).to_have_text("已翻译")
    assert "fuzzy" not in (tmp_path / "translations/zh/pkg/__init__.po").read_text("utf-8")


def test_input_method_composes_without_being_disturbed(
    opened: Callable[[str], Page], context: BrowserContext, tmp_path: Path
) -> None:
    page = opened("zh/index.html")
    edit(page, "Nobody has")
    field, tried = page.locator(".pylit-edit textarea"), []
    expect(page.locator(".pylit-edit .sides")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.on("request", lambda request: tried.append(request.post_data) if "/edit/" in request.url else None)
    keyboard = context.new_cdp_session(page)
    for text in ("m", "mei", "mei you"):
        keyboard.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
        )
        page.wait_for_timeout(400)  # longer than the editor waits
    assert field.input_value() == "mei you" and tried == []
    # The key that confirms a word is not one of the editor's.
    keyboard.send(
        "Input.dispatchKeyEvent",
        {"type": "rawKeyDown", "key": "Enter", "modifiers": 2, "windowsVirtualKeyCode": 229},
    )
    assert tried == []
    keyboard.send("Input.insertText", {"text": "没有人翻译过这段。"})
    expect(page.locator(".pylit-edit .shown")).to_have_text("没有人翻译过这段。")
    assert len(tried) == 1
    page.keyboard.press("Control+s")
    expect(page.locator(".pylit-edit .news")).to_have_text("已保存。")
    assert entries(tmp_path)[NOBODY] == "没有人翻译过这段。"


def test_right_to_left(opened: Callable[[str], Page], tmp_path: Path) -> None:
    """Each language keeps its own direction, formulas and code theirs, and the page is no wider than the window."""
    page = opened("ar/index.html")
    edit(page, "A residual")
    panel = page.locator(".pylit-edit")
    panel.locator("textarea").fill("الباقي يضيف $x$ إلى ما تعيده `f`.")
    expect(panel.locator(".shown .katex")).to_be_visible()
    directions = {
        name: panel.locator(name).evaluate("e => getComputedStyle(e).direction")
        for name in ("textarea", ".source", ".shown", ".shown .katex", ".shown code")
    }
    assert directions == {
        "textarea": "rtl",
        ".source": "ltr",
        ".shown": "rtl",
        ".shown .katex": "ltr",
        ".shown code": "ltr",
    }
    left, right = (panel.locator(name).bounding_box() for name in ("textarea", ".source"))
    assert left and right and left["x"] < right["x"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Control+s")
    expect(panel.locator(".state")).to_have_text("translated")
    assert entries(tmp_path, "ar")[RESIDUAL] == "الباقي يضيف $x$ إلى ما تعيده `f`."


def test_conflict_loses_nothing(opened: Callable[[str], Page], write: Write, tmp_path: Path) -> None:
    page = opened("zh/index.html")
    edit(page, "Nobody has")
    field = page.locator(".pylit-edit textarea")
    field.fill("我的译文。")
    theirs = f'{ZH}\nmsgid "{NOBODY}"\nmsgstr "他们的译文。"\n'
    write("translations/zh/pkg/__init__.po", theirs)
    expect(page.locator("main p .t", has_text="他们的译文。")).to_be_attached()
    expect(field).to_have_value("我的译文。")
    page.keyboard.press("Control+s")
    expect(page.locator(".pylit-edit .theirs")).to_have_text("他们的译文。")
    expect(field).to_have_value("我的译文。")
    assert (tmp_path / "translations/zh/pkg/__init__.po").read_text("utf-8") == theirs
    page.locator(".pylit-edit .news button").click()
    expect(field).to_have_value("他们的译文。")
    page.keyboard.press("Control+z")
    expect(field).to_have_value("我的译文。")
    page.keyboard.press("Control+s")
    expect(page.locator(".pylit-edit .news")).to_have_text("已保存。")
    assert entries(tmp_path)[NOBODY] == "我的译文。"


def test_draft_outlives_the_page_and_a_preview_that_has_ended(
    opened: Callable[[str], Page], preview: Preview
) -> None:
    page = opened("zh/index.html")
    edit(page, "Nobody has")
    page.locator(".pylit-edit textarea").fill("草稿。")
    page.reload()
    field = page.locator(".pylit-edit textarea")
    expect(field).to_have_value("草稿。")
    expect(page.locator(".pylit-edit .news")).to_contain_text("这是尚未保存的草稿。")
    preview.process.terminate()
    preview.process.wait()
    page.keyboard.press("Control+s")
    expect(page.locator(".pylit-edit .news")).to_contain_text("未能保存")
    expect(field).to_have_value("草稿。")


def test_page_without_a_catalog_gets_one(opened: Callable[[str], Page], tmp_path: Path) -> None:
    page = opened("ar/index.html")
    assert not (tmp_path / "translations/ar").exists()
    edit(page, "A step")
    page.locator(".pylit-edit textarea").fill("خطوة من قائمة.")
    wait(page, "document.querySelector('.pylit-edit .shown').textContent.includes('خطوة')")
    page.keyboard.press("Control+s")
    expect(page.locator(".pylit-edit .news")).to_have_text("Saved.")
    page.keyboard.press("Escape")
    expect(page.locator("main li .t", has_text="خطوة")).to_be_visible()
    assert entries(tmp_path, "ar")["A step of a list."] == "خطوة من قائمة."
