r"""
---
title: Tracking
summary:
  Recording what a run was and what it measured with labml, in a way that can never stop the run.
---

# Tracking

A result is worth little if nobody knows what produced it. [labml](https://github.com/labmlai/labml)
notes the configuration, the version of the code and all measurements of a run, shows them on the
screen, and writes them to `logs/`. With `app_url` it also sends them to a labml server, to be
watched from elsewhere.

Notes must not get in the way of the work. If the disk is full or there is no git repository, a
warning is shown once, and the run goes on without them.
"""

import socket
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from labml import experiment, lab, tracker

from labml_nn.training.machine import Machine


class Tracker:
    """Notes a run with labml."""

    def __init__(
        self,
        name: str,
        config: dict[str, Any],
        machine: Machine,
        app_url: str | None = None,
    ) -> None:
        """Begins the notes. If that fails, a warning is shown, and there are none.

        * `name` is the name of the experiment
        * `config` is its configuration, as plain values
        * `machine` tells whether this process is the one that keeps notes
        * `app_url` is the address of a labml server, if the run is to be shown there
        """
        # Only one process keeps notes; the others would write the same.
        self.is_on = machine.is_main
        self.watcher: Any = None
        self._try(lambda: self._start(name, config, app_url))

    def _start(
        self, name: str, config: dict[str, Any], app_url: str | None
    ) -> None:
        writers = {"screen", "file"}
        if app_url and _answers(app_url):
            lab.configure({"app_url": app_url})
            writers.add("app")
        experiment.create(name=name, writers=writers)
        experiment.configs(config)
        self.watcher = experiment.start()

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

    def report(self, step: int, values: dict[str, float]) -> None:
        """Notes `values` as measured after `step` steps."""

        def note() -> None:
            tracker.save(step, values)
            tracker.new_line()

        self._try(note)

    def _try(self, action: Callable[[], None]) -> None:
        """Does something that may fail, once it has failed never again.

        labml raises whatever the file system, git or the network raised, and sometimes ends the
        process.
        """
        if not self.is_on:
            return
        try:
            action()
        except (Exception, SystemExit) as error:
            self.is_on = False
            warnings.warn(
                f"labml keeps no notes of this run: {error!r}", stacklevel=3
            )


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
