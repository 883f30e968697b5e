"""A disk that is full, cannot be written or cannot be read costs a message, and never a page that was there."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from conftest import ROOT, Write
from sampling import thinned

from pylit.builder.output import MANIFEST
from pylit.builder.workplace import SUFFIX

SHARED = (
    "import pylit.builder.builder; pylit.builder.builder.SHARED = 0; from pylit.cli.main import main; main()"
)
"""A build that starts processes however little there is to do."""
RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
"""Lets even an administrator have no more rights than a file gives."""


def render(tree: Path, *options: str, limit: int = 0) -> subprocess.CompletedProcess[str]:
    """Build with few rights, and with files of at most `limit` bytes if there is a limit."""

    def begin() -> None:
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [
        *RIGHTS,
        sys.executable,
        "-c",
        SHARED,
        "render",
        "pkg",
        "--out",
        "out",
        "--no-search",
        *options,
    ]
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
    assert message in result.stderr and "Choose another folder, or free space there" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.process
@pytest.mark.parametrize(("jobs", "limit"), thinned([("2", 700), *product("12", [1, 20_000]), ("1", 700)], 6))
def test_disk_that_is_full(tree: Path, jobs: str, limit: int) -> None:
    """Wherever it gets full: the limit cuts the small files off, or only the large ones."""
    old = content(tree / "out")
    result = render(tree, "--cache", "cache", "--jobs", jobs, limit=limit)
    assert_told(result, "cannot be written: File too large")
    now = content(tree / "out")
    assert now.keys() == old.keys()
    assert not list(tree.rglob(f"*{SUFFIX}"))
    assert not list((tree / "cache").rglob("*.new")) and not list((tree / "tmp").iterdir())
    assert render(tree, "--cache", "cache", "--jobs", jobs).returncode == 0
    new = content(tree / "out")
    for url, data in now.items():
        assert data in (old[url], new[url]) or url == MANIFEST, url
    assert render(tree, "--no-cache", "--out", "clean").returncode == 0
    assert new == content(tree / "clean")


MKDOCS = """\
site_name: Test
site_url: https://example.org/
theme: {name: pylit}
plugins:
  - pylit: {sources: [pkg], search: false, cache: %s, archive: all.zip}
"""
DOORS = {
    "render": ["pylit", "render", "pkg", "--no-search", "--out", "disk/out", "--cache"],
    "mkdocs": ["mkdocs", "build", "--site-dir", "disk/out", "--config-file"],
}
SMALL = """\
set -e
if [ -n "$SIZE" ]; then mount -t tmpfs -o "size=$SIZE" tmpfs "$MOUNT"; fi
[ -d kept ] && mkdir -p disk/out && cp -R kept/. disk/out
code=0
"$@" || code=$?
rm -rf kept left
cp -R disk/out kept
mkdir left
find . -name '*.pylit-new' -exec cp -R {} left \\;
exit $code
"""
"""Builds a site that begins as what is in `kept`, on a disk that may be small, and keeps what there is after that."""
CAN_MOUNT = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).returncode == 0


def build_on(
    tree: Path, door: str, cache: str, mount: str = "", size: int = 0
) -> subprocess.CompletedProcess[str]:
    """Build `disk/out` by one of the doors, with at most `size` bytes in the folder `mount`, or small files only."""

    def begin() -> None:
        if size and not CAN_MOUNT:
            resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))

    (tree / "mkdocs.yml").write_text(MKDOCS % cache)
    (tree / "docs").mkdir(exist_ok=True)
    (tree / mount).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", *DOORS[door], {"render": cache, "mkdocs": "mkdocs.yml"}[door]]
    given = {"SIZE": f"{size}" if size and CAN_MOUNT else "", "MOUNT": mount}
    env = {**os.environ, **given, "PYTHONPATH": str(ROOT), "TMPDIR": str(tree / "tmp")}
    shell = [*(["unshare", "-rm"] if CAN_MOUNT else []), "sh", "-c", SMALL, "sh", *command]
    return subprocess.run(shell, cwd=tree, env=env, capture_output=True, text=True, preexec_fn=begin)


@pytest.mark.process
@pytest.mark.parametrize(
    ("door", "mount"),
    thinned([("render", "disk/out"), ("mkdocs", "disk"), ("render", "cache"), ("mkdocs", "cache")], 4),
)
def test_small_disk(write: Write, tmp_path: Path, door: str, mount: str) -> None:
    """The folder that is full is named: the one beside the site, the one in it, or the cache."""
    (tmp_path / "tmp").mkdir()
    write_pages(write, "Old. ")
    first = build_on(tmp_path, door, "cache")
    assert first.returncode == 0, first.stderr
    old = content(tmp_path / "kept")
    write_pages(write, f"{random.Random(0).randbytes(400).hex()} ")
    size = 2 * sum(4096 + len(data) for data in old.values()) if mount != "cache" else 16_384
    result = build_on(tmp_path, door, "cache" if mount == "cache" else "other", mount, size)
    assert result.returncode == 1, result.stderr
    full = {"disk": "disk/.out.pylit-new", "disk/out": "disk/out/.pylit-new", "cache": "cache"}[mount]
    reason = "No space left on device" if CAN_MOUNT else "File too large"
    if CAN_MOUNT:
        assert f"{tmp_path / full}: error: cannot be written: {reason}" in result.stderr
    assert f"cannot be written: {reason}" in result.stderr
    assert "Choose another folder, or free space there and make it writable." in result.stderr
    assert "Traceback" not in result.stderr
    assert content(tmp_path / "kept") == old
    assert not list((tmp_path / "left").iterdir()) and not list((tmp_path / "tmp").iterdir())
    again = build_on(tmp_path, door, "other", mount, 50_000_000)
    assert again.returncode == 0, again.stderr
    assert content(tmp_path / "kept").keys() == old.keys()
    assert not list((tmp_path / "left").iterdir())


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


@pytest.mark.process
@pytest.mark.parametrize("locked", thinned(["out/assets", "out", "."], 3))
def test_folder_that_is_read_only(tree: Path, lock: Callable[[Path, int], None], locked: str) -> None:
    """The site, a folder in it, or the one that it is in: that is not needed."""
    old = content(tree / "out")
    style = tree / "out/assets/pylit.css"
    (tree / "sources").mkdir()
    (tree / "pkg").rename(tree / "sources/pkg")
    if locked == "out/assets":
        style.unlink()
    lock(tree / locked, 0o555)
    command = [
        *RIGHTS,
        sys.executable,
        "-m",
        "pylit",
        "render",
        "sources/pkg",
        "--no-search",
        "-o",
        "out",
        "--cache",
        "cache",
    ]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True)
    if locked == ".":
        assert result.returncode == 0, result.stderr
        assert content(tree / "out").keys() == old.keys()
    else:
        assert_told(result, f"{locked}: error: cannot be written: Permission denied")
        assert content(tree / "out").keys() == old.keys() - ({"assets/pylit.css"} if "/" in locked else set())
    assert not list(tree.rglob(f"*{SUFFIX}"))


@pytest.mark.process
def test_mkdocs_and_a_folder_that_is_read_only(tree: Path, lock: Callable[[Path, int], None]) -> None:
    (tree / "docs").mkdir()
    (tree / "mkdocs.yml").write_text(MKDOCS % "cache")
    old = content(tree / "out")
    lock(tree / "out", 0o555)
    command = [*RIGHTS, sys.executable, "-m", "mkdocs", "build", "--site-dir", "out"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True)
    assert_told(result, f"{tree / 'out'}: error: cannot be written: Permission denied")
    assert content(tree / "out") == old


@pytest.mark.process
@pytest.mark.parametrize("is_asked", thinned([False, True], 2))
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


@pytest.mark.process
def test_source_that_cannot_be_read(tree: Path, lock: Callable[[Path, int], None]) -> None:
    old = content(tree / "out")
    lock(tree / "pkg/m3.py", 0)
    result = render(tree, "--cache", "cache", "--strict")
    assert result.returncode == 1
    assert "pkg/m3.py: error: cannot be read: Permission denied" in result.stderr
    assert content(tree / "out") == old
    result = render(tree, "--cache", "cache")
    assert result.returncode == 0
    assert "pkg/m3.py: warning: cannot be read: Permission denied" in result.stderr
    assert content(tree / "out")["m3.html"] == old["m3.html"]
    assert content(tree / "out")["m4.html"] != old["m4.html"]
