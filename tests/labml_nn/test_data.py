"""Data sets, splits, crops, and downloads from servers that misbehave."""

from __future__ import annotations

import doctest
import hashlib
import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from labml_nn import data as data_module
from labml_nn.data import Crops, ImageData, batch_indices, cifar10, random_generator, small, split
from labml_nn.data.cifar10 import DataError


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
        cifar10.load_cifar10(tmp_path)


def archive(*, without: str = "", size: int = 0) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        evil = tarfile.TarInfo("../evil")
        evil.size = 4
        tar.addfile(evil, io.BytesIO(b"evil"))
        link = tarfile.TarInfo(f"{cifar10.FOLDER}/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        for name in (*cifar10.TRAIN_FILES, *cifar10.TEST_FILES):
            content = records(1, 2)[: size or None]
            if name != without:
                info = tarfile.TarInfo(f"{cifar10.FOLDER}/{name}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


Handler = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], str]]:
    """Serve with a function that answers GET; returns the address."""
    servers = []

    def start(answer: Handler) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/cifar-10-binary.tar.gz"

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


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
