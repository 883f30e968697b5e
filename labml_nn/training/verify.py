r"""
---
title: Comparing a checkpoint
summary:
  Every value of a checkpoint is compared with what it is for, before any of it is used.
hook: Every value is compared before any is used.
---

# Comparing a checkpoint

A checkpoint that [can be read](unpack.py) may still be the wrong one: of another network, of
another optimizer, from a disk that lost a page, or made to do harm. PyTorch compares the shapes of
weights, but not those of what an optimizer remembers. Its fused optimizers are compiled loops over
raw memory; given a velocity that is shorter than the weights, they read on behind its end, and the
process dies or computes with whatever was there.

So everything is compared first, and only then loaded: nothing of a checkpoint that is refused is
used. We know well what to expect. The model is there, and so is the optimizer, which has shown
[in a trial](loop.py#Trainer.expected) what it remembers.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor

from labml_nn.printing import printable
from labml_nn.training.checkpoint import (
    CPU,
    Checkpoint,
    CheckpointError,
    random_state,
    try_random_state,
)


class Unfit(ValueError):
    """
    ## What does not fit

    The message names the entry, and says what was found and what was expected.
    """

    def __init__(self, entry: str, found: object, expected: str) -> None:
        super().__init__(f"{entry} is {found}, expected {expected}")


@dataclass(frozen=True)
class Number:
    """
    ## Rules

    A number that may have changed since, from `low` to `high`.
    """

    low: float = -math.inf
    high: float = math.inf
    # Whether it must be a whole one
    whole: bool = False


@dataclass(frozen=True)
class Text:
    """A text of at most this many characters."""

    most: int = 200


@dataclass(frozen=True)
class Many:
    """A list of things of a kind, at least `least` and at most `most` of them."""

    kind: Any
    least: int = 0
    most: int = 1000


@dataclass(frozen=True)
class Maybe:
    """A value that may be missing from a dictionary, or be `None` in a list."""

    kind: Any


@dataclass(frozen=True)
class Switch:
    """True, false, or `None`, which leaves it to PyTorch."""


@dataclass(frozen=True)
class Anything:
    """A value that is looked at later."""


@dataclass(frozen=True)
class Plain:
    """
    A value that JSON knows, of any kind. Of a list, each entry has one `depth` less left for lists
    of its own.
    """

    depth: int = 3


def compare(entry: str, found: Any, expected: Any) -> None:
    """
    ## Comparing

    Compares `found` with what was `expected`: a rule, a tensor of the same kind, a dictionary or a
    list of expectations, or a value that must be the same. Raises `Unfit` for the first difference,
    in the entry `entry` or in one of its own.

    >>> try:
    ...     compare('about', {'side': 16}, {'side': 8})
    ... except Exception as error:
    ...     print(error)
    about.side is 16, expected 8
    """
    match expected:
        case Tensor():
            _compare_tensor(entry, found, expected)
        case Number(low, high, whole):
            kinds = (int,) if whole else (int, float)
            # NaN is not between anything. No number of ours is larger than a seed.
            if type(found) not in kinds or not (
                low <= found <= high and abs(found) < 2.0**65
            ):
                kind = "whole number" if whole else "number"
                limits = f" from {low} to {high}" if low > -math.inf else ""
                raise Unfit(entry, _show(found), f"a {kind}{limits}")
        case Text(most):
            if type(found) is not str or len(found) > most:
                rule = f"a text of at most {most} characters"
                raise Unfit(entry, _show(found), rule)
        case Many(kind, least, most):
            if type(found) is not list or not least <= len(found) <= most:
                rule = f"a list of {least} to {most} entries"
                raise Unfit(entry, _show(found), rule)
            compare(entry, found, [kind] * len(found))
        case Maybe(kind):
            if found is not None:
                compare(entry, found, kind)
        case Plain(depth):
            if type(found) is list and depth:
                compare(entry, found, [Plain(depth - 1)] * len(found))
            elif type(found) in (int, float):
                compare(entry, found, Number())
            elif found is not None and type(found) not in (bool, str):
                raise Unfit(entry, _show(found), "a plain value")
        case Anything():
            pass
        case Switch():
            if found is not None and type(found) is not bool:
                raise Unfit(entry, _show(found), "True, False or None")
        case dict():
            _compare_entries(entry, found, expected)
        case list() | tuple():
            if type(found) is not type(expected) or len(found) != len(expected):
                raise Unfit(entry, _show(found), _show(expected))
            for k, pair in enumerate(zip(found, expected, strict=True)):
                compare(f"{entry}[{k}]", *pair)
        case _:
            if type(found) is not type(expected) or found != expected:
                raise Unfit(entry, _show(found), _show(expected))


def _compare_entries(
    entry: str, found: Any, expected: Mapping[Any, Any]
) -> None:
    if type(found) is not dict:
        raise Unfit(entry, _show(found), _show(expected))
    for key in found:
        if key not in expected:
            known = ", ".join(str(name) for name in list(expected)[:9])
            name = f"{entry}.{printable(key, 60)}"
            raise Unfit(name, "there", f"no others than {known or 'none'}")
    for key, kind in expected.items():
        if key in found:
            kind = kind.kind if isinstance(kind, Maybe) else kind
            compare(f"{entry}.{key}", found[key], kind)
        elif not isinstance(kind, Maybe):
            raise Unfit(f"{entry}.{key}", "missing", _show(kind))


def _compare_tensor(
    entry: str, found: Any, expected: Shaped[Tensor, "..."]
) -> None:
    """The same kind of numbers in the same shape, and all of them numbers."""
    same = type(found) is Tensor and (
        (found.dtype, found.shape, found.layout)
        == (expected.dtype, expected.shape, torch.strided)
    )
    if not same:
        raise Unfit(entry, _show(found), _show(expected))
    if found.dtype.is_floating_point or found.dtype.is_complex:
        if not found.isfinite().all():
            raise Unfit(entry, "not finite everywhere", "finite numbers")
        # A normalization divides by the root of its variance.
        if entry.endswith("running_var") and (found < 0).any():
            raise Unfit(entry, "negative somewhere", "variances")


def _show(value: Any) -> str:
    """What `value` is, in a few words that are safe to print."""
    match value:
        case Tensor():
            kind = str(value.dtype).removeprefix("torch.")
            return f"{kind} of shape {list(value.shape)}"
        case None | bool() | float() | str():
            return printable(repr(value), 60)
        case int():
            return f"{value:d}" if abs(value) < 10**20 else "a huge number"
        case dict() | list() | tuple():
            kind = {"dict": "dictionary"}.get(
                name := type(value).__name__, name
            )
            n = len(value)
            return f"a {kind} of {n} {'entry' if n == 1 else 'entries'}"
        case Number() | Text() | Many() | Switch() | Plain() | Anything():
            return f"a {type(value).__name__.lower()}"
    return f"of the type {printable(type(value).__name__, 60)}"


# The sums of an epoch that is not over
TOTALS = {
    name: Maybe(Number(0)) for name in ("loss", "hits", "images", "seconds")
}

# What a run notes of itself
PROGRESS = {
    "seconds": Number(0),
    "best": Number(-1, 1),
    "valid_accuracy": Maybe(Number(0, 1)),
    "machines": Maybe(Many(Text())),
    # The learning rate of the last step, and the options that were changed on the way
    "learning_rate": Maybe(Number(0)),
    "changes": Maybe(Many(Text())),
    # How many epochs ago the accuracy was the best
    "since_best": Maybe(Number(0, whole=True)),
    # How many images it learns from, their shape and their hash
    "data": Maybe(Text()),
    # The same of the images that it is measured with
    "measured_with": Maybe(Text()),
    # The weights that it began with
    "started_from": Maybe(Text(400)),
    # The sums when the last interval within the epoch ended
    "interval": Maybe(TOTALS),
}

# What PyTorch's `GradScaler` remembers, which keeps gradients in float16 from becoming zero
SCALER = {
    name: Maybe(Number(0))
    for name in (
        "scale",
        "growth_factor",
        "backoff_factor",
        "growth_interval",
        "_growth_tracker",
    )
}

# Bytes in the states of generators on devices
DEVICE_STATES = {"cuda": 16, "mps": 44}

# What a network was made for, where the data itself is not there
ABOUT = {
    "classes": Many(Text(), least=1, most=100_000),
    "channels": Number(1, 1000, whole=True),
    # At each of its pixels a network computes some dozens of numbers.
    "side": Number(1, 1024, whole=True),
}


@dataclass(frozen=True)
class Expected:
    """
    ## What is expected

    The parts of a checkpoint that a run can go on from, or that a model can be filled with.
    """

    # The state dictionary of the model
    model: Mapping[str, Shaped[Tensor, "..."]]
    # That of the optimizer after a step, or `None` if nobody is going to train
    optimizer: Mapping[str, Any] | None = None
    # What the model was made for
    about: Mapping[str, Any] | None = None
    # Where it is going to be trained
    device: torch.device = CPU

    @property
    def room(self) -> int:
        """
        The bytes that a checkpoint may have: those of its tensors, and 16 MB for all else. What is
        larger is not even read. Where weights are averaged there are those of two models.
        """
        tensors = [self.model.values()]
        if self.optimizer is not None:
            tensors.append(self.model.values())
            states = self.optimizer["state"].values()
            tensors += [state.values() for state in states]
        return 2**24 + sum(
            tensor.nbytes
            for group in tensors
            for tensor in group
            if isinstance(tensor, Tensor)
        )

    def compare(self, found: Checkpoint) -> None:
        """Raises `Unfit` if `found` is not what is expected."""
        compare("step", found.step, Number(0, 2**53, whole=True))
        # Each step has seen at least one.
        least, most = found.step, 2**20 * found.step
        compare("images", found.images, Number(least, most, whole=True))
        compare("model", found.model, dict(self.model))
        about = ABOUT if self.about is None else dict(self.about)
        compare("about", found.about, about)
        if self.optimizer is None:
            return
        if found.trained:
            compare("trained", found.trained, dict(self.model))
        expected = _after(found.step, self.optimizer)
        compare("optimizer", found.optimizer, expected)
        # An optimizer changes its tensors in place. Two that share memory would change each other.
        # Only weights that a model uses twice may do so.
        places = _places(found.model, found.optimizer)
        if found.step and places != _places(self.model, self.optimizer):
            shared = f"in {places[1]} places of memory for {places[0]} tensors"
            raise Unfit("memory", shared, "one for each that is another")
        compare("progress", found.progress, PROGRESS)
        # Which of them changed since is for the run to judge, which has the new ones.
        config = {printable(name, 60): Plain() for name in found.config}
        compare("config", found.config, config)
        compare("totals", found.totals, TOTALS)
        compare("scaler", found.scaler, SCALER)
        compare("random", found.random, Many(Anything(), least=1))
        for k, state in enumerate(found.random):
            compare(f"random[{k}]", state, _random_rules(state))
            try:
                try_random_state(state, self.device)
            except (ValueError, RuntimeError, OverflowError) as error:
                reason = f"refused ({printable(error)})"
                raise Unfit(
                    f"random[{k}]", reason, "states of generators"
                ) from error

    def check(self, path: Path, found: Checkpoint) -> None:
        """
        Raises `CheckpointError` if `found`, which was read from `path`, is not what is expected.
        """
        try:
            self.compare(found)
        except Unfit as error:
            raise CheckpointError(
                f"{path} does not fit the model: {error}. Leave out options "
                "that change the network or the optimizer, or start anew with "
                "another --out."
            ) from error


def _after(step: int, optimizer: Mapping[str, Any]) -> dict[str, Any]:
    """
    What is expected of an optimizer after `step` steps. Before the first one it remembers nothing.
    Numbers may have changed, such as a learning rate; which parameters belong together may not.
    """
    groups = [
        {
            name: value if name == "params" else _rule(value)
            for name, value in group.items()
        }
        for group in optimizer["param_groups"]
    ]
    state = {
        key: {name: _rule(value) for name, value in values.items()}
        for key, values in optimizer["state"].items()
    }
    if step == 0:
        # The first step notes in each group where its rate began.
        for group in groups:
            if "initial_lr" in group:
                group["initial_lr"] = Maybe(group["initial_lr"])
    return {"state": state if step else {}, "param_groups": groups}


def _rule(value: Any) -> Any:
    match value:
        case bool() | None:
            return Switch()
        case int() | float():
            return Number()
        case tuple() | list():
            return type(value)(map(_rule, value))
    return value


def _places(
    model: Mapping[str, Any], optimizer: Mapping[str, Any] | None
) -> tuple[int, int]:
    """How many tensors there are, and in how many places of memory they lie."""
    values = list(model.values())
    for state in (optimizer or {"state": {}})["state"].values():
        values += state.values()
    tensors = [value for value in values if isinstance(value, Tensor)]
    full = [tensor for tensor in tensors if tensor.numel()]
    return len(tensors), len({t.untyped_storage().data_ptr() for t in full})


def _random_rules(state: Any) -> dict[str, Any]:
    """
    The states of generators are full of numbers that mean nothing by themselves. That of a device
    may be in `state` or not, and the device another one than ours.
    """
    rules = random_state()
    kind, keys, *_ = rules["numpy"]
    version, internal, _ = rules["python"]
    place = Number(0, len(internal) - 1, whole=True)
    device = None
    match state:
        case {"device": [str(name), _]} if name in DEVICE_STATES:
            size = DEVICE_STATES[name]
            device = [name, torch.zeros(size, dtype=torch.uint8)]
    return {
        "torch": rules["torch"],
        "device": device,
        "numpy": [kind, keys, place, Number(0, 1, whole=True), Number()],
        "python": [version, internal, Maybe(Number())],
    }
