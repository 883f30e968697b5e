"""The shapes that pages show beside the code are those that the examples have today."""

from __future__ import annotations

from pathlib import Path

import pytest

from pylit.api import open_configuration, open_site
from pylit.tracing import INDEX, pictures_path
from pylit.tracing.format import read_trace, trace_path
from pylit.tracing.recorder import record_trace

ROOT = Path(__file__).parents[2]
SITE = open_site(open_configuration(ROOT / "pyproject.toml"), is_kept=False)
MODULES = [page.file for page in SITE.pages if page.file.endswith(".py")]
FOLDER = SITE.settings.traces
LONG = {
    "labml_nn/resnet/pitfalls.py",
    *(f"labml_nn/runs/{name}.py" for name in ("library", "files", "command")),
}
"""Modules whose examples train, which takes long when every line is watched."""


# Modules are imported anew to be traced, and the checker would tell their classes from those of the first import.
@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    "file", [pytest.param(m, marks=pytest.mark.thorough) if m in LONG else m for m in MODULES]
)
def test_recorded_shapes_are_those_of_today(file: str) -> None:
    assert FOLDER
    path = trace_path(FOLDER, file)
    recorded = path.read_text("utf-8") if path.is_file() else ""
    name = path.relative_to(ROOT)
    assert record_trace(ROOT / file, file) == recorded, f"{name} is stale: run `make traces` and commit it"


def test_no_trace_is_left_of_a_module_that_is_gone() -> None:
    assert FOLDER
    gone = {*FOLDER.rglob("*.json")} - {trace_path(FOLDER, file) for file in MODULES}
    gone -= {pictures_path(FOLDER, file) / INDEX for file in MODULES}
    assert not gone, "run `make traces`, which removes them"


@pytest.mark.parametrize(
    "name",
    [
        "ShortcutProjection",
        "ShortcutPadding",
        "ResidualBlock",
        "BottleneckResidualBlock",
        "ResNetBase",
        "ResNetClassifier",
    ],
)
def test_readers_see_what_goes_through_every_network(name: str) -> None:
    assert FOLDER
    lines = read_trace(trace_path(FOLDER, "labml_nn/resnet/__init__.py"))
    seen = [line.tensors for line in lines if line.place.within == f"{name}.forward"]
    assert {"x", "return"} <= {key for tensors in seen for key in tensors}
