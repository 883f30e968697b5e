"""The directives that are read: boxes, listings, formulas, pictures, tables and the like. All others become listings.

None reads a file or an address, or keeps anything for later texts.
"""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.parsers.rst.directives.misc import Replace, Unicode
from docutils.parsers.rst.directives.tables import CSVTable, ListTable, RSTTable
from docutils.parsers.rst.states import SubstitutionDef

BOXES = frozenset(
    "attention caution danger error hint important note tip warning seealso todo admonition topic sidebar".split()
)
"""Directives that become boxes; `BOX_NAMES` has others with the same meaning."""
BOX_NAMES = {"see": "seealso", "warn": "warning", "exercise": "admonition", "dropdown": "admonition"}
TITLED = frozenset(
    ["admonition", "topic", "sidebar", "tab-item", "tab", "group-tab", "card", "grid-item-card"]
)
"""Boxes whose argument is their title."""
VERSIONS = {
    "versionadded": "added",
    "versionchanged": "changed",
    "deprecated": "deprecated",
    "versionremoved": "removed",
}
LISTINGS = {
    "code": "",
    "code-block": "",
    "sourcecode": "",
    "parsed-literal": "",
    "literalblock": "",
    "plot": "python",
    "ipython": "python",
    "jupyter-execute": "python",
    "exec_code": "python",
    "testcode": "python",
    "testsetup": "python",
    "testcleanup": "python",
    "testoutput": "text",
    "prompt": "",
    "productionlist": "text",
    "graphviz": "text",
    "mermaid": "text",
}
"""Directives that contain code -> its language, unless they have one as their argument."""
GROUPS = frozenset(
    "compound container only rst-class hlist centered epigraph pull-quote highlights glossary"
    " tab-set tabs grid grid-item".split()
)
"""Directives that are as if their content stood alone."""
LISTS = frozenset("autosummary toctree".split())
"""Directives that are lists of names."""
SILENT = frozenset(
    "index currentmodule module py:module py:currentmodule highlight default-domain contents sectnum meta"
    " tabularcolumns minigallery codeauthor moduleauthor sectionauthor".split()
)
"""Directives that give instructions to other tools and have nothing to show."""
OBJECTS = frozenset(
    "function method class attribute data exception classmethod staticmethod property decorator describe object"
    " option envvar cmdoption type".split()
)
"""Directives that describe an object, also with `py:` before them."""
_MEANT = {"table": RSTTable, "list-table": ListTable, "replace": Replace, "unicode": Unicode}


class AnyOptions(dict[str, Any]):
    """The options of a directive that takes any."""

    def __getitem__(self, name: str) -> Any:
        return lambda value: value or ""

    def __bool__(self) -> bool:
        return True


class Box(nodes.General, nodes.Element):
    """A box with the attributes `kind` and `version`; its first child may be a `title`."""


class Description(nodes.General, nodes.Element):
    """The description of an object whose signatures are in `names`."""


class Group(nodes.General, nodes.Element):
    """Blocks that have nothing but their place in common."""


class Names(nodes.General, nodes.Element):
    """A list of names, in `names`."""


class _Own(Directive):
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = AnyOptions()

    def read(self, node: nodes.Element) -> nodes.Element:
        """Read the content into `node`."""
        node.line = self.state_machine.get_source_and_line(self.lineno)[1]
        self.state.nested_parse(self.content, self.content_offset, node)
        return node

    def title(self, node: nodes.Element, text: str) -> None:
        """Read a title into `node`."""
        found, _ = self.state.inline_text(text, self.lineno)
        node += nodes.title(text, "", *found)


class _Box(_Own):
    optional_arguments = 0

    def run(self) -> list[nodes.Node]:
        name = self.name.lower()
        return [self.read(Box(kind=BOX_NAMES.get(name, name), version=""))]


class _TitledBox(_Own):
    def run(self) -> list[nodes.Node]:
        node = Box(kind="admonition", version="")
        if self.arguments:
            self.title(node, " ".join(self.arguments[0].split()))
        return [self.read(node)]


class _Version(_Own):
    optional_arguments = 2

    def run(self) -> list[nodes.Node]:
        node = Box(kind=VERSIONS[self.name.lower()], version=self.arguments[0] if self.arguments else "")
        node.line = self.state_machine.get_source_and_line(self.lineno)[1]
        if len(self.arguments) > 1:
            found, _ = self.state.inline_text(self.arguments[1], self.lineno)
            paragraph = nodes.paragraph(self.arguments[1], "", *found)
            paragraph.line = node.line
            node += paragraph
        return [self.read(node)]


class _Listing(_Own):
    def run(self) -> list[nodes.Node]:
        name = self.name.lower()
        given = self.arguments[0] if self.arguments else ""
        language = LISTINGS[name] or given
        content = list(self.content)
        if name in ("plot", "literalblock") and not content:
            content = [given]
        text = "\n".join(content)
        node = nodes.literal_block(text, text, language=language.split()[0] if language else "")
        node.line = self.state_machine.get_source_and_line(self.content_offset + 1)[1]
        return [node] if text.strip() else []


class _Doctest(_Own):
    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.content)
        node = nodes.doctest_block(text, text)
        node.line = self.state_machine.get_source_and_line(self.content_offset + 1)[1]
        return [node] if text.strip() else []


class _Formula(_Own):
    def run(self) -> list[nodes.Node]:
        parts = [*self.arguments[:1], "", *self.content]
        text = "\n".join(parts).strip("\n")
        node = nodes.math_block(text, text, label=self.options.get("label", "").strip())
        node.line = self.state_machine.get_source_and_line(self.lineno)[1]
        return [node] if text.strip() else []


class _Picture(_Own):
    required_arguments = 1
    optional_arguments = 0

    def run(self) -> list[nodes.Node]:
        address = "".join(self.arguments[0].split())
        target = str(self.options.get("target", ""))
        target = " ".join(target.split()) if target.rstrip().endswith("`_") else "".join(target.split())
        image = nodes.image(uri=address, alt=self.options.get("alt", ""), target=target)
        image.line = self.state_machine.get_source_and_line(self.lineno)[1]
        if self.name.lower() != "figure":
            return [image]
        figure = self.read(nodes.figure())
        figure.insert(0, image)
        return [figure]


class _Rubric(_Own):
    def run(self) -> list[nodes.Node]:
        text = " ".join(self.arguments)
        found, _ = self.state.inline_text(text, self.lineno)
        node = nodes.rubric(text, "", *found)
        node.line = self.state_machine.get_source_and_line(self.lineno)[1]
        return [node] if text else []


class _Group(_Own):
    def run(self) -> list[nodes.Node]:
        node = Group()
        if self.arguments and self.name.lower() == "centered":
            found, _ = self.state.inline_text(self.arguments[0], self.lineno)
            node += nodes.paragraph(self.arguments[0], "", *found)
        return [self.read(node)]


class _Description(_Own):
    def run(self) -> list[nodes.Node]:
        names = [line.strip() for line in (self.arguments or [""])[0].split("\n") if line.strip()]
        return [self.read(Description(names=names))]


class _Names(_Own):
    def run(self) -> list[nodes.Node]:
        node = Names(names=[line.strip() for line in self.content if line.strip()])
        node.line = self.state_machine.get_source_and_line(self.lineno)[1]
        return [node] if node["names"] else []


class _Automatic(_Own):
    """A directive of autodoc, of which only the name is here."""

    def run(self) -> list[nodes.Node]:
        node = Names(names=self.arguments[:1])
        node.line = self.state_machine.get_source_and_line(self.lineno)[1]
        return [node] if self.arguments else []


class _Silent(_Own):
    def run(self) -> list[nodes.Node]:
        return []


class _Unknown(_Own):
    """Any other directive, which is shown as it is written."""

    def run(self) -> list[nodes.Node]:
        if self.name.lower() == "raw" and isinstance(self.state, SubstitutionDef):
            return [nodes.inline()]  # a sign for other formats, such as a line break
        node = nodes.literal_block(self.block_text, self.block_text, language="", unknown=self.name)
        node.line = self.state_machine.get_source_and_line(self.lineno)[1]
        return [node]


class _Table(CSVTable):
    """A table in the text itself, never from a file or an address."""

    option_spec: ClassVar[Any] = {
        name: check for name, check in CSVTable.option_spec.items() if name not in ("file", "url", "encoding")
    }


def find_directive(name: str) -> type[Directive]:
    """Return the class of a directive."""
    if name in _MEANT:
        return _MEANT[name]
    if name == "csv-table":
        return _Table
    if name in TITLED or BOX_NAMES.get(name) in TITLED:
        return _TitledBox
    if name in BOXES or name in BOX_NAMES:
        return _Box
    groups: tuple[tuple[Any, type[Directive]], ...] = (
        (VERSIONS, _Version),
        (LISTINGS, _Listing),
        (("doctest",), _Doctest),
        (("math",), _Formula),
        (("image", "figure"), _Picture),
        (("rubric",), _Rubric),
        (GROUPS, _Group),
        (LISTS, _Names),
        (SILENT, _Silent),
    )
    for names, found in groups:
        if name in names:
            return found
    if name.removeprefix("py:").startswith("auto"):
        return _Automatic
    return _Description if name.removeprefix("py:") in OBJECTS else _Unknown
