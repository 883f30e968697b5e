"""Builds a whole site into a folder, in several processes, without MkDocs.

Only files whose inputs have changed are made again; see `result_cache`. If there are errors, nothing is published
unless the caller wants to keep going.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from zlib import ZLIB_RUNTIME_VERSION

from ..cache import THEME, Store, canonical, digest, engine_digest, library_versions
from ..defaults import KATEX_LOCAL
from ..errors import Problem, PylitError, Report
from ..filesystem import read_file
from ..rendering import Fragments
from ..site import Site, extra_copies, theme_files
from .deps_log import DepsLog, output_signatures
from .guide_files import Load, guide_files
from .output import Item, publish
from .result_cache import Record, find_record, read_files
from .targets import Job, JobKind, make_files, site_jobs
from .work_units import Make, Read, few_collections
from .workplace import naming, unwritable, workplace
from .zip_archive import is_packed, pack

if TYPE_CHECKING:
    from .process_pool import Team

Advance = Callable[[int], None]
"""Called with the number of pages finished since the last call."""
Records = Mapping[Job, Record]
"""All jobs of a site and their results."""

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""Number of processes that can run in parallel."""
THEMED = "theme"
"""Owner of the theme's files in the manifest of a site."""
SHARED = 60_000
"""Minimum total size of sources in bytes for which starting processes pays off."""


def build(
    site: Site,
    out: Path,
    *,
    jobs: int = 0,
    strict: bool = False,
    keep_going: bool = False,
    lenient: bool = False,
    force: bool = False,
    advance: Advance = lambda count: None,
    is_whole: bool = True,
) -> Report:
    """Build `site` into the folder `out`.

    Args:
        site: The site to build.
        out: The output folder.
        jobs: Number of processes; 0 for one per core.
        strict: Whether to treat warnings as errors.
        keep_going: Whether to write the pages although there are errors.
        lenient: Whether to treat errors as warnings, since each affects only the element that has it. If a file that
            was named explicitly has no page, that is still an error.
        force: Whether to overwrite files in `out` that pylit did not write.
        advance: Called with the number of pages finished since the last call.
        is_whole: Whether to write the archive and the other files in the folder of guides; if not, the caller does so.

    Raises:
        PylitError: naming the folder that cannot be written, or the files in `out` that would be overwritten; or if
            Pagefind is needed and not installed.
    """
    report, cache = Report(), site.store.folder
    report.extend(site.problems)
    try:
        with closing(site), workplace(out) as place:
            # Processes exchange results through a store.
            folder = cache or place / "made"
            with naming(folder):
                site = site if cache else site.kept_in(Store(folder))
                log = DepsLog(site)
                made = make(site, jobs, advance, known=log.records())
                log.keep(made)
            report.depends |= set(extra_copies(site.settings).values())
            for record in made.values():
                report.extend(record.problems)
                report.depends |= {*record.depends, *record.copies.values()}
            report.missing = {job.file for job, record in made.items() if job.file and not record.files}
            written = {job.file for job, record in made.items() if job.file and record.files}
            has_failed = bool(report.errors)
            if lenient:
                # The user has named a file without a page, and might miss a warning.
                report.tolerate({root for root, _ in site.settings.roots} - written)
            beside = guide_files(site, report) if is_whole else {}
            has_failed = has_failed or bool(report.errors or (strict and report.warnings))
            if not has_failed or (written and (keep_going or lenient)):
                items = site_items(site, {**made, **indexed(site, made, place)}, beside)
                if is_whole and site.settings.archive:
                    items[site.settings.archive] = _archive(site, items)
                unmade = {job.name for job, record in made.items() if not record.files}
                with output_signatures(site.store, out) as signed:
                    publish(out, items, place, unmade, force=force, signed=signed)
            with naming(folder):
                site.store.prune()
    except OSError as error:
        raise PylitError(unwritable(error, out, cache)) from error
    return report


def rehearse(site: Site) -> None:
    """Make the first page and discard it, so that everything needed to make pages is loaded."""
    for page in site.pages[:1]:
        for lang in site.settings.languages:
            make_files(
                Job(JobKind.PAGE, page.file, lang), site, Fragments(typesetter=site.workbench.typesetter)
            )


def make(
    site: Site, jobs: int = 0, advance: Advance = lambda count: None, known: Records | None = None
) -> Records:
    """Make all files of `site` that are not in its store, nor in the results that are `known` to be valid.

    Raises:
        OSError: if the store cannot be written.
    """
    with ExitStack() as stack:
        stack.enter_context(few_collections())
        helpers = _Helpers(site, jobs or CORES, stack)
        made: dict[Job, Record | None] = {**(known or {})}
        doubtful = [job for job in site_jobs(site) if job not in made]
        files = {job.file for job in doubtful}
        unread = [
            page.file for page in site.pages if page.file in files and not site.sources.has_facts(page.file)
        ]
        reading = [Read(file) for file in unread]
        team = helpers.for_files(unread)
        for _ in team.run(reading) if team else (task.run(site) for task in reading):
            pass
        made |= {job: find_record(job, site) for job in doubtful}
        missing = [job for job in doubtful if made[job] is None]
        tasks = [Make(file, tuple(group)) for file, group in groupby(missing, lambda job: job.file)]
        ours = tasks = tasks[::-1]  # of a large site, only the files read last are still in memory
        waiting = {task.file for task in tasks if task.file}
        advance(len(site.pages) - len(waiting))
        if team := helpers.for_files(waiting):
            ours = [task for task in tasks if not task.file]
            users = site.definitions.index.users
            others = [replace(task, users=users.get(task.file, {})) for task in tasks if task.file]
            team.tell(site.definitions.index.classes)
            for done in team.run(others):
                made |= dict(done)
                advance(1)
        for task in ours:
            made |= dict(task.run(site))
            advance(bool(task.file))
    return {job: record for job in site_jobs(site) if (record := made.get(job)) is not None}


@dataclass
class _Helpers:
    """The processes that share the work, started once there is enough of it."""

    site: Site
    limit: int
    stack: ExitStack
    team: Team | None = None

    def for_files(self, files: Collection[str]) -> Team | None:
        """Return the processes if they are running, or if it pays off to start them for `files`."""
        size = min(self.limit, len(files))
        weights = {file: _size(self.site.files.path(file)) for file in files}
        if self.team is None and size > 1 and sum(weights.values()) >= SHARED:
            from .process_pool import Team

            self.team = Team(self.site, size, weights)
            self.stack.callback(self.team.stop)
        return self.team


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # reported when its page is made
        return 0


def indexed(site: Site, made: Records, place: Path) -> Records:
    """Make the search index, if the site has a search. It takes long, so a preview keeps the first one.

    Args:
        site: The site.
        made: The results of its jobs.
        place: A folder for temporary files.

    Raises:
        PylitError: if Pagefind is not installed.
    """
    if not site.settings.search:
        return {}
    pages = {url: key for url, (_, key) in _pages(made).items()}
    given = list(pages) if site.settings.preview else pages
    key = digest("search", site.identity, *library_versions(frozenset(["pagefind"])), canonical(given))
    try:
        files = read_files(site.store.get_json(key))
    except ValueError:
        files = {}
    if not files or not all(map(site.store.has, files.values())):
        files = _index(site, made, place)
        with naming(site.store.folder or place):
            site.store.put_json(key, files)
    return {Job(JobKind.SEARCH): Record(files)}


def _pages(made: Records) -> dict[str, tuple[Job, str]]:
    """Return the sorted addresses of all pages, each with its job and the key of its content."""
    found = {
        url: (job, key)
        for job, record in made.items()
        if job.kind is JobKind.PAGE
        for url, key in record.files.items()
        if url.endswith(".html")
    }
    return dict(sorted(found.items()))


def _index(site: Site, made: Records, place: Path) -> dict[str, str]:
    from .search_index import index_files

    html = ((url, _content(site, made, job, url, key).decode()) for url, (job, key) in _pages(made).items())
    with naming(place):
        index = index_files(html, place)
    with naming(site.store.folder or place):
        return {url: site.store.put_content(data) for url, data in index.items()}


def site_items(site: Site, made: Records, beside: Mapping[str, Load]) -> dict[str, Item]:
    """Return all files of a site by address: theme, made files, images, and files `beside` its guides.

    Raises:
        PylitError: naming a file that cannot be read.
    """
    items = theme_items(site)
    for job, record in made.items():
        for url, key in record.files.items():
            items[url] = Item(key, partial(_content, site, made, job, url, key), job.name)
        for url, file in record.copies.items():
            items[url] = _copy(partial(site.files.read_published, file), job.name)
    for url, load in beside.items():
        if url not in items:
            items[url] = _copy(load, "guides")
    return items


def _archive(site: Site, items: Mapping[str, Item]) -> Item:
    """Return the archive of all files of a site, which is made only if one of them has changed."""
    name = site.settings.archive
    packed = {url: item.digest for url, item in items.items() if is_packed(url) and url != name}
    key = digest("archive", engine_digest(), ZLIB_RUNTIME_VERSION, name, canonical(sorted(packed.items())))

    def load() -> bytes:
        target = BytesIO()
        pack(target, {url: items[url].load for url in packed}, PurePosixPath(name).stem)
        return target.getvalue()

    known = site.store.get_json(key)
    if isinstance(known, str):
        return Item(known, load, "archive")
    data = load()
    site.store.put_json(key, digest(data))
    return Item(digest(data), lambda: data, "archive")


def theme_items(site: Site) -> dict[str, Item]:
    """Return the files of the theme, overridden by those of the user's theme folder and configuration.

    Raises:
        PylitError: naming a file that cannot be read.
    """
    settings = site.settings
    has_katex = settings.katex_css == KATEX_LOCAL
    items = {asset: _copy((THEME / asset).read_bytes, THEMED) for asset in assets(has_katex=has_katex)}
    for address in theme_files(settings.theme):
        assert settings.theme is not None
        items[address] = _copy(partial(read_file, settings.theme / address, settings.theme), THEMED)
    for address, file in extra_copies(settings).items():
        items[address] = _copy(partial(site.files.read_published, file), THEMED)
    return items


def assets(*, has_katex: bool = True) -> Iterator[str]:
    """Yield the theme files that a site needs, relative to the theme."""
    katex = PurePosixPath(KATEX_LOCAL).parent.as_posix()
    for path in sorted((THEME / "assets").rglob("*")):
        asset = path.relative_to(THEME).as_posix()
        if path.is_file() and (has_katex or not asset.startswith(f"{katex}/")):
            yield asset


def _content(site: Site, made: Records, job: Job, url: str, key: str) -> bytes:
    data = site.store.get_content(key)
    if data is None:  # it is damaged, or the store has been emptied in the meantime
        with naming(site.store.folder or site.settings.base):
            if job.kind is JobKind.SEARCH:
                files: Mapping[str, str] = _index(site, made, site.store.folder or site.settings.base)
            else:
                ((_, record),) = Make(job.file, (job,)).run(site)
                files = record.files
        data = site.store.get_content(files.get(url, ""))
    if data is None:
        raise PylitError(Problem(job.file or url, 0, "has changed while the site was built", "Build again."))
    return data


def _copy(load: Callable[[], bytes], owner: str) -> Item:
    try:
        return Item(digest(load()), load, owner)
    except OSError as error:  # it existed when its page was made
        hint = "Build again when the file exists."
        raise PylitError(
            Problem(str(error.filename), 0, f"cannot be read: {error.strerror}", hint)
        ) from error
