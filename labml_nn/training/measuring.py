r"""
---
title: Measuring
summary:
  Loss and accuracy, in training and on images held out, summed up on the device so that it never
  has to wait for them.
hook: Loss and accuracy, without making the device wait.
---

# Measuring

Two questions come up while a network is trained. How well does it do on the images that it learns
from? Every step tells in passing, and the answer must not slow training down. How well does it do
on images that it has not seen? The answer must not depend on how many processes there are, nor on
which images share a batch.
"""

import math
import time
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from labml_nn.data import ImageData
from labml_nn.training.machine import Machine


@dataclass
class Totals:
    """
    ## Without waiting

    A GPU works through a queue that the program fills ahead of time. Asking it for a number, the
    loss of this very step, means waiting until the queue is empty, and the device then idles until
    it is filled again. So losses and hits are summed up *on the device*, and only looked at when an
    epoch is over.
    """

    # `[4]`: the sum of the losses, of hits, of images, and the first step whose loss was no number
    sums: Float[Tensor, "4"]
    started: float = field(default_factory=time.perf_counter)

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

    def state(self, machine: Machine) -> dict[str, float]:
        """
        What a checkpoint saves in the middle of an epoch: the sums of all processes, of which this
        is the one on `machine`, and the seconds. An epoch that was interrupted then has the same
        mean loss as one that was not.

        Waits for the device. Raises `Diverged` if a loss was infinite or no number.
        """
        loss, hits, images = machine.sum(self.sums[:3].clone()).tolist()
        if not math.isfinite(loss):
            raise Diverged(self.sums[3].item())
        seconds = time.perf_counter() - self.started
        return {
            "loss": loss,
            "hits": hits,
            "images": images,
            "seconds": seconds,
        }

    def load(self, state: dict[str, float]) -> None:
        """
        Goes on from what `state` returned. Only one of the processes may, since the sums are those
        of all.
        """
        for k, name in enumerate(("loss", "hits", "images")):
            self.sums[k] = state.get(name, 0.0)
        self.started = time.perf_counter() - state.get("seconds", 0.0)

    def read(self, machine: Machine) -> tuple[float, float, float]:
        """
        Waits for the device, adds up what all processes have, each on its `machine`, and returns
        the mean loss, the accuracy, and the images per second of all processes together.

        Raises `Diverged` if a loss was infinite or no number.
        """
        sums = self.state(machine)
        n = max(sums["images"], 1)
        speed = sums["images"] / sums["seconds"]
        return sums["loss"] / n, sums["hits"] / n, speed


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


@torch.no_grad()
def evaluate(
    model: nn.Module, data: ImageData, machine: Machine, batch_size: int = 1000
) -> tuple[float, float]:
    """
    ## On images held out

    Returns the mean loss and the accuracy of `model` on all of `data`, from 0 to 1. The processes
    take turns: with two of them, the one on `machine` measures every second batch of `batch_size`
    images. So the batches are the same however many processes there are. Their size may decide how
    a device adds up, and with it the last digits of a logit.

    `eval` makes normalizations use the averages they gathered in training. Without it a prediction
    would depend on the other images of its batch.
    """
    model.eval()
    sums = Totals.on(machine.device).sums[:2]
    starts = range(0, len(data), batch_size)
    for start in starts[machine.rank :: machine.world]:
        batch = slice(start, start + batch_size)
        images = data.images[batch].to(machine.device)
        labels = data.labels[batch].to(machine.device)
        with machine.autocast():
            logits = model(images).float()
        loss = nn.functional.cross_entropy(logits, labels, reduction="sum")
        hits = (logits.argmax(dim=1) == labels).sum()
        sums += torch.stack([loss.to(sums.dtype), hits.to(sums.dtype)])
    loss_sum, hits_sum = machine.sum(sums).tolist()
    return loss_sum / len(data), hits_sum / len(data)
