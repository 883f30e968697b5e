"""`pylit init`, in a project that was not written for pylit."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import Write

from pylit import __version__
from pylit.cli.main import main

pytestmark = pytest.mark.process


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def project(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(".git/config", '[remote "origin"]\nurl = git@github.com:me/gpt.git\n')
    write("README.md", "# GPT\n\nSee [the model](model.py) and [what is gone](gone.py).\n")
    write("model.py", '"""\n# The model\n"""\n\n\nclass Model:\n    pass\n')
    write("tests/test_model.py", "def test() -> None: ...\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_project_has_a_site_after_one_command(project: Path) -> None:
    found = run("init")
    assert found.exit_code == 0, found.output
    assert "README.md:3: warning: the link `gone.py` is broken" in found.output
    assert "2 pages in site. 1 warning in 1 file." in found.output
    assert {path.name for path in (project / "site").glob("*.html")} == {
        "404.html",
        "index.html",
        "model.html",
    }
    workflow = (project / ".github/workflows/pages.yml").read_text()
    assert f"'annotated-pylit[search]=={__version__}'" in workflow
    assert '<a href="model.html">the model</a>' in (project / "site/index.html").read_text()
    assert run("build").exit_code == 1
    assert run("build", "--lenient").exit_code == 0
    again = run("init")
    assert again.exit_code == 1
    assert "pylit.toml: error: already configures the site of this folder" in again.output


def test_in_another_folder_and_without_a_build(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.parent)
    found = run("init", project.name, "--no-build", "--requirement", "annotated-pylit==9")
    assert found.exit_code == 0, found.output
    names = ["pylit.toml", ".github/workflows/pages.yml", ".gitignore"]
    assert found.output.split() == [f"{project.name}/{name}" for name in names]
    assert not (project / "site").exists()
    assert "pip install annotated-pylit==9" in (project / ".github/workflows/pages.yml").read_text()


def test_lenient_and_strict_exclude_each_other(project: Path) -> None:
    found = run("build", "--lenient", "--strict")
    assert found.exit_code == 2
    assert "exclude each other" in found.output
