"""Whole sites from nothing: pylit, which does everything, beside pycco, which does the least.

Pycco colours code and renders Markdown. Pylit also typesets the formulas, checks and draws links, finds what each name
means, shows recorded shapes, tables and curves, and in the last row of the site's own modules makes every page in three
languages, and a notebook of each.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .measure import (
    PYLIT,
    THREADS,
    Row,
    alternate,
    arguments,
    finish,
    machine,
    parse,
    quotients,
    rounded,
    run,
    summary,
)
from .trees import LANGUAGES, LINKED, TRANSLATED, Tree, library_tree, own_tree

PYCCO = (sys.executable, "-c", "from pycco.main import main; main()")
MODULES = 222
"""As many as nn.labml.ai has."""


@dataclass(frozen=True)
class Program:
    """Someone who makes pages of a tree."""

    name: str
    jobs: int
    command: Sequence[str]
    refuses: bool = False
    """Whether it may leave out pages that it finds something wrong with, and say so."""


def main() -> None:
    """Measure, print and write."""
    parser = arguments("render", __doc__, rounds=7)
    parser.add_argument(
        "--jobs", type=int, default=THREADS, help="processes of pylit (default: %(default)s, all)"
    )
    options = parse(parser)
    on = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        own = own_tree(Path(folder, "own"), 1 if options.quick else MODULES, LANGUAGES)
        library = library_tree(Path(folder, "library"), *([("json",)] if options.quick else []))
        everything = pylit(
            own, options.jobs, "pylit, all languages and notebooks", "--notebooks", *TRANSLATED
        )
        rows = [
            *compare(own, [*programs(own, options.jobs), everything], options.rounds),
            *compare(library, programs(library, options.jobs), options.rounds),
        ]
    columns = "tree program jobs pages seconds low high pages_per_second times_pycco".split()
    finish("render", rows, columns, options, on, peers=["pycco", "pygments", "pykatex"])


def programs(tree: Tree, jobs: int) -> list[Program]:
    """Those who make the pages of a tree in English."""
    modules = [str(path.relative_to(tree.folder)) for path in tree.modules]
    pycco = Program("pycco", 1, [*PYCCO, "--paths", "--directory", "out", *modules])
    return [pycco, *(pylit(tree, count) for count in dict.fromkeys([1, jobs]))]


def pylit(tree: Tree, jobs: int, name: str = "pylit", *more: str) -> Program:
    """Our own program, which knows nothing from before."""
    given = (*tree.packages, "--out", "out", "--no-cache", "--keep-going", *LINKED, "--jobs", str(jobs))
    return Program(name, jobs, [*PYLIT, "render", *given, *more], refuses=tree.name == "library")


def compare(tree: Tree, contestants: Sequence[Program], rounds: int) -> list[Row]:
    """Let everyone make pages of a tree."""
    runs = {
        f"{program.name} --jobs {program.jobs}, {tree.name}": partial(_make, program, tree)
        for program in contestants
    }
    results = list(alternate(runs, rounds).values())
    rates = [[pages / seconds for seconds, pages in result] for result in results]
    rows: list[Row] = []
    for program, result, rate in zip(contestants, results, rates, strict=True):
        times, ratio = summary([seconds for seconds, _ in result]), summary(quotients(rate, rates[0]))
        rows.append(
            {
                "tree": tree.name,
                "modules": len(tree.modules),
                "lines": tree.lines,
                "formulas": tree.formulas,
                "program": program.name,
                "jobs": program.jobs,
                "pages": result[0][1],
                "seconds": times["median"],
                "low": times["low"],
                "high": times["high"],
                "pages_per_second": summary(rate)["median"],
                "lines_per_second": rounded(summary(rate)["median"] * tree.lines / len(tree.modules)),
                "times_pycco": ratio["median"],
                "times_pycco_low": ratio["low"],
                "times_pycco_high": ratio["high"],
            }
        )
    return rows


def _make(program: Program, tree: Tree) -> tuple[float, int]:
    """How long it took, and how many pages of modules there are then."""
    out = tree.folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    seconds = run(program.command, tree.folder, allowed=(0, 1) if program.refuses else (0,)).seconds
    pages = {path.relative_to(out).as_posix() for path in out.rglob("*.html")} - {"404.html"}
    if len(tree.packages) > 1:  # lists of all pages
        pages -= {"index.html", *(f"{lang}/index.html" for lang in LANGUAGES)}
    if len(pages) < 0.9 * len(tree.modules):
        raise RuntimeError(f"{program.name} made {len(pages)} pages of {len(tree.modules)} modules")
    return seconds, len(pages)


if __name__ == "__main__":
    main()
