"""Checkpoints from strangers: whatever is in one, a run refuses it in a line or goes on as it should."""

from __future__ import annotations

import copy
import json
import math
import os
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Train
from sampling import SHARE
from small_runs import environment, last

from labml_nn.data.small import make_synthetic
from labml_nn.printing import printable
from labml_nn.resnet import experiment, predict
from labml_nn.resnet.experiment import ResNetConfig
from labml_nn.resnet.speedrun import SpeedConfig
from labml_nn.runs.files import RunFailed, alone, load_config, print_error, remove_leftovers
from labml_nn.training import Trainer, unpack, verify
from labml_nn.training.checkpoint import (
    Checkpoint,
    CheckpointError,
    CheckpointFolder,
    load,
    random_state,
    save,
    try_random_state,
)
from labml_nn.training.machine import Machine

CPU = Machine(torch.device("cpu"))
ABOUT = {"classes": [str(k) for k in range(10)], "channels": 3, "side": 8}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trainer(machine: Machine = CPU, **values: Any) -> Trainer:
    options: dict[str, Any] = {"blocks": 1, "channels": (4, 4, 4), "batch_size": 8, "steps": 9, "padding": 1}
    config = ResNetConfig(**options | values)
    train, _ = make_synthetic(64, 10, side=8)
    return Trainer(config.build(train), train, config.recipe(64), machine)


def checkpoint_of(trained: Trainer) -> Checkpoint:
    progress = {"seconds": 1.5, "best": 0.5, "valid_accuracy": 0.5, "machines": ["a laptop"]}
    return Checkpoint(
        **copy.deepcopy({**trained.state(), "model": dict(trained.plain_model.state_dict())}),
        config={"steps": 9, "out": None, "channels": [4, 4, 4]},
        about=dict(ABOUT),
        progress=progress,
    )


def go_on(fresh: Trainer, path: Path) -> None:
    """What a run does with a checkpoint."""
    expected = verify.Expected(**fresh.expected(), about=ABOUT)
    found = load(path, expected.room)
    expected.check(path, found)
    fresh.load_state(found)


def weights(trained: Trainer) -> dict[str, torch.Tensor]:
    return copy.deepcopy(trained.plain_model.state_dict())


def equal(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


# --- A checkpoint that was changed somewhere


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything in a structure. Of long lists of numbers only the ends are visited."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for k in range(len(value)) if len(value) < 20 else (0, len(value) - 1):
            yield from places(value[k], (*path, k))


NOTHING_OF_THE_KIND: list[Any] = [
    None, True, 0, -1, 3, 10**30, 0.5, math.nan, math.inf, -math.inf, "", "x" * 5000, "\x1b[2J\u202e", b"x",
    [], {}, (), [[[]]], {"a": 1}, {3: "x"}, torch.ones(()), torch.ones(2), torch.ones(3, dtype=torch.int64),
]  # fmt: skip


def other_tensors(tensor: torch.Tensor, draw: random.Random) -> Any:
    """A tensor that differs in its kind, its shape, its memory or in being numbers."""
    flat = tensor.detach().clone().reshape(-1)
    spoilt = flat.clone()
    if spoilt.is_floating_point():
        spoilt[draw.randrange(len(spoilt))] = draw.choice([math.nan, math.inf, -math.inf])
    else:
        spoilt = spoilt.to(torch.float64)
    kinds: list[Callable[[], Any]] = [
        lambda: spoilt.view(tensor.shape),
        lambda: flat[: len(flat) // 2].clone(),
        lambda: torch.cat([flat, flat]),
        lambda: flat[:1].clone(),
        lambda: flat.new_empty(0),
        lambda: flat[:1].expand(2**20, 2**10),
        lambda: flat[:1].clone().expand(tensor.shape) if len(flat) > 1 else flat[:0],
        lambda: flat.as_strided((len(flat),), (0,)) if len(flat) > 1 else flat[:0],
        lambda: tensor.to(torch.float16 if tensor.dtype != torch.float16 else torch.float32),
        lambda: tensor.to(torch.complex64),
        lambda: tensor.to(torch.bool),
        lambda: tensor[None],
        lambda: tensor.detach().float().reshape(-1).to_sparse(),
        lambda: torch.quantize_per_tensor(tensor.detach().float(), 0.1, 0, torch.qint8),
        lambda: tensor.to("meta"),
        lambda: torch.nested.as_nested_tensor([flat, flat]),
        lambda: tensor.tolist(),
    ]
    return draw.choice(kinds)()


def mutate(structure: dict[str, Any], draw: random.Random) -> str:
    """Changes something somewhere in `structure`, and returns what."""
    *way, key = draw.choice(list(places(structure)))
    holder: Any = structure
    for step in way:
        holder = holder[step]
    value = holder[key]
    kinds = ["replace", "remove", "more"]
    if isinstance(value, torch.Tensor) and value.numel():
        kinds = ["tensor"] * 6 + ["share", *kinds]
    kind = draw.choice(kinds)
    if kind == "tensor":
        holder[key] = other_tensors(value, draw)
    elif kind == "share":
        # Another entry of the same shape, with which it would change.
        model = structure["model"] if isinstance(structure.get("model"), dict) else {}
        tensors = [t for t in model.values() if isinstance(t, torch.Tensor)]
        same = [t for t in tensors if t is not value and t.shape == value.shape]
        holder[key] = draw.choice(same) if same else None
    elif kind == "remove":
        del holder[key]
    elif kind == "more" and isinstance(value, dict):
        value[draw.choice(["more", 77, "\x1b[31m"])] = draw.choice([3, value.copy()])
    elif kind == "more" and isinstance(value, list):
        value.append(draw.choice([None, *value]))
    else:
        other = draw.choice(NOTHING_OF_THE_KIND)
        holder[key] = other
    return f"{kind} {way} {key} -> {str(holder[key])[:60] if kind != 'remove' else ''}"


MUTANTS = 300


@pytest.mark.filterwarnings("ignore")  # those of PyTorch about making such tensors
def test_mutants_of_a_checkpoint_are_refused_or_right() -> None:
    draw = random.Random(0)
    before = trainer()
    for _ in range(3):
        before.take_step()
    whole = vars(checkpoint_of(before))
    before.take_step()
    right = weights(before)
    fresh = trainer()
    start, state = weights(fresh), random_state()
    path = Path("mutant.pt")
    refused = 0
    tried = MUTANTS // SHARE
    for _ in range(tried):
        mutant = copy.deepcopy(whole)
        what = mutate(mutant, draw)
        torch.save(mutant, path)
        try:
            go_on(fresh, path)
        except CheckpointError as error:
            refused += 1
            message = str(error)
            assert len(message.splitlines()) == 1, what
            assert message.startswith(str(path)) and message.isprintable() and len(message) < 700, what
            # Nothing was used of it.
            assert equal(weights(fresh), start) and fresh.step == 0 and not fresh.optimizer.state, what
            assert torch.equal(torch.get_rng_state(), state["torch"]), what
        else:
            fresh.take_step()
            # From another number of images a run goes on elsewhere in the data.
            assert equal(weights(fresh), right) or what == "replace [] images -> 3", what
            fresh = trainer()
    assert tried * 0.8 < refused < tried


# --- What an optimizer remembers


def change(path: Path, way: list[Any], value: Any) -> None:
    values = vars(load(path))
    holder: Any = values
    for key in way[:-1]:
        holder = holder[key]
    holder[way[-1]] = value
    torch.save(values, path)


OTHERS = {
    "shorter": (torch.zeros(1), "float32 of shape [1]"),
    "longer": (torch.zeros(4, 3, 3, 300), "float32 of shape [4, 3, 3, 300]"),
    "empty": (torch.zeros(0), "float32 of shape [0]"),
    "as many in another shape": (torch.zeros(108), "float32 of shape [108]"),
    "of another kind": (torch.zeros(4, 3, 3, 3).double(), "float64 of shape [4, 3, 3, 3]"),
    "not a number": (torch.full((4, 3, 3, 3), math.nan), "not finite everywhere"),
    "no tensor": (7, "7"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_velocity_that_does_not_fit_is_named_and_passed_over(kind: str) -> None:
    """Of another size, it made the fused optimizer read on behind its end, and the process died."""
    other, found = OTHERS[kind]
    folder = CheckpointFolder(Path("run"), keep=3)
    trained = trainer()
    for _ in range(2):
        trained.take_step()
        folder.save(checkpoint_of(trained))
    path = Path("run/step-00000002.pt")
    change(path, ["optimizer", "state", 0, "momentum_buffer"], other)
    fresh = trainer()
    expected = verify.Expected(**fresh.expected(), about=ABOUT)
    with pytest.warns(UserWarning, match="Going on from") as warned:
        checkpoint = folder.load_last(expected.check, expected.room)
    assert checkpoint.step == 1
    first, second = str(warned[0].message).splitlines()
    assert first.startswith(
        f"{path} does not fit the model: optimizer.state.0.momentum_buffer is {found}, expected "
    )
    assert second == "Going on from run/step-00000001.pt."


def test_a_velocity_is_copied_into_the_layout_that_the_weights_have_now() -> None:
    """With the layout of the checkpoint, the fused optimizer would confuse its numbers."""
    one, two = Machine(torch.device("cpu"), channels_last=True), Machine(CPU.device, channels_last=False)
    trained = trainer(one)
    trained.take_step()
    save(checkpoint_of(trained), Path("a.pt"))
    for machine in (one, two):
        fresh = trainer(machine)
        go_on(fresh, Path("a.pt"))
        for before, after in zip(
            trained.plain_model.parameters(), fresh.plain_model.parameters(), strict=True
        ):
            velocity = fresh.optimizer.state[after]["momentum_buffer"]
            assert torch.equal(velocity, trained.optimizer.state[before]["momentum_buffer"])
            assert velocity.stride() == after.stride()


def test_a_checkpoint_of_another_optimizer_is_refused() -> None:
    train, _ = make_synthetic(64, 10, side=32)
    made = {}
    for kind in ("sgd", "muon"):
        config = SpeedConfig(
            channels=(4, 4, 4),
            optimizer=kind,
            batch_size=8,
            sides=((32, 1.0),),
            padding=1,
            prepared=False,
        )
        made[kind] = Trainer(config.build(train), train, config.recipe(64), CPU)
        made[kind].take_step()
        save(checkpoint_of(made[kind]), Path(f"{kind}.pt"))
        go_on(made[kind], Path(f"{kind}.pt"))
    for kind, other in (("sgd", "muon"), ("muon", "sgd")):
        with pytest.raises(CheckpointError, match=rf"{other}\.pt does not fit the model: optimizer\."):
            go_on(made[kind], Path(f"{other}.pt"))


def test_the_settings_of_the_optimizer_are_those_of_the_run() -> None:
    trained = trainer()
    trained.take_step()
    save(checkpoint_of(trained), Path("a.pt"))
    change(Path("a.pt"), ["optimizer", "param_groups", 0, "weight_decay"], 1e9)
    fresh = trainer(momentum=0.5)
    go_on(fresh, Path("a.pt"))
    (group,) = fresh.optimizer.param_groups
    assert (group["weight_decay"], group["momentum"]) == (1e-4, 0.5)


@pytest.mark.parametrize("steps", [0, 1])
def test_a_run_that_was_stopped_before_its_first_step_goes_on(steps: int) -> None:
    trained, fresh = trainer(), trainer()
    for _ in range(steps):
        trained.take_step()
    save(checkpoint_of(trained), Path("a.pt"))
    go_on(fresh, Path("a.pt"))
    for one in (trained, fresh):
        one.take_step()
    assert equal(weights(trained), weights(fresh))


def test_a_renamed_checkpoint_is_passed_over() -> None:
    folder = CheckpointFolder(Path("run"), keep=3)
    trained = trainer()
    trained.take_step()
    path = folder.save(checkpoint_of(trained))
    path.rename("run/step-00000007.pt")
    with pytest.raises(
        CheckpointError, match=r"step-00000007\.pt is damaged or renamed: step is 1, expected"
    ):
        folder.load_last()


def test_states_of_generators_are_tried_before_they_are_used() -> None:
    state = random_state()
    try_random_state(state)
    before = torch.get_rng_state()
    trained = trainer()
    found = checkpoint_of(trained)
    found.random[0]["torch"] = torch.full_like(before, 255)
    with pytest.raises(
        CheckpointError, match=r"random\[0\] is refused \(.*\), expected states of generators"
    ):
        verify.Expected(**trained.expected(), about=ABOUT).check(Path("a.pt"), found)
    assert torch.equal(torch.get_rng_state(), before)


# --- Rules


TWO = torch.ones(2)
REFUSED: list[tuple[Any, Any, str]] = [
    (True, verify.Number(), "x is True, expected a number"),
    (math.nan, verify.Number(), "x is nan, expected a number"),
    (math.inf, verify.Number(0), "x is inf, expected a number from 0 to inf"),
    (10**400, verify.Number(whole=True), "x is a huge number, expected a whole number"),
    (1.0, verify.Number(0, 3, whole=True), "x is 1.0, expected a whole number from 0 to 3"),
    ("abc", verify.Text(2), "x is 'abc', expected a text of at most 2 characters"),
    ([1, 2], verify.Many(verify.Number(), most=1), "x is a list of 2 entries, expected a list of 0 to 1 entries"),
    ([1, "\x1b"], verify.Many(verify.Number()), r"x[1] is '\x1b', expected a number"),
    ([[[[1]]]], verify.Plain(), "x[0][0][0] is a list of 1 entry, expected a plain value"),
    ({}, verify.Plain(), "x is a dictionary of 0 entries, expected a plain value"),
    (1, verify.Switch(), "x is 1, expected True, False or None"),
    ((1,), [1], "x is a tuple of 1 entry, expected a list of 1 entry"),
    ({"\x1b": 1}, {}, r"x.\x1b is there, expected no others than none"),
    ({}, {"a": verify.Number()}, "x.a is missing, expected a number"),
    ([], {"a": 1}, "x is a list of 0 entries, expected a dictionary of 1 entry"),
    ("b", "a", "x is 'b', expected 'a'"),
    (True, 1, "x is True, expected 1"),
    (object(), 1, "x is of the type object, expected 1"),
    (TWO[None], TWO, "x is float32 of shape [1, 2], expected float32 of shape [2]"),
    ({"running_var": -TWO}, {"running_var": TWO}, "x.running_var is negative somewhere, expected variances"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "expected", "message"), REFUSED, ids=[row[2][:40] for row in REFUSED])
def test_what_was_found_and_expected_is_said(found: Any, expected: Any, message: str) -> None:
    with pytest.raises(verify.Unfit) as caught:
        verify.compare("x", found, expected)
    assert str(caught.value).startswith(message)


def test_structures_that_contain_themselves_end() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(verify.Unfit, match=r"x\[0\]\[0\] is a list"):
        verify.compare("x", loop, [[1]])


# --- Archives and pickles made to do harm


def archive(structure: bytes, parts: dict[str, bytes] | None = None, **options: Any) -> Path:
    path = Path("made.pt")
    with zipfile.ZipFile(path, "w", **options) as file:
        file.writestr("a/data.pkl", structure)
        for name, data in (parts or {}).items():
            file.writestr(f"a/{name}", data)
    return path


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def numbers(n: int, kind: bytes = b"torch\nFloatStorage") -> bytes:
    """The pickle of a storage that claims to have `n` numbers."""
    size = b"J" + struct.pack("<i", n)
    return b"(" + text("storage") + b"c" + kind + b"\n" + text("0") + text("cpu") + size + b"tQ"


def tensor(claimed: int, size: bytes, stride: bytes) -> bytes:
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n("
        + numbers(claimed) + b"K\0" + size + stride + b"\x89ccollections\nOrderedDict\n)RtR."
    )  # fmt: skip


MILLION = b"J" + struct.pack("<i", 10**6)
FOUR = {"data/0": bytes(16)}

HARMFUL: dict[str, tuple[bytes, dict[str, bytes], str]] = {
    "100 GB of zeros": (b"\x80\x02cbuiltins\nbytearray\n\x8a\x05\0\0\0\0\x19\x85R.", {}, "may not be called"),
    "a tensor of 4 TB": (b"\x80\x02ctorch\nTensor\n" + MILLION * 2 + b"\x86R.", {}, "may not be called"),
    "storage of 100 GB": (
        b"\x80\x02ctorch.storage\nUntypedStorage\n\x8a\x05\0\0\0\0\x19\x85R.", {}, "may not be called"
    ),
    "sparse": (b"\x80\x02ctorch._utils\n_rebuild_sparse_tensor\n)R.", {}, "may not be called"),
    "an escape": (b"\x80\x02cos\n\x1b[2Jsystem\n)R.", {}, r"\x1b[2Jsystem"),
    "stride 0": (tensor(4, MILLION * 2 + b"\x86", b"K\0K\0\x86"), FOUR, "does not fit its numbers"),
    "beyond the end": (tensor(4, b"K\x05\x85", b"K\x01\x85"), FOUR, "does not fit its numbers"),
    "overlapping": (tensor(4, b"K\x02K\x02\x86", b"K\x01K\x01\x86"), FOUR, "does not fit its numbers"),
    "negative": (tensor(4, b"J\xff\xff\xff\xff\x85", b"K\x01\x85"), FOUR, "whole numbers from 0"),
    "more than there is": (tensor(200, b"K\xc8\x85", b"K\x01\x85"), FOUR, "have 16 bytes, expected 800"),
    "twenty dimensions": (tensor(4, b"(" + b"K\x01" * 20 + b"t", b"(" + b"K\x01" * 20 + b"t"), FOUR, "fit"),
    "half a number": (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v3\n(" + numbers(3, b"torch.storage\nUntypedStorage")
        + b"K\0))\x89)ctorch\nuint16\ntR.", {"data/0": bytes(3)}, "a number is cut off",
    ),
    "truth that is 7": (b"\x80\x02" + numbers(1, b"torch\nBoolStorage") + b".", {"data/0": b"\7"}, "0 or 1"),
    "unknown numbers": (b"\x80\x02" + numbers(1, b"torch\nQInt8Storage") + b".", {"data/0": b"7"}, "unknown kind"),
    "two kinds": (
        b"\x80\x02" + numbers(1) + numbers(1, b"torch\nIntStorage") + b"\x86.", {"data/0": bytes(4)}, "two kinds"
    ),
    # A tuple of two that are the same, forty times: its hash takes 2 ** 40 steps.
    "a key that takes for ever": (
        b"\x80\x02})q\0" + b"h\0h\0\x86q\0" * 40 + b"0}h\0K\1s.", {}, "torch.save never writes POP"
    ),
    "a tuple as a key": (b"\x80\x02})q\0" + b"h\0h\0\x86q\0" * 40 + b"K\1s.", {}, ""),
    "a set": (b"\x80\x02\x8f.", {}, "never writes EMPTY_SET"),
    "no dictionary": (b"\x80\x02]K\1K\2s.", {}, "keys must be texts or whole numbers"),
    "no list": (b"\x80\x02}K\1a.", {}, "only a list can be added to"),
    "nothing": (b"\x80\x02.", {}, ""),
    "no end": (b"\x80\x02}", {}, ""),
    "no mark": (b"\x80\x02}u.", {}, ""),
    "a huge pickle": (b"\x80\x02" + b"(" * (unpack.MOST_STRUCTURE + 9), {}, "its data.pkl has 4,194,315 bytes"),
    "a list": (b"\x80\x02].", {}, "it must hold step, images, model"),
    "other bytes": (b"\x80\x02}.", {"byteorder": b"big"}, "its byte order must be little"),
}  # fmt: skip


def test_lists_that_unfold_are_refused() -> None:
    """A thousand times the same thousand times the same thousand, in a few kilobytes."""
    thousand: Any = [0] * 1000
    for _ in range(2):
        thousand = [thousand] * 1000
    torch.save({"a": thousand}, "a.pt")
    assert Path("a.pt").stat().st_size < 20_000
    with pytest.raises(unpack.Refused, match="it has more than 1,000,000 values"):
        unpack.read(Path("a.pt"))
    loop: dict[str, Any] = {"a": [()]}
    loop["a"].append(loop)
    torch.save(loop, "a.pt")
    with pytest.raises(unpack.Refused, match="it has more than 1,000,000 values"):
        unpack.read(Path("a.pt"))


def test_numbers_that_are_named_often_are_looked_at_once() -> None:
    """A megabyte of truth values, named 100,000 times, would be 100 GB to look at."""
    seen = []

    class Watched(bytes):
        def strip(self, *characters: Any) -> bytes:
            seen.append(1)
            return super().strip(*characters)

    data = {"data/0": Watched(2**20)}
    named = numbers(2**20, b"torch\nBoolStorage").removesuffix(b"Q") + b"q\0Q"
    structure = b"\x80\x02](" + named + b"h\0Q" * 100_000 + b"e."
    assert len(unpack.build(structure, unpack._Storages(data))) == 100_001
    assert seen == [1]


@pytest.mark.parametrize("kind", HARMFUL)
def test_harmful_pickles_are_refused(kind: str) -> None:
    structure, parts, reason = HARMFUL[kind]
    path = archive(structure, parts)
    with pytest.raises(
        CheckpointError, match=r"made\.pt is no checkpoint of ours, or it is damaged"
    ) as caught:
        load(path)
    message = str(caught.value)
    assert reason in message and message.isprintable() and len(message) < 400


def test_archives_that_unfold_are_refused() -> None:
    zeros = bytes(2**20)
    path = archive(b"\x80\x02}.", {"data/0": zeros}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="its parts are compressed, expected them as they are"):
        load(path)
    # The directory names the same part a hundred times, under a hundred names.
    path = archive(b"\x80\x02}.", {"data/0": zeros})
    with zipfile.ZipFile(path, "a") as file:
        (part,) = (part for part in file.filelist if part.filename == "a/data/0")
        for k in range(100):
            other = copy.copy(part)
            other.filename = f"a/data/{k + 1}"
            file.filelist.append(other)
        file._didModify = True  # type: ignore[attr-defined]
    with pytest.raises(CheckpointError, match=r"its parts claim 105,906,18\d bytes, more than it has"):
        load(path)
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive(b"\x80\x02}.", {"data.pkl": b"\x80\x02}."})
    with pytest.raises(CheckpointError, match="two of its parts have the same name"):
        load(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a/other", b"")
    with pytest.raises(CheckpointError, match=r"it holds no data\.pkl, as files of torch\.save do"):
        load(path)


def test_a_file_larger_than_the_network_is_not_read() -> None:
    path = Path("huge.pt")
    with path.open("wb") as file:
        file.truncate(100 * 2**30)
    room = verify.Expected(**trainer().expected(), about=ABOUT).room
    assert 2**24 < room < 2**25
    with pytest.raises(CheckpointError, match=rf"it has 107,374,182,400 bytes, expected at most {room:,}"):
        load(path, room)


def test_a_pipe_is_not_waited_for() -> None:
    os.mkfifo("pipe.pt")
    with pytest.raises(CheckpointError, match="it is not a regular file"):
        load(Path("pipe.pt"))


def test_numbers_that_were_on_a_device_are_read_to_the_cpu() -> None:
    """States of generators have to be there, also those of a run on a device that is not here."""
    structure = tensor(4, b"K\x04\x85", b"K\x01\x85").replace(text("cpu"), text("cuda:7"))
    found = unpack.read(archive(structure, FOUR))
    assert found.device.type == "cpu" and found.tolist() == [0, 0, 0, 0]


def test_what_is_read_is_what_was_saved() -> None:
    """In all kinds of numbers and all layouts, with weights that are used twice."""
    shared = torch.arange(24.0)
    kinds = [t for name, t in unpack.STORAGES.items() if "Untyped" not in name]
    values: dict[Any, Any] = {
        **{str(kind): torch.tensor([[0, 1, 1]]).to(kind) for kind in kinds},
        "last": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "turned": torch.rand(3, 4).T,
        "empty": torch.zeros(3, 0, 2),
        "one": torch.tensor(3.5),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "shared": [shared, shared[6:18].view(3, 4)],
        "plain": [None, True, 0, -1, 300, 70_000, 2**40, -(2**70), 0.5, "é\ud800", (1, (2,), (), (1, 2, 3))],
        3: {"a": {}},
    }
    torch.save(values, "a.pt")
    found = unpack.read(Path("a.pt"))

    def same(one: Any, two: Any) -> bool:
        if isinstance(one, torch.Tensor):
            return torch.equal(one, two) and (one.dtype, one.stride()) == (two.dtype, two.stride())
        if isinstance(one, dict):
            return list(one) == list(two) and all(same(one[key], two[key]) for key in one)
        if isinstance(one, list | tuple):
            return len(one) == len(two) and all(map(same, one, two))
        return type(one) is type(two) and bool(one == two)

    assert same(values, found)
    found["shared"][0][6] = -1
    assert found["shared"][1][0, 0] == -1


# --- Texts on the terminal


@pytest.mark.parametrize(
    "attack",
    ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "a\rb", "a\nb", "a\x08b", "\u202eabc", "\u2066x", "\u200f", "\ud800",
     "\x00", "\U000e0041", "\u2028", "\ufeff", "\u00ad", "\x7f"],
)  # fmt: skip
def test_texts_are_harmless_on_a_terminal(attack: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = printable(attack)
    assert shown.isprintable() and "\\" in shown
    print_error(ValueError(f"one{attack}two\nthree"))
    error = capsys.readouterr().err
    assert all(line.isprintable() for line in error.splitlines())
    assert printable("残差 é 🙂") == "残差 é 🙂"
    assert printable("x" * 10_000) == "x" * 200 + "…"


@pytest.fixture
def finished(train: Train, capsys: pytest.CaptureFixture[str]) -> Path:
    """The folder of a run that took four steps."""
    folder = train("--steps", "4", "--checkpoint-steps", "2")
    capsys.readouterr()
    return folder


def test_no_file_of_a_run_reaches_the_terminal_as_it_is(
    finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "\x1b[2J\u202e\r" + "x" * 10_000
    torch.save(torch.zeros(1), finished / "picture.pt")
    from PIL import Image

    Image.new("RGB", (4, 4)).save("a.png")
    change(finished / "checkpoints/best.pt", ["about", "classes"], [f"{evil[:90]}{k}" for k in range(10)])
    monkeypatch.setattr(sys, "argv", ["predict", "run", "a.png"])
    assert predict.main() == 0
    shown = capsys.readouterr()
    assert all(line.isprintable() and len(line) < 300 for line in (shown.out + shown.err).splitlines())
    assert "\\x1b[2J\\u202e\\r" in shown.out

    path = finished / "config.json"
    whole = json.loads(path.read_text())
    for saved in ({**whole, "module": evil}, {**whole, "preset": evil}, {**whole, "config": {evil: 1}}):
        path.write_text(json.dumps(saved))
        for refused in (predict.main, lambda: experiment.EXPERIMENT.main(["--resume", "run"])):
            assert refused() == 1
            shown = capsys.readouterr()
            assert all(
                line.isprintable() and len(line) < 700 for line in (shown.out + shown.err).splitlines()
            )
    with alone(finished):
        (finished / "running.json").write_text(json.dumps({"pid": evil, "host": evil, "started": evil}))
        with pytest.raises(RunFailed, match=r"is in use by process \\x1b") as caught, alone(finished):
            raise AssertionError("two are inside")
    assert str(caught.value).isprintable() and len(str(caught.value)) < 500


WRONG: list[tuple[str, Any]] = [
    ("steps", "6"), ("steps", True), ("steps", 6.5), ("steps", None), ("steps", [6]), ("steps", 1e999),
    ("seed", float("nan")), ("learning_rate", "0.1"), ("learning_rate", float("inf")), ("channels", [4, 4]),
    ("channels", 4), ("channels", [4, 4, "4"]), ("flip", 1), ("data", "other"), ("data", ["digits"]),
    ("data_dir", 3), ("data_dir", "a\x1b[2J"), ("out", ["a"]), ("device", "x" * 5000), ("keep", {}),
    ("milestones", [1, None]), ("unknown", 3),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_values_of_the_configuration_are_of_the_right_type(field: str, value: Any) -> None:
    folder = Path("run")
    folder.mkdir()
    path = folder / "config.json"
    kinds = {"m": ResNetConfig}
    path.write_text(json.dumps({"module": "m", "preset": "p", "config": {"steps": 6, "channels": [4, 4, 4]}}))
    assert load_config(folder, kinds) == ("m", "p", ResNetConfig(steps=6, channels=(4, 4, 4)))
    path.write_text(json.dumps({"module": "m", "preset": "p", "config": {field: value}}))
    with pytest.raises(RunFailed, match=r"config\.json cannot be read") as caught:
        load_config(folder, kinds)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 500


def test_configurations_that_are_no_small_files_are_refused() -> None:
    path = Path("config.json")
    path.write_text("[" * 10**5)
    with pytest.raises(RunFailed, match=r"config\.json cannot be read"):
        load_config(Path(), {})
    path.write_text(" " * 2**21)
    with pytest.raises(RunFailed, match="it has more than a million bytes"):
        load_config(Path(), {})
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(RunFailed, match="it is not a regular file"):
        load_config(Path(), {})


# --- What killed runs leave behind


def test_leftovers_of_killed_runs_are_removed_at_the_next_start(finished: Path) -> None:
    leftovers = [
        "checkpoints/.step-00000004.pt.123",
        "checkpoints/.best.pt.4194304",
        ".config.json.7",
        ".metrics.jsonl.99",
        ".result.json.1",
    ]
    others = [
        ".config.json.old", "checkpoints/.step-4.pt.1", "checkpoints/notes.pt.1", "checkpoints/.best.pt.1.bak",
        "checkpoints/.model.pt.5",
    ]  # fmt: skip
    for name in leftovers + others:
        (finished / name).write_text("x")
    (finished / "checkpoints/.best.pt.77").mkdir()
    # Another run in the folder may be writing just that: nothing is touched.
    with alone(finished):
        assert experiment.EXPERIMENT.main(["--resume", "run", "--steps", "6"]) == 1
        assert all((finished / name).exists() for name in leftovers)
    assert experiment.EXPERIMENT.main(["--resume", "run", "--steps", "6"]) == 0
    assert not any((finished / name).exists() for name in leftovers)
    assert all((finished / name).exists() for name in [*others, "checkpoints/.best.pt.77"])
    remove_leftovers(Path("nowhere"))


def test_a_run_that_is_killed_while_it_writes_is_cleaned_up(finished: Path) -> None:
    code = (
        "import os, signal, sys; os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL);"
        "from labml_nn.resnet.experiment import EXPERIMENT; EXPERIMENT.main(sys.argv[1:])"
    )
    killed = [sys.executable, "-c", code, "--resume", "run", "--steps", "6"]
    assert subprocess.run(killed, env=environment(), capture_output=True, timeout=300).returncode == -9
    assert list(finished.glob("checkpoints/.*.pt.*"))
    assert experiment.EXPERIMENT.main(["--resume", "run", "--steps", "6"]) == 0
    assert not list(finished.glob("checkpoints/.*.pt.*"))
    assert last(finished).step == 6
