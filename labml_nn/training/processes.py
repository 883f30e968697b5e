r"""
---
title: Many processes
summary:
  How processes that share a training find each other, and make sure before the first step that
  they were started with the same data, code and choices.
hook: Finding each other, and agreeing before the first step.
---

# Many processes

Four GPUs do not train four networks. Each has a process of its own with a copy of the network. In
every step all processes draw the same batch, and each computes the gradients for
[its share](machine.py#Machine.share) of it. Then the gradients are
[averaged](machine.py#Machine.prepare), and all copies take the same step.

That is nearly all they exchange. The learning rate follows from the number of the step, and so does
the batch; nobody has to be told. Two things are left: the sums of what was
[measured](measuring.py#Totals.read), and the question whether
[someone was asked to stop](loop.py#Loop._must_stop).
"""

import contextlib
import gc
import hashlib
import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import torch
from torch import distributed
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from labml_nn.data import ImageData
from labml_nn.training.machine import Machine

# How long a process waits for the others, longer than any step or measurement takes
PATIENCE = timedelta(minutes=10)


@contextlib.contextmanager
def process_group(machine: Machine) -> Iterator[None]:
    """
    ## Joining the other processes

    Started by `torchrun`, a process finds in its environment who the others are. Which way they
    talk depends on the device of `machine`: NCCL connects GPUs, gloo everything else. Alone, there
    is nobody to join. Who has joined before, in a program of their own, stays so.

    No process can go on without the others. Raises `PeerLost` if one of them dies, or if one is not
    heard of for ten minutes. That is so with gloo, and was tried. NCCL works while the program
    computes something else, and a thread of its own watches over it. When the time is up, this
    *watchdog* ends the process with a message of its own before anything can be raised.
    """
    if machine.world == 1 or distributed.is_initialized():
        yield
        return
    backend = "nccl" if machine.device.type == "cuda" else "gloo"
    if machine.device.type == "cuda":
        torch.cuda.set_device(machine.device)
    try:
        if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
            distributed.init_process_group(
                backend,
                timeout=PATIENCE,
                store=_meet(),
                rank=machine.rank,
                world_size=machine.world,
            )
        else:
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
            _release_models()
            distributed.destroy_process_group()


def _meet() -> Store:
    """
    ### When all were started again

    Processes find each other by a table that `torchrun` keeps for them. Each writes down its
    address, and reads those of the others. When one dies, `torchrun` starts all of them again, but
    [keeps the table](https://github.com/pytorch/pytorch/issues/135712). The new ones would read the
    addresses of the dead, and wait for them for ever.

    So they agree on a part of the table where nobody has written yet. The first process makes up a
    name for it and offers it. The others answer with words of their own, which the first one
    repeats. Whoever has found an old offer gets no answer to that, and looks again.
    """
    store, rank, world = next(rendezvous("env://", timeout=PATIENCE))
    word = uuid4().hex
    if rank == 0:
        store.set("offer", word)
        others = range(1, world)
        answers = [store.get(f"{word}/answer/{other}") for other in others]
        for other, answer in zip(others, answers, strict=True):
            store.set(f"{word}/repeated/{other}", answer)
        return PrefixStore(word, store)
    end = time.monotonic() + PATIENCE.total_seconds()
    while time.monotonic() < end:
        offer = store.get("offer").decode()
        store.set(f"{offer}/answer/{rank}", word)
        repeated = f"{offer}/repeated/{rank}"
        for _ in range(20):
            if store.check([repeated]) and store.get(repeated) == word.encode():
                return PrefixStore(offer, store)
            time.sleep(0.05)
    raise distributed.DistStoreError(
        "the first process offers no place to meet"
    )


def _release_models() -> None:
    """
    A process group may only be destroyed when nothing uses it any more. The wrapper that averages
    the gradients uses it, and an error on its way to the user keeps the functions that it came
    through, with all their variables. If the wrapper is the last to let go of the group, it waits
    for the group's threads while they wait for the lock of the interpreter, and the process never
    ends.
    """
    error = sys.exception()
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
    gc.collect()


class PeerLost(Exception):
    """
    ## When another process is lost

    The message says how to go on.
    """


class Disagreement(Exception):
    """
    ## Agreement

    Processes that share a training trust each other. Suppose that one of them was started with
    another seed, or finds older files on its machine. Nothing fails. The gradients are averaged as
    before, and the network learns from a mixture of two runs which nobody wanted and no command can
    repeat.

    So before the first step every process writes down what it is about to do. All read what all
    have written, and if it is not the same, every one of them ends with a sentence that says who
    differs in what.
    """


def check_agreement(machine: Machine, facts: Mapping[str, str]) -> None:
    """
    ### The exchange

    Compares the `facts` of this process on `machine` with those of the others. A fact has a name
    and a value, which are shown as they are. Raises `Disagreement` in every process if any two
    differ.

    Texts travel by gloo, which needs no GPU, whatever the gradients will travel by.
    """
    if machine.world == 1:
        return
    everyone: list[Any] = [None] * machine.world
    group = distributed.new_group(backend="gloo", timeout=PATIENCE)
    distributed.all_gather_object(everyone, dict(facts), group=group)
    distributed.destroy_process_group(group)
    if found := differences(everyone):
        raise Disagreement(
            "the processes of this run do not agree, so they cannot train one "
            "network together:\n  "
            + "\n  ".join(found)
            + "\nStart all of them with the same command, code and data."
        )


def differences(everyone: Sequence[Mapping[str, str]]) -> list[str]:
    """
    ### Who differs in what

    Returns a line for each fact in which some of `everyone` differ; the first are the facts of
    rank 0.

    >>> differences([{'seed': '0'}, {'seed': '1'}, {'seed': '0'}])
    ['seed: 0 on rank 0, 2; 1 on rank 1']
    >>> differences([{'seed': '0'}, {'seed': '0'}])
    []
    """
    lines = []
    for name in dict.fromkeys(name for facts in everyone for name in facts):
        ranks: dict[str, list[str]] = {}
        for rank, facts in enumerate(everyone):
            value = facts.get(name, "unknown")
            ranks.setdefault(value, []).append(str(rank))
        if len(ranks) > 1:
            groups = (
                f"{value} on rank {', '.join(who)}"
                for value, who in ranks.items()
            )
            lines.append(f"{name}: {'; '.join(groups)}")
    return lines


def contents_of(data: ImageData) -> str:
    """
    ### What the facts are made of

    Which facts there are is for [the run](../runs/run.py) to say: all options of its command, and
    what only its content can tell.

    Data is compared by a hash of all pixels, labels and names. The same images in another order are
    other data: a batch is made of their numbers. Returns the number of images in `data`, their
    shape and the hash.
    """
    seen = hashlib.blake2b(repr(data.classes).encode(), digest_size=8)
    for tensor in (data.images, data.labels):
        bytes_of = tensor.cpu().contiguous().view(torch.uint8)
        seen.update(bytes_of.numpy().data)
    shape = " × ".join(map(str, data.images.shape[1:]))
    return f"{len(data):,} images of {shape} with hash {seen.hexdigest()}"


def hash_of_files(folder: Path, pattern: str) -> str:
    """
    Returns a hash of the files below `folder` that fit `pattern`, their names and what they hold,
    or why they cannot be read.
    """
    seen = hashlib.blake2b(digest_size=8)
    try:
        for path in sorted(folder.glob(pattern)):
            # To read from a pipe could take for ever.
            if not (path.is_file() or path.is_dir()):
                return "not readable (not a regular file)"
            content = path.read_bytes()
            name = path.relative_to(folder).as_posix()
            seen.update(repr((name, len(content))).encode() + content)
    except OSError as error:
        return f"not readable ({error.strerror})"
    return seen.hexdigest()


def hash_of_code() -> str:
    """
    Returns a hash of all modules of this package. Unlike the number of a commit it tells of changes
    that were not committed, and it is there without git.
    """
    return hash_of_files(Path(__file__).parents[1], "**/*.py")
