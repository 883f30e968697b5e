"""Renders a passage of prose, a translatable block, as HTML: its translation, its original, or both.

Everything that an author wrote is escaped unless it is Markdown; of raw HTML, `sanitize` allows a few tags.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from ..i18n import State, entry_id, is_translatable, marked
from ..parsing import References, markdown, parse_inline, plain_text
from .context import Context
from .decisions import lone_picture, translate
from .line_breaks import HYPHENED, is_joined, keep_together
from .sanitize import balance, clean_words, depth
from .tidy_html import MAX_DEPTH

ORIGINAL = re.compile("<!--o-->(.*?)<!--/o-->", re.DOTALL)
"""An original behind its translation, which is not on the page itself; no author's text can look like the marks."""
_ASIDE = re.compile("\ue000([0-9]{1,9})\ue001")


class PassageRenderer(RendererHTML):
    """A renderer of passages in the language of a page. A subclass renders the tokens."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.aside: list[str] | None = None
        """While a translation is sanitized: trusted HTML that placeholders represent."""

    def block(self, text: str, line: int) -> Markup:
        """Render a single block, such as a title."""
        self.context.line = line
        return Markup(self._block(text, parse_inline(text)))

    def original(self, text: str, references: References | None = None) -> Markup:
        """Render a passage in the language of the sources, without what surrounds it."""
        return Markup(self._inline(parse_inline(text, references)))

    def translation(self, text: str, references: References | None = None) -> Markup:
        """Render a translator's text, without what surrounds it."""
        return Markup(self._foreign(text, references))

    def words(self, text: str) -> tuple[str, str]:
        """Return a block as plain text, and the language of the text."""
        shown = translate(self.context, text)
        return plain_text(shown.text), shown.lang

    def anchors(self, children: Sequence[Token]) -> str:
        """Return the anchors that raw HTML sets in a passage, which its translation has in the same place."""
        return ""

    def _marked(self, text: str) -> Markup:
        """Return the `lang` attribute of an element that contains only this block."""
        return marked(self.words(text)[1], self.context.lang)

    def render(self, tokens: Sequence[Token], options: OptionsDict, env: EnvType) -> str:
        """Render block tokens; `inline` tokens in the language of the page."""
        out = []
        for index, token in enumerate(tokens):
            self.context.line = token.meta.get("line", self.context.line)
            if token.type == "inline":
                out.append(self._block(token.content, token.children or [], token.meta.get("references")))
            elif token.type in self.rules:
                out.append(self.rules[token.type](tokens, index, options, env))
            else:
                out.append(self.renderToken(tokens, index, options, env))
        return "".join(out)

    def _block(self, text: str, children: Sequence[Token], references: References | None = None) -> str:
        context = self.context
        shown = translate(context, text)
        state, translated = shown.state, shown.text
        if lone_picture(children):
            return self._inline(
                parse_inline(translated, references)
            )  # the image is the same, only its texts differ
        is_source = translated == text and (context.lang == context.source_lang or state is State.TRANSLATED)
        is_beside = not is_source and state in (State.TRANSLATED, State.STALE)
        anchors = self.anchors(children) if context.anchors and "<" in text else ""
        # Of two formulas or footnotes with an anchor, the first has it, which is to be on the page.
        foreign = self._foreign(translated, references) if is_beside else ""
        original = self._inline(children)
        if is_translatable(text):
            original += _pencil(context.origin(context.line), context.gettext("Edit this passage"))
        if is_source:
            return anchors + original
        lang = marked(context.source_lang, context.lang)
        edit = _pencil(context.entry(text, shown.line), context.gettext("Improve this translation"))
        if not is_beside:
            return f'{anchors}<span class="u"{lang}>{original}</span>{edit}'
        mark = ""
        if state is State.STALE:
            title = context.gettext("The English has changed since this was translated.")
            title = escape(f"{title} ({entry_id(text)})")
            mark = f' <span class="mark" title="{title}">{escape(context.gettext("out of date"))}</span>'
        css = " stale" if mark else ""
        beside = f'<span class="o{css}"{lang}>{original}</span>'
        if not mark:
            beside = f"<!--o-->{beside}<!--/o-->"
        return f'{anchors}<span class="t{css}">{foreign}{mark}{edit}</span>{beside}'

    def _foreign(self, text: str, references: References | None) -> str:
        """Render a translator's text and sanitize it; formulas and code are trusted."""
        self.aside = []
        try:
            html = clean_words(self._inline(parse_inline(text, references)))
            aside = self.aside
            return _ASIDE.sub(lambda match: aside[int(match[1])] if int(match[1]) < len(aside) else "", html)
        finally:
            self.aside = None

    def _ours(self, html: str) -> str:
        """Protect trusted HTML from sanitization by a placeholder."""
        if self.aside is None:
            return html
        self.aside.append(html)
        return f"\ue000{len(self.aside) - 1}\ue001"

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Render text."""
        text = escapeHtml(tokens[idx].content)
        return HYPHENED.sub(lambda found: self._joined(found[0]), text) if "-" in text else text

    def _joined(self, name: str) -> str:
        return self._ours(f'<span class="joined">{name}</span>') if is_joined(name) else name

    def _inline(self, children: Sequence[Token]) -> str:
        tokens = keep_together(balance(children))
        if depth(tokens) > MAX_DEPTH:
            message = f"emphasis, links and tags are nested more than {MAX_DEPTH} levels deep in this passage"
            self.context.problem(message, "Close all markup, or escape what is not meant as markup.")
            tokens = [token for token in tokens if token.type in ("text", "softbreak", "hardbreak")]
        return self.renderInline(tokens, markdown().options, {})


def _pencil(href: str, name: str) -> str:
    """Return a link for editing a passage."""
    if not href:
        return ""
    return f' <a class="edit" href="{escape(href)}" title="{escape(name)}"></a>'
