"""Makes the index by which readers search a finished site, with Pagefind: all languages, words of code too.

Pagefind reads copies of the pages, in which definitions weigh more and what stands twice is left out.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from .cache import canonical
from .errors import Problem, PylitError

FOLDER = "pagefind"
"""Where the index lies, from the root of the site."""
OURS = ("*-ui.*", "pagefind-highlight.js")
"""What Pagefind brings along and we have our own of: what readers see."""
ATTEMPTS = 3
"""Pagefind may end before it has written the last file."""
_HIDDEN = (".o", ".katex", ".chips", ".users", ".permalink", ".edit", ".mark", "figure", ".gp")
_DEFINED = re.compile(r'<span(?= class="n[cf]")')


def index_files(pages: Iterable[tuple[str, str]]) -> dict[str, bytes]:
    """The index of some pages, each given by its address and its HTML: addresses of files, and what they hold.

    Raises:
        PylitError: if Pagefind is not installed, or does not finish.
    """
    try:
        import pagefind.index  # noqa: F401
    except ImportError as error:
        hint = "Install it, `pip install 'pagefind[extended]'`, or switch search off in the configuration."
        raise PylitError(Problem("search", 0, "Pagefind is not installed", hint)) from error
    pages = list(pages)
    for _ in range(ATTEMPTS):
        with TemporaryDirectory(prefix="pylit-") as folder:
            asyncio.run(_index(Path(folder), pages))
            theirs = {path for pattern in OURS for path in Path(folder).glob(pattern)}
            paths = sorted(path for path in Path(folder).rglob("*") if path.is_file() and path not in theirs)
            files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        if all(files.values()):
            return {f"{FOLDER}/{name}": _sorted(name, data) for name, data in files.items()}
    hint = "Build again; if that does not help, switch search off in the configuration."
    raise PylitError(Problem("search", 0, f"Pagefind left files empty, {ATTEMPTS} times", hint))


async def _index(folder: Path, pages: Iterable[tuple[str, str]]) -> None:
    from pagefind.index import IndexConfig, PagefindIndex

    config = IndexConfig(
        output_path=str(folder),
        exclude_selectors=list(_HIDDEN),
        keep_index_url=True,
        include_characters="_.=",
    )
    async with PagefindIndex(config=config) as index:
        for url, html in pages:
            await index.add_html_file(content=weighed(html), url=f"/{url}")


def _sorted(name: str, data: bytes) -> bytes:
    """What a file of the index holds; the languages in it, which Pagefind writes in any order, are sorted."""
    return canonical(json.loads(data)).encode() if name == "pagefind-entry.json" else data


def weighed(html: str) -> str:
    """A page as Pagefind is to read it."""
    html = html.replace("<main ", "<main data-pagefind-body ", 1)
    html = html.replace('class="table terms"', 'class="table terms" data-pagefind-weight="0.2"')
    return _DEFINED.sub('<span data-pagefind-weight="9"', html)
