"""Finds the syntax of IPython that is not Python: magics (`%time`, `%%bash`), shell lines (`!ls`) and help (`f?`).

Whether a line starts a statement depends on the strings and brackets before it, so these are tracked, and a `%` inside
them is ignored. Each match is replaced by the same number of lines of Python that do nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .model import Foreign

PYTHON_CELLS = frozenset(
    "capture debug memit mprun lprun prun px snakeviz time timeit skip python3 python".split()
)
"""Cell magics whose cell is Python all the same."""
LANGUAGES = {
    **dict.fromkeys(["bash", "sh", "script", "system", "sx", "!", "shell", "pip", "conda", "uv"], "bash"),
    **dict.fromkeys(["html", "HTML"], "html"),
    **dict.fromkeys(["javascript", "js", "jsroot"], "javascript"),
    **dict.fromkeys(["svg", "SVG"], "xml"),
    **dict.fromkeys(["latex", "tikz"], "latex"),
    **dict.fromkeys(["sql", "bigquery", "sparksql"], "sql"),
    **dict.fromkeys(["R", "r"], "r"),
    **dict.fromkeys(["cython", "python2", "pypy", "run", "fs", "writefile", "file"], "python"),
    **dict.fromkeys(["markdown", "md"], "markdown"),
    **{name: name for name in ("perl", "ruby", "scala", "julia", "octave", "cpp", "cuda", "lua", "css")},
}
"""Magics -> the language of the code that follows them, as Pygments calls it."""
MAGICS = frozenset(
    "aimport alias alias_magic autoawait autocall automagic autoreload autosave bookmark cd clear colors conda config"
    " connect_info cpaste debug dhist dirs doctest_mode ed edit env gui hist history kaggle killbgscripts ldir less lf"
    " lk ll load load_ext loadpy logoff logon logstart logstate logstop ls lsmagic lx macro magic mamba man manim"
    " matplotlib micromamba mkdir more mypy notebook page paste pastebin pdb pdef pdoc pfile pinfo pinfo2 popd pprint"
    " precision psearch psource pushd pwd pycat pylab qtconsole quickref recall rehashx reload_ext rep rerun reset"
    " reset_selective rm rmdir run save set_env store sx system tb tensorboard unalias unload_ext wandb watermark who"
    " who_ls whos xdel xmode Rdevice Rget Rpull Rpush flow lprun snakeviz".split()
) | {*PYTHON_CELLS, *LANGUAGES} - {"!"}
"""Magics of IPython and of common extensions."""

_START = re.compile(
    r"[ \t]*(?:(?P<cell>%%[!\w]+)|%[A-Za-z_]|!|\?{1,2}[A-Za-z_%]"
    r"|(?P<target>[A-Za-z_][\w.]*(?:[ \t]*,[ \t]*[A-Za-z_][\w.]*)*[ \t]*=)[ \t]*(?:!|%[A-Za-z_])"
    r"|%{0,2}[A-Za-z_*][\w.*]*\?{1,2}[ \t]*$)"
)
"""Matches the start of lines that only IPython understands. No Python statement starts like that."""
_STEP = re.compile(r"""\#|(?i:[rbuft]{0,2})(?P<quote>\"{3}|'{3}|["'])|[(\[{]|[)\]}]""")
_ENDS = {quote: re.compile(rf"(?:[^\\]|\\.)*?{quote}") for quote in ('"', "'", '"""', "'''")}
_DIVIDER = re.compile(r"#\s*(?:%%|In\s?\[|\+|-$|<\w+cell)|# COMMAND -")
"""Matches comments that end the cell of a magic."""
_MENTION = re.compile(r"^[ \t]*[%!?]|=[ \t]*[!%][\w(~./$]|\?[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Masked:
    """Lines in which only Python is left."""

    lines: tuple[str, ...]
    foreign: tuple[Foreign, ...]
    """The lines that were replaced."""


def may_hold_magics(text: str) -> bool:
    """Return whether a file may contain IPython syntax. A quick test."""
    return bool(_MENTION.search(text))


def mask(lines: Sequence[str]) -> Masked:
    """Replace IPython syntax by lines that Python accepts, keeping their lengths if possible."""
    found = list(lines)
    foreign = tuple(_foreign(lines))
    for run in foreign:
        for number in range(run.first, run.last + 1):
            found[number - 1] = ""
        first = lines[run.first - 1]
        start = _START.match(first)
        indent = first[: len(first) - len(first.lstrip())]
        target = start["target"] if start else None
        found[run.first - 1] = f"{indent}{target} ..." if target else f"{indent}..."
    return Masked(tuple(found), foreign)


def _foreign(lines: Sequence[str]) -> Iterator[Foreign]:
    """Yield the runs of lines that only IPython understands."""
    state = _State()
    number = 0
    while number < len(lines):
        line = lines[number]
        start = _START.match(line) if state.begins_statement else None
        if start is None:
            state.read(line)
            number += 1
            continue
        last = number
        while lines[last].endswith("\\") and last + 1 < len(lines):
            last += 1
        if start["cell"] and _name(line) not in PYTHON_CELLS:
            while last + 1 < len(lines) and not _DIVIDER.match(lines[last + 1]):
                last += 1
            while last > number and not lines[last].strip():
                last -= 1
        yield Foreign(number + 1, last + 1, language(line))
        number = last + 1


@dataclass(slots=True)
class _State:
    """The state of the tokenizer at the start of a line."""

    depth: int = 0
    """Number of open brackets."""
    quote: str = ""
    """The end of the open string."""
    is_joined: bool = False
    """Whether the previous line ends in a backslash."""

    @property
    def begins_statement(self) -> bool:
        """Return whether the next line may start a statement."""
        return not (self.depth or self.quote or self.is_joined)

    def read(self, line: str) -> None:
        """Advance to the end of a line."""
        at = 0
        if self.quote:
            if not (end := _ENDS[self.quote].match(line)):
                self.quote = self.quote if len(self.quote) == 3 or line.endswith("\\") else ""
                return
            at, self.quote = end.end(), ""
        self.is_joined = line.endswith("\\")
        while step := _STEP.search(line, at):
            at = step.end()
            if quote := step["quote"]:
                if not (end := _ENDS[quote].match(line, at)):
                    self.quote = quote if len(quote) == 3 or self.is_joined else ""
                    self.is_joined = False
                    return
                at = end.end()
            elif step[0] == "#":
                self.is_joined = False
                return
            else:
                self.depth = self.depth + 1 if step[0] in "([{" else max(0, self.depth - 1)


def _name(line: str) -> str:
    """Return the name of a magic."""
    return re.split(r"[^\w!]", line.strip().lstrip("%"), maxsplit=1)[0]


def language(line: str) -> str:
    """Return the language of the code that a magic starts, as Pygments calls it; by default IPython's own."""
    text = line.strip()
    if text.startswith("!"):
        return "bash"
    name = _name(line)
    if text.startswith("%%") and name not in PYTHON_CELLS:
        return LANGUAGES.get(name, "")
    return "bash" if LANGUAGES.get(name) == "bash" else "python"
