"""Rebuilds a site whenever one of its files is saved, and shows it, or its problems.

No save is missed: the files are listed before and after each build, and if they differ, another build follows. The
dependencies of a page are known only after it was built, so a build that has found new ones is also followed by
another, which has almost nothing to do.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ..builder import build, published_digests, rehearse
from ..cache import THEME, Store
from ..errors import Problem, PylitError, Report, plural, unexpected
from ..i18n import LOCALE
from ..signals import undisturbed
from ..site import Configuration, Settings, Site, Workbench, find_pages, site_settings, site_store
from .edition import Edition
from .editor import Editor
from .server import PreviewServer
from .watcher import Listing, Watched, Watcher, look

LOOK = 1.0
"""Seconds between two listings of the files while the system reports no change."""
SOON = 0.1
"""The same while the system does not report all changes, or not yet."""
SHARE = 50
"""Minimum ratio of the time between two listings to the time that a listing takes."""

Tell = Callable[[str], None]
"""Prints a message to the user."""


def run_preview(
    load: Callable[[], Configuration],
    files: Iterable[Path],
    server: PreviewServer,
    tell: Tell,
    ready: Callable[[], None] = lambda: None,
    *,
    debug: bool = False,
) -> None:
    """Build a site, serve it, and rebuild it whenever a file is saved, until a signal ends the process.

    Args:
        load: Reads the configuration of the site.
        files: Files that are, or may become, the configuration.
        server: The server.
        tell: Prints a message to the user.
        ready: Called when pages can be read.
        debug: Whether to print tracebacks of bugs in pylit.
    """
    with temporary_folder() as folder, ExitStack() as stack:
        stack.callback(server.stop)
        preview = Preview(load, files, folder, tell, debug=debug, edits=server.is_private)
        stack.callback(preview.close)
        if server.is_private:
            server.editor = Editor(preview.open_site)
        # Before the server starts there is one thread, so that the processes of the first build can be forked.
        before = preview.look()
        server.board.pin(preview.make())
        server.start(preview.out)
        ready()
        preview.rehearse()
        while True:
            before = preview.wait(before)
            server.board.pin(preview.make())


class Preview:
    """A site under preview, and its successive editions."""

    def __init__(
        self,
        load: Callable[[], Configuration],
        files: Iterable[Path],
        folder: Path,
        tell: Tell,
        *,
        debug: bool = False,
        edits: bool = False,
    ) -> None:
        """Prepare a preview that uses the temporary `folder`; with `edits`, its pages lead to the editor."""
        self.out = folder / "site"
        """Folder of the latest edition's files."""
        self.watcher = Watcher()
        self._workbench = Workbench()
        """In-memory cache, kept from build to build."""
        self._load = load
        self._configuration = frozenset(files)
        self._cache = folder / "cache"
        self._tell = tell
        self._debug = debug
        self._edits = edits
        self._desk = Workbench()
        """That of the editor, which works at the same time as a build."""
        self._watched = Watched(frozenset([THEME, LOCALE]), self._configuration)
        self._pause = LOOK
        self._secret = os.urandom(32)
        """Key for the entries of the temporary cache, used if there is no other."""
        self._identity = ""
        """Identity of the last build's engine and settings: if it changes, all pages are made again."""
        self._site: Site | None = None
        """The site of the last build."""
        self._files: Mapping[str, str] = {}
        self._failure: Problem | None = None
        self._known: Mapping[Problem, None] = {}
        self._noted: set[str] = set()

    def close(self) -> None:
        """Stop watching, and end other processes."""
        self.watcher.close()
        self._workbench.close()
        self._desk.close()

    def open_site(self) -> Site:
        """Return the site as it is on the disk, for the editor.

        Raises:
            PylitError: if its configuration is not valid, or its pages cannot be found.
        """
        configuration = self._load()
        store, _ = self._open_store(configuration)
        return find_pages(self._settings(configuration), store, self._desk)

    def look(self) -> Listing:
        """List all files that the site depends on."""
        start = time.monotonic()
        found = look(self._watched)
        self._pause = max(LOOK, SHARE * (time.monotonic() - start))
        return found

    def wait(self, before: Listing) -> Listing:
        """Wait until the files differ from the listing `before`; return the new listing."""
        touched: frozenset[str] = frozenset()
        while True:
            now = self.look()
            is_new = self.watcher.follow(now.folders, touched)
            if now.files != before.files or not touched.isdisjoint(now.files):
                return now
            if self.watcher.failure:
                self._note(
                    f"The system does not report changes, so they are noticed later: {self.watcher.failure}"
                )
            touched = self.watcher.wait(SOON if is_new or self.watcher.failure else self._pause)

    def make(self) -> Edition:
        """Rebuild what has changed."""
        start = time.monotonic()
        try:
            with unexpected("the site", "a preview"):
                report = self._build()
        except PylitError as error:
            return self._failed(error.problem)
        except OSError as error:
            name = os.fspath(error.filename) if error.filename else "the site"
            reason = f"cannot be read or written: {error.strerror or error}"
            return self._failed(Problem(name, 0, reason, "Fix its permissions, or free space there."))
        edition = Edition(published_digests(self.out), tuple(report.errors))
        self._say(edition.files, report, time.monotonic() - start)
        return edition

    def rehearse(self) -> None:
        """Load everything needed to make pages, so that the next save is shown without delay."""
        if self._site:
            with suppress(OSError):  # a file was just removed; the next build will report it
                rehearse(self._site)

    def _build(self) -> Report:
        configuration = self._load()
        settings = self._settings(configuration)
        folders = {settings.base / root for root, _ in settings.roots}
        folders |= {path for path in (settings.translations, settings.traces, settings.theme) if path}
        # Paths stay watched: a missing folder of translations is not in the settings.
        self._watched |= Watched(frozenset(folders))
        store, note = self._open_store(configuration)
        if note:
            self._note(note)
        site = find_pages(settings, store, self._workbench)
        # A few pages are made faster than processes are started.
        is_other, self._identity = site.identity != self._identity, site.identity
        report = build(site, self.out, jobs=0 if is_other else 1, keep_going=True)
        self._site = site
        folders, files = set(self._watched.folders), set(self._configuration)
        for file in report.depends:
            before, star, _ = file.partition("*")
            if star:
                folders.add(settings.base / before.rpartition("/")[0])
            else:
                files.add(settings.base / file)
        written = frozenset(filter(None, [store.folder]))
        self._watched = Watched(frozenset(folders), frozenset(files), written)
        return report

    def _settings(self, configuration: Configuration) -> Settings:
        """Return the settings of a site without parts that take long, or need a public address."""
        settings = site_settings(configuration, preview=True)
        return replace(settings, archive="", site_url="", edits=self._edits)

    def _open_store(self, configuration: Configuration) -> tuple[Store, str]:
        """Return the cache, a temporary one if there is no other, and a note for the user, which may be empty."""
        store = site_store(configuration)
        return (store if store.folder else Store(self._cache, self._secret)), store.note

    def _failed(self, problem: Problem) -> Edition:
        if problem != self._failure:
            self._show(problem)
        self._failure = problem
        return Edition(failure=problem)

    def _say(self, files: Mapping[str, str], report: Report, seconds: float) -> None:
        """Print new problems and the number of changed pages, if anything is new."""
        for problem in [*report.notes, *report.warnings, *report.errors]:
            if problem not in self._known:
                self._show(problem)
        pages = {url for url, _ in files.items() ^ self._files.items() if url.endswith(".html")}
        if pages or self._failure or report.problems != self._known:
            words = plural(len(pages), "page") + (" changed" if self._files else "")
            for problems, word in ((report.errors, "error"), (report.warnings, "warning")):
                words += f", {plural(len(problems), word)}" if problems else ""
            self._tell(f"{words} in {seconds:.2f} s")
        self._files, self._known, self._failure = files, report.problems, None

    def _show(self, problem: Problem) -> None:
        self._tell(f"{problem}\n{problem.traceback}".rstrip() if self._debug else str(problem))

    def _note(self, text: str) -> None:
        """Print a message only once."""
        if text not in self._noted:
            self._noted.add(text)
            self._tell(text)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create a folder that is removed at the end, even if a signal arrives."""
    with ExitStack() as stack:
        with undisturbed():
            folder = Path(tempfile.mkdtemp(prefix="pylit-"))
            stack.callback(_remove, folder)
        yield folder


def _remove(folder: Path) -> None:
    with undisturbed(), suppress(FileNotFoundError):  # already removed
        shutil.rmtree(folder)
