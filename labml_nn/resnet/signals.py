r"""
---
title: Signals and gradients before training
summary:
  What up to 200 plain, residual and pre-activation blocks do to signals and gradients before the
  first step of training.
hook: Watch a gradient explode in 200 blocks, and see what tames it.
pictogram: pictograms/signals.svg
papers:
  - title: Identity Mappings in Deep Residual Networks
    authors: [Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun]
    year: 2016
    arxiv: 1603.05027
  - title: A Mean Field Theory of Batch Normalization
    authors:
      [Greg Yang, Jeffrey Pennington, Vinay Rao, Jascha Sohl-Dickstein, Samuel S. Schoenholz]
    year: 2019
    arxiv: 1902.08129
before: "[Pre-activation](preactivation.py), whose equations are put to the test here."
next: >-
  [Exercises](exercises.py): ten questions about what you have read so far.
---

# Signals and gradients before training

[Equations](preactivation.py) say what can happen. What does happen in a network with fresh weights?
We stack up to 200 equal blocks of 16 channels, without stages, and show them 32 images of random
numbers. Four kinds of networks get the very same weights:

* **plain** is the first paper's block without its shortcut,
  [`PlainBlock`](degradation.py#PlainBlock),
* **scaled** is the block of pre-activation with a factor $\lambda = 0.5$ on the shortcut,
  `ScaledBlock`,
* **post-activation** is the first paper's block, `ResidualBlock`,
* **pre-activation** is the block of the second paper, `PreActivationBlock`.

All numbers are geometric means over five seeds. For the gradients of the residual networks the
seeds differ by less than a third. For those of deep plain networks they differ by a factor of up to
3,400, and even that is little beside what you will see.

## The signal on its way up

By the size of a signal we mean the root of its mean square.

```chart
caption: The size of the signal that leaves a network, against its depth.
x: blocks
y: size of the signal
y_scale: log
lines:
  - label: plain
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: normalized.plain.signal
  - label: scaled
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: normalized.scaled.signal
  - label: post-activation
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: normalized.post.signal
  - label: pre-activation
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: normalized.pre.signal
```

On its way up nothing seems wrong with the plain network. Each block ends with a normalization and a
ReLU. One makes the mean square 1, the other halves it, so the size is $\sqrt{1/2} \approx 0.71$
after any number of blocks. In both residual networks the signal grows. Every block adds a residual
of size 1 or so, and squares add up: $\sqrt{1/2 + L}$ would be 14.2 for 200 blocks, and the
pre-activation network has 13.6. With the factor 0.5 the signal stays near 1.

## The gradient on its way down

Now send a random gradient of norm 1 back from the last block. What is its norm when it arrives at
the first?

```chart
caption: The norm of a gradient that had norm 1 at the last block, when it arrives at the first.
x: blocks
y: norm of the gradient
y_scale: log
lines:
  - label: plain
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: normalized.plain.gradient
  - label: scaled
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: normalized.scaled.gradient
  - label: post-activation
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: normalized.post.gradient
  - label: pre-activation
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: normalized.pre.gradient
```

In the plain network it grows by 36 % with every block, to $5 \cdot 10^{26}$. Vanishing gradients
are what deep networks are notorious for, but these explode, and normalization makes them do so.
Think of a wide layer. Its normalization puts out numbers with mean 0 and variance 1, roughly normal
ones. The ReLU leaves them a mean square of $1/2$ and a mean of $1/\sqrt{2\pi}$, hence a variance of
$1/2 - 1/(2\pi)$. The next convolution, with the weights it starts with, doubles that to
$(\pi - 1)/\pi \approx 0.68$, and the next normalization divides by the root of it to get back
to 1. On the way down, ReLU and convolution together keep the norm of the gradient, and the division
by less than 1 enlarges it:

>>> from math import pi
>>> round((pi / (pi - 1)) ** 0.5, 2)
1.21

So much for one layer; a block of two makes it 1.47. [Yang et al.
(2019)](https://arxiv.org/abs/1902.08129) derive such growth for wide fully connected networks, and
find that neither other initial variances nor another activation function can prevent it. Our stacks
have less, 1.36. One reason is the zeros around the small feature maps: with convolutions that wrap
around instead, the first ten blocks come to 1.46.

In the residual networks the gradient grows too, but only in proportion to the depth, to 130 and
236. Why do these not explode? Their normalizations divide by the size of a signal that grows like
$\sqrt{l}$. So they shrink the gradient that comes through the weights of block $l$, which raises
the squared norm by only a fraction $c/l$. The product of all $1 + c/l$ grows like a power of the
depth, not exponentially. The growing signal, which looked worse in the first figure, is what tames
the second. [De and Smith (2020)](https://arxiv.org/abs/2002.10444) examine this effect.

The network with the factor 0.5 shows it from the other side. Its direct path carries
$0.5^{200} \approx 6 \cdot 10^{-61}$, next to nothing. But its signal does not grow either, so what
comes through the weights explodes nearly as in the plain network. In the paper's table 1, these two
are among those that fail.

### Nearly the identity

Is one half too far from 1? Here is the same gradient for other factors:

```chart
caption: The norm of the gradient at the first block, for factors on the shortcut from 0.5 to 1.
x: factor on the shortcut
y: norm of the gradient
y_scale: log
lines:
  - label: 20 blocks
    data: ../../experiments/resnet/signal.json
    x: scales
    y: by_scale.20
  - label: 60 blocks
    data: ../../experiments/resnet/signal.json
    x: scales
    y: by_scale.60
  - label: 200 blocks
    data: ../../experiments/resnet/signal.json
    x: scales
    y: by_scale.200
```

Through 20 blocks, 0.95 is as good as 1. Through 200 blocks it makes the gradient 300 times larger,
and 0.9 makes it 200,000 times larger. With a factor $\lambda < 1$ the signal stops growing at about
$1/\sqrt{1 - \lambda^2}$:

>>> [round((1 - scale**2) ** -0.5, 1) for scale in (0.5, 0.9, 0.95)]
[1.2, 2.3, 3.2]

From there on, every block multiplies the gradient by the same number, which is greater than 1. Only
with the factor 1 does the signal keep growing, and what a block adds to the gradient keep
shrinking.

What enlarges gradients also enlarges differences. Change the signal that enters the first block by
a millionth of its size. After 60 blocks, the two signals of the plain network differ by 85 % of
their size and have little to do with each other. After 200 blocks of pre-activation, they still
differ by a hundred-thousandth.

## The direct path

So far the two residual networks look much the same. What tells them apart is the direct path of
[equation 5](preactivation.py#a-network-that-adds-up). In the first paper's block it leads through a
ReLU, which is open where its output is positive. The path of a number in $x_l$ is open only if
every ReLU on it is:

```chart
caption: The share of the direct path that is open from the first to the last block.
x: blocks
y: open share
y_scale: log
lines:
  - label: post-activation
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: normalized.post.open
  - label: pre-activation
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: normalized.pre.open
```

Through 20 of the first paper's blocks 19 % of it is open, through 200 blocks 6 %. With
pre-activation all of it is, always. This fits what the paper finds in training: the ReLU does
little harm to a network of 164 layers, and much to one of 1001 (section 4.2).

## Without normalization

Finally, let us take all normalizations out.

```chart
caption: The size of the signal in networks without normalization.
x: blocks
y: size of the signal
y_scale: log
lines:
  - label: plain
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: bare.plain.signal
  - label: post-activation
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: bare.post.signal
  - label: pre-activation
    data: ../../experiments/resnet/signal.json
    x: blocks
    y: bare.pre.signal
```

The plain network keeps its signal only on average over all weights that it might have started with.
With 16 channels and zeros at the borders, about a sixth is lost in each block, nothing restores it,
and after 200 blocks $5 \cdot 10^{-16}$ is left. In the residual networks it is the other way round.
Each block adds a residual not much smaller than its input, and the signal grows exponentially. With
these initial weights, shortcuts on their own do no better than normalization on its own. They can
do without it if the residuals start small: [Fixup](https://arxiv.org/abs/1901.09321) and
[SkipInit](https://arxiv.org/abs/2002.10444) train such networks.

## What this shows and what it does not

No network has been trained here, so these figures show no error and not degradation itself. They
show where training begins. For a deep plain network that is a bad place: hardly any learning rate
suits a first and a last block whose gradients are so far apart. But Yang et al. report that a
single step of training makes these differences much smaller, so this is not the whole story. The
first paper doubts that degradation comes from *vanishing* gradients (its section 4.1). As far as
these stacks go, that is right: with normalization, none of them vanishes.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, geometric_mean
from typing import Any, Literal

import torch
import tyro
from torch import nn

from labml_nn.data import DRAWS, seed_generators
from labml_nn.resnet import ResidualBlock, _conv, _require, _require_positive
from labml_nn.resnet.degradation import PlainBlock
from labml_nn.resnet.preactivation import PreActivationBlock, ScaledBlock

# The networks that are measured, by the names they have in the record.
NetworkName = Literal["plain", "scaled", "post", "pre"]
BLOCKS: dict[NetworkName, type[ResidualBlock | PreActivationBlock]] = {
    "plain": PlainBlock,
    "scaled": ScaledBlock,
    "post": ResidualBlock,
    "pre": PreActivationBlock,
}
# A stack has as many channels as the first stage of the networks for CIFAR-10, and feature maps as
# small as in the last, so that everything is measured in a minute or two.
CHANNELS, SIZE, BATCH = 16, 8, 32
# Depths in blocks, and the seeds over which we take the mean.
DEPTHS = (1, *range(20, 201, 20))
SEEDS = (0, 1, 2, 3, 4)
# Factors on the shortcut, and the depths at which they are compared.
SCALES = tuple(percent / 100 for percent in range(50, 101, 5))
SCALED_DEPTHS = (20, 60, 200)
RECORD = Path(__file__).parents[2] / "experiments" / "resnet" / "signal.json"


def make_stack(
    network: NetworkName,
    n_blocks: int,
    *,
    normalized: bool = True,
    scale: float = 0.5,
) -> nn.Sequential:
    """
    ## A stack of equal blocks

    * `network` is one of `BLOCKS`
    * `n_blocks` is the number of blocks
    * `normalized` says whether to keep the normalizations
    * `scale` is the factor on the shortcuts of the scaled network

    Returns a stem and the blocks. The stem is the first paper's, with normalization and ReLU, so
    that all networks begin with the same signal. All blocks draw the weights of their
    convolutions in the same order, so after the same seed the weights are the same too, and a
    lower stack is the beginning of a higher one.

    Raises `ValueError` for an unknown network and for fewer blocks than 1.
    """
    _require(
        network in BLOCKS, f"network must be one of {list(BLOCKS)}", network
    )
    _require_positive(n_blocks=n_blocks)
    stem = nn.Sequential(
        _conv(3, CHANNELS, 3), nn.BatchNorm2d(CHANNELS), nn.ReLU()
    )
    block = BLOCKS[network]
    stack = nn.Sequential(
        stem, *(block(CHANNELS, CHANNELS, 1) for _ in range(n_blocks))
    )
    for module in stack:
        if isinstance(module, ScaledBlock):
            module.scale = scale
    if not normalized:
        for module in list(stack.modules()):
            for name, layer in list(module.named_children()):
                if isinstance(layer, nn.BatchNorm2d):
                    setattr(module, name, nn.Identity())
    return stack


@dataclass(frozen=True)
class Measurement:
    """
    ## What is measured
    """

    # The root of the mean square of what leaves the last block.
    signal: float
    # The norm of a gradient at the input of the first block, if it had norm 1 at the output of the
    # last.
    gradient: float
    # The share of the direct path that no ReLU has closed.
    open: float


def measure(
    network: NetworkName,
    n_blocks: int,
    seed: int,
    *,
    normalized: bool = True,
    scale: float = 0.5,
) -> Measurement:
    """
    ## Measuring one network

    * `network`, `n_blocks`, `normalized` and `scale` are those of `make_stack`
    * `seed` decides on the images, the weights and the gradient

    Normalizations use the statistics of the batch, as in training. Raises `ValueError` as
    `make_stack` does.

    >>> plain, pre = (measure(name, 10, seed=0) for name in ('plain', 'pre'))
    >>> round(plain.signal, 1), round(pre.signal, 1)
    (0.7, 3.0)
    >>> round(plain.gradient), round(pre.gradient)
    (26, 8)
    """
    seed_generators(seed, "signals")
    images = torch.randn(BATCH, 3, SIZE, SIZE)
    stack = make_stack(network, n_blocks, normalized=normalized, scale=scale)
    stem, *blocks = stack.requires_grad_(False)
    start = stem(images).requires_grad_()
    x = start
    is_open = torch.full_like(start, network != "plain", dtype=torch.bool)
    for block in blocks:
        x = block(x)
        # The first paper's block is the only one with a ReLU on its direct path. The ReLU lets the
        # gradient pass where its output is positive.
        if network == "post":
            is_open &= x > 0
    sent = torch.randn_like(x)
    (arrived,) = torch.autograd.grad(x, start, sent / sent.norm())
    # Squares are taken in double precision. Without normalization some are too large or too small
    # for single precision.
    return Measurement(
        signal=x.double().square().mean().sqrt().item(),
        gradient=arrived.double().norm().item(),
        open=is_open.double().mean().item(),
    )


def curve(
    network: NetworkName, depths: Sequence[int], *, normalized: bool = True
) -> dict[str, list[float]]:
    """
    ## Measuring against depth

    * `network` and `normalized` are those of `make_stack`
    * `depths` is the numbers of blocks

    Returns one list for each field of `Measurement`, with the mean over the seeds for each depth,
    and the least and the greatest gradient among the seeds. Raises `ValueError` as `make_stack`
    does.

    Four digits are kept. In deep plain networks even those depend on the machine, as rounding
    errors grow there like any other difference.
    """
    runs = [
        [measure(network, n, seed, normalized=normalized) for seed in SEEDS]
        for n in depths
    ]
    found = {
        # Sizes and norms spread over orders of magnitude. An ordinary mean would show only the
        # largest of them.
        "signal": [geometric_mean(m.signal for m in ms) for ms in runs],
        "gradient": [geometric_mean(m.gradient for m in ms) for ms in runs],
        "least_gradient": [min(m.gradient for m in ms) for ms in runs],
        "greatest_gradient": [max(m.gradient for m in ms) for ms in runs],
        "open": [fmean(m.open for m in ms) for ms in runs],
    }
    return {
        name: [float(f"{value:.4g}") for value in values]
        for name, values in found.items()
    }


def scale_curve(n_blocks: int) -> list[float]:
    """
    ## Measuring against the factor on the shortcut

    * `n_blocks` is the number of blocks

    Returns the gradient of the scaled network for each of `SCALES`, as `curve` does.
    """
    runs = [
        [measure("scaled", n_blocks, seed, scale=scale) for seed in SEEDS]
        for scale in SCALES
    ]
    means = [geometric_mean(m.gradient for m in ms) for ms in runs]
    return [float(f"{value:.4g}") for value in means]


def record() -> dict[str, Any]:
    """
    ## The record

    Returns all that the figures of this page show, and how it was measured.
    """
    # Without normalization, signals show all there is to see.
    bare: tuple[NetworkName, ...] = ("plain", "post", "pre")
    return {
        "about": {
            "channels": CHANNELS,
            "size": SIZE,
            "batch": BATCH,
            "seeds": list(SEEDS),
            "draws": DRAWS,
        },
        "blocks": list(DEPTHS),
        "normalized": {name: curve(name, DEPTHS) for name in BLOCKS},
        "bare": {
            name: {"signal": curve(name, DEPTHS, normalized=False)["signal"]}
            for name in bare
        },
        "scales": list(SCALES),
        "by_scale": {str(n): scale_curve(n) for n in SCALED_DEPTHS},
    }


@dataclass(frozen=True)
class Options:
    """
    ## The command
    """

    # Write what is measured to the file that the figures of the page are drawn from.
    record: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """
    This measures everything, which takes a minute or two, and shows the gradients:

    ```shell
    python -m labml_nn.resnet.signals
    python -m labml_nn.resnet.signals --record
    ```

    The second one also writes the record. `arguments` are read in place of the command line, if
    there are any. Returns 0.
    """
    options = tyro.cli(
        Options,
        prog="python -m labml_nn.resnet.signals",
        description="Measure signals and gradients in deep networks.",
        args=arguments,
    )
    # With one thread, sums are always taken in the same order.
    torch.set_num_threads(1)
    found = record()
    for name, values in found["normalized"].items():
        for n, norm in zip(found["blocks"], values["gradient"], strict=True):
            print(f"{name:8}{n:4} blocks: gradient {norm:9.4g}")
    if options.record:
        RECORD.parent.mkdir(parents=True, exist_ok=True)
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"Wrote {RECORD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
