"""The pictures that pages show are those that today's code makes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from experiments.pictures import block
from experiments.pictures.__main__ import ATTENDED, GAP
from labml_nn.data import Crops, random_generator
from labml_nn.data.small import load_digits
from pylit.tracing import INDEX, parse_pictures
from pylit.tracing.picture_recorder import record_pictures

ROOT = Path(__file__).parents[2]
FILE = "labml_nn/resnet/__init__.py"
FOLDER = ROOT / "experiments/traces/labml_nn/resnet/__init__.pictures"
RECORDED = parse_pictures((FOLDER / INDEX).read_bytes())
AGAIN = f"the pictures are stale: run `{RECORDED.command}` and commit what it changes"


# The module is imported anew, and the checker would tell its classes from those of the first import.
@pytest.mark.usefixtures("unchecked")
def test_recorded_pictures_are_those_of_today() -> None:
    """Up to the last digits, which differ from machine to machine."""
    files = record_pictures(ROOT / FILE, FILE, Path(block.__file__), RECORDED.command)
    today = parse_pictures(files[INDEX])
    assert today.scale == pytest.approx(RECORDED.scale, rel=0.01), AGAIN
    assert len(today.steps) == len(RECORDED.steps), AGAIN
    for now, then in zip(today.steps, RECORDED.steps, strict=True):
        for name in ("place", "code", "expression", "shape"):
            assert getattr(now, name) == getattr(then, name), AGAIN
        for name in ("mean", "deviation", "zeros", "low", "high"):
            assert getattr(now, name) == pytest.approx(getattr(then, name), abs=0.005), AGAIN
        assert sum(now.histogram) == sum(then.histogram), AGAIN


def test_every_picture_has_its_file_and_every_file_its_picture() -> None:
    named = {step.picture for step in RECORDED.steps}
    assert {path.name for path in FOLDER.glob("*.png")} == named
    size = sum(path.stat().st_size for path in FOLDER.glob("*.png"))
    assert size <= 60_000, "a reader on a phone loads all of them"


def test_the_pictures_are_of_a_block_that_has_learnt() -> None:
    """The weights belong to the network of the preset, and the sum is what the page says it is."""
    with torch.inference_mode():
        model = block.build()
        assert set(model.state_dict()) > {f"{block.PARTS[-1]}conv1.weight"}
        running = model.state_dict()[f"{block.PARTS[-1]}bn1.running_var"]
    assert (running - 1).abs().max() > 0.1  # what an untrained normalization has
    found = {(step.place.within, step.expression): step for step in RECORDED.steps}
    start, change, total, end = (
        found["ResidualBlock.forward", expression]
        for expression in (
            "x",
            "self.residual(x)",
            "self.residual(x) + self.shortcut(x)",
            "self.act2(self.residual(x) + self.shortcut(x))",
        )
    )
    assert total.mean == pytest.approx(start.mean + change.mean, abs=0.002)
    assert end.low == 0 < end.zeros
    assert change.low < 0  # F(x) takes away, too


PICTURES = Path(block.__file__).parent


def tiles(name: str, side: int, across: int, factor: int) -> torch.Tensor:
    """The images `[n, 3, side, side]` of a sheet, from 0 to 255, without the enlargement."""
    picture = np.asarray(Image.open(PICTURES / name).convert("RGBA").convert("RGB"), dtype=np.float32)
    step = side * factor + GAP
    found = [
        picture[y : y + side * factor : factor, x : x + side * factor : factor]
        for y in range(0, picture.shape[0], step)
        for x in range(0, picture.shape[1], step)
    ]
    assert len(found) % across == 0
    return torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2)


def test_the_digit_is_the_one_that_went_through_the_block() -> None:
    (digit,) = tiles("digit.png", 8, 1, 16)
    assert torch.equal(digit[0], block.image().images[0, 0].float())


def test_predictions_show_images_of_the_test_set_and_the_page_tells_of_them() -> None:
    about = json.loads((PICTURES / "predictions.json").read_text("utf-8"))
    _, test = load_digits()
    shown = about["shown"]
    assert about["images"] == len(test) and len(shown) == 6
    numbers = [each["image"] for each in shown]
    assert torch.equal(tiles("predictions.png", 8, 6, 10)[:, :1], test.images[numbers].float())
    assert [each["label"] for each in shown] == test.labels[numbers].tolist()
    wrong = [each for each in shown if each["label"] != each["guess"]]
    right = shown[len(wrong) :]
    text = " ".join((ROOT / "labml_nn/resnet/predict.py").read_text("utf-8").split())
    assert f"named {about['right']} of {about['images']} test images correctly" in text
    assert [each["label"] for each in wrong] == [3, 3] and about["right"] == len(test) - 2
    guesses, sure = [each["guess"] for each in wrong], [round(100 * each["sure"]) for each in wrong]
    assert f"the one 3 for a {guesses[0]} and the other for a {guesses[1]}" in text
    assert f"to be {sure[0]} % and {sure[1]} % sure" in text
    named = [str(each["label"]) for each in right]
    least, most = (round(100 * choose(each["sure"] for each in right)) for choose in (min, max))
    assert f"right: {', '.join(named[:-1])} and {named[-1]}, at {least} % to {most} %" in text


def test_attention_is_that_of_images_of_the_test_set_and_the_page_tells_of_it() -> None:
    about = json.loads((PICTURES / "attention.json").read_text("utf-8"))
    _, test = load_digits()
    numbers, weights = about["images"], torch.tensor(about["weights"])
    assert tuple(about["labels"]) == ATTENDED == tuple(test.labels[numbers].tolist())
    assert test.labels[numbers].tolist() == about["guesses"], "all are right"
    assert weights.shape == (4, 4, 17)
    torch.testing.assert_close(weights.sum(-1), torch.ones(4, 4), rtol=0, atol=0.01)
    shown = tiles("attention.png", 8, 5, 10)[:, 0].view(4, 5, 8, 8)
    assert torch.equal(shown[:, 0], test.images[numbers][:, 0].float())
    maps = weights[:, :, 1:] / weights[:, :, 1:].amax(-1, keepdim=True)
    patches = shown[:, 1:, ::2, ::2].flatten(2) / 255
    torch.testing.assert_close(patches, maps, rtol=0, atol=0.04)
    assert weights[1, 1].max() == pytest.approx(0.9, abs=0.02) and weights[0, 2].max() < 2 / 17


def test_crops_are_those_that_the_augmentation_draws() -> None:
    """From the image itself, which is the first of them."""
    found = tiles("crops.png", 32, 4, 3)
    drawn = Crops.draw(7, 4, True, random_generator(0, "picture"))
    expected = drawn.cut(found[:1].byte().expand(7, -1, -1, -1)).float()
    assert (found[1:] - expected).abs().mean() < 8  # the picture has 256 colours
    assert drawn.mirrored.sum() == 3, "the alternative text says so"


def test_whitening_filters_are_independent_directions() -> None:
    filters = tiles("whitening.png", 2, 6, 24).flatten(1) / 127.5 - 1
    angles = nn.functional.normalize(filters) @ nn.functional.normalize(filters).T
    assert (angles - torch.eye(12)).abs().max() < 0.2  # 64 colours
    assert (filters.view(12, 3, 4).std(dim=2)[:2] < 0.05).all(), "the first two have one colour each"
