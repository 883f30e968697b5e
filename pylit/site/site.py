"""A site: its settings, its pages, and the objects that answer a page's questions about other files.

Anything that concerns another file is answered from the stored facts of that file, so that pages can be made
independently of each other, in several processes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ..cache import THEME, Questions, Store, digest, engine_digest, folders_digest
from ..errors import Problem, Report, Severity
from ..i18n import catalog_file
from ..rendering import Pictures
from ..resolve import Links
from .code_links import CodeLinks
from .definitions import Definitions
from .files import Files
from .history import History
from .navigation import Navigation
from .settings import Page as Page
from .settings import Settings as Settings
from .sources import Sources
from .translations import Translations
from .workbench import Workbench

if TYPE_CHECKING:
    from ..parsing import Source
    from ..tracing import Chip


class Site:
    """The pages of a site, and everything that can be asked about them."""

    def __init__(
        self,
        settings: Settings,
        pages: Sequence[Page] = (),
        store: Store | None = None,
        problems: Sequence[Problem] = (),
        workbench: Workbench | None = None,
    ) -> None:
        self.settings = settings
        self.pages = tuple(pages)
        self.store = store or Store(None)
        self.problems = tuple(problems)
        """Notes and errors about files and folders that did not become pages."""
        self.workbench = workbench or Workbench()
        self._is_workbench_ours = workbench is None
        self.questions = Questions()
        folders = settings.translations, settings.traces, settings.theme
        self.files = Files(self.questions, settings.base, folders)
        self.navigation = Navigation(self.questions, settings, self.pages)
        self.code_links = CodeLinks(settings, self.files)
        self.sources = Sources(self.files, self.store, self.workbench, self.pages, settings.conventions)
        self.translations = Translations(settings, self.sources, self.store)
        self.history = History(settings, self.translations, self.store)
        self.definitions = Definitions(self.translations)

    def kept_in(self, store: Store) -> Site:
        """Return a copy of the site that uses another store and the same workbench."""
        return Site(self.settings, self.pages, store, self.problems, self.workbench)

    def close(self) -> None:
        """End the processes of the workbench, unless it was passed in by the caller. They restart when needed."""
        if self._is_workbench_ours:
            self.workbench.close()

    @cached_property
    def identity(self) -> str:
        """Digest of the engine and the settings, which together determine what is made of a file."""
        theme = [self.settings.theme] if self.settings.theme else []
        return digest(
            engine_digest(), folders_digest(THEME, catalog_file("").parent, *theme), self.settings.key()
        )

    @property
    def owns_engine(self) -> bool:
        """Whether this is the site of the project that maintains the engine, and so the strings of the interface."""
        return (self.settings.base / "pylit" / "i18n" / "ui_strings.py").is_file()

    def links(self, file: str, lang: str) -> Links:
        """Return the link resolver for the page of a file in a language."""
        return Links(file, lang, self.navigation, self.sources, self.files, self.code_links)

    def chips(self, source: Source, report: Report) -> Mapping[int, tuple[Chip, ...]]:
        """Return the shapes to show at the ends of a module's lines, by line number. Stale ones go to `report`."""
        from ..tracing import NoTraceError, parse_chips, parse_trace, trace_command, trace_path

        if self.settings.traces is None or not source.is_python or source.problem:
            return {}
        file = self.files.name(trace_path(self.settings.traces, source.file))
        try:
            found, problems = parse_chips(source, parse_trace(self.files.read(file)))
        except FileNotFoundError:
            return {}
        except (OSError, NoTraceError) as error:
            hint = f"Remove it and record it again: `{trace_command(source.file)}`."
            reason = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
            found, problems = {}, [Problem(file, 0, reason, hint, Severity.WARNING)]
        report.extend(problems)
        return found

    def pictures(self, source: Source, report: Report) -> Pictures:
        """Return the pictures of a module's tensors. Stale ones go to `report`."""
        from ..tracing import INDEX, NoTraceError, parse_pictures, pictures_path, place_pictures

        if self.settings.traces is None or not source.is_python or source.problem:
            return Pictures()
        folder = self.files.name(pictures_path(self.settings.traces, source.file))
        file = f"{folder}/{INDEX}"
        try:
            found = parse_pictures(self.files.read(file))
        except FileNotFoundError:
            return Pictures()
        except (OSError, NoTraceError) as error:
            reason = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
            report.add(Problem(file, 0, reason, "Remove it and record it again.", Severity.WARNING))
            return Pictures()
        steps, problems = place_pictures(source, found)
        report.extend(problems)
        return Pictures(folder, found.scale, steps)
