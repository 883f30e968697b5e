"""Memory is kept from step to step, where the C library knows how."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

from labml_nn.training.machine import keep_memory

FAULTS = """\
import resource, sys, torch
from labml_nn.training.machine import keep_memory

assert len(sys.argv) == 1 or keep_memory()
for step in range(20):
    if step == 10:  # by now it has all that it needs
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(10 * 2**20)  # more than glibc learns to keep by itself
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*words: str) -> int:
    """How often the system had to hand over a page, in ten steps that need 40 MB each."""
    command = [sys.executable, "-c", FAULTS, *words]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries cannot")
def test_memory_is_not_asked_for_again() -> None:
    assert faults() > 10_000
    assert faults("keep") < 1000


def test_systems_that_cannot_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())  # musl has no such setting
    assert keep_memory() is False
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", None)
    assert keep_memory() is False


def test_old_versions_keep_what_they_can(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class Old:
        def mallopt(self, setting: int, value: int) -> int:
            asked.append((setting, value))
            return int(value <= 2**25 or setting == -1)

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Old())
    monkeypatch.setattr(sys, "platform", "linux")
    assert keep_memory() is True
    assert asked == [(-3, 2**31 - 1), (-3, 2**25), (-1, 2**31 - 1)]
