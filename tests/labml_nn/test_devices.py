"""Devices that are not here: what is chosen, refused and saved for them, and that nobody waits for them."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from small_runs import CPU
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from labml_nn.data import Crops, ImageData, random_generator
from labml_nn.data.small import make_synthetic
from labml_nn.resnet.experiment import PRESETS
from labml_nn.resnet.speedrun import SpeedConfig
from labml_nn.runs.command import machine_for
from labml_nn.runs.config import Config
from labml_nn.training import CheckpointFolder, Loop, Normalize, Recipe, Trainer, verify
from labml_nn.training.checkpoint import (
    CheckpointError,
    load,
    random_state,
    set_random_state,
    try_random_state,
)
from labml_nn.training.machine import Machine, find_machine

META = torch.device("meta")
TRAIN, HELD_OUT = make_synthetic(64, 16, side=4)


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Leave the choices that PyTorch keeps for all as they were."""
    matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn


# --- What is chosen


@pytest.mark.parametrize(
    ("machine", "mkldnn", "avx512", "amx", "expected"),
    [
        ("x86_64", True, False, False, "float32"),  # AVX-512 alone: 0.45 s against 0.23 s in float32
        ("AMD64", True, False, False, "float32"),
        ("x86_64", True, True, False, "bfloat16"),
        ("x86_64", True, False, True, "bfloat16"),
        ("x86_64", False, True, True, "float32"),
        ("aarch64", True, False, False, "bfloat16"),
        ("arm64", False, False, False, "float32"),
    ],
)
def test_a_cpu_gets_bfloat16_only_with_units_for_it(
    machine: str, mkldnn: bool, avx512: bool, amx: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    fake = SimpleNamespace(_is_mkldnn_bf16_supported=lambda: mkldnn)
    monkeypatch.setattr(torch.ops, "mkldnn", fake)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert find_machine("cpu").precision == expected
    assert find_machine("cpu", "bfloat16").precision == "bfloat16"
    assert find_machine("cpu", "float32").precision == "float32"


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """CUDA devices that can do nothing but be chosen; what was done with them, in order."""
    done: list[str] = []

    def supported(including_emulation: bool = True) -> bool:
        done.append("asked")
        return "old" not in done

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: done.append(str(device)))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    monkeypatch.setattr(torch, "zeros", lambda *arguments, **named: None)
    return done


def test_the_gpu_that_is_asked_is_the_one_that_is_used(
    gpus: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert str(find_machine("cuda:1").device) == "cuda:1"
    assert gpus == ["cuda:1", "asked"]
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert str(find_machine().device) == "cuda:3"


@pytest.mark.parametrize(
    ("precision", "old", "found", "tf32"),
    [
        ("auto", False, "bfloat16", False),
        ("auto", True, "float16", False),  # T4, V100
        ("float32", False, "float32", False),
        ("tf32", False, "tf32", True),
        ("float16", False, "float16", False),
    ],
)
def test_the_precision_of_a_gpu(precision: Any, old: bool, found: str, tf32: bool, gpus: list[str]) -> None:
    gpus.extend(["old"] if old else [])
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = not tf32, not tf32
    assert find_machine("cuda", precision).precision == found
    assert torch.backends.cuda.matmul.allow_tf32 == torch.backends.cudnn.allow_tf32 == tf32


@pytest.mark.parametrize("device", ["cuda:1", "mps"])
def test_several_processes_do_not_share_one_device(
    device: str, gpus: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(
        ValueError, match=f"2 processes cannot share their work on '{device}'; use --device cuda"
    ):
        find_machine(device)


def test_several_processes_on_a_mac_use_its_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gloo cannot send what is in the memory of its GPU."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert find_machine().device.type == "cpu"


def test_tf32_is_for_cuda() -> None:
    with pytest.raises(ValueError, match="--precision tf32 works on CUDA devices only, got 'cpu'"):
        find_machine("cpu", "tf32")


@pytest.mark.parametrize("deterministic", [False, True])
def test_what_is_deterministic_is_not_chosen_by_a_clock(
    deterministic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    try:
        machine_for(Config(device="cpu", deterministic=deterministic))
        assert torch.are_deterministic_algorithms_enabled() == deterministic
        assert torch.backends.cudnn.benchmark != deterministic
        assert os.environ.get("CUBLAS_WORKSPACE_CONFIG") == (":4096:8" if deterministic else None)
    finally:
        torch.use_deterministic_algorithms(False)


# --- float16


def recipe(**values: Any) -> Recipe:
    plan = PRESETS["digits"].config.recipe()
    return replace(plan, **{"steps": 8, "batch_size": 16, **values})


def linear(data: ImageData = TRAIN) -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Flatten(), nn.Linear(48, 16), nn.Dropout(0.5), nn.Linear(16, 10)
    return nn.Sequential(Normalize(*data.mean_and_std()), *layers)


def new_loop(folder: Path, machine: Machine = CPU) -> Loop:
    return Loop(Trainer(linear(), TRAIN, recipe(), machine), CheckpointFolder(folder, 9), HELD_OUT)


def test_float16_learns_and_goes_on_to_the_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scale of the gradients is part of the state. It begins where they overflow, so that it changes."""
    half = Machine(torch.device("cpu"), float16=True)
    plain = torch.amp.GradScaler
    large = partial(plain, init_scale=2.0**24)
    monkeypatch.setattr(torch.amp, "GradScaler", large)
    whole = new_loop(tmp_path / "whole", half)
    assert whole.run()
    parts = new_loop(tmp_path / "parts", half)
    assert not parts.run(lambda: parts.trainer.step >= 5)
    scale = parts.trainer.scaler.get_scale()
    assert scale < 2.0**24
    again = new_loop(tmp_path / "parts", half)
    again.resume()
    assert again.trainer.scaler.get_scale() == scale
    assert again.run()
    one, two = (loop.trainer.plain_model.state_dict() for loop in (whole, again))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], value) for name, value in linear().state_dict().items())


def test_the_scale_of_another_precision_is_not_needed(tmp_path: Path) -> None:
    half = new_loop(tmp_path, Machine(torch.device("cpu"), float16=True))
    assert not half.run(lambda: half.trainer.step >= 2)
    single = new_loop(tmp_path)
    single.resume()
    assert single.trainer.step == 2
    assert single.run()


# --- Generators


class Accelerator:
    """The module of a device that has a generator, and wants its state in the memory of the CPU."""

    def __init__(self) -> None:
        self.state = torch.arange(16, dtype=torch.uint8)

    def get_rng_state(self) -> torch.Tensor:
        return self.state.clone()

    def set_rng_state(self, state: torch.Tensor) -> None:
        if state.device.type != "cpu" or state.dtype != torch.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if int(state.sum()) > 1000:
            raise RuntimeError("RNG state is wrong")
        self.state = state.clone()


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> Accelerator:
    fake = Accelerator()
    monkeypatch.setattr(torch, "get_device_module", lambda device: fake)
    monkeypatch.setitem(verify.DEVICE_STATES, "meta", 16)
    return fake


def test_the_generator_of_a_device_comes_back(accelerator: Accelerator) -> None:
    state = random_state(META)
    before = accelerator.get_rng_state()
    accelerator.state += 3
    set_random_state(state)  # where the device is another one, it is left alone
    assert not torch.equal(accelerator.state, before)
    set_random_state(state, META)
    assert torch.equal(accelerator.state, before)
    state["device"][1] = torch.full((16,), 255, dtype=torch.uint8)
    with pytest.raises(RuntimeError, match="RNG state is wrong"):
        try_random_state(state, META)
    assert torch.equal(accelerator.state, before)
    assert random_state()["device"] is None


@pytest.mark.usefixtures("accelerator")
@pytest.mark.parametrize(
    "wrong", [["meta", torch.zeros(15, dtype=torch.uint8)], ["tpu", torch.zeros(16)], [1]]
)
def test_a_wrong_state_of_a_device_is_refused(wrong: Any, tmp_path: Path) -> None:
    loop = new_loop(tmp_path)
    path = loop.save()
    values = vars(load(path))
    values["random"][0]["device"] = wrong
    torch.save(values, path)
    with pytest.raises(CheckpointError, match=r"does not fit the model: random\[0\]\.device"):
        loop.resume()


def test_every_process_gets_its_own_generators_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first one's were saved, so all went on with the same masks of dropout."""
    states: list[Any] = []
    for rank in range(3):
        new_loop(tmp_path, replace(CPU, rank=rank))
        states.append(random_state())
        states[-1]["drawn"] = torch.rand(5)
    drawn = [state.pop("drawn") for state in states]
    assert len({tuple(each.tolist()) for each in drawn}) == 3
    monkeypatch.setattr(Machine, "gather", lambda machine, value: states)
    new_loop(tmp_path).save()
    new: list[tuple[float, ...]] = []
    for rank in range(5):
        loop = new_loop(tmp_path, replace(CPU, rank=rank))
        loop.resume()
        new.append(tuple(torch.rand(5).tolist()))
    assert new[:3] == [tuple(each.tolist()) for each in drawn]
    # There are more of them now. What the new ones draw, nobody has drawn.
    assert len(set(new)) == 5


# --- Nobody waits


class Copies(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the copies between devices that wait for the device, and those that do not."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.waiting: list[str] = []
        self.others = 0

    def __torch_dispatch__(self, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.name()
        if name == "aten::_to_copy" and kwargs.get("device", args[0].device) != args[0].device:
            self.note(name, kwargs.get("non_blocking", False))
        elif name == "aten::copy_" and args[0].device != args[1].device and args[1].ndim:
            self.note(name, kwargs.get("non_blocking", len(args) > 2 and args[2]))
        elif name in ("aten::_local_scalar_dense", "aten::nonzero", "aten::equal", "aten::masked_select"):
            self.waiting.append(name)
        return func(*args, **kwargs)

    def note(self, name: str, non_blocking: bool) -> None:
        if non_blocking:
            self.others += 1
        else:
            self.waiting.append(name)


def on_meta(model: nn.Module, plan: Recipe, data: ImageData) -> Trainer:
    """A trainer whose device computes shapes only, and cannot be asked for a number."""
    trainer = Trainer(model, data, plan, Machine(torch.device("cpu")))
    trainer.machine = Machine(META)
    trainer.model = trainer.plain_model = model.to(META)
    trainer.data = object.__new__(ImageData)
    for name, value in (
        ("images", data.images.to(META)),
        ("labels", data.labels.to(META)),
        ("classes", data.classes),
    ):
        object.__setattr__(trainer.data, name, value)
    trainer.optimizer = plan.optimizer(model)
    trainer.totals.sums = trainer.totals.sums.to(META)
    return trainer


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", ["experiment", "speed run"])
def test_a_step_does_not_wait_for_the_device(name: str) -> None:
    """`.to(device)` of indices and crops waited three times."""
    if name == "experiment":
        trainer = on_meta(linear(), recipe(padding=2, flip=True), TRAIN)
    else:
        data, _ = make_synthetic(32, 8, side=32)
        config = SpeedConfig(data="synthetic", channels=(4, 4, 4), batch_size=8, sides=((25, 1.0), (32, 1.0)))
        trainer = on_meta(config.build(data), config.recipe(32), data)
    trainer.take_step()
    with Copies() as copies:
        trainer.take_step()
    assert copies.waiting == []
    assert copies.others == 4  # indices, rows, columns, and what is mirrored


def test_waiting_would_be_noticed() -> None:
    with Copies() as copies:
        torch.zeros(2).to(META)
        torch.zeros(2, device=META).copy_(torch.zeros(2))
        torch.zeros(2).sum().item()
    assert len(copies.waiting) == 3


@pytest.mark.gpu
def test_a_step_on_a_gpu_does_not_wait() -> None:
    trainer = Trainer(linear(), TRAIN, recipe(padding=2), find_machine("cuda"))
    for _ in range(3):
        trainer.take_step()
    torch.cuda.set_sync_debug_mode("error")
    try:
        trainer.take_step()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_crops_that_were_sent_ahead_cut_the_same() -> None:
    crops = Crops.draw(8, 2, True, random_generator(0, "crops", 1))
    images = TRAIN.images[:8]
    assert torch.equal(crops.to(torch.device("cpu")).cut(images), crops.cut(images))


# --- Compiling


@pytest.mark.usefixtures("unchecked")
def test_the_model_that_is_measured_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last batch of the images held out is smaller, and was compiled again in the middle of a run."""
    compiled: list[nn.Module] = []

    def compile(model: nn.Module) -> nn.Module:
        compiled.append(model)
        return nn.Sequential(model)

    monkeypatch.setattr(torch, "compile", compile)
    model = linear()
    prepared = Machine(torch.device("cpu"), compile=True).prepare(model)
    assert compiled == [model] and prepared is not model
    assert model._compiled_call_impl is None


# --- Bytes


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool])
def test_numbers_that_are_no_bytes_are_refused(dtype: torch.dtype) -> None:
    """Floats from 0 to 1 were divided by 255 once more, and the network saw black."""
    with pytest.raises(
        TypeError, match=rf"images must be bytes from 0 to 255, got {dtype}; if they are from 0 to 1"
    ):
        linear()(torch.zeros(1, 3, 4, 4, dtype=dtype))
