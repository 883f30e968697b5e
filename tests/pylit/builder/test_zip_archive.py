"""The whole site in one file: the same bytes every time, and nothing in it that only a server needs."""

from __future__ import annotations

import os
from pathlib import Path
from zipfile import ZipFile

import pytest
from conftest import Write
from rendering import site

from pylit.builder.zip_archive import write_archive
from pylit.errors import PylitError


@pytest.fixture
def folder(write: Write, tmp_path: Path) -> Path:
    for name in (
        "index.html",
        "404.html",
        "sitemap.xml",
        "sitemap.xml.gz",
        "zh/a b.html",
        "assets/x.js",
        "pagefind/i",
    ):
        write(f"out/{name}", name * 100)
    return tmp_path / "out"


def test_what_is_in_it(folder: Path) -> None:
    write_archive(folder, "my.site.zip")
    with ZipFile(folder / "my.site.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["my.site/assets/x.js", "my.site/index.html", "my.site/zh/a b.html"]
        assert archive.read("my.site/index.html") == b"index.html" * 100
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o644}
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["404.html", "assets", "index.html", "my.site.zip", "pagefind", "sitemap.xml", "sitemap.xml.gz", "zh"]
    )


def test_same_bytes_whenever_and_in_whatever_order(folder: Path, write: Write) -> None:
    write_archive(folder, "a.zip")
    first = (folder / "a.zip").read_bytes()
    for path in folder.rglob("*.html"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    (folder / "index.html").rename(folder / "other")
    (folder / "other").rename(folder / "index.html")
    write_archive(folder, "a.zip")
    assert (folder / "a.zip").read_bytes() == first
    write("out/index.html", "new")
    write_archive(folder, "a.zip")
    assert (folder / "a.zip").read_bytes() != first


def test_old_archive_is_left_when_the_new_one_cannot_be_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_archive(folder, "a.zip")
    before = (folder / "a.zip").read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError("full")

    monkeypatch.setattr(ZipFile, "writestr", fail)
    with pytest.raises(OSError, match="full"):
        write_archive(folder, "a.zip")
    assert (folder / "a.zip").read_bytes() == before
    assert not list(folder.glob(".*"))


def test_archive_needs_a_name_and_an_address(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", "")
    for name in ("site", "../site.zip", ".zip", "a/b.zip"):
        with pytest.raises(
            PylitError, match=r"archive `.*`: error: is not a valid name for a zip file\n .*like my-site.zip"
        ):
            site(tmp_path, archive=name, site_url="https://example.org")
    with pytest.raises(
        PylitError, match=r"archive `a.zip`: error: needs the URL of the site\n .*Set `site_url`"
    ):
        site(tmp_path, archive="a.zip")
