"""Translates passages where they are read: answers what the script on a previewed page asks.

Each request reads the files anew, so it cannot work with what somebody else has changed meanwhile. Refuses requests
that are not as the script sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from threading import Lock
from typing import Any

from ..checks import translation_problems
from ..errors import PylitError, unexpected
from ..i18n import Gettext, misfits, words
from ..site import Page, Site, render_passage
from ..translate import (
    CatalogReader,
    ConflictError,
    Passage,
    PassageCatalog,
    RefusedError,
    save_translation,
)
from .edition import parse_path

Answer = tuple[HTTPStatus, dict[str, Any]]
MAX_LENGTH = 50_000
"""Maximum number of characters of a translation."""


class Editor:
    """Reads and writes the translations of a site, one request at a time."""

    def __init__(self, open_site: Callable[[], Site]) -> None:
        """Edit the site that `open_site` finds as it is on the disk; it may raise `PylitError`."""
        self._open_site = open_site
        self._read = CatalogReader()
        self._lock = Lock()
        self._actions = {
            "list": self._list,
            "help": self._help,
            "try": self._try,
            "save": self._save,
            "accept": self._accept,
        }

    def answer(self, action: str, asked: Mapping[str, Any]) -> Answer:
        """Return the answer to a request: its status, and an object for JSON."""
        values = {name: asked.get(name, "") for name in ("page", "id", "seen", "translation")}
        if not all(isinstance(value, str) and len(value) <= MAX_LENGTH for value in values.values()):
            message = f"a value is not a text of at most {MAX_LENGTH:,} characters"
            return HTTPStatus.BAD_REQUEST, {"message": message}
        if action not in self._actions:
            return HTTPStatus.NOT_FOUND, {"message": "there is no such request"}
        try:
            with self._lock, unexpected("the translation", "an answer"):
                return self._act(action, values)
        except PylitError as error:
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"message": str(error)}
        except OSError as error:
            return HTTPStatus.INTERNAL_SERVER_ERROR, {"message": error.strerror or str(error)}

    def _act(self, action: str, asked: Mapping[str, str]) -> Answer:
        site = self._open_site()
        place = _find_page(site, asked["page"])
        if place is None:
            return HTTPStatus.NOT_FOUND, {"message": "there is no translated page at this address"}
        try:
            return self._actions[action](_Desk(site, *place, self._read, asked))
        except ConflictError as error:
            now = error.passage
            status = HTTPStatus.CONFLICT if now else HTTPStatus.GONE
            return status, {"passage": _as_json(now) if now else None}
        except RefusedError as error:
            return HTTPStatus.UNPROCESSABLE_ENTITY, {"message": str(error)}

    def _list(self, desk: _Desk) -> Answer:
        """Answer with all passages of the page, and what the script needs to know of the languages."""
        locales = {lang: desk.site.translations.locale(lang) for lang in (desk.source_lang, desk.lang)}
        languages = [
            {"lang": lang, "name": locale.name, "dir": locale.direction} for lang, locale in locales.items()
        ]
        return HTTPStatus.OK, {
            "languages": languages,
            "passages": [_as_json(passage) for passage in desk.catalog.passages()],
            "words": _words(desk.site.translations.gettext(desk.lang)),
        }

    def _help(self, desk: _Desk) -> Answer:
        """Answer with what helps to translate a passage: terms, and similar texts with their translations."""
        passage = desk.passage
        terms = desk.site.translations.glossary(desk.lang).terms_in(words(passage.text))
        return HTTPStatus.OK, {
            "terms": [
                {"term": term.term, "use": term.use, "never": term.never, "why": term.why} for term in terms
            ],
            "similar": [
                {"text": text, "translation": translation}
                for text, translation in desk.catalog.similar_translations(passage.text)
            ],
        }

    def _try(self, desk: _Desk) -> Answer:
        """Answer with a translation as the page would show it, and with what is wrong with it."""
        text, translation = desk.passage.text, desk.asked["translation"].strip()
        found = render_passage(desk.site, desk.page, desk.lang, text, translation)
        links = desk.site.translations.local_links(desk.lang)
        faults = misfits(text, translation, links) if translation else []
        faults += [problem.message for problem in found.problems]
        glossary = desk.site.translations.glossary(desk.lang)
        hints = list(translation_problems(desk.lang, text, translation, glossary)) if translation else []
        return HTTPStatus.OK, {
            "html": found.html,
            "faults": faults,
            "hints": [f"{problem}. {hint}".strip() if hint else problem for problem, hint in hints],
        }

    def _save(self, desk: _Desk) -> Answer:
        return _saved(desk, desk.asked["translation"])

    def _accept(self, desk: _Desk) -> Answer:
        return _saved(desk, None)


class _Desk:
    """What a request is about."""

    def __init__(
        self, site: Site, page: Page, lang: str, read: CatalogReader, asked: Mapping[str, str]
    ) -> None:
        self.site, self.page, self.lang, self.asked = site, page, lang, asked
        self.read = read
        self.source_lang = site.settings.languages[0]

    @property
    def catalog(self) -> PassageCatalog:
        """The catalog of the page as it is on the disk."""
        return PassageCatalog(self.site, self.page, self.lang, self.read)

    @property
    def passage(self) -> Passage:
        """The passage that the request names.

        Raises:
            ConflictError: if it is no longer on the page.
        """
        passage = self.catalog.passage(self.asked["id"])
        if passage is None:
            raise ConflictError(None)
        return passage


def _saved(desk: _Desk, translation: str | None) -> Answer:
    passage = save_translation(lambda: desk.catalog, desk.asked["id"], desk.asked["seen"], translation)
    return HTTPStatus.OK, {"passage": _as_json(passage)}


def _find_page(site: Site, path: str) -> tuple[Page, str] | None:
    """Return the page at the path of a request, and its language; `None` if it is not the page of a translation."""
    address = parse_path(path)
    if site.settings.translations is None:
        return None
    for lang in site.settings.languages[1:]:
        for page in site.pages:
            if site.navigation.address(page, lang) == address:
                return page, lang
    return None


def _as_json(passage: Passage) -> dict[str, Any]:
    """Return a passage as the script knows it."""
    return {
        "id": passage.id,
        "text": passage.text,
        "translation": passage.translation,
        "state": passage.state.value,
        "suggestion": passage.suggestion,
        "changes": passage.changes,
        "obstacle": passage.obstacle,
        "code": passage.code,
        "notes": passage.notes,
        "seen": passage.seen,
    }


def _words(gettext: Gettext) -> dict[str, str]:
    """Return the strings of the editor, by the names under which the script knows them."""
    return {
        "title": gettext("Translate this passage"),
        "previous": gettext("Previous passage"),
        "next": gettext("Next passage"),
        "missing": gettext("Next untranslated"),
        "stale": gettext("Next out of date"),
        "close": gettext("Close"),
        "save": gettext("Save"),
        "accept": gettext("Still right"),
        "changed": gettext("What has changed"),
        "terms": gettext("Terms"),
        "instead": gettext("not"),
        "similar": gettext("Translated before"),
        "suggestion": gettext("Suggestion"),
        "use": gettext("Use this"),
        "code": gettext("The code beside it"),
        "notes": gettext("Notes"),
        "saved": gettext("Saved."),
        "none": gettext("Nothing is left to do on this page."),
        "fine": gettext("Nothing is wrong with it."),
        "broken": gettext("As it is, the page shows the original:"),
        "conflict": gettext("Somebody has changed this translation in the meantime. Yours is not saved yet:"),
        "gone": gettext("The original has changed, and is another passage now. Yours is not saved; copy it."),
        "draft": gettext("This is a draft that is not saved yet."),
        "discard": gettext("Discard it"),
        "failed": gettext("It could not be saved. Your text stays here."),
        "state_translated": gettext("translated"),
        "state_stale": gettext("out of date"),
        "state_missing": gettext("not translated"),
        "state_broken": gettext("not shown"),
    }
