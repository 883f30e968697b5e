r"""
---
title: The speed run
summary:
  From ResNet-20 to a residual network that learns CIFAR-10 in minutes on a CPU, one measured step
  at a time.
symbols:
  \mathcal{F}: Group.residual
hook: CIFAR-10 in minutes on a CPU, one measured idea at a time.
pictogram: pictograms/speedrun.svg
before: "[Residual networks](__init__.py) and [how they are trained](experiment.py)."
next: >-
  [Muon](../training/muon.py): the optimizer of the fastest runs, explained on a page of its own.
---

# The speed run

How fast can a network reach 94 % on CIFAR-10? People have raced for it since 2017, when the
benchmark DAWNBench chose that goal. The best of them now train for [a few
seconds](https://github.com/KellerJordan/cifar10-airbench) on a fast GPU. This page runs the race on
a CPU, where other things count, with a residual network:

```shell
python -m labml_nn.resnet.speedrun
```

We start from [ResNet-20](__init__.py#cifar_resnet) and change it step by step. Each step had to
earn its place by measurement, and a table tells what it earned.

## What a CPU pays for

On a GPU, a small network spends much of its time on moving data and on launching operations. Two
cores of a CPU multiply a thousand times slower, and little else matters to them: in the networks
below, eight tenths of a step or more are convolutions, and these run about as fast as a plain
product of matrices does. So there is one currency. A $3 \times 3$ convolution from $C$ to $C'$
channels costs $9 \, C C' H W$ multiplications for an output of $H \times W$, and twice as many
again for its gradients. Whatever makes training faster here does one of two things: it learns more
from each multiplication, or it leaves multiplications out.

## The steps

Time is counted in *plain epochs*. One is what ResNet-20 takes for 50,000 images in the loop that
[everybody writes first](../../docs/guide/speed.md#a-step), on the same machine, so that a number
means the same on a slow one and on a fast one.

The rows from *ResNet-20* to *both sides* all take one plain epoch or one and a half, and what is
cheaper sees more images. They are measured on images held out, 5,000 of the training set. Each
changes one group of things, and has the learning rate that did best for it there:

* *Wide* has [three groups](#Group) of two convolutions, one of them residual, in place of nine
  blocks. Images are padded by 2 pixels instead of 4.
* *Prepared* starts with a layer that [whitens](#whitening_filters), and with convolutions that
  [copy](#_conv) their inputs.
* *Muon* is [an optimizer](../training/muon.py) that takes steps of the same length in all
  directions. Fewer of them will do: a batch has 500 images instead of 128. Its velocity forgets a
  little sooner, with a momentum of 0.8 instead of 0.9, and its weights have a fixed length in place
  of weight decay.
* *Small first* shows [small images](#SpeedRecipe.side) at the beginning.
* *Both sides* shows images and their mirror images [in turn](#SpeedRecipe.draw), smooths
  [the labels](../training/loop.py#Recipe.loss) and [looks six times](#SixViews).

The last row of ours is the same network, trained about five times as long on all 50,000 images. Its
batches have 1,000 images instead of 500, its momentum is 0.7, and images grow in three stages
instead of two. It is the only one that is measured on the test set.

```table
rows: ../../experiments/benchmarks/speedrun.json#rows
columns:
  - head: Step
    value: step
    names:
      airbench94_muon: airbench94_muon
      resnet20: ResNet-20
      wide: wide
      prepared: prepared
      muon: Muon
      small-first: small first
      both-sides: both sides
      speedrun: the speed run
  - head: Held out
    value: held_out
    format: percent
  - head: Test set
    value: test
    format: percent
  - head: Time, s
    value: seconds
    format: integer
  - head: Plain epochs
    value: plain_epochs
    format: number
  - head: Epochs
    value: epochs
    format: number
  - head: Images/s
    value: images_per_second
    format: integer
  - head: Seeds
    value: draws
    names:
      1: related
      2: independent
caption: The steps on a CPU, timed by `python -m benchmarks.speedrun` in one run.
```

A time is for training on 50,000 images and for measuring on the test set. An accuracy is a mean,
with the standard deviation of runs that differ in their seed. Where seeds are *related*, they were
[added](../data/__init__.py#random_generator) to the numbers of epochs and steps, so the runs drew
the same batches at different times. Each run is valid, and so is the mean. The standard deviation
does not tell how much runs with independent seeds would differ.

The first row is what we race against. Its network was made for GPUs and has no shortcuts. It is
timed in our loop, with as many steps, images and views as its author has chosen. The accuracy is
the one that he states, the mean of 200 runs. Our network takes about as long, and has not quite
reached it: the race is open.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float, Int64, UInt8
from labml_helpers.module import Module
from torch import Tensor, nn

from labml_nn.data import (
    Crops,
    ImageData,
    batch_indices,
    random_generator,
    seed_generators,
    send,
)
from labml_nn.resnet import cifar_resnet
from labml_nn.runs.command import Experiment, Preset
from labml_nn.runs.config import Config, note_others
from labml_nn.runs.files import RunFailed
from labml_nn.training import Normalize, Recipe
from labml_nn.training.machine import Machine
from labml_nn.training.muon import Muon


def whitening_filters(
    images: Float[Tensor, "batch channels height width"], size: int = 2
) -> Float[Tensor, "filters channels {size} {size}"]:
    r"""
    ## Whitening

    Neighboring pixels are nearly the same. Of the patches of $2 \times 2$ pixels in an image, most
    of what there is to see is their mean color, and edges, which matter more, are faint beside it.
    Before a network can use the faint directions, its first layer has to learn to amplify them.

    It need not learn that. The covariance matrix of all patches has eigenvectors $e_i$, directions
    along which patches vary without being correlated, and eigenvalues $\lambda_i$, how much they
    do. Filters

    $$f_i = \frac{e_i}{\sqrt{\lambda_i + \varepsilon}}$$

    give each direction the same variance. This is *whitening*: like white light, the output has as
    much of everything. The $\varepsilon$ keeps directions with hardly more than noise from
    becoming the loudest.

    ![Twelve filters of two by two pixels. The first two have one color each; then come edges
    between light and dark, edges between colors, and checkers.](
    ../../experiments/pictures/whitening.png "The filters of CIFAR-10, from the direction that
    varies most to the one that varies least")

    * `images` are normalized, of shape `[batch, channels, height, width]`
    * `size` is the side of a patch

    Returns all $f_i$ and, because the activation that follows lets only one side of a number pass,
    all $-f_i$: shape `[2 * channels * size**2, channels, size, size]`.

    >>> _ = torch.manual_seed(0)
    >>> images = torch.randn(50, 3, 8, 8).cumsum(dim=2).cumsum(dim=3)
    >>> white = nn.functional.conv2d(images, whitening_filters(images))[:, :12]
    >>> covariance = white.transpose(0, 1).flatten(1).cov(correction=0)
    >>> bool(torch.allclose(covariance, torch.eye(12), atol=0.2))
    True
    """
    patches = images.unfold(2, size, 1).unfold(3, size, 1)
    # `[batch, channels, rows, columns, size, size]` to one row for each patch
    rows = patches.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(0, 2)
    values, vectors = torch.linalg.eigh(rows.T.cov(correction=0))
    filters = (vectors / (values + 5e-4).sqrt()).T
    filters = filters.view(-1, images.shape[1], size, size)
    return torch.cat([filters, -filters])


def _conv(in_channels: int, out_channels: int, identity: bool) -> nn.Conv2d:
    r"""
    ## Starting as a copy

    A $3 \times 3$ convolution. With `identity`, its first `in_channels` outputs start as copies of
    its inputs: a kernel with a one in the middle and zeros elsewhere. A network of such layers lets
    the image through from the first step on, and gradients back. The
    [residual block](__init__.py#ResidualBlock) gets there by its shortcut, and these layers also
    have it where the channels grow in number and there is none.
    """
    conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
    if identity:
        nn.init.dirac_(conv.weight[:in_channels])
    return conv


def _norm(channels: int) -> nn.BatchNorm2d:
    """
    A normalization that learns biases only. A scale would add little that the next convolution
    cannot do. In a short run its averages have to keep up with the weights, so they remember about
    four steps instead of ten.
    """
    norm = nn.BatchNorm2d(channels, momentum=0.25)
    norm.weight.requires_grad_(False)
    return norm


class Group(Module):
    r"""
    ## A group

    What other networks call a stage. One convolution changes the number of channels, pooling halves
    height and width, and a second convolution computes a residual:

    $$y = x + \mathcal{F}(x)$$

    That is one block of [ResNet](__init__.py), where ResNet-20 has three. Shallow and wide beats
    deep and narrow here: training is short, and the products of matrices are larger.
    """

    def __init__(
        self, in_channels: int, out_channels: int, identity: bool
    ) -> None:
        """
        * `in_channels` is the number of channels in the input
        * `out_channels` is the number of channels in the output
        * `identity` says whether convolutions start as copies
        """
        super().__init__()
        self.conv1 = _conv(in_channels, out_channels, identity)
        self.pool = nn.MaxPool2d(2)
        self.norm1 = _norm(out_channels)
        self.conv2 = _conv(out_channels, out_channels, identity)
        self.norm2 = _norm(out_channels)
        self.activation = nn.GELU()

    def residual(
        self, x: Float[Tensor, "batch out_channels height width"]
    ) -> Float[Tensor, "batch out_channels height width"]:
        r"""This is $\mathcal{F}(x)$, of the same shape as `x`."""
        y: Tensor = self.activation(self.norm2(self.conv2(x)))
        return y

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """
        * `x` has shape `[batch, in_channels, height, width]`

        Returns shape `[batch, out_channels, height / 2, width / 2]`, rounded down.
        """
        x = self.activation(self.norm1(self.pool(self.conv1(x))))
        return x + self.residual(x)


class SpeedNet(Module):
    r"""
    ## The network

    A layer that whitens and learns only its biases, three groups, the maximum of each channel over
    all positions, and a linear layer.
    """

    def __init__(
        self,
        img_channels: int,
        n_classes: int,
        n_channels: Sequence[int] = (64, 256, 256),
        *,
        prepared: bool = True,
    ) -> None:
        """
        * `img_channels` is the number of channels in the image
        * `n_classes` is the number of classes
        * `n_channels` is the number of channels that the groups return
        * `prepared` says whether the first layer is to be whitening and learns only its biases, and
          whether other convolutions start as copies
        """
        super().__init__()
        n_filters = 8 * img_channels
        self.first = nn.Conv2d(img_channels, n_filters, 2)
        self.first.weight.requires_grad_(not prepared)
        self.activation = nn.GELU()
        sizes = [n_filters, *n_channels]
        self.groups = nn.Sequential(
            *(
                Group(before, after, prepared)
                for before, after in pairwise(sizes)
            )
        )
        self.head = nn.Linear(sizes[-1], n_classes, bias=False)

    def forward(
        self, images: Float[Tensor, "batch img_channels height width"]
    ) -> Float[Tensor, "batch n_classes"]:
        """
        * `images` has shape `[batch, img_channels, height, width]`

        Returns logits of shape `[batch, n_classes]`.
        """
        x = self.groups(self.activation(self.first(images)))
        # A maximum is large. Divided, logits start small, and all classes are about as likely.
        logits: Tensor = self.head(x.amax(dim=(2, 3))) / 9
        return logits


class SixViews(Module):
    """
    ## Looking six times

    A cat is a cat in the mirror too, or a pixel further to the left, but a network does not give
    exactly the same answer. After training, we show it every image where it is, and shifted by a
    pixel to the upper left and to the lower right, each with its mirror image, and take the mean of
    the logits. The two views in the middle count for a quarter each, the four shifted ones for an
    eighth. It costs more looks at each image to be measured, and not a single step of training.
    """

    def __init__(self, network: nn.Module) -> None:
        """
        * `network` takes images and returns logits
        """
        super().__init__()
        self.network = network

    def both_sides(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch n_classes"]:
        """
        * `images` has shape `[batch, channels, height, width]`

        Returns the mean of the logits of the images and of their mirror images, of shape
        `[batch, n_classes]`.
        """
        logits: Tensor = self.network(images)
        mirrored: Tensor = self.network(images.flip(3))
        return (logits + mirrored) / 2

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch n_classes"]:
        """
        * `images` has shape `[batch, channels, height, width]`

        Returns logits of shape `[batch, n_classes]`.
        """
        if self.training:
            logits: Tensor = self.network(images)
            return logits
        height, width = images.shape[2:]
        padded = nn.functional.pad(images, (1, 1, 1, 1), mode="reflect")
        down_right = padded[:, :, :height, :width]
        up_left = padded[:, :, 2:, 2:]
        shifted = self.both_sides(down_right) + self.both_sides(up_left)
        return self.both_sides(images) / 2 + shifted / 4


@dataclass(frozen=True)
class SpeedRecipe(Recipe):
    """
    ## The recipe

    That of [every training](../training/loop.py#Recipe), with other batches, another loss and
    another optimizer.
    """

    # The side of the images, and the step before which they have it, in ascending order
    sides: tuple[tuple[int, int], ...]
    # Whether an image is mirrored in every second epoch, instead of at random
    alternate: bool
    # Whether the optimizer is Muon
    muon: bool

    def side(self, step: float) -> int:
        """
        ### Small images first

        The side of the images that `step` sees. What a network learns first is coarse, colors and
        large shapes, and these can be seen on small images, which cost less: with 25 pixels instead
        of 32, three fifths. Nothing in the network depends on the size. The last epochs see images
        as large as those that it will be measured on.
        """
        return next(side for side, end in self.sides if step < end)

    def draw(
        self,
        data: ImageData,
        step: int,
        machine: Machine,
        seen: int | None = None,
    ) -> tuple[
        UInt8[Tensor, "batch channels height width"], Int64[Tensor, "batch"]
    ]:
        r"""
        ### The batch

        The images of `data` for this `step`, of shape `[batch, channels, height, width]`, and their
        labels, of shape `[batch]`: the share of the process on `machine`. `seen` images came before
        them.

        Random mirroring repeats the same side of an image half of the time, so it is left to luck
        when the network sees the other one. When they *alternate*, chance only decides which side
        comes first, and two epochs show both sides of all images.
        """
        n, batch = len(data), self.batch_size
        seen = step * batch if seen is None else seen
        indices = batch_indices(n, batch, step, self.seed, seen)
        crops = Crops.draw(
            batch,
            self.padding,
            self.flip,
            random_generator(self.seed, "crops", step),
        )
        if self.alternate and self.flip:
            first = torch.rand(
                n, generator=random_generator(self.seed, "sides")
            )
            # A batch may end one epoch and begin the next.
            epochs = torch.arange(seen, seen + batch) // n
            mirrored = (first[indices] < 0.5) ^ (epochs % 2 == 1)
            crops = replace(crops, mirrored=mirrored)
        share = machine.share(batch)
        mine = send(indices[share], machine.device)
        images = crops.part(share).cut(data.images[mine])
        return resize(images, self.side(seen / batch)), data.labels[mine]

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        r"""
        ### The optimizer

        For the convolutions of `model`, [Muon](../training/muon.py). The rest is little: the biases
        and the last layer, for plain gradient descent.

        The biases of the normalizations decide which part of a channel the activation lets pass.
        They may move fast; that a rate of 53 for a batch of 1,000 helps in so short a run is a
        finding of those who raced before us. Their rates are for the *sum* of the losses of a
        batch. Ours is the mean, so rates grow with the batch, and so does the part of a weight that
        decays in a step. The rate of Muon is a length, which does not depend on how the loss is
        measured.
        """
        if not self.muon:
            return super().optimizer(model)
        convolutions, biases, heads = [], [], []
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue
            if name.endswith("bias"):
                biases.append(parameter)
            elif parameter.ndim == 4:
                convolutions.append(parameter)
            else:
                heads.append(parameter)
        others = [
            {
                "params": parameters,
                "lr": rate,
                "momentum": 0.85,
                "weight_decay": 2e-6 * self.batch_size / rate,
            }
            for parameters, rate in (
                (biases, 0.053 * self.batch_size),
                (heads, 8e-4 * self.batch_size),
            )
        ]
        return Muon(convolutions, others, self.learning_rate, self.momentum)

    def set_rates(self, optimizer: torch.optim.Optimizer, step: float) -> None:
        """
        With each `step`, all rates of `optimizer` fall together. A group remembers where it began
        as `initial_lr`, the name that PyTorch's own schedules use.
        """
        left = self.rate(step) / self.learning_rate
        for group in optimizer.param_groups:
            group["lr"] = left * group.setdefault("initial_lr", group["lr"])


def resize(
    images: UInt8[Tensor, "batch channels height width"], side: int
) -> UInt8[Tensor, "batch channels {side} {side}"]:
    """
    Returns `images`, bytes of shape `[batch, channels, height, width]`, as squares with this
    `side`. Where they shrink, each pixel is a mean of those it replaces, or fine patterns would
    turn into coarse ones that are not there.
    """
    if images.shape[2:] == (side, side):
        return images
    resized = nn.functional.interpolate(
        images.float(), size=(side, side), mode="bilinear", antialias=True
    )
    return resized.round().byte()


@dataclass(frozen=True)
class SpeedConfig(Config):
    """
    ## The configuration

    The defaults are those of the last step. Data, machine and files are chosen by fields that
    [all experiments have](../runs/config.py#Config).
    """

    # The network: ResNet-20, or the wide one of this page.
    network: Literal["resnet20", "wide"] = "wide"
    # Channels of the three groups of the wide network.
    channels: tuple[int, int, int] = (64, 256, 256)
    # Begin with a layer that whitens, and with convolutions that copy.
    prepared: bool = True
    # Pairs of the side of the images and the epochs for which they have it.
    sides: tuple[tuple[int, float], ...] = ((25, 4.0), (29, 2.5), (32, 3.0))
    # Images in a batch, those of all processes together.
    batch_size: int = 1000
    # The optimizer.
    optimizer: Literal["sgd", "muon"] = "muon"
    # Learning rate at the start; it falls to zero along a straight line.
    learning_rate: float = 0.17
    # How much of its velocity a weight keeps from step to step.
    momentum: float = 0.7
    # Strength of the pull of all weights towards zero, for stochastic gradient descent.
    weight_decay: float = 0
    # Zeros around an image before it is cropped.
    padding: int = 2
    # Mirror images: `never`, at `random`, or in every second epoch (`alternate`).
    flip: Literal["never", "random", "alternate"] = "alternate"
    # How much of the probability goes to all classes alike.
    label_smoothing: float = 0.2
    # Measure with the mean of the logits for six views of an image.
    six_views: bool = True

    def limits(self) -> dict[str, tuple[float, float]]:
        """The lowest and the highest value of each field that is a number."""
        return {
            **super().limits(),
            "channels": (1, 10_000),
            "sides": (0.001, 10_000),
            "batch_size": (1, 10**6),
            # The rates of all groups are parts of the first one, so it cannot be 0.
            "learning_rate": (1e-9, 10**6),
            "momentum": (0, 1),
            "weight_decay": (0, 10**6),
            "padding": (0, 1000),
        }

    def resume_rules(self) -> dict[str, str]:
        """What becomes of each field when a run goes on with another value."""
        return note_others(self, super().resume_rules())

    def result_depends_on(self) -> dict[str, Any]:
        """The fields that decide what comes out of a run. Smooth labels are always one of them."""
        smooth = {"label_smoothing": self.label_smoothing}
        return {**super().result_depends_on(), **smooth}

    def recipe(self, n: int) -> SpeedRecipe:
        """What the training loop needs of it, for `n` images."""
        if not self.sides:
            raise RunFailed("--sides needs at least one pair, got none")
        sides, epochs = [], 0.0
        for side, length in self.sides:
            epochs += length
            sides.append((side, max(round(epochs * n / self.batch_size), 1)))
        return SpeedRecipe(
            steps=sides[-1][1],
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            milestones=(),
            schedule="linear",
            warmup_steps=0,
            warmup_factor=1,
            padding=self.padding,
            flip=self.flip != "never",
            seed=self.seed,
            sides=tuple(sides),
            alternate=self.flip == "alternate",
            extras=self.extras(),
            muon=self.optimizer == "muon",
        )

    def build(self, train: ImageData) -> nn.Module:
        """
        ### The model

        Bytes in, logits out. The seed decides on the weights it starts with, and the first 5,000
        images of `train` on how it whitens.
        """
        if train.channels != 3:
            raise RunFailed(
                "the speed run is for images with 3 channels, got "
                f"{train.channels}; use --data cifar10 or synthetic"
            )
        seed_generators(self.seed, "weights")
        normalize = Normalize(*train.mean_and_std())
        n_classes = len(train.classes)
        network: nn.Module
        if self.network == "resnet20":
            network = cifar_resnet(3)
        else:
            network = SpeedNet(
                train.channels, n_classes, self.channels, prepared=self.prepared
            )
            if self.prepared:
                filters = whitening_filters(normalize(train.images[:5000]))
                biases = torch.zeros(len(filters))
                network.first.load_state_dict(
                    {"weight": filters, "bias": biases}
                )
        if self.six_views:
            network = SixViews(network)
        return nn.Sequential(normalize, network)


# ## The presets
#
# Each is the one before it with one group of things changed, down the table.
RESNET20 = SpeedConfig(
    network="resnet20",
    sides=((32, 2.3),),
    batch_size=128,
    optimizer="sgd",
    learning_rate=0.1,
    momentum=0.9,
    weight_decay=5e-4,
    padding=4,
    flip="random",
    label_smoothing=0,
    six_views=False,
)
WIDE = replace(
    RESNET20, network="wide", prepared=False, sides=((32, 1.25),), padding=2
)
PREPARED = replace(WIDE, prepared=True, sides=((32, 1.3),), learning_rate=0.2)
MUON = replace(
    PREPARED,
    optimizer="muon",
    batch_size=500,
    learning_rate=0.17,
    momentum=0.8,
    weight_decay=0,
)
SMALL_FIRST = replace(MUON, sides=((25, 1.0), (32, 0.65)))
BOTH_SIDES = replace(
    SMALL_FIRST, flip="alternate", label_smoothing=0.2, six_views=True
)

PRESETS = {
    "resnet20": Preset("Where we start: ResNet-20.", RESNET20),
    "wide": Preset("Three residual groups, shallow and wide.", WIDE),
    "prepared": Preset("Whitening, and convolutions that copy.", PREPARED),
    "muon": Preset("Muon instead of gradient descent.", MUON),
    "small-first": Preset("Small images first.", SMALL_FIRST),
    "both-sides": Preset(
        "Alternating mirror images, smooth labels, six views.", BOTH_SIDES
    ),
    "speedrun": Preset("The last step, for longer.", SpeedConfig()),
}


EXPERIMENT = Experiment(
    "labml_nn.resnet.speedrun",
    "Train a residual network as fast as a CPU can.",
    SpeedConfig,
    PRESETS,
    default="speedrun",
    records=Path("experiments/resnet/speedrun"),
)

if __name__ == "__main__":
    sys.exit(EXPERIMENT.main())
