"""Tables of a run by groups of photographs, as Markdown: trained on, used to choose, never looked at.

    python benchmarks/results_by_group.py runs/clear_road "trained on=lund,tusimple,udacity" kitti=kitti camvid=camvid

Each group is NAME=PREFIXES of image names. ``all`` is always shown first.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import pandas as pd

from drivederain.results.run_folder import RunFolder
from drivederain.results.summary import summary_table

METRICS = (("psnr", "PSNR dB", 2), ("ssim", "SSIM", 3), ("lpips", "LPIPS", 3))


def figure(score: dict[str, float] | None, decimals: int) -> str:
    """Mean, interval, and the difference to the rainy input."""
    if score is None or math.isnan(score["mean"]):
        return "-"
    text = f"{score['mean']:.{decimals}f}"
    if not math.isnan(score["low"]):
        text += f" [{score['low']:.{decimals}f}, {score['high']:.{decimals}f}]"
    return text + ("" if math.isnan(score["difference"]) else f" {score['difference']:+.{decimals}f}")


def table(results: pd.DataFrame, methods: list[str]) -> str:
    """One Markdown table, method x intensity."""
    rows = summary_table(results, methods)
    lines = [
        "| intensity | method | " + " | ".join(name for _, name, _ in METRICS) + " | n |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [figure(row[metric], decimals) for metric, _, decimals in METRICS]
        count = max(int(row[metric]["n"]) for metric, _, _ in METRICS if row[metric])
        lines.append(f"| {row['intensity']} | {row['method']} | " + " | ".join(cells) + f" | {count} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("groups", nargs="*", metavar="NAME=PREFIXES")
    arguments = parser.parse_args()
    run = RunFolder(arguments.run)
    results, methods = run.results(), [method["name"] for method in run.about()["methods"]]
    print(f"## all\n\n{table(results, methods)}\n")
    for group in arguments.groups:
        name, _, prefixes = group.partition("=")
        chosen = results[results["image"].str.startswith(tuple(prefixes.split(",")))]
        if chosen.empty:
            parser.error(f"no image name begins with {prefixes}")
        photos = chosen["image"].str.partition("@")[0].nunique()
        print(f"## {name} ({photos} photographs)\n\n{table(chosen, methods)}\n")


if __name__ == "__main__":
    main()
