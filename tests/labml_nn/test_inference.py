"""Folded networks return what they did before, what cannot be is refused, and ratios are told from times."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from labml_nn.resnet import (
    BottleneckResidualBlock,
    ResidualBlock,
    ResNetBase,
    ResNetClassifier,
    ShortcutProjection,
    cifar_resnet,
)
from labml_nn.resnet import inference as page
from labml_nn.resnet.degradation import network_of
from labml_nn.resnet.inference import (
    RECORD,
    WORKLOADS,
    Affine,
    Convolution,
    Normalization,
    Variant,
    Workload,
    all_variants,
    compare,
    find_pairs,
    fold,
    fold_batch_norm,
    main,
    measure,
    speedups,
)
from labml_nn.resnet.pitfalls import train_on_digits
from labml_nn.training import Normalize, evaluate
from labml_nn.training.machine import Machine, find_machine

# `torch.fx` runs networks with stand-ins for tensors, which the checker of signatures would refuse.
pytestmark = pytest.mark.usefixtures("unchecked")

UNCHANGED = Variant()


def small() -> nn.Module:
    return cifar_resnet(1)


SMALL = Workload("small", small, side=8, images=2, passes=2)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def unsettle(model: nn.Module) -> nn.Module:
    """Gives all normalizations averages, weights and shifts of their own, and returns the model in evaluation mode."""
    for layer in model.modules():
        if (
            isinstance(layer, Normalization)
            and layer.running_mean is not None
            and layer.running_var is not None
        ):
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            if layer.affine:
                nn.init.normal_(layer.weight)
                nn.init.normal_(layer.bias)
    return model.eval()


def assert_equal(model: nn.Module, other: nn.Module, x: torch.Tensor) -> None:
    with torch.no_grad():
        torch.testing.assert_close(other(x), model(x), rtol=1e-5, atol=1e-5)


def normalizations(model: nn.Module) -> list[nn.Module]:
    return [layer for layer in model.modules() if isinstance(layer, Normalization)]


# One pair


@pytest.mark.parametrize("affine", [True, False])
def test_affine_is_the_normalization(affine: bool) -> None:
    bn, z = nn.BatchNorm2d(4, affine=affine, eps=0.1).double(), torch.randn(2, 4, 5, 5).double()
    unsettle(bn)
    of = Affine.of(bn)
    y = of.scale.view(4, 1, 1) * z + of.shift.view(4, 1, 1)
    torch.testing.assert_close(y, bn(z), rtol=1e-12, atol=1e-12)
    assert not of.scale.requires_grad and not of.shift.requires_grad


def test_affine_needs_running_averages() -> None:
    with pytest.raises(
        ValueError, match=r"a normalization must keep running averages, got BatchNorm2d\(4, .*"
    ):
        Affine.of(nn.BatchNorm2d(4, track_running_stats=False))


@pytest.mark.parametrize(
    ("conv", "bn", "shape"),
    [
        (nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), (2, 4, 7, 8)),
        (nn.Conv2d(4, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), (2, 4, 7, 8)),
        (nn.Conv2d(4, 6, 3, groups=2, dilation=2), nn.BatchNorm2d(6), (2, 4, 7, 8)),
        (nn.Conv2d(4, 4, 3, padding=1, groups=4, padding_mode="reflect"), nn.BatchNorm2d(4), (2, 4, 7, 8)),
        (nn.Conv2d(4, 6, 1), nn.BatchNorm2d(6, affine=False), (2, 4, 7, 8)),
        (nn.Conv2d(4, 6, 1), nn.SyncBatchNorm(6), (2, 4, 7, 8)),
        (nn.Conv1d(4, 6, 3), nn.BatchNorm1d(6), (2, 4, 9)),
        (nn.Conv3d(4, 6, (1, 2, 3)), nn.BatchNorm3d(6), (2, 4, 3, 4, 5)),
    ],
)
def test_fold_is_exact(conv: Convolution, bn: Normalization, shape: tuple[int, ...]) -> None:
    """In double precision the rounding errors leave no room for an error of any other kind."""
    pair = unsettle(nn.Sequential(conv, bn)).double()
    before = copy.deepcopy(pair.state_dict())
    folded, x = fold(conv, bn), torch.randn(shape).double()
    torch.testing.assert_close(folded(x), pair(x), rtol=1e-12, atol=1e-12)
    assert type(folded) is type(conv) and folded.bias is not None
    assert all(torch.equal(pair.state_dict()[name], value) for name, value in before.items())


def test_fold_needs_as_many_channels() -> None:
    message = "the normalization must have 6 channels like the convolution before it, got 4"
    with pytest.raises(ValueError, match=f"^{message}$"):
        fold(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(4))


# Networks

MODULES: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "block": (lambda: ResidualBlock(4, 4, 1), 4),
    "block that changes the shape": (lambda: ResidualBlock(4, 8, 2), 4),
    "padded block": (lambda: ResidualBlock(4, 8, 2, shortcut="pad"), 4),
    "bottleneck": (lambda: BottleneckResidualBlock(8, 4, 8, 1), 8),
    "bottleneck that changes the shape": (lambda: BottleneckResidualBlock(8, 4, 16, 2), 8),
    "projection": (lambda: ShortcutProjection(4, 8, 2), 4),
    "ResNet-20, option A": (lambda: cifar_resnet(3), 3),
    "ResNet-20, option B": (lambda: cifar_resnet(3, shortcut="projection"), 3),
    "ResNet-18": (lambda: ResNetBase([2, 2, 2, 2], [64, 128, 256, 512]), 3),
    "bottlenecks": (lambda: ResNetClassifier(ResNetBase([1, 2], [32, 64], [8, 16]), 10), 3),
    "with pixels": (lambda: nn.Sequential(Normalize(torch.zeros(3), torch.ones(3)), cifar_resnet(1)), 3),
}


@pytest.mark.parametrize("name", MODULES)
def test_folded_networks_return_the_same(name: str) -> None:
    make, channels = MODULES[name]
    model, x = make(), torch.rand(4, channels, 32, 32)
    if name == "with pixels":
        x = (255 * x).byte()
    with torch.no_grad():
        for _ in range(10):
            model(x + torch.rand(4, 1, 1, 1) if x.is_floating_point() else x)
    model.eval()
    folded = fold_batch_norm(model)
    assert_equal(model, folded, x)
    assert normalizations(model) and not normalizations(folded)
    assert type(folded) is type(model)
    assert not any(layer.training for layer in folded.modules())
    n_parameters = [sum(p.numel() for p in m.parameters()) for m in (model, folded)]
    channels = sum(layer.num_features for layer in normalizations(model))  # type: ignore[misc]
    assert n_parameters[0] - n_parameters[1] == channels


@pytest.mark.parametrize(
    "name", ["block that changes the shape", "bottleneck that changes the shape", "projection"]
)
def test_folded_blocks_are_exact(name: str) -> None:
    make, channels = MODULES[name]
    model, x = unsettle(make()).double(), torch.randn(2, channels, 9, 9).double()
    torch.testing.assert_close(fold_batch_norm(model)(x), model(x), rtol=1e-11, atol=1e-11)


def test_shortcut_is_paired_with_its_own_normalization() -> None:
    """In the list of modules, the shortcut's convolution stands after `bn2`; what counts is `forward`."""
    assert find_pairs(ResidualBlock(4, 8, 2)).pairs == (
        ("conv1", "bn1"),
        ("conv2", "bn2"),
        ("shortcut.conv", "shortcut.bn"),
    )
    assert find_pairs(cifar_resnet(1)).refused == {}


def test_folding_leaves_the_network_as_it_was() -> None:
    model = unsettle(cifar_resnet(1))
    before = copy.deepcopy(model.state_dict())
    folded = fold_batch_norm(model)
    with torch.no_grad():
        for p in folded.parameters():
            p.zero_()
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_a_folded_network_can_be_saved_and_folded_again() -> None:
    model, x = unsettle(cifar_resnet(1)), torch.rand(2, 3, 8, 8)
    folded, other = fold_batch_norm(model), fold_batch_norm(unsettle(cifar_resnet(1)))
    other.load_state_dict(folded.state_dict())
    assert torch.equal(other(x), folded(x))
    assert torch.equal(fold_batch_norm(folded)(x), folded(x))


# What is refused


def test_training_mode_is_refused() -> None:
    message = "the network must be in evaluation mode, got one in training mode; call eval() first"
    model = cifar_resnet(1)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        fold_batch_norm(model)
    model.eval()
    model.base.bn.train()
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        fold_batch_norm(model)


class Net(nn.Module):
    """Layers `conv`, `other` and `bn`, and whatever `forward` makes of them."""

    def __init__(self, run: Callable[[Any, torch.Tensor], torch.Tensor], **layers: nn.Module) -> None:
        super().__init__()
        self.run = run
        self.conv: nn.Module = nn.Conv2d(4, 4, 3, padding=1)
        self.other: nn.Module = nn.Conv2d(4, 4, 3, padding=1)
        self.bn: nn.Module = nn.BatchNorm2d(4)
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.run(self, x)


class Scaled(nn.Conv2d):
    """A convolution that does more than a convolution."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)


def hooked(layer: nn.Module, before: bool) -> nn.Module:
    if before:
        layer.register_forward_pre_hook(lambda _module, received: (2 * received[0],))
    else:
        layer.register_forward_hook(lambda _module, _received, y: 2 * y)
    return layer


def straight(net: Net, x: torch.Tensor) -> torch.Tensor:
    y: torch.Tensor = net.bn(net.conv(x))
    return y


NO_CONVOLUTION = "it does not follow a convolution"
HOOKS = "it or the convolution before it has hooks"
REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "first": (lambda: Net(lambda net, x: net.conv(net.bn(x))), NO_CONVOLUTION),
    "after a ReLU": (lambda: Net(lambda net, x: net.bn(net.conv(x).relu())), NO_CONVOLUTION),
    "after an addition": (lambda: Net(lambda net, x: net.bn(net.conv(x) + x)), NO_CONVOLUTION),
    "after a transposed convolution": (
        lambda: Net(straight, conv=nn.ConvTranspose2d(4, 4, 3, padding=1)),
        NO_CONVOLUTION,
    ),
    "after a convolution of another kind": (
        lambda: Net(straight, conv=Scaled(4, 4, 3, padding=1)),
        NO_CONVOLUTION,
    ),
    "after a parametrized convolution": (
        lambda: Net(straight, conv=nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 3, padding=1))),
        NO_CONVOLUTION,
    ),
    "after a shared convolution": (
        lambda: Net(lambda net, x: net.bn(net.conv(net.conv(x)))),
        "the convolution before it is used 2 times",
    ),
    "shared": (lambda: Net(lambda net, x: net.bn(net.conv(x)) + net.bn(net.other(x))), "it is used 2 times"),
    "not used": (lambda: Net(lambda net, x: net.conv(x)), "it is used 0 times"),
    "seen by others": (
        lambda: Net(lambda net, x: (lambda z: net.bn(z) + z)(net.conv(x))),
        "others use the output of the convolution too",
    ),
    "convolution's weight read": (
        lambda: Net(lambda net, x: straight(net, x) * net.conv.weight.mean()),
        "others use its weights or those of the convolution",
    ),
    "own weight read": (
        lambda: Net(lambda net, x: straight(net, x) * net.bn.running_var.mean()),
        "others use its weights or those of the convolution",
    ),
    "no averages": (
        lambda: Net(straight, bn=nn.BatchNorm2d(4, track_running_stats=False)),
        "it keeps no running averages",
    ),
    "hook after the convolution": (
        lambda: Net(straight, conv=hooked(nn.Conv2d(4, 4, 3, padding=1), before=False)),
        HOOKS,
    ),
    "hook before the convolution": (
        lambda: Net(straight, conv=hooked(nn.Conv2d(4, 4, 3, padding=1), before=True)),
        HOOKS,
    ),
    "hook before the normalization": (
        lambda: Net(straight, bn=hooked(nn.BatchNorm2d(4), before=True)),
        HOOKS,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_folded_is_refused(name: str) -> None:
    make, why = REFUSED[name]
    model, x = unsettle(make()), torch.randn(2, 4, 6, 6)
    assert find_pairs(model).pairs == ()
    assert find_pairs(model).refused == {"bn": why}
    message = f"all normalizations must be foldable unless partly=True, got bn: {why}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        fold_batch_norm(model)
    assert_equal(model, fold_batch_norm(model, partly=True), x)


def test_older_weight_norm_is_refused() -> None:
    """It sets the weight anew in a hook before each call."""
    with pytest.warns(FutureWarning, match="weight_norm"):
        conv = nn.utils.weight_norm(nn.Conv2d(4, 4, 3))
    assert find_pairs(nn.Sequential(conv, nn.BatchNorm2d(4))).refused == {"1": HOOKS}


def test_partly_folds_what_it_can() -> None:
    model = unsettle(
        nn.Sequential(
            nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3)
        )
    )
    folded = fold_batch_norm(model, partly=True)
    assert [type(layer) for layer in folded.children()] == [
        nn.BatchNorm2d,
        nn.ReLU,
        nn.Conv2d,
        nn.Identity,
        nn.ReLU,
        nn.Conv2d,
    ]
    assert_equal(model, folded, torch.randn(2, 4, 8, 8))


def test_a_normalization_that_is_no_module_stays() -> None:
    class Functional(Net):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            z = self.bn(self.conv(x))
            return nn.functional.batch_norm(z, torch.ones(4), torch.ones(4))

    model = unsettle(Functional(straight))
    assert_equal(model, fold_batch_norm(model), torch.randn(2, 4, 6, 6))


@pytest.mark.parametrize(
    "run",
    [
        lambda net, x: net.bn(net.conv(x)) if x.sum() > 0 else x,
        lambda net, x: net.bn(net.conv(x)) * len(x),
        lambda net, x: net.bn(net.conv(x)) * float(x.mean()),
    ],
)
def test_forward_that_cannot_be_traced_is_refused(run: Callable[[Any, torch.Tensor], torch.Tensor]) -> None:
    message = "^forward must do the same for every input, so that it can be traced, got Net: "
    with pytest.raises(ValueError, match=message):
        fold_batch_norm(Net(run).eval())


def test_a_layer_that_is_no_submodule_is_refused() -> None:
    hidden = nn.Conv2d(4, 4, 1)
    with pytest.raises(
        ValueError, match=r"^forward must do the same .*, got Net: .*not installed as a submodule"
    ):
        fold_batch_norm(Net(lambda net, x: net.bn(hidden(x))).eval())


def test_layers_with_several_names() -> None:
    """Here `forward` uses another name than the one that tracing finds."""
    model = Net(lambda net, x: net.again(net.bn(net.same(x))))
    model.same = model.conv
    model.again = nn.Identity()
    unsettle(model)
    folded = fold_batch_norm(model)
    assert folded.conv is folded.same and not normalizations(folded)
    assert_equal(model, folded, torch.randn(2, 4, 6, 6))


def test_shared_weights() -> None:
    """Two convolutions with one weight: each gets a weight of its own."""
    model = Net(lambda net, x: net.other(net.bn(net.conv(x))))
    model.other.weight = model.conv.weight
    unsettle(model)
    assert_equal(model, fold_batch_norm(model), torch.randn(2, 4, 6, 6))


# Variants


def test_variants_are_all_combinations() -> None:
    used = [(v.folded, v.channels_last, v.bfloat16) for v in all_variants(bfloat16=True)]
    assert sorted(used) == sorted(itertools.product([False, True], repeat=3))
    assert used[0] == (False, False, False) and used[-1] == (True, True, True)
    assert [sum(flags) for flags in used] == [0, 1, 1, 1, 2, 2, 2, 3]
    assert not any(variant.bfloat16 for variant in all_variants(bfloat16=False))
    assert len(all_variants(bfloat16=False)) == 4


@pytest.mark.parametrize("variant", all_variants(bfloat16=True), ids=lambda variant: variant.name)
def test_variants_return_the_same_logits(variant: Variant) -> None:
    model, images = SMALL.build()
    unchanged, logits = UNCHANGED.prepare(model)(images), variant.prepare(model)(images)
    assert logits.dtype == torch.float32
    error = ((logits - unchanged).abs().max() / unchanged.abs().max()).item()
    if variant.bfloat16:
        assert 1e-5 < error < 0.05
    else:
        assert error < 1e-5


def test_variants_do_what_their_names_say(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Machine, nn.Module]] = []
    prepare = Machine.prepare

    def watched(machine: Machine, model: nn.Module) -> nn.Module:
        seen.append((machine, model))
        return prepare(machine, model)

    monkeypatch.setattr(Machine, "prepare", watched)
    model, _ = SMALL.build()
    for variant in all_variants(bfloat16=True):
        variant.prepare(model)
        machine, prepared = seen.pop()
        assert (machine.channels_last, machine.bfloat16) == (variant.channels_last, variant.bfloat16)
        assert bool(normalizations(prepared)) is not variant.folded
        assert prepared is not model


def test_bfloat16_keeps_the_accuracy_on_digits() -> None:
    model, valid = train_on_digits(network_of(ResidualBlock))
    cpu = torch.device("cpu")
    _, single = evaluate(model, valid, Machine(cpu))
    for folded in (model, fold_batch_norm(model)):
        _, half = evaluate(folded, valid, Machine(cpu, bfloat16=True))
        assert abs(half - single) < 0.01
    assert evaluate(fold_batch_norm(model), valid, Machine(cpu))[1] == single


# Measuring


class Clock:
    """Shows times that were made up: each reading is later than the one before by the next number."""

    def __init__(self, seconds: float) -> None:
        self.now, self.seconds = 0.0, seconds

    def __call__(self) -> float:
        self.now += self.seconds
        return self.now


def test_all_variants_are_timed_in_every_round() -> None:
    variants = all_variants(bfloat16=False)
    times, differences = measure(SMALL, variants, 3, Clock(0.5))
    assert [set(seconds) for seconds in times] == [set(variants)] * 3
    assert {value for seconds in times for value in seconds.values()} == {0.5}
    assert len({tuple(seconds) for seconds in times}) > 1  # the order changes
    assert differences[UNCHANGED] == 0
    assert all(0 < differences[variant] < 1e-5 for variant in variants if variant.folded)


def test_each_variant_is_charged_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def prepare(variant: Variant, _model: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
        def predict(_images: torch.Tensor) -> torch.Tensor:
            nonlocal now
            now += 2.0 if variant.folded else 3.0
            return torch.ones(1)

        return predict

    monkeypatch.setattr(Variant, "prepare", prepare)
    times, _ = measure(SMALL, [UNCHANGED, Variant(folded=True)], 4, lambda: now)
    assert times == [{UNCHANGED: 6.0, Variant(folded=True): 4.0}] * 4  # two passes each


def test_passes_are_what_is_timed() -> None:
    made: list[nn.Module] = []

    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls = 0
            self.linear = nn.Linear(3, 3)
            made.append(self)

        def __deepcopy__(self, memo: object) -> Counted:
            return self

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            y: torch.Tensor = self.linear(x.mean(dim=(2, 3)))
            return y

    measure(Workload("counted", Counted, side=4, images=2, passes=7), [UNCHANGED], 5, Clock(1))
    (counted,) = made
    assert counted.calls == 3 + 1 + 7 * 5  # batches for the averages, the first call, and what is timed


@pytest.mark.parametrize("rounds", [1, 0, -1])
def test_rounds_must_show_a_spread(rounds: int) -> None:
    with pytest.raises(ValueError, match=f"^rounds must be at least 2, got {rounds}$"):
        measure(SMALL, [UNCHANGED], rounds)


def test_speedups_are_within_a_round() -> None:
    """The second round ran on a machine twice as slow; the ratios do not show it."""
    folded = Variant(folded=True)
    times = [{UNCHANGED: 2.0, folded: 1.0}, {folded: 2.0, UNCHANGED: 4.0}]
    assert speedups(times, UNCHANGED) == {UNCHANGED: (1, 1, 1), folded: (2, 2, 2)}


class Here:
    """Stands in for the pool of processes, and works in this one."""

    def __init__(self, **_options: object) -> None: ...

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_error: object) -> None: ...

    def submit(self, work: Callable[[], str]) -> Here:
        self.value = work()
        return self

    def result(self) -> str:
        return self.value

    def map(self, work: Callable[..., object], *arguments: Iterable[object]) -> Iterator[object]:
        return map(work, *arguments)


@pytest.mark.parametrize("units", [True, False])
def test_comparison_tells_all_one_has_to_know(monkeypatch: pytest.MonkeyPatch, units: bool) -> None:
    monkeypatch.setattr(page, "find_machine", lambda _: Machine(torch.device("cpu"), bfloat16=units))
    monkeypatch.setattr(page, "ProcessPoolExecutor", Here)
    result = compare([SMALL], processes=1, rounds=3)
    assert set(result) == {"machine", "bfloat16", "versions", "processes", "rounds", "rows"}
    assert result["machine"] == Machine(torch.device("cpu")).describe()
    assert result["versions"]["torch"] == torch.__version__
    assert (result["bfloat16"], result["processes"], result["rounds"]) == (units, 1, 3)
    assert [row["variant"] for row in result["rows"]] == [variant.name for variant in all_variants(units)]
    assert result["rows"][0] == {
        "variant": "unchanged",
        "difference": 0.0,
        "quartiles": {"small": [1.0, 1.0]},
        "small": 1.0,
    }
    for row in result["rows"]:
        first, third = row["quartiles"]["small"]
        assert 0 < first <= row["small"] <= third
    assert json.loads(json.dumps(result)) == result


def test_all_processes_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four processes with made-up times, two workloads: which round belongs to which must not be mixed up."""
    folded = Variant(folded=True)
    other = replace(SMALL, key="other")
    asked: list[str] = []

    def measured(workload: Workload, _variants: object, rounds: int) -> object:
        asked.append(workload.key)
        speed = {"small": [2, 2, 4, 4], "other": [8, 8, 8, 8]}[workload.key][len(asked) // 2 - 1]
        return [{UNCHANGED: 1.0, folded: 1 / speed}] * rounds, {UNCHANGED: 0.0, folded: 1.25e-7 * len(asked)}

    monkeypatch.setattr(page, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(page, "all_variants", lambda _: [UNCHANGED, folded])
    monkeypatch.setattr(page, "measure", measured)
    rows = compare([other, SMALL], processes=4, rounds=2)["rows"]
    assert asked == ["other", "small"] * 4
    assert rows[1] == {
        "variant": "folded",
        "difference": 1e-6,
        "quartiles": {"small": [2, 4], "other": [8, 8]},
        "small": 3,
        "other": 8,
    }


@pytest.mark.thorough
def test_processes_have_one_thread() -> None:
    result = compare([SMALL], processes=1, rounds=2)
    assert result["machine"].endswith(", 1 thread")
    assert result["rows"][-1]["small"] > 0


@pytest.mark.parametrize("processes", [0, -1])
def test_there_must_be_a_process(processes: int) -> None:
    with pytest.raises(ValueError, match=f"^processes must be at least 1, got {processes}$"):
        compare([SMALL], processes, 2)


def test_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "WORKLOADS", [SMALL])
    monkeypatch.setattr(page, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(page, "RECORD", tmp_path / "new" / "inference.json")
    assert main(["--processes", "2", "--rounds", "2"]) == 0
    assert not (tmp_path / "new").exists()
    printed = capsys.readouterr().out
    assert "median of 4 rounds" in printed and "folded, channels last" in printed
    assert main(["--processes", "1", "--rounds", "2", "--record"]) == 0
    assert json.loads(page.RECORD.read_text("utf-8"))["rounds"] == 2
    assert main(["--rounds", "1"]) == 1
    assert capsys.readouterr().err == "error: rounds must be at least 2, got 1\n"


def test_the_command_without_bfloat16_units(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "WORKLOADS", [SMALL])
    monkeypatch.setattr(page, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(page, "find_machine", lambda _: Machine(torch.device("cpu")))
    assert main(["--processes", "1", "--rounds", "2"]) == 0
    assert "This CPU has no units for bfloat16, so it was left out." in capsys.readouterr().out


# The record


@pytest.fixture
def record(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((root / RECORD).read_text("utf-8"))
    return loaded


def test_record_is_of_what_the_code_measures_now(record: dict[str, Any]) -> None:
    assert [row["variant"] for row in record["rows"]] == [v.name for v in all_variants(record["bfloat16"])]
    keys = {workload.key for workload in WORKLOADS}
    for row in record["rows"]:
        assert set(row) == {"variant", "difference", "quartiles"} | keys
        assert set(row["quartiles"]) == keys
        assert all(row["quartiles"][key][0] <= row[key] <= row["quartiles"][key][1] for key in keys)


def test_record_is_what_the_page_says(record: dict[str, Any]) -> None:
    source = " ".join((page.__doc__ or "").split())
    n = record["rounds"] * record["processes"]
    assert (
        f"the medians of {n} rounds, in {record['processes']} processes, on one core of an AMD EPYC" in source
    )
    assert f"PyTorch {record['versions']['torch'].rpartition('.')[0]}." in source
    assert record["machine"] == "AMD EPYC, 1 thread" and record["bfloat16"]
    rows = {row["variant"]: row for row in record["rows"]}
    everything = rows["folded, channels last, bfloat16"]
    alone = [rows[name] for name in ("folded", "channels last", "bfloat16")]
    keys = [workload.key for workload in WORKLOADS]
    for key in keys:
        assert everything[key] == max(row[key] for row in rows.values())
        assert everything[key] > rows["channels last, bfloat16"][key]
    for key in ("resnet20_128", "resnet50_1"):
        assert rows["bfloat16"][key] == max(row[key] for row in alone)
    assert rows["bfloat16"]["resnet20_1"] < 1.15
    average = [sum(row[key] for key in keys) / len(keys) for row in alone]
    assert average[0] == min(average)  # folding alone brings least
    added = [everything[key] / rows["channels last, bfloat16"][key] for key in keys]
    assert sum(added) / len(keys) > average[0]  # and more when the others are used
    for name, row in rows.items():
        if "bfloat16" in name:
            assert 0.003 < row["difference"] < 0.03
        else:
            assert row["difference"] < 3e-6


def test_this_machine_is_asked_for_bfloat16() -> None:
    assert find_machine("cpu").bfloat16 == torch.ops.mkldnn._is_mkldnn_bf16_supported()
