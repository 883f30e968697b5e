"""Runs KaTeX in a separate process, so that no formula can crash the build.

KaTeX's Python binding corrupts memory when a formula overflows its stack, and it is not thread-safe. A process that
has run out of stack, died or timed out is replaced for the next formula. `typeset` decides which commands are allowed.
Run as a script, this file is that process, which reads one request per line and answers with one line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterable
from contextlib import suppress
from threading import Lock, Timer
from typing import IO, Any

PATIENCE = 20.0
"""Maximum CPU time for one formula in seconds. The slowest allowed formula takes about two."""
STANDSTILL = 15
"""Ratio of maximum wall time to CPU time; 1 where a process cannot limit its own CPU time."""
_EXHAUSTED = "size exceeded"
"""KaTeX's message for a stack overflow, after which the process must not be used again."""


class KatexError(ValueError):
    """A formula that KaTeX does not typeset, with the reason."""

    def __init__(self, reason: str, left: float = 0.0) -> None:
        super().__init__(reason)
        self.left = left
        """Seconds left for another attempt at the same formula."""


class KatexMissingError(RuntimeError):
    """KaTeX cannot be used: its binding is not installed, or in an unsuitable version."""


class Katex:
    """A process that runs KaTeX, started on first use."""

    def __init__(self, command: Iterable[str] = ()) -> None:
        # With `-P`, modules in this folder cannot shadow the standard library.
        self._command = list(command) or [sys.executable, "-P", __file__]
        self._running: list[subprocess.Popen[str]] = []
        """The process, if it is running."""
        self._owner = os.getpid()
        self._lock = Lock()
        weakref.finalize(self, _end, self._running, self._owner)

    def render(self, tex: str, display: bool, seconds: float | None = None) -> str:
        """Typeset a formula within `seconds`, by default `PATIENCE`.

        Raises:
            KatexError: if KaTeX rejects it, or the process dies.
            KatexMissingError: if KaTeX is not installed.
        """
        seconds = PATIENCE if seconds is None else seconds
        if self._owner != os.getpid():
            self.forget()
        with self._lock:
            answer = self._ask(json.dumps([tex, display, seconds]), seconds)
            if answer is None or answer.get("wrong") == _EXHAUSTED:
                self.close()
                reason = "it is nested too deeply or takes too long for KaTeX; simplify it"
                raise KatexError(reason, answer["left"] if answer else 0.0)
        if "missing" in answer:
            raise KatexMissingError(answer["missing"])
        if answer["wrong"]:
            raise KatexError(answer["wrong"], answer["left"])
        return str(answer["html"])

    def close(self) -> None:
        """End the process, if it is running."""
        _end(self._running, self._owner)

    def forget(self) -> None:
        """Drop the process after a fork: it belongs to the parent."""
        self._lock, self._owner = Lock(), os.getpid()
        for process in self._running:
            process.returncode = 0  # not a child of this process
            for pipe in filter(None, (process.stdin, process.stdout)):
                pipe.close()
        self._running = []
        weakref.finalize(self, _end, self._running, self._owner)

    def _ask(self, request: str, seconds: float) -> dict[str, Any] | None:
        """Send a request and return the answer; `None` if the process died."""
        if not self._running:
            self._running.append(
                subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            )
        (process,) = self._running
        assert process.stdin and process.stdout
        timer = Timer(seconds * (STANDSTILL if hasattr(signal, "setitimer") else 1), process.kill)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(request + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        except BaseException:  # interrupted: the next request must not get this answer
            self.close()
            raise
        finally:
            timer.cancel()
            timer.join()  # forking is not safe while there are other threads
        found: dict[str, Any] | None = json.loads(answer) if answer.endswith("\n") else None
        return found


def _end(running: list[subprocess.Popen[str]], owner: int) -> None:
    """End the process if it is running and was started by this process, the `owner`."""
    while running and owner == os.getpid():
        process = running.pop()
        process.kill()
        with suppress(BrokenPipeError):  # unread requests do not matter
            process.communicate()


def serve(requests: Iterable[str], answers: IO[str]) -> None:
    """Answer requests until there are no more, or KaTeX must not be used again."""
    try:
        from pykatex import STRICT_IGNORE, ParseError, renderToString
    except ImportError as error:
        for _ in requests:
            answers.write(json.dumps({"missing": str(error)}) + "\n")
            answers.flush()
        return

    # This process limits its own CPU time: the machine may be busy, and the parent may have died.
    limit = getattr(signal, "setitimer", lambda which, seconds: (PATIENCE, 0.0))
    timer = getattr(signal, "ITIMER_PROF", 0)
    for request in requests:
        tex, display, seconds = json.loads(request)
        limit(timer, seconds)
        answer = {"html": "", "wrong": "", "left": 0.0}
        try:
            answer["html"] = renderToString(
                tex, displayMode=display, trust=True, maxExpand=1000, maxSize=50, strict=STRICT_IGNORE
            )
        except (ParseError, ValueError) as error:  # a ValueError for unsupported characters
            answer["wrong"] = str(error) or "KaTeX gave no reason"
        answer["left"] = limit(timer, 0)[0]
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if answer["wrong"] == _EXHAUSTED:
            return


def main() -> None:
    """Answer requests on stdin. KaTeX's warnings must not be mixed with answers, so its stdout is redirected to
    stderr.
    """
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
