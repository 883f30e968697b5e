r"""
---
title: Why the norm moved
summary:
  Gradients and signals in Transformers with the norm after and before each layer, and which of them
  train without a warm-up, measured in minutes.
hook: Move one norm, and the warm-up can go.
pictogram: pictograms/prenorm.svg
papers:
  - title: On Layer Normalization in the Transformer Architecture
    authors: [Ruibin Xiong, Yunchang Yang, Di He, Kai Zheng, Shuxin Zheng, Chen Xing,
      Huishuai Zhang, Yanyan Lan, Liwei Wang, Tie-Yan Liu]
    year: 2020
    arxiv: 2002.04745
before: >-
  [A Transformer block](__init__.py#pre-norm) with its norm in two places, and
  [how it is trained](experiment.py).
next: >-
  [Pre-activation](../resnet/preactivation.py): the same move in residual networks.
---

# Why the norm moved

The first Transformers were delicate. Their learning rate had to start near zero and grow over
thousands of steps, and without this *warm-up* the training failed. [The
paper](https://arxiv.org/abs/2002.04745) looks for the reason at the very start of training and
finds it in the place of the norm: [after each addition, on the residual
stream](__init__.py#post-norm). With the norm [on the branches](__init__.py#pre-norm), the warm-up
is no longer needed. This page measures both, with small [Vision Transformers](vit.py) for digits:

```shell
python -m labml_nn.transformers.prenorm
```

Both kinds have the same layers with the same initial weights. Everything is measured with three
seeds, and a band reaches from the least to the greatest of them.

## Gradients at the start

Each block ends with the last matrix of its MLP. How large is the gradient of this matrix in each
block, before the first step?

```chart
caption: The norm of the gradient of the last matrix in each block
x: block
y: norm of the gradient
lines:
  - label: post, 12 blocks
    data: ../../experiments/transformers/prenorm.json
    x: post.start.12.runs.block
    y: post.start.12.runs.gradient
  - label: post, 48 blocks
    data: ../../experiments/transformers/prenorm.json
    x: post.start.48.runs.block
    y: post.start.48.runs.gradient
  - label: pre, 12 blocks
    data: ../../experiments/transformers/prenorm.json
    x: pre.start.12.runs.block
    y: pre.start.12.runs.gradient
  - label: pre, 48 blocks
    data: ../../experiments/transformers/prenorm.json
    x: pre.start.48.runs.block
    y: pre.start.48.runs.gradient
```

With post-norm, the gradient of the last block is about the same at any depth. With pre-norm it
falls with depth, to about half from 6 blocks to 48. The paper proves this for a simplified network:
of $L$ blocks, the gradient of the last is bounded by a constant with post-norm, and by a constant
times $1/\sqrt{L}$ with pre-norm (theorem 1).

In the first of 48 blocks, seeds differ by a factor of more than two with post-norm, and by less
than a fifth with pre-norm.

Why does it fall with depth? A norm divides the gradient by [the size of what it was
given](../normalization/__init__.py#the-gradient). With post-norm, each norm is given a stream that
the last norm has just brought back to size 1, plus one branch. With pre-norm, the stream grows, and
one norm at the end divides by all that has been added:

```chart
caption: The size of the stream that leaves each of 48 blocks
x: block
y: size of the stream
lines:
  - label: post-norm
    data: ../../experiments/transformers/prenorm.json
    x: post.start.48.runs.block
    y: post.start.48.runs.signal
  - label: pre-norm
    data: ../../experiments/transformers/prenorm.json
    x: pre.start.48.runs.block
    y: pre.start.48.runs.signal
```

Squares add up, so it grows like a root of the number of blocks. That is the same curve as in
[residual networks](../resnet/signals.py#the-signal-on-its-way-up).

## Training without a warm-up

Now 12 blocks learn digits in 200 steps, with a learning rate of 0.004. It starts at once, or after
50 steps in which it grows.

```chart
caption: Accuracy on training images
x: step
y: accuracy
format: percent
lines:
  - label: post-norm
    data: ../../experiments/transformers/prenorm.json
    x: post.curves.0.runs.step
    y: post.curves.0.runs.train
  - label: post, warm-up
    data: ../../experiments/transformers/prenorm.json
    x: post.curves.50.runs.step
    y: post.curves.50.runs.train
  - label: pre-norm
    data: ../../experiments/transformers/prenorm.json
    x: pre.curves.0.runs.step
    y: pre.curves.0.runs.train
  - label: pre, warm-up
    data: ../../experiments/transformers/prenorm.json
    x: pre.curves.50.runs.step
    y: pre.curves.50.runs.train
```

Without a warm-up, post-norm does not learn at all. With every seed, a tenth of its answers are
right in the end, as by chance. With a warm-up it learns, and pre-norm learns in both ways.

```chart
caption: Accuracy on training images after 200 steps, against the learning rate
x: learning rate
y: accuracy
x_scale: log
format: percent
lines:
  - label: post-norm
    data: ../../experiments/transformers/prenorm.json
    x: post.rates.0.runs.rate
    y: post.rates.0.runs.train
  - label: post, warm-up
    data: ../../experiments/transformers/prenorm.json
    x: post.rates.50.runs.rate
    y: post.rates.50.runs.train
  - label: pre-norm
    data: ../../experiments/transformers/prenorm.json
    x: pre.rates.0.runs.rate
    y: pre.rates.0.runs.train
  - label: pre, warm-up
    data: ../../experiments/transformers/prenorm.json
    x: pre.rates.50.runs.rate
    y: pre.rates.50.runs.train
```

Smaller rates do not save post-norm. At 0.001 and at 0.002, one of three seeds still fails. At
0.008, it mostly fails in spite of the warm-up. Pre-norm learns at every rate, with and without a
warm-up. At 0.001 it is slower than post-norm with a warm-up, and has not learned all images after
200 steps.

## Is it the gradients?

Not their size alone. [Adam](experiment.py#ViTRecipe.optimizer) divides each gradient by its own
size. Its first step moves every weight by the learning rate, whether gradients are large or small.
But the same step has different effects. [One step at the rate of 0.001](#first_step) changes what
leaves 12 blocks by 60 % of its size with post-norm, and by 20 % with pre-norm. With post-norm, a
small change in an early block is amplified by those that follow. [Liu et al.
(2020)](https://arxiv.org/abs/2004.08249) come to this conclusion for translation. With a
warm-up, the first steps are so small that the change remains small, too.

## What this shows and what it does not

The networks are small and the trainings short. What is as in the paper: without a warm-up
post-norm fails where pre-norm learns. The paper's networks translate, and have to be trained for
hours. Pre-norm has a price, too: as its stream grows, each further block changes it less.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean  # noqa: F401 - for the examples
from typing import Any, Literal, cast

import torch
import tyro
from torch import Tensor, nn

from labml_nn.data import DRAWS, seed_generators, split
from labml_nn.data.small import load_digits
from labml_nn.training import Trainer
from labml_nn.training.machine import Machine
from labml_nn.training.measuring import evaluate
from labml_nn.transformers import Block
from labml_nn.transformers.experiment import ViTConfig
from labml_nn.transformers.vit import VisionTransformer

# The two places of the norm, by the names that they have in the record.
Place = Literal["post", "pre"]
PLACES: tuple[Place, ...] = ("post", "pre")
# Depths in blocks that are measured before training, images in a batch there, and seeds.
DEPTHS = (6, 12, 24, 48)
BATCH = 16
SEEDS = (0, 1, 2)
# What is trained: the depth in blocks, the steps, the lengths of the warm-up, and learning rates.
# The curves are those of one of the rates, after every so many steps.
BLOCKS, STEPS = 12, 200
WARMUPS = (0, 50)
RATES = (0.001, 0.002, 0.004, 0.008)
SHOWN, EVERY = 0.004, 20
RECORD = Path(__file__).parents[2] / "experiments/transformers/prenorm.json"


def config(
    place: Place,
    seed: int,
    blocks: int = BLOCKS,
    rate: float = SHOWN,
    warmup: int = 0,
) -> ViTConfig:
    """
    ## The networks and the recipe

    * `place` is where the norms are
    * `seed` decides on weights and batches
    * `blocks` is the number of blocks
    * `rate` is the learning rate
    * `warmup` is the number of steps in which it grows

    Returns the configuration of a narrower and deeper network than that of [the preset
    `digits`](experiment.py#the-presets). All else is as there.
    """
    return ViTConfig(
        seed=seed,
        patch=2,
        layers=blocks,
        heads=4,
        features=32,
        norm_first=place == "pre",
        positions=1.0,
        steps=STEPS,
        batch_size=64,
        learning_rate=rate,
        warmup_steps=warmup,
        padding=0,
        flip=False,
    )


def make_network(
    place: Place, seed: int, blocks: int = BLOCKS
) -> nn.Sequential:
    """
    Returns the network of `config` for this `place`, `seed` and number of `blocks`.

    >>> post, pre = (make_network(place, seed=0, blocks=2) for place in PLACES)
    >>> weights = zip(post.parameters(), pre.parameters(), strict=True)
    >>> all(torch.equal(p, q) for p, q in weights)
    True
    """
    model = config(place, seed, blocks).build(load_digits()[0])
    return cast(nn.Sequential, model)


def measure(place: Place, seed: int, blocks: int) -> dict[str, Any]:
    """
    ## Before training

    * `place`, `seed` and `blocks` are those of `config`

    Shows random images to the network, and sends a random gradient of norm 1 back from the last
    norm. Returns lists with a value for each block: its number from 1 as `block`, the root of the
    mean square of what leaves it as `signal`, and the norm of the gradient of the last matrix of
    its MLP as `gradient`.

    >>> post, pre = (measure(place, seed=0, blocks=6) for place in PLACES)
    >>> post['signal'][0], post['signal'][5], pre['signal'][0] < pre['signal'][5]
    (1.0, 1.0, True)
    """
    network = cast(VisionTransformer, make_network(place, seed, blocks)[1])
    seed_generators(seed, "signals")
    encoder = network.encoder
    x = (
        network.embed(torch.randn(BATCH, 1, 8, 8))
        + encoder.pos_embedding[:, 1:]
    )
    signals, weights = [], []
    for layer in encoder.layers:
        x = layer(x)
        signals.append(x.square().mean().sqrt().item())
        weights.append(cast(Tensor, cast(Block, layer).mlp[3].weight))
    y = encoder.ln(x)
    sent = torch.randn_like(y)
    gradients = torch.autograd.grad(y, weights, sent / sent.norm())
    norms = [gradient.norm().item() for gradient in gradients]
    return {
        "seed": seed,
        "block": list(range(1, blocks + 1)),
        "signal": [float(f"{value:.4g}") for value in signals],
        "gradient": [float(f"{value:.4g}") for value in norms],
    }


def first_step(place: Place, seed: int, rate: float) -> float:
    """
    ## One step

    * `place`, `seed` and `rate` are those of `config`

    Moves every weight of the blocks by `rate` against the sign of its gradient, which is the first
    step of Adam. The images and the gradient are random. Returns how much the output changes,
    relative to its size.

    >>> for place in PLACES:
    ...     changes = [first_step(place, seed, 0.001) for seed in SEEDS]
    ...     print(place, f'{fmean(changes):.1f}')
    post 0.6
    pre 0.2
    """
    network = cast(VisionTransformer, make_network(place, seed)[1])
    seed_generators(seed, "signals")
    encoder = network.encoder
    x = (
        network.embed(torch.randn(BATCH, 1, 8, 8))
        + encoder.pos_embedding[:, 1:]
    )
    weights = list(encoder.layers.parameters())
    before = encoder.ln(encoder.layers(x))
    gradients = torch.autograd.grad(before, weights, torch.randn_like(before))
    with torch.no_grad():
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.sub_(rate * gradient.sign())
        after = encoder.ln(encoder.layers(x))
    change: Tensor = (after - before).norm() / before.norm()
    return change.item()


def learn(place: Place, seed: int, rate: float, warmup: int) -> dict[str, Any]:
    """
    ## Training

    * `place`, `seed`, `rate` and `warmup` are those of `config`

    Returns the accuracies, from 0 to 1, after every `EVERY` steps, which are `step`: `train` on all
    images that it is trained on, `valid` on those held out.
    """
    train, valid = split(load_digits()[0], 360)
    recipe = config(place, seed, rate=rate, warmup=warmup).recipe()
    model = make_network(place, seed)
    trainer = Trainer(model, train, recipe, Machine(torch.device("cpu")))
    found: dict[str, Any] = {"seed": seed, "step": [], "train": [], "valid": []}
    for step in range(1, STEPS + 1):
        trainer.take_step()
        if step % EVERY == 0:
            found["step"].append(step)
            for kind, images in (("train", train), ("valid", valid)):
                _, accuracy = evaluate(model, images, trainer.machine)
                found[kind].append(round(accuracy, 4))
    return found


def record() -> dict[str, Any]:
    """
    ## The record

    Returns all that the figures of this page show, and how it was measured. Prints a line for each
    place, warm-up and rate, with an accuracy on the training images for each seed.
    """
    found: dict[str, Any] = {
        "about": {
            "depths": list(DEPTHS),
            "batch": BATCH,
            "seeds": list(SEEDS),
            "blocks": BLOCKS,
            "steps": STEPS,
            "warmups": list(WARMUPS),
            "rates": list(RATES),
            "shown": SHOWN,
            "draws": DRAWS,
        }
    }
    for place in PLACES:
        at_start = {
            str(blocks): {"runs": [measure(place, s, blocks) for s in SEEDS]}
            for blocks in DEPTHS
        }
        found[place] = {"start": at_start, "curves": {}, "rates": {}}
        for warmup in WARMUPS:
            rows: list[dict[str, Any]] = [
                {"seed": seed, "rate": [], "train": [], "valid": []}
                for seed in SEEDS
            ]
            for rate in RATES:
                runs = [learn(place, seed, rate, warmup) for seed in SEEDS]
                for row, run in zip(rows, runs, strict=True):
                    row["rate"].append(rate)
                    row["train"].append(run["train"][-1])
                    row["valid"].append(run["valid"][-1])
                if rate == SHOWN:
                    found[place]["curves"][str(warmup)] = {"runs": runs}
                shown = "  ".join(f"{run['train'][-1]:7.2%}" for run in runs)
                print(
                    f"{place:4}-norm, {warmup:2} steps of warm-up, rate "
                    f"{rate:.3f}: {shown}",
                    flush=True,
                )
            found[place]["rates"][str(warmup)] = {"runs": rows}
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
    This measures and trains all networks, which takes some minutes:

    ```shell
    python -m labml_nn.transformers.prenorm
    python -m labml_nn.transformers.prenorm --record
    ```

    The second one also writes the record. `arguments` are read in place of the command line, if
    there are any. Returns 0.
    """
    options = tyro.cli(
        Options,
        prog="python -m labml_nn.transformers.prenorm",
        description="Compare Transformers with post-norm and with pre-norm.",
        args=arguments,
    )
    torch.set_num_threads(1)
    found = record()
    if options.record:
        RECORD.parent.mkdir(parents=True, exist_ok=True)
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"Wrote {RECORD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
