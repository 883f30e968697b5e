r"""
---
title: Why gradients survive
summary:
  In a deep plain network, gradients at neighboring inputs have nothing in common. Shortcuts keep
  them alike. With SkipInit, no normalization is needed.
symbols:
  \alpha: SkipInitBlock.alpha
  \rho: autocorrelation
hook: Gradients of deep plain networks are noise. See it.
pictogram: pictograms/shattering.svg
papers:
  - title: "The Shattered Gradients Problem: If resnets are the answer, then what is the question?"
    authors:
      - David Balduzzi
      - Marcus Frean
      - Lennox Leary
      - JP Lewis
      - Kurt Wan-Duo Ma
      - Brian McWilliams
    year: 2017
    arxiv: 1702.08591
  - title: Batch Normalization Biases Residual Blocks Towards the Identity Function in Deep Networks
    authors: [Soham De, Samuel L. Smith]
    year: 2020
    arxiv: 2002.10444
before: "[The degradation problem](degradation.py), whose networks are measured here."
next: >-
  [What a trained residual network is](ensemble.py): which paths gradients take after training.
---

# Why gradients survive

[Degradation](degradation.py) is often put down to gradients that vanish. But batch normalization
keeps gradients at a healthy size, and deep plain networks still learn badly. [Balduzzi et al.
(2017)](https://arxiv.org/abs/1702.08591) found that size is not all that counts. A gradient says
what to do with an image. If it says something else for an image that is nearly the same, a step of
gradient descent that helps one is of no use to the other.

This page measures it in the networks of the page on degradation before their first step, and then
takes the normalization away:

```shell
python -m labml_nn.resnet.shattering
```

## Along a line of images

Take two digits $a$ and $b$, and go from one to the other in a straight line,
$x(t) = a + t \, (b - a)$ with $t$ from 0 to 1. At each of 256 points, this is the derivative of one
logit with respect to $t$, in units of its standard deviation. First for a plain network of 8
layers:

```chart
caption: Derivative of a logit along the line, plain network of 8 layers
x: t
y: derivative
lines:
  - label: plain, 8
    data: ../../experiments/resnet/shattering.json
    x: plain.8.line.t
    y: plain.8.line.gradient
```

The same for a plain network of 56 layers:

```chart
caption: The same derivative, plain network of 56 layers
x: t
y: derivative
lines:
  - label: plain, 56
    data: ../../experiments/resnet/shattering.json
    x: plain.56.line.t
    y: plain.56.line.gradient
```

And for a residual network of 56 layers:

```chart
caption: The same derivative, residual network of 56 layers
x: t
y: derivative
lines:
  - label: residual, 56
    data: ../../experiments/resnet/shattering.json
    x: residual.56.line.t
    y: residual.56.line.gradient
```

The derivative of the shallow network wanders, as a random walk does, whose steps are small and add
up. This is called *brown noise*. In the deep plain network it jumps about from point to point: it
is *white noise*. The gradient is *shattered*. With shortcuts, the network of 56 layers is rougher
than the shallow one, but its derivative still wanders.

## How fast a gradient forgets

The autocorrelation $\rho$ tells how alike the derivatives at two points are, depending on their
distance. [It](#autocorrelation) is 1 if they are equal and 0 if they have nothing in common. The
mean over ten lines, for each of three seeds:

```chart
caption: Autocorrelation of the derivative, by the distance of two points
x: distance in points
y: autocorrelation
lines:
  - label: plain, 8
    data: ../../experiments/resnet/shattering.json
    x: plain.8.runs.lag
    y: plain.8.runs.correlation
  - label: plain, 20
    data: ../../experiments/resnet/shattering.json
    x: plain.20.runs.lag
    y: plain.20.runs.correlation
  - label: plain, 56
    data: ../../experiments/resnet/shattering.json
    x: plain.56.runs.lag
    y: plain.56.runs.correlation
  - label: residual, 56
    data: ../../experiments/resnet/shattering.json
    x: residual.56.runs.lag
    y: residual.56.runs.correlation
```

In plain networks the memory gets shorter with each layer. At 56 layers not even neighbors, a 255th
of the way apart, have anything in common. A residual network of 56 layers remembers longer than a
plain one of 20.

Why? Where a ReLU opens or closes, the derivative jumps. In a plain network, every path goes through
all layers, so each jump changes all that comes after it, and the number of linear pieces that the
line is cut into grows with every layer. The paper shows that the correlation of gradients decays
exponentially with depth in plain networks, and less than linearly in residual networks with
normalization. There, a [path](ensemble.py) may avoid most layers, and shares of the gradient that
come by such paths change slowly.

## Without normalization

[De and Smith (2020)](https://arxiv.org/abs/2002.10444) ask what normalization does for residual
networks. Their answer: at the start of training, it makes the residual small in comparison with the
shortcut, by a factor of about the square root of the depth. The network is close to the identity,
so it is hardly deep at all. That can be had for less. *SkipInit* is one learnable number in each
block, which starts at zero:

$$y = x + \alpha \, \mathcal{F}(x), \qquad \alpha = 0$$

With [these blocks](#SkipInitBlock), and without any normalization, 56 layers learn the digits with
the recipe of the others:

```chart
caption: Residual networks of 56 layers, on the images that they are trained on
x: step
y: accuracy
format: percent
lines:
  - label: normalized
    data: ../../experiments/resnet/degradation.json
    x: residual.56.runs.step
    y: residual.56.runs.train
  - label: SkipInit
    data: ../../experiments/resnet/shattering.json
    x: skipinit.runs.step
    y: skipinit.runs.train
  - label: neither
    data: ../../experiments/resnet/shattering.json
    x: bare.runs.step
    y: bare.runs.train
```

The third network has the shortcuts, but neither normalization nor SkipInit, that is, its $\alpha$
is 1 and stays so. Before the first step, the features it computes are more than a hundred times as
large as with SkipInit, and it learns nothing. So a shortcut is not enough by itself: residuals have
to start small as well. The plain network of 56 layers, normalized, has [come to less than
half](degradation.py) after as many steps.

After 400 steps:

```table
rows: ../../experiments/resnet/shattering.json#networks
columns:
  - head: Network of 56 layers
    value: network
    names:
      plain: plain, normalized
      residual: residual, normalized
      skipinit: residual, SkipInit
      bare: residual, neither
  - head: Training images
    value: runs.train
    format: percent
  - head: Held out
    value: runs.valid
    format: percent
```

## What this shows and what it does not

The gradients are those of networks that have learnt nothing. That shattering *causes* degradation
does not follow from them alone; they show that the deep plain network starts with gradients that a
step can hardly use. SkipInit keeps up here at one learning rate, on easy images. The paper finds
that normalized networks can be trained with larger learning rates, which this page did not try.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import torch
import tyro
from jaxtyping import Float
from torch import Tensor, nn

from labml_nn.data import DRAWS, random_generator, seed_generators, split
from labml_nn.data.small import load_digits
from labml_nn.resnet import ResidualBlock, ResNetClassifier
from labml_nn.resnet.degradation import (
    EVERY,
    STEPS,
    NetworkName,
    digits_trainer,
    make_network,
    network_of,
)
from labml_nn.resnet.degradation import RECORD as DEGRADATION
from labml_nn.training import Normalize
from labml_nn.training.measuring import evaluate

# The networks whose gradients are measured, with their numbers of layers.
NETWORKS: tuple[tuple[NetworkName, int], ...] = (
    ("plain", 8),
    ("plain", 20),
    ("plain", 56),
    ("residual", 56),
)
# Lines for each seed, points on a line, and the greatest distance of two points.
SEEDS = (0, 1, 2)
LINES, POINTS, LAGS = 10, 256, 32
# Networks without normalization, and the number that $\alpha$ has at the start. It only learns with
# SkipInit.
BareName = Literal["skipinit", "bare"]
ALPHAS: dict[BareName, float] = {"skipinit": 0.0, "bare": 1.0}
LAYERS = 56
RECORD = Path(__file__).parents[2] / "experiments/resnet/shattering.json"


def settle(
    network: nn.Module, images: Float[Tensor, "batch channels height width"]
) -> None:
    """
    ## Before the first step

    Gives the normalizations of `network` the statistics of `images`, and puts it into the mode
    `eval`. In training they would depend on the other images of a batch, and so would each
    gradient.

    >>> network = make_network('plain', 8, seed=0)
    >>> settle(network, torch.randn(100, 1, 8, 8))
    >>> network.training
    False
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            # Without a momentum, they keep the mean over all batches, of which there is one.
            module.momentum = None
            module.reset_running_stats()
    network.train()
    with torch.no_grad():
        network(images)
    network.eval()


def gradients_along(
    network: nn.Module,
    a: Float[Tensor, "channels height width"],
    b: Float[Tensor, "channels height width"],
    points: int = POINTS,
) -> Float[Tensor, "{points}"]:
    r"""
    ## Gradients along a line

    * `network` takes images and returns logits
    * `a` and `b` are the images at the ends of the line
    * `points` is the number of points, at equal distances

    Returns the derivative of the first logit with respect to $t$ at each point.

    For a linear network it is the same everywhere:

    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(12, 10))
    >>> a, b = torch.randn(2, 3, 2, 2)
    >>> g = gradients_along(network, a, b, points=5)
    >>> torch.allclose(g, network(torch.stack([b, a]))[:, 0].diff().neg())
    True
    """
    t = torch.linspace(0, 1, points, requires_grad=True)
    logits = network(a + t[:, None, None, None] * (b - a))
    # No point depends on another, so the gradient of the sum holds the derivatives of all.
    (gradient,) = torch.autograd.grad(logits[:, 0].sum(), t)
    return gradient


def autocorrelation(
    g: Float[Tensor, "points"], lags: int = LAGS
) -> Float[Tensor, "{lags}+1"]:
    r"""
    ## Autocorrelation

    With $\bar{g}$ for the mean of `g` over all $n$ points,

    $$\rho_k = \frac{\sum_{i=1}^{n-k} (g_i - \bar{g})(g_{i+k} - \bar{g})}
    {\sum_{i=1}^{n} (g_i - \bar{g})^2}$$

    Returns $\rho_k$ for $k$ from 0 to `lags`. White noise has forgotten everything after one step,
    and its sum, brown noise, hardly anything:

    >>> generator = torch.Generator().manual_seed(0)
    >>> white = torch.randn(10_000, generator=generator)
    >>> brown = white.cumsum(0)
    >>> [round(abs(autocorrelation(g)[1].item()), 1) for g in (white, brown)]
    [0.0, 1.0]
    """
    g = g - g.mean()
    products = [g[: len(g) - k] @ g[k:] for k in range(lags + 1)]
    return torch.stack(products) / products[0]


class SkipInitBlock(ResidualBlock):
    r"""
    ## A block with SkipInit

    A residual block without its normalizations. Its residual is multiplied by $\alpha$, which is
    learned. The paper's convolutions have biases. Ours have none, like all in these networks.

    At the start the block is its shortcut, and only $\alpha$ has a gradient. From the second step
    on, the other weights have one, too:

    >>> block, x = SkipInitBlock(8, 8, 1), torch.rand(2, 8, 4, 4)
    >>> torch.equal(block(x), x)
    True
    >>> block(x).square().sum().backward()
    >>> [bool(p.grad.any()) for p in (block.alpha, block.conv1.weight)]
    [True, False]
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        alpha: float = 0.0,
    ) -> None:
        r"""
        * `in_channels`, `out_channels` and `stride` are those of `ResidualBlock`
        * `alpha` is $\alpha$ at the start
        """
        super().__init__(in_channels, out_channels, stride, shortcut="pad")
        _drop_normalizations(self)
        self.alpha = nn.Parameter(torch.tensor(alpha))

    def residual(
        self, x: Float[Tensor, "batch in_channels height width"]
    ) -> Float[Tensor, "batch out_channels out_height out_width"]:
        r"""Takes `x` and returns $\alpha \, \mathcal{F}(x)$, in the shape of $y$."""
        return self.alpha * super().residual(x)


def without_normalization(
    name: BareName, layers: int, seed: int
) -> ResNetClassifier:
    """
    ## Networks without normalization

    * `name` is one of `ALPHAS`
    * `layers` is the number of layers with weights, $6n + 2$
    * `seed` decides on the weights, which are those of `make_network`

    >>> network = without_normalization('skipinit', 20, seed=0)
    >>> any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    False
    """
    seed_generators(seed, "weights")

    def block(in_channels: int, out_channels: int, stride: int) -> nn.Module:
        made = SkipInitBlock(
            in_channels, out_channels, stride, alpha=ALPHAS[name]
        )
        made.alpha.requires_grad_(name == "skipinit")
        return made

    network = network_of(block, (layers - 2) // 6)
    # The stem has a normalization as well.
    _drop_normalizations(network.base)
    return network


def _drop_normalizations(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, nn.Identity())


def shatter(name: NetworkName, layers: int, seed: int) -> dict[str, Any]:
    """
    ## Measuring gradients

    * `name`, `layers` and `seed` are those of `make_network`; the seed also decides on the images

    Returns the derivatives along the first line, `t` and `gradient`, and the `correlation` for each
    `lag`, the mean over all lines.
    """
    train, _ = split(load_digits()[0], 360)
    images = Normalize(*train.mean_and_std())(train.images)
    network = make_network(name, layers, seed)
    settle(network, images)
    ends = torch.randperm(
        len(images), generator=random_generator(seed, "lines")
    )
    lines = [
        gradients_along(network, images[i], images[j])
        for i, j in ends[: 2 * LINES].view(LINES, 2).tolist()
    ]
    correlation = torch.stack([autocorrelation(g) for g in lines]).mean(dim=0)
    return {
        "t": [round(i / (POINTS - 1), 4) for i in range(POINTS)],
        "gradient": _rounded(lines[0] / lines[0].std()),
        "lag": list(range(LAGS + 1)),
        "correlation": _rounded(correlation),
    }


def _rounded(values: Float[Tensor, "n"]) -> list[float]:
    return [round(value, 3) for value in values.tolist()]


def learn(
    name: BareName, layers: int, seed: int, steps: int = STEPS
) -> dict[str, Any]:
    """
    ## Training without normalization

    * `name`, `layers` and `seed` are those of `without_normalization`; the seed also decides on the
      batches
    * `steps` is the number of steps

    Returns what [`learn`](degradation.py#learn) of the page on degradation does.

    >>> learn('skipinit', 8, seed=0, steps=80)['step']
    [40, 80]
    """
    network = without_normalization(name, layers, seed)
    trainer, valid = digits_trainer(network, steps, seed)
    found: dict[str, Any] = {"seed": seed, "step": [], "train": [], "valid": []}
    for step in range(1, steps + 1):
        trainer.take_step()
        if step % EVERY == 0:
            found["step"].append(step)
            for kind, images in (("train", trainer.data), ("valid", valid)):
                _, accuracy = evaluate(trainer.model, images, trainer.machine)
                found[kind].append(round(accuracy, 4))
    return found


def record() -> dict[str, Any]:
    """
    ## The record

    Returns all that the figures and the table of this page show, and how it was measured. Prints a
    line for each network. The normalized networks are in the record of the page on degradation.
    """
    found: dict[str, Any] = {
        "about": {
            "seeds": list(SEEDS),
            "lines": LINES,
            "points": POINTS,
            "steps": STEPS,
            "layers": LAYERS,
            "draws": DRAWS,
        },
        "plain": {},
        "residual": {},
        "networks": [],
    }
    for name, layers in NETWORKS:
        runs = [shatter(name, layers, seed) for seed in SEEDS]
        line = {key: runs[0][key] for key in ("t", "gradient")}
        kept = [{k: r[k] for k in ("lag", "correlation")} for r in runs]
        found[name][str(layers)] = {"line": line, "runs": kept}
        mean = fmean(run["correlation"][1] for run in runs)
        print(f"{name:9}{layers:3} layers: neighbors {mean:6.2f}", flush=True)
    before = json.loads(DEGRADATION.read_text("utf-8"))
    for row in before["networks"]:
        if (row["layers"], row["steps"]) == (LAYERS, STEPS):
            found["networks"].append(row)
    for bare in ALPHAS:
        runs = [learn(bare, LAYERS, seed) for seed in SEEDS]
        found[bare] = {"runs": runs}
        last = [{k: run[k][-1] for k in ("train", "valid")} for run in runs]
        found["networks"].append({"network": bare, "runs": last})
        accuracies = "  ".join(f"{run['train']:7.2%}" for run in last)
        print(f"{bare:9}{LAYERS:3} layers: {accuracies}", flush=True)
    return found


@dataclass(frozen=True)
class Options:
    """
    ## The command
    """

    # Write what is measured to the file that the figures of the page are drawn from.
    record: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """
    This measures gradients and trains networks, which takes some minutes:

    ```shell
    python -m labml_nn.resnet.shattering
    python -m labml_nn.resnet.shattering --record
    ```

    The second one also writes the record. `arguments` are read in place of the command line, if
    there are any. Returns 0.
    """
    options = tyro.cli(
        Options,
        prog="python -m labml_nn.resnet.shattering",
        description="Measure gradients along lines of images.",
        args=arguments,
    )
    # With one thread, sums are always taken in the same order.
    torch.set_num_threads(1)
    found = record()
    if options.record:
        RECORD.parent.mkdir(parents=True, exist_ok=True)
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"Wrote {RECORD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
