"""Builds a whole site into a folder, in several processes, with no MkDocs.

Only what would not be what it was is made anew: `ledger` knows that. With errors nothing is published, unless the
caller wants to keep going.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from .cache import Store, canonical, digest
from .engine import THEME, versions
from .errors import Problem, PylitError, Report
from .jobs import Job, site_jobs
from .ledger import Record, find
from .publish import Item, publish
from .site import Site
from .tasks import Make, Read, few_collections, work

if TYPE_CHECKING:
    from .workers import Team

Advance = Callable[[int], None]
"""Told how many more pages are done."""
Made = Mapping[Job, Record]
"""All jobs of a site and what they gave."""

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Processes that can run at a time."""
SHARED = 60_000
"""Bytes of sources from which on it is worth while to start processes."""


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
        PylitError: naming the place, if it cannot be written, or if Pagefind is needed and not installed.
    """
    report = Report()
    try:
        out.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            if site.store.folder is None:  # processes need a place to put what they make
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pylit-")))
                site = Site(site.settings, site.pages, Store(folder))
            made = make(site, jobs, advance)
            for record in made.values():
                report.extend(record.problems)
            if keep_going or not (report.errors or (strict and report.warnings)):
                write(site, {**made, **indexed(site, made)}, out)
            site.store.prune()
    except OSError as error:
        place = error.filename or out
        hint = "Choose another folder, or make room there and allow writing."
        raise PylitError(Problem(str(place), 0, f"cannot be written: {error.strerror}", hint)) from error
    return report


def make(site: Site, jobs: int = 0, advance: Advance = lambda count: None) -> Made:
    """Make everything that `site` is to hold, as far as its store does not have it.

    Raises:
        OSError: if the store cannot be written.
    """
    with ExitStack() as stack:
        stack.enter_context(few_collections())
        helpers = _Helpers(site, jobs or CORES, stack)
        unread = [page.file for page in site.pages if not site.is_read(page.file)]
        reading = [Read(file) for file in unread]
        team = helpers.for_files(unread)
        for _ in team.run(reading) if team else (work(site, task) for task in reading):
            pass
        made: dict[Job, Record | None] = {job: find(job, site) for job in site_jobs(site)}
        missing = [job for job, record in made.items() if record is None]
        tasks = [Make(file, tuple(group)) for file, group in groupby(missing, lambda job: job.file)]
        ours = tasks = tasks[::-1]  # of a large site, only what was read last is still at hand
        waiting = {task.file for task in tasks if task.file}
        advance(len(site.pages) - len(waiting))
        if team := helpers.for_files(waiting):
            ours = [task for task in tasks if not task.file]
            users = site.index.users
            others = [replace(task, users=users.get(task.file, {})) for task in tasks if task.file]
            team.tell(site.index.classes)
            for done in team.run(others):
                made |= dict(done)
                advance(1)
        for task in ours:
            made |= dict(work(site, task))
            advance(bool(task.file))
    return {job: record for job, record in made.items() if record is not None}


@dataclass
class _Helpers:
    """The processes that share the work, once there is enough of it."""

    site: Site
    limit: int
    stack: ExitStack
    team: Team | None = None

    def for_files(self, files: Collection[str]) -> Team | None:
        """The processes, if it is worth while to start them, or if they are there."""
        size = min(self.limit, len(files))
        weights = {file: _size(self.site.path(file)) for file in files}
        if self.team is None and size > 1 and sum(weights.values()) >= SHARED:
            from .workers import Team

            self.team = Team(self.site, size, weights)
            self.stack.callback(self.team.stop)
        return self.team


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # reported when its page is made
        return 0


def indexed(site: Site, made: Made) -> Made:
    """What readers search by, if they can search. Pagefind takes its time, so a preview keeps the first index.

    Raises:
        PylitError: if Pagefind is not installed.
    """
    if not site.settings.search:
        return {}
    pages = {
        url: key for job, record in made.items() if job.kind == "page" for url, key in record.files.items()
    }
    pages = {url: key for url, key in sorted(pages.items()) if url.endswith(".html")}
    given = list(pages) if site.settings.preview else pages
    key = digest("search", site.identity, *versions(frozenset(["pagefind"])), canonical(given))
    files = site.store.get_json(key)
    if not isinstance(files, dict) or not all(map(site.store.has, files.values())):
        from .search import index_files

        html = ((url, (site.store.get_content(key) or b"").decode()) for url, key in pages.items())
        files = {url: site.store.put_content(data) for url, data in index_files(html).items()}
        site.store.put_json(key, files)
    return {Job("search"): Record(files)}


def write(site: Site, made: Made, out: Path) -> None:
    """Publish what was made of `site` into the folder `out`, with the pictures and the files of the theme.

    Raises:
        OSError: if it cannot be written.
    """
    items: dict[str, Item] = {}
    for job, record in made.items():
        for url, key in record.files.items():
            items[url] = Item(key, partial(_content, site, job, url, key), job.name)
        for url, file in record.copies.items():
            items[url] = _copy(site.path(file), job.name)
    for asset in assets():
        items[asset] = _copy(THEME / asset, "theme")
    publish(out, items, {job.name for job, record in made.items() if not record.files})


def assets() -> Iterator[str]:
    """The files of the theme that every site needs, relative to it."""
    for path in sorted((THEME / "assets").iterdir()):
        yield path.relative_to(THEME).as_posix()


def _content(site: Site, job: Job, url: str, key: str) -> bytes:
    data = site.store.get_content(key)
    if data is None:  # somebody has emptied the store meanwhile
        ((_, record),) = work(site, Make(job.file, (job,)))
        data = site.store.get_content(record.files[url])
    assert data is not None
    return data


def _copy(path: Path, owner: str) -> Item:
    return Item(digest(path.read_bytes()), path.read_bytes, owner)
