"""The pieces that the work of a build is cut into: each is about one file, and any process can do it."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from .cache import digest
from .errors import PylitError
from .fragments import Fragments
from .jobs import Job, do
from .ledger import Record, put
from .site import Site

Users = Mapping[str, Collection[tuple[str, str]]]
"""Definitions of a module, and who uses each."""


@dataclass(frozen=True)
class Read:
    """A file to read, so that others can ask for its facts."""

    file: str


@dataclass(frozen=True)
class Make:
    """Jobs of one file to do, and what has to be known of all other files for it."""

    file: str
    jobs: tuple[Job, ...]
    users: Users = field(default_factory=dict)


Task = Read | Make
Done = list[tuple[Job, Record]]


@contextmanager
def few_collections() -> Iterator[None]:
    """Look less often for garbage that refers to itself: there is next to none, and it takes a fifth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def work(site: Site, task: Task) -> Done:
    """Do a task."""
    return _read(site, task.file) if isinstance(task, Read) else _make(site, task)


def _read(site: Site, file: str) -> Done:
    from .highlight import colour

    if facts := site.facts(file):
        for lang in site.settings.languages[1:]:
            with suppress(PylitError):  # reported when the page is made
                site.labels(file, lang)
        if facts.module:
            colour(site.source(file))
    return []


def _make(site: Site, task: Make) -> Done:
    fragments = Fragments(site.store, digest("fragments", site.identity, task.file))
    done = []
    for job in task.jobs:
        with site.noting() as notes:
            made = do(job, site, fragments)
        done.append((job, put(job, site, made, notes)))
    fragments.keep()
    return done
