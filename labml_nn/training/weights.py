r"""
---
title: Starting from weights
summary:
  Beginning a run with what another network has learned. Which weights are taken, why the last layer
  is often not among them, and what is checked before.
---

# Starting from weights

A network that begins with random weights first has to find out what an edge is. A few hundred
pictures are hardly enough for that, and another network has found it out already. So one takes its
weights, and goes on from there with pictures of one's own. This is called *transfer learning* or
*fine-tuning*, and it is the reason why weights are published at all.

What is taken over is everything but what cannot fit. A network for a thousand classes ends with a
layer that has a thousand outputs, one's own has three. No two of them mean the same, so this layer,
the *head*, begins anew. All others are the same whatever the classes are.

The mean and the standard deviation that [pixels are normalized with](loop.py#Normalize) are taken
over too, although the new pictures have others. The first layer has learned what to do with numbers
that were made in this way, and would see everything darker or paler otherwise.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from labml_nn.printing import printable
from labml_nn.training import unpack
from labml_nn.training.checkpoint import CheckpointError, CheckpointFolder, load

Weights = Mapping[str, Shaped[Tensor, "..."]]


def find_weights(source: Path) -> Weights:
    """
    ## Finding them

    Returns the weights by name that `source` holds: the folder of a run, whose best checkpoint is
    taken or, if there is none, the last; a checkpoint; or a file of weights alone, as `torch.save`
    or safetensors writes it. Raises `CheckpointError` if it cannot be read.
    """
    if source.is_dir():
        checkpoints = CheckpointFolder(source / "checkpoints", keep=1)
        if checkpoints.best.exists():
            return load(checkpoints.best).model
        return checkpoints.load_last().model
    try:
        values = read_weights(source)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{printable(source)} does not exist. Pass the folder of a run, or "
            "a file of weights."
        ) from error
    except Exception as error:
        reason = printable(str(error) or repr(error), 1000)
        raise CheckpointError(
            f"{printable(source)} cannot be read: {reason}"
        ) from error
    if isinstance(values, dict) and {"model", "about"} <= values.keys():
        values = values["model"]
    return check_weights(source, values)


def check_weights(source: Path, values: Any) -> Weights:
    """
    Returns the `values` that were read from `source` if they are tensors by name, and raises
    `CheckpointError` otherwise.
    """
    if not isinstance(values, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor)
        for key, value in values.items()
    ):
        received = type(values).__name__
        if isinstance(values, dict):
            received = ", ".join(
                f"{printable(key, 40)}: {type(value).__name__}"
                for key, value in list(values.items())[:3]
            )
        raise CheckpointError(
            f"{source} must hold tensors by name, got {received}"
        )
    return values


def read_weights(path: Path) -> Any:
    """
    ## Reading a file

    Returns what the file at `path` holds. No program in it can run. Files of PyTorch are archives
    today, which [we read](unpack.py) without trust. Older ones are in a format that only PyTorch
    knows, and all but tensors and plain values is refused. Files whose names end in `.safetensors`
    hold nothing but numbers; to read them takes the package of that name. Raises `ValueError` for
    tensors that are not plain ones in memory, or whose numbers are not finite.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is not a regular file")
    if path.suffix == ".safetensors":
        try:
            from safetensors.torch import load_file
        except ImportError as error:
            raise ValueError(
                "to read it takes a package: pip install safetensors"
            ) from error
        state: Any = load_file(path)
    elif zipfile.is_zipfile(path):
        state = unpack.read(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    tensors = state.items() if isinstance(state, dict) else ()
    for key, tensor in tensors:
        if not isinstance(tensor, Tensor):
            continue
        is_plain = (
            tensor.layout == torch.strided
            and tensor.device.type == "cpu"
            and not tensor.is_quantized
            and not tensor.is_nested
        )
        # With a stride of 0 a single number has any shape.
        if not is_plain or tensor.nbytes > tensor.untyped_storage().nbytes():
            raise ValueError(
                f"{key} is not a plain tensor with all of its numbers"
            )
        if not tensor.isfinite().all():
            raise ValueError(f"{key} is not finite everywhere")
    return state


def start_from(weights: Weights, model: nn.Module, source: object) -> list[str]:
    """
    ## Taking them over

    Fills `model` with `weights`, which came from `source`. If the last layer has another number of
    outputs, it keeps the random weights that it has. Returns the names of what was left out.

    All other weights must have the same names and shapes, or `CheckpointError` is raised and says
    which do not. One could leave out whatever does not fit, and some programs do. Then a wrong file
    is hardly noticed: nothing of it fits, nothing is taken, and the training only takes longer.
    """
    expected = model.state_dict()
    head = list(dict(model.named_parameters()))[-1].rpartition(".")[0]
    found = {key: weights[key] for key in weights if not _is_count(key)}
    wanted = {key: expected[key] for key in expected if not _is_count(key)}
    new = [
        key
        for key in wanted
        if key.rpartition(".")[0] == head
        and key in found
        and found[key].shape != wanted[key].shape
        and found[key].shape[1:] == wanted[key].shape[1:]
    ]
    # The bias of a layer is not left out alone.
    if new:
        new = [key for key in wanted if key.rpartition(".")[0] == head]
    lines = [
        f"{printable(key, 60)}: {_show(found.get(key))} in the file, "
        f"{_show(wanted.get(key))} in the network"
        for key in {**wanted, **found}
        if key not in new and _show(found.get(key)) != _show(wanted.get(key))
    ]
    if lines:
        raise CheckpointError(
            f"{printable(source)} does not fit the network. Differences "
            f"({len(lines)}):\n  "
            + "\n  ".join(lines[:9])
            + "\nChoose the network that the weights were made for."
        )
    for key, value in found.items():
        if not value.isfinite().all():
            raise CheckpointError(
                f"{printable(source)} cannot be used: {printable(key, 60)} is "
                "not finite everywhere"
            )
    taken = {key: found[key] for key in wanted if key not in new}
    model.load_state_dict({**expected, **taken})
    return new


def _is_count(key: str) -> bool:
    """
    How many batches a normalization has seen makes no difference here, and files from before
    PyTorch 0.4.1 do not say it.
    """
    return key.endswith("num_batches_tracked")


def _show(tensor: Shaped[Tensor, "..."] | None) -> str:
    return "nothing" if tensor is None else str(list(tensor.shape))
