r"""
---
title: ResNet, ResNeXt and Wide ResNet for ImageNet
summary:
  Ten networks from one class, with the names and shapes of torchvision's weights, and each of
  their figures measured and compared with the literature.
symbols:
  W_1: Bottleneck.conv1
  W_2: Bottleneck.conv2
  W_3: Bottleneck.conv3
hook: Ten famous networks from one class, and every figure measured.
pictogram: pictograms/imagenet.svg
papers:
  - title: Deep Residual Learning for Image Recognition
    authors: [Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun]
    year: 2015
    arxiv: 1512.03385
  - title: Aggregated Residual Transformations for Deep Neural Networks
    authors: [Saining Xie, Ross Girshick, Piotr Dollár, Zhuowen Tu, Kaiming He]
    year: 2016
    arxiv: 1611.05431
  - title: Wide Residual Networks
    authors: [Sergey Zagoruyko, Nikos Komodakis]
    year: 2016
    arxiv: 1605.07146
before: "[Residual networks](__init__.py)."
next: >-
  [Under torchvision's names](models.py): a function for each of the ten.
  [From ResNet to ConvNeXt](../convnext/ladder.py): ResNet-50 and twelve changes.
---

# ResNet, ResNeXt and Wide ResNet for ImageNet

The page on [residual networks](__init__.py) explains the idea and builds networks of any size. Ten
of them have become common tools, because torchvision offers them with weights trained on ImageNet.
One class is enough for all ten: they differ in the kind of block, in the number of blocks in each
stage, in the width of the block's middle, and in its number of groups.

Every weight has the name and shape that it has in torchvision 0.29, which makes this page a test of
understanding with a clear answer: the published files [load](#load_torchvision), or they do not.
Functions [under torchvision's names](models.py) make the same networks, and with such a file they
can be [fine-tuned](finetune.py) on pictures of one's own.

## The ten networks and their figures

Parameters, and multiply-adds in billions for one image of $224 \times 224$, are measured with the
code below. The small letters say where published figures come from.

| network | parameters | published | multiply-adds | published |
|---|--:|---|--:|---|
| ResNet-18 | 11,689,512 | 11,689,512ᵗ | 1.814 | 1.8ʰ, 1.81ᵗ |
| ResNet-34 | 21,797,672 | 21,797,672ᵗ | 3.664 | 3.6ʰ, 3.66ᵗ |
| ResNet-50 | 25,557,032 | 25.5 Mˣ, 25.6 Mʷ | 4.089 | 3.8ʰ, 4.1ˣ, 4.09ᵗ |
| ResNet-101 | 44,549,160 | 44.5 Mʷ | 7.801 | 7.6ʰ, 7.80ᵗ |
| ResNet-152 | 60,192,808 | 60.2 Mʷ | 11.514 | 11.3ʰ, 11.51ᵗ |
| ResNeXt-50 32×4d | 25,028,904 | 25.0 Mˣ | 4.230 | 4.2ˣ, 4.23ᵗ |
| ResNeXt-101 32×8d | 88,791,336 | 88,791,336ᵗ | 16.414 | 16.41ᵗ |
| ResNeXt-101 64×4d | 83,455,272 | 83,455,272ᵗ | 15.460 | 15.46ᵗ |
| Wide ResNet-50-2 | 68,883,240 | 68.9 Mʷ | 11.398 | 11.40ᵗ |
| Wide ResNet-101-2 | 126,886,696 | 126,886,696ᵗ | 22.753 | 22.75ᵗ |

* ʰ [He et al. 2015](https://arxiv.org/abs/1512.03385), table 1 (its FLOPs are multiply-adds)
* ˣ [Xie et al. 2016](https://arxiv.org/abs/1611.05431), the ResNeXt paper, table 1
* ʷ [Zagoruyko and Komodakis 2016](https://arxiv.org/abs/1605.07146), the Wide ResNet paper, in the
  table on [the page of their model](https://github.com/szagoruyko/wide-residual-networks/tree/master/pretrained)
* ᵗ [torchvision's documentation](https://pytorch.org/vision/stable/models.html)

Where ʰ differs from what we measure there is a reason: with 50 layers and more it is
[the place of the stride](#Bottleneck), with 34 it is [the shortcuts](#count_multiply_adds).

## Who decided what

* **The papers**: the stem, the blocks and their number, normalization after every convolution and
  global average pooling (He et al.), groups (Xie et al.), a wider bottleneck (Zagoruyko and
  Komodakis).
* **torchvision**: names, projections (option B) in all ten, the stride in the $3 \times 3$,
  `planes` and `base_width` to describe a block, and the options of the [network](#ResNet.__init__).
* **We**: that a block makes its own shortcut, that [a network is a row of a table](#Network), and
  everything from `count_multiply_adds` on.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Shaped
from labml_helpers.module import Module
from torch import Tensor, nn

from labml_nn.printing import printable
from labml_nn.resnet import _conv, _require, _require_positive
from labml_nn.training.checkpoint import CheckpointError
from labml_nn.training.weights import check_weights, read_weights

# Makes a normalization for a number of channels: `nn.BatchNorm2d`, or a function of yours.
NormLayer = Callable[[int], nn.Module]


def make_downsample(
    in_channels: int, out_channels: int, stride: int, norm_layer: NormLayer
) -> nn.Sequential:
    r"""
    ## The shortcut

    * `in_channels`, `out_channels` and `stride` are those of the layers to bypass
    * `norm_layer` makes a normalization for a number of channels

    Where the shape changes this is a [projection](__init__.py#ShortcutProjection), torchvision's
    `downsample.0` and `downsample.1`. Elsewhere it is empty: such an `nn.Sequential` returns what
    it gets, and adds no weights to a file.
    """
    if stride == 1 and in_channels == out_channels:
        return nn.Sequential()
    return nn.Sequential(
        _conv(in_channels, out_channels, 1, stride), norm_layer(out_channels)
    )


class BasicBlock(Module):
    r"""
    ## Basic block

    Two $3 \times 3$ convolutions, as in ResNet-18 and 34. It is the
    [residual block](__init__.py#ResidualBlock) that we know, under other names.
    """

    # How many times more channels the block returns than `planes` says
    expansion = 1

    def __init__(
        self,
        in_channels: int,
        planes: int,
        stride: int = 1,
        *,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: NormLayer = nn.BatchNorm2d,
    ) -> None:
        r"""
        * `in_channels` is the number of channels in $x$
        * `planes` is the number of channels in $y$
        * `stride` is the stride of the first convolution
        * `groups`, `base_width` and `dilation` must be 1, 64 and 1; they are there so that both
          blocks are made in the same way
        * `norm_layer` makes a normalization for a number of channels

        Raises `ValueError` if a number is less than 1, for other `groups` or `base_width` and if
        `norm_layer` is no function; `NotImplementedError` for another `dilation`, like torchvision.
        """
        super().__init__()
        _require_positive(in_channels=in_channels, planes=planes, stride=stride)
        _require(
            (groups, base_width) == (1, 64),
            "groups and base_width of a BasicBlock must be 1 and 64",
            (groups, base_width),
        )
        if dilation != 1:
            raise NotImplementedError(
                f"dilation of a BasicBlock must be 1, got {dilation!r}"
            )
        _require_norm_layer(norm_layer)
        self.conv1 = _conv(in_channels, planes, 3, stride)
        self.bn1 = norm_layer(planes)
        self.conv2 = _conv(planes, planes, 3)
        self.bn2 = norm_layer(planes)
        # A ReLU has no weights, so one can serve in both places.
        self.relu = nn.ReLU()
        self.downsample = make_downsample(
            in_channels, planes, stride, norm_layer
        )

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch planes out_height out_width"]:
        """
        * `x` has shape `[batch, in_channels, height, width]`

        Returns shape `[batch, planes, height / stride, width / stride]`, rounded up.
        """
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        y: Tensor = self.relu(residual + self.downsample(x))
        return y


class Bottleneck(Module):
    r"""
    ## Bottleneck

    A $1 \times 1$ convolution reduces the channels, a $3 \times 3$ works on the few, and another
    $1 \times 1$ restores the many. With $\sigma$ for ReLU, and leaving out normalization,

    $$\mathcal{F}(x) = W_3 \, \sigma(W_2 \, \sigma(W_1 x))$$

    ### Where the stride stands

    In the first block of a stage, one of the three halves height and width. In the models that the
    paper's authors released it is $W_1$: the first convolution, as in the basic block, and the
    cheapest choice, as all three then work on a quarter of the positions only. But a $1 \times 1$
    kernel that takes every second row and column never looks at the others, and drops three
    quarters of its input unseen. The windows of a $3 \times 3$ kernel overlap even with a stride of
    2. Here is the share of the positions that have an influence:

    >>> def share(conv):
    ...     x = torch.ones(1, 1, 8, 8, requires_grad=True)
    ...     conv(x).sum().backward()
    ...     return x.grad.count_nonzero().item() / x.numel()
    >>> [share(_conv(1, 1, size, stride=2)) for size in (1, 3)]
    [0.25, 1.0]

    Facebook's [Torch version](https://github.com/facebookarchive/fb.resnet.torch) moved the stride
    to $W_2$; the ResNeXt paper (section 4) and torchvision followed. NVIDIA
    [reports](https://pytorch.org/hub/nvidia_deeplearningexamples_resnet50/) about half a percent
    more top-1 accuracy for it. In three blocks of the network $W_1$ now costs four times as much.
    That is 0.23 billion multiply-adds, nearly all of the difference between the paper's 3.8 billion
    and [our 4.1](#count_multiply_adds): with the stride in its old place, we would count 3.86.
    Weights do not show where a stride stands, so files trained for the other place load as well,
    and mislead.

    ### Groups and width

    ![Three bottlenecks of the first stage, from 256 to 256 channels: resnet50 has 64 inside,
    resnext50_32x4d has 128 and a 3×3 convolution cut into 32 strands, wide_resnet50_2 has 128 and
    is not cut.](three-bottlenecks.svg)

    A bottleneck with $p$ planes, $C$ groups and a base width of $d$ has inside

    $$w = \left\lfloor p \cdot \frac{d}{64} \right\rfloor \cdot C$$

    channels. With $C = 1$ and $d = 64$ that is $p$, the plain bottleneck.

    * **ResNeXt**: $C = 32$ and $d = 4$. The $3 \times 3$ convolution falls into 32 small ones, so
      the block is a sum of 32 narrow paths (figure 3). Xie et al. call $C$ the *cardinality*, and
      gain more from it than from more depth or width (section 5.1).
    * **Wide ResNet**: $C = 1$ and $d = 128$, twice the channels inside, no more outside.

    In the first stage, a path of width $d$ has $256 d + 9 d^2 + 256 d$ weights (equation 4 of the
    ResNeXt paper). So 32 paths of 4 cost about as much as one of 64:

    >>> for C, d in (1, 64), (32, 4), (1, 128):
    ...     block = Bottleneck(256, 64, groups=C, base_width=d)
    ...     convs = block.conv1, block.conv2, block.conv3
    ...     print(sum(conv.weight.numel() for conv in convs))
    69632
    70144
    212992
    """

    # The paper's factor. It multiplies `planes`, so groups and width change nothing outside.
    expansion = 4

    def __init__(
        self,
        in_channels: int,
        planes: int,
        stride: int = 1,
        *,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: NormLayer = nn.BatchNorm2d,
    ) -> None:
        r"""
        * `in_channels` is the number of channels in $x$
        * `planes` is $p$, a quarter of the number of channels in $y$
        * `stride` is the stride of the $3 \times 3$ convolution
        * `groups` is $C$, the number of groups of the $3 \times 3$ convolution
        * `base_width` is $d$, the width of a group where `planes` is 64
        * `dilation` is the distance between the positions that the $3 \times 3$ kernel reads
        * `norm_layer` makes a normalization for a number of channels

        Raises `ValueError` if a number is less than 1, if `base_width` leaves no channel, or if
        `norm_layer` is no function.
        """
        super().__init__()
        width = planes * base_width // 64 * groups
        _require_positive(in_channels=in_channels, planes=planes, stride=stride)
        _require_positive(
            groups=groups, base_width=base_width, dilation=dilation, width=width
        )
        _require_norm_layer(norm_layer)
        self.conv1 = _conv(in_channels, width, 1)
        self.bn1 = norm_layer(width)
        # A kernel with gaps reaches further: the padding is as wide as the dilation.
        self.conv2 = nn.Conv2d(
            width, width, 3, stride, dilation, dilation, groups, bias=False
        )
        # As in torchvision. PyTorch reads the fan-out off the shape and ignores groups: with 32,
        # the variance is a thirty-second of what the rule asks for. Normalization makes up for it.
        nn.init.kaiming_normal_(
            self.conv2.weight, mode="fan_out", nonlinearity="relu"
        )
        self.bn2 = norm_layer(width)
        self.conv3 = _conv(width, planes * self.expansion, 1)
        self.bn3 = norm_layer(planes * self.expansion)
        self.relu = nn.ReLU()
        self.downsample = make_downsample(
            in_channels, planes * self.expansion, stride, norm_layer
        )

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """
        * `x` has shape `[batch, in_channels, height, width]`

        Returns shape `[batch, 4 * planes, height / stride, width / stride]`, rounded up.
        """
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.relu(self.bn2(self.conv2(residual)))
        residual = self.bn3(self.conv3(residual))
        y: Tensor = self.relu(residual + self.downsample(x))
        return y


@dataclass(frozen=True)
class Network:
    """## A network in one row"""

    # The kind of block, and how many of them in each of the four stages
    block: type[BasicBlock] | type[Bottleneck]
    n_blocks: tuple[int, ...]
    # The groups of a bottleneck, and how wide one is where `planes` is 64
    groups: int = 1
    base_width: int = 64

    def __post_init__(self) -> None:
        """Raises `ValueError` unless there are four stages with a block or more in each."""
        _require(
            len(self.n_blocks) == 4 and min(self.n_blocks) >= 1,
            "n_blocks must hold 4 numbers of at least 1, one for each stage",
            self.n_blocks,
        )


# All ten, under torchvision's names. The first number counts the layers of stem, blocks and top:
# $1 + 3 \cdot (3 + 4 + 6 + 3) + 1 = 50$. And `32x4d` means 32 groups with a base width of 4.
NETWORKS = {
    "resnet18": Network(BasicBlock, (2, 2, 2, 2)),
    "resnet34": Network(BasicBlock, (3, 4, 6, 3)),
    "resnet50": Network(Bottleneck, (3, 4, 6, 3)),
    "resnet101": Network(Bottleneck, (3, 4, 23, 3)),
    "resnet152": Network(Bottleneck, (3, 8, 36, 3)),
    "resnext50_32x4d": Network(Bottleneck, (3, 4, 6, 3), 32, 4),
    "resnext101_32x8d": Network(Bottleneck, (3, 4, 23, 3), 32, 8),
    "resnext101_64x4d": Network(Bottleneck, (3, 4, 23, 3), 64, 4),
    "wide_resnet50_2": Network(Bottleneck, (3, 4, 6, 3), 1, 128),
    "wide_resnet101_2": Network(Bottleneck, (3, 4, 23, 3), 1, 128),
}


class ResNet(Module):
    r"""
    ## The network

    `ResNet('resnet50')` is one of the ten, and a `Network` of your own makes another. The five of
    the first paper compute what a [`ResNetBase`](__init__.py#ResNetBase) does, and have the same
    weights in the same order:

    >>> from labml_nn.resnet import ResNetBase
    >>> _ = torch.manual_seed(0)
    >>> base = ResNetBase([2, 2, 2, 2], [64, 128, 256, 512]).eval()
    >>> model = ResNet('resnet18').eval()
    >>> ours, theirs = model.state_dict(), base.state_dict()
    >>> _ = model.load_state_dict(
    ...     dict(zip(ours, theirs.values())), strict=False)
    >>> list(ours)[len(theirs):]
    ['fc.weight', 'fc.bias']
    >>> x = torch.randn(1, 3, 64, 64)
    >>> torch.allclose(model.features(x).mean((2, 3)), base(x))
    True

    ### Dilation instead of stride

    Of an image of $224 \times 224$, the last stage has a map of $7 \times 7$. That will do to say
    what is in the image, but not *where*. To label every pixel one would like a finer map from the
    same trained weights. A stage without its stride returns one that is twice as fine, but then
    the $3 \times 3$ kernels after it look at neighbors half as far away as those they were trained
    on. A dilation of 2 restores the distance
    ([Yu and Koltun 2015](https://arxiv.org/abs/1511.07122)), and nothing is lost: the numbers that
    the stride gives stand at every second position, or at every fourth with two stages changed:

    >>> network = Network(Bottleneck, (1, 1, 2, 2))
    >>> strided = ResNet(network).eval()
    >>> dilated = ResNet(network, replace_stride_with_dilation=(
    ...     False, True, True)).eval()
    >>> _ = dilated.load_state_dict(strided.state_dict())
    >>> coarse, fine = strided.features(x), dilated.features(x)
    >>> coarse.shape, fine.shape
    (torch.Size([1, 2048, 2, 2]), torch.Size([1, 2048, 8, 8]))
    >>> torch.allclose(fine[..., ::4, ::4], coarse, atol=1e-3)
    True
    """

    def __init__(
        self,
        network: Network | str,
        n_classes: int = 1000,
        *,
        zero_init_residual: bool = False,
        replace_stride_with_dilation: Sequence[bool] = (False, False, False),
        norm_layer: NormLayer = nn.BatchNorm2d,
    ) -> None:
        r"""
        * `network` is a row of the table or its name
        * `n_classes` is the number of classes
        * `zero_init_residual` sets the weight of the last normalization of each block to zero. Then
          $\mathcal{F}(x) = 0$ at first, and the network starts out as if it were shallow
          ([Goyal et al. 2017](https://arxiv.org/abs/1706.02677), section 5.1)
        * `replace_stride_with_dilation` says for the second, third and fourth stage whether to put
          a dilation in the place of the stride
        * `norm_layer` makes all normalizations, such as `partial(nn.GroupNorm, 32)`

        Raises `ValueError` for an unknown name, for less than one class, if there are not three
        dilations, if `norm_layer` is no function or has no weight to set to zero, or if a block
        refuses its numbers; `NotImplementedError` for dilation without bottlenecks.
        """
        super().__init__()
        if isinstance(network, str):
            rule = f"network must be one of {', '.join(NETWORKS)}"
            _require(network in NETWORKS, rule, network)
            network = NETWORKS[network]
        _require_positive(n_classes=n_classes)
        _require(
            len(replace_stride_with_dilation) == 3,
            "replace_stride_with_dilation must hold 3 values",
            replace_stride_with_dilation,
        )
        _require_norm_layer(norm_layer)
        self.conv1 = _conv(3, 64, 7, stride=2)
        self.bn1 = norm_layer(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)

        # The stages with 64, 128, 256 and 512 planes. Each but the first halves height and width in
        # its first block.
        stages = []
        channels, dilation = 64, 1
        for i, n_blocks in enumerate(network.n_blocks):
            stride = 1 if i == 0 else 2
            # The map that reaches the first block is not finer yet. So this one keeps the dilation
            # of the stage before, and only those after it need the new one.
            first_dilation = dilation
            if i > 0 and replace_stride_with_dilation[i - 1]:
                stride, dilation = 1, 2 * dilation
            stage = nn.Sequential()
            for j in range(n_blocks):
                block = network.block(
                    channels,
                    64 * 2**i,
                    stride if j == 0 else 1,
                    groups=network.groups,
                    base_width=network.base_width,
                    dilation=first_dilation if j == 0 else dilation,
                    norm_layer=norm_layer,
                )
                # `bn3` ends a bottleneck, `bn2` a basic block.
                if zero_init_residual:
                    last = getattr(block, "bn3", block.bn2)
                    weight: Any = getattr(last, "weight", None)
                    rule = "zero_init_residual needs norm_layer with weight"
                    _require(weight is not None, rule, last)
                    nn.init.zeros_(weight)
                stage.append(block)
                channels = 64 * 2**i * network.block.expansion
            stages.append(stage)
        # Files of weights know the stages by these names.
        self.layer1, self.layer2, self.layer3, self.layer4 = stages

        # The paper's global average: a map of any size becomes a single position.
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, n_classes)

    def features(
        self, x: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch channels out_height out_width"]:
        """
        * `x` has shape `[batch, 3, height, width]`

        Returns the last feature map, `[batch, 512 * expansion, height / 32, width / 32]`, rounded
        up. Every dilation makes it twice as high and wide.
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x

    def forward(
        self, x: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch n_classes"]:
        """
        * `x` has shape `[batch, 3, height, width]`

        Returns logits of shape `[batch, n_classes]`.
        """
        x = self.avgpool(self.features(x))
        logits: Tensor = self.fc(x.flatten(1))
        return logits


def count_multiply_adds(model: nn.Module, side: int = 224) -> int:
    """
    ## Counting multiply-adds

    * `model` takes images of 3 channels whose height and width is `side`

    Returns how many multiply-adds its convolutions and linear layers need for one image. All else
    is small beside them. Raises `ValueError` if `side` is less than 1.

    With the stride in `conv1`, ResNet-50 has 3.86 billion, in the paper's table 3.8:

    >>> with torch.device('meta'):
    ...     model = ResNet('resnet50')
    >>> count_multiply_adds(model)
    4089184256
    >>> for stage in model.layer2, model.layer3, model.layer4:
    ...     first = stage[0]
    ...     first.conv1.stride = (2, 2)
    ...     first.conv2.stride = (1, 1)
    >>> count_multiply_adds(model)
    3857973248

    The same change gives ResNet-101 7.57 and ResNet-152 11.28 billion, the paper's 7.6 and 11.3.
    ResNet-34 with padded shortcuts (option A), as in table 2 of the paper, has 3.64.
    """
    _require_positive(side=side)
    total = 0

    def add(
        layer: nn.Conv2d | nn.Linear, _: Any, y: Float[Tensor, "batch *rest"]
    ) -> None:
        # Every weight is used once at every position of the output. `y[0]` is the output for one
        # image, with a number for each position and channel, and the weights have a row for each
        # channel.
        nonlocal total
        positions = y[0].numel() // len(layer.weight)
        total += layer.weight.numel() * positions

    # On the meta device tensors have shapes but no numbers, and nothing is computed.
    model = copy.deepcopy(model).to("meta")
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(add)
    # Two images, because a normalization that trains refuses to average over a single value.
    model(torch.empty(2, 3, side, side, device="meta"))
    return total


def load_torchvision(path: Path | str, model: ResNet | None = None) -> ResNet:
    r"""
    ## Loading torchvision's weights

    * `path` is a file such as `resnet18-f37072fd.pth`
    * `model` is the network to load it into; without it, one is made that fits the file

    Returns the network; call `eval()` before you use it. It expects colors between 0 and 1, less
    $(0.485, 0.456, 0.406)$ and divided by $(0.229, 0.224, 0.225)$. For classes of your own, put
    another layer in the place of `fc` afterwards, or [let a run start from the file](finetune.py).
    Raises
    [`CheckpointError`](../training/checkpoint.py#CheckpointError) if the file cannot be read or
    does not fit, and says what is in the way.
    """
    try:
        values = read_weights(Path(path))
    except Exception as error:
        reason = printable(str(error) or repr(error), 1000)
        raise CheckpointError(f"{path} cannot be read: {reason}") from error
    state = check_weights(Path(path), values)
    name = _recognise(state)
    n_classes = state.get("fc.bias", torch.empty(1000)).numel()
    if model is None:
        if name is None:
            names = ", ".join(printable(key, 60) for key in list(state)[:3])
            raise CheckpointError(
                f"{path} fits none of {', '.join(NETWORKS)}. "
                f"The first names in it are {names}."
            )
        # A network on the meta device takes no memory, so a file cannot ask for much.
        with torch.device("meta"):
            expected = ResNet(name, n_classes).state_dict()
    else:
        expected = model.state_dict()
    if lines := _differences(state, expected):
        raise CheckpointError(
            f"{path} does not fit the model, it seems to be for "
            f"{name or 'none of ours'}. Differences ({len(lines)}):\n"
            + "\n".join(lines[:9])
        )
    if model is None:
        model = ResNet(str(name), n_classes)
        expected = model.state_dict()
    # Files from before PyTorch 0.4.1 do not say how many batches a normalization has seen. These
    # networks never ask, so it does not matter if only one side has the number.
    known = {key: value for key, value in state.items() if key in expected}
    model.load_state_dict({**expected, **known})
    return model


def _recognise(state: Mapping[str, Shaped[Tensor, "..."]]) -> str | None:
    """Tells which of the ten a file is for. The last layer may be of any size, or missing."""
    for name in NETWORKS:
        with torch.device("meta"):
            lines = _differences(state, ResNet(name).state_dict())
        if all(line.startswith("fc.") for line in lines):
            return name
    return None


def _differences(
    state: Mapping[str, Shaped[Tensor, "..."]],
    expected: Mapping[str, Shaped[Tensor, "..."]],
) -> list[str]:
    """One line for each weight that has not the same shape in a file and in a model."""

    def shapes(
        state: Mapping[str, Shaped[Tensor, "..."]],
    ) -> dict[str, list[int]]:
        return {
            key: list(tensor.shape)
            for key, tensor in state.items()
            if not key.endswith("num_batches_tracked")
        }

    found, wanted = shapes(state), shapes(expected)
    return [
        f"{printable(key, 60)}: {found.get(key, 'nothing')} in the file, "
        f"{wanted.get(key, 'nothing')} in the model"
        for key in {**wanted, **found}
        if found.get(key) != wanted.get(key)
    ]


def _require_norm_layer(norm_layer: object) -> None:
    """A layer, `nn.BatchNorm2d(64)`, can be called as well, but not with a number."""
    _require(
        callable(norm_layer) and not isinstance(norm_layer, nn.Module),
        "norm_layer must be a class or function such as nn.BatchNorm2d",
        norm_layer,
    )
