"""The preview of a site shows what was saved, and what is wrong with it, and nothing that is not of the site."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT, Write
from mkdocs.livereload import LiveReloadServer

from pylit.serving import DELAY, INTERVAL, hurry, show_failures

CONFIG = """\
site_name: Test
theme: {name: pylit}
plugins:
  - pylit: {sources: [pkg], languages: [en, zh], search: false}
"""
PATIENCE = 60.0
"""Seconds after which we do not believe any more that the page will come."""


@dataclass
class Preview:
    """A preview that runs."""

    process: subprocess.Popen[bytes]
    port: int

    def get(self, url: str, words: str) -> str:
        """Wait until a page holds some words, and give it."""
        end = time.monotonic() + PATIENCE
        html = ""
        while words not in html:
            assert time.monotonic() < end, html
            time.sleep(0.05)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{url}") as answer:
                    html = answer.read().decode()
            except urllib.error.HTTPError as error:
                html = error.read().decode()
                error.close()
            except OSError:  # it has not started yet
                html = ""
        return html

    def ask(self, target: str) -> bytes:
        """The whole answer to a request for `target`, which is sent as it is."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(f"GET {target} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def memory(self) -> int:
        """KiB that it holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0])

    def children(self) -> list[str]:
        """The processes that it has started."""
        found: list[str] = []
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
                found += task.read_text().split()
        return found


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


def test_server_looks_after_each_build(tmp_path: Path) -> None:
    """Or nobody would notice that what it has read is undone before the next look, of which there is none here."""
    page = tmp_path / "docs/page.md"
    page.parent.mkdir()
    saves: Iterator[Callable[[], None]] = iter([page.touch, page.unlink])

    def build() -> None:
        next(saves)()
        raise ValueError("two for one page")

    server = show_failures(LiveReloadServer(build, "127.0.0.1", 0, str(tmp_path)))
    server.watch(str(page.parent))
    hurry(server, [str(page.parent)], [])
    for emitter in server.observer.emitters:
        emitter.on_thread_start()
    for kind in ("created", "deleted"):
        server.builder()
        events = []
        while not server.observer.event_queue.empty():
            events.append(server.observer.event_queue.get()[0])
        assert (kind, str(page)) in [(event.event_type, event.src_path) for event in events]
    server.server_close()


@pytest.fixture
def preview(write: Write, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    write("mkdocs.yml", CONFIG)
    write("pkg/__init__.py", '"""\n# Home\n\nSome words.\n"""\n')
    write("pkg/other.py", '"""\n# Other\n\nMore words.\n"""\n')
    write("docs/guide.md", "# Guide\n")
    write("translations/zh/pkg/__init__.po", 'msgid "Some words."\nmsgstr "一些话。"\n')
    outside = tmp_path_factory.mktemp("outside")
    for secret in (outside / "secret.txt", tmp_path / "secret.txt"):
        secret.write_text("Nobody may read this.\n")
    for number, target in enumerate((outside, outside / "secret.txt", Path(__file__))):
        (tmp_path / f"docs/link{number}").symlink_to(target)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mkdocs", "serve", "-f", str(tmp_path / "mkdocs.yml")]
    command += ["-a", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            yield Preview(process, port)
        finally:
            process.terminate()


def test_what_is_saved_is_shown(preview: Preview, write: Write, tmp_path: Path) -> None:
    get = preview.get
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


def test_broken_save_is_shown_on_every_page_and_the_next_one_mends_it(
    preview: Preview, write: Write, tmp_path: Path
) -> None:
    """Whatever is broken: a module, a catalog, a guide, the configuration, or the files as a whole."""
    get = preview.get
    get("index.html", "Some words.")
    write("pkg/other.py", "x = (((\n")
    assert "pkg/other.py:1: error: is no Python" in get("other.html", 'class="problems"')
    write("pkg/other.py", "\0")
    assert "pkg/other.py:1: error: is no Python" in get("other.html", "null bytes")
    (tmp_path / "pkg/other.py").write_bytes(b"\xff\xfe\xfd")
    get("other.html", "cannot be decoded")
    write("pkg/other.py", '"""\n# Other\n\nMore words.\n"""\n')
    get("other.html", "More words.")
    write("translations/zh/pkg/__init__.po", 'msgid "Some')
    get("zh/index.html", 'class="problems"')
    write("translations/zh/pkg/__init__.po", 'msgid "Some words."\nmsgstr "几句话。"\n')
    get("zh/index.html", "几句话。")
    write("docs/guide.md", "---\ntitle: [\n---\n")
    get("guide.html", "the front matter is no YAML")
    write("docs/guide.md", "# The guide\n")
    get("guide.html", ">The guide</h1>")

    write("mkdocs.yml", CONFIG.replace("search: false", "order: [pkg/<gone>.py]"))
    for url in ("index.html", "zh/other.html"):
        html = get(url, "is in the reading order")
        assert "pkg/&lt;gone&gt;.py: error:" in html and 'http-equiv="refresh"' in html
    write("mkdocs.yml", "site_name: [\n")
    get("index.html", "while parsing")
    write("mkdocs.yml", CONFIG)
    get("index.html", "Some words.")
    write("docs/other.md", "# Two for one page\n")
    get("index.html", "becomes the page `other.html`, as does `pkg/other.py`")
    (tmp_path / "docs/other.md").unlink()
    get("index.html", "Some words.")


SAVES = 1000


def test_a_thousand_quick_saves_end_right(preview: Preview, write: Write, tmp_path: Path) -> None:
    """No process and no memory is left behind, and what is shown at last is what was saved at last."""
    preview.get("index.html", "Some words.")
    held = []
    for save in range(SAVES):
        formula = rf"$\frac{{{save}}}$" if save % 7 == 0 else f"$x_{{{save}}}$"  # every seventh is wrong
        write(f"pkg/{('other', '__init__')[save % 2]}.py", f'r"""\n# Save {save}\n\n{formula}\n"""\n')
        if save % 10 == 0:
            write(f"pkg/m{save // 10 % 5}.py", f'"""\n# Module {save}\n"""\n')
        if save % 10 == 5:
            (tmp_path / f"pkg/m{save // 10 % 5}.py").unlink()
        time.sleep(0.003)
        if save % 100 == 99:
            preview.get(("other.html", "index.html")[save % 2], f"Save {save}</h1>")
            held.append(preview.memory())
    preview.get("other.html", "Save 998</h1>")
    assert 'class="problems"' not in preview.get("index.html", "Save 999</h1>")
    assert "There is no such page" in preview.get("m0.html", "There is no such page")
    assert len(preview.children()) <= 1  # KaTeX's
    assert held[-1] - held[2] < 20_000, held


def test_preview_is_for_this_machine_only(preview: Preview, root: Path) -> None:
    preview.get("index.html", "Some words.")
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{preview.port:04X}") and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F:{preview.port:04X}"]
    command = subprocess.run(
        ["make", "--dry-run", "serve"], cwd=root, capture_output=True, text=True, check=True
    )
    assert "--dev-addr 127.0.0.1:8000" in command.stdout
    assert "dev_addr" not in (root / "mkdocs.yml").read_text("utf-8")


DOTS = ("..", "%2e%2e", "%2E.", ".%2e", "..%00", "%c0%ae%c0%ae", "..%5c..", "%252e%252e", "....//")
SLASHES = ("/", "%2f", "%5c", "//", "/./")


@pytest.mark.parametrize("ways", ["", "/", "//", "/guide.html/", "/zh/", "/./", "/assets/"])
def test_preview_never_leaves_the_site(preview: Preview, tmp_path: Path, ways: str) -> None:
    preview.get("index.html", "Some words.")
    secret = tmp_path / "secret.txt"
    up = len(tmp_path.parts) + 3
    targets = [f"{ways}{(dot + slash) * up}{str(secret)[1:]}" for dot in DOTS for slash in SLASHES]
    targets += [f"{ways}{secret}", f"{ways}file://{secret}", f"{ways}/{secret}%00.html", f"file://{secret}"]
    targets += [f"{ways}{link}" for link in ("link0", "link0/secret.txt", "link1", "link2")]
    targets += [f"{ways}{name}" for name in ("mkdocs.yml", "../mkdocs.yml", ".pylit-manifest.json")]
    for target in targets:
        answer = preview.ask(target)
        assert b"Nobody may read this" not in answer, target
        assert b"site_name" not in answer and b"def test_" not in answer, target
    assert b" 404 " in preview.ask("/link1").split(b"\r\n")[0]
    preview.get("index.html", "Some words.")
