"""Typesets formulas with KaTeX while the site is built, as HTML and as MathML.

Marks the symbols in both, so that the page can light up all uses of one. A formula that KaTeX rejects is an error
that shows the formula. Commands that could load or link to anything are refused.

KaTeX's Python binding is not thread-safe: formulas are typeset on the main thread of a process.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache
from html import escape

from .errors import FormulaError as FormulaError
from .symbols import mark

_FORBIDDEN = re.compile(
    r"\\(?:href|url|includegraphics|html(?:Data|Class|Id|Style)|(?:g|e|x)?def|(?:re|provide)?newcommand"
    r"|message|errmessage|show)(?![A-Za-z])"
)
_COLUMNS = re.compile(r"\\begin\s*\{(?:array|darray|subarray)\}\s*(?:\[[^]]*\])?\s*\{[^}]*\{")
MAX_DEPTH = 20
"""Of groups in groups. KaTeX's binding does not survive running out of stack, which takes about 30."""
_LINK = re.compile(r'<a([^>]*) href="s:(\d+)"([^>]*)>|</a>| href="s:(\d+)"')
_VARIANT = re.compile(r'<mi( data-sym="[^"]*")? mathvariant="([a-z-]+)"( data-sym="[^"]*")?>([A-Za-z])</mi>')
_ANNOTATION = re.compile(r"(<annotation [^>]*>).*?(</annotation>)", re.DOTALL)


@lru_cache(maxsize=4096)
def typeset(tex: str, display: bool) -> str:
    """Typeset a formula.

    Raises:
        FormulaError: with KaTeX's reason.
    """
    tex = tex.strip()
    if command := _FORBIDDEN.search(tex):
        raise FormulaError(f"{command.group()} is not allowed in a formula")
    if _depth(tex) > MAX_DEPTH:
        raise FormulaError(f"groups are nested more than {MAX_DEPTH} deep")
    if _COLUMNS.search(tex):
        raise FormulaError("the columns of an array must be letters, not groups")
    import pykatex

    keys: list[str] = []

    def link(key: str, text: str) -> str:
        keys.append(key)
        return rf"{{\href{{s:{len(keys) - 1}}}{{{text}}}}}"

    marked = mark(tex, link)
    if _depth(marked) > MAX_DEPTH:
        marked = tex
    try:
        html = _katex(marked, display)
    except pykatex.ParseError:
        keys.clear()  # the marks themselves may be what it rejects; its reason is about the plain formula
        try:
            html = _katex(tex, display)
        except pykatex.ParseError as error:
            raise FormulaError(_reason(str(error))) from error

    def replace(match: re.Match[str]) -> str:
        if match.group() == "</a>":
            return "</span>"
        before, visual, after, mathml = match.groups()
        key = escape(keys[int(visual or mathml)])
        return f'<span{before}{after} data-sym="{key}">' if visual else f' data-sym="{key}"'

    html = _VARIANT.sub(_letter, _LINK.sub(replace, html))
    return _ANNOTATION.sub(lambda match: match.group(1) + escape(tex) + match.group(2), html)


def _depth(tex: str) -> int:
    r"""How deep groups and `\\left…\\right` are nested at most."""
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


def _katex(tex: str, display: bool) -> str:
    import pykatex

    html: str = pykatex.renderToString(
        tex, displayMode=display, trust=True, maxExpand=1000, maxSize=50, strict=pykatex.STRICT_IGNORE
    )
    return html


def _letter(match: re.Match[str]) -> str:
    """A letter in a font: browsers draw `mathvariant` no more, but Unicode has those letters."""
    before, variant, after, letter = match.groups()
    style = {"script": "SCRIPT", "double-struck": "DOUBLE-STRUCK", "fraktur": "FRAKTUR", "bold": "BOLD"}.get(
        variant
    )
    name = f"{'CAPITAL' if letter.isupper() else 'SMALL'} {letter.upper()}"
    for full in (f"MATHEMATICAL {style} {name}", f"{style} {name}", f"BLACK-LETTER {name}"):
        with suppress(KeyError):  # the oldest of these letters have names of their own
            return (
                f"<mi{before or ''}{after or ''}>{unicodedata.lookup(full)}</mi>" if style else match.group()
            )
    return match.group()


def _reason(message: str) -> str:
    return re.sub(r"\u0332", "", message)
