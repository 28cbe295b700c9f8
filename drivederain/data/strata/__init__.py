"""Light, medium or heavy for pictures whose rain nobody recorded."""

from __future__ import annotations

from drivederain.data.strata.pair import pair_intensity
from drivederain.data.strata.photo import photo_intensity
from drivederain.data.strata.stratum import STRATA_VERSION, Stratum

__all__ = ["STRATA_VERSION", "Stratum", "pair_intensity", "photo_intensity"]
