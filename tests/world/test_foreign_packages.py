"""Packages that other people wrote become pages: nothing lost, no markup left, no link that leads nowhere.

The packages are pinned in `requirements/world.lock`. They are not part of the repository.
`WORLD=path:path make world` tries other folders.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from counting import work
from foreign_pages import RAW, SECTIONS, PageReader, code_lines
from packaging.utils import canonicalize_name
from sampling import thinned

import pylit

INSTALLED = Path(sys.prefix) / "world"
MARKS = str.maketrans({"\t": " ", "\f": " ", "\xa0": " "})


IMPORTED = {"torchvision"}
"""Installed for `peers.py` rather than to be rendered."""


def trees() -> Iterator[Path]:
    """Folders to render: those in the variable `WORLD`, or else the installed packages."""
    if chosen := os.environ.get("WORLD"):
        yield from map(Path, chosen.split(os.pathsep))
        return
    for path in sorted(INSTALLED.glob("*/")):
        if path.name in IMPORTED:
            continue
        if any(path.rglob("*.py")) or any(path.rglob("*.pyi")):
            yield path


ALWAYS = {
    "attr",
    "constantly",
    "einops",
    "fastcore",
    "keras_preprocessing",
    "labml_nn",
    "numpydoc",
    "requests",
}
"""One of each dialect. `make test` leaves the other packages to `make world` and to `EVERYTHING=1`."""


def marked(found: Iterator[Path]) -> list[Any]:
    if os.environ.get("WORLD"):
        return list(found)
    return [path if path.name in ALWAYS else pytest.param(path, marks=pytest.mark.thorough) for path in found]


def tree_name(tree: Path) -> str:
    return tree.name


def test_all_packages_are_installed(root: Path) -> None:
    lock = (root / "requirements/world.lock").read_text("utf-8")
    pinned = set(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", lock, re.MULTILINE))
    found = {(canonicalize_name(d.name), d.version) for d in distributions(path=[os.fspath(INSTALLED)])}
    assert found == pinned, "run `make world`"


@pytest.mark.process
@pytest.mark.parametrize("tree", marked(trees()), ids=tree_name)
def test_foreign_tree(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = pylit.render(tree, "pages", jobs=1, cache="", search=False)
    assert list(report.errors) == []
    assert list(report.missing) == []
    files = {
        path.relative_to("pages").as_posix(): PageReader(path.read_text("utf-8"))
        for path in Path("pages").rglob("*.html")
    }
    assert files
    sources = [path for path in tree.rglob("*.py") if "__pycache__" not in path.parts]
    pages = {source: files.get(address(source.relative_to(tree))) for source in sources}
    assert sum(page is None for page in pages.values()) <= len(sources) / 100
    problems = [
        *(f"{source}: {text}" for source, page in pages.items() if page for text in lost(source, page)),
        *(f"{name}: {text}" for name, page in files.items() for text in raw(page)),
        *(
            f"{source}: heading {text!r}"
            for source, page in pages.items()
            if page
            for text in sorted(SECTIONS.intersection(page.headings))
        ),
        *(
            f"{name}: {link} leads nowhere"
            for name, page in files.items()
            for link in dangling(name, page, files)
        ),
    ]
    assert "\n".join(problems[:20]) == ""


@pytest.mark.parametrize("tree", thinned(trees(), 8), ids=tree_name)
def test_work_grows_with_the_length_of_a_module(tree: Path, tmp_path: Path) -> None:
    """The module that says the most for its length, once, twice and four times in one file."""
    source = most_talkative(tree).read_text("utf-8-sig")
    counted = []
    for factor in (0, 1, 2, 4):  # the first fills what is filled once
        folder = tmp_path / f"{factor}"
        folder.mkdir()
        (folder / "a.py").write_text("\n".join([source] * max(factor, 1)), "utf-8")
        render = partial(pylit.render, folder, tmp_path / "pages", jobs=1, cache="")
        counted.append(min(work(render), work(render)))  # now and then, a process or a cache is made anew
    _, one, two, four = counted
    # Twice as much, and 5 % of what varies from run to run; four times as much if each line looked at all others.
    assert four - two <= 2.2 * (two - one) + 0.05 * four, counted


def most_talkative(tree: Path) -> Path:
    """The module with the most comments and docstrings among the five that come nearest to 100 lines."""
    modules = {
        path: path.read_text("utf-8", "replace")
        for pattern in ("*.py", "*.pyi")
        for path in sorted(tree.rglob(pattern))
    }
    nearest = sorted(modules, key=lambda path: abs(modules[path].count("\n") - 100))[:5]
    return max(nearest, key=lambda path: modules[path].count("#") + modules[path].count('"""'))


def address(file: Path) -> str:
    """The page of a module; `__init__.py` is the index of its folder."""
    name = "index" if file.stem == "__init__" else file.stem
    return file.with_name(f"{name}.html").as_posix()


def lost(source: Path, page: PageReader) -> Iterator[str]:
    """Lines of code that are missing on the page, changed, or out of order."""
    numbers = [number for number, _ in page.lines]
    if numbers != sorted(set(numbers)):
        yield "lines are repeated or out of order"
    shown = dict(page.lines)
    try:
        expected = list(code_lines(source.read_text("utf-8-sig")))
    except SyntaxError:
        expected = list(enumerate(source.read_text("utf-8-sig").split("\n"), 1))
    for number, text in expected:
        if not plain(shown.get(number, "")).startswith(plain(text)):
            yield f"line {number} is {shown.get(number)!r}, expected {text!r}"


def plain(text: str) -> str:
    return " ".join(text.translate(MARKS).split())


def raw(page: PageReader) -> Iterator[str]:
    """Markup that is left in the prose of a page."""
    for kind, pattern in RAW.items():
        for match in pattern.finditer(page.prose):
            yield f"{kind} {page.prose[max(match.start() - 40, 0) : match.end() + 40]!r}"


def dangling(name: str, page: PageReader, files: dict[str, PageReader]) -> Iterator[str]:
    """Links to pages or places that do not exist."""
    for link in page.links:
        target, fragment = urldefrag(link)
        parts = urlsplit(target)
        if parts.scheme or parts.netloc or target.startswith("/"):
            continue
        path = (
            os.path.normpath(os.path.join(os.path.dirname(name), unquote(parts.path))) if parts.path else name
        )
        if parts.path.endswith("/") or path == ".":
            path = os.path.join(path, "index.html")
        if path.endswith(".html"):
            if path not in files or (fragment and unquote(fragment) not in files[path].ids):
                yield link
        elif not (Path("pages") / path).exists():
            yield link
