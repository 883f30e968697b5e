"""Handling of termination signals: temporary files are removed, and steps that belong together are completed."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals other than Ctrl-C that ask a process to end: by request, or because its terminal was closed."""


def end_on_sigterm() -> None:
    """Make termination signals raise `SystemExit`, as Ctrl-C raises an exception, so that cleanup code runs."""
    with suppress(ValueError):  # only the main thread can set handlers
        for number in ENDING:
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, lambda number, _: sys.exit(128 + number))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Delay signals until the body of the `with` statement has finished."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread receives signals
        yield
        return
    kept: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: kept.append(number))
        for number in (*ENDING, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for kept_back in kept:
            signal.raise_signal(kept_back)
