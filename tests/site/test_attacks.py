"""What a catalog, a module or a guide says can never become a script on a page, shown in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import polib
import pytest
from conftest import Write
from playwright.sync_api import Browser, Dialog, Page

from pylit import catalog
from pylit.discovery import find_pages
from pylit.document import document
from pylit.errors import Report
from pylit.site import Settings, Site
from pylit.view import View, preview_page, render_page
from pylit.workshop import update_pages

P = "window.pwned=1"
ATTACKS = [
    f"<script>{P}</script>",
    f"<SCRIPT>{P}</SCRIPT>",
    f"<scr<script>ipt>{P}</scr</script>ipt>",
    f"<script src='data:text/javascript,{P}'></script>",
    f"<img src=x onerror={P}>",
    f"<img src=x onerror='{P}'>",
    f'<img src="x" OnErRoR="{P}">',
    f"<img/src=x/onerror={P}>",
    f"<svg onload={P}>",
    f"<svg><script>{P}</script></svg>",
    f"<svg/onload={P}>",
    f"<svg><animate onbegin={P} attributeName=x dur=1s>",
    f"<svg><set onbegin={P} attributename=x>",
    f"<math><mtext></mtext><script>{P}</script></math>",
    f"<math href='javascript:{P}'>click</math>",
    f"<body onload={P}>",
    f"<iframe src='javascript:{P}'></iframe>",
    f"<iframe srcdoc='<script>parent.{P}</script>'></iframe>",
    f"<object data='javascript:{P}'></object>",
    f"<embed src='javascript:{P}'>",
    f"<link rel=stylesheet href='javascript:{P}'>",
    f"<meta http-equiv=refresh content='0;url=javascript:{P}'>",
    "<base href='https://evil.example/'>",
    f"<form action='javascript:{P}'><button>x</button></form>",
    f"<button onclick={P} autofocus onfocus={P}>x</button>",
    f"<input onfocus={P} autofocus>",
    f"<select onfocus={P} autofocus></select>",
    f"<textarea onfocus={P} autofocus></textarea>",
    f"<details open ontoggle={P}>x</details>",
    f"<video><source onerror={P}></video>",
    f"<audio src=x onerror={P}></audio>",
    f"<marquee onstart={P}>x</marquee>",
    f"<b onmouseover={P}>x</b>",
    f"<b style='animation-name:x' onanimationstart={P}>x</b>",
    f"<kbd onclick={P}>x</kbd>",
    "<b style='position:fixed;inset:0;background:red'>x</b>",
    "<style>body{display:none}</style>",
    f"<a href='javascript:{P}'>x</a>",
    f"<a href=' javascript:{P}'>x</a>",
    f"<a href='java\tscript:{P}'>x</a>",
    f"<a href='data:text/html,<script>{P}</script>'>x</a>",
    f"[x](javascript:{P})",
    f"[x](JaVaScRiPt:{P})",
    f"[x](javascript&#58;{P})",
    f"[x](&#x6A;avascript:{P})",
    "[x](vbscript:msgbox)",
    f"[x](data:text/html;base64,{P})",
    f"[x](<javascript:{P}>)",
    f"<javascript:{P}>",
    f"![x](javascript:{P})",
    f"![x](x' onerror='{P})",
    f'![x](x "onerror={P}")',
    f'[x](https://example.org "\\" onmouseover=\\"{P}")',
    f"$\\href{{javascript:{P}}}{{x}}$",
    f"$\\htmlData{{onclick={P}}}{{x}}$",
    f"$\\includegraphics{{javascript:{P}}}$",
    f"$\\url{{javascript:{P}}}$",
    f"`</code><script>{P}</script>`",
    f"``` </code><img src=x onerror={P}> ```",
    f"</span></p><script>{P}</script>",
    f"--><script>{P}</script>",
    f"<!--><script>{P}</script>-->",
    f"<![CDATA[<script>{P}</script>]]>",
    f"<?xml-stylesheet href='javascript:{P}'?>",
    f"&lt;script&gt;{P}&lt;/script&gt;<script>{P}</script>",
    f"\ue0000\ue001<script>{P}</script>",
    f"<noscript><p title='</noscript><img src=x onerror={P}>'></noscript>",
    f"<template><script>{P}</script></template>",
    f"<x onclick={P} tabindex=1>x</x>",
    f"<b><i><b onclick={P}></b></i></b>",
]
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
                || a.name === 'style' && !e.closest('.katex') && !/^--p:\\d+(;--c:\\d+)?$/.test(a.value))
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
        monkeypatch.setattr(catalog, "misfits", lambda original, translation: [])
    view = render_page(attacked, attacked.pages[0], "zh", Report())
    assert view
    page = show(view, tmp_path / "a.html", browser)
    shown = page.locator("main .t").count()
    assert (shown > 50) == (not checked)
    page.close()


def hostile_prose(attack: str) -> str:
    """An attack wherever Markdown may take it: as a block, in a line, a heading, a list, a cell, a link, a fence."""
    line = " ".join(attack.split())
    cell = line.replace("|", r"\|")
    return (
        f"{attack}\n\nIn a line {line} of words\n\n## A heading {line}\n\n* an item {line}\n\n> {line}\n\n"
        f"| a {cell} | b |\n|---|---|\n| {cell} | c |\n\n[{line}]({line} \"{line}\") ![{line}](<{line}> '{line}')\n\n"
        f"```{line}\n{line}\n```\n\n```chart\ncaption: {line}\n```\n\n$$\n{line}\n$$\n\n${line}$\n\n`{line}`\n\n"
        f"<details>\n<summary>{line}</summary>\n{line}\n</details>\n\n<div {line}>\n\n>>> {line}\n\n"
    )


@pytest.mark.parametrize("suffix", [".py", ".md"])
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
