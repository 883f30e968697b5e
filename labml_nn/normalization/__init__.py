r"""
---
title: Batch normalization from nothing
summary:
  Batch normalization with its gradient written by hand, and layer, group and RMS normalization as
  the same lines over other axes, equal to PyTorch's.
symbols:
  \hat{x}: Standardize
  \gamma: BatchNorm.weight
  \beta: BatchNorm.bias
hook: Subtract the mean, divide by the deviation, and mind the gradient.
pictogram: pictograms/normalization.svg
papers:
  - title: >-
      Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift
    authors: [Sergey Ioffe, Christian Szegedy]
    year: 2015
    arxiv: 1502.03167
  - title: Layer Normalization
    authors: [Jimmy Lei Ba, Jamie Ryan Kiros, Geoffrey E. Hinton]
    year: 2016
    arxiv: 1607.06450
  - title: Group Normalization
    authors: [Yuxin Wu, Kaiming He]
    year: 2018
    arxiv: 1803.08494
  - title: Root Mean Square Layer Normalization
    authors: [Biao Zhang, Rico Sennrich]
    year: 2019
    arxiv: 1910.07467
before: Mean and variance, the chain rule, and what the dimensions of a batch of images are.
next: >-
  [Batch or group](batch_size.py): how small a batch may be.
  [Signals and gradients](../resnet/signals.py): what normalization does to them in deep networks.
---

# Batch normalization from nothing

Every convolution in a [residual network](../resnet/__init__.py) is followed by a normalization, and
without it most of these networks would not train. This page builds it from nothing but means and
square roots: forward, backward by hand, in training and in use. Then it moves the same few lines to
other axes, and they become the normalizations of later networks. All of them compute what PyTorch's
classes compute, gradients included.

## The idea

Take one feature, say channel 7 of some layer, and look at its values in a batch. They may have any
mean and any spread, and both move while the layers below learn. So put them into a standard form
(algorithm 1 of [the paper](https://arxiv.org/abs/1502.03167)). With the mean $\mu$ and the variance
$\sigma^2$ of the values $x_1, \dots, x_N$,

$$\hat{x}_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}}$$

has mean 0 and variance 1. The small $\epsilon$ keeps a feature that never varies from being divided
by zero. Two parameters then choose a mean and a spread that suit the next layer:

$$y_i = \gamma \hat{x}_i + \beta$$

It looks as if nothing were won, since $\gamma$ and $\beta$ can undo it all. What changes is who
decides. Before, mean and spread of a feature followed from all weights below. Now they are two
numbers of their own, which one step of gradient descent moves directly.

In a batch of images, a channel has a value at each position, and all of them were made by the same
weights. So all positions of all images count as one feature's values: in the shape `[batch,
channels, height, width]`, $N$ is batch times height times width (section 3.2).

## The gradient

The mean and the variance depend on $x$, so $x_i$ has an influence on every $y_j$. Let $g_i$ be the
gradient of the loss with respect to $\hat{x}_i$, and $s = \sqrt{\sigma^2 + \epsilon}$. From

$$\frac{\partial \mu}{\partial x_i} = \frac{1}{N}, \qquad
\frac{\partial \sigma^2}{\partial x_i} = \frac{2 (x_i - \mu)}{N}$$

follows, by the quotient rule,

$$\frac{\partial \hat{x}_j}{\partial x_i}
= \frac{1}{s} \left( [i = j] - \frac{1}{N} - \frac{\hat{x}_i \hat{x}_j}{N} \right)$$

where $[i = j]$ is 1 if $i = j$ and 0 otherwise. Multiply by $g_j$ and sum over $j$, and three terms
are all that remains:

$$\frac{\partial \mathcal{L}}{\partial x_i}
= \frac{1}{s} \left( g_i - \overline{g} - \hat{x}_i \, \overline{g \hat{x}} \right)$$

The bars are means over the $N$ values. Read it as a sentence: *from the gradient, take away its
mean, and what it has in common with $\hat{x}$*. That is as it must be. If all $x_i$ grow by the
same amount, or move away from their mean in proportion, $\hat{x}$ does not change. So there is
nothing to be gained in these two directions, and the gradient has no part in either.

Note the $1/s$ in front. A normalization divides the gradient by the deviation of what it was given.
[In deep stacks](../resnet/signals.py) this is what makes gradients explode or keeps them
tame.

## What about the covariate shift?

The paper explains its success by a smaller *internal covariate shift*: layers would no longer have
to follow inputs whose distribution moves. [Santurkar et al.
(2018)](https://arxiv.org/abs/1805.11604) add noise behind every normalization, so that
distributions move more than in a network without any, and it trains about as well as before. They
find that the loss is *smoother* with normalization: gradients change less along a step, and larger
steps are safe. The explanation was mended, and the method stayed.
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int64
from labml_helpers.module import Module
from torch import Tensor, nn

from labml_nn.resnet import _require, _require_positive


class Standardize(torch.autograd.Function):
    r"""
    ## Forward and backward

    This is $\hat{x}$ and its gradient, over any dimensions. PyTorch would find the gradient of the
    forward pass by itself, step by step, and each step keeps what it needs. Written by hand it
    keeps $\hat{x}$ and $1/s$ only.

    It agrees with finite differences of the forward pass, which `gradcheck` takes in double
    precision:

    >>> _ = torch.manual_seed(0)
    >>> x = torch.randn(4, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(lambda x: standardize(x, (0, 2, 3)), x)
    True
    """

    @staticmethod
    def forward(
        ctx: Any, x: Float[Tensor, "..."], dims: tuple[int, ...], eps: float
    ) -> Float[Tensor, "..."]:
        r"""
        * `ctx` keeps what `backward` needs
        * `x` has any shape
        * `dims` are the dimensions to take mean and variance over
        * `eps` is $\epsilon$

        Returns $\hat{x}$ in the shape of `x`.
        """
        mean = x.mean(dims, keepdim=True)
        # The variance with a divisor of $N$, not $N - 1$: it describes these values, and does not
        # estimate anything from them.
        var = (x - mean).square().mean(dims, keepdim=True)
        scale = (var + eps).rsqrt()
        x_hat = (x - mean) * scale
        ctx.save_for_backward(x_hat, scale)
        ctx.dims = dims
        return x_hat

    @staticmethod
    def backward(
        ctx: Any, g: Float[Tensor, "..."]
    ) -> tuple[Float[Tensor, "..."], None, None]:
        r"""
        * `ctx` is what `forward` has filled
        * `g` is the gradient with respect to $\hat{x}$

        Returns the gradient with respect to $x$, and none for the other two arguments.
        """
        x_hat, scale = ctx.saved_tensors
        along = (g * x_hat).mean(ctx.dims, keepdim=True)
        dx = scale * (g - g.mean(ctx.dims, keepdim=True) - x_hat * along)
        return dx, None, None


def standardize(
    x: Float[Tensor, "..."], dims: Sequence[int], eps: float = 1e-5
) -> Float[Tensor, "..."]:
    r"""
    Returns `x` with mean 0 and variance 1 over the dimensions `dims`, in the same shape. `eps` is
    $\epsilon$.
    """
    x_hat: Tensor = Standardize.apply(x, tuple(dims), eps)  # type: ignore[no-untyped-call]
    return x_hat


class BatchNorm(Module):
    r"""
    ## Batch normalization

    In training, mean and variance come from the batch. Then what the network says about one image
    depends on the other images of its batch, by accident. That acts as noise, and may even help.
    But in use it will not do: a user who asks about one image has no batch. So the layer keeps
    *averages* over the batches of training, and uses them once training is over.

    Parameters and buffers have the names of `nn.BatchNorm2d`, so each can load what the other has
    saved, and they do the same:

    >>> _ = torch.manual_seed(0)
    >>> ours, theirs = BatchNorm(3), nn.BatchNorm2d(3)
    >>> _ = ours.load_state_dict(theirs.state_dict())
    >>> for _ in range(5):
    ...     x = 2 * torch.randn(8, 3, 4, 4) + 1
    ...     assert torch.allclose(ours(x), theirs(x), atol=1e-6)
    >>> x = torch.randn(1, 3, 4, 4)
    >>> torch.allclose(ours.eval()(x), theirs.eval()(x), atol=1e-6)
    True
    """

    running_mean: Float[Tensor, "channels"]
    running_var: Float[Tensor, "channels"]
    num_batches_tracked: Int64[Tensor, ""]

    def __init__(
        self, channels: int, eps: float = 1e-5, momentum: float = 0.1
    ) -> None:
        r"""
        * `channels` is the number of channels
        * `eps` is $\epsilon$
        * `momentum` is how far a batch moves the averages towards itself, from 0 to 1

        Raises `ValueError` for less than one channel, and for a `momentum` outside of its range.
        """
        super().__init__()
        _require_positive(channels=channels)
        _require(0 <= momentum <= 1, "momentum must be from 0 to 1", momentum)
        # To begin with, $\gamma$ is 1 and $\beta$ is 0, so the output is $\hat{x}$ itself.
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        # Buffers are saved with the weights, and no optimizer touches them.
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))
        self.eps = eps
        self.momentum = momentum

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """
        * `x` has shape `[batch, channels, height, width]`

        Returns the same shape. Raises `ValueError` in training if there is only one value for each
        channel: it would be its own mean, and the output zero.
        """
        dims = (0, 2, 3)
        if self.training:
            _require(
                x.numel() > x.shape[1],
                "training needs more than one value per channel",
                tuple(x.shape),
            )
            self.update(x.detach().mean(dims), x.detach().var(dims))
            x_hat = standardize(x, dims, self.eps)
        else:
            # Now both are constants, and the layer is a linear map of each channel.
            # [Inference](../resnet/inference.py) folds it into the convolution before it.
            mean = self.running_mean[:, None, None]
            var = self.running_var[:, None, None]
            x_hat = (x - mean) * (var + self.eps).rsqrt()
        return self.weight[:, None, None] * x_hat + self.bias[:, None, None]

    def update(
        self, mean: Float[Tensor, "channels"], var: Float[Tensor, "channels"]
    ) -> None:
        """
        ### The averages

        * `mean` and `var` are those of a batch, of shape `[channels]`

        Old batches count less and less: with a momentum of 0.1, one that is 22 batches old still
        counts a tenth of what the newest does.

        >>> round(0.9**22, 2)
        0.1

        The variance comes with a divisor of $N - 1$ here. It is an *estimate* of what the variance
        is over all images, and with a divisor of $N$ it would be too small on average.
        """
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(var, self.momentum)


class LayerNorm(Module):
    r"""
    ## Layer normalization

    Batches are a burden. They have to be large enough for a mean to mean something, training and
    use differ, and in a text each position would need averages of its own. So take mean and
    variance over the features of *one* example, and nothing has to be remembered.

    Transformers do it for every position of a text, over the last dimension. There $\gamma$ and
    $\beta$ have one value for each feature.

    >>> _ = torch.manual_seed(0)
    >>> x = 2 * torch.randn(2, 5, 8) + 1
    >>> torch.allclose(LayerNorm(8)(x), nn.LayerNorm(8)(x), atol=1e-6)
    True
    """

    def __init__(self, features: int, eps: float = 1e-5) -> None:
        r"""
        * `features` is the size of the last dimension
        * `eps` is $\epsilon$

        Raises `ValueError` if `features` is less than 1.
        """
        super().__init__()
        _require_positive(features=features)
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))
        self.eps = eps

    def forward(
        self, x: Float[Tensor, "*batch features"]
    ) -> Float[Tensor, "*batch features"]:
        """Takes `x` with `features` as its last dimension, and returns the same shape."""
        return self.weight * standardize(x, (-1,), self.eps) + self.bias


class GroupNorm(Module):
    r"""
    ## Group normalization

    For images, layer normalization has a catch: one mean for all channels lets a strong one decide
    for all. Group normalization divides the channels into a few groups, and takes mean and variance
    over each group of each image. With one group, it is layer normalization of the image. With as
    many groups as channels, it is called *instance* normalization.

    >>> _ = torch.manual_seed(0)
    >>> x = 2 * torch.randn(2, 8, 4, 4) + 1
    >>> ours, theirs = GroupNorm(8, groups=2), nn.GroupNorm(2, 8)
    >>> torch.allclose(ours(x), theirs(x), atol=1e-6)
    True
    """

    def __init__(self, channels: int, groups: int, eps: float = 1e-5) -> None:
        r"""
        * `channels` is the number of channels
        * `groups` is the number of groups, which divides `channels`
        * `eps` is $\epsilon$

        Raises `ValueError` if a number is less than 1 or `groups` does not divide `channels`.
        """
        super().__init__()
        _require_positive(channels=channels, groups=groups)
        _require(
            channels % groups == 0, f"groups must divide {channels}", groups
        )
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.groups = groups
        self.eps = eps

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Takes `x` of shape `[batch, channels, height, width]`, and returns the same shape."""
        # A dimension for the groups, and all that belongs to one of them in a single dimension.
        grouped = x.reshape(x.shape[0], self.groups, -1)
        x_hat = standardize(grouped, (-1,), self.eps).reshape(x.shape)
        return self.weight[:, None, None] * x_hat + self.bias[:, None, None]


class RMSNorm(Module):
    r"""
    ## RMS normalization

    Is the mean needed at all? Divide by the root of the mean square, and leave the mean where it
    is:

    $$y_i = \gamma_i \frac{x_i}{\sqrt{\overline{x^2} + \epsilon}}$$

    The authors find that networks learn as well, in less time. Many large language models of today
    do it this way. The gradient loses one of its three terms. We leave it to PyTorch this time.

    >>> _ = torch.manual_seed(0)
    >>> x = 2 * torch.randn(2, 5, 8) + 1
    >>> theirs = nn.RMSNorm(8, eps=1e-6)
    >>> torch.allclose(RMSNorm(8)(x), theirs(x), atol=1e-6)
    True
    """

    def __init__(self, features: int, eps: float = 1e-6) -> None:
        r"""
        * `features` is the size of the last dimension
        * `eps` is $\epsilon$

        Raises `ValueError` if `features` is less than 1.
        """
        super().__init__()
        _require_positive(features=features)
        self.weight = nn.Parameter(torch.ones(features))
        self.eps = eps

    def forward(
        self, x: Float[Tensor, "*batch features"]
    ) -> Float[Tensor, "*batch features"]:
        """Takes `x` with `features` as its last dimension, and returns the same shape."""
        mean_square = x.square().mean(-1, keepdim=True)
        return self.weight * x * (mean_square + self.eps).rsqrt()
