"""Links between files become links between pages; those that lead nowhere are found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Write

from pylit.cache.dependencies import Questions
from pylit.errors import Severity
from pylit.resolve.links import LinkError, Links, relative_link
from pylit.site.files import Files

URLS = {
    "pkg/__init__.py": "index.html",
    "pkg/a.py": "a.html",
    "pkg/sub/__init__.py": "sub/index.html",
    "docs/guide.md": "guide.html",
}


ANCHORS = frozenset(["A.f", "L3", "残差-块", "section-two"])


class Pages:
    def url(self, file: str, lang: str) -> str:
        return URLS.get(file, "")

    def files(self) -> list[str]:
        return list(URLS)


class Anchors:
    def anchor(self, file: str, name: str) -> str:
        return name if name in ANCHORS else ""

    def anchors(self, file: str) -> frozenset[str]:
        return ANCHORS


@dataclass
class Host:
    repository: str

    def url(self, file: str, line: int = 0) -> str:
        return self.repository and self.repository + file + (f"#line-{line}" if line else "")


def links(base: Path, repository: str = "https://example.org/blob/main/") -> Links:
    return Links("pkg/sub/__init__.py", "en", Pages(), Anchors(), Files(Questions(), base), Host(repository))


@pytest.mark.parametrize(
    ("target", "href"),
    [
        ("https://example.org/x#y", "https://example.org/x#y"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("#A.f", "#A.f"),
        ("#Section-Two", "#section-two"),
        ("../a.py", "../a.html"),
        ("../a.py#A.f", "../a.html#A.f"),
        ("../a.py#L3", "../a.html#L3"),
        ("../a.py#%E6%AE%8B%E5%B7%AE-%E5%9D%97", "../a.html#%E6%AE%8B%E5%B7%AE-%E5%9D%97"),
        ("..", "../index.html"),
        ("../../docs/guide.md", "../guide.html"),
        ("../../LICENSE", "https://example.org/blob/main/LICENSE"),
        ("../../LICENSE#L1", "https://example.org/blob/main/LICENSE#line-1"),
    ],
)
def test_resolve(write: Write, tmp_path: Path, target: str, href: str) -> None:
    write("LICENSE", "")
    assert links(tmp_path).resolve(target, "sub/index.html") == href


@pytest.mark.parametrize(
    ("target", "message", "hint"),
    [
        ("#A.g", "the anchor of `#A.g` does not exist", "Did you mean `#A.f`?"),
        ("#zzz", "the anchor of `#zzz` does not exist", "has no definition or heading of that name"),
        ("../a.py#A.g", "the anchor of `../a.py#A.g` does not exist", "Did you mean `#A.f`?"),
        ("../b.py", "the link `../b.py` is broken", "Did you mean `../a.py`?"),
        ("qqqqqqqqqqqqq", "the link `qqqqqqqqqqqqq` is broken", "Looked for `pkg/sub/qqqqqqqqqqqqq`"),
        ("../../../etc/passwd", "is broken", "Looked for `../etc/passwd`"),
        ("/etc/passwd", "is broken", "Looked for `/etc/passwd`"),
        ("", "a link has no target", "Write an address"),
        ("ftp://example.org", "has a scheme that is not allowed", "Use https"),
        ("https://[x", "is not a valid address: Invalid IPv6 URL", "Fix or remove it"),
        ("//example.org/x", "has a scheme that is not allowed", "Use https"),
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


@pytest.mark.parametrize(
    ("anchor", "address"),
    [("L7", "#line-7"), ("L7-L9", "#L7-L9"), ("L07", "#L07"), ("part", "#part"), ("", "")],
)
def test_lines_of_files_beside_the_site_have_the_anchors_of_the_code_host(
    write: Write, tmp_path: Path, anchor: str, address: str
) -> None:
    write("LICENSE", "")
    found = links(tmp_path).resolve(f"../../LICENSE#{anchor}", "sub/index.html")
    assert found == f"https://example.org/blob/main/LICENSE{address}"


def test_pictures(write: Write, tmp_path: Path) -> None:
    write("pkg/sub/a b.svg", "")
    assert links(tmp_path).find_file("a%20b.svg") == "pkg/sub/a b.svg"
    for target in ("c.svg", "", "..", "../../../x.svg", "/etc/passwd", "https://example.org/a.svg"):
        with pytest.raises(LinkError, match="does not exist"):
            links(tmp_path).find_file(target)


def test_pictures_inside_a_notebook(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"picture `attachment:a\.png` is not attached to a cell"):
        links(tmp_path).find_file("attachment:a.png")


def test_relative() -> None:
    assert relative_link("a.html", "index.html") == "a.html"
    assert relative_link("index.html", "zh/sub/index.html") == "../../index.html"
