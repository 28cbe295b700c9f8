"""The entry point of the core's metrics."""

from __future__ import annotations

import importlib
import subprocess
import sys

from drivederain.metrics.metric import Metric
from drivederain.metrics.plugin import drivederain_metrics


def test_every_variant_can_be_made() -> None:
    specs = drivederain_metrics()
    assert {spec.name: spec.variants for spec in specs} == {
        "psnr": ("rgb",),
        "ssim": ("rgb",),
        "mse": ("rgb",),
        "psnr_y": ("mprnet", "prenet"),
        "ssim_y": ("mprnet", "prenet"),
        "lpips": ("alex",),
        "altered": ("16",),
        "colour_shift": ("ciede2000",),
        "blur": ("laplacian",),
        "visible_drops": ("estimated",),
        "niqe": ("road", "official"),
        "seams": ("512", "768", "1024", "2048"),
    }
    for spec in specs:
        module, name = spec.implementation.split(":")
        for variant in spec.variants:
            metric = getattr(importlib.import_module(module), name)(variant)
            assert isinstance(metric, Metric)
            assert metric.variant == variant


def test_listing_imports_nothing_heavy() -> None:
    code = (
        "import sys, drivederain.metrics.plugin as plugin; plugin.drivederain_metrics();"
        "print(sorted({'torch', 'numpy', 'cv2', 'lpips', 'pandas'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
