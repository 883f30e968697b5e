"""A training step of ResNet-20: the loop that everybody writes first, and what each of our choices adds to its speed.

The network, the batch and the steps of the optimizer are the same for all. The images are noise in the shape of
CIFAR-10's, which takes as long as anything else. Each contestant is a process of its own, and the first steps, in which
it gets its memory, do not count.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from labml_nn.data import ImageData
from labml_nn.data.small import make_synthetic
from labml_nn.resnet import cifar_resnet
from labml_nn.training import Normalize, Recipe, Trainer
from labml_nn.training.machine import Machine, keep_memory

from .measure import (
    ROOT,
    Row,
    alternate,
    arguments,
    ask,
    finish,
    machine,
    parse,
    positive,
    quotients,
    summary,
)

WARM_UP = 3
"""Steps that do not count."""
IMAGES = 50_000
"""An epoch of CIFAR-10."""
PLAIN = "plain"
PLAIN_WORKERS = 2
"""Processes that load images for the plain loop."""
CPU = torch.device("cpu")
LADDER = {
    "batched": (Machine(CPU, channels_last=False), False),
    "channels last": (Machine(CPU), False),
    "bfloat16": (Machine(CPU, bfloat16=True), False),
    "memory kept": (Machine(CPU, bfloat16=True), True),
}
"""Our loop, each time with one choice more: the machine, and whether it keeps its memory."""


def main() -> None:
    """Measure, print and write."""
    parser = arguments("throughput", __doc__, rounds=5)
    parser.add_argument("--steps", type=positive, default=40, help="steps that count (default: %(default)s)")
    parser.add_argument(
        "--batch", type=positive, default=256, help="images in a batch (default: %(default)s)"
    )
    parser.add_argument("--contestant", choices=[PLAIN, *LADDER], help=argparse.SUPPRESS)
    options = parse(parser)
    if options.contestant:
        print(json.dumps(seconds_per_image(options.contestant, options.steps, options.batch)))
        return
    steps, batch = (1, 8) if options.quick else (options.steps, options.batch)
    on = machine()
    measured = alternate(
        {name: partial(in_process, name, steps, batch) for name in (PLAIN, *LADDER)}, options.rounds
    )
    columns = "loop n images_per_second epoch times_plain low high".split()
    finish("throughput", rows(measured), columns, options, on, peers=["torch", "pillow"])


def rows(measured: Mapping[str, list[float]]) -> list[Row]:
    """The results: images a second, and how many times that is what the plain loop does."""
    times = {name: summary(quotients(measured[PLAIN], seconds)) for name, seconds in measured.items()}
    return [
        {
            "loop": name,
            "n": len(seconds),
            "images_per_second": summary([1 / one for one in seconds])["median"],
            "epoch": summary([one * IMAGES for one in seconds])["median"],
            "times_plain": times[name]["median"],
            "low": times[name]["low"],
            "high": times[name]["high"],
        }
        for name, seconds in measured.items()
    ]


def in_process(name: str, steps: int, batch: int) -> float:
    """What `seconds_per_image` returns, from another process: memory that one keeps would be there for the next."""
    words = ("--contestant", name, "--steps", str(steps), "--batch", str(batch))
    seconds: float = ask("throughput", ROOT, *words)
    return seconds


def seconds_per_image(name: str, steps: int, batch: int) -> float:
    """The seconds that the contestant `name` takes for an image, over so many `steps` of `batch` images."""
    data, _ = make_synthetic(batch * (WARM_UP + steps))
    mean, std = data.mean_and_std()
    network = cifar_resnet(3)
    if name == PLAIN:
        taken = plain_steps(network, data, batch, mean, std)
    else:
        on, keeps = LADDER[name]
        if keeps:
            keep_memory()
        taken = our_steps(nn.Sequential(Normalize(mean, std), network), data, batch, on)
    for _ in range(WARM_UP):
        next(taken)
    start = time.perf_counter()
    for _ in range(steps):
        next(taken)
    return (time.perf_counter() - start) / (steps * batch)


def our_steps(model: nn.Module, data: ImageData, batch: int, on: Machine) -> Iterator[None]:
    """Take steps as our training does."""
    recipe = Recipe(10**6, batch, 0.1, 0.9, 1e-4, (), "cosine", 0, 0.1, padding=4, flip=True, seed=0)
    trainer = Trainer(model, data, recipe, on)
    while True:
        trainer.take_step()
        yield


class PlainImages(Dataset[tuple[Tensor, int]]):
    """Images that are cropped, mirrored and normalised one at a time, by Pillow."""

    def __init__(self, data: ImageData, mean: Tensor, std: Tensor) -> None:
        self.images = data.images.permute(0, 2, 3, 1).numpy()
        self.labels = data.labels.tolist()
        self.mean, self.std = mean.view(3, 1, 1), std.view(3, 1, 1)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = ImageOps.expand(Image.fromarray(self.images[index]), 4)
        left, top = random.randrange(9), random.randrange(9)
        image = image.crop((left, top, left + 32, top + 32))
        if random.random() < 0.5:
            image = ImageOps.mirror(image)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
        return (pixels.float() / 255 - self.mean) / self.std, self.labels[index]


def plain_steps(model: nn.Module, data: ImageData, batch: int, mean: Tensor, std: Tensor) -> Iterator[None]:
    """Take steps as everybody first writes them."""
    loader = DataLoader(PlainImages(data, mean, std), batch, shuffle=True, num_workers=PLAIN_WORKERS)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    model.train()
    for images, labels in loader:
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        loss.item()  # for the mean that everybody prints
        yield


if __name__ == "__main__":
    main()
