"""Catalogs go out as XLIFF and come back without loss, also through other programs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polib
import pytest
from click.testing import CliRunner, Result
from conftest import BEGUN, COMPLETE, Write
from hypothesis import given
from hypothesis import strategies as st
from toolkits import convert, read_with_toolkit, translate_with_toolkit

from pylit.api import open_configuration, open_site
from pylit.cli.main import main
from pylit.errors import PylitError
from pylit.i18n.blocks import entry_id
from pylit.i18n.glossary import Glossary
from pylit.i18n.po_catalog import PoCatalog
from pylit.translate.changes import write_changes
from pylit.translate.exchange import export_changes, import_changes
from pylit.translate.xliff import read_xliff, xliff_text

CONFIG = 'sources = ["pkg"]\nlanguages = ["en", "zh", "pt-BR"]\nsite_url = "https://example.org/"\n'
DONE, STALE, DRAFT, NEW = (
    "A residual & a **layer** <br> of `x`.",
    "It changed since $x < 1$.",
    "Nobody has reviewed this.",
    "New words.",
)
SOURCE = f'r"""\n# Page\n\n{DONE}\n\n{STALE}\n\n{DRAFT}\n\n{NEW}\n"""\n\nx = 1\n'
PO = f'''\
# Of the page
# and its file.
msgid ""
msgstr ""
"Language: zh\\n"
"X-Generator: Poedit 3\\n"

# A note of mine
# over two lines
#, no-wrap
msgid "{DONE}"
msgstr "残差 & **层** <br> 的 `x`。"

# pylit: allow Nobody says it otherwise
#, fuzzy
#| msgid "It changed, as $x < 1$."
msgid "{STALE}"
msgstr "$x < 1$，所以变了。"

#, fuzzy
msgid "{DRAFT}"
msgstr "还没有人看过。"

#~ msgid "Gone."
#~ msgstr "没了。"
'''
PATH, OUT = Path("translations/zh/pkg/__init__.po"), Path("xliff/zh/pkg/__init__.xlf")
GLOSSARY = (
    "- {term: residual, use: [残差], never: [剩余], why: As in the paper.}\n- {term: layer, use: [层]}\n"
)
X = "{urn:oasis:names:tc:xliff:document:1.2}"


@pytest.fixture(autouse=True)
def project(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("pylit.toml", CONFIG)
    write("pkg/__init__.py", SOURCE)
    write("pkg/other.py", '"""Another page."""\n')
    write(PATH.as_posix(), PO)
    write("translations/zh/glossary.yml", GLOSSARY)
    monkeypatch.chdir(tmp_path)
    run("update")


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, result.output
    return result


def entries() -> dict[str, tuple[Any, ...]]:
    """All that translators have written, by the original."""
    return {
        entry.msgid: (entry.msgstr, entry.fuzzy, entry.previous_msgid, entry.tcomment)
        for entry in polib.pofile(str(PATH))
        if not entry.obsolete
    }


def units() -> dict[str, ElementTree.Element]:
    return {str(unit.findtext(f"{X}source")): unit for unit in ElementTree.parse(OUT).iter(f"{X}trans-unit")}


def test_a_unit_has_all_that_the_entry_has() -> None:
    run("export", "zh", "pkg/__init__.py")
    assert sorted(path.as_posix() for path in Path("xliff").rglob("*.xlf")) == [OUT.as_posix()]
    part = ElementTree.parse(OUT).getroot()[0]
    assert part.attrib == {
        "original": "pkg/__init__.py",
        "source-language": "en",
        "target-language": "zh",
        "datatype": "plaintext",
    }
    found = units()
    assert [unit.get("id") for unit in found.values()] == [entry_id(text) for text in found]
    states = {text: (unit.get("approved"), unit.find(f"{X}target")) for text, unit in found.items()}
    assert {
        text: (done, None if target is None else target.get("state"))
        for text, (done, target) in states.items()
    } == {
        "Page": (None, None),
        DONE: ("yes", "translated"),
        STALE: ("no", "needs-adaptation"),
        DRAFT: ("no", "needs-translation"),
        NEW: (None, None),
    }
    notes = [(note.get("from"), note.text) for note in found[DONE].findall(f"{X}note")]
    assert notes == [
        ("developer", "x = 1\nhttps://example.org/"),
        ("translator", "A note of mine"),
        ("translator", "over two lines"),
        ("glossary", "residual: 残差; not 剩余. As in the paper."),
        ("glossary", "layer: 层."),
    ]
    assert found[STALE].findtext(f"{X}alt-trans/{X}source") == "It changed, as $x < 1$."


def through_nothing() -> None:
    """As it was written."""


def through_the_toolkit() -> None:
    """Read and saved by Translate Toolkit, on which Weblate, Pootle and Virtaal stand."""
    translate_with_toolkit(OUT, nothing="")


@pytest.mark.process
@pytest.mark.parametrize("tool", [through_nothing, through_the_toolkit])
def test_nothing_is_lost_on_the_way(tool: Callable[[], None], write: Write) -> None:
    """All entries are restored in a catalog that has none of them."""
    before = entries()
    run("export", "zh")
    tool()
    PATH.unlink()
    run("import", "xliff")
    assert entries() == before
    run("update", "--check")


@pytest.mark.process
def test_the_toolkit_reads_states_and_notes() -> None:
    run("export", "zh")
    found = {unit[1]: unit for unit in read_with_toolkit(OUT)}
    assert {text: (unit[2], unit[3], unit[4]) for text, unit in found.items()} == {
        "Page": ("", False, False),
        DONE: ("残差 & **层** <br> 的 `x`。", True, False),
        STALE: ("$x < 1$，所以变了。", False, True),
        DRAFT: ("还没有人看过。", False, True),
        NEW: ("", False, False),
    }
    assert found[DONE][0].endswith(entry_id(DONE)) and "x = 1" in found[DONE][5]
    assert "A note of mine" in found[DONE][6]


@pytest.mark.process
def test_what_the_toolkit_translates_comes_back(write: Write) -> None:
    run("export", "zh")
    translate_with_toolkit(OUT, **{NEW: "新的话。", STALE: "从 $x < 1$ 起变了。", DRAFT: "还没有人看过。"})
    before = entries()
    result = run("import", str(OUT))
    assert result.stdout == f"{PATH}\n" and result.stderr == "3 translations taken.\n"
    assert entries() == {
        **before,
        NEW: ("新的话。", False, None, ""),
        STALE: ("从 $x < 1$ 起变了。", False, None, "pylit: allow Nobody says it otherwise"),
        DRAFT: ("还没有人看过。", False, None, ""),
    }
    assert run("import", str(OUT)).stderr == "0 translations taken.\n"  # once more changes nothing


@pytest.mark.process
def test_xliff_of_other_programs(write: Write) -> None:
    """A catalog that Translate Toolkit has made XLIFF from, without our ids and states."""
    copy = shutil.copy(PATH, "pkg.po")
    convert("po2xliff", "--progress=none", copy, "theirs.xlf")
    text = Path("theirs.xlf").read_text("utf-8")
    assert 'original="pkg.po"' in text and 'target-language="zh"' in text
    text = text.replace('original="pkg.po"', 'original="pkg/__init__.py"')
    Path("theirs.xlf").write_text(text, "utf-8")
    before = entries()
    PATH.unlink()
    run("import", "theirs.xlf")
    after = entries()
    assert after.keys() == before.keys()
    assert after[DONE][:2] == before[DONE][:2] and after[DRAFT][:2] == before[DRAFT][:2]
    assert after[NEW][0] == "" and after[STALE][1]
    assert [entry.msgstr for entry in polib.pofile(str(PATH)).obsolete_entries()] == ["没了。"]


def edit(old: str, new: str) -> None:
    text = OUT.read_text("utf-8")
    assert old in text
    OUT.write_text(text.replace(old, new), "utf-8")


def translate(path: Path, text: str, string: str) -> None:
    po = polib.pofile(str(path))
    for entry in po:
        if entry.msgid == text:
            entry.msgstr, entry.flags, entry.previous_msgid = string, [], None
    po.save()


def test_what_both_sides_translate_stays_and_is_named() -> None:
    run("export", "zh")
    edit("残差 &amp; **层** &lt;br&gt; 的 `x`。", "一个残差 &amp; 一**层** &lt;br&gt; 的 `x`。")
    translate(PATH, DONE, "残差 & 另一**层** <br> 的 `x`。")
    result = run("import", str(OUT), code=1)
    reason = "it was changed in the catalog too, after it was exported"
    assert f"{PATH}: {entry_id(DONE)} is not taken: {reason}" in result.stderr
    assert entries()[DONE][0] == "残差 & 另一**层** <br> 的 `x`。"


def test_a_draft_replaces_no_finished_translation() -> None:
    run("export", "zh")
    translate(PATH, DRAFT, "看过了。")
    result = run("import", str(OUT), code=1)
    assert f"{entry_id(DRAFT)} is not taken: the catalog has a finished translation" in result.stderr
    assert entries()[DRAFT][:2] == ("看过了。", False)


def test_a_unit_without_a_target_takes_nothing_away() -> None:
    run("export", "zh")
    for state in ("translated", "needs-adaptation", "needs-translation"):
        text = OUT.read_text("utf-8")
        start = text.index(f'state="{state}">') + len(f'state="{state}">')
        OUT.write_text(text[:start] + text[text.index("</target>", start) :], "utf-8")
    before = entries()
    assert run("import", str(OUT)).stderr == "0 translations taken.\n"
    assert entries() == before


def test_the_english_that_changed_meanwhile_gets_the_translation_as_stale(write: Write) -> None:
    run("export", "zh")
    edit(
        f'<source xml:lang="en">{NEW}</source>',
        f'<source xml:lang="en">{NEW}</source><target>新的话。</target>',
    )
    edit("残差 &amp; **层** &lt;br&gt; 的 `x`。", "一个残差 &amp; 一**层** &lt;br&gt; 的 `x`。")
    newer, done = "Some new words.", DONE.replace("A residual", "The residual")
    write("pkg/__init__.py", SOURCE.replace(NEW, newer).replace(DONE, done))
    run("update")
    run("import", str(OUT))
    found = entries()
    assert found[newer][:3] == ("新的话。", True, NEW)
    assert found[done][:3] == ("一个残差 & 一**层** <br> 的 `x`。", True, DONE)
    write("pkg/__init__.py", '"""\n# Page\n"""\n')
    run("update")
    run("import", str(OUT))  # what belongs nowhere is kept with the obsolete entries
    obsolete = {entry.msgid: entry.msgstr for entry in polib.pofile(str(PATH)).obsolete_entries()}
    assert obsolete[DONE] == "一个残差 & 一**层** <br> 的 `x`。"
    edit("一个残差 &amp; 一**层**", "残差 &amp; **层**")
    result = run("import", str(OUT), code=1)
    assert f"{entry_id(DONE)} is not taken: its original is not on the page any more" in result.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not valid XML"),
        ("<xliff/>", "is not XLIFF 1.2"),
        ('<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0"/>', "is not XLIFF 1.2"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><xliff/>', "has a document type"),
        ('<?xml version="1.0" encoding="UTF-16"?><x>', "is not valid XML"),
        ("FILE pkg/nowhere.py zh", "is about `pkg/nowhere.py`, which is not a page of the site"),
        ("FILE ../../etc/passwd zh", "which is not a page of the site"),
        ("FILE pkg/__init__.py ja", "is a translation into `ja`, which is not a language of the site"),
        ("FILE pkg/__init__.py en", "is a translation into `en`, which is not a language of the site"),
        ("FILE pkg/__init__.py", "is a translation into ``, which is not a language of the site"),
        ("UNIT", "the unit 1 has no source"),
    ],
)
def test_what_is_refused_writes_nothing(write: Write, text: str, message: str) -> None:
    if text.startswith(("FILE", "UNIT")):
        _, file, lang = (
            (*text.split(), "pkg/__init__.py", "zh")[:3] if "FILE" not in text else (*text.split(), "")[:3]
        )
        unit = "" if "FILE" in text else '<trans-unit id="1"><target>a</target></trans-unit>'
        text = (
            f'<xliff version="1.2" xmlns="{X[1:-1]}"><file original="{file}" target-language="{lang}">'
            f"<body>{unit}</body></file></xliff>"
        )
    before = PATH.read_bytes()
    result = run("import", str(write("bad.xlf", text)), code=1)
    assert result.stderr.startswith("bad.xlf") or "bad.xlf" in result.stderr.partition("\n")[0]
    assert message in result.stderr and PATH.read_bytes() == before


def test_two_files_about_one_page(write: Write) -> None:
    run("export", "zh")
    shutil.copy(OUT, "xliff/again.xlf")
    assert "is about `pkg/__init__.py` in zh, as a file before it" in run("import", "xliff", code=1).stderr


def test_an_alias_names_the_language_of_the_site() -> None:
    run("export", "zh-Hans")
    edit('target-language="zh"', 'target-language="zh-Hans"')
    run("import", str(OUT))


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("lang", [*COMPLETE, *BEGUN])
def test_our_own_catalogs_come_back_as_they_are(root: Path, tmp_path: Path, lang: str) -> None:
    site = open_site(open_configuration(root / "pyproject.toml", {}), is_kept=False)
    written = write_changes(export_changes(site, lang, site.pages, tmp_path / "out"))
    assert len(written) == len(site.pages)
    found = import_changes(site, written)
    assert (found.changes, found.taken, found.kept) == ([], 0, [])
    path = tmp_path / "out" / lang / "labml_nn/resnet/__init__.xlf"
    units = read_with_toolkit(path)
    assert len(units) > 100 and all(unit[3] and not unit[4] for unit in units)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"), min_size=1)


@given(TEXTS, TEXTS, TEXTS)
def test_any_text_comes_back_as_it_was(text: str, string: str, note: str) -> None:
    from babel.messages.catalog import Message

    catalog = PoCatalog("zh")
    catalog.add(Message(text, string, user_comments=[note]))
    data = xliff_text(catalog, "a.py", "en", Glossary()).encode()
    ((unit,),) = (part.units for part in read_xliff(data, "a.xlf"))
    assert (unit.text, unit.translation, unit.is_finished, unit.notes) == (text, string, True, (note,))


def test_what_xml_cannot_hold_is_named() -> None:
    from babel.messages.catalog import Message

    catalog = PoCatalog("zh")
    catalog.add(Message("a", "b\x0c"))
    with pytest.raises(PylitError, match=r"a\.py: error: contains U\+000C, which XML cannot hold"):
        xliff_text(catalog, "a.py", "en", Glossary())


def test_what_cannot_be_exported_or_imported_is_told(tmp_path: Path) -> None:
    assert "the site is not translated into ja; languages: zh, pt-BR" in run("export", "ja", code=1).stderr
    assert "nowhere.py is neither a page" in run("export", "zh", "nowhere.py", code=1).stderr
    site = open_site(open_configuration(tmp_path / "pylit.toml", {}), is_kept=False)
    with pytest.raises(PylitError, match=r"gone\.xlf: error: cannot be read: No such file"):
        import_changes(site, [Path("gone.xlf")])


def test_a_page_that_nobody_has_begun_gets_a_catalog() -> None:
    run("export", "pt-BR", "pkg/other.py")
    path = Path("xliff/pt-BR/pkg/other.xlf")
    text = path.read_text("utf-8")
    old = '<source xml:lang="en">Another page.</source>'
    path.write_text(text.replace(old, f"{old}<target>Outra página.</target>"), "utf-8")
    run("import", "xliff")
    (entry,) = polib.pofile("translations/pt-BR/pkg/other.po")
    assert (entry.msgstr, entry.fuzzy) == ("Outra página.", False)
