r"""
---
title: Name what is in a picture
summary:
  The classes that a trained network sees in any picture file, from a checkpoint alone.
---

# Name what is in a picture

A trained network is of use when it is shown something new:

```shell
python -m labml_nn.resnet.predict runs/20260131-120000-quick cat.jpg dog.png
```

The checkpoint holds all that is needed: the weights, the values to normalise with, and the
configuration to build the same network from.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import tyro
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor, nn

from labml_nn.data import ImageData
from labml_nn.resnet import experiment, speedrun
from labml_nn.training.checkpoint import CheckpointError, CheckpointFolder, load
from labml_nn.training.command import Experiment
from labml_nn.training.files import RunFailed, load_config

# The experiments whose networks can be loaded
EXPERIMENTS: list[Experiment[Any]] = [
    experiment.EXPERIMENT,
    speedrun.EXPERIMENT,
]


@dataclass(frozen=True)
class Options:
    """
    ## The options
    """

    # Folder of a run.
    run: Annotated[Path, tyro.conf.Positional]
    # Picture files, in any common format.
    pictures: Annotated[tuple[Path, ...], tyro.conf.Positional]
    # How many classes to name for each picture.
    top: int = 3


def load_model(folder: Path) -> tuple[nn.Module, tuple[str, ...], int, int]:
    """
    ## Loading the network

    Returns the network of the run in `folder`, with the weights that were best on the images held
    out or, where none were, the last ones; the names of its classes; and the number of channels and
    the side of its images. Raises `RunFailed` or `CheckpointError` if there is no such run.
    """
    checkpoints = CheckpointFolder(folder / "checkpoints", keep=1)
    path = checkpoints.best
    if path.exists():
        checkpoint = load(path)
    else:
        checkpoint = checkpoints.load_last()
        path = checkpoints.folder / f"step-{checkpoint.step:08d}.pt"
    kinds = {each.module: each.config for each in EXPERIMENTS}
    _, _, config = load_config(folder, kinds)
    try:
        classes = tuple(checkpoint.about["classes"])
        channels, side = checkpoint.about["channels"], checkpoint.about["side"]
        # What the network knows of the data it was trained on comes with the weights, so any image
        # will do to build it.
        model = config.build(
            ImageData(
                torch.randint(256, (1, channels, side, side)).byte(),
                torch.zeros(1, dtype=torch.int64),
                classes,
            )
        )
        model.load_state_dict(checkpoint.model)
    except Exception as error:
        raise CheckpointError(
            f"{path} does not fit the network of {folder}/config.json: "
            f"{error!r:.300}\nPass the folder of a run as it was written."
        ) from error
    return model.eval(), classes, channels, side


def read_picture(
    path: Path, channels: int, side: int
) -> UInt8[Tensor, "1 {channels} {side} {side}"]:
    """
    ## Reading a picture

    Returns the picture in the file `path` as bytes of shape `[1, channels, side, side]`. The
    network knows small square images only: the middle of the picture is cut out as a square and
    made as small as those. Pictures from phones are often stored lying on their side with a note
    how to turn them, which is heeded.

    Raises `RunFailed` if the file is no picture.
    """
    try:
        with Image.open(path) as picture:
            upright = ImageOps.exif_transpose(picture)
            mode = "RGB" if channels == 3 else "L"
            small = ImageOps.fit(upright.convert(mode), (side, side))
    except FileNotFoundError as error:
        raise RunFailed(f"{path} does not exist.") from error
    except (
        UnidentifiedImageError,
        OSError,
        Image.DecompressionBombError,
    ) as error:
        raise RunFailed(
            f"{path} is no picture that can be read: {error}"
        ) from error
    pixels = torch.from_numpy(np.array(small)).view(side, side, channels)
    return pixels.permute(2, 0, 1)[None]


@torch.no_grad()
def predict(
    model: nn.Module, picture: UInt8[Tensor, "1 channels height width"]
) -> Float[Tensor, "n_classes"]:
    r"""
    ## Predicting

    Returns the probabilities that `model` gives to the classes for `picture`, of shape
    `[n_classes]`: the softmax of the logits, $p_k = e^{z_k} / \sum_j e^{z_j}$. Networks tend to be
    surer than they should be, so these are not the chances of being right.
    """
    probabilities: Tensor = model(picture).softmax(dim=1)[0]
    return probabilities


def main() -> int:
    """
    ## The command
    """
    options = tyro.cli(
        Options,
        prog="python -m labml_nn.resnet.predict",
        description="Name what is in pictures.",
    )
    try:
        model, classes, channels, side = load_model(options.run)
        for path in options.pictures:
            picture = read_picture(path, channels, side)
            best = predict(model, picture).topk(min(options.top, len(classes)))
            print(path)
            for probability, k in zip(*best, strict=True):
                print(f"  {float(probability):7.2%}  {classes[int(k)]}")
    except (CheckpointError, RunFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
