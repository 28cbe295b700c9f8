"""What holds for a whole photo: rain, camera and glass, drawn once from the seed or fixed by the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from drivederain.rain.intensity import stratum
from drivederain.rain.settings import RainSettings
from drivederain.rain.streams import Stage, between, stream

# The drop layer is worked out on a grid this much coarser than the aperture blur allows to be seen.
_BLUR_PX_PER_STEP: Final = 2.4
_COARSEST_STEP: Final = 16


@dataclass(frozen=True)
class Conditions:
    """Rain, camera and glass of one photo. Angles in radians, lengths on the glass in mm, in the photo in pixels."""

    width: int
    height: int
    rain_rate_mm_h: float
    speed_m_s: float
    seconds_since_wipe: float
    hfov_deg: float
    glass_distance_mm: float
    aperture_mm: float
    rake: float
    contact_angle: float
    aspect: float
    far_plane_m: float
    horizon: float
    run_offs: tuple[int, int]

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return 0.5 * self.width / float(np.tan(np.radians(self.hfov_deg / 2)))

    @property
    def px_per_mm(self) -> float:
        """Pixels that a millimetre on the glass takes."""
        return self.focal_px / self.glass_distance_mm

    @property
    def defocus_px(self) -> float:
        """Radius of the aperture disc of a point on the glass, with the lens focused at infinity."""
        return 0.5 * self.aperture_mm * self.px_per_mm

    @property
    def step(self) -> int:
        """Pixels of the photo to one cell of the drop layer, which the aperture blurs anyway."""
        return min(max(1, int(self.defocus_px / _BLUR_PX_PER_STEP)), _COARSEST_STEP)

    def glass_area_m2(self, width_px: float, height_px: float) -> float:
        """Area of glass behind a part of the picture plane; the tilted glass is longer than it looks."""
        return width_px * height_px / self.px_per_mm**2 / float(np.sin(self.rake)) * 1e-6


def draw_conditions(
    seed: int, key: str, intensity: str, settings: RainSettings, *, width: int, height: int
) -> Conditions:
    """Draw every value that ``settings`` leaves open. Each has its own place in the stream, so that fixing one of them
    changes none of the others."""
    level = stratum(intensity)
    rate = level.rain_rate_mm_h
    u = stream(seed, key, Stage.CONDITIONS).random(7).tolist()

    def chosen(value: float | None, drawn: float) -> float:
        return drawn if value is None else float(value)

    return Conditions(
        width=width,
        height=height,
        rain_rate_mm_h=chosen(settings.rain_rate_mm_h, rate * float(np.exp(between(u[0], -0.25, 0.25)))),
        speed_m_s=float(settings.speed_m_s),
        seconds_since_wipe=float(settings.seconds_since_wipe),
        hfov_deg=float(settings.hfov_deg),
        glass_distance_mm=chosen(settings.glass_distance_mm, between(u[1], 110.0, 220.0)),
        aperture_mm=chosen(settings.aperture_mm, between(u[2], 1.0, 2.2)),
        rake=float(np.radians(chosen(settings.rake_deg, between(u[3], 50.0, 65.0)))),
        contact_angle=float(np.radians(between(u[4], 30.0, 45.0))),
        aspect=between(u[5], 0.8, 1.15),
        far_plane_m=between(u[6], 50.0, 110.0),
        horizon=float(settings.horizon),
        run_offs=level.run_offs if settings.run_offs is None else (settings.run_offs, settings.run_offs),
    )
