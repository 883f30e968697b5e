"""Names lead to what they mean, on this site and beyond, without importing anything."""

from __future__ import annotations

import builtins
import re
from pathlib import Path
from textwrap import dedent

import pytest
from conftest import Write
from markupsafe import Markup
from rendering import render, site

from pylit.i18n.ui_strings import interface
from pylit.parsing.source import parse_python
from pylit.rendering.page_body import Row
from pylit.rendering.rows import render_rows
from pylit.resolve.definitions import Reference
from pylit.resolve.external_docs import documentation_of
from pylit.resolve.uses import uses
from pylit.site.view import View


def full_names(text: str, module: str = "pkg.a", package: str = "pkg") -> set[str]:
    """What the names of `text` mean, each as `line.column name`."""
    source = parse_python(dedent(text), "a.py")
    found = uses(source.text, source.lines, (), module, package).full
    return {f"{line}.{column} {name}" for (line, column), name in found.items()}


def test_imports_are_followed() -> None:
    text = """\
    import os.path as p, json.decoder
    from a.b import c as d, e
    from . import f
    from .g import h
    p.join, json.decoder.X, d.x, e(f, h.i)
    """
    assert full_names(text) == {
        "1.18 os.path", "1.21 json.decoder", "2.5 a.b", "2.21 a.b.c", "2.24 a.b.e", "3.14 pkg.f", "4.6 pkg.g",
        "4.15 pkg.g.h", "5.0 os.path", "5.2 os.path.join", "5.8 json", "5.13 json.decoder", "5.21 json.decoder.X",
        "5.24 a.b.c", "5.26 a.b.c.x", "5.29 a.b.e", "5.31 pkg.f", "5.34 pkg.g.h", "5.36 pkg.g.h.i",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "full"),
    [
        ("from .x import y", "pkg.sub.x.y"),
        ("from ..x import y", "pkg.x.y"),
        ("from .. import y", "pkg.y"),
        ("from ....x import y", ""),
    ],
)
def test_relative_imports(statement: str, full: str) -> None:
    names = {found.split()[1] for found in full_names(statement, "pkg.sub.m", "pkg.sub")}
    assert (full in names) if full else not names


def test_classes_methods_and_values() -> None:
    text = """\
    LIMIT = 3
    class A:
        def f(self): return self.g() + self.x
        def g(self): return LIMIT
    def make(): return A.f, make
    """
    assert full_names(text) == {
        "3.29 pkg.a.A.g",
        "4.24 pkg.a.LIMIT",
        "5.19 pkg.a.A",
        "5.21 pkg.a.A.f",
        "5.24 pkg.a.make",
    }


def test_what_is_not_certain_leads_nowhere() -> None:
    assert full_names("def f(json, x):\n    import sys\n    json.dumps; x = sys\n    return x.y") == {
        "2.11 sys",
        "3.20 sys",
    }
    assert full_names("try:\n    import a\nexcept ImportError:\n    a = None\na.b") == {
        "2.11 a",
        "3.7 builtins.ImportError",
    }
    assert full_names("try: from a import x\nexcept E: from b import x\nx") == {
        "1.10 a",
        "1.19 a.x",
        "2.15 b",
        "2.24 b.x",
    }
    assert full_names("len") == {"1.0 builtins.len"}
    assert full_names("from m import *\nlen") == {"1.5 m"}
    assert full_names("f().g.h; [1].append") == set()


@pytest.mark.parametrize(
    ("full", "address"),
    [
        ("builtins.len", "functions.html#len"),
        ("builtins.dict", "functions.html#func-dict"),
        ("builtins.ValueError", "exceptions.html#ValueError"),
        ("math.ceil", "math.html#math.ceil"),
        ("collections.abc.Sequence", "collections.abc.html#collections.abc.Sequence"),
        ("os.path.join", "os.path.html#os.path.join"),
        ("urllib.parse.urlsplit", "urllib.parse.html#urllib.parse.urlsplit"),
    ],
)
def test_python_has_a_manual(full: str, address: str) -> None:
    assert documentation_of(full, {}) == f"https://docs.python.org/3/library/{address}"


@pytest.mark.parametrize(
    "full", ["math", "os.environ.get", "builtins.__import__", "builtins.exit", "numpy.array", "builtins.None"]
)
def test_what_has_no_manual(full: str) -> None:
    assert documentation_of(full, {}) == ""


def test_the_first_pattern_that_fits_counts() -> None:
    manuals = {"torch.nn": "", "torch.*": "https://x/{name}.html"}
    assert documentation_of("torch.nn.Conv2d", manuals) == "https://x/torch.nn.Conv2d.html"
    assert documentation_of("torch.nn", manuals) == ""


@pytest.fixture
def two_modules(write: Write) -> None:
    write(
        "pkg/__init__.py", '"""\\n# Package\\n"""\\nfrom pkg.a import Block as Block\\n'.replace("\\n", "\n")
    )
    write(
        "pkg/a.py",
        '''
        """
        # Module A
        """

        SIZE = 1


        class Block:
            """
            ## A block

            It has parts. They are small.

            * `size` is its size, not `SIZE`
            """

            def __init__(self, size: int = 2) -> None:
                self.size = size

            @property
            def area(self) -> int:
                return self.helper(self.size)

            @staticmethod
            def helper(n: int) -> int:
                """Squares, as `Block.area` needs it. See `Block`, `ValueError` and `nothing`."""
                return n * n
        '''.replace("\n        ", "\n").lstrip(),
    )
    write(
        "pkg/b.py",
        '"""\n# Module B\n\nUses `Block` and [`Block`](a.py#Block).\n"""\n'
        "from . import Block\nfrom .a import SIZE\n\n\n"
        "def build():\n    return Block.helper(SIZE), Block(size=3)\n",
    )


def links(html: str) -> dict[str, tuple[str, str]]:
    """Text of each link -> address and tooltip."""
    found = re.findall(r'<a (?:class="ref" )?href="([^"]*)"(?: title="([^"]*)")?[^>]*>(.*?)</a>', html)
    return {re.sub("<.*?>", "", text): (href, title) for href, title, text in found}


@pytest.mark.usefixtures("two_modules")
def test_code_leads_to_definitions_on_other_pages(tmp_path: Path) -> None:
    view, report = render(tmp_path, "pkg/b.py")
    assert isinstance(view, View) and not report.problems
    code = links("".join(line.html for row in view.body.rows for line in row.code))
    tooltip = "Block(size=2)\nIt has parts."
    assert code["Block"] == ("a.html#Block", tooltip)
    assert code["SIZE"] == ("a.html#L5", "")
    assert code["helper"] == ("a.html#Block.helper", "Block.helper(n)\nSquares, as Block.area needs it.")
    assert code["a"] == ("a.html", "Module A")
    prose = view.body.rows[0].prose
    assert 'Uses <a class="ref" href="a.html#Block"' in prose
    assert prose.count("<a ") == 2  # a link in a link would be none


@pytest.mark.usefixtures("two_modules")
def test_inline_code_leads_to_definitions(tmp_path: Path) -> None:
    view, _ = render(tmp_path)
    assert view
    rows = {row.anchor: row for row in view.body.rows}
    assert links(rows["Block"].prose) == {"SIZE": ("#L5", "")}  # `size` is a parameter
    prose = links(rows["Block.helper"].prose)
    assert set(prose) == {"Block.area", "ValueError"}  # not the class it is in, and not what nobody knows
    assert prose["Block.area"] == ("#Block.area", "")  # a title would say the same again
    assert prose["ValueError"][0].endswith("exceptions.html#ValueError")


@pytest.mark.usefixtures("two_modules")
def test_definitions_say_who_uses_them(tmp_path: Path) -> None:
    view, _ = render(tmp_path)
    assert view
    users = {
        row.anchor: [(u.text, u.href, u.title) for u in row.users] for row in view.body.rows if row.users
    }
    assert users == {
        "Block": [("b.build", "b.html#build", "build()")],
        "Block.helper": [("Block.area", "#Block.area", "Block.area"), ("b.build", "b.html#build", "build()")],
    }


def test_many_users_are_shown_when_they_are_asked_for() -> None:
    users = tuple(Reference(f"m.f{number}", f"m.html#f{number}", "") for number in range(5))

    def shown(count: int) -> Markup:
        row = Row("Block", Markup("<p>Prose.</p>"), (), users=users[:count])
        return render_rows([row], is_module=True, heading=Markup(), gettext=interface("zh"))

    assert '<p class="users">用到它的代码：' in shown(4)
    assert '<details class="users"><summary>用到它的代码有 5 处</summary><a href="m.html#f0"' in shown(5)


@pytest.mark.usefixtures("two_modules")
def test_tooltips_are_in_the_language_of_the_page(write: Write, tmp_path: Path) -> None:
    write(
        "t/zh/pkg/a.po",
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "It has parts. They are small."\nmsgstr "它有若干部分。都很小。"\n',
    )
    view, _ = render(tmp_path, "pkg/b.py", "zh", languages=("en", "zh"), translations=tmp_path / "t")
    assert view
    assert 'title="Block(size=2)\n它有若干部分。"' in "".join(
        line.html for row in view.body.rows for line in row.code
    )


def test_a_module_that_does_not_parse_is_left_out(write: Write, tmp_path: Path) -> None:
    write("pkg/__init__.py", "")
    write("pkg/a.py", "from pkg.b import x\nx\n")
    write("pkg/b.py", "def x(:\n")
    found = site(tmp_path)
    facts = found.sources.facts("pkg/b.py")
    assert facts and not facts.definitions
    assert found.definitions.index.find("pkg.b.x") is None
    view, report = render(tmp_path)
    assert view and not report.problems


def test_names_that_go_round_in_circles_end(write: Write, tmp_path: Path) -> None:
    write("pkg/__init__.py", "")
    write("pkg/a.py", "from pkg.b import x\n")
    write("pkg/b.py", "from pkg.a import x\n")
    assert site(tmp_path).definitions.index.find("pkg.a.x") is None


def test_builtins_that_are_linked_exist() -> None:
    for name in dir(builtins):
        if address := documentation_of(f"builtins.{name}", {}):
            assert address.endswith((f"#{name}", f"#func-{name}"))
