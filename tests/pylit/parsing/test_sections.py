"""Cutting is lossless, and prose lines hold only prose, whatever the file."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable
from pathlib import Path

import pytest
from cutting import check_lossless, check_prose_is_prose, cut, rows
from hypothesis import given
from hypothesis import strategies as st
from sampling import EVERYTHING, examples, thinned

from pylit.errors import Problem, PylitError
from pylit.parsing.model import DefinitionKind, Section
from pylit.parsing.names import slug, unused_name
from pylit.parsing.source import decode_python, parse_markdown, parse_python, read_source

STDLIB = Path(sysconfig.get_path("stdlib"))


def stdlib_files(part: int, parts: int) -> list[Path]:
    files = [path for path in sorted(STDLIB.rglob("*.py")) if "site-packages" not in path.parts]
    return files[part::parts]


def check_files(files: Iterable[Path]) -> int:
    """Cut files and check them; how many of them are Python. What Python compiles is never refused."""
    read = 0
    for path in files:
        try:
            source = read_source(path)
        except PylitError:  # some are wrong on purpose
            with pytest.raises((SyntaxError, ValueError)):
                compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
            continue
        check_lossless(source)
        check_prose_is_prose(source)
        read += 1
    return read


@pytest.mark.slow
@pytest.mark.parametrize("part", thinned(range(16), 16))
def test_standard_library_is_lossless(part: int) -> None:
    files = stdlib_files(part, 16)
    assert check_files(files) > 0.9 * len(files) > 50  # Debian leaves the tests of the library out


SAMPLE = 1 if EVERYTHING else 120
"""Of the files that are installed beside ours, one in so many is cut. The check of a change cuts them all."""


@pytest.mark.slow
@pytest.mark.parametrize("part", thinned(range(8), 4))
def test_installed_packages_are_lossless(part: int) -> None:
    packages = Path(sysconfig.get_path("purelib"))
    every = sorted(path for path in packages.rglob("*.py") if path.is_file())
    assert len(every) > 10_000  # as the guide on robustness says
    files = every[part * SAMPLE :: 8 * SAMPLE]
    assert check_files(files) > 0.9 * len(files) > 5
    for path in files[:5]:
        assert read_source(path).sections == read_source(path).sections


def test_docstrings_and_comments_are_prose_and_the_rest_is_code() -> None:
    source = cut(
        '''\
        """About the module."""
        import os  # a trailing comment

        # About the class.
        @decorated
        class A(B):
            r"""Its docstring."""

            x = "# no comment"
            """No docstring."""

            def f(self):
                """About f."""
                return {
                    # Inside brackets.
                    "a": 1,
                }
        '''
    )
    assert rows(source) == [
        ("module", ["About the module."], ["import os  # a trailing comment"]),
        (
            "A",
            ["About the class.", "", "Its docstring."],
            [
                "@decorated",
                "class A(B):",
                '    x = "# no comment"',
                '    """No docstring."""',
            ],
        ),
        ("A.f", ["About f."], ["    def f(self):", "        return {"]),
        ("A.f:inside-brackets", ["Inside brackets."], ['            "a": 1,', "        }"]),
    ]


def test_lines_that_hold_both_are_code() -> None:
    source = cut(
        '''\
        def f(): "doc"
        class A: """starts here
            and ends"""
        def g():
            """prose
            more"""  # noqa: D400
        def h():
            "one"; x = 1
        '''
    )
    assert [section.prose for section in source.sections] == [(), (), (5,), ()]
    check_lossless(source)


def test_docstrings_put_together_are_code() -> None:
    source = cut('"a" "b"\ndef f():\n    ("doc")\ndef g():\n    f"{1}"\ndef h():\n    b"doc"\n')
    assert all(not section.prose for section in source.sections)
    assert not any(section.prose for section in cut('"""a\nb""" "c"\n').sections)


def test_comment_below_a_docstring_is_another_section() -> None:
    source = cut('"""Doc."""\n# Comment.\nx = 1\n')
    assert rows(source) == [("module", ["Doc."], []), ("module:comment", ["Comment."], ["x = 1"])]


def test_comment_above_an_empty_docstring() -> None:
    assert rows(cut('# Say it.\ndef f():\n    """"""\n')) == [("f", ["Say it."], ["def f():"])]


def test_blank_lines_alone_are_of_the_module() -> None:
    assert [(s.within, s.prose, s.code) for s in cut("\n\n").sections] == [("", (), (1, 2))]


def test_kinds_of_definitions() -> None:
    source = cut("class A:\n    async def f(self): ...\n\n\ndef g(): ...\n")
    assert [(d.name, d.kind) for d in source.definitions] == [
        ("A", DefinitionKind.CLASS),
        ("A.f", DefinitionKind.FUNCTION),
        ("g", DefinitionKind.FUNCTION),
    ]


def test_lone_comment_sign_starts_a_section_without_prose() -> None:
    source = cut("# Prose.\nx = 1\n#\ny = 2\n")
    assert rows(source) == [("module", ["Prose."], ["x = 1"]), ("module:y-2", [], ["y = 2"])]
    assert source.sections[1].prose == (3,)


def test_lone_comment_sign_inside_a_comment_is_a_paragraph_break() -> None:
    source = cut("# One.\n#\n# Two.\nx = 1\n")
    assert rows(source) == [("module", ["One.", "", "Two."], ["x = 1"])]


def test_comments_for_tools_stay_code() -> None:
    source = cut("#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n# noqa: F401\n# type: ignore\nx = 1\n")
    assert [section.prose for section in source.sections] == [()]
    assert cut("x = 1\n#! not for the system\n").sections[1].prose == (2,)


@pytest.mark.parametrize("comment", ["Positional encoding: sines.", "noqa is a word", "fmt: ", "!x"])
def test_comments_that_only_look_like_those_are_prose(comment: str) -> None:
    assert cut(f"\n\n# {comment}\nx = 1\n").sections[0].prose == (1, 2, 3)


def test_definition_that_is_called_like_a_line_gets_another_anchor() -> None:
    assert [section.name for section in cut("class L1: ...\n").sections] == ["L1-2"]


def test_code_after_a_definition_is_no_longer_in_it() -> None:
    source = cut(
        """\
        def f():
            def g():
                return 1
            return g
            # The end of f.
        x = f()
        """
    )
    assert [(s.name, s.within, s.code) for s in source.sections] == [
        ("f", "f", (1,)),
        ("f.g", "f.g", (2, 3)),
        ("f:return-g", "f", (4,)),
        ("f:the-end-of-f", "f", ()),
        ("module:x-f", "", (6,)),
    ]


def test_names_do_not_move_when_something_is_written_before_them() -> None:
    text = "def f():\n    x = 1\n    # Now the second step.\n    y = 2\n\n\n# At the end.\nz = 3\n"
    names = [section.name for section in cut(text).sections]
    more = "import os\n\n\n# News.\nnews = 1\n\n\n" + text.replace(
        "    x = 1\n", "    x = 1\n    # New.\n    w = 0\n"
    )
    assert set(names) <= {section.name for section in cut(more).sections}


def test_same_names_are_told_apart() -> None:
    source = cut("if a:\n    def f(): ...\nelse:\n    def f(): ...\n# Say it.\nx = 1\n# Say it.\ny = 1\n")
    assert [s.name for s in source.sections] == [
        "module", "f", "module:else", "f-2", "module:say-it", "module:say-it-2",
    ]  # fmt: skip


def text_of(source: str) -> list[str]:
    return [line.text for line in cut(source).sections[0].text]


def test_docstring_text_is_what_was_typed_without_indentation() -> None:
    assert text_of('def f():\n    r"""\n    $\\times$\n\n      more\n    """\n') == [
        "$\\times$",
        "",
        "  more",
    ]
    assert text_of('"""a\n\tb\n"""') == ["a", "b"]
    assert text_of('"""\\\nfirst\n"""') == ["first"]
    assert text_of("'''it's'''") == ["it's"]
    assert text_of('"one \\" quote"') == ['one \\" quote']
    assert text_of('""""quoted" at the start"""') == ['"quoted" at the start']
    assert text_of('""') == []
    assert text_of("u'''old'''") == ["old"]
    assert text_of('r"""\\\nraw\n"""') == ["\\", "raw"]


def test_comment_text_keeps_its_indentation() -> None:
    assert text_of("# * a\n#   b\n#: c\n#d\n") == ["* a", "  b", "c", "d"]
    assert text_of("#\n#\n# a\n#\n#\n") == ["a"]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", 0),
        (b"\n", 1),
        (b"x = 1", 1),
        (b"\xef\xbb\xbfx = 1\n", 1),
        (b"x = 1\r\ny = 2\r\n", 2),
        (b"x = 1\ry = 2\r", 2),
        (b"# -*- coding: latin-1 -*-\n# \xe9\nx = 1\n", 3),
        (b"x = 1\n\x0c\ny = '\x0b\x1c'\n", 3),
        (b"# only\n\n# comments", 3),
        (b"if x:\n\ty = 1\n\tif y:\n\t\tz = 2\n", 4),
        (b"x = 1\\\n  + 2\n", 2),
    ],
)
def test_unusual_files(data: bytes, lines: int) -> None:
    source = parse_python(decode_python(data, "x.py"), "x.py")
    assert len(source.lines) == lines
    check_lossless(source)
    check_prose_is_prose(source)


SYNTAX = "Fix the syntax, or exclude the file."
ENCODING = "Save it as UTF-8, or state its encoding."


@pytest.mark.parametrize(
    ("data", "line", "message", "hint"),
    [
        (b"x = 1\ndef f(:\n", 2, "is not valid Python: invalid syntax", SYNTAX),
        (b"x = (\n", 1, "is not valid Python: '(' was never closed", SYNTAX),
        (b"x = 1\0\n", 1, "is not valid Python: source code string cannot contain null bytes", SYNTAX),
        (b"(" * 300 + b")" * 300, 1, "is not valid Python: too many nested parentheses", SYNTAX),
        (
            b"x = a" + b".b" * 10_000,
            1,
            "is nested too deeply for Python's own parser",
            "Break up the expression or the chain of `elif`, or exclude the file.",
        ),
        (b"# coding: nonsense\n", 1, "cannot be decoded: unknown encoding: nonsense", ENCODING),
        (b"x = '\xff'\n", 1, "cannot be decoded: invalid or missing encoding declaration", ENCODING),
        (
            b"# coding: ascii\r\n\rx = '\xff'\n",
            3,
            "is not in its encoding, ascii: ordinal not in range(128)",
            ENCODING,
        ),
        (b"x = 1\n\n\ny = '\xff'\n", 4, "is not in its encoding, utf-8: invalid start byte", ENCODING),
    ],
)
def test_what_is_no_python_is_refused(
    tmp_path: Path, data: bytes, line: int, message: str, hint: str
) -> None:
    path = tmp_path / "bad.py"
    path.write_bytes(data)
    with pytest.raises(PylitError) as error:
        read_source(path, "bad.py")
    assert error.value.problem == Problem("bad.py", line, message, hint)


def test_encoding_that_decodes_nothing_is_refused() -> None:
    with pytest.raises(PylitError, match=r"x\.py:1: error: cannot be decoded: .*undefined encoding"):
        decode_python(b"# coding: undefined\n", "x.py")


@pytest.mark.parametrize(
    ("error", "line", "message"),
    [
        (ValueError("null bytes"), 1, "is not valid Python: null bytes"),
        (ValueError(), 1, "is not valid Python: ValueError"),
        (SyntaxError("no line"), 1, "is not valid Python: no line"),
        (SyntaxError("at two", ("x.py", 2, 0, "")), 2, "is not valid Python: at two"),
        (MemoryError(), 1, "is nested too deeply for Python's own parser"),
    ],
)
def test_whatever_the_parser_of_a_version_of_python_raises(
    monkeypatch: pytest.MonkeyPatch, error: Exception, line: int, message: str
) -> None:
    def fail(text: str) -> None:
        raise error

    monkeypatch.setattr("pylit.parsing.source.syntax_tree", fail)
    with pytest.raises(PylitError) as told:
        parse_python("x = 1", "x.py")
    assert (told.value.problem.line, told.value.problem.message) == (line, message)


def test_warnings_of_the_parser_are_for_others_to_show() -> None:
    assert parse_python('x = "\\d"\n', "x.py").lines == ('x = "\\d"',)


def test_file_without_another_name_is_called_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    assert read_source(path).file == path.as_posix()
    assert read_source(path, "b.py").file == "b.py"


def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PylitError) as error:
        read_source(tmp_path / "missing.py", "missing.py")
    hint = "Name a Python file or a Markdown guide."
    assert error.value.problem == Problem("missing.py", 0, "cannot be read: No such file or directory", hint)


def test_guide_is_one_section_of_prose() -> None:
    source = parse_markdown("---\ntitle: T\n---\n# One\n\ntwo\n", "a.md")
    (section,) = source.sections
    assert (section.name, section.line, section.prose, section.code) == ("page", 1, (1, 2, 3, 4, 5, 6), ())
    assert [(line.number, line.text) for line in section.text] == [(4, "# One"), (5, ""), (6, "two")]


def test_guide_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "guide.md"
    path.write_bytes(b"\xef\xbb\xbf# One\n\nt\xffwo\n")
    with pytest.raises(PylitError) as error:
        read_source(path, "guide.md")
    assert error.value.problem == Problem(
        "guide.md", 3, "is not UTF-8: invalid start byte", "Save it as UTF-8."
    )


LINES = st.sampled_from(
    [
        "x = 1", "", "   ", "# comment", "#", "# `code` $x$", "x = '''a", "b'''", '"""doc"""', '"""', "def f():",
        "    return 1", "class A:", "    x = [", "    # inside", "    1]", "@d", "    def g(self): 'one'",
        "    r'''raw \\t", "    '''", "if x:", "else:", "async def h(): pass", "    #: attribute", "x = 1  # t",
        "\x0c", "y = '#'", "f'{x}' # f", "\tpass", "lambda: 0", "x = 1; '''s'''", "\\", "    ...",
    ]
)  # fmt: skip


@examples(600)
@given(st.lists(LINES, max_size=14), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_any_program_is_cut_without_loss(lines: list[str], newline: str, last: bool) -> None:
    data = (newline.join(lines) + newline * last).encode()
    try:
        source = parse_python(decode_python(data, "x.py"), "x.py")
    except PylitError:
        with pytest.raises((SyntaxError, ValueError)):
            compile(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), "x.py", "exec")
        return
    check_lossless(source)
    check_prose_is_prose(source)
    assert source == source
    again = parse_python(source.text, "x.py")
    assert again.sections == source.sections


REAL = [*sorted((STDLIB / "json").glob("*.py")), STDLIB / "textwrap.py", STDLIB / "dataclasses.py"]


@pytest.mark.slow
@examples(150)
@given(st.sampled_from(REAL), st.data())
def test_mutated_real_files_are_cut_without_loss(path: Path, data: st.DataObject) -> None:
    lines = path.read_text("utf-8").split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at : at + data.draw(st.integers(0, 2))] = [data.draw(LINES)]
    try:
        source = parse_python("\n".join(lines), "x.py")
    except PylitError:
        return
    check_lossless(source)
    check_prose_is_prose(source)


def test_blank_lines_at_the_top_go_with_what_follows() -> None:
    for text, prose in [("\n\nx = 1\n", ()), ("\n\n# c\nx = 1\n", (1, 2, 3))]:
        (section,) = cut(text).sections
        assert (section.line, section.prose) == (1, prose)
    (section,) = cut("\n\ndef f():\n    pass\n").sections
    assert (section.line, section.prose, section.code) == (1, (), (1, 2, 3, 4))


def test_comments_with_a_blank_line_between_them_are_one_piece_of_prose() -> None:
    source = cut("# a\n\n# b\n# c\nx = 1\n")
    assert rows(source) == [("module", ["a", "", "b", "c"], ["x = 1"])]
    assert [line.number for line in source.sections[0].text] == [1, 3, 3, 4]


def test_a_comment_without_words_begins_a_row() -> None:
    assert rows(cut("# a\n\n#\nx = 1\n")) == [("module", ["a"], []), ("module:x-1", [], ["x = 1"])]


def test_only_a_comment_that_touches_a_definition_belongs_to_it() -> None:
    assert rows(cut("# a\ndef f(): pass\n")) == [("f", ["a"], ["def f(): pass"])]
    assert rows(cut("# a\n\ndef f(): pass\n")) == [("module", ["a"], []), ("f", [], ["def f(): pass"])]


def test_definitions_know_how_deep_they_are() -> None:
    source = cut("class A:\n    class B:\n        def f(self): pass\ndef g(): pass\n")
    depths = [("A", 0), ("A.B", 1), ("A.B.f", 2), ("g", 0)]
    assert [(found.name, found.depth) for found in source.definitions] == depths


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        ("'one'\n", "one"),
        ('"a\\""\n', 'a\\"'),
        ('""\n', None),
        ('"""a\f"""\n', "a"),
        ("# a\f\n", "a"),
        ("#  a\n", " a"),
        ("#: a\n", "a"),
    ],
)
def test_the_words_of_docstrings_and_comments(text: str, prose: str | None) -> None:
    (section,) = parse_python(text, "example.py").sections
    assert [(line.number, line.text) for line in section.text] == ([] if prose is None else [(1, prose)])


def test_names_of_sections_are_none_of_lines() -> None:
    names = [section.name for section in cut("def L1(): pass\ndef L2(): pass\ndef L3(): pass\n").sections]
    assert names == ["L1-2", "L2-2", "L3-2"]
    names = [section.name for section in cut("def L1(): pass\ndef L9(): pass\n").sections]
    assert names == ["L1-2", "L9"]


def test_a_comment_after_other_code_is_no_longer_in_a_definition() -> None:
    source = cut("def f():\n    pass\ny = 1\n    # indented\n")
    assert source.definitions[0].last == 2
    assert [section.within for section in source.sections] == ["f", "", ""]
    source = cut("def f():\n    pass\n\n    # indented\n")
    assert source.definitions[0].last == 4
    source = cut("def f():\n    pass\n# not indented\n")
    assert source.definitions[0].last == 2
    source = cut("def f():\n    pass\n    # of f\n\n# of the module\n")
    assert [(section.prose, section.within) for section in source.sections[1:]] == [((3, 4), "f"), ((5,), "")]


def test_a_docstring_after_a_comment_has_a_row_of_its_own() -> None:
    assert rows(cut('# comment\n"""doc"""\nx = 1\n')) == [
        ("module", ["comment"], []),
        ("module:doc", ["doc"], ["x = 1"]),
    ]
    source = cut('def f():\n    #\n    """doc"""\n')
    assert [section.name for section in source.sections] == ["f", "f-2", "f:doc"]
    assert [(section.prose, section.code) for section in source.sections] == [
        ((), (1,)),
        ((2,), ()),
        ((3,), ()),
    ]


def test_a_docstring_that_shares_its_lines_is_code() -> None:
    assert rows(cut('"""doc"""; x = 1\n')) == [("module", [], ['"""doc"""; x = 1'])]
    assert rows(cut('"""a\nb"""; x = 1\n')) == [("module", ["a"], ['b"""; x = 1'])]
    assert rows(cut('def f(a=\n"x"): "doc"\n')) == [("f", [], ["def f(a=", '"x"): "doc"'])]
    assert rows(cut('"a" "b"\n')) == [("module", [], ['"a" "b"'])]


def test_a_docstring_below_a_directive_is_in_its_row() -> None:
    (section,) = cut('#!/usr/bin/env python\n"""doc"""\nx = 1\n').sections
    assert (section.prose, section.code) == ((2,), (1, 3))


def test_slug() -> None:
    assert slug("_private_ of `__init__`") == "private_-of-__init"
    assert slug("a" * 47 + " b") == "a" * 47
    assert slug("a" * 50) == "a" * 48
    assert slug("## Why `it` *helps*, and when: a long story") == "why-it-helps-and-when-a"
    assert slug("残差 块") == "残差-块"
    assert slug("$$$") == ""
    assert unused_name("a", {"a", "a-2"}, {}) == "a-3"


def test_sections_are_frozen() -> None:
    section = cut("x = 1\n").sections[0]
    assert isinstance(section, Section)
    with pytest.raises(AttributeError):
        section.name = "y"  # type: ignore[misc]
