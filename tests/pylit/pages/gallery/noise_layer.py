"""Layers that are switched on in training only."""


class Noise:
    """Adds noise to what passes.

    # Arguments
        scale: The standard deviation,
            see [normal](https://docs.python.org/3/library/random.html).
        seed: An integer, or nothing.

    # Input shape
        Any: `(batch_size, ...)`.

    # Example
        layer = Noise(0.1)
    """

    def __init__(self, scale, seed=None):
        self.scale = scale
        self.seed = seed
