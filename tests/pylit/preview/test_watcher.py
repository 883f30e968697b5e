"""Whatever happens to a file that is watched is seen, and what is of no interest is not."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Write

from pylit.preview.watcher import Listing, Watched, Watcher, look

PATIENCE = 60.0
"""Seconds after which nothing more will be told."""


def names(listing: Listing, base: Path) -> set[str]:
    return {os.path.relpath(path, base) for path in listing.files}


@pytest.fixture
def tree(write: Write, tmp_path: Path) -> Watched:
    for name in ("pkg/.git/c", "pkg/__pycache__/d", "pkg/e.pyc", "pkg/f.py~", "pkg/node_modules/g.py"):
        write(name, "x")
    for name in ("pkg/a.py", "pkg/deep/b.py", "pkg/env/pyvenv.cfg", "pkg/env/h.py", "one.md", "other.md"):
        os.utime(write(name, "x"), (1, 1))  # two saves in one tick of the clock would look alike
    return Watched(frozenset([tmp_path / "pkg"]), frozenset([tmp_path / "one.md", tmp_path / "gone.md"]))


def test_what_is_of_interest_is_listed(tree: Watched, tmp_path: Path) -> None:
    found = look(tree)
    assert names(found, tmp_path) == {"pkg", "pkg/a.py", "pkg/deep", "pkg/deep/b.py", "one.md"}
    assert set(found.folders) == {str(tmp_path), str(tmp_path / "pkg"), str(tmp_path / "pkg/deep")}


def test_folder_that_is_named_is_listed_whatever_it_is(tree: Watched, tmp_path: Path) -> None:
    named = Watched(frozenset([tmp_path / "pkg/env", tmp_path / "pkg/.git", tmp_path / "other.md"]))
    assert {"pkg/env/h.py", "pkg/.git/c", "other.md"} <= names(look(named), tmp_path)


def test_single_file_that_is_a_folder_is_not_entered(tree: Watched, tmp_path: Path) -> None:
    found = look(Watched(files=frozenset([tmp_path / "pkg"])))
    assert names(found, tmp_path) == {"pkg"}
    assert set(found.folders) == {str(tmp_path)}


def test_folder_that_is_not_there_is_waited_for_where_it_will_be(tmp_path: Path) -> None:
    found = look(Watched(frozenset([tmp_path / "a/b/c"])))
    assert not found.files
    assert set(found.folders) == {str(tmp_path)}


def test_links_to_folders_are_not_followed_and_links_to_files_are(write: Write, tmp_path: Path) -> None:
    (write("pkg/a.py", "x").parent / "loop").symlink_to(tmp_path)
    (tmp_path / "pkg/b.py").symlink_to(write("elsewhere.py", "x"))
    (tmp_path / "pkg/c.py").symlink_to("nowhere")
    watched = Watched(frozenset([tmp_path / "pkg"]))
    before = look(watched)
    assert names(before, tmp_path) == {"pkg", "pkg/a.py", "pkg/b.py", "pkg/loop"}
    write("elsewhere.py", "longer")
    assert look(watched) != before


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "\udcff"])
def test_names_that_no_file_has(tmp_path: Path, name: str) -> None:
    found = look(Watched(frozenset([tmp_path / name]), frozenset([tmp_path / name])))
    assert not found.files


def make_file(base: Path) -> None:
    shutil.rmtree(base / "pkg")
    (base / "pkg").touch()


def make_folder(base: Path) -> None:
    (base / "one.md").unlink()
    (base / "one.md").mkdir()


CHANGES: dict[str, Callable[[Path], object]] = {
    "saved": lambda base: (base / "pkg/a.py").write_text("longer"),
    "saved, and as large as before": lambda base: (base / "pkg/a.py").write_text("y"),
    "replaced": lambda base: os.replace(shutil.copy(base / "pkg/a.py", base / "pkg/.a"), base / "pkg/a.py"),
    "removed": lambda base: (base / "pkg/a.py").unlink(),
    "added": lambda base: (base / "pkg/new.py").touch(),
    "added in a new folder": lambda base: shutil.copytree(base / "pkg/deep", base / "pkg/deeper"),
    "a folder removed": lambda base: shutil.rmtree(base / "pkg"),
    "forbidden": lambda base: (base / "pkg/a.py").chmod(0o200),
    "a folder forbidden": lambda base: (base / "pkg/deep").chmod(0o300),
    "a file where a folder was": make_file,
    "a single file saved": lambda base: (base / "one.md").write_text("longer"),
    "a single file made": lambda base: (base / "gone.md").touch(),
    "a single file removed": lambda base: (base / "one.md").unlink(),
    "a folder where a file was": make_folder,
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen_by_looking(tree: Watched, tmp_path: Path, change: str) -> None:
    before = look(tree)
    assert look(tree) == before
    CHANGES[change](tmp_path)
    assert look(tree).files != before.files


IDLE: dict[str, Callable[[Path], object]] = {
    "read": lambda base: (base / "pkg/a.py").read_text(),
    "a hidden file": lambda base: (base / "pkg/.a.swp").touch(),
    "a backup": lambda base: (base / "pkg/a.py~").touch(),
    "compiled": lambda base: (base / "pkg/a.pyc").touch(),
    "another file beside a single one": lambda base: (base / "other.md").write_text("longer"),
}


@pytest.mark.parametrize("change", IDLE)
def test_what_is_of_no_interest_is_not_seen(tree: Watched, tmp_path: Path, change: str) -> None:
    before = look(tree)
    IDLE[change](tmp_path)
    assert look(tree).files == before.files


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watcher = Watcher()
    yield watcher
    watcher.close()
    assert not [thread for thread in threading.enumerate() if thread in watcher._threads]


def told(watcher: Watcher, path: Path, change: Callable[[], object]) -> None:
    """Make a change again and again until the system tells of it: it may not listen yet."""
    for _ in range(int(PATIENCE / 0.2)):
        change()
        if str(path) in watcher.wait(0.2):
            return
    raise AssertionError(path)


def test_system_tells_of_saves(tree: Watched, tmp_path: Path, watcher: Watcher) -> None:
    listing = look(tree)
    assert watcher.follow(listing.folders)
    file = tmp_path / "pkg/deep/b.py"
    told(watcher, file, file.touch)
    assert not watcher.follow(listing.folders)
    (tmp_path / "pkg/a.py").read_text()
    told(watcher, file, lambda: os.replace(shutil.copy(file, tmp_path / "pkg/deep/.b"), file))
    assert not watcher.failure


def test_folder_that_was_made_again_is_followed_again(
    tree: Watched, tmp_path: Path, watcher: Watcher
) -> None:
    """Although it is called as before, and may have the same number."""
    folders, pkg = look(tree).folders, tmp_path / "pkg"
    watcher.follow(folders)

    def change() -> None:
        shutil.rmtree(pkg)
        (pkg / "deep").mkdir(parents=True)

    told(watcher, pkg, change)
    assert watcher.follow(folders, {str(pkg)})
    file = pkg / "a.py"
    told(watcher, file, file.touch)


def test_folder_that_is_gone_is_followed_again_once_it_is_there(tmp_path: Path, watcher: Watcher) -> None:
    folder = tmp_path / "new"
    watcher.follow({str(folder): (0, 0)})
    assert watcher.wait(PATIENCE) == {""}
    folder.mkdir()
    assert watcher.follow({str(folder): (0, 0)})
    told(watcher, folder / "a.py", (folder / "a.py").touch)


def test_folder_whose_name_is_not_utf8_is_left_to_looking(tmp_path: Path, watcher: Watcher) -> None:
    strange, plain = tmp_path / "\udcff", tmp_path / "ä"
    for folder in (strange, plain):
        folder.mkdir()
    watcher.follow(look(Watched(frozenset([strange, plain]))).folders)
    told(watcher, plain / "a.py", (plain / "a.py").touch)


@pytest.mark.parametrize("error", [OSError("limit reached"), RuntimeError("limit reached")])
def test_why_the_system_does_not_tell(
    tmp_path: Path, watcher: Watcher, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def watch(*folders: str, **options: object) -> None:
        raise error

    monkeypatch.setattr("watchfiles.watch", watch)
    watcher.follow({str(tmp_path): (0, 0)})
    assert watcher.wait(PATIENCE) == {""}
    assert watcher.failure == "limit reached"
    monkeypatch.undo()
    assert watcher.follow({str(tmp_path): (0, 1)})
    told(watcher, tmp_path / "a", (tmp_path / "a").touch)
    assert not watcher.failure
