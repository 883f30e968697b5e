"""The MkDocs plugin (and ProperDocs', which is the same): maps their events to `pylit`, and holds no logic.

All pages are checked before MkDocs empties the site's folder, so a failed build leaves the old site in place.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from jinja2 import Environment
from mkdocs.config import config_options as option
from mkdocs.config.base import Config, load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import ConfigurationError, PluginError
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils.templates import TemplateContext

from .archive import write_archive
from .document import extra_contexts, page_context, prepare
from .errors import PylitError, Report
from .interface import LOCALE
from .search import FOLDER, index_site
from .site import KATEX_CSS, KATEX_INTEGRITY, Settings, Site, find_pages
from .traces import TRACES
from .view import View, contents_page, preview_page, render_notebook, render_page

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
    """Whether modules have notebooks."""
    requirement = option.Type(str, default="")
    """What `pip install` has to be told, in a notebook, to install the modules."""
    archive = option.Type(str, default="")
    """Name of the archive that holds the whole site."""


class PylitPlugin(BasePlugin[PylitConfig]):
    """Makes every page of a MkDocs site, in every language."""

    def __init__(self) -> None:
        self.serving = False
        self.site: Site | None = None
        self.views: dict[str, View] = {}
        self.index: Path | None = None
        self.notebooks: dict[str, str] = {}

    def on_startup(self, *, command: str, dirty: bool) -> None:
        """Note whether pages are for reading or for a preview that reloads."""
        self.serving = command == "serve"

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Watch the sources and catalogs under `mkdocs serve`; addresses are those of files."""
        base = self._base(config)
        config.use_directory_urls = False
        for folder in [*self.config.sources, self.config.translations, self.config.traces]:
            if (base / folder).is_dir():
                config.watch.append(str(base / folder))
        config.watch.append(str(LOCALE))
        return config

    def on_pre_build(self, *, config: MkDocsConfig) -> None:
        """Make all pages, and stop if one cannot be made: MkDocs has not touched the site's folder yet.

        A preview goes on, and the page shows what is wrong.
        """
        report = Report()
        try:
            site = find_pages(self.settings(config))
        except PylitError as error:
            raise PluginError(str(error)) from error
        make = preview_page if self.serving else render_page
        views = [make(site, page, lang, report) for page in site.pages for lang in site.settings.languages]
        notebooks = {
            address: text
            for page in site.pages
            for lang in site.settings.languages
            if (address := site.notebook(page, lang)) and (text := render_notebook(site, page, lang, report))
        }
        if "index.html" not in site.by_url:
            views += [contents_page(site, lang) for lang in site.settings.languages]
        # MkDocs counts warnings, and after a build that failed its server answers nothing any more.
        for level, problems in ((logging.WARNING, report.warnings), (logging.ERROR, report.errors)):
            for problem in problems:
                log.log(logging.INFO if self.serving else level, str(problem))
        if report.errors and not self.serving:
            raise PluginError(f"{len(report.errors)} error(s) in the pages; the old site was left as it is.")
        self.site, self.views = site, {view.url: view for view in views if view}
        self.notebooks = notebooks

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """Replace MkDocs' own pages by ours, and add the pictures that they need."""
        assert self.site is not None
        for file in list(files.documentation_pages()):
            files.remove(file)
        for file in [f for f in files.media_files() if f.src_uri.endswith(".svg") and f.generated_by is None]:
            if not file.src_uri.startswith("assets/"):
                files.remove(file)  # drawings are part of the pages
        for url in self.views:
            files.append(File.generated(config, url.removesuffix(".html") + ".md", content=""))
        for address, notebook in self.notebooks.items():
            files.append(File.generated(config, address, content=notebook))
        for picture in dict.fromkeys(p for view in self.views.values() for p in view.pictures):
            path = str(self.site.path(picture))
            address = self.site.file_url(picture)
            if files.get_file_from_path(address) is None:
                files.append(File.generated(config, address, abs_src_path=path))
        return files

    def on_env(self, env: Environment, *, config: MkDocsConfig, files: Files) -> Environment:
        """Set up MkDocs' templates as ours are."""
        return prepare(env)

    def on_template_context(
        self, context: TemplateContext, *, template_name: str, config: MkDocsConfig
    ) -> TemplateContext:
        """Give the 404 page and the sitemap what they show."""
        assert self.site is not None
        ours = extra_contexts(self.site, serving=self.serving).get(template_name, {"sitemap": []})
        return _with(context, ours)

    def on_page_content(self, html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
        """Tell MkDocs the title of a page, for its own lists."""
        page.title = self.views[page.file.dest_uri].body.title
        return html

    def on_page_context(
        self, context: TemplateContext, *, page: Page, config: MkDocsConfig, nav: object
    ) -> TemplateContext:
        """Give a page's template what it shows."""
        return _with(context, page_context(self.views[page.file.dest_uri], serving=self.serving))

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Make the index for searching, and the archive, which a preview does without."""
        assert self.site is not None
        out = Path(config.site_dir)
        if self.config.search:
            self._index(out)
        if self.site.settings.archive and not self.serving:
            write_archive(out, self.site.settings.archive)

    def _index(self, out: Path) -> None:
        """Make the index for searching; in a preview once."""
        if self.index is not None:
            shutil.copytree(self.index, out / FOLDER)
            return
        try:
            index_site(out, self.views)
        except PylitError as error:
            raise PluginError(str(error)) from error
        if self.serving:
            self.kept = TemporaryDirectory(prefix="pylit-search-")
            self.index = Path(self.kept.name) / FOLDER
            shutil.copytree(out / FOLDER, self.index)

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
            notebooks=self.config.notebooks,
            requirement=self.config.requirement,
            archive=self.config.archive,
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


def _with(context: TemplateContext, ours: dict[str, Any]) -> TemplateContext:
    return cast("TemplateContext", {**context, **ours})
