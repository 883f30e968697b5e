"""Processes that share the work of a build. Each has a KaTeX of its own, whose binding is not thread-safe.

A file stays with the process that has read it, which need not read it again, unless others have nothing left to do.
What they make goes through the store; only words about it pass between them.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import traceback
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from .cache import Store
from .settings import Page, Settings
from .site import Site
from .tasks import Done, Make, Task, work


class Team:
    """Some processes that work on a site."""

    def __init__(self, site: Site, size: int, weights: Mapping[str, int]) -> None:
        """Start `size` processes; `weights` tell how much there is to do for each file."""
        from . import document, survey  # noqa: F401 - once for all that are forked

        forked = has_one_thread()  # a fork costs next to nothing, but is not safe everywhere
        context: Any = multiprocessing.get_context("fork" if forked else "spawn")
        self.homes: dict[str, int] = {}
        self.weights = weights
        self.loads = [0] * size
        self.ends: list[Connection] = []
        self.processes: list[Any] = []
        for _ in range(size):
            end, other = context.Pipe()
            self.ends.append(end)
            given = (other, self.ends if forked else [], site.settings, site.pages, site.store)
            process = context.Process(target=_member, args=given, daemon=True)
            process.start()
            other.close()
            self.processes.append(process)

    def run(self, tasks: Sequence[Task]) -> Iterator[Done]:
        """Do `tasks` and yield what became of each, in any order.

        Raises:
            Exception: what a task raised.
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

        for end in self.ends:
            give(end)
        while busy:
            for end in [end for end in wait(busy) if isinstance(end, Connection)]:
                busy.remove(end)
                done = _result(end)
                give(end)
                yield done

    def tell(self, classes: Mapping[str, str]) -> None:
        """Tell all of them what only all modules together tell: the names of classes."""
        for end in self.ends:
            end.send(dict(classes))

    def stop(self) -> None:
        """End them, whatever they do."""
        for process in self.processes:
            process.terminate()
        for process, end in zip(self.processes, self.ends, strict=True):
            process.join()
            end.close()

    def _home(self, file: str) -> int:
        """The process that has a file, or will have it: the one with least to do."""
        if file not in self.homes:
            self.homes[file] = self.loads.index(min(self.loads))
            self.loads[self.homes[file]] += self.weights.get(file, 1)
        return self.homes[file]


def has_one_thread() -> bool:
    """Whether this process has one thread, also by the system's count: libraries start some that Python does not know.

    A fork copies that one, and the locks that others hold, which nobody would ever release.
    """
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:  # only Linux tells
        return False


def _result(end: Connection) -> Done:
    try:
        found = end.recv()
    except EOFError as error:
        raise RuntimeError(
            "a process of the build was killed; is there enough memory? Try --jobs 1"
        ) from error
    if isinstance(found, Exception):
        raise found
    done: Done = found
    return done


def _member(
    end: Connection, closed: Sequence[Connection], settings: Settings, pages: Sequence[Page], store: Store
) -> None:
    """What each process does: task after task, until the other end of its connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it tells it to stop
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in closed:  # or nobody would notice that the first process has ended
        other.close()
    gc.freeze()
    site = Site(settings, pages, store)
    while True:
        try:
            task = end.recv()
        except EOFError:
            return
        if isinstance(task, dict):
            vars(site.index)["classes"] = task
            continue
        try:
            if isinstance(task, Make):
                vars(site.index)["users"] = {task.file: task.users}
            done: Done | Exception = work(site, task)
        except Exception as error:
            done = error if _can_travel(error) else RuntimeError("".join(traceback.format_exception(error)))
        end.send(done)


def _can_travel(error: Exception) -> bool:
    try:
        return isinstance(pickle.loads(pickle.dumps(error)), type(error))
    except Exception:  # whatever it is made of
        return False
