"""Fit the trees that estimate how much of the glass drops cover, and measure how well they agree with known rain.

    python benchmarks/fit_strata.py --photos DATA/clear_road --manifest DATA/MANIFEST.csv --report strata.json

Synthetic rain is drawn on the photographs that may be redistributed and on drawn scenes (``fit``); options are chosen
on ``kitti``; with ``--score`` the choice is measured once on ``camvid``. Needs scikit-learn (extra ``dev``).
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.metrics import cohen_kappa_score

from drivederain.data.strata.pair_features import PAIR_FEATURE_NAMES, pair_features
from drivederain.data.strata.photo_features import FEATURE_NAMES, photo_features
from drivederain.data.strata.stratum import CLEAR_BELOW, LIGHT_MEDIUM_CUT, MEDIUM_HEAVY_CUT
from drivederain.data.strata.working_picture import to_working_size
from drivederain.rain import GENERATOR_VERSION, RainSettings, draw_rain
from drivederain.scenes import SCENES_VERSION, draw_scene
from drivederain.specs import INTENSITIES, Intensity

Role = Literal["fit", "choose", "score"]
Picture = NDArray[np.uint8]

WIDTH = 640
RATES = (0.2, 60.0)
"""mm/h: bounds of the rates that are drawn log-uniformly beside the three intensities."""
AMS_RATES = (2.5, 7.6)
"""mm/h: light up to the first, heavy above the second."""
DRAWN_WEIGHT = 0.2
"""Of a drawn scene against a photograph. Scenes alone show night, but are sharper than photographs: at full weight the
estimates for photographs come out low."""
FIT_SCENES = 97
"""Seed of the drawn scenes to fit on, apart from those of the embedded data set and of the tests."""
CUTS = (LIGHT_MEDIUM_CUT, MEDIUM_HEAVY_CUT)


@dataclass(frozen=True)
class Base:
    """A clear picture to draw rain on."""

    role: Role
    group: str
    name: str
    clear: Picture


@dataclass(frozen=True)
class Table:
    """One row for each rainy picture."""

    role: NDArray[np.str_]
    group: NDArray[np.str_]
    recorded: NDArray[np.int64]
    """0 light, 1 medium, 2 heavy as drawn; -1 for a rate drawn continuously, -2 without rain."""
    rate: NDArray[np.float64]
    coverage: NDArray[np.float64]
    photo: NDArray[np.float32]
    pair: NDArray[np.float32]


def bases(photos: Path, manifest: Path, scenes: int) -> Iterator[Base]:
    """Yield the photographs of the manifest, those to fit on twice (varied anew each time), then drawn scenes."""
    with manifest.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["category"] == "clear_road"]
    for row in rows:
        group = row["group"].split("_")[0]
        roles: dict[str, Role] = {"kitti": "choose", "camvid": "score"}
        role = roles.get(group, "fit" if row["redistribution"] == "redistributable" else None)
        if role is None:
            continue
        path = photos / Path(row["file"]).name
        decoded = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if decoded is None:
            raise SystemExit(f"{path} cannot be read: is --photos the folder that the manifest lists?")
        for copy in range(2 if role == "fit" else 1):
            yield Base(role, group, f"{path.stem}/{copy}", np.asarray(decoded, np.uint8))
    for index in range(scenes):
        scene = draw_scene(seed=FIT_SCENES, index=index, height=360, width=WIDTH)
        yield Base("fit", "drawn", f"drawn_{index}", np.asarray(scene.image, np.uint8))


def to_width(picture: Picture) -> Picture:
    """Resize to WIDTH, never up."""
    if picture.shape[1] <= WIDTH:
        return picture
    height = round(picture.shape[0] * WIDTH / picture.shape[1])
    return np.asarray(cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)


def varied_clear(clear: Picture, rng: np.random.Generator) -> Picture:
    """Crop, mirror and re-expose, so that few photographs stand for many framings.

    Softening them too was tried: estimates on ``kitti`` got worse (root mean square error .100 for .090).
    """
    height, width = clear.shape[:2]
    part_y, part_x, at_y, at_x, mirror, gamma = rng.random(6)
    crop_h, crop_w = int(height * (0.5 + 0.5 * part_y)), int(width * (0.6 + 0.4 * part_x))
    top, left = int((height - crop_h) * at_y), int((width - crop_w) * at_x)
    cropped = clear[top : top + crop_h, left : left + crop_w][:, :: -1 if mirror < 0.5 else 1]
    curve = (255 * (np.arange(256) / 255) ** (0.75 * (1.25 / 0.75) ** gamma)).round().astype(np.uint8)
    return to_width(np.asarray(curve[np.ascontiguousarray(cropped)], np.uint8))


def varied_photo(rainy: Picture, rng: np.random.Generator) -> Picture:
    """What cameras and files add: a slight gain, noise, JPEG; each on some pictures only."""
    gain, has_gain, noise, has_noise, quality, has_jpeg = rng.random(6)
    picture = rainy.astype(np.float32)
    if has_gain < 0.25:
        picture *= np.float32(0.96 + 0.08 * gain)
    if has_noise < 0.4:
        uniform = rng.random((2, *rainy.shape), dtype=np.float32).sum(axis=0) - 1
        picture += uniform * np.float32(np.sqrt(6) * 4 * noise)
    eight_bit = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
    if has_jpeg < 0.5:
        bgr = np.ascontiguousarray(eight_bit[..., ::-1])
        coded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, int(60 + 38 * quality)])[1]
        eight_bit = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB), np.uint8)
    return np.asarray(eight_bit, np.uint8)


def rain_table(photos: Path, manifest: Path, scenes: int, draws: int, seed: int) -> Table:
    """Draw rain on every base picture and measure it: the three intensities, no rain, and ``draws`` continuous rates.

    ``fit`` pictures are varied, each draw anew; the others are taken as they are, with half as many continuous rates.
    """
    rows: list[tuple[str, str, int, float, float, NDArray[np.float32], NDArray[np.float32]]] = []
    for number, base in enumerate(bases(photos, manifest, scenes)):
        rng = np.random.default_rng(np.random.SeedSequence([seed, number]))
        own_draws = draws if base.role == "fit" else draws // 2
        steps = (rng.random() + np.arange(own_draws)) / own_draws
        rates = np.exp(np.log(RATES[0]) + np.log(RATES[1] / RATES[0]) * steps)
        plan: list[tuple[int, Intensity | None, float | None]] = [(-2, None, 0.0)]
        plan += [(index, intensity, None) for index, intensity in enumerate(INTENSITIES)]
        plan += [(-1, INTENSITIES[int(np.searchsorted(AMS_RATES, rate))], float(rate)) for rate in rates]
        for index, (recorded, intensity, rate) in enumerate(plan):
            clear = varied_clear(base.clear, rng) if base.role == "fit" else to_width(base.clear)
            rainy, coverage = clear, 0.0
            if intensity is not None:
                lens = 45 + 55 * float(rng.random()) if base.role == "fit" and rate is not None else 60.0
                settings = RainSettings(rain_rate_mm_h=rate, hfov_deg=lens)
                drawn = draw_rain(clear, seed=seed, key=f"{base.name}/{index}", intensity=intensity, settings=settings)
                rainy, coverage = drawn.rainy, drawn.parameters.coverage_soft_025
                rate = drawn.parameters.rain_rate_mm_h
            if base.role == "fit":
                rainy = varied_photo(rainy, rng)
            small = to_working_size(rainy)
            measured = photo_features(small), pair_features(small, to_working_size(clear))
            rows.append((base.role, base.group, recorded, float(rate or 0), coverage, *measured))
    columns = list(zip(*rows, strict=True))
    return Table(*(np.asarray(column) for column in columns))


def candidates(seed: int) -> dict[str, Any]:
    """The models that are compared on ``kitti``."""
    boosting = {"subsample": 0.5, "max_features": 0.3, "min_samples_leaf": 5, "random_state": seed}
    forest = {"min_samples_leaf": 2, "max_leaf_nodes": 96, "max_features": 0.33, "random_state": seed}
    return {
        "boosting, 400 trees of depth 2": GradientBoostingRegressor(
            n_estimators=400, learning_rate=0.05, max_depth=2, **boosting
        ),
        "boosting, 250 trees of depth 3": GradientBoostingRegressor(
            n_estimators=250, learning_rate=0.05, max_depth=3, **boosting
        ),
        "boosting, 250 trees of depth 4": GradientBoostingRegressor(
            n_estimators=250, learning_rate=0.04, max_depth=4, **boosting
        ),
        "random forest, 60 trees": RandomForestRegressor(n_estimators=60, **forest),
    }


def strata(coverage: NDArray[np.float64], cuts: tuple[float, ...] = CUTS) -> NDArray[np.int64]:
    """0, 1, 2 ... by the cut points."""
    return np.searchsorted(np.asarray(cuts), coverage, side="right").astype(np.int64)


def agreement(known: NDArray[np.int64], estimated: NDArray[np.int64]) -> dict[str, float]:
    """Exact and within-one agreement and quadratic kappa."""
    return {
        "n": len(known),
        "exact": float((known == estimated).mean()),
        "within_one": float((abs(known - estimated) <= 1).mean()),
        "quadratic_kappa": float(cohen_kappa_score(known, estimated, weights="quadratic")),
    }


def scores(table: Table, chosen: NDArray[np.bool_], root: NDArray[np.float64], margin: float) -> dict[str, Any]:
    """How estimates of sqrt coverage agree with what was drawn, on the chosen rows (``root`` is for these rows)."""
    coverage, recorded, rate = table.coverage[chosen], table.recorded[chosen], table.rate[chosen]
    root = np.clip(root, 0, 1)
    preset, continuous = recorded >= 0, recorded == -1
    with_clear = (CLEAR_BELOW, *CUTS)
    borderline = np.min([abs(root - np.sqrt(cut)) for cut in CUTS], axis=0) <= margin
    sure = preset & ~borderline
    return {
        "spearman": float(spearmanr(root, coverage).statistic),
        "spearman_rainy": float(spearmanr(root[recorded > -2], coverage[recorded > -2]).statistic),
        "median_absolute_error": float(np.median(abs(root - np.sqrt(coverage)))),
        "recorded": agreement(recorded[preset], strata(root[preset] ** 2)),
        "recorded_not_borderline": agreement(recorded[sure], strata(root[sure] ** 2)),
        "continuous_rate": agreement(strata(rate[continuous], AMS_RATES), strata(root[continuous] ** 2)),
        "coverage_four_classes": agreement(strata(coverage, with_clear), strata(root**2, with_clear)),
        "confusion_recorded": [
            [int(((recorded == known) & (strata(root**2) == said)).sum()) for said in range(3)] for known in range(3)
        ],
        "clear_said": [int(((recorded == -2) & (strata(root**2) == said)).sum()) for said in range(3)],
        "borderline_part": float(borderline[preset].mean()),
    }


def cut_points(table: Table) -> dict[str, Any]:
    """Cut points on the true coverage that agree best with the recorded strata and, at equal weight, with the rates."""
    preset = (table.role == "fit") & (table.recorded >= 0)
    continuous = (table.role == "fit") & (table.recorded == -1)
    known = strata(table.rate[continuous], AMS_RATES)

    def agree(low: float, high: float) -> tuple[float, float, float, float, float]:
        by_preset = float((strata(table.coverage[preset], (low, high)) == table.recorded[preset]).mean())
        by_rate = float((strata(table.coverage[continuous], (low, high)) == known).mean())
        return by_preset + by_rate, low, high, by_preset, by_rate

    found = [agree(low / 200, high / 100) for low in range(6, 24) for high in range(10, 32)]
    spread = {
        name: [float(q) for q in np.quantile(table.coverage[preset & (table.recorded == index)], (0, 0.1, 0.5, 0.9, 1))]
        for index, name in enumerate(INTENSITIES)
    }
    return {
        "coverage_min_p10_median_p90_max": spread,
        "best (sum, low, high, recorded, rate)": sorted(found)[-1:-9:-1],
        "in use": agree(*CUTS),
    }


def export(model: Any, names: tuple[str, ...], error: float, path: Path) -> None:
    """Write a fitted ensemble as the arrays that ``drivederain.data.strata.trees`` reads."""
    boosted = isinstance(model, GradientBoostingRegressor)
    estimators = [tree for stage in model.estimators_ for tree in np.ravel(stage)]
    weight = model.learning_rate if boosted else 1 / len(estimators)
    columns: dict[str, list[NDArray[Any]]] = {"feature": [], "threshold": [], "left": [], "right": [], "value": []}
    roots, start = [], 0
    for estimator in estimators:
        tree = estimator.tree_
        own = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        # scikit-learn compares float32 inputs with float64 thresholds: rounding down keeps every decision.
        threshold = tree.threshold.astype(np.float32)
        threshold = np.where(threshold > tree.threshold, np.nextafter(threshold, np.float32(-np.inf)), threshold)
        columns["feature"].append(np.where(leaf, 0, tree.feature))
        columns["threshold"].append(np.where(leaf, 0, threshold))
        columns["left"].append(start + np.where(leaf, own, tree.children_left))
        columns["right"].append(start + np.where(leaf, own, tree.children_right))
        columns["value"].append(np.where(leaf, weight * tree.value[:, 0, 0], 0))
        roots.append(start)
        start += tree.node_count
    types = {"feature": np.uint8, "threshold": np.float32, "left": np.uint16, "right": np.uint16, "value": np.float32}
    if start > np.iinfo(np.uint16).max or len(names) > np.iinfo(np.uint8).max:
        raise SystemExit(f"{start} nodes on {len(names)} features do not fit the file: fit fewer or smaller trees")
    arrays = {name: np.concatenate(parts).astype(types[name]) for name, parts in columns.items()}
    np.savez_compressed(
        path,
        allow_pickle=False,
        features=np.asarray(names),
        roots=np.asarray(roots, np.uint16),
        depth=np.asarray(max(estimator.tree_.max_depth for estimator in estimators)),
        base=np.asarray(float(model.init_.constant_.item()) if boosted else 0.0),
        error=np.asarray(error),
        **arrays,
    )


def fit(table: Table, inputs: NDArray[np.float32], names: tuple[str, ...], out: Path, args: Any) -> dict[str, Any]:
    """Choose on ``kitti``, export, and score."""
    fitted, choosing = table.role == "fit", table.role == "choose"
    target = np.sqrt(table.coverage)
    weight = np.where(table.group == "drawn", DRAWN_WEIGHT, 1.0)
    report: dict[str, Any] = {"candidates": {}}
    models = candidates(args.seed)
    for name, model in models.items():
        model.fit(inputs[fitted], target[fitted], sample_weight=weight[fitted])
        residual = model.predict(inputs[choosing]) - target[choosing]
        report["candidates"][name] = {
            "rms_error": float(np.sqrt(np.mean(residual**2))),
            "median_absolute_error": float(np.median(abs(residual))),
            "bias": float(residual.mean()),
        }
    chosen = min(models, key=lambda name: float(report["candidates"][name]["rms_error"]))
    error = float(report["candidates"][chosen]["median_absolute_error"])
    model = models[chosen]
    export(model, names, error, out)
    importance = np.argsort(model.feature_importances_)[::-1][:12]
    report |= {"chosen": chosen, "borderline_margin": error, "bytes": out.stat().st_size}
    report["important"] = {names[index]: round(float(model.feature_importances_[index]), 3) for index in importance}
    for role, is_measured in (("choose", True), ("score", args.score)):
        rows = table.role == role
        if is_measured:
            report[role] = scores(table, rows, model.predict(inputs[rows]), error)
    if args.leave_one_group_out:
        for group in sorted(set(table.group[fitted])):
            inside, outside = fitted & (table.group != group), fitted & (table.group == group)
            fold = candidates(args.seed)[chosen].fit(inputs[inside], target[inside], sample_weight=weight[inside])
            report[f"without {group}"] = scores(table, outside, fold.predict(inputs[outside]), error)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of the clear road photographs")
    parser.add_argument("--manifest", type=Path, required=True, help="their MANIFEST.csv")
    parser.add_argument("--out", type=Path, default=Path("drivederain/data/strata"), help="where the trees are written")
    parser.add_argument("--report", type=Path, required=True, help="JSON file for the agreement tables")
    parser.add_argument("--scenes", type=int, default=30, help="drawn scenes to fit on beside the photographs")
    parser.add_argument("--draws", type=int, default=4, help="continuous rain rates for each picture")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--score", action="store_true", help="also measure on camvid: once, at the end")
    parser.add_argument("--leave-one-group-out", action="store_true")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    table = rain_table(args.photos, args.manifest, args.scenes, args.draws, args.seed)
    report = {
        "versions": {"rain": GENERATOR_VERSION, "scenes": SCENES_VERSION},
        "pictures": {role: int((table.role == role).sum()) for role in ("fit", "choose", "score")},
        "cut_points": cut_points(table),
        "photo": fit(table, table.photo, FEATURE_NAMES, args.out / "photo_trees.npz", args),
        "pair": fit(table, table.pair, PAIR_FEATURE_NAMES, args.out / "pair_trees.npz", args),
    }
    args.report.write_text(json.dumps(report, indent=1))
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
