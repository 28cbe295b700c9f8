"""What a ray through a drop sees: Snell at the flat glass and at the curved water, Fresnel losses, a far scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from drivederain.rain.canvas import Canvas
from drivederain.rain.conditions import Conditions
from drivederain.rain.scene import ScaledScene

WATER_INDEX: Final = 1.333
_STEEPEST: Final = 0.12  # rays that leave more sideways than this see the edge of the scene
_REMAP_ROW: Final = 4096  # remap works on pictures, so a list of places is folded into rows of this length
_BLOCK: Final = 3 * _REMAP_ROW  # cells worked out at a time: what a core's cache holds
_LENS_GAIN: Final = 1.03  # a drop gathers a little more light than the glass beside it
_INNER_LIGHT: Final = 0.5  # of the ambient light comes in where a drop reflects

Floats = NDArray[np.float32]
Vector = tuple[Floats, Floats, Floats]


def refract(ray: Vector, normal: Vector, eta: float) -> tuple[Vector, Floats, Floats, NDArray[np.bool_]]:
    """Vector form of Snell's law for unit rays and unit normals that point along the ray.

    ``eta`` is the index on the near side over that on the far side. Returns the refracted ray, the cosines of the
    angles of incidence and refraction, and where light passes at all (not totally reflected).
    """
    cos_in = ray[0] * normal[0] + ray[1] * normal[1] + ray[2] * normal[2]
    square = 1 - np.float32(eta * eta) * (1 - cos_in * cos_in)
    cos_out = np.sqrt(np.maximum(square, 0))
    bend = cos_out - np.float32(eta) * cos_in
    first, second, third = (np.float32(eta) * part + bend * side for part, side in zip(ray, normal, strict=True))
    return (first, second, third), cos_in, cos_out, square > 0


def fresnel_transmission(cos_in: Floats, cos_out: Floats, passes: NDArray[np.bool_]) -> Floats:
    """Share of unpolarised light that passes from water to air; 0 where it is totally reflected."""
    n = np.float32(WATER_INDEX)
    across = (n * cos_in - cos_out) / (n * cos_in + cos_out + np.float32(1e-6))
    along = (cos_in - n * cos_out) / (cos_in + n * cos_out + np.float32(1e-6))
    return np.where(passes, 1 - np.float32(0.5) * (across * across + along * along), np.float32(0))


@dataclass(frozen=True)
class WetCells:
    """The cells of the drop layer that hold water: row and column in the layer, coverage in (0, 1], height in pixels,
    slope of the water along x and y, and the mean height around."""

    row: NDArray[np.int32]
    column: NDArray[np.int32]
    coverage: Floats
    slope_x: Floats
    slope_y: Floats
    mean_height: Floats
    shape: tuple[int, int]

    def part(self, chosen: slice) -> WetCells:
        """Some of the cells, as views."""
        return WetCells(
            row=self.row[chosen],
            column=self.column[chosen],
            coverage=self.coverage[chosen],
            slope_x=self.slope_x[chosen],
            slope_y=self.slope_y[chosen],
            mean_height=self.mean_height[chosen],
            shape=self.shape,
        )


def wet_cells(height: Floats, coverage: Floats, step: int) -> WetCells:
    """The wet cells of a layer ``step`` times coarser than the maps given (of the canvas' size)."""
    if step > 1:
        size = (height.shape[1] // step, height.shape[0] // step)
        height = cv2.resize(height, size, interpolation=cv2.INTER_AREA)
        coverage = cv2.resize(coverage, size, interpolation=cv2.INTER_AREA)
    # Places in the flattened layer: to find and to take cells by one index is many times faster than by two.
    place = np.flatnonzero(coverage > 0)
    row, column = np.divmod(place.astype(np.int32), np.int32(coverage.shape[1]))
    scale = 1 / (8 * step)
    return WetCells(
        row=row,
        column=column,
        coverage=coverage.ravel()[place],
        slope_x=cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=scale).ravel()[place],
        slope_y=cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=scale).ravel()[place],
        mean_height=cv2.blur(height, (5, 5)).ravel()[place],
        shape=(height.shape[0], height.shape[1]),
    )


def view_through(cells: WetCells, conditions: Conditions, canvas: Canvas) -> tuple[Floats, Floats, Floats]:
    """Where in the photo (x, y, pixels) the ray through each wet cell ends, and how much of its light passes."""
    focal = np.float32(conditions.focal_px)
    centre_x, centre_y = np.float32((conditions.width - 1) / 2), np.float32((conditions.height - 1) / 2)
    to_photo = np.float32(0.5 * (canvas.step - 1) - canvas.margin)
    x = (cells.column.astype(np.float32) * np.float32(canvas.step) + (to_photo - centre_x)) / focal
    y = (cells.row.astype(np.float32) * np.float32(canvas.step) + (to_photo - centre_y)) / focal
    length = 1 / np.sqrt(x * x + y * y + 1)
    ray = (x * length, y * length, length)
    # Frame of the glass: its normal, away from the camera, and its downward direction.
    sin_rake, cos_rake = np.float32(np.sin(conditions.rake)), np.float32(np.cos(conditions.rake))
    glass = (np.zeros(1, np.float32), np.full(1, -cos_rake), np.full(1, sin_rake))
    in_water, _, _, _ = refract(ray, glass, 1 / WATER_INDEX)
    # The picture shows the glass foreshortened along its slope, so that real slopes there are gentler.
    slope_y = cells.slope_y * sin_rake
    normal_x, normal_y, normal_z = -cells.slope_x, -cos_rake - slope_y * sin_rake, sin_rake - slope_y * cos_rake
    length = 1 / np.sqrt(normal_x * normal_x + normal_y * normal_y + normal_z * normal_z)
    surface = (normal_x * length, normal_y * length, normal_z * length)
    out, cos_in, cos_out, passes = refract(in_water, surface, WATER_INDEX)
    forward = focal / np.maximum(out[2], np.float32(_STEEPEST))
    return (
        np.asarray(out[0] * forward + centre_x, np.float32),
        np.asarray(out[1] * forward + centre_y, np.float32),
        fresnel_transmission(cos_in, cos_out, passes),
    )


def _sample(picture: Floats, x: Floats, y: Floats, photo_size: tuple[int, int]) -> list[Floats]:
    """Colours (three planes of n) of a scaled copy of the photo at places given in the photo's pixels."""
    count = len(x)
    if count == 0:  # remap takes no empty maps
        return [np.zeros(0, np.float32)] * 3
    rows = -(-count // _REMAP_ROW)
    maps = np.zeros((2, rows * _REMAP_ROW), np.float32)
    for axis, place in enumerate((x, y)):
        scale = np.float32(picture.shape[1 - axis] / photo_size[axis])
        maps[axis, :count] = (place + np.float32(0.5)) * scale - np.float32(0.5)
    folded = maps.reshape(2, rows, _REMAP_ROW)
    taken = cv2.remap(picture, folded[0], folded[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return [np.asarray(plane.reshape(-1)[:count], np.float32) for plane in cv2.split(taken)]


def light_through(cells: WetCells, scene: ScaledScene, conditions: Conditions, canvas: Canvas) -> Floats:
    """Linear colour of each wet cell, 3 x n: a plane a channel.

    A drop minifies the scene about thirty times. Small drops therefore look up a copy of 1/16, wide ones 1/4: sampling
    the photo itself would sparkle.
    """
    count = len(cells.row)
    colour = np.empty((3, count), np.float32)
    size = (conditions.width, conditions.height)
    for first in range(0, count, _BLOCK):
        block = slice(first, min(first + _BLOCK, count))
        part = cells.part(block)
        x, y, transmission = view_through(part, conditions, canvas)
        deep = (part.mean_height / np.float32(conditions.px_per_mm) - np.float32(0.25)) / np.float32(0.6)
        detail = np.clip(deep, 0, 1, out=deep)
        gain, reflected = transmission * np.float32(_LENS_GAIN), 1 - transmission
        wide = np.flatnonzero(detail)
        share = detail[wide]
        coarse = _sample(scene.sixteenth, x, y, size)
        fine = _sample(scene.quarter, x[wide], y[wide], size)
        for channel, plane in enumerate(colour[:, block]):
            plane[:] = coarse[channel]
            plane[wide] += (fine[channel] - plane[wide]) * share
            plane *= gain
            plane += reflected * (scene.ambient[channel] * np.float32(_INNER_LIGHT))
    return colour
