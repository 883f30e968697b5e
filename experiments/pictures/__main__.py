"""Makes the pictures of this folder: `python -m experiments.pictures RUN --transformer RUN --data DIR`.

Both are folders of runs of the preset `digits` with `--final`, the first of a residual network and the second of a
Vision Transformer. `DIR` is the folder of CIFAR-10. Without one of them, the pictures that come from it stay as they
are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from PIL import Image
from torch import Tensor, nn

from labml_nn.data import Crops, ImageData, random_generator
from labml_nn.data.cifar10 import load_cifar10
from labml_nn.data.small import load_digits
from labml_nn.resnet.speedrun import whitening_filters
from labml_nn.runs.loading import load_model
from labml_nn.training import Normalize
from labml_nn.transformers import Block
from labml_nn.transformers.vit import VisionTransformer

from .block import PARTS, WEIGHTS, image

HERE = Path(__file__).parent
GAP = 4
"""Pixels between images."""
ATTENDED = (0, 3, 4, 7)
"""The first image of each of these classes in the test set is shown with its attention."""


@dataclass(frozen=True)
class Options:
    """What the pictures are made from."""

    # Folder of a run of the preset `digits`.
    run: Annotated[Path | None, tyro.conf.Positional] = None
    # Folder of a run of the preset `digits` of `labml_nn.transformers.experiment`.
    transformer: Path | None = None
    # Folder of CIFAR-10.
    data: Path | None = None


def keep_weights(model: nn.Module) -> None:
    """Write the weights of the parts of `model` that `block` uses."""
    state = model.state_dict()
    kept = {name: state[name].numpy() for name in state if name.startswith(PARTS)}
    np.savez_compressed(WEIGHTS, **kept)


def enlarged(images: Tensor, factor: int) -> Tensor:
    """Images of bytes, with squares of `factor` pixels for each pixel."""
    return images.repeat_interleave(factor, 2).repeat_interleave(factor, 3)


def sheet(images: Tensor, across: int) -> Image.Image:
    """Images `[n, channels, height, width]` of bytes in rows of `across`, with nothing between them."""
    n, _, height, width = images.shape
    down = -(-n // across)
    size = (down * (height + GAP) - GAP, across * (width + GAP) - GAP)
    ground = np.zeros((*size, 4), dtype=np.uint8)
    for number, each in enumerate(images.expand(n, 3, height, width).permute(0, 2, 3, 1).numpy()):
        y, x = number // across * (height + GAP), number % across * (width + GAP)
        ground[y : y + height, x : x + width, :3] = each
        ground[y : y + height, x : x + width, 3] = 255
    return Image.fromarray(ground, "RGBA")


def save(picture: Image.Image, name: str, colours: int = 0) -> None:
    """Write a picture, with at most so many `colours` if the number is given."""
    if colours:
        picture = picture.quantize(colours, method=Image.Quantize.FASTOCTREE)
    picture.save(HERE / name, optimize=True)


def crops(train: ImageData) -> Image.Image:
    """An image as it is, and seven times as the augmentation of CIFAR-10 shows it to the network."""
    horses = (train.labels == train.classes.index("horse")).nonzero()[:, 0]
    one = train.images[horses[4] : horses[4] + 1]
    drawn = Crops.draw(7, 4, True, random_generator(0, "picture")).cut(one.expand(7, -1, -1, -1))
    return sheet(enlarged(torch.cat([one, drawn]), 3), 4)


def whitening(train: ImageData) -> Image.Image:
    """The filters of the speed run, in the order of their eigenvalues, largest first."""
    some = train.images[:5000]
    filters = whitening_filters(Normalize(*train.mean_and_std())(some))[:12].flip(0)
    strongest = filters.abs().amax(dim=(1, 2, 3), keepdim=True)
    return sheet(enlarged(((filters / strongest + 1) * 127.5).round().byte(), 24), 6)


def predictions(model: nn.Module, test: ImageData) -> tuple[Image.Image, dict[str, object]]:
    """Six images of the test set: first those that the network gets wrong, then those that it is least sure of among
    the others. Also returns what it takes them for.
    """
    with torch.inference_mode():
        sure, guess = model(test.images).softmax(1).max(1)
    is_right = guess == test.labels
    found = (sure + is_right).argsort()[:6]
    shown = [
        {"image": n, "label": int(test.labels[n]), "guess": int(guess[n]), "sure": round(float(sure[n]), 2)}
        for n in found.tolist()
    ]
    about = {"images": len(test), "right": int(is_right.sum()), "shown": shown}
    return sheet(enlarged(test.images[found], 10), 6), about


def attention(model: nn.Module, test: ImageData) -> tuple[Image.Image, dict[str, object]]:
    """Some images of the test set, each with how much the class token takes from each patch in the last block: a square
    for each head, as light as its weight, with white for the largest. Also returns these weights.
    """
    assert isinstance(model, nn.Sequential)
    network = model[1]
    assert isinstance(network, VisionTransformer)
    numbers = [int((test.labels == digit).nonzero()[0, 0]) for digit in ATTENDED]
    images = test.images[numbers]
    encoder = network.encoder
    *before, last = (layer for layer in encoder.layers if isinstance(layer, Block))
    with torch.inference_mode():
        patches = network.embed(model[0](images))
        z = torch.cat([network.class_token.expand(len(images), -1, -1), patches], 1) + encoder.pos_embedding
        weights = last.self_attention.weights(last.ln_1(nn.Sequential(*before)(z)))[:, :, 0]
        guesses = model(images).argmax(1)
    side = round((weights.shape[-1] - 1) ** 0.5)
    maps = weights[:, :, 1:].reshape(*weights.shape[:2], side, side)
    light = (255 * maps / maps.amax((2, 3), keepdim=True)).round().byte()
    factor = 10 * images.shape[-1] // side
    rows = [
        torch.cat([enlarged(image[None], 10), enlarged(heads[:, None], factor)])
        for image, heads in zip(images, light, strict=True)
    ]
    about = {
        "images": numbers,
        "labels": test.labels[numbers].tolist(),
        "guesses": guesses.tolist(),
        "weights": [[[round(w, 3) for w in head] for head in each] for each in weights.tolist()],
    }
    return sheet(torch.cat(rows), 1 + light.shape[1]), about


def main(options: Options) -> None:
    """Make all pictures whose sources are given."""
    save(sheet(enlarged(image().images, 16), 1), "digit.png")
    if options.run:
        model, _, _, _ = load_model(options.run)
        keep_weights(model)
        picture, about = predictions(model, load_digits()[1])
        run = json.loads((options.run / "config.json").read_text("utf-8"))
        about = {"preset": run["preset"], "seed": run["config"]["seed"], **about}
        save(picture, "predictions.png")
        (HERE / "predictions.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    if options.transformer:
        model, _, _, _ = load_model(options.transformer)
        picture, about = attention(model, load_digits()[1])
        run = json.loads((options.transformer / "config.json").read_text("utf-8"))
        about = {"preset": run["preset"], "seed": run["config"]["seed"], **about}
        save(picture, "attention.png")
        (HERE / "attention.json").write_text(json.dumps(about) + "\n", "utf-8")
    if options.data:
        train, _ = load_cifar10(options.data)
        save(crops(train), "crops.png", 256)
        save(whitening(train), "whitening.png", 64)


if __name__ == "__main__":
    main(tyro.cli(Options))
