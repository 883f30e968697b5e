"""Runs KaTeX in a process of its own, so that no formula can take the build down with it.

KaTeX's Python binding corrupts the memory of its process when a formula needs more stack than it has, and it is not
thread-safe. A process that has run out of stack, died or taken too long is ended, and the next formula gets a new one.
What a formula may say is `math`'s to decide. As a script this file is the other process, which reads one request a
line and answers it with one line.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from threading import Lock, Timer
from typing import IO

PATIENCE = 20.0
"""Seconds that one formula may take. The longest that is let through takes about one."""
_EXHAUSTED = "size exceeded"
"""What KaTeX's binding says when it has run out of stack, after which it must not be used any more."""


class KatexError(ValueError):
    """A formula that KaTeX does not typeset, with its reason."""


class Katex:
    """A process that runs KaTeX, started when it is first needed."""

    def __init__(self, command: Iterable[str] = ()) -> None:
        # With `-P`, the modules beside this file do not hide the standard library's `math`.
        self._command = list(command) or [sys.executable, "-P", __file__]
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def render(self, tex: str, display: bool) -> str:
        """Typeset a formula.

        Raises:
            KatexError: if KaTeX rejects it, or does not survive it.
        """
        with self._lock:
            answer = self._ask(json.dumps([tex, display]))
            if answer is None or answer["wrong"] == _EXHAUSTED:
                self.close()
                raise KatexError("it is nested so deep, or takes so long, that KaTeX gives up; simplify it")
        if answer["wrong"]:
            raise KatexError(answer["wrong"])
        return answer["html"]

    def close(self) -> None:
        """End the process, if there is one."""
        if process := self._process:
            self._process = None
            process.kill()
            with suppress(BrokenPipeError):  # what was not read any more is of no use
                process.communicate()

    def forget(self) -> None:
        """Leave the process to the one that started it: this one was forked from there."""
        self._lock = Lock()
        if process := self._process:
            self._process = None
            process.returncode = 0  # it is not ours to wait for
            for pipe in filter(None, (process.stdin, process.stdout)):
                pipe.close()

    def _ask(self, request: str) -> dict[str, str] | None:
        """The answer to a request; `None` if the process died over it."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        process = self._process
        assert process.stdin and process.stdout
        timer = Timer(PATIENCE, process.kill)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(request + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        except BaseException:  # interrupted: the next formula must not get the answer to this one
            self.close()
            raise
        finally:
            timer.cancel()
            timer.join()  # where there are threads, processes cannot be forked safely
        found: dict[str, str] | None = json.loads(answer) if answer.endswith("\n") else None
        return found


def serve(requests: Iterable[str], answers: IO[str]) -> None:
    """Answer requests until there are no more, or KaTeX must not be used any more."""
    import pykatex

    # Whoever asks may be gone before KaTeX is done, so this process keeps the time, too.
    limit = getattr(signal, "setitimer", lambda which, seconds: None)
    for request in requests:
        limit(0, PATIENCE)
        tex, display = json.loads(request)
        answer = {"html": "", "wrong": ""}
        try:
            answer["html"] = pykatex.renderToString(
                tex, displayMode=display, trust=True, maxExpand=1000, maxSize=50, strict=pykatex.STRICT_IGNORE
            )
        except (pykatex.ParseError, ValueError) as error:  # a ValueError for characters it does not take
            answer["wrong"] = str(error) or "KaTeX gives no reason"
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        limit(0, 0)
        if answer["wrong"] == _EXHAUSTED:
            return


KATEX = Katex()
"""What all formulas of this process are typeset with."""
atexit.register(KATEX.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=KATEX.forget)


def main() -> None:
    """Answer what is asked, and let KaTeX say nothing in between: it warns of unusual letters where answers go."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
