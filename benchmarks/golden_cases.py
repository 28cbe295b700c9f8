"""How far restored pictures are from those of the official code, for checkpoints in the official layouts, as Markdown.

    python benchmarks/golden_cases.py METHODS

METHODS holds ``manifest.json``, ``inputs/`` and a folder a case, called after its method: checkpoint, the official
code's output of each input as float32 H x W x RGB before rounding (``NAME.npy``) and as its own 8-bit file
(``NAME_u8.png``). The 8-bit picture is made by the command ``derain``, the floats by the method in this process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from drivederain.implementation import load_implementation
from drivederain.registry import Registry
from drivederain.specs import MethodSpec
from drivederain.weights import read_weights

CLIPPED = ("derainnet",)
"""Their official graph ends with clipping."""
CONVERTED = {"derainnet": ("model.index", "derainnet_converted.pth")}
"""Files that hold the same weights in other layouts."""


def picture(path: Path) -> NDArray[np.uint8]:
    """H x W x RGB."""
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        raise SystemExit(f"{path} is missing or damaged")
    return np.ascontiguousarray(found[..., ::-1], dtype=np.uint8)


def floats(spec: MethodSpec, checkpoint: Path, rainy: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The method's output before it is rounded, H x W x RGB."""
    options = load_implementation(spec.options)() if spec.options else None
    method = load_implementation(spec.implementation)(options)
    method.load(read_weights(checkpoint), torch.device("cpu"))
    height, width = rainy.shape[:2]
    multiple, turned = spec.needs.multiple, spec.needs.channel_order == "BGR"
    tensor = torch.from_numpy(rainy).permute(2, 0, 1)[None].float() / 255
    tensor = torch.nn.functional.pad(tensor, (0, -width % multiple, 0, -height % multiple), mode="reflect")
    with torch.inference_mode():
        restored = method.restore(tensor.flip(1) if turned else tensor)
    restored = (restored.flip(1) if turned else restored)[0, :, :height, :width]
    out: NDArray[np.float32] = restored.permute(1, 2, 0).numpy()
    return out.clip(0, 1) if spec.name in CLIPPED else out


def derained(spec: MethodSpec, checkpoint: Path, rainy: Path, folder: Path) -> NDArray[np.uint8]:
    """What the command makes of a file."""
    out = folder / "out.png"
    command = [sys.executable, "-m", "drivederain.cli.main", "derain", str(rainy), str(out), "--method", spec.name]
    command += ["--weights", f"{spec.name}={checkpoint}", "--device", "cpu", "--overwrite"]
    subprocess.run(command, check=True, capture_output=True)
    return picture(out)


def cases(methods: Path) -> Iterator[tuple[str, MethodSpec, Path, list[str]]]:
    """Name, method, checkpoint, names of the inputs."""
    registry = Registry.discover()
    manifest: dict[str, Any] = json.loads((methods / "manifest.json").read_text(encoding="utf-8"))
    for name, about in manifest.items():
        if "checkpoint" not in about:  # the inputs
            continue
        spec = registry.method(name.partition("_")[0])
        for file in CONVERTED.get(spec.name, (about["checkpoint"],)):
            yield name, spec, methods / name / file, sorted(about["outputs"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", type=Path)
    methods: Path = parser.parse_args().methods
    print("| case | checkpoint | picture | largest difference | in 8-bit levels | values that differ by a level |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, spec, checkpoint, pictures in cases(methods):
            for each in pictures:
                rainy = methods / "inputs" / f"{each}.png"
                official = np.load(methods / name / f"{each}.npy", allow_pickle=False)
                difference = np.abs(floats(spec, checkpoint, picture(rainy)) - official).max()
                eight = derained(spec, checkpoint, rainy, Path(folder)).astype(int)
                levels = np.abs(eight - picture(methods / name / f"{each}_u8.png"))
                shown = f"{difference:.1e} | {levels.max()} | {100 * (levels > 0).mean():.3g} %"
                print(f"| {name} | `{checkpoint.name}` | {each} | {shown} |")


if __name__ == "__main__":
    main()
