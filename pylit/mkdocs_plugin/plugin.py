"""The plugin for MkDocs and ProperDocs: maps their events to `pylit`, and contains no logic.

MkDocs would empty the output folder and then write file by file. Instead, it writes to a temporary folder next to it,
and the new site replaces the old one when complete. A build that fails or is stopped leaves the old site unchanged.
"""

from __future__ import annotations

import errno
import logging
import math
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from mkdocs.config import config_options as option
from mkdocs.config.base import ConfigErrors, ConfigWarnings, LegacyConfig
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import MkDocsException, PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation
from mkdocs.utils import CountHandler

from ..builder import Takeover, build, naming, published, unwritable, write_archive
from ..defaults import CACHE
from ..errors import Problem, PylitError, Report, unexpected
from ..filesystem import resolves_below
from ..i18n import LOCALE
from ..parsing import refused_character
from ..rendering import PICTURE_HINT, PictureError, checked_copy
from ..signals import end_on_sigterm
from ..site import Configuration, Given, Settings, Workbench, find_loop, find_pages, site_settings, site_store
from .adapt import OPTIONS, check_plugin_options, config_folder, find_configuration, is_beside, tell_mkdocs
from .foreign import read_project, remove_sources
from .live_reload import guard, hurry, reload_by_file, show_failures

log = logging.getLogger("mkdocs.plugins.pylit")
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a full disk, which do not name a file."""
PREVIEWED = ".pylit"
"""Folder of finished pages inside that of a preview, from which MkDocs copies them. It does not remove hidden ones."""


class PylitPlugin(BasePlugin[LegacyConfig]):
    """A plugin that makes every page of a MkDocs site in every language."""

    config_scheme = tuple((name, option.Type(object)) for name in OPTIONS)

    def __init__(self) -> None:
        self.options = Given()
        """The options of the plugin in `mkdocs.yml`."""
        self.serving = False
        self.dirty = False
        self.pages = Path()
        """Folder of the finished pages, from which MkDocs copies them."""
        self.workbench = Workbench()
        self.takeover: Takeover | None = None
        self.moved: MkDocsConfig | None = None
        """The configuration whose `site_dir` was replaced by the temporary folder."""
        self.nav: Any = None
        """The configured navigation, hidden from MkDocs while it must not look for the pages."""

    def load_config(
        self, options: dict[str, Any], config_file_path: str | None = None
    ) -> tuple[ConfigErrors, ConfigWarnings]:
        """Validate the options in `mkdocs.yml`."""
        self.options, errors = check_plugin_options(options)
        return (errors, []) if errors else super().load_config(options, config_file_path)

    def on_startup(self, *, command: str, dirty: bool) -> None:
        """Note whether this is a preview, and guard the servers of both tools."""
        self.serving, self.dirty = command == "serve", dirty
        end_on_sigterm()
        for tool in ("mkdocs", "properdocs"):
            if module := sys.modules.get(f"{tool}.livereload"):
                guard(module.LiveReloadServer)

    def on_shutdown(self) -> None:
        """Remove leftovers of a build that was stopped."""
        self._close()

    @event_priority(-math.inf)  # other plugins may want to look at the folder
    def on_build_error(self, *, error: Exception) -> None:
        """Remove leftovers of a build that failed.

        Raises:
            PluginError: if MkDocs could not write, in place of its traceback.
        """
        takeover = self.takeover
        self._close()
        if takeover and isinstance(error, OSError):
            is_there = Path(str(error.filename)).is_relative_to(takeover.place)
            if is_there or (error.filename is None and error.errno in DISK_FULL):
                error.filename = str(takeover.place)
                raise PluginError(str(unwritable(error, takeover.out))) from error

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Watch the sources, the catalogs and the theme folder under `mkdocs serve`.

        Raises:
            PluginError: if the folder of guides has a symlink loop, which MkDocs would follow forever; if the output
                folder
            contains inputs, which MkDocs would remove; or if a TOML configuration next to `mkdocs.yml` is not valid or
            contradicts it.
        """
        found = self.configuration(config)
        tell_mkdocs(config, found)
        if loop := find_loop(Path(config.docs_dir)):
            raise PluginError(f"{loop} is a symlink to a folder that contains it; remove it.")
        self._check_folders(config, found)
        options = found.options
        for folder in [*options.sources, options.translations, options.traces, options.theme_dir]:
            if folder and os.path.isdir(found.base / folder):
                config.watch.append(str(found.base / folder))
        if is_beside(found):
            config.watch.append(str(found.path))
        config.watch.append(str(LOCALE))
        return config

    def _check_folders(self, config: MkDocsConfig, found: Configuration) -> None:
        options, base = found.options, found.base
        named = {
            "site_dir": [config.site_dir],
            "sources": options.sources,
            "translations": [options.translations],
            "traces": [options.traces],
            "cache": [CACHE if options.cache is None else options.cache],
            "custom_dir": [options.theme_dir],
        }
        for name, folders in named.items():
            for folder in folders:
                if character := refused_character(folder):
                    raise PluginError(
                        f"{name} contains {character}, which is not allowed; name another folder."
                    )
                if name != "site_dir" and folder and resolves_below(base / folder, Path(config.site_dir)):
                    reason = f"contains `{folder}` ({name}), which would be removed"
                    raise PluginError(f"site_dir, {config.site_dir}, {reason}; name another folder.")

    def on_serve(
        self, server: LiveReloadServer, *, config: MkDocsConfig, builder: object
    ) -> LiveReloadServer:
        """Notice saves sooner, and show errors of the site as a whole."""
        server = reload_by_file(show_failures(server))
        return hurry(server, [config.docs_dir, config.config_file_path], config.theme.dirs)

    @event_priority(math.inf)  # before other plugins see the folder
    def _begin(self, *, config: MkDocsConfig) -> None:
        """Make MkDocs write to a temporary folder. A preview already has its own folder."""
        self._close()
        if self.serving:
            self.pages = Path(config.site_dir, PREVIEWED)
            return
        try:
            self.takeover = Takeover(Path(config.site_dir), clean=not self.dirty)
        except OSError as error:
            raise PluginError(str(unwritable(error, Path(config.site_dir)))) from error
        self.pages = self.takeover.pages
        self.moved, config.site_dir = config, str(self.takeover.site)

    def _make(self, *, config: MkDocsConfig) -> None:
        """Make the site, and stop if a page has errors.

        A preview continues, and the page shows its errors.
        """
        settings_report = Report()
        try:
            found = self.configuration(config)
            settings = self.settings(config, settings_report)
            with unexpected(settings.title_file, "a site"):
                store = site_store(found)
                if store.note:
                    log.info(store.note)
                site = find_pages(settings, store, self.workbench)
                report = build(site, self.pages, keep_going=self.serving, is_whole=False)
        except PylitError as error:
            log.debug(error.problem.traceback)
            raise PluginError(str(error)) from error
        report.extend(settings_report.problems)
        # MkDocs counts warnings, and after a failed build its server stops responding.
        levels = (
            (logging.INFO, report.notes),
            (logging.WARNING, report.warnings),
            (logging.ERROR, report.errors),
        )
        for level, problems in levels:
            for problem in problems:
                log.log(logging.INFO if self.serving else level, str(problem))
                if problem.traceback:
                    log.debug(problem.traceback)
        if report.errors and not self.serving:
            raise PluginError(f"{len(report.errors)} error(s) in the pages; the old site was left unchanged.")

    on_pre_build = CombinedEvent(_begin, _make)

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Replace MkDocs' own pages by ours, which are finished."""
        ours = published(self.pages)
        remove_sources(files, config)
        named = {*ours, *config.extra_css, *map(str, config.extra_javascript)}
        for file in [f for f in files if f.src_dir == config.docs_dir and not f.inclusion.is_excluded()]:
            if (name := file.src_uri) in named:
                continue
            try:
                copy = checked_copy(Path(config.docs_dir), name, config_folder(config))
            except PictureError as error:
                files.remove(file)
                if reason := str(error):  # MkDocs counts warnings
                    message = f"{name}: warning: is not published: {reason}\n    {PICTURE_HINT}"
                    log.log(logging.INFO if self.serving else logging.WARNING, message)
            else:
                if copy is not None:
                    files.remove(file)
                    files.append(File.generated(config, name, content=copy, inclusion=file.inclusion))
        for url in ours:
            if (before := files.get_file_from_path(url)) is not None:
                files.remove(before)
            path = str(self.pages / url)
            files.append(File.generated(config, url, abs_src_path=path, inclusion=InclusionLevel.INCLUDED))
        self.nav, config.nav = config.nav, None
        return files

    def on_nav(self, nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:
        """Restore the configuration."""
        config.nav = self.nav
        return nav

    def on_env(self, env: object, *, config: MkDocsConfig, files: Files) -> None:
        """Keep MkDocs from making a 404 page and a sitemap, which we provide."""
        config.theme.static_templates.clear()

    @event_priority(-math.inf)  # after all other plugins have written their files
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Make the archive, and replace the old site by the new one. A preview does neither."""
        if not self.takeover:
            return
        try:
            if archive := self.configuration(config).options.archive:
                with naming(self.takeover.place):
                    write_archive(self.takeover.site, archive)
            if config.strict and _counted():
                log.info("The old site was left unchanged.")
            else:
                self.takeover.finish()
                log.info(f"The new site is in {self.takeover.out}")
        except PylitError as error:
            raise PluginError(str(error)) from error
        except OSError as error:
            raise PluginError(str(unwritable(error, self.takeover.out))) from error
        self._close()

    def _close(self) -> None:
        if self.takeover:
            if self.moved:
                self.moved.site_dir = str(self.takeover.out)
            self.takeover.close()
        self.takeover = self.moved = None

    def configuration(self, config: MkDocsConfig) -> Configuration:
        """Return the configuration of the site.

        Raises:
            PluginError: if a TOML configuration next to `mkdocs.yml` is not valid or contradicts it.
        """
        try:
            found = find_configuration(config, self.options)
        except PylitError as error:
            raise PluginError(str(error)) from error
        return found.with_options({"site_url": config.site_url or ""}) if self.serving else found

    def settings(self, config: MkDocsConfig, report: Report) -> Settings:
        """Return the settings of the site. Keys without effect are added to `report`.

        Raises:
            PylitError: if the configuration is not supported.
        """
        found = self.configuration(config)
        plain = site_settings(found, preview=self.serving)
        project = read_project(config, plain, found, has_drafts=self.serving)
        report.extend(project.problems)
        return project.applied(plain)


def _counted() -> bool:
    """Return whether MkDocs has counted warnings, for which it fails only after everything is written."""
    handlers = [handler for name in ("mkdocs", "properdocs") for handler in logging.getLogger(name).handlers]
    return any(handler.get_counts() for handler in handlers if isinstance(handler, CountHandler))


def load_configuration(path: str) -> Configuration:
    """Read the configuration of a site from its `mkdocs.yml` and the TOML file next to it.

    Raises:
        PylitError: if it is not valid, or does not name the plugin.
    """
    config = MkDocsConfig(config_file_path=os.path.abspath(path))
    try:
        with open(path, "rb") as file:
            config.load_file(file)
        errors, _ = config.validate()
    except (MkDocsException, ValueError, OSError) as error:  # a `ValueError` for a malformed URL
        raise PylitError(Problem(path, 0, f"is not valid: {error}", "Fix it.")) from error
    if errors:
        message = "; ".join(f"`{name}`: {error}" for name, error in errors)
        raise PylitError(Problem(path, 0, f"is not valid: {message}", "Fix it."))
    plugin = config.plugins.get("pylit")
    if not isinstance(plugin, PylitPlugin):
        raise PylitError(Problem(path, 0, "does not name the plugin `pylit`", "Add it to `plugins`."))
    found = find_configuration(config, plugin.options)
    project = read_project(config, site_settings(found), found)
    return found if is_beside(found) else replace(found, added=project.applied)
