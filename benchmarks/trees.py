"""Trees of modules to build pages of, which everybody has: this site's own, repeated, and the standard library's."""

from __future__ import annotations

import re
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import polib

from .measure import ROOT

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
LANGUAGES = ("zh", "ja")
"""Those that this site is translated into."""
LINKED = ("--no-search", "--repository", "https://example.org/code")
"""What `pylit render` is told so that pages link to their source. An index for searching is nothing of its peers'."""
TRANSLATED = ("--translations", "translations", *(word for lang in LANGUAGES for word in ("--lang", lang)))
"""What it is told to make the pages of all languages."""
_FORMULA = re.compile(r"(?<![\\$])(\$\$?)(?![\s$])((?:[^$\\]|\\.)+?)(?<!\s)\1(?![$\d])", re.DOTALL)
_MARK = "\N{REPLACEMENT CHARACTER}"
"""Stands for the number of a copy."""


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
        texts = (path.read_text("utf-8") for path in self.modules)
        return len({found.groups() for text in texts for found in _FORMULA.finditer(text)})


def own_tree(folder: Path, modules: int, languages: tuple[str, ...] = ()) -> Tree:
    """This site's modules under other names and with other formulas, again and again until there are `modules`.

    There are a few more, as each copy is complete. Catalogs and recorded shapes come along; guides are there to be
    linked to.
    """
    templates = _templates(languages)
    copies = -(-modules // sum(path.suffix == ".py" for path in templates))
    packages = tuple(f"{PACKAGE}_{number}" for number in range(copies))
    for name in ("docs", "experiments"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("traces"))
    for number, package in enumerate(packages):
        for path, content in templates.items():
            parts = (package if part == PACKAGE else part for part in path.parts)
            to = folder.joinpath(*parts)
            to.parent.mkdir(parents=True, exist_ok=True)
            data = content if isinstance(content, bytes) else content.replace(_MARK, str(number)).encode()
            to.write_bytes(data)
    return Tree("own", folder, packages)


def library_tree(folder: Path, packages: tuple[str, ...] = LIBRARY) -> Tree:
    """Packages of Python's standard library, without their tests."""
    ignored = shutil.ignore_patterns("__pycache__", "test", "tests")
    for package in packages:
        shutil.copytree(Path(sysconfig.get_path("stdlib"), package), folder / package, ignore=ignored)
    return Tree("library", folder, packages)


def varied(text: str, number: int | str) -> str:
    """A module's text with another package and other formulas in it, so that what was made of one serves no other."""
    text = _FORMULA.sub(lambda found: f"{found[1]}{{}}^{{{number}}} {found[2]}{found[1]}", text)
    return re.sub(rf"\b{PACKAGE}\b", f"{PACKAGE}_{number}", text)


def _templates(languages: tuple[str, ...]) -> dict[Path, str | bytes]:
    """The files of one copy, from the root: texts with a mark where its number belongs, and what stays as it is."""
    folders = [
        PACKAGE,
        f"experiments/traces/{PACKAGE}",
        *(f"translations/{lang}/{PACKAGE}" for lang in languages),
    ]
    found: dict[Path, str | bytes] = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            name = path.relative_to(ROOT)
            if path.suffix in (".py", ".json"):
                # Guides are no pages of a copy, so none of its cards can be theirs.
                text = path.read_text("utf-8").replace("pages: ../docs/guide/*.md", "pages: runs/*.py")
                found[name] = varied(text, _MARK)
            elif path.suffix == ".po":
                found[name] = _varied_catalog(path)
            else:
                found[name] = path.read_bytes()
    return found


def _varied_catalog(path: Path) -> str:
    catalog = polib.pofile(str(path), wrapwidth=0)
    for entry in catalog:
        entry.msgid, entry.msgstr = varied(entry.msgid, _MARK), varied(entry.msgstr, _MARK)
        entry.occurrences = [(varied(place, _MARK), line) for place, line in entry.occurrences]
        if entry.previous_msgid:
            entry.previous_msgid = varied(entry.previous_msgid, _MARK)
    return str(catalog)
