r"""Formulas between `\(…\)`, `\[…\]`, `\begin…\end` and dollars, wherever prose may stand; and what is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Write
from counting import work
from notebooks import markdown as notebook_of
from rendering import site
from sampling import thinned

from pylit.errors import Report
from pylit.i18n.blocks import PartKind, blocks, fixed_parts, is_translatable, words
from pylit.i18n.catalog import misfits
from pylit.parsing.markdown import markdown, parse_inline, parse_text
from pylit.parsing.math_delimiters import ENVIRONMENTS, formula_at
from pylit.parsing.model import ProseLine
from pylit.parsing.source import parse_python, parse_source
from pylit.site.page import render_page

ALIGN = r"""\begin{align}
L &= \sum_i x_i \\
  &= y_{a} z_{b}
\end{align}"""

NESTED = r"\begin{matrix}\begin{matrix}1\end{matrix}\end{matrix}"


def parts(text: str) -> list[tuple[str, str]]:
    """All formulas and all other text of `text`, but for white space."""
    found = []
    for token in markdown().parse(text):
        for child in token.children or ([] if token.nesting else [token]):
            kind = {"math_inline": "$", "math_inline_double": "$$", "math_block": "$$"}.get(
                child.type, child.type
            )
            if child.content.strip():
                found.append((kind, " ".join(child.content.split())))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"a \(x^2\), b", [("text", "a "), ("$", "x^2"), ("text", ", b")]),
        (r"\( x \)", [("$", "x")]),
        (r"a \[ y = x_1 \] b", [("text", "a "), ("$$", "y = x_1"), ("text", " b")]),
        ("a \\(x\n+ y\\) b", [("text", "a "), ("$", "x + y"), ("text", " b")]),
        ("\\[\nx\n\\]", [("$$", "x")]),
        ("\\[ x\n- y\n\\]", [("$$", "x - y")]),
        ("\\[\nx\n\n= y\n\\]", [("$$", "x = y")]),
        ("a\n\\[x\\]\nb", [("text", "a"), ("$$", "x"), ("text", "b")]),
        ("see \\[\n- x\n+ y\n> z\n\\].", [("text", "see "), ("$$", "- x + y > z"), ("text", ".")]),
        (ALIGN, [("$$", " ".join(ALIGN.split()))]),
        (f"a\n{ALIGN}\nb", [("text", "a"), ("$$", " ".join(ALIGN.split())), ("text", "b")]),
        (f"{ALIGN}.\nb", [("$$", " ".join(ALIGN.split())), ("text", "."), ("text", "b")]),
        (f"a {ALIGN} b", [("text", "a "), ("$$", " ".join(ALIGN.split())), ("text", " b")]),
        ("\\begin{align}\n- x\n# y\n\\end{align}", [("$$", "\\begin{align} - x # y \\end{align}")]),
        ("a \\begin{align}\n- x\n\\end{align}", [("text", "a "), ("$$", "\\begin{align} - x \\end{align}")]),
        (r"*a \(b*c\) d*", [("text", "a "), ("$", "b*c"), ("text", " d")]),
        (r"[a \(b\)](c)", [("text", "a "), ("$", "b")]),
        (r"# a \(b\)", [("text", "a "), ("$", "b")]),
        ("a \\(b\\)\n===", [("text", "a "), ("$", "b")]),
        ("* a\n\n  \\[\n  b\n  \\]\n* c", [("text", "a"), ("$$", "b"), ("text", "c")]),
        ("* \\begin{align}\n  - b\n  \\end{align} c", [("$$", "\\begin{align} - b \\end{align}"), ("text", " c")]),
        ("> \\[\n> b\n> = c\n> \\]\n\nd", [("$$", "b = c"), ("text", "d")]),
        ("| \\(P(A|B)\\) | b |\n|---|---|\n|c|\\[d\\]|", [("$", "P(A|B)"), ("text", "b"), ("text", "c"), ("$$", "d")]),
        (NESTED, [("$$", NESTED)]),
        (r"\(a \\[4pt] b\)", [("$", r"a \\[4pt] b")]),
        ("\\[a \\\\[4pt]\nb\\]", [("$$", r"a \\[4pt] b")]),
        ("$$a \\\\[4pt]\nb$$", [("$$", r"a \\[4pt] b")]),
        (r"\(open \(x\)", [("text", "(open "), ("$", "x")]),
        (r"$\begin{matrix}1\end{matrix}$", [("$", r"\begin{matrix}1\end{matrix}")]),
        # Text
        (r"a \(b", [("text", "a (b")]),
        (r"a \[b and c", [("text", "a [b and c")]),
        (r"a b\) c\]", [("text", "a b) c]")]),
        ("\\[a\n\nb\\]", [("text", "[a"), ("text", "b]")]),
        (r"\(\) \[ \]", [("text", "() [ ]")]),
        (r"\\(x\\) \\[4pt]", [("text", r"\(x\) \[4pt]")]),
        (r"`\(x\)` `\[y\]`", [("code_inline", r"\(x\)"), ("code_inline", r"\[y\]")]),
        ("```\n\\[x\\]\n```", [("fence", r"\[x\]")]),
        ("a\n\n    \\[x\\]", [("text", "a"), ("code_block", r"\[x\]")]),
        ("\\begin{align}\n\n```\n\\end{align}\n```", [("text", r"\begin{align}"), ("fence", r"\end{align}")]),
        ("* \\begin{align}\n\nb \\end{align}", [("text", r"\begin{align}"), ("text", r"b \end{align}")]),
        (r"\begin{align} x", [("text", r"\begin{align} x")]),
        (r"x \end{align}", [("text", r"x \end{align}")]),
        (r"\begin{itemize} x \end{itemize}", [("text", r"\begin{itemize} x \end{itemize}")]),
        ("`\\(` is first:\n- `\\)`", [("code_inline", "\\("), ("text", "is first:"), ("code_inline", "\\)")]),
    ],
)  # fmt: skip
def test_formulas_and_text(text: str, expected: list[tuple[str, str]]) -> None:
    assert parts(text) == [(kind, " ".join(tex.split())) for kind, tex in expected]


@pytest.mark.parametrize("star", ["", "*"])
@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_every_environment_is_a_formula(name: str, star: str, write: Write, tmp_path: Path) -> None:
    """KaTeX typesets it, or it is an error with its line; it is never text."""
    columns = {
        "array": "{cc}",
        "darray": "{cc}",
        "alignat": "{2}",
        "alignedat": "{2}",
        "IEEEeqnarray": "{rCl}",
    }.get(name, "")
    rows = (
        "a @>b>> c"
        if name == "CD"
        else "a"
        if name in ("equation", "gather", "gathered", "displaymath", "math")
        else r"a & b \\ c & d"
    )
    tex = f"\\begin{{{name}{star}}}{columns}\n{rows}\n\\end{{{name}{star}}}"
    write("pkg/a.py", f'r"""\n# T\n\nWords.\n\n{tex}\n"""\n')
    report = Report()
    found = site(tmp_path)
    view = render_page(found, found.pages[0], "en", report)
    assert view
    html = "".join(str(row.prose) for row in view.body.rows)
    if report.problems:
        (problem,) = report.errors
        assert (problem.file, problem.line) == ("pkg/a.py", 6)
        assert "No such environment" in problem.message
        assert '<code class="wrong">' in html
    else:
        assert '<math display="block">' in html
    assert f"{name}{star}" not in KNOWN or not report.problems


KNOWN = (
    "eqnarray eqnarray* flalign flalign* multline multline* IEEEeqnarray displaymath math"
    " align align* aligned alignat alignat* array bmatrix Bmatrix cases CD dcases equation equation* gather gather*"
    " gathered matrix pmatrix rcases smallmatrix split vmatrix Vmatrix"
).split()


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("Typed: $400 is more than $300.", []),
        ("Bold **35$** amount.", []),
        ("Mixed US$10 or 20$ each.", []),
        ("Writes to $HOME/$USER each day.", []),
        ('Replaces "$name" and "$value" in it.', []),
        ("Set PATH=$HOME/bin:$PATH first.", []),
        ("$HOME$USER ($HOME,$USER) {$a} {$b} '$a','$b'", []),
        ('${HOME}/${USER} "${a}" "${b}" $(pwd)/$(ls)', []),
        ("$5/$10, $5-$10, $1,000–$2,000, <$5 or >$10, ~$5M (~$6M)", []),
        ("list$a$b df$x $A$1:$B$2 $this->$name @$x $_$y", []),
        ("US$5 and CA$6, 5$, 6$", []),
        (r"\$x\$ and \$5", []),
        ("$ x$ $x $ $x $y", []),
        ("$$ $", []),
        ("cost $5 and $6 x $", []),
        (r"of $f(x) \otimes b $ and $ \alpha$, not $\$a $", [r"f(x) \otimes b"]),
        ("$x$ ($y$) “$z$”, $w$.", ["x", "y", "z", "w"]),
        (
            r"H$_2$O at 90$^\circ$, 3$\times$4, 10$^{-3}$ m, but a$_bc$, x$y$, US$.",
            ["_2", r"^\circ", r"\times", "^{-3}"],
        ),
        (
            "the $n$th, the $ij$th, all $x$s, the $(n+1)$st, $k$-NN, $x$'s",
            ["n", "ij", "x", "(n+1)", "k", "x"],
        ),
        ("设$x$为$y$。残差$z$", ["x", "y", "z"]),
        ("$x$는 $y$が", ["x", "y"]),
        (r"$\$5$ $a\\$", [r"\$5", r"a\\"]),
        ("$x$\n$y$", ["x", "y"]),
        ("a $$x$$ b$$y$$", ["x", "y"]),
        ("$P(A|B)$ *$a$* **$b$**_$c$_", ["P(A|B)", "a", "b", "c"]),
    ],
)
def test_dollars(text: str, formulas: list[str]) -> None:
    found = fixed_parts(text).elements()
    assert sorted(part.text for part in found if part.kind is PartKind.FORMULA) == sorted(formulas)


def test_they_are_formulas_in_every_respect() -> None:
    text = r"Here \(x\) and \[y\] stand."
    assert words(text) == "Here \ufffc and \ufffc stand."
    assert misfits(text, r"\[y\] 和 $x$ 在这里。") == []
    assert misfits(text, "这里。") == ["lacks the formula `x`", "lacks the formula `y`"]
    assert misfits("Here.", r"这里 \(x\)。") == ["has the extra formula `x`"]
    assert not is_translatable(r"\(x\), \[y\]")
    source = parse_python(f'r"""\nHere\n\n{ALIGN}\n\n* \\(x\\)\n* a \\(x\ny\\)\n"""\n', "a.py")
    assert [(block.text, block.line) for block in blocks(source)] == [("Here", 2), (r"a \(x y\)", 10)]


@pytest.mark.parametrize("suffix", [".py", ".md"])
def test_on_pages_of_modules_and_guides(suffix: str, write: Write, tmp_path: Path) -> None:
    guide = f"---\nsymbols:\n  x_i: f\n---\n# The \\(t\\)\n\nThe loss is\n\n{ALIGN}\n\nand \\(x^2\\), and \\[ y \\]\n"
    module = f'r"""\n{guide}"""\n\n\ndef f():\n    # With \\(z\\).\n    #\n    # \\[\n    # - w\n    # \\]\n    pass\n'
    write(f"pkg/a{suffix}", module if suffix == ".py" else guide.partition("---\n# ")[2].join(["# ", ""]))
    report = Report()
    found = site(tmp_path)
    view = render_page(found, found.pages[0], "en", report)
    assert view and not report.problems, report.problems
    html = "".join(str(row.prose) for row in view.body.rows)
    assert html.count("<math") == (6 if suffix == ".py" else 4)
    assert html.count('display="block"') == (3 if suffix == ".py" else 2)
    assert "&amp;=" not in html.replace("<annotation", "\0").partition("\0")[0]
    assert view.body.symbols == ({"x_i": 0} if suffix == ".py" else {})


@pytest.mark.parametrize(
    ("prose", "line", "message"),
    [
        ("a\n\\(x +\n\\nonsense\\)", 3, r"Undefined control sequence: \nonsense"),
        ("\\[\nx\n\\frac{\n\\]", 3, "is not valid"),
        ("a\n\n\\begin{equation}\nx & y\n\\end{equation}", 4, "is not valid"),
        (r"\(\href{javascript:x}{y}\)", 2, r"\href is not allowed in a formula"),
    ],
)
def test_what_katex_cannot_do_is_an_error_with_its_line(
    prose: str, line: int, message: str, write: Write, tmp_path: Path
) -> None:
    write("pkg/a.py", f'r"""\n{prose}\n"""\n')
    report = Report()
    found = site(tmp_path)
    render_page(found, found.pages[0], "en", report)
    (problem,) = report.errors
    assert problem.line == line and message in problem.message


def test_notebooks_have_dollars(write: Write, tmp_path: Path) -> None:
    assert notebook_of(write, tmp_path, r"a \( x \), \[ y|z \]") == "a $x$, $$y|z$$"
    assert notebook_of(write, tmp_path, ALIGN) == f"$${ALIGN}$$"
    assert notebook_of(write, tmp_path, "\\[\nx\n\\]") == "$$\nx\n$$"
    assert notebook_of(write, tmp_path, f"a {ALIGN}.") == f"a $${' '.join(ALIGN.split())}$$.".replace(
        r"\\ &", "\\\\\n&"
    )
    table = "| \\(P(A|B)\\) | $a|b$ |\n|---|---|\n| c | d |"
    assert notebook_of(write, tmp_path, table).startswith(r"| $P(A\vert B)$ | $a\vert b$ |")
    assert notebook_of(write, tmp_path, r"\(open $400, `\(x\)`") == r"\(open \$400, `\(x\)`"


def test_a_formula_that_is_not_one() -> None:
    assert formula_at("a", 0) is None
    assert formula_at("$", 0) is None
    assert formula_at("$$x", 0) is None


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("$$\nx\n$$ (eq:one)", "\nx \\label{eq:one}\n"),
        ("$$ x $$ (2.1)", " x \\tag{2.1}\\label{2.1}\n"),
        ("```math\nx_1*\n```", "\nx_1*\n"),
        ("```{math}\n:label: a\n:nowrap:\n\nx\n```", "\nx \\label{a}\n"),
    ],
)
def test_labels_and_fences(text: str, tex: str) -> None:
    (token,) = markdown().parse(text)
    assert (token.type, token.content, token.markup, token.info) == ("math_block", tex, "$$", "")


@pytest.mark.parametrize("text", ["```math\n```", "```maths\nx\n```", "```{mathx}\nx\n```"])
def test_fences_that_are_no_formulas(text: str) -> None:
    assert [token.type for token in markdown().parse(text)] == ["fence"]


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("a $`x_1*y*`$ b", ["x_1*y*"]),
        ("{math}`x_1` and {eq}`eq:one`", ["x_1", "\\eqref{eq:one}"]),
        ("{eq}`a b`, {other}`x`", []),
        ("$`x` and $`y`", []),
        ("US$`x`$", []),
        ("`$`x`$`", []),
        ("$`x`$2", []),
    ],
)
def test_formulas_in_backticks(text: str, tex: list[str]) -> None:
    assert [token.content for token in parse_inline(text) if token.type == "math_inline"] == tex


GROWING: dict[str, Callable[[int], str]] = {
    "opening parentheses": lambda n: "\\(x " * n,
    "opening brackets": lambda n: "\\[x\n" * n,
    "opening brackets in paragraphs": lambda n: "\\[x\n\n" * n,
    "opening brackets and one end": lambda n: "\\[\n" * n + "\\]\n" * 2 + "\\[x\n" * n,
    "opening environments": lambda n: "\\begin{align}\n" * n,
    "opening environments and one end": lambda n: "\\begin{align}\n\n" * n + "\\end{align}\n",
    "environments in each other": lambda n: "\\begin{matrix}\n" * n + "\\end{matrix}\n" * n,
    "other environments": lambda n: "\\begin{figure}\n" * n + "\\end{figure}\n",
    "other environments in lists": lambda n: "* \\begin{figure}\n\n" * n + "\\end{figure}\n" * n,
    "lines above a rule": lambda n: "a\n> b\n" * n + "---",
    "environments in lists": lambda n: "* \\begin{align}\n" * n + "\\end{align}\n" * n,
    "formulas in lines": lambda n: "a \\(x\\)\n" * n,
    "formulas over lines": lambda n: "a \\(x\n+ y\\)\n" * n,
    "dollars and letters": lambda n: "$x/" * n,
    "double dollars": lambda n: "a $$x " * n,
    "backslashes": lambda n: "\\" * n + "\\(",
    "cells with dollars": lambda n: "| a | b |\n|---|---|\n" + "| $x | `y` |\n" * n,
    "cells of one row": lambda n: "| a | b |\n|---|---|\n" + "|" + " $x$ `y` |" * n,
    "backticks in a row": lambda n: "| a | b |\n|---|---|\n" + "|" + " ` `` |" * n,
}


@pytest.mark.parametrize("name", thinned(GROWING, quick=4))
def test_twice_the_prose_takes_twice_the_work(name: str) -> None:
    counted = []
    for factor in (1, 1, 2, 4):
        source = parse_source(GROWING[name](60 * factor).encode(), "a.md")
        counted.append(work(lambda source=source: parse_text(source.sections[0].text)))  # type: ignore[misc]
    _, one, two, four = counted
    assert four - two <= 2.3 * (two - one) + 500, counted


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("a\n\\begin{figure}[t]\nb\n\n\\end{figure}\nc", ["paragraph_open", "fence", "paragraph_open"]),
        ("* \\begin{theorem*}\n  b\n  \\end{theorem*}", ["bullet_list_open", "list_item_open", "fence"]),
        ("\\begin{figure}\nb", ["paragraph_open"]),
        (
            "* \\begin{figure}\n\nb\n\\end{figure}",
            ["bullet_list_open", "list_item_open", *["paragraph_open"] * 2],
        ),
        ("\\begin{align}\nb\n\\end{align}", ["math_block"]),
    ],
)
def test_environments_that_are_no_formulas_are_listings(text: str, types: list[str]) -> None:
    lines = [ProseLine(number, line) for number, line in enumerate(text.split("\n"), 1)]
    found = parse_text(lines)
    assert [token.type for token in found if token.nesting >= 0 and token.type != "inline"] == types
