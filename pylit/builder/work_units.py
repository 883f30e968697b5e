"""The units of work of a build. Each concerns one file, and any process can do it."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from ..cache import digest
from ..errors import PylitError, unexpected
from ..rendering import Fragments
from ..resolve import User
from ..site import Site, has_badges
from .result_cache import Record, keep_record
from .targets import Job, make_files

Users = Mapping[str, Collection[User]]
"""Definitions of a module, and the users of each."""


Done = list[tuple[Job, Record]]


@dataclass(frozen=True)
class Read:
    """Parse a file and collect its facts."""

    file: str

    def run(self, site: Site) -> Done:
        """Parse the file, and store what other files need of it. Returns no records."""
        if facts := site.sources.facts(self.file):
            for lang in site.settings.languages[1:]:
                with suppress(PylitError):  # reported when the page is made
                    site.translations.labels(self.file, lang)
                    if has_badges(site):
                        site.translations.counts(self.file, lang)
            if facts.module:
                with suppress(PylitError), unexpected(self.file, "a page"):  # likewise
                    _ = site.sources.module(self.file).coloured.pieces
        return []


@dataclass(frozen=True)
class Make:
    """Do the jobs of one file, given all that has to be known of other files."""

    file: str
    jobs: tuple[Job, ...]
    users: Users = field(default_factory=dict)

    def run(self, site: Site) -> Done:
        """Do the jobs, and store and return their records."""
        key = digest("fragments", site.identity, self.file)
        fragments = Fragments(site.store, key, site.workbench.typesetter)
        done = []
        for job in self.jobs:
            with site.questions.observing() as seen:
                with site.questions.noting() as notes:
                    made = make_files(job, site, fragments)
                record = keep_record(job, site, made, notes)
            is_kept = made.is_whole and not notes.is_torn
            done.append((job, replace(record, seen=frozenset(seen)) if is_kept else record))
        fragments.keep()
        return done


Task = Read | Make


@contextmanager
def few_collections() -> Iterator[None]:
    """Run the cyclic garbage collector less often: there is little garbage, and it takes a fifth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
