"""Restormer in the official configuration: the engine's runner against the plain fp32 call on the same weights.

    python benchmarks/speed/restormer.py PHOTO ... [--weights deraining.pth] [--sizes 256x256,640x360] [--repeats 3]

Plain is ``network(x)`` in fp32 and inference mode, on a tensor that lies ready. The runner's settings do the same work
and also pad, copy, check, quantise and hand back pixels; they run in turns with the plain call, and the speed-up is
made of two runs next to each other. On a CPU that others use too, that of CPU time is the surer one. Without
``--weights`` they are random (seeded): speed is the same, and how far bf16 is from fp32 can be seen, but the pictures
are not restored.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from measure import in_turns, ratios, report, spread
from subjects import Pair, Pixels, pairs, psnr

from drivederain.engine.device import DeviceRunner, choose_device
from drivederain.engine.networks import parameters
from drivederain.engine.options import method_options
from drivederain.engine.stages import make_method
from drivederain.registry import Registry
from drivederain.weights import read_weights

OFFICIAL = {"dim": "48", "blocks": "[4, 6, 6, 8]", "refinement": "4", "heads": "[1, 2, 4, 8]", "ffn": "2.66"}
SETTINGS = {
    "runner, fp32": ("fp32", False),
    "runner, fp32, channels last": ("fp32", True),
    "runner, bf16": ("bf16", False),
    "runner, bf16, channels last": ("bf16", True),
}


def make_runner(precision: str, channels_last: bool, arguments: argparse.Namespace) -> DeviceRunner:
    """The official network; with the same seed always the same random weights."""
    spec = Registry.discover().method("restormer")
    spec = replace(spec, needs=replace(spec.needs, channels_last=channels_last, tile=None))
    method = make_method(spec, method_options(spec, OFFICIAL), may_download=False)
    device = choose_device(arguments.device)
    torch.manual_seed(0)
    method.load(read_weights(arguments.weights) if arguments.weights else None, device)
    if not arguments.weights:
        output = method.networks()[0].output  # a new network's is zero, which would make all outputs the input
        torch.nn.init.normal_(output.weight, std=0.02)
    return DeviceRunner(method, spec, device, precision=precision, seed=0)


def measure_size(size: str, runners: dict[str, DeviceRunner], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for the plain call and for each setting."""
    width, height = map(int, size.split("x"))
    shown = pairs(arguments.photos, width, height)
    plain = make_runner("fp32", False, arguments)
    tensors = [plain.stage([pair.rainy], None).inputs[0].to(plain.device).float() / 255 for pair in shown]
    outputs: dict[str, list[Pixels]] = {}

    def call() -> None:
        with torch.inference_mode():
            for tensor in tensors:
                plain.method.restore(tensor)
        if plain.device.type == "cuda":
            torch.cuda.synchronize(plain.device)

    def run(name: str, runner: DeviceRunner) -> Callable[[], None]:
        def work() -> None:
            outputs[name] = [runner.restore([pair.name], [pair.rainy], None)[0].pixels for pair in shown]

        return work

    works = {"plain network(x), fp32": call} | {name: run(name, runner) for name, runner in runners.items()}
    timings = in_turns(works, arguments.repeats)
    rows = []
    for name, times in timings.items():
        row = {"size": size, "setting": name, "images/s": spread([len(shown) / each.wall for each in times], 3)}
        row["speed-up"] = spread(ratios(timings["plain network(x), fp32"], times))
        if arguments.device == "cpu":
            row["speed-up in CPU time"] = spread(ratios(timings["plain network(x), fp32"], times, "cpu"))
        rows.append(row | (differences(outputs[name], outputs["runner, fp32"], shown) if name in outputs else {}))
    return rows


def differences(outputs: list[Pixels], fp32: list[Pixels], shown: list[Pair]) -> dict[str, str]:
    """PSNR to the runner's fp32 output, and of the change of PSNR to the clear photograph the largest."""
    apart = [psnr(output, first) for output, first in zip(outputs, fp32, strict=True)]
    change = [
        psnr(output, pair.clear) - psnr(first, pair.clear)
        for output, first, pair in zip(outputs, fp32, shown, strict=True)
    ]
    return {
        "PSNR to fp32, dB": "equal" if min(apart) == float("inf") else f"{min(apart):.1f}",
        "PSNR change to truth, dB": f"{max(change, key=abs):+.4f}",
    }


def main() -> None:
    """Print and store a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--weights", type=Path, help="the official deraining checkpoint (default: random weights)")
    parser.add_argument("--sizes", default="256x256,640x360", help="WIDTHxHEIGHT,...")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (1)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--name", default="restormer", help="of the table in --out")
    parser.add_argument("--out", type=Path, help="folder for the table as JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    runners = {name: make_runner(*setting, arguments) for name, setting in SETTINGS.items()}
    rows = [row for size in arguments.sizes.split(",") for row in measure_size(size, runners, arguments)]
    operations = runners["runner, fp32"].flops
    counted = ", ".join(f"{count / 1e9:.1f} GFLOPs at {size}" for size, count in operations.items())
    print(f"{parameters(runners['runner, fp32'].method):,} parameters, {counted}")
    report(arguments.name, rows, arguments.out)


if __name__ == "__main__":
    main()
