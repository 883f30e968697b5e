"""How traces are kept, and what of them a page shows. Needs no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import Write

from pylit.cli.main import main
from pylit.cli.trace import trace_site
from pylit.errors import PylitError, Report
from pylit.parsing.source import parse_python
from pylit.site.discovery import find_pages
from pylit.site.page import render_page
from pylit.site.site import Settings
from pylit.site.templates import document
from pylit.tracing.format import NoTraceError, parse_chips, read_trace

EXAMPLE = """\
'''
>>> _ = f(Tensor(2, 3))
'''
from fake_tensors import Tensor


def f(x):
    # Why.
    y = x.view(6)
    return y
"""


@pytest.fixture
def pkg(write: Write, tmp_path: Path) -> Settings:
    """A package of three modules, of which one has tensors."""
    write("pkg/__init__.py", "")
    write("pkg/a.py", EXAMPLE)
    write("pkg/b.py", '">>> 1"\n')
    write("pkg/c.md", "# C\n")
    return Settings(base=tmp_path, roots=(("pkg", ""),), traces=tmp_path / "traces")


def run(settings: Settings) -> list[str]:
    assert settings.traces
    results = list(trace_site(find_pages(settings), settings.traces))
    return [str(r) if isinstance(r, PylitError) else r.relative_to(settings.base).as_posix() for r in results]


def test_traces_of_a_site_follow_its_modules(pkg: Settings, write: Write, tmp_path: Path) -> None:
    assert run(pkg) == ["traces/pkg/a.json"]
    assert run(pkg) == []
    before = (tmp_path / "traces/pkg/a.json").read_text("utf-8")
    write("traces/pkg/gone.json", before)
    write("traces/elsewhere/kept.json", before)
    write("traces/pkg/data.json", "[1]")
    assert run(pkg) == ["traces/pkg/gone.json"]
    write("pkg/a.py", '">>> 1"\n')
    assert run(pkg) == ["traces/pkg/a.json"]
    assert sorted(path.name for path in tmp_path.rglob("*.json")) == ["data.json", "kept.json"]


def test_a_module_that_fails_keeps_its_trace_and_stops_no_other(
    pkg: Settings, write: Write, tmp_path: Path
) -> None:
    run(pkg)
    write("pkg/a.py", EXAMPLE.replace("_ =", "1 / 0 +"))
    write("pkg/b.py", EXAMPLE)
    error, changed = run(pkg)
    assert "pkg/a.py:2: error: the example `1 / 0 + f(Tensor(2, 3))` raised ZeroDivisionError" in error
    assert changed == "traces/pkg/b.json"
    assert (tmp_path / "traces/pkg/a.json").is_file()


@pytest.mark.parametrize("text", ["[1]", '{"lines": [{}]}', '{"lines": 3}', "{", "\xff"])
def test_a_file_that_is_no_trace_is_left_alone(pkg: Settings, write: Write, text: str) -> None:
    path = write("traces/pkg/a.json", text)
    with pytest.raises(NoTraceError, match="is not a valid trace: "):
        read_trace(path)
    (error,) = run(pkg)
    assert (
        "a.json: error: is not overwritten, because it is not a valid trace\n    Remove it if it is" in error
    )
    assert path.read_text("utf-8") == text


# Pages


def page(settings: Settings, lang: str = "en") -> tuple[str, Report]:
    report = Report()
    site = find_pages(settings)
    view = render_page(site, site.pages[site.navigation.by_file["pkg/a.py"]], lang, report)
    assert view
    return document(view), report


def test_a_page_shows_shapes_and_a_switch(pkg: Settings) -> None:
    html, report = page(pkg)
    assert "chips" not in html
    assert 'id="shapes"' not in html
    run(pkg)
    html, report = page(pkg)
    assert not report.problems
    assert '<span class="chips"><span title="y: 6 float32">y: 6</span></span>\n</span>' in html
    assert '<span title="→ 6 float32">→ 6</span>' in html
    assert html.count('class="l with"') == 3
    assert html.count('id="shapes"') == 1


def test_prose_may_change_and_lines_may_move(pkg: Settings, write: Write, tmp_path: Path) -> None:
    run(pkg)
    text = (tmp_path / "pkg/a.py").read_text("utf-8")
    text = text.replace("# Why.", "# Why.\n    #\n    # More.\n\n").replace("\ndef f", "\ng = 1\ndef f")
    write("pkg/a.py", text.replace("    return", "\n    return"))
    html, report = page(pkg)
    assert not report.problems
    assert "→ 6" in html
    assert run(pkg) == []


def test_a_line_that_has_changed_shows_nothing_and_is_told(
    pkg: Settings, write: Write, tmp_path: Path
) -> None:
    run(pkg)
    text = (tmp_path / "pkg/a.py").read_text("utf-8")
    write("pkg/a.py", text.replace("y = x.view(6)", "y = x.view(3, 2)"))
    html, report = page(pkg)
    assert not report.errors
    (problem,) = report.warnings
    assert str(problem) == (
        "pkg/a.py:9: warning: the shapes of `f` are stale: its line `y = x.view(6)` has changed\n"
        "    Record them again: `pylit trace pkg/a.py`."
    )
    assert "y: 6" not in html
    assert "→ 6" in html
    write("pkg/a.py", text.replace("    return y\n", ""))
    assert str(page(pkg)[1].warnings[0]).startswith(
        "pkg/a.py:7: warning: the shapes of `f` are stale: its line `return"
    )
    write("pkg/a.py", text.replace("def f", "def g"))
    assert str(page(pkg)[1].warnings[0]).startswith(
        "pkg/a.py: warning: the shapes of `f` are stale: its line `def"
    )


def test_a_damaged_trace_is_told_and_shows_nothing(pkg: Settings, write: Write) -> None:
    write("traces/pkg/a.json", "<<<<<<< HEAD\n")
    html, report = page(pkg)
    assert "chips" not in html
    (problem,) = report.warnings
    assert str(problem).startswith("traces/pkg/a.json: warning: is not a valid trace: Expecting value")
    assert "Remove it and record it again: `pylit trace pkg/a.py`." in str(problem)


def test_chips(write: Write) -> None:
    """A chip shows the first shape, without the usual type, and knows all of them."""
    values = {
        "x": ["2 float32", "3 int64", "4 bool", "5 float32", "6 float32"],
        "y": ["2 float32, [] int64", "3 float32"],
        "z": ["1 float32", "2 float32", "3 float32"],
        "yield": ["[] float32"],
    }
    row = {"in": "f", "line": 1, "code": "def f():", "tensors": values}
    path = write("a.json", json.dumps({"lines": [row]}))
    found, problems = parse_chips(parse_python("def f():\n    return x\n", "a.py"), read_trace(path))
    assert not problems
    assert [chip.text for chip in found[1]] == [
        "x: 2",
        "y: (2, [] int64)",
        "z: 1",
        "→ []",
    ]
    assert found[1][1].values == ("y: 2 float32, [] int64", "y: 3 float32")


# Commands


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["trace", *arguments])


def test_command(pkg: Settings, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pkg.base)
    result = invoke()
    assert result.exit_code == 1
    assert "has no pylit configuration, and neither has any folder above it" in result.stderr
    result = invoke("pkg/a.py")
    assert result.exit_code == 0
    assert result.output == "experiments/traces/pkg/a.json\n1 trace changed.\n"
    assert invoke("pkg", "--traces", "there").stdout == "there/pkg/a.json\n"
    assert "gone.py: error: does not exist" in invoke("gone.py").stderr
    write("pkg/b.py", '">>> 1 / 0"\n')
    result = invoke("pkg")
    assert result.exit_code == 1
    assert "pkg/b.py:1: error: the example `1 / 0` raised" in result.stderr
    assert "0 traces changed." in result.stderr


@pytest.mark.process
def test_command_for_a_whole_site(pkg: Settings, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pkg.base)
    write("docs/guide.md", "# A\n")
    config = "site_name: T\ntheme: {name: pylit}\nplugins:\n  - pylit:\n      sources: [pkg]\n      traces: there\n"
    write("mkdocs.yml", config)
    assert invoke().stdout == "there/pkg/a.json\n"
    assert invoke().stdout == ""
    result = CliRunner().invoke(main, ["render", "pkg", "--out", "out", "--traces", "there"])
    assert result.exit_code == 0, result.stderr
    assert "→ 6" in Path("out/a.html").read_text("utf-8")
