"""What a trace needs of a tensor, without torch."""

from __future__ import annotations


class Dtype:
    """Says its name as torch does."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __str__(self) -> str:
        return f"torch.{self._name}"


class Tensor:
    """A tensor that has a shape and a type, and nothing in it."""

    def __init__(self, *shape: int, dtype: str = "float32") -> None:
        self.shape = shape
        self.dtype = Dtype(dtype)

    def __add__(self, other: object) -> Tensor:
        return Tensor(*self.shape)

    def __iadd__(self, other: object) -> Tensor:
        return self

    def view(self, *shape: int) -> Tensor:
        """Another shape of it."""
        return Tensor(*shape)
