r"""
---
title: Name what is in a picture
summary:
  The classes that a trained network sees in any picture file, from a checkpoint alone.
hook: What does a network of yours see in your own picture?
pictogram: pictograms/predict.svg
before: A network that you have [trained](experiment.py).
---

# Name what is in a picture

A trained network is of use when it is shown something new:

```shell
python -m labml_nn.resnet.predict runs/20260131-120000-quick cat.jpg dog.png
```

The pictures are read [as those that it has learned from](../data/pictures.py). For a run of an
experiment of your own, add its module: `--module mine`.

A network can be wrong, and sure of it. These are from a run of the preset `digits` that named 358
of 360 test images correctly. The first two are its mistakes: it takes the one 3 for a 5 and the
other for a 7, and claims to be 87 % and 97 % sure. Of the others it is least sure, and they are
right: 8, 3, 2 and 8, at 75 % to 92 %.

![Six handwritten digits of eight by eight pixels: two that could be a 5 and a 7 as well, then an 8,
a 3, a 2 and an 8, all of them smeared.](../../experiments/pictures/predictions.png)

The checkpoint holds all that is needed: the weights, the values to normalize with, and the
configuration to build the same network from.
"""

import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from labml_nn.data import DataError
from labml_nn.data.pictures import read_picture
from labml_nn.printing import printable
from labml_nn.runs.files import RunFailed, print_error
from labml_nn.runs.loading import load_model
from labml_nn.training.checkpoint import CheckpointError


@dataclass(frozen=True)
class Options:
    """
    ## The options
    """

    # Folder of a run.
    run: Annotated[Path, tyro.conf.Positional]
    # Picture files: PNG, JPEG, WebP, GIF, BMP or PPM.
    pictures: Annotated[tuple[Path, ...], tyro.conf.Positional]
    # How many classes to name for each picture.
    top: int = 3
    # What to put behind pictures that are transparent in places: `white`, like the page of a book,
    # or `black`.
    background: Literal["white", "black"] = "white"
    # Turn light into dark and dark into light. The digits of the data are light on dark; most
    # people draw them the other way round.
    invert: bool = False
    # The module of the run, if it is an experiment of your own. To load its network is to run it.
    module: str | None = None


@torch.no_grad()
def predict(
    model: nn.Module, picture: UInt8[Tensor, "1 channels height width"]
) -> Float[Tensor, "n_classes"]:
    r"""
    ## Predicting

    Returns the probabilities that `model` gives to the classes for `picture`, of shape
    `[n_classes]`: the softmax of the logits, $p_k = e^{z_k} / \sum_j e^{z_j}$. Networks tend to be
    surer than they should be, so these are not the chances of being right. Raises `RunFailed` if
    one of them is not a number.
    """
    probabilities: Tensor = model(picture).softmax(dim=1)[0]
    if not probabilities.isfinite().all():
        raise RunFailed(
            "what the network computes is infinite or not a number. Its weights "
            "are damaged, or were never right; train it again."
        )
    return probabilities


def main() -> int:
    """
    ## The command

    Prints the likeliest classes of each picture, and what went wrong to the standard error. Returns
    1 if one of the pictures could not be read, or `predict` failed.
    """
    options = tyro.cli(
        Options,
        prog="python -m labml_nn.resnet.predict",
        description="Name what is in pictures.",
    )
    try:
        if options.top < 1:
            raise RunFailed(f"--top must be at least 1, got {options.top}")
        model, classes, channels, side = load_model(options.run, options.module)
    except (CheckpointError, RunFailed) as error:
        print_error(error)
        return 1
    failed = False
    for path in options.pictures:
        # A picture that cannot be read is no reason not to look at the others.
        try:
            with warnings.catch_warnings(record=True) as notes:
                warnings.simplefilter("always")
                picture = read_picture(
                    path, channels, side, options.background, options.invert
                )
        except DataError as error:
            print_error(error)
            failed = True
            continue
        for note in notes:
            print(f"note: {note.message}", file=sys.stderr)
        try:
            likely = predict(model, picture)
        except RunFailed as error:
            print_error(f"{printable(path)}: {error}")
            failed = True
            continue
        # The likeliest classes first.
        best = likely.topk(min(options.top, len(classes)))
        print(printable(path))
        for probability, k in zip(*best, strict=True):
            name = printable(classes[int(k)], 60)
            print(f"  {float(probability):7.2%}  {name}")
        # Digits are light on dark; a photograph of pen on paper is the other way round.
        if channels == 1 and has_light_edge(picture):
            print(
                f"note: {printable(path)} is dark on light; if the network "
                f"knows light on dark, as digits are, use "
                f"{'no ' if options.invert else ''}--invert",
                file=sys.stderr,
            )
    return int(failed)


def has_light_edge(picture: UInt8[Tensor, "1 1 side side"]) -> bool:
    """
    ### Dark on light

    Whether the edge of a gray `picture`, of shape `[1, 1, side, side]`, is lighter than its middle
    on average. A network that was trained with light digits on a dark ground does not know what to
    make of dark ones on white, and says something all the same.
    """
    pixels = picture[0, 0].float()
    inside = pixels[1:-1, 1:-1]
    edge = pixels.sum() - inside.sum()
    n = pixels.numel() - inside.numel()
    return bool(edge / n > max(128.0, float(inside.mean())))


if __name__ == "__main__":
    sys.exit(main())
