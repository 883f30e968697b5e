"""Makes the search index of a finished site with Pagefind, for all languages and including words in code.

Pagefind reads copies of the pages, in which definitions have more weight and repeated content is removed.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from ..cache import canonical
from ..errors import Problem, PylitError

FOLDER = "pagefind"
"""Folder of the index, relative to the root of the site."""
OURS = ("*-ui.*", "pagefind-highlight.js")
"""Files of Pagefind's own interface, which we replace."""
ATTEMPTS = 3
"""Number of attempts: Pagefind may end before it has written the last file."""
_HIDDEN = (".o", ".katex", ".chips", ".users", ".permalink", ".edit", ".mark", "figure", ".gp")
_DEFINED = re.compile(r'<span(?= class="n[cf]")')


def index_files(pages: Iterable[tuple[str, str]], place: Path | None = None) -> dict[str, bytes]:
    """Make the search index of some pages.

    Args:
        pages: Address and HTML of each page.
        place: Folder for temporary files; by default the system's.

    Returns:
        Address -> content of each file of the index.

    Raises:
        PylitError: if Pagefind is not installed, or does not finish.
    """
    try:
        import pagefind.index  # noqa: F401
    except ImportError as error:
        hint = "Install it, `pip install 'pagefind[extended]'`, or set `search = false` in the configuration."
        raise PylitError(Problem("search", 0, "Pagefind is not installed", hint)) from error
    pages = list(pages)
    for _ in range(ATTEMPTS):
        with TemporaryDirectory(prefix="pylit-", dir=place) as folder:
            asyncio.run(_index(Path(folder), pages))
            theirs = {path for pattern in OURS for path in Path(folder).glob(pattern)}
            paths = sorted(path for path in Path(folder).rglob("*") if path.is_file() and path not in theirs)
            files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        if all(files.values()):
            return {f"{FOLDER}/{name}": _sorted(name, data) for name, data in files.items()}
    hint = "Build again; if that does not help, set `search = false` in the configuration."
    raise PylitError(Problem("search", 0, f"Pagefind wrote empty files {ATTEMPTS} times", hint))


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
    """Return the content of a file of the index, with its languages sorted, which Pagefind writes in any order."""
    return canonical(json.loads(data)).encode() if name == "pagefind-entry.json" else data


def weighed(html: str) -> str:
    """Return a page with weights for Pagefind."""
    html = html.replace("<main ", "<main data-pagefind-body ", 1)
    html = html.replace('class="table terms"', 'class="table terms" data-pagefind-weight="0.2"')
    return _DEFINED.sub('<span data-pagefind-weight="9"', html)
