"""Options and output shared by several commands."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..defaults import CACHE
from ..errors import PylitError, plural

if TYPE_CHECKING:
    from ..errors import Problem, Report
    from ..site import Site

DEBUG = "pylit.debug"
FEW = 5
"""Maximum number of warnings, or of notes, in a brief list."""
Command = TypeVar("Command", bound=Callable[..., Any])

config_option = click.option(
    "--config",
    "-f",
    type=click.Path(path_type=Path),
    help="Configuration: pyproject.toml, pylit.toml or mkdocs.yml. Default: the nearest.",
)
source_option = click.option(
    "--source-lang",
    metavar="LANG",
    help="Language of the sources. Default: the first language of the site.",
)


def _note_debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    ctx.meta[DEBUG] = value  # shared by all contexts of a command line


debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_note_debug,
    help="Show the traceback of a bug in pylit.",
)
_BUILDING = (
    click.option(
        "--jobs",
        "-j",
        type=click.IntRange(1),
        callback=lambda ctx, parameter, value: value or 0,
        help="Number of processes. Default: one per core.",
    ),
    click.option(
        "--cache",
        type=click.Path(path_type=Path),
        help=f"Cache folder. Default: {CACHE}.",
    ),
    click.option("--no-cache", is_flag=True, help="Build everything again and cache nothing."),
    click.option(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        help="Files or folders to exclude, as in a .gitignore. Can be repeated.",
    ),
    click.option("--keep-going", is_flag=True, help="Write the pages although there are errors."),
    click.option("--strict", is_flag=True, help="Fail on any problem, including warnings."),
    click.option("--verbose", "-v", is_flag=True, help="List all warnings and notes, however many."),
    click.option(
        "--force",
        is_flag=True,
        help="Overwrite files in the folder that pylit did not write.",
    ),
    debug_option,
)


def building_options(command: Command) -> Command:
    """Add the options of commands that write pages."""
    for option in reversed(_BUILDING):
        command = option(command)
    return command


@contextmanager
def ending_on_errors() -> Iterator[None]:
    """Print a `PylitError` and end the command."""
    try:
        yield
    except PylitError as error:
        click.echo(as_called(str(error)), err=True)
        sys.exit(1)


def as_called(text: str) -> str:
    """Return a message whose commands call pylit as the user did: `.venv/bin/pylit update` for `pylit update`."""
    called = sys.argv[0]
    if os.path.basename(called) != "pylit" or shutil.which("pylit") == os.path.abspath(called):
        return text
    return text.replace("`pylit ", f"`{called} ")


def is_debugging() -> bool:
    """Return whether the user has asked for tracebacks of bugs in pylit."""
    return bool(click.get_current_context().meta.get(DEBUG))


def tell(report: Report, base: Path, *, brief: bool = False) -> None:
    """Print all problems of a report, errors last. A `brief` list omits notes or warnings if there are many."""
    mild = [problems for problems in (report.notes, report.warnings) if not brief or len(problems) <= FEW]
    for problem in [*chain.from_iterable(mild), *report.errors]:
        click.echo(shown(problem, base), err=True)
        if is_debugging() and problem.traceback:
            click.echo(problem.traceback, err=True)


def shown(problem: Problem, base: Path) -> str:
    """Format a problem, its file relative to the current folder."""
    from dataclasses import replace

    return as_called(str(replace(problem, file=os.path.relpath(base / problem.file))))


def count(report: Report) -> str:
    """Format the number of errors and warnings; empty if there are none."""
    words = [(report.errors, "error"), (report.warnings, "warning")]
    return ", ".join(plural(len(problems), word) for problems, word in words if problems)


def open_site(
    config: Path | None, source_lang: str | None = None, options: Mapping[str, Any] = MappingProxyType({})
) -> Site:
    """Open the site that a configuration describes, with some `options` that take precedence.

    Raises:
        PylitError: if its pages cannot be found.
    """
    from ..api import given, open_configuration, open_site

    changed = given({"source_lang": source_lang, **options})
    return open_site(open_configuration(config, changed), is_kept=False)
