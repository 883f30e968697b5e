r"""
---
title: Reading a picture
summary:
  Any picture file as bytes for a network, upright, square and of one size. What is damaged or made
  to do harm is refused in words.
---

# Reading a picture

Pictures come from phones, scanners and strangers. They differ in size, in orientation, in the
number of bits, and some are no pictures at all. A network wants squares of one size with a byte for
each channel. [One's own folder](folder.py) is read by what follows here, and so is a picture that a
trained network is [asked about](../resnet/predict.py). That is no accident. A network that has
learned from pictures which were made small in one way would be measured with a different kind of
picture if another way were used later.
"""

import io
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from labml_nn.data import DataError
from labml_nn.printing import printable

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
    made as small as those. Pictures from phones are often stored rotated, with the orientation in
    EXIF, which we apply. Of an animation it is the first picture, and a warning says so.

    A transparent pixel has a color too, often a black that nobody was meant to see. So what is
    transparent is laid on a `background`. Then `invert` exchanges light and dark.

    Raises `DataError` if the file is no picture of a format that we take, is damaged, or has too
    many pixels. Such a file may come from anywhere: a few hundred bytes can claim a billion pixels,
    and a damaged file makes decoders raise errors of every kind.
    """
    # Pillow warns of damaged notes, about the camera for example, which do not concern us.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        pixels, moves = decode(path, channels, side, background, invert)
    if moves:
        warnings.warn(
            f"{printable(path)} is animated; its first picture is taken",
            stacklevel=2,
        )
    return pixels


def decode(
    path: Path,
    channels: int,
    side: int,
    background: Literal["white", "black"] = "white",
    invert: bool = False,
) -> tuple[UInt8[Tensor, "1 {channels} {side} {side}"], bool]:
    """
    Does what `read_picture` says with `path`, `channels`, `side`, `background` and `invert`, but
    leaves warnings alone: they belong to the whole program, and threads that silence them would get
    in each other's way. Returns the bytes, and whether the picture moves.
    """
    try:
        data = _read_bytes(path)
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if not 0 < width * height <= MOST_PIXELS:
                raise DataError(
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
        raise DataError(
            f"{printable(path)} is not a picture that can be read, expected one "
            f"of the formats {known}."
        ) from error
    except FileNotFoundError as error:
        raise DataError(f"{printable(path)} does not exist.") from error
    except Exception as error:
        # What the system says does not repeat the path. Some errors have no text, only a name.
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{printable(path)} is not a picture that can be read: "
            f"{printable(str(reason) or repr(error))}"
        ) from error
    if "A" in small.getbands():
        colour = small.convert("RGBA")
        paper = Image.new("RGBA", small.size, background)
        small = Image.alpha_composite(paper, colour)
    small = small.convert("RGB" if channels == 3 else "L")
    if invert:
        small = ImageOps.invert(small)
    pixels = torch.from_numpy(np.array(small)).view(side, side, channels)
    return pixels.permute(2, 0, 1)[None], moves


def _read_bytes(path: Path) -> bytes:
    """All of the file at `path`. To read from a pipe could take for ever."""
    if path.exists() and not path.is_file():
        raise DataError("it is not a regular file")
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise DataError(f"it has more than {MOST_BYTES:,} bytes")
    return data


def _scale_transparency(picture: Image.Image, data: bytes) -> None:
    """
    A PNG may name the shade or the color that is transparent, in as many bits as its pixels have
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

    Returns `picture` with a byte for each pixel and channel: in shades of gray or in colors, with
    or without transparency.

    Gray with 16 bits goes from 0 to 65,535. Pillow's own conversion cuts off all above 255, and the
    picture is white. Divided by 257, the largest of 16 bits becomes the largest of 8:

    >>> grey = Image.fromarray(np.array([[0, 30000, 65535]], dtype=np.uint16))
    >>> list(to_bytes(grey).tobytes())
    [0, 117, 255]

    Raises `DataError` for numbers that are not from 0 to 65,535 or, with a point, from 0 to 1.
    """
    transparent = picture.info.get("transparency")
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture)
        most = 1 if picture.mode == "F" else 65535
        # NaN is not between anything.
        if not ((values >= 0) & (values <= most)).all():
            raise DataError(f"its pixels must be from 0 to {most}")
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
        # The A in the name of this mode is an axis of color.
        return picture.convert("RGB" if picture.mode == "LAB" else "RGBA")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")
