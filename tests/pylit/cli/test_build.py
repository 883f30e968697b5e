"""`pylit build`, and the one configuration that all commands read, with and without MkDocs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import polib
import pytest
from click.testing import CliRunner, Result
from conftest import Write

from pylit.builder.zip_archive import pack
from pylit.cli.main import main

CONFIG = """\
[project]
name = "it"

[tool.pylit]
title = "It"
sources = ["pkg"]
languages = [
    "en",
    "zh",  # and others
]
order = ["pkg/__init__.py"]
site_url = "https://example.org/sub/"
documented = ["pkg"]
search = false
"""
EXAMPLE = '''"""
# Package

>>> x = same(Tensor())
"""


class Tensor:
    shape, dtype = (1, 2), "float32"


def same(value):
    copy = value
    return copy
'''


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def project(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("pyproject.toml", CONFIG)
    write("pkg/__init__.py", EXAMPLE)
    write("docs/guide.md", "# Guide\n\n![p](p.gif)\n")
    write("docs/p.gif", "").write_bytes(b"GIF89a\x03\x00\x02\x00\x00\x00\x00;")
    write("docs/robots.txt", "User-agent: *\n")
    (tmp_path / "translations").mkdir()
    return tmp_path


WITHOUT_MKDOCS = """\
import sys

sys.modules.update(dict.fromkeys(["mkdocs", "properdocs"]))
from pylit.builder.zip_archive import pack
from pylit.cli.main import main

main(sys.argv[1:])
"""


@pytest.mark.process
@pytest.mark.usefixtures("project")
def test_all_commands_read_it_without_mkdocs(write: Write) -> None:
    """From a folder below it, too."""
    program = write("without.py", WITHOUT_MKDOCS)

    def call(*arguments: str) -> str:
        command = [sys.executable, str(program), *arguments]
        done = subprocess.run(command, cwd="pkg", capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    assert "2 files checked in 2 languages" in call("check")
    assert "experiments/traces/pkg/__init__.json" in call("trace")
    assert "translations/zh/pkg/__init__.po" in call("new", "zh", "__init__.py")
    assert "日本語 (ja)" in call("new", "ja")
    assert '"zh", "ja",  # and others\n]' in Path("pyproject.toml").read_text("utf-8")
    assert "0 catalogs changed" in call("update")
    assert "docs/guide.md" in call("status", "ja")
    path = Path("translations/zh/pkg/__init__.po")
    catalog = polib.pofile(str(path))
    catalog[0].msgstr = "包"
    catalog[0].flags.append("fuzzy")
    catalog.save()
    (suggestion,) = re.findall(r" ([0-9a-f]+): suggestion", call("accept", f"../{path}"))
    assert "1 entry of" in call("accept", f"../{path}", suggestion)
    assert "6 pages in ../site." in call("build")
    page = Path("site/zh/index.html").read_text("utf-8")
    assert "· It</title>" in page and "→ 1×2 float32" in page and 'href="https://example.org/sub/zh/"' in page
    assert "3 pages in pages." in call("render", "__init__.py", "--out", "pages")
    rendered = (
        Path("pkg/pages/__init__.html")
        if Path("pkg/pages/__init__.html").exists()
        else Path("pkg/pages/index.html")
    )
    assert "· It</title>" in rendered.read_text("utf-8")
    assert "example.org" not in rendered.read_text("utf-8"), "that is the address of the whole site"


@pytest.mark.process
@pytest.mark.usefixtures("project")
def test_configuration_of_mkdocs_needs_it(write: Write) -> None:
    Path("pyproject.toml").unlink()
    write(
        "mkdocs.yml",
        "site_name: T\ntheme: {name: pylit}\nplugins: [pylit: {sources: [pkg], search: false}]\n",
    )
    program = write("without.py", WITHOUT_MKDOCS)
    command = [sys.executable, str(program), "check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    message = "mkdocs.yml: error: is a configuration of MkDocs, which is not installed\n    Install it"
    assert message in done.stderr
    assert run("check").exit_code == 0
    assert run("build").stderr == "2 pages in site.\n"


@pytest.mark.usefixtures("project")
def test_what_lies_beside_the_guides_is_published(write: Write) -> None:
    write(
        "docs/assets/logo.svg",
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0"/></svg>',
    )
    write("docs/drawing.svg", "<svg/>")
    write("docs/.hidden/a.txt", "")
    result = run("build")
    assert result.exit_code == 0, result.stderr
    found = {path.relative_to("site").as_posix() for path in Path("site").rglob("*") if path.is_file()}
    assert {"p.gif", "robots.txt", "assets/logo.svg", "guide.html", "zh/guide.html"} <= found
    assert not {"drawing.svg", ".hidden/a.txt", "guide.md"} & found
    write("docs/raw.html", "<script>window.pwned=1</script>")
    write("docs/a:b.txt", "")
    result = run("build")
    assert result.exit_code == 0
    assert "docs/raw.html: warning: is not published: " in result.stderr
    assert "docs/a:b.txt: warning: is not published: it has a backslash, a colon" in result.stderr
    assert not Path("site/raw.html").exists() and not Path("site/a:b.txt").exists()
    assert "Nothing was written to out" in run("build", "--strict", "--out", "out").stderr
    Path("docs/robots.txt").unlink()
    assert run("build").exit_code == 0
    assert not Path("site/robots.txt").exists()


@pytest.mark.usefixtures("project")
def test_archive(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has all files of the site, and is made only if one of them has changed."""
    write("pyproject.toml", CONFIG + 'archive = "it.zip"\n')
    made: list[str] = []

    def counted(*arguments: Any) -> None:
        made.append("archive")
        pack(*arguments)

    monkeypatch.setattr("pylit.builder.builder.pack", counted)
    for expected in (1, 1):
        assert run("build").exit_code == 0
        assert len(made) == expected
    with ZipFile("site/it.zip") as archive:
        names = set(archive.namelist())
        assert archive.read("it/robots.txt") == b"User-agent: *\n"
    assert {"it/index.html", "it/zh/guide.html", "it/p.gif", "it/assets/pylit.css"} <= names
    assert not {"it/404.html", "it/sitemap.xml", "it/it.zip"} & names
    write("docs/robots.txt", "User-agent: x\n")
    assert run("build").exit_code == 0
    assert len(made) == 2
    Path("site/it.zip").unlink()
    assert run("build").exit_code == 0
    with ZipFile("site/it.zip") as archive:
        assert archive.read("it/robots.txt") == b"User-agent: x\n"


@pytest.mark.usefixtures("project")
def test_errors_leave_the_old_site(write: Write) -> None:
    assert run("build").exit_code == 0
    before = Path("site/guide.html").read_bytes()
    write("docs/guide.md", "# Guide\n\n[x](gone.md)\n")
    result = run("build")
    assert result.exit_code == 1
    assert "docs/guide.md:3: error: the link `gone.md` is broken" in result.stderr
    assert "1 error. Nothing was written to " in result.stderr
    assert Path("site/guide.html").read_bytes() == before
    assert run("build", "--keep-going").exit_code == 1
    write("out/of-others.txt", "")
    write("docs/guide.md", "# Guide\n")
    assert "out: error: contains files that pylit did not write" in run("build", "--out", "out").stderr
    assert run("build", "--out", "out", "--force").exit_code == 0
    assert "error: contains `pkg`, which is an input of the site" in run("build", "--out", ".").stderr


def test_site_without_pages(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("pylit.toml", "")
    assert run("build").stderr == "The configuration: error: no Python or Markdown files found\n"


@pytest.mark.process
@pytest.mark.usefixtures("project")
def test_options_take_precedence(write: Write) -> None:
    write("pyproject.toml", CONFIG + "notebooks = true\n")
    assert run("render", "pkg", "--out", "one").exit_code == 0
    assert Path("one/index.ipynb").is_file() and Path("one/zh").is_dir()
    options = ["--no-notebooks", "--title", "Other", "--lang", "ja", "--site-url", "https://example.org/x/"]
    assert run("render", "pkg", "--out", "two", "--search", *options).exit_code == 0
    assert not Path("two/index.ipynb").exists() and not Path("two/zh").exists()
    assert Path("two/ja").is_dir() and Path("two/pagefind").is_dir() and Path("two/sitemap.xml").is_file()
    assert "· Other</title>" in Path("two/index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ('languages = ["en"]\n', 'languages = ["en", "ja"]\n'),
        ('languages = ["en",]\n', 'languages = ["en", "ja",]\n'),
        ('title = "x"\n', 'languages = ["en", "ja"]\ntitle = "x"\n'),
        ('title = "[]"\n"languages" = [\n  "en",\n]\n', 'title = "[]"\n"languages" = [\n  "en", "ja",\n]\n'),
        ("languages = [ # [all]\n'en']\n", "languages = [ # [all]\n'en', \"ja\"]\n"),
        ('languages = ["\\u0065n"]\n', ""),
        ('languages = ["zh",  # "en"\n"en"]\n', ""),
    ],
)
def test_new_adds_a_language_to_toml(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, changed: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write("docs/a.md", "# A\n")
    (tmp_path / "translations").mkdir()
    path = write("pylit.toml", text)
    result = run("new", "ja")
    if changed:
        assert result.exit_code == 0, result.output
        assert path.read_text("utf-8") == changed
        assert (tmp_path / "translations/ja/glossary.yml").is_file()
    else:
        assert "pylit.toml:1: error: has no list of languages that ja can be added to\n" in result.stderr
        assert "languages = [" in result.stderr
        assert path.read_text("utf-8") == text


def test_new_adds_a_language_to_a_project(project: Path, write: Write) -> None:
    path = write("pyproject.toml", '[project]\nname = "it"\n\n[tool.pylit]\nsources = ["pkg"]\n')
    assert run("new", "ja").exit_code == 0
    assert '[tool.pylit]\nlanguages = ["en", "ja"]\nsources' in path.read_text("utf-8")
    write("pyproject.toml", 'tool.pylit.sources = ["pkg"]\n')
    assert "pyproject.toml: error: has no list of languages that zh" in run("new", "zh").stderr
