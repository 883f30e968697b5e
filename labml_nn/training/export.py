r"""
---
title: Handing a network over
summary:
  Writing a trained network to a file that other programs can run, in three formats, and comparing
  what it yields there with what it yields here.
---

# Handing a network over

A checkpoint is of use to the program that wrote it: it holds weights, and the code of the network
is elsewhere. Who wants to run the network on a phone, in a browser or in a service without Python
needs both in one file.

```shell
python -m labml_nn.training.export runs/fruit --to onnx
```

| `--to` | what is in the file | who reads it |
|---|---|---|
| `onnx` | a graph of standard operations | ONNX Runtime, browsers, phones |
| `torch.export` | a graph of PyTorch's operations | PyTorch, without our code |
| `safetensors` | the weights alone | our code, and tools for weights |

All take bytes of shape `[batch, channels, height, width]` with any size of batch, as the network
itself does. The values to normalize with are inside, so nobody can forget them or use others. The
names of the classes are in the file too.

To write needs packages that training does not:
`pip install onnx onnxruntime onnxscript safetensors`.

## And TorchScript?

`torch.jit.trace` follows these networks as well. `torch.jit.script`, which translates their source
instead, does not get through. It translates all properties of a module, and the `Module` of labml
has one that tells the device by trying whether there are weights; TorchScript has no `try`. PyTorch
has declared TorchScript deprecated in favor of `torch.export`, so that is what is written here.
"""

import copy
import io
import json
import logging
import math
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from labml_nn.printing import printable

# How the files are called
SUFFIXES = {
    "onnx": ".onnx",
    "torch.export": ".pt2",
    "safetensors": ".safetensors",
}

# The largest difference of a logit that rounding explains, as a part of the largest logit
TOLERANCE = 1e-4


class ExportError(Exception):
    """
    ## When a network cannot be written

    The message says why, and what to do.
    """


def export(
    model: nn.Module,
    images: UInt8[Tensor, "batch channels height width"],
    classes: Sequence[str],
    path: Path,
    to: str,
) -> float:
    """
    ## Writing and comparing

    * `model` takes bytes and returns logits
    * `images` are some that it might be shown, of shape `[batch, channels, height, width]`. At
      least two: a network that was followed with a single image may have noted that there is one
    * `classes` are the names of its classes
    * `path` is the file to write. It is the whole one, the old or the new, at any time
    * `to` is `onnx`, `torch.export` or `safetensors`

    The file is read again before it gets its name, by another program where there is one, and is
    asked for the logits of these images and of the first alone. Returns the largest difference from
    those of `model`. Raises `ExportError` if that is more than rounding, if a package is missing,
    or if the file cannot be written.
    """
    if to not in WRITERS:
        known = ", ".join(WRITERS)
        raise ExportError(f"--to must be one of {known}, got {printable(to)}")
    model = model.cpu().float().eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings(), torch.no_grad():
            # The exporters warn of their own parts that will change.
            warnings.simplefilter("ignore")
            run = WRITERS[to](model, images, list(classes), temporary)
            found = [
                largest_difference(model(some), run(some))
                for some in (images, images[:1])
            ]
        # One that is not a number is not the largest, but not right either.
        difference = sum(found) if any(map(math.isnan, found)) else max(found)
        if not difference <= TOLERANCE:
            raise ExportError(
                f"the file yields other logits than the network, by up to "
                f"{difference:.2g} of the largest; it was not kept"
            )
        os.replace(temporary, path)
    except ImportError as error:
        raise ExportError(
            f"{error.name} is missing, which --to {to} needs: pip install "
            "onnx onnxruntime onnxscript safetensors"
        ) from error
    except OSError as error:
        raise ExportError(
            f"{printable(path)} cannot be written: {error.strerror or error}"
        ) from error
    finally:
        if path.parent.is_dir():
            temporary.unlink(missing_ok=True)
    return difference


def largest_difference(
    here: Float[Tensor, "batch n_classes"],
    there: Float[Tensor, "batch n_classes"],
) -> float:
    """
    Returns the largest difference of logits of the network `here` and of the file `there`, as a
    part of the largest of all, or of 1 if all are smaller.
    """
    scale = here.abs().max().clamp(min=1)
    return float((here - there).abs().max() / scale)


Run = Callable[
    [UInt8[Tensor, "batch channels height width"]],
    Float[Tensor, "batch n_classes"],
]


def write_onnx(
    model: nn.Module,
    images: UInt8[Tensor, "batch channels height width"],
    classes: list[str],
    path: Path,
) -> Run:
    """
    ## ONNX

    PyTorch follows the `model` while it looks at `images`, and writes down what it does in the
    operations of ONNX. That goes to `path`, with the names of the `classes`. Whether the operations
    mean the same to others is only known when another program has run them: ONNX Runtime, if it is
    installed, or else the reference implementation of the standard, which is slow and exact.
    """
    import onnx
    import onnxscript  # noqa: F401 -- PyTorch's exporter needs it, and says so less clearly

    # It tells of its progress, and of packages that it would also know.
    logging.disable(logging.WARNING)
    with ExitStack() as stack:
        stack.callback(logging.disable, logging.NOTSET)
        stack.enter_context(redirect_stdout(io.StringIO()))
        program = torch.onnx.export(
            model,
            (images,),
            dynamo=True,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            verbose=False,
        )
    assert program is not None
    graph = program.model_proto
    onnx.helper.set_model_props(graph, {"classes": json.dumps(classes)})
    onnx.save_model(graph, path)
    onnx.checker.check_model(path, full_check=True)
    try:
        import onnxruntime
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        session: Any = ReferenceEvaluator(onnx.load(path))
    else:
        session = onnxruntime.InferenceSession(
            path, providers=["CPUExecutionProvider"]
        )

    def run(
        images: UInt8[Tensor, "batch channels height width"],
    ) -> Float[Tensor, "batch n_classes"]:
        (logits,) = session.run(["logits"], {"images": images.numpy()})
        return torch.from_numpy(logits)

    return run


def write_torch(
    model: nn.Module,
    images: UInt8[Tensor, "batch channels height width"],
    classes: list[str],
    path: Path,
) -> Run:
    """
    ## PyTorch's own graph

    `torch.export` follows the `model` in the same way while it looks at `images`, and keeps
    PyTorch's operations. The `classes` are in a file inside the file. It can be read without the
    code of the network: `torch.export.load(path).module()`.
    """
    program = torch.export.export(
        model, (images,), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )
    with path.open("wb") as file:
        torch.export.save(
            program, file, extra_files={"classes.json": json.dumps(classes)}
        )
    data = io.BytesIO(path.read_bytes())
    loaded: Any = torch.export.load(data).module()
    return lambda images: loaded(images)


def write_weights(
    model: nn.Module,
    images: UInt8[Tensor, "batch channels height width"],
    classes: list[str],
    path: Path,
) -> Run:
    """
    ## The weights alone

    Numbers under their names go to `path`, the `classes` beside them, and nothing that could run.
    With the code of the network, `model.load_state_dict` takes what is read from the file. That is
    what is done here, with a copy of the `model`, to which `images` will be shown.
    """
    from safetensors.torch import load, save

    # Weights that share memory are written once for each of their names.
    state = {
        name: value.clone().contiguous()
        for name, value in model.state_dict().items()
    }
    path.write_bytes(save(state, {"classes": json.dumps(classes)}))
    other = copy.deepcopy(model)
    for value in (*other.parameters(), *other.buffers()):
        value.zero_()
    other.load_state_dict(load(path.read_bytes()))
    return other


Writer = Callable[
    [nn.Module, UInt8[Tensor, "batch channels height width"], list[str], Path],
    Run,
]

WRITERS: Mapping[str, Writer] = {
    "onnx": write_onnx,
    "torch.export": write_torch,
    "safetensors": write_weights,
}


if __name__ == "__main__":
    # To find the network of a run is the business of `runs`, which is built upon this package. So
    # this is only another name for its command.
    import runpy

    sys.argv[1:1] = ["export"]
    runpy.run_module("labml_nn.runs", run_name="__main__", alter_sys=False)
