"""What a `mkdocs.yml` of somebody else says beside the plugin's options, under MkDocs itself."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import polib
import pytest
from conftest import Write
from mkdocs.commands.build import build as build_site
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from pylit.cache import THEME
from pylit.errors import PylitError
from pylit.mkdocs_plugin import foreign
from pylit.mkdocs_plugin.plugin import load_configuration
from pylit.site import find_pages, site_settings
from pylit.translate import site_progress
from pylit.translate.update import update_pages

CONFIG = """\
site_name: Toolbox
theme:
  name: pylit
  custom_dir: overrides
plugins:
  - pylit:
      sources: [toolbox]
      languages: [en, zh]
      search: false
"""
FILES = {
    "docs/index.md": "# Welcome\n",
    "docs/guide/install.md": "# Installation\n",
    "docs/guide/run.md": "# Running\n",
    "docs/data.csv": "a,b\n",
    "toolbox/core.py": '"""\n# The module\n"""\n',
    "toolbox/other.py": '"""\n# Other\n"""\n',
    "overrides/assets/pylit.css": "mine {}\n",
    "overrides/extra/in-theme.css": "b {}\n",
}
LOOKS = {"docs/own.css": "a {}\n", "docs/own.js": "1\n"}
Build = Callable[..., Path]


@pytest.fixture
def build(write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Build:
    """Build the project by MkDocs with some lines more in its configuration, and files."""

    def build_project(text: str = "", files: dict[str, str] | None = None, *, serve: bool = False) -> Path:
        for name, content in {**FILES, **(files or {})}.items():
            write(name, content)
        config = text if text.startswith("site_name") else CONFIG + text
        out = tmp_path / "out"
        loaded = load_config(str(write("mkdocs.yml", config)), site_dir=str(out))
        nav = loaded.nav
        loaded.plugins.on_startup(command="serve" if serve else "build", dirty=False)
        caplog.clear()
        with caplog.at_level(logging.INFO):
            build_site(loaded)
        assert loaded.nav is nav
        return out

    return build_project


def told(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= level]


def turns(out: Path, page: str) -> list[str]:
    """The titles of the pages before and after."""
    html = (out / page).read_text("utf-8")
    return re.findall(r'<a rel="(?:prev|next)".*?<span[^>]*>([^<]*)</span></a>', html)


NAV = """\
nav:
  - Home: index.md
  - toolbox/core.py
  - User guide:
      - Run it: guide/run.md
      - Deeper:
          - guide/../guide/install.md
  - ../toolbox/core.py
  - Again: index.md
"""


def test_nav_gives_order_and_titles(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    """What it does not name follows, and MkDocs does not miss the pages."""
    out = build(NAV)
    assert told(caplog) == []
    assert turns(out, "index.html") == ["The module"]
    assert turns(out, "core.html") == ["Home", "Run it"]
    assert turns(out, "guide/run.html") == ["The module", "Installation"]
    assert turns(out, "zh/guide/install.html") == ["Run it", "Other"]
    assert "<title>Run it · Toolbox</title>" in (page := (out / "guide/run.html").read_text("utf-8"))
    assert '<li aria-current="page">Run it</li>' in page and "Running</h1>" in page
    assert "<title>Welcome · Toolbox</title>" in (out / "index.html").read_text("utf-8")
    notes = [text for text in told(caplog, logging.INFO) if "section titles" in text]
    assert notes == [
        "mkdocs.yml:10: note: section titles are not shown: `User guide`, `Deeper`\n"
        "    Only the order of pages is used. To show a group, give its folder an `index.md` with the title."
    ]


def test_titles_of_nav_are_translated(build: Build, write: Write, tmp_path: Path) -> None:
    (tmp_path / "translations").mkdir()
    build(NAV)
    site = find_pages(site_settings(load_configuration(str(tmp_path / "mkdocs.yml"))))
    assert site.settings.texts == ("Toolbox", "Home", "Run it")
    update_pages(site, "zh", [])
    path = tmp_path / "translations/zh/mkdocs.po"
    catalog = polib.pofile(str(path))
    assert [entry.msgid for entry in catalog] == ["Toolbox", "Home", "Run it"]
    entry = catalog.find("Run it")
    assert entry
    entry.msgstr = "运行"
    catalog.save()
    out = build(NAV)
    assert turns(out, "zh/core.html") == ["Home", "运行"]
    assert "<title>运行 · Toolbox</title>" in (out / "zh/guide/run.html").read_text("utf-8")
    progress = next(part for part in site_progress(find_pages(site.settings)) if part.file == "mkdocs.yml")
    assert (progress.blocks, progress.translated) == (3, 1)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "GitHub: https://github.com/x",
            "`https://github.com/x` is not a page of this site, and is not shown",
        ),
        ("Absolute: /elsewhere/", "`/elsewhere/` is not a page of this site, and is not shown"),
        ("Data: data.csv", "`data.csv` is not a page, and is not shown"),
    ],
)
def test_entries_of_nav_that_are_no_pages(
    build: Build, caplog: pytest.LogCaptureFixture, entry: str, message: str
) -> None:
    build(f"nav:\n  - index.md\n  - {entry}\n")
    [warning] = told(caplog)
    assert warning.startswith(f"mkdocs.yml:10: warning: {message}\n    Link to it from a page")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "nav: [index.md, guide/instal.md]\n",
            "mkdocs.yml:10: error: page `guide/instal.md` not found\n    Did you mean `guide/install.md`? Guides are"
            " relative to `docs`, modules to the folder of mkdocs.yml.",
        ),
        ("nav: [toolbox/corr.py]\n", "Did you mean `toolbox/core.py`?"),
        ("nav: [guide/]\n", "page `guide/` not found"),
        ("nav: [../../mkdocs.yml]\n", "page `../../mkdocs.yml` not found"),
        (
            "      order: [docs/index.md]\nnav: [index.md]\n",
            "mkdocs.yml:11: error: `nav` sets the order of pages, and so does the plugin's option `order`\n    Keep",
        ),
        ("extra_css: [own.cs]\n", "docs/own.cs: error: is not a style sheet"),
        ("extra_css: [onw.css]\n", "docs/onw.css: error: style sheet not found\n    Did you mean `docs/own.c"),
        ("extra_css: ['https://host/a.css']\n", "https://host/a.css: error: is on another host; a style sheet must be"),
        ("extra_javascript: ['//host/a.js']\n", "//host/a.js: error: is on another host; a script must be a file"),
        (
            "extra_javascript: [{path: own.js, type: text/x-config}]\n",
            "mkdocs.yml:10: error: `own.js` has the type `text/x-config`, expected `module` or none\n    Remove the",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(
    build: Build, caplog: pytest.LogCaptureFixture, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(Abort):
        build(text, LOOKS)
    assert message in "\n".join(told(caplog))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "theme", ["", "theme: readthedocs\n", "theme: {name: null, custom_dir: overrides}\n"]
)
def test_themes_of_others_are_refused(build: Build, caplog: pytest.LogCaptureFixture, theme: str) -> None:
    plain = "site_name: Toolbox\nplugins: [pylit: {sources: [toolbox], search: false}]\n"
    with pytest.raises(Abort):
        build(plain + theme)
    [message] = [text for text in told(caplog) if "theme" in text]
    name = {"": "the theme `mkdocs`", "theme: readthedocs\n": "the theme `readthedocs`"}.get(
        theme, "a theme without a name"
    )
    line = ":3" if theme else ""
    assert message == (
        f"mkdocs.yml{line}: error: {name} cannot show the pages of the plugin `pylit`, which has its own theme\n"
        "    Write `theme: {name: pylit}`. To change the design, use `extra_css`, or your own folder:"
        " `theme: {name: pylit, custom_dir: overrides}`."
    )


def test_style_sheets_and_scripts_are_on_every_page(build: Build) -> None:
    scripts = "[own.js, {path: late.js, async: true}, mod.mjs, {path: also.js, type: module}]"
    out = build(
        f"extra_css: [own.css, ./extra/in-theme.css]\nextra_javascript: {scripts}\n",
        {**LOOKS, "docs/late.js": "", "docs/mod.mjs": "", "overrides/also.js": ""},
    )
    for page, root in {"index.html": "", "guide/run.html": "../", "zh/guide/run.html": "../../"}.items():
        html = (out / page).read_text("utf-8")
        assert re.findall('<link rel="stylesheet" href="([^"]*)">', html) == [
            f"{root}assets/pylit.css",
            f"{root}own.css",
            f"{root}extra/in-theme.css",
        ]
        assert re.findall("<script src=.*", html)[2:] == [
            f'<script src="{root}own.js" defer></script>',
            f'<script src="{root}late.js" async></script>',
            f'<script src="{root}mod.mjs" type="module"></script>',
            f'<script src="{root}also.js" type="module"></script>',
        ]
    for name in ("own.css", "extra/in-theme.css", "own.js", "late.js", "mod.mjs", "also.js"):
        assert (out / name).is_file()
    assert (out / "assets/pylit.css").read_text() == "mine {}\n"


@pytest.mark.parametrize("place", ["overrides", "docs/overrides"])
def test_own_folder_of_templates_and_files(
    build: Build, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    """Also among the guides, where its templates are no files to warn of."""
    files = {
        f"{place}/main.html": '{% extends "main.html" %}{% block extrahead %}<!-- mine -->{% endblock %}',
        f"{place}/partials/footer.html": '{% include "partials/footer.html" %}<p>{{ lang }}</p>',
        f"{place}/assets/pylit.css": "yours {}\n",
        f"{place}/own.css": "in the folder {}\n",
        f"{place}/page.html": "",
    }
    out = build(CONFIG.replace("overrides", place), files)
    assert told(caplog) == []
    for page, lang in {"index.html": "en", "zh/core.html": "zh"}.items():
        html = (out / page).read_text("utf-8")
        assert "<!-- mine -->" in html and f"<p>{lang}</p>" in html
    assert (out / "assets/pylit.css").read_text() == "yours {}\n"
    assert (out / "assets/pylit.js").read_bytes() == (THEME / "assets/pylit.js").read_bytes()
    assert not (out / "page.html").exists() and not (out / "partials").exists()


def test_files_beside_the_guides_come_before_those_of_the_theme(build: Build) -> None:
    out = build(
        "extra_css: [own.css]\n", {"overrides/own.css": "of the theme", "docs/own.css": "of the guides"}
    )
    assert (out / "own.css").read_text() == "of the guides"


def test_template_that_is_wrong_fails_the_build(
    build: Build, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with pytest.raises(Abort):
        build(files={"overrides/partials/footer.html": "\n{{ nothing }}"})
    assert "overrides/partials/footer.html:2: error: the template is not valid: 'nothing'" in "\n".join(
        told(caplog)
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("serve", [False, True])
def test_guides_that_are_left_out(build: Build, caplog: pytest.LogCaptureFixture, serve: bool) -> None:
    text = "exclude_docs: |\n  /guide/\n  secret.csv\ndraft_docs: idea.md\nnav: [index.md, guide/run.md, idea.md]\n"
    out = build(text, {"docs/idea.md": "# Idea\n", "docs/secret.csv": "a\n"}, serve=serve)
    assert told(caplog) == []
    assert (
        not (out / "guide").exists() and not (out / "zh/guide").exists() and not (out / "secret.csv").exists()
    )
    assert (out / "idea.html").exists() == serve
    assert (out / "data.csv").exists()


def test_extensions_of_markdown_are_named(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    build(
        "markdown_extensions: [admonition, toc: {permalink: true}, markdown.extensions.tables, footnotes, meta]\n"
    )
    [warning] = told(caplog)
    assert warning == (
        "mkdocs.yml:10: warning: pylit's Markdown does not support `admonition`, `footnotes`: their syntax is shown as"
        " plain text\n    Guides are CommonMark with tables and formulas. Rewrite other syntax, and remove these"
        " names."
    )


def test_options_that_the_theme_has_not(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    build(
        CONFIG.replace(
            "  custom_dir: overrides\n", "  palette: {primary: red}\n  features: []\n  locale: fr\n"
        )
    )
    [warning] = [text for text in told(caplog) if "locale 'fr'" not in text]  # of which MkDocs tells too
    assert warning == (
        "mkdocs.yml:2: warning: the theme `pylit` does not have the options `features`, `locale`, `palette`\n"
        "    Set languages with the plugin's option `languages`, and colours and fonts with `extra_css`."
    )


def test_keys_that_change_nothing_are_noted(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    keys = "site_author: A\nsite_description: B\ncopyright: C\nedit_uri: d\nuse_directory_urls: true\n"
    out = build(CONFIG.replace("plugins:\n", "plugins:\n  - search\n") + keys)
    notes = [text for text in told(caplog, logging.INFO) if ": note: " in text]
    named = [re.search(r"mkdocs\.yml:\d+: note: (?:the plugin )?`(\w+)`", text) for text in notes]
    assert sorted(match[1] for match in named if match) == [
        "copyright",
        "edit_uri",
        "search",
        "site_author",
        "site_description",
        "use_directory_urls",
    ]
    assert told(caplog) == []
    assert "search/main.js" not in (out / "index.html").read_text("utf-8")
    assert foreign.WITHOUT_EFFECT.keys() >= {"edit_uri_template"}


def test_in_a_preview_nothing_is_a_warning(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    """After a warning in a strict build, MkDocs' server would answer nothing any more."""
    build("markdown_extensions: [admonition]\n", serve=True)
    assert told(caplog) == []
    assert any("does not support `admonition`" in text for text in told(caplog, logging.INFO))


def test_commands_read_the_same(write: Write, tmp_path: Path) -> None:
    for name, content in {**FILES, **LOOKS}.items():
        write(name, content)
    write("mkdocs.yml", CONFIG + "nav: [guide/run.md, Start: index.md]\nextra_css: [own.css]\n")
    settings = site_settings(load_configuration(str(tmp_path / "mkdocs.yml")))
    assert settings.order == ("docs/guide/run.md", "docs/index.md")
    assert settings.titles == {"docs/index.md": "Start"}
    assert settings.styles == ("docs/own.css",)
    write("mkdocs.yml", "site_name: x\nplugins: [pylit]\n")
    with pytest.raises(PylitError, match="cannot show the pages of the plugin"):
        load_configuration(str(tmp_path / "mkdocs.yml"))


def test_custom_dir_in_the_folder_of_the_site(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Abort):
        build(CONFIG.replace("custom_dir: overrides", "custom_dir: out/theme"), {"out/theme/x.css": ""})
    assert "(custom_dir), which would be removed" in "\n".join(told(caplog))


def test_own_folder_is_watched(build: Build, tmp_path: Path) -> None:
    build()
    loaded = load_config(str(tmp_path / "mkdocs.yml"))
    loaded.plugins.on_config(loaded)
    assert str(tmp_path / "overrides") in loaded.watch
