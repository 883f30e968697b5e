"""Makes the search index of a finished site with Pagefind, for all languages and including words in code.

Pagefind reads copies of the pages, in which definitions have more weight and repeated content is removed. It knows
words only, and finds the beginnings of words. So in these copies each name in code is a word of its own, also in
`nn.Linear(3)`, and so is each character of Chinese and Japanese: how their sentences are cut into words depends on the
sentence. `search.js` puts together again what is cut here, and looks for the whole.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator
from html import escape, unescape
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
_HIDDEN = (
    *(".o", ".katex-html", "annotation", ".chips", ".users", ".permalink", ".edit", ".mark", ".strip > ul"),
    *("figure", ".cards", ".rows", ".gp"),
)
"""What is not searched: repetitions, and other forms of what is there already."""
_BESIDE = re.compile(
    r'(<section [^>]*class="row beside[^>]*>.*?)(<div class="code-box">.*?</div></div>\n)(.*?)(?=</section>)',
    re.DOTALL,
)
"""A row with code in the middle of its prose. Pagefind takes what follows a line's anchor for a part of that line."""
_DEFINED = re.compile(r'<span(?= class="n[cf]")')
_LINE = re.compile(r'<span (id="L\d+")')
"""A line of code. As an empty anchor, its text is in the index once and not twice."""
_LANG = re.compile(r'<html lang="(\w+)')
_TOKEN = re.compile(r"<[^>]*>|[^<]+")
CUT = "\u2060 "
"""Marks where a text has been cut; no browser shows it."""
_END_OF_NAME = re.compile(r"(?<=\w)(?=[^\w\s])")
_CHARACTER = re.compile(
    r"(?<=[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])(?=\w)|(?<=\w)(?=[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])"
)
_BY_CHARACTER = ("zh", "ja")
"""Languages that are written without spaces."""


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
        include_characters="_",
    )
    async with PagefindIndex(config=config) as index:
        for url, html in pages:
            await index.add_html_file(content=prepared(html), url=f"/{url}")


def _sorted(name: str, data: bytes) -> bytes:
    """Return the content of a file of the index, with its languages sorted, which Pagefind writes in any order."""
    return canonical(json.loads(data)).encode() if name == "pagefind-entry.json" else data


def prepared(html: str) -> str:
    """Return the copy of a page that Pagefind reads."""
    html = html.replace("<main ", "<main data-pagefind-body ", 1)
    html = html.replace('class="table terms"', 'class="table terms" data-pagefind-weight="0.2"')
    html = _BESIDE.sub(r"\1\3\2", html)
    html = _LINE.sub(r"<a \1></a><span", html)
    html = _DEFINED.sub('<span data-pagefind-weight="9"', html)
    head, main, rest = html.partition("<main ")
    lang = _LANG.search(head)
    by_character = lang is not None and lang[1] in _BY_CHARACTER
    return head + "".join(_cut(main + rest, by_character))


def _cut(html: str, by_character: bool) -> Iterator[str]:
    """Cut names in code, and Chinese and Japanese, into what Pagefind takes for words."""
    depth, last = 0, ""
    for token in _TOKEN.findall(html):
        if token.startswith("<"):
            if token.startswith(("<code", "</code")):
                depth += -1 if token[1] == "/" else 1
                last = ""
            yield token
            continue
        text = unescape(token)
        if depth:
            text = _END_OF_NAME.sub(CUT, last + text)[len(last) :]
        if by_character:
            text = _CHARACTER.sub(CUT, text)
        last = text[-1:]
        yield escape(text, quote=False)
