r"""
---
title: The configuration
summary:
  What every experiment can be told on the command line, and the images it trains on and measures
  with.
---

# The configuration

Experiments differ in their networks and hyper-parameters. These choices they have in common, and
[the run](run.py) needs to know of no others.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from labml_nn.data import DataError, ImageData, Parts
from labml_nn.data.arrays import load_arrays
from labml_nn.data.cifar10 import load_cifar10
from labml_nn.data.folder import load_folder
from labml_nn.data.small import load_digits, make_synthetic
from labml_nn.printing import printable
from labml_nn.runs.files import RunFailed, to_plain
from labml_nn.training.extras import Extras
from labml_nn.training.loop import Recipe
from labml_nn.training.machine import Precision
from labml_nn.training.weights import Weights


@dataclass(frozen=True)
class Config:
    """The choices that every experiment has.

    A field's comment is its explanation here and its help on the command line. An experiment adds
    fields of its own.
    """

    # The images: `cifar10`, `digits`, `synthetic`, or your own: `folder:PATH` with a folder of
    # pictures for each class, or `npz:FILE` with arrays of NumPy.
    data: str = "cifar10"
    # Side of the images that pictures of a folder become, 32 if nothing else is said.
    image_side: int | None = None
    # Folder with the files of CIFAR-10. They are downloaded into it if they are not there. What
    # pictures of a folder become is kept there too.
    data_dir: Path = Path("data")
    # Weights to start with: the folder of a run, a checkpoint, or a file of weights. For another
    # number of classes, the last layer starts anew.
    init: Path | None = None
    # Images of the training set to hold out, to choose hyper-parameters by.
    valid_images: int = 5000
    # Train on all images of the training set, and measure on the test set once, at the end.
    final: bool = False

    # Seed of all random choices.
    seed: int = 0
    # `auto`, `cpu`, `mps`, `cuda` or `cuda:1`.
    device: str = "auto"
    # `auto`, `float32`, `bfloat16`, `float16`, or `tf32` on CUDA. `auto` takes what is fast there.
    precision: Precision = "auto"
    # Lay the channels of a pixel side by side in memory.
    channels_last: bool = True
    # Translate the model with `torch.compile`: a minute at the start for faster steps.
    compile: bool = False
    # Let normalizations use the statistics of all processes (CUDA only).
    sync_bn: bool = False
    # Use only operations that always give the same result on the same device, even if slower.
    deterministic: bool = False

    # Blend pairs of images, with shares from a beta distribution with this parameter.
    mixup: float = 0
    # Paste a part of one image into another, its area drawn in the same way.
    cutmix: float = 0
    # Probability that a part of an image is overwritten with noise.
    erase: float = 0
    # How much of the probability goes to all classes alike.
    label_smoothing: float = 0
    # Parts in which a batch is computed, for want of memory.
    accumulate: int = 1
    # Greatest length of the gradient; longer ones are shortened.
    clip: float = 0
    # Measure and save averaged weights, of which so much stays in each step.
    ema: float = 0
    # Stop after so many epochs without a better accuracy on the images held out.
    patience: int = 0

    # Folder for the run. By default `runs/` with the time and the preset.
    out: Path | None = None
    # Seconds between checkpoints.
    checkpoint_seconds: float = 300
    # Steps between checkpoints, instead of seconds.
    checkpoint_steps: int | None = None
    # Steps between lines of `metrics.jsonl` within an epoch. By default there is one for each epoch
    # only: to know a loss means to wait for the device.
    metrics_steps: int | None = None
    # How many of the last checkpoints to keep. The best is kept too.
    keep: int = 3
    # Show nothing but errors, and how to go on with a run that was stopped.
    quiet: bool = False
    # Add the result to `experiments/`, where the tables and curves of the site come from.
    record: bool = False
    # Address of a labml server that shows the run. By default it is only written to files. It is
    # not remembered: `--resume` sends nothing anywhere unless it is told so again.
    app_url: str | None = None

    # What `image_side` is by default
    default_side: ClassVar[int] = 32
    # Fields that count steps. An experiment that has some says which.
    in_steps: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Raises `RunFailed` if nobody knows what `data` means."""
        check_data(self.data, self.image_side)

    def limits(self) -> dict[str, tuple[float, float]]:
        """The lowest and the highest value of each field that is a number.

        Of a field with several numbers, they hold for each. An experiment adds those of its own
        fields.

        Nobody wants a batch of no images. The upper limits are far above what anybody trains with;
        they keep a slip of the finger, and a configuration that came from somebody else, from
        filling the memory before anything can be said about it.
        """
        return {
            "valid_images": (1, 10**9),
            "image_side": (1, 1024),
            # As seeds of 64 bits are common, with a sign or without
            "seed": (-(2**63), 2**64 - 1),
            "checkpoint_seconds": (0, 10**9),
            "checkpoint_steps": (1, 10**9),
            "metrics_steps": (1, 10**9),
            "keep": (1, 10**6),
            "mixup": (0, 100),
            "cutmix": (0, 100),
            "erase": (0, 1),
            "label_smoothing": (0, 1),
            "accumulate": (1, 10**6),
            "clip": (0, 10**6),
            "ema": (0, 1),
            "patience": (0, 10**6),
        }

    def resume_rules(self) -> dict[str, str]:
        """What becomes of each field when a run goes on with another value.

        `FREE` ones may differ. They decide where and how fast a run is computed, and its numbers up
        to rounding. `NOTED` ones may differ too, and the history of the run tells from which step
        on. Any other text is the reason why a field may not. An experiment adds the rules of its
        own fields; one without a rule may not change.
        """
        images = "the run would be measured with images that it has learned"
        free = "data_dir device channels_last compile checkpoint_seconds "
        free += "checkpoint_steps metrics_steps keep quiet record app_url"
        return {
            **dict.fromkeys(
                ("data", "image_side", "valid_images", "final"), images
            ),
            **dict.fromkeys(free.split(), FREE),
            **dict.fromkeys(("precision", "sync_bn", "deterministic"), NOTED),
            **dict.fromkeys(EXTRAS, NOTED),
            "seed": "no seed could repeat the result",
            "init": "it only says where a run begins",
            "out": "a run stays in its folder; copy that",
        }

    def in_batches_of(self, other: Any) -> Any:
        """This configuration, to go on with batches as large as those of `other`.

        Lengths in steps (`in_steps`) become as many images as before. The learning rate
        stays.
        """

        own: Any = self  # experiments with steps have batches

        def scaled(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(map(scaled, value))
            return round(value * own.batch_size / other.batch_size)

        changed = {name: scaled(getattr(self, name)) for name in self.in_steps}
        if "steps" in changed:
            changed["steps"] = max(changed["steps"], 1)
        return replace(self, **changed)

    def extras(self) -> Extras:
        """The [extras](../training/extras.py) that are switched on."""
        return Extras(**{name: getattr(self, name) for name in EXTRAS})

    def recipe(self, n: int) -> Recipe:
        """The recipe for the [training loop](../training/loop.py), to train on `n` images.

        Experiments have to say.
        """
        raise NotImplementedError

    def build(self, train: ImageData) -> nn.Module:
        """The model: bytes in, logits out.

        What it needs to know of the data, such as the number of classes or the mean of the pixels,
        comes from `train`. Experiments have to say.
        """
        raise NotImplementedError

    def adapt(self, weights: Weights) -> Weights:
        """The `weights` to start with, under the names that they have in the model.

        Files of other programs may have others. An experiment that knows of some says which.
        """
        return weights

    def result_depends_on(self) -> dict[str, Any]:
        """The fields that decide what comes out of a run, apart from the seed, as plain values.

        Runs that are recorded for the same preset must agree in all of them.
        """
        other = {field.name for field in fields(Config)}
        other -= {"data", "valid_images"}
        # Recorded runs are older than these. A run that uses one is none of its preset's.
        for name in ("image_side", "init"):
            if getattr(self, name) is not None:
                other.remove(name)
        # Runs from before there was an extra are runs without it.
        off = to_plain(Extras())
        plain = to_plain(self)
        other -= {name for name in EXTRAS if plain[name] != off[name]}
        return {name: plain[name] for name in plain if name not in other}


# The fields that are those of the extras
EXTRAS = tuple(field.name for field in fields(Extras))

# What becomes of a field that a run goes on with another value of
FREE, NOTED = "free", "noted"


def option(name: str) -> str:
    """The option of the command line for the field `name`."""
    return "--" + name.replace("_", "-")


def note_others(config: Config, rules: Mapping[str, str]) -> dict[str, str]:
    """`rules` for resuming, and `NOTED` for all other fields of `config`."""
    own = (field.name for field in fields(config) if field.name not in rules)
    return {**rules, **dict.fromkeys(own, NOTED)}


def find_changes(
    config: Config, before: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """The fields in which `config` differs from `before`, plain values of the run that goes on.

    Returns the old and the new value of those that are `NOTED`. Raises `RunFailed` for one that may
    not change.
    """
    rules, plain = config.resume_rules(), to_plain(config)
    changes = {}
    for name in plain.keys() & before.keys():
        old, new = before[name], plain[name]
        rule = rules.get(name, "nobody has said that it may")
        if old == new or rule == FREE or (name == "data" and _moved(old, new)):
            continue
        if rule != NOTED:
            raise RunFailed(
                f"{option(name)} cannot change when a run goes on: {rule}. It "
                f"was {printable(old, 60)}, got {printable(new, 60)}. Leave it "
                "out, or start anew with another --out."
            )
        changes[name] = old, new
    return {name: changes[name] for name in plain if name in changes}


def _moved(old: object, new: object) -> bool:
    """Whether the same data may be in another place. [The run](run.py) compares what is in it."""
    kind = str(old).partition(":")[0]
    return kind in OWN and str(new).startswith(f"{kind}:")


def check_limits(config: Config) -> None:
    """Raises `RunFailed` if a number of `config` lies outside of its limits, as NaN always does."""
    for name, (low, high) in config.limits().items():
        for value in _numbers(getattr(config, name)):
            if not low <= value <= high:
                raise RunFailed(
                    f"{option(name)} must be from {low:,} to "
                    f"{high:,}, got {printable(value, 40)}"
                )


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, tuple):
        for item in value:
            yield from _numbers(item)
    elif value is not None:
        yield value


# Images that need no more than a name, and one's own, which are in some place
NAMED, OWN = ("cifar10", "digits", "synthetic"), ("folder", "npz")


def check_data(data: str, image_side: int | None) -> None:
    """Raises `RunFailed` for a text that says no kind of `data`, or an `image_side` without use.

    The kind `load` is a function of an [experiment](command.py#Experiment) of one's own.
    """
    kind, _, place = data.partition(":")
    if data not in (*NAMED, "load") and not (kind in OWN and place):
        # A path alone may be either.
        path = Path(data).expanduser()
        hint = ""
        if path.is_dir():
            hint = f"; did you mean folder:{printable(data)}?"
        elif path.suffix == ".npz":
            hint = f"; did you mean npz:{printable(data)}?"
        raise RunFailed(
            "--data must be cifar10, digits, synthetic, folder:PATH or "
            f"npz:FILE, got {printable(data, 100) or 'an empty text'}{hint}"
        )
    if image_side is not None and kind != "folder":
        raise RunFailed(
            "--image-side is for --data folder:PATH; the images of "
            f"{printable(data, 100)} stay as large as they are"
        )


def load_data(
    config: Config, load: Callable[[Any], Parts] | None = None
) -> tuple[ImageData, ImageData]:
    """The images that `config` asks for, to train on and to measure with.

    The latter are held out of the training set or, with `final`, the test set. An experiment of
    one's own may `load` them itself. Raises `DataError` if they cannot be had.
    """
    kind, _, place = config.data.partition(":")
    path = Path(place).expanduser()
    match kind:
        case "folder":
            side = config.image_side or config.default_side
            parts = load_folder(path, side, config.data_dir / ".pictures")
        case "npz":
            parts = load_arrays(path)
        case "load":
            if load is None:
                raise DataError("--data load: this experiment has no such data")
            parts = load(config)
        case _:
            train, test = {
                "cifar10": lambda: load_cifar10(config.data_dir),
                "digits": load_digits,
                "synthetic": make_synthetic,
            }[kind]()
            parts = Parts(train, test=test, most=0.5)
    return parts.choose(config.valid_images, config.final)
