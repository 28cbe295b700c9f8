"""What all tests share: quiet threads, no network, a cache of their own, and the way to the shared data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before anything imports torch, OpenCV or Hugging Face code, which read these when they are loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def isolated_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that stands in for the user's cache in all tests and in the programs that they start."""
    folder = tmp_path_factory.mktemp("user-cache")
    os.environ["DRIVEDERAIN_CACHE"] = str(folder)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for one test."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("DRIVEDERAIN_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared data: ``DRIVEDERAIN_SHARED``, else ``../shared`` beside the checkout."""
    folder = Path(os.environ.get("DRIVEDERAIN_SHARED") or REPOSITORY.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip(f"no shared data at {folder}; set DRIVEDERAIN_SHARED to the folder that holds it")
    return folder
