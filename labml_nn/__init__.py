r"""
---
title: Papers beside their code
summary:
  Deep learning papers explained line by line, next to the PyTorch that implements them,
  with every number and shape that the code yields executed.
---

# Papers beside their code

Deep learning papers, explained line by line beside the PyTorch that implements them.

```specimen
formula: y = \mathcal{F}(x) + x
code: [resnet/__init__.py#ResidualBlock.residual, resnet/__init__.py#ResidualBlock.forward]
symbols:
  y: y
  \mathcal{F}: [residual, conv1, bn1, act1, conv2, bn2]
  x: shortcut
caption: Point at a symbol, and its code lights up. This is the code that `import` runs.
```

## Residual networks

```pages
pages: resnet/*.py
```

## Normalization

```pages
pages: normalization/*.py
```

## The residual stream

```pages
pages: transformers/*.py
```

## ConvNeXt

```pages
pages: convnext/*.py
```

## Diffusion

```pages
pages: diffusion/*.py
```

## Data

```pages
style: rows
pages: data/*.py
```

## Training

```pages
style: rows
pages: training/*.py
```

## Guides

```pages
style: rows
pages: ../docs/guide/*.md
```

## Runs, for reference

```pages
style: rows
pages: [runs/*.py, "*.py"]
```

## Who this is for

A research paper says what an idea is, and a repository says what the computer does. Reading both
means holding one in memory while looking at the other. Here they stand next to each other: prose on
the left, and on the right the PyTorch it speaks of.

You know enough PyTorch to recognize a convolution and a training step, and you would like to
understand a paper well enough to have written its code. No page assumes that you have read the
paper; each one says which section of it to open.

## How a page works

* **The code is the module itself.** A page is drawn from a Python file whose docstrings and
  comments are the prose. What you read is what `import` runs, so nothing here is a copy that can
  fall behind.
* **Formulas and code share their names** where they can: where a formula has an $x$, the code has
  an `x`.
* **What the code yields is executed.** A number or a shape is either an example that the tests run,
  like the one that follows, or is held by a test of its own. Results quoted from a paper
  name the table or section they come from.
* **Choices have owners.** Where the paper decides something, the prose says so. Where it is silent
  and we had to decide, the prose says that too.

This is what such an example looks like. It builds a small residual network and turns four images
into four vectors of 32 features:

>>> import torch
>>> from labml_nn.resnet import ResNetBase
>>> net = ResNetBase(n_blocks=[2, 2], n_channels=[16, 32])
>>> images = torch.randn(4, 3, 64, 64)
>>> net(images).shape
torch.Size([4, 32])

Change an argument, guess the shape, and run it again. That is the quickest way to read any page
here.

## Thanks

The idea of annotating whole implementations in this way comes from
[nn.labml.ai](https://nn.labml.ai), whose authors also wrote `labml`, on whose helpers these modules
are built. The text and the code on these pages are our own, and so are the mistakes.
"""

# ## Another `labml_nn`
#
# The package index has a `labml-nn` that is not this one. Install only one of the two, because pip
# would mix [their files](installation.py).
from labml_nn.installation import check_installation

check_installation()
