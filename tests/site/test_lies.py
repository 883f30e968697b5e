"""Deliberate lies in the pages of this site: each is caught, at the line where it stands."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner
from sampling import thinned

from pylit.cli.main import main

RESNET = "labml_nn/resnet/__init__.py"
EXPERIMENT = "labml_nn/resnet/experiment.py"
CHINESE = "translations/zh/labml_nn/resnet/__init__.po"


class Lie(NamedTuple):
    """Something true, what is made of it, and what is said about that."""

    file: str
    truth: str
    lie: str
    at: str
    """Where the line that is named begins."""
    message: str


LIES = {
    "a parameter that is not there": Lie(
        RESNET,
        "* `stride` is the stride of the first convolution\n",
        "* `strides` is the stride of the first convolution\n",
        "        * `strides`",
        "`ResidualBlock.__init__` has no parameter `strides`\n    Did you mean `stride`?",
    ),
    "a parameter left out": Lie(
        RESNET,
        "* `n_classes` is the number of classes\n\n        Raises `ValueError` if `n_classes` is",
        "* and the number of classes\n\n        Raises `ValueError` if it is",
        "    def __init__(self, base: ResNetBase, n_classes",
        "the docstring of `ResNetClassifier.__init__` does not mention the parameter `n_classes`",
    ),
    "a symbol for code that is not there": Lie(
        RESNET,
        "W_s: ShortcutProjection.conv\n",
        "W_s: ShortcutProjection.convolution\n",
        "symbols:",
        "the symbol `W_s` represents `ShortcutProjection.convolution`, which is not in the code",
    ),
    "a dead symbol": Lie(
        RESNET,
        "W_s: ShortcutProjection.conv\n",
        "W_s: ShortcutProjection.conv\n  W_9: ShortcutProjection.bn\n",
        "symbols:",
        "the symbol `W_9` is not used in any formula",
    ),
    "a moved anchor": Lie(
        "labml_nn/runs/config.py",
        "class Config:",
        "class Configuration:",
        "[all experiments have](../runs/config.py#Config)",
        "the anchor of `../runs/config.py#Config` does not exist",
    ),
    "a page that is gone": Lie(
        EXPERIMENT,
        "[recorded](../runs/record.py)",
        "[recorded](../training/records.py)",
        "These runs are [recorded]",
        "the link `../training/records.py` is broken\n    Did you mean `../training/extras.py`?",
    ),
    "a formula that is none": Lie(
        RESNET,
        "$$y = \\mathcal{F}(x, \\{W_i\\}) + W_s x$$",
        "$$y = \\mathcal{F}(x, \\{W_i\\}) + \\frac{W_s x$$",
        "$$y = \\mathcal{F}(x, \\{W_i\\}) + \\frac",
        "the formula `y = \\mathcal{F}(x, \\{W_i\\}) + \\frac{W_s x` is not valid",
    ),
    "a figure that was not recorded": Lie(
        EXPERIMENT,
        "value: final.test_accuracy",
        "value: final.tested_accuracy",
        "  - head: Test set",
        "`final.tested_accuracy` not found in the record",
    ),
    "a picture's part that is not in the code": Lie(
        "labml_nn/convnext/blocks.svg",
        'data-of="ConvNeXtBlock.layer_scale"',
        'data-of="ConvNeXtBlock.gamma"',
        "![Three blocks, each with a shortcut",
        "ties a part to `ConvNeXtBlock.gamma`, which is not in the code\n    Did you mean `ConvNeXtBlock`?",
    ),
    "another formula in the translation": Lie(
        CHINESE,
        '"设 $\\\\mathcal{H}(x)$ 是',
        '"设 $\\\\mathcal{G}(x)$ 是',
        "",
        "a translation lacks the formula `\\mathcal{H}(x)`; has the extra formula `\\mathcal{G}(x)`",
    ),
}


@pytest.fixture(scope="module")
def copy(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's sources, to lie in."""
    base = tmp_path_factory.mktemp("lies")
    for name in ("labml_nn", "docs", "translations", "experiments"):
        shutil.copytree(root / name, base / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(root / name, base)
    return base


def check(base: Path) -> tuple[int, str]:
    found = CliRunner().invoke(main, ["check", "--strict", "--config", str(base / "pyproject.toml")])
    return found.exit_code, found.output


def test_the_truth_passes(copy: Path) -> None:
    status, output = check(copy)
    assert status == 0, output
    assert "checked in 3 languages: no problems." in output


@pytest.mark.parametrize("name", thinned(LIES, 10))
def test_a_lie_is_caught_where_it_stands(copy: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lie = LIES[name]
    path = copy / lie.file
    truth = path.read_text("utf-8")
    assert lie.truth in truth
    monkeypatch.chdir(copy)
    try:
        path.write_text(truth.replace(lie.truth, lie.lie), "utf-8")
        status, output = check(copy)
    finally:
        path.write_text(truth, "utf-8")
    assert status == 1
    named = [line for line in output.splitlines() if lie.message.splitlines()[0] in line]
    assert named, output
    assert lie.message in output
    file, line = named[0].split(": ")[0].split(":")
    assert lie.at in (copy / file).read_text("utf-8").replace(lie.truth, lie.lie).splitlines()[int(line) - 1]


def test_a_wrong_number_in_an_example_is_caught(root: Path, tmp_path: Path) -> None:
    """The page says that ResNet-20 has 14,016 parameters in its first stage."""
    path = tmp_path / "resnet.py"
    truth = (root / RESNET).read_text("utf-8")
    path.write_text(truth.replace("[432, 32, 14016,", "[432, 32, 14061,"), "utf-8")
    found = subprocess.run([sys.executable, "-m", "doctest", path], capture_output=True, text=True, cwd=root)
    assert found.returncode == 1
    line = truth[: truth.index(">>> [count(part) for part in parts]")].count("\n") + 1
    assert f'resnet.py", line {line}, in resnet.cifar_resnet' in found.stdout
    assert "Expected:\n    [432, 32, 14061," in found.stdout
