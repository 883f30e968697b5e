r"""
---
title: "Exercises: residual networks"
summary:
  Ten questions about residual networks, for pencil and paper, each with an answer that opens and an
  example that proves it.
hook: Ten questions, and answers that run.
pictogram: pictograms/exercises.svg
before: "[Residual networks](__init__.py) and [pre-activation](preactivation.py)."
next: >-
  [Bugs in residual blocks](pitfalls.py): what these answers help you to find.
---

# Exercises: residual networks

Each question can be answered with pencil and paper, from what
[the page on residual networks](__init__.py) says. Write your answer down before you open ours: a
guess that turns out to be wrong is remembered best. Every answer ends with an example that runs, so
you can change it and see what happens.

## Where the parameters are

**1.** A ResNet-20 for CIFAR-10 has three stages of 16, 32 and 64 channels with the same number of
blocks. Which share of the weights of its convolutions is in the last stage? Guess first, then
count: a $3 \times 3$ convolution from $a$ to $b$ channels has $9ab$ weights.

<details>
<summary>Answer</summary>

About three quarters. Twice the channels mean four times the weights. Where the stages are alike,
their shares are $1 : 4 : 16$, which makes $16 / 21 \approx 76\,\%$. The first convolution of each
later stage has only half of the input channels, so the exact number differs a little:

>>> stages = cifar_resnet(3, shortcut='pad').base.stages
>>> def weights(module):
...     return sum(p.numel() for p in module.parameters() if p.dim() == 4)
>>> [weights(stage) for stage in stages]
[13824, 50688, 202752]
>>> round(202752 / (13824 + 50688 + 202752 + 432), 3)
0.757

The same cannot be said of the computation. The last stage has a sixteenth of the positions, so all
three stages cost about the same.

</details>

**2.** Two $3 \times 3$ convolutions with 256 channels, or a bottleneck with 64 channels inside: how
many times more weights have the former?

<details>
<summary>Answer</summary>

Seventeen times. The bottleneck has two $1 \times 1$ convolutions with $256 \cdot 64$ weights and
one $3 \times 3$ with $9 \cdot 64^2$, in units of $64^2$ that is $4 + 9 + 4 = 17$. The two
convolutions have $2 \cdot 9 \cdot 4^2 = 288$ units.

>>> wide = weights(ResidualBlock(256, 256, stride=1))
>>> narrow = weights(BottleneckResidualBlock(256, 64, 256, stride=1))
>>> wide, narrow, round(wide / narrow, 1)
(1179648, 69632, 16.9)

</details>

## What a layer can and cannot do

**3.** The convolutions here have no bias. What would change if they had one?

<details>
<summary>Answer</summary>

Nothing. Batch normalization subtracts the mean of every channel over the batch, and a constant with
it. The gradient of such a bias is zero, but for rounding, so it would never move either.

>>> _ = torch.manual_seed(0)
>>> conv, bn = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
>>> y = bn(conv(torch.randn(4, 3, 10, 10)))
>>> (y ** 3).sum().backward()
>>> bool(conv.bias.grad.abs().max() < 1e-3 * conv.weight.grad.abs().max())
True

</details>

**4.** Multiply all weights of a convolution that is followed by batch normalization by 10. What
happens to the output, and what to the gradient with respect to these weights? What follows for
weight decay?

<details>
<summary>Answer</summary>

The output stays the same, since the normalization divides by a standard deviation that is 10 times
larger as well. The gradient becomes a tenth: a step of the same length turns a vector that is 10
times longer by a tenth of the angle.

>>> def gradient(scale):
...     _ = torch.manual_seed(0)
...     conv, bn = nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8, eps=1e-12)
...     with torch.no_grad():
...         conv.weight.mul_(scale)
...     (bn(conv(torch.randn(4, 3, 10, 10))) ** 3).sum().backward()
...     return conv.weight.grad
>>> torch.allclose(gradient(10.), gradient(1.) / 10, rtol=1e-3, atol=1e-4)
True

So the length of these weights means nothing for what the network computes, but it divides the step
twice: the gradient is shorter, and the vector longer. The effective learning rate is the rate
divided by the *squared* length. Weight decay shortens the weights and thereby raises it. For such
layers it is a way to keep learning, and not a way to keep the function simple.

</details>

**5.** A projection shortcut with stride 2 is a $1 \times 1$ convolution that visits every second
row and column. Which share of its input does it look at?

<details>
<summary>Answer</summary>

A quarter. The gradient of the output is zero at three of four positions:

>>> shortcut = ShortcutProjection(16, 32, stride=2).eval()
>>> x = torch.ones(1, 16, 8, 8, requires_grad=True)
>>> shortcut(x).sum().backward()
>>> (x.grad[0, 0] != 0).float().mean().item()
0.25

The residual sees them all, through its $3 \times 3$ convolution, so nothing is lost to the block as
a whole. An average over $2 \times 2$ positions before the projection looks at everything, and helps
a little ([He et al. 2018](https://arxiv.org/abs/1812.01187), ResNet-D).

</details>

**6.** Each position of the first stage of a ResNet-20 sees a square of the image. How long is its
side after the three blocks?

<details>
<summary>Answer</summary>

15 pixels. The stem sees 3, and each of the six convolutions of the stage adds one pixel on every
side, $3 + 6 \cdot 2 = 15$. To see it, count the pixels that have a gradient:

>>> base = cifar_resnet(3).base.eval()
>>> image = torch.rand(1, 3, 32, 32, requires_grad=True)
>>> y = base.stages[0](base.act(base.bn(base.conv(image))))
>>> y[0, :, 16, 16].sum().backward()
>>> int((image.grad[0].abs().sum(0) > 0).any(0).sum())
15

A shortcut changes nothing about the largest path, but it offers all the shorter ones: some of what
arrives has seen only $3 \times 3$ pixels.

</details>

## Why it works

**7.** Take the simplest of all networks: one number, and $L$ layers that multiply by the same
weight $w$, so $f(x) = w^L x$. The residual version is $f(x) = (1 + w)^L x$. How large is the
derivative with respect to $w$ at $w = 0$, for $L = 50$ and $x = 1$?

<details>
<summary>Answer</summary>

Without shortcuts it is $L w^{L-1} = 0$. The weights have to be near 1 for anything to arrive, and a
network with 50 layers sits between $0.9^{50} \approx 0.005$ and $1.1^{50} \approx 117$. With
shortcuts it is $L (1 + w)^{L-1} = 50$: each of the layers contributes 1.

>>> w = torch.zeros((), requires_grad=True)
>>> torch.autograd.grad(w ** 50, w)[0].item()
0.0
>>> torch.autograd.grad((1 + w) ** 50, w)[0].item()
50.0

</details>

**8.** Set the last batch normalization of each residual to zero, $\gamma = 0$, as many recipes do
before training. What does a network of 56 layers compute then? Which weights get a gradient in the
first step?

<details>
<summary>Answer</summary>

Where the shape stays the same, a block returns its input: $\sigma(x + 0) = x$, since $x$ comes out
of a ReLU. What is left is the stem, the two blocks that change the shape, and the linear layer,
regardless of depth. In the first step the convolutions of a residual get no gradient, because it is
multiplied by $\gamma = 0$; only $\gamma$ itself does, and $\beta$. In the second step all of them
do.

>>> _ = torch.manual_seed(0)
>>> block = ResidualBlock(16, 16, stride=1)
>>> _ = nn.init.zeros_(block.bn2.weight)
>>> block(torch.rand(4, 16, 8, 8)).pow(2).sum().backward()
>>> [bool(p.grad.any()) for p in (block.conv1.weight, block.conv2.weight, block.bn2.weight)]
[False, False, True]

</details>

**9.** Somebody moves the ReLU: each residual ends in one, and the sum has none. Nothing fails. What
is wrong?

<details>
<summary>Answer</summary>

The residual cannot be negative any more, so nothing in the stream can ever shrink: it can only be
added to. The values grow from block to block, and half of all changes cannot be expressed.

>>> _ = torch.manual_seed(0)
>>> x = torch.rand(8, 16, 8, 8)
>>> means = []
>>> for _ in range(4):
...     block = ResidualBlock(16, 16, stride=1)
...     x = x + block.residual(x).relu()
...     means.append(round(x.mean().item(), 1))
>>> means
[0.9, 1.3, 1.7, 2.1]

In [the paper on pre-activation](https://arxiv.org/abs/1603.05027) this costs 1.2 % on CIFAR-10 with
110 layers: an error of 7.84 % instead of 6.61 % (table 2, "ReLU before addition").

</details>

**10.** The residual and the shortcut have the same variance and are independent. By which constant
must the sum be divided, so that the variance does not grow with depth? Why does the original
network do without?

<details>
<summary>Answer</summary>

By $\sqrt 2$, because the variances of independent summands add up. But then only half of the
variance of the sum is the input's. After $L$ blocks the first input has a share of $2^{-L}$, so the
shortcut is no clean path any more. [Signals and gradients](signals.py#nearly-the-identity) shows
what a factor on the shortcut does to gradients.

In the original network each residual ends in batch normalization, which brings it to variance 1
however large the stream is. So the two variances are not the same for long: the stream grows by
about 1 with each block, linearly, and not by a factor of 2.

>>> _ = torch.manual_seed(0)
>>> a, b = torch.randn(2, 100_000)
>>> round((a + b).var().item(), 1), round(((a + b) / 2 ** 0.5).var().item(), 1)
(2.0, 1.0)

</details>
"""

# What the examples need.
import torch
from torch import nn

from labml_nn.resnet import (
    BottleneckResidualBlock,
    ResidualBlock,
    ShortcutProjection,
    cifar_resnet,
)

__all__ = [
    "BottleneckResidualBlock",
    "ResidualBlock",
    "ShortcutProjection",
    "cifar_resnet",
    "nn",
    "torch",
]
