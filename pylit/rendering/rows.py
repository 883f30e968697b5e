"""Renders the rows of a page: prose on the left, code on the right. The template renders everything around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from markupsafe import Markup

from ..i18n import Gettext
from ..parsing import Fold, show_hidden
from ..tracing import Chip
from .code_html import escaped
from .page_body import CodeLine, Row
from .row_layout import GROUP_END, RowLayout

MANY = 4
"""Maximum number of users of a definition that are shown; if there are more, they are collapsed."""

LINK_TAG = re.compile(r"</?a\b[^>]*>")


def render_rows(found: Iterable[Row], *, is_module: bool, heading: Markup, gettext: Gettext) -> Markup:
    """Render the rows of a module, or those of a guide, which starts with its `heading` if that is not empty."""
    if is_module:
        rows = list(found)
        title = ""
        if rows and rows[0].layout is RowLayout.PLAIN:
            title, rows[0] = _without_title(rows[0])
        return Markup(title + "".join(_row(row, gettext) for row in rows))
    title = f"<h1>{heading}</h1>\n" if heading else ""
    return Markup("".join(_guide(found, title)))


def _without_title(row: Row) -> tuple[str, Row]:
    """Return the title that a row begins with, which gets the width of both columns, and the rest of the row."""
    title, end, rest = str(row.prose).partition("</h1>\n")
    if not end or not title.startswith("<h1"):
        return "", row
    return title + end, replace(row, prose=Markup(rest))


def _guide(found: Iterable[Row], title: str) -> Iterator[str]:
    for row in found:
        css = "prose article" if row.layout is RowLayout.ARTICLE else "prose"
        yield f'<article class="{css}">{title}{row.prose}</article>\n'
        title = ""


def _row(row: Row, gettext: Gettext) -> str:
    name = row.layout.value if row.layout is not RowLayout.PLAIN else ""
    css = "row" + f" {name}" * bool(name) + " bare" * (not row.code)
    within = f' data-in="{escaped(row.within)}"' if row.within else ""
    code = f"{_code(row, gettext)}\n" if row.code else ""
    anchor = escaped(row.anchor)
    size = f"--p:{row.prose_lines};{_code_lines(row)}"
    head = f'<section style="{size}" class="{css}" id="{anchor}"{within}>\n'
    if not row.prose:
        return f'{head}<div class="prose">{_caption(row)}{_users(row, gettext)}</div>\n{code}</section>\n'
    label = escaped(gettext("Link to this part: %(name)s").replace("%(name)s", show_hidden(row.anchor)))
    link = f'<a class="permalink" href="#{anchor}" aria-label="{label}">#</a>'
    users = _users(row, gettext)
    end = f"{users}{link}"
    html = str(row.prose)
    match row.layout:
        case RowLayout.BESIDE:
            place = "text" if row.is_right_longer else "side"
            used = f'<div class="{place}">{users}</div>' if users else ""
            rest = html[row.code_at :].removesuffix(GROUP_END)
            prose = f"{html[: row.code_at]}{code}{rest}{used}{GROUP_END}"
            return f'{head}<div class="prose">{prose}{link}</div>\n</section>\n'
        case layout if layout.is_essay and any(not line.fold for line in row.code):
            beside = f'<div class="prose">{_caption(row)}</div>\n{code}'
            rest = f'<section style="--p:1;{_code_lines(row)}" class="row"{within}>\n{beside}</section>\n'
            return f'{head}<div class="prose">{row.prose}{end}</div>\n</section>\n{rest}'
    return f'{head}<div class="prose">{row.prose}{end}</div>\n{code}</section>\n'


def _code_lines(row: Row) -> str:
    return f"--c:{sum(not line.fold for line in row.code)}"


def _caption(row: Row) -> str:
    """Return what stands beside code without prose."""
    if not row.caption:
        return ""
    name = escaped(show_hidden(row.caption))
    return f'<p class="caption"><a href="#{escaped(row.target)}"><code translate="no">{name}</code></a></p>'


def _users(row: Row, gettext: Gettext) -> str:
    """Render links to the users of the definition that a row opens."""
    if not row.users:
        return ""
    links = ", ".join(
        f'<a href="{escaped(user.href)}"><code translate="no">{escaped(show_hidden(user.text))}</code></a>'
        for user in row.users
    )
    if len(row.users) <= MANY:
        return f'<p class="users">{escaped(gettext("Used by"))} {links}</p>\n'
    summary = escaped(gettext("Used in %(count)s places").replace("%(count)s", str(len(row.users))))
    return f'<details class="users"><summary>{summary}</summary>{links}</details>\n'


def _code(row: Row, gettext: Gettext) -> str:
    """Return the code of a row, in one piece unless some of its lines are folded, and its outputs."""
    last = max((line.number for line in row.code if line.html), default=0)
    runs = [(fold, list(run)) for fold, run in groupby(row.code, lambda line: line.fold)]
    parts = []
    for fold, lines in runs:
        pre = _pre(lines, last, gettext)
        if fold:
            pre = _folded(fold, lines, pre, gettext)
        elif len(runs) > 1:
            pre = f'<div class="code-part">{pre}</div>'
        parts.append(pre)
    return f'<div class="code-box"><div class="stay">{"".join(parts)}{row.outputs}</div></div>'


def _folded(fold: Fold, lines: Sequence[CodeLine], pre: str, gettext: Gettext) -> str:
    """Return folded lines below a line that says what they are and how many."""
    found = [line.html for line in lines if line.html]
    count = escaped(gettext("%(count)s lines").replace("%(count)s", str(len(found))))
    words = {Fold.IMPORTS: gettext("imports"), Fold.CHECKS: gettext("checks of arguments")}.get(fold)
    if words:
        what = f"<span>{escaped(words)}</span>"
    else:  # the first unindented line, or the first one if all are indented
        first = next((html for html in found if html[0] != " "), found[0].lstrip(" ") if found else "")
        # A click is to open it, and lead nowhere.
        what = f'<code translate="no">{LINK_TAG.sub("", first)}</code>'
    counted = f" <span>· {count}</span>" if len(found) != 1 else ""
    return f'<details class="quiet"><summary>{what}{counted}</summary>{pre}</details>'


def _pre(lines: Iterable[CodeLine], last: int, gettext: Gettext) -> str:
    """Render lines of code. The style sheet counts them, and is told their numbers where they do not go on by one."""
    code, expected = "", 0
    for line in lines:
        code += _line(line, is_counted=line.number == expected, is_after=line.number > last, gettext=gettext)
        expected = line.number + 1
    return f'<pre class="code" tabindex="0" translate="no"><code>{code}</code></pre>'


def _look(anchor: str, gettext: Gettext) -> str:
    """Return a link to the pictures of a line's tensors; nothing if there are none."""
    if not anchor:
        return ""
    name = escaped(gettext("See what it makes of an image"))
    return f'<a class="look" href="#{escaped(anchor)}" title="{name}" aria-label="{name}"></a>'


def _line(line: CodeLine, *, is_counted: bool, is_after: bool, gettext: Gettext) -> str:
    """Render a line of code; empty lines after all others are marked."""
    number, html, css = line.number, line.html, "l" if line.html else "l e x" if is_after else "l e"
    if line.chips or line.picture:
        css = "l with" if line.html else css
        chips = _look(line.picture, gettext) + "".join(map(_chip, line.chips))
        html = f'<span>{html}</span><span class="chips">{chips}</span>'
    count = "" if is_counted else f' style="counter-set:l {number}"'
    return f'<span id="L{number}" class="{css}"{count}>{html}\n</span>'


def _chip(chip: Chip) -> str:
    """Render the shapes of one name: the first, and all of them for whoever asks."""
    text = escaped(chip.text)
    if len(chip.values) == 1:
        return f'<span title="{escaped(chip.values[0])}">{text}</span>'
    values = escaped("\n".join(chip.values))
    return f'<span tabindex="0">{text}<span>{values}</span></span>'
