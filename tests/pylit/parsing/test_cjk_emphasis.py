"""Emphasis beside Chinese, Japanese and Korean text, where words have no spaces around them."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from pylit.parsing.markdown import markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**“重要”**的", "<strong>“重要”</strong>的"),
        ("**重要。**的", "<strong>重要。</strong>的"),
        ("这是**「重要」**的", "这是<strong>「重要」</strong>的"),
        ("**关键：**残差", "<strong>关键：</strong>残差"),
        ("它是**`code`**的", "它是<strong><code>code</code></strong>的"),
        ("我*（强调）*说", "我<em>（强调）</em>说"),
        ("한국어**(강조)**를", "한국어<strong>(강조)</strong>를"),
        ("***“粗斜”***的", "<em><strong>“粗斜”</strong></em>的"),
        ("**这个***（强调）*。", "<strong>这个</strong><em>（强调）</em>。"),
    ],
)
def test_punctuation_beside_a_cjk_character(text: str, html: str) -> None:
    assert markdown().renderInline(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "a **b** c",
        '**"a"**b',
        "重*要*的",
        "2 * 3 是 6",
        "** 重要 **",
        "**重要",
        "\\*重\\*",
        "重_要_的",
    ],
)
def test_everything_else_is_commonmark(text: str) -> None:
    assert markdown().renderInline(text) == MarkdownIt("commonmark").renderInline(text)
