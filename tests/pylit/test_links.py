"""Links between files become links between pages; those that lead nowhere are found."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Write

from pylit.cache import Store
from pylit.errors import Severity
from pylit.links import LinkError, Links, relative
from pylit.reader import Reader

URLS = {
    "pkg/__init__.py": "index.html",
    "pkg/a.py": "a.html",
    "pkg/sub/__init__.py": "sub/index.html",
    "docs/guide.md": "guide.html",
}


ANCHORS = frozenset(["A.f", "L3", "残差-块"])


class Around(Reader):
    """A site of which only this is known."""

    repository = ""

    def url(self, file: str, lang: str) -> str:
        return URLS.get(file, "")

    def has_anchor(self, file: str, anchor: str) -> bool:
        return anchor in ANCHORS

    def anchors(self, file: str) -> frozenset[str]:
        return ANCHORS

    def everything(self) -> list[str]:
        return list(URLS)

    def repository_url(self, file: str) -> str:
        return self.repository and self.repository + file


def links(base: Path, repository: str = "https://example.org/blob/main/") -> Links:
    around = Around(base, Store(None))
    around.repository = repository
    return Links("pkg/sub/__init__.py", "en", around)


@pytest.mark.parametrize(
    ("target", "href"),
    [
        ("https://example.org/x#y", "https://example.org/x#y"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("#A.f", "#A.f"),
        ("../a.py", "../a.html"),
        ("../a.py#A.f", "../a.html#A.f"),
        ("../a.py#L3", "../a.html#L3"),
        ("../a.py#%E6%AE%8B%E5%B7%AE-%E5%9D%97", "../a.html#%E6%AE%8B%E5%B7%AE-%E5%9D%97"),
        ("..", "../index.html"),
        ("../../docs/guide.md", "../guide.html"),
        ("../../LICENSE", "https://example.org/blob/main/LICENSE"),
        ("../../LICENSE#L1", "https://example.org/blob/main/LICENSE#L1"),
    ],
)
def test_resolve(write: Write, tmp_path: Path, target: str, href: str) -> None:
    write("LICENSE", "")
    assert links(tmp_path).resolve(target, "sub/index.html") == href


@pytest.mark.parametrize(
    ("target", "message", "hint"),
    [
        ("#A.g", "the anchor of `#A.g` leads nowhere", "Did you mean `#A.f`?"),
        ("#zzz", "the anchor of `#zzz` leads nowhere", "has no such definition or heading"),
        ("../a.py#A.g", "the anchor of `../a.py#A.g` leads nowhere", "Did you mean `#A.f`?"),
        ("../b.py", "the link `../b.py` leads nowhere", "Did you mean `../a.py`?"),
        ("qqqqqqqqqqqqq", "the link `qqqqqqqqqqqqq` leads nowhere", "Looked for `pkg/sub/qqqqqqqqqqqqq`"),
        ("../../../etc/passwd", "leads nowhere", "Looked for `../etc/passwd`"),
        ("/etc/passwd", "leads nowhere", "Looked for `/etc/passwd`"),
        ("", "a link leads nowhere", "Write an address"),
        ("ftp://example.org", "is of a kind that is not allowed", "Use https"),
        ("https://[x", "is no address: Invalid IPv6 URL", "Mend or remove it"),
        ("//example.org/x", "is of a kind that is not allowed", "Use https"),
    ],
)
def test_dead_links(tmp_path: Path, target: str, message: str, hint: str) -> None:
    with pytest.raises(LinkError) as error:
        links(tmp_path).resolve(target, "sub/index.html")
    assert message in str(error.value)
    assert hint in error.value.hint
    assert error.value.severity is Severity.ERROR


def test_file_beside_the_site_needs_a_repository(write: Write, tmp_path: Path) -> None:
    write("LICENSE", "")
    with pytest.raises(LinkError, match="which is not a page of this site") as error:
        links(tmp_path, repository="").resolve("../../LICENSE", "sub/index.html")
    assert error.value.severity is Severity.WARNING


def test_pictures(write: Write, tmp_path: Path) -> None:
    write("pkg/sub/a b.svg", "")
    assert links(tmp_path).find_file("a%20b.svg") == "pkg/sub/a b.svg"
    for target in ("c.svg", "", "..", "../../../x.svg", "/etc/passwd", "https://example.org/a.svg"):
        with pytest.raises(LinkError, match="does not exist"):
            links(tmp_path).find_file(target)


def test_relative() -> None:
    assert relative("a.html", "index.html") == "a.html"
    assert relative("index.html", "zh/sub/index.html") == "../../index.html"
