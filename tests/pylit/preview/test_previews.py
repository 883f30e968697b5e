"""Every preview shows what was saved, and what is wrong with it, and nothing that is not of the site."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Write
from previews import CONFIG, Preview, previewing, write_site
from sampling import SHARE, thinned

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture(params=["pylit", "mkdocs"])
def preview(
    request: pytest.FixtureRequest, write: Write, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Preview]:
    """A preview as `pylit serve` and `mkdocs serve` make it, or another command with options that a test names."""
    write_site(write)
    outside = tmp_path_factory.mktemp("outside")
    for secret in (outside / "secret.txt", tmp_path / "secret.txt"):
        secret.write_text("Nobody may read this.\n")
    for number, target in enumerate((outside, outside / "secret.txt", Path(__file__))):
        (tmp_path / f"docs/link{number}").symlink_to(target)
    with previewing(tmp_path, request.param) as preview:
        yield preview


def test_what_is_saved_is_shown(preview: Preview, write: Write, tmp_path: Path) -> None:
    get = preview.get
    get("index.html", "Some words.")
    get("zh/index.html", "一些话。")

    write("pkg/__init__.py", '"""\n# Home\n\nSome words.\n\nA sentence more.\n"""\n')
    get("index.html", "A sentence more.")
    write("translations/zh/pkg/__init__.po", 'msgid "Some words."\nmsgstr "几句话。"\n')
    get("zh/index.html", "几句话。")
    write("docs/guide.md", "# The guide\n")
    get("guide.html", ">The guide</h1>")
    get("other.html", "The guide")  # which comes before it

    write("pkg/other.py", '"""\n# Other\n\n$\\frac$\n"""\n')
    assert "the formula `\\frac` is not valid" in get("other.html", 'class="problems"').replace("&#39;", "'")
    write("pkg/other.py", '"""\n# Other\n\nRight again.\n"""\n')
    assert 'class="problems"' not in get("other.html", "Right again.")

    write("pkg/new.py", '"""\n# New\n"""\n')
    get("new.html", ">New</h1>")
    (tmp_path / "pkg/new.py").unlink()
    get("new.html", "There is no such page")
    write("mkdocs.yml", CONFIG.replace("Test", "Trial"))
    get("index.html", "· Trial</title>")
    assert (tmp_path / ".pylit-cache/.gitignore").is_file()


def test_broken_save_is_shown_on_every_page_and_the_next_one_mends_it(
    preview: Preview, write: Write, tmp_path: Path
) -> None:
    """Whatever is broken: a module, a catalog, a guide, the configuration, or the files as a whole."""
    get = preview.get
    get("index.html", "Some words.")
    write("pkg/other.py", "x = (((\n")
    assert "is not valid Python" in get("other.html", 'class="wrong"')
    write("pkg/other.py", "\0")
    assert "is not valid Python" in get("other.html", "null bytes")
    (tmp_path / "pkg/other.py").write_bytes(b"\xff\xfe\xfd")
    get("other.html", "cannot be decoded")
    write("pkg/other.py", '"""\n# Other\n\nMore words.\n"""\n')
    get("other.html", "More words.")
    write("translations/zh/pkg/__init__.po", 'msgid "Some')
    get("zh/index.html", 'class="problems"')
    write("translations/zh/pkg/__init__.po", 'msgid "Some words."\nmsgstr "几句话。"\n')
    get("zh/index.html", "几句话。")
    write("docs/guide.md", "---\ntitle: [\n---\n")
    get("guide.html", "the front matter is not valid YAML")
    write("docs/guide.md", "# The guide\n")
    get("guide.html", ">The guide</h1>")

    write("mkdocs.yml", CONFIG.replace("search: false", "order: [pkg/<gone>.py]"))
    for url in ("index.html", "zh/other.html"):
        html = get(url, "is in the reading order")
        assert "Content-Security-Policy" in html
        assert "pkg/&lt;gone&gt;.py: error:" in html and 'http-equiv="refresh"' in html
    write("mkdocs.yml", "site_name: [\n")
    get("index.html", "while parsing")
    write("mkdocs.yml", CONFIG)
    get("index.html", "Some words.")
    write("docs/other.md", "# Two for one page\n")
    get("other.md.html", "Two for one page")
    (tmp_path / "docs/other.md").unlink()
    get("index.html", "Some words.")


SAVES = 1000


@pytest.mark.parametrize(
    "preview", ["pylit", pytest.param("mkdocs", marks=pytest.mark.thorough)], indirect=True
)
def test_a_thousand_quick_saves_end_right(preview: Preview, write: Write, tmp_path: Path) -> None:
    """No process and no memory is left behind, and what is shown at last is what was saved at last."""
    preview.get("index.html", "Some words.")
    held, saves = [], SAVES // SHARE
    for save in range(saves):
        formula = rf"$\frac{{{save}}}$" if save % 7 == 0 else f"$x_{{{save}}}$"  # every seventh is wrong
        write(f"pkg/{('other', '__init__')[save % 2]}.py", f'r"""\n# Save {save}\n\n{formula}\n"""\n')
        if save % 10 == 0:
            write(f"pkg/m{save // 10 % 5}.py", f'"""\n# Module {save}\n"""\n')
        if save % 10 == 5:
            (tmp_path / f"pkg/m{save // 10 % 5}.py").unlink()
        time.sleep(0.003)
        if (save + 1) % (saves // 10) == 0:
            preview.get(("other.html", "index.html")[save % 2], f"Save {save}</h1>")
            held.append(preview.memory())
    preview.get("other.html", f"Save {saves - 2}</h1>")
    assert 'class="problems"' not in preview.get("index.html", f"Save {saves - 1}</h1>")
    assert "There is no such page" in preview.get("m0.html", "There is no such page")
    assert len(preview.children()) <= 1  # KaTeX's
    assert held[-1] - held[2] < 20_000, held


def test_preview_is_for_this_machine_only(preview: Preview, root: Path) -> None:
    preview.get("index.html", "Some words.")
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{preview.port:04X}") and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F:{preview.port:04X}"]
    command = subprocess.run(
        ["make", "--dry-run", "serve"], cwd=root, capture_output=True, text=True, check=True
    )
    assert "pylit serve --address 127.0.0.1:8000" in command.stdout
    assert "dev_addr" not in (root / "mkdocs.yml").read_text("utf-8")


GUARDED = ["pylit", "mkdocs", "properdocs", "mkdocs --no-livereload", "mkdocs --clean"]


@pytest.mark.parametrize("preview", thinned(GUARDED, 4), indirect=True)
def test_preview_is_for_its_own_hosts_only(preview: Preview, write: Write) -> None:
    """Another site cannot read it by a name of its own that leads here, whatever it asks for."""
    preview.get("index.html", "Some words.")
    port = preview.port
    evil = f"http://evil.example:{port}"
    own = f"Host: localhost:{port}"
    targets = ["/", "/index.html", "/assets/pylit.css", "/gone.html", "/livereload/0/0", "/livereload/0.js"]
    cases = [
        *((target, ("Host: evil.example",)) for target in targets),
        *((target, (f"Host: evil.example:{port}",)) for target in targets),
        *((f"{evil}{target}", (own,)) for target in targets),
        *((f"{evil}{target}", ("X: y",)) for target in targets),
        *((target, ("X: y",)) for target in targets),
        *((target, (own, f"Host: evil.example:{port}")) for target in targets),
        *((target, (f"Host: evil.example:{port}", own)) for target in targets),
        ("/", (own, own)),
        ("/", (f"X-Forwarded-Host: localhost:{port}", "Host: evil.example")),
        ("/", (f"Host: localhost.evil.example:{port}",)),
        (f"http://localhost:{port}/", (own,)),
        ("//evil.example/", ("Host: evil.example",)),
        ("*", (own,)),
    ]
    for target, heads in cases:
        answer = preview.ask(target, *heads)
        assert answer.split(b"\r\n")[0].endswith(b" 421 Misdirected Request"), (target, heads, answer)
        assert (
            f"Expected: localhost or an address of this machine such as 127.0.0.1, with the port {port}"
            in (answer.decode())
        )
        assert b"Some words." not in answer and b"<" not in answer
    for host in (f"localhost:{port}", f"LOCALHOST:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
        assert b"Some words." in preview.ask("/", f"Host: {host}"), host
    if "--" not in str(preview.process.args):
        write("mkdocs.yml", "site_name: [\n")
        preview.get("index.html", "while parsing")
        assert b" 421 " in preview.ask("/", "Host: evil.example")
        assert b"while parsing" not in preview.ask("/", "Host: evil.example")


@pytest.mark.parametrize("preview", thinned(["pylit", "mkdocs", "properdocs"], 3), indirect=True)
def test_preview_has_the_policy_of_the_site(preview: Preview, tmp_path: Path) -> None:
    """What makes it reload, and what opens passages to translate, are files of its own. So is all that a page runs."""
    out = tmp_path / "out"
    config = str(tmp_path / "mkdocs.yml")
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "-q", "-f", config, "-d", str(out)], check=True)
    preview.get("index.html", "Some words.")
    for url in ("index.html", "zh/index.html", "guide.html", "404.html"):
        shown, built = preview.get(url, "<html"), (out / url).read_text("utf-8")
        reload = re.search(
            r'<script src="(/(?:livereload/[0-9]+|\.pylit/reload)\.js)"[^>]*></script></body>', shown
        )
        assert reload, url
        plain = re.sub(r'<script src="/\.pylit/edit\.js" data-token="[\w-]+" defer></script>', "", shown)
        assert plain.replace(reload[0], "</body>").count("<script") == built.count("<script")
        policies = [re.findall("<meta http-equiv[^>]*>", html) for html in (shown, built)]
        assert policies[0] == policies[1] and len(policies[0]) == 1
        script = preview.ask(reload[1])
        assert b"text/javascript" in script and b"reload()" in script and b"<script" not in script
    for name in ("livereload/x.js", ".pylit/x.js"):
        assert b" 404 " in preview.ask(f"/{name}").split(b"\r\n")[0]


DOTS = ("..", "%2e%2e", "%2E.", ".%2e", "..%00", "%c0%ae%c0%ae", "..%5c..", "%252e%252e", "....//")
SLASHES = ("/", "%2f", "%5c", "//", "/./")


WAYS = ("", "/", "//", "/guide.html/", "/zh/", "/./", "/assets/")


def test_preview_never_leaves_the_site(preview: Preview, tmp_path: Path) -> None:
    preview.get("index.html", "Some words.")
    assert b"Some words." in preview.ask("/")
    secret = tmp_path / "secret.txt"
    up = len(tmp_path.parts) + 3
    for ways in WAYS:
        targets = [f"{ways}{(dot + slash) * up}{str(secret)[1:]}" for dot in DOTS for slash in SLASHES]
        targets += [
            f"{ways}{secret}",
            f"{ways}file://{secret}",
            f"{ways}/{secret}%00.html",
            f"file://{secret}",
        ]
        targets += [f"{ways}{link}" for link in ("link0", "link0/secret.txt", "link1", "link2")]
        targets += [f"{ways}{name}" for name in ("mkdocs.yml", "../mkdocs.yml", ".pylit-manifest.json")]
        for target in targets:
            answer = preview.ask(target)
            assert b"Nobody may read this" not in answer, target
            assert b"site_name" not in answer and b"def test_" not in answer, target
    assert b" 404 " in preview.ask("/link1").split(b"\r\n")[0]
    hidden = (
        "/.pylit/index.html",
        "/zh/../.pylit/index.html",
        "/%2epylit/index.html",
        "/.py%fflit/index.html",
    )
    for target in (*hidden, "/index.html%00", "/%00"):
        assert preview.ask(target).startswith(b"HTTP/1.0 404 "), target
    preview.get("index.html", "Some words.")
