"""A preview misses no save, whenever it comes, tells what is wrong, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Write
from previews import PATIENCE, previewing, write_site

from pylit.builder.builder import build as build_site
from pylit.preview import preview as module
from pylit.preview.edition import Edition
from pylit.preview.preview import Preview, run_preview, temporary_folder
from pylit.preview.server import PreviewServer, find_listen_address
from pylit.preview.watcher import Listing, Watcher
from pylit.site import Configuration, Given

TABLE = """\
# Other

```table
rows: ../records/{file}#rows
columns:
  - head: Value
    value: value
    format: integer
```
"""


@pytest.fixture
def configuration(write: Write, tmp_path: Path) -> Configuration:
    write_site(write)
    given = Given(sources=["pkg"], languages=("en", "zh"), traces="traces", search=False)
    return Configuration(tmp_path, given=given)


class Trial:
    """A preview that builds in this process, without a server."""

    def __init__(self, configuration: Configuration, folder: Path, *, debug: bool = False) -> None:
        self.load: Callable[[], Configuration] = lambda: configuration
        self.told: list[str] = []
        files = [configuration.base / "mkdocs.yml"]
        self.preview = Preview(lambda: self.load(), files, folder, self.told.append, debug=debug)
        self.before = self.preview.look()

    def make(self) -> Edition:
        return self.preview.make()

    def wait(self) -> Listing:
        """Wait for a change, and take what is there then for what the next build begins from."""
        self.before = self.preview.wait(self.before)
        return self.before

    def settle(self) -> Edition:
        """Build until nothing is new any more."""
        edition = self.make()
        while (now := self.preview.look()).files != self.before.files:
            self.before, edition = now, self.make()
        return edition

    def page(self, address: str = "index.html") -> str:
        return (self.preview.out / address).read_text("utf-8")


@pytest.fixture
def trial(configuration: Configuration, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    trial = Trial(configuration, tmp_path_factory.mktemp("preview"))
    yield trial
    trial.preview.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a preview would wait until the system or the next look tells of a change: it must know already."""
    monkeypatch.setattr(Watcher, "wait", lambda self, seconds: pytest.fail("it waits"))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("moment", ["before it reads", "after it has read"])
def test_save_during_any_build_is_followed_by_another(
    trial: Trial, write: Write, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    real, saves = build_site, iter(["First.", "Second."])

    def build(*given: Any, **named: Any) -> Any:
        if moment == "after it has read":
            report = real(*given, **named)
        if words := next(saves, ""):
            write("pkg/__init__.py", f'"""\n# Home\n\n{words}\n"""\n')
        return report if moment == "after it has read" else real(*given, **named)

    monkeypatch.setattr(module, "build", build)
    for _ in range(2):
        trial.make()
        trial.wait()
    trial.make()
    assert "Second." in trial.page()
    with pytest.raises(pytest.fail.Exception, match="it waits"):
        trial.wait()


def test_only_what_changed_is_told(trial: Trial, write: Write) -> None:
    trial.settle()
    assert len(trial.told) == 1 and trial.told[0].startswith("7 pages in ")  # 404.html has one language
    write("pkg/other.py", '"""\n# Other\n\nFewer words.\n"""\n')
    trial.settle()
    write("docs/plain.txt", "Of no interest.\n")
    trial.settle()
    assert [told.split(" in ")[0] for told in trial.told[1:]] == ["2 pages changed"]


def test_problems_are_told_once_and_counted(trial: Trial, write: Write) -> None:
    write("pkg/other.py", 'r"""\n# Other\n\n$\\frac$\n"""\n')
    assert [problem.line for problem in trial.settle().problems] == [4]
    write("translations/zh/pkg/__init__.po", 'msgid "Some words."\nmsgstr "`一些话`。"\n')
    trial.settle()
    told = "\n".join(trial.told)
    assert told.count("pkg/other.py:4: error: the formula `\\frac` is not valid") == 1
    assert told.count("pkg/__init__.po:1: ") == 1
    assert trial.told[-1].startswith("1 page changed, 1 error") or "2 errors" in trial.told[-1]
    write("pkg/other.py", '"""\n# Other\n"""\n')
    write("translations/zh/pkg/__init__.po", 'msgid "Some words."\nmsgstr "一些话。"\n')
    assert not trial.settle().problems
    assert "error" not in trial.told[-1] and " changed in " in trial.told[-1]


@pytest.mark.parametrize("rows", ["../records/a.json", "../records/*.json"])
def test_records_that_pages_show_are_watched_once_a_page_asks_for_them(
    trial: Trial, write: Write, rows: str
) -> None:
    """Wherever they are, and also those that are not there yet."""
    write("docs/guide.md", TABLE.replace("../records/{file}", rows))
    assert any("records/" in str(problem) for problem in trial.settle().problems)
    for value in (17, 28):
        write("records/a.json", json.dumps({"rows": [{"value": value}]}))
        trial.wait()
        assert not trial.settle().problems
        assert f">{value}</td>" in trial.page("guide.html")
    shutil.rmtree(trial.load().base / "records")
    trial.wait()
    assert trial.settle().problems


@pytest.mark.parametrize("folder", ["pkg", "docs", "translations"])
def test_folder_that_is_removed_and_made_again(trial: Trial, tmp_path: Path, folder: str) -> None:
    """As a branch is checked out: settings may leave a folder out that is not there."""
    before = trial.settle()
    for _ in range(2):
        (tmp_path / folder).rename(tmp_path / "away")
        trial.wait()
        assert trial.settle() != before
        (tmp_path / "away").rename(tmp_path / folder)
        trial.wait()
        assert trial.settle() == before


def test_site_that_cannot_be_built_at_first(trial: Trial, write: Write, tmp_path: Path) -> None:
    (tmp_path / "pkg").rename(tmp_path / "elsewhere")
    failure = trial.settle().failure
    assert failure and "pkg: error: does not exist" in str(failure)
    assert trial.told == [str(failure)]
    (tmp_path / "elsewhere").rename(tmp_path / "pkg")
    trial.wait()
    assert not trial.settle().failure
    assert trial.told[1].startswith("7 pages in ")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            OSError(28, "No space left on device", "/full"),
            "/full: error: cannot be read or written: No space left",
        ),
        (
            OSError("odd"),
            "the site: error: cannot be read or written: odd\n    Fix its permissions, or free space there.",
        ),
        (
            ValueError("odd"),
            "the site: error: cannot be made into a preview, because of a bug in pylit: ValueError: odd",
        ),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_any_mistake_is_shown_and_the_preview_goes_on(
    configuration: Configuration,
    tmp_path_factory: pytest.TempPathFactory,
    error: Exception,
    told: str,
    debug: bool,
) -> None:
    trial = Trial(configuration, tmp_path_factory.mktemp("preview"), debug=debug)

    def fail() -> Configuration:
        raise error

    right, trial.load = trial.load, fail
    failure = trial.make().failure
    assert trial.make().failure == failure
    assert len(trial.told) == 1 and trial.told[0].startswith(told)
    assert ("Traceback" in trial.told[0]) == (debug and isinstance(error, ValueError))
    trial.load = right
    assert not trial.make().failure


def test_without_a_cache_of_the_project_what_was_made_is_kept_beside_the_preview(
    trial: Trial, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pylit.site.make_settings.CACHE", ".pylit-cache")
    write(".pylit-cache/mine.txt", "Not a cache.\n")
    trial.settle()
    kept = {path: path.stat().st_mtime_ns for path in (trial.preview.out.parent / "cache").rglob("?*/*")}
    assert kept
    trial.make()
    again = {path for path in kept if path.stat().st_mtime_ns != kept[path]}
    assert len(again) <= 2 < len(kept)  # what tells files apart that are no longer written just now
    assert sum("is not used, and everything is built again" in told for told in trial.told) == 1
    assert os.listdir(tmp_path / ".pylit-cache") == ["mine.txt"]


@pytest.mark.parametrize("cache", ["kept", "pkg/kept", "../kept", ""])
def test_the_configured_cache_is_used(
    trial: Trial, configuration: Configuration, own_cache: Path, cache: str
) -> None:
    """One below the sources too, which is not taken for a change of them."""
    configured = configuration.with_options({"cache": cache})
    trial.load = lambda: configured
    trial.make()
    trial.before = trial.preview.look()
    folder = configured.folder("cache")
    assert (folder is not None) == bool(cache)
    assert folder is None or (folder / "CACHEDIR.TAG").is_file()
    assert (trial.preview.out.parent / "cache").is_dir() == (folder is None)
    assert not own_cache.exists()
    (folder or trial.preview.out.parent).joinpath("another.entry").touch()
    assert trial.preview.look().files == trial.before.files


def test_a_configured_cache_that_cannot_be_used_is_told(trial: Trial, write: Write) -> None:
    write("mine/note.txt", "Not a cache.\n")
    configured = trial.load().with_options({"cache": "mine"})
    trial.load = lambda: configured
    failure = trial.make().failure
    assert failure and "mine" in str(failure) and trial.told == [str(failure)]


def test_katex_and_parsed_files_are_kept_from_build_to_build(trial: Trial, write: Write) -> None:
    write("pkg/other.py", '"""\n# Other\n\n$x + 1$\n"""\n')
    trial.settle()
    running = list(trial.preview._workbench.typesetter.katex._running)
    write("pkg/other.py", '"""\n# Other\n\n$x + 2$\n"""\n')
    trial.settle()
    assert running and trial.preview._workbench.typesetter.katex._running == running
    trial.preview.close()
    assert running[0].poll() is not None


def test_changes_are_found_by_looking_where_the_system_does_not_tell(
    trial: Trial, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def watch(*folders: str, **options: object) -> None:
        raise OSError("limit reached")

    monkeypatch.setattr("watchfiles.watch", watch)
    trial.settle()
    monkeypatch.setattr(trial.preview, "rehearse", lambda: None)
    wait = Watcher.wait

    def save_and_wait(self: Watcher, seconds: float) -> frozenset[str]:
        touched = wait(self, seconds)
        if self.failure and any("limit" in told for told in trial.told):
            write("pkg/other.py", '"""\n# Another\n"""\n')
        return touched

    monkeypatch.setattr(Watcher, "wait", save_and_wait)
    trial.wait()
    trial.settle()
    assert ">Another</h1>" in trial.page("other.html")
    assert sum("The system does not report changes" in told for told in trial.told) == 1


def test_preview_of_an_empty_site_has_nothing_to_rehearse(trial: Trial, tmp_path: Path) -> None:
    trial.preview.rehearse()
    for name in ("pkg", "docs"):
        shutil.rmtree(tmp_path / name)
        (tmp_path / name).mkdir()
    assert not trial.settle().failure
    trial.preview.rehearse()


def test_rehearsal_keeps_nothing_and_tells_nothing(trial: Trial, tmp_path: Path) -> None:
    edition = trial.settle()
    told = list(trial.told)
    shutil.rmtree(tmp_path / "pkg")
    trial.preview.rehearse()
    assert trial.told == told and set(edition.files) >= {"index.html", "zh/index.html"}


def test_folder_is_removed_whatever_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def interrupted() -> None:
        with temporary_folder() as folder:
            (folder / "a").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with temporary_folder() as folder:
        shutil.rmtree(folder)
    assert not os.listdir(tmp_path)


def test_server_and_threads_are_gone_at_the_end(
    configuration: Configuration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    server = PreviewServer(find_listen_address("127.0.0.1", 0))

    def ready() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_preview(lambda: configuration, [], server, lambda text: None, ready)
    assert server.fileno() == -1 and server.board.is_closed
    assert not os.listdir(folder)


# As a program that gets signals


@pytest.fixture
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files of the programs that a test starts."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


HEARD = """\
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.execv(sys.executable, [sys.executable, "-m", "pylit", *sys.argv[1:]])
"""
"""Starts pylit where Ctrl-C is heard. A job in the background does not hear it, and tests may run in one."""


def start(site: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HEARD, "serve", "-f", str(site / "mkdocs.yml"), "-a", "127.0.0.1:0"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=pipe, stderr=pipe, start_new_session=True)


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


SIGNALS = {signal.SIGINT: 0, signal.SIGTERM: 128 + signal.SIGTERM, signal.SIGHUP: 128 + signal.SIGHUP}


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("moment", ["first build", "waiting"])
def test_signals_end_it_and_leave_nothing(
    write: Write, tmp_path: Path, temporary: Path, number: signal.Signals, moment: str
) -> None:
    write_site(write)
    for module_number in range(40 if moment == "first build" else 0):
        formulas = "\n\n".join(f"$x_{{{module_number}}}^{{{n}}}$" for n in range(100))
        write(f"pkg/m{module_number}.py", f'r"""\n# Module\n\n{formulas}\n"""\n')
    write("pkg/other.py", 'r"""\n# Other\n\n$x$\n"""\n')
    with start(tmp_path) as process:
        assert process.stdout and process.stderr
        if moment == "first build":
            wait_for(lambda: list(temporary.glob("pylit-*/.site.pylit-new")))
        else:
            assert process.stdout.readline().startswith("Serving at http://127.0.0.1:")
        if number == signal.SIGTERM:
            process.send_signal(number)
        else:  # a terminal sends its signals to all that was started in it
            os.killpg(process.pid, number)
        errors = process.stderr.read()  # until all that it has started have ended, too
        assert process.wait(PATIENCE) == SIGNALS[number], errors
    assert "Traceback" not in errors, errors
    assert not os.listdir(temporary)


@pytest.mark.process
@pytest.mark.slow
def test_save_during_the_first_build_is_shown(write: Write, tmp_path: Path, temporary: Path) -> None:
    write_site(write)
    for number in range(40):
        write(f"pkg/m{number}.py", f'"""\n# Module {number}\n\n{"Many words. " * 200}\n"""\n')
    with previewing(tmp_path, "pylit") as preview:
        wait_for(lambda: list(temporary.glob("pylit-*/.site.pylit-new")))
        write("pkg/other.py", '"""\n# Other\n\nWords of the last minute.\n"""\n')
        write("pkg/new.py", '"""\n# New\n"""\n')
        preview.get("other.html", "Words of the last minute.")
        preview.get("new.html", ">New</h1>")


@pytest.mark.process
@pytest.mark.slow
def test_saves_as_editors_make_them_and_folders_that_come_back(write: Write, tmp_path: Path) -> None:
    write_site(write)
    other, kept = tmp_path / "pkg/other.py", tmp_path / "kept"
    with previewing(tmp_path, "pylit") as preview:
        preview.get("other.html", "More words.")
        for number in range(3):
            os.replace(write("pkg/.other.py.swp", f'"""\n# Other\n\nBy rename {number}.\n"""\n'), other)
            preview.get("other.html", f"By rename {number}.")
            other.rename(tmp_path / "pkg/other.py~")
            write("pkg/other.py", f'"""\n# Other\n\nWith a backup {number}.\n"""\n')
            preview.get("other.html", f"With a backup {number}.")
            shutil.copytree(tmp_path / "pkg", kept)
            shutil.rmtree(tmp_path / "pkg")
            preview.get("other.html", "pkg: error: does not exist")
            kept.rename(tmp_path / "pkg")
            preview.get("other.html", f"With a backup {number}.")
            write("pkg/deep/er/new.py", f'"""\n# New {number}\n"""\n')
            preview.get("deep/er/new.html", f">New {number}</h1>")
            shutil.rmtree(tmp_path / "pkg/deep")
            preview.get("deep/er/new.html", "There is no such page")
