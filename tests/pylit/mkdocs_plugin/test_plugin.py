"""The site as MkDocs and ProperDocs build it."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from zipfile import ZipFile

import pytest
from conftest import Write
from mkdocs.commands.build import build as build_site
from mkdocs.config import load_config
from mkdocs.exceptions import Abort
from sampling import thinned

from pylit.builder.workplace import SUFFIX
from pylit.errors import PylitError
from pylit.mkdocs_plugin.plugin import load_configuration

CONFIG = """\
site_name: Test
site_url: https://example.org/sub/
docs_dir: docs
strict: true
theme: {name: pylit}
plugins:
  - pylit:
      sources: [pkg]
      languages: [en, zh]
"""


def build(
    config: Path, out: Path, tool: str = "mkdocs", options: Sequence[str] = (), **surroundings: str
) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        tool,
        "build",
        "--config-file",
        str(config),
        "--site-dir",
        str(out),
        *options,
    ]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **surroundings})


def snapshot(out: Path) -> dict[str, bytes]:
    return {
        p.relative_to(out).as_posix(): p.read_bytes()
        for p in out.rglob("*")
        if p.suffix in (".html", ".css", ".js", ".svg", ".png", ".xml", ".ipynb", ".zip")
    }


@pytest.fixture
def config(write: Write) -> Path:
    write("pkg/__init__.py", '"""\n# Home\n\n[guide](../docs/guide.md#part)\n"""\n')
    write("docs/guide.md", "# Guide\n\n## Part\n\n![p](p.gif)\n")
    write("docs/p.gif", "").write_bytes(b"GIF89a\x03\x00\x02\x00\x00\x00\x00;")
    return write("mkdocs.yml", CONFIG)


@pytest.mark.thorough
@pytest.mark.process
def test_our_site_is_the_same_under_mkdocs_and_properdocs(root: Path, site: Path, tmp_path: Path) -> None:
    result = build(root / "mkdocs.yml", tmp_path / "out", "properdocs")
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr
    files = snapshot(site)
    assert files == snapshot(tmp_path / "out")
    for page in (
        "index.html",
        "resnet/index.html",
        "zh/index.html",
        "zh/resnet/index.html",
        "guide/reading.html",
    ):
        assert page in files
    assert {"404.html", "sitemap.xml", "annotated-labml-nn.zip"} <= set(files)
    assert {"index.ipynb", "zh/resnet/index.ipynb"} <= set(files)


@pytest.mark.process
def test_guides_modules_and_pictures(config: Path, tmp_path: Path) -> None:
    result = build(config, tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert 'href="guide.html#part"' in (tmp_path / "out/index.html").read_text("utf-8")
    assert 'src="../p.gif"' in (tmp_path / "out/zh/guide.html").read_text("utf-8")
    assert (tmp_path / "out/p.gif").is_file()
    page = (tmp_path / "out/zh/guide.html").read_text("utf-8")
    assert '<link rel="canonical" href="https://example.org/sub/zh/guide.html">' in page
    assert '<link rel="alternate" hreflang="en" href="https://example.org/sub/guide.html">' in page
    lost = (tmp_path / "out/404.html").read_text("utf-8")
    assert 'href="/sub/zh/index.html"' in lost
    assert 'href="/sub/assets/pylit.css"' in lost


@pytest.mark.process
def test_notebooks_and_archive(config: Path, write: Write, tmp_path: Path) -> None:
    write("mkdocs.yml", CONFIG + "      notebooks: true\n      requirement: pkg==3\n      archive: pkg.zip\n")
    assert build(config, tmp_path / "out").returncode == 0
    assert '%pip install --quiet \\"pkg==3\\"' in (tmp_path / "out/zh/index.ipynb").read_text("utf-8")
    page = (tmp_path / "out/zh/index.html").read_text("utf-8")
    assert 'href="index.ipynb" download="pkg.zh.ipynb"' in page
    assert '<a href="https://example.org/sub/pkg.zip" download>' in page
    with ZipFile(tmp_path / "out/pkg.zip") as archive:
        assert {"pkg/index.html", "pkg/zh/index.ipynb", "pkg/p.gif"} <= set(archive.namelist())
    write("mkdocs.yml", CONFIG)
    assert build(config, tmp_path / "other").returncode == 0
    assert not {path.suffix for path in (tmp_path / "other").rglob("*")} & {".ipynb", ".zip"}
    assert "download" not in (tmp_path / "other/index.html").read_text("utf-8")


@pytest.mark.process
def test_everything_is_the_same_wherever_and_whenever_it_is_built(
    config: Path, write: Write, tmp_path: Path
) -> None:
    """Notebooks, archive and the index for searching too, byte for byte, in another year, place and order of names."""
    options = "      notebooks: true\n      requirement: pkg==3\n      archive: pkg.zip\n      cache: ''\n"
    write("mkdocs.yml", CONFIG + options)
    write("pkg/m.py", '"""\n# Module\n\n$x$ and `f`\n"""\n\n\ndef f():\n    """\n    >>> f()\n    """\n')
    clock = write("clock/sitecustomize.py", "import time\nnow = time.time\ntime.time = lambda: now() + 1e9\n")
    found, show = [], [sys.executable, "-c", "import time; print(time.time())"]
    later = subprocess.run(show, env={**os.environ, "PYTHONPATH": str(clock.parent)}, stdout=subprocess.PIPE)
    assert float(later.stdout) > time.time() + 1e8
    for number, surroundings in enumerate(
        [
            {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8"},
            {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C", "LANG": "ja_JP.UTF-8"},
            {"PYTHONHASHSEED": "3", "SOURCE_DATE_EPOCH": "1", "PYTHONPATH": str(clock.parent)},
        ]
    ):
        out = tmp_path / f"out{number}"
        result = build(config, out, **surroundings)
        assert result.returncode == 0, result.stderr
        found.append({p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()})
        for path in [*tmp_path.glob("pkg/*"), *tmp_path.glob("docs/*")]:
            os.utime(path, (number, number))
    assert {"m.ipynb", "pkg.zip", "pagefind/pagefind.js", "sitemap.xml"} <= found[0].keys()
    for other in found[1:]:
        assert [url for url in found[0] if found[0][url] != other.get(url)] == []
        assert other.keys() == found[0].keys()


@pytest.mark.process
def test_archive_without_an_address(config: Path, write: Write, tmp_path: Path) -> None:
    without = CONFIG.replace("site_url: https://example.org/sub/\n", "")
    write("mkdocs.yml", without + "      archive: pkg.zip\n")
    result = build(config, tmp_path / "out")
    assert result.returncode == 1
    assert "archive `pkg.zip`: error: needs the URL of the site" in result.stderr


@pytest.mark.process
def test_site_name_is_translated(config: Path, write: Write, tmp_path: Path) -> None:
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    write("translations/zh/mkdocs.po", header + 'msgid "Test"\nmsgstr "测试"\n')
    assert build(config, tmp_path / "out").returncode == 0
    assert "· 测试</title>" in (tmp_path / "out/zh/guide.html").read_text("utf-8")
    assert "· Test</title>" in (tmp_path / "out/guide.html").read_text("utf-8")


@pytest.mark.process
def test_errors_fail_the_build_and_leave_the_old_site(config: Path, write: Write, tmp_path: Path) -> None:
    assert build(config, tmp_path / "out").returncode == 0
    before = snapshot(tmp_path / "out")
    write("pkg/a.py", '"""\n$\\frac$ and [x](y.py)\n"""\n')
    result = build(config, tmp_path / "out")
    assert result.returncode == 1
    assert "pkg/a.py:2: error: the formula `\\frac` is not valid" in result.stderr
    assert "pkg/a.py:2: error: the link `y.py` is broken" in result.stderr
    assert "the old site was left unchanged" in result.stderr
    assert snapshot(tmp_path / "out") == before


OTHERS = """\
from pathlib import Path

def on_config(config):
    global early
    early = Path(config.site_dir)

def on_post_build(config):
    folder = Path(config.site_dir)
    assert (folder / "index.html").is_file()
    assert (early / "direct").is_file()
    (folder / "theirs/deep").mkdir(parents=True)
    (folder / "theirs/deep/file").write_text("new")
    (folder / "theirs/link").symlink_to("deep/file")
    (folder / "latest").symlink_to("theirs")
    (folder / ".nojekyll").write_text("")
    early.mkdir(exist_ok=True)
    (early / "direct").write_text("new")
"""
"""What other plugins do: look at the site, change it, add to it, and remember its folder from before."""


@pytest.mark.process
@pytest.mark.parametrize("options", [[], ["--dirty"]])
def test_others_write_into_the_new_site(
    config: Path, write: Write, tmp_path: Path, options: list[str]
) -> None:
    out = tmp_path / "out"
    write("hook.py", OTHERS)
    write("mkdocs.yml", CONFIG.replace("strict: true", "hooks: [hook.py]") + "      archive: all.zip\n")
    for name in (
        "stale.html",
        "old/deep/index.html",
        "guide.html/file",
        "direct",
        ".hidden/file",
        "theirs",
        "latest/link",
    ):
        write(f"out/{name}", "Old")
    (out / "linked").symlink_to(tmp_path / "docs")
    (out / "old/link").symlink_to(tmp_path / "docs")
    for _ in range(2):  # from what MkDocs has left, and from what we have
        assert build(config, out, options=options).returncode == 0
        assert (out / "guide.html").is_file() and (out / "zh/index.html").is_file()
        assert (out / "direct").read_text() == (out / "latest/link").read_text() == "new"
        assert (out / "latest").readlink() == Path("theirs") and (out / ".nojekyll").is_file()
        assert (out / ".hidden/file").is_file() and (out / "linked").is_symlink()
        assert (out / "stale.html").exists() == (out / "old/link").is_symlink() == bool(options)
        assert (out / "old").exists() == bool(options)
        with ZipFile(out / "all.zip") as archive:
            assert {"all/theirs/deep/file", "all/index.html"} <= set(archive.namelist())
    assert (tmp_path / "docs/guide.md").is_file()
    assert not (tmp_path / f".out{SUFFIX}").exists()


@pytest.mark.process
@pytest.mark.parametrize("fails", [False, True])
def test_folder_of_the_site_is_only_changed_while_it_is_built(
    config: Path, write: Write, tmp_path: Path, fails: bool
) -> None:
    """`gh-deploy` looks at it afterwards."""
    if fails:
        write("pkg/wrong.py", "x = (")
    loaded = load_config(str(config), site_dir=str(tmp_path / "out"))
    loaded.plugins.on_startup(command="build", dirty=False)  # MkDocs keeps the plugin of an earlier test
    with pytest.raises(SystemExit) if fails else nullcontext():
        build_site(loaded)
    assert loaded.site_dir == str(tmp_path / "out")
    assert (tmp_path / "out").exists() != fails
    assert not (tmp_path / f".out{SUFFIX}").exists()


@pytest.mark.process
def test_warnings_of_others_leave_the_old_site_in_a_strict_build(
    config: Path, write: Write, tmp_path: Path
) -> None:
    assert build(config, tmp_path / "out").returncode == 0
    before = snapshot(tmp_path / "out")
    write("docs/guide.md", "# Changed\n\n## Part\n")
    write(
        "hook.py",
        "import logging\n\ndef on_env(env, **_):\n    logging.getLogger('mkdocs.x').warning('Oh')\n",
    )
    for tool in ("mkdocs", "properdocs"):
        write("mkdocs.yml", CONFIG + "hooks: [hook.py]\n")
        result = build(config, tmp_path / "out", tool)
        assert result.returncode == 1 and "1 warnings in strict mode" in result.stdout + result.stderr
        assert "The old site was left unchanged." in result.stderr
        assert snapshot(tmp_path / "out") == before
    write("mkdocs.yml", CONFIG.replace("strict: true", "hooks: [hook.py]"))
    assert build(config, tmp_path / "out").returncode == 0
    assert snapshot(tmp_path / "out") != before


@pytest.mark.process
@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))", "No space left on device"),
        ("OSError(errno.EACCES, 'Not you', config.site_dir + '/a/b.html')", "Not you"),
        ("OSError(errno.ENOENT, 'Of another plugin', '/somewhere/else')", ""),
    ],
)
@pytest.mark.parametrize("event", thinned(["post_build", "env"], 2))
def test_disk_that_is_full_while_mkdocs_writes(
    config: Path, write: Write, tmp_path: Path, event: str, raised: str, told: str
) -> None:
    out = tmp_path / "out"
    write("out/index.html", "Old")
    hook = f"import errno\nimport os\n\ndef on_{event}(*_, config, **__):\n    raise {raised}\n"
    write("hook.py", hook)
    write("mkdocs.yml", CONFIG + "hooks: [hook.py]\n")
    result = build(config, out)
    assert result.returncode == 1
    assert ("Traceback" in result.stderr) == (not told)
    message = f"{tmp_path / f'.out{SUFFIX}'}: error: cannot be written: {told}\n    The new site is built there before"
    assert (message in result.stderr) == bool(told)
    assert {path.name: path.read_text() for path in out.iterdir()} == {"index.html": "Old"}
    assert not (tmp_path / f".out{SUFFIX}").exists()


@pytest.mark.process
def test_source_that_does_not_exist(config: Path, write: Write, tmp_path: Path) -> None:
    write("mkdocs.yml", CONFIG.replace("[pkg]", "[gone]"))
    result = build(config, tmp_path / "out")
    assert result.returncode == 1
    assert "gone: error: does not exist" in result.stderr


@pytest.mark.process
@pytest.mark.parametrize("links", [{"a/up": ".."}, {"up": "/"}, {"a/x": "../b", "b/y": "../a"}])
def test_loops_of_links_are_named(config: Path, tmp_path: Path, links: dict[str, str]) -> None:
    """MkDocs follows links. It would never end, or end by a path that is too long."""
    for folder in ("a", "b"):
        (tmp_path / "docs" / folder).mkdir()
    for link, target in links.items():
        (tmp_path / "docs" / link).symlink_to(target)
    result = build(config, tmp_path / "out")
    assert result.returncode == 1
    assert " is a symlink to a folder that contains it; remove it." in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.process
def test_links_that_end_are_no_loops(config: Path, tmp_path: Path) -> None:
    for folder in ("a/deep", "b"):
        (tmp_path / "docs" / folder).mkdir(parents=True)
    for link, target in {"b/one": "../a", "b/two": "../a/deep"}.items():
        (tmp_path / "docs" / link).symlink_to(target)
    assert build(config, tmp_path / "out").returncode == 0


@pytest.mark.process
def test_warnings_fail_a_strict_build(config: Path, write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\n[x](../LICENSE)\n"""\n')
    write("LICENSE", "")
    result = build(config, tmp_path / "out")
    assert result.returncode == 1
    assert "a.py:2: warning: the link `../LICENSE`" in result.stderr


def test_settings_need_the_plugin(write: Write) -> None:
    path = write("mkdocs.yml", "site_name: x\n")
    write("docs/index.md", "")
    with pytest.raises(PylitError, match=r"mkdocs\.yml: error: does not name the plugin `pylit`\n.*Add it"):
        load_configuration(str(path))


@pytest.mark.process
def test_site_is_the_same_built_by_a_program(config: Path, tmp_path: Path) -> None:
    """MkDocs calls the plugin's methods in the same order whoever calls MkDocs."""
    assert build(config, tmp_path / "one").returncode == 0
    loaded = load_config(str(config), site_dir=str(tmp_path / "two"))
    loaded.plugins.on_startup(command="build", dirty=False)
    build_site(loaded)
    assert snapshot(tmp_path / "two") == snapshot(tmp_path / "one")


def test_wrong_page_stops_a_build_and_is_shown_in_a_preview(
    config: Path, tmp_path: Path, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write("pkg/wrong.py", 'r"""\n# Wrong\n\nHere is $\\nonsense$.\n"""\n')
    config.write_text(config.read_text("utf-8") + "      search: false\n", "utf-8")
    for command in ("build", "serve"):
        out = tmp_path / command
        loaded = load_config(str(config), site_dir=str(out))
        loaded.plugins.on_startup(command=command, dirty=False)
        if command == "build":
            with pytest.raises(SystemExit, match="Aborted"):
                build_site(loaded)
            assert "1 error(s) in the pages; the old site was left unchanged." in caplog.text
            assert not out.exists()
        else:
            build_site(loaded)
            assert "Undefined control sequence" in (out / "wrong.html").read_text("utf-8")


DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0"/></svg>'
REFUSED = {
    "raw.html": "<script>window.pwned=1</script>",
    "raw.HTM": "<script>window.pwned=1</script>",
    "raw.js": "window.pwned=1",
    "x/raw.xhtml": "GIF89a",
    "raw.xml": "<x/>",
    "raw.css": "a{}",
    "photo.gif": "<script>window.pwned=1</script>",
    "paper.pdf": "<html>",
    "data.csv": "  <script>",
    "LICENSE": "MIT",
    "notes.html.jsonl": "Text <script>window.pwned=1</script>",
    "notes.PHP.gz": "\x1f",
    "notes.svg.min.toml": "a = 1",
    "notes.js.png": "\x89PNG",
    "assets/mark.svg": DRAWING.replace("<path", "<script/><path"),
}
COPIED = {
    "own.css": "a{}",
    "own.js": "1",
    "robots.txt": "User-agent: *\n",
    "x/data.csv": "a,b\n",
    "v1.2/data.tar.min.v1.2.html5.csv": "a,b\n",
    "html.js/html.txt": "a",
    "refs.bib": "@book{a}",
    "paper.PDF": "%PDF-1.7",
    "CNAME": "example.org\n",
    "assets/logo.svg": DRAWING,
    "wide.GIF": "GIF89a\x03",
}


@pytest.mark.process
def test_what_lies_beside_the_guides_is_published_by_a_list(
    config: Path, write: Write, tmp_path: Path
) -> None:
    """By suffix and by what it holds; scripts and styles only if the configuration names them."""
    for name, text in {**REFUSED, **COPIED, "raw.SVG": DRAWING, "raw.svg": DRAWING}.items():
        write(f"docs/{name}", text)
    write("mkdocs.yml", CONFIG + "extra_css: [own.css]\nextra_javascript: [own.js]\n")
    result = build(config, tmp_path / "out")
    assert result.returncode == 1, "warnings fail a strict build"
    told = set(re.findall(r"(\S+): warning: is not published: ", result.stderr))
    assert told == set(REFUSED)
    write(
        "mkdocs.yml",
        CONFIG.replace("strict: true", "strict: false")
        + "extra_css: [own.css]\nextra_javascript: [own.js]\n",
    )
    assert build(config, tmp_path / "out").returncode == 0
    found = {
        path.relative_to(tmp_path / "out").as_posix()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert COPIED.keys() <= found
    assert not {*REFUSED, "raw.svg", "raw.SVG"} & found


@pytest.mark.process
@pytest.mark.parametrize(
    ("old", "new", "told"),
    thinned(
        [
            (
                "docs_dir: docs\n",
                "docs_dir: docs\nsite_dir: pkg\n",
                "contains `pkg` (sources), which would be removed",
            ),
            ("docs_dir: docs\n", "docs_dir: docs\nsite_dir: tree\n", "contains `tree/zh` (translations)"),
            (
                "docs_dir: docs\n",
                "docs_dir: docs\nsite_dir: .pylit-cache\n",
                "contains `.pylit-cache` (cache)",
            ),
            ("docs_dir: docs\n", 'docs_dir: docs\nsite_dir: "a\\0b"\n', "site_dir contains U+0000"),
            ("[pkg]", '["\\ud800"]', "sources contains U+D800"),
            ("[pkg]", f'["{"x" * 5000}"]', "cannot be read: File name too long"),
            ("[en, zh]\n", '[en]\n      cache: "a\\0"\n', "cache contains U+0000"),
            ("[en, zh]\n", '[en]\n      traces: "\\ud800"\n', "traces contains U+D800"),
            ("[en, zh]", "[]", "setting languages: error: is empty"),
            ("[en, zh]", "[en, zh, ZH]", "language `ZH`: error: is listed twice"),
        ],
        4,
    ),
)
def test_folders_and_languages_that_no_site_can_have(
    old: str, new: str, told: str, config: Path, write: Write
) -> None:
    write("tree/zh/a.po", "")
    text = CONFIG.replace(old, new) + ("      translations: tree/zh\n" if "tree" in new else "")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--config-file", str(write("mkdocs.yml", text))],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert told in result.stderr, result.stderr
    assert (config.parent / "pkg/__init__.py").is_file()


def test_address_that_mkdocs_cannot_take_apart(write: Write) -> None:
    path = write("mkdocs.yml", CONFIG.replace("https://example.org/sub/", "http://["))
    with pytest.raises(PylitError, match=r"mkdocs\.yml: error: is not valid: Invalid IPv6 URL"):
        load_configuration(str(path))


def test_mistake_of_ours_is_told_with_verbose(
    config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> None:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr("pylit.site.page.render_body", fail)
    monkeypatch.setattr("pylit.builder.builder.SHARED", 1 << 30)
    loaded = load_config(str(config), site_dir=str(tmp_path / "out"))
    loaded.plugins.on_startup(command="build", dirty=False)  # MkDocs keeps the plugin of an earlier test
    with caplog.at_level(logging.DEBUG), pytest.raises(Abort):
        build_site(loaded)
    shown = {
        record.levelno: record.getMessage() for record in caplog.records if "mistake" in record.getMessage()
    }
    assert "because of a bug in pylit: ZeroDivisionError: a mistake" in shown[logging.ERROR]
    assert "Traceback" in shown[logging.DEBUG]
