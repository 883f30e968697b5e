"""What is kept is what was put, or it is not there; and it does not grow without end."""

from __future__ import annotations

import os
import pickle
import shutil
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import SECRET

from pylit.cache import store as cache
from pylit.cache.digests import canonical, digest
from pylit.cache.store import FRESH, Store, open_store
from pylit.errors import PylitError

KEY = digest("key")


def entry(store: Store, key: str = KEY) -> Path:
    """The file of an entry."""
    return Path(store._path(key))


def age(path: Path, seconds: float) -> None:
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_what_was_put_is_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache", SECRET)
    store.put(KEY, b"data" * 1000)
    assert store.get(KEY) == b"data" * 1000
    assert store.has(KEY)
    assert store.get(digest("other")) is None
    assert Store(tmp_path / "cache", SECRET).get(KEY) == b"data" * 1000
    assert entry(store).stat().st_size < 200


def test_json(tmp_path: Path) -> None:
    store = Store(tmp_path, SECRET)
    value = {"残差": [1, None, True, "x"], "a": {}}
    store.put_json(KEY, value)
    assert store.get_json(KEY) == value


def test_content_has_its_own_key(tmp_path: Path) -> None:
    store = Store(tmp_path, SECRET)
    key = store.put_content(b"page")
    assert key == digest(b"page")
    assert store.get_content(key) == b"page"
    store.put(key, b"another page")
    assert store.get_content(key) is None
    assert store.put_content(b"page") == key
    assert store.get_content(key) == b"page"


def test_store_without_a_folder_keeps_nothing() -> None:
    store = Store(None)
    store.put_json(KEY, 1)
    assert store.get_json(KEY) is None and not store.has(KEY)
    store.prune()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
        lambda data: data.replace(b"cache 2", b"cache 1"),
        lambda data: data[:14] + bytes(32) + data[46:],
        lambda data: data[:14],
        lambda data: os.urandom(len(data)),
    ],
)
def test_damaged_entries_are_not_there(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    store = Store(tmp_path, SECRET)
    store.put_json(KEY, [1, 2, 3] * 100)
    entry(store).write_bytes(damage(entry(store).read_bytes()))
    assert store.get(KEY) is None
    assert store.get_json(KEY) is None


def test_entry_under_another_key_is_not_there(tmp_path: Path) -> None:
    store, other = Store(tmp_path, SECRET), digest("other")
    store.put(KEY, b"mine")
    store.put(other, b"theirs")
    entry(store).write_bytes(entry(store, other).read_bytes())
    assert store.get(KEY) is None


def test_sealed_nonsense_is_not_there(tmp_path: Path) -> None:
    """Whoever can write to a shared folder can seal anything, but it must not stop a build."""
    store = Store(tmp_path, SECRET)
    store.put(KEY, b"no JSON")
    assert store.get_json(KEY) is None
    store.put(KEY, b"[" * 100_000)
    assert store.get_json(KEY) is None
    store.put(KEY, b'["\\uDC80"]')
    assert store.get_json(KEY) is None
    store.put_json(KEY, ["\\udc80"])
    assert store.get_json(KEY) == ["\\udc80"]


def test_parts_of_a_key_do_not_run_together() -> None:
    assert (
        len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("", "abc"), digest(b"abc", "")}) == 5
    )
    assert digest("a") == digest(b"a")
    assert canonical({"b": 1, "a": (2, 3)}) == '{"a":[2,3],"b":1}'


def test_what_killed_processes_of_a_build_were_writing_is_removed(tmp_path: Path) -> None:
    store, other = Store(tmp_path, SECRET), Store(tmp_path, SECRET)
    store.put(KEY, b"x")
    folder = entry(store).parent
    ours, theirs = (folder / f".{one.mark}01234567.new" for one in (store, other))
    for path in (ours, theirs):
        path.write_text("")
    pickle.loads(pickle.dumps(store)).sweep()  # it goes to other processes
    assert not ours.exists() and theirs.exists() and store.get(KEY) == b"x"
    Store(None).sweep()


def test_folder_says_what_it_is(tmp_path: Path) -> None:
    Store(tmp_path / "cache", SECRET)
    assert (tmp_path / "cache/.gitignore").read_text() == "*\n"
    assert (
        (tmp_path / "cache/CACHEDIR.TAG")
        .read_text()
        .startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    )


def test_many_may_write_at_once(tmp_path: Path) -> None:
    def work(number: int) -> None:
        store = Store(tmp_path, SECRET)
        for key in range(20):
            store.put(digest(str(key)), b"%d" % key * 1000)
            found = store.get(digest(str(key)))
            assert found == b"%d" % key * 1000, number

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert not list(tmp_path.rglob("*.new"))


def test_what_was_not_used_for_longest_goes(tmp_path: Path) -> None:
    store = Store(tmp_path, SECRET, limit=25_000)
    keys = [digest(str(number)) for number in range(5)]
    for number, key in enumerate(keys):
        store.put(key, os.urandom(10_000))
        age(entry(store, key), FRESH * (10 - number))
    left = entry(store, keys[0]).with_name(".0123456789abcdef.new")
    left.write_bytes(b"pylit cache 2\nby a build that was killed")
    age(left, 2 * FRESH)
    store.get(keys[1])  # which makes it the youngest
    store.prune()
    assert [store.has(key) for key in keys] == [False, True, False, False, True]
    assert not left.exists()


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    store = Store(tmp_path, SECRET, limit=0)
    store.put(KEY, b"fresh")
    store.prune()
    assert store.has(KEY)


def test_old_entries_are_looked_for_once_an_hour(tmp_path: Path) -> None:
    store = Store(tmp_path, SECRET, limit=0)
    store.put(KEY, b"")
    store.prune()
    age(entry(store), 2 * FRESH)
    store.prune()
    assert store.has(KEY)
    age(tmp_path / "pruned", 2 * FRESH)
    Store(tmp_path, SECRET, limit=0).prune()
    assert store.has(KEY), "nothing was put since"
    store.prune()
    assert not store.has(KEY)


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PylitError, match=r"file: error: cannot be written: .*\n    Choose another folder"):
        open_store(tmp_path / "file", tmp_path, is_asked=True)
    assert open_store(tmp_path / "file", tmp_path, is_asked=False).folder is None
    assert open_store(None, tmp_path, is_asked=True).folder is None


def files(folder: Path) -> dict[str, object]:
    """All that is in a folder: what files hold, where symlinks lead, and the rights of both."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        kind = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path)] = kind, path.lstat().st_mode
    return found


LINK, PIPE, FOLDER = "-> ", "a pipe", "a folder"
OURS = {"CACHEDIR.TAG": cache._TAG, ".gitignore": "*\n"}
FOREIGN: dict[str, dict[str, str]] = {
    "one file": {"letter.txt": "mine"},
    "a .gitignore": {".gitignore": "mine"},
    "pruned": {"pruned": "mine"},
    "the tag of another program": {"CACHEDIR.TAG": cache._TAG[:43] + "\n# Made by cargo\n"},
    "a tag that is a symlink": {"CACHEDIR.TAG": LINK + "../tag"},
    "a tag that is a pipe": {"CACHEDIR.TAG": PIPE},
    "a tag that is a folder": {"CACHEDIR.TAG": FOLDER},
    "folders of one letter": {"a": FOLDER, "b": FOLDER},
    "a symlink of one letter": {"a": LINK + "../important"},
    "our tag, and a symlink": {**OURS, "a": LINK + "../important"},
    "our tag, and a dangling symlink": {**OURS, "b": LINK + "../none"},
    "our tag, and a file": {**OURS, "f": "mine"},
}
"""What may lie in a folder that is not a cache of ours."""


def fill(folder: Path, what: dict[str, str]) -> None:
    for name, content in what.items():
        path = folder / name
        if content == PIPE:
            os.mkfifo(path)
        elif content == FOLDER:
            path.mkdir()
        elif content.startswith(LINK):
            path.symlink_to(content.removeprefix(LINK))
        else:
            path.write_text(content)


def test_home_is_no_cache_although_the_key_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home/state"))
    open_store(tmp_path / "cache", tmp_path / "project", is_asked=True)
    before = files(tmp_path / "home")
    with pytest.raises(
        PylitError, match="home: error: is not a cache created by pylit, and contains `state`"
    ):
        open_store(tmp_path / "home", tmp_path / "project", is_asked=True)
    assert files(tmp_path / "home") == before


@pytest.mark.parametrize("name", FOREIGN)
def test_folder_of_somebody_else_is_left_alone(name: str, tmp_path: Path) -> None:
    folder, important = tmp_path / "folder", tmp_path / "important"
    folder.mkdir()
    important.mkdir()
    (tmp_path / "tag").write_text(cache._TAG)
    (important / ("a" * 39)).write_bytes(b"pylit cache 2\n")
    fill(folder, FOREIGN[name])
    before = files(tmp_path)
    with pytest.raises(
        PylitError,
        match=r"folder: error: (is not a cache created by pylit|contains).*\n.*Choose another cache folder",
    ):
        open_store(folder, tmp_path, is_asked=True)
    store = open_store(folder, tmp_path, is_asked=False)
    assert store.folder is None and "folder is not used, and everything is built again: it " in store.note
    assert files(tmp_path) == before


def test_folder_that_is_a_symlink_is_used_only_if_asked_for(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "folder").symlink_to("home")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("folder", "dangling"):
        store = open_store(tmp_path / name, tmp_path, is_asked=False)
        assert store.folder is None and store.note.endswith(": it is a symlink.")
    assert not list((tmp_path / "home").iterdir()) and not (tmp_path / "nowhere").exists()
    assert open_store(tmp_path / "folder", tmp_path, is_asked=True).folder
    assert (tmp_path / "home/CACHEDIR.TAG").is_file()


def test_empty_folder_and_one_whose_making_was_stopped_are_used(tmp_path: Path) -> None:
    (tmp_path / ".0123456789abcdef.new").write_text("Signat")
    Store(tmp_path)
    assert (tmp_path / "CACHEDIR.TAG").is_file() and (tmp_path / ".gitignore").read_text() == "*\n"


def test_folder_that_is_emptied_while_it_is_used_is_still_ours(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    store = Store(folder, SECRET)
    store.put(KEY, b"1")
    shutil.rmtree(folder)
    store.put(KEY, b"2")
    assert Store(folder, SECRET).get(KEY) == b"2"


def test_pruning_removes_entries_only(tmp_path: Path) -> None:
    """Whatever else lies in the folder, and wherever symlinks in it lead."""
    folder, important = tmp_path / "cache", tmp_path / "important"
    store = Store(folder, SECRET, limit=0)
    for number in range(200):  # so that each folder is there
        store.put(digest(str(number)), b"entry")
    important.mkdir()
    name = "0" * 39
    for path in (important / "a", important / name, folder / "mine", folder / "a/mine", folder / "a" / name):
        path.write_text("not an entry")
    (folder / "a/.0123456789abcdef.new").write_text("not an entry")
    (folder / "letters").mkdir()
    (folder / "g").mkdir()
    for other in ("letters", "g"):
        (folder / other / name).write_bytes(entry(store, digest("0")).read_bytes())
    (folder / "a/folder").mkdir()
    (folder / "a" / ("1" * 39)).symlink_to(important / name)
    os.mkfifo(folder / "a" / ("2" * 39))
    (folder / "b/.fedcba9876543210.new").write_bytes(b"pyl")
    entries = {str(entry(store, digest(str(number)))) for number in range(200)}
    before = files(tmp_path)
    for path in tmp_path.rglob("*"):
        if not path.is_symlink():
            age(path, 2 * FRESH)
    shutil.rmtree(folder / "b")
    (folder / "b").symlink_to(important)
    store.prune()
    gone = {path for path in before.keys() - files(tmp_path).keys() if not path.startswith(str(folder / "b"))}
    assert gone == {path for path in entries if not path.startswith(str(folder / "b"))}
    assert sorted(path.name for path in important.iterdir()) == [name, "a"]


@pytest.mark.parametrize("stamp", [LINK + "../victim", FOLDER, PIPE])
def test_stamp_of_pruning_is_no_way_out(stamp: str, tmp_path: Path) -> None:
    store, victim = Store(tmp_path / "cache", SECRET), tmp_path / "victim"
    victim.write_text("mine")
    age(victim, 2 * FRESH)
    path = tmp_path / "cache/pruned"
    fill(tmp_path / "cache", {"pruned": stamp})
    if not stamp.startswith(LINK):
        age(path, 2 * FRESH)
    store.put(KEY, b"")
    store.prune()
    assert victim.read_text() == "mine" and store.has(KEY)


def test_entries_are_regular_files(tmp_path: Path) -> None:
    """A pipe would never end, and a symlink may lead anywhere."""
    store, elsewhere = Store(tmp_path / "cache", SECRET), tmp_path / "elsewhere"
    store.put(KEY, b"data")
    path = entry(store)
    path.rename(elsewhere)
    for kind in (LINK + str(elsewhere), PIPE, FOLDER):
        fill(path.parent, {path.name: kind})
        assert not store.has(KEY) and store.get(KEY) is None
        path.rmdir() if path.is_dir() else path.unlink()
    path.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    store.put(KEY, b"new")
    assert store.get(KEY) == b"new" and elsewhere.read_bytes() == before


def test_entries_have_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that somebody with the key has packed: a thousandth of what they hold."""
    store = Store(tmp_path, SECRET)
    store.put(KEY, bytes(100_000))
    assert entry(store).stat().st_size < 1000
    monkeypatch.setattr(cache, "LARGEST", 99_999)
    assert store.get(KEY) is None
    with pytest.raises(OSError, match="File too large"):
        store.put(KEY, bytes(100_000))
    monkeypatch.setattr(cache, "LARGEST", 10)
    assert store.get(KEY) is None
    monkeypatch.undo()
    assert store.get(KEY) == bytes(100_000)


def test_entry_under_another_seal_is_not_there(tmp_path: Path) -> None:
    """Not even when it is put where ours would lie."""
    ours, theirs = Store(tmp_path, b"ours"), Store(tmp_path, b"theirs")
    theirs.put(KEY, b"theirs")
    assert not ours.has(KEY) and ours.get(KEY) is None
    entry(ours).parent.mkdir(exist_ok=True)
    shutil.copy(entry(theirs), entry(ours))
    assert ours.has(KEY) and ours.get(KEY) is None
    ours.put(KEY, b"ours")
    assert ours.get(KEY) == b"ours" and theirs.get(KEY) == b"theirs"
    assert Store(tmp_path).get(KEY) is None and Store(tmp_path).secret != Store(tmp_path).secret


def test_secret_is_not_told(tmp_path: Path) -> None:
    store = Store(tmp_path, SECRET)
    store.put(KEY, b"data")
    assert SECRET not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert "secret" not in repr(store) and SECRET.decode() not in repr(store)


def test_entry_of_another_user_is_used_although_its_time_cannot_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path, SECRET)
    store.put(KEY, b"data")
    age(entry(store), 2 * FRESH)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "utime", refuse)
    assert store.get(KEY) == b"data"


def test_use_is_noted(tmp_path: Path) -> None:
    store = Store(tmp_path, SECRET)
    store.put(KEY, b"data")
    age(entry(store), 2 * FRESH)
    before = entry(store).stat().st_mtime
    assert store.get(KEY) == b"data"
    assert entry(store).stat().st_mtime > before + FRESH


def test_many_may_make_the_folder_at_once(tmp_path: Path) -> None:
    for attempt in range(20):
        folder = tmp_path / str(attempt)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(Store, [folder] * 8, [SECRET] * 8))
        assert [path.name for path in sorted(folder.iterdir())] == [".gitignore", "CACHEDIR.TAG"]


def test_nothing_is_left_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path, SECRET)
    store.put(KEY, b"x")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store.put(KEY, b"y")
    assert store.get(KEY) == b"x"
    assert not list(tmp_path.rglob("*.new"))
    assert stat.S_ISREG(entry(store).stat().st_mode)
