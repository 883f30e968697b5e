r"""
---
title: Training
summary:
  A map of the pages about training, in reading order. The loop first, then its parts, where it
  runs, and what it leaves behind.
hook: A map of the pages about training.
---

# Training

A network is trained by taking the same small step some thousand times. The loop that does so has
ten lines in most tutorials, and it works until the first night: the loss becomes infinite, the
machine is needed for something else, or there are four GPUs and only one is busy. The pages of this
package show a loop that is prepared for all of that and can still be read in one sitting.

Here it is at work, with a network of one layer and images of $8 \times 8$ pixels. It tells after
which steps an epoch is over:

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> import torch
>>> from torch import nn
>>> from labml_nn.data.small import make_synthetic
>>> from labml_nn.training import (
...     CheckpointFolder, Loop, Machine,
...     Normalize, Recipe, Trainer)

>>> train, held_out = make_synthetic(512, 128, side=8)
>>> model = nn.Sequential(
...     Normalize(*train.mean_and_std()),
...     nn.Flatten(),
...     nn.Linear(3 * 8 * 8, len(train.classes)))
>>> recipe = Recipe(
...     steps=24, batch_size=64, schedule='cosine',
...     learning_rate=0.01, momentum=0.9, weight_decay=5e-4,
...     milestones=(), warmup_steps=0, warmup_factor=1,
...     padding=0, flip=False, seed=0)
>>> cpu = Machine(torch.device('cpu'))
>>> trainer = Trainer(model, train, recipe, cpu)
>>> with TemporaryDirectory() as folder:
...     checkpoints = CheckpointFolder(Path(folder), keep=1)
...     loop = Loop(trainer, checkpoints, held_out)
...     loop.run(on_epoch=lambda step, values: print(step))
8
16
24
True
>>> loop.progress['best'] > 0.9
True

Below is the way through these pages, one stop after the other. The code beside a stop imports what
you are most likely to need of its page, so that it can be had from `labml_nn.training`. Where a
batch comes from has been told on the pages about [images](../data/__init__.py).
"""

# ## Read this first
#
# [A training loop](loop.py) is the page that matters most: all that happens from the bytes of an
# image to a checkpoint, in some 330 lines of code. If you read only one page, read this one.
# It calls on what the others explain, but can be understood without them.
from labml_nn.training.loop import Loop, Normalize, Recipe, Trainer

# ## Then its parts
#
# [The learning rate](schedule.py) is a short page. It tells how far a step goes, and why the last
# steps are the smallest.
from labml_nn.training.schedule import ends_epoch, part_left

# [Extras](extras.py) are what many recipes add: averaged weights, mixed images, clipping and more.
# All of them are off unless they are asked for.
from labml_nn.training.extras import Extras

# [Measuring](measuring.py) sums up losses and hits without making the device wait, and tells how
# well the network does on images that it has not seen.
from labml_nn.training.measuring import Diverged, Totals, evaluate

# ## Where it runs
#
# [The machine](machine.py) chooses the device and the precision. That is where most of the speed
# comes from: bfloat16, the layout of images in memory, and memory that is kept.
from labml_nn.training.machine import Machine, find_machine

# [Many processes](processes.py) take a step together. They have to find each other, to notice when
# one is lost, and to make sure that all of them do the same.
from labml_nn.training.processes import PeerLost, check_agreement, process_group

# ## What it leaves behind
#
# [Checkpoints](checkpoint.py) hold all that a run needs to go on as if nothing had happened,
# whenever and however it was stopped.
from labml_nn.training.checkpoint import (
    Checkpoint,
    CheckpointError,
    CheckpointFolder,
)

# Two more pages are for those who open files from somebody else. A checkpoint is
# [read](unpack.py) without running anything that is in it, and
# [compared](verify.py) with what is expected before any of it is used.
from labml_nn.training.verify import Expected

# ## From one run to the next
#
# [Starting from weights](weights.py) begins with what another network has learned, and
# [handing a network over](export.py) gives it to programs that know nothing of this code.
from labml_nn.training.weights import find_weights, start_from

# ## For dessert
#
# [Muon](muon.py) is another optimizer. It sees the weights of a layer as a matrix instead of a list
# of numbers, and [the speed run](../resnet/speedrun.py) owes much to it.
from labml_nn.training.muon import Muon

# ## From here
#
# [Train your own network](../runs/library.py) is for a module, tensors and an optimizer of yours.
# [Train a ResNet](../resnet/experiment.py) puts all of this to use. The command line, the files and
# the records that make an experiment of a loop have a [package of their own](../runs/__init__.py),
# which is there for reference. Nothing on this way depends on it.
__all__ = [
    "Checkpoint",
    "CheckpointError",
    "CheckpointFolder",
    "Diverged",
    "Expected",
    "Extras",
    "Loop",
    "Machine",
    "Muon",
    "Normalize",
    "PeerLost",
    "Recipe",
    "Totals",
    "Trainer",
    "check_agreement",
    "ends_epoch",
    "evaluate",
    "find_machine",
    "find_weights",
    "part_left",
    "process_group",
    "start_from",
]
