"""`pylit check`: report the problems of a site without writing it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..errors import plural
from .common import config_option, count, debug_option, ending_on_errors, source_option, tell


@click.command()
@config_option
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@source_option
@debug_option
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(config: Path | None, strict: bool, source_lang: str | None, files: tuple[Path, ...]) -> None:
    """Check a site, or FILES of it, without running its code.

    Checks links, anchors, symbols, formulas, recorded figures, parameters named in docstrings, and translations. Each
    problem is reported with its file and line; nothing is written.
    """
    from ..api import given, open_checked
    from ..checks import check_site

    with ending_on_errors():
        site, pages = open_checked(files, config, given({"source_lang": source_lang}))
        report = check_site(site, pages)
    tell(report, site.settings.base)
    checked = plural(len(pages), "file") + f" checked in {plural(len(site.settings.languages), 'language')}"
    click.echo(f"{checked}: {count(report) or 'no problems'}.", err=True)
    sys.exit(bool(report.errors) or (strict and bool(report.warnings)))
