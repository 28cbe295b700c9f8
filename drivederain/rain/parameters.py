"""The record of one drawn photo: everything that was drawn, set or measured."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Raised whenever the same seed may give other bytes.
GENERATOR_VERSION: Final = "1.0"


@dataclass(frozen=True, kw_only=True)
class RainParameters:
    """What one rainy photo was made with.

    The coverages are of different things: ``coverage_geometric`` is the share of pixels with more than half under water
    before defocus, ``coverage_soft_01`` and ``coverage_soft_025`` the shares with an opacity over .1 and .25 after it,
    and ``coverage_soft_mean`` the mean opacity.
    """

    generator_version: str
    seed: int
    key: str
    intensity: str
    width: int
    height: int
    rain_rate_mm_h: float
    speed_m_s: float
    seconds_since_wipe: float
    hfov_deg: float
    glass_distance_mm: float
    aperture_mm: float
    rake_deg: float
    contact_angle_deg: float
    aspect: float
    px_per_mm: float
    defocus_radius_px: float
    drop_count: int
    run_count: int
    horizon: float
    film: float
    extinction_per_km: float
    far_plane_m: float
    streak_angle_deg: float | None
    coverage_geometric: float
    coverage_soft_01: float
    coverage_soft_025: float
    coverage_soft_mean: float
    clear_sha256: str

    def as_dict(self) -> dict[str, str | int | float | None]:
        """The record as plain JSON types, in the order of the fields."""
        return asdict(self)


def clear_image_sha256(clear: NDArray[np.uint8]) -> str:
    """Content hash of an RGB image H x W x 3: SHA-256 over H, W and 3 as little-endian 64-bit integers, then the RGB
    bytes row by row."""
    digest = hashlib.sha256(np.array(clear.shape, "<i8").tobytes())
    digest.update(np.ascontiguousarray(clear).data)
    return digest.hexdigest()
