r"""
---
title: Images in a file of NumPy
summary:
  Training on one's own arrays from an npz file, whose names, kinds and shapes are looked at before
  anything is read.
---

# Images in a file of NumPy

Data that does not come from pictures, such as the frames of an instrument, is mostly at hand as
arrays. `numpy.savez` puts several of them into one file, and every command that trains takes it
with `--data npz:cells.npz`:

```python
np.savez("cells.npz",
         train_images=images,  # uint8, [n, height, width, 3]
         train_labels=labels,  # whole numbers, [n]
         classes=["healthy", "infected"])
```

| name | what it holds |
|---|---|
| `train_images`, `train_labels` | what to learn from |
| `val_images`, `val_labels` | what to choose by; without it, a fifth of the above is held out |
| `test_images`, `test_labels` | what to measure with at the end, in runs with `--final` |
| `images`, `labels` | all in one heap, instead of the above, to be [divided](__init__.py#Parts) |
| `classes` | the names of the classes; without it, they are called 0, 1, 2 … |

Images are squares of bytes: `[n, side, side]` in shades of gray, `[n, side, side, 3]` in colors
or, as PyTorch has it, `[n, 3, side, side]`. Labels are whole numbers from 0. These are the names
and shapes of the files of [MedMNIST](https://medmnist.com).
"""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64, Shaped, UInt8
from torch import Tensor

from labml_nn.data import DataError, ImageData, Parts, check_classes
from labml_nn.data.folder import check_memory
from labml_nn.printing import printable

# The parts as our code and as the file calls them
PARTS = {"train": "train_", "valid": "val_", "test": "test_"}


def load_arrays(path: Path) -> Parts:
    """
    ## Loading

    Returns the images in the file at `path`. Raises `DataError` if it cannot be read, or if an
    array is missing, of another kind or of another shape than the table says.
    """
    try:
        arrays = read_arrays(path)
        if "images" in arrays and "train_images" in arrays:
            raise DataError("it has images and train_images; expected one")
        found = [
            (part, prefix)
            for part, prefix in PARTS.items()
            if f"{prefix}images" in arrays
        ]
        if "images" in arrays:
            found = [("heap", "")]
        if not found or found[0][0] not in ("heap", "train"):
            names = ", ".join(printable(name, 40) for name in list(arrays)[:9])
            raise DataError(
                "it must have train_images and train_labels, or images and "
                f"labels, got {names or 'nothing'}"
            )
        pairs = {
            part: (
                to_images(arrays[f"{prefix}images"], f"{prefix}images"),
                to_labels(arrays.get(f"{prefix}labels"), f"{prefix}labels"),
            )
            for part, prefix in found
        }
        for part, (images, labels) in pairs.items():
            if len(images) != len(labels):
                raise DataError(
                    f"there must be a label for each image, got {len(labels)} "
                    f"for {len(images)} in {part}"
                )
        most = max(int(labels.max()) for _, labels in pairs.values())
        classes = class_names(arrays.get("classes"), most + 1)
        data: dict[str, Any] = {
            part: ImageData(images, labels, classes)
            for part, (images, labels) in pairs.items()
        }
        if len({each.images.shape[1:] for each in data.values()}) > 1:
            raise DataError("the images of its parts must have one shape")
        if "heap" in data:
            return Parts.of_heap(data["heap"])
        check_classes(data["train"], least=2)
        return Parts(**data)
    except (DataError, OSError, ValueError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{printable(path)} cannot be used: {printable(reason, 400)}"
        ) from error


def read_arrays(path: Path) -> dict[str, Shaped[np.ndarray, "..."]]:
    """
    ## Reading

    Returns the arrays that we know in the file at `path`, by name. Raises `DataError` for arrays of
    Python's objects, which are pickles, and for one that claims more bytes than it has.

    An npz file is a zip archive of arrays, each of which begins with its kind and its shape. NumPy
    believes them and asks the system for memory. Here they are compared with the size of the member
    first, and that with the memory of the machine: a few bytes can be made to unfold into billions.
    """
    if path.exists() and not path.is_file():
        raise DataError("it is not a regular file")
    names = [f"{prefix}images" for prefix in ("", *PARTS.values())]
    names += [f"{prefix}labels" for prefix in ("", *PARTS.values())]
    arrays: dict[str, Shaped[np.ndarray, ...]] = {}
    with zipfile.ZipFile(path) as archive:
        members = {
            member.filename.removesuffix(".npy"): member
            for member in archive.infolist()
        }
        known = [n for n in members if n in (*names, "classes")]
        check_memory(sum(members[name].file_size for name in known), "file")
        for name in known:
            with archive.open(members[name]) as file:
                arrays[name] = _read_array(name, file, members[name].file_size)
    return arrays or dict.fromkeys(members, np.empty(0))


def _read_array(name: str, file: Any, size: int) -> Shaped[np.ndarray, "..."]:
    """The array in `file`, which has `size` bytes."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise DataError(f"{name} is in a format that is not known, {version}")
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, fortran, kind = read[version](file)
    if kind.hasobject:
        raise DataError(
            f"{name} holds objects of Python, expected an array of numbers"
        )
    data = file.read()
    count = 1
    for n in shape:
        count *= n
    if count * kind.itemsize != len(data):
        raise DataError(
            f"{name} claims the shape {list(shape)} and has {len(data):,} bytes"
        )
    array = np.frombuffer(data, kind)
    return array.reshape(shape, order="F" if fortran else "C")


def to_images(
    array: Shaped[np.ndarray, "..."], name: str
) -> UInt8[Tensor, "n channels side side"]:
    """
    ## Images

    Returns the `array` called `name` as bytes of shape `[n, channels, side, side]`. Raises
    `DataError` for other kinds and shapes. Numbers with a point are refused: they may go from 0 to
    1 or from 0 to 255, and a guess that is wrong makes all images black.
    """
    if array.dtype != np.uint8:
        raise DataError(
            f"{name} must be uint8, got {array.dtype}; if it is from 0 to 1: "
            "(255 * images).round().astype('uint8')"
        )
    found = list(array.shape)
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[3] in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    n_channels, *sides = array.shape[1:] if array.ndim == 4 else (0, 0)
    if n_channels not in (1, 3) or len(set(sides)) > 1 or 0 in array.shape:
        raise DataError(
            f"{name} must have the shape [n, side, side], [n, side, side, 3] or "
            f"[n, 3, side, side], got {found}"
        )
    return torch.from_numpy(np.array(array, order="C"))


def to_labels(
    array: Shaped[np.ndarray, "..."] | None, name: str
) -> Int64[Tensor, "n"]:
    """
    ## Labels

    Returns the `array` called `name` as whole numbers of shape `[n]`. Raises `DataError` if it is
    missing, if it has numbers of another kind, or negative ones.
    """
    if array is None:
        raise DataError(f"{name} is missing")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind not in "iu" or array.ndim != 1 or not array.size:
        raise DataError(
            f"{name} must be whole numbers of shape [n], got {array.dtype} of "
            f"shape {list(array.shape)}"
        )
    if array.min() < 0 or array.max() >= 100_000:
        raise DataError(
            f"{name} must be from 0 to 99,999, got {array.min()} to "
            f"{array.max()}"
        )
    return torch.from_numpy(array.astype(np.int64))


def class_names(
    array: Shaped[np.ndarray, "..."] | None, n: int
) -> tuple[str, ...]:
    """
    ## Names of the classes

    Returns the texts in `array`, or numbers if there is none. Raises `DataError` if it holds
    something else, or fewer than `n`, so that a label has no name.
    """
    if array is None:
        return tuple(map(str, range(n)))
    if array.dtype.kind != "U" or array.ndim != 1 or array.itemsize > 4 * 200:
        raise DataError(
            "classes must be texts of at most 200 characters, got "
            f"{array.dtype} of shape {list(array.shape)}"
        )
    names = tuple(map(str, array))
    if not n <= len(names) or len(set(names)) < len(names):
        raise DataError(
            f"classes must be {n} names or more, each another, got {len(names)}"
        )
    return names
