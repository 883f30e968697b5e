"""Links to the files of a site on its code host."""

from __future__ import annotations

from functools import cached_property

from ..filesystem import PathKind
from .code_host import CodeHost, find_host
from .files import Files
from .settings import Settings


class CodeLinks:
    """Public addresses of the `files` of a site."""

    def __init__(self, settings: Settings, files: Files) -> None:
        self.settings = settings
        self.files = files

    @cached_property
    def host(self) -> CodeHost:
        """The code host of the settings."""
        settings = self.settings
        return find_host(settings.repository, settings.branch, settings.source_link, settings.edit_link)

    @property
    def can_edit(self) -> bool:
        """Whether files can be edited on the host."""
        return bool(self.host.edit)

    def url(self, file: str, line: int = 0) -> str:
        """Return the address of a file, one of its lines, or a folder; empty if the code is not hosted."""
        if not self.host.source:
            return ""
        is_folder = self.files.kind(file) is PathKind.FOLDER
        return self.host.folder_url(file) if is_folder else self.host.source_url(file, line)

    def edit_url(self, file: str, line: int = 0) -> str:
        """Return the address for editing a file at a line; empty if the code is not hosted."""
        return self.host.edit_url(file, line)
