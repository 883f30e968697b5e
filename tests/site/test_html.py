"""The site as files: every link and anchor leads somewhere, and every page says what it is."""

from __future__ import annotations

import gzip
import json
import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from conftest import BEGUN, COMPLETE, ROOT
from documents import Document

from pylit.api import open_configuration, open_site
from pylit.site.site import Page
from pylit.translate.progress import site_progress

SITE = open_site(open_configuration(ROOT / "pyproject.toml"), is_kept=False)
OTHERS = SITE.settings.languages[1:]
ENGLISH = ' lang="en"'
assert OTHERS == ("zh", "ja")


def language(name: str) -> str:
    """The language of a page, by its address."""
    first = name.partition("/")[0]
    return first if first in OTHERS else "en"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Document]:
    return {p.relative_to(site).as_posix(): Document(p.read_text("utf-8")) for p in site.rglob("*.html")}


def each(pages: dict[str, Document]) -> Iterator[tuple[str, Document]]:
    yield from ((name, page) for name, page in pages.items() if name != "404.html")


def test_every_internal_link_and_anchor_resolves(site: Path, pages: dict[str, Document]) -> None:
    checked = 0
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    ids = {name: set(page.ids) for name, page in pages.items()}
    for name, page in pages.items():
        for link in dict.fromkeys(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            path = parts.path.lstrip("/") if name == "404.html" else None
            if path is None:
                path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
            target = name if not parts.path else path
            assert target in files, (name, link)
            if parts.fragment:
                assert unquote(parts.fragment) in ids[target], (name, link)
            checked += 1
    assert checked > 500


def test_ids_are_unique(pages: dict[str, Document]) -> None:
    for name, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), name


def test_every_page_says_what_it_is(pages: dict[str, Document]) -> None:
    for name, page in each(pages):
        assert page.find("html", lang=language(name)), name
        (canonical,) = page.find("link", rel="canonical")
        assert str(canonical["href"]).endswith("/" + name.removesuffix("index.html"))
        alternates = page.find("link", rel="alternate")
        assert [a["hreflang"] for a in alternates] == ["en", "x-default", *OTHERS]
        own = name.removeprefix(f"{language(name)}/")
        ends = [
            f"/{prefix}{own.removesuffix('index.html')}" for prefix in ("", "", *(f"{o}/" for o in OTHERS))
        ]
        assert all(str(a["href"]).endswith(end) for a, end in zip(alternates, ends, strict=True))
        assert [a["lang"] for a in page.find("a") if "hreflang" in a] == ["en", *OTHERS]
        (description,) = page.find("meta", name="description")
        assert 20 <= len(description["content"] or "") <= 155, (name, description)
        for tag in ("og:title", "og:description", "og:url", "og:type", "og:site_name"):
            assert page.find("meta", property=tag), (name, tag)
        for tag in ("twitter:card", "twitter:title", "twitter:description"):
            assert page.find("meta", name=tag), (name, tag)
        assert len(page.find("main")) == len(page.find("h1")) == 1
        assert page.find("nav")


def test_headings_are_in_order(pages: dict[str, Document]) -> None:
    for name, page in each(pages):
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
        assert levels[0] == 1, name
        assert all(after <= before + 1 for before, after in pairwise(levels)), name


def test_a_page_is_translated_whole_or_says_that_it_is_not(site: Path) -> None:
    for part in site_progress(SITE):
        if part.file in SITE.navigation.by_file:
            page = SITE.pages[SITE.navigation.by_file[part.file]]
            text = (site / SITE.navigation.address(page, part.lang)).read_text("utf-8")
            english = re.findall(r'<span class="u"([^>]*)>', text)
            assert set(english) <= {ENGLISH}, part
            assert bool(english) == ('<p class="notice">' in text) == (part.translated < part.blocks), part


def test_what_names_a_page_in_english_says_so(site: Path) -> None:
    """A page that nobody has begun to translate, in its own contents and where others lead to it."""

    def read(page: Page, lang: str) -> str:
        return (site / SITE.navigation.address(page, lang)).read_text("utf-8")

    def contents(text: str) -> set[tuple[str, str]]:
        return set(re.findall(r'<a href="#[^"]*"([^>]*)>([^<]+)', text.partition("<main")[0]))

    marked = 0
    begun = {(part.lang, part.file) for part in site_progress(SITE) if part.translated + part.stale}
    for lang in BEGUN:
        for before, page in pairwise(SITE.pages):
            text = read(page, lang)
            mark = "" if (lang, page.file) in begun else ENGLISH
            assert f'<li aria-current="page"{mark}>' in text, page
            assert re.search(rf'<a rel="next" [^>]*><span>[^<]*</span> <span{mark}>', read(before, lang)), (
                page
            )
            if mark:
                chinese = {words for _, words in contents(read(page, COMPLETE[0]))}
                plain = {words for lang, words in contents(text) if not lang}
                assert plain <= chinese, page  # code, and names that are the same everywhere
                marked += len(contents(text)) - len(plain)
    assert marked > 100


def test_same_anchors_in_every_language(pages: dict[str, Document]) -> None:
    for name, page in each(pages):
        for lang in OTHERS if language(name) == "en" else ():
            other = pages[f"{lang}/{name}"]
            assert page.ids == [i for i in other.ids if not i.startswith("view-")], name


def test_sitemap_and_404(site: Path) -> None:
    sitemap = (site / "sitemap.xml").read_text("utf-8")
    assert len(re.findall("<loc>", sitemap)) == len(list(site.rglob("*.html"))) - 1
    lost = (site / "404.html").read_text("utf-8")
    for lang in OTHERS:
        assert f'<section lang="{lang}">' in lost
        assert f'href="/{lang}/index.html"' in lost
        assert f'hreflang="{lang}" href="{SITE.navigation.absolute(f"{lang}/resnet/index.html")}"' in sitemap


def test_scripts_and_styles_are_small(site: Path) -> None:
    def size(*names: str) -> int:
        return sum(len(gzip.compress((site / "assets" / name).read_bytes())) for name in names)

    (first,) = re.findall(
        '<script id=":first"[^>]*>(.*?)</script>', (site / "index.html").read_text("utf-8"), re.DOTALL
    )
    inline = len(gzip.compress(first.encode()))
    assert size("pylit.js", "controls.js", "search.js", "figures.js") + inline <= 14_000
    assert size("pylit.css") <= 14_000


def test_pages_are_small(site: Path) -> None:
    sizes = {path: len(gzip.compress(path.read_bytes())) for path in site.rglob("*.html")}
    assert len(sizes) > 90
    assert {path: size for path, size in sizes.items() if size > 45_000} == {}


def test_originals_are_those_of_the_page_in_english(site: Path, pages: dict[str, Document]) -> None:
    """One for each translation, in the same order, with links that lead somewhere."""
    checked = 0
    for name in pages:
        script = (site / name).with_suffix(".originals.js")
        text = (site / name).read_text("utf-8")
        (address,) = re.findall(r' data-originals="([^"]*)"', text) or [""]
        assert bool(address) == script.is_file(), name
        if not address:
            continue
        assert address.partition("?")[0] == script.name
        value, _, end = script.read_text("utf-8").removeprefix("pylitOriginals = ").rpartition("];")
        originals = json.loads(value + "]")
        assert end == "\ndispatchEvent(new Event('originals'));\n"
        shown = re.findall(r'<span class="t">', text)
        beside = re.findall(r'<span class="t">[^<]*</span><span class="o"', text)  # in the contents
        assert len(originals) == len(shown) - len(beside) > 0, name
        english = (site / name.partition("/")[2]).read_text("utf-8")
        for original in originals:
            part = Document(original)
            assert next(tag for tag, _ in part.tags) == "span" and part.ids == [], name
            words = re.search(r">([^<&]{20,})[.,:<]", original)
            assert words is None or words[1] in english, (name, words)
            for link in part.links:
                parts = urlsplit(link)
                if not parts.scheme:
                    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
                    assert (site / (path if parts.path else name)).is_file(), (name, link)
                    checked += 1
    assert checked > 300
