"""What a module or a catalog says never becomes a script in a notebook, whoever shows it, and however trustfully."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import polib
import pytest
from attack_strings import ATTACKS, P, hostile_prose
from conftest import Write
from markdown_it import MarkdownIt

from pylit.errors import Report
from pylit.i18n import catalog as catalog
from pylit.rendering.sanitize import BLOCK_TAGS, INLINE_TAGS
from pylit.site.discovery import find_pages
from pylit.site.page import render_notebook
from pylit.site.site import Settings, Site
from pylit.translate.update import update_pages

MADE = {"h1", "h2", "h3", "h4", "h5", "h6", "pre", "code", "a", "img", "blockquote", "span"}
"""Tags that Markdown itself makes, or our figures."""
FENCE = "```\n"
MORE = [
    f"{FENCE}<script>{P}</script>\n{FENCE}",
    f"<div>\n<script>x</script>\n[x](javascript:{P})\n</div>",
    f"<script>\n\n[x](javascript:{P})\n\n</script>",
    f"<p onclick={P}>x</p>",
    f"<p>\n<b onclick={P}>x</b>\n</p>",
    f"<details ontoggle={P} open>\n<summary>x</summary>\n<img src=x onerror={P}>\n</details>",
    f"<table background='javascript:{P}'><tr><td>x</td></tr></table>",
    f"<div>\n<a href='javascript:{P}'>x</a>\n</div>",
    f"<div><style>@import 'javascript:{P}'</style></div>",
    f"[x][r]\n\n[r]: javascript:{P}",
    f"[r]: javascript:{P}\n\n[r]",
    f"[^1]\n\n[^1]: javascript:{P}",
    f"[a](https://e.org 'b\" onmouseover=\"{P}')",
    f"[a](<https://e.org/)[x](javascript:{P}>)",
    f'![x](p.png "[x](javascript:{P}) <img src=x onerror={P}>")',
    f"![<img src=x onerror={P}>](p.png)",
    f"$a <img src=x onerror={P}> b$",
    f"$[x](javascript:{P})$",
    f"$$\na <script>{P}</script>\n$$",
    f"$$\n\n<script>{P}</script>\n\n$$",
    f">>> x\n```\n<script>{P}</script>",
    f">>> x\n````\n<script>{P}</script>\n```",
    f"* a\n\n<p></p>\n\n      <script>{P}</script>",
    f"``` <script>{P}</script>",
    f"~~~\n<script>{P}</script>",
    f"* ```\n  <script>{P}</script>",
    f"\\<script>{P}</script>",
    f"\\\\<script>{P}</script>",
    f"`<script>{P}</script>",
    f"a < script>{P}</ script>",
    f"<\nscript>{P}</script>",
    f"{{{{ '<script>{P}</script>' }}}}",
    f"&#60;script&#62;{P}&#60;/script&#62;",
    f"| a |\n|---|\n| ![x](p.png 'a') <script>{P}</script> \\| [x](javascript:{P}) |",
    f"# <script>{P}</script>\n===",
]
LINES = [
    f"{FENCE.strip()}\u2028<script>{P}</script>",
    f"x\n\n<script>\n{P}\n</script>",
    f"x\n{FENCE}",
    f"{FENCE.strip()} x",
    f"    <script>{P}</script>",
    f"x\n\n[r]: javascript:{P}\n\n[r]",
    f"<div>\n\n[x](javascript:{P})",
    f"| a |\n|---|\n| <script>{P}</script> |",
    f">>> x\n<script>{P}</script>",
    f"$$\n<script>{P}</script>\n$$",
    "~~~",
    "- x\n- y",
]
"""What a translation of a line may be."""


class Found(HTMLParser):
    """What is in a text that could run."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in MADE | BLOCK_TAGS | INLINE_TAGS:
            self.wrong.append(tag)
        for name, value in attributes:
            target = re.sub(r"[\s\x00-\x20]", "", value or "").lower()
            is_picture = tag == "img" and name == "src" and target.startswith("data:image/")
            if name.startswith("on") or (name == "style" and not target.startswith("text-align:")):
                self.wrong.append(f"{tag} {name}")
            elif re.match(r"(java|vb)script:|data:|file:", target) and not is_picture:
                self.wrong.append(f"{tag} {name}={value}")

    def handle_comment(self, data: str) -> None:
        assert not data.strip()


def shown(text: str) -> list[str]:
    """What could run in a cell that is shown by readers that take every address, with and without formulas."""
    readers = [MarkdownIt("commonmark", {"html": True}), MarkdownIt("gfm-like", {"html": True})]
    wrong = []
    for md in readers:
        md.disable("linkify", ignoreInvalid=True)
        md.validateLink = lambda url: True  # type: ignore[method-assign]
        for html in (md.render(text), md.render(without_formulas(text))):
            found = Found()
            found.feed(html)
            wrong += found.wrong
    return wrong


def without_formulas(text: str) -> str:
    """A cell after Jupyter has taken what it thinks are formulas, of which code has none."""
    for code in (r"(?ms)^(`{3,}|~{3,})[^`\n]*\n.*?^\1`*$", r"(?<!\\)(`+)[^\n]*?[^`\n]\1(?!`)"):
        text = re.sub(code, lambda match: match[0].replace("$", "DOLLAR"), text)
    return re.sub(r"\$\$.*?\$\$|(?<!\\)\$[^$\n]+\$", "∑", text, flags=re.DOTALL)


def cells(site: Site, lang: str = "en") -> Iterator[str]:
    for page in site.pages:
        for cell in json.loads(render_notebook(site, page, lang, Report()))["cells"]:
            if cell["cell_type"] == "markdown":
                yield "".join(cell["source"])


def module(prose: str) -> str:
    return f'r"""\n# Title\n\n{prose}\n"""\n\nx = 1\n'


@pytest.mark.parametrize("attack", [*ATTACKS, *MORE])
def test_author_of_a_module(write: Write, tmp_path: object, attack: str) -> None:
    """Alone, among others and wherever Markdown may take it; in the docstring, and in comments between code."""
    assert '"""' not in attack
    base = write("pkg/p.png", "").parent
    (base / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89")
    write("pkg/alone.py", module(attack))
    after = f"{attack}\n\n{FENCE}<script>code</script>\n{FENCE}\n    <script>code</script>\n"
    write("pkg/before_code.py", module(after))
    write("pkg/all.py", module(hostile_prose(attack)))
    write("pkg/comment.py", f"# {attack}".replace("\n", "\n# ") + "\nx = 1\n")
    write("pkg/main.py", f"if __name__ == '__main__':\n    x = r'''\n{attack}\n'''\n")
    found = find_pages(Settings(base=base.parent, roots=(("pkg", ""),)))
    texts = list(cells(found))
    assert len(texts) > 8
    for text in texts:
        assert shown(text) == [], text


@pytest.mark.parametrize("attack", [*ATTACKS, *MORE, *LINES])
def test_translator(write: Write, monkeypatch: pytest.MonkeyPatch, attack: str) -> None:
    """Even if nobody compares a translation with its original."""
    monkeypatch.setattr(catalog, "misfits", lambda original, translation, links: [])
    code = f"{FENCE}<script>code</script>\n{FENCE}"
    blocks = ("One line.\n", "## A heading\n", "* an item\n", "| head |\n|---|\n| cell |\n", "> quoted\n")
    prose = f"\n{code}\n".join(blocks)
    base = write("pkg/a.py", module(prose)).parent.parent
    found = find_pages(
        Settings(base=base, roots=(("pkg", ""),), languages=("en", "zh"), translations=base / "t")
    )
    update_pages(found, "zh", found.pages)
    po = polib.pofile(str(base / "t/zh/pkg/a.po"))
    for entry in po:
        entry.msgstr = attack
    assert len(po) == 7
    po.save()
    found = find_pages(found.settings)
    texts = list(cells(found, "zh"))
    assert "One line." not in "".join(texts)
    for text in texts:
        assert shown(text) == [], text


def test_name_of_a_file(write: Write) -> None:
    name = "a` <img src=x onerror=x> [x](javascript:x) `.py"
    base = write(f"pkg/{name}", "x = 1\n").parent.parent
    found = find_pages(Settings(base=base, roots=(("pkg", ""),), repository="https://host/me/it"))
    for text in cells(found):
        assert shown(text) == [], text


def test_what_is_looked_for_is_found() -> None:
    """The readers above do show what runs, or these tests would see nothing."""
    for attack in (
        f"<script>{P}</script>",
        f"[x](javascript:{P})",
        f"<b onclick='{P}'>",
        "[r]\n\n[r]: vbscript:x",
    ):
        assert shown(attack) != []
