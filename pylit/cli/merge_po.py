"""`pylit merge-po`, the merge driver of git for catalogs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from ..errors import PylitError
from .common import debug_option

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@debug_option
@click.argument("base", type=_FILE)
@click.argument("ours", type=_FILE)
@click.argument("theirs", type=_FILE)
@click.argument("path", required=False)
def merge_po(base: Path, ours: Path, theirs: Path, path: str | None) -> None:
    r"""Join two versions of a catalog entry by entry, as git's merge driver.

    BASE is the version that both come from. The result is written to OURS. PATH is the name of the file in the
    repository. An entry that both versions translate differently is marked as a conflict, with exit status 1.

    \b
    Tell git once for each clone:
      git config merge.pylit.driver "pylit merge-po %O %A %B %P"
    and once for the project, in .gitattributes:
      *.po merge=pylit
    """
    from ..filesystem import write_file
    from ..i18n import po_language, po_text, read_po
    from ..translate import merge_catalogs

    name = path or os.fspath(ours)
    lang = po_language(ours)
    try:
        own = read_po(ours, lang)
        conflicts = merge_catalogs(read_po(base, lang), own, read_po(theirs, lang))
    except PylitError as error:
        problem = error.problem
        click.echo(f"{name}: {problem.message}; merged line by line instead", err=True)
        sys.exit(_merge_lines(base, ours, theirs))
    write_file(ours, po_text(own, conflicts).encode())
    if conflicts:
        entries = "1 entry" if len(conflicts) == 1 else f"{len(conflicts)} entries"
        click.echo(f"{name}: {entries} translated differently on both sides; keep one of each", err=True)
    sys.exit(bool(conflicts))


def _merge_lines(base: Path, ours: Path, theirs: Path) -> int:
    """Merge files as git does without a driver, and return whether there are conflicts."""
    labels = ("-L", "ours", "-L", "base", "-L", "theirs")
    done = subprocess.run(["git", "merge-file", *labels, ours, base, theirs])
    return int(done.returncode != 0)
