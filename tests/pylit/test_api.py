"""The functions for programs do what the commands do, and are typed as a stranger's checker sees them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Write

import pylit
from pylit.errors import PylitError

MODULE = '"""\n# Title\n\nSee [b](b.py).\n"""\n'
USER = """\
from pathlib import Path

import pylit

report: pylit.Report = pylit.render("pkg", out=Path("pages"), title="My package", notebooks=True, languages=["en"])
pylit.render([Path("pkg/a.py"), "pkg/b.py"], "pages", search=False, manuals={"torch.*": ""}, force=True)
pylit.build(strict=True, jobs=1, config="pylit.toml", advance=print)
problems: list[pylit.Problem] = pylit.check("pkg/a.py").errors + pylit.check().warnings
try:
    pylit.check(["gone.py"])
except pylit.PylitError as error:
    print(error.problem.file, error.problem.line, error.problem.hint)
"""
WRONG = {
    'pylit.render("pkg")': "Missing positional argument",
    'pylit.render("pkg", out="pages", titel="T")': "Unexpected keyword argument",
    'pylit.build(notebooks="yes")': "incompatible type",
    "pylit.check(3)": "incompatible type",
    'pylit.rendr("pkg")': "has no attribute",
}


@pytest.fixture
def project(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("pkg/a.py", MODULE)
    write("pkg/b.py", '"""\n# B\n"""\n')
    return tmp_path


def test_render(project: Path) -> None:
    report = pylit.render("pkg", out="pages", title="My package", notebooks=True, search=False)
    assert not report.problems
    assert "My package</title>" in (project / "pages/a.html").read_text("utf-8")
    assert (project / "pages/a.ipynb").is_file() and not (project / "pages/pagefind").exists()
    pylit.render([Path("pkg/b.py"), "pkg/a.py"], Path("two"), search=False, jobs=1)
    assert (project / "two/a.html").is_file() and not (project / "two/a.ipynb").exists()


def test_build_and_check(project: Path, write: Write) -> None:
    write("pylit.toml", 'sources = ["pkg"]\nsearch = false\n')
    write("docs/index.md", "# Home\n")
    done: list[int] = []
    assert not pylit.build(advance=done.append).problems
    assert sum(done) == 3
    assert not list(project.glob("site/*.zip"))
    assert (project / "site/index.html").is_file() and (project / "site/a.html").is_file()
    assert not pylit.build("out", notebooks=True, cache="kept").problems
    assert (project / "out/a.ipynb").is_file() and (project / "kept/.gitignore").is_file()
    write("pkg/b.py", 'r"""\n# B\n\n$\\frac$\n"""\n')
    assert [problem.file for problem in pylit.check().errors] == ["pkg/b.py"]
    assert not pylit.check("pkg/a.py").problems
    before = (project / "site/b.html").read_bytes()
    assert pylit.build().errors
    assert (project / "site/b.html").read_bytes() == before, "nothing was written"


def test_check_without_a_configuration(project: Path, write: Write) -> None:
    assert not pylit.check("pkg").problems
    write("pkg/a.py", MODULE.replace("b.py", "c.py"))
    assert [problem.line for problem in pylit.check(["pkg/a.py"]).errors] == [4]


@pytest.mark.usefixtures("project")
def test_what_makes_it_impossible_to_go_on_is_raised(write: Write) -> None:
    with pytest.raises(PylitError, match="has no pylit configuration, and neither has any folder above it"):
        pylit.build()
    with pytest.raises(PylitError, match=r"option titel: error: `titel` is not a known key\n.*`title`"):
        pylit.render("pkg", out="pages", titel="T")  # type: ignore[call-arg]
    with pytest.raises(PylitError, match="option sources: error: `sources` is not a known key"):
        pylit.render("pkg", out="pages", sources=["pkg"])
    with pytest.raises(PylitError, match="option notebooks: error: `notebooks` is the string"):
        pylit.render("pkg", out="pages", notebooks="yes")  # type: ignore[arg-type]
    with pytest.raises(PylitError, match="gone: error: does not exist"):
        pylit.render("gone", out="pages")
    with pytest.raises(
        PylitError, match=r"^pkg: error: contains `pkg`, which is an input of the site\n.*Choose another"
    ):
        pylit.render("pkg", out="pkg")
    with pytest.raises(
        PylitError, match=r"^it\.ini: error: is not a configuration\n.*Name a pyproject\.toml"
    ):
        pylit.check(config="it.ini")
    with pytest.raises(PylitError, match=r"^gone\.yml: error: does not exist\n"):
        pylit.check(config="gone.yml")
    path = write("pylit.toml", 'site_dir = ""\n')
    with pytest.raises(PylitError, match=r"^pylit\.toml:1: error: `site_dir` is empty\n"):
        pylit.build()
    with pytest.raises(PylitError, match=r"gone\.py: error: is not a page of this site\n"):
        pylit.check("gone.py")
    write("sub/pylit.toml", "")
    with pytest.raises(
        PylitError, match=r"^pkg: error: is outside the configured project\n.*Name files in sub"
    ):
        pylit.render("pkg", out="pages", config="sub/pylit.toml")
    path.unlink()


@pytest.mark.usefixtures("project")
def test_configuration_of_other_files_does_not_count(write: Write, tmp_path: Path) -> None:
    """As for a package that lies elsewhere, rendered from within a project."""
    write("here/pylit.toml", 'title = "This project"\nsearch = false\n')
    write("here/c.py", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path / "here")
        pylit.render("../pkg", out="there", search=False)
        pylit.render("c.py", out="here")
    assert "This project" not in (tmp_path / "here/there/a.html").read_text("utf-8")
    assert "This project" in (tmp_path / "here/here/c.html").read_text("utf-8")


@pytest.mark.process
def test_importing_it_takes_no_time() -> None:
    code = (
        "import sys; import pylit\n"
        "assert [name for name in sys.modules if name.startswith('pylit')] == ['pylit']\n"
        "assert not {'click', 'jinja2', 'yaml', 'dataclasses'} & {*sys.modules}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_room_has_the_name_of_a_function(root: Path) -> None:
    """Python would put it in the place of the function when it is imported."""
    rooms = {path.parent.name for path in root.glob("pylit/*/__init__.py")}
    modules = {path.stem for path in root.glob("pylit/*.py")}
    assert not {*pylit.__all__} & (rooms | modules)


def test_names_that_are_not_there() -> None:
    with pytest.raises(AttributeError, match="module `pylit` has no attribute `rendr`"):
        pylit.rendr  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.process
def test_program_of_a_user(root: Path, project: Path, write: Write) -> None:
    """It runs, and its types are checked; wrong calls are seen before it runs."""
    write("pylit.toml", 'sources = ["pkg"]\nsearch = false\n')
    path = write("user.py", USER)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "gone.py 0 Name source files of the site, or their catalogs."
    wrong = write("wrong.py", "import pylit\n\n" + "\n".join(WRONG) + "\n")
    options = ["--strict", "--no-error-summary", "--follow-imports=silent", "--cache-dir", str(project / "m")]
    found = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(path), str(wrong)],
        capture_output=True,
        text=True,
        env={**os.environ, "MYPYPATH": str(root)},
    )
    lines = found.stdout.splitlines()
    assert [line for line in lines if line.startswith("user.py")] == []
    for number, message in enumerate(WRONG.values(), 3):
        assert any(line.startswith(f"wrong.py:{number}:") and message in line for line in lines), found.stdout
