r"""
---
title: Runs
summary:
  The command line, the configuration, the files, the records and the tracking that make an
  experiment of a training loop, for reference.
hook: What makes an experiment of a training loop.
---

# Runs

How a network is trained is told on the pages about [training](../training/__init__.py), which know
nothing of this package. Here is what makes an experiment of it: something that is started by a
command, leaves files, can go on after it was stopped, and says in the end what came out. These
pages are for looking things up.

| module | what it does |
|---|---|
| [command](command.py) | makes a command out of a configuration and its presets |
| [config](config.py) | what every experiment can be told, and the images that it asks for |
| [library](library.py) | trains a network of your own, in a program or a notebook |
| [run](run.py) | gives a training loop a folder, from its start or a checkpoint to the result |
| [files](files.py) | reads and writes the files of a run |
| [record](record.py) | keeps results for the tables and charts of the pages |
| [screen](screen.py) | shows how a run goes |
| [tracking](tracking.py) | tells labml what is measured |
| [code_version](code_version.py) | notes the version of the code |
| [intervals](intervals.py) | measures within an epoch |
| [ledger](ledger.py) | reads the folders of runs, whatever state they are in |
| [compare](compare.py) | says what differs between runs, with deviations over seeds |
| [plot](plot.py) | draws the curves of runs on one page |
| [evaluate](evaluate.py) | measures a run again, and keeps a record of it |
| [loading](loading.py) | finds the experiment of a run, and builds its trained network |
| [prune](prune.py) | removes old checkpoints |
| [the ledger's command](__main__.py) | `python -m labml_nn.runs` |

A run has a folder of its own. Everything that is known about it is there:

| file | what it holds |
|---|---|
| `config.json` | the configuration, module and preset, the data, the versions of the code |
| `metrics.jsonl` | losses, accuracies, learning rate, speed, by epoch or `--metrics-steps` |
| `checkpoints/` | the last states of the run, and the best |
| `result.json` | what came out of it, once it is complete |
| `running.json` | which process is at work here, while one is |
| `failed.json` | why the last attempt failed, if it did |
| `test_uses.jsonl` | each use of the test set after training |

An experiment of your own is a module with three things in it: a subclass of
[`Config`](config.py#Config) that says how to build the network and what recipe to train it by, some
presets, and an [`Experiment`](command.py#Experiment). Where no command is needed,
[a function](library.py) trains any module. [Train a ResNet](../resnet/experiment.py), [the speed
run](../resnet/speedrun.py) and [Train a Vision Transformer](../transformers/experiment.py) are made
that way. Where only the images are your own, a
[function that loads them](command.py#Experiment.with_data) will do, and often
[a folder](../data/folder.py) or [a file](../data/arrays.py) without any code.

Commands that read the folder of a run find its experiment by the name of the module in it. To
import a module is to run it, and a folder may come from somebody else. So they import modules of
this package, and one of your own if you say `--module mine`.
"""
