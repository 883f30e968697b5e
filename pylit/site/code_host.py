"""Addresses of files and lines on a code host, for viewing and editing.

Known hosts are recognized by their host names; all others need templates. Refuses a template that cannot produce an
address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlsplit

from .address_templates import TemplateKind, check_template, filled

FILE = TemplateKind(
    places=("path", "line", "branch", "commit"),
    needed=frozenset({"path"}),
    example="https://host/{path}#L{line}",
    no_address="is not the address of a file on the web",
    lacking="has no `{path}`, so all files would have the same address",
)
_LINE = re.compile(r"#[^#]*\{line\}[^#]*\Z")
"""The end of a template that addresses a line; removed when there is no line."""


@dataclass(frozen=True)
class CodeHost:
    """Templates of the addresses of a repository; all empty if the code is not hosted."""

    source: str = ""
    """Template of the address of a line."""
    folder: str = ""
    edit: str = ""
    """Template of the address at which a file can be edited."""
    branch: str = "main"

    def source_url(self, file: str, line: int = 0) -> str:
        """Return the address of a file, or of one of its lines."""
        return self._filled(self.source, file, line)

    def folder_url(self, folder: str) -> str:
        """Return the address of a folder."""
        return self._filled(self.folder, folder, 0)

    def edit_url(self, file: str, line: int = 0) -> str:
        """Return the address at which a file can be edited, at `line` if the host supports it."""
        return self._filled(self.edit, file, line)

    def _filled(self, template: str, file: str, line: int) -> str:
        return _of_file(template if line else _LINE.sub("", template), file, self.branch).replace(
            "{line}", str(line or 1)
        )


@lru_cache(maxsize=64)
def _of_file(template: str, file: str, branch: str) -> str:
    """Return the template of the addresses of the lines of a file."""
    branch = quote(branch)
    return filled(template, {"path": quote(file), "branch": branch, "commit": branch})


GITHUB = CodeHost("/blob/{branch}/{path}#L{line}", "/tree/{branch}/{path}")
"""GitHub, and the default for unknown hosts."""
_GITLAB = CodeHost("/-/blob/{branch}/{path}#L{line}", "/-/tree/{branch}/{path}")
_GITEA = CodeHost("/src/branch/{branch}/{path}#L{line}", "/src/branch/{branch}/{path}")
_BITBUCKET = CodeHost("/src/{branch}/{path}#lines-{line}", "/src/{branch}/{path}")
_SOURCEHUT = CodeHost("/tree/{branch}/item/{path}#L{line}", "/tree/{branch}/item/{path}")
_BY_LABEL = {"gitlab": _GITLAB, "gitea": _GITEA, "forgejo": _GITEA, "codeberg": _GITEA}
"""Software that anyone can host, by a label of the host name: `gitlab.example.org`."""
_BY_DOMAIN = {"bitbucket.org": _BITBUCKET, "git.sr.ht": _SOURCEHUT}


def find_host(repository: str, branch: str, source_link: str = "", edit_link: str = "") -> CodeHost:
    """Return the templates for a repository. Explicit templates take precedence over those of a known host.

    Without a template for editing, the address of the line is used, where hosts offer an editor.
    """
    repository = repository.rstrip("/").removesuffix(".git")
    known = _recognised(repository)
    source = source_link or (repository and repository + known.source)
    folder = source_link or (repository and repository + known.folder)
    return CodeHost(source, folder, edit_link or source, branch)


def _recognised(repository: str) -> CodeHost:
    name = urlsplit(repository).hostname or ""
    labels = name.split(".")
    found = next((host for label, host in _BY_LABEL.items() if label in labels), GITHUB)
    return _BY_DOMAIN.get(name, found)


def check_link(name: str, template: str) -> None:
    """Check that the template in the setting `name` produces valid addresses.

    Raises:
        PylitError: if it is not a web address, has no `{path}`, or has an unknown placeholder.
    """
    check_template(f"setting {name}", template, FILE)
