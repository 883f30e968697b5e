r"""
---
title: The machine
summary:
  Choosing device, precision and memory layout, and letting several processes share the work of one
  training run.
hook: Device, precision, memory layout, many processes.
---

# The machine

What a run computes should not depend on where it runs; its speed depends on little else. All
choices about the machine are made here, so that the [training loop](loop.py) can ignore them. How
several processes find each other is told on [the next page](processes.py).

No GPU was at hand when this was written. What is said here about CUDA follows PyTorch's manual; the
tests choose among devices that only pretend to be there, and count the times that a step would have
to wait for one.
"""

import contextlib
import ctypes
import io
import os
import platform
import sys
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn

Precision = Literal["auto", "float32", "tf32", "bfloat16", "float16"]


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
    # Other precisions: whether they are computed in float16, or in float32 rounded to TF32
    float16: bool = False
    tf32: bool = False

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes files and talks to the user."""
        return self.rank == 0

    @property
    def precision(self) -> str:
        """The name of the precision, as `--precision` takes it."""
        for name in ("bfloat16", "float16", "tf32"):
            if getattr(self, name):
                return name
        return "float32"

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """
        ### Mixed precision

        Inside of this context, convolutions and matrix products use bfloat16: numbers of 16 bits
        with the range of 32-bit ones, but only two to three digits. The weights stay in single
        precision. It halves the memory traffic and uses the fast units that processors have for it.

        Older GPUs have such units for float16 only, which has one digit more and a small range.
        Many gradients are too small for it and would become zero. So the loss is multiplied by a
        large number before gradients are computed, and these are divided by it before the weights
        move. PyTorch's `GradScaler` looks for that number: as large as can be without any gradient
        becoming infinite. A step in which one did is left out. Whether it is, an optimizer that is
        not fused, such as [Muon](muon.py), has to wait to be told.
        """
        if not (self.bfloat16 or self.float16):
            return contextlib.nullcontext()
        kind = torch.bfloat16 if self.bfloat16 else torch.float16
        return torch.autocast(self.device.type, kind)

    def prepare(self, model: nn.Module) -> nn.Module:
        r"""
        ### Preparing a model

        Moves `model` to the device and wraps it for several processes.

        With several processes, each has a copy of the model and works on a part of the batch;
        `DistributedDataParallel` averages their gradients, so that all copies take the same step.
        Batch normalization is the exception: its means are those of the part that a process sees.
        With a batch of 128 on four GPUs these are the means of 32 images, noisier than those of
        128. `sync_bn` exchanges them in each layer, which is exact and costs time. It works on CUDA
        devices only. What the layers remember of the means, for predictions, is
        [averaged](#Machine.average) after each step.
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
                prepared, device_ids=ids
            )
            # It would give all processes the buffers of the first one.
            prepared.broadcast_buffers = False
        if self.compile:
            # The plain model stays as it is, and is what images held out are measured with. Their
            # last batch is smaller than the others, and would be compiled for a second time.
            prepared = torch.compile(prepared)  # type: ignore[assignment]
        return prepared

    def averaging(
        self, model: nn.Module, now: bool
    ) -> contextlib.AbstractContextManager[object]:
        """
        Inside of this context, processes do not average the gradients of the prepared `model`,
        unless they do it `now`. Of a batch that is computed in parts, only the sum of all
        gradients has to be the same everywhere.
        """
        if now or self.world == 1:
            return contextlib.nullcontext()
        context: contextlib.AbstractContextManager[object]
        context = model.no_sync()  # type: ignore[operator]
        return context

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

    @torch.no_grad()
    def average(self, model: nn.Module) -> None:
        """
        ### One model, not several

        Gives the buffers of `model` their mean over all processes. Without it the averages that
        normalizations gather would differ from process to process. Each process would measure its
        share of the images with a network of its own, and the accuracy would be that of no network
        at all: a checkpoint holds only one of them.

        Each value stands for a share of the same size, so the mean of the means is that of the
        whole batch. All travel in one message. Double precision keeps values that are already the
        same, such as those of `Normalize`, exactly as they are.
        """
        buffers = list(model.buffers()) if self.world > 1 else []
        if not buffers:
            return
        flat = torch.cat([buffer.flatten().double() for buffer in buffers])
        means = self.sum(flat).div_(self.world)
        start = 0
        for buffer in buffers:
            n = buffer.numel()
            buffer.copy_(means[start : start + n].view_as(buffer))
            start += n

    def any(self, value: bool) -> bool:
        """Whether `value` is true in any process."""
        flag = torch.tensor(float(value), device=self.device)
        return bool(self.sum(flag) > 0)

    def gather(self, value: Any) -> list[Any]:
        """
        The `value` of each process, in the order of their ranks. It travels as the bytes of a file:
        not all tensors can be sent as they are, those of NumPy's generator for one.
        """
        if self.world == 1:
            return [value]
        file = io.BytesIO()
        torch.save(value, file)
        everyone = [b""] * self.world
        distributed.all_gather_object(everyone, file.getvalue())
        return [torch.load(io.BytesIO(each)) for each in everyone]

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
    * `precision` is `auto`, `float32`, `tf32`, `bfloat16` or `float16`; `auto` takes
      [what is fast](#fast_precision) on the device
    * `channels_last`, `compile` and `sync_bn` are those of `Machine`

    Under `torchrun` each process takes the GPU that has its number. Raises `ValueError` if there is
    no such device, if it cannot do what is asked of it, or if several processes cannot share their
    work on it.
    """
    rank = int(os.environ.get("RANK", 0))
    world = int(os.environ.get("WORLD_SIZE", 1))
    if device == "auto":
        if torch.cuda.is_available():
            device = "cuda"
        else:
            apple = torch.backends.mps.is_available() and world == 1
            device = "mps" if apple else "cpu"
    if world > 1 and device.startswith(("cuda:", "mps")):
        raise ValueError(
            f"{world} processes cannot share their work on {device!r}; use "
            "--device cuda, which gives each of them a GPU, or --device cpu"
        )
    if device == "cuda":
        # `torchrun` starts one process for each GPU and tells it which.
        device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    try:
        found = torch.device(device)
        # PyTorch knows more devices, one of which has no memory and only computes shapes.
        if found.type not in ("cpu", "mps", "cuda"):
            raise RuntimeError("this code was never tried on it")
        torch.zeros(1, device=found)
        if found.type == "cuda":
            # Questions about "the" GPU are about the current one.
            torch.cuda.set_device(found)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"the device {device!r} is not there ({error}); "
            "use auto, cpu, mps, cuda or cuda:N"
        ) from error
    if sync_bn and found.type != "cuda":
        raise ValueError(
            f"--sync-bn works on CUDA devices only, got {device!r}; leave it out"
        )
    if precision == "tf32" and found.type != "cuda":
        raise ValueError(
            f"--precision tf32 works on CUDA devices only, got {device!r}"
        )
    if precision == "auto":
        precision = fast_precision(found)
    # PyTorch computes convolutions in TF32 unless it is told not to, and matrix products in
    # float32. Here it is one or the other.
    tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    return Machine(
        found,
        precision == "bfloat16",
        channels_last,
        compile,
        sync_bn,
        rank,
        world,
        precision == "float16",
        tf32,
    )


def fast_precision(device: torch.device) -> Precision:
    """
    ## A fast precision

    On a GPU, bfloat16 where `device` has units for it, which is since 2020; before, float16. None
    of the GPUs without bfloat16, such as a T4 or a V100, was at hand: what is tested is the choice,
    and float16 on a CPU.

    On a CPU, bfloat16 where there are instructions to multiply such numbers, else float32. PyTorch
    calls bfloat16 supported on any x86 processor with AVX-512. Those without the instructions
    convert all numbers there and back, and take twice as long as in float32.
    """
    if device.type == "cuda":
        new = torch.cuda.is_bf16_supported(including_emulation=False)
        return "bfloat16" if new else "float16"
    if device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        if platform.machine().lower() not in ("x86_64", "amd64"):
            return "bfloat16"
        cpu = torch.cpu
        if cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported():
            return "bfloat16"
    return "float32"


def begin_velocities(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    """
    ## When the first step is left out

    In float16 the first steps tend to be left out, until the scale is small enough. PyTorch's fused
    gradient descent makes room for velocities in the first step, and only fills it if the step is
    taken. What happened to lie there would be the velocity in the second one. So they begin with
    zeros, from which the first step gets the same velocity as from none. Called before each step of
    `optimizer`.
    """
    if not isinstance(optimizer, torch.optim.SGD):
        return
    for group in optimizer.param_groups:
        for weights in group["params"] if group["momentum"] else ():
            state = optimizer.state[weights]
            if weights.grad is not None and "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(weights)


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
