"""The site as files: every link and anchor leads somewhere, and every page says what it is."""

from __future__ import annotations

import gzip
import posixpath
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest


class Document(HTMLParser):
    """What the tests ask of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if value := attributes.get("id"):
            self.ids.append(value)
        for name in ("href", "src"):
            if (value := attributes.get(name)) is not None:
                self.links.append(value)

    def find(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag and wanted.items() <= a.items()]


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Document]:
    return {p.relative_to(site).as_posix(): Document(p.read_text("utf-8")) for p in site.rglob("*.html")}


def each(pages: dict[str, Document]) -> Iterator[tuple[str, Document]]:
    yield from ((name, page) for name, page in pages.items() if name != "404.html")


def test_every_internal_link_and_anchor_resolves(site: Path, pages: dict[str, Document]) -> None:
    checked = 0
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            path = parts.path.lstrip("/") if name == "404.html" else None
            if path is None:
                path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
            target = name if not parts.path else path
            assert (site / target).is_file(), (name, link)
            if parts.fragment:
                assert unquote(parts.fragment) in pages[target].ids, (name, link)
            checked += 1
    assert checked > 500


def test_ids_are_unique(pages: dict[str, Document]) -> None:
    for name, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), name


def test_every_page_says_what_it_is(pages: dict[str, Document]) -> None:
    for name, page in each(pages):
        lang = "zh" if name.startswith("zh/") else "en"
        assert page.find("html", lang=lang), name
        (canonical,) = page.find("link", rel="canonical")
        assert str(canonical["href"]).endswith("/" + name.removesuffix("index.html"))
        assert {a["hreflang"] for a in page.find("link", rel="alternate")} == {"en", "zh", "x-default"}
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


def test_chinese_pages_are_translated_whole(site: Path) -> None:
    for path in (site / "zh").rglob("*.html"):
        text = path.read_text("utf-8")
        assert 'class="u"' not in text, path
        assert 'class="notice"' not in text, path


def test_same_anchors_in_every_language(pages: dict[str, Document]) -> None:
    for name, page in each(pages):
        if not name.startswith("zh/"):
            other = pages[f"zh/{name}"]
            assert page.ids == [i for i in other.ids if not i.startswith("view-")], name


def test_sitemap_and_404(site: Path) -> None:
    sitemap = (site / "sitemap.xml").read_text("utf-8")
    assert len(re.findall("<loc>", sitemap)) == len(list(site.rglob("*.html"))) - 1
    lost = (site / "404.html").read_text("utf-8")
    assert 'lang="zh"' in lost
    assert 'href="/zh/index.html"' in lost


def test_scripts_and_styles_are_small(site: Path) -> None:
    def size(*names: str) -> int:
        return sum(len(gzip.compress((site / "assets" / name).read_bytes())) for name in names)

    assert size("theme.js", "pylit.js", "controls.js", "search.js") <= 10_000
    assert size("pylit.css") <= 12_000
    assert len(gzip.compress((site / "resnet/index.html").read_bytes())) <= 40_000
