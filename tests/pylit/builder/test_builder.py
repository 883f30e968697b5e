"""Building writes whole files or none, only those that changed, the same in one process and in several."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import SECRET, Write

from pylit.builder import builder as building
from pylit.builder import output as publishing
from pylit.builder import targets as jobs
from pylit.builder.builder import assets, build
from pylit.builder.output import MANIFEST
from pylit.builder.workplace import SUFFIX
from pylit.cache.store import Store
from pylit.cli.main import main
from pylit.errors import PylitError
from pylit.site.discovery import find_pages
from pylit.site.site import Settings, Site

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


def test_keep_going_writes_pages_that_have_errors(tree: Path, write: Write) -> None:
    write("pkg/bad.py", BAD)
    report = build(site(tree), tree / "out", keep_going=True)
    assert [problem.file for problem in report.errors] == ["pkg/bad.py"] and not report.missing
    assert (tree / "out/sub/good.html").is_file()
    assert r'<code class="wrong">\frac</code>' in (tree / "out/bad.html").read_text("utf-8")


def test_lenient_takes_errors_for_warnings(tree: Path, write: Write) -> None:
    write("pkg/bad.py", BAD)
    strict = build(site(tree), tree / "out", keep_going=True)
    lenient = build(site(tree), tree / "lenient", lenient=True)
    assert not lenient.errors and lenient.warnings == strict.errors
    assert snapshot(tree / "lenient") == snapshot(tree / "out")


@pytest.mark.parametrize("name", ["a.html", "a.xhtml", "a.js", "a.png", "a.GIF", "a.svg", "a.svgz", "a"])
@pytest.mark.parametrize("preview", [False, True])
def test_a_picture_that_is_refused_is_not_published(
    tree: Path, write: Write, name: str, preview: bool
) -> None:
    """Although its page is made, in a preview too."""
    write("pkg/bad.md", f"# Bad\n\n![A picture]({name})\n\n![A dot](sub/dot.png)\n")
    write(f"pkg/{name}", "<script>alert(1)</script>")
    found = site(tree)
    found = find_pages(replace(found.settings, preview=preview))
    report = build(found, tree / "out", jobs=1, lenient=True)
    assert any(name in problem.message for problem in report.warnings)
    written = snapshot(tree / "out")
    assert "bad.html" in written and "sub/dot.png" in written
    assert name not in written and not any(b"alert(1)" in data for data in written.values())


def test_lenient_writes_nothing_if_no_page_can_be_made(tree: Path) -> None:
    found = site(tree)
    shutil.rmtree(tree / "pkg")
    report = build(found, tree / "out", jobs=1, lenient=True)
    assert report.missing == {page.file for page in found.pages}
    assert not (tree / "out").exists()


def test_problems_of_pages_are_remembered(tree: Path, write: Write) -> None:
    write("pkg/bad.py", BAD)
    store = Store(tree / "cache", SECRET)

    def found() -> Site:
        return find_pages(Settings(base=tree, roots=(("pkg", ""),)), store)

    first = build(found(), tree / "out", jobs=1, lenient=True)
    made: list[int] = []
    second = build(found(), tree / "out", jobs=1, lenient=True, advance=made.append)
    assert second.warnings == first.warnings and made == [3]


def test_folder_that_cannot_be_written(tree: Path) -> None:
    (tree / "file").write_text("")
    for out in (tree / "file", tree / "file" / "below"):
        with pytest.raises(
            PylitError, match=r"file.*: error: cannot be written: (File exists|Not a directory)"
        ):
            build(site(tree), out)
    assert {path.name for path in tree.iterdir()} == {"pkg", "file"}


@pytest.mark.process
@pytest.mark.parametrize("kind", ["file", "loop", "theirs", "below"])
def test_folder_that_is_refused_by_the_command(
    tree: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tree)
    Path("file").write_text("mine")
    Path("loop").symlink_to("loop")
    Path("theirs").mkdir()
    Path("theirs/index.html").write_text("mine")
    Path("below").symlink_to("file/below")
    result = CliRunner().invoke(main, ["render", "pkg", "--out", kind, "--cache", "kept"])
    assert result.exit_code == 1
    message, hint = result.stderr.splitlines()
    assert re.search(
        r"(cannot be written: (Not a directory|Too many levels)|contains files .*`index.html`)", message
    )
    assert "Choose another folder" in hint
    assert {path.name for path in tree.iterdir()} <= {"pkg", "file", "loop", "theirs", "below", "kept"}
    assert [path.read_text() for path in (Path("file"), *Path("theirs").iterdir())] == ["mine", "mine"]
    forced = CliRunner().invoke(main, ["render", "pkg", "--out", kind, "--cache", "kept", "--force"])
    assert (forced.exit_code == 0) == (kind == "theirs"), forced.stderr
    assert Path("file").read_text() == "mine"


STAGES = {
    "the page": (
        "pylit.site.page.render_body",
        "cannot be made into a page in the language en, because of a bug in pylit",
    ),
    "its document": (
        "pylit.site.templates.render_rows",
        "cannot be made into a page in the language en, because of a bug in pylit",
    ),
    "its text": ("pylit.parsing.source.cut", "cannot be made into a page, because of a bug in pylit"),
    "its facts": (
        "pylit.resolve.collect._signature",
        "cannot be made into a page, because of a bug in pylit",
    ),
    "its colours": ("pylit.rendering.code_html.colours", "cannot be made into a page"),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("preview", [False, True])
def test_mistake_of_ours_costs_one_page(
    tree: Path, write: Write, monkeypatch: pytest.MonkeyPatch, stage: str, preview: bool
) -> None:
    """The others are written, and a preview shows what is wrong."""
    # What is remembered of other files with the same text is not asked for again.
    write("pkg/bug.py", f'"""\n# Has a bug in {stage}, {preview}\n"""\n\n\ndef bug(): ...\n')
    name, message = STAGES[stage]
    module, _, function = name.rpartition(".")
    real = getattr(import_module(module), function)

    def fail(*arguments: Any, **named: Any) -> Any:
        if "bug" in repr((arguments, named)):
            raise ZeroDivisionError("a mistake\nin two lines")
        return real(*arguments, **named)

    monkeypatch.setattr(name, fail)
    found = site(tree)
    report = build(
        find_pages(replace(found.settings, preview=preview)), tree / "out", jobs=1, keep_going=True
    )
    mine = [problem for problem in report.errors if problem.file == "pkg/bug.py"]
    assert mine == report.errors
    assert message in mine[0].message
    assert all(problem.message.endswith("ZeroDivisionError: a mistake") for problem in mine)
    assert all("Please report it" in problem.hint and "in fail" in problem.traceback for problem in mine)
    assert "Good" in (tree / "out/zh/sub/good.html").read_text("utf-8")
    shown = tree / "out/bug.html"
    assert shown.exists() == preview
    assert not preview or "because of a bug in pylit" in shown.read_text("utf-8").replace("&#x27;", "&#39;")


@pytest.mark.parametrize(
    ("stage", "suffix"),
    [*((stage, ".py") for stage in STAGES), ("the page", ".md"), ("its document", ".md")],
)
def test_a_page_that_cannot_be_made_is_a_listing(
    tree: Path, write: Write, monkeypatch: pytest.MonkeyPatch, stage: str, suffix: str
) -> None:
    """So that no link to it leads nowhere; the error is on top of it, and in the report."""
    # What is remembered of other files with the same text is not asked for again.
    write(f"pkg/bug{suffix}", f'"""\nHas a bug, <b>{stage}</b>\n"""\n\n\ndef bug(): ...\n')
    name, message = STAGES[stage]
    module, _, function = name.rpartition(".")
    real = getattr(import_module(module), function)

    def fail(*arguments: Any, **named: Any) -> Any:
        if "bug" in repr((arguments, named)):
            raise ZeroDivisionError("a mistake")
        return real(*arguments, **named)

    monkeypatch.setattr(name, fail)
    found = find_pages(replace(site(tree).settings, lenient=True))
    for _ in range(2):  # it is made again, as it is not kept
        report = build(found, tree / "out", jobs=1, lenient=True)
        assert {problem.file for problem in report.errors} == {f"pkg/bug{suffix}"}
        assert message in report.errors[0].message and not report.missing
    for lang in ("", "zh/"):
        html = (tree / "out" / lang / "bug.html").read_text("utf-8")
        assert "because of a bug in pylit: ZeroDivisionError: a mistake" in html.partition('class="wrong"')[
            2
        ] or (stage == "its document")
        assert "because of a bug in pylit" in html
        assert "<b>" not in html


def test_a_listing_instead_of_a_page_needs_a_file_that_can_be_read(
    tree: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("pkg/gone.py", "x = 1\n")
    found = find_pages(replace(site(tree).settings, lenient=True))
    (tree / "pkg/gone.py").unlink()
    report = build(found, tree / "out", jobs=1, lenient=True)
    assert report.missing == {"pkg/gone.py"}
    assert not (tree / "out/gone.html").exists() and (tree / "out/sub/good.html").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, SystemExit])
def test_what_is_no_mistake_ends_the_build(
    tree: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("pylit.site.page.render_body", fail)
    with pytest.raises(error):
        build(site(tree), tree / "out", jobs=1)


def test_mistake_of_ours_beside_the_pages(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("pylit.site.extra_file", fail)
    (problem,) = build(site(tree), tree / "out", jobs=1, keep_going=True).errors
    assert str(problem).startswith(
        "404.html: error: cannot be made into `404.html`, because of a bug in pylit: RuntimeError"
    )
    assert (tree / "out/index.html").exists()


@pytest.mark.slow
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
    monkeypatch.setattr("pylit.builder.builder.SHARED", 0)


@pytest.mark.usefixtures("always_shared")
@pytest.mark.process
@pytest.mark.slow
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
    monkeypatch.setattr("pylit.builder.process_pool.has_one_thread", lambda: True)


@pytest.mark.process
@pytest.mark.usefixtures("forked")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # from Python 3.12 on
def test_mistake_of_ours_in_another_process(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ours(Exception):
        """One that cannot go from one process to another."""

    def fail(*arguments: object) -> None:
        raise error("a mistake")

    monkeypatch.setattr("pylit.site.page.render_body", fail)
    error: type[Exception] = ValueError
    report = build(site(tree), tree / "out", jobs=2)
    assert {problem.file for problem in report.errors} == {"pkg/__init__.py", "pkg/sub/good.py"}
    assert all("in fail" in problem.traceback for problem in report.errors)
    for task in ("Read", "Make"):
        monkeypatch.setattr(f"pylit.builder.work_units.{task}.run", fail)
    with pytest.raises(ValueError, match="a mistake"):
        build(site(tree), tree / "out", jobs=2)
    error = Ours
    with pytest.raises(RuntimeError, match=r"Ours: a mistake"):
        build(site(tree), tree / "out", jobs=2)
    assert not multiprocessing.active_children()


@pytest.mark.process
@pytest.mark.usefixtures("forked")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # from Python 3.12 on
def test_process_that_is_killed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree / "kept"

    def die(task: object, site: Site) -> None:
        """While an entry is written."""
        assert multiprocessing.parent_process()
        with suppress(FileExistsError):
            (folder / "a").mkdir()
        (folder / f"a/.{site.store.mark}{os.urandom(4).hex()}.new").write_text("half")
        os._exit(9)

    for task in ("Read", "Make"):
        monkeypatch.setattr(f"pylit.builder.work_units.{task}.run", die)
    with pytest.raises(RuntimeError, match=r"a process of the build was killed.*Try --jobs 1"):
        build(find_pages(site(tree).settings, Store(folder, SECRET)), tree / "out", jobs=2)
    assert not multiprocessing.active_children() and not list((folder / "a").iterdir())


def test_cache_that_is_emptied_meanwhile(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between making pages and writing them, somebody removes all."""
    expected = build(site(tree), tree / "expected")
    folder = tree.parent / "kept"
    publish = publishing.publish

    def emptied(*arguments: Any, **options: Any) -> None:
        shutil.rmtree(folder)
        folder.mkdir()
        publish(*arguments, **options)

    monkeypatch.setattr("pylit.builder.builder.publish", emptied)
    found = find_pages(site(tree).settings, Store(folder, SECRET))
    assert build(found, tree / "out").problems == expected.problems
    assert snapshot(tree / "out") == snapshot(tree / "expected")


def test_picture_that_is_gone_meanwhile(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its page was made, and before it is copied."""
    items = building.site_items

    def without(*arguments: Any) -> Any:
        (tree / "pkg/sub/dot.png").unlink()
        return items(*arguments)

    monkeypatch.setattr("pylit.builder.builder.site_items", without)
    with pytest.raises(PylitError, match=r"dot\.png: error: cannot be read: No such file .*\n.*Build again"):
        build(site(tree), tree / "out", jobs=1)
    assert not (tree / "out").exists()


def test_file_that_changes_meanwhile_is_not_remembered_as_it_was(
    tree: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is made of what was read, and is kept under nothing else."""
    folder = tree.parent / "kept"
    do = jobs.make_files

    def saved(job: jobs.Job, *rest: Any) -> jobs.MadeFiles:
        if job.file == "pkg/sub/good.py":
            write(job.file, GOOD.replace("Good", "Better"))
        return do(job, *rest)

    monkeypatch.setattr("pylit.builder.work_units.make_files", saved)
    build(find_pages(site(tree).settings, Store(folder, SECRET)), tree / "out", jobs=1)
    monkeypatch.undo()
    for title in ("Good", "Better"):
        write("pkg/sub/good.py", GOOD.replace("Good", title))
        build(find_pages(site(tree).settings, Store(folder, SECRET)), tree / "out", jobs=1)
        build(site(tree), tree / "clean", jobs=1)
        assert snapshot(tree / "out") == snapshot(tree / "clean")


def test_index_for_searching_is_kept(tree: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def index(pages: Iterable[tuple[str, str]], place: Path) -> dict[str, bytes]:
        assert place.is_dir() and place.name.endswith(SUFFIX)
        asked.append([url for url, html in pages if "<h1" in html])
        return {"pagefind/x": b"%d" % len(asked)}

    monkeypatch.setattr("pylit.builder.search_index.index_files", index)
    settings = replace(site(tree).settings, search=True)

    def index_after(**changes: Any) -> bytes:
        build(
            find_pages(replace(settings, **changes), Store(tree.parent / "kept", SECRET)),
            tree / "out",
            jobs=1,
        )
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
