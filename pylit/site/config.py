"""Finds and reads the configuration of a site: `[tool.pylit]` in `pyproject.toml`, or `pylit.toml`.

A folder with two configurations is refused. MkDocs configurations are found here too, and read by the plugin.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import Problem, PylitError
from ..filesystem import is_entry, read_file, resolve_path
from ..parsing import decode_utf8
from .options import PATHS, Given, KeyPlace, Options, check_options
from .settings import Settings

PROJECT = "pyproject.toml"
OWN = "pylit.toml"
TABLE = "tool.pylit"
"""The table of our keys in a `pyproject.toml`."""
MKDOCS = ("mkdocs.yml", "mkdocs.yaml", "properdocs.yml", "properdocs.yaml")
CONFIG_NAMES = (OWN, PROJECT, *MKDOCS)
"""Names of files that may be the configuration of a folder."""
_NAME = b"pylit"
"""Text that every configuration for pylit contains; files without it are not parsed."""
_REPOSITORY = (".git", ".hg", ".svn")
_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*[.=]""")
_AT = re.compile(r"\s*\(at (?:line ([0-9]+), .*|end of document)\)\Z")
"""The position of an error in a message of `tomllib`."""


@dataclass(frozen=True)
class Configuration:
    """The options that a user has set for a site, and where."""

    base: Path
    """The folder that file names are relative to."""
    path: Path | None = None
    """The configuration file; `None` if there is none."""
    given: Given = field(default_factory=Given)
    lines: Mapping[str, int] = field(default_factory=dict)
    """Line number of each key."""
    added: Callable[[Settings], Settings] | None = None
    """Adds settings that only a `mkdocs.yml` contains."""

    @cached_property
    def options(self) -> Options:
        """All options, with defaults."""
        values: dict[str, Any] = dict(self.given)
        return Options(**values)

    def place(self, name: str) -> KeyPlace:
        """Return the file and line of a key; line 0 if it is not set."""
        return (os.path.relpath(self.path) if self.path else "", self.lines.get(name, 0))

    def folder(self, name: str) -> Path | None:
        """Return the path of the folder that a key names, or `None`."""
        value: str = getattr(self.options, name)
        return resolve_path(self.base) / value if value else None

    def with_options(self, given: Given) -> Configuration:
        """Return a copy with the options in `given`, which take precedence."""
        return replace(self, given=Given(**{**self.given, **given}))

    def without(self, names: Collection[str]) -> Configuration:
        """Return a copy without some keys."""
        kept: Any = {name: value for name, value in self.given.items() if name not in names}
        return replace(self, given=kept)


def find_config(start: Path) -> Path | None:
    """Find the configuration of `start` or the nearest folder above it, up to the root of the repository.

    Raises:
        PylitError: if a folder has two configurations, or one cannot be read.
    """
    start = Path(os.path.abspath(start))
    for folder in (start, *start.parents):
        if path := find_toml(folder):
            return path
        for name in MKDOCS:
            if _holds_name(folder / name):
                return folder / name
        if any(is_entry(folder / name) for name in _REPOSITORY):
            break
    return None


def find_toml(folder: Path) -> Path | None:
    """Find the TOML configuration of a folder.

    Raises:
        PylitError: if there are two, or a file that may be one cannot be read.
    """
    own, project = folder / OWN, folder / PROJECT
    found = []
    if is_entry(own):
        found.append(own)
    if _holds_name(project) and _table(_parse(project, _read(project))) is not None:
        found.append(project)
    if len(found) > 1:
        line = key_line(_read(project), "", TABLE)
        message = f"is a configuration, and so is [{TABLE}] of {_shown(project)}:{line}"
        raise PylitError(Problem(_shown(own), 0, message, "Keep one of them, with the keys of both."))
    return found[0] if found else None


def read_config(path: Path) -> Configuration:
    """Read a TOML configuration.

    Raises:
        PylitError: with the line, if it cannot be read or is not valid.
    """
    return parse_config(path, _read(path))


def table_name(path: Path) -> str:
    """Return the table of our keys in a TOML file; empty if they are at the top level."""
    return TABLE if path.name == PROJECT else ""


def parse_config(path: Path, text: str) -> Configuration:
    """Parse `text`, the content of the configuration file `path`.

    Raises:
        PylitError: with the line, if it is not valid.
    """
    path = Path(os.path.abspath(path))
    shown, table = _shown(path), table_name(path)
    values: Any = _parse(path, text)
    if table:
        values = _table(values)
    if values is None:
        hint = f"Add it, or name another file. Keys go below a line [{TABLE}]."
        raise PylitError(Problem(shown, 0, f"has no table [{TABLE}]", hint))
    if not isinstance(values, dict):
        line = key_line(text, "pylit", "tool")
        raise PylitError(Problem(shown, line, f"`{TABLE}` is not a table", f"Write a line [{TABLE}]."))
    if not table and "tool" in values:
        line, hint = key_line(text, "", TABLE), f"Remove the line [{TABLE}], which belongs in a {PROJECT}."
        raise PylitError(Problem(shown, line, "has its keys in a table; expected at the top level", hint))
    lines = {name: key_line(text, name, table) for name in values}
    given = check_options(values, lambda name: (shown, lines[name]))
    return Configuration(path.parent, path, given, lines)


def key_line(text: str, name: str, table: str) -> int:
    """Return the line of a key of a TOML table, or of the table's header if `name` is empty.

    Returns 0 if the header is not found, for example because it is written in an unusual way.
    """
    current, header = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if match := _HEADER.fullmatch(line):
            current = ".".join(part.strip(" \t\"'") for part in match[1].split("."))
            header = number if current == table else header
            if name and current == f"{table}.{name}".lstrip("."):
                return number
        elif name and current == table and (match := _KEY.match(line)) and match[1] == name:
            return number
    return header


def check_same(configuration: Configuration, other: Given, file: str, names: Mapping[str, str]) -> None:
    """Check that another configuration file in the same folder does not contradict the configuration.

    Args:
        configuration: The configuration.
        other: The options set in the other file.
        file: The other file.
        names: Names of some keys in that file.

    Raises:
        PylitError: naming both places.
    """
    for name, value in other.items():
        ours = getattr(configuration.options, name)
        if _compared(configuration, name, value) == _compared(configuration, name, ours):
            continue
        where, line = configuration.place(name)
        is_set = name in configuration.given
        own = f"`{name}` in {where}:{line} is {json.dumps(ours)}" if is_set else f"{where} has no `{name}`"
        message = f"`{names.get(name, name)}` is {json.dumps(value)}, but {own}"
        hint = f"Set it in {where} only, or to the same value in both files."
        raise PylitError(Problem(file, 0, message, hint))


def _compared(configuration: Configuration, name: str, value: object) -> object:
    """Normalize a value for comparison with another value of the same key."""
    if not isinstance(value, str):
        return value
    if name in PATHS and value:
        return os.path.abspath(configuration.base / value)
    return value.rstrip("/") if name in ("site_url", "repository") else value


def _holds_name(path: Path) -> bool:
    """Return whether a file may be a configuration for pylit."""
    return is_entry(path) and _NAME in _data(path)


def _table(values: Mapping[str, Any]) -> Any:
    """Return the value of `tool.pylit` in a `pyproject.toml`; `None` if there is none."""
    tools = values.get("tool")
    return tools.get("pylit") if isinstance(tools, dict) else None


def _shown(path: Path) -> str:
    return os.path.relpath(path)


def _data(path: Path) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        hint = "Replace it with a readable file."
        raise PylitError(Problem(_shown(path), 0, f"cannot be read: {error.strerror}", hint)) from error


def _read(path: Path) -> str:
    return decode_utf8(_data(path), _shown(path))


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also raised for a number with too many digits
        match = _AT.search(str(error))
        line = int(match[1]) if match and match[1] else text.count("\n") + 1 if match else 0
        reason = _AT.sub("", str(error))
        raise PylitError(Problem(_shown(path), line, f"is not valid TOML: {reason}", "Fix it.")) from error
    except RecursionError as error:
        raise PylitError(Problem(_shown(path), 0, "is nested too deeply", "Reduce the nesting.")) from error
