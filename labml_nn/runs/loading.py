r"""
---
title: Loading a trained network
summary:
  Finds the experiment that the folder of a run names, and builds its network with the weights of a
  checkpoint.
---

# Loading a trained network

For whoever uses the network of a run: [predictions](../resnet/predict.py),
[measuring](evaluate.py) and [exports](../training/export.py).
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from labml_nn.data import ImageData
from labml_nn.printing import printable
from labml_nn.runs.command import Experiment
from labml_nn.runs.config import check_limits
from labml_nn.runs.files import RunFailed, load_config, load_module
from labml_nn.training.checkpoint import CheckpointError, CheckpointFolder, load
from labml_nn.training.verify import ABOUT, Expected, Unfit, compare


def find_experiment(module: str, trusted: str | None = None) -> Experiment[Any]:
    """The experiment in `module`, which the folder of a run names.

    A folder may come from somebody else, and to import a module is to run it. So only modules of
    this package are imported, and the one that the user names as `trusted`. Raises `RunFailed` for
    others, and if there is no experiment.

    What a module of others raises when it is imported stays what it is.
    """
    if trusted not in (None, module):
        raise RunFailed(
            f"this is a run of {printable(module)}, not of {printable(trusted)}"
        )
    if trusted is None and not module.startswith("labml_nn."):
        raise RunFailed(
            f"{printable(module)} is not a module of labml_nn; if you trust "
            f"it, add: --module {printable(module)}"
        )
    try:
        found = getattr(importlib.import_module(module), "EXPERIMENT", None)
    except (ModuleNotFoundError, ValueError) as error:
        if isinstance(error, ModuleNotFoundError) and not (
            f"{module}.".startswith(f"{error.name}.")
        ):
            # It is there, but something that it needs is not.
            raise
        raise RunFailed(f"there is no module {printable(module)}") from error
    if not isinstance(found, Experiment):
        raise RunFailed(f"{printable(module)} has no EXPERIMENT")
    return found


def load_model(
    folder: Path, trusted: str | None = None
) -> tuple[nn.Module, tuple[str, ...], int, int]:
    """The trained network of a run, from a checkpoint alone.

    Returns the network of the run in `folder`, with the weights that were best on the images held
    out, or the last weights if nothing was held out; the names of its classes; and the number of
    channels and the side of its images. `trusted` is the module of the run, if that is one of your
    own. Raises `RunFailed` or `CheckpointError` if there is no such run.
    """
    module = load_module(folder)
    experiment = find_experiment(module, trusted)
    _, _, config = load_config(folder, {module: experiment.config})
    check_limits(config)
    checkpoints = CheckpointFolder(folder / "checkpoints", keep=1)
    path = checkpoints.best
    if path.exists():
        checkpoint = load(path)
    else:
        checkpoint = checkpoints.load_last()
        path = checkpoints.path(checkpoint.step)
    try:
        compare("about", checkpoint.about, ABOUT)
        classes = tuple(checkpoint.about["classes"])
        channels, side = checkpoint.about["channels"], checkpoint.about["side"]
        if channels not in (1, 3):
            raise Unfit("about.channels", channels, "1 or 3")
        # What the network knows of the data it was trained on comes with the weights, so any image
        # of the same size will do to build it.
        anything = ImageData(
            torch.randint(256, (1, channels, side, side)).byte(),
            torch.zeros(1, dtype=torch.int64),
            classes,
        )
        pixels = anything.images.numel()
        with Room(2**24 + 64 * pixels + path.stat().st_size):
            model = config.build(anything)
        weights = model.state_dict()
        Expected(weights).compare(checkpoint)
        weights.update(checkpoint.model)
        model.load_state_dict(weights)
    except Exception as error:
        raise CheckpointError(
            f"{path} does not fit the network of {folder}/config.json: "
            f"{printable(str(error) or repr(error), 300)}. Pass the folder of "
            "a run as it was written."
        ) from error
    return model.eval(), classes, channels, side


class Room(TorchFunctionMode):
    """Not more tensors than there are weights.

    The configuration says how large the network is, in a few bytes that anybody can change. Inside
    of this context, tensors may have `left` bytes together, and whatever would have more is refused
    before its memory is used: the system only hands it out when something is written there.
    """

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left
        self.seen: set[int] = set()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """PyTorch calls this in place of each of its functions, here `func`."""
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor):
            memory = made.untyped_storage()
            if memory.data_ptr() not in self.seen:
                self.seen.add(memory.data_ptr())
                self.left -= memory.nbytes()
            if self.left < 0:
                raise Unfit(
                    "the network", "larger than that", "as many weights"
                )
        return made
