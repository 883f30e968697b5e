r"""
---
title: Train a ResNet
summary:
  Training residual networks on CIFAR-10 with one command, on a laptop or many GPUs, with the
  paper's recipe or a quick one.
---

# Train a ResNet

This is the experiment of section 4.2 of the paper: [residual networks](__init__.py) of 20 to 110
layers, trained on [CIFAR-10](../data/cifar10.py). It is started from a shell:

```shell
python -m labml_nn.resnet.experiment digits
python -m labml_nn.resnet.experiment quick
python -m labml_nn.resnet.experiment resnet56
python -m labml_nn.resnet.experiment quick --help
```

The first word names a preset: `digits` is a first try that needs no download and takes about a
minute, `quick` is CIFAR-10 on a laptop, and `resnet56` is the paper's recipe, for a GPU. Without a
preset it trains `resnet20`. Under `torchrun` it uses all GPUs:

```shell
torchrun --nproc-per-node=4 \
    -m labml_nn.resnet.experiment resnet110
```

<kbd>Ctrl</kbd>+<kbd>C</kbd> saves a checkpoint and stops. The command that goes on from there is
shown then.

## Results

These runs are [recorded](../training/record.py). An accuracy is the mean of all runs of a preset,
each with another seed, and their standard deviation. The images held out served to choose the
hyper-parameters; the runs for the test set trained on them too, and were measured once, at their
end. The last accuracy is the paper's (table 6), which is not there for presets of our own. The
paper's presets take hours on a GPU; a row appears here when one of them has been recorded.

```table
rows: ../../experiments/resnet/runs/*.json
columns:
  - head: Preset
    value: preset
  - head: Layers
    value: layers
    format: integer
  - head: Held out
    value: held_out.valid_accuracy
    format: percent
  - head: Test set
    value: final.test_accuracy
    format: percent
  - head: Runs for it
    value: final.test_accuracy
    format: count
  - head: The paper
    value: paper_accuracy
    format: percent
  - head: Time of a run
    value: final.seconds
    format: seconds
  - head: Machine
    value: final.machine
```

Here is how `quick` learned. A line is the mean over the seeds, its band reaches from the worst to
the best.

```chart
caption: Accuracy of the quick preset on training images and on images held out
x: epoch
y: accuracy
format: percent
lines:
  - label: training images, cropped and mirrored
    data: ../../experiments/resnet/runs/quick.json
    x: held_out.curve.epoch
    y: held_out.curve.accuracy_train
  - label: images held out
    data: ../../experiments/resnet/runs/quick.json
    x: held_out.curve.epoch
    y: held_out.curve.accuracy_valid
```

```chart
caption: Loss of the quick preset on the same images
x: epoch
y: cross-entropy
lines:
  - label: training images, cropped and mirrored
    data: ../../experiments/resnet/runs/quick.json
    x: held_out.curve.epoch
    y: held_out.curve.loss_train
  - label: images held out
    data: ../../experiments/resnet/runs/quick.json
    x: held_out.curve.epoch
    y: held_out.curve.loss_valid
```
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
import tyro
from jaxtyping import Float
from torch import Tensor, nn

from labml_nn.data import ImageData, split
from labml_nn.data.cifar10 import DataError, load_cifar10
from labml_nn.data.small import load_digits, make_synthetic
from labml_nn.resnet import ResNetBase, ResNetClassifier, ShortcutKind
from labml_nn.training import Normalize, Recipe
from labml_nn.training.checkpoint import CheckpointError
from labml_nn.training.files import RunFailed, load_config, to_plain
from labml_nn.training.machine import (
    PeerLost,
    Precision,
    find_machine,
    process_group,
)
from labml_nn.training.record import Record, RecordError
from labml_nn.training.run import Task, run


@dataclass(frozen=True)
class Config:
    """
    ## The configuration

    A field's comment is its explanation here and its help on the command line. The defaults are
    the paper's recipe for its networks with 20 to 56 layers.
    """

    # The images: `cifar10`, `digits` or `synthetic`.
    data: Literal["cifar10", "digits", "synthetic"] = "cifar10"
    # Folder with the files of CIFAR-10. They are downloaded into it if they are not there.
    data_dir: Path = Path("data")
    # Images of the training set to hold out, to choose hyper-parameters by.
    valid_images: int = 5000
    # Train on all images of the training set, and measure on the test set once, at the end.
    final: bool = False

    # Blocks in each of the three stages; with n of them there are 6n + 2 layers.
    blocks: int = 3
    # Channels of the three stages.
    channels: tuple[int, int, int] = (16, 32, 64)
    # Shortcut where the shape changes: `pad` is the paper's option A, `projection` its option B.
    shortcut: ShortcutKind = "pad"

    # Steps of gradient descent.
    steps: int = 64_000
    # Images in a batch, those of all processes together.
    batch_size: int = 128
    # Learning rate after the warm-up.
    learning_rate: float = 0.1
    # How much of its velocity a weight keeps from step to step.
    momentum: float = 0.9
    # Strength of the pull of all weights towards zero.
    weight_decay: float = 1e-4
    # `steps` divides the learning rate by ten at the milestones, `cosine` lets it fall to zero.
    schedule: Literal["steps", "cosine"] = "steps"
    # Steps at which the learning rate is divided by ten.
    milestones: tuple[int, ...] = (32_000, 48_000)
    # Steps at the start with a tenth of the learning rate.
    warmup_steps: int = 0
    # Zeros around an image before it is cropped.
    padding: int = 4
    # Mirror images at random.
    flip: bool = True

    # Seed of all random choices.
    seed: int = 0
    # `auto`, `cpu`, `mps`, `cuda` or `cuda:1`.
    device: str = "auto"
    # `auto`, `float32` or `bfloat16`. `auto` takes bfloat16 where the device has units for it.
    precision: Precision = "auto"
    # Lay the channels of a pixel side by side in memory.
    channels_last: bool = True
    # Translate the model with `torch.compile`: a minute at the start for faster steps.
    compile: bool = False
    # Let normalizations use the statistics of all processes (CUDA only).
    sync_bn: bool = False
    # Use only operations that always give the same result on the same device, even if slower.
    deterministic: bool = False

    # Folder for the run. By default `runs/` with the time and the preset.
    out: Path | None = None
    # Seconds between checkpoints.
    checkpoint_seconds: float = 300
    # Steps between checkpoints, instead of seconds.
    checkpoint_steps: int | None = None
    # How many of the last checkpoints to keep. The best is kept too.
    keep: int = 3
    # Add the result to `experiments/`, where the tables and curves of the site come from.
    record: bool = False
    # Address of a labml server that shows the run. By default it is only written to files.
    app_url: str | None = None

    def recipe(self) -> Recipe:
        """What the training loop needs of it."""
        return Recipe(
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            milestones=self.milestones,
            schedule=self.schedule,
            warmup_steps=self.warmup_steps,
            warmup_factor=0.1,
            padding=self.padding,
            flip=self.flip,
            seed=self.seed,
        )


@dataclass(frozen=True)
class Preset:
    """
    ## The presets

    A complete configuration with a name.
    """

    # The sentence that `--help` shows
    help: str
    config: Config
    # The paper's error on the test set of CIFAR-10 (table 6)
    paper_error: float | None = None


PRESETS = {
    "resnet20": Preset(
        "The paper's network with 20 layers.", Config(blocks=3), 0.0875
    ),
    "resnet32": Preset(
        "The paper's network with 32 layers.", Config(blocks=5), 0.0751
    ),
    "resnet44": Preset(
        "The paper's network with 44 layers.", Config(blocks=7), 0.0717
    ),
    "resnet56": Preset(
        "The paper's network with 56 layers.", Config(blocks=9), 0.0697
    ),
    # The learning rate of 0.1 is too large for this one to start with. The paper warms it up until
    # the training error is below 80 %, which it says takes about 400 steps. The error is the mean
    # of its five runs; the best of them has 6.43 %.
    "resnet110": Preset(
        "The paper's network with 110 layers, warmed up for 400 steps.",
        Config(blocks=18, warmup_steps=400),
        0.0661,
    ),
    # Our own, for those without a GPU: the network with 20 layers for eight epochs, where the paper
    # takes 182, with a learning rate that falls along a cosine. The batch stays as small as the
    # paper's: so short a run needs all the steps it can get.
    "quick": Preset(
        "ResNet-20 on CIFAR-10 in minutes instead of hours, on a laptop.",
        Config(steps=2816, weight_decay=5e-4, schedule="cosine"),
    ),
    # Eight pixels are halved twice, so the last stage works on 2 × 2. Digits must not be mirrored,
    # and are cropped by one pixel only.
    "digits": Preset(
        "A first try: handwritten digits, no download, about a minute.",
        Config(
            data="digits",
            valid_images=360,
            steps=600,
            batch_size=64,
            schedule="cosine",
            weight_decay=5e-4,
            padding=1,
            flip=False,
        ),
    ),
}


# What a result depends on. Recorded runs of a preset must agree in all of it.
COMPARED = (
    "data",
    "valid_images",
    "blocks",
    "channels",
    "shortcut",
    "steps",
    "batch_size",
    "learning_rate",
    "momentum",
    "weight_decay",
    "schedule",
    "milestones",
    "warmup_steps",
    "padding",
    "flip",
)


def where_to_record(name: str, config: Config) -> Record:
    """
    The record of the preset `name`. Raises `RunFailed` if `config` is not the preset's: a table
    that says `quick` must not show a run of something else.
    """
    preset = PRESETS[name]
    values, expected = to_plain(config), to_plain(preset.config)
    changed = [key for key in COMPARED if values[key] != expected[key]]
    if changed:
        options = ", ".join("--" + key.replace("_", "-") for key in changed)
        raise RunFailed(
            f"--record is for runs of a preset as it is, and {options} "
            f"changes {name}; leave that out, or make a preset of it"
        )
    error = preset.paper_error
    return Record(
        Path("experiments/resnet/runs") / f"{name}.json",
        {
            "preset": name,
            "layers": 6 * config.blocks + 2,
            "config": {key: values[key] for key in COMPARED},
            "paper_accuracy": None if error is None else round(1 - error, 4),
        },
    )


def load_data(config: Config) -> tuple[ImageData, ImageData]:
    """
    ## The data

    Returns the images that `config` asks for, to train on and to measure with. The latter are held
    out of the training set or, with `final`, the test set. Raises `DataError` if they cannot be
    had.
    """
    match config.data:
        case "cifar10":
            train, test = load_cifar10(config.data_dir)
        case "digits":
            train, test = load_digits()
        case "synthetic":
            train, test = make_synthetic()
    if config.final:
        return train, test
    return split(train, min(config.valid_images, len(train) // 2))


def build(
    config: Config,
    img_channels: int,
    n_classes: int,
    mean: Float[Tensor, "{img_channels}"],
    std: Float[Tensor, "{img_channels}"],
) -> nn.Module:
    """
    ## The model

    Bytes in, `n_classes` logits out: the network of section 4.2, as large as `config` says, behind
    a layer that normalises the pixels by `mean` and `std`, both of shape `[img_channels]`. The seed
    decides on the weights it starts with.
    """
    torch.manual_seed(config.seed)
    base = ResNetBase(
        [config.blocks] * 3,
        config.channels,
        img_channels=img_channels,
        first_kernel_size=3,
        first_stride=1,
        first_pool=False,
        shortcut=config.shortcut,
    )
    return nn.Sequential(
        Normalize(mean, std), ResNetClassifier(base, n_classes)
    )


def parse(arguments: Sequence[str]) -> tuple[str, Config, Path | None]:
    """
    ## The command line

    Reads `arguments`, the words that follow the program's name. Returns the name of the preset, the
    configuration, and the run to resume if there is one. tyro makes options of the fields of
    `Config`, refuses what it does not know, and names the nearest.
    """
    arguments = list(arguments)
    if "--resume" in arguments:
        at = arguments.index("--resume")
        if at + 1 == len(arguments):
            raise RunFailed("--resume needs the folder of a run.")
        folder = Path(arguments[at + 1])
        del arguments[at : at + 2]
        preset, saved = load_config(folder, Config)
        # What else is on the command line changes the saved configuration: `--steps` to go on for
        # longer, or `--device` to go on elsewhere.
        config = tyro.cli(
            Config, args=arguments, default=replace(saved, out=folder)
        )
        return preset, config, folder
    named = arguments and not arguments[0].startswith("-")
    if not named and not {"-h", "--help"} & set(arguments):
        arguments.insert(0, "resnet20")
    chosen = tyro.extras.overridable_config_cli(
        {
            name: (preset.help, preset.config)
            for name, preset in PRESETS.items()
        },
        prog="python -m labml_nn.resnet.experiment",
        description="Train a residual network. Without a preset, resnet20. "
        "Options follow the preset; `quick --help` lists them. "
        "`--resume RUN` goes on with a run that was stopped.",
        args=arguments,
    )
    return arguments[0], chosen, None


def main(arguments: Sequence[str] | None = None) -> int:
    """
    ## The command

    Does what `arguments` say, or without them the command line. Returns the status for the shell: 0
    when the run is complete, 1 when it failed, and 130 when it was stopped, by a key or by the
    cluster.
    """
    try:
        preset, config, resumed = parse(
            sys.argv[1:] if arguments is None else arguments
        )
        record = where_to_record(preset, config) if config.record else None
        machine = find_machine(
            config.device,
            config.precision,
            config.channels_last,
            config.compile,
            config.sync_bn,
        )
        with process_group(machine):
            if config.deterministic:
                torch.use_deterministic_algorithms(True)
                torch.backends.cudnn.benchmark = False
            train, held_out = load_data(config)
            task = Task(
                name=f"resnet.{preset}",
                preset=preset,
                model=build(
                    config,
                    train.channels,
                    len(train.classes),
                    *train.mean_and_std(),
                ),
                train=train,
                held_out=held_out,
                recipe=config.recipe(),
                config=config,
                record=record,
            )
            return run(task, machine, resumed)
    except (
        DataError,
        CheckpointError,
        PeerLost,
        RecordError,
        RunFailed,
        ValueError,
    ) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
