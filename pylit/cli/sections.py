"""`pylit sections`: show how files are split into prose and code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import plural


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def sections(files: tuple[Path, ...], as_json: bool) -> None:
    """Show how FILES are split into sections of prose and code."""
    from ..errors import PylitError
    from ..parsing import read_source

    result: list[dict[str, Any]] = []
    failed = False
    for path in files:
        try:
            source = read_source(path, str(path))
        except PylitError as error:
            click.echo(error, err=True)
            failed = True
            continue
        rows = [
            {"name": s.name, "line": s.line, "prose": list(s.prose), "code": list(s.code)}
            for s in source.sections
        ]
        result.append({"file": source.file, "lines": len(source.lines), "sections": rows})
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    else:
        for entry in result:
            lines, number = plural(entry["lines"], "line"), plural(len(entry["sections"]), "section")
            click.echo(f"{entry['file']}: {lines}, {number}")
            for row in entry["sections"]:
                prose, code = _ranges(row["prose"]), _ranges(row["code"])
                click.echo(f"  {row['line']:>6}  {row['name']:<40}  prose {prose:<16}  code {code}")
    sys.exit(failed)


def _ranges(numbers: list[int]) -> str:
    """Format line numbers as ranges: `[1, 2, 3, 7]` -> `1-3,7`; `-` for none."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges) or "-"
