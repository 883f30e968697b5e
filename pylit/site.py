"""A site: which files are pages, where they go, and in which languages.

What a page needs of another (its title, its anchors) is read from the other's source when it is asked for, so that
pages can be made independently, in several processes.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from .catalog import Catalog, cached_catalog, catalog_path, stamp
from .errors import Problem, PylitError, Report, Severity
from .glossary import Glossary, load_glossary
from .model import Source
from .prose import parse_prose, plain
from .references import Facts, Index, facts, module_name
from .render import anchors, title_text
from .source import read_source
from .traces import Chip, NoTraceError, chips, command, read_trace, trace_path

KATEX_CSS = "https://cdn.jsdelivr.net/npm/katex@0.16.22/dist/katex.min.css"
KATEX_INTEGRITY = "sha384-5TcZemv2l/9On385z///+d7MSYlvIEw9FuZTIdZ14vJLqWphw7e7ZPuOiCHJcFCP"
ARCHIVE = re.compile(r"[\w-][\w.-]*\.zip")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
IGNORED = frozenset("__pycache__ node_modules site-packages build dist venv env".split())
"""Folders that are never looked into, as are those whose names begin with a dot."""


@dataclass(frozen=True)
class Settings:
    """What a site is made of."""

    base: Path
    """The folder that the names of files are relative to."""
    roots: tuple[tuple[str, str], ...]
    """Folders or files under `base`, each with the address its pages start from."""
    languages: tuple[str, ...] = ("en",)
    """The first is the language of the sources."""
    translations: Path | None = None
    title: str = ""
    title_file: str = ""
    """The file the title comes from, whose catalogs translate it."""
    order: tuple[str, ...] = ()
    """Files in the order they are to be read; those not named follow, by name."""
    repository: str = ""
    """Address of the code, such as `https://github.com/owner/name`."""
    branch: str = "main"
    site_url: str = ""
    katex_css: str = KATEX_CSS
    """Address of KaTeX's stylesheet; a relative one counts from the root of the site."""
    katex_integrity: str = KATEX_INTEGRITY
    documented: tuple[str, ...] = ()
    """Folders and files whose docstrings must name all parameters of public functions."""
    manuals: Mapping[str, str] = field(default_factory=dict)
    """Patterns of full names, such as `torch.optim.*` -> address of their documentation, with `{name}` in it."""
    search: bool = False
    """Whether readers can search it: its pages then ask for what `search` makes."""
    translating: str = ""
    """The page that tells how to translate."""
    traces: Path | None = None
    """Folder of the traces that `pylit trace` records."""
    notebooks: bool = False
    """Whether every module has a notebook beside its page."""
    requirement: str = ""
    """What `pip install` has to be told, in a notebook, to install the modules."""
    archive: str = ""
    """The name of the archive that holds the whole site, at its root; empty for none."""


@dataclass(frozen=True, slots=True)
class Page:
    """A file that becomes a page."""

    file: str
    """Relative to the site's base, with forward slashes."""
    url: str
    """Its address in the language of the sources, from the root of the site."""


@dataclass(frozen=True, eq=False)
class Site:
    """The pages of a site and the way from one to the other."""

    settings: Settings
    pages: tuple[Page, ...] = field(default=())

    @cached_property
    def by_file(self) -> dict[str, int]:
        """The position of each page, by its file."""
        return {page.file: position for position, page in enumerate(self.pages)}

    @cached_property
    def by_url(self) -> dict[str, Page]:
        """Pages by address."""
        return {page.url: page for page in self.pages}

    @lru_cache(maxsize=32)  # noqa: B019 - a process makes one site
    def urls(self, lang: str) -> dict[str, str]:
        """File -> address of its page in `lang`, from the root of the site."""
        return {page.file: self.address(page, lang) for page in self.pages}

    def address(self, page: Page, lang: str) -> str:
        """The address of a page in `lang`, from the root of the site."""
        return page.url if lang == self.settings.languages[0] else f"{lang}/{page.url}"

    def notebook(self, page: Page, lang: str) -> str:
        """The address of a page's notebook in `lang`, from the root of the site; empty when it has none."""
        if not self.settings.notebooks or not page.file.endswith(".py"):
            return ""
        return self.address(page, lang).removesuffix(".html") + ".ipynb"

    def path(self, file: str) -> Path:
        """Where a file lies."""
        return self.settings.base / file

    def source(self, file: str) -> Source:
        """A file, read and cut.

        Raises:
            PylitError: if it cannot be.
        """
        path = self.path(file)
        return _cached_source(path, file, stamp(path))

    @property
    def owns_engine(self) -> bool:
        """Whether it belongs to the project that maintains the engine, and so the words of its interface."""
        return (self.settings.base / "pylit" / "interface.py").is_file()

    @cached_property
    def packages(self) -> frozenset[str]:
        """The folders that are packages of Python."""
        paths = (PurePosixPath(page.file) for page in self.pages)
        return frozenset(path.parent.as_posix() for path in paths if path.name == "__init__.py")

    def facts(self, file: str) -> Facts | None:
        """What a module defines and uses; `None` for guides, and when it cannot be read."""
        module, package = module_name(file, self.packages)
        path = self.path(file)
        try:
            return _cached_facts(path, file, stamp(path), module, package) if module else None
        except PylitError:  # reported when the page itself is made
            return None

    @cached_property
    def index(self) -> Index:
        """The definitions of all modules."""
        found = (self.facts(page.file) for page in self.pages)
        return Index({one.module: one for one in found if one})

    def catalog(self, file: str, lang: str) -> Catalog:
        """The translations of a file.

        Raises:
            PylitError: if they do not parse.
        """
        if self.settings.translations is None or lang == self.settings.languages[0]:
            return Catalog(lang)
        path = catalog_path(self.settings.translations, lang, file)
        try:
            return cached_catalog(path, lang, stamp(path))
        except PylitError as error:
            raise PylitError(_named(error.problem, path, self.settings.base)) from error

    def quiet_catalog(self, file: str, lang: str) -> Catalog:
        """The translations of a file; none if they do not parse, which is reported when its own page is made."""
        try:
            return self.catalog(file, lang)
        except PylitError:
            return Catalog(lang)

    def checked_catalog(self, file: str, lang: str, report: Report) -> Catalog:
        """The translations of a file; none if they do not parse. What is wrong with them goes to `report`."""
        try:
            catalog = self.catalog(file, lang)
        except PylitError as error:
            report.add(error.problem)
            return Catalog(lang)
        report.extend(_named(p, Path(p.file), self.settings.base) for p in catalog.problems)
        return catalog

    def glossary(self, lang: str) -> Glossary:
        """The terms of a language.

        Raises:
            PylitError: with the line, if its file does not parse.
        """
        if self.settings.translations is None:
            return Glossary()
        path = self.settings.translations / lang / "glossary.yml"
        try:
            return load_glossary(path)
        except PylitError as error:
            raise PylitError(_named(error.problem, path, self.settings.base)) from error

    def glossaries(self) -> dict[str, Glossary]:
        """The terms of all languages but that of the sources."""
        return {lang: self.glossary(lang) for lang in self.settings.languages[1:]}

    def chips(self, source: Source, report: Report) -> Mapping[int, tuple[Chip, ...]]:
        """What to show at the ends of a module's lines, by their numbers. What is stale goes to `report`."""
        if self.settings.traces is None or not source.is_python:
            return {}
        path = trace_path(self.settings.traces, source.file)
        try:
            found, problems = chips(source, read_trace(path))
        except NoTraceError as error:
            hint = f"Remove it, and record it again: `{command(source.file)}`."
            problem = Problem(path.as_posix(), 0, str(error), hint, Severity.WARNING)
            found, problems = {}, [_named(problem, path, self.settings.base)]
        report.extend(problems)
        return found

    def title(self, file: str, lang: str) -> tuple[str, str]:
        """The title of a page for a language, and the language it is in; its file's name when it cannot be read."""
        first = self.settings.languages[0]
        try:
            source = self.source(file)
            text = title_text(source, parse_prose(source))
            found = self.catalog(file, lang).lookup(text)
        except PylitError:  # reported when the page itself is made
            return file, first
        return (plain(found.text), lang) if found.text else (plain(text), first)

    def site_title(self, lang: str) -> str:
        """The title of the whole site in a language."""
        title, file = self.settings.title, self.settings.title_file
        try:
            return (self.catalog(file, lang).lookup(title).text if file else "") or title
        except PylitError:  # reported when a page is made
            return title

    def anchors(self, file: str) -> frozenset[str]:
        """All anchors of a page; none when it cannot be read."""
        try:
            return _cached_anchors(self.source(file))
        except PylitError:  # reported when the page itself is made
            return frozenset()

    def repository_url(self, file: str, line: int = 0) -> str:
        """Where a file stands on the code host; empty when there is none."""
        if not self.settings.repository:
            return ""
        kind = "tree" if self.path(file).is_dir() else "blob"
        anchor = f"#L{line}" if line else ""
        return f"{self.settings.repository.rstrip('/')}/{kind}/{self.settings.branch}/{file}{anchor}"

    def entry_url(self, file: str, lang: str, line: int) -> str:
        """Where a line of a file's catalog stands on the code host; empty when there is none."""
        translations = self.settings.translations
        if translations is None or not line or lang == self.settings.languages[0]:
            return ""
        return self.repository_url(
            named_from(catalog_path(translations, lang, file), self.settings.base), line
        )

    def file_url(self, file: str) -> str:
        """Where a file that is no page (a picture) goes on the site."""
        return _url(file, self.settings.roots)

    def absolute(self, url: str) -> str:
        """An address on this site with the site's own in front; empty when that is not known."""
        if not self.settings.site_url:
            return ""
        url = url.removesuffix("index.html") if posixpath.basename(url) == "index.html" else url
        return self.settings.site_url.rstrip("/") + "/" + quote(url)


def find_pages(settings: Settings) -> Site:
    """Find all pages of a site.

    Raises:
        PylitError: if a root does not exist, two files would become one page, or the archive cannot be made.
    """
    if name := settings.archive:
        if not ARCHIVE.fullmatch(name):
            hint = "Name it like my-site.zip; it lies at the root of the site."
            raise PylitError(Problem(f"archive `{name}`", 0, "is no name of a zip file", hint))
        if not settings.site_url:
            hint = "Set the site's URL: pages in the archive link there for a newer one."
            raise PylitError(Problem(f"archive `{name}`", 0, "needs a site with an address", hint))
    for position, lang in enumerate(settings.languages):
        if not LANGUAGE.fullmatch(lang) or lang in settings.languages[:position]:
            reason = "is no language code" if not LANGUAGE.fullmatch(lang) else "is there already"
            hint = "Each language is named once, by a code such as zh or pt-BR."
            raise PylitError(Problem(f"language `{lang}`", 0, reason, hint))
    pages: dict[str, Page] = {}
    own = Page("", "404.html")
    taken = {own.url: own}
    for root, prefix in settings.roots:
        path = settings.base / root
        if not path.exists():
            raise PylitError(Problem(root, 0, "does not exist", "Name a Python file or a folder of them."))
        for found in sorted(_files(path)):
            name = found.relative_to(settings.base).as_posix()
            url = _page_url(name, ((root, prefix),))
            page = Page(name, url)
            for address in (url, *(f"{lang}/{url}" for lang in settings.languages[1:])):
                # Some file systems do not tell capitals from small letters.
                other = taken.setdefault(address.casefold(), page)
                if other is not page:
                    owner = f"`{other.file}`" if other.file else "pylit's own"
                    reason = f"becomes the page `{address}`, as does {owner}"
                    raise PylitError(Problem(name, 0, reason, "Rename one."))
            pages[url] = page
    rank = {file: position for position, file in enumerate(settings.order)}
    for file in settings.order:
        if file not in {page.file for page in pages.values()}:
            raise PylitError(Problem(file, 0, "is in the reading order, but is no page", "Mend the order."))
    if settings.translating and settings.translating not in {page.file for page in pages.values()}:
        hint = "Name a page of the site, or leave the option out."
        raise PylitError(
            Problem(settings.translating, 0, "is to tell how to translate, but is no page", hint)
        )
    ordered = sorted(pages.values(), key=lambda p: (rank.get(p.file, len(rank)), _by_folder(p.url)))
    return Site(settings, tuple(ordered))


def _by_folder(url: str) -> list[tuple[bool, str]]:
    parts = url.split("/")
    return [(part != "index.html", part) for part in parts]


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        yield path
        return
    for child in path.iterdir():
        if child.name.startswith(".") or child.is_symlink():
            continue
        if child.is_dir():
            if child.name not in IGNORED:
                yield from _files(child)
        elif child.suffix in (".py", ".md") and child.is_file():
            yield child


def _url(file: str, roots: Sequence[tuple[str, str]]) -> str:
    for root, prefix in roots:
        if file == root:
            return posixpath.join(prefix, posixpath.basename(file))
        if root == "." or file.startswith(root + "/"):
            return posixpath.join(prefix, posixpath.relpath(file, root))
    return file


def _page_url(file: str, roots: Sequence[tuple[str, str]]) -> str:
    path = PurePosixPath(_url(file, roots))
    name = "index" if path.stem in ("__init__", "index") else path.stem
    return (path.parent / f"{name}.html").as_posix()


def named_from(path: Path, base: Path) -> str:
    """The name of a file from `base`, if it lies there."""
    try:
        return path.resolve().relative_to(base.resolve()).as_posix()
    except ValueError:
        return path.as_posix()


def _named(problem: Problem, path: Path, base: Path) -> Problem:
    """`problem` with its file named from `base`, if it lies there."""
    return replace(problem, file=named_from(path, base))


@lru_cache(maxsize=256)
def _cached_source(path: Path, file: str, state: tuple[int, int] | None) -> Source:
    return read_source(path, file)


@lru_cache(maxsize=256)
def _cached_anchors(source: Source) -> frozenset[str]:
    return anchors(source)


@lru_cache(maxsize=10_000)
def _cached_facts(path: Path, file: str, state: tuple[int, int] | None, module: str, package: str) -> Facts:
    return facts(_cached_source(path, file, state), module, package)
