"""Fine-tune all stages of a chain together: the loss at the end reaches the stages before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from drivederain.training.module import RestorationModule

BEFORE = 0.5
"""Weight of the loss of the estimate beside that of the chain's output: a stage stays of use by itself, and what comes
after it keeps an estimate to start from."""


class Link(NamedTuple):
    """A stage of a chain: how it is trained alone, and whether it sees the rainy picture too."""

    module: RestorationModule
    refines: bool


class JointModule(RestorationModule):
    """Trains the networks of a chain by the loss of its output, and of the estimate before its last stage.

    Its network is the list of theirs, in the chain's order.
    """

    def __init__(self, links: Sequence[Link]) -> None:
        super().__init__(nn.ModuleList(link.module.network for link in links))
        # In a plain object, for each network to be known by one name alone.
        self._links = (tuple(links),)

    def outputs(self, batch: Mapping[str, Tensor]) -> list[Tensor]:
        """What each stage makes of ``batch["rainy"]``; the next one sees it clamped to [0, 1]."""
        made: list[Tensor] = []
        for link in self._links[0]:
            before = made[-1].clamp(0, 1) if made else batch["rainy"]
            seen = {**batch, "estimate": before} if link.refines else {**batch, "rainy": before}
            made.append(link.module.predict(seen))
        return made

    def predict(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The chain's output."""
        return self.outputs(batch)[-1]

    def training_losses(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The terms of the chain's output, ``before`` for the estimate before its last stage, and their sum."""
        *_, estimate, output = self.outputs(batch)
        terms: dict[str, Tensor] = self.loss(output, batch["clear"])
        before = BEFORE * self.loss(estimate, batch["clear"])["loss"]
        return terms | {"before": before, "loss": terms["loss"] + before}
