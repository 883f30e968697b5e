"""A disk that is full, cannot be written or cannot be read costs a message, and never a page that was there."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Write

from pylit.publish import MANIFEST, STAGED

SHARED = "import pylit.build; pylit.build.SHARED = 0; from pylit.cli import main; main()"
"""A build that starts processes however little there is to do."""
RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
"""Lets even an administrator have no more rights than a file gives."""


def render(tree: Path, *options: str, limit: int = 0) -> subprocess.CompletedProcess[str]:
    """Build with few rights, and with files of at most `limit` bytes if there is a limit."""

    def begin() -> None:
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [*RIGHTS, sys.executable, "-c", SHARED, "render", "pkg", "--out", "out", *options]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tree / "tmp")}
    return subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, preexec_fn=begin)


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def write_pages(write: Write, words: str) -> None:
    for number in range(6):
        write(f"pkg/m{number}.py", f'"""\n# Module {number}\n\n{words * (1 + 300 * number)} $x$\n"""\n')


@pytest.fixture
def tree(write: Write, tmp_path: Path) -> Path:
    """A site that was built from old words, and whose sources now have new ones."""
    (tmp_path / "tmp").mkdir()
    write_pages(write, "Old. ")
    assert render(tmp_path, "--cache", "cache").returncode == 0
    write_pages(write, f"{random.Random(0).randbytes(40).hex()} ")  # which does not get much smaller
    return tmp_path


def assert_told(result: subprocess.CompletedProcess[str], message: str) -> None:
    """A failure is told in two lines: what cannot be done, and how to mend it."""
    assert result.returncode == 1
    assert message in result.stderr and "Choose another folder, or make room there" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("limit", [1, 700, 20_000])
def test_disk_that_is_full(tree: Path, jobs: str, limit: int) -> None:
    """Wherever it gets full: the limit cuts the small files off, or only the large ones."""
    old = content(tree / "out")
    result = render(tree, "--cache", "cache", "--jobs", jobs, limit=limit)
    assert_told(result, "cannot be written: File too large")
    now = content(tree / "out")
    assert now.keys() == old.keys()
    for path in (tree / "out").rglob("*"):
        assert not path.name.startswith(STAGED)
    assert not list((tree / "cache").rglob("*.new")) and not list((tree / "tmp").iterdir())
    assert render(tree, "--cache", "cache", "--jobs", jobs).returncode == 0
    new = content(tree / "out")
    for url, data in now.items():
        assert data in (old[url], new[url]) or url == MANIFEST, url
    assert render(tree, "--no-cache", "--out", "clean").returncode == 0
    assert new == content(tree / "clean")


@pytest.fixture
def lock() -> Iterator[Callable[[Path, int], None]]:
    """Take rights away from a file or folder, until the test is over."""
    changed: list[tuple[Path, int]] = []

    def change(path: Path, mode: int) -> None:
        changed.append((path, path.stat().st_mode))
        path.chmod(mode)

    yield change
    for path, mode in reversed(changed):
        path.chmod(mode)


def test_folder_that_is_read_only(tree: Path, lock: Callable[[Path, int], None]) -> None:
    old = content(tree / "out")
    lock(tree / "out", 0o555)
    assert_told(render(tree), "out: error: cannot be written: Permission denied")
    assert content(tree / "out") == old


@pytest.mark.parametrize("is_asked", [False, True])
def test_cache_that_is_read_only(tree: Path, lock: Callable[[Path, int], None], is_asked: bool) -> None:
    """One that nobody has asked for is done without."""
    cache = tree / ".pylit-cache"
    assert render(tree, "--out", "first").returncode == 0
    for path in [cache, *cache.iterdir()]:
        lock(path, 0o555 if path.is_dir() else 0o444)
    before = content(cache)
    write_new = (tree / "pkg/m0.py").read_text("utf-8") + "x = 1\n"
    (tree / "pkg/m0.py").write_text(write_new, "utf-8")
    result = render(tree, *(["--cache", ".pylit-cache"] if is_asked else []))
    if is_asked:
        assert result.returncode == 1
        assert ".pylit-cache: error: cannot be written: Permission denied" in result.stderr
        assert "Choose another folder for the cache, or none." in result.stderr
    else:
        assert result.returncode == 0, result.stderr
        assert '<span class="m">1</span>' in (tree / "out/m0.html").read_text("utf-8")
    assert content(cache) == before


def test_source_that_cannot_be_read(tree: Path, lock: Callable[[Path, int], None]) -> None:
    old = content(tree / "out")
    lock(tree / "pkg/m3.py", 0)
    result = render(tree, "--cache", "cache")
    assert result.returncode == 1
    assert "pkg/m3.py: error: cannot be read: Permission denied" in result.stderr
    assert content(tree / "out") == old
    assert render(tree, "--cache", "cache", "--keep-going").returncode == 1
    assert content(tree / "out")["m3.html"] == old["m3.html"]
    assert content(tree / "out")["m4.html"] != old["m4.html"]
