"""Guesses the configuration of a project that has none, and writes it with a workflow that publishes the site.

Reads the names of files and the settings of git, and runs nothing. Overwrites nothing.
"""

from __future__ import annotations

import configparser
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

from ..errors import Problem, PylitError
from ..filesystem import locate_all, read_file, write_file
from .config import OWN, PROJECT, find_config
from .starter_files import Project, configuration_text, workflow_text

WORKFLOW = ".github/workflows/pages.yml"
IGNORED = ("/site/", ".pylit-cache/")
"""What a build leaves in the folder of the project, as lines of a `.gitignore`."""
_TESTS = ("tests", "test", "testing")
_ASIDE = (*_TESTS, "doc", "docs", "build", "dist", "site")
"""Folders that are not the code of a project, even if they contain Python files."""
_SSH = re.compile(r"(?:ssh://)?[^@/\s]+@(?P<host>[\w.-]+)(?::\d+/|[:/])(?P<path>[^\s?#]+)")
_HEAD = re.compile(r"ref: refs/(?:heads|remotes/origin)/(\S+)")


def guess_project(base: Path) -> Project:
    """Guess the title, the folders of code and the repository of the project in a folder."""
    packages = tuple(_packages(base))
    exclude = () if packages else (*(f"{name}/" for name in _TESTS), "setup.py", "conftest.py")
    repository, branch = _origin(base), _branch(base)
    title = _title(base) or repository.rpartition("/")[2] or base.resolve().name
    return Project(title, packages or (".",), exclude, repository, branch or "main")


def _packages(base: Path) -> Iterator[str]:
    """Yield the folders of the packages in `base/src`, or else in `base`."""
    for parent in (base / "src", base):
        found = sorted(path.parent.name for path in parent.glob("*/__init__.py") if path.is_file())
        names = [name for name in found if name not in _ASIDE and not name.startswith(".")]
        yield from ((parent / name).relative_to(base).as_posix() for name in names)
        if names:
            break


def _title(base: Path) -> str:
    """Return the name in the project's metadata; empty if there is none."""
    try:
        project = tomllib.loads(_text(base, PROJECT)).get("project")
        name = project.get("name") if isinstance(project, dict) else None
    except ValueError:  # of no use for a title; pip will complain
        name = None
    return name.strip() if isinstance(name, str) else ""


def _origin(base: Path) -> str:
    """Return the address of the repository `origin` for browsers, without user and password."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(_text(base, ".git/config"))
    except configparser.Error:  # git's own format allows more
        return ""
    address = parser.get('remote "origin"', "url", fallback=None) or ""
    if match := _SSH.fullmatch(address):
        host, path = match["host"], match["path"]
    else:
        parts = urlsplit(address)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            return ""
        host, path = parts.hostname, parts.path
    return f"https://{host}/" + quote(path.strip("/").removesuffix(".git"))


def _branch(base: Path) -> str:
    """Return the default branch, as far as git knows it here."""
    for name in (".git/refs/remotes/origin/HEAD", ".git/HEAD"):
        if match := _HEAD.fullmatch(_text(base, name).strip()):
            return match[1]
    return ""


def _text(base: Path, name: str) -> str:
    """Read a file; return nothing if there is none, or it is not text."""
    try:
        return read_file(base / name, base).decode("utf-8-sig")
    except (OSError, ValueError):
        return ""


def check_unconfigured(base: Path) -> None:
    """Check that no configuration applies to a folder.

    Raises:
        PylitError: naming the one that does.
    """
    if path := find_config(base):
        hint = "Edit it, or remove it first. `pylit build` makes the site."
        raise PylitError(
            Problem(os.path.relpath(path), 0, "already configures the site of this folder", hint)
        )


def write_project(base: Path, project: Project, requirement: str) -> list[str]:
    """Write the configuration and the workflow, and add what a build leaves behind to the `.gitignore`.

    Args:
        base: The folder of the project.
        project: What is known about it.
        requirement: What the workflow installs.

    Returns:
        The names of the files written.

    Raises:
        PylitError: if a configuration exists, or a symlink leads out of the folder.
        OSError: if a file cannot be written.
    """
    check_unconfigured(base)
    files = {OWN: configuration_text(project)}
    if project.may_be_on_github and not os.path.lexists(base / WORKFLOW):
        files[WORKFLOW] = workflow_text(project, requirement)
    if os.path.lexists(base / ".git"):
        ignored = _text(base, ".gitignore")
        known = {line.strip().strip("/") for line in ignored.splitlines()}
        if missing := [line for line in IGNORED if line.strip("/") not in known]:
            start = ignored if ignored.endswith("\n") or not ignored else ignored + "\n"
            files[".gitignore"] = start + "\n".join(missing) + "\n"
    paths = locate_all(base, files)
    for name, text in files.items():
        write_file(paths[name], text.encode())
    return list(files)
