"""The options of a site: keys, types and defaults.

All commands, the plugin and the Python functions share them. Refuses unknown keys and values of the wrong type, and
reports where they are.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypedDict, cast

from ..defaults import DIALECTS, KATEX, TRACES
from ..errors import Problem, PylitError
from ..nearest import short, suggest

KeyPlace = tuple[str, int]
"""A file, as its user names it, and a line."""
StrPath = str | os.PathLike[str]


class Given(TypedDict, total=False):
    """The options that a user has set; the others have the defaults of `Options`."""

    title: str
    sources: Sequence[str]
    exclude: Sequence[str]
    docs_dir: StrPath
    order: Sequence[str]
    languages: Sequence[str]
    source_lang: str
    translations: StrPath
    translating: str
    catalog_lines: bool
    catalog_hints: bool
    site_url: str
    repository: str
    branch: str
    commit: str
    source_link: str
    edit_link: str
    manuals: Mapping[str, str]
    macros: Mapping[str, str]
    documented: Sequence[str]
    traces: StrPath
    cells: bool
    fold_noise: bool
    dead_code: bool
    outputs: bool
    docstrings: str
    notebooks: bool
    requirement: str
    run: Mapping[str, str]
    search: bool
    archive: str
    theme_dir: StrPath
    extra_css: Sequence[str]
    extra_javascript: Sequence[str]
    katex: str
    katex_css: str
    katex_integrity: str
    cache: StrPath
    site_dir: StrPath


@dataclass(frozen=True)
class Options:
    """The options of a site, with defaults. File names are relative to the folder of the configuration."""

    title: str = ""
    """Title of the site."""
    sources: tuple[str, ...] = ()
    """Python files and folders of them; their pages start at the root of the site."""
    exclude: tuple[str, ...] = ()
    """Patterns of files and folders that do not become pages, as in a `.gitignore`: `old/`, `test_*.py`."""
    docs_dir: str = "docs"
    """Folder of the guides, if it exists; empty for none. Its other files, such as images, are copied to the site."""
    order: tuple[str, ...] = ()
    """Files in reading order; all others follow, sorted by name."""
    languages: tuple[str, ...] = ("en",)
    """Languages of the site; the first is the language of the sources, unless `source_lang` names it."""
    source_lang: str = ""
    """Language of the sources; empty for the first of `languages`."""
    translations: str = "translations"
    """Folder of the catalogs, if it exists."""
    translating: str = ""
    """The page that explains how to translate."""
    catalog_lines: bool = False
    """Whether entries of catalogs name the lines of their texts, and not only definitions: then they change often."""
    catalog_hints: bool = False
    """Whether entries of catalogs have flags for platforms and a link to their page, as templates always have."""
    site_url: str = ""
    """URL of the site."""
    repository: str = ""
    """URL of the repository."""
    branch: str = "main"
    """Branch that links to the code refer to."""
    commit: str = ""
    """Commit that is built; a service that builds the site knows it."""
    source_link: str = ""
    """Template of the addresses of lines on the code host."""
    edit_link: str = ""
    """Template of the addresses at which translations can be edited."""
    manuals: Mapping[str, str] = field(default_factory=dict)
    macros: Mapping[str, str] = field(default_factory=dict)
    """Pattern of full names, such as `torch.optim.*` -> address of their documentation, containing `{name}`."""
    documented: tuple[str, ...] = ()
    """Folders and files whose docstrings must name all parameters of public functions."""
    traces: str = TRACES
    """Folder of the tensor shapes recorded by `pylit trace`."""
    cells: bool = True
    """Whether the cell markers of notebooks stored as scripts divide a file: `# %%`, `# In[3]:`, marimo's functions."""
    fold_noise: bool = True
    """Whether comments that are not for readers are hidden or folded: licences, directives for tools, boxes."""
    dead_code: bool = True
    """Whether commented-out code is shown as code."""
    outputs: bool = True
    """Whether the outputs of the cells of a notebook are shown."""
    docstrings: str = "auto"
    """The dialect of docstrings: `auto`, `markdown`, `google`, `numpy`, `sphinx` or `restructuredtext`."""
    notebooks: bool = False
    """Whether modules have notebooks, except in a preview."""
    requirement: str = ""
    """Pinned requirement that a notebook passes to `pip install`. `{repository}` and `{commit}` are replaced by these
    options; if `commit` is empty, notebooks install nothing.
    """
    run: Mapping[str, str] = field(default_factory=dict)
    """Name of a service that runs notebooks, such as Colab -> template of its addresses: `{notebook}` is the path of
    the notebook on the site, `{url}` its whole address; `{branch}` and `{commit}` are replaced by these options.
    """
    search: bool | None = None
    """Whether the site has a search, made with Pagefind; `None` if Pagefind is installed."""
    archive: str = ""
    """Name of the archive of the whole site; empty for none."""
    theme_dir: str = ""
    """Folder of templates and other files that override those of the theme with the same name, or add to them."""
    extra_css: tuple[str, ...] = ()
    """Style sheets loaded by all pages after the theme's."""
    extra_javascript: tuple[str, ...] = ()
    """Scripts loaded by all pages; one that ends in `.mjs` is a module."""
    katex: str = KATEX[0]
    """Where KaTeX's stylesheet and fonts come from: `local`, a copy on the site, or `cdn`."""
    katex_css: str = ""
    """Address of another stylesheet of KaTeX; a relative one is relative to the root of the site."""
    katex_integrity: str | None = None
    """Integrity hash of the stylesheet, empty for none; `None` for that of the CDN's stylesheet, or none for another
    one.
    """
    cache: str | None = None
    """Cache folder; empty for none, `None` for the default one."""
    site_dir: str = "site"
    """Output folder."""


NAMES = tuple(field.name for field in fields(Options))
PATHS = ("docs_dir", "translations", "traces", "theme_dir", "cache", "site_dir")
"""Folders that may be anywhere; in Python and on the command line, they are relative to the current folder."""
FILES = ("sources", "docs_dir", "site_dir")
"""Options for input files and the output folder."""
WHOLE = (*FILES, "order", "translating", "site_url", "archive")
"""Options that concern the site as a whole, and are ignored when only some of its pages are made."""
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True)
class _Kind:
    expected: str
    example: str


_KINDS = {
    "str": _Kind("a string", "Put it in quotes."),
    "bool": _Kind("true or false", "Write one of these, without quotes."),
    "tuple[str, ...]": _Kind("a list of strings", 'Write it like ["one", "two"].'),
    "Mapping[str, str]": _Kind(
        "a table of strings", "Give each name a string, such as `torch.*` the string `https://host/{name}`."
    ),
}
_TYPES = {field.name: str(field.type).removesuffix(" | None") for field in fields(Options)}


def check_options(
    values: Mapping[str, Any], place: Callable[[str], KeyPlace], names: Collection[str] = NAMES
) -> Given:
    """Validate `values` and convert lists to tuples. `None` counts as not set, since YAML has it for an empty value.

    Args:
        values: Key -> value.
        place: Returns the file and line of a key.
        names: The allowed keys.

    Raises:
        PylitError: if a key is unknown, or a value has the wrong type.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in names:
            raise PylitError(_unknown(str(name), place(str(name)), names))
        if value is not None:
            found[name] = _checked(name, value, place)
    return cast(Given, found)


def _unknown(name: str, place: KeyPlace, names: Collection[str]) -> Problem:
    hint = suggest(name, names, then=f"Keys: {', '.join(names)}.")
    return Problem(*place, f"`{short(name)}` is not a known key", hint)


def _checked(name: str, value: object, place: Callable[[str], KeyPlace]) -> Any:
    """Validate a value by the type of its key.

    Raises:
        PylitError: if it has the wrong type.
    """
    type_ = _TYPES[name]
    if name in PATHS and isinstance(value, os.PathLike):
        value = os.fspath(value)
    if name == "commit" and isinstance(value, Mapping):
        return _commit_of_service(value, place(name))
    if name == "docstrings" and isinstance(value, str) and value not in DIALECTS:
        hint = suggest(value, DIALECTS, then=f"Dialects: {', '.join(DIALECTS)}.")
        raise PylitError(Problem(*place(name), f"`{short(value)}` is not a dialect of docstrings", hint))
    if name == "katex" and isinstance(value, str) and value not in KATEX:
        hint = suggest(value, KATEX, then=f"Write one of {', '.join(KATEX)}, or set `katex_css`.")
        raise PylitError(Problem(*place(name), f"`{short(value)}` is no place that KaTeX comes from", hint))
    match type_, value:
        case ("bool", bool()) | ("str", str()):
            return value
        case "tuple[str, ...]", list() | tuple() if all(isinstance(item, str) for item in value):
            return tuple(value)
        case "Mapping[str, str]", Mapping():
            texts = {str(key): "" if item is None else item for key, item in value.items()}
            if all(isinstance(item, str) for item in texts.values()):
                return texts
    kind = _KINDS[type_]
    message = f"`{name}` is {_received(value)}; expected {kind.expected}"
    raise PylitError(Problem(*place(name), message, kind.example))


def _received(value: object, *, is_inner: bool = False) -> str:
    """Describe a received value for a message, including an unexpected item in it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f"the string {short(json.dumps(value, ensure_ascii=False))}"
        case int() | float():
            return f"the number {short(str(value))}"
        case list() | tuple():
            wrong = next((item for item in value if not isinstance(item, str)), None)
            return (
                "a list"
                if wrong is None or is_inner
                else f"a list containing {_received(wrong, is_inner=True)}"
            )
        case Mapping():
            wrong = next((item for item in value.values() if not isinstance(item, str)), None)
            return (
                "a table"
                if wrong is None or is_inner
                else f"a table containing {_received(wrong, is_inner=True)}"
            )
    return f"of type {type(value).__name__}"


def _commit_of_service(value: Mapping[object, object], place: KeyPlace) -> str:
    """Return the commit from the environment variable that `{env = "GITHUB_SHA"}` names; empty if it is not set.

    Only the hash of a commit is accepted; any other value may be a secret, and is not shown.

    Raises:
        PylitError: if the variable has another value.
    """
    match dict(value):
        case {"env": str() as name, **rest} if name and not rest:
            commit = os.environ.get(name, "") if "\0" not in name else ""
        case _:
            hint = 'Write the variable like { env = "GITHUB_SHA" }.'
            raise PylitError(Problem(*place, "`commit` is a table that does not name a variable", hint))
    if commit and not _COMMIT.fullmatch(commit):
        message = f"the variable `{short(name)}` is not the hash of a commit"
        hint = "Expected 7 to 64 characters of 0-9 and a-f, or nothing."
        raise PylitError(Problem(*place, message, hint))
    return commit
