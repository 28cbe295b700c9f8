"""The list of all pictures of a data set: thumbnails, scores and where the files lie, for the page's script."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from drivederain.results.run_folder import RunFolder, folder_name
from drivederain.results.statistics import ALL, REFERENCE, score_matrix
from drivederain.results.thumbnails import NAME, WIDTH, strip_size, tile_files
from drivederain_reports.figures import number
from drivederain_reports.score_tables import HEADLINE, Group

if TYPE_CHECKING:
    import pandas as pd

THUMBNAIL_BYTES = 6_500_000
"""What all thumbnails of a page may take together, packed as text."""


@dataclass(frozen=True)
class PictureSet:
    """All pictures of one data set."""

    images: int
    with_thumbnails: int
    intensities: tuple[str, ...]
    methods: tuple[str, ...]
    label: str
    """Of the metric whose figures stand beside the pictures, "" where nothing was scored."""
    data: Markup
    """JSON without any ``<``, ``>`` or ``&``, so that it can stand in a script element."""


def picture_set(
    run: RunFolder, group: Group, scores: pd.DataFrame, results: pd.DataFrame, methods: Sequence[str], room: int
) -> tuple[PictureSet, int]:
    """The set of one group, and what it leaves of ``room`` bytes for thumbnails.

    Where there is no room for all thumbnails, the pictures that have one are drawn by a hash of their names.

    Args:
        scores: ``statistics.image_scores`` of the run.
        methods: of the run, without the rainy input, in the order of ``run.json``.
    """
    dataset = group.dataset.name
    own = results[(results["dataset"] == dataset) & (results["intensity_source"] == group.source)]
    pictures = own.drop_duplicates("image")[["image", "intensity"]].astype(str)
    layers = ["rainy", *(["truth"] if group.dataset.has_truth else []), *methods]
    strips: dict[str, str] = {}
    ratios: dict[str, float] = {}
    for image in sorted(pictures["image"], key=_draw):
        strip, ratio = _strip(run, dataset, image, len(layers))
        if strip and len(strip) <= room:
            strips[image] = strip
            room -= len(strip)
        ratios[image] = ratio
    metric = next((table.metric for name in HEADLINE for table in group.tables if table.metric.name == name), None)
    values: dict[str, dict[str, float]] = {}
    if metric is not None:
        matrix = score_matrix(scores, dataset, group.source, ALL, "image", metric.name, metric.variant)
        values = {
            image: dict(zip(matrix.methods, row, strict=True))
            for image, row in zip(matrix.images, matrix.values.tolist(), strict=True)
        }
    files = tile_files(methods, group.dataset.has_truth)
    rows = []
    for image, intensity in sorted(zip(pictures["image"], pictures["intensity"], strict=True)):
        scored = values.get(image, {})
        rainy = scored.get(REFERENCE, math.nan)
        shown = {"rainy": rainy, **{method: scored.get(method, math.nan) for method in methods}}
        texts = [
            "" if metric is None or math.isnan(shown.get(layer, math.nan)) else number(shown[layer], metric.decimals)
            for layer in layers
        ]
        gains = [
            round(metric.sign * (shown[method] - rainy), 4)
            if metric is not None and math.isfinite(shown[method]) and math.isfinite(rainy)
            else None
            for method in methods
        ]
        rows.append(
            [
                image,
                folder_name(image),
                intensity,
                round(ratios[image], 4),
                texts,
                gains,
                strips.get(image, ""),
                _stored(run, dataset, image, files),
            ]
        )
    data = {
        "base": f"../images/{folder_name(dataset)}/",
        "layers": layers,
        "files": files,
        "methods": list(methods),
        "unit": metric.unit if metric is not None else "",
        "pictures": rows,
    }
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    found = PictureSet(
        len(rows),
        len(strips),
        tuple(name for name in group.intensities if name != ALL),
        tuple(methods),
        metric.label if metric is not None else "",
        Markup(text),
    )
    return found, room


def _strip(run: RunFolder, dataset: str, image: str, layers: int) -> tuple[str, float]:
    """The strip of a picture as text, "" where there is none of so many layers, and the pictures' width by height."""
    try:
        data = (run.image_folder(dataset, image) / NAME).read_bytes()
    except OSError:
        return "", 1.5
    size = strip_size(data)
    if size is None or size[0] != WIDTH * layers or not size[1]:
        return "", 1.5
    return base64.b64encode(data).decode("ascii"), WIDTH / size[1]


def _stored(run: RunFolder, dataset: str, image: str, files: Sequence[str]) -> list[int]:
    """The places of the files that are in the picture's folder."""
    try:
        there = {path.name for path in run.image_folder(dataset, image).iterdir()}
    except OSError:
        return []
    return [place for place, name in enumerate(files) if name in there]


def _draw(name: str) -> str:
    return hashlib.sha256(f"thumbnails {name}".encode("utf-8", "surrogatepass")).hexdigest()
