"""Worker processes that share a build. Each has its own KaTeX, whose binding is not thread-safe.

A file is assigned to the process that has parsed it, until that process is the only busy one. Results are exchanged
through the store; only messages are passed between processes.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from ..cache import Store
from ..site import Page, Settings, Site, Workbench
from .deps_log import News, Told
from .work_units import Done, Make, Task

PATIENCE = 5.0
"""Seconds to wait for a process to end after it was asked to."""


class Team:
    """Worker processes for one site."""

    def __init__(self, site: Site, size: int, weights: Mapping[str, int]) -> None:
        """Start `size` processes. `weights` gives the amount of work per file."""
        forked = has_one_thread()  # a fork is cheap, but not safe with several threads
        context: Any = multiprocessing.get_context("fork" if forked else "spawn")
        self.site = site
        self.store = site.store
        self.is_busy = False
        """Whether processes are working."""
        self.homes: dict[str, int] = {}
        self.weights = weights
        self.loads = [0] * size
        self.ends: list[Connection] = []
        self.processes: list[Any] = []
        for _ in range(size):
            end, other = context.Pipe()
            self.ends.append(end)
            closed, workbench = (self.ends, site.workbench) if forked else ([], None)
            given = (other, closed, site.settings, site.pages, site.store, workbench)
            process = context.Process(target=_member, args=given, daemon=True)
            process.start()
            other.close()
            self.processes.append(process)

    def run(self, tasks: Sequence[Task]) -> Iterator[Done]:
        """Do `tasks` and yield the result of each, in any order.

        Raises:
            Exception: if a task raises it.
            RuntimeError: if a process was killed.
        """
        queues: list[deque[Task]] = [deque() for _ in self.ends]
        for task in tasks:
            queues[self._home(task.file)].append(task)
        busy: list[Connection] = []

        def give(end: Connection) -> None:
            own = queues[self.ends.index(end)]
            queue = own or max(queues, key=len)
            if queue:
                end.send(queue.popleft() if queue is own else queue.pop())
                busy.append(end)

        self.is_busy = True
        for end in self.ends:
            give(end)
        while busy:
            for end in [end for end in wait(busy) if isinstance(end, Connection)]:
                busy.remove(end)
                done, news = _result(end)
                give(end)
                news.add_to(self.site)
                yield done
        self.is_busy = False

    def tell(self, classes: Mapping[str, str]) -> None:
        """Send all processes the names of classes, which can only be collected from all modules together."""
        for end in self.ends:
            end.send(dict(classes))

    def stop(self) -> None:
        """End all processes immediately."""
        for process in self.processes:
            process.terminate()
        for process, end in zip(self.processes, self.ends, strict=True):
            process.join(PATIENCE)
            process.kill()
            process.join()
            end.close()
        if self.is_busy:
            self.store.sweep()

    def _home(self, file: str) -> int:
        """Return the process that a file is assigned to; a new file goes to the one with the least work."""
        if file not in self.homes:
            self.homes[file] = self.loads.index(min(self.loads))
            self.loads[self.homes[file]] += self.weights.get(file, 1)
        return self.homes[file]


def has_one_thread() -> bool:
    """Return whether this process has a single thread, counting those that libraries start outside Python.

    A fork copies only the current thread, and locks held by other threads would never be released.
    """
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:  # only Linux has this folder
        return False


def _result(end: Connection) -> tuple[Done, News]:
    try:
        found = end.recv()
    except EOFError as error:
        raise RuntimeError(
            "a process of the build was killed; is there enough memory? Try --jobs 1"
        ) from error
    if isinstance(found, Exception):
        raise found
    result: tuple[Done, News] = found
    return result


def _member(
    end: Connection,
    closed: Sequence[Connection],
    settings: Settings,
    pages: Sequence[Page],
    store: Store,
    workbench: Workbench | None,
) -> None:
    """Main loop of a worker process: do tasks until the other end of its connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process stops it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # removes the temporary file that is being written
    for other in closed:  # otherwise the end of the parent would go unnoticed
        other.close()
    gc.freeze()
    if workbench:
        workbench.typesetter.katex.forget()
    site = Site(settings, pages, store, workbench=workbench)
    told = Told()
    while True:
        try:
            task = end.recv()
        except EOFError:
            return
        if isinstance(task, dict):
            vars(site.definitions.index)["classes"] = task
            continue
        try:
            if isinstance(task, Make):
                vars(site.definitions.index)["users"] = {task.file: task.users}
            done: tuple[Done, News] | Exception = (task.run(site), told.news(site))
        except Exception as error:
            done = error if _can_travel(error) else RuntimeError("".join(traceback.format_exception(error)))
        end.send(done)


def _can_travel(error: Exception) -> bool:
    try:
        return isinstance(pickle.loads(pickle.dumps(error)), type(error))
    except Exception:  # unpickling can raise anything
        return False
