"""What every metric implements, and the checks that all of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from drivederain.errors import MetricError


class Metric(ABC):
    """A metric in one variant. ``load`` is called once, ``score`` or ``score_many`` once a batch, ``close`` at the end.

    Values do not depend on which pictures share a batch, nor on which outputs share a call.
    """

    version: ClassVar[int] = 1
    """Raised whenever values could change; part of the score's cache key."""

    variants: ClassVar[tuple[str, ...]] = ()
    """Variants that this implementation knows; empty: it takes any."""

    def __init__(self, variant: str) -> None:
        if self.variants and variant not in self.variants:
            known = ", ".join(self.variants)
            raise MetricError(f"{type(self).__name__} has no variant {variant!r}; it has: {known}")
        self.variant = variant

    @classmethod
    def data_version(cls, variant: str) -> str:
        """What decides the values and is neither this code nor shipped with it; part of the score's cache key.

        That is the SHA-256 of parameters of the user's, or the version of a package that works the values out.
        """
        return ""

    # Most metrics hold no weights, so doing nothing is the right default of both.
    def load(self, device: torch.device) -> None:  # noqa: B027
        """Put weights on ``device``."""

    @abstractmethod
    def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        """Score a batch.

        :param output: uint8 B x 3 x H x W, RGB, on the device.
        :param truth: the clear pictures, same type and size.
        :param mask: float32 B x 1 x H x W, soft drop mask in [0, 1], or ``None``.
        :returns: region -> B values, float64, on the CPU. ``image`` always; with a mask also ``drops`` (mask > .1) and
            ``background`` (the rest). NaN where that region of that picture is empty.
        :raises MetricError: sizes or types that do not fit, or pictures too small for this metric.
        """

    def score_many(self, outputs: Sequence[Tensor], truth: Tensor, mask: Tensor | None) -> list[dict[str, Tensor]]:
        """Score several methods' outputs of the same truths: for each output what :meth:`score` gives for it.

        Override it where work depends on the truth and the mask alone, so that this is done once; the values must stay
        those of :meth:`score` bit for bit (:class:`SharedTruthMetric` sees to that).

        :param outputs: batches as :meth:`score` takes one, all of the size of ``truth``.
        :returns: one dictionary an output, in their order.
        :raises MetricError: as :meth:`score`.
        """
        return [self.score(output, truth, mask) for output in outputs]

    def close(self) -> None:  # noqa: B027
        """Let go of weights."""


class SharedTruthMetric(Metric):
    """A metric that works out once what depends on the truth and the mask alone: implement :meth:`score_many`.

    One output is scored by the same code as several, so that the values are the same bit for bit.
    """

    def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        """See :meth:`Metric.score`."""
        return self.score_many([output], truth, mask)[0]

    @abstractmethod
    def score_many(self, outputs: Sequence[Tensor], truth: Tensor, mask: Tensor | None) -> list[dict[str, Tensor]]:
        """See :meth:`Metric.score_many`."""


class NoReferenceMetric(Metric):
    """A metric of an output alone: implement :meth:`score_output`. Its specification has ``needs_truth=False``.

    Real photographs of rain, which have no truth, are scored by such metrics only.
    """

    @abstractmethod
    def score_output(self, output: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        """Score a batch.

        :param output: uint8 B x 3 x H x W, RGB, on the device.
        :param mask: float32 B x 1 x H x W, soft drop mask of the rainy input in [0, 1], or ``None``.
        :returns: as :meth:`Metric.score`.
        :raises MetricError: types that do not fit, or pictures too small for this metric.
        """

    def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        """See :meth:`Metric.score`; ``truth`` is not looked at."""
        return self.score_output(output, mask)


def check_batch(name: str, output: Tensor, truth: Tensor, mask: Tensor | None, minimum: int = 1) -> None:
    """Raise :class:`MetricError` unless the batch is as :meth:`Metric.score` asks and no side is below ``minimum``."""
    check_output(name, output, "output")
    check_output(name, truth, "truth")
    if output.shape != truth.shape:
        raise MetricError(
            f"{name}: the output is {_size(output)} and the truth {_size(truth)} (batch x width x height);"
            " only pictures of one size can be compared, so do not resize one of them"
        )
    height, width = output.shape[-2:]
    if min(height, width) < minimum:
        raise MetricError(
            f"{name} needs at least {minimum}x{minimum} pixels, and the picture is {width}x{height};"
            " use larger pictures or leave this metric out"
        )
    if mask is not None and tuple(mask.shape) != (output.shape[0], 1, height, width):
        shape = "x".join(map(str, mask.shape))
        raise MetricError(
            f"{name}: the mask is {shape}; for these pictures it must be {output.shape[0]}x1x{height}x{width}"
        )


def check_output(name: str, picture: Tensor, role: str = "output") -> None:
    """Raise :class:`MetricError` unless ``picture`` is uint8 B x 3 x H x W."""
    if picture.dtype != torch.uint8 or picture.ndim != 4 or picture.shape[1] != 3:
        shape = "x".join(map(str, picture.shape))
        raise MetricError(f"{name}: the {role} is {picture.dtype} {shape}; it must be uint8 Bx3xHxW (8-bit RGB)")


def _size(picture: Tensor) -> str:
    batch, _, height, width = picture.shape
    return f"{batch}x{width}x{height}"
