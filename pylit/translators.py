"""The commands of translators: `pylit update`, `new`, `status`, `accept`."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from .site import Page, Site

config_option = click.option(
    "--config", "-f", default="mkdocs.yml", show_default=True, help="The site's configuration."
)


def open_site(config: str) -> Site:
    """The site that a configuration file describes.

    Raises:
        PylitError: if its pages cannot be found.
    """
    if not Path(config).is_file():
        raise click.ClickException(f"{config} does not exist; go to the site's folder or pass --config")
    from .discovery import find_pages
    from .plugin import load_settings

    return find_pages(load_settings(config))


def plural(number: int, word: str) -> str:
    """`1 page`, `2 pages`."""
    return f"{number} {word}{'s' * (number != 1)}"


@click.command()
@config_option
def update(config: str) -> None:
    """Bring the catalogs of a site in line with its sources, for the translators.

    New blocks are added, changed ones are marked with what they were, and those that are gone are kept aside. Pages
    without a catalog stay without: `pylit new` begins them.
    """
    from .errors import PylitError
    from .workshop import pages_without_catalog, update_interface, update_site

    try:
        site = open_site(config)
        _require_folder(site)
        changed = update_site(site)
        if site.owns_engine:
            changed += update_interface(site.settings.languages[1:])
    except PylitError as error:
        click.echo(error, err=True)
        sys.exit(1)
    for path in changed:
        click.echo(os.path.relpath(path))
    for lang in site.settings.languages[1:]:
        if without := pages_without_catalog(site, lang):
            named = f": {without[0].file}" if len(without) == 1 else ""
            pages = plural(len(without), "page") + f" without a catalog in {lang}{named}"
            click.echo(f"{pages}; `pylit new {lang} FILE` begins one.", err=True)
    click.echo(f"{plural(len(changed), 'catalog')} changed.", err=True)


def _require_folder(site: Site) -> None:
    if site.settings.translations is None:
        raise click.ClickException("the site has no folder of translations; make the one it names")


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.argument("languages", nargs=-1, metavar="[LANG]…")
def status(config: str, as_json: bool, languages: tuple[str, ...]) -> None:
    """Show how far each page is translated into each language, or into LANG."""
    from .errors import PylitError
    from .interface import native_name
    from .status import site_progress, total

    try:
        site = open_site(config)
        wanted = languages or site.settings.languages[1:]
        for lang in wanted:
            if lang not in site.settings.languages[1:]:
                known = ", ".join(site.settings.languages[1:]) or "none yet"
                raise click.ClickException(f"the site is not translated into {lang}; languages: {known}")
        found = [part for part in site_progress(site, interface=site.owns_engine) if part.lang in wanted]
    except PylitError as error:
        click.echo(error, err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps([part.as_dict() for part in found], indent=2, ensure_ascii=False))
        return
    width = max((len(part.file) for part in found), default=0)
    for lang in wanted:
        click.echo(f"{native_name(lang)} ({lang})")
        click.echo(f"  {'':<{width}}  blocks  translated  stale  missing  errors")
        for part in [*(part for part in found if part.lang == lang), total(lang, found)]:
            share = f"{part.translated} ({part.share:.0%})"
            numbers = f"{part.blocks:>6}  {share:>10}  {part.stale:>5}  {part.missing:>7}  {part.broken:>6}"
            click.echo(f"  {part.file or 'all':<{width}}  {numbers}")


@click.command()
@click.argument("catalog", metavar="FILE[:LINE]")
@click.option("--all", "everything", is_flag=True, help="Accept all stale entries of the file.")
def accept(catalog: str, everything: bool) -> None:
    """Take a stale translation for right as it is: its English changed, but not what it says.

    FILE is a catalog, LINE the line of the entry's `msgid`. With FILE alone, the stale entries are listed.
    """
    from .errors import PylitError
    from .workshop import accept as accept_entries
    from .workshop import stale_entries

    name, colon, number = catalog.rpartition(":")
    if not colon or not number.isdigit():
        name, number = catalog, ""
    path = Path(name)
    if path.suffix != ".po" or not path.is_file():
        raise click.ClickException(f"{name} is no catalog; name a file that ends in .po")
    try:
        stale = stale_entries(path)
        if not stale:
            click.echo(f"{name} has no stale entries.")
            return
        if number:
            chosen = [entry for entry in stale if entry.line == int(number)]
            if not chosen:
                lines = ", ".join(str(entry.line) for entry in stale)
                raise click.ClickException(f"{name} has no stale entry in line {number}; there are: {lines}")
        elif everything:
            chosen = stale
        else:
            for entry in stale:
                click.echo(f"{name}:{entry.line}: {entry.text}")
            click.echo("Accept one by FILE:LINE, or all with --all.", err=True)
            return
        accepted = accept_entries(path, [entry.line for entry in chosen])
    except PylitError as error:
        click.echo(error, err=True)
        sys.exit(1)
    entries = "entry" if accepted == 1 else "entries"
    click.echo(f"{accepted} {entries} of {name} accepted.")


@click.command()
@config_option
@click.argument("lang")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def new(config: str, lang: str, files: tuple[Path, ...]) -> None:
    """Begin the translation of FILES, or of all files in folders, into LANG, a code such as ja, pt-BR or ar.

    Each gets a catalog. A language that is new to the site is added to it, with a glossary.
    """
    from babel import Locale, UnknownLocaleError

    from .discovery import LANGUAGE
    from .errors import PylitError
    from .interface import direction, native_name
    from .workshop import update_interface, update_pages

    try:
        if not LANGUAGE.fullmatch(lang):
            raise ValueError
        Locale.parse(lang, sep="-")
    except (UnknownLocaleError, ValueError) as error:
        hint = "use a code such as ja, pt-BR or zh-Hant"
        raise click.ClickException(f"{lang} is no language that is known; {hint}") from error
    try:
        site = open_site(config)
        _require_folder(site)
        is_new = lang not in site.settings.languages
        if lang == site.settings.languages[0]:
            raise click.ClickException(f"the site is written in {lang}; name a language to translate it into")
        if not is_new and not files:
            raise click.ClickException(
                f"the site has {lang} already; name files to begin, `pylit status {lang}` lists them"
            )
        pages = _pages(site, files)
        if is_new:
            _add_language(Path(config), lang)
            site = open_site(config)
        changed = update_pages(site, lang, pages)
        if is_new and site.owns_engine:
            changed += update_interface([lang])
    except PylitError as error:
        click.echo(error, err=True)
        sys.exit(1)
    for path in changed:
        click.echo(os.path.relpath(path))
    side = "from right to left" if direction(lang) == "rtl" else "from left to right"
    click.echo(
        f"{native_name(lang)} ({lang}), written {side}: {plural(len(changed), 'catalog')} to begin with."
    )
    click.echo(f"`pylit status {lang}` lists all pages, `pylit new {lang} FILE` begins one.")


def _pages(site: Site, files: Collection[Path]) -> list[Page]:
    """The pages that the user named, by their files or by folders of them."""
    found = []
    for file in files:
        wanted = file.resolve()
        under = [page for page in site.pages if site.path(page.file).resolve().is_relative_to(wanted)]
        if not under:
            raise click.ClickException(f"{file} is no page of this site, and no folder of pages")
        found += under
    return list(dict.fromkeys(found))


def _add_language(path: Path, lang: str) -> None:
    """Add a language to the configuration of a site, and an empty glossary to its translations."""
    from .workshop import write_whole

    text = path.read_text("utf-8")
    pattern = re.compile(r"^(\s*languages:\s*\[[^\]\n]*)\]", re.MULTILINE)
    if not pattern.search(text):
        raise click.ClickException(f"{path} has no line `languages: [en]` to add {lang} to; add it there")
    write_whole(path, pattern.sub(rf"\1, {lang}]", text, count=1))
    folder = open_site(str(path)).settings.translations
    assert folder is not None
    if not (folder / lang / "glossary.yml").exists():
        write_whole(folder / lang / "glossary.yml", GLOSSARY)


GLOSSARY = """\
# One entry for each term. `use` are renderings to use, `never` those that are wrong, `why` is a sentence of reason:
#
# - term: residual
#   use: [...]
#   never: [...]
#   why: ...
[]
"""
