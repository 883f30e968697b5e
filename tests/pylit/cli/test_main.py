"""The commands as a user types them."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import Write
from sampling import thinned

from pylit.builder import targets as jobs
from pylit.cli.main import main


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_help() -> None:
    assert "sections" in run("--help").output
    assert "--keep-going" in run("render", "--help").output
    assert run("--version").output == "pylit, version 0.1.0\n"


def test_sections_as_json(write: Write) -> None:
    path = write("a.py", '"""Doc."""\n\nx = 1\n')
    empty = write("b.py", "")
    result = run("sections", path, empty, "--json")
    assert result.exit_code == 0
    assert json.loads(result.output) == [
        {
            "file": str(path),
            "lines": 3,
            "sections": [{"name": "module", "line": 1, "prose": [1, 2], "code": [3]}],
        },
        {"file": str(empty), "lines": 0, "sections": []},
    ]


def test_sections_as_a_table(write: Write) -> None:
    path = write("a.py", '"""Doc."""\n\nx = 1\n\n\ndef f():\n    # Why.\n    pass\n')
    lines = run("sections", path).output.splitlines()
    assert lines[0] == f"{path}: 8 lines, 3 sections"
    assert lines[1].split() == ["1", "module", "prose", "1-2", "code", "3-5"]


def test_sections_of_a_wrong_file_still_shows_the_others(write: Write) -> None:
    result = run("sections", write("bad.py", "x = ("), write("a.py", "x = 1"), "--json")
    assert result.exit_code == 1
    assert "bad.py:1: error: is not valid Python" in result.stderr
    assert [entry["lines"] for entry in json.loads(result.stdout)] == [1]


@pytest.mark.process
def test_render_notebooks(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("pkg/a.py", '"""Doc."""\n')
    assert run("render", "pkg", "--out", "one", "--notebooks", "--requirement", "it==1").exit_code == 0
    assert "%pip install --quiet" in Path("one/a.ipynb").read_text("utf-8")
    assert run("render", "pkg", "--out", "two").exit_code == 0
    assert not Path("two/a.ipynb").exists()


@pytest.mark.process
def test_render_a_file_a_folder_and_several(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("pkg/__init__.py", "")
    write("pkg/a.py", '"""Doc."""\n')
    write("other/b.py", "")
    assert run("render", "pkg", "--out", "one").exit_code == 0
    assert {p.name for p in Path("one").glob("*.html")} == {"index.html", "a.html", "404.html"}
    assert run("render", "pkg/a.py", "--out", "two").exit_code == 0
    assert Path("two/a.html").is_file()
    assert run("render", "pkg", "other", "--out", "three").exit_code == 0
    assert Path("three/pkg/a.html").is_file()
    assert Path("three/other/b.html").is_file()


def test_render_from_anywhere(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("far/pkg/a.py", '"""\n[x](y.py)\n"""\n')
    write("near/x", "")
    monkeypatch.chdir(tmp_path / "near")
    result = run("render", tmp_path / "far" / "pkg", "--out", "out", "--no-search")
    assert result.exit_code == 0
    assert "../far/pkg/a.py:2: warning: the link `y.py` is broken" in result.stderr
    assert "1 page in out. 1 warning in 1 file." in result.stderr
    assert Path("out/a.html").exists()
    result = run("render", tmp_path / "far" / "pkg", "--out", "strict", "--strict")
    assert result.exit_code == 1
    assert "../far/pkg/a.py:2: error: the link `y.py` is broken" in result.stderr
    assert "1 error. Nothing was written to strict" in result.stderr
    assert not Path("strict/a.html").exists()


@pytest.mark.process
def test_render_in_another_language(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.py", '"""Doc."""\n')
    write(
        "t/zh/a.po",
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Doc."\nmsgstr "文档。"\n',
    )
    result = run("render", "a.py", "--out", "out", "--lang", "zh", "--translations", "t", "--title", "T")
    assert result.exit_code == 0, result.stderr
    page = Path("out/zh/a.html").read_text("utf-8")
    assert '<html lang="zh" dir="ltr">' in page
    assert "文档。" in page


@pytest.mark.process
def test_strict_takes_warnings_for_errors(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("pkg/a.py", '"""\n[x](../LICENSE)\n"""\n')
    write("LICENSE", "")
    assert run("render", "pkg", "--out", "lax").exit_code == 0
    result = run("render", "pkg", "--out", "strict", "--strict")
    assert result.exit_code == 1
    assert "a.py:2: warning: the link `../LICENSE`" in result.stderr
    assert not Path("strict").exists()


def test_pages_are_not_written_over_the_sources(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("pkg/a.py", "")
    for out in ("pkg", "."):
        result = run("render", "pkg", "--out", out)
        assert result.exit_code == 1
        assert (
            f"{out}: error: contains `pkg`, which is an input of the site\n    Choose another"
            in result.stderr
        )


def test_pages_are_not_written_over_the_cache(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("pkg/a.py", '"""A."""\n')
    monkeypatch.chdir(tmp_path)
    for cache in ("out", "out/cache", "pkg/../out"):
        result = run("render", "pkg", "--out", "out", "--cache", cache)
        assert result.exit_code == 1
        told = f"out: error: contains `{os.path.normpath(cache)}`, which is an input of the site"
        assert result.output.startswith(f"{told}\n    Choose another folder")
        assert not (tmp_path / "out").exists()


def test_links_that_lead_in_a_circle_are_no_files(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("pkg/a.py", '"""A."""\n')
    write("mkdocs.yml", "site_name: T\ntheme: {name: pylit}\nplugins: [pylit: {sources: [pkg]}]\n")
    (tmp_path / "docs").mkdir()
    (tmp_path / "translations").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path)
    assert "loop: error: " in run("render", "loop", "--out", "out").output
    assert "loop/a.py: error: is not a page of this site" in run("check", "loop/a.py").output
    assert "loop is neither a page of this site" in run("new", "ja", "loop").output


@pytest.mark.parametrize("option", ["--traces", "--translations"])
def test_folders_that_are_not_utf8_are_named(
    option: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("pkg/a.py", '"""A."""\n')
    monkeypatch.chdir(tmp_path)
    os.mkdir(b"\xff")
    result = run("render", "pkg", "--out", "out", option, "\udcff")
    assert f"setting {option[2:]}: error: contains U+DCFF" in result.output


def test_update_needs_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("update")
    assert result.exit_code == 1
    assert (
        f"{tmp_path}: error: has no pylit configuration, and neither has any folder above it\n"
        in result.stderr
    )
    assert "`pylit init` writes a pylit.toml; or pass --config." in result.stderr


@pytest.mark.parametrize(
    ("path", "message"), [("missing", "does not exist"), (".", "no Python or Markdown files")]
)
def test_nothing_to_render(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("render", path, "--out", "out")
    assert result.exit_code == 1
    assert message in result.stderr


@pytest.mark.process
def test_module_that_would_do_harm_is_not_imported(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("evil.py", "raise SystemExit('imported')\nopen('harm', 'w')\n")
    assert run("render", "evil.py", "--out", "out").exit_code == 0
    assert not Path("harm").exists()


@pytest.mark.process
def test_console_script(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pylit", "--help"]
    assert "Usage" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def a_site(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("docs/guide/a.md", "# Home\n")
    write("pkg/__init__.py", '"""\n# Package\n"""\n\n\ndef f(x):\n    """Takes `x`."""\n')
    return write(
        "mkdocs.yml",
        "site_name: Test\ntheme:\n  name: pylit\nplugins:\n  - pylit:\n      sources: [pkg]\n      documented: [pkg]\n",
    )


@pytest.mark.usefixtures("a_site")
def test_check_tells_all_that_is_wrong_with_its_line(write: Write) -> None:
    result = run("check")
    assert result.exit_code == 0
    assert result.stderr == "2 files checked in 1 language: no problems.\n"
    write("pkg/__init__.py", '"""\n# Package\n"""\n\n\ndef f(x, y):\n    """Takes `x`, see [g](#g)."""\n')
    write("docs/guide/a.md", "# Home\n\nA formula: $\\frac{1$.\n")
    result = run("check")
    assert result.exit_code == 1
    found = [line.split(": error: ")[0] for line in result.stderr.splitlines() if ": error: " in line]
    assert found == ["docs/guide/a.md:3", "pkg/__init__.py:6", "pkg/__init__.py:7"]
    assert "2 files checked in 1 language: 3 errors." in result.stderr
    only = run("check", "docs/guide/a.md")
    assert "1 file checked in 1 language: 1 error." in only.stderr


@pytest.mark.usefixtures("a_site")
def test_check_of_what_is_no_page(write: Write) -> None:
    write("other.py", "")
    result = run("check", "other.py")
    assert result.exit_code == 1
    assert "other.py: error: is not a page of this site\n    Name source files of" in result.stderr
    result = run("check", "--config", "missing.yml")
    assert "missing.yml: error: does not exist\n    Name another configuration." in result.stderr


@pytest.mark.usefixtures("a_site")
def test_check_fails_on_warnings_only_if_strict(write: Write) -> None:
    write("docs/guide/a.md", "# Home\n\n[a file](../../mkdocs.yml)\n")
    assert run("check").exit_code == 0
    assert run("check", "--strict").exit_code == 1


@pytest.mark.process
def test_what_was_made_is_kept(
    write: Write, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("pkg/a.py", '"""\n# Title\n"""\n')
    made: list[str] = []
    do = jobs.make_files

    def counted(job: jobs.Job, *rest: Any) -> jobs.MadeFiles:
        made.append(job.kind)
        return do(job, *rest)

    monkeypatch.setattr("pylit.builder.work_units.make_files", counted)
    for options, count in (
        (["--cache", "kept"], 3),
        (["--cache", "kept"], 0),
        (["--no-cache"], 3),
        ([], 3),
        ([], 0),
    ):
        made.clear()
        assert run("render", "pkg", "--out", "out", *options).exit_code == 0
        assert len(made) == count, options
    assert (own_cache / ".gitignore").is_file() and (tmp_path / "kept/.gitignore").is_file()
    (tmp_path / "file").write_text("")
    result = run("render", "pkg", "--out", "out", "--cache", "file")
    assert result.exit_code == 1
    assert "file: error: cannot be written: File exists" in result.stderr


@pytest.mark.process
def test_pages_of_files_that_are_gone_go_too(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("pkg/a.py", "")
    write("pkg/sub/b.py", "")
    write("out/CNAME", "example.org")
    assert run("render", "pkg", "--out", "out").exit_code == 0
    (tmp_path / "pkg/sub/b.py").unlink()
    assert run("render", "pkg", "--out", "out").exit_code == 0
    assert (tmp_path / "out/a.html").is_file() and (tmp_path / "out/CNAME").is_file()
    assert not (tmp_path / "out/sub").exists()


@pytest.mark.thorough  # `make test` has the same for MkDocs
@pytest.mark.process
@pytest.mark.parametrize(
    "surroundings",
    thinned(
        [
            {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C", "LANG": "ja_JP.UTF-8"},
            {"PYTHONOPTIMIZE": "2", "SOURCE_DATE_EPOCH": "1"},
        ],
        2,
    ),
)
def test_pages_do_not_depend_on_where_and_when_they_are_made(
    root: Path, tmp_path: Path, surroundings: dict[str, str]
) -> None:
    command = [
        sys.executable,
        "-m",
        "pylit",
        "render",
        "tests/pylit/pages",
        "pylit/resolve/links.py",
        "docs/guide",
    ]
    command += ["--lang", "zh", "-t", "translations", "--no-cache", "--repository", "https://example.org/x"]
    found = []
    for number, environment in enumerate([{"PYTHONHASHSEED": "0"}, surroundings]):
        out = tmp_path / str(number)
        jobs = ["--jobs", str(number + 1)]
        subprocess.run(
            [*command, *jobs, "--out", out], cwd=root, env={**os.environ, **environment}, check=True
        )
        found.append({p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()})
    assert found[0] == found[1]
    assert len(found[0]) > 20


@pytest.mark.process
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
@pytest.mark.parametrize("command", [["sections", __file__], ["sections", "--json", __file__], ["--help"]])
def test_output_that_cannot_be_written(command: list[str]) -> None:
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "pylit", *command], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (result.returncode, result.stderr) == (1, "Error: the output: No space left on device\n")


@pytest.mark.usefixtures("a_site")
def test_disk_that_is_full_is_no_mistake_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "translations/zh/a.po", None, None)

    monkeypatch.setattr("pylit.translate.site_changes", fail)
    Path("translations").mkdir(exist_ok=True)
    assert run("update").output == "Error: translations/zh/a.po: No space left on device\n"


@pytest.mark.process  # of Pagefind: the page is a listing, which can be found
@pytest.mark.usefixtures("a_site")
@pytest.mark.parametrize(
    "command", [["render", "pkg", "--out", "out", "--no-cache", "--jobs", "1"], ["check"]]
)
@pytest.mark.parametrize("name", ["pylit.site.page.open_page", "pylit.site.discovery.page_url"])
def test_mistake_of_ours_is_told_in_two_lines(
    monkeypatch: pytest.MonkeyPatch, command: list[str], name: str
) -> None:
    """Whether it is with a page, or with the whole site; only who asks sees where it happened."""

    def fail(*arguments: object, **named: object) -> None:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr(name, fail)
    told = run(*command)
    assert told.exit_code == 1
    assert "because of a bug in pylit: ZeroDivisionError: a mistake" in told.output or (
        "error: a bug in pylit: ZeroDivisionError: a mistake\n    Please report it" in told.output
    )
    assert "Traceback" not in told.output
    shown = run(*command, "--debug")
    assert shown.exit_code == 1
    assert "Traceback" in shown.output or isinstance(shown.exception, ZeroDivisionError)
