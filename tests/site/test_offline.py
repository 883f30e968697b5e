"""What readers take with them: notebooks, and the whole site on a disk, with no server and no network."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zipfile import ZipFile

import pytest
from documents import Document
from playwright.sync_api import Browser, Page, Route, expect
from site_fixtures import Open, choose_language, wait, words_and_code

ARCHIVE = "annotated-labml-nn.zip"
PUBLIC = "https://annotated-labml-nn.github.io/"


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("resnet/index.html", "labml_nn.resnet.ipynb"),
        ("zh/resnet/pitfalls.html", "labml_nn.resnet.pitfalls.zh.ipynb"),
    ],
)
def test_notebook_is_downloaded(read: Open, site: Path, page: str, name: str, scripts: bool) -> None:
    reader = read(page, scripts=scripts)
    link = reader.page.locator("a[href$='.ipynb']")
    expect(link).to_have_text("在 notebook 中运行" if page.startswith("zh/") else "Run it: notebook")
    with reader.page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == name
    got = Path(download.value.path()).read_bytes()
    assert got == (site / page).with_suffix(".ipynb").read_bytes()
    assert json.loads(got)["nbformat"] == 4


def test_every_module_has_its_notebook_and_guides_have_none(site: Path) -> None:
    for path in site.rglob("*.html"):
        is_module = 'class="module"' in path.read_text("utf-8")
        assert path.with_suffix(".ipynb").is_file() == is_module, path


def test_archive_is_downloaded(read: Open, site: Path) -> None:
    page = read("index.html").page

    def public(route: Route) -> None:
        route.fulfill(path=site / route.request.url.removeprefix(PUBLIC))

    page.context.route(f"{PUBLIC}**", public)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the whole site").click()
    assert download.value.suggested_filename == ARCHIVE
    assert Path(download.value.path()).read_bytes() == (site / ARCHIVE).read_bytes()


@pytest.fixture(scope="module")
def disk(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive, unpacked."""
    folder = tmp_path_factory.mktemp("a disk")
    with ZipFile(site / ARCHIVE) as archive:
        archive.extractall(folder)
    return folder / "annotated-labml-nn"


def test_archive_is_the_site(site: Path, disk: Path) -> None:
    def files(folder: Path) -> dict[str, bytes]:
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    left_out = (".pylit-manifest.json", "404.html", "sitemap.xml", "sitemap.xml.gz", "pagefind/", ARCHIVE)
    assert files(disk) == {name: data for name, data in files(site).items() if not name.startswith(left_out)}


def test_no_link_in_it_is_broken(disk: Path) -> None:
    checked = 0
    for path in disk.rglob("*.html"):
        name = path.relative_to(disk).as_posix()
        for link in Document(path.read_text("utf-8")).links:
            parts = urlsplit(link)
            if not parts.scheme:
                target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
                assert not parts.path or (disk / target).is_file(), (name, link)
                checked += 1
    assert checked > 500


@pytest.fixture
def offline(browser: Browser) -> Iterator[Page]:
    """A page in a browser without a network, which fails the test if anything goes wrong on it."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "warning" else None)
    yield page
    context.close()
    assert wrong == []


def test_it_reads_well_from_a_disk(offline: Page, disk: Path) -> None:
    offline.goto((disk / "index.html").as_uri())
    # All of KaTeX's files are there. It lays formulas out on the next page if they arrive before the first paint.
    wait(offline, "localStorage.getItem('katex')")
    offline.get_by_role("link", name="Residual Networks (ResNet)").first.click()
    offline.wait_for_url((disk / "resnet/index.html").as_uri())
    formulas = offline.locator(":is(.katex-ready .katex-html, :root:not(.katex-ready) math)")
    expect(formulas.first).to_be_visible()
    expect(offline.locator("figure svg").first).to_be_visible()
    # The stylesheet is there: prose stands beside its code.
    row = offline.locator("[id='ResidualBlock.forward']")
    prose, code = words_and_code(row)
    assert prose["x"] + prose["width"] <= code["x"] + 1
    # And so are the scripts.
    button = offline.locator("button.theme")
    button.click()
    button.click()
    expect(offline.locator("html")).to_have_attribute("data-theme", "dark")
    formulas.locator("[data-sym='W_s']:visible").first.click()
    assert set(offline.locator(".code [data-n].lit").all_text_contents()) == {"conv"}
    offline.wait_for_timeout(1000)  # another process of the browser learns what is stored a little later
    choose_language(offline, "中文")
    offline.wait_for_url(f"{(disk / 'zh/resnet/index.html').as_uri()}*")
    expect(offline.locator("html")).to_have_attribute("data-theme", "dark")
    expect(offline.locator("main .t").first).to_be_visible()
    offline.locator("#view-o").check()
    expect(offline.locator("main .t").first).to_be_hidden()
    expect(offline.locator("main .o").first).to_be_visible()
    offline.get_by_role("link", name="深度学习论文与代码").click()
    offline.wait_for_url((disk / "zh/index.html").as_uri())
