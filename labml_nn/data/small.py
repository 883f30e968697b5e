r"""
---
title: Data that needs no download
summary:
  1,797 real handwritten digits for a first try, and synthetic images for smoke tests and
  benchmarks.
hook: 1,797 digits for a first try.
---

# Data that needs no download

To see a network learn, one need not wait for an archive. Two data sets are always there.
"""

import numpy as np
import torch

from labml_nn.data import ImageData, random_generator, split


def load_digits() -> tuple[ImageData, ImageData]:
    r"""
    ## Digits

    The 1,797 handwritten digits that come with scikit-learn, of $8 \times 8$ pixels with 17 shades
    of gray. They are part of a
    [collection](https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits)
    that E. Alpaydin and C. Kaynak gathered from 43 people. Small as they are, they are real: a
    network that does not work does not learn them.

    Returns 1,437 images to train on and 360 to test with. The collection has no such split here, so
    this one is ours: fixed and stratified. The same people wrote the digits of both parts, so the
    accuracy is a little higher than it would be for the digits of a stranger.

    >>> train, test = load_digits()
    >>> len(train), len(test), tuple(train.images.shape[1:])
    (1437, 360, (1, 8, 8))
    """
    # To import scikit-learn takes as long as PyTorch, so only those who need digits wait for it.
    from sklearn.datasets import load_digits as sklearn_digits

    digits = sklearn_digits()
    # 16 is the darkest shade; 255 is what a byte can hold.
    pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    data = ImageData(
        torch.from_numpy(pixels)[:, None],
        torch.from_numpy(digits.target.astype(np.int64)),
        tuple("0123456789"),
    )
    return split(data, 360)


def make_synthetic(
    n: int = 1024, n_test: int = 256, side: int = 32, seed: int = 0
) -> tuple[ImageData, ImageData]:
    r"""
    ## Synthetic images

    Ten random patterns, each drowned in noise of its own for every image. A network can learn them
    in seconds, so they show that training works at all. As their size can be chosen, they also
    measure its speed.

    * `n` and `n_test` are the numbers of images to train on and to test with
    * `side` is their height and width
    * `seed` decides on patterns and noise

    Returns the training and the test images, of shape `[n, 3, side, side]`.

    >>> train, test = make_synthetic(n=20, n_test=10, side=8)
    >>> train.labels.bincount().tolist()
    [2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    """
    generator = random_generator(seed, "synthetic")
    shape = (3, side, side)
    patterns = torch.randint(64, 192, (10, *shape), generator=generator)
    labels = torch.arange(n + n_test) % 10
    noise = torch.randint(-64, 64, (n + n_test, *shape), generator=generator)
    images = (patterns[labels] + noise).to(torch.uint8)
    data = ImageData(images, labels, tuple(f"pattern {i}" for i in range(10)))
    everything = torch.arange(n + n_test)
    return data.take(everything[:n]), data.take(everything[n:])
