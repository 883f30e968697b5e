"""Typesets formulas with KaTeX while the site is built, as HTML and as MathML.

Marks the symbols in both, so that the page can light up all uses of one. A formula that KaTeX rejects is an error
that shows the formula. Commands that could load or link to anything are refused, and so is what would grow beyond
measure.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache
from html import escape

from .errors import FormulaError as FormulaError
from .katex import KATEX, KatexError
from .symbols import mark

_FORBIDDEN = re.compile(
    r"\\(?:href|url|includegraphics|html(?:Data|Class|Id|Style)|(?:g|e|x)?def|(?:re|provide)?newcommand"
    r"|message|errmessage|show)(?![A-Za-z])"
)
_COLUMNS = re.compile(r"\\begin\s*\{(?:array|darray|subarray)\}\s*(?:\[[^]]*\])?\s*\{[^}]*\{")
MAX_DEPTH = 20
"""Of groups in groups. KaTeX runs out of stack at about 30."""
MAX_LENGTH = 5000
"""Of a formula, in characters: a hundred lines. KaTeX takes half a second for it and makes half a megabyte of HTML."""
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
    if len(tex) > MAX_LENGTH:
        raise FormulaError(
            f"it has {len(tex):,} characters, and at most {MAX_LENGTH:,} are allowed; split it into several"
        )
    if _depth(tex) > MAX_DEPTH:
        raise FormulaError(f"groups are nested more than {MAX_DEPTH} deep")
    if _COLUMNS.search(tex):
        raise FormulaError("the columns of an array must be letters, not groups")
    keys: list[str] = []

    def link(key: str, text: str) -> str:
        keys.append(key)
        return rf"{{\href{{s:{len(keys) - 1}}}{{{text}}}}}"

    marked = mark(tex, link)
    if _depth(marked) > MAX_DEPTH:
        marked = tex
    try:
        html = _katex(marked, display)
    except KatexError:
        keys.clear()  # the marks themselves may be what it rejects; its reason is about the plain formula
        try:
            html = _katex(tex, display)
        except KatexError as error:
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
    return KATEX.render(tex, display)


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
