r"""
---
title: Images out of noise
summary:
  Denoising diffusion (DDPM and DDIM) line by line, with the loss derived, the schedule checked, and
  digits that emerge from noise.
symbols:
  \beta_t: Diffusion.beta
  \alpha_t: Diffusion.alpha
  \bar{\alpha}_t: Diffusion.alpha_bar
hook: Learn to remove noise, begin with nothing else, and digits appear.
pictogram: pictograms/diffusion.svg
papers:
  - title: Denoising Diffusion Probabilistic Models
    authors: [Jonathan Ho, Ajay Jain, Pieter Abbeel]
    year: 2020
    arxiv: 2006.11239
  - title: Denoising Diffusion Implicit Models
    authors: [Jiaming Song, Chenlin Meng, Stefano Ermon]
    year: 2020
    arxiv: 2010.02502
before: Means and variances, and what it means to sample from a normal distribution.
next: >-
  [The U-Net](unet.py): the network that predicts the noise.
  [Digits from noise](experiment.py): training it, and judging what it draws.
---

# Images out of noise

![Four rows of seven squares. At the left all of them are noise. From square to square strokes
become clearer, and at the right stand four handwritten digits: 0, 1, 2 and
1.](../../experiments/pictures/emerging.png)

None of these digits was written by a person. Each row begins with random pixels, and a network
removes a little noise at a time: 200 steps, of which seven are shown. It has learned to do so in
minutes, on one core. [Another page](experiment.py) trains it and counts how many of its digits can
be recognized. This one explains why it works.

## The idea

Destroying an image is easy: add a little noise, again and again, until nothing else is left. In the
other direction, each step is a small one too. What was this image before the last bit of noise? A
network can learn that, since we can make as many examples as we like. Once it has, we begin with
noise alone and let it undo all steps, one after the other. At the end stands an image that was
never in the data.

## Into the noise

An image $x_0$ becomes noise in $T$ steps (equation 2 of [the
paper](https://arxiv.org/abs/2006.11239)). Each step makes the pixels a little smaller and adds new
noise $\epsilon_t$. That is a normal number with variance 1 for each pixel, and $\beta_t$ is small:

$$x_t = \sqrt{1 - \beta_t}\, x_{t-1} + \sqrt{\beta_t}\, \epsilon_t$$

The first factor keeps the variance in check: if $x_{t-1}$ has a variance of 1, so has $x_t$.
Training needs an $x_t$ for any $t$, and there is no need to walk there. Sums of normal noise are
normal, so with $\alpha_t = 1 - \beta_t$ and the product $\bar{\alpha}_t = \alpha_1 \cdots
\alpha_t$, all steps become one (equation 4):

$$x_t = \sqrt{\bar{\alpha}_t}\, x_0 + \sqrt{1 - \bar{\alpha}_t}\, \epsilon
\label{noised}$$

## The step back

What $x_{t-1}$ may have been, given only $x_t$, depends on all images there are. Given $x_0$ as
well, its distribution is normal, by Bayes' rule (equations 6 and 7). Its variance is

$$\tilde{\beta}_t = \frac{1 - \bar{\alpha}_{t-1}}{1 - \bar{\alpha}_t}\, \beta_t$$

and its mean is a weighted sum of $x_0$ and $x_t$. Solve $\eqref{noised}$ for $x_0$, insert it, and
the mean depends on $x_t$ and the noise in it:

$$\tilde{\mu}_t = \frac{1}{\sqrt{\alpha_t}} \left( x_t - \frac{\beta_t}{\sqrt{1 - \bar{\alpha}_t}}\,
\epsilon \right)
\label{mean}$$

So a network that predicts $\epsilon$ from $x_t$ and $t$ is all that is missing. Call it
$\epsilon_\theta$, and put its prediction in the place of $\epsilon$.

## The loss

The steps back are a chain of normal distributions $p$. The steps into the noise are distributions
too; call them $q$. Then there is an upper bound for the negative logarithm of the density that $p$
gives to an image (equation 5):

$$\begin{aligned}
& {-\log p(x_0)} \le \mathbb{E} \Big[
\underbrace{\mathrm{KL}(q(x_T | x_0) \,\|\, p(x_T))}_{L_T} \\
& + \sum_{t > 1}
\underbrace{\mathrm{KL}(q(x_{t-1} | x_t, x_0) \,\|\, p(x_{t-1} | x_t))}_{L_{t-1}} \\
& \underbrace{{} - \log p(x_0 | x_1)}_{L_0} \Big]
\end{aligned}$$

$L_T$ has no weights to learn: it measures how far $x_T$ is from pure noise. Each $L_{t-1}$ compares
two normal distributions. With the same variance $\sigma_t^2$ for both, their divergence is the
squared distance of their means over $2 \sigma_t^2$. Insert $\eqref{mean}$ with the true noise and
with the predicted one, and $x_t$ cancels (equation 12):

$$L_{t-1} = \mathbb{E} \left[ \frac{\beta_t^2}{2 \sigma_t^2 \alpha_t (1 - \bar{\alpha}_t)}
\left\lVert \epsilon - \epsilon_\theta(x_t, t) \right\rVert^2 \right] + \text{const}$$

Now the authors drop the fraction, and let the same expression stand for $L_0$ (equation 14). What
remains is the plain squared error of the predicted noise:

$$L = \mathbb{E} \left[ \left\lVert \epsilon - \epsilon_\theta(x_t, t) \right\rVert^2 \right]
\label{loss}$$

This is no longer the bound, and the paper says so: with the fraction the network gives a better
bound, and without it better images. On CIFAR-10 the FID, a distance between the real and the drawn
images, is 13.51 with it and 3.17 without (table 2). The [doctest](#Diffusion.loss) of the loss
shows what the fraction would do.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

# A network, or any function, that takes $x_t$ of shape `[batch, channels, height, width]` and $t$
# of shape `[batch]`, and returns the noise that it finds in $x_t$.
Predict = Callable[[Tensor, Tensor], Tensor]
# What is called after each step of a sampler, with the new $t$ and the new $x_t$.
Watch = Callable[[int, Tensor], object]


def look_away(t: int, x: Float[Tensor, "batch channels height width"]) -> None:
    """Does nothing with `t` and `x`: the default for those who need only the result."""


class Diffusion:
    r"""
    ## The schedule

    How much noise comes in which step? The paper takes $T = 1000$ steps, and lets $\beta_t$ grow
    along a line from 0.0001 to 0.02 (section 4). At the end, hardly
    anything is left of the image. Its pixels are multiplied by

    >>> diffusion = Diffusion()
    >>> round(diffusion.alpha_bar[1000].sqrt().item(), 4)
    0.0064

    With $\bar{\alpha}_0 = 1$ in front, $t$ is an index, from 0 for the image itself to $T$. The
    numbers stay on the CPU in double precision, as $1 - \bar{\alpha}_t$ is tiny for the first $t$.
    """

    def __init__(
        self, steps: int = 1000, first: float = 1e-4, last: float = 0.02
    ) -> None:
        r"""
        * `steps` is $T$
        * `first` and `last` are $\beta_1$ and $\beta_T$

        Raises `ValueError` for less than one step, and unless `0 < first <= last < 1`.
        """
        if steps < 1:
            raise ValueError(f"steps must be at least 1, got {steps}")
        if not 0 < first <= last < 1:
            raise ValueError(
                f"0 < first <= last < 1 must hold, got {(first, last)}"
            )
        self.steps = steps
        beta = torch.linspace(first, last, steps, dtype=torch.float64)
        # All three have shape `[steps + 1]`.
        self.beta = torch.cat([torch.zeros(1), beta])
        self.alpha = 1 - self.beta
        self.alpha_bar = self.alpha.cumprod(0)

    def noised(
        self,
        x: Float[Tensor, "batch channels height width"],
        t: Int64[Tensor, "batch"],
        noise: Float[Tensor, "batch channels height width"],
    ) -> Float[Tensor, "batch channels height width"]:
        r"""
        ### All steps at once

        * `x` are images $x_0$ of shape `[batch, channels, height, width]`
        * `t` is the step of each, of shape `[batch]`, on the CPU
        * `noise` is $\epsilon$, in the shape of `x`

        Returns $x_t$ in the shape of `x`, by equation $\eqref{noised}$.

        The steps themselves come to the same. Follow the factor in front of $x_0$ and the variance
        of the noise through three hundred of them:

        >>> factor, variance = 1.0, 0.0
        >>> for beta in Diffusion().beta[1:301].tolist():
        ...     factor = (1 - beta) ** 0.5 * factor
        ...     variance = (1 - beta) * variance + beta
        >>> round(factor, 6), round(variance, 6)
        (0.629619, 0.60358)
        >>> kept = Diffusion().alpha_bar[300]
        >>> round(kept.sqrt().item(), 6), round(1 - kept.item(), 6)
        (0.629619, 0.60358)
        """
        kept = self.alpha_bar[t].view(-1, 1, 1, 1)
        return kept.sqrt().to(x) * x + (1 - kept).sqrt().to(x) * noise

    def loss(
        self, model: Predict, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch"]:
        r"""
        ### The loss

        * `model` predicts the noise
        * `x` are images of shape `[batch, channels, height, width]`, with pixels from $-1$ to 1

        Returns the loss of each image, of shape `[batch]`: equation $\eqref{loss}$ with a random
        $t$ and random noise (algorithm 1), as a mean over pixels. A model that always answers zero
        has a loss of about 1, the variance of the noise:

        >>> _ = torch.manual_seed(0)
        >>> images = torch.rand(500, 1, 4, 6)
        >>> loss = Diffusion().loss(lambda x, t: torch.zeros_like(x), images)
        >>> loss.shape, round(loss.mean().item(), 1)
        (torch.Size([500]), 1.0)

        And the fraction that was dropped? With $\sigma_t^2 = \beta_t$ it is this:

        >>> d = Diffusion()
        >>> weight = d.beta / (2 * d.alpha * (1 - d.alpha_bar))
        >>> [round(weight[t].item(), 3) for t in (1, 10, 100, 500, 1000)]
        [0.5, 0.074, 0.01, 0.006, 0.01]

        It would make the first steps count most, where a bit of noise has to be found in an image
        that is nearly clean. Without it, more of the network's effort goes into the steps
        with more noise. That is how the paper explains its better images (section 3.4).
        """
        t = torch.randint(1, self.steps + 1, (len(x),))
        noise = torch.randn_like(x)
        predicted = model(self.noised(x, t, noise), t.to(x.device))
        return (noise - predicted).square().mean((1, 2, 3))

    def posterior_variance(self, t: int) -> Float64[Tensor, ""]:
        r"""
        ### The variance of a step back

        Returns $\tilde{\beta}_t$ for `t` from 1. It is smaller than $\beta_t$, since $x_0$ is
        given, and zero in the last step. These are the ratios of the two:

        >>> d = Diffusion()
        >>> ratio = [d.posterior_variance(t) / d.beta[t] for t in (1, 2, 10, 100)]
        >>> [round(each.item(), 2) for each in ratio]
        [0.0, 0.45, 0.85, 0.98]
        """
        return (
            self.beta[t] * (1 - self.alpha_bar[t - 1]) / (1 - self.alpha_bar[t])
        )

    @torch.no_grad()
    def sample(
        self,
        model: Predict,
        x: Float[Tensor, "batch channels height width"],
        generator: torch.Generator | None = None,
        watch: Watch = look_away,
    ) -> Float[Tensor, "batch channels height width"]:
        r"""
        ### Sampling, step by step

        * `model` predicts the noise
        * `x` is the noise $x_T$ to begin with, of shape `[batch, channels, height, width]`
        * `generator` decides on the noise of the steps, on the CPU
        * `watch` is called after each step

        Returns images of the same shape, by algorithm 2. For the variance of a step, the paper
        finds $\beta_t$ and $\tilde{\beta}_t$ about equally good (section 3.2). We take the second.

        It seems odd to *add* noise at each step. But $\eqref{mean}$ is only the mean of what may
        have been. A mean of many possible images is blurred. Drawing one of them takes randomness.

        This can be tried without a network. If the pixels themselves are normal, with a mean of 0.5
        and a deviation of 0.2, the best prediction of the noise is known:

        >>> diffusion = Diffusion()
        >>> def best(x, t):
        ...     kept = diffusion.alpha_bar[t].view(-1, 1, 1, 1)
        ...     variance = 0.2**2 * kept + 1 - kept
        ...     return (1 - kept).sqrt() * (x - kept.sqrt() * 0.5) / variance
        >>> _ = torch.manual_seed(0)
        >>> noise = torch.randn(1000, 1, 4, 6, dtype=torch.float64)
        >>> drawn = diffusion.sample(best, noise)
        >>> round(drawn.mean().item(), 2), round(drawn.std().item(), 2)
        (0.5, 0.2)
        """
        for t in range(self.steps, 0, -1):
            noise = model(x, torch.full((len(x),), t, device=x.device))
            part = self.beta[t] / (1 - self.alpha_bar[t]).sqrt()
            mean = (x - part.item() * noise) / self.alpha[t].sqrt().item()
            new = torch.randn(x.shape, generator=generator, dtype=x.dtype)
            deviation = self.posterior_variance(t).sqrt().item()
            x = mean + deviation * new.to(x.device)
            watch(t - 1, x)
        return x

    @torch.no_grad()
    def sample_ddim(
        self,
        model: Predict,
        x: Float[Tensor, "batch channels height width"],
        steps: int,
        eta: float = 0.0,
        generator: torch.Generator | None = None,
        watch: Watch = look_away,
    ) -> Float[Tensor, "batch channels height width"]:
        r"""
        ### Sampling in fewer steps

        * `model` and `x` are as in `sample`
        * `steps` is the number of steps, from 1 to $T$
        * `eta` is $\eta$, how much new noise a step adds, from 0 to 1
        * `generator` and `watch` are as in `sample`

        Returns images of the same shape. Raises `ValueError` for numbers out of their range.

        A thousand steps are many. The loss $\eqref{loss}$ contains $x_t$ for one $t$ at a time, and
        never two of them together. So the network does not depend on how one gets from $x_t$ to
        $x_{t-1}$, as long as each $x_t$ is distributed as in $\eqref{noised}$.
        [DDIM](https://arxiv.org/abs/2010.02502) chooses another way for the same network. Compute
        the image that the prediction amounts to, and go to *any* earlier $s$ with it (equation 12
        there; what it calls $\alpha$ is our $\bar{\alpha}$):

        $$\hat{x}_0 = \frac{x_t - \sqrt{1 - \bar{\alpha}_t}\, \epsilon_\theta}
        {\sqrt{\bar{\alpha}_t}}$$

        $$x_s = \sqrt{\bar{\alpha}_s}\, \hat{x}_0 + \sqrt{1 - \bar{\alpha}_s - \sigma^2}\,
        \epsilon_\theta + \sigma \epsilon$$

        With $\sigma = 0$ the same noise leads to the same image, always. In general (equation 16
        there)

        $$\sigma^2 = \eta^2\, \frac{1 - \bar{\alpha}_s}{1 - \bar{\alpha}_t} \left( 1 -
        \frac{\bar{\alpha}_t}{\bar{\alpha}_s} \right)$$

        For $s = t - 1$ and $\eta = 1$ this is $\tilde{\beta}_t$, as the last factor is $\beta_t$
        then. So with all steps, the two samplers are one:

        >>> d = Diffusion(steps=40, first=0.001, last=0.4)
        >>> _ = torch.manual_seed(0)
        >>> noise = torch.randn(5, 1, 4, 6, dtype=torch.float64)
        >>> def half(x, t):
        ...     return x / 2
        >>> a = d.sample(half, noise, torch.Generator().manual_seed(0))
        >>> chance = torch.Generator().manual_seed(0)
        >>> b = d.sample_ddim(half, noise, 40, eta=1, generator=chance)
        >>> torch.allclose(a, b)
        True
        """
        if not 1 <= steps <= self.steps:
            raise ValueError(f"steps must be 1 to {self.steps}, got {steps}")
        if not 0 <= eta <= 1:
            raise ValueError(f"eta must be from 0 to 1, got {eta}")
        # From $T$ to 0 in strides as equal as whole numbers allow.
        times = torch.linspace(self.steps, 0, steps + 1).round().int().tolist()
        for t, s in pairwise(times):
            now, then = self.alpha_bar[t], self.alpha_bar[s]
            noise = model(x, torch.full((len(x),), t, device=x.device))
            clean = (x - (1 - now).sqrt().item() * noise) / now.sqrt().item()
            variance = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
            # Rounding must not make a root of less than zero.
            rest = (1 - then - variance).clamp(min=0)
            x = then.sqrt().item() * clean + rest.sqrt().item() * noise
            if eta:
                new = torch.randn(x.shape, generator=generator, dtype=x.dtype)
                x = x + variance.sqrt().item() * new.to(x.device)
            watch(s, x)
        return x
