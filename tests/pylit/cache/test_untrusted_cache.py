"""A cache that arrives with a clone, or that others write to, changes nothing but the time that a build takes."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, SECRET, Write
from sampling import SHARE, thinned

from pylit.builder import result_cache as ledger
from pylit.builder import targets as jobs
from pylit.builder.builder import build
from pylit.builder.output import MANIFEST
from pylit.builder.targets import Job, site_jobs
from pylit.cache.digests import canonical, digest
from pylit.cache.fingerprint import engine_digest
from pylit.cache.key import find_key
from pylit.cache.store import _TAG, Store
from pylit.defaults import TRACES
from pylit.errors import Problem, PylitError, Severity
from pylit.filesystem.addresses import is_address
from pylit.i18n.catalog import catalog_from_json
from pylit.rendering.memo import Fragments
from pylit.resolve.module_info import facts_from_json, labels_from_json
from pylit.site.discovery import find_pages
from pylit.site.settings import Settings
from pylit.site.site import Site
from pylit.site.sources import _facts_key

PAGE = '"""\n# Title\n\nWords and $x$.\n\n![A dot](dot.png)\n"""\n\nx = 1\n'
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d4944415478da63fccfc0f01f0005050201a3e6ed5c0000000049454e44ae426082"
)
EVIL = b"<!doctype html><script>alert(1)</script>"
ENVIRONMENT = ("XDG_STATE_HOME", "PYLIT_CACHE_KEY", "PYLIT_CACHE_KEY_FILE")


@pytest.fixture
def clone(write: Write, tmp_path: Path) -> Path:
    """A project, as the attacker and the victim have it."""
    for name in ("__init__", "a", "b"):
        write(f"clone/pkg/{name}.py", PAGE.replace("Title", f"Title of {name}"))
    (tmp_path / "clone/pkg/dot.png").write_bytes(PNG)
    (tmp_path / "home").mkdir()
    write("home/secret", "the victim's")
    write("home/.profile", "the victim's")
    return tmp_path / "clone"


def render(
    clone: Path, *options: str, home: str = "home", **environment: str
) -> subprocess.CompletedProcess[str]:
    """What the victim runs, or the attacker at home."""
    (clone.parent / home).mkdir(exist_ok=True)
    env = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    env |= {"HOME": str(clone.parent / home), "PYTHONPATH": str(ROOT)} | environment
    command = [sys.executable, "-m", "pylit", "render", "pkg", "--out", "out", "--no-search", *options]
    return subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True, timeout=120)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def as_rendered(clone: Path, store: Store) -> Site:
    """The site that `pylit render pkg --no-search` makes."""
    return find_pages(Settings(base=clone, roots=(("pkg", ""),), traces=Path(TRACES)), store)


def forge(clone: Path, secret: bytes) -> None:
    """Put what the attacker wants into all that is kept, under a secret, with the code of the engine."""
    site = as_rendered(clone, Store(clone / ".pylit-cache", secret))
    store = site.store
    evil = store.put_content(EVIL)
    for job in site_jobs(site):
        key = ledger._key(job, site)
        variants = deepcopy(store.get_json(key))
        assert variants, "the attacker knows what the victim will look for"
        for variant in variants:
            variant[2] = dict.fromkeys([*variant[2], "../../home/.profile", "../../home/new", "x.html"], evil)
            variant[3] = {"secret.png": "../home/secret", "passwd.png": "/etc/passwd"}
        store.put_json(key, variants)
    for page in site.pages:
        key = digest("fragments", site.identity, page.file)
        found = store.get_json(key)
        assert found
        store.put_json(key, dict.fromkeys(found, EVIL.decode()))


def forge_as_before(clone: Path) -> None:
    """Forge the same in the format of the first release, whose seal needs no secret."""

    def put(key: str, data: bytes) -> None:
        packed = zlib.compress(data)
        path = clone / ".pylit-cache" / key[:1] / key[1:]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"pylit cache 1\n" + hashlib.sha256(key.encode() + packed).digest()[:20] + packed)

    site = as_rendered(clone, Store(None))
    put(digest(EVIL), EVIL)
    for job in site_jobs(site):
        record = [[], digest(""), {"../../home/.profile": digest(EVIL), "index.html": digest(EVIL)}, {}, []]
        put(ledger._key(job, site), canonical([record]).encode())


def assert_harmless(clone: Path, result: subprocess.CompletedProcess[str]) -> None:
    """Nothing was written but the pages and the cache, and the pages are those that a build from nothing gives."""
    assert result.returncode == 0, result.stderr
    assert render(clone, "--no-cache", "--out", "clean", home="other").returncode == 0
    assert files(clone / "out") == files(clone / "clean")
    home = files(clone.parent / "home")
    home.pop(".local/state/pylit/cache-key", None)
    assert home == {"secret": b"the victim's", ".profile": b"the victim's"}
    assert {path.name for path in clone.parent.iterdir()} <= {
        "clone",
        "home",
        "attacker",
        "other",
        "important",
    }


@pytest.fixture
def attacked(clone: Path) -> Path:
    """A clone with the cache of an attacker, who has not forged it yet."""
    assert render(clone, home="attacker").returncode == 0
    shutil.rmtree(clone / "out")
    return clone


def attackers_key(clone: Path) -> bytes:
    return bytes.fromhex((clone.parent / "attacker/.local/state/pylit/cache-key").read_text())


@pytest.mark.process
def test_cache_that_arrives_with_a_clone_is_not_used(attacked: Path) -> None:
    forge(attacked, attackers_key(attacked))
    assert_harmless(attacked, render(attacked))


@pytest.mark.process
def test_cache_without_a_seal_is_not_used(attacked: Path) -> None:
    forge_as_before(attacked)
    assert_harmless(attacked, render(attacked))


@pytest.mark.process
def test_entries_that_are_moved_to_where_ours_would_lie_are_not_used(attacked: Path) -> None:
    """By somebody who has seen the cache of the victim."""
    theirs = set((attacked / ".pylit-cache").glob("?/*"))
    assert render(attacked).returncode == 0
    ours = set((attacked / ".pylit-cache").glob("?/*")) - theirs
    assert min(len(ours), len(theirs)) > 10
    forge(attacked, attackers_key(attacked))
    contents, chance = [path.read_bytes() for path in sorted(theirs)], random.Random(0)
    for path in sorted(ours):
        path.write_bytes(chance.choice(contents))
    shutil.rmtree(attacked / "out")
    assert_harmless(attacked, render(attacked))


@pytest.mark.process
def test_records_under_the_victims_own_key_lead_nowhere_else(attacked: Path) -> None:
    """Should the key become known, pages may be others, but they stay in their folder."""
    assert render(attacked).returncode == 0
    key = bytes.fromhex((attacked.parent / "home/.local/state/pylit/cache-key").read_text())
    forge(attacked, key)
    shutil.rmtree(attacked / "out")
    site = as_rendered(attacked, Store(attacked / ".pylit-cache", key))
    assert all(ledger.find_record(job, site) is None for job in site_jobs(site))
    assert render(attacked).returncode == 0
    assert "x.html" not in files(attacked / "out")
    home = files(attacked.parent / "home")
    assert home.pop(".local/state/pylit/cache-key")
    assert home == {"secret": b"the victim's", ".profile": b"the victim's"}


@pytest.mark.process
@pytest.mark.parametrize("place", thinned([".", "pkg", ".pylit-cache"], 3))
def test_key_that_arrives_with_a_clone_is_not_used(place: str, attacked: Path) -> None:
    """Where the home folder is the clone, as in some containers."""
    forge(attacked, attackers_key(attacked))
    shutil.copytree(attacked.parent / "attacker/.local/state/pylit", attacked / place / ".local/state/pylit")
    result = render(attacked, HOME=str(attacked / place))
    assert "note: .pylit-cache is not used, and everything is built again: the key `" in result.stderr
    assert_harmless(attacked, result)


OURS = {"CACHEDIR.TAG": _TAG, ".gitignore": "*\n"}
CACHES: dict[str, dict[str, str]] = {
    "a symlink": {"": "-> ."},
    "a dangling symlink": {"": "-> new"},
    "a file": {"": "mine"},
    "no tag": {"letter": "mine"},
    "symlinked folders": {**OURS, **dict.fromkeys("0123456789abcdef", "-> .")},
    "a symlinked tag and .gitignore": {"CACHEDIR.TAG": "-> tag", ".gitignore": "-> new"},
    "symlinked files": {"CACHEDIR.TAG": _TAG, ".gitignore": "-> new", "pruned": "-> letter"},
}
"""What a clone may have as its cache; a symlink, to what is important to the victim, begins with an arrow."""


@pytest.mark.process
@pytest.mark.parametrize("name", thinned(CACHES, 3))
def test_folder_that_arrives_with_a_clone_leads_nowhere(name: str, clone: Path) -> None:
    important = clone.parent / "important"
    important.mkdir()
    (important / "letter").write_text("mine")
    (important / "tag").write_text(_TAG)
    (important / ("a" * 39)).write_text("pylit cache 2\n")
    for path in important.iterdir():
        os.utime(path, (0, 0))
    for file, content in CACHES[name].items():
        path = clone / ".pylit-cache" / file
        path.parent.mkdir(exist_ok=True)
        if content.startswith("-> "):
            path.symlink_to(important / content.removeprefix("-> "))
        else:
            path.write_text(content)
    before = {path: (path.read_bytes(), path.stat()) for path in important.iterdir()}
    result = render(clone)
    assert_harmless(clone, result)
    assert {path: (path.read_bytes(), path.stat()) for path in important.iterdir()} == before
    if name not in ("a file", "symlinked files"):
        assert "note: .pylit-cache is not used, and everything is built again: it " in result.stderr


@pytest.mark.process
def test_two_users_of_one_folder(clone: Path) -> None:
    """Each has what it made, and neither disturbs the other."""
    seen = []
    for home in ("one", "two", "one", "two"):
        shutil.rmtree(clone / "out", ignore_errors=True)
        result = render(clone, "--cache", "../important", home=home)
        assert result.returncode == 0 and "note" not in result.stderr
        seen.append({name: data for name, data in files(clone.parent / "important").items() if "/" in name})
    one, both, *later = seen
    assert one.items() < both.items() and len(one) > 10
    for other in (
        later
    ):  # nothing was made again but the two lists of files for each, which are no longer just written
        assert len(dict(other.items() - both.items())) <= 4


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs that are done, which are not when they are known."""
    found: list[Job] = []
    do = jobs.make_files

    def counted(job: Job, *rest: Any) -> jobs.MadeFiles:
        found.append(job)
        return do(job, *rest)

    monkeypatch.setattr("pylit.builder.work_units.make_files", counted)
    return found


def test_new_key_makes_all_anew_once(clone: Path, made: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    """And so does another machine, unless it is given the same key."""
    outs: list[dict[str, bytes]] = []

    def count(home: str, key: str = "") -> int:
        made.clear()
        monkeypatch.setenv("XDG_STATE_HOME", str(clone.parent / home))
        monkeypatch.setenv("PYLIT_CACHE_KEY", key)
        cache = clone.parent / "important"
        store = Store(cache, find_key(clone, cache))
        assert not build(as_rendered(clone, store), clone.parent / f"out{len(outs)}", jobs=1).errors
        outs.append(files(clone.parent / f"out{len(outs)}"))
        return len(made)

    alone = [count("one"), count("one"), count("two"), count("one"), count("two")]
    assert alone == [4, 0, 4, 0, 0]
    (clone.parent / "one/pylit/cache-key").unlink()
    assert [count("one"), count("one"), count("two")] == [4, 0, 0]
    team, others = "0123456789abcdef" * 2, "fedcba9876543210" * 2
    assert [count("one", team), count("two", team), count("two", others), count("one", team)] == [4, 0, 4, 0]
    assert all(out == outs[0] for out in outs)


HOSTILE: list[Any] = [
    "../x", "../../home/.profile", "/etc/passwd", "a/../../x", "..", ".", "", "/", "a\0b", "\\\\x", "C:\\x", "nul",
    "x\n", "~/x", "\udc80", "a" * 5000, None, True, -1, 10**30, 1.5, float("inf"), [], {}, [[]], {"x": 1}, ["content"],
    ["content", "/etc/passwd"], ["matches", "../**/*"], ["matches", "**x"], ["kind", "\0"], ["everything"],
    ["__init__"], {"../x": "0" * 40}, {"x": "../x"}, "error", "0" * 40, MANIFEST, ".pylit-new-x",
]  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each list or object in a value, with each of its keys."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def mutated(value: Any, chance: random.Random) -> Any:
    value = deepcopy(value)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        found = list(places(value))
        if not found:
            return chance.choice(HOSTILE)
        inside, key = chance.choice(found)
        other = deepcopy(chance.choice(HOSTILE))
        way = chance.randrange(4)
        if way == 0 and isinstance(inside, dict) and isinstance(other, str):
            inside[other] = inside.pop(key)
        elif way == 1 and isinstance(inside, dict) and isinstance(other, str):
            inside[other] = deepcopy(inside[key])
        elif way == 2 and isinstance(inside, list):
            inside.insert(key, other)
        else:
            inside[key] = other
    return value


MUTANTS = 200


@pytest.mark.slow
@pytest.mark.parametrize("seed", thinned(range(4), 4))
def test_mutants_of_what_is_kept_write_nothing_elsewhere(seed: int, clone: Path) -> None:
    """All that is kept is changed by chance and sealed again with the right secret: at worst, the page is another."""
    cache, out = clone.parent / "important", clone.parent / "out/deep"
    site = as_rendered(clone, Store(cache, SECRET))
    build(site, out, jobs=1)
    store, chance = site.store, random.Random(seed)
    keys = [ledger._key(job, site) for job in site_jobs(site)]
    for page in site.pages:
        keys.append(digest("fragments", site.identity, page.file))
        name, data = site.sources.module_name(page.file), site.files.read(page.file)
        keys.append(_facts_key(page.file, name, data, site.settings.conventions))
    keys.append(digest("locale", engine_digest(), "en"))
    kept = {key: store.get_json(key) for key in keys}
    assert all(kept.values())
    before = {
        name: data
        for name, data in files(clone.parent).items()
        if not name.startswith(("important/", "out/deep/"))
    }
    for _ in range(MUTANTS // 4 // SHARE):
        for key, value in kept.items():
            changed = mutated(value, chance) if chance.random() < 0.6 else value
            store.put(key, json.dumps(changed).encode())
        shutil.rmtree(out)
        build(as_rendered(clone, Store(cache, SECRET)), out, jobs=1, keep_going=True)
        after = {
            name: data for name, data in files(clone.parent).items() if not name.startswith("important/")
        }
        ours = {name.removeprefix("out/deep/") for name in after if name.startswith("out/deep/")}
        assert {name: data for name, data in after.items() if not name.startswith("out/deep/")} == before
        assert all(map(is_address, ours)) and not [
            name for name in ours if b"root:x:0" in after["out/deep/" + name]
        ]


QUESTIONS = Site(Settings(Path(), ())).questions
RECORD: list[Any] = [[["content", "pkg/a.py"]], "0" * 40, {"a.html": "1" * 40}, {"a.png": "pkg/a.png"}, []]
PROBLEM: list[Any] = ["a.py", 3, "is wrong", "Fix it.", "warning"]


def test_records_are_read_as_they_were_written() -> None:
    found = ledger._read([*RECORD[:4], [PROBLEM]], QUESTIONS)
    assert found is not None
    record = found.record
    assert (record.files, record.copies) == ({"a.html": "1" * 40}, {"a.png": "pkg/a.png"})
    assert found.asked == [("content", "pkg/a.py")] and found.answers == "0" * 40
    assert record.problems == (Problem("a.py", 3, "is wrong", "Fix it.", Severity.WARNING),)
    assert record.problems[0].as_json() == PROBLEM


UNCLEAN = [address for address in HOSTILE if isinstance(address, str) and not is_address(address)]
WRONG: dict[int, list[Any]] = {
    0: [None, "content", [[]], [["read", "x"]], [["content"]], {"content": 1}, 1],
    1: [None, 1, "", "x", "0" * 39, "G" * 40, ["0" * 40]],
    2: [None, [], "x", {"a": 1}, {"a": "../x"}, *({address: "1" * 40} for address in UNCLEAN)],
    3: [None, ["a"], "ab", {"a": 1}, {"a": None}, *({address: "a"} for address in UNCLEAN), {"a": ".."}],
    4: [None, 1, "x", [PROBLEM[:4]], [[*PROBLEM, 1]], [[*PROBLEM[:4], "fatal"]], [{}]],
}  # fmt: skip
for at in range(5):
    others: list[Any] = [None, [], 1.5, -1, b""]
    for other in others:
        WRONG[4].append([[*PROBLEM[:at], other, *PROBLEM[at + 1 :]]])


@pytest.mark.parametrize(
    ("part", "value"), [(part, value) for part, found in WRONG.items() for value in found]
)
def test_records_that_are_something_else_are_not_there(part: int, value: Any) -> None:
    assert ledger._read(RECORD, QUESTIONS) is not None
    assert ledger._read([*RECORD[:part], value, *RECORD[part + 1 :]], QUESTIONS) is None


@pytest.mark.parametrize(
    "value", [None, 1, "abcde", [], [1], {}, {str(n): n for n in range(5)}, [RECORD] * 5]
)
def test_what_is_no_record(value: Any) -> None:
    assert ledger._read(value, QUESTIONS) is None


def test_fragments_are_text(tmp_path: Path) -> None:
    store = Store(tmp_path, SECRET)
    store.put_json("key", {"a": "<b>", "b": 1, "c": None, "d": ["x"]})
    assert Fragments(store, "key").known == {"a": "<b>"}
    store.put_json("key", ["a"])
    assert Fragments(store, "key").known == {}


@pytest.mark.parametrize(
    "kind", ["../home/secret", "/etc/passwd", "link.png", "pipe.png", "folder.png", "pkg/none.png"]
)
def test_copies_are_regular_files_of_the_project(kind: str, clone: Path) -> None:
    """They are looked at when they are made, when they are found in the cache, and when they are written."""
    (clone / "link.png").symlink_to("../home/secret")
    (clone / "folder.png").mkdir()
    os.mkfifo(clone / "pipe.png")
    (clone / "good.png").symlink_to("pkg/dot.png")
    site = as_rendered(clone, Store(None))
    assert site.files.read_published("pkg/dot.png") == site.files.read_published("good.png") == PNG
    assert not site.files.is_publishable(kind)
    reasons = "is not a file of the project|it is a pipe|Is a directory|No such file"
    with pytest.raises((PylitError, OSError), match=reasons):
        site.files.read_published(kind)


@pytest.mark.process
def test_picture_that_becomes_a_symlink_is_not_taken_from_the_cache(clone: Path) -> None:
    assert render(clone).returncode == 0
    assert (clone / "out/dot.png").read_bytes() == PNG
    secret = PNG + b"the victim's"
    (clone.parent / "home/secret.png").write_bytes(secret)
    (clone / "pkg/dot.png").unlink()
    (clone / "pkg/dot.png").symlink_to("../../home/secret.png")
    result = render(clone)
    assert result.returncode == 0 and "the picture `dot.png` does not exist" in result.stderr
    assert secret not in files(clone / "out").values()


def test_search_index_that_is_damaged_is_made_again(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def index(pages: Any, place: Path) -> dict[str, bytes]:
        asked.append([html for _, html in pages])
        return {"pagefind/x": b"index"}

    monkeypatch.setattr("pylit.builder.search_index.index_files", index)
    settings = Settings(base=clone, roots=(("pkg", ""),), search=True)
    cache, out = clone.parent / "important", clone / "out"

    def built() -> dict[str, bytes]:
        shutil.rmtree(out, ignore_errors=True)
        build(find_pages(settings, Store(cache, SECRET)), out, jobs=1)
        return files(out)

    before = built()
    for path in cache.glob("?/*"):  # pages too, of which the index is made
        path.write_bytes(b"damaged")
    (cache / "pruned").unlink(missing_ok=True)
    assert built() == before
    assert len(asked) == 2 and asked[0] == asked[1]
    store = Store(cache, SECRET)
    for data in [b"index", *(before[name] for name in before if name.endswith(".html"))]:
        Path(store._path(digest(data))).write_bytes(b"damaged")
    assert built() == before
    assert len(asked) == 3 and asked[2] == asked[0]


FACTS: dict[str, Any] = {
    "file": "a.py",
    "module": "a",
    "title": "A",
    "names": ["x"],
    "code": [[1, 2]],
    "labels": ["A", {"x": "It does."}, True, "H", True],
    "definitions": {"x": ["x", "x()", "It does."]},
    "exports": {"y": "b.y"},
    "used": [["b.y", "x"]],
    "arguments": {"x": ["z"]},
    "host_anchors": {"x-1": "x"},
    "hook": "H",
    "pictogram": "a.svg",
}
WRONG_FACTS: dict[str, list[Any]] = {
    **{name: [None, 1, ["a"]] for name in ("file", "module", "title")},
    "names": [None, 1, [1], [["x"]]],
    "code": [None, 1, [1], [[1]], [["1", 2]], [[1, 2, 3]]],
    "labels": [
        None,
        [],
        ["A", {}, 1, "", True],
        [1, {}, True, "", True],
        ["A", {"x": 1}, True, "", True],
        ["A", [], True, "", True],
        ["A", {}, True, 1, True],
        ["A", {}, True, "", 1],
    ],
    "definitions": [None, [], {"x": []}, {"x": ["x", "x()", 1]}, {"x": [None, "", ""]}, {"x": 1}],
    "exports": [None, [], {"y": 1}, {"y": None}],
    "used": [None, 1, ["a"], [["b.y", 1]], [["a", "b", "c"]]],
    "arguments": [None, [], {"x": 1}, {"x": [1]}],
    "host_anchors": [None, 1, [1], {"x-1": 1}, {"x-1": ["x"]}],
    "hook": [None, 1, []],
    "pictogram": [None, 1, []],
}


@pytest.mark.parametrize(
    ("part", "value"), [(part, value) for part, found in WRONG_FACTS.items() for value in found]
)
def test_facts_that_are_something_else_are_not_there(part: str, value: Any) -> None:
    found = facts_from_json(FACTS, "key")
    assert found is not None
    assert json.loads(canonical(found.as_json())) == FACTS
    assert facts_from_json({**FACTS, part: value}, "key") is None
    assert part != "labels" or labels_from_json(value) is None


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, {"file": 1}, {"a": {"b": 1}}])
def test_what_is_neither_facts_nor_labels_nor_a_catalog(value: Any) -> None:
    assert facts_from_json(value, "key") is None and labels_from_json(value) is None
    assert catalog_from_json(value, "a.po", "zh") is None


@pytest.mark.parametrize(
    "entry",
    [
        *(None, 1, [], ["translated"]),
        *(
            ["translated", 1, 1, None],
            ["translated", "x", "1", None],
            ["x", "x", 1, None],
            ["translated", "x", 1, 1],
        ),
    ],
)
def test_translations_that_are_something_else_are_not_there(entry: Any) -> None:
    catalog = catalog_from_json(
        [{"a": ["translated", "x", 1, None]}, [[1, "is wrong", "", "warning"]]], "a.po", "zh"
    )
    assert catalog is not None and catalog.lookup("a").text == "x"
    assert catalog.problems == (Problem("a.po", 1, "is wrong", "", Severity.WARNING),)
    assert catalog_from_json([{"a": entry}, []], "a.po", "zh") is None
    assert catalog_from_json([{}, [entry]], "a.po", "zh") is None
