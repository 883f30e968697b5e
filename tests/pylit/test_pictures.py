"""Drawings become part of the page only if they hold nothing but shapes and text."""

from __future__ import annotations

import pytest
from conftest import Write

from pylit.pictures import PictureError, inline_svg, linked_image

START = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4">'


def test_drawing_follows_the_page(write: Write) -> None:
    path = write(
        "a.svg",
        '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4" viewBox="0 0 4 4">'
        '<title>gone</title><path class="accent" d="M0 0L4 4" stroke="currentColor"/></svg>',
    )
    assert inline_svg(path, 'a "line"') == (
        '<svg viewBox="0 0 4 4" role="img" aria-label="a &quot;line&quot;">'
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
def test_drawings_that_could_run_load_or_style_are_refused(write: Write, inside: str, message: str) -> None:
    with pytest.raises(PictureError, match=message.replace("(", r"\(")):
        inline_svg(write("a.svg", f"{START}{inside}</svg>"), "")


def test_local_references_may_stand(write: Write) -> None:
    assert "url(#arrow)" in inline_svg(write("a.svg", f'{START}<path marker-end="url(#arrow)"/></svg>'), "")


def test_document_types_are_refused(write: Write) -> None:
    bomb = '<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + START + "<text>&a;</text></svg>"
    with pytest.raises(PictureError, match="has a document type"):
        inline_svg(write("a.svg", bomb), "")


def test_drawings_that_cannot_be_read(write: Write) -> None:
    path = write("a.svg", "")
    path.write_bytes(START.encode("utf-16"))
    with pytest.raises(PictureError, match="is not UTF-8"):
        inline_svg(path, "")
    with pytest.raises(PictureError, match="nested more than 50 deep"):
        inline_svg(write("b.svg", START + "<g>" * 60 + "</g>" * 60 + "</svg>"), "")


def test_drawings_on_one_page_do_not_mix_their_parts(write: Write) -> None:
    path = write("a.svg", f'{START}<marker id="m"/><path marker-end="url(#m)"/></svg>')
    html = inline_svg(path, "", "drawing-2-")
    assert 'id="drawing-2-m"' in html
    assert "url(#drawing-2-m)" in html


def test_drawing_without_a_view_box(write: Write) -> None:
    with pytest.raises(PictureError, match="has no viewBox"):
        inline_svg(write("a.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>'), "")


def test_image_has_its_size(write: Write) -> None:
    path = write("a.gif", "")
    path.write_bytes(b"GIF89a\x03\x00\x02\x00\x00\x00\x00;")
    assert linked_image(path, "a.gif", '"x" <y>') == (
        '<img src="a.gif" alt="&#34;x&#34; &lt;y&gt;" width="3" height="2" loading="lazy">'
    )


def test_unknown_image(write: Write) -> None:
    with pytest.raises(PictureError, match="format is not known"):
        linked_image(write("a.png", "nothing"), "a.png", "")
