r"""
---
title: Name what is in a picture
summary:
  The classes that a trained network sees in any picture file, from a checkpoint alone.
---

# Name what is in a picture

A trained network is of use when it is shown something new:

```shell
python -m labml_nn.resnet.predict runs/20260131-120000-quick cat.jpg dog.png
```

The checkpoint holds all that is needed: the weights, the values to normalise with, and the
configuration to build the same network from.
"""

import io
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
import tyro
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from labml_nn.data import ImageData
from labml_nn.printing import printable
from labml_nn.resnet import experiment, speedrun
from labml_nn.runs.command import Experiment
from labml_nn.runs.config import check_limits
from labml_nn.runs.files import RunFailed, load_config, print_error
from labml_nn.training.checkpoint import CheckpointError, CheckpointFolder, load
from labml_nn.training.verify import ABOUT, Expected, Unfit, compare

# The experiments whose networks can be loaded
EXPERIMENTS: list[Experiment[Any]] = [
    experiment.EXPERIMENT,
    speedrun.EXPERIMENT,
]


@dataclass(frozen=True)
class Options:
    """
    ## The options
    """

    # Folder of a run.
    run: Annotated[Path, tyro.conf.Positional]
    # Picture files: PNG, JPEG, WebP, GIF, BMP or PPM.
    pictures: Annotated[tuple[Path, ...], tyro.conf.Positional]
    # How many classes to name for each picture.
    top: int = 3
    # What to put behind pictures that are transparent in places: `white`, like the page of a book,
    # or `black`.
    background: Literal["white", "black"] = "white"
    # Turn light into dark and dark into light. The digits of the data are light on dark; most
    # people draw them the other way round.
    invert: bool = False


def load_model(folder: Path) -> tuple[nn.Module, tuple[str, ...], int, int]:
    """
    ## Loading the network

    Returns the network of the run in `folder`, with the weights that were best on the images held
    out or, where none were, the last ones; the names of its classes; and the number of channels and
    the side of its images. Raises `RunFailed` or `CheckpointError` if there is no such run.
    """
    kinds = {each.module: each.config for each in EXPERIMENTS}
    _, _, config = load_config(folder, kinds)
    check_limits(config)
    checkpoints = CheckpointFolder(folder / "checkpoints", keep=1)
    path = checkpoints.best
    if path.exists():
        checkpoint = load(path)
    else:
        checkpoint = checkpoints.load_last()
        path = checkpoints.path(checkpoint.step)
    try:
        compare("about", checkpoint.about, ABOUT)
        classes = tuple(checkpoint.about["classes"])
        channels, side = checkpoint.about["channels"], checkpoint.about["side"]
        if channels not in (1, 3):
            raise Unfit("about.channels", channels, "1 or 3")
        # What the network knows of the data it was trained on comes with the weights, so any image
        # will do to build it.
        anything = ImageData(
            torch.randint(256, (1, channels, 8, 8)).byte(),
            torch.zeros(1, dtype=torch.int64),
            classes,
        )
        with Room(2**24 + path.stat().st_size):
            model = config.build(anything)
        weights = model.state_dict()
        Expected(weights).compare(checkpoint)
        weights.update(checkpoint.model)
        model.load_state_dict(weights)
    except Exception as error:
        raise CheckpointError(
            f"{path} does not fit the network of {folder}/config.json: "
            f"{printable(str(error) or repr(error), 300)}. Pass the folder of "
            "a run as it was written."
        ) from error
    return model.eval(), classes, channels, side


class Room(TorchFunctionMode):
    """
    ### Not more than there are weights

    The configuration says how large the network is, in a few bytes that anybody can change. Inside
    of this context, tensors may have `left` bytes together, and whatever would have more is refused
    before its memory is used: the system only hands it out when something is written there.
    """

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left
        self.seen: set[int] = set()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """PyTorch calls this in place of each of its functions, here `func`."""
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor):
            memory = made.untyped_storage()
            if memory.data_ptr() not in self.seen:
                self.seen.add(memory.data_ptr())
                self.left -= memory.nbytes()
            if self.left < 0:
                raise Unfit(
                    "the network", "larger than that", "as many weights"
                )
        return made


# What a picture may be. Pillow knows forty formats more. One of them starts another program, and
# some were last looked after long ago.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "PPM")

# Pixels and bytes of a picture at most. Cameras of phones have up to 200 million pixels, but write
# 50 million unless they are asked. Decoded, these take 150 MB.
MOST_PIXELS = 2**26
MOST_BYTES = 2**27


def read_picture(
    path: Path,
    channels: int,
    side: int,
    background: Literal["white", "black"] = "white",
    invert: bool = False,
) -> UInt8[Tensor, "1 {channels} {side} {side}"]:
    """
    ## Reading a picture

    Returns the picture in the file `path` as bytes of shape `[1, channels, side, side]`. The
    network knows small square images only: the middle of the picture is cut out as a square and
    made as small as those. Pictures from phones are often stored lying on their side with a note
    how to turn them, which is heeded. Of an animation it is the first picture, and a warning says
    so.

    A transparent pixel has a colour too, often a black that nobody was meant to see. So what is
    transparent is laid on a `background`. Then `invert` exchanges light and dark.

    Raises `RunFailed` if the file is no picture of a format that we take, is damaged, or has too
    many pixels. Such a file may come from anywhere: a few hundred bytes can claim a billion pixels,
    and a damaged file makes decoders raise errors of every kind.
    """
    try:
        data = _read_bytes(path)
        # Pillow warns of damaged notes, about the camera for example, which do not concern us.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                width, height = picture.size
                if not 0 < width * height <= MOST_PIXELS:
                    raise RunFailed(
                        f"it has {width:,} × {height:,} pixels, expected 1 to "
                        f"{MOST_PIXELS:,}"
                    )
                _scale_transparency(picture, data)
                upright = ImageOps.exif_transpose(picture)
                small = ImageOps.fit(to_bytes(upright), (side, side))
                # Photos may hold a second, smaller picture, but do not move.
                moves = picture.format != "MPO" and getattr(
                    picture, "is_animated", False
                )
    except UnidentifiedImageError as error:
        known = ", ".join(FORMATS)
        raise RunFailed(
            f"{printable(path)} is not a picture that can be read, expected one "
            f"of the formats {known}."
        ) from error
    except FileNotFoundError as error:
        raise RunFailed(f"{printable(path)} does not exist.") from error
    except Exception as error:
        # What the system says does not repeat the path. Some errors have no text, only a name.
        reason = getattr(error, "strerror", None) or error
        raise RunFailed(
            f"{printable(path)} is not a picture that can be read: "
            f"{printable(str(reason) or repr(error))}"
        ) from error
    if moves:
        warnings.warn(
            f"{printable(path)} is animated; its first picture is taken",
            stacklevel=2,
        )
    if "A" in small.getbands():
        colour = small.convert("RGBA")
        paper = Image.new("RGBA", small.size, background)
        small = Image.alpha_composite(paper, colour)
    small = small.convert("RGB" if channels == 3 else "L")
    if invert:
        small = ImageOps.invert(small)
    pixels = torch.from_numpy(np.array(small)).view(side, side, channels)
    return pixels.permute(2, 0, 1)[None]


def _read_bytes(path: Path) -> bytes:
    """All of the file at `path`. To read from a pipe could take for ever."""
    if path.exists() and not path.is_file():
        raise RunFailed("it is not a regular file")
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise RunFailed(f"it has more than {MOST_BYTES:,} bytes")
    return data


def _scale_transparency(picture: Image.Image, data: bytes) -> None:
    """
    A PNG may name the shade or the colour that is transparent, in as many bits as its pixels have
    in the file. Pillow makes eight bits of 2, 4 or 16, but leaves the name as it was.
    """
    transparent = picture.info.get("transparency")
    # The header has a fixed place: width and height, then the bits and what they are for.
    bits = data[24] if picture.format == "PNG" else 8
    if picture.mode == "L" and isinstance(transparent, int) and bits < 8:
        picture.info["transparency"] = transparent * 255 // (2**bits - 1)
    if picture.mode == "RGB" and isinstance(transparent, tuple) and bits == 16:
        picture.info["transparency"] = tuple(x >> 8 for x in transparent)


def to_bytes(picture: Image.Image) -> Image.Image:
    """
    ### One byte for each channel

    Returns `picture` with a byte for each pixel and channel: in shades of grey or in colours, with
    or without transparency.

    Grey with 16 bits goes from 0 to 65,535. Pillow's own conversion cuts off all above 255, and the
    picture is white. Divided by 257, the largest of 16 bits becomes the largest of 8:

    >>> grey = Image.fromarray(np.array([[0, 30000, 65535]], dtype=np.uint16))
    >>> list(to_bytes(grey).tobytes())
    [0, 117, 255]

    Raises `RunFailed` for numbers that are not from 0 to 65,535 or, with a point, from 0 to 1.
    """
    transparent = picture.info.get("transparency")
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture)
        most = 1 if picture.mode == "F" else 65535
        # NaN is not between anything.
        if not ((values >= 0) & (values <= most)).all():
            raise RunFailed(f"its pixels must be from 0 to {most}")
        if picture.mode == "F":
            shades = np.rint(values * np.float32(255))
        else:
            shades = (values.astype(np.uint32) + 128) // 257
        grey = Image.fromarray(shades.astype(np.uint8))
        if isinstance(transparent, int):
            opaque = Image.fromarray((values != transparent).view(np.uint8))
            grey.putalpha(opaque.point(lambda value: 255 * value))
        return grey
    if "a" in picture.mode.lower() or transparent is not None:
        # The A in the name of this mode is an axis of colour.
        return picture.convert("RGB" if picture.mode == "LAB" else "RGBA")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


@torch.no_grad()
def predict(
    model: nn.Module, picture: UInt8[Tensor, "1 channels height width"]
) -> Float[Tensor, "n_classes"]:
    r"""
    ## Predicting

    Returns the probabilities that `model` gives to the classes for `picture`, of shape
    `[n_classes]`: the softmax of the logits, $p_k = e^{z_k} / \sum_j e^{z_j}$. Networks tend to be
    surer than they should be, so these are not the chances of being right. Raises `RunFailed` if
    one of them is not a number.
    """
    probabilities: Tensor = model(picture).softmax(dim=1)[0]
    if not probabilities.isfinite().all():
        raise RunFailed(
            "what the network computes is infinite or not a number. Its weights "
            "are damaged, or were never right; train it again."
        )
    return probabilities


def main() -> int:
    """
    ## The command
    """
    options = tyro.cli(
        Options,
        prog="python -m labml_nn.resnet.predict",
        description="Name what is in pictures.",
    )
    failed = False
    try:
        if options.top < 1:
            raise RunFailed(f"--top must be at least 1, got {options.top}")
        model, classes, channels, side = load_model(options.run)
    except (CheckpointError, RunFailed) as error:
        print_error(error)
        return 1
    failed = False
    for path in options.pictures:
        # A picture that cannot be read is no reason not to look at the others.
        try:
            with warnings.catch_warnings(record=True) as notes:
                warnings.simplefilter("always")
                picture = read_picture(
                    path, channels, side, options.background, options.invert
                )
        except RunFailed as error:
            print_error(error)
            failed = True
            continue
        for note in notes:
            print(f"note: {note.message}", file=sys.stderr)
        try:
            likely = predict(model, picture)
        except RunFailed as error:
            print_error(f"{printable(path)}: {error}")
            failed = True
            continue
        best = likely.topk(min(options.top, len(classes)))
        print(printable(path))
        for probability, k in zip(*best, strict=True):
            name = printable(classes[int(k)], 60)
            print(f"  {float(probability):7.2%}  {name}")
        if channels == 1 and has_light_edge(picture):
            print(
                f"note: {printable(path)} is dark on light; if the network "
                f"knows light on dark, as digits are, use "
                f"{'no ' if options.invert else ''}--invert",
                file=sys.stderr,
            )
    return int(failed)


def has_light_edge(picture: UInt8[Tensor, "1 1 side side"]) -> bool:
    """
    ### Dark on light

    Whether the edge of a grey `picture`, of shape `[1, 1, side, side]`, is lighter than its middle
    on average. A network that was trained with light digits on a dark ground does not know what to
    make of dark ones on white, and says something all the same.
    """
    pixels = picture[0, 0].float()
    inside = pixels[1:-1, 1:-1]
    edge = pixels.sum() - inside.sum()
    n = pixels.numel() - inside.numel()
    return bool(edge / n > max(128.0, float(inside.mean())))


if __name__ == "__main__":
    sys.exit(main())
