"""The house is built as it says it is."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ORDER = (
    "errors defaults cache engine questions model frontmatter sections source traces figures prose catalog symbols"
    " katex math names facts references manuals colours highlight links pictures fragments interface records charts"
    " glossary exhibits breaks context tags markup render examples needs statements wrapping spans drawings markdown"
    " cells notebook survey reader settings site discovery crossref view parameters typography check rows document"
    " jobs ledger tasks publish search archive workers build workshop extraction status bindings watcher tracer"
    " serving plugin translators cli __main__"
).split()


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            found.add(node.module)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            assert module is None or not module.startswith(("labml", "torch")), path
    return found


def test_modules_import_only_what_stands_before_them(root: Path) -> None:
    modules = {path.stem: path for path in (root / "pylit").glob("*.py") if path.stem != "__init__"}
    assert set(modules) == set(ORDER)
    for position, name in enumerate(ORDER):
        assert imports(modules[name]) <= set(ORDER[:position]), name


def test_modules_stay_small(root: Path) -> None:
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in (root / "pylit").glob("*.py")}
    assert max(lengths.values()) <= 409, lengths  # what the longest module of markdown-it-py has


def test_every_module_says_what_it_is_for(root: Path) -> None:
    for path in (root / "pylit").glob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path


def test_engine_runs_without_torch_and_mkdocs() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'mkdocs', 'labml', 'labml_helpers', 'nbformat']))\n"
        "import pylit.cli, pylit.build, pylit.workshop"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_readme_shows_code_that_is_there(root: Path) -> None:
    readme = (root / "README.md").read_text("utf-8")
    quoted = readme.split("```python\n")[1].split("```")[0]
    assert quoted in (root / "labml_nn/resnet/__init__.py").read_text("utf-8")
