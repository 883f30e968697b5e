"""Makes the Jupyter notebook of a module in one language: a file that runs without pylit.

Notebooks are JSON in a fixed format (nbformat 4.5), which is written here directly; the tests compare it with
`nbformat`. The same page always produces the same bytes: cells are named after their origin, execution counts are
omitted, and outputs are those shown on the page.
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

from ..parsing import Source, syntax_tree, unused_name
from ..rendering import Context
from . import escaping
from .cells import WIDTH, Cell, Cutter
from .late_names import Early, names
from .markdown_writer import MarkdownWriter
from .requirement import split_requirements
from .statement_groups import Statements
from .wrapping import wrap


@dataclass(frozen=True, slots=True)
class Origin:
    """The module that a notebook is made from."""

    module: str
    """Its name for `import`."""
    package: str
    """The package that its relative imports are relative to."""
    page: str
    """Address of its page; relative if the URL of the site is not known."""
    source: str = ""
    """Address of its file on the code host, if any."""
    requirement: str = ""
    """Requirements to install the module with `pip`, one per line, if known."""


def make_notebook(source: Source, statements: Statements, context: Context, origin: Origin) -> str:
    """Make the notebook of a module in the language of `context`, which collects the problems."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings about the code are the linter's job
        return _notebook(source, statements, context, origin)


def _notebook(source: Source, statements: Statements, context: Context, origin: Origin) -> str:
    def address(href: str) -> str:
        if "://" in origin.page:
            return urljoin(origin.page, href)
        return posixpath.basename(origin.page) + href if href.startswith("#") else href

    writer = MarkdownWriter(context, address)
    cutter = Cutter(source, statements, writer, context.gettext, origin.module, origin.package)
    cells = list(cutter.cells())
    heading = f"# {escaping.one_line(writer.inline(source.title))}"
    if cells and cells[0].text.startswith("# ") and not cells[0].is_code:
        heading, _, rest = cells[0].text.partition("\n\n")
        cells = [*([replace(cells[0], text=rest)] if rest else []), *cells[1:]]
    first = Cell("notebook", f"{heading}\n\n{_about(source, context, origin)}")
    setup = _setup(source, context, origin, cells)
    front = [first, Cell("setup", setup, is_code=True)] if setup else [first]
    return _json([*front, *cells], writer.words(source.title))


def _about(source: Source, context: Context, origin: Origin) -> str:
    """Return the introduction to the notebook."""
    gettext = context.gettext
    file = escaping.code(source.file)
    file = f"[{file}]({escaping.address(origin.source)})" if origin.source else file
    words = (
        gettext(
            "This notebook is made from [a page](%(page)s): its prose, and the code of %(file)s, in the same order."
        )
        % {"page": escaping.address(origin.page), "file": file},
        gettext(
            "A cell holds whole statements, so prose inside a class or function is in its docstrings and comments."
        ),
        gettext(
            "Run the cells from top to bottom. Then change one, and run it and the examples below it again."
        ),
    )
    return "\n>\n".join(f"> {line}" for line in words)


def _setup(source: Source, context: Context, origin: Origin, cells: Sequence[Cell]) -> str:
    """Return the code of the first cell, on which the other cells depend; empty if it is not needed."""
    gettext, module = context.gettext, origin.module
    used = names(source.text).used
    early = _early(source, cells)
    is_needed = bool(early) or "__file__" in used or _imports_own(source, module)
    parts = []
    if origin.requirement:
        lines = ("try:", f"    import {module}", "except ModuleNotFoundError:")
        pinned = " ".join(f'"{requirement}"' for requirement in split_requirements(origin.requirement))
        install = "\n".join([*lines, f"    %pip install --quiet {pinned}"])
        words = gettext("This installs what the cells below import, unless it is installed already.")
        parts.append(_with_comment(words, install))
    elif is_needed:
        words = gettext("If the module is not found, install its package, or start Jupyter in its folder.")
        parts.append(_with_comment(words, f"import {module}"))
    if early:
        words = gettext("The examples use these names before the cells that define them.")
        parts.append(_with_comment(words, _import(module, early)))
    if "__file__" in used:
        words = gettext("A notebook has no `__file__`. This is the module's.")
        parts.append(_with_comment(words, f"import {module}\n\n__file__ = {module}.__file__"))
    return "\n\n".join(parts)


def _import(module: str, wanted: Sequence[str]) -> str:
    short = f"from {module} import {', '.join(wanted)}"
    if len(short) <= WIDTH:
        return short
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in wanted) + ")"


def _with_comment(comment: str, code: str) -> str:
    return "\n".join(f"# {line}" for line in wrap(comment, WIDTH - 2).split("\n")) + "\n" + code


def _early(source: Source, cells: Sequence[Cell]) -> list[str]:
    """Return the names that examples use before the cells that define them."""
    early = Early(names(source.text).bound)
    for cell in cells:
        if cell.is_code:
            (early.run if cell.is_example else early.define)(cell.text)
    return sorted(early.found)


def _imports_own(source: Source, module: str) -> bool:
    """Return whether a module imports others of its own package."""
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
    """Yield the cells as JSON, each with a unique name."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for cell in cells:
        # Characters and length allowed by the format, with room for a number.
        name = unused_name(
            re.sub(r"[^A-Za-z0-9_-]+", "-", cell.name)[:56].strip("-") or "cell", taken, counts
        )
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
    """Return an output with its text split into lines, as in files."""
    if "text" in output:
        return {**output, "text": output["text"].splitlines(True)}
    if "data" in output:
        return {**output, "data": {kind: text.splitlines(True) for kind, text in output["data"].items()}}
    return output
