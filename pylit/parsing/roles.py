"""Finds roles of Sphinx and MyST in Markdown: what `:class:`, `{func}` and the like name is code that links to it."""

from __future__ import annotations

import re

from markdown_it.rules_inline import StateInline

CALLED = frozenset(["func", "meth"])
"""Roles of what is called."""
_NAMES = "class|func|meth|mod|attr|data|obj|exc|const|type"
_ROLE = re.compile(
    rf"(?:\{{(?:py:)?(?P<myst>{_NAMES})\}}|:(?:py:)?(?P<sphinx>{_NAMES}):)`(?P<text>[^`\n]{{1,300}})`(?!`)"
)
_TITLED = re.compile(r"(?P<title>[^<]*\S)\s*<(?P<target>[^<>]+)>$")


def name_role(state: StateInline, silent: bool) -> bool:
    """Inline rule for roles of names in Python."""
    start = state.pos
    if state.src[start] not in ":{" or (start and state.src[start - 1].isalnum()):
        return False
    found = _ROLE.match(state.src, start)
    if not found or found.end() > state.posMax:
        return False
    if not silent:
        token = state.push("code_inline", "code", 0)
        token.markup = "`"
        token.content, token.meta["target"] = _read(found["myst"] or found["sphinx"], found["text"].strip())
    state.pos = found.end()
    return True


def _read(role: str, text: str) -> tuple[str, str]:
    """Return what is shown of a role, and the full name that it stands for."""
    if titled := _TITLED.match(text):
        return titled["title"], titled["target"].lstrip("~!.")
    full = text.lstrip("~!.")
    if role in CALLED and not full.endswith(")"):
        full += "()"
    short = full.rpartition(".")[2] if text.startswith("~") else full
    return short or full, full
