"""One configuration for both doors: what `mkdocs.yml` may leave out, and what it may not say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Write
from mkdocs.commands.build import build as build_site
from mkdocs.config import load_config
from sampling import thinned

from pylit.errors import PylitError
from pylit.mkdocs_plugin.plugin import load_configuration

TOML = """\
title = "It"
sources = ["pkg"]
languages = ["en", "zh"]
order = ["pkg/__init__.py"]
site_url = "https://example.org/sub"
repository = "https://github.com/me/it"
theme_dir = "theme"
extra_css = ["guides/own.css"]
extra_javascript = ["guides/own.mjs"]
notebooks = true
archive = "it.zip"
docs_dir = "guides"
site_dir = "public"

[manuals]
"torch.*" = "https://example.org/{name}"
"""
MKDOCS = "site_name: It\nstrict: true\ntheme: {name: pylit}\nplugins: [pylit]\n"
DOORS = {
    "pylit": ["pylit", "build", "--strict"],
    "mkdocs": ["mkdocs", "build", "--strict", "--config-file", "mkdocs.yml"],
    "properdocs": ["properdocs", "build", "--strict", "--config-file", "mkdocs.yml"],
}


@pytest.fixture
def project(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("pkg/__init__.py", '"""\n# Home\n\n[guide](../guides/guide.md), $x$\n"""\n\nx = 1\n')
    write("guides/guide.md", "# Guide\n\n![p](p.gif)\n")
    write("guides/p.gif", "").write_bytes(b"GIF89a\x03\x00\x02\x00\x00\x00\x00;")
    write("guides/robots.txt", "User-agent: *\n")
    write("docs/index.md", "# What MkDocs would take\n")
    write("guides/own.css", "a {}\n")
    write("guides/own.mjs", "1\n")
    write("theme/404.html", "Not here.\n")
    write("theme/assets/more.css", "b {}\n")
    write("pylit.toml", TOML)
    write("mkdocs.yml", MKDOCS)
    return tmp_path


def call(door: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *DOORS[door], *options], capture_output=True, text=True)


def snapshot(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.mark.process
def test_all_doors_lead_to_the_same_site(project: Path) -> None:
    """Byte for byte, the index for searching and the archive too; only what belongs to whom is told differently."""
    found = {}
    for door in DOORS:
        result = call(door)
        assert result.returncode == 0, result.stderr
        found[door] = snapshot(project / "public")
        del found[door][".pylit-manifest.json"]
        (project / "public").rename(project / door)
    assert found["pylit"] == found["mkdocs"] == found["properdocs"]
    assert {"index.ipynb", "it.zip", "pagefind/pagefind.js", "robots.txt", "zh/guide.html"} <= set(
        found["pylit"]
    )
    assert found["mkdocs"]["404.html"] == b"Not here."
    assert b"https://github.com/me/it/blob/main/pkg/__init__.py" in found["mkdocs"]["index.html"]
    assert found["mkdocs"]["own.css"] == b"a {}\n" and found["mkdocs"]["assets/more.css"] == b"b {}\n"
    page = found["mkdocs"]["zh/guide.html"].decode()
    assert 'href="../own.css"' in page and 'src="../own.mjs" type="module"' in page
    assert not (project / "site").exists() and "What MkDocs" not in str(found["mkdocs"])


@pytest.mark.process
@pytest.mark.usefixtures("project")
def test_folder_named_on_the_command_line() -> None:
    assert call("mkdocs", "--site-dir", "there").returncode == 0
    assert Path("there/index.html").is_file() and not Path("public").exists()


@pytest.mark.process
@pytest.mark.usefixtures("project")
def test_preview_has_the_address_of_its_server(tmp_path: Path) -> None:
    out = tmp_path / "preview"
    loaded = load_config("mkdocs.yml", site_dir=str(out))
    loaded.site_url = "http://127.0.0.1:8000/"
    loaded.plugins.on_startup(command="serve", dirty=False)
    build_site(loaded)
    page = (out / "index.html").read_text("utf-8")
    assert '<link rel="canonical" href="http://127.0.0.1:8000/">' in page
    assert not (out / "index.ipynb").exists()
    assert str(tmp_path / "pylit.toml") in loaded.watch and str(tmp_path / "pkg") in loaded.watch


SAME = """\
site_name: It
site_url: https://example.org/sub/
repo_url: https://github.com/me/it
docs_dir: ./guides
site_dir: public
extra_css: [own.css]
extra_javascript: [own.mjs]
theme: {name: pylit, custom_dir: theme}
plugins:
  - pylit:
      sources: [pkg]
      languages: [en, zh]
      translations: translations/
      notebooks: true
      manuals: {torch.*: "https://example.org/{name}"}
      branch:
"""


@pytest.mark.usefixtures("project")
def test_the_same_may_be_said_in_both_places(write: Write) -> None:
    write("mkdocs.yml", SAME)
    found = load_configuration("mkdocs.yml")
    assert found.path == Path.cwd() / "pylit.toml" and found.options.archive == "it.zip"


@pytest.mark.process
@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("old", "new", "told"),
    thinned(
        [
            (
                "site_name: It",
                "site_name: That",
                r'`site_name` is "That", but `title` in pylit\.toml:1 is "It"',
            ),
            ("/sub/", "/other", r'`site_url` is ".*/other", but `site_url` in pylit\.toml:5 is ".*/sub"'),
            (
                "me/it\n",
                "me/that\n",
                r'`repo_url` is ".*that", but `repository` in pylit\.toml:6 is ".*me/it"',
            ),
            ("./guides", "docs", r'`docs_dir` is "docs", but `docs_dir` in pylit\.toml:12 is "guides"'),
            ("public", "site", r'`site_dir` is "site", but `site_dir` in pylit\.toml:13 is "public"'),
            (
                "custom_dir: theme",
                "custom_dir: docs",
                r'`theme\.custom_dir` is "docs", but `theme_dir` in pylit',
            ),
            ("[pkg]", "[docs]", r'`sources` is \["docs"\], but `sources` in pylit\.toml:2 is \["pkg"\]'),
            (
                "notebooks: true",
                "notebooks: false",
                "`notebooks` is false, but `notebooks` in pylit.toml:10 is true",
            ),
            (
                "notebooks: true",
                "search: false",
                "`search` is false, but pylit.toml has no `search`",
            ),
            (
                "torch.*",
                "torch",
                r'`manuals` is \{"torch": .*, but `manuals` in pylit\.toml:15 is \{"torch\.\*"',
            ),
            ("branch:", "branch: dev", r'`branch` is "dev", but pylit\.toml has no `branch`'),
        ],
        4,
    ),
)
def test_what_differs_is_told_with_both_places(write: Write, old: str, new: str, told: str) -> None:
    assert old in SAME
    write("mkdocs.yml", SAME.replace(old, new))
    with pytest.raises(PylitError, match=rf"^mkdocs\.yml: error: {told}") as error:
        load_configuration("mkdocs.yml")
    assert error.value.problem.hint == "Set it in pylit.toml only, or to the same value in both files."
    result = call("mkdocs")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "mkdocs.yml: error: `" in result.stderr


@pytest.mark.process
@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ("nav: [guide.md]\n", "mkdocs.yml:5: error: `nav` applies", "use `order`, and titles"),
        ("exclude_docs: guide.md\n", "mkdocs.yml:5: error: `exclude_docs` applies", "use a folder of guides"),
        ("draft_docs: guide.md\n", "mkdocs.yml:5: error: `draft_docs` applies", "use a folder of guides"),
        (
            "extra_css: [own.css, x.css]\n",
            "mkdocs.yml:5: error: `extra_css` applies",
            "use `extra_css` there",
        ),
        (
            "extra_javascript: [own.js]\n",
            "mkdocs.yml:5: error: `extra_javascript` applies",
            "use `extra_java",
        ),
    ],
)
def test_what_counts_for_mkdocs_only_is_refused(write: Write, text: str, told: str, hint: str) -> None:
    write("mkdocs.yml", MKDOCS + text)
    result = call("mkdocs")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert f"{told} to MkDocs only, and the site is configured in pylit.toml\n" in result.stderr
    assert f"Remove it, and {hint}" in result.stderr


@pytest.mark.process
@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("sorces: [pkg]", "option 'sorces': `sorces` is not a known key. Did you mean `sources`?"),
        ("sources: pkg", "option 'sources': `sources` is the string \"pkg\"; expected a list of strings."),
        ("notebooks: 1", "option 'notebooks': `notebooks` is the number 1; expected true or false."),
        ("title: It", "option 'title': is not an option of the plugin; set `site_name`"),
        ("sources: &a [*a]", "`sources` is a list containing a list; expected a list of strings."),
    ],
)
def test_options_that_are_wrong(write: Write, option: str, told: str) -> None:
    Path("pylit.toml").unlink()
    write("mkdocs.yml", MKDOCS.replace("[pylit]", f"[pylit: {{{option}}}]"))
    result = call("mkdocs")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert told in result.stderr
    with pytest.raises(
        PylitError, match=r"^mkdocs\.yml: error: is not valid: `plugins`: Plugin 'pylit' option"
    ):
        load_configuration("mkdocs.yml")


@pytest.mark.process
@pytest.mark.usefixtures("project")
def test_configurations_that_mkdocs_cannot_use(write: Write) -> None:
    write("pylit.toml", 'title = "It"\ndocs_dir = ""\n')
    result = call("mkdocs")
    assert "pylit.toml:2: error: `docs_dir` is empty, and MkDocs needs one\n" in result.stderr
    write("pylit.toml", "sorces = []\n")
    assert "pylit.toml:1: error: `sorces` is not a known key\n" in call("mkdocs").stderr
    write("pyproject.toml", "[tool.pylit]\n")
    assert (
        "pylit.toml: error: is a configuration, and so is [tool.pylit] of pyproject.toml:1"
        in call("mkdocs").stderr
    )


@pytest.mark.usefixtures("project")
def test_files_that_are_not_valid(write: Write) -> None:
    write("mkdocs.yml", "site_name: [\n")
    with pytest.raises(PylitError, match=r"^mkdocs\.yml: error: is not valid: MkDocs encountered an error"):
        load_configuration("mkdocs.yml")
    write("mkdocs.yml", MKDOCS.replace("site_name: It\n", ""))
    with pytest.raises(PylitError, match=r"^mkdocs\.yml: error: is not valid: `site_name`: Required"):
        load_configuration("mkdocs.yml")
    os.remove("mkdocs.yml")
    with pytest.raises(PylitError, match=r"^mkdocs\.yml: error: is not valid: .*No such file"):
        load_configuration("mkdocs.yml")
