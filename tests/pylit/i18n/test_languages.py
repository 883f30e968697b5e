"""Languages with regions and scripts: which are the same, and which stand in for others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel import Locale
from babel.localedata import locale_identifiers

from pylit.i18n import ui_strings
from pylit.i18n.languages import canonical_code, direction, fallbacks, is_alias, is_same_language
from pylit.i18n.marks import marked, turned
from pylit.i18n.ui_strings import interface


@pytest.mark.parametrize(
    ("lang", "others"),
    [
        ("zh-TW", ("zh-TW", "zh-Hant-TW", "zh-Hant")),
        ("zh-Hant", ("zh-Hant",)),
        ("zh-Hans", ("zh-Hans", "zh")),
        ("zh-CN", ("zh-CN", "zh")),
        ("pt-BR", ("pt-BR", "pt")),
        ("pt-AO", ("pt-AO", "pt-PT", "pt")),
        ("es-MX", ("es-MX", "es-419", "es")),
        ("sr-Latn", ("sr-Latn",)),
        ("xx", ("xx",)),
    ],
)
def test_who_stands_in(lang: str, others: tuple[str, ...]) -> None:
    """Never a language in another script."""
    assert fallbacks(lang) == others


@pytest.mark.parametrize(
    ("one", "other", "is_same", "alias"),
    [
        ("zh", "zh-Hans", True, True),
        ("zh", "zh_CN", True, False),
        ("zh-TW", "zh-Hant", True, False),
        ("zh", "zh-TW", False, False),
        ("pt", "pt-BR", True, False),
        ("pt-PT", "pt-BR", False, False),
        ("sr@latin", "sr-Latn", True, True),
        ("sr", "sr-Latn", False, False),
        ("de", "DE", True, True),
        ("de", "Deutsch, bitte", False, False),
        ("xx", "xx", True, True),
        ("xx", "yy", False, False),
    ],
)
def test_what_means_the_same(one: str, other: str, is_same: bool, alias: bool) -> None:
    assert (is_same_language(one, other), is_same_language(other, one)) == (is_same, is_same)
    assert (is_alias(one, other), is_alias(other, one)) == (alias, alias)


def test_codes_as_pages_write_them() -> None:
    codes = {"pt_br": "pt-BR", "ZH-hant": "zh-Hant", "es-419": "es-419", "sr_latn": "sr-Latn", "ja": "ja"}
    assert {code: canonical_code(code) for code in codes} == codes
    assert [canonical_code(code) for code in ("klingon", "../zh", "xyz1", "")] == [""] * 4


def test_strings_of_the_interface_fall_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """String by string, and traditional characters never to simplified ones."""
    assert interface("zh-Hans")("Copy") == interface("zh-CN")("Copy") == interface("zh")("Copy") != "Copy"
    assert interface("zh-TW")("Copy") == "Copy"
    monkeypatch.setattr(ui_strings, "LOCALE", tmp_path)
    for name, text in (("zh-Hant", "複製"), ("zh", "复制"), ("pt", "Copiar")):
        path = tmp_path / f"{name}.po"
        path.write_text(f'msgid "Copy"\nmsgstr "{text}"\n\nmsgid "Next"\nmsgstr "{name}"\n', "utf-8")
    (tmp_path / "pt-BR.po").write_text('msgid "Copy"\nmsgstr "Copia"\n\nmsgid "Next"\nmsgstr ""\n', "utf-8")
    assert [interface(lang)("Copy") for lang in ("zh-TW", "zh-HK", "zh", "sr")] == [
        "複製",
        "複製",
        "复制",
        "Copy",
    ]
    assert [interface("pt-BR")(text) for text in ("Copy", "Next", "Home")] == ["Copia", "pt", "Home"]


def test_directions_are_those_of_babel() -> None:
    """For every locale that names a script, and every language."""
    names = [name for name in locale_identifiers() if "_" not in name or name.split("_")[1].istitle()]
    assert len(names) > 300
    for name in names:
        assert direction(name) == Locale.parse(name).text_direction.replace("ttb", "ltr"), name


def test_text_of_another_language_is_marked() -> None:
    assert marked("en", "en") == marked("", "ar") == ""
    assert marked("en", "zh") == ' lang="en"'
    assert marked("en", "ar") == ' lang="en" dir="ltr"'
    assert marked("he", "ar") == ' lang="he"'
    assert (turned("ar", "en"), turned("ar", "fa"), turned("az-Arab", "az")) == (
        ' dir="rtl"',
        "",
        ' dir="rtl"',
    )


def test_nothing_lies_beside_the_page(root: Path) -> None:
    """On a page from right to left, one could scroll there. What is hidden lies above the page."""
    css = (root / "pylit/theme/assets/pylit.css").read_text("utf-8")
    assert not re.findall(r"(?:left|right|inset-inline[a-z-]*):\s*-\d{2,}", css)
    (rule,) = re.findall(r"^:is\((.*)\) \{ direction: ltr; unicode-bidi: isolate; \}$", css, re.MULTILINE)
    assert {"code", "pre", "math", ".katex", ".formula"} <= set(rule.split(", "))
