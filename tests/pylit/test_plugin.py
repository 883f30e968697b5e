"""The site as MkDocs and ProperDocs build it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from zipfile import ZipFile

import pytest
from conftest import Write
from mkdocs.commands.build import build as build_site
from mkdocs.config import load_config

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
    config: Path, out: Path, tool: str = "mkdocs", **surroundings: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", tool, "build", "--config-file", str(config), "--site-dir", str(out)]
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


def test_our_site_is_the_same_under_mkdocs_and_properdocs(root: Path, tmp_path: Path) -> None:
    outs = {}
    for tool in ("mkdocs", "properdocs"):
        result = build(root / "mkdocs.yml", tmp_path / tool, tool)
        assert result.returncode == 0, result.stderr
        assert "WARNING" not in result.stderr
        outs[tool] = snapshot(tmp_path / tool)
    assert outs["mkdocs"] == outs["properdocs"]
    for page in (
        "index.html",
        "resnet/index.html",
        "zh/index.html",
        "zh/resnet/index.html",
        "guide/reading.html",
    ):
        assert page in outs["mkdocs"]
    assert {"404.html", "sitemap.xml", "annotated-labml-nn.zip"} <= set(outs["mkdocs"])
    assert {"index.ipynb", "zh/resnet/index.ipynb"} <= set(outs["mkdocs"])


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


def test_archive_without_an_address(config: Path, write: Write, tmp_path: Path) -> None:
    without = CONFIG.replace("site_url: https://example.org/sub/\n", "")
    write("mkdocs.yml", without + "      archive: pkg.zip\n")
    result = build(config, tmp_path / "out")
    assert result.returncode == 1
    assert "archive `pkg.zip`: error: needs a site with an address" in result.stderr


def test_site_name_is_translated(config: Path, write: Write, tmp_path: Path) -> None:
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    write("translations/zh/mkdocs.po", header + 'msgid "Test"\nmsgstr "测试"\n')
    assert build(config, tmp_path / "out").returncode == 0
    assert "· 测试</title>" in (tmp_path / "out/zh/guide.html").read_text("utf-8")
    assert "· Test</title>" in (tmp_path / "out/guide.html").read_text("utf-8")


def test_errors_fail_the_build_and_leave_the_old_site(config: Path, write: Write, tmp_path: Path) -> None:
    assert build(config, tmp_path / "out").returncode == 0
    before = snapshot(tmp_path / "out")
    write("pkg/a.py", '"""\n$\\frac$ and [x](y.py)\n"""\n')
    result = build(config, tmp_path / "out")
    assert result.returncode == 1
    assert "pkg/a.py:2: error: the formula `\\frac` is wrong" in result.stderr
    assert "pkg/a.py:2: error: the link `y.py` leads nowhere" in result.stderr
    assert "the old site was left as it is" in result.stderr
    assert snapshot(tmp_path / "out") == before


def test_source_that_does_not_exist(config: Path, write: Write, tmp_path: Path) -> None:
    write("mkdocs.yml", CONFIG.replace("[pkg]", "[gone]"))
    result = build(config, tmp_path / "out")
    assert result.returncode == 1
    assert "gone: error: does not exist" in result.stderr


@pytest.mark.parametrize("links", [{"a/up": ".."}, {"up": "/"}, {"a/x": "../b", "b/y": "../a"}])
def test_loops_of_links_are_named(config: Path, tmp_path: Path, links: dict[str, str]) -> None:
    """MkDocs follows links. It would never end, or end by a path that is too long."""
    for folder in ("a", "b"):
        (tmp_path / "docs" / folder).mkdir()
    for link, target in links.items():
        (tmp_path / "docs" / link).symlink_to(target)
    result = build(config, tmp_path / "out")
    assert result.returncode == 1
    assert " is a link that leads back to a folder above it; remove it." in result.stderr
    assert "Traceback" not in result.stderr


def test_links_that_end_are_no_loops(config: Path, tmp_path: Path) -> None:
    for folder in ("a/deep", "b"):
        (tmp_path / "docs" / folder).mkdir(parents=True)
    for link, target in {"b/one": "../a", "b/two": "../a/deep"}.items():
        (tmp_path / "docs" / link).symlink_to(target)
    assert build(config, tmp_path / "out").returncode == 0


def test_warnings_fail_a_strict_build(config: Path, write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\n[x](../LICENSE)\n"""\n')
    write("LICENSE", "")
    result = build(config, tmp_path / "out")
    assert result.returncode == 1
    assert "a.py:2: warning: the link `../LICENSE`" in result.stderr


def test_settings_need_the_plugin(write: Write) -> None:
    from mkdocs.exceptions import ConfigurationError

    from pylit.plugin import load_settings

    path = write("mkdocs.yml", "site_name: x\n")
    write("docs/index.md", "")
    with pytest.raises(ConfigurationError, match="does not name the plugin `pylit`"):
        load_settings(str(path))


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
            assert "1 error(s) in the pages; the old site was left as it is." in caplog.text
            assert not out.exists()
        else:
            build_site(loaded)
            assert "Undefined control sequence" in (out / "wrong.html").read_text("utf-8")
