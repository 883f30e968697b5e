r"""
---
title: A folder of pictures
summary:
  Training on one's own pictures, a folder for each class. They are read once, kept as one tensor,
  and read anew when a file changes.
---

# A folder of pictures

To tell one's own things apart, one sorts pictures of them into folders. Here are two classes:

```text
fruit/apple/IMG_0381.jpg
fruit/apple/IMG_0382.jpg
fruit/pear/from-the-garden.png
```

Every command that trains takes them:

```shell
python -m labml_nn.resnet.experiment quick \
    --data folder:fruit --image-side 64
```

A picture is [read](pictures.py) as a square of `--image-side` pixels, 32 if nothing else is said,
in three colors. Small sides are faster, large ones show more.

## Which pictures are for what

A fifth of each class is the test set, and is not looked at before a run with `--final`. Of the
others, at most a fifth is held out to choose by (or `--valid-images` of them, if that is less).
Both choices depend on the names of the files and on nothing else, so they are the same for every
run.

Pictures are rarely independent. Ten shots of one pear, taken within a second, are nearly the same
picture. If some are in the test set and others are learned from, the test measures memory. Then
divide them yourself, so that all pictures of one thing are in one part:

```text
fruit/train/apple/…   fruit/train/pear/…
fruit/val/apple/…     fruit/val/pear/…
fruit/test/apple/…    fruit/test/pear/…
```

The folder `val`, which may also be called `valid` or `validation`, holds the pictures to choose by.
Without it, a fifth of `train` is held out. Without `test`, no run can be `--final`.

## From training to answers

```shell
python -m labml_nn.resnet.experiment quick \
    --data folder:fruit --steps 500 --out runs/fruit
python -m labml_nn.resnet.experiment --resume runs/fruit
python -m labml_nn.resnet.predict runs/fruit new.jpg
python -m labml_nn.runs evaluate runs/fruit
python -m labml_nn.training.export runs/fruit --to onnx
```

The first command can be stopped by <kbd>Ctrl</kbd>+<kbd>C</kbd>, and the second goes on with it.
The third names the class of a picture that the network has not seen. The fourth measures again what
was recorded, and the last one writes a file that [other programs](../training/export.py) can run.

A few hundred pictures are not much to learn from. A network that has learned from a million others
is a better [start](../resnet/finetune.py).
"""

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from jaxtyping import UInt8
from torch import Tensor
from tqdm import tqdm

from labml_nn.data import DataError, ImageData, Parts, check_classes
from labml_nn.data.pictures import decode
from labml_nn.printing import printable

# What the folders of the parts may be called
PARTS = {
    "train": ("train", "training"),
    "valid": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}

# How the names of files end that must be pictures. Other files are passed over.
SUFFIXES = frozenset(
    ".png .jpg .jpeg .jpe .jfif .webp .gif .bmp .ppm .pgm .pbm .pnm".split()
)

# It changes whenever a picture is read in another way than before. Then what was kept is of no use.
VERSION = 1


def load_folder(folder: Path, side: int, kept: Path) -> Parts:
    """
    ## Loading

    * `folder` has a folder for each class, or for each part one that has them
    * `side` is the height and width of the images to make
    * `kept` is the folder where they are kept as tensors. If it cannot be written, a note says so

    Returns the parts, images of shape `[n, 3, side, side]`. Raises `DataError` if there are not two
    classes, if one has no pictures, or if a picture cannot be read; all of those are named at once.
    """
    parts = find_parts(folder)
    listed = {name: list_pictures(path) for name, path in parts.items()}
    first, *others = listed.values()
    for part, other in zip(list(parts)[1:], others, strict=True):
        if other.classes != first.classes:
            odd = set(other.classes) ^ set(first.classes)
            names = ", ".join(sorted(printable(name, 60) for name in odd)[:5])
            raise DataError(
                f"{printable(folder)} must have the same classes in all parts; "
                f"{parts['train'].name} and {parts[part].name} differ in {names}"
            )
    pictures = [path for each in listed.values() for path in each.paths]
    check_memory(len(pictures) * 3 * side**2, "--image-side")
    images = _load_or_read(folder, pictures, side, kept)
    data: dict[str, Any] = {}
    start = 0
    for name, each in listed.items():
        n = len(each.paths)
        data[name] = ImageData(
            images[start : start + n], torch.tensor(each.labels), each.classes
        )
        start += n
        if parts["train"] != folder:
            check_classes(data[name], least=2 if name == "train" else 1)
    try:
        if parts["train"] == folder:
            return Parts.of_heap(data["train"])
    except DataError as error:
        raise DataError(f"{printable(folder)}: {error}") from error
    return Parts(**data)


def find_parts(folder: Path) -> dict[str, Path]:
    """
    ## The parts

    Returns the folders of the parts in `folder`, or `folder` itself if all is in one heap. Somebody
    may want to tell trains from cars, so a folder called `train` is a part only if it has folders
    inside. Raises `DataError` if other parts have no `train` beside them, or have something else.
    """
    inside = _folders(folder)
    found: dict[str, Path] = {}
    for path in inside:
        for part, usual in PARTS.items():
            if path.name.lower() in usual and _folders(path):
                if part in found:
                    raise DataError(
                        f"{printable(folder)} has {found[part].name} and "
                        f"{printable(path.name)}, which mean the same"
                    )
                found[part] = path
    if not found:
        return {"train": folder}
    others = [path.name for path in inside if path not in found.values()]
    if "train" not in found or others:
        names = ", ".join(printable(path.name, 60) for path in inside[:9])
        raise DataError(
            f"{printable(folder)} must have a folder for each class, or the "
            f"folders train, val and test with those, got {names}"
        )
    return {part: found[part] for part in PARTS if part in found}


def _folders(folder: Path) -> list[Path]:
    """The folders in `folder` in the order of their names, without hidden ones."""
    try:
        found = [
            path
            for path in folder.iterdir()
            if path.is_dir() and not path.name.startswith((".", "__"))
        ]
    except OSError as error:
        raise DataError(
            f"{printable(folder)} cannot be read: {error.strerror}. Pass "
            "--data folder:PATH with a folder that has one for each class."
        ) from error
    return sorted(found, key=lambda path: path.name)


@dataclass(frozen=True)
class Pictures:
    """
    ## The pictures of a part

    The files, the number of the class of each, and the names of the classes.
    """

    paths: tuple[Path, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]


def list_pictures(folder: Path) -> Pictures:
    """
    Returns the pictures in `folder`, which has a folder for each class. These may have folders
    inside, which make no difference. Hidden files are none of ours, and files whose names do not
    end like pictures, such as notes, are passed over. Raises `DataError` if there are no classes,
    or if one has no pictures.
    """
    classes = _folders(folder)
    if len(classes) < 2:
        found = printable(classes[0].name, 60) if classes else "none"
        raise DataError(
            f"{printable(folder)} must have a folder for each class, two at "
            f"least, got {found}. The pictures of a class lie in its folder, "
            "as in fruit/apple/1.jpg and fruit/pear/1.jpg."
        )
    paths: list[Path] = []
    labels: list[int] = []
    empty = []
    for label, place in enumerate(classes):
        found_here = sorted(_walk(place))
        if not found_here:
            empty.append(printable(place.name, 60))
        paths += found_here
        labels += [label] * len(found_here)
    if empty:
        raise DataError(
            f"{printable(folder)} has no pictures of {', '.join(empty[:9])}. "
            f"Their names must end in one of {' '.join(sorted(SUFFIXES))}; "
            "put some there, or remove the folder."
        )
    names = tuple(place.name for place in classes)
    return Pictures(tuple(paths), tuple(labels), names)


def _walk(folder: Path) -> Iterator[Path]:
    """The pictures below `folder`. Links to files are followed, links to folders are not."""

    def refuse(error: OSError) -> None:
        raise DataError(
            f"{printable(error.filename)} cannot be read: {error.strerror}"
        ) from error

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(place, name)
            if path.suffix.lower() in SUFFIXES and not name.startswith("."):
                yield path


def check_memory(size: int, option: str) -> None:
    """
    ## Room for them

    Raises `DataError` if images of `size` bytes are more than the memory of this machine, where
    that is known. It names the `option` that makes them fewer.
    """
    if not hasattr(os, "sysconf"):
        return
    room = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > room:
        raise DataError(
            f"the images would take {size / 1e9:,.1f} GB, but this machine has "
            f"{room / 1e9:,.1f} GB of memory; choose fewer or another {option}"
        )


def read_all(
    paths: Sequence[Path], side: int
) -> UInt8[Tensor, "n 3 {side} {side}"]:
    """
    ## Reading them all

    Returns the pictures at `paths` as bytes of shape `[n, 3, side, side]`. Pillow decodes outside
    of Python's lock, so threads share the work. Raises `DataError` with the names of all pictures
    that cannot be read: who has to mend three files wants to hear of all three.
    """
    images = torch.empty(len(paths), 3, side, side, dtype=torch.uint8)

    def read(number: int) -> str:
        try:
            images[number] = decode(paths[number], 3, side)[0][0]
        except DataError as error:
            return str(error)
        return ""

    with (
        warnings.catch_warnings(action="ignore"),
        ThreadPoolExecutor(os.cpu_count()) as threads,
    ):
        try:
            reasons = list(
                tqdm(
                    threads.map(read, range(len(paths))),
                    total=len(paths),
                    desc="pictures",
                    unit="",
                    disable=None,
                )
            )
        except KeyboardInterrupt:
            # The pictures that wait for a thread need not be read any more.
            threads.shutdown(cancel_futures=True)
            raise
    if bad := [reason for reason in reasons if reason]:
        more = f"\n  and {len(bad) - 9} more" if len(bad) > 9 else ""
        raise DataError(
            f"{len(bad)} of {len(paths)} pictures cannot be read. Mend them, "
            "or take them out of the folder.\n  " + "\n  ".join(bad[:9]) + more
        )
    return images


def _load_or_read(
    folder: Path, paths: Sequence[Path], side: int, kept: Path
) -> UInt8[Tensor, "n 3 {side} {side}"]:
    """
    ## Keeping them

    To decode ten thousand photos takes minutes, and to read the tensor that becomes of them takes a
    moment. So it is kept in a file. Its name holds a hash of all that it was made from: the names
    of the files, their sizes and the times at which they were changed. If any of these is another,
    so is the name. The file is not found, and the pictures are read anew.

    Several runs may look for it at the same time. The first makes it, and the others wait.
    """
    place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    stem = f"{place}-{side}"
    path = kept / f"{stem}-{_fingerprint(folder, paths, side)}.npy"
    try:
        kept.mkdir(parents=True, exist_ok=True)
        with FileLock(kept / f"{stem}.lock"):
            images = _load(path, (len(paths), 3, side, side))
            if images is None:
                images = read_all(paths, side)
                # Those of the same folder as it was before are of no use any more.
                for old in kept.glob(f"{stem}-*.npy*"):
                    old.unlink()
                _save(images, path)
            return images
    except OSError as error:
        print(
            f"note: the pictures cannot be kept in {printable(kept)} "
            f"({error.strerror or error}), so every start reads them anew; "
            "--data-dir names another folder",
            file=sys.stderr,
        )
        return read_all(paths, side)


def _fingerprint(folder: Path, paths: Sequence[Path], side: int) -> str:
    entries = []
    for path in paths:
        try:
            status = path.stat()
        except OSError as error:
            raise DataError(
                f"{printable(path)} cannot be read: {error.strerror}"
            ) from error
        name = path.relative_to(folder).as_posix()
        # The second time is the system's own, which no program can set back.
        times = status.st_mtime_ns, status.st_ctime_ns
        entries.append([name, status.st_size, *times])
    text = json.dumps([VERSION, side, entries]).encode()
    return hashlib.sha256(text).hexdigest()[:24]


def _load(
    path: Path, shape: tuple[int, ...]
) -> UInt8[Tensor, "n channels height width"] | None:
    """What was kept at `path`, or `None` if it is not there or is damaged."""
    try:
        # Mapped first: a damaged file may claim any size.
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        if mapped.dtype != np.uint8 or mapped.shape != shape:
            return None
        return torch.from_numpy(np.array(mapped))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError):
        return None


def _save(images: UInt8[Tensor, "n channels height width"], path: Path) -> None:
    """Writes `images` to `path`, where there is the whole file or none."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            np.save(file, images.numpy(), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
