"""What a front page shows of other pages: their cards, and excerpts of their code."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from ..errors import PylitError
from ..nearest import suggest
from ..rendering import Excerpt, PageCard
from ..resolve import LinkError, relative_link
from .site import Page, Site


def find_cards(site: Site, page: Page, lang: str, patterns: Sequence[str]) -> list[PageCard]:
    """Return the pages whose files match `patterns`, which are relative to the file of `page`, in reading order.

    Raises:
        LinkError: if a pattern matches no page.
    """
    files = site.navigation.files()
    chosen: set[str] = set()
    for pattern in patterns:
        full = PurePosixPath(_joined(page.file, pattern))
        matching = [file for file in files if _matches(PurePosixPath(file), full) and file != page.file]
        if not matching:
            hint = suggest(str(full), files, f"Looked for `{full}`.")
            raise LinkError(f"no pages match `{pattern}`", hint)
        chosen.update(matching)
    here = site.navigation.address(page, lang)
    return [_card(site, file, here, lang) for file in files if file in chosen]


def _matches(file: PurePosixPath, pattern: PurePosixPath) -> bool:
    return len(file.parts) == len(pattern.parts) and file.match(str(pattern))


def _card(site: Site, file: str, here: str, lang: str) -> PageCard:
    title, hook = site.translations.title(file, lang), site.translations.hook(file, lang)
    data = b""
    if picture := site.sources.pictogram(file):
        links = site.links(file, lang)
        try:
            drawing = links.find_file(picture)
            data = links.read(drawing if lang == site.settings.languages[0] else links.localized(drawing))
        except LinkError:  # reported by the page itself
            data = b""
    href = relative_link(site.navigation.url(file, lang), here)
    return PageCard(href, title.text, title.lang, hook.text, hook.lang, data)


def find_excerpt(site: Site, page: Page, lang: str, target: str, numbers: Mapping[str, int]) -> Excerpt:
    """Return the body of a function, named like the target of a link: `resnet/__init__.py#ResidualBlock.forward`.

    Args:
        site: The site.
        page: The page that shows it.
        lang: The language of that page.
        target: The file, relative to that of the page, and the function.
        numbers: Names that light up together with a symbol of a formula, with their numbers.

    Raises:
        LinkError: if there is no such function.
    """
    path, _, name = target.partition("#")
    file = _joined(page.file, path)
    url = site.navigation.url(file, lang)
    if not url or not name:
        hint = "Write it like `resnet/__init__.py#ResidualBlock.forward`."
        raise LinkError(f"`{target}` does not name a function of a page", hint)
    try:
        module = site.sources.module(file)
    except PylitError as error:
        raise LinkError(f"`{file}` cannot be shown: {error.problem.message}") from error
    lines = module.coloured.body(name, numbers)
    if not lines:
        raise LinkError(f"`{file}` has no function `{name}`", "Name a function or a method by its full name.")
    anchor = site.sources.anchor(file, name)
    return Excerpt(name, relative_link(url, site.navigation.address(page, lang)) + f"#{anchor}", lines)


def linked_title(site: Site, page: Page, lang: str, target: str) -> str:
    """Return the title of the page that a link on `page` leads to; empty if it does not lead to a page."""
    file = _joined(page.file, target.partition("#")[0])
    return site.translations.title(file, lang).text if site.navigation.page_url(file) else ""


def _joined(file: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
