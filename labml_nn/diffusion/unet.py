r"""
---
title: A U-Net of residual blocks
summary:
  The network of denoising diffusion in small, with residual blocks that know the time, group
  normalization and skip connections.
symbols:
  \mathcal{F}: TimedBlock.residual
hook: Residual blocks that know how noisy their image is.
pictogram: pictograms/unet.svg
papers:
  - title: Denoising Diffusion Probabilistic Models
    authors: [Jonathan Ho, Ajay Jain, Pieter Abbeel]
    year: 2020
    arxiv: 2006.11239
  - title: "U-Net: Convolutional Networks for Biomedical Image Segmentation"
    authors: [Olaf Ronneberger, Philipp Fischer, Thomas Brox]
    year: 2015
    arxiv: 1505.04597
before: >-
  [Images out of noise](__init__.py), [residual blocks](../resnet/preactivation.py), and
  [group normalization](../normalization/__init__.py#GroupNorm).
next: >-
  [Digits from noise](experiment.py): this network, trained and judged.
---

# A U-Net of residual blocks

[Diffusion](__init__.py) needs a network that takes a noisy image and returns the noise in it, which
has the same shape. Two things have to come together in it. Whether a stroke belongs to a 3 or an 8
can only be told from the *whole* image. But the noise is different in every *pixel*, and has to be
returned for every pixel.

A classifier gives up pixels for the whole: it halves height and width from stage to stage. The
U-Net does that too, and then doubles them again. On the way up, *skip connections* bring back what
the way down has seen at the same size:

![The noisy image enters a convolution. Two blocks on the way down, with 8 × 8 and 4 × 4 pixels, are
each followed by a layer that halves the size. A block in the middle works on 2 × 2 pixels. On the
way up the size is doubled before each of two blocks, which also receive what the block of the same
size on the way down has returned.](unet.svg)

The blocks are residual, as in [residual networks](../resnet/__init__.py). So there are shortcuts of
two kinds: those within a block are added, and those across the U are concatenated as further
channels.

The paper's network (appendix B) has the same parts. It is much larger, with four to six sizes and
two blocks for each, with dropout and with attention at $16 \times 16$ pixels. Digits of $8 \times
8$ pixels do without: ours has two sizes and 0.4 million parameters.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from labml_helpers.module import Module
from torch import Tensor, nn

from labml_nn.normalization import GroupNorm


class TimeEmbedding(Module):
    r"""
    ## How late is it?

    The same network serves all steps, so it has to know which one it is in. The number $t$ is
    turned into waves, as transformers do it with positions: sines and cosines of $\omega_i t$ with
    frequencies $\omega_i$ from 1 down to almost $1 / 10000$. Fast waves tell neighboring steps
    apart, slow ones early from late. Two linear layers, each with a SiLU behind it, then make
    features of them.

    >>> _ = torch.manual_seed(0)
    >>> embedding = TimeEmbedding(16)
    >>> embedding(torch.tensor([1, 50, 51])).shape
    torch.Size([3, 16])
    """

    frequencies: Float[Tensor, "half"]

    def __init__(self, features: int) -> None:
        """
        * `features` is the number of features, which is even

        Raises `ValueError` if it is not, or less than 2.
        """
        super().__init__()
        if features < 2 or features % 2:
            raise ValueError(
                f"features must be even and at least 2, got {features}"
            )
        half = features // 2
        exponent = torch.arange(half) / half
        self.register_buffer("frequencies", 10_000**-exponent)
        self.linear1 = nn.Linear(features, features)
        self.act = nn.SiLU()
        self.linear2 = nn.Linear(features, features)

    def forward(
        self, t: Int64[Tensor, "batch"]
    ) -> Float[Tensor, "batch features"]:
        """Takes steps `t` of shape `[batch]`, and returns shape `[batch, features]`."""
        angles = t[:, None] * self.frequencies
        waves = torch.cat([angles.sin(), angles.cos()], dim=1)
        hidden = self.act(self.linear1(waves))
        features: Tensor = self.act(self.linear2(hidden))
        return features


class TimedBlock(Module):
    r"""
    ## A block that knows the time

    It is a [pre-activation block](../resnet/preactivation.py), $y = x + \mathcal{F}(x, t)$, with
    three changes. Group normalization takes the place of batch normalization: the images of a batch
    are noisy to different degrees, and should not be normalized by each other. SiLU, $z \,
    \sigma(z)$, takes the place of ReLU. And between the two convolutions, a number that depends on
    $t$ is added to each channel.

    The last convolution begins with zeros, as in the authors' code. So $\mathcal{F}$ is zero, and
    the network begins as a short one:

    >>> _ = torch.manual_seed(0)
    >>> block = TimedBlock(16, 16, features=12)
    >>> x, time = torch.randn(2, 16, 4, 6), torch.randn(2, 12)
    >>> torch.equal(block(x, time), x)
    True
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        features: int,
        groups: int = 8,
    ) -> None:
        """
        * `in_channels` and `out_channels` are the numbers of channels of $x$ and of $y$
        * `features` is the number of features of the time
        * `groups` is the number of groups of each normalization, which divides both

        Raises `ValueError` if a number of channels is less than 1 or `groups` does not divide it.
        """
        super().__init__()
        self.norm1 = GroupNorm(in_channels, groups)
        self.act1 = nn.SiLU()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.time = nn.Linear(features, out_channels)
        self.norm2 = GroupNorm(out_channels, groups)
        self.act2 = nn.SiLU()
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        for zeros in self.conv2.parameters():
            nn.init.zeros_(zeros)
        # Where the number of channels changes, the shortcut is a projection.
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def residual(
        self,
        x: Float[Tensor, "batch in_channels height width"],
        time: Float[Tensor, "batch features"],
    ) -> Float[Tensor, "batch out_channels height width"]:
        r"""Takes `x` and `time` as `forward` does, and returns $\mathcal{F}(x, t)$."""
        hidden = self.conv1(self.act1(self.norm1(x)))
        # One number for a channel, the same at all positions. The normalization that follows would
        # remove it if it were the same for a whole group.
        hidden = hidden + self.time(time)[:, :, None, None]
        residual: Tensor = self.conv2(self.act2(self.norm2(hidden)))
        return residual

    def forward(
        self,
        x: Float[Tensor, "batch in_channels height width"],
        time: Float[Tensor, "batch features"],
    ) -> Float[Tensor, "batch out_channels height width"]:
        """
        * `x` has shape `[batch, in_channels, height, width]`
        * `time` are the features of the time, of shape `[batch, features]`

        Returns $y$ of shape `[batch, out_channels, height, width]`.
        """
        y: Tensor = self.shortcut(x) + self.residual(x, time)
        return y


class UNet(Module):
    """
    ## The network

    The sizes are those of the drawing.

    >>> _ = torch.manual_seed(0)
    >>> net = UNet()
    >>> x, t = torch.randn(5, 1, 8, 12), torch.tensor([1, 50, 100, 150, 200])
    >>> net(x, t).shape
    torch.Size([5, 1, 8, 12])
    >>> sum(p.numel() for p in net.parameters())
    381921
    """

    def __init__(
        self,
        img_channels: int = 1,
        channels: Sequence[int] = (32, 64),
        features: int = 64,
        groups: int = 8,
    ) -> None:
        """
        * `img_channels` is the number of channels of an image
        * `channels` has the number of channels for each size, from the largest to the smallest
        * `features` is the number of features of the time
        * `groups` is the number of groups of each normalization

        Raises `ValueError` for numbers that do not fit, as the parts do.
        """
        super().__init__()
        if not channels:
            raise ValueError(f"channels must not be empty, got {channels}")
        self.time = TimeEmbedding(features)
        self.stem = nn.Conv2d(img_channels, channels[0], 3, padding=1)
        # On the way down, a block for each size, and a convolution with a stride of 2.
        self.down, self.smaller = nn.ModuleList(), nn.ModuleList()
        now = channels[0]
        for out in channels:
            self.down.append(TimedBlock(now, out, features, groups))
            self.smaller.append(nn.Conv2d(out, out, 3, stride=2, padding=1))
            now = out
        self.middle = TimedBlock(now, now, features, groups)
        # On the way up, each pixel becomes four equal ones. The block takes their channels and
        # those of the skip connection.
        self.larger, self.up = nn.ModuleList(), nn.ModuleList()
        for out in reversed(channels):
            self.larger.append(nn.Upsample(scale_factor=2))
            self.up.append(TimedBlock(now + out, out, features, groups))
            now = out
        self.norm = GroupNorm(now, groups)
        self.act = nn.SiLU()
        # It begins with zeros as well, so the first prediction is no noise at all.
        self.last = nn.Conv2d(now, img_channels, 3, padding=1)
        for zeros in self.last.parameters():
            nn.init.zeros_(zeros)

    def forward(
        self,
        x: Float[Tensor, "batch img_channels height width"],
        t: Int64[Tensor, "batch"],
    ) -> Float[Tensor, "batch img_channels height width"]:
        """
        * `x` are noisy images of shape `[batch, img_channels, height, width]`
        * `t` is the step of each, of shape `[batch]`

        Returns the noise, in the shape of `x`. Raises `ValueError` if height or width cannot be
        halved often enough.
        """
        factor = 2 ** len(self.down)
        if any(side % factor for side in x.shape[2:]):
            raise ValueError(
                f"height and width must be multiples of {factor}, "
                f"got {tuple(x.shape[2:])}"
            )
        time = self.time(t)
        hidden = self.stem(x)
        skips = []
        for block, smaller in zip(self.down, self.smaller, strict=True):
            hidden = block(hidden, time)
            skips.append(hidden)
            hidden = smaller(hidden)
        hidden = self.middle(hidden, time)
        for larger, block in zip(self.larger, self.up, strict=True):
            # The last skip connection has the smallest size, and is needed first.
            both = torch.cat([larger(hidden), skips.pop()], dim=1)
            hidden = block(both, time)
        noise: Tensor = self.last(self.act(self.norm(hidden)))
        return noise
