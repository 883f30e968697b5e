"""The glossary and what is left behind in Chinese: each finding at the line of its entry."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import BEGUN, COMPLETE, Write
from rendering import render

from pylit.checks.typography import typography_problems
from pylit.cli.main import main
from pylit.errors import PylitError
from pylit.i18n.glossary import load_glossary

ORIGINAL = "One two three four five six."
GLOSSARY = """\
- term: layer
  use: [层]
  never: [图层]
  why: 图层是绘图软件里的。
- term: feature map
  use: [特征图]
  never: [要素图, 特征映射]
- term: residual
  use: 残差
  never: 剩余
"""


@pytest.mark.parametrize(
    ("original", "translation", "wrong"),
    [
        ("Two layers.", "两个图层。", ["图层"]),
        ("Two Layers.", "两个层。", []),
        ("A player.", "一个图层。", []),
        ("A feature map of a layer.", "一层的特征图，也是层。", []),
        ("The residual of a feature map", "要素图的剩余", ["要素图", "剩余"]),
    ],
)
def test_forbidden_renderings(write: Write, original: str, translation: str, wrong: list[str]) -> None:
    glossary = load_glossary(write("glossary.yml", GLOSSARY))
    assert [found for _, found in glossary.violations(original, translation)] == wrong


ENFORCED = """\
- term: layer
  use: [层]
  never: [图层]
- term: [light up, lit]
  use: [高亮]
- term: ReLU
  use: [ReLU]
- term: stack
  use: [堆叠]
  always: false
- term: entropy
  use: [熵]
"""


@pytest.mark.parametrize(
    ("original", "translation", "missing"),
    [
        ("Two layers.", "两层。", []),
        ("Two layers.", "两个。", ["layer"]),
        ("Two layers.", "两个图层。", []),  # which is reported as a wrong rendering
        ("Lit, it lights. They light up.", "亮。", ["light up"]),
        ("Parts are lit.", "各部分高亮。", []),
        ("A ReLU, a relu", "一个", ["ReLU"]),
        ("A relu", "一个", []),
        ("A stack of layers", "几层", []),
        ("Entropies", "信息量", ["entropy"]),
        ("[Deep layers](x)", "[Deep layers](x)", []),  # a title that stays as it is
    ],
)
def test_terms_that_are_not_rendered(
    write: Write, original: str, translation: str, missing: list[str]
) -> None:
    glossary = load_glossary(write("glossary.yml", ENFORCED))
    assert [term.term for term in glossary.missing(original, translation)] == missing


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- term: [", r"glossary\.yml:1: error: is not valid YAML: "),
        ("term: a", r"glossary\.yml:1: error: is not a list of terms\n    Start each with `- term: …`"),
        ("- a\n", r"glossary\.yml:1: error: this is not a term\n    For example"),
        (
            "- term: a\n  uses: b\n",
            r"glossary\.yml:2: error: unknown key `uses`\n    Allowed: term, link, use, never, why, always",
        ),
        (
            "- term: a\n  use: b\n  always: no\n",
            r"glossary\.yml:3: error: `always` is neither true nor false",
        ),
        ("- use: a\n", r"glossary\.yml:1: error: a term needs `term` and `use`"),
    ],
)
def test_a_glossary_that_is_wrong(write: Write, text: str, message: str) -> None:
    with pytest.raises(PylitError, match=message):
        load_glossary(write("glossary.yml", text))


def test_a_glossary_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "glossary.yml").write_bytes("- term: residual\n  use: 残差\n".encode("gbk"))
    with pytest.raises(PylitError, match=r"glossary\.yml:2: error: is not UTF-8: "):
        load_glossary(tmp_path / "glossary.yml")


def test_no_glossary_is_an_empty_one(write: Write, tmp_path: Path) -> None:
    assert (
        load_glossary(tmp_path / "none.yml").terms
        == load_glossary(write("empty.yml", "# none\n")).terms
        == ()
    )


@pytest.mark.parametrize(
    ("translation", "problem"),
    [
        ("你好@@世界", "debris of machine translation: @@"),
        ("公式 _^_0_^_ 在", "debris of machine translation"),
        ("一，，二", "doubled punctuation: …一，，二…"),
        ("一,二", "half-width punctuation between Chinese characters: …一,二…"),
        ("`x`:二", "half-width punctuation between Chinese characters: …▢:二…"),
        ("结束.", "a half-width full stop"),
        ("网络(残差)", "half-width parentheses around Chinese"),
        ("用PyTorch 写", "no space between Chinese and Latin: …用PyTorch…"),
        ("有3 个", "no space between Chinese and Latin"),
        ("两 个", "a space between Chinese characters"),
        ("一， 二", "a space next to full-width punctuation"),
        ("One two three four five six.", "a passage is left in English"),
    ],
)
def test_what_is_left_behind_in_chinese(translation: str, problem: str) -> None:
    found = list(typography_problems("zh-Hans", ORIGINAL, translation))
    assert any(one.startswith(problem) for one in found), found


@pytest.mark.parametrize("lang", ["de", "pt-BR", "ar", "sr-Latn", "ko"])
def test_what_is_left_behind_in_any_language(lang: str) -> None:
    original = "Add the *input* of a block to `y` again."
    (found,) = typography_problems(lang, original, original)
    assert found.startswith("a passage is left as it is in the original")
    assert [*typography_problems(lang, original, "Die Eingabe @@ wieder zu `y` addieren.")] == [
        "debris of machine translation: @@"
    ]
    for name in ("Batch normalization", "ResNet-50", "`x` is `y`, and $z$"):
        assert not [*typography_problems(lang, name, name)]


@pytest.mark.parametrize(
    ("translation", "problem"),
    [
        ("こんにちは@@世界です。", "debris of machine translation: @@"),
        ("一つ、、二つです。", "doubled punctuation: …一つ、、二つです。…"),
        ("層,ブロック", "half-width punctuation between Japanese characters: …層,ブロック…"),
        ("これは残差です.", "a half-width full stop"),
        ("ネットワーク(残差)", "half-width parentheses around Japanese"),
        ("これはPyTorch です。", "no space between Japanese and Latin: …これはPyTorch…"),
        ("バッチ 正規化です。", "a space between Japanese characters"),
        ("層と、 ブロックです。", "a space next to full-width punctuation"),
        ("層，ブロック", "a Chinese comma or a full-width point"),
        ("３ 層です。", "full-width letters or digits"),
        ("ﾌﾞﾛｯｸ", "half-width kana"),
        ("残差は差である。", "a plain ending, where です or ます is due: …残差は差である。…"),
        ("恒等写像だ。", "a plain ending"),
        ("形状を変える。形状が変わらない。", "a plain ending"),
        ("論文はこう提案した。", "a plain ending"),
        ("入力を足す。", "a plain ending"),
        ("One two three four five six.", "a passage is left in English"),
    ],
)
def test_what_is_left_behind_in_japanese(translation: str, problem: str) -> None:
    found = list(typography_problems("ja", ORIGINAL, translation))
    assert any(one.startswith(problem) for one in found), found


@pytest.mark.parametrize(
    "translation",
    [
        "ResNet-20 のパラメータは 0.27 M 個です（表 6、4.2 節）。",
        "**方式 A**（25.03%）：恒等写像を使い、`x` に $y$ を足します。",
        "足し算の*前*に置きました。論文の値でした。変わりません。見てください。次はどうでしょう。恒等写像。",
        "[ガイド](a.md)：ページの読み方と、「対訳」の使い方。",
        "々は同じ字の印です。",
    ],
)
def test_good_japanese_passes(translation: str) -> None:
    assert list(typography_problems("ja", ORIGINAL, translation)) == []


def test_other_languages_have_their_own_typography() -> None:
    assert list(typography_problems("ko", ORIGINAL, "One,two three(four).")) == []


@pytest.mark.parametrize(
    "translation",
    [
        "ResNet-20 有 0.27 M 个参数，见表 6（第 4.2 节）。",
        "见 [He et al. 2015](https://arxiv.org/abs/1512.03385)：$F(x)$ 是残差……对吗？“是的”——对。",
        "`a`、`b` 和 $c$",
    ],
)
def test_good_chinese_passes(translation: str) -> None:
    assert list(typography_problems("zh", ORIGINAL, translation)) == []


def test_check_names_the_entry(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("docs/guide/a.md", "# Guide\n")
    write("pkg/__init__.py", '"""\n# Package\n\nTwo layers.\n"""\n')
    write(
        "mkdocs.yml",
        "site_name: T\ntheme:\n  name: pylit\nplugins:\n  - pylit:\n      sources: [pkg]\n      languages: [en, zh]\n",
    )
    write("translations/zh/glossary.yml", GLOSSARY)
    write("translations/zh/pkg/__init__.po", 'msgid "Two layers."\nmsgstr "两个图层,一个。"\n')
    result = CliRunner().invoke(main, ["check"])
    assert result.exit_code == 1
    place = "translations/zh/pkg/__init__.po:1: error: "
    assert f"{place}`layer` is rendered as 图层\n    Use 层. 图层是绘图软件里的。" in result.stderr
    assert f"{place}half-width punctuation between Chinese characters: …两个图层,一个。…" in result.stderr
    write("translations/zh/glossary.yml", "- term: T\n  use: 题\n  never: 替\n")
    write("translations/zh/mkdocs.po", 'msgid "T"\nmsgstr "替"\n')
    of_all = "translations/zh/mkdocs.po:1: error: `T` is rendered as 替"
    assert of_all in CliRunner().invoke(main, ["check"]).stderr
    assert of_all not in CliRunner().invoke(main, ["check", "docs/guide/a.md"]).stderr
    write("translations/zh/glossary.yml", "- a\n")
    assert (
        "translations/zh/glossary.yml:1: error: this is not a term"
        in CliRunner().invoke(main, ["check"]).stderr
    )


GUIDE = "# Words\n\n```glossary\n```\n"


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("# pylit: allow it is the name of a program", ""),
        ("# pylit: allow: it is the name of a program,\n# and stays", ""),
        ("# it is the name of a program", "`layer` is rendered as 图层"),
        ("# pylit: allow", "`pylit: allow` has no reason"),
    ],
)
def test_a_wording_can_be_allowed_for_a_reason(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comment: str, found: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write("pylit.toml", 'sources = ["a.md"]\nlanguages = ["en", "zh"]\ntranslations = "t"\n')
    write("a.md", "# Two layers\n")
    write("t/zh/glossary.yml", GLOSSARY)
    write(
        "t/zh/a.po",
        f'msgid ""\nmsgstr ""\n"Language: zh\\n"\n\n{comment}\nmsgid "Two layers"\nmsgstr "两个图层"\n',
    )
    for _ in range(2):  # the second time, the catalog comes from the cache
        result = CliRunner().invoke(main, ["check", "--strict"])
        assert result.exit_code == bool(found)
        assert found in result.stderr
    assert CliRunner().invoke(main, ["update"]).exit_code == 0
    assert comment.splitlines()[0] in Path("t/zh/a.po").read_text("utf-8")


def test_readers_see_the_glossary(write: Write, tmp_path: Path) -> None:
    write("pkg/a.md", GUIDE)
    write("t/zh/glossary.yml", GLOSSARY)
    write("t/ja/glossary.yml", "- term: layer\n  use: [層, レイヤー]\n- term: loss\n  use: [損失]\n")
    options: Any = {"file": "pkg/a.md", "languages": ("en", "zh", "ja"), "translations": tmp_path / "t"}

    def cells(lang: str) -> list[list[str]]:
        view, report = render(tmp_path, lang=lang, **options)
        assert view and not report.problems
        rows = re.findall("<tr>(.*?)</tr>", view.body.rows[0].prose)
        return [re.findall("<t[dh]>(.*?)</t[dh]>", row) for row in rows]

    term = '<span lang="en">{}</span>'.format
    assert cells("zh") == [
        ["术语", "译法", "不用", "理由"],
        [term("layer"), "层", "<s>图层</s>", "图层是绘图软件里的。"],
        [term("feature map"), "特征图", "<s>要素图</s> / <s>特征映射</s>", ""],
        [term("residual"), "残差", "<s>剩余</s>", ""],
    ]
    zh, ja = ('<span lang="zh">{}</span>'.format, '<span lang="ja">{}</span>'.format)
    assert cells("en") == [
        ["Term", zh("中文"), ja("日本語")],
        ["layer", zh("层"), ja("層 / レイヤー")],
        ["feature map", zh("特征图"), ja("")],
        ["residual", zh("残差"), ja("")],
        ["loss", zh(""), ja("損失")],
    ]


def test_a_glossary_page_that_cannot_be_made(write: Write, tmp_path: Path) -> None:
    write("pkg/a.md", GUIDE)
    write("t/zh/glossary.yml", "- a\n")
    options: Any = {"file": "pkg/a.md", "languages": ("en", "zh"), "translations": tmp_path / "t"}
    (problem,) = render(tmp_path, **options)[1].errors
    message = (
        "pkg/a.md:3: error: the glossary cannot be shown: t/zh/glossary.yml:1: error: this is not a term"
    )
    assert str(problem).startswith(message)
    write("pkg/a.md", GUIDE.replace("y\n", "y\nterm\n"))
    (problem,) = render(tmp_path, **options)[1].errors
    assert str(problem) == "pkg/a.md:4: error: the glossary has no options\n    Leave the fence empty."


def test_check_reads_the_title_and_the_interface_too(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("docs/guide/a.md", "# Guide\n")
    write("pkg/__init__.py", '"""\n# Package\n"""\n')
    write(
        "mkdocs.yml",
        "site_name: Two layers\ntheme:\n  name: pylit\nplugins:\n"
        "  - pylit:\n      sources: [pkg]\n      languages: [en, zh]\n",
    )
    write("translations/zh/glossary.yml", GLOSSARY)
    write("translations/zh/mkdocs.po", 'msgid "Two layers"\nmsgstr "两个图层"\n')
    assert "mkdocs.po:1: error: `layer` is rendered as 图层" in CliRunner().invoke(main, ["check"]).stderr
    # Only the project that maintains the engine can mend the words of the interface.
    monkeypatch.setattr(
        "pylit.checks.site.LOCALE", write("locale/zh.po", 'msgid "Next"\nmsgstr "下一 页"\n').parent
    )
    problem = "locale/zh.po:1: error: a space between Chinese characters: …下一 页…"
    assert problem not in CliRunner().invoke(main, ["check"]).stderr
    write("pylit/i18n/ui_strings.py", "")
    assert problem in CliRunner().invoke(main, ["check"]).stderr


@pytest.mark.parametrize("lang", [*COMPLETE, *BEGUN])
def test_our_glossaries_are_enforced(root: Path, lang: str) -> None:
    """Every rendering that they forbid is found, and none that they ask for."""
    glossary = load_glossary(root / "translations" / lang / "glossary.yml")
    assert len(glossary.terms) >= 30
    for term in glossary.terms:
        assert term.why
        for wrong in term.never:
            assert (term, wrong) in glossary.violations(f"The {term.term}.", f"ここ {wrong} 。")
        for right in term.use:
            found = [
                wrong for other, wrong in glossary.violations(f"The {term.term}.", right) if other == term
            ]
            assert not found, (term.term, right)
