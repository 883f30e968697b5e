"""Drawings become part of the page only if they hold nothing but shapes and text."""

from __future__ import annotations

import random

import pytest

from pylit.filesystem.formats import format_error
from pylit.notebook.standalone_svg import embedded_picture
from pylit.rendering.images import (
    DrawnLink,
    PictureError,
    inline_svg,
    link_targets,
    linked_image,
    separate_svg,
)

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
        ('<a href="x.html" onclick="alert(1)"><text>x</text></a>', "has onclick="),
        ("<animate/>", "has a <animate>"),
        ('<path onclick="alert(1)"/>', "has onclick="),
        ('<path style="fill:red"/>', "has style="),
        ('<path fill="url(https://example.org/#a)"/>', "has fill="),
        ('<path fill="URL(//example.org)"/>', "has fill="),
        ('<h:script xmlns:h="http://www.w3.org/1999/xhtml">1</h:script>', "has a <{http"),
        ('<path xmlns:x="http://www.w3.org/1999/xlink" x:href="y"/>', "has {http"),
        ("<g>", "is not valid XML: mismatched tag"),
        (r'<path fill="\75rl(//example.org)"/>', "has fill="),
        (r'<path fill="u\72 l(//example.org)"/>', "has fill="),
        (r'<path fill="\000055RL(//example.org)"/>', "has fill="),
        ('<path fill="url/**/(//example.org)"/>', "has fill="),
        ('<path fill="image-set(&quot;//example.org&quot; 1x)"/>', "has fill="),
        ('<path fill="src(&quot;//example.org&quot;)"/>', "has fill="),
        ('<path fill="url( #a ) url(//example.org)"/>', "has fill="),
        ('<path stroke="@import &quot;//example.org&quot;"/>', "has stroke="),
        (r'<path style="\62 ackground:red"/>', "has style="),
        (r"<style>@\69mport url(//example.org)</style>", "has a <style>"),
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
    with pytest.raises(PictureError, match="nested more than 50 levels deep"):
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
    with pytest.raises(PictureError, match=r"is not in the format that `.png` indicates"):
        linked_image(b"nothing", "a.png", "")


ROOTS = [
    '<title xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>',
    '<g xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>',
    '<text xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><svg/></text>',
    '<svg xmlns="http://www.w3.org/1999/xhtml" viewBox="0 0 9 9"/>',
    '<svg viewBox="0 0 9 9"/>',
    '<h:title xmlns:h="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>',
]


@pytest.mark.parametrize("drawing", ROOTS)
def test_a_drawing_begins_with_svg(drawing: str) -> None:
    with pytest.raises(PictureError, match=r"the drawing starts with <.*>; expected <svg>"):
        inline_svg(drawing.encode(), "")


LINKED = f'{START}<a href="javascript:alert(1)"><text>x</text></a></svg>'


def test_a_link_in_a_drawing_leads_where_it_is_told_or_nowhere() -> None:
    data = LINKED.encode()
    assert "<g><text>x</text></g>" in inline_svg(data, "") and b"javascript" not in separate_svg(data)
    with pytest.raises(PictureError, match=r'has a link to "javascript:alert\(1\)", which leads nowhere'):
        inline_svg(data, "", links={"a.py": DrawnLink("a.html", "A")})
    assert link_targets(data) == ["javascript:alert(1)"] and link_targets(b"<svg href") == []


def test_a_drawing_is_written_anew() -> None:
    """Without what XML and HTML read differently."""
    drawing = (
        '<s:svg xmlns:s="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><?x y?><!-- --><s:title/><s:desc/>'
        "<s:text>a<![CDATA[</text></svg><img src=x onerror=1>]]></s:text></s:svg>"
    )
    assert inline_svg(drawing.encode(), "") == (
        '<svg viewBox="0 0 9 9" aria-hidden="true" style="--w:9">'
        "<text>a&lt;/text&gt;&lt;/svg&gt;&lt;img src=x onerror=1&gt;</text></svg>"
    )


BOXES = "0 0 1.2.3 9|0 0 0 9|0 0 9 -9|0 0 1e999 9|nan 0 1 1|0 0 inf 1|\u0663 0 1 1|0 0 1e9 1|0 0 4|0 0 4 4 4|x|.|0,,0,1"


@pytest.mark.parametrize("box", BOXES.split("|"))
def test_view_box_that_nothing_can_be_drawn_in(box: str) -> None:
    with pytest.raises(PictureError, match=r"it must be four numbers up to 1e[+]06, the last two above 0"):
        inline_svg(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"/>'.encode(), "")


@pytest.mark.parametrize("box", ["0 0 9 9", "-1,-1 ,.5,5.", " 0 0 1e3 1E+3 "])
def test_view_box_in_other_ways(box: str) -> None:
    assert "--w:" in inline_svg(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"/>'.encode(), "")


GIF = b"GIF89a\x03\x00\x02\x00\x00\x00\x00;"


@pytest.mark.parametrize(
    "name", "a.html a.js a.xhtml a.svgz a.xml a.htm a.png a.JPEG a.gif.html a gif a.php a.GIF.HTM".split()
)
def test_pictures_are_what_their_suffix_says(name: str) -> None:
    """A page that begins like a picture is served as a page."""
    with pytest.raises(PictureError, match="format"):
        linked_image(GIF, name, "")
    with pytest.raises(PictureError, match="format"):
        embedded_picture(name, GIF)


def test_suffixes_in_capitals() -> None:
    assert 'src="a.GIF"' in linked_image(GIF, "a.GIF", "")
    assert embedded_picture("a.GIF", GIF).startswith("data:image/gif;")
    with pytest.raises(PictureError, match="has a <script>"):
        embedded_picture("a.SVG", f"{START}<script/></svg>".encode())


@pytest.mark.parametrize("start", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP"])
def test_damaged_pictures(start: bytes) -> None:
    chance, name = random.Random(0), {255: "a.jpg", 0x89: "a.png", 71: "a.gif", 82: "a.webp"}[start[0]]
    for length in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89] * 5:
        try:
            told = str(linked_image(start + chance.randbytes(length), name, ""))
        except PictureError as error:
            told = str(error)
        assert told.startswith("<img") or "damaged" in told


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("raw.html", b"<script>", "files that end in `.html` are not published"),
        ("raw.js", b"1", "files that end in `.js` are not published"),
        ("a/raw.XML", b"<a/>", "files that end in `.xml` are not published"),
        ("LICENSE", b"MIT", "files without a suffix are not published"),
        ("a/CNAME", b"example.org", "files without a suffix are not published"),
        ("CNAME", b"<script>", "files without a suffix are not published"),
        ("a.pdf", b"<html>", "its content is not in the format that `.pdf` indicates"),
        ("a.csv", b" \n<script>", "its content is not in the format that `.csv` indicates"),
        ("a.bib", b"\xef\xbb\xbf<!doctype html>", "its content is not in the format that `.bib` indicates"),
        ("a.txt", b"\xff\xfe<\0", "its content is not in the format that `.txt` indicates"),
        ("a.png", GIF, "its content is not in the format that `.png` indicates"),
        ("a.ico", b"<svg>", "its content is not in the format that `.ico` indicates"),
        ("a.PDF", b"%PDF-1.7", ""),
        ("a.bib", b"@article{a, title={<b>}}", ""),
        ("a.csv", b"a,b\n<,>\n", ""),
        ("a.gif", GIF, ""),
        ("CNAME", b"example.org\n", ""),
        ("robots.txt", b"", ""),
    ],
)
def test_files_beside_the_pages(name: str, data: bytes, reason: str) -> None:
    assert format_error(name, data) == reason
