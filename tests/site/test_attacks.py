"""What a catalog, a module or a guide says can never become a script on a page, shown in a real browser."""

from __future__ import annotations

import re
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

import polib
import pytest
from attack_strings import ATTACKS, P, hostile_prose
from cdn import Cdn
from conftest import Write
from mkdocs.commands.build import build as build_site
from mkdocs.config import load_config
from playwright.sync_api import Browser, Dialog, Page
from sampling import thinned
from servers import serving

from pylit.builder.builder import build
from pylit.errors import Report
from pylit.i18n import catalog as catalog
from pylit.rendering.images import SVG
from pylit.site.discovery import find_pages
from pylit.site.page import preview_page, render_page
from pylit.site.site import Settings, Site
from pylit.site.templates import document
from pylit.site.view import View
from pylit.translate.update import update_pages

assert len(ATTACKS) >= 60


@pytest.fixture
def attacked(write: Write, tmp_path: Path) -> Site:
    write(
        "pkg/a.py",
        '"""\n# Title\n' + "".join(f"\nPassage {n} of all.\n" for n in range(len(ATTACKS))) + '"""\n',
    )
    settings = Settings(
        base=tmp_path, roots=(("pkg", ""),), languages=("en", "zh"), translations=tmp_path / "t"
    )
    found = find_pages(settings)
    update_pages(found, "zh", found.pages)
    po = polib.pofile(str(tmp_path / "t/zh/pkg/a.po"))
    attacks = {f"Passage {number} of all.": attack for number, attack in enumerate(ATTACKS)}
    for entry in po:
        entry.msgstr = f"段落 {attacks.get(entry.msgid, ATTACKS[0])}"
    po.save()
    return found


def show(view: View, path: Path, browser: Browser) -> Page:
    """Open a page without its security policy, which would stop the rest, and see that nothing runs."""
    path.write_text(re.sub(r"<meta http-equiv[^>]*>", "", document(view)), "utf-8")
    page = browser.new_page()
    Cdn(page.context)
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.goto(path.as_uri())
    for link in page.locator("main a[href]").all():
        link.dispatch_event("mouseover")
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    assert not dialogs
    wrong = page.evaluate(
        """() => [...document.querySelectorAll('main *')].filter(e =>
            ['SCRIPT', 'IFRAME', 'OBJECT', 'EMBED', 'STYLE', 'LINK', 'META', 'BASE', 'FORM', 'INPUT', 'TEMPLATE']
                .includes(e.tagName)
            || [...e.attributes].some(a => a.name.startsWith('on')
                || /^(href|src|action|data|xlink:href)$/.test(a.name) && /^\\s*(java|vb)script:|^data:/i.test(a.value)
                || a.name === 'style' && !e.closest('.katex')
                    && !/^(--p:\\d+(;--c:\\d+)?|--h:\\d+|counter-set:l \\d+|text-align:center)$/.test(a.value))
        ).map(e => e.outerHTML)"""
    )
    assert wrong == []
    return page


@pytest.mark.parametrize("checked", [True, False])
def test_nothing_that_a_translator_writes_runs(
    attacked: Site, tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch, checked: bool
) -> None:
    """Not even if nobody compared the translation with its original."""
    if not checked:
        monkeypatch.setattr(catalog, "misfits", lambda original, translation, links: [])
    view = render_page(attacked, attacked.pages[0], "zh", Report())
    assert view
    page = show(view, tmp_path / "a.html", browser)
    shown = page.locator("main .t").count()
    assert (shown > 50) == (not checked)
    page.close()


@pytest.mark.parametrize("suffix", thinned([".py", ".md"], 2))
def test_nothing_that_the_author_of_a_module_or_guide_writes_runs(
    write: Write, tmp_path: Path, browser: Browser, suffix: str
) -> None:
    """The page is shown as its author sees it, with all that is wrong with it."""
    quoted = [attack.replace("\n", " ").replace("'", "''") for attack in ATTACKS]
    head = f"---\ntitle: 'T {quoted[0]}'\nsummary: '{quoted[1]}'\nsymbols: {{'{quoted[2]}': '{quoted[0]}'}}\n---\n"
    prose = head + "\n" + "".join(map(hostile_prose, ATTACKS))
    code = "".join(
        f"# {hostile_prose(attack)}".replace("\n", "\n# ") + f'\nx{number} = r"""{attack} """  # {attack}\n'
        for number, attack in enumerate(ATTACKS)
    )
    write(f"pkg/a{suffix}", f'r"""\n{prose}\n"""\n{code}' if suffix == ".py" else prose)
    write("pkg/b.md", "# Another page\n")
    found = find_pages(Settings(base=tmp_path, roots=(("pkg", ""),)))
    report = Report()
    view = preview_page(found, found.pages[0], "en", report)
    assert len(report.errors) > 100
    assert all(problem.file == f"pkg/a{suffix}" and problem.line > 0 for problem in report.problems)
    page = show(view, tmp_path / "a.html", browser)
    text = page.locator("main").inner_text()
    assert text.count("window.pwned") > len(ATTACKS)  # it is shown, as text
    page.close()
    other = render_page(found, found.pages[1], "en", report)
    assert other and "Another page" in document(other)
    assert not [problem for problem in report.problems if problem.file == "pkg/b.md"]


XMLNS = 'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 90" width="90" height="90"'
SCRIPT = f"<script>{P}</script>"
PUBLISHED = {
    "a.SVG": f"<svg {XMLNS}>{SCRIPT}</svg>",
    "b.svg": f"<title {XMLNS}/>",
    "c.svg": f"<svg {XMLNS}><title/><text>x</text></svg>",
    "d.svg": f"<svg {XMLNS}><style/><text>&lt;/style>&lt;img src=x onerror={P}></text></svg>",
    "e.svg": f"<s:svg xmlns:s='{SVG[1:-1]}' viewBox='0 0 9 9'><s:text><![CDATA[{SCRIPT}]]></s:text></s:svg>",
    "f.svg": f"<svg {XMLNS}><desc><![CDATA[<img src=x onerror={P}>]]></desc></svg>",
    "g.svg": f'<svg {XMLNS}><path fill="\\75rl(x)" d="M0 0"/></svg>',
    "h.svg": f'<svg {XMLNS}><text class="&quot;&gt;{SCRIPT.replace("<", "&lt;")}">x</text></svg>',
    "i.html": f"GIF89a\1\0\1\0<!doctype html>{SCRIPT}",
    "j.xhtml": f"GIF89a\1\0\1\0{SCRIPT}",
    "k.js": f"GIF89a/*\1\0\1\0*/=1;{P}",
    "l.gif": f"GIF89a\1\0\1\0<!doctype html>{SCRIPT}",
    "m.png": f"GIF89a\1\0\1\0<!doctype html>{SCRIPT}",
    "n.GIF": f"GIF89a\1\0\1\0/*{SCRIPT}*/=1;{P}",
}
"""Pictures with a script in them: what is not refused must be harmless on the page and by itself."""


SHEET = (
    '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">'
    f'<html xmlns="http://www.w3.org/1999/xhtml">{SCRIPT}</html></xsl:template></xsl:stylesheet>'
)
SEPARATE = {
    "sheet.svg": f'<?xml-stylesheet type="text/xsl" href="data:text/xml,{quote(SHEET)}"?><svg {XMLNS}/>',
    "style.svg": f'<?xml-stylesheet type="text/css" href="data:text/css,a"?><svg {XMLNS}><g/></svg>',
    **{
        f"{encoding}.svg": f'<?xml version="1.0" encoding="{encoding}"?>'
        f"<svg {XMLNS}><text><![CDATA[{swallow}]]></text><!-- ]]></text>{SCRIPT}--> </svg>"
        for encoding, swallow in (
            ("shift_jis", "\xc1"),
            ("gbk", "\xc1\xc1"),
            ("big5", "\xe9"),
            ("utf-16", ""),
        )
    },
}
"""Drawings that hold only shapes and text as we read them, but not as a browser does that follows their first lines."""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files as most servers do."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def test_no_picture_runs(write: Write, tmp_path: Path, browser: Browser) -> None:
    """Neither on the page nor opened by itself, and none swallows what stands after it."""
    for name, text in PUBLISHED.items():
        write(f"pkg/{name}", "").write_bytes(text.encode())
        write(f"pkg/{name.partition('.')[0]}.md", f"# Page\n\n![picture]({name})\n\nAfter [all](z.md).\n")
    write("pkg/z.md", "# Last\n")
    settings = Settings(base=tmp_path, roots=(("pkg", ""),))
    report = build(find_pages(settings), tmp_path / "out", jobs=1, keep_going=True)
    refused = {problem.file.removeprefix("pkg/").removesuffix(".md") for problem in report.problems}
    assert refused == set("a b d g h i j k m".split())
    files = {
        path.relative_to(tmp_path / "out").as_posix()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert ({*PUBLISHED} - {"l.gif", "n.GIF"}) & files == {"i.html"}, "which is the page of `i.md`"
    assert b"GIF89a" not in (tmp_path / "out/i.html").read_bytes()
    with serving(partial(Quiet, directory=str(tmp_path / "out"))) as address:
        for file in sorted(files):
            if file.startswith((".", "assets/")):
                continue
            page = browser.new_page(bypass_csp=True)
            page.goto(address + file)
            assert page.evaluate("window.pwned") is None, file
            if file.endswith(".html") and len(file) == len("a.html") and file != "z.html":
                assert page.locator("main a[href='z.html']").count() == 1, file
            page.close()


def test_no_drawing_of_the_guides_runs_when_it_is_opened_by_itself(
    write: Write, tmp_path: Path, browser: Browser
) -> None:
    """In the encoding that it claims, with the style sheet that it names."""
    for name, text in SEPARATE.items():
        write(f"docs/assets/{name}", text)
    write("docs/index.md", "# Guide\n")
    write(
        "mkdocs.yml",
        "site_name: T\ntheme: {name: pylit}\nplugins: [pylit: {languages: [en], search: false}]\n",
    )
    build_site(load_config(str(tmp_path / "mkdocs.yml"), site_dir=str(tmp_path / "out")))
    with serving(partial(Quiet, directory=str(tmp_path / "out"))) as address:
        for name in SEPARATE:
            page = browser.new_page(bypass_csp=True)
            page.goto(f"{address}assets/{name}")
            root, head = page.evaluate("[document.documentElement.localName, document.firstChild.nodeType]")
            assert (root, head, page.evaluate("window.pwned")) == ("svg", 1, None), name
            page.close()
