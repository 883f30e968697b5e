"""The preview of a site shows what was saved."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Write
from mkdocs.livereload import LiveReloadServer

from pylit.serving import DELAY, INTERVAL, hurry

CONFIG = """\
site_name: Test
theme: {name: pylit}
plugins:
  - pylit: {sources: [pkg], languages: [en, zh], search: false}
"""
PATIENCE = 60.0
"""Seconds after which we do not believe any more that the page will come."""

Get = Callable[[str, str], str]


def test_server_looks_more_often(tmp_path: Path) -> None:
    for name in ("docs", "theme", "new"):
        (tmp_path / name).mkdir()
    docs, theme, new = (str(tmp_path / name) for name in ("docs", "theme", "new"))
    server = LiveReloadServer(lambda: None, "127.0.0.1", 0, str(tmp_path))
    server.watch(docs)
    server.watch(theme)
    hurry(server, [docs, None], [theme, new])
    server.watch(new)
    emitters = server.observer.emitters
    assert {emitter.watch.path: emitter.timeout for emitter in emitters} == dict.fromkeys(
        [docs, theme, new], INTERVAL
    )
    assert server.build_delay == DELAY
    server.server_close()


@pytest.fixture
def get(write: Write, tmp_path: Path) -> Iterator[Get]:
    """Waits until a page of a preview holds some words, and gives it."""
    write("mkdocs.yml", CONFIG)
    write("pkg/__init__.py", '"""\n# Home\n\nSome words.\n"""\n')
    write("pkg/other.py", '"""\n# Other\n\nMore words.\n"""\n')
    write("docs/guide.md", "# Guide\n")
    write("translations/zh/pkg/__init__.po", 'msgid "Some words."\nmsgstr "一些话。"\n')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "serve",
        "-f",
        str(tmp_path / "mkdocs.yml"),
        "-a",
        f"127.0.0.1:{port}",
    ]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:

        def page(url: str, words: str) -> str:
            end = time.monotonic() + PATIENCE
            html = ""
            while words not in html:
                assert time.monotonic() < end, html
                time.sleep(0.05)
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{url}") as answer:
                        html = answer.read().decode()
                except urllib.error.HTTPError as error:
                    html = error.read().decode()
                    error.close()
                except OSError:  # it has not started yet
                    html = ""
            return html

        try:
            yield page
        finally:
            process.terminate()


def test_what_is_saved_is_shown(get: Get, write: Write, tmp_path: Path) -> None:
    assert "Content-Security-Policy" not in get("index.html", "Some words.")
    assert "livereload" in get("zh/index.html", "一些话。")

    write("pkg/__init__.py", '"""\n# Home\n\nSome words.\n\nA sentence more.\n"""\n')
    get("index.html", "A sentence more.")
    write("translations/zh/pkg/__init__.po", 'msgid "Some words."\nmsgstr "几句话。"\n')
    get("zh/index.html", "几句话。")
    write("docs/guide.md", "# The guide\n")
    get("guide.html", ">The guide</h1>")
    get("other.html", "The guide")  # which comes before it

    write("pkg/other.py", '"""\n# Other\n\n$\\frac$\n"""\n')
    assert "the formula `\\frac` is wrong" in get("other.html", 'class="problems"').replace("&#39;", "'")
    write("pkg/other.py", '"""\n# Other\n\nRight again.\n"""\n')
    assert 'class="problems"' not in get("other.html", "Right again.")

    write("pkg/new.py", '"""\n# New\n"""\n')
    get("new.html", ">New</h1>")
    (tmp_path / "pkg/new.py").unlink()
    get("new.html", "There is no such page")
    write("mkdocs.yml", CONFIG.replace("Test", "Trial"))
    get("index.html", "· Trial</title>")
    assert (tmp_path / ".pylit-cache/.gitignore").is_file()
