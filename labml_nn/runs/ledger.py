r"""
---
title: The ledger
summary:
  Reads the folders of runs as they are, whether running, stopped, finished, failed or damaged.
  Needs no PyTorch.
---

# The ledger

What is known about a run is [in its folder](__init__.py). Here it is read, for
[the command](__main__.py) that lists, compares and draws runs. A folder may come from somebody
else, from a disk that was full or from another version of this code, so nothing in it is taken for
granted: what cannot be read is said, and the other runs are shown all the same.
"""

import csv
import io
import json
import math
import os
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labml_nn.printing import printable
from labml_nn.runs.files import RunFailed, read_small

# Files by which the folder of a run is known
SIGNS = ("config.json", "metrics.jsonl", "result.json", "checkpoints")
# How deep below a folder runs are looked for
DEPTH = 3
# Bytes of the metrics at most: those of a million steps
MOST_METRICS = 2**28
# Names of what is measured, in a line and in all of them
MOST_NAMES = 200

Line = dict[str, float | None]


@dataclass(frozen=True)
class Run:
    """What the folder of a run says."""

    folder: Path
    # `running`, `stopped`, `finished`, `failed` or `damaged`
    state: str
    # Why it failed, or what is damaged
    reason: str
    module: str
    preset: str
    # The fields of the configuration, as plain values
    config: dict[str, Any]
    # The images it learns from: how many, their shape and their hash, if that was noted
    data: str
    # The same of the images that it is measured with, and how many of each class it learns from
    measured_with: str
    classes: dict[str, int]
    # The versions of the code, the first one first
    code: tuple[dict[str, Any], ...]
    # The lines of the metrics at the ends of epochs, and those in between
    epochs: tuple[Line, ...]
    intervals: tuple[Line, ...]
    result: dict[str, Any]
    # How often the test set was used after training
    tests: int
    # The steps of the checkpoints
    checkpoints: tuple[int, ...]
    # When a file last changed, in seconds since 1970
    changed: float
    # What is odd, a sentence each
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> list[Line]:
        """All lines of the metrics, by step."""
        every = [*self.intervals, *self.epochs]
        return sorted(every, key=lambda line: line["step"] or 0)

    @property
    def steps(self) -> int:
        """The steps that the run is known to have taken."""
        found = [line["step"] or 0 for line in self.lines]
        found += [*self.checkpoints, number(self.result.get("steps")) or 0]
        return int(max(found, default=0))

    @property
    def images(self) -> int | None:
        """The images that it has seen in these steps, if that is known."""
        last = self.lines[-1] if self.lines else {}
        for source in (last, self.result):
            images = number(source.get("images"))
            if source.get("step", source.get("steps")) == self.steps and images:
                return int(images)
        # Before it was noted, all batches had the same size.
        batch = number(self.config.get("batch_size"))
        changed = "batch-size" in str(self.result.get("changes"))
        return None if batch is None or changed else int(self.steps * batch)

    @property
    def best(self) -> float | None:
        """The best accuracy on the images held out."""
        noted = number(self.result.get("best_valid_accuracy"))
        found = [line.get("accuracy.valid") for line in self.epochs]
        return max(
            (value for value in [noted, *found] if value is not None),
            default=None,
        )

    @property
    def final(self) -> float | None:
        """The last accuracy on the images held out."""
        if self.state == "finished":
            return number(self.result.get("valid_accuracy"))
        found = [line.get("accuracy.valid") for line in self.epochs]
        return found[-1] if found else None

    @property
    def test(self) -> float | None:
        """The accuracy on the test set, if the run was made for that."""
        if self.state != "finished":
            return None
        return number(self.result.get("test_accuracy"))

    def plain(self) -> dict[str, Any]:
        """What a row of the table says, as values that JSON knows."""
        return {
            "run": str(self.folder),
            "state": self.state,
            "reason": self.reason,
            "module": self.module,
            "preset": self.preset,
            "seed": self.config.get("seed"),
            "steps": self.steps,
            "images": self.images,
            "best_valid_accuracy": self.best,
            "valid_accuracy": self.final,
            "test_accuracy": self.test,
            "test_set_used_again": self.tests,
            "changed": self.changed,
            "notes": list(self.notes),
        }

    def everything(self) -> dict[str, Any]:
        """All that is known, as values that JSON knows."""
        return {
            **self.plain(),
            "data": self.data,
            "measured_with": self.measured_with,
            "classes": self.classes,
            "code": list(self.code),
            "checkpoints": list(self.checkpoints),
            "epochs": len(self.epochs),
            "config": self.config,
            "result": self.result,
        }


def number(value: object) -> float | None:
    """The `value` if it is a finite number, else `None`.

    >>> number(0.5), number('0.5'), number(float('nan')), number(True)
    (0.5, None, None, None)
    """
    if type(value) is int and abs(value) < 2**63:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    return None


def find_runs(folder: Path) -> list[Path]:
    """The folders of runs in `folder`, or itself if it is one. Raises `RunFailed` if it is missing.

    Links are not followed.
    """
    if not folder.is_dir():
        raise RunFailed(
            f"{printable(folder)} is not a folder. Name a run, or a folder "
            "with runs in it."
        )
    return sorted(_walk(folder, DEPTH))


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    if any((folder / name).exists() for name in SIGNS[:3]):
        yield folder
        return
    try:
        inside = [
            Path(entry.path)
            for entry in os.scandir(folder)
            if entry.is_dir(follow_symlinks=False)
        ]
    except OSError:
        # It is listed as damaged, with the reason.
        yield folder
        return
    if folder / "checkpoints" in inside:
        yield folder
    elif depth:
        for path in inside:
            yield from _walk(path, depth - 1)


def read_run(folder: Path) -> Run:
    """The run in `folder`. One that cannot be read has the state `damaged`, and never raises."""
    notes: list[str] = []
    config = _read_object(folder / "config.json", notes)
    damage = notes[0] if notes else ""
    if config is None and not damage:
        damage = "config.json is missing"
    config = config or {}
    options = config.get("config")
    if not damage and not (
        isinstance(options, dict)
        and isinstance(config.get("module"), str)
        and isinstance(config.get("preset"), str)
    ):
        damage = "config.json holds no module, preset and config"
    result = _read_object(folder / "result.json", notes)
    lines = read_lines(folder / "metrics.jsonl", notes)
    failed = _read_object(folder / "failed.json", notes)
    code = config.get("code")
    run = Run(
        folder=folder,
        state="stopped",
        reason="",
        module=_text(config.get("module")),
        preset=_text(config.get("preset")),
        config=options if isinstance(options, dict) else {},
        data=_text(config.get("data")),
        measured_with=_text(config.get("measured_with")),
        classes=_counts(config.get("classes")),
        code=tuple(
            entry
            for entry in (code if isinstance(code, list) else [])
            if isinstance(entry, dict)
        ),
        epochs=tuple(line for line in lines if "interval" not in line),
        intervals=tuple(line for line in lines if "interval" in line),
        result=result or {},
        tests=len(read_lines(folder / "test_uses.jsonl", notes, key="use")),
        checkpoints=_checkpoints(folder),
        changed=_last_change(folder),
    )
    state, reason = _state(run, result is not None, failed, damage)
    notes = [note for note in notes if note != reason]
    return Run(
        **{**vars(run), "state": state, "reason": reason, "notes": tuple(notes)}
    )


def _state(
    run: Run, is_complete: bool, failed: dict[str, Any] | None, damage: str
) -> tuple[str, str]:
    if damage:
        return "damaged", damage
    if _is_running(run.folder):
        return "running", ""
    if failed is not None:
        return "failed", _text(failed.get("error"), 400)
    # A run that went on for longer keeps the result of before until it is complete again.
    if is_complete and (number(run.result.get("steps")) or 0) >= run.steps:
        return "finished", ""
    return "stopped", ""


def _is_running(folder: Path) -> bool:
    """Whether the process that the note of `alone` names is there.

    That of a process that was killed stays. What is on other machines cannot be seen from here, and
    is believed.
    """
    note = _read_object(folder / "running.json", [])
    if note is None:
        return False
    pid = note.get("pid")
    if note.get("host") != socket.gethostname() or os.name == "nt":
        return True
    if type(pid) is not int or not 0 < pid < 2**31:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _read_object(path: Path, notes: list[str]) -> dict[str, Any] | None:
    """The object in the JSON file at `path`, or `None`, with a note unless it is missing."""
    try:
        if not os.path.lexists(path):
            return None
        found = json.loads(read_small(path))
    except OSError as error:
        reason = error.strerror or str(error)
        notes.append(f"{path.name} cannot be read ({printable(reason)})")
        return None
    except (ValueError, RecursionError) as error:
        notes.append(f"{path.name} cannot be read ({printable(error)})")
        return None
    if not isinstance(found, dict):
        notes.append(f"{path.name} cannot be read (it holds no object)")
        return None
    return found


def read_lines(path: Path, notes: list[str], key: str = "step") -> list[Line]:
    """The lines of the metrics at `path`, or of another file with a number `key` in each line.

    Of each line, the numbers are kept. Lines that are not valid JSON, or without the `key`, are
    counted in `notes`.
    """
    lines: list[Line] = []
    bad = 0
    try:
        if not os.path.lexists(path):
            return []
        if not path.is_file():
            raise OSError("it is not a regular file")
        if path.stat().st_size > MOST_METRICS:
            raise OSError(f"it has more than {MOST_METRICS:,} bytes")
        with path.open("rb") as file:
            for text in file:
                line = _line(text, key)
                bad += line is None
                if line is not None:
                    lines.append(line)
    except OSError as error:
        reason = error.strerror or str(error)
        notes.append(f"{path.name} cannot be read ({printable(reason)})")
    if bad:
        plural = "s" if bad > 1 else ""
        notes.append(f"{bad} line{plural} of {path.name} cannot be read")
    return lines


def _line(text: bytes, key: str) -> Line | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or number(found.get(key)) is None:
        return None
    return {
        name: number(value)
        for name, value in list(found.items())[:MOST_NAMES]
        if (value is None or type(value) in (int, float))
        # No formula for a spreadsheet, and no code for a terminal
        and re.fullmatch(r"[\w.]{1,100}", name)
    }


def _text(value: object, most: int = 100) -> str:
    return printable(value, most) if isinstance(value, str) else ""


def _counts(value: object) -> dict[str, int]:
    return {
        printable(name, 60): n
        for name, n in (value.items() if isinstance(value, dict) else ())
        if type(n) is int and 0 <= n < 2**63
    }


def _checkpoints(folder: Path) -> tuple[int, ...]:
    """The steps in the names of the checkpoints of the run in `folder`."""
    try:
        names = os.listdir(folder / "checkpoints")
    except OSError:
        return ()
    found = (re.fullmatch(r"step-(\d{8,15})\.pt", n, re.ASCII) for n in names)
    return tuple(sorted(int(match[1]) for match in found if match))


def _last_change(folder: Path) -> float:
    names = [*SIGNS, "running.json", "failed.json"]
    found = []
    for path in [folder / name for name in names]:
        try:
            found.append(path.lstat().st_mtime)
        except OSError:
            continue
    return max(found, default=0.0)


def age(seconds: float) -> str:
    """The `seconds` that have passed, in their largest unit.

    >>> [age(s) for s in (-5, 59, 60, 7199, 86400 * 400)]
    ['0 s', '59 s', '1 min', '1 h', '400 d']
    """
    seconds = max(seconds, 0)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"


def percent(value: float | None) -> str:
    """The `value` of an accuracy for people, or a dash.

    >>> percent(0.9134), percent(None)
    ('91.34 %', '–')
    """
    return "–" if value is None else f"{100 * value:.2f} %"


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """The `rows`, of which the first has the heads, in columns. Those in `right` are flush right.

    >>> print(table([['run', 'steps'], ['a', '10'], ['long', '9']], right=[1]))
    run   steps
    a        10
    long      9
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def as_csv(lines: Sequence[Line]) -> str:
    r"""The `lines` of the metrics as a table for other programs, with a column for each name.

    What was not measured is empty. Raises `RunFailed` if there are too many names.

    >>> as_csv([{'step': 5, 'loss.train': 2.5}, {'step': 9, 'loss.valid': None}])
    'step,loss.train,loss.valid\n5,2.5,\n9,,\n'
    """
    names = list(dict.fromkeys(name for line in lines for name in line))
    if len(names) > MOST_NAMES:
        raise RunFailed(
            f"the metrics have {len(names)} names, expected at most {MOST_NAMES}"
        )
    file = io.StringIO()
    writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return file.getvalue()
