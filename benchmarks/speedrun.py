"""Time to accuracy: every step of the speed run, beside the fastest training on CIFAR-10 that is known.

What is timed is a few steps with images of each size that a training sees, and the measurement at its end. From that
follows how long the whole takes. The unit is an epoch of ResNet-20 in the loop that everybody writes first, timed in
the same rounds. The accuracies are those of the recorded runs, one for each seed.

The peer is `airbench94_muon`, which is written for one kind of GPU. Here its network takes the steps of our loop, with
as many images in a batch, epochs and views as its author has chosen. Its accuracy is the one that he states.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from labml_nn.data.small import make_synthetic
from labml_nn.resnet.speedrun import EXPERIMENT, PRESETS, Group, SpeedConfig, SpeedNet
from labml_nn.training import Trainer, evaluate
from labml_nn.training.machine import find_machine, keep_memory

from .measure import (
    RECORDS,
    ROOT,
    Row,
    alternate,
    arguments,
    as_json,
    ask,
    finish,
    machine,
    parse,
    quotients,
    summary,
)
from .throughput import IMAGES
from .throughput import PLAIN as PLAIN_LOOP
from .throughput import seconds_per_image as seconds_of_the_loop

PLAIN = "plain epoch"
PEER = "airbench94_muon"
PEER_ACCURACY = 0.9401
"""The mean of 200 runs, as its author states it."""
TEST_IMAGES = 10_000
WARM_UP = 1
"""Steps with each size of images that do not count."""


@dataclass(frozen=True)
class Contestant:
    """A training whose time is asked for."""

    config: SpeedConfig
    is_peer: bool = False

    @property
    def epochs(self) -> float:
        """How often it sees each of its images."""
        return sum(length for _, length in self.config.sides)


CONTESTANTS = {
    PEER: Contestant(SpeedConfig(sides=((32, 8.0),), batch_size=2000), is_peer=True),
    **{name: Contestant(preset.config) for name, preset in PRESETS.items()},
}


def main() -> None:
    """Measure, print and write."""
    parser = arguments("speedrun", __doc__, rounds=3)
    parser.add_argument("--contestant", choices=[PLAIN, *CONTESTANTS], help=argparse.SUPPRESS)
    options = parse(parser)
    if options.contestant:
        print(json.dumps(seconds(options.contestant, options.quick)))
        return
    on = machine()
    words = ["--quick"] if options.quick else []
    names = (PLAIN, PEER, "speedrun") if options.quick else (PLAIN, *CONTESTANTS)
    measured = alternate(
        {name: partial(ask, "speedrun", ROOT, "--contestant", name, *words) for name in names}, options.rounds
    )
    columns = "step n images_per_second epochs seconds plain_epochs times_peer".split()
    finish("speedrun", rows(measured), columns, options, on, peers=["torch", "pillow"])


def rows(measured: Mapping[str, list[float]]) -> list[Row]:
    """The results: how long each training takes, in seconds, in plain epochs, and as a part of what the peer takes."""
    found: list[Row] = []
    for name, taken in measured.items():
        if name == PLAIN:
            continue
        contestant = CONTESTANTS[name]
        in_plain_epochs = summary(quotients(taken, measured[PLAIN]))
        found.append(
            {
                "step": name,
                "n": len(taken),
                "images_per_second": summary([IMAGES * contestant.epochs / one for one in taken])["median"],
                "epochs": contestant.epochs,
                "seconds": summary(taken)["median"],
                "plain_epochs": in_plain_epochs["median"],
                "low": in_plain_epochs["low"],
                "high": in_plain_epochs["high"],
                "times_peer": summary(quotients(taken, measured[PEER]))["median"],
                **accuracies(name),
            }
        )
    return found


def accuracies(name: str) -> dict[str, Any]:
    """The accuracies of recorded runs, on images held out and on the test set, and how these drew random numbers."""
    if name == PEER:
        return {"draws": None, "held_out": [], "test": [PEER_ACCURACY]}
    path = ROOT / EXPERIMENT.records / f"{name}.json"
    if not path.exists():
        return {"draws": None, "held_out": [], "test": []}
    record = json.loads(path.read_text("utf-8"))
    return {
        "draws": record["draws"],
        "held_out": [run["valid_accuracy"] for run in record["held_out"]],
        "test": [run["test_accuracy"] for run in record["final"]],
    }


def renew_accuracies(path: Path = RECORDS / "speedrun.json") -> None:
    """Copy the accuracies of runs that were recorded since into the record, which keeps the times that it has."""
    result = json.loads(path.read_text("utf-8"))
    for row in result["rows"]:
        row.update(accuracies(row["step"]))
    path.write_text(as_json(result), "utf-8")


def seconds(name: str, is_quick: bool) -> float:
    """How long the contestant `name` takes for all it does, or a plain epoch."""
    steps = 1 if is_quick else 2
    if name == PLAIN:
        return IMAGES * seconds_of_the_loop(PLAIN_LOOP, 1 if is_quick else 20, 8 if is_quick else 256)
    keep_memory()
    contestant = CONTESTANTS[name]
    config = replace(contestant.config, data="synthetic")
    if is_quick:
        config = replace(config, batch_size=8)
    batch = config.batch_size
    data, held_out = make_synthetic((WARM_UP + steps) * batch, min(2 * batch, 2000))
    model, on = config.build(data), find_machine("cpu")
    if contestant.is_peer:
        as_the_peer(model)
    total = 0.0
    for side, epochs in config.sides:
        plan = replace(config, sides=((side, 1.0),)).recipe(len(data))
        trainer = Trainer(model, data, plan, on)
        for _ in range(WARM_UP):
            trainer.take_step()
        start = time.perf_counter()
        for _ in range(steps):
            trainer.take_step()
        total += (time.perf_counter() - start) / (steps * batch) * epochs * IMAGES
    evaluate(model, held_out, on)
    start = time.perf_counter()
    evaluate(model, held_out, on)
    return total + (time.perf_counter() - start) / len(held_out) * TEST_IMAGES


def as_the_peer(model: nn.Module) -> None:
    """Take the shortcuts out of the groups of the `model`, and pool after convolutions."""
    for module in model.modules():
        if isinstance(module, SpeedNet):
            sizes = (module.first.out_channels, *SpeedConfig().channels)
            groups = (PeerGroup(*size, identity=True) for size in pairwise(sizes))
            module.groups = nn.Sequential(*groups)


class PeerGroup(Group):
    """A group of the peer's network, which has no shortcut."""

    def forward(self, x: Tensor) -> Any:
        """What a group returns for its input."""
        return self.residual(self.activation(self.norm1(self.pool(self.conv1(x)))))


if __name__ == "__main__":
    main()
