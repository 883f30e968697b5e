"""What is published, built by `make wheel` and used outside the project, as somebody does who installs it."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from fnmatch import fnmatch
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml
from packaging.requirements import Requirement

from pylit import __version__
from pylit.api import open_configuration
from pylit.tex.typeset import BINDING

pytestmark = pytest.mark.process

ENGINE, CONTENT = "annotated-pylit", "annotated-labml-nn"
FOLDERS = {ENGINE: "pylit", CONTENT: "labml_nn"}
UNPUBLISHED = ("*/LICENSE", "*/README.md", "*/pyproject.toml", "*/ruff.toml")
"""Files in those folders that are for whoever builds packages or works on them."""
PYTHON = "Programming Language :: Python :: "
JUNK = (
    "pylit/.DS_Store",
    "pylit/site/notes.txt",
    "pylit/__pycache__/old.cpython-311.pyc",
    "labml_nn/drafts/secret.py",
    "build/lib/labml_nn/removed.py",
)
"""What may lie around in somebody's clone."""


def call(command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program as if there were no tests around it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=own)


def run(command: Sequence[str | Path], folder: Path) -> str:
    """What a program prints that is expected to succeed."""
    found = call(command, folder)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout + found.stderr


def uv(*arguments: str | Path, folder: Path) -> str:
    """Run the installer that there is beside this Python, without the network."""
    return run([Path(sys.executable).with_name("uv"), *arguments, "--offline"], folder)


@pytest.fixture(scope="module")
def tree(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what packages are built from, as it is in somebody's clone."""
    folder = tmp_path_factory.mktemp("clone")
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    for name in run(listed, root).split("\0"):
        if (root / name).is_file() and (name.startswith(("pylit/", "labml_nn/")) or "/" not in name):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def dist(tree: Path) -> Path:
    """What `make wheel` makes, in a clone where other things lie around."""
    for name in JUNK:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("x = 1\n")
    old = tree / "annotated_labml_nn.egg-info/SOURCES.txt"
    old.parent.mkdir()
    old.write_text("pylit/errors.py\nMakefile\n")
    run(["make", "wheel", f"VENV={sys.prefix}", f"--old-file={sys.prefix}/dev"], tree)
    for name in JUNK:
        (tree / name).unlink()
    for name in ("annotated_labml_nn.egg-info", "build"):
        shutil.rmtree(tree / name)
    return tree / "dist"


def wheel(folder: Path, name: str) -> Path:
    """The wheel of a distribution."""
    [found] = folder.glob(f"{name.replace('-', '_')}-*.whl")
    return found


def contents(path: Path) -> dict[str, bytes]:
    """All files in a wheel."""
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata(path: Path) -> Message:
    """What a wheel says of itself."""
    [text] = (data for name, data in contents(path).items() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(text)


@pytest.mark.parametrize("name", [ENGINE, CONTENT])
def test_wheels_hold_the_sources_and_nothing_else(root: Path, dist: Path, name: str) -> None:
    listed = run(["git", "ls-files", FOLDERS[name]], root).splitlines()
    expected = [
        file for file in listed if not any(fnmatch(file, f"{FOLDERS[name]}{end[1:]}") for end in UNPUBLISHED)
    ]
    held = contents(wheel(dist, name))
    assert sorted(file for file in held if ".dist-info/" not in file) == sorted(expected)
    assert len(expected) > 20
    assert (
        held[f"{wheel(dist, name).name.removesuffix('-py3-none-any.whl')}.dist-info/licenses/LICENSE"]
        == (root / "LICENSE").read_bytes()
    )


@pytest.mark.parametrize("name", [ENGINE, CONTENT])
def test_source_distributions_build_the_same_wheels(
    tree: Path, dist: Path, tmp_path: Path, name: str
) -> None:
    """Those of `make wheel` are built from them, and these from the folder itself."""
    source = {ENGINE: "pylit", CONTENT: "."}[name]
    to = ["--no-build-isolation", "--python", sys.executable, "--out-dir"]
    uv("build", "--wheel", *to, tmp_path / "direct", source, folder=tree)
    assert contents(wheel(tmp_path / "direct", name)) == contents(wheel(dist, name))
    [archive] = dist.glob(f"{name.replace('-', '_')}-*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    [unpacked] = (path for path in tmp_path.iterdir() if path.name.startswith("annotated"))
    strays = {"Makefile", *(Path(name).name for name in JUNK)}
    assert not strays & {path.name for path in unpacked.rglob("*")}
    uv("build", "--wheel", *to, tmp_path / "unpacked", unpacked, folder=tmp_path)
    assert contents(wheel(tmp_path / "unpacked", name)) == contents(wheel(dist, name))


def test_versions_agree(dist: Path) -> None:
    engine, content = (metadata(wheel(dist, name)) for name in (ENGINE, CONTENT))
    assert engine["Version"] == content["Version"] == __version__
    needed = [Requirement(text) for text in content.get_all("Requires-Dist", [])]
    [own] = (one for one in needed if one.name == ENGINE and one.marker is None)
    assert own.specifier.contains(__version__) and not own.specifier.contains("9"), (
        f"pylit/VERSION says {__version__}, and `dependencies` in pyproject.toml asks for an engine {own.specifier}"
    )


def test_metadata_tell_the_pythons_that_are_tested(root: Path, dist: Path) -> None:
    workflow = yaml.safe_load((root / ".github/workflows/ci.yml").read_text("utf-8"))
    tested = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert tested == ["3.11", "3.12", "3.13", "3.14"]
    for name in (ENGINE, CONTENT):
        told = metadata(wheel(dist, name))
        assert told["Requires-Python"] == f">={tested[0]}"
        classifiers = told.get_all("Classifier", [])
        assert [
            one.removeprefix(PYTHON) for one in classifiers if re.search(r"Python :: \d\.", one)
        ] == tested
        assert told["License-Expression"] == "MIT"


def test_metadata_name_the_repository_of_the_settings(root: Path, dist: Path) -> None:
    settings = open_configuration(root / "pyproject.toml").options
    for name in (ENGINE, CONTENT):
        lines = metadata(wheel(dist, name)).get_all("Project-URL", [])
        urls = dict(line.split(", ", 1) for line in lines)
        assert urls.pop("Repository") == settings.repository
        assert urls.pop("Homepage").startswith(settings.site_url)
        assert set(urls) == {"Issues", "Changelog"}
        assert all(url.startswith(f"{settings.repository}/") for url in urls.values())


def test_katex_is_asked_for_in_the_one_release_that_works(root: Path) -> None:
    project = tomllib.loads((root / "pylit/pyproject.toml").read_text("utf-8"))["project"]
    assert [text for text in project["dependencies"] if text.startswith("pykatex")] == [BINDING]


def test_setup_py_only_points_to_the_metadata(root: Path) -> None:
    lines = (root / "setup.py").read_text("utf-8").splitlines()
    assert lines[-1] == "setup()" and len(lines) <= 5


@dataclass(frozen=True)
class Environment:
    """A Python environment outside of the project, where the packages are installed."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "bin/python"

    @property
    def site(self) -> Path:
        """The folder of its packages."""
        [found] = self.folder.glob("lib/python*/site-packages")
        return found

    def install(self, *wheels: Path) -> None:
        """Install some wheels."""
        uv("pip", "install", "--no-deps", "--no-index", "--python", self.python, *wheels, folder=self.folder)

    def uninstall(self, name: str) -> None:
        """Remove a distribution."""
        uv("pip", "uninstall", "--python", self.python, name, folder=self.folder)


def environment(folder: Path, *, lend: bool) -> Environment:
    """A fresh environment. With `lend` it has the packages of this one too, after its own."""
    venv.create(folder, with_pip=False)
    made = Environment(folder)
    if lend:
        lent = [path for path in sys.path if Path(path).name == "site-packages"]
        (made.site / "lent.pth").write_text("\n".join(lent))
    return made


@pytest.fixture(scope="module")
def elsewhere(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with both packages."""
    made = environment(tmp_path_factory.mktemp("elsewhere") / "venv", lend=True)
    made.install(wheel(dist, ENGINE), wheel(dist, CONTENT))
    return made


SOURCE = r'''r"""
# Norms

The length of a vector is $\lVert x \rVert = \sqrt{x \cdot x}$.
"""


def norm(x: list[float]) -> float:
    """The length of `x`."""
    return sum(v * v for v in x) ** 0.5
'''


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A project of somebody else."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code/norms.py").write_text(SOURCE)
    return tmp_path


def test_installed_engine_renders_a_foreign_folder(elsewhere: Environment, foreign: Path) -> None:
    pylit = elsewhere.python.with_name("pylit")
    assert run([pylit, "--version"], foreign) == f"pylit, version {__version__}\n"
    where = run([elsewhere.python, "-c", "import pylit; print(pylit.__file__, pylit.__version__)"], foreign)
    assert where == f"{elsewhere.site}/pylit/__init__.py {__version__}\n"
    run([pylit, "render", "code", "--out", "pages", "--lang", "zh"], foreign)
    for name in ("norms.html", "zh/norms.html"):
        page = (foreign / "pages" / name).read_text("utf-8")
        assert "<math" in page and 'class="katex' in page and "norm" in page
    assert (foreign / "pages/assets/pylit.css").is_file()


def test_installed_engine_builds_a_foreign_mkdocs_project(elsewhere: Environment, foreign: Path) -> None:
    (foreign / "docs").mkdir()
    (foreign / "docs/index.md").write_text("# Vectors\n\nSee [norms](../code/norms.py).\n")
    (foreign / "mkdocs.yml").write_text(
        "site_name: Vectors\nsite_url: https://example.org/\nstrict: true\ntheme: {name: pylit}\n"
        "plugins:\n  - pylit: {sources: [code], languages: [en, zh]}\n"
    )
    run([elsewhere.python, "-m", "mkdocs", "build", "--strict"], foreign)
    pages = {path.relative_to(foreign / "site").as_posix() for path in foreign.glob("site/**/*.html")}
    assert {"index.html", "norms.html", "zh/index.html", "zh/norms.html"} <= pages, pages
    assert "<math" in (foreign / "site/norms.html").read_text("utf-8")


@pytest.mark.training
def test_installed_content_trains(elsewhere: Environment, foreign: Path) -> None:
    command = ["-m", "labml_nn.resnet.experiment", "digits", "--steps", "2"]
    said = run([elsewhere.python, "-W", "error::UserWarning:labml_nn", *command], foreign)
    assert "valid accuracy" in said
    [result] = (foreign / "runs").glob("*-digits/result.json")
    assert result.stat().st_size > 100


THEIRS = {
    "labml_nn/__init__.py": '"""The other one."""\n',
    "labml_nn/resnet/__init__.py": "class ResNetBase: ...\n",
    "labml_nn-0.5.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: labml-nn\nVersion: 0.5.1\n",
    "labml_nn-0.5.1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
"""Files of the `labml-nn` on the package index that ours has too."""


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A wheel with the name and the files of the package index's `labml-nn`."""
    path = tmp_path / "labml_nn-0.5.1-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        for name, text in THEIRS.items():
            archive.writestr(name, text)
        names = [*THEIRS, "labml_nn-0.5.1.dist-info/RECORD"]
        archive.writestr(names[-1], "".join(f"{name},,\n" for name in names))
    return path


REMEDY = "Run `pip uninstall labml-nn annotated-labml-nn`, then install annotated-labml-nn again."


def said_at_import(made: Environment, module: str) -> tuple[int, str]:
    """Whether a module can be imported, and what is said meanwhile."""
    found = call([made.python, "-c", f"import {module}"], made.folder)
    return found.returncode, found.stderr


def test_content_says_when_the_other_labml_nn_comes_and_goes(dist: Path, other: Path, tmp_path: Path) -> None:
    made = environment(tmp_path / "venv", lend=False)
    made.install(wheel(dist, CONTENT))
    assert said_at_import(made, "labml_nn.installation") == (0, "")
    # `labml_nn.data` itself needs torch, which is not here.
    data = made.site / "labml_nn/data/__init__.py"
    call = ["from labml_nn.installation import check_installation", "check_installation()"]
    assert [line for line in data.read_text("utf-8").splitlines() if "check_installation" in line] == call
    data.write_text("\n".join(call))

    made.install(other)
    assert (made.site / "labml_nn/__init__.py").read_text() == THEIRS["labml_nn/__init__.py"]
    code, said = said_at_import(made, "labml_nn.data")
    assert code == 1
    assert re.search(r"ImportError: /\S+/labml_nn/__init__\.py does not belong to annotated-labml-nn: ", said)
    assert "labml-nn, which has a file of that name too, has replaced it" in said and REMEDY in said

    made.uninstall("labml-nn")
    code, said = said_at_import(made, "labml_nn.data")
    assert code == 1
    assert re.search(r"ImportError: /\S+/labml_nn/__init__\.py is missing, as it is after labml-nn was", said)
    assert REMEDY in said

    made.install(other)
    made.uninstall("annotated-labml-nn")
    made.install(wheel(dist, CONTENT))
    code, said = said_at_import(made, "labml_nn")
    assert code == 0
    assert "UserWarning: labml-nn 0.5.1 is installed too, and has files of the same names" in said
    assert REMEDY in said

    for name in ("labml-nn", "annotated-labml-nn"):
        made.uninstall(name)
    made.install(wheel(dist, CONTENT))
    assert said_at_import(made, "labml_nn") == (0, "")
