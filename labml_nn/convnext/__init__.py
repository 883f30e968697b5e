r"""
---
title: ConvNeXt
summary: >-
  A residual network with everything that a Transformer has, except attention: its block, line by
  line, and four networks equal to torchvision's.
symbols:
  \gamma: ConvNeXtBlock.layer_scale
hook: Everything that a Transformer has, except attention.
pictogram: pictograms/convnext.svg
papers:
  - title: A ConvNet for the 2020s
    authors: [Zhuang Liu, Hanzi Mao, Chao-Yuan Wu, Christoph Feichtenhofer, Trevor Darrell,
      Saining Xie]
    year: 2022
    arxiv: 2201.03545
before: >-
  [The bottleneck block](../resnet/__init__.py#BottleneckResidualBlock) and
  [the Transformer block](../transformers/__init__.py#Block).
next: >-
  [From ResNet to ConvNeXt](ladder.py): twelve changes, each of which runs.
  [Train a ConvNeXt](experiment.py): on digits, in a minute.
---

# ConvNeXt

In 2021, Transformers had overtaken convolutional networks in image recognition, and attention was
thought to be the reason. [This paper](https://arxiv.org/abs/2201.03545) puts that to the test. It
takes a ResNet-50 and changes [one thing after another](ladder.py) to what a Transformer does, but
never adds attention. The result is ConvNeXt. It has nothing but convolutions, and on ImageNet it is
more accurate than Swin-T, a Transformer of the same cost: 82.0 % against 81.3 % (section 2.6).

## Three blocks

![Three blocks, each with a shortcut from x to y. ResNet: 1×1, a narrow 3×3 and 1×1, with an
activation after the addition. ConvNeXt: a depthwise 7×7 convolution, a norm, and an MLP with a wide
middle. Transformer: a norm and attention, then a norm and an MLP, each with a shortcut of its
own.](blocks.svg)

The bottleneck of a ResNet reduces the channels, looks at the neighborhood, and restores the
channels. A [Transformer block](../transformers/__init__.py#the-residual-stream) has two branches.
In the first, attention moves information between positions. In the second, an MLP with four times
as many features computes at each position:

$$x' = x + \mathrm{Attention}(\mathrm{norm}(x))$$

$$y = x' + \mathrm{MLP}(\mathrm{norm}(x'))$$

ConvNeXt keeps the MLP and its norm. In place of attention it has a *depthwise* convolution $d$,
which looks at the neighborhood in each channel by itself. With a learned factor $\gamma$ for each
channel,

$$y = x + \gamma \odot \mathrm{MLP}(\mathrm{norm}(d * x))$$

Attention and depthwise convolution both take weighted sums over positions. The weights of the
convolution are learned. They are the same for all images and positions, and reach as far as the
kernel. Attention computes its weights from the image, and they reach everywhere.

## Four networks

Each stage has maps half as high and wide as the stage before, and twice as many channels.
Parameters, and multiply-adds in billions for one image of $224 \times 224$, are counted with the
code below. The accuracy is the paper's: top-1 on ImageNet, without other data (table 1).

| network | blocks | channels | parameters | multiply-adds | accuracy |
|---|---|---|--:|--:|--:|
| `convnext_tiny` | 3, 3, 9, 3 | 96 … 768 | 28,589,128 | 4.456 | 82.1 % |
| `convnext_small` | 3, 3, 27, 3 | 96 … 768 | 50,223,688 | 8.684 | 83.1 % |
| `convnext_base` | 3, 3, 27, 3 | 128 … 1024 | 88,591,464 | 15.355 | 83.8 % |
| `convnext_large` | 3, 3, 27, 3 | 192 … 1536 | 197,767,336 | 34.361 | 84.3 % |

The weights that torchvision offers were trained by another recipe, and have 82.5, 83.6, 84.1 and
84.4 % ([its table](https://docs.pytorch.org/vision/stable/models.html)).

## What the paper says and what we chose

* **The paper**: the block, the stages, where norms are, layer scale and stochastic depth. The last
  two belong to its training (section 3.1).
* **torchvision**: the names and shapes of all weights, the values they start with, and the file
  format.
* **We**: networks of any depth, width and patch, so that they fit [small images](experiment.py),
  and stochastic depth only where it is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float
from labml_helpers.module import Module
from torch import Tensor, nn

from labml_nn.resnet import _require, _require_positive
from labml_nn.resnet.imagenet import (
    count_multiply_adds,  # noqa: F401 - for the examples
)
from labml_nn.training.weights import find_weights, start_from
from labml_nn.transformers import MLP  # noqa: F401 - for the examples


class LayerNorm2d(nn.LayerNorm):
    """
    ## Layer normalization of a feature map

    As in a Transformer, each position is
    [normalized by itself](../normalization/__init__.py#LayerNorm), over its channels. These have to
    be the last dimension for that.

    >>> _ = torch.manual_seed(0)
    >>> x = 2 * torch.randn(2, 8, 4, 5) + 1
    >>> bool(LayerNorm2d(8)(x).mean(dim=1).abs().max() < 1e-6)
    True
    """

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Takes `x` of shape `[batch, channels, height, width]`, and returns the same shape."""
        last = super().forward(x.permute(0, 2, 3, 1))
        return last.permute(0, 3, 1, 2)


class Permute(Module):
    """Puts the dimensions of a tensor into another order."""

    def __init__(self, *dims: int) -> None:
        """`dims` are the numbers of the dimensions in their new order."""
        super().__init__()
        self.dims = dims

    def forward(self, x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Returns a view of `x`."""
        return x.permute(self.dims)


class StochasticDepth(Module):
    r"""
    ### Stochastic depth

    [In residual networks](../resnet/ensemble.py#StochasticDepthBlock), one draw decides whether all
    images of a batch pass through a block, and in use the residual is multiplied by $p$, the
    probability of that. Here each image has a draw of its own. What is kept is divided by $p$ in
    training, so the mean is right at once, and in use there is nothing left to do.

    >>> _ = torch.manual_seed(0)
    >>> kept = StochasticDepth(0.8)(torch.ones(1000, 1, 1, 1))
    >>> kept.unique(), bool((kept.mean() - 1).abs() < 0.05)
    (tensor([0.0000, 1.2500]), True)
    """

    def __init__(self, survival: float) -> None:
        """
        * `survival` is $p$

        Raises `ValueError` if it is not above 0 and at most 1.
        """
        super().__init__()
        rule = "survival must be above 0 and at most 1"
        _require(0 < survival <= 1, rule, survival)
        self.survival = survival

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Takes a residual `x` of shape `[batch, channels, height, width]`; returns the same."""
        if not self.training or self.survival == 1:
            return x
        draws = x.new_empty(len(x), 1, 1, 1).bernoulli_(self.survival)
        return x * (draws / self.survival)


class ConvNeXtBlock(Module):
    r"""
    ## The ConvNeXt block

    This is the equation from above, line by line:

    $$y = x + \gamma \odot \mathrm{MLP}(\mathrm{norm}(d * x))$$

    Its second half *is* the [MLP of a Transformer](../transformers/__init__.py#MLP):

    >>> _ = torch.manual_seed(0)
    >>> block, mlp = ConvNeXtBlock(8, scale=1.0), MLP(8, hidden=32)
    >>> conv, _, norm, first, _, second, _ = block.block
    >>> _ = mlp[0].load_state_dict(first.state_dict())
    >>> _ = mlp[3].load_state_dict(second.state_dict())
    >>> x = torch.randn(2, 8, 5, 6)
    >>> y = x + mlp(norm(conv(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
    >>> torch.allclose(block(x), y, atol=1e-6)
    True

    With 96 channels, the depthwise convolution has 6 % of the weights of a block:

    >>> block = ConvNeXtBlock(96)
    >>> weights = [p.numel() for p in block.parameters() if p.ndim > 1]
    >>> weights[1:], round(weights[1] / sum(weights), 2)
    ([4704, 36864, 36864], 0.06)
    """

    def __init__(
        self,
        channels: int,
        kernel: int = 7,
        *,
        scale: float = 1e-6,
        survival: float = 1.0,
    ) -> None:
        r"""
        * `channels` is the number of channels of $x$ and $y$
        * `kernel` is the side of the depthwise kernel, an odd number
        * `scale` is the value of $\gamma$ before training
        * `survival` is the probability that an image passes through the block in training

        Raises `ValueError` if a number is less than 1, for an even `kernel`, and if `survival` is
        not above 0 and at most 1.
        """
        super().__init__()
        _require_positive(channels=channels, kernel=kernel)
        _require(kernel % 2 == 1, "kernel must be odd", kernel)
        self.block = nn.Sequential(
            # Look at the neighborhood, in each channel by itself.
            nn.Conv2d(
                channels, channels, kernel, padding=kernel // 2, groups=channels
            ),
            # From here on, channels come last. A norm over channels needs it, and a $1 \times 1$
            # convolution is a linear layer at each position.
            Permute(0, 2, 3, 1),
            nn.LayerNorm(channels, eps=1e-6),
            # The MLP.
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
            Permute(0, 3, 1, 2),
        )
        # With $\gamma$ close to zero, every block starts close to the identity, and the network as
        # a shallow one ([Touvron et al., 2021](https://arxiv.org/abs/2103.17239)). Training turns
        # its blocks on, channel by channel.
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), scale))
        self.stochastic_depth = StochasticDepth(survival)

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Takes `x` of shape `[batch, channels, height, width]`, and returns the same shape."""
        residual = self.layer_scale * self.block(x)
        y: Tensor = x + self.stochastic_depth(residual)
        return y


class ConvNeXt(Module):
    r"""
    ## The network

    A stem cuts the image into [patches](../transformers/vit.py#VisionTransformer.embed), as in a
    Vision Transformer. Between stages, a $2 \times 2$ convolution with a stride of 2 does the same
    with the maps. So all blocks keep the shape, and no shortcut needs a projection. This network is
    on the meta device, where tensors have shapes but take no memory:

    >>> with torch.device('meta'):
    ...     model = convnext('convnext_tiny')
    >>> sum(p.numel() for p in model.parameters())
    28589128
    >>> count_multiply_adds(model)
    4455531264
    """

    def __init__(
        self,
        blocks: Sequence[int],
        width: int,
        *,
        n_classes: int = 1000,
        channels: int = 3,
        patch: int = 4,
        kernel: int = 7,
        scale: float = 1e-6,
        depth_rate: float = 0.0,
    ) -> None:
        r"""
        * `blocks` is the number of blocks in each stage
        * `width` is the number of channels in the first stage
        * `n_classes` is the number of classes
        * `channels` is the number of channels in the image
        * `patch` is the side of the patches
        * `kernel` and `scale` are those of [each block](#ConvNeXtBlock)
        * `depth_rate` is the probability that an image passes around the last block in training;
          from the first block on, where it is zero, it grows along a straight line

        Raises `ValueError` if a number is less than 1, for an even `kernel`, and if `depth_rate` is
        not at least 0 and less than 1.
        """
        super().__init__()
        _require(len(blocks) > 0, "blocks must hold a number", blocks)
        _require_positive(blocks=blocks, width=width, patch=patch)
        _require_positive(n_classes=n_classes, channels=channels)
        rule = "depth_rate must be at least 0 and less than 1"
        _require(0 <= depth_rate < 1, rule, depth_rate)

        # Norms stand wherever height and width change: after the stem, before each halving, and
        # after the last average. Without them, training diverged (section 2.6).
        stem = nn.Conv2d(channels, width, patch, stride=patch)
        self.features = nn.Sequential(
            nn.Sequential(stem, LayerNorm2d(width, eps=1e-6))
        )
        number, last = 0, max(sum(blocks) - 1, 1)
        for i, n_blocks in enumerate(blocks):
            if i > 0:
                norm = LayerNorm2d(width, eps=1e-6)
                halve = nn.Conv2d(width, 2 * width, 2, stride=2)
                self.features.append(nn.Sequential(norm, halve))
                width *= 2
            stage = nn.Sequential()
            for _ in range(n_blocks):
                survival = 1 - depth_rate * number / last
                stage.append(
                    ConvNeXtBlock(width, kernel, scale=scale, survival=survival)
                )
                number += 1
            self.features.append(stage)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            LayerNorm2d(width, eps=1e-6),
            nn.Flatten(1),
            nn.Linear(width, n_classes),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(cast(Tensor, layer.bias))

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch n_classes"]:
        """
        * `images` has shape `[batch, channels, height, width]`

        Returns logits of shape `[batch, n_classes]`.

        >>> model = ConvNeXt([1, 1, 2], width=8, n_classes=10, patch=2)
        >>> model(torch.randn(2, 3, 32, 48)).shape
        torch.Size([2, 10])
        """
        maps = self.avgpool(self.features(images))
        return cast(Tensor, self.classifier(maps))


@dataclass(frozen=True)
class Size:
    """
    ## Sizes

    The numbers of the table above.
    """

    # Blocks in each stage.
    blocks: tuple[int, ...]
    # Channels of the first stage.
    width: int


SIZES = {
    "convnext_tiny": Size((3, 3, 9, 3), 96),
    "convnext_small": Size((3, 3, 27, 3), 96),
    "convnext_base": Size((3, 3, 27, 3), 128),
    "convnext_large": Size((3, 3, 27, 3), 192),
}


def convnext(name: str, n_classes: int = 1000) -> ConvNeXt:
    """
    Returns the network `name`, one of `SIZES`, with random weights and `n_classes` outputs. Raises
    `ValueError` for another name.
    """
    _require(name in SIZES, f"name must be one of {list(SIZES)}", name)
    size = SIZES[name]
    return ConvNeXt(size.blocks, size.width, n_classes=n_classes)


def load_torchvision(path: Path | str, model: ConvNeXt) -> ConvNeXt:
    r"""
    ## Loading torchvision's weights

    ```python
    model = convnext("convnext_tiny")
    load_torchvision("convnext_tiny-983f1562.pth", model).eval()
    ```

    * `path` is a file of [those that torchvision
      offers](https://docs.pytorch.org/vision/stable/models.html)
    * `model` is the network to load it into

    Returns `model`. If it has another number of classes, its last layer keeps its random weights.
    [Nothing in the file can run](../training/weights.py#read_weights). Raises
    [`CheckpointError`](../training/checkpoint.py#CheckpointError) if the file cannot be read or
    does not fit. Colors are expected [as everywhere](../resnet/imagenet.py#load_torchvision) in
    torchvision.
    """
    start_from(find_weights(Path(path)), model, path)
    return model
