"""What only IPython understands is kept and shown, and does not keep the rest from being read."""

from __future__ import annotations

import ast

import pytest
from cutting import checked, code, prose
from hypothesis import given
from hypothesis import strategies as st
from sampling import examples

from pylit.errors import PylitError
from pylit.parsing.magics import language, mask
from pylit.parsing.source import parse_python

MASKED = {
    "%matplotlib inline": "...",
    "!pip install x": "...",
    "!!ls": "...",
    "?f": "...",
    "f?": "...",
    "a.b.f??": "...",
    "%%time\nx = 1": "...\nx = 1",
    "%%bash\nls '\n\npwd": "...\n\n\n",
    "%%bash\nls\n\n# %%\nx = 1": "...\n\n\n# %%\nx = 1",
    "%%writefile a.py\nx = (": "...\n",
    "%%unknown\nx = (": "...\n",
    "x = !ls": "x = ...",
    "x, y = %time f()": "x, y = ...",
    "if x:\n    !ls\n    y = 1": "if x:\n    ...\n    y = 1",
    "!pip install \\\n  it's\nx = 1": "...\n\nx = 1",
    "%time x = '''\ny = 1": "...\ny = 1",
}


@pytest.mark.parametrize("text", MASKED)
def test_what_is_masked(text: str) -> None:
    masked = mask(text.split("\n"))
    assert "\n".join(masked.lines) == MASKED[text]
    ast.parse("\n".join(masked.lines))
    source = checked(f"# Words.\ny = 2\n{text}\n# %%\nz = 3\n")
    assert source.lines[2 : 2 + text.count("\n") + 1] == tuple(text.split("\n"))
    assert set(filter(str.strip, text.split("\n"))) <= {*code(source), "# %%"}
    assert prose(source) == ["Words."]


@pytest.mark.parametrize(
    "text",
    [
        "x = (1\n% 2)",
        "x = 3 \\\n% 2",
        'x = """\n%time\n!ls\n"""',
        "x = '''\\'''\n%time\n'''",
        "x = 'it\\\n%d'",
        "x = [  # (\n% 2]",
        'x = f"""\n%d"""',
        "x = '#'\ny = ['''\n%time\n''']",
    ],
)
def test_inside_of_strings_and_brackets_nothing_is_masked(text: str) -> None:
    assert mask(text.split("\n")).foreign == ()
    masked = mask([*text.split("\n"), "%time"])
    assert [run.first for run in masked.foreign] == [text.count("\n") + 2]


@pytest.mark.parametrize(
    ("magic", "name"),
    [
        ("!ls", "bash"),
        ("%pip install x", "bash"),
        ("%%bash -s", "bash"),
        ("%%html", "html"),
        ("%%R -i df", "r"),
        ("%%time", "python"),
        ("%%unknown", ""),
        ("%cd x", "python"),
        ("f?", "python"),
    ],
)
def test_languages(magic: str, name: str) -> None:
    assert language(magic) == name


def test_other_mistakes_are_told_with_their_line() -> None:
    with pytest.raises(PylitError, match=r"a\.py:2: error: is not valid Python: invalid syntax"):
        parse_python("%time x\nx = = 1\n", "a.py")
    with pytest.raises(PylitError, match=r"a\.py:2: error: is not valid Python: invalid syntax"):
        parse_python("x = (\n!ls)\n", "a.py")


LINES = st.sampled_from(
    [
        "x = 1", "%time x", "!ls '", "%%bash", "%%time", "f?", "?f", "x = !ls", "'''", '"""', "(", ")", "\\", "# %%",
        "", "x = 'a", "y = '''a", "b'''", "if x:", "    !ls", "    %cd x", "# '''", "[1,", "2]", "f'{x}'", "x = \"a\\",
    ]
)  # fmt: skip


@examples(400)
@given(st.lists(LINES, max_size=12))
def test_what_python_accepts_is_not_masked(lines: list[str]) -> None:
    """And what was masked stands on as many lines, each of which was not Python."""
    masked = mask(lines)
    assert len(masked.lines) == len(lines)
    numbers = {number for run in masked.foreign for number in range(run.first, run.last + 1)}
    left = [n for n in range(len(lines)) if n + 1 not in numbers]
    assert [masked.lines[n] for n in left] == [lines[n] for n in left]
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        return
    assert not masked.foreign
