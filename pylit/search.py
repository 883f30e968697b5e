"""Makes the index by which readers search a finished site, with Pagefind: all languages, words of code too.

Pagefind reads copies of the pages, in which definitions weigh more and what stands twice is left out.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from .errors import Problem, PylitError

FOLDER = "pagefind"
"""Where the index lies, from the root of the site."""
OURS = ("*-ui.*", "pagefind-highlight.js")
"""What Pagefind brings along and we have our own of: what readers see."""
_HIDDEN = (".o", ".katex", ".chips", ".users", ".permalink", ".edit", ".mark", "figure", ".gp")
_DEFINED = re.compile(r'<span(?= class="n[cf]")')


def index_site(out: Path, urls: Iterable[str]) -> None:
    """Write the index of the pages at `urls` of the site in the folder `out`.

    Raises:
        PylitError: if Pagefind is not installed.
    """
    try:
        import pagefind.index  # noqa: F401
    except ImportError as error:
        hint = "Install it, `pip install 'pagefind[extended]'`, or switch search off in the configuration."
        raise PylitError(Problem("search", 0, "Pagefind is not installed", hint)) from error
    shutil.rmtree(out / FOLDER, ignore_errors=True)
    asyncio.run(_index(out, sorted(urls)))
    for pattern in OURS:
        for path in (out / FOLDER).glob(pattern):
            path.unlink()


async def _index(out: Path, urls: Iterable[str]) -> None:
    from pagefind.index import IndexConfig, PagefindIndex

    config = IndexConfig(
        output_path=str(out / FOLDER),
        exclude_selectors=list(_HIDDEN),
        keep_index_url=True,
        include_characters="_.=",
    )
    async with PagefindIndex(config=config) as index:
        for url in urls:
            await index.add_html_file(content=weighed((out / url).read_text("utf-8")), url=f"/{url}")


def weighed(html: str) -> str:
    """A page as Pagefind is to read it."""
    html = html.replace("<main ", "<main data-pagefind-body ", 1)
    html = html.replace('class="table terms"', 'class="table terms" data-pagefind-weight="0.2"')
    return _DEFINED.sub('<span data-pagefind-weight="9"', html)
