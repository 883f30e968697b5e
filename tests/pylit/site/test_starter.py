"""The configuration that `pylit init` guesses for a project that has none."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
import yaml
from conftest import Write

from pylit import PylitError
from pylit.site import guess_project, read_config, write_project
from pylit.site.starter_files import Project, configuration_text, workflow_text


@pytest.mark.parametrize(
    ("address", "repository"),
    [
        ("https://github.com/me/project.git", "https://github.com/me/project"),
        ("git@github.com:me/project.git", "https://github.com/me/project"),
        ("ssh://git@host.example:2222/group/sub/project", "https://host.example/group/sub/project"),
        ("https://me:secret@gitlab.com/me/project/", "https://gitlab.com/me/project"),
        ("/srv/git/project.git", ""),
        ("file:///srv/git/project.git", ""),
        ("https://", ""),
        ("ext::sh -c touch% x", ""),
        ('https://host/"]\nkatex_css = "x', "https://host/%22%5D"),
    ],
)
def test_address_of_the_repository(address: str, repository: str, write: Write, tmp_path: Path) -> None:
    write(".git/config", f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {address}\n')
    assert guess_project(tmp_path).repository == repository


def test_without_git_nothing_is_known_of_the_repository(write: Write, tmp_path: Path) -> None:
    write("model.py", "")
    project = guess_project(tmp_path)
    assert (project.repository, project.branch, project.site_url) == ("", "main", "")
    assert project.may_be_on_github
    assert project.title == tmp_path.name


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({".git/HEAD": "ref: refs/heads/feature/x\n"}, "feature/x"),
        (
            {
                ".git/HEAD": "ref: refs/heads/feature\n",
                ".git/refs/remotes/origin/HEAD": "ref: refs/remotes/origin/trunk\n",
            },
            "trunk",
        ),
        ({".git/HEAD": "0123456789abcdef\n"}, "main"),
        ({".git": "gitdir: ../.git/worktrees/a\n"}, "main"),
    ],
)
def test_branch(files: dict[str, str], expected: str, write: Write, tmp_path: Path) -> None:
    for name, text in files.items():
        write(name, text)
    assert guess_project(tmp_path).branch == expected


@pytest.mark.parametrize(
    ("files", "sources"),
    [
        (["model.py", "train.py"], (".",)),
        (["pkg/__init__.py", "tests/__init__.py", "docs/__init__.py", "setup.py"], ("pkg",)),
        (["src/one/__init__.py", "src/two/__init__.py", "tools/__init__.py"], ("src/one", "src/two")),
        (["src/notes.md", "pkg/__init__.py"], ("pkg",)),
        (["scripts/a.py"], (".",)),
        ([".venv/__init__.py", "a.py"], (".",)),
    ],
)
def test_folders_of_code(files: list[str], sources: tuple[str, ...], write: Write, tmp_path: Path) -> None:
    for name in files:
        write(name, "")
    project = guess_project(tmp_path)
    assert project.sources == sources
    assert bool(project.exclude) == (sources == (".",))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ('[project]\nname = "my-package"\n', "my-package"),
        ('[project]\nname = ""\n', "repo"),
        ("[project]\nname = 3\n", "repo"),
        ("project = 3\n", "repo"),
        ("[project\n", "repo"),
        ("[tool.x]\n", "repo"),
    ],
)
def test_title(text: str, title: str, write: Write, tmp_path: Path) -> None:
    write("pyproject.toml", text)
    write(".git/config", '[remote "origin"]\nurl = https://github.com/me/repo\n')
    assert guess_project(tmp_path).title == title


@pytest.mark.parametrize(
    ("repository", "site_url"),
    [
        ("https://github.com/Me/project", "https://me.github.io/project/"),
        ("https://github.com/me/me.github.io", "https://me.github.io/"),
        ("https://gitlab.com/me/project", ""),
        ("https://github.com/me", ""),
    ],
)
def test_address_of_the_site(repository: str, site_url: str) -> None:
    assert Project("p", (".",), repository=repository).site_url == site_url


@pytest.mark.parametrize("title", ["plain", 'quoted " and \\', "日本語 \x7f\t\n", "# [x]"])
@pytest.mark.parametrize("repository", ["", "https://github.com/me/project"])
def test_configuration_is_valid_and_says_what_is_known(title: str, repository: str, tmp_path: Path) -> None:
    project = Project(title, ("a b", 'c"'), ("tests/",) if repository else (), repository, "trunk")
    path = tmp_path / "pylit.toml"
    path.write_text(configuration_text(project))
    options = read_config(path).options
    assert (options.title, options.sources, options.exclude) == (title, project.sources, project.exclude)
    assert (options.repository, options.branch, options.site_url) == (repository, "trunk", project.site_url)


def test_keys_in_comments_are_keys(tmp_path: Path) -> None:
    """A user who removes `# ` from every line that holds a key has a valid configuration."""
    text = configuration_text(Project("p", (".",)))
    keys = [line.removeprefix("# ") for line in text.split("\n") if " = " in line and "`" not in line]
    path = tmp_path / "pylit.toml"
    path.write_text("\n".join(keys))
    assert set(read_config(path).given) == set(tomllib.loads("\n".join(keys)))
    assert len(keys) >= 10


@pytest.mark.parametrize(
    ("requirement", "command"),
    [
        ("annotated-pylit[search]==1.2", "python -m pip install 'annotated-pylit[search]==1.2'"),
        ("a @ git+https://h/x#subdirectory=y", "python -m pip install 'a @ git+https://h/x#subdirectory=y'"),
        ("a; rm -rf '~'", "python -m pip install 'a; rm -rf '\"'\"'~'\"'\"''"),
    ],
)
def test_workflow_installs_and_publishes_with_least_rights(requirement: str, command: str) -> None:
    found = yaml.safe_load(workflow_text(Project("p", (".",), branch='a"b'), requirement))
    assert found[True]["push"]["branches"] == ['a"b']
    assert found["permissions"] == {}
    build, publish = found["jobs"]["build"], found["jobs"]["publish"]
    assert build["permissions"] == {"contents": "read"}
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert [step["run"] for step in build["steps"] if "run" in step] == [command, "pylit build --lenient"]
    assert not any("run" in step for step in publish["steps"])
    actions = [step["uses"] for job in (build, publish) for step in job["steps"] if "uses" in step]
    assert all(len(action.partition("@")[2]) == 40 for action in actions)


def test_actions_are_those_of_our_own_workflow(root: Path) -> None:
    ours = (root / ".github/workflows/site.yml").read_text()
    theirs = workflow_text(Project("p", (".",)), "x")
    used = {line.strip(" -") for line in theirs.split("\n") if "uses:" in line}
    assert len(used) == 4
    assert used <= {line.strip(" -") for line in ours.split("\n")}


def test_nothing_is_overwritten(write: Write, tmp_path: Path) -> None:
    write(".github/workflows/pages.yml", "mine\n")
    write(".git/config", "")
    write(".gitignore", "*.pyc\nsite/")
    assert write_project(tmp_path, Project("p", (".",)), "x") == ["pylit.toml", ".gitignore"]
    assert (tmp_path / ".github/workflows/pages.yml").read_text() == "mine\n"
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\nsite/\n.pylit-cache/\n"
    with pytest.raises(PylitError, match="already configures the site"):
        write_project(tmp_path, Project("p", (".",)), "x")


def test_other_hosts_get_no_workflow(tmp_path: Path) -> None:
    project = Project("p", (".",), repository="https://gitlab.com/me/project")
    assert write_project(tmp_path, project, "x") == ["pylit.toml"]


@pytest.mark.parametrize("name", [".github", ".github/workflows"])
def test_no_symlink_leads_out_of_the_project(name: str, tmp_path: Path) -> None:
    base, home = tmp_path / "project", tmp_path / "home"
    (base / name).parent.mkdir(parents=True)
    home.mkdir()
    os.symlink(home, base / name)
    with pytest.raises(PylitError, match="leads out"):
        write_project(base, Project("p", (".",)), "x")
    assert list(home.rglob("*")) == []
    assert not (base / "pylit.toml").exists()
