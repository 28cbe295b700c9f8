"""Which variables are tuned, in which order, and what is refused before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drivederain.engine.tuning.grid import check, choose
from drivederain.engine.tuning.setting import label_of
from drivederain.errors import OptionError
from drivederain.registry import Registry
from drivederain.specs import MethodSpec

PLAN = (
    "resolution", "depth", "channels", "encoder", "vgg_weight", "ssim_weight", "learning_rate", "batch_size",
    "optimizer", "schedule", "augmentation",
)  # fmt: skip


def names(variables: Any) -> list[str]:
    return list(dict.fromkeys(variable.name for variable in variables))


def values(variables: Any, name: str) -> list[Any]:
    return [value for variable in variables if variable.name == name for value in variable.values]


def test_by_default_it_is_the_plan_in_its_order(unet: MethodSpec) -> None:
    grid = choose(unet)
    assert names(grid) == list(PLAN)
    assert values(grid, "learning_rate") == [{"training.learning_rate": rate} for rate in (5e-5, 1e-4, 2e-4)]
    assert values(grid, "vgg_weight") == [{"training.losses.vgg": weight} for weight in (0, 0.1, 0.3, 0.5)]
    check(grid, unet, {}, unet.presets[0])
    check(grid, unet, {"architecture": "custom", "width": "8"}, None)


def test_only_picks_in_its_own_order_with_all_that_share_a_name(unet: MethodSpec) -> None:
    grid = choose(unet, only=["learning_rate", "depth", "learning_rate"])
    assert [variable.name for variable in grid] == ["learning_rate", "depth", "depth"]
    assert {variable.when["architecture"] for variable in grid[1:]} == {"smp", "custom"}


def test_typed_values_stand_alone_or_replace_or_are_added(unet: MethodSpec) -> None:
    tried = ["training.learning_rate=1e-4, .5", "unet.decoder_channels=[64,32],[32,16]", "training.losses.vgg=0,.2"]
    alone = choose(unet, tried=tried)
    assert names(alone) == ["learning_rate", "decoder_channels", "losses_vgg"]
    assert values(alone, "decoder_channels") == [{"decoder_channels": [64, 32]}, {"decoder_channels": [32, 16]}]
    assert values(alone, "losses_vgg") == [{"training.losses.vgg": 0.0}, {"training.losses.vgg": 0.2}]
    grid = choose(unet, only=["depth", "encoder"], tried=["unet.depth=3,4", "training.ema=0,0.9"])
    assert names(grid) == ["depth", "encoder", "ema"]
    assert values(grid, "depth") == [{"depth": 3}, {"depth": 4}]


def test_a_file_brings_its_own_variables(unet: MethodSpec, tmp_path: Path) -> None:
    file = tmp_path / "grid.toml"
    file.write_text(
        "resolution = [{ training.size = 128, training.crop = 64 }, { training.size = [128, 256] }]\n"
        "loss = [{ training.losses.vgg = 1 }, { training.losses = 'l1:1' }]\n"
        "depth = [{ depth = 4, unet.decoder_channels = [64, 32, 16, 8] }]\n"
    )
    grid = choose(unet, file=file)
    assert [(variable.name, variable.values) for variable in grid] == [
        ("resolution", ({"training.size": 128, "training.crop": 64}, {"training.size": [128, 256]})),
        ("loss", ({"training.losses.vgg": 1.0}, {"training.losses": "l1:1"})),
        ("depth", ({"depth": 4, "decoder_channels": [64, 32, 16, 8]},)),
    ]
    check(grid, unet, {}, None)
    assert names(choose(unet, file=file, only=["depth"])) == ["depth"]
    assert names(choose(unet, file=file, tried=["training.ema=0"])) == ["resolution", "loss", "depth", "ema"]


@pytest.mark.parametrize(
    ("tried", "says"),
    [
        ("training.learning_rte=1", r"learning_rte=1: .*no such hyperparameter. Did you mean 'learning_rate'"),
        ("training.learning_rate=fast", r"variable learning_rate, learning_rate=fast: .*number"),
        ("training.learning_rate=-1", r"learning_rate=-1: .*greater than 0"),
        ("unet.dpth=4", r"unet\.dpth: no such option. Did you mean 'depth'"),
        ("unet.depth=4,9", r"variable depth, depth=9: .*less than or equal to 5"),
        ("unet.depth=4,", r"variable depth, depth=: "),
        ("training.losses.vg=1", r"no loss term is called 'vg'"),
        ("training.losses.vgg=a", r"could not convert string to float: 'a'"),
        ("training.losses=1", r"weights of one term, as in --try training\.losses\.vgg="),
        ("training.schedule=step", r"needs milestones"),
        ("restormer.depth=4", r"of another method. Write unet\.OPTION"),
        ("depth", r"write NAME=VALUE"),
        ("unet.Depth=4", r"'Depth' is not usable"),
    ],
)
def test_bad_values_are_named(unet: MethodSpec, tried: str, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        check(choose(unet, tried=[tried]), unet, {}, None)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("depth = [", r"is not TOML"),
        ("depth = 4", r"depth must be a list of tables"),
        ("depth = []", r"depth must be a list of tables"),
        ("depth = [4, 5]", r"depth must be a list of tables"),
        ("depth = [{ restormer.depth = 4 }]", r"of another method"),
        ("loss = [{ training.losses.vgg = [1] }]", r"loss: "),
    ],
)
def test_bad_files_are_named(unet: MethodSpec, tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "grid.toml"
    file.write_text(content)
    with pytest.raises(OptionError, match=rf"--grid .*grid\.toml.*{says}"):
        choose(unet, file=file)


def test_a_file_that_is_not_there_and_a_name_that_is_none(unet: MethodSpec, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"--grid .*none\.toml cannot be read"):
        choose(unet, file=tmp_path / "none.toml")
    with pytest.raises(OptionError, match=r"--only learning_rte: no such variable. Did you mean 'learning_rate'"):
        choose(unet, only=["learning_rte"])
    with pytest.raises(OptionError, match=r"identity brings no variables to tune. Give --try"):
        choose(Registry.discover().method("identity"))


def test_the_default_grid_is_documented(unet: MethodSpec, repository: Path) -> None:
    page = (repository / "docs" / "tuning.md").read_text(encoding="utf-8")
    documented = [line for line in page.splitlines() if line.startswith("| `") and line.count("|") == 4]
    assert documented == [
        f"| `{variable.name}` | {f'`{label_of(variable.when)}`' if variable.when else 'all'} | "
        f"{'; '.join(f'`{label_of(value)}`' for value in variable.values)} |"
        for variable in unet.tuning
    ]
