"""The command line, but for the commands of translators. Imports what a command needs when it runs."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import __version__
from .defaults import CACHE, KATEX_CSS, KATEX_INTEGRITY, TRACES
from .translators import accept, config_option, new, open_site, plural, status, update

if TYPE_CHECKING:
    from .errors import Problem, Report
    from .site import Settings

_TRACES = "Folder of the shapes of tensors that `pylit trace` records."


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pylit")
def main() -> None:
    """Annotated Python files as web pages: prose on the left, the code that runs on the right."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is temporary is removed


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def sections(files: tuple[Path, ...], as_json: bool) -> None:
    """Show how FILES are cut into sections of prose and code."""
    from .errors import PylitError
    from .source import read_source

    result: list[dict[str, Any]] = []
    failed = False
    for path in files:
        try:
            source = read_source(path, str(path))
        except PylitError as error:
            click.echo(error, err=True)
            failed = True
            continue
        rows = [
            {"name": s.name, "line": s.line, "prose": list(s.prose), "code": list(s.code)}
            for s in source.sections
        ]
        result.append({"file": source.file, "lines": len(source.lines), "sections": rows})
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    else:
        for entry in result:
            lines, count = plural(entry["lines"], "line"), plural(len(entry["sections"]), "section")
            click.echo(f"{entry['file']}: {lines}, {count}")
            for row in entry["sections"]:
                prose, code = _ranges(row["prose"]), _ranges(row["code"])
                click.echo(f"  {row['line']:>6}  {row['name']:<40}  prose {prose:<16}  code {code}")
    sys.exit(failed)


def _ranges(numbers: list[int]) -> str:
    """`[1, 2, 3, 7]` -> `1-3,7`; `-` for none."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges) or "-"


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder to write to.")
@click.option(
    "--lang", "-l", multiple=True, help="A language beside English, such as zh. May be given again."
)
@click.option(
    "--translations",
    "-t",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of catalogs: TRANSLATIONS/LANG/path/of/file.po.",
)
@click.option("--jobs", "-j", type=click.IntRange(1), help="Processes to use. Default: one for each core.")
@click.option("--title", default="", help="Name of the site. Default: none.")
@click.option("--repository", default="", help="Address of the code, for links to it.")
@click.option("--site-url", default="", help="Address of the site, for canonical links and the sitemap.")
@click.option("--katex-css", help="Address of KaTeX's stylesheet, if not the CDN's.")
@click.option("--katex-integrity", help="Its integrity hash; empty for none.")
@click.option("--search", is_flag=True, help="Let readers search the pages; needs Pagefind.")
@click.option("--traces", default=TRACES, show_default=True, type=click.Path(path_type=Path), help=_TRACES)
@click.option("--notebooks", is_flag=True, help="Write a Jupyter notebook of every module, beside its page.")
@click.option("--requirement", default="", help="What `pip install` installs the modules from, in notebooks.")
@click.option(
    "--cache", type=click.Path(path_type=Path), help=f"Folder that keeps what was made. Default: {CACHE}."
)
@click.option("--no-cache", is_flag=True, help="Make everything anew, and keep nothing for the next time.")
@click.option("--keep-going", is_flag=True, help="Write the pages that are right although others are not.")
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
def render(
    paths: tuple[Path, ...],
    out: Path,
    lang: tuple[str, ...],
    translations: Path | None,
    jobs: int | None,
    title: str,
    repository: str,
    site_url: str,
    katex_css: str | None,
    katex_integrity: str | None,
    search: bool,
    traces: Path,
    notebooks: bool,
    requirement: str,
    cache: Path | None,
    no_cache: bool,
    keep_going: bool,
    strict: bool,
) -> None:
    """Render Python files, guides in Markdown, or folders of them, to pages.

    A single folder becomes the root of the site; of several, each keeps its name. Nothing is imported.
    """
    from .build import build
    from .cache import open_store
    from .discovery import find_pages
    from .errors import PylitError
    from .site import Settings

    for path in paths:
        if path.resolve().is_relative_to(out.resolve()):
            click.echo(f"{out}: error: holds the sources; choose another folder for the pages", err=True)
            sys.exit(1)
    base, roots = _roots(paths)
    if katex_integrity is None:
        katex_integrity = "" if katex_css else KATEX_INTEGRITY
    settings = Settings(
        base=base,
        roots=roots,
        languages=("en", *lang),
        translations=translations,
        title=title,
        repository=repository,
        site_url=site_url,
        katex_css=katex_css or KATEX_CSS,
        katex_integrity=katex_integrity,
        search=search,
        traces=traces,
        notebooks=notebooks,
        requirement=requirement,
    )
    folder = None if no_cache else (cache or Path(CACHE)).absolute()
    try:
        site = find_pages(settings, open_store(folder, is_asked=cache is not None))
    except PylitError as error:
        click.echo(_shown(error.problem, settings), err=True)
        sys.exit(1)
    if not site.pages:
        click.echo(f"{', '.join(map(str, paths))}: error: no Python or Markdown files found", err=True)
        sys.exit(1)
    try:
        with click.progressbar(
            length=len(site.pages), label="Rendering", file=sys.stderr, hidden=not _is_long(len(site.pages))
        ) as bar:
            report = build(
                site, out, jobs=jobs or 0, strict=strict, keep_going=keep_going, advance=bar.update
            )
    except PylitError as error:
        click.echo(error, err=True)
        sys.exit(1)
    _tell(report, settings)
    failed = bool(report.errors) or (strict and bool(report.warnings))
    if failed and not keep_going:
        click.echo(
            f"{_count(report)}. Nothing was written to {out}; --keep-going writes what is right.", err=True
        )
    else:
        wrong = {problem.file for problem in report.errors}
        right = [page for page in site.pages if page.file not in wrong]
        pages = plural(len(right) * len(settings.languages), "page")
        click.echo(f"{pages} in {out}. {_count(report) if report.problems else ''}".rstrip(), err=True)
    sys.exit(failed)


@main.command()
@config_option
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(config: str, strict: bool, files: tuple[Path, ...]) -> None:
    """Check all that can be known of a site, or of FILES in it, without running its code.

    Links, anchors, symbols, formulas, recorded figures, parameters named in docstrings, and translations. Each problem
    is told with its file and line; nothing is written.
    """
    from .check import check_site
    from .errors import PylitError

    try:
        site = open_site(config)
        wanted = {path.resolve() for path in files}
        pages = [page for page in site.pages if not wanted or site.path(page.file).resolve() in wanted]
        unknown = wanted - {site.path(page.file).resolve() for page in pages}
        if unknown:
            raise click.ClickException(f"no pages of this site: {', '.join(map(str, sorted(unknown)))}")
        report = check_site(site, pages)
    except PylitError as error:
        click.echo(error, err=True)
        sys.exit(1)
    _tell(report, site.settings)
    checked = plural(len(pages), "file") + f" checked in {plural(len(site.settings.languages), 'language')}"
    click.echo(f"{checked}: {_count(report) or 'nothing is wrong'}.", err=True)
    sys.exit(bool(report.errors) or (strict and bool(report.warnings)))


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--config", "-f", default="mkdocs.yml", show_default=True, help="The site's configuration.")
@click.option(
    "--traces", type=click.Path(path_type=Path), help=f"{_TRACES} Default: the site's, or {TRACES}."
)
def trace(paths: tuple[Path, ...], config: str, traces: Path | None) -> None:
    """Record the shapes of the tensors on the lines of Python files, or folders of them, while their examples run.

    Unlike all other commands, this one runs the code. Without PATHS it takes the whole site's.
    """
    from .discovery import find_pages
    from .errors import PylitError
    from .site import Settings
    from .tracer import trace_site

    if paths:
        base, roots = _roots(paths)
        settings = Settings(base=base, roots=roots)
    else:
        settings = open_site(config).settings
    folder = (traces or settings.traces or Path(TRACES)).resolve()
    changed, wrong = 0, 0
    try:
        for result in trace_site(find_pages(settings), folder):
            if isinstance(result, PylitError):
                click.echo(_shown(result.problem, settings), err=True)
                wrong += 1
            else:
                click.echo(os.path.relpath(result))
                changed += 1
    except PylitError as error:
        click.echo(_shown(error.problem, settings), err=True)
        sys.exit(1)
    click.echo(f"{plural(changed, 'trace')} changed.", err=True)
    sys.exit(bool(wrong))


def _is_long(pages: int) -> bool:
    return pages > 20 and sys.stderr.isatty()


def _roots(paths: tuple[Path, ...]) -> tuple[Path, tuple[tuple[str, str], ...]]:
    """The folder that files are named from, and each path's place on the site."""
    base = Path.cwd().resolve()
    full = [path.resolve() for path in paths]
    if not all(path.is_relative_to(base) for path in full):
        base = Path(os.path.commonpath([path.parent for path in full]))
    names = [path.relative_to(base).as_posix() for path in full]
    if len(full) == 1:
        return base, ((names[0], ""),)
    return base, tuple(
        (name, "" if path.is_file() else path.name) for name, path in zip(names, full, strict=True)
    )


def _tell(report: Report, settings: Settings) -> None:
    for problem in [*report.warnings, *report.errors]:
        click.echo(_shown(problem, settings), err=True)


def _shown(problem: Problem, settings: Settings) -> str:
    """A problem, its file named as the user would from where they are."""
    from dataclasses import replace

    file = os.path.relpath(settings.base / problem.file)
    return str(replace(problem, file=file))


def _count(report: Report) -> str:
    words = [(report.errors, "error"), (report.warnings, "warning")]
    return ", ".join(plural(len(problems), word) for problems, word in words if problems)


for command in (update, new, status, accept):
    main.add_command(command)
