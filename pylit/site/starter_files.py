"""The files that a new project starts with: a commented configuration, and a workflow that publishes the site."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

_GITHUB = re.compile(r"https://github\.com/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)")


@dataclass(frozen=True)
class Project:
    """What is known about a project that has no configuration."""

    title: str
    sources: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    repository: str = ""
    """Address of the repository; empty if it is not known."""
    branch: str = "main"

    @property
    def site_url(self) -> str:
        """Address of the site on GitHub Pages; empty for other hosts."""
        match = _GITHUB.fullmatch(self.repository)
        if not match:
            return ""
        host, name = f"{match['owner'].lower()}.github.io", match["name"]
        return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"

    @property
    def may_be_on_github(self) -> bool:
        """Whether the project is on GitHub, as far as is known."""
        return not self.repository or urlsplit(self.repository).hostname == "github.com"


def configuration_text(project: Project) -> str:
    """Return the content of a `pylit.toml`. Keys that are not known yet are there as comments."""
    return _CONFIGURATION.format(
        title=_quoted(project.title),
        sources=_listed(project.sources),
        exclude=_line(
            "exclude", _listed(project.exclude or ("old/", "test_*.py")), is_set=bool(project.exclude)
        ),
        repository=_line(
            "repository",
            _quoted(project.repository or "https://github.com/me/project"),
            is_set=bool(project.repository),
        ),
        branch=_line("branch", _quoted(project.branch), is_set=project.branch != "main"),
        site_url=_line(
            "site_url",
            _quoted(project.site_url or "https://me.github.io/project/"),
            is_set=bool(project.site_url),
        ),
    )


def _line(key: str, value: str, *, is_set: bool) -> str:
    return f"{'' if is_set else '# '}{key} = {value}"


def _quoted(text: str) -> str:
    """Write a string of TOML, which differs from one of JSON in a single character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _listed(items: tuple[str, ...]) -> str:
    return "[" + ", ".join(map(_quoted, items)) + "]"


_CONFIGURATION = """\
# The site that pylit makes of this project. `pylit build --lenient` makes it, `pylit serve` previews it.

# Name of the site.
title = {title}

# Folders of Python files, or files; paths are relative to this file.
sources = {sources}

# What gets no page, as in a .gitignore. What your .gitignore names gets none either.
{exclude}

# Folder of guides in Markdown. Its pictures are published too.
# docs_dir = "docs"

# Files in the order in which they are to be read; all others follow, by name.
# order = ["package/__init__.py", "package/core.py"]

# Languages of the site. The first is that of the sources; `pylit new zh FILE` adds another one.
languages = ["en"]

# Where the code is, for links to its lines, and where the site will be, for search engines.
{repository}
{branch}
{site_url}

# Whether every module has a Jupyter notebook.
# notebooks = true
"""


def workflow_text(project: Project, requirement: str) -> str:
    """Return a workflow for GitHub that publishes the site when the default branch changes.

    Args:
        project: The project.
        requirement: What to install.
    """
    install = f"python -m pip install {shlex.quote(requirement)}"
    return _WORKFLOW.replace("BRANCH", _quoted(project.branch)).replace("INSTALL", _quoted(install))


# Actions are pinned by commit: a tag can be moved. What may publish runs no code of the project.
_WORKFLOW = """\
# Publishes the site of this project. Once: Settings > Pages > Source > GitHub Actions.
name: Pages
on:
  push:
    branches: [BRANCH]
  workflow_dispatch:
permissions: {}
concurrency:
  group: pages
  cancel-in-progress: true
jobs:
  build:
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          persist-credentials: false
      - uses: actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0
        with:
          python-version: "3.13"
      - run: INSTALL
      - run: pylit build --lenient
      - uses: actions/upload-pages-artifact@56afc609e74202658d3ffba0e8f6dda462b719fa # v3.0.1
        with:
          path: site
  # What has the right to publish runs no code of the project.
  publish:
    needs: build
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      pages: write
      id-token: write
    environment:
      name: github-pages
      url: ${{ steps.deploy.outputs.page_url }}
    steps:
      - id: deploy
        uses: actions/deploy-pages@d6db90164ac5ed86f2b6aed7e0febac5b3c0c03e # v4.0.5
"""
