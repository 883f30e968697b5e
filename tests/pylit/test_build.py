"""Building writes whole files or none, only those that changed, the same in one process and in several."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from conftest import Write

from pylit import jobs
from pylit import publish as publishing
from pylit.build import assets, build
from pylit.cache import Store
from pylit.discovery import find_pages
from pylit.errors import PylitError
from pylit.publish import MANIFEST
from pylit.site import Settings, Site

GOOD = '"""\n# Good\n\n![A dot](dot.png)\n"""\n'
BAD = '"""\n# Bad $\\frac$\n"""\n'
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d4944415478da63fccfc0f01f0005050201a3e6ed5c0000000049454e44ae426082"
)


@pytest.fixture
def tree(write: Write, tmp_path: Path) -> Path:
    write("pkg/__init__.py", '"""\n# Home\n\n[good](sub/good.py)\n"""\n')
    write("pkg/sub/good.py", GOOD)
    (tmp_path / "pkg/sub/dot.png").write_bytes(PNG)
    return tmp_path


def site(base: Path, **options: str) -> Site:
    return find_pages(Settings(base=base, roots=(("pkg", ""),), languages=("en", "zh"), **options))  # type: ignore[arg-type]


def snapshot(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def test_what_is_written(tree: Path) -> None:
    report = build(site(tree, site_url="https://example.org/x"), tree / "out")
    assert not report.problems
    pages = {"index.html", "sub/good.html", "zh/index.html", "zh/sub/good.html"}
    extra = {"404.html", "sitemap.xml", "sub/dot.png", MANIFEST, *assets()}
    assert set(snapshot(tree / "out")) == pages | extra
    assert 'src="../../sub/dot.png"' in (tree / "out/zh/sub/good.html").read_text("utf-8")
    assert "https://example.org/x/zh/sub/good.html" in (tree / "out/sitemap.xml").read_text("utf-8")


def test_nothing_is_left_beside_the_output(tree: Path) -> None:
    build(site(tree), tree / "out")
    assert {path.name for path in tree.iterdir()} == {"pkg", "out"}


def test_unchanged_files_are_not_touched(tree: Path, write: Write) -> None:
    build(site(tree), tree / "out")
    before = {p: p.stat().st_mtime_ns for p in (tree / "out").rglob("*") if p.is_file()}
    write("pkg/sub/good.py", GOOD.replace("Good", "Better"))
    build(site(tree), tree / "out")
    changed = {p.relative_to(tree / "out").as_posix() for p, t in before.items() if p.stat().st_mtime_ns != t}
    # The pages before it name it in their links.
    assert changed == {"index.html", "sub/good.html", "zh/index.html", "zh/sub/good.html", MANIFEST}


def test_errors_leave_the_old_site_and_name_every_problem(tree: Path, write: Write) -> None:
    build(site(tree), tree / "out")
    before = snapshot(tree / "out")
    write("pkg/bad.py", BAD)
    write("pkg/worse.py", "x = (")
    write("pkg/sub/good.py", GOOD.replace("Good", "Changed"))
    report = build(site(tree), tree / "out")
    assert [problem.file for problem in report.errors] == ["pkg/bad.py", "pkg/worse.py"]
    assert snapshot(tree / "out") == before


def test_keep_going_writes_the_pages_that_are_right(tree: Path, write: Write) -> None:
    write("pkg/bad.py", BAD)
    report = build(site(tree), tree / "out", keep_going=True)
    assert report.errors
    assert (tree / "out/sub/good.html").is_file()
    assert not (tree / "out/bad.html").exists()


def test_folder_that_cannot_be_written(tree: Path) -> None:
    (tree / "file").write_text("")
    for out in (tree / "file", tree / "file" / "below"):
        with pytest.raises(
            PylitError, match=r"file.*: error: cannot be written: (File exists|Not a directory)"
        ):
            build(site(tree), out)
    (tree / "out" / "index.html").mkdir(parents=True)
    with pytest.raises(PylitError, match=r"cannot be written: Is a directory"):
        build(site(tree), tree / "out")


def test_mistake_of_ours_names_the_page(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr("pylit.view.render_page", fail)
    with pytest.raises(RuntimeError) as error:
        build(site(tree), tree / "out", jobs=1)
    assert error.value.__notes__ == ["while rendering pkg/sub/good.py in the language en"]


@pytest.mark.usefixtures("always_shared")
def test_any_number_of_processes_writes_the_same(tree: Path, write: Write) -> None:
    for number in range(20):
        write(f"pkg/m{number}.py", f'"""\n# Module {number}\n\n$x_{number}$\n"""\n')
    write("pkg/bad.py", BAD)
    done: list[int] = []
    one = build(site(tree), tree / "one", jobs=1, keep_going=True)
    three = build(site(tree), tree / "three", jobs=3, keep_going=True, advance=done.append)
    assert snapshot(tree / "one") == snapshot(tree / "three")
    assert one.problems == three.problems
    assert sum(done) == len(site(tree).pages) == 23


@pytest.fixture
def always_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start processes however little there is to do."""
    monkeypatch.setattr("pylit.build.SHARED", 0)


@pytest.mark.usefixtures("always_shared")
def test_processes_that_are_not_forked(tree: Path) -> None:
    """As on other systems, and where there are threads."""
    stop = Event()
    thread = Thread(target=stop.wait)
    thread.start()
    try:
        build(site(tree), tree / "spawned", jobs=2)
    finally:
        stop.set()
        thread.join()
    build(site(tree), tree / "alone", jobs=1)
    assert snapshot(tree / "spawned") == snapshot(tree / "alone")


@pytest.fixture
def forked(always_shared: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes have what a test has put in place of something, although other tests left threads behind."""
    monkeypatch.setattr("pylit.workers.has_one_thread", lambda: True)


@pytest.mark.usefixtures("forked")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # from Python 3.12 on
def test_mistake_of_ours_in_another_process(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ours(Exception):
        """One that cannot go from one process to another."""

    def fail(*arguments: object) -> None:
        raise error("a mistake")

    monkeypatch.setattr("pylit.view.render_page", fail)
    error: type[Exception] = ValueError
    with pytest.raises(ValueError, match="a mistake") as told:
        build(site(tree), tree / "out", jobs=2)
    assert "while rendering pkg/" in told.value.__notes__[0]
    error = Ours
    with pytest.raises(RuntimeError, match=r"(?s)Ours: a mistake.*while rendering pkg/"):
        build(site(tree), tree / "out", jobs=2)
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures("forked")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # from Python 3.12 on
def test_process_that_is_killed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylit.workers.work", lambda site, task: os._exit(9))
    with pytest.raises(RuntimeError, match=r"a process of the build was killed.*Try --jobs 1"):
        build(site(tree), tree / "out", jobs=2)
    assert not multiprocessing.active_children()


def test_cache_that_is_emptied_meanwhile(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between making pages and writing them, somebody removes all."""
    expected = build(site(tree), tree / "expected")
    folder = tree.parent / "kept"
    publish = publishing.publish

    def emptied(*arguments: Any) -> None:
        shutil.rmtree(folder)
        folder.mkdir()
        publish(*arguments)

    monkeypatch.setattr("pylit.build.publish", emptied)
    found = find_pages(site(tree).settings, Store(folder))
    assert build(found, tree / "out").problems == expected.problems
    assert snapshot(tree / "out") == snapshot(tree / "expected")


def test_file_that_changes_meanwhile_is_not_remembered_as_it_was(
    tree: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is made of what was read, and is kept under nothing else."""
    folder = tree.parent / "kept"
    do = jobs.do

    def saved(job: jobs.Job, *rest: Any) -> jobs.Made:
        if job.file == "pkg/sub/good.py":
            write(job.file, GOOD.replace("Good", "Better"))
        return do(job, *rest)

    monkeypatch.setattr("pylit.tasks.do", saved)
    build(find_pages(site(tree).settings, Store(folder)), tree / "out", jobs=1)
    monkeypatch.undo()
    for title in ("Good", "Better"):
        write("pkg/sub/good.py", GOOD.replace("Good", title))
        build(find_pages(site(tree).settings, Store(folder)), tree / "out", jobs=1)
        build(site(tree), tree / "clean", jobs=1)
        assert snapshot(tree / "out") == snapshot(tree / "clean")


def test_index_for_searching_is_kept(tree: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def index(pages: Iterable[tuple[str, str]]) -> dict[str, bytes]:
        asked.append([url for url, html in pages if "<h1" in html])
        return {"pagefind/x": b"%d" % len(asked)}

    monkeypatch.setattr("pylit.search.index_files", index)
    settings = replace(site(tree).settings, search=True)

    def index_after(**changes: Any) -> bytes:
        build(find_pages(replace(settings, **changes), Store(tree.parent / "kept")), tree / "out", jobs=1)
        return (tree / "out/pagefind/x").read_bytes()

    assert [index_after(), index_after(), index_after(preview=True), index_after(preview=True)] == [
        b"1",
        b"1",
        b"2",
        b"2",
    ]
    assert asked[0] == ["index.html", "sub/good.html", "zh/index.html", "zh/sub/good.html"]
    write("pkg/sub/good.py", GOOD.replace("Good", "Better"))
    assert index_after(preview=True) == b"2", "a preview keeps the first"
    assert index_after() == b"3"
    write("pkg/new.py", '"""\n# New\n"""\n')
    assert index_after(preview=True) == b"4"
