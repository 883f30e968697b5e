"""Templates: whose are taken, how they add to those of the theme, and how a wrong one is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import Write
from jinja2 import nodes
from rendering import render, site

from pylit.cache import THEME
from pylit.errors import PylitError
from pylit.site.environment import templates
from pylit.site.templates import document, extra_file

ALL = sorted(path.relative_to(THEME).as_posix() for path in THEME.rglob("*.html"))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return planted(tmp_path)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page that the theme alone makes."""
    return page(planted(tmp_path_factory.mktemp("plain")))


def planted(folder: Path) -> Path:
    for name in ("pkg", "own"):
        (folder / name).mkdir()
    (folder / "pkg/a.py").write_text('"""\n# A page\n\nWords.\n"""\n', "utf-8")
    (folder / "pkg/b.py").write_text('"""\n# Another\n"""\n', "utf-8")
    return folder


def page(base: Path, lang: str = "en") -> str:
    view, _ = render(base, lang=lang, theme=base / "own", languages=("en", "zh"))
    assert view
    return document(view)


def test_an_empty_folder_changes_nothing(base: Path) -> None:
    view, _ = render(base, languages=("en", "zh"))
    assert view and page(base) == document(view)


def test_main_of_the_theme_is_an_empty_hook(base: Path, write: Write) -> None:
    assert re.fullmatch(r'{% extends "base.html" %}\s*{#[^}]*#}\s*', (THEME / "main.html").read_text("utf-8"))
    view, _ = render(base)
    assert view
    before = document(view)
    write("own/main.html", '{% extends "base.html" %}')
    view, _ = render(base, theme=base / "own")
    assert view and document(view) == before


@pytest.mark.parametrize("name", [name for name in ALL if name != "404.html"])
@pytest.mark.parametrize("statement", ["include", "extends"])
def test_a_template_can_add_to_that_of_the_theme(
    base: Path, write: Write, plain: str, name: str, statement: str
) -> None:
    """By its own name, which never means itself."""
    if statement == "extends":
        write(f"own/{name}", f'{{% extends "{name}" %}}')
        assert page(base) == plain
    else:
        write(f"own/{name}", f'{{% include "{name}" %}}<!-- mine -->')
        html = page(base)
        if name != "partials/search.html":  # which this site has not
            assert html.count("<!-- mine -->") == 1
        assert html.replace("<!-- mine -->", "").rstrip() == plain


def test_404_page_can_be_added_to(base: Path, write: Write) -> None:
    write("own/404.html", '{% extends "404.html" %}{% block extrahead %}<!-- mine -->{% endblock %}')
    found = site(base, theme=base / "own")
    assert extra_file(found, "404.html").count("<!-- mine -->") == 1


def test_blocks_are_filled_and_have_what_the_theme_has(base: Path, write: Write) -> None:
    write(
        "own/main.html",
        '{% extends "main.html" %}{% block content %}<p>Before.</p>\n{{ super() }}<p>{{ lang }}</p>{% endblock %}\n'
        "{% block announce %}<aside>Now</aside>{% endblock %}",
    )
    for lang in ("en", "zh"):
        html = page(base, lang)
        main = html.partition("<main")[2].partition("</main>")[0]
        assert main.index("Before.") < main.index("A page") < main.index(f"<p>{lang}</p>")
        assert html.index("</header>") < html.index("<aside>Now</aside>") < html.index('<div class="frame">')


def test_what_templates_are_given_is_escaped(base: Path, write: Write) -> None:
    write("pkg/a.py", '"""\n# A & B\n"""\n')
    write("own/partials/footer.html", "<i>{{ body.title }}</i>{{ '<u>' }}")
    assert "<i>A &amp; B</i>&lt;u&gt;" in page(base)


def test_a_drawing_can_be_included(base: Path, write: Write) -> None:
    write("own/partials/logo.svg", "<svg></svg>")
    write("own/partials/footer.html", '{% include "partials/logo.svg" %}')
    assert "<svg></svg>" in page(base)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("main.html", "\n{% if %}", "main.html:2: error: the template is not valid: "),
        ("partials/footer.html", "\n\n{{ nothing }}", "footer.html:3: error: the template is not valid: 'nothing'"),
        ("partials/footer.html", "\n{{ 1 // 0 }}", "footer.html:2: error: the template is not valid: ZeroDivision"),
        ("partials/footer.html", "{{ view.title }}", "footer.html:1: error: the template is not valid: 'pylit.site"),
        (
            "partials/footer.html",
            '\n{% include "partials/fooster.html" %}',
            r"footer.html:2: error: the template is not valid: there is no template `partials/fooster.html`\n"
            "    Did you mean `partials/footer.html`?",
        ),
        ("main.html", '{% extends "xyz" ~ ".svg" %}', r"no template `xyz.svg`\n    Looked in .*own and .*theme"),
        (
            "partials/footer.html",
            '{% include "own.css" %}',
            r"`own.css` is not the name of a template\n    Rename it. Templates end in .html, .svg, .txt, .xml",
        ),
        (
            "base.html",
            '{% extends "main.html" %}',
            r"templates extend or include each other in a cycle\n    Break the cycle.",
        ),
        ("partials/footer.html", "{{ ''.__class__.__mro__ }}", "footer.html:1: error: the template is not valid: "),
        ("partials/footer.html", "{{ lang.format.__globals__ }}", "the template is not valid: access to attribute"),
        ("partials/footer.html", '{% include "../../pkg/a.html" %}', "there is no template"),
        (
            "main.html",
            "Nothing",
            r"main.html: error: the templates show the content of the page 0 times, expected once\n"
            r"    Put {{ super\(\) }} into the block `content`",
        ),
        ("partials/footer.html", "{{ rows }}", "show the content of the page 2 times, expected once"),
    ],
)  # fmt: skip
def test_wrong_templates(base: Path, write: Write, name: str, text: str, told: str) -> None:
    write(f"own/{name}", text)
    write("own/own.css", "")
    with pytest.raises(PylitError, match=told):
        page(base)


def test_circle_of_two_templates(base: Path, write: Write) -> None:
    write("own/partials/a.html", '{% include "partials/b.html" %}')
    write("own/partials/b.html", '{% include "partials/a.html" %}')
    write("own/partials/footer.html", '{% include "partials/a.html" %}')
    with pytest.raises(PylitError, match=r"[ab]\.html:1: error: .* extend or include each other in a cycle"):
        page(base)


def test_mistake_of_ours_is_not_told_as_one_of_a_template(base: Path) -> None:
    view, _ = render(base)
    assert view
    with pytest.raises(ZeroDivisionError):
        document(view, lambda text: str(1 // 0))


def test_templates_are_read_again_when_they_change(base: Path, write: Write) -> None:
    write("own/partials/footer.html", "First")
    assert "First" in page(base)
    path = write("own/partials/footer.html", "Second")
    import os

    os.utime(path, (1, 1))
    assert "Second" in page(base)


def blocks(name: str) -> set[str]:
    """The blocks of a template of the theme."""
    tree = templates(None).parse((THEME / name).read_text("utf-8"))
    return {block.name for block in tree.find_all(nodes.Block)}


def test_guide_names_all_blocks_and_templates(root: Path) -> None:
    text = (root / "docs/guide/looks.md").read_text("utf-8")
    rows = [row.split(" | ")[0] for row in text.splitlines() if row.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([\w./]+)`", row)}
    assert blocks("base.html") - {"first_data", "body_data"} <= named
    assert {name for name in ALL if name.startswith("partials/")} == {
        n for n in named if n.startswith("partials/")
    }
