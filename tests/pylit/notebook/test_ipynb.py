"""A module becomes cells: what is prose, what is code, what runs, and what is left as it was."""

from __future__ import annotations

import asyncio
import base64
import email
import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Write
from figure_sources import CHART, RECORD, TABLE
from notebooks import HEADER, PIXEL, code, make, markdown, read, sources, text_of
from rendering import site
from sampling import thinned

from pylit.builder.builder import build
from pylit.errors import PylitError
from pylit.notebook.cells import bare
from pylit.notebook.requirement import check_requirement, resolve_requirement
from pylit.notebook.standalone_svg import CHART_STYLE, GROUND, STYLE
from pylit.notebook.wrapping import wrap
from pylit.parsing.names import unused_name
from pylit.parsing.source import read_source
from pylit.resolve.definitions import module_name

MODULE = '''\
"""
# Title

First words.

## Part

More words.
"""

import os

# A constant.
SIZE = 3
SIDE = 4


class Block:
    """
    ## A block

    What it is.
    """

    # Inside.
    size = SIZE

    def double(self) -> int:
        """Twice the size."""
        return 2 * self.size


def last() -> None:
    """Only a docstring."""
'''


def test_prose_and_whole_statements(write: Write, tmp_path: Path) -> None:
    assert sources(make(write, tmp_path, MODULE)) == [
        ("markdown", "First words."),
        ("markdown", "## Part\n\nMore words."),
        ("code", "import os"),
        ("markdown", "A constant."),
        ("code", "SIZE = 3\nSIDE = 4"),
        ("markdown", "## A block\n\nWhat it is."),
        (
            "code",
            "class Block:\n    # Inside.\n    size = SIZE\n\n    def double(self) -> int:\n"
            '        """Twice the size."""\n        return 2 * self.size',
        ),
        ("markdown", "Only a docstring."),
        ("code", "def last() -> None:\n    ..."),
    ]


def test_first_cell_says_what_it_is(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", MODULE)
    options = {"site_url": "https://example.org/x", "repository": "https://host/me/it"}
    first = read(text_of(site(tmp_path, **options), "pkg/a.py")[0])[0]
    assert first.source.startswith(
        "# Title\n\n> This notebook is made from [a page](https://example.org/x/a.html)"
    )
    assert "the code of [`pkg/a.py`](https://host/me/it/blob/main/pkg/a.py)" in first.source
    alone = read(text_of(site(tmp_path), "pkg/a.py")[0])[0]
    assert "from [a page](a.html): its prose, and the code of `pkg/a.py`," in alone.source


def test_title_without_a_heading(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\n---\ntitle: Front $x$\n---\nWords.\n"""\n')
    write("pkg/b.py", "# a comment\nx = 1\n")
    found = site(tmp_path)
    assert read(text_of(found, "pkg/a.py")[0])[0].source.startswith("# Front $x$\n\n> This")
    cells = read(text_of(found, "pkg/b.py")[0])
    assert cells[0].source.startswith("# b\n\n> This")
    assert sources(cells[1:]) == [("markdown", "a comment"), ("code", "x = 1")]


def test_prose_inside_is_translated_and_code_is_not(write: Write, tmp_path: Path) -> None:
    catalog = {
        "Title": "标题",
        "A block": "一个块",
        "What it is.": "它是什么。",
        "Inside.": "在里面。",
        "Twice the size.": "两倍大小 $\\times$。",
        "Part": "",
    }
    source = MODULE.replace("Twice the size.", "Twice the size $\\times$.").replace(
        '        """T', '        r"""T'
    )
    catalog["Twice the size $\\times$."] = catalog.pop("Twice the size.")
    cells = make(write, tmp_path, source, "zh", catalog=catalog)
    texts = [cell.source for cell in cells]
    assert "## Part\n\nMore words." in texts  # not translated yet
    assert "## 一个块\n\n它是什么。" in texts
    assert (
        "class Block:\n    # 在里面。\n    size = SIZE\n\n    def double(self) -> int:\n"
        '        r"""两倍大小 $\\times$。"""\n        return 2 * self.size'
    ) in texts


def test_translations_are_broken_into_lines(write: Write, tmp_path: Path) -> None:
    english = "One two, `code that stays whole` and $x + y$. " * 5
    docstring = f'        """\n        {english}\n\n        * {english}\n        """\n'
    source = f"def f():\n    def g():\n{docstring}    # {english}\n"
    catalog = {english.strip(): "一个很长的句子，`code that stays whole` 和 $x + y$。" * 5}
    (cell,) = make(write, tmp_path, source, "zh", catalog=catalog)
    lines = cell.source.split("\n")
    assert all(sum(2 if ord(c) > 0x2E80 else 1 for c in line) <= 90 for line in lines), lines
    assert lines[1:3] == ["    def g():", '        """']
    assert lines[3].startswith("        一个很长的句子，`code that stays whole` 和 $x + y$。一个")
    assert not any(line.strip(" #*").startswith("，") for line in lines)
    assert cell.source.count("`code that stays whole`") == cell.source.count("$x + y$") == 15
    assert lines[-1].startswith("    # ")


AS_IT_WAS = '''\
def f():
    #:  Odd
    #  spaces,   and `x`.

    def g():
        """Doc
        string. """
    #
    return g'''


def test_what_is_not_changed_is_left_as_it_was(write: Write, tmp_path: Path) -> None:
    assert code(make(write, tmp_path, AS_IT_WAS)) == AS_IT_WAS


def test_links_inside_of_code_are_absolute(write: Write, tmp_path: Path) -> None:
    prose = "See [b](b.py), which is far away, and goes on until this line is too long for one."
    source = f'def f():\n    """Head."""\n    # {prose}\n    return 1\n'
    write("pkg/b.py", "")
    found = code(make(write, tmp_path, source, site_url="https://example.org"))
    assert "    # See [b](https://example.org/b.html), which is far away, and" in found
    assert max(map(len, found.split("\n"))) <= 88


@pytest.mark.parametrize(
    "source",
    [
        'def f():\n    """Doc\n    string"""; return 1',
        'class A: "doc"',
        'def f():\n    "one" "two"\n    return 1',
        'def f(): """doc"""; x = 1',
    ],
)
def test_docstrings_that_share_a_line_with_code_stay_there(write: Write, tmp_path: Path, source: str) -> None:
    assert code(make(write, tmp_path, source)) == source


def test_translation_with_quotes(write: Write, tmp_path: Path) -> None:
    source = 'def f():\n    def g():\n        """Say it."""\n    return g\n'
    for words in ('„so"', "back\\\\slash\\", 'three """ quotes'):
        found = code(make(write, tmp_path, source, "de", catalog={"Say it.": words}))
        assert bare(found) == bare(source)


def test_statements_that_share_a_line(write: Write, tmp_path: Path) -> None:
    source = (
        "a = 1; b = [\n    # inside\n    2,\n]; c = 3\nif a:\n    # why\n    def f(): pass\n\n    # after"
    )
    assert sources(make(write, tmp_path, source)) == [
        ("code", source.removesuffix("\n\n    # after")),
        ("markdown", "after"),
    ]


IMPORTS = """\
from {}. import b
from {}.sub.c import (d as e,
    f)
import os; from ... import g
x = [y for y in ()]"""


def test_relative_imports_become_absolute(write: Write, tmp_path: Path) -> None:
    write("pkg/__init__.py", "")
    setup, cell = make(write, tmp_path, IMPORTS.format("", ""))
    assert setup.source == (
        "# If the module is not found, install its package, or start Jupyter in its folder.\nimport pkg.a"
    )
    assert cell.source == IMPORTS.format("pkg", "pkg").replace("pkg. import", "pkg import")


def test_program_is_left_out_and_shown(write: Write, tmp_path: Path) -> None:
    source = 'def main():\n    pass\n\n\nx = 1\nif "__main__" == __name__:\n    # Inside.\n    main()\n'
    write("pkg/__init__.py", "")
    cells = make(write, tmp_path, source)
    assert sources(cells)[:2] == [("code", "def main():\n    pass"), ("code", "x = 1")]
    assert '```python\nif "__main__" == __name__:\n    # Inside.\n    main()\n```' in cells[2].source
    assert "!python -m pkg.a\n" in cells[2].source
    (other,) = make(write, tmp_path, 'if __name__ == "__main__":\n    x = 1\nelse:\n    x = 2')
    assert other.cell_type == "code"


EXAMPLES = '''\
"""
Before.

>>> 1 + 1
2

After.

>>> f(2)  # doctest: +NORMALIZE_WHITESPACE
4
>>> y = f(3)
>>> print(y)
9
"""

def f(x):
    """
    Squares.

    >>> for x in range(2):
    ...     f(x)
    0
    1
    >>> with open("/dev/null"):
    ...     print("one")
    ...
    ...     f(
    ...         4)
    one
    16
    >>> for x in range(1):
    ...     print(x)
    0
    >>> f("")
    Traceback (most recent call last):
        ...
    TypeError: can't
        multiply
    """
    return x * x
'''


def test_examples_follow_their_definition_and_show_their_output(write: Write, tmp_path: Path) -> None:
    cells = make(write, tmp_path, EXAMPLES)[1:]  # after the import of `f`
    assert sources(cells) == [
        ("markdown", "Before."),
        ("code", "1 + 1"),
        ("markdown", "After."),
        ("code", "f(2)"),
        ("code", "y = f(3)\nprint(y)"),
        ("markdown", "Squares."),
        ("code", "def f(x):\n    return x * x"),
        ("code", "for x in range(2):\n    print(f(x))"),
        ("code", 'with open("/dev/null"):\n    print("one")\n\n    print(f(\n        4))'),
        ("code", "for x in range(1):\n    print(x)"),
        ("code", 'f("")'),
    ]
    shown = [cell.outputs for cell in cells if cell.get("outputs")]
    kinds = [output.output_type for (output,) in shown]
    assert kinds == ["execute_result"] * 2 + ["stream"] * 4 + ["error"]
    assert shown[0][0].data == {"text/plain": "2"}
    assert shown[3][0].text == "0\n1\n"
    assert (shown[6][0].ename, shown[6][0].evalue) == ("TypeError", "can't multiply")
    assert cells[-1].metadata.tags == ["raises-exception"]


@pytest.mark.parametrize(
    ("message", "name", "value"),
    [
        ("package.module.Refused: 1.5 is too much", "Refused", "1.5 is too much"),
        ("package.module.Refused", "Refused", ""),
        ("ValueError: see a.b: c", "ValueError", "see a.b: c"),
    ],
)
def test_an_exception_goes_by_the_name_of_its_class(
    write: Write, tmp_path: Path, message: str, name: str, value: str
) -> None:
    source = f'"""\n>>> f()\nTraceback (most recent call last):\n{message}\n"""\n'
    (output,) = next(cell.outputs for cell in make(write, tmp_path, source) if cell.get("outputs"))
    assert (output.ename, output.evalue) == (name, value)
    assert output.traceback[-1] == (f"{name}: {value}" if value else name)


def test_examples_of_methods_come_after_the_class(write: Write, tmp_path: Path) -> None:
    source = (
        'class A:\n    class B:\n        """\n        >>> A.B()  # doctest: +ELLIPSIS\n        <...>\n        """\n\n'
        '    def f(self):\n        def g():\n            """\n            >>> g()\n            """\n'
    )
    cells = make(write, tmp_path, source)
    assert sources(cells)[1:] == [("markdown", "Examples of `A.B`:"), ("code", "A.B()")]
    assert cells[0].source == source.rstrip("\n").replace("  # doctest: +ELLIPSIS", "")


@pytest.mark.parametrize(
    "prose",
    [
        ">>> slow()  # doctest: +SKIP\n3",
        ">>> f = 3\n>>> f\n3",  # the module's own name
        "* in a list\n\n  >>> 1\n  1",
        ">>> 1 +\n>>>2",  # no example for doctest
        ">>> 1 +\n2",
    ],
)
def test_examples_that_are_only_shown(write: Write, tmp_path: Path, prose: str) -> None:
    lines = "\n".join(f"    {line}" for line in prose.split("\n"))
    cells = make(write, tmp_path, f'def f():\n    """\n    Words.\n\n{lines}\n    """\n    return 1\n')
    assert [cell.cell_type for cell in cells] == ["markdown", "code"]
    assert ">>> " in cells[0].source
    assert "```pycon" in cells[0].source


def test_examples_in_comments_are_only_shown(write: Write, tmp_path: Path) -> None:
    cells = make(write, tmp_path, "# Words.\n#\n# >>> 1 / 0\nx = 1\n")
    assert sources(cells) == [("markdown", "Words.\n\n```pycon\n>>> 1 / 0\n```"), ("code", "x = 1")]


@pytest.mark.parametrize("example", ["1 +", "f("])
def test_example_of_a_syntax_error(write: Write, tmp_path: Path, example: str) -> None:
    raised = "Traceback (most recent call last):\nSyntaxError: bad"
    (cell,) = make(write, tmp_path, f'"""\n>>> {example}\n{raised}\n"""\n')
    assert cell.source == example
    assert cell.metadata.tags == ["raises-exception"]


def test_names_that_examples_need_early(write: Write, tmp_path: Path) -> None:
    source = '''\
from os import sep

def a():
    """
    >>> a()
    3
    """
    return b() if sep else len(str(z))

def unused(): return b()

def b():
    """
    >>> from math import pi
    >>> b()
    3
    """
    return c

c, z = 3, 4
'''
    write("pkg/__init__.py", "")
    cells = make(write, tmp_path, source)
    assert cells[0].source.endswith(
        ".\nimport pkg.a\n\n# The examples use these names before the cells that define them.\n"
        "from pkg.a import b, c, z"
    )
    namespace: dict[str, Any] = {"b": lambda: 3, "c": 3, "z": 4}
    for cell in cells[1:]:
        exec(cell.source, namespace)
    long = "".join(f"def {'f' * 30}{n}(): return {n}\n" for n in range(3))
    used = "\n".join(f">>> _ = {'f' * 30}{n}()" for n in range(3))
    found = make(write, tmp_path, f'"""\n{used}\n"""\n{long}')[0].source
    assert f"from pkg.a import (\n    {'f' * 30}0,\n" in found


def test_file_of_the_module(write: Write, tmp_path: Path) -> None:
    setup = make(write, tmp_path, "HERE = __file__\n")[0].source
    assert setup.endswith(
        "# A notebook has no `__file__`. This is the module's.\nimport a\n\n__file__ = a.__file__"
    )


def test_installation(write: Write, tmp_path: Path) -> None:
    write("pkg/__init__.py", "")
    requirement = f"it[all] @ git+https://host/it@{'0a' * 20}"
    setup = make(write, tmp_path, "import os\n", requirement=requirement)[0]
    assert setup.id == "setup"
    assert setup.source.split("\n", 1)[1] == (
        f'try:\n    import pkg.a\nexcept ModuleNotFoundError:\n    %pip install --quiet "{requirement}"'
    )
    both = make(write, tmp_path, "import os\n", requirement=f"\n  {requirement} \nother==1\n")[0]
    assert f'    %pip install --quiet "{requirement}" "other==1"' in both.source
    assert sources(make(write, tmp_path, "import os\n")) == [("code", "import os")]


COMMIT = "0123456789abcdef0123456789abcdef01234567"
HASH = "sha256=" + "ab" * 32


@pytest.mark.parametrize(
    "requirement",
    [
        "it==1",
        "it[all,some]==1.2.3rc1",
        "my-it_2.x==2026.1.0+cpu",
        f"git+https://host/it@{COMMIT}",
        f"it @ git+https://host:8443/me/it.git@{COMMIT}",
        f"it[all] @ git+ssh://git@host/me/it.git@{COMMIT}#subdirectory=it",
        f"it@git+https://host/it@{COMMIT}",
        f"it @ https://host/it-1-py3-none-any.whl#{HASH}",
        f"https://host/it.zip#{HASH}",
    ],
)
def test_pinned_requirements(write: Write, tmp_path: Path, requirement: str) -> None:
    write("pkg/__init__.py", "")
    setup = make(write, tmp_path, "import os\n", requirement=requirement)[0]
    assert f'%pip install --quiet "{requirement}"' in setup.source


@pytest.mark.parametrize(
    "requirement",
    [
        "it",
        "it[all]",
        "it>=1",
        "it~=1.0",
        "it==1.*",
        "it==1,>0",
        "it===1",
        "it==1 other",
        "git+https://host/it",
        "it @ git+https://host/it",
        "it @ git+https://host/it@main",
        "it @ git+https://host/it@v1.0",
        f"it @ git+https://host/it@{COMMIT[:-1]}",
        f"it @ git+https://host/it@{COMMIT}0",
        f"it @ git+https://host/it@{COMMIT[:-1]}g",
        f"it @ git+https://host/{COMMIT}",
        f"it @ git+https://host/it#{COMMIT}",
        f"it @ git+https://host/it@main#egg=it@{COMMIT}",
        f"it @ git+http://host/it@{COMMIT}",
        f"it @ hg+https://host/it@{COMMIT}",
        f"git+https://host/it@{COMMIT} git+https://evil/it@main",
        "it @ https://host/it.whl",
        f"it @ https://host/it.whl#{HASH[:-1]}",
        f"it @ http://host/it.whl#{HASH}",
        "it @ file:///it",
        ".",
        "-r https://host/it.txt",
        "--index-url https://host it==1",
        'it==1"; import os; "',
        "it==1\nimport os",
        "it==$HOME",
        "it=={x}",
        "ıt==1",
        "it==１",
        f"it @ git+{{repository}}@{COMMIT}",
    ],
)
def test_requirements_that_mean_another_thing_tomorrow(
    write: Write, tmp_path: Path, requirement: str
) -> None:
    write("pkg/a.py", "")
    with pytest.raises(PylitError, match="is not pinned to one version") as raised:
        site(tmp_path, requirement=requirement)
    assert str(raised.value).startswith(f"requirement `{requirement.splitlines()[-1]}`: error:")
    assert "`name==1.2`" in str(raised.value) and "40 characters" in str(raised.value)


def test_requirement_is_made_of_the_repository_and_the_commit() -> None:
    template = "it[all] @ git+{repository}@{commit}"
    found = resolve_requirement(template, "https://host/me/it/", COMMIT)
    assert found == f"it[all] @ git+https://host/me/it@{COMMIT}"
    check_requirement(found)
    assert resolve_requirement(template, "https://host/me/it", "") == ""
    assert resolve_requirement("it==1", "", "") == "it==1"
    with pytest.raises(PylitError, match="needs the URL of the repository"):
        resolve_requirement(template, "", COMMIT)
    with pytest.raises(PylitError, match="is not pinned to one version"):
        check_requirement(resolve_requirement(template, "https://host/me/it", "main"))


def test_links(write: Write, tmp_path: Path) -> None:
    write("pkg/sub/b.py", "def f(): pass\n")
    write("LICENSE", "")
    prose = (
        '[`f` *it*](sub/b.py#f) [](#words) [x](https://e.org/a_(b)) <https://e.org> [file](../LICENSE "why")'
    )
    found = markdown(write, tmp_path, prose, site_url="https://o.org/d", repository="https://h/r")
    assert found == (
        "[`f` *it*](https://o.org/d/sub/b.html#f) [](https://o.org/d/a.html#words) [x](https://e.org/a_(b))"
        ' <https://e.org> [file](https://h/r/blob/main/LICENSE "why")'
    )
    alone = markdown(write, tmp_path, "[f](sub/b.py#f) [here](#words)")
    assert alone == "[f](sub/b.html#f) [here](a.html#words)"


def test_what_is_wrong_is_told_as_on_the_page(write: Write, tmp_path: Path) -> None:
    write(
        "pkg/a.py",
        '"""\n# A\n\n[x](gone.py), ![y](gone.png)\n"""\n\ndef f():\n    # [z](../LICENSE)\n    pass\n',
    )
    write("LICENSE", "")
    report = build(site(tmp_path), tmp_path / "one")
    both = build(site(tmp_path, notebooks=True), tmp_path / "two")
    assert list(report.problems) == list(both.problems)
    assert len(report.problems) == 3
    text, _ = text_of(site(tmp_path), "pkg/a.py")
    assert [cell.source for cell in read(text)][1:] == ["x, y", "def f():\n    # z\n    pass"]


def test_markdown_is_kept(write: Write, tmp_path: Path) -> None:
    prose = (
        "1. one\n2. two\n   * deep\n\n     loose\n\n> quoted\n>\n> $$x$$\n\n    indented\n\n"
        "```shell\nrun $HOME\n```\n\n---\n\nhard  \nbreak and `$5`, *em* **strong** ~~gone~~ H<sub>2</sub>O\n\n"
        "$$\na\n= b$$\n\n<details>\nmore\n</details>\n\n"
        "<details>\n\n<summary>a &lt; b</summary>\n\n*more*\n\n</details>"
    )
    assert markdown(write, tmp_path, f"{prose}\n") == prose


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("这里连*训练*错误率也高", "这里连<strong>训练</strong>错误率也高"),
        (
            "**“重要”**的 [*链*接](https://a.b/)",
            "<strong>“重要”</strong>的 [<strong>链</strong>接](https://a.b/)",
        ),
        ("改***动***了 *a* 与 **b**", "改<strong><strong>动</strong></strong>了 *a* 与 **b**"),
        ("`*码*` 和 $x*中*$ 与 2\\*3\\*中", "`*码*` 和 $x*中*$ 与 2\\*3\\*中"),
    ],
)
def test_emphasis_beside_chinese_is_bold(write: Write, tmp_path: Path, prose: str, expected: str) -> None:
    """Jupyter would leave the second one unread, and slant the characters of the first."""
    assert markdown(write, tmp_path, f"{prose}\n") == expected


def test_what_jupyter_would_misread_is_escaped(write: Write, tmp_path: Path) -> None:
    found = markdown(write, tmp_path, "5 $ and 6 $, but $x$ and \\$ and `$`; <lambda> and <b>x</b>")
    assert found == "5 \\$ and 6 \\$, but $x$ and \\$ and `$`; \\<lambda> and <b>x</b>"
    found = markdown(write, tmp_path, "<script>\nx\n</script>")
    assert found == "<p>&lt;script&gt;\nx\n&lt;/script&gt;</p>"


def test_tables(write: Write, tmp_path: Path) -> None:
    table = "| a | b | c |\n|:--|--:|:-:|\n| $\\|x\\|$ | `p \\| q` | [l](https://e.org/\\|) |"
    assert markdown(write, tmp_path, table) == (
        "| a | b | c |\n| :--- | ---: | :---: |\n| $\\vert x\\vert $ | `p \\| q` | [l](https://e.org/%7C) |"
    )


def embedded(text: str) -> bytes:
    match = re.search(r'src="data:image/[\w+]+;base64,([^"]+)"', text)
    assert match
    return base64.b64decode(match.group(1))


def test_a_fence_that_nothing_closes_ends_where_its_text_does(write: Write, tmp_path: Path) -> None:
    module = '"""\nRun this:\n\n```python\nx = 1\n"""\n\n\ndef f():\n    """Or\n\n    ~~~\n    y = 2"""\n'
    cells = make(write, tmp_path, module)
    assert sources(cells) == [
        ("markdown", "Run this:\n\n```python\nx = 1\n```"),
        ("markdown", "Or\n\n~~~\ny = 2\n~~~"),
        ("code", "def f():\n    ..."),
    ]
    assert markdown(write, tmp_path, "* a\n\n  ```\n  b") == "* a\n\n  ```\n  b\n  ```"
    assert markdown(write, tmp_path, "```") == "```\n```"
    assert markdown(write, tmp_path, "> ~~~~ x\n> b\n\nc") == "> ~~~~ x\n> b\n> ~~~~\n\nc"


def test_fences_in_examples_and_programs_do_not_end_the_cell(write: Write, tmp_path: Path) -> None:
    assert markdown(write, tmp_path, ">>> f()  # doctest: +SKIP\n```\n````") == (
        "`````pycon\n>>> f()\n```\n````\n`````"
    )
    cells = make(write, tmp_path, 'if __name__ == "__main__":\n    print("""\n```\n""")\n')
    assert '````python\nif __name__ == "__main__":\n    print("""\n```\n""")\n````' in cells[-1].source


def test_pictures_are_in_the_notebook(write: Write, tmp_path: Path) -> None:
    write("pkg/p.png", "").write_bytes(PIXEL)
    write(
        "pkg/d.svg",
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><path class="accent" d="M0 0"/></svg>',
    )
    png = markdown(write, tmp_path, '![A "dot" $x$](p.png "It is small")')
    assert png.startswith('<img alt="A &quot;dot&quot; x" src="data:image/png;base64,')
    assert png.endswith(">\n\n<em>It is small</em>")
    assert embedded(png) == PIXEL
    svg = embedded(markdown(write, tmp_path, "![drawing](d.svg)")).decode()
    assert 'viewBox="-12 -12 64 44"' in svg
    assert 'width="64" height="44"' in svg
    assert f'<rect x="-12" y="-12" width="64" height="44" rx="8" fill="{GROUND}"' in svg
    assert "svg .accent { stroke:" in svg


def test_picture_of_an_unknown_format(write: Write, tmp_path: Path) -> None:
    write("pkg/p.tiff", "")
    write("pkg/a.py", '"""\n![it](p.tiff)\n"""\n')
    _, report = text_of(site(tmp_path), "pkg/a.py")
    (problem,) = report.errors
    assert str(problem).startswith(
        "pkg/a.py:2: error: the picture `p.tiff` cannot be shown: the picture's format is not supported"
    )


def test_drawings_look_as_on_the_page_in_light(root: Path) -> None:
    """Every rule for drawings that notebooks have is the theme's."""
    css = (root / "pylit/theme/assets/pylit.css").read_text("utf-8")
    colors = dict(re.findall(r"(--[\w-]+): light-dark\((#\w+),", css))
    assert colors["--page"] == GROUND

    def rules(text: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for selector, body in re.findall(r"(?m)^([^\s@/][^{\n]*?) \{ ([^}]*?);? \}", text):
            found.setdefault(selector, set()).update(body.split("; "))
        return found

    light = re.sub(r"light-dark\((#\w+), #\w+\)", r"\1", css)
    named = {name: color for name, color in colors.items() if name != "--c"}  # which is set for each line
    light = re.sub(r"var\((--[\w-]+)\)", lambda match: named.get(match.group(1), match.group()), light)
    theme = rules(light)
    ours = rules(STYLE + CHART_STYLE)
    own = ours.pop("svg")
    assert own == {f"color: {colors['--text']}", "font-family: sans-serif"}
    assert ours == {selector: theme[selector] for selector in ours}
    drawn = {s for s in theme if s.startswith(("svg ", ".line-", ".chart text"))}
    assert {s for s in drawn if not s.startswith("svg a")} <= set(ours)  # notebooks have no links in drawings


def test_recorded_figures(write: Write, tmp_path: Path) -> None:
    write("runs/quick.json", json.dumps({**RECORD, "name": "a|b_c"}))
    chart = markdown(write, tmp_path, f"```chart\n{CHART}```")
    svg = embedded(chart).decode()
    assert 'class="chart"' in svg
    assert ">quick</tspan></text>" in svg
    assert chart.endswith(">\n\n<em>Accuracy by epoch</em>")
    found = markdown(write, tmp_path, f"```table\ncaption: Networks.\n{TABLE}```")
    assert found.split("\n") == [
        "| Network | Test accuracy | Runs |",
        "| --- | ---: | ---: |",
        "| a\\|b\\_c | 85.00 ± 7.07 % | 2 |",
        "",
        "<em>Networks.</em>",
    ]


def test_glossary(write: Write, tmp_path: Path) -> None:
    write("t/zh/glossary.yml", "- term: layer\n  use: [层]\n  never: [图层]\n  why: No.\n")
    write("pkg/a.py", '"""\n# A\n\n```glossary\n```\n"""\n')
    found = site(tmp_path, languages=("en", "zh"), translations=tmp_path / "t")
    shown = read(text_of(found, "pkg/a.py", "zh")[0])[1].source
    assert '<td><span lang="en">layer</span></td><td>层</td><td><s>图层</s></td>' in shown


def test_figure_that_is_wrong_is_told_once_and_shown_as_it_is(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", f'"""\nX.\n\n```table\n{TABLE}```\n"""\n')
    report = build(site(tmp_path, notebooks=True), tmp_path / "out")
    (problem,) = report.errors
    assert "pkg/a.py:5: error: no files match `../runs/*.json`" in str(problem)
    text, _ = text_of(site(tmp_path), "pkg/a.py")
    assert "```table\nrows:" in read(text)[1].source


def test_figures_inside_of_code_stay_as_they_are(write: Write, tmp_path: Path) -> None:
    source = (
        "def f():\n    def g():\n"
        + '        """\n        X.\n\n        ```table\n        rows: x\n        ```\n        """\n'
    )
    found = code(make(write, tmp_path, source, "zh", catalog={"X.": "某。"}))
    assert '"""\n        某。\n\n        ```table\n        rows: x\n        ```\n        """' in found


def test_pictures_inside_of_code_are_told_in_words(write: Write, tmp_path: Path) -> None:
    write("pkg/p.png", "").write_bytes(PIXEL)
    found = code(make(write, tmp_path, "def f():\n    # See ![a dot](p.png).\n    pass\n"))
    assert found == "def f():\n    # See a dot.\n    pass"


def test_translation_that_is_out_of_date_gives_way_to_the_english(write: Write, tmp_path: Path) -> None:
    write("t/zh/pkg/a.po", HEADER + '#, fuzzy\n#| msgid "Old."\nmsgid "New."\nmsgstr "旧。"\n')
    write("pkg/a.py", '"""\nNew.\n"""\n')
    found = site(tmp_path, languages=("en", "zh"), translations=tmp_path / "t")
    assert read(text_of(found, "pkg/a.py", "zh")[0])[1].source == "New."


def test_own_words_are_in_the_language_of_the_notebook(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", "def f():\n    pass\n")
    found = site(tmp_path, languages=("en", "zh"))
    assert "本 notebook 由[网页](a.html)生成" in read(text_of(found, "pkg/a.py", "zh")[0])[0].source


def test_names_of_cells_last(write: Write, tmp_path: Path) -> None:
    before = [cell.id for cell in make(write, tmp_path, MODULE)]
    assert before == [
        "title",
        "part",
        "module-code",
        "module-a-constant",
        "module-a-constant-code",
        "Block",
        "Block-code",
        "last",
        "last-code",
    ]
    edited = MODULE.replace("import os\n", "# New.\nimport sys\n\n# And more.\nimport os\n\n")
    after = [cell.id for cell in make(write, tmp_path, edited)]
    assert {"part", "Block", "Block-code", "last", "module-a-constant"} <= set(after)
    words = "# 长长的注释\nx = 1\n\n# 另一个注释\ny = 1\n\n# " + "long-" * 20 + "\nz = 1\n"
    ids = [cell.id for cell in make(write, tmp_path, words)]
    assert len(ids) == len(set(ids)) == 6
    assert all(re.fullmatch(r"[\w-]{1,64}", name, re.ASCII) for name in ids)
    assert unused_name("x", {"x", "x-2"}, {}) == "x-3"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "three"]),
        ("averyverylongword it", ["averyverylongword", "it"]),
        ("一二三四五六", ["一二三四", "五六"]),
        ("一二三四，五", ["一二三", "四，五"]),
        ("（一二三）四", ["（一二", "三）四"]),
        ("see `a b c` it", ["see", "`a b c` it"]),
        ("see $a b$ it", ["see $a b$", "it"]),
        ("hard\nbreak", ["hard", "break"]),
        ("", [""]),
    ],
)
def test_wrapping(text: str, lines: list[str]) -> None:
    assert wrap(text, 10 if "$" in text or "`" in text else 8) == "\n".join(lines)
    assert wrap(text, 0) == text


FOLDERS = [Path(asyncio.__file__).parent, Path(email.__file__).parent, Path(json.__file__).parent]


@pytest.mark.slow
@pytest.mark.parametrize(
    "folder", thinned([*FOLDERS, Path(__file__).parents[3] / "pylit"], 2), ids=lambda path: str(path.name)
)
def test_notebooks_of_other_code_hold_the_same_program(folder: Path) -> None:
    found = site(folder.parent, folder.name)
    for page in found.pages:
        if not page.file.endswith(".py"):
            continue
        text, _ = text_of(found, page.file)
        cells = [cell for cell in read(text) if cell.cell_type == "code" and cell.id != "setup"]
        own = "\n".join(cell.source for cell in cells if not re.search(r"-example(-\d+)?$", cell.id))
        source = read_source(found.files.path(page.file), page.file).text
        name = module_name(page.file, found.sources.packages)
        assert bare(own + program(source)) == bare(absolute(source, name.package)), name.module


def program(source: str) -> str:
    """What a module ends with if it is a program."""
    return source[source.index("\nif __name__ ==") :] if "\nif __name__ ==" in source else ""


def absolute(source: str, package: str) -> str:
    """`source` with absolute imports, made so in a way that does for these folders."""
    above = package.split(".")

    def name(match: re.Match[str]) -> str:
        before, dots, module = match.groups()
        parts = [*above[: len(above) + 1 - len(dots)], *filter(None, [module])]
        return f"{before}from {'.'.join(parts)} import"

    return re.sub(r"(?m)^(\s*(?:[\w]+: )?)from (\.+)([\w.]*) import", name, source)


@pytest.mark.process
def test_same_bytes_every_time_and_from_any_number_of_processes(write: Write, tmp_path: Path) -> None:
    write("pkg/__init__.py", EXAMPLES)
    for number in range(12):
        write(f"pkg/m{number}.py", MODULE.replace("Title", f"Title {number}"))
    found = site(tmp_path, notebooks=True, languages=("en", "zh"))
    outs = []
    for jobs in (1, 3):
        out = tmp_path / str(jobs)
        assert not build(found, out, jobs=jobs).problems
        outs.append({p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()})
    assert outs[0] == outs[1]
    assert sum(path.suffix == ".ipynb" for path in outs[0]) == 26
    page = outs[0][Path("zh/m1.html")].decode()
    assert '<a href="m1.ipynb" download="pkg.m1.zh.ipynb" title="' in page
    assert "ipynb" not in (tmp_path / "1/404.html").read_text("utf-8")


def test_no_notebooks_unless_they_are_asked_for(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", MODULE)
    write("docs/b.md", "# Guide\n")
    build(site(tmp_path, "pkg", "docs"), tmp_path / "one")
    assert not list((tmp_path / "one").rglob("*.ipynb"))
    assert "ipynb" not in (tmp_path / "one/a.html").read_text("utf-8")
    build(site(tmp_path, "pkg", "docs", notebooks=True), tmp_path / "two")
    assert [path.name for path in (tmp_path / "two").rglob("*.ipynb")] == ["a.ipynb"]
    assert "ipynb" not in (tmp_path / "two/b.html").read_text("utf-8")


def test_python_warns_of_nothing(write: Write, tmp_path: Path) -> None:
    source = 'def f():\n    """\n    >>> f() is "\\d"\n    False\n    """\n    return 1 is "\\times"'
    assert [cell.cell_type for cell in make(write, tmp_path, source)] == ["code", "code"]


def test_file_that_cannot_be_read_has_no_notebook(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", "x = (")
    text, report = text_of(site(tmp_path), "pkg/a.py")
    assert text == ""
    assert "is not valid Python" in str(report.errors[0])


def test_cells_of_a_script_are_cells(write: Write, tmp_path: Path) -> None:
    script = (
        "# ---\n# jupyter:\n#   a: b\n# ---\n\n# %% [markdown]\n# Words.\n\n# %%\nimport os  # noqa\n\n\n"
        "def f():\n    # Inside.\n    return os\n\n\n# Last.\nx = f()\n\n"
        "# %% A title\n# %matplotlib inline\n# Say it.\nf()\n"
        '\n# %% language="R"\n# plot(y)\n\n# %%\n# %%bash\n# ls\n\n# %%\n'
    )
    assert sources(make(write, tmp_path, script)) == [
        ("markdown", "Words."),
        ("code", "import os\n\n\ndef f():\n    # Inside.\n    return os\n\n\n# Last.\nx = f()"),
        ("markdown", "## A title"),
        ("code", "%matplotlib inline\n# Say it.\nf()"),
        ("code", "%%R\nplot(y)"),
        ("code", "%%bash\nls"),
    ]


def test_exported_notebooks_come_back(write: Write, tmp_path: Path) -> None:
    script = "# # Title\n\n# In[1]:\n\n\nx = 1\n# In the code.\ny = 2\n\n\n# ## Then\n\n# In[2]:\n\n\nz = 3\n"
    assert sources(make(write, tmp_path, script)) == [
        ("code", "x = 1\n# In the code.\ny = 2"),
        ("markdown", "## Then"),
        ("code", "z = 3"),
    ]


def test_cells_of_marimo(write: Write, tmp_path: Path) -> None:
    script = (
        "import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _(mo):\n    mo.md('Words.')\n    return\n\n\n"
        "@app.cell\ndef _():\n    # Say it.\n    x = 1\n\n    y = 2\n    return (x,)\n\n\n"
        "@app.cell\ndef _(mo):\n    z = 3\n    mo.md('It.'); z\n    return\n\n\n"
        "if __name__ == '__main__':\n    app.run()\n"
    )
    assert sources(make(write, tmp_path, script)) == [
        ("markdown", "Words."),
        ("markdown", "Say it."),
        ("code", "x = 1\n\ny = 2"),
        ("code", "z = 3\nmo.md('It.'); z"),
    ]


def test_magics_between_statements(write: Write, tmp_path: Path) -> None:
    script = "from . import b\n\n# Get it.\n!pip install x\ny = !ls\n\n\n# Show it.\n%time b.f()\n"
    assert sources(make(write, tmp_path, script, requirement=""))[-4:] == [
        ("markdown", "Get it."),
        ("code", "!pip install x\ny = !ls"),
        ("markdown", "Show it."),
        ("code", "%time b.f()"),
    ]


def test_translated_comments_inside_of_cells(write: Write, tmp_path: Path) -> None:
    script = "# %%\nx = 1\n\n# Say it.\ny = 2\n"
    cells = make(write, tmp_path, script, "zh", catalog={"Say it.": "说出来。"})
    assert sources(cells) == [("code", "x = 1\n\n# 说出来。\ny = 2")]
