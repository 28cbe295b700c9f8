"""Tables of a run by groups of photographs, as Markdown: trained on, used to choose, never looked at.

    python benchmarks/results_by_group.py runs/clear_road "trained on=lund,tusimple,udacity" kitti=kitti camvid=camvid
    python benchmarks/results_by_group.py runs/chain kitti=kitti --beside "wide U-Net=runs/wide:unet" --against unet

Each group is NAME=PREFIXES of image names; all of each data set is always shown first. ``--beside NAME=RUN:METHOD``
takes a method of another run over the same pictures under a name of its own. Differences are to the rainy input, or
to ``--against``.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import pandas as pd

from drivederain.results.run_folder import RunFolder
from drivederain.results.statistics import summarise

COLUMNS = (
    ("image", "psnr", "rgb", "PSNR dB", 2),
    ("image", "ssim", "rgb", "SSIM", 3),
    ("image", "lpips", "alex", "LPIPS", 3),
    ("drops", "psnr", "rgb", "PSNR in drops", 2),
    ("background", "psnr", "rgb", "PSNR outside", 2),
)
"""Region, metric, variant, heading, decimals."""
REFERENCE = "identity"


def figure(score: dict[str, Any] | None, decimals: int) -> str:
    """Mean, interval, and the difference to the reference."""
    if score is None or math.isnan(score["mean"]):
        return "-"
    text = f"{score['mean']:.{decimals}f}"
    if not math.isnan(score["low"]):
        text += f" [{score['low']:.{decimals}f}, {score['high']:.{decimals}f}]"
    return text + ("" if math.isnan(score["difference"]) else f" {score['difference']:+.{decimals}f}")


def table(results: pd.DataFrame, methods: list[str], against: str) -> str:
    """One Markdown table, method x intensity."""
    summary = summarise(results, reference=against)
    found = {
        tuple(str(row[name]) for name in ("intensity", "method", "region", "metric", "variant")): row
        for row in summary.to_dict("records")
    }
    columns = [column for column in COLUMNS if any(key[2:] == column[:3] for key in found)]
    lines = [
        "| intensity | method | " + " | ".join(heading for *_, heading, _ in columns) + " | n |",
        "|---|---|" + "---|" * (len(columns) + 1),
    ]
    for intensity in summary["intensity"].unique():
        for method in methods:
            scores = [found.get((intensity, method, *column[:3])) for column in columns]
            if any(scores):
                cells = [
                    figure({**score, "difference": math.nan} if score and method == against else score, decimals)
                    for score, (*_, decimals) in zip(scores, columns, strict=True)
                ]
                count = max(int(score["n"]) for score in scores if score)
                lines.append(f"| {intensity} | {method} | " + " | ".join(cells) + f" | {count} |")
    return "\n".join(lines)


def by_dataset(results: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each data set; figures of two are never averaged."""
    return [(str(name), rows) for name, rows in results.groupby("dataset", observed=True)]


def beside(results: pd.DataFrame, text: str) -> tuple[str, pd.DataFrame]:
    """The rows of a method of another run, under the name that ``text`` gives it.

    Raises:
        SystemExit: the rainy input scored otherwise there, so it is not the same pictures.
    """
    name, _, place = text.partition("=")
    path, _, method = place.rpartition(":")
    others = RunFolder(Path(path)).results()
    key = ["image", "region", "metric", "variant"]
    rainy = [
        run[(run["method"] == REFERENCE) & (run["sample"] == 0)].astype(dict.fromkeys(key, str)).set_index(key)["value"]
        for run in (results, others)
    ]
    common = rainy[0].index.intersection(rainy[1].index)
    if not len(common) or not rainy[0].loc[common].equals(rainy[1].loc[common]):
        raise SystemExit(f"{path}: its rainy pictures do not score as those of the first run do")
    return name, others[others["method"] == method].assign(method=name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("groups", nargs="*", metavar="NAME=PREFIXES")
    parser.add_argument("--beside", action="append", default=[], metavar="NAME=RUN:METHOD")
    parser.add_argument("--against", default=REFERENCE, help="the method that differences are to")
    arguments = parser.parse_args()
    run = RunFolder(arguments.run)
    results, methods = run.results(), [method["name"] for method in run.about()["methods"]]
    for text in arguments.beside:
        name, rows = beside(results, text)
        results, methods = pd.concat([results, rows], ignore_index=True), [*methods, name]
    for dataset, rows in by_dataset(results):
        print(f"## all of {dataset}\n\n{table(rows, methods, arguments.against)}\n")
    for group in arguments.groups:
        name, _, prefixes = group.partition("=")
        chosen = results[results["image"].astype(str).str.startswith(tuple(prefixes.split(",")))]
        if chosen.empty:
            parser.error(f"no image name begins with {prefixes}")
        for dataset, rows in by_dataset(chosen):
            photos = rows["image"].astype(str).str.partition("@")[0].nunique()
            print(f"## {name} of {dataset} ({photos} photographs)\n\n{table(rows, methods, arguments.against)}\n")


if __name__ == "__main__":
    main()
