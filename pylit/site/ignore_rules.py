"""Reads the rules for ignoring files: the `.gitignore` files of a project, and the patterns of its setting `exclude`.

The patterns are those of Git. A pattern from a file in the tree must not make the search slow, so patterns with many
wildcards are skipped, and reported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from ..errors import Problem, PylitError, Severity
from ..filesystem import is_entry, read_file

GITIGNORE = ".gitignore"
WILDCARDS = 3
"""Maximum number of runs of `*` in a pattern of a `.gitignore`. Matching nests as many loops over the path."""
_RUN = re.compile(r"\*+")


@dataclass(frozen=True)
class IgnoreRules:
    """Patterns, and the folder that they are relative to. Those of deeper folders take precedence."""

    folder: Path
    spec: GitIgnoreSpec
    above: IgnoreRules | None = None

    def ignores(self, path: Path, *, is_folder: bool) -> bool:
        """Return whether a file or folder below `folder` is ignored."""
        rules: IgnoreRules | None = self
        while rules is not None:
            name = path.relative_to(rules.folder).as_posix()
            found = rules.spec.check_file(f"{name}/" if is_folder else name).include
            if found is not None:
                return found
            rules = rules.above
        return False


def exclude_rules(patterns: Sequence[str], base: Path) -> IgnoreRules:
    """Return the rules of the setting `exclude`, relative to the base of the project.

    Raises:
        PylitError: naming the pattern that is not valid.
    """
    for pattern in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError as error:
            hint = "Write it as in a .gitignore: `old/`, `test_*.py`, `/docs/draft.md`."
            problem = Problem("setting exclude", 0, f"`{pattern}` is not a valid pattern", hint)
            raise PylitError(problem) from error
    return IgnoreRules(base, GitIgnoreSpec.from_lines(patterns))


def repository_rules(folder: Path, base: Path, problems: list[Problem]) -> IgnoreRules | None:
    """Return the rules of the repository that contains `folder`, up to and including those of the folder itself.

    `None` outside of a repository. If the repository ignores the folder itself, its user has named it explicitly, and
    only rules from inside it apply.
    """
    above = [folder, *folder.parents]
    root = next((one for one in above if is_entry(one / ".git")), None)
    if root is None:
        return None
    rules = IgnoreRules(
        root, GitIgnoreSpec.from_lines(_lines(root / ".git/info/exclude", root, base, problems))
    )
    for one in reversed(above[: above.index(root) + 1]):
        if one != root and rules.ignores(one, is_folder=True):
            rules = IgnoreRules(folder, GitIgnoreSpec.from_lines([]))
            return folder_rules(folder, rules, base, problems)
        rules = folder_rules(one, rules, base, problems)
    return rules


def folder_rules(folder: Path, above: IgnoreRules, base: Path, problems: list[Problem]) -> IgnoreRules:
    """Return the rules that apply in a folder, given those above it. Problems are added to `problems`."""
    if not is_entry(folder / GITIGNORE):
        return above
    lines = list(_lines(folder / GITIGNORE, folder, base, problems))
    return IgnoreRules(folder, GitIgnoreSpec.from_lines(lines), above) if lines else above


def _lines(path: Path, folder: Path, base: Path, problems: list[Problem]) -> Iterator[str]:
    """Yield the patterns of a file that can be used; the others are reported as notes."""
    if not is_entry(path):
        return
    name = Path(os.path.relpath(path, base)).as_posix()
    try:
        text = read_file(path, folder).decode("utf-8", "replace")
    except OSError as error:
        hint = "Fix its permissions, or remove it."
        problems.append(Problem(name, 0, f"is not used: {error.strerror}", hint, Severity.NOTE))
        return
    for number, line in enumerate(text.splitlines(), 1):
        if reason := _unusable(line):
            hint = f"Use `exclude` of the configuration, or split it: `{line[:80]}`."
            problems.append(Problem(name, number, f"this pattern is ignored: {reason}", hint, Severity.NOTE))
        else:
            yield line


def _unusable(pattern: str) -> str:
    """Return the reason why a pattern cannot be used; empty if it can."""
    if len(_RUN.findall(pattern)) > WILDCARDS:
        return f"it has more than {WILDCARDS} wildcards"
    try:
        GitIgnoreSpec.from_lines([pattern])
    except ValueError:
        return "it is not valid"
    return ""
