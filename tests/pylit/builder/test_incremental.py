"""A build that starts from what is known gives what a build from nothing gives, byte for byte, whatever has changed."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET
from sampling import thinned

from pylit.builder import targets as jobs
from pylit.builder.builder import build
from pylit.builder.output import MANIFEST
from pylit.builder.targets import Job, MadeFiles
from pylit.cache.store import Store
from pylit.errors import Report
from pylit.i18n import ui_strings as interface
from pylit.parsing.source import read_source
from pylit.site.discovery import find_pages
from pylit.site.settings import Script
from pylit.site.site import Settings
from pylit.tracing.format import trace_text

FILES = {
    "pkg/__init__.py": '''r"""
---
title: The start
summary: Where it begins.
---
Everything begins with `Thing` and with [the other page](sub/b.py#Thing.run), or with [a guide](../docs/guide.md#part).

See [the licence](../LICENSE), `first` and `helper()`.

![A drawing](drawing.svg)

![A dot](dot.gif)

```table
rows: ../records/*.json
columns:
  - {head: Run, value: name}
  - {head: Score, value: score, format: percent}
```
"""

from pkg.a import first
from pkg.sub.b import Thing

print(first, Thing)
''',
    "pkg/a.py": '''r"""
---
title: Module a
symbols: {W_s: Maker.weight}
---
It makes $W_s \\cdot x$.

```glossary
```
"""

from dataclasses import dataclass

from pkg.sub.b import Thing


def first(x):
    """Return the first. Really.

    >>> first([1])
    1
    """
    y = x[0]
    return y


@dataclass
class Maker:
    """Makes a thing."""

    def __init__(self):
        self.weight = Thing()
''',
    "pkg/sub/b.py": '''"""
# The other page

Words about `pkg.a.first`.
"""


class Thing:
    """A thing that runs."""

    def run(self):
        """Run."""
        return VALUE


VALUE = 1
''',
    "pkg/z.py": '"""\n# Last\n\nNothing of others.\n"""\n',
    "docs/guide.md": "# A guide\n\n## Part\n\nWords and [a link](../pkg/a.py#first).\n",
    "LICENSE": "Take it.\n",
    "records/one.json": '{"name": "one", "score": 0.5}',
    "records/two.json": '{"name": "two", "score": 0.75}',
    "pkg/drawing.svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><path d="M0 0L4 4"/></svg>',
    "t/zh/pkg/__init__.po": 'msgid ""\nmsgstr ""\n\nmsgid "The start"\nmsgstr "开始"\n\nmsgid "Run"\nmsgstr "运行"\n',
    "t/zh/pkg/a.po": 'msgid "Module a"\nmsgstr "模块"\n\n'
    'msgid "Return the first. Really."\nmsgstr "返回第一个。真的。"\n',
    "t/zh/config.po": 'msgid "Test"\nmsgstr "测试"\n',
    "t/zh/glossary.yml": "- {term: thing, use: [东西]}\n",
    "locale/zh.po": 'msgid "Copy"\nmsgstr "复制"\n',
}
"""Files of a site whose pages have to do with each other in every way there is."""
GIF = b"GIF89a\x03\x00\x02\x00\x00\x00\x00;"


@dataclass
class Tree:
    """A site that is changed."""

    base: Path
    settings: Settings
    made: list[Job] = field(default_factory=list)
    """What was made anew since somebody looked."""

    def write(self, name: str, text: str) -> None:
        path = self.base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.base / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def build(self, out: Path, cache: Path | None) -> Report:
        return build(find_pages(self.settings, Store(cache, SECRET)), out, jobs=1, keep_going=True)

    def snapshot(self, root: Path) -> dict[str, bytes]:
        return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def both(self) -> tuple[dict[str, bytes], dict[str, bytes], Report]:
        """What a build gives that starts from what is known, one that starts from nothing, and what both tell."""
        beside = self.base.parent
        self.made.clear()
        known = self.build(beside / "out", beside / "cache")
        made = self.made.copy()
        shutil.rmtree(beside / "clean", ignore_errors=True)
        assert known == self.build(beside / "clean", None)
        self.made[:] = made
        return self.snapshot(beside / "out"), self.snapshot(beside / "clean"), known


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """The site of `FILES`."""
    return planted(tmp_path, monkeypatch)


def planted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    base = folder / "site"
    settings = Settings(
        base=base,
        roots=(("pkg", ""), ("docs", "docs")),
        languages=("en", "zh"),
        translations=base / "t",
        title="Test",
        title_file="config.yml",
        repository="https://example.org/code",
        site_url="https://example.org/site",
        traces=base / "traces",
        order=("pkg/__init__.py", "pkg/a.py"),
    )
    tree = Tree(base, settings)
    for name, text in FILES.items():
        tree.write(name, text)
    (base / "pkg/dot.gif").write_bytes(GIF)
    trace(tree, "1×2 float32")
    monkeypatch.setattr(interface, "LOCALE", base / "locale")
    do = jobs.make_files

    def counted(job: Job, *rest: Any) -> MadeFiles:
        tree.made.append(job)
        return do(job, *rest)

    monkeypatch.setattr("pylit.builder.work_units.make_files", counted)
    return tree


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """The folder of such a site that was built with a cache, once for all tests, and what its pages are."""
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as monkeypatch:
        known, clean, _ = planted(folder, monkeypatch).both()
    assert known == clean
    return folder, clean


def trace(tree: Tree, shape: str) -> None:
    """Record that the first value of `first` has a shape."""
    source = read_source(tree.base / "pkg/a.py", "pkg/a.py")
    number = next(n for n, line in enumerate(source.lines, 1) if "y = x[0]" in line)
    tree.write("traces/pkg/a.json", trace_text(source, {number: {"y": [shape]}}))


def change(**values: Any) -> Callable[[Tree], None]:
    def apply(tree: Tree) -> None:
        tree.settings = replace(tree.settings, **values)

    return apply


def edit(name: str, old: str, new: str) -> Callable[[Tree], None]:
    return lambda tree: tree.edit(name, old, new)


def write(name: str, text: str) -> Callable[[Tree], None]:
    return lambda tree: tree.write(name, text)


def remove(name: str) -> Callable[[Tree], None]:
    return lambda tree: (tree.base / name).unlink()


def turn_into_folder(tree: Tree) -> None:
    (tree.base / "LICENSE").unlink()
    tree.write("LICENSE/x", "")


def wider(tree: Tree) -> None:
    (tree.base / "pkg/dot.gif").write_bytes(GIF.replace(b"\x03", b"\x04"))


def templates(tree: Tree) -> None:
    tree.write("templates/404.html", "Not here.\n")
    tree.settings = replace(tree.settings, theme=tree.base / "templates")


def partial_template(tree: Tree) -> None:
    """One that includes another file."""
    tree.write("templates/partials/footer.html", '{% include "partials/own.svg" %}')
    tree.write("templates/partials/own.svg", "<svg></svg>")
    tree.settings = replace(tree.settings, theme=tree.base / "templates")


def style_sheet(tree: Tree) -> None:
    tree.write("pkg/own.css", "a {}")
    tree.write("templates/own.js", "")
    scripts = (Script("templates/own.js"),)
    theme = tree.base / "templates"
    tree.settings = replace(tree.settings, theme=theme, styles=("pkg/own.css",), scripts=scripts)


MUTATIONS: dict[str, Callable[[Tree], None]] = {
    "prose": edit("pkg/z.py", "Nothing of others", "Next to nothing of others"),
    "code": edit("pkg/sub/b.py", "VALUE = 1", "VALUE = 2"),
    "a line more": edit("pkg/sub/b.py", "VALUE = 1", "\n\nVALUE = 1"),
    "title of a neighbour": edit("pkg/z.py", "# Last", "# The end"),
    "title in front matter": edit("pkg/a.py", "title: Module a", "title: Module A"),
    "summary": edit("pkg/__init__.py", "Where it begins", "Where all begins"),
    "first sentence of a definition": edit("pkg/sub/b.py", "A thing that runs.", "A thing that walks."),
    "parameters of a definition": edit("pkg/a.py", "def first(x):", "def first(x, y=0):"),
    "renamed definition": edit("pkg/sub/b.py", "def run(self)", "def walk(self)"),
    "renamed class": edit("pkg/sub/b.py", "class Thing", "class Item"),
    "another class of that name": edit(
        "pkg/z.py", 'others.\n"""', 'others.\n"""\n\n\nclass Thing:\n    pass'
    ),
    "added user": edit(
        "pkg/z.py", 'others.\n"""', 'others.\n"""\nimport pkg.a\n\n\ndef use():\n    pkg.a.first(1)'
    ),
    "removed user": edit("pkg/a.py", "self.weight = Thing()", "self.weight = 1"),
    "heading that is linked to": edit("docs/guide.md", "## Part", "## Piece"),
    "another heading": edit("docs/guide.md", "## Part", "## Part\n\n## Piece"),
    "definition that prose names": edit("pkg/a.py", "def first(x)", "def second(x)"),
    "helper that prose names": edit("pkg/a.py", "class Maker", "class helper"),
    "new module": write("pkg/m.py", '"""\n# New\n"""\n'),
    "new module of an old name": write("pkg/sub/__init__.py", '"""\n# Sub\n"""\n'),
    "module that is gone": remove("pkg/z.py"),
    "module that is wrong": edit("pkg/z.py", '"""', "(("),
    "module with a wrong formula": edit("pkg/z.py", "Nothing", r"$\frac$"),
    "linked module that is gone": remove("pkg/sub/b.py"),
    "linked file that is gone": remove("LICENSE"),
    "linked file that is a folder": turn_into_folder,
    "drawing": edit("pkg/drawing.svg", "M0 0L4 4", "M0 0L4 2"),
    "drawing that is gone": remove("pkg/drawing.svg"),
    "picture of another size": wider,
    "record": edit("records/one.json", "0.5", "0.25"),
    "another record": write("records/three.json", '{"name": "three", "score": 1}'),
    "record that is gone": remove("records/one.json"),
    "trace": lambda tree: trace(tree, "3×4 float32"),
    "trace that is gone": remove("traces/pkg/a.json"),
    "traced line": edit("pkg/a.py", "y = x[0]", "y = x[-1]"),
    "catalog entry": edit("t/zh/pkg/__init__.po", "运行", "执行"),
    "translated title": edit("t/zh/pkg/a.po", "模块", "模块甲"),
    "translated first sentence": edit("t/zh/pkg/a.po", "返回第一个。", "给出第一个。"),
    "catalog that is gone": remove("t/zh/pkg/a.po"),
    "new catalog": write("t/zh/pkg/z.po", 'msgid ""\nmsgstr ""\n\nmsgid "Last"\nmsgstr "最后"\n'),
    "catalog that is wrong": write("t/zh/pkg/a.po", "msgid"),
    "title of the site in a catalog": edit("t/zh/config.po", "测试", "试验"),
    "catalog of the title that is wrong": write("t/zh/config.po", "msgid"),
    "glossary": edit("t/zh/glossary.yml", "东西", "物"),
    "order": change(order=("pkg/a.py", "pkg/__init__.py")),
    "title in the settings": change(titles={"pkg/a.py": "Another title"}),
    "excluded file": change(excluded=frozenset(["pkg/z.py"])),
}
"""What may happen to a file that pages are made of."""


def preview_of_a_wrong_page(tree: Tree) -> None:
    """Which shows it. Right pages are the same."""
    change(preview=True)(tree)
    tree.write("pkg/wrong.py", 'r"""\n# A\n\n$\\frac$\n"""\n')


SETTINGS: dict[str, Callable[[Tree], None]] = {
    "interface string": edit("locale/zh.po", "复制", "拷贝"),
    "interface in a new language": write("locale/en.po", 'msgid "Copy"\nmsgstr "Take"\n'),
    "template": templates,
    "partial template": partial_template,
    "style sheet and script": style_sheet,
    "title": change(title="Trial"),
    "language": change(languages=("en", "zh", "ar")),
    "fewer languages": change(languages=("en",)),
    "repository": change(repository=""),
    "branch": change(branch="other"),
    "links to the code": change(source_link="https://host/{path}#{line}"),
    "links to translations": change(edit_link="https://host/edit/{path}"),
    "address": change(site_url="https://example.org/other"),
    "no address": change(site_url=""),
    "preview": preview_of_a_wrong_page,
    "KaTeX": change(katex_css="k.css", katex_integrity=""),
    "manuals": change(manuals={"builtins.print": "https://example.org/{name}"}),
    "macros": change(macros={"cdot": r"\times"}),
    "help": change(translating="docs/guide.md"),
    "roots": change(roots=(("pkg", "code"), ("docs", ""))),
    "no traces": change(traces=None),
    "no translations": change(translations=None),
}


def address(tree: Tree, job: Job) -> str:
    """Where what a job gives stands on the site."""
    return find_pages(tree.settings).navigation.url(job.file, job.lang) if job.kind == "page" else job.kind


@pytest.mark.parametrize("name", thinned([*MUTATIONS, *SETTINGS], 5, 2))
def test_whatever_changes(
    tree: Tree, name: str, built: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    """Nothing is forgotten, nothing is made for nothing, and the way back leads to where it began."""
    settings, (folder, before) = tree.settings, built
    for part in ("out", "cache"):
        shutil.copytree(folder / part, tmp_path / part)

    (MUTATIONS | SETTINGS)[name](tree)
    after, clean, report = tree.both()
    wrong = {problem.file for problem in report.errors}
    if wrong:  # what cannot be made stays as it was
        del after[MANIFEST], clean[MANIFEST]
        assert {url: data for url, data in after.items() if url not in clean}.items() <= before.items()
        after = {url: data for url, data in after.items() if url in clean}
    assert after == clean
    changed = {url for url, data in after.items() if before.get(url) != data}
    assert changed or before.keys() - after.keys(), "nothing depends on it"
    if name in MUTATIONS:
        for_nothing = [job for job in tree.made if address(tree, job) in after.keys() - changed]
        assert not for_nothing, "made for nothing"

    shutil.rmtree(tree.base)
    shutil.copytree(folder / "site", tree.base)
    tree.settings = settings
    tree.made.clear()
    tree.build(tmp_path / "out", tmp_path / "cache")
    assert tree.snapshot(tmp_path / "out") == before
    assert not tree.made, "what was made at first is remembered"


def test_preview_shows_the_page_that_a_build_has_refused(tree: Tree) -> None:
    """With the same cache, and the build refuses it again."""
    tree.write("pkg/a.py", 'r"""\n# A\n\n$\\frac$\n"""\n')
    assert tree.both()[2].errors
    settings = tree.settings
    change(preview=True)(tree)
    after, clean, _ = tree.both()
    assert after["a.html"] == clean["a.html"]
    assert b'class="problems"' in after["a.html"]
    tree.settings = settings
    assert tree.both()[2].errors


@pytest.mark.slow
@pytest.mark.parametrize("seed", thinned(range(3), 3))
def test_one_change_after_the_other(tree: Tree, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(10):
        mutate = chance.choice([*MUTATIONS.values(), *SETTINGS.values()])
        with suppress(AssertionError, FileNotFoundError):  # what it would change is not there any more
            mutate(tree)
        after, clean, _ = tree.both()
        del after[MANIFEST], clean[MANIFEST]
        assert {url: after.get(url) for url in clean} == clean


def test_another_engine_is_another_site(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.both()
    monkeypatch.setattr("pylit.site.site.engine_digest", lambda: "another")
    after, clean, _ = tree.both()
    assert after == clean
    assert {job.kind for job in tree.made} == {"page", "badge", "404.html", "sitemap.xml"}
    assert len(tree.made) == 2 * len(find_pages(tree.settings).pages) + 3


@pytest.mark.slow
def test_damaged_entries_are_made_again(tree: Tree) -> None:
    """Each entry in turn is cut off, overwritten, exchanged for another or gone, and the outcome is the same."""
    before, _, _ = tree.both()
    entries = sorted(p for p in (tree.base.parent / "cache").rglob("*") if len(p.parent.name) == 1)
    contents = [entry.read_bytes() for entry in entries]
    chance = random.Random(0)
    for way in range(4):
        for entry, data in zip(entries, contents, strict=True):
            if way == 0:
                entry.write_bytes(data[: len(data) // 2])
            elif way == 1:
                entry.write_bytes(chance.randbytes(len(data)))
            elif way == 2:
                entry.write_bytes(chance.choice(contents))
            elif chance.random() < 0.5:
                entry.unlink()
        shutil.rmtree(tree.base.parent / "out")
        assert tree.both()[0] == before


def test_entries_of_somebody_who_means_harm_are_not_trusted(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sealed as ours but holds something else is made again; at worst it is the wrong page, and never code."""
    keys: dict[str, None] = {}
    put = Store.put

    def noted(store: Store, key: str, data: bytes) -> None:
        keys[key] = None
        put(store, key, data)

    monkeypatch.setattr(Store, "put", noted)
    before, _, _ = tree.both()
    monkeypatch.setattr(Store, "put", put)
    store = Store(tree.base.parent / "cache", SECRET)
    chance = random.Random(0)
    strange: list[Any] = [
        None,
        1,
        "x",
        [],
        {},
        [[]],
        [1, 2, 3, 4, 5],
        {"file": 1},
        [[["content"]], "x", {}, {}, []],
    ]
    strange += [[[[["read", "../../x"]], "x", {}, {}, []]], [[[["content", "a", "b"]], "x", {}, {}, []]]]
    assert len(keys) > 20
    for key in keys:
        store.put_json(key, chance.choice(strange))
    shutil.rmtree(tree.base.parent / "out")
    assert tree.both()[0] == before
