r"""
---
title: The configuration
summary:
  What every experiment can be told on the command line, and the images it trains on and measures
  with.
---

# The configuration

Experiments differ in their networks and hyper-parameters. These choices they have in common, and
[the run](run.py) needs to know of no others.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from torch import nn

from labml_nn.data import ImageData, split
from labml_nn.data.cifar10 import load_cifar10
from labml_nn.data.small import load_digits, make_synthetic
from labml_nn.training import Recipe
from labml_nn.training.files import to_plain
from labml_nn.training.machine import Precision


@dataclass(frozen=True)
class Config:
    """
    ## What every experiment can be told

    A field's comment is its explanation here and its help on the command line. An experiment adds
    fields of its own.
    """

    # The images: `cifar10`, `digits` or `synthetic`.
    data: Literal["cifar10", "digits", "synthetic"] = "cifar10"
    # Folder with the files of CIFAR-10. They are downloaded into it if they are not there.
    data_dir: Path = Path("data")
    # Images of the training set to hold out, to choose hyper-parameters by.
    valid_images: int = 5000
    # Train on all images of the training set, and measure on the test set once, at the end.
    final: bool = False

    # Seed of all random choices.
    seed: int = 0
    # `auto`, `cpu`, `mps`, `cuda` or `cuda:1`.
    device: str = "auto"
    # `auto`, `float32` or `bfloat16`. `auto` takes bfloat16 where the device has units for it.
    precision: Precision = "auto"
    # Lay the channels of a pixel side by side in memory.
    channels_last: bool = True
    # Translate the model with `torch.compile`: a minute at the start for faster steps.
    compile: bool = False
    # Let normalizations use the statistics of all processes (CUDA only).
    sync_bn: bool = False
    # Use only operations that always give the same result on the same device, even if slower.
    deterministic: bool = False

    # Folder for the run. By default `runs/` with the time and the preset.
    out: Path | None = None
    # Seconds between checkpoints.
    checkpoint_seconds: float = 300
    # Steps between checkpoints, instead of seconds.
    checkpoint_steps: int | None = None
    # How many of the last checkpoints to keep. The best is kept too.
    keep: int = 3
    # Add the result to `experiments/`, where the tables and curves of the site come from.
    record: bool = False
    # Address of a labml server that shows the run. By default it is only written to files.
    app_url: str | None = None

    def recipe(self, n: int) -> Recipe:
        """
        What the [training loop](__init__.py) needs to know, to train on `n` images. Experiments
        have to say.
        """
        raise NotImplementedError

    def build(self, train: ImageData) -> nn.Module:
        """
        The model: bytes in, logits out. What it needs to know of the data, such as the number of
        classes or the mean of the pixels, comes from `train`. Experiments have to say.
        """
        raise NotImplementedError

    def result_depends_on(self) -> dict[str, Any]:
        """
        The fields that decide what comes out of a run, apart from the seed, as plain values. Runs
        that are recorded for the same preset must agree in all of them.
        """
        other = {field.name for field in fields(Config)}
        other -= {"data", "valid_images"}
        plain = to_plain(self)
        return {name: plain[name] for name in plain if name not in other}


def load_data(config: Config) -> tuple[ImageData, ImageData]:
    """
    ## The data

    Returns the images that `config` asks for, to train on and to measure with. The latter are held
    out of the training set or, with `final`, the test set. Raises `DataError` if they cannot be
    had.
    """
    match config.data:
        case "cifar10":
            train, test = load_cifar10(config.data_dir)
        case "digits":
            train, test = load_digits()
        case "synthetic":
            train, test = make_synthetic()
    if config.final:
        return train, test
    return split(train, min(config.valid_images, len(train) // 2))
