r"""
---
title: Pre-activation ResNet
summary:
  Why a shortcut should be left alone, the blocks that do so, and what 200 of them do to signals
  and gradients, measured.
symbols:
  \mathcal{F}: PreActivation.residual
  \hat{f}: PreActivation.activate
  \lambda: ScaledBlock.scale
hook: Leave the shortcut alone, and signals survive 200 blocks.
pictogram: pictograms/preactivation.svg
papers:
  - title: Identity Mappings in Deep Residual Networks
    authors: [Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun]
    year: 2016
    arxiv: 1603.05027
before: "[Residual networks](__init__.py), and the chain rule."
next: >-
  [Bugs in residual blocks](pitfalls.py): what happens to a signal when a block is nearly right.
  [What a trained residual network is](ensemble.py): blocks are deleted, and it goes on.
---

# Pre-activation ResNet

This page explains and implements [Identity Mappings in Deep Residual
Networks](https://arxiv.org/abs/1603.05027) by Kaiming He, Xiangyu Zhang, Shaoqing Ren and Jian Sun
(2016). A few months after [their first paper](__init__.py), the authors of ResNet ask what exactly
makes it work. Their answer is a shortcut that nothing touches. To get one, they take the layers of
the residual block and change their order.

The first paper's block meets a familiar trouble when enough of them are stacked: a network with
1001 layers is worse than one with 164. The new order fixes this. These are test errors on CIFAR-10,
medians of five runs (table 3):

| network | first paper's block | pre-activation |
|---|---|---|
| ResNet-110 | 6.61 % | 6.37 % |
| ResNet-164 | 5.93 % | 5.46 % |
| ResNet-1001 | 7.61 % | 4.92 % |

With batches of 64 images instead of 128, the last network comes to 4.62 % (table 4).

First comes the paper's derivation. Then a measurement: what plain and residual networks do to a
signal on its way up and to a gradient on its way down, through as many as 200 blocks. The code of
the blocks, the networks and the measurement follows.

## A network that adds up

Let $x_l$ be what enters block $l$, and $x_{l+1}$ what leaves it. Every residual block has this form
(equations 1 and 2):

$$y_l = h(x_l) + \mathcal{F}(x_l, W_l), \qquad x_{l+1} = f(y_l)$$

Here $h$ is the shortcut, and $f$ is whatever follows the addition. In the first paper $h$ is the
identity and $f$ is a ReLU. Suppose that *both* are the identity. Then a block only adds
(equation 3):

$$x_{l+1} = x_l + \mathcal{F}(x_l, W_l)$$

Put such equations into one another up to some later block $L$ (equation 4):

$$x_L = x_l + \sum_{i=l}^{L-1} \mathcal{F}(x_i, W_i)$$

So what enters block $L$ is what entered any earlier block, plus a *sum*. In a plain network,
leaving out normalization and ReLU, it is $x_l$ times a *product* of matrices. A sum grows with the
number of its terms. A product of many factors grows or shrinks exponentially, unless the factors
happen to balance.

The gradient inherits this. For a loss $\mathcal{E}$ the chain rule gives, with $1$ for the identity
matrix (equation 5),

$$\frac{\partial \mathcal{E}}{\partial x_l} = \frac{\partial \mathcal{E}}{\partial x_L} \left( 1 +
\frac{\partial}{\partial x_l} \sum_{i=l}^{L-1} \mathcal{F}(x_i, W_i) \right)$$

The first term is the *direct path*: the gradient at block $L$ arrives at block $l$ unchanged, and
has met no weight on its way. The second term comes through the weights. For the gradient to vanish,
the second would have to cancel the first for all images of a batch, which the authors find
unlikely. Mind what the equation does *not* say. It has no bound for the second term, so it does not
keep gradients from growing.

## A shortcut that scales

What if $h$ is not quite the identity? The simplest change is to multiply by a number (equation 6):

$$x_{l+1} = \lambda_l x_l + \mathcal{F}(x_l, W_l)$$

Put these into one another, and let $\hat{\mathcal{F}}$ be a residual times all factors that come
after it. Then (equations 7 and 8)

$$x_L = \left( \prod_{i=l}^{L-1} \lambda_i \right) x_l
+ \sum_{i=l}^{L-1} \hat{\mathcal{F}}(x_i, W_i)$$

$$\frac{\partial \mathcal{E}}{\partial x_l} = \frac{\partial \mathcal{E}}{\partial x_L} \left(
\prod_{i=l}^{L-1} \lambda_i + \frac{\partial}{\partial x_l} \sum_{i=l}^{L-1}
\hat{\mathcal{F}}(x_i, W_i) \right)$$

The product is back, and it stands on the direct path. ResNet-110 has 54 blocks. This is what
factors just below and just above 1 leave after them:

>>> [round(scale**54, 4) for scale in (0.9, 1.0, 1.1)]
[0.0034, 1.0, 171.8719]

A gate, a dropout or a $1 \times 1$ convolution on the shortcut puts its own factor into the
product. The paper trains ResNet-110 with each of them (section 3.1), and says that a run fails if
its error is above 20 % (table 1):

| on the shortcut | test error |
|---|---|
| the identity | 6.61 % |
| nothing, which makes a plain network | fails |
| the factor 0.5 | fails |
| the factor 0.5, and also on the residual | 12.35 % |
| a learned gate that starts at 0.5 | 12.86 % |
| the same gate, starting at 0.998 | 6.91 % |
| a $1 \times 1$ convolution | 12.22 % |
| dropout with probability 0.5 | fails |

The gate and the convolution could *learn* to be the identity, so these networks can express what
the first one can, and yet they are harder to train. That is degradation once more. It comes from
optimization, not from a lack of expressiveness (section 3.2). The gate shows it best: the closer to
the identity it starts, the less it costs.

## Nothing after the addition

There remains $f$. A ReLU after the addition cuts off what is negative, on the direct path too. The
paper tries several orders of the same layers (section 4.1; table 2):

| order | ResNet-110 | ResNet-164 |
|---|---|---|
| the first paper's, with a ReLU after the addition | 6.61 % | 5.93 % |
| normalization and ReLU after the addition | 8.17 % | 6.50 % |
| ReLU before the addition, nothing after it | 7.84 % | 6.14 % |
| ReLU before each convolution, normalization after it | 6.71 % | 5.91 % |
| normalization and ReLU before each convolution | 6.37 % | 5.46 % |

The second row goes the wrong way on purpose: now the normalization rescales the shortcut as well,
and the result is worse. The third row does free the shortcut. But there a residual comes from a
ReLU and cannot be negative, so that from block to block values only grow.

The last two rows rest on a change of view. What follows the addition acts on *both* paths of the
next block. Let it act on the residual only, and call it $\hat{f}$ (equation 9):

$$x_{l+1} = x_l + \mathcal{F}(\hat{f}(x_l), W_l)$$

What was the activation *after* the addition in one block is now the activation *before* the
convolutions in the next. In a plain network these would be two names for the same thing. The
addition makes the difference: with $\hat{f}$ on the residual's side of it, nothing is left on the
direct path, and equations 4 and 5 hold exactly.

The last row has a second benefit (section 4.2). In the first paper's block the normalized residual
is added to a shortcut that is not normalized, and the sum goes into the next convolution as it is.
In the new block, whatever enters a convolution has just been normalized. The authors presume that
this regularizes: with 110 and 164 layers the training loss ends slightly *higher*, and the test
error lower.

## Measured: 200 blocks before training

Equations say what can happen. What does happen in a network with fresh weights? We stack up to 200
equal blocks of 16 channels, without stages, and show them 32 images of random numbers. Four kinds
of networks get the very same weights:

* **plain** is the first paper's block without its shortcut,
  [`PlainBlock`](degradation.py#PlainBlock),
* **scaled** is the block of this page with $\lambda = 0.5$, `ScaledBlock`,
* **post-activation** is the first paper's block, `ResidualBlock`,
* **pre-activation** is the block of this page, `PreActivationBlock`.

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

What enlarges gradients also enlarges differences. Change the signal that enters the first block by
a millionth of its size. After 60 blocks, the two signals of the plain network differ by 85 % of
their size and have little to do with each other. After 200 blocks of pre-activation, they still
differ by a hundred-thousandth.

## The direct path

So far the two residual networks look much the same. What tells them apart is the direct path of
equation 5. In the first paper's block it leads through a ReLU, which is open where its output is
positive. The path of a number in $x_l$ is open only if every ReLU on it is:

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
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, geometric_mean
from typing import Any, Literal

import torch
import tyro
from jaxtyping import Float
from labml_helpers.module import Module
from torch import Tensor, nn

from labml_nn.data import DRAWS, seed_generators
from labml_nn.resnet import (
    ResidualBlock,
    ShortcutKind,
    _conv,
    _require,
    _require_positive,
    make_shortcut,
)
from labml_nn.resnet.degradation import PlainBlock


class PreActivation(Module, ABC):
    r"""
    ## Activate, then split

    This is what all pre-activation blocks share: an activation $\hat{f}$, a residual
    $\mathcal{F}$, and a shortcut around both (equation 9). Which layers compute the residual is
    left to the two classes below.

    The shortcut begins *before* the activation, at $x_l$ itself. The paper has two exceptions
    (appendix), in which it begins after the activation:

    * **The first block of the network.** Its $x_l$ comes from a single convolution that no
      activation has followed yet. So $\hat{f}$ follows it, and only then do the paths part.
    * **Projections.** A projection is on the direct path in any case. Like every other convolution,
      it now gets an input that has been normalized. As in the code that the authors
      [released](https://github.com/KaimingHe/resnet-1k-layers), no normalization follows it.

    Where a *padded* shortcut begins the paper does not say. We let it begin at $x_l$, so that from
    the first block's activation on the direct path leads through the whole network, and meets no
    weight and no ReLU. Equation 4 then holds across stages too, with $x_l$ padded.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        shortcut: ShortcutKind,
        first: bool,
    ) -> None:
        r"""
        * `in_channels` is the number of channels in $x_l$
        * `out_channels` is the number of channels in $x_{l+1}$
        * `stride` is the stride of the layers that the shortcut bypasses
        * `shortcut` is what to use where the shape changes, `'projection'` or `'pad'`
        * `first` says that this is the first block of a network

        Raises `ValueError` if a number is less than 1 or `shortcut` is unknown.
        """
        super().__init__()
        _require_positive(
            in_channels=in_channels, out_channels=out_channels, stride=stride
        )
        # The activation works on what comes in. In the first paper's block every normalization
        # works on what a convolution has just put out.
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.act1 = nn.ReLU()
        # The identity and the padding are those of the first paper. The projection is a bare
        # convolution.
        projects = shortcut == "projection" and (
            stride > 1 or in_channels != out_channels
        )
        self.shortcut = (
            _conv(in_channels, out_channels, 1, stride)
            if projects
            else make_shortcut(in_channels, out_channels, stride, shortcut)
        )
        # The two exceptions.
        self.shortcut_is_activated = first or projects

    def activate(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch in_channels height width"]:
        r"""This is $\hat{f}(x_l)$ for $x_l$ in `x`. It keeps the shape."""
        x = self.act1(self.bn1(x))
        return x

    @abstractmethod
    def residual(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        r"""
        This is $\mathcal{F}$, computed from `x`, which is what `activate` returns. Its shapes are
        those of `forward`.
        """

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        r"""
        * `x` is $x_l$, of shape `[batch, in_channels, height, width]`

        Returns $x_{l+1}$ of shape `[batch, out_channels, height / stride, width / stride]`, rounded
        up. Nothing follows the addition.
        """
        activated = self.activate(x)
        start = activated if self.shortcut_is_activated else x
        y: Tensor = self.shortcut(start) + self.residual(activated)
        return y


class PreActivationBlock(PreActivation):
    r"""
    ## Pre-activation block

    ![A pre-activation block: x runs through bn1, act1, conv1, bn2, act2 and conv2 to the addition;
    the shortcut carries x around them, and nothing follows the sum
    y.](preactivation-block.svg)

    These are the layers of the first paper's `ResidualBlock`, with the same names and in another
    order. Each convolution now comes after its normalization and its ReLU.

    The residual ends with a convolution, so it may be negative or positive. If the weights of that
    convolution are zero, the block is the identity, for *all* $x$. The first paper's block can be
    that only for $x \ge 0$.

    >>> _ = torch.manual_seed(0)
    >>> block = PreActivationBlock(16, 16, stride=1)
    >>> _ = nn.init.zeros_(block.conv2.weight)
    >>> x = torch.randn(2, 16, 8, 8, requires_grad=True)
    >>> y = block(x)
    >>> torch.equal(y, x)
    True
    >>> y.sum().backward()
    >>> torch.equal(x.grad, torch.ones_like(x))
    True
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        shortcut: ShortcutKind = "projection",
        first: bool = False,
    ) -> None:
        r"""
        * `in_channels` is the number of channels in $x_l$
        * `out_channels` is the number of channels in $x_{l+1}$
        * `stride` is the stride of the first convolution
        * `shortcut` and `first` are those of `PreActivation`

        Raises `ValueError` if a number is less than 1 or `shortcut` is unknown.
        """
        super().__init__(in_channels, out_channels, stride, shortcut, first)
        # As in the first paper, the first convolution changes the number of channels and takes the
        # stride.
        self.conv1 = _conv(in_channels, out_channels, 3, stride)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.act2 = nn.ReLU()
        # Neither a normalization nor a ReLU follows this one. The next block begins with both.
        self.conv2 = _conv(out_channels, out_channels, 3)

    def residual(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        r"""This is $\mathcal{F}$ of `x`, see `PreActivation.residual`."""
        x = self.conv1(x)
        x = self.conv2(self.act2(self.bn2(x)))
        return x


class PreActivationBottleneckBlock(PreActivation):
    r"""
    ## Pre-activation bottleneck block

    ResNet-164 and ResNet-1001 are made of these. Again the layers are those of the first paper's
    bottleneck, and all activations have moved to the front of their convolutions.
    """

    def __init__(
        self,
        in_channels: int,
        bottleneck_channels: int,
        out_channels: int,
        stride: int,
        *,
        shortcut: ShortcutKind = "projection",
        first: bool = False,
    ) -> None:
        r"""
        * `in_channels` is the number of channels in $x_l$
        * `bottleneck_channels` is the number of channels inside; in the paper it is a quarter of
          `out_channels`
        * `out_channels` is the number of channels in $x_{l+1}$
        * `stride` is the stride of the $3 \times 3$ convolution
        * `shortcut` and `first` are those of `PreActivation`

        Raises `ValueError` if a number is less than 1 or `shortcut` is unknown.
        """
        super().__init__(in_channels, out_channels, stride, shortcut, first)
        _require_positive(bottleneck_channels=bottleneck_channels)
        # Reduce.
        self.conv1 = _conv(in_channels, bottleneck_channels, 1)
        # Look at the neighbourhood. To have the stride here is our choice, as it is on
        # [the first page](__init__.py#BottleneckResidualBlock). The released code has it in
        # `conv1`.
        self.bn2 = nn.BatchNorm2d(bottleneck_channels)
        self.act2 = nn.ReLU()
        self.conv2 = _conv(bottleneck_channels, bottleneck_channels, 3, stride)
        # Restore.
        self.bn3 = nn.BatchNorm2d(bottleneck_channels)
        self.act3 = nn.ReLU()
        self.conv3 = _conv(bottleneck_channels, out_channels, 1)

    def residual(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        r"""This is $\mathcal{F}$ of `x`, see `PreActivation.residual`."""
        x = self.conv1(x)
        x = self.conv2(self.act2(self.bn2(x)))
        x = self.conv3(self.act3(self.bn3(x)))
        return x


class PreActivationResNet(Module):
    r"""
    ## The networks for CIFAR-10

    A stem of one convolution, three stages of $n$ blocks for feature maps of $32 \times 32$,
    $16 \times 16$ and $8 \times 8$, and a linear layer: from outside these are the networks of the
    [first paper](__init__.py#cifar_resnet). With two convolutions in a block they have $6n + 2$
    layers, and 16, 32 and 64 channels. With bottlenecks they have $9n + 2$ layers, and four times
    as many channels between the blocks. The numbers of parameters are the paper's (table 4):

    | network | block | blocks in a stage, $n$ | parameters |
    |---|---|---|---|
    | ResNet-110 | two convolutions | 18 | 1.7 M |
    | ResNet-164 | bottleneck | 18 | 1.7 M |
    | ResNet-1001 | bottleneck | 111 | 10.2 M |

    Our ResNet-1001 has 10.33 M, or 10.18 M if the scales and shifts of its normalizations are not
    counted. The paper seems to leave them out.

    Inside, both ends of the network change. The stem has lost its normalization and its ReLU, since
    the first block begins with them. And what leaves the last block is a bare sum, to which no
    further block applies its $\hat{f}$. So one more normalization and one more ReLU follow before
    the average (appendix).

    Moved, not added: with padded shortcuts there are exactly as many parameters as in the first
    paper's network.

    >>> from labml_nn.resnet import cifar_resnet
    >>> def count(model):
    ...     return sum(p.numel() for p in model.parameters())
    >>> count(PreActivationResNet(3)), count(cifar_resnet(3))
    (269722, 269722)
    """

    def __init__(
        self,
        n: int,
        n_classes: int = 10,
        *,
        bottleneck: bool = False,
        shortcut: ShortcutKind | None = None,
        img_channels: int = 3,
    ) -> None:
        """
        * `n` is the number of blocks in each of the three stages
        * `n_classes` is the number of classes
        * `bottleneck` says whether to build the network from bottlenecks
        * `shortcut` is what to use where the shape changes; without it, `'projection'` in networks
          of bottlenecks and `'pad'` in others, as in the paper
        * `img_channels` is the number of channels in the image

        Raises `ValueError` if a number is less than 1 or `shortcut` is unknown.
        """
        super().__init__()
        _require_positive(n=n, n_classes=n_classes, img_channels=img_channels)
        if shortcut is None:
            shortcut = "projection" if bottleneck else "pad"
        # The stem is a bare convolution.
        channels = 16
        self.conv = _conv(img_channels, channels, 3)
        # The stages follow one another, and so do the blocks of a stage.
        self.stages = nn.Sequential()
        for width in (16, 32, 64):
            stage = nn.Sequential()
            for j in range(n):
                # The rule of the first paper: the first block of a stage halves height and width,
                # except in the first stage.
                stride = 2 if width > 16 and j == 0 else 1
                first = width == 16 and j == 0
                # A bottleneck is as wide inside as the other kind of block is outside.
                block: PreActivation
                if bottleneck:
                    block = PreActivationBottleneckBlock(
                        channels,
                        width,
                        4 * width,
                        stride,
                        shortcut=shortcut,
                        first=first,
                    )
                    channels = 4 * width
                else:
                    block = PreActivationBlock(
                        channels, width, stride, shortcut=shortcut, first=first
                    )
                    channels = width
                stage.append(block)
            self.stages.append(stage)
        # The activation that the last block is owed.
        self.bn = nn.BatchNorm2d(channels)
        self.act = nn.ReLU()
        self.linear = nn.Linear(channels, n_classes)

    def forward(
        self, x: Float[Tensor, "batch img_channels height width"]
    ) -> Float[Tensor, "batch n_classes"]:
        """
        * `x` has shape `[batch, img_channels, height, width]`

        Returns logits of shape `[batch, n_classes]`.
        """
        x = self.conv(x)
        for stage in self.stages:
            x = stage(x)
        x = self.act(self.bn(x))
        logits: Tensor = self.linear(x.mean(dim=(2, 3)))
        return logits


class ScaledBlock(PreActivationBlock):
    r"""
    ## A block with a scaled shortcut

    One more block to compare with. This is equation 6 with the same $\lambda$ in every block, and
    with the residual of a pre-activation block. Its shape must not change.
    """

    scale = 0.5

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Takes $x_l$ as `x` and returns $x_{l+1}$, in the same shape."""
        return self.scale * x + self.residual(self.activate(x))


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
RECORD = Path(__file__).parents[2] / "experiments" / "resnet" / "signal.json"


def make_stack(
    network: NetworkName, n_blocks: int, *, normalized: bool = True
) -> nn.Sequential:
    """
    ## A stack of equal blocks

    * `network` is one of `BLOCKS`
    * `n_blocks` is the number of blocks
    * `normalized` says whether to keep the normalizations

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
    network: NetworkName, n_blocks: int, seed: int, *, normalized: bool = True
) -> Measurement:
    """
    ## Measuring one network

    * `network`, `n_blocks` and `normalized` are those of `make_stack`
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
    stack = make_stack(network, n_blocks, normalized=normalized)
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
    python -m labml_nn.resnet.preactivation
    python -m labml_nn.resnet.preactivation --record
    ```

    The second one also writes the record. `arguments` are read in place of the command line, if
    there are any. Returns 0.
    """
    options = tyro.cli(
        Options,
        prog="python -m labml_nn.resnet.preactivation",
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
