"""Makes a Jupyter notebook of a module, in one language: a file that runs without pylit.

Notebooks are JSON in a format that is fixed (nbformat 4.5), so it is written here; the tests hold it against
`nbformat` itself. The same page always gives the same bytes: cells are named after what they come from, nothing is
counted, and outputs are those that the page shows.
"""

from __future__ import annotations

import ast
import json
import posixpath
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin

from .cells import WIDTH, Cell, Cutter
from .context import Context
from .markdown import MarkdownWriter
from .model import Source
from .needs import Early, names
from .prose import parse_prose, title_text
from .sections import unused
from .source import syntax_tree
from .wrapping import wrap


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a notebook comes from."""

    module: str
    """The name of its module, for `import`."""
    package: str
    """The package that its relative imports count from."""
    page: str
    """Address of its page; relative when the site has none."""
    source: str = ""
    """Address of its file on the code host, if there is one."""
    requirement: str = ""
    """What `pip install` needs to be told to install the module, if that is known."""


def notebook(source: Source, context: Context, origin: Origin) -> str:
    """The notebook of a module in the language of `context`, to which problems are reported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Python thinks of the code is for the linter to say
        return _notebook(source, context, origin)


def _notebook(source: Source, context: Context, origin: Origin) -> str:
    def address(href: str) -> str:
        if "://" in origin.page:
            return urljoin(origin.page, href)
        return posixpath.basename(origin.page) + href if href.startswith("#") else href

    writer = MarkdownWriter(context, address)
    cutter = Cutter(source, writer, context.gettext, origin.module, origin.package)
    cells = list(cutter.cells())
    title = title_text(source, parse_prose(source))
    heading = f"# {writer.inline(title)}"
    if cells and cells[0].text.startswith("# ") and not cells[0].is_code:
        heading, _, rest = cells[0].text.partition("\n\n")
        cells = [*([replace(cells[0], text=rest)] if rest else []), *cells[1:]]
    first = Cell("notebook", f"{heading}\n\n{_about(source, context, origin)}")
    setup = _setup(source, context, origin, cells)
    front = [first, Cell("setup", setup, is_code=True)] if setup else [first]
    return _json([*front, *cells], writer.words(title))


def _about(source: Source, context: Context, origin: Origin) -> str:
    """What kind of notebook this is."""
    gettext = context.gettext
    file = f"[`{source.file}`]({origin.source})" if origin.source else f"`{source.file}`"
    words = (
        gettext(
            "This notebook is made from [a page](%(page)s): its prose, and the code of %(file)s, in the same order."
        )
        % {"page": origin.page, "file": file},
        gettext(
            "A cell holds whole statements, so prose inside a class or function is in its docstrings and comments."
        ),
        gettext(
            "Run the cells from top to bottom. Then change one, and run it and the examples below it again."
        ),
    )
    return "\n>\n".join(f"> {line}" for line in words)


def _setup(source: Source, context: Context, origin: Origin, cells: Sequence[Cell]) -> str:
    """The cell that makes sure that all the others can run; empty if they can anyhow."""
    gettext, module = context.gettext, origin.module
    used = names(source.text).used
    early = _early(source, cells)
    is_needed = bool(early) or "__file__" in used or _imports_own(source, module)
    parts = []
    if origin.requirement:
        lines = ("try:", f"    import {module}", "except ModuleNotFoundError:")
        install = "\n".join([*lines, f'    %pip install --quiet "{origin.requirement}"'])
        words = gettext("This installs what the cells below import, unless it is there already.")
        parts.append(_said(words, install))
    elif is_needed:
        words = gettext("If this is not found, install its package, or start Jupyter where that lies.")
        parts.append(_said(words, f"import {module}"))
    if early:
        words = gettext("The examples use these names before the cells that define them.")
        parts.append(_said(words, _import(module, early)))
    if "__file__" in used:
        words = gettext("A notebook has no `__file__`. This is the module's.")
        parts.append(_said(words, f"import {module}\n\n__file__ = {module}.__file__"))
    return "\n\n".join(parts)


def _import(module: str, wanted: Sequence[str]) -> str:
    short = f"from {module} import {', '.join(wanted)}"
    if len(short) <= WIDTH:
        return short
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in wanted) + ")"


def _said(comment: str, code: str) -> str:
    return "\n".join(f"# {line}" for line in wrap(comment, WIDTH - 2).split("\n")) + "\n" + code


def _early(source: Source, cells: Sequence[Cell]) -> list[str]:
    """The names that examples need before the cells that define them."""
    early = Early(names(source.text).bound)
    for cell in cells:
        if cell.is_code:
            (early.run if cell.is_example else early.define)(cell.text)
    return sorted(early.found)


def _imports_own(source: Source, module: str) -> bool:
    """Whether a module imports others of its own package."""
    package = module.partition(".")[0]
    for node in ast.walk(syntax_tree(source.text)):
        if isinstance(node, ast.ImportFrom) and (
            node.level or (node.module or "").partition(".")[0] == package
        ):
            return True
        if isinstance(node, ast.Import) and any(a.name.partition(".")[0] == package for a in node.names):
            return True
    return False


def _json(cells: Sequence[Cell], title: str) -> str:
    found = {
        "cells": list(_named(cells)),
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "title": title,
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _named(cells: Sequence[Cell]) -> Iterator[Mapping[str, Any]]:
    """Yield the cells as JSON, each with a name that no other has."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for cell in cells:
        # What the format allows in a name, with room for a number.
        name = unused(re.sub(r"[^A-Za-z0-9_-]+", "-", cell.name)[:56].strip("-") or "cell", taken, counts)
        taken.add(name)
        found: dict[str, Any] = {"id": name, "metadata": {}, "source": cell.text.splitlines(True)}
        if not cell.is_code:
            yield {**found, "cell_type": "markdown"}
            continue
        if cell.raises:
            found["metadata"] = {"tags": ["raises-exception"]}
        yield {
            **found,
            "cell_type": "code",
            "execution_count": None,
            "outputs": [_output(output) for output in cell.outputs],
        }


def _output(output: Mapping[str, Any]) -> Mapping[str, Any]:
    """An output with its text in lines, as files have it."""
    if "text" in output:
        return {**output, "text": output["text"].splitlines(True)}
    if "data" in output:
        return {**output, "data": {kind: text.splitlines(True) for kind, text in output["data"].items()}}
    return output
