"""``--set`` values, and options that come with weights."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from drivederain.engine.options import agrees, key_options, method_options
from drivederain.errors import OptionError
from drivederain.registry import Registry


def test_values_are_read_by_their_kind(registry: Registry) -> None:
    unet = registry.method("unet")
    options = method_options(unet, {"residual": "false", "depth": "4", "decoder_channels": "32,16,8,8", "encoder": "x"})
    assert (options.residual, options.depth, options.decoder_channels) == (False, 4, (32, 16, 8, 8))
    assert method_options(unet, {"decoder_channels": "[32, 16]"}).decoder_channels == (32, 16)


def test_an_unknown_name_says_which_is_meant(registry: Registry) -> None:
    with pytest.raises(
        OptionError, match=r"--set brighten\.gian: no such option\. Did you mean 'gain'\? Options: gain\."
    ):
        method_options(registry.method("brighten"), {"gian": "2"})


@pytest.mark.parametrize(("value", "words"), [("9", "less than or equal to 4"), ("much", "valid number")])
def test_an_unusable_value_is_named(registry: Registry, value: str, words: str) -> None:
    with pytest.raises(OptionError, match=rf"--set brighten\.gain={value}: .*{words}"):
        method_options(registry.method("brighten"), {"gain": value})


def test_a_method_without_options(registry: Registry) -> None:
    assert method_options(registry.method("blur"), {}) is None
    with pytest.raises(OptionError, match="blur has no options, and --set names size"):
        method_options(registry.method("blur"), {"size": "2"})


def test_stored_options_win_over_defaults_and_lose_to_typed_ones(registry: Registry) -> None:
    tiny = registry.method("tiny")
    assert method_options(tiny, {}, {"width": 5, "unknown": 1}).width == 5
    assert method_options(tiny, {"width": "6"}, {"width": 5}).width == 6
    with pytest.raises(OptionError, match="tiny, the option width stored with its weights=99"):
        method_options(tiny, {}, {"width": 99})


def test_a_file_counts_by_its_content(registry: Registry, tmp_path: Path) -> None:
    unet = registry.method("unet")
    first, second = tmp_path / "a.pth", tmp_path / "b.pth"
    first.write_bytes(b"1")
    second.write_bytes(b"1")

    def key(path: Path) -> object:
        return key_options(method_options(unet, {"encoder_weights": str(path)}))

    assert key(first) == key(second)
    second.write_bytes(b"2")
    assert key(first) != key(second)


def test_the_folder_of_a_model_counts_by_its_content(tmp_path: Path) -> None:
    class Options(BaseModel):
        base: str

    folders = []
    for name in ("here", "there"):
        (tmp_path / name / "unet").mkdir(parents=True)
        (tmp_path / name / "unet" / "weights").write_bytes(b"1")
        folders.append(tmp_path / name)

    def key(folder: Path) -> str:
        return str(key_options(Options(base=str(folder)))["base"])

    assert key(folders[0]) == str(folders[0]), "any other folder is a word"
    for folder in folders:
        (folder / "model_index.json").write_text("{}")
    assert key(folders[0]) == key(folders[1])
    (folders[1] / ".cache").mkdir()
    (folders[1] / ".cache" / "lock").write_bytes(b"")
    assert key(folders[0]) == key(folders[1]), "what a download leaves is no part of it"
    elsewhere = tmp_path / "elsewhere"
    (folders[1] / "unet").rename(elsewhere)
    (folders[1] / "unet").symlink_to(elsewhere)
    assert key(folders[0]) == key(folders[1]), "a link to its part counts as the part"
    (elsewhere / "weights").write_bytes(b"22")
    assert key(folders[0]) != key(folders[1])


def test_agreement_is_about_what_was_typed() -> None:
    assert agrees({"width": 8, "blocks": [1, 2]}, {"blocks": (1, 2)})
    assert agrees({"width": 8}, {})
    assert not agrees({"width": 8}, {"width": 16})
