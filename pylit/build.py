"""Builds a whole site into a folder, in several processes, with no MkDocs.

Pages are made beside the folder first and moved into it one by one, and only if they changed: whenever the build is
stopped, a file in the folder is the old one or the new one. With errors nothing is moved, unless the caller wants to
keep going.
"""

from __future__ import annotations

import filecmp
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from .document import THEME, document, extra_files
from .errors import Problem, PylitError, Report
from .references import Facts, Index
from .site import Page, Site
from .view import contents_page, render_notebook, render_page

Advance = Callable[[int], None]
"""Told how many more pages are done."""

CHUNK = 8
"""Pages a process takes at a time."""
INDEX = ".index"
"""The file by which processes share what they know of all modules."""


@dataclass(frozen=True)
class Done:
    """What became of some pages."""

    problems: tuple[Problem, ...]
    pictures: tuple[str, ...]


def build(
    site: Site,
    out: Path,
    *,
    jobs: int = 0,
    strict: bool = False,
    keep_going: bool = False,
    advance: Advance = lambda count: None,
) -> Report:
    """Build `site` into the folder `out` with `jobs` processes (0: one for each core).

    `strict` takes warnings for errors; with `keep_going`, the pages that are right are written although others are not.

    Raises:
        PylitError: naming the place, if it cannot be written.
    """
    report = Report()
    try:
        out.mkdir(parents=True, exist_ok=True)
        _build(site, out, report, jobs, strict, keep_going, advance)
    except OSError as error:
        place = error.filename or out
        hint = "Choose another folder, or make room there and allow writing."
        raise PylitError(Problem(str(place), 0, f"cannot be written: {error.strerror}", hint)) from error
    return report


def _build(
    site: Site, out: Path, report: Report, jobs: int, strict: bool, keep_going: bool, advance: Advance
) -> None:
    # Inside of the folder, so that files can be moved even where it is a file system of its own.
    with tempfile.TemporaryDirectory(prefix=".pylit-", dir=out) as folder:
        staged = Path(folder)
        pictures: dict[str, None] = {}
        for done, count in _render_all(site, staged, jobs):
            report.extend(done.problems)
            pictures |= dict.fromkeys(done.pictures)
            advance(count)
        if (report.errors or (strict and report.warnings)) and not keep_going:
            return
        (staged / INDEX).unlink(missing_ok=True)
        for url, text in extra_files(site):
            _write(staged / url, text)
        if "index.html" not in site.by_url:
            for lang in site.settings.languages:
                view = contents_page(site, lang)
                _write(staged / view.url, document(view))
        for file in pictures:
            _copy(site.path(file), staged / site.file_url(file))
        for asset in assets():
            _copy(THEME / asset, staged / asset)
        _publish(staged, out)


def assets() -> Iterator[str]:
    """The files of the theme that every site needs, relative to it."""
    for path in sorted((THEME / "assets").iterdir()):
        yield path.relative_to(THEME).as_posix()


def _render_all(site: Site, staged: Path, jobs: int) -> Iterator[tuple[Done, int]]:
    chunks = [site.pages[start : start + CHUNK] for start in range(0, len(site.pages), CHUNK)]
    jobs = min(jobs or os.cpu_count() or 1, len(chunks))
    if jobs <= 1:
        for chunk in chunks:
            yield render_pages(site, chunk, staged), len(chunk)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _start, (site, staged)) as pool:
        found = [facts for chunk in pool.map(_read_chunk, chunks) for facts in chunk if facts]
        with (staged / INDEX).open("wb") as file:
            pickle.dump(Index({facts.module: facts for facts in found}), file)
        for done, chunk in zip(pool.map(_render_chunk, chunks), chunks, strict=True):
            yield done, len(chunk)


_worker: tuple[Site, Path] | None = None
"""What a process of the pool works on."""


def _start(site: Site, staged: Path) -> None:
    global _worker
    _worker = site, staged


def _read_chunk(pages: Iterable[Page]) -> list[Facts | None]:
    assert _worker is not None
    return [_worker[0].facts(page.file) for page in pages]


def _render_chunk(pages: Iterable[Page]) -> Done:
    assert _worker is not None
    site, staged = _worker
    if "index" not in vars(site):
        with (staged / INDEX).open("rb") as file:
            vars(site)["index"] = pickle.load(file)  # written by this very build
    return render_pages(site, pages, staged)


def render_pages(site: Site, pages: Iterable[Page], out: Path) -> Done:
    """Render pages in all languages and write those without errors below `out`."""
    problems: list[Problem] = []
    pictures: dict[str, None] = {}
    for page in pages:
        for lang in site.settings.languages:
            report = Report()
            try:
                view = render_page(site, page, lang, report)
                notebook = render_notebook(site, page, lang, report) if site.notebook(page, lang) else ""
            except Exception as error:
                error.add_note(f"while rendering {page.file} in the language {lang}")
                raise
            problems += report.problems
            if view is not None and not report.errors:
                pictures |= dict.fromkeys(view.pictures)
                _write(out / view.url, document(view))
                if notebook:
                    _write(out / site.notebook(page, lang), notebook)
    return Done(tuple(problems), tuple(pictures))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)


def _publish(staged: Path, out: Path) -> None:
    """Move what changed from one folder into the other."""
    for path in sorted(staged.rglob("*")):
        target = out / path.relative_to(staged)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        elif not (target.is_file() and filecmp.cmp(path, target, shallow=False)):
            os.replace(path, target)
