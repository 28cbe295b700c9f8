"""How often NIQE takes a rainy picture for the better one: against its clear picture, and against PSNR between methods.

    drivederain-bench run --methods identity --metrics psnr,niqe[road] --data FOLDER --clear-input 1000 --out RUN
    python benchmarks/niqe_on_rain.py RUN

Clear input gives the values of the clear pictures; a run of several methods also shows whether NIQE ranks them as
PSNR does.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import pandas as pd

from drivederain.results.run_folder import RunFolder

CLEAR = "clear"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--variant", default="road")
    options = arguments.parse_args()
    rows = RunFolder(options.run).results()
    rows = rows[(rows["region"] == "image") & (rows["status"] == "ok")]
    niqe = rows[(rows["metric"] == "niqe") & (rows["variant"] == options.variant)]
    against_clear(niqe[niqe["method"] == "identity"])
    between_methods(niqe[niqe["intensity"] != CLEAR], rows[(rows["metric"] == "psnr") & (rows["intensity"] != CLEAR)])


def against_clear(identity: pd.DataFrame) -> None:
    """Print for each intensity how many rainy pictures have a lower value than their clear picture."""
    dry = identity[identity["intensity"] == CLEAR].set_index("scene")["value"]
    for intensity, wet in identity[identity["intensity"] != CLEAR].groupby("intensity"):
        pairs = wet.set_index("scene")["value"].to_frame("rainy").join(dry.rename("clear"), how="inner").dropna()
        lower = int((pairs["rainy"] < pairs["clear"]).sum())
        means = pairs.mean()
        print(
            f"{intensity}: rainy {means['rainy']:.2f}, clear {means['clear']:.2f} on average;"
            f" the rainy one is called better in {lower} of {len(pairs)}"
        )


def between_methods(niqe: pd.DataFrame, psnr: pd.DataFrame) -> None:
    """Print for each two methods how often NIQE and PSNR call another one better on the same picture."""
    apart = niqe.pivot_table("value", ["dataset", "image"], "method")
    truth = psnr.pivot_table("value", ["dataset", "image"], "method")
    common = [method for method in apart.columns if method in truth.columns]
    against = total = 0
    for first, second in combinations(common, 2):
        both = pd.DataFrame(
            {"niqe": apart[second] - apart[first], "psnr": truth[first] - truth[second]}
        ).dropna()  # above 0: the first is better
        opposite = int(((both["niqe"] > 0) != (both["psnr"] > 0)).sum())
        against, total = against + opposite, total + len(both)
        print(f"{first} / {second}: opposite in {opposite} of {len(both)}")
    if total:
        print(f"together: opposite in {against} of {total} ({100 * against / total:.0f} %)")
    means = pd.DataFrame({"niqe": apart[common].mean(), "psnr": truth[common].mean()})
    print(means.sort_values("psnr", ascending=False).round(2).to_string())


if __name__ == "__main__":
    main()
