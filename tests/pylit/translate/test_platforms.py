"""Platforms begin from our templates, find our catalogs, and what they save is read back."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path, PurePosixPath
from typing import Any

import jsonschema
import polib
import pytest
import yaml
from click.testing import CliRunner, Result
from conftest import Write
from toolkits import component_schema, read_with_toolkit, translate_with_toolkit

from pylit.api import open_configuration, open_site
from pylit.cache import THEME
from pylit.cli.main import main
from pylit.i18n.catalog import load_catalog
from pylit.i18n.ui_strings import BUTTONS, LOCALE
from pylit.site.site import Site
from pylit.translate.changes import write_changes
from pylit.translate.interface import interface_strings
from pylit.translate.platforms import crowdin_settings, weblate_components
from pylit.translate.templates import template_changes, template_name, template_texts

CONFIG = """\
title = "Annotated"
sources = ["pkg"]
languages = ["en", "zh", "pt-BR"]
site_url = "https://example.org/site/"
repository = "https://github.com/owner/annotated"
"""
SOURCE = '''"""
# A layer

It adds $x$ to 100 %.
"""


class Layer:
    """Holds the weights of `x`."""

    size = 1
'''
TEMPLATE = "translations/templates/pkg/__init__.pot"


@pytest.fixture(scope="module")
def our_site(root: Path) -> Site:
    """This project's own site."""
    return open_site(open_configuration(root / "pyproject.toml", {}), is_kept=False)


@pytest.fixture(autouse=True)
def project(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("pylit.toml", CONFIG)
    write("pkg/__init__.py", SOURCE)
    write("docs/guide.md", "# Guide\n\nWords of the guide.\n")
    write("translations/zh/glossary.yml", "[]\n")
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result


def entries(path: str) -> dict[str, polib.POEntry]:
    return {entry.msgid: entry for entry in polib.pofile(path)}


def test_each_page_has_a_template_that_tells_all_of_its_blocks(write: Write) -> None:
    run("update", "--pot")
    found = sorted(path.as_posix() for path in Path("translations/templates").rglob("*.pot"))
    assert [name.removeprefix("translations/templates/") for name in found] == [
        "docs/guide.pot",
        "pkg/__init__.pot",
        "pylit.pot",
    ]
    block = entries(TEMPLATE)["Holds the weights of `x`."]
    assert block.flags == ["md-text"] and block.msgstr == ""
    assert block.comment.splitlines()[-1] == "https://example.org/site/#Layer"
    assert "    size = 1".strip() in block.comment
    assert block.occurrences == [("pkg/__init__.py:Layer", "")]
    assert entries("translations/templates/docs/guide.pot")["Guide"].comment == (
        "https://example.org/site/guide.html"
    )
    assert list(entries("translations/templates/pylit.pot")) == ["Annotated"]


def test_templates_that_exist_are_kept_in_line_and_change_only_with_their_entries(write: Write) -> None:
    assert not Path("translations/templates").exists()
    run("update")
    assert not Path("translations/templates").exists()
    run("update", "--pot")
    path = Path(TEMPLATE)
    old = re.sub(r"POT-Creation-Date: [^\\]*", "POT-Creation-Date: 2001-01-01 00:00+0000", path.read_text())
    path.write_text(old, "utf-8")
    assert run("update").stderr.endswith("0 catalogs changed.\n") and path.read_text("utf-8") == old
    write("pkg/__init__.py", SOURCE.replace("It adds", "It still adds"))
    assert CliRunner().invoke(main, ["update", "--check"]).exit_code == 1
    assert path.read_text("utf-8") == old
    run("update")
    assert "It still adds $x$ to 100 %." in entries(TEMPLATE) and "2001" not in path.read_text("utf-8")
    Path("docs/guide.md").unlink()
    assert "translations/templates/docs/guide.pot belongs to no page; delete it." in run("update").stderr


def test_templates_elsewhere(tmp_path: Path) -> None:
    run("update", "--pot", "out/pot")
    assert Path("out/pot/pkg/__init__.pot").is_file() and not Path("translations/templates").exists()


def test_lines_are_named_only_if_asked_for(write: Write) -> None:
    run("new", "zh", "pkg")
    path = "translations/zh/pkg/__init__.po"
    block = "Holds the weights of `x`."
    before = Path(path).read_bytes()
    assert entries(path)[block].occurrences == [("pkg/__init__.py:Layer", "")]
    run("update", "--lines")
    assert entries(path)[block].occurrences == [("pkg/__init__.py", "9"), ("pkg/__init__.py:Layer", "")]
    run("update", "--check")  # no entry has changed
    run("update", "--no-lines")
    assert Path(path).read_bytes() == before
    write("pylit.toml", f"{CONFIG}catalog_lines = true\n")
    run("update", "--pot")
    for name in (path, TEMPLATE):
        assert ("pkg/__init__.py", "9") in entries(name)[block].occurrences
    # Lines are no part of what tells which version of a block is which.
    po = polib.pofile(path)
    for entry in po:
        entry.msgstr = "译文 `x`。" if entry.msgid == block else entry.msgstr
    po.save()
    write("pkg/__init__.py", SOURCE.replace("Holds the weights", "It holds all the weights"))
    run("update")
    assert entries(path)["It holds all the weights of `x`."].previous_msgid == block


def test_catalogs_have_flags_and_links_only_if_asked_for(write: Write) -> None:
    run("new", "zh", "pkg")
    path = "translations/zh/pkg/__init__.po"
    po = polib.pofile(path)
    po[0].flags.append("no-wrap")
    po.save()
    run("update")
    before = Path(path).read_bytes()
    assert b"md-text" not in before and b"https://" not in before and b"no-wrap" in before
    write("pylit.toml", f"{CONFIG}catalog_hints = true\n")
    run("update")
    found = list(entries(path).values())
    assert all("md-text" in entry.flags and "https://example.org/site/" in entry.comment for entry in found)
    assert "no-wrap" in found[0].flags
    write("pylit.toml", CONFIG)
    run("update")
    assert Path(path).read_bytes() == before


@pytest.mark.process
def test_gettext_begins_a_catalog_from_a_template() -> None:
    run("update", "--pot")
    started = "translations/pt-BR/pkg/__init__.po"
    Path(started).parent.mkdir(parents=True)
    begin = ["msginit", "--no-translator", "--locale=pt_BR", f"--input={TEMPLATE}", f"--output={started}"]
    subprocess.run(begin, check=True, capture_output=True)
    for command in (["msgfmt", "--check", "-o", "/dev/null", started], ["msgcat", TEMPLATE]):
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
    # msginit knows neither our place nor our flags; the entries are ours all the same.
    run("update", "--check")
    assert list(entries(started)) == list(entries(TEMPLATE))


@pytest.mark.process
def test_weblate_translates_a_catalog_that_was_begun_from_a_template() -> None:
    """Weblate reads and writes gettext with Translate Toolkit."""
    run("update", "--pot")
    path = Path("translations/zh/pkg/__init__.po")
    path.parent.mkdir(parents=True)
    path.write_bytes(Path(TEMPLATE).read_bytes())
    translate_with_toolkit(path, **{"A layer": "一层"})
    assert load_catalog(path, "zh").lookup("A layer").text == "一层"
    units = {unit[1]: unit for unit in read_with_toolkit(path)}
    assert units["A layer"][2:5] == ["一层", True, False]
    assert "https://example.org/site/#Layer" in units["Holds the weights of `x`."][5]
    run("update")
    assert list(entries(path.as_posix())) == list(entries(TEMPLATE))


def test_components_are_what_weblate_accepts(our_site: Site, root: Path) -> None:
    components = weblate_components(our_site)
    schema = component_schema()
    for component in components:
        jsonschema.validate(
            component, schema | {"required": ["name", "slug", "repo", "filemask", "file_format"]}
        )
    for key in ("name", "slug", "filemask", "new_base"):
        assert len({component[key] for component in components}) == len(components)
    assert components[0]["repo"] == our_site.settings.repository
    assert {component["repo"] for component in components[1:]} == {
        f"weblate://annotated-labml-nn/{components[0]['slug']}"
    }
    masks = {component["filemask"] for component in components}
    for lang in our_site.settings.languages[1:]:
        for path in [*(root / "translations" / lang).rglob("*.po"), LOCALE / f"{lang}.po"]:
            name = path.relative_to(root).as_posix()
            mask = name.replace(f"translations/{lang}/", "translations/*/").replace(f"/{lang}.po", "/*.po")
            assert mask in masks


def test_files_for_platforms_are_written_once_and_kept_in_line(write: Write) -> None:
    run("update", "--weblate", "--crowdin")
    components = json.loads(Path("translations/weblate.json").read_text("utf-8"))
    assert [component["filemask"] for component in components] == [
        "translations/*/pkg/__init__.po",
        "translations/*/docs/guide.po",
        "translations/*/pylit.po",
    ]
    for component in components:
        assert Path(component["new_base"]).is_file()
        assert re.match(component["language_regex"], "pt-BR") and not re.match(
            component["language_regex"], "templates"
        )
    assert components[0]["repoweb"] == (
        "https://github.com/owner/annotated/blob/{{branch}}/{{filename}}#L{{line}}"
    )
    write("docs/other.md", "# Other\n")
    run("update")
    assert len(json.loads(Path("translations/weblate.json").read_text("utf-8"))) == 4


@pytest.mark.parametrize("code", ["zh", "pt-BR"])
def test_crowdin_finds_templates_and_writes_where_catalogs_are(code: str) -> None:
    run("update", "--crowdin")
    settings: dict[str, Any] = yaml.safe_load(Path("crowdin.yml").read_text("utf-8"))
    (entry,) = settings["files"]
    head, _, name = entry["source"].partition("/**/")
    codes = {ours: theirs for theirs, ours in entry["languages_mapping"]["locale"].items()}
    assert codes == {"zh": "zh-CN", "pt-BR": "pt-BR"}
    written = set()
    for path in Path(head[1:]).rglob(name):
        places = {
            "%locale%": entry["languages_mapping"]["locale"][codes[code]],
            "**": path.relative_to(head[1:]).parent.as_posix(),
            "%file_name%": path.stem,
        }
        target = entry["translation"][1:]
        for place, value in places.items():
            target = target.replace(place, value)
        written.add(PurePosixPath(target).as_posix())
    run("new", code, ".") if code == "pt-BR" else run("new", "zh", "pkg", "docs")
    folder = Path("translations", code)
    assert written == {path.as_posix() for path in folder.rglob("*.po")}


def test_a_configuration_of_crowdin_that_is_not_ours_is_left_alone(write: Write) -> None:
    path = write("crowdin.yml", "files: []\n")
    run("update")
    result = CliRunner().invoke(main, ["update", "--crowdin"])
    assert result.exit_code == 1 and "exists and was not written by pylit" in result.stderr
    assert path.read_text("utf-8") == "files: []\n"


def test_weblate_needs_the_repository(write: Write) -> None:
    write("pylit.toml", CONFIG.replace('repository = "https://github.com/owner/annotated"\n', ""))
    result = CliRunner().invoke(main, ["update", "--weblate"])
    assert result.exit_code == 1 and "needs the URL of the repository" in result.stderr


@pytest.mark.process
@pytest.mark.slow
def test_our_own_templates(our_site: Site, tmp_path: Path) -> None:
    """gettext and polib find all blocks of our own pages in them."""
    changes = [
        change for change in template_changes(our_site, tmp_path / "pot") if "pot" in change.path.parts
    ]
    paths = write_changes(changes)
    assert len(paths) > 50
    for path in paths:
        file = path.relative_to(tmp_path / "pot").with_suffix("").as_posix()
        (texts,) = [
            found for name, found in template_texts(our_site).items() if template_name(name) == f"{file}.pot"
        ]
        assert [entry.msgid for entry in polib.pofile(str(path))] == list(
            dict.fromkeys(b.text for b in texts)
        )
    done = subprocess.run(["msgcat", "--use-first", *map(str, paths)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert crowdin_settings(our_site)["files"][0]["languages_mapping"] == {
        "locale": {"zh-CN": "zh", "ja": "ja"}
    }


def test_buttons_have_room_for_their_words() -> None:
    """Every button of the bar and of the editor has a limit, and each is a string of the interface."""
    strings = {block.text for block in interface_strings()}
    assert BUTTONS.keys() <= strings
    for name in ("controls.html", "keys.html", "search.html"):
        text = (THEME / "partials" / name).read_text("utf-8")
        shown = re.findall(r'<(?:button|legend|label)[^<{]*>(?:<[^<>]*>|\s)*\{\{ _\("([^"]+)"\) \}\}', text)
        assert set(shown) <= {*BUTTONS, "Show", "Use keys"}, name
    po = {entry.msgid: entry for entry in polib.pofile(str(LOCALE / "zh.po"))}
    for text, limit in BUTTONS.items():
        assert po[text].flags == [f"max-length:{limit}"] and len(po[text].msgstr) <= limit


def test_a_button_without_room_is_reported(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    po = "locale/zh.po"
    folder = write(po, f'msgid "Search"\nmsgstr "{"搜" * 21}"\n').parent
    monkeypatch.setattr("pylit.checks.site.LOCALE", folder)
    write("pylit/i18n/ui_strings.py", "")
    result = CliRunner().invoke(main, ["check"])
    assert f"`{'搜' * 21}` has 21 characters; a button has room for 20" in result.stderr


def test_components_of_pages_with_one_title_or_nearly_one_name(write: Write) -> None:
    write("docs/other.md", "# Guide\n")
    write("pkg/a/b.py", '"""\n# One\n"""\n')
    write("pkg/a_b.py", '"""\n# Two\n"""\n')
    site = open_site(open_configuration("pylit.toml", {}), is_kept=False)
    found = {component["slug"]: component["name"] for component in weblate_components(site)}
    assert found["docs-guide"] == "Guide (docs/guide.md)" and found["docs-other"] == "Guide (docs/other.md)"
    assert {found["pkg-a-b"], found["pkg-a-b-2"]} == {"One", "Two"}


def test_templates_are_not_written_through_a_link_that_leads_away(tmp_path: Path) -> None:
    outside = tmp_path / "outside.pot"
    outside.write_text("mine", "utf-8")
    folder = tmp_path / "out/pkg"
    folder.mkdir(parents=True)
    (folder / "__init__.pot").symlink_to(outside)
    result = CliRunner().invoke(main, ["update", "--pot", "out"])
    assert result.exit_code == 1 and "leads out of" in result.stderr, result.stderr
    assert outside.read_text("utf-8") == "mine"
