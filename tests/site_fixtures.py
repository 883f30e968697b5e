"""The site, built once and served, and a browser to read it with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any, Literal

import pytest
from browser import FLAGS, find_browser
from cdn import FOLDERS, Cdn
from filelock import FileLock
from playwright.sync_api import Browser, Locator, Page, Route, expect, sync_playwright
from servers import serving

from pylit.defaults import KATEX_LOCAL

expect.set_options(timeout=20_000)  # machines are busy
Katex = Literal["cold", "warm", "blocked"]
"""What readers have of KaTeX: nothing yet, all of it before the first paint, or nothing ever."""
ARRIVED = """() => {
    const { setItem } = Storage.prototype;
    Storage.prototype.setItem = function (key, value) {
        setItem.call(this, key, value);
        if (key === "katex") window.katexIsHere = true;
    };
}"""
"""Notes that a page has all it needs of KaTeX, for it then remembers that."""
RESNET = Path(__file__).parent.parent / "labml_nn/resnet/__init__.py"


def resnet_line(code: str) -> int:
    """The number of the line of the ResNet page that `code` begins."""
    lines = RESNET.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(code))


@pytest.fixture(scope="session")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site as MkDocs builds it."""
    with shared(tmp_path_factory, "site") as out:
        if not out.exists():
            command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
            subprocess.run([*command, "--config-file", str(root / "mkdocs.yml")], check=True)
    return out


@contextmanager
def shared(factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """A folder that all test processes of this run share. The first one to ask makes it, and the others wait."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    with FileLock(f"{folder}.lock"):
        yield folder


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files, and says nothing of it."""

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    with serving(partial(QuietHandler, directory=str(site))) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    path = find_browser()
    assert path, "no Chromium found; `make browser` installs one"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Reader:
    """A page in the browser, and what went wrong on it."""

    page: Page
    cdn: Cdn
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


Open = Callable[..., Reader]


def words_and_code(row: Locator) -> tuple[dict[str, float], dict[str, float]]:
    """Where the first words of a row and its code stand. Rows above may still be laid out."""
    found: list[dict[str, float]] = row.evaluate(
        """row => [".prose :is(p, li):not(.looks *)", ".code"].map((place) => {
            const { x, y, width, height } = row.querySelector(place).getBoundingClientRect();
            return { x, y, width, height };
        })"""
    )
    return found[0], found[1]


def choose_language(page: Page, name: str) -> None:
    """Follow the link to this page in the language of this name, which is in a menu."""
    page.locator(".menu > summary").click()
    page.get_by_role("link", name=name).click()


def remember(page: Page) -> None:
    """Let the next pages be those of a reader who has been here before: KaTeX is in the cache."""
    page.add_init_script(
        f"localStorage.setItem('katex', `${{location.origin}}/{KATEX_LOCAL}`); ({ARRIVED})()"
    )


def wait(page: Page, condition: str) -> None:
    """Wait until `condition` is true. Playwright's own way of doing it meets the page's security policy."""
    for _ in range(1200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def open_warm(page: Page, address: str) -> None:
    """Open a page that has all of KaTeX before the first paint, which waits for the theme's stylesheet."""
    remember(page)
    with before_paint(page):
        page.goto(address, wait_until="commit")
        wait(page, "document.readyState !== 'loading' || !!document.querySelector('main')")
        wait(page, "!document.getElementById(':first').dataset.fonts || window.katexIsHere")
    page.wait_for_load_state()


@contextmanager
def before_paint(page: Page) -> Iterator[None]:
    """Hold the first paint of the pages that are opened in the meantime back."""
    held: list[Route] = []
    page.route("**/assets/pylit.css", lambda route: held.append(route))
    yield
    for route in held:
        route.continue_()
    page.unroute("**/assets/pylit.css")


@pytest.fixture
def read(browser: Browser, address: str) -> Iterator[Open]:
    """Open a page of the site: `read("resnet/index.html", width=390, dark=True, scripts=False)`."""
    contexts = []

    def open_page(
        path: str,
        *,
        width: int = 1440,
        dark: bool = False,
        scripts: bool = True,
        katex: Katex = "cold",
        motion: bool = False,
    ) -> Reader:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            reduced_motion="no-preference" if motion else "reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        contexts.append(context)

        reader = Reader(context.new_page(), Cdn(context, blocked=katex == "blocked"))
        reader.page.on("request", lambda request: reader.requests.append(request.url))
        reader.page.on("pageerror", lambda error: reader.errors.append(str(error)))
        reader.page.on(
            "console",
            lambda message: (
                reader.errors.append(f"{message.text} {message.location.get('url')}")
                if message.type in ("error", "warning")
                and not FOLDERS.match(str(message.location.get("url")))
                else None
            ),
        )
        if katex == "warm":
            open_warm(reader.page, address + path)
        else:
            reader.page.goto(address + path)
        return reader

    yield open_page
    for context in contexts:
        for page in context.pages:
            page.wait_for_load_state()  # Chromium never closes a page that is on its way to another
        context.close()
