"""What is done at every step: seeds, the running loss, the watch for a loss that is not finite or explodes."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor

from drivederain.training.draws import Draws
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.observer import Observer
from drivederain.training.progress import Progress
from drivederain.training.state import Position

REPORT_SECONDS = 0.5
"""Progress is reported at most so often, and at the end."""
SMOOTHING = 0.98
"""Of the running means that are shown and that an explosion is measured by."""
SETTLED = 20
"""Steps after which the running mean says something."""
IN_A_ROW = 3
"""Steps that must be too large for an explosion: a single hard batch is none."""
FAILED = 1 << 16
"""What a process tells the others instead of the number of a signal."""
LOOK = {"cpu": 1}
"""Steps between two looks at the losses; reading them waits for the device."""
LOOK_ELSEWHERE = 10


@dataclass(frozen=True)
class Failure:
    """Why a training cannot go on. ``batch``: which, since the iteration of the epoch began, if it was one of this
    process."""

    reason: str
    batch: int | None


class Steps(Callback):
    """Follows the training from step to step and stops it at the end of its budget, or when it goes wrong."""

    def __init__(
        self,
        position: Position,
        progress: Progress,
        draws: Draws,
        hyperparameters: Hyperparameters,
        observer: Observer,
        seed: int,
    ) -> None:
        self.position, self.progress, self.draws = position, progress, draws
        self.hyperparameters, self.observer, self.seed = hyperparameters, observer, seed
        self.first_step = position.step
        self.failure: Failure | None = None
        self.interrupted = 0
        """The number of the signal that wants the training to stop after this step; 0: none."""
        self.images = 0
        """Since the epoch began or the training was resumed."""
        self.busy = 0.0
        """Seconds of that."""
        self.just_stepped = False
        self._unread: list[tuple[int, dict[str, Tensor]]] = []
        self._large = 0
        self._said = -math.inf
        self._clock = 0.0

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        self._clock = time.monotonic()

    def on_train_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, batch_idx: int) -> None:
        # What is random in a step follows from the seed and the number of its batch, so nothing of it need be kept.
        place = self.position.place
        number = place.epoch * self.draws.epoch_batches + place.batch
        sequence = np.random.SeedSequence([self.seed, 3, number, self.draws.rank])
        torch.manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1)))

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Mapping[str, Tensor], batch_idx: int
    ) -> None:
        before = self.position.step
        self.position.place = self.draws.place_after(self.position.place.epoch, batch_idx)
        self.position.step = self.first_step + trainer.global_step
        self.just_stepped = self.position.step > before
        now = time.monotonic()
        self.busy, self._clock = self.busy + now - self._clock, now
        self.images += len(batch["rainy"]) * self.draws.world
        terms = getattr(module, "terms", None) or {"loss": outputs["loss"].detach()}
        self._unread.append((batch_idx, terms))
        share = self.progress.fraction(self.position.step)
        over = share >= 1
        # Between two steps gradients are gathered, which no checkpoint holds: a stop waits for the step.
        whole = self.just_stepped or self.position.place.batch == 0
        if over or len(self._unread) >= LOOK.get(module.device.type, LOOK_ELSEWHERE):
            self.read()
        if trainer.world_size > 1:
            self._agree(module.device)
        if self.failure is not None or (whole and (over or self.interrupted)):
            trainer.should_stop = True
        if over or now - self._said > REPORT_SECONDS:
            self._said = now
            words = ", ".join(f"{name} {value:.4f}" for name, value in self.position.means.items())
            self.observer.step(share, f"step {self.position.step}: {words}, {self.images / self.busy:.1f} images/s")

    def _agree(self, device: torch.device) -> None:
        """Signals and losses differ between processes, and all must stop at the same step, for the same reason."""
        mine = FAILED if self.failure is not None else self.interrupted
        worst = torch.tensor([mine], device=device)
        torch.distributed.all_reduce(worst, op=torch.distributed.ReduceOp.MAX)
        reason = int(worst)
        if reason == FAILED and self.failure is None:
            self.failure = Failure("training stopped: the loss of another device went wrong.", None)
        elif reason and reason != FAILED:
            self.interrupted = reason

    @property
    def suspicious(self) -> bool:
        """Whether the last loss was so large that nothing of it should be kept."""
        return self._large > 0

    def pass_over(self, seconds: float) -> None:
        """Leave out seconds in which nothing was trained from the speed."""
        self._clock += seconds

    def read(self) -> None:
        """Read the losses of the last steps, and look whether they are sound."""
        for batch, terms in self._unread:
            values = {name: float(value) for name, value in terms.items()}
            if self.failure is None:
                self._check(batch, values)
            sums, means = self.position.partial, self.position.means
            for name, value in values.items():
                sums[name] = sums.get(name, 0.0) + value
                means[name] = SMOOTHING * means.get(name, value) + (1 - SMOOTHING) * value
            sums["count"] = sums.get("count", 0.0) + 1
        self._unread.clear()

    def _check(self, batch: int, values: Mapping[str, float]) -> None:
        step = self.position.step
        for name, value in values.items():
            if not math.isfinite(value):
                self.failure = Failure(f"training stopped at step {step}: {name} is {value}.", batch)
                return
        usual = self.position.means.get("loss")
        exploded = (
            usual is not None
            and usual > 0
            and step > SETTLED
            and values["loss"] > self.hyperparameters.explosion * usual
        )
        self._large = self._large + 1 if exploded else 0
        if self._large >= IN_A_ROW:
            reason = (
                f"training stopped at step {step}: the loss exploded to {values['loss']:.4g}, more than "
                f"{self.hyperparameters.explosion:g} times its running mean {usual:.4g}."
            )
            self.failure = Failure(reason, batch)

    def losses_of_epoch(self) -> dict[str, float]:
        """Means of the terms over the epoch as far as they were read; after a whole epoch the next begins anew."""
        sums = self.position.partial
        count = sums.get("count", 0.0)
        means = {name: value / count for name, value in sums.items() if name != "count"} if count else {}
        if self.position.place.batch == 0:
            sums.clear()
        return means

    def speed_of_epoch(self) -> float:
        """Images a second over the epoch; the next begins anew."""
        speed = self.images / self.busy if self.busy else 0.0
        self.images, self.busy = 0, 0.0
        return speed
