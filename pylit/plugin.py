"""The MkDocs plugin (and ProperDocs', which is the same): maps their events to `pylit`, and holds no logic.

All pages are checked before MkDocs empties the site's folder, so a failed build leaves the old site in place.
"""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from mkdocs.config import config_options as option
from mkdocs.config.base import Config, load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import ConfigurationError, PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import File, Files, InclusionLevel

from .archive import write_archive
from .build import build
from .cache import open_store
from .defaults import CACHE, KATEX_CSS, KATEX_INTEGRITY, TRACES
from .discovery import find_loop, find_pages
from .errors import PylitError
from .interface import LOCALE
from .publish import published
from .reader import leads_away
from .serving import hurry, show_failures
from .site import Settings

log = logging.getLogger("mkdocs.plugins.pylit")


class PylitConfig(Config):
    """The plugin's options in `mkdocs.yml`."""

    sources = option.ListOfItems(option.Type(str), default=[])
    """Folders of Python files; their pages start at the root of the site."""
    languages = option.ListOfItems(option.Type(str), default=["en"])
    """Languages of the site; the first is that of the sources."""
    translations = option.Type(str, default="translations")
    order = option.ListOfItems(option.Type(str), default=[])
    """Files in the order they are to be read."""
    branch = option.Type(str, default="main")
    documented = option.ListOfItems(option.Type(str), default=[])
    """Folders and files whose docstrings must name all parameters of public functions."""
    manuals = option.Type(dict, default={})
    """Patterns of full names, `torch.optim.*`, and the addresses of their documentation, with `{name}` in them."""
    katex_css = option.Type(str, default=KATEX_CSS)
    katex_integrity = option.Type(str, default=KATEX_INTEGRITY)
    search = option.Type(bool, default=True)
    """Whether readers can search the site, with Pagefind."""
    translating = option.Type(str, default="")
    """The page that tells how to translate."""
    traces = option.Type(str, default=TRACES)
    notebooks = option.Type(bool, default=False)
    """Whether modules have notebooks. A preview does without."""
    requirement = option.Type(str, default="")
    """What `pip install` has to be told, in a notebook, to install the modules."""
    archive = option.Type(str, default="")
    """Name of the archive that holds the whole site."""
    cache = option.Type(str, default=CACHE)
    """Folder that keeps what was made, for the next time; empty for none."""


class PylitPlugin(BasePlugin[PylitConfig]):
    """Makes every page of a MkDocs site, in every language."""

    def __init__(self) -> None:
        self.serving = False
        self.work: TemporaryDirectory[str] | None = None
        """Where the finished site lies, from which MkDocs copies it."""

    def on_startup(self, *, command: str, dirty: bool) -> None:
        """Note whether pages are for reading or for a preview that reloads."""
        self.serving = command == "serve"

    def on_shutdown(self) -> None:
        """Remove what MkDocs has copied."""
        if self.work:
            self.work.cleanup()

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Watch the sources and catalogs under `mkdocs serve`.

        Raises:
            PluginError: if the guides' folder has a loop. MkDocs follows links, and would never end.
        """
        if loop := find_loop(Path(config.docs_dir)):
            raise PluginError(f"{loop} is a link that leads back to a folder above it; remove it.")
        base = self._base(config)
        for folder in [*self.config.sources, self.config.translations, self.config.traces]:
            if (base / folder).is_dir():
                config.watch.append(str(base / folder))
        config.watch.append(str(LOCALE))
        return config

    def on_serve(
        self, server: LiveReloadServer, *, config: MkDocsConfig, builder: object
    ) -> LiveReloadServer:
        """Notice sooner that a file was saved, and show what is wrong with the site as a whole."""
        return hurry(show_failures(server), [config.docs_dir, config.config_file_path], config.theme.dirs)

    def on_pre_build(self, *, config: MkDocsConfig) -> None:
        """Make the site, and stop if a page cannot be made: MkDocs has not touched the site's folder yet.

        A preview goes on, and the page shows what is wrong.
        """
        self.work = self.work or TemporaryDirectory(prefix="pylit-")
        settings, cache = self.settings(config), self.config.cache
        try:
            store = open_store(settings.base / cache if cache else None, is_asked=cache != CACHE)
            report = build(find_pages(settings, store), Path(self.work.name), keep_going=self.serving)
        except PylitError as error:
            raise PluginError(str(error)) from error
        # MkDocs counts warnings, and after a build that failed its server answers nothing any more.
        for level, problems in ((logging.WARNING, report.warnings), (logging.ERROR, report.errors)):
            for problem in problems:
                log.log(logging.INFO if self.serving else level, str(problem))
        if report.errors and not self.serving:
            raise PluginError(f"{len(report.errors)} error(s) in the pages; the old site was left as it is.")

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Replace MkDocs' own pages by ours, which are finished."""
        for file in list(files.documentation_pages()):
            files.remove(file)
        for file in [f for f in files.media_files() if f.src_uri.endswith(".svg") and f.generated_by is None]:
            if not file.src_uri.startswith("assets/"):
                files.remove(file)  # drawings are part of the pages
        for file in [f for f in files if f.src_dir == config.docs_dir]:
            if leads_away(Path(config.docs_dir, file.src_uri), self._base(config)):
                files.remove(file)
        assert self.work is not None
        for url in published(Path(self.work.name)):
            if (before := files.get_file_from_path(url)) is not None:
                files.remove(before)
            path = str(Path(self.work.name, url))
            files.append(File.generated(config, url, abs_src_path=path, inclusion=InclusionLevel.INCLUDED))
        return files

    def on_env(self, env: object, *, config: MkDocsConfig, files: Files) -> None:
        """Keep MkDocs from making a 404 page and a sitemap: they are among our files."""
        config.theme.static_templates.clear()

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Make the archive, which a preview does without."""
        if self.config.archive and not self.serving:
            write_archive(Path(config.site_dir), self.config.archive)

    def _base(self, config: MkDocsConfig) -> Path:
        return Path(config.config_file_path).parent if config.config_file_path else Path.cwd()

    def settings(self, config: MkDocsConfig) -> Settings:
        """What the site is made of."""
        base = self._base(config).resolve()
        docs = Path(config.docs_dir).resolve().relative_to(base).as_posix()
        translations = base / self.config.translations
        return Settings(
            base=base,
            roots=(*((source, "") for source in self.config.sources), (docs, "")),
            languages=tuple(self.config.languages),
            translations=translations if translations.is_dir() else None,
            title=config.site_name,
            title_file=Path(config.config_file_path).name if config.config_file_path else "",
            order=tuple(self.config.order),
            repository=config.repo_url or "",
            branch=self.config.branch,
            site_url=config.site_url or "",
            katex_css=self.config.katex_css,
            katex_integrity=self.config.katex_integrity,
            documented=tuple(self.config.documented),
            manuals={str(pattern): str(address or "") for pattern, address in self.config.manuals.items()},
            search=self.config.search,
            translating=self.config.translating,
            traces=base / self.config.traces,
            # They take as long as the pages, and who looks at what was just saved looks at pages.
            notebooks=self.config.notebooks and not self.serving,
            requirement=self.config.requirement,
            archive=self.config.archive,
            templates=Path(config.theme.custom_dir) if config.theme.custom_dir else None,
            preview=self.serving,
        )


def load_settings(path: str) -> Settings:
    """Read what a site is made of from its `mkdocs.yml`.

    Raises:
        ConfigurationError: from MkDocs, if it is wrong or does not name the plugin.
    """
    config = load_config(path)
    plugin = config.plugins.get("pylit")
    if not isinstance(plugin, PylitPlugin):
        raise ConfigurationError(f"{path} does not name the plugin `pylit`")
    return plugin.settings(config)
