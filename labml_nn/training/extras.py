r"""
---
title: Extras
summary:
  Mixup, CutMix, random erasing, label smoothing, clipping, accumulation, averaged weights and early
  stopping, each a few lines and off by default.
---

# Extras

[The loop](loop.py) does what every training needs. On this page is what many recipes add. Each
extra is off by default, and costs nothing then. Each can be switched on by itself:

| option | what it does | for a start |
|---|---|--:|
| `--mixup` | blends two images and their labels | 0.2 |
| `--cutmix` | pastes a part of one image into another | 1 |
| `--erase` | overwrites a part of an image with noise | 0.25 |
| `--label-smoothing` | asks for a little less than certainty | 0.1 |
| `--accumulate` | computes a batch in so many parts, for want of memory | 4 |
| `--clip` | shortens gradients that are longer than this | 1 |
| `--ema` | measures and saves averaged weights | 0.999 |
| `--patience` | stops after so many epochs without a better accuracy | 10 |

The numbers in the last column are common ones to begin with, not results of ours. What is switched
on is in the configuration of a run, and so in its files. Random numbers come from
[the seed and the step](../data/__init__.py#random_generator), and what an extra remembers is part
of the checkpoint. A run that was stopped goes on to the same bit.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from labml_nn.data import ImageData, random_generator, send
from labml_nn.training.machine import Machine


@dataclass(frozen=True)
class Extras:
    """
    ## Which of them

    What is 0 is off, and so is one part in `accumulate`.
    """

    # $\alpha$ of the share that each of two images has
    mixup: float = 0
    cutmix: float = 0
    # The probability that a part of an image is erased
    erase: float = 0
    # How much of the probability goes to all classes alike
    label_smoothing: float = 0
    # In how many parts a batch is computed
    accumulate: int = 1
    # The greatest length of the gradient of all weights together
    clip: float = 0
    # How much of the averaged weights stays in each step
    ema: float = 0
    # After how many epochs without a better accuracy to stop
    patience: int = 0

    @property
    def change_images(self) -> bool:
        """Whether the images of a batch are changed after they were cropped."""
        return bool(self.mixup or self.cutmix or self.erase)

    def draw(
        self,
        draw: Callable[
            ..., tuple[Shaped[Tensor, "batch ..."], Int64[Tensor, "batch"]]
        ],
        seed: int,
        data: ImageData,
        step: int,
        machine: Machine,
        seen: int,
    ) -> "Batch":
        """
        The batch of this `step`, the share of the process on `machine`, with images that are mixed
        and erased as asked for. `draw` is that of [the recipe](loop.py#Recipe.draw), from `data`
        after so many images `seen`.

        Every process draws the whole batch first, since an image may be mixed with one that is
        another's. What is drawn depends on `seed` and `step` alone, so all of them see the same.
        """
        alone = replace(machine, rank=0, world=1)
        batch = self.change(Batch(*draw(data, step, alone, seen)), seed, step)
        return batch.part(machine.share(len(batch)))

    def change(self, batch: "Batch", seed: int, step: int) -> "Batch":
        """
        The whole `batch` of this `step`, with images that are mixed and erased as `seed` decides.
        """
        generator = random_generator(seed, "mix", step)
        # If both are on, a coin decides for each batch.
        coin = torch.rand((), generator=generator) < 0.5
        if self.cutmix and (not self.mixup or coin):
            batch = cutmix(batch, self.cutmix, generator)
        elif self.mixup:
            batch = mixup(batch, self.mixup, generator)
        if self.erase:
            generator = random_generator(seed, "erase", step)
            batch = replace(
                batch, images=erase(batch.images, self.erase, generator)
            )
        return batch

    def shorten_gradients(self, model: nn.Module) -> None:
        r"""
        ### No step too far

        Now and then a batch has a gradient many times as long as those before. One step along it
        can undo an hour of training. With $g$ for the gradients of all weights of `model` in one
        row, they are shortened if they are longer than $c$, which is `clip`:

        $$g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g \rVert}\right)$$

        The direction stays. With several processes the gradients are averaged before, so all of
        them shorten by the same factor. The device does not have to tell how long the gradient was,
        so nobody waits for it.
        """
        nn.utils.clip_grad_norm_(model.parameters(), self.clip)


@dataclass(frozen=True)
class Batch:
    """
    ## A batch

    Images with their labels. Where two images were mixed, there are `others`, the labels of the
    second ones, and `share` is how much of the first one is left.
    """

    # `[batch, ...]`
    images: Shaped[Tensor, "batch ..."]
    # `[batch]`
    labels: Int64[Tensor, "batch"]
    others: Int64[Tensor, "batch"] | None = None
    share: float = 1.0

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, index: slice) -> "Batch":
        """The part of the batch that `index` cuts out."""
        others = None if self.others is None else self.others[index]
        return replace(
            self,
            images=self.images[index],
            labels=self.labels[index],
            others=others,
        )

    def parts(self, n: int) -> Iterator["Batch"]:
        """
        `n` parts that differ in their size by one at most, or fewer where there are not as many
        images.
        """
        n = min(n, len(self))
        for k in range(n):
            start, stop = len(self) * k // n, len(self) * (k + 1) // n
            yield self.part(slice(start, stop)) if n > 1 else self

    def loss(
        self,
        function: Callable[
            [Float[Tensor, "batch n_classes"], Int64[Tensor, "batch"]],
            Float[Tensor, ""],
        ],
        logits: Float[Tensor, "batch n_classes"],
    ) -> Float[Tensor, ""]:
        r"""
        With $y$ for the labels and $y'$ for the others, the loss of a mixture with a share of
        $\lambda$ is

        $$\lambda \, \ell(z, y) + (1 - \lambda) \, \ell(z, y')$$

        where `function` is $\ell$ and the `logits` $z$ have shape `[batch, n_classes]`. The result
        is a single number.
        """
        loss = function(logits, self.labels)
        if self.others is None:
            return loss
        other = function(logits, self.others)
        return self.share * loss + (1 - self.share) * other


def draw_share(alpha: float, generator: torch.Generator) -> float:
    r"""
    ## Two images in one

    A network that has seen a photograph of a cat a hundred times knows it by heart. It does not
    know a mixture of two photographs, and there are more pairs than it could ever remember.

    The share of the first image is drawn from a beta distribution with both parameters `alpha`,
    with numbers that `generator` decides on. With 1, all shares are as likely; with less, most
    images stay nearly as they are.

    >>> generator = random_generator(0, 'an example')
    >>> [round(draw_share(0.2, generator), 2) for _ in range(6)]
    [1.0, 0.0, 0.13, 0.25, 0.07, 0.04]

    PyTorch has no beta distribution that draws from a generator of ours. NumPy's old one is frozen:
    it gives the same numbers in every version.
    """
    words = torch.randint(2**32, (8,), generator=generator).tolist()
    return float(np.random.RandomState(words).beta(alpha, alpha))


def mixup(batch: Batch, alpha: float, generator: torch.Generator) -> Batch:
    """
    ### Blended

    Mixup ([Zhang et al., 2017](https://arxiv.org/abs/1710.09412)) lays one image over another, like
    two slides in one projector. The network is to answer with both, each in proportion.

    Each image of the `batch` is blended with the one in its place when the batch is read backwards.
    As its order is random, so are the pairs. `alpha` and `generator` decide on
    [the share](#draw_share), one for the batch, as in the paper.

    Images that are bytes stay bytes, so that [the model](loop.py#Normalize) takes them. Rounding
    changes a pixel by half of one of its 255 steps at most.
    """
    share = draw_share(alpha, generator)
    images = batch.images.float()
    mixed = torch.lerp(images.flip(0), images, share)
    if batch.images.dtype == torch.uint8:
        mixed = mixed.round()
    return _mixture(batch, mixed.to(batch.images.dtype), share)


def cutmix(batch: Batch, alpha: float, generator: torch.Generator) -> Batch:
    r"""
    ### Pasted

    CutMix ([Yun et al., 2019](https://arxiv.org/abs/1905.04899)) pastes a rectangle of one image
    into another. Nothing is transparent, so each place looks like a photograph.

    With a share of $\lambda$, which is [drawn](#draw_share) with `alpha` and `generator`, the
    rectangle has $\sqrt{1 - \lambda}$ of each side. It lies anywhere, also in part outside of the
    image. The labels of the `batch` count by the area that is really seen.

    >>> dark, light = torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)
    >>> batch = Batch(torch.cat([dark, light]), torch.tensor([0, 1]))
    >>> mixed = cutmix(batch, 1, random_generator(31, 'an example'))
    >>> mixed.images[0, 0].int().tolist()
    [[0, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    >>> mixed.share, mixed.others
    (0.625, tensor([1, 0]))
    """
    height, width = batch.images.shape[-2:]
    part = (1 - draw_share(alpha, generator)) ** 0.5
    centre = torch.rand(2, generator=generator).tolist()
    (top, bottom), (left, right) = (
        _span(at * side, part * side, side)
        for at, side in zip(centre, (height, width), strict=True)
    )
    images = batch.images.clone()
    pasted = batch.images.flip(0)[..., top:bottom, left:right]
    images[..., top:bottom, left:right] = pasted
    area = (bottom - top) * (right - left)
    return _mixture(batch, images, 1 - area / (height * width))


def _span(centre: float, length: float, side: int) -> tuple[int, int]:
    """Where a stretch of this `length` begins and ends, as far as it is on the `side`."""
    first = round(centre - length / 2)
    return max(first, 0), min(max(first + round(length), 0), side)


def _mixture(
    batch: Batch, images: Shaped[Tensor, "batch ..."], share: float
) -> Batch:
    """
    The mixed `images`, with the labels of the larger part as those that hits are counted by.
    """
    labels, others = batch.labels, batch.labels.flip(0)
    if share < 0.5:
        labels, others, share = others, labels, 1 - share
    return Batch(images, labels, others, share)


def erase(
    images: Shaped[Tensor, "batch channels height width"],
    probability: float,
    generator: torch.Generator,
) -> Shaped[Tensor, "batch channels height width"]:
    """
    ## A part is missing

    A cat behind a pole is a cat. Random erasing
    ([Zhong et al., 2017](https://arxiv.org/abs/1708.04896)) teaches that: with this `probability`,
    a rectangle of an image is overwritten with noise. It has 2 to 40 % of the area of the image,
    and sides in a ratio from 3:10 to 10:3, as in the paper. Where it would be longer than the
    image, the paper draws again; we cut it off.

    * `images` are bytes, of shape `[batch, channels, height, width]`, or numbers with a mean of 0,
      for which the noise has a standard deviation of 1
    * `generator` decides on what is erased. All numbers are drawn on the CPU, so they are the same
      on every device

    Returns images of the same shape.
    """
    batch, _, height, width = images.shape
    chosen, size, ratio, *place = torch.rand(5, batch, generator=generator)
    area = (0.02 + 0.38 * size) * height * width
    # As likely to be wide as to be high
    stretch = (10 / 3) ** (2 * ratio - 1)
    inside = chosen < probability
    masks = []
    for at, side, length in zip(
        place,
        (height, width),
        ((area * stretch).sqrt(), (area / stretch).sqrt()),
        strict=True,
    ):
        length = length.round().clamp(1, side)
        first = (at * (side - length + 1)).floor()
        pixel = torch.arange(side)
        masks.append(
            (first[:, None] <= pixel) & (pixel < (first + length)[:, None])
        )
    rows, columns = masks
    mask = inside[:, None, None] & rows[:, :, None] & columns[:, None, :]
    if images.dtype == torch.uint8:
        noise = torch.randint(256, images.shape, generator=generator).byte()
    else:
        noise = torch.randn(images.shape, generator=generator)
    device = images.device
    here = send(noise.to(images.dtype), device)
    return torch.where(send(mask[:, None], device), here, images)


class AveragedModel:
    r"""
    ## The mean of many networks

    In every step the weights are thrown about by the chance that is in its batch. Their mean over
    the last steps is not. With $w$ for the weights and $\bar w$ for those averaged, in each step

    $$\bar w \leftarrow \beta \bar w + (1 - \beta) w$$

    This is the exponential moving average (EMA) of
    [Polyak and Juditsky's](https://doi.org/10.1137/0330046) idea. With $\beta = 0.999$ it reaches
    back about a thousand steps, and with a short run it would still remember the random weights
    that it began with. So $\beta$ begins at 0.1 and grows with the number $t$ of the step: it is
    the smaller of `--ema` and $(1 + t) / (10 + t)$.

    Images held out are measured with the averaged weights, and these are what `model` is in a
    checkpoint: what is reported is what the file yields. The others are there too, as `trained`,
    to go on from.
    """

    def __init__(self, model: nn.Module, ema: float) -> None:
        r"""
        * `model` is the network that is going to be trained
        * `ema` is $\beta$
        """
        self.ema = ema
        self.model = copy.deepcopy(model).requires_grad_(False)
        mine, theirs = (
            list(each.state_dict().values()) for each in (self.model, model)
        )
        self.mine = [x for x in mine if x.is_floating_point()]
        self.theirs = [x for x in theirs if x.is_floating_point()]
        # Counters are not averaged.
        self.counters = [
            pair
            for pair in zip(mine, theirs, strict=True)
            if not pair[0].is_floating_point()
        ]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """
        Takes in the weights after this `step`, which counts from 0, and all other numbers that the
        network keeps, such as the means of its normalizations.
        """
        ema = min(self.ema, (1 + step) / (10 + step))
        average = get_ema_multi_avg_fn(ema)  # type: ignore[no-untyped-call]
        average(self.mine, self.theirs, None)
        for counter, other in self.counters:
            counter.copy_(other)


def gives_up(extras: Extras, since_best: int) -> bool:
    """
    ## Enough is enough

    Whether to stop, `since_best` epochs after the best accuracy on images held out, with the
    patience of these `extras`.

    A learning rate that falls to zero at the end of all steps has not fallen far when a run stops
    early, and the best accuracies come when it is small. So patience goes with a rate that does not
    fall, or is generous. It also makes the accuracy on these images a little better than it is on
    others: the moment was chosen by it.
    """
    return 0 < extras.patience <= since_best
