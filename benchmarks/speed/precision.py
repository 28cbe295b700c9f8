"""Which precision, memory format, batch and compiler pays for the shipped methods, and what it does to the numbers.

    python benchmarks/speed/precision.py PHOTO ... [--methods unet,restormer] [--size 640x360] [--repeats 3]

Rain is drawn on the photographs. Every setting goes through the engine's runner, in turns with fp32 at batch 1; a ratio
is the time of that over the time of the setting, of two runs next to each other: above 1 is faster. ``PSNR change`` is
PSNR against the clear photograph less that of fp32: mean (smallest-largest) over the photographs.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import torch
from measure import in_turns, ratios, report, spread
from subjects import Pair, Pixels, pairs, psnr, shipped_runner
from torch import nn

from drivederain.engine.device import DeviceRunner, choose_device


def estimates_of(method: str, shown: list[Pair], device: torch.device) -> list[Pixels] | None:
    """For the refiner, what the U-Net before it makes of the pictures."""
    if method != "diffusion":
        return None
    before = shipped_runner("unet", device)
    return [before.restore([pair.name], [pair.rainy], None)[0].pixels for pair in shown]


def restore_all(runner: DeviceRunner, shown: list[Pair], estimates: list[Pixels] | None, batch: int) -> list[Pixels]:
    """All pictures in groups of ``batch``."""
    outputs = []
    for first in range(0, len(shown), batch):
        some = shown[first : first + batch]
        rainy = [pair.rainy for pair in some]
        given = None if estimates is None else estimates[first : first + batch]
        outputs += [restored.pixels for restored in runner.restore([pair.name for pair in some], rainy, given)]
    return outputs


def compile_networks(runner: DeviceRunner) -> None:
    """Replace each network of the method by its compiled self."""
    for name, value in list(vars(runner.method).items()):
        if isinstance(value, nn.Module):
            setattr(runner.method, name, torch.compile(value))


def settings_of(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The settings by name; the first is what the others are compared with."""
    settings: dict[str, dict[str, Any]] = {"fp32": {}}
    if not arguments.only_batches:
        settings |= {
            "fp32, channels last": {"channels_last": True},
            "bf16": {"precision": "bf16"},
            "bf16, channels last": {"precision": "bf16", "channels_last": True},
        }
    settings |= {f"fp32, batch {batch}": {"batch": batch} for batch in arguments.batches if batch > 1}
    if arguments.compile:
        settings["fp32, torch.compile"] = {"compile": True}
    return settings


def measure_method(name: str, shown: list[Pair], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each setting."""
    device = choose_device(arguments.device)
    estimates = estimates_of(name, shown, device)
    runners, batches = {}, {}
    for setting, more in settings_of(arguments).items():
        batches[setting], compiled = more.pop("batch", 1), more.pop("compile", False)
        runners[setting] = shipped_runner(name, device, channels_last=more.pop("channels_last", False), **more)
        if compiled:
            compile_networks(runners[setting])
    outputs: dict[str, list[Pixels]] = {}

    def work(setting: str) -> None:
        outputs[setting] = restore_all(runners[setting], shown, estimates, batches[setting])

    timings = in_turns({setting: partial(work, setting) for setting in runners}, arguments.repeats)
    base = [psnr(output, pair.clear) for output, pair in zip(outputs["fp32"], shown, strict=True)]
    rows = []
    for setting, times in timings.items():
        change = [
            psnr(output, pair.clear) - before
            for output, pair, before in zip(outputs[setting], shown, base, strict=True)
        ]
        apart = [psnr(output, first) for output, first in zip(outputs[setting], outputs["fp32"], strict=True)]
        rows.append(
            {
                "method": name,
                "setting": setting,
                "images/s": spread([len(shown) / timing.wall for timing in times]),
                "speed-up": spread(ratios(timings["fp32"], times)),
                "speed-up in CPU time": spread(ratios(timings["fp32"], times, "cpu")),
                "PSNR change, dB": f"{sum(change) / len(change):+.4f} ({min(change):+.4f} to {max(change):+.4f})",
                "PSNR to fp32, smallest": "equal" if min(apart) == float("inf") else f"{min(apart):.1f}",
            }
        )
    return rows


def main() -> None:
    """Print and store a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--methods", default="unet,diffusion,restormer")
    parser.add_argument("--size", default="640x360", help="WIDTHxHEIGHT (640x360)")
    parser.add_argument("--batches", default="", help="batch sizes beside 1, such as 2,4,8 (none)")
    parser.add_argument("--only-batches", action="store_true", help="leave out bf16 and channels last")
    parser.add_argument("--compile", action="store_true", help="torch.compile too, which takes minutes")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of the CPU (1)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--name", default="precision", help="of the table in --out")
    parser.add_argument("--out", type=Path, help="folder for the table as JSON")
    arguments = parser.parse_args()
    arguments.batches = [int(batch) for batch in arguments.batches.split(",") if batch]
    torch.set_num_threads(arguments.threads)
    width, height = map(int, arguments.size.split("x"))
    shown = pairs(arguments.photos, width, height)
    rows = [row for name in arguments.methods.split(",") for row in measure_method(name, shown, arguments)]
    report(arguments.name, rows, arguments.out)


if __name__ == "__main__":
    main()
