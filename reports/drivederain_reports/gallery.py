"""Which pictures the page shows, and what is written under them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from drivederain.results.run_folder import RunFolder, folder_name
from drivederain.results.statistics import ALL, REFERENCE, score_matrix
from drivederain_reports.browse import THUMBNAIL_BYTES, PictureSet, picture_set
from drivederain_reports.figures import number, signed
from drivederain_reports.pictures import SIZES, Previews, PreviewSize
from drivederain_reports.ranking import Ranking
from drivederain_reports.run_about import MetricAbout
from drivederain_reports.score_tables import HEADLINE, Group

if TYPE_CHECKING:
    import pandas as pd

PAGE_BYTES = 12_000_000
"""What all previews and thumbnails of a page may take together, packed as text; the page then stays below 15 MB."""
UNRANKED = 3
"""Pictures shown of an intensity in which nothing can be ranked."""


@dataclass(frozen=True)
class Layer:
    """One picture of the viewer: the rainy input, a method's output or the truth."""

    name: str
    address: str
    file: str
    """The lossless file, relative to the page."""
    error: str = ""
    """``data:`` address of its error map, "" without truth or where the page has no room."""


@dataclass(frozen=True)
class Case:
    """A picture that was picked, with all its layers and scores."""

    image: str
    scene: str
    intensity: str
    role: str
    """``best``, ``median``, ``worst``, ``most disagreed on``, ``random`` (several where they meet), or ``sample``."""
    gain: str
    borderline: bool
    width: int
    height: int
    layers: tuple[Layer, ...]
    mask: str
    mask_file: str
    missing: tuple[str, ...]
    scores: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Strip:
    """The pictures of one intensity."""

    intensity: str
    rule: str
    """How they were picked, in words."""
    images: int
    """How many they were picked from."""
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Gallery:
    """The pictures of one group."""

    group: Group
    layers: tuple[str, ...]
    """Names that the buttons offer: rainy, the methods, truth."""
    first_choice: str
    """What is shown beside the rainy picture at first."""
    metrics: tuple[MetricAbout, ...]
    strips: tuple[Strip, ...]
    left_out: int
    """Picked pictures that are not in the page because their files are missing or the page would become too large."""
    wide: bool
    pictures: PictureSet

    @property
    def has_errors(self) -> bool:
        return any(layer.error for strip in self.strips for case in strip.cases for layer in case.layers)

    @property
    def has_masks(self) -> bool:
        return any(case.mask for strip in self.strips for case in strip.cases)


@dataclass(frozen=True)
class _Pick:
    image: str
    role: str
    gain: str


def galleries(
    run: RunFolder,
    groups: Sequence[Group],
    scores: pd.DataFrame,
    results: pd.DataFrame,
    methods: Sequence[str],
    previews: Previews,
) -> list[Gallery]:
    """The galleries of a run, with previews as large as the page can take. ``methods``: without the rainy input."""
    picked = [_picks(group, scores, results) for group in groups]
    room, sets = THUMBNAIL_BYTES, []
    for group in groups:
        found, room = picture_set(run, group, scores, results, methods, room)
        sets.append(found)
    most = PAGE_BYTES - (THUMBNAIL_BYTES - room)
    # Of each case: the rainy input, the truth, the mask and the outputs; error maps of those take about half as much.
    size = _fitting_size(run, previews, groups, picked, len(methods) + 3 + 0.5 * len(methods), most)
    made = []
    for group, strips, pictures in zip(groups, picked, sets, strict=True):
        gallery, most = _gallery(
            run, previews, group, strips, scores, results, methods, first_best([group, *groups]), size, most, pictures
        )
        made.append(gallery)
    return made


def _picks(group: Group, scores: pd.DataFrame, results: pd.DataFrame) -> list[tuple[str, str, list[_Pick]]]:
    """Intensity, rule in words and picks, for each intensity of a group."""
    rows = results[(results["dataset"] == group.dataset.name) & (results["intensity_source"] == group.source)]
    strips = []
    for intensity in group.intensities:
        if intensity == ALL:
            continue
        ranking = next(
            (found for name in HEADLINE if (found := group.rankings.get((intensity, name))) and found.gain), None
        )
        picks = _ranked_picks(scores, ranking, ranking.best) if ranking and ranking.best else []
        if ranking and picks:
            rule = (
                f"best, median and worst by the {ranking.metric.label} gain of {ranking.best} over the rainy input; "
                "the one that methods disagree on most; one drawn by a hash of its name"
            )
        else:
            names = sorted(map(str, rows[rows["intensity"] == intensity]["image"].unique()), key=_draw)
            picks = [_Pick(name, "sample", "") for name in names[:UNRANKED]]
            rule = "drawn by a hash of the name, because there are no scores to pick by"
        strips.append((intensity, rule, picks))
    return strips


def _draw(name: str) -> str:
    return hashlib.sha256(f"gallery {name}".encode("utf-8", "surrogatepass")).hexdigest()


def _ranked_picks(scores: pd.DataFrame, ranking: Ranking, best: str) -> list[_Pick]:
    """By the best method's gain over the rainy input the best, median (the lower one of two) and worst picture; the one
    on which the methods' scores have the largest standard deviation; and one drawn by a hash of its name."""
    stratum, metric = ranking.stratum, ranking.metric
    matrix = score_matrix(
        scores, stratum.dataset, stratum.source, stratum.intensity, "image", metric.name, metric.variant
    )
    both = matrix.rows(np.isfinite(matrix.of(best)) & np.isfinite(matrix.of(REFERENCE)))
    gains = metric.sign * (both.of(best) - both.of(REFERENCE))
    order = np.argsort(-gains, kind="stable")
    places = {"best": 0, "median": len(order) // 2, "worst": len(order) - 1}
    compared = [name for name in ranking.order if name in both.methods]
    spread = np.ma.masked_invalid(np.stack([both.of(name) for name in compared], axis=1)).std(axis=1).filled(0.0)
    if len(compared) > 1 and spread.max() > 0:
        places["most disagreed on"] = int(np.flatnonzero(order == int(spread.argmax()))[0])
    drawn = [place for place in range(len(order)) if place not in places.values()]
    if drawn:
        places["random"] = min(drawn, key=lambda place: _draw(both.images[order[place]]))
    roles: dict[int, list[str]] = {}
    for role, place in places.items():
        roles.setdefault(place, []).append(role)
    unit = f" {metric.unit}" if metric.unit else ""
    return [
        _Pick(
            both.images[order[place]],
            " and ".join(names),
            f"{signed(float(gains[order[place]]), metric.decimals)}{unit}",
        )
        for place, names in roles.items()
    ]


def _fitting_size(
    run: RunFolder,
    previews: Previews,
    groups: Sequence[Group],
    picked: Sequence[list[tuple[str, str, list[_Pick]]]],
    layers: float,
    most: int,
) -> PreviewSize:
    """The largest preview at which all take ``most`` bytes, judged by the rainy pictures. ``layers``: of a case."""
    rainy = [
        run.image_folder(group.dataset.name, pick.image) / "rainy.png"
        for group, strips in zip(groups, picked, strict=True)
        for _, _, picks in strips
        for pick in picks
    ]
    for size in SIZES[:-1]:
        taken = sum(len(found.address) for path in rainy if (found := previews.picture(path, size)) is not None)
        if taken * layers * 1.15 <= most:
            return size
    return SIZES[-1]


def _gallery(
    run: RunFolder,
    previews: Previews,
    group: Group,
    strips: list[tuple[str, str, list[_Pick]]],
    scores: pd.DataFrame,
    results: pd.DataFrame,
    methods: Sequence[str],
    preferred: str,
    size: PreviewSize,
    most: int,
    pictures: PictureSet,
) -> tuple[Gallery, int]:
    """The gallery of one group, and the bytes that it leaves of ``most``."""
    metrics = tuple(table.metric for table in group.tables if table.headline)
    rows = results[(results["dataset"] == group.dataset.name) & (results["intensity_source"] == group.source)]
    of_set = scores[(scores["dataset"] == group.dataset.name) & (scores["intensity_source"] == group.source)]
    about = rows.drop_duplicates("image").set_index("image")
    made, left_out = [], 0
    for intensity, rule, picks in strips:
        cases = []
        for pick in picks:
            row = about.loc[pick.image]
            borderline = bool(row["borderline"])
            case = _case(
                run, previews, group, pick, str(row["scene"]), intensity, borderline, of_set, metrics, methods, size
            )
            taken = sum(len(layer.address) + len(layer.error) for layer in case.layers) + len(case.mask) if case else 0
            if case is None or taken > most:
                left_out += 1
                continue
            most -= taken
            cases.append(case)
        images = int((about["intensity"] == intensity).sum())
        made.append(Strip(intensity, rule, images, tuple(cases)))
    offered = {layer.name for strip in made for case in strip.cases for layer in case.layers}
    layers = tuple(name for name in ("rainy", *methods, "truth") if name in offered)
    restored = [name for name in layers if name not in ("rainy", "truth")]
    first = preferred if preferred in restored else next(iter([*restored, *reversed(layers)]), "")
    shapes = [case.width / case.height for strip in made for case in strip.cases]
    wide = bool(shapes) and min(shapes) > 2.2  # pictures of several shapes fit three columns best
    return Gallery(group, layers, first, metrics, tuple(made), left_out, wide, pictures), most


def _case(
    run: RunFolder,
    previews: Previews,
    group: Group,
    pick: _Pick,
    scene: str,
    intensity: str,
    borderline: bool,
    scores: pd.DataFrame,
    metrics: Sequence[MetricAbout],
    methods: Sequence[str],
    size: PreviewSize,
) -> Case | None:
    """One picture with its layers, or ``None`` where its rainy input is not there."""
    dataset = group.dataset.name
    folder = run.image_folder(dataset, pick.image)
    rainy = previews.picture(folder / "rainy.png", size)
    if rainy is None:
        return None
    base = f"../images/{folder_name(dataset)}/{folder_name(pick.image)}"
    files = [(name, run.output_png(dataset, pick.image, name).name) for name in methods]
    if group.dataset.has_truth:
        files.append(("truth", "clear.png"))

    def errors_of(name: str, file: str) -> str:
        if name == "truth" or not group.dataset.has_truth:
            return ""
        found = previews.error(folder / file, folder / "clear.png")
        return found.address if found is not None else ""

    layers = [Layer("rainy", rainy.address, f"{base}/rainy.png", errors_of("rainy", "rainy.png"))]
    missing = []
    for name, file in files:
        picture = previews.picture(folder / file, size)
        if picture is None or (picture.height, picture.width) != (rainy.height, rainy.width):
            missing.append(name)
        else:
            layers.append(Layer(name, picture.address, f"{base}/{file}", errors_of(name, file)))
    mask = previews.mask(folder / "mask.png", size)
    values = scores[(scores["image"] == pick.image) & (scores["region"] == "image")]
    found = {(r["method"], r["metric"], r["variant"]): float(r["value"]) for r in values.to_dict("records")}
    under = []
    for method in (REFERENCE, *methods):
        shown = [found.get((method, metric.name, metric.variant), math.nan) for metric in metrics]
        if not all(math.isnan(value) for value in shown):
            texts = tuple(number(value, metric.decimals) for value, metric in zip(shown, metrics, strict=True))
            under.append(("rainy" if method == REFERENCE else method, texts))
    return Case(
        image=pick.image,
        scene=scene,
        intensity=intensity,
        role=pick.role,
        gain=pick.gain,
        borderline=borderline,
        width=rainy.width,
        height=rainy.height,
        layers=tuple(layers),
        mask=mask.address if mask is not None else "",
        mask_file=f"{base}/mask.png" if mask is not None else "",
        missing=tuple(missing),
        scores=tuple(under),
    )


def first_best(groups: Sequence[Group]) -> str:
    """The best method of the first group that ranks any, over all intensities where it can be, ``""`` without one."""
    for group in groups:
        for name in HEADLINE:
            for intensity in (ALL, *group.intensities):
                ranking = group.rankings.get((intensity, name))
                if ranking and ranking.best:
                    return ranking.best
    return ""
