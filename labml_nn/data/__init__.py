r"""
---
title: Images on the device
summary:
  A data set as one tensor of bytes, with a stratified split, shuffling, cropping and flipping as
  batched tensor operations, and no worker processes.
hook: A whole data set as one tensor, and no worker processes.
---

# Images on the device

The usual way to feed a network is a data loader: worker processes open images one by one, crop and
flip them in Python, and hand over batches. For small images that is a waste. CIFAR-10 has 50,000
training images of $3 \times 32 \times 32$ bytes, 154 MB in all, which fit into the memory of any
machine that can train on them. So a data set here is *one tensor of bytes*. It is moved to the
device once, and a batch is cut out of it with a few tensor operations that treat all images of the
batch at the same time.

Nothing here keeps a state. Which images a step sees, and how they are cropped and flipped, follows
from the seed and the number of the step. An interrupted run can therefore go on exactly where it
stopped, and several processes agree on a batch without talking to each other.
"""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, Shaped, UInt8
from torch import Tensor, nn

from labml_nn.installation import check_installation
from labml_nn.printing import printable

check_installation()


class DataError(Exception):
    """
    ## When the data cannot be had

    The message names the file and the way out.
    """


@dataclass(frozen=True)
class ImageData:
    r"""
    ## A data set

    >>> data = ImageData(torch.zeros(6, 3, 4, 4, dtype=torch.uint8),
    ...                  torch.tensor([0, 1, 0, 1, 0, 1]), ('cat', 'dog'))
    >>> len(data), data.channels
    (6, 3)
    """

    # `[n, channels, height, width]`, bytes from 0 to 255
    images: UInt8[Tensor, "n channels height width"]
    # `[n]`, whole numbers from 0 to the number of classes less one
    labels: Int64[Tensor, "n"]
    # The names of the classes, in the order of their numbers
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        """
        Data that would fail much later, in the middle of a training run, is refused here. Raises
        `ValueError` if the images are not a tensor of bytes with four dimensions, if there is not
        one label for each, or if a label has no class.
        """
        shape = tuple(self.images.shape)
        if self.images.dtype != torch.uint8 or len(shape) != 4:
            raise ValueError(
                "images must be bytes of shape [n, channels, height, width], "
                f"got {self.images.dtype} of shape {list(shape)}"
            )
        if self.labels.dtype != torch.int64 or self.labels.shape != shape[:1]:
            raise ValueError(
                f"labels must be int64 of shape [{shape[0]}], got "
                f"{self.labels.dtype} of shape {list(self.labels.shape)}"
            )
        if len(self) and not 0 <= self.labels.min() <= self.labels.max() < len(
            self.classes
        ):
            raise ValueError(
                f"labels must be from 0 to {len(self.classes) - 1}, got "
                f"{int(self.labels.min())} to {int(self.labels.max())}"
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def channels(self) -> int:
        """The number of channels: 3 for colors, 1 for shades of gray."""
        return self.images.shape[1]

    def counts(self) -> list[int]:
        """How many images each class has."""
        return self.labels.bincount(minlength=len(self.classes)).tolist()

    @property
    def about(self) -> dict[str, Any]:
        """The classes and the images that a model is made for, which a checkpoint says too."""
        return {
            "classes": list(self.classes),
            "channels": self.channels,
            "side": self.images.shape[-1],
        }

    def to(self, device: torch.device | str) -> "ImageData":
        """The same data on `device`."""
        return replace(
            self, images=self.images.to(device), labels=self.labels.to(device)
        )

    def take(self, indices: Int64[Tensor, "m"]) -> "ImageData":
        """The images with these `indices`, whose shape is `[m]`."""
        return replace(
            self, images=self.images[indices], labels=self.labels[indices]
        )

    def mean_and_std(
        self,
    ) -> tuple[Float[Tensor, "channels"], Float[Tensor, "channels"]]:
        """
        The mean and the standard deviation of each channel, both of shape `[channels]`, for pixels
        from 0 to 1. A network trains best on inputs around zero with a spread of about one.

        The 256 possible values of a byte are counted first. That is exact, and it spares a copy of
        all images in floating point, which would be four times as large.
        """
        values = torch.linspace(0, 1, 256, dtype=torch.float64)
        means, stds = [], []
        for channel in range(self.channels):
            pixels = self.images[:, channel].flatten().cpu()
            weights = torch.bincount(pixels, minlength=256) / pixels.numel()
            mean = (weights * values).sum()
            means.append(mean)
            stds.append((weights * (values - mean) ** 2).sum().sqrt())
        return torch.stack(means).float(), torch.stack(stds).float()


def split(data: ImageData, n_valid: int) -> tuple[ImageData, ImageData]:
    r"""
    ## Holding images out

    Hyper-parameters must not be chosen on the test set, or its accuracy says how well we searched
    and no longer how well the network does on new images. So we hold out `n_valid` images of
    `data`, the training set, to choose by. Returns the images to train on and those held out.

    The split is *stratified*: every class gives its share. It is also *fixed*: it does not depend
    on the seed of a run. If each seed held out images of its own, some would get harder ones, and
    the deviation over the seeds would mix the luck of the split with that of training. The price
    is that these images may be a little too hard or too easy for all runs alike. That does not
    matter for choosing between recipes, and a final accuracy comes from the test set.

    >>> labels = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    >>> data = ImageData(torch.zeros(8, 1, 1, 1, dtype=torch.uint8), labels, ('a', 'b'))
    >>> train, valid = split(data, 2)
    >>> len(train), valid.labels.tolist()
    (6, [0, 1])

    Raises `ValueError` if `n_valid` is not from 1 to one less than the number of images.
    """
    if not 0 < n_valid < len(data):
        raise ValueError(
            f"n_valid must be from 1 to {len(data) - 1}, got {n_valid}"
        )
    generator = torch.Generator().manual_seed(0)
    shuffled = torch.randperm(len(data), generator=generator)
    # A stable sort by class keeps the random order within each class. Then taking images at equal
    # distances takes from each class in proportion to its size.
    order = shuffled[torch.argsort(data.labels.cpu()[shuffled], stable=True)]
    held_out = torch.zeros(len(data), dtype=torch.bool)
    positions = (torch.arange(n_valid) + 0.5) * len(data) / n_valid
    held_out[order[positions.long()]] = True
    rest, valid = (~held_out).nonzero()[:, 0], held_out.nonzero()[:, 0]
    device = data.images.device
    return data.take(rest.to(device)), data.take(valid.to(device))


@dataclass(frozen=True)
class Parts:
    r"""
    ## What is for what

    The images of a source, in up to three parts. `train` is to learn from. `valid` is to choose by,
    and `test` to be measured with once, at the end. Public data sets mostly come with two of them,
    and one's own pictures mostly lie in one heap. Images to choose by that are missing are
    [held out](#split) of those to learn from, always the same ones, and a heap is divided as a
    whole. But whoever has divided their images knows what belongs together, and no test set is made
    up behind their back.

    >>> heap = ImageData(torch.zeros(20, 1, 4, 4, dtype=torch.uint8),
    ...                  torch.arange(20) % 2, ('a', 'b'))
    >>> parts = Parts.of_heap(heap)
    >>> train, held_out = parts.choose(n_valid=5000, final=False)
    >>> len(train), len(held_out), len(parts.test)
    (13, 3, 4)
    """

    train: ImageData
    valid: ImageData | None = None
    test: ImageData | None = None
    # At most this part of `train` is held out, where there is no `valid`
    most: float = 0.2

    @staticmethod
    def of_heap(data: ImageData) -> "Parts":
        """
        The parts of images that nobody has divided: a fifth of each class of `data` is the test
        set, the same one whenever these images are divided. Raises `DataError` if a class has fewer
        than three images, one for each part.
        """
        check_classes(data, least=3)
        rest, test = split(data, len(data) // 5)
        return Parts(rest, test=test)

    def choose(self, n_valid: int, final: bool) -> tuple[ImageData, ImageData]:
        """
        The images to learn from and those to measure with. The latter are those to choose by,
        `n_valid` of `train` if there are none; or, if the run is the `final` one, the test set.
        Then one learns from all others. Raises `DataError` if there is no test set.
        """
        if final:
            if self.test is None:
                raise DataError(
                    "there is no test set, so a run cannot be --final; see how "
                    "images are divided, or leave it out"
                )
            return join(self.train, self.valid), self.test
        if self.valid is not None:
            return self.train, self.valid
        most = max(int(len(self.train) * self.most), 1)
        return split(self.train, min(n_valid, most))


def join(data: ImageData, more: ImageData | None) -> ImageData:
    """The images of `data`, and behind them `more` of the same classes and shape, if any."""
    if more is None:
        return data
    return ImageData(
        torch.cat([data.images, more.images]),
        torch.cat([data.labels, more.labels]),
        data.classes,
    )


def check_classes(data: ImageData, least: int) -> None:
    """
    Raises `DataError` if `data` has fewer than two classes, or `least` images of a class are not
    there.

    A network with a single class to choose from is always right.
    """
    if len(data.classes) < 2:
        only = ", ".join(printable(name, 60) for name in data.classes)
        raise DataError(
            f"there must be two classes at least, got {only or 'none'}"
        )
    counts = data.counts()
    few = [
        f"{printable(name, 60)} ({n})"
        for name, n in zip(data.classes, counts, strict=True)
        if n < least
    ]
    if few:
        more = f" and {len(few) - 5} more" if len(few) > 5 else ""
        raise DataError(
            f"each class needs at least {least} images"
            f"{', one for each part' if least == 3 else ''}; too few are in "
            f"{', '.join(few[:5])}{more}"
        )


def batch_indices(
    n: int, batch_size: int, step: int, seed: int, seen: int | None = None
) -> Int64[Tensor, "{batch_size}"]:
    r"""
    ## Which images a step sees

    * `n` is the number of images
    * `batch_size` is the number of images in a batch
    * `step` counts from 0 through the whole run
    * `seed` is the seed of the run
    * `seen` is how many images the steps before have seen. It is `step` times `batch_size`, unless
      the size of a batch was changed on the way

    Every epoch goes through all images once, in an order of its own. Images that are left when
    no full batch remains are not lost: they begin the next epoch's first batch. Returns shape
    `[batch_size]`.

    >>> batches = [batch_indices(5, 2, step, seed=0).tolist() for step in range(5)]
    >>> sorted(sum(batches, []))
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    """
    first = step * batch_size if seen is None else seen
    last = first + batch_size
    pieces = []
    for epoch in range(first // n, (last - 1) // n + 1):
        order = _epoch_order(n, epoch, seed)
        pieces.append(order[max(first - epoch * n, 0) : last - epoch * n])
    return torch.cat(pieces)


def random_generator(seed: int, *key: str | int) -> torch.Generator:
    """
    ## Randomness without a state

    A generator that depends on `seed` and `key` and on nothing else. The key begins with the name
    of a *stream*, which says what is drawn: `'order'` of the images, `'crops'`, `'weights'` and so
    on. Then come the numbers of what it is drawn for, such as the step.

    >>> a, b = (random_generator(0, 'crops', 7) for _ in range(2))
    >>> torch.equal(torch.rand(3, generator=a), torch.rand(3, generator=b))
    True

    It would be simpler to add seed and number, and to seed a generator with the sum. An earlier
    version of this page did so, however well it stirred the sum afterwards:

    >>> def order(seed, epoch):
    ...     generator = torch.Generator().manual_seed(seed + epoch)
    ...     return torch.randperm(10, generator=generator).tolist()
    >>> order(seed=0, epoch=1) == order(seed=1, epoch=0)
    True

    With seed 1, every epoch then sees the images in the very order in which seed 0 sees them one
    epoch later, and every step cuts the crops that seed 0 cuts one step later. Such runs are
    related. The standard deviation of their accuracies does not tell how much of a result is
    chance, which is what one trains with several seeds for.

    So seed and key are written down as a text, and the generator is seeded with a *hash* of it.
    Texts that differ in a single letter have hashes with nothing in common.

    >>> def order(seed, epoch):
    ...     generator = random_generator(seed, 'order', epoch)
    ...     return torch.randperm(10, generator=generator).tolist()
    >>> order(seed=0, epoch=1), order(seed=1, epoch=0)
    ([1, 4, 2, 7, 0, 9, 3, 8, 5, 6], [0, 8, 1, 9, 6, 3, 4, 5, 2, 7])

    One trap is left. PyTorch takes seeds of 64 bits, but its generator on the CPU forgets half of
    them:

    >>> a, b = (torch.Generator().manual_seed(s) for s in (5, 5 + 2**32))
    >>> torch.equal(torch.rand(3, generator=a), torch.rand(3, generator=b))
    True

    The paper's recipe has 64,000 steps, so five runs of it need 320,000 seeds for their crops
    alone. With 32 bits, about a dozen pairs of them are equal by chance:

    >>> round(320_000**2 / 2 / 2**32)
    12

    The state of that generator, a Mersenne Twister, is much larger: 624 words of 32 bits. The hash
    function SHAKE-256 gives as many bytes as one asks for, so we let it fill the whole state.
    """
    text = json.dumps([seed, *key]).encode()
    words = bytearray(hashlib.shake_256(text).digest(4 * 624))
    generator = torch.Generator()
    # PyTorch keeps each word in eight bytes. Three numbers precede them: the seed, and which of the
    # words is next. In a new generator none of them is, so it computes new ones from these first.
    state = generator.get_state()
    unsigned = torch.frombuffer(words, dtype=torch.int32).long() & 0xFFFFFFFF
    state.view(torch.int64)[3:627] = unsigned
    return generator.set_state(state)


# The version of the draws. It is saved with every run: none may go on with another version, and no
# mean is taken over runs of different ones. Version 1 is the one that added seed and number.
DRAWS = 2


def seed_generators(seed: int, *key: str | int) -> None:
    """
    ## Randomness with a state

    A layer draws the weights it starts with from a generator that PyTorch shares among all layers,
    and so does dropout in every step. Other people's layers may ask NumPy or Python. This puts all
    of these generators into a state that depends on `seed` and `key` alone.

    CUDA devices have another kind of generator, which keeps all 64 bits of its seed.

    >>> seed_generators(0, 'weights')
    >>> one = nn.Linear(3, 3)
    >>> seed_generators(0, 'weights')
    >>> torch.equal(one.weight, nn.Linear(3, 3).weight)
    True
    """
    generator = random_generator(seed, *key)
    words = torch.randint(2**32, (10,), generator=generator).tolist()
    torch.manual_seed(words[0] << 32 | words[1])
    torch.set_rng_state(generator.get_state())
    np.random.seed(words[2:])
    random.seed(repr(words))


def _epoch_order(n: int, epoch: int, seed: int) -> Int64[Tensor, "{n}"]:
    """
    The order of an epoch is needed in every one of its steps. The last two are kept.
    """
    key = (n, epoch, seed)
    if key not in _orders:
        for old in list(_orders)[:-1]:
            del _orders[old]
        _orders[key] = torch.randperm(
            n, generator=random_generator(seed, "order", epoch)
        )
    return _orders[key]


_orders: dict[tuple[int, int, int], Tensor] = {}


def send(
    values: Shaped[Tensor, "*shape"], device: torch.device
) -> Shaped[Tensor, "*shape"]:
    """
    ## Without waiting for the device

    Returns `values` from the CPU on `device`, in the same shape. A copy to a GPU has to wait until
    the GPU has done all that it was asked for before, unless it comes from *pinned* memory, which
    the system never moves. From there the GPU fetches it when its turn comes, and the program goes
    on to prepare the next step.

    On Apple's devices such copies are not safe, so there we wait.
    """
    if device.type == "cuda":
        values = values.pin_memory()
    return values.to(device, non_blocking=device.type != "mps")


@dataclass(frozen=True)
class Crops:
    r"""
    ## Cropping and flipping

    The paper's augmentation (section 4.2): pad each side of an image by 4 pixels for CIFAR-10, cut
    out a random square of the original size, and mirror it with a probability of one half. It does
    not say what these pixels are. Ours are black; normalized like the others, they are far below
    the mean. A network that sees an object in many places learns that the place does not matter.

    ![A horse with a rider as it is in the training set, and seven crops of it: shifted by a few
    pixels, with black where there were zeros, and three of them
    mirrored.](../../experiments/pictures/crops.png "An image of CIFAR-10, first as it is, then as
    a network sees it in seven epochs")

    What is cut out is drawn first, for a whole batch, and cut later. The random numbers are drawn
    on the CPU, so that every device cuts the same, and processes that share a batch draw all of its
    numbers and take their part of them.
    """

    # `[batch]`, how far from the top and from the left of the padded image each crop begins
    top: Int64[Tensor, "batch"]
    left: Int64[Tensor, "batch"]
    # `[batch]`, which images are mirrored
    mirrored: Bool[Tensor, "batch"]
    # How many zeros there are on each side
    padding: int

    @staticmethod
    def draw(
        batch: int, padding: int, flip: bool, generator: torch.Generator
    ) -> "Crops":
        """
        Draws the crops of `batch` images, which have `padding` zeros on each side, with numbers
        from `generator`. Without `flip`, none is mirrored: a mirrored 3 is no digit.
        """
        top, left = torch.randint(
            0, 2 * padding + 1, (2, batch), generator=generator
        )
        mirrored = torch.rand(batch, generator=generator) < 0.5
        return Crops(top, left, mirrored & flip, padding)

    def part(self, index: slice) -> "Crops":
        """The crops of a part of the batch, the one that `index` cuts out."""
        return self._each(lambda values: values[index])

    def to(self, device: torch.device) -> "Crops":
        """The same crops on `device`, which does not have to [wait](#send) for them."""
        return self._each(lambda values: send(values, device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Crops":
        top, left = change(self.top), change(self.left)
        return Crops(top, left, change(self.mirrored), self.padding)

    def cut(
        self, images: UInt8[Tensor, "batch channels height width"]
    ) -> UInt8[Tensor, "batch channels height width"]:
        r"""
        Cuts the crops out of `images`, bytes of shape `[batch, channels, height, width]`. Returns
        the same shape.

        From the rows and columns to read, one indexing operation gathers the whole batch. A mirror
        image is only read backwards, so it costs nothing extra.

        >>> image = torch.arange(9, dtype=torch.uint8).view(1, 1, 3, 3)
        >>> one, yes = torch.tensor([1]), torch.tensor([True])
        >>> Crops(top=one * 2, left=one, mirrored=yes, padding=1).cut(image)[0, 0]
        tensor([[5, 4, 3],
                [8, 7, 6],
                [0, 0, 0]], dtype=torch.uint8)
        """
        batch, _, height, width = images.shape
        here = self.to(images.device)
        down, forwards, number = (
            torch.arange(n, device=images.device)
            for n in (height, width, batch)
        )
        reading = torch.where(
            here.mirrored[:, None], forwards.flip(0), forwards
        )
        rows = here.top[:, None] + down
        columns = here.left[:, None] + reading
        padded = nn.functional.pad(images, (self.padding,) * 4)
        # The indices have the shapes `[batch, 1, 1]`, `[batch, height, 1]` and `[batch, 1, width]`,
        # so the result is `[batch, height, width, channels]`: the channels of a pixel lie side by
        # side in memory. Seen as `[batch, channels, height, width]`, that is the layout PyTorch
        # calls channels-last, in which convolutions are fastest on most devices.
        gathered = padded[
            number[:, None, None], :, rows[:, :, None], columns[:, None, :]
        ]
        return gathered.permute(0, 3, 1, 2)
