"""Typesets formulas as HTML and MathML with KaTeX while the site is built.

Marks the symbols in both, so that the page can highlight all uses of one. A formula that KaTeX rejects is an error
that quotes the formula. Refuses commands that could load or link to anything, and formulas with excessive output.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache
from html import escape

from ..errors import FormulaError as FormulaError
from ..errors import Problem, PylitError
from .katex_process import Katex, KatexError, KatexMissingError
from .symbols import mark

_FORBIDDEN = re.compile(
    r"\\(?:href|url|includegraphics|html(?:Data|Class|Id|Style)|(?:g|e|x)?def|(?:re|provide)?newcommand"
    r"|message|errmessage|show)(?![A-Za-z])"
)
_COLUMNS = re.compile(r"\\begin\s*\{(?:array|darray|subarray)\}\s*(?:\[[^]]*\])?\s*\{[^}]*\{")
BINDING = "pykatex==0.1.1"
"""The supported release of KaTeX's binding."""
MAX_DEPTH = 20
"""Maximum nesting of groups. KaTeX runs out of stack at about 30."""
MAX_LENGTH = 5000
"""Maximum length of a formula in characters: a hundred lines, half a second, half a megabyte of HTML."""
MAX_CELLS = 1000
"""Maximum number of cells in all tables of a formula: half a second. The time is quadratic in the length of a row."""
_CELL = re.compile(r"\\.|&", re.DOTALL)
_LINK = re.compile(r'<a([^>]*) href="(?:s:(\d+)|r:([^"]*))"([^>]*)>|</a>| href="(?:s:(\d+)|r:[^"]*)"')
_REFERENCE = re.compile(r"\\pylitref\{([^{}\\]*)\}\{([^{}\\]*)\}")
"""A link to an equation: its anchor, and the text of the link."""
_OPERATOR = re.compile(r"<mo(?:\s[^>]*)?>|</mo>")
_FILLED_OPERATOR = re.compile(r"<mo(?:\s[^>]*)?><[a-z]")
_VARIANT = re.compile(r'<mi( data-sym="[^"]*")? mathvariant="([a-z-]+)"( data-sym="[^"]*")?>([A-Za-z])</mi>')
_NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'
"""Which `<math>` has in HTML by itself."""
_ANNOTATION = re.compile(r"(<annotation [^>]*>).*?(</annotation>)", re.DOTALL)


class Typesetter:
    """A KaTeX process for typesetting formulas, with a cache of results."""

    def __init__(self, katex: Katex | None = None) -> None:
        self.katex = katex or Katex()
        self.typeset = lru_cache(maxsize=4096)(self._typeset)

    def _typeset(self, tex: str, display: bool) -> str:
        """Typeset a formula.

        Raises:
            FormulaError: with KaTeX's reason.
            PylitError: if KaTeX is not installed.
        """
        tex = tex.strip()
        if command := _FORBIDDEN.search(tex):
            raise FormulaError(f"{command.group()} is not allowed in a formula")
        if len(tex) > MAX_LENGTH:
            raise FormulaError(
                f"it has {len(tex):,} characters; at most {MAX_LENGTH:,} are allowed; split it into several"
            )
        if (cells := _CELL.findall(tex).count("&")) > MAX_CELLS:
            raise FormulaError(f"it has {cells:,} `&`; at most {MAX_CELLS:,} are allowed; split its tables")
        if _depth(tex) > MAX_DEPTH:
            raise FormulaError(f"groups are nested more than {MAX_DEPTH} levels deep")
        if _COLUMNS.search(tex):
            raise FormulaError("the columns of an array must be letters, not groups")
        keys: list[str] = []

        def link(key: str, text: str) -> str:
            keys.append(key)
            return rf"{{\href{{s:{len(keys) - 1}}}{{{text}}}}}"

        marked = mark(tex, link)
        if _depth(marked) > MAX_DEPTH:
            marked = tex
        marked = _REFERENCE.sub(r"{\\href{r:\1}{\\text{\2}}}", marked)
        plain = _REFERENCE.sub(r"\\text{\2}", tex)
        try:
            html = self.katex.render(marked, display)
        except KatexMissingError as error:
            message = f"formulas cannot be typeset without {BINDING}: {error}"
            hint = (
                f"Run `pip install {BINDING}`; without a wheel, this needs a C compiler and Python's headers."
            )
            raise PylitError(Problem("pykatex", 0, message, hint)) from error
        except KatexError as rejection:
            keys.clear()  # it may have rejected the marks; the reason must be about the plain formula
            try:
                if not rejection.left:
                    raise
                html = self.katex.render(plain, display, rejection.left)
            except KatexError as error:
                raise FormulaError(_reason(str(error))) from error

        ends: list[str] = []

        def replace(match: re.Match[str]) -> str:
            if match.group() == "</a>":
                return ends.pop() if ends else ""
            before, visual, anchor, after, mathml = match.groups()
            if anchor is not None:
                ends.append("</a>")
                return f'<a{before}{after} href="#{escape(anchor)}">'
            if visual is None and mathml is None:
                return ""
            key = escape(keys[int(visual or mathml)])
            if visual:
                ends.append("</span>")
            return f'<span{before}{after} data-sym="{key}">' if visual else f' data-sym="{key}"'

        html = html.replace(_NAMESPACE, "")
        html = _with_rows(_VARIANT.sub(_letter, _LINK.sub(replace, html)))
        return _ANNOTATION.sub(lambda match: match.group(1) + escape(plain) + match.group(2), html)


def reference(anchor: str, text: str) -> str:
    r"""Return the TeX of a link to an equation of the same page, which only `Typesetter` understands."""
    return rf"\pylitref{{{anchor}}}{{{text}}}"


def _depth(tex: str) -> int:
    r"""Return the maximum nesting of groups and `\\left…\\right`."""
    depth = deepest = 0
    for token in re.findall(
        r"\\left(?![A-Za-z])|\\right(?![A-Za-z])|\\begin(?![A-Za-z])|\\end(?![A-Za-z])|\\.|[{}]", tex
    ):
        if token in ("{", r"\left", r"\begin"):
            depth += 1
            deepest = max(deepest, depth)
        elif token in ("}", r"\right", r"\end"):
            depth -= 1
    return deepest


def _with_rows(html: str) -> str:
    r"""Return a formula in whose MathML operators of several elements, as of `\mathop{argmax}`, are rows.

    Browsers lay the elements out in an operator one below the other.
    """
    if not _FILLED_OPERATOR.search(html):
        return html
    is_row: list[bool] = []

    def replace(match: re.Match[str]) -> str:
        if match[0] == "</mo>":
            return "</mrow>" if is_row.pop() else "</mo>"
        is_row.append(bool(_FILLED_OPERATOR.match(html, match.start())))
        return "<mrow>" if is_row[-1] else match[0]

    return _OPERATOR.sub(replace, html)


def _letter(match: re.Match[str]) -> str:
    """Replace a letter with a `mathvariant`, which browsers ignore, by the corresponding Unicode letter."""
    before, variant, after, letter = match.groups()
    style = {"script": "SCRIPT", "double-struck": "DOUBLE-STRUCK", "fraktur": "FRAKTUR", "bold": "BOLD"}.get(
        variant
    )
    name = f"{'CAPITAL' if letter.isupper() else 'SMALL'} {letter.upper()}"
    for full in (f"MATHEMATICAL {style} {name}", f"{style} {name}", f"BLACK-LETTER {name}"):
        with suppress(KeyError):  # some of these letters have irregular names
            return (
                f"<mi{before or ''}{after or ''}>{unicodedata.lookup(full)}</mi>" if style else match.group()
            )
    return match.group()


def _reason(message: str) -> str:
    return re.sub(r"\u0332", "", message)
