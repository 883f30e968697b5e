"""Pictures from strangers: each is read as its author saw it, or refused in one line."""

from __future__ import annotations

import io
import itertools
import json
import os
import random
import resource
import struct
import sys
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Train
from PIL import Image
from sampling import SHARE
from small_runs import TINY

from labml_nn.data import DataError
from labml_nn.data.pictures import FORMATS, MOST_PIXELS, read_picture, to_bytes
from labml_nn.resnet import experiment, predict
from labml_nn.resnet.predict import has_light_edge
from labml_nn.training.checkpoint import Checkpoint, load, save


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def colour(name: str, **options: Any) -> list[int]:
    """The colour in the middle of a picture, for a network of 8 × 8 pixels."""
    return read_picture(Path(name), 3, 8, **options)[0, :, 4, 4].tolist()


# --- Modes


def sixteen(value: int) -> Image.Image:
    return Image.fromarray(np.full((9, 11), value, dtype=np.uint16))


def palette(transparent: int | bytes) -> tuple[Image.Image, dict[str, Any]]:
    picture = Image.new("P", (9, 9), 1)
    picture.putpalette([0, 0, 255, 255, 0, 0])
    return picture, {"transparency": transparent}


RED, GONE = (200, 10, 20), (200, 10, 20, 0)
MODES: dict[str, tuple[Image.Image, dict[str, Any], str, list[int]]] = {
    "16 bits of grey": (sixteen(30000), {}, "a.png", [117] * 3),
    "16 bits, black": (sixteen(128), {}, "a.png", [0] * 3),
    "16 bits, nearly black": (sixteen(129), {}, "a.png", [1] * 3),
    "16 bits, white": (sixteen(65535), {}, "a.png", [255] * 3),
    "16 bits, transparent": (sixteen(30000), {"transparency": 30000}, "a.png", [255] * 3),
    "16 bits, transparent elsewhere": (sixteen(30000), {"transparency": 30001}, "a.png", [117] * 3),
    "16 bits, PGM": (sixteen(30000), {}, "a.pgm", [117] * 3),
    "numbers with a point": (Image.new("F", (9, 9), 0.2), {}, "a.pfm", [51] * 3),
    "1 bit": (Image.new("1", (9, 9), 1), {}, "a.png", [255] * 3),
    "1 bit, PBM": (Image.new("1", (9, 9), 0), {}, "a.pbm", [0] * 3),
    "grey": (Image.new("L", (9, 9), 77), {}, "a.png", [77] * 3),
    "grey, one of them transparent": (Image.new("L", (9, 9), 77), {"transparency": 77}, "a.png", [255] * 3),
    "grey and transparent": (Image.new("LA", (9, 9), (77, 0)), {}, "a.png", [255] * 3),
    "grey and opaque": (Image.new("LA", (9, 9), (77, 255)), {}, "a.png", [77] * 3),
    "colours": (Image.new("RGB", (9, 9), RED), {}, "a.png", [*RED]),
    "colours, one transparent": (Image.new("RGB", (9, 9), RED), {"transparency": RED}, "a.png", [255] * 3),
    "transparent": (Image.new("RGBA", (9, 9), GONE), {}, "a.png", [255] * 3),
    "half transparent": (Image.new("RGBA", (9, 9), (0, 0, 0, 51)), {}, "a.png", [204] * 3),
    "transparent WebP": (Image.new("RGBA", (9, 9), GONE), {"lossless": True}, "a.webp", [255] * 3),
    "palette": (Image.new("P", (9, 9), 0), {}, "a.png", [0] * 3),
    "palette, one transparent": (*palette(1), "a.png", [255] * 3),
    "palette, half transparent": (*palette(b"\xff\x66"), "a.png", [255, 153, 153]),
    "palette, GIF": (*palette(1), "a.gif", [255] * 3),
    "CMYK": (Image.new("CMYK", (16, 16), (0, 255, 255, 0)), {"quality": 100}, "a.jpg", [255, 0, 0]),
    "BMP": (Image.new("RGB", (9, 9), RED), {}, "a.bmp", [*RED]),
    "PPM": (Image.new("RGB", (9, 9), RED), {}, "a.ppm", [*RED]),
}


@pytest.mark.parametrize("kind", MODES)
def test_a_picture_is_read_as_its_author_saw_it(kind: str) -> None:
    picture, options, name, right = MODES[kind]
    picture.save(name, **options)
    assert colour(name) == right
    grey = read_picture(Path(name), 1, 8)
    assert grey.shape == (1, 1, 8, 8)
    assert abs(int(grey[0, 0, 4, 4]) - (299 * right[0] + 587 * right[1] + 114 * right[2]) / 1000) <= 1


def test_what_is_transparent_is_laid_on_the_background() -> None:
    Image.new("RGBA", (9, 9), (10, 20, 30, 0)).save("a.png")
    assert colour("a.png", background="black") == [0, 0, 0]
    assert colour("a.png", background="white") == [255, 255, 255]
    assert colour("a.png", background="white", invert=True) == [0, 0, 0]


@pytest.mark.parametrize(
    ("picture", "most"),
    [
        (Image.new("F", (3, 3), 1.5), 1),
        (Image.new("F", (3, 3), float("nan")), 1),
        (Image.new("F", (3, 3), -0.1), 1),
        (Image.new("I", (3, 3), 65536), 65535),
        (Image.new("I", (3, 3), -1), 65535),
    ],
)
def test_numbers_out_of_range_are_refused(picture: Image.Image, most: int) -> None:
    with pytest.raises(DataError, match=f"its pixels must be from 0 to {most}"):
        to_bytes(picture)
    if picture.mode == "F":
        picture.save("a.pfm")
        with pytest.raises(DataError, match=r"a\.pfm is not a picture that can be read: its pixels must"):
            colour("a.pfm")


def test_big_endian_and_unusual_modes() -> None:
    values = np.full((2, 2), 30000, dtype=">u2")
    assert set(to_bytes(Image.frombytes("I;16B", (2, 2), values.tobytes())).tobytes()) == {117}
    assert to_bytes(Image.new("LAB", (2, 2))).mode == "RGB"
    assert to_bytes(Image.new("PA", (2, 2))).mode == "RGBA"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_heeded(orientation: int) -> None:
    turns: dict[int, Image.Transpose] = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.transpose(turns[orientation]) if orientation > 1 else upright
    stored.save("a.png", exif=exif)
    assert read_picture(Path("a.png"), 1, 8)[0, 0].flatten().tolist() == list(range(64))


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_of_an_animation_the_first_picture_is_taken_and_said(name: str) -> None:
    first, *others = (Image.new("RGB", (8, 8), (60 * k, 0, 0)) for k in range(1, 4))
    options: dict[str, Any] = {"lossless": True} if name == "a.webp" else {}
    first.save(name, save_all=True, append_images=others, **options)
    with pytest.warns(UserWarning, match=f"{name} is animated; its first picture is taken"):
        assert colour(name) == [60, 0, 0]


# --- What is not a picture


REFUSED: dict[str, str] = {
    "missing.png": "missing.png does not exist",
    "folder": "it is not a regular file",
    "pipe": "it is not a regular file",
    "empty.png": "expected one of the formats PNG, JPEG, WEBP, GIF, BMP, PPM",
    "text.png": "expected one of the formats",
    "drawing.eps": "expected one of the formats",
    "scan.tif": "expected one of the formats",
    "drawing.png": "expected one of the formats",
    "wide.png": f"it has 9,000 × 8,000 pixels, expected 1 to {MOST_PIXELS:,}",
    "bomb.png": "could be decompression bomb",
    "nearly a bomb.png": "could be decompression bomb",
    "nothing.png": "",
    "\x1b[2J\n.png": r"\x1b[2J\n.png does not exist",
    "a\0b": "null",
    "x" * 5000: "File name too long",
    "huge.png": "it has more than 134,217,728 bytes",
}


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    head = (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (head, *chunks, (b"IEND", b""))
    )


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_a_picture_is_said_in_one_line(name: str) -> None:
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("empty.png").write_bytes(b"")
    Path("text.png").write_text("not a picture")
    for other in ("drawing.eps", "scan.tif"):
        Image.new("RGB", (4, 4)).save(other)
    Path("drawing.eps").rename("drawing.png") if name == "drawing.png" else None
    Path("wide.png").write_bytes(png(9000, 8000, (b"IDAT", zlib.compress(b""))))
    Path("bomb.png").write_bytes(png(10**5, 10**5, (b"IDAT", zlib.compress(b""))))
    Path("nearly a bomb.png").write_bytes(png(10**4, 10**4, (b"IDAT", zlib.compress(b""))))
    Path("nothing.png").write_bytes(png(0, 8, (b"IDAT", zlib.compress(b""))))
    with open("huge.png", "wb") as file:
        file.truncate(2**27 + 1)
    with pytest.raises(DataError) as caught:
        colour(name)
    message = str(caught.value)
    assert REFUSED[name] in message and message.isprintable() and len(message) < 500


def test_a_picture_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, who runs the tests in a container, one may read everything."""

    def refused(*arguments: Any, **named: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    Image.new("RGB", (4, 4)).save("a.png")
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(DataError, match=r"a\.png is not a picture that can be read: Permission denied"):
        colour("a.png")


# --- 3,000 pictures that were damaged


def small_picture(kind: str) -> bytes:
    picture = Image.fromarray(np.arange(12 * 10 * 3, dtype=np.uint8).reshape(10, 12, 3))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    file = io.BytesIO()
    if kind == "GIF":
        picture.save(file, kind, save_all=True, append_images=[picture.rotate(90)])
    elif kind == "BMP":
        picture.quantize(16).save(file, kind)
    else:
        picture.save(file, kind, **({} if kind == "PPM" else {"exif": exif}))
    return file.getvalue()


def flip(data: bytearray, draw: random.Random) -> None:
    for _ in range(draw.choice([1, 1, 2, 8])):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def overwrite(data: bytearray, draw: random.Random) -> None:
    start = draw.randrange(len(data))
    data[start : start + draw.choice([1, 2, 4, 8])] = draw.choice(
        [b"\0", b"\xff", b"\x7f\xff"]
    ) * draw.choice([1, 4])


def cut(data: bytearray, draw: random.Random) -> None:
    del data[draw.randrange(len(data)) :]


def drop(data: bytearray, draw: random.Random) -> None:
    start = draw.randrange(len(data))
    del data[start : start + draw.randrange(1, 40)]


def repeat(data: bytearray, draw: random.Random) -> None:
    start = draw.randrange(len(data))
    data[start:start] = data[start : start + draw.randrange(1, 200)] * draw.choice([1, 2, 50])


def edit_chunk(data: bytearray, draw: random.Random) -> None:
    """In a PNG file, with a checksum that is right again, so that the decoder sees the change."""
    if data[:4] != b"\x89PNG":
        return overwrite(data, draw)
    starts, start = [], 8
    while start + 12 <= len(data):
        starts.append(start)
        start += 12 + int.from_bytes(data[start : start + 4])
    start = draw.choice(starts)
    n = int.from_bytes(data[start : start + 4])
    if n:
        data[start + 8 + draw.randrange(n)] = draw.choice([0, 1, 16, 127, 255])
    else:
        data[start + 4 : start + 8] = draw.choice([b"IDAT", b"fdAT", b"acTL", b"tRNS", b"zTXt"])
    data[start + 8 + n : start + 12 + n] = struct.pack(">I", zlib.crc32(data[start + 4 : start + 8 + n]))
    return None


EDITS: list[Callable[[bytearray, random.Random], None]] = [flip, overwrite, cut, drop, repeat, edit_chunk]
MUTANTS = 500


@pytest.mark.parametrize("kind", FORMATS)
def test_mutants_of_pictures_are_refused_in_one_line_or_read(kind: str) -> None:
    whole, draw, path = small_picture(kind), random.Random(0), Path("a.picture")
    read = refused = 0
    tried = MUTANTS // SHARE
    for number in range(tried):
        data = bytearray(whole)
        EDITS[number % len(EDITS)](data, draw)
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=".* is animated")
                found = read_picture(path, number % 2 * 2 + 1, 8)
        except DataError as error:
            message = str(error)
        else:
            message = ""
        if message:
            assert message.startswith("a.picture is not a picture that can be read")
            assert message.isprintable() and len(message) < 500
            refused += 1
        else:
            assert found.shape == (1, number % 2 * 2 + 1, 8, 8) and found.dtype == torch.uint8
            read += 1
    assert read + refused == tried and min(read, refused) > tried / 20


# --- The command


@pytest.fixture
def finished(train: Train, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = train("--steps", "2")
    capsys.readouterr()
    return folder


def test_one_bad_picture_does_not_keep_the_others_back(
    finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(*arguments: str) -> tuple[int, str, list[str]]:
        monkeypatch.setattr(sys, "argv", ["predict", *arguments])
        status = predict.main()
        shown = capsys.readouterr()
        return status, shown.out, shown.err.splitlines()

    first, second = (Image.new("RGB", (8, 8), (60 * k, 0, 0)) for k in range(2))
    second.save("a.png")
    first.save("b.gif", save_all=True, append_images=[second])
    Path("bad.png").write_bytes(Path("a.png").read_bytes()[:40])
    status, out, errors = call("run", "bad.png", "a.png", "none.png", "b.gif")
    assert status == 1
    assert [line for line in out.splitlines() if line[0] != " "] == ["a.png", "b.gif"]
    assert len(out.splitlines()) == 2 * 4
    assert [line.split(" ")[:2] for line in errors] == [
        ["error:", "bad.png"], ["error:", "none.png"], ["note:", "b.gif"],
    ]  # fmt: skip
    assert call("run", "a.png", "--top", "1")[0] == 0
    assert call("run", "a.png", "--top", "0") == (1, "", ["error: --top must be at least 1, got 0"])
    assert call("nowhere", "a.png")[0] == 1


def test_help_says_what_becomes_of_transparency(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["predict", "--help"])
    with pytest.raises(SystemExit):
        predict.main()
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "put behind pictures that are transparent" in shown and "PNG, JPEG, WebP, GIF, BMP or PPM" in shown


def test_dark_on_light_is_noticed() -> None:
    page = torch.full((1, 1, 8, 8), 255, dtype=torch.uint8)
    page[:, :, 2:6, 3:5] = 0
    assert has_light_edge(page)
    assert not has_light_edge(255 - page)
    assert not has_light_edge(torch.full((1, 1, 8, 8), 255, dtype=torch.uint8))


# --- Transparency of a PNG in few or many bits


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def picture_of(bits: int, colours: int, row: bytes, transparent: bytes) -> None:
    """A picture of 8 × 8 pixels, all rows alike."""
    header = struct.pack(">IIBBBBB", 8, 8, bits, colours, 0, 0, 0)
    rows = zlib.compress((b"\0" + row) * 8)
    parts = [(b"IHDR", header), (b"tRNS", transparent), (b"IDAT", rows), (b"IEND", b"")]
    Path("a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_shade_is_transparent_in_as_many_bits_as_the_file_has(bits: int) -> None:
    top = 2**bits - 1
    for value, transparent in itertools.product({0, 1, top // 2, top}, repeat=2):
        row = (int(format(value, f"0{bits}b") * 8, 2)).to_bytes(bits, "big")
        picture_of(bits, 0, row, struct.pack(">H", transparent))
        shown = round(value * 255 / top)
        for background, behind in (("white", 255), ("black", 0)):
            right = behind if value == transparent else shown
            assert colour("a.png", background=background) == [right] * 3


@pytest.mark.parametrize("bits", [8, 16])
def test_a_colour_is_transparent_in_as_many_bits_as_the_file_has(bits: int) -> None:
    pixel = (30000, 20, 65535) if bits == 16 else (117, 0, 255)
    row = struct.pack(">HHH" if bits == 16 else "BBB", *pixel) * 8
    picture_of(bits, 2, row, struct.pack(">HHH", *pixel))
    assert colour("a.png") == [255] * 3
    assert colour("a.png", background="black") == [0] * 3
    picture_of(bits, 2, row, struct.pack(">HHH", pixel[0], 3000, pixel[2]))
    assert colour("a.png") == [117, 0, 255]


# --- Runs of somebody else


@pytest.fixture
def trained(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run of two steps, and a command line that asks it for a picture."""
    assert experiment.EXPERIMENT.main([*TINY, "--steps", "2", "--out", "run"]) == 0
    Image.new("RGB", (4, 4)).save("a.png")
    monkeypatch.setattr(sys, "argv", ["predict", "run", "a.png"])
    assert predict.main() == 0
    capsys.readouterr()
    return Path("run")


@pytest.mark.parametrize(
    "change",
    [{"channels": [4, 4, 10_000]}, {"channels": [10_000] * 3}, {"blocks": 1000, "channels": [64] * 3}],
    ids=str,
)
def test_a_network_larger_than_its_weights_is_not_built(
    trained: Path, change: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    saved = json.loads((trained / "config.json").read_text())
    saved["config"] |= change
    (trained / "config.json").write_text(json.dumps(saved))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert predict.main() == 1
    error = capsys.readouterr().err
    assert "the network is larger than that, expected as many weights" in error
    # In kilobytes. The networks would have 3.6, 64 and 1.7 GB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000


def altered(folder: Path, alter: Callable[[Checkpoint], Any]) -> None:
    for path in (folder / "checkpoints").glob("*.pt"):
        found = load(path)
        alter(found)
        save(found, path)


def test_sides_that_no_network_here_was_made_for_are_refused(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    altered(trained, lambda found: found.about.update(side=1025))
    assert predict.main() == 1
    assert "about.side is 1025, expected a whole number from 1 to 1024" in capsys.readouterr().err


@pytest.mark.parametrize("number", [0.0, 1e-40])
def test_what_is_not_a_number_is_no_prediction(
    trained: Path, number: float, capsys: pytest.CaptureFixture[str]
) -> None:
    altered(trained, lambda found: found.model["0.std"].fill_(number))
    assert predict.main() == 1
    shown = capsys.readouterr()
    assert "a.png: what the network computes is infinite or not a number" in shown.err
    assert shown.out == ""


def test_numbers_of_a_folder_that_make_no_sense_are_refused(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = json.loads((trained / "config.json").read_text())
    saved["config"]["blocks"] = 10**6
    (trained / "config.json").write_text(json.dumps(saved))
    assert predict.main() == 1
    assert "--blocks must be from 1 to 1,000, got 1000000" in capsys.readouterr().err
