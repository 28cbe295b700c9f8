"""Scores that papers published, by set and protocol: data, to be shown beside what is measured."""

from __future__ import annotations

from collections.abc import Mapping

from drivederain.specs import PublishedScore

RAIN13K = ("Test100", "Rain100H", "Rain100L", "Test2800", "Test1200")
"""In the order of the columns of MPRNet's table 1."""

Scores = Mapping[str, tuple[float, float | None]]
"""PSNR in dB and SSIM by set; ``None``: not known here."""


def published(source: str, variant: str, scores: Scores) -> tuple[PublishedScore, ...]:
    """One entry for each figure, as ``psnr_y[VARIANT]`` and ``ssim_y[VARIANT]``.

    Args:
        source: paper and table, and by whom the weights were trained if not by the method's authors.
        variant: the protocol that the paper evaluated by.
        scores: the figures.
    """
    found = []
    for dataset, (psnr, ssim) in scores.items():
        found.append(PublishedScore(dataset, f"psnr_y[{variant}]", psnr, source))
        if ssim is not None:
            found.append(PublishedScore(dataset, f"ssim_y[{variant}]", ssim, source))
    return tuple(found)


def on_rain13k(*figures: tuple[float, float], source: str) -> tuple[PublishedScore, ...]:
    """PSNR and SSIM of the sets of ``RAIN13K``, by the protocol ``mprnet``."""
    return published(source, "mprnet", dict(zip(RAIN13K, figures, strict=True)))


def on_rain200(light: tuple[float, float | None], heavy: tuple[float, float | None]) -> tuple[PublishedScore, ...]:
    """Of Rain200L and Rain200H, as NeRD-Rain's table 1 has them for all methods, on Y."""
    source = "NeRD-Rain, CVPR 2024, table 1, trained on each set by its authors"
    return published(source, "mprnet", {"Rain200L": light, "Rain200H": heavy})


BY_MPRNET = "MPRNet, CVPR 2021, arXiv:2102.02808, table 1, trained on Rain13K by its authors"
