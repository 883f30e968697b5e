"""Translations have the numbers of their originals, and markup that works."""

from __future__ import annotations

import pytest

from pylit.checks.wording import wording_problems
from pylit.i18n.catalog import misfits


@pytest.mark.parametrize(
    ("original", "translation"),
    [
        ("The error is 28.54 %.", "Der Fehler ist 28,54 %."),
        ("All 60,000 images, 1 of 10.", "Alle 60 000 Bilder, eines von 10."),
        ("All 60,000 images.", "所有 60000 张图片。"),
        ("In 2015, stage 2.", "في عام ٢٠١٥، المرحلة ٢."),
        ("Two layers.", "2 Schichten."),
        ("With 3 blocks.", "Mit drei Blöcken."),
        ("200 million pixels, 7.57 billion steps.", "两亿像素，75.7 亿步。"),
        ("Use $28$ and `82`.", "Nutze `82` und $28$."),
        ("a `x_y_z` and snake_case_name, 2 * 3", "ein `x_y_z` und snake_case_name, 2 * 3"),
        ("*word* and __init__", "_Wort_ und __init__"),
    ],
)
def test_what_is_the_same(original: str, translation: str) -> None:
    assert list(wording_problems(original, translation)) == []


@pytest.mark.parametrize(
    ("original", "translation", "problem"),
    [
        ("The error is 28.54 %.", "Der Fehler ist 82,54 %.", "lacks the number 28.54, but has 82,54"),
        ("Has 3 layers.", "Hat 5 Schichten.", "lacks the number 3, but has 5"),
        ("In 2015, and later.", "Damals und später.", "lacks the number 2015"),
        ("200 million pixels.", "三亿 300 像素。", "lacks the number 200, but has 300"),
        ("This is *stressed*.", "Dies ist be_ton_t.", "`_ton_` inside a word is no emphasis; write `*ton*`"),
        ("This is *stressed*.", "这是_重点_的。", "`_重点_` inside a word is no emphasis; write `*重点*`"),
        ("This is *stressed*.", "Dies ist * betont *.", "a single `*` is shown as it is"),
        ("Plain.", "# Schlicht.", "begins with `# `, which is shown as it is"),
        ("Plain.", "> Schlicht.", "begins with `> `, which is shown as it is"),
        ("Plain.", "1. Schlicht.", "begins with `1. `, which is shown as it is"),
    ],
)
def test_what_is_named(original: str, translation: str, problem: str) -> None:
    (found,) = wording_problems(original, translation)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("original", "translation", "found"),
    [
        ("One.", "Eins.\n\nZwei.", ["has several paragraphs, where the original has one"]),
        ("See [guide][g].", "Siehe [Anleitung][g].", []),
        ("See [guide][].", "Siehe [Anleitung][guide].", []),
        ("See [guide][g].", "Siehe [Anleitung][h].", ["lacks the link `[…][g]`"]),
        ("See [guide][g].", "Siehe Anleitung.", ["lacks the link `[…][g]`"]),
        ("a", "\u2067ب\u2069 \u2066b \u2068c\u2069\u2069", []),
        ("a", "\u2067b", ["has the invisible character U+2067"]),
        ("a", "b\u2069\u2066", ["has the invisible character U+2069", "has the invisible character U+2066"]),
        (
            "a",
            "b\u034fc\ufe0fd\u2028",
            [f"has the invisible character U+{c}" for c in ("034F", "FE0F", "2028")],
        ),
        ("a", "b" + "\u200c\u200d" * 4, ["has the invisible character U+200C"]),
        (
            "a",
            "\U0001f3f4\U000e0049\U000e0020\U000e0041\U000e007f",
            [f"has the invisible character U+{c}" for c in ("E0049", "E0020", "E0041", "E007F")],
        ),
    ],
)
def test_what_does_not_fit(original: str, translation: str, found: list[str]) -> None:
    assert misfits(original, translation) == found


@pytest.mark.parametrize(
    ("translation", "fits"),
    [
        (r"$x = 0 \text{，如果 } y$", True),
        (r"$x = 1 \text{，如果 } y$", False),
        (r"$x = 0 \textbf{，如果 } y$", False),
        (r"$x = 0 \text{，\href{a}{如果} } y$", False),
        (r"$x = 0 \text{，} \text{如果 } y$", False),
    ],
)
def test_words_in_a_formula_may_be_translated(translation: str, fits: bool) -> None:
    assert (misfits(r"$x = 0 \text{ if } y$", translation) == []) is fits
