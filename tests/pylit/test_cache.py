"""What is kept is what was put, or it is not there; and it does not grow without end."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pylit.cache import FRESH, Store, canonical, digest, open_store
from pylit.errors import PylitError

KEY = digest("key")


def entry(store: Store, key: str = KEY) -> Path:
    """The file of an entry."""
    assert store.folder
    (found,) = (path for path in store.folder.glob("?/*") if path.parent.name + path.name == key)
    return found


def age(path: Path, seconds: float) -> None:
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_what_was_put_is_there(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    store.put(KEY, b"data" * 1000)
    assert store.get(KEY) == b"data" * 1000
    assert store.has(KEY)
    assert store.get(digest("other")) is None
    assert Store(tmp_path / "cache").get(KEY) == b"data" * 1000
    assert entry(store).stat().st_size < 200


def test_json(tmp_path: Path) -> None:
    store = Store(tmp_path)
    value = {"残差": [1, None, True, "x"], "a": {}}
    store.put_json(KEY, value)
    assert store.get_json(KEY) == value


def test_content_has_its_own_key(tmp_path: Path) -> None:
    store = Store(tmp_path)
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
        lambda data: data.replace(b"cache 1", b"cache 2"),
        lambda data: os.urandom(len(data)),
    ],
)
def test_damaged_entries_are_not_there(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    store = Store(tmp_path)
    store.put_json(KEY, [1, 2, 3] * 100)
    entry(store).write_bytes(damage(entry(store).read_bytes()))
    assert store.get(KEY) is None
    assert store.get_json(KEY) is None


def test_entry_under_another_key_is_not_there(tmp_path: Path) -> None:
    store, other = Store(tmp_path), digest("other")
    store.put(KEY, b"mine")
    store.put(other, b"theirs")
    entry(store).write_bytes(entry(store, other).read_bytes())
    assert store.get(KEY) is None


def test_sealed_nonsense_is_not_there(tmp_path: Path) -> None:
    """Whoever can write to a shared folder can seal anything, but it must not stop a build."""
    store = Store(tmp_path)
    store.put(KEY, b"no JSON")
    assert store.get_json(KEY) is None
    store.put(KEY, b"[" * 100_000)
    assert store.get_json(KEY) is None


def test_parts_of_a_key_do_not_run_together() -> None:
    assert (
        len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("", "abc"), digest(b"abc", "")}) == 5
    )
    assert digest("a") == digest(b"a")
    assert canonical({"b": 1, "a": (2, 3)}) == '{"a":[2,3],"b":1}'


def test_folder_says_what_it_is(tmp_path: Path) -> None:
    Store(tmp_path / "cache")
    assert (tmp_path / "cache/.gitignore").read_text() == "*\n"
    assert (
        (tmp_path / "cache/CACHEDIR.TAG")
        .read_text()
        .startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    )


def test_many_may_write_at_once(tmp_path: Path) -> None:
    def work(number: int) -> None:
        store = Store(tmp_path)
        for key in range(20):
            store.put(digest(str(key)), b"%d" % key * 1000)
            found = store.get(digest(str(key)))
            assert found == b"%d" % key * 1000, number

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert not list(tmp_path.rglob("*.new"))


def test_what_was_not_used_for_longest_goes(tmp_path: Path) -> None:
    store = Store(tmp_path, limit=25_000)
    keys = [digest(str(number)) for number in range(5)]
    for number, key in enumerate(keys):
        store.put(key, os.urandom(10_000))
        age(entry(store, key), FRESH * (10 - number))
    left = entry(store, keys[0]).with_name("left.new")
    left.write_bytes(b"by a build that was killed")
    age(left, 2 * FRESH)
    store.get(keys[1])  # which makes it the youngest
    store.prune()
    assert [store.has(key) for key in keys] == [False, True, False, False, True]
    assert not left.exists()


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    store = Store(tmp_path, limit=0)
    store.put(KEY, b"fresh")
    store.prune()
    assert store.has(KEY)


def test_old_entries_are_looked_for_once_an_hour(tmp_path: Path) -> None:
    store = Store(tmp_path, limit=0)
    store.put(KEY, b"")
    store.prune()
    age(entry(store), 2 * FRESH)
    store.prune()
    assert store.has(KEY)
    age(tmp_path / "pruned", 2 * FRESH)
    Store(tmp_path, limit=0).prune()
    assert store.has(KEY), "nothing was put since"
    store.prune()
    assert not store.has(KEY)


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PylitError, match=r"file: error: cannot be written: .*\n    Choose another folder"):
        open_store(tmp_path / "file", is_asked=True)
    assert open_store(tmp_path / "file", is_asked=False).folder is None
    assert open_store(None, is_asked=True).folder is None


def test_nothing_is_left_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.put(KEY, b"x")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store.put(KEY, b"y")
    assert store.get(KEY) == b"x"
    assert not list(tmp_path.rglob("*.new"))
    assert stat.S_ISREG(entry(store).stat().st_mode)
