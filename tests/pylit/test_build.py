"""Building writes whole files or none, only those that changed, the same in one process and in several."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Write

from pylit.build import assets, build
from pylit.errors import PylitError
from pylit.site import Settings, Site, find_pages

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
    extra = {"404.html", "sitemap.xml", "sub/dot.png", *assets()}
    assert set(snapshot(tree / "out")) == pages | extra
    assert 'src="../../sub/dot.png"' in (tree / "out/zh/sub/good.html").read_text("utf-8")
    assert "https://example.org/x/zh/sub/good.html" in (tree / "out/sitemap.xml").read_text("utf-8")


def test_nothing_is_left_beside_the_output(tree: Path) -> None:
    build(site(tree), tree / "out")
    assert {path.name for path in tree.iterdir()} == {"pkg", "out"}


def test_unchanged_files_are_not_touched(tree: Path) -> None:
    build(site(tree), tree / "out")
    before = {p: p.stat().st_mtime_ns for p in (tree / "out").rglob("*") if p.is_file()}
    (tree / "pkg/sub/good.py").write_text('"""\n# Better\n"""\n')
    build(site(tree), tree / "out")
    changed = {p.relative_to(tree / "out").as_posix() for p, t in before.items() if p.stat().st_mtime_ns != t}
    # The pages before it name it in their links.
    assert changed == {"index.html", "sub/good.html", "zh/index.html", "zh/sub/good.html"}


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

    monkeypatch.setattr("pylit.build.render_page", fail)
    with pytest.raises(RuntimeError) as error:
        build(site(tree), tree / "out", jobs=1)
    assert error.value.__notes__ == ["while rendering pkg/__init__.py in the language en"]


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
