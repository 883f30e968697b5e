"""Which files become pages: whatever is Python or a guide, and nothing vanishes without a word."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import Write

from pylit.cli.main import main
from pylit.errors import Problem, PylitError, Report, Severity, printable
from pylit.parsing.model import FileKind, file_kind
from pylit.site.discovery import find_pages
from pylit.site.site import Settings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def render(*paths: str | Path) -> tuple[Result, list[str]]:
    """Render `paths`, and find the pages made of them."""
    command = ["render", *map(str, paths), "--out", "out", "--no-cache", "--no-search"]
    result = CliRunner().invoke(main, command)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    out = Path("out")
    pages = {path.relative_to(out).as_posix() for path in out.rglob("*.html")} if out.exists() else set()
    return result, sorted(pages - {"404.html", "index.html"})


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("script", "print(1)\n"),
        ("tool", '#!/usr/bin/env python3\n"""Do it."""\n'),
        ("a.pyi", "def f() -> int: ...\n"),
        ("a.pyw", "import tkinter\n"),
        ("A.PY", "x = 1\n"),
        ("a.MD", "# T\n"),
        ("empty", ""),
        ("empty.py", ""),
        ("empty.md", ""),
        (".profile", "x = 1\n"),
        ("a b#c?d%20e.py", "x = 1\n"),
        ("é残.py", "x = 1\n"),
    ],
)
def test_a_page_of_one_file(name: str, text: str, write: Write) -> None:
    write(name, text)
    result, pages = render(name)
    assert result.exit_code == 0, result.stderr
    stem = name.rsplit(".", 1)[0] if "." in name[1:] else name
    assert pages == [f"{stem}.html"]
    page = Path("out", pages[0]).read_text("utf-8")
    assert (' id="L1"' in page) == (bool(text) and not name.lower().endswith(".md"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.txt", "a.txt: error: is neither a Python file nor a Markdown guide"),
        ("a.py.in", "a.py.in: error: is neither a Python file nor a Markdown guide"),
        ("a\nb.txt", "a\\nb.txt: error: cannot become a page: its name has a control character"),
    ],
)
def test_one_error_for_any_other_file(name: str, message: str) -> None:
    Path(name).write_bytes(b"x\n")
    result, pages = render(name)
    assert (result.exit_code, pages) == (1, [])
    assert result.stderr.startswith(message)
    assert len(result.stderr.splitlines()) == 3  # with its hint, and that nothing was written
    sections = CliRunner().invoke(main, ["sections", name])
    assert sections.exit_code == 1 and len(sections.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.ipynb", b"{}\n", "a.ipynb: warning: is not a notebook: it has no list of cells"),
        ("Makefile", b"all:\n\tmake\n", "Makefile:1: warning: is not valid Python: "),
        ("a", b"\x7fELF\x00\xff\xfe", "a:1: warning: cannot be decoded"),
        ("a.py", b"x = '\x00'\n", "a.py:1: warning: is not valid Python: "),
        ("a.md", b"\xff\n", "a.md:1: warning: is not UTF-8"),
    ],
)
def test_one_warning_for_a_file_that_cannot_be_cut(name: str, data: bytes, message: str) -> None:
    Path(name).write_bytes(data)
    result, pages = render(name)
    assert (result.exit_code, pages) == (0, [f"{Path(name).stem}.html"])
    assert result.stderr.startswith(message)
    assert len(result.stderr.splitlines()) == 3


@pytest.mark.process
def test_a_file_that_is_not_one_of_ours_does_not_keep_others_from_their_pages(write: Write) -> None:
    write("a.txt", "x\n")
    write("b.py", "x = 1\n")
    result, pages = render("a.txt", "b.py")
    assert (result.exit_code, pages) == (1, ["b.html"])
    assert (
        "a.txt: error: is neither" in result.stderr and "1 page in out. 1 error in 1 file." in result.stderr
    )


@pytest.mark.process
def test_a_folder_with_the_name_of_a_file(write: Write) -> None:
    write("x.py/a.py", "x = 1\n")
    write("b.py", "x = 1\n")
    assert render("x.py")[1] == ["a.html"]
    assert render("x.py", "b.py")[1] == ["b.html", "x.py/a.html"]


@pytest.mark.process
def test_a_file_that_is_named_twice_has_one_page(write: Write) -> None:
    write("pkg/a.py", "x = 1\n")
    write("b.py", "x = 1\n")
    for paths in (["b.py", "b.py"], ["b.py", "./b.py"], ["pkg", "pkg/a.py"], ["pkg", "pkg"]):
        result, _ = render(*paths)
        assert result.exit_code == 0, result.stderr
        assert result.stderr == "1 page in out.\n"


@pytest.mark.skipif(os.name != "posix", reason="elsewhere all names are Unicode")
def test_a_name_that_is_not_utf8_is_told(write: Write) -> None:
    write("pkg/b.py", "x = 1\n")
    Path(os.fsdecode(b"pkg/bad\xff.py")).write_bytes(b"")
    Path(os.fsdecode(b"pkg/\xfe")).mkdir()
    Path(os.fsdecode(b"pkg/\xfe/a.md")).write_bytes(b"")
    assert found("pkg") == (
        ["pkg/b.py"],
        [
            f"{name}: cannot become a page: its name is not UTF-8"
            for name in ("pkg/bad\\udcff.py", "pkg/\\udcfe/a.md")
        ],
    )


def test_what_is_neither_a_file_nor_a_folder() -> None:
    os.mkfifo("a.py")
    with pytest.raises(PylitError, match=r"a\.py: error: is neither a file nor a folder"):
        find_pages(Settings(Path.cwd(), (("a.py", ""),)))
    assert render(".")[0].stderr == ".: error: no Python or Markdown files found\n"


@pytest.mark.process
def test_packages_may_have_any_name(write: Write) -> None:
    names = [
        "env",
        "build",
        "dist",
        "venv",
        "lib",
        "target",
        "build/lib",
        "env/bin",
        "build/tools",
        "dist/pkg",
    ]
    for name in names:
        write(f"{name}/__init__.py", "")
        write(f"{name}/a.py", "x = 1\n")
    write("sub/build/lib/__init__.py", "")
    result, pages = render(".")
    assert (result.exit_code, result.stderr) == (0, "21 pages in out.\n")
    assert {f"{name}/a.html" for name in names} <= set(pages)


@pytest.mark.process
@pytest.mark.parametrize(
    ("files", "left_out", "reason"),
    [
        (["env/pyvenv.cfg", "env/lib/python3.11/site.py"], "env", "it is a virtual environment"),
        (["other/pyvenv.cfg", "other/a.py"], "other", "it is a virtual environment"),
        (["venv/bin/activate", "venv/bin/activate_this.py"], "venv", "it is a virtual environment"),
        (["env/conda-meta/history", "env/a.py"], "env", "it is a virtual environment"),
        (["env/Scripts/activate.bat", "env/a.py"], "env", "it is a virtual environment"),
        (["lib/site-packages/a.py"], "lib/site-packages", "it contains third-party packages"),
        (["node_modules/a/README.md"], "node_modules", "it contains third-party packages"),
        (["build/lib/pkg/a.py"], "build/lib", "it contains files built by setuptools"),
        (
            ["build/lib.linux-x86_64/pkg/a.py"],
            "build/lib.linux-x86_64",
            "it contains files built by setuptools",
        ),
        (
            ["build/bdist.linux-x86_64/wheel/a.py"],
            "build/bdist.linux-x86_64",
            "it contains files built by setuptools",
        ),
        (
            ["dist/pkg-1.0/PKG-INFO", "dist/pkg-1.0/setup.py"],
            "dist/pkg-1.0",
            "it is an unpacked distribution",
        ),
    ],
)
def test_what_is_left_out_is_told(files: list[str], left_out: str, reason: str, write: Write) -> None:
    for file in [*files, "pkg/__init__.py"]:
        write(file, "")
    result, pages = render(".")
    assert (result.exit_code, pages) == (0, ["pkg/index.html"])
    assert f"{left_out}: note: is skipped: {reason}" in result.stderr
    assert result.stderr.count(": note: ") == 1
    strict = CliRunner().invoke(main, ["render", ".", "--out", "out", "--no-cache", "--strict"])
    assert strict.exit_code == 0
    assert render(left_out)[1] != pages  # it can still be asked for


@pytest.mark.process
@pytest.mark.parametrize("name", ["__pycache__", ".venv", ".git"])
def test_what_is_never_looked_for_is_left_out_silently(name: str, write: Write) -> None:
    write(f"{name}/a.py", "")
    write("b.py", "")
    assert render(".")[0].stderr == "1 page in out.\n"


def found(*roots: str, **settings: Any) -> tuple[list[str], list[str]]:
    """The files of pages below some folders, and what is left out of them."""
    site = find_pages(Settings(Path.cwd(), tuple((root, "") for root in roots), **settings))
    return [page.file for page in site.pages], [f"{p.file}: {p.message}" for p in site.problems]


def test_links_are_followed_once(write: Write) -> None:
    write("pkg/a.py", "")
    write("pkg/sub/b.py", "")
    write("other/c.py", "")
    write("other/deep/d.py", "")
    for link, target in {
        "pkg/again.py": "a.py",
        "pkg/c.py": "../other/c.py",
        "pkg/gone.py": "nowhere.py",
        "pkg/loop": ".",
        "pkg/outer": "../other",
        "pkg/above": "..",
        "pkg/same": "sub",
        "pkg/data.bin": "a.py",
        "other/back": "../pkg",
    }.items():
        Path(link).symlink_to(target)
    files, told = found("pkg")
    assert files == ["pkg/a.py", "pkg/c.py", "pkg/outer/deep/d.py", "pkg/sub/b.py"]
    own = "which has pages of its own"
    assert told == [
        f"pkg/above: is skipped: it is a symlink to `.`, {own}",
        f"pkg/again.py: is skipped: it is a symlink to `pkg/a.py`, {own}",
        "pkg/gone.py: is skipped: it is a broken symlink",
        f"pkg/loop: is skipped: it is a symlink to `pkg`, {own}",
        f"pkg/same: is skipped: it is a symlink to `pkg/sub`, {own}",
        f"pkg/outer/back: is skipped: it is a symlink to `pkg`, {own}",
    ]


def test_links_out_of_the_project_are_not_followed(
    write: Write, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "a.py").write_text("")
    write("pkg/b.py", "")
    Path("pkg/a.py").symlink_to(outside / "a.py")
    Path("pkg/folder").symlink_to(outside)
    files, told = found("pkg")
    assert files == ["pkg/b.py"]
    assert told == [
        f"pkg/{name}: is skipped: it is a symlink that leaves the project" for name in ("a.py", "folder")
    ]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("b.py", "a.py deep/c.md"),
        ("*.py", "deep/c.md"),
        ("/*.py", "a.py b.py deep/b.py deep/c.md"),
        ("pkg/*.py", "deep/b.py deep/c.md"),
        ("/pkg/deep/", "a.py b.py"),
        ("deep", "a.py b.py"),
        ("pkg/deep/**", "a.py b.py"),
        ("deep/**", "a.py b.py deep/b.py deep/c.md"),
        ("**/c.*", "a.py b.py deep/b.py"),
        ("# b.py", "a.py b.py deep/b.py deep/c.md"),
    ],
)
def test_exclude(pattern: str, left: str, write: Write) -> None:
    for name in ("a.py", "b.py", "deep/b.py", "deep/c.md"):
        write(f"pkg/{name}", "")
    assert found("pkg", exclude=(pattern,)) == ([f"pkg/{name}" for name in left.split()], [])
    assert "pkg/b.py" in found("pkg", "pkg/b.py", exclude=(pattern,))[0], "what is named is never left out"


def test_exclude_in_order_and_wrong(write: Write) -> None:
    write("pkg/a.py", "")
    write("pkg/b.py", "")
    assert found("pkg", exclude=("*.py", "!b.py"))[0] == ["pkg/b.py"]
    with pytest.raises(
        PylitError, match=r"setting exclude: error: `/?!/?` is not a valid pattern|`!` is not"
    ):
        found("pkg", exclude=("!",))


def test_what_git_ignores(write: Write) -> None:
    for name in ("a.py", "made.py", "out/x.py", "sub/a.py", "sub/made.py", "sub/keep.py", "x/y/deep.py"):
        write(f"repo/pkg/{name}", "")
    write("repo/.gitignore", "made.py\nout/\n/pkg/x/**/deep.py\n# a.py\n\n")
    write("repo/pkg/sub/.gitignore", "*\n!keep.py\n!made.py\n")
    assert len(found("repo/pkg")[0]) == 7, "it is no repository yet"
    write("repo/.git/info/exclude", "")
    assert found("repo/pkg") == (["repo/pkg/a.py", "repo/pkg/sub/keep.py", "repo/pkg/sub/made.py"], [])
    write("repo/.git/info/exclude", "a.py\n")
    assert found("repo/pkg")[0] == ["repo/pkg/sub/keep.py", "repo/pkg/sub/made.py"]
    assert found("repo/pkg/out") == (["repo/pkg/out/x.py"], []), "what is named is never left out"
    assert "repo/pkg/made.py" in found("repo/pkg/sub", "repo/pkg/made.py")[0]


def test_a_gitignore_cannot_make_the_search_slow(write: Write) -> None:
    write(f"pkg/{'a' * 200}.py", "")
    write("pkg/b.py", "")
    write("pkg/.git/HEAD", "")
    write("pkg/.gitignore", f"{'*a' * 40}b\n{'**/a/' * 40}\nb.py\n")
    files, told = found("pkg")
    assert files == [f"pkg/{'a' * 200}.py"]
    assert told == ["pkg/.gitignore: this pattern is ignored: it has more than 3 wildcards"] * 2


@pytest.mark.skipif(os.name != "posix", reason="there are no pipes elsewhere")
def test_a_gitignore_that_is_not_a_file(write: Write) -> None:
    write("pkg/a.py", "")
    write("pkg/.git/HEAD", "")
    os.mkfifo("pkg/.gitignore")
    files, told = found("pkg")
    assert files == ["pkg/a.py"]
    assert told[0].startswith("pkg/.gitignore: is not used: it is a pipe")


def test_a_folder_that_cannot_be_read_is_told(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("pkg/a.py", "")
    write("pkg/sub/b.py", "")

    def iterdir(path: Path) -> list[Path]:
        if path.name == "sub":
            raise PermissionError(13, "Permission denied", str(path))
        return [path / name for name in os.listdir(path)]

    monkeypatch.setattr(Path, "iterdir", iterdir)
    site = find_pages(Settings(Path.cwd(), (("pkg", ""),)))
    assert [page.file for page in site.pages] == ["pkg/a.py"]
    assert [str(p) for p in site.problems] == [
        "pkg/sub: error: cannot be read: Permission denied\n    Fix its permissions."
    ]


def test_kinds_of_files() -> None:
    assert [file_kind(name) for name in ("a/b.py", "b", "b.pyi", "b.PYW", "a.b/c")] == [FileKind.MODULE] * 5
    assert [file_kind(name) for name in ("b.md", "x/b.MD")] == [FileKind.GUIDE] * 2
    assert [file_kind(name) for name in ("b.txt", "b.pyc", "b.rst", "b.py.orig")] == [FileKind.OTHER] * 4


def test_messages_do_nothing_to_a_terminal() -> None:
    assert printable("a\x1b[2J\u202e\udcff\tb\n残") == "a\\x1b[2J\\u202e\\udcff\tb\n残"
    assert str(Problem("a\x1b\n.py", 1, "is\x07", "x\ry")) == "a\\x1b\\n.py:1: error: is\\x07\n    x\\ry"


def test_notes_are_neither_errors_nor_warnings() -> None:
    report = Report()
    report.add(Problem("a", 0, "is left out", severity=Severity.NOTE))
    assert (len(report.notes), report.warnings, report.errors) == (1, [], [])


@pytest.mark.process
def test_scripts_without_suffix_and_stubs_in_a_folder(write: Write) -> None:
    write("pkg/run", "#!/usr/bin/env python3\n# A script.\nx = 1\n")
    write("pkg/tool", "#! /usr/bin/python3.12 -u\nx = 1\n")
    write("pkg/uv", "#!/usr/bin/env -S uv run --script\nx = 1\n")
    write("pkg/shell", "#!/bin/sh\necho python\n")
    write("pkg/LICENSE", "MIT\n")
    write("pkg/pythonic", "#!/usr/bin/env pythonic\n")
    write("pkg/a.py", "x = 1\n")
    write("pkg/a.pyi", "x: int\n")
    write("pkg/b.pyi", "def f() -> int: ...\n")
    os.mkfifo("pkg/pipe")
    Path("pkg/linked").symlink_to("run")
    Path("elsewhere").write_text("#!/usr/bin/python\n")
    files, notes = found("pkg")
    assert files == ["pkg/a.py", "pkg/b.pyi", "pkg/run", "pkg/tool", "pkg/uv"]
    assert notes == [
        "pkg/a.pyi: is skipped: it describes `a.py`, which has a page",
        "pkg/b.pyi: is rendered: it describes a module that is not beside it",
        "pkg/linked: is rendered: its first line says that it is a Python script",
        "pkg/run: is rendered: its first line says that it is a Python script",
        "pkg/tool: is rendered: its first line says that it is a Python script",
        "pkg/uv: is rendered: its first line says that it is a Python script",
        "pkg/linked: is skipped: it is a symlink to `pkg/run`, which has pages of its own",
    ]
    result, pages = render("pkg")
    assert result.exit_code == 0
    assert pages == ["a.html", "b.html", "run.html", "tool.html", "uv.html"]


def test_nothing_is_read_through_a_link_that_leaves_the_project(write: Write, tmp_path: Path) -> None:
    write("outside", "#!/usr/bin/python\n")
    write("project/a.py", "x = 1\n")
    Path("project/script").symlink_to("../outside")
    site = find_pages(Settings(tmp_path / "project", ((".", ""),)))
    assert [page.file for page in site.pages] == ["a.py"] and not site.problems
