"""Networks and counts of other people, for ours to be compared with."""

from __future__ import annotations

import importlib
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.library import Library
from torch.utils.flop_counter import FlopCounterMode

INSTALLED = Path(sys.prefix) / "world"
"""Where `make test` installs packages of others. Nothing else there is imported."""
OPERATORS = 50
"""More than torchvision registers."""


def pytorchs_multiply_adds(model: nn.Module, images: Tensor) -> int:
    """How many PyTorch counts in a forward pass."""
    with FlopCounterMode(display=False) as counter:
        model(images)
    operations = counter.get_total_flops()
    assert operations % 2 == 0
    return int(operations // 2)


@cache
def torchvision(module: str) -> Any:
    """Import a module of torchvision. Beside a torch for CPUs its operators are missing; declared, they are enough.

    Raises:
        ImportError: if it is not installed.
    """
    library: Any = Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    _LIBRARIES.append(library)  # what it declares is gone with it
    sys.path.append(str(INSTALLED))
    try:
        for _ in range(OPERATORS):
            try:
                return importlib.import_module(f"torchvision.{module}")
            except RuntimeError as error:
                missing = re.search(r"operator torchvision::(\w+) does not exist", str(error))
                if not missing:
                    raise
                for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
                    del sys.modules[name]
                library.define(f"{missing[1]}(...) -> ...")
    finally:
        sys.path.remove(str(INSTALLED))
    raise ImportError("torchvision registers more operators than expected")


_LIBRARIES: list[Any] = []
