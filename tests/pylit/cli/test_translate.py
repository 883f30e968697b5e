"""The translators' commands: start a language, see how far it is, accept what is still right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from click.testing import CliRunner, Result
from conftest import Write

from pylit.cli.main import main

CATALOG = "translations/zh/pkg/__init__.po"
MODULE = '"""\n# Package\n\nOne. Two.\n\nThree.\n"""\n'


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture(autouse=True)
def a_site(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("docs/guide/a.md", "# Guide\n")
    write("pkg/__init__.py", MODULE)
    (tmp_path / "translations").mkdir()
    write(
        "mkdocs.yml",
        "site_name: Test\ntheme:\n  name: pylit\nplugins:\n  - pylit:\n"
        "      sources: [pkg]\n      languages: [en, zh]\n",
    )
    assert run("new", "zh", ".").exit_code == 0


def translate(catalog: str = CATALOG, **translations: str) -> None:
    po = polib.pofile(catalog)
    for entry in po:
        entry.msgstr = translations.get(entry.msgid.split(".")[0].split()[0], entry.msgstr)
    po.save(catalog)


def test_status_counts(write: Write) -> None:
    translate(Package="包", One="一。二。", Three="三 $x$。")
    write("pkg/__init__.py", MODULE.replace("One. Two.", "One. Two!"))
    run("update")
    result = run("status")
    assert result.exit_code == 0
    lines = [line.split() for line in result.output.splitlines()]
    assert lines[0] == ["中文", "(zh)"]
    assert lines[1] == ["blocks", "translated", "stale", "missing", "errors"]
    assert ["pkg/__init__.py", "3", "1", "(33%)", "1", "0", "1"] in lines
    assert lines[-1] == ["all", "5", "1", "(20%)", "1", "2", "1"]
    (found,) = (
        part for part in json.loads(run("status", "--json", "zh").output) if part["file"] == "pkg/__init__.py"
    )
    assert found == {
        "lang": "zh", "file": "pkg/__init__.py", "blocks": 3, "translated": 1, "stale": 1, "missing": 0, "broken": 1,
    }  # fmt: skip


def test_status_of_a_language_that_is_not_there() -> None:
    result = run("status", "ja")
    assert result.exit_code == 1
    assert "the site is not translated into ja; languages: zh" in result.stderr


def ids(*arguments: str) -> dict[str, str]:
    """Return the ids of stale entries by what is listed of them."""
    lines = [line.split(": ", 2) for line in run("accept", *arguments).stdout.splitlines()]
    return {words: entry for _, entry, words in lines}


def test_accept_restamps_what_is_still_right(write: Write) -> None:
    """By ids, which stay the same while the lines of entries move."""
    translate(Package="包", One="一。二。", Three="三。")
    text = (
        MODULE.replace("# Package", "# Packages")
        .replace("One. Two.", "One. Two!")
        .replace("Three.", "Three!")
    )
    write("pkg/__init__.py", text)
    run("update")
    stale = ids(CATALOG)
    assert set(stale) == {"[-Package-]{+Packages+}", "One. Two[-.-]{+!+}", "Three[-.-]{+!+}"}
    assert "Accept some with FILE ID…, or all with --all." in run("accept", CATALOG).stderr
    for line in run("status", "--entries", "zh").stdout.splitlines()[:3]:
        assert line.startswith(f"{CATALOG}:") and line.split(": ")[1] in stale.values()
        assert line.split(": ")[2] == "stale"
    first, second, _ = stale.values()
    assert run("accept", CATALOG, first).output == f"1 entry of {CATALOG} accepted.\n"
    assert run("accept", f"{CATALOG}:{second}").output == f"1 entry of {CATALOG} accepted.\n"
    entries = {entry.msgid: entry for entry in polib.pofile(CATALOG)}
    assert [entry.fuzzy for entry in entries.values()] == [False, False, True]
    assert entries["One. Two!"].previous_msgid is None
    again = run("accept", CATALOG, first)
    assert again.exit_code == 1
    assert f"{CATALOG} has no stale entry {first}; it has: {stale['Three[-.-]{+!+}']}" in again.stderr
    assert run("accept", "--all", CATALOG).exit_code == 0
    assert run("accept", CATALOG).output == f"{CATALOG} has no stale entries.\n"
    assert run("update").stderr == "0 catalogs changed.\n"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Uses $x$ only.", "Uses $y$ only.", "its formulas, code or links have changed"),
        ("Puts $x$ before $y$.", "Puts $y$ before $x$.", "its formulas, code or links have changed"),
        ("See [it](https://a.org).", "See [it](https://b.org).", "its formulas, code or links have changed"),
        (
            "Takes 28 steps of it.",
            "Takes 82 steps of it.",
            "its numbers have changed: the new original lacks the number 28",
        ),
    ],
)
def test_accept_never_certifies_what_was_not_translated(
    write: Write, old: str, new: str, reason: str
) -> None:
    write("pkg/__init__.py", f'"""\n{old}\n"""\n')
    run("update")
    catalog = polib.pofile(CATALOG)
    catalog[0].msgstr = old
    catalog.save()
    write("pkg/__init__.py", f'"""\n{new}\n"""\n')
    run("update")
    (entry,) = ids(CATALOG).values()
    for arguments in (["--all", CATALOG], [CATALOG, entry], ["--typo", "pkg/__init__.py"]):
        result = run("accept", *arguments)
        assert "accepted.\n" not in result.stdout
        assert polib.pofile(CATALOG)[0].fuzzy
    assert f"{entry} is not accepted: {reason}" in run("accept", CATALOG, entry).stderr
    assert run("accept", CATALOG, entry).exit_code == 1


def test_accept_leaves_suggestions_alone(write: Write) -> None:
    translate(Package="包")
    write("docs/guide/a.md", "# Guide\n\nPackage\n")
    run("update")
    catalog = "translations/zh/docs/guide/a.po"
    assert list(ids(catalog)) == ["suggestion: 包"]
    result = run("accept", "--all", catalog)
    assert "accepted" not in result.output and "suggestion: 包" in result.stdout
    (entry,) = ids(catalog).values()
    assert run("accept", catalog, entry).output == f"1 entry of {catalog} accepted.\n"


def test_a_typo_is_mended_in_all_languages_at_once(write: Write) -> None:
    write(
        "pkg/__init__.py",
        '"""\n# Package\n\nIt recieves one input, and adds it.\n\nIt has two layers of it.\n"""\n',
    )
    run("update")
    run("new", "ja", "pkg")
    for lang in ("zh", "ja"):
        catalog = polib.pofile(f"translations/{lang}/pkg/__init__.po")
        for entry in catalog:
            entry.msgstr = "x"
        catalog.save()
    write(
        "pkg/__init__.py",
        '"""\n# Package\n\nIt receives one input and adds it.\n\nIt has no layers of it.\n"""\n',
    )
    result = run("accept", "--typo", "pkg/__init__.py")
    assert result.exit_code == 0, result.output
    for lang in ("zh", "ja"):
        path = f"translations/{lang}/pkg/__init__.po"
        assert f"1 entry of {path} accepted." in result.stdout
        assert [entry.fuzzy for entry in polib.pofile(path)] == [False, False, True]
    assert result.stdout.count("It has [-two-]{+no+} layers of it.") == 2


def tree() -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in Path().rglob("*")}


@pytest.mark.parametrize("alias", ["ZH", "zh-Hans", "zh_hans"])
def test_aliases_name_the_language_that_the_site_has(alias: str, write: Write) -> None:
    before = tree()
    assert "the site already has zh; name files to translate" in run("new", alias).stderr
    assert tree() == before
    assert run("status", alias).output.startswith("中文 (zh)")
    write("pkg/b.py", '"""Words."""\n')
    assert run("new", alias, "pkg/b.py").stdout.splitlines()[0] == "translations/zh/pkg/b.po"


@pytest.mark.process
@pytest.mark.parametrize(
    ("lang", "header", "plurals", "name"),
    [
        ("pt-BR", "pt_BR", "nplurals=2; plural=(n > 1);", "Português (Brasil)"),
        ("zh-Hant", "zh_Hant", "nplurals=1; plural=0;", "中文 (繁體)"),
        ("zh-TW", "zh_TW", "nplurals=1; plural=0;", "中文 (繁體, 台灣)"),
        ("es-419", "es_419", "nplurals=2; plural=(n != 1);", "Español (Latinoamérica)"),
        (
            "sr-Latn",
            "sr_Latn",
            "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);",
            "Srpski (latinica)",
        ),
    ],
)
def test_languages_with_a_region_or_script(lang: str, header: str, plurals: str, name: str) -> None:
    result = run("new", header.lower(), "pkg")
    assert result.exit_code == 0, result.output
    assert f"{name} ({lang}), written from left to right: 2 catalogs created." in result.output
    assert f"languages: [en, zh, {lang}]" in Path("mkdocs.yml").read_text("utf-8")
    catalog = f"translations/{lang}/pkg/__init__.po"
    po = polib.pofile(catalog)
    assert (po.metadata["Language"], po.metadata["Plural-Forms"]) == (header, plurals)
    check = subprocess.run(["msgfmt", "--check", "-o", "/dev/null", catalog], capture_output=True, text=True)
    assert (check.returncode, check.stderr) == (0, "")
    translate(catalog, Package="Paket")
    assert run("update", "--check").exit_code == 0
    assert run("check").exit_code == 0
    assert run("status", lang).output.startswith(f"{name} ({lang})")
    result = run("build", "--out", "out", "--no-cache", "--jobs", "1")
    assert result.exit_code == 0, result.output
    html = Path(f"out/{lang}/index.html").read_text("utf-8")
    assert f'<html lang="{lang}" dir="ltr"' in html and "Paket" in html
    assert f'lang="{lang}" hreflang="{lang}" aria-current="true">{name}</a>' in html
    assert f'property="og:locale" content="{header}"' in html


def test_a_new_language_that_fails_changes_nothing(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("pkg/broken.py", "def (:\n")
    write("docs/ja/a.md", "# Its address is that of a translated page\n")
    before = tree()
    result = run("new", "pt-BR", "pkg")
    assert result.exit_code == 1 and "pkg/broken.py:1: error" in result.stderr
    assert tree() == before

    from pylit.translate import changes

    def fail(path: Path, data: bytes) -> None:
        if path.name == "a.po":
            raise OSError(28, "No space left on device", str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    monkeypatch.setattr(changes, "write_file", fail)
    result = run("new", "pt-BR", "docs/guide")
    assert (
        result.exit_code == 1 and "a.po: error: cannot be written: No space left on device" in result.stderr
    )
    assert tree() == before


@pytest.mark.process
def test_reference_links_are_links_in_every_language(write: Write) -> None:
    write("docs/guide/a.md", "# Guide\n\nSee [guide][g].\n\n[g]: https://example.org/g\n")
    run("update")
    translate("translations/zh/docs/guide/a.po", See="见[指南][g]。")
    assert run("check", "--strict").exit_code == 0
    assert run("build", "--out", "out", "--no-cache", "--jobs", "1").exit_code == 0
    html = Path("out/zh/guide/a.html").read_text("utf-8")
    assert '见<a href="https://example.org/g"' in html and ">指南</a>。" in html


@pytest.mark.parametrize("file", ["pkg/x.py", f"{CATALOG}:3", f"{CATALOG}:\xb2", "none.po"])
def test_accept_of_what_is_no_catalog(file: str) -> None:
    result = run("accept", file)
    assert result.exit_code == 1 and (
        "is not a catalog" in result.stderr or "neither a page" in result.stderr
    )


@pytest.mark.process
@pytest.mark.parametrize(
    ("lang", "words"), [("ja", "日本語 (ja), written from left"), ("ar", "(ar), written from right")]
)
def test_new_begins_a_language(lang: str, words: str) -> None:
    result = run("new", lang, "pkg/__init__.py")
    assert result.exit_code == 0, result.output
    assert words in result.output and f"`pylit status {lang}` lists all pages" in result.output
    assert f"languages: [en, zh, {lang}]" in Path("mkdocs.yml").read_text("utf-8")
    assert polib.pofile(f"translations/{lang}/pkg/__init__.po").untranslated_entries()
    assert Path(f"translations/{lang}/mkdocs.po").is_file()
    assert not Path(f"translations/{lang}/docs").exists()
    assert Path(f"translations/{lang}/glossary.yml").is_file()
    again = run("new", lang)
    assert (
        f"the site already has {lang}; name files to translate, `pylit status {lang}` lists" in again.stderr
    )
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"], check=True)
    html = Path(f"site/{lang}/index.html").read_text("utf-8")
    assert f'<html lang="{lang}" dir="{"rtl" if lang == "ar" else "ltr"}"' in html
    side = ' dir="ltr"' if lang == "ar" else ""
    assert f'<span class="u" lang="en"{side}>One. Two.' in html


def test_a_page_without_a_catalog_stays_without_until_it_is_begun(write: Write) -> None:
    assert run("new", "ja").exit_code == 0
    two = run("update")
    assert (
        "2 pages without a catalog in ja; `pylit new ja FILE` creates one.\n0 catalogs changed." in two.stderr
    )
    assert not Path("translations/ja/pkg").exists()
    begun = run("new", "ja", "pkg")
    assert begun.stdout.splitlines()[0] == "translations/ja/pkg/__init__.po"
    write("pkg/__init__.py", MODULE.replace("Three.", "Four, and more."))
    one = run("update")
    assert "1 page without a catalog in ja: docs/guide/a.md; `pylit new ja FILE` creates one." in one.stderr
    assert "zh" not in one.stderr
    assert "Four" in Path("translations/ja/pkg/__init__.po").read_text("utf-8")
    rows = [line.split() for line in run("status", "ja").output.splitlines()]
    assert ["docs/guide/a.md", "1", "0", "(0%)", "0", "1", "0"] in rows


def test_new_refuses_what_cannot_be_begun() -> None:
    before = Path("mkdocs.yml").read_text("utf-8")
    assert (
        "pkg/x.py is neither a page of this site nor a folder of pages" in run("new", "ja", "pkg/x.py").stderr
    )
    assert "the site is written in en; name a language to translate it into" in run("new", "en", ".").stderr
    assert Path("mkdocs.yml").read_text("utf-8") == before


@pytest.mark.parametrize("lang", ["xyz1", "klingon", "../zh"])
def test_new_refuses_what_is_no_language(lang: str) -> None:
    assert f"{lang} is not a known language; use a code such as ja" in run("new", lang).stderr


def test_new_needs_a_line_to_add_to() -> None:
    path = Path("mkdocs.yml")
    path.write_text(path.read_text("utf-8").replace("[en, zh]", "\n        - en\n        - zh"), "utf-8")
    assert "mkdocs.yml: error: has no list of languages that ja can be added to" in run("new", "ja").stderr


def test_without_a_folder_of_translations() -> None:
    import shutil

    shutil.rmtree("translations")
    for command in (("update",), ("new", "ja", ".")):
        assert "the folder of translations does not exist; create the configured one" in run(*command).stderr


def test_a_catalog_stands_for_its_page() -> None:
    translate(Package="包", One="一 $x$。")
    result = run("check", CATALOG)
    assert result.exit_code == 1
    assert f"{CATALOG}:21: error: a translation has the extra formula" in result.stderr
    assert "1 file checked in 2 languages" in result.stderr
    assert "is not a page of this site" in run("check", "translations/zh/other.po").stderr


@pytest.mark.process
def test_commands_are_named_as_they_were_called(write: Write) -> None:
    program = os.path.relpath(Path(sys.prefix, "bin/pylit"))
    write("pkg/b.py", "")
    environment = {**os.environ, "PATH": os.defpath}
    done = subprocess.run([program, "update"], capture_output=True, text=True, env=environment)
    assert f"1 page without a catalog in zh: pkg/b.py; `{program} new zh FILE` creates one." in done.stderr
