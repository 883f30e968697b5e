"""Reads the parts of a `mkdocs.yml` other than the options of the plugin that should work as MkDocs users expect.

`nav` sets the order of pages and their titles, `extra_css` and `extra_javascript` are loaded by every page, and guides
matched by `exclude_docs` or `draft_docs` are not pages. Keys without effect are reported, with an alternative; themes
other than ours are refused.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files

from ..cache import THEME
from ..errors import Problem, PylitError, Severity
from ..filesystem import is_below, resolve_path
from ..nearest import suggest
from ..parsing import GUIDE
from ..site import Configuration, Script, Settings, named_from
from .adapt import is_beside

NAME = "pylit"
"""Name of our theme and our plugin."""
EXTENSIONS = frozenset(
    "codehilite fenced_code meta sane_lists tables toc"
    " pymdownx.arithmatex pymdownx.betterem pymdownx.highlight pymdownx.superfences pymdownx.tilde".split()
)
"""Extensions of Python-Markdown whose pages look the same here. MkDocs always enables the first three."""
WITHOUT_EFFECT = {
    "copyright": "Put it in your own `partials/footer.html`",
    "site_author": "Fill the block `extrahead` in your own `main.html`",
    "site_description": "Give each page a `summary` in its front matter",
    "edit_uri": "Pages link to `repo_url` and the plugin's option `branch`",
    "edit_uri_template": "Pages link to `repo_url` and the plugin's option `branch`",
    "use_directory_urls": "Addresses always end in `.html`, so that pages can be read offline",
}
"""Keys of `mkdocs.yml` without effect on our pages, and alternatives."""
_THEME = (
    "Write `theme: {name: pylit}`. To change the design, use `extra_css`, or your own folder:"
    " `theme: {name: pylit, custom_dir: overrides}`."
)
_OWN_OPTIONS = frozenset(["name", "locale", "search_index_only"])
_MODULE = "module"
_PLAIN = ("", "text/javascript", "application/javascript")
"""Types of a script that is not a module."""


@dataclass(frozen=True)
class Project:
    """The parts of a `mkdocs.yml` that concern its pages. File names are relative to its folder."""

    order: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    styles: tuple[str, ...] = ()
    scripts: tuple[Script, ...] = ()
    excluded: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    """Keys without effect, or with a different effect than under MkDocs' own themes."""

    def applied(self, settings: Settings) -> Settings:
        """Return `settings` with these values."""
        return replace(
            settings,
            order=self.order or settings.order,
            titles={**settings.titles, **self.titles},
            styles=tuple(dict.fromkeys([*settings.styles, *self.styles])),
            scripts=tuple(dict.fromkeys([*settings.scripts, *self.scripts])),
            excluded=settings.excluded | self.excluded,
        )


def read_project(
    config: MkDocsConfig, settings: Settings, configuration: Configuration, *, has_drafts: bool = False
) -> Project:
    """Read what a `mkdocs.yml` says about the pages of a site.

    Args:
        config: The configuration of MkDocs.
        settings: The settings of the site.
        configuration: The configuration for pylit.
        has_drafts: Whether guides matched by `draft_docs` are pages.

    Raises:
        PylitError: if the theme is not ours, `nav` names a missing page or conflicts with `order`, or the site has its
            own
        TOML configuration and `mkdocs.yml` adds to it.
    """
    reader = _Reader(config, settings)
    if is_beside(configuration):
        reader.check_beside(configuration.place("order")[0])
    return reader.read(has_drafts=has_drafts)


class _Reader:
    """A reader of one `mkdocs.yml`."""

    def __init__(self, config: MkDocsConfig, settings: Settings) -> None:
        self.config = config
        self.settings = settings
        self.docs = named_from(resolve_path(Path(config.docs_dir)), settings.base)
        """The folder of the guides, relative to the base."""
        self.file = Path(config.config_file_path or "the configuration").name
        self.lines = _lines(config.config_file_path)
        self.problems: list[Problem] = []

    def read(self, *, has_drafts: bool) -> Project:
        """Read everything."""
        self.check_theme()
        self.check_extensions()
        self.check_keys()
        excluded = frozenset(self.excluded(has_drafts=has_drafts))
        order, titles = self.nav(excluded)
        return Project(
            order=order,
            titles=titles,
            styles=tuple(self.found(str(style)) for style in self.config.extra_css),
            scripts=tuple(map(self.script, self.config.extra_javascript)),
            excluded=excluded,
            problems=tuple(self.problems),
        )

    def check_beside(self, where: str) -> None:
        """Refuse settings that the configuration file `where` lacks: the site would depend on the tool that builds it.

        Raises:
            PylitError: naming the key.
        """
        styles = {self.found(str(style)) for style in self.config.extra_css}
        scripts = {self.script(script) for script in self.config.extra_javascript}
        more = {
            "nav": (self.config.nav, "`order`, and titles in the pages themselves"),
            "exclude_docs": (self.config.exclude_docs, "a folder of guides without them, `docs_dir`"),
            "draft_docs": (self.config.draft_docs, "a folder of guides without them, `docs_dir`"),
            "extra_css": (styles - {*self.settings.styles}, "`extra_css`"),
            "extra_javascript": (scripts - {*self.settings.scripts}, "`extra_javascript`"),
        }
        for key, (value, instead) in more.items():
            if value:
                message = f"`{key}` applies to MkDocs only, and the site is configured in {where}"
                raise PylitError(self.problem(key, message, f"Remove it, and use {instead} there."))

    def problem(self, key: str, message: str, hint: str, severity: Severity = Severity.ERROR) -> Problem:
        """Return a problem with a key."""
        return Problem(self.file, self.lines.get(key, 0), message, hint, severity)

    def tell(self, key: str, message: str, hint: str, severity: Severity = Severity.WARNING) -> None:
        """Report that a key has not the effect that it has under MkDocs."""
        self.problems.append(self.problem(key, message, hint, severity))

    def check_theme(self) -> None:
        """Refuse other themes, and report options that ours does not have."""
        theme = self.config.theme
        if theme.name != NAME:
            which = f"the theme `{theme.name}`" if theme.name else "a theme without a name"
            message = f"{which} cannot show the pages of the plugin `{NAME}`, which has its own theme"
            raise PylitError(self.problem("theme", message, _THEME))
        locale = str(theme.locale)
        unknown = [f"`{name}`" for name in theme if name not in _OWN_OPTIONS] + ["`locale`"] * (
            locale != "en"
        )
        if unknown:
            hint = (
                "Set languages with the plugin's option `languages`, and colours and fonts with `extra_css`."
            )
            self.tell(
                "theme", f"the theme `{NAME}` does not have the options {', '.join(sorted(unknown))}", hint
            )

    def check_extensions(self) -> None:
        """Report Markdown extensions that are not supported."""
        named = dict.fromkeys(
            name.removeprefix("markdown.extensions.") for name in self.config.markdown_extensions
        )
        if missing := [f"`{name}`" for name in named if name not in EXTENSIONS]:
            message = (
                f"pylit's Markdown does not support {', '.join(missing)}: their syntax is shown as plain text"
            )
            hint = "Guides are CommonMark with tables and formulas. Rewrite other syntax, and remove these names."
            self.tell("markdown_extensions", message, hint)

    def check_keys(self) -> None:
        """Report keys without effect."""
        for key, hint in WITHOUT_EFFECT.items():
            if key in self.lines and self.config[key]:
                self.tell(key, f"`{key}` has no effect", f"{hint}.", Severity.NOTE)
        if "search" in self.config.plugins:
            hint = f"Remove it from `plugins`; the option `search` of the plugin `{NAME}` adds a search."
            self.tell("plugins", "the plugin `search` has no effect", hint, Severity.NOTE)

    def excluded(self, *, has_drafts: bool) -> Iterator[str]:
        """Yield the guides that do not become pages."""
        patterns = [self.config.exclude_docs, *([] if has_drafts else [self.config.draft_docs])]
        specs = [spec for spec in patterns if spec is not None]
        folder = self.settings.base / self.docs
        for path in sorted(folder.rglob(f"*{GUIDE}")) if specs else ():
            name = path.relative_to(folder).as_posix()
            if any(spec.match_file(name) for spec in specs):
                yield self.named(name)

    def nav(self, excluded: frozenset[str]) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the order of pages, and their titles.

        Raises:
            PylitError: if a page is not found, or there is another order.
        """
        order: dict[str, None] = {}
        titles: dict[str, str] = {}
        if not self.config.nav:
            return (), {}
        if self.settings.order:
            message = "`nav` sets the order of pages, and so does the plugin's option `order`"
            raise PylitError(self.problem("nav", message, "Keep one of them. `nav` may name modules too."))
        sections: dict[str, None] = {}
        for title, target in _entries(self.config.nav, sections):
            if (file := self.page(target)) and file not in excluded:
                order.setdefault(file)
                if title:
                    titles.setdefault(file, title)
        if sections:
            names = ", ".join(f"`{name}`" for name in sections)
            hint = "Only the order of pages is used. To show a group, give its folder an `index.md` with the title."
            self.tell("nav", f"section titles are not shown: {names}", hint, Severity.NOTE)
        return tuple(order), titles

    def page(self, target: str) -> str:
        """Return the file that an entry of `nav` names; empty if it is not a page.

        Raises:
            PylitError: if it does not exist.
        """
        parts = urlsplit(target)
        if parts.scheme or parts.netloc or target.startswith("/"):
            message = f"`{target}` is not a page of this site, and is not shown"
            self.tell("nav", message, "Link to it from a page, or from your own `partials/footer.html`.")
            return ""
        base = self.settings.base
        for file in (self.named(target), posixpath.normpath(target)):
            if (base / file).is_file() and not file.startswith("../"):
                if file.endswith((GUIDE, ".py")):
                    return file
                self.tell("nav", f"`{target}` is not a page, and is not shown", "Link to it from a page.")
                return ""
        rule = f"Guides are relative to `{self.docs}`, modules to the folder of {self.file}."
        hint = suggest(target, self.known(), then=rule)
        raise PylitError(self.problem("nav", f"page `{target}` not found", hint))

    def known(self) -> Iterator[str]:
        """Yield the names that `nav` can contain."""
        base = self.settings.base
        for root, _ in self.settings.roots:
            for path in sorted((base / root).rglob("*")):
                if path.suffix in (GUIDE, ".py"):
                    folder = base / root if root == self.docs else base
                    yield path.relative_to(folder).as_posix()

    def script(self, value: Any) -> Script:
        """Return a script listed in `extra_javascript`.

        Raises:
            PylitError: if its type is not executable.
        """
        kind = getattr(value, "type", "")
        if kind != _MODULE and kind not in _PLAIN:
            message = f"`{value}` has the type `{kind}`, expected `{_MODULE}` or none"
            raise PylitError(self.problem("extra_javascript", message, "Remove the type, or name a script."))
        is_module = kind == _MODULE or str(value).endswith(".mjs")
        return Script(self.found(str(value)), is_module, bool(getattr(value, "async_", False)))

    def found(self, address: str) -> str:
        """Return the file at an address: next to the guides, or in the theme folder; the former if neither exists."""
        if urlsplit(address).netloc:
            return address
        file = self.named(address)
        if self.settings.theme and not (self.settings.base / file).is_file():
            path = resolve_path(self.settings.theme) / address
            if path.is_file():
                return named_from(path, self.settings.base)
        return file

    def named(self, name: str) -> str:
        """Return a path that is relative to the folder of guides, relative to the base."""
        return posixpath.normpath(posixpath.join(self.docs, name))


def _lines(path: str) -> dict[str, int]:
    """Return the line of each top-level key of a configuration."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            node = yaml.compose(file)
    except (OSError, TypeError):  # there is no file
        return {}
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {str(key.value): key.start_mark.line + 1 for key, _ in pairs}


def _entries(nav: Any, sections: dict[str, None]) -> Iterator[tuple[str, str]]:
    """Yield titles and targets of the entries of `nav`, and collect the titles of sections."""
    match nav:
        case str():
            yield "", nav
        case list():
            for item in nav:
                yield from _entries(item, sections)
        case dict():
            for title, value in nav.items():
                if isinstance(value, str):
                    yield str(title), value
                else:
                    sections.setdefault(str(title))
                    yield from _entries(value, sections)


def remove_sources(files: Files, config: MkDocsConfig) -> None:
    """Remove files from MkDocs that it would make pages of, and theme files, which we publish ourselves."""
    own = config.theme.custom_dir
    place = str(resolve_path(Path(own))) if own else ""
    for file in list(files):
        is_theirs = file.src_dir in (str(THEME), own)
        if (
            not is_theirs and place and file.src_dir == config.docs_dir
        ):  # the theme folder may be among the guides
            is_theirs = is_below(str(resolve_path(Path(file.src_dir, file.src_uri))), place)
        if is_theirs or file.is_documentation_page():
            files.remove(file)
