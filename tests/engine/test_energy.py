"""Energy: counters that wrap, that are not there, and that stop."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from drivederain.engine import energy
from drivederain.engine.energy import EnergyMeter, RaplCounter

CPU = torch.device("cpu")


def package(root: Path, name: str, microjoules: int, full: int = 1_000_000) -> Path:
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "max_energy_range_uj").write_text(f"{full}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    return folder


def test_packages_add_up_and_a_counter_may_start_again(tmp_path: Path) -> None:
    package(tmp_path, "intel-rapl:0", 100)
    package(tmp_path, "intel-rapl:1", 900_000)
    package(tmp_path, "intel-rapl:0:0", 5)  # a part of package 0
    counter = RaplCounter(tmp_path)
    package(tmp_path, "intel-rapl:0", 200_100)
    package(tmp_path, "intel-rapl:1", 100_000)
    package(tmp_path, "intel-rapl:0:0", 999_999)
    assert counter.joules() == pytest.approx(0.2 + 0.2)
    assert counter.joules() == pytest.approx(0.4)


def test_stretches_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, "intel-rapl:0", 0)
    monkeypatch.setattr(energy, "RaplCounter", lambda: RaplCounter(tmp_path))
    meter = EnergyMeter(CPU)
    for used in (300_000, 400_000):
        package(tmp_path, "intel-rapl:0", used)
        with meter:
            package(tmp_path, "intel-rapl:0", used + 50_000)
    assert meter.joules == pytest.approx(0.1)


def test_no_counter_is_a_reason_not_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "RaplCounter", lambda: RaplCounter(tmp_path / "nowhere"))
    meter = EnergyMeter(CPU)
    with meter:
        pass
    assert meter.joules is None
    assert "no RAPL counters" in meter.reason
    assert "mps devices tell no energy" in EnergyMeter(torch.device("mps")).reason


def test_a_counter_that_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = package(tmp_path, "intel-rapl:0", 0)
    monkeypatch.setattr(energy, "RaplCounter", lambda: RaplCounter(tmp_path))
    meter = EnergyMeter(CPU)
    with meter:
        (folder / "energy_uj").unlink()
    assert meter.joules is None and "the energy counter stopped" in meter.reason


def test_nvidia_counts_by_the_uuid_that_torch_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, asked = iter([1_000, 2_000, 5_500]), []
    monkeypatch.setitem(
        sys.modules,
        "pynvml",
        SimpleNamespace(
            nvmlInit=lambda: None,
            nvmlDeviceGetHandleByUUID=lambda uuid: asked.append(uuid) or "handle",
            nvmlDeviceGetTotalEnergyConsumption=lambda handle: next(counts),
        ),
    )
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="1-2-3"))
    meter = EnergyMeter(torch.device("cuda"))
    with meter:
        pass
    assert asked == ["GPU-1-2-3"]
    assert meter.joules == 3.5


def test_no_library_for_nvidia(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert "pynvml" in EnergyMeter(torch.device("cuda")).reason
