"""What lies in the output folder is always whole, and nothing there is removed that is not ours."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import ROOT, Write

from pylit.cache import digest
from pylit.publish import ABANDONED, MANIFEST, STAGED, Item, publish, published

ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
SLOW = """\
import os, sys, time
replace = os.replace
def slowly(*arguments):
    time.sleep(0.004)
    replace(*arguments)
os.replace = slowly
import pylit.build
pylit.build.SHARED = 0
from pylit.cli import main
main()
"""
"""A build that takes long to write files, so that it is easily stopped while it does, and always shares the work."""


def items(**texts: str) -> dict[str, Item]:
    """Files to publish: their names, with `_` for a slash, and what they hold."""
    return {
        name.replace("_", "/"): Item(digest(text), text.encode, "page " + name)
        for name, text in texts.items()
    }


def content(out: Path) -> dict[str, str]:
    """The files in a folder, but for the manifest and those that are being written."""
    found = {}
    for folder, folders, files in os.walk(out):
        folders[:] = [name for name in folders if not name.startswith(STAGED)]
        paths = [Path(folder, name) for name in files if name != MANIFEST]
        found.update({path.relative_to(out).as_posix(): path.read_text("utf-8") for path in paths})
    return found


def test_what_is_gone_is_removed_with_its_folder(tmp_path: Path) -> None:
    publish(tmp_path, items(a="1", sub_deep_b="2", sub_c="3"))
    publish(tmp_path, items(a="1", sub_c="3"))
    assert content(tmp_path) == {"a": "1", "sub/c": "3"}
    assert not (tmp_path / "sub/deep").exists()
    publish(tmp_path, items(a="1"))
    assert [path.name for path in sorted(tmp_path.iterdir())] == [MANIFEST, "a"]
    assert published(tmp_path) == ["a"]


def test_what_others_have_put_there_stays(tmp_path: Path) -> None:
    (tmp_path / "CNAME").write_text("example.org")
    publish(tmp_path, items(a="1", b="2", sub_c="3"))
    (tmp_path / "b").write_text("edited by hand")
    (tmp_path / "sub/theirs").write_text("x")
    publish(tmp_path, items(a="1"))
    assert content(tmp_path) == {"CNAME": "example.org", "a": "1", "b": "edited by hand", "sub/theirs": "x"}


def test_edited_output_is_written_again(tmp_path: Path) -> None:
    publish(tmp_path, items(a="1"))
    (tmp_path / "a").write_text("2")
    publish(tmp_path, items(a="1"))
    assert content(tmp_path) == {"a": "1"}


def test_what_could_not_be_made_stays(tmp_path: Path) -> None:
    publish(tmp_path, items(a="1", b="2"))
    publish(tmp_path, items(a="1"), unmade=["page b"])
    assert content(tmp_path) == {"a": "1", "b": "2"}
    publish(tmp_path, items(a="1"))
    assert content(tmp_path) == {"a": "1"}


def test_nothing_is_written_when_nothing_has_changed(tmp_path: Path) -> None:
    publish(tmp_path, items(a="1", sub_b="2"))
    before = {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}
    publish(tmp_path, items(a="1", sub_b="2"))
    assert before == {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"\x00\xff",
        b"[]",
        b'{"files": []}',
        b'{"files": {"victim": 1}}',
        b'{"files": {"victim": ["x"]}}',
        b"[" * 100_000,
    ],
)
def test_manifest_that_is_none_removes_nothing(tmp_path: Path, manifest: bytes) -> None:
    (tmp_path / "victim").write_text("x")
    (tmp_path / MANIFEST).write_bytes(manifest)
    publish(tmp_path, items(a="1"))
    assert content(tmp_path) == {"a": "1", "victim": "x"}


def test_manifest_of_somebody_who_means_harm_removes_nothing(tmp_path: Path) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim"
    (out / "folder").mkdir(parents=True)
    victim.write_text("x")
    (out / "link").symlink_to(victim)
    (out / "linked").symlink_to(tmp_path)
    names = [
        "../victim",
        str(victim),
        "link",
        "linked/victim",
        "folder",
        "",
        ".",
        "folder/../../victim",
        "a\0b",
    ]
    files = {name: [digest("x"), "page"] for name in names}
    (out / MANIFEST).write_text(json.dumps({"files": files}))
    publish(out, items(a="1"))
    assert victim.read_text() == "x"
    assert (out / "link").is_symlink() and (out / "linked").is_symlink() and (out / "folder").is_dir()


def test_capitals_that_a_file_system_does_not_tell_apart(tmp_path: Path) -> None:
    publish(tmp_path, items(A="1"))
    os.link(tmp_path / "A", tmp_path / "a")  # as it looks on such a file system
    publish(tmp_path, items(a="1"))
    assert content(tmp_path)["a"] == "1"


def test_folders_of_builds_that_were_killed_are_removed(tmp_path: Path) -> None:
    old, young = tmp_path / f"{STAGED}old", tmp_path / f"{STAGED}young"
    for folder in (old, young):
        folder.mkdir()
        (folder / "file").write_text("half")
    then = time.time() - 2 * ABANDONED
    os.utime(old, (then, then))
    publish(tmp_path, items(a="1"))
    assert not old.exists() and young.exists()


def start(tree: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SLOW, "render", "pkg", "--out", "out", "--cache", "cache", *options]
    return subprocess.Popen(command, cwd=tree, env=ENV, stderr=subprocess.DEVNULL, start_new_session=True)


def wait_for_group(group: int) -> None:
    """Wait until there is no process of a build any more: none of those that share the work, and no KaTeX."""
    end = time.monotonic() + 60

    def is_there(status: Path) -> bool:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            state, _, of = status.read_text().rpartition(")")[2].split()[:3]
            return int(of) == group and state != "Z"
        return False

    while found := [status for status in Path("/proc").glob("[0-9]*/stat") if is_there(status)]:
        assert time.monotonic() < end, found
        time.sleep(0.02)


def write_pages(write: Write, words: str, count: int = 12) -> None:
    """Write each module at once, as half of one would be a third state."""
    for number in range(count):
        path = write(f"pkg/m{number}.new", f'"""\n# Module {number}\n\n{words} $x_{number}$\n"""\n')
        path.replace(path.with_suffix(".py"))


@pytest.fixture
def states(write: Write, tmp_path: Path) -> list[dict[str, str]]:
    """The pages of two states of a site, of which the first is built."""
    found = []
    for words in ("Old.", "New."):
        write_pages(write, words)
        command = [sys.executable, "-m", "pylit", "render", "pkg", "-o", words, "--no-cache"]
        subprocess.run(command, cwd=tmp_path, env=ENV, check=True)
        found.append(content(tmp_path / words))
    write_pages(write, "Old.")
    assert start(tmp_path).wait() == 0
    assert content(tmp_path / "out") == found[0] != found[1]
    return found


def assert_whole(out: Path, states: list[dict[str, str]]) -> None:
    """Each file is the old one or the new one."""
    for url, text in content(out).items():
        assert text in [state[url] for state in states], url


KILLED = 10
JOBS = ("1", "2")


@pytest.mark.parametrize("jobs", JOBS)
def test_killed_at_any_moment(states: list[dict[str, str]], write: Write, tmp_path: Path, jobs: str) -> None:
    """Either all of its processes are, or the first, which the others notice."""
    chance = random.Random(int(jobs))
    for attempt in range(KILLED):
        write_pages(write, ("New.", "Old.")[attempt % 2])
        if attempt % 2 == 0:  # or soon nothing would be left to make
            shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        process = start(tmp_path, "--jobs", jobs)
        time.sleep(0.2 + 0.6 * chance.random())
        if attempt % 4 < 2:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        wait_for_group(process.pid)
        assert_whole(tmp_path / "out", states)
    write_pages(write, "New.")
    assert start(tmp_path, "--jobs", jobs).wait() == 0
    assert content(tmp_path / "out") == states[1]


def test_two_builds_at_once(states: list[dict[str, str]], write: Write, tmp_path: Path) -> None:
    for attempt in range(3):
        first = start(tmp_path)
        time.sleep(0.1 * attempt)
        write_pages(write, ("New.", "Old.", "New.")[attempt])
        second = start(tmp_path)
        while first.poll() is None or second.poll() is None:
            assert_whole(tmp_path / "out", states)
        assert first.wait() == second.wait() == 0
    assert start(tmp_path).wait() == 0
    assert content(tmp_path / "out") == states[1]
    assert not list((tmp_path / "out").glob(f"{STAGED}*"))
    assert not list((tmp_path / "cache").rglob("*.new"))


@pytest.mark.parametrize("option", [["--jobs", "1"], ["--no-cache"], ["--jobs", "2"]])
def test_told_to_stop_nothing_temporary_is_left(
    states: list[dict[str, str]],
    write: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: list[str],
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setitem(ENV, "TMPDIR", str(tmp_path / "tmp"))
    stopped = 0
    for attempt in range(6):
        write_pages(write, ("New.", "Old.")[attempt % 2])
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)  # or soon nothing would be left to make
        process = start(tmp_path, *option)
        time.sleep(0.25 + 0.1 * attempt)
        process.terminate()
        assert process.wait() in (0, 143, -signal.SIGTERM)
        stopped += process.returncode != 0
        wait_for_group(process.pid)
        assert not list((tmp_path / "out").glob(f"{STAGED}*"))
        assert not list((tmp_path / "tmp").iterdir())
        assert_whole(tmp_path / "out", states)
    assert stopped
