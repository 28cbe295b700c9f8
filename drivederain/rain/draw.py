"""Draw rain over a clear photo: the stages in their order.

Light meets, on its way to the camera: haze (veil), falling rain (streaks), then the glass with its film and its drops.
The drops therefore show the scene with haze and streaks on it, and lie on top of everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from drivederain.rain.canvas import Canvas, make_canvas
from drivederain.rain.colour import encode_srgb, to_linear
from drivederain.rain.conditions import Conditions, draw_conditions
from drivederain.rain.defocus import DropLayer, drop_layer
from drivederain.rain.errors import RainError
from drivederain.rain.film import make_film
from drivederain.rain.intensity import Intensity
from drivederain.rain.parameters import GENERATOR_VERSION, RainParameters, clear_image_sha256
from drivederain.rain.population import expected_population
from drivederain.rain.refraction import light_through, wet_cells
from drivederain.rain.scene import ScaledScene, airlight, scene_from_quarter, shrink
from drivederain.rain.settings import RainSettings
from drivederain.rain.sheets import Sheets, make_sheets
from drivederain.rain.streaks import Streaks, draw_streaks
from drivederain.rain.veil import Veil, extinction_per_km, make_veil
from drivederain.rain.water import Water, draw_water

_BAND_VALUES: Final = 1 << 16  # values composed at a time: what a core's cache holds


@dataclass(frozen=True)
class RainResult:
    """A rainy photo with its masks and its record.

    ``rainy``: H x W x 3 uint8 sRGB. ``geometric``: share of each pixel under water before defocus; ``soft``: opacity of
    the drop layer after defocus; ``streaks``: opacity of the falling rain; each H x W float32 in [0, 1].
    """

    rainy: NDArray[np.uint8]
    geometric: NDArray[np.float32]
    soft: NDArray[np.float32]
    streaks: NDArray[np.float32]
    parameters: RainParameters


class _Overlay(Protocol):
    def apply(self, picture: NDArray[np.float32], first_row: int = 0) -> None: ...


def draw_rain(
    clear: NDArray[np.uint8], *, seed: int, key: str, intensity: Intensity, settings: RainSettings | None = None
) -> RainResult:
    """Draw windshield rain over a clear photo.

    Parameters
    ----------
    clear: the photo, H x W x 3 uint8 sRGB in RGB order, of any size from 1 x 1.
    seed: from 0 up; the same seed, key, intensity, settings and photo give the same bytes.
    key: the name of the photo, which sets its rain apart from that of others.
    intensity: light, medium or heavy.
    settings: what to fix or switch off; by default the benchmark convention (`RainSettings`).

    Raises `RainError` for a photo of another type or shape, an unknown intensity or an unusable seed.
    """
    _check_photo(clear)
    if not isinstance(key, str):
        raise RainError(f"the rain key must be a string that names the photo, not {key!r}")
    settings = settings or RainSettings()
    height, width = clear.shape[:2]
    conditions = draw_conditions(seed, key, intensity, settings, width=width, height=height)
    population = expected_population(
        rain_rate_mm_h=conditions.rain_rate_mm_h,
        speed_m_s=conditions.speed_m_s,
        seconds=conditions.seconds_since_wipe,
        contact_angle=conditions.contact_angle,
        px_per_mm=conditions.px_per_mm,
        area_m2=conditions.glass_area_m2(width, height),
    )
    canvas = make_canvas(conditions)
    sheets = make_sheets(canvas, width, height)
    clear = np.ascontiguousarray(clear)
    quarter = shrink(to_linear(clear, sheets.light), 4).reshape(max(1, height // 4), max(1, width // 4), 3)
    clear_scene = scene_from_quarter(quarter)
    overlays: list[_Overlay] = []
    veil: Veil | None = None
    streaks: Streaks | None = None
    if settings.veil:
        veil = make_veil(conditions, airlight(clear_scene))
        veil.at_height(len(quarter)).apply(quarter)
        overlays.append(veil)
    if settings.streaks:
        streaks = draw_streaks(seed, key, conditions, clear_scene.ambient)
        streaks.at_size(quarter.shape[1], quarter.shape[0]).apply(quarter)
        overlays.append(streaks)
    scene = scene_from_quarter(quarter)
    film = population.film if settings.film else 0.0
    if film > 0:
        overlays.append(make_film(film, scene, sheets.light))

    water = draw_water(seed, key, conditions, canvas, population, sheets)
    drops, geometric = _drops_before(scene, water, conditions, canvas, sheets)
    overlays.append(drops)

    return RainResult(
        rainy=_compose(clear, overlays),
        geometric=geometric,
        soft=drops.opacity,
        streaks=np.zeros((height, width), np.float32) if streaks is None else streaks.opacity,
        parameters=RainParameters(
            generator_version=GENERATOR_VERSION,
            seed=int(seed),
            key=key,
            intensity=intensity,
            width=width,
            height=height,
            rain_rate_mm_h=conditions.rain_rate_mm_h,
            speed_m_s=conditions.speed_m_s,
            seconds_since_wipe=conditions.seconds_since_wipe,
            hfov_deg=conditions.hfov_deg,
            glass_distance_mm=conditions.glass_distance_mm,
            aperture_mm=conditions.aperture_mm,
            rake_deg=float(np.degrees(conditions.rake)),
            contact_angle_deg=float(np.degrees(conditions.contact_angle)),
            aspect=conditions.aspect,
            px_per_mm=conditions.px_per_mm,
            defocus_radius_px=conditions.defocus_px,
            drop_count=water.drop_count,
            run_count=water.run_count,
            horizon=conditions.horizon,
            film=film,
            extinction_per_km=0.0 if veil is None else extinction_per_km(conditions.rain_rate_mm_h),
            far_plane_m=conditions.far_plane_m,
            streak_angle_deg=None if streaks is None else streaks.angle_deg,
            coverage_geometric=_share_over(geometric, 0.5),
            coverage_soft_01=_share_over(drops.opacity, 0.1),
            coverage_soft_025=_share_over(drops.opacity, 0.25),
            coverage_soft_mean=float(drops.opacity.mean(dtype=np.float64)),
            clear_sha256=clear_image_sha256(clear),
        ),
    )


def _drops_before(
    scene: ScaledScene, water: Water, conditions: Conditions, canvas: Canvas, sheets: Sheets
) -> tuple[DropLayer, NDArray[np.float32]]:
    """The drop layer before a scene, and the share of each of the photo's pixels under water."""
    size = (conditions.width, conditions.height)
    coverage = water.coverage()
    cells = wet_cells(water.height, coverage, canvas.step)
    colour = light_through(cells, scene, conditions, canvas)
    drops = drop_layer(cells, colour, canvas, conditions.defocus_px, size, sheets.layer)
    return drops, canvas.crop(coverage, *size).copy()


def _check_photo(clear: NDArray[np.uint8]) -> None:
    if not isinstance(clear, np.ndarray):
        raise RainError(f"the clear photo must be a NumPy array of H x W x 3 uint8, not {type(clear).__name__}")
    if clear.dtype != np.uint8:
        raise RainError(f"the clear photo must be uint8 sRGB, not {clear.dtype}: scale it to 0-255 and round first")
    if clear.ndim != 3 or clear.shape[2] != 3 or 0 in clear.shape:
        raise RainError(f"the clear photo must have the shape H x W x 3 with H, W >= 1, not {clear.shape}")


def _compose(clear: NDArray[np.uint8], overlays: list[_Overlay]) -> NDArray[np.uint8]:
    """Lay every overlay over the photo in their order, a cache-sized band at a time."""
    height, width = clear.shape[:2]
    rainy = np.empty(clear.shape, np.uint8)
    rows = max(1, _BAND_VALUES // (3 * width))
    for first in range(0, height, rows):
        band = to_linear(clear[first : first + rows])
        for overlay in overlays:
            overlay.apply(band, first)
        encode_srgb(band, rainy[first : first + rows])
    return rainy


def _share_over(mask: NDArray[np.float32], threshold: float) -> float:
    return float(np.count_nonzero(mask > np.float32(threshold)) / mask.size)
