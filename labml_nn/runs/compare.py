r"""
---
title: Comparing runs
summary:
  What differs between runs in configuration, code, data and result, with the mean and the standard
  deviation over seeds.
---

# Comparing runs

Two runs with the same recipe and different seeds do not reach the same accuracy. How far they lie
apart says how large a difference between two recipes has to be to mean anything. So runs that
differ in nothing but the seed become a group, and groups are compared.
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labml_nn.printing import printable
from labml_nn.runs.ledger import Run, number, table

# Options that say where and how a run is computed and saved, not what
FREE = (
    "seed out data_dir device channels_last compile checkpoint_seconds "
    "checkpoint_steps metrics_steps keep quiet record app_url"
).split()

# Extras that are off. Runs from before there were extras know nothing of them, and are the same.
OFF = {
    **dict.fromkeys("mixup cutmix erase label_smoothing".split(), 0),
    **dict.fromkeys("clip ema patience".split(), 0),
    "accumulate": 1,
}

# What is measured: its name in `Run`, and the head of its column
MEASURED = {"final": "valid", "best": "best valid", "test": "test"}


@dataclass(frozen=True)
class Group:
    """Runs that differ in nothing but the seed."""

    runs: tuple[Run, ...]
    # What they have in common, and other groups perhaps have not
    facts: dict[str, Any]

    @property
    def finished(self) -> list[Run]:
        """Those that are complete. The accuracy of another run is not comparable."""
        return [run for run in self.runs if run.state == "finished"]

    def values(self, name: str) -> list[float]:
        """What was measured under this `name`, a number for each seed.

        Runs with the same seed tell nothing about the deviation, so their mean counts once.
        """
        seeds: dict[str, list[float]] = {}
        for run in self.finished:
            value = number(getattr(run, name))
            if value is not None:
                seed = json.dumps(run.config.get("seed"))
                seeds.setdefault(seed, []).append(value)
        return [statistics.fmean(values) for values in seeds.values()]

    def summary(self, name: str) -> dict[str, Any]:
        """Mean, deviation over seeds and number of seeds of `name`; `None` for what is unknown."""
        values = self.values(name)
        return {
            "mean": statistics.fmean(values) if values else None,
            "sd": statistics.stdev(values) if len(values) > 1 else None,
            "n": len(values),
        }


def facts_of(run: Run) -> dict[str, Any]:
    """What has to be the same for `run` to be one of a group."""
    options = {name: run.config[name] for name in sorted(run.config)}
    code = [
        {name: entry.get(name) for name in ("commit", "dirty", "hash")}
        for entry in run.code
    ]
    return {
        **{
            name: options[name]
            for name in options
            if name not in FREE and options[name] != OFF.get(name, options)
        },
        "module": run.module,
        "images": run.data or "unknown",
        "code": code or "unknown",
        "changes": run.result.get("changes", []),
    }


def group_runs(runs: Sequence[Run]) -> list[Group]:
    """The `runs` in groups, in the order of their first run. Damaged ones are left out."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        if run.state != "damaged":
            key = json.dumps(facts_of(run), sort_keys=True)
            found.setdefault(key, []).append(run)
    return [Group(tuple(each), facts_of(each[0])) for each in found.values()]


def differing(groups: Sequence[Group]) -> list[str]:
    """The names of the facts in which `groups` differ. What only some of them have differs too."""
    names = dict.fromkeys(name for group in groups for name in group.facts)
    return [
        name
        for name in names
        if len({json.dumps(g.facts.get(name), sort_keys=True) for g in groups})
        > 1
    ]


def as_plain(groups: Sequence[Group]) -> dict[str, Any]:
    """The comparison of `groups` as values that JSON knows."""
    names = differing(groups)
    return {
        "differing": names,
        "groups": [
            {
                "runs": [str(run.folder) for run in group.runs],
                "seeds": [run.config.get("seed") for run in group.runs],
                "finished": len(group.finished),
                "differing": {name: group.facts.get(name) for name in names},
                "accuracy": {name: group.summary(name) for name in MEASURED},
            }
            for group in groups
        ],
    }


def as_text(groups: Sequence[Group]) -> str:
    """The comparison of `groups` as tables for the terminal."""
    names = differing(groups)
    letters = [str(at) for at in range(1, len(groups) + 1)]
    heads = ["group", "runs", "seeds", *MEASURED.values()]
    rows = [heads]
    for letter, group in zip(letters, groups, strict=True):
        finished, all_runs = len(group.finished), len(group.runs)
        is_complete = finished == all_runs
        count = f"{all_runs}" if is_complete else f"{finished} of {all_runs}"
        seeds = {json.dumps(run.config.get("seed")) for run in group.finished}
        accuracies = [_mean(group.summary(name)) for name in MEASURED]
        rows.append([letter, count, str(len(seeds)), *accuracies])
    parts = [table(rows, right=range(1, len(heads)))]
    if names:
        differences = [
            [name, *(_short(group.facts.get(name), name) for group in groups)]
            for name in names
        ]
        parts.append(
            "What differs, by group:\n" + table([["", *letters], *differences])
        )
    elif len(groups) == 1 and len(groups[0].runs) > 1:
        parts.append("Nothing differs but the seed.")
    parts += [
        f"Group {letter}:\n" + "\n".join(map(_one_run, group.runs))
        for letter, group in zip(letters, groups, strict=True)
    ]
    if any(run.state != "finished" for group in groups for run in group.runs):
        parts.append("Means are over finished runs only.")
    return "\n\n".join(parts)


def _one_run(run: Run) -> str:
    seed = printable(json.dumps(run.config.get("seed")), 24)
    return f"  seed {seed}  {run.state}  {printable(run.folder)}"


def _mean(summary: dict[str, Any]) -> str:
    mean, sd = summary["mean"], summary["sd"]
    if mean is None:
        return "–"
    spread = "" if sd is None else f" ± {100 * sd:.2f}"
    return f"{100 * mean:.2f}{spread} % (n = {summary['n']})"


def _short(value: Any, name: str) -> str:
    match value:
        case None:
            return "–"
        case list() if name == "code":
            return " → ".join(map(short_code, value))
        case list() if not value:
            return "none"
        case str():
            return printable(value, 60)
    return printable(json.dumps(value, ensure_ascii=False), 60)


def short_code(version: dict[str, Any]) -> str:
    """The `version` of the code in a word.

    >>> short_code({'commit': '0123456789abcdef', 'dirty': True}), short_code({})
    ('0123456789+changes', 'unknown')
    """
    commit, files = version.get("commit"), version.get("hash")
    word = printable(commit[:10]) if isinstance(commit, str) else ""
    if word and version.get("dirty"):
        word += "+changes"
    if isinstance(files, str) and (version.get("dirty") or not word):
        word += f" (files {printable(files[:8])})"
    return word.strip() or "unknown"
