"""What a site is made of, as its user says it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath

from .cache import canonical
from .defaults import KATEX_CSS, KATEX_INTEGRITY
from .reader import named_from


@dataclass(frozen=True)
class Settings:
    """What a site is made of."""

    base: Path
    """The folder that the names of files are relative to."""
    roots: tuple[tuple[str, str], ...]
    """Folders or files under `base`, each with the address its pages start from."""
    languages: tuple[str, ...] = ("en",)
    """The first is the language of the sources."""
    translations: Path | None = None
    title: str = ""
    title_file: str = ""
    """The file the title comes from, whose catalogs translate it."""
    order: tuple[str, ...] = ()
    """Files in the order they are to be read; those not named follow, by name."""
    repository: str = ""
    """Address of the code, such as `https://github.com/owner/name`."""
    branch: str = "main"
    site_url: str = ""
    katex_css: str = KATEX_CSS
    """Address of KaTeX's stylesheet; a relative one counts from the root of the site."""
    katex_integrity: str = KATEX_INTEGRITY
    documented: tuple[str, ...] = ()
    """Folders and files whose docstrings must name all parameters of public functions."""
    manuals: Mapping[str, str] = field(default_factory=dict)
    """Patterns of full names, such as `torch.optim.*` -> address of their documentation, with `{name}` in it."""
    search: bool = False
    """Whether readers can search it: its pages then ask for what `search` makes."""
    translating: str = ""
    """The page that tells how to translate."""
    traces: Path | None = None
    """Folder of the traces that `pylit trace` records."""
    notebooks: bool = False
    """Whether every module has a notebook beside its page."""
    requirement: str = ""
    """What `pip install` has to be told, in a notebook, to install the modules."""
    archive: str = ""
    """The name of the archive that holds the whole site, at its root; empty for none."""
    templates: Path | None = None
    """Folder of templates that take the place of the theme's of the same name."""
    preview: bool = False
    """Whether it is shown to its authors: a page that has errors shows them, and may be loaded anew by a script."""

    def key(self) -> str:
        """What stands for all of it that can change a page by itself."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in (
            "base",
            "order",
            "documented",
        ):  # where it lies, what pages ask for, what only `check` looks at
            del values[name]
        for name, value in values.items():
            if isinstance(value, Path):
                values[name] = named_from(value, self.base)
            elif isinstance(value, Mapping):
                values[name] = list(value.items())
        return canonical(values)


@dataclass(frozen=True, slots=True)
class Page:
    """A file that becomes a page."""

    file: str
    """Relative to the site's base, with forward slashes."""
    url: str
    """Its address in the language of the sources, from the root of the site."""


def file_url(file: str, roots: Sequence[tuple[str, str]]) -> str:
    """Where a file goes on the site: below the address of the root that it is in."""
    for root, prefix in roots:
        if file == root:
            return posixpath.join(prefix, posixpath.basename(file))
        if root == "." or file.startswith(root + "/"):
            return posixpath.join(prefix, posixpath.relpath(file, root))
    return file


def page_url(file: str, roots: Sequence[tuple[str, str]]) -> str:
    """The address of a file's page."""
    path = PurePosixPath(file_url(file, roots))
    name = "index" if path.stem in ("__init__", "index") else path.stem
    return (path.parent / f"{name}.html").as_posix()
