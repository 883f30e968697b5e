r"""
---
title: The configuration
summary:
  What every experiment can be told on the command line, and the images it trains on and measures
  with.
---

# The configuration

Experiments differ in their networks and hyper-parameters. These choices they have in common, and
[the run](run.py) needs to know of no others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from torch import nn

from labml_nn.data import ImageData, split
from labml_nn.data.cifar10 import load_cifar10
from labml_nn.data.small import load_digits, make_synthetic
from labml_nn.printing import printable
from labml_nn.runs.files import RunFailed, to_plain
from labml_nn.training.loop import Recipe
from labml_nn.training.machine import Precision


@dataclass(frozen=True)
class Config:
    """The choices that every experiment has.

    A field's comment is its explanation here and its help on the command line. An experiment adds
    fields of its own.
    """

    # The images: `cifar10`, `digits` or `synthetic`.
    data: Literal["cifar10", "digits", "synthetic"] = "cifar10"
    # Folder with the files of CIFAR-10. They are downloaded into it if they are not there.
    data_dir: Path = Path("data")
    # Images of the training set to hold out, to choose hyper-parameters by.
    valid_images: int = 5000
    # Train on all images of the training set, and measure on the test set once, at the end.
    final: bool = False

    # Seed of all random choices.
    seed: int = 0
    # `auto`, `cpu`, `mps`, `cuda` or `cuda:1`.
    device: str = "auto"
    # `auto`, `float32`, `bfloat16`, `float16`, or `tf32` on CUDA. `auto` takes what is fast there.
    precision: Precision = "auto"
    # Lay the channels of a pixel side by side in memory.
    channels_last: bool = True
    # Translate the model with `torch.compile`: a minute at the start for faster steps.
    compile: bool = False
    # Let normalizations use the statistics of all processes (CUDA only).
    sync_bn: bool = False
    # Use only operations that always give the same result on the same device, even if slower.
    deterministic: bool = False

    # Folder for the run. By default `runs/` with the time and the preset.
    out: Path | None = None
    # Seconds between checkpoints.
    checkpoint_seconds: float = 300
    # Steps between checkpoints, instead of seconds.
    checkpoint_steps: int | None = None
    # Steps between lines of `metrics.jsonl` within an epoch. By default there is one for each epoch
    # only: to know a loss means to wait for the device.
    metrics_steps: int | None = None
    # How many of the last checkpoints to keep. The best is kept too.
    keep: int = 3
    # Add the result to `experiments/`, where the tables and curves of the site come from.
    record: bool = False
    # Address of a labml server that shows the run. By default it is only written to files. It is
    # not remembered: `--resume` sends nothing anywhere unless it is told so again.
    app_url: str | None = None

    def limits(self) -> dict[str, tuple[float, float]]:
        """The lowest and the highest value of each field that is a number.

        Of a field with several numbers, they hold for each. An experiment adds those of its own
        fields.

        Nobody wants a batch of no images. The upper limits are far above what anybody trains with;
        they keep a slip of the finger, and a configuration that came from somebody else, from
        filling the memory before anything can be said about it.
        """
        return {
            "valid_images": (1, 10**9),
            # As seeds of 64 bits are common, with a sign or without
            "seed": (-(2**63), 2**64 - 1),
            "checkpoint_seconds": (0, 10**9),
            "checkpoint_steps": (1, 10**9),
            "metrics_steps": (1, 10**9),
            "keep": (1, 10**6),
        }

    def resume_rules(self) -> dict[str, str]:
        """What becomes of each field when a run goes on with another value.

        `FREE` ones may differ. They decide where and how fast a run is computed, and its numbers up
        to rounding. `NOTED` ones may differ too, and the history of the run tells from which step
        on. Any other text is the reason why a field may not. An experiment adds the rules of its
        own fields; one without a rule may not change.
        """
        images = "the run would be measured with images that it has learned"
        free = "data_dir device channels_last compile checkpoint_seconds "
        free += "checkpoint_steps metrics_steps keep record app_url"
        return {
            **dict.fromkeys(("data", "valid_images", "final"), images),
            **dict.fromkeys(free.split(), FREE),
            **dict.fromkeys(("precision", "sync_bn", "deterministic"), NOTED),
            "seed": "no seed could repeat the result",
            "out": "a run stays in its folder; copy that",
        }

    def in_batches_of(self, other: Any) -> Any:
        """This configuration, to go on with batches as large as those of `other`.

        Lengths in steps have to be as many images as before. An experiment that has such fields
        says which.
        """
        return self

    def recipe(self, n: int) -> Recipe:
        """The recipe for the [training loop](../training/loop.py), to train on `n` images.

        Experiments have to say.
        """
        raise NotImplementedError

    def build(self, train: ImageData) -> nn.Module:
        """The model: bytes in, logits out.

        What it needs to know of the data, such as the number of classes or the mean of the pixels,
        comes from `train`. Experiments have to say.
        """
        raise NotImplementedError

    def result_depends_on(self) -> dict[str, Any]:
        """The fields that decide what comes out of a run, apart from the seed, as plain values.

        Runs that are recorded for the same preset must agree in all of them.
        """
        other = {field.name for field in fields(Config)}
        other -= {"data", "valid_images"}
        plain = to_plain(self)
        return {name: plain[name] for name in plain if name not in other}


# What becomes of a field that a run goes on with another value of
FREE, NOTED = "free", "noted"


def option(name: str) -> str:
    """The option of the command line for the field `name`."""
    return "--" + name.replace("_", "-")


def note_others(config: Config, rules: Mapping[str, str]) -> dict[str, str]:
    """`rules` for resuming, and `NOTED` for all other fields of `config`."""
    own = (field.name for field in fields(config) if field.name not in rules)
    return {**rules, **dict.fromkeys(own, NOTED)}


def find_changes(
    config: Config, before: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """The fields in which `config` differs from `before`, plain values of the run that goes on.

    Returns the old and the new value of those that are `NOTED`. Raises `RunFailed` for one that may
    not change.
    """
    rules, plain = config.resume_rules(), to_plain(config)
    changes = {}
    for name in plain.keys() & before.keys():
        old, new = before[name], plain[name]
        rule = rules.get(name, "nobody has said that it may")
        if old == new or rule == FREE:
            continue
        if rule != NOTED:
            raise RunFailed(
                f"{option(name)} cannot change when a run goes on: {rule}. It "
                f"was {printable(old, 60)}, got {printable(new, 60)}. Leave it "
                "out, or start anew with another --out."
            )
        changes[name] = old, new
    return {name: changes[name] for name in plain if name in changes}


def check_limits(config: Config) -> None:
    """Raises `RunFailed` if a number of `config` lies outside of its limits, as NaN always does."""
    for name, (low, high) in config.limits().items():
        for value in _numbers(getattr(config, name)):
            if not low <= value <= high:
                raise RunFailed(
                    f"{option(name)} must be from {low:,} to "
                    f"{high:,}, got {printable(value, 40)}"
                )


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, tuple):
        for item in value:
            yield from _numbers(item)
    elif value is not None:
        yield value


def load_data(config: Config) -> tuple[ImageData, ImageData]:
    """The images that `config` asks for, to train on and to measure with.

    The latter are held out of the training set or, with `final`, the test set. Raises `DataError`
    if they cannot be had.
    """
    match config.data:
        case "cifar10":
            train, test = load_cifar10(config.data_dir)
        case "digits":
            train, test = load_digits()
        case "synthetic":
            train, test = make_synthetic()
    if config.final:
        return train, test
    return split(train, min(config.valid_images, len(train) // 2))
