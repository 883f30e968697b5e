"""Front matter: its keys. Everything else is ignored, and a problem with a line."""

from __future__ import annotations

import pytest

from pylit.errors import Problem
from pylit.parsing.model import Meta, Paper
from pylit.parsing.source import Source, parse_markdown, parse_python


def parsed(yaml: str) -> Source:
    return parse_python(f'r"""\n---\n{yaml}\n---\n# Heading\n"""\n', "x.py")


def meta(yaml: str) -> Meta:
    return parsed(yaml).meta


def shown(source: Source) -> list[str]:
    return [line.text for line in source.sections[0].text]


def test_keys() -> None:
    found = meta("title: A title\nsummary:\n  One\n  sentence.\nsymbols:\n  W_s: A.conv")
    assert found == Meta("A title", 3, "One sentence.", 4, {"W_s": "A.conv"}, 7)


@pytest.mark.parametrize("title", ["404", "2020-13-45", "yes", "!!int abc"])
def test_every_value_is_text(title: str) -> None:
    assert meta(f"title: {title}").title == title.removeprefix("!!int ")


def test_prose_begins_after_it() -> None:
    source = parse_python('"""\n---\ntitle: T\n---\n# Heading\n"""\nx = 1\n', "x.py")
    assert [(line.number, line.text) for line in source.sections[0].text] == [(5, "# Heading")]
    assert source.sections[0].prose == (1, 2, 3, 4, 5, 6)


def test_guides_have_it_too() -> None:
    source = parse_markdown("---\ntitle: T\n---\n\n# Heading\n", "x.md")
    assert source.meta.title == "T"
    assert [line.text for line in source.sections[0].text] == ["", "# Heading"]


def test_none_or_empty() -> None:
    assert parse_python('"""Only prose."""\n', "x.py").meta == Meta()
    assert meta("# nothing but a comment") == Meta()
    assert parse_python('"""\nProse\n\n---\n\nmore\n"""\n', "x.py").meta == Meta()


def test_one_key_alone() -> None:
    assert meta(r"macros: {\R: '\mathbb{R}'}") == Meta(macros={"\\R": r"\mathbb{R}"}, macros_line=3)
    assert meta("title: T") == Meta("T", 3, "", 0, {}, 0)
    assert meta("summary: S") == Meta("", 0, "S", 3, {}, 0)


ALL = "title, summary, hook, pictogram, before, next, papers, symbols, macros"
YAML = ("the front matter is not valid YAML: ", "Quote text that has a colon in it.")
KEY = ("the front matter has an unknown key ", f"Allowed: {ALL}.")
TEXT = (" of the front matter must be a string, not ", "Put it in quotes.")
SYMBOLS = (
    "`symbols` of the front matter must map symbols to names",
    "For example `symbols: {W_s: ShortcutProjection.conv}`.",
)
MACROS = ("`macros` of the front matter must map names to TeX", "For example `macros: {R: '\\mathbb{R}'}`.")


PAPER = "{title: T, authors: [A, B], year: 2015}"
PAPERS = (
    "Write `- {title: …, authors: [A. Author, B. Author], year: 2015, arxiv: 1512.03385}`, or give its `url`."
)
FIELDS = "allowed: title, authors, year, arxiv, url"
STRINGS = "of the front matter must have strings, and a list of strings for `authors`"


def test_papers_and_what_is_said_of_a_page() -> None:
    arxiv = "{title: A long\n  title, authors: [A], year: 2016, arxiv: 1603.05027}"
    found = meta(f"papers: [{PAPER}, {arxiv}]\nhook: H\npictogram: a.svg\nbefore: B\nnext: N")
    assert found.papers == (
        Paper("T", ("A", "B"), "2015"),
        Paper("A long title", ("A",), "2016", "1603.05027"),
    )
    assert [paper.href for paper in found.papers] == ["", "https://arxiv.org/abs/1603.05027"]
    assert (found.hook, found.pictogram, found.before, found.next) == ("H", "a.svg", "B", "N")
    assert dict(found.lines) == {"papers": 3, "hook": 5, "pictogram": 6, "before": 7, "next": 8}


@pytest.mark.parametrize(
    ("yaml", "line", "message", "hint"),
    [
        ("title: [", 3, f"{YAML[0]}expected the node content, but found '<stream end>'", YAML[1]),
        ("title: a: b", 3, f"{YAML[0]}mapping values are not allowed here", YAML[1]),
        ("title: a\n  b: c", 4, f"{YAML[0]}mapping values are not allowed here", YAML[1]),
        ("symbols: {x: y, [a]: b}", 3, f"{YAML[0]}found unhashable key", YAML[1]),
        ("title: " + "[" * 1000, 3, f"{YAML[0]}it is nested too deeply", YAML[1]),
        (
            "just text",
            3,
            "the front matter is not a mapping",
            f"Write `key: value`; keys: {ALL}.",
        ),
        ("title: T\ntitel: U", 4, f"{KEY[0]}`titel`", f"Did you mean `title`? {KEY[1]}"),
        ("sumary: x", 3, f"{KEY[0]}`sumary`", f"Did you mean `summary`? {KEY[1]}"),
        ("zzz: x", 3, f"{KEY[0]}`zzz`", KEY[1]),
        ("title: {a: b}", 3, f"`title`{TEXT[0]}{{'a': 'b'}}", TEXT[1]),
        ("title: T\nsummary: [[[a]]]", 4, f"`summary`{TEXT[0]}[[[...]]]", TEXT[1]),
        ("title: T\nsymbols: [a]", 4, *SYMBOLS),
        ("symbols: {a: [b]}", 3, *SYMBOLS),
        ("macros: [a]", 3, *MACROS),
        ("hook: [a]", 3, f"`hook`{TEXT[0]}['a']", TEXT[1]),
        ("papers: a", 3, "`papers` of the front matter must be a list", PAPERS),
        ("papers: [a]", 3, "paper 1 of the front matter must be a mapping, not 'a'", PAPERS),
        (f"papers: [{PAPER}, {{title: U}}]", 3, "paper 2 of the front matter has no `authors`", PAPERS),
        (
            f"papers: [{PAPER[:-1]}, doi: 1}}]",
            3,
            f"paper 1 of the front matter has an unknown key `doi`; {FIELDS}",
            PAPERS,
        ),
        ("papers: [{title: T, authors: A, year: 2015}]", 3, f"paper 1 {STRINGS}", PAPERS),
        ("papers: [{title: [T], authors: [A], year: 2015}]", 3, f"paper 1 {STRINGS}", PAPERS),
        (
            "papers: [{title: T, authors: [A], year: 15}]",
            3,
            "paper 1 of the front matter has the year `15`; expected four digits",
            PAPERS,
        ),
        (
            f"papers: [{PAPER[:-1]}, arxiv: abs/1}}]",
            3,
            "paper 1 of the front matter has `abs/1` for `arxiv`; expected a number such as 1512.03385",
            PAPERS,
        ),
        (
            f"papers: [{PAPER[:-1]}, url: 'javascript:x'}}]",
            3,
            "paper 1 of the front matter has the address `javascript:x`; expected one that starts with https://",
            PAPERS,
        ),
        ("title: T\nmacros: {R: {a: b}}", 4, *MACROS),
    ],
)
def test_wrong_front_matter(yaml: str, line: int, message: str, hint: str) -> None:
    source = parsed(yaml)
    assert source.problems == (Problem("x.py", line, message, hint),)
    assert shown(source)[-1] == "# Heading"


def test_what_is_right_beside_what_is_wrong() -> None:
    source = parsed("title: T\nauthor: me\nsummary: {a: b}\nsymbols: {x: y}\ndate: now")
    assert source.meta == Meta("T", 3, "", 0, {"x": "y"}, 6)
    assert [problem.line for problem in source.problems] == [4, 7, 5]
    assert shown(source) == ["# Heading"]


def test_character_that_yaml_does_not_allow() -> None:
    (problem,) = parsed("title: \x07").problems
    assert problem.line == 3 and "not valid YAML: unacceptable character #x0007" in problem.message


def test_without_an_end() -> None:
    source = parse_python('"""\n---\ntitle: T\n"""\n', "x.py")
    hint = "Close it with a line of `---`."
    assert source.problems == (Problem("x.py", 2, "the front matter has no end", hint),)
    assert shown(source) == ["---", "title: T"]


def test_rules_of_prose_are_not_front_matter() -> None:
    source = parse_markdown("---\nJust a sentence.\n---\n# Heading\n", "x.md")
    assert source.problems[0].message == "the front matter is not a mapping"
    assert shown(source) == ["---", "Just a sentence.", "---", "# Heading"]
