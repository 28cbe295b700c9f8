"""Time PSNR, SSIM and LPIPS against scikit-image, the lpips package and pyiqa, on the same pairs in turns.

    python benchmarks/speed/metrics.py [PHOTO ...] [--repeats 5] [--threads 2] [--out FOLDER]

Truths are the photos at 1280x720 (without photos, two smooth random pictures with grain), outputs are the same with
rain drawn on them. The others are called one pair after another, as their own pages show it: NumPy pictures for
scikit-image, and for lpips and pyiqa float tensors made from the 8-bit pictures within the time. All get the same 8-bit
pictures in memory and the same AlexNet trunk. A ratio is the other's wall time over ours, of two runs next to each
other: above 1, ours is faster.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import torch
from measure import Timing, in_turns, ratios, report, spread
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor
from torchvision.models import alexnet

from drivederain.metrics.fidelity import PSNR
from drivederain.metrics.metric import Metric
from drivederain.metrics.perceptual import LPIPS, build_network
from drivederain.metrics.structural import SSIM
from drivederain.rain import INTENSITIES, draw_rain

WIDTH, HEIGHT = 1280, 720
METHODS = 8
"""Outputs that share a truth."""

Picture = NDArray[np.uint8]
Pair = tuple[Picture, Picture]
"""Output and truth, H x W x 3."""
Score = Callable[[Picture, Picture], float]


class Values:
    """A work that keeps what it found, so that the values can be compared after the timing."""

    def __init__(self, work: Callable[[], list[float]]) -> None:
        self.work = work
        self.found: list[float] = []

    def __call__(self) -> None:
        self.found = self.work()


def truths(paths: Sequence[Path]) -> list[Picture]:
    """The photos at 1280x720, or two random pictures if there are none."""
    if not paths:
        random = np.random.default_rng(0)
        made = []
        for _ in range(2):
            coarse = random.random((9, 16, 3)).astype(np.float32)
            smooth = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
            grain = 0.1 * (random.random(smooth.shape, dtype=np.float32) - 0.5)
            made.append(np.clip(255 * (smooth + grain), 0, 255).astype(np.uint8))
        return made
    photos = []
    for path in paths:
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if photo is None:
            raise SystemExit(f"{path} is no readable image")
        photo = cv2.resize(photo, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        photos.append(np.ascontiguousarray(photo[..., ::-1], np.uint8))
    return photos


def rained(truth: Picture, seed: int) -> Picture:
    """The picture with rain on it, in the three intensities by turns."""
    return np.asarray(draw_rain(truth, seed=seed, key="speed", intensity=INTENSITIES[seed % 3]).rainy)


def batch(picture: Picture) -> Tensor:
    """Uint8 1 x 3 x H x W, without a copy."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None]


def package() -> dict[str, Score]:
    """scikit-image and the lpips package."""
    network = build_network()

    def lpips_alex(output: Picture, truth: Picture) -> float:
        with torch.no_grad():
            return float(network(batch(output) / 127.5 - 1, batch(truth) / 127.5 - 1))

    def ssim(output: Picture, truth: Picture) -> float:
        value = structural_similarity(
            truth,
            output,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            channel_axis=2,
        )
        return float(value)

    return {
        "psnr": lambda output, truth: float(peak_signal_noise_ratio(truth, output, data_range=255)),
        "ssim": ssim,
        "lpips": lpips_alex,
    }


def pyiqa_scores() -> tuple[dict[str, Score], str]:
    """pyiqa's metrics, LPIPS on the trunk that this package carries; or none of them, and why."""
    try:
        lpips_arch, psnr_arch, ssim_arch = (
            import_module(f"pyiqa.archs.{name}_arch") for name in ("lpips", "psnr", "ssim")
        )
    except ImportError as error:
        return {}, f"not compared: {error}"
    # pyiqa fetches its trunk even where it is told to draw it; built without, it takes the weights by the same keys.
    with patch.object(lpips_arch.models, "alexnet", lambda weights: alexnet()):
        network = lpips_arch.LPIPS(net="alex", pretrained=False)
    network.load_state_dict(build_network().state_dict(), strict=True)
    built = {"psnr": psnr_arch.PSNR(), "ssim": ssim_arch.SSIM(test_y_channel=False), "lpips": network}

    def score_by(metric: Callable[[Tensor, Tensor], Tensor]) -> Score:
        def score(output: Picture, truth: Picture) -> float:
            with torch.no_grad():
                return float(metric(batch(output) / 255, batch(truth) / 255))

        return score

    return {name: score_by(metric) for name, metric in built.items()}, ""


def ours_on(metrics: Sequence[Metric], groups: Sequence[tuple[Sequence[Picture], Picture]]) -> Values:
    """Our metrics on each truth and its outputs."""

    def work() -> list[float]:
        values = []
        for outputs, truth in groups:
            for metric in metrics:
                scores = metric.score_many([batch(output) for output in outputs], batch(truth), None)
                values += [float(score["image"]) for score in scores]
        return values

    return Values(work)


def others_on(scores: Sequence[Score], groups: Sequence[tuple[Sequence[Picture], Picture]]) -> Values:
    """The other metrics on the same, pair by pair, with the values in the order of :func:`ours_on`."""
    return Values(lambda: [score(output, truth) for outputs, truth in groups for score in scores for output in outputs])


def row(what: str, ours: Values, others: Values, pairs: int, repeats: int) -> dict[str, Any]:
    """Time the two in turns."""
    timings: Mapping[str, list[Timing]] = in_turns({"ours": ours, "others": others}, repeats)
    seconds = {name: statistics.median(each.wall for each in runs) / pairs for name, runs in timings.items()}
    difference = max(abs(a - b) for a, b in zip(ours.found, others.found, strict=True))
    return {
        "what": what,
        "ours s/pair": f"{seconds['ours']:.4f}",
        "other s/pair": f"{seconds['others']:.4f}",
        "ratio": spread(ratios(timings["others"], timings["ours"])),
        "ratio of CPU time": spread(ratios(timings["others"], timings["ours"], "cpu")),
        "largest difference": f"{difference:.1e}",
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photos", nargs="*", type=Path, help="clear photos (default: two random pictures)")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each after one to warm up (5)")
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch and OpenCV (2)")
    parser.add_argument("--out", type=Path, help="folder for metrics.json")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    metrics: dict[str, Metric] = {"psnr": PSNR("rgb"), "ssim": SSIM("rgb"), "lpips": LPIPS("alex")}
    for metric in metrics.values():
        metric.load(torch.device("cpu"))
    clear = truths(options.photos)
    distinct = [([rained(truth, seed)], truth) for seed, truth in enumerate(clear)]
    shared = [([rained(clear[0], seed) for seed in range(METHODS)], clear[0])]
    rows = []

    def compare(what: str, names: Sequence[str], others: Mapping[str, Score], groups: Any) -> None:
        ours, theirs = ours_on([metrics[name] for name in names], groups), others_on([others[n] for n in names], groups)
        rows.append(row(what, ours, theirs, sum(len(outputs) for outputs, _ in groups), options.repeats))

    other = package()
    for name, by in (("psnr", "scikit-image"), ("ssim", "scikit-image"), ("lpips", "lpips")):
        compare(f"{name} against {by}", [name], other, distinct)
    compare("all three against scikit-image and lpips, distinct pairs", list(other), other, distinct)
    compare(f"all three, {METHODS} outputs sharing a truth", list(other), other, shared)
    other, why_not = pyiqa_scores()
    if why_not:
        rows.append({"what": "pyiqa", "ratio": why_not})
    else:
        # Its SSIM, a float64 convolution of 11 x 11, takes many seconds a pair on a CPU: one pair, and not all three.
        for name in other:
            compare(f"{name} against pyiqa, one pair", [name], other, distinct[:1])
    print(f"{len(clear)} truths of {WIDTH}x{HEIGHT}, {options.threads} threads, load {os.getloadavg()[0]:.1f}\n")
    report("metrics", rows, options.out)


if __name__ == "__main__":
    main()
