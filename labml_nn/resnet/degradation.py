r"""
---
title: The degradation problem, measured
summary:
  Plain and residual networks of 8, 20 and 56 layers learn digits, in minutes. More layers make the
  plain ones worse, even on training images.
symbols:
  \mathcal{F}: PlainBlock.residual
hook: Watch depth do harm, and shortcuts undo it, in minutes.
pictogram: pictograms/degradation.svg
papers:
  - title: Deep Residual Learning for Image Recognition
    authors: [Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun]
    year: 2015
    arxiv: 1512.03385
before: "[Residual networks](__init__.py), and what a step of gradient descent does."
next: >-
  [Signals and gradients](signals.py): what a plain network does to them before its first step.
  [What a trained residual network is](ensemble.py): what is left of these networks without some of
  their blocks.
---

# The degradation problem, measured

[Residual networks](__init__.py) begin with an observation: deeper plain networks *train* worse. It
is usually quoted from figure 1 of [the paper](https://arxiv.org/abs/1512.03385), whose networks
take hours on a GPU. There is no need to take it on trust. Handwritten digits of $8 \times 8$ pixels
are enough to see it, and one command measures everything on this page again, in minutes:

```shell
python -m labml_nn.resnet.degradation
```

## What is compared

There are plain and residual networks of 8, 20 and 56 layers. A plain network and a residual one of
the same depth have the same layers with the same initial weights, see the same batches in the same
order, and follow the same recipe. They differ by one addition in each block.

The networks are half as wide as the paper's for CIFAR-10. The recipe is that of our
[other experiments with digits](pitfalls.py#train_on_digits) and was not chosen for this page. Each
network is trained with three seeds. A line is the mean, and its band reaches from the worst to the
best.

## Without shortcuts and with them

This is the accuracy on the very images that the networks are trained on:

```chart
caption: Plain networks on the images that they are trained on
x: step
y: accuracy
format: percent
lines:
  - label: 8 layers
    data: ../../experiments/resnet/degradation.json
    x: plain.8.runs.step
    y: plain.8.runs.train
  - label: 20 layers
    data: ../../experiments/resnet/degradation.json
    x: plain.20.runs.step
    y: plain.20.runs.train
  - label: 56 layers
    data: ../../experiments/resnet/degradation.json
    x: plain.56.runs.step
    y: plain.56.runs.train
```

```chart
caption: Residual networks on the same images
x: step
y: accuracy
format: percent
lines:
  - label: 8 layers
    data: ../../experiments/resnet/degradation.json
    x: residual.8.runs.step
    y: residual.8.runs.train
  - label: 20 layers
    data: ../../experiments/resnet/degradation.json
    x: residual.20.runs.step
    y: residual.20.runs.train
  - label: 56 layers
    data: ../../experiments/resnet/degradation.json
    x: residual.56.runs.step
    y: residual.56.runs.train
```

Without shortcuts, the 8 layers have learned nearly every image after a hundred steps, the 20 layers
after twice as many. Of the 56 layers' answers, not even half are right in the end. And yet they
could do whatever the 8 layers do: let three blocks do it, and the others [copy](#network_of). It is
not overfitting either. These are the images that the networks are trained on, and the deeper
network predicts them *worse*.

With shortcuts, the layers are the same, and each block has one addition more. Now 56 layers learn
every image, too. They still begin last. What was a failure has become a delay of some dozens of
steps.

## The table

```table
rows: ../../experiments/resnet/degradation.json#networks
columns:
  - head: Network
    value: network
    names:
      plain: plain
      residual: residual
  - head: Layers
    value: layers
    format: integer
  - head: Steps
    value: steps
    format: integer
  - head: Training images
    value: runs.train
    format: percent
  - head: Held out
    value: runs.valid
    format: percent
```

The last row answers an obvious question. Does the deep plain network only need more time? Here it
gets three times as many steps, while the learning rate falls three times as slowly, and it comes to
two thirds of the images. The paper tried the same (section 4.1, footnote 3): three times as many
steps, and still degradation.

## What this shows and what it does not

Two things are as in the paper: the deepest plain network is the worst, on training images too, and
shortcuts mend it. The rest is on a smaller scale, 1,077 small images instead of 50,000. That depth
can *help*, as it does in the paper, these images cannot show: 8 layers are all they need.

Nor does this page say *why* it happens. [Another page](signals.py) measures what plain and
residual networks do to signals and gradients before the first step of training. In the plain ones,
gradients grow exponentially with depth.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import torch
import tyro
from jaxtyping import Float
from torch import Tensor, nn

from labml_nn.data import DRAWS, ImageData, seed_generators, split
from labml_nn.data.small import load_digits
from labml_nn.resnet import ResidualBlock, ResNetBase, ResNetClassifier
from labml_nn.resnet.experiment import ResNetConfig
from labml_nn.training import Normalize, Trainer
from labml_nn.training.machine import Machine
from labml_nn.training.measuring import evaluate

# What makes a block out of `in_channels`, `out_channels` and `stride`. Every block class does.
MakeBlock = Callable[[int, int, int], nn.Module]


class PlainBlock(ResidualBlock):
    r"""
    ## A block without its shortcut

    The two convolutions of a [residual block](__init__.py#ResidualBlock), each with its
    normalization and its ReLU. They compute $\mathcal{F}(x)$, and that is all that leaves the
    block. If its last normalization is silent, so is the plain block, where the residual block
    passes on what it was given:

    >>> blocks = ResidualBlock(8, 8, 1), PlainBlock(8, 8, 1)
    >>> x = torch.rand(2, 8, 4, 4)
    >>> for block in blocks:
    ...     _ = nn.init.zeros_(block.bn2.weight)
    >>> [torch.equal(block(x), x) for block in blocks]
    [True, False]
    >>> blocks[1](x).abs().max().item()
    0.0
    """

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """Takes `x` and returns $y$, in the shapes of `ResidualBlock.forward`."""
        y: Tensor = self.act2(self.residual(x))
        return y


def network_of(block: MakeBlock, n: int = 1) -> ResNetClassifier:
    """
    ## A network of any blocks

    * `block` makes the blocks
    * `n` is the number of blocks in each of the three stages

    Returns a network for images with one channel and ten classes. All of it except the blocks is
    the network of [section 4.2](__init__.py#cifar_resnet), at half its width, so that a
    difference in accuracy is due to the blocks. Raises `ValueError` if `n` is less than 1.

    ### The shallower network inside

    If all blocks that a deeper network has more of return their input, it computes what the
    shallower one does. Then the functions that the shallower network can compute are among those of
    the deeper one. Such classes of functions are called *nested*, and only in nested classes is the
    best function of the larger one sure to be at least as good ([Dive into Deep
    Learning](https://d2l.ai/chapter_convolutional-modern/resnet.html) begins with this).

    For a residual block, zeros as the scales of its last normalization are enough, whatever its
    other weights are. They silence a plain network. Its added blocks copy only with kernels that
    are 1 in the middle, from each channel to itself, and 0 elsewhere, before normalizations that
    change nothing. Here three blocks in each stage do the work of one:

    >>> def silence(block):
    ...     nn.init.zeros_(block.bn2.weight)
    >>> def copy(block):
    ...     for conv in (block.conv1, block.conv2):
    ...         nn.init.dirac_(conv.weight)
    >>> def same(block, change):
    ...     shallow, deep = network_of(block, 1).eval(), network_of(block, 3).eval()
    ...     _ = deep.load_state_dict(shallow.state_dict(), strict=False)
    ...     for stage in deep.base.stages:
    ...         for added in stage[1:]:
    ...             change(added)
    ...     x = torch.rand(4, 1, 8, 8)
    ...     return torch.allclose(shallow(x), deep(x), atol=1e-4)
    >>> _ = torch.manual_seed(0)
    >>> same(ResidualBlock, silence)
    True
    >>> same(PlainBlock, silence), same(PlainBlock, copy)
    (False, True)

    So in evaluation mode the plain classes are nested as well. What differs is where the shallower
    network lies in the deeper one: at zero, where weight decay pulls to anyway, or at a set of
    kernels that training would first have to find.
    """
    base = ResNetBase(
        [n, n, n],
        [8, 16, 32],
        img_channels=1,
        first_kernel_size=3,
        first_stride=1,
        first_pool=False,
    )
    # Put the blocks to be tried in the places of the right ones.
    channels = 8
    for i, out_channels in enumerate([8, 16, 32]):
        stage = nn.Sequential()
        for j in range(n):
            stride = 2 if i > 0 and j == 0 else 1
            stage.append(block(channels, out_channels, stride))
            channels = out_channels
        base.stages[i] = stage
    return ResNetClassifier(base, 10)


def digits_trainer(
    network: nn.Module, steps: int, seed: int = 0, batch_size: int = 64
) -> tuple[Trainer, ImageData]:
    """
    ## A recipe for digits

    * `network` takes images of one channel and returns ten logits
    * `steps` is the number of steps
    * `seed` decides on the order of the images
    * `batch_size` is the number of images in a batch

    The recipe is that of the [preset](experiment.py#preset) `digits`, without the random crops:
    in a few epochs a network does not get to see an image often enough to learn it by heart. The
    learning rate is in proportion to the size of the batch, 0.1 for 64 images: half as large a
    batch takes twice as many steps through the same images, each half as long ([Goyal et al.
    2017](https://arxiv.org/abs/1706.02677)).

    Returns a [trainer](../training/loop.py#Trainer) that has not taken a step, and 360 images that
    were held out of the training set to measure with.
    """
    train, valid = split(load_digits()[0], 360)
    model = nn.Sequential(Normalize(*train.mean_and_std()), network)
    recipe = ResNetConfig(
        steps=steps,
        batch_size=batch_size,
        learning_rate=0.1 * batch_size / 64,
        schedule="cosine",
        weight_decay=5e-4,
        padding=0,
        flip=False,
        seed=seed,
    ).recipe()
    return Trainer(model, train, recipe, Machine(torch.device("cpu"))), valid


# The networks that are compared. Where the shape changes, the shortcut is padded with zeros, as in
# the paper's comparison. Then both networks have the same parameters.
NetworkName = Literal["plain", "residual"]
BLOCKS: dict[NetworkName, MakeBlock] = {
    "plain": partial(PlainBlock, shortcut="pad"),
    "residual": partial(ResidualBlock, shortcut="pad"),
}
# The depth in layers: $6n + 2$, as in section 4.2, for 1, 3 and 9 blocks in each stage.
LAYERS = (8, 20, 56)
SEEDS = (0, 1, 2)
# Steps of a training, after how many of them the networks are measured, and how many times as many
# the deepest plain network gets in the last row of the table.
STEPS, EVERY, LONGER = 400, 40, 3
RECORD = Path(__file__).parents[2] / "experiments/resnet/degradation.json"


def make_network(name: NetworkName, layers: int, seed: int) -> nn.Module:
    """
    ## Plain or residual

    * `name` is one of `BLOCKS`
    * `layers` is the number of layers with weights, $6n + 2$
    * `seed` decides on the weights

    All that differs between the two networks of a depth is the addition:

    >>> plain, residual = (make_network(name, 20, seed=0) for name in BLOCKS)
    >>> weights = zip(plain.parameters(), residual.parameters(), strict=True)
    >>> all(torch.equal(p, q) for p, q in weights)
    True
    """
    seed_generators(seed, "weights")
    return network_of(BLOCKS[name], (layers - 2) // 6)


def learn(
    name: NetworkName, layers: int, seed: int, steps: int = STEPS
) -> dict[str, Any]:
    """
    ## Watching a network learn

    * `name`, `layers` and `seed` are those of `make_network`; the seed also decides on the batches
    * `steps` is the number of steps

    Returns the accuracies, from 0 to 1, after every `EVERY` steps, which are `step`: `train` on all
    images that it is trained on, `valid` on those held out.

    Both are measured with [`eval`](pitfalls.py#accuracy_without_eval), so the numbers are those
    that a user would see.

    >>> learn('residual', 8, seed=0, steps=40)['train'][-1] > 0.5
    True
    """
    trainer, valid = digits_trainer(
        make_network(name, layers, seed), steps, seed
    )
    found: dict[str, Any] = {"seed": seed, "step": [], "train": [], "valid": []}
    for step in range(1, steps + 1):
        trainer.take_step()
        if step % EVERY == 0:
            found["step"].append(step)
            for kind, images in (("train", trainer.data), ("valid", valid)):
                _, accuracy = evaluate(trainer.model, images, trainer.machine)
                found[kind].append(round(accuracy, 4))
    return found


def record() -> dict[str, Any]:
    """
    ## The record

    Returns all that the figures and the table of this page show, and how it was measured. Prints a
    line for each network.
    """
    found: dict[str, Any] = {
        "about": {
            "layers": list(LAYERS),
            "seeds": list(SEEDS),
            "steps": STEPS,
            "longer": LONGER,
            "draws": DRAWS,
        },
        **{name: {} for name in BLOCKS},
        "networks": [],
    }
    todo: list[tuple[NetworkName, int, int]] = [
        (name, layers, STEPS) for name in BLOCKS for layers in LAYERS
    ]
    for name, layers, steps in [*todo, ("plain", LAYERS[-1], LONGER * STEPS)]:
        runs = [learn(name, layers, seed, steps) for seed in SEEDS]
        if steps == STEPS:
            means = [
                fmean(each)
                for each in zip(*(r["train"] for r in runs), strict=True)
            ]
            found[name][str(layers)] = {
                "runs": runs,
                "step": runs[0]["step"],
                "mean": [round(value, 4) for value in means],
            }
        last = [{k: run[k][-1] for k in ("train", "valid")} for run in runs]
        row = {"network": name, "layers": layers, "steps": steps}
        found["networks"].append({**row, "runs": last})
        accuracies = "  ".join(f"{run['train']:7.2%}" for run in last)
        print(
            f"{name:9}{layers:3} layers {steps:5} steps: {accuracies}",
            flush=True,
        )
    return found


@dataclass(frozen=True)
class Options:
    """
    ## The command
    """

    # Write what is measured to the file that the figures of the page are drawn from.
    record: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """
    This trains all networks, which takes some minutes, and shows their accuracies on the images
    that they are trained on, one for each seed:

    ```shell
    python -m labml_nn.resnet.degradation
    python -m labml_nn.resnet.degradation --record
    ```

    The second one also writes the record. `arguments` are read in place of the command line, if
    there are any. Returns 0.
    """
    options = tyro.cli(
        Options,
        prog="python -m labml_nn.resnet.degradation",
        description="Compare plain and residual networks of three depths.",
        args=arguments,
    )
    # With one thread, sums are always taken in the same order. Networks as small as these gain
    # little from a second one.
    torch.set_num_threads(1)
    found = record()
    if options.record:
        RECORD.parent.mkdir(parents=True, exist_ok=True)
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"Wrote {RECORD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
