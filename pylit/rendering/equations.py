r"""Prepares the formulas of a page for KaTeX: expands macros, numbers equations, and resolves references to them.

What a formula means depends on the page: a `\newcommand` applies from its line on, and numbers count all equations
before. So the whole page is looked at first, if it has any of this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..errors import FormulaError
from ..parsing import Prose, Source, plain_formula, slug, unused_name
from ..tex import (
    DEFINES,
    REFERS,
    Macros,
    Numbered,
    expand,
    known_macros,
    needs_numbering,
    number,
    reference,
    take_definitions,
)

_LABEL = re.compile(
    r"\\label\s*\{|^[ \t]*:(?:label|name):[ \t]*\S|\$\$[ \t]*\([^()$\s]+\)[ \t]*$", re.MULTILINE
)
"""Matches labels as LaTeX, MyST and Sphinx have them."""
_HINTS = ("\\", "$$", ":label:", ":name:")
_ANY = re.compile(rf"{_LABEL.pattern}|{DEFINES.pattern}|{REFERS.pattern}")


@dataclass(frozen=True, slots=True)
class Label:
    """A label of an equation."""

    anchor: str
    """The anchor of the equation on the page."""
    number: str
    """Its number or tag as text; empty if it has none."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula, ready to be typeset."""

    tex: str
    """Empty if it only defined macros."""
    anchors: tuple[str, ...] = ()
    """Anchors of its labels."""
    link: tuple[Label, str] | None = None
    """The equation that it refers to, and the text of the link, if it is nothing but a reference."""


@dataclass
class Equations:
    """The macros, numbers and labels of the formulas of a page."""

    macros: Macros = field(default_factory=Macros)
    labels: dict[str, Label] = field(default_factory=dict)
    numbered: dict[tuple[int, str], Numbered] = field(default_factory=dict)
    """Line and TeX of each displayed formula of a page with labels -> the formula with its numbers."""
    expanded: dict[tuple[int, str], str] = field(default_factory=dict)
    """Line and TeX of formulas -> the formula with its macros expanded, which is counted once."""
    problems: list[tuple[int, str, str]] = field(default_factory=list)
    """Line, message and hint of each problem with macros and labels."""

    def prepare(self, tex: str, line: int, *, display: bool) -> Formula:
        """Return a formula of a block that starts on `line`.

        Raises:
            FormulaError: if a macro is used in a wrong way, or a reference leads nowhere.
        """
        is_special = _ANY.search(tex) is not None
        if not (is_special or self.macros or self.labels or needs_numbering(tex, display=display)):
            return Formula(tex)
        if is_special and (match := REFERS.fullmatch(tex.strip())):
            label = self._label(match[2])
            return Formula(tex, link=(label, _text(match[1], label)))
        found = self.numbered.get((line, tex.strip())) if display else None
        if found is None:
            plain = self._expanded(tex, line)
            if not plain.strip():
                return Formula("")
            if not (display or _LABEL.search(plain) or needs_numbering(plain, display=display)):
                return Formula(self._referring(plain))
            found = number(plain, 1, display=display, has_labels=False)
        anchors = tuple(self.labels[label].anchor for label, _ in found.labels if label in self.labels)
        return Formula(self._referring(found.tex), anchors)

    def _expanded(self, tex: str, line: int) -> str:
        if not (self.macros or DEFINES.search(tex)):
            return tex
        known = self.expanded.get((line, tex))
        if known is None:
            rest, _ = take_definitions(tex)
            known = self.expanded[line, tex] = expand(rest, self.macros, line)
        return known

    def _label(self, name: str) -> Label:
        if label := self.labels.get(name.strip()):
            return label
        raise FormulaError(f"no equation of this page has the label `{name.strip()[:50]}`")

    def _referring(self, tex: str) -> str:
        """Return a formula with links in place of references."""

        def link(match: re.Match[str]) -> str:
            label = self._label(match[2])
            return reference(label.anchor, _text(match[1], label))

        return REFERS.sub(link, tex)


def _text(command: str, label: Label) -> str:
    """Return the text of a reference; of `eqref`, in parentheses."""
    text = re.sub(r"[{}\\]", "", label.number) or "?"
    return f"({text})" if command == "eqref" else text


def find_equations(source: Source, given: Mapping[str, str]) -> Equations:
    """Return the equations of a page, with the macros `given` by the configuration of its site."""
    found = Equations()
    found.macros.room += len(source.text)
    for _ in known_macros(given, found.macros):
        pass  # reported with the configuration
    meta = source.meta
    for problem in known_macros(meta.macros, found.macros):
        hint = "Write it like `macros: {R: '\\mathbb{R}'}`."
        found.problems.append((meta.macros_line, problem, hint))
    lines = (
        line.text
        for section in source.sections
        for line in section.text
        if any(hint in line.text for hint in _HINTS)
    )
    text = "\n".join(lines)
    if DEFINES.search(text):
        for line, tex, _ in _formulas(source.prose):
            try:
                for name, macro in take_definitions(tex)[1]:
                    found.macros.add(name, macro, line)
            except FormulaError:
                continue  # reported where it is typeset
    if _LABEL.search(text):
        _number(source, found)
    return found


def _number(source: Source, found: Equations) -> None:
    """Number the displayed formulas of a page, and note their labels."""
    taken = {*source.anchors, *source.host_anchors}
    counts: dict[str, int] = {}
    following = 1
    for line, tex, display in _formulas(source.prose):
        if not display or (line, tex) in found.numbered:
            continue
        try:
            plain = found._expanded(tex, line)
        except FormulaError:
            continue  # reported where it is typeset
        numbered = number(plain, following, display=True, has_labels=True, plain=plain_formula)
        following = numbered.following
        found.numbered[line, tex] = numbered
        for label, text in numbered.labels:
            if label in found.labels:
                message = f"the label `{label[:50]}` is set more than once"
                found.problems.append((line, message, "Rename one: references lead to the first."))
                continue
            anchor = unused_name(slug(label.replace(":", " ")) or "equation", taken, counts)
            taken.add(anchor)
            found.labels[label] = Label(anchor, text)


def _formulas(pieces: Iterable[Prose]) -> Iterator[tuple[int, str, bool]]:
    """Yield the formulas of a page in order: the line of its block, its TeX, and whether it stands alone."""
    for prose in pieces:
        for block in prose.tokens:
            line = block.meta["line"]
            if block.type == "math_block":
                yield line, block.content.strip(), True
            for token in block.children or ():
                if token.type.startswith("math_inline"):
                    yield line, token.content.strip(), token.type == "math_inline_double"
