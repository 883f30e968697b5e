r"""
---
title: What is shown
summary:
  Shows how a run goes, as a bar in a terminal and as one line for each epoch anywhere else.
---

# What is shown

In a terminal there is a progress bar. It moves the cursor back to draw itself anew, which makes a
mess of a file, of a cluster's log and of a notebook. So where nobody watches a terminal, there is
one line of plain text for each epoch, and nothing else.

In a terminal [labml](tracking.py) shows what was measured. Where it cannot, the same lines are
shown in its place: no run goes on unseen because of it.
"""

import sys
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from labml_nn.printing import printable


def is_terminal() -> bool:
    """Whether a person sees in a terminal what this process prints."""
    return sys.stdout.isatty() and sys.stderr.isatty()


class Screen:
    """Shows the steps and the epochs of a run, or nothing if it `is_quiet`."""

    def __init__(self, steps: int, done: int, *, is_quiet: bool) -> None:
        """
        * `steps` is how many the run has in all
        * `done` is how many of them were taken before
        * `is_quiet` is whether nothing is to be shown
        """
        self.steps = steps
        self.is_quiet = is_quiet
        self.bar: Any = tqdm(
            total=steps,
            initial=done,
            unit="step",
            disable=is_quiet or not is_terminal(),
        )

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def after_step(self) -> None:
        """Moves the bar on."""
        self.bar.update()

    def epoch(
        self, epoch: float, step: int, values: Mapping[str, float]
    ) -> None:
        """Shows the `values` measured at this `epoch`, which need not be whole, and `step`."""
        if self.is_quiet:
            return
        line = as_line(epoch, step, self.steps, values)
        if self.bar.disable:
            print(line, flush=True)
        else:
            self.bar.write(line)


def as_line(
    epoch: float, step: int, steps: int, values: Mapping[str, float]
) -> str:
    """What is shown of an epoch.

    * `epoch` is how often all images were seen
    * `step` is the number of steps so far, of all `steps`
    * `values` are what was measured, by name

    >>> values = {'loss.train': 1.074182, 'accuracy.train': 0.61673,
    ...           'images_per_second': 1042.14}
    >>> print(as_line(2.0, 34, 60, values))
    epoch 2  step 34/60  loss.train 1.0742  accuracy.train 61.67 %  images/s 1,042
    """
    parts = [f"epoch {epoch:g}  step {step:,}/{steps:,}"]
    for name, value in values.items():
        if name.startswith("accuracy"):
            text = f"{100 * value:.2f} %"
        elif name.startswith("loss"):
            text = f"{value:.4f}"
        elif name == "images_per_second":
            name, text = "images/s", f"{value:,.0f}"
        else:
            text = f"{value:.3g}"
        parts.append(f"{printable(name, 60)} {text}")
    return "  ".join(parts)
