"""The site, built once and served, and a browser to read it with."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from browser import FLAGS, find_browser
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from servers import serving

expect.set_options(timeout=20_000)  # machines are busy
CDN = "https://cdn.jsdelivr.net/"
STUB = ".katex .katex-mathml { position: absolute; clip: rect(1px, 1px, 1px, 1px); }"
"""What of KaTeX's stylesheet the tests need."""
RESNET = Path(__file__).parent.parent / "labml_nn/resnet/__init__.py"


def resnet_line(code: str) -> int:
    """The number of the line of the ResNet page that `code` begins."""
    lines = RESNET.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(code))


@pytest.fixture(scope="session")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site as MkDocs builds it."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    subprocess.run([*command, "--config-file", str(root / "mkdocs.yml")], check=True)
    return out


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    with serving(partial(_Quiet, directory=str(site))) as address:
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
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


Open = Callable[..., Reader]


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
        katex: bool = False,
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

        def cdn(route: Route) -> None:
            if katex:
                headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/css"}
                route.fulfill(body=STUB, headers=headers)
            else:
                route.abort()

        def without_integrity(route: Route) -> None:
            response = route.fetch()
            route.fulfill(response=response, body=re.sub('data-integrity="[^"]*"', "", response.text()))

        context.route(f"{CDN}**", cdn)
        reader = Reader(context.new_page())
        reader.page.on("request", lambda request: reader.requests.append(request.url))
        reader.page.on("pageerror", lambda error: reader.errors.append(str(error)))
        reader.page.on(
            "console",
            lambda message: (
                reader.errors.append(f"{message.text} {message.location.get('url')}")
                if message.type in ("error", "warning") and CDN not in str(message.location.get("url"))
                else None
            ),
        )
        if katex:  # the stub has another hash
            context.route("**/*.html*", without_integrity)
        reader.page.goto(address + path)
        return reader

    yield open_page
    for context in contexts:
        for page in context.pages:
            page.wait_for_load_state()  # Chromium never closes a page that is on its way to another
        context.close()
