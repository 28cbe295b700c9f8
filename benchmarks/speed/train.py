"""Images a second of training, against a plain PyTorch loop as the plan writes it: same network, batch and loss.

    python benchmarks/speed/train.py PHOTO ... [--steps 8] [--repeats 3] [--workers 0] [--encoder resnet34]

Pairs of 256 x 256 pixels (``--side``) are made of the photographs once. ``plain`` reads them with Pillow in a
``DataLoader``, flips them, and steps Adam on L1 + VGG + SSIM (``--losses``). ``ours`` is ``fit`` on the same pairs with
the same loss, with everything that it does at every step: seeds, running means, the watch over the loss, averaged
weights. Both are timed from the end of their first step to the end of their last, in turns; a ratio is the images a
second of a setting through those of the plain loop in the same round: above 1 is faster. ``waiting`` is the share of
the time in which no crops were ready.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import segmentation_models_pytorch as smp
import torch
from measure import report, spread
from numpy.typing import NDArray
from PIL import Image
from pytorch_msssim import ssim
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from drivederain.data.drawn_rain import RainDrawing, RainPicture
from drivederain.data.pictures import FilePicture
from drivederain.data.sample import Sample
from drivederain.engine.device import choose_device
from drivederain.training.data import TrainingData
from drivederain.training.devices import Devices
from drivederain.training.fit import fit
from drivederain.training.hyperparameters import Hyperparameters
from drivederain.training.losses.perceptual import PerceptualLoss
from drivederain.training.module import RestorationModule
from drivederain.training.progress import Budget
from drivederain.training.recipe import Recipe
from drivederain.weights import sha256_of

RATE = 1e-4
Pixels = NDArray[np.uint8]


class PlainPairs(Dataset[tuple[Tensor, Tensor]]):
    """Rainy and clear PNG files, flipped half of the time."""

    def __init__(self, folder: Path) -> None:
        self.names = sorted(path.name for path in (folder / "rainy").iterdir())
        self.folder = folder

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        flip = torch.rand(()).item() < 0.5
        pictures = []
        for kind in ("rainy", "clear"):
            picture = Image.open(self.folder / kind / self.names[index]).convert("RGB")
            pixels = np.asarray(picture)[:, ::-1] if flip else np.asarray(picture)
            pictures.append(torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255)
        return pictures[0], pictures[1]


def endless(loader: DataLoader[Any]) -> Iterator[Any]:
    while True:
        yield from loader


def plain(network: nn.Module, folder: Path, device: torch.device, arguments: argparse.Namespace) -> dict[str, float]:
    """Images a second, and the share of the time spent waiting, of the plain loop."""
    weights = Hyperparameters(losses=arguments.losses).losses
    vgg = PerceptualLoss().to(device) if weights.get("vgg") else None
    network = network.to(device).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    loader = DataLoader(
        PlainPairs(folder),
        batch_size=arguments.batch,
        shuffle=True,
        num_workers=arguments.workers,
        pin_memory=device.type == "cuda",
        drop_last=True,
        persistent_workers=arguments.workers > 0,
    )
    batches, waited, begun = endless(loader), 0.0, 0.0
    for step in range(arguments.steps + 1):
        asked = time.perf_counter()
        rainy, clear = (tensor.to(device, non_blocking=True) for tensor in next(batches))
        waited += time.perf_counter() - asked if step else 0.0
        optimizer.zero_grad()
        output = network(rainy)
        loss = weights["l1"] * (output - clear).abs().mean()
        if vgg is not None:
            loss = loss + weights["vgg"] * vgg(output, clear)
        if weights.get("ssim"):
            loss = loss + weights["ssim"] * (1 - ssim(output.clamp(0, 1), clear, data_range=1.0))
        loss.backward()
        optimizer.step()
        loss.item()
        if step == 0:
            begun = time.perf_counter()
    seconds = time.perf_counter() - begun
    return {"images": arguments.steps * arguments.batch / seconds, "waiting": waited / seconds}


class TimedModule(RestorationModule):
    """Notes when its first and its last step ended."""

    ends: list[float]

    def on_train_batch_end(self, *arguments: object) -> None:
        self.ends.append(time.perf_counter())


def ours(
    network: nn.Module,
    samples: list[Sample],
    device: torch.device,
    arguments: argparse.Namespace,
    *,
    precision: str = "fp32",
    **more: Any,
) -> dict[str, float]:
    """The same of ``fit``."""
    module = TimedModule(network)
    module.ends = []
    hyperparameters = Hyperparameters(
        crop=arguments.side,
        batch_size=arguments.batch,
        losses=arguments.losses,
        optimizer="adam",
        learning_rate=RATE,
        weight_decay=0.0,
        jitter=0.0,
        schedule="constant",
        warm_up=0.0,
        gradient_clip=None,
        epoch_steps=arguments.steps + 1,
        **more,
    )
    record = fit(
        Recipe(module, hyperparameters),
        TrainingData.of(samples),
        budget=Budget(steps=arguments.steps + 1),
        seed=0,
        devices=Devices(device, precision, workers=arguments.workers),  # type: ignore[arg-type]
    )
    seconds = module.ends[-1] - module.ends[0]
    return {"images": arguments.steps * arguments.batch / seconds, "waiting": record.history[-1].waiting}


def make_pairs(photos: list[Path], side: int, folder: Path) -> tuple[list[Sample], list[Sample]]:
    """Samples whose rain is there, as PNG files too, and the same with rain that is drawn anew each time."""
    kept, fresh = [], []
    for kind in ("rainy", "clear"):
        (folder / kind).mkdir()
    for number, photo in enumerate(photos):
        square = folder / f"square_{number:03d}.png"
        picture = Image.open(photo).convert("RGB")
        least = min(picture.size)
        left, top = (picture.width - least) // 2, (picture.height - least) // 2
        picture.crop((left, top, left + least, top + least)).resize((side, side), Image.Resampling.BOX).save(square)
        clear = FilePicture(square, sha256_of(square))
        drawn = RainPicture(RainDrawing(clear, 0, f"photo_{number}", "medium", folder / "cache"))
        name = f"pair_{number:03d}.png"
        Image.fromarray(drawn.load()).save(folder / "rainy" / name)
        Image.fromarray(clear.load()).save(folder / "clear" / name)
        files = [FilePicture(path, sha256_of(path)) for path in (folder / "rainy" / name, folder / "clear" / name)]
        about = ("speed", "train", name, name)
        kept.append(Sample(*about, files[0], files[1], None, "medium", "recorded"))  # type: ignore[arg-type]
        fresh.append(Sample(*about, drawn, clear, None, "medium", "recorded"))  # type: ignore[arg-type]
    return kept, fresh


def measure(arguments: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """A row for each setting."""
    device = choose_device(arguments.device)
    kept, fresh = make_pairs(arguments.photos, arguments.side, folder)

    def network() -> nn.Module:
        torch.manual_seed(0)
        made: nn.Module = smp.Unet(arguments.encoder, encoder_weights=None, in_channels=3, classes=3)
        return made

    settings: dict[str, Callable[[], dict[str, float]]] = {
        "plain": lambda: plain(network(), folder, device, arguments),
        "ours": lambda: ours(network(), kept, device, arguments),
        "ours, rain drawn anew": lambda: ours(network(), fresh, device, arguments),
        "ours, channels last": lambda: ours(network(), kept, device, arguments, channels_last=True),
        "ours, bf16": lambda: ours(network(), kept, device, arguments, precision="bf16"),
        "ours, bf16, channels last": lambda: ours(
            network(), kept, device, arguments, precision="bf16", channels_last=True
        ),
    }
    if arguments.compile:
        settings["ours, torch.compile"] = lambda: ours(network(), kept, device, arguments, compile=True)
    if arguments.only:
        settings = {name: work for name, work in settings.items() if name in ("plain", *arguments.only)}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in settings}
    for work in settings.values():
        work()
    for _ in range(arguments.repeats):
        for name, work in settings.items():
            found[name].append(work())
    return [
        {
            "setting": name,
            "images/s": spread([row["images"] for row in rows]),
            "to plain": spread(
                [row["images"] / base["images"] for row, base in zip(rows, found["plain"], strict=True)]
            ),
            "waiting": f"{100 * sum(row['waiting'] for row in rows) / len(rows):.1f} %",
        }
        for name, rows in found.items()
    ]


def main() -> None:
    """Print and store a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--encoder", default="resnet34")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int, default=256, help="pixels")
    parser.add_argument("--losses", default="l1:1,vgg:0.1,ssim:0.1", help="of l1, vgg and ssim")
    parser.add_argument("--steps", type=int, default=8, help="timed steps of each run")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--compile", action="store_true", help="torch.compile too, which takes minutes")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="SETTING", help="beside the plain loop; all by default"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--name", default="train", help="of the table in --out")
    parser.add_argument("--out", type=Path, help="folder for the table as JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(arguments, Path(folder))
    report(arguments.name, rows, arguments.out)


if __name__ == "__main__":
    main()
