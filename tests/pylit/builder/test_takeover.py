"""While MkDocs builds, readers have the old site, and then the new one, whenever it is stopped and by what."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Write
from sampling import thinned

from pylit.builder.output import MANIFEST
from pylit.builder.workplace import SUFFIX

KILLED = 30
"""Builds by MkDocs that are killed while somebody reads."""
TOGETHER = 3
"""Builds that are started at once."""
ROUNDS = 2
STOPPED = 4
"""Builds that are stopped by each signal that a process can answer."""
CONFIG = """\
extra_css: [extra.css]
site_name: Test
site_url: https://example.org/
theme: {name: pylit}
strict: true
hooks: [hook.py]
plugins:
  - pylit: {sources: [pkg], search: false, archive: all.zip}
"""
HOOK = """\
from pathlib import Path

def on_post_build(config):
    page = Path(config.site_dir, "guide.html")
    page.write_text(page.read_text("utf-8").replace("</main>", "<hr></main>"), "utf-8")
    Path(config.site_dir, "theirs.txt").write_text(Path(config.docs_dir, "guide.md").read_text("utf-8"), "utf-8")
"""
DRIVER = """\
import os, random, shutil, signal, sys
from pathlib import Path
from mkdocs.__main__ import cli
import pylit.mkdocs_plugin.plugin, pylit.site.templates, pylit.resolve.collect, pylit.site.page

number, count = map(int, sys.argv[1:])
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
here = Path.cwd()
chance = random.Random(number)
places = (str(here / "site"), str(here / ".site"))

def say(words):
    for name in ("m0", "m1", "m2", "new"):
        (here / f"pkg/{name}.py").write_text(f'"\""\\n# Module {name}\\n\\n{words}\\n"\""\\n', "utf-8")
    if words == "Old.":
        (here / "pkg/new.py").unlink()
    (here / "docs/guide.md").write_text(f"# Guide\\n\\n{words}\\n", "utf-8")

def start(moment):
    "A build in a process of its own, which gets a signal before its `moment`th look at or change to the site."
    if child := os.fork():
        return child
    seen = 0
    def watch(event, arguments):
        nonlocal seen
        if arguments and isinstance(arguments[0], (str, os.PathLike)) and str(arguments[0]).startswith(places):
            seen += 1
            if seen == moment:
                os.kill(os.getpid(), number)
    sys.addaudithook(watch)
    code = 1
    try:
        cli(["build", "--quiet"])
    except SystemExit as end:
        code = end.code or 0
    (here / "seen").write_text(str(seen))
    sys.stderr.flush()
    os._exit(code)

def end(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for words in ("New.", "Old."):
    say(words)
    assert end(start(0)) == 0
    shutil.copytree("site", words)
looks = int((here / "seen").read_text())
print("ready", flush=True)
stopped = attempt = 0
while stopped < count:
    say(("New.", "Old.")[attempt % 2])
    if not number:
        assert [end(child) for child in [start(0) for _ in range(3)]] == [0, 0, 0]
        stopped += 1
    else:
        stopped += end(start(chance.randint(1, looks))) != 0
    if number != signal.SIGKILL:
        left = [path.name for path in [*here.glob(".site*"), *(here / "tmp").iterdir()]]
        assert not left, left
    attempt += 1
    assert attempt < 3 * count
say("New.")
assert end(start(0)) == 0
"""
"""Imports once what all builds need, and builds both states before it says that it is ready."""


def content(folder: Path) -> dict[str, bytes]:
    """The files of a site, but for the manifest."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def project(write: Write, tmp_path: Path) -> Path:
    write("mkdocs.yml", CONFIG)
    write("hook.py", HOOK)
    write("pkg/__init__.py", '"""\n# Home\n"""\n')
    write("docs/guide.md", "")
    write("docs/extra.css", "* { color: red }\n")
    (tmp_path / "tmp").mkdir()
    return tmp_path


def drive(project: Path, number: int, count: int) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(project / "tmp")}
    command = [sys.executable, "-c", DRIVER, str(number), str(count)]
    return subprocess.Popen(command, cwd=project, env=env, stdout=subprocess.PIPE, text=True)


@pytest.mark.process
@pytest.mark.parametrize(
    ("number", "count"),
    thinned([(signal.SIGKILL, KILLED), (signal.SIGTERM, STOPPED), (signal.SIGINT, STOPPED), (0, ROUNDS)], 4),
)
def test_readers_have_the_old_page_or_the_new_one(project: Path, number: int, count: int) -> None:
    """Builds are stopped at any look at the site or change to it; without a signal, three go on at once."""
    with drive(project, number, count) as driver:
        assert driver.stdout
        assert driver.stdout.readline() == "ready\n"
        old, new = content(project / "Old."), content(project / "New.")
        assert new.keys() - old.keys() == {"new.html"} and old.keys() <= new.keys()
        assert {"guide.html", "theirs.txt", "extra.css", "all.zip", "assets/pylit.css"} <= old.keys()
        assert b"<hr>" in old["guide.html"] and sum(old[url] != new[url] for url in old) >= 6
        while driver.poll() is None:
            for url in old:
                assert (project / "site" / url).read_bytes() in (old[url], new[url]), url
    assert driver.returncode == 0
    assert content(project / "site") == new
    assert not list(project.glob(f".*{SUFFIX}")) and not list((project / "tmp").iterdir())
