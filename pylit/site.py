"""A site: which files are pages, where they go, and in which languages.

It answers whatever a page asks of the rest of the site. What concerns another file is told from the facts of that file,
so that pages can be made independently, in several processes.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from .cache import Store, digest
from .catalog import Catalog, catalog_path
from .engine import THEME, engine, files
from .errors import Problem, PylitError, Report, Severity
from .facts import Facts, Labels
from .interface import catalog_file
from .questions import question
from .reader import Reader
from .references import Index, Place, module_name
from .settings import Page as Page
from .settings import Settings as Settings
from .settings import file_url

if TYPE_CHECKING:
    from .glossary import Glossary
    from .model import Source
    from .traces import Chip

FACTS = 512
"""Files whose facts are kept in memory."""

Described = tuple[str, str, str, str]
"""A place as an answer: its file, the name of the definition, its anchor, and what a link to it says of it."""


class Site(Reader):
    """The pages of a site and the way from one to the other."""

    def __init__(self, settings: Settings, pages: Sequence[Page] = (), store: Store | None = None) -> None:
        super().__init__(settings.base, store or Store(None))
        self.settings = settings
        self.pages = tuple(pages)
        self.facts = lru_cache(maxsize=FACTS)(self._facts)
        self.labels = lru_cache(maxsize=2 * FACTS)(self._labels)
        self.catalog_of = lru_cache(maxsize=2 * FACTS)(self._catalog_of)

    @cached_property
    def identity(self) -> str:
        """What stands for the engine and the settings: together they decide what is made of a file."""
        templates = [self.settings.templates] if self.settings.templates else []
        return digest(engine(), files(THEME, catalog_file("").parent, *templates), self.settings.key())

    @cached_property
    def by_file(self) -> dict[str, int]:
        """The position of each page, by its file."""
        return {page.file: position for position, page in enumerate(self.pages)}

    @cached_property
    def by_url(self) -> dict[str, Page]:
        """Pages by address."""
        return {page.url: page for page in self.pages}

    @cached_property
    def by_folder(self) -> dict[str, list[Page]]:
        """The pages in each folder, and the indexes of the folders in it."""
        found: dict[str, list[Page]] = {}
        for page in self.pages:
            path = PurePosixPath(page.url)
            found.setdefault(path.parent.as_posix(), []).append(page)
            if path.name == "index.html" and path.parent != path.parent.parent:
                found.setdefault(path.parent.parent.as_posix(), []).append(page)
        return found

    @cached_property
    def packages(self) -> frozenset[str]:
        """The folders that are packages of Python."""
        paths = (PurePosixPath(page.file) for page in self.pages)
        return frozenset(path.parent.as_posix() for path in paths if path.name == "__init__.py")

    @cached_property
    def index(self) -> Index:
        """The definitions of all modules."""
        return Index(_Modules(self))

    def is_read(self, file: str) -> bool:
        """Whether the facts of a file are in the store."""
        with self.unnoted():
            return self.has_facts(file, *self.module(file))

    def _facts(self, file: str) -> Facts | None:
        """What is known of a file; `None` when it cannot be read."""
        with self.unnoted():
            return self.facts_of(file, *self.module(file))

    @property
    def owns_engine(self) -> bool:
        """Whether it belongs to the project that maintains the engine, and so the words of its interface."""
        return (self.settings.base / "pylit" / "interface.py").is_file()

    def address(self, page: Page, lang: str) -> str:
        """The address of a page in `lang`, from the root of the site."""
        return page.url if lang == self.settings.languages[0] else f"{lang}/{page.url}"

    @question
    def page(self, file: str) -> str:
        """The address of a file's page in the language of the sources; empty when it is no page."""
        position = self.by_file.get(file)
        return "" if position is None else self.pages[position].url

    def notebook(self, page: Page, lang: str) -> str:
        """The address of a page's notebook in `lang`, from the root of the site; empty when it has none."""
        if not self.settings.notebooks or not page.file.endswith(".py"):
            return ""
        return self.address(page, lang).removesuffix(".html") + ".ipynb"

    def url(self, file: str, lang: str) -> str:
        """The address of a file's page in `lang`, from the root of the site; empty when it is no page."""
        url = self.page(file)
        return self.address(Page(file, url), lang) if url else ""

    def _catalog_of(self, file: str, lang: str) -> str:
        """The catalog of a file; empty when it needs none."""
        if self.settings.translations is None or lang == self.settings.languages[0]:
            return ""
        return catalog_path(PurePosixPath(self._translations), lang, file).as_posix()

    @cached_property
    def _translations(self) -> str:
        assert self.settings.translations is not None
        return self.name(self.settings.translations)

    def catalog(self, file: str, lang: str) -> Catalog:
        """The translations of a file.

        Raises:
            PylitError: if they do not parse.
        """
        catalog = self.catalog_of(file, lang)
        return self.catalog_at(catalog, lang) if catalog else Catalog(lang)

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
        report.extend(catalog.problems)
        return catalog

    def glossary(self, lang: str) -> Glossary:
        """The terms of a language.

        Raises:
            PylitError: with the line, if its file cannot be read or does not parse.
        """
        from .glossary import Glossary, parse_glossary

        if self.settings.translations is None:
            return Glossary()
        file = self.name(self.settings.translations / lang / "glossary.yml")
        try:
            return parse_glossary(self.read(file), file) if self.has_file(file) else Glossary()
        except OSError as error:
            problem = Problem(file, 0, f"cannot be read: {error.strerror}", "Allow reading it.")
            raise PylitError(problem) from error

    def glossaries(self) -> dict[str, Glossary]:
        """The terms of all languages but that of the sources."""
        return {lang: self.glossary(lang) for lang in self.settings.languages[1:]}

    def chips(self, source: Source, report: Report) -> Mapping[int, tuple[Chip, ...]]:
        """What to show at the ends of a module's lines, by their numbers. What is stale goes to `report`."""
        from .traces import NoTraceError, chips, command, parse_trace, trace_path

        if self.settings.traces is None or not source.is_python:
            return {}
        file = self.name(trace_path(self.settings.traces, source.file))
        try:
            found, problems = chips(source, parse_trace(self.read(file)))
        except FileNotFoundError:
            return {}
        except (OSError, NoTraceError) as error:
            hint = f"Remove it, and record it again: `{command(source.file)}`."
            found, problems = {}, [Problem(file, 0, str(error), hint, Severity.WARNING)]
        report.extend(problems)
        return found

    def _labels(self, file: str, lang: str) -> Labels | None:
        """What links to a page and its definitions say in a language; `None` when it cannot be read.

        Raises:
            PylitError: if its catalog does not parse.
        """
        facts, catalog = self.facts(file), self.catalog_of(file, lang)
        with self.unnoted():
            if facts and catalog:
                return self.labels_at(catalog, facts, lang)
            return facts.labels if facts else None

    @question
    def module(self, file: str) -> tuple[str, str]:
        """The name of a file's module, and of the package that its relative imports count from."""
        return module_name(file, self.packages)

    @question
    def title(self, file: str, lang: str) -> tuple[str, str]:
        """The title of a page for a language, and the language it is in; its file's name when it cannot be read."""
        first = self.settings.languages[0]
        try:
            labels = self.labels(file, lang)
        except PylitError:  # reported when the page itself is made
            return file, first
        return (labels.title, lang if labels.is_translated else first) if labels else (file, first)

    @question
    def site_title(self, lang: str) -> str:
        """The title of the whole site in a language."""
        title, file = self.settings.title, self.settings.title_file
        return (self.quiet_catalog(file, lang).lookup(title).text if file else "") or title

    @question
    def has_anchor(self, file: str, anchor: str) -> bool:
        """Whether a page has an anchor."""
        facts = self.facts(file)
        return facts is not None and facts.has_anchor(anchor)

    def anchors(self, file: str) -> frozenset[str]:
        """The anchors of a page, but for those of lines, to tell what may have been meant."""
        facts = self.facts(file)
        return facts.names if facts else frozenset()

    @question
    def has_home(self) -> bool:
        """Whether one of the pages is the site's first."""
        return "index.html" in self.by_url

    @question
    def everything(self) -> list[str]:
        """The files of all pages in their order."""
        return [page.file for page in self.pages]

    @question
    def neighbours(self, file: str) -> tuple[str, str]:
        """The files of the pages before and after a page; empty when there is none."""
        position = self.by_file.get(file)
        around = ("", *(page.file for page in self.pages), "")
        return ("", "") if position is None else (around[position], around[position + 2])

    @question
    def above(self, url: str) -> list[tuple[str, str]]:
        """The folders that a page is in, each with the file of its index, which may be empty."""
        path = PurePosixPath(url)
        folders = path.parts[: -2 if path.name == "index.html" else -1]
        indexes = (self.by_url.get("/".join([*folders[: n + 1], "index.html"])) for n in range(len(folders)))
        return [(folder, index.file if index else "") for folder, index in zip(folders, indexes, strict=True)]

    @question
    def below(self, url: str) -> list[str]:
        """The files of the pages in the folder of an index, and of the indexes of the folders in it."""
        path = PurePosixPath(url)
        pages = self.by_folder.get(path.parent.as_posix(), []) if path.name == "index.html" else []
        return [page.file for page in pages if page.url != url]

    @question
    def definition(self, full: str, lang: str) -> Described | None:
        """What a full name means, if it is on the site."""
        place = self.index.find(full)
        return self._described(place, lang) if place else None

    @question
    def meaning(self, file: str, within: str, name: str) -> str:
        """The full name of what the prose of a definition in a module calls `name`; empty when that is not certain."""
        facts = self.facts(file)
        return self.index.meaning(name, facts, within) if facts else ""

    @question
    def users(self, file: str, name: str, lang: str) -> list[Described]:
        """The definitions that use the definition `name` of a module."""
        return [self._described(place, lang) for place in self.index.used_by(file, name)]

    def _described(self, place: Place, lang: str) -> Described:
        if not place.name:
            return place.file, "", "", self.title(place.file, lang)[0]
        try:
            labels = self.labels(place.file, lang)
        except PylitError:  # reported when the page itself is made
            labels = self.labels(place.file, self.settings.languages[0])
        sentence = labels.sentences.get(place.name, "") if labels else ""
        told = "\n".join(filter(None, [place.about.signature, sentence]))
        return place.file, place.name, place.about.anchor, told

    def repository_url(self, file: str, line: int = 0) -> str:
        """Where a file stands on the code host; empty when there is none."""
        if not self.settings.repository:
            return ""
        kind = "tree" if self.kind(file) == "folder" else "blob"
        anchor = f"#L{line}" if line else ""
        return f"{self.settings.repository.rstrip('/')}/{kind}/{self.settings.branch}/{file}{anchor}"

    def entry_url(self, file: str, lang: str, line: int) -> str:
        """Where a line of a file's catalog stands on the code host; empty when there is none."""
        catalog = self.catalog_of(file, lang)
        return self.repository_url(catalog, line) if catalog and line else ""

    def file_url(self, file: str) -> str:
        """Where a file that is no page (a picture) goes on the site."""
        return file_url(file, self.settings.roots)

    def absolute(self, url: str) -> str:
        """An address on this site with the site's own in front; empty when that is not known."""
        if not self.settings.site_url:
            return ""
        url = url.removesuffix("index.html") if posixpath.basename(url) == "index.html" else url
        return self.settings.site_url.rstrip("/") + "/" + quote(url)


class _Modules(Mapping[str, Facts]):
    """The facts of a site's modules by their names, each read when it is asked for."""

    def __init__(self, site: Site) -> None:
        self.facts = site.facts
        self.files: dict[str, str] = {}
        for page in site.pages:
            if name := module_name(page.file, site.packages)[0]:
                self.files[name] = page.file

    def __getitem__(self, name: str) -> Facts:
        facts = self.facts(self.files[name])
        if facts is None:
            raise KeyError(name)
        return facts

    def __iter__(self) -> Iterator[str]:
        return (name for name, file in self.files.items() if self.facts(file))

    def __len__(self) -> int:
        return len(self.files)
