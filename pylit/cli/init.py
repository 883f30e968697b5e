"""`pylit init`: give a project a configuration, a workflow that publishes its site, and a first build."""

from __future__ import annotations

import os
from pathlib import Path

import click

from .. import __version__
from .build import write_site
from .common import debug_option, ending_on_errors


@click.command()
@click.argument(
    "folder", default=".", type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True)
)
@click.option("--requirement", help="What the workflow installs. Default: annotated-pylit in this version.")
@click.option("--no-build", is_flag=True, help="Write the files only.")
@debug_option
def init(folder: Path, requirement: str | None, no_build: bool) -> None:
    """Set up a site for the project in FOLDER, by default the current folder.

    Writes a commented pylit.toml and a workflow that publishes the site on GitHub Pages, adds the site and the cache to
    the .gitignore, and builds the site. Nothing is overwritten, and nothing is asked.
    """
    from ..api import open_configuration, open_site, site_folder
    from ..site import OWN, check_unconfigured, guess_project, write_project

    with ending_on_errors():
        check_unconfigured(folder)
        written = write_project(
            folder, guess_project(folder), requirement or f"annotated-pylit[search]=={__version__}"
        )
        for name in written:
            click.echo(os.path.relpath(folder / name))
        if no_build:
            return
        configuration = open_configuration(folder / OWN)
        out = site_folder(configuration, None)
        site = open_site(configuration, out=out)
        write_site(site, out, os.fspath(folder), is_lenient=True)
