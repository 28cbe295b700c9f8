"""What is installed: plugins are found, each guarded by itself, and methods, data sets and metrics looked up by name.

A plugin is an entry point in the group ``drivederain``. One that fails to import, clashes with a name that is taken or
answers with nonsense is listed with its reason, and everything else works. Registering is all or nothing. The built-ins
of this distribution come first, the others in the order of distribution and entry point, so that nobody can take a
built-in's name and the outcome does not depend on the order of installation.
"""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Literal, TypeVar

import pluggy

from drivederain import hookspecs
from drivederain.chain_expression import ChainSpec, parse_chain
from drivederain.entry_points import DISTRIBUTION, distribution_of, installed_entry_points, order
from drivederain.errors import SpecError
from drivederain.implementation import load_implementation
from drivederain.metric_selection import MetricVariant, parse_metrics
from drivederain.named_files import method_of_file
from drivederain.names import did_you_mean
from drivederain.plugin_contract import HOOKS, Refused, check_fields, check_hooks, items_of, load_plugin, reason_of
from drivederain.specs import DatasetSpec, MethodSpec, MetricSpec, ReportSection

if TYPE_CHECKING:
    from drivederain.results.cell import FinishedCell
    from drivederain.results.run_folder import RunFolder

SpecKind = Literal["method", "dataset", "metric"]
Spec = MethodSpec | DatasetSpec | MetricSpec
SPEC_HOOKS: tuple[tuple[SpecKind, str, type[Spec]], ...] = (
    ("method", "drivederain_methods", MethodSpec),
    ("dataset", "drivederain_datasets", DatasetSpec),
    ("metric", "drivederain_metrics", MetricSpec),
)
CALLED_HOOKS = tuple(hook for hook in HOOKS if hook not in {spec_hook for _, spec_hook, _ in SPEC_HOOKS})
"""Hooks that are called while something runs or is reported."""
_SpecT = TypeVar("_SpecT", MethodSpec, DatasetSpec, MetricSpec)


@dataclass(frozen=True)
class PluginStatus:
    """One entry point, and what became of it."""

    entry_point: str
    module: str
    distribution: str
    version: str
    status: Literal["ok", "failed", "left out"]
    reason: str = ""
    """Why it failed or is left out; ``""`` when ok."""
    methods: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    """What else it implements: hooks that are called while something runs or is reported."""
    refused: tuple[str, ...] = ()
    """Of a failed plugin: the names it would have offered, as far as they could be read."""
    traceback: str = ""
    """Of a failed plugin: where its code raised."""

    @property
    def name(self) -> str:
        """``distribution:entry_point``, which is unique."""
        return f"{self.distribution}:{self.entry_point}"


@dataclass(frozen=True)
class HookFailure:
    """A hook of a plugin that raised or returned nonsense, while the others were called."""

    plugin: str
    hook: str
    reason: str


@dataclass(frozen=True)
class PluginSection:
    """A section of the report and the plugin that it comes from."""

    plugin: str
    section: ReportSection


@dataclass
class _Offer:
    """Specs that a plugin gave, before they are registered."""

    specs: list[tuple[SpecKind, Spec]] = field(default_factory=list)

    def names(self, kind: SpecKind | None = None) -> tuple[str, ...]:
        return tuple(spec.name for offered, spec in self.specs if kind in (None, offered))


class Registry:
    """Methods, data sets and metrics by name, and the plugins that they come from."""

    def __init__(self) -> None:
        self.methods: dict[str, MethodSpec] = {}
        self.datasets: dict[str, DatasetSpec] = {}
        self.metrics: dict[str, MetricSpec] = {}
        self.plugins: list[PluginStatus] = []
        self.not_installed: tuple[str, ...] = ()
        """What ``DRIVEDERAIN_PLUGINS`` names and is not there."""
        self._owners: dict[tuple[SpecKind, str], str] = {}
        self._of_files: dict[str, MethodSpec] = {}
        """Methods that were named with a file, by the names they got."""
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)

    @classmethod
    def discover(cls, entry_points: Iterable[EntryPoint] | None = None, *, strict: bool | None = None) -> Registry:
        """Return a registry of ``entry_points``, by default all installed ones of the group ``drivederain``.

        ``DRIVEDERAIN_PLUGINS`` may name those that are wanted beside the built-in ones, by entry point or distribution
        between commas; the others are left out, and their code is not imported. What is wrong with a plugin is in
        ``plugins``, and nothing is raised.

        Args:
            entry_points: instead of the installed ones.
            strict: raise at the first plugin that fails; by default what ``DRIVEDERAIN_STRICT`` says (``1``: do).

        Raises:
            SpecError: a plugin failed, or one that is named for DRIVEDERAIN_PLUGINS is not there; ``strict`` is wanted.
        """
        registry = cls()
        strict = os.environ.get("DRIVEDERAIN_STRICT", "") not in ("", "0") if strict is None else strict
        wanted = os.environ.get("DRIVEDERAIN_PLUGINS")
        allowed = None if wanted is None else {_normalised(part) for part in wanted.split(",") if part.strip()}
        if entry_points is None:
            entry_points, damaged = installed_entry_points()
            registry.plugins.extend(
                PluginStatus("entry_points.txt", "", one.name, one.version, "failed", one.reason) for one in damaged
            )
        unknown = set(allowed or ()) - {_normalised(one.distribution) for one in registry.plugins}
        for entry_point in sorted(entry_points, key=order):
            distribution, version = distribution_of(entry_point)
            names = {_normalised(entry_point.name), _normalised(distribution)}
            unknown -= names
            if allowed is None or distribution == DISTRIBUTION or allowed & names:
                registry.plugins.append(registry._register(entry_point))
                continue
            reason = "DRIVEDERAIN_PLUGINS does not name it"
            registry.plugins.append(
                PluginStatus(entry_point.name, entry_point.value, distribution, version, "left out", reason)
            )
        registry.not_installed = tuple(sorted(unknown))
        if strict and unknown:
            raise SpecError(
                f"DRIVEDERAIN_PLUGINS names {', '.join(sorted(unknown))}, which is not installed, and "
                "DRIVEDERAIN_STRICT is set. Install it, or take it out of the list."
            )
        failed = next((plugin for plugin in registry.plugins if plugin.status == "failed"), None)
        if strict and failed is not None:
            raise SpecError(
                f"the plugin {failed.name} failed ({failed.reason}), and DRIVEDERAIN_STRICT is set. Mend or remove it; "
                "`drivederain-bench plugin doctor --traceback` says where it failed."
            )
        return registry

    def method(self, name: str) -> MethodSpec:
        """Return the method called ``name``; ``checkpoint:PATH`` names one that is then called after the file.

        Raises:
            SpecError: there is none; the message says which there are, or why its plugin failed.
        """
        family, colon, location = name.partition(":")
        if not colon:
            return self._of_files.get(name) or self._look_up("method", name, self.methods)
        spec = method_of_file(self._look_up("method", family.strip(), self.methods), location, self.methods)
        other = self._of_files.setdefault(spec.name, spec)
        if other != spec:
            raise SpecError(
                f"{other.file} and {spec.file} would both be called {spec.name!r}. Link one under another name."
            )
        self._owners["method", spec.name] = self._owners["method", spec.family]
        return other

    def dataset(self, name: str) -> DatasetSpec:
        """Return the kind of data set called ``name``; raises as ``method``."""
        return self._look_up("dataset", name, self.datasets)

    def metric(self, name: str) -> MetricSpec:
        """Return the metric called ``name``; raises as ``method``."""
        return self._look_up("metric", name, self.metrics)

    def owner(self, kind: SpecKind, name: str) -> str:
        """Return the distribution that ``name`` comes from.

        Raises:
            SpecError: there is no such name.
        """
        lookups: dict[SpecKind, Callable[[str], Spec]] = {
            "method": self.method,
            "dataset": self.dataset,
            "metric": self.metric,
        }
        return self._owners[kind, lookups[kind](name).name]

    def chain(self, expression: str) -> ChainSpec:
        """Return the chain that ``expression`` names, as in ``unet+diffusion``; raises as ``parse_chain``."""
        return parse_chain(expression, self._stage)

    def _stage(self, name: str) -> MethodSpec:
        spec = self.method(name)
        if spec.location:
            raise SpecError(f"method {spec.name!r} needs a file: write {spec.name}:{spec.location}")
        return spec

    def chains(self, expressions: str | Iterable[str]) -> list[ChainSpec]:
        """Return the chains of a comma-separated list or an iterable of expressions, each once, in the order given.

        Raises:
            SpecError: an expression is empty or cannot be resolved.
        """
        entries = expressions.split(",") if isinstance(expressions, str) else list(expressions)
        return list(dict.fromkeys(self.chain(entry) for entry in entries))

    def metric_variants(self, selection: str | Iterable[str]) -> list[MetricVariant]:
        """Return the scores that ``selection`` names, as in ``psnr,psnr_y[mprnet]``; raises as ``parse_metrics``."""
        return parse_metrics(selection, self.metric)

    def load(self, spec: Spec) -> type:
        """Import and return the class that implements ``spec``, which must come from this registry.

        Raises:
            SpecError: as ``load_implementation``.
        """
        kind = next(kind for kind, _, spec_type in SPEC_HOOKS if isinstance(spec, spec_type))
        return load_implementation(
            spec.implementation,
            owner=f"{kind} {spec.name}",
            requires=spec.requires if isinstance(spec, MethodSpec) else (),
            extra=spec.extra if isinstance(spec, MethodSpec) else "",
            distribution=self.owner(kind, spec.name),
        )

    def report_sections(self, run: RunFolder) -> tuple[list[PluginSection], list[HookFailure]]:
        """Ask every plugin for sections of the report of ``run``.

        Returns:
            The sections, and the plugins that failed. A plugin that fails gives none of its sections.
        """
        hook = "drivederain_report_sections"
        sections: list[PluginSection] = []
        failures: list[HookFailure] = []
        for plugin in self._implementers(hook):
            try:
                given = items_of(self._call(plugin, hook, run=run), ReportSection, hook)
                for section in given:
                    check_fields(section, f"a section of {hook}")
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                failures.append(HookFailure(plugin, hook, reason_of(error)))
            else:
                sections.extend(PluginSection(plugin, section) for section in given)
        return sections, failures

    def cell_finished(self, cell: FinishedCell) -> list[HookFailure]:
        """Tell every plugin that ``cell`` is finished, and return those that failed."""
        hook = "drivederain_cell_finished"
        failures: list[HookFailure] = []
        for plugin in self._implementers(hook):
            try:
                self._call(plugin, hook, cell=cell)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                failures.append(HookFailure(plugin, hook, reason_of(error)))
        return failures

    def _register(self, entry_point: EntryPoint) -> PluginStatus:
        distribution, version = distribution_of(entry_point)
        plugin_name = f"{distribution}:{entry_point.name}"
        offer = _Offer()
        try:
            if self._manager.has_plugin(plugin_name):
                raise Refused("its distribution has another entry point of that name")
            plugin = load_plugin(entry_point)
            check_hooks(plugin)
            try:
                self._manager.register(plugin, plugin_name)
                self._read_specs(plugin_name, offer)
                self._check_clashes(offer)
            except BaseException:
                if self._manager.has_plugin(plugin_name):
                    self._manager.unregister(name=plugin_name)
                raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return PluginStatus(
                entry_point.name,
                entry_point.value,
                distribution,
                version,
                "failed",
                reason_of(error),
                refused=offer.names(),
                traceback="".join(traceback.format_exception(error)),
            )
        for kind, spec in offer.specs:
            self._owners[kind, spec.name] = distribution
            if isinstance(spec, MethodSpec):
                self.methods[spec.name] = spec
            elif isinstance(spec, DatasetSpec):
                self.datasets[spec.name] = spec
            else:
                self.metrics[spec.name] = spec
        return PluginStatus(
            entry_point.name,
            entry_point.value,
            distribution,
            version,
            "ok",
            methods=offer.names("method"),
            datasets=offer.names("dataset"),
            metrics=offer.names("metric"),
            hooks=tuple(hook for hook in CALLED_HOOKS if plugin_name in self._implementations(hook)),
        )

    def _read_specs(self, plugin: str, offer: _Offer) -> None:
        """Fill ``offer`` with all that can be read, then raise the first thing that is wrong."""
        errors: list[BaseException] = []
        for kind, hook, spec_type in SPEC_HOOKS:
            if plugin not in self._implementers(hook):
                continue
            try:
                specs = items_of(self._call(plugin, hook), spec_type, hook)
                offer.specs.extend((kind, spec) for spec in specs)
                for spec in specs:
                    check_fields(spec, f"{kind} {spec.name}")
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _check_clashes(self, offer: _Offer) -> None:
        seen: set[tuple[SpecKind, str]] = set()
        for kind, spec in offer.specs:
            if (kind, spec.name) in seen:
                raise Refused(f"it offers two {kind}s called {spec.name!r}")
            if (kind, spec.name) in self._owners:
                raise Refused(f"its {kind} {spec.name!r} clashes with the one of {self._owners[kind, spec.name]}")
            seen.add((kind, spec.name))

    def _implementers(self, hook: str) -> list[str]:
        """Names of the plugins that implement ``hook``, in the order of registration."""
        implementing = self._implementations(hook)
        return [name for name, _ in self._manager.list_name_plugin() if name in implementing]

    def _implementations(self, hook: str) -> dict[str, pluggy.HookImpl]:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return {implementation.plugin_name: implementation for implementation in caller.get_hookimpls()}

    def _call(self, plugin: str, hook: str, **arguments: object) -> object:
        """Call ``hook`` of ``plugin`` alone and return its answer.

        Not through pluggy's caller, which stops at the first plugin that raises.
        """
        implementation = self._implementations(hook)[plugin]
        return implementation.function(*(arguments[name] for name in implementation.argnames))

    def _look_up(self, kind: SpecKind, name: str, known: Mapping[str, _SpecT]) -> _SpecT:
        if name in known:
            return known[name]
        message = f"there is no {kind} {name!r}"
        for failed in (plugin for plugin in self.plugins if plugin.status == "failed" and _may_offer(plugin, name)):
            raise SpecError(
                f"{message}: the plugin {failed.entry_point!r} of {failed.distribution} {failed.version} failed "
                f"({failed.reason}). Mend or remove that distribution; the {kind}s that work: {_listing(known)}."
            )
        for left_out in (plugin for plugin in self.plugins if plugin.status == "left out" and _may_offer(plugin, name)):
            raise SpecError(
                f"{message}: the plugin {left_out.entry_point!r} of {left_out.distribution} {left_out.version} is left "
                "out, for DRIVEDERAIN_PLUGINS does not name it. Add it there, or unset the variable."
            )
        failures = sum(plugin.status == "failed" for plugin in self.plugins)
        note = f" Plugins that failed to load: {failures}; `list plugins` says why." if failures else ""
        hint = did_you_mean(name, known)
        raise SpecError(f"{message}.{hint} The {kind}s that are installed: {_listing(known)}.{note}")


def _listing(known: Mapping[str, object]) -> str:
    return ", ".join(sorted(known)) or "none"


def _normalised(name: str) -> str:
    """As distributions are compared: ``My_Derain`` is ``my-derain``."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _may_offer(plugin: PluginStatus, name: str) -> bool:
    """Whether ``name`` is known to come from the failed ``plugin``, or the plugin is called like it."""
    distribution = plugin.distribution.replace("_", "-")
    called = {plugin.entry_point.replace("_", "-"), distribution, re.sub(r"^drivederain-(plugin-)?", "", distribution)}
    return name in plugin.refused or name.replace("_", "-") in called
