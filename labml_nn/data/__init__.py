r"""
---
title: Images on the device
summary:
  A data set as one tensor of bytes, with a stratified split, shuffling, cropping and flipping as
  batched tensor operations, and no worker processes.
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

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor, nn


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
        """The number of channels: 3 for colours, 1 for shades of grey."""
        return self.images.shape[1]

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
    on the seed of a run, so all runs are compared on the same images.

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


def batch_indices(
    n: int, batch_size: int, step: int, seed: int
) -> Int64[Tensor, "{batch_size}"]:
    r"""
    ## Which images a step sees

    * `n` is the number of images
    * `batch_size` is the number of images in a batch
    * `step` counts from 0 through the whole run
    * `seed` is the seed of the run

    Every epoch goes through all images once, in an order of its own. Images that are left when
    no full batch remains are not lost: they begin the next epoch's first batch. Returns shape
    `[batch_size]`.

    >>> batches = [batch_indices(5, 2, step, seed=0).tolist() for step in range(5)]
    >>> sorted(sum(batches, []))
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    """
    first, last = step * batch_size, (step + 1) * batch_size
    pieces = []
    for epoch in range(first // n, (last - 1) // n + 1):
        order = _epoch_order(n, epoch, seed)
        pieces.append(order[max(first - epoch * n, 0) : last - epoch * n])
    return torch.cat(pieces)


def random_generator(seed: int, *numbers: int) -> torch.Generator:
    """
    ## Randomness without a state

    A generator that depends on the `seed` and on `numbers`, such as the step, and on nothing else.
    The mixing keeps neighbouring steps from getting similar seeds. Its constants are the
    multiplier and the increment of Knuth's MMIX generator.

    >>> a, b = random_generator(0, 1), random_generator(0, 1)
    >>> bool((torch.rand(3, generator=a) == torch.rand(3, generator=b)).all())
    True
    """
    state = seed
    for number in numbers:
        state = (state + number) * 6364136223846793005 + 1442695040888963407
        state = (state ^ (state >> 29)) % 2**63
    return torch.Generator().manual_seed(state)


def _epoch_order(n: int, epoch: int, seed: int) -> Int64[Tensor, "{n}"]:
    """
    The order of an epoch is needed in every one of its steps. The last two are kept.
    """
    key = (n, epoch, seed)
    if key not in _orders:
        for old in list(_orders)[:-1]:
            del _orders[old]
        _orders[key] = torch.randperm(
            n, generator=random_generator(seed, epoch)
        )
    return _orders[key]


_orders: dict[tuple[int, int, int], Tensor] = {}


@dataclass(frozen=True)
class Crops:
    r"""
    ## Cropping and flipping

    The paper's augmentation (section 4.2): pad each side of an image with zeros, 4 for CIFAR-10,
    cut out a random square of the original size, and mirror it with a probability of one half. A
    network that sees an object in many places learns that the place does not matter.

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
        return Crops(
            self.top[index],
            self.left[index],
            self.mirrored[index],
            self.padding,
        )

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
        forwards = torch.arange(width)
        reading = torch.where(
            self.mirrored[:, None], forwards.flip(0), forwards
        )
        rows = (self.top[:, None] + torch.arange(height)).to(images.device)
        columns = (self.left[:, None] + reading).to(images.device)
        number = torch.arange(batch, device=images.device)
        padded = nn.functional.pad(images, (self.padding,) * 4)
        # The indices have the shapes `[batch, 1, 1]`, `[batch, height, 1]` and `[batch, 1, width]`,
        # so the result is `[batch, height, width, channels]`: the channels of a pixel lie side by
        # side in memory. Seen as `[batch, channels, height, width]`, that is the layout PyTorch
        # calls channels-last, in which convolutions are fastest on most devices.
        gathered = padded[
            number[:, None, None], :, rows[:, :, None], columns[:, None, :]
        ]
        return gathered.permute(0, 3, 1, 2)
