"""`pylit trace`: record the traces of a whole site, or of some files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..defaults import TRACES
from ..errors import plural
from .common import config_option, ending_on_errors, shown, source_option

if TYPE_CHECKING:
    from ..errors import PylitError
    from ..site import Site


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@config_option
@source_option
@click.option(
    "--traces", type=click.Path(path_type=Path), help=f"Folder of recorded shapes. Default: {TRACES}."
)
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Record pictures of the tensors of one file instead, while this example runs.",
)
def trace(
    paths: tuple[Path, ...],
    config: Path | None,
    source_lang: str | None,
    traces: Path | None,
    pictures: Path | None,
) -> None:
    """Record the shapes of tensors, line by line, while the examples of Python files, or folders of them, run.

    Unlike all other commands, this one runs the code. Without PATHS, it records the whole site.
    """
    if pictures and len(paths) != 1:
        raise click.UsageError("--pictures needs one file.")
    from ..api import given, open_configuration, open_pages, open_site
    from ..errors import PylitError

    changed, wrong = 0, 0
    with ending_on_errors():
        options = given({"traces": traces, "source_lang": source_lang})
        if paths:
            site = open_pages(paths, config, options, is_kept=False)
        else:
            site = open_site(open_configuration(config, options), is_kept=False)
        folder = (site.settings.traces or Path(TRACES)).absolute()
        for result in (
            trace_site(site, folder) if pictures is None else picture_module(site, folder, pictures)
        ):
            if isinstance(result, PylitError):
                click.echo(shown(result.problem, site.settings.base), err=True)
                wrong += 1
            else:
                click.echo(os.path.relpath(result))
                changed += 1
    click.echo(f"{plural(changed, 'file' if pictures else 'trace')} changed.", err=True)
    sys.exit(bool(wrong))


def trace_site(site: Site, folder: Path) -> Iterator[Path | PylitError]:
    """Record the traces of all modules of `site` in `folder`, and remove those of deleted modules.

    Yields each changed file, and an error for each module that failed, whose trace is left unchanged.
    """
    from ..errors import PylitError
    from ..filesystem import leads_away
    from ..tracing import is_trace, record_trace, trace_path, write_trace

    expected = set()
    for page in site.pages:
        if page.file.endswith(".py"):
            path = trace_path(folder, page.file)
            expected.add(path)
            try:
                site.files.locate(folder, path.relative_to(folder).as_posix())
                if write_trace(path, record_trace(site.files.path(page.file), page.file)):
                    yield path
            except PylitError as error:
                yield error
    for root, _ in site.settings.roots:
        for path in sorted((folder / root).rglob("*.json")):
            is_ours = not path.is_symlink() and not any(
                leads_away(path, top) for top in (folder, site.files.base)
            )
            if is_ours and path not in expected and is_trace(path):
                path.unlink()
                yield path


def picture_module(site: Site, folder: Path, example: Path) -> Iterator[Path | PylitError]:
    """Record the pictures of the tensors of the only module of `site` in the `folder` of traces, while an example runs.

    Yields what `trace_site` yields.
    """
    from ..errors import PylitError
    from ..tracing import pictures_path, record_pictures, write_pictures

    (page,) = site.pages
    command = f"pylit trace {page.file} --pictures {site.files.name(example)}"
    try:
        path = pictures_path(folder, page.file)
        site.files.locate(folder, path.relative_to(folder).as_posix())
        yield from write_pictures(
            path, record_pictures(site.files.path(page.file), page.file, example, command)
        )
    except PylitError as error:
        yield error
