"""A passage is saved as `pylit update` would write it, and nobody else's work is replaced unseen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from conftest import Write

from pylit.api import open_configuration, open_site
from pylit.i18n.blocks import entry_id
from pylit.i18n.catalog import State
from pylit.site.site import Site
from pylit.translate.passages import (
    CatalogReader,
    ConflictError,
    Passage,
    PassageCatalog,
    RefusedError,
    save_translation,
)
from pylit.translate.update import site_changes

CONFIG = 'sources = ["pkg"]\nlanguages = ["en", "zh"]\n'
SOURCE = '"""\n# Home\n\nSome words with $x$ and `code`.\n\nMore words of this page.\n"""\n'
TEXT = "Some words with $x$ and `code`."


class Desk:
    """A site of one page, and its catalog."""

    def __init__(self, root: Path, write: Write) -> None:
        self.root, self.write = root, write
        self.read = CatalogReader()
        self.path = root / "translations/zh/pkg/__init__.po"
        write("pylit.toml", CONFIG)
        write("pkg/__init__.py", SOURCE)
        write("translations/zh/glossary.yml", "[]\n")

    @property
    def site(self) -> Site:
        return open_site(open_configuration(self.root / "pylit.toml", {}), is_kept=False)

    def open(self) -> PassageCatalog:
        site = self.site
        return PassageCatalog(site, site.pages[0], "zh", self.read)

    def passage(self, text: str) -> Passage:
        passage = self.open().passage(entry_id(text))
        assert passage
        return passage

    def save(self, seen: Passage, translation: str | None) -> Passage:
        return save_translation(self.open, seen.id, seen.seen, translation)

    def entries(self) -> dict[str, str]:
        return {entry.msgid: entry.msgstr for entry in polib.pofile(str(self.path))}


@pytest.fixture
def desk(tmp_path: Path, write: Write) -> Desk:
    return Desk(tmp_path, write)


def test_saved_catalog_is_as_update_writes_it(desk: Desk) -> None:
    assert [one.text for one in desk.open().passages()] == ["Home", TEXT, "More words of this page."]
    saved = desk.save(desk.passage(TEXT), "  有 $x$ 与 `code` 的话。\n")
    assert (saved.state, saved.translation) == (State.TRANSLATED, "有 $x$ 与 `code` 的话。")
    assert desk.entries() == {"Home": "", TEXT: "有 $x$ 与 `code` 的话。", "More words of this page.": ""}
    assert site_changes(desk.site) == []


def test_other_entries_changed_meanwhile_are_kept(desk: Desk) -> None:
    seen = desk.passage(TEXT)
    desk.save(desk.passage("Home"), "首页")
    desk.save(seen, "有 $x$ 与 `code` 的话。")
    assert desk.entries()["Home"] == "首页"


def test_entry_changed_meanwhile_is_a_conflict_that_writes_nothing(desk: Desk) -> None:
    seen = desk.passage(TEXT)
    theirs = desk.save(seen, "他们的 $x$ `code`")
    before = desk.path.read_bytes()
    with pytest.raises(ConflictError) as caught:
        desk.save(seen, "我的 $x$ `code`")
    assert caught.value.passage == theirs and desk.path.read_bytes() == before
    assert desk.save(theirs, "我的 $x$ `code`").translation == "我的 $x$ `code`"


def test_passage_that_is_gone_is_a_conflict(desk: Desk) -> None:
    seen = desk.passage(TEXT)
    desk.write("pkg/__init__.py", SOURCE.replace("Some", "Few"))
    with pytest.raises(ConflictError) as caught:
        desk.save(seen, "话 $x$ `code`")
    assert caught.value.passage is None and not desk.path.exists()


def test_stale_passage_is_accepted_unless_its_parts_have_changed(desk: Desk) -> None:
    desk.save(desk.passage(TEXT), "有 $x$ 与 `code` 的话。")
    desk.write("pkg/__init__.py", SOURCE.replace("Some words", "Some few words"))
    stale = desk.passage(TEXT.replace("Some", "Some few"))
    assert stale.state is State.STALE
    assert [pair for pair in stale.changes if pair[0] != pair[1]] == [("", " few")]
    accepted = desk.save(stale, None)
    assert (accepted.state, accepted.translation) == (State.TRANSLATED, "有 $x$ 与 `code` 的话。")
    with pytest.raises(RefusedError, match="its original has not changed"):
        desk.save(accepted, None)

    desk.write("pkg/__init__.py", SOURCE.replace("Some words with $x$", "Some few words with $y$"))
    stale = desk.passage(TEXT.replace("Some", "Some few").replace("x", "y"))
    with pytest.raises(RefusedError, match="its formulas, code or links have changed"):
        desk.save(stale, None)


def test_broken_markdown_is_kept_and_not_shown(desk: Desk) -> None:
    saved = desk.save(desk.passage(TEXT), "有 **$x$ 与 `code 的话")
    assert (saved.state, saved.translation) == (State.BROKEN, "有 **$x$ 与 `code 的话")
    assert desk.passage(TEXT) == saved
    assert desk.save(saved, "").state is State.MISSING


@pytest.mark.parametrize(
    "text",
    [
        '"\\n"\nmsgid "Home"',
        "<<<<<<< ours\n=======",
        "\\\\\t\\",
        "a\u2028b\x85c",
        "#~ msgid",
        "\\",
        "a\x00\rb\x1b",
    ],
)
def test_text_that_looks_like_a_catalog_is_read_back_as_it_was_written(desk: Desk, text: str) -> None:
    assert desk.save(desk.passage(TEXT), text).translation == text
    assert site_changes(desk.site) == []


def test_text_that_no_catalog_can_hold_is_refused(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="characters that no catalog can hold"):
        desk.save(desk.passage(TEXT), "\ud800")
    assert not desk.path.exists()


def test_suggestions_are_similar_texts_of_the_whole_site(desk: Desk) -> None:
    desk.write("pkg/other.py", '"""\n# Other\n\nMore words of that page.\n\nQuite another text.\n"""\n')
    desk.write(
        "translations/zh/pkg/other.po",
        'msgid "More words of that page."\nmsgstr "那一页的更多话。"\n\nmsgid "Quite another text."\nmsgstr "别的。"\n',
    )
    found = desk.open().similar_translations("More words of this page.")
    assert found == [("More words of that page.", "那一页的更多话。")]
    # What is offered changes when a catalog does.
    desk.write("translations/zh/pkg/other.po", 'msgid "More words of that page."\nmsgstr "另一种译法。"\n')
    assert desk.open().similar_translations("More words of this page.")[0][1] == "另一种译法。"


def test_exact_match_of_another_page_is_a_suggestion_and_no_translation(desk: Desk) -> None:
    desk.write("pkg/other.py", f'"""\n# Other\n\n{TEXT}\n"""\n')
    desk.write("translations/zh/pkg/other.po", f'msgid "{TEXT}"\nmsgstr "$x$ 与 `code`"\n')
    passage = desk.passage(TEXT)
    assert (passage.state, passage.translation, passage.suggestion) == (State.MISSING, "", "$x$ 与 `code`")


def test_catalog_that_another_program_changes_all_the_time_is_not_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = desk.passage(TEXT)
    monkeypatch.setattr(PassageCatalog, "is_on_disk", lambda self: False)
    with pytest.raises(RefusedError, match="another program keeps changing the catalog"):
        desk.save(seen, "话")
    assert not desk.path.exists()


def test_catalog_of_a_moved_page_moves_with_the_first_entry_that_is_saved(desk: Desk) -> None:
    desk.save(desk.passage(TEXT), "有 $x$ 与 `code` 的话。")
    desk.save(desk.passage("Home"), "首页")
    (desk.root / "pkg/__init__.py").rename(desk.root / "pkg/moved.py")
    desk.save(desk.passage("More words of this page."), "更多。")
    assert not desk.path.exists()
    desk.path = desk.path.with_name("moved.po")
    assert desk.entries() == {
        "Home": "首页",
        TEXT: "有 $x$ 与 `code` 的话。",
        "More words of this page.": "更多。",
    }


KILLED = """\
import os, signal, sys
from pathlib import Path
from pylit.api import open_configuration, open_site
from pylit.i18n.blocks import entry_id
from pylit.translate.passages import CatalogReader, PassageCatalog, save_translation

def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

os.replace = die
site = open_site(open_configuration(Path("pylit.toml"), {}), is_kept=False)
read = CatalogReader()
desk = lambda: PassageCatalog(site, site.pages[0], "zh", read)
passage = desk().passage(entry_id(sys.argv[1]))
save_translation(desk, passage.id, passage.seen, "新的 $x$ `code`")
"""


@pytest.mark.process
def test_catalog_is_whole_when_the_program_is_killed_while_saving(desk: Desk) -> None:
    desk.save(desk.passage(TEXT), "旧的 $x$ `code`")
    before = desk.path.read_bytes()
    ended = subprocess.run([sys.executable, "-c", KILLED, TEXT], cwd=desk.root, env=_environment())
    assert ended.returncode == -9
    assert desk.path.read_bytes() == before
    assert desk.passage(TEXT).translation == "旧的 $x$ `code`"
    assert desk.save(desk.passage(TEXT), "新的 $x$ `code`").translation == "新的 $x$ `code`"


def _environment() -> dict[str, str]:
    root = Path(__file__).parents[3]
    return {**os.environ, "PYTHONPATH": str(root)}
