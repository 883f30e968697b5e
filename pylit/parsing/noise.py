"""Finds comments that are not for readers: directives for tools, licences, boxes drawn around text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from .layout import Comment

TOOL = re.compile(
    r"#[ \t]*(?:"
    r"type:\s*(?:ignore\b|\(.*\)\s*->|[A-Za-z_][\w.]*(?:\[[^\s\]]*\])?\s*$)"
    r"|noqa(?::|\s*$)|(?:flake8|ruff|pylint):\s*noqa"
    r"|(?:fmt|isort|ruff|mypy|pylint|pyright|basedpyright|pyrefly|ty|pytype|pragma|flake8|yapf|autopep8|cython|distutils"
    r"|cspell|spell-?checker|codespell):\s*\S"
    r"|doctest:\s*[+-]|pragma\s+no\s?(?:cover|branch)\b|nosec\b|nosemgrep\b|noinspection\s+\w|skipcq\b|NOLINT|NOSONAR\b"
    r"|pyre-(?:ignore|fixme|strict|unsafe)\b|sphinx_gallery_\w+\b|@formatter:o|sourcery skip|lint:\s*(?:en|dis)able"
    r"|\$\w+(?::[^$]*)?\$\s*$|vim?:\s*(?:set?\s|\w+[=:])|ex:\s*set\s|kate:\s|-\*-.*-\*-"
    r")"
)
"""Comments for tools instead of readers. They stay code, as do the two that Python itself reads."""
HIDDEN = re.compile(r"#[ \t]*(?:(?:(?:flake8|ruff):\s*)?noqa(?::|\s*$)|doctest:\s*\S)")
"""Directives that are hidden at the end of a line."""
_DIRECTIVE = re.compile(
    r"^[ \t]*(?:>>>|\.\.\.)[ \t]*# ?doctest:[ \t]*[+-][^\n'\"]*(?:\n|$)"
    r"|(?<=\S)[ \t]*#[ \t]*doctest:[ \t]*[+-][^\n'\"]*$",
    re.MULTILINE,
)
"""Matches `doctest` directives in an example as `doctest` does, and the whole line if nothing else is on it."""
_SHEBANG = re.compile(r"#!")
_COOKIE = re.compile(r"#.*?coding[:=][ \t]*[-\w.]+")

_SCRIPT = re.compile(r"# /// [a-zA-Z0-9-]+$")
"""Matches the start of the dependencies of a script (PEP 723)."""
_LOCAL = re.compile(r"#\s*Local Variables:\s*$")

_LEGAL_WORD = re.compile(r"(?i)copyright|licen[cs]e|spdx|\(c\)|©|warrant|redistribut")
_LICENCE = "licen[cs]e"
_LEGAL = re.compile(
    "(?i)"
    + "|".join(
        (
            r"SPDX-[\w-]+:",
            r"^\s*(?:\(c\)|©|copyright\b\s*(?:\(c\)|©|\d{4}|by\b|:|(?-i:[A-Z])))",
            r"copyright\s*(?:\(c\)|©)",
            r"all rights reserved",
            rf"^\s*{_LICENCE}\s*:",
            rf"\b{_LICENCE}d (?:under|to the apache)",
            rf"gnu (?:lesser |affero )?general public {_LICENCE}|mozilla public {_LICENCE}",
            rf"(?:apache|mit|bsd)[ -](?:\S{{1,20}} )?{_LICENCE}",
            rf"governed by an? \S{{1,30}}(?:[- ]style)? {_LICENCE}",
            rf"{_LICENCE} for the (?:specific language|full)|(?:see|read) the (?:\S{{1,20}} )?{_LICENCE}\b",
            r"this (?:program|library) is free software|you may not use this file except",
            r"permission is hereby granted|permission to use, copy",
            r"redistribution and use in source|redistributions (?:of|in)\b|neither the name of",
            r"the software is provided|this software is provided|the above copyright notice",
            r"without warrant(?:y|ies)|distributed in the hope that",
        )
    )
)
"""Matches sentences of licences."""
_FIELD = re.compile(
    r"(?i)\s*(?:@?authors?|@?maintainers?|credits?|e-?mail|contact|copyright|(?:spdx-)?licen[cs]e[\w-]*"
    r"|created (?:on|by)|@?date|modified|last (?:modified|change)|status|@?file(?:name)?)\s*:.*"
    r"|\s*created on \w+.*|\s*https?://\S+\s*$"
)
"""Matches a line with only author and date."""

_RULE = re.compile(
    r"#(?:#{3}[#\s]*+$|[#\s]*+[+|*]?((?P<a>[-=*~_^%/+.─━═])[-=*~_^%/+.─━═]??)\1{3,}+(?P=a)?[+|*]?[#\s]*+$)"
)
"""Matches a rule."""
_UNDERLINE = re.compile(r"#\s*(?:=+|-+)\s*$")
_TITLED = re.compile(
    r"#(?:\s*([-=*+.─━═])\1{2,}|#{2,})\s*[({\[<]?\s*(?P<words>\w.*?)\s*[)}\]>]?\s*([-=*+.─━═#])\3{2,}[#\s]*$"
    r"|#\s*([-=─━═])\4{3,}\s+(?P<more>\w.*)$"
)
"""Matches a rule that contains words."""
_LED = re.compile(r"#\s*([-=─━═])\1\1\s+(?P<words>\w.*)$")
"""Matches words after a short rule, a title if nothing else is there: `# --- Load the data`."""
_SIDE = re.compile(r"#[#\s]*[*|]?\s*(?P<words>.*?)\s*[#*|]+\s*$")
_SIGNS = re.compile(r"#+[:!]?[ ]?")
_DRAWN = re.compile(r"#[#:!]|.*([-=#*~_^%/+.─━═])\1\1|.*([-=*~])[-=*~]\2")
_WORD = re.compile(r"\w")
_FENCE = re.compile(r"#\s*(?:```|~~~)")
LONG = 200
"""Maximum length of a comment line in which rules are looked for."""


def is_tool_comment(comment: Comment) -> bool:
    """Return whether a comment is a directive for a tool, or for Python itself."""
    line, string = comment.line, comment.string
    if line == 1 and _SHEBANG.match(string):
        return True
    return bool(TOOL.match(string) or (line <= 2 and _COOKIE.match(string)))


def tool_lines(group: Sequence[Comment]) -> set[int]:
    """Return the lines of a block of comments that are for tools or lawyers."""
    found = {comment.line for comment in group if is_tool_comment(comment)}
    end = ""
    is_script = any(comment.string == "# ///" for comment in group)
    for comment in group:
        if end:
            found.add(comment.line)
            end = "" if comment.text.strip() == end else end
        elif is_script and _SCRIPT.match(comment.string):
            found.add(comment.line)
            end = "///"
        elif _LOCAL.match(comment.string):
            found.add(comment.line)
            end = "End:"
    if any(_LEGAL_WORD.search(comment.string) for comment in group):
        found |= _legal_lines([comment for comment in group if comment.line not in found])
    return found


def _legal_lines(comments: Sequence[Comment]) -> set[int]:
    """Return the lines of a licence, from its first to its last paragraph, and of statements on authors around it."""
    paragraphs: list[list[Comment]] = [[]]
    for comment in comments:
        if _WORD.search(comment.text):
            paragraphs[-1].append(comment)
        elif paragraphs[-1]:
            paragraphs.append([])
    legal = [n for n, paragraph in enumerate(paragraphs) if _is_legal(paragraph)]
    if not legal:
        return set()
    first, last = legal[0], legal[-1]
    while first and _is_signature(paragraphs[first - 1]):
        first -= 1
    while last + 1 < len(paragraphs) and _is_signature(paragraphs[last + 1]):
        last += 1
    inside = [comment.line for paragraph in paragraphs[first : last + 1] for comment in paragraph]
    # Lines without words around and between them are included.
    lines = {comment.line for comment in comments}
    silent = {comment.line for comment in comments if not _WORD.search(comment.text)}
    start, end = min(inside), max(inside)
    while start - 1 in lines and first == 0:
        start -= 1
    while end + 1 in silent:
        end += 1
    return {line for line in lines if start <= line <= end}


def _is_signature(paragraph: Sequence[Comment]) -> bool:
    """Return whether a paragraph contains only author and date; long lists continue with indented lines."""
    return bool(paragraph and _FIELD.match(paragraph[0].text)) and all(
        comment.text.startswith("  ") or _FIELD.match(comment.text) for comment in paragraph
    )


def _is_legal(paragraph: Sequence[Comment]) -> bool:
    text = " ".join(comment.text.strip() for comment in paragraph)
    return bool(_LEGAL.search(text)) or any(_LEGAL.search(comment.text) for comment in paragraph)


def prose_lines(run: Sequence[Comment]) -> Iterator[tuple[int, str]]:
    """Yield the text of a run of comments, line by line, without the rules drawn around it."""
    is_drawn = any(_DRAWN.match(comment.string) for comment in run)
    if not is_drawn or any(_FENCE.match(comment.string) or len(comment.string) > LONG for comment in run):
        for comment in run:
            yield comment.line, comment.text
        return
    rules = [n for n, comment in enumerate(run) if _RULE.match(comment.string)]
    boxed = _boxed(run, rules)
    drawn = frozenset(rules)
    for position, comment in enumerate(run):
        string = comment.string
        if position in boxed:
            yield comment.line, boxed[position]
        elif position in drawn:
            is_underline = _UNDERLINE.match(string) and _is_alone(run, drawn, position - 1)
            yield comment.line, comment.text if is_underline else ""
        elif titled := _TITLED.match(string):
            yield comment.line, f"## {titled['words'] or titled['more']}"
        elif len(run) == 1 and (led := _LED.match(string)):
            yield comment.line, f"## {led['words']}"
        else:
            text = string[_SIGNS.match(string).end() :] if string[1:2] in tuple("#:!") else comment.text  # type: ignore[union-attr]
            yield comment.line, text.rstrip("\f")


def _is_alone(run: Sequence[Comment], rules: Collection[int], position: int) -> bool:
    """Return whether a line of words has nothing above it, so that the rule below underlines only this line."""
    if position < 0 or not _WORD.search(run[position].text):
        return False
    return position == 0 or (position - 1 not in rules and not run[position - 1].text.strip())


def _boxed(run: Sequence[Comment], rules: Sequence[int]) -> dict[int, str]:
    """Return the lines between two rules -> their text; words that are alone there become a heading."""
    found: dict[int, str] = {}
    start = None
    for rule in rules:
        if start is not None and rule - start > 1:
            inside = range(start + 1, rule)
            words = {n: _inside(run[n].string) for n in inside}
            worded = [n for n in inside if _WORD.search(words[n])]
            if len(worded) == 1:
                words[worded[0]] = f"## {words[worded[0]]}"
            elif not all(run[n].string.rstrip().endswith(("#", "*", "|")) for n in worded):
                words = {n: run[n].text for n in inside}
            found |= words
            start = None
        else:
            start = rule
    return found


def _inside(string: str) -> str:
    """Return the words of a line in a box."""
    side = _SIDE.match(string)
    return (side["words"] if side else string.lstrip("#")).strip()


def without_directives(text: str) -> str:
    """Return examples without `doctest` directives."""
    return _DIRECTIVE.sub("", text) if "doctest:" in text else text
