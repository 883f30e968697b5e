"""A page that was moved or renamed keeps its translations."""

from __future__ import annotations

from pathlib import Path

import polib
import pytest
from click.testing import CliRunner, Result
from conftest import Write

from pylit.cli.main import main
from pylit.filesystem import write_file
from pylit.translate import changes

GUIDE = "# Guide\n\nOne passage.\n\nAnother passage.\n\nThe last one.\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture(autouse=True)
def a_site(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("docs/a.md", GUIDE)
    write("docs/other.md", "# Other\n\nOne passage.\n")
    (tmp_path / "translations").mkdir()
    write(
        "pylit.toml", 'sources = ["docs"]\nlanguages = ["en", "de", "pt-BR"]\ntranslations = "translations"\n'
    )
    for lang in ("de", "pt-BR"):
        assert run("new", lang, "docs/a.md").exit_code == 0
        po = polib.pofile(f"translations/{lang}/docs/a.po")
        for entry in po:
            entry.msgstr = f"{lang} {len(entry.msgid)}"
        po.save()
    run("update")


def texts(path: str) -> list[str]:
    return [entry.msgstr for entry in polib.pofile(path) if not entry.fuzzy and not entry.obsolete]


@pytest.mark.parametrize("is_begun", [False, True])
def test_catalogs_move_with_their_page_in_every_language(write: Write, is_begun: bool) -> None:
    before = texts("translations/de/docs/a.po")
    Path("docs/a.md").unlink()
    write("docs/part/b.md", GUIDE.replace("The last one.", "The very last."))
    if is_begun:
        run("new", "de", "docs/part/b.md")
        po = polib.pofile("translations/de/docs/part/b.po")
        for entry in po:
            entry.msgstr = ""
        po.save()
    for command in ("status", "check"):
        assert "translations/de/docs/a.po" in run(command).stderr
        assert "belongs to no page" in run(command).stderr
    assert run("check", "--strict").exit_code == 1
    result = run("update")
    assert result.exit_code == 0
    for lang in ("de", "pt-BR"):
        assert f"translations/{lang}/docs/a.po -> translations/{lang}/docs/part/b.po\n" in result.stdout
        assert not Path(f"translations/{lang}/docs/a.po").exists()
        assert len(texts(f"translations/{lang}/docs/part/b.po")) == 3
    assert texts("translations/de/docs/part/b.po") == before[:3]
    assert "belongs to no page" not in run("status").stderr
    assert run("update").stderr.endswith("0 catalogs changed.\n")


def test_what_is_no_rename_stays_an_orphan_and_serves_the_memory(write: Write) -> None:
    Path("docs/a.md").unlink()
    write("docs/b.md", "# Something else\n\nOne passage.\n\nWords.\n\nMore words.\n\nEven more.\n")
    run("new", "de", "docs/b.md")
    run("update")
    assert Path("translations/de/docs/a.po").is_file()
    (offered,) = [entry for entry in polib.pofile("translations/de/docs/b.po") if entry.msgstr]
    assert (offered.msgid, offered.msgstr, offered.fuzzy) == ("One passage.", "de 12", True)


def test_a_move_that_fails_changes_nothing(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("docs/a.md").rename("docs/b.md")
    before = {path: path.read_bytes() for path in Path().rglob("*.po")}
    written = write_file

    def fail(path: Path, data: bytes) -> None:
        if "pt-BR" in path.parts:
            raise PermissionError(13, "Permission denied", str(path))
        written(path, data)

    monkeypatch.setattr(changes, "write_file", fail)
    result = run("update")
    assert result.exit_code == 1 and "cannot be written: Permission denied" in result.stderr
    assert {path: path.read_bytes() for path in Path().rglob("*.po")} == before
