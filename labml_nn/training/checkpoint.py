r"""
---
title: Checkpoints
summary:
  Saving everything a training run needs to go on exactly where it stopped, so that a crash at any
  moment loses nothing but the steps since the last save.
---

# Checkpoints

A run can end at any moment: a key is pressed, a cluster wants its machine back, the power fails.
What it has learned must not be lost. So every so often its whole state is written to a file:
the weights, what the optimizer remembers, the step, and the state of the random number generators.
Who continues from it gets the same weights in the end as if nothing had happened.
"""

import os
import random
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor


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

    # How many steps have been taken
    step: int
    # The state dictionaries of the model and of the optimizer
    model: dict[str, Shaped[Tensor, "..."]]
    optimizer: dict[str, Any]
    # The configuration of the run, as plain values, to build the same model from
    config: dict[str, Any]
    # What the model was made for: the names of the classes, the channels and the side of the images
    about: dict[str, Any]
    # What the run has measured so far: accuracies, losses, seconds
    progress: dict[str, Any]
    # The states of the random number generators
    random: dict[str, Any]


def random_state() -> dict[str, Any]:
    """
    The states of the generators that a model might draw from: PyTorch's on the CPU and on every
    CUDA device, NumPy's and Python's. Our own data needs none of them, but a layer such as dropout
    does.
    """
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    version, internal, next_gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all()
        if torch.cuda.is_available()
        else [],
        "numpy": [
            kind,
            torch.from_numpy(np.asarray(keys).copy()),
            position,
            has_gauss,
            gauss,
        ],
        "python": [version, list(internal), next_gauss],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """
    Puts the generators back into a `state` that `random_state` returned. Those of CUDA devices are
    left alone if their number has changed.
    """
    torch.set_rng_state(state["torch"])
    if len(state["cuda"]) == torch.cuda.device_count() > 0:
        torch.cuda.set_rng_state_all(state["cuda"])
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, keys.numpy(), position, has_gauss, gauss))
    version, internal, next_gauss = state["python"]
    random.setstate((version, tuple(internal), next_gauss))


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
        with temporary.open("wb") as file:
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


def load(path: Path, device: torch.device | str = "cpu") -> Checkpoint:
    """
    ## Loading

    Reads the checkpoint at `path`, its tensors straight to `device`. A file that is not ours cannot
    run any program: `weights_only=True` refuses everything but tensors and plain values. Raises
    `CheckpointError` if it cannot be read.
    """
    try:
        # The file is a zip archive with a checksum for each tensor. PyTorch writes them but does
        # not compare them, and a damaged weight would be just another number.
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise ValueError(f"the checksum of {damaged} is wrong")
        values = torch.load(path, map_location=device, weights_only=True)
        return Checkpoint(**values)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path} does not exist. Pass the folder of a run that has one."
        ) from error
    except Exception as error:
        # What PyTorch raises here depends on where the file is damaged: errors of pickle, of zip
        # files, of keys and of types.
        raise CheckpointError(
            f"{path} is no checkpoint of ours, or it is damaged: {error}\n"
            "Remove it, and the one before it is taken."
        ) from error


class CheckpointFolder:
    """
    ## The checkpoints of a run

    The last `keep` ones and the best are kept, older ones are removed.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        if keep < 1:
            raise ValueError(f"keep must be at least 1, got {keep}")
        self.folder = folder
        self.keep = keep

    def paths(self) -> list[Path]:
        """The checkpoints that are there, oldest first."""
        return sorted(self.folder.glob("step-*.pt"))

    @property
    def best(self) -> Path:
        """The one with the best accuracy on the images held out."""
        return self.folder / "best.pt"

    def save(self, checkpoint: Checkpoint, *, is_best: bool = False) -> Path:
        """
        Saves `checkpoint`, if it `is_best` also as the best one, and removes those that are too
        many, in this order. Returns its path.
        """
        # Zeros in front keep the order of the names that of the steps.
        path = self.folder / f"step-{checkpoint.step:08d}.pt"
        save(checkpoint, path)
        if is_best:
            save(checkpoint, self.best)
        for old in self.paths()[: -self.keep]:
            old.unlink()
        return path

    def load_last(self, device: torch.device | str = "cpu") -> Checkpoint:
        """
        Loads the last checkpoint that can be read, to `device`. A damaged one is passed over with a
        warning, in favour of the one before it. Raises `CheckpointError` if there is none.
        """
        reasons = []
        for path in reversed(self.paths()):
            try:
                found = load(path, device)
            except CheckpointError as error:
                reasons.append(str(error))
                continue
            if reasons:
                warnings.warn(
                    "\n".join([*reasons, f"Going on from {path}."]),
                    stacklevel=2,
                )
            return found
        raise CheckpointError(
            "\n".join(reasons)
            or f"{self.folder} holds no checkpoint. Pass the folder of a run."
        )
