"""Drawings become part of the page only if they hold nothing but shapes and text."""

from __future__ import annotations

import pytest

from pylit.pictures import PictureError, inline_svg, linked_image

START = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4">'


def test_drawing_follows_the_page() -> None:
    drawing = (
        '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4" viewBox="0 0 4 4">'
        '<title>gone</title><path class="accent" d="M0 0L4 4" stroke="currentColor"/></svg>'
    )
    assert inline_svg(drawing.encode(), 'a "line"') == (
        '<svg viewBox="0 0 4 4" role="img" aria-label="a &quot;line&quot;" style="--w:4">'
        '<path class="accent" d="M0 0L4 4" stroke="currentColor" /></svg>'
    )


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        ("<script>alert(1)</script>", "has a <script>"),
        ("<style>*{}</style>", "has a <style>"),
        ("<foreignObject/>", "has a <foreignObject>"),
        ('<image href="x.png"/>', "has a <image>"),
        ('<a href="javascript:alert(1)"><text>x</text></a>', "has a <a>"),
        ("<animate/>", "has a <animate>"),
        ('<path onclick="alert(1)"/>', "has onclick="),
        ('<path style="fill:red"/>', "has style="),
        ('<path fill="url(https://example.org/#a)"/>', "has fill="),
        ('<path fill="URL(//example.org)"/>', "has fill="),
        ('<h:script xmlns:h="http://www.w3.org/1999/xhtml">1</h:script>', "has a <{http"),
        ('<path xmlns:x="http://www.w3.org/1999/xlink" x:href="y"/>', "has {http"),
        ("<g>", "is no XML: mismatched tag"),
    ],
)
def test_drawings_that_could_run_load_or_style_are_refused(inside: str, message: str) -> None:
    with pytest.raises(PictureError, match=message.replace("(", r"\(")):
        inline_svg(f"{START}{inside}</svg>".encode(), "")


def test_local_references_may_stand() -> None:
    assert "url(#arrow)" in inline_svg(f'{START}<path marker-end="url(#arrow)"/></svg>'.encode(), "")


def test_document_types_are_refused() -> None:
    bomb = '<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + START + "<text>&a;</text></svg>"
    with pytest.raises(PictureError, match="has a document type"):
        inline_svg(bomb.encode(), "")


def test_drawings_that_cannot_be_read() -> None:
    with pytest.raises(PictureError, match="is not UTF-8"):
        inline_svg(START.encode("utf-16"), "")
    with pytest.raises(PictureError, match="nested more than 50 deep"):
        inline_svg(f"{START}{'<g>' * 60}{'</g>' * 60}</svg>".encode(), "")


def test_drawings_on_one_page_do_not_mix_their_parts() -> None:
    html = inline_svg(f'{START}<marker id="m"/><path marker-end="url(#m)"/></svg>'.encode(), "", "drawing-2-")
    assert 'id="drawing-2-m"' in html
    assert "url(#drawing-2-m)" in html


def test_drawing_without_a_view_box() -> None:
    with pytest.raises(PictureError, match="has no viewBox"):
        inline_svg(b'<svg xmlns="http://www.w3.org/2000/svg"/>', "")


def test_image_has_its_size() -> None:
    assert linked_image(b"GIF89a\x03\x00\x02\x00\x00\x00\x00;", "a.gif", '"x" <y>') == (
        '<img src="a.gif" alt="&#34;x&#34; &lt;y&gt;" width="3" height="2" loading="lazy">'
    )


def test_unknown_image() -> None:
    with pytest.raises(PictureError, match="format is not known"):
        linked_image(b"nothing", "a.png", "")
