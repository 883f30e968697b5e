"""The key of a cache is the user's own or the team's, and never one that others can know or have put there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from pylit.cache.digests import digest
from pylit.cache.key import DISTINCT, KEY, KEY_FILE, LONGEST, SHORTEST, NoKeyError, find_key, own_key_file
from pylit.cache.store import Store, open_store
from pylit.errors import PylitError

TEAM = "0123456789abcdef" * 2


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the user's key goes to. Beside it there is a project."""
    (tmp_path / "project").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def find(tmp_path: Path) -> bytes:
    return find_key(tmp_path / "project", tmp_path / "project/.pylit-cache")


def test_key_is_made_once_for_the_user_alone(state: Path, tmp_path: Path) -> None:
    key = find(tmp_path)
    path = state / "pylit/cache-key"
    assert len(key) == 32 and bytes.fromhex(path.read_text()) == key
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert find(tmp_path) == key and list(path.parent.iterdir()) == [path]
    path.unlink()
    assert find(tmp_path) != key


@pytest.mark.process
def test_processes_that_begin_at_once_have_one_key(state: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pylit.cache.key import find_key; sys.stdin.readline();"
        " print(find_key(Path('project'), Path('cache')).hex())"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for attempt in range(3):
        found = [
            subprocess.Popen(
                [sys.executable, "-c", code],
                cwd=tmp_path,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(8)
        ]
        for process in found:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        keys = {process.communicate()[0] for process in found}
        assert len(keys) == 1 and len(keys.pop()) == 65, attempt
        assert [path.name for path in (state / "pylit").iterdir()] == ["cache-key"]
        (state / "pylit/cache-key").unlink()


def test_file_systems_without_hard_links(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    assert find(tmp_path) == find(tmp_path)
    assert [path.name for path in (state / "pylit").iterdir()] == ["cache-key"]


def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    for given in ("relative", ""):  # which the standard says to ignore
        monkeypatch.setenv("XDG_STATE_HOME", given)
        assert own_key_file() == tmp_path / ".local/state/pylit/cache-key"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert own_key_file() == tmp_path / "Library/Application Support/pylit/cache-key"
    for home in (".", str(tmp_path / "none")):  # the home of users that no person has
        monkeypatch.setenv("HOME", home)
        with pytest.raises(NoKeyError, match="there is no home folder"):
            own_key_file()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o602, 0o601, 0o604])
def test_key_that_others_can_reach_is_not_used(mode: int, state: Path, tmp_path: Path) -> None:
    find(tmp_path)
    (state / "pylit/cache-key").chmod(mode)
    with pytest.raises(
        NoKeyError, match=rf"others can read or write `.*` \(mode {mode:o}\); replace it with a new key"
    ):
        find(tmp_path)


def test_key_of_another_user_is_not_used(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(NoKeyError, match="belongs to another user"):
        find(tmp_path)


@pytest.mark.parametrize("content", [b"", b"0" * 64, b"x" * 65, b"0" * 63 + b"\n", b"0" * 5000])
def test_file_that_holds_no_key(content: bytes, state: Path, tmp_path: Path) -> None:
    find(tmp_path)
    (state / "pylit/cache-key").write_bytes(content)
    with pytest.raises(NoKeyError, match=r"does not contain a key; remove it|has more than 4096 bytes"):
        find(tmp_path)
    assert len(content) <= LONGEST or content[:1] == b"0"


@pytest.mark.parametrize("kind", ["symlink", "dangling", "pipe", "folder"])
def test_key_that_is_not_a_regular_file(kind: str, state: Path, tmp_path: Path) -> None:
    path, other = state / "pylit/cache-key", tmp_path / "other"
    path.parent.mkdir(parents=True)
    other.write_text("0" * 64 + "\n")
    other.chmod(0o600)
    if kind in ("symlink", "dangling"):
        path.symlink_to(other if kind == "symlink" else tmp_path / "nowhere")
    else:
        os.mkfifo(path) if kind == "pipe" else path.mkdir()
    with pytest.raises(NoKeyError, match="cannot be read: "):
        find(tmp_path)
    assert not (tmp_path / "nowhere").exists()


def test_key_elsewhere_in_the_working_copy_of_the_project_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It arrived with the project, and so did the file that sets the variable."""
    clone = tmp_path / "home/clone"
    (clone / ".git").mkdir(parents=True)
    (clone / "docs/site").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(clone / "state"))
    with pytest.raises(NoKeyError, match=r"would be in `.*clone`, where others may have put it; name a file"):
        find_key(clone / "docs/site", tmp_path / "cache")
    assert not (clone / "state").exists()
    key = clone / "key"
    key.write_text("0123456789abcdef" * 4)
    key.chmod(0o600)
    monkeypatch.setenv("PYLIT_CACHE_KEY_FILE", str(key))
    with pytest.raises(PylitError, match=r"would be in `.*clone`"):
        find_key(clone / "docs", tmp_path / "cache")


def test_home_folder_that_is_a_working_copy_may_hold_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home/.git").mkdir(parents=True)
    (tmp_path / "home/project").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert find_key(tmp_path / "home/project", tmp_path / "home/project/.pylit-cache")


@pytest.mark.parametrize("place", ["project", "project/deep", "cache", "linked"])
def test_key_in_the_project_or_in_the_cache_is_not_used(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have arrived with them."""
    for folder in ("project/deep", "cache"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "linked").symlink_to("project/deep")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / place))
    with pytest.raises(NoKeyError, match=r"would be in `.*`, where others may have put it"):
        find_key(tmp_path / "project", tmp_path / "cache")
    path = tmp_path / place / "pylit/cache-key"
    assert not path.parent.exists()
    path.parent.mkdir()
    path.write_text("0" * 64 + "\n")
    path.chmod(0o600)
    with pytest.raises(NoKeyError, match="would be in"):
        find_key(tmp_path / "project", tmp_path / "cache")


def test_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache then serves this build alone, and its user is told."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    for is_asked in (True, False):
        store = open_store(tmp_path / "cache", tmp_path / "project", is_asked=is_asked)
        assert store.folder is None and not (tmp_path / "cache").exists()
        assert "cache is not used, and everything is built again: cannot store a key in `" in store.note


def test_machines_with_the_same_key_share_entries(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, TEAM)
    one = open_store(tmp_path / "cache", tmp_path / "project", is_asked=True)
    one.put(digest("key"), b"data")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another machine"))
    assert open_store(tmp_path / "cache", tmp_path / "project", is_asked=True).get(digest("key")) == b"data"
    path = tmp_path / "key"
    path.write_text(f"  {TEAM}\n")
    path.chmod(0o600)
    (tmp_path / "linked").symlink_to(path)  # as secrets are mounted
    monkeypatch.delenv(KEY)
    for name in ("key", "linked"):
        monkeypatch.setenv(KEY_FILE, str(tmp_path / name))
        store = open_store(tmp_path / "cache", tmp_path / "project", is_asked=True)
        assert store.secret == one.secret and store.get(digest("key")) == b"data"
    monkeypatch.setenv(KEY_FILE, "")
    monkeypatch.setenv(KEY, " ")  # as in a build that is not given the secret
    store = open_store(tmp_path / "cache", tmp_path / "project", is_asked=True)
    assert store.get(digest("key")) is None and store.secret == find(tmp_path)
    for key in (TEAM.upper(), TEAM + "0"):
        monkeypatch.setenv(KEY, key)
        assert open_store(tmp_path / "cache", tmp_path / "project", is_asked=True).get(digest("key")) is None


def test_shared_key_that_is_not_safe(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(message: str) -> None:
        for is_asked in (True, False):
            with pytest.raises(PylitError, match=rf"^PYLIT_CACHE_KEY.*{message}") as error:
                open_store(tmp_path / "cache", tmp_path / "project", is_asked=is_asked)
            assert "abcabcabc" not in str(error.value), "it is not told"
        assert not (tmp_path / "cache").exists()

    path = tmp_path / "key"
    path.write_text("")
    path.chmod(0o600)
    for text, message in (
        ("abcabcabc" * 3, f"has a key of 27 characters; expected at least {SHORTEST}\n.*openssl rand"),
        ("abcabcabc" * 9, f"has a key of 3 different characters; expected at least {DISTINCT}"),
    ):
        monkeypatch.setenv(KEY, text)
        refused(message)
        monkeypatch.delenv(KEY)
        path.write_text(text)
        monkeypatch.setenv(KEY_FILE, str(path))
        refused(message)
        monkeypatch.delenv(KEY_FILE)
    monkeypatch.setenv(KEY_FILE, str(path))
    monkeypatch.setenv(KEY, TEAM)
    refused("is set together with PYLIT_CACHE_KEY_FILE\n.*only one")
    monkeypatch.delenv(KEY)
    path.write_text(TEAM)
    path.chmod(0o644)
    refused("cannot be used: others can read or write")
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "none"))
    refused("cannot be used: .*none` cannot be read: No such file")
    (tmp_path / "project/key").write_text(TEAM)
    (tmp_path / "project/key").chmod(0o600)
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "project/key"))
    refused("cannot be used: the key .* would be in")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "pipe"))
    refused("cannot be used: .*Not a regular file")
    monkeypatch.setenv(KEY_FILE, str(tmp_path / "project"))
    refused("cannot be used")
    assert not state.exists()


def test_no_key_is_looked_for_without_a_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(KEY, "short")
    assert open_store(None, tmp_path, is_asked=False).folder is None
    assert len(Store(None).secret) == 32


@pytest.mark.process
def test_help_does_not_look_for_it() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from pylit.cli.main import main\n"
        "assert CliRunner().invoke(main, ['render', '--help']).exit_code == 0\n"
        "assert not {'pylit.cache', 'pylit.site', 'pylit.parsing'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
