"""A handwritten digit in the first block of a trained network, for `pylit trace --pictures`.

The weights in `block.npz` are those of the stem and the first block of a network that the preset `digits` has trained;
`python -m experiments.pictures RUN` takes them from a run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from labml_nn.data import ImageData
from labml_nn.data.small import load_digits
from labml_nn.resnet.experiment import PRESETS

PICTURED = ("ResidualBlock.residual", "ResidualBlock.forward")
"""The functions whose tensors are pictured."""
WEIGHTS = Path(__file__).with_name("block.npz")
PARTS = ("0.", "1.base.conv.", "1.base.bn.", "1.base.stages.0.0.")
"""The parts of the network whose weights are kept: the normalization of pixels, the stem and the first block."""
DIGIT = 3
"""The first image of this class in the test set is pictured."""


def build() -> nn.Sequential:
    """The network of the preset, with the weights that are kept."""
    model = PRESETS["digits"].config.build(load_digits()[0])
    assert isinstance(model, nn.Sequential)
    with np.load(WEIGHTS) as kept:
        weights = {name: torch.from_numpy(kept[name]) for name in kept.files}
    model.load_state_dict(model.state_dict() | weights)
    model.eval()
    return model


def image() -> ImageData:
    """The image, as a data set of one."""
    _, test = load_digits()
    return test.take((test.labels == DIGIT).nonzero()[:1, 0])


def main() -> None:
    """Show the image to the stem and the first block."""
    model = build()
    base: Any = model[1].base
    with torch.inference_mode():
        base.stages[0][0](base.act(base.bn(base.conv(model[0](image().images)))))
