"""What git knows of the catalogs of a site: when each was changed, by whom, and since when entries wait.

Only reads, and runs nothing that the configuration of a repository names. Without git, a repository or its history,
nothing is known.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from ..cache import Answerer, Store, digest, engine_digest, question
from ..errors import PylitError
from ..i18n import State, catalog_path, parse_catalog
from .settings import Settings
from .translations import Translations

HEAD = "head"
"""Kind of the observation of the commit that is checked out."""
PEOPLE = 3
"""Maximum number of contributors named for a catalog: the last ones."""
PATIENCE = 60.0
"""Seconds after which git is not waited for any more."""
LONGEST_NAME = 60
"""Maximum number of characters of a contributor's name."""
SAFE = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.quotePath=false",
    "log.showSignature=false",
    "log.mailmap=true",
    "protocol.allow=never",
)
"""Settings that keep git from running programs that a repository names, whatever its own configuration says."""
_COMMIT, _FIELD = "\x01", "\x02"


@dataclass(frozen=True)
class CatalogHistory:
    """What git knows of a catalog."""

    changed: str = ""
    """Date of the last change, such as `2026-12-01`."""
    people: tuple[str, ...] = ()
    """Who has changed it, the last one first."""
    waiting: str = ""
    """Date since when an entry is out of date or not translated; empty if none is, or that is not committed."""


class History(Answerer):
    """The history of a site's `translations`."""

    def __init__(self, settings: Settings, translations: Translations, store: Store) -> None:
        super().__init__(translations.questions)
        self.settings = settings
        self.translations = translations
        self.store = store

    def catalog(self, file: str, lang: str) -> CatalogHistory:
        """Return what is known of a file's catalog."""
        changed, people, waiting = self.catalogs().get(f"{lang}/{file}", ["", [], ""])
        return CatalogHistory(changed, tuple(people), waiting)

    @question
    def catalogs(self) -> dict[str, list[Any]]:
        """Return what is known of each catalog, by its language and file."""
        folder = self.settings.translations
        state = head_state(folder) if folder else ""
        self.questions.observe(HEAD, "", state)
        is_shallow, _, head = state.strip().partition("\n")
        if folder is None or is_shallow != "false":
            return {}
        files = [page.file for page in self.translations.sources.pages]
        pages = [(lang, file) for lang in self.settings.languages[1:] for file in files]
        unfinished = [place for place in pages if self._is_unfinished(*place)]
        key = digest("history", engine_digest(), head, *("/".join(place) for place in unfinished))
        found = self.store.get_json(key)
        if not isinstance(found, dict):
            log = _read_log(_git(folder, *_LOG, "--", "."))
            found = {}
            for lang, file in pages:
                path = catalog_path(PurePosixPath(), lang, file).as_posix()
                if path in log:
                    date, people = log[path]
                    is_waiting = (lang, file) in unfinished
                    since = _waiting_since(_git(folder, *_BLAME, path), lang) if is_waiting else ""
                    found[f"{lang}/{file}"] = [date, people, since]
            self.store.put_json(key, found)
        return found

    def _is_unfinished(self, lang: str, file: str) -> bool:
        counts = self.translations.quiet_counts(file, lang)
        return counts.translated < counts.blocks


def head_state(folder: Path) -> str:
    """Return whether the repository of a folder is shallow, and the commit that is checked out."""
    return _git(folder, "rev-parse", "--is-shallow-repository", "HEAD")


_LOG = (
    "log",
    "--relative",
    "--no-renames",
    "--no-textconv",
    "--no-ext-diff",
    "--name-only",
    f"--format={_COMMIT}%as{_FIELD}%aN",
)
_BLAME = ("blame", "--porcelain", "--no-textconv", "HEAD", "--")


def _git(folder: Path, *arguments: str) -> str:
    """Return the output of a git command in `folder`; empty if there is no git, no repository, or it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    safe = {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C.UTF-8",
    }
    options = [part for setting in SAFE for part in ("-c", setting)]
    try:
        done = subprocess.run(
            ["git", "--no-pager", *options, "-C", os.fspath(folder), *arguments],
            env=kept | safe,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired):  # not installed, or the repository is enormous
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _read_log(text: str) -> dict[str, tuple[str, list[str]]]:
    """Return the date of the last change of each file, and the names of its last contributors."""
    found: dict[str, tuple[str, list[str]]] = {}
    for commit in text.split(_COMMIT)[1:]:
        head, *names = commit.split("\n")
        date, _, person = head.partition(_FIELD)
        person = "".join(c for c in person if c.isprintable()).strip()[:LONGEST_NAME]
        for name in filter(None, names):
            people = found.setdefault(name, (date, []))[1]
            if person and person not in people and len(people) < PEOPLE:
                people.append(person)
    return found


def _waiting_since(blame: str, lang: str) -> str:
    """Return the date at which the first of the entries that wait for a translator began to; empty if none does."""
    dates: dict[str, str] = {}
    lines: list[tuple[str, str]] = []
    commit, seconds = "", 0
    for line in blame.split("\n"):
        if line.startswith("\t"):
            lines.append((line[1:], commit))
        elif match := re.match(r"([0-9a-f]{40,64}) \d+ \d+", line):
            commit = match[1]
        elif line.startswith("author-time "):
            seconds = int(line[12:])
        elif line.startswith("author-tz "):
            dates[commit] = _date(seconds, line[10:])
    text = "\n".join(line for line, _ in lines)
    waiting = []
    try:
        entries: Mapping[str, Any] = parse_catalog(text.encode(), "", lang).entries
    except PylitError:  # of an old commit
        return ""
    for entry in entries.values():
        if entry.state is State.TRANSLATED or not 0 < entry.line <= len(lines):
            continue
        place = entry.line - 1
        while entry.state is State.STALE and place and lines[place - 1][0].startswith("#"):
            place -= 1
            if lines[place][0].startswith("#,") and "fuzzy" in lines[place][0]:
                break
        waiting.append(dates.get(lines[place][1], ""))
    return min(filter(None, waiting), default="")


def _date(seconds: int, zone: str) -> str:
    """Return a date in the zone of its author, such as `+0800`."""
    match = re.fullmatch(r"([+-])(\d\d)(\d\d)", zone)
    offset = timedelta()
    if match:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3])) * (-1 if match[1] == "-" else 1)
    try:
        return (datetime.fromtimestamp(seconds, UTC) + offset).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return ""
