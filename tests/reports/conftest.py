"""A finished run as the engine leaves it, with pictures drawn here and scores that say what the tests ask about."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drivederain.results.run_folder import RunFolder
from drivederain.results.schema import SCHEMA_VERSION, Row
from drivederain.results.store import write_results, write_timings

METHODS = ("identity", "unet", "unet+diffusion", "restormer")
METRICS = (
    ("psnr", "rgb", "higher", "dB", 2),
    ("ssim", "rgb", "higher", "", 4),
    ("mse", "rgb", "lower", "", 1),
    ("psnr_y", "mprnet", "higher", "dB", 2),
    ("lpips", "alex", "lower", "", 4),
)
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\n\u202efdp'
BASE = {"light": 27.0, "medium": 23.0, "heavy": 19.0}
GAIN = {"identity": 0.0, "unet": 4.0, "unet+diffusion": 4.1, "restormer": 2.0}

Pictures = dict[str, NDArray[np.uint8]]


def drawn(name: str, intensity: str, height: int = 48, width: int = 80) -> Pictures:
    """A road under a sky with soft round drops on it: clear, rainy, mask and one picture a method, H x W (x 3 BGR)."""
    noise = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    rows = np.linspace(0, 1, height)[:, None, None]
    clear = np.broadcast_to(np.where(rows < 0.5, [210, 180, 150], [90, 90, 95]), (height, width, 3)).astype(np.float64)
    clear = clear + 20 * noise.random((height, width, 1))
    mask = np.zeros((height, width), np.uint8)
    for _ in range({"light": 4, "medium": 10, "heavy": 24}[intensity]):
        centre = (int(noise.random() * width), int(noise.random() * height))
        cv2.circle(mask, centre, int(2 + 4 * noise.random()), 255, -1, cv2.LINE_AA)
    soft = (cv2.GaussianBlur(mask, (0, 0), 1.0) / 255.0)[..., None]
    rainy = clear * (1 - soft) + 235 * soft
    pictures = {"clear": clear, "rainy": rainy}
    for method in METHODS[1:]:
        pictures[method] = rainy + (clear - rainy) * GAIN[method] / 5
    return {"mask": mask, **{key: np.clip(np.round(value), 0, 255).astype(np.uint8) for key, value in pictures.items()}}


@dataclass
class FakeRun:
    """What ``build`` makes; tests change it before."""

    scenes: int = 8
    methods: tuple[str, ...] = METHODS
    draw: Callable[[str, str], Pictures] = drawn
    failing: tuple[str, ...] = ("restormer@heavy",)
    """``method@intensity``, or a method, whose rows fail."""
    smaller: dict[str, str] = field(default_factory=dict)
    """What memory made smaller for images of unet."""
    samples: dict[str, int] = field(default_factory=dict)
    """Methods with more than one sample, whose later ones score 0.1 dB more each."""
    classes: dict[str, str] = field(default_factory=dict)
    """Classes of the weights of methods that are not shipped."""
    reason: str = HOSTILE
    images: bool = True
    with_second: bool = True
    with_real: bool = True
    gain: dict[str, float] = field(default_factory=dict)
    """By method, dB over the rainy input, where it is not that of ``GAIN``."""
    about: dict[str, Any] = field(default_factory=dict)
    """Replaces keys of ``run.json``."""

    def build(self, path: Path) -> RunFolder:
        run = RunFolder(path)
        rows = self._scored(run, "synthetic:photos", [f"street {n:02d}" for n in range(self.scenes)], "recorded")
        if self.with_second:
            rows += self._scored(run, f"paired:{HOSTILE}", [f"pair{n}" for n in range(4)], "pair")
        if self.with_real:
            rows += self._unscored(run, "v40-real", [f"real{n}" for n in range(6)])
        path.mkdir(parents=True, exist_ok=True)
        write_results(run.results_parquet, rows)
        write_timings(run.timings_parquet, [self._timing(run.name, method) for method in self.methods[1:]])
        run.run_json.write_text(json.dumps({**self._about(run.name), **self.about}), encoding="utf-8")
        return run

    def _row(
        self, run: RunFolder, dataset: str, scene: str, intensity: str, source: str, method: str, **changes: Any
    ) -> Row:
        given: dict[str, Any] = {
            "run": run.name,
            "method": method,
            "key": f"{zlib.crc32(method.encode()):08x}",
            "dataset": dataset,
            "split": "all",
            "image": f"{scene}@{intensity}",
            "scene": scene,
            "intensity": intensity,
            "intensity_source": source,
            "borderline": scene.endswith("3"),
            "region": "image",
            "metric": "psnr",
            "variant": "rgb",
            "value": None,
            "status": "ok",
            "reason": "",
            "stage": method.split("+")[-1],
            "sample": 0,
            "size": "native",
            "weights_class": self.classes.get(method, "none" if method == "identity" else "shipped"),
            "budget": "",
            "seen": method == "unet" and scene.endswith("1") and source == "recorded",
            "precision": "fp32",
            "stepped_down": self.smaller.get(f"{scene}@{intensity}", "") if method == "unet" else "",
            **changes,
        }
        return Row(**given)

    def _fails(self, method: str, intensity: str) -> bool:
        return method in self.failing or f"{method}@{intensity}" in self.failing

    def _scored(self, run: RunFolder, dataset: str, scenes: list[str], source: str) -> list[Row]:
        rows = []
        for scene in scenes:
            of_scene = np.random.Generator(np.random.PCG64(zlib.crc32(scene.encode()))).random(2)
            for intensity in BASE:
                self._store(run, dataset, f"{scene}@{intensity}", intensity, truth=True)
                for method in self.methods:
                    at = (run, dataset, scene, intensity, source, method)
                    wiggle = np.random.Generator(
                        np.random.PCG64(zlib.crc32(f"{scene}{intensity}{method}".encode()))
                    ).random()
                    psnr = (
                        BASE[intensity]
                        + 6 * of_scene[0]
                        + self.gain.get(method, GAIN.get(method, 1.0)) * (0.7 + of_scene[1])
                        + wiggle
                        - 0.5
                    )
                    for region in ("image", "drops", "background"):
                        shift = {"image": 0.0, "drops": -5.0, "background": 6.0}[region]
                        for metric, variant, *_ in METRICS:
                            if region != "image" and metric not in ("psnr", "ssim", "lpips"):
                                continue
                            score = {"region": region, "metric": metric, "variant": variant}
                            if self._fails(method, intensity):
                                rows.append(self._row(*at, **score, status="failed", reason=self.reason))
                            elif region == "drops" and intensity == "light" and scene.endswith("2"):
                                rows.append(self._row(*at, **score, status="skipped", reason="the drop mask is empty"))
                            else:
                                for sample in range(self.samples.get(method, 1)):
                                    value = _value(metric, psnr + shift + 0.1 * sample)
                                    if metric == "psnr" and region == "background" and scene.endswith("0"):
                                        value = float("inf")
                                    rows.append(self._row(*at, **score, sample=sample, value=value))
        return rows

    def _unscored(self, run: RunFolder, dataset: str, scenes: list[str]) -> list[Row]:
        rows = []
        for number, scene in enumerate(scenes):
            intensity = tuple(BASE)[number % 3]
            self._store(run, dataset, f"{scene}@{intensity}", intensity, truth=False)
            for method in self.methods:
                for metric, variant, *_ in METRICS:
                    rows.append(
                        self._row(
                            run,
                            dataset,
                            scene,
                            intensity,
                            "estimated",
                            method,
                            metric=metric,
                            variant=variant,
                            status="skipped",
                            reason="no ground truth",
                        )
                    )
        return rows

    def _store(self, run: RunFolder, dataset: str, image: str, intensity: str, truth: bool) -> None:
        if not self.images:
            return
        pictures = self.draw(image, intensity)
        folder = run.image_folder(dataset, image)
        folder.mkdir(parents=True)
        for name in ("rainy", *(("clear", "mask") if truth else ())):
            cv2.imwrite(str(folder / f"{name}.png"), pictures[name])
        for method in self.methods[1:]:
            if not self._fails(method, intensity) and method in pictures:
                cv2.imwrite(str(run.output_png(dataset, image, method)), pictures[method])

    def _timing(self, run: str, method: str) -> dict[str, Any]:
        return {
            "run": run,
            "method": method,
            "key": "00",
            "dataset": "synthetic:photos",
            "device": "cpu",
            "hardware": "An 8-bit CPU",
            "precision": "fp32",
            "threads": 2,
            "batch": 4,
            "images": 20,
            "height": 512,
            "width": 910,
            "alone_images": 10,
            "median_ms": 412.5,
            "p95_ms": 466.1,
            "chain_median_ms": 812.0,
            "images_per_s": 2.75,
            "peak_memory_mb": 1211.0,
            "parameters": 24_430_097,
            "flops": 123.4e9,
            "energy_j": None,
            "memory_format": "channels last",
            "measured_at": "2026-01-02T09:00:00+00:00",
        }

    def _about(self, name: str) -> dict[str, Any]:
        def dataset(name: str, truth: bool, images: int, scenes: int, sources: dict[str, int]) -> dict[str, Any]:
            return {
                "spec": name,
                "name": name,
                "split": "all",
                "has_truth": truth,
                "images": images,
                "scenes": scenes,
                "description": "Clear photos with rain drawn on them, each at three intensities."
                if truth
                else "Photos taken in rain.",
                "fingerprint": "ab" * 32,
                "size": "native",
                "intensity_sources": sources,
                "borderline": 3,
                "smoke_test": False,
            }

        datasets = [dataset("synthetic:photos", True, 3 * self.scenes, self.scenes, {"recorded": 3 * self.scenes})]
        if self.with_second:
            datasets.append(dataset(f"paired:{HOSTILE}", True, 12, 4, {"pair": 12}))
        if self.with_real:
            datasets.append(dataset("v40-real", False, 6, 6, {"estimated": 6}))
        return {
            "schema_version": SCHEMA_VERSION,
            "name": name,
            "command": [
                "drivederain-bench",
                "run",
                "--methods",
                "unet,unet+diffusion,restormer",
                "--data",
                "synthetic:my photos",
            ],
            "started": "2026-01-02T10:00:00+00:00",
            "finished": "2026-01-02T10:05:21+00:00",
            "seconds": 321.5,
            "exit_status": 1,
            "version": "0.1.0",
            "git": {"commit": "0123abcd", "dirty": True},
            "suite": "demo",
            "protocol": {
                "size": "native",
                "seed": 0,
                "device": "cpu",
                "precision": "auto",
                "threads": 2,
                "limit": None,
                "intensities": ["light", "medium", "heavy"],
                "overwrite": "never",
                "train": True,
                "budget": "600 steps",
            },
            "datasets": datasets,
            "methods": [self._method(method) for method in self.methods],
            "metrics": [
                {
                    "name": metric,
                    "variant": variant,
                    "direction": direction,
                    "unit": unit,
                    "decimals": decimals,
                    "summary": f"{metric} of 8-bit pictures",
                    "paper": "Someone 2004",
                }
                for metric, variant, direction, unit, decimals in METRICS
            ],
            "problems": [{"file": f"{HOSTILE}.png", "reason": "the file is cut short"}],
            "warnings": ["1 picture of the test set is in the training set of unet."],
            "environment": {
                "python": "3.11.7",
                "platform": "Linux",
                "cpu": "An 8-bit CPU",
                "cores": 2,
                "memory_gb": 23.4,
                "gpu": "",
                "versions": {"torch": "2.13", "numpy": "2.3"},
            },
            "plugins": [
                {
                    "entry_point": "unet",
                    "module": "drivederain_methods.unet",
                    "distribution": "drivederain",
                    "version": "0.1.0",
                    "status": "ok",
                    "reason": "",
                    "methods": ["unet"],
                },
                {
                    "entry_point": "broken",
                    "module": HOSTILE,
                    "distribution": "stranger",
                    "version": "0.0",
                    "status": "failed",
                    "reason": "ImportError: <b>no</b>",
                    "methods": [],
                },
            ],
        }

    def _method(self, method: str) -> dict[str, Any]:
        stages = method.split("+")
        failed = method in self.failing
        partly = any(entry.startswith(f"{method}@") for entry in self.failing)
        weights = [
            {
                "stage": stage,
                "class": "shipped",
                "name": f"{stage}-compact",
                "source": f"package:drivederain_methods/{stage}.safetensors",
                "sha256": "cd" * 32,
                "licence": "Apache-2.0",
                "trained_on": "24 redistributable road photos and drawn scenes",
                "budget": "600 steps",
                "steps": 600,
                "behind": "unet" if stage == "diffusion" else "",
            }
            for stage in stages
            if method != "identity"
        ]
        return {
            "name": method,
            "stages": stages,
            "summary": f"What {method} does.",
            "licence": "Apache-2.0",
            "non_commercial": method == "restormer",
            "paper": "",
            "key": "00",
            "options": {stage: {"depth": 4} for stage in stages},
            "facts": {} if method == "identity" else {stage: {"parameters": 1_000_000} for stage in stages},
            "weights": weights,
            "status": "failed" if failed else "partly" if partly else "ok",
            "reason": self.reason if failed or partly else "",
            "images_ok": 0 if failed else 20,
            "images": 24,
            "restored_now": 0 if failed else 20,
            "not_measured": {"energy": f"no counter {HOSTILE}", "flops": "counted, so this is not shown"},
            "traceback": f"Traceback: {HOSTILE}" if failed else "",
        }


def _value(metric: str, psnr: float) -> float:
    """A score that goes with a PSNR."""
    mse = 255**2 / 10 ** (psnr / 10)
    return {"psnr": psnr, "ssim": 1 - mse / 4000, "mse": mse, "psnr_y": psnr + 1.3, "lpips": mse / 3000}[metric]


@pytest.fixture
def fake_run() -> type[FakeRun]:
    """The builder of a run: ``fake_run(scenes=2).build(tmp_path / "mine")``."""
    return FakeRun
