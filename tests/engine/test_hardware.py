"""The hardware's name beside timings, and limits read from made-up control groups."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from drivederain.engine import hardware

MIB = 2**20


def control_groups(root: Path, lines: list[str], files: dict[str, str]) -> tuple[Path, Path]:
    """A made-up ``/sys/fs/cgroup`` and ``/proc/self/cgroup``."""
    own = root / "self"
    own.write_text("".join(f"{line}\n" for line in lines))
    mount = root / "cgroup"
    mount.mkdir()
    for name, text in files.items():
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(text + "\n")
    return mount, own


def test_version_2_takes_the_tightest_group_around_the_process(tmp_path: Path) -> None:
    given = control_groups(
        tmp_path,
        ["0::/box/job"],
        {
            "box/job/memory.max": "max",
            "box/memory.max": str(300 * MIB),
            "memory.max": str(900 * MIB),
            "box/job/cpu.max": "150000 100000",
            "box/cpu.max": "max 100000",
        },
    )
    assert hardware.memory_limit_bytes(*given) == 300 * MIB
    assert hardware.cgroup_memory_bytes(*given) == 300 * MIB
    assert hardware.cgroup_cores(*given) == 1.5


def test_version_1_with_a_shared_controller_folder(tmp_path: Path) -> None:
    given = control_groups(
        tmp_path,
        ["4:memory:/docker/abc", "2:cpu,cpuacct:/docker/abc"],
        {
            # The path that the kernel names is not visible inside a container: its root is the group.
            "memory/memory.limit_in_bytes": str(200 * MIB),
            "cpu,cpuacct/cpu.cfs_quota_us": "200000",
            "cpu,cpuacct/cpu.cfs_period_us": "100000",
        },
    )
    assert hardware.memory_limit_bytes(*given) == 200 * MIB
    assert hardware.cgroup_cores(*given) == 2


@pytest.mark.parametrize("limit", ["9223372036854771712", "max", ""])
def test_no_limit_is_the_physical_memory(tmp_path: Path, limit: str) -> None:
    given = control_groups(
        tmp_path,
        ["4:memory:/", "1:cpu:/", "0::/"],
        {
            "memory/memory.limit_in_bytes": limit,
            "memory.max": limit,
            "cpu/cpu.cfs_quota_us": "-1",
            "cpu/cpu.cfs_period_us": "100000",
        },
    )
    assert hardware.memory_limit_bytes(*given) == psutil.virtual_memory().total
    assert hardware.cgroup_memory_bytes(*given) is None
    assert hardware.cgroup_cores(*given) is None


def test_no_control_groups_at_all(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert hardware.memory_limit_bytes(nowhere, nowhere) == psutil.virtual_memory().total
    assert hardware.cgroup_cores(nowhere, nowhere) is None


def test_the_processor_is_named_with_the_threads_that_torch_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_raw_processor_name", lambda: "Intel(R) Xeon(TM)   Gold 6230")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert hardware.hardware_name(torch.device("cpu")) == "Intel Xeon Gold 6230, 2 threads"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert hardware.hardware_name(torch.device("cpu")) == "Intel Xeon Gold 6230, 1 thread"
    assert hardware.hardware_name(torch.device("mps")) == "Intel Xeon Gold 6230, MPS"


def test_an_nvidia_device_is_named_as_its_driver_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"NVIDIA H100 80GB HBM3 ({device})")
    assert hardware.hardware_name(torch.device("cuda:1")) == "NVIDIA H100 80GB HBM3 (cuda:1)"


def test_this_machine() -> None:
    assert hardware.processor_name()
    assert 0 < hardware.memory_limit_bytes() <= psutil.virtual_memory().total
    assert hardware.usable_cores() >= 1


def test_limits_are_read_without_torch() -> None:
    code = (
        "import sys; from drivederain.engine.hardware import memory_limit_bytes, processor_name\n"
        "memory_limit_bytes(); processor_name(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
