"""Grows each construct of each grammar that is read, and measures what becomes of it.

A grammar is an action, which takes a text and gives back all that was made of it, messages included, and the constructs
that texts can be made of, each a function of a size in characters. As a script, this file is the process in which
enormous ones are tried.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pylit.errors import PylitError, Report
from pylit.figures.data import parse_record
from pylit.i18n.catalog import parse_catalog
from pylit.i18n.glossary import parse_glossary
from pylit.parsing.figure_spec import FigureError, parse_figure
from pylit.parsing.markdown import plain_text
from pylit.parsing.source import parse_markdown
from pylit.rendering.images import PictureError, inline_svg, tie
from pylit.site.discovery import find_pages
from pylit.site.page import render_notebook, render_page
from pylit.site.settings import Settings
from pylit.site.templates import document
from pylit.tracing.format import NoTraceError, parse_trace

Make = Callable[[int], str]
SECONDS = 40
"""Of the processor's time for one enormous text. Linear work takes a few, and what is worse takes minutes and more."""


class Grammar(NamedTuple):
    """What can be grown, and what is done with it."""

    act: Callable[[str], str]
    constructs: Mapping[str, Make]
    size: int = 1500
    """Characters of a text whose work is counted."""
    enormous: int = 1_000_000
    """Characters of a text that is enormous."""
    skipped: Collection[str] = ()
    """Constructs that are counted alone, as all that is done with them are calls."""

    @property
    def tried(self) -> list[str]:
        """The constructs of which enormous texts are made."""
        return [name for name in self.constructs if name not in self.skipped]


def again(piece: str, before: str = "", after: str = "") -> Make:
    """One piece again and again."""
    return lambda n: before + piece * (n // len(piece)) + after


def numbered(piece: str, before: str = "", after: str = "") -> Make:
    """One piece again and again, with a number each for `#`."""

    def make(n: int) -> str:
        return before + "".join(piece.replace("#", str(i)) for i in range(n // (len(piece) + 3))) + after

    return make


def nested(opening: str, closing: str, before: str = "", after: str = "") -> Make:
    """One piece in itself."""

    def make(n: int) -> str:
        count = n // len(opening + closing)
        return before + opening * count + "a" + closing * count + after

    return make


def in_page(name: str) -> Callable[[str], str]:
    """Make a page of a file and its notebook."""

    def act(text: str) -> str:
        with TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_text(text, "utf-8")
            report = Report()
            settings = Settings(base=path.parent, roots=((name, ""),), notebooks=True)
            site = find_pages(settings)
            view = render_page(site, site.pages[0], "en", report)
            html = document(view) if view else ""
            other = Report()
            book = render_notebook(site, site.pages[0], "en", other) if name.endswith(".py") else ""
            return html + book + "".join(map(str, report.problems))

    return act


def in_module(text: str) -> str:
    return in_page("a.py")(text)


def in_guide(text: str) -> str:
    return in_page("a.md")(f"# T\n\n{text}\n")


def tried(parse: Callable[[str], object]) -> Callable[[str], str]:
    """What `parse` gives or says is wrong."""

    def act(text: str) -> str:
        try:
            return str(parse(text))
        except (PylitError, FigureError, PictureError, NoTraceError) as error:
            return str(error)

    return act


def inlined(text: str) -> str:
    """A drawing with its parts tied to names."""
    return tie(inline_svg(text.encode(), "a"), lambda target: ("data-n", target))


HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
ENTRY = 'msgid "a"\nmsgstr "b"\n'
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
FIELD = '{"in":"f","line":1,"code":"x","tensors":{"a":["1"]}},'
FLAG = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
"""That of England, of characters that nobody sees by themselves."""
PLURAL = HEADER.replace('"\n\n', '"\n"Plural-Forms: nplurals=2; plural=')

WORDS = [
    *"()[]<>&$`*_~\\!'\"|-=#+",
    *[
        "](",
        "![",
        "[a](",
        "[a]()",
        "[a][b]",
        "[a]: ",
        "$$",
        "$a$(",
        "($a$)",
        "(a$",
        "\\(",
        "\\[",
        "\\$",
        "**a *b ",
    ],
    *[
        "*a_",
        "~~a ",
        "` ``",
        "<!--",
        "<?",
        "<![CDATA[",
        "<a ",
        "<a b='",
        "<b",
        "<b>",
        "</b>",
        "<a@b.c>",
        "<https://",
    ],
    *[
        "&amp;",
        "&#1",
        "a  \n",
        "\\\n",
        "\t",
        " ",
        "a ",
        "1 % ",
        "残",
        "\u200b",
        "'a ",
        "[a](b '",
        "[a](<",
        "`a` ",
    ],
    *[
        "> a\n",
        "* a\n",
        "1. a\n",
        "* > ",
        "    a\n",
        "    a\n\n",
        "---\n\n",
        "## a\n\n",
        "a\n=\n\n",
        "```\n",
        "$$\n",
    ],
    *[
        "$$a\n",
        "* $$\n",
        "> $$\n",
        ">>> a\n",
        "a|b\n--\n",
        "[a]: b\n",
        "[a\n",
        "<div>",
        "<div>\n\n",
        "<b><i>\n\n",
    ],
    *[
        "<!--\n\n",
        "<p>",
        "</p>",
        "<details>\n\na\n\n",
        "<b></b>",
        "<b><i></b></i>",
        "```a\na\n```\n\n",
        "\\begin{a}",
    ],
]
MARKDOWN = {
    **{repr(word): again(word) for word in WORDS},
    "words and an opening bracket": again("(", after=" a $x$"),
    "brackets before a formula": again("(", after="$x$"),
    "brackets after a formula": again(")", before="$x$"),
    "formatting elements and paragraphs": lambda n: "<div>" + "<b a=1><i>" * (n // 20) + "<p>" * (n // 6),
    "formatting elements of many kinds": lambda n: (
        "<div>" + "".join(f"<b a={i}>" for i in range(n // 24)) + "<p>" * (n // 6)
    ),
    "formatting elements in tables": lambda n: "<table>" + "<b>x" * (n // 8) + "<tr>x" * (n // 10),
    "tags in words": nested("<b>", "</b>", "a "),
    "quotes in tags": again('<a "<a" ', "<div>", "'>"),
    "emphasis in emphasis": nested("*a ", " b*"),
    "emphasis of two kinds": nested("*a _", "b_ c*"),
    "runs of emphasis": nested("*", "*"),
    "brackets in brackets": nested("[", "]"),
    "links in links": nested("[", "](b)"),
    "pictures in pictures": nested("![", "](b)"),
    "backticks of rising lengths": lambda n: " ".join("`" * i for i in range(1, int((2 * n) ** 0.5))),
    "a long definition, often used": lambda n: f"[a]: https://a.b/{'c' * (n // 2)}\n\n" + "[a] " * (n // 8),
    "a long title, often used": lambda n: f"[a]: https://a.b '{'c' * (n // 2)}'\n\n" + "[a] " * (n // 8),
    "definitions": numbered("[a#]: b\n"),
    "footnotes": numbered("[^#]: b\n\nx[^#]\n\n"),
    "lists in lists": lambda n: "".join("  " * i + "* a\n" for i in range(int(n**0.5))),
    "lists on a line": nested("* ", ""),
    "quotes on a line": nested(">", ""),
    "lines of deep quotes": again(">" * 15 + "a\n"),
    "columns": lambda n: "|a" * (n // 4) + "|\n" + "|-" * (n // 4) + "|\n",
    "rows": again("|a|b|\n", "|a|b|\n|-|-|\n"),
    "headings": numbered("## a#\n\n"),
    "links that lead nowhere": numbered("[a](b#.py) "),
    "anchors that lead nowhere": numbered("## b#\n\n[a](#c) [a](\\#d#)\n\n"),
    "links to lines": numbered("[a](\\#L#) "),
    "a long word": again("a"),
    "a long address": again("a", "[a](https://b.c/", ")"),
    "a long address of odd letters": again("残", "[a](https://b.c/", ")"),
    "a long line number": again("1", "[a](#L", ")"),
    "a long heading": again("a ", "## "),
    "a long listing": again("a\n", "```csharp\n", "```"),
    "a long piece of code": again("'a ", "`", "`"),
    "names in code": again("a.", "`", "b`"),
    "many wrong formulas": numbered("$a_{#$ "),
    "a long formula": again("x", "$", "$"),
    "charts that are wrong": again("```chart\n```\n\n"),
    "flags in code": again(FLAG, "`", "`"),
    "flags in a listing": again(FLAG, "```\n", "\n```"),
    "hidden characters in code": again("\u200b", "`", "`"),
    "HTML attributes": numbered("a#=1 ", "<div ", ">"),
    "attributes of a tag in words": numbered("a#=1 ", "b <b ", ">c</b>"),
    "attributes without quotes that end": again('a="', "b <b ", ">c</b>"),
    "quotes in attributes": again("a=' b=\" ", "<div ", ">"),
    "headings in HTML": numbered("<h2>a#</h2>\n"),
    "headings in HTML without an end": again("<h2>a "),
    "headings in HTML tables": again("<h2>a</h2>", "<table><tr><td>"),
    "comments in headings": again("<!-- ", "<h2>a", "</h2>"),
    "blocks that others close": nested("<div>\n\n", "</div>\n\n"),
    "blocks of HTML that nothing closes": again("<div><p>\n\n"),
    "blocks of HTML that nothing opens": again("</div></p>\n\n"),
    "blocks of several elements": again("<div><section><details>\n\n</p></div>\n\n"),
    "anchors in words": numbered('a <a id="b#"></a> '),
    "one anchor in words": again('a <a id="b"></a> '),
    "anchors in blocks": numbered('<div id="b#"></div>\n\n'),
    "links in HTML": again('<a href="https://b.c">d</a> '),
    "links in links of HTML": again('<a href="https://b.c">', "<div>"),
    "pictures in HTML": again('<img src="b.png" alt="c">', "<p>"),
    "sources of pictures": again('<source media="(prefers-color-scheme: dark)" srcset="a">', "<picture>"),
    "long sources of a picture": again("a, ", '<picture><source media="x" srcset="', '"><img src=b>'),
    "pictures before the title": again("![a](b) "),
    "placeholders": again("\ue0000\ue001", "<p>"),
    "labels": numbered("$$a \\label{b#}$$\n\n"),
    "labels in one formula": numbered("\\label{b#}", "$$a ", "$$"),
    "references to one label": again("\\eqref{b} ", "$$a \\label{b}$$\n\n"),
    "references to nothing": numbered("\\eqref{b#} "),
    "references in formulas": again("$a = \\ref{b}$ ", "$$a \\label{b}$$\n\n"),
    "rows with numbers": again("a &= b \\\\\n", "\\begin{align}\n", "c \\label{d}\\end{align}"),
    "environments": again("\\begin{align}a\\end{align}\n\n", "$$a \\label{b}$$\n\n"),
    "environments without an end": again("\\begin{align}", "$$a \\label{b}", "$$"),
    "environments that KaTeX lacks": again("\\begin{multline}a\\end{multline}\n\n"),
    "braces after a tag": again("{", "$$\\tag", "$$\n\n$$a \\label{b}$$"),
    "macros": numbered("$\\def\\a{b_{#}} \\a$ "),
    "a macro that is often used": again("\\a", "$\\def\\a{b}", "$"),
    "a macro that uses itself": again("$\\a$ ", "$\\def\\a{\\a\\a}$ "),
    "a macro of macros": again("\\a\\a", "$\\def\\a{b}\\def\\c{", "}$ $\\c$"),
    "a long macro": again("b", "$\\def\\a{", "}$ $\\a$"),
    "arguments of a macro": again("{a}", "$\\newcommand\\c[2][b]{#1#2} \\c", "$"),
    "a macro without an end": again("\\newcommand{\\a}{", "$", "$"),
    "brackets of a macro": again("[", "$\\newcommand{\\a}", "{b}$"),
    "macros of some formulas": again("$\\E x$ ", "$\\newcommand{\\E}[1]{\\mathbb{E}[#1]}$ "),
}
YAML = {
    "a long title": again("a ", "title: "),
    "a title of brackets": again("[", "title: '", "'"),
    "a title of emphasis": again("*a _b", "title: '", "'"),
    "lists in a line": again("[", "title: "),
    "lists in lists": again("- ", "title:\n  "),
    "symbols": numbered("  a_{#}: b\n", "symbols:\n"),
    "macros": numbered("  a#: b\n", "macros:\n"),
    "braces of a macro": again("{", "macros:\n  a: '", "'\n"),
    "parameters of a macro": again("#1", "macros:\n  a: '[1][b]{", "}'\n"),
    "unknown keys": numbered("a#: b\n"),
    "a long key": again("a", after=": b"),
    "one key": again("title: a\n"),
    "aliases": again("*a, ", "title: &a b\nsummary: [", "]"),
    "aliases of aliases": numbered("a#: &a# [*a, *a]\n", "a: &a b\n"),
    "merged mappings": again("<<: *a\n", "a: &a {b: c}\n"),
    "anchors": numbered("a#: &a# b\n"),
    "escapes": again("\\u0041", 'title: "', '"'),
    "quotes": again("''", "title: '", "'"),
    "spaces": again(" ", "title:", "a"),
    "lines": again(" a\n", "summary: |\n"),
    "comments": again("# a\n"),
    "questions": again("? "),
    "documents": again("--- a\n"),
    "colons": again("a:", "title: "),
    "tags": again("a", "title: !", " b"),
    "mappings in a line": again("{a: ", "title: "),
    "lines of a chart": again("- {label: a, data: b, x: c, y: d}\n", "caption: a\nx: b\ny: c\nlines:\n"),
    "columns of a table": numbered("- {head: a#, value: b}\n", "rows: a\ncolumns:\n"),
}
CATALOG = {
    "entries": numbered('msgid "a#"\nmsgstr "b"\n\n', HEADER),
    "one entry": again(f"{ENTRY}\n", HEADER),
    "lines of a translation": again('"b"\n', f'{HEADER}msgid "a"\nmsgstr ""\n'),
    "lines of an original": again('"b"\n', f'{HEADER}msgid ""\n', 'msgstr "c"\n'),
    "comments": again("# a\n", HEADER, ENTRY),
    "references": numbered("#: a:#\n", HEADER, ENTRY),
    "references on a line": again("a:1 ", f"{HEADER}#: ", f"\n{ENTRY}"),
    "flags": again("a, ", f"{HEADER}#, ", f"\n{ENTRY}"),
    "previous originals": again('#| msgid "a"\n', HEADER, f"#, fuzzy\n{ENTRY}"),
    "lines of a previous original": again('#| "a"\n', f'{HEADER}#, fuzzy\n#| msgid ""\n', ENTRY),
    "obsolete entries": numbered('#~ msgid "a#"\n#~ msgstr "b"\n\n', HEADER),
    "fields of the header": numbered('"X-#: a\\n"\n', HEADER[:-1], f"\n{ENTRY}"),
    "parts of a field": again("; a=b", 'msgid ""\nmsgstr ""\n"Content-Type: text/plain', f'\\n"\n\n{ENTRY}'),
    "plural forms": again("(", PLURAL, f'\\n"\n\n{ENTRY}'),
    "a sum of plural forms": again("+n", PLURAL + "n", f';\\n"\n\n{ENTRY}'),
    "a date": again("1", 'msgid ""\nmsgstr ""\n"POT-Creation-Date: ', f'\\n"\n\n{ENTRY}'),
    "escapes": again("\\n", f'{HEADER}msgid "a"\nmsgstr "', '"\n'),
    "a string that does not end": again('\\"', f'{HEADER}msgid "a"\nmsgstr "', "\n"),
    "strings on a line": again('" "', f'{HEADER}msgid "a"\nmsgstr "', '"\n'),
    "spaces": again(" ", f'{HEADER}msgid "a"\nmsgstr "b"', "x\n"),
    "pieces of code that are lost": numbered("`a#` ", f'{HEADER}msgid "', '"\nmsgstr "b"\n'),
    "brackets": again("[", f'{HEADER}msgid "a"\nmsgstr "', '"\n'),
    "blank lines": again("\n", HEADER),
    "flags of a country": again(FLAG, f'{HEADER}msgid "a"\nmsgstr "', '"\n'),
}
GLOSSARY = {
    "terms": numbered("- {term: a#, use: [b]}\n"),
    "renderings": again("b, ", "- term: a\n  use: [", "]\n"),
    "wrong renderings": again("  - c\n", "- term: a\n  use: b\n  never:\n"),
    "reasons": again("c ", "- term: a\n  use: b\n  why: "),
    "lists": again("- "),
    "lists in a line": again("["),
    "aliases": again("*a, ", "- term: &a b\n  use: [", "]\n"),
}
RECORD = {
    "numbers": again("1,", "[", "1]"),
    "lists": again("["),
    "lists that end": nested("[", "]"),
    "mappings": again('{"a":'),
    "keys": numbered('"a#":1,', "{", '"b":1}'),
    "one key": again('"a":1,', "{", '"b":1}'),
    "digits": again("1"),
    "digits of an exponent": again("9", "1e"),
    "digits of a fraction": again("1", "0."),
    "spaces": again(" "),
    "escapes": again("\\u0041", '"', '"'),
    "a string that does not end": again("a", '"'),
}
DRAWING = {
    "groups in groups": nested("<g>", "</g>", SVG, "</svg>"),
    "groups": again("<g/>", SVG, "</svg>"),
    "titles": again("<title/>", SVG, "</svg>"),
    "points": again("M0 0", f'{SVG}<path d="', '"/></svg>'),
    "attributes": numbered('aria-a="b" ', f"{SVG}<g ", "/></svg>"),
    "an attribute that is not allowed": again("b", f'{SVG}<g a="', '"/></svg>'),
    "addresses": again("url(", f'{SVG}<g fill="', '"/></svg>'),
    "addresses of parts": again("url(#a)", f'{SVG}<g fill="', '"/></svg>'),
    "numbers of the viewBox": again("0 ", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="', '"/>'),
    "digits of the viewBox": again("0", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 ', '"/>'),
    "references to characters": again("&#65;", f"{SVG}<text>", "</text></svg>"),
    "entities": numbered('<!ENTITY a# "&a;&a;">', '<!DOCTYPE svg [<!ENTITY a "b">', f"]>{SVG}</svg>"),
    "comments": again("<!-- a -->", SVG, "</svg>"),
    "namespaces": numbered('<g xmlns:a#="b#"/>', SVG, "</svg>"),
    "uses": again('<use href="#a"/>', SVG, "</svg>"),
    "names": again("a", f"{SVG}<", "/></svg>"),
    "parts that are tied": again('<g data-of="a"/>', SVG, "</svg>"),
    "what a part is tied to": again("a ", f'{SVG}<g data-of="', '"/></svg>'),
    "words that look tied": again(' data-of="', f"{SVG}<text>", "</text></svg>"),
}
TRACE = {
    "lines": again(FIELD, '{"lines":[', f"{FIELD[:-1]}]}}"),
    "shapes": again('"1",', '{"lines":[' + FIELD[:-6], '"1"]}}]}'),
    "lists": again("[", '{"lines":'),
    "digits": again("1", '{"lines":[{"line":', "}]}"),
}
PYTHON = {
    "dots": again("a.", "import ", "b\n"),
    "dots of a relative import": again(".", "from ", " import a\n"),
    "names in prose": again("* `a.b.c`\n", '"""\n# T\n\n', '"""\n'),
    "pictures on other servers": again("![a](https://a.b/c.png) ", '"""\n# T\n\n', '"""\n'),
    "items that are no parameters": numbered(
        "    * `b#` is b\n",
        f'def f({", ".join(f"a{i}" for i in range(99))}):\n    """Do it.\n\n',
        '    """\n',
    ),
    "definitions of one name": again('def f():\n    """a"""\n'),
    "classes": numbered("class A#(A): pass\n"),
    "attributes": numbered("        self.a# = 1\n", "class A:\n    def __init__(self):\n"),
    "strings on a line": again("'a' ", "x = (", ")\n"),
    "escapes": again("\\n", "x = '", "'\n"),
    "signs of percent": again("%(", "x = '", "'\n"),
    "braces": again("{a[", "x = '", "'\n"),
    "spaces": again(" ", "x = '%", "'\n"),
    "continued lines": again("\\\n", "x = ", "1\n"),
    "tabs in a comment": again("\t", "# ", "a\n"),
    "form feeds": again("\f\n"),
    "comments in brackets": again("# a\n1,\n", "x = [\n", "]\n"),
    "dollars in prose": again("$a$ $ ", '"""\n# T\n\n', '\n"""\n'),
    "backticks in prose": again("`", '"""\n# T\n\na ', '\n"""\n'),
    "statements": again("a;"),
    "a long default, often shown": lambda n: f"def f(a='{'b' * (n // 2)}'): ...\n" + "f()\n" * (n // 8),
    "a long sentence, often shown": lambda n: f'def f():\n    """{"a " * (n // 4)}"""\n' + "f()\n" * (n // 8),
    "parameters that are often shown": lambda n: (
        f"def f({', '.join(f'a{i}' for i in range(n // 16))}): ...\n" + "f()\n" * (n // 8)
    ),
    "a long name": lambda n: f"class {'a' * (n // 2)}:\n" + "    # B\n    x = 1\n" * (n // 36),
    "a name in long names": lambda n: (
        "".join(f"{' ' * i}class {'a' * (n // 80)}:\n" for i in range(40)) + " " * 40 + "x = 1\n"
    ),
}

MARIMO = "import marimo\napp = marimo.App()\n"
SCRIPT = {
    "marks of cells": numbered("# %% a#\nx\n"),
    "marks alone": again("# %%\n"),
    "a long mark": again("a=", "# %% ", "\nx = 1\n"),
    "cells of prose": numbered("# %% [markdown]\n# # a#\n"),
    "strings in cells of prose": again('# %% [markdown]\n"""a"""\n'),
    "light cells": again("# +\nx\n# -\n"),
    "lines of a header": again("# a\n", "# ---\n# jupyter:\n", "# ---\n"),
    "a header without an end": again("# a\n", "# ---\n# jupyter:\n"),
    "what nbconvert writes": numbered("# In[#]:\n\n# a\nx\n\n# b\n"),
    "cells of Databricks": again("# COMMAND ----------\n# MAGIC %md a\n", "# Databricks notebook source\n"),
    "regions": again("# region a\nx\n# endregion\n"),
    "rules of a gallery": again("#" * 30 + "\n# a\n# -\nx\n", '"""\nT\n=\n"""\n'),
    "magics in comments": again("# %time x\n# !ls\n", "# %%\n"),
    "cells of magics in comments": again("# %%bash\n# x\nx\n", "# %%\n"),
    "magics": again("%time x\n!ls\nx?\n", "%a\n"),
    "cells of magics": again("%%bash\nx y\n# %%\n", "%a\n"),
    "brackets before magics": again("(", "%a\nx = '", "'\n"),
    "quotes before magics": again("'a' ", "%a\nx = (", ")\n"),
    "magics in brackets": again("%a\n", "%b\nx = (\n", ")\n"),
    "cells of marimo": numbered("@app.cell\ndef a#(mo):\n    mo.md('a')\n    return\n", MARIMO),
    "prose of marimo": again("a ", f"{MARIMO}@app.cell\ndef a(mo):\n    mo.md('", "')\n    return\n"),
    "names in prose of marimo": again(
        "`{a}$ ", f"{MARIMO}@app.cell\ndef a(mo):\n    mo.md(f'", "')\n    return\n"
    ),
    "pragmas": again("# noqa: E501\n"),
    "pragmas of lines": again("x  # noqa # type: ignore\n"),
    "lines of a licence": again("# a copyright license\n"),
    "paragraphs of a licence": again("# Copyright 2024 A\n#\n# b\n#\n"),
    "lines below a licence": again("#\n", "# Copyright 2024 A\n"),
    "lines above a licence": again("#\n", after="# Copyright 2024 A\n"),
    "scripts of PEP 723": again("# /// script\n"),
    "rules": again("# ----\n"),
    "boxes": again("####\n# a #\n####\n"),
    "boxes in a row": again("####\n# a #\n"),
    "a long rule": again("-", "# ", "\n"),
    "a long rule of pairs": again("-=", "# ", "a\n"),
    "rules with words": again("# --- a ---\n"),
    "dead code": again("# x = a(1)\n"),
    "dead code that is wrong": again("# x = a(\n"),
    "dead code and words": again("# x = a(1)\n# some words\n"),
    "dead brackets": again("(", "# x = a", "\n"),
    "dead calls": again("a(", "# ", "\n"),
    "dead names": again("a,", "# ", "b = c\n"),
    "dead blocks": again("# if a:\n#     b()\n"),
    "dead lists in lists": nested("[", "]", "# x = ", "\n"),
    "directives": again(">>> a  # doctest: +SKIP\n", '"""\n', '"""\n'),
    "examples that are indented": again("    >>> a\n", '"""a\n\nExample:\n', '"""\n'),
    "print, as it was": again("print a\n"),
    "a statement of a newer Python": again("a, ", "type x[", "] = 1\n"),
}
CODE = '{"cell_type":"code","source":"x","outputs":['
OUTPUT = f'{{"cells":[{CODE}{{"output_type":"stream","text":"'
IPYNB = {
    "cells of prose": again('{"cell_type":"markdown","source":["a\\n"]},', '{"cells":[', "{}]}"),
    "cells of code": again(f"{CODE}]}},", '{"cells":[', "{}]}"),
    "lines of code": again("x\\n", '{"cells":[{"cell_type":"code","source":"', '"}]}'),
    "parts of a line": again('"x",', '{"cells":[{"cell_type":"code","source":[', '"x"]}]}'),
    "magics": again("%a\\n", '{"cells":[{"cell_type":"code","source":"', '"}]}'),
    "raw cells": again('{"cell_type":"raw","source":"```"},', '{"cells":[', "{}]}"),
    "headings": again('{"cell_type":"heading","source":"a"},', '{"cells":[', "{}]}"),
    "outputs": again('{"output_type":"stream","text":"a"},', f'{{"cells":[{CODE}', "{}]}]}"),
    "a long output": again("a\\n", OUTPUT, '"}]}]}'),
    "returns": again("\\r", OUTPUT, '"}]}]}'),
    "escapes": again("\\u001b[", OUTPUT, '"}]}]}'),
    "worksheets": again('{"cells":[]},', '{"worksheets":[', '{"cells":[]}]}'),
    "lists": again("[", '{"cells":'),
}
BOXES = {
    "alerts": again("> [!NOTE]\n> a\n\n"),
    "alerts in alerts": again("> [!NOTE]\n> "),
    "boxes": again(":::note\na\n:::\n"),
    "boxes in boxes": nested(":::note\n", ":::\n"),
    "boxes without an end": again(":::note\n"),
    "fences of boxes": again("```{note}\na\n```\n\n"),
    "options of a box": again(":a: b\n", ":::note\n"),
    "ends of boxes": again(":::\n"),
    "a long title of a box": again("*a ", ":::note "),
}
RST = {
    "notes": again(".. note::\n"),
    "notes with a text": again(".. note:: a\n\n   b\n\n"),
    "notes in notes": lambda n: (
        "".join("   " * i + ".. note::\n\n" for i in range(int((n / 3) ** 0.5))) + "a"
    ),
    "directives that are not known": again(".. a:: b\n   c\n\n"),
    "files": again(".. include:: /etc/passwd\n"),
    "formulas": again(".. math:: a\n\n"),
    "pictures": again(".. image:: a.png\n\n"),
    "listings": again("a::\n\n    b\n\n"),
    "roles": again(":class:`~a.b.C` "),
    "roles on lines": again(":math:`a`\n"),
    "roles that are not known": again(":a:`b`\n"),
    "emphasis": again("*a* **b**\n"),
    "emphasis without an end": again("*a\n"),
    "backticks without an end": again("`a ``b\n"),
    "bars": again("|a\n"),
    "a long line": again("*a `b "),
    "links": numbered("`a <b#>`_\n"),
    "links without a target": numbered("a#_\n"),
    "targets": numbered(".. _a#: b\n"),
    "targets of targets": numbered(".. _a#: a_\n"),
    "footnotes": numbered(".. [#a#] b\n\n[#a#]_\n\n"),
    "substitutions": numbered(".. |a#| replace:: |a| |a|\n", ".. |a| replace:: b\n"),
    "a long substitution, often used": lambda n: (
        f".. |a| replace:: {'b ' * (n // 4)}\n\n" + "|a|\n" * (n // 8)
    ),
    "substitutions of substitutions": numbered(".. |a#| replace:: |a#| |a#|\n\n|a#|\n\n"),
    "titles": numbered("a#\n===\n\n"),
    "titles of many styles": again("a\n-\n\nb\n~\n\nc\n^\n\n"),
    "items": again("* a\n"),
    "items with empty lines": again("* a\n\n"),
    "items in items": lambda n: "".join("  " * i + "* a\n\n" for i in range(int(n**0.5))),
    "items on a line": nested("* ", ""),
    "numbers": again("#. a\n"),
    "terms": again("a\n  b\n"),
    "fields": numbered(":param a#: b\n"),
    "fields with a type": numbered(":param int a#: b\n:type a#: c\n"),
    "fields that are not known": numbered(":a#: b\n"),
    "options of a command": again("-a  b\n"),
    "quotes": again("a\n\n  b\n\n"),
    "lines": again("| a\n"),
    "examples": again(">>> a\n\n"),
    "tables": again("=== ===\na   b\n=== ===\n\n"),
    "rows": again("a   b\n", "=== ===\n", "=== ===\n"),
    "a table with lines": again("| a | b |\n+---+---+\n", "+---+---+\n"),
    "a table that is broken": again("| a\n+---+---+\n", "+---+---+\n"),
    "columns": lambda n: "=== " * (n // 12) + "\n" + "a   " * (n // 12) + "\n" + "=== " * (n // 12) + "\n",
    "a table of lists": again("   * - a\n     - b\n", ".. list-table::\n\n"),
    "a table of values": again("   a, b\n", ".. csv-table::\n\n"),
    "comments": again(".. a\n"),
    "escapes": again("\\ a\n"),
    "HTML": again("<b>a</b> &amp;\n"),
    "empty lines": again("\n"),
}
DOCSTRINGS = {
    "parameters": numbered("    a# (int): b\n", "Args:\n"),
    "parameters without a text": numbered("    a#:\n", "Args:\n"),
    "brackets of a type": again("(", "Args:\n    a (", "): b\n"),
    "brackets that close": nested("(", ")", "Args:\n    a (", "): b\n"),
    "names": again("a, ", "Args:\n    ", "b: c\n"),
    "a long name": again("a", "Args:\n    ", ": b\n"),
    "dots of a name": again("a.", "Args:\n    ", "b: c\n"),
    "sections": again("Args:\n    a: b\n"),
    "sections in sections": lambda n: "".join("  " * i + "Args:\n" for i in range(int(n**0.5))),
    "sections without a text": again("Returns:\n", "Args:\n    a: b\n"),
    "lines of a text": again("        b\n", "Args:\n    a: b\n"),
    "lines without a name": again("    b c\n", "Args:\n    a: b\n"),
    "empty lines in a section": again("\n", "Args:\n    a: b\n", "    c: d\n"),
    "colons": again(":", "Returns:\n    a"),
    "quotes": again("` ", "Returns:\n    a", ": b\n"),
    "exceptions": numbered("    a#: b\n", "Raises:\n"),
    "underlined sections": again("Parameters\n----------\na : b\n    c\n\n"),
    "underlined parameters": numbered("a# : int, optional\n    b\n", "Parameters\n----------\n"),
    "sections of the author": numbered("Own#\n----\na\n\n", "Parameters\n----------\na : b\n"),
    "rules of sections": again("----------\n", "Parameters\n"),
    "related names": again("a, ", "See Also\n--------\n", "b : c\n"),
    "related entries": numbered("a# : b\n", "See Also\n--------\n"),
    "examples of a section": again(">>> a\nb\n\n", "Examples\n--------\n"),
    "tabs": again("\ta: b\n", "Args:\n"),
    "signs before a role": again(":", after="a:`b`"),
    "openings of a role": again(":a"),
    "openings of a directive": again(".. a:\n"),
    "underscores": again("a_ "),
    "dollars": again("$a "),
}
PLAIN = {
    "commands": again("\\alpha ", "$", "$"),
    "groups": nested("{", "}", "$", "$"),
    "powers": nested("^{", "}", "$a", "$"),
    "fractions": again("\\frac", "$", "$"),
    "formulas": again("$a_{i}^2$ "),
}


def in_rst(text: str) -> str:
    return in_module(f'r"""\nT\n=\n\n:mod:`a`\n\n{text}\n\n"""\n')


def in_docstring(text: str) -> str:
    lines = "\n".join(f"    {line}" if line else "" for line in text.split("\n"))
    return in_module(f'def f(a, b=1):\n    r"""Do.\n\n{lines}\n\n    """\n    return a\n')


def front_matter(text: str) -> str:
    return str(parse_markdown(f"---\n{text}\n---\nx\n", "a.md").meta)


def figures(text: str) -> str:
    return tried(partial(parse_figure, "chart"))(text) + tried(partial(parse_figure, "table"))(text)


GRAMMARS = {
    "Markdown": Grammar(in_guide, MARKDOWN, enormous=150_000, skipped=[*map(repr, WORDS)]),
    "Python": Grammar(in_module, PYTHON, enormous=50_000),
    "scripts": Grammar(in_module, SCRIPT, enormous=50_000),
    "notebooks": Grammar(in_page("a.ipynb"), IPYNB, enormous=50_000),
    "boxes": Grammar(in_guide, BOXES, enormous=50_000),
    "reStructuredText": Grammar(in_rst, RST, enormous=50_000),
    "docstrings": Grammar(in_docstring, DOCSTRINGS, enormous=50_000),
    "plain text": Grammar(plain_text, PLAIN, enormous=50_000),
    "front matter": Grammar(tried(front_matter), YAML, enormous=100_000),
    "figures": Grammar(figures, YAML, enormous=100_000),
    "catalogs": Grammar(tried(lambda text: parse_catalog(text.encode(), "a.po", "zh").entries), CATALOG),
    "glossaries": Grammar(
        tried(lambda text: parse_glossary(text.encode(), "g.yml")), GLOSSARY, enormous=100_000
    ),
    "records": Grammar(tried(lambda text: parse_record(text.encode(), "a.json")), RECORD),
    "drawings": Grammar(tried(inlined), DRAWING),
    "traces": Grammar(tried(lambda text: parse_trace(text.encode())), TRACE),
}


def main(name: str) -> None:
    """Try enormous texts one after the other, and name each that was done in time."""
    grammar = GRAMMARS[name]
    for construct in grammar.tried:
        text = grammar.constructs[construct](grammar.enormous)
        limit = int(time.process_time()) + SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        print(f"{construct}\t{len(text)}\t{len(grammar.act(text))}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
