"""Puts the rows of a page together: prose on the left, code on the right. What is around them is the template's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from .highlight import escaped
from .interface import Gettext
from .render import CodeLine, Row

MANY = 4
"""Users of a definition that are shown; more are there when a reader asks for them."""


def rows(found: Iterable[Row], *, is_module: bool, heading: Markup, gettext: Gettext) -> Markup:
    """The rows of a module, or those of a guide, which begins with its `heading` unless that is empty."""
    if is_module:
        return Markup("".join(_row(row, gettext) for row in found))
    title = f"<h1>{heading}</h1>\n" if heading else ""
    return Markup("".join(_guide(found, title)))


def _guide(found: Iterable[Row], title: str) -> Iterator[str]:
    for row in found:
        yield f'<article class="prose">{title}{row.prose}</article>\n'
        title = ""


def _row(row: Row, gettext: Gettext) -> str:
    css = "row" + " wide" * row.is_wide + " bare" * (not row.code)
    within = f' data-in="{escaped(row.within)}"' if row.within else ""
    code = f"{_code(row.code)}\n" if row.code else ""
    anchor = escaped(row.anchor)
    prose = ""
    if row.prose:
        name = escaped(gettext("Link to this part: %(name)s").replace("%(name)s", row.anchor))
        link = f'<a class="permalink" href="#{anchor}" aria-label="{name}">#</a>'
        prose = f"{row.prose}{_users(row, gettext)}{link}"
    size = f"--p:{row.prose_lines};--c:{len(row.code)}"
    return (
        f'<section style="{size}" class="{css}" id="{anchor}"{within}>\n'
        f'<div class="prose">{prose}</div>\n{code}</section>\n'
    )


def _users(row: Row, gettext: Gettext) -> str:
    """What uses the definition that a row opens."""
    if not row.users:
        return ""
    links = ", ".join(
        f'<a href="{escaped(user.href)}" title="{escaped(user.title)}">'
        f'<code translate="no">{escaped(user.text)}</code></a>'
        for user in row.users
    )
    if len(row.users) <= MANY:
        return f'<p class="users">{escaped(gettext("Used by"))} {links}</p>\n'
    told = escaped(gettext("Used in %(count)s places").replace("%(count)s", str(len(row.users))))
    return f'<details class="users"><summary>{told}</summary>{links}</details>\n'


def _code(lines: Sequence[CodeLine]) -> str:
    last = max((line.number for line in lines if line.html), default=0)
    code = "".join(_line(line, line.number > last) for line in lines)
    return (
        f'<div class="code-box"><pre class="code" tabindex="0" translate="no"><code>{code}</code></pre></div>'
    )


def _line(line: CodeLine, is_after: bool) -> str:
    """A line of code; empty ones after all others are told apart."""
    number, html, css = line.number, line.html, "l" if line.html else "l e x" if is_after else "l e"
    if line.chips:
        css = "l with" if line.html else css
        chips = "".join(
            f'<span title="{escaped(chip.title)}">{escaped(chip.text)}</span>' for chip in line.chips
        )
        html = f'<span>{html}</span><span class="chips">{chips}</span>'
    return (
        f'<span class="{css}"><a id="L{number}" href="#L{number}" tabindex="-1">{number}</a>{html}\n</span>'
    )
