"""Gettext files are read whole, or refused with the line."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Write

from pylit.errors import PylitError
from pylit.i18n.blocks import Block
from pylit.i18n.catalog import State, load_catalog
from pylit.i18n.languages import po_locale
from pylit.i18n.po import read_po
from pylit.translate.update import update

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def catalog(write: Write, entries: str) -> Path:
    return write("a.po", HEADER + entries)


def test_the_context_of_a_previous_original_is_passed_over(write: Write) -> None:
    path = catalog(write, '#, fuzzy\n#| msgctxt "x"\n#| msgid "$x$ is"\nmsgid "is"\nmsgstr "$x$ 是"\n')
    assert load_catalog(path, "zh").lookup("is").state is State.STALE
    assert [message.previous_id for message in read_po(path, "zh") if message.id] == [["$x$ is"]]


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_newlines_of_other_systems(write: Write, newline: str) -> None:
    path = catalog(write, 'msgid "a"\nmsgstr ""\n"b"\n')
    write("b.po", path.read_text("utf-8").replace("\n", newline))
    assert load_catalog(path.with_name("b.po"), "zh").lookup("a").text == "b"


def test_catalog_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PylitError, match=r":1: error: does not parse: .*Is a directory"):
        read_po(tmp_path, "zh")


def test_previous_text_over_several_lines(write: Write) -> None:
    path = catalog(
        write,
        '#, fuzzy\n#| msgid ""\n#| "a \\"b\\" "\n#| "c"\nmsgid "d"\nmsgstr "e"\n\n# a note\nmsgid "f"\nmsgstr ""\n',
    )
    messages = {str(message.id): message for message in read_po(path, "zh")}
    assert messages["d"].previous_id == ['a "b" c']
    assert messages["d"].user_comments == []
    assert messages["f"].user_comments == ["a note"]
    assert not messages["f"].previous_id


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('msgid "a"\nmsgstr "b\n', r'6: error: does not parse: the string is not closed .*: msgstr "b'),
        ("nonsense\n", r"5: error: does not parse: Unknown or misformatted keyword\n"),
        (
            'msgid "a"\nmsgid "b"\nmsgstr "c"\n',
            r"5: error: does not parse: missing msgstr for msgid 'a'\n",
        ),
        ('msgid "a"\nmsgstr[x] "b"\n', "5: error: does not parse: invalid literal for int"),
    ],
)
def test_catalog_that_does_not_parse(write: Write, text: str, message: str) -> None:
    path = catalog(write, text)
    with pytest.raises(PylitError, match=rf"a\.po:{message}") as error:
        load_catalog(path, "zh")
    assert (
        error.value.problem.hint == "Catalogs are gettext files in UTF-8; run `msgfmt --check` for details."
    )


def test_contexts_are_refused(write: Write) -> None:
    path = catalog(write, 'msgctxt "x"\nmsgid "a"\nmsgstr "b"\n')
    with pytest.raises(PylitError, match=r"a\.po:5: error: does not parse: entries with a msgctxt"):
        load_catalog(path, "zh")


@pytest.mark.parametrize("again", ['msgid "a"\nmsgstr "c"\n', '#~ msgid "a"\n#~ msgstr "c"\n'])
def test_entries_that_occur_twice_are_refused(write: Write, again: str) -> None:
    """Nothing tells which translation is right, so `update` may not drop one either."""
    path = catalog(write, f'msgid "a"\nmsgstr ""\n\n{again}')
    before = path.read_bytes()
    with pytest.raises(
        PylitError, match=r"a\.po:8: error: does not parse: the same entry is in line 5; keep"
    ):
        load_catalog(path, "zh")
    with pytest.raises(PylitError, match=r"a\.po:8: .*line 5"):
        update(path, "zh", [Block("a", "a.md", 1, "")])
    assert path.read_bytes() == before


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "#<<<<<<< HEAD", "=======", ">>>>>>> theirs"])
def test_conflicts_are_refused(write: Write, mark: str) -> None:
    path = catalog(write, f'{mark}\nmsgid "a"\nmsgstr "b"\n')
    with pytest.raises(PylitError, match=r"a\.po:5: error: does not parse: a conflict of two versions"):
        load_catalog(path, "zh")


@pytest.mark.parametrize(
    ("lang", "header", "is_refused"),
    [
        ("de", "de_DE", False),
        ("pt-BR", "pt_BR", False),
        ("pt-BR", "pt-BR", False),
        ("sr-Latn", "sr@latin", False),
        ("zh", "zh_Hans", False),
        ("de", "", False),
        ("de", "LANGUAGE", False),
        ("de", "fr", True),
        ("de", "Deutsch, bitte", True),
        ("zh", "zh_TW", True),
        ("pt-BR", "pt_PT", True),
    ],
)
def test_headers_of_another_language(write: Write, lang: str, header: str, is_refused: bool) -> None:
    path = write("a.po", f'msgid ""\nmsgstr "Language: {header}\\n"\n\nmsgid "a"\nmsgstr "b"\n')
    if is_refused:
        with pytest.raises(
            PylitError, match=rf"a\.po:1: .*`Language: {header}`; expected `Language: {po_locale(lang)}`"
        ):
            load_catalog(path, lang)
    else:
        assert load_catalog(path, lang).lookup("a").text == "b"


def test_second_header(write: Write) -> None:
    path = catalog(write, HEADER)
    with pytest.raises(PylitError, match=r"a\.po:5: error: does not parse: the file has two headers"):
        load_catalog(path, "zh")


def test_what_obsolete_entries_were_is_passed_over(write: Write) -> None:
    path = catalog(write, '#~| msgid "Older"\n#~ msgid "Old"\n#~ msgstr "旧"\n\nmsgid "a"\nmsgstr "b"\n')
    assert load_catalog(path, "zh").lookup("a").text == "b"


def test_catalog_that_is_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    path.write_bytes(HEADER.encode() + b'msgid "a"\nmsgstr "\xff"\n')
    with pytest.raises(PylitError, match=r"a\.po:6: error: is not UTF-8: invalid start byte"):
        load_catalog(path, "zh")
