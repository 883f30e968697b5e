r"""
---
title: Checkpoints
summary:
  Saving everything a training run needs to go on exactly where it stopped, so that a crash at any
  moment loses nothing but the steps since the last save.
hook: A crash loses only the steps since the last save.
---

# Checkpoints

A run can end at any moment: a key is pressed, a cluster wants its machine back, the power fails.
What it has learned must not be lost. So every so often its whole state is written to a file: the
weights, what the optimizer remembers, the step, and the state of the random number generators. A
run resumed [on the same machine](loop.py#Loop.resume) ends with the same weights as if nothing had
happened.

When that is done is for the [loop](loop.py#Loop.run) to decide. This page is about the files: what
is in them, and why they are whole.
"""

import os
import random
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from labml_nn.data import DRAWS
from labml_nn.printing import printable, printable_lines
from labml_nn.training import unpack

CPU = torch.device("cpu")


class CheckpointError(Exception):
    """
    ## When a checkpoint cannot be used

    The message names the file and the way out.
    """


@dataclass(frozen=True)
class Checkpoint:
    """
    ## What is saved
    """

    # How many steps have been taken, and how many images they have seen
    step: int
    images: int
    # The state dictionaries of the model to predict with and of the optimizer
    model: dict[str, Shaped[Tensor, "..."]]
    optimizer: dict[str, Any]
    # The configuration of the run, as plain values, to build the same model from
    config: dict[str, Any]
    # What the model was made for: the names of the classes, the channels and the side of the images
    about: dict[str, Any]
    # What the run has measured so far: accuracies, losses, seconds
    progress: dict[str, Any]
    # The states of the random number generators, a dictionary for each process
    random: list[dict[str, Any]]
    # The sums of the epoch that is not over yet
    totals: dict[str, float] = field(default_factory=dict)
    # What makes gradients in float16 larger; empty with any other precision
    scaler: dict[str, Any] = field(default_factory=dict)
    # The model to go on from, where the other one is an [average](extras.py#AveragedModel)
    trained: dict[str, Shaped[Tensor, "..."]] = field(default_factory=dict)
    # Which version of [the draws](../data/__init__.py#random_generator) the run began with; before
    # there were versions, it was the first
    draws: int = 1


def random_state(device: torch.device = CPU) -> dict[str, Any]:
    """
    The states of the generators that a model might draw from: PyTorch's on the CPU and on this
    `device`, NumPy's and Python's. Our own data needs none of them, but a layer such as dropout
    does.
    """
    on_device = None
    if device.type != "cpu":
        state = torch.get_device_module(device).get_rng_state()
        on_device = [device.type, state]
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    version, internal, next_gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "device": on_device,
        "numpy": [
            kind,
            torch.from_numpy(np.asarray(keys).copy()),
            position,
            has_gauss,
            gauss,
        ],
        "python": [version, torch.tensor(internal), next_gauss],
    }


def set_random_state(state: dict[str, Any], device: torch.device = CPU) -> None:
    """
    Puts the generators back into a `state` that `random_state` returned. That of `device` is left
    alone if the state comes from another kind of device.
    """
    torch.set_rng_state(state["torch"])
    match state["device"]:
        case [device.type, Tensor() as on_device]:
            # Even this state has to lie in the memory of the CPU.
            torch.get_device_module(device).set_rng_state(on_device.cpu())
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, keys.numpy(), position, has_gauss, gauss))
    version, internal, next_gauss = state["python"]
    random.setstate((version, tuple(internal.tolist()), next_gauss))


def try_random_state(state: dict[str, Any], device: torch.device = CPU) -> None:
    """
    Puts the generators, also that of `device`, into `state`, and then back into their own. Raises
    `RuntimeError`, `ValueError` or `OverflowError` if one of them refuses.
    """
    before = random_state(device)
    try:
        set_random_state(state, device)
    finally:
        set_random_state(before, device)


def save(checkpoint: Checkpoint, path: Path) -> None:
    """
    ## Saving

    Writes `checkpoint` so that the file at `path` is always a whole one, the old or the new,
    whenever the process is killed. Raises `CheckpointError` if the disk is full; the old file
    stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as file:
            torch.save(vars(checkpoint), file)
            # The new file must be on the disk before it takes the place of the old one. Otherwise a
            # power failure could leave an empty file under the right name.
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        # When a file cannot be written, PyTorch raises an error of its own that does not say why.
        # What the system said stands behind it.
        cause: BaseException = error
        while not isinstance(cause, OSError) and cause.__context__:
            cause = cause.__context__
        reason = getattr(cause, "strerror", None) or cause
        raise CheckpointError(
            f"{path} cannot be written: {reason}. Make room on its disk, then "
            "go on with --resume; the checkpoints before it are whole."
        ) from error
    finally:
        if path.parent.is_dir():
            temporary.unlink(missing_ok=True)


def load(path: Path, room: int | None = None) -> Checkpoint:
    """
    ## Loading

    [Reads](unpack.py) the checkpoint at `path`, which may have `room` bytes. Nothing in it can run,
    and it cannot ask for more memory than it has bytes. Raises `CheckpointError` if it cannot be
    read. Its tensors may still be of any shape; that is [compared](verify.py) next.

    All tensors stay on the CPU: the states of the generators have to be there, and weights are
    copied to where the model is.
    """
    try:
        values = unpack.read(path, room)
        names = [field.name for field in fields(Checkpoint)]
        if type(values) is dict:
            values = renew(values)
        if type(values) is not dict or sorted(map(str, values)) != sorted(
            names
        ):
            raise unpack.Refused(f"it must hold {', '.join(names)}")
        for name, value in values.items():
            kind = KINDS.get(name, dict)
            if type(value) is not kind:
                raise unpack.Refused(
                    f"{name} is of the type {type(value).__name__}, "
                    f"expected {kind.__name__}"
                )
        return Checkpoint(**values)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path} does not exist. Pass the folder of a run that has one."
        ) from error
    except Exception as error:
        # What is raised here depends on where the file is damaged: errors of zip files, of keys and
        # of types.
        reason = printable(str(error) or repr(error))
        raise CheckpointError(
            f"{path} is no checkpoint of ours, or it is damaged: {reason}. "
            "Remove it, and the one before it is taken."
        ) from error


def load_optimizer(
    optimizer: torch.optim.Optimizer,
    saved: dict[str, Any],
    expected: dict[int, dict[str, Any]],
) -> None:
    """
    ### What the optimizer remembers

    Fills `optimizer` with what it remembered when it was `saved`. Its rates and all other settings
    stay those that it was made with: who goes on with another learning rate wants to see it used.

    The numbers are copied into tensors like those that it is `expected` to have, which lie in
    memory as the weights do now. Fused optimizers walk through both at the same pace, and would
    confuse one layout with another.
    """
    state: dict[int, dict[str, Any]] = {}
    for key, values in saved["state"].items():
        state[key] = {
            name: expected[key][name].copy_(value)
            if isinstance(value, Tensor)
            else value
            for name, value in values.items()
        }
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


# Of what type the entries are that are no dictionaries
KINDS = {"step": int, "images": int, "draws": int, "random": list}


def renew(values: dict[str, Any]) -> dict[str, Any]:
    """
    ### Older checkpoints

    Returns `values` of a checkpoint with what earlier versions of this code did not write. The
    draws had no version then. A batch had the same size throughout, and only the first process
    saved its generators, with numbers in a list. The sums of an epoch that was not over are lost.
    """
    states = values.get("random")
    added: dict[str, Any] = {
        "draws": 1,
        "totals": {},
        "scaler": {},
        "trained": {},
    }
    match values:
        case {"step": int(step), "config": {"batch_size": int(batch_size)}}:
            added["images"] = step * batch_size
    if type(states) is dict:
        state = dict(states)
        cuda = state.pop("cuda", [])
        state["device"] = ["cuda", cuda[0]] if cuda else None
        match state.get("python"):
            case [version, list(words), next_gauss]:
                state["python"] = [version, torch.tensor(words), next_gauss]
        values = {**values, "random": [state]}
    return {**added, **values}


def check_draws(last: Checkpoint, folder: Path) -> None:
    """
    Raises `CheckpointError` if the run in `folder`, whose last checkpoint is `last`, began with
    another version of [the draws](../data/__init__.py#random_generator). The order of its images
    and its crops would change in the middle, and no command could repeat the result.
    """
    if last.draws != DRAWS:
        raise CheckpointError(
            f"{folder} was begun with version {last.draws} of the random "
            f"draws (order of images, crops), but this code has version "
            f"{DRAWS}. Going on would mix the two, and no seed could repeat "
            "the result. Finish the run with the code that began it, or start "
            "anew with another --out. Predictions from it still work."
        )


class CheckpointFolder:
    """
    ## The checkpoints of a run

    The last `keep` ones and the best are kept, older ones are removed.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder = folder
        self.keep = keep

    def path(self, step: int) -> Path:
        """Where the checkpoint after this `step` is."""
        return self.folder / f"step-{step:08d}.pt"

    def paths(self) -> list[Path]:
        """The checkpoints that are there, oldest first."""
        found = self.folder.glob("step-*.pt")
        return sorted(found, key=lambda path: (_step_in_name(path), path.name))

    @property
    def best(self) -> Path:
        """The one with the best accuracy on the images held out."""
        return self.folder / "best.pt"

    def save(self, checkpoint: Checkpoint, *, is_best: bool = False) -> Path:
        """
        Saves `checkpoint`, if it `is_best` also as the best one, and removes those that are too
        many, in this order. Returns its path.

        Only older ones are removed. Where a run goes on from an earlier step because the last
        checkpoints are damaged, those have higher numbers than all that it saves from now on.
        """
        path = self.path(checkpoint.step)
        save(checkpoint, path)
        if is_best:
            save(checkpoint, self.best)
        older = [
            old
            for old in self.paths()
            if 0 <= _step_in_name(old) < checkpoint.step and not old.is_dir()
        ]
        too_many = max(len(older) + 1 - self.keep, 0)
        for old in older[:too_many]:
            old.unlink()
        return path

    def load_last(
        self,
        check: Callable[[Path, Checkpoint], None] | None = None,
        room: int | None = None,
    ) -> Checkpoint:
        """
        Loads the last checkpoint that can be read, has at most `room` bytes, and that `check` lets
        pass, which raises `CheckpointError` otherwise. One that is damaged, or does not belong to
        this run, is passed over with a warning, in favor of the one before it. Raises
        `CheckpointError` if there is none.
        """
        reasons = []
        for path in reversed(self.paths()):
            try:
                found = load(path, room)
                if path != self.path(found.step):
                    raise CheckpointError(
                        f"{path} is damaged or renamed: step is {found.step}, "
                        "expected the one in its name. Remove it, and the one "
                        "before it is taken."
                    )
                if check is not None:
                    check(path, found)
            except CheckpointError as error:
                reasons.append(str(error))
                continue
            if reasons:
                warnings.warn(
                    printable_lines(
                        "\n".join([*reasons, f"Going on from {path}."])
                    ),
                    stacklevel=2,
                )
            return found
        raise CheckpointError(
            "\n".join(reasons)
            or f"{self.folder} holds no checkpoint. Pass the folder of a run."
        )


def _step_in_name(path: Path) -> int:
    """The step that the name of a checkpoint tells, or -1 if it is not a name that we give."""
    match = re.fullmatch(r"step-(\d{8,15})\.pt", path.name, re.ASCII)
    return int(match[1]) if match else -1
