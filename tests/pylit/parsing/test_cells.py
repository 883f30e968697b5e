"""Notebooks that are kept as scripts: their marks divide the page, and are not shown."""

from __future__ import annotations

import pytest
from cutting import check_lossless, check_prose_is_prose, checked, code, prose, rows
from hypothesis import given
from hypothesis import strategies as st
from sampling import examples

from pylit.defaults import Conventions
from pylit.errors import PylitError
from pylit.parsing.source import parse_python, split_lines

PERCENT = '''\
# ---
# jupyter:
#   jupytext:
#     format_name: percent
# ---

# %% [markdown]
# # A notebook
#
# Some *text*.

# %%
import math

# %% [markdown]
"""
## Second part

In a string.
"""

# %% [md]
r"""
$\\frac{1}{2}$
"""

# %% A title tags=["hide"]
# %matplotlib inline
x = math.pi

# %%
# Say it.
print(x)  # prints
'''


def test_percent() -> None:
    source = checked(PERCENT)
    assert rows(source) == [
        ("module", ["# A notebook", "", "Some *text*."], PERCENT.splitlines()[:5]),
        ("module:import-math", [], ["import math"]),
        ("module:second-part", ["## Second part", "", "In a string."], []),
        ("module:frac-1-2", ["$\\frac{1}{2}$"], []),
        ("module:a-title", ["## A title"], ["%matplotlib inline", "x = math.pi"]),
        ("module:say-it", ["Say it."], ["print(x)  # prints"]),
    ]
    assert source.quiet == set(range(1, 7))
    assert source.frame == set(range(1, 7))
    assert source.cells == (range(12, 15), range(27, 31), range(31, 34))


def test_cells_can_be_switched_off() -> None:
    source = parse_python("# %% Title\nx = 1\n", "a.py", Conventions(cells=False))
    assert rows(source) == [("module", ["%% Title"], ["x = 1"])]
    with pytest.raises(PylitError, match="is not valid Python: invalid syntax"):
        parse_python("%time x\n", "a.py", Conventions(cells=False))


def test_no_mark_is_found_in_a_string() -> None:
    text = 'x = """\n# %%\n# %% [markdown]\n# In[3]:\n# COMMAND ----------\n# +\n"""\n'
    source = checked(text)
    assert (source.cells, len(source.sections)) == ((), 1)


MARKS = {
    "#%%": "",
    "# %%": "",
    "#   %%   ": "",
    "# %% Load it": "## Load it",
    "# %%% Deeper": "### Deeper",
    "# %%%%%%%% Deepest": "###### Deepest",
    '# %% Load it tags=["a", "b"] name="c"': "## Load it",
    '# %% Load it {"tags": ["a"]}': "## Load it",
    '# %% {"tags": ["a"]}': "",
    "# %% 1. Load it": "## 1. Load it",
    "# %% [1] Load it": "## [1] Load it",
    "# %% ------": "",
    "# %% [code] Load it": "",
    "# %% Load it [code]": "## Load it",
    "# In[3]:": "",
    "# In[ ]:": "",
    "# In [12]:": "",
    "# In[*]:": "",
    "# <codecell>": "",
    "# COMMAND ----------": "",
    "# +\n# -\n# +": "",
    "#+\n#-": "",
    '# + tags=["a"]': "",
    '# + {"tags": ["a"]}': "",
    "# region Load it\n# endregion": "## Load it",
    "#region\n#endregion": "",
}
"""Marks of cells of code -> the headings that they make."""


@pytest.mark.parametrize("mark", MARKS)
def test_marks(mark: str) -> None:
    source = checked(f"x = 1\n{mark}\ny = 2\n")
    assert prose(source) == [MARKS[mark]] * bool(MARKS[mark])
    assert code(source) == ["x = 1", "y = 2"]
    first, *_, last = source.sections
    assert first is not last
    assert 1 in first.code
    assert len(source.lines) in last.code


@pytest.mark.parametrize(
    "comment",
    [
        "%%bash",
        "%d of it",
        "+ an item",
        "- an item",
        "Out[3] is small",
        "In[3] is",
        "COMMAND",
        "region of interest",
    ],
)
def test_what_only_looks_like_a_mark(comment: str) -> None:
    assert prose(checked(f"# {comment}\nx = 1\n")) == [comment]


PROSE_CELLS = [
    "# %% [markdown]\n# One.\n#\n# Two.\n",
    "# %% [md]\n# One.\n\n# Two.\n",
    "# %% markdown\n# One.\n\n# Two.\n",
    '# %% [markdown] slideshow={"a": 1}\n# One.\n\n# Two.\n',
    '# %% {"cell_type": "markdown"}\n# One.\n\n# Two.\n',
    '# %% [markdown]\n"""One.\n\nTwo."""\n',
    "# %% [markdown]\n'''\nOne.\n\nTwo.\n'''\n",
    "# + [markdown]\n# One.\n#\n# Two.\n# -\n",
    "# <markdowncell>\n\n# One.\n# \n# Two.\n",
    "# MAGIC %md\n# MAGIC One.\n# MAGIC\n# MAGIC Two.\n",
    "# MAGIC %md-sandbox One.\n# MAGIC \n# MAGIC Two.\n",
]


@pytest.mark.parametrize("cell", PROSE_CELLS)
@pytest.mark.parametrize("before", ["", "x = 1\n\n# %%\ny = 2\n\n"])
def test_cells_of_prose(before: str, cell: str) -> None:
    source = checked(f"{before}{cell}\n# %%\nz = 3\n")
    assert prose(source) == ["One.", "Two."]
    assert code(source) == [line for line in ["x = 1", "y = 2"] if before] + ["z = 3"]


def test_in_a_cell_of_prose_everything_is_prose() -> None:
    source = checked("# %% [markdown]\n# x = 1\n#\n# # noqa\n#\n# -----\n\n# %%\nx = 1\n")
    assert prose(source) == ["x = 1", "# noqa", "-----"]


MAGICS = {
    "# %matplotlib inline": "%matplotlib inline",
    "#%time f()": "%time f()",
    "# !pip install x": "!pip install x",
    "# ?f": "?f",
    "# %%time\nf()": "%%time",
    "# %%bash\n# ls\n#\n# pwd": "%%bash\nls\n\npwd",
}


@pytest.mark.parametrize("magic", MAGICS)
@pytest.mark.parametrize("mark", ["# %%", "# In[1]:", "# +"])
def test_magics_that_are_commented_out(magic: str, mark: str) -> None:
    source = checked(f"{mark}\n{magic}\n\n# %%\nx = 1\n")
    assert prose(source) == []
    assert code(source)[0] == MAGICS[magic].split("\n")[0]
    found = source.foreign[0]
    assert "\n".join(source.lines[found.first - 1 : found.last]) == MAGICS[magic]


def test_a_cell_in_another_language() -> None:
    source = checked('# %% language="R"\n# library(x)\n# plot(y)\n')
    assert code(source) == ["library(x)", "plot(y)"]
    assert [(run.language, run.magic) for run in source.foreign] == [("r", "%%R")]


def test_raw_cells_and_outputs_are_not_for_readers() -> None:
    text = "# In[1]:\n\nx = 1\n\n# Out[1]:\n\n#     1\n#     2\n\n# %% [raw]\n# a\n# b\n# c\n\n# %%\ny = 2\n"
    source = checked(text)
    assert prose(source) == []
    assert [line for line in code(source) if "#" not in line] == ["x = 1", "y = 2"]
    assert {11, 12, 13} <= source.quiet


def test_databricks() -> None:
    text = """\
        # Databricks notebook source
        # MAGIC %md
        # MAGIC # Title
        # MAGIC Some *text*.

        # COMMAND ----------

        # DBTITLE 1,Ask it
        # MAGIC %sql
        # MAGIC SELECT 1

        # COMMAND ----------

        # MAGIC %pip install x
        y = 2
        """
    source = checked(text)
    assert rows(source) == [
        ("module", ["# Title", "Some *text*."], []),
        ("module:ask-it", ["## Ask it"], ["%sql", "SELECT 1"]),
        ("module:pip-install-x", [], ["%pip install x", "y = 2"]),
    ]
    assert [(run.first, run.last, run.language) for run in source.foreign] == [
        (9, 10, "sql"),
        (14, 14, "bash"),
    ]
    assert source.cells == (range(6, 12), range(12, 16))


def test_prose_after_an_exported_cell_is_not_in_it() -> None:
    source = checked("# In[1]:\n\n\n# First.\nx = 1\n\n\n# ## Then\n# words\n\n# In[2]:\n\n\ny = 2\n")
    assert source.cells == (range(1, 6), range(11, 15))


def test_examples_for_sphinx_gallery() -> None:
    text = '''\
        """
        A gallery
        =========
        """
        # %%
        # First
        # -----
        # x = 1

        import math

        def f():
            # %%
            # inside
            return math

        ##############################
        # Second
        # ~~~~~~
        y = 2
        '''
    source = checked(text)
    assert [row[1:] for row in rows(source)] == [
        (["A gallery", "========="], []),
        (["First", "-----", "x = 1"], ["import math"]),
        ([], ["def f():"]),
        (["inside"], ["    return math"]),
        (["Second", "~~~~~~"], ["y = 2"]),
    ]
    assert source.markup == "rst"
    assert source.cells == (range(5, 17), range(17, 21))


def test_a_shebang_above_cells_is_no_shell_line() -> None:
    source = checked("#!/usr/bin/env python\n# coding: utf-8\n\n# In[1]:\n\n#!ls -l\nx = 1\n")
    shown = [source.shown(number) for section in source.sections for number in section.code]
    assert [line for line in shown if line] == ["#!/usr/bin/env python", "# coding: utf-8", "!ls -l", "x = 1"]


def test_noise_above_a_gallery_is_not_its_prose() -> None:
    source = checked(
        '''\
        # -*- coding: utf-8 -*-
        # SPDX-License-Identifier: BSD-3-Clause
        """
        A gallery
        =========
        """
        # %%
        # Words.
        x = 1
        '''
    )
    assert [line for line in prose(source) if line] == ["A gallery", "=========", "Words."]


def test_title_of_a_header() -> None:
    text = "# ---\n# title: The *title*\n# jupyter:\n#   a: b\n# ---\n\nx = 1\n"
    assert checked(text).meta.title == "The *title*"
    assert checked(text.replace("a: b", "a: [")).meta.title == ""  # and it is a header all the same
    assert checked(text.replace("The *title*", "[a, b]")).meta.title == ""
    assert checked(text.replace("jupyter", "other")).frame == set()


def test_rules_that_are_no_header() -> None:
    assert checked("x = 1\n# ---\n# jupyter:\n# ---\n").frame == set()
    assert prose(checked("# ---\n# a\n# ---\n")) == ["---", "a", "---"]


def test_marks_that_begin_nothing_have_no_row() -> None:
    assert len(checked("# %%\n# %%\nx = 1\n\n# %%\n# %%\n").sections) == 1
    assert len(checked("# +\nx = 1\n# -\n\n# +\ny = 1\n# -\n").sections) == 2


def test_a_definition_goes_with_the_mark_above_it() -> None:
    source = checked("# %%\nclass A:\n    pass\n\n\n# %%\n\ndef f():\n    pass\n")
    assert [section.name for section in source.sections] == ["A", "f"]


LINES = st.sampled_from(
    [
        "x = 1", "", "# %%", "# %% A", "# %% [markdown]", '"""doc"""', "# +", "# -", "# comment", "#", "def f():",
        "    return 1", "    # %%", "# In[1]:", "# COMMAND ----------", "# MAGIC %md", "# MAGIC x", "# MAGIC %sql",
        "# %matplotlib inline", "# %%bash", "%time x", "!ls", "# ---", "# jupyter:", "#" * 30, "#  box   #", "# x = 1",
        "# noqa", "# Copyright 2020 A", "# region A", "# endregion", "class A:", "@d", "x = '''", "'''", "# Out[1]:",
        "# type: ignore", "# for x in y:", "#     print(x)", "x  # noqa", "# /// script", "# ///", "%%bash", "y = !ls",
    ]
)  # fmt: skip


@examples(600)
@given(st.lists(LINES, max_size=16))
def test_any_notebook_is_cut_without_loss(lines: list[str]) -> None:
    try:
        source = parse_python("\n".join(lines), "x.py")
    except PylitError:
        return
    check_lossless(source)
    check_prose_is_prose(source)
    assert len(source.lines) == len(split_lines("\n".join(lines))) <= source.text.count("\n") + 1
    for cell in source.cells:
        assert 0 < cell.start < cell.stop <= len(source.lines) + 1


@pytest.mark.parametrize(
    "mark", ["auto 0", "auto #0", "../nbs/01_a.ipynb 3", "../nbs/01_a.ipynb #9a1", "01.ipynb"]
)
def test_the_numbers_of_exported_cells_are_no_titles(mark: str) -> None:
    """As nbdev writes them."""
    assert prose(checked(f"x = 1\n\n# %% {mark}\ny = 2\n")) == []
    assert prose(checked(f"x = 1\n\n# %% Of {mark}\ny = 2\n")) == [f"## Of {mark}"]
