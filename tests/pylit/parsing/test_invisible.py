"""Nothing hides in code: what readers would not see is marked and told, and so are names that look like others."""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from pathlib import Path

import pytest
from conftest import Write
from rendering import site

from pylit.builder.builder import build
from pylit.errors import Problem, Report, Severity
from pylit.i18n.catalog import misfits
from pylit.parsing.invisible import hidden_characters, show_hidden, suspicion, unwanted_characters
from pylit.parsing.lookalikes import find_lookalikes
from pylit.parsing.syntax import python_tokens
from pylit.rendering.code_html import highlight
from pylit.site.page import render_page

SUSPECT = [
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063"
    "\u2064\ufeff\u00ad\u034f\u061c\u115f\u1160\u180e\u2028\u2029\u2800\u3164\uffa0\ufe00\ufe0f\U000e0100\U000e0041\x1b",
    *"\ufff0\U00013430\U00016fe4\U0001bca0\U000e0080\U000e01f0",
    "\x08",
    "\x0b",
    "\x7f",
    "\x85",
]


def of_page(write: Write, tmp_path: Path, text: str, file: str = "pkg/a.py") -> tuple[str, list[Problem]]:
    """The rows of a module or guide as HTML, and what is wrong with it."""
    write(file, text)
    found, report = site(tmp_path), Report()
    view = render_page(found, found.pages[0], "en", report)
    assert view
    return "".join(str(row.prose) + "".join(line.html for line in row.code) for row in view.body.rows), [
        *report.problems
    ]


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_what_is_shown_is_what_runs(write: Write, tmp_path: Path) -> None:
    """The example of the paper that found it, CVE-2021-42574."""
    line = 'if access != "user\u202e \u2066# Check if admin\u2069 \u2066":'
    html, problems = of_page(write, tmp_path, f'access = "user"\n{line}\n    print("You are an admin.")\n')
    mark = '<span class="cp" dir="ltr" data-cp="U+202E" title="U+202E RIGHT-TO-LEFT OVERRIDE">&#x202E;</span>'
    assert mark in html
    assert re.findall('data-cp="([^"]*)"', html) == ["U+202E", "U+2066", "U+2069", "U+2066"]
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", html)
    assert line in text_of(html)
    (problem,) = problems
    assert (problem.file, problem.line, problem.severity) == ("pkg/a.py", 2, Severity.WARNING)
    assert "U+202E RIGHT-TO-LEFT OVERRIDE, U+2066 LEFT-TO-RIGHT ISOLATE" in problem.message


@pytest.mark.parametrize("character", SUSPECT, ids=lambda c: f"U+{ord(c):04X}")
def test_every_character_that_nobody_sees_is_marked_wherever_code_stands(
    character: str, write: Write, tmp_path: Path
) -> None:
    code = f"U+{ord(character):04X}"
    text = (
        f'r"""\nInline `a{character}b`.\n\n```python\nx = 1\ny = "a{character}b"\n```\n\n~~~\na{character}b\n~~~\n\n'
        f'>>> "a{character}b"\n"""\n\nz = "a{character}b"  # a{character}b\n'
    )
    html, problems = of_page(write, tmp_path, text)
    marks = re.findall(r'<span class="cp" dir="ltr" data-cp="([^"]*)" title="([^"]*)">', html)
    assert [mark for mark, _ in marks] == [code] * 6
    assert all(title.startswith(code) for _, title in marks)
    assert text_of(html).count(f"a{character}b") == 6
    assert sorted(problem.line for problem in problems) == [2, 6, 10, 13, 16]
    assert all(problem.severity is Severity.WARNING and code in problem.message for problem in problems)


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d🔬",
        "👩🏽\u200d🚀",
        "🏳\ufe0f\u200d🌈",
        "🏳\ufe0f\u200d⚧\ufe0f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "می\u200cخواهم",
        "नि\u200dत",
        "ක්\u200dෂ",
        "שלום\u200f!",
        "\u061cالعربية",
        "ᠮ\u180bᠣ",
        "⚠\ufe0f 1\ufe0f\u20e3 ℹ\ufe0f ©\ufe0e ≨\ufe00 葛\U000e0100",
    ],
)
def test_what_a_script_or_an_emoji_needs_is_no_reason_to_warn(text: str) -> None:
    assert suspicion(f'"{text}"') == ""
    assert text_of(highlight(text, "python")) == text
    assert unwanted_characters(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "a\u200db",
        "a\u200cb",
        "👩\u200da",
        "user\u200f",
        "a\ufe0f",
        "x\ufe00\ufe01",
        "😀\ufe0f\ufe0e",
        "a\U000e0100",
        "\U000e0068\U000e0069",
        "\U0001f3f4\U000e0067",
        "a\u180bb",
        "1\ufe0fx",
        "\u200d",
        "\ufe0f",
        "\ufeff",
    ],
)
def test_the_same_characters_elsewhere_are(text: str) -> None:
    assert suspicion(text)


def test_emoji_are_shown_as_they_are_and_joiners_are_marked() -> None:
    assert "cp" not in highlight("⚠\ufe0f 葛\U000e0100", "text")
    assert highlight("👩\u200d🔬", "text").count('data-cp="U+200D"') == 1


def test_ordinary_text_has_nothing_hidden() -> None:
    text = "a\tb\n\x0c é ñ 残差 αβγ עברית العربية हिन्दी ไทย 한국어 \N{NO-BREAK SPACE}–“” 😀"
    assert list(hidden_characters(text)) == []
    assert show_hidden(text) is text
    assert highlight(text, "text") == text


def test_where_nothing_can_be_marked_the_number_stands(write: Write, tmp_path: Path) -> None:
    assert show_hidden("a\u202eb") == "aU+202Eb"
    write("pkg/a.py", '"""# T"""\n\n\ndef ㅤ():\n    """Do it."""\n\n\ndef g():\n    ㅤ()\n')
    build(site(tmp_path), tmp_path / "out", jobs=1)
    page = (tmp_path / "out/a.html").read_text("utf-8")
    assert '<a href="#\u1160"><code translate="no">U+1160</code></a>' in page  # in the table of contents
    assert 'aria-label="Link to this part: U+1160"' in page


def test_every_mark_has_a_name() -> None:
    for character in SUSPECT:
        (found,) = hidden_characters(f"a{character}b")
        assert found.name.startswith(f"U+{ord(character):04X}")
        assert unicodedata.name(character, "") in found.name


def test_lines_that_python_does_not_read_too(write: Write, tmp_path: Path) -> None:
    _, problems = of_page(write, tmp_path, "# %% Cell\nx = 1\n!rm \u202etxt.a\n")
    assert [(p.file, p.line) for p in problems] == [("pkg/a.py", 3)]


def test_guides_too(write: Write, tmp_path: Path) -> None:
    _, problems = of_page(write, tmp_path, "# T\n\n* item\n\n  ```\n  a\n  \u202eb\n  ```\n", "pkg/a.md")
    assert [(p.file, p.line) for p in problems] == [("pkg/a.md", 7)]


@pytest.mark.parametrize(
    "character", ["\u202e", "\u2066", "\u200b", "\ufeff", "\u3164", "\uffa0", "\U000e0041", "\ue000"]
)
def test_translations_have_none_that_no_language_needs(character: str) -> None:
    assert misfits("a", f"b{character}") == [f"has the invisible character U+{ord(character):04X}"]


@pytest.mark.parametrize("text", ["می\u200cخواهم", "Donau\u00addampf", "\u200fא!", "👩\u200d🔬 ⚠\ufe0f"])
def test_translations_may_have_what_their_language_needs(text: str) -> None:
    assert misfits("a", text) == []


def looks(code: str) -> list[tuple[int, str]]:
    return list(find_lookalikes(python_tokens(code)))


@pytest.mark.parametrize(
    ("code", "line", "message"),
    [
        (
            "x = 1\nаccess = 2\n",
            2,
            "the name `аccess` is written in CYRILLIC and LATIN letters: it has U+0430",
        ),
        (
            "scope = 1\nѕсоре = 2\n",
            2,
            "the name `ѕсоре` looks like `scope` but is different: it has U+0455",
        ),
        ("def Αlpha(): pass\n", 1, "the name `Αlpha` is written in GREEK and LATIN letters: it has U+0391"),
        ("A = 1\nΑ = 2\n", 2, "the name `Α` looks like `A` but is different"),
        ("x.pаss_word(y)\n", 1, "the name `pаss_word` is written in CYRILLIC and LATIN letters"),
        ("def f(*, idх): pass\n", 1, "the name `idх` is written in"),
        (
            "aא = 1\n",
            1,
            "the name `aא` is written in HEBREW and LATIN letters: it has U+05D0 HEBREW LETTER ALEF",
        ),
    ],
)
def test_names_that_look_like_others(code: str, line: int, message: str) -> None:
    ((where, what),) = looks(code)
    assert where == line and what.startswith(message)


@pytest.mark.parametrize(
    "code",
    [
        "Δx = σ_x + α2 * dθ - λ_max\n",
        "残差x = 重みW + ひらカタ + 변수y + 々a\n",
        "переменная = 1\n",
        "ａccess = access = 1\n",  # Python takes both for one
        "𝐱 = x = ℏ\n",
        "naïve = é = ﬁ\n",
        "s = 'аccess'  # аccess\n",
    ],
)
def test_names_that_nobody_takes_for_others(code: str) -> None:
    assert looks(code) == []


def test_a_name_is_told_once_on_its_page(write: Write, tmp_path: Path) -> None:
    _, problems = of_page(write, tmp_path, "аb = 1\nаb\nx = аb\n")
    assert [(p.line, p.severity) for p in problems] == [(1, Severity.WARNING)]
