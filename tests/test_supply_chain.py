"""Nothing comes in unseen: dependencies by hash, actions by commit, the CDN by integrity, licences by name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha384
from html.parser import HTMLParser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import licences
import pytest
import yaml
from conftest import Write
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pylit.api import open_configuration
from pylit.builder import build
from pylit.defaults import KATEX_CSS, KATEX_INTEGRITY, KATEX_LOCAL
from pylit.notebook.requirement import check_requirement, split_requirements
from pylit.site.discovery import find_pages
from pylit.site.make_settings import site_settings

LOCKS = ("site.lock", "dev.lock", "audit.lock")
FREE = re.compile(
    r"(MIT|MIT-0|MIT-CMU|0BSD|Zlib|CC0-1\.0|BSL-1\.0|PSF-2\.0|MPL-2\.0|MPL|[23]-Clause|BSD(-[23]-Clause)?|ISC|Apache(-2\.0)?"
    r"|Python|LLVM-exception)$"
)
"""A licence must name one of these, and nothing that is not free."""


def constraints(root: Path) -> dict[str, str]:
    lines = (root / "constraints.txt").read_text("utf-8").splitlines()[1:]
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def extras(root: Path) -> dict[str, list[Requirement]]:
    """What content and engine ask for, by the content's extras."""
    tables = [
        tomllib.loads((root / name).read_text("utf-8"))["project"]
        for name in ("pyproject.toml", "pylit/pyproject.toml")
    ]
    asked = {table["name"]: {"": table["dependencies"], **table["optional-dependencies"]} for table in tables}

    def expand(requirement: Requirement) -> Iterator[Requirement]:
        if requirement.name not in asked:
            yield requirement
            return
        for extra in ["", *requirement.extras]:
            for text in asked[requirement.name][extra]:
                yield from expand(Requirement(text))

    content = tables[0]["name"]
    return {
        extra: list(expand(Requirement(f"{content}[{extra}]")))
        for extra in tables[0]["optional-dependencies"]
    }


@pytest.mark.parametrize("lock", [*LOCKS, "world.lock", "platforms.lock"])
def test_every_locked_package_has_its_version_and_hashes(root: Path, lock: str) -> None:
    text = (root / "requirements" / lock).read_text("utf-8")
    assert "://" not in text, "an address would hold on some machines only"
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert len(blocks) > (3 if lock == "platforms.lock" else 10)
    for block in blocks:
        first, *hashes = block.replace("\\", "").split("\n")
        assert re.fullmatch(r"[a-z0-9-]+==[^ ;]+( ;.*)?", first.strip()), first
        assert hashes, first
        assert all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64} ?", line) for line in hashes), first


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_and_constraints_agree(root: Path, lock: str) -> None:
    pinned = constraints(root)
    for name, requirement in licences.locked(lock).items():
        if name in pinned:
            assert licences.version(requirement) == pinned[name], (
                f"{name} in {lock}; `make lock` writes it anew"
            )
        elif lock != "audit.lock":
            # Only another platform needs it, or it installs the project.
            assert requirement.marker or name == "setuptools", name


def test_locks_hold_all_that_is_asked_for(root: Path) -> None:
    asked = extras(root)
    dev = licences.locked("dev.lock")
    for lock, extra in (
        ("site.lock", "site"),
        ("dev.lock", "dev"),
        ("dev.lock", "bench"),
        ("audit.lock", "audit"),
    ):
        packages = licences.locked(lock)
        for requirement in asked[extra]:
            name = canonicalize_name(requirement.name)
            if name != "torch":
                assert name in packages, f"{lock} lacks {name}; `make lock` writes it anew"
                assert licences.version(packages[name]) in requirement.specifier, requirement
    assert "torch" in constraints(root)
    assert "torch" not in dev
    for package, pin in licences.locked("site.lock").items():
        assert licences.version(pin) == licences.version(dev[package])


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_what_their_packages_need(lock: str) -> None:
    """They are installed with `--no-deps`. What torch needs on every platform belongs to `dev.lock`."""
    packages = licences.locked(lock)
    looked_at = 0
    for name in [*packages, *(["torch"] if lock == "dev.lock" else [])]:
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        looked_at += 1
        for need in map(Requirement, needs):
            if need.marker and not need.marker.evaluate({"extra": ""}):
                continue
            if need.name != "torch" and not re.match("nvidia|cuda|triton", need.name):
                found = packages.get(canonicalize_name(need.name))
                assert found, f"{name} needs {need}, which is not in {lock}; `make lock` writes it anew"
                assert licences.version(found) in need.specifier, f"{name} needs {need}"
    assert looked_at > 5


@pytest.mark.parametrize(
    ("target", "locks"),
    [("site", ["site.lock"]), ("install", ["dev.lock"]), ("audit", ["audit.lock"])],
)
def test_make_installs_by_hash(root: Path, tmp_path: Path, target: str, locks: list[str]) -> None:
    shown = subprocess.run(
        ["make", "--dry-run", target, f"VENV={tmp_path}/venv"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    installs = [line for line in shown.splitlines() if " pip " in line]
    by_hash = [line for line in installs if "--require-hashes --no-deps" in line]
    assert [line.rpartition("/")[2] for line in by_hash] == locks
    for line in set(installs) - set(by_hash):
        is_self = [
            part.partition("--no-deps --no-build-isolation --editable ")[2] for part in line.split(" && ")
        ]
        assert is_self == [".", "./pylit"] or line.endswith("--constraint constraints.txt torch"), line


def test_a_package_with_another_hash_is_refused(root: Path, tmp_path: Path) -> None:
    """The same version from somewhere else, with one file more."""
    import zipfile

    wheel = tmp_path / "mdurl-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("mdurl/__init__.py", "raise SystemExit('harm')")
        archive.writestr(
            "mdurl-0.1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: mdurl\nVersion: 0.1.2\n"
        )
        archive.writestr("mdurl-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("mdurl-0.1.2.dist-info/RECORD", "")
    lines = (root / "requirements/site.lock").read_text("utf-8")
    block = next(part for part in re.split(r"\n(?=\S)", lines) if part.startswith("mdurl=="))
    (tmp_path / "one.lock").write_text(block + "\n")
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-index",
        "--find-links",
        str(tmp_path),
        "--no-deps",
    ]
    target = ["--target", str(tmp_path / "out"), "--disable-pip-version-check"]
    lock = ["--require-hashes", "--requirement", str(tmp_path / "one.lock")]
    found = subprocess.run(
        [*install, *target, *lock], capture_output=True, text=True, env={"PIP_CONFIG_FILE": "/dev/null"}
    )
    assert found.returncode == 1
    assert "DO NOT MATCH THE HASHES" in found.stderr
    assert not (tmp_path / "out").exists()


def test_licences_are_complete_and_current() -> None:
    assert licences.table() == [list(row) for row in licences.rows()], (
        "`python tests/licences.py` writes requirements/THIRD-PARTY.md anew"
    )


def test_licences_are_known_and_free() -> None:
    for name, _, licence, _ in licences.table():
        assert licence, f"{name} has no licence; see `READ` in tests/licences.py"
        words = re.findall(r"[A-Za-z0-9.-]+", licence)
        assert any(FREE.match(word) for word in words), f"{name}: {licence}"
        assert not re.search(r"GPL|SSPL|Commons|Proprietary|Commercial|UNKNOWN", licence), (
            f"{name}: {licence}"
        )


def workflows(root: Path) -> dict[str, Any]:
    return {
        path.name: yaml.safe_load(path.read_text("utf-8"))
        for path in (root / ".github/workflows").glob("*.yml")
    }


def test_workflows_pin_actions_and_ask_for_little(root: Path) -> None:
    found = workflows(root)
    assert {"ci.yml", "site.yml"} <= set(found)
    for name, workflow in found.items():
        assert workflow["permissions"] == {}, f"{name}: rights belong to the job that needs them"
        for job, values in workflow["jobs"].items():
            assert "timeout-minutes" in values, f"{name}: {job}"
            rights = {key for key, value in values["permissions"].items() if value == "write"}
            assert rights <= ({"pages", "id-token"} if job == "publish" else set()), f"{name}: {job}"
            for step in values["steps"]:
                action = step.get("uses", "x@" + "0" * 40)
                assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), f"{name}: {action}"
                if action.startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False


def test_linter_of_workflows_finds_nothing(root: Path) -> None:
    linter = Path(sys.executable).with_name("zizmor")
    arguments = [str(linter), "--offline", "--no-progress", ".github"]
    found = subprocess.run(arguments, cwd=root, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_tools_from_npm_are_locked_with_integrity(root: Path) -> None:
    lock = json.loads((root / "tests/lighthouse/package-lock.json").read_text("utf-8"))
    packages = {name: values for name, values in lock["packages"].items() if name}
    assert packages
    for name, values in packages.items():
        assert values["integrity"].startswith("sha512-"), name


class Loads(HTMLParser):
    """The elements of a page that load something from another host, or make the scripts do so."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        loading = {
            "script": "src",
            "img": "src",
            "iframe": "src",
            "source": "src",
            "video": "src",
            "audio": "src",
        }
        address = values.get(loading.get(tag, ""), "")
        if tag == "link" and values.get("rel") not in ("canonical", "alternate", "next", "prev", "license"):
            address = values.get("href", "")
        if "data-katex" in values:
            address = values["data-katex"]
            values["integrity"] = values.get("data-integrity", "")
        if re.match(r"(https?:)?//", address):
            self.found.append({"address": address, **values})


def test_pages_ask_no_other_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        parser = Loads()
        parser.feed(page.read_text("utf-8"))
        assert parser.found == [], page
    # What a script or a style sheet could load by itself.
    for path in [*site.rglob("*.js"), *site.rglob("*.css")]:
        if "pagefind" not in path.parts:
            text = path.read_text("utf-8")
            assert not re.search(r"""(url\(|@import|import\(|fetch\()\s*["'`]?(https?:)?//""", text), path


def test_copy_of_katex_is_the_release_that_the_cdn_has(root: Path) -> None:
    """Byte for byte: the hash by which pages ask the CDN for it is that of the copy."""
    folder = root / "pylit/theme" / Path(KATEX_LOCAL).parent
    sheet = (folder / "katex.min.css").read_bytes()
    assert "sha384-" + b64encode(sha384(sheet).digest()).decode() == KATEX_INTEGRITY
    fonts = {path.name for path in folder.glob("fonts/*")}
    assert fonts == set(re.findall(r"fonts/([\w-]+\.woff2)", sheet.decode()))
    for name in fonts:
        assert (folder / "fonts" / name).read_bytes()[:4] == b"wOF2"
    assert "Khan Academy" in (folder / "LICENSE").read_text("utf-8")


def test_the_cdn_is_asked_only_with_integrity(write: Write, tmp_path: Path) -> None:
    write("pylit.toml", 'sources = ["m.py"]\nkatex = "cdn"\nsearch = false\n')
    write("m.py", '"""\n# T\n\n$x$\n"""\n')
    settings = site_settings(open_configuration(tmp_path / "pylit.toml"))
    assert build(find_pages(settings), tmp_path / "out", jobs=1).problems == {}
    parser = Loads()
    parser.feed((tmp_path / "out/m.html").read_text("utf-8"))
    (element,) = parser.found
    assert (element["address"], element["integrity"]) == (KATEX_CSS, KATEX_INTEGRITY)
    assert not (tmp_path / "out/assets/katex").exists()


def test_notebooks_install_the_commit_that_the_site_is_built_from(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is known; elsewhere nothing, for the project's name on an index may be anybody's."""
    monkeypatch.delenv("GITHUB_SHA", raising=False)
    assert site_settings(open_configuration(root / "pyproject.toml")).requirement == ""
    monkeypatch.setenv("GITHUB_SHA", "0a" * 20)
    found = site_settings(open_configuration(root / "pyproject.toml"))
    code = f"git+{found.repository}@{'0a' * 20}"
    assert found.requirement.splitlines() == [
        f"annotated-pylit @ {code}#subdirectory=pylit",
        f"annotated-labml-nn[train] @ {code}",
    ]
    check_requirement(found.requirement)


def test_repository_is_named_in_one_place(root: Path, site: Path) -> None:
    """Pages, notebooks and guides have its address from the settings, and install code from nowhere else.

    Packages name it in their metadata; `test_packages` compares that with the settings.
    """
    files = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
    settings = site_settings(open_configuration(root / "pyproject.toml"))
    address = settings.repository.removeprefix("https://")
    assert address.count("/") == 2
    texts = {name: (root / name) for name in files.stdout.splitlines()}
    naming = [
        name for name, path in texts.items() if path.is_file() and address.encode() in path.read_bytes()
    ]
    assert naming == ["pylit/pyproject.toml", "pyproject.toml"]
    notebooks = list(site.rglob("*.ipynb"))
    assert len(notebooks) > 40
    for path in notebooks:
        for line in re.findall(r"%pip [^\n]*", path.read_text("utf-8")):
            pinned = split_requirements(settings.requirement)
            assert pinned and line == " ".join(["%pip install --quiet", *(rf'\\"{one}\\"' for one in pinned)])
            assert all(f"git+{settings.repository}@" in one for one in pinned), path
    guides = [*(root / "docs").rglob("*.md"), *root.glob("*.md")]
    for path in guides:
        assert not re.search(r"git clone (https?://|git@)|git\+https://(?!host/)", path.read_text("utf-8")), (
            path
        )
