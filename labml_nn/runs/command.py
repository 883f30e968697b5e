r"""
---
title: The command of an experiment
summary:
  Making a command out of a configuration and its presets, with options, help, resuming, and runs
  that are recorded.
---

# The command of an experiment

An experiment is a network, the data it is for, and the hyper-parameters that somebody chose. All
else that its command does is the same for all experiments: choosing the machine, reading options,
going on with a run that was stopped, recording what came out. It is written down here, once.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
import tyro
from torch import nn

from labml_nn.data import DRAWS, DataError, ImageData, Parts
from labml_nn.printing import printable
from labml_nn.runs.config import (
    NAMED,
    Config,
    check_limits,
    find_changes,
    load_data,
    option,
)
from labml_nn.runs.files import (
    RunFailed,
    load_config,
    path_fields,
    print_error,
    to_plain,
)
from labml_nn.runs.record import Record, RecordError
from labml_nn.runs.run import Task, run
from labml_nn.training.checkpoint import CheckpointError
from labml_nn.training.machine import Machine, find_machine
from labml_nn.training.processes import Disagreement, PeerLost, process_group
from labml_nn.training.weights import find_weights, start_from

AnyConfig = TypeVar("AnyConfig", bound=Config)


@dataclass(frozen=True)
class Preset(Generic[AnyConfig]):
    """A complete configuration, which has a name."""

    # The sentence that `--help` shows
    help: str
    config: AnyConfig
    # What the tables of the site say about it, next to what was measured
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment(Generic[AnyConfig]):
    """A configuration with its presets, and the command that it becomes."""

    # The module that is started by `python -m`
    module: str
    # The sentence that `--help` begins with
    description: str
    config: type[AnyConfig]
    presets: Mapping[str, Preset[AnyConfig]]
    # The preset that is meant where none is named
    default: str
    # The folder of recorded runs
    records: Path
    # Where the images come from, for `--data load`
    load: Callable[[AnyConfig], Parts] | None = None

    def with_data(
        self, module: str, load: Callable[[AnyConfig], Parts]
    ) -> "Experiment[AnyConfig]":
        """The same experiment with images of your own, in a `module` of yours.

        `load` gets the configuration and returns the [parts](../data/__init__.py#Parts). This is a
        whole program, `mine.py`, to be started by `python -m mine quick`:

        ```python
        from labml_nn.data import ImageData, Parts
        from labml_nn.resnet import experiment

        def load(config):
            images, labels = ...  # uint8 [n, 3, side, side], int64 [n]
            data = ImageData(images, labels, ("cat", "dog"))
            return Parts.of_heap(data)

        EXPERIMENT = experiment.EXPERIMENT.with_data("mine", load)

        if __name__ == "__main__":
            raise SystemExit(EXPERIMENT.main())
        ```
        """
        presets = {
            name: replace(preset, config=replace(preset.config, data="load"))
            for name, preset in self.presets.items()
        }
        return replace(self, module=module, presets=presets, load=load)

    def parse(
        self, arguments: Sequence[str]
    ) -> tuple[str, AnyConfig, Path | None]:
        """Reads `arguments`, the words that follow the program's name.

        Returns the name of the preset, the configuration, and the run to resume if there is one.
        tyro makes options of the fields of the configuration, refuses what it does not know, and
        names the nearest. With `--resume auto` a run in the folder `--out` is gone on with, if one
        was begun there. Raises `RunFailed` if there is no run to resume, if it is one of another
        experiment or of a preset that is not there, or if a number makes no sense.
        """
        words = list(arguments)
        self._check_words(words)
        folder = take_folder(words)
        if folder is not None and str(folder) == "auto":
            preset, config, _ = self._new(list(words))
            if config.out is None:
                raise RunFailed(
                    "--resume auto needs --out, the folder to go on in"
                )
            folder = config.out
            if not (folder / "config.json").exists():
                check_limits(config)
                return preset, config, None
        preset, config, folder = (
            self._new(words) if folder is None else self._resume(words, folder)
        )
        check_limits(config)
        return preset, config, folder

    def _check_words(self, words: list[str]) -> None:
        """Raises `RunFailed` for an empty path, and for an option that other programs have."""
        names = {field.name for field in fields(self.config)}
        paths = {option(name) for name in path_fields(self.config)}
        for whole, following in zip(words, [*words[1:], "-"], strict=True):
            word, equals, value = whole.partition("=")
            following = value if equals else following
            if word in paths and not following:
                raise RunFailed(f"{word} must be a path, got an empty text")
            if word in SYNONYMS and word[2:].replace("-", "_") not in names:
                ours = [name for name in SYNONYMS[word] if name in names]
                raise RunFailed(
                    f"{word} is not an option here. Did you mean "
                    f"{' or '.join(map(option, ours)) or '--help'}?"
                )

    def _resume(
        self, words: list[str], folder: Path
    ) -> tuple[str, AnyConfig, Path | None]:
        _, preset, saved = load_config(folder, {self.module: self.config})
        # A folder for notes is named after it. A name that we do not know may lead anywhere.
        if preset not in self.presets:
            raise RunFailed(
                f"{printable(folder)} is a run of the preset "
                f"{printable(preset, 60)!r}, which is not there; expected "
                f"one of {', '.join(self.presets)}"
            )
        if words and words[0] in self.presets:
            if words[0] != preset:
                raise RunFailed(
                    f"--resume goes on with the preset of the run, {preset}; "
                    f"leave out {words[0]}"
                )
            del words[0]
        # What else is on the command line changes the saved configuration: `--steps` to go on for
        # longer, or `--device` to go on elsewhere. An address is not taken from the folder, which
        # may have come from somebody else: where notes are sent is for whoever runs this.
        saved = replace(saved, out=folder, app_url=None)
        config = self._told(words, saved)
        check_limits(config)
        # With the size of batches, lengths in steps change too, unless they are on the command line
        # themselves.
        config = self._told(words, saved.in_batches_of(config))
        find_changes(config, to_plain(saved))
        return preset, config, folder

    def _told(self, words: list[str], saved: AnyConfig) -> AnyConfig:
        """The configuration `saved` with what else is on the command line."""
        return tyro.cli(
            self.config,
            prog=f"python -m {self.module} --resume RUN",
            args=words,
            default=saved,
        )

    def _new(self, arguments: list[str]) -> tuple[str, AnyConfig, Path | None]:
        named = arguments and not arguments[0].startswith("-")
        if not named and not {"-h", "--help"} & set(arguments):
            arguments.insert(0, self.default)
        chosen = tyro.extras.overridable_config_cli(
            {
                name: (preset.help, preset.config)
                for name, preset in self.presets.items()
            },
            prog=f"python -m {self.module}",
            description=f"{self.description} Without a preset, {self.default}. "
            f"Options follow the preset; `{self.default} --help` lists them. "
            "`--resume RUN` goes on with a run that was stopped; with `--out "
            "RUN --resume auto`, one command starts it and goes on with it.",
            args=arguments,
        )
        return arguments[0], chosen, None

    def record(self, name: str, config: AnyConfig) -> Record:
        """The record of the preset `name`.

        Raises `RunFailed` if `config` is not the preset's: a table that says `quick` must not show
        a run of something else.
        """
        preset = self.presets[name]
        values = config.result_depends_on()
        expected = preset.config.result_depends_on()
        # An extra is only there if it is on.
        names = dict.fromkeys([*values, *expected])
        changed = [k for k in names if values.get(k) != expected.get(k)]
        if changed:
            options = ", ".join(map(option, changed))
            raise RunFailed(
                f"--record is for runs of a preset as it is, and {options} "
                f"changes {name}; leave that out, or make a preset of it"
            )
        return Record(
            self.records / f"{name}.json",
            {"preset": name, "draws": DRAWS, **preset.about, "config": values},
        )

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Does what `arguments` say, or without them the command line.

        Returns the status for the shell: 0 when the run is complete, 1 when it failed, and 130 when
        it was stopped, by a key or by the cluster.
        """
        try:
            words = sys.argv[1:] if arguments is None else arguments
            preset, config, resumed = self.parse(words)
            record = self.record(preset, config) if config.record else None
            machine = machine_for(config)
            with process_group(machine):
                train, held_out = load_data(config, self.load)
                if config.data not in NAMED and machine.is_main:
                    print(describe(config.data, train, held_out))
                model = config.build(train)
                started_from = (
                    start_with(config, model)
                    if config.init is not None and is_new(resumed)
                    else ""
                )
                if started_from and machine.is_main:
                    print(started_from)
                task = Task(
                    module=self.module,
                    preset=preset,
                    model=model,
                    train=train,
                    held_out=held_out,
                    recipe=config.recipe(len(train)),
                    config=config,
                    record=record,
                    started_from=started_from,
                    auto=take_folder(list(words)) == Path("auto"),
                )
                return run(task, machine, resumed).status
        except (
            DataError,
            CheckpointError,
            Disagreement,
            PeerLost,
            RecordError,
            RunFailed,
        ) as error:
            print_error(error)
            return 1


def is_new(resumed: Path | None) -> bool:
    """Whether the run in the folder `resumed`, if there is one, has no checkpoint yet."""
    return resumed is None or not any((resumed / "checkpoints").glob("*.pt"))


def start_with(config: Config, model: nn.Module) -> str:
    """Fills `model` with the weights that `config` names. Returns a sentence that says so.

    Raises `CheckpointError` if they cannot be read or do not fit.
    """
    path = config.init
    assert path is not None
    weights = config.adapt(find_weights(path))
    new = start_from(weights, model, path)
    named = printable(path, 100)
    if not new:
        return f"starts with all weights of {named}"
    layer = printable(new[0].rpartition(".")[0], 60)
    return (
        f"starts with the weights of {named}, but for another number of "
        f"classes: {layer} is new"
    )


def describe(source: str, train: ImageData, held_out: ImageData) -> str:
    """A sentence for the user about images of their own, from `source`: `train` and `held_out`."""
    names = ", ".join(printable(name, 40) for name in train.classes[:9])
    more = ", …" if len(train.classes) > 9 else ""
    channels, height, width = train.images.shape[1:]
    return (
        f"{printable(source)}: {len(train.classes)} classes ({names}{more}); "
        f"{len(train):,} images of {channels} × {height} × {width} to train on, "
        f"{len(held_out):,} to measure with"
    )


def machine_for(config: Config) -> Machine:
    """The machine that `config` asks for. Raises `RunFailed` if it is not there.

    On CUDA devices, the fastest of several algorithms is looked for, which takes a moment for each
    size of images. With `deterministic`, all that do not always give the same result are left out.
    """
    torch.backends.cudnn.benchmark = not config.deterministic
    torch.use_deterministic_algorithms(config.deterministic)
    if config.deterministic:
        # Without it, PyTorch refuses products of matrices on CUDA devices.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        return find_machine(
            config.device,
            config.precision,
            config.channels_last,
            config.compile,
            config.sync_bn,
        )
    except ValueError as error:
        raise RunFailed(str(error)) from error


# What other programs call some of our options
SYNONYMS = {
    "--lr": ["learning_rate"],
    "--epochs": ["steps", "sides"],
    "--num-epochs": ["steps", "sides"],
    "--max-steps": ["steps"],
    "--batch": ["batch_size"],
    "--bs": ["batch_size"],
    "--wd": ["weight_decay"],
    "--gpu": ["device"],
    "--amp": ["precision"],
    "--pretrained": ["init"],
    "--weights": ["init"],
    "--output": ["out"],
    "--output-dir": ["out"],
    "--dataset": ["data"],
}


def take_folder(words: list[str]) -> Path | None:
    """Takes `--resume` and its folder out of `words`. Returns the folder, if there is one.

    Raises `RunFailed` if `--resume` has none.

    >>> words = ['quick', '--resume=runs/a=b', '--steps', '9']
    >>> take_folder(words), words
    (PosixPath('runs/a=b'), ['quick', '--steps', '9'])
    """
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == "--resume":
            value = value if equals else "".join(words[at + 1 : at + 2])
            if not value:
                raise RunFailed("--resume needs the folder of a run.")
            del words[at : at + (1 if equals else 2)]
            return Path(value)
    return None
