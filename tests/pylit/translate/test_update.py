"""Catalogs follow the sources, and nothing that a translator wrote is lost."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import polib
import pytest
from conftest import BEGUN, COMPLETE

from pylit.api import open_configuration, open_site
from pylit.i18n.blocks import Block, blocks
from pylit.i18n.catalog import State, catalog_path, load_catalog
from pylit.i18n.languages import direction, native_name
from pylit.i18n.po import read_po
from pylit.i18n.ui_strings import LOCALE, interface
from pylit.parsing.source import parse_python
from pylit.site.discovery import find_pages
from pylit.site.site import Site
from pylit.translate.interface import interface_strings
from pylit.translate.progress import INTERFACE, site_progress
from pylit.translate.update import site_changes, translation_memory, update, updated

LONG = (
    'A paragraph that is long enough to be broken, with `code`, $x$ and \\ "quotes" in it, over several lines. '
    * 2
)


def page(*paragraphs: str) -> list[Block]:
    prose = "\n\n".join(paragraphs)
    return list(blocks(parse_python(f'def f():\n    r"""\n{prose}\n    """\n    return 1\n', "a.py")))


def translate(path: Path, **texts: str) -> None:
    catalog = polib.pofile(str(path))
    for entry in catalog:
        entry.msgstr = texts.get(entry.msgid, entry.msgstr)
    catalog.save()


def test_new_catalog(tmp_path: Path) -> None:
    path = tmp_path / "zh/a.po"
    assert update(path, "zh", page("One", LONG)) == [path]
    catalog = polib.pofile(str(path))
    assert [entry.msgid for entry in catalog] == ["One", " ".join(LONG.split())]
    assert catalog[0].occurrences == [("a.py:f", "")]
    assert "return 1" in catalog[0].comment
    assert catalog.metadata["Language"] == "zh"


def test_second_run_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    update(path, "zh", page("One", LONG))
    before = path.read_bytes()
    assert update(path, "zh", page("One", LONG)) == []
    assert path.read_bytes() == before


def test_changed_block_keeps_its_translation_and_what_it_translated(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    text = " ".join(LONG.split())
    update(path, "zh", page("One", LONG))
    translate(path, **{text: "`code` $x$ 一段 `code` $x$"})
    update(path, "zh", page("One", LONG + "And more."))
    changed = text + " And more."
    catalog = polib.pofile(str(path))
    entry = catalog.find(changed)
    assert entry and entry.fuzzy
    assert entry.previous_msgid == text
    assert load_catalog(path, "zh").lookup(changed).state is State.STALE
    before = path.read_bytes()
    assert update(path, "zh", page("One", LONG + "And more.")) == []
    assert path.read_bytes() == before


def test_block_that_changes_twice_is_still_held_against_what_was_translated(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    first, second, third = (
        f"The long layer {x} its whole input ${y}$." for x, y in [("adds", "x"), ("adds", "y"), ("sums", "y")]
    )
    update(path, "zh", page(first))
    translate(path, **{first: "这一层加上输入 $x$。"})
    for text in (second, third):
        update(path, "zh", page(text))
        assert load_catalog(path, "zh").lookup(text).state is State.STALE
    update(path, "zh", page(first))
    assert load_catalog(path, "zh").lookup(first).state is State.TRANSLATED


def test_block_that_is_gone_is_kept_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    update(path, "zh", page("Something entirely different", "Two"))
    translate(path, **{"Something entirely different": "完全不同"})
    update(path, "zh", page("Two"))
    assert [entry.msgstr for entry in polib.pofile(str(path)).obsolete_entries()] == ["完全不同"]
    update(path, "zh", page("Something entirely different", "Two"))
    assert load_catalog(path, "zh").lookup("Something entirely different").text == "完全不同"


def test_block_that_nobody_translated_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    update(path, "zh", page("Something entirely different", "Two"))
    update(path, "zh", page("Two"))
    assert "Something" not in path.read_text("utf-8")


def test_percent_signs_do_not_make_a_format(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    update(path, "zh", page("An error of 3.57 % on ImageNet"))
    assert "python-format" not in path.read_text("utf-8")


def test_code_edits_leave_references_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    update(path, "zh", page("One"))
    lines = [line for line in path.read_text("utf-8").splitlines() if line.startswith("#:")]
    assert lines == ["#: a.py:f"]


@pytest.fixture(scope="module")
def our_site(root: Path) -> Site:
    return open_site(open_configuration(root / "pyproject.toml"), is_kept=False)


@pytest.mark.slow
def test_our_catalogs_are_in_line_with_the_sources(our_site: Site, tmp_path: Path) -> None:
    assert our_site.settings.translations
    copy = tmp_path / "translations"
    shutil.copytree(our_site.settings.translations, copy)
    changes = site_changes(find_pages(replace(our_site.settings, translations=copy)))
    changed = [change.path for change in changes if not change.is_layout]
    assert not changed, "run `make update` and translate what is new"


@pytest.mark.slow
def test_our_translations_are_as_complete_as_we_say(our_site: Site) -> None:
    """Chinese whole, Japanese where it has begun: nothing missing, nothing stale, nothing broken."""
    assert set(our_site.settings.languages) >= {"en", *COMPLETE, *BEGUN}
    found = list(site_progress(our_site, interface=True))
    for part in found:
        shared = part.file in (INTERFACE, our_site.settings.title_file)
        if part.lang in COMPLETE or (part.lang in BEGUN and (shared or part.file in BEGUN[part.lang])):
            assert part.translated == part.blocks > 0, part
    assert {part.lang for part in found if part.file == INTERFACE} >= {*COMPLETE, *BEGUN}
    for lang, files in BEGUN.items():
        assert {part.file for part in found if part.lang == lang} > set(files)


@pytest.mark.slow
def test_pages_that_nobody_has_begun_have_no_catalog(our_site: Site, root: Path) -> None:
    for lang in BEGUN:
        for page in our_site.pages:
            path = catalog_path(root / "translations", lang, page.file)
            written = any(entry.translated() for entry in polib.pofile(str(path))) if path.exists() else False
            assert path.exists() == written, path


@pytest.mark.parametrize("path", sorted(LOCALE.glob("*.po")), ids=lambda path: path.stem)
def test_numbers_are_in_every_translation_of_the_interface(path: Path) -> None:
    for text, translation in load_catalog(path, path.stem).entries.items():
        assert set(re.findall(r"%\(\w+\)s", translation.text)) == set(re.findall(r"%\(\w+\)s", text)), text


def test_interface_catalogs_have_every_string() -> None:
    for path in LOCALE.glob("*.po"):
        changes = updated(path, path.stem, interface_strings())
        assert all(change.is_layout for change in changes), "run `make update`"


@pytest.mark.process
def test_msgfmt_accepts_every_catalog(root: Path) -> None:
    msgfmt = shutil.which("msgfmt")
    assert msgfmt, "install gettext: the tests hold our catalogs against it"
    paths = [*(root / "translations").rglob("*.po"), *LOCALE.glob("*.po")]
    assert len(paths) > 5
    for path in paths:
        result = subprocess.run([msgfmt, "--check", "-o", "/dev/null", path], capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, ""), path


@pytest.mark.slow
def test_polib_reads_what_babel_wrote_and_writes_it_back_the_same(root: Path, tmp_path: Path) -> None:
    paths = [*(root / "translations").rglob("*.po"), *LOCALE.glob("*.po")]
    assert len(paths) > 5
    for path in paths:
        before = polib.pofile(str(path))
        copy = tmp_path / "copy.po"
        before.save(str(copy))
        after = polib.pofile(str(copy))
        assert len(after) == len(before) and after.metadata == before.metadata
        for one, other in zip(before, after, strict=True):
            for entry in (one, other):  # only lines are other ones
                entry.linenum = 0
                entry.comment = "".join(entry.comment.split())
            assert vars(one) == vars(other), path
        lang = before.metadata["Language"].replace("_", "-")
        ours, theirs = (
            {str(m.id): (m.string, m.fuzzy, m.previous_id, m.locations) for m in found}
            for found in (read_po(path, lang), read_po(copy, lang))
        )
        assert {**ours, "": None} == {**theirs, "": None}, path


def test_previous_english_survives_polib(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    update(path, "zh", page("One", LONG))
    translate(path, **{" ".join(LONG.split()): "长 `code` $x$"})
    update(path, "zh", page("One", LONG + "more"))
    before = path.read_text("utf-8")
    polib.pofile(str(path)).save(str(path))
    assert update(path, "zh", page("One", LONG + "more"))
    header = "PO-Revision-Date"
    lines = [line for line in path.read_text("utf-8").splitlines() if header not in line]
    assert lines == [line for line in before.splitlines() if header not in line]


def test_block_translated_on_another_page_is_offered(tmp_path: Path) -> None:
    one, two = tmp_path / "one.po", tmp_path / "two.po"
    update(one, "zh", page("The same.", "Aside."))
    translate(one, **{"The same.": "相同。", "Aside.": "旁白。"})
    update(one, "zh", page("The same."))  # what is gone is remembered too
    memory = translation_memory([one, two], "zh")
    assert memory == {"The same.": "相同。", "Aside.": "旁白。"}
    for changes in ([two], []):
        assert update(two, "zh", page("The same.", "Aside.", "New."), memory=memory) == changes
        entries = polib.pofile(str(two))
        assert [(e.msgid, e.msgstr, e.fuzzy, e.previous_msgid) for e in entries] == [
            ("The same.", "相同。", True, None),
            ("Aside.", "旁白。", True, None),
            ("New.", "", False, None),
        ]
        # Nobody has looked at it, so no page shows it.
        assert load_catalog(two, "zh").lookup("The same.").state is State.MISSING


def test_suggestions_are_not_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    update(path, "zh", page("The same."), memory={"The same.": "相同。"})
    assert translation_memory([path], "zh") == {}


def test_guide_for_translators_quotes_a_real_entry(root: Path) -> None:
    guide = (root / "docs/guide/translating.md").read_text("utf-8")
    msgid, msgstr = guide.split('msgid "')[1].split('"\nmsgstr "')
    catalog = load_catalog(root / "translations/zh/labml_nn/resnet/__init__.po", "zh")
    assert catalog.lookup(msgid).text == msgstr.split('"')[0]


def test_interface() -> None:
    assert interface("en")("Copy") == "Copy"
    assert interface("zh")("Copy") != "Copy"
    assert interface("zh")("not in the catalog") == "not in the catalog"
    assert (native_name("zh"), native_name("en"), native_name("fr"), native_name("xx")) == (
        "中文", "English", "Français", "xx",
    )  # fmt: skip
    assert (direction("zh"), direction("ar"), direction("xx")) == ("ltr", "rtl", "ltr")


def entries(path: Path) -> dict[str, tuple[str, bool, str | None]]:
    return {
        entry.msgid: (entry.msgstr, entry.fuzzy, entry.previous_msgid) for entry in polib.pofile(str(path))
    }


ROWS, COLUMNS = "`rows` is the number of rows", "`columns` is the number of columns"


def test_a_new_block_is_not_shown_as_its_sibling(tmp_path: Path) -> None:
    """Neither while the sibling is in use, nor when it is gone: it describes something else."""
    path = tmp_path / "a.po"
    update(path, "de", page(f"* {ROWS}"))
    translate(path, **{ROWS: "`rows` ist die Zahl der Zeilen"})
    update(path, "de", page(f"* {ROWS}\n* {COLUMNS}"))
    assert entries(path)[COLUMNS] == ("", False, None)
    update(path, "de", page(f"* {COLUMNS}"))
    assert load_catalog(path, "de").lookup(COLUMNS).state is State.MISSING
    update(path, "de", page(f"* {ROWS}"))
    assert load_catalog(path, "de").lookup(ROWS).text == "`rows` ist die Zahl der Zeilen"


def test_a_block_takes_the_place_of_one(tmp_path: Path) -> None:
    """Of two new ones that resemble the one that is gone, the closer one is its new version."""
    path = tmp_path / "a.po"
    update(path, "de", page("The layer adds its input to the output."))
    translate(path, **{"The layer adds its input to the output.": "Die Schicht addiert."})
    update(
        path, "de", page("The layer adds its bias to an output.", "The layer adds its input to the outputs.")
    )
    catalog = load_catalog(path, "de")
    assert catalog.lookup("The layer adds its input to the outputs.").state is State.STALE
    other = "The layer adds its bias to an output."
    assert catalog.lookup(other).state is State.MISSING
    assert entries(path)[other] == ("Die Schicht addiert.", True, None)  # offered to the translator


def test_the_exact_translation_is_offered_first(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    update(path, "de", page("The layer adds its input to the output."))
    translate(path, **{"The layer adds its input to the output.": "Ähnlich."})
    new = "The layer adds its input to the outputs."
    update(path, "de", page(new), memory={new: "Genau."})
    assert entries(path)[new] == ("Genau.", True, None)
    assert [entry.msgstr for entry in polib.pofile(str(path)).obsolete_entries()] == ["Ähnlich."]
