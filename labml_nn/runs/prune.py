r"""
---
title: Removing old checkpoints
summary:
  Lists the checkpoints of runs that nobody needs any more, and deletes them when told so.
---

# Removing old checkpoints

A checkpoint of a large network takes a gigabyte, and a run keeps several. Nobody needs the older
ones, once the last of them is known to be whole.
"""

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labml_nn.printing import printable
from labml_nn.runs.files import RunFailed, alone, check_folder, writing


@dataclass(frozen=True)
class Old:
    """A checkpoint that is not needed, and its size in bytes."""

    path: Path
    size: int


def old_checkpoints(folder: Path, keep: int = 1) -> list[Old]:
    """The checkpoints of the run in `folder` that may go, the oldest first.

    The last `keep` ones stay, and so does the best. Whatever is newer than the last one that is
    whole stays as well; if none is, nothing may go. Raises `RunFailed` if `keep` is less than 1, or
    if a file of the run is something else.
    """
    if keep < 1:
        raise RunFailed(f"--keep must be at least 1, got {keep}")
    check_folder(folder)
    found = {}
    for path in (folder / "checkpoints").glob("step-*.pt"):
        match = re.fullmatch(r"step-(\d{8,15})\.pt", path.name, re.ASCII)
        if match and path.is_file() and not path.is_symlink():
            found[int(match[1])] = path
    steps = sorted(found)
    for at in reversed(range(len(steps))):
        if is_whole(found[steps[at]]):
            old = [found[step] for step in steps[: min(at, len(steps) - keep)]]
            return [Old(path, path.stat().st_size) for path in old]
    return []


def is_whole(path: Path) -> bool:
    """Whether the file at `path` holds all that was written to it, by its checksums."""
    try:
        with zipfile.ZipFile(path) as file:
            return file.testzip() is None
    except Exception:
        # A damaged archive raises whatever its damage leads to.
        return False


def delete(folder: Path, keep: int) -> list[Old]:
    """Deletes the checkpoints of the run in `folder` that may go, but for the last `keep`.

    Returns them. Raises `RunFailed` if the run is at work, or if a file cannot be deleted.
    """
    with alone(folder):
        old = old_checkpoints(folder, keep)
        for each in old:
            with writing(each.path):
                each.path.unlink(missing_ok=True)
    return old


def as_list(found: Sequence[Old], *, deleted: bool) -> str:
    """What was `found`, a line each, and what was `deleted` of it, or would be."""
    lines = [f"{size(each.size):>9}  {printable(each.path)}" for each in found]
    total = size(sum(each.size for each in found))
    plural = "" if len(found) == 1 else "s"
    what = f"{len(found)} checkpoint{plural}, {total}"
    if not found:
        lines.append("There is nothing to delete.")
    elif deleted:
        lines.append(f"Deleted {what}.")
    else:
        lines.append(f"{what}; nothing was deleted. To delete: --yes")
    return "\n".join(lines)


def size(n: int) -> str:
    """The size of `n` bytes in the unit that suits it.

    >>> [size(n) for n in (0, 999, 1000, 2_500_000, 7 * 10**9)]
    ['0 B', '999 B', '1.0 kB', '2.5 MB', '7.0 GB']
    """
    if n < 1000:
        return f"{n} B"
    for unit, factor in (("kB", 10**3), ("MB", 10**6), ("GB", 10**9)):
        if n < 1000 * factor or unit == "GB":
            break
    return f"{n / factor:.1f} {unit}"
