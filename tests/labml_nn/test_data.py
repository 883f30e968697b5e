"""Data sets, splits, crops, and downloads from servers that misbehave."""

from __future__ import annotations

import doctest
import errno
import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import IO, Any

import pytest
import torch
from servers import serving

from labml_nn import data as data_module
from labml_nn.data import Crops, DataError, ImageData, batch_indices, cifar10, random_generator, small, split


def images(n: int, *, classes: int = 2) -> ImageData:
    pixels = torch.arange(n, dtype=torch.uint8)[:, None, None, None].expand(n, 3, 4, 4).clone()
    return ImageData(pixels, torch.arange(n) % classes, tuple(str(i) for i in range(classes)))


@pytest.mark.parametrize("module", [data_module, small, cifar10], ids=lambda module: str(module.__name__))
def test_examples(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pixels", "labels", "message"),
    [
        (
            torch.zeros(2, 3, 4, 4),
            torch.tensor([0, 1]),
            r"images must be bytes .* got torch.float32 of shape \[2, 3, 4, 4\]",
        ),
        (
            torch.zeros(2, 3, 4, dtype=torch.uint8),
            torch.tensor([0, 1]),
            r"images must be bytes .* of shape \[2, 3, 4\]",
        ),
        (
            torch.zeros(2, 3, 4, 4, dtype=torch.uint8),
            torch.tensor([0]),
            r"labels must be int64 of shape \[2\], got",
        ),
        (torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.tensor([0.0, 1.0]), "labels must be int64"),
        (
            torch.zeros(2, 3, 4, 4, dtype=torch.uint8),
            torch.tensor([0, 2]),
            "labels must be from 0 to 1, got 0 to 2",
        ),
        (
            torch.zeros(2, 3, 4, 4, dtype=torch.uint8),
            torch.tensor([-1, 1]),
            "labels must be from 0 to 1, got -1 to 1",
        ),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_wrong_data_is_refused(pixels: torch.Tensor, labels: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageData(pixels, labels, ("a", "b"))


def test_mean_and_std_are_those_of_the_pixels() -> None:
    pixels = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8, generator=random_generator(0))
    mean, std = ImageData(pixels, torch.zeros(50, dtype=torch.int64), ("a",)).mean_and_std()
    floats = pixels.double() / 255
    torch.testing.assert_close(mean, floats.mean(dim=(0, 2, 3)).float())
    torch.testing.assert_close(std, floats.std(dim=(0, 2, 3), correction=0).float())


def test_split_is_stratified_fixed_and_whole() -> None:
    everything = images(1000, classes=10)
    train, valid = split(everything, 100)
    assert valid.labels.bincount().tolist() == [10] * 10
    assert train.labels.bincount().tolist() == [90] * 10
    torch.manual_seed(7)
    again, _ = split(everything, 100)
    assert torch.equal(train.images, again.images)


@pytest.mark.parametrize("n_valid", [0, 10, 11, -1])
def test_split_of_a_wrong_size(n_valid: int) -> None:
    with pytest.raises(ValueError, match=f"n_valid must be from 1 to 9, got {n_valid}"):
        split(images(10), n_valid)


@pytest.mark.parametrize(("n", "batch"), [(10, 5), (10, 3), (7, 10), (5, 64)])
def test_every_epoch_sees_every_image_once(n: int, batch: int) -> None:
    seen = torch.cat([batch_indices(n, batch, step, seed=3) for step in range(3 * n)])
    epochs = seen[: len(seen) // n * n].view(-1, n)
    assert all(sorted(epoch) == list(range(n)) for epoch in epochs.tolist())
    assert len({tuple(epoch) for epoch in epochs.tolist()}) > 1


def test_batches_depend_on_seed_and_step_alone() -> None:
    assert torch.equal(batch_indices(100, 8, 5, 0), batch_indices(100, 8, 5, 0))
    assert not torch.equal(batch_indices(100, 8, 5, 0), batch_indices(100, 8, 5, 1))


def reference_crop(image: torch.Tensor, top: int, left: int, mirrored: bool, padding: int) -> torch.Tensor:
    """One image at a time, the way one would say it."""
    _, height, width = image.shape
    padded = torch.nn.functional.pad(image, (padding,) * 4)
    crop = padded[:, top : top + height, left : left + width]
    return crop.flip(2) if mirrored else crop


def test_crops_of_a_batch_are_those_of_its_images() -> None:
    pixels = torch.randint(0, 256, (64, 3, 8, 6), dtype=torch.uint8, generator=random_generator(1))
    crops = Crops.draw(64, 2, True, random_generator(2))
    cut = crops.cut(pixels)
    assert cut.shape == pixels.shape
    assert cut.is_contiguous(memory_format=torch.channels_last)
    for i in range(64):
        expected = reference_crop(
            pixels[i], int(crops.top[i]), int(crops.left[i]), bool(crops.mirrored[i]), 2
        )
        assert torch.equal(cut[i], expected)
    assert {int(x) for x in crops.top} == set(range(5))
    assert 16 < int(crops.mirrored.sum()) < 48
    assert not Crops.draw(64, 2, False, random_generator(2)).mirrored.any()


def test_a_share_of_a_batch_is_cut_alike() -> None:
    pixels = torch.randint(0, 256, (9, 1, 8, 8), dtype=torch.uint8, generator=random_generator(1))
    crops = Crops.draw(9, 1, True, random_generator(0))
    whole = crops.cut(pixels)
    parts = [crops.part(slice(a, a + 3)).cut(pixels[a : a + 3]) for a in (0, 3, 6)]
    assert torch.equal(whole, torch.cat(parts))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """CIFAR-10 with two images in a file."""
    monkeypatch.setattr(cifar10, "IMAGES_PER_FILE", 2)
    monkeypatch.setattr(cifar10, "FILE_BYTES", 2 * cifar10.RECORD_BYTES)


def records(*labels: int) -> bytes:
    return b"".join(bytes([label]) + bytes([label]) * 1024 + bytes(2048) for label in labels)


def write_files(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate((*cifar10.TRAIN_FILES, *cifar10.TEST_FILES)):
        (folder / name).write_bytes(records(number, 9))
    return folder


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("folder", [".", cifar10.FOLDER])
def test_cifar10_is_read_from_either_folder(tmp_path: Path, folder: str) -> None:
    write_files(tmp_path / folder)
    train, test = cifar10.load_cifar10(tmp_path)
    assert train.labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert test.labels.tolist() == [5, 9]
    assert train.images.shape == (10, 3, 32, 32)
    assert set(train.images[2, 0].flatten().tolist()) == {1}
    assert set(train.images[2, 1].flatten().tolist()) == {0}


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (records(1), r"data_batch_3\.bin has 3,073 bytes instead of 6,146\. Delete it"),
        (records(1, 10), r"data_batch_3\.bin has the label 10, but there are only 0 to 9\. Delete it"),
        (None, r"data_batch_3\.bin cannot be read: No such file or directory\. Delete it"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = write_files(tmp_path) / "data_batch_3.bin"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        cifar10.read(tmp_path, cifar10.TRAIN_FILES)


def archive(*, without: str = "", size: int = 0, link_type: bytes = b"", absolute: str = "/evil") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for evil_name in ("../evil", f"{cifar10.FOLDER}/../../evil", absolute):
            evil = tarfile.TarInfo(evil_name)
            evil.size = 4
            tar.addfile(evil, io.BytesIO(b"evil"))
        link = tarfile.TarInfo(f"{cifar10.FOLDER}/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        for name in (*cifar10.TRAIN_FILES, *cifar10.TEST_FILES):
            content = records(1, 2)[: size or None]
            if link_type and name == "data_batch_2.bin":
                info = tarfile.TarInfo(f"{cifar10.FOLDER}/{name}")
                info.type, info.size = link_type, len(content)
                info.linkname = f"{cifar10.FOLDER}/data_batch_1.bin"
                tar.addfile(info)
            elif name != without:
                info = tarfile.TarInfo(f"{cifar10.FOLDER}/{name}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


Handler = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], str]]:
    """Serve with a function that answers GET; returns the address."""
    stack = ExitStack()

    def start(answer: Handler) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        return stack.enter_context(serving(Answer)) + "cifar-10-binary.tar.gz"

    with stack:
        yield start


def send(content: bytes, *, cut: int | None = None, ranges: bool = True) -> Handler:
    """Answer with `content`, at the first request only its first `cut` bytes."""
    state = {"cut": cut}

    def answer(request: BaseHTTPRequestHandler) -> None:
        start = int(request.headers["Range"].removeprefix("bytes=").rstrip("-")) if ranges else 0
        if start >= len(content):
            request.send_response(416)
            request.end_headers()
            return
        request.send_response(206 if ranges and start else 200)
        if ranges and start:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        stop, state["cut"] = state["cut"], None
        request.wfile.write(content[start:stop])
        request.close_connection = True

    return answer


@pytest.fixture
def good(tiny: None, monkeypatch: pytest.MonkeyPatch) -> bytes:
    content = archive()
    monkeypatch.setattr(cifar10, "MD5", hashlib.md5(content).hexdigest())
    return content


def test_download(good: bytes, tmp_path: Path, serve: Callable[[Handler], str]) -> None:
    folder = cifar10.download(tmp_path, [serve(send(good))])
    assert folder == tmp_path / cifar10.FOLDER
    names = {*cifar10.TRAIN_FILES, *cifar10.TEST_FILES}
    assert {path.name for path in folder.iterdir()} == names
    assert {path.name for path in tmp_path.iterdir()} == {cifar10.FOLDER}
    assert not (tmp_path.parent / "evil").exists()


@pytest.mark.parametrize("tenth", range(10))
@pytest.mark.parametrize("ranges", [True, False])
def test_cut_download_goes_on_at_the_next_mirror(
    good: bytes, tmp_path: Path, serve: Callable[[Handler], str], tenth: int, ranges: bool
) -> None:
    cut = serve(send(good, cut=max(1, len(good) * tenth // 10)))
    folder = cifar10.download(tmp_path, [cut, serve(send(good, ranges=ranges))])
    assert (folder / "test_batch.bin").read_bytes() == records(1, 2)


def test_complete_part_is_not_fetched_again(
    good: bytes, tmp_path: Path, serve: Callable[[Handler], str]
) -> None:
    (tmp_path / "cifar-10-binary.tar.gz.part").write_bytes(good)
    assert cifar10.download(tmp_path, [serve(send(good))]).is_dir()


def test_error_page_flipped_byte_and_dead_mirror_are_passed_over(
    good: bytes, tmp_path: Path, serve: Callable[[Handler], str]
) -> None:
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    mirrors = [
        "http://127.0.0.1:9/x",
        serve(send(b"<html>Sorry</html>")),
        serve(send(bytes(flipped))),
        serve(send(good)),
    ]
    assert cifar10.download(tmp_path, mirrors).is_dir()


def test_no_mirror_gives_the_archive(good: bytes, tmp_path: Path, serve: Callable[[Handler], str]) -> None:
    with pytest.raises(DataError) as error:
        cifar10.download(tmp_path, ["http://127.0.0.1:9/x", serve(send(b"<html>"))])
    message = str(error.value)
    assert "http://127.0.0.1:9/x: <urlopen error" in message
    assert "its MD5 sum is" in message
    assert "--data-dir" in message
    assert "`digits`" in message


def test_good_copy_is_not_overwritten_by_a_bad_archive(
    tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[[Handler], str]
) -> None:
    folder = write_files(tmp_path / cifar10.FOLDER)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for content, message in (
        (archive(size=10), "holds data_batch_1.bin with 10 bytes instead of 6,146"),
        (archive(without="test_batch.bin"), "lacks cifar-10-batches-bin/test_batch.bin"),
    ):
        monkeypatch.setattr(cifar10, "MD5", hashlib.md5(content).hexdigest())
        with pytest.raises(DataError, match=message):
            cifar10.download(tmp_path, [serve(send(content))])
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        assert not list(tmp_path.glob(".unpack*"))
        (tmp_path / "cifar-10-binary.tar.gz.part").unlink()


def part_of(folder: Path) -> Path:
    return folder / "cifar-10-binary.tar.gz.part"


def redirect(request: BaseHTTPRequestHandler) -> None:
    request.send_response(302)
    request.send_header("Location", request.path)
    request.end_headers()


def redirect_to_a_file(request: BaseHTTPRequestHandler) -> None:
    request.send_response(302)
    request.send_header("Location", "file:///etc/passwd")
    request.end_headers()


def hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


def no_http(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"SSH-2.0-OpenSSH\r\n")
    request.close_connection = True


def broken_chunks(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe")
    request.close_connection = True


def absurd_length(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "many")
    request.end_headers()


def wrong_range(request: BaseHTTPRequestHandler) -> None:
    request.send_response(206)
    request.send_header("Content-Range", "bytes 7-9/10")
    request.end_headers()
    request.wfile.write(b"abc")


def not_satisfiable(request: BaseHTTPRequestHandler) -> None:
    request.send_response(416)
    request.end_headers()


def error_500(request: BaseHTTPRequestHandler) -> None:
    request.send_response(500)
    request.end_headers()


SICK = {
    "redirects without end": (redirect, "infinite loop"),
    "redirects to a file of ours": (redirect_to_a_file, "redirect.* is not allowed|302"),
    "hangs up": (hang_up, "closed connection without response"),
    "speaks no HTTP": (no_http, "SSH-2.0"),
    "breaks off inside a chunk": (broken_chunks, "IncompleteRead"),
    "tells an absurd length": (absurd_length, "invalid literal"),
    "sends another range": (wrong_range, "it sent bytes 7-9/10, asked for bytes"),
    "has nothing": (not_satisfiable, "416"),
    "fails": (error_500, "500"),
}


@pytest.mark.parametrize("kind", SICK)
@pytest.mark.parametrize("begun", [False, True])
def test_sick_mirror_is_named_and_passed_over(
    good: bytes, tmp_path: Path, serve: Callable[[Handler], str], kind: str, begun: bool
) -> None:
    answer, message = SICK[kind]
    mirror = serve(answer)
    half = good[: len(good) // 2]
    if begun:
        part_of(tmp_path).write_bytes(half)
    if not (begun and kind == "has nothing"):  # then it says that the half is all there is
        with pytest.raises(DataError, match=f"(?s){mirror}: .*({message}).*--data-dir"):
            cifar10.download(tmp_path, [mirror])
        if begun:
            assert part_of(tmp_path).read_bytes()[: len(half)] == half
    assert cifar10.download(tmp_path, [mirror, serve(send(good))]).is_dir()


@pytest.mark.parametrize("tenth", range(10))
def test_mirror_that_stalls_is_given_up_and_the_next_goes_on(
    good: bytes,
    tmp_path: Path,
    serve: Callable[[Handler], str],
    monkeypatch: pytest.MonkeyPatch,
    tenth: int,
) -> None:
    monkeypatch.setattr(cifar10, "TIMEOUT", 0.1)
    over = threading.Event()
    cut = len(good) * tenth // 10

    def stall(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(good)))
        request.end_headers()
        request.wfile.write(good[:cut])
        request.wfile.flush()
        over.wait(60)

    try:
        with pytest.raises(DataError, match="timed out"):
            cifar10.download(tmp_path, [serve(stall)])
    finally:
        over.set()
    assert part_of(tmp_path).read_bytes() == good[:cut]
    assert cifar10.download(tmp_path, [serve(send(good))]).is_dir()


@pytest.mark.parametrize("tenth", range(1, 10))
@pytest.mark.parametrize("known_length", [True, False])
def test_error_page_does_not_replace_what_was_downloaded(
    good: bytes, tmp_path: Path, serve: Callable[[Handler], str], tenth: int, known_length: bool
) -> None:
    """A page with status 200, as the network of a hotel answers everything with."""
    had = good[: len(good) * tenth // 10]
    part_of(tmp_path).write_bytes(had)
    page = b"<html>Please sign in</html>"
    assert len(page) < len(had)

    def sign_in(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        if known_length:
            request.send_header("Content-Length", str(len(page)))
        request.end_headers()
        request.wfile.write(page)
        request.close_connection = True

    with pytest.raises(DataError, match="fewer than the"):
        cifar10.download(tmp_path, [serve(sign_in)])
    assert part_of(tmp_path).read_bytes() == had
    assert cifar10.download(tmp_path, [serve(send(good, ranges=False))]).is_dir()


@pytest.mark.parametrize("tenth", range(10))
def test_begun_download_with_a_flipped_byte_is_fetched_anew(
    good: bytes, tmp_path: Path, serve: Callable[[Handler], str], tenth: int
) -> None:
    """A single mirror is enough to get out of it."""
    flipped = bytearray(good)
    flipped[len(good) * tenth // 10] ^= 0xFF
    part_of(tmp_path).write_bytes(flipped[: len(good) * tenth // 10 + 1])
    folder = cifar10.download(tmp_path, [serve(send(good))])
    assert (folder / "test_batch.bin").read_bytes() == records(1, 2)


@pytest.mark.parametrize("link_type", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_member_that_is_no_file_is_refused(
    tiny: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    serve: Callable[[Handler], str],
    link_type: bytes,
) -> None:
    content = archive(link_type=link_type)
    monkeypatch.setattr(cifar10, "MD5", hashlib.md5(content).hexdigest())
    with pytest.raises(DataError, match=r"holds data_batch_2\.bin .* or as a link\. Delete it"):
        cifar10.download(tmp_path, [serve(send(content))])
    assert not (tmp_path / cifar10.FOLDER).exists()


def test_absolute_members_are_not_written(
    tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[[Handler], str]
) -> None:
    evil = tmp_path / "outside" / "evil"
    content = archive(absolute=str(evil))
    monkeypatch.setattr(cifar10, "MD5", hashlib.md5(content).hexdigest())
    cifar10.download(tmp_path / "data", [serve(send(content))])
    assert {path.name for path in tmp_path.iterdir()} == {"data"}
    assert {path.name for path in (tmp_path / "data").iterdir()} == {cifar10.FOLDER}


class FullDisk(io.BytesIO):
    """A file on a disk that has room for its first bytes only."""

    def __init__(self, file: IO[Any], room: int) -> None:
        super().__init__()
        self.file, self.room = file, room

    def write(self, data: bytes) -> int:  # type: ignore[override]
        fits, self.room = data[: self.room], max(self.room - len(data), 0)
        self.file.write(fits)
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(data)

    def close(self) -> None:
        self.file.close()
        super().close()


@pytest.mark.parametrize("tenth", range(10))
def test_full_disk_keeps_what_was_downloaded(
    good: bytes,
    tmp_path: Path,
    serve: Callable[[Handler], str],
    monkeypatch: pytest.MonkeyPatch,
    tenth: int,
) -> None:
    room = len(good) * tenth // 10
    plain = Path.open
    asked = []

    def counted(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        send(good)(request)

    with monkeypatch.context() as full:
        full.setattr(
            Path,
            "open",
            lambda path, mode="r": FullDisk(plain(path, mode), room) if mode == "ab" else plain(path, mode),
        )
        with pytest.raises(DataError, match=r"\.part cannot be written: No space left.* another --data-dir"):
            cifar10.download(tmp_path, [serve(counted), serve(counted)])
    assert len(asked) == 1  # another mirror would not help
    assert part_of(tmp_path).read_bytes() == good[:room]
    assert cifar10.download(tmp_path, [serve(send(good))]).is_dir()


def test_full_disk_while_unpacking(
    good: bytes, tmp_path: Path, serve: Callable[[Handler], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / cifar10.FOLDER / "notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine")

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("shutil.copyfileobj", full)
        with pytest.raises(DataError, match=f"{cifar10.FOLDER} cannot be written: No space left"):
            cifar10.download(tmp_path, [serve(send(good))])
    assert {path.name for path in tmp_path.iterdir()} == {cifar10.FOLDER, part_of(tmp_path).name}
    assert cifar10.download(tmp_path, [serve(send(good))]).is_dir()
    assert mine.read_text() == "mine"


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for call in (cifar10.load_cifar10, cifar10.download):
        with pytest.raises(DataError, match=r"file/data cannot be written: Not a directory\. .* --data-dir"):
            call(tmp_path / "file" / "data")


def test_processes_that_start_together_download_once(
    good: bytes, tmp_path: Path, serve: Callable[[Handler], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counted(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        send(good)(request)

    url, plain = serve(counted), cifar10.download
    monkeypatch.setattr(cifar10, "download", lambda folder: plain(folder, [url]))
    found: list[ImageData] = []
    threads = [
        threading.Thread(target=lambda: found.append(cifar10.load_cifar10(tmp_path)[0])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4
    assert len(asked) == 1


@pytest.mark.parametrize("missing", [*cifar10.TRAIN_FILES, *cifar10.TEST_FILES])
def test_deleted_file_is_downloaded_again(
    good: bytes,
    tmp_path: Path,
    serve: Callable[[Handler], str],
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
) -> None:
    """As the message about a damaged file advises."""
    (write_files(tmp_path / cifar10.FOLDER) / missing).unlink()
    url, plain = serve(send(good)), cifar10.download
    monkeypatch.setattr(cifar10, "download", lambda folder: plain(folder, [url]))
    assert len(cifar10.load_cifar10(tmp_path)[0]) == 10
