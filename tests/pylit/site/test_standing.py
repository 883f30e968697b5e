"""A page tells how far all pages are translated, since when and by whom; badges tell it in a picture."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import Write

from pylit.api import build, open_configuration, open_site
from pylit.errors import Report
from pylit.site.history import CatalogHistory
from pylit.site.site import Site

CONFIG = 'sources = ["pkg"]\nlanguages = ["en", "zh", "ar"]\nsearch = false\nnotebooks = true\n'
GUIDE = "# How far\n\n```translations\n```\n"
SOURCE = '"""\n# Page\n\nFirst words.\n\nSecond words.\n"""\n'
ENTRY = 'msgid "{}"\nmsgstr "{}"\n\n'
PATH = "translations/zh/pkg/__init__.po"
pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def project(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("pylit.toml", CONFIG)
    write("pkg/__init__.py", SOURCE)
    write("pkg/other.py", '"""\n# Other\n"""\n')
    write("docs/far.md", GUIDE)
    write("translations/zh/glossary.yml", "- {term: layer, use: [层]}\n")
    write(PATH, ENTRY.format("Page", "页面"))
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("HOME", str(tmp_path))


def git(*arguments: str, **environment: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True, env={**os.environ, **environment})


def commit(day: str, person: str = "Wang Wei") -> None:
    git("add", "--all")
    who = {"GIT_AUTHOR_NAME": person, "GIT_AUTHOR_EMAIL": "a@example.org"}
    who |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in who.items()}
    git(
        "commit",
        "-qm",
        "x",
        **who,
        GIT_AUTHOR_DATE=f"{day}T23:30:00+0800",
        GIT_COMMITTER_DATE="2026-01-01T00:00:00Z",
    )


@pytest.fixture
def repository(write: Write) -> Callable[[], None]:
    write(".gitignore", ".pylit-cache\nsite\n")
    git("init", "-q", ".")
    commit("2026-02-03")
    return lambda: None


def site() -> Site:
    return open_site(open_configuration("pylit.toml", {}), is_kept=False)


def rows(html: str) -> list[list[str]]:
    """Return the texts of the cells of all tables."""
    found = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(<td>.*?)</tr>", html)]
    return [[unescape(re.sub(r"<[^>]*>", "", cell)) for cell in row] for row in found]


def page(lang: str = "") -> str:
    report = build("site")
    assert not report.errors
    return Path("site", lang, "far.html").read_text("utf-8")


def test_page_without_a_repository_counts_only() -> None:
    html = page()
    assert rows(html)[:2] == [
        ["中文", "5", "1 (20%)", "0", "4", "", "", "1"],
        ["العربية", "5", "0 (0%)", "0", "5", "", "", "0"],
    ]
    assert ["Page", "3", "1 (33%)", "0", "2", "", "", ""] in rows(html)
    assert ["Other", "1", "0 (0%)", "0", "1", "not begun", "", ""] in rows(html)


def test_page_says_since_when_and_by_whom(write: Write, repository: object) -> None:
    write(PATH, ENTRY.format("Page", "页面") + ENTRY.format("First words.", ""))
    commit("2026-03-04", "María & José")
    write("pkg/__init__.py", SOURCE.replace("Second", "Other"))
    stale = f'#, fuzzy\n#| msgid "Second words."\n{ENTRY.format("Other words.", "其他")}'
    write(PATH, ENTRY.format("Page", "页") + ENTRY.format("First words.", "") + stale)
    commit("2026-05-06")
    own = [
        "Page",
        "3",
        "1 (33%)",
        "1",
        "1",
        "2026-03-04",
        "2026-05-06",
        "Wang Wei, María & José",
    ]
    html = page()
    assert own == rows(html)[2]
    assert rows(html)[0][5:7] == ["2026-03-04", "2026-05-06"]
    assert site().history.catalog("pkg/__init__.py", "zh").waiting == "2026-03-04"
    # When the missing one is there, the stale one is what has waited.
    write(PATH, ENTRY.format("Page", "页") + ENTRY.format("First words.", "先") + stale)
    commit("2026-07-08", "A")
    assert site().history.catalog("pkg/__init__.py", "zh") == CatalogHistory(
        "2026-07-08", ("A", "Wang Wei", "María & José"), "2026-05-06"
    )
    chinese = page("zh")
    assert "页面" in chinese and re.search(r'<details class="standing" open><summary><span>中文', chinese)
    assert 'href="zh/index.html"' in html and 'src="translations/zh.svg"' in html


def test_last_three_people_are_named(write: Write, repository: object) -> None:
    for day, person in enumerate("ABCDBA", 10):
        write(PATH, ENTRY.format("Page", f"页{day}"))
        commit(f"2026-06-{day}", person)
    found = site().history.catalog("pkg/__init__.py", "zh")
    assert (found.changed, found.people) == ("2026-06-15", ("A", "B", "D"))


def test_part_of_a_history_tells_nothing(write: Write, repository: object, tmp_path: Path) -> None:
    """The one commit that a shallow clone has seems to have made everything."""
    git("commit", "-q", "--allow-empty", "-m", "y", GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="a",
        GIT_COMMITTER_EMAIL="a@b")  # fmt: skip
    git("clone", "-q", "--depth=1", f"file://{tmp_path}", "shallow")
    os.chdir("shallow")
    assert site().history.catalogs() == {}


def test_a_repository_in_a_folder_above(write: Write, tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    for name in ("pkg", "docs", "translations", "pylit.toml"):
        (tmp_path / name).rename(tmp_path / "part" / name)
    git("init", "-q", ".")
    commit("2026-02-03")
    os.chdir("part")
    assert site().history.catalog("pkg/__init__.py", "zh").changed == "2026-02-03"


def test_what_is_not_committed_has_no_date(write: Write, repository: object) -> None:
    write("translations/ar/pkg/__init__.po", ENTRY.format("Page", "صفحة"))
    assert site().history.catalog("pkg/__init__.py", "ar") == CatalogHistory()


def test_without_git(monkeypatch: pytest.MonkeyPatch, repository: object) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert site().history.catalogs() == {}


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Path]:
    """A program that leaves a trace when it runs."""
    path, trace = tmp_path / "evil.sh", tmp_path / "trace"
    path.write_text(f"#!/bin/sh\ntouch {trace}\ncat\n")
    path.chmod(0o755)
    yield path
    assert not trace.exists()


def test_a_repository_runs_none_of_its_programs(trap: Path, write: Write, repository: object) -> None:
    """Such as may come with an archive of a project, whose `.git` is somebody else's."""
    evil = str(trap)
    write(".gitattributes", "*.po filter=evil diff=evil merge=evil\n")
    commit("2026-03-04")
    for name in (
        *("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "gpg.program"),
        *(
            "diff.external",
            "diff.evil.textconv",
            "diff.evil.command",
            "filter.evil.clean",
            "filter.evil.smudge",
        ),
        *("pager.log", "pager.blame", "credential.helper", "log.showSignature", "alias.log", "alias.blame"),
    ):
        value = "true" if name == "log.showSignature" else f"!{evil}" if name.startswith("alias") else evil
        git("config", name, value)
    for hook in ("post-index-change", "reference-transaction", "pre-commit", "fsmonitor-watchman"):
        write(f".git/hooks/{hook}", trap.read_text()).chmod(0o755)
    (trap.parent / "trace").unlink(missing_ok=True)
    assert site().history.catalog("pkg/__init__.py", "zh").changed == "2026-02-03"


def test_history_is_asked_for_once(repository: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one commit, all is known from the cache."""
    asked: list[str] = []
    original = subprocess.run

    def noting(command: list[str], **named: object) -> object:
        asked.append(next((word for word in command if word in ("rev-parse", "log", "blame")), ""))
        return original(command, **named)  # type: ignore[call-overload]

    monkeypatch.setattr("pylit.site.history.subprocess.run", noting)
    configuration = open_configuration("pylit.toml", {})
    for _ in range(2):
        open_site(configuration, is_kept=True).history.catalogs()
    assert asked == ["rev-parse", "log", "blame", "rev-parse"]


def test_page_is_made_again_when_something_is_translated_or_committed(
    write: Write, repository: object
) -> None:
    before = page()
    assert page() == before
    write(PATH, ENTRY.format("Page", "页面") + ENTRY.format("First words.", "先"))
    after = page()
    assert ["Page", "3", "2 (66%)", "0", "1", "", "2026-02-03", "Wang Wei"] in rows(after)
    commit("2026-08-09", "B")
    assert "2026-08-09" in page()


def test_badges(write: Write) -> None:
    page()
    assert sorted(path.name for path in Path("site/translations").iterdir()) == ["ar.svg", "zh.svg"]
    for name, label in (("zh", "中文: 20%"), ("ar", "العربية: 0%")):
        root = ElementTree.parse(f"site/translations/{name}.svg").getroot()
        assert root.get("aria-label") == label and root.findtext("{*}title") == label
        texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
        assert texts == label.split(": ")
    write(PATH, "".join(ENTRY.format(text, "词") for text in ("Page", "First words.", "Second words.")))
    write("translations/zh/pkg/other.po", ENTRY.format("Other", "其他"))
    page()
    assert "80%" in Path("site/translations/zh.svg").read_text("utf-8")
    write("translations/zh/docs/far.po", ENTRY.format("How far", "进度"))
    page()
    assert "100%" in Path("site/translations/zh.svg").read_text("utf-8")


def test_a_site_in_one_language_has_no_badges(write: Write) -> None:
    write("pylit.toml", CONFIG.replace('"en", "zh", "ar"', '"en"'))
    page()
    assert not Path("site/translations").exists()


def test_a_catalog_that_does_not_parse_counts_as_nothing(write: Write) -> None:
    write(PATH, 'msgid "Page\n')
    report: Report = build("site", keep_going=True)
    assert report.errors
    assert rows(Path("site/far.html").read_text("utf-8"))[0][:3] == ["中文", "2", "0 (0%)"]


@pytest.mark.parametrize(
    ("template", "start"),
    [
        ("", "https://github.com/owner/name/blob/main/"),
        (
            "https://github.com/owner/name/edit/{branch}/{path}#L{line}",
            "https://github.com/owner/name/edit/main/",
        ),
    ],
)
def test_link_to_improve_a_translation_leads_to_its_entry(write: Write, template: str, start: str) -> None:
    texts = {"Page": "页面", "First words.": "先", "Second words.": "后"}
    long = "First words."
    entries = [
        f"# A note\n#. code\n#, md-text\n{ENTRY.format(text, string)}" for text, string in texts.items()
    ]
    write(PATH, "".join(entries).replace(f'msgid "{long}"', 'msgid ""\n"First "\n"words."'))
    write("pylit.toml", f'{CONFIG}repository = "https://github.com/owner/name"\nedit_link = "{template}"\n')
    build("site")
    html = Path("site/zh/index.html").read_text("utf-8")
    lines = Path(PATH).read_text("utf-8").split("\n")
    found = {
        string: int(line)
        for string, line in re.findall(
            rf'<span class="t">(\w+)\W*?(?:<[^>]*>)*\W*? <a class="edit" href="{start}{PATH}#L(\d+)"', html
        )
    }
    assert found.keys() == set(texts.values())
    for text, string in texts.items():
        number = found[string]
        assert lines[number - 1] == ('msgid ""' if text == long else f'msgid "{text}"')
        assert string in "".join(lines[number - 1 : number + 3])
