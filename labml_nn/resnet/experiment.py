r"""
---
title: Train a ResNet
summary:
  Training residual networks on CIFAR-10 with one command, on a laptop or many GPUs, with the
  paper's recipe or a quick one.
hook: One command, from a minute on a laptop to many GPUs.
pictogram: pictograms/experiment.svg
papers:
  - title: Deep Residual Learning for Image Recognition
    authors: [Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun]
    year: 2015
    arxiv: 1512.03385
before: >-
  [Residual networks](__init__.py), and what a step of gradient descent does.
next: >-
  [A training loop](../training/loop.py): what the command runs, line by line.
---

# Train a ResNet

This is the experiment of section 4.2 of the paper: [residual networks](__init__.py) of 20 to 110
layers, trained on [CIFAR-10](../data/cifar10.py). It is started from a shell:

```shell
python -m labml_nn.resnet.experiment digits
python -m labml_nn.resnet.experiment quick
python -m labml_nn.resnet.experiment resnet56
python -m labml_nn.resnet.experiment quick --help
```

The first word names a preset: `digits` is a first try that needs no download and takes about a
minute, `quick` is CIFAR-10 on a laptop, and `resnet56` is the paper's recipe, for a GPU. Without a
preset it trains `resnet20`. Under `torchrun` it uses all GPUs:

```shell
torchrun --nproc-per-node=4 \
    -m labml_nn.resnet.experiment resnet110
```

<kbd>Ctrl</kbd>+<kbd>C</kbd> saves a checkpoint and stops. The command that goes on from there is
shown then. On a cluster, which may start a command again after it was interrupted, one does for
everything. It starts the run, goes on with it, or says that it is finished:

```shell
python -m labml_nn.resnet.experiment quick \
    --out runs/first --resume auto
```

It learns from [your own pictures](../data/folder.py) as well, and names what is in
[new ones](predict.py):

```shell
python -m labml_nn.resnet.experiment quick --data folder:fruit
```

## Looking at runs

Each run has a [folder of its own](../runs/__init__.py). [A command](../runs/__main__.py) lists them
and tells them apart. Here three learning rates are tried, each with two seeds:

```shell
for rate in 0.05 0.1 0.2; do
  for seed in 0 1; do
    python -m labml_nn.resnet.experiment digits \
        --learning-rate $rate --seed $seed \
        --out runs/rates/$rate-$seed
  done
done
python -m labml_nn.runs list runs/rates
python -m labml_nn.runs compare runs/rates
python -m labml_nn.runs plot runs/rates --out curves.html
```

The table of `compare` has a row for each rate, with the mean over its seeds and their standard
deviation. A difference between two rates that is not much larger than these deviations says
nothing; try more seeds.

## Results

These runs are [recorded](../runs/record.py). An accuracy is the mean of all runs of a preset, each
with another seed, and their standard deviation. The images held out served to choose the
hyper-parameters; the runs for the test set trained on them too, and were measured once, at their
end. The last accuracy is the paper's (table 6); our own presets have none. The paper's presets take
hours on a GPU; a row appears here when one of them has been recorded.

In four points our loop differs from the paper's, or fills in what it leaves open. Images are
normalized [by channel](../training/loop.py#Normalize) instead of by pixel, and padded with
[black](../data/__init__.py#Crops). The paper's batch of 128 was split between two GPUs, so its
normalizations saw 64 images at a time; on one device ours see all 128. Its results are of networks
trained on all 50,000 images, as ours for the test set are: 64,000 steps are 164 epochs of these, or
182 of the 45,000 that are left when some are held out.

Where seeds are *related*, the runs of a row drew the same batches at different times, because their
seeds [were added](../data/__init__.py#random_generator) to the numbers of epochs and steps. Each
run is valid, and so is the mean of their accuracies. The standard deviation does not tell how much
runs with independent seeds would differ.

```table
rows: ../../experiments/resnet/runs/*.json
columns:
  - head: Preset
    value: preset
  - head: Layers
    value: layers
    format: integer
  - head: Held out
    value: held_out.valid_accuracy
    format: percent
  - head: Test set
    value: final.test_accuracy
    format: percent
  - head: Runs for it
    value: final.test_accuracy
    format: count
  - head: Seeds
    value: draws
    names:
      1: related
      2: independent
  - head: The paper
    value: paper_accuracy
    format: percent
  - head: Time of a run
    value: final.seconds
    format: seconds
  - head: Machine
    value: final.machine
```

Here is how `quick` learned. A line is the mean over the seeds, its band reaches from the worst to
the best.

```chart
caption: Accuracy of quick on training images, cropped and mirrored, and on images held out
x: epoch
y: accuracy
format: percent
lines:
  - label: training images
    data: ../../experiments/resnet/runs/quick.json
    x: held_out.curve.epoch
    y: held_out.curve.accuracy_train
  - label: images held out
    data: ../../experiments/resnet/runs/quick.json
    x: held_out.curve.epoch
    y: held_out.curve.accuracy_valid
```

```chart
caption: Loss of the quick preset on the same images
x: epoch
y: cross-entropy
lines:
  - label: training images
    data: ../../experiments/resnet/runs/quick.json
    x: held_out.curve.epoch
    y: held_out.curve.loss_train
  - label: images held out
    data: ../../experiments/resnet/runs/quick.json
    x: held_out.curve.epoch
    y: held_out.curve.loss_valid
```

## 1202 layers

The deepest network of the paper has no preset, but `--blocks 200` builds it: 1202 layers, with
eleven times the parameters of the 110 layers. The paper gives 19.4 M and 1.7 M (table 6):

>>> import torch
>>> from labml_nn.resnet import cifar_resnet
>>> with torch.device('meta'):
...     networks = [cifar_resnet(blocks) for blocks in (18, 200)]
>>> [sum(p.numel() for p in network.parameters()) for network in networks]
[1727962, 19421274]

It trains without difficulty, to a training error below 0.1 % (section 4.2). But its test error is
7.93 %, and the best run of ResNet-110 has 6.43 %, with a similar training error. So this is not
[degradation](degradation.py), which shows in the training error. The authors put it down to
overfitting: the network may be needlessly large for so small a data set. This fits what comes
later. 1202 layers reach 4.91 % if [blocks are left out at random](ensemble.py) in each step of
training ([Huang et al. 2016](https://arxiv.org/abs/1603.09382)). But overfitting need not be all of
it. [Another order of the layers](preactivation.py) takes 1001 layers from 7.61 % to 4.92 %, with
nothing else against overfitting.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from torch import nn

from labml_nn.data import ImageData, seed_generators
from labml_nn.resnet import ResNetBase, ResNetClassifier, ShortcutKind
from labml_nn.runs.command import Experiment, Preset
from labml_nn.runs.config import Config, note_others
from labml_nn.training import Normalize, Recipe


@dataclass(frozen=True)
class ResNetConfig(Config):
    """
    ## The configuration

    A field's comment is its explanation here and its help on the command line. The defaults are
    the paper's recipe for its networks with 20 to 56 layers. Data, machine and files are chosen by
    fields that [all experiments have](../runs/config.py#Config).
    """

    # Blocks in each of the three stages; with n of them there are 6n + 2 layers.
    blocks: int = 3
    # Channels of the three stages.
    channels: tuple[int, int, int] = (16, 32, 64)
    # Shortcut where the shape changes: `pad` is the paper's option A, `projection` its option B.
    shortcut: ShortcutKind = "pad"

    # Steps of gradient descent.
    steps: int = 64_000
    # Images in a batch, those of all processes together.
    batch_size: int = 128
    # Learning rate after the warm-up.
    learning_rate: float = 0.1
    # How much of its velocity a weight keeps from step to step.
    momentum: float = 0.9
    # Strength of the pull of all weights towards zero.
    weight_decay: float = 1e-4
    # `steps` divides the learning rate by ten at the milestones, `cosine` lets it fall to zero.
    schedule: Literal["steps", "cosine"] = "steps"
    # Steps at which the learning rate is divided by ten.
    milestones: tuple[int, ...] = (32_000, 48_000)
    # Steps at the start with a tenth of the learning rate.
    warmup_steps: int = 0
    # Zeros around an image before it is cropped.
    padding: int = 4
    # Mirror images at random.
    flip: bool = True

    in_steps: ClassVar[tuple[str, ...]] = (
        "steps",
        "milestones",
        "warmup_steps",
    )

    def limits(self) -> dict[str, tuple[float, float]]:
        """The lowest and the highest value of each field that is a number."""
        return {
            **super().limits(),
            "blocks": (1, 1000),
            "channels": (1, 10_000),
            "steps": (1, 10**9),
            "batch_size": (1, 10**6),
            "learning_rate": (0, 10**6),
            "momentum": (0, 1),
            "weight_decay": (0, 10**6),
            "milestones": (0, 10**9),
            "warmup_steps": (0, 10**9),
            "padding": (0, 1000),
        }

    def resume_rules(self) -> dict[str, str]:
        """
        What becomes of each field when a run goes on with another value. A network that has changed
        does not fit the weights, which is found when they are loaded.
        """
        return note_others(self, super().resume_rules())

    def recipe(self, n: int | None = None) -> Recipe:
        """What the training loop needs of it, the same for any number `n` of images."""
        return Recipe(
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            milestones=self.milestones,
            schedule=self.schedule,
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

        Bytes in, logits out: the network of section 4.2, as large as the configuration says, behind
        a layer that normalizes the pixels by their mean and standard deviation in `train`. The seed
        decides on the weights it starts with.
        """
        seed_generators(self.seed, "weights")
        base = ResNetBase(
            [self.blocks] * 3,
            self.channels,
            img_channels=train.channels,
            first_kernel_size=3,
            first_stride=1,
            first_pool=False,
            shortcut=self.shortcut,
        )
        return nn.Sequential(
            Normalize(*train.mean_and_std()),
            ResNetClassifier(base, len(train.classes)),
        )


def preset(
    help: str, config: ResNetConfig, paper_error: float | None = None
) -> Preset[ResNetConfig]:
    """
    ## The presets

    A complete `config` with a name. `help` is the sentence that `--help` shows. The `paper_error`
    is the paper's error on the test set of CIFAR-10 (table 6), for the table above.
    """
    accuracy = None if paper_error is None else round(1 - paper_error, 4)
    about = {"layers": 6 * config.blocks + 2, "paper_accuracy": accuracy}
    return Preset(help, config, about)


PRESETS = {
    "resnet20": preset(
        "The paper's network with 20 layers.", ResNetConfig(blocks=3), 0.0875
    ),
    "resnet32": preset(
        "The paper's network with 32 layers.", ResNetConfig(blocks=5), 0.0751
    ),
    "resnet44": preset(
        "The paper's network with 44 layers.", ResNetConfig(blocks=7), 0.0717
    ),
    "resnet56": preset(
        "The paper's network with 56 layers.", ResNetConfig(blocks=9), 0.0697
    ),
    # The learning rate of 0.1 is slightly too large for this one to start with. The paper warms it
    # up until the training error is below 80 %, which it says takes about 400 steps. The error is
    # the mean of its five runs; the best of them has 6.43 %.
    "resnet110": preset(
        "The paper's network with 110 layers, warmed up for 400 steps.",
        ResNetConfig(blocks=18, warmup_steps=400),
        0.0661,
    ),
    # Our own, for those without a GPU: the network with 20 layers for 2,816 steps, where the paper
    # takes 64,000, with a learning rate that falls along a cosine. The batch stays as small as the
    # paper's: so short a run needs all the steps it can get.
    "quick": preset(
        "ResNet-20 on CIFAR-10 in minutes instead of hours, on a laptop.",
        ResNetConfig(steps=2816, weight_decay=5e-4, schedule="cosine"),
    ),
    # Eight pixels are halved twice, so the last stage works on 2 × 2. Digits must not be mirrored,
    # and are cropped by one pixel only.
    "digits": preset(
        "A first try: handwritten digits, no download, about a minute.",
        ResNetConfig(
            data="digits",
            valid_images=360,
            steps=600,
            batch_size=64,
            schedule="cosine",
            weight_decay=5e-4,
            padding=1,
            flip=False,
        ),
    ),
}


EXPERIMENT = Experiment(
    "labml_nn.resnet.experiment",
    "Train a residual network.",
    ResNetConfig,
    PRESETS,
    default="resnet20",
    records=Path("experiments/resnet/runs"),
)

if __name__ == "__main__":
    sys.exit(EXPERIMENT.main())
