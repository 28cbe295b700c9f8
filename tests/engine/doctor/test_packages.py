from __future__ import annotations

from importlib.metadata import PackageNotFoundError

from packaging.requirements import Requirement

from drivederain.engine.doctor.packages import check_extra, check_packages, core_requirements, extras

THERE = {"numpy": "1.20.0", "torch": "2.9.0+cu130", "rich": "14.0"}


def installed(name: str) -> str:
    try:
        return THERE[name]
    except KeyError:
        raise PackageNotFoundError(name) from None


def test_a_package_that_is_missing_or_too_old_is_named() -> None:
    check = check_packages(map(Requirement, ("numpy>=1.26", "torch>=2.6", "lpips>=0.1.4")), installed)
    assert check.fails and check.status == "broken"
    assert check.detail == "numpy is 1.20.0, >=1.26 is wanted; lpips is not installed"
    assert check_packages(map(Requirement, ("torch>=2.6", "rich")), installed).status == "ok"


def test_an_extra_that_is_missing_is_a_note_that_says_what_to_install() -> None:
    check = check_extra("nc", [Requirement("spandrel>=0.4.1")], installed)
    assert check.status == "missing" and not check.fails
    assert "spandrel is not installed" in check.detail and 'pip install "drivederain[nc]"' in check.remedy
    assert check_extra("shown", [Requirement("rich>=13")], installed).status == "ok"


def test_requirements_are_those_of_the_installed_distribution() -> None:
    assert {"torch", "lightning", "lpips"} <= {each.name for each in core_requirements()}
    assert "spandrel" not in {each.name for each in core_requirements()}
    found = {extra: {each.name for each in wanted} for extra, wanted in extras().items()}
    assert found["nc"] == {"spandrel", "spandrel-extra-arches"}
    assert {"ray", "video", "tune", "notebook", "noref"} <= found.keys()
    assert not {"all", "dev", "report"} & found.keys(), "not features with packages of their own"
