"""A module that has prose of every kind, for tests of prose and of its translation."""

from __future__ import annotations

PAGE = '''\
r"""
---
title: The title
summary: One sentence.
---
# Heading with `code`

A paragraph
over two lines, with $x$.

$$y = x$$

* `x` is a number
* $y$

| a | b |
|---|---|
| one | $2$ |

>>> f(1)
2

![A picture](p.svg)
"""


class A:
    """
    ## Part

    ### Detail
    """

    x = 1  # ignored


# A comment that explains.
y = A()
'''
