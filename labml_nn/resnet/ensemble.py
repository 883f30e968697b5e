r"""
---
title: What a trained residual network is
summary:
  Delete blocks of trained networks, swap and shuffle them. A plain network fails at once, and a
  residual one goes on, like many short networks.
symbols:
  \mathcal{F}: StochasticDepthBlock.residual
  p_l: StochasticDepthBlock.survival
hook: Take blocks out of a trained network, and see what is left.
pictogram: pictograms/ensemble.svg
papers:
  - title: Residual Networks Behave Like Ensembles of Relatively Shallow Networks
    authors: [Andreas Veit, Michael Wilber, Serge Belongie]
    year: 2016
    arxiv: 1605.06431
  - title: Deep Networks with Stochastic Depth
    authors: [Gao Huang, Yu Sun, Zhuang Liu, Daniel Sedra, Kilian Weinberger]
    year: 2016
    arxiv: 1603.09382
before: "[Residual networks](__init__.py), and [how we train them on digits](degradation.py)."
next: >-
  [Exercises](exercises.py): ten questions about what you have read so far.
---

# What a trained residual network is

In a plain network, each layer works on what the layer before it computes. In a residual network,
each block *adds* something to what it is given. After training, does it still matter which blocks
are there, and in which order? [Veit et al. (2016)](https://arxiv.org/abs/1605.06431) deleted blocks
from trained networks to find out. Handwritten digits are enough to repeat it:

```shell
python -m labml_nn.resnet.ensemble
```

The networks and their training are those of [the degradation problem](degradation.py), with 20
and 56 layers. That makes 9 and 27 blocks of two convolutions. Nothing is trained again after a
change. All accuracies are those on images held out. Each network is trained with three seeds.

## Deleting one block

```chart
caption: Accuracy without one block, for networks of 20 layers
x: block that is deleted
y: accuracy
format: percent
lines:
  - label: plain
    data: ../../experiments/resnet/ensemble.json
    x: plain.20.runs.block
    y: plain.20.runs.one
  - label: residual
    data: ../../experiments/resnet/ensemble.json
    x: residual.20.runs.block
    y: residual.20.runs.one
```

Without any one of its blocks, the plain network guesses. The residual network hardly misses its
last six blocks. In this the measurement agrees with the paper, which compares VGG with a residual
network of 110 layers.

The first two blocks are the exception here: without the first, most answers are wrong. All later
blocks were trained on what it adds. Blocks 4 and 7 change the shape, and there not everything can
be deleted: the padded shortcut is left, with zeros for half of its channels. Block 4 is missed more
than the blocks beside it, and block 7 a little.

## Deleting several

```chart
caption: Accuracy without several blocks, chosen at random ten times for each seed
x: blocks that are deleted
y: accuracy
format: percent
lines:
  - label: plain, 20 layers
    data: ../../experiments/resnet/ensemble.json
    x: plain.20.runs.deleted
    y: plain.20.runs.several
  - label: 20 layers
    data: ../../experiments/resnet/ensemble.json
    x: residual.20.runs.deleted
    y: residual.20.runs.several
  - label: 56 layers
    data: ../../experiments/resnet/ensemble.json
    x: residual.56.runs.deleted
    y: residual.56.runs.several
```

The accuracy of residual networks falls gradually, as that of an ensemble does that loses its
members. The network of 56 layers has three times as many blocks, and loses about as much accuracy
with six of them as that of 20 layers with two.

## Changing the order

Blocks of the same stage have inputs and outputs of the same shape, unless they are the first of
stage 2 or 3. They can change places. We swap each two neighbours, and shuffle all stages at once,
ten times:

```table
rows: ../../experiments/resnet/ensemble.json#networks
columns:
  - head: Network
    value: network
    names:
      plain: plain
      residual: residual
      stochastic: residual, stochastic depth
  - head: Layers
    value: layers
    format: integer
  - head: As trained
    value: runs.whole
    format: percent
  - head: One deleted
    value: runs.one
    format: percent
  - head: Two swapped
    value: runs.swapped
    format: percent
  - head: Shuffled
    value: runs.shuffled
    format: percent
```

A swap costs the residual networks a few percent. So their blocks do not work like the steps of a
program, each on the result of the one before. They rather refine a common result, which most of
them still recognize when it comes a step early or late. Shuffling is another matter. The order is
not arbitrary.

## The unraveled view

Put two blocks into one another, leaving out the ReLU after the addition:

$$x_2 = x_1 + \mathcal{F}_2(x_1) = x_0 + \mathcal{F}_1(x_0) + \mathcal{F}_2(x_0 +
\mathcal{F}_1(x_0))$$

If the residuals are linear, this is a sum over four *paths*, each of which goes through a block or
around it:

>>> _ = torch.manual_seed(0)
>>> f1, f2 = (nn.Linear(3, 3, bias=False) for _ in range(2))
>>> x0 = torch.randn(5, 3)
>>> x1 = x0 + f1(x0)
>>> x2 = x1 + f2(x1)
>>> paths = x0, f1(x0), f2(x0), f2(f1(x0))
>>> torch.allclose(x2, sum(paths), atol=1e-6)
True

Each block doubles the number of paths, so $n$ blocks have $2^n$. To delete a block removes the half
that go through it. In a plain network there is one path, and a deletion cuts it. Real residuals are
not linear. Then $\mathcal{F}_2$ of a sum is not the sum of its values, and the paths are a way to
look at the network rather than an identity.

The length of a path is the number of residuals on it. There are $\binom{n}{k}$ paths of length $k$,
a binomial distribution. Of 27 blocks, nearly all paths go through 9 to 18:

>>> between = sum(math.comb(27, k) for k in range(9, 19))
>>> round(between / 2**27, 2)
0.95

## The paths that carry the gradient

The derivative of a network *is* linear, so a gradient is exactly the sum of what it becomes on all
paths. [Below](#gradients_by_length), it is taken apart by their length. The share of a length is
the norm of its part, divided by the sum of all norms. In trained networks of 56 layers:

```chart
caption: Paths of each length, and the gradient that they bring to the first block
x: residuals on the path
y: share
format: percent
lines:
  - label: paths
    data: ../../experiments/resnet/ensemble.json
    x: residual.56.length
    y: residual.56.paths
  - label: gradient
    data: ../../experiments/resnet/ensemble.json
    x: residual.56.runs.length
    y: residual.56.runs.share
```

Most paths are long, and the gradient comes along short ones, through 2 to 4 residuals in the mean.
There are many more of the longer ones, and yet together they bring less. The authors find the same
on a larger scale: in a network of 110 layers, most of the gradient comes from paths that are only
10 to 34 layers deep. That is how they explain why depth does no harm: gradients do not vanish, as
there are paths that are short enough. The long ones hardly take part.

## Stochastic depth

If a network can do without some of its blocks, why not train it that way? [Huang et al.
(2016)](https://arxiv.org/abs/1603.09382) leave blocks out at random in every step of training, and
none later. [The block](#StochasticDepthBlock) needs a few lines, and this is what becomes of the
curve above:

```chart
caption: Accuracy without several blocks, trained with and without stochastic depth
x: blocks that are deleted
y: accuracy
format: percent
lines:
  - label: 20 layers
    data: ../../experiments/resnet/ensemble.json
    x: residual.20.runs.deleted
    y: residual.20.runs.several
  - label: stochastic depth
    data: ../../experiments/resnet/ensemble.json
    x: stochastic.20.runs.deleted
    y: stochastic.20.runs.several
```

Training has prepared the network for what is done to it, and with half of its blocks deleted it
still gives most of the right answers. As trained, it is no worse than the other. The table above
has it for 56 layers too, where it gains about one percent. There the deletion curve gains less.

## How large residuals are

[He et al. (2015)](https://arxiv.org/abs/1512.03385) measure the standard deviation of the
responses of each layer (figure 7). Those of residual networks are smaller than those of plain ones,
so that a block changes its input only a little, and the deeper the network, the less. Ours:

```chart
caption: Standard deviation of what the normalization of each layer returns
x: layer
y: standard deviation
lines:
  - label: plain, 20 layers
    data: ../../experiments/resnet/ensemble.json
    x: plain.20.runs.layer
    y: plain.20.runs.response
  - label: 20 layers
    data: ../../experiments/resnet/ensemble.json
    x: residual.20.runs.layer
    y: residual.20.runs.response
  - label: 56 layers
    data: ../../experiments/resnet/ensemble.json
    x: residual.56.runs.layer
    y: residual.56.runs.response
```

This does *not* repeat itself. At 20 layers, plain and residual networks have responses of nearly
the same size. A normalization starts with the factor 1, and 400 steps are too few to take it far.
The paper's networks for CIFAR-10 were trained for 64,000 steps.

But a residual need not be small in itself. It is added to what all blocks before it have summed up,
and this sum grows. So compare each residual with what the shortcut brings:

```chart
caption: Norm of the residual, divided by that of what the shortcut brings
x: block
y: ratio
lines:
  - label: 20 layers
    data: ../../experiments/resnet/ensemble.json
    x: residual.20.runs.block
    y: residual.20.runs.relative
  - label: 56 layers
    data: ../../experiments/resnet/ensemble.json
    x: residual.56.runs.block
    y: residual.56.runs.relative
```

Here is what deletion has shown. The first block adds as much as it is given, and it is missed most.
Most later ones add a half in the network of 20 layers, and a third or less in that of 56. The ratio
rises where the shape changes, at blocks 4 and 7 or 10 and 19, and these are missed more than the
blocks beside them.

## What this shows and what it does not

Deletion, swaps and the lengths of paths came out as in the paper, with small networks and small
images. The first block as an exception, and the size of responses, did not.

The word *ensemble* is a comparison. Members of an ensemble are trained on their own, while paths
share their blocks, and no path by itself was ever trained to classify. The last figure suggests a
simpler reason why a deletion does little harm: a late block changes a large sum by a small amount.
"""

import json
import math
import sys
from collections.abc import Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import torch
import tyro
from jaxtyping import Float, Int64
from torch import Tensor, nn

from labml_nn.data import DRAWS, random_generator, seed_generators
from labml_nn.resnet import ResidualBlock, ResNetClassifier, _require
from labml_nn.resnet.degradation import (
    MakeBlock,
    PlainBlock,
    digits_trainer,
    network_of,
)
from labml_nn.training.measuring import evaluate


class StochasticDepthBlock(ResidualBlock):
    r"""
    ## A block that is left out at random

    In training, block $l$ survives a step with probability $p_l$, and $b_l$ is 1 if it does and 0
    if not (equation 2 of [Huang et al. 2016](https://arxiv.org/abs/1603.09382)):

    $$x_{l+1} = \sigma(b_l \, \mathcal{F}(x_l) + x_l)$$

    One $b_l$ is drawn for all images of a batch. When training is over, every block is there, and
    each residual is multiplied by its $p_l$, which is the mean of $b_l$ (equation 5). Dropout in
    its first form did the same to single features.

    >>> _ = torch.manual_seed(0)
    >>> block, x = StochasticDepthBlock(8, 8, 1), torch.rand(2, 8, 4, 4)
    >>> block.survival = 0.5
    >>> left_out = [torch.equal(block(x), x) for _ in range(1000)]
    >>> 450 < sum(left_out) < 550
    True
    >>> _ = block.eval()
    >>> residual = ResidualBlock.residual(block, x)
    >>> torch.equal(block(x), torch.relu(0.5 * residual + x))
    True
    """

    # $p_l$, from 0 to 1.
    survival: float = 1.0

    def residual(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        r"""
        Takes `x` and returns $b_l \, \mathcal{F}(x)$ in training and $p_l \, \mathcal{F}(x)$ after
        it, in the shape of $y$. `ResidualBlock.forward` adds the shortcut.

        The paper skips the computation when $b_l$ is 0, which makes training faster. We multiply,
        which is simpler: every weight has a gradient in every step, if only zero.
        """
        residual = super().residual(x)
        if not self.training:
            return self.survival * residual
        survives = torch.rand((), device=x.device) < self.survival
        return survives * residual


def blocks_of(network: nn.Module) -> list[ResidualBlock]:
    """
    ## The blocks of a network

    Returns the blocks of all stages of `network`, from first to last.

    >>> network = network_of(ResidualBlock, 3)
    >>> blocks = blocks_of(network)
    >>> [i for i, b in enumerate(blocks, 1) if not keeps_shape(b)]
    [4, 7]
    """
    return [m for m in network.modules() if isinstance(m, ResidualBlock)]


def keeps_shape(block: ResidualBlock) -> bool:
    """Whether what leaves `block` has the shape of what enters it."""
    return isinstance(block.shortcut, nn.Identity)


def decay_linearly(network: nn.Module, last: float = 0.5) -> None:
    r"""
    ## Later blocks are left out more often

    Early blocks compute what all later ones build on, so they should be there more often. With $L$
    blocks, the paper lets $p_l$ fall from 1 at the input in a straight line to $p_L$ at the last
    block (equation 4):

    $$p_l = 1 - \frac{l}{L} (1 - p_L)$$

    * `network` has blocks of the class `StochasticDepthBlock`, whose `survival` this sets
    * `last` is $p_L$, 0.5 in the paper

    >>> network = network_of(StochasticDepthBlock, 2)
    >>> decay_linearly(network)
    >>> [round(block.survival, 2) for block in blocks_of(network)]
    [0.92, 0.83, 0.75, 0.67, 0.58, 0.5]

    Raises `ValueError` if `last` is not from 0 to 1.
    """
    _require(0 <= last <= 1, "last must be from 0 to 1", last)
    blocks = [
        m for m in network.modules() if isinstance(m, StochasticDepthBlock)
    ]
    for i, block in enumerate(blocks, 1):
        block.survival = 1 - i / len(blocks) * (1 - last)


# The networks that are compared. Where the shape changes, the shortcut is padded with zeros, so it
# has no weights and can take the place of a block in every network.
NetworkName = Literal["plain", "residual", "stochastic"]
BLOCKS: dict[NetworkName, MakeBlock] = {
    "plain": partial(PlainBlock, shortcut="pad"),
    "residual": partial(ResidualBlock, shortcut="pad"),
    "stochastic": partial(StochasticDepthBlock, shortcut="pad"),
}
# Which are trained, with how many layers. A plain network of 56 layers does not learn enough to
# lose anything.
NETWORKS: tuple[tuple[NetworkName, int], ...] = (
    ("plain", 20),
    ("residual", 20),
    ("stochastic", 20),
    ("residual", 56),
    ("stochastic", 56),
)
SEEDS = (0, 1, 2)
STEPS = 400
# How many times blocks are chosen at random.
CHOICES = 10
RECORD = Path(__file__).parents[2] / "experiments/resnet/ensemble.json"


def make_network(name: NetworkName, layers: int, seed: int) -> ResNetClassifier:
    """
    ## The networks

    * `name` is one of `BLOCKS`
    * `layers` is the number of layers with weights, $6n + 2$ for $n$ blocks in each stage
    * `seed` decides on the weights, which are the same for all names
    """
    seed_generators(seed, "weights")
    network = network_of(BLOCKS[name], (layers - 2) // 6)
    if name == "stochastic":
        decay_linearly(network)
    return network


def without(network: nn.Module, deleted: Collection[int]) -> nn.Module:
    """
    ## Deleting blocks

    * `deleted` holds the numbers of blocks, from 0

    Returns a copy of `network` that has the shortcut in the place of each of these blocks. Where
    the shape stays the same, that is the identity: the block is gone. Where it changes, what is
    left is the padded shortcut, in plain networks too. Nothing is trained again.

    >>> network = network_of(ResidualBlock, 1)
    >>> without(network, {0}).base.stages[0]
    Sequential(
      (0): Identity()
    )
    """
    copy = deepcopy(network)
    put(
        copy,
        [
            b.shortcut if i in deleted else b
            for i, b in enumerate(blocks_of(copy))
        ],
    )
    return copy


def reordered(network: nn.Module, order: Sequence[int]) -> nn.Module:
    """
    ## Changing their order

    * `order` holds the numbers of all blocks, from 0, in their new order

    Returns a copy of `network` with the blocks in this order. Only blocks of the same stage that
    keep the shape can change places.

    >>> network = network_of(ResidualBlock, 2).eval()
    >>> x = torch.randn(2, 1, 8, 8)
    >>> swapped = reordered(network, [1, 0, 2, 3, 4, 5])
    >>> torch.equal(swapped(x), network(x))
    False
    >>> torch.equal(reordered(swapped, [1, 0, 2, 3, 4, 5])(x), network(x))
    True
    """
    copy = deepcopy(network)
    blocks = blocks_of(copy)
    put(copy, [blocks[i] for i in order])
    return copy


def put(network: nn.Module, blocks: Sequence[nn.Module]) -> None:
    """
    Puts `blocks` in the places of those of `network`, from first to last.
    """
    places = [
        (parent, name)
        for parent in network.modules()
        for name, child in parent.named_children()
        if isinstance(child, ResidualBlock)
    ]
    for (parent, name), block in zip(places, blocks, strict=True):
        setattr(parent, name, block)


def free_blocks(network: nn.Module) -> list[list[int]]:
    """
    Returns the numbers of the blocks of `network` that can change places, for each stage.

    >>> free_blocks(network_of(ResidualBlock, 3))
    [[0, 1, 2], [4, 5], [7, 8]]
    """
    groups: dict[int, list[int]] = {}
    for i, block in enumerate(blocks_of(network)):
        if keeps_shape(block):
            groups.setdefault(block.conv1.in_channels, []).append(i)
    return list(groups.values())


def gradients_by_length(
    network: ResNetClassifier,
    images: Float[Tensor, "batch channels height width"],
    labels: Int64[Tensor, "batch"],
) -> Float[Tensor, "lengths batch width height0 width0"]:
    r"""
    ## Gradients along paths of each length

    On its way back, a gradient takes all paths as well. With $J_l$ for the derivative of
    $\mathcal{F}_l$ and $D_l$ for that of the ReLU after the addition, it is multiplied by

    $$D_l (1 + J_l) = D_l + D_l J_l$$

    in each block. The paper samples paths and takes the mean of their gradients' norms. There is no
    need to sample: paths of equal length can be summed up on the way. We carry one gradient for
    each length. A block passes it on as it is, for the paths around it, and multiplied by its
    $J_l$, for those through it, which are longer by one.

    * `network` has learnt, and is in the mode `eval`
    * `images` and `labels` are what the loss is taken of, the sum of the cross-entropies

    Returns gradients at the input of the first block. Item $k$ is the sum over all paths through
    $k$ residuals. Together they are the gradient:

    >>> network = network_of(ResidualBlock, 1).eval()
    >>> images, labels = torch.randn(2, 1, 8, 8), torch.tensor([3, 7])
    >>> parts = gradients_by_length(network, images, labels)
    >>> parts.shape
    torch.Size([4, 2, 8, 8, 8])
    >>> arrived = []
    >>> _ = network.base.act.register_full_backward_hook(
    ...     lambda act, inner, outer: arrived.append(outer[0]))
    >>> loss = nn.functional.cross_entropy(network(images), labels, reduction='sum')
    >>> loss.backward()
    >>> torch.allclose(parts.sum(dim=0), arrived[0], atol=1e-5)
    True
    """
    grad = partial(torch.autograd.grad, retain_graph=True)
    base = network.base
    x = base.pool(base.act(base.bn(base.conv(images))))
    steps = []
    for block in blocks_of(network):
        # Each block is on its own: what leaves one is cut off before it enters the next.
        x = x.detach().requires_grad_()
        residual, shortcut = block.residual(x), block.shortcut(x)
        y = block.act2(residual + shortcut)
        steps.append((x, residual, shortcut, y > 0))
        x = y
    x = x.detach().requires_grad_()
    logits = network.linear(x.mean(dim=(2, 3)))
    loss = nn.functional.cross_entropy(logits, labels, reduction="sum")
    gradients = [*grad(loss, x)]
    for x, residual, shortcut, is_open in reversed(steps):
        # The ReLU after the addition stands on all paths alike.
        gradients = [g * is_open for g in gradients]
        none = [torch.zeros_like(x)]
        through = none + [grad(residual, x, g)[0] for g in gradients]
        around = [grad(shortcut, x, g)[0] for g in gradients] + none
        gradients = [a + b for a, b in zip(through, around, strict=True)]
    return torch.stack(gradients)


def responses(
    network: ResNetClassifier,
    images: Float[Tensor, "batch channels height width"],
) -> tuple[list[float], list[float]]:
    r"""
    ## Responses of layers

    Returns two lists. The first has the standard deviation, over `images`, channels and positions,
    of what the normalization of each convolution in the blocks of `network` returns, before the
    ReLU and before the addition, as in figure 7 of the paper on residual networks. The second has,
    for each block, the norm of the residual divided by that of what the shortcut brings.
    """
    sizes, relative = [], []
    base = network.base
    with torch.no_grad():
        x = base.pool(base.act(base.bn(base.conv(images))))
        for block in blocks_of(network):
            inner = block.bn1(block.conv1(x))
            residual, shortcut = block.residual(x), block.shortcut(x)
            sizes += [inner.std().item(), residual.std().item()]
            relative.append((residual.norm() / shortcut.norm()).item())
            x = block(x)
    return sizes, relative


def measure(name: NetworkName, layers: int, seed: int) -> dict[str, Any]:
    """
    ## One network

    * `name`, `layers` and `seed` are those of `make_network`; the seed also decides on the batches
      and on the blocks that are chosen

    Trains the network and returns what the figures show. Accuracies, from 0 to 1, are those on 360
    images held out: of the `whole` network, with `one` block deleted, for each `block`, with some
    `deleted` at random, which are `several`, and with blocks `swapped` or `shuffled`.
    """
    network = make_network(name, layers, seed)
    trainer, valid = digits_trainer(network, STEPS, seed)
    for _ in range(STEPS):
        trainer.take_step()
    normalize = next(trainer.model.children())

    def accuracy(edited: nn.Module) -> float:
        model = nn.Sequential(normalize, edited)
        return evaluate(model, valid, trainer.machine)[1]

    n, generator = len(blocks_of(network)), random_generator(seed, "choices")

    def chosen(k: int) -> list[int]:
        return torch.randperm(n, generator=generator)[:k].tolist()

    def shuffled() -> list[int]:
        order = list(range(n))
        for free in free_blocks(network):
            mixed = torch.randperm(len(free), generator=generator).tolist()
            for i, j in enumerate(mixed):
                order[free[i]] = free[j]
        return order

    def swapped(a: int, b: int) -> list[int]:
        return [{a: b, b: a}.get(i, i) for i in range(n)]

    neighbours = [
        pair for free in free_blocks(network) for pair in pairwise(free)
    ]
    counts = list(range(0, n + 1, 1 if n < 10 else 3))
    found: dict[str, Any] = {
        "whole": accuracy(network),
        "block": list(range(1, n + 1)),
        "one": [accuracy(without(network, {i})) for i in range(n)],
        "deleted": counts,
        "several": [
            fmean(accuracy(without(network, chosen(k))) for _ in range(CHOICES))
            for k in counts
        ],
        "swapped": fmean(
            accuracy(reordered(network, swapped(*p))) for p in neighbours
        ),
        "shuffled": fmean(
            accuracy(reordered(network, shuffled())) for _ in range(CHOICES)
        ),
        "layer": list(range(1, 2 * n + 1)),
    }
    images = normalize(valid.images)
    found["response"], relative = responses(network, images)
    if name != "plain":
        found["relative"] = relative
        parts = gradients_by_length(network, images, valid.labels)
        norms = parts.flatten(start_dim=2).norm(dim=2)
        shares = (norms / norms.sum(dim=0)).mean(dim=1)
        found["length"] = list(range(n + 1))
        found["share"] = shares.tolist()
    rounded = partial(round, ndigits=4)
    return {"seed": seed} | {
        key: [rounded(v) for v in value]
        if isinstance(value, list)
        else rounded(value)
        for key, value in found.items()
    }


def record() -> dict[str, Any]:
    """
    ## The record

    Returns all that the figures and the table of this page show, and how it was measured. Prints a
    line for each network.
    """
    found: dict[str, Any] = {
        "about": {
            "seeds": list(SEEDS),
            "steps": STEPS,
            "choices": CHOICES,
            "draws": DRAWS,
        },
        **{name: {} for name in BLOCKS},
        "networks": [],
    }
    for name, layers in NETWORKS:
        runs = [measure(name, layers, seed) for seed in SEEDS]
        n = len(runs[0]["block"])
        found[name][str(layers)] = {
            "runs": runs,
            "length": list(range(n + 1)),
            # The share of the paths that have each length: the binomial distribution.
            "paths": [round(math.comb(n, k) / 2**n, 4) for k in range(n + 1)],
        }
        keys = ("whole", "swapped", "shuffled")
        rows = [
            {key: run[key] for key in keys} | {"one": fmean(run["one"])}
            for run in runs
        ]
        found["networks"].append(
            {"network": name, "layers": layers, "runs": rows}
        )
        means = "  ".join(
            f"{key} {fmean(row[key] for row in rows):7.2%}" for key in rows[0]
        )
        print(f"{name:11}{layers:3} layers: {means}", flush=True)
    return found


@dataclass(frozen=True)
class Options:
    """
    ## The command
    """

    # Write what is measured to the file that the figures of the page are drawn from.
    record: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """
    This trains all networks and takes them apart, which takes some minutes. It shows accuracies:

    ```shell
    python -m labml_nn.resnet.ensemble
    python -m labml_nn.resnet.ensemble --record
    ```

    The second one also writes the record. `arguments` are read in place of the command line, if
    there are any. Returns 0.
    """
    options = tyro.cli(
        Options,
        prog="python -m labml_nn.resnet.ensemble",
        description="Take trained residual and plain networks apart.",
        args=arguments,
    )
    # With one thread, sums are always taken in the same order.
    torch.set_num_threads(1)
    found = record()
    if options.record:
        RECORD.parent.mkdir(parents=True, exist_ok=True)
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"Wrote {RECORD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
