"""The bugs show the symptoms that the page describes, mended blocks do not, and its tests tell them apart."""

from __future__ import annotations

import copy
import math
import re
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from labml_nn.resnet import BottleneckResidualBlock, ResidualBlock, ResNetBase, ShortcutProjection
from labml_nn.resnet import pitfalls as page
from labml_nn.resnet.degradation import MakeBlock, network_of
from labml_nn.resnet.pitfalls import (
    BiasBeforeNorm,
    BlocksInList,
    BlocksInSequential,
    InPlace,
    InPlaceAtTheRightPlace,
    NoBiasBeforeNorm,
    OwnNames,
    OwnNorms,
    ReluAfterAddition,
    ReluBeforeAddition,
    ReusedOut,
    SecondTakesIn,
    SecondTakesOut,
    SharedNorm,
    StrideForgotten,
    StrideInFirst,
    accuracy_with_eval,
    accuracy_without_eval,
    blocks_by_count,
    blocks_by_stage,
    changes_input,
    depends_on_batch,
    idle_parameters,
    loss_of_logits,
    loss_of_probabilities,
    rates_by_batch,
    rates_by_epoch,
    sides_and_costs,
    statistics,
    train_on_digits,
    wrong_shapes,
)


def bottleneck(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    return BottleneckResidualBlock(in_channels, 4, out_channels, stride)


MENDED = [
    OwnNames,
    SecondTakesOut,
    StrideInFirst,
    InPlaceAtTheRightPlace,
    ReluAfterAddition,
    NoBiasBeforeNorm,
    OwnNorms,
]
RIGHT: list[MakeBlock] = [ResidualBlock, bottleneck, *MENDED]


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def backward(y: torch.Tensor) -> None:
    torch.autograd.backward(y, torch.randn_like(y))


def accuracy(block: MakeBlock, n: int, seed: int) -> float:
    torch.manual_seed(seed)
    model, valid = train_on_digits(network_of(block, n))
    return accuracy_with_eval(model, valid)


# All blocks


@pytest.mark.parametrize("block", MENDED)
def test_mended_blocks_are_residual_blocks(block: type[ResidualBlock]) -> None:
    for arguments in [(4, 4, 1), (4, 8, 2)]:
        torch.manual_seed(0)
        mended = block(*arguments)
        torch.manual_seed(0)
        right = ResidualBlock(*arguments)
        right.load_state_dict(mended.state_dict())
        x = torch.randn(2, 4, 7, 8)
        assert torch.equal(mended(x), right(x))


@pytest.mark.parametrize("block", RIGHT)
def test_right_blocks_pass_all_tests_of_the_page(block: MakeBlock) -> None:
    x = torch.randn(8, 4, 8, 8)
    assert wrong_shapes(block) == []
    assert idle_parameters(block(4, 4, 1), x) == []
    assert idle_parameters(block(4, 8, 2), x) == []
    assert not changes_input(block(4, 4, 1), x)
    assert not depends_on_batch(block(4, 8, 2).eval(), x)


@pytest.mark.parametrize("block", RIGHT)
def test_a_network_of_right_blocks_trains(block: MakeBlock) -> None:
    network = network_of(block)
    backward(network(torch.randn(4, 1, 8, 8)))
    assert all(p.grad is not None for p in network.parameters())


def test_a_short_training_takes_six_epochs_and_holds_images_out() -> None:
    model, valid = train_on_digits(network_of(ResidualBlock), steps=1)
    assert len(valid) == 360
    assert model.training
    assert round(100 * 64 / (1437 - 360)) == 6


def test_every_bug_of_the_table_has_a_section() -> None:
    source = Path(page.__file__).read_text("utf-8")
    targets = re.findall(r"^\| .* \| \[.*\]\(#(\w+)\) \|$", source, re.MULTILINE)
    assert len(targets) == 12
    for name in targets:
        assert getattr(page, name).__doc__.lstrip().startswith("## ")
        assert "**What you see.**" in getattr(page, name).__doc__
        assert "**Why.**" in getattr(page, name).__doc__


# The reused variable


def test_reused_out_drops_the_residual() -> None:
    block, x = ReusedOut(4, 8, 2), torch.randn(2, 4, 8, 8)
    assert torch.equal(block(x), torch.relu(2 * block.shortcut(x)))
    x = torch.rand(2, 4, 8, 8)
    assert torch.equal(ReusedOut(4, 4, 1)(x), 2 * x)


def test_reused_out_leaves_the_convolutions_without_gradient() -> None:
    network = network_of(ReusedOut)
    backward(network(torch.randn(4, 1, 8, 8)))
    without = {name.split(".", 4)[-1] for name, p in network.named_parameters() if p.grad is None}
    assert without == {f"{layer}.weight" for layer in ("conv1", "conv2", "bn1", "bn2")} | {
        "bn1.bias",
        "bn2.bias",
    }
    trained = {name.split(".")[1] for name, p in network.named_parameters() if p.grad is not None}
    assert trained == {"conv", "bn", "stages", "weight", "bias"}  # `stages`: the projections


@pytest.mark.parametrize("seed", [0, 1])
def test_reused_out_stalls_and_gets_worse_with_depth(seed: int) -> None:
    stalled, deeper = accuracy(ReusedOut, 1, seed), accuracy(ReusedOut, 3, seed)
    assert 0.78 < stalled < 0.9  # about five in six
    assert deeper < stalled - 0.02
    assert accuracy(OwnNames, 1, seed) > 0.965  # about one in fifty wrong


def test_idle_parameters_where_the_last_normalization_starts_at_zero() -> None:
    block = ResidualBlock(4, 4, 1)
    nn.init.zeros_(block.bn2.weight)
    x = torch.randn(8, 4, 8, 8)
    assert idle_parameters(block, x) == ["conv1.weight", "bn1.weight", "bn1.bias", "conv2.weight"]
    nn.init.constant_(block.bn2.weight, 0.1)
    assert idle_parameters(block, x) == []


def test_idle_parameters_of_a_block_that_uses_none() -> None:
    block = ReusedOut(4, 4, 1)
    assert idle_parameters(block, torch.randn(8, 4, 8, 8)) == [name for name, _ in block.named_parameters()]


def test_the_gradient_of_the_sum_has_a_blind_spot() -> None:
    """What the comment in `idle_parameters` says: the sum of what a normalization returns is constant."""
    conv = nn.Conv2d(4, 4, 3, bias=False)
    block = nn.Sequential(conv, nn.BatchNorm2d(4))
    x = torch.randn(8, 4, 8, 8)
    torch.autograd.backward(block(x).sum())
    assert conv.weight.grad is not None and conv.weight.grad.abs().max() < 1e-4
    assert idle_parameters(block, x) == []


# Wrong shapes


def test_wrong_shapes_names_all_cases() -> None:
    assert wrong_shapes(SecondTakesIn) == [(4, 8, 1, 7), (4, 8, 1, 2), (4, 8, 2, 7), (4, 8, 2, 2)]
    assert wrong_shapes(StrideForgotten) == [(4, 4, 2, 7), (4, 4, 2, 2), (4, 8, 2, 7), (4, 8, 2, 2)]


def test_second_takes_in_works_until_the_channels_change() -> None:
    x = torch.randn(2, 8, 8, 8)
    assert SecondTakesIn(8, 8, 1)(x).shape == x.shape
    with pytest.raises(
        RuntimeError, match=r"expected input\[2, 16, 4, 4\] to have 8 channels, but got 16 channels"
    ):
        SecondTakesIn(8, 16, 2)(x)
    with pytest.raises(RuntimeError, match=r"expected input\[2, 16, 4, 4\] to have 8 channels"):
        network_of(SecondTakesIn)(torch.randn(2, 1, 8, 8))


@pytest.mark.parametrize(("block", "a", "b"), [(StrideForgotten, 8, 4), (ResidualBlock, 4, 8)])
def test_message_tells_which_way_lacks_the_stride(block: type[ResidualBlock], a: int, b: int) -> None:
    wrong = block(16, 32, 2)
    if block is ResidualBlock:
        wrong.shortcut = ShortcutProjection(16, 32, 1)
    message = (
        rf"The size of tensor a \({a}\) must match the size of tensor b \({b}\) at non-singleton dimension 3"
    )
    with pytest.raises(RuntimeError, match=message):
        wrong(torch.randn(2, 16, 8, 8))


def test_forgotten_stride_broadcasts_silently() -> None:
    block, x = StrideForgotten(4, 8, 2), torch.randn(4, 4, 2, 2)
    assert block.shortcut(x).shape == (4, 8, 1, 1)
    assert block(x).shape == (4, 8, 2, 2)


# In place


@pytest.mark.parametrize("before", [ResidualBlock(4, 4, 1), nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU())])
def test_in_place_addition_breaks_the_backward_pass(before: nn.Module) -> None:
    y = nn.Sequential(before, InPlace(4, 4, 1))(torch.randn(2, 4, 8, 8))
    with pytest.raises(RuntimeError, match="has been modified by an inplace operation"):
        backward(y)


def test_in_place_on_the_input_of_the_network() -> None:
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place"):
        InPlace(4, 4, 1)(torch.randn(2, 4, 8, 8, requires_grad=True))


def test_in_place_changes_the_input_of_the_caller() -> None:
    block, x = InPlace(4, 4, 1).eval(), torch.randn(2, 4, 8, 8)
    before = x.clone()
    with torch.no_grad():
        first, second = block(x), block(x)
    assert not torch.equal(x, before)
    assert not torch.equal(first, second)


def test_in_place_on_the_output_of_a_relu_fails_too() -> None:
    class AfterRelu(ResidualBlock):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.act2(self.residual(x))
            out += self.shortcut(x)
            return out

    with pytest.raises(RuntimeError, match="has been modified by an inplace operation"):
        backward(AfterRelu(4, 4, 1)(torch.randn(2, 4, 8, 8)))


def test_anomaly_detection_names_the_place() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with torch.autograd.set_detect_anomaly(True):
            y = nn.Sequential(ResidualBlock(4, 4, 1), InPlace(4, 4, 1))(torch.randn(2, 4, 8, 8))
            with pytest.raises(RuntimeError, match="has been modified by an inplace operation"):
                backward(y)
    messages = [str(warning.message) for warning in caught]
    assert any("Error detected in" in text and "resnet/__init__.py" in text for text in messages)


# ReLU before the addition


def test_relu_before_the_addition_only_adds() -> None:
    x = torch.randn(2, 4, 8, 8)
    assert (ReluBeforeAddition(4, 4, 1)(x) >= x).all()
    assert not (ResidualBlock(4, 4, 1)(x) >= x).all()


def test_relu_before_the_addition_adds_equal_steps() -> None:
    means = [mean for mean, _ in statistics(ReluBeforeAddition, 50)]
    steps = [after - before for before, after in pairwise(means)]
    assert steps == pytest.approx([10 / (2 * torch.pi) ** 0.5] * 4, rel=0.02)
    right = [mean for mean, _ in statistics(ResidualBlock, 50)]
    assert means[-1] > 4 * right[-1]
    steps = [after - before for before, after in pairwise(right)]
    assert steps == sorted(steps, reverse=True)  # more and more slowly


@torch.no_grad()
def test_the_last_relu_has_nothing_to_do() -> None:
    x = torch.rand(8, 16, 8, 8)
    first = ResidualBlock(16, 16, 1)(x)
    assert (first == 0).float().mean().item() == pytest.approx(0.33, abs=0.05)
    assert (ReluBeforeAddition(16, 16, 1)(x) > 0).all()
    (_, smallest), (_, right) = statistics(ReluBeforeAddition, 50)[-1], statistics(ResidualBlock, 50)[-1]
    assert smallest > 5
    assert right == 0


def test_a_small_network_learns_all_the_same() -> None:
    assert accuracy(ReluBeforeAddition, 1, 0) > 0.965


# A bias before normalization


def test_bias_before_normalization_gets_no_gradient_and_changes_nothing() -> None:
    block, x = BiasBeforeNorm(16, 32, 2), torch.randn(8, 16, 8, 8)
    y = block(x)
    backward(y)
    for conv in (block.conv1, block.conv2):
        assert conv.bias is not None and conv.bias.grad is not None and conv.weight.grad is not None
        assert conv.bias.grad.abs().max() < 1e-6 * conv.weight.grad.abs().max()
        nn.init.normal_(conv.bias)
    torch.testing.assert_close(block(x), y, atol=1e-4, rtol=1e-4)


def test_adam_moves_the_useless_biases() -> None:
    block, x = BiasBeforeNorm(16, 32, 2), torch.randn(8, 16, 8, 8)
    assert block.conv1.bias is not None
    before = block.conv1.bias.detach().clone()
    optimizer = torch.optim.Adam(block.parameters(), lr=0.001)
    for _ in range(20):
        optimizer.zero_grad()
        backward(block(x))
        optimizer.step()
    assert (block.conv1.bias - before).abs().max() > 0.001  # a whole step and more


# Stride 2 at the wrong blocks

Build = Callable[[list[int], list[int], int], list[nn.Sequential]]


def test_strides_show_in_sizes_and_costs_and_not_in_parameters() -> None:
    arguments = [2, 2, 2, 2], [16, 32, 64, 128], 16
    wrong, right = blocks_by_count(*arguments), blocks_by_stage(*arguments)
    numbers = [[sum(p.numel() for p in stage.parameters()) for stage in stages] for stages in (wrong, right)]
    assert numbers[0] == numbers[1]
    assert [side for side, _ in sides_and_costs(wrong, 16, 16)] == [8, 8, 8, 8]
    assert [side for side, _ in sides_and_costs(right, 16, 16)] == [16, 8, 4, 2]
    cost = [sum(cost for _, cost in sides_and_costs(stages, 16, 16)) for stages in (wrong, right)]
    assert round(cost[0] / cost[1]) == 5
    memory = [
        sum(
            side**2 * channels
            for (side, _), channels in zip(sides_and_costs(stages, 16, 16), arguments[1], strict=True)
        )
        for stages in (wrong, right)
    ]
    assert memory[0] == 2 * memory[1]
    later = [cost for _, cost in sides_and_costs(right, 16, 16)][1:]
    assert len(set(later)) == 1


def test_the_right_strides_are_those_of_the_network() -> None:
    base = ResNetBase([2, 2, 2], [16, 32, 64], first_stride=2, first_pool=False)
    stages = [stage for stage in base.stages if isinstance(stage, nn.Sequential)]
    mended = blocks_by_stage([2, 2, 2], [16, 32, 64], 16)
    sides = [side for side, _ in sides_and_costs(stages, 16, 16)]
    assert sides == [side for side, _ in sides_and_costs(mended, 16, 16)] == [16, 8, 4]


@pytest.mark.parametrize("build", [blocks_by_count, blocks_by_stage])
def test_sizes_are_those_of_a_real_run_and_weights_stay(build: Build) -> None:
    stages = build([1, 2], [4, 8], 4)
    before = copy.deepcopy([stage.state_dict() for stage in stages])
    measured = sides_and_costs(stages, 4, 16)
    for stage, weights in zip(stages, before, strict=True):
        assert all(torch.equal(stage.state_dict()[name], weight) for name, weight in weights.items())
    x = torch.randn(2, 4, 16, 16)
    for stage, (side, _) in zip(stages, measured, strict=True):
        x = stage(x)
        assert x.shape[-1] == side


# Evaluation


def test_without_eval_the_accuracy_depends_on_the_batches() -> None:
    model, valid = train_on_digits(network_of(ResidualBlock))
    in_order = valid.take(valid.labels.argsort())
    assert accuracy_without_eval(copy.deepcopy(model), valid) > 0.96
    assert accuracy_without_eval(copy.deepcopy(model), in_order) < 0.4
    assert accuracy_without_eval(copy.deepcopy(model), valid, batch_size=1) < 0.4
    right = accuracy_with_eval(model, valid)
    assert right > 0.96
    assert accuracy_with_eval(model, in_order) == accuracy_with_eval(model, in_order, batch_size=1) == right


def test_measuring_in_training_mode_changes_the_network() -> None:
    model, valid = train_on_digits(network_of(ResidualBlock), steps=1)
    before = copy.deepcopy(model.state_dict())
    accuracy_with_eval(model, valid)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())
    accuracy_without_eval(model, valid)
    changed = {name for name, value in before.items() if not torch.equal(model.state_dict()[name], value)}
    assert changed == {name for name in before if "running_" in name or "num_batches" in name}


@pytest.mark.parametrize("training", [True, False])
def test_measuring_leaves_the_mode_as_it_was(training: bool) -> None:
    model, valid = train_on_digits(network_of(ResidualBlock), steps=1)
    model.train(training)
    accuracy_with_eval(model, valid.take(torch.arange(8)))
    assert model.training is training


def test_no_grad_is_not_eval() -> None:
    model, images = network_of(ResidualBlock), torch.randn(4, 1, 8, 8)
    with torch.no_grad():
        assert depends_on_batch(model, images)
    assert not depends_on_batch(model.eval(), images)


def test_one_value_per_channel_cannot_be_normalized() -> None:
    with pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):
        ResidualBlock(4, 8, 2)(torch.randn(1, 4, 2, 2))


# Blocks in a list


def test_blocks_in_a_list_get_gradients_and_do_not_learn() -> None:
    listed = BlocksInList(8, 2)
    stage = nn.Sequential(nn.Conv2d(4, 8, 1), listed)
    optimizer = torch.optim.SGD(stage.parameters(), lr=0.1)
    hidden = [p for block in listed.blocks for p in block.parameters()]
    before = copy.deepcopy([*stage.parameters(), *hidden])
    backward(stage(torch.randn(2, 4, 8, 8)))
    optimizer.step()
    assert all(p.grad is not None for p in hidden)
    same = [torch.equal(p, q) for p, q in zip([*stage.parameters(), *hidden], before, strict=True)]
    assert same == [False] * 2 + [True] * len(hidden)


def test_blocks_in_a_sequential_are_the_same_blocks_registered() -> None:
    x = torch.randn(2, 8, 8, 8)
    torch.manual_seed(0)
    wrong = BlocksInList(8, 2)
    torch.manual_seed(0)
    mended = BlocksInSequential(8, 2)
    assert torch.equal(wrong(x), mended(x))
    assert len(list(mended.parameters())) == 2 * len(list(ResidualBlock(8, 8, 1).parameters()))
    other = BlocksInSequential(8, 2)
    other.load_state_dict(mended.state_dict())
    assert torch.equal(other.eval()(x), mended.eval()(x))
    assert not any(block.training for block in mended.blocks)


# One normalization in two places


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_shared_normalization_is_bad_in_evaluation_mode_only(seed: int) -> None:
    torch.manual_seed(seed)
    model, valid = train_on_digits(network_of(SharedNorm), steps=40)
    assert accuracy_with_eval(model, valid) < 0.9
    assert accuracy_without_eval(model, valid) > 0.93
    torch.manual_seed(seed)
    model, valid = train_on_digits(network_of(OwnNorms), steps=40)
    assert accuracy_with_eval(model, valid) > 0.93


def test_a_shared_normalization_changes_nothing_in_training_mode_at_first() -> None:
    shared, x = SharedNorm(4, 8, 2), torch.randn(4, 4, 8, 8)
    own = OwnNorms(4, 8, 2)
    own.load_state_dict(shared.state_dict())
    assert torch.equal(shared(x), own(x))
    assert not torch.allclose(shared.eval()(x), own.eval()(x), atol=0.1)


# Softmax before cross-entropy


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_softmax_twice_bounds_the_loss(classes: int) -> None:
    least = math.log(math.e + classes - 1) - 1
    logits, labels = 10 * torch.randn(1000, classes), torch.randint(classes, (1000,))
    assert loss_of_probabilities(logits, labels) > least
    certain = 100 * torch.eye(classes)
    assert loss_of_probabilities(certain, torch.arange(classes)).item() == pytest.approx(least, rel=1e-5)
    assert loss_of_logits(certain, torch.arange(classes)).item() == 0
    start = loss_of_probabilities(torch.zeros(1, classes), torch.tensor([0])).item()
    assert start == pytest.approx(math.log(classes), rel=1e-5)


def test_softmax_twice_shrinks_the_gradient() -> None:
    labels = torch.arange(10)
    wrong, right = (
        torch.func.grad(loss)(torch.zeros(10, 10), labels) for loss in (loss_of_probabilities, loss_of_logits)
    )
    torch.testing.assert_close(wrong, right / 10)
    logits = 100 * torch.eye(10).roll(1, 0)
    assert torch.func.grad(loss_of_probabilities)(logits, labels).abs().max() < 1e-6
    assert torch.func.grad(loss_of_logits)(logits, labels).abs().max().item() == pytest.approx(0.1)


# The schedule


def test_rates_by_batch_pass_both_milestones_in_the_first_epoch_from_60_batches_on() -> None:
    assert rates_by_batch(2, 60)[1] == pytest.approx(0.001)
    assert rates_by_batch(2, 59)[1] == pytest.approx(0.01)
    assert rates_by_batch(2, 17)[1] == 0.1


def test_rates_by_epoch_do_not_depend_on_the_batches() -> None:
    rates = [0.1] * 30 + [0.01] * 30 + [0.001] * 30
    for batches in (1, 17):
        assert rates_by_epoch(90, batches) == pytest.approx(rates)
    assert rates_by_batch(90, 1) == pytest.approx(rates)


def test_milestones_in_batches_are_a_remedy_too() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [30 * 17, 60 * 17])
    rates = []
    for step in range(90 * 17):
        if step % 17 == 0:
            rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == rates_by_epoch(90, 17)
