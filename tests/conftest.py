"""What all tests share."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import chdir
from itertools import count
from pathlib import Path

import jaxtyping
import pytest
from hypothesis import settings
from sampling import SHARE

pytest_plugins = ["site_fixtures"]

# A shell lets what it starts with `&` ignore SIGINT, and `nohup` lets it ignore SIGHUP. Programs that are started here
# would inherit that, and wait for ever for what a test sends them.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler)

ROOT = Path(__file__).parent.parent

# Each of several test processes takes its share of the cores, and so do programs that it starts: threads that wait
# for a core which another process has are slower than a single one. PyTorch, imported later, asks for this.
if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))

# What one run finds, every run finds; `make coverage` tries other programs and prose each time.
settings.register_profile("same", derandomize=True, deadline=None, max_examples=100 // SHARE)
settings.register_profile("random", deadline=None)
settings.load_profile("same")

COMPLETE = ("zh",)
"""The languages into which all pages are translated."""
BEGUN = {
    "ja": (
        "labml_nn/__init__.py",
        "labml_nn/resnet/__init__.py",
        "labml_nn/resnet/degradation.py",
        "labml_nn/normalization/__init__.py",
        "labml_nn/normalization/batch_size.py",
        "labml_nn/resnet/preactivation.py",
        "labml_nn/resnet/signals.py",
        "labml_nn/resnet/pitfalls.py",
        "labml_nn/resnet/experiment.py",
        "labml_nn/resnet/predict.py",
        "labml_nn/resnet/models.py",
        "labml_nn/resnet/finetune.py",
        "docs/guide/index.md",
        "docs/guide/reading.md",
    )
}
"""The others, with the pages that are translated. Their interface is complete too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser or torch, and run tests with a browser last, as its event loop stays."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
        if "torch" in sys.modules and not _is_of_engine(item):
            item.add_marker(pytest.mark.training)
    if "torch" in sys.modules and all(map(_is_of_engine, items)):
        raise pytest.UsageError("tests of the engine import torch")
    if any(map(_needs_gpu, items)) and not sys.modules["torch"].cuda.is_available():
        items[:] = [item for item in items if not _needs_gpu(item)]
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


def _needs_gpu(item: pytest.Item) -> bool:
    return item.get_closest_marker("gpu") is not None


Write = Callable[[str, str], Path]
SECRET = b"what the tests seal entries with"


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


Train = Callable[..., Path]


@pytest.fixture(scope="session")
def train(tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Give the folder `run`, here, of a tiny run with some options, which is trained once: `train("--steps", "2")`."""
    kept: dict[tuple[str, ...], Path] = {}

    def copy_of_run(*options: str) -> Path:
        if options not in kept:
            from small_runs import TINY

            from labml_nn.resnet.experiment import EXPERIMENT

            folder = tmp_path_factory.mktemp("trained")
            with chdir(folder):
                assert EXPERIMENT.main([*TINY, *options, "--out", "run"]) == 0
            kept[options] = folder / "run"
        return Path(shutil.copytree(kept[options], "run"))

    return copy_of_run


_running: list[pytest.Item] = []
STARTS = ("subprocess.Popen", "os.fork", "os.posix_spawn")


def _is_of_engine(item: pytest.Item) -> bool:
    return item.path.is_relative_to(ROOT / "tests/pylit")


def _notice(event: str, arguments: tuple[object, ...]) -> None:
    """Fail a test of the engine that imports torch, or starts a process and does not say so.

    `make quick` takes a minute because none of its tests does.
    """
    if event not in ("import", *STARTS) or not _running or not _is_of_engine(_running[-1]):
        return
    item = _running[-1]
    if event == "import":
        assert str(arguments[0]).partition(".")[0] != "torch", f"{item.nodeid} imports torch"
        return
    is_marked = any(item.get_closest_marker(name) for name in ("process", "browser"))
    if not is_marked and "katex_process" not in str(arguments):
        raise AssertionError(f"{item.nodeid} starts a process; mark it with @pytest.mark.process")


sys.addaudithook(_notice)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Know which test is running."""
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()


@pytest.fixture(scope="session", autouse=True)
def own_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the key of caches in a folder of the tests' own, also for programs that they start."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        for name in ("PYLIT_CACHE_KEY", "PYLIT_CACHE_KEY_FILE"):
            patch.delenv(name, raising=False)
        yield folder


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the caches of all tests are."""
    return tmp_path_factory.mktemp("caches")


_numbers = count()


@pytest.fixture(autouse=True)
def own_cache(caches: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let commands that are told no cache use one of the test's own, which they make if they need it."""
    folder = caches / str(next(_numbers))
    monkeypatch.setattr("pylit.site.make_settings.CACHE", str(folder))
    return folder
