"""Entry point of the core's own metrics. Imports nothing heavy."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MetricSpec


@hookimpl
def drivederain_metrics() -> list[MetricSpec]:
    """Fidelity on RGB and luma, structural similarity, perceptual distance, artefacts, drops that are left."""
    return [
        MetricSpec(
            name="psnr",
            summary="Peak signal-to-noise ratio of 8-bit RGB, peak 255",
            implementation="drivederain.metrics.fidelity:PSNR",
            variants=("rgb",),
            direction="higher",
            unit="dB",
            decimals=2,
        ),
        MetricSpec(
            name="ssim",
            summary="Structural similarity of 8-bit RGB, mean of the channels",
            implementation="drivederain.metrics.structural:SSIM",
            variants=("rgb",),
            direction="higher",
            decimals=4,
            paper="Wang et al., IEEE TIP 13(4), 2004",
        ),
        MetricSpec(
            name="mse",
            summary="Mean squared error of 8-bit RGB",
            implementation="drivederain.metrics.fidelity:MSE",
            variants=("rgb",),
            direction="lower",
            decimals=1,
        ),
        MetricSpec(
            name="psnr_y",
            summary="Peak signal-to-noise ratio of BT.601 limited-range luma, peak 255",
            implementation="drivederain.metrics.fidelity:PSNR",
            variants=("mprnet", "prenet"),
            direction="higher",
            unit="dB",
            decimals=2,
        ),
        MetricSpec(
            name="ssim_y",
            summary="Structural similarity of BT.601 limited-range luma",
            implementation="drivederain.metrics.structural:SSIM",
            variants=("mprnet", "prenet"),
            direction="higher",
            decimals=4,
            paper="Wang et al., IEEE TIP 13(4), 2004",
        ),
        MetricSpec(
            name="lpips",
            summary="Learned perceptual distance, version 0.1",
            implementation="drivederain.metrics.perceptual:LPIPS",
            variants=("alex",),
            direction="lower",
            decimals=4,
            licence="BSD-2-Clause (lpips), BSD-3-Clause (torchvision trunk)",
            paper="Zhang et al., CVPR 2018",
        ),
        MetricSpec(
            name="altered",
            summary="Share of the pixels that differ by more than 16 of 255; in the background: what was made up",
            implementation="drivederain.metrics.altered:Altered",
            variants=("16",),
            direction="lower",
            unit="%",
            decimals=2,
        ),
        MetricSpec(
            name="colour_shift",
            summary="Mean CIEDE2000 difference of pixels; in the background: colours changed without need",
            implementation="drivederain.metrics.colour_shift:ColourShift",
            variants=("ciede2000",),
            direction="lower",
            decimals=2,
            paper="Sharma, Wu and Dalal, Color Research and Application 30(1), 2005",
        ),
        MetricSpec(
            name="blur",
            summary="Share of the truth's fine detail (Laplacian of luma) that is missing",
            implementation="drivederain.metrics.blur:Blur",
            variants=("laplacian",),
            direction="lower",
            unit="%",
            decimals=1,
        ),
        MetricSpec(
            name="visible_drops",
            summary="Estimated share of the picture that drops still visibly cover, from the picture alone",
            implementation="drivederain.metrics.visible_drops:VisibleDrops",
            variants=("estimated",),
            direction="lower",
            unit="%",
            decimals=2,
            needs_truth=False,
        ),
        MetricSpec(
            name="niqe",
            summary="Distance of natural scene statistics from pristine photographs'; it ranks windshield rain badly",
            implementation="drivederain.metrics.niqe:NIQE",
            variants=("road", "official"),
            direction="lower",
            decimals=2,
            paper="Mittal, Soundararajan and Bovik, IEEE SPL 20(3), 2013",
            needs_truth=False,
            by_default=False,
        ),
        MetricSpec(
            name="seams",
            summary="Largest step of the error along a line where tiles of so many pixels meet, of 255",
            implementation="drivederain.metrics.seams:Seams",
            variants=("512", "768", "1024", "2048"),
            direction="lower",
            decimals=2,
        ),
    ]
