r"""
---
title: How small may a batch be?
summary:
  Residual networks with batch, group and no normalization, trained with batches of 64 images down
  to 2, on a laptop and in minutes.
hook: The same network, with batches of 64 images and of two.
pictogram: pictograms/batch_size.svg
papers:
  - title: Group Normalization
    authors: [Yuxin Wu, Kaiming He]
    year: 2018
    arxiv: 1803.08494
before: "[Batch normalization](__init__.py), and [residual networks](../resnet/__init__.py)."
next: >-
  [Bugs in residual blocks](../resnet/pitfalls.py): what happens without `eval`.
---

# How small may a batch be?

[Batch normalization](__init__.py) replaces the mean of a feature over all images by its mean over a
batch. The smaller the batch, the worse a guess that is. Large images leave room for only a few of
them on a device, so this matters in practice. [Group normalization](__init__.py#GroupNorm) was
invented for it. Its paper trains ResNet-50 on ImageNet: from 32 images on each device down to 2,
the error rises from 23.6 % to 34.7 % with batch normalization, and stays at 24.1 % with group
normalization (table 2).

This page repeats the experiment with handwritten digits:

```shell
python -m labml_nn.normalization.batch_size
```

## What is compared

A residual network of eight layers, three times: with batch normalization, with group normalization
in groups of four channels, and with nothing in their place. All see the same number of images. So a
batch that is half as large means twice as many steps, with
[half the learning rate](../resnet/degradation.py#digits_trainer).

```chart
caption: Accuracy on images held out, against the number of images in a batch
x: images in a batch
y: accuracy
x_scale: log
format: percent
lines:
  - label: batch
    data: ../../experiments/normalization/batch_size.json
    x: batch.runs.images
    y: batch.runs.accuracy
  - label: group
    data: ../../experiments/normalization/batch_size.json
    x: group.runs.images
    y: group.runs.accuracy
  - label: none
    data: ../../experiments/normalization/batch_size.json
    x: none.runs.images
    y: none.runs.accuracy
```

With two images in a batch, the network with batch normalization learns as well as with 64, and as
well as the one with group normalization. So the paper's finding does *not* repeat itself here.

Why not? The mean over a batch is a bad guess if images differ much in their means. Digits do not:
all of them are light strokes on a dark ground, equally large and in the middle. The
[spread](#spread) of their brightness is 0.09, where the photographs of CIFAR-10 have 0.50. For two
photographs the mean is anywhere, for two digits it is nearly that of all.

What the paper found is no law, then, but depends on the data. If your images are alike, small
batches may do. Whether they are alike in their *features*, which is what counts, only a trial
tells.

The network without normalization is hardly worse. With eight layers one can do without; [two
hundred blocks](../resnet/signals.py) are another matter.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import tyro
from jaxtyping import Shaped
from torch import Tensor, nn

from labml_nn.data import DRAWS, seed_generators
from labml_nn.data.small import load_digits  # noqa: F401 - for the examples
from labml_nn.normalization import BatchNorm, GroupNorm
from labml_nn.resnet import ResidualBlock
from labml_nn.resnet.degradation import digits_trainer, network_of
from labml_nn.training.measuring import evaluate

# What takes the place of each normalization, given the number of its channels.
Kind = Literal["batch", "group", "none"]
KINDS: dict[Kind, Callable[[int], nn.Module]] = {
    "batch": BatchNorm,
    "group": lambda channels: GroupNorm(channels, groups=channels // 4),
    "none": lambda channels: nn.Identity(),
}
# Images in a batch, images that are seen in all, and seeds.
BATCHES = (64, 32, 16, 8, 4, 2)
IMAGES = 6400
SEEDS = (0, 1, 2)
RECORD = Path(__file__).parents[2] / "experiments/normalization/batch_size.json"


def spread(images: Shaped[Tensor, "n channels height width"]) -> float:
    """
    ## How much images differ

    * `images` has shape `[n, channels, height, width]`

    Returns the standard deviation of the brightness of images, in units of the standard deviation
    of all pixels.

    >>> round(spread(load_digits()[0].images), 2)
    0.09

    For CIFAR-10 use `load_cifar10` of [its page](../data/cifar10.py).
    """
    pixels = images.double()
    return (pixels.mean((1, 2, 3)).std() / pixels.std()).item()


def exchange(network: nn.Module, kind: Kind) -> None:
    """
    ## Another normalization

    Puts another `kind` in the place of every batch normalization in `network`.

    >>> network = network_of(ResidualBlock)
    >>> exchange(network, 'group')
    >>> kinds = [type(m).__name__ for m in network.modules()]
    >>> kinds.count('GroupNorm'), kinds.count('BatchNorm2d')
    (9, 0)
    """
    for module in list(network.modules()):
        for name, layer in list(module.named_children()):
            if isinstance(layer, nn.BatchNorm2d):
                setattr(module, name, KINDS[kind](layer.num_features))


def accuracy(kind: Kind, batch_size: int, seed: int) -> float:
    """
    ## One training

    * `kind` is the normalization
    * `batch_size` is the number of images in a batch
    * `seed` decides on weights and batches

    Returns the accuracy on images held out, from 0 to 1.
    """
    seed_generators(seed, "weights")
    network = network_of(ResidualBlock)
    exchange(network, kind)
    steps = IMAGES // batch_size
    trainer, valid = digits_trainer(network, steps, seed, batch_size)
    for _ in range(steps):
        trainer.take_step()
    return round(evaluate(trainer.model, valid, trainer.machine)[1], 4)


def record() -> dict[str, Any]:
    """
    ## The record

    Returns all that the figure of this page shows, and how it was measured. Prints a line for each
    normalization and batch size, with an accuracy for each seed.
    """
    found: dict[str, Any] = {
        "about": {"images": IMAGES, "seeds": list(SEEDS), "draws": DRAWS}
    }
    for kind in KINDS:
        runs: list[dict[str, Any]] = [
            {"seed": seed, "images": [], "accuracy": []} for seed in SEEDS
        ]
        for batch_size in BATCHES:
            each = [accuracy(kind, batch_size, seed) for seed in SEEDS]
            for run, value in zip(runs, each, strict=True):
                run["images"].append(batch_size)
                run["accuracy"].append(value)
            shown = "  ".join(f"{value:7.2%}" for value in each)
            print(f"{kind:6}{batch_size:3} images: {shown}", flush=True)
        found[kind] = {"runs": runs}
    return found


@dataclass(frozen=True)
class Options:
    """
    ## The command
    """

    # Write what is measured to the file that the figure of the page is drawn from.
    record: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """
    This trains all networks, which takes some minutes:

    ```shell
    python -m labml_nn.normalization.batch_size
    python -m labml_nn.normalization.batch_size --record
    ```

    The second one also writes the record. `arguments` are read in place of the command line, if
    there are any. Returns 0.
    """
    options = tyro.cli(
        Options,
        prog="python -m labml_nn.normalization.batch_size",
        description="Compare normalizations with batches of several sizes.",
        args=arguments,
    )
    torch.set_num_threads(1)
    found = record()
    if options.record:
        RECORD.parent.mkdir(parents=True, exist_ok=True)
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"Wrote {RECORD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
