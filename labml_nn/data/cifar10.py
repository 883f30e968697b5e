r"""
---
title: CIFAR-10
summary:
  Reading the official binary archive of CIFAR-10, with resumed downloads, checksums and safe
  extraction, and without a pickle anywhere.
hook: Resumed, checked, and never unpickled.
---

# CIFAR-10

[CIFAR-10](https://www.cs.toronto.edu/~kriz/cifar.html) by Alex Krizhevsky, Vinod Nair and Geoffrey
Hinton holds 60,000 color images of $32 \times 32$ pixels in ten classes, 6,000 of each: 50,000 to
train on and 10,000 to test with. It is the data on which the residual networks for small images
were first tried.

The authors publish it in several formats. The one for Python consists of pickles, and unpickling a
file means running whatever program is in it. We read the *binary* one, which is nothing but bytes:
a record of 3,073 bytes for each image, of which the first is the label and the others are the
pixels, first all red, then all green, then all blue ones.
"""

import hashlib
import http.client
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from jaxtyping import UInt8
from tqdm import tqdm

from labml_nn.data import DataError, ImageData

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

# Seconds without a single byte after which a mirror is given up
TIMEOUT = 30.0

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


def load_cifar10(data_dir: Path) -> tuple[ImageData, ImageData]:
    """
    ## Loading

    * `data_dir` is a folder that holds the files, or a folder `cifar-10-batches-bin` with them. If
      it has neither, they are downloaded into it

    Returns the training images and the test images. Raises `DataError` if they cannot be had.
    """
    folder = _find(data_dir)
    if folder is None:
        # Several processes may find nothing at the same time, under `torchrun` for one. The first
        # downloads, and the others wait for it. The system frees the lock of a process that dies.
        with _writing(data_dir):
            data_dir.mkdir(parents=True, exist_ok=True)
            with FileLock(data_dir / ".cifar-10.lock"):
                folder = _find(data_dir) or download(data_dir)
    return read(folder, TRAIN_FILES), read(folder, TEST_FILES)


def _find(data_dir: Path) -> Path | None:
    # Whoever has unpacked the archive by hand may point to either folder.
    names = (*TRAIN_FILES, *TEST_FILES)
    for folder in (data_dir, data_dir / FOLDER):
        if all((folder / name).is_file() for name in names):
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
    with _writing(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
    # The archive is complete only when its checksum is right. Until then it is called `.part`, and
    # an interrupted download goes on from there, at another mirror if need be.
    part = data_dir / "cifar-10-binary.tar.gz.part"
    reasons = []
    for url in mirrors:
        try:
            resumed = part.exists()
            _fetch(url, part)
            if resumed and _md5(part) != MD5:
                # What was there may be from another mirror that sent something else. So this one is
                # asked for the whole archive before it is given up.
                part.unlink()
                _fetch(url, part)
        except MirrorError as error:
            reasons.append(f"{url}: {error}")
            continue
        if (found := _md5(part)) == MD5:
            folder = _unpack(part, data_dir)
            part.unlink()
            return folder
        # What came is something else: an error page, say. It is of no use to the next mirror.
        part.unlink()
        reasons.append(f"{url}: its MD5 sum is {found} instead of {MD5}")
    raise DataError(
        "CIFAR-10 could not be downloaded.\n  "
        + "\n  ".join(reasons)
        + f"\nPass --data-dir with a folder that holds {TEST_FILES[0]} and the other files, or "
        "train on data that needs no download: the preset `digits`."
    )


class MirrorError(Exception):
    """A mirror fails. The next one is tried."""


@contextmanager
def _asking() -> Iterator[None]:
    """
    Whatever a server and the network between may do wrong is a `MirrorError`: no connection, no
    answer in time, redirects without end, an answer that is not HTTP.
    """
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            # It is an answer too, with a connection of its own.
            error.close()
        raise MirrorError(str(error) or repr(error)) from error


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """
    What goes wrong with our own disk is not the fault of a mirror, and the next one would not help.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path} cannot be written: {error.strerror}. Make room for 360 MB "
            "there, or pass another --data-dir. What has been downloaded is "
            "kept, and the download goes on from it."
        ) from error


def _fetch(url: str, part: Path) -> None:
    """
    Appends to the file `part` what is missing of `url`. Raises `MirrorError` if not everything
    comes, and `DataError` if it cannot be written; what `part` holds is never cut.
    """
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"})
    try:
        with _asking():
            response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except MirrorError as error:
        cause = error.__cause__
        # The server has no bytes beyond these: the download had been complete.
        refused = (
            isinstance(cause, urllib.error.HTTPError) and cause.code == 416
        )
        if refused and start:
            return
        raise
    with response:
        done = 0
        if response.status == 206:
            sent = response.headers.get("Content-Range", "no range")
            if not sent.startswith(f"bytes {start}-"):
                raise MirrorError(f"it sent {sent}, asked for bytes {start}-")
            done = start
        # A server that does not know ranges answers 200 and starts from the beginning. We pass over
        # what we have: the page that a hotel's network answers with must not replace it.
        skip = start - done
        with _asking():
            length = response.headers.get("Content-Length")
            total = done + int(length) if length else None
        with (
            _writing(part),
            part.open("ab") as file,
            tqdm(
                total=total,
                initial=done,
                unit="B",
                unit_scale=True,
                desc="CIFAR-10",
            ) as bar,
        ):
            while chunk := _receive(response):
                file.write(chunk[skip:])
                skip = max(skip - len(chunk), 0)
                bar.update(len(chunk))
                done += len(chunk)
    if skip:
        raise MirrorError(
            f"it sent {done:,} bytes, fewer than the {start:,} in {part}; "
            "if that is so with all mirrors, delete this file"
        )
    if total is not None and done < total:
        raise MirrorError(
            f"the connection ended after {done:,} of {total:,} bytes"
        )


def _receive(response: http.client.HTTPResponse) -> bytes:
    with _asking():
        return response.read1(1 << 16)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _unpack(archive: Path, data_dir: Path) -> Path:
    """
    Unpacks the files that we know by name and by size, and nothing else. Whatever paths and links
    an archive may contain, none is followed.
    """
    target = data_dir / FOLDER
    # They are unpacked into a folder beside the target, and moved when all are complete, so there
    # is never half a file. What else is in the target stays.
    with (
        _writing(target),
        tempfile.TemporaryDirectory(
            dir=data_dir, prefix=".unpack-"
        ) as temporary,
    ):
        with tarfile.open(archive) as tar:
            for name in (*TRAIN_FILES, *TEST_FILES):
                try:
                    member = tar.getmember(f"{FOLDER}/{name}")
                except KeyError as error:
                    raise DataError(
                        f"{archive} lacks {FOLDER}/{name}. Delete it."
                    ) from error
                # A link has a name and a size too, but what it leads to can be anything.
                source = tar.extractfile(member) if member.isreg() else None
                if source is None or member.size != FILE_BYTES:
                    raise DataError(
                        f"{archive} holds {name} with {member.size:,} bytes "
                        f"instead of {FILE_BYTES:,}, or as a link. Delete it."
                    )
                with source, open(Path(temporary) / name, "wb") as file:
                    shutil.copyfileobj(source, file)
        target.mkdir(exist_ok=True)
        for name in (*TRAIN_FILES, *TEST_FILES):
            os.replace(Path(temporary) / name, target / name)
    return target
