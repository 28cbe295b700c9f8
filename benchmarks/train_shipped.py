"""Train the compact weights that ship with the built-in methods.

    python benchmarks/train_shipped.py unet PHOTOS --minutes 60 --out OUT
    python benchmarks/train_shipped.py restormer PHOTOS --minutes 60 --out OUT
    python benchmarks/train_shipped.py diffusion PHOTOS --minutes 30 --out OUT --behind OUT/unet.safetensors

PHOTOS is a folder of clear road photographs with MANIFEST.csv one level above; only rows whose ``redistribution`` is
``redistributable`` are used. To each photo, at three sizes, rain is drawn at light, medium and heavy with several
seeds; drawn scenes are added. The result is a safetensors file (float16) and a model card beside it, as JSON and as
Markdown (``score_shipped.py`` adds the scores). ``--precision bf16`` trains under autocast, which pays on CPUs with
bf16 instructions and on GPUs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from drivederain.data.sample import Sample
from drivederain.engine.device import DeviceRunner
from drivederain.implementation import load_implementation
from drivederain.method import Method
from drivederain.rain import GENERATOR_VERSION
from drivederain.registry import Registry
from drivederain.results.run_folder import write_atomically
from drivederain.scenes import SCENES_VERSION
from drivederain.specs import MethodSpec
from drivederain.training.batches import Estimate
from drivederain.training.fit import fit
from drivederain.training.progress import Budget
from drivederain.weights import read_about, read_weights, serialise, sha256_of
from model_card import write_card
from shipped_data import SCENE_SEED, in_words, redistributable, sources, training_samples

OPTIONS: dict[str, dict[str, Any]] = {
    "unet": {"encoder": "tu-resnet18", "depth": 4, "decoder_channels": (128, 64, 48, 24), "encoder_weights": "none"},
    "restormer": {},
    "diffusion": {},
}


def make_method(spec: MethodSpec, options: dict[str, Any]) -> Method:
    """The method with these options, not loaded yet."""
    method: Method = load_implementation(spec.implementation)(load_implementation(spec.options)(**options))
    return method


def loaded_runner(spec: MethodSpec, path: Path, device: torch.device) -> DeviceRunner:
    """The method with the weights of ``path``, run as the engine runs it."""
    weights = read_weights(path)
    method = make_method(spec, dict(weights.metadata["architecture"]))
    method.load(weights, device)
    return DeviceRunner(method, spec, device, precision="fp32", seed=0)


def estimates(runner: DeviceRunner) -> Estimate:
    """The frozen stage as a function of a sample; outputs are 8 bit, as the engine hands them over."""

    def estimate(sample: Sample) -> NDArray[np.uint8]:
        return runner.restore([sample.image], [sample.rainy.load()], None)[0].pixels

    return estimate


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", choices=sorted(OPTIONS))
    parser.add_argument("photos", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--behind", type=Path, help="weights of the unet that the refiner is trained behind")
    parser.add_argument("--resume", type=Path, help="weights to go on from")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scenes", type=int, default=240, help="drawn scenes beside the photographs")
    parser.add_argument(
        "--rains", type=int, default=3, help="times that rain is drawn a photograph, size and intensity"
    )
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=JSON")
    arguments = parser.parse_args()
    if (arguments.method == "diffusion") != (arguments.behind is not None):
        parser.error("--behind WEIGHTS is for diffusion, which needs it")
    return arguments


def command_of(arguments: argparse.Namespace) -> str:
    """The command as anybody would type it, without the folders of this machine."""
    words = [
        "python benchmarks/train_shipped.py",
        arguments.method,
        f"PHOTOS --minutes {arguments.minutes:g} --out OUT",
    ]
    words += [f"--behind OUT/{arguments.behind.name}"] if arguments.behind else []
    words += [f"--resume EARLIER/{arguments.resume.name}"] if arguments.resume else []
    words += [f"--precision {arguments.precision} --device {arguments.device} --seed {arguments.seed}"]
    words += [
        f"--scenes {arguments.scenes} --rains {arguments.rains}",
        *(f"--set {option}" for option in arguments.set),
    ]
    return " ".join(words)


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    registry, device = Registry.discover(), torch.device(arguments.device)
    spec = registry.method(arguments.method)
    typed = {name: json.loads(value) for name, value in (item.split("=", 1) for item in arguments.set)}
    method = make_method(spec, OPTIONS[spec.name] | typed)
    torch.manual_seed(arguments.seed)
    method.load(read_weights(arguments.resume) if arguments.resume else None, device)
    recipe = method.training()
    assert recipe is not None
    photos = redistributable(arguments.photos)
    samples = training_samples(photos, arguments.out / "pictures", arguments.scenes, arguments.rains)
    behind = loaded_runner(registry.method("unet"), arguments.behind, device) if arguments.behind else None
    last = [-1.0]

    def report(share: float, words: str) -> None:
        if share - last[0] > 0.01 or share >= 1:
            last[0] = share
            print(f"{share:6.1%} {words}", flush=True)

    record = fit(
        recipe,
        samples,
        budget=Budget(minutes=arguments.minutes),
        seed=arguments.seed,
        device=device,
        precision=arguments.precision,
        estimate=estimates(behind) if behind else None,
        report=report,
    )
    earlier = read_about(arguments.resume) if arguments.resume else {}
    about = {
        "method": spec.name,
        "architecture": {name: getattr(method.options, name) for name in method.architecture},
        "trained_on": in_words(photos, arguments.scenes),
        "budget": f"{earlier['budget']} + {record.budget}" if earlier else record.budget,
        "steps": record.steps + int(earlier.get("steps", 0)),
        "behind": "unet" if arguments.behind else "",
        "behind_sha256": sha256_of(arguments.behind) if arguments.behind else "",
        "licence": "Apache-2.0",
    }
    path = arguments.out / f"{spec.name}.safetensors"
    write_atomically(path, serialise(method.state(), about, half=True))
    card = about | {
        "training": vars(record),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper(),
        "parameters": method.facts()["parameters"],
        "rain_generator": GENERATOR_VERSION,
        "scenes": {"version": SCENES_VERSION, "seed": SCENE_SEED, "count": arguments.scenes},
        "data": sources(photos),
        "training_pictures": sorted(photo.content for photo in photos),
        "photos": [photo.path.name for photo in photos],
        "sha256": sha256_of(path),
        "command": command_of(arguments),
    }
    if arguments.resume:
        card["resumed_from"] = {
            "sha256": sha256_of(arguments.resume),
            "steps": earlier.get("steps", 0),
            "budget": earlier.get("budget", ""),
        }
    write_card(path, card)
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
