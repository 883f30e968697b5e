"""Distinguishes commented-out code from sentences: `x = old(a, b)` is code, "return early" and "x" are not.

Consecutive lines that look like code are parsed together. Valid Python may still be a sentence, so it must contain
something that sentences do not: an assignment, a call, an import of a known module.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
import warnings
from collections.abc import Callable, Collection, Sequence
from textwrap import dedent

from .layout import Comment

LONGEST = 40
"""Maximum number of lines that are parsed together."""
Names = Callable[[], Collection[str]]
"""Returns the names in the code of the file."""

_LIKE_CODE = re.compile(
    r"\s*(?:@[\w.]+(?:\(.*)?\s*$"
    r"|(?:import|from|def|class|for|while|if|elif|with|return|raise|assert|del|async|await|yield|global|nonlocal)\s\S"
    r"|\{\s*$|\{\s*[\"'][^\"']*[\"']\s*:"
    r"|(?:else|try|finally)\s*:|except\b.*:\s*$|[)\]}]"
    r"|[A-Za-z_][\w.]*\s*(?:\[[^\]]*\]\s*)?(?::\s*[\w\[\], .|\"']+)?\s*(?:[-+*/%@&|^]|//|\*\*|<<|>>)?=(?!=)"
    r"|[A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)+\s*=(?!=)"
    r"|[A-Za-z_][\w.]*\()"
)
"""Matches the start of a line of code. Most sentences do not match."""
_CALL = re.compile(r"[A-Za-z_][\w.]*\([^=]*\)[.,]?")
_MARKDOWN = ("```", "~~~", ">>>")


def code_lines(run: Sequence[Comment], names: Names) -> set[int]:
    """Return the lines of a run of comments that are code."""
    if not any(_LIKE_CODE.match(comment.string, 1) for comment in run):
        return set()
    if any(comment.text.lstrip().startswith(_MARKDOWN) for comment in run):
        return set()  # its author writes Markdown
    found: set[int] = set()
    position = 0
    while position < len(run):
        if not _LIKE_CODE.match(run[position].string, 1) or _is_markdown(run, position):
            position += 1
            continue
        end = _end(run, position)
        taken = _taken([comment.string[1:] for comment in run[position:end]], names)
        if taken == 1 and _is_in_sentence(run, position):
            taken = 0
        found.update(comment.line for comment in run[position : position + taken])
        position += max(1, taken)
    return found


def _is_markdown(run: Sequence[Comment], position: int) -> bool:
    """Return whether a line is separated from the words above it like a code block in Markdown."""
    return position > 0 and not run[position - 1].text.strip() and _indent(run[position].string) > 4


def _is_in_sentence(run: Sequence[Comment], position: int) -> bool:
    """Return whether a line continues a sentence that happens to be wrapped there: it is only a call."""
    before, line = run[position - 1].text.rstrip() if position else "", run[position].text.strip()
    return (
        bool(before) and not before.endswith((".", ":", ";", "!", "?", ")")) and bool(_CALL.fullmatch(line))
    )


def _end(run: Sequence[Comment], start: int) -> int:
    """Return the end of the lines that may belong to the code starting at `start`."""
    indent = _indent(run[start].string)
    depth, end, last = 0, start, start
    while end < len(run) and end - start < LONGEST:
        string = run[end].string
        is_blank = not string[1:].strip()
        if not (is_blank or depth > 0 or _indent(string) > indent or _LIKE_CODE.match(string, 1)):
            break
        if not is_blank:
            last = end
        depth += sum(map(string.count, "([{")) - sum(map(string.count, ")]}"))
        end += 1
    return last + 1


def _indent(string: str) -> int:
    """Return the indentation of a comment after its sign."""
    text = string[1:]
    return len(text) - len(text.lstrip())


def _taken(lines: Sequence[str], names: Names) -> int:
    """Return the number of lines, from the first, that are code."""
    text = dedent("\n".join(lines))
    for _ in range(2):
        before = "if 1:\n    pass\n" if re.match("el(?:se|if)", text) else ""
        before = "try:\n    pass\n" if re.match("except|finally", text) else before
        after = ""
        if text.endswith(":"):
            last = text.rpartition("\n")[2]
            after = "\n" + " " * (len(last) - len(last.lstrip()) + 4) + "pass"
        elif text.rpartition("\n")[2].startswith("@"):
            after = "\ndef _(): pass"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(before + text + after)
        except SyntaxError as error:
            lines = lines[: max(0, (error.lineno or 1) - before.count("\n") - 1)]
            text = dedent("\n".join(lines)).rstrip()
            if not text:
                return 0
        except (ValueError, RecursionError, MemoryError):  # null bytes, or nested too deeply
            return 0
        else:
            is_tight = not lines[0].startswith(" ")
            body = tree.body[0].body if isinstance(tree.body[0], ast.If | ast.Try) and before else tree.body
            is_code = bool(before) or any(_is_certain(node, names, is_tight=is_tight) for node in body)
            return len(lines) if is_code else 0
    return 0


def _is_certain(node: ast.stmt, names: Names, *, is_tight: bool) -> bool:
    """Return whether a statement is code and not a sentence. `is_tight` says that no space follows its `#`."""
    match node:
        case ast.Assign(value=ast.Name(id=name)):
            return name in names()
        case ast.AnnAssign(value=value):
            return value is not None
        case ast.Import(names=found):
            return is_tight or any(a.asname or "." in a.name or _is_known(a.name, names) for a in found)
        case ast.ClassDef(name=name, bases=bases, body=body):
            return bool(bases) or name[0].isupper() or _any_certain(body, names)
        case ast.For(iter=value, body=body) | ast.AsyncFor(iter=value, body=body):
            return _is_more_than_name(value, names) or _any_certain(body, names)
        case ast.While(test=value, body=body) | ast.If(test=value, body=body):
            return _is_more_than_name(value) or _any_certain(body, names)
        case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
            is_call = any(isinstance(item.context_expr, ast.Call) for item in items)
            return is_call or _any_certain(body, names)
        case ast.Expr(value=ast.Dict(keys=keys)):
            return bool(keys)
        case ast.Return(value=value) | ast.Assert(test=value) | ast.Raise(exc=value):
            is_error = isinstance(value, ast.Name) and value.id.endswith(("Error", "Exception"))
            return is_error or (value is not None and _is_more_than_name(value))
        case ast.Expr(value=ast.Call() as call) | ast.Expr(value=ast.Await(value=ast.Call() as call)):
            return _is_call(call, names)
        case ast.Expr() | ast.Pass() | ast.Break() | ast.Continue():
            return False
    return True


def _any_certain(body: Sequence[ast.stmt], names: Names) -> bool:
    return any(_is_certain(node, names, is_tight=False) for node in body)


def _is_known(name: str, names: Names) -> bool:
    return name in sys.stdlib_module_names or name in names()


def _is_more_than_name(value: ast.expr, names: Names | None = None) -> bool:
    """Return whether an expression is more than words: a name of the file, if these are given, or several parts."""
    match value:
        case ast.Name(id=name):
            return names is not None and name in names()
        case ast.Constant():
            return False
        case ast.UnaryOp(operand=operand):
            return _is_more_than_name(operand, names)
        case ast.BoolOp(values=values) | ast.Tuple(elts=values):
            return any(_is_more_than_name(part, names) for part in values)
    return True


def _is_call(call: ast.Call, names: Names) -> bool:
    """Return whether a call is code: `loss.backward()` or `print(x)`, but not `softmax(x)`, which is a formula."""
    if call.keywords or any(isinstance(part, ast.Constant | ast.Starred) for part in call.args):
        return True
    match call.func:
        case ast.Name(id=name):
            return name in vars(builtins) or name in names()
    return True
