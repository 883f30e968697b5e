"""A small site, and a preview of it that runs, whichever command makes it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from conftest import ROOT, Write

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

    def ask(self, target: str, *heads: str) -> bytes:
        """The whole answer to a request for `target`, which is sent as it is, with these heads or its own host."""
        lines = heads or (f"Host: 127.0.0.1:{self.port}",)
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall("\r\n".join([f"GET {target} HTTP/1.0", *lines, "", ""]).encode())
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


def write_site(write: Write) -> None:
    """Write a site of two modules and a guide, with one translation."""
    write("mkdocs.yml", CONFIG)
    write("pkg/__init__.py", '"""\n# Home\n\nSome words.\n"""\n')
    write("pkg/other.py", '"""\n# Other\n\nMore words.\n"""\n')
    write("docs/guide.md", "# Guide\n")
    write("translations/zh/pkg/__init__.po", 'msgid "Some words."\nmsgstr "一些话。"\n')


@contextmanager
def previewing(site: Path, command: str, port: int = 0) -> Iterator[Preview]:
    """Start a preview of the site in a folder: `mkdocs`, `properdocs` or `pylit`, and options."""
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
        port = free.getsockname()[1]
    tool, *options = command.split()
    given = ["-m", tool, "serve", "-f", str(site / "mkdocs.yml"), "-a", f"127.0.0.1:{port}", *options]
    with subprocess.Popen([sys.executable, *given], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            yield Preview(process, port)
        finally:
            process.terminate()
