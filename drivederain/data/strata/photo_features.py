"""What a single rainy photo shows of drops on the glass: the features of the photo estimator.

A drop on the windshield is a small out-of-focus lens. It is round, soft-edged, shows the scene upside down (dark top,
bright bottom), hides the detail behind it, and lies as gladly on flat sky and road as anywhere else. Each feature
measures one of these signs on the working picture (384 pixels wide, RGB in [0, 1], luma by Rec. 601).

``FEATURE_NAMES`` gives the order; the trees in ``photo_trees.npz`` were fitted to exactly these, in this order.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

BLOB_SIGMAS = (1.5, 2.5, 4.0, 6.5)
"""Pixels of the working picture: Gaussian scales at which blobs are sought."""

BLOB_CONTRASTS = (0.02, 0.06)
"""Scale-normalised root of the determinant of the Hessian, above which an extremum counts as a blob."""

BAND_SIGMAS = (0.7, 1.4, 2.8, 5.6, 11.2)
"""Pixels: neighbouring scales bound the band-pass planes, finest first."""

FLAT_FRACTION = 0.4
"""The flattest part of the picture, by the gradient at the coarsest scale: band energy there is hardly the scene's."""

BLOCK = 16
"""Pixels: side of the blocks whose quietest and median energies are compared."""

_PERCENTILES = (10, 25, 50, 75, 90)
_GRADIENT_SIGMAS = (1.4, 2.8, 5.6)
_GRADIENT_SIGNS = ("slope_x", "slope_y_over_x", "inversion", "inversion_flat", "diagonal", "coherence")


def _names() -> tuple[str, ...]:
    names: list[str] = []
    for sigma in BLOB_SIGMAS:
        for contrast in BLOB_CONTRASTS:
            names += [f"blob_{kind}_s{sigma}_c{contrast}" for kind in ("bright", "dark", "flat")]
        names.append(f"blob_strength_s{sigma}")
    for band in range(len(BAND_SIGMAS) - 1):
        names += [f"band{band}_{part}" for part in ("mean", "flat_mean", "flat_p50", "flat_p90", "upper_mean")]
        names += [f"band{band}_block_p{p}" for p in (10, 40)]
    names += [f"band{band}_over_band{band + 1}" for band in range(len(BAND_SIGMAS) - 2)]
    names += [f"sharpness_block_p{p}" for p in _PERCENTILES]
    for sigma in _GRADIENT_SIGMAS:
        names += [f"{sign}_s{sigma}" for sign in _GRADIENT_SIGNS]
    names += [f"dark_channel_p{p}" for p in _PERCENTILES]
    names += ["saturation_mean", "saturation_std", "saturation_p90", "saturation_detail"]
    names.append("coarse_contrast")
    return tuple(names)


def _blur(plane: Plane, sigma: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101), dtype=np.float32)


def _slopes(plane: Plane) -> tuple[Plane, Plane]:
    horizontal = cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    vertical = cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return np.asarray(horizontal, dtype=np.float32), np.asarray(vertical, dtype=np.float32)


def _block_means(plane: Plane) -> Plane:
    height, width = plane.shape
    size = (max(1, width // BLOCK), max(1, height // BLOCK))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _flat_area(luma: Plane) -> NDArray[np.bool_]:
    """The FLAT_FRACTION of the pixels where the scene, seen without its detail, changes least."""
    horizontal, vertical = _slopes(_blur(luma, BAND_SIGMAS[-1]))
    steepness = horizontal**2 + vertical**2
    return np.asarray(steepness <= np.quantile(steepness, FLAT_FRACTION))


def _blobs(luma: Plane, flat: NDArray[np.bool_]) -> list[float]:
    """Blobs for 1,000 pixels (of the flat area in ``flat``), by scale and contrast, and the mean blob strength.

    Extrema of the determinant of the Hessian (Lindeberg 1998) answer to round spots, and not to edges.
    """
    values: list[float] = []
    per_thousand = 1000 / luma.size
    per_thousand_flat = 1000 / float(flat.sum())
    for sigma in BLOB_SIGMAS:
        smooth = _blur(luma, sigma)
        xx = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 2, 0, ksize=3, scale=1 / 4), dtype=np.float32)
        yy = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 0, 2, ksize=3, scale=1 / 4), dtype=np.float32)
        xy = np.asarray(cv2.Sobel(smooth, cv2.CV_32F, 1, 1, ksize=3, scale=1 / 4), dtype=np.float32)
        determinant = xx * yy - xy * xy
        strength = np.sqrt(np.maximum(determinant, 0)) * np.float32(sigma**2)
        window = 2 * round(sigma) + 1
        peak = (strength >= cv2.dilate(strength, np.ones((window, window), np.uint8))) & (strength > 0)
        bright = xx + yy < 0
        for contrast in BLOB_CONTRASTS:
            found = peak & (strength > contrast)
            values.append(float((found & bright).sum()) * per_thousand)
            values.append(float((found & ~bright).sum()) * per_thousand)
            values.append(float((found & flat).sum()) * per_thousand_flat)
        values.append(float(strength.mean()))
    return values


def _bands(luma: Plane, flat: NDArray[np.bool_]) -> list[float]:
    """Band-pass energy: everywhere, in the flat area, in the upper half, in the quietest blocks; and sharpness."""
    values: list[float] = []
    scales = [_blur(luma, sigma) for sigma in BAND_SIGMAS]
    bands = [np.abs(fine - coarse) for fine, coarse in pairwise(scales)]
    means = [float(band.mean()) for band in bands]
    upper = slice(0, max(1, luma.shape[0] // 2))
    for band, mean in zip(bands, means, strict=True):
        inside = band[flat]
        values += [mean, float(inside.mean())]
        values += [float(value) for value in np.percentile(inside, (50, 90))]
        values.append(float(band[upper].mean()))
        values += [float(value) for value in np.percentile(_block_means(band), (10, 40))]
    values += [finer / (coarser + 1e-4) for finer, coarser in pairwise(means)]
    sharpness = _block_means(bands[0]) / (_block_means(bands[2]) + np.float32(1e-3))
    values += [float(value) for value in np.percentile(sharpness, _PERCENTILES)]
    return values


def _gradients(luma: Plane, flat: NDArray[np.bool_]) -> list[float]:
    """Gradient ratios: vertical to horizontal, dark-above-bright to the reverse, diagonal to upright; coherence."""
    values: list[float] = []
    for sigma in _GRADIENT_SIGMAS:
        x, y = _slopes(_blur(luma, sigma) - _blur(luma, 2.5 * sigma))
        mean_x, mean_y = float(np.abs(x).mean()), float(np.abs(y).mean())
        cubes, flat_y = y**3, y[flat]
        inversion = float(cubes.mean()) / (float(np.abs(cubes).mean()) + 1e-9)
        inversion_flat = float((flat_y**3).mean()) / (float(np.abs(flat_y**3).mean()) + 1e-9)
        energy = x * x + y * y
        diagonal = float(np.abs(2 * x * y).mean()) / (float(energy.mean()) + 1e-7)
        around = 2 * sigma
        xx, yy, xy = _blur(x * x, around), _blur(y * y, around), _blur(x * y, around)
        total = xx + yy
        anisotropy = np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
        coherence = float(anisotropy.mean()) / (float(total.mean()) + 1e-7)
        values += [mean_x, mean_y / (mean_x + 1e-4), inversion, inversion_flat, diagonal, coherence]
    return values


def _colours(rgb: NDArray[np.float32], luma: Plane) -> list[float]:
    """Dark channel (He, Sun and Tang 2009, windows of 9 pixels), saturation and coarse contrast.

    Brightness itself is left out: it tells night from day, and fitted trees agreed better without it.
    """
    darkest, brightest = rgb.min(axis=2), rgb.max(axis=2)
    dark_channel = cv2.erode(darkest, np.ones((9, 9), np.uint8))
    values = [float(value) for value in np.percentile(dark_channel, _PERCENTILES)]
    saturation = (brightest - darkest) / (brightest + np.float32(0.02))
    values += [float(saturation.mean()), float(saturation.std()), float(np.percentile(saturation, 90))]
    values.append(float(np.abs(saturation - _blur(saturation, 4.0)).mean()))
    values.append(float(_block_means(luma).std()))
    return values


FEATURE_NAMES = _names()


def photo_features(working_rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure the features of one picture at working size.

    Args:
        working_rgb: h x WORKING_WIDTH x 3 float32 in [0, 1], from ``to_working_size``.

    Returns:
        ``len(FEATURE_NAMES)`` values, float32, all finite.
    """
    luma = np.asarray(working_rgb @ np.asarray((0.299, 0.587, 0.114), np.float32), dtype=np.float32)
    flat = _flat_area(luma)
    values = _blobs(luma, flat) + _bands(luma, flat) + _gradients(luma, flat) + _colours(working_rgb, luma)
    return np.asarray(values, dtype=np.float32)
