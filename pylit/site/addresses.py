"""Gives every file of a site a unique address, even if two would have the same one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import PurePosixPath

from ..errors import Problem
from .settings import Page, file_url, page_url

INDEXES = ("__init__", "index", "readme")
"""Names, without suffix, of files that are the index page of their folder, the best first."""
SUFFIXES = (".py", ".pyw", ".ipynb", ".md", ".pyi", "")
"""Suffixes in order of precedence for an address that several files claim."""
_LOST = "404.html"


def assign_addresses(
    files: Mapping[str, tuple[str, str]], languages: Sequence[str]
) -> tuple[list[Page], list[Problem]]:
    """Return the pages of a site, and a problem for each file whose usual address is taken.

    Args:
        files: Each file, relative to the base of the site, with its root and the address of the root.
        languages: Languages of the site; the pages of all but the first are in folders named after them.
    """
    indexed = {_folder(file, root) for file, root in files.items() if _rank(file)[0] < len(INDEXES) - 1}
    taken: dict[str, str] = {_LOST: ""}
    pages, problems = [], []
    for file in sorted(files, key=lambda file: (*_rank(file), file)):
        wanted = _wanted(file, files[file], indexed)
        candidates = chain([wanted], _others(file, files[file]))
        url = next(own for own in candidates if taken.keys().isdisjoint(_addresses(own, languages)))
        if url != wanted:
            other = next(taken[address] for address in _addresses(wanted, languages) if address in taken)
            owner = f"`{other}`" if other else "pylit's own"
            message = f"would be the page `{wanted}`, as is {owner}; its page is `{url}`"
            problems.append(Problem(file, 0, message, "Rename one of them."))
        taken |= dict.fromkeys(_addresses(url, languages), file)
        pages.append(Page(file, url))
    return pages, problems


def _rank(file: str) -> tuple[int, int]:
    path = PurePosixPath(file)
    stem, suffix = path.stem.casefold(), path.suffix.casefold()
    first = INDEXES.index(stem) if stem in INDEXES else len(INDEXES)
    return first, SUFFIXES.index(suffix) if suffix in SUFFIXES else len(SUFFIXES)


def _folder(file: str, root: tuple[str, str]) -> str:
    return PurePosixPath(file_url(file, (root,))).parent.as_posix()


def _wanted(file: str, root: tuple[str, str], indexed: Collection[str]) -> str:
    """Return the usual address of a file. A readme is the index page of a folder that has no other."""
    path = PurePosixPath(file)
    is_readme = path.stem.casefold() == "readme" and path.suffix.casefold() == ".md"
    if is_readme and _folder(file, root) not in indexed:
        return (PurePosixPath(_folder(file, root)) / "index.html").as_posix()
    return page_url(file, (root,))


def _addresses(url: str, languages: Sequence[str]) -> list[str]:
    """Return a key for an address in all languages. Some file systems do not distinguish upper and lower case."""
    return [address.casefold() for address in (url, *(f"{lang}/{url}" for lang in languages[1:]))]


def _others(file: str, root: tuple[str, str]) -> Iterator[str]:
    """Yield alternative addresses of a file: `a.md.html`, `a.md-2.html` …"""
    url = file_url(file, (root,))
    yield f"{url}.html"
    yield from (f"{url}-{number}.html" for number in count(2))
