"""Finds the browser that the tests drive; run as a script, it installs one where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

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


def main() -> None:
    """Make sure there is a browser, or say how to get one."""
    if find_browser():
        return
    print("No Chromium found for the browser tests; installing one ...", flush=True)
    try:
        install_browser()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"could not install Chromium ({error}); install it yourself, or set CHROMIUM to its path")


if __name__ == "__main__":
    main()
