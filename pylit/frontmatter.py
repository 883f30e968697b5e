"""The YAML between `---` lines at the head of a module's docstring or of a guide.

Takes `title`, `summary` and `symbols`, and refuses everything else.
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from difflib import get_close_matches

import yaml

from .errors import Problem, PylitError
from .model import Meta, ProseLine

KEYS = ("title", "summary", "symbols")
_BRIEF = reprlib.Repr()
_BRIEF.maxlevel = 2  # YAML's aliases make much of little


def split_front_matter(prose: Sequence[ProseLine], file: str) -> tuple[Meta, tuple[ProseLine, ...]]:
    """Take the front matter off `prose`, if it starts with one.

    Raises:
        PylitError: with the line, if it has no end, is no YAML, or holds something that is not allowed.
    """
    if not prose or prose[0].text.rstrip() != "---":
        return Meta(), tuple(prose)
    end = next((i for i, line in enumerate(prose[1:], 1) if line.text.rstrip() == "---"), None)
    first = prose[0].number
    if end is None:
        raise PylitError(
            Problem(file, first, "the front matter does not end", "Close it with a line of `---`.")
        )
    text = "\n".join(line.text for line in prose[1:end])
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
        values = yaml.load(text, Loader=yaml.BaseLoader)  # all values are text: a title may be 404
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = first + 1 + (mark.line if mark else 0)
        deep = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        reason = getattr(error, "problem", None) or deep
        raise PylitError(
            Problem(
                file, line, f"the front matter is no YAML: {reason}", "Quote text that has a colon in it."
            )
        ) from error
    rest = tuple(prose[end + 1 :])
    if node is None:
        return Meta(), rest
    if not isinstance(node, yaml.MappingNode):
        raise PylitError(
            Problem(
                file,
                first + 1,
                "the front matter is no mapping",
                f"Write `key: value`; keys: {', '.join(KEYS)}.",
            )
        )
    found = {key.value: prose[1 + key.start_mark.line].number for key, _ in node.value}
    for key, line in found.items():
        if key not in KEYS:
            near = get_close_matches(str(key), KEYS, 1)
            meant = f"Did you mean `{near[0]}`? " if near else ""
            raise PylitError(
                Problem(
                    file,
                    line,
                    f"the front matter has an unknown key `{key}`",
                    f"{meant}Allowed: {', '.join(KEYS)}.",
                )
            )
    for key in ("title", "summary"):
        if not isinstance(values.get(key, ""), str):
            raise PylitError(
                Problem(
                    file,
                    found[key],
                    f"`{key}` of the front matter must be text, not {_BRIEF.repr(values[key])}",
                    "Put it in quotes.",
                )
            )
    symbols = values.get("symbols") or {}
    if not isinstance(symbols, dict) or not all(isinstance(v, str) for v in symbols.values()):
        raise PylitError(
            Problem(
                file,
                found["symbols"],
                "`symbols` of the front matter must map symbols to names",
                "For example `symbols: {W_s: ShortcutProjection.conv}`.",
            )
        )
    return (
        Meta(
            " ".join(values.get("title", "").split()),
            found.get("title", 0),
            " ".join(values.get("summary", "").split()),
            found.get("summary", 0),
            symbols,
            found.get("symbols", 0),
        ),
        rest,
    )
