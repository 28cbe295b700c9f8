"""Reading TensorFlow 1 checkpoints: those of the official DerainNet, and damaged ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from drivederain.errors import WeightsError
from drivederain.tf_bundle import read_bundle
from drivederain.weights import read_weights


@pytest.fixture
def bundle(shared: Path, tmp_path: Path) -> Path:
    source = shared / "methods" / "derainnet_tf_real"
    if not source.is_dir():
        pytest.skip(f"no golden case at {source}")
    for path in source.glob("model.*"):
        # Not with its permissions: the shared files cannot be written.
        shutil.copyfile(path, tmp_path / path.name)
    return tmp_path / "model.index"


@pytest.mark.shared
def test_the_tensors_are_those_of_the_converted_file(bundle: Path, shared: Path) -> None:
    tensors = read_bundle(bundle)
    assert sorted(value.numel() for value in tensors.values()) == sorted(
        value.numel()
        for value in read_weights(shared / "methods" / "derainnet_tf_real" / "derainnet_converted.pth").tensors.values()
    )
    kernel = tensors["DerainNet/conv2d/kernel"]
    assert (tuple(kernel.shape), kernel.dtype) == ((16, 16, 3, 512), torch.float32)
    assert read_weights(bundle).tensors.keys() == tensors.keys()


@pytest.mark.shared
def test_damage_is_found(bundle: Path) -> None:
    data = bundle.with_name("model.data-00000-of-00001")
    whole, index = data.read_bytes(), bundle.read_bytes()
    data.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match=r"data-00000-of-00001: it ends too early"):
        read_bundle(bundle)
    data.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    with pytest.raises(WeightsError, match=r"data-00000-of-00001: damaged"):
        read_bundle(bundle)
    data.unlink()
    with pytest.raises(WeightsError, match=r"model\.index: the file of the tensors is not beside it"):
        read_bundle(bundle)
    data.write_bytes(whole)
    for place in range(0, len(index) - 48, 7):
        # Whatever is wrong with the index is one plain error, or is found by the check sums of the tensors.
        bundle.write_bytes(index[:place] + bytes([index[place] ^ 0x55]) + index[place + 1 :])
        try:
            read_bundle(bundle)
        except WeightsError:
            continue
    bundle.write_bytes(index[:-1] + b"x")
    with pytest.raises(WeightsError, match=r"model\.index: damaged, or no index of a TensorFlow checkpoint"):
        read_bundle(bundle)


def test_another_file_of_that_ending_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.index"
    path.write_text("not a table")
    with pytest.raises(WeightsError, match="damaged, or no index of a TensorFlow checkpoint"):
        read_weights(path)
