"""What lies in the output folder is always whole, and nothing there is removed that is not ours."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ROOT, Write
from sampling import thinned

from pylit.builder.output import MANIFEST, Item, publish, published
from pylit.builder.workplace import LOCK, SUFFIX, workplace
from pylit.cache.digests import digest
from pylit.cli.main import main
from pylit.errors import PylitError

ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
SLOW = """\
import os, sys, time
replace = os.replace
def slowly(*arguments):
    time.sleep(0.004)
    replace(*arguments)
os.replace = slowly
import pylit.builder.builder
pylit.builder.builder.SHARED = 0
from pylit.cli.main import main
main()
"""
"""A build that takes long to write files, so that it is easily stopped while it does, and always shares the work."""


def items(**texts: str) -> dict[str, Item]:
    """Files to publish: their names, with `_` for a slash, and what they hold."""
    return {
        name.replace("_", "/"): Item(digest(text), text.encode, "page " + name)
        for name, text in texts.items()
    }


def put(
    out: Path, files: dict[str, Item], unmade: Collection[str] = (), *, force: bool = False
) -> dict[str, str]:
    """Publish, and return what is in the folder then."""
    with workplace(out) as place:
        publish(out, files, place, unmade, force=force)
    assert not place.exists()
    return content(out)


def content(out: Path) -> dict[str, str]:
    """The files in a folder, but for the manifest."""
    paths = [path for path in out.rglob("*") if path.is_file() and path.name != MANIFEST]
    return {path.relative_to(out).as_posix(): path.read_bytes().decode("utf-8", "replace") for path in paths}


def test_what_is_gone_is_removed_with_its_folder(tmp_path: Path) -> None:
    put(tmp_path, items(a="1", sub_deep_b="2", sub_c="3"))
    put(tmp_path, items(a="1", sub_c="3"))
    assert content(tmp_path) == {"a": "1", "sub/c": "3"}
    assert not (tmp_path / "sub/deep").exists()
    put(tmp_path, items(a="1"))
    assert [path.name for path in sorted(tmp_path.iterdir())] == [MANIFEST, "a"]
    assert published(tmp_path) == {"a": "page a"}


def test_what_others_have_put_there_stays(tmp_path: Path) -> None:
    (tmp_path / "CNAME").write_text("example.org")
    put(tmp_path, items(a="1", b="2", sub_c="3"))
    (tmp_path / "b").write_text("edited by hand")
    (tmp_path / "sub/theirs").write_text("x")
    put(tmp_path, items(a="1"))
    assert content(tmp_path) == {"CNAME": "example.org", "a": "1", "b": "edited by hand", "sub/theirs": "x"}


def test_edited_output_is_overwritten_only_by_force(tmp_path: Path) -> None:
    put(tmp_path, items(a="1", b="2"))
    (tmp_path / "a").write_text("edited")
    before = {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}
    with pytest.raises(
        PylitError,
        match=r"error: contains files that pylit did not write.*: `a`\n.*Nothing was written.*--force",
    ):
        put(tmp_path, items(a="1", b="3"))
    assert before == {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}
    assert put(tmp_path, items(a="edited", b="3")) == {"a": "edited", "b": "3"}, "nothing would be lost"
    (tmp_path / "a").write_text("edited")
    assert put(tmp_path, items(a="1", b="3"), force=True) == {"a": "1", "b": "3"}


@pytest.mark.parametrize("name", ["index.html", "notes.txt", "sub/notes.txt", "Index.HTML"])
def test_folder_of_somebody_else_is_refused(tmp_path: Path, write: Write, name: str) -> None:
    """Whether or not a page would have the same name: nobody wants a site among other files."""
    write(f"out/{name}", "mine")
    for hidden in (".git/config", ".nojekyll", "CNAME"):
        write(f"out/{hidden}", "mine")
    with pytest.raises(
        PylitError, match=rf"out: error: contains files .*: `{name.partition('/')[0]}`\n.*--force"
    ):
        put(tmp_path / "out", items(a="1"))
    assert not (tmp_path / "out" / MANIFEST).exists() and not (tmp_path / "out/a").exists()
    new = {"index.html": Item(digest("new"), "new".encode, "page")}
    both = put(tmp_path / "out", new, force=True)
    assert both.pop("index.html") == "new"
    assert all(text == "mine" for text in both.values()) and (name in both) == (name != "index.html")


def test_hidden_files_and_an_address_may_be_there_before(tmp_path: Path, write: Write) -> None:
    for name in (".git/config", ".nojekyll", "CNAME"):
        write(f"out/{name}", "mine")
    assert set(put(tmp_path / "out", items(a="1"))) == {".git/config", ".nojekyll", "CNAME", "a"}
    with pytest.raises(PylitError, match=r"`CNAME`"):
        put(tmp_path / "out", items(a="1", CNAME="other"))


@pytest.mark.parametrize("obstacle", ["file", "link", "folder", "pipe", "dangling"])
@pytest.mark.parametrize("where", ["sub", "sub/page"])
def test_what_is_in_the_way_of_a_file_or_folder(tmp_path: Path, obstacle: str, where: str) -> None:
    """Nothing is written through it, and nothing that it leads to is lost, even by force."""
    out, theirs = tmp_path / "out", tmp_path / "theirs"
    put(out, items(a="1"))
    (theirs / "page").mkdir(parents=True)
    (theirs / "page/file").write_text("x")
    path = out / where
    path.parent.mkdir(exist_ok=True)
    if obstacle == "file":
        path.write_text("x")
    elif obstacle == "folder":
        shutil.copytree(theirs, path)
    elif obstacle == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(theirs if obstacle == "link" else tmp_path / "nowhere")
    named = {"sub": "sub/page/page/file", "sub/page": "sub/page/page/file"} if obstacle == "folder" else {}
    if (obstacle, where) == ("folder", "sub"):
        named = {"sub": "sub/page/file"}
    with pytest.raises(
        PylitError, match=rf"contains files that pylit did not write.*: `{named.get(where, where)}`\n"
    ):
        put(out, items(a="1", sub_page="2"))
    assert put(out, items(a="1", sub_page="2"), force=True) == {"a": "1", "sub/page": "2"}
    assert content(theirs) == {"page/file": "x"} and not (tmp_path / "nowhere").exists()


def test_file_becomes_a_folder_and_a_folder_a_file(tmp_path: Path) -> None:
    put(tmp_path / "out", items(a="1", b_c="2"))
    assert put(tmp_path / "out", items(a_c="3", b="4")) == {"a/c": "3", "b": "4"}
    (tmp_path / "out/a/theirs").write_text("x")
    with pytest.raises(PylitError, match=r": `a/theirs`\n"):
        put(tmp_path / "out", items(a="1", b="4"))
    assert content(tmp_path / "out") == {"a/c": "3", "a/theirs": "x", "b": "4"}


def test_many_files_in_the_way_are_counted(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"f{number}").write_text("x")
    with pytest.raises(PylitError, match=r"`f0`, `f1`, `f2`, `f3`, `f4` and 4 more\n"):
        put(tmp_path, items(a="1"))


@pytest.mark.parametrize("seed", range(3))
def test_files_of_a_build_that_was_killed_are_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """However many are killed after each other, each after a few files."""
    chance = random.Random(seed)
    put(tmp_path, items(**dict.fromkeys("abcdef", "0")))
    for attempt in range(1, 6):
        left = chance.randrange(8)

        def move(*arguments: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            os.rename(*arguments)

        with monkeypatch.context() as patched, suppress(KeyboardInterrupt):
            patched.setattr("pylit.builder.output.os.replace", move)
            put(tmp_path, items(**dict.fromkeys(chance.sample("abcdefgh", 6), str(attempt))))
    assert put(tmp_path, items(a="last")) == {"a": "last"}


def test_what_could_not_be_made_stays(tmp_path: Path) -> None:
    put(tmp_path, items(a="1", b="2"))
    put(tmp_path, items(a="1"), unmade=["page b"])
    assert content(tmp_path) == {"a": "1", "b": "2"}
    put(tmp_path, items(a="1"))
    assert content(tmp_path) == {"a": "1"}


def test_nothing_is_written_when_nothing_has_changed(tmp_path: Path) -> None:
    put(tmp_path, items(a="1", sub_b="2"))
    before = {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}
    put(tmp_path, items(a="1", sub_b="2"))
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
        b'{"files": {"victim": ["y", "page"]}}',
        b'{"files": {"a": ["y", "page"]}, "former": 3}',
        b"[" * 100_000,
    ],
)
def test_manifest_that_is_none_removes_nothing(tmp_path: Path, manifest: bytes) -> None:
    (tmp_path / "victim").write_text("x")
    (tmp_path / MANIFEST).write_bytes(manifest)
    if manifest != b'{"files": {"victim": ["y", "page"]}}':
        with pytest.raises(PylitError, match="`victim`"):
            put(tmp_path, items(a="1"))
    assert put(tmp_path, items(a="1"), force=True) == {"a": "1", "victim": "x"}


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
    put(out, items(a="1"))
    assert victim.read_text() == "x"
    assert (out / "link").is_symlink() and (out / "linked").is_symlink() and (out / "folder").is_dir()


def test_capitals_that_a_file_system_does_not_tell_apart(tmp_path: Path) -> None:
    put(tmp_path, items(A="1"))
    os.link(tmp_path / "A", tmp_path / "a")  # as it looks on such a file system
    put(tmp_path, items(a="1"))
    assert content(tmp_path)["a"] == "1"
    os.link(tmp_path / "a", tmp_path / "B")
    os.link(tmp_path / "a", tmp_path / "b")
    with pytest.raises(PylitError, match="`B`"):
        put(tmp_path, items(a="1", B="2"))


def test_capitals_of_a_file_that_is_ours_and_new(tmp_path: Path) -> None:
    put(tmp_path, items(A="1"))
    os.link(tmp_path / "A", tmp_path / "a")
    assert put(tmp_path, items(a="2"))["a"] == "2"


def test_what_a_killed_build_has_left_is_removed(tmp_path: Path, write: Write) -> None:
    for inside in ("staged/1", "site/index.html", "file", LOCK):
        write(f".out{SUFFIX}/{inside}", "half")
    (tmp_path / f".out{SUFFIX}/link").symlink_to(write("theirs/file", "x").parent)
    assert put(tmp_path / "out", items(a="1")) == {"a": "1"}
    assert {path.name for path in tmp_path.iterdir()} == {"out", "theirs"}
    assert (tmp_path / "theirs/file").read_text() == "x"


def test_workplace_that_leads_elsewhere_is_not_entered(tmp_path: Path, write: Write) -> None:
    """Somebody's repository may hold such a link."""
    (tmp_path / f".out{SUFFIX}").symlink_to(write("theirs/file", "x").parent)
    assert put(tmp_path / "out", items(a="1")) == {"a": "1"}
    assert {path.name for path in tmp_path.iterdir()} == {"out", "theirs"}
    assert (tmp_path / "theirs/file").read_text() == "x"


@pytest.mark.parametrize("reason", ["owner", "mount", "name"])
def test_workplace_is_in_the_folder_where_there_is_no_room_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    out = tmp_path / ("n" * 250 if reason == "name" else "out")
    if reason == "owner":
        (tmp_path / f".out{SUFFIX}").mkdir()
        os.chown(tmp_path / f".out{SUFFIX}", 1, -1) if os.geteuid() == 0 else None
        real = os.geteuid()
        if real != 0:
            monkeypatch.setattr("os.geteuid", lambda: real + 1)
    if reason == "mount":

        def rename(*arguments: object) -> None:
            raise OSError(errno.EXDEV, "Invalid cross-device link")

        monkeypatch.setattr("pylit.builder.workplace.os.rename", rename)
    with workplace(out) as place:
        assert place == out / SUFFIX
        publish(out, items(a="1"), place)
    assert content(out) == {"a": "1"} and not place.exists()


def test_link_to_the_folder(tmp_path: Path) -> None:
    """All roads to a site lead to one workplace."""
    (tmp_path / "far").mkdir()
    (tmp_path / "out").symlink_to("far/out")
    with workplace(tmp_path / "out") as place:
        assert place == tmp_path / "far" / f".out{SUFFIX}"
        publish(tmp_path / "out", items(a="1"), place)
    assert content(tmp_path / "far/out") == {"a": "1"}


@pytest.mark.process
def test_waiting_is_told(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pylit.builder.workplace import workplace\n"
        "with workplace(Path(sys.argv[1])) as place: print(sorted(p.name for p in place.iterdir()))"
    )
    with workplace(tmp_path / "out") as place:
        (place / "ours").write_text("")
        command = [sys.executable, "-c", code, str(tmp_path / "out")]
        other = subprocess.Popen(command, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert other.stderr
        assert (
            other.stderr.readline()
            == f"Another build is writing {tmp_path / 'out'}; waiting for it to end.\n"
        )
        assert (place / "ours").exists()
    assert other.communicate() == ("['.gitignore', 'lock']\n", "")
    assert not list(tmp_path.iterdir())


def start(tree: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-c",
        SLOW,
        "render",
        "pkg",
        "--out",
        "out",
        "--no-search",
        "--cache",
        "cache",
        *options,
    ]
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
        command = [sys.executable, "-m", "pylit", "render", "pkg", "-o", words, "--no-search", "--no-cache"]
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


@pytest.mark.process
@pytest.mark.parametrize("jobs", thinned(reversed(JOBS), 2))
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


@pytest.mark.process
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
    assert not list(tmp_path.glob(f".*{SUFFIX}"))
    assert not list((tmp_path / "cache").rglob("*.new"))


@pytest.mark.process
@pytest.mark.parametrize("option", thinned([["--jobs", "2"], ["--jobs", "1"], ["--no-cache"]], 3))
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
        assert not list(tmp_path.glob(f".*{SUFFIX}"))
        assert not list((tmp_path / "tmp").iterdir())
        assert_whole(tmp_path / "out", states)
    assert stopped


@pytest.mark.process
@pytest.mark.parametrize("module", ["pkg/a.html/b.py", "pkg/404.html/b.py", "pkg/assets/pylit.css/b.py"])
def test_a_file_where_others_need_a_folder_is_named_before_anything_is_written(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    write("pkg/a.py", "x = 1\n")
    write(module, "y = 1\n")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["render", "pkg", "--out", "out", "--no-cache", "--jobs", "1"])
    assert result.exit_code == 1
    folder = Path(module).parent.relative_to("pkg").as_posix()
    told = (
        f"{folder}: error: would be both a file of the site and the folder of `{folder}/b.html`\n    Rename"
    )
    assert result.output.startswith(told)
    assert not (tmp_path / "out").exists()
