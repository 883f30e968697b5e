#!/usr/bin/env python
r"""
---
title: One of everything
summary: What a page can hold.
---

# One of everything

A paragraph with *emphasis*, **strong** words, `code = 1`, a [link](#Thing.run) and $x_i^2$.

$$y = W_s x$$

* an item with `x`
* another one

| head | cell |
|------|------|
| $C$  | text |

>>> Thing().run(2)
4

```shell
make site
```

## A part
"""

import math  # a trailing comment


# A comment that touches the class.
class Thing:
    """## A thing"""

    size = """a string
# that is no comment
"""

    def run(self, x: int) -> int:
        # Twice $x$: <b>bold</b>, <script>alert(1)</script>.
        y = 2 * x
        #
        return int(math.floor(y))
