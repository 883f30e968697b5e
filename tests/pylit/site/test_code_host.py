"""Links to every known code host, and by templates to all others."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Write

from pylit.errors import PylitError, Report
from pylit.site import Settings, document, find_pages, render_notebook, render_page
from pylit.site.code_host import find_host

HOSTS = {
    "https://github.com/me/it": ("/blob/dev/a/b.py#L7", "/blob/dev/a/b.py", "/tree/dev/a"),
    "https://github.example.com/me/it/": ("/blob/dev/a/b.py#L7", "/blob/dev/a/b.py", "/tree/dev/a"),
    "https://gitlab.com/group/sub/it": ("/-/blob/dev/a/b.py#L7", "/-/blob/dev/a/b.py", "/-/tree/dev/a"),
    "https://gitlab.example.org/me/it.git": ("/-/blob/dev/a/b.py#L7", "/-/blob/dev/a/b.py", "/-/tree/dev/a"),
    "https://codeberg.org/me/it": (
        "/src/branch/dev/a/b.py#L7",
        "/src/branch/dev/a/b.py",
        "/src/branch/dev/a",
    ),
    "https://gitea.com/me/it": ("/src/branch/dev/a/b.py#L7", "/src/branch/dev/a/b.py", "/src/branch/dev/a"),
    "https://forgejo.example.org/me/it": (
        "/src/branch/dev/a/b.py#L7",
        "/src/branch/dev/a/b.py",
        "/src/branch/dev/a",
    ),
    "https://gitee.com/me/it": ("/blob/dev/a/b.py#L7", "/blob/dev/a/b.py", "/tree/dev/a"),
    "https://bitbucket.org/me/it": ("/src/dev/a/b.py#lines-7", "/src/dev/a/b.py", "/src/dev/a"),
    "https://git.sr.ht/~me/it": ("/tree/dev/item/a/b.py#L7", "/tree/dev/item/a/b.py", "/tree/dev/item/a"),
    "https://code.example.org/me/it": ("/blob/dev/a/b.py#L7", "/blob/dev/a/b.py", "/tree/dev/a"),
    "https://notgitlab.org/me/it": ("/blob/dev/a/b.py#L7", "/blob/dev/a/b.py", "/tree/dev/a"),
}
"""The address of a repository, and what follows it in that of a line, of a file and of a folder."""


@pytest.mark.parametrize("repository", HOSTS)
def test_known_hosts(repository: str) -> None:
    host, (line, file, folder) = find_host(repository, "dev"), HOSTS[repository]
    top = repository.rstrip("/").removesuffix(".git")
    assert host.source_url("a/b.py", 7) == host.edit_url("a/b.py", 7) == top + line
    assert host.source_url("a/b.py") == top + file
    assert host.folder_url("a") == top + folder


def test_templates_take_precedence() -> None:
    host = find_host(
        "https://github.com/me/it",
        "dev",
        "https://host/it/{commit}/{path}?at={line}",
        "https://host/edit/{branch}/{path}#n{line}",
    )
    assert host.source_url("a/b.py", 7) == "https://host/it/dev/a/b.py?at=7"
    assert host.source_url("a/b.py") == "https://host/it/dev/a/b.py?at=1"
    assert host.folder_url("a") == "https://host/it/dev/a?at=1"
    assert host.edit_url("a/b.py", 7) == "https://host/edit/dev/a/b.py#n7"
    assert host.edit_url("a/b.py") == "https://host/edit/dev/a/b.py"


def test_names_that_mean_something_in_an_address_are_quoted() -> None:
    host = find_host("https://github.com/me/it", "issue#3")
    assert host.source_url("a b/c#{line}?.py", 7) == (
        "https://github.com/me/it/blob/issue%233/a%20b/c%23%7Bline%7D%3F.py#L7"
    )


def test_code_on_no_host_has_no_address() -> None:
    host = find_host("", "main")
    assert (host.source_url("a.py", 1), host.folder_url("a"), host.edit_url("a.py")) == ("", "", "")


@pytest.mark.parametrize("setting", ["source_link", "edit_link"])
@pytest.mark.parametrize(
    ("template", "message", "hint"),
    [
        ("blob/{path}", "is not the address of a file on the web", r"https://host/\{path\}#L\{line\}"),
        ("javascript:{path}", "is not the address of a file on the web", "Write it like"),
        ("https://{path}/x", "is not the address of a file on the web", "Write it like"),
        (
            "https://host/{file}/{path}",
            r"has an unknown placeholder `\{file\}`",
            r"Allowed: `\{path\}`, `\{line\}`",
        ),
        ("https://host/{pth}", r"has an unknown placeholder `\{pth\}`", r"Did you mean `\{path\}`\?"),
        ("https://host/x", r"has no `\{path\}`, so all files would have the same address", "Write it like"),
        ("https://host/{path}}", "has an unmatched brace", "Write it like"),
        ("https://[/{path}", "is not an address", "Write it like https://example.org/"),
    ],
)
def test_templates_that_give_no_addresses(
    write: Write, tmp_path: Path, setting: str, template: str, message: str, hint: str
) -> None:
    write("pkg/a.py", "")
    with pytest.raises(PylitError, match=rf"setting {setting}: error: .*{message}[^\n]*\n.*{hint}"):
        find_pages(Settings(base=tmp_path, roots=(("pkg", ""),), **{setting: template}))  # type: ignore[arg-type]


HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def test_pages_translations_and_notebooks_use_them(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\n# Title\n\nWords, and a [file](../LICENSE#L1).\n"""\n\nx = 1\n')
    write("LICENSE", "")
    write("t/zh/pkg/a.po", HEADER + 'msgid "Title"\nmsgstr "标题"\n')
    settings = Settings(
        base=tmp_path,
        roots=(("pkg", ""),),
        languages=("en", "zh"),
        translations=tmp_path / "t",
        source_link="https://host/{branch}/{path}?at={line}",
        edit_link="https://host/edit/{path}#n{line}",
    )
    site, report = find_pages(settings), Report()
    page = render_page(site, site.pages[0], "en", report)
    assert page and 'href="https://host/main/LICENSE?at=1"' in document(page)
    assert page.source_href == "https://host/main/pkg/a.py?at=1"
    chinese = render_page(site, site.pages[0], "zh", report)
    assert chinese and 'href="https://host/edit/t/zh/pkg/a.po#n5"' in document(chinese)
    assert "https://host/main/pkg/a.py?at=1" in render_notebook(site, site.pages[0], "en", report)
    assert not report.problems
