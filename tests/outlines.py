"""What tokens say, in few lines, for tests to compare."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it.token import Token

from pylit.defaults import Conventions
from pylit.parsing.source import parse_python


def outline(tokens: Sequence[Token]) -> list[str]:
    """One line for each block: its tag or type, and its text; what is inside of it is indented."""
    found: list[str] = []
    for token in tokens:
        indent = "  " * token.level
        meta = token.meta
        match token.type:
            case "inline":
                found[-1] += f" {token.content}"
            case "label":
                found.append(f"{indent}[{meta['kind']}]")
            case "note":
                found.append(f"{indent}note {meta['label']}")
            case "field":
                parts = [meta["names"], meta["type"] and f": {meta['type']}"]
                if meta.get("optional"):
                    parts.append("(optional)")
                if meta.get("default"):
                    parts.append(f"= {meta['default']}")
                found.append(f"{indent}{' '.join(filter(None, parts))}")
            case "box_open":
                found.append(f"{indent}box {meta['kind']} {meta['version']}".rstrip())
            case "notice":
                found.append(f"{indent}! {meta['message']}")
            case _ if token.nesting == 1:
                found.append(f"{indent}{token.tag}")
            case _ if token.nesting == 0:
                kind = f"{token.type} {token.info}".rstrip()
                found.append(f"{indent}{kind} {token.content!r}")
    return found


def docstring(text: str, signature: str = "def f():", docstrings: str = "auto") -> list[str]:
    """The outline of a definition with a docstring, of which `text` is the content, indented already."""
    source = f'{signature}\n    r"""{text}"""\n    pass\n'
    found = parse_python(source, "a.py", Conventions(docstrings=docstrings)).prose
    return outline(found[0].tokens)


def module(text: str, docstrings: str = "auto") -> list[str]:
    """The outline of the prose of a module."""
    found = parse_python(text, "a.py", Conventions(docstrings=docstrings)).prose
    return [line for prose in found for line in outline(prose.tokens)]
