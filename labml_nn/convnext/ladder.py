r"""
---
title: From ResNet to ConvNeXt
summary: >-
  ResNet-50 becomes ConvNeXt-T in twelve changes, each of which runs, with parameters and
  multiply-adds of every rung next to the paper's.
hook: Twelve small changes, each with its price and its gain.
pictogram: pictograms/ladder.svg
papers:
  - title: A ConvNet for the 2020s
    authors: [Zhuang Liu, Hanzi Mao, Chao-Yuan Wu, Christoph Feichtenhofer, Trevor Darrell,
      Saining Xie]
    year: 2022
    arxiv: 2201.03545
before: >-
  [ConvNeXt](__init__.py), and [ResNet-50](../resnet/imagenet.py).
next: >-
  [Train a ConvNeXt](experiment.py): on digits, in a minute.
---

# From ResNet to ConvNeXt

[ConvNeXt](__init__.py) was found step by step, from a ResNet-50 towards a Transformer. On this page
each step is a line of code, `replace(previous, one=choice)`, and each rung of the ladder is a
network that runs. The first one computes what [ResNet-50](../resnet/imagenet.py) does, and the last
one is ConvNeXt-T.

## The ladder

Each rung keeps all changes before it. Accuracies are the paper's: top-1 on ImageNet, as the mean of
three seeds (table 10). All rungs were trained in the same way.

![A path through thirteen points, from ResNet-50 at 78.8 % to ConvNeXt-T at 82.0 %. It goes far to
the left and down for the depthwise convolution, back to the right and up for more width, and then
steeply up at about 4.1 billion multiply-adds.](walk.svg "Multiply-adds to the right, and accuracy
upwards.")

**Training counts almost as much as the network.** With the original recipe, ResNet-50 has 76.13 %.
Of the 5.8 points to the last rung, 2.7 come from the recipe alone: 300 epochs instead of 90, AdamW,
Mixup, CutMix and more (section 2.1).

**Some changes only prepare the next.** Two rungs are worse than those below them. A depthwise
convolution saves nearly half of the cost, and that pays for more width. Its place at the narrow end
makes a large kernel cheap. A search that keeps only what helps at once would have stopped before
both.

**Small changes count.** To remove activations costs nothing, and gains more than the choice of the
activation.

Now in numbers. Parameters in millions, and multiply-adds in billions for one image of
$224 \times 224$, are counted with the code below. The last two columns are the paper's.

| rung | parameters | multiply-adds | published | accuracy |
|---|--:|--:|--:|--:|
| ResNet-50 | 25.56 | 4.09 | 4.09 | 78.82 % |
| stage ratio | 28.63 | 4.53 | 4.53 | 79.36 % |
| patchify stem | 28.62 | 4.42 | 4.42 | 79.51 % |
| depthwise convolution | 15.72 | 2.35 | 2.35 | 78.28 % |
| more width | 33.76 | 5.27 | 5.27 | 80.50 % |
| inverted bottleneck | 25.85 | 4.64 | 4.64 | 80.64 % |
| depthwise first | 25.63 | 4.07 | 4.07 | 79.92 % |
| kernel of 7 | 25.86 | 4.15 | 4.15 | 80.57 % |
| GELU | 25.86 | 4.15 | 4.15 | 80.62 % |
| fewer activations | 25.86 | 4.15 | 4.15 | 81.27 % |
| fewer norms | 25.83 | 4.15 | 4.15 | 81.41 % |
| layer normalization | 25.84 | 4.15 | 4.46 | 81.47 % |
| separate downsampling | 28.59 | 4.46 | 4.49 | 81.97 % |

On eleven rungs, our count is the paper's. On the layer normalization, the paper's table has a jump
that we do not find. A norm has no products of weights and inputs, so ours stays the same, and so
does the paper's for the larger networks of its table 11. For ConvNeXt-T itself we count 4.456
billion, as [torchvision](https://docs.pytorch.org/vision/stable/models.html) does; the rest of the
paper says 4.5.

## What the paper says and what we chose

* **The paper**: the twelve changes and their order. It also tries kernels of 5, 9 and 11.
* **The [code of its submission](https://github.com/anonymous20222022/convnext)**, where the text
  leaves details open: the stem of patches has neither norm nor activation, *fewer activations*
  takes away the one after the addition too, and projections keep their norms.
* **We**: the names of the rungs, and that a convolution has
  [a bias unless batch normalization follows](#Design.conv). The last rung has
  [layer scale](__init__.py#ConvNeXtBlock), as in torchvision. The paper names it among the means of
  training (section 3.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch  # noqa: F401 - for the examples
from jaxtyping import Float
from labml_helpers.module import Module
from torch import Tensor, nn

from labml_nn.convnext import ConvNeXt, LayerNorm2d
from labml_nn.resnet import _require, _require_positive
from labml_nn.resnet.imagenet import (
    count_multiply_adds,  # noqa: F401 - for the examples
)


@dataclass(frozen=True)
class Design:
    """
    ## A rung is a row of choices

    Without any arguments, it is ResNet-50.
    """

    # Blocks in each stage.
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    # Channels at the narrow places of the first stage. Each further stage has twice as many.
    width: int = 64
    # Side of the patches that the stem cuts an image into; without it, the stem is ResNet's.
    patch: int | None = None
    # Let the convolution that looks at the neighborhood keep channels apart.
    depthwise: bool = False
    # Blocks are narrow outside and wide in the middle, instead of the other way round.
    inverted: bool = False
    # The depthwise convolution is the first of a block, instead of the second.
    depthwise_first: bool = False
    # Side of its kernel, an odd number.
    kernel: int = 3
    # The activation, wherever there is one.
    activation: type[nn.Module] = nn.ReLU
    # One activation for each block.
    fewer_activations: bool = False
    # One norm for each block.
    fewer_norms: bool = False
    # Layer normalization, instead of batch normalization.
    layer_norm: bool = False
    # Halve height and width between stages, instead of in the first block of a stage.
    separate: bool = False

    def __post_init__(self) -> None:
        """
        Raises `ValueError` if there are no blocks, if a number is less than 1, if `kernel` is even,
        and for `separate` without what makes a block that of ConvNeXt.
        """
        _require(len(self.blocks) > 0, "blocks must hold a number", self.blocks)
        _require_positive(blocks=self.blocks, width=self.width)
        patch = 1 if self.patch is None else self.patch
        _require_positive(patch=patch, kernel=self.kernel)
        _require(self.kernel % 2 == 1, "kernel must be odd", self.kernel)
        block = (self.depthwise, self.inverted, self.depthwise_first)
        small = (self.fewer_activations, self.fewer_norms, self.layer_norm)
        ready = all(block + small) and self.patch is not None
        _require(
            not self.separate or (ready and self.activation is nn.GELU),
            "separate must come after all other changes",
            self,
        )

    def norm(self, channels: int) -> nn.Module:
        """The normalization of a feature map with a number of `channels`."""
        if self.layer_norm:
            return LayerNorm2d(channels, eps=1e-6)
        return nn.BatchNorm2d(channels)

    def conv(
        self,
        before: int,
        after: int,
        kernel: int,
        *,
        normed: bool = True,
        stride: int = 1,
        groups: int = 1,
    ) -> nn.Conv2d:
        """
        ### A convolution

        * `before` and `after` are the numbers of channels before and after
        * `kernel`, `stride` and `groups` are those of the convolution
        * `normed` says whether a norm follows

        Before batch normalization, [a bias would vanish](../resnet/__init__.py#_conv). Before layer
        normalization it does not: the mean is taken over channels, and each has another bias.

        >>> _ = torch.manual_seed(0)
        >>> z, bias = torch.randn(2, 8, 4, 4), torch.randn(8, 1, 1)
        >>> for norm in nn.BatchNorm2d(8), LayerNorm2d(8):
        ...     print(torch.allclose(norm(z + bias), norm(z), atol=1e-5))
        True
        False
        """
        bias = self.layer_norm or not normed
        return nn.Conv2d(
            before,
            after,
            kernel,
            stride,
            padding=kernel // 2,
            groups=groups,
            bias=bias,
        )


# ## Twelve changes
#
# What each rung changes, under the name of the rung.
CHANGES: Mapping[str, Mapping[str, Any]] = {
    # Swin-T has its blocks in the ratio 1 : 1 : 3 : 1. So half of them work on maps of
    # $14 \times 14$.
    "stage ratio": {"blocks": (3, 3, 9, 3)},
    # ResNet's stem is a $7 \times 7$ convolution and max pooling, each with a stride of 2. This one
    # cuts the image into [patches](../transformers/vit.py#VisionTransformer.embed) of
    # $4 \times 4$ pixels. The maps are as large afterwards.
    "patchify stem": {"patch": 4},
    # A group for each channel: [ResNeXt](../resnet/imagenet.py#Bottleneck) with as many groups as
    # there can be. Now the $3 \times 3$ convolution mixes positions only, as attention does, and
    # the $1 \times 1$ convolutions mix channels only, as an MLP does.
    "depthwise convolution": {"depthwise": True},
    # What was saved is spent on width. There are as many channels as in Swin-T.
    "more width": {"width": 96},
    # An MLP is wide in the middle. So the depthwise convolution has four times as many channels to
    # work on. The network is cheaper in spite of it, because projections on shortcuts now join
    # narrow ends.
    "inverted bottleneck": {"inverted": True},
    # Attention comes before the MLP. On the narrow side, the depthwise convolution costs a quarter.
    # The network is less accurate now, which the next change repairs.
    "depthwise first": {"depthwise_first": True},
    # Attention reaches far: in Swin, over a window of $7 \times 7$ positions. Kernels of 9 and 11
    # gain nothing more (80.57 % and 80.47 %).
    "kernel of 7": {"kernel": 7},
    # Transformers have the [GELU](../transformers/__init__.py#MLP), a smooth ReLU. By itself, it
    # makes no difference here.
    "GELU": {"activation": nn.GELU},
    # An MLP has one activation, between its two layers. All others go. So does the one after the
    # addition, and nothing is left [on the shortcut](../resnet/preactivation.py). Of the small
    # changes, this one gains most.
    "fewer activations": {"fewer_activations": True},
    # One norm stays, before the MLP. A Transformer block has two.
    "fewer norms": {"fewer_norms": True},
    # Now batches do not matter any more. In the original ResNet, says the paper, layer
    # normalization does worse.
    "layer normalization": {"layer_norm": True},
    # Layers of their own halve height and width, by a $2 \times 2$ convolution with a stride of 2.
    # All blocks keep the shape, and all shortcuts are the identity. With this change alone,
    # training diverged. Three more norms repair that: before each of these layers, after the stem,
    # and after the last average.
    "separate downsampling": {"separate": True},
}


def climb() -> dict[str, Design]:
    """
    ## From rung to rung

    Returns the design of each rung. The first is ResNet-50, the last is ConvNeXt-T.

    >>> replace(LADDER['depthwise convolution'], width=96) == LADDER['more width']
    True
    """
    design = Design()
    ladder = {"ResNet-50": design}
    for name, change in CHANGES.items():
        design = replace(design, **change)
        ladder[name] = design
    return ladder


LADDER = climb()


class LadderBlock(Module):
    """
    ## The block, from rung to rung

    Three convolutions and a shortcut, for all rungs but the last. These are its layers on some of
    them, with the channels after each convolution:

    >>> def layers(rung):
    ...     block = LadderBlock(64, 64, 1, LADDER[rung])
    ...     for layer in block.block:
    ...         size = getattr(layer, 'kernel_size', None)
    ...         name = type(layer).__name__.replace('2d', '')
    ...         yield f'{size[0]}:{layer.out_channels}' if size else name
    >>> for rung in ('ResNet-50', 'inverted bottleneck', 'depthwise first',
    ...              'fewer activations', 'layer normalization'):
    ...     print(*layers(rung))
    1:16 BatchNorm ReLU 3:16 BatchNorm ReLU 1:64 BatchNorm
    1:256 BatchNorm ReLU 3:256 BatchNorm ReLU 1:64 BatchNorm
    3:64 BatchNorm ReLU 1:256 BatchNorm ReLU 1:64 BatchNorm
    7:64 BatchNorm 1:256 BatchNorm GELU 1:64 BatchNorm
    7:64 LayerNorm 1:256 GELU 1:64
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, design: Design
    ) -> None:
        """
        * `in_channels` is the number of channels before the block
        * `out_channels` is the number of channels after it
        * `stride` divides height and width, in the convolution that looks at the neighborhood
        * `design` is the rung

        Raises `ValueError` if a number is less than 1.
        """
        super().__init__()
        _require_positive(
            in_channels=in_channels, out_channels=out_channels, stride=stride
        )
        middle = 4 * out_channels if design.inverted else out_channels // 4
        # Channels before and after each convolution, and which of them looks at the neighborhood.
        if design.depthwise_first:
            channels, looking = [in_channels, in_channels, middle], 0
        else:
            channels, looking = [in_channels, middle, middle], 1
        channels.append(out_channels)
        # Norms and activations follow the convolutions. The first norm stays to the end, and so
        # does the second activation, the one between the two $1 \times 1$ convolutions.
        self.block = nn.Sequential()
        for i in range(3):
            before, after = channels[i], channels[i + 1]
            normed = i == 0 or not design.fewer_norms
            if i == looking:
                conv = design.conv(
                    before,
                    after,
                    design.kernel,
                    normed=normed,
                    stride=stride,
                    groups=before if design.depthwise else 1,
                )
            else:
                conv = design.conv(before, after, 1, normed=normed)
            self.block.append(conv)
            if normed:
                self.block.append(design.norm(after))
            if i == 1 or (i == 0 and not design.fewer_activations):
                self.block.append(design.activation())
        # Where the shape changes, the shortcut is a projection. Else it is empty.
        self.shortcut = nn.Sequential()
        if stride > 1 or in_channels != out_channels:
            self.shortcut.append(
                design.conv(in_channels, out_channels, 1, stride=stride)
            )
            self.shortcut.append(design.norm(out_channels))
        self.act = (
            nn.Identity() if design.fewer_activations else design.activation()
        )

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """
        * `x` has shape `[batch, in_channels, height, width]`

        Returns shape `[batch, out_channels, height / stride, width / stride]`, rounded up.

        >>> block = LadderBlock(16, 32, 2, LADDER['kernel of 7'])
        >>> block(torch.randn(2, 16, 7, 9)).shape
        torch.Size([2, 32, 4, 5])
        """
        y: Tensor = self.act(self.block(x) + self.shortcut(x))
        return y


def build(
    design: Design, n_classes: int = 1000, channels: int = 3
) -> nn.Module:
    """
    ## The network of a rung

    * `design` is the rung
    * `n_classes` is the number of classes
    * `channels` is the number of channels in the image

    Returns a network that turns images into logits. The top of the ladder is
    [ConvNeXt](__init__.py#ConvNeXt) itself. Raises `ValueError` if a number is less than 1.

    >>> for rung in 'ResNet-50', 'more width', 'separate downsampling':
    ...     with torch.device('meta'):
    ...         model = build(LADDER[rung])
    ...     n = sum(p.numel() for p in model.parameters())
    ...     print(f'{n:,} {count_multiply_adds(model):,}')
    25,557,032 4,089,184,256
    33,760,936 5,267,976,960
    28,589,128 4,455,531,264
    """
    _require_positive(n_classes=n_classes, channels=channels)
    width, patch = design.width, design.patch
    if design.separate:
        assert patch is not None  # `Design` sees to it.
        return ConvNeXt(
            design.blocks,
            width,
            n_classes=n_classes,
            channels=channels,
            patch=patch,
            kernel=design.kernel,
        )
    # The stem, and the blocks of all stages, one after the other.
    network = nn.Sequential()
    if patch is None:
        network.append(design.conv(channels, width, 7, stride=2))
        network.append(design.norm(width))
        network.append(design.activation())
        network.append(nn.MaxPool2d(3, stride=2, padding=1))
    else:
        network.append(nn.Conv2d(channels, width, patch, stride=patch))
    before = width
    for i, n_blocks in enumerate(design.blocks):
        # Blocks are wide outside, until they are inverted.
        after = width * 2**i * (1 if design.inverted else 4)
        for j in range(n_blocks):
            stride = 2 if i > 0 and j == 0 else 1
            network.append(LadderBlock(before, after, stride, design))
            before = after
    network.append(nn.AdaptiveAvgPool2d(1))
    network.append(nn.Flatten(1))
    network.append(nn.Linear(before, n_classes))
    return network
