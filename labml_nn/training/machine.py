r"""
---
title: The machine
summary:
  Choosing device, precision and memory layout, and letting several processes share the work of one
  training run.
---

# The machine

What a run computes should not depend on where it runs; how fast it does depends on little else. All
choices about the machine are made here, so that the [training loop](__init__.py) can ignore them.
"""

import contextlib
import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn

Precision = Literal["auto", "float32", "bfloat16"]

# How long a process waits for the others, longer than any step or measurement takes
PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True)
class Machine:
    """
    ## One process and its device
    """

    device: torch.device
    # Whether convolutions and matrix products are computed in bfloat16
    bfloat16: bool = False
    # Whether the channels of a pixel lie side by side in memory
    channels_last: bool = True
    # Whether the model is translated to kernels of its own by `torch.compile`
    compile: bool = False
    # Whether normalizations use the statistics of all processes
    sync_bn: bool = False
    # The number of this process, and how many there are
    rank: int = 0
    world: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes files and talks to the user."""
        return self.rank == 0

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """
        ### Mixed precision

        Inside of this context, convolutions and matrix products use bfloat16: numbers of 16 bits
        with the range of 32-bit ones, but only two to three digits. The weights stay in single
        precision. It halves the memory traffic and uses the fast units that processors have for it.
        The range is why gradients need no scaling, unlike in float16.
        """
        if not self.bfloat16:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def prepare(self, model: nn.Module) -> nn.Module:
        r"""
        ### Preparing a model

        Moves `model` to the device and wraps it for several processes.

        With several processes, each has a copy of the model and works on a part of the batch;
        `DistributedDataParallel` averages their gradients, so that all copies take the same step.
        Batch normalization is the exception: its means are those of the part that a process sees.
        With a batch of 128 on four GPUs these are the means of 32 images, noisier than those of
        128. `sync_bn` exchanges them in each layer, which is exact and costs time. It works on CUDA
        devices only.
        """
        layout = (
            torch.channels_last
            if self.channels_last
            else torch.contiguous_format
        )
        model.to(self.device)
        model.to(memory_format=layout)  # type: ignore[call-overload]
        prepared = model
        if self.world > 1:
            if self.sync_bn:
                convert = nn.SyncBatchNorm.convert_sync_batchnorm
                prepared = convert(prepared)  # type: ignore[no-untyped-call]
            ids = [self.device.index] if self.device.type == "cuda" else None
            prepared = nn.parallel.DistributedDataParallel(
                prepared, device_ids=ids, broadcast_buffers=False
            )
        if self.compile:
            prepared.compile()
        return prepared

    def share(self, n: int) -> slice:
        """
        ### Sharing

        The part of `n` things that is this process's. The parts differ by one at most.

        >>> [Machine(torch.device('cpu'), rank=r, world=3).share(8) for r in range(3)]
        [slice(0, 2, None), slice(2, 5, None), slice(5, 8, None)]
        """
        return slice(
            n * self.rank // self.world, n * (self.rank + 1) // self.world
        )

    def sum(self, values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """The sum of `values` over all processes, of the same shape."""
        if self.world > 1:
            distributed.all_reduce(values)
        return values

    def any(self, value: bool) -> bool:
        """Whether `value` is true in any process."""
        flag = torch.tensor(float(value), device=self.device)
        return bool(self.sum(flag) > 0)

    def describe(self) -> str:
        """The device as a reader of the results knows it."""
        if self.device.type == "cuda":
            name = torch.cuda.get_device_name(self.device)
        else:
            threads = torch.get_num_threads()
            plural = "s" if threads > 1 else ""
            name = f"{_processor()}, {threads} thread{plural}"
        return f"{self.world} × {name}" if self.world > 1 else name


def _processor() -> str:
    """The name of the processor, from Linux if it tells, else from Python."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def find_machine(
    device: str = "auto",
    precision: Precision = "auto",
    channels_last: bool = True,
    compile: bool = False,
    sync_bn: bool = False,
) -> Machine:
    """
    ## Finding out

    * `device` is `auto`, `cpu`, `mps`, `cuda` or `cuda:1`; `auto` takes the best there is
    * `precision` is `auto`, `float32` or `bfloat16`; `auto` takes bfloat16 where the device has
      units for it. On a CPU without them it would be several times slower than float32
    * `channels_last`, `compile` and `sync_bn` are those of `Machine`

    Raises `ValueError` if there is no such device, or if `sync_bn` is asked of one that is not
    CUDA.
    """
    rank = int(os.environ.get("RANK", 0))
    world = int(os.environ.get("WORLD_SIZE", 1))
    if device == "auto":
        if torch.cuda.is_available():
            device = "cuda"
        else:
            device = "mps" if torch.backends.mps.is_available() else "cpu"
    if device == "cuda":
        # `torchrun` starts one process for each GPU and tells it which.
        device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    try:
        found = torch.device(device)
        torch.zeros(1, device=found)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"the device {device!r} is not there ({error}); "
            "use auto, cpu, mps, cuda or cuda:N"
        ) from error
    if sync_bn and found.type != "cuda":
        raise ValueError(
            f"--sync-bn works on CUDA devices only, got {device!r}; leave it out"
        )
    bfloat16 = precision == "bfloat16" or (
        precision == "auto" and _has_bfloat16(found)
    )
    return Machine(
        found, bfloat16, channels_last, compile, sync_bn, rank, world
    )


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        supported: bool = torch.ops.mkldnn._is_mkldnn_bf16_supported()
        return supported
    return False


def keep_memory() -> bool:
    """
    ## Keeping memory

    The outputs of all layers are kept until their gradients are computed. Then their memory is
    free, and the next step needs just as much of it. On a GPU, PyTorch keeps it at hand. On a CPU
    it leaves that to the C library, and the one of Linux, glibc, gives large pieces back to the
    system at once, only to ask for new ones a moment later. The system fills those with zeros, page
    after page of 4 kB, each when it is first touched. In
    [ResNet-20](../resnet/__init__.py#cifar_resnet), the output of one layer of the first stage, for
    256 images in bfloat16, has 2,048 pages.

    Here we tell glibc to keep what it has. The process never shrinks then, which is no loss while
    it trains. What it gains is [measured](../../docs/guide/speed.md#a-step). Returns whether it
    could be done: other C libraries do not know of this.
    """
    if sys.platform != "linux":
        return False
    c_library = ctypes.CDLL(None)
    if not hasattr(c_library, "mallopt"):
        return False
    # The numbers of the two settings are in glibc's `malloc.h`: above which size a piece gets pages
    # of its own from the system, and how much free memory may lie at the end of the others. Old
    # versions refuse to keep pieces of more than 32 MB.
    own_pages, free_at_the_end = -3, -1
    kept = any(
        c_library.mallopt(own_pages, size) for size in (2**31 - 1, 2**25)
    )
    return kept and bool(c_library.mallopt(free_at_the_end, 2**31 - 1))


class PeerLost(Exception):
    """
    ## When another process is lost

    The message says how to go on.
    """


@contextlib.contextmanager
def process_group(machine: Machine) -> Iterator[None]:
    """
    ## Joining the other processes

    Started by `torchrun`, a process finds in its environment who the others are. Which way they
    talk depends on the device of `machine`: NCCL connects GPUs, gloo everything else. Alone, there
    is nobody to join.

    No process can go on without the others. Raises `PeerLost` if one of them dies, or if one is not
    heard of for ten minutes.
    """
    if machine.world == 1:
        yield
        return
    backend = "nccl" if machine.device.type == "cuda" else "gloo"
    if machine.device.type == "cuda":
        torch.cuda.set_device(machine.device)
    try:
        distributed.init_process_group(backend, timeout=PATIENCE)
        yield
    except RuntimeError as error:
        # Errors of gloo are known by their text alone.
        text = str(error)
        if isinstance(error, distributed.DistError) or "gloo" in text:
            raise PeerLost(
                "another process of this run has died or does not answer; if "
                "it could say why, it has. Go on from the last checkpoint with "
                f"--resume and the folder of the run. ({text[:200]})"
            ) from error
        raise
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()
