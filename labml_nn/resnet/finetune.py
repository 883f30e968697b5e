r"""
---
title: Large networks for one's own pictures
summary:
  Fine-tuning a network of the ImageNet family, with torchvision's weights, on a folder of pictures.
hook: Start from a million photos, and train on a folder of yours.
pictogram: pictograms/finetune.svg
before: The [ten networks](imagenet.py), and a [folder of pictures](../data/folder.py).
---

# Large networks for one's own pictures

The networks of [the first experiment](experiment.py) are made for images of $32 \times 32$ pixels,
and begin with random weights. Photos show more than that, and there are rarely fifty thousand of
them. [The ten networks for ImageNet](imagenet.py) have been trained on more than a million photos.
Their weights are a much better start than chance:

```shell
python -m labml_nn.resnet.finetune resnet18 \
    --data folder:fruit --init resnet18-f37072fd.pth
```

The file is one of [those that torchvision
offers](https://docs.pytorch.org/vision/stable/models.html), where their terms are told too; this
command fetches nothing. [All of its weights but those of the last
layer](../training/weights.py) are taken over. Without `--init` the network begins with random ones.

A run of your own is a start too: `--init runs/fruit` begins with its weights and takes new steps,
on other pictures perhaps. That is not the same as `--resume runs/fruit`, which takes the steps that
are left of it.

## What is different when one goes on

* **The learning rate is small**, a tenth of what a random start needs. Good weights are near, and
  large steps lead away from them.
* **The steps are few.** With a few hundred pictures, a thousand steps see each of them many times.
* **Crops move a little only.** The pictures have 128 pixels on each side, if `--image-side` does
  not say otherwise, and are moved by up to 16. The original weights were trained with 224. A side
  of 128 takes a third of the time, and a network that ends with a mean over all positions works
  with either.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import nn

from labml_nn.data import ImageData, seed_generators
from labml_nn.resnet.imagenet import NETWORKS, ResNet
from labml_nn.runs.command import Experiment, Preset
from labml_nn.runs.config import Config, note_others
from labml_nn.runs.files import RunFailed
from labml_nn.training import Normalize, Recipe
from labml_nn.training.weights import Weights

Name = Literal[
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
]

# The mean and the standard deviation of the colors of ImageNet, which torchvision's weights expect
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class FinetuneConfig(Config):
    """
    ## The configuration

    Data, machine and files are chosen by fields that
    [all experiments have](../runs/config.py#Config).
    """

    # The network, one of [the ten](imagenet.py).
    network: Name = "resnet18"
    # Steps of gradient descent.
    steps: int = 1000
    # Images in a batch, those of all processes together.
    batch_size: int = 32
    # Learning rate after the warm-up. It falls to zero along a cosine.
    learning_rate: float = 0.01
    # How much of its velocity a weight keeps from step to step.
    momentum: float = 0.9
    # Strength of the pull of all weights towards zero.
    weight_decay: float = 1e-4
    # Steps at the start with a tenth of the learning rate: the new layer makes large errors at
    # first, and must not drive the others away from where they are.
    warmup_steps: int = 50
    # Zeros around an image before it is cropped.
    padding: int = 16
    # Mirror images at random.
    flip: bool = True

    default_side: ClassVar[int] = 128
    in_steps: ClassVar[tuple[str, ...]] = ("steps", "warmup_steps")

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

    def recipe(self, n: int) -> Recipe:
        """What the training loop needs of it, the same for any number `n` of images."""
        return Recipe(
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            milestones=(),
            schedule="cosine",
            warmup_steps=self.warmup_steps,
            warmup_factor=0.1,
            padding=self.padding,
            flip=self.flip,
            seed=self.seed,
            extras=self.extras(),
        )

    def build(self, train: ImageData) -> nn.Module:
        """
        ### The model

        Bytes in, logits out: the network behind a layer that normalizes the pixels by their mean
        and standard deviation in `train`.
        """
        if train.channels != 3:
            raise RunFailed(
                "the networks for ImageNet take images with 3 channels, got "
                f"{train.channels}"
            )
        seed_generators(self.seed, "weights")
        return nn.Sequential(
            Normalize(*train.mean_and_std()),
            ResNet(self.network, len(train.classes)),
        )

    def adapt(self, weights: Weights) -> Weights:
        """
        ### Other people's names

        Returns `weights` under the names that they have in the model above. In a file of
        torchvision's they are those of the network alone, and its users are told to normalize with
        the mean and the standard deviation of ImageNet. So these are added.
        """
        if "conv1.weight" not in weights:
            return weights
        of_pixels = Normalize(torch.tensor(MEAN), torch.tensor(STD))
        named: dict[str, Any] = {
            f"0.{name}": value for name, value in of_pixels.state_dict().items()
        }
        return named | {f"1.{name}": weights[name] for name in weights}


# ## The presets
#
# One for each network. The larger ones need a GPU.
PRESETS = {
    name: Preset(f"Start from {name}.", FinetuneConfig(network=name))  # type: ignore[arg-type]
    for name in NETWORKS
}


EXPERIMENT = Experiment(
    "labml_nn.resnet.finetune",
    "Train a network of the ImageNet family on your own pictures.",
    FinetuneConfig,
    PRESETS,
    default="resnet18",
    records=Path("experiments/resnet/finetune"),
)

if __name__ == "__main__":
    sys.exit(EXPERIMENT.main())
