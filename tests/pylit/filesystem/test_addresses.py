"""Nothing is written but at a clean address in its folder, whatever the address says and wherever symlinks lead."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from click.testing import CliRunner
from conftest import Write
from hypothesis import given
from hypothesis import strategies as st

from pylit.builder.builder import build
from pylit.builder.output import MANIFEST, Item, publish, published
from pylit.builder.workplace import workplace
from pylit.builder.zip_archive import write_archive
from pylit.cache.digests import digest
from pylit.cli.main import main
from pylit.errors import PylitError
from pylit.filesystem.addresses import (
    LONGEST,
    LONGEST_NAME,
    AddressError,
    is_address,
    locate,
    locate_all,
    parse_address,
)
from pylit.filesystem.reading import open_regular, resolves_below
from pylit.site.discovery import find_pages
from pylit.site.settings import Settings

GOOD = [
    "a",
    "a.html",
    "zh/a b.html",
    ".hidden/x",
    "残差/模块.html",
    "a...b",
    "console.html",
    "x/auxiliary.py",
    "com10",
]
BAD: dict[str, list[object]] = {
    "it is not a string": [None, 1, b"a", ["a"]],
    "it is absolute": ["/", "/a", "//a", "/etc/passwd"],
    "it has an empty part": ["", "a//b", "a/"],
    "it has a part `.` or `..`": [".", "..", "../a", "a/../b", "a/..", "./a", "a/./b", "a/../../../etc/x"],
    "a part of it ends in a dot or a space": ["a.", "a /b", "a./b", "...", "b/.. "],
    "a part of it is a name that Windows reserves": [
        "con", "a/NUL", "aux.html", "Com1.tar.gz", "lpt9/x", "prn .txt", "COM¹", "conin$", "nul/"[:-1],
    ],
    "it has a backslash, a colon, a control character or a lone surrogate": [
        "a\\b", "..\\a", "C:", "c:/a", "a:stream", "\\\\host\\share", "a\0", "a\nb", "\x1b[2Jx", "a\x7f", "a\x85b",
        "\udcff", "a\u2028b",
    ],
    f"it has {LONGEST + 3} bytes; at most {LONGEST}": ["a/" * (LONGEST // 2) + "abc"],
    f"a part of it has {LONGEST_NAME + 1} bytes": ["x/" + "a" * (LONGEST_NAME + 1), "残" * 85 + "a"],
}  # fmt: skip


@pytest.mark.parametrize("address", GOOD)
def test_clean_addresses(address: str) -> None:
    assert parse_address(address) == address and is_address(address)


@pytest.mark.parametrize(
    ("reason", "address"), [(reason, address) for reason, found in BAD.items() for address in found]
)
def test_other_addresses_say_why(reason: str, address: object, tmp_path: Path) -> None:
    with pytest.raises(AddressError) as error:
        parse_address(address)
    assert str(error.value).startswith(reason)
    assert not is_address(address)
    if isinstance(address, str):
        with pytest.raises(PylitError, match=r"cannot be written: .*\n.*Rename its source file"):
            locate(tmp_path, address)


if sys.version_info >= (3, 13):
    from ntpath import isreserved as is_reserved
else:

    def is_reserved(path: str) -> bool:
        """Whether Windows keeps a name for itself."""
        return PureWindowsPath(path).is_reserved()


PARTS = st.sampled_from(
    ["a", "b.c", ".", "..", "...", "", " ", "/", "\\", "C:", ":", "\0", "\n", "nul", "aux.x", "残", "\u202e", "\ud800"]
)  # fmt: skip


@given(st.lists(st.tuples(PARTS, st.sampled_from(["", "/", "\\"])), max_size=7))
def test_whatever_passes_stays_in_its_folder_on_every_system(parts: list[tuple[str, str]]) -> None:
    """By the rules of `pathlib`, which knows nothing of ours."""
    address = "".join(part + between for part, between in parts)
    if is_address(address):
        for kind in (PurePosixPath, PureWindowsPath):
            path = kind(address)
            assert not path.is_absolute() and not path.drive and not path.root
            assert ".." not in path.parts and path.as_posix() == address
        assert not is_reserved(address)
        assert os.path.normpath(address) == address and address.isprintable() | ("\u202e" in address)


def test_symlinks_are_followed_only_within_the_folder(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "out-side"
    (out / "real").mkdir(parents=True)
    elsewhere.mkdir()
    (out / "inside").symlink_to("real")
    (out / "away").symlink_to(elsewhere)
    (out / "real/away").symlink_to("../../out-side")
    (out / "nowhere").symlink_to(tmp_path / "is not there")
    (tmp_path / "linked").symlink_to(out)
    assert locate(out, "inside/a") == out / "inside/a"
    assert locate(out, "away") == out / "away", "a symlink in the place of the file is replaced"
    assert locate(tmp_path / "linked", "real/a") == tmp_path / "linked/real/a"
    assert list(locate_all(out, ["real/a", "real/b", "new/folder/c"])) == ["real/a", "real/b", "new/folder/c"]
    for address in ("away/a", "away/b/c", "real/away/a", "inside/away/a", "nowhere/a"):
        for folder in (out, tmp_path / "linked"):
            with pytest.raises(PylitError, match=r"is a symlink that leads out of .*\n.*Remove it"):
                locate(folder, address)
    assert (
        resolves_below(out, out)
        and resolves_below(out / "real/x", out)
        and not resolves_below(elsewhere, out)
    )


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    with open_regular(tmp_path / "file") as file, open_regular(tmp_path / "link", follow=True) as other:
        assert file.read() == other.read() == b"x"
    for name in ("link", "pipe", ".", "none"):
        with pytest.raises(OSError, match=r"symbolic links|Not a regular file|No such file"):
            open_regular(tmp_path / name)


def item(text: str) -> Item:
    return Item(digest(text), text.encode, "page")


def put(out: Path, items: dict[str, Item], *, force: bool = True) -> None:
    with workplace(out) as place:
        publish(out, items, place, force=force)


@pytest.mark.parametrize("address", ["../victim", "a/../../victim", "/tmp/victim", "nul.html", "a\\b", ""])
def test_publishing_refuses_before_anything_is_written(address: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(PylitError, match="cannot be written"):
        put(out, {"a.html": item("1"), address: item("2")})
    assert list(tmp_path.rglob("*")) == [out]


def test_published_files_do_not_go_through_symlinks(tmp_path: Path) -> None:
    out, home = tmp_path / "out", tmp_path / "home"
    (out / "sub").mkdir(parents=True)
    home.mkdir()
    (home / "index.html").write_text("1")
    (out / "zh").symlink_to(home)
    files = {"a.html": item("1"), "zh/index.html": item("2")}
    with pytest.raises(PylitError, match=r"contains files that pylit did not write, .*`zh`"):
        put(out, files, force=False)
    assert [path.name for path in sorted(out.iterdir())] == ["sub", "zh"]
    # Even if a manifest says that the link is ours.
    entry = [digest("link", str(home)), "page"]
    (out / MANIFEST).write_text(json.dumps({"files": {"zh": entry}}))
    put(out, files, force=False)
    assert not (out / "zh").is_symlink() and (out / "zh/index.html").read_text() == "2"
    for name, content in (("same", "1"), ("other", "2")):  # which may change later, or be shown to nobody
        (out / f"{name}.html").symlink_to(home / "index.html")
        put(out, {f"{name}.html": item(content)})
        assert not (out / f"{name}.html").is_symlink() and (out / f"{name}.html").read_text() == content
    assert (home / "index.html").read_text() == "1"


def test_manifest_that_is_a_symlink_or_a_pipe_is_replaced(tmp_path: Path) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim"
    out.mkdir()
    victim.write_text('{"files": {"a": ["x", "page"]}}')
    for make in (lambda path: path.symlink_to(victim), os.mkfifo):
        (out / MANIFEST).unlink(missing_ok=True)
        make(out / MANIFEST)
        put(out, {"b": item("1")})
        assert published(out) == {"b": "page"}
    assert victim.read_text() == '{"files": {"a": ["x", "page"]}}'
    (out / MANIFEST).write_text('{"files": {"../victim": ["x", "p"], "a": ["x", "p"], "C:/b": ["x", "p"]}}')
    assert published(out) == {"a": "p"}


@pytest.mark.parametrize("name", ["aux.py", "a\\b.py", "c:d.py", "end /x.md", "com1.md"])
def test_page_that_no_file_can_be_costs_only_itself(name: str, write: Write, tmp_path: Path) -> None:
    write("pkg/good.py", '"""\n# Good\n"""\n')
    write(f"pkg/{name}", "# Bad\n")
    out = tmp_path / "out"
    for _ in range(2):
        site = find_pages(Settings(base=tmp_path, roots=(("pkg", ""),)))
        report = build(site, out, jobs=1, keep_going=True)
        assert [problem.file for problem in report.errors] == [f"pkg/{name}"]
        assert "which is not valid for a file" in report.errors[0].message
    assert {path.name for path in out.rglob("*.html")} == {"good.html", "index.html", "404.html"}, (
        "and nothing else"
    )


def test_archive_is_no_way_out(tmp_path: Path, write: Write) -> None:
    victim = write("victim", "mine")
    write("out/index.html", "x")
    (tmp_path / "out/secret.html").symlink_to(victim)
    (tmp_path / "out/.a.zip.new").symlink_to(victim)
    (tmp_path / "out/a.zip").symlink_to(victim)
    write_archive(tmp_path / "out", "a.zip")
    assert victim.read_text() == "mine" and not (tmp_path / "out/a.zip").is_symlink()
    assert b"secret" not in (tmp_path / "out/a.zip").read_bytes()
    with pytest.raises(PylitError, match="cannot be written: it has a part"):
        write_archive(tmp_path / "out", "../a.zip")
    write("out/a\\b.html", "x")
    with pytest.raises(PylitError, match="cannot be written: it has a backslash"):
        write_archive(tmp_path / "out", "a.zip")


CONFIG = """\
site_name: Test
theme: {name: pylit}
plugins:
  - pylit:
      sources: [pkg]
      languages: [en, zh]
      search: false
"""


@pytest.fixture
def project(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write("project/mkdocs.yml", CONFIG)
    write("project/docs/index.md", "# Home\n")
    write("project/pkg/a.py", EXAMPLE)
    (tmp_path / "project/translations").mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


EXAMPLE = '''"""
# Title

>>> x = Tensor()
>>> y = same(x)
"""


class Tensor:
    shape, dtype = (1, 2), "float32"


def same(value):
    copy = value
    return copy
'''


def replace_by_link(path: Path, target: Path) -> None:
    if path.is_dir():
        path.rmdir()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("linked", ["translations", "translations/zh", "translations/zh/pkg"])
def test_catalogs_are_not_made_through_symlinks(linked: str, project: Path) -> None:
    replace_by_link(project / "project" / linked, project / "home")
    result = CliRunner().invoke(main, ["new", "zh", "pkg/a.py"])
    assert result.exit_code == 1 and "is a symlink that leads out of" in result.output
    assert not list((project / "home").iterdir())


@pytest.mark.parametrize("linked", ["translations/ja", "translations"])
def test_glossaries_are_not_made_through_symlinks(linked: str, project: Path) -> None:
    replace_by_link(project / "project" / linked, project / "home")
    result = CliRunner().invoke(main, ["new", "ja"])
    assert result.exit_code == 1 and "is a symlink that leads out of" in result.output
    assert not list((project / "home").iterdir())


def test_glossary_that_is_a_dangling_symlink_is_left(project: Path) -> None:
    replace_by_link(project / "project/translations/ja/glossary.yml", project / "home/new")
    CliRunner().invoke(main, ["new", "ja"])
    assert not list((project / "home").iterdir())


@pytest.mark.parametrize(
    "linked", ["experiments", "experiments/traces", "experiments/traces/pkg", "experiments/traces/pkg/a.json"]
)
def test_traces_are_not_made_through_symlinks(linked: str, project: Path) -> None:
    is_file = linked.endswith("json")
    replace_by_link(project / "project" / linked, project / "home" / ("new" if is_file else ""))
    result = CliRunner().invoke(main, ["trace"])
    assert result.exit_code == (0 if is_file else 1), result.output
    assert is_file or "is a symlink that leads out of" in result.output
    assert not list((project / "home").iterdir())
    assert not is_file or not (project / "project" / linked).is_symlink()


def test_traces_of_others_are_not_removed_through_symlinks(project: Path, write: Write) -> None:
    assert CliRunner().invoke(main, ["trace"]).exit_code == 0
    trace = project / "project/experiments/traces/pkg/a.json"
    write("home/gone.json", trace.read_text("utf-8"))
    trace.unlink()
    trace.parent.rmdir()
    trace.parent.symlink_to(project / "home")
    CliRunner().invoke(main, ["trace"])
    assert [path.name for path in (project / "home").iterdir()] == ["gone.json"]
