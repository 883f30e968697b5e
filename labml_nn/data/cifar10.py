r"""
---
title: CIFAR-10
summary:
  Reading the official binary archive of CIFAR-10, with resumed downloads, checksums and safe
  extraction, and without a pickle anywhere.
---

# CIFAR-10

[CIFAR-10](https://www.cs.toronto.edu/~kriz/cifar.html) by Alex Krizhevsky, Vinod Nair and Geoffrey
Hinton holds 60,000 colour images of $32 \times 32$ pixels in ten classes, 6,000 of each: 50,000 to
train on and 10,000 to test with. It is the data on which the residual networks for small images
were first tried.

The authors publish it in several formats. The one for Python consists of pickles, and unpickling a
file means running whatever program is in it. We read the *binary* one, which is nothing but bytes:
a record of 3,073 bytes for each image, of which the first is the label and the others are the
pixels, first all red, then all green, then all blue ones.
"""

import hashlib
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from tqdm import tqdm

from labml_nn.data import ImageData

# The original first, then copies by others. The checksum tells whether a copy is faithful, so it
# does not matter who keeps it.
MIRRORS = (
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/cifar-10-binary.tar.gz",
    "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/cifar-10-binary.tar.gz",
)
# The MD5 sum that the authors publish. It guards against accidents; MD5 is too weak to guard
# against an attacker, which is why nothing in the archive is ever executed.
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"

FOLDER = "cifar-10-batches-bin"
TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_FILES = ("test_batch.bin",)

SIDE = 32
IMAGES_PER_FILE = 10_000
RECORD_BYTES = 1 + 3 * SIDE * SIDE
FILE_BYTES = IMAGES_PER_FILE * RECORD_BYTES

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


class DataError(Exception):
    """
    ## When the data cannot be had

    The message names the file and the way out.
    """


def load_cifar10(data_dir: Path) -> tuple[ImageData, ImageData]:
    """
    ## Loading

    * `data_dir` is a folder that holds the files, or a folder `cifar-10-batches-bin` with them. If
      it has neither, they are downloaded into it

    Returns the training images and the test images. Raises `DataError` if they cannot be had.
    """
    folder = _find(data_dir) or download(data_dir)
    return read(folder, TRAIN_FILES), read(folder, TEST_FILES)


def _find(data_dir: Path) -> Path | None:
    # Whoever has unpacked the archive by hand may point to either folder.
    for folder in (data_dir, data_dir / FOLDER):
        if (folder / TEST_FILES[0]).is_file():
            return folder
    return None


def read(folder: Path, files: Sequence[str]) -> ImageData:
    """
    ## Reading

    Reads `files` in `folder`. Raises `DataError` if one is missing, has not the size of 10,000
    records, or has a label over 9, as half a file or one in another format would have.
    """
    records = np.concatenate([_records(folder / name) for name in files])
    # The copy puts the pixels of all images side by side, without the labels between them.
    images = torch.from_numpy(records[:, 1:].copy())
    labels = torch.from_numpy(records[:, 0].astype(np.int64))
    return ImageData(images.view(-1, 3, SIDE, SIDE), labels, CLASSES)


def _records(path: Path) -> UInt8[np.ndarray, "n record_bytes"]:
    """
    Returns the records of one file, of shape `[10000, 3073]`.
    """
    hint = (
        "Delete it and let it be downloaded again, or pass another --data-dir."
    )
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}. {hint}"
        ) from error
    if data.size != FILE_BYTES:
        raise DataError(
            f"{path} has {data.size:,} bytes instead of {FILE_BYTES:,}. {hint}"
        )
    records = data.reshape(-1, RECORD_BYTES)
    if (highest := records[:, 0].max()) > 9:
        raise DataError(
            f"{path} has the label {highest}, but there are only 0 to 9. {hint}"
        )
    return records


def download(data_dir: Path, mirrors: Sequence[str] = MIRRORS) -> Path:
    """
    ## Downloading

    Fetches the archive from the first of the `mirrors` that gives the right one, and unpacks it in
    `data_dir`. Returns the folder with the files. Raises `DataError` with the reason of each mirror
    if none does.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    # The archive is complete only when its checksum is right. Until then it is called `.part`, and
    # an interrupted download goes on from there, at another mirror if need be.
    part = data_dir / "cifar-10-binary.tar.gz.part"
    reasons = []
    for url in mirrors:
        try:
            _fetch(url, part)
        except (OSError, urllib.error.URLError, ValueError) as error:
            reasons.append(f"{url}: {error}")
            continue
        if (found := _md5(part)) == MD5:
            folder = _unpack(part, data_dir)
            part.unlink()
            return folder
        # What came is something else: an error page, say, or a mixture of two downloads. It is of
        # no use to the next mirror either.
        part.unlink()
        reasons.append(f"{url}: its MD5 sum is {found} instead of {MD5}")
    raise DataError(
        "CIFAR-10 could not be downloaded.\n  "
        + "\n  ".join(reasons)
        + f"\nPass --data-dir with a folder that holds {TEST_FILES[0]} and the other files, or "
        "train on data that needs no download: the preset `digits`."
    )


def _fetch(url: str, part: Path, timeout: float = 30) -> None:
    """
    Appends to the file `part` what is missing of `url`. `timeout` is the number of seconds without
    a single byte after which a mirror is given up.
    """
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"})
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        # The server has no bytes beyond these: the download had been complete.
        if error.code == 416 and start:
            return
        raise
    with response:
        # A server that does not know ranges answers 200 and starts from the beginning.
        resumed = response.status == 206
        done = start if resumed else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        with (
            part.open("ab" if resumed else "wb") as file,
            tqdm(
                total=total,
                initial=done,
                unit="B",
                unit_scale=True,
                desc="CIFAR-10",
            ) as bar,
        ):
            while chunk := response.read(1 << 16):
                file.write(chunk)
                bar.update(len(chunk))
                done += len(chunk)
    if total is not None and done < total:
        raise OSError(f"the connection ended after {done:,} of {total:,} bytes")


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _unpack(archive: Path, data_dir: Path) -> Path:
    """
    Unpacks the files that we know by name and by size, and nothing else. Whatever paths and links
    an archive may contain, none is followed.
    """
    target = data_dir / FOLDER
    # They are unpacked into a folder beside the target, which takes its name when it is complete.
    # So there is never half a data set.
    with tempfile.TemporaryDirectory(
        dir=data_dir, prefix=".unpack-"
    ) as temporary:
        with tarfile.open(archive) as tar:
            for name in (*TRAIN_FILES, *TEST_FILES):
                try:
                    member = tar.getmember(f"{FOLDER}/{name}")
                except KeyError as error:
                    raise DataError(
                        f"{archive} lacks {FOLDER}/{name}."
                    ) from error
                source = tar.extractfile(member)
                if source is None or member.size != FILE_BYTES:
                    raise DataError(
                        f"{archive} holds {name} with {member.size:,} bytes "
                        f"instead of {FILE_BYTES:,}."
                    )
                with source, open(Path(temporary) / name, "wb") as file:
                    shutil.copyfileobj(source, file)
        if target.exists():
            shutil.rmtree(target)
        Path(temporary).chmod(0o755)
        os.replace(temporary, target)
        # `TemporaryDirectory` wants something to remove.
        Path(temporary).mkdir()
    return target
