"""The navigation of a site: addresses of pages, their order, and their folders."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from functools import cached_property
from pathlib import PurePosixPath
from urllib.parse import quote

from ..cache import Answerer, Questions, question
from .settings import Page, Settings, file_url


class Navigation(Answerer):
    """The navigation between `pages`, given in reading order."""

    def __init__(self, questions: Questions, settings: Settings, pages: Sequence[Page]) -> None:
        super().__init__(questions)
        self.settings = settings
        self.pages = tuple(pages)

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
        """The pages listed on each folder's index: those in it, and those below it that no nearer index lists."""
        found: dict[str, list[Page]] = {}
        for page in self.pages:
            path = PurePosixPath(page.url)
            folders = list(path.parents)
            found.setdefault(folders[0].as_posix(), []).append(page)
            above = next(filter(self._has_index, folders[1:]), None)
            if above and (path.name == "index.html" or not self._has_index(folders[0])):
                found.setdefault(above.as_posix(), []).append(page)
        return found

    def _has_index(self, folder: PurePosixPath) -> bool:
        return (folder / "index.html").as_posix() in self.by_url

    @question
    def page_url(self, file: str) -> str:
        """Return the address of a file's page in the language of the sources; empty if it is not a page."""
        position = self.by_file.get(file)
        return "" if position is None else self.pages[position].url

    def url(self, file: str, lang: str) -> str:
        """Return the address of a file's page in `lang`, relative to the site's root; empty if it is not a page."""
        url = self.page_url(file)
        return self.address(Page(file, url), lang) if url else ""

    def address(self, page: Page, lang: str) -> str:
        """Return the address of a page in `lang`, relative to the root of the site."""
        return page.url if lang == self.settings.languages[0] else f"{lang}/{page.url}"

    def notebook(self, page: Page, lang: str) -> str:
        """Return the address of a page's notebook in `lang`, relative to the root of the site; empty if it has none."""
        if not self.settings.notebooks or not page.file.endswith(".py"):
            return ""
        return self.address(page, lang).removesuffix(".html") + ".ipynb"

    def picture_url(self, file: str) -> str:
        """Return the address of an image, relative to the root of the site."""
        return file_url(file, self.settings.roots)

    def absolute(self, url: str) -> str:
        """Return the absolute address of a page; empty if the URL of the site is not known."""
        if not self.settings.site_url:
            return ""
        url = url.removesuffix("index.html") if posixpath.basename(url) == "index.html" else url
        return self.settings.site_url.rstrip("/") + "/" + quote(url)

    @question
    def files(self) -> list[str]:
        """Return the files of all pages in reading order."""
        return [page.file for page in self.pages]

    @question
    def has_home(self) -> bool:
        """Return whether the site has an index page at its root."""
        return "index.html" in self.by_url

    @question
    def neighbours(self, file: str) -> tuple[str, str]:
        """Return the files of the pages before and after a page; empty at the ends."""
        position = self.by_file.get(file)
        around = ("", *(page.file for page in self.pages), "")
        return ("", "") if position is None else (around[position], around[position + 2])

    @question
    def parents(self, url: str) -> list[tuple[str, str]]:
        """Return the folders that a page is in, each with the file of its index, which may be empty."""
        path = PurePosixPath(url)
        folders = path.parts[: -2 if path.name == "index.html" else -1]
        indexes = (self.by_url.get("/".join([*folders[: n + 1], "index.html"])) for n in range(len(folders)))
        return [(folder, index.file if index else "") for folder, index in zip(folders, indexes, strict=True)]

    @question
    def children(self, url: str) -> list[str]:
        """Return the files of the pages for which an index page is the nearest index above them."""
        path = PurePosixPath(url)
        pages = self.by_folder.get(path.parent.as_posix(), []) if path.name == "index.html" else []
        return [page.file for page in pages if page.url != url]
