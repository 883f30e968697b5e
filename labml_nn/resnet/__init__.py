r"""
---
title: Residual Networks (ResNet)
summary:
  Why deeper networks once trained worse, how residual blocks with identity shortcuts
  change that, and a tested PyTorch implementation.
symbols:
  \mathcal{F}: ResidualBlock.residual
  W_1: ResidualBlock.conv1
  W_2: ResidualBlock.conv2
  \sigma: ResidualBlock.act1
  W_s: ShortcutProjection.conv
hook: Add the input back, and a hundred layers train.
pictogram: pictograms/resnet.svg
papers:
  - title: Deep Residual Learning for Image Recognition
    authors: [Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun]
    year: 2015
    arxiv: 1512.03385
before: >-
  Convolution, batch normalization and ReLU, and how a module of PyTorch is written.
next: >-
  [Pre-activation](preactivation.py), if you want to know *why* it works.
  [Train one](experiment.py), if you want to see it.
---

# Residual Networks (ResNet)

This page explains and implements [Deep Residual Learning for Image
Recognition](https://arxiv.org/abs/1512.03385) by Kaiming He, Xiangyu Zhang, Shaoqing Ren and Jian
Sun (2015). An ensemble of their networks reached a top-5 error of 3.57 % on the ImageNet test set
(table 5) and won the ILSVRC 2015 classification contest. The idea behind it is short: let a few
layers compute a *change* to their input, and add the input back.

## The degradation problem

More layers can express more functions, so a deeper network ought to be at least as good as a
shallower one. In practice it was not. The paper opens with plain networks, stacks of convolutions
without shortcuts, on CIFAR-10: the one with 56 layers ends with a higher error than the one with 20
(figure 1). On ImageNet, a plain network of 34 layers has a top-1 validation error of 28.54 %, and
one of 18 layers 27.94 % (table 2).

This is not overfitting. An overfitted network has a low training error and a high test error; here
the *training* error is higher too, so the deeper network does not even fit the images it has seen.
The authors call this *degradation*. They doubt that vanishing gradients are to blame, because batch
normalization keeps the gradients of their plain networks at a healthy size (section 4.1).

Here plain networks of 8 and 56 layers learn handwritten digits, and so does a third one: the same
56 layers with the same initial weights, and with the shortcuts that this page is about. Their
accuracy is measured on the very images that they are trained on:

```chart
caption: Plain networks, and one with shortcuts, on their training images
x: step
y: accuracy
format: percent
lines:
  - label: 8 layers
    data: ../../experiments/resnet/degradation.json
    x: plain.8.step
    y: plain.8.mean
  - label: 56 layers
    data: ../../experiments/resnet/degradation.json
    x: plain.56.step
    y: plain.56.mean
  - label: 56, shortcuts
    data: ../../experiments/resnet/degradation.json
    x: residual.56.step
    y: residual.56.mean
```

A line is the mean of three runs. [Another page](degradation.py) has the details.

A thought experiment shows how odd it is. Take the trained shallow network and insert layers that
copy their input. The result is deeper and makes the same predictions, so a deeper solution that is
no worse *exists*, and training does not find it. Apparently a stack of nonlinear layers has
trouble learning even the identity mapping.

## Residual learning

Let $\mathcal{H}(x)$ be the mapping that a few stacked layers should learn. Instead of asking them
for $\mathcal{H}(x)$ itself, ask for what is missing from $x$, the *residual*:

$$\mathcal{F}(x) = \mathcal{H}(x) - x$$

Adding $x$ gives the mapping back. With $W_i$ for the weights of the layers, this is equation 1 of
the paper:

$$y = \mathcal{F}(x, \{W_i\}) + x$$

Both forms can express the same functions, but one may be easier to learn. If copying is the right
thing to do, a plain stack has to tune several nonlinear layers until together they act as the
identity, while a residual stack only has to push its weights towards zero. If the right thing is
*almost* a copy, a small $\mathcal{F}(x)$ says just that.

The addition needs $\mathcal{F}(x)$ and $x$ to have the same shape. Where they differ, a linear
projection $W_s$ on the shortcut brings $x$ into shape, which is equation 2:

$$y = \mathcal{F}(x, \{W_i\}) + W_s x$$

An identity shortcut has no parameters, and the addition costs next to nothing. So a residual
network can be compared with a plain one of the same depth, width and cost, and now the order is as
expected: with shortcuts, 34 layers (25.03 %) beat 18 layers (27.88 %, table 2).

## What the identity does for gradients

Differentiate equation 1, with $1$ for the identity matrix:

$$\frac{\partial y}{\partial x} = \frac{\partial \mathcal{F}}{\partial x} + 1$$

The $1$ does not depend on any weight. Whatever $\mathcal{F}$ does, one part of the gradient at $y$
arrives at $x$ unchanged, and along a chain of identity shortcuts it reaches the early layers
without passing through a single weight. In a plain stack every path to an early layer goes through
all the layers after it.

The authors made this argument in the following spring, in
[Identity Mappings in Deep Residual Networks](https://arxiv.org/abs/1603.05027). It is exact only if
nothing else stands in the way. In the network on this page a ReLU follows every addition, and lets
the gradient pass only where its output is positive. The page on
[pre-activation](preactivation.py) clears it away.

## The family

Other pages train, extend and use these networks. Each of them needs only this one, so read them in
any order. Begin with [the degradation problem](degradation.py) to see what goes wrong without
shortcuts, with [an experiment](experiment.py) to see one learn, or with
[pre-activation](preactivation.py) to know *why* all this works.

![A map: arrows lead from this page to seven others.](family.svg)
"""

from collections.abc import Sequence
from typing import Literal

import torch  # noqa: F401 - for the examples

# Signatures tell the shapes of tensors: `Float[Tensor, "batch features"]` holds numbers in floating
# point and has two dimensions. A name stands for the same size wherever the signature repeats it,
# and `{self.out_channels}` for the value of that expression. The tests check every call.
from jaxtyping import Float
from labml_helpers.module import Module
from torch import Tensor, nn

# The two shortcuts that a block can use where the shape changes. Each is explained at its class.
ShortcutKind = Literal["projection", "pad"]


def _conv(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1
) -> nn.Conv2d:
    r"""
    ## A convolution without bias

    * `in_channels` and `out_channels` are the numbers of channels before and after
    * `kernel_size` is odd, so that a padding of `kernel_size // 2` by itself keeps height and width
    * `stride` divides height and width, rounding up

    Batch normalization follows every convolution of the network (section 3.4). It subtracts the
    mean of each channel, so a bias, which adds one constant to a whole channel, would vanish at
    once. The normalization has a shift of its own that does the same work.

    >>> _ = torch.manual_seed(0)
    >>> z, bias = torch.randn(8, 4, 5, 5), torch.randn(4, 1, 1)
    >>> bn = nn.BatchNorm2d(4)
    >>> torch.allclose(bn(z + bias), bn(z), atol=1e-5)
    True
    """
    conv = nn.Conv2d(
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding=kernel_size // 2,
        bias=False,
    )
    # The paper initializes weights as in [He et al. 2015](https://arxiv.org/abs/1502.01852): from a
    # normal distribution whose variance is 2 divided by the fan-in or the fan-out, either of which
    # will do. The 2 makes up for the half of the signal that a ReLU sets to zero. To use the
    # fan-out, for all convolutions alike, is our choice.
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


class ShortcutProjection(Module):
    r"""
    ## Projection shortcut

    This is $W_s x$ of equation 2, a $1 \times 1$ convolution. At each position it mixes the
    channels of $x$ without looking at any neighbor. With a stride of 2 it also halves height and
    width, by reading every second row and column.

    The paper compares three kinds of shortcuts (section 4.1). The top-1 errors of ResNet-34 on
    ImageNet are from table 3.

    * **Option A** (25.03 %): the identity, with zeros for channels that are missing. That is
      `ShortcutPadding`.
    * **Option B** (24.52 %): a projection where the shape changes, the identity elsewhere. That is
      this class, used by `make_shortcut`.
    * **Option C** (24.19 %): projections everywhere. The paper puts the small gain down to the
      extra parameters, concludes that projections are not essential, and does without them to save
      memory and time. So do we.

    >>> shortcut = ShortcutProjection(16, 32, stride=2)
    >>> shortcut(torch.zeros(2, 16, 8, 8)).shape
    torch.Size([2, 32, 4, 4])
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int
    ) -> None:
        r"""
        * `in_channels` is the number of channels in $x$
        * `out_channels` is the number of channels in $\mathcal{F}(x)$
        * `stride` is the stride of the layers that the shortcut bypasses

        Raises `ValueError` if one of them is less than 1.
        """
        super().__init__()
        _require_positive(
            in_channels=in_channels, out_channels=out_channels, stride=stride
        )
        # $W_s$ is a matrix that is applied at every position, so a $1 \times 1$ convolution holds
        # it.
        self.conv = _conv(in_channels, out_channels, 1, stride)
        # As in the authors' released model, batch normalization brings the shortcut to the same
        # scale as the residual, which ends in one too. There is no ReLU: equation 2 asks for a
        # linear map, and a ReLU would discard all that is negative before the sum.
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """
        * `x` has shape `[batch, in_channels, height, width]`

        Returns shape `[batch, out_channels, height / stride, width / stride]`, rounded up.
        """
        x = self.bn(self.conv(x))
        return x


class ShortcutPadding(nn.Module):
    r"""
    ## Padded shortcut

    Option A makes the identity fit without a single parameter: take every `stride`-th row and
    column, and add channels of zeros. The paper does this in all of its CIFAR-10 networks, which
    therefore have exactly as many parameters as the plain ones they are compared with.

    In the added channels there is nothing to add $\mathcal{F}(x)$ to, hence no residual learning.
    The authors think that this is why option B is slightly better.

    >>> shortcut = ShortcutPadding(1, 2, stride=2)
    >>> shortcut(torch.arange(16.).view(1, 1, 4, 4)).flatten(2)
    tensor([[[ 0.,  2.,  8., 10.],
             [ 0.,  0.,  0.,  0.]]])
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int
    ) -> None:
        r"""
        * `in_channels` is the number of channels in $x$
        * `out_channels` is the number of channels in $\mathcal{F}(x)$
        * `stride` is the stride of the layers that the shortcut bypasses

        Raises `ValueError` if one of them is less than 1 or if `out_channels` is less than
        `in_channels`, as padding cannot remove channels.
        """
        super().__init__()
        _require_positive(
            in_channels=in_channels, out_channels=out_channels, stride=stride
        )
        _require(
            out_channels >= in_channels,
            f"out_channels of a padded shortcut must be at least {in_channels}",
            out_channels,
        )
        self.stride = stride
        self.extra_channels = out_channels - in_channels

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """
        * `x` has shape `[batch, in_channels, height, width]`

        Returns shape `[batch, out_channels, height / stride, width / stride]`, rounded up.
        """
        x = x[:, :, :: self.stride, :: self.stride]
        # `pad` takes pairs from the last dimension backwards: width, height, channels. The paper
        # does not say where the zeros go; putting all of them last is our choice.
        return nn.functional.pad(x, (0, 0, 0, 0, 0, self.extra_channels))


def make_shortcut(
    in_channels: int, out_channels: int, stride: int, kind: ShortcutKind
) -> nn.Module:
    """
    ## Choosing the shortcut

    * `in_channels`, `out_channels` and `stride` are those of the layers to bypass
    * `kind` is what to use if they change the shape: `'projection'` (option B) or `'pad'` (A)

    If they keep the shape, the shortcut is the identity. Raises `ValueError` for any other `kind`.
    """
    _require(
        kind in ("projection", "pad"),
        "shortcut must be 'projection' or 'pad'",
        kind,
    )
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    if kind == "pad":
        return ShortcutPadding(in_channels, out_channels, stride)
    return ShortcutProjection(in_channels, out_channels, stride)


class ResidualBlock(Module):
    r"""
    ## Residual block

    ![A residual block: x runs through conv1, bn1, act1, conv2 and bn2, which together compute F(x);
    the shortcut carries x around them to the addition, and act2 follows the
    sum.](residual-block.svg)

    The residual is computed by two $3 \times 3$ convolutions (section 3.2; figure 5, left). With
    $\sigma$ for ReLU, and leaving out batch normalization as the paper does,

    $$\mathcal{F}(x) = W_2 \, \sigma(W_1 x)$$

    Two layers are the least that makes sense. With one, the block would compute $y = W_1 x + x$,
    which is just another linear layer; the paper saw no advantage in that.

    If the last normalization multiplies by zero, then $\mathcal{F}(x) = 0$ and the block is the
    copying layer of the thought experiment, as $x$ comes from a ReLU and is not negative.
    Where $x$ is positive, the gradient passes through unchanged:

    >>> _ = torch.manual_seed(0)
    >>> block = ResidualBlock(16, 16, stride=1)
    >>> _ = nn.init.zeros_(block.bn2.weight)
    >>> x = torch.rand(2, 16, 8, 8, requires_grad=True)
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
    ) -> None:
        r"""
        * `in_channels` is the number of channels in $x$
        * `out_channels` is the number of channels in $y$
        * `stride` is the stride of the first convolution
        * `shortcut` is what to use where the shape changes, see `make_shortcut`

        Raises `ValueError` if a number is less than 1 or `shortcut` is unknown.
        """
        super().__init__()
        _require_positive(
            in_channels=in_channels, out_channels=out_channels, stride=stride
        )
        # The first convolution changes the number of channels and takes the stride, so that with a
        # stride of 2 the second one has only a quarter of the positions to work on.
        self.conv1 = _conv(in_channels, out_channels, 3, stride)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.act1 = nn.ReLU()
        # The second keeps the shape. Its normalization comes *before* the addition. If it came
        # after, the shortcut would be rescaled as well and no longer be the identity.
        self.conv2 = _conv(out_channels, out_channels, 3)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut = make_shortcut(
            in_channels, out_channels, stride, shortcut
        )
        # The second ReLU comes *after* the addition. If it came before, $\mathcal{F}(x)$ could not
        # be negative, and from block to block values could only grow.
        self.act2 = nn.ReLU()

    def residual(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        r"""This is $\mathcal{F}(x)$. Like `forward`, it takes `x` and returns the shape of $y$."""
        x = self.act1(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        return x

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        r"""
        * `x` has shape `[batch, in_channels, height, width]`

        Returns $y$ of shape `[batch, out_channels, height / stride, width / stride]`, rounded up.
        It is equation 1 or 2, depending on the shortcut, with the last ReLU around it.

        The pictures below the code show what a trained block does, the first one of a network for
        handwritten digits, to this image:

        ![A handwritten 3, in eight by eight
        pixels.](../../experiments/pictures/digit.png)

        The residual is blue where it takes away from $x$ and red where it adds. Where it has taken
        away more than there was, the ReLU leaves zero.
        """
        y: Tensor = self.act2(self.residual(x) + self.shortcut(x))
        return y


class BottleneckResidualBlock(Module):
    r"""
    ## Bottleneck residual block

    ![A bottleneck block: conv1 (1×1) reduces 256 channels to 64, conv2 (3×3) works on 64, and conv3
    (1×1) restores 256; the shortcut carries x around them to the addition, and act3 follows the
    sum.](bottleneck-block.svg)

    In its networks for ImageNet with 50 layers and more, the paper exchanges the two convolutions
    for three (section 4.1; figure 5, right): a $1 \times 1$ that reduces the number of channels, a
    $3 \times 3$, and a $1 \times 1$ that restores it. The expensive $3 \times 3$ sees only few
    channels.

    A convolution does one multiply-add for each weight at each output position, so its weights tell
    what it costs. In the first stage of ResNet-50, with 256 channels reduced to 64:

    >>> def weights(block):
    ...     parameters = block.parameters()
    ...     return sum(p.numel() for p in parameters if p.dim() == 4)
    >>> weights(BottleneckResidualBlock(256, 64, 256, stride=1))
    69632
    >>> weights(ResidualBlock(256, 256, stride=1))
    1179648
    >>> weights(ResidualBlock(64, 64, stride=1))
    73728

    The bottleneck costs about a seventeenth of what two full $3 \times 3$ convolutions cost on 256
    channels. It costs about as much as two of them on 64 channels, which is the comparison that
    figure 5 draws.

    Here it matters most that the shortcut is the identity, since it joins the wide ends. A
    projection there would have $256 \cdot 256 = 65{,}536$ weights, nearly as many as the rest of
    the block.
    """

    def __init__(
        self,
        in_channels: int,
        bottleneck_channels: int,
        out_channels: int,
        stride: int,
        *,
        shortcut: ShortcutKind = "projection",
    ) -> None:
        r"""
        * `in_channels` is the number of channels in $x$
        * `bottleneck_channels` is the number of channels inside; in the paper it is a quarter of
          `out_channels`
        * `out_channels` is the number of channels in $y$
        * `stride` is the stride of the $3 \times 3$ convolution
        * `shortcut` is what to use where the shape changes, see `make_shortcut`

        Raises `ValueError` if a number is less than 1 or `shortcut` is unknown.
        """
        super().__init__()
        _require_positive(
            in_channels=in_channels,
            bottleneck_channels=bottleneck_channels,
            out_channels=out_channels,
            stride=stride,
        )
        # Reduce.
        self.conv1 = _conv(in_channels, bottleneck_channels, 1)
        self.bn1 = nn.BatchNorm2d(bottleneck_channels)
        self.act1 = nn.ReLU()
        # Look at the neighborhood. The stride is here by our choice, as in many later
        # implementations. The authors' released model has it in `conv1`, where a $1 \times 1$
        # kernel skips three of every four positions. Ours reads them all, and pays with a costlier
        # `conv1`.
        self.conv2 = _conv(bottleneck_channels, bottleneck_channels, 3, stride)
        self.bn2 = nn.BatchNorm2d(bottleneck_channels)
        self.act2 = nn.ReLU()
        # Restore. As before, the last ReLU waits for the addition.
        self.conv3 = _conv(bottleneck_channels, out_channels, 1)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.shortcut = make_shortcut(
            in_channels, out_channels, stride, shortcut
        )
        self.act3 = nn.ReLU()

    def residual(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        r"""This is $\mathcal{F}(x)$. Like `forward`, it takes `x` and returns the shape of $y$."""
        x = self.act1(self.bn1(self.conv1(x)))
        x = self.act2(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        return x

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        r"""
        * `x` has shape `[batch, in_channels, height, width]`

        Returns $y$ of shape `[batch, out_channels, height / stride, width / stride]`, rounded up.
        """
        y: Tensor = self.act3(self.residual(x) + self.shortcut(x))
        return y


class ResNetBase(Module):
    r"""
    ## The network

    ![ResNet-34 on a 224×224 image: conv gives 64 channels of 112×112, pool reduces them to 56×56,
    and four stages of 3, 4, 6 and 3 blocks give 64 channels of 56×56, 128 of 28×28, 256 of 14×14
    and 512 of 7×7.](stages.svg)

    The network is a *stem*, several *stages* of blocks, and an average over all positions. All
    blocks of a stage return feature maps of the same size. The first block of every stage **except
    the first stage** has a stride of 2 and halves height and width; all other blocks have a stride
    of 1. The first stage keeps the size it gets, because the stem has already reduced it.

    Where height and width are halved, the channels are doubled, which preserves the cost of a layer
    (section 3.3). A $3 \times 3$ convolution from $C$ to $C$ channels takes
    $9 \, C^2 H W$ multiply-adds: twice the channels make that four times as much, and a quarter of
    the positions makes up for it. In the four stages of ResNet-34:

    >>> [9 * c**2 * h * w for c, h, w in
    ...  [(64, 56, 56), (128, 28, 28), (256, 14, 14), (512, 7, 7)]]
    [115605504, 115605504, 115605504, 115605504]

    These are the paper's networks for ImageNet (table 1). The number in a name counts the
    convolutions of the stem and the blocks, without projections, and the last linear layer.

    | network | block | `n_blocks` | `n_channels` |
    |---|---|---|---|
    | ResNet-18 | residual | 2, 2, 2, 2 | 64, 128, 256, 512 |
    | ResNet-34 | residual | 3, 4, 6, 3 | 64, 128, 256, 512 |
    | ResNet-50 | bottleneck | 3, 4, 6, 3 | 256, 512, 1024, 2048 |
    | ResNet-101 | bottleneck | 3, 4, 23, 3 | 256, 512, 1024, 2048 |
    | ResNet-152 | bottleneck | 3, 8, 36, 3 | 256, 512, 1024, 2048 |

    The `bottlenecks` have 64, 128, 256 and 512 channels. So this is ResNet-50 without its last
    layer, on the `meta` device, where tensors have shapes but take no memory:

    >>> with torch.device('meta'):
    ...     resnet50 = ResNetBase(
    ...         [3, 4, 6, 3], [256, 512, 1024, 2048], [64, 128, 256, 512])
    >>> sum(p.numel() for p in resnet50.parameters())
    23508032
    >>> resnet50(torch.empty(1, 3, 224, 224, device='meta')).shape
    torch.Size([1, 2048])
    """

    def __init__(
        self,
        n_blocks: Sequence[int],
        n_channels: Sequence[int],
        bottlenecks: Sequence[int] | None = None,
        img_channels: int = 3,
        first_kernel_size: int = 7,
        *,
        first_stride: int = 2,
        first_pool: bool = True,
        shortcut: ShortcutKind = "projection",
    ) -> None:
        """
        * `n_blocks` is the number of blocks in each stage
        * `n_channels` is the number of channels that the blocks of each stage return
        * `bottlenecks` is the number of channels inside the bottlenecks of each stage; without it
          the network consists of residual blocks with two convolutions
        * `img_channels` is the number of channels in the image
        * `first_kernel_size` is the kernel size of the stem, an odd number
        * `first_stride` is the stride of the stem's convolution
        * `first_pool` says whether the stem ends with max pooling
        * `shortcut` is what to use where the shape changes, see `make_shortcut`

        Raises `ValueError` if lists are empty or differ in length, if a number is less than 1, if
        `first_kernel_size` is even, or if `shortcut` is unknown.
        """
        super().__init__()
        stages = len(n_blocks)
        _require(
            stages >= 1, "n_blocks must hold at least one number", n_blocks
        )
        _require(
            len(n_channels) == stages,
            f"n_channels must have length {stages}",
            n_channels,
        )
        _require(
            bottlenecks is None or len(bottlenecks) == stages,
            f"bottlenecks must have length {stages}",
            bottlenecks,
        )
        _require_positive(
            n_blocks=n_blocks,
            n_channels=n_channels,
            bottlenecks=bottlenecks or 1,
            img_channels=img_channels,
            first_kernel_size=first_kernel_size,
            first_stride=first_stride,
        )
        _require(
            first_kernel_size % 2 == 1,
            "first_kernel_size must be odd",
            first_kernel_size,
        )

        # The stem is as wide as the convolutions inside the first stage. That is 64 channels in all
        # of the paper's networks for ImageNet.
        channels = n_channels[0] if bottlenecks is None else bottlenecks[0]
        self.conv = _conv(
            img_channels, channels, first_kernel_size, first_stride
        )
        self.bn = nn.BatchNorm2d(channels)
        self.act = nn.ReLU()
        # Max pooling and the stride before it leave $56 \times 56$ of $224 \times 224$ positions
        # for the blocks to work on. CIFAR-10 images have only $32 \times 32$ and go without both.
        self.pool = (
            nn.MaxPool2d(3, stride=2, padding=1)
            if first_pool
            else nn.Identity()
        )

        # The stages follow one another, and so do the blocks of a stage.
        self.stages = nn.Sequential()
        for i, out_channels in enumerate(n_channels):
            stage = nn.Sequential()
            for j in range(n_blocks[i]):
                # The rule from above: a stride of 2 in the first block of a stage, except in the
                # first stage.
                stride = 2 if i > 0 and j == 0 else 1
                if bottlenecks is None:
                    stage.append(
                        ResidualBlock(
                            channels, out_channels, stride, shortcut=shortcut
                        )
                    )
                else:
                    stage.append(
                        BottleneckResidualBlock(
                            channels,
                            bottlenecks[i],
                            out_channels,
                            stride,
                            shortcut=shortcut,
                        )
                    )
                channels = out_channels
            self.stages.append(stage)
        # Whatever comes on top needs to know the number of features.
        self.out_channels = channels

    def forward(
        self, x: Float[Tensor, "batch img_channels height width"]
    ) -> Float[Tensor, "batch {self.out_channels}"]:
        """
        * `x` has shape `[batch, img_channels, height, width]`

        Returns features of shape `[batch, n_channels[-1]]`.
        """
        x = self.act(self.bn(self.conv(x)))
        x = self.pool(x)
        for stage in self.stages:
            x = stage(x)
        # Averaging over all positions leaves one number per channel, whatever the size of the
        # image. It takes no parameters, unlike the large fully connected layers of earlier
        # networks.
        return x.mean(dim=(2, 3))


class ResNetClassifier(Module):
    """
    ## A classifier

    One linear layer turns features into a score for each class. The paper's softmax is missing here
    because it belongs to the loss: `nn.CrossEntropyLoss` takes the scores, called logits, and
    computes both together in a numerically safe way.
    """

    def __init__(self, base: ResNetBase, n_classes: int) -> None:
        """
        * `base` is the network that computes the features
        * `n_classes` is the number of classes

        Raises `ValueError` if `n_classes` is less than 1.
        """
        super().__init__()
        _require_positive(n_classes=n_classes)
        self.base = base
        # No normalization follows, so this layer has a bias. It is initialized by PyTorch's
        # default, which is our choice.
        self.linear = nn.Linear(base.out_channels, n_classes)

    def forward(
        self, x: Float[Tensor, "batch img_channels height width"]
    ) -> Float[Tensor, "batch n_classes"]:
        """
        * `x` has shape `[batch, img_channels, height, width]`

        Returns logits of shape `[batch, n_classes]`.
        """
        logits: Tensor = self.linear(self.base(x))
        return logits


def cifar_resnet(
    n: int, n_classes: int = 10, *, shortcut: ShortcutKind = "pad"
) -> ResNetClassifier:
    r"""
    ## The networks for CIFAR-10

    * `n` is the number of blocks in each of the three stages
    * `n_classes` is the number of classes
    * `shortcut` is what to use where the shape changes; the paper uses option A, `'pad'`

    Raises `ValueError` if a number is less than 1 or `shortcut` is unknown.

    For images of $32 \times 32$ the paper has a family of small networks (section 4.2): a stem with
    a $3 \times 3$ kernel and a stride of 1, three stages of $n$ blocks with 16, 32 and 64 channels
    on feature maps of $32 \times 32$, $16 \times 16$ and $8 \times 8$, and a linear layer on top.
    With two convolutions in each of the $3n$ blocks, that makes $6n + 2$ layers. Parameters and
    errors in this table are the paper's (table 6):

    | blocks in a stage, $n$ | layers | parameters | test error |
    |--:|--:|--:|---|
    | 3 | 20 | 0.27 M | 8.75 % |
    | 5 | 32 | 0.46 M | 7.51 % |
    | 7 | 44 | 0.66 M | 7.17 % |
    | 9 | 56 | 0.85 M | 6.97 % |
    | 18 | 110 | 1.7 M | 6.43 % (best of 5 runs) |

    ### Counting the parameters

    To count parameters by hand is a good check that one has understood a network. Here is ResNet-20
    with projections (option B). The normalization of $C$ channels has $2C$ parameters.

    * The stem has $9 \cdot 3 \cdot 16 = 432$ and $2 \cdot 16 = 32$, together 464.
    * The first stage has three blocks with two convolutions of $9 \cdot 16 \cdot 16 = 2304$ and two
      normalizations: $3 \cdot (2 \cdot 2304 + 2 \cdot 32) = 14{,}016$.
    * The second stage begins with
      $9 \cdot 16 \cdot 32 + 9 \cdot 32 \cdot 32 + 2 \cdot 64 = 13{,}952$ and a projection of
      $16 \cdot 32 + 64 = 576$. Two blocks of $2 \cdot (9216 + 64) = 18{,}560$ follow, together
      51,648.
    * The third stage begins with
      $9 \cdot 32 \cdot 64 + 9 \cdot 64 \cdot 64 + 2 \cdot 128 = 55{,}552$ and a projection of
      $32 \cdot 64 + 128 = 2176$. Two blocks of $2 \cdot (36{,}864 + 128) = 73{,}984$ follow,
      together 205,696.
    * The linear layer has $64 \cdot 10 + 10 = 650$.

    The sum is 272,474. Option A has no projections and so 2,752 parameters less, 269,722. To the
    precision that the paper gives, both are 0.27 M.

    >>> def count(model):
    ...     return sum(p.numel() for p in model.parameters())
    >>> model = cifar_resnet(3, shortcut='projection')
    >>> base = model.base
    >>> parts = base.conv, base.bn, *base.stages, model.linear
    >>> [count(part) for part in parts]
    [432, 32, 14016, 51648, 205696, 650]
    >>> count(model), count(cifar_resnet(3, shortcut='pad'))
    (272474, 269722)
    >>> model(torch.zeros(4, 3, 32, 32)).shape
    torch.Size([4, 10])
    """
    _require_positive(n=n)
    base = ResNetBase(
        [n, n, n],
        [16, 32, 64],
        first_kernel_size=3,
        first_stride=1,
        first_pool=False,
        shortcut=shortcut,
    )
    return ResNetClassifier(base, n_classes)


def _require(ok: bool, rule: str, received: object) -> None:
    """
    ## Refusing bad arguments

    A wrong argument is easiest to fix at the call. So it is refused here, with a message that says
    what is allowed, and does not surface later in a layer that the caller never wrote.
    """
    if not ok:
        raise ValueError(f"{rule}, got {received!r}")


def _require_positive(**sizes: int | Sequence[int]) -> None:
    """
    The rule that is needed most: a number must be at least 1, and so must every number of a list.

    >>> ResidualBlock(16, 0, stride=1)
    Traceback (most recent call last):
    ValueError: out_channels must be at least 1, got 0
    """
    for name, size in sizes.items():
        smallest = min(size) if isinstance(size, Sequence) else size
        _require(smallest >= 1, f"{name} must be at least 1", size)
