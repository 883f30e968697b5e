"""The log of what each result of a build depends on in the file system, as in Ninja.

It answers from the inputs up what may have changed: files with the same signature are not read, and jobs none of whose
observations have changed are not asked about. Everything else is decided as without a log, by questions and answers.
The log is valid for one list of pages, on one machine.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from ..cache import Observation, Store, canonical, digest
from ..errors import Problem
from ..filesystem import Signature, is_entry, parse_address, signature
from ..resolve import User
from ..site import CONTENT, HEAD, STRUCTURE, Site, head_state
from .output import Signed
from .result_cache import Record, read_files
from .targets import Job, JobKind

Value = Any
"""What was seen: a digest, a kind, or a list of names."""


@dataclass
class News:
    """What a process has observed since it was asked last."""

    observed: dict[Observation, Value] = field(default_factory=dict)
    signatures: dict[str, Signature] = field(default_factory=dict)
    torn: set[Observation] = field(default_factory=set)

    def add_to(self, site: Site) -> None:
        """Add it to what is known in this process."""
        for (kind, about), value in self.observed.items():
            site.questions.observe(kind, about, value)
        site.questions.torn |= self.torn
        for file, signed in self.signatures.items():
            if site.files.signatures.setdefault(file, signed) != signed:
                site.questions.torn.add((CONTENT, file))


@dataclass
class Told:
    """How much of its observations a process has told."""

    observed: int = 0
    signatures: int = 0

    def news(self, site: Site) -> News:
        """Return what has not been told yet."""
        observed, signatures = site.questions.observed, site.files.signatures
        found = News(
            dict(islice(observed.items(), self.observed, None)),
            dict(islice(signatures.items(), self.signatures, None)),
            set(site.questions.torn),
        )
        self.observed, self.signatures = len(observed), len(signatures)
        return found


@contextmanager
def output_signatures(store: Store, out: Path) -> Iterator[dict[str, Signed]]:
    """Provide the digests and signatures of the files that the last build has left in `out`, and keep the new ones."""
    key = digest("outputs", socket.gethostname(), os.path.realpath(out))
    found = store.get_json(key)
    before = _signed_files(found)
    signed = dict(before)
    yield signed
    if signed != before:
        store.put_json(key, signed)


def _signed_files(found: Any) -> dict[str, Signed]:
    try:
        return {url: (str(key), (size, *times)) for url, (key, (size, *times)) in found.items()}
    except (AttributeError, TypeError, ValueError):
        return {}


class DepsLog:
    """The log of the last build of a site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        pages = [[page.file, page.url] for page in site.pages]
        place = os.path.realpath(site.settings.base)
        self.key = digest("deps", site.identity, canonical(pages), socket.gethostname(), place)
        self.is_same = False
        """Whether nothing has changed since, so that the log need not be written again."""
        self.are_signed = True
        """Whether all signatures are still the same."""

    def records(self) -> dict[Job, Record]:
        """Return the results of the jobs none of whose observations have changed."""
        try:
            return self._records(self.site.store.get_json(self.key))
        except (TypeError, ValueError, LookupError):  # there is none, or it is not valid
            return {}

    def _records(self, log: Any) -> dict[Job, Record]:
        site = self.site
        observed, jobs, structures, names = (
            log[part] for part in ("observed", "jobs", "structures", "names")
        )
        changed: set[int] = set()
        files: set[str] = set()
        for number, (kind, about, value, signed) in enumerate(observed):
            if kind == STRUCTURE:
                site.questions.observed[kind, about] = value
                continue
            if not self._is_same(kind, about, value, signed):
                changed.add(number)
                if kind == CONTENT:
                    files.add(about)
        pages = site.navigation.by_file
        ours = {file for file in files if file in pages}
        if all(structures.get(file) == site.definitions.structure(file) for file in ours):
            site.definitions.structures |= {
                file: value for file, value in structures.items() if file not in ours
            }
            if ours:
                self._restore()
        else:
            site.definitions.structures.clear()
            changed |= {number for number, about in enumerate(observed) if about[0] == STRUCTURE}
        seen = [(kind, about) for kind, about, _, _ in observed]
        found: dict[Job, Record] = {}
        for kind, file, lang, made, copies, problems, depends, numbers in jobs:
            if not changed.isdisjoint(numbers):
                continue
            copied: dict[str, str] = {parse_address(url): parse_address(copies[url]) for url in copies}
            if not all(map(site.files.is_publishable, copied.values())):
                continue
            found[Job(JobKind(kind), file, lang)] = Record(
                read_files(made),
                copied,
                tuple(map(Problem.from_json, problems)),
                frozenset(names[number] for number in depends),
                frozenset(seen[number] for number in numbers),
            )
        self.is_same = not changed and self.are_signed and len(found) == len(jobs)
        return found

    def _is_same(self, kind: str, about: str, value: Value, signed: Any) -> bool:
        """Return whether an observation is what it was, and note it again."""
        site = self.site
        if kind == CONTENT:
            path = site.files.path(about)
            now = signature(path)
            is_absent = now is None and value == "" and not is_entry(path)
            if not is_absent and (now is None or list(now) != signed):
                self.are_signed = self.are_signed and now is None
                if site.files.now(CONTENT, about) != value:
                    return False
            if now:
                site.files.signatures[about] = now
        elif kind == HEAD:
            folder = site.settings.translations
            if (head_state(folder) if folder else "") != value:
                return False
        elif site.files.now(kind, about) != value:
            return False
        site.questions.observed[kind, about] = value
        return True

    def _restore(self) -> None:
        """Restore what was found in all modules together."""
        found = self.site.store.get_json(digest("index", self.key))
        if not isinstance(found, dict) or found.get("structures") != self._structures():
            return
        users = {
            file: {name: [User(*user) for user in users] for name, users in names.items()}
            for file, names in found["users"].items()
        }
        self.site.definitions.restore(found["classes"], users)

    def _structures(self) -> str:
        return digest(canonical(self.site.definitions.structures))

    def keep(self, made: Mapping[Job, Record]) -> None:
        """Write the log of a build with these results."""
        site = self.site
        if self.is_same or site.store.folder is None:
            return
        torn = site.questions.torn
        logged = [
            (job, record, record.seen)
            for job, record in made.items()
            if record.seen is not None and torn.isdisjoint(record.seen)
        ]
        numbers: dict[Observation, int] = {}
        names: dict[str, int] = {}
        for _, record, seen in logged:
            for observation in seen:
                numbers.setdefault(observation, len(numbers))
            for name in record.depends:
                names.setdefault(name, len(names))
        observed = [
            [kind, about, site.questions.observed[kind, about], self._signed(kind, about)]
            for kind, about in numbers
        ]
        jobs = [
            [
                job.kind,
                job.file,
                job.lang,
                record.files,
                record.copies,
                [problem.as_json() for problem in record.problems],
                [names[name] for name in record.depends],
                [numbers[observation] for observation in seen],
            ]
            for job, record, seen in logged
        ]
        structures = {page.file: site.definitions.structure(page.file) for page in site.pages}
        log = {"observed": observed, "jobs": jobs, "structures": structures, "names": list(names)}
        site.store.put_json(self.key, log)
        index = vars(site.definitions.index)
        if "users" in index and "classes" in index:
            users = {
                file: {name: [[user.module, user.name] for user in users] for name, users in names.items()}
                for file, names in index["users"].items()
            }
            kept = {"structures": self._structures(), "classes": index["classes"], "users": users}
            site.store.put_json(digest("index", self.key), kept)

    def _signed(self, kind: str, about: str) -> Signature | None:
        return self.site.files.signatures.get(about) if kind == CONTENT else None
