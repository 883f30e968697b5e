r"""
---
title: The learning rate
summary:
  How far the weights move in a step, and how that falls while a network is trained.
hook: How far to step, and when to slow down.
---

# The learning rate

The gradient says in which direction the loss falls, but not how far it does. The learning rate
decides how far to go. If it is too small, training takes for ever; if it is too large, steps
overshoot, and the loss grows instead.

No single rate suits a whole run. At the start there is a long way to go, and any direction that is
roughly right will do. At the end the weights tremble around a good place, thrown about by the
chance that is in every batch, and only smaller steps bring them closer to it. So the rate falls. A
*schedule* says which part of it is left:

>>> for name in SCHEDULES:
...     parts = [part_left(name, step, 100, (50, 75))
...              for step in (0, 25, 50, 75, 100)]
...     print(f'{name:>6}', *(f'{x:.2f}' for x in parts))
 steps 1.00 1.00 0.10 0.01 0.01
cosine 1.00 0.85 0.50 0.15 0.00
linear 1.00 0.75 0.50 0.25 0.00

## The warm-up

A rate that suits a run may still be too large for its beginning. The first steps change a network
so fast that a gradient soon says little about where the weights have gone. ResNet-110 is a case of
this, and [warms up](loop.py#Recipe.rate) with a tenth of its rate.

Large batches make it worse. With $n$ images on each of $k$ GPUs, [Goyal et al.
(2017)](https://arxiv.org/abs/1706.02677) take the rate $\eta = 0.1 \cdot kn / 256$ (section 5.1): a
batch $k$ times as large takes one step in place of $k$, so the step must be $k$ times as long. That
does as well only if the gradient would have been about the same in all $k$ steps, and in the first
epochs it is not (section 2.1). So for five epochs, the rate grows along a straight line from that
of a small batch to $\eta$ (section 2.2). Their ResNet-50 for ImageNet has a top-1 error of 23.60 %
with batches of 256. With 8192 it has 23.74 %, without a warm-up 24.84 %, and 25.88 % if the rate
stays small for five epochs and then jumps (table 1).

Here are our two ways for a batch of 1024. One jumps, and the other, [made for
Transformers](../transformers/experiment.py#ViTRecipe.rate), grows from next to nothing:

>>> from labml_nn.training import Recipe
>>> from labml_nn.transformers.experiment import ViTRecipe
>>> for kind in Recipe, ViTRecipe:
...     recipe = kind(
...         steps=1000, batch_size=1024, learning_rate=0.1 * 1024 / 256,
...         momentum=0.9, weight_decay=1e-4, milestones=(), schedule='cosine',
...         warmup_steps=100, warmup_factor=1 / 4, padding=4, flip=True, seed=0)
...     rates = [recipe.rate(step) for step in (0, 24, 49, 74, 99, 100)]
...     print(f'{kind.__name__:>9}', *(f'{rate:.3f}' for rate in rates))
   Recipe 0.100 0.100 0.100 0.100 0.100 0.390
ViTRecipe 0.004 0.100 0.200 0.300 0.400 0.390
"""

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable


def at_milestones(step: float, milestones: Sequence[int]) -> float:
    """
    ## In steps

    The part of the learning rate that is left at this `step`. It falls to a tenth at each of the
    `milestones`, which are steps too.

    For CIFAR-10, the paper starts with 0.1 and divides by ten after 32,000 and 48,000 of 64,000
    steps (section 4.2). For ImageNet it does so whenever the error stops falling (section 3.4).
    """
    passed = sum(step >= milestone for milestone in milestones)
    return 0.1**passed


def cosine(step: float, steps: int) -> float:
    r"""
    ## Along a cosine

    A cosine does without milestones and gets further in a short run, which is why the presets
    of our own use it. That is a later idea
    ([Loshchilov and Hutter, 2016](https://arxiv.org/abs/1608.03983)):

    $$\frac{\eta_t}{\eta} = \frac{1}{2} \left(1 + \cos \frac{\pi t}{T}\right)$$

    with $\eta$ for the learning rate at the start, $t$ for `step` and $T$ for the number of all
    `steps`.
    """
    wave = 1 + math.cos(math.pi * step / steps)
    return wave / 2


def linear(step: float, steps: int) -> float:
    """
    ## Along a straight line

    From all of it at `step` 0 to nothing after all `steps`. A straight line does nearly as well as
    a cosine, and [one of our optimizers](muon.py) was tuned with it.
    """
    return 1 - step / steps


SCHEDULES = ("steps", "cosine", "linear")


def part_left(
    schedule: str, step: float, steps: int, milestones: Sequence[int]
) -> float:
    """
    ## Which of them

    The part of the learning rate that a `schedule`, one of the three words, leaves at this `step`
    of `steps`. Only `'steps'` has `milestones`. Raises `ValueError` for any other word: a slip of
    the finger must not train with a rate that nobody asked for.
    """
    match schedule:
        case "steps":
            return at_milestones(step, milestones)
        case "cosine":
            return cosine(step, steps)
        case "linear":
            return linear(step, steps)
    raise ValueError(
        f"the schedule {schedule!r} is not known; choose one of "
        f"{', '.join(SCHEDULES)}"
    )


@runtime_checkable
class Lengths(Protocol):
    """
    ## How long a run is

    What is needed here of a [recipe](loop.py#Recipe).
    """

    @property
    def batch_size(self) -> int:
        """Images in a batch."""

    @property
    def images(self) -> int:
        """How many images all steps together see."""


def ends_epoch(
    recipe: Lengths, n: int, step: int, seen: int | None = None
) -> bool:
    """
    ### Where epochs end

    Whether all `n` images have been seen once more after this `step` of `recipe`, counted from 1,
    or it is the last one of the run. By then `seen` images were seen, `step` batches unless their
    size was changed. An epoch need not be a whole number of steps. What would be a last epoch of
    less than half the length belongs to the one before.
    """
    seen = step * recipe.batch_size if seen is None else seen
    if seen >= recipe.images:
        return True
    epochs = max((2 * recipe.images + n) // (2 * n), 1)

    def done(images: int) -> int:
        return min(images // n, epochs - 1)

    return done(seen) > done(seen - recipe.batch_size)
