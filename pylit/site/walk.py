"""Finds the files of a folder that become pages. Skipped files that look like pages are reported.

Symlinks are followed within the project, to files that have no page yet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Problem, Severity
from ..filesystem import is_below, open_regular
from ..parsing import GUIDE, NOTEBOOK
from .ignore_rules import IgnoreRules, folder_rules, repository_rules

STUB = ".pyi"
SUFFIXES = (".py", ".pyw", NOTEBOOK, GUIDE, STUB)
"""Suffixes of the files to be found in a folder."""
_SHEBANG = re.compile(rb"#![^\n]*(?:\bpythonw?[0-9.]*|\buv\s+run)(?:\s|$)")
"""The first line of a Python script, whose name often has no suffix."""
_HEAD = 256
"""Number of bytes that are read of a file to see whether it is a script."""
FOREIGN = ("node_modules", "site-packages", "__pypackages__")
"""Folders of third-party packages."""
ENVIRONMENT = ("pyvenv.cfg", "conda-meta", "bin/activate", "Scripts/activate.bat")
"""Files that only virtual environments have."""
_BUILT = re.compile(r"lib(?:\..+)?|(?:bdist|temp)\..+|scripts-.+")
"""Names of folders that setuptools creates in `build`."""


@dataclass
class Walk:
    """Finds the files of a project that become pages, each once, regardless of the paths that lead to it."""

    base: Path
    """The folder of the project; nothing outside it is followed."""
    excluded: IgnoreRules
    problems: list[Problem] = field(default_factory=list)
    """Notes on skipped files, and errors for those that could not be read."""
    found: dict[str, Path] = field(default_factory=dict)
    """Real path of each file or folder -> the path by which it was found."""
    links: list[tuple[Path, IgnoreRules | None]] = field(default_factory=list)
    """Symlinks that are still to be followed, with the rules that apply where they are."""

    def files(self, root: Path) -> Iterator[Path]:
        """Yield the files at or below a root that become pages.

        A root that the user has named is never skipped. Hidden folders and compiled files are skipped without a note.
        """
        if root.is_file():
            yield root
            return
        real = os.path.realpath(root)
        yield from self._folder(root, real, repository_rules(root, self.base, self.problems))
        while self.links:
            yield from self._follow(*self.links.pop(0), root=real)

    def note(self, path: Path, message: str, hint: str, severity: Severity = Severity.NOTE) -> None:
        """Report a file or folder that is skipped."""
        name = path.relative_to(self.base).as_posix()
        self.problems.append(Problem(name, 0, message, hint, severity))

    def _folder(self, folder: Path, real: str, rules: IgnoreRules | None) -> Iterator[Path]:
        """Yield the files below a folder with the real path `real`, unless they have already been found."""
        if self.found.setdefault(real, folder) is not folder:
            return
        try:
            children = sorted(folder.iterdir())
        except OSError as error:
            self.note(folder, f"cannot be read: {error.strerror}", "Fix its permissions.", Severity.ERROR)
            return
        names = {child.name for child in children}
        is_package = any(child.suffix == ".py" for child in children)
        for child in children:
            if child.name.startswith(".") or child.name == "__pycache__":
                continue
            is_folder = child.is_dir()
            is_link = child.is_symlink()
            if not is_folder and child.suffix not in SUFFIXES and child.suffix:
                continue
            if self._is_ignored(child, rules, is_folder=is_folder):
                continue
            if not is_folder and not self._is_page(child, names):
                continue
            if is_link:
                self.links.append((child, rules))
            elif is_folder:
                yield from self._below(child, os.path.join(real, child.name), rules, is_package=is_package)
            elif child.is_file() and self.found.setdefault(os.path.join(real, child.name), child) is child:
                yield child

    def _is_page(self, path: Path, names: Collection[str]) -> bool:
        """Return whether a file becomes a page, given the `names` in its folder; note what may not be expected."""
        if path.suffix == STUB:
            if (module := f"{path.stem}.py") in names:
                hint = "Name the file itself to include it."
                self.note(path, f"is skipped: it describes `{module}`, which has a page", hint)
                return False
            self.note(
                path,
                "is rendered: it describes a module that is not beside it",
                "Exclude it if it should not be.",
            )
        elif not path.suffix:
            if not self._is_script(path):
                return False
            self.note(
                path,
                "is rendered: its first line says that it is a Python script",
                "Exclude it if it should not be.",
            )
        return True

    def _is_script(self, path: Path) -> bool:
        """Return whether a file without suffix starts like a Python script. Nothing out of the project is read."""
        place = os.path.realpath(path)
        if not is_below(place, os.path.realpath(self.base)):
            return False
        try:
            with open_regular(place) as file:
                return _SHEBANG.match(file.read(_HEAD)) is not None
        except OSError:  # not a regular file, or not ours to read: nothing says that it is a script
            return False

    def _is_ignored(self, path: Path, rules: IgnoreRules | None, *, is_folder: bool) -> bool:
        if self.excluded.ignores(path, is_folder=is_folder):
            return True
        return rules is not None and rules.ignores(path, is_folder=is_folder)

    def _below(
        self, folder: Path, real: str, rules: IgnoreRules | None, *, is_package: bool
    ) -> Iterator[Path]:
        if reason := _not_sources(folder, is_package=is_package):
            self.note(folder, f"is skipped: {reason}", "Name the folder itself to include it.")
            return
        inside = folder_rules(folder, rules, self.base, self.problems) if rules else None
        yield from self._folder(folder, real, inside)

    def _follow(self, link: Path, rules: IgnoreRules | None, root: str) -> Iterator[Path]:
        """Yield the files that a symlink leads to, unless they have been found without it."""
        place = os.path.realpath(link)
        if not os.path.exists(place):
            self.note(link, "is skipped: it is a broken symlink", "Remove or fix it.")
        elif not is_below(place, os.path.realpath(self.base)):
            self.note(link, "is skipped: it is a symlink that leaves the project", "Name its target.")
        elif place in self.found or is_below(root, place):
            shown = os.path.relpath(place, os.path.realpath(self.base))
            message = f"is skipped: it is a symlink to `{shown}`, which has pages of its own"
            self.note(link, message, "Its pages are those of the target.")
        elif os.path.isdir(place):
            yield from self._below(link, place, rules, is_package=False)
        elif os.path.isfile(place):
            self.found[place] = link
            yield link


def _not_sources(folder: Path, *, is_package: bool) -> str:
    """Return the reason why a folder contains no sources of the project; empty if it may contain some.

    Names such as `env` and `build` are not enough, since packages may have them.

    Args:
        folder: The folder.
        is_package: Whether there are Python files next to the folder.
    """
    name, above = folder.name, folder.parent.name
    if name in FOREIGN:
        return "it contains third-party packages"
    if any((folder / mark).exists() for mark in ENVIRONMENT):
        return "it is a virtual environment"
    if (
        above == "build"
        and _BUILT.fullmatch(name)
        and not is_package
        and not (folder / "__init__.py").exists()
    ):
        return "it contains files built by setuptools"
    if above == "dist" and (folder / "PKG-INFO").exists():
        return "it is an unpacked distribution"
    return ""
