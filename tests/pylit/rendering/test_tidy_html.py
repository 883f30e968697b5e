"""Raw HTML is nested as it must be, and grows no more than by the ends that it lacks."""

from __future__ import annotations

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylit.rendering.sanitize import BLOCK_TAGS, INLINE_TAGS, clean_block
from pylit.rendering.tidy_html import MAX_DEPTH, HtmlError, tidy

PIECES = [
    *(f"<{slash}{name}>" for name in sorted(BLOCK_TAGS | INLINE_TAGS) for slash in ("", "/")),
    *(
        "a",
        " ",
        "&amp;",
        "<",
        ">",
        "<b a=1>",
        "<p a='>'>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<x>",
        '"',
        "'",
    ),
]


def nested(html: str) -> str:
    return tidy(html, BLOCK_TAGS, INLINE_TAGS)


@pytest.mark.parametrize(
    ("html", "wanted"),
    [
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<b><i>a</b>c</i>", "<b><i>a</i></b>c"),
        ("<b>a<p>b</b>c", "<b>a</b><p>bc</p>"),
        ("<p><b>a<p>b", "<p><b>a</b></p><p>b</p>"),
        ("<table><tr><td>a<td>b<tr><td>c", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>"),
        ("<dl><dt>a<dd>b<dt>c", "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>"),
        ("</div>a</b>", "a"),
        ("<B CLASS='>'>a</B >", "<b>a</b>"),
        ("a<br/>b<hr>c</br>", "a<br>b<hr>c"),
        ("a<!-- <b> -->c<!-->d", "acd"),
        ("a<script><b>x</SCRIPT >c<style>d", "ac"),
        ("a < b &lt; c > d", "a < b &lt; c > d"),
        ('a<b title="', "a"),
        ("a<x-y>b</x-y>", "ab"),
    ],
)
def test_each_element_ends_where_it_must(html: str, wanted: str) -> None:
    assert nested(html) == wanted


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_what_a_parser_makes_of_it_is_no_larger(html: str) -> None:
    ours = nested(html)
    assert len(ours) <= 3 * len(html)
    cleaned = nh3.clean(ours, tags=set(BLOCK_TAGS | INLINE_TAGS), attributes={}, link_rel=None)
    # A parser adds the bodies of tables, and writes four characters and more for some signs.
    assert len(cleaned) <= 5 * len(ours) + 20 * ours.count("<t")


def test_formatting_elements_are_not_opened_again() -> None:
    html = "<div>" + "".join(f"<b a={i}><i a={i}>" for i in range(20)) + "<p>x" * 1000
    assert len(clean_block(html)) < 2 * len(html)


def test_what_is_nested_too_deep_is_refused() -> None:
    with pytest.raises(HtmlError, match=f"its elements are nested more than {MAX_DEPTH} levels deep"):
        nested("<div>" * (MAX_DEPTH + 1))
    assert nested("<div>" * MAX_DEPTH) == "<div>" * MAX_DEPTH + "</div>" * MAX_DEPTH
