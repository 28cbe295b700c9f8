"""Discovery, lookup, chains, metric selections and hooks, with entry points made up in memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from drivederain.errors import SpecError
from drivederain.hookspecs import hookimpl
from drivederain.registry import PluginStatus, Registry
from drivederain.results.cell import FinishedCell
from drivederain.results.run_folder import RunFolder
from drivederain.specs import DatasetSpec, MethodSpec, MetricSpec, ReportSection

Install = Callable[..., EntryPoint]

CELL = FinishedCell("unet", "demo", "00ff", "ok", "", images=1, restored_now=1, seconds=0.5)


class FakeDistribution(Distribution):
    """A distribution that exists in memory only."""

    def __init__(self, name: str) -> None:
        self._name = name

    def read_text(self, filename: str) -> str | None:
        return f"Metadata-Version: 2.1\nName: {self._name}\nVersion: 2.0\n" if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
def install() -> Iterator[Install]:
    """Makes a module of hooks and returns an entry point of ``distribution`` that names it."""
    made: list[str] = []

    def make(
        distribution: str, name: str = "plugin", hooks: dict[str, Callable[..., Any]] | None = None, **answers: Any
    ) -> EntryPoint:
        module = ModuleType(f"fake_{len(made)}_{name.replace('-', '_')}")
        for hook, answer in answers.items():
            setattr(module, f"drivederain_{hook}", hookimpl(answering(f"drivederain_{hook}", answer)))
        for hook, function in (hooks or {}).items():
            setattr(module, hook, function)
        sys.modules[module.__name__] = module
        made.append(module.__name__)
        return entry_point(distribution, name, module.__name__)

    yield make
    for module_name in made:
        del sys.modules[module_name]


def answering(hook: str, answer: Any) -> Callable[[], Any]:
    def function() -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    function.__name__ = hook
    return function


def entry_point(distribution: str, name: str, value: str) -> EntryPoint:
    made = EntryPoint(name=name, value=value, group="drivederain")
    vars(made)["dist"] = FakeDistribution(distribution)
    return made


def method(name: str, **fields: Any) -> MethodSpec:
    return MethodSpec(name, f"the method {name}", fields.pop("kind", "stage"), "somewhere.method:Method", **fields)


def metric(name: str, *variants: str) -> MetricSpec:
    return MetricSpec(name, f"the metric {name}", "somewhere.metric:Metric", variants or ("rgb",), "higher")


def dataset(name: str) -> DatasetSpec:
    return DatasetSpec(name, f"the data set {name}", "somewhere.data:Dataset")


def status_of(registry: Registry, distribution: str) -> PluginStatus:
    return next(plugin for plugin in registry.plugins if plugin.distribution == distribution)


@pytest.fixture
def registry(install: Install) -> Registry:
    """A registry like the built-in one."""
    return Registry.discover(
        [
            install(
                "drivederain",
                "methods",
                methods=[method("unet"), method("restormer"), method("diffusion", kind="refiner"), method("median")],
            ),
            install("drivederain", "datasets", datasets=[dataset("paired"), dataset("synthetic")]),
            install(
                "drivederain",
                "metrics",
                metrics=[metric("psnr"), metric("psnr_y", "mprnet", "prenet"), metric("lpips", "alex")],
            ),
        ]
    )


def test_names_are_registered_with_their_owner(registry: Registry) -> None:
    assert list(registry.methods) == ["unet", "restormer", "diffusion", "median"]
    assert registry.method("unet").implementation == "somewhere.method:Method"
    assert registry.dataset("paired") is registry.datasets["paired"]
    assert registry.metric("lpips").variants == ("alex",)
    assert registry.owner("dataset", "synthetic") == "drivederain"
    assert [plugin.status for plugin in registry.plugins] == ["ok", "ok", "ok"]
    assert status_of(registry, "drivederain").version == "2.0"


def test_built_in_names_win_whatever_the_order(install: Install) -> None:
    builtin = install("drivederain", "zzz", methods=[method("unet")])
    intruder = install("aaa-derain", "aaa", methods=[method("first"), method("unet")])
    for order in ([builtin, intruder], [intruder, builtin]):
        registry = Registry.discover(order)
        assert registry.owner("method", "unet") == "drivederain"
        assert list(registry.methods) == ["unet"]
        refused = status_of(registry, "aaa-derain")
        assert refused.reason == "its method 'unet' clashes with the one of drivederain"
        assert (refused.status, refused.methods, refused.refused) == ("failed", (), ("first", "unet"))


def test_strangers_clash_in_the_order_of_distribution_names(install: Install) -> None:
    second = install("B_derain", methods=[method("shine")])
    first = install("a.derain", methods=[method("shine")])
    registry = Registry.discover([second, first])
    assert registry.owner("method", "shine") == "a.derain"
    assert status_of(registry, "B_derain").status == "failed"


def test_the_same_name_in_another_kind_is_no_clash(install: Install) -> None:
    registry = Registry.discover([install("x", methods=[method("rain")], datasets=[dataset("rain")])])
    assert registry.plugins[0].status == "ok"
    assert (registry.owner("method", "rain"), registry.owner("dataset", "rain")) == ("x", "x")


def endless() -> Iterator[MethodSpec]:
    while True:
        yield method("again")


def stops_midway() -> Iterator[MethodSpec]:
    yield method("fine")
    raise OSError("disk gone")


class NoText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even a message")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "drivederain_methods returned None, where a list of MethodSpec is wanted"),
        ("median", "drivederain_methods returned 'median', where a list of MethodSpec is wanted"),
        ({"median": method("median")}, "drivederain_methods returned a dict, where a list of MethodSpec is wanted"),
        (7, "drivederain_methods returned 7, where a list of MethodSpec is wanted"),
        ([method("one"), metric("two")], "drivederain_methods returned a MetricSpec in its list"),
        ([method("one"), method("one")], "it offers two methods called 'one'"),
        (endless(), "returned more than 1000 items"),
        (stops_midway(), "OSError: disk gone"),
        (ValueError("no\nmood"), "ValueError: no mood"),
        (SystemExit(3), "it tried to end the program (SystemExit: 3)"),
        (GeneratorExit(), "GeneratorExit"),
        (NoText(), "NoText"),
        (SpecError(""), "SpecError"),
        ([method("one", paper=3)], "method one: paper is 3, where str is wanted"),
        ([method("one", requires="torch")], "method one: requires is 'torch', where tuple[str, ...] is wanted"),
        ([method("one", stochastic=1)], "method one: stochastic is 1, where bool is wanted"),
        ([method("one", version=True)], "method one: version is True, where int is wanted"),
    ],
)
def test_nonsense_is_refused_and_the_rest_works(install: Install, answer: Any, reason: str) -> None:
    registry = Registry.discover([install("bad", methods=answer), install("good", methods=[method("sound")])])
    assert reason in status_of(registry, "bad").reason
    assert list(registry.methods) == ["sound"]


def test_all_or_nothing_across_hooks(install: Install) -> None:
    broken = install("half", methods=[method("fine")], metrics=RuntimeError("broken"), datasets=[dataset("fine")])
    registry = Registry.discover([broken])
    assert not registry.methods and not registry.datasets
    assert registry.plugins[0].refused == ("fine", "fine")
    assert registry.cell_finished(CELL) == []


def test_variants_given_as_a_bare_string_are_refused(install: Install) -> None:
    spec = MetricSpec("mae", "error", "somewhere:MAE", "rgb", "lower")  # type: ignore[arg-type]
    registry = Registry.discover([install("x", metrics=[spec])])
    assert "metric mae: variants is 'rgb', where tuple[str, ...] is wanted" in registry.plugins[0].reason


def drivederain_foo() -> None:
    """A hook that there is not."""


def drivederain_report_section(run: RunFolder) -> None:
    """A hook whose name is nearly right."""


def drivederain_methods() -> list[MethodSpec]:
    """A hook without its mark."""
    return [method("unmarked")]


def wrapping() -> Iterator[None]:
    yield


def wants_too_much(weather: str) -> list[MethodSpec]:
    return []


@pytest.mark.parametrize(
    ("hooks", "reason"),
    [
        ({}, "it implements none of the hooks drivederain_methods, drivederain_datasets"),
        ({"drivederain_foo": drivederain_foo}, "there is no hook 'drivederain_foo'."),
        (
            {"drivederain_report_section": hookimpl(drivederain_report_section)},
            "Did you mean 'drivederain_report_sections'",
        ),
        ({"drivederain_methods": drivederain_methods}, "its function drivederain_methods is not marked: put @hookimpl"),
        ({"drivederain_methods": hookimpl(wrapper=True)(wrapping)}, "its hook drivederain_methods is a wrapper"),
        ({"drivederain_methods": hookimpl(wants_too_much)}, "PluginValidationError"),
        (
            {name: hookimpl(specname="drivederain_methods")(answering(name, [])) for name in ("one", "two")},
            "it implements the hook drivederain_methods twice",
        ),
    ],
)
def test_hooks_that_do_not_fit_are_refused(install: Install, hooks: dict[str, Any], reason: str) -> None:
    registry = Registry.discover([install("bad", hooks=hooks), install("good", methods=[method("sound")])])
    assert reason in status_of(registry, "bad").reason
    assert list(registry.methods) == ["sound"]
    assert registry.report_sections(RunFolder(Path("none"))) == ([], [])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("drivederain_no_such_module", "ModuleNotFoundError: No module named 'drivederain_no_such_module'"),
        ("this is; no module", "is not of the form 'package.module'"),
        ("pathlib:Path", "its entry point 'pathlib:Path' is a type, where a module is wanted"),
        ("pathlib:Nowhere", "AttributeError"),
    ],
)
def test_entry_points_that_lead_nowhere(value: str, reason: str) -> None:
    registry = Registry.discover([entry_point("lost", "lost", value)])
    assert registry.plugins[0].status == "failed"
    assert reason in registry.plugins[0].reason
    assert registry.plugins[0].module == value


def test_one_module_under_two_entry_points_counts_once(install: Install) -> None:
    first = install("x", "first", methods=[method("sound")])
    registry = Registry.discover(
        [first, entry_point("x", "second", first.value), entry_point("x", "first", first.value)]
    )
    assert sorted(plugin.status for plugin in registry.plugins) == ["failed", "failed", "ok"]
    assert registry.owner("method", "sound") == "x"


def test_interrupt_by_the_user_is_not_a_broken_plugin(install: Install) -> None:
    with pytest.raises(KeyboardInterrupt):
        Registry.discover([install("slow", methods=KeyboardInterrupt())])


def test_damaged_metadata_of_one_distribution_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "damaged-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: damaged\nVersion: 1.0\n")
    (info / "entry_points.txt").write_bytes(b"[drivederain]\nplugin = \xff\xfe\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry.discover()
    damaged = status_of(registry, "damaged")
    assert (damaged.status, damaged.version) == ("failed", "1.0")
    assert "its list of entry points cannot be read" in damaged.reason
    assert "psnr" in registry.metrics


def test_unknown_names_bring_suggestions_and_the_list(registry: Registry) -> None:
    with pytest.raises(
        SpecError, match=r"there is no method 'unett'\. Did you mean 'unet'\? .*diffusion, median, rest"
    ):
        registry.method("unett")
    with pytest.raises(SpecError, match=r"Did you mean 'psnr_y'"):
        registry.metric("PSNR-Y")
    with pytest.raises(
        SpecError, match=r"there is no dataset 'zzz'\. The datasets that are installed: paired, synthetic\."
    ):
        registry.dataset("zzz")
    with pytest.raises(SpecError, match="'unett'"):
        registry.owner("method", "unett")


def test_name_of_a_failed_plugin_tells_its_reason(install: Install) -> None:
    registry = Registry.discover(
        [
            install("drivederain", methods=[method("unet")]),
            install("drivederain-plugin-fog", "haze", methods=[method("fog-lift")], metrics=OSError("no licence")),
        ]
    )
    for name in ("fog-lift", "haze", "fog", "drivederain-plugin-fog"):
        with pytest.raises(SpecError, match=r"'haze' of drivederain-plugin-fog 2\.0 failed \(OSError: no licence\)"):
            registry.method(name)
    with pytest.raises(SpecError, match=r"Plugins that failed to load: 1; `list plugins` says why\."):
        registry.method("unit")


def test_chains(registry: Registry) -> None:
    chain = registry.chain(" unet +  diffusion+restormer ")
    assert chain.name == "unet+diffusion+restormer"
    assert [stage.kind for stage in chain.stages] == ["stage", "refiner", "stage"]
    assert [prefix.name for prefix in chain.prefixes] == ["unet", "unet+diffusion", "unet+diffusion+restormer"]
    assert chain.prefixes[-1] == chain
    assert chain.last.name == "restormer"
    assert chain.before == registry.chain("unet+diffusion")
    assert registry.chain("unet").before is None


def test_lists_of_chains_keep_order_and_drop_repeats(registry: Registry) -> None:
    names = [chain.name for chain in registry.chains("restormer, unet+diffusion,unet,unet + diffusion,restormer")]
    assert names == ["restormer", "unet+diffusion", "unet"]
    assert [chain.name for chain in registry.chains(["unet", "unet"])] == ["unet"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("diffusion", r"'diffusion' is a refiner .* put a stage before it, as in 'unet\+diffusion'"),
        ("diffusion+unet", r"chain 'diffusion\+unet': 'diffusion' is a refiner"),
        ("unet+diffusoin", "there is no method 'diffusoin'. Did you mean 'diffusion'"),
        ("unet++diffusion", r"did you mean 'unet\+diffusion'\?"),
        ("+unet", "a '\\+' with no method beside it; did you mean 'unet'"),
        ("unet+ ", "with no method beside it"),
        ("", "names no method"),
        (" + ", "names no method"),
        ("+".join(["unet"] * 9), "has 9 methods; at most 8 can be chained"),
    ],
)
def test_chains_that_cannot_be(registry: Registry, expression: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        registry.chain(expression)


def test_longest_chain_is_allowed(registry: Registry) -> None:
    assert len(registry.chain("+".join(["unet"] * 8)).prefixes) == 8


def test_empty_entry_in_a_list_of_chains(registry: Registry) -> None:
    with pytest.raises(SpecError, match="names no method"):
        registry.chains("unet,,restormer")


def test_metric_selection(registry: Registry) -> None:
    chosen = registry.metric_variants("lpips, psnr_y[prenet],psnr_y,psnr")
    assert [variant.name for variant in chosen] == [
        "lpips[alex]",
        "psnr_y[prenet]",
        "psnr_y[mprnet]",
        "psnr[rgb]",
    ]
    spec, variant = chosen[0]
    assert (spec, variant) == (registry.metric("lpips"), "alex")
    assert registry.metric_variants(["psnr"]) == registry.metric_variants("psnr[rgb]")


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("psnrr", "there is no metric 'psnrr'. Did you mean 'psnr'"),
        ("psnr_y[mpnet]", r"metric 'psnr_y' has no variant 'mpnet'\. Did you mean 'mprnet'.* Variants: mprnet, prenet"),
        ("psnr_y[]", "has no variant ''"),
        ("psnr_y[mprnet", r"write 'psnr' or"),
        ("psnr,,lpips", "write 'psnr' or"),
        ("", "write 'psnr' or"),
        ([], "no metric was named"),
    ],
)
def test_metric_selections_that_cannot_be(registry: Registry, selection: Any, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        registry.metric_variants(selection)


def test_report_sections_of_a_failing_plugin_do_not_hurt_others(install: Install) -> None:
    def good(run: RunFolder) -> list[ReportSection]:
        return [ReportSection(run.name, "<p>fine</p>")]

    def raising(run: RunFolder) -> list[ReportSection]:
        raise SystemExit("no")

    def untyped(run: RunFolder) -> list[ReportSection]:
        return [ReportSection("kept", "<p></p>"), ReportSection("title", None)]  # type: ignore[arg-type]

    hook = "drivederain_report_sections"
    registry = Registry.discover(
        [
            install(name, hooks={hook: hookimpl(function)})
            for name, function in (("a", raising), ("b", good), ("c", untyped))
        ]
    )
    sections, failures = registry.report_sections(RunFolder(Path("mine")))
    assert [(section.plugin, section.section.title) for section in sections] == [("b:plugin", "mine")]
    assert [(failure.plugin, failure.hook) for failure in failures] == [("a:plugin", hook), ("c:plugin", hook)]
    assert "SystemExit: no" in failures[0].reason
    assert "html is None, where str is wanted" in failures[1].reason


def test_cell_finished_reaches_everyone(install: Install) -> None:
    told: list[tuple[str, FinishedCell]] = []

    def listener(name: str) -> Callable[..., None]:
        def drivederain_cell_finished(cell: FinishedCell) -> None:
            told.append((name, cell))
            if name == "a":
                raise RuntimeError("not listening")

        return hookimpl(drivederain_cell_finished)

    def without_argument() -> None:
        told.append(("c", CELL))

    registry = Registry.discover(
        [
            install("a", hooks={"drivederain_cell_finished": listener("a")}),
            install("b", hooks={"drivederain_cell_finished": listener("b")}),
            install("c", hooks={"drivederain_cell_finished": hookimpl(without_argument)}),
        ]
    )
    failures = registry.cell_finished(CELL)
    assert told == [("a", CELL), ("b", CELL), ("c", CELL)]
    assert [(failure.plugin, failure.reason) for failure in failures] == [("a:plugin", "RuntimeError: not listening")]


def test_load_names_the_extra_of_the_plugins_own_distribution(install: Install) -> None:
    needy = method("needy", requires=("drivederain_no_such_module",), extra="fancy")
    registry = Registry.discover([install("rain-gone", methods=[needy])])
    with pytest.raises(SpecError) as caught:
        registry.load(registry.method("needy"))
    assert str(caught.value) == (
        "method needy needs drivederain_no_such_module, not installed here. "
        'Install with: python -m pip install "rain-gone[fancy]"'
    )


def test_load_imports_the_class(install: Install) -> None:
    spec = replace(method("path"), implementation="pathlib:Path")
    registry = Registry.discover([install("x", methods=[spec])])
    assert registry.load(registry.method("path")) is Path


def test_only_plugins_that_are_named_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """``DRIVEDERAIN_PLUGINS``: the built-in ones and those; nothing of the others is imported."""
    mine = EntryPoint("my-derain", "no_such_module_anywhere.plugin", "drivederain")
    monkeypatch.setenv("DRIVEDERAIN_PLUGINS", "other")
    registry = Registry.discover([mine])
    assert [(each.status, each.reason) for each in registry.plugins] == [
        ("left out", "DRIVEDERAIN_PLUGINS does not name it")
    ]
    with pytest.raises(SpecError, match="left out, for DRIVEDERAIN_PLUGINS does not name it"):
        registry.method("my-derain")
    monkeypatch.setenv("DRIVEDERAIN_PLUGINS", "other, My_Derain")
    registry = Registry.discover([mine])
    (status,) = registry.plugins
    assert registry.not_installed == ("other",)
    assert status.status == "failed" and "no_such_module_anywhere" in status.reason
    assert "ModuleNotFoundError" in status.traceback and "importlib" in status.traceback


def test_the_first_broken_plugin_is_an_error_where_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """``DRIVEDERAIN_STRICT``."""
    mine = EntryPoint("my-derain", "no_such_module_anywhere.plugin", "drivederain")
    monkeypatch.setenv("DRIVEDERAIN_STRICT", "0")
    assert Registry.discover([mine]).plugins[0].status == "failed"
    monkeypatch.setenv("DRIVEDERAIN_STRICT", "1")
    with pytest.raises(SpecError, match=r"my-derain failed .* plugin doctor --traceback"):
        Registry.discover([mine])
    assert Registry.discover([mine], strict=False).plugins[0].status == "failed"


def test_a_plugin_that_is_asked_for_and_not_installed_is_an_error_where_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DRIVEDERAIN_PLUGINS", "my-deran")
    assert Registry.discover([]).not_installed == ("my-deran",)
    monkeypatch.setenv("DRIVEDERAIN_STRICT", "1")
    with pytest.raises(SpecError, match="names my-deran, which is not installed"):
        Registry.discover([])
