r"""
---
title: Faster predictions
summary:
  Folding batch normalization into convolutions, derived, implemented and verified, with the
  measured gain of that, of channels-last and of bfloat16.
symbols:
  s: Affine.scale
  t: Affine.shift
hook: The same predictions, at less cost.
pictogram: pictograms/inference.svg
before: "[Residual networks](__init__.py)."
---

# Faster predictions

Training is over, and from now on the network only predicts. Three things can be done to make it
faster on a CPU, and none of them needs training anew:

* **Folding.** In evaluation mode, batch normalization multiplies by a constant and adds another.
  Both can be computed into the weights of the convolution before it, and the normalization can be
  left out. The results are the same up to rounding.
* **Channels last.** The same numbers, laid out in memory so that the channels of a pixel lie side
  by side. The results are the same up to rounding.
* **bfloat16.** Convolutions and matrix products with numbers of 16 bits instead of 32. The results
  have only two to three digits.

This page does the first by hand, takes the other two from [the machine](../training/machine.py),
and measures all of them in all combinations. None of it is in the ResNet paper.

## Why a normalization can be folded

Let $z$ be one channel of what a convolution returns. In training, batch normalization subtracts the
mean of the batch. In evaluation mode it uses the averages $\mu$ and $\sigma^2$ that it gathered in
training. With its weight $\gamma$ and its shift $\beta$, it returns

$$y = \gamma \, \frac{z - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta$$

The small constant $\epsilon$ prevents a division by zero. All the letters except $z$ are now
constants, one number for each channel, so this is a product and a sum:

$$y = s z + t \qquad s = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}} \qquad t = \beta - s \mu$$

A convolution is linear. For one channel of its output, with the kernel $W$ and the bias $b$ of that
channel, it returns $z = W x + b$. Put that in, and the normalization is gone:

$$y = s (W x + b) + t = (s W) \, x + (s b + t)$$

So a convolution with the kernel $s W$ and the bias $s b + t$ returns what the two layers returned
together. It costs exactly what the convolution alone did.

For each value, the normalization did one multiplication and one addition, which is next to nothing.
But it read the whole feature map from memory and wrote it back, and it was one more operation to
start in each layer. That is what folding saves.

## What it brings

```table
caption: How many times as fast as the unchanged network, on one core.
rows: ../../experiments/resnet/inference.json#rows
columns:
  - head: What is used
    value: variant
    names:
      unchanged: nothing
      folded: folding
      channels last: channels last
      bfloat16: bfloat16
      folded, channels last: folding, channels last
      folded, bfloat16: folding, bfloat16
      channels last, bfloat16: channels last, bfloat16
      folded, channels last, bfloat16: all three
  - head: ResNet-20, 1 image
    value: resnet20_1
    format: ratio
  - head: ResNet-20, 128 images
    value: resnet20_128
    format: ratio
  - head: ResNet-50, 1 image
    value: resnet50_1
    format: ratio
  - head: Difference
    value: difference
    format: number
```

These are ratios, so higher is better: the medians of 60 rounds, in 6 processes, on one core of an
AMD EPYC processor that has units for bfloat16, with PyTorch 2.13. The images have $32 \times 32$
pixels for ResNet-20 and $224 \times 224$ for ResNet-50. The last column is the largest difference
in a logit, as a fraction of the largest logit. To measure your own machine:

```shell
python -m labml_nn.resnet.inference
```

Together the three are the fastest everywhere. Folding alone brings little, at most 8 percent at the
median, and with ResNet-20 less than its rounds differ from each other, because here most of the
time goes into the convolutions. It is worth more once the other two have made those faster. For
many images or a large network, bfloat16 brings most. For a single small image it brings little:
there is not much to compute, and converting numbers from one format to the other takes time as
well.

The price of bfloat16 is in the last column: about one percent, while the others stay at rounding
errors of single precision. On [handwritten digits](../data/small.py#load_digits) it costs a trained
network no more than one image in a hundred.
"""

import copy
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from itertools import product, repeat
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles
from typing import Any, get_args

import torch
import tyro
from jaxtyping import Float, Shaped
from torch import Tensor, fx, nn

from labml_nn.resnet import ResNetBase, ResNetClassifier, cifar_resnet
from labml_nn.runs.files import write_json
from labml_nn.training.machine import Machine, find_machine

# The layers that can be folded. A convolution's weight has the shape `[out_channels, ...]`. That of
# a transposed convolution has not, so it is not among them.
Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d
Normalization = (
    nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm
)


@dataclass(frozen=True)
class Affine:
    r"""
    ## A normalization as a product and a sum

    This is $y = s z + t$, with one $s$ and one $t$ for each channel.

    >>> _ = torch.manual_seed(0)
    >>> bn = nn.BatchNorm2d(4)
    >>> for _ in range(10):  # gather averages that are not 0 and 1
    ...     _ = bn(3 * torch.randn(8, 4, 5, 5) + 2)
    >>> z, affine = torch.randn(2, 4, 5, 5), Affine.of(bn)
    >>> y = affine.scale.view(4, 1, 1) * z + affine.shift.view(4, 1, 1)
    >>> torch.allclose(y, bn.eval()(z), atol=1e-6)
    True
    """

    # $s$ and $t$, both of shape `[channels]`
    scale: Float[Tensor, "channels"]
    shift: Float[Tensor, "channels"]

    @staticmethod
    @torch.no_grad()
    def of(bn: Normalization) -> "Affine":
        """
        * `bn` is a batch normalization

        Raises `ValueError` if it keeps no running averages. Then it uses the mean of the batch in
        evaluation mode too, and is no constant map.
        """
        mean, variance = bn.running_mean, bn.running_var
        if mean is None or variance is None:
            raise ValueError(
                f"a normalization must keep running averages, got {bn}"
            )
        scale = 1 / (variance + bn.eps).sqrt()
        # With `affine=False` a normalization has neither weight nor shift.
        if bn.affine:
            scale = bn.weight * scale
        shift = -scale * mean
        if bn.affine:
            shift = bn.bias + shift
        return Affine(scale, shift)


@torch.no_grad()
def fold(conv: Convolution, bn: Normalization) -> Convolution:
    r"""
    ## Folding one pair

    * `conv` is a convolution, with or without a bias, grouped or dilated or not
    * `bn` is the normalization that follows it

    Returns a convolution that does the work of both: its kernel is $s W$ and its bias $s b + t$.
    Raises `ValueError` if `bn` keeps no running averages, or if it is not made for as many channels
    as `conv` returns.

    >>> _ = torch.manual_seed(0)
    >>> conv = nn.Conv2d(3, 4, 3, bias=False)
    >>> bn = nn.BatchNorm2d(4)
    >>> for _ in range(10):
    ...     _ = bn(conv(torch.randn(8, 3, 9, 9)))
    >>> x = torch.randn(2, 3, 9, 9)
    >>> y = bn.eval()(conv(x))
    >>> torch.allclose(fold(conv, bn)(x), y, atol=1e-6)
    True
    """
    if conv.out_channels != bn.num_features:
        raise ValueError(
            f"the normalization must have {conv.out_channels} channels like "
            f"the convolution before it, got {bn.num_features}"
        )
    affine = Affine.of(bn)
    # The same stride, padding, dilation and groups.
    folded = copy.deepcopy(conv)
    # Each output channel has its own kernel, `weight[channel]`, which gets its own factor.
    per_kernel = affine.scale.view(-1, *[1] * (conv.weight.dim() - 1))
    bias = affine.shift
    if conv.bias is not None:
        bias = affine.scale * conv.bias + bias
    folded.weight = nn.Parameter(per_kernel * conv.weight)
    folded.bias = nn.Parameter(bias)
    return folded


@dataclass(frozen=True)
class Plan:
    """
    ## What can be folded in a network

    Modules go by their names, such as `base.stages.0.0.conv1`.
    """

    # Convolutions and the normalizations to fold into them
    pairs: tuple[tuple[str, str], ...]
    # All other normalizations, each with the reason why it has to stay
    refused: dict[str, str]


class _Tracer(fx.Tracer):
    """Notes where `forward` reads a buffer, such as a running average, as it does for weights."""

    proxy_buffer_attributes = True


def find_pairs(model: nn.Module) -> Plan:
    r"""
    ## Finding the pairs

    Which normalization follows which convolution? The order in which a class lists its layers does
    not say: in our blocks the shortcut's convolution stands beside `bn2`, and does not belong to
    it. Only `forward` knows. So we run `forward` with a stand-in for the input that
    notes what is done to it. This is *tracing*, and `torch.fx` does it. The result is a graph, with
    a node for each operation.

    * `model` is any network whose `forward` always does the same

    Raises `ValueError` if `forward` cannot be traced, for instance because it decides by the values
    of its input what to do.

    In a residual block all normalizations can be folded. In a block that normalizes first, the
    first one follows no convolution:

    >>> find_pairs(cifar_resnet(1).base.stages[1][0]).pairs
    (('conv1', 'bn1'), ('conv2', 'bn2'))
    >>> block = nn.Sequential(nn.BatchNorm2d(4),
    ...     nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))
    >>> plan = find_pairs(block)
    >>> plan.pairs
    (('1', '2'),)
    >>> plan.refused
    {'0': 'it does not follow a convolution'}
    """
    try:
        graph = _Tracer().trace(model)
    except (fx.proxy.TraceError, RuntimeError, TypeError, NameError) as error:
        raise ValueError(
            "forward must do the same for every input, so that it can be "
            f"traced, got {type(model).__name__}: {error}"
        ) from error
    # Every normalization ends up in one of the two, so none is forgotten.
    pairs, refused = [], {}
    for name, layer in model.named_modules():
        if isinstance(layer, Normalization):
            reason, conv = _reason_to_stay(name, layer, model, graph)
            if reason:
                refused[name] = reason
            else:
                pairs.append((conv, name))
    return Plan(tuple(pairs), refused)


def _reason_to_stay(
    name: str, bn: Normalization, model: nn.Module, graph: fx.Graph
) -> tuple[str, str]:
    """
    ### What is refused

    Folding changes what the convolution returns. That is right only if nobody but the normalization
    gets to see it, and if the two always work together. A normalization has to stay if

    * it is used several times, or never
    * it keeps no running averages
    * it does not follow a convolution, but another layer, an addition, or the input
    * the convolution is used in other places too
    * others use the output of the convolution, or the weights of one of the two
    * one of the two has hooks

    Returns the first reason for the normalization `name`, or an empty string if it may go, and the
    name of the convolution before it.
    """
    calls = _calls(graph, name)
    if len(calls) != 1:
        return f"it is used {len(calls)} times", ""
    if bn.running_mean is None:
        return "it keeps no running averages", ""
    before = calls[0].all_input_nodes[0]
    follows = str(before.target) if before.op == "call_module" else ""
    conv = model.get_submodule(follows)
    # A class derived from a convolution may do more than a convolution.
    if type(conv) not in get_args(Convolution):
        return "it does not follow a convolution", ""
    # A convolution that several places share would be folded for one of them and wrong for the
    # others.
    uses = len(_calls(graph, follows))
    if uses != 1:
        return f"the convolution before it is used {uses} times", follows
    if len(before.users) != 1:
        return "others use the output of the convolution too", follows
    # Weights that are read directly, and not by calling the layer they belong to.
    read = {
        str(node.target).rpartition(".")[0]
        for node in graph.nodes
        if node.op == "get_attr"
    }
    if read & {name, follows}:
        return "others use its weights or those of the convolution", follows
    # Hooks are functions that are called before or after a layer and may change anything. The older
    # weight normalization of PyTorch is one, for instance.
    for layer in (conv, bn):
        if layer._forward_hooks or layer._forward_pre_hooks:
            return "it or the convolution before it has hooks", follows
    return "", follows


def _calls(graph: fx.Graph, name: str) -> list[fx.Node]:
    """The places in the graph where the module `name` is used."""
    return [
        node
        for node in graph.nodes
        if node.op == "call_module" and node.target == name
    ]


def fold_batch_norm(model: nn.Module, *, partly: bool = False) -> nn.Module:
    r"""
    ## Folding a network

    * `model` is any network in evaluation mode that can be traced
    * `partly` allows normalizations that cannot be folded, and leaves them as they are

    Returns a copy. In it, each convolution that could be folded has become another one, and where
    its normalization was there is an `nn.Identity`. Everything else is as before, and `model` keeps
    its weights. Raises `ValueError` if `model` is in training mode or cannot be traced, or, without
    `partly`, if a normalization has to stay. The message says which, and why.

    >>> _ = torch.manual_seed(0)
    >>> model = cifar_resnet(3, shortcut='projection')
    >>> for _ in range(10):
    ...     _ = model(torch.rand(16, 3, 32, 32))
    >>> model = model.eval()
    >>> folded = fold_batch_norm(model)
    >>> x = torch.rand(4, 3, 32, 32)
    >>> torch.allclose(folded(x), model(x), rtol=1e-5, atol=1e-5)
    True
    >>> shortcut = folded.base.stages[1][0].shortcut
    >>> [type(layer).__name__ for layer in shortcut.children()]
    ['Conv2d', 'Identity']

    Folding removes two parameters for each channel and adds one, the bias:

    >>> def count(model):
    ...     return sum(p.numel() for p in model.parameters())
    >>> channels = sum(
    ...     layer.num_features for layer in model.modules()
    ...     if isinstance(layer, nn.BatchNorm2d))
    >>> count(model) - count(folded) == channels
    True

    In training mode, normalizations use the mean of the batch, and there is nothing to fold.
    Training cannot go on with a folded network either: it would be another network, without any
    normalization. So fold a copy for predictions, and keep the checkpoint.

    >>> _ = model.train()
    >>> fold_batch_norm(model)  # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
    ValueError: the network must be in evaluation mode,
        got one in training mode; call eval() first
    """
    if any(module.training for module in model.modules()):
        raise ValueError(
            "the network must be in evaluation mode, got one in training "
            "mode; call eval() first"
        )
    plan = find_pairs(model)
    # A network that was silently folded only in part would be slower than expected, for no visible
    # reason.
    if plan.refused and not partly:
        raise ValueError(
            "all normalizations must be foldable unless partly=True, got "
            + "; ".join(f"{name}: {why}" for name, why in plan.refused.items())
        )
    # The copy has the same names, so what was found in `model` is there too.
    folded = copy.deepcopy(model)
    for conv_name, bn_name in plan.pairs:
        conv = folded.get_submodule(conv_name)
        bn = folded.get_submodule(bn_name)
        assert isinstance(conv, Convolution) and isinstance(bn, Normalization)
        _replace(folded, conv, fold(conv, bn))
        _replace(folded, bn, nn.Identity())
    return folded.eval()


def _replace(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """
    Puts `new` wherever `old` is. A module can have several names, and `forward` may use any of
    them.
    """
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if child is old:
                setattr(parent, name, new)


@dataclass(frozen=True)
class Variant:
    """
    ## What is compared

    Each of the three improvements is used or not, in all combinations.

    >>> for variant in all_variants(bfloat16=False):
    ...     print(variant.name)
    unchanged
    folded
    channels last
    folded, channels last
    """

    folded: bool = False
    channels_last: bool = False
    bfloat16: bool = False

    @property
    def name(self) -> str:
        """The improvements that are used."""
        used = [
            field.name.replace("_", " ")
            for field in fields(self)
            if getattr(self, field.name)
        ]
        return ", ".join(used) or "unchanged"

    def prepare(
        self, model: nn.Module
    ) -> Callable[
        [Shaped[Tensor, "batch channels height width"]],
        Float[Tensor, "batch n_classes"],
    ]:
        """
        * `model` is a network in evaluation mode, of which a copy is prepared

        Returns a function from images to logits. Layout and precision are left to
        [`Machine`](../training/machine.py#Machine), as they are in training. Its autocast gives
        bfloat16 to the convolutions and matrix products and keeps the weights in single
        precision, so they are converted again for each batch.
        """
        cpu = torch.device("cpu")
        machine = Machine(cpu, self.bfloat16, self.channels_last)
        ready = machine.prepare(
            fold_batch_norm(model) if self.folded else copy.deepcopy(model)
        )

        def predict(
            images: Shaped[Tensor, "batch channels height width"],
        ) -> Float[Tensor, "batch n_classes"]:
            with torch.inference_mode(), machine.autocast():
                logits: Tensor = ready(images)
                return logits.float()

        return predict


def all_variants(bfloat16: bool) -> list[Variant]:
    """
    All combinations, the unchanged network first and then by the number of improvements. A CPU
    without units for `bfloat16` would only be slow at it, so there those are left out.
    """
    choices = product([True, False], [True, False], [True, False])
    return [
        Variant(*choice)
        for choice in sorted(choices, key=sum)
        if bfloat16 or not choice[-1]
    ]


@dataclass(frozen=True)
class Workload:
    """
    ## On what it is compared
    """

    # The name of the column in the record
    key: str
    # Builds the network
    make: Callable[[], nn.Module]
    # Height and width of the images, and how many of them are predicted together
    side: int
    images: int
    # How often this is repeated to be timed once, so that the clock has something to measure
    passes: int

    def build(self) -> tuple[nn.Module, Float[Tensor, "images 3 side side"]]:
        """
        Returns the network in evaluation mode, and random images of the shape
        `[images, 3, side, side]`. Its weights are random, on which the time does not depend. A few
        batches in training mode give its normalizations averages to work with.
        """
        torch.manual_seed(0)
        model = self.make()
        with torch.no_grad():
            for _ in range(3):
                model(torch.rand(2, 3, self.side, self.side))
        images = torch.rand(self.images, 3, self.side, self.side)
        return model.eval(), images


def _resnet20() -> nn.Module:
    """ResNet-20 for [CIFAR-10](__init__.py#cifar_resnet), with shortcuts that are padded."""
    return cifar_resnet(3)


def _resnet50() -> nn.Module:
    """ResNet-50 with its thousand classes, as [on its page](__init__.py#ResNetBase)."""
    base = ResNetBase([3, 4, 6, 3], [256, 512, 1024, 2048], [64, 128, 256, 512])
    return ResNetClassifier(base, 1000)


# A small network with one image, where starting the operations takes long compared to computing
# them; the same network with many images; and a large network.
WORKLOADS = [
    Workload("resnet20_1", _resnet20, 32, images=1, passes=20),
    Workload("resnet20_128", _resnet20, 32, images=128, passes=1),
    Workload("resnet50_1", _resnet50, 224, images=1, passes=1),
]


# What is measured of a workload: the seconds of each variant in each round, and the largest
# difference of its logits from those of the unchanged network.
Measured = tuple[list[dict[Variant, float]], dict[Variant, float]]


def measure(
    workload: Workload,
    variants: Sequence[Variant],
    rounds: int,
    clock: Callable[[], float] = time.process_time,
) -> Measured:
    r"""
    ## Measuring

    * `workload` is the network and its images
    * `variants` are what to compare, the unchanged network first
    * `rounds` is how often each is timed
    * `clock` returns seconds

    A computer is never quite idle, and a processor changes its speed with its temperature. If the
    variants were timed one after the other, a busy minute would go to the account of one of them.
    So they take turns: in each round all of them are timed once, in a random order, and each is
    compared with the unchanged network *of the same round*.

    The clock counts the seconds that the processor has worked for this program, not those that it
    has worked for others in between. That is a fair measure as long as one thread does all the
    work, so there is only one.

    Returns the seconds of each variant in each round, and for each variant by how much its logits
    differ from the unchanged ones at most, in units of the largest unchanged logit. Raises
    `ValueError` if `rounds` is less than 2, of which no spread could be told.
    """
    if rounds < 2:
        raise ValueError(f"rounds must be at least 2, got {rounds}")
    model, images = workload.build()
    predict = {variant: variant.prepare(model) for variant in variants}
    # The first call of each prepares things for the later ones, and is not timed.
    logits = {variant: predict[variant](images) for variant in variants}
    unchanged = logits[variants[0]]
    differences = {
        variant: ((y - unchanged).abs().max() / unchanged.abs().max()).item()
        for variant, y in logits.items()
    }
    # The order must not be the same in all rounds: each variant finds the caches as the one before
    # it has left them.
    order, shuffle = list(variants), random.Random(0).shuffle
    times = []
    for _ in range(rounds):
        shuffle(order)
        seconds = {}
        for variant in order:
            started = clock()
            for _ in range(workload.passes):
                predict[variant](images)
            seconds[variant] = clock() - started
        times.append(seconds)
    return times, differences


def speedups(
    times: Sequence[dict[Variant, float]], unchanged: Variant
) -> dict[Variant, tuple[float, float, float]]:
    """
    ### From times to ratios

    * `times` are the seconds of each variant, for each round
    * `unchanged` is the variant to compare with

    Returns how many times as fast as the unchanged network each variant was: the quartiles over all
    rounds, of which the middle one is the median. Half of all rounds lie between the outer two.

    >>> old, new = Variant(), Variant(folded=True)
    >>> times = [{old: 3., new: 2.}, {old: 6., new: 3.},
    ...          {old: 9., new: 3.}]
    >>> speedups(times, old)[new]
    (1.75, 2.0, 2.5)
    """
    found = {}
    for variant in times[0]:
        ratios = [seconds[unchanged] / seconds[variant] for seconds in times]
        first, median, third = quantiles(ratios, n=4, method="inclusive")
        found[variant] = (first, median, third)
    return found


def compare(
    workloads: Sequence[Workload], processes: int, rounds: int
) -> dict[str, Any]:
    """
    ## The result

    * `workloads` are on what to compare
    * `processes` is how often all of it is measured, in a new process each time
    * `rounds` is the number of rounds in each process

    A process has good or bad luck with the memory it gets, and keeps it until it ends. So one
    process is not enough, however many rounds it takes.

    Returns what was measured, and everything one has to know to judge it, as values that JSON
    knows: a row for each variant, with a ratio for each workload. Raises `ValueError` if
    `processes` is less than 1 or `rounds` less than 2.
    """
    if processes < 1:
        raise ValueError(f"processes must be at least 1, got {processes}")
    # A CPU that has units for bfloat16 is one for which the training would choose it.
    machine = find_machine("cpu")
    variants = all_variants(machine.bfloat16)
    # The rows of the table on this page.
    rows: list[dict[str, Any]] = [
        {"variant": variant.name, "difference": 0.0, "quartiles": {}}
        for variant in variants
    ]
    # One process after the other, each for one workload and with one thread.
    alone = ProcessPoolExecutor(
        max_workers=1,
        mp_context=get_context("spawn"),
        initializer=torch.set_num_threads,
        initargs=(1,),
        max_tasks_per_child=1,
    )
    with alone as pool:
        name = pool.submit(machine.describe).result()
        tasks = list(workloads) * processes
        found = list(pool.map(measure, tasks, repeat(variants), repeat(rounds)))
    for workload in workloads:
        results = [
            result
            for task, result in zip(tasks, found, strict=True)
            if task == workload
        ]
        # All rounds of all processes count alike.
        times = [
            seconds for rounds_of_one, _ in results for seconds in rounds_of_one
        ]
        ratios = speedups(times, variants[0])
        for row, variant in zip(rows, variants, strict=True):
            first, median, third = ratios[variant]
            row[workload.key] = round(median, 2)
            row["quartiles"][workload.key] = [round(first, 2), round(third, 2)]
            # One digit tells the size of an error.
            largest = max(differences[variant] for _, differences in results)
            row["difference"] = max(row["difference"], float(f"{largest:.0e}"))
    return {
        "machine": name,
        "bfloat16": machine.bfloat16,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
        "processes": processes,
        "rounds": rounds,
        "rows": rows,
    }


@dataclass(frozen=True)
class Options:
    """
    ## The options
    """

    # How many processes measure one after the other.
    processes: int = 6
    # How often each of them times each variant.
    rounds: int = 10
    # Write the result to `experiments/resnet/inference.json`, which the page shows.
    record: bool = False


# Where this page looks for the record, from the root of the project.
RECORD = Path("experiments/resnet/inference.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """
    ## The command

    Measures on this machine, which takes a few minutes, and prints the ratios. `arguments` are
    those of the command line.
    """
    options = tyro.cli(
        Options,
        prog="python -m labml_nn.resnet.inference",
        description="Measure how much faster predictions can be on this CPU.",
        args=None if arguments is None else list(arguments),
    )
    try:
        result = compare(WORKLOADS, options.processes, options.rounds)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    keys = [workload.key for workload in WORKLOADS]
    n = options.processes * options.rounds
    print(f"{result['machine']}, median of {n} rounds")
    print("".join(f"{head:>16}" for head in [*keys, "variant"]))
    for row in result["rows"]:
        print("".join(f"{row[key]:>15.2f}×" for key in keys), row["variant"])
    if not result["bfloat16"]:
        print("This CPU has no units for bfloat16, so it was left out.")
    if options.record:
        write_json(RECORD, result)
        print(f"Written to {RECORD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
