"""Resolves names and links: to definitions on the site and their uses, and to documentation of other projects.

Provides the facts of one file (`collect_facts`), an `Index` of the facts of all files, and `Links`. Refuses broken
links.
"""

from .collect import collect_facts, collect_labels
from .definitions import DefinitionPlace, Index, ModuleName, Refer, Reference, User, module_name
from .external_docs import FUNCTIONS, documentation_of
from .links import EXTERNAL, LinkError, Links, relative_link
from .module_info import Facts, Labels, facts_from_json, labels_as_json, labels_from_json
from .scopes import Position
from .uses import Uses, find_uses

__all__ = [
    "EXTERNAL",
    "FUNCTIONS",
    "DefinitionPlace",
    "Facts",
    "Index",
    "Labels",
    "LinkError",
    "Links",
    "ModuleName",
    "Position",
    "Refer",
    "Reference",
    "User",
    "Uses",
    "collect_facts",
    "collect_labels",
    "documentation_of",
    "facts_from_json",
    "find_uses",
    "labels_as_json",
    "labels_from_json",
    "module_name",
    "relative_link",
]
