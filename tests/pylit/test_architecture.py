"""The house is built as it says it is."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import ROOT

ENGINE = ROOT / "pylit"
ROOMS = sorted(path.parent for path in ENGINE.glob("*/__init__.py") if path.parent.name != "theme")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def outside_imports(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (room, module or "", name) for what a module of the engine imports from other rooms."""
    package = path.relative_to(ENGINE.parent).parent.parts
    for node in ast.walk(parsed(path)):
        if not isinstance(node, ast.ImportFrom | ast.Import):
            continue
        module = (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        if not isinstance(node, ast.ImportFrom) or not node.level:
            assert not module.startswith(("labml", "torch", "pylit")), path
            continue
        full = [*package[: len(package) - node.level + 1], *filter(None, module.split("."))]
        if len(full) > 1 and (ENGINE / full[1]).is_dir() and tuple(full[:2]) != package[:2]:
            yield from ((full[1], ".".join(full[2:]), alias.name) for alias in node.names)


def test_rooms_import_each_other_only_by_what_their_packages_give() -> None:
    """And a package gives nothing that no other room uses. The order of rooms is a contract that `make lint` checks."""
    used: dict[str, set[str]] = {room.name: set() for room in ROOMS}
    for path in ENGINE.rglob("*.py"):
        if path != ENGINE / "__main__.py":
            for package, module, name in outside_imports(path):
                assert not module, f"{path.relative_to(ENGINE)} looks into {package}.{module}"
                used[package].add(name)
    for room in ROOMS:
        tree = parsed(room / "__init__.py")
        given = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
        assert given == used[room.name], room.name


def test_guide_shows_the_rooms_in_their_order() -> None:
    """The drawing has the layers of the contract from top to bottom, and the table all rooms from bottom to top."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    rooms = {room.name for room in ROOMS}
    layers = [rooms & set(re.findall(r"\w+", layer)) for layer in contract["layers"]]
    drawing = ElementTree.parse(ROOT / "docs/guide/rooms.svg")
    drawn: dict[float, set[str]] = {}
    for text in drawing.iter("{http://www.w3.org/2000/svg}text"):
        if text.text in rooms:
            drawn.setdefault(float(text.attrib["y"]), set()).add(text.text)
    assert [drawn[y] for y in sorted(drawn)] == [layer for layer in layers if layer]
    table = re.findall(r"(?m)^\| `(\w+)` \|", (ROOT / "docs/guide/architecture.md").read_text("utf-8"))
    assert sorted(table) == sorted(rooms)
    heights = {room: -number for number, layer in enumerate(layers) for room in layer}
    assert [heights[room] for room in table] == sorted(heights.values())


def test_modules_stay_small(root: Path) -> None:
    lengths = {
        path.as_posix(): len(path.read_text("utf-8").splitlines()) for path in (root / "pylit").rglob("*.py")
    }
    assert max(lengths.values()) <= 409, lengths  # what the longest module of markdown-it-py has


def test_every_module_says_what_it_is_for() -> None:
    for path in ENGINE.rglob("*.py"):
        assert ast.get_docstring(parsed(path)), path


@pytest.mark.process
def test_engine_runs_without_torch_and_mkdocs() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'mkdocs', 'labml', 'labml_helpers', 'nbformat']))\n"
        "import pylit.cli.main, pylit.builder.builder, pylit.translate.update"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_no_test_of_the_engine_imports_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """This one is refused, as any other would be."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with pytest.raises(AssertionError, match=r"test_no_test_of_the_engine_imports_torch imports torch"):
        __import__("torch")


def test_readme_shows_code_that_is_there(root: Path) -> None:
    readme = (root / "README.md").read_text("utf-8")
    quoted = readme.split("```python\n")[1].split("```")[0]
    assert quoted in (root / "labml_nn/resnet/__init__.py").read_text("utf-8")
