"""A page is loaded again when what it shows has changed, and there is one path to each file."""

from __future__ import annotations

import threading

import pytest

from pylit.errors import Problem
from pylit.preview.edition import Board, Edition, parse_path

FILES = {"index.html": "1", "other.html": "2", "404.html": "3", "assets/pylit.css": "4"}
SITE = Edition(FILES)
BROKEN = Edition(failure=Problem("mkdocs.yml", 3, "is not valid"))


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        (Edition(FILES), ""),
        (Edition(FILES | {"index.html": "5"}), "index"),
        (Edition(FILES | {"404.html": "5"}), "404 gone"),
        (Edition(FILES | {"assets/pylit.css": "5"}), "index other 404 gone"),
        (Edition(FILES | {"picture.png": "5"}), "index other 404 gone"),
        (Edition(FILES | {"other.originals.js": "5"}), "other"),
        (Edition(FILES | {"gone.html": "5"}), "gone"),
        (Edition({url: key for url, key in FILES.items() if url != "other.html"}), "other"),
        (Edition(FILES, (Problem("a.py", 1, "is wrong"),)), "gone"),
        (BROKEN, "index other 404 gone"),
    ],
)
def test_only_pages_that_changed_have_another_state(after: Edition, changed: str) -> None:
    pages = ["index", "other", "404", "gone"]
    found = [page for page in pages if after.state(f"{page}.html") != SITE.state(f"{page}.html")]
    assert found == changed.split()


def test_failure_is_the_same_on_all_pages_until_it_is_another_one() -> None:
    other = Edition(failure=Problem("mkdocs.yml", 4, "is not valid"))
    assert BROKEN.state("index.html") == BROKEN.state("gone.html") == BROKEN.state(None)
    assert BROKEN.state(None) != other.state(None)


PATHS = {
    "/": "index.html",
    "/zh/": "zh/index.html",
    "/zh": "zh",
    "/a/b.html": "a/b.html",
    "/%E4%BD%A0.html": "你.html",
    "/a%20b.png": "a b.png",
}


@pytest.mark.parametrize("path", PATHS)
def test_paths(path: str) -> None:
    assert parse_path(path) == PATHS[path]


@pytest.mark.parametrize(
    "path",
    """
    //a /a//b /./a /a/.. /../a /%2e%2e/a /a/%2E%2E/b /%2e/a /.git/a /a/.b /%2egit/a /a%00b /%00 /a%5cb /a\\b /c:/a
    /%ff /a%0ab /con /a/nul.html /a. /a./b /%80.html
    """.split(),
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert parse_path(path) is None


def test_who_waits_is_told_of_a_change_that_concerns_them_and_of_the_end() -> None:
    board = Board()
    assert board.wait("index.html", SITE.state("index.html"), 0)
    board.pin(SITE)
    assert not board.wait("index.html", SITE.state("index.html"), 0)
    for act in (lambda: board.pin(BROKEN), board.close):
        thread = threading.Thread(target=act)
        waited = board.edition.state("index.html")
        thread.start()
        assert board.wait("index.html", waited, 60)
        thread.join()
    assert board.edition is BROKEN and board.is_closed
