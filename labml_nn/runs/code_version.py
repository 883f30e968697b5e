r"""
---
title: The version of the code
summary:
  Notes which commit of which code a run was made with, and whether it had changes that were not
  committed.
---

# The version of the code

A result that nobody can repeat is worth little, and often it is the code that is missing. So a run
notes the commit that its experiment came from, if git knows it, and a
[hash of all modules](../training/processes.py#hash_of_code) here, which also tells changes apart
that were not committed. Where there is no git, the run goes on without.
"""

import importlib.util
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from labml_nn.runs.files import read_small
from labml_nn.training.processes import hash_of_code


def find_code(module: str) -> dict[str, Any]:
    """The version of the code that `module` belongs to: `commit`, and whether it is `dirty`.

    Empty if the file of the module is not under version control, or if git cannot be asked.
    Untracked files do not count as changes.
    """
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return {}
    if spec is None or spec.origin is None:
        return {}
    path = Path(spec.origin)
    # A package that is installed may lie below the folder of another project.
    if (
        _git(path.parent, "ls-files", "--error-unmatch", "--", path.name)
        is None
    ):
        return {}
    commit = _git(path.parent, "rev-parse", "HEAD")
    changes = _git(path.parent, "status", "--porcelain", "--untracked-files=no")
    if commit is None or changes is None:
        return {}
    if not re.fullmatch("[0-9a-f]{40,64}", commit, re.ASCII):
        return {}
    return {"commit": commit, "dirty": bool(changes)}


def _git(folder: Path, *words: str) -> str | None:
    """What git says in `folder`, or `None` if it fails, hangs or is not installed."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=10,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout.strip()


def code_of_run(folder: Path, module: str, step: int) -> list[dict[str, Any]]:
    """The versions of the code of the run in `folder`, the last one that of `module` now.

    The run goes on after this `step`, or begins there.
    """
    try:
        history = json.loads(read_small(folder / "config.json")).get("code")
    except (OSError, ValueError, AttributeError, RecursionError):
        # It begins, or was begun before versions were noted.
        history = None
    now = {**find_code(module), "hash": hash_of_code()}
    return note_version(history, step, now)


def note_version(
    history: Any, step: int, now: dict[str, Any]
) -> list[dict[str, Any]]:
    """The `history` of the versions of the code, with the one that is used `now`, from `step` on.

    A history that came from a file and is not one of ours is left out. A version that goes on is
    not noted again.

    >>> note_version([{'from_step': 0, 'commit': 'a'}], 5, {'commit': 'b'})
    [{'from_step': 0, 'commit': 'a'}, {'from_step': 5, 'commit': 'b'}]
    >>> note_version([{'from_step': 0, 'commit': 'a'}], 5, {'commit': 'a'})
    [{'from_step': 0, 'commit': 'a'}]
    """
    known = [
        entry
        for entry in (history if isinstance(history, list) else [])[:100]
        if isinstance(entry, dict)
        and type(entry.get("from_step")) is int
        and entry["from_step"] <= step
    ]
    last = {**known[-1]} if known else None
    if last is not None:
        last.pop("from_step")
    return known if last == now else [*known, {"from_step": step, **now}]
