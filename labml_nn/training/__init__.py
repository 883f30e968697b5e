r"""
---
title: A training loop
summary:
  Stochastic gradient descent on one device or many, resumable to the bit, that never makes the
  device wait for the log.
---

# A training loop

Training repeats one step: take a batch, compute the loss, compute its gradients, move the weights a
little against them. Around that step stands everything that makes it useful in practice: a schedule
for the learning rate, measurements on images the network has not seen, checkpoints, several
processes that share the work, and a way to stop. The step and its measurements are on this page;
[checkpoints](checkpoint.py), [the machine](machine.py) and [the run](run.py) as a whole have pages
of their own.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int64, Shaped, UInt8
from torch import Tensor, nn

from labml_nn.data import Crops, ImageData, batch_indices, random_generator
from labml_nn.training.machine import Machine


@dataclass(frozen=True)
class Recipe:
    """
    ## The recipe

    What the result of a run depends on, apart from the network and the data.
    """

    # Steps of gradient descent
    steps: int
    # Images in a batch, those of all processes together
    batch_size: int
    # Learning rate after the warm-up and before the first milestone
    learning_rate: float
    momentum: float
    # Strength of the pull of all weights towards zero
    weight_decay: float
    # Steps at which the learning rate is divided by ten
    milestones: tuple[int, ...]
    # `'steps'` divides the learning rate by ten at the milestones, `'cosine'` lets it fall to zero
    # along half a cosine wave, `'linear'` along a straight line
    schedule: str
    # Steps at the start with `warmup_factor` times the learning rate
    warmup_steps: int
    warmup_factor: float
    # Zeros around an image before it is cropped
    padding: int
    # Whether images may be mirrored
    flip: bool
    seed: int

    def rate(self, step: int) -> float:
        r"""
        ### The learning rate

        The paper starts with 0.1 and divides by ten twice, when the error stops falling. Its
        network with 110 layers does not start to learn at that rate, so it is warmed up with 0.01
        first (section 4.2).

        A cosine does without milestones and gets further in a short run, which is why the presets
        of our own use it. That is a later idea
        ([Loshchilov and Hutter, 2016](https://arxiv.org/abs/1608.03983)):

        $$\eta_t = \frac{\eta}{2} \left(1 + \cos \frac{\pi t}{T}\right)$$

        with $\eta$ for `learning_rate`, $t$ for `step` and $T$ for `steps`. A straight line does
        nearly as well, and [one of our optimizers](muon.py) was tuned with it.
        """
        if step < self.warmup_steps:
            return self.learning_rate * self.warmup_factor
        if self.schedule == "linear":
            return self.learning_rate * (1 - step / self.steps)
        if self.schedule == "cosine":
            wave = 1 + math.cos(math.pi * step / self.steps)
            return self.learning_rate / 2 * wave
        passed = sum(step >= milestone for milestone in self.milestones)
        return self.learning_rate * 0.1**passed

    def draw(
        self, data: ImageData, step: int, machine: Machine
    ) -> tuple[
        UInt8[Tensor, "batch channels height width"], Int64[Tensor, "batch"]
    ]:
        """
        ### The batch

        The images of `data` that this `step` sees, cropped and mirrored, and their labels. All
        processes draw the same batch; what is returned is the share of the one on `machine`, of
        shapes `[batch, channels, height, width]` and `[batch]`.
        """
        indices = batch_indices(len(data), self.batch_size, step, self.seed)
        crops = Crops.draw(
            self.batch_size,
            self.padding,
            self.flip,
            random_generator(self.seed, step, 1),
        )
        share = machine.share(self.batch_size)
        mine = indices[share].to(machine.device)
        return crops.part(share).cut(data.images[mine]), data.labels[mine]

    def loss(
        self,
        logits: Float[Tensor, "batch n_classes"],
        labels: Int64[Tensor, "batch"],
    ) -> Float[Tensor, ""]:
        r"""
        ### The loss

        Cross-entropy, the mean over the batch: with the `logits` $z$ of an image and the number $k$
        of its true class, from `labels`, it is $-z_k + \ln \sum_j e^{z_j}$. The shapes are
        `[batch, n_classes]`, `[batch]`, and `[]` for the result.
        """
        return nn.functional.cross_entropy(logits, labels)

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        r"""
        ### The optimizer

        Stochastic gradient descent with momentum, as in the paper, for the weights $w$ of `model`.
        With $g$ for the gradient of the loss, $\mu$ for `momentum`, $\lambda$ for `weight_decay`
        and $\eta$ for the learning rate, the weights move by a velocity $v$:

        $$v \leftarrow \mu v + g + \lambda w \qquad w \leftarrow w - \eta v$$

        The weight decay applies to all parameters, those of the normalizations too. The paper does
        not say so; it is what the software of its time did by default.

        `fused` updates all parameters in a single pass over memory, where the plain loop launches
        several operations for each of them.
        """
        parameters = [p for p in model.parameters() if p.requires_grad]
        return torch.optim.SGD(
            parameters,
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            fused=parameters[0].device.type in ("cpu", "cuda"),
        )

    def set_rates(self, optimizer: torch.optim.Optimizer, step: int) -> None:
        """Gives `optimizer` the learning rate of this `step`."""
        for group in optimizer.param_groups:
            group["lr"] = self.rate(step)


@dataclass
class Totals:
    """
    ## Measuring without waiting

    A GPU works through a queue that the program fills ahead of time. Asking it for a number, the
    loss of this very step, means waiting until the queue is empty, and the device then idles until
    it is filled again. So losses and hits are summed up *on the device*, and only looked at when an
    epoch is over.
    """

    # `[4]`: the sum of the losses, of hits, of images, and the first step whose loss was no number
    sums: Float[Tensor, "4"]
    started: float = field(default_factory=time.perf_counter)
    images: int = 0

    @staticmethod
    def on(device: torch.device) -> "Totals":
        """
        New totals on `device`. Double precision counts images exactly, however many there are;
        devices that lack it make do with single.
        """
        kind = torch.float32 if device.type == "mps" else torch.float64
        sums = torch.zeros(4, dtype=kind, device=device)
        sums[3] = math.inf
        return Totals(sums)

    @torch.no_grad()
    def add(
        self,
        step: int,
        loss: Float[Tensor, ""],
        logits: Float[Tensor, "batch n_classes"],
        labels: Int64[Tensor, "batch"],
    ) -> None:
        """
        Adds a batch.

        * `step` is the number of the step that it was for
        * `loss` is its mean loss, of shape `[]`
        * `logits` has shape `[batch, n_classes]`, `labels` has shape `[batch]`
        """
        n = len(labels)
        hits = (logits.argmax(dim=1) == labels).sum()
        bad = torch.where(loss.isfinite(), math.inf, float(step))
        new = torch.stack(
            [
                x.to(self.sums.dtype)
                for x in (loss * n, hits, torch.full_like(hits, n))
            ]
        )
        self.sums[:3] += new
        self.sums[3] = torch.minimum(self.sums[3], bad.to(self.sums.dtype))
        self.images += n

    def read(self, machine: Machine) -> tuple[float, float, float]:
        """
        Waits for the device, adds up what all processes have, each on its `machine`, and returns
        the mean loss, the accuracy, and the images per second of all processes together.

        Raises `Diverged` if a loss was infinite or no number.
        """
        sums = machine.sum(self.sums[:3].clone())
        loss, hits, images = sums.tolist()
        first_bad = self.sums[3].item()
        seconds = time.perf_counter() - self.started
        if not math.isfinite(loss):
            raise Diverged(first_bad)
        n = max(images, 1)
        return loss / n, hits / n, images / seconds


class Diverged(Exception):
    """
    ## When the loss is no longer a number

    Once a weight is infinite or not a number, all of them soon are, and further steps cannot mend
    that.
    """

    def __init__(self, step: float) -> None:
        where = (
            f"step {int(step)}" if math.isfinite(step) else "another process"
        )
        super().__init__(f"the loss is no longer a number, since {where}")


class Normalize(nn.Module):
    """
    ## From bytes to numbers

    Pixels from 0 to 255 become numbers with a mean of zero and a standard deviation of one in each
    channel, measured on the training images. It is part of the model, so a checkpoint holds the two
    values and a prediction cannot forget them.
    """

    mean: Float[Tensor, "1 channels 1 1"]
    std: Float[Tensor, "1 channels 1 1"]

    def __init__(
        self, mean: Float[Tensor, "channels"], std: Float[Tensor, "channels"]
    ) -> None:
        """
        * `mean` and `std` have shape `[channels]` and are for pixels from 0 to 1
        """
        super().__init__()
        self.register_buffer("mean", mean.view(1, -1, 1, 1))
        self.register_buffer("std", std.view(1, -1, 1, 1))

    def forward(
        self, images: UInt8[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """
        * `images` are bytes of shape `[batch, channels, height, width]`

        Returns the same shape in floating point.
        """
        return (images.float() / 255 - self.mean) / self.std


class Trainer:
    """
    ## The trainer

    Knows how to take a step and how to measure, and holds everything that a checkpoint has to
    save. What to do between the steps is for its caller to decide.
    """

    def __init__(
        self,
        model: nn.Module,
        data: ImageData,
        recipe: Recipe,
        machine: Machine,
    ) -> None:
        """
        * `model` takes bytes and returns logits
        * `data` are the images to train on
        * `recipe` says how to train
        * `machine` is the process that this runs in, and its device
        """
        self.recipe = recipe
        self.machine = machine
        self.model = machine.prepare(model)
        self.data = data.to(machine.device)
        # The optimizer holds the parameters of the plain model, which `prepare` may have wrapped.
        self.plain_model = model
        self.optimizer = recipe.optimizer(model)
        self.step = 0
        self.totals = Totals.on(machine.device)

    def take_step(self) -> None:
        """
        ### One step

        Draw a batch, compute the loss and its gradients, move the weights.
        """
        recipe, machine, step = self.recipe, self.machine, self.step
        images, labels = recipe.draw(self.data, step, machine)
        recipe.set_rates(self.optimizer, step)
        self.model.train()
        with machine.autocast():
            logits = self.model(images)
        # Outside of autocast the loss is computed in single precision: sums of exponentials need
        # its digits.
        loss = recipe.loss(logits.float(), labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.totals.add(step, loss, logits, labels)
        self.step += 1

    def read_totals(self, *, start_anew: bool) -> dict[str, float]:
        """
        Returns what was measured so far, and with `start_anew` sets all totals to zero. Raises
        `Diverged` if the loss is no longer a number.
        """
        loss, accuracy, speed = self.totals.read(self.machine)
        if start_anew:
            self.totals = Totals.on(self.machine.device)
        return {
            "loss.train": loss,
            "accuracy.train": accuracy,
            "learning_rate": self.recipe.rate(self.step - 1),
            "images_per_second": speed,
        }

    def state(self) -> dict[str, Any]:
        """
        What a checkpoint saves of the trainer. It has to copy the weights from the device, so it
        waits.
        """
        return {
            "step": self.step,
            "model": self.plain_model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state(
        self,
        step: int,
        model: dict[str, Shaped[Tensor, "..."]],
        optimizer: dict[str, Any],
    ) -> None:
        """
        Goes on from what `state` returned: the `step`, the weights of the `model`, and what the
        `optimizer` remembers.
        """
        self.plain_model.load_state_dict(model)
        self.optimizer.load_state_dict(optimizer)
        self.step = step


@torch.no_grad()
def evaluate(
    model: nn.Module, data: ImageData, machine: Machine, batch_size: int = 1000
) -> tuple[float, float]:
    """
    ## Measuring

    Returns the mean loss and the accuracy of `model` on all of `data`, from 0 to 1. Every process
    measures its share of the images on its `machine`, `batch_size` of them at a time.

    `eval` makes normalizations use the averages they gathered in training. Without it a prediction
    would depend on the other images of its batch.
    """
    model.eval()
    share = machine.share(len(data))
    mine = data.take(torch.arange(len(data))[share].to(data.images.device)).to(
        machine.device
    )
    sums = torch.zeros(3, dtype=torch.float32, device=machine.device)
    for start in range(0, len(mine), batch_size):
        images = mine.images[start : start + batch_size]
        labels = mine.labels[start : start + batch_size]
        with machine.autocast():
            logits = model(images).float()
        loss = nn.functional.cross_entropy(logits, labels, reduction="sum")
        hits = (logits.argmax(dim=1) == labels).sum()
        sums += torch.stack(
            [loss, hits.float(), torch.full_like(loss, len(labels))]
        )
    loss_sum, hits_sum, images_sum = machine.sum(sums).tolist()
    return loss_sum / images_sum, hits_sum / images_sum


def epoch_ends(recipe: Recipe, n: int) -> Sequence[int]:
    """
    ## Where epochs end

    The steps of `recipe` after which all `n` images have been seen once more, and the last step of
    the run. An epoch need not be a whole number of steps. What would be a last epoch of less than
    half the length belongs to the one before.
    """
    epochs = max(int(recipe.steps * recipe.batch_size / n + 0.5), 1)
    ends = {
        math.ceil(epoch * n / recipe.batch_size) for epoch in range(1, epochs)
    }
    return sorted({end for end in ends if end < recipe.steps} | {recipe.steps})
