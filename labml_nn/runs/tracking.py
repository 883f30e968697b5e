r"""
---
title: Tracking
summary:
  Recording what a run was and what it measured with labml, in a way that can never stop the run.
---

# Tracking

A result is worth little if nobody knows what produced it. [labml](https://github.com/labmlai/labml)
notes the configuration, the version of the code and all measurements of a run, shows them in a
terminal, and writes them to `logs/`. With `app_url` it also sends them to a labml server, to be
watched from elsewhere.

Notes must not get in the way of the work. If labml is not installed, or if it cannot write to the
home folder, a warning is shown once, and the run goes on without it. The [files of the
run](files.py) hold all measurements in any case, and [what is shown](screen.py) does not depend on
labml.
"""

import builtins
import contextlib
import io
import socket
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from labml_nn.runs.screen import is_terminal
from labml_nn.training.machine import Machine

# The file by which labml knows the folder of a project
PROJECT = ".labml.yaml"


# How often labml is started when it misses a file.
START_ATTEMPTS = 5


class Tracker:
    """Notes a run with labml."""

    def __init__(
        self,
        name: str,
        config: dict[str, Any],
        machine: Machine,
        folder: Path,
        app_url: str | None = None,
        *,
        is_quiet: bool = False,
    ) -> None:
        """Begins the notes. If that fails, a warning is shown, and there are none.

        * `name` is the name of the experiment
        * `config` is its configuration, as plain values
        * `machine` tells whether this process is the one that keeps notes
        * `folder` is the folder of the run, for the logs if there is no project
        * `app_url` is the address of a labml server, if the run is to be shown there
        * `is_quiet` is whether labml is to show nothing
        """
        # Only one process keeps notes; the others would write the same.
        self.is_on = machine.is_main
        self.is_shown = is_terminal() and not is_quiet
        self.watcher: Any = None
        self._try(lambda: self._start(name, config, folder, app_url))

    def _start(
        self,
        name: str,
        config: dict[str, Any],
        folder: Path,
        app_url: str | None,
    ) -> None:
        # labml looks at its settings when it is imported for the first time, which may fail.
        with _outside_of_notebooks():
            from labml import experiment, lab

        writers = {"file", "screen"} if self.is_shown else {"file"}
        if app_url and _answers(app_url):
            lab.configure({"app_url": app_url})
            writers.add("app")
        with _silence(), _outside_of_notebooks():
            # It would print what it thinks of the folder.
            experiment.create(
                name=name, writers=writers, python_file=str(log_folder(folder))
            )
        experiment.configs(config)
        # In the home folder, labml lists where it was used, and removes folders that are gone. Runs
        # that start together remove the same one, which all but the first then miss.
        for attempt in range(START_ATTEMPTS):
            try:
                self.watcher = experiment.start()
                break
            except FileNotFoundError:
                if attempt == START_ATTEMPTS - 1:
                    raise

    def __enter__(self) -> "Tracker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Notes how the run ended.

        labml writes its file in a thread, which keeps the program alive until it is told so.
        """
        watcher, self.watcher = self.watcher, None
        if watcher is not None:
            self._try(lambda: watcher.__exit__(kind, error, traceback))

    def report(self, step: int, values: dict[str, float]) -> bool:
        """Notes `values` as measured after `step` steps. Returns whether labml has shown them."""

        def note() -> None:
            from labml import tracker

            tracker.save(step, values)
            if self.is_shown:
                tracker.new_line()

        self._try(note)
        return self.is_on and self.is_shown

    def _try(self, action: Callable[[], None]) -> None:
        """Does something that may fail, once it has failed never again.

        labml raises whatever the file system, git or the network raised, and sometimes ends the
        process. What it prints is left out unless it is to show something.
        """
        if not self.is_on:
            return
        try:
            with contextlib.nullcontext() if self.is_shown else _silence():
                action()
        except (Exception, SystemExit) as error:
            self.is_on = False
            warnings.warn(
                f"labml keeps no notes of this run: {error!r}", stacklevel=3
            )


def log_folder(run: Path) -> Path:
    """Where labml makes its folder `logs/`.

    That is the project: the folder with a `.labml.yaml` that we are in or below. Without one it is
    the folder of the `run`. labml itself would look where this module is, which may be among the
    packages that are installed.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PROJECT).is_file():
            return folder
    return run.absolute()


@contextlib.contextmanager
def _outside_of_notebooks() -> Iterator[None]:
    """Inside of this context, labml does not see that it is in a notebook.

    There it would import `display` from where IPython 9 has it no longer, and put its logs beside
    the notebook.
    """
    shell = vars(builtins).pop("get_ipython", None)
    try:
        yield
    finally:
        if shell is not None:
            vars(builtins)["get_ipython"] = shell


def _silence() -> contextlib.AbstractContextManager[object]:
    """Inside of this context, what is printed is lost."""
    return contextlib.redirect_stdout(io.StringIO())


def _answers(url: str) -> bool:
    """Whether a server answers at `url`. A warning says so if none does.

    labml tries for minutes to reach a server that is not there, and the end of the run would have
    to wait for it. So we knock first.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=5):
            return True
    except OSError as error:
        warnings.warn(
            f"the labml server at {url} does not answer ({error}); "
            "the run is only written to files",
            stacklevel=2,
        )
        return False
