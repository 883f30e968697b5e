"""Validates the requirements that a notebook passes to `pip install`: they must always mean the same version.

A branch moves, and a name without a version means whatever its owner publishes next. Allowed are a release with its
version, a commit with its hash, or a file with its hash. There may be several, one per line: a package, and those that
it needs from the same repository.
"""

from __future__ import annotations

import re

from ..errors import Problem, PylitError

_NAME = r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?(?:\[[\w.,-]+\])?"
_ADDRESS = r"[\w.~:/%+@-]+"
_PINNED = re.compile(
    rf"{_NAME}==[\w.!+-]+"
    rf"|(?:{_NAME} ?@ ?)?git\+(?:https|ssh)://{_ADDRESS}@[0-9a-f]{{40}}(?:#(?:egg|subdirectory)=[\w.\[\],/-]+)?"
    rf"|(?:{_NAME} ?@ ?)?https://{_ADDRESS}#sha256=[0-9a-f]{{64}}",
    re.ASCII,
)
HINT = (
    "Expected a release (`name==1.2`), a commit (`name @ git+https://host/owner/name@` and all 40 characters of its"
    " hash), or a file (`name @ https://host/name.whl#sha256=` and its hash)."
)


def resolve_requirement(requirement: str, repository: str, commit: str) -> str:
    """Replace `{repository}` and `{commit}` in a requirement.

    Returns an empty string if it needs a commit and none is known, as in a local build: notebooks then install
    nothing.

    Raises:
        PylitError: if it needs the repository and that is not set.
    """
    if "{commit}" in requirement and not commit:
        return ""
    if "{repository}" in requirement and not repository:
        raise _error(requirement, "needs the URL of the repository", "Set `repository`.")
    return requirement.replace("{repository}", repository.rstrip("/")).replace("{commit}", commit)


def split_requirements(text: str) -> list[str]:
    """Split a text into requirements, one per line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def check_requirement(requirement: str) -> None:
    """Refuse a requirement that may mean different versions over time.

    Raises:
        PylitError: if it is not pinned.
    """
    for line in split_requirements(requirement):
        if not _PINNED.fullmatch(line):
            raise _error(line, "is not pinned to one version", HINT)


def _error(requirement: str, reason: str, hint: str) -> PylitError:
    return PylitError(Problem(f"requirement `{requirement}`", 0, reason, hint))
