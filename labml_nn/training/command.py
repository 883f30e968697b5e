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
[Train a ResNet](../resnet/experiment.py) and [the speed run](../resnet/speedrun.py) are made with
it.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
import tyro

from labml_nn.data.cifar10 import DataError
from labml_nn.training.checkpoint import CheckpointError
from labml_nn.training.config import Config, load_data
from labml_nn.training.files import RunFailed, load_config
from labml_nn.training.machine import PeerLost, find_machine, process_group
from labml_nn.training.record import Record, RecordError
from labml_nn.training.run import Task, run

AnyConfig = TypeVar("AnyConfig", bound=Config)


@dataclass(frozen=True)
class Preset(Generic[AnyConfig]):
    """
    ## The presets

    A complete configuration with a name.
    """

    # The sentence that `--help` shows
    help: str
    config: AnyConfig
    # What the tables of the site say about it, next to what was measured
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment(Generic[AnyConfig]):
    """
    ## The experiment
    """

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

    def parse(
        self, arguments: Sequence[str]
    ) -> tuple[str, AnyConfig, Path | None]:
        """
        ### The command line

        Reads `arguments`, the words that follow the program's name. Returns the name of the preset,
        the configuration, and the run to resume if there is one. tyro makes options of the fields
        of the configuration, refuses what it does not know, and names the nearest. Raises
        `RunFailed` if there is no run to resume, or if it is one of another experiment.
        """
        arguments = list(arguments)
        if "--resume" in arguments:
            at = arguments.index("--resume")
            if at + 1 == len(arguments):
                raise RunFailed("--resume needs the folder of a run.")
            folder = Path(arguments[at + 1])
            del arguments[at : at + 2]
            _, preset, saved = load_config(folder, {self.module: self.config})
            # What else is on the command line changes the saved configuration: `--steps` to go on
            # for longer, or `--device` to go on elsewhere.
            config = tyro.cli(
                self.config, args=arguments, default=replace(saved, out=folder)
            )
            return preset, config, folder
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
            "`--resume RUN` goes on with a run that was stopped.",
            args=arguments,
        )
        return arguments[0], chosen, None

    def record(self, name: str, config: AnyConfig) -> Record:
        """
        ### Where to record

        The record of the preset `name`. Raises `RunFailed` if `config` is not the preset's: a table
        that says `quick` must not show a run of something else.
        """
        preset = self.presets[name]
        values = config.result_depends_on()
        expected = preset.config.result_depends_on()
        changed = [key for key in values if values[key] != expected[key]]
        if changed:
            options = ", ".join("--" + key.replace("_", "-") for key in changed)
            raise RunFailed(
                f"--record is for runs of a preset as it is, and {options} "
                f"changes {name}; leave that out, or make a preset of it"
            )
        return Record(
            self.records / f"{name}.json",
            {"preset": name, **preset.about, "config": values},
        )

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """
        ### The command

        Does what `arguments` say, or without them the command line. Returns the status for the
        shell: 0 when the run is complete, 1 when it failed, and 130 when it was stopped, by a key
        or by the cluster.
        """
        try:
            preset, config, resumed = self.parse(
                sys.argv[1:] if arguments is None else arguments
            )
            record = self.record(preset, config) if config.record else None
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
                    module=self.module,
                    preset=preset,
                    model=config.build(train),
                    train=train,
                    held_out=held_out,
                    recipe=config.recipe(len(train)),
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
