"""When a signature tells that a file is what it was, and when it tells nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pylit.filesystem import moved_signature, signature
from pylit.filesystem.signatures import COARSE, FINE

LATER = 10 * COARSE


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """By how many nanoseconds the clock of the system has been set forward, or back."""
    offset, real = [0], time.time_ns
    monkeypatch.setattr("time.time_ns", lambda: real() + offset[0])
    return offset


def test_a_file_has_a_signature_once_it_is_left_alone(tmp_path: Path, clock: list[int]) -> None:
    path = tmp_path / "a"
    path.write_text("a")
    clock[0] = -1_000_000_000  # it is from the future
    assert signature(path) is None
    clock[0] = LATER
    first = signature(path)
    assert first and first == signature(path)


def test_changes_that_leave_size_and_time_as_they_were(tmp_path: Path, clock: list[int]) -> None:
    path = tmp_path / "a"
    path.write_text("a")
    clock[0] = LATER
    before, first = path.stat(), signature(path)
    path.write_text("b")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert signature(path) != first
    second = signature(path)
    (tmp_path / "new").write_text("c")
    os.utime(tmp_path / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(tmp_path / "new", path)
    assert signature(path) != second


@pytest.mark.parametrize(("times", "window"), [((7_000_000_000, 0), COARSE), ((7_000_000_001, 0), FINE)])
def test_what_counts_as_just_now_depends_on_the_steps_of_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: tuple[int, int], window: int
) -> None:
    status = os.stat_result(
        (0o100644, 1, 1, 1, 0, 0, 1, 0, 0, 0), {"st_mtime_ns": times[0], "st_ctime_ns": times[1]}
    )
    monkeypatch.setattr("os.stat", lambda *_, **__: status)
    monkeypatch.setattr("time.time_ns", lambda: times[0] + window - 1)
    assert signature("a") is None
    monkeypatch.setattr("time.time_ns", lambda: times[0] + window)
    assert signature("a")


def test_what_is_no_regular_file_has_none(tmp_path: Path, clock: list[int]) -> None:
    clock[0] = LATER
    (tmp_path / "a").write_text("a")
    (tmp_path / "link").symlink_to("a")
    assert signature(tmp_path) is None
    assert signature(tmp_path / "gone") is None
    assert signature(tmp_path / "nul\0") is None
    assert signature(tmp_path / "link") == signature(tmp_path / "a")
    assert signature(tmp_path / "link", follow=False) is None


def test_moved_file(tmp_path: Path, clock: list[int]) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("a")
    before = source.lstat()
    os.replace(source, target)
    assert moved_signature(target, before) is None  # it was written just now
    clock[0] = LATER
    assert moved_signature(target, before) == signature(target)
    target.write_text("b")
    assert moved_signature(target, before) is None
    assert moved_signature(source, before) is None
