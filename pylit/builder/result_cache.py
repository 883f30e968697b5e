"""Caches the results of jobs, and decides whether they are still valid.

A record is found by the inputs of a job: engine, settings, its file and that file's catalog. It contains the questions
that the job asked about the rest of the site, and a digest of their answers; it is valid if the answers are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..cache import Notes, Observation, Question, Questions, digest, is_key
from ..errors import Problem, PylitError, unexpected
from ..filesystem import AddressError, parse_address
from ..site import Site, files_asked
from .targets import Job, MadeFiles

VARIANTS = 4
"""Number of records kept per job, for example for branches on which the same file has different neighbours."""


@dataclass(frozen=True)
class Record:
    """The result of a job. Its files are in the store."""

    files: Mapping[str, str] = field(default_factory=dict)
    """Address relative to the root of the site -> key of its content."""
    copies: Mapping[str, str] = field(default_factory=dict)
    """Address -> file that is copied there."""
    problems: tuple[Problem, ...] = ()
    depends: frozenset[str] = frozenset()
    """The files that it asked for, whether they exist or not, and glob patterns."""
    seen: frozenset[Observation] | None = None
    """The observations that its answers depend on; `None` if the next build is to try again."""


@dataclass(frozen=True)
class _Variant:
    """The result of a job for certain answers of the rest of the site."""

    record: Record
    asked: list[Question]
    answers: str
    """Digest of all answers."""


def find_record(job: Job, site: Site) -> Record | None:
    """Return the cached result of a job if it is still valid."""
    with site.questions.observing() as seen:
        found = _find_record(job, site)
    return replace(found, seen=frozenset(seen)) if found else None


def _find_record(job: Job, site: Site) -> Record | None:
    for variant in _variants(job, site):
        if (found := _read(variant, site.questions)) is not None:
            record = found.record
            is_there = all(site.store.has(key) for key in record.files.values())
            is_there = is_there and all(site.files.is_publishable(file) for file in record.copies.values())
            if is_there and _is_still(site, found):
                return replace(record, depends=files_asked(found.asked))
    return None


def _is_still(site: Site, variant: _Variant) -> bool:
    """Return whether the questions of a variant still have the same answers."""
    try:
        with unexpected("", "an answer"):  # reported when the job is done
            return site.questions.answers_now(variant.asked) == variant.answers
    except (PylitError, ValueError, OSError):  # the question cannot be asked, so the record is damaged
        return False


def keep_record(job: Job, site: Site, made: MadeFiles, notes: Notes) -> Record:
    """Store the result of a job, unless it is incomplete or mixes two states of a file.

    A result with an address that files cannot have becomes an error without files.
    """
    if wrong := [problem for url in [*made.files, *made.copies] if (problem := _wrong_address(url, job))]:
        made = MadeFiles(problems=(*made.problems, *wrong), is_whole=False)
    files = {url: site.store.put_content(data) for url, data in made.files.items()}
    record = Record(files, made.copies, made.problems, files_asked(notes.asked))
    if notes.is_torn or not made.is_whole:
        return record
    asked = list(notes.asked)
    new = [asked, notes.answers, files, dict(made.copies), [problem.as_json() for problem in made.problems]]
    kept = [variant for variant in _variants(job, site) if variant != new and _read(variant, site.questions)]
    site.store.put_json(_key(job, site), [new, *kept][:VARIANTS])
    return record


def _key(job: Job, site: Site) -> str:
    given = [site.files.content(job.file)] if job.file else []
    if job.file and (catalog := site.translations.catalog_of(job.file, job.lang)):
        given.append(site.files.content(catalog))
    return digest("job", site.identity, job.kind, job.file, job.lang, *given)


def _variants(job: Job, site: Site) -> list[Any]:
    found = site.store.get_json(_key(job, site))
    return found if isinstance(found, list) else []


def _read(variant: Any, questions: Questions) -> _Variant | None:
    """Parse a variant from the store; return `None` if it is not valid."""
    try:
        asked, answers, files, copies, problems = variant
        remembered = tuple(map(Problem.from_json, problems))
        record = Record(
            read_files(files), {parse_address(url): parse_address(copies[url]) for url in copies}, remembered
        )
        if all(map(questions.is_question, asked)) and is_key(answers):
            return _Variant(record, [tuple(question) for question in asked], answers)
    except (TypeError, ValueError, LookupError):
        pass
    return None


def read_files(value: Any) -> dict[str, str]:
    """Parse addresses of files and the keys of their contents from a store.

    Raises:
        ValueError: if `value` is not valid.
    """
    if not isinstance(value, dict) or not all(map(is_key, value.values())):
        raise ValueError("not files and their keys")
    return {parse_address(url): key for url, key in value.items()}


def _wrong_address(url: str, job: Job) -> Problem | None:
    try:
        parse_address(url)
    except AddressError as error:
        hint = "Rename the file."
        return Problem(job.file, 0, f"has the address {url!a}, which is not valid for a file: {error}", hint)
    return None
