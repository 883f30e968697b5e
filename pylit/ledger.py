"""Knows what jobs gave before, and whether it is what they would give now.

A record is found by all that a job is given: engine, settings, its file and the catalog of that. It tells which
questions were asked of the rest of the site, and what stands for their answers. It counts if they are answered alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .cache import digest
from .errors import Problem, Severity
from .jobs import Job, Made
from .questions import Notes, Question, is_question
from .site import Site

VARIANTS = 4
"""Records of a job that are kept, as on several branches the same file may stand beside different others."""


@dataclass(frozen=True)
class Record:
    """What a job gave. Its files are in the store."""

    files: Mapping[str, str] = field(default_factory=dict)
    """Address from the root of the site -> the key of what is to be there."""
    copies: Mapping[str, str] = field(default_factory=dict)
    """Address -> the file that is to be there too."""
    problems: tuple[Problem, ...] = ()


def find(job: Job, site: Site) -> Record | None:
    """What a job would give, if that is known."""
    for variant in _variants(job, site):
        if (found := _read(variant)) is not None:
            record, asked, answers = found
            if site.still(asked) == answers and all(site.store.has(key) for key in record.files.values()):
                return record
    return None


def put(job: Job, site: Site, made: Made, notes: Notes) -> Record:
    """Keep what a job gave. What has errors, and what is put together from two states, is told but not remembered."""
    files = {url: site.store.put_content(data) for url, data in made.files.items()}
    record = Record(files, made.copies, made.problems)
    if notes.is_torn or any(problem.severity is Severity.ERROR for problem in made.problems):
        return record
    asked = list(notes.asked)
    new = [asked, notes.answers, files, dict(made.copies), list(map(_plain, made.problems))]
    kept = [variant for variant in _variants(job, site) if variant != new]
    site.store.put_json(_key(job, site), [new, *kept][:VARIANTS])
    return record


def _key(job: Job, site: Site) -> str:
    given = [site.content(job.file)] if job.file else []
    if job.file and (catalog := site.catalog_of(job.file, job.lang)):
        given.append(site.content(catalog))
    return digest("job", site.identity, job.kind, job.file, job.lang, *given)


def _variants(job: Job, site: Site) -> list[Any]:
    found = site.store.get_json(_key(job, site))
    return found if isinstance(found, list) else []


def _read(variant: Any) -> tuple[Record, list[Question], str] | None:
    """A record, its questions and what stands for their answers; nothing if it is something else."""
    try:
        asked, answers, files, copies, problems = variant
        if not all(map(is_question, asked)):
            return None
        told = tuple(Problem(f, line, text, hint, Severity(s)) for f, line, text, hint, s in problems)
        return Record(dict(files), dict(copies), told), [tuple(question) for question in asked], str(answers)
    except (TypeError, ValueError):
        return None


def _plain(problem: Problem) -> list[str | int]:
    return [problem.file, problem.line, problem.message, problem.hint, problem.severity.value]
