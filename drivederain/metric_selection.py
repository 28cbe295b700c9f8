"""Which metrics, in which variants: ``psnr,ssim,psnr_y[mprnet]``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from drivederain.errors import SpecError
from drivederain.names import did_you_mean
from drivederain.specs import MetricSpec

ENTRY = re.compile(r"(?P<name>[^\[\]]+?)\s*(?:\[(?P<variant>[^\[\]]*)\])?")


class MetricVariant(NamedTuple):
    """One column of scores."""

    metric: MetricSpec
    variant: str

    @property
    def name(self) -> str:
        """The full name of the score, as in ``psnr_y[mprnet]``."""
        return f"{self.metric.name}[{self.variant}]"


def parse_metrics(selection: str | Iterable[str], metric: Callable[[str], MetricSpec]) -> list[MetricVariant]:
    """Return the metrics and variants that ``selection`` names, each once, in the order given.

    A name without ``[variant]`` means all its variants. ``metric`` looks up one name, and raises ``SpecError`` where
    there is none.

    Raises:
        SpecError: an empty entry, an unknown metric or an unknown variant.
    """
    entries = selection.split(",") if isinstance(selection, str) else list(selection)
    chosen: dict[MetricVariant, None] = {}
    for entry in entries:
        match = ENTRY.fullmatch(entry.strip())
        if match is None:
            raise SpecError(f"metric {entry.strip()!r}: write 'psnr' or, for one variant only, 'psnr_y[mprnet]'")
        spec = metric(match["name"])
        if match["variant"] is None:
            chosen.update(dict.fromkeys(MetricVariant(spec, variant) for variant in spec.variants))
            continue
        variant = match["variant"].strip()
        if variant not in spec.variants:
            hint = did_you_mean(variant, spec.variants)
            raise SpecError(
                f"metric {spec.name!r} has no variant {variant!r}.{hint} Variants: {', '.join(spec.variants)}."
            )
        chosen[MetricVariant(spec, variant)] = None
    if not chosen:
        raise SpecError("no metric was named: give at least one, as in 'psnr'")
    return list(chosen)
