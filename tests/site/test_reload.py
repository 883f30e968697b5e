"""A browser that shows a preview follows what is saved, and its reader stays where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cdn import Cdn
from conftest import Write
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect
from previews import CONFIG, Preview, previewing, write_site
from site_fixtures import wait

pytestmark = [pytest.mark.process, pytest.mark.slow]
LONG = "".join(f"Paragraph {number} of the guide.\n\n" for number in range(200))


@pytest.fixture
def preview(write: Write, tmp_path: Path) -> Iterator[Preview]:
    write_site(write)
    write("docs/guide.md", f"# Guide\n\n{LONG}")
    with previewing(tmp_path, "pylit") as preview:
        preview.get("guide.html", "Paragraph 199")
        yield preview


@pytest.fixture
def context(browser: Browser, preview: Preview) -> Iterator[BrowserContext]:
    context = browser.new_context(reduced_motion="reduce")
    Cdn(context)
    yield context
    context.close()


@pytest.fixture
def opened(context: BrowserContext, preview: Preview) -> Iterator[Callable[[str], Page]]:
    """Open a page of the preview, on which the security policy stops nothing."""
    refused: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            refused.append(message.text)

    def open_page(path: str) -> Page:
        page = context.new_page()
        page.on("console", note)
        page.goto(f"http://127.0.0.1:{preview.port}/{path}")
        return page

    yield open_page
    assert not refused


def scroll(page: Page, place: int) -> None:
    """Scroll as a reader does, whose key tells a page that has just come that it need not hold its place any longer."""
    page.keyboard.press("Shift")
    page.evaluate(f"scrollTo({{ top: {place}, behavior: 'instant' }})")
    wait(page, f"scrollY === {place}")


def test_saved_page_is_loaded_again_at_the_same_place_and_no_other(
    opened: Callable[[str], Page], write: Write
) -> None:
    guide, other = opened("guide.html"), opened("other.html")
    loaded: list[str] = []
    other.on("framenavigated", lambda frame: loaded.append(frame.url))
    scroll(guide, 3000)
    for words in ("New words.", "Newer words."):
        write("docs/guide.md", f"# Guide\n\n{LONG}{words}\n")
        expect(guide.get_by_text(words)).to_be_attached()
        wait(guide, "scrollY === 3000")
    write("pkg/other.py", '"""\n# Other\n\nFewer words.\n"""\n')
    expect(other.get_by_text("Fewer words.")).to_be_visible()
    assert len(loaded) == 1


def test_reader_stays_at_their_place_while_a_page_is_broken(
    opened: Callable[[str], Page], write: Write
) -> None:
    """By what is wrong with the page, or with the whole site: both pages that tell are short."""
    guide = opened("guide.html")
    scroll(guide, 3000)
    write("docs/guide.md", "---\ntitle: [\n---\n")
    expect(guide.get_by_role("alert")).to_contain_text("docs/guide.md:")
    assert guide.evaluate("scrollY") == 0
    write("mkdocs.yml", CONFIG.replace("search: false", "order: [pkg/gone.py]"))
    expect(guide.get_by_role("alert")).to_contain_text("pkg/gone.py: error:")
    write("mkdocs.yml", "site_name: [\n")
    expect(guide.get_by_role("alert")).to_contain_text("while parsing")
    write("mkdocs.yml", CONFIG)
    expect(guide.get_by_role("alert")).to_contain_text("docs/guide.md:")
    write("docs/guide.md", f"# Guide\n\n{LONG}Right again.\n")
    expect(guide.get_by_text("Right again.")).to_be_attached()
    expect(guide.get_by_role("alert")).to_have_count(0)
    wait(guide, "scrollY === 3000")
    scroll(guide, 1000)
    guide.reload()
    wait(guide, "scrollY === 1000")


def test_page_that_is_new_appears_where_there_was_none(opened: Callable[[str], Page], write: Write) -> None:
    page = opened("new.html")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    write("pkg/new.py", '"""\n# New\n"""\n')
    expect(page.get_by_role("heading", name="New")).to_be_visible()


def test_page_that_nobody_sees_waits_until_it_is_seen(opened: Callable[[str], Page], write: Write) -> None:
    """Its connection is needed for others. The browser of the tests hides no pages, so the page is told that it is."""
    page = opened("other.html")
    page.evaluate(
        """() => {
        window.seen = "hidden";
        Object.defineProperty(document, "visibilityState", { get: () => seen });
        document.dispatchEvent(new Event("visibilitychange"));
        window.before = true;
    }"""
    )
    other = opened("other.html")
    write("pkg/other.py", '"""\n# Other\n\nFewer words.\n"""\n')
    expect(other.get_by_text("Fewer words.")).to_be_visible()
    assert page.evaluate("before")
    page.evaluate("seen = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("Fewer words.")).to_be_visible()


def test_page_finds_the_preview_again_that_is_started_again(
    opened: Callable[[str], Page], write: Write, tmp_path: Path, preview: Preview
) -> None:
    page = opened("other.html")
    preview.process.terminate()
    preview.process.wait()
    write("pkg/other.py", '"""\n# Other\n\nFewer words.\n"""\n')
    with previewing(tmp_path, "pylit", preview.port):
        expect(page.get_by_text("Fewer words.")).to_be_visible()
