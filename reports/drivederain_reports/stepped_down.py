"""Pictures for which memory did not suffice as planned, and what was made smaller for them, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivederain_reports.figures import count, plural

if TYPE_CHECKING:
    import pandas as pd


def stepped_down(results: pd.DataFrame) -> dict[tuple[str, str], str]:
    """``12 of 600 images: tile 512`` by data set and method; what is not in it was restored as planned."""
    smaller = results.loc[results["stepped_down"] != "", ["dataset", "method", "image", "stepped_down"]]
    pictures = smaller.drop_duplicates().astype(object)
    words: dict[tuple[str, str], str] = {}
    for (dataset, method), part in pictures.groupby(["dataset", "method"]):
        images = results.loc[(results["dataset"] == dataset) & (results["method"] == method), "image"].nunique()
        kinds = part.groupby("stepped_down")["image"].nunique()
        words[dataset, method] = "; ".join(
            f"{count(amount)} of {plural(images, 'image')}: {kind}" for kind, amount in kinds.items()
        )
    return words
