r"""
---
title: Train a ConvNeXt
summary: >-
  A small ConvNeXt on digits in a minute, beside a residual network and a Vision Transformer of the
  same cost, and on CIFAR-10, by the same training loop.
hook: The same loop once more, and an honest comparison.
pictogram: pictograms/experiment.svg
papers:
  - title: A ConvNet for the 2020s
    authors: [Zhuang Liu, Hanzi Mao, Chao-Yuan Wu, Christoph Feichtenhofer, Trevor Darrell,
      Saining Xie]
    year: 2022
    arxiv: 2201.03545
before: >-
  [ConvNeXt](__init__.py), and
  [how a Vision Transformer is trained](../transformers/experiment.py).
---

# Train a ConvNeXt

A [ConvNeXt](__init__.py) goes through the [training loop](../training/loop.py) of
[ResNets](../resnet/experiment.py) and [Vision Transformers](../transformers/experiment.py), with
the same options, folders and checkpoints:

```shell
python -m labml_nn.convnext.experiment digits
python -m labml_nn.convnext.experiment cifar10
python -m labml_nn.convnext.experiment digits --help
```

`digits` is a first try that needs no download and takes about a minute. `cifar10` is for a GPU.
<kbd>Ctrl</kbd>+<kbd>C</kbd> saves a checkpoint and stops, `--resume` goes on, and
[a trained network](../resnet/predict.py) names what is in new pictures.

## Three networks of the same cost

The network of `digits` has 7 blocks in three stages. An image costs it 2.52 million multiply-adds,
about as many as in the [ResNet for digits](../resnet/experiment.py#the-presets) and the
[Vision Transformer](../transformers/experiment.py#beside-a-residual-network). All take 600 steps
with 64 images each.

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
  - label: ConvNeXt
    data: ../../experiments/convnext/runs/digits.json
    x: held_out.curve.epoch
    y: held_out.curve.accuracy_valid
```

```table
rows:
  - ../../experiments/resnet/runs/digits.json
  - ../../experiments/convnext/runs/digits.json
  - ../../experiments/transformers/runs/digits.json
columns:
  - head: Network
    value: layers
    names:
      20: ResNet, 20 layers
      7: ConvNeXt, 7 blocks
      5: ViT, 5 blocks
  - head: Held out
    value: held_out.valid_accuracy
    format: percent
  - head: Test set
    value: final.test_accuracy
    format: percent
```

In the mean, the residual network is wrong on 2.3 of 360 test images, ConvNeXt on 3.3, and the
Vision Transformer on 5.3. Three runs of one network differ by three or four images among
themselves. So ResNet and ConvNeXt cannot be told apart.

It is no surprise that the newer network is not better here. On ImageNet, its twelve changes gain
[3.2 points](ladder.py#the-ladder), and above 99 % there are none left to gain. What the curves do
show is this. The Vision Transformer is ahead of ConvNeXt at first, and no longer improves in the
second half. ConvNeXt goes on, and comes close to the residual network. As a convolutional network,
it does not have to [learn from examples](../transformers/experiment.py#why-it-needs-more-data) what
a neighbor is.

## A layer scale takes time

The paper starts with a [layer scale](__init__.py#ConvNeXtBlock) of $10^{-6}$, so that all blocks
begin as the identity. Our preset starts with 1, which was better on the images held out:

```table
rows:
  - ../../experiments/convnext/runs/digits.json
  - ../../experiments/convnext/runs/digits_scale.json
columns:
  - head: Layer scale before training
    value: preset
    names:
      digits: "1"
      digits_scale: "0.000001"
  - head: Held out
    value: held_out.valid_accuracy
    format: percent
  - head: Test set
    value: final.test_accuracy
    format: percent
```

In one step, AdamW moves a number by about the learning rate. So the rates of all steps together
tell how far it can get. Within our 600 steps, $\gamma$ does not come near 1, and the blocks add
little. The paper trains for 300 epochs of 313 steps, with a peak of 0.004 and 20 epochs of warm-up
(section 3.1). There it has room for hundreds of times as much:

>>> def way(config):
...     rates = map(config.recipe().rate, range(config.steps))
...     return round(sum(rates), 2)
>>> way(DIGITS)
0.54
>>> way(ConvNeXtConfig(steps=300 * 313, warmup_steps=20 * 313,
...                    learning_rate=4e-3))
175.38
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import torch
from torch import nn

from labml_nn.convnext import ConvNeXt, ConvNeXtBlock
from labml_nn.data import ImageData, seed_generators
from labml_nn.runs.command import Experiment, Preset
from labml_nn.runs.files import RunFailed
from labml_nn.training import Normalize
from labml_nn.transformers.experiment import AdamWConfig, ViTRecipe


@dataclass(frozen=True)
class ConvNeXtRecipe(ViTRecipe):
    """
    ## The recipe

    That of [the Vision Transformer](../transformers/experiment.py#ViTRecipe): AdamW, and a learning
    rate that grows before it falls. The paper trains so too (section 3.1).
    """

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        r"""
        ### What does not decay

        In `model`, biases, the scales of norms, and the [layer scale](__init__.py#ConvNeXtBlock)
        $\gamma$. It has three dimensions, because torchvision's has, and would be taken for a
        matrix.
        """
        optimizer = super().optimizer(model)
        scales = {
            id(block.layer_scale)
            for block in model.modules()
            if isinstance(block, ConvNeXtBlock)
        }
        decays, rests = (group["params"] for group in optimizer.param_groups)
        rests.extend(p for p in decays if id(p) in scales)
        decays[:] = [p for p in decays if id(p) not in scales]
        return optimizer


@dataclass(frozen=True)
class ConvNeXtConfig(AdamWConfig):
    """
    ## The configuration

    The defaults are those of the preset `cifar10`. What is chosen of the recipe is chosen
    [as for a Vision Transformer](../transformers/experiment.py#AdamWConfig).
    """

    # Learning rate after the warm-up. It falls to zero along a cosine.
    learning_rate: float = 2e-3

    # Side of a patch.
    patch: int = 2
    # Blocks in each stage.
    blocks: tuple[int, ...] = (3, 3, 3)
    # Channels of the first stage. Each further stage has twice as many.
    width: int = 48
    # Side of the depthwise kernels, an odd number.
    kernel: int = 7
    # Layer scale before training.
    scale: float = 1e-6
    # Probability that an image passes around the last block. It grows from block to block.
    depth_rate: float = 0.1

    recipe_class: ClassVar[type[ViTRecipe]] = ConvNeXtRecipe

    def limits(self) -> dict[str, tuple[float, float]]:
        """The lowest and the highest value of each field that is a number."""
        return {
            **super().limits(),
            "patch": (1, 1024),
            "blocks": (1, 1000),
            "width": (1, 10_000),
            "kernel": (1, 1023),
            "scale": (0, 1000),
            "depth_rate": (0, 1),
        }

    def build(self, train: ImageData) -> nn.Module:
        """
        ### The model

        Bytes in, logits out: a [ConvNeXt](__init__.py) behind a layer that normalizes the pixels by
        their mean and standard deviation in `train`. Raises `RunFailed` if images are too small for
        patches and stages, or if the network refuses a number.
        """
        side, halved = min(train.images.shape[2:]), 2 ** (len(self.blocks) - 1)
        if side < self.patch * halved:
            raise RunFailed(
                f"images must have at least {self.patch * halved} pixels on "
                f"each side for these patches and stages, got {side}"
            )
        seed_generators(self.seed, "weights")
        try:
            network = ConvNeXt(
                self.blocks,
                self.width,
                n_classes=len(train.classes),
                channels=train.channels,
                patch=self.patch,
                kernel=self.kernel,
                scale=self.scale,
                depth_rate=self.depth_rate,
            )
        except ValueError as error:
            raise RunFailed(str(error)) from error
        return nn.Sequential(Normalize(*train.mean_and_std()), network)


def preset(help: str, config: ConvNeXtConfig) -> Preset[ConvNeXtConfig]:
    """
    ## The presets

    A complete `config` with a name. `help` is the sentence that `--help` shows.
    """
    return Preset(help, config, {"layers": sum(config.blocks)})


# Images have only $8 \times 8$ pixels. With patches of a single pixel, there is room for three
# stages, with $8 \times 8$, $4 \times 4$ and $2 \times 2$ positions. Kernel, learning rate and
# layer scale were chosen by images held out.
DIGITS = ConvNeXtConfig(
    data="digits",
    valid_images=360,
    patch=1,
    blocks=(2, 3, 2),
    width=24,
    scale=1.0,
    depth_rate=0.0,
    steps=600,
    batch_size=64,
    learning_rate=2e-3,
    warmup_steps=60,
    padding=1,
    flip=False,
)
PRESETS = {
    "digits": preset(
        "A first try: handwritten digits, no download, about a minute.", DIGITS
    ),
    "digits_scale": preset(
        "Digits, with the layer scale of the paper.",
        replace(DIGITS, scale=1e-6),
    ),
    # Patches of $2 \times 2$ leave $16 \times 16$ positions of an image, and the network costs a
    # little more than [ResNet-20](../resnet/experiment.py). Layer scale, weight decay and
    # stochastic depth are the paper's, the rest is our own. No run of it has been recorded yet.
    "cifar10": preset(
        "CIFAR-10 in patches of 2 × 2, for a GPU.", ConvNeXtConfig()
    ),
}


EXPERIMENT = Experiment(
    "labml_nn.convnext.experiment",
    "Train a ConvNeXt.",
    ConvNeXtConfig,
    PRESETS,
    default="digits",
    records=Path("experiments/convnext/runs"),
)

if __name__ == "__main__":
    sys.exit(EXPERIMENT.main())
