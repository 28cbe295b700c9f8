"""The built-in methods hold what is asked of everybody's."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivederain.implementation import missing_modules
from drivederain.registry import Registry
from drivederain.testing.conformance import MethodConformance
from drivederain.testing.method_checks import CHECKS
from drivederain.testing.subject import Subject

ELSEWHERE = ("vae", "checkpoint")
"""They need a model that the tests of their own make."""


class TestIdentity(MethodConformance):
    method = "identity"


class TestMedian(MethodConformance):
    method = "median"


class TestGuided(MethodConformance):
    method = "guided"


class TestInpaint(MethodConformance):
    method = "inpaint"


class TestPReNet(MethodConformance):
    method = "prenet"
    options = {"recurrences": "2"}  # noqa: RUF012


class TestRESCAN(MethodConformance):
    method = "rescan"
    options = {"channels": "8"}  # noqa: RUF012


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name.replace(" ", "-"))
@pytest.mark.parametrize("name", sorted(set(Registry.discover().methods) - set(ELSEWHERE)))
def test_every_built_in_method_holds_as_it_ships(name: str, check) -> None:  # type: ignore[no-untyped-def]
    if missing := missing_modules(Registry.discover().method(name).requires):
        pytest.skip(f"{' and '.join(missing)} not installed")
    conformance = MethodConformance()
    conformance.method = name  # type: ignore[misc]
    conformance.test_conformance(check)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name.replace(" ", "-"))
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("prenet", "prenet_real_rain100h/net_latest.pth"),
        ("rescan", "rescan_gru_full/latest"),
        ("derainnet", "derainnet_tf_real/model.index"),
        ("restormer", "restormer_small/deraining.pth"),
    ],
)
def test_official_weights_hold_what_is_skipped_without_weights(
    name: str,
    file: str,
    check,
    shared: Path,  # type: ignore[no-untyped-def]
) -> None:
    if missing := missing_modules(Registry.discover().method(name).requires):
        pytest.skip(f"{' and '.join(missing)} not installed")
    conformance = MethodConformance()
    conformance.method = name  # type: ignore[misc]
    conformance.weights = shared / "methods" / file  # type: ignore[misc]
    conformance.test_conformance(check)


def test_what_ships_is_what_is_checked() -> None:
    assert not Subject("unet").untrained and Subject("prenet").untrained
