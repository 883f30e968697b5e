r"""
---
title: Muon
summary:
  An optimizer that gives all directions of a weight matrix a step of the same length, with the
  Newton–Schulz iteration that makes it cheap.
papers:
  - title: "Muon: An optimizer for hidden layers in neural networks"
    authors:
      - Keller Jordan
      - Yuchen Jin
      - Vlado Boza
      - You Jiacheng
      - Franz Cesista
      - Laker Newhouse
      - Jeremy Bernstein
    year: 2024
    url: https://kellerjordan.github.io/posts/muon/
hook: Every direction of a matrix gets a step of the same length.
---

# Muon

[Gradient descent](loop.py#Recipe.optimizer) treats the weights of a layer as a list of numbers.
They are more than that: they are a *matrix*, which takes the inputs of the layer to its outputs.
[Muon](https://kellerjordan.github.io/posts/muon/), which Keller Jordan and others proposed in 2024,
makes use of it. It takes the same gradients as stochastic gradient descent and a [momentum](#Muon)
of Nesterov's kind, and changes the *shape* of the step before it is taken.

[The speed run](../resnet/speedrun.py) trains with it, and measures what it gains.

## What is wrong with the gradient

Any matrix can be written as $G = U \Sigma V^\top$, its singular value decomposition. The columns of
$V$ are directions of the input, those of $U$ directions of the output, and the singular values
$\sigma_i$ on the diagonal of $\Sigma$ say how much of one $G$ turns into the other. The gradient of
a layer is very uneven in this sense. A few directions that all images have in common, such as how
bright they are, get nearly all of it. A step along it moves the layer far in these few directions
and hardly at all in the rest, and a greater learning rate only makes those few unstable.

Muon gives every direction the same step. It replaces all singular values by one:

$$\operatorname{orth}(G) = U V^\top$$

Of all matrices that lengthen no input, this one points most in the direction of the gradient: it
maximizes $\langle G, O \rangle = \sum_{ij} G_{ij} O_{ij}$ over all $O$ with singular values of at
most 1. So it is the steepest descent too, for those who measure the length of a step by what it can
do to the output of the layer instead of by its weights.

## Without a decomposition

A singular value decomposition is slow, and GPUs are bad at it. But what we want needs only products
of matrices. With $G G^\top G = U \Sigma^3 V^\top$, any odd polynomial of $G$ works on the
singular values alone:

$$a G + b \, (G G^\top) G + c \, (G G^\top)^2 G
= U \left( a \Sigma + b \Sigma^3 + c \Sigma^5 \right) V^\top$$

Now choose a polynomial that moves all numbers between 0 and 1 towards 1, and apply it a few times.
That is the Newton–Schulz iteration. The polynomial of the textbooks is
$\tfrac{3}{2} \sigma - \tfrac{1}{2} \sigma^3$. It converges to 1, but small numbers only grow by
half in each round, and the singular values of gradients *are* small:

>>> def textbook(x):
...     return 1.5 * x - 0.5 * x**3
>>> numbers = 0.01, 0.03, 0.1, 0.3, 1
>>> [round(textbook(textbook(textbook(x))), 2) for x in numbers]
[0.03, 0.1, 0.33, 0.8, 1.0]

Jordan's coefficients are tuned to grow small numbers as fast as possible. The price is that large
ones end anywhere between about 0.7 and 1.2. That does no harm, and three rounds bring most of them
there:

>>> def tuned(x):
...     a, b, c = COEFFICIENTS
...     return a * x + b * x**3 + c * x**5
>>> [round(tuned(tuned(tuned(x))), 2) for x in numbers]
[0.4, 1.01, 0.71, 0.97, 0.72]
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

# $a$, $b$ and $c$
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalize(
    matrix: Float[Tensor, "rows columns"], rounds: int = 3
) -> Float[Tensor, "rows columns"]:
    r"""
    ## The iteration

    Returns, for a `matrix` of shape `[rows, columns]`, one of the same shape with the same singular
    vectors and singular values near 1, after so many `rounds`.

    The polynomial must not see numbers much greater than 1. No singular value is greater than the
    square root of the sum of all squares, so we divide by that first. It makes most of them small,
    which is why growing fast matters.

    >>> _ = torch.manual_seed(0)
    >>> lengths = torch.tensor([[8.0], [4.0], [2.0], [1.0]])
    >>> uneven = lengths * torch.randn(4, 9)
    >>> torch.linalg.svdvals(uneven).int().tolist()
    [24, 9, 3, 2]
    >>> even = torch.linalg.svdvals(orthogonalize(uneven))
    >>> bool(((0.65 < even) & (even < 1.25)).all())
    True
    """
    a, b, c = COEFFICIENTS
    # The square matrix in the middle is the smaller of the two that one can choose.
    is_tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.T if is_tall else matrix
    x = x / x.norm().clamp_min(1e-7)
    for _ in range(rounds):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if is_tall else x


class Muon(torch.optim.Optimizer):
    r"""
    ## The optimizer

    Only weights that multiply can be orthogonalized. Biases and the last layer are trained by plain
    gradient descent, with rates of their own. One optimizer takes care of both, so that one
    checkpoint holds the velocities of all.

    In both cases there is a velocity $v$, with $\mu$ for the momentum and $g$ for the gradient.
    Nesterov's kind of momentum looks one step ahead:

    $$v \leftarrow \mu v + g \qquad d = g + \mu v$$

    Biases and the last layer move by it, $w \leftarrow w - \eta d$, after a weight decay that is
    part of $g$. The convolutions move by

    $$W \leftarrow \sqrt{n} \frac{W}{\lVert W \rVert} - \eta \operatorname{orth}(d)$$

    A convolution with $n$ output channels is seen as a matrix of $n$ rows, each of which holds the
    weights of all inputs and places. Here $\lVert W \rVert$ is the square root of the sum of all
    squares. A normalization follows each of our convolutions and makes it forget how large its
    weights are, so we are free to choose, and choose $\sqrt{n}$. A matrix with $n$ singular values
    of 1 has that length too. So the learning rate has a meaning that is the same for all layers:
    with 0.1, a step is a tenth as long as the weights.
    """

    def __init__(
        self,
        convolutions: Sequence[Float[Tensor, "_out _in _height _width"]],
        others: list[dict[str, Any]],
        rate: float,
        momentum: float,
    ) -> None:
        r"""
        * `convolutions` are the weights of convolutions, of shape `[out, in, height, width]`
        * `others` are groups of parameters for plain gradient descent, each a dictionary with
          `params`, `lr`, `momentum` and `weight_decay`
        * `rate` and `momentum` are $\eta$ and $\mu$ for the convolutions
        """
        group = {
            "params": convolutions,
            "lr": rate,
            "momentum": momentum,
            "weight_decay": 0.0,
            "orthogonal": True,
        }
        plain = [{**other, "orthogonal": False} for other in others]
        super().__init__([group, *plain], {})

    @torch.no_grad()
    def step(  # type: ignore[override]
        self, closure: Callable[[], float] | None = None
    ) -> float | None:
        """
        ### One step

        Moves all parameters that have a gradient. Like all optimizers of PyTorch it takes a
        `closure` that computes the loss anew, and returns what that returns.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            momentum, rate = group["momentum"], group["lr"]
            for weights in group["params"]:
                if weights.grad is None:
                    continue
                gradient = weights.grad
                if group["weight_decay"]:
                    gradient = gradient + group["weight_decay"] * weights
                state = self.state[weights]
                if "velocity" not in state:
                    state["velocity"] = torch.zeros_like(weights)
                velocity = state["velocity"].mul_(momentum).add_(gradient)
                change = gradient.add(velocity, alpha=momentum)
                if group["orthogonal"]:
                    change = orthogonalize(change.flatten(1)).view_as(weights)
                    weights.mul_(len(weights) ** 0.5 / weights.norm())
                weights.sub_(change, alpha=rate)
        return loss
