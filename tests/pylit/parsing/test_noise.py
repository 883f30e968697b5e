"""Comments that are not for readers are no prose: they are folded, or shown as the code that they stand in."""

from __future__ import annotations

import pytest
from cutting import checked, code, prose, rows

from pylit.defaults import Conventions
from pylit.parsing.noise import without_directives
from pylit.parsing.source import parse_python

TOOLS = [
    "# -*- mode: python -*-",
    "# vim: set ft=python ts=4:",
    "# vim:ts=4:sw=4",
    "# ex: set tabstop=8:",
    "# kate: indent-width 4;",
    "# flake8: noqa",
    "# noqa: E501, F401",
    "# ruff: noqa: D100",
    "# yapf: disable",
    "# fmt: off",
    "# isort: skip_file",
    "# pylint: disable=all",
    "# pyright: basic",
    "# mypy: ignore-errors",
    "# cython: language_level=3",
    "# distutils: language = c++",
    "# type: ignore",
    "# type: ignore[attr-defined]",
    "# type: (int, str) -> None",
    "# type: list[int]",
    "# pyre-ignore[6]: why",
    "# pyre-strict",
    "# pytype: skip-file",
    "# pragma: no cover",
    "# pragma no cover",
    "# nosec B101",
    "# nosemgrep",
    "# noinspection PyUnresolvedReferences",
    "# NOLINT",
    "# @formatter:off",
    "# sphinx_gallery_thumbnail_number = 2",
    "# doctest: +SKIP",
    "# cspell:ignore resnet",
    "# skipcq: PYL-W0212",
    "# $Id: a.py 10136 2025-05-20 15:48:27Z me $",
    "# SPDX-License-Identifier: MIT",
    "# Copyright 2024 A B. All rights reserved.",
    "# Copyright (c) The Authors",
    "# (C) 2020 A B",
    "# Licensed under the MIT license.",
    "# License: BSD 3 clause",
    '# See "LICENSE" for the licence; this program is free software.',
]


@pytest.mark.parametrize("comment", TOOLS)
def test_comments_for_tools_and_lawyers_are_code(comment: str) -> None:
    source = checked(f'"""Words."""\n\n{comment}\nx = 1\n')
    assert prose(source) == ["Words."]
    assert [line for line in code(source) if line != "x = 1"] == [comment] * (
        "noqa" not in comment and "doctest" not in comment
    )


SENTENCES = [
    "The type: a name",
    "type: the kind of it",
    "noqa is a word",
    "fmt: ",
    "Vim: an editor",
    "ex: x = 1 is shown below",
    "nosecond is a word",
    "lint: what is left in the pocket",
    "doctest: how it works",
    "The copyright of the data is not ours to give.",
    "It has a license to skip.",
    "Copyrighted pictures are left out.",
    "Pragma is a word.",
]


@pytest.mark.parametrize("comment", SENTENCES)
def test_sentences_that_have_words_of_tools_are_prose(comment: str) -> None:
    assert prose(checked(f"# {comment}\nx = 1\n")) == [comment]


APACHE = """\
# Copyright 2024 The Authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
"""


@pytest.mark.parametrize(
    "before", ["", "# Authors: A\n#          B\n#\n", "#!/usr/bin/env python\n# coding: utf-8\n\n"]
)
@pytest.mark.parametrize("after", ["", "#\n# Trains it.\n", "\n# Trains it.\n", '\n"""Trains it."""\n'])
def test_a_licence_is_folded_and_what_follows_is_prose(before: str, after: str) -> None:
    source = checked(f"{before}{APACHE}{after}\nx = 1\n")
    assert prose(source) == ["Trains it."] * bool(after)
    assert code(source) == ["x = 1"]


def test_a_licence_is_never_the_title() -> None:
    source = checked('# Copyright 2024 A B. All rights reserved.\n"""# The title\n\nText.\n"""\nx = 1\n')
    assert rows(source) == [
        ("module", ["# The title", "", "Text."], ["# Copyright 2024 A B. All rights reserved.", "x = 1"])
    ]


def test_dependencies_of_a_script_are_folded() -> None:
    script = "# /// script\n# dependencies = [\n#   'rich',\n# ]\n# ///\n"
    source = checked(f"#!/usr/bin/env -S uv run\n{script}\n# Words.\nx = 1\n")
    assert rows(source)[0][1] == ["Words."]
    assert source.quiet == set(range(1, 8))
    assert prose(checked("# /// script\n# x = 1 is\nx = 1\n")) == ["/// script", "x = 1 is"]  # it has no end


def test_variables_of_emacs() -> None:
    assert prose(checked("x = 1\n\n# Local Variables:\n# mode: python\n# End:\n\n# Words.\n")) == ["Words."]


def test_few_lines_are_shown_and_many_folded() -> None:
    assert checked("# fmt: off\n# isort: off\nx = 1\n").quiet == set()
    assert checked("# fmt: off\n# isort: off\n\n# ruff: noqa\n\nx = 1\n").quiet == {1, 2, 3, 4, 5}
    assert checked("# fmt: off\nx = 1\n# fmt: on\n# fmt: off\ny = 1\n").quiet == set()


BOXES = {
    "############\n#          #\n#  Title   #\n#          #\n############": ["## Title"],
    "# ----------\n# Title\n# ----------": ["## Title"],
    "#===========\n#  Title\n#===========": ["## Title"],
    "# =-=-=-=-=-=-=-=-\n# Title\n# =-=-=-=-=-=-=-=-": ["## Title"],
    "# ***********\n# * Title    *\n# ***********": ["## Title"],
    "#-----------#\n# One       #\n# Two       #\n#-----------#": ["One", "Two"],
    "# ---------\n# One\n#   Two\n# ---------": ["One", "  Two"],
    "# ---- Title ----": ["## Title"],
    "# ---------- Title": ["## Title"],
    "# --- Title": ["## Title"],
    "# --- Not a title\n# of one line": ["--- Not a title", "of one line"],
    "# -- Words": ["-- Words"],
    "#### Title ####": ["## Title"],
    "################\n### Title    ###\n################": ["## Title"],
    "# ════ Title ════": ["## Title"],
    "# ..........{ TITLE   }..........": ["## TITLE"],
    "# -----------------": [],
    "####################": [],
    "# One\n# Two\n# ----------": ["One", "Two"],
    "# ----------\n# One": ["One"],
    "## Words": ["Words"],
    "### Words": ["Words"],
    "#: Words": ["Words"],
    "#! Words": ["Words"],
}


@pytest.mark.parametrize("box", BOXES)
def test_boxes_are_not_drawn(box: str) -> None:
    assert prose(checked(f"y = 1\n{box}\nx = 1\n")) == BOXES[box]


MARKDOWN = [
    "Title\n-----",
    "Title\n========",
    "### Title",
    "### Title ###",
    "---",
    "a | b\n--|--\n1 | 2",
    "===== ====\nA     B\n===== ====",
    "+---+---+\n| a | b |\n+---+---+",
    "```\n-----\n```",
    "~~~python\nx\n~~~",
    "**bold** and ***both***",
    "...and so on",
    "* one\n* two",
    "> quoted",
]


@pytest.mark.parametrize("text", MARKDOWN)
def test_what_is_drawn_for_markdown_stays(text: str) -> None:
    comment = "\n".join(f"# {line}" for line in text.split("\n"))
    assert prose(checked(f"{comment}\nx = 1\n")) == text.split("\n")


def test_it_can_be_shown() -> None:
    text = "# Copyright 2024 A\n# ----\n# noqa\n# x = 1\nx = 1  # noqa\n"
    source = parse_python(text, "a.py", Conventions(fold_noise=False))
    assert rows(source) == [
        ("module", ["Copyright 2024 A", "----"], ["# noqa"]),
        ("module:x-1", ["x = 1"], ["x = 1  # noqa"]),
    ]


TRIMMED = {
    "x = 1  # noqa": "x = 1",
    "x = 1  # noqa: F401 - for the examples": "x = 1",
    "x = 1  # why  # noqa": "x = 1  # why",
    "x = 1  # noqa  # why": "x = 1  # why",
    "x = f()  # doctest: +SKIP": "x = f()",
    "x = '# noqa'": "x = '# noqa'",
    "x = 1  # noqa is a word": "x = 1  # noqa is a word",
    "x = 1  # type: ignore": "x = 1  # type: ignore",
    "x = 1  # noqa: \u202e": "x = 1  # noqa: \u202e",  # readers would be warned of it
}


@pytest.mark.parametrize("line", TRIMMED)
def test_ends_of_lines_for_linters_are_not_shown(line: str) -> None:
    source = checked(f"{line}\n")
    assert source.lines == (line,)
    assert source.shown(1) == TRIMMED[line]


def test_directives_of_examples_are_not_shown() -> None:
    text = ">>> x  # doctest: +SKIP\n1\n>>> # doctest: +ELLIPSIS\n>>> print('# doctest: +a')\n... y #doctest:+B\n"
    assert without_directives(text) == ">>> x\n1\n>>> print('# doctest: +a')\n... y\n"
    assert without_directives("words about doctest: +SKIP") == "words about doctest: +SKIP"
