"""The licences of all that the project installs; run as a script, it writes them to `requirements/THIRD-PARTY.md`.

What is not installed here in the locked version, because only another platform needs it, keeps the line that it has.
"""

from __future__ import annotations

import re
from contextlib import suppress
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).parent.parent / "requirements"
TABLE = FOLDER / "THIRD-PARTY.md"
HEAD = """# Licences of the dependencies

What `make site` installs, and beside it what only development and training need. Nothing of it is part of this
repository. `make lock` writes this table from the metadata of the packages; a test compares it with the locks.

| package | version | licence | needed for |
|---|---|---|---|
"""

READ = {
    "Pycco": "MIT",
    "axe-playwright-python": "MIT; axe-core inside: MPL-2.0",
    # Its metadata also names the licence of a file for Emacs, which is not installed.
    "docutils": "Public Domain; BSD-2-Clause and BSD-3-Clause inside",
}
"""Read in the files of packages whose metadata tells none, or not what is installed."""


def locked(name: str) -> dict[str, Requirement]:
    """The requirements in a lock, by package, without their hashes."""
    text = (FOLDER / name).read_text("utf-8").replace("\\\n", " ")
    lines = (line.partition("--hash")[0].strip() for line in text.splitlines())
    found = [Requirement(line) for line in lines if line]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def version(requirement: Requirement) -> str:
    """The one version that a lock allows."""
    return str(requirement.specifier).removeprefix("==")


def licence(about: PackageMetadata) -> str:
    """The licence as the package names it: an SPDX expression, else its classifiers, else free text."""
    if known := READ.get(about["Name"]):
        return known
    if expressions := about.get_all("License-Expression", []):
        return str(expressions[0])
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in about.get_all("Classifier", [])
        if text.startswith("License ::") and not text.endswith("OSI Approved")
    ]
    text = str([*about.get_all("License", []), ""][0]).strip()
    return ", ".join(classifiers) or re.split(r"[\r\n]", text)[0]


def rows() -> list[tuple[str, str, str, str]]:
    """Package, version, licence and use of all that is locked, and of torch."""
    constraints = [
        Requirement(line)
        for line in (FOLDER.parent / "constraints.txt").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    torch = {"torch": next(pin for pin in constraints if pin.name == "torch")}
    uses = {
        "the site": locked("site.lock"),
        "development": locked("dev.lock") | torch,
        "the audit": locked("audit.lock"),
    }
    known = {row[0]: row[2] for row in table()}
    found: dict[str, tuple[str, str, str, str]] = {}
    for use, packages in uses.items():
        for name, requirement in packages.items():
            if name in found:
                continue
            text = known.get(name, "")
            with suppress(PackageNotFoundError):
                about = metadata(name)
                if about["Version"] == version(requirement) or not text:
                    text = licence(about)
            found[name] = (name, version(requirement), text, use)
    return sorted(found.values())


def table() -> list[list[str]]:
    """What the file says now."""
    lines = TABLE.read_text("utf-8").splitlines() if TABLE.exists() else []
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("| ") and not line.startswith("| package ")
    ]


def main() -> None:
    """Write the file."""
    TABLE.write_text(HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows()), "utf-8")


if __name__ == "__main__":
    main()
