"""Renders the prose of a page as HTML, in one language, token by token.

Problems (a formula that KaTeX rejects, a broken link) are reported with their lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from ..errors import FormulaError, Severity
from ..figures import FigureContext, render_figure
from ..parsing import (
    HIDDEN_HINT,
    Figure,
    FigureError,
    FigureKind,
    Pages,
    Specimen,
    back_anchor,
    code_span,
    figure_kind,
    markdown,
    parse_inline,
    split_names,
    suspicion,
    without_directives,
)
from ..resolve import EXTERNAL
from .context import Context
from .decisions import (
    FULL,
    drawn_links,
    find_attachment,
    find_tied,
    is_drawing,
    is_elsewhere,
    is_message,
    link_to_picture,
    lone_picture,
    picture_theme,
    resolve_link,
    show_figure,
    show_picture,
)
from .images import data_address, file_name, linked_image, sized_image, tie
from .labels import box_class, box_label, default_label, optional_label, part_label
from .line_breaks import breakable, is_joined
from .maps import render_map
from .passage_html import PassageRenderer
from .raw_html import RawHtml, RawPicture

SHOWN = 200
"""Maximum number of characters of a formula quoted in a message."""
PARAMETERS = frozenset("parameters others keywords attributes".split())
"""Parts of docstrings with names that are in the code beside them."""
SHELLS = frozenset("bash sh shell zsh console".split())
"""Languages of commands, which are broken where there is no room for them."""
_WIDTH = re.compile(r'(?<=style=")--w:[0-9.e+]+')


class ProseRenderer(PassageRenderer):
    """A renderer like markdown-it-py's, with our own formulas, code, links, images and translations."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.in_link = False
        self.figure_theme = ""
        """The theme for which the current figure is shown; empty for both."""
        self.caption = ""
        """The caption of the current figure, whose picture is in a link."""
        self.raw = RawHtml(context, self._picture)

    def prose(self, tokens: Sequence[Token]) -> Markup:
        """Render the prose of one section."""
        return Markup(self.render(tokens, markdown().options, {}) + self.raw.end())

    def anchors(self, children: Sequence[Token]) -> str:
        return self.raw.anchors(children)

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        level = int(token.tag[1])
        context = self.context
        if token.meta.get("title"):
            level = 1
        else:
            level = max(2, min(level, context.last_level + 1))
        context.last_level = level
        token = token.copy(tag=f"h{level}")
        alias = token.meta.get("host_anchor", "")
        anchor = f'<a id="{escape(alias)}"></a>' if alias else ""
        if context.claims_anchor(own := token.meta.get("anchor", "")):
            anchor += f'<a id="{escape(own)}"></a>'
        return f"<{token.tag}{self.renderAttrs(token)}>{anchor}"

    def heading_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"</h{self.context.last_level}>\n"

    def paragraph_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        if picture := _figure_of(tokens[idx + 1]):
            self.figure_theme = picture_theme(str(picture.attrGet("src") or ""))
            css = f"picture {self.figure_theme}-only" if self.figure_theme else "picture"
            return f'<figure class="{css}" tabindex="0"{self._marked(tokens[idx + 1].content)}>'
        return self.renderToken(tokens, idx, options, env)

    def paragraph_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        if _figure_of(tokens[idx - 1]):
            caption, self.figure_theme, self.caption = self.caption, "", ""
            return f"{caption}</figure>\n"
        return self.renderToken(tokens, idx, options, env)

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return '<div class="table" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>\n"

    def tr_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        if extra := tokens[idx].meta["extra"]:
            cells = "1 cell" if extra == 1 else f"{extra} cells"
            hint = (
                "Add a column to the head, or write `\\|` for a bar. A bar in a formula needs no backslash."
            )
            self.context.problem(
                f"this row has {cells} more than the head of the table", hint, Severity.WARNING
            )
        return self.renderToken(tokens, idx, options, env)

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        if not tokens[idx + 1].content:  # it heads nothing
            tokens[idx].tag = tokens[idx + 2].tag = "td"
        return self.renderToken(tokens, idx, options, env)

    def math_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        html = self._formula(token.content, display=False)
        before, after = escape(token.meta["before"]), escape(token.meta["after"])
        return self._ours(f'<span class="whole">{before}{html}{after}</span>' if before or after else html)

    def math_inline_double(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        html = self._formula(tokens[idx].content, display=True)
        return self._ours(f'<span class="formula" tabindex="0">{html}</span>' if html else "")

    def math_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        html = self._formula(tokens[idx].content, display=True)
        return f'<div class="formula" tabindex="0">{html}</div>\n' if html else ""

    def _formula(self, tex: str, *, display: bool) -> str:
        context = self.context
        try:
            found = context.equations.prepare(tex, context.line, display=display)
            if found.link:
                label, text = found.link
                return f'<a href="#{escape(label.anchor)}">{escape(text)}</a>'
            if not found.tex:
                return ""
            html = context.fragments.formula(found.tex, display)
            # The original and a translation may both be on the page.
            anchors = [anchor for anchor in found.anchors if context.claims_anchor(anchor)]
            return "".join(f'<a id="{escape(anchor)}"></a>' for anchor in anchors) + html
        except FormulaError as error:
            tex = tex.strip()
            shown = tex if len(tex) <= SHOWN else f"{tex[:SHOWN]}…"
            self.context.problem(f"the formula `{shown}` is not valid: {error}", about=tex.partition("\n")[0])
            return f'<code class="wrong">{escape(tex)}</code>'

    def code_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        text, context = tokens[idx].content, self.context
        if reason := suspicion(text):
            context.problem(reason, HIDDEN_HINT, Severity.WARNING, about=text)
        is_path = "/" in text and " " not in text  # or an address
        coloured = self._coloured(text, "" if is_path or is_message(text) else "python")
        css = ' class="joined"' if is_joined(text) else ""
        html = f'<code{css} translate="no">{breakable(coloured)}</code>'
        full = tokens[idx].meta.get("target", "")
        found = context.in_prose(full or text, context.within) if not self.in_link else None
        if not found and not self.in_link and "." in full:
            found = context.refer(full.removesuffix("()"))
        if found:
            title = f' title="{escape(found.title)}"' if found.title != text else ""
            html = f'<a class="ref" href="{escape(found.href)}"{title}>{html}</a>'
        return self._ours(html)

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        if kind := figure_kind(tokens[idx]):
            return self._figure(kind, tokens[idx])
        info = tokens[idx].info.split()
        language = info[0] if info else ""
        return self._listing(tokens[idx].content, language, " shell" * (language in SHELLS), first=1)

    def _figure(self, kind: FigureKind, token: Token) -> str:
        context, first = self.context, self.context.line
        page = FigureContext(
            context.links,
            lambda text: self.block(text.text, first + text.line),
            lambda text: self.words(text.text)[0],
            lambda text: self._marked(text.text),
            context.gettext,
            context.lang,
            context.source_lang,
            context.glossaries,
            context.line_styles,
            context.standing,
        )

        def write(figure: Figure) -> str:
            if isinstance(figure, Pages | Specimen):
                return render_map(figure, page.block, context)
            html = str(render_figure(figure, page)) if context.draws(0) else ""
            if not context.draws(len(html)):
                raise FigureError(*FULL)
            return html

        return show_figure(context, kind, token, write) or self._listing(token.content, "yaml")

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._listing(tokens[idx].content, "")

    def doctest(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._listing(without_directives(tokens[idx].content), "pycon", " example")

    def _listing(self, code: str, language: str, css: str = "", *, first: int = 0) -> str:
        """Render a listing, whose text starts `first` lines below the start of the block."""
        line = self.context.line
        for number, text in enumerate(code.split("\n"), line + first):
            if reason := suspicion(text):
                self.context.line = number
                self.context.problem(reason, HIDDEN_HINT, Severity.WARNING)
        self.context.line = line
        html = self._coloured(code.removesuffix("\n"), language)
        pre = f'<pre class="listing" tabindex="0" translate="no"><code>{html}</code></pre>'
        return f'<div class="listing-box{css}">{pre}</div>\n'

    def _coloured(self, code: str, language: str) -> str:
        """Highlight code; return it without colours if that takes too long."""
        from .code_html import ListingError

        try:
            return self.context.fragments.code(code, language)
        except ListingError as error:
            hint = "Split it, or set its language to `text`. It is shown without colours."
            self.context.problem(str(error), hint, Severity.WARNING)
            return self.context.fragments.code(code, "")

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        target, title = (str(tokens[idx].attrGet(name) or "") for name in ("href", "title"))
        href = resolve_link(self.context, target, title)
        self.in_link = True
        if not href:
            return "<a>"
        rel = ' rel="noopener"' if href.startswith(EXTERNAL) else ""
        tooltip = f' title="{escape(title)}"' if title else ""
        bare = ' class="bare"' if rel and tokens[idx + 1].content == target else ""  # once is enough on paper
        return f'<a href="{escape(href)}"{rel}{tooltip}{bare}>'

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        self.in_link = False
        return "</a>"

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        target, caption = (str(token.attrGet(name) or "") for name in ("src", "title"))
        alternative = "".join(_words(token.children or []))
        return self._picture(
            RawPicture(target, alternative, caption, is_in_link=self.in_link),
            has_caption=True,
            is_alone=lone_picture(tokens) is not None,
        )

    def _picture(self, picture: RawPicture, *, has_caption: bool = False, is_alone: bool = False) -> str:
        """Return a picture; its title as its caption, or as a tooltip.

        If only its words can be shown, the caption remains below a picture `is_alone` in its paragraph.
        """
        context, target, caption = self.context, picture.target, picture.title
        alternative = picture.alternative
        is_shown_anyway = not is_alone or not caption or caption == alternative or not alternative
        below = "" if is_shown_anyway else f"<figcaption>{escape(caption)}</figcaption>"
        if is_elsewhere(target):
            href = link_to_picture(context, target, caption)
            words = escape(alternative or caption or file_name(target))
            is_linked = href and not picture.is_in_link
            shown = f'<a href="{escape(href)}" rel="noopener">{words}</a>' if is_linked else str(words)
            return self._ours(shown + below)

        def write(file: str, data: bytes) -> str:
            if not is_drawing(file):
                size = (picture.width, picture.height)
                if find_attachment(context, target):
                    html = str(sized_image(data, data_address(file, data), alternative, size))
                else:
                    html = str(linked_image(data, context.picture(file), alternative, size))
                    context.pictures[file] = None
                return html.replace("<img", f"<img{picture.style}", 1)
            context.drawings += 1
            name = f"drawing-{context.drawings}-"
            html = context.fragments.drawing(data, alternative, name, drawn_links(context, data))
            html = tie(html, partial(find_tied, context, file))
            return _WIDTH.sub(f"--w:{picture.width}", html, count=1) if picture.width else html

        def write_separate(address: str) -> str:
            width = f' width="{picture.width}"' if picture.width else ""
            return f'<img{picture.style} src="{address}" alt="{escape(alternative)}"{width} loading="lazy">'

        html = show_picture(context, target, caption, write, write_separate)
        if html is None:
            return self._ours(str(escape(alternative or (caption if is_alone else ""))) + below)
        mode = picture.mode or picture_theme(target)
        if mode and mode != self.figure_theme:
            html = f'<span class="{mode}-only">{html}</span>'
        text = f"<figcaption>{escape(caption)}</figcaption>" if has_caption and caption else ""
        if text and picture.is_in_link:  # which ends before it
            self.caption, text = text if is_alone else "", ""
        return self._ours(html + text)

    def label(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Render the heading of a part of a docstring, which is in no table of contents."""
        return f'<p class="label">{escape(part_label(tokens[idx].meta["kind"], self.context.gettext))}</p>\n'

    def field(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Render the names of parameters, their type and their default."""
        meta, context = tokens[idx].meta, self.context
        is_local = meta["kind"] in PARAMETERS
        parts = []
        if meta["names"]:
            names = split_names(meta["names"])
            parts.append(", ".join(self._name(name, is_local=is_local) for name in names))
        if meta["type"]:
            parts.append(f'<span class="type">{self._inline(parse_inline(meta["type"]))}</span>')
        if meta.get("optional"):
            parts.append(f'<span class="default">{escape(optional_label(context.gettext))}</span>')
        if value := meta.get("default"):
            word = escape(default_label(context.gettext))
            parts.append(
                f'<span class="default">{word} {self._inline(parse_inline(code_span(value)))}</span>'
            )
        return f"<dt>{' '.join(parts)}</dt>\n"

    def _name(self, name: str, *, is_local: bool) -> str:
        """Render the name of a parameter, which lights up together with the code, or of something else."""
        if not is_local:
            return self._inline(parse_inline(code_span(name)))
        code = f'<code translate="no">{escape(name)}</code>'
        return f'<span data-sym="{escape(name.lstrip("*"))}">{code}</span>'

    def note(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Render the label of a footnote, which leads back to the first reference to it."""
        meta = tokens[idx].meta
        anchor = f' id="{escape(meta["anchor"])}"' if self.context.claims_anchor(meta["anchor"]) else ""
        label = escape(f"[{meta['label']}]")
        if "back" in meta and anchor:
            label = Markup('<a href="#{}">{}</a>').format(meta["back"], label)
        return f"<dt{anchor}>{label}</dt>\n"

    def footnote_ref(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token, context = tokens[idx], self.context
        label = token.meta["note"]
        anchor = context.notes.get(label)
        text = escape(token.content if anchor is None else f"[{label}]")
        if not anchor or self.in_link:
            return str(text)
        own = f' id="{escape(first)}"' if context.claims_anchor(first := back_anchor(anchor)) else ""
        return self._ours(f'<a class="cite" href="#{escape(anchor)}"{own}>{text}</a>')

    def box_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        meta = tokens[idx].meta
        is_titled = tokens[idx + 1].type == "title_open"  # by its author
        label = "" if is_titled else box_label(meta["kind"], meta["version"], self.context.gettext)
        title = f'<p class="label">{escape(label)}</p>\n' if label else ""
        return f'<div class="box {box_class(meta["kind"])}">\n{title}'

    def box_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</div>\n"

    def notice(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Report a problem that was found before."""
        meta = tokens[idx].meta
        self.context.problem(meta["message"], meta["hint"], Severity.WARNING)
        return ""

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        if tag := token.meta.get("tag"):
            if tag.name == "a":
                self.in_link = not tag.is_end
            return self.raw.tag(tag, is_in_link=self.in_link)
        return "" if token.content.startswith("<!--") else str(escape(token.content))

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        return self.raw.block(token.content, token.meta.get("opens", ()), token.meta.get("closes", ()))


def _words(tokens: Sequence[Token]) -> list[str]:
    return [
        word for token in tokens for word in (_words(token.children) if token.children else [token.content])
    ]


def _figure_of(token: Token) -> Token | None:
    return lone_picture(token.children or []) if token.type == "inline" else None
