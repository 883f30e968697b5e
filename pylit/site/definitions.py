"""The definitions of a site: which one a name refers to, their descriptions in links, and their users."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..cache import Answerer, question
from ..errors import PylitError
from ..resolve import DefinitionPlace, Facts, Index, User, module_name
from .sources import Sources
from .translations import Translations

STRUCTURE = "structure"
"""Kind of the observation that covers all modules."""


@dataclass(frozen=True, slots=True)
class Described:
    """A definition, or a page as a whole, as another page needs to know it."""

    file: str
    name: str
    """Qualified name of the definition; empty for the page."""
    anchor: str
    title: str
    """Tooltip of links to it."""


class Definitions(Answerer):
    """The definitions in the sources of a site, described in its languages."""

    def __init__(self, translations: Translations) -> None:
        super().__init__(translations.questions)
        self.translations = translations
        self.sources = translations.sources

    @cached_property
    def index(self) -> Index:
        """Index of the definitions of all modules."""
        return Index(_Modules(self.sources, self.structures))

    @cached_property
    def structures(self) -> dict[str, str]:
        """Digest of the structure of each module, by its file; filled in when all modules are looked at."""
        return {}

    def structure(self, file: str) -> str:
        """Return the digest of the structure of a page's file; empty if it is no module."""
        if file not in self.structures:
            facts = self.sources.facts(file)
            self.structures[file] = facts.structure if facts and facts.module else ""
        return self.structures[file]

    def restore(
        self, classes: Mapping[str, str], users: Mapping[str, Mapping[str, Collection[User]]]
    ) -> None:
        """Take what an earlier build has found in all modules, whose structure is still the same."""
        vars(self.index).update(classes=classes, users=users)

    @question
    def definition(self, full: str, lang: str) -> Described | None:
        """Return the definition with a full name, if it is on the site."""
        place = self.index.find(full)
        return self._described(place, lang) if place else None

    @question
    def meaning(self, file: str, within: str, name: str) -> str:
        """Return the full name of `name` in the prose of the definition `within`; empty if ambiguous."""
        self._look_at_all()
        facts = self.sources.facts(file)
        return self.index.meaning(name, facts, within) if facts else ""

    @question
    def users(self, file: str, name: str, lang: str) -> list[Described]:
        """Return the definitions that use the definition `name` of a module."""
        self._look_at_all()
        with self.questions.unobserved():
            places = list(self.index.used_by(file, name))
        return [self._described(place, lang) for place in places]

    def _look_at_all(self) -> None:
        """Note that the structure of all modules decides on an answer."""
        self.questions.observe(STRUCTURE, "", None)
        with self.questions.unobserved():
            _ = self.index.classes

    def _described(self, place: DefinitionPlace, lang: str) -> Described:
        translations = self.translations
        if not place.name:
            return Described(place.file, "", "", translations.title(place.file, lang).text)
        try:
            labels = translations.labels(place.file, lang)
        except PylitError:  # reported when the page itself is made
            labels = translations.labels(place.file, translations.settings.languages[0])
        sentence = labels.sentences.get(place.name, "") if labels else ""
        title = "\n".join(filter(None, [place.info.signature, sentence]))
        return Described(place.file, place.name, place.info.anchor, title)


class _Modules(Mapping[str, Facts]):
    """The facts of a site's modules by module name, read on access."""

    def __init__(self, sources: Sources, structures: dict[str, str]) -> None:
        self.facts = sources.facts
        self.structures = structures
        self.files: dict[str, str] = {}
        for page in sources.pages:
            if name := module_name(page.file, sources.packages).module:
                self.files[name] = page.file

    def __getitem__(self, name: str) -> Facts:
        facts = self.facts(self.files[name])
        if facts is None:
            raise KeyError(name)
        if facts.file not in self.structures:
            self.structures[facts.file] = facts.structure
        return facts

    def __iter__(self) -> Iterator[str]:
        return (name for name, file in self.files.items() if self.facts(file))

    def __len__(self) -> int:
        return len(self.files)
