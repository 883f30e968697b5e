r"""
---
title: Train a Vision Transformer
summary:
  A small Vision Transformer on digits in a minute, beside a residual network of the same cost, and
  on CIFAR-10, by the same training loop.
hook: The training loop stays, and the network changes.
pictogram: pictograms/experiment.svg
papers:
  - title: >-
      An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale
    authors: [Alexey Dosovitskiy, Lucas Beyer, Alexander Kolesnikov, Dirk Weissenborn,
      Xiaohua Zhai, Thomas Unterthiner, Mostafa Dehghani, Matthias Minderer, Georg Heigold,
      Sylvain Gelly, Jakob Uszkoreit, Neil Houlsby]
    year: 2020
    arxiv: 2010.11929
before: >-
  [Vision Transformer](vit.py), and [how a ResNet is trained](../resnet/experiment.py).
next: >-
  [Why the norm moved](prenorm.py): what a warm-up is needed for.
---

# Train a Vision Transformer

The [training loop](../training/loop.py) works with any network that turns images into logits. So a
[Vision Transformer](vit.py) is trained as [a ResNet](../resnet/experiment.py) is, with the same
options, folders and checkpoints:

```shell
python -m labml_nn.transformers.experiment digits
python -m labml_nn.transformers.experiment cifar10
python -m labml_nn.transformers.experiment digits --help
```

`digits` is a first try that needs no download and takes about a minute. `cifar10` is for a GPU.
<kbd>Ctrl</kbd>+<kbd>C</kbd> saves a checkpoint and stops, `--resume` goes on, and
[a trained network](../resnet/predict.py) names what is in new pictures.

## Beside a residual network

The network of `digits` has 5 blocks with 48 features, and patches of $2 \times 2$ pixels. An image
costs it 2.49 million multiply-adds. That is as many as in the [ResNet for
digits](../resnet/experiment.py#the-presets), 2.52 million, with half the parameters. Both take 600
steps with 64 images each.

```chart
caption: Accuracy on images held out
x: epoch
y: accuracy
format: percent
lines:
  - label: ResNet
    data: ../../experiments/resnet/runs/digits.json
    x: held_out.curve.epoch
    y: held_out.curve.accuracy_valid
  - label: ViT
    data: ../../experiments/transformers/runs/digits.json
    x: held_out.curve.epoch
    y: held_out.curve.accuracy_valid
```

```table
rows:
  - ../../experiments/resnet/runs/digits.json
  - ../../experiments/transformers/runs/digits.json
columns:
  - head: Network
    value: layers
    names:
      20: ResNet, 20 layers
      5: ViT, 5 blocks
  - head: Held out
    value: held_out.valid_accuracy
    format: percent
  - head: Test set
    value: final.test_accuracy
    format: percent
```

The residual network makes fewer mistakes. With 360 test images and three seeds, the difference is
a few images in each run.

## Why it needs more data

A convolution computes the same wherever it is. If a digit moves by a pixel, its feature maps move
by a pixel. For a Vision Transformer it becomes another input: half of the pixels of each patch of
$2 \times 2$ now come from its neighbor, so every vector that enters the first block has changed.
That it is still the same digit has to be learned from examples. The network also has to learn which
patches are neighbors, from positions that start as random numbers.

>>> _ = torch.manual_seed(0)
>>> image = torch.rand(1, 1, 8, 8)
>>> moved = image.roll(1, dims=3)
>>> conv = nn.Conv2d(1, 4, 3, padding=1,
...                  padding_mode='circular')
>>> same = conv(image).roll(1, dims=3)
>>> torch.allclose(conv(moved), same, atol=1e-6)
True
>>> patches = nn.Conv2d(1, 4, 2, stride=2)
>>> before, after = patches(image), patches(moved)
>>> any(torch.allclose(after, before.roll(n, dims=3))
...     for n in range(4))
False

With few examples, such knowledge has to come with the network, and then the convolution is the
better choice. With enough of them it can be learned, and what was built in no longer helps. The
paper finds the turning point between the 1.3 million images of ImageNet and the 300 million of
JFT-300M (figures 3 and 4).

## What the last block looks at

The class token takes something from every patch, and [how
much](__init__.py#MultiHeadAttention.weights) can be seen. Here are four test images, and how the
four heads of the last block divide their attention among the 16 patches of each:

![Four handwritten digits, 0, 3, 4 and 7, each with four squares of four by four patches. In most
squares one or two patches are white and the others are nearly black; in one square of the 0, all
are about equally light.](../../experiments/pictures/attention.png "The image, then a square for
each head. White is the largest weight of a square.")

Heads look at different places. In the 3, the second head takes nine tenths from a single patch. In
the 0, the third takes about the same from all. But do not read this as a reason for the answer.
After four blocks, a position no longer holds its own patch alone, and a large weight does not mean
that the answer depends on it ([Jain and Wallace, 2019](https://arxiv.org/abs/1902.10186)).
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import nn

from labml_nn.data import ImageData, seed_generators
from labml_nn.runs.command import Experiment, Preset
from labml_nn.runs.config import Config, note_others
from labml_nn.runs.files import RunFailed
from labml_nn.training import Normalize, Recipe
from labml_nn.transformers.vit import VisionTransformer


@dataclass(frozen=True)
class ViTRecipe(Recipe):
    """
    ## The recipe

    That of [every training](../training/loop.py#Recipe), with another optimizer and another
    warm-up.
    """

    def rate(self, step: float) -> float:
        r"""
        ### The warm-up

        The learning rate of this `step`: first it grows along a straight line, then
        [the schedule](../training/schedule.py) lets it fall. In the first steps, Adam knows the
        size of a gradient from a few examples only.
        [Why the norm moved](prenorm.py) measures what happens without a warm-up.
        """
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        return super().rate(step)

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        r"""
        ### The optimizer

        AdamW for the weights of `model`, instead of stochastic gradient descent. In a Transformer,
        the gradients of different layers differ in size, and one learning rate must suit them all.
        Adam ([Kingma and Ba, 2014](https://arxiv.org/abs/1412.6980)) divides the mean $m$ of recent
        gradients by the root of the mean $v$ of their squares, for each weight $w$. So all weights
        move about as fast, by the learning rate $\eta$:

        $$w \leftarrow w - \eta \left( \frac{m}{\sqrt{v} + \epsilon} + \lambda w \right)$$

        The decay $\lambda w$ stands outside of the fraction. This is what the W stands for
        ([Loshchilov and Hutter, 2017](https://arxiv.org/abs/1711.05101)). Biases and
        the scales of norms do not decay. They have no reason to be small.
        """
        named = [p for p in model.parameters() if p.requires_grad]
        matrices = [p for p in named if p.ndim > 1]
        others = [p for p in named if p.ndim <= 1]
        return torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": self.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=self.learning_rate,
            betas=(self.momentum, 0.999),
            fused=named[0].device.type in ("cpu", "cuda"),
        )


@dataclass(frozen=True)
class AdamWConfig(Config):
    """
    ## What can be chosen of the recipe

    The same for any network that is trained by it, such as a
    [ConvNeXt](../convnext/experiment.py#ConvNeXtConfig). Data, machine and files are chosen by
    fields that [all experiments have](../runs/config.py#Config).
    """

    # Steps of gradient descent.
    steps: int = 35_200
    # Images in a batch, those of all processes together.
    batch_size: int = 128
    # Learning rate after the warm-up. It falls to zero along a cosine.
    learning_rate: float = 1e-3
    # How much of the mean of gradients stays from step to step.
    momentum: float = 0.9
    # Strength of the pull of matrices towards zero.
    weight_decay: float = 0.05
    # Steps at the start in which the learning rate grows from zero.
    warmup_steps: int = 1000
    # Zeros around an image before it is cropped.
    padding: int = 4
    # Mirror images at random.
    flip: bool = True

    in_steps: ClassVar[tuple[str, ...]] = ("steps", "warmup_steps")
    recipe_class: ClassVar[type[ViTRecipe]] = ViTRecipe

    def limits(self) -> dict[str, tuple[float, float]]:
        """The lowest and the highest value of each field that is a number."""
        return {
            **super().limits(),
            "steps": (1, 10**9),
            "batch_size": (1, 10**6),
            "learning_rate": (0, 10**6),
            "momentum": (0, 1),
            "weight_decay": (0, 10**6),
            "warmup_steps": (0, 10**9),
            "padding": (0, 1000),
        }

    def resume_rules(self) -> dict[str, str]:
        """What becomes of each field when a run goes on with another value."""
        return note_others(self, super().resume_rules())

    def recipe(self, n: int | None = None) -> ViTRecipe:
        """What the training loop needs of it, the same for any number `n` of images."""
        return self.recipe_class(
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            milestones=(),
            schedule="cosine",
            warmup_steps=self.warmup_steps,
            warmup_factor=1,
            padding=self.padding,
            flip=self.flip,
            seed=self.seed,
            extras=self.extras(),
        )


@dataclass(frozen=True)
class ViTConfig(AdamWConfig):
    """
    ## The configuration

    The defaults are those of the preset `cifar10`.
    """

    # Side of a patch.
    patch: int = 4
    # Number of blocks.
    layers: int = 9
    # Heads of each attention.
    heads: int = 3
    # Features of each position.
    features: int = 192
    # Pre-norm, otherwise post-norm.
    norm_first: bool = True
    # Standard deviation of the learned positions at the start.
    positions: float = 0.02
    # Probability that a number of a residual is set to zero in training.
    dropout: float = 0.0

    def limits(self) -> dict[str, tuple[float, float]]:
        """The lowest and the highest value of each field that is a number."""
        return {
            **super().limits(),
            "patch": (1, 1024),
            "layers": (1, 1000),
            "heads": (1, 1000),
            "features": (1, 10_000),
            "positions": (0, 1000),
            "dropout": (0, 1),
        }

    def build(self, train: ImageData) -> nn.Module:
        """
        ### The model

        Bytes in, logits out: a [Vision Transformer](vit.py) behind a layer that normalizes the
        pixels by their mean and standard deviation in `train`. Raises `RunFailed` if images are not
        square or cannot be cut into patches.
        """
        height, width = train.images.shape[2:]
        if height != width:
            raise RunFailed(
                f"a Vision Transformer takes square images, got {height} "
                f"× {width}"
            )
        seed_generators(self.seed, "weights")
        try:
            network = VisionTransformer(
                height,
                self.patch,
                self.layers,
                self.heads,
                self.features,
                n_classes=len(train.classes),
                channels=train.channels,
                norm_first=self.norm_first,
                dropout=self.dropout,
            )
        except ValueError as error:
            raise RunFailed(str(error)) from error
        positions = network.encoder.pos_embedding
        nn.init.normal_(positions, std=self.positions)
        return nn.Sequential(Normalize(*train.mean_and_std()), network)


def preset(help: str, config: ViTConfig) -> Preset[ViTConfig]:
    """
    ## The presets

    A complete `config` with a name. `help` is the sentence that `--help` shows.
    """
    return Preset(help, config, {"layers": config.layers})


PRESETS = {
    # Digits are not mirrored. Learning rate, padding and the size of the positions were chosen by
    # images held out. The positions start as large as the patches that they are added to. With
    # torchvision's, which are fifty times smaller, they would first have to grow.
    "digits": preset(
        "A first try: handwritten digits, no download, about a minute.",
        ViTConfig(
            data="digits",
            valid_images=360,
            patch=2,
            layers=5,
            heads=4,
            features=48,
            positions=1.0,
            steps=600,
            batch_size=64,
            learning_rate=4e-3,
            warmup_steps=60,
            padding=0,
            flip=False,
        ),
    ),
    # Patches of $4 \times 4$ make 64 positions of an image of $32 \times 32$. Patches of
    # $16 \times 16$ would make four. The rest is what is common for networks of this size: 100
    # epochs, cropped and mirrored images, and a strong weight decay. No run of it has been recorded
    # yet.
    "cifar10": preset("CIFAR-10 in patches of 4 × 4, for a GPU.", ViTConfig()),
}


EXPERIMENT = Experiment(
    "labml_nn.transformers.experiment",
    "Train a Vision Transformer.",
    ViTConfig,
    PRESETS,
    default="digits",
    records=Path("experiments/transformers/runs"),
)

if __name__ == "__main__":
    sys.exit(EXPERIMENT.main())
