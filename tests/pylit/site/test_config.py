"""One configuration, found and read: what it may hold, where it may stand, and what is refused with its line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import Write

from pylit.defaults import CACHE, Conventions
from pylit.errors import PylitError
from pylit.site.config import find_config, key_line, read_config
from pylit.site.discovery import find_pages
from pylit.site.make_settings import pages_settings, site_settings, site_store
from pylit.site.options import FILES, NAMES, PATHS, WHOLE, Given, Options, check_options
from pylit.site.settings import Script

PROJECT = '[project]\nname = "it"\n\n[tool.pylit]\nsources = ["pkg"]\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


def test_every_key_is_known_everywhere() -> None:
    assert tuple(Given.__annotations__) == NAMES
    assert {*PATHS, *FILES, *WHOLE} <= set(NAMES)
    assert check_options({}, lambda name: ("", 0)) == {}


EVERYTHING = """\
title = "It"
sources = ["pkg", "other/file.py"]
exclude = ["old/"]
docs_dir = "guides"
order = ["pkg/a.py"]
languages = ["zh", "en"]
source_lang = "en"
translations = "po"
catalog_lines = true
catalog_hints = true
translating = "guides/how.md"
site_url = "https://example.org/it/"
repository = "https://github.com/me/it"
branch = "dev"
commit = "0123456789abcdef0123456789abcdef01234567"
source_link = "https://host/{commit}/{path}#{line}"
edit_link = "https://host/edit/{branch}/{path}"
documented = ["pkg"]
traces = "shapes"
cells = false
fold_noise = false
dead_code = false
outputs = false
docstrings = "numpy"
notebooks = true
requirement = "it @ git+{repository}@{commit}"
search = false
katex = "cdn"
archive = "it.zip"
theme_dir = "theme"
extra_css = ["guides/own.css"]
extra_javascript = ["guides/own.js", "guides/own.mjs"]
katex_css = "k.css"
katex_integrity = "sha384-x"
cache = "kept"
site_dir = "public"

[run]
Colab = "https://example.org/{commit}/{notebook}"

[manuals]
"torch.*" = "https://example.org/{name}"
"torch.nn" = ""
[macros]
R = '\\mathbb{R}'
"""


def test_all_keys_arrive(write: Write, tmp_path: Path) -> None:
    (tmp_path / "po").mkdir()
    found = read_config(write("pylit.toml", EVERYTHING))
    assert set(found.given) == set(NAMES)
    assert found.options.site_dir == "public" and found.folder("cache") == tmp_path / "kept"
    settings = site_settings(found)
    assert settings.roots == (("pkg", ""), ("other/file.py", ""), ("guides", ""))
    assert settings.guides == "guides" and settings.title == "It" and settings.title_file == "pylit.toml"
    assert settings.languages == ("en", "zh") and settings.translations == tmp_path / "po"
    assert settings.exclude == ("old/",)
    assert settings.order == ("pkg/a.py",) and settings.translating == "guides/how.md"
    assert settings.catalog_lines and settings.catalog_hints
    assert settings.site_url == "https://example.org/it/" and settings.archive == "it.zip"
    assert settings.repository == "https://github.com/me/it" and settings.branch == "dev"
    assert settings.source_link == f"https://host/{'0123456789abcdef' * 2}01234567/{{path}}#{{line}}"
    assert settings.edit_link == "https://host/edit/{branch}/{path}"
    assert settings.documented == ("pkg",) and settings.traces == tmp_path / "shapes"
    assert list(settings.manuals.items()) == [("torch.*", "https://example.org/{name}"), ("torch.nn", "")]
    assert settings.macros == {"R": r"\mathbb{R}"}
    assert settings.conventions == Conventions(
        cells=False, fold_noise=False, dead_code=False, outputs=False, docstrings="numpy"
    )
    assert settings.notebooks and not settings.search and settings.theme == tmp_path / "theme"
    assert settings.requirement.endswith("it@0123456789abcdef0123456789abcdef01234567")
    assert settings.styles == ("guides/own.css",)
    assert settings.scripts == (Script("guides/own.js"), Script("guides/own.mjs", is_module=True))
    assert settings.katex_css == "k.css" and settings.katex_integrity == "sha384-x"
    preview = site_settings(found, preview=True)
    assert preview.preview and not preview.notebooks


def test_what_is_not_said(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read_config(write("pyproject.toml", "[tool.pylit]\n"))
    settings = site_settings(found)
    assert settings.roots == () and settings.guides == "" and settings.languages == ("en",)
    assert settings.translations is None and settings.title_file == ""
    assert settings.search, "Pagefind is installed"
    assert site_store(found).folder is not None
    write("docs/index.md", "# Home\n")
    assert site_settings(found).roots == (("docs", ""),)
    assert site_settings(found.with_options({"docs_dir": ""})).roots == ()
    assert site_store(found.with_options({"cache": ""})).folder is None
    monkeypatch.setattr("pylit.site.make_settings.find_spec", lambda name: None)
    assert not site_settings(found).search
    with pytest.raises(PylitError, match="gone: error: does not exist"):
        find_pages(site_settings(found.with_options({"docs_dir": "gone"})))


def test_other_stylesheet_has_not_the_integrity_of_ours(write: Write) -> None:
    found = read_config(
        write("pylit.toml", 'katex = "cdn"\nkatex_css = "https://mirror.example.org/katex.css"\n')
    )
    assert site_settings(found).katex_integrity == ""
    assert site_settings(found.without(["katex_css"])).katex_integrity.startswith("sha384-")


def test_some_pages_have_the_looks_of_the_whole_site(write: Write, tmp_path: Path) -> None:
    for name in ("guides/how.md", "guides/own.css", "guides/own.js", "guides/own.mjs", "theme/more.css"):
        write(name, "")
    found = read_config(write("pylit.toml", EVERYTHING)).without(WHOLE)
    settings = pages_settings([tmp_path / "guides"], found)
    assert settings.roots == (("guides", ""),) and settings.title == "It"
    assert (settings.order, settings.site_url, settings.archive, settings.translating) == ((), "", "", "")
    assert find_pages(settings).pages[0].url == "how.html"


# Finding it


def test_the_nearest_one_is_found(write: Write, tmp_path: Path) -> None:
    top = write("pyproject.toml", PROJECT)
    write("a/pyproject.toml", '[project]\nname = "not-ours"\n')
    write("a/mkdocs.yml", "site_name: X\n")
    assert find_config(tmp_path / "a/b/c") == top
    own = write("a/pylit.toml", "")
    assert find_config(tmp_path / "a/b/c") == own
    theirs = write("a/b/mkdocs.yml", "site_name: X\nplugins: [pylit]\n")
    assert find_config(tmp_path / "a/b/c") == theirs
    beside = write("a/b/pylit.toml", "")
    assert find_config(tmp_path / "a/b") == beside


def test_none_is_looked_for_above_a_repository(write: Write, tmp_path: Path) -> None:
    write("pylit.toml", "")
    write("inner/.git", "gitdir: elsewhere\n")
    write("inner/pkg/a.py", "")
    assert find_config(tmp_path / "inner/pkg") is None
    (tmp_path / "inner/.git").unlink()
    assert find_config(tmp_path / "inner/pkg") == tmp_path / "pylit.toml"


def test_two_in_one_folder_are_refused(write: Write, tmp_path: Path) -> None:
    write("pyproject.toml", PROJECT)
    write("pylit.toml", "")
    message = (
        r"^pylit\.toml: error: is a configuration, and so is \[tool\.pylit\] of pyproject\.toml:4\n.*Keep one"
    )
    with pytest.raises(PylitError, match=message):
        find_config(tmp_path)


def test_files_of_others_are_not_looked_at_closely(write: Write, tmp_path: Path) -> None:
    write("pyproject.toml", "this is [ not TOML")
    assert find_config(tmp_path) is None
    write("pyproject.toml", "this is [ not TOML of pylit")
    with pytest.raises(PylitError, match=r"pyproject\.toml:1: error: is not valid TOML: .*\n.*Fix it"):
        find_config(tmp_path)


# Reading it


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("sorces = []", 1, "`sorces` is not a known key", "Did you mean `sources`"),
        ("\nxyzzy = 1", 2, "`xyzzy` is not a known key", "Keys: title, sources, exclude"),
        (
            'title = "T"\nlanguages = "zh"',
            2,
            '`languages` is the string "zh"; expected a list of strings',
            "one",
        ),
        (
            "sources = [1]",
            1,
            "`sources` is a list containing the number 1; expected a list of strings",
            "one",
        ),
        ("sources = [[[1]]]", 1, "is a list containing a list; expected a list of strings", "Write it like"),
        ('notebooks = "yes"', 1, '`notebooks` is the string "yes"; expected true or false', "without quotes"),
        ("search = 1", 1, "`search` is the number 1; expected true or false", "Write one of these"),
        ("title = true", 1, "`title` is true; expected a string", "Put it in quotes"),
        ("title = 2.5", 1, "`title` is the number 2.5; expected a string", "Put it in quotes"),
        ("title = 2020-01-01", 1, "`title` is of type date; expected a string", "Put it in quotes"),
        ("title = ['a']", 1, "`title` is a list; expected a string", "Put it in quotes"),
        (
            "[manuals]\nx = 1",
            1,
            "`manuals` is a table containing the number 1; expected a table of strings",
            "t",
        ),
        ("manuals = []", 1, "`manuals` is a list; expected a table of strings", "Give each name a string"),
        ("[title]\nx = 'a'", 1, "`title` is a table; expected a string", "Put it in quotes"),
        ("commit = {}", 1, "`commit` is a table that does not name a variable", "env = "),
        ("commit = {env = 1}", 1, "`commit` is a table that does not name a variable", "env = "),
        ("commit = {env = 'A', b = 1}", 1, "`commit` is a table that does not name a variable", "env = "),
        ("title = 'x'\ntitle = 'y'", 2, "is not valid TOML: Cannot overwrite a value", "Fix it"),
        ("title = ", 1, "is not valid TOML: Invalid value", "Fix it"),
        ("title = 'x'\n\n[x", 3, "is not valid TOML: Expected ']'", "Fix it"),
        (f"x = {'9' * 5000}", 0, "is not valid TOML: Exceeds the limit", "Fix it"),
        (f"x = {'[' * 5000}", 0, "is nested too deeply", "Reduce the nesting"),
        ("[tool.pylit]\ntitle = 'x'", 1, "has its keys in a table; expected at the top level", "Remove"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    write: Write, text: str, line: int, message: str, hint: str
) -> None:
    with pytest.raises(PylitError) as error:
        read_config(write("pylit.toml", text))
    problem = error.value.problem
    assert (problem.file, problem.line) == ("pylit.toml", line)
    assert message in problem.message and hint in problem.hint


def test_lines_in_a_project(write: Write) -> None:
    text = '[tool.other]\ntitle = "Theirs"\n\n[tool.pylit]  # ours\nsources = [\n  "title",\n]\n"title" = 1\n'
    with pytest.raises(PylitError, match=r"^pyproject\.toml:8: error: `title` is the number 1"):
        read_config(write("pyproject.toml", text))
    assert key_line(text, "sources", "tool.pylit") == 5
    assert key_line(text, "", "tool.pylit") == 4
    assert key_line('[tool."pylit"]\n[tool.pylit.manuals]\n', "manuals", "tool.pylit") == 2
    assert key_line("tool.pylit.title = 1\n", "title", "tool.pylit") == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[project]\nname = "it"\n', r"pyproject\.toml: error: has no table \[tool\.pylit\]\n.*Add it"),
        ("[tool]\npylit = 3\n", r"pyproject\.toml:2: error: `tool\.pylit` is not a table\n"),
        ("tool = 3\n", r"has no table \[tool\.pylit\]"),
    ],
)
def test_projects_without_ours(write: Write, text: str, message: str) -> None:
    with pytest.raises(PylitError, match=message):
        read_config(write("pyproject.toml", text))


def test_files_that_cannot_be_read(write: Write, tmp_path: Path) -> None:
    path = write("pylit.toml", "")
    path.write_bytes(b"title = 'a'\nbranch = '\xff'\n")
    with pytest.raises(PylitError, match=r"pylit\.toml:2: error: is not UTF-8: .*\n.*Save it as UTF-8"):
        read_config(path)
    path.write_bytes(b"\xef\xbb\xbftitle = 'a'\r\n")  # as an editor on Windows writes it
    assert read_config(path).options.title == "a"
    path.unlink()
    with pytest.raises(PylitError, match=r"pylit\.toml: error: cannot be read: No such file"):
        read_config(path)
    os.mkfifo(path)
    with pytest.raises(PylitError, match=r"pylit\.toml: error: cannot be read: it is a pipe"):
        read_config(path)


def test_the_commit_comes_from_the_service_that_builds(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("pylit.toml", 'commit = { env = "IT_COMMIT" }\n')
    monkeypatch.delenv("IT_COMMIT", raising=False)
    assert read_config(path).options.commit == ""
    monkeypatch.setenv("IT_COMMIT", "0a" * 20)
    assert read_config(path).options.commit == "0a" * 20
    monkeypatch.setenv("IT_COMMIT", "a secret")
    with pytest.raises(PylitError, match="the variable `IT_COMMIT` is not the hash of a commit") as error:
        read_config(path)
    assert "a secret" not in str(error.value)


# The guide


def test_guide_lists_all_keys_with_their_defaults(root: Path) -> None:
    text = (root / "docs/guide/your-own-code.md").read_text("utf-8")
    table = text.split("| key | default | what it says |\n|---|---|---|\n")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
    assert [row[0].strip("`") for row in rows] == list(NAMES)
    words = {"search": "if Pagefind is installed", "cache": f'`"{CACHE}"`'}
    words["katex_integrity"] = "that of the CDN's stylesheet"
    for name, default, meaning in rows:
        value = getattr(Options(), name.strip("`"))
        plain = json.dumps(value) if value not in ("", None) else ""
        assert default == words.get(name.strip("`"), f"`{plain}`" if plain else ""), name
        assert meaning
