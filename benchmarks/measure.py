"""What all benchmarks share: rounds in which contestants take turns, the machine, the table and the record."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parent.parent
RECORDS = ROOT / "experiments/benchmarks"
"""Where recorded results lie, which the pages show."""
PYLIT = (sys.executable, "-m", "pylit")
_USABLE = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
THREADS = len(_USABLE)
"""How many programs can run at once."""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
"""Lets programs that run elsewhere import the code of this repository, whatever else is installed."""
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)  # or Python would compile every module each time
T = TypeVar("T")
Row = Mapping[str, Any]


def arguments(name: str, description: str | None, rounds: int) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rounds", type=positive, default=rounds, help="how often to measure (default: %(default)s)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="one round of very little, to see that it works")
    how.add_argument(
        "--record",
        action="store_true",
        help="keep the result in experiments/benchmarks, for the pages to show",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "build/benchmarks",
        help="where to write it otherwise (default: %(default)s)",
    )
    return parser


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options of this run. `--quick` is one round, and what is recorded must be committed."""
    options = parser.parse_args()
    if options.quick:
        options.rounds = 1
    if options.record:
        options.out = RECORDS
        if not re.fullmatch("[0-9a-f]{12}", commit()):
            parser.error("--record names the commit that was measured: commit all changes first")
    return options


def positive(text: str) -> int:
    """A number of rounds, steps or images that was typed."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, got {text}")
    return int(text)


def alternate(contestants: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Let all contestants run once in each round, every time in another order, and give what they returned.

    A machine is faster in one minute than in the next. What was measured in one round can be compared. If
    there are several, a first one that does not count fills the caches of the system.
    """
    names = list(contestants)
    results: dict[str, list[T]] = {name: [] for name in names}
    for number in range(-1 if rounds > 1 else 0, rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr, flush=True)
            result = contestants[name]()
            if number >= 0:
                results[name].append(result)
    return results


@dataclass(frozen=True)
class Finished:
    """A program that has run."""

    seconds: float
    peak: float
    """MiB that the largest of its processes had in memory, as the system counts them."""


def run(command: Sequence[str], folder: Path, allowed: Iterable[int] = (0,)) -> Finished:
    """Run a program in a folder.

    Raises:
        RuntimeError: with what it has printed, if its exit status is not `allowed`.
    """
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in allowed:
            output.seek(0)
            said = output.read().decode("utf-8", "replace")[-2000:]
            raise RuntimeError(f"{' '.join(command)} ended with the status {process.returncode}:\n{said}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Finished(seconds, usage.ru_maxrss * unit / 2**20)


def ask(name: str, folder: Path, *words: str) -> Any:
    """Run `python -m benchmarks.NAME` with these `words` in a process of its own, and return what it prints as JSON.

    Raises:
        RuntimeError: with what it has said, if it fails.
    """
    command = [sys.executable, "-m", f"benchmarks.{name}", *words]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr[-2000:]
        raise RuntimeError(f"{' '.join(command)} ended with the status {done.returncode}:\n{said}")
    return json.loads(done.stdout.splitlines()[-1])


def summary(values: Sequence[float]) -> dict[str, float]:
    """The median of some measurements and their spread: the quartiles, and the worst, which is the largest."""
    several = values if len(values) > 1 else [*values, *values]
    low, median, high = statistics.quantiles(several, n=4, method="inclusive")
    return {
        "median": rounded(median),
        "low": rounded(low),
        "high": rounded(high),
        "worst": rounded(max(values)),
    }


def rounded(value: float) -> float:
    """A measurement with the three digits that mean something."""
    return float(f"{value:.3g}")


def quotients(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """How many times one is the other, round by round."""
    return [one / other for one, other in zip(numerators, denominators, strict=True)]


@dataclass(frozen=True)
class Machine:
    """What a result was measured on."""

    cpu: str
    cores: int
    """Cores that the process may use."""
    threads: int
    """Hardware threads of these cores: how many programs run at once."""
    system: str
    busy: float | None
    """Which part of its time went to other things just before. On a quiet machine it is next to 0."""


def machine() -> Machine:
    """The machine that this runs on."""
    cpu, cores = platform.processor() or platform.machine(), THREADS
    known = Path("/proc/cpuinfo")
    if known.exists():
        found = [dict(re.findall(r"(?m)^(.+?)\s*: (.*)$", part)) for part in known.read_text().split("\n\n")]
        usable_ones = [
            part
            for part in found
            if part.get("processor", "-").isdecimal() and int(part["processor"]) in _USABLE
        ]
        if usable_ones and "core id" in usable_ones[0]:
            cores = len({(part.get("physical id"), part["core id"]) for part in usable_ones})
        cpu = next((part["model name"] for part in usable_ones if "model name" in part), cpu)
    return Machine(cpu, cores, THREADS, f"{platform.system()} {platform.machine()}", _busy())


def _busy(seconds: float = 0.5) -> float | None:
    """Which part of the next `seconds` the machine is not idle, where that can be known."""
    known = Path("/proc/stat")
    if not known.exists():
        return None

    def ticks() -> list[int]:
        return [int(word) for word in known.read_text().split("\n")[0].split()[1:]]

    before = ticks()
    time.sleep(seconds)
    spent = [after - one for one, after in zip(before, ticks(), strict=True)]
    return rounded(1 - sum(spent[3:5]) / max(sum(spent), 1))  # idle, and waiting for a disk


def commit() -> str:
    """The commit that is measured; with a plus if something was changed since, other than records."""

    def git(*words: str) -> str:
        found = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
        return found.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", ".", f":!{RECORDS.relative_to(ROOT)}")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def finish(
    name: str,
    rows: Sequence[Row],
    columns: Sequence[str],
    options: argparse.Namespace,
    on: Machine,
    peers: Iterable[str] = (),
) -> None:
    """Print the `columns` of the rows, and write everything to where it belongs."""
    result = {
        "benchmark": name,
        "command": f"python -m benchmarks.{name}",
        "measured": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": asdict(on),
        "versions": {
            "python": platform.python_version(),
            "pylit": commit(),
            **{peer: version(peer) for peer in peers},
        },
        "rounds": options.rounds,
        "rows": rows,
    }
    print(table(rows, columns))
    path: Path = options.out / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_json(result), "utf-8")
    counted = "1 round" if options.rounds == 1 else f"{options.rounds} rounds"
    print(f"\n{counted} on {on.cpu} with {on.cores} cores: {os.path.relpath(path)}")


def as_json(result: Mapping[str, Any]) -> str:
    """What the file of a result holds."""
    return json.dumps(result, indent=2, ensure_ascii=False) + "\n"


def table(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """Rows as text, each column as wide as it must be."""
    cells = [list(columns), *([_cell(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    numeric = [all(isinstance(row.get(column), float | int | None) for row in rows) for column in columns]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in cells
    )


def _cell(value: object) -> str:
    return (
        ""
        if value is None
        else f"{value:,.4g}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )
