"""Trees of modules to build pages of, which everybody has: this site's own, repeated, and the standard library's."""

from __future__ import annotations

import re
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import polib

ROOT = Path(__file__).parent.parent
PACKAGE = "labml_nn"
LIBRARY = (
    "asyncio",
    "email",
    "http",
    "importlib",
    "json",
    "logging",
    "multiprocessing",
    "unittest",
    "urllib",
    "xml",
)
"""Packages of the standard library."""
_FORMULA = re.compile(r"(?<![\\$])\$(?=\S)([^$\n]+?)(?<=\S)\$(?![$\d])")


@dataclass(frozen=True)
class Tree:
    """Some modules to build pages of."""

    name: str
    folder: Path
    packages: tuple[str, ...]
    """Folders of modules, from `folder`."""

    @property
    def modules(self) -> list[Path]:
        """All its modules."""
        return sorted(path for package in self.packages for path in (self.folder / package).rglob("*.py"))

    @property
    def lines(self) -> int:
        """How many lines they have."""
        return sum(path.read_bytes().count(b"\n") for path in self.modules)

    @property
    def formulas(self) -> int:
        """How many different formulas are in them."""
        return len(
            {found[1] for path in self.modules for found in _FORMULA.finditer(path.read_text("utf-8"))}
        )


def own_tree(folder: Path, modules: int, languages: tuple[str, ...] = ()) -> Tree:
    """This site's modules under other names and with other formulas, again and again until there are `modules`."""
    sources = sorted((ROOT / PACKAGE).rglob("*.py"))
    copies = -(-modules // len(sources))
    packages = tuple(f"{PACKAGE}_{number}" for number in range(copies))
    shutil.copytree(ROOT / "experiments", folder / "experiments", dirs_exist_ok=True)
    for number, package in enumerate(packages):
        for path in sorted((ROOT / PACKAGE).rglob("*")):
            to = folder / package / path.relative_to(ROOT / PACKAGE)
            if path.suffix == ".py":
                _write(to, varied(path.read_text("utf-8"), number))
            elif path.is_file() and "__pycache__" not in path.parts:
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, to)
        for lang in languages:
            for path in sorted((ROOT / "translations" / lang / PACKAGE).rglob("*.po")):
                to = (
                    folder
                    / "translations"
                    / lang
                    / package
                    / path.relative_to(ROOT / "translations" / lang / PACKAGE)
                )
                _write(to, _varied_catalog(path, number))
    return Tree(f"own, {copies} times", folder, packages)


def library_tree(folder: Path, packages: tuple[str, ...] = LIBRARY) -> Tree:
    """Packages of Python's standard library."""
    for package in packages:
        source = Path(sysconfig.get_path("stdlib")) / package
        shutil.copytree(
            source, folder / package, ignore=shutil.ignore_patterns("__pycache__", "test", "tests")
        )
    return Tree("standard library", folder, packages)


def varied(text: str, number: int) -> str:
    """A module's text with another package and other formulas in it, as long as before and as much to do."""
    text = _FORMULA.sub(
        lambda found: f"${found[1]}_{{{number}}}$" if False else f"${found[1]} \\;^{{{number}}}$", text
    )
    return re.sub(rf"\b{PACKAGE}\b", f"{PACKAGE}_{number}", text)


def _varied_catalog(path: Path, number: int) -> str:
    catalog = polib.pofile(str(path), wrapwidth=0)
    for entry in catalog:
        entry.msgid, entry.msgstr = varied(entry.msgid, number), varied(entry.msgstr, number)
        if entry.previous_msgid:
            entry.previous_msgid = varied(entry.previous_msgid, number)
    return str(catalog)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
