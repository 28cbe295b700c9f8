"""Specs refuse what could not work, when they are made."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from drivederain.errors import DriveDeRainError, SpecError
from drivederain.specs import RESERVED, DatasetSpec, MethodSpec, MetricSpec, Needs


def make_method(**fields: Any) -> MethodSpec:
    return MethodSpec(**({"name": "unet", "summary": "", "kind": "stage", "implementation": "a.b:C"} | fields))


def make_dataset(**fields: Any) -> DatasetSpec:
    return DatasetSpec(**({"name": "paired", "summary": "", "implementation": "a.b:C"} | fields))


def make_metric(**fields: Any) -> MetricSpec:
    defaults = {"name": "psnr", "summary": "", "implementation": "a.b:C", "variants": ("rgb",), "direction": "higher"}
    return MetricSpec(**(defaults | fields))


MAKERS = (make_method, make_dataset, make_metric)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("name", ["u", "unet", "psnr_y", "rain-100h", "a1"])
def test_names_that_can_be_used(make: Callable[..., Any], name: str) -> None:
    assert make(name=name).name == name


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    "name", ["", "UNet", "1st", "a+b", "a b", "a,b", "a/b", "../a", "a[b]", "-a", "a\n", "ü", "<script>", None, 3]
)
def test_names_that_would_break_chains_files_or_tables(make: Callable[..., Any], name: object) -> None:
    with pytest.raises(SpecError, match=r"name .* is not usable"):
        make(name=name)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("implementation", ["", "module", "module:", ":Class", "a/b:C", "a.b:C.d", "a b:C", None])
def test_implementations_that_name_no_class(make: Callable[..., Any], implementation: object) -> None:
    with pytest.raises(SpecError, match=r"is not of the form 'package.module:Class'"):
        make(implementation=implementation)


def test_options_must_name_a_class_too() -> None:
    assert make_method(options="a.b:Options").options == "a.b:Options"
    with pytest.raises(SpecError, match="method unet, options"):
        make_method(options="Options")


def test_kind_is_stage_or_refiner() -> None:
    assert make_method(kind="refiner").kind == "refiner"
    with pytest.raises(SpecError, match="kind 'filter' is neither 'stage' nor 'refiner'"):
        make_method(kind="filter")


def test_metric_must_name_its_variants_and_direction() -> None:
    for variants in ((), ("",), (1,)):
        with pytest.raises(SpecError, match="names no variant"):
            make_metric(variants=variants)
    with pytest.raises(SpecError, match="direction 'up' is neither 'higher' nor 'lower'"):
        make_metric(direction="up")


def test_specs_are_frozen_and_hashable() -> None:
    spec = make_method(needs=Needs(multiple=8))
    assert spec == make_method(needs=Needs(multiple=8))
    assert len({spec, make_method(needs=Needs(multiple=8)), make_method(needs=Needs(multiple=32))}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"  # type: ignore[misc]


def test_a_spec_error_is_one_that_users_are_shown() -> None:
    assert issubclass(SpecError, DriveDeRainError)


@pytest.mark.parametrize("name", RESERVED)
def test_methods_cannot_take_the_names_of_a_runs_pictures(name: str) -> None:
    with pytest.raises(SpecError, match="taken by the pictures"):
        MethodSpec(name=name, summary="", kind="stage", implementation="a:B")
