"""The settings of a site, resolved from its configuration."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path, PurePosixPath

from ..cache import canonical
from ..defaults import KATEX_LOCAL, Conventions
from .files import named_from


@dataclass(frozen=True, slots=True)
class Script:
    """A user's script, loaded by all pages. It runs after the page has been parsed and after the theme's scripts."""

    file: str
    """Path relative to the site's base."""
    is_module: bool = False
    is_async: bool = False
    """Whether it runs as soon as it is loaded, even while the page is being parsed."""


@dataclass(frozen=True)
class Settings:
    """The settings of a site."""

    base: Path
    """The folder that file names are relative to."""
    roots: tuple[tuple[str, str], ...]
    """Folders or files under `base`, each with the address at which its pages start."""
    languages: tuple[str, ...] = ("en",)
    """The first is the language of the sources."""
    translations: Path | None = None
    title: str = ""
    title_file: str = ""
    """The file that sets the title; its catalogs translate the title."""
    order: tuple[str, ...] = ()
    """Files in reading order; all others follow, sorted by name."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """File -> title that overrides the page's own. The catalogs of `title_file` translate it."""
    excluded: frozenset[str] = frozenset()
    """Files below a root that do not become pages."""
    exclude: tuple[str, ...] = ()
    """Patterns of files and folders that do not become pages, as in a `.gitignore`."""
    repository: str = ""
    """URL of the repository, such as `https://github.com/owner/name`."""
    branch: str = "main"
    source_link: str = ""
    """Template of the addresses of lines on the code host; empty for the host's default."""
    edit_link: str = ""
    """Template of the addresses at which files can be edited."""
    site_url: str = ""
    katex_css: str = KATEX_LOCAL
    """Address of KaTeX's stylesheet; a relative one is relative to the root of the site."""
    katex_integrity: str = ""
    documented: tuple[str, ...] = ()
    """Folders and files whose docstrings must name all parameters of public functions."""
    manuals: Mapping[str, str] = field(default_factory=dict)
    """Pattern of full names, such as `torch.optim.*` -> address of their documentation, containing `{name}`."""
    macros: Mapping[str, str] = field(default_factory=dict)
    """Name of a macro for formulas -> its TeX."""
    search: bool = False
    """Whether the site has a search; its pages then load the files that the search index consists of."""
    translating: str = ""
    """The page that explains how to translate."""
    catalog_lines: bool = False
    """Whether entries of catalogs name the lines of their texts."""
    catalog_hints: bool = False
    """Whether entries of catalogs have flags for platforms and a link to their page."""
    traces: Path | None = None
    """Folder of the traces recorded by `pylit trace`."""
    notebooks: bool = False
    """Whether every module has a notebook next to its page."""
    requirement: str = ""
    """Pinned requirements that a notebook passes to `pip install`, one per line."""
    run: Mapping[str, str] = field(default_factory=dict)
    """Name of a service that runs notebooks -> template of its addresses."""
    archive: str = ""
    """Name of the archive of the whole site, at its root; empty for none."""
    theme: Path | None = None
    """Folder of templates and other files that override those of the theme with the same name, or add to them."""
    styles: tuple[str, ...] = ()
    """Style sheets loaded by all pages after the theme's: files below the base or in the theme folder."""
    scripts: tuple[Script, ...] = ()
    guides: str = ""
    """Folder of the guides, whose other files are copied to the site; empty for none."""
    conventions: Conventions = field(default_factory=Conventions)
    """How comments are interpreted."""
    lenient: bool = False
    """Whether a page that cannot be made is replaced by a listing of its file, so that no link leads nowhere."""
    preview: bool = False
    """Whether the site is shown to its authors: pages then show their errors."""
    edits: bool = False
    """Whether passages of translated pages have links by which a preview opens them for editing."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Texts in the settings that readers see, translated by the catalogs of `title_file`."""
        return tuple(dict.fromkeys(filter(None, [self.title, *self.titles.values()])))

    def key(self) -> str:
        """Return a canonical string of all settings that can change a page."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        # location of the site; recorded as questions; used by `check` only; not used by pages, or by those not kept
        for name in ("base", "order", "titles", "excluded", "exclude", "documented", "guides", "lenient"):
            del values[name]
        del values["catalog_lines"], values["catalog_hints"]
        values["conventions"] = astuple(self.conventions)
        values["scripts"] = [astuple(script) for script in self.scripts]
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
    """Path relative to the site's base, with forward slashes."""
    url: str
    """Address in the language of the sources, relative to the root of the site."""


def file_url(file: str, roots: Sequence[tuple[str, str]]) -> str:
    """Return the address of a file on the site: below the address of its root."""
    for root, prefix in roots:
        if file == root:
            return posixpath.join(prefix, posixpath.basename(file))
        if root == "." or file.startswith(root + "/"):
            return posixpath.join(prefix, posixpath.relpath(file, root))
    return file


def page_url(file: str, roots: Sequence[tuple[str, str]]) -> str:
    """Return the address of a file's page."""
    path = PurePosixPath(file_url(file, roots))
    name = "index" if path.stem in ("__init__", "index") else path.stem
    return (path.parent / f"{name}.html").as_posix()
