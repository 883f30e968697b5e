"""Renders the rows of a page: prose on the left, code on the right. The template renders everything around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from markupsafe import Markup

from ..i18n import Gettext
from ..parsing import show_hidden
from .code_html import escaped
from .page_body import CodeLine, Row

MANY = 4
"""Maximum number of users of a definition that are shown; if there are more, they are collapsed."""


def render_rows(found: Iterable[Row], *, is_module: bool, heading: Markup, gettext: Gettext) -> Markup:
    """Render the rows of a module, or those of a guide, which starts with its `heading` if that is not empty."""
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
    code = f"{_code(row, gettext)}\n" if row.code else ""
    anchor = escaped(row.anchor)
    prose = ""
    if row.prose:
        name = escaped(gettext("Link to this part: %(name)s").replace("%(name)s", show_hidden(row.anchor)))
        link = f'<a class="permalink" href="#{anchor}" aria-label="{name}">#</a>'
        prose = f"{row.prose}{_users(row, gettext)}{link}"
    size = f"--p:{row.prose_lines};--c:{sum(not line.is_quiet for line in row.code)}"
    return (
        f'<section style="{size}" class="{css}" id="{anchor}"{within}>\n'
        f'<div class="prose">{prose}</div>\n{code}</section>\n'
    )


def _users(row: Row, gettext: Gettext) -> str:
    """Render links to the users of the definition that a row opens."""
    if not row.users:
        return ""
    links = ", ".join(
        f'<a href="{escaped(user.href)}" title="{escaped(show_hidden(user.title))}">'
        f'<code translate="no">{escaped(show_hidden(user.text))}</code></a>'
        for user in row.users
    )
    if len(row.users) <= MANY:
        return f'<p class="users">{escaped(gettext("Used by"))} {links}</p>\n'
    summary = escaped(gettext("Used in %(count)s places").replace("%(count)s", str(len(row.users))))
    return f'<details class="users"><summary>{summary}</summary>{links}</details>\n'


def _code(row: Row, gettext: Gettext) -> str:
    """Return the code of a row, in one piece unless some of its lines are folded, and its outputs."""
    last = max((line.number for line in row.code if line.html), default=0)
    runs = [(is_quiet, list(run)) for is_quiet, run in groupby(row.code, lambda line: line.is_quiet)]
    parts = []
    for is_quiet, lines in runs:
        pre = _pre(lines, last)
        if is_quiet:
            pre = _folded(lines, pre, gettext)
        elif len(runs) > 1:
            pre = f'<div class="code-part">{pre}</div>'
        parts.append(pre)
    return f'<div class="code-box">{"".join(parts)}{row.outputs}</div>'


def _folded(lines: Sequence[CodeLine], pre: str, gettext: Gettext) -> str:
    """Return folded lines, with the first unindented one as their summary, or the first one if all are indented."""
    found = [line.html for line in lines if line.html]
    first = next((html for html in found if html[0] != " "), found[0].lstrip(" ") if found else "")
    count = escaped(gettext("%(count)s lines").replace("%(count)s", str(len(found))))
    return (
        f'<details class="quiet"><summary><code translate="no">{first}</code>'
        f"{f' <span>{count}</span>' if len(found) != 1 else ''}</summary>{pre}</details>"
    )


def _pre(lines: Iterable[CodeLine], last: int) -> str:
    code = "".join(_line(line, line.number > last) for line in lines)
    return f'<pre class="code" tabindex="0" translate="no"><code>{code}</code></pre>'


def _line(line: CodeLine, is_after: bool) -> str:
    """Render a line of code; empty lines after all others are marked."""
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
