"""Other tools save catalogs in their own layout: only what a catalog says counts, and `update` brings ours back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import polib
import pytest
from toolkits import translate_with_toolkit

from pylit.i18n.blocks import Block
from pylit.i18n.catalog import State, load_catalog
from pylit.i18n.po import read_po
from pylit.translate.update import update, updated

LONG = (
    'A paragraph that is long enough to be broken, with `code` and \\ "quotes" in it, over several lines. '
    * 2
)
BLOCKS = [
    Block("Title", "docs/a b.md", 1, ""),
    Block(LONG.strip(), "docs/a b.md", 3, "", "x = 1\n    y = 2"),
    Block("Changed now, and then some more.", "docs/a b.md", 5, "f.g"),
]
THEIRS = {
    "X-Generator": "Weblate 5.8",
    "X-Crowdin-Project": "annotated",
    "Last-Translator": "Erika <erika@example.org>",
    "Plural-Forms": "nplurals=2; plural=n != 1;",
    "Language": "de_DE",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A catalog in our layout with entries in all states, and the header of another tool."""
    path = tmp_path / "a.po"
    old = [
        Block("Gone.", "docs/a b.md", 1, ""),
        Block("Changed now, and then more.", "docs/a b.md", 5, "f.g"),
    ]
    update(path, "de", [*BLOCKS[:2], *old])
    po = polib.pofile(str(path))
    for entry in po:
        entry.msgstr = "Übersetzt: `code` und \\ mehr." if "`" in entry.msgid else "Übersetzt."
    po.metadata.update(THEIRS)
    po.save()
    update(path, "de", BLOCKS)
    assert update(path, "de", BLOCKS) == []
    return path


def by_msgcat(path: Path, *options: str) -> None:
    path.write_bytes(subprocess.run(["msgcat", *options, str(path)], check=True, capture_output=True).stdout)


def by_polib(path: Path, width: int) -> None:
    po = polib.pofile(str(path), wrapwidth=width)
    po.save()


def by_hand(path: Path) -> None:
    """Strings on one line, in Windows' line endings, without a line at the end."""
    text = path.read_text("utf-8").replace('""\n"', '"').replace('"\n"', "").rstrip("\n")
    path.write_bytes(text.replace("\n", "\r\n").encode())


TOOLS = {
    "msgcat": lambda path: by_msgcat(path),
    "msgcat --no-wrap": lambda path: by_msgcat(path, "--no-wrap"),
    "Poedit, sorted": lambda path: by_msgcat(path, "--width=79", "--sort-output"),
    "Weblate": lambda path: by_polib(path, 77),
    "Crowdin": lambda path: by_polib(path, 0),
    "Translate Toolkit": lambda path: translate_with_toolkit(path, **{"Title": "Übersetzt."}),
    "hand": by_hand,
}


@pytest.mark.process
@pytest.mark.parametrize("tool", TOOLS)
def test_layout_of_other_tools_is_no_change(path: Path, tool: str) -> None:
    before = path.read_text("utf-8")
    TOOLS[tool](path)
    assert path.read_text("utf-8") != before
    (change,) = updated(path, "de", BLOCKS)
    assert change.is_layout
    assert update(path, "de", BLOCKS) == [path]
    assert path.read_text("utf-8") == before  # the date of the last revision too


def test_what_translators_change_is_a_change(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace('msgid "Title"', 'msgid "Titel"'), "utf-8")
    (change,) = updated(path, "de", BLOCKS)
    assert not change.is_layout


def test_headers_of_other_tools_are_kept(path: Path) -> None:
    assert polib.pofile(str(path)).metadata.items() >= THEIRS.items()


@pytest.mark.process
def test_states_survive(path: Path) -> None:
    """A stale entry, one that is gone while stale, and the path with a space."""
    assert load_catalog(path, "de").lookup("Changed now, and then some more.").state is State.STALE
    update(path, "de", BLOCKS[:2])
    (stale, _) = sorted(read_po(path, "de").obsolete.values(), key=lambda one: str(one.id))
    assert stale.fuzzy and stale.previous_id == ["Changed now, and then more."]
    by_msgcat(path)
    update(path, "de", BLOCKS)
    found = load_catalog(path, "de").lookup("Changed now, and then some more.")
    assert (found.state, found.text) == (State.STALE, "Übersetzt.")
    checked = subprocess.run(["msgfmt", "--check", "-o", "/dev/null", path], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


ENTRY = 'msgid "Title"\nmsgstr "Titel"\n'


@pytest.mark.parametrize(
    "header",
    [
        "",
        '#, fuzzy\nmsgid ""\nmsgstr ""\n"Language: de\\n"\n"X-Generator: Poedit 3\\n"\n\n',
        'msgid ""\nmsgstr ""\n"Last-Translator: FULL NAME <EMAIL@ADDRESS>\\n"\n"Language: \\n"\n'
        '"PO-Revision-Date: YEAR-MO-DA HO:MI+ZONE\\n"\n"POT-Creation-Date: \\n"\n\n',
    ],
)
@pytest.mark.process
def test_headers_that_are_not_finished_are_completed(tmp_path: Path, header: str) -> None:
    path = tmp_path / "a.po"
    path.write_text(header + ENTRY, "utf-8")
    update(path, "de", BLOCKS[:1])
    text = path.read_text("utf-8")
    assert "FIRST AUTHOR" not in text and "FULL NAME" not in text and "YEAR" not in text
    assert ("X-Generator: Poedit 3" in text) == ("X-Generator" in header)
    assert load_catalog(path, "de").lookup("Title").text == "Titel"
    checked = subprocess.run(["msgfmt", "--check", "-o", "/dev/null", path], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert update(path, "de", BLOCKS[:1]) == []
