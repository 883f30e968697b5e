"""What a build makes, one job at a time: a page in a language, or what a site has beside its pages.

A job reads nothing but what its site answers, and may give any number of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .errors import Problem, Report
from .fragments import Fragments
from .settings import Page
from .site import Site


@dataclass(frozen=True, slots=True)
class Job:
    """Something to make."""

    kind: str
    """`page`, `contents` (of a site without a first page), or the name of a file beside the pages."""
    file: str = ""
    """The file that a page is made of."""
    lang: str = ""

    @property
    def name(self) -> str:
        """What it is called in manifests."""
        return " ".join(filter(None, [self.kind, self.lang, self.file]))


@dataclass(frozen=True)
class Made:
    """What a job gave."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    """Address from the root of the site -> what is to be there."""
    copies: Mapping[str, str] = field(default_factory=dict)
    """Address -> the file, a picture, that is to be there too."""
    problems: tuple[Problem, ...] = ()


def site_jobs(site: Site) -> Iterator[Job]:
    """Yield all jobs of a site, those of one file in a row."""
    for page in site.pages:
        for lang in site.settings.languages:
            yield Job("page", page.file, lang)
    if not site.has_home():
        for lang in site.settings.languages:
            yield Job("contents", "", lang)
    yield Job("404.html")
    if site.settings.site_url:
        yield Job("sitemap.xml")


def do(job: Job, site: Site, fragments: Fragments) -> Made:
    """Do a job. A page with errors gives no files, except in a preview."""
    from .document import document, extra_file

    if job.kind == "page":
        return _page(job, site, fragments)
    if job.kind == "contents":
        from .view import contents_page

        view = contents_page(site, job.lang)
        html = document(view, site.gettext(job.lang), fragments)
        return Made({view.url: html.encode()})
    return Made({job.kind: extra_file(site, job.kind).encode()})


def _page(job: Job, site: Site, fragments: Fragments) -> Made:
    from .document import document
    from .view import preview_page, render_notebook, render_page

    report = Report()
    page = Page(job.file, site.page(job.file))
    make = preview_page if site.settings.preview else render_page
    try:
        view = make(site, page, job.lang, report, fragments)
        address = site.notebook(page, job.lang)
        notebook = render_notebook(site, page, job.lang, report, fragments) if address else ""
    except Exception as error:
        error.add_note(f"while rendering {job.file} in the language {job.lang}")
        raise
    problems = tuple(report.problems)
    if view is None or (report.errors and not site.settings.preview):
        return Made(problems=problems)
    files = {view.url: document(view, site.gettext(job.lang), fragments).encode()}
    if notebook:
        files[address] = notebook.encode()
    return Made(files, {site.file_url(file): file for file in view.pictures}, problems)
