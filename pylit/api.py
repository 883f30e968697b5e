"""The commands as Python functions: build a site, render some files, check them.

Also finds and opens configurations of every format. Nothing here prints or exits: problems with pages are in the
report, and errors that make it impossible to continue are raised.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, cast

from .builder import build as build_site
from .builder import check_folder, unwritable
from .cache import Store
from .checks import check_site
from .errors import Problem, PylitError, Report, Severity
from .filesystem import is_entry, resolve_path, resolves_below
from .i18n import catalog_path
from .site import (
    FILES,
    NAMES,
    PATHS,
    WHOLE,
    Configuration,
    Given,
    Page,
    Settings,
    Site,
    StrPath,
    check_options,
    find_config,
    find_pages,
    pages_settings,
    read_config,
    site_languages,
    site_settings,
    site_store,
)

Advance = Callable[[int], None]
"""Called with the number of pages finished since the last call."""
EXAMPLE = "`pylit init` writes a pylit.toml; or pass --config."


def build(
    out: StrPath | None = None,
    *,
    config: StrPath | None = None,
    jobs: int = 0,
    strict: bool = False,
    keep_going: bool = False,
    lenient: bool = False,
    force: bool = False,
    advance: Advance = lambda count: None,
    **options: Unpack[Given],
) -> Report:
    """Build the whole site that a configuration describes.

    Nothing is written if the report has errors (or warnings, with `strict`), unless `keep_going` is set.

    Args:
        out: The output folder; by default the configured one.
        config: The configuration file; by default that of the current folder or the nearest one above it.
        jobs: Number of processes; by default one per core.
        strict: Whether to treat warnings as errors.
        keep_going: Whether to write the pages although there are errors.
        lenient: Whether a problem affects only the smallest element that has it, and is a warning.
        force: Whether to overwrite files in the output folder that pylit did not write.
        advance: Called with the number of pages finished since the last call.
        options: Keys of the configuration whose values take precedence over it.

    Raises:
        PylitError: if the configuration is not valid or the folder cannot be written.
    """
    configuration = open_configuration(config, given(options))
    folder = site_folder(configuration, out)
    site = open_site(configuration, out=folder, force=force)
    return build_site(
        site,
        folder,
        jobs=jobs,
        strict=strict,
        keep_going=keep_going,
        lenient=lenient,
        force=force,
        advance=advance,
    )


def render(
    paths: StrPath | Sequence[StrPath],
    out: StrPath,
    *,
    config: StrPath | None = None,
    jobs: int = 0,
    strict: bool = False,
    keep_going: bool = False,
    force: bool = False,
    advance: Advance = lambda count: None,
    **options: Unpack[Given],
) -> Report:
    """Render Python files, Markdown guides, or folders of them to pages in `out`. Nothing is imported.

    A problem affects only the smallest element that has it, such as a link, and is a warning in the report. With
    `strict`, it is an error, and nothing is written unless `keep_going` is set.

    If there is a configuration for these files, it is used, except for keys that concern the site as a whole. For the
    other arguments, see `build`.

    Raises:
        PylitError: if the configuration is not valid, a path does not exist, or the folder cannot be written.
    """
    chosen = given(options, [name for name in NAMES if name not in FILES])
    is_lenient = keep_going or not strict
    site = open_pages(path_list(paths), config, chosen, out=Path(out), force=force, lenient=is_lenient)
    return build_site(
        site,
        Path(out),
        jobs=jobs,
        strict=strict,
        keep_going=keep_going,
        lenient=not strict,
        force=force,
        advance=advance,
    )


def check(
    paths: StrPath | Sequence[StrPath] = (), *, config: StrPath | None = None, **options: Unpack[Given]
) -> Report:
    """Check a whole site, or some of its files, without running their code. Writes nothing.

    Raises:
        PylitError: if the configuration is not valid, or a path is not a page of the site.
    """
    site, pages = open_checked(path_list(paths), config, given(options))
    return check_site(site, pages)


def open_checked(paths: Sequence[Path], config: StrPath | None, options: Given) -> tuple[Site, list[Page]]:
    """Return a site and those of its pages that are made from `paths`.

    Without a configuration, the site consists of these files only.

    Raises:
        PylitError: if the pages cannot be found, or a path is not a page of the site.
    """
    found = nearest_configuration(config)
    if found is None and paths:
        site = open_pages(paths, None, options, is_kept=False)
        return site, list(site.pages)
    site = open_site(_required(found).with_options(options), is_kept=False)
    return site, site_pages(site, paths)


def path_list(paths: StrPath | Sequence[StrPath]) -> list[Path]:
    """Return one or several paths as a list."""
    return [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]


def given(options: Any, names: Collection[str] = NAMES) -> Given:
    """Validate the options of a call. Folders are relative to the current folder.

    Raises:
        PylitError: if an option is not in `names`, or has a value of the wrong type.
    """
    found = check_options(options, lambda name: (f"option {name}", 0), names)
    return cast(Given, {name: _from_here(name, value) for name, value in found.items()})


def _from_here(name: str, value: Any) -> Any:
    return os.path.abspath(value) if name in PATHS and value else value


def open_configuration(config: StrPath | None = None, options: Given | None = None) -> Configuration:
    """Open a configuration, by default the nearest one, with the options of a call.

    Raises:
        PylitError: if there is none, or it is not valid.
    """
    return _required(nearest_configuration(config)).with_options(options or {})


def _required(found: Configuration | None) -> Configuration:
    if found is None:
        message = "has no pylit configuration, and neither has any folder above it"
        raise PylitError(Problem(os.getcwd(), 0, message, EXAMPLE))
    return found


def nearest_configuration(config: StrPath | None = None) -> Configuration | None:
    """Open a configuration, by default the nearest one; return `None` if there is none.

    Raises:
        PylitError: if it is not valid, or `config` does not exist.
    """
    path = Path(config) if config is not None else find_config(Path.cwd())
    if path is None:
        return None
    if path.suffix == ".toml":
        return read_config(path)
    if path.suffix not in (".yml", ".yaml"):
        hint = "Name a pyproject.toml, a pylit.toml, or a mkdocs.yml."
        raise PylitError(Problem(os.fspath(path), 0, "is not a configuration", hint))
    if not path.is_file():
        raise PylitError(Problem(os.fspath(path), 0, "does not exist", "Name another configuration."))
    try:
        from .mkdocs_plugin import load_configuration
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "mkdocs":
            raise
        hint = "Install it, `pip install mkdocs`, or write the same keys to a pylit.toml."
        message = "is a configuration of MkDocs, which is not installed"
        raise PylitError(Problem(os.path.relpath(path), 0, message, hint)) from error
    return load_configuration(os.fspath(path))


def site_folder(configuration: Configuration, out: StrPath | None) -> Path:
    """Return the output folder of a site, relative to the current folder.

    Raises:
        PylitError: if its name is empty.
    """
    folder = Path(out) if out is not None else configuration.folder("site_dir")
    if folder is None:
        hint = "Name a folder, or leave it out for `site`."
        raise PylitError(Problem(*configuration.place("site_dir"), "`site_dir` is empty", hint))
    return folder if out is not None else Path(os.path.relpath(folder))


def open_site(
    configuration: Configuration,
    *,
    out: Path | None = None,
    force: bool = False,
    is_kept: bool = True,
) -> Site:
    """Open the site that a configuration describes.

    Args:
        configuration: The configuration of the site.
        out: The output folder, if the site is to be written.
        force: Whether files in `out` that pylit did not write may be overwritten.
        is_kept: Whether to use the cache.

    Raises:
        PylitError: if the pages cannot be found, or `out` cannot be used.
    """
    options = configuration.options
    if out:
        own = [*options.sources, *(getattr(options, name) for name in PATHS if name != "site_dir")]
        _check_out(out, [configuration.base / path for path in own if path], force=force)
    store = site_store(configuration) if is_kept else None
    return _find_pages(site_settings(configuration), store)


def open_pages(
    paths: Sequence[Path],
    config: StrPath | None,
    options: Given,
    *,
    languages: Sequence[str] = (),
    out: Path | None = None,
    force: bool = False,
    is_kept: bool = True,
    lenient: bool = False,
) -> Site:
    """Open a site that consists of some files or folders only.

    The nearest configuration is ignored if it belongs to other files.

    Args:
        paths: The files and folders.
        config: The configuration; an error if it belongs to other files.
        options: Options that take precedence over the configuration.
        languages: Languages in addition to that of the sources; by default the configured ones.
        out: The output folder, if the site is to be written.
        force: Whether files in `out` that pylit did not write may be overwritten.
        is_kept: Whether to use the cache.
        lenient: Whether a page that cannot be made is replaced by a listing of its file.

    Raises:
        PylitError: if they are not pages, or `out` cannot be used.
    """
    found = nearest_configuration(config)
    if found is not None and not all(resolves_below(path, found.base) for path in paths):
        if config is not None:
            outside = next(path for path in paths if not resolves_below(path, found.base))
            hint = f"Name files in {os.path.relpath(found.base)}, or leave --config out."
            raise PylitError(Problem(os.fspath(outside), 0, "is outside the configured project", hint))
        found = None
    configuration = (found or Configuration(Path.cwd())).without(WHOLE)
    if languages:
        source = site_languages(configuration.with_options(options))[:1]
        options = {**options, "languages": (*source, *languages)}
    configuration = configuration.with_options(options)
    if out:
        cache = configuration.folder("cache")
        _check_out(out, [*paths, *([cache] if cache else [])], force=force)
    store = site_store(configuration) if is_kept else None
    return _find_pages(replace(pages_settings(paths, configuration), lenient=lenient), store)


def _find_pages(settings: Settings, store: Store | None) -> Site:
    """Find all pages of a site.

    Raises:
        PylitError: as `find_pages` does, with the file relative to the current folder.
    """
    try:
        return find_pages(settings, store)
    except PylitError as error:
        path = settings.base / error.problem.file
        if " " in error.problem.file and not is_entry(path):  # a setting
            raise
        raise PylitError(replace(error.problem, file=os.path.relpath(path))) from error


def site_pages(site: Site, paths: Sequence[Path]) -> list[Page]:
    """Return the pages of a site that are made from `paths`, or translated in them; all pages if `paths` is empty.

    Raises:
        PylitError: if a path is not a page of the site.
    """
    if not paths:
        return list(site.pages)
    files = {resolve_path(path): path for path in paths}
    sources = {page: _sources(site, page) for page in site.pages}
    pages = [page for page in site.pages if sources[page] & files.keys()]
    unknown = files.keys() - set().union(*(sources[page] for page in pages))
    if unknown:
        names = ", ".join(sorted(os.fspath(files[path]) for path in unknown))
        hint = "Name source files of the site, or their catalogs."
        raise PylitError(Problem(names, 0, "is not a page of this site", hint))
    return pages


def _sources(site: Site, page: Page) -> set[Path]:
    """Return the paths of the source of a page and of its catalogs."""
    folder, languages = site.settings.translations, site.settings.languages[1:]
    catalogs = [catalog_path(folder, lang, page.file) for lang in languages] if folder else []
    return {resolve_path(path) for path in (site.files.path(page.file), *catalogs)}


def _check_out(out: Path, own: Sequence[Path], *, force: bool) -> None:
    """Check that a folder may be written and contains nothing of `own`, the inputs of the site.

    Raises:
        PylitError: if it contains one of them, or files that pylit did not write.
    """
    for path in own:
        if resolves_below(path, out):
            hint = "Choose another folder for the pages."
            name = os.path.relpath(path)
            raise PylitError(
                Problem(os.fspath(out), 0, f"contains `{name}`, which is an input of the site", hint)
            )
    if force:
        return
    try:
        check_folder(out)
    except OSError as error:
        raise PylitError(unwritable(error, out)) from error


def is_empty(site: Site) -> bool:
    """Return whether a site has no pages without an error that explains why."""
    return not site.pages and not any(problem.severity is Severity.ERROR for problem in site.problems)
