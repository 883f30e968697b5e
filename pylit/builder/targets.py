"""The jobs of a build: a page in a language, or another file of the site.

A job reads only what it asks its site, and may produce any number of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from html import escape

from ..errors import Problem, PylitError, Report, unexpected
from ..rendering import Fragments
from ..site import Page, Site, has_badges


class JobKind(StrEnum):
    """Kinds of jobs, as in their names in manifests."""

    PAGE = "page"
    CONTENTS = "contents"
    """The index page of a site that has none of its own."""
    LOST = "404.html"
    SITEMAP = "sitemap.xml"
    BADGE = "badge"
    """A picture of how far the site is translated into a language."""
    SEARCH = "search"
    """The search index."""


@dataclass(frozen=True, slots=True)
class Job:
    """One or more files to make."""

    kind: JobKind
    file: str = ""
    """The source file of a page."""
    lang: str = ""

    @property
    def name(self) -> str:
        """Name in manifests."""
        return " ".join(filter(None, [self.kind, self.lang, self.file]))


@dataclass(frozen=True)
class MadeFiles:
    """The result of a job."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    """Address relative to the root of the site -> content."""
    copies: Mapping[str, str] = field(default_factory=dict)
    """Address -> image file that is copied there."""
    problems: tuple[Problem, ...] = ()
    is_whole: bool = True
    """Whether it is complete. If not, the next build tries again."""


def site_jobs(site: Site) -> Iterator[Job]:
    """Yield all jobs of a site, those of one file in succession."""
    for page in site.pages:
        for lang in site.settings.languages:
            yield Job(JobKind.PAGE, page.file, lang)
    if not site.navigation.has_home():
        for lang in site.settings.languages:
            yield Job(JobKind.CONTENTS, "", lang)
    if has_badges(site):
        for lang in site.settings.languages[1:]:
            yield Job(JobKind.BADGE, "", lang)
    yield Job(JobKind.LOST)
    if site.settings.site_url:
        yield Job(JobKind.SITEMAP)


def make_files(job: Job, site: Site, fragments: Fragments) -> MadeFiles:
    """Do a job. A page with errors is made anyway: the affected elements are omitted or marked."""
    if job.kind is JobKind.PAGE:
        return _page(job, site, fragments)
    try:
        with unexpected(job.name, f"`{job.name}`"):
            return _beside(job, site, fragments)
    except PylitError as error:
        return MadeFiles(problems=(error.problem,), is_whole=False)


def _beside(job: Job, site: Site, fragments: Fragments) -> MadeFiles:
    """Make a file that is not a page."""
    from ..site import document, extra_file

    if job.kind is JobKind.CONTENTS:
        from ..site import contents_page

        view = contents_page(site, job.lang)
        html = document(view, site.translations.gettext(job.lang), fragments)
        return MadeFiles({view.url: html.encode()})
    if job.kind is JobKind.BADGE:
        from ..site import badge, badge_url

        return MadeFiles({badge_url(job.lang): badge(site, job.lang).encode()})
    name = job.kind.value
    return MadeFiles({name: extra_file(site, name).encode()})


def _page(job: Job, site: Site, fragments: Fragments) -> MadeFiles:
    from ..site import documents, preview_page, render_notebook, render_page

    report = Report()
    page = Page(job.file, site.navigation.page_url(job.file))
    make = preview_page if site.settings.preview else render_page
    files: dict[str, bytes] = {}
    view = None
    is_whole = True
    try:
        with unexpected(job.file, f"a page in the language {job.lang}"):
            if not site.settings.preview:
                site.sources.survey(job.file)
            view = make(site, page, job.lang, report, fragments)
            address = site.navigation.notebook(page, job.lang)
            notebook = render_notebook(site, page, job.lang, report, fragments) if address else ""
            if view is not None:
                made = documents(view, site.translations.gettext(job.lang), fragments)
                files |= {url: text.encode() for url, text in made.items()}
                if notebook:
                    files[address] = notebook.encode()
    except PylitError as error:
        report.add(error.problem)
        is_whole, view, files = False, None, {}
        if site.settings.lenient and error.problem.file == job.file:
            files = _fallback(page, job, site, error.problem)
        if site.settings.preview:
            files[site.navigation.address(page, job.lang)] = _problem_page(error.problem)
    copies = {site.navigation.picture_url(file): file for file in view.pictures} if view and files else {}
    return MadeFiles(files, copies, tuple(report.problems), is_whole)


def _fallback(page: Page, job: Job, site: Site, problem: Problem) -> dict[str, bytes]:
    """Make a plain page in place of one that cannot be made, so that links to it lead somewhere."""
    from ..site import document, listing_page

    try:
        with unexpected(job.file, "a listing"):
            view = listing_page(site, page, job.lang, problem)
            return {view.url: document(view, site.translations.gettext(job.lang)).encode()}
    except OSError:
        return {}  # its file cannot be read
    except PylitError:  # the reason is already reported
        return {site.navigation.address(page, job.lang): _problem_page(problem)}


def _problem_page(problem: Problem) -> bytes:
    """Make a page that shows an error of the theme's templates to its author."""
    return (
        f'<!doctype html>\n<meta charset="utf-8">\n<pre role="alert">{escape(str(problem))}</pre>\n'.encode()
    )
