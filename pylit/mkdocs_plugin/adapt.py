"""Reads a `mkdocs.yml` as a configuration for pylit.

A `pylit.toml` next to it, or `[tool.pylit]` in a `pyproject.toml`, also applies under MkDocs, and its options can be
left out of `mkdocs.yml`. Refuses a `mkdocs.yml` that contradicts it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mkdocs.config.base import ValidationError
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import ConfigurationError
from mkdocs.utils.yaml import get_yaml_loader, yaml_load

from ..errors import Problem, PylitError
from ..filesystem import resolve_path
from ..site import NAMES, Configuration, Given, check_options, check_same, find_toml, read_config

THEIRS = {
    "title": "site_name",
    "site_url": "site_url",
    "repository": "repo_url",
    "docs_dir": "docs_dir",
    "site_dir": "site_dir",
    "theme_dir": "theme.custom_dir",
}
"""Our keys -> MkDocs' own keys for the same."""
BESIDE = {**THEIRS, "extra_css": "extra_css", "extra_javascript": "extra_javascript"}
"""The same, including keys whose files are relative to another folder."""
OPTIONS = tuple(name for name in NAMES if name not in BESIDE)
"""Options of the plugin."""


def check_plugin_options(options: Mapping[str, Any]) -> tuple[Given, list[tuple[str, Exception]]]:
    """Return the validated options of the plugin, and errors in MkDocs' form."""
    for name in options:
        if name in BESIDE:
            reason = f"is not an option of the plugin; set `{BESIDE[name]}` at the top level instead"
            return Given(), [(name, ValidationError(reason))]
    try:
        return check_options(options, lambda name: (name, 0), OPTIONS), []
    except PylitError as error:
        problem = error.problem
        return Given(), [(problem.file, ValidationError(f"{problem.message}. {problem.hint}"))]


def find_configuration(config: MkDocsConfig, options: Given) -> Configuration:
    """Return the configuration of a site.

    Args:
        config: The configuration of MkDocs.
        options: The options of the plugin.

    Raises:
        PylitError: if the TOML file next to `mkdocs.yml` is not valid, or contradicts it.
    """
    base = config_folder(config)
    if not config.config_file_path:
        return Configuration(base, None, {**_effective(config), **options})
    path = Path(config.config_file_path)
    if (beside := find_toml(base)) is None:
        return Configuration(base, path, {**_effective(config), **options})
    found = read_config(beside)
    check_same(found, {**_written_options(path, config), **options}, os.path.relpath(path), THEIRS)
    if not found.options.docs_dir:
        hint = "Name a folder with at least one page, or build the site with `pylit build`."
        problem = Problem(*found.place("docs_dir"), "`docs_dir` is empty, and MkDocs needs one", hint)
        raise PylitError(problem)
    return found


def is_beside(found: Configuration) -> bool:
    """Return whether a configuration is in a TOML file instead of `mkdocs.yml`."""
    return found.path is not None and found.path.suffix == ".toml"


def config_folder(config: MkDocsConfig) -> Path:
    """Return the folder that paths in a configuration of MkDocs are relative to."""
    return Path(config.config_file_path).parent if config.config_file_path else Path.cwd()


def tell_mkdocs(config: MkDocsConfig, found: Configuration) -> None:
    """Pass options that are set only in the TOML file to MkDocs and other plugins."""
    if not is_beside(found):
        return
    options, written = found.options, _written_options(Path(config.config_file_path), config)
    config.site_name = options.title or config.site_name
    if "site_url" not in written and not config.site_url:  # a preview has its own
        config.site_url = options.site_url or None
    if "repository" not in written:
        config.repo_url = options.repository or None
    config.docs_dir = str(found.folder("docs_dir"))
    usual = os.path.abspath(found.base / "site")
    if (
        "site_dir" not in written and os.path.abspath(config.site_dir) == usual
    ):  # unless the command line sets another
        config.site_dir = str(found.folder("site_dir"))


def _effective(config: MkDocsConfig) -> Given:
    """Return the values that MkDocs uses, including its defaults."""
    return {
        "title": config.site_name,
        "site_url": config.site_url or "",
        "repository": config.repo_url or "",
        "docs_dir": str(resolve_path(Path(config.docs_dir))),
        "site_dir": config.site_dir,
        "theme_dir": config.theme.custom_dir or "",
    }


def _written_options(path: Path, config: MkDocsConfig) -> Given:
    """Return the values set in a `mkdocs.yml` itself, without MkDocs' defaults and command line."""
    try:
        with path.open("rb") as file:
            values = yaml_load(file, get_yaml_loader(config=config))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    theme = values.get("theme")
    theirs = {name: values.get(key) for name, key in THEIRS.items() if name != "theme_dir"}
    theirs["theme_dir"] = theme.get("custom_dir") if isinstance(theme, dict) else None
    return check_options(
        {name: value for name, value in theirs.items() if value}, lambda name: (str(path), 0)
    )
