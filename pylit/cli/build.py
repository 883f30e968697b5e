"""`pylit build` and `pylit render`: write a whole site, or some files of it, as pages to a folder."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..defaults import DIALECTS, TRACES
from ..errors import plural
from .common import (
    FEW,
    building_options,
    config_option,
    count,
    ending_on_errors,
    shown,
    source_option,
    tell,
)

if TYPE_CHECKING:
    from ..errors import Problem
    from ..site import Given, Site

LONG = 20
"""Minimum number of pages for which to show a progress bar."""


@click.command()
@config_option
@click.option("--out", "-o", type=click.Path(path_type=Path), help="Folder to write to. Default: site_dir.")
@source_option
@building_options
@click.option(
    "--lenient",
    is_flag=True,
    help="Make a problem affect only the smallest element that has it, as `render` does, and succeed.",
)
def build(config: Path | None, out: Path | None, lenient: bool, **options: Any) -> None:
    """Build the whole site that the configuration describes.

    The site is built next to the output folder, and replaces it when complete. MkDocs is not needed.
    """
    from ..api import open_configuration, open_site, site_folder

    if lenient and options["strict"]:
        raise click.UsageError("--lenient and --strict exclude each other.")
    with ending_on_errors():
        chosen, how = _parted(options)
        configuration = open_configuration(config, chosen)
        folder = site_folder(configuration, out)
        site = open_site(configuration, out=folder, force=how["force"])
        write_site(site, folder, "The configuration", is_lenient=lenient, **how)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", "-o", required=True, type=click.Path(path_type=Path), help="Folder to write to.")
@config_option
@click.option(
    "--lang", "-l", multiple=True, help="A language to render in addition to that of the sources. Repeatable."
)
@click.option(
    "--translations",
    "-t",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of catalogs: TRANSLATIONS/LANG/path/of/file.po.",
)
@click.option("--title", help="Title of the site.")
@click.option("--repository", help="URL of the repository, for links to the code.")
@click.option("--site-url", help="URL of the site, for canonical links and the sitemap.")
@click.option("--katex-css", help="URL of KaTeX's stylesheet. Default: a CDN.")
@click.option("--katex-integrity", help="Integrity hash of the stylesheet; empty for none.")
@click.option(
    "--theme",
    "theme_dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of templates and files that override the theme's.",
)
@click.option(
    "--search/--no-search",
    default=None,
    help="Add a search to the site. Default: if Pagefind is installed.",
)
@click.option(
    "--traces", type=click.Path(path_type=Path), help=f"Folder of recorded shapes. Default: {TRACES}."
)
@click.option(
    "--cells/--no-cells",
    default=None,
    help="Divide scripts at the marks of cells, such as `# %%`. Default: yes.",
)
@click.option(
    "--fold-noise/--no-fold-noise",
    default=None,
    help="Fold licences and comments for tools. Default: yes.",
)
@click.option(
    "--dead-code/--no-dead-code",
    default=None,
    help="Show code that is commented out as code. Default: yes.",
)
@click.option(
    "--outputs/--no-outputs", default=None, help="Show the outputs of notebooks' cells. Default: yes."
)
@click.option(
    "--docstrings",
    type=click.Choice(DIALECTS),
    help="Dialect of docstrings. Default: auto, which recognizes each docstring's.",
)
@click.option(
    "--notebooks/--no-notebooks",
    default=None,
    help="Write a Jupyter notebook of every module, next to its page.",
)
@click.option("--requirement", help="Pinned requirement that notebooks install: name==1.2.")
@source_option
@building_options
def render(
    paths: tuple[Path, ...], out: Path, config: Path | None, lang: tuple[str, ...], **options: Any
) -> None:
    """Render Python files, Markdown guides, or folders of them to pages.

    A single folder becomes the root of the site; several folders keep their names. Nothing is imported. Options take
    precedence over the configuration, if there is one for these files.

    A problem affects only the smallest element that has it: a link becomes text, a formula its source in a box. It is
    a warning; with --strict it is an error, and nothing is written.
    """
    from ..api import open_pages

    with ending_on_errors():
        chosen, how = _parted(options)
        # With --keep-going too, pages are written although there are errors, so none may be missing.
        is_lenient = not how["strict"] or how["keep_going"]
        site = open_pages(
            paths, config, chosen, languages=lang, out=out, force=how["force"], lenient=is_lenient
        )
        write_site(site, out, ", ".join(map(str, paths)), is_lenient=not how["strict"], **how)


def _total(problems: Collection[Problem], word: str) -> str:
    """Format the number of problems: `12 warnings in 5 files`; empty if there are none."""
    files = len({problem.file for problem in problems})
    return f"{plural(len(problems), word)} in {plural(files, 'file')}" if problems else ""


def _parted(options: dict[str, Any]) -> tuple[Given, dict[str, Any]]:
    """Split the options of a command into keys of the configuration and options of the build.

    Raises:
        PylitError: if a value is not valid.
    """
    from ..api import given
    from ..site import NAMES

    if options.pop("no_cache"):
        options["cache"] = ""
    chosen = {name: options.pop(name) for name in NAMES if name in options}
    chosen["exclude"] = chosen["exclude"] or None
    return given(chosen), options


def write_site(
    site: Site,
    out: Path,
    what: str,
    *,
    strict: bool = False,
    keep_going: bool = False,
    verbose: bool = False,
    is_lenient: bool = False,
    **how: Any,
) -> None:
    """Write the pages of a site, report the problems, and end the command.

    Args:
        what: Where the pages were named, for the message when there are none.
        is_lenient: Whether pages are written, and the command succeeds, although they have problems.

    Raises:
        PylitError: if the folder cannot be written.
    """
    from ..api import is_empty
    from ..builder import build

    if site.store.note:
        click.echo(site.store.note, err=True)
    base, pages = site.settings.base, len(site.pages)
    if is_empty(site):
        for problem in site.problems:
            click.echo(shown(problem, base), err=True)
        click.echo(f"{what}: error: no Python or Markdown files found", err=True)
        sys.exit(1)
    is_long = pages > LONG and sys.stderr.isatty()
    with click.progressbar(length=pages, label="Rendering", file=sys.stderr, hidden=not is_long) as bar:
        report = build(
            site, out, strict=strict, keep_going=keep_going, lenient=is_lenient, advance=bar.update, **how
        )
    is_brief = is_lenient and not verbose
    tell(report, base, brief=is_brief)
    made = len(site.pages) - len(report.missing)
    failed = bool(report.errors) or (strict and bool(report.warnings)) or not made
    if not made or (failed and not keep_going and not is_lenient):
        hint = "; --keep-going writes the pages anyway" if made else ""
        click.echo(f"{count(report)}. Nothing was written to {out}{hint}.", err=True)
    else:
        written = plural(made * len(site.settings.languages), "page")
        parts = [
            _total(problems, word)
            for problems, word in ((report.errors, "error"), (report.warnings, "warning"))
        ]
        is_cut = is_brief and max(len(report.warnings), len(report.notes)) > FEW
        if is_cut and len(report.notes) > FEW:
            parts.append(plural(len(report.notes), "note"))
        summary = ", ".join(filter(None, parts))
        click.echo(
            f"{written} in {out}. {summary}{'; --verbose lists them' * is_cut}".rstrip(". ") + ".", err=True
        )
    sys.exit(failed)
