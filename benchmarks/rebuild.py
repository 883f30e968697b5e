"""This site made again: when nothing has changed, when a file has, and in a preview, from saving to the page reloaded.

Everything happens on a copy of the repository. The preview is `pylit serve`, and its page is a program that does what
the script in a page does: it waits for the server to tell of something new, then loads the page again.
"""

from __future__ import annotations

import random
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

import polib

from .measure import ENVIRONMENT, PYLIT, ROOT, Row, alternate, arguments, finish, machine, parse, run, summary
from .trees import LINKED, TRANSLATED

GOALS = {
    "help": 0.15,
    "nothing": 0.5,
    "module": 0.3,
    "module, all languages": None,
    "catalog": None,
    "preview, module": 0.6,
    "preview, catalog": 1.0,
}
"""Seconds; where we have promised none, `None`."""
COPIED = ("labml_nn", "docs", "translations", "experiments", "README.md")
CONFIGURED = ("pyproject.toml",)
"""What the preview needs besides; `pylit render` is told everything by options."""
RENDER = (*PYLIT, "render", "labml_nn", "docs", *LINKED)
ENGLISH = (*RENDER, "--out", "english")
ALL = (*RENDER, "--out", "all", "--notebooks", *TRANSLATED)
PATIENCE = 60.0
"""Seconds after which a page will not come any more."""


@dataclass
class Saved:
    """A file that is saved again and again, each time with another word in its prose."""

    path: Path
    lang: str
    """The language of the page on which the word is seen then."""
    text: Callable[[str], str]
    """What the file holds, for a word."""
    numbers: Iterator[int] = field(default_factory=lambda: count(70001))

    @property
    def page(self) -> str:
        """The address of that page, from the root of the site."""
        return f"{'' if self.lang == 'en' else self.lang + '/'}resnet/index.html"

    @property
    def rendered(self) -> str:
        """The same for `pylit render`, to which the modules are one folder of several."""
        return self.page.replace("resnet/", "labml_nn/resnet/")

    def save(self) -> str:
        """Save it, and return the new word."""
        word = f"edit{next(self.numbers)}"
        self.path.write_text(self.text(word), "utf-8")
        return word


def main() -> None:
    """Measure, print and write."""
    options = parse(arguments("rebuild", __doc__, rounds=15))
    on = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        site = Path(folder)
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            copy(ROOT / name, site / name)
        module, catalog = saved_module(site), saved_catalog(site)
        run(ENGLISH, site)
        run(ALL, site)
        measured = alternate(
            {
                "help": lambda: run([*PYLIT, "--help"], site).seconds,
                "nothing": lambda: run(ALL, site).seconds,
                "module": lambda: remake(site, ENGLISH, module),
                "module, all languages": lambda: remake(site, ALL, module),
                "catalog": lambda: remake(site, ALL, catalog),
            },
            options.rounds,
        )
        for name in CONFIGURED:
            shutil.copyfile(ROOT / name, site / name)
        with preview(site) as address:
            runs = {"module": module, "catalog": catalog}
            measured |= alternate(
                {f"preview, {name}": partial(reload, address, saved) for name, saved in runs.items()},
                options.rounds,
            )
    columns = "changed n median low high worst goal".split()
    finish("rebuild", rows(measured), columns, options, on, peers=["watchfiles"])


def rows(measured: Mapping[str, list[float]]) -> list[Row]:
    """The results, in seconds."""
    return [
        {"changed": name, "n": len(seconds), **summary(seconds), "goal": GOALS[name]}
        for name, seconds in measured.items()
    ]


def saved_module(site: Path) -> Saved:
    """The module with the most prose. A sentence below its title changes."""
    path = site / "labml_nn/resnet/__init__.py"
    title = re.compile(r"(?m)^# .+\n")
    before = path.read_text("utf-8")
    return Saved(path, "en", lambda word: title.sub(rf"\g<0>\nThis is {word}.\n", before, count=1))


def saved_catalog(site: Path) -> Saved:
    """The Chinese catalog of that module. The longest translation of plain words changes, no title."""
    path = site / "translations/zh/labml_nn/resnet/__init__.po"
    catalog = polib.pofile(str(path), wrapwidth=0)
    plain = [entry for entry in catalog if entry.translated() and re.fullmatch(r"[\w ,.:;]+", entry.msgid)]
    entry = max(plain, key=lambda entry: len(entry.msgid))
    before = entry.msgstr

    def text(word: str) -> str:
        entry.msgstr = f"{before} {word}"
        return str(catalog)

    return Saved(path, "zh", text)


def remake(site: Path, command: Sequence[str], saved: Saved) -> float:
    """Seconds to make the site again after a file was saved."""
    word = saved.save()
    seconds = run(command, site).seconds
    if word not in (site / command[command.index("--out") + 1] / saved.rendered).read_text("utf-8"):
        raise RuntimeError(f"{saved.path.name} was saved, and {saved.rendered} does not show it")
    return seconds


@contextmanager
def preview(site: Path) -> Iterator[str]:
    """`pylit serve` on a site, once it answers; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [*PYLIT, "serve", "--address", address]
    with subprocess.Popen(command, cwd=site, env=ENVIRONMENT, stdout=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + PATIENCE
            while not _answers(address):
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("the preview did not start; run `make serve` to see why")
                time.sleep(0.1)
            yield address
        finally:
            process.terminate()


def _answers(address: str) -> bool:
    try:
        return bool(_get(address, "index.html"))
    except OSError:
        return False


def _get(address: str, page: str) -> str:
    with urllib.request.urlopen(f"http://{address}/{page}", timeout=PATIENCE) as answer:
        return str(answer.read().decode("utf-8"))


def reload(address: str, saved: Saved) -> float:
    """Seconds from saving a file until its page has come with what is new in it."""
    page = _get(address, saved.page)
    # Whoever looks at the files at intervals is met at any point of them.
    time.sleep(random.uniform(0.3, 0.6))
    waiting = _wait(address, saved, page)
    start = time.perf_counter()
    word = saved.save()
    while time.perf_counter() < start + PATIENCE:
        with closing(waiting), suppress(TimeoutError):
            for line in waiting.getresponse():
                if line.startswith(b"data:"):
                    break
        page = _get(address, saved.page)
        if word in page:
            return time.perf_counter() - start
        waiting = _wait(address, saved, page)
    waiting.close()
    raise RuntimeError(f"{saved.path.name} was saved, and {saved.page} did not show it")


def _wait(address: str, saved: Saved, page: str) -> HTTPConnection:
    """Ask the server to tell when a page is not what it was, as the script in the page does."""
    state = re.search(r'data-state="([^"]+)"', page)
    assert state, "the preview no longer puts its script into pages"
    connection = HTTPConnection(address, timeout=PATIENCE)
    connection.request("GET", f"/.pylit/events?page=/{saved.page}&state={state[1]}")
    return connection


if __name__ == "__main__":
    main()
