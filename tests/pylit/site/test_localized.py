"""Links and pictures in the reader's language: those that the glossary lists, and files with the language's name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import Write

from pylit.api import build, open_configuration, open_site
from pylit.cli.main import main
from pylit.errors import PylitError
from pylit.i18n.blocks import entry_id
from pylit.i18n.catalog import State, parse_catalog
from pylit.i18n.glossary import load_glossary
from pylit.preview.editor import Editor

EN, ZH = "https://en.wikipedia.org/wiki/Residual", "https://zh.wikipedia.org/wiki/残差"
ENCODED = "https://zh.wikipedia.org/wiki/%E6%AE%8B%E5%B7%AE"
TEXT = f"See [residual]({EN}) and [it]({EN})."
GLOSSARY = (
    f"- link: {EN}\n  use: [{ZH}, guide.zh.md]\n  why: The same article.\n- {{term: layer, use: [层]}}\n"
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>{}</text></svg>'
LINKS = {ENCODED: EN}


@pytest.fixture
def project(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(
        "pylit.toml",
        'sources = ["pkg"]\nlanguages = ["en", "zh", "ja"]\nnotebooks = true\ncache = ""\nsearch = false\n',
    )
    write("pkg/__init__.py", f'"""\n# Page\n\n{TEXT}\n\n![A picture](a.svg)\n"""\nx = 1\n')
    write("pkg/a.svg", SVG.format("in English"))
    write("translations/zh/glossary.yml", GLOSSARY)
    write("translations/zh/pkg/__init__.po", f'msgid "{TEXT}"\nmsgstr "见[残差]({ZH})和[它]({EN})。"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def built(*, problems: int = 0) -> dict[str, str]:
    report = build("site")
    assert len(report.problems) == problems, report.problems
    return {
        path.relative_to("site").as_posix(): path.read_text("utf-8")
        for path in Path("site").rglob("*")
        if path.suffix in (".html", ".ipynb")
    }


def test_a_listed_link_may_replace_that_of_the_original(project: Path) -> None:
    found = built()
    assert f'href="{ENCODED}"' in found["zh/index.html"]
    assert ENCODED not in found["index.html"] + found["ja/index.html"]
    assert ENCODED in found["zh/index.ipynb"] or ZH in found["zh/index.ipynb"]
    assert "no problems" in run("check", "--strict").stderr


@pytest.mark.parametrize(
    "translation",
    [
        f"见[残差](https://zh.wikipedia.org/wiki/别的)和[它]({EN})。",  # not listed
        f"见[残差]({ZH})。",  # one is missing
        f"见[残差]({ZH})、[它]({EN})和[又]({ZH})。",  # one too many
        f"见[残差]({ZH}x)和[它]({EN})。",
    ],
)
def test_other_links_are_not_shown(project: Path, write: Write, translation: str) -> None:
    write("translations/zh/pkg/__init__.po", f'msgid "{TEXT}"\nmsgstr "{translation}"\n')
    assert "残差" not in built(problems=1)["zh/index.html"]
    assert "error: a translation" in run("check").stderr


def test_a_list_in_another_language_allows_nothing(project: Path, write: Write) -> None:
    write("translations/ja/pkg/__init__.po", f'msgid "{TEXT}"\nmsgstr "[残差]({ZH})と[それ]({EN})。"\n')
    assert "それ" not in built(problems=1)["ja/index.html"]


def test_a_stale_translation_keeps_a_listed_link_only_while_the_original_has_its_own() -> None:
    def stale(text: str, previous: str) -> tuple[State, str]:
        po = f'#, fuzzy\n#| msgid "{previous}"\nmsgid "{text}"\nmsgstr "见[残差]({ZH})。"\n'
        found = parse_catalog(po.encode(), "a.po", "zh", LINKS).lookup(text)
        return found.state, found.text

    old = f"See [residual]({EN})."
    assert stale(f"Now see [residual]({EN}).", old) == (State.STALE, f"见[残差]({ZH})。")
    assert stale("See residual.", old) == (State.STALE, "见残差。")
    assert stale(f"See [residual]({EN}).", "See residual.") == (State.BROKEN, "")


def test_stale_translations_with_a_listed_link_can_be_accepted(project: Path, write: Write) -> None:
    header = 'msgid ""\nmsgstr ""\n"Language: zh\\n"\n\n'
    entry = f'#, fuzzy\n#| msgid "{TEXT[:-1]}"\nmsgid "{TEXT}"\nmsgstr "见[残差]({ZH})和[它]({EN})。"\n'
    path = write("translations/zh/pkg/__init__.po", header + entry)
    assert run("accept", "--all", str(path)).exit_code == 0
    assert "fuzzy" not in path.read_text("utf-8")


def test_a_page_is_made_again_when_the_list_changes(project: Path, write: Write) -> None:
    write("pylit.toml", 'sources = ["pkg"]\nlanguages = ["en", "zh"]\nsearch = false\n')
    path = Path("site/zh/index.html")
    build("site")
    assert ENCODED in path.read_text("utf-8")
    write("translations/zh/glossary.yml", "- {term: layer, use: [层]}\n")
    build("site")
    assert ENCODED not in path.read_text("utf-8")
    write("translations/zh/glossary.yml", "- a term\n")  # of which `check` tells
    build("site")
    write("translations/zh/glossary.yml", GLOSSARY)
    build("site")
    assert ENCODED in path.read_text("utf-8")


def drawings(notebook: str) -> set[str]:
    """Return the drawings in a notebook, as addresses that hold all of them."""
    return set(re.findall(r"data:image/svg[^\s)\"]+", notebook))


def test_a_picture_of_the_language_is_taken_by_itself(project: Path, write: Write) -> None:
    assert "in English" in built()["zh/index.html"]
    write("pkg/a.zh.svg", SVG.format("auf Chinesisch"))
    found = built()
    assert "auf Chinesisch" in found["zh/index.html"] and "in English" not in found["zh/index.html"]
    for other in ("index.html", "ja/index.html"):
        assert "in English" in found[other] and "auf Chinesisch" not in found[other]
    chinese, english = (drawings(found[name]) for name in ("zh/index.ipynb", "index.ipynb"))
    assert len(chinese) == len(english) == 1 and chinese != english


def test_a_raster_picture_of_the_language_is_published(project: Path, write: Write) -> None:
    from base64 import b64decode

    dot = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
    for name in ("b.gif", "b.zh.gif", "b.de.gif"):
        (project / "pkg" / name).write_bytes(dot)
    write("pkg/__init__.py", f'"""\n# Page\n\n{TEXT} ![dot](b.gif) more\n"""\n')
    found = built()
    assert 'src="../b.zh.gif"' in found["zh/index.html"] and 'src="b.gif"' in found["index.html"]
    assert sorted(path.name for path in Path("site").glob("*.gif")) == ["b.gif", "b.zh.gif"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- link: https://a.b\n", "a link needs `use`, and may have `why`\n    For example"),
        ("- {link: [a, b], use: c}\n", "a link needs `use`"),
        ("- {link: a, use: c, never: d}\n", "a link needs `use`"),
        ("- {link: a, term: b, use: c}\n", "a link needs `use`"),
    ],
)
def test_a_list_that_is_wrong(write: Write, text: str, message: str) -> None:
    with pytest.raises(PylitError, match=message):
        load_glossary(write("glossary.yml", text))


@pytest.mark.parametrize(
    ("original", "translation", "is_fit"),
    [
        (r"$0 \text{ if } x < 0$", r"$0 \text{ 如果 } x < 0$", True),
        (r"$0 \text{ if } x < 0$", r"$0 \text{ 如果 } x < 1$", False),
        (r"$0 \textbf{ if } x$", r"$0 \textbf{ 如果 } x$", True),
        (r"$0 \textbf{ if } x$", r"$0 \text{ 如果 } x$", False),
        (r"$0 \text{ if } x$", r"$0 \text{ $y$ } x$", False),
        (r"$0 \text{ if } x$", r"$0 \text{ \evil } x$", False),
        (r"$0 \mathrm{if} x$", r"$0 \mathrm{ob} x$", False),
    ],
)
def test_words_in_a_formula_and_nothing_else_of_it(original: str, translation: str, is_fit: bool) -> None:
    values: dict[str, Any] = {"a": original, "b": translation}
    po = 'msgid "It is {a}"\nmsgstr "它是 {b}"\n'.format(
        **{k: v.replace("\\", "\\\\") for k, v in values.items()}
    )
    (found,) = parse_catalog(po.encode(), "a.po", "zh").entries.values()
    assert (found.state is State.TRANSLATED) == is_fit


def test_a_pictogram_of_the_language_is_on_the_map(project: Path, write: Write) -> None:
    write("pkg/part.py", '"""\n---\ntitle: Part\npictogram: p.svg\n---\n# Part\n"""\n')
    write("pkg/p.svg", SVG.format("P"))
    write("pkg/p.zh.svg", SVG.format("Q"))
    write("pkg/__init__.py", f'"""\n# Page\n\n{TEXT}\n\n```pages\npages: part.py\n```\n"""\n')
    found = built()
    assert ">Q</text>" in found["zh/index.html"] and ">P</text>" not in found["zh/index.html"]
    for other in ("index.html", "ja/index.html"):
        assert ">P</text>" in found[other] and ">Q</text>" not in found[other]


def test_the_editor_knows_the_list(project: Path) -> None:
    site = open_site(open_configuration("pylit.toml", {}), is_kept=False)
    editor = Editor(lambda: site)
    for target, faults in ((ZH, 0), (f"{ZH}x", 2)):
        asked = {
            "page": "/zh/index.html",
            "id": entry_id(TEXT),
            "translation": f"见[残差]({target})和[它]({EN})。",
        }
        status, answer = editor.answer("try", asked)
        assert status == 200 and len(answer["faults"]) == faults
    (found,) = [one for one in editor.answer("list", asked)[1]["passages"] if one["text"] == TEXT]
    assert found["state"] == "translated"
