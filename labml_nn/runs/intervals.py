r"""
---
title: Within an epoch
summary:
  Measures loss and accuracy every so many steps, in a way that a run which was stopped loses none.
---

# Within an epoch

The [totals](../training/measuring.py#Totals) are those of the epoch. What was measured since the
last interval ended is the difference to what they were then, which is saved with the run.
"""

from collections.abc import Callable
from dataclasses import dataclass

from labml_nn.training.loop import Loop
from labml_nn.training.schedule import ends_epoch


@dataclass(frozen=True)
class Intervals:
    """Measures in between."""

    loop: Loop
    # Steps between measurements, if there are to be any; one more is at the end of each epoch
    every: int | None
    # What to do with the number of steps so far, and with what was measured
    report: Callable[[int, dict[str, float]], object]

    def after_step(self) -> None:
        """Measures if it is time for it. To be called after every step, before anything is saved.

        Raises `Diverged` if the loss is no longer a number.
        """
        trainer, progress = self.loop.trainer, self.loop.progress
        recipe, step = trainer.recipe, trainer.step
        at_end = ends_epoch(recipe, len(trainer.data), step, trainer.seen)
        if self.every and (at_end or step % self.every == 0):
            now = trainer.totals.state(trainer.machine)
            before = progress.get("interval", {})
            loss, hits, images = (
                now[name] - before.get(name, 0.0)
                for name in ("loss", "hits", "images")
            )
            progress["interval"] = now
            n = max(images, 1)
            values = {
                "interval": round(images / recipe.batch_size),
                "loss.train": loss / n,
                "accuracy.train": hits / n,
                "learning_rate": recipe.rate(max(trainer.position - 1, 0)),
            }
            self.report(step, values)
        if at_end:
            progress.pop("interval", None)
