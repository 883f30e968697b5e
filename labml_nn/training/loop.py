r"""
---
title: A training loop
summary:
  From images to a checkpoint. Stochastic gradient descent on one device or many, resumable to the
  bit, that never makes the device wait for the log.
hook: From images to a checkpoint, resumable to the bit.
---

# A training loop

Training repeats one step: take a batch, compute the loss, compute its gradients, move the weights a
little against them. Around that step stands everything that makes it useful in practice: a schedule
for the learning rate, measurements on images the network has not seen, checkpoints, several
processes that share the work, and a way to stop.

This page shows the whole of it, from the bytes of an image to the file that a run can go on from.
The [recipe](#Recipe) says what to do, the [trainer](#Trainer) takes a step, and the [loop](#Loop)
takes all of them. What they call on has [pages of its own](__init__.py), but can be guessed for now
from what it is called.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from labml_nn.data import (
    DRAWS,
    Crops,
    ImageData,
    batch_indices,
    random_generator,
    seed_generators,
    send,
)
from labml_nn.training.checkpoint import (
    Checkpoint,
    CheckpointFolder,
    check_draws,
    load_optimizer,
    random_state,
    set_random_state,
)
from labml_nn.training.extras import AveragedModel, Batch, Extras, gives_up
from labml_nn.training.machine import Machine, begin_velocities
from labml_nn.training.measuring import Totals, evaluate
from labml_nn.training.schedule import ends_epoch, part_left
from labml_nn.training.verify import Expected


class Normalize(nn.Module):
    """
    ## From bytes to numbers

    Pixels from 0 to 255 become numbers with a mean of zero and a standard deviation of one in each
    channel, measured on the training images. The paper subtracts the mean of each pixel instead,
    and does not divide. It is part of the model, so a checkpoint holds the two values and a
    prediction cannot forget them.
    """

    mean: Float[Tensor, "1 channels 1 1"]
    std: Float[Tensor, "1 channels 1 1"]

    def __init__(
        self, mean: Float[Tensor, "channels"], std: Float[Tensor, "channels"]
    ) -> None:
        """
        * `mean` and `std` have shape `[channels]` and are for pixels from 0 to 1
        """
        super().__init__()
        self.register_buffer("mean", mean.view(1, -1, 1, 1))
        self.register_buffer("std", std.view(1, -1, 1, 1))

    def forward(
        self, images: UInt8[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """
        * `images` are bytes of shape `[batch, channels, height, width]`

        Returns the same shape in floating point. Raises `TypeError` for other numbers. Images in
        floating point are mostly from 0 to 1 already. Divided once more they would all be black,
        and the network would give an answer all the same.
        """
        if isinstance(images, Tensor) and images.dtype != torch.uint8:
            raise TypeError(
                f"images must be bytes from 0 to 255, got {images.dtype}; if "
                "they are from 0 to 1: (255 * images).round().byte()"
            )
        return (images.float() / 255 - self.mean) / self.std


@dataclass(frozen=True)
class Recipe:
    """
    ## The recipe

    What the result of a run depends on, apart from the network and the data.
    """

    # Steps of gradient descent
    steps: int
    # Images in a batch, those of all processes together
    batch_size: int
    # Learning rate after the warm-up and before the first milestone
    learning_rate: float
    momentum: float
    # Strength of the pull of all weights towards zero
    weight_decay: float
    # Steps at which the learning rate is divided by ten
    milestones: tuple[int, ...]
    # [How it falls](schedule.py): `'steps'` divides it by ten at the milestones, `'cosine'` lets it
    # fall to zero along half a cosine wave, `'linear'` along a straight line
    schedule: str
    # Steps at the start with `warmup_factor` times the learning rate
    warmup_steps: int
    warmup_factor: float
    # Zeros around an image before it is cropped
    padding: int
    # Whether images may be mirrored
    flip: bool
    seed: int
    # [What else there is](extras.py), all of it off
    extras: Extras = field(default_factory=Extras, kw_only=True)

    def __post_init__(self) -> None:
        """
        Raises `ValueError` for a schedule that is not known. It is better said now than when the
        warm-up is over.
        """
        part_left(self.schedule, 0, self.steps, self.milestones)

    @property
    def images(self) -> int:
        """How many images all steps together see."""
        return self.steps * self.batch_size

    def rate(self, step: float) -> float:
        """
        ### The learning rate

        The rate of this `step`: first the one to warm up with, then what [the
        schedule](schedule.py) leaves of `learning_rate`. For its network with 110 layers, the paper
        finds 0.1 slightly too large to start with, and warms it up with 0.01 (section 4.2). A
        footnote adds that without this, it starts to learn after several epochs and ends about as
        well.
        """
        if step < self.warmup_steps:
            return self.learning_rate * self.warmup_factor
        return self.learning_rate * part_left(
            self.schedule, step, self.steps, self.milestones
        )

    def draw(
        self,
        data: ImageData,
        step: int,
        machine: Machine,
        seen: int | None = None,
    ) -> tuple[
        UInt8[Tensor, "batch channels height width"], Int64[Tensor, "batch"]
    ]:
        """
        ### The batch

        The images of `data` that this `step` sees, the ones after those `seen` before, cropped and
        mirrored, and their labels. All processes draw the same batch; what is returned is the share
        of the one on `machine`, of shapes `[batch, channels, height, width]` and `[batch]`.
        """
        indices = batch_indices(
            len(data), self.batch_size, step, self.seed, seen
        )
        crops = Crops.draw(
            self.batch_size,
            self.padding,
            self.flip,
            random_generator(self.seed, "crops", step),
        )
        share = machine.share(self.batch_size)
        mine = send(indices[share], machine.device)
        return crops.part(share).cut(data.images[mine]), data.labels[mine]

    def loss(
        self,
        logits: Float[Tensor, "batch n_classes"],
        labels: Int64[Tensor, "batch"],
    ) -> Float[Tensor, ""]:
        r"""
        ### The loss

        Cross-entropy, the mean over the batch: with the `logits` $z$ of an image and the number $k$
        of its true class, from `labels`, it is $-z_k + \ln \sum_j e^{z_j}$. The shapes are
        `[batch, n_classes]`, `[batch]`, and `[]` for the result.

        To bring the probability of the true class to 1, the logits would have to grow for ever, and
        images that the network is sure of would go on pulling. With label smoothing ([Szegedy et
        al., 2015](https://arxiv.org/abs/1512.00567)) the goal is a little less than 1, and the rest
        is spread over all classes. Examples that are already learned stop pulling. The loss of the
        training images then includes this spread, and that of the images held out does not, so the
        two cannot be compared; accuracies can.
        """
        return nn.functional.cross_entropy(
            logits, labels, label_smoothing=self.extras.label_smoothing
        )

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        r"""
        ### The optimizer

        Stochastic gradient descent with momentum for the weights $w$ of `model`. With $g$ for the
        gradient of the loss, $\mu$ for `momentum`, $\lambda$ for `weight_decay` and $\eta$ for the
        learning rate, the weights move by a velocity $v$:

        $$v \leftarrow \mu v + g + \lambda w \qquad w \leftarrow w - \eta v$$

        Caffe, for which the authors published their networks, keeps the learning rate within the
        velocity, $v \leftarrow \mu v + \eta \, (g + \lambda w)$. At a constant rate that is the
        same. After a change of the rate, the velocity there still has the old one for some steps,
        while here the new one counts at once.

        The weight decay applies to all parameters, those of the normalizations too. The paper does
        not say so; it is what the software of its time did by default.

        `fused` updates all parameters in a single pass over memory, where the plain loop launches
        several operations for each of them.
        """
        parameters = [p for p in model.parameters() if p.requires_grad]
        return torch.optim.SGD(
            parameters,
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            fused=parameters[0].device.type in ("cpu", "cuda"),
        )

    def set_rates(self, optimizer: torch.optim.Optimizer, step: float) -> None:
        """Gives `optimizer` the learning rate of this `step`."""
        for group in optimizer.param_groups:
            group["lr"] = self.rate(step)


class Trainer:
    """
    ## The trainer

    Knows how to take a step, and holds everything that a checkpoint has to save. What to do between
    the steps is for its caller to decide.
    """

    def __init__(
        self,
        model: nn.Module,
        data: ImageData,
        recipe: Recipe,
        machine: Machine,
    ) -> None:
        """
        * `model` takes bytes and returns logits
        * `data` are the images to train on
        * `recipe` says how to train
        * `machine` is the process that this runs in, and its device
        """
        self.recipe = recipe
        self.machine = machine
        self.model = machine.prepare(model)
        self.data = data.to(machine.device)
        # The optimizer holds the parameters of the plain model, which `prepare` may have wrapped.
        self.plain_model = model
        self.optimizer = recipe.optimizer(model)
        # What is measured is the model, or its [average](extras.py#AveragedModel).
        self.average = None
        if recipe.extras.ema:
            self.average = AveragedModel(model, recipe.extras.ema)
        # Gradients in float16 would be rounded to zero, if they were not made larger for a while.
        self.scaler = torch.amp.GradScaler(
            machine.device.type, enabled=machine.precision == "float16"
        )
        if self.scaler.is_enabled():
            self.optimizer.register_step_pre_hook(begin_velocities)
        # How many steps were taken, and how many images they have seen
        self.step = self.seen = 0
        self.totals = Totals.on(machine.device)

    @property
    def position(self) -> float:
        """
        ### Where we are

        The number of the step, if all batches were as large as they are now. The size of a batch
        may be changed when a run goes on, for want of memory perhaps. Then the same number of steps
        is another part of the way; the same number of images is not.
        """
        return self.seen / self.recipe.batch_size

    @property
    def measured(self) -> nn.Module:
        """The model to measure and to predict with."""
        return self.average.model if self.average else self.plain_model

    def take_step(self) -> None:
        """
        ### One step

        Draw a batch, compute the loss and its gradients, move the weights.

        Where the memory does not suffice for a batch, it is computed in parts, and the gradients
        add up. The step is the same then, but that a normalization only sees its part. Processes
        average their gradients once, with the last part.
        """
        recipe, machine, extras = self.recipe, self.machine, self.recipe.extras
        where = self.data, self.step, machine, self.seen
        if extras.change_images:
            batch = extras.draw(recipe.draw, recipe.seed, *where)
        else:
            batch = Batch(*recipe.draw(*where))
        recipe.set_rates(self.optimizer, self.position)
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        seen = 0
        for part in batch.parts(extras.accumulate):
            seen += len(part)
            is_last = seen == len(batch)
            with machine.averaging(self.model, is_last):
                with machine.autocast():
                    logits = self.model(part.images)
                # Outside of autocast the loss is computed in single precision: sums of exponentials
                # need its digits.
                loss = mean = part.loss(recipe.loss, logits.float())
                if len(part) < len(batch):
                    loss = loss * (len(part) / len(batch))
                self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            self.totals.add(self.step, mean, logits, part.labels)
        if extras.clip:
            self.scaler.unscale_(self.optimizer)
            extras.shorten_gradients(self.plain_model)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        machine.average(self.plain_model)
        if self.average:
            self.average.update(self.step)
        self.step += 1
        self.seen += recipe.batch_size

    def read_totals(self, *, start_anew: bool) -> dict[str, float]:
        """
        Returns what was measured so far, and with `start_anew` sets all totals to zero. Raises
        `Diverged` if the loss is no longer a number.
        """
        loss, accuracy, speed = self.totals.read(self.machine)
        if start_anew:
            self.totals = Totals.on(self.machine.device)
        return {
            "loss.train": loss,
            "accuracy.train": accuracy,
            "learning_rate": self.recipe.rate(max(self.position - 1, 0)),
            "images_per_second": speed,
        }

    def state(self) -> dict[str, Any]:
        """
        What a checkpoint saves of the trainer. It has to copy the weights from the device, so it
        waits.
        """
        machine = self.machine
        return {
            "step": self.step,
            "images": self.seen,
            "model": self.measured.state_dict(),
            "trained": self.plain_model.state_dict() if self.average else {},
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "totals": self.totals.state(machine),
            "random": machine.gather(random_state(machine.device)),
        }

    def load_state(self, saved: Checkpoint) -> None:
        """
        Goes on from the checkpoint `saved`, with what `state` returned. Whether it
        [fits](verify.py) is for the caller to find out first.
        """
        machine = self.machine
        for model, saved_weights in (
            (self.measured, saved.model),
            # Before it was averaged for the first time, there was one only.
            (self.plain_model, saved.trained or saved.model),
        ):
            model.load_state_dict({**model.state_dict(), **saved_weights})
        expected = self.expected()["optimizer"]["state"]
        load_optimizer(self.optimizer, saved.optimizer, expected)
        if saved.scaler:
            self.scaler.load_state_dict(saved.scaler)
        self.totals = Totals.on(machine.device)
        if machine.is_main:
            self.totals.load(saved.totals)
        self.step, self.seen = saved.step, saved.images
        # Where there are more processes than before, what the new ones draw is new as well.
        seed_generators(self.recipe.seed, "layers", machine.rank, saved.step)
        if machine.rank < len(saved.random):
            set_random_state(saved.random[machine.rank], machine.device)

    def expected(self) -> dict[str, Any]:
        """
        What `state` has of the model and the optimizer after a step, but with other numbers: what a
        checkpoint is compared with. What an optimizer remembers shows when it takes a step. A copy
        of it, with copies of the weights, takes one against gradients of zero.
        """
        trial = copy.deepcopy(self.optimizer)
        self.recipe.set_rates(trial, 0)
        for group in trial.param_groups:
            for weights in group["params"]:
                if weights.requires_grad:
                    weights.grad = torch.zeros_like(weights)
        trial.step()
        return {
            "model": self.plain_model.state_dict(),
            "optimizer": trial.state_dict(),
        }


@dataclass
class Loop:
    """
    ## The loop

    Takes one step after the other. In between it looks whether an epoch is over, whether it is time
    for a checkpoint, and whether somebody wants it to stop.
    """

    trainer: Trainer
    checkpoints: CheckpointFolder
    # The images to measure with after every epoch, or `None`: a test set is left alone till the end
    held_out: ImageData | None
    # Seconds between checkpoints, or the steps between them, if that is a number
    checkpoint_seconds: float = 300
    checkpoint_steps: int | None = None
    # The configuration of the run, as plain values, which checkpoints hold too
    config: dict[str, Any] = field(default_factory=dict)
    # What the run has measured so far: the seconds it took and its best accuracy
    progress: dict[str, Any] = field(
        default_factory=lambda: {"seconds": 0.0, "best": -1.0}
    )

    def __post_init__(self) -> None:
        """
        What layers draw in a step, such as the masks of dropout, must differ from process to
        process.
        """
        trainer = self.trainer
        seed_generators(trainer.recipe.seed, "layers", trainer.machine.rank)

    def run(
        self,
        should_stop: Callable[[], bool] = lambda: False,
        on_step: Callable[[], object] = lambda: None,
        on_epoch: Callable[[int, dict[str, float]], object] = lambda *_: None,
        on_save: Callable[[], object] = lambda: None,
    ) -> bool:
        """
        ### All steps

        Takes the steps that are left. Returns whether the last one was taken.

        * `should_stop` is asked before every step. If it says yes, a checkpoint is saved, and no
          further step is taken
        * `on_step` is called after every step
        * `on_epoch` is called at the end of every epoch with the number of steps so far, and with
          what was measured
        * `on_save` is called after every checkpoint

        Raises `Diverged` if the loss is no longer a number.
        """
        trainer, recipe = self.trainer, self.trainer.recipe
        saved = clock = time.perf_counter()
        while not self.is_over:
            stop = self._must_stop(should_stop)
            if not stop:
                trainer.take_step()
                on_step()
            n = len(trainer.data)
            at_end = not stop and ends_epoch(
                recipe, n, trainer.step, trainer.seen
            )
            is_due = stop or self._is_due(saved)
            if not (at_end or is_due):
                continue
            # Losses are looked at before anything is saved: weights that are no longer numbers
            # must not take the place of good ones.
            values = trainer.read_totals(start_anew=at_end)
            self.progress["seconds"] += time.perf_counter() - clock
            self.progress["learning_rate"] = values["learning_rate"]
            is_best = at_end and self._measure(values)
            if at_end:
                on_epoch(trainer.step, values)
            if is_best or is_due or self.is_over:
                self.save(is_best=is_best)
                on_save()
                saved = time.perf_counter()
            if stop:
                return False
            # Measuring and saving do not count as training.
            clock = time.perf_counter()
        return True

    @property
    def is_over(self) -> bool:
        """
        Whether the last step was taken, or [patience](extras.py#gives_up) is at its end.
        """
        recipe = self.trainer.recipe
        since_best = self.progress.get("since_best", 0)
        return self.trainer.seen >= recipe.images or gives_up(
            recipe.extras, since_best
        )

    def _must_stop(self, should_stop: Callable[[], bool]) -> bool:
        """
        ### Stopping together

        Processes that share a batch have to stop after the same step, or those that go on wait for
        the others for ever. They compare notes every ten steps.
        """
        trainer = self.trainer
        if trainer.machine.world == 1:
            return should_stop()
        if trainer.step % 10:
            return False
        return trainer.machine.any(should_stop())

    def _is_due(self, saved: float) -> bool:
        """
        ### When to save

        Whether it is time for a checkpoint. The last one was `saved` at that second.
        """
        step, machine = self.trainer.step, self.trainer.machine
        if self.checkpoint_steps:
            return step % self.checkpoint_steps == 0
        is_late = time.perf_counter() - saved > self.checkpoint_seconds
        if machine.world == 1:
            return is_late
        # Clocks of several processes differ, and all have to look at their losses together.
        return step % 10 == 0 and machine.any(is_late)

    def _measure(self, values: dict[str, float]) -> bool:
        """
        ### The best so far

        Measures on the images held out, adds that to `values`, and returns whether the network is
        the best so far.
        """
        if self.held_out is None:
            return False
        trainer, progress = self.trainer, self.progress
        loss, accuracy = evaluate(
            trainer.measured, self.held_out, trainer.machine
        )
        values |= {"loss.valid": loss, "accuracy.valid": accuracy}
        is_best: bool = accuracy > progress["best"]
        progress["best"] = max(accuracy, progress["best"])
        since_best = progress.get("since_best", 0) + 1
        progress["since_best"] = 0 if is_best else since_best
        progress["valid_accuracy"] = accuracy
        return is_best

    def save(self, *, is_best: bool = False) -> Path:
        """
        ### A checkpoint

        Saves everything that a run needs to go on, also as the best if it `is_best`. All processes
        take part, as each has generators of its own; one of them writes. Returns the path.
        """
        checkpoint = Checkpoint(
            **self.trainer.state(),
            config=self.config,
            about=self.trainer.data.about,
            progress=dict(self.progress),
            draws=DRAWS,
        )
        if not self.trainer.machine.is_main:
            return self.checkpoints.path(checkpoint.step)
        return self.checkpoints.save(checkpoint, is_best=is_best)

    def resume(self) -> Checkpoint:
        """
        ### Going on

        Puts everything into the state of the last checkpoint that can be read and that
        [fits](verify.py), so that `run` goes on from there, and returns it. Raises
        `CheckpointError` if there is none.

        The same machine, PyTorch and number of processes and threads then take the same steps to
        the bit. On a GPU that needs [`--deterministic`](../runs/config.py#Config) too: some of its
        operations add up in whatever order their threads arrive. All else only changes how sums are
        rounded.
        """
        trainer = self.trainer
        expected = Expected(
            **trainer.expected(),
            about=trainer.data.about,
            device=trainer.machine.device,
        )
        last = self.checkpoints.load_last(expected.check, expected.room)
        check_draws(last, self.checkpoints.folder.parent)
        trainer.load_state(last)
        self.progress = dict(last.progress)
        return last
