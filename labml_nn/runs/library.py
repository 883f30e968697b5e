r"""
---
title: Train your own network
summary:
  Any PyTorch module on any tensors, with any optimizer and schedule, from a program, a notebook or
  a thread, with the files of a run.
---

# Train your own network

The [training loop](../training/loop.py) is not only for the networks of these pages. Here it trains
*your* module on *your* tensors. This network is to find out whether the sum of two numbers is
greater than 1:

>>> import torch
>>> from tempfile import mkdtemp
>>> from labml_nn.runs.library import train
>>> inputs = torch.rand(512, 2)
>>> labels = (inputs.sum(dim=1) > 1).long()
>>> model = torch.nn.Linear(2, 2)
>>> adam = torch.optim.Adam(model.parameters(), lr=0.1)
>>> trained = train(model, (inputs, labels), adam, out=mkdtemp(), quiet=True)

It has learned it, also for numbers that it has not seen:

>>> new = torch.tensor([[0.1, 0.2], [0.9, 0.8]])
>>> trained.model(new).argmax(dim=1).tolist()
[0, 1]

What comes with it is what [a run](run.py) has. In the folder there are checkpoints, metrics and the
result, and [the ledger](__main__.py) lists, compares and draws them. When the same lines run again,
they go on where they were stopped, or find that all is done and load the weights. They work under
`torchrun` too, where each process runs all of them:

```shell
torchrun --nproc-per-node=2 my_training.py
```

Without `quiet` there is a line for each epoch. In a notebook, *interrupt* saves a checkpoint and
stops. In a thread there are no signals, so `should_stop` is asked.

## Functions that are called

What else should happen is up to functions of yours. One is called after each step, with the number
of steps so far. Another one is called after each epoch, and gets what was measured too:

>>> def on_epoch(step, values):
...     if step == 20:
...         print(sorted(values))
>>> def warm_up(images):
...     return min(images / 1000, 1)
>>> sgd = torch.optim.SGD(model.parameters(), lr=0.1)
>>> trained = train(model, (inputs, labels), sgd, epochs=5, schedule=warm_up,
...                 on_epoch=on_epoch, out=mkdtemp(), quiet=True)
['accuracy.train', 'images_per_second', 'learning_rate', 'loss.train']

The *schedule* is a function as well. It is given the number of images seen, and says which part of
the learning rate to use. Steps would be the wrong thing to count: they mean less when a batch is
smaller.

## More

A [data set](../data/__init__.py#ImageData) of images can be given instead of a pair of tensors.
Then `padding` and `flip` crop and mirror them. The [extras](../training/extras.py) are options
here, such as `ema=0.999`, and so are those that [all experiments have](config.py#Config), such as
`device`, `seed` or `checkpoint_seconds`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn

from labml_nn.data import ImageData, batch_indices, send
from labml_nn.printing import printable
from labml_nn.runs.command import machine_for
from labml_nn.runs.config import Config, check_limits, note_others
from labml_nn.runs.files import RunFailed, load_config
from labml_nn.runs.run import Task, run
from labml_nn.training.loop import Recipe
from labml_nn.training.machine import Machine
from labml_nn.training.processes import process_group

Loss = Callable[[Tensor, Tensor], Tensor]
Pair = tuple[Tensor, Tensor]

# What the files of a run say about where it comes from
MODULE, PRESET = "labml_nn.runs.library", "train"


@dataclass(frozen=True)
class Trained:
    """
    ## What comes out
    """

    # The network to predict with: the one that was given, or its average
    model: nn.Module
    # The folder with all files
    folder: Path
    # Whether all steps were taken. If not, the same call goes on
    complete: bool
    # The accuracy on the images held out, at the end and at best, if there were any
    accuracy: float | None
    best_accuracy: float | None


def train(
    model: nn.Module,
    data: Pair | ImageData,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: float = 10,
    held_out: Pair | ImageData | None = None,
    schedule: Callable[[int], float] | None = None,
    loss: Loss | None = None,
    out: Path | str | None = None,
    on_step: Callable[[int], object] | None = None,
    on_epoch: Callable[[int, dict[str, float]], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
    **options: Any,
) -> Trained:
    """
    ## The function

    * `model` takes inputs and returns logits, of shape `[batch, n_classes]`
    * `data` are the inputs and their labels. Inputs have shape `[n, ...]`, labels are whole numbers
      from 0, of shape `[n]`
    * `optimizer` holds the parameters of the model. It can be any that takes a step without being
      told how to compute the loss anew, as L-BFGS has to be
    * `epochs` is how often all inputs are seen
    * `held_out` are inputs and labels to measure with after each epoch
    * `schedule` says which part of the learning rate to use after so many images; without it, all
      of it
    * `loss` takes logits and labels and returns their mean loss; without it, cross-entropy
    * `out` is the folder for the run, or to go on in; without it, a new one in `runs/`
    * `on_step` and `on_epoch` are called after each step and each epoch, in every process
    * `should_stop` is asked before each step
    * `options` are fields of [the configuration](#LibraryConfig)

    Trains `model` where it is, on the device that is asked for, and leaves it there. What else it
    raises is what [a run](run.py#run) raises. `ValueError` means that tensors do not fit together,
    `TypeError` that there is no such option.
    """
    train_data = as_data(data)
    valid_data = (
        None if held_out is None else as_data(held_out, like=train_data)
    )
    taken = {"out": None if out is None else Path(out)}
    config = LibraryConfig(
        **{"batch_size": min(128, len(train_data)), **options, **taken},
        epochs=epochs,
        network=f"{type(model).__name__} with {_count(model):,} parameters",
        optimizer=_describe(optimizer),
        schedule="constant" if schedule is None else _name(schedule),
        loss="cross_entropy" if loss is None else _name(loss),
    )
    check_limits(config)
    config.check(train_data, optimizer)
    machine = machine_for(config)
    resumed = None
    if config.out is not None and (config.out / "config.json").exists():
        load_config(config.out, {MODULE: LibraryConfig})
        resumed = config.out
    task = Task(
        module=MODULE,
        preset=PRESET,
        model=model,
        train=train_data,
        held_out=valid_data,
        recipe=OwnRecipe.of(config, len(train_data), optimizer, schedule, loss),
        config=config,
        auto=True,
        call="train",
        on_step=on_step,
        on_epoch=on_epoch,
        should_stop=should_stop,
    )
    with process_group(machine):
        outcome = run(task, machine, resumed)
    progress = outcome.loop.progress
    best = progress["best"]
    return Trained(
        model=outcome.loop.trainer.measured,
        folder=outcome.folder,
        complete=outcome.status == 0,
        accuracy=progress.get("valid_accuracy"),
        best_accuracy=best if best >= 0 else None,
    )


@dataclass(frozen=True)
class LibraryConfig(Config):
    """
    ## The configuration

    What can be told as an option, and what is noted about the rest. These functions and modules are
    Python objects, of which a file can only say what they are called. When a run goes on with
    others, that is in its history.
    """

    data: str = "tensors"
    # How often all inputs are seen
    epochs: float = 10
    # Inputs in a batch, those of all processes together
    batch_size: int = 128
    # Zeros around an image before it is cropped, and whether images may be mirrored
    padding: int = 0
    flip: bool = False
    # What was given to the function
    network: str = ""
    optimizer: str = ""
    schedule: str = ""
    loss: str = ""

    def __post_init__(self) -> None:
        """Raises `RunFailed` for an option that says where data or weights are: they are given."""
        for name, wanted in (
            ("data", "tensors"),
            ("image_side", None),
            ("init", None),
        ):
            value = getattr(self, name)
            if value != wanted:
                raise RunFailed(
                    f"{name} is no option here, where data and weights are "
                    f"given; got {printable(str(value), 60)}"
                )

    def limits(self) -> dict[str, tuple[float, float]]:
        """The lowest and the highest value of each field that is a number."""
        return {
            **super().limits(),
            "epochs": (0.001, 10**6),
            "batch_size": (1, 10**6),
            "padding": (0, 1000),
        }

    def resume_rules(self) -> dict[str, str]:
        """What becomes of each field when a run goes on with another value."""
        return note_others(self, super().resume_rules())

    def check(self, data: ImageData, optimizer: torch.optim.Optimizer) -> None:
        """Raises `ValueError` if `data` or `optimizer` cannot do what is asked for."""
        if isinstance(optimizer, torch.optim.LBFGS):
            raise ValueError(
                "L-BFGS computes the loss several times in a step, which the "
                "loop does not do; choose another optimizer"
            )
        if data.images.ndim == 4:
            return
        for name in ("cutmix", "erase", "padding", "flip"):
            if getattr(self, name):
                raise ValueError(
                    f"{name} is for images of shape [n, channels, height, "
                    f"width], got {list(data.images.shape)}"
                )


@dataclass(frozen=True)
class Examples(ImageData):
    """
    ## Tensors

    Inputs of any shape. All else is as with [images](../data/__init__.py#ImageData).
    """

    # `[n, ...]`
    images: Shaped[Tensor, "n ..."]

    def __post_init__(self) -> None:
        """Raises `ValueError` if there is not one label for each input, or if it is no number."""
        n, labels = len(self.images), self.labels
        if labels.dtype != torch.int64 or labels.shape != (n,):
            raise ValueError(
                f"labels must be int64 of shape [{n}], got {labels.dtype} of "
                f"shape {list(labels.shape)}"
            )
        if not n:
            raise ValueError("there must be one input at least, got none")
        if labels.min() < 0 or labels.max() >= len(self.classes):
            raise ValueError(
                f"labels must be from 0 to {len(self.classes) - 1}, got "
                f"{int(labels.min())} to {int(labels.max())}"
            )

    @property
    def about(self) -> dict[str, Any]:
        """The classes and the shape of the inputs, which a checkpoint says too."""
        shape = list(self.images.shape[1:])
        return {"classes": list(self.classes), "shape": shape}


def as_data(data: Pair | ImageData, like: ImageData | None = None) -> ImageData:
    """
    The pair of tensors `data` as a data set, with the same classes as that of `like`. Raises
    `ValueError` if they do not fit together.
    """
    if isinstance(data, ImageData):
        return data
    inputs, labels = data
    if like is not None:
        return Examples(inputs, labels, like.classes)
    n = int(labels.max()) + 1 if labels.numel() else 1
    return Examples(inputs, labels, tuple(map(str, range(n))))


@dataclass(frozen=True)
class OwnRecipe(Recipe):
    """
    ## The recipe

    That of [every training](../training/loop.py#Recipe), with an optimizer, a schedule and a loss
    that come from elsewhere.
    """

    given: torch.optim.Optimizer
    part_left: Callable[[int], float] | None
    given_loss: Loss | None

    @staticmethod
    def of(
        config: LibraryConfig,
        n: int,
        optimizer: torch.optim.Optimizer,
        schedule: Callable[[int], float] | None,
        loss: Loss | None,
    ) -> "OwnRecipe":
        """
        The recipe for `config` and `n` inputs, with what was given: `optimizer`, `schedule` and
        `loss`. The optimizer knows its momentum and weight decay itself.
        """
        group = optimizer.param_groups[0]
        rate = group.get("initial_lr", group["lr"])
        return OwnRecipe(
            steps=max(round(config.epochs * n / config.batch_size), 1),
            batch_size=config.batch_size,
            learning_rate=float(rate),
            momentum=0,
            weight_decay=0,
            milestones=(),
            schedule="steps",
            warmup_steps=0,
            warmup_factor=1,
            padding=config.padding,
            flip=config.flip,
            seed=config.seed,
            extras=config.extras(),
            given=optimizer,
            part_left=schedule,
            given_loss=loss,
        )

    def part(self, step: float) -> float:
        """Which part of the learning rate is used in this `step`."""
        if self.part_left is None:
            return 1.0
        return float(self.part_left(round(step * self.batch_size)))

    def rate(self, step: float) -> float:
        """The learning rate of this `step`, that of the first group of parameters."""
        return self.learning_rate * self.part(step)

    def set_rates(self, optimizer: torch.optim.Optimizer, step: float) -> None:
        """
        Gives each group of `optimizer` the part of its own rate that is for this `step`. It
        remembers that as `initial_lr`, the name that PyTorch's own schedules use.
        """
        part = self.part(step)
        for group in optimizer.param_groups:
            group["lr"] = part * group.setdefault("initial_lr", group["lr"])

    def draw(
        self,
        data: ImageData,
        step: int,
        machine: Machine,
        seen: int | None = None,
    ) -> tuple[Shaped[Tensor, "batch ..."], Int64[Tensor, "batch"]]:
        """
        The inputs from `data` and the labels that this `step` sees after those `seen` before, the
        share of the process on `machine`. Images of bytes are cropped.
        """
        if not isinstance(data, Examples):
            return super().draw(data, step, machine, seen)
        indices = batch_indices(
            len(data), self.batch_size, step, self.seed, seen
        )
        mine = send(indices[machine.share(self.batch_size)], machine.device)
        return data.images[mine], data.labels[mine]

    def loss(
        self,
        logits: Float[Tensor, "batch n_classes"],
        labels: Int64[Tensor, "batch"],
    ) -> Float[Tensor, ""]:
        """
        The mean loss, of shape `[]`, of `logits`, of shape `[batch, n_classes]`, and `labels`, of
        shape `[batch]`.
        """
        if self.given_loss is None:
            return super().loss(logits, labels)
        return self.given_loss(logits, labels)

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """
        The optimizer that was given. Raises `ValueError` if it does not hold parameters of `model`:
        nothing would be learned.
        """
        known = {id(parameter) for parameter in model.parameters()}
        groups = self.given.param_groups
        held = {id(p) for group in groups for p in group["params"]}
        if not held <= known:
            raise ValueError(
                f"{len(held - known)} of the optimizer's {len(held)} parameters "
                "are none of the model's; make it of model.parameters()"
            )
        return self.given


def _count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _name(function: Callable[..., Any]) -> str:
    """What `function` is called."""
    name = getattr(function, "__qualname__", type(function).__name__)
    return printable(name, 100)


def _describe(optimizer: torch.optim.Optimizer) -> str:
    """
    The class and the settings of `optimizer`, which are numbers and switches.

    >>> adam = torch.optim.Adam([torch.zeros(1)], lr=0.02)
    >>> _describe(adam)[:42]
    'Adam(lr=0.02, betas=(0.9, 0.999), eps=1e-0'
    """
    plain = (bool, int, float, tuple)
    settings = ", ".join(
        f"{name}={value!r}"
        for name, value in optimizer.defaults.items()
        if isinstance(value, plain)
    )
    return printable(f"{type(optimizer).__name__}({settings})", 1000)
