r"""
---
title: Under torchvision's names
summary:
  The ImageNet family as people ask for it, by functions called resnet50 and the like, with weights
  from a file.
hook: Ask for resnet50 by its name, with weights from a file.
pictogram: pictograms/models.svg
---

# Under torchvision's names

Programs that use torchvision ask for a network by a function:

```python
from torchvision.models import resnet50
model = resnet50(num_classes=10)
```

Here are the same functions for [our networks](imagenet.py), so that another import is all that such
a program has to change. The networks have the same weights under the same names, and compute the
same.

>>> list_models()[:3]
['resnet101', 'resnet152', 'resnet18']
>>> model = resnet18(num_classes=10)
>>> model.fc
Linear(in_features=512, out_features=10, bias=True)
>>> type(get_model('resnet18')) is type(model)
True

One thing is different on purpose. torchvision's `weights="DEFAULT"` downloads a file; here nothing
is downloaded behind one's back, and `weights` is the path of a file that is there.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from labml_nn.resnet.imagenet import NETWORKS, ResNet, load_torchvision


def list_models() -> list[str]:
    """The names of all networks, in the order of the alphabet."""
    return sorted(NETWORKS)


def get_model(
    name: str,
    *,
    weights: Path | str | None = None,
    num_classes: int | None = None,
    **options: Any,
) -> ResNet:
    r"""
    ## A network by its name

    * `name` is one of the ten, in any case
    * `weights` is a file of torchvision's; without it, the weights are random
    * `num_classes` is the number of classes; 1,000 if neither it nor the file says something else
    * `options` are those of the [network](imagenet.py#ResNet.__init__)

    Raises `ValueError` for an unknown name, for options that the network refuses, and if `weights`
    is no file but a name of torchvision's;
    [`CheckpointError`](../training/checkpoint.py#CheckpointError) if the file cannot be read or
    does not fit. So a file for 1,000 classes does not become a network for ten: the layer that
    tells them apart would be random, and nothing would say so. To train such a network,
    [start from the file](finetune.py).
    """
    name = name.lower()
    if name not in NETWORKS:
        raise ValueError(
            f"name must be one of {', '.join(list_models())}, got {name!r}"
        )
    if weights is None:
        return ResNet(name, num_classes or 1000, **options)
    path = Path(weights)
    if not path.suffix and not path.exists():
        raise ValueError(
            f"weights must be the path of a file, got {str(weights)!r}; nothing "
            "is downloaded. The files of torchvision are at "
            "https://download.pytorch.org/models/, for example "
            "resnet18-f37072fd.pth"
        )
    n_classes = num_classes or _classes_in(path)
    return load_torchvision(path, ResNet(name, n_classes, **options))


def _classes_in(path: Path) -> int:
    """How many classes the file at `path` is for."""
    return load_torchvision(path).fc.out_features


Builder = Callable[..., ResNet]

# ## The ten functions
#
# Each takes what `get_model` takes, apart from the name.
resnet18: Builder = partial(get_model, "resnet18")
resnet34: Builder = partial(get_model, "resnet34")
resnet50: Builder = partial(get_model, "resnet50")
resnet101: Builder = partial(get_model, "resnet101")
resnet152: Builder = partial(get_model, "resnet152")
resnext50_32x4d: Builder = partial(get_model, "resnext50_32x4d")
resnext101_32x8d: Builder = partial(get_model, "resnext101_32x8d")
resnext101_64x4d: Builder = partial(get_model, "resnext101_64x4d")
wide_resnet50_2: Builder = partial(get_model, "wide_resnet50_2")
wide_resnet101_2: Builder = partial(get_model, "wide_resnet101_2")
