"""The commands for translators: `pylit update`, `new`, `status`, `accept`."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import plural
from ..filesystem import resolve_path
from .common import as_called, config_option, ending_on_errors, open_site, source_option

if TYPE_CHECKING:
    from ..site import Page, Site
    from ..translate import StaleEntry


@click.command()
@config_option
@source_option
@click.option(
    "--check", is_flag=True, help="Write nothing; fail if entries would change. Layout does not count."
)
@click.option(
    "--lines/--no-lines",
    default=None,
    help="Whether references have numbers of lines. Default: as configured, else without.",
)
@click.option(
    "--pot",
    is_flag=False,
    flag_value=Path(),
    type=click.Path(path_type=Path),
    metavar="[DIR]",
    help="Write a template for each page too, into DIR. Default: templates beside the languages.",
)
@click.option("--weblate", is_flag=True, help="Write the site's components for Weblate, and the templates.")
@click.option(
    "--crowdin", is_flag=True, help="Write the configuration of Crowdin's client, and the templates."
)
def update(
    config: Path | None,
    source_lang: str | None,
    check: bool,
    lines: bool | None,
    pot: Path | None,
    weblate: bool,
    crowdin: bool,
) -> None:
    """Update the catalogs of a site from its sources.

    New blocks are added, changed ones are marked with their previous text, and removed ones are kept as obsolete
    entries. Pages without a catalog get none; `pylit new` creates it. Templates and the files for platforms are updated
    too once they exist.
    """
    from ..translate import (
        interface_changes,
        orphan_templates,
        pages_without_catalog,
        platform_changes,
        site_changes,
        template_changes,
        template_folder,
        write_changes,
    )

    with ending_on_errors():
        site = open_site(config, source_lang, {} if lines is None else {"catalog_lines": lines})
        require_folder(site)
        changes = site_changes(site)
        if site.owns_engine:
            changes += interface_changes(site.settings.languages[1:])
        usual = template_folder(site)
        folders = {resolve_path(pot)} if pot and pot.parts else set()
        if weblate or crowdin or usual.is_dir() or (pot and not pot.parts):
            folders.add(usual)
        for folder in folders:
            changes += template_changes(site, folder)
        changes += platform_changes(site, weblate=weblate, crowdin=crowdin)
        if check:
            changes = [change for change in changes if not change.is_layout]
        changed = [change.path for change in changes] if check else write_changes(changes)
    for change in changes:
        moved = f"{os.path.relpath(change.moved_from)} -> " if change.moved_from else ""
        click.echo(moved + os.path.relpath(change.path))
    for path in orphan_templates(site, usual) if usual in folders else ():
        click.echo(f"{os.path.relpath(path)} belongs to no page; delete it.", err=True)
    for lang in site.settings.languages[1:]:
        if without := pages_without_catalog(site, lang):
            named = f": {without[0].file}" if len(without) == 1 else ""
            pages = plural(len(without), "page") + f" without a catalog in {lang}{named}"
            click.echo(as_called(f"{pages}; `pylit new {lang} FILE` creates one."), err=True)
    click.echo(f"{plural(len(changed), 'catalog')} {'to update' if check else 'changed'}.", err=True)
    sys.exit(check and bool(changed))


def require_folder(site: Site) -> None:
    """Refuse a site without a folder of translations.

    Raises:
        ClickException: if it has none.
    """
    if site.settings.translations is None:
        raise click.ClickException("the folder of translations does not exist; create the configured one")


@click.command()
@config_option
@source_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--entries", is_flag=True, help="List the entries that are not up to date, with their ids.")
@click.argument("languages", nargs=-1, metavar="[LANG]…")
def status(
    config: Path | None, source_lang: str | None, as_json: bool, entries: bool, languages: tuple[str, ...]
) -> None:
    """Show how far each page is translated into each language, or into LANG."""
    from ..i18n import native_name
    from ..site import ORPHAN, orphan_catalogs
    from ..translate import site_progress, total_progress, unfinished_entries

    with ending_on_errors():
        site = open_site(config, source_lang)
        wanted = [find_language(site, lang) for lang in languages] or site.settings.languages[1:]
        if entries:
            for lang in wanted:
                for entry in unfinished_entries(site, lang):
                    click.echo(f"{entry.file}:{entry.line}: {entry.id}: {entry.state.value}: {entry.text}")
            return
        found = [part for part in site_progress(site, interface=site.owns_engine) if part.lang in wanted]
    if as_json:
        click.echo(json.dumps([part.as_dict() for part in found], indent=2, ensure_ascii=False))
        return
    width = max((len(part.file) for part in found), default=0)
    for lang in wanted:
        click.echo(f"{native_name(lang)} ({lang})")
        click.echo(f"  {'':<{width}}  blocks  translated  stale  missing  errors")
        for part in [*(part for part in found if part.lang == lang), total_progress(lang, found)]:
            share = f"{part.translated} ({part.share:.0%})"
            numbers = f"{part.blocks:>6}  {share:>10}  {part.stale:>5}  {part.missing:>7}  {part.broken:>6}"
            click.echo(f"  {part.file or 'all':<{width}}  {numbers}")
        for path in orphan_catalogs(site, lang):
            click.echo(as_called(f"  {os.path.relpath(path)} belongs to no page; {ORPHAN}"), err=True)


def find_language(site: Site, lang: str) -> str:
    """Return the code by which a site knows a language that it is translated into.

    Raises:
        ClickException: if it is not.
    """
    from ..i18n import is_alias

    known = site.settings.languages[1:]
    found = lang if lang in known else next((one for one in known if is_alias(one, lang)), "")
    if not found:
        listed = ", ".join(known) or "none yet"
        raise click.ClickException(f"the site is not translated into {lang}; languages: {listed}")
    return found


@click.command()
@config_option
@source_option
@click.option(
    "--all", "everything", is_flag=True, help="Accept all stale entries; suggestions are left alone."
)
@click.option(
    "--typo", is_flag=True, help="Accept those whose original has lost a typo; updates FILE's catalogs first."
)
@click.argument("file", metavar="FILE")
@click.argument("ids", nargs=-1, metavar="[ID]…")
def accept(
    config: Path | None,
    source_lang: str | None,
    everything: bool,
    typo: bool,
    file: str,
    ids: tuple[str, ...],
) -> None:
    """Accept stale translations as they are: their English has changed, but not the meaning.

    FILE is a catalog, or a file of the site, which stands for its catalogs in all languages. ID names an entry. Without
    any, the entries are listed, with what has changed. Entries whose formulas, code, links or numbers have changed are
    never accepted: edit these.
    """
    from ..translate import accept as accept_entries
    from ..translate import stale_entries

    name, colon, one = file.rpartition(":")
    if colon and re.fullmatch(r"[0-9a-f]{7}", one):
        file, ids = name, (*ids, one)
    with ending_on_errors():
        catalogs = (
            [Path(file)] if file.endswith(".po") else _catalogs(config, source_lang, Path(file), update=typo)
        )
        if not catalogs or not all(path.is_file() for path in catalogs):
            raise click.ClickException(
                f"{file} is not a catalog; name a file that ends in .po, or one of the site"
            )
        found = {os.path.relpath(path): stale_entries(path) for path in catalogs}
        known = {entry.id for entries in found.values() for entry in entries}
        if unknown := [one for one in ids if one not in known]:
            listed = f"; it has: {', '.join(sorted(known))}" if known else ""
            raise click.ClickException(f"{file} has no stale entry {', '.join(unknown)}{listed}")
        for path, entries in found.items():
            chosen = [
                entry
                for entry in entries
                if entry.id in ids or (entry.previous and (everything or (typo and entry.is_typo)))
            ]
            refused = [entry for entry in chosen if entry.obstacle]
            accepted = accept_entries(Path(path), {entry.id for entry in chosen if not entry.obstacle})
            for entry in refused:
                click.echo(f"{path}: {entry.id} is not accepted: {entry.obstacle}; edit it", err=True)
            if accepted:
                click.echo(f"{accepted} {'entry' if accepted == 1 else 'entries'} of {path} accepted.")
            elif not entries:
                click.echo(f"{path} has no stale entries.")
            if not chosen or typo or everything:
                for entry in entries:
                    if entry not in chosen:
                        click.echo(f"{path}:{entry.line}: {entry.id}: {_described(entry)}")
    if any(found.values()) and not (ids or everything or typo):
        click.echo("Accept some with FILE ID…, or all with --all.", err=True)
    sys.exit(any(entry.obstacle for entries in found.values() for entry in entries if entry.id in ids))


def _described(entry: StaleEntry) -> str:
    """Return what has changed of an entry, for a list."""
    return entry.difference if entry.previous else f"suggestion: {entry.translation}"


def _catalogs(config: Path | None, source_lang: str | None, file: Path, *, update: bool) -> list[Path]:
    """Return the catalogs of a file of the site in all languages, after an `update` of them if wanted.

    Raises:
        PylitError: if a source or a catalog cannot be read.
        ClickException: if it is not a file of the site.
    """
    from ..i18n import catalog_path
    from ..translate import page_changes, write_changes

    site = open_site(config, source_lang)
    require_folder(site)
    folder = site.settings.translations
    assert folder is not None
    found = []
    for page in find_named_pages(site, [file]):
        for lang in site.settings.languages[1:]:
            path = catalog_path(folder, lang, page.file)
            if path.is_file():
                found.append(path)
                if update:
                    write_changes(page_changes(site, lang, [page]))
    return found


@click.command()
@config_option
@source_option
@click.argument("lang")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def new(config: Path | None, source_lang: str | None, lang: str, files: tuple[Path, ...]) -> None:
    """Start the translation of FILES, or of all files in folders, into LANG, a code such as ja, pt-BR or ar.

    A catalog is created for each file. A language that is new to the site is added to it, with a glossary.
    """
    from ..api import given, open_configuration
    from ..api import open_site as open_configured
    from ..i18n import canonical_code, direction, is_alias, native_name
    from ..site import find_pages
    from ..translate import add_language, interface_changes, page_changes, write_changes

    code = canonical_code(lang)
    if not code:
        hint = "use a code such as ja, pt-BR or zh-Hant"
        raise click.ClickException(f"{lang} is not a known language; {hint}")
    with ending_on_errors():
        configuration = open_configuration(config, given({"source_lang": source_lang}))
        site = open_configured(configuration, is_kept=False)
        require_folder(site)
        known = site.settings.languages
        lang = lang if lang in known else next((one for one in known if is_alias(one, code)), code)
        is_new = lang not in known
        if lang == site.settings.languages[0]:
            raise click.ClickException(f"the site is written in {lang}; name a language to translate it into")
        if not is_new and not files:
            raise click.ClickException(
                as_called(
                    f"the site already has {lang}; name files to translate, `pylit status {lang}` lists them"
                )
            )
        pages = find_named_pages(site, files)
        changes = []
        if is_new:
            changes += add_language(site, configuration, lang)
            languages = (*site.settings.languages, lang)
            site = find_pages(replace(site.settings, languages=languages))  # the addresses must be free
        catalogs = page_changes(site, lang, pages)
        if is_new and site.owns_engine:
            catalogs += interface_changes([lang])
        write_changes([*changes, *catalogs])
    changed = [change.path for change in catalogs]
    for path in changed:
        click.echo(os.path.relpath(path))
    side = "from right to left" if direction(lang) == "rtl" else "from left to right"
    click.echo(f"{native_name(lang)} ({lang}), written {side}: {plural(len(changed), 'catalog')} created.")
    click.echo(as_called(f"`pylit status {lang}` lists all pages, `pylit new {lang} FILE` starts one."))


def find_named_pages(site: Site, files: Collection[Path]) -> list[Page]:
    """Return the pages that the user named, by their files or the folders that contain them.

    Raises:
        ClickException: if a file is not a page and not a folder of pages.
    """
    found = []
    for file in files:
        wanted = resolve_path(file)
        under = [
            page for page in site.pages if resolve_path(site.files.path(page.file)).is_relative_to(wanted)
        ]
        if not under:
            raise click.ClickException(f"{file} is neither a page of this site nor a folder of pages")
        found += under
    return list(dict.fromkeys(found))
