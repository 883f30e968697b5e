"""One's own pictures and arrays: divided the same way each time, kept, read anew after a change, refused in words."""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from small_runs import environment, last, two_processes

import labml_nn.data.folder as folders
from labml_nn.data import DataError, ImageData, Parts, join
from labml_nn.data.arrays import load_arrays
from labml_nn.data.folder import find_parts, list_pictures, load_folder
from labml_nn.resnet import experiment, predict, speedrun
from labml_nn.runs import __main__ as ledger
from labml_nn.runs.command import Experiment
from labml_nn.runs.files import RunFailed
from labml_nn.runs.loading import find_experiment, load_model

CLASSES = {"apple": (200, 30, 30), "pear": (60, 180, 40), "plum": (90, 30, 140)}
KEPT = Path("kept")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make_pictures(folder: Path, n: int = 10, side: int = 12, first: int = 0) -> Path:
    """A folder for each of three classes, with `n` pictures of about its colour in each."""
    for name, colour in CLASSES.items():
        (folder / name).mkdir(parents=True)
        for number in range(first, first + n):
            noise = np.random.default_rng([number, len(name)]).integers(-20, 20, (side, side + 2, 3))
            pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            suffix = ("png", "jpg", "WebP")[number % 3]
            Image.fromarray(pixels).save(
                folder / name / f"{number:03}.{suffix}", suffix.replace("jpg", "jpeg")
            )
    return folder


def same(a: ImageData, b: ImageData) -> bool:
    return torch.equal(a.images, b.images) and torch.equal(a.labels, b.labels) and a.classes == b.classes


# --- Folders


def test_a_heap_is_divided_into_three_that_share_no_picture() -> None:
    make_pictures(Path("fruit"))
    parts = load_folder(Path("fruit"), 8, KEPT)
    assert parts.test is not None and parts.valid is None
    train, held_out = parts.choose(n_valid=5000, final=False)
    assert (len(train), len(held_out), len(parts.test)) == (20, 4, 6)
    assert parts.test.counts() == [2, 2, 2]
    everything, test = parts.choose(n_valid=5000, final=True)
    assert len(everything) == 24 and test is parts.test
    pictures = [image.numpy().tobytes() for each in (train, held_out, test) for image in each.images]
    assert len(set(pictures)) == 30
    assert train.classes == ("apple", "pear", "plum") and train.images.shape[1:] == (3, 8, 8)
    # Each has about the colour of its class.
    for image, label in zip(train.images.float(), train.labels, strict=True):
        colour = torch.tensor(list(CLASSES.values())[int(label)])
        assert (image.mean((1, 2)) - colour).abs().max() < 12
    again = load_folder(Path("fruit"), 8, Path("elsewhere"))
    assert same(again.train, parts.train) and again.test is not None and same(again.test, test)


def test_folders_of_parts_say_what_is_for_what() -> None:
    for number, part in enumerate(("train", "Validation", "test")):
        make_pictures(Path("fruit", part), n=2 + number, first=10 * number)
    parts = load_folder(Path("fruit"), 8, KEPT)
    assert parts.valid is not None and parts.test is not None
    assert [each.counts() for each in (parts.train, parts.valid, parts.test)] == [[2] * 3, [3] * 3, [4] * 3]
    assert parts.choose(1, final=False) == (parts.train, parts.valid)
    train, test = parts.choose(1, final=True)
    assert same(train, join(parts.train, parts.valid)) and len(train) == 15 and test is parts.test
    shutil.rmtree("fruit/test")
    with pytest.raises(DataError, match="there is no test set, so a run cannot be --final"):
        load_folder(Path("fruit"), 8, KEPT).choose(1, final=True)
    shutil.rmtree("fruit/Validation")
    parts = load_folder(Path("fruit"), 8, KEPT)
    assert [len(each) for each in parts.choose(5000, final=False)] == [5, 1]


def test_a_class_may_be_called_train() -> None:
    for name in ("train", "car"):
        Path("things", name).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(f"things/{name}/1.png")
    assert find_parts(Path("things")) == {"train": Path("things")}
    assert list_pictures(Path("things")).classes == ("car", "train")


def test_what_is_no_picture_by_its_name_is_passed_over_and_links_to_files_are_not() -> None:
    make_pictures(Path("fruit"), n=3)
    for name in ("notes.txt", "apple/notes.txt", "apple/.hidden.png", ".git/config", "pear/.cache/1.png"):
        path = Path("fruit", name)
        path.parent.mkdir(exist_ok=True)
        path.write_text("not a picture")
    deep = Path("fruit/pear/2024/may")
    deep.mkdir(parents=True)
    Image.new("RGB", (4, 4)).save("elsewhere.png")
    (deep / "link.PNG").symlink_to(Path("elsewhere.png").absolute())
    (deep / "loop").symlink_to(Path("fruit").absolute())
    found = list_pictures(Path("fruit"))
    assert [len([label for label in found.labels if label == k]) for k in range(3)] == [3, 4, 3]
    assert deep / "link.PNG" in found.paths


def test_pictures_are_read_once_and_anew_when_a_file_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    make_pictures(Path("fruit"), n=3)
    calls: list[int] = []
    read_all = folders.read_all

    def counted(paths: Any, side: int) -> torch.Tensor:
        calls.append(side)
        return read_all(paths, side)

    monkeypatch.setattr(folders, "read_all", counted)

    def load(side: int = 8) -> ImageData:
        return load_folder(Path("fruit"), side, KEPT).train

    first = load()
    assert same(first, load()) and calls == [8]
    assert len(list(KEPT.glob("*.npy*"))) == 1
    # Another size of images is kept beside the first.
    assert load(9).images.shape[-1] == 9 and same(first, load()) and calls == [8, 9]
    # The same size and the same time, but other bytes
    path = Path("fruit/apple/000.png")
    before = path.stat()
    path.write_bytes(Path("fruit/apple/000.png").read_bytes()[:-1] + b"\0")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    load()
    assert calls == [8, 9, 8]
    Path("fruit/apple/001.jpg").rename("fruit/apple/renamed.jpg")
    load()
    Path("fruit/apple/renamed.jpg").unlink()
    with pytest.raises(DataError, match=r"at least 3 images, one for each part; too few are in apple \(2\)"):
        load()
    shutil.copy("fruit/apple/000.png", "fruit/apple/copy.png")
    load()
    assert calls == [8, 9, 8, 8, 8, 8]
    assert len(list(KEPT.glob("*-8-*.npy*"))) == len(list(KEPT.glob("*-9-*.npy*"))) == 1
    # Half a file, as a full disk leaves, one of another shape, and one that is none
    (kept,) = KEPT.glob("*-8-*.npy")
    right = load()
    small = io.BytesIO()
    np.save(small, np.zeros((1, 3, 8, 8), dtype=np.uint8))
    for damaged in (kept.read_bytes()[:-7], small.getvalue(), b"", b"no array", b"\x93NUMPY\x01\x00\xff\xff"):
        kept.write_bytes(damaged)
        assert same(load(), right)
    assert calls[6:] == [8] * 5


def test_pictures_that_cannot_be_kept_are_read_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    make_pictures(Path("fruit"), n=3)
    KEPT.write_text("a file where a folder should be")
    assert len(load_folder(Path("fruit"), 8, KEPT).train) == 8
    assert "note: the pictures cannot be kept in kept (File exists)" in capsys.readouterr().err


def png_of(width: int, height: int) -> bytes:
    """A picture that claims this size and has no pixels."""
    file = io.BytesIO()
    Image.new("1", (1, 1)).save(file, "PNG")
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = file.getvalue()
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]


def test_all_broken_pictures_are_named_at_once() -> None:
    make_pictures(Path("fruit"), n=3)
    Path("fruit/apple/text.png").write_text("not a picture")
    Path("fruit/pear/half.jpg").write_bytes(Path("fruit/pear/001.jpg").read_bytes()[:300])
    Path("fruit/plum/bomb.png").write_bytes(png_of(60_000, 60_000))
    Path("fruit/plum/wide.png").write_bytes(png_of(9_000, 9_000))
    Path("fruit/plum/empty\x1b[2J.gif").write_bytes(b"")
    os.mkfifo("fruit/plum/pipe.png")
    with pytest.raises(DataError) as caught:
        load_folder(Path("fruit"), 8, KEPT)
    first, *lines = str(caught.value).splitlines()
    assert first == "6 of 15 pictures cannot be read. Mend them, or take them out of the folder."
    for name, reason in {
        "fruit/apple/text.png": "expected one of the formats",
        "fruit/pear/half.jpg": "",
        "fruit/plum/bomb.png": "decompression bomb",
        "fruit/plum/wide.png": "it has 9,000 × 9,000 pixels",
        r"fruit/plum/empty\x1b[2J.gif": "",
        "fruit/plum/pipe.png": "it is not a regular file",
    }.items():
        (line,) = (line for line in lines if name in line)
        assert reason in line and line.isprintable()
    assert list(KEPT.glob("*.npy*")) == []


def broken_folders() -> Iterator[tuple[str, str]]:
    Path("flat").mkdir()
    Image.new("RGB", (4, 4)).save("flat/1.png")
    yield "flat", "flat must have a folder for each class, two at least, got none"
    Path("one/cat").mkdir(parents=True)
    yield "one", "one must have a folder for each class, two at least, got cat"
    make_pictures(Path("empty"), n=3)
    Path("empty/quince").mkdir()
    Path("empty/quince/photo.heic").write_bytes(b"")
    yield "empty", r"empty has no pictures of quince\. Their names must end in one of \.bmp .* \.webp"
    make_pictures(Path("few"), n=3)
    Path("few/pear/000.png").unlink()
    yield "few", r"few: each class needs at least 3 images, one for each part; too few are in pear \(2\)"
    make_pictures(Path("odd/train"), n=2)
    make_pictures(Path("odd/test"), n=2)
    Path("odd/test/plum").rename("odd/test/plums")
    yield "odd", "odd must have the same classes in all parts; train and test differ in plum, plums"
    make_pictures(Path("more/train"), n=2)
    make_pictures(Path("more/extra"), n=2)
    yield (
        "more",
        "more must have a folder for each class, or the folders train, val and test .* got extra, train",
    )
    make_pictures(Path("twice/val"), n=2)
    make_pictures(Path("twice/valid"), n=2)
    yield "twice", "twice has val and valid, which mean the same"
    make_pictures(Path("late/test"), n=2)
    yield (
        "late",
        "late must have a folder for each class, or the folders train, val and test with those, got test",
    )
    yield "nowhere", r"nowhere cannot be read: No such file or directory\. Pass --data folder:PATH"
    yield "flat/1.png", "flat/1.png cannot be read: Not a directory"


def test_folders_that_cannot_be_used() -> None:
    for name, message in broken_folders():
        with pytest.raises(DataError, match=message):
            load_folder(Path(name), 8, KEPT)


def test_folders_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, who runs the tests in a container, one may read everything."""
    make_pictures(Path("fruit"), n=3)
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("pear"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match="fruit/pear cannot be read: Permission denied"):
        load_folder(Path("fruit"), 8, KEPT)


def test_more_than_the_memory_is_refused_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    make_pictures(Path("fruit"), n=3)
    sizes = {"SC_PAGE_SIZE": 1000, "SC_PHYS_PAGES": 1}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    with pytest.raises(DataError, match=r"would take 0\.0 GB, .* another --image-side"):
        load_folder(Path("fruit"), 8, KEPT)
    monkeypatch.setitem(sizes, "SC_PHYS_PAGES", 2)
    assert len(load_folder(Path("fruit"), 8, KEPT).train) == 8


# --- Files of NumPy


def arrays(n: int = 20, shape: tuple[int, ...] = (8, 8, 3)) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    return {
        "images": draw.integers(0, 256, (n, *shape), dtype=np.uint8),
        "labels": np.arange(n, dtype=np.int32) % 2,
    }


def test_arrays_in_every_layout_are_the_same_images() -> None:
    pixels = arrays()["images"]
    right = torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy())
    layouts = [pixels, pixels.transpose(0, 3, 1, 2), np.asfortranarray(pixels)]
    for number, images in enumerate(layouts):
        np.savez(f"{number}.npz", train_images=images, train_labels=np.arange(20)[:, None] % 4)
        assert torch.equal(load_arrays(Path(f"{number}.npz")).train.images, right)
    np.savez_compressed("grey.npz", train_images=pixels[..., 0], train_labels=np.arange(20) % 4)
    grey = load_arrays(Path("grey.npz"))
    assert torch.equal(grey.train.images, right[:, :1]) and grey.test is None
    assert grey.train.classes == tuple("0123")


def test_parts_and_names_of_arrays() -> None:
    one = arrays()
    names: dict[str, Any] = {"classes": ["cat", "dog"], "unknown": np.zeros(3)}
    np.savez("heap.npz", **one, **names)
    heap = load_arrays(Path("heap.npz"))
    assert heap.test is not None and (len(heap.train), len(heap.test)) == (16, 4)
    assert heap.train.classes == ("cat", "dog")
    parts = {
        f"{part}_{name}": one[name][:n] for part, n in (("train", 8), ("val", 5), ("test", 3)) for name in one
    }
    np.savez("parts.npz", **parts, **names)
    found = load_arrays(Path("parts.npz"))
    assert found.valid is not None and found.test is not None
    assert (len(found.train), len(found.valid), len(found.test)) == (8, 5, 3)
    assert found.test.labels.tolist() == [0, 1, 0]


GOOD: dict[str, Any] = {"train_images": np.zeros((4, 8, 8), np.uint8), "train_labels": np.arange(4) % 2}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "floats": ({"train_images": np.zeros((4, 8, 8))}, "train_images must be uint8, got float64; if it is from 0 to 1:"),
    "two channels": ({"train_images": np.zeros((4, 8, 8, 2), np.uint8)}, r"got \[4, 8, 8, 2\]"),
    "oblong": ({"train_images": np.zeros((4, 8, 9), np.uint8)}, r"must have the shape \[n, side, side\]"),
    "flat": ({"train_images": np.zeros((4, 64), np.uint8)}, r"got \[4, 64\]"),
    "empty": ({"train_images": np.zeros((0, 8, 8), np.uint8)}, r"got \[0, 8, 8\]"),
    "no labels": ({"train_labels": None}, "train_labels is missing"),
    "float labels": ({"train_labels": np.zeros(4)}, r"must be whole numbers of shape \[n\], got float64"),
    "one hot": ({"train_labels": np.eye(4, dtype=int)}, r"got int64 of shape \[4, 4\]"),
    "negative": ({"train_labels": np.array([0, 1, -1, 0])}, "must be from 0 to 99,999, got -1 to 1"),
    "huge": ({"train_labels": np.array([0, 1, 2**60, 0])}, f"got 0 to {2**60}"),
    "few labels": ({"train_labels": np.arange(3) % 2}, "there must be a label for each image, got 3 for 4 in train"),
    "one class": ({"train_labels": np.zeros(4, int)}, "there must be two classes at least, got 0"),
    "a gap": ({"train_labels": np.array([0, 2, 0, 2])}, r"too few are in 1 \(0\)"),
    "few names": ({"classes": ["a"]}, "classes must be 2 names or more, each another, got 1"),
    "same names": ({"classes": ["a", "a"]}, "classes must be 2 names or more, each another, got 2"),
    "numbers for names": ({"classes": [1, 2]}, "classes must be texts of at most 200 characters, got int64"),
    "other shape": (
        {"test_images": np.zeros((2, 9, 9), np.uint8), "test_labels": np.arange(2)},
        "the images of its parts must have one shape",
    ),
    "both": ({"images": np.zeros((4, 8, 8), np.uint8)}, "it has images and train_images; expected one"),
    "objects": ({"train_labels": np.array([0, "x"], object)}, "train_labels holds objects of Python"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_arrays_that_cannot_be_used(name: str) -> None:
    change, message = REFUSED[name]
    np.savez("a.npz", **{key: value for key, value in {**GOOD, **change}.items() if value is not None})
    with pytest.raises(DataError, match=message) as caught:
        load_arrays(Path("a.npz"))
    assert str(caught.value).startswith("a.npz cannot be used: ") and str(caught.value).isprintable()


def test_files_that_are_no_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez("good.npz", **GOOD)
    Path("text.npz").write_text("no archive")
    Path("half.npz").write_bytes(Path("good.npz").read_bytes()[:300])
    os.mkfifo("pipe.npz")
    np.savez("other.npz", x_train=np.zeros(3))
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 10**3, 10**3)}
    )
    with zipfile.ZipFile("claims.npz", "w") as archive:
        archive.writestr("train_images.npy", head.getvalue())
    with zipfile.ZipFile("bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train_images.npy", bytes(10**7))
    for name, message in {
        "none.npz": "No such file or directory",
        "text.npz": "File is not a zip file",
        "half.npz": "File is not a zip file",
        "pipe.npz": "it is not a regular file",
        "other.npz": r"must have train_images and train_labels, or images and labels, got x_train",
        "claims.npz": r"train_images claims the shape \[1000000, 1000, 1000\] and has 0 bytes",
    }.items():
        with pytest.raises(DataError, match=f"^{name} cannot be used: .*{message}"):
            load_arrays(Path(name))
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 1000, "SC_PHYS_PAGES": 100}.__getitem__)
    assert len(load_arrays(Path("good.npz")).train) == 4
    with pytest.raises(DataError, match=r"bomb\.npz cannot be used: the images would take 0\.0 GB"):
        load_arrays(Path("bomb.npz"))


# --- Commands

SMALL = (
    "quick --blocks 1 --channels 4 4 4 --batch-size 16 --steps 12 --learning-rate 0.05 --checkpoint-steps 4"
    " --precision float32"
).split()


def call(*words: str, each: Experiment[Any] = experiment.EXPERIMENT) -> int:
    return each.main(words)


def test_a_folder_from_training_to_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_pictures(Path("fruit"), n=20)
    own = ["--data", "folder:fruit", "--image-side", "8"]
    assert call(*SMALL, *own, "--out", "whole") == 0
    shown = capsys.readouterr().out
    assert "folder:fruit: 3 classes (apple, pear, plum); 39 images of 3 × 8 × 8 to train on, 9 to" in shown
    # A run that stops and goes on, with the folder moved in between, yields the same weights.
    assert call(*SMALL, *own, "--out", "run", "--steps", "4") == 0
    Path("fruit").rename("moved")
    capsys.readouterr()
    assert call("--resume", "run", "--steps", "12") == 1
    assert "fruit cannot be read" in capsys.readouterr().err
    assert call("--resume", "run", "--steps", "12", "--data", "folder:moved") == 0
    whole, run = last(Path("whole")).model, last(Path("run")).model
    assert whole.keys() == run.keys()
    assert json.loads(Path("run/config.json").read_text())["config"]["data"] == "folder:moved"
    saved = json.loads(Path("run/config.json").read_text())
    assert saved["classes"] == {"apple": 13, "pear": 13, "plum": 13}
    assert saved["data"].startswith("39 images of 3 × 8 × 8 with hash ")
    assert saved["measured_with"].startswith("9 images of 3 × 8 × 8 with hash ")
    # The ledger reproduces what was recorded, and knows other pictures when it sees them.
    assert ledger.main(["evaluate", "run"]) == 0
    assert "exactly what was recorded" in capsys.readouterr().out
    assert ledger.main(["show", "run"]) == 0
    assert "apple (13), pear (13), plum (13)" in capsys.readouterr().out
    assert ledger.main(["evaluate", "whole"]) == 1
    assert "fruit cannot be read" in capsys.readouterr().err
    assert ledger.main(["evaluate", "whole", "--data", "folder:moved"]) == 0
    # A prediction names the classes, from the run alone.
    shutil.copytree("moved", "fruit")
    monkeypatch.setattr(sys, "argv", ["predict", "run", "fruit/plum/000.png", "--top", "1"])
    capsys.readouterr()
    assert predict.main() == 0
    name, answer = capsys.readouterr().out.splitlines()
    assert name == "fruit/plum/000.png" and answer.split()[-1] in CLASSES
    for path in Path("fruit").glob("*/00*"):
        path.unlink()
    assert ledger.main(["evaluate", "whole"]) == 1
    assert "these are other images than those of whole: " in capsys.readouterr().err
    assert call("--resume", "whole", "--steps", "20") == 1
    assert "whole was trained on 39 images of 3 × 8 × 8 with hash" in capsys.readouterr().err


def test_a_run_that_stops_learns_the_same_from_a_folder() -> None:
    make_pictures(Path("fruit"), n=10)
    own = ["--data", "folder:fruit", "--image-side", "8"]
    assert call(*SMALL, *own, "--out", "whole") == 0
    for path in Path("whole/checkpoints").glob("step-*12.pt"):
        path.rename(f"{path}.away")
    shutil.copytree("whole", "run")
    assert call("--resume", "run") == 0
    shutil.copy("whole/checkpoints/step-00000012.pt.away", "whole/checkpoints/step-00000012.pt")
    whole, run = last(Path("whole")), last(Path("run"))
    assert whole.step == run.step == 12
    assert all(torch.equal(whole.model[name], run.model[name]) for name in whole.model)


def test_a_test_set_of_a_folder_is_used_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    for number, part in enumerate(("train", "val", "test")):
        make_pictures(Path("fruit", part), n=4, first=10 * number)
    own = ["--data", "folder:fruit", "--image-side", "8", "--final", "--out", "run"]
    assert call(*SMALL, *own) == 0
    result = json.loads(Path("run/result.json").read_text())
    assert result["images_to_train_on"].startswith("24 images") and result["valid_accuracy"] is None
    assert ledger.main(["evaluate", "run", "--test"]) == 0
    assert "exactly what was recorded" in capsys.readouterr().out


@pytest.mark.parametrize("preset", speedrun.PRESETS)
def test_the_speed_run_takes_a_folder(preset: str) -> None:
    make_pictures(Path("fruit"), n=10, side=34)
    small = ["--batch-size", "24", "--precision", "float32", "--sides", "32", "1", "--data", "folder:fruit"]
    few = [] if preset == "resnet20" else ["--channels", "8", "8", "8"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.backends.mkldnn, "enabled", True)
        assert call(preset, *small, *few, "--out", "run", each=speedrun.EXPERIMENT) == 0
    _, classes, channels, side = load_model(Path("run"))
    assert (classes, channels, side) == (("apple", "pear", "plum"), 3, 32)


@pytest.mark.thorough
def test_two_processes_share_a_folder_and_read_it_once() -> None:
    make_pictures(Path("fruit"), n=10)
    own = ["--data", "folder:fruit", "--image-side", "8", "--out", "run", "--steps", "2", "--device", "cpu"]
    ended = two_processes(*SMALL, *own)
    assert [status for status, *_ in ended] == [0, 0], ended
    assert len(list(Path("data/.pictures").glob("*.npy"))) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--data fruit", "--data must be cifar10, digits, synthetic, folder:PATH or npz:FILE, got fruit; did you mean "
         "folder:fruit?"),
        ("--data a.npz", "got a.npz; did you mean npz:a.npz?"),
        ("--data folder:", "got folder:"),
        ("--data=", "got an empty text"),
        ("--data load", "--data load: this experiment has no such data"),
        ("--data digits --image-side 8", "--image-side is for --data folder:PATH; the images of digits stay as large"),
        ("--data folder:fruit --image-side 0", "--image-side must be from 1 to 1,024, got 0"),
        ("--data npz:none.npz", "none.npz cannot be used: No such file or directory"),
        ("--data folder:nowhere", "nowhere cannot be read: No such file or directory"),
    ],
)  # fmt: skip
def test_one_line_says_which_data_there_is(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("fruit").mkdir()
    assert call("quick", *words.split()) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1


def test_other_images_need_another_run(capsys: pytest.CaptureFixture[str]) -> None:
    make_pictures(Path("fruit"), n=10)
    np.savez("a.npz", **arrays())
    assert call(*SMALL, "--data", "folder:fruit", "--image-side", "8", "--steps", "2", "--out", "run") == 0
    for words, message in {
        ("--data", "digits"): "--image-side is for --data folder:PATH",
        ("--data", "npz:a.npz"): "--image-side is for --data folder:PATH",
        (
            "--image-side",
            "9",
        ): "--image-side cannot change when a run goes on: the run would be measured with images",
    }.items():
        assert call("--resume", "run", *words) == 1
        assert message in capsys.readouterr().err
    assert call(*SMALL, "--data", "folder:fruit", "--record", "--out", "other") == 1
    assert "--record is for runs of a preset as it is, and --data" in capsys.readouterr().err


def test_arrays_train_and_are_measured_again(capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("a.npz", **arrays(40), classes=["cat", "dog"])
    assert call(*SMALL, "--data", "npz:a.npz", "--steps", "4", "--out", "run") == 0
    assert ledger.main(["evaluate", "run"]) == 0
    assert "exactly what was recorded" in capsys.readouterr().out
    assert load_model(Path("run"))[1] == ("cat", "dog")


# --- Experiments of one's own

MINE = """
import torch
from labml_nn.data import ImageData, Parts
from labml_nn.resnet import experiment

def load(config):
    images = torch.randint(256, (40, 3, 8, 8), generator=torch.Generator().manual_seed(7)).byte()
    return Parts.of_heap(ImageData(images, torch.arange(40) % 2, ("left", "right")))

EXPERIMENT = experiment.EXPERIMENT.with_data("mine", load)

if __name__ == "__main__":
    raise SystemExit(EXPERIMENT.main())
"""


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Experiment[Any]]:
    Path("mine.py").write_text(MINE)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    yield find_experiment("mine", "mine")
    del sys.modules["mine"]


def test_an_experiment_of_ones_own_with_images_of_its_own(
    mine: Experiment[Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(*SMALL, "--steps", "4", "--out", "run", each=mine) == 0
    assert "load: 2 classes (left, right); 26 images" in capsys.readouterr().out
    assert call("--resume", "run", "--steps", "6", each=mine) == 0
    Image.new("RGB", (8, 8)).save("a.png")
    for words in (["evaluate", "run"], ["predict", "run", "a.png"]):
        commands = {"evaluate": lambda: ledger.main(sys.argv[1:]), "predict": predict.main}
        monkeypatch.setattr(sys, "argv", [*(["runs"] if words[0] == "evaluate" else []), *words])
        capsys.readouterr()
        assert commands[words[0]]() == 1
        error = capsys.readouterr().err
        assert "mine is not a module of labml_nn; if you trust it, add: --module mine" in error
        monkeypatch.setattr(sys, "argv", [*sys.argv, "--module", "mine"])
        assert commands[words[0]]() == 0
        assert ("exactly" if words[0] == "evaluate" else "left") in capsys.readouterr().out
    # Other data on the command line is still possible.
    assert call(*SMALL, "--data", "synthetic", "--steps", "2", "--out", "other", each=mine) == 0


def test_ones_own_module_is_started_as_a_program(tmp_path: Path) -> None:
    Path("mine.py").write_text(MINE)
    python = [sys.executable, "-m"]
    for words in (
        ["mine", *SMALL, "--steps", "4", "--out", "run"],
        ["mine", "--resume", "run", "--steps", "6"],
        ["labml_nn.runs", "evaluate", "run", "--module", "mine"],
    ):
        ended = subprocess.run(
            [*python, *words], env=environment(), capture_output=True, text=True, timeout=300
        )
        assert ended.returncode == 0, ended.stderr


def test_modules_that_are_not_there_or_are_none_of_ours(mine: Experiment[Any]) -> None:
    Path("broken.py").write_text("import nothing_of_that_name")
    for (module, trusted), message in {
        ("mine", None): "mine is not a module of labml_nn; if you trust it, add: --module mine",
        ("mine", "other"): "this is a run of mine, not of other",
        ("none.at.all", "none.at.all"): "there is no module none.at.all",
        ("labml_nn.nowhere", None): "there is no module labml_nn.nowhere",
        ("labml_nn.data", None): "labml_nn.data has no EXPERIMENT",
        ("", ""): "there is no module ",
    }.items():
        with pytest.raises(RunFailed, match=message):
            find_experiment(module, trusted)
    with pytest.raises(ModuleNotFoundError, match="nothing_of_that_name"):
        find_experiment("broken", "broken")
    assert find_experiment("labml_nn.resnet.speedrun") is speedrun.EXPERIMENT


def test_presets_with_images_of_ones_own_are_the_others() -> None:
    theirs = experiment.EXPERIMENT.with_data("mine", lambda config: Parts(None))  # type: ignore[arg-type]
    for name, preset in theirs.presets.items():
        assert preset.config == replace(experiment.PRESETS[name].config, data="load")
    assert theirs.module == "mine" and experiment.EXPERIMENT.load is None
