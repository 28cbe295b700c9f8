"""Score shipped weights on photographs and write the figures into their model card.

    python benchmarks/score_shipped.py OUT/unet.safetensors kitti=PHOTOS/kitti_* --size 512
    python benchmarks/score_shipped.py OUT/diffusion.safetensors kitti=PHOTOS/kitti_* --behind OUT/unet.safetensors

``--earlier WEIGHTS`` (for a refiner with ``--earlier-behind``) scores the weights that these replace beside them. Quote
the patterns if the shell would expand them. Rain is drawn at light, medium and heavy with ``--seed``, under the photo's
name without suffix, so it is the rain of ``drivederain-bench run --data synthetic:PHOTOS``.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from drivederain.data.content import content_of
from drivederain.data.drawn_rain import RainDrawing, RainPicture
from drivederain.data.pictures import FilePicture
from drivederain.engine.device import DeviceRunner
from drivederain.engine.stages import make_method
from drivederain.implementation import load_implementation
from drivederain.metrics.fidelity import PSNR
from drivederain.metrics.metric import Metric
from drivederain.metrics.perceptual import LPIPS
from drivederain.metrics.structural import SSIM
from drivederain.rain import GENERATOR_VERSION
from drivederain.registry import Registry
from drivederain.specs import INTENSITIES, MethodSpec
from drivederain.weights import read_about, read_weights, sha256_of
from model_card import METRICS, read_card, write_card

Pixels = NDArray[np.uint8]


def loaded_runner(spec: MethodSpec, path: Path, device: torch.device) -> DeviceRunner:
    """The method with the weights of ``path``, run as the engine runs it."""
    weights = read_weights(path)
    options = load_implementation(spec.options)(**dict(weights.metadata["architecture"]))
    method = make_method(spec, options, may_download=False)
    method.load(weights, device)
    return DeviceRunner(method, spec, device, precision="fp32", seed=0)


def make_metrics(device: torch.device) -> dict[str, Metric]:
    metrics: dict[str, Metric] = {"psnr[rgb]": PSNR("rgb"), "ssim[rgb]": SSIM("rgb"), "lpips[alex]": LPIPS("alex")}
    for metric in metrics.values():
        metric.load(device)
    return metrics


def scores_of(output: Pixels, truth: Pixels, metrics: dict[str, Metric], device: torch.device) -> dict[str, float]:
    """Each metric of one picture."""
    tensors = [torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].to(device) for picture in (output, truth)]
    return {name: float(metric.score(tensors[0], tensors[1], None)["image"]) for name, metric in metrics.items()}


def score_group(
    photos: list[Path], chains: dict[str, list[DeviceRunner]], device: torch.device, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Mean scores of the rainy pictures and of what each chain makes of them, by intensity."""
    metrics = make_metrics(device)
    intensities: dict[str, dict[str, dict[str, float]]] = {}
    for intensity in INTENSITIES:
        rows: dict[str, list[dict[str, float]]] = {"rainy": [], **{name: [] for name in chains}}
        for path in photos:
            clear = FilePicture(path, hashlib.sha256(path.read_bytes()).hexdigest(), arguments.size)
            drawing = RainDrawing(clear, arguments.seed, path.stem, intensity, arguments.cache)
            rainy, truth = RainPicture(drawing).load(), clear.load()
            rows["rainy"].append(scores_of(rainy, truth, metrics, device))
            for name, runners in chains.items():
                restored: list[Pixels] | None = None
                for runner in runners:
                    restored = [runner.restore([path.stem], [rainy], restored)[0].pixels]
                assert restored is not None
                rows[name].append(scores_of(restored[0], truth, metrics, device))
        intensities[intensity] = {
            kind: {name: round(fmean(row[name] for row in found), 5) for name, _, _ in METRICS}
            for kind, found in rows.items()
        }
        print(intensity, intensities[intensity], flush=True)
    size = "native size" if arguments.size is None else f"shorter side {arguments.size}"
    return {
        "photographs": len(photos),
        "protocol": f"{size}, rain {GENERATOR_VERSION}, seed {arguments.seed}, fp32, means over photographs",
        "intensities": intensities,
    }


def loaded_chain(path: Path, behind: Path | None, registry: Registry, device: torch.device) -> list[DeviceRunner]:
    """The method of a weights file, after the stage that it refines."""
    spec = registry.method(str(read_about(path)["method"]))
    if (spec.kind == "refiner") != (behind is not None):
        raise SystemExit(f"{path}: weights of the stage before are for a refiner, which needs them")
    before = [loaded_runner(registry.method("unet"), behind, device)] if behind else []
    return [*before, loaded_runner(spec, path, device)]


def seen_in_training(photos: list[Path], card: dict[str, Any]) -> list[str]:
    """Names of the photos whose content the card lists as trained on."""
    known = set(card["training_pictures"])
    return [
        path.name
        for path in photos
        if content_of(FilePicture(path, hashlib.sha256(path.read_bytes()).hexdigest()).load()).sha256 in known
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="NAME.safetensors with its card beside it")
    parser.add_argument("groups", nargs="+", metavar="NAME=GLOB", help="photographs, by a pattern of their file names")
    parser.add_argument("--behind", type=Path, help="weights of the unet before a refiner")
    parser.add_argument("--earlier", type=Path, help="weights that these replace")
    parser.add_argument("--earlier-behind", type=Path, help="weights of the unet before --earlier")
    parser.add_argument("--size", type=int, help="shorter side; native by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, required=True, help="folder for drawn rain")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    registry, device = Registry.discover(), torch.device(arguments.device)
    chains = {"restored": loaded_chain(arguments.weights, arguments.behind, registry, device)}
    if arguments.earlier:
        chains["earlier"] = loaded_chain(arguments.earlier, arguments.earlier_behind, registry, device)
    card = read_card(arguments.weights)
    if card["sha256"] != sha256_of(arguments.weights):
        parser.error(f"{arguments.weights} is not the file that its card describes")
    for group in arguments.groups:
        name, _, pattern = group.partition("=")
        folder = Path(pattern).parent
        photos = sorted(folder.glob(Path(pattern).name))
        if not name or not photos:
            parser.error(f"{group}: write NAME=GLOB with a pattern that fits some files")
        if seen := seen_in_training(photos, card):
            parser.error(f"{group}: trained on, so no score of it means anything: {', '.join(seen)}")
        card["scores"] = card.get("scores", {}) | {name: score_group(photos, chains, device, arguments)}
        if arguments.earlier:
            card["earlier_sha256"] = sha256_of(arguments.earlier)
        write_card(arguments.weights, card)


if __name__ == "__main__":
    main()
