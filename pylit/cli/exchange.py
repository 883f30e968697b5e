"""`pylit export` and `pylit import`: catalogs as XLIFF, for programs of translators that do not read gettext."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from .common import config_option, ending_on_errors, open_site, source_option
from .translate import find_language, find_named_pages, require_folder


@click.command()
@config_option
@source_option
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    default=Path("xliff"),
    help="Output folder. Default: xliff.",
)
@click.argument("lang")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def export(
    config: Path | None, source_lang: str | None, out: Path, lang: str, files: tuple[Path, ...]
) -> None:
    """Write the translations of FILES into LANG, or of the whole site, as XLIFF 1.2: one file for each page.

    Each passage has the id that `pylit status` shows, its state, the code beside it, comments of translators and the
    terms of the glossary. `pylit import` takes the files back.
    """
    from ..filesystem import resolve_path
    from ..translate import export_changes, write_changes

    with ending_on_errors():
        site = open_site(config, source_lang)
        require_folder(site)
        lang = find_language(site, lang)
        pages = find_named_pages(site, files) if files else list(site.pages)
        folder = resolve_path(out)
        written = write_changes(export_changes(site, lang, pages, folder))
    for path in written:
        click.echo(os.path.relpath(path))


@click.command(name="import")
@config_option
@source_option
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
def import_(config: Path | None, source_lang: str | None, files: tuple[Path, ...]) -> None:
    """Take the translations of XLIFF FILES, or of those in folders, into the catalogs.

    An entry that was translated here too in the meantime stays as it is, and is named.
    """
    from ..errors import plural
    from ..translate import import_changes, write_changes

    named = [path for file in files for path in (sorted(file.rglob("*.xlf")) if file.is_dir() else [file])]
    with ending_on_errors():
        site = open_site(config, source_lang)
        require_folder(site)
        found = import_changes(site, named)
        written = write_changes(found.changes)
    for catalog, id, reason in found.kept:
        click.echo(f"{catalog}: {id} is not taken: {reason}", err=True)
    for path in written:
        click.echo(os.path.relpath(path))
    click.echo(f"{plural(found.taken, 'translation')} taken.", err=True)
    sys.exit(bool(found.kept))
