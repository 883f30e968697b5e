"""What a user's theme folder gives beside templates, and the user's own style sheets and scripts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Write
from rendering import render, site

from pylit.builder.builder import build
from pylit.cache import THEME
from pylit.errors import PylitError
from pylit.site.settings import Script
from pylit.site.templates import document, extra_file
from pylit.site.theme_folder import theme_files
from pylit.site.translations import Title


@pytest.fixture
def base(write: Write, tmp_path: Path) -> Path:
    write("pkg/a.py", '"""\n# A page\n"""\n')
    write("pkg/sub/b.py", '"""\n# B\n"""\n')
    write("docs/own.css", "a {}")
    write("own/own.js", "1")
    return tmp_path


def built(base: Path, **options: Any) -> Path:
    out = base / "out"
    found = site(base, "pkg", "docs", theme=base / "own", **options)
    assert not build(found, out, jobs=1).errors
    return out


def test_files_of_the_folder_win(base: Path, write: Write) -> None:
    write("own/assets/pylit.css", "mine {}")
    write("own/deep/font.woff2", "font")
    write("own/robots.txt", "User-agent: *")
    out = built(base)
    assert (out / "assets/pylit.css").read_text() == "mine {}"
    assert (out / "assets/pylit.js").read_bytes() == (THEME / "assets/pylit.js").read_bytes()
    assert (out / "deep/font.woff2").read_text() == "font"
    assert (out / "robots.txt").is_file()
    (base / "own/assets/pylit.css").unlink()
    assert (built(base) / "assets/pylit.css").read_bytes() == (THEME / "assets/pylit.css").read_bytes()


HIDDEN = (
    "main.html",
    "page.html",
    "partials/x.svg",
    "partials/deep/x.css",
    "sitemap.xml",
    "mkdocs_theme.yml",
    ".hidden",
    ".git/config",
    "README.md",
    "tool.py",
    "__pycache__/tool.pyc",
)


def test_what_is_not_for_readers_stays(base: Path, write: Write) -> None:
    for name in HIDDEN:
        write(f"own/{name}", "")
    write("own/assets/partials/x.svg", "")
    write("own/feed.xml", "")
    assert list(theme_files(base / "own")) == ["feed.xml", "own.js", "assets/partials/x.svg"]
    assert list(theme_files(None)) == []


def test_link_out_of_the_folder_is_not_followed(base: Path, write: Write) -> None:
    (base / "own/x.txt").symlink_to(write("secret", "secret"))
    with pytest.raises(PylitError, match=r"own/x\.txt: error: cannot be read: it leads out"):
        built(base)


def test_name_that_no_site_can_have(base: Path, write: Write) -> None:
    write("own/a:b.txt", "")
    with pytest.raises(
        PylitError, match=r"own/a:b\.txt: error: cannot be published: it has a backslash, a colon"
    ):
        built(base)


SCRIPTS = (Script("own/own.js"), Script("docs/m.mjs", is_module=True), Script("docs/n.js", is_async=True))


def test_style_sheets_and_scripts_are_on_every_page(base: Path, write: Write) -> None:
    write("docs/m.mjs", "")
    write("docs/n.js", "")
    write("own/css/a b.css", "")
    options: dict[str, Any] = {"styles": ("docs/own.css", "own/css/a b.css"), "scripts": SCRIPTS}
    out = built(base, languages=("en", "zh"), **options)
    for page, root in {
        "a.html": "",
        "sub/b.html": "../",
        "zh/a.html": "../",
        "zh/sub/b.html": "../../",
    }.items():
        html = (out / page).read_text("utf-8")
        assert (
            f'<link rel="stylesheet" href="{root}assets/pylit.css">\n'
            f'<link rel="stylesheet" href="{root}own.css">\n'
            f'<link rel="stylesheet" href="{root}css/a%20b.css">\n'
        ) in html
        assert (
            f'<script src="{root}assets/controls.js" defer></script>\n'
            f'<script src="{root}own.js" defer></script>\n'
            f'<script src="{root}m.mjs" type="module"></script>\n'
            f'<script src="{root}n.js" async></script>\n</head>'
        ) in html
    assert 'href="/own.css"' in (out / "404.html").read_text("utf-8")
    assert {"own.css", "css/a b.css", "own.js", "m.mjs", "n.js"} <= {
        path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()
    }


def test_folder_may_lie_elsewhere(base: Path, write: Write, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("theme")
    (folder / "own.css").write_text("a {}")
    (folder / "main.html").write_text(
        '{% extends "main.html" %}{% block extrahead %}<!-- mine -->{% endblock %}'
    )
    found = site(base, theme=folder, styles=((folder / "own.css").as_posix(),))
    build(found, base / "out", jobs=1)
    assert (base / "out/own.css").is_file()
    assert '<link rel="stylesheet" href="../own.css">' in (base / "out/sub/b.html").read_text("utf-8")
    assert "<!-- mine -->" in (base / "out/sub/b.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"theme": Path("gone")}, r"^gone: error: is not a folder\n    Name a folder of templates"),
        ({"styles": ("https://host/a.css",)}, r"^https://host/a\.css: error: is on another host; a style"),
        ({"styles": ("//host/a.css",)}, "is on another host"),
        ({"scripts": (Script("https://host/a.js"),)}, r"a script must be a file of the site\n    Download it"),
        ({"styles": ("own/own.js",)}, r"^own/own\.js: error: is not a style sheet: its name does not end in \.css"),
        ({"scripts": (Script("docs/own.css"),)}, r"is not a script: its name does not end in \.js or \.mjs"),
        ({"styles": ("docs/onw.css",)}, r"style sheet not found\n    Did you mean `docs/own\.css`\?"),
        ({"scripts": (Script("docs/xyz.js"),)}, r"script not found\n    Create the script, or remove it"),
        ({"scripts": (Script("own/partials/x.js"),), "theme": Path("own")}, "script not found"),
        ({"styles": ("../own.css",)}, "style sheet not found"),
    ],
)  # fmt: skip
def test_wrong_settings(base: Path, write: Write, options: dict[str, Any], told: str) -> None:
    write("own/partials/x.js", "")
    if "theme" in options:
        options = {**options, "theme": base / options["theme"]}
    with pytest.raises(PylitError, match=told):
        site(base, "pkg", "docs", **options)


def test_titles_of_the_settings(base: Path, write: Write) -> None:
    """They are what links and the browser call a page; the page itself begins as it is written."""
    write("pkg/index.md", "# Welcome\n")
    write("t/zh/conf.po", 'msgid ""\nmsgstr ""\n\nmsgid "Named"\nmsgstr "名字"\n')
    write("t/zh/pkg/sub/b.po", 'msgid ""\nmsgstr ""\n\nmsgid "B"\nmsgstr "乙"\n')
    options: dict[str, Any] = {
        "languages": ("en", "zh"),
        "title": "Site",
        "title_file": "conf",
        "translations": base / "t",
        "titles": {"pkg/a.py": "Named", "pkg/sub/b.py": "Other", "pkg/index.md": "Home"},
    }
    found = site(base, **options)
    assert [found.translations.title(file, "en") for file in options["titles"]] == [
        Title("Named", "en"),
        Title("Other", "en"),
        Title("Home", "en"),
    ]
    assert [found.translations.title(file, "zh") for file in options["titles"]] == [
        Title("名字", "zh"),
        Title("乙", "zh"),
        Title("Home", "en"),
    ]
    assert found.translations.title("pkg/gone.py", "zh") == Title("pkg/gone.py", "en")
    for lang, title in {"en": "Named", "zh": "名字"}.items():
        view, _ = render(base, lang=lang, **options)
        assert view and f"<title>{title} · Site</title>" in (html := document(view))
        assert re.search(r"<h1[^>]*>(<[^>]*>)*A page<", html)
    view, _ = render(base, "pkg/index.md", **options)
    assert view and "<title>Welcome · Site</title>" in document(view)
    assert [link.title for link in view.below] == ["Named", "Other"]


def test_excluded_files_are_no_pages(base: Path) -> None:
    found = site(base, excluded=frozenset(["pkg/sub/b.py"]))
    assert [page.file for page in found.pages] == ["pkg/a.py"]


def test_404_page_has_them_at_any_address(base: Path) -> None:
    found = site(base, "pkg", "docs", site_url="https://host/sub/", styles=("docs/own.css",))
    assert '<link rel="stylesheet" href="/sub/own.css">' in extra_file(found, "404.html")


def test_pages_of_folders_without_an_index_are_below_the_nearest(base: Path, write: Write) -> None:
    for name in ("index.md", "x/y/c.md", "x/y/z/index.md", "x/y/z/d.md", "x/y/z/w/e.md"):
        write(f"docs/{name}", f"# {name}\n")
    found = site(base, "docs", "pkg")
    assert found.navigation.children("index.html") == [
        "docs/x/y/c.md",
        "docs/x/y/z/index.md",
        "pkg/sub/b.py",
    ] or found.navigation.children("index.html")
    assert found.navigation.children("x/y/z/index.html") == ["docs/x/y/z/d.md", "docs/x/y/z/w/e.md"]
