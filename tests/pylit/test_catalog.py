"""Translations: which one is given out, which one never is."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Write

from pylit.catalog import State, catalog_path, load_catalog, read_messages
from pylit.errors import Problem, PylitError, Severity

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def catalog(write: Write, entries: str) -> Path:
    return write("a.po", HEADER + entries)


def test_where_catalogs_lie() -> None:
    path = catalog_path(Path("translations"), "zh", "labml_nn/resnet/__init__.py")
    assert path == Path("translations/zh/labml_nn/resnet/__init__.po")
    assert catalog_path(Path("t"), "zh", "docs/guide/a.md") == Path("t/zh/docs/guide/a.po")


def test_no_catalog_is_an_empty_one(tmp_path: Path) -> None:
    assert load_catalog(tmp_path / "none.po", "zh").lookup("x").state is State.MISSING


def test_states(write: Write) -> None:
    path = catalog(
        write,
        'msgid "one"\nmsgstr "一"\n\n'
        'msgid "two"\nmsgstr ""\n\n'
        '#, fuzzy\n#| msgid "old three"\nmsgid "three"\nmsgstr "三"\n\n'
        '#, fuzzy\nmsgid "four"\nmsgstr "四"\n\n'
        '#~ msgid "five"\n#~ msgstr "五"\n',
    )
    found = load_catalog(path, "zh")
    states = {text: found.lookup(text).state for text in ("one", "two", "three", "four", "five")}
    assert states == {
        "one": State.TRANSLATED,
        "two": State.MISSING,
        "three": State.STALE,
        "four": State.MISSING,
        "five": State.MISSING,
    }
    assert found.lookup("one").text == "一"
    assert found.lookup("three").text == "三"
    assert [found.lookup(text).text for text in ("two", "four", "none")] == ["", "", ""]
    assert [found.lookup(text).line for text in ("one", "four", "none")] == [5, 17, 0]
    assert found.problems == ()


@pytest.mark.parametrize(
    ("original", "translation", "message"),
    [
        ("$x$ is", "是", "lacks the formula `x`"),
        ("$x$ is", "$x$ $x$ 是", "has the formula `x` that the original lacks"),
        ("$x$ is", "$y$ 是", "lacks the formula `x`; has the formula `y`"),
        ("`a` is", "a 是", "lacks the code `a`"),
        ("[a](b.py)", "[a](c.py)", "lacks the link `b.py`"),
        ("![a](b.svg)", "图", "lacks the picture `b.svg`"),
        ("a", "<b>一</b>", "has the HTML `<b>` that the original lacks"),
        ("a", "[一](javascript:alert)", "has a `](` that nothing closes"),  # CommonMark takes it for text
        ("a", "**一", "has a `**` that nothing closes"),
        ("a", "一\u202e二", "has the invisible character U+202E"),
    ],
)
def test_broken_translations_are_reported_and_never_given_out(
    write: Write, original: str, translation: str, message: str
) -> None:
    path = catalog(write, f'msgid "{original}"\nmsgstr "{translation}"\n')
    found = load_catalog(path, "zh")
    assert found.lookup(original).state is State.BROKEN
    assert found.lookup(original).text == ""
    (problem,) = found.problems
    assert problem.message.startswith(f"a translation {message}")
    hint = "It is left out until it has the same formulas, code and links as the original."
    assert problem == Problem(path.as_posix(), 5, problem.message, hint, Severity.WARNING)


def test_what_is_lacking_is_told_once(write: Write) -> None:
    """Not also as markup that nothing closes."""
    (problem,) = load_catalog(catalog(write, 'msgid "$x$ is"\nmsgstr "$x 是"\n'), "zh").problems
    assert problem.message == "a translation lacks the formula `x`"


def test_plural_entries_are_passed_over(write: Write) -> None:
    path = catalog(write, 'msgid "a"\nmsgid_plural "as"\nmsgstr[0] "b"\n\nmsgid "c"\nmsgstr "d"\n')
    assert list(load_catalog(path, "zh").entries) == ["c"]


def test_stale_translation_that_never_fitted(write: Write) -> None:
    """Although it would fit what the English is now."""
    path = catalog(write, '#, fuzzy\n#| msgctxt "x"\n#| msgid "$x$ is"\nmsgid "is"\nmsgstr "是"\n')
    (problem,) = load_catalog(path, "zh").problems
    assert problem.message == "a translation does not fit its previous original"


def test_the_context_of_a_previous_original_is_passed_over(write: Write) -> None:
    path = catalog(write, '#, fuzzy\n#| msgctxt "x"\n#| msgid "$x$ is"\nmsgid "is"\nmsgstr "$x$ 是"\n')
    assert load_catalog(path, "zh").lookup("is").state is State.STALE
    assert [message.previous_id for message in read_messages(path, "zh") if message.id] == [["$x$ is"]]


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_newlines_of_other_systems(write: Write, newline: str) -> None:
    path = catalog(write, 'msgid "a"\nmsgstr ""\n"b"\n')
    write("b.po", path.read_text("utf-8").replace("\n", newline))
    assert load_catalog(path.with_name("b.po"), "zh").lookup("a").text == "b"


def test_catalog_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PylitError, match=r":1: error: does not parse: .*Is a directory"):
        read_messages(tmp_path, "zh")


def test_order_is_free(write: Write) -> None:
    path = catalog(write, 'msgid "$x$ and `y`"\nmsgstr "`y` 和 $x$"\n')
    assert load_catalog(path, "zh").lookup("$x$ and `y`").state is State.TRANSLATED


def test_stale_translation_is_held_against_what_it_translated(write: Write) -> None:
    path = catalog(write, '#, fuzzy\n#| msgid "$x$ is"\nmsgid "$x$ and $y$ are"\nmsgstr "$x$ 是"\n')
    assert load_catalog(path, "zh").lookup("$x$ and $y$ are").state is State.STALE


def test_previous_text_over_several_lines(write: Write) -> None:
    path = catalog(
        write,
        '#, fuzzy\n#| msgid ""\n#| "a \\"b\\" "\n#| "c"\nmsgid "d"\nmsgstr "e"\n\n# a note\nmsgid "f"\nmsgstr ""\n',
    )
    messages = {str(message.id): message for message in read_messages(path, "zh")}
    assert messages["d"].previous_id == ['a "b" c']
    assert messages["d"].user_comments == []
    assert messages["f"].user_comments == ["a note"]
    assert not messages["f"].previous_id


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('msgid "a"\nmsgstr "b\n', r'6: error: does not parse: the string does not end .*: msgstr "b'),
        ("nonsense\n", r"5: error: does not parse: Unknown or misformatted keyword\n"),
        (
            'msgid "a"\nmsgid "b"\nmsgstr "c"\n',
            r"5: error: does not parse: missing msgstr for msgid 'a'\n",
        ),
        ('msgid "a"\nmsgstr[x] "b"\n', "1: error: does not parse: invalid literal for int"),
    ],
)
def test_catalog_that_does_not_parse(write: Write, text: str, message: str) -> None:
    path = catalog(write, text)
    with pytest.raises(PylitError, match=rf"a\.po:{message}") as error:
        load_catalog(path, "zh")
    assert error.value.problem.hint == "Catalogs are gettext files in UTF-8; `msgfmt --check` explains."


def test_contexts_are_refused(write: Write) -> None:
    path = catalog(write, 'msgctxt "x"\nmsgid "a"\nmsgstr "b"\n')
    with pytest.raises(PylitError, match=r"a\.po:5: error: does not parse: entries with a msgctxt"):
        load_catalog(path, "zh")


def test_what_obsolete_entries_were_is_passed_over(write: Write) -> None:
    path = catalog(write, '#~| msgid "Older"\n#~ msgid "Old"\n#~ msgstr "旧"\n\nmsgid "a"\nmsgstr "b"\n')
    assert load_catalog(path, "zh").lookup("a").text == "b"


def test_catalog_that_is_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    path.write_bytes(HEADER.encode() + b'msgid "a"\nmsgstr "\xff"\n')
    with pytest.raises(PylitError, match=r"a\.po:6: error: is not UTF-8: invalid start byte"):
        load_catalog(path, "zh")
