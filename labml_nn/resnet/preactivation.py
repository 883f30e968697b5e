r"""
---
title: Pre-activation ResNet
summary:
  Why a shortcut should be left alone, by equations and by experiment, and the blocks and networks
  that do so.
symbols:
  \mathcal{F}: PreActivation.residual
  \hat{f}: PreActivation.activate
  \lambda: ScaledBlock.scale
hook: Leave the shortcut alone, and a thousand layers train.
pictogram: pictograms/preactivation.svg
papers:
  - title: Identity Mappings in Deep Residual Networks
    authors: [Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun]
    year: 2016
    arxiv: 1603.05027
before: "[Residual networks](__init__.py), and the chain rule."
next: >-
  [Signals and gradients](signals.py): what these blocks do in stacks of 200, measured.
  [Why the norm moved](../transformers/prenorm.py): the same change in Transformers.
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
|---|--:|--:|
| ResNet-110 | 6.61 % | 6.37 % |
| ResNet-164 | 5.93 % | 5.46 % |
| ResNet-1001 | 7.61 % | 4.92 % |

With batches of 64 images instead of 128, the last network comes to 4.62 % (table 4).

First comes the paper's derivation, then the code of the blocks and networks. Another page
[measures](signals.py) what they do to a signal on its way up and to a gradient on its way down.

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
|---|--:|
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

### Highway networks

Gates on shortcuts are older than ResNet by some months. They come from the *highway networks* of
[Srivastava et al. (2015)](https://arxiv.org/abs/1505.00387), whose gates $T$ are learned, lie
between 0 and 1, and depend on $x$:

$$y = H(x) \cdot T(x) + x \cdot (1 - T(x)), \qquad T(x) = \mathrm{sigmoid}(W_T \, x + b_T)$$

Where a gate comes to 1, it closes the shortcut, and what is left is a plain layer. The shortcut of
a residual block is never closed (section 2 of the first paper). How far it is open in the beginning
depends on the bias $b_T$. Srivastava et al. start with a negative one, such as $-1$ or $-3$
(their section 2.2). This is the product of all factors $1 - T$ on the direct path through 50
new layers, a mean over all features:

>>> def left(bias, features=64):
...     _ = torch.manual_seed(0)
...     x, product = torch.randn(256, features), 1
...     for _ in range(50):
...         h, gate = nn.Linear(features, features), nn.Linear(features, features)
...         _ = nn.init.constant_(gate.bias, bias)
...         t = gate(x).sigmoid()
...         x, product = h(x).relu() * t + x * (1 - t), product * (1 - t)
...     return product.mean().item()
>>> [f'{left(bias):.1g}' for bias in (-1, -3, -6)]
['2e-07', '0.08', '0.9']

Identities leave 1 after any number of layers. For ResNet-110 with such a pair of gates, one on the
shortcut and one on the residual, the second paper tries initial biases from 0 to $-10$. Down to
$-5$ the runs fail, and the best error, with $-6$, is 8.70 % (section 3.1; table 1).

## Nothing after the addition

There remains $f$. A ReLU after the addition cuts off what is negative, on the direct path too. The
paper tries several orders of the same layers (section 4.1; table 2):

| order | ResNet-110 | ResNet-164 |
|---|--:|--:|
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

Equations say what can happen. [Signals and gradients](signals.py) shows what does, in up to 200
blocks.

Transformers went the same way later. [Their norm left the shortcut](../transformers/prenorm.py) and
moved onto the residual.
"""

from abc import ABC, abstractmethod

import torch  # noqa: F401 - for the examples
from jaxtyping import Float
from labml_helpers.module import Module
from torch import Tensor, nn

from labml_nn.resnet import (
    ShortcutKind,
    _conv,
    _require_positive,
    make_shortcut,
)


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
        # Look at the neighborhood. To have the stride here is our choice, as it is on
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
    |---|---|--:|--:|
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

    # The factor on the shortcut, $\lambda$.
    scale = 0.5

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Takes $x_l$ as `x` and returns $x_{l+1}$, in the same shape."""
        return self.scale * x + self.residual(self.activate(x))
