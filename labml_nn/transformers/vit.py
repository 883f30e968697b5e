r"""
---
title: Vision Transformer
summary: >-
  Images as sequences of patches, with torchvision's parameter names, so that published weights
  load. Outputs are equal too, weight by weight.
symbols:
  E: VisionTransformer.conv_proj
  x_\mathrm{class}: VisionTransformer.class_token
  p: Encoder.pos_embedding
hook: Cut an image into patches, and read them like words.
pictogram: pictograms/vit.svg
papers:
  - title: >-
      An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale
    authors: [Alexey Dosovitskiy, Lucas Beyer, Alexander Kolesnikov, Dirk Weissenborn,
      Xiaohua Zhai, Thomas Unterthiner, Mostafa Dehghani, Matthias Minderer, Georg Heigold,
      Sylvain Gelly, Jakob Uszkoreit, Neil Houlsby]
    year: 2020
    arxiv: 2010.11929
before: >-
  [A Transformer block](__init__.py), and what a convolution does.
next: >-
  [Train a Vision Transformer](experiment.py): on digits, in a minute.
  [ConvNeXt](../convnext/__init__.py): everything but attention.
---

# Vision Transformer

A Transformer block takes a sequence of vectors, and an image is not a sequence. [The
paper](https://arxiv.org/abs/2010.11929) turns it into one in the simplest way: it cuts the image
into square patches, and turns each patch into a vector by one linear map. The blocks after that are
those of [the last page](__init__.py#Block), with pre-norm. Nothing in them is made for images.

This has a price. A convolution is built on two assumptions: neighbors belong together, and an
object may be anywhere. A Vision Transformer has to learn both from data. Trained on the 1.3 million
images of ImageNet alone, it is a few percentage points below ResNets of its size. Trained on 14 to
300 million images first, it reaches or beats them (sections 1 and 4.3).

## The equations

Let an image have $n$ patches, $\mathbf{x}_1, \dots, \mathbf{x}_n$. With a matrix $E$, a learned
vector $x_\mathrm{class}$ and learned positions $p$ (equation 1),

$$z_0 = [x_\mathrm{class};\ \mathbf{x}_1 E;\ \dots;\ \mathbf{x}_n E] + p$$

The vector in front belongs to no patch. Attention lets it look at all patches, and the logits are
computed from it alone. Each of $L$ blocks adds to the stream
twice (equations 2 and 3), and one more norm follows the last of them, because [nothing else has
normalized the stream](__init__.py#the-residual-stream) (equation 4):

$$z'_l = z_{l-1} + \mathrm{Attention}(\mathrm{norm}(z_{l-1}))$$

$$z_l = z'_l + \mathrm{MLP}(\mathrm{norm}(z'_l))$$

$$y = \mathrm{norm}(z_L)_\mathrm{class}$$

## The sizes

Names are torchvision's, and the last number is the side of a patch. Smaller patches make longer
sequences, which cost more. The number of parameters hardly changes.

| network | blocks | features | heads | parameters |
|---|---|---|---|---|
| `vit_b_16` | 12 | 768 | 12 | 86,567,656 |
| `vit_b_32` | 12 | 768 | 12 | 88,224,232 |
| `vit_l_16` | 24 | 1024 | 16 | 304,326,632 |
| `vit_l_32` | 24 | 1024 | 16 | 306,535,400 |
| `vit_h_14` | 32 | 1280 | 16 | 632,045,800 |

The paper rounds these to 86, 307 and 632 million (table 1). A network on the meta device has shapes
but no numbers, so it is quickly made:

>>> with torch.device('meta'):
...     model = vision_transformer('vit_b_16')
>>> f'{sum(p.numel() for p in model.parameters()):,}'
'86,567,656'
"""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float
from labml_helpers.module import Module
from torch import Tensor, nn

from labml_nn.resnet import _require, _require_positive
from labml_nn.training.weights import find_weights, start_from
from labml_nn.transformers import Block


class Encoder(Module):
    """
    ## The encoder

    Positions, blocks, and the last norm.

    Positions are learned, one vector for each. They say nothing about rows and columns at first.
    The paper shows that patches which are near each other in the image end up with similar vectors
    (figure 7).
    """

    def __init__(
        self,
        positions: int,
        layers: int,
        heads: int,
        features: int,
        hidden: int,
        *,
        norm_first: bool = True,
        dropout: float = 0.0,
    ) -> None:
        """
        * `positions` is the number of positions
        * `layers` is the number of blocks, $L$
        * `heads`, `features`, `hidden`, `norm_first` and `dropout` are those of
          [each block](__init__.py#Block)

        Raises `ValueError` if a number is less than 1 or `heads` does not divide `features`.
        """
        super().__init__()
        _require_positive(positions=positions, layers=layers)
        # A single set of positions is for all images of a batch.
        self.pos_embedding = nn.Parameter(torch.empty(1, positions, features))
        nn.init.normal_(self.pos_embedding, std=0.02)
        self.dropout = nn.Dropout(dropout)
        # The names, and the $\epsilon$ of $10^{-6}$, are torchvision's.
        self.layers = nn.Sequential(
            OrderedDict(
                (
                    f"encoder_layer_{i}",
                    Block(
                        features,
                        heads,
                        hidden,
                        norm_first=norm_first,
                        dropout=dropout,
                        eps=1e-6,
                    ),
                )
                for i in range(layers)
            )
        )
        self.ln = nn.LayerNorm(features, eps=1e-6)

    def forward(
        self, x: Float[Tensor, "batch positions features"]
    ) -> Float[Tensor, "batch positions features"]:
        """Takes `x` of shape `[batch, positions, features]`, and returns the same shape."""
        x = self.dropout(x + self.pos_embedding)
        x = self.layers(x)
        return cast(Tensor, self.ln(x))


class VisionTransformer(Module):
    r"""
    ## The network

    This one takes images of $8 \times 8$ pixels and has patches of $2 \times 2$, so there are 16
    patches and 17 positions:

    >>> _ = torch.manual_seed(0)
    >>> model = VisionTransformer(8, 2, layers=2, heads=4, features=48,
    ...                           n_classes=10, channels=1)
    >>> model(torch.randn(3, 1, 8, 8)).shape
    torch.Size([3, 10])
    >>> model.encoder.pos_embedding.shape
    torch.Size([1, 17, 48])
    """

    def __init__(
        self,
        side: int,
        patch: int,
        layers: int,
        heads: int,
        features: int,
        *,
        hidden: int | None = None,
        n_classes: int = 1000,
        channels: int = 3,
        norm_first: bool = True,
        dropout: float = 0.0,
    ) -> None:
        """
        * `side` is the height and the width of images
        * `patch` is the side of a patch, which divides `side`
        * `layers`, `heads`, `features`, `norm_first` and `dropout` are those of `Encoder`
        * `hidden` is the number of features within the MLPs; without it, `4 * features`
        * `n_classes` is the number of classes
        * `channels` is the number of channels in the image

        Raises `ValueError` if a number is less than 1, `patch` does not divide `side`, or `heads`
        does not divide `features`.
        """
        super().__init__()
        _require_positive(side=side, patch=patch, n_classes=n_classes)
        _require_positive(features=features, channels=channels)
        _require(side % patch == 0, f"patch must divide {side}", patch)
        positions = 1 + (side // patch) ** 2
        self.class_token = nn.Parameter(torch.zeros(1, 1, features))
        self.conv_proj = nn.Conv2d(channels, features, patch, stride=patch)
        self.encoder = Encoder(
            positions,
            layers,
            heads,
            features,
            4 * features if hidden is None else hidden,
            norm_first=norm_first,
            dropout=dropout,
        )
        self.heads = nn.Sequential(
            OrderedDict(head=nn.Linear(features, n_classes))
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """
        ### Where it starts

        These are torchvision's initial values. The last layer is zero, so at first all classes are
        equally likely, whatever the image shows.
        """
        fan_in = self.conv_proj.weight[0].numel()
        nn.init.trunc_normal_(self.conv_proj.weight, std=fan_in**-0.5)
        nn.init.zeros_(self.conv_proj.bias)  # type: ignore[arg-type]
        for name, parameter in self.encoder.named_parameters():
            if ".mlp." in name and parameter.ndim == 2:
                nn.init.xavier_uniform_(parameter)
            elif ".mlp." in name:
                nn.init.normal_(parameter, std=1e-6)
        for parameter in self.heads.parameters():
            nn.init.zeros_(parameter)

    def embed(
        self, images: Float[Tensor, "batch channels side side"]
    ) -> Float[Tensor, "batch patches features"]:
        r"""
        ### Patches

        A linear map of each patch is a convolution whose kernel is as large as a patch, and so is
        its stride. Its result has one position for each patch, and these are put into one row.

        >>> _ = torch.manual_seed(0)
        >>> model = VisionTransformer(8, 4, 1, heads=1, features=6)
        >>> image = torch.randn(1, 3, 8, 8)
        >>> corner = image[:, :, :4, 4:].flatten(1)  # the second patch
        >>> E = model.conv_proj.weight.flatten(1).T
        >>> torch.allclose(model.embed(image)[:, 1], corner @ E, atol=1e-5)
        True

        Takes `images` of shape `[batch, channels, side, side]`. Returns shape
        `[batch, patches, features]`.
        """
        maps: Tensor = self.conv_proj(images)
        return maps.flatten(2).transpose(1, 2)

    def forward(
        self, images: Float[Tensor, "batch channels side side"]
    ) -> Float[Tensor, "batch n_classes"]:
        """
        * `images` has shape `[batch, channels, side, side]`

        Returns logits of shape `[batch, n_classes]`.
        """
        patches = self.embed(images)
        first = self.class_token.expand(len(images), -1, -1)
        z = self.encoder(torch.cat([first, patches], dim=1))
        return cast(Tensor, self.heads(z[:, 0]))


@dataclass(frozen=True)
class Size:
    """
    ## Five networks

    The numbers of the table above. Images have 224 pixels on each side.
    """

    # Side of a patch.
    patch: int
    # Blocks.
    layers: int
    # Heads of each attention.
    heads: int
    # Features of each position.
    features: int


SIZES = {
    "vit_b_16": Size(16, 12, 12, 768),
    "vit_b_32": Size(32, 12, 12, 768),
    "vit_l_16": Size(16, 24, 16, 1024),
    "vit_l_32": Size(32, 24, 16, 1024),
    "vit_h_14": Size(14, 32, 16, 1280),
}


def vision_transformer(name: str, n_classes: int = 1000) -> VisionTransformer:
    """
    Returns the network `name`, one of `SIZES`, with random weights and `n_classes` outputs. Raises
    `ValueError` for another name.
    """
    _require(name in SIZES, f"name must be one of {list(SIZES)}", name)
    size = SIZES[name]
    return VisionTransformer(
        224,
        size.patch,
        size.layers,
        size.heads,
        size.features,
        n_classes=n_classes,
    )


def load_torchvision(
    path: Path | str, model: VisionTransformer
) -> VisionTransformer:
    r"""
    ## Loading torchvision's weights

    ```python
    model = vision_transformer("vit_b_16")
    load_torchvision("vit_b_16-c867db91.pth", model).eval()
    ```

    * `path` is a file of [those that torchvision
      offers](https://docs.pytorch.org/vision/stable/models.html)
    * `model` is the network to load it into

    Returns `model`. If it has another number of classes, its last layer keeps its random weights.
    [Nothing in the file can run](../training/weights.py#read_weights). Raises
    [`CheckpointError`](../training/checkpoint.py#CheckpointError) if the file cannot be read or
    does not fit.

    As with [our ResNets](../resnet/imagenet.py#load_torchvision), colors are expected between 0 and
    1, less $(0.485, 0.456, 0.406)$ and divided by $(0.229, 0.224, 0.225)$. Torchvision has renamed
    the layers of its MLPs since these files were made, and still reads the old names. So do we.
    """
    weights = {}
    for name, value in find_weights(Path(path)).items():
        for old, new in (("linear_1", "0"), ("linear_2", "3")):
            name = name.replace(f"mlp.{old}", f"mlp.{new}")
        weights[name] = value
    start_from(weights, model, path)
    return model
