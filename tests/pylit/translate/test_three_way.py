"""Two people translate the same catalog, and git joins what they have done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from sampling import examples

from pylit.cli.main import main
from pylit.i18n import po_text
from pylit.i18n.po import parse_po
from pylit.i18n.po_catalog import PoCatalog
from pylit.translate import merge_catalogs

HEADER = """msgid ""
msgstr ""
"PO-Revision-Date: 2026-01-0{day} 10:00+0000\\n"
"Last-Translator: {name} <a@example.org>\\n"
"Language: de\\n"

"""
A, B, C = (f'msgid "{one}"\nmsgstr "{{}}"\n\n' for one in "ABC")


def po(*entries: str, day: int = 1, name: str = "Ada") -> str:
    return HEADER.format(day=day, name=name) + "".join(entries)


def merged(base: str, ours: str, theirs: str) -> tuple[PoCatalog, list[str]]:
    catalogs = [parse_po(text.encode(), "a.po", "de") for text in (base, ours, theirs)]
    conflicts = merge_catalogs(*catalogs)
    return catalogs[1], list(conflicts)


def texts(catalog: PoCatalog) -> dict[str, str]:
    return {str(message.id): str(message.string) for message in catalog}


def test_each_side_translates_something_else() -> None:
    catalog, conflicts = merged(
        po(A.format(""), B.format(""), C.format("c")),
        po(A.format("ours"), B.format(""), C.format("c")),
        po(A.format(""), B.format("theirs"), C.format("c")),
    )
    assert (texts(catalog), conflicts) == ({"A": "ours", "B": "theirs", "C": "c"}, [])


def test_new_entries_stay_where_they_were_and_removed_ones_go() -> None:
    catalog, conflicts = merged(
        po(A.format("a"), B.format("")),
        po(A.format("a"), C.format("c")),
        po('msgid "0"\nmsgstr ""\n\n', A.format("a"), B.format("")),
    )
    assert (list(texts(catalog)), conflicts) == (["0", "A", "C"], [])
    assert not catalog.obsolete


def test_a_translation_of_what_the_other_side_removed_is_kept() -> None:
    catalog, conflicts = merged(
        po(A.format("a"), B.format("")), po(A.format("a")), po(A.format("a"), B.format("b"))
    )
    assert (list(texts(catalog)), conflicts) == (["A"], [])
    assert catalog.obsolete["B"].string == "b"


def test_a_better_translation_reaches_the_english_that_changed_meanwhile() -> None:
    fuzzy = '#, fuzzy\n#| msgid "A"\nmsgid "A!"\nmsgstr "a"\n\n'
    obsolete = '#~ msgid "A"\n#~ msgstr "a"\n\n'
    for sides in ((fuzzy + obsolete, A.format("better")), (A.format("better"), fuzzy + obsolete)):
        catalog, conflicts = merged(po(A.format("a")), *map(po, sides))
        assert (texts(catalog), conflicts) == ({"A!": "better"}, [])
        assert catalog.entries["A!"].fuzzy


def test_a_finished_translation_is_preferred_to_a_draft() -> None:
    draft = '#, fuzzy\nmsgid "A"\nmsgstr "draft"\n\n'
    for sides in ((draft, A.format("a")), (A.format("a"), draft)):
        catalog, conflicts = merged(po(A.format("")), *map(po, sides))
        assert (texts(catalog), conflicts) == ({"A": "a"}, [])
        assert not catalog.entries["A"].fuzzy


def test_comments_places_and_flags_of_both_sides() -> None:
    plain = "#: a.py:f\n" + A.format("a")
    catalog, _ = merged(po(plain), po("# checked\n" + plain), po("#: b.py:f\n#, md-text\n" + A.format("a")))
    assert po_text(catalog).endswith('# checked\n#: b.py:f\n#, md-text\nmsgid "A"\nmsgstr "a"\n\n')


def test_header_is_that_of_the_later_revision() -> None:
    theirs = po(A.format("a"), day=3, name="Emmy").replace(
        '"Language:', '"X-Generator: Weblate\\n"\n"Language:'
    )
    catalog, _ = merged(po(A.format("")), po(A.format(""), day=2), theirs)
    assert catalog.header.splitlines() == [
        "PO-Revision-Date: 2026-01-03 10:00+0000",
        "Last-Translator: Emmy <a@example.org>",
        "Language: de",
        "X-Generator: Weblate",
    ]


SIDE = st.dictionaries(st.sampled_from("ABCDE"), st.sampled_from(["", "x", "y", "z"]))


def side(found: dict[str, str]) -> str:
    return po(*(f'msgid "{id}"\nmsgstr "{text}"\n\n' for id, text in found.items()))


@given(SIDE, SIDE, SIDE)
@examples(500)
def test_nothing_that_anybody_wrote_is_lost(
    base: dict[str, str], ours: dict[str, str], theirs: dict[str, str]
) -> None:
    sides = [parse_po(side(one).encode(), "a.po", "de") for one in (base, ours, theirs)]
    conflicts = merge_catalogs(*sides)
    found = parse_po(po_text(sides[1]).encode(), "a.po", "de")
    kept = {**texts(found), **{id: str(message.string) for id, message in found.obsolete.items()}}
    for mine in (ours, theirs):
        for id, text in mine.items():
            if text and text != base.get(id, ""):
                assert text in (kept.get(id), conflicts[id].string if id in conflicts else ""), (
                    id,
                    text,
                    kept,
                )
    assert all(ours[id] and theirs[id] and ours[id] != theirs[id] for id in conflicts)


@given(SIDE, SIDE)
@examples(200)
def test_a_side_that_changed_nothing_has_no_say(base: dict[str, str], other: dict[str, str]) -> None:
    for sides in ((base, other), (other, base)):
        catalog, conflicts = merged(side(base), *map(side, sides))
        assert (texts(catalog), conflicts) == (other, [])


def run(folder: Path, base: str, ours: str, theirs: str) -> Result:
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_text(text, "utf-8")
    names = [str(folder / name) for name in ("base", "ours", "theirs")]
    return CliRunner().invoke(main, ["merge-po", *names, "translations/de/a.po"])


def test_two_translations_of_one_entry_are_a_conflict(tmp_path: Path) -> None:
    result = run(tmp_path, po(A.format("")), po(A.format("ours")), po(A.format("theirs")))
    assert result.exit_code == 1
    assert (
        result.stderr
        == "translations/de/a.po: 1 entry translated differently on both sides; keep one of each\n"
    )
    expected = f"<<<<<<< ours\n{A.format('ours')[:-1]}=======\n{A.format('theirs')[:-1]}>>>>>>> theirs\n\n"
    assert (tmp_path / "ours").read_text("utf-8").endswith(expected)


@pytest.mark.process
def test_a_catalog_that_does_not_parse_is_merged_by_lines(tmp_path: Path) -> None:
    result = run(tmp_path, po(A.format("")), po(A.format("ours")), po('msgid "A"\nmsgstr "open\n'))
    assert result.exit_code == 1
    assert "does not parse: the string is not closed on its line" in result.stderr
    assert "merged line by line instead" in result.stderr
    assert '<<<<<<< ours\nmsgstr "ours"' in (tmp_path / "ours").read_text("utf-8")


@pytest.mark.process
def test_git_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")

    def git(*words: str) -> None:
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *who, *words], check=True, capture_output=True)

    def commit(text: str) -> None:
        Path("a.po").write_text(text, "utf-8")
        git("add", "-A")
        git("commit", "-m", "A catalog")

    git("init", "-b", "main")
    git("config", "merge.pylit.driver", f"{sys.executable} -m pylit merge-po %O %A %B %P")
    Path(".gitattributes").write_text("*.po merge=pylit\n")
    commit(po(A.format(""), B.format("")))
    git("switch", "-c", "other")
    commit(po(A.format("theirs"), B.format(""), day=3))
    git("switch", "main")
    commit(po(A.format(""), B.format("ours"), day=2))
    git("merge", "other")
    assert Path("a.po").read_text("utf-8") == po(A.format("theirs"), B.format("ours"), day=3)
