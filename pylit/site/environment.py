"""Loads and renders templates: those of the user's theme folder first, then the built-in ones. Autoescape is on.

A template that extends or includes its own name gets the built-in one, so that it can add to it. With a user's theme
folder, templates run in Jinja's sandbox, so that an untrusted project cannot run code through its theme. Errors in
templates are reported with their lines.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2 import (
    Environment,
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from ..cache import TEMPLATES, THEME
from ..errors import Problem, PylitError
from ..filesystem import is_entry, read_file
from ..nearest import suggest
from ..parsing import decode_utf8
from ..rendering import breakable_name

OURS = "!"
"""Prefix of the name of a built-in template, which bypasses the user's theme folder."""
FIX = "Fix it, or remove it."


class Templates(Environment):
    """The built-in templates, overridden by those of the same names in the user's theme folder."""

    def __init__(self, theme: Path | None) -> None:
        self.folders = (theme, THEME) if theme else (THEME,)
        super().__init__(
            loader=FunctionLoader(self._load),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            keep_trailing_newline=True,
        )

    def join_path(self, template: str, parent: str) -> str:
        """Resolve a template name used in `parent`: its own name refers to the built-in template."""
        return f"{OURS}{template}" if template == parent else template

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        """Return the text of a template, its path, and a function that tells whether the text is up to date.

        Raises:
            PylitError: if it cannot be read.
        """
        if (folder := self._folder(name)) is None:
            return None
        path = folder / name.removeprefix(OURS)
        try:
            changed, data = _changed(path), read_file(path, folder)
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            raise PylitError(Problem(path.as_posix(), 0, reason, "Remove or replace it.")) from error

        def is_still() -> bool:
            return self._folder(name) == folder and _changed(path) == changed

        return decode_utf8(data, path.as_posix()), str(path), is_still

    def _folder(self, name: str) -> Path | None:
        """Return the folder whose template a name refers to."""
        folders: Sequence[Path] = (THEME,) if name.startswith(OURS) else self.folders
        file = name.removeprefix(OURS)
        return next((folder for folder in folders if is_template(file) and is_entry(folder / file)), None)

    def names(self) -> list[str]:
        """Return the names of all templates."""
        found = {path.relative_to(folder).as_posix() for folder in self.folders for path in folder.rglob("*")}
        return sorted(filter(is_template, found))

    def fill(self, name: str, context: Mapping[str, Any]) -> str:
        """Render a template with `context`.

        Raises:
            PylitError: with the file and line, if a template is not valid.
        """
        try:
            return self.get_template(name).render(context).removesuffix("\n")
        except Exception as error:
            file, line = self._place(error) or (str(self.folders[0] / name), 0)
            is_of_templates = isinstance(
                error, TemplateError | RecursionError
            )  # `TemplateNotFound` is an `OSError`
            is_of_others = isinstance(error, PylitError | OSError | MemoryError) or Path(file).is_relative_to(
                THEME
            )
            if is_of_others and not is_of_templates:
                raise
            reason, hint = self._reason(error)
            raise PylitError(Problem(file, line, f"the template is not valid: {reason}", hint)) from error

    def _place(self, error: Exception) -> tuple[str, int] | None:
        """Return the innermost template that an exception came from, and its line."""
        if isinstance(error, TemplateSyntaxError) and error.filename:
            return error.filename, error.lineno
        found, trace = None, error.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if is_template(file) and any(Path(file).is_relative_to(folder) for folder in self.folders):
                found = file, trace.tb_lineno
            trace = trace.tb_next
        return found

    def _reason(self, error: Exception) -> tuple[str, str]:
        match error:
            case RecursionError():
                return "templates extend or include each other in a cycle", "Break the cycle."
            case TemplateNotFound(name=str(name)) if not is_template(name):
                endings = ", ".join(TEMPLATES)
                return f"`{name}` is not the name of a template", f"Rename it. Templates end in {endings}."
            case TemplateNotFound(name=str(name)):
                looked = f"Looked in {' and '.join(map(str, self.folders))}."
                return f"there is no template `{name}`", suggest(name, self.names(), looked)
            case TemplateError(message=str(message)):
                return message, FIX
        return f"{type(error).__name__}: {error}", FIX


class SafeTemplates(Templates, ImmutableSandboxedEnvironment):
    """Sandboxed templates for untrusted theme folders, which take twice as long to render."""


def is_template(name: str) -> bool:
    """Return whether a file may be a template, by its suffix; a change to one makes all pages again."""
    return PurePosixPath(name).suffix in TEMPLATES


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=4)
def templates(theme: Path | None) -> Templates:
    """Return the templates of the theme, overridden by those in the folder `theme`.

    The script that runs before the first paint is inlined in the page; the security policy allows it by its hash.
    """
    found = SafeTemplates(theme) if theme else Templates(theme)
    lines = map(str.strip, (THEME / "first.js").read_text("utf-8").splitlines())
    script = "\n".join(line for line in lines if not line.startswith("//"))  # it is in every page
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    found.filters["breakable_name"] = breakable_name
    found.globals.update(first_script=Markup(script), first_hash=f"sha256-{digest}")
    return found
