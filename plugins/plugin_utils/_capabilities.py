# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each role says of itself in meta/capability.yml: the only list of capabilities that the collection has.

Names of options are without the role's prefix in these files, and with it wherever an attribute says so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, Final, get_args, get_origin, get_type_hints

import yaml

ROLES_DIR: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "roles")
VERBS: Final = ("bootstrap", "preflight", "onboard", "verify", "drift", "offboard")
HOSTS: Final = ("tenant", "collector")
# Looks of a capability; converge is that of bootstrap, onboard and drift alike.
LOOKS: Final = ("preflight", "converge", "verify", "offboard")
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CapabilityError(ValueError):
    """A capability.yml that says something unknown or wrong; the text names the file and the key."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a string must look.

    pattern: for the whole string, without flags, since the JSON Schema for editors has it too; expected: the end of
    the sentence «expected …».
    """

    pattern: re.Pattern[str]
    expected: str


# Forms that a file may name instead of giving a pattern of its own.
FORMS: Final = {
    "guid": Form(
        re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
        "a GUID such as 00000000-0000-0000-0000-000000000000",
    ),
    "https_url": Form(re.compile(r"https://[^\s/].*"), "a URL that starts with https://"),
    "azure_resource_id": Form(
        re.compile(r"/[sS]ubscriptions/[^/\s]+/.+"), "an Azure resource id that starts with /subscriptions/"
    ),
}


@dataclass(frozen=True, slots=True)
class OneOf:
    """At least one of the options has to be given; an environment variable that stands in for one counts."""

    options: tuple[str, ...]
    environment: tuple[str, ...]
    purpose: str


@dataclass(frozen=True, slots=True)
class Ready:
    """Conditions by which what needs this capability runs: of offboard, and of the other verbs."""

    otherwise: str
    offboard: str


@dataclass(frozen=True, slots=True)
class Drift:
    """What scripts/generate makes tasks/drift.yml of: files of tasks that compare in check mode, and that correct.

    together: what its results say is corrected as one, or not at all.
    """

    compare: tuple[str, ...]
    correct: str
    together: bool = False


@dataclass(frozen=True, slots=True)
class Offboard:
    """What is this capability's own when a tenant leaves.

    first: entry point that runs before anything is removed; when: instead of what `needs` says; keep_if_failed:
    nothing is removed where something failed before at the same host, or at any host of the tenant.
    """

    first: str = ""
    when: str = ""
    keep_if_failed: str = ""


@dataclass(frozen=True, slots=True)
class OnCollector:
    """Options that name a collector of the tenant file, and one of what it has there.

    of: the variables whose keys are the names that there are, as syslog_target_sources.
    """

    collector: str
    name: str
    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Credential:
    """A field of a credential type of AWX, and the environment variable that it becomes."""

    label: str
    env: str
    secret: bool = False
    file: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """What an event of the rulebook starts."""

    title: str
    verb: str
    extra_vars: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capability:
    """One capability.yml.

    name: the role's; title: in names of plays; source, covers, tried_on: its row in README, none without a source;
    looked_at: by LOOKS, what has been seen, and what has not, where it says that all is well;
    host: where it runs; hosts: pattern of its hosts, that have the role where none is given; order: of plays,
    offboard goes backwards; verbs: playbooks that it is in; needs: roles that have to be ready; on_request: extra
    variable without which it does not run; vendor: section of tenant files that holds the `shared` options, once
    for all capabilities of the vendor; modules: by preflight, converge and verify; checked_in: the file of
    module_utils whose CHECK refuses wrong options before a run; results: variables of a host that hold what its
    drift found; drift: none where its tasks are written by hand; own: options that tenants never share;
    provider_only: options that no tenant file may set, since they keep a tenant from its neighbours and from the
    host; unique: options whose values no two tenants share, and what to do who means to; forms: of options'
    strings, those within a dictionary behind a dot; on_collector: what of the tenant's own collector is named.
    """

    name: str
    title: str
    host: str
    order: int
    source: str = ""
    covers: str = ""
    tried_on: str = ""
    looked_at: dict[str, str] = field(default_factory=dict)
    hosts: str = ""
    verbs: tuple[str, ...] = ("preflight", "onboard", "verify", "drift", "offboard")
    needs: tuple[str, ...] = ()
    on_request: str = ""
    ready: Ready | None = None
    drift: Drift | None = None
    offboard: Offboard = Offboard()
    vendor: str = ""
    shared: tuple[str, ...] = ()
    modules: dict[str, str] = field(default_factory=dict)
    checked_in: str = ""
    results: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    provider_only: tuple[str, ...] = ()
    unique: dict[str, str] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    on_collector: OnCollector | None = None
    one_of: tuple[OneOf, ...] = ()
    credentials: dict[str, dict[str, Credential]] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)

    def option(self, name: str) -> str:
        """The option's name with the role's prefix."""
        return f"{self.name}_{name}"


@cache
def load_capabilities(roles_dir: str = ROLES_DIR) -> dict[str, Capability]:
    """Every capability by its role's name, in their order.

    Raises:
        CapabilityError: A file has an unknown key or a wrong value, or needs what is no capability.
    """
    found = {}
    for role in os.listdir(roles_dir):
        path = os.path.join(roles_dir, role, "meta", "capability.yml")
        if os.path.exists(path):
            with open(path, "rb") as stream:
                found[role] = parse_capability(role, yaml.load(stream, Loader=_LOADER), _place(role))  # a safe loader  # nosec B506
    for capability in found.values():
        for needed in capability.needs:
            if needed not in found or found[needed].ready is None:
                raise CapabilityError(f"{_place(capability.name)}: needs: {needed} is not one to need")
    return dict(sorted(found.items(), key=lambda item: (item[1].order, item[0])))


def parse_capability(name: str, data: Any, place: str) -> Capability:
    """The content of one file, checked. Raises CapabilityError, whose text begins with the place."""
    given = {"name": name, **_mapping(data, place)}
    capability: Capability = _built(Capability, given, place)
    for key, values, allowed in (
        ("host", [capability.host], HOSTS),
        ("verbs", capability.verbs, VERBS),
        ("modules", capability.modules, ("preflight", "converge", "verify")),
        ("looked_at", capability.looked_at, LOOKS),
        ("offboard.keep_if_failed", [capability.offboard.keep_if_failed or "host"], ("host", "tenant")),
        ("events", [event.verb for event in capability.events.values()], VERBS),
    ):
        for value in values:
            if value not in allowed:
                raise CapabilityError(f"{place}: {key}: {value!r} is none of {', '.join(allowed)}")
    return capability


def results() -> dict[str, tuple[str, ...]]:
    """Role to the variables of a host that hold what its drift found."""
    return {name: one.results for name, one in load_capabilities().items() if one.results}


def _place(role: str) -> str:
    return f"roles/{role}/meta/capability.yml"


def _mapping(data: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise CapabilityError(f"{place}: expected a mapping")
    return data


def _built(kind: Any, data: Any, place: str) -> Any:
    """An instance of the dataclass, of a mapping of its fields."""
    given, hints = _mapping(data, place), get_type_hints(kind)
    unknown = given.keys() - hints.keys()
    if unknown:
        raise CapabilityError(f"{place}: unknown key {min(map(str, unknown))}")
    for one in fields(kind):
        if one.name not in given and one.default is MISSING and one.default_factory is MISSING:
            raise CapabilityError(f"{place}: {one.name} is missing")
    return kind(**{key: _value(hints[key], value, f"{place}: {key}") for key, value in given.items()})


def _value(kind: Any, value: Any, place: str) -> Any:
    """The value as the annotation wants it."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is tuple:
        if not isinstance(value, list):
            raise CapabilityError(f"{place}: expected a list")
        return tuple(_value(args[0], item, place) for item in value)
    if origin is dict:
        return {str(key): _value(args[1], item, f"{place}.{key}") for key, item in _mapping(value, place).items()}
    if kind is Form:
        return _form(value, place)
    if kind is Any:
        return value
    if kind in (str, int, bool):
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise CapabilityError(f"{place}: expected {kind.__name__}, found {value!r}")
        return value
    return _built(next(iter(args), kind), value, place)


def _form(value: Any, place: str) -> Form:
    if isinstance(value, str) and value in FORMS:
        return FORMS[value]
    if not isinstance(value, Mapping) or value.keys() != {"pattern", "expected"}:
        raise CapabilityError(f"{place}: expected one of {', '.join(FORMS)}, or pattern and expected")
    return Form(re.compile(str(value["pattern"])), str(value["expected"]))
