"""What a build asks and reads again, given the log of the last one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import SECRET, Write

from pylit.builder import build
from pylit.builder.deps_log import DepsLog
from pylit.builder.result_cache import Record, find_record
from pylit.builder.targets import Job
from pylit.cache import Store
from pylit.errors import Report
from pylit.site import Settings, Site, find_pages
from pylit.site.files import Files

Build = Callable[[], Report]


@pytest.fixture
def settings(write: Write, tmp_path: Path) -> Settings:
    write("pkg/__init__.py", '"""\n# The start\n\nOf `Model` in [a](a.py#Model).\n"""\n')
    write("pkg/a.py", '"""\n# A\n\nWords.\n"""\n\nclass Model:\n    """\n    ## The model\n    """\n')
    write(
        "pkg/b.py",
        '"""\n# B\n\nOther words.\n"""\nfrom pkg.a import Model\n\ndef make():\n    return Model()\n',
    )
    write("pkg/c.py", '"""\n# C\n\nAlone.\n"""\nx = 1\n')
    return Settings(base=tmp_path, roots=(("pkg", ""),), languages=("en",))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let time pass, so that what was written is not written just now."""
    offset, real = [0], time.time_ns
    monkeypatch.setattr("time.time_ns", lambda: real() + offset[0])

    def wait() -> None:
        offset[0] += 10_000_000_000

    return wait


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of the jobs that are decided by questions."""
    found: list[str] = []

    def spy(job: Job, site: Site) -> Record | None:
        found.append(job.file)
        return find_record(job, site)

    monkeypatch.setattr("pylit.builder.builder.find_record", spy)
    return found


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources that are read."""
    found: list[str] = []
    real = Files.data

    def data(self: Files, file: str) -> bytes:
        if file.endswith(".py"):
            found.append(file)
        return real(self, file)

    monkeypatch.setattr(Files, "data", data)
    return found


@pytest.fixture
def make(settings: Settings, tmp_path: Path, asked: list[str], reads: list[str]) -> Build:
    def run() -> Report:
        asked.clear()
        reads.clear()
        return build(find_pages(settings, Store(tmp_path / "cache", SECRET)), tmp_path / "out", jobs=1)

    return run


def page(tmp_path: Path, name: str) -> str:
    return (tmp_path / f"out/{name}.html").read_text("utf-8")


def test_nothing_is_asked_or_read_when_nothing_has_changed(
    make: Build, later: Callable[[], None], asked: list[str], reads: list[str]
) -> None:
    later()
    first = make()
    assert len(set(asked)) == 5 and reads
    assert make() == first
    assert asked == reads == []


def test_a_file_that_was_written_just_now_is_read_again(
    make: Build, write: Write, asked: list[str], reads: list[str], tmp_path: Path
) -> None:
    make()
    make()
    assert asked == [] and "pkg/c.py" in reads
    before = (tmp_path / "pkg/c.py").stat()
    write("pkg/c.py", '"""\n# C\n\nAsone.\n"""\nx = 1\n')
    os.utime(tmp_path / "pkg/c.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    make()
    assert "Asone" in page(tmp_path, "c")


def test_a_file_that_is_touched_is_read_once_and_nothing_is_asked(
    make: Build, later: Callable[[], None], asked: list[str], reads: list[str], tmp_path: Path
) -> None:
    later()
    make()
    os.utime(tmp_path / "pkg/c.py")
    later()
    make()
    assert (asked, reads) == ([], ["pkg/c.py"])
    make()
    assert asked == reads == []


def test_only_what_depends_on_a_file_is_asked_about(
    make: Build, later: Callable[[], None], write: Write, asked: list[str], tmp_path: Path
) -> None:
    later()
    make()
    write("pkg/c.py", '"""\n# C\n\nAlone, still.\n"""\nx = 1\n')
    later()
    make()
    assert "still" in page(tmp_path, "c")
    assert "pkg/c.py" in asked and "" not in asked  # the page for what is not found
    write("pkg/a.py", '"""\n# A\n\nWords.\n"""\n\nclass Model:\n    """\n    ## A model\n    """\n')
    later()
    make()
    assert {"pkg/a.py", "pkg/b.py", "pkg/__init__.py"} <= set(asked)


def test_another_use_of_a_definition_is_seen_on_its_page(
    make: Build, later: Callable[[], None], write: Write, tmp_path: Path
) -> None:
    later()
    make()
    assert "c.html#again" not in page(tmp_path, "a")
    write("pkg/c.py", '"""\n# C\n"""\nfrom pkg.a import Model\n\ndef again():\n    return Model()\n')
    later()
    make()
    assert "c.html#again" in page(tmp_path, "a")


def test_signatures_of_another_machine_are_not_trusted(
    make: Build, later: Callable[[], None], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    later()
    first = make()
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    assert make() == first
    assert asked  # but not made: the results are in the cache


@pytest.mark.parametrize("log", [None, [], {}, {"observed": [[1]], "jobs": 1}, {"observed": 3}])
def test_what_is_no_log(settings: Settings, tmp_path: Path, log: object) -> None:
    site: Site = find_pages(settings, Store(tmp_path / "cache", SECRET))
    found = DepsLog(site)
    site.store.put_json(found.key, log)
    assert found.records() == {}


def test_output_that_was_edited_is_noticed(make: Build, later: Callable[[], None], tmp_path: Path) -> None:
    from pylit.errors import PylitError

    later()
    make()
    later()
    make()
    (tmp_path / "out/c.html").write_text("mine")
    with pytest.raises(PylitError, match="pylit did not write"):
        make()
