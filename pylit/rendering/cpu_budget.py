"""Limits the CPU time of a block of code, independently of the load of the machine."""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class OverBudget(BaseException):
    """The time is up. Like `KeyboardInterrupt`, it can be raised anywhere, and `except Exception` does not catch it."""


@contextmanager
def budget(seconds: float) -> Iterator[Callable[[], None]]:
    """Limit the CPU time of the `with` block, in this thread. Provides a function to be called from time to time.

    On the main thread, where the system has timers, a single long call, such as a backtracking regular expression, is
    interrupted too. Elsewhere, such a call completes first.

    Raises:
        OverBudget: when the time is up, from anywhere in the block.
    """
    started = time.thread_time()
    is_over = False

    def check() -> None:
        if not is_over and time.thread_time() - started >= seconds:
            raise OverBudget

    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield check
        return

    def ring(number: int, frame: FrameType | None) -> None:
        check()

    timer = signal.ITIMER_VIRTUAL
    # An exception raised in a finalizer would be lost, and the finalizer would not complete.
    is_collecting = gc.isenabled()
    gc.disable()
    handler = signal.signal(signal.SIGVTALRM, ring)
    # Repeated, since it counts the time of all threads, and an exception could still get lost in a destructor.
    before, interval = signal.setitimer(timer, max(seconds, 0.001), 0.05)
    try:
        yield check
    finally:
        try:
            is_over = True
        finally:  # the timer may have fired just now
            signal.setitimer(timer, 0)
            signal.signal(signal.SIGVTALRM, signal.SIG_DFL if handler is None else handler)
            if before:
                signal.setitimer(timer, max(before - (time.thread_time() - started), 0.001), interval)
            if is_collecting:
                gc.enable()
