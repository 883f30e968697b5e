"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import jaxtyping
import pytest
from hypothesis import settings

pytest_plugins = ["site_fixtures"]

ROOT = Path(__file__).parent.parent

# Each of several test processes takes its share of the cores, and so do programs that it starts: threads that wait
# for a core which another process has are slower than a single one. PyTorch, imported later, asks for this.
if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))

# What one run finds, every run finds; `make coverage` tries other programs and prose each time.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")

COMPLETE = ("zh",)
"""The languages into which all pages are translated."""
BEGUN = {"ja": ("labml_nn/__init__.py", "labml_nn/resnet/__init__.py")}
"""The others, with the pages that are translated. Their interface is complete too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests with a browser last: its event loop stays, and others start processes or loops of their own."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file below the test's folder, folders and all."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")
        return path

    return write_file


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch the checker of signatures off, which users do not have.

    A wrong type then meets our own errors, and `torch.compile` does not stumble over the checker.
    """
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's own folder."""
    return ROOT


@pytest.fixture(autouse=True)
def own_cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let `pylit render`, where it is told no cache, use one of the test's own."""
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("cache")
    monkeypatch.setattr("pylit.cli.CACHE", str(folder))
    return folder
