"""The guide "Change the looks" is true: its examples make a project, which MkDocs builds and a browser shows."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from cdn import Cdn
from conftest import ROOT
from playwright.sync_api import Browser, Page, Route
from sampling import thinned
from servers import serving
from site_fixtures import QuietHandler

from pylit.cache import THEME

EXAMPLE = re.compile(r"`([\w./-]+\.\w+)`[^`]*:\n\n```([\w+]+)\n(.*?)```", re.DOTALL)
"""A file that the guide shows, named just before."""
OTHERS = {
    "docs/index.md": "# Toolbox\n\nSee [the core](../toolbox/core.py) and [elsewhere](https://host.example/).\n",
    "docs/guide/start.md": "# Start\n\n## One\n\nText.\n\n## Two\n\nText.\n",
    "toolbox/core.py": '"""\n# Core\n\n[Elsewhere](https://host.example/)\n"""\n\nx = 1\n',
}
PAGES = {
    "index.html": "en",
    "guide/start.html": "en",
    "core.html": "en",
    "zh/guide/start.html": "zh",
    "zh/core.html": "zh",
}
COLOURS = """() => ({
    link: getComputedStyle(document.querySelector("main a, .turn a")).color,
    tint: getComputedStyle(document.querySelector(".languages [aria-current]")).backgroundColor,
    font: getComputedStyle(document.body).fontFamily,
    wide: document.documentElement.scrollWidth,
})"""


def examples() -> dict[str, str]:
    """The files in the guide; of several pieces of one, all."""
    found: dict[str, str] = {}
    for name, _, text in EXAMPLE.findall((ROOT / "docs/guide/looks.md").read_text("utf-8")):
        found[name] = found.get(name, "") + text
    return found


def make(folder: Path) -> None:
    for name, text in {**OTHERS, **examples()}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of somebody else's, that has nothing but what the guide shows, and its pages in `site`."""
    folder = tmp_path_factory.mktemp("toolbox")
    make(folder)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]  # warnings of a quiet build do not count
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert not re.search("warning|note: ", result.stderr, re.IGNORECASE)
    return folder


@pytest.fixture(scope="module")
def served(project: Path) -> Iterator[str]:
    with serving(partial(QuietHandler, directory=str(project / "site"))) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    Cdn(context)
    yield context.new_page()
    context.close()


def test_guide_shows_each_kind_of_file() -> None:
    assert examples().keys() == {
        "mkdocs.yml",
        "docs/looks.css",
        "docs/looks.js",
        "overrides/partials/footer.html",
        "overrides/main.html",
        "overrides/assets/icon.svg",
    }


def test_examples_are_on_every_page(project: Path) -> None:
    out, own = project / "site", examples()
    for name, lang in PAGES.items():
        html = (out / name).read_text("utf-8")
        root = "../" * name.count("/")
        assert f'<link rel="stylesheet" href="{root}looks.css">' in html
        assert f'<script src="{root}looks.js" defer></script>' in html
        head, _, footer = html.partition('<footer class="end">')
        assert '<meta name="author" content="Example">\n</head>' in head
        made = "版权所有" if lang == "zh" else "All rights reserved"
        assert f'<p class="made">{made}: <a href="{root}index.html">Example</a></p>' in footer
        assert 'class="turn"' in footer
    assert (out / "looks.css").read_text("utf-8") == own["docs/looks.css"]
    assert (out / "looks.js").read_text("utf-8") == own["docs/looks.js"]
    assert (out / "assets/icon.svg").read_text("utf-8") == own["overrides/assets/icon.svg"]
    assert own["overrides/assets/icon.svg"] != (THEME / "assets/icon.svg").read_text("utf-8")
    assert not list(out.rglob("partials"))


def test_the_same_without_mkdocs(tmp_path: Path) -> None:
    """By the line that the guide gives for another configuration."""
    make(tmp_path)
    [line] = re.findall(r"`(theme_dir = [^`]*)`", (ROOT / "docs/guide/looks.md").read_text("utf-8"))
    (tmp_path / "mkdocs.yml").unlink()
    (tmp_path / "pylit.toml").write_text(f'sources = ["toolbox"]\n{line}\n', "utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "pylit", "render", "toolbox", "--out", "pages", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    html = (tmp_path / "pages/core.html").read_text("utf-8")
    assert '<meta name="author" content="Example">' in html and 'class="made"' in html
    assert (tmp_path / "pages/assets/icon.svg").read_text("utf-8") == examples()["overrides/assets/icon.svg"]


@pytest.mark.parametrize("name", thinned(PAGES, 2))
@pytest.mark.parametrize("width", [1440, 390])
def test_colours_and_fonts_are_those_of_the_guide(page: Page, served: str, name: str, width: int) -> None:
    """In light and dark pages, in both languages; and the policy lets everything in."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(served + name)
    colours = re.findall(r"light-dark\((#\w+), (#\w+)\)", examples()["docs/looks.css"])
    for scheme, (link, tint) in zip(("light", "dark"), zip(*colours, strict=True), strict=True):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = page.evaluate(COLOURS)
        assert (found["link"], found["tint"]) == (rgb(link), rgb(tint))
        assert found["font"].startswith('Georgia, "Noto Serif", serif, ')
        assert found["wide"] <= width
    assert errors == []


def rgb(colour: str) -> str:
    """`#8a2a5b` as browsers tell it."""
    red, green, blue = bytes.fromhex(colour[1:])
    return f"rgb({red}, {green}, {blue})"


def test_script_of_the_guide_runs(page: Page, served: str) -> None:
    page.goto(served + "index.html")
    assert page.locator("main a.away").all_text_contents() == ["elsewhere"]
    mark = page.locator("a.away").evaluate("link => getComputedStyle(link, '::after').content")
    assert mark == '" ↗"'


def test_nothing_from_other_hosts_is_let_in(page: Page, project: Path) -> None:
    """As the guide says: neither what a style sheet imports nor a script within a template."""
    out = project / "evil"
    subprocess.run(["cp", "-r", str(project / "site"), str(out)], check=True)
    (out / "looks.css").write_text('@import url("https://host.example/a.css");')
    html = (out / "index.html").read_text("utf-8")
    (out / "index.html").write_text(
        html.replace("</head>", "<script>window.ran = 1</script></head>"), "utf-8"
    )
    asked: list[str] = []
    told: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body="a {}", content_type="text/css")

    page.route("https://host.example/**", answer)
    page.on("console", lambda message: told.append(message.text))
    with serving(partial(QuietHandler, directory=str(out))) as address:
        page.goto(address + "index.html")
        page.wait_for_load_state()
        assert page.evaluate("window.ran") is None
        refused = [text for text in told if "Content Security Policy" in text]
        assert any("a.css" in text for text in refused) and any("script-src" in text for text in refused)
    assert asked == []
