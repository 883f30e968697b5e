"""Sites that grow: this site's modules in three languages, again and again, from 100 to 1,000 and 5,000 modules.

The time for a page should stay what it is, and so should the memory of each process. Each site is made from nothing,
and then once more, when nothing has changed.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path

from .measure import (
    PYLIT,
    Finished,
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
from .trees import LANGUAGES, LINKED, TRANSLATED, Tree, own_tree

SIZES = (100, 1_000)
LAST = 5_000
"""Takes more than ten minutes on two cores, so it is only measured with `--all`."""
PEAK = 300
"""MiB that a process may take."""


def main() -> None:
    """Measure, print and write."""
    parser = arguments("growth", __doc__, rounds=3)
    parser.add_argument("--all", action="store_true", help=f"measure {LAST:,} modules too, which takes long")
    options = parse(parser)
    sizes = (1, 20) if options.quick else (*SIZES, LAST) if options.all else SIZES
    on = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        trees = [own_tree(Path(folder, str(size)), size, LANGUAGES) for size in sizes]
        runs = {
            f"{size} modules or more": partial(make_twice, tree)
            for size, tree in zip(sizes, trees, strict=True)
        }
        results = list(alternate(runs, options.rounds).values())
        rows = [row(tree, result, results[0]) for tree, result in zip(trees, results, strict=True)]
    columns = "modules pages seconds milliseconds times_first peak goal again".split()
    finish("growth", rows, columns, options, on, peers=["pykatex"])


def make_twice(tree: Tree) -> tuple[Finished, Finished, int]:
    """Make a site, and make it again. Gives how that went, and how many pages it has."""
    for name in ("out", "cache"):
        shutil.rmtree(tree.folder / name, ignore_errors=True)
    given = ("--out", "out", "--cache", "cache", *LINKED, *TRANSLATED)
    command = [*PYLIT, "render", *tree.packages, *given]
    first, again = run(command, tree.folder), run(command, tree.folder)
    pages = sum(path.name != "404.html" for path in (tree.folder / "out").rglob("*.html"))
    if pages < len(tree.modules) * (1 + len(LANGUAGES)):
        raise RuntimeError(f"{pages} pages of {len(tree.modules)} modules were made")
    return first, again, pages


def row(
    tree: Tree, result: list[tuple[Finished, Finished, int]], smallest: list[tuple[Finished, Finished, int]]
) -> Row:
    """A size of the site, and what became of the time for a page since the smallest one."""
    pages = result[0][2]
    each = [first.seconds / pages for first, _, pages in result]
    grown = summary(quotients(each, [first.seconds / pages for first, _, pages in smallest]))
    return {
        "modules": len(tree.modules),
        "pages": pages,
        "lines": tree.lines,
        "formulas": tree.formulas,
        "seconds": summary([first.seconds for first, _, _ in result])["median"],
        "milliseconds": rounded(1000 * summary(each)["median"]),
        "times_first": grown["median"],
        "times_first_low": grown["low"],
        "times_first_high": grown["high"],
        "peak": rounded(max(first.peak for first, _, _ in result)),
        "goal": PEAK,
        "again": summary([again.seconds for _, again, _ in result])["median"],
        "again_peak": rounded(max(again.peak for _, again, _ in result)),
    }


if __name__ == "__main__":
    main()
