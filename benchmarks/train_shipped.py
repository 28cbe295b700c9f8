"""Train the compact weights that ship with the built-in methods.

    python benchmarks/train_shipped.py unet PHOTOS --minutes 60 --out /tmp/shipped
    python benchmarks/train_shipped.py restormer PHOTOS --minutes 60 --out /tmp/shipped
    python benchmarks/train_shipped.py diffusion PHOTOS --minutes 30 --out /tmp/shipped --behind /tmp/shipped/unet.safetensors

PHOTOS is a folder of clear road photographs with MANIFEST.csv one level above; only rows whose ``redistribution`` is
``redistributable`` are used. To each photo, at three sizes, rain is drawn at light, medium and heavy with several seeds;
drawn scenes are added. The result is a safetensors file (float16) and a model card beside it. ``--precision bf16`` trains
under autocast, which pays on CPUs with bf16 instructions and on GPUs.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from drivederain.data.sample import Sample
from drivederain.rain import GENERATOR_VERSION, draw_rain
from drivederain.registry import Registry, load_implementation
from drivederain.results.run_folder import write_atomically
from drivederain.specs import INTENSITIES, Intensity, MethodSpec
from drivederain.training.fit import fit
from drivederain.training.progress import Budget
from drivederain.weights import read_weights, serialise

SIZES = (360, 480, 640)
"""Shorter sides, so that drops of all sizes in pixels are seen."""
SEEDS = 3
SCENE_SEED = 7919
"""Another than the embedded default's, whose scenes are for testing."""
TRAINED_ON = "40 redistributable road photographs (Lund BSD-2, TuSimple Apache-2.0, Udacity MIT) and 240 drawn scenes, drawn rain"

OPTIONS: dict[str, dict[str, Any]] = {
    "unet": {"encoder": "tu-resnet18", "depth": 4, "decoder_channels": (128, 64, 48, 24), "encoder_weights": "none"},
    "restormer": {},
    "diffusion": {},
}


@dataclass(frozen=True)
class Kept:
    """A picture kept as PNG in a folder, drawn when it is first asked for."""

    fingerprint: str
    folder: Path
    clear: Kept | None = None
    source: Path | tuple[int, int] | None = None
    size: int = 0
    intensity: Intensity | None = None
    seed: int = 0
    name: str = ""

    def load(self) -> NDArray[np.uint8]:
        path = self.folder / f"{self.fingerprint}.png"
        if not path.is_file():
            encoded = cv2.imencode(".png", cv2.cvtColor(self._draw(), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
            write_atomically(path, encoded.tobytes())
        return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)

    def _draw(self) -> NDArray[np.uint8]:
        if self.clear is not None and self.intensity is not None:
            return draw_rain(self.clear.load(), seed=self.seed, key=self.name, intensity=self.intensity).rainy
        if isinstance(self.source, tuple):
            from drivederain.scenes import draw_scene

            return draw_scene(seed=SCENE_SEED, index=self.source[0], height=self.source[1], width=self.source[1] * 16 // 9).image
        photo = read_photo(self.source)
        scale = self.size / min(photo.shape[:2])
        size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
        return cv2.resize(photo, size, interpolation=cv2.INTER_AREA) if scale < 1 else photo


def read_photo(path: Path | None) -> NDArray[np.uint8]:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def content(pixels: NDArray[np.uint8]) -> str:
    """SHA-256 of shape and RGB bytes, as samples carry it."""
    return hashlib.sha256(np.array(pixels.shape, dtype="<i8").tobytes() + np.ascontiguousarray(pixels).tobytes()).hexdigest()


def name_of(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:32]


def training_samples(photos: list[Path], folder: Path, scenes: int, scenes_version: str) -> list[Sample]:
    """Every photo at each size and intensity with several seeds, and drawn scenes at one random intensity each."""
    clear: list[tuple[str, Kept, range, tuple[Intensity, ...]]] = []
    for path in photos:
        for size in SIZES:
            kept = Kept(name_of(path.name, size), folder, source=path, size=size)
            clear.append((path.stem, kept, range(SIZES.index(size), SEEDS + SIZES.index(size)), INTENSITIES))
    for index in range(scenes):
        height = SIZES[index % len(SIZES)]
        kept = Kept(name_of("scene", scenes_version, index, height), folder, source=(index, height))
        clear.append((f"scene_{index:03d}", kept, range(1), (INTENSITIES[index // 3 % 3],)))
    samples = []
    for stem, kept, seeds, intensities in clear:
        for seed in seeds:
            for intensity in intensities:
                key = name_of("rain", GENERATOR_VERSION, kept.fingerprint, seed, intensity)
                rainy = Kept(key, folder, clear=kept, intensity=intensity, seed=seed, name=f"{stem}/{kept.size}/{seed}")
                samples.append(
                    Sample("shipped", "train", key, stem, rainy, kept, None, intensity, "recorded", source_file=stem)
                )
    return samples


def redistributable(folder: Path) -> list[Path]:
    with (folder.parent / "MANIFEST.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["redistribution"] == "redistributable"]
    return [folder.parent / row["file"] for row in rows if row["category"] == "clear_road"]


def make_method(spec: MethodSpec, options: dict[str, Any]) -> Any:
    return load_implementation(spec.implementation)(load_implementation(spec.options)(**options))


def estimator(registry: Registry, path: Path, device: torch.device) -> Any:
    """The frozen U-Net as a function of a sample; outputs are 8 bit, as the engine would hand them over."""
    weights = read_weights(path)
    stage = make_method(registry.method("unet"), weights.metadata["architecture"])
    stage.load(weights, device)

    @torch.inference_mode()
    def estimate(sample: Sample) -> NDArray[np.uint8]:
        pixels = sample.rainy.load()
        tensor = torch.from_numpy(pixels).to(device).permute(2, 0, 1)[None].float() / 255
        below, right = -pixels.shape[0] % 32, -pixels.shape[1] % 32
        padded = torch.nn.functional.pad(tensor, (0, right, 0, below), mode="reflect")
        output = stage.restore(padded)[:, :, : pixels.shape[0], : pixels.shape[1]]
        return (output.clamp(0, 1) * 255).round().byte()[0].permute(1, 2, 0).cpu().numpy()

    return estimate


def main() -> None:
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
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    registry, device = Registry.discover(), torch.device(arguments.device)
    spec = registry.method(arguments.method)
    options = OPTIONS[spec.name] | {name: json.loads(value) for name, value in (item.split("=", 1) for item in arguments.set)}
    method = make_method(spec, options)
    method.load(read_weights(arguments.resume) if arguments.resume else None, device)
    photos = redistributable(arguments.photos)
    scenes_version = ""
    if arguments.scenes:
        from drivederain.scenes import SCENES_VERSION as scenes_version
    samples = training_samples(photos, arguments.out / "pictures", arguments.scenes, scenes_version)
    (arguments.out / "pictures").mkdir(parents=True, exist_ok=True)
    estimate = estimator(registry, arguments.behind, device) if arguments.behind else None
    last = [-1.0]

    def report(share: float, words: str) -> None:
        if share - last[0] > 0.01 or share >= 1:
            last[0] = share
            print(f"{share:6.1%} {words}", flush=True)

    record = fit(
        method.training(), samples, budget=Budget(minutes=arguments.minutes), seed=arguments.seed, device=device,
        precision=arguments.precision, estimate=estimate, report=report,
    )  # fmt: skip
    architecture = {name: getattr(method.options, name) for name in method.architecture}
    about = {
        "method": spec.name, "architecture": architecture, "trained_on": TRAINED_ON, "budget": record.budget,
        "steps": record.steps, "behind": "unet" if arguments.behind else "", "licence": "Apache-2.0",
    }  # fmt: skip
    path = arguments.out / f"{spec.name}.safetensors"
    write_atomically(path, serialise(method.state(), about, half=True))
    card = about | {
        "training": vars(record),
        "torch": torch.__version__,
        "device": str(device),
        "rain_generator": GENERATOR_VERSION,
        "scenes": {"version": scenes_version, "seed": SCENE_SEED, "count": arguments.scenes},
        "training_pictures": sorted(content(read_photo(path)) for path in photos),
        "photos": [path.name for path in photos],
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    if arguments.resume:
        card["resumed_from"] = hashlib.sha256(arguments.resume.read_bytes()).hexdigest()
    write_atomically(path.with_suffix(".json"), (json.dumps(card, indent=1, sort_keys=True) + "\n").encode())
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
