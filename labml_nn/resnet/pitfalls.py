r"""
---
title: Bugs in residual blocks
summary:
  Twelve bugs in residual blocks and around them, each with its symptom reproduced by running code,
  its reason, its cure, and a test that catches it.
hook: Twelve mistakes, how each shows, and the test that finds it.
pictogram: pictograms/pitfalls.svg
before: "[Residual networks](__init__.py)."
next: >-
  [Train a ResNet](experiment.py): a block that passes these tests deserves it.
---

# Bugs in residual blocks

A residual block is a dozen lines, and there are many ways to get it wrong. Some raise an error. The
others run, and the shortcut hides the damage: when the convolutions compute nonsense, or nothing at
all, the input still arrives at the other end, and the loss still falls. It just falls less far than
it should.

This page collects twelve bugs of hand-written blocks and of the code around them. Each is shown
broken, with the symptom that you would see, and then mended, and there is a test that finds it
before a training run is wasted. Find yours by what you see:

| what you see | what it is |
|---|---|
| the accuracy stalls; `weight.grad` is `None` | [the sum lost the convolutions](#ReusedOut) |
| `expected input to have 16 channels` | [`conv2` takes `in_channels`](#SecondTakesIn) |
| `The size of tensor a (8) must match` | [the stride is missing](#StrideForgotten) |
| `modified by an inplace operation` | [`+=` on a tensor that is still needed](#InPlace) |
| activations grow from block to block | [ReLU before the addition](#ReluBeforeAddition) |
| the gradient of a bias is nearly zero | [a bias before batch normalization](#BiasBeforeNorm) |
| too much work; feature maps never get smaller | [stride 2 at the wrong blocks](#blocks_by_count) |
| the same image gets another prediction in another batch | [no `eval()`](#accuracy_without_eval) |
| the accuracy stalls; the checkpoint is too small | [blocks in a Python list](#BlocksInList) |
| good in training mode, bad after `eval()` | [one normalization in two places](#SharedNorm) |
| the loss never falls below 1.46 | [softmax before cross-entropy](#loss_of_probabilities) |
| after a few epochs the loss stands still | [a schedule stepped per batch](#rates_by_batch) |

Every broken block derives from [`ResidualBlock`](__init__.py#ResidualBlock) and changes only what
is wrong, so what you see is the bug and nothing else. The bugs are our choice, and so are their
examples; where a paper has measured one of them, the text says so.
"""

import copy
import math  # noqa: F401 - for the examples
from collections.abc import Iterable
from itertools import product

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from labml_nn.data import ImageData
from labml_nn.resnet import (
    ResidualBlock,
    ResNetBase,  # noqa: F401 - for the examples
)
from labml_nn.resnet.degradation import (
    MakeBlock,
    digits_trainer,
    network_of,  # noqa: F401 - for the examples
)


def train_on_digits(
    network: nn.Module, steps: int = 100
) -> tuple[nn.Module, ImageData]:
    """
    ## A short training

    * `network` takes images of one channel and returns ten logits
    * `steps` is the number of steps, with 64 images each

    Some bugs raise no error, and only training shows them. So we train on
    [handwritten digits](../data/small.py#load_digits), with the
    [recipe](degradation.py#digits_trainer) of the page on degradation. A hundred steps are six
    epochs, which are soon over. The network is [that page's](degradation.py#network_of), too.

    Returns the trained model, which takes bytes, and 360 images that were held out of the training
    set to measure with.
    """
    trainer, valid = digits_trainer(network, steps)
    for _ in range(steps):
        trainer.take_step()
    return trainer.plain_model, valid


class ReusedOut(ResidualBlock):
    r"""
    ## The accuracy stalls, and `weight.grad` is `None`

    **What you see.** Training runs, and the loss falls for a while. Then the accuracy stalls far
    below what others report, and more blocks make it worse instead of better. After six epochs on
    digits, a network with one such block in each stage gets about five images in six right, where
    the mended one misses about one in fifty:

    >>> def accuracy(block, n=1):
    ...     torch.manual_seed(0)
    ...     model, valid = train_on_digits(network_of(block, n))
    ...     return accuracy_with_eval(model, valid)
    >>> accuracy(ReusedOut) < 0.9, accuracy(OwnNames) > 0.95
    (True, True)

    **Why.** Read `forward` line by line and ask where the result of the second convolution goes:
    nowhere. `out` is given a new value before the old one was used. The block computes
    $y = 2 \, W_s x$, or $y = 2x$ where the shortcut is the identity, and $\mathcal{F}(x)$ is
    missing from the sum. What is left of the network is its stem, its projections and its last
    layer. Python does not complain, since a name may be bound again, and neither does PyTorch,
    since a part of the graph that leads nowhere is no error. It simply gets no gradient:

    >>> block = ReusedOut(4, 8, stride=2)
    >>> block(torch.rand(2, 4, 8, 8)).sum().backward()
    >>> print(block.conv1.weight.grad)
    None
    """

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """The shapes are those of `ResidualBlock.forward`."""
        out: Tensor = self.act1(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        # The bug: `out` held the residual.
        out = self.shortcut(x)
        out = self.act2(out + self.shortcut(x))
        return out


class OwnNames(ResidualBlock):
    r"""
    ### Mended: each term has a name of its own

    Call the terms of the sum what they are called in equation 2, the residual and the shortcut. A
    name that is only ever bound once cannot lose its value.

    >>> block = OwnNames(4, 8, stride=2)
    >>> block(torch.rand(2, 4, 8, 8)).sum().backward()
    >>> block.conv1.weight.grad is None
    False
    """

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """The shapes are those of `ResidualBlock.forward`."""
        hidden = self.act1(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(hidden))
        shortcut = self.shortcut(x)
        y: Tensor = self.act2(residual + shortcut)
        return y


def idle_parameters(
    block: nn.Module, x: Float[Tensor, "batch ..."], tolerance: float = 1e-4
) -> list[str]:
    r"""
    ### Catch it early: look for idle parameters

    * `block` is the module to test, in training mode
    * `x` is an input for it; random numbers will do
    * `tolerance` is how much smaller than the largest gradient one must be to count as zero

    Returns the names of parameters that do not take part in learning: those without a gradient, and
    those whose gradient is zero up to rounding. A right block has none.

    >>> _ = torch.manual_seed(0)
    >>> x = torch.randn(8, 4, 8, 8)
    >>> idle_parameters(ReusedOut(4, 4, 1), x)[:3]
    ['conv1.weight', 'bn1.weight', 'bn1.bias']
    >>> idle_parameters(OwnNames(4, 4, 1), x)
    []

    There is one exception. Where the last normalization starts with a weight of zero, as some
    recipes have it, nothing before it gets a gradient in the very first step.
    """
    block.zero_grad()
    # Even a block that uses none of its parameters returns something with a gradient then.
    y = block(x.clone().requires_grad_())
    # Not the gradient of the sum of `y`: a normalization returns the same sum whatever it receives,
    # so a right block might look idle. A random direction has no such blind spot.
    torch.autograd.backward(y, torch.randn_like(y))
    largest = {
        name: 0.0 if p.grad is None else p.grad.abs().max().item()
        for name, p in block.named_parameters()
    }
    limit = tolerance * max(largest.values())
    return [name for name, size in largest.items() if size <= limit]


class SecondTakesIn(ResidualBlock):
    r"""
    ## `expected input to have 16 channels, but got 32 channels instead`

    **What you see.** The first stage works. The first block of the second stage, where 16 channels
    become 32, does not:

    >>> x = torch.randn(2, 16, 8, 8)
    >>> SecondTakesIn(16, 16, stride=1)(x).shape
    torch.Size([2, 16, 8, 8])
    >>> block = SecondTakesIn(16, 32, stride=2)
    >>> block(x)  # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
    RuntimeError: Given groups=1, weight of size [32, 16, 3, 3],
        expected input[2, 32, 4, 4] to have 16 channels,
        but got 32 channels instead

    **Why.** The message names two shapes. A convolution's weight has the shape
    `[out_channels, in_channels, height, width]`, so this layer takes 16 channels. The input has
    the shape `[batch, channels, height, width]`, so it received 32. The input has lost half its
    height and width already, so it has been through `conv1`, and the layer that complains is
    `conv2`. It was written by copying the line of `conv1`, and kept its `in_channels`. But it does
    not receive $x$. It receives what `conv1` returns.

    Wherever a block keeps the number of channels, the two numbers are equal and the bug is
    invisible. A test of one block with 16 channels passes.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int
    ) -> None:
        """The arguments are those of `ResidualBlock`."""
        super().__init__(in_channels, out_channels, stride)
        self.conv2 = nn.Conv2d(
            # The bug: `conv1` has returned `out_channels`.
            in_channels,
            out_channels,
            kernel_size=3,
            padding=1,
            bias=False,
        )


class SecondTakesOut(ResidualBlock):
    """
    ### Mended: the second convolution takes what the first returns

    Only the first layer of a block sees `in_channels`. From there on it is `out_channels` or, in a
    [bottleneck](__init__.py#BottleneckResidualBlock), the number that the layer before returns.

    >>> block = SecondTakesOut(16, 32, stride=2)
    >>> block(torch.randn(2, 16, 8, 8)).shape
    torch.Size([2, 32, 4, 4])
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int
    ) -> None:
        """The arguments are those of `ResidualBlock`."""
        super().__init__(in_channels, out_channels, stride)
        self.conv2 = nn.Conv2d(
            out_channels, out_channels, kernel_size=3, padding=1, bias=False
        )


class StrideForgotten(ResidualBlock):
    r"""
    ## `The size of tensor a (8) must match the size of tensor b (4)`

    **What you see.** Again the first stage works, and the first block of the second does not:

    >>> _ = torch.manual_seed(0)
    >>> block = StrideForgotten(16, 32, stride=2)
    >>> x = torch.randn(2, 16, 8, 8)
    >>> block(x)  # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
    RuntimeError: The size of tensor a (8) must match
        the size of tensor b (4) at non-singleton dimension 3

    **Why.** An addition failed, and dimension 3 is the width. `a` is the residual, still 8 wide,
    and `b` is the shortcut, which has halved it. One of the two ways through the block does not
    know about the stride. Here it is `conv1`, which relies on the default of 1. The same message
    with 4 for `a` and 8 for `b` means that the shortcut lacks it.

    It can be worse: no message at all. The words *non-singleton dimension* say why. Where one side
    is of size 1, PyTorch *broadcasts*: it repeats the one value as often as needed. On a feature
    map of $2 \times 2$ the shortcut returns $1 \times 1$, the sum goes through, and the block
    returns twice the size that it should:

    >>> block(torch.randn(2, 16, 2, 2)).shape
    torch.Size([2, 32, 2, 2])
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int
    ) -> None:
        """The arguments are those of `ResidualBlock`."""
        super().__init__(in_channels, out_channels, stride)
        # The bug: without `stride`, the stride is 1.
        self.conv1 = nn.Conv2d(
            in_channels, out_channels, kernel_size=3, padding=1, bias=False
        )


class StrideInFirst(ResidualBlock):
    r"""
    ### Mended: one stride on each way

    Exactly one layer on each way through the block takes the stride. In a block of two
    convolutions it is the first, so that the second has fewer positions to work on.

    >>> block = StrideInFirst(16, 32, stride=2)
    >>> block(torch.randn(2, 16, 8, 8)).shape
    torch.Size([2, 32, 4, 4])
    >>> block(torch.randn(2, 16, 2, 2)).shape
    torch.Size([2, 32, 1, 1])
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int
    ) -> None:
        """The arguments are those of `ResidualBlock`."""
        super().__init__(in_channels, out_channels, stride)
        self.conv1 = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size=3,
            stride=stride,
            padding=1,
            bias=False,
        )


def wrong_shapes(block: MakeBlock) -> list[tuple[int, int, int, int]]:
    r"""
    ### Catch both early: change the shape

    * `block` makes the blocks to test

    Both bugs hide wherever nothing changes. So a test has to change the channels, then the stride,
    then both, and the sizes should be odd ones and tiny ones. Returns the cases that fail: the
    channels before and after, the stride, and the height and width of the input.

    >>> wrong_shapes(SecondTakesIn)[0]
    (4, 8, 1, 7)
    >>> wrong_shapes(StrideForgotten)[0]
    (4, 4, 2, 7)
    >>> wrong_shapes(ResidualBlock)
    []
    """
    wrong = []
    # All combinations of keeping and changing the channels, the stride, and the size.
    for out_channels, stride, side in product([4, 8], [1, 2], [7, 2]):
        x = torch.randn(2, 4, side, side)
        after = (side + stride - 1) // stride
        try:
            shape = block(4, out_channels, stride)(x).shape
        except RuntimeError:
            shape = None
        # Comparing the shape finds what broadcasting hides.
        if shape != (2, out_channels, after, after):
            wrong.append((4, out_channels, stride, side))
    return wrong


class InPlace(ResidualBlock):
    r"""
    ## `modified by an inplace operation`

    **What you see.** The forward pass is fine, and the backward pass is not:

    >>> before, block = ResidualBlock(4, 4, 1), InPlace(4, 4, 1)
    >>> y = block(before(torch.randn(2, 4, 8, 8))).sum()
    >>> y.backward()  # doctest: +ELLIPSIS +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
    RuntimeError: one of the variables needed for gradient
        computation has been modified by an inplace operation:
        [torch.FloatTensor [2, 4, 8, 8]], ...

    **Why.** `x + f` makes a new tensor, and `x += f` writes into the memory of the old one. But
    others remember what was there. The gradient of a convolution's weight is computed from the
    convolution's *input*, so `conv1` has kept $x$. The gradient of a ReLU depends on where its
    *output* is positive, so the ReLU of the block before has kept $x$ too. After `+=` both would
    compute with wrong numbers. PyTorch counts the changes to each tensor, notices that $x$ is not
    what it was, and refuses.

    If $x$ is the input of the network and needs a gradient itself, the forward pass fails at once:

    >>> x = torch.randn(2, 4, 8, 8, requires_grad=True)
    >>> InPlace(4, 4, 1)(x)  # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
    RuntimeError: a leaf Variable that requires grad is being used
        in an in-place operation.

    **Without gradients there is no message.** Nothing is counted then, and the block overwrites the
    tensor of its caller. The second prediction for the same input is another one:

    >>> block = InPlace(4, 4, 1).eval()
    >>> with torch.no_grad():
    ...     x = torch.randn(2, 4, 8, 8)
    ...     torch.equal(block(x), block(x))
    False
    """

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """Takes `x` of the shape that $y$ has."""
        # The bug: this changes the tensor that the caller passed.
        x += self.residual(x)
        y: Tensor = self.act2(x)
        return y


class InPlaceAtTheRightPlace(ResidualBlock):
    r"""
    ### Mended: add to the residual

    Write `+`, as `ResidualBlock` does, and think no further. If memory matters, add *to the
    residual*: it is new, so nobody else has it, and `bn2`, which made it, has kept its own input
    and not this output. The gradients are the same:

    >>> def gradient(make):
    ...     torch.manual_seed(0)
    ...     block, x = make(4, 4, 1), torch.randn(2, 4, 8, 8)
    ...     block(x).square().sum().backward()
    ...     return block.conv1.weight.grad
    >>> right = gradient(ResidualBlock)
    >>> torch.equal(gradient(InPlaceAtTheRightPlace), right)
    True

    Which layers keep their outputs is easily forgotten, though. Had the residual ended in a ReLU
    instead of a normalization, the same line would fail. To find the operation whose gradient
    cannot be computed, run the step inside of `torch.autograd.set_detect_anomaly(True)`, which
    prints where it was called in the forward pass.
    """

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """The shapes are those of `ResidualBlock.forward`."""
        out = self.residual(x)
        out += self.shortcut(x)
        y: Tensor = self.act2(out)
        return y


def changes_input(block: nn.Module, x: Float[Tensor, "batch ..."]) -> bool:
    r"""
    ### Catch it early: compare the input

    * `block` is the module to test
    * `x` is an input for it

    Returns whether `block` writes into its input. The other half of the test is to run one backward
    pass through *two* blocks, as with one block alone the input needs no gradient.

    >>> x = torch.randn(2, 4, 8, 8)
    >>> changes_input(InPlace(4, 4, 1), x)
    True
    >>> changes_input(InPlaceAtTheRightPlace(4, 4, 1), x)
    False

    It also finds the layers that have `inplace=True` where they must not:

    >>> relu, conv = nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3)
    >>> changes_input(nn.Sequential(relu, conv), x)
    True
    """
    before = x.clone()
    with torch.no_grad():
        block(before)
    return not torch.equal(before, x)


class ReluBeforeAddition(ResidualBlock):
    r"""
    ## Activations that grow from block to block

    **What you see.** No error, and a small network even learns as well as the right one. But the
    means of the feature maps climb from block to block like stairs. Here they are after 10, 20, 30,
    40 and 50 blocks, at initialization:

    >>> wrong = statistics(ReluBeforeAddition, 50)
    >>> [round(mean) for mean, _ in wrong]
    [4, 8, 12, 16, 20]
    >>> right = statistics(ResidualBlock, 50)
    >>> [round(mean) for mean, _ in right]
    [2, 3, 4, 4, 5]

    **Why.** The ReLU, $\sigma$, stands before the addition, so the residual cannot be negative:

    $$y = x + \sigma(\mathcal{F}(x)) \ge x$$

    No block can take away what another has added, and values can only grow. The height of a step
    can be calculated. After a normalization the residual has mean 0 and variance 1 in each channel.
    If it is about normally distributed, its positive part has a mean of
    $1 / \sqrt{2 \pi} \approx 0.4$, and ten blocks add 4.

    In a right block, the residual adds nothing to the mean. What grows is the spread, more and more
    slowly, and the last ReLU turns some of it into a mean. It has work to do: in the first block it
    sets about a third of all values to zero. Here it would have nothing to do, since nothing that
    reached it would be negative. After 50 blocks even the *smallest* value is far from zero.

    >>> mean, smallest = wrong[-1]
    >>> smallest > 5
    True
    >>> mean, smallest = right[-1]
    >>> smallest
    0.0

    The authors tried this order in
    [Identity Mappings in Deep Residual Networks](https://arxiv.org/abs/1603.05027) (figure 4c): a
    network of 110 layers has an error of 7.84 % on CIFAR-10, against 6.61 % with the ReLU after the
    addition (table 2).
    """

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """The shapes are those of `ResidualBlock.forward`."""
        # The bug: one pair of brackets closes too early.
        y: Tensor = self.act2(self.residual(x)) + self.shortcut(x)
        return y


class ReluAfterAddition(ResidualBlock):
    r"""
    ### Mended: add first

    Add first, then apply the ReLU. The residual can be negative now, and a block can correct what
    the ones before it have done. The pre-activation blocks of the same paper go further: they have
    no ReLU after the addition either, but at the beginning of the residual.

    >>> right = statistics(ResidualBlock, 50)
    >>> statistics(ReluAfterAddition, 50) == right
    True
    """

    def forward(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        """The shapes are those of `ResidualBlock.forward`."""
        y: Tensor = self.act2(self.residual(x) + self.shortcut(x))
        return y


@torch.no_grad()
def statistics(block: MakeBlock, depth: int) -> list[tuple[float, float]]:
    r"""
    ### Catch it early: look at the values

    * `block` makes the blocks
    * `depth` is the number of blocks in the stack

    Returns the mean and the smallest of all values after every tenth block, at initialization. In a
    block that ends with a ReLU the smallest is zero. If it climbs, it is this bug.
    """
    torch.manual_seed(0)
    x = torch.rand(8, 16, 8, 8)
    seen = []
    for number in range(1, depth + 1):
        x = block(16, 16, 1)(x)
        if number % 10 == 0:
            seen.append((x.mean().item(), x.min().item()))
    return seen


class BiasBeforeNorm(ResidualBlock):
    r"""
    ## A bias whose gradient is zero

    **What you see.** Nothing, unless you look at the gradients. Those of the biases are smaller
    than all others by a factor of a million:

    >>> _ = torch.manual_seed(0)
    >>> block = BiasBeforeNorm(16, 32, stride=2)
    >>> y = block(torch.randn(8, 16, 8, 8))
    >>> y.backward(torch.randn_like(y))
    >>> conv = block.conv1
    >>> bool(conv.weight.grad.abs().max() > 1)
    True
    >>> bool(conv.bias.grad.abs().max() < 1e-4)
    True

    **Why.** A bias $b$ adds one number to all values of a channel, and batch normalization
    subtracts the mean of the channel, which is larger by the same number. With $z$ for a value of
    the channel, and $\mu$ and $s$ for their mean and standard deviation over the batch,

    $$\frac{(z + b) - (\mu + b)}{s} = \frac{z - \mu}{s}$$

    What does not depend on $b$ has the gradient zero. What you see of it is rounding error.

    It does no harm to the result. But each bias is stored, summed up over all positions in the
    backward pass, and updated by the optimizer for nothing. An optimizer that divides by the size
    of the gradient, such as Adam, even makes real steps out of the rounding errors, and the useless
    numbers wander around. All of ResNet-50 would have this many:

    >>> with torch.device('meta'):
    ...     resnet50 = ResNetBase([3, 4, 6, 3],
    ...         [256, 512, 1024, 2048], [64, 128, 256, 512])
    >>> sum(layer.out_channels for layer in resnet50.modules()
    ...     if isinstance(layer, nn.Conv2d))
    26560
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int
    ) -> None:
        """The arguments are those of `ResidualBlock`."""
        super().__init__(in_channels, out_channels, stride)
        # The bug: a convolution has a bias unless one says `bias=False`.
        self.conv1 = nn.Conv2d(
            in_channels, out_channels, kernel_size=3, stride=stride, padding=1
        )
        self.conv2 = nn.Conv2d(
            out_channels, out_channels, kernel_size=3, padding=1
        )


class NoBiasBeforeNorm(ResidualBlock):
    r"""
    ### Mended: `bias=False`

    Say `bias=False` in each convolution that a normalization follows. The normalization's own
    shift, which is added *after* the mean was subtracted, does the work. Once training is over, the
    two become one layer, and then it does have a bias: see [inference](inference.py).

    To catch it early, use `idle_parameters` from above:

    >>> _ = torch.manual_seed(0)
    >>> x = torch.randn(8, 4, 8, 8)
    >>> idle_parameters(BiasBeforeNorm(4, 8, stride=2), x)
    ['conv1.bias', 'conv2.bias']
    >>> idle_parameters(NoBiasBeforeNorm(4, 8, stride=2), x)
    []
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int
    ) -> None:
        """The arguments are those of `ResidualBlock`."""
        super().__init__(in_channels, out_channels, stride)
        self.conv1 = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size=3,
            stride=stride,
            padding=1,
            bias=False,
        )
        self.conv2 = nn.Conv2d(
            out_channels, out_channels, kernel_size=3, padding=1, bias=False
        )


def blocks_by_count(
    n_blocks: list[int], n_channels: list[int], channels: int
) -> list[nn.Sequential]:
    r"""
    ## Feature maps that do not get smaller

    * `n_blocks` is the number of blocks in each stage
    * `n_channels` is the number of channels of each stage
    * `channels` is the number of channels that the first stage receives

    **What you see.** The network does several times the work of others of its name, and its feature
    maps take twice the memory. It trains, and its parameters are right to the last one. Only the
    sizes give it away. An image of $32 \times 32$ is $16 \times 16$ after a stem with a stride
    of 2, then $8 \times 8$, and stays so through all four stages:

    >>> numbers = [2, 2, 2, 2], [16, 32, 64, 128]
    >>> stages = blocks_by_count(*numbers, channels=16)
    >>> measured = sides_and_costs(stages, 16, 16)
    >>> [side for side, _ in measured]
    [8, 8, 8, 8]

    **Why.** The code asks whether there is a block already, and `blocks` counts those of *all*
    stages. So the very first block of the network halves the image, where it should not, and the
    first blocks of the other stages do not, where they should.

    The channels double from stage to stage all the same. A convolution with twice the channels
    before and after has four times the weights, which normally a quarter of the positions makes up
    for (section 3.3). Here nothing does. The multiply-adds of the four stages, in millions:

    >>> [round(cost / 1e6, 1) for _, cost in measured]
    [0.6, 2.1, 8.3, 33.0]
    """
    stages, blocks = [], 0
    for n, out_channels in zip(n_blocks, n_channels, strict=True):
        stage = nn.Sequential()
        for _ in range(n):
            # The bug: this asks about the network and means the stage.
            stride = 1 if blocks else 2
            stage.append(
                ResidualBlock(channels, out_channels, stride, shortcut="pad")
            )
            channels = out_channels
            blocks += 1
        stages.append(stage)
    return stages


def blocks_by_stage(
    n_blocks: list[int], n_channels: list[int], channels: int
) -> list[nn.Sequential]:
    r"""
    ### Mended: count within the stage

    Count in the unit that the rule is about. A stride of 2 belongs in the first block *of a stage*,
    except in the first stage, which keeps the size that the stem has left. Arguments and result are
    those of `blocks_by_count`.

    >>> numbers = [2, 2, 2, 2], [16, 32, 64, 128]
    >>> stages = blocks_by_stage(*numbers, channels=16)
    >>> measured = sides_and_costs(stages, 16, 16)
    >>> [side for side, _ in measured]
    [16, 8, 4, 2]
    >>> [round(cost / 1e6, 1) for _, cost in measured]
    [2.4, 2.1, 2.1, 2.1]

    All stages cost about the same now, and the whole a fifth of what it did. (The first stage costs
    a little more, as none of its convolutions takes fewer channels than it returns.)
    """
    stages = []
    for i, out_channels in enumerate(n_channels):
        stage = nn.Sequential()
        for j in range(n_blocks[i]):
            stride = 2 if i > 0 and j == 0 else 1
            stage.append(
                ResidualBlock(channels, out_channels, stride, shortcut="pad")
            )
            channels = out_channels
        stages.append(stage)
    return stages


def sides_and_costs(
    stages: list[nn.Sequential], channels: int, side: int
) -> list[tuple[int, int]]:
    r"""
    ### Catch it early: compare sizes

    * `stages` are the stages of a network
    * `channels` and `side` are those of the feature map that the first stage receives

    Returns the side of the feature map after each stage, and the multiply-adds of its convolutions
    for one image. Compare the sides with the table of the paper, or of whoever designed the
    network: that is one line of a test, and the numbers of parameters do not replace it, because
    strides have none. (The shortcuts in both networks are padded ones, which have no parameters
    either.)

    On the `meta` device tensors have a shape and no values, so this costs nothing even for a large
    network.
    """
    x = torch.empty(1, channels, side, side, device="meta")
    seen = []
    cost = 0

    def count(layer: nn.Module, received: tuple[Tensor], y: Tensor) -> None:
        nonlocal cost
        # Each weight is used once at each position of the output.
        if isinstance(layer, nn.Conv2d):
            cost += layer.weight.numel() * y.shape[-2] * y.shape[-1]

    for stage in stages:
        cost = 0
        # A copy, because moving a layer to `meta` would throw its weights away.
        copied = copy.deepcopy(stage).to("meta")
        for layer in copied.modules():
            layer.register_forward_hook(count)
        x = copied(x)
        seen.append((x.shape[-1], cost))
    return seen


@torch.no_grad()
def accuracy_without_eval(
    model: nn.Module, data: ImageData, batch_size: int = 36
) -> float:
    r"""
    ## Predictions that depend on the batch

    * `model` takes bytes and returns logits
    * `data` are the images to measure with
    * `batch_size` is the number of images that are predicted together

    **What you see.** The same image gets another prediction in other company, the accuracy depends
    on the batch size, and a demonstration with one picture is worse than the number in the report.
    It can look harmless for long. With shuffled images, this function reports what it should. With
    the same images sorted by class, or one at a time, the same network seems to have forgotten
    everything:

    >>> _ = torch.manual_seed(0)
    >>> model, valid = train_on_digits(network_of(ResidualBlock))
    >>> in_order = valid.take(valid.labels.argsort())
    >>> accuracy_without_eval(model, valid) > 0.95
    True
    >>> accuracy_without_eval(model, in_order) < 0.5
    True
    >>> accuracy_without_eval(model, valid, batch_size=1) < 0.5
    True
    >>> accuracy_with_eval(model, in_order) > 0.95
    True

    **Why.** In training mode, batch normalization subtracts the mean *of the batch*. A batch of
    nothing but threes has the mean of the threes, and subtracting it takes away just what makes
    them threes. So it is with a batch of one image. In evaluation mode it uses the averages that it
    has gathered in training, which are the same for every image. Note that `torch.no_grad()` does
    not help: it says that no gradients are needed, and nothing about the mode.

    There are two more symptoms. A batch of one image that has shrunk to $1 \times 1$ has no spread
    to divide by:

    >>> block = ResidualBlock(4, 8, stride=2)
    >>> x = torch.randn(1, 4, 2, 2)
    >>> block(x)  # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
    ValueError: Expected more than 1 value per channel
        when training, got input size torch.Size([1, 8, 1, 1])

    And measuring changes the network, because the averages go on gathering. What it has seen of the
    test set is then in its checkpoint.

    >>> before = model[1].base.bn.running_mean.clone()
    >>> _ = accuracy_without_eval(model.train(), valid)
    >>> torch.equal(model[1].base.bn.running_mean, before)
    False
    """
    # The bug is a line that is not there.
    hits = 0
    for start in range(0, len(data), batch_size):
        logits = model(data.images[start : start + batch_size])
        labels = data.labels[start : start + batch_size]
        hits += int((logits.argmax(dim=1) == labels).sum())
    return hits / len(data)


def accuracy_with_eval(
    model: nn.Module, data: ImageData, batch_size: int = 36
) -> float:
    """
    ### Mended: `eval()` where you measure

    Say `eval()` where you measure, and `train()` where you train, and not in some third place that
    must be remembered. The [training loop](../training/loop.py) does it that way: `take_step`
    begins with `train()`, and `evaluate` with `eval()`. Arguments and result are those of
    `accuracy_without_eval`.
    """
    # Whoever calls this may be in the middle of a training run.
    was_training = model.training
    model.eval()
    accuracy = accuracy_without_eval(model, data, batch_size)
    model.train(was_training)
    return accuracy


@torch.no_grad()
def depends_on_batch(
    model: nn.Module, images: Shaped[Tensor, "batch ..."]
) -> bool:
    """
    ### Catch it early: predict one alone

    * `model` is the network as you would use it to predict
    * `images` are a few inputs for it, of shape `[batch, ...]`

    Returns whether the first image gets another result in company than alone. It allows for
    rounding, since a library may add up in another order when there is more to do.

    >>> _ = torch.manual_seed(0)
    >>> model = network_of(ResidualBlock)
    >>> images = torch.randn(4, 1, 8, 8)
    >>> depends_on_batch(model, images)
    True
    >>> depends_on_batch(model.eval(), images)
    False
    """
    together, alone = model(images)[:1], model(images[:1])
    return not torch.allclose(together, alone, rtol=1e-4, atol=1e-5)


class BlocksInList(nn.Module):
    r"""
    ## Blocks that never learn

    * `channels` is the number of channels
    * `n` is the number of blocks

    **What you see.** The blocks compute, and get gradients. But the accuracy stalls, as with blocks
    of random weights, and a checkpoint is too small. It loads without a complaint, and then the
    predictions are different ones:

    >>> _ = torch.manual_seed(0)
    >>> stage, loaded = BlocksInList(8, n=3), BlocksInList(8, n=3)
    >>> loaded.load_state_dict(stage.state_dict())
    <All keys matched successfully>
    >>> x = torch.rand(2, 8, 4, 4)
    >>> torch.equal(loaded(x), stage(x))
    False

    **Why.** A module registers the modules and parameters that are assigned to its attributes. A
    Python list is neither, and PyTorch does not look inside. So the blocks are missing from
    `parameters()`, and the optimizer does not train them. `state_dict()` does not save them, `to()`
    does not move them to the GPU, and `eval()` does not reach them:

    >>> len(list(stage.parameters())), len(stage.state_dict())
    (0, 0)
    >>> block = stage.eval().to('meta').blocks[0]
    >>> block.training, block.conv1.weight.device.type
    (True, 'cpu')
    """

    def __init__(self, channels: int, n: int) -> None:
        super().__init__()
        # The bug: a list of modules is not a module.
        self.blocks: Iterable[nn.Module] = [
            ResidualBlock(channels, channels, stride=1) for _ in range(n)
        ]

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Passes `x` through all blocks and returns what the last one returns."""
        for block in self.blocks:
            x = block(x)
        return x


class BlocksInSequential(BlocksInList):
    r"""
    ### Mended: `nn.Sequential`

    Keep modules in an `nn.Sequential`, or in an `nn.ModuleList` or `nn.ModuleDict` if `forward`
    does more than to call them in turn. To catch the bug early, count the parameters. Here three
    blocks have two convolutions of $8 \times 8 \times 3 \times 3$ weights each, and two
    normalizations with a scale and a shift for each channel:

    >>> stage = BlocksInSequential(8, n=3)
    >>> n_parameters = sum(p.numel() for p in stage.parameters())
    >>> n_parameters, 3 * (2 * 8 * 8 * 3 * 3 + 2 * 2 * 8)
    (3552, 3552)
    """

    def __init__(self, channels: int, n: int) -> None:
        """The arguments are those of `BlocksInList`."""
        super().__init__(channels, n)
        self.blocks = nn.Sequential(*self.blocks)


class SharedNorm(ResidualBlock):
    r"""
    ## Good in training mode, bad in evaluation mode

    **What you see.** The loss falls as it should. Measured in training mode the network is good,
    and after `eval()` the same weights are bad:

    >>> _ = torch.manual_seed(0)
    >>> network = network_of(SharedNorm)
    >>> model, valid = train_on_digits(network, steps=40)
    >>> accuracy_with_eval(model, valid) < 0.9
    True
    >>> accuracy_without_eval(model, valid) > 0.9
    True

    **Why.** In training mode, a normalization uses the mean and the variance of what it receives,
    so each place gets its own. But there is only one pair of running averages, and each place moves
    them a tenth of the way to its own values. They end up about halfway between the two, where they
    are right for neither. With means of 0 and 10:

    >>> norm = nn.BatchNorm2d(1)
    >>> for _ in range(100):
    ...     _ = norm(torch.full((2, 1, 1, 1), 0.0))
    ...     _ = norm(torch.full((2, 1, 1, 1), 10.0))
    >>> round(norm.running_mean.item(), 1)
    5.3
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int
    ) -> None:
        """The arguments are those of `ResidualBlock`."""
        super().__init__(in_channels, out_channels, stride)
        # The bug: one layer, and one pair of averages, for two places.
        self.bn2 = self.bn1


class OwnNorms(ResidualBlock):
    r"""
    ### Mended: a normalization for each place

    A ReLU may be shared, since it stores nothing. A layer that gathers averages may not, even where
    two places share a convolution on purpose. To catch the bug early, run one batch. Batch
    normalization counts its calls in training mode, and there must be one:

    >>> def calls(block):
    ...     _ = block(torch.rand(2, 4, 8, 8))
    ...     return block.bn1.num_batches_tracked.item()
    >>> calls(SharedNorm(4, 4, stride=1)), calls(OwnNorms(4, 4, stride=1))
    (2, 1)
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int
    ) -> None:
        """The arguments are those of `ResidualBlock`."""
        super().__init__(in_channels, out_channels, stride)
        self.bn2 = nn.BatchNorm2d(out_channels)


def loss_of_probabilities(
    logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]
) -> Float[Tensor, ""]:
    r"""
    ## A loss that stops at 1.46

    * `logits` are what the last layer returns
    * `labels` are the true classes

    **What you see.** With ten classes, the loss starts near 2.30, as it should. Then it falls
    slowly, and never below 1.46. Even a network that is right and certain does not get there:

    >>> labels = torch.arange(10)
    >>> certain = 100 * torch.eye(10)
    >>> for logits in (torch.zeros(10, 10), certain):
    ...     wrong = loss_of_probabilities(logits, labels).item()
    ...     right = loss_of_logits(logits, labels).item()
    ...     print(f'{wrong:.2f} {right:.2f}')
    2.30 2.30
    1.46 0.00

    **Why.** `F.cross_entropy` takes logits and applies softmax itself. Here it receives
    probabilities $p$ and applies a second softmax to them. They lie between 0 and 1, so the true
    class $c$ leads each of the nine others by 1 at most:

    $$-\log \frac{e^{p_c}}{\sum_j e^{p_j}} = \log \Big(1 + \sum_{j \ne c} e^{p_j - p_c}\Big)
    \ge \log (1 + 9 e^{-1}) = \log (e + 9) - 1$$

    >>> f'{math.log(math.e + 9) - 1:.2f}'
    '1.46'

    The gradient shrinks on its way through the first softmax: to a tenth where all logits are
    equal, and to almost nothing where the network is certain and wrong. That is where it should be
    largest:

    >>> def gradient(loss, logits):
    ...     return torch.func.grad(loss)(logits, torch.tensor([0]))
    >>> for logits in (torch.zeros(1, 10), certain[1:2]):
    ...     for loss in (loss_of_probabilities, loss_of_logits):
    ...         print(f'{gradient(loss, logits).abs().max():.2f}')
    0.09
    0.90
    0.00
    1.00
    """
    # The bug: the loss does this itself.
    probabilities = logits.softmax(dim=1)
    return F.cross_entropy(probabilities, labels)


def loss_of_logits(
    logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"]
) -> Float[Tensor, ""]:
    """
    ### Mended: no softmax in the network

    Let the network end with its linear layer, and apply softmax only where someone reads the
    probabilities. To catch the bug early, train on one small batch over and over: the loss of a
    working network gets close to zero. Arguments and result are those of `loss_of_probabilities`.
    """
    return F.cross_entropy(logits, labels)


def rates_by_batch(epochs: int, batches: int) -> list[float]:
    r"""
    ## A learning rate that falls too early

    * `epochs` is the number of epochs
    * `batches` is the number of batches in each

    **What you see.** The loss falls for a few epochs, or only for a few batches. Then it stands
    still, and more epochs do not help. This function returns the learning rate at the start of each
    epoch. It was to be divided by ten after 30 and 60 epochs:

    >>> [round(rate, 3) for rate in rates_by_batch(6, batches=17)]
    [0.1, 0.1, 0.01, 0.01, 0.001, 0.001]

    **Why.** A scheduler knows neither batches nor epochs. It counts the calls of `step()`, and here
    30 calls take less than two epochs. The more batches an epoch has, the earlier the rate falls:
    from 60 on, both milestones are passed before the second epoch. The opposite mistake, a schedule
    in batches that is stepped per epoch, leaves the rate where it was.
    """
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [30, 60])
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        for _ in range(batches):
            optimizer.step()
            # The bug: the milestones are epochs.
            schedule.step()
    return rates


def rates_by_epoch(epochs: int, batches: int) -> list[float]:
    r"""
    ### Mended: step in the unit of the milestones

    Call `step()` once per epoch, after its last batch. Or call it per batch and give the milestones
    in batches, `30 * batches` and `60 * batches`; our [schedules](../training/schedule.py) count
    batches throughout. To catch the bug early, list the rates without training, as these functions
    do, and record the rate next to the loss. Arguments and result are those of `rates_by_batch`.

    >>> rates = rates_by_epoch(90, batches=17)
    >>> [round(rates[epoch], 3) for epoch in (0, 29, 30, 59, 60, 89)]
    [0.1, 0.1, 0.01, 0.01, 0.001, 0.001]
    """
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [30, 60])
    rates = []
    for _ in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        for _ in range(batches):
            optimizer.step()
        schedule.step()
    return rates
