r"""
---
title: Digits from noise
summary:
  A diffusion network trained on handwritten digits in minutes, with DDPM and DDIM side by side, and
  a classifier that counts what it recognizes.
hook: Train it in minutes, and let a classifier read what it draws.
pictogram: pictograms/digits.svg
before: "[Images out of noise](__init__.py), and [the U-Net](unet.py)."
next: >-
  [Train your own network](../runs/library.py): the loop that trains this one.
---

# Digits from noise

A [U-Net](unet.py) is trained to predict the noise in handwritten digits of $8 \times 8$ pixels, and
then [diffusion](__init__.py) draws digits with it. It takes a few minutes on one core:

```shell
python -m labml_nn.diffusion.experiment digits
```

## What it draws

![Forty digits in five rows. Most of them are easy to read; some are no digit, or something between
two of them.](../../experiments/pictures/drawn.png)

These are the first forty digits that the network with seed 0 draws. They were not selected.

## The loss

```chart
caption: Mean squared error of the predicted noise, over five epochs each
x: epoch
y: loss
lines:
  - label: loss
    data: ../../experiments/diffusion/digits.json
    x: runs.epoch
    y: runs.loss
```

A network that always predicts zero has a loss of about 1. Most of the decrease happens in the first
epochs. The curve says little about the digits: it measures single predictions, and DDPM makes 200
of them for each digit.

## How good are they?

Looking at a few pictures is a bad measure. Comparing distributions, as the FID of the papers does,
takes a network trained on photographs and thousands of images. For digits there is a simpler
question: can they be read? A residual network of eight layers, trained
[to tell digits apart](../resnet/degradation.py#digits_trainer), is the judge. A digit counts as
recognized if the judge names one of the ten with a confidence of at least 90 %. The yardstick is
the 360 real digits that were held out of both trainings. The judge names 358 of them correctly.

```table
rows: ../../experiments/diffusion/digits.json#samplers
columns:
  - head: Digits
    value: name
    names:
      real: real, held out
      ddpm: DDPM, 200 steps
      ddim50: DDIM, 50 steps
      ddim20: DDIM, 20 steps
      ddim10: DDIM, 10 steps
  - head: Recognized
    value: runs.recognized
    format: percent
  - head: Distance, for each seed
    value: runs.distance
```

Each sampler draws 360 digits for each of three seeds, all with the same network and from the same
noise. DDPM with all of its 200 steps is the best, and still worse than the real digits. DDIM draws
fewer digits that can be read, but the number of its steps hardly matters: 10 are about as good as
50, with a twentieth of the predictions that DDPM makes. The papers also find DDPM better than DDIM
when both take all steps. On CIFAR-10, with 1000 steps, the FID of DDPM is 3.17 and that of DDIM
4.04 (table 1 of [DDIM](https://arxiv.org/abs/2010.02502)). Lower is better.

From the same noise, the four samplers draw these digits, from the first row to the last: DDPM, and
DDIM with 50, 20 and 10 steps. The rows of DDIM resemble each other, as it adds no noise on its way.

![Four rows of eight digits. The last three rows show nearly the same digits; the first row shows
others.](../../experiments/pictures/samplers.png)

## Are all ten drawn?

```chart
caption: How often the judge names each digit, of 360
x: digit
y: images
format: integer
lines:
  - label: real
    data: ../../experiments/diffusion/digits.json
    x: classes.real.digit
    y: classes.real.count
  - label: DDPM
    data: ../../experiments/diffusion/digits.json
    x: classes.drawn.digit
    y: classes.drawn.count
```

All ten occur, but not as evenly as in the real data. The network with seed 1 draws 21 zeros and 55
nines. With 360 draws and ten equally frequent digits, a number would be 36, give or take 6:

>>> round((360 * 0.1 * 0.9) ** 0.5, 1)
5.7

A network that draws nothing but a perfect 1 would always be recognized. This figure would show it.

## What this measures and what it does not

The judge tells whether an image looks like a digit to *this* classifier. Classifiers can be sure of
images that no person could read. It does not tell whether the handwriting is as varied as that of
real people: one perfect image of each digit, drawn again and again, would be recognized every time.

Nor does it find copies. The last column of the table would: it is the median distance to the most
similar image of the training set, and 0 for a copy. The drawn digits are *further* from the
training set than real digits that were held out, so the network does not merely repeat what it has
seen. But an image that is no digit at all is far from all of them, too. A large distance alone is
no merit.

The drawn digits fall short of the real ones. This may be due to the short training and the small
network; neither was tuned.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import numpy as np
import torch
import tyro
from jaxtyping import Float, Int64, UInt8
from labml_helpers.module import Module
from PIL import Image
from torch import Tensor, nn

from labml_nn.data import DRAWS, random_generator, seed_generators
from labml_nn.data.small import load_digits
from labml_nn.diffusion import Diffusion, Predict, Watch, look_away
from labml_nn.diffusion.unet import UNet
from labml_nn.resnet import ResidualBlock
from labml_nn.resnet.degradation import digits_trainer, network_of
from labml_nn.runs.library import train
from labml_nn.training.machine import Machine
from labml_nn.training.measuring import evaluate

# A fifth of the paper's steps, each with five times its $\beta_t$. That comes to about as much
# noise in the end, and sampling takes a fifth of the time.
DIFFUSION = Diffusion(steps=200, first=5e-4, last=0.1)
# Images to train on, how often each is seen, how many are in a batch, and Adam's learning rate.
IMAGES, EPOCHS, BATCH_SIZE, RATE = 1437, 100, 64, 2e-3
# Images after which the learning rate is full, and how much of the averaged weights a step keeps.
WARM_UP, EMA = 6400, 0.998
SEEDS = (0, 1, 2)
# Epochs from point to point of the curve, and how many digits are drawn.
EVERY, DRAWN = 5, 360
# How sure the judge has to be of a digit, and how many steps it is trained.
SURE, JUDGE_STEPS = 0.9, 400
# The samplers that are compared: a name, and the number of steps.
SAMPLERS = {"ddpm": 200, "ddim50": 50, "ddim20": 20, "ddim10": 10}
# In the picture of emerging digits, $t$ in each column, and the number of rows. In the others, the
# number of digits in a row and in all.
MOMENTS, ROWS = (200, 150, 100, 60, 30, 10, 0), 4
ACROSS, SHOWN = 8, 40
EXPERIMENTS = Path(__file__).parents[2] / "experiments"
RECORD = EXPERIMENTS / "diffusion/digits.json"
PICTURES = EXPERIMENTS / "pictures"

Images = UInt8[Tensor, "batch channels height width"]
Pixels = Float[Tensor, "batch channels height width"]
Judging = Callable[[Tensor], Tensor]


def to_pixels(images: Images) -> Pixels:
    """
    ## From bytes to numbers, and back

    The paper has pixels from $-1$ to 1, so that their scale is that of the noise. Returns `images`
    in this form.
    """
    return images.float() / 127.5 - 1


def to_bytes(x: Pixels) -> Images:
    """
    Returns `x` as images of bytes. What lies outside of the range is cut off.

    >>> images = load_digits()[0].images
    >>> torch.equal(to_bytes(to_pixels(images)), images)
    True
    """
    return ((x.clamp(-1, 1) + 1) * 127.5).round().byte()


class Denoising(Module):
    """
    ## A module that returns its loss

    [The loop](../runs/library.py) trains a module that turns inputs into outputs, with a loss that
    compares these with labels. Here there are no labels: the noise is drawn while the loss is
    computed. So this module returns the loss of each image as its output, all labels are zero, and
    the loop's loss is their mean. With that the loop can be used as it is, with its checkpoints,
    its schedule and its averaged weights. Only the accuracy that it reports means nothing.

    >>> _ = torch.manual_seed(0)
    >>> module = Denoising(UNet())
    >>> losses = module(torch.rand(5, 1, 8, 8))
    >>> losses.shape, round(mean_loss(losses, torch.zeros(5).long()).item())
    (torch.Size([5, 1]), 1)
    """

    def __init__(self, network: nn.Module) -> None:
        """
        * `network` predicts the noise
        """
        super().__init__()
        self.network = network

    def forward(self, x: Pixels) -> Float[Tensor, "batch 1"]:
        """Takes images `x` from $-1$ to 1, and returns the loss of each, of shape `[batch, 1]`."""
        return DIFFUSION.loss(self.network, x)[:, None]


def mean_loss(
    losses: Float[Tensor, "batch 1"], labels: Int64[Tensor, "batch"]
) -> Float[Tensor, ""]:
    """Returns the mean of the `losses`, whatever the `labels`."""
    return losses.mean()


def part_of_rate(images: int) -> float:
    """
    ## The learning rate

    Returns which part of the learning rate is used after so many `images`. It grows during the
    first hundred steps, and falls to zero along a line in the second half.

    >>> end = EPOCHS * IMAGES
    >>> [round(part_of_rate(n), 2) for n in (0, 3200, 6400, end // 2, end * 3 // 4)]
    [0.0, 0.5, 1.0, 1.0, 0.5]
    """
    share = images / (EPOCHS * IMAGES)
    return max(min(images / WARM_UP, 1.0, 2 - 2 * share), 0.0)


def learn(
    seed: int, out: Path, epochs: float, quiet: bool = True
) -> tuple[nn.Module, dict[str, Any]]:
    """
    ## One training

    * `seed` decides on the weights, the batches and the noise
    * `out` is the folder of the run. If it was stopped, it goes on
    * `epochs` is how often each image is seen
    * `quiet` leaves out the line for each epoch

    Returns the network with averaged weights, and the curve: the mean loss over every `EVERY`
    epochs.
    """
    digits, _ = load_digits()
    x = to_pixels(digits.images)
    seed_generators(seed, "weights")
    module = Denoising(UNet())
    losses: list[float] = []
    trained = train(
        module,
        (x, torch.zeros(len(x), dtype=torch.int64)),
        torch.optim.Adam(module.parameters(), lr=RATE),
        epochs=epochs,
        schedule=part_of_rate,
        loss=mean_loss,
        on_epoch=lambda _, values: losses.append(values["loss.train"]),
        out=out,
        seed=seed,
        batch_size=BATCH_SIZE,
        ema=EMA,
        device="cpu",
        quiet=quiet,
    )
    # The last epochs that do not fill a stretch are left out.
    n = len(losses) // EVERY
    means = np.array(losses[: n * EVERY]).reshape(n, EVERY).mean(axis=1)
    curve = {
        "seed": seed,
        "epoch": [EVERY * (k + 1) for k in range(n)],
        "loss": means.round(4).tolist(),
    }
    averaged = trained.model
    assert isinstance(averaged, Denoising)
    return averaged.network, curve


def draw(
    network: Predict,
    sampler: str,
    seed: int,
    n: int = DRAWN,
    watch: Watch = look_away,
) -> Pixels:
    """
    ## Drawing digits

    * `network` predicts the noise
    * `sampler` is one of `SAMPLERS`
    * `seed` decides on the noise. All samplers begin with the same
    * `n` is the number of digits
    * `watch` is called after each step

    Returns digits of shape `[n, 1, 8, 8]`, with pixels from about $-1$ to 1.

    >>> drawn = draw(UNet(), 'ddim10', seed=0, n=3)
    >>> drawn.shape
    torch.Size([3, 1, 8, 8])
    """
    noise = torch.randn(n, 1, 8, 8, generator=random_generator(seed, "noise"))
    if sampler == "ddpm":
        chance = random_generator(seed, "chance")
        return DIFFUSION.sample(network, noise, chance, watch)
    steps = SAMPLERS[sampler]
    return DIFFUSION.sample_ddim(network, noise, steps, watch=watch)


def train_judge() -> tuple[nn.Module, float]:
    """
    ## The judge

    A residual network of eight layers is trained to tell the ten digits apart, by the
    [recipe for digits](../resnet/degradation.py#digits_trainer). Returns it, and its accuracy on
    the 360 test images, from 0 to 1. Neither it nor the diffusion network has learned from these.
    """
    seed_generators(0, "weights")
    trainer, _ = digits_trainer(network_of(ResidualBlock), JUDGE_STEPS)
    for _ in range(JUDGE_STEPS):
        trainer.take_step()
    machine = Machine(torch.device("cpu"))
    _, accuracy = evaluate(trainer.plain_model, load_digits()[1], machine)
    return trainer.plain_model.eval(), round(accuracy, 4)


@torch.no_grad()
def judge(judging: Judging, images: Images) -> dict[str, Any]:
    """
    ## What is measured

    * `judging` takes bytes and returns ten logits
    * `images` are digits of shape `[n, 1, 8, 8]`

    Returns `recognized`, the share of the images that `judging` names with a confidence of at least
    90 %; `classes`, how often it names each digit; and `distance`, the median over the images of
    the distance to the most similar image of the training set. That is the root of the sum of
    squares over the pixels, which are from 0 to 1. A copy has a distance of 0:

    >>> images = load_digits()[0].images[:20]
    >>> judge(lambda images: torch.eye(10)[:1].expand(20, 10), images)['distance']
    0.0
    """
    sure, named = judging(images).softmax(1).max(1)
    known = load_digits()[0].images
    distances = torch.cdist(
        images.flatten(1).double() / 255, known.flatten(1).double() / 255
    )
    return {
        "recognized": round((sure >= SURE).double().mean().item(), 4),
        "classes": named.bincount(minlength=10).tolist(),
        "distance": round(distances.min(1).values.median().item(), 3),
    }


def emerging(network: Predict, seed: int) -> Images:
    """
    ## Digits as they emerge

    * `network` predicts the noise
    * `seed` decides on the noise

    Returns `ROWS` digits, each at all `MOMENTS`, of shape `[ROWS * len(MOMENTS), 1, 8, 8]`.

    >>> emerging(UNet(), seed=0).shape
    torch.Size([28, 1, 8, 8])
    """
    start = random_generator(seed, "noise")
    seen = {DIFFUSION.steps: torch.randn(ROWS, 1, 8, 8, generator=start)}
    draw(network, "ddpm", seed, ROWS, watch=seen.__setitem__)
    rows = torch.stack([seen[t] for t in MOMENTS], dim=1)
    return to_bytes(rows.flatten(0, 1))


def about() -> dict[str, Any]:
    """Returns what a record depends on."""
    return {
        "steps": DIFFUSION.steps,
        "epochs": EPOCHS,
        "batch_size": BATCH_SIZE,
        "rate": RATE,
        "ema": EMA,
        "drawn": DRAWN,
        "sure": SURE,
        "seeds": list(SEEDS),
        "draws": DRAWS,
    }


def record(out: Path) -> dict[str, Any]:
    """
    ## The record

    Trains with all seeds, in folders in `out`, and returns all that figures, table and pictures
    show. Prints a line for each seed and sampler.
    """
    judging, accuracy = train_judge()
    real = judge(judging, load_digits()[1].images)
    found: dict[str, Any] = {
        "about": about(),
        "judge": {"accuracy": accuracy},
        "runs": [],
        "samplers": [{"name": "real", "runs": [real]}],
        "classes": {"real": [counts(real)], "drawn": []},
        "pictures": {},
    }
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in SAMPLERS}
    for seed in SEEDS:
        network, curve = learn(seed, out / str(seed), EPOCHS)
        found["runs"].append(curve)
        for name, runs in rows.items():
            digits = to_bytes(draw(network, name, seed))
            runs.append({"seed": seed, **judge(judging, digits)})
            share = runs[-1]["recognized"]
            print(f"seed {seed} {name:7}{share:7.2%} recognized", flush=True)
            if seed == SEEDS[0]:
                found["pictures"][name] = as_text(digits[:SHOWN])
        found["classes"]["drawn"].append(counts(rows["ddpm"][-1]))
        if seed == SEEDS[0]:
            found["pictures"]["emerging"] = as_text(emerging(network, seed))
    found["samplers"] += [{"name": n, "runs": runs} for n, runs in rows.items()]
    return found


def counts(judged: dict[str, Any]) -> dict[str, list[int]]:
    """Returns how often each digit was named in `judged`, as a figure needs it."""
    return {"digit": list(range(10)), "count": judged["classes"]}


def as_text(images: Images) -> list[str]:
    """
    ## The pictures

    Returns the bytes of each of the `images` in hexadecimal. So the record holds the digits
    themselves, and the pictures can be drawn from it again.
    """
    return [bytes(each.flatten().tolist()).hex() for each in images]


def sheet(texts: list[str], across: int, factor: int) -> Image.Image:
    """
    * `texts` are digits, as `as_text` returns them
    * `across` is the number of digits in a row
    * `factor` is the number of pixels for each of theirs

    Returns a picture with nothing between the digits, so that the page shows through.

    >>> sheet(['00' * 64, 'ff' * 64, '80' * 64], across=2, factor=4).size
    (68, 68)
    """
    step = 8 * factor + 4
    down = -(-len(texts) // across)
    size = (down * step - 4, across * step - 4)
    gray, alpha = np.zeros((2, *size), dtype=np.uint8)
    for k, text in enumerate(texts):
        digit = np.frombuffer(bytes.fromhex(text), np.uint8).reshape(8, 8)
        y, x = k // across * step, k % across * step
        place = slice(y, y + step - 4), slice(x, x + step - 4)
        gray[place] = digit.repeat(factor, axis=0).repeat(factor, axis=1)
        alpha[place] = 255
    return Image.fromarray(np.stack([gray, alpha], axis=2))


def pictures(found: dict[str, Any]) -> dict[str, Image.Image]:
    """Returns the pictures of the record `found`, each with the name of its file."""
    of = found["pictures"]
    same = [digit for name in SAMPLERS for digit in of[name][:ACROSS]]
    return {
        "emerging.png": sheet(of["emerging"], len(MOMENTS), 8),
        "drawn.png": sheet(of["ddpm"], ACROSS, 6),
        "samplers.png": sheet(same, ACROSS, 6),
    }


@dataclass(frozen=True)
class Options:
    """
    ## The command
    """

    # What to draw: there are digits only.
    preset: Annotated[Literal["digits"], tyro.conf.Positional] = "digits"
    # Decides on weights, batches and noise.
    seed: int = 0
    # Folder of the run. A run that was stopped goes on.
    out: Path = Path("runs/diffusion")
    # Train with three seeds, and write what the page shows.
    record: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """
    The first of these commands trains one network, and writes digits that it draws into the folder
    of the run. The second one trains with three seeds and writes the record and the pictures:

    ```shell
    python -m labml_nn.diffusion.experiment digits
    python -m labml_nn.diffusion.experiment digits --record
    ```

    `arguments` are read in place of the command line, if there are any. Returns 0.
    """
    options = tyro.cli(
        Options,
        prog="python -m labml_nn.diffusion.experiment",
        description="Train a diffusion network that draws digits.",
        args=arguments,
    )
    # With one thread, sums are always taken in the same order.
    torch.set_num_threads(1)
    if not options.record:
        network, _ = learn(options.seed, options.out, EPOCHS, quiet=False)
        digits = to_bytes(draw(network, "ddpm", options.seed, SHOWN))
        path = options.out / "drawn.png"
        sheet(as_text(digits), ACROSS, 6).save(path)
        print(f"Wrote {path}")
        return 0
    with TemporaryDirectory() as folder:
        found = record(Path(folder))
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for name, picture in pictures(found).items():
        picture.save(PICTURES / name, optimize=True)
    print(f"Wrote {RECORD} and pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
