"""Turns the prose of one page into HTML, in one language.

Everything an author wrote is escaped unless it is Markdown; of raw HTML a few tags without attributes may stand.
What cannot be shown (a formula KaTeX rejects, a link that leads nowhere) is reported with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from .breaks import keep_together
from .catalog import State
from .context import Context
from .errors import FormulaError
from .links import EXTERNAL, LinkError
from .pictures import PictureError, linked_image
from .prose import figure_kind, is_translatable, markdown, parse_inline, plain
from .tags import balance, clean_block, clean_words

SHORT = 520
"""Characters of prose below which two columns would be too short to read."""
SHOWN = 200
"""Characters of a wrong formula that its message shows."""
NARROW = 42
"""Characters in a line of prose on a phone."""
_ASIDE = re.compile("\ue000([0-9]{1,9})\ue001")


class ProseRenderer(RendererHTML):
    """Renders tokens as markdown-it-py does, with formulas, code, links, pictures and translations our way."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.in_link = False
        self.only_mathml = False
        self.aside: list[str] | None = None
        """While a translation is cleaned: what is ours in it, for which a mark stands."""

    def prose(self, tokens: Sequence[Token]) -> Markup:
        """Render the prose of one section."""
        return Markup(self.render(tokens, markdown().options, {}))

    def parts(self, tokens: Sequence[Token]) -> Markup:
        """Render the prose of one section, each heading of the first two levels with what follows it in a box."""
        starts = [i for i, token in enumerate(tokens) if token.type == "heading_open" and token.tag < "h3"]
        bounds = sorted({0, *starts, len(tokens)})
        html = Markup()
        for start, end in pairwise(bounds):
            part = tokens[start:end]
            length = sum(len(token.content) for token in part)
            css = "part short" if length < SHORT else "part"
            lines = narrow_lines(part)
            html += Markup('<div class="{}" style="--p:{}">{}</div>\n').format(css, lines, self.prose(part))
        return html

    def block(self, text: str, line: int) -> Markup:
        """Render one block on its own, such as a title."""
        self.context.line = line
        return Markup(self._block(text, parse_inline(text)))

    def words(self, text: str) -> tuple[str, str]:
        """The words of a block without markup, and the language that they are in."""
        state, translated = self._look_up(text)
        return plain(translated), self._language(state)

    def _marked(self, text: str) -> Markup:
        """The attribute of an element that holds only the words of a block."""
        return marked(self.words(text)[1], self.context.lang)

    def _language(self, state: State) -> str:
        """The language in which a block that stands like this is shown."""
        is_english = state in (State.MISSING, State.BROKEN)
        return self.context.source_lang if is_english else self.context.lang

    def render(self, tokens: Sequence[Token], options: OptionsDict, env: EnvType) -> str:
        """Render block tokens; `inline` ones in the language of the page."""
        out = []
        for index, token in enumerate(tokens):
            self.context.line = token.meta.get("line", self.context.line)
            if token.type == "inline":
                out.append(self._block(token.content, token.children or []))
            elif token.type in self.rules:
                out.append(self.rules[token.type](tokens, index, options, env))
            else:
                out.append(self.renderToken(tokens, index, options, env))
        return "".join(out)

    def _look_up(self, text: str) -> tuple[State, str]:
        context = self.context
        if context.lang == context.source_lang or not is_translatable(text):
            return State.TRANSLATED, text
        found = context.catalog.lookup(text)
        context.seen[text] = found.state
        return found.state, found.text or text

    def _block(self, text: str, children: Sequence[Token]) -> str:
        context = self.context
        state, translated = self._look_up(text)
        if [child.type for child in children] == ["image"]:
            return self._inline(parse_inline(translated))  # the picture is the same, only its words differ
        is_source = translated == text and (context.lang == context.source_lang or state is State.TRANSLATED)
        is_beside = not is_source and state in (State.TRANSLATED, State.STALE)
        original = self._inline(children, only_mathml=is_beside)
        if is_translatable(text):
            original += _pencil(context.origin(context.line), context.gettext("Edit this passage"))
        if is_source:
            return original
        lang = escape(context.source_lang)
        edit = _pencil(
            context.entry(context.catalog.lookup(text).line), context.gettext("Improve this translation")
        )
        if not is_beside:
            return f'<span class="u" lang="{lang}">{original}</span>{edit}'
        mark = ""
        if state is State.STALE:
            title = escape(context.gettext("The English has changed since this was translated."))
            mark = f' <span class="mark" title="{title}">{escape(context.gettext("out of date"))}</span>'
        css = " stale" if mark else ""
        return (
            f'<span class="t{css}">{self._foreign(translated)}{mark}{edit}</span>'
            f'<span class="o{css}" lang="{lang}">{original}</span>'
        )

    def _foreign(self, text: str) -> str:
        """Render what a translator wrote, cleaned of all that is not on a list; formulas and code are ours."""
        self.aside = []
        try:
            html = clean_words(self._inline(parse_inline(text)))
            aside = self.aside
            return _ASIDE.sub(lambda match: aside[int(match[1])] if int(match[1]) < len(aside) else "", html)
        finally:
            self.aside = None

    def _ours(self, html: str) -> str:
        """Keep what we made ourselves out of the cleaning."""
        if self.aside is None:
            return html
        self.aside.append(html)
        return f"\ue000{len(self.aside) - 1}\ue001"

    def _inline(self, children: Sequence[Token], *, only_mathml: bool = False) -> str:
        """Render a block. The original beside a translation makes do with MathML, as most readers never see it."""
        self.only_mathml = only_mathml
        return self.renderInline(keep_together(balance(children)), markdown().options, {})

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
        return f"<{token.tag}{self.renderAttrs(token)}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"</h{self.context.last_level}>\n"

    def paragraph_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        if _is_picture(tokens[idx + 1]):
            return f'<figure class="picture" tabindex="0"{self._marked(tokens[idx + 1].content)}>'
        return self.renderToken(tokens, idx, options, env)

    def paragraph_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        if _is_picture(tokens[idx - 1]):
            return "</figure>\n"
        return self.renderToken(tokens, idx, options, env)

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return '<div class="table" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>\n"

    def math_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        html = self._formula(token.content, display=False)
        before, after = escape(token.meta["before"]), escape(token.meta["after"])
        return self._ours(f'<span class="whole">{before}{html}{after}</span>' if before or after else html)

    def math_inline_double(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return self._ours(self._formula(tokens[idx].content, display=True))

    def math_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f'<div class="formula" tabindex="0">{self._formula(tokens[idx].content, display=True)}</div>\n'

    def _formula(self, tex: str, *, display: bool) -> str:
        try:
            html = self.context.fragments.formula(tex, display)
            return _mathml(html) if self.only_mathml else html
        except FormulaError as error:
            tex = tex.strip()
            shown = tex if len(tex) <= SHOWN else f"{tex[:SHOWN]}…"
            self.context.problem(f"the formula `{shown}` is wrong: {error}", about=tex)
            return f'<code class="wrong">{escape(tex)}</code>'

    def code_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        text, context = tokens[idx].content, self.context
        html = f'<code translate="no">{context.fragments.code(text, "python")}</code>'
        found = context.in_prose(text, context.within) if not self.in_link else None
        if found:
            html = f'<a class="ref" href="{escape(found.href)}" title="{escape(found.title)}">{html}</a>'
        return self._ours(html)

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        if kind := figure_kind(tokens[idx]):
            return self._figure(kind, tokens[idx])
        info = tokens[idx].info.split()
        return self._listing(tokens[idx].content, info[0] if info else "")

    def _figure(self, kind: str, token: Token) -> str:
        from .exhibits import Surroundings, exhibit
        from .figures import FigureError, parse_figure

        context, first = self.context, self.context.line
        page = Surroundings(
            context.links,
            lambda text: self.block(text.text, first + text.line),
            lambda text: self.words(text.text)[0],
            lambda text: self._marked(text.text),
            context.gettext,
            context.lang,
            context.source_lang,
            context.glossaries,
        )
        try:
            return str(exhibit(parse_figure(kind, token.content), page))
        except FigureError as error:
            context.line = first + error.line
            context.problem(str(error), error.hint)
            return self._listing(token.content, "yaml")

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._listing(tokens[idx].content, "")

    def doctest(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._listing(tokens[idx].content, "pycon", " example")

    def _listing(self, code: str, language: str, css: str = "") -> str:
        html = self.context.fragments.code(code.rstrip("\n"), language)
        pre = f'<pre class="listing" tabindex="0" translate="no"><code>{html}</code></pre>'
        return f'<div class="listing-box{css}">{pre}</div>\n'

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        target = str(tokens[idx].attrGet("href"))
        try:
            href = self.context.links.resolve(target, self.context.url)
        except LinkError as error:
            self.context.problem(str(error), error.hint, error.severity, about=f"({target}")
            return "<a>"
        self.context.targets.add(href.partition("#")[0])
        self.in_link = True
        rel = ' rel="noopener"' if href.startswith(EXTERNAL) else ""
        title = tokens[idx].attrGet("title")
        tooltip = f' title="{escape(title)}"' if title else ""
        return f'<a href="{escape(href)}"{rel}{tooltip}>'

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        self.in_link = False
        return "</a>"

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token, context = tokens[idx], self.context
        target = str(token.attrGet("src"))
        alternative = "".join(_words(token.children or []))
        try:
            file = context.links.find_file(target)
            data = context.links.read(file)
            if file.endswith(".svg"):
                context.drawings += 1
                html = context.fragments.drawing(data, alternative, f"drawing-{context.drawings}-")
            else:
                html = linked_image(data, context.picture(file), alternative)
        except LinkError as error:
            context.problem(str(error), error.hint)
        except PictureError as error:
            context.problem(f"the picture `{target}` cannot be shown: {error}")
        else:
            caption = token.attrGet("title")
            return self._ours(html + (f"<figcaption>{escape(caption)}</figcaption>" if caption else ""))
        return str(escape(alternative))

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        return token.content if token.meta.get("balanced") else str(escape(token.content))

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return clean_block(tokens[idx].content)


def _mathml(html: str) -> str:
    """The part of a typeset formula that browsers show by themselves."""
    _, start, rest = html.partition("<math")
    inner, end, _ = rest.partition("</math>")
    return start + inner + end


def _pencil(href: str, name: str) -> str:
    """A link to where a passage can be edited."""
    if not href:
        return ""
    name = escape(name)
    return f' <a class="edit" href="{escape(href)}" title="{name}" aria-label="{name}" rel="noopener">✎</a>'


def marked(lang: str, around: str) -> Markup:
    """The attribute that tells the language of words among others; nothing when it is the same."""
    return Markup(' lang="{}"').format(lang) if lang and lang != around else Markup("")


def narrow_lines(tokens: Iterable[Token]) -> int:
    """About how many lines prose takes in a narrow column."""
    return sum(
        ceil(len(token.content) / NARROW) if token.type == "inline" else token.content.count("\n") + 1
        for token in tokens
        if token.content
    )


def _words(tokens: Sequence[Token]) -> list[str]:
    return [
        word for token in tokens for word in (_words(token.children) if token.children else [token.content])
    ]


def _is_picture(token: Token) -> bool:
    return token.type == "inline" and [child.type for child in token.children or []] == ["image"]


def with_title(tokens: Sequence[Token]) -> list[Token]:
    """Mark the page's title: the heading of level 1 that its prose begins with, if it does."""
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return [tokens[0].copy(meta={**tokens[0].meta, "title": True}), *tokens[1:]]
    return list(tokens)
